/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Numbers with units, as they are typed and as they are said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "units.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNTOUCHED 12345

struct number {
	const char *text;
	uint64_t value;
};

static void check(bool (*read)(uint64_t *ret, const char *text), const struct number *numbers,
		  size_t count, const char *const *wrong)
{
	uint64_t value;

	for (size_t i = 0; i < count; i++) {
		value = UNTOUCHED;
		assert_true(read(&value, numbers[i].text));
		assert_int_equal(value, numbers[i].value);
	}
	for (; *wrong; wrong++) {
		value = UNTOUCHED;
		if (read(&value, *wrong))
			fail_msg("'%s' was read as %llu", *wrong, (unsigned long long)value);
		assert_int_equal(value, UNTOUCHED);
	}
}

static void counts(void **state)
{
	static const struct number numbers[] = {
		{ "0", 0 }, { "7", 7 }, { "10k", 10000 }, { "10K", 10000 }, { "1.5k", 1500 },
		{ "1.5M", 1500000 }, { ".5k", 500 }, { "2G", 2000000000 }, { "0.001k", 1 },
		{ "9007199254740991", 9007199254740991 },
	};
	static const char *const wrong[] = {
		"", "k", ".", "-1", "+1", " 1", "1 ", "1.5", "1e3", "0x10", "inf", "nan", "1..5",
		"1.2.3", "1kk", "1m", "1T", "9007199254740992", "99999999999999999999",
		"000000000000000000000000000000000", "1pps", NULL,
	};

	(void)state;
	check(units_count, numbers, COUNT(numbers), wrong);
}

static void sizes(void **state)
{
	static const struct number numbers[] = {
		{ "1500", 1500 }, { "1500B", 1500 }, { "64k", 65536 }, { "64K", 65536 },
		{ "64kB", 65536 }, { "64KiB", 65536 }, { "1.5k", 1536 }, { "2M", 2097152 },
		{ "2MB", 2097152 }, { "2MiB", 2097152 }, { "1G", 1073741824 },
	};
	static const char *const wrong[] = { "", "1.5", "64kb", "64 k", "k", "1T", "-64", NULL };

	(void)state;
	check(units_size, numbers, COUNT(numbers), wrong);
}

static void times(void **state)
{
	static const struct number numbers[] = {
		{ "1", 1000000000 }, { "1s", 1000000000 }, { "0.5", 500000000 }, { "5ns", 5 },
		{ "1.5us", 1500 }, { "100ms", 100000000 }, { "2m", UINT64_C(120000000000) },
		{ "2min", UINT64_C(120000000000) }, { "1h", UINT64_C(3600000000000) },
		{ "3000h", UINT64_C(10800000000000000) },
		{ "1000000000", UINT64_C(1000000000000000000) },
		{ "99999999999999", UINT64_C(9000000000000000000) },
	};
	static const char *const wrong[] = { "", "s", "1d", "1 s", "-1s", "1S", NULL };

	(void)state;
	check(units_time, numbers, COUNT(numbers), wrong);
}

static void rates(void **state)
{
	static const struct {
		const char *text;
		double pps, bps;
	} good[] = {
		{ "1000", 1000, 0 }, { "10k", 10e3, 0 }, { "100pps", 100, 0 },
		{ "100kpps", 100e3, 0 }, { "1.5Mpps", 1.5e6, 0 }, { "1Gpps", 1e9, 0 },
		{ "1Gbit", 0, 1e9 }, { "1Gbit/s", 0, 1e9 }, { "100Mbps", 0, 100e6 },
		{ "8bit", 0, 8 }, { "1MB/s", 0, 8e6 }, { "10kbit", 0, 10e3 }, { "5B/s", 0, 40 },
	};
	static const char *const wrong[] = { "", "0", "0pps", "pps", "1ppps", "1bits", "1Tbit",
					     "1kkbit", "-1", "1 kpps", "1mbit", NULL };
	struct units_rate rate;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(units_rate(&rate, good[i].text));
		assert_float_equal(rate.pps, good[i].pps, 1e-6);
		assert_float_equal(rate.bps, good[i].bps, 1e-6);
	}
	for (size_t i = 0; wrong[i]; i++) {
		rate = (struct units_rate){ 1, 2 };
		if (units_rate(&rate, wrong[i]))
			fail_msg("'%s' was read", wrong[i]);
		assert_float_equal(rate.pps, 1, 0);
		assert_float_equal(rate.bps, 2, 0);
	}
}

static void ranges(void **state)
{
	static const struct {
		const char *text;
		uint64_t first, last;
	} good[] = {
		{ "5", 5, 5 }, { "3-7", 3, 7 }, { "0-0", 0, 0 }, { "007", 7, 7 },
		{ "1-18446744073709551615", 1, UINT64_MAX },
	};
	static const char *const wrong[] = { "", "-", "-5", "5-", "7-3", "a", "3-7-9", "3 -7",
					     "3- 7", "3--7", "18446744073709551616",
					     "1-18446744073709551616", "5k", NULL };
	struct units_range range;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(units_range(&range, good[i].text));
		assert_int_equal(range.first, good[i].first);
		assert_int_equal(range.last, good[i].last);
	}
	for (size_t i = 0; wrong[i]; i++) {
		range = (struct units_range){ 1, 2 };
		if (units_range(&range, wrong[i]))
			fail_msg("'%s' was read", wrong[i]);
		assert_int_equal(range.first, 1);
		assert_int_equal(range.last, 2);
	}
}

static void said(void **state)
{
	static const struct {
		double value;
		const char *text;
	} counts_said[] = {
		{ 0, "0" }, { 7, "7" }, { 999, "999" }, { 1.5, "1.50" }, { 12.34, "12.3" },
		{ 999.4, "999" }, { 999.6, "1.00k" }, { 1000, "1.00k" }, { 1234, "1.23k" },
		{ 12345, "12.3k" }, { 123456, "123k" }, { 9996, "10.0k" }, { 999400, "999k" },
		{ 999600, "1.00M" }, { 1.5e9, "1.50G" }, { 2e12, "2.00T" }, { 2e15, "2000T" },
	}, times_said[] = {
		{ 1, "1.00 ns" }, { 999, "999 ns" }, { 1500, "1.50 us" }, { 999600, "1.00 ms" },
		{ 12.3e6, "12.3 ms" }, { 1e9, "1.00 s" }, { 90e9, "90.0 s" },
	};
	char text[UNITS_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(counts_said); i++) {
		assert_ptr_equal(units_say_count(text, counts_said[i].value), text);
		assert_string_equal(text, counts_said[i].text);
	}
	for (size_t i = 0; i < COUNT(times_said); i++) {
		assert_ptr_equal(units_say_time(text, times_said[i].value), text);
		assert_string_equal(text, times_said[i].text);
	}
	/* However large, it is cut and does not leave its place. */
	assert_true(strlen(units_say_count(text, 1e300)) < UNITS_TEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(sizes),
		cmocka_unit_test(times),
		cmocka_unit_test(rates),
		cmocka_unit_test(ranges),
		cmocka_unit_test(said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
