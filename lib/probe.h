/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The diagnosis, <xsk/probe.h>: what its files share.
 *
 *     probe.c             failing, lists, who holds what
 *     probe_kernel.c      the kernel, and the caller
 *     probe_interface.c   an interface
 *     probe_programs.c    the programs on it
 *     probe_sockets.c     the sockets on it
 */
#ifndef XSK_LIB_PROBE_H
#define XSK_LIB_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <xsk/probe.h>

/* Ends a function that fails: keeps why, and gives it to the caller. Returns its code. */
int xsk_probe_fail(const struct xsk_error *why, struct xsk_error *error);

/* Fails where a struct of the caller's, or the first of a list of such, cannot be filled. */
int xsk_probe_check(const void *info, struct xsk_error *error);
int xsk_probe_check_list(const void *list, int capacity, struct xsk_error *error);

/* Writes what is known, size bytes, to a place of the list, if it has that. */
void xsk_probe_put(void *list, int capacity, int place, const void *known, size_t size);

/* The processes that hold something. */
struct xsk_probe_holders {
	uint32_t count;
	pid_t last;
	struct xsk_probe_process process[XSK_PROBE_PROCESSES];
};

/* Once for each of its descriptors, which come one after the other. */
void xsk_probe_add_holder(struct xsk_probe_holders *holders, pid_t pid);

static inline uint8_t xsk_probe_fact(bool yes)
{
	return yes ? XSK_PROBE_YES : XSK_PROBE_NO;
}

/* What is told, or is not. */
static inline uint8_t xsk_probe_told(bool told)
{
	return told ? XSK_PROBE_YES : XSK_PROBE_NOT_TOLD;
}

#endif /* XSK_LIB_PROBE_H */
