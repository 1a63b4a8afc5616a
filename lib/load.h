/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Loading: the program of an interface, which is attached nowhere yet, and its maps. */
#ifndef XSK_LIB_LOAD_H
#define XSK_LIB_LOAD_H

#include <stdint.h>

#include "insn.h"

struct xsk_error;

/* What the programs are called: one that takes all packets, and one with a filter. */
#define XSK_DEFAULT_NAME "libxsk_default"
#define XSK_FILTER_NAME "libxsk_filter"

/* The descriptor of a new xsks_map, with a place for each of the queues. */
int xsk_load_map(uint32_t queues, struct xsk_error *error);

/* That of a new map of counters, each CPU for itself. */
int xsk_load_counters(struct xsk_error *error);

/*
 * The descriptor of a new program with these maps; counters_fd is not looked at where
 * the code does not count. -EPERM: a capability is missing. -E2BIG: the verifier gives up.
 */
int xsk_load_code(const struct xsk_code *code, int map_fd, int counters_fd,
		  struct xsk_error *error);

/* That of a new program which passes all packets, and has no map. */
int xsk_load_nothing(uint32_t flags);

/* The capabilities that the caller lacks for maps and programs; NULL: none. */
const char *xsk_load_missing(void);

/* Fails with -EPERM, for want of what is missing; NULL: of nothing that is known. */
int xsk_load_explain_eperm(struct xsk_error *error, const char *step, const char *missing);

#endif /* XSK_LIB_LOAD_H */
