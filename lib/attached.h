/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The XDP program of an interface, as those find it who did not attach it: its
 * map of sockets, and the link that holds it there. Looking needs CAP_SYS_ADMIN.
 */
#ifndef XSK_LIB_ATTACHED_H
#define XSK_LIB_ATTACHED_H

#include <stdint.h>

struct bpf_map_info;

/* Beside -errno. Below all of the kernel's errors: */
#define XSK_RACED (-4096)		/* it has changed meanwhile: look again */
#define XSK_AMBIGUOUS (-4097)		/* one of several, which cannot be known */

/* Whose names were seen on the way, for the reason of a failure. */
struct xsk_attached {
	char name[16];			/* the program's */
	char parts[160];		/* "'a', 'b'": those that extend it; or empty */
};

/*
 * The XSKMAP called xsks_map of the interface's program, as a descriptor of our
 * own. Where programs extend that one (libxdp's dispatcher and its components),
 * the first of them that has such a map, in the order in which they run.
 * -ENOENT: none has; *names is filled.
 */
int xsk_attached_map(struct xsk_attached *names, uint32_t prog_id, int ifindex);

/* The counters of a program of ours, as a descriptor of our own, or -ENOENT. */
int xsk_attached_counters(uint32_t prog_id);

/*
 * The link by which the program is attached, as a descriptor of our own, or
 * -ENOENT. A link does not tell its network namespace: of two links of one
 * program to the same index it cannot be known which is which (XSK_AMBIGUOUS).
 */
int xsk_attached_link(uint32_t prog_id, int ifindex);

int xsk_attached_map_info(int map_fd, struct bpf_map_info *info);

#endif /* XSK_LIB_ATTACHED_H */
