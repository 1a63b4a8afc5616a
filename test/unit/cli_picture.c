/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The bars of xsk latency's pictures (cli/picture.c): none of the times is left out. */
#include "picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "histogram.h"

static struct histogram *make(const uint64_t *times, size_t count)
{
	struct histogram *histogram = calloc(1, sizeof(*histogram));

	assert_non_null(histogram);
	for (size_t i = 0; i < count; i++)
		histogram_add(histogram, times[i]);
	return histogram;
}

static void assert_gathered(const struct histogram *histogram, int max)
{
	struct picture_bar bars[PICTURE_BARS];
	uint64_t sum = 0;
	int count = picture_gather(histogram, histogram->min_ns, histogram->max_ns, bars, max);

	assert_in_range(count, 1, max);
	assert_true(bars[0].first_ns <= histogram->min_ns);
	assert_true(bars[count - 1].last_ns >= histogram->max_ns ||
		    histogram->max_ns > HISTOGRAM_MAX_NS);
	for (int i = 0; i < count; i++) {
		assert_true(bars[i].first_ns <= bars[i].last_ns);
		if (i)
			assert_true(bars[i].first_ns == bars[i - 1].last_ns + 1);
		sum += bars[i].count;
	}
	assert_true(sum == histogram->count);
}

static void bars_hold_all(void **state)
{
	unsigned int seed = 5;

	(void)state;
	for (int round = 0; round < 300; round++) {
		uint64_t times[200];
		size_t count = 1 + (size_t)rand_r(&seed) % 200;
		struct histogram *histogram;

		for (size_t i = 0; i < count; i++)
			times[i] = (uint64_t)rand_r(&seed) >> rand_r(&seed) % 31;
		if (round % 10 == 0)
			times[0] = UINT64_MAX;
		histogram = make(times, count);
		assert_gathered(histogram, 1);
		assert_gathered(histogram, 16);
		assert_gathered(histogram, PICTURE_BARS);
		free(histogram);
	}
}

/* As text in memory. */
static char *draw(const struct histogram *histogram, const char *title)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	picture_draw(histogram, title, "10 packets", to);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void texts_are_escaped(void **state)
{
	struct histogram *histogram = make((const uint64_t[]){ 5000, 9000 }, 2);
	char *text = draw(histogram, "a<b&c\n\xff");

	(void)state;
	assert_non_null(strstr(text, "a&lt;b&amp;c?" "?</text>"));
	free(text);
	free(histogram);
}

/* One time alone, none, the longest: all numbers are numbers. */
static void odd_ones_can_be_drawn(void **state)
{
	static const uint64_t odd[][2] = { { 0, 0 }, { 7, 7 }, { 0, UINT64_MAX },
					   { UINT64_MAX, UINT64_MAX }, { 300000, 300001 } };

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct histogram *histogram = make(odd[i], 2);
		char *text = draw(histogram, "odd");

		assert_null(strstr(text, "nan"));
		assert_null(strstr(text, "inf"));
		assert_non_null(strstr(text, "</svg>\n"));
		assert_non_null(strstr(text, "p99.9"));
		free(text);
		free(histogram);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bars_hold_all),
		cmocka_unit_test(texts_are_escaped),
		cmocka_unit_test(odd_ones_can_be_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
