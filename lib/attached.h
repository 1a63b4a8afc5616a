/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The XDP program of an interface, as those find it who did not attach it: its
 * map of sockets, and the link that holds it there. Looking needs CAP_SYS_ADMIN.
 */
#ifndef XSK_LIB_ATTACHED_H
#define XSK_LIB_ATTACHED_H

#include <stdbool.h>
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

/* What a program says of itself. */
struct xsk_attached_program {
	char name[16];
	uint8_t tag[8];
	uint64_t loaded_ns;		/* CLOCK_BOOTTIME */
	uint32_t uid;			/* who loaded it */
	bool has_sockets;		/* an XSKMAP among its maps, called: */
	char map_name[16];		/* xsks_map, if one of them is */
};

/* -EPERM: no CAP_SYS_ADMIN. XSK_RACED: it is gone. */
int xsk_attached_program(struct xsk_attached_program *ret, uint32_t prog_id);

/* What libxdp's dispatcher has room for. */
#define XSK_ATTACHED_PARTS 10

/*
 * The programs that extend a program, in the order in which they run; returns their number.
 * Before 5.13 the kernel does not tell, and libxdp's pins do.
 */
int xsk_attached_parts(uint32_t ids[XSK_ATTACHED_PARTS], uint32_t prog_id, int ifindex);

/* The counters of a program of ours, as a descriptor of our own, or -ENOENT. */
int xsk_attached_counters(uint32_t prog_id);

/*
 * The link by which the program is attached, as a descriptor of our own, or
 * -ENOENT. A link does not tell its network namespace: of two links of one
 * program to the same index it cannot be known which is which (XSK_AMBIGUOUS).
 */
int xsk_attached_link(uint32_t prog_id, int ifindex);
/* The kernel's number of it. */
int xsk_attached_link_id(uint32_t *ret, uint32_t prog_id, int ifindex);

int xsk_attached_map_info(int map_fd, struct bpf_map_info *info);

#endif /* XSK_LIB_ATTACHED_H */
