/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What libpcap says: its headers and the kernel's have some names in common. */
#ifndef XSK_TEST_REFERENCE_H
#define XSK_TEST_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sock_filter;

/* Of a program of classic BPF. */
bool reference_match(const struct sock_filter *insns, uint32_t count, const uint8_t *packet,
		     size_t len);
/* Of an expression, which it must take. */
struct reference;
struct reference *reference_compile(const char *expression);
bool reference_match_text(const struct reference *reference, const uint8_t *packet, size_t len);
void reference_free(struct reference *reference);

#endif /* XSK_TEST_REFERENCE_H */
