/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Who holds a queue, as sock_diag tells where the kernel has it for AF_XDP (5.1). */
#ifndef XSK_LIB_HOLDER_H
#define XSK_LIB_HOLDER_H

#include <stdint.h>
#include <sys/types.h>

#include "sys.h"

struct nlmsghdr;

struct xsk_holder {
	pid_t pid;
	char name[XSK_SYS_NAME_SIZE];
};

/* What is looked for, and the inode of the socket that has it; 0: none yet. */
struct xsk_holder_query {
	uint32_t ifindex;
	uint32_t queue;
	uint32_t inode;
};

/*
 * A process with a socket on that queue, of this thread's network namespace.
 * Returns 0, or -ENOENT where the kernel or /proc does not tell, or -errno.
 */
int xsk_holder_find(struct xsk_holder *ret, int ifindex, uint32_t queue);

/* One message of the kernel's answer: 0, or -EPROTO if it is none. */
int xsk_holder_parse(struct xsk_holder_query *query, const struct nlmsghdr *answer);

#endif /* XSK_LIB_HOLDER_H */
