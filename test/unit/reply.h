/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Whether a packet is the reply to another one, by arithmetic of its own. */
#ifndef UNIT_REPLY_H
#define UNIT_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "respond.h"

struct reply {
	enum respond kind;
	const uint8_t *request, *reply;		/* copies, each with its length */
	size_t request_len, reply_len;
};

/* What is wrong with it; NULL: nothing. */
const char *reply_check(const struct reply *reply, const uint8_t mac[6]);

/* The Internet checksum over two pieces, the first of even length; 0: it is right. */
uint16_t reply_checksum(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/* Of a UDP or ICMPv6 packet of len bytes behind the addresses of its header. */
uint16_t reply_pseudo_checksum(const uint8_t *addresses, size_t addresses_len, uint8_t protocol,
			       const uint8_t *payload, size_t len);

#endif /* UNIT_REPLY_H */
