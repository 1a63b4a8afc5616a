/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The histogram of xsk latency (cli/histogram.c), against the sorted times themselves. */
#include "histogram.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 20000

static const double shares[] = { 0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1 };

static void buckets_adjoin(void **state)
{
	(void)state;
	assert_int_equal(histogram_first(0), 0);
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t first = histogram_first(i), last = histogram_last(i);

		assert_true(first <= last);
		assert_int_equal(histogram_find(first), i);
		assert_int_equal(histogram_find(last), i);
		if (i)
			assert_int_equal(histogram_last(i - 1) + 1, first);
		/* At most a 128th wide. */
		assert_true((last - first + 1) * 128 <= first || first == last);
	}
	assert_true(histogram_last(HISTOGRAM_BUCKETS - 1) == HISTOGRAM_MAX_NS);
}

static int compare(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return (first > second) - (first < second);
}

static void assert_like_sorted(uint64_t *times, size_t count)
{
	struct histogram *histogram = calloc(1, sizeof(*histogram));
	double sum = 0;

	assert_non_null(histogram);
	for (size_t i = 0; i < count; i++) {
		histogram_add(histogram, times[i]);
		sum += (double)times[i];
	}
	qsort(times, count, sizeof(*times), compare);
	assert_true(histogram->count == count);
	assert_true(histogram->min_ns == times[0] && histogram->max_ns == times[count - 1]);
	assert_true(fabs(histogram_mean(histogram) - sum / (double)count) < 1e-3);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		double rank = ceil(shares[i] * (double)count - 1e-6);
		uint64_t exact = times[rank < 1 ? 0 : (size_t)rank - 1];
		uint64_t said = histogram_percentile(histogram, shares[i]);

		/* Never less, and at most the bucket's width more. */
		assert_true(said >= exact && said - exact <= exact / 128);
	}
	free(histogram);
}

static void percentiles(void **state)
{
	uint64_t *times = calloc(MANY, sizeof(*times));
	unsigned int seed = 1;

	(void)state;
	assert_non_null(times);
	for (int kind = 0; kind < 4; kind++) {
		for (size_t count = 1; count <= MANY; count = count * 3 + 1) {
			for (size_t i = 0; i < count; i++) {
				uint64_t random = (uint64_t)rand_r(&seed);

				times[i] = kind == 0 ? random % 200 : kind == 1 ? random % 100000 :
					   kind == 2 ? UINT64_C(1) << random % 40 :
					   12345 + (random % 50 ? 0 : random);
			}
			assert_like_sorted(times, count);
		}
	}
	free(times);
}

static void none_and_too_long(void **state)
{
	struct histogram *histogram = calloc(1, sizeof(*histogram));

	(void)state;
	assert_non_null(histogram);
	assert_int_equal(histogram_percentile(histogram, 0.5), 0);
	assert_true(histogram_mean(histogram) == 0);
	histogram_add(histogram, UINT64_MAX);
	assert_int_equal(histogram->buckets[HISTOGRAM_BUCKETS - 1], 1);
	assert_true(histogram_percentile(histogram, 0.5) == UINT64_MAX);
	assert_true(histogram->min_ns == UINT64_MAX);
	free(histogram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_adjoin),
		cmocka_unit_test(percentiles),
		cmocka_unit_test(none_and_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
