/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What libpcap says: its compiler for files of Ethernet, and its own interpreter of classic
 * BPF. Its header and <linux/bpf.h> both have a struct bpf_insn, so it has a source of its own.
 *
 * libpcap runs a program that jumps backward ("protochain") for as long as it does, on some
 * packets for ever: none may be run here.
 */
#ifndef XSK_TEST_REFERENCE_H
#define XSK_TEST_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sock_filter;
struct reference;

/* NULL: it refuses the expression. */
struct reference *reference_compile(const char *expression, bool optimize);
struct reference *reference_program(const struct sock_filter *insns, uint32_t count);
void reference_free(struct reference *ref);

const struct sock_filter *reference_insns(const struct reference *ref, uint32_t *count);

/*
 * Of a packet of len bytes it sees the first seen. Scratch memory that was never written to
 * is 0.
 */
bool reference_match(const struct reference *ref, const void *packet, size_t seen, size_t len);

/* The same of a program that is run this once, on all of the packet. */
bool reference_run(const struct sock_filter *insns, uint32_t count, const void *packet,
		   size_t len);

/* Whether libpcap takes it for a program. */
bool reference_takes(const struct sock_filter *insns, uint32_t count);

#endif /* XSK_TEST_REFERENCE_H */
