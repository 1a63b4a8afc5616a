/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The program side: the XDP program of an interface and its xsks_map.
 *
 * A program is attached by a bpf_link (5.9), which the kernel counts: everyone
 * who uses the program holds a descriptor of its link, and when the last one is
 * closed, by whatever end of its process, the program is detached.
 */
#ifndef XSK_LIB_PROG_H
#define XSK_LIB_PROG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "insn.h"

struct xsk_error;
struct xsk_netdev;

/* A share in the program of an interface. */
struct xsk_prog {
	uint32_t id;
	int map_fd;		/* its xsks_map */
	int counters_fd;	/* the map of its counters; -1: none that was asked for */
	int link_fd;		/* -1: attached by netlink, by us or by others */
	bool attached_here;	/* by this share, so it is ours to change */
	int ifindex;
	/* Only of a program that this process attached by netlink: */
	int prog_fd;		/* -1: none */
	uint32_t flags;
	pid_t pid;		/* a child does not detach what its parent uses */
};

#define XSK_PROG_NONE ((struct xsk_prog){ .map_fd = -1, .counters_fd = -1, .link_fd = -1, \
					  .prog_fd = -1 })

/*
 * Takes a share in the program that is attached to the interface, if it has a
 * map called xsks_map of type XSKMAP, whoever attached it. Where no program is,
 * loads code with a new xsks_map, with a place for each queue that the device
 * can have, and attaches it; flags say in which mode (XDP_FLAGS_SKB_MODE, …).
 * With code NULL nothing is attached: -ENOENT where no program is. Code that filters is
 * joined where the very same is attached. *ret is untouched on failure.
 *
 * -EBUSY: a program without xsks_map is attached, or another than code; it
 * stays. -EPERM: no CAP_BPF and CAP_NET_ADMIN, or no CAP_SYS_ADMIN to use a program of
 * others. -E2BIG: the verifier gives up on the code.
 */
int xsk_prog_join(struct xsk_prog *ret, int ifindex, uint32_t flags,
		  const struct xsk_code *code, struct xsk_error *error);

/*
 * Detaches the program of an interface if it has no map called xsks_map, whoever
 * attached it. 0 also where there is none, or one with such a map.
 */
int xsk_prog_evict(int ifindex, struct xsk_error *error);

/*
 * By one thread at a time; of the others, those that ask for id and counters may go on.
 * Puts code into the place of the program, from one packet to the next, for all who share it.
 * -EBUSY: it is not one of libxsk's. -ENODEV: the interface is gone. -ENOLINK: others have
 * detached the program.
 */
int xsk_prog_replace(struct xsk_prog *prog, const struct xsk_code *code, struct xsk_error *error);

/* The id of what is in its place now, which another share may have put there. */
uint32_t xsk_prog_id(const struct xsk_prog *prog);

/* The counters of all CPUs, added up. All 0 where there are none. */
void xsk_prog_counters(const struct xsk_prog *prog, uint64_t counters[XSK_COUNTERS]);

/* Gives the share back. */
void xsk_prog_leave(struct xsk_prog *prog);

/* Whether a descriptor is one of an XSKMAP: 0, -EBADF, or -EINVAL. */
int xsk_prog_check_map(int map_fd, struct xsk_error *error);

/* Whether two descriptors are of one map. */
bool xsk_prog_same_map(int map_fd, int other_fd);

/*
 * Puts a socket into an XSKMAP at its queue; where one is already, it is
 * replaced, or with only_if_free left (-EEXIST). The kernel takes the entry out
 * when the socket is closed.
 */
int xsk_prog_set_socket(int map_fd, uint32_t queue, int socket_fd, bool only_if_free,
			struct xsk_error *error);

/* Takes out the entry of a queue, whichever socket it holds. */
void xsk_prog_unset_socket(int map_fd, uint32_t queue);

#endif /* XSK_LIB_PROG_H */
