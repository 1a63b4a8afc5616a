/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Packets of all kinds. */
#ifndef TEST_FILTER_PACKETS_H
#define TEST_FILTER_PACKETS_H

#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 1514

struct packet {
	uint32_t len;
	uint8_t bytes[PACKET_MAX];
};

struct pool {
	struct packet *packets;
	size_t count;
	size_t room;
};

/* A new one in the pool; its bytes are 0. */
struct packet *pool_add(struct pool *pool);
/* From digits. */
void pool_add_hex(struct pool *pool, const char *hex);
void pool_free(struct pool *pool);

/* One of each kind: what a host may see, and what it should not. */
void packets_kinds(struct pool *pool);
/* Those that hosts really send: a namespace of its own is made, and left again. */
void packets_recorded(struct pool *pool);
/* From those in the pool: cut at each length, and with random bytes. And random ones. */
void packets_vary(struct pool *pool);

/* All of it, at least 10,000. */
void packets_all(struct pool *pool);

#endif /* TEST_FILTER_PACKETS_H */
