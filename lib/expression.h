/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The language of pcap-filter(7): libpcap, which is loaded for it. */
#ifndef XSK_LIB_EXPRESSION_H
#define XSK_LIB_EXPRESSION_H

#include <linux/filter.h>
#include <stdint.h>

struct xsk_error;

/*
 * Compiles for Ethernet. *insns is the caller's, to be freed. -EINVAL: no expression; the
 * reason has libpcap's words and the place. -ELIBACC: there is no libpcap. -ENOMEM.
 */
int xsk_expression_compile(struct sock_filter **insns, uint32_t *count, const char *expression,
			   struct xsk_error *error);

#endif /* XSK_LIB_EXPRESSION_H */
