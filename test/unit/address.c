/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Addresses from text, and those behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "address.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void ranges(void **state)
{
	static const struct {
		const char *text, *first, *last;
		uint64_t count;
	} cases[] = {
		{ "10.0.0.1", "10.0.0.1", "10.0.0.1", 1 },
		{ "10.0.0.1-10.0.0.1", "10.0.0.1", "10.0.0.1", 1 },
		{ "10.0.0.250-10.0.2.3", "10.0.0.250", "10.0.2.3", 266 },
		{ "0.0.0.0-255.255.255.255", "0.0.0.0", "255.255.255.255", UINT64_C(1) << 32 },
		{ "fd00::1", "fd00::1", "fd00::1", 1 },
		{ "fd00::fffe-fd00::1:1", "fd00::fffe", "fd00::1:1", 4 },
		{ "::-::ffff:ffff:ffff:fffe", "::", "::ffff:ffff:ffff:fffe", UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address_range range;
		char text[ADDRESS_TEXT];

		assert_true(address_read_range(&range, cases[i].text));
		assert_int_equal(range.count, cases[i].count);
		assert_string_equal(address_say(text, &range.first), cases[i].first);
		address_add(&range.first, range.count - 1);
		assert_string_equal(address_say(text, &range.first), cases[i].last);
	}
}

static void no_ranges(void **state)
{
	static const char *const texts[] = {
		"", "-", "10.0.0.1-", "-10.0.0.1", "10.0.0.2-10.0.0.1", "10.0.0.1-fd00::1",
		"fd00::1-10.0.0.1", "10.0.0", "10.0.0.256", "10.0.0.1-10.0.0.2-10.0.0.3",
		"10.0.0.1 ", "10.0.0.0/8", "::-::ffff:ffff:ffff:ffff", "::-ffff::", "host",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct address_range range = { .count = 7 };

		assert_false(address_read_range(&range, texts[i]));
		assert_int_equal(range.count, 7);
	}
}

static void adds(void **state)
{
	struct address address;
	char text[ADDRESS_TEXT];

	(void)state;
	assert_true(address_read(&address, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	address_add(&address, 1);
	assert_string_equal(address_say(text, &address), "::");
	address_add(&address, UINT64_MAX);
	address_add(&address, UINT64_MAX);
	assert_string_equal(address_say(text, &address), "::1:ffff:ffff:ffff:fffe");
	assert_true(address_read(&address, "255.255.255.255"));
	address_add(&address, 3);
	assert_string_equal(address_say(text, &address), "0.0.0.2");
}

static void macs(void **state)
{
	static const char *const wrong[] = {
		"", "02:00:00:00:00", "02:00:00:00:00:01:", "02:00:00:00:00:1", "02-00-00-00-00-01",
		"02:00:00:00:00:0g", "02:00:00:00:00:01 ", "020000000001", "02:00:00:00:00:001",
	};
	static const unsigned char bytes[MAC_SIZE] = { 0x02, 0xAB, 0xcd, 0x00, 0x9f, 0xF0 };
	struct mac mac = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(mac_read(&mac, wrong[i]));
	assert_false(mac.is_set);
	assert_true(mac_read(&mac, "02:AB:cd:00:9f:F0"));
	assert_true(mac.is_set);
	assert_memory_equal(mac.bytes, bytes, sizeof(bytes));
}

static void multicast(void **state)
{
	static const struct {
		const char *text;
		unsigned char mac[MAC_SIZE];
	} cases[] = {
		{ "224.0.0.251", { 0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb } },
		{ "239.255.1.2", { 0x01, 0x00, 0x5e, 0x7f, 0x01, 0x02 } },
		{ "255.255.255.255", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		{ "ff02::1:ff00:1234", { 0x33, 0x33, 0xff, 0x00, 0x12, 0x34 } },
	};
	static const char *const single[] = { "10.0.0.1", "223.255.255.255", "240.0.0.1",
					      "fe80::1", "255.255.255.254" };
	unsigned char mac[MAC_SIZE];
	struct address address;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(address_read(&address, cases[i].text));
		assert_true(address_multicast_mac(&address, mac));
		assert_memory_equal(mac, cases[i].mac, MAC_SIZE);
	}
	for (size_t i = 0; i < COUNT(single); i++) {
		assert_true(address_read(&address, single[i]));
		assert_false(address_multicast_mac(&address, mac));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(no_ranges),
		cmocka_unit_test(adds),
		cmocka_unit_test(macs),
		cmocka_unit_test(multicast),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
