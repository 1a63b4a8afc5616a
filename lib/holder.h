/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The AF_XDP sockets that there are, as sock_diag tells where the kernel has it for them (5.1). */
#ifndef XSK_LIB_HOLDER_H
#define XSK_LIB_HOLDER_H

#include <linux/xdp_diag.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "process.h"

struct nlmsghdr;

struct xsk_holder {
	pid_t pid;
	char name[XSK_PROCESS_NAME_SIZE];
};

/* A socket; 0 is what it has not, or what was not asked for. */
struct xsk_holder_socket {
	uint32_t inode;
	uint32_t ifindex;
	uint32_t queue;
	uint32_t uid;
	uint32_t rx_size, tx_size, fill_size, comp_size;
	struct xdp_diag_umem umem;
	struct xdp_diag_stats stats;
	bool uid_told;
	bool stats_told;	/* from 5.9 on */
};

/*
 * A process with a socket on that queue, of this thread's network namespace.
 * Returns 0, or -ENOENT where the kernel or /proc does not tell, or -errno.
 */
int xsk_holder_find(struct xsk_holder *ret, int ifindex, uint32_t queue);

/*
 * The sockets on an interface of this thread's network namespace; ifindex 0: those that are
 * bound to none. Returns their number; *ret is to be freed. -ENOENT, -EINVAL: the kernel
 * does not tell.
 */
int xsk_holder_sockets(struct xsk_holder_socket **ret, int ifindex);

/* One message of the kernel's answer: 0, or -EPROTO if it is none. */
int xsk_holder_parse(struct xsk_holder_socket *ret, const struct nlmsghdr *answer);

#endif /* XSK_LIB_HOLDER_H */
