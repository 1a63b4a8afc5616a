/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * How often which time was measured. The buckets are as wide as one, up to 256 ns, and from
 * there on between a 256th and a 128th of what they hold.
 */
#ifndef XSK_CLI_HISTOGRAM_H
#define XSK_CLI_HISTOGRAM_H

#include <stdint.h>

/* Longer ones (18 minutes) are counted in the last bucket; max_ns has them as they are. */
#define HISTOGRAM_MAX_NS ((UINT64_C(1) << 40) - 1)
#define HISTOGRAM_BUCKETS (34 * 128)

/* All zeros is an empty one. */
struct histogram {
	uint64_t count;
	uint64_t min_ns, max_ns;
	double sum_ns;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t ns);

/* The times that bucket i holds: both ends are in it. */
uint64_t histogram_first(unsigned int i);
uint64_t histogram_last(unsigned int i);

/* The bucket that holds a time. */
unsigned int histogram_find(uint64_t ns);

/*
 * The time that this share (0 to 1) of all did not exceed: the last of the bucket where it is,
 * and never more than the longest of all. 0 of an empty one.
 */
uint64_t histogram_percentile(const struct histogram *histogram, double share);

double histogram_mean(const struct histogram *histogram);

#endif /* XSK_CLI_HISTOGRAM_H */
