/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Requests to xsk echo, made by hand, and the host that they are for. */
#ifndef UNIT_REQUESTS_H
#define UNIT_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "respond.h"

/* 10.66.0.2, 192.0.2.2, fd66::2 and fe80::66:2, with UDP ports 7 to 9. */
struct responder requests_responder(void);
extern const uint8_t own_mac[6], other_mac[6];

struct packet {
	uint8_t data[2048];
	size_t len;
	size_t ip;		/* where its header begins */
	size_t payload;		/* and what is behind it; 0: no IP */
};

/* All with up to two tags: the outer one is a provider's, where there are two. */
void ethernet(struct packet *packet, int tags, uint16_t type);
void arp(struct packet *packet, int tags, const char *from, const char *target);
void ipv4(struct packet *packet, int tags, uint8_t protocol, const char *options,
	  size_t options_len, size_t len);
void ipv6(struct packet *packet, int tags, uint8_t next, size_t len);
void ping(struct packet *packet, int tags, size_t len);
void ping6(struct packet *packet, int tags, size_t len);
void udp(struct packet *packet, int tags, bool six, uint16_t from, uint16_t to, size_t len);
void solicit(struct packet *packet, int tags, const char *from, const char *options,
	     size_t options_len);
#define SOURCE_MAC "\1\1\2\0\0\0\x66\1"
#define NONCE "\x0e\1nonce!"

/* More bytes behind it. */
uint8_t *add(struct packet *packet, const void *data, size_t len);
void fill(struct packet *packet, size_t len);
void put16(uint8_t *at, size_t value);
uint8_t *payload(struct packet *packet);

/* Make it right. */
void ipv4_checksum(struct packet *packet);
void icmpv6_checksum(struct packet *packet);
void udp_checksum(struct packet *packet, bool six);

/* One of each that is answered; with it what becomes of it. */
#define GOOD_REQUESTS 15
enum respond make_good(struct packet *packet, int which, int tags);

#endif /* UNIT_REQUESTS_H */
