/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What libpcap says: its compiler for files of Ethernet, and its own interpreter. */
#ifndef TEST_FILTER_REFERENCE_H
#define TEST_FILTER_REFERENCE_H

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
/* Of a packet of len bytes it sees the first seen. */
bool reference_match(const struct reference *ref, const uint8_t *packet, uint32_t seen,
		     uint32_t len);

#endif /* TEST_FILTER_REFERENCE_H */
