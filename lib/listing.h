/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Programs as text, a line for each instruction. */
#ifndef XSK_LIB_LISTING_H
#define XSK_LIB_LISTING_H

#include <stddef.h>

struct bpf_insn;
struct xsk_classic;
struct xsk_text;

/* One that was validated. */
void xsk_list_classic(struct xsk_text *text, const struct xsk_classic *code);
void xsk_list_ebpf(struct xsk_text *text, const struct bpf_insn *insns, size_t count);

#endif /* XSK_LIB_LISTING_H */
