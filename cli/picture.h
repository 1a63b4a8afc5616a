/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* A histogram to be looked at: in a terminal, or as SVG. */
#ifndef XSK_CLI_PICTURE_H
#define XSK_CLI_PICTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct histogram;
struct out;

/* Several buckets of the histogram. */
struct picture_bar {
	uint64_t first_ns, last_ns;	/* both are in it */
	uint64_t count;
};

#define PICTURE_BARS 96

/*
 * Gathers what lies from the first time to the last one in at most max bars, each as much
 * longer than the one before as that than its predecessor; returns how many these are. A bar
 * is a bucket at least.
 */
int picture_gather(const struct histogram *histogram, uint64_t first_ns, uint64_t last_ns,
		   struct picture_bar *bars, int max);

/*
 * A line for each bar on stdout. To the shares of a character with Unicode's blocks, if the
 * locale has them, else in whole ones.
 */
void picture_print(const struct out *out, const struct histogram *histogram);

/* The percentiles that are told: 50, 90, 99, 99.9. */
#define PICTURE_PERCENTILES 4
extern const struct picture_percentile {
	double share;
	const char *name, *key;		/* "p99.9", "p99_9_ns" */
} picture_percentiles[PICTURE_PERCENTILES];

/* A whole file, which needs nothing else. The texts are escaped. */
void picture_draw(const struct histogram *histogram, const char *title, const char *subtitle,
		  FILE *to);

#endif /* XSK_CLI_PICTURE_H */
