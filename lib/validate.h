/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Whether a program of classic BPF is one, before anything is made of it.
 * Source: bpf_validate() of libpcap, and Documentation/networking/filter.rst of the kernel.
 */
#ifndef XSK_LIB_VALIDATE_H
#define XSK_LIB_VALIDATE_H

struct xsk_classic;
struct xsk_error;

/* Of at least one instruction. 0, or -EINVAL or -EOPNOTSUPP with the instruction named. */
int xsk_validate(const struct xsk_classic *code, struct xsk_error *error);

#endif /* XSK_LIB_VALIDATE_H */
