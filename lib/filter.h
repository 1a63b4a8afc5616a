/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What an XDP program takes and what it leaves: the programs, not yet loaded. */
#ifndef XSK_LIB_FILTER_H
#define XSK_LIB_FILTER_H

#include "insn.h"

#define XSK_FILTER_DEFAULT_INSNS 6

/*
 * Writes the default program: every packet to the socket that map 0, an
 * XSKMAP, holds for the packet's queue; to the kernel's stack where it holds
 * none. The array is the caller's and must outlive what is returned.
 */
struct xsk_code xsk_filter_default(struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS]);

#endif /* XSK_LIB_FILTER_H */
