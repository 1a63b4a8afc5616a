/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Programs that filter, and joining with them on the kernel that is faked. */
#ifndef XSK_TEST_PROG_CODE_H
#define XSK_TEST_PROG_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "prog_kernel.h"

struct xsk_filter;

/* Packets with this byte at 12. */
struct xsk_filter *filter_of(uint32_t byte);
/* All but empty ones, by their length. */
struct xsk_filter *filter_of_len(void);
/* Takes the filter. */
struct xsk_code code_of(struct xsk_filter *filter, bool counts);

/* Also that the code is as before. */
int join(struct xsk_prog *prog, const struct xsk_code *code, struct xsk_error *error);
/* Nothing is left behind but the reason, and those descriptors that were open before. */
void fail_join(const struct xsk_code *code, int expected, struct xsk_error *error);

#endif /* XSK_TEST_PROG_CODE_H */
