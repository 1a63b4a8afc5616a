/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Packets of UDP over IPv4 or IPv6, each with a number and the time at which it was sent. The
 * payload, in network byte order:
 *
 *      0  2 bytes  the magic number 0x5853, "XS"
 *      2  8 bytes  the sequence number, from 0 on
 *     10  8 bytes  nanoseconds since 1970
 *     18           bytes that count up: 18, 19, ...
 */
#ifndef XSK_CLI_GENERATE_H
#define XSK_CLI_GENERATE_H

#include <stdint.h>

#include "address.h"
#include "units.h"

#define GENERATE_MAGIC 0x5853
#define GENERATE_PAYLOAD 18
/* The largest packet of IP, and Ethernet's header with a tag. */
#define GENERATE_MAX_SIZE (65535 + 18)

struct generate_options {
	/* Of one family. Each packet has the next one of each range. */
	struct address_range dst, src;
	struct units_range dport, sport;
	unsigned char dst_mac[MAC_SIZE], src_mac[MAC_SIZE];
	uint8_t ttl;
	uint16_t vlan;			/* 0: no tag */
	uint32_t size;			/* of the Ethernet packet, without checksum */
};

/* The smallest size: of the payload above. */
uint32_t generate_min_size(const struct generate_options *options);

struct generator;

/* NULL: no memory. The size is generate_min_size() or more. */
struct generator *generate_open(const struct generate_options *options);
void generate_close(struct generator *generator);

/* Makes the next packet but for its time. It lies there until the next call. */
const void *generate_next(struct generator *generator);

/* Gives it its time and its checksums. */
void generate_stamp(struct generator *generator, uint64_t realtime_ns);

#endif /* XSK_CLI_GENERATE_H */
