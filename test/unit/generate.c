/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Packets that are made: each field at its place, checksums by another sum than theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "generate.h"

#define TIME UINT64_C(0x1122334455667788)

static struct generate_options make(const char *dst, const char *src)
{
	struct generate_options options = {
		.dport = { 9, 9 }, .sport = { 7, 7 }, .ttl = 64,
		.dst_mac = { 2, 0, 0, 0, 0, 2 }, .src_mac = { 2, 0, 0, 0, 0, 1 },
	};

	assert_true(address_read_range(&options.dst, dst));
	assert_true(address_read_range(&options.src, src));
	options.size = generate_min_size(&options);
	return options;
}

static uint64_t get(const uint8_t *at, int size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | *at++;
	return value;
}

/* The sum of words, as RFC 1071 has it, byte by byte. */
static uint16_t sum(const uint8_t *at, size_t len, uint32_t start)
{
	uint32_t all = start;

	for (size_t i = 0; i < len; i++)
		all += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	while (all >> 16)
		all = (all & 0xffff) + (all >> 16);
	return (uint16_t)all;
}

/* A packet whose checksums are right has sums of all ones. */
static void check_sums(const uint8_t *ip, size_t len)
{
	bool four = ip[0] >> 4 == 4;
	const uint8_t *udp = ip + (four ? 20 : 40);
	size_t udp_len = len - (size_t)(udp - ip), size = four ? 4 : 16;

	if (four)
		assert_int_equal(sum(ip, 20, 0), 0xffff);
	assert_int_not_equal(get(udp + 6, 2), 0);
	assert_int_equal(sum(udp, udp_len, sum(udp - 2 * size, 2 * size, 17 + (uint32_t)udp_len)),
			 0xffff);
}

static void ipv4(void **state)
{
	static const uint8_t head[] = {
		2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00,
		0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17,
	};
	struct generate_options options = make("10.66.0.2", "10.66.0.1");
	struct generator *g = generate_open(&options);
	const uint8_t *p = generate_next(g);

	(void)state;
	generate_stamp(g, TIME);
	assert_int_equal(options.size, 60);
	assert_memory_equal(p, head, sizeof(head));
	assert_int_equal(get(p + 26, 4), 0x0a420001);
	assert_int_equal(get(p + 30, 4), 0x0a420002);
	assert_int_equal(get(p + 34, 2), 7);
	assert_int_equal(get(p + 36, 2), 9);
	assert_int_equal(get(p + 38, 2), 26);
	assert_int_equal(get(p + 42, 2), 0x5853);
	assert_int_equal(get(p + 44, 8), 0);
	assert_int_equal(get(p + 52, 8), TIME);
	check_sums(p + 14, 46);
	generate_close(g);
}

static void ipv6_with_a_tag(void **state)
{
	static const uint8_t head[] = {
		2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0x00, 0x0f, 0xfe, 0x86, 0xdd,
		0x60, 0, 0, 0, 0, 36, 17, 3,
		0xfd, 0x66, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		0xfd, 0x66, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
		0, 7, 0, 9, 0, 36,
	};
	struct generate_options options = make("fd66::2", "fd66::1");
	struct generator *g;
	const uint8_t *p;

	(void)state;
	assert_int_equal(options.size, 80);
	options.vlan = 4094;
	options.ttl = 3;
	assert_int_equal(generate_min_size(&options), 84);
	options.size = 94;
	g = generate_open(&options);
	p = generate_next(g);
	generate_stamp(g, TIME);
	assert_memory_equal(p, head, sizeof(head));
	assert_int_equal(get(p + 66, 2), 0x5853);
	for (int i = 18; i < 28; i++)
		assert_int_equal(p[66 + i], i);
	check_sums(p + 18, 76);
	generate_close(g);
}

/* Each range goes on by one, and begins again. */
static void ranges(void **state)
{
	struct generate_options options = make("10.0.0.254-10.0.1.1", "fd00::1");
	struct generator *g;

	(void)state;
	assert_true(address_read_range(&options.src, "192.168.0.1-192.168.0.3"));
	options.dport = (struct units_range){ 65534, 65535 };
	options.sport = (struct units_range){ 1, 5 };
	g = generate_open(&options);
	for (uint64_t i = 0; i < 130; i++) {
		const uint8_t *p = generate_next(g);

		generate_stamp(g, TIME + i);
		assert_int_equal(get(p + 26, 4), 0xc0a80001 + i % 3);
		assert_int_equal(get(p + 30, 4), 0x0a0000fe + i % 4);
		assert_int_equal(get(p + 34, 2), 1 + i % 5);
		assert_int_equal(get(p + 36, 2), 65534 + i % 2);
		assert_int_equal(get(p + 44, 8), i);
		assert_int_equal(get(p + 52, 8), TIME + i);
		check_sums(p + 14, 46);
	}
	generate_close(g);
}

static void sizes(void **state)
{
	static const char *const dsts[] = { "10.0.0.1", "fd00::1" };
	static const uint32_t more[] = { 0, 1, 2, 3, 100, 1001, 1440, 8961, 65460 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; k < sizeof(more) / sizeof(more[0]); k++) {
			struct generate_options options = make(dsts[i], dsts[i]);
			struct generator *g;
			const uint8_t *p;

			options.size += more[k];
			g = generate_open(&options);
			p = generate_next(g);
			generate_stamp(g, TIME);
			assert_int_equal(get(p + (i ? 58 : 38), 2), 26 + more[k]);
			check_sums(p + 14, options.size - 14);
			generate_close(g);
		}
	}
}

/* One time in 65536 the sum is 0, which is written as its other zero. */
static void no_checksum_is_none(void **state)
{
	struct generate_options options = make("10.66.0.2", "10.66.0.1");
	struct generator *g = generate_open(&options);
	const uint8_t *p = generate_next(g);
	int others = 0;

	(void)state;
	for (uint64_t i = 0; i < 65536; i++) {
		generate_stamp(g, i);
		check_sums(p + 14, 46);
		others += get(p + 40, 2) == 0xffff;
	}
	assert_in_range(others, 1, 2);
	generate_close(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4),
		cmocka_unit_test(ipv6_with_a_tag),
		cmocka_unit_test(ranges),
		cmocka_unit_test(sizes),
		cmocka_unit_test(no_checksum_is_none),
	};

	return cmocka_run_group_tests_name("generate", tests, NULL, NULL);
}
