/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "histogram.h"

#include <math.h>

/* Each power of two has so many buckets, 2 to the power of BITS. */
#define BITS 7
#define STEPS (1u << BITS)

unsigned int histogram_find(uint64_t ns)
{
	unsigned int shift;

	if (ns > HISTOGRAM_MAX_NS)
		ns = HISTOGRAM_MAX_NS;
	if (ns < STEPS)
		return (unsigned int)ns;
	shift = 63 - BITS - (unsigned int)__builtin_clzll(ns);
	/* ns >> shift is STEPS at least, and less than twice that. */
	return shift * STEPS + (unsigned int)(ns >> shift);
}

uint64_t histogram_first(unsigned int i)
{
	unsigned int shift = i < STEPS ? 0 : i / STEPS - 1;

	return (uint64_t)(i - shift * STEPS) << shift;
}

uint64_t histogram_last(unsigned int i)
{
	return histogram_first(i + 1) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
	if (!histogram->count || ns < histogram->min_ns)
		histogram->min_ns = ns;
	if (ns > histogram->max_ns)
		histogram->max_ns = ns;
	histogram->count++;
	histogram->sum_ns += (double)ns;
	histogram->buckets[histogram_find(ns)]++;
}

uint64_t histogram_percentile(const struct histogram *histogram, double share)
{
	/* How many did not exceed it; a share of 0.999 of 1000 is 999, not a little more. */
	double wanted = ceil(share * (double)histogram->count - 1e-6);
	uint64_t seen = 0, last;

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (!seen || (double)seen < wanted)
			continue;
		last = histogram_last(i);
		/* The last bucket holds all that is longer, too. */
		return last < histogram->max_ns && i < HISTOGRAM_BUCKETS - 1 ?
		       last : histogram->max_ns;
	}
	return 0;
}

double histogram_mean(const struct histogram *histogram)
{
	return histogram->count ? histogram->sum_ns / (double)histogram->count : 0;
}
