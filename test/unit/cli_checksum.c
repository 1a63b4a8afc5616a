/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Checksums that were left to the NIC, against a sum that is made byte by byte, of packets
 * whole and in pieces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include <cmocka.h>

#include "checksum.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROOM 3000
#define PIECES 18

/* ---- the plain way ---- */

static uint16_t plain(uint32_t sum, const unsigned char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i & 1 ? data[i] : (uint32_t)data[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

/* A packet, and where its parts are. */
struct packet {
	unsigned char data[ROOM];
	size_t len;			/* with what is behind the IP packet */
	size_t ip, payload;		/* where they begin */
	size_t payload_len, at;		/* at: of the checksum */
	uint16_t pseudo;
};

static void put(unsigned char *at, uint16_t value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

static uint16_t get(const unsigned char *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void make_ip(struct packet *packet, bool six, uint8_t protocol, size_t options)
{
	unsigned char *ip = packet->data + packet->ip;

	if (six) {
		ip[0] = 0x60;
		put(ip + 4, (uint16_t)packet->payload_len);
		ip[6] = protocol;
		packet->pseudo = plain(plain((uint32_t)packet->payload_len, ip + 8, 32),
				       (unsigned char[]){ 0, protocol }, 2);
		return;
	}
	ip[0] = (unsigned char)(0x45 + options);
	put(ip + 2, (uint16_t)(20 + 4 * options + packet->payload_len));
	put(ip + 6, 0x4000);
	ip[9] = protocol;
	packet->pseudo = plain(plain((uint32_t)packet->payload_len, ip + 12, 8),
			       (unsigned char[]){ 0, protocol }, 2);
}

/* As a stack leaves it; random else. */
static void make(struct packet *packet, bool six, bool udp, int tags, size_t options,
		 size_t payload_len, size_t behind)
{
	static const uint16_t types[] = { 0x8100, 0x88a8 };

	for (size_t i = 0; i < ROOM; i++)
		packet->data[i] = (unsigned char)rand();
	packet->ip = 14 + 4 * (size_t)tags;
	packet->payload = packet->ip + (six ? 40 : 20 + 4 * options);
	packet->payload_len = payload_len;
	packet->len = packet->payload + payload_len + behind;
	for (int i = 0; i < tags; i++)
		put(packet->data + 12 + 4 * i, types[i % 2]);
	put(packet->data + packet->ip - 2, six ? 0x86dd : 0x0800);
	make_ip(packet, six, udp ? 17 : 6, options);
	packet->at = packet->payload + (udp ? 6 : 16);
	put(packet->data + packet->at, packet->pseudo);
}

static bool is_right(const struct packet *packet)
{
	return plain(packet->pseudo, packet->data + packet->payload, packet->payload_len) ==
	       0xffff;
}

/* In pieces of which the first has first bytes, and the others random ones. */
static int cut(struct iovec pieces[PIECES], struct packet *packet, size_t first)
{
	size_t done = first;
	int count = 1;

	pieces[0] = (struct iovec){ packet->data, first };
	while (done < packet->len) {
		size_t len = (size_t)rand() % 400 + 1;

		if (len > packet->len - done || count == PIECES - 1)
			len = packet->len - done;
		pieces[count++] = (struct iovec){ packet->data + done, len };
		done += len;
	}
	return count;
}

/* ---- sums ---- */

static void sums(void **state)
{
	unsigned char data[100];
	uint16_t expected, sum;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		size_t len = (size_t)rand() % sizeof(data);

		for (size_t k = 0; k < len; k++)
			data[k] = (unsigned char)rand();
		sum = checksum_finish(checksum_add(0, data, len));
		expected = (uint16_t)~plain(0, data, len);
		assert_int_equal(get((unsigned char *)&sum), expected);
	}
	/* The example of RFC 1071. */
	sum = checksum_finish(checksum_add(0, "\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 8));
	assert_int_equal(get((unsigned char *)&sum), 0x220d);
}

static void completed(void **state)
{
	struct iovec pieces[PIECES];
	struct packet packet, copy;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		bool six = rand() & 1, udp = rand() & 1;
		size_t headers, options = (size_t)rand() % 11;
		int count;

		make(&packet, six, udp, rand() % 3, options,
		     (udp ? 8 : 20) + (size_t)rand() % 1500, (size_t)rand() % 3 * 7);
		copy = packet;
		headers = packet.payload + (udp ? 8 : 20);
		count = cut(pieces, &packet, headers + (size_t)rand() % (packet.len - headers + 1));
		assert_true(checksum_is_left(pieces, count));
		assert_true(checksum_complete_pieces(pieces, count));
		assert_true(is_right(&packet));
		if (udp)
			assert_int_not_equal(get(packet.data + packet.at), 0);
		assert_true(checksum_complete(copy.data, copy.len));
		assert_memory_equal(copy.data, packet.data, ROOM);
		/* Nothing else has changed. */
		put(copy.data + copy.at, copy.pseudo);
		put(packet.data + packet.at, packet.pseudo);
		assert_memory_equal(copy.data, packet.data, ROOM);
	}
}

/* A sum of 0 is "none" in UDP: it is sent as 0xffff. */
static void udp_of_zero(void **state)
{
	struct packet packet;

	(void)state;
	make(&packet, false, true, 0, 0, 10, 0);
	put(packet.data + packet.payload + 8, 0);
	put(packet.data + packet.payload + 8,
	    (uint16_t)~plain(0, packet.data + packet.payload, packet.payload_len));
	assert_true(checksum_complete(packet.data, packet.len));
	assert_int_equal(get(packet.data + packet.at), 0xffff);
}

/* ---- what is left alone ---- */

static void untouched(struct packet *packet, size_t len)
{
	static unsigned char before[ROOM];
	unsigned char *exact = malloc(len ? len : 1);

	/* In memory that ends with it, for who looks beyond. */
	assert_non_null(exact);
	memcpy(exact, packet->data, len);
	memcpy(before, packet->data, len);
	assert_false(checksum_complete(exact, len));
	assert_memory_equal(exact, before, len);
	free(exact);
}

static void finished_ones(void **state)
{
	struct packet packet;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		make(&packet, i & 1, i & 2, i % 3, 0, 100, 0);
		assert_true(checksum_complete(packet.data, packet.len));
		if (get(packet.data + packet.at) != packet.pseudo)
			untouched(&packet, packet.len);
		put(packet.data + packet.at, (uint16_t)(packet.pseudo + 1));
		untouched(&packet, packet.len);
	}
}

static void short_ones(void **state)
{
	struct packet packet;

	(void)state;
	for (int i = 0; i < 12; i++) {
		make(&packet, i & 1, i & 2, i % 3, 0, 60, 0);
		for (size_t len = 0; len < packet.len; len++)
			untouched(&packet, len);
		/* The payload is too short for its header. */
		make(&packet, i & 1, i & 2, i % 3, 0, i & 2 ? 7 : 19, 40);
		untouched(&packet, packet.len);
	}
}

static void other_ones(void **state)
{
	struct iovec pieces[PIECES];
	struct packet packet;
	int count;

	(void)state;
	make(&packet, false, false, 3, 0, 100, 0);	/* too many tags */
	untouched(&packet, packet.len);
	make(&packet, false, false, 0, 0, 100, 0);
	put(packet.data + 12, 0x0806);			/* no IP */
	untouched(&packet, packet.len);
	make(&packet, false, false, 0, 0, 100, 0);
	put(packet.data + packet.ip + 6, 0x2000);	/* the first fragment */
	untouched(&packet, packet.len);
	put(packet.data + packet.ip + 6, 0x0001);	/* another */
	untouched(&packet, packet.len);
	make(&packet, false, false, 0, 0, 100, 0);
	packet.data[packet.ip] = 0x44;			/* a header of 16 bytes */
	untouched(&packet, packet.len);
	packet.data[packet.ip] = 0x65;			/* it says 6 in the wrong place */
	untouched(&packet, packet.len);
	make(&packet, false, false, 0, 0, 100, 0);
	packet.data[packet.ip + 9] = 1;			/* ICMP */
	untouched(&packet, packet.len);
	/* Headers in two pieces, IP's with options. */
	make(&packet, false, false, 0, 10, 100, 0);
	for (size_t first = 0; first < packet.payload + 20; first++) {
		count = cut(pieces, &packet, first);
		assert_false(checksum_complete_pieces(pieces, count));
	}
	assert_false(checksum_complete_pieces(pieces, 0));
	assert_int_equal(get(packet.data + packet.at), packet.pseudo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums),
		cmocka_unit_test(completed),
		cmocka_unit_test(udp_of_zero),
		cmocka_unit_test(finished_ones),
		cmocka_unit_test(short_ones),
		cmocka_unit_test(other_ones),
	};

	srand(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
