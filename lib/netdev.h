/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What the kernel tells of a network interface. */
#ifndef XSK_LIB_NETDEV_H
#define XSK_LIB_NETDEV_H

#include <net/if.h>
#include <stdint.h>

struct nlmsghdr;

struct xsk_netdev {
	int ifindex;
	char name[IFNAMSIZ];
	uint16_t type;		/* ARPHRD_* */
	uint32_t rx_queues;	/* that it can ever have; some may be switched off */
	uint32_t tx_queues;
	uint32_t mtu;
	uint32_t prog_id;	/* of the XDP program in driver or stack; 0: none */
	uint32_t prog_mode;	/* XDP_FLAGS_DRV_MODE or _SKB_MODE; 0: not told */
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

/*
 * What the driver says it can do with XDP, XSK_NETDEV_XDP_ACT_* of kernel.h.
 * Returns 0 or -errno: -ENOENT where the kernel does not tell (before 6.3).
 */
int xsk_netdev_xdp_features(uint64_t *ret, int ifindex);
/* Frames that a packet may have in zero-copy. -ENOENT: not told (before 6.6). */
int xsk_netdev_zc_max_segs(uint32_t *ret, int ifindex);

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

#endif /* XSK_LIB_NETDEV_H */
