/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Words of a command line, by a table of each kind of option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include <cmocka.h>

#include "args.h"
#include "units.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct inner {
	uint64_t time_ns;
	bool flag;
};

struct options {
	bool json;
	const char *text, *iface, *peer;
	uint64_t count, size;
	struct units_rate rate;
	struct units_range range;
	int choice, shade;
	uint32_t bits;
	struct inner inner;
	char *rest;
};

static const char *const colours[] = { "red", "green", "blue", NULL };
#define FIELD(name) offsetof(struct options, name)

static const struct arg first[] = {
	{ .help = "First" },
	{ "text", 't', "TEXT", "A text", arg_text, FIELD(text), 0, 0, NULL, true },
	{ "count", 'c', "N", "A number", arg_count, FIELD(count), 1, 1000, NULL, false },
	{ "size", 0, "SIZE", "A size", arg_size, FIELD(size), 64, 65536, NULL, false },
	{ "rate", 'r', "RATE", "A rate", arg_rate, FIELD(rate), 0, 0, NULL, false },
	{ "range", 0, "N[-M]", "A range", arg_range, FIELD(range), 0, 10, NULL, false },
	{ "colour", 0, "COLOUR", "One of them", arg_choice, FIELD(choice), 0, 0, colours, false },
	{ "colours", 0, "COLOUR,COLOUR", "Some of them, of which there is so much to say that it "
	  "does not fit into one line", arg_bits, FIELD(bits), 0, 0, colours, false },
	{ "json", 'j', NULL, "A flag", arg_flag, FIELD(json), 0, 0, NULL, false },
	{ 0 },
};

static const struct arg second[] = {
	{ .help = "Second" },
	{ "time", 'd', "TIME", "A time", arg_time, offsetof(struct inner, time_ns), 1e6, 60e9,
	  NULL, false },
	{ "flag", 'f', NULL, "A flag", arg_flag, offsetof(struct inner, flag), 0, 0, NULL, false },
	{ 0 },
};

static const struct operand operands[] = {
	{ .name = "IFACE", .help = "An interface", .read = arg_text, .offset = FIELD(iface) },
	{ .name = "SHADE", .help = "A colour", .read = arg_choice, .optional = true,
	  .offset = FIELD(shade), .words = colours },
	{ .name = "REST", .help = "The rest", .optional = true, .is_rest = true,
	  .offset = FIELD(rest) },
	{ 0 },
};

static const struct args args = {
	.name = "xsk test", .tables = { first, second }, .offsets = { 0, FIELD(inner) },
	.operands = operands,
};

/* Its words are split at blanks; a copy, for getopt_long(3) sorts them. */
static int parse(struct options *options, const char *line, char why[ARG_WHY])
{
	static char copy[400];
	char *argv[32] = { (char[]){ "test" } };
	int argc = 1;

	*options = (struct options){ .choice = -1, .shade = -1 };
	why[0] = '\0';
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return args_parse(&args, options, argc, argv, why);
}

static void all_kinds(void **state)
{
	struct options options;
	char why[ARG_WHY];

	(void)state;
	assert_int_equal(parse(&options, "--text hello eth0 -c 1k --size=64k -r 1Gbit --range 3-7 "
			       "--colour blue --colours red,blue --time 100ms -f --json green "
			       "tcp port 22 -j", why), 0);
	assert_string_equal(options.text, "hello");
	assert_string_equal(options.iface, "eth0");
	assert_int_equal(options.count, 1000);
	assert_int_equal(options.size, 65536);
	assert_float_equal(options.rate.bps, 1e9, 0);
	assert_int_equal(options.range.first, 3);
	assert_int_equal(options.range.last, 7);
	assert_int_equal(options.choice, 2);
	assert_int_equal(options.shade, 1);
	assert_int_equal(options.bits, 5);
	assert_int_equal(options.inner.time_ns, 100000000);
	assert_true(options.inner.flag);
	assert_true(options.json);
	assert_string_equal(options.rest, "tcp port 22");
	args_free(&args, &options);
}

static void defaults_stay(void **state)
{
	struct options options;
	char why[ARG_WHY];

	(void)state;
	assert_int_equal(parse(&options, "eth0", why), 0);
	assert_string_equal(options.iface, "eth0");
	assert_null(options.text);
	assert_null(options.rest);
	assert_int_equal(options.shade, -1);
	assert_false(options.json || options.inner.flag);
	args_free(&args, &options);
}

static void other_ways(void **state)
{
	struct options options;
	char why[ARG_WHY];

	(void)state;
	/* Together, the value at the letter, the last one counts, abbreviated, behind "--". */
	assert_int_equal(parse(&options, "-jfc5 -c7 --ti 2s -- -eth0", why), 0);
	assert_true(options.json && options.inner.flag);
	assert_int_equal(options.count, 7);
	assert_int_equal(options.inner.time_ns, 2000000000);
	assert_string_equal(options.iface, "-eth0");
	args_free(&args, &options);
	/* Bits add up. */
	assert_int_equal(parse(&options, "e --colours red --colours green", why), 0);
	assert_int_equal(options.bits, 3);
	args_free(&args, &options);
}

static void help(void **state)
{
	struct options options;
	char why[ARG_WHY];

	(void)state;
	assert_int_equal(parse(&options, "--help", why), 1);
	assert_int_equal(parse(&options, "eth0 -j -h --nonsense", why), 1);
}

static void what_is_wrong(void **state)
{
	static const struct {
		const char *line, *why;
	} wrong[] = {
		{ "", "IFACE is missing: An interface" },
		{ "--nonsense e", "there is no option --nonsense, or several begin so" },
		{ "--colou red e", "there is no option --colou, or several begin so" },
		{ "-x e", "there is no option -x" },
		{ "-jx e", "there is no option -x" },
		{ "e --text", "--text wants a value: TEXT" },
		{ "e -c", "--count wants a value: N" },
		{ "e --json=yes", "--json takes no value" },
		{ "e --text=", "--text : it is empty" },
		{ "e -c five", "--count five: it must be a whole number, as 1000, 64k, 1.5M" },
		{ "e -c 1.5", "--count 1.5: it must be a whole number, as 1000, 64k, 1.5M" },
		{ "e -c 0", "--count 0: it must be 1 to 1000" },
		{ "e -c 1001", "--count 1001: it must be 1 to 1000" },
		{ "e --size 63", "--size 63: it must be 64 to 65536" },
		{ "e --size x", "--size x: it must be a size, as 1500, 64k, 2M" },
		{ "e -r 0", "--rate 0: it must be a rate, as 100kpps, 1.5Mpps, 1Gbit" },
		{ "e --range 7-3", "--range 7-3: it must be a number or a range, as 5 or 3-7" },
		{ "e --range 3-11", "--range 3-11: it must be 0 to 10" },
		{ "e --colour pink", "--colour pink: it must be red, green or blue" },
		{ "e --colours red,", "--colours red,: it must be red, green or blue" },
		{ "e --colours red,pin", "--colours red,pin: it must be red, green or blue" },
		{ "e -d 1us", "--time 1us: it must be 1.00 ms to 60.0 s" },
		{ "e -d soon", "--time soon: it must be a time, as 10s, 100ms, 5m" },
		{ "e pink", "SHADE pink: it must be red, green or blue" },
	};
	struct options options;
	char why[ARG_WHY];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(parse(&options, wrong[i].line, why), -1);
		assert_string_equal(why, wrong[i].why);
		args_free(&args, &options);
	}
}

/* What is too long for the place is cut. */
static void long_words(void **state)
{
	struct options options;
	char line[380] = "e --count ", why[ARG_WHY];

	(void)state;
	memset(line + strlen(line), 'x', sizeof(line) - strlen(line) - 1);
	assert_int_equal(parse(&options, line, why), -1);
	assert_non_null(strstr(why, ": it must be a whole number"));
	memcpy(line, "e --nonsen", 10);
	assert_int_equal(parse(&options, line, why), -1);
	assert_true(strlen(why) < ARG_WHY);
}

static size_t no_memory_for;		/* 0: there is some */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	return no_memory_for && size == no_memory_for ? NULL : __real_calloc(count, size);
}

/* A filter that was given must not become none. */
static void no_memory_for_the_rest(void **state)
{
	struct options options;
	char why[ARG_WHY];
	int ret;

	(void)state;
	no_memory_for = sizeof("udp port 53 ");
	ret = parse(&options, "e red udp port 53", why);
	no_memory_for = 0;
	assert_int_equal(ret, -1);
	assert_string_equal(why, "REST: no memory");
	args_free(&args, &options);
}

static void one_word_too_many(void **state)
{
	static const struct operand none[] = { { 0 } };
	const struct args few = { .name = "xsk few", .operands = none };
	char *argv[] = { (char[]){ "few" }, (char[]){ "more" }, NULL };
	struct options options = { 0 };
	char why[ARG_WHY];

	(void)state;
	assert_int_equal(args_parse(&few, &options, 2, argv, why), -1);
	assert_string_equal(why, "'more' is one word too many");
}

/* Each option and operand, in 80 columns. */
static void usage(void **state)
{
	char *text = NULL, *line;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	args_help(&args, "Do it", to);
	fclose(to);
	assert_ptr_equal(strstr(text, "usage: xsk test [OPTION...] IFACE [SHADE] [REST]\n"
				"Do it.\n\n"), text);
	assert_non_null(strstr(text, "\n  IFACE                     An interface\n"));
	assert_non_null(strstr(text, "\nFirst:\n  -t, --text TEXT           A text\n"));
	assert_non_null(strstr(text, "\n      --size SIZE           A size\n"));
	assert_non_null(strstr(text, "\nSecond:\n  -d, --time TIME           A time\n"));
	assert_non_null(strstr(text, "\n  -h, --help                Show this\n"));
	assert_non_null(strstr(text, "      --colours COLOUR,COLOUR\n"
			       "                            Some of them, of which there is so "
			       "much to say that\n                            it does not fit "
			       "into one line\n"));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 80);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds),
		cmocka_unit_test(defaults_stay),
		cmocka_unit_test(other_ways),
		cmocka_unit_test(help),
		cmocka_unit_test(what_is_wrong),
		cmocka_unit_test(long_words),
		cmocka_unit_test(no_memory_for_the_rest),
		cmocka_unit_test(one_word_too_many),
		cmocka_unit_test(usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
