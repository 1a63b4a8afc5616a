/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What the kernel tells of a network interface. */
#ifndef XSK_LIB_NETDEV_H
#define XSK_LIB_NETDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct nlmsghdr;

struct xsk_netdev {
	int ifindex;
	char name[IFNAMSIZ];
	uint16_t type;		/* ARPHRD_* */
	uint32_t rx_queues;	/* that it can ever have; some may be switched off */
	uint32_t tx_queues;
	uint32_t mtu;
	uint32_t master;	/* the bridge or bond that it is a part of; 0: none */
	uint32_t prog_id;	/* of the XDP program in driver or stack; 0: none */
	uint32_t prog_mode;	/* XDP_FLAGS_DRV_MODE or _SKB_MODE; 0: not told */
	uint32_t hw_prog_id;	/* of the one in the NIC, which may be beside it; 0: none */
};

/*
 * Asks about an interface of the calling thread's network namespace. No
 * capability needed. Returns 0, or -ENODEV where there is none, or -errno; *ret
 * is untouched on failure.
 */
int xsk_netdev_get(struct xsk_netdev *ret, int ifindex);

/* The answer to it, as it comes from the kernel: 0, or -EPROTO if it is none. */
int xsk_netdev_parse(struct xsk_netdev *ret, const struct nlmsghdr *answer);

/*
 * Attaches a program by netlink, as ip-link(8) does: it outlives its process.
 * prog_fd -1 detaches. expected_fd: only if this program is attached (-1: only
 * if none is). Returns 0 or the kernel's -errno; -EBUSY, -EEXIST: something else
 * is attached.
 */
int xsk_netdev_set_xdp(int ifindex, int prog_fd, int expected_fd, uint32_t flags);

/* What the driver says it can do with XDP. */
struct xsk_netdev_xdp {
	uint64_t features;	/* XSK_NETDEV_XDP_ACT_* of kernel.h */
	uint64_t rx_metadata;	/* what a program can ask of a packet's descriptor */
	uint64_t tx_metadata;	/* what can be asked of the NIC with a frame */
	uint32_t zc_max_segs;	/* frames that a packet may have in zero-copy; 0: not told */
	bool metadata_told;	/* those two (6.8) */
};

/* Returns 0 or -errno: -ENOENT where the kernel does not tell (before 6.3). */
int xsk_netdev_xdp(struct xsk_netdev_xdp *ret, int ifindex);

/* Queues of one kind or the other, at least 1: the indices an XSKMAP needs. */
uint32_t xsk_netdev_queues(const struct xsk_netdev *dev);

/* The queues that are in use, as ethtool -l shows them. */
struct xsk_netdev_channels {
	uint32_t rx;		/* combined ones included */
	uint32_t tx;
};

/*
 * Returns 0 or -errno: -EOPNOTSUPP where the driver has no such numbers; then all
 * queues of struct xsk_netdev are in use.
 */
int xsk_netdev_channels(struct xsk_netdev_channels *ret, int ifindex);

/* Its speed in Mbit/s. -ENOENT: not known, as while it has no carrier. */
int xsk_netdev_speed(uint32_t *ret, int ifindex);

/*
 * The queues that have an AF_XDP socket, in ascending order: returns how many there are,
 * of which max are in *queues. 0 also from kernels that do not tell (before 6.15).
 */
int xsk_netdev_socket_queues(uint32_t *queues, int max, int ifindex);

/* The commands of netdev netlink that the kernel has, by bit. -ENOENT: none (before 6.3). */
int xsk_netdev_commands(uint64_t *ret);

#endif /* XSK_LIB_NETDEV_H */
