/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The packet whose way out and back xsk latency measures: UDP over IPv4 or IPv6, to be echoed;
 * or Ethernet alone (type 0x88b5), to be sent back as it is. What it carries, in network byte
 * order:
 *
 *      0  8 bytes  a random number, the same in all packets of a run
 *      8  8 bytes  the sequence number, from 0 on
 *     16  8 bytes  nanoseconds of CLOCK_MONOTONIC when it was sent
 *     24           zeros
 */
#ifndef XSK_CLI_TRAVELLER_H
#define XSK_CLI_TRAVELLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

#define TRAVELLER_MAX 16384
#define TRAVELLER_PAYLOAD 24

struct traveller_options {
	bool is_reflected;		/* Ethernet alone: there are no addresses and ports */
	struct address from, to;	/* of one family */
	uint16_t from_port, to_port;
	unsigned char from_mac[MAC_SIZE], to_mac[MAC_SIZE];
	uint64_t id;
	uint32_t size;			/* of the Ethernet packet, without its checksum */
};

struct traveller {
	struct traveller_options options;
	uint32_t payload;		/* where that begins */
	uint64_t sum;			/* of UDP, with the number and the time being 0 */
	uint8_t bytes[TRAVELLER_MAX];
};

uint32_t traveller_min_size(const struct traveller_options *options);

/* The size is traveller_min_size() to TRAVELLER_MAX. */
void traveller_make(struct traveller *traveller, const struct traveller_options *options);

/* Writes options.size bytes. */
void traveller_write(const struct traveller *traveller, uint8_t *to, uint64_t number,
		     uint64_t now_ns);

/* Whether it is one that came back, and then its number. */
bool traveller_read(const struct traveller *traveller, const uint8_t *packet, size_t len,
		    uint64_t *number);

#define TRAVELLER_FILTER 256
/* Those that come back, as an expression. Returns text. */
char *traveller_filter(const struct traveller_options *options, char text[TRAVELLER_FILTER]);

#endif /* XSK_CLI_TRAVELLER_H */
