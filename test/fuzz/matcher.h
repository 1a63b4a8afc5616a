/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * libpcap's own word on programs of classic BPF: what the library is compared with. Its
 * header and <linux/bpf.h> both have a struct bpf_insn, so it has a source of its own.
 *
 * libpcap runs a program that jumps backward ("protochain") for as long as it does, on some
 * packets for ever: none may be given here.
 */
#ifndef FUZZ_MATCHER_H
#define FUZZ_MATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sock_filter;

/* Whether libpcap takes it for a program. */
bool matcher_takes(const struct sock_filter *insns, uint32_t count);
/* Whether it matches: 1 or 0. Scratch memory that was never written to is 0. */
int matcher_run(const struct sock_filter *insns, uint32_t count, const void *packet, size_t len);
/* Compiles for Ethernet. Returns the instructions, to be freed, or NULL. */
struct sock_filter *matcher_compile(const char *text, uint32_t *count);

#endif /* FUZZ_MATCHER_H */
