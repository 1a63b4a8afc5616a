/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What an XDP program takes and what it leaves: the programs, not yet loaded. */
#ifndef XSK_LIB_FILTER_H
#define XSK_LIB_FILTER_H

#include <stdbool.h>

#include "insn.h"

struct xsk_error;
struct xsk_filter;
struct xsk_keep;

#define XSK_FILTER_DEFAULT_INSNS 6

/*
 * Writes the default program: every packet to the socket that map 0, an
 * XSKMAP, holds for the packet's queue; to the kernel's stack where it holds
 * none. The array is the caller's and must outlive what is returned.
 */
struct xsk_code xsk_filter_default(struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS]);

/*
 * Makes the program that leaves what is kept to the kernel, and takes what matches of the
 * rest (filter NULL: all). Where nothing is left and nothing counted, it is the default one.
 * To be freed with xsk_filter_code_free(). -ENOMEM, or -E2BIG.
 */
int xsk_filter_code(struct xsk_code *code, const struct xsk_filter *filter,
		    const struct xsk_keep *keep, bool counts, struct xsk_error *error);
void xsk_filter_code_free(struct xsk_code *code);

#endif /* XSK_LIB_FILTER_H */
