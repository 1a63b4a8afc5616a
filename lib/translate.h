/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Classic BPF as eBPF. */
#ifndef XSK_LIB_TRANSLATE_H
#define XSK_LIB_TRANSLATE_H

#include "insn.h"

struct xsk_assembly;
struct xsk_classic;

/*
 * The registers of a program that has a classic one in it. What stands around that fills
 * the last four, and has them again after it; it uses the others, and 80 bytes of stack.
 */
#define XSK_REG_A BPF_REG_0
#define XSK_REG_X BPF_REG_1
#define XSK_REG_CTX BPF_REG_6
#define XSK_REG_DATA BPF_REG_7
#define XSK_REG_END BPF_REG_8
#define XSK_REG_LEN BPF_REG_9		/* only if the program asks for it */

/* Whether it does. */
bool xsk_translate_needs_len(const struct xsk_classic *code);

/*
 * Emits a program that was checked. It jumps to XSK_LABEL_MATCH or XSK_LABEL_PASS, or
 * leaves at its end for one of them: bind both, to what comes behind it. Errors are kept
 * in as->err: -ENOMEM, or -E2BIG: a jump is too long.
 */
void xsk_translate(struct xsk_assembly *as, const struct xsk_classic *code);

#endif /* XSK_LIB_TRANSLATE_H */
