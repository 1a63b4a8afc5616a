/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "picture.h"

#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "histogram.h"
#include "out.h"
#include "units.h"

#define LINES 16
#define MIN_WIDTH 40
#define MAX_WIDTH 200
#define DEFAULT_WIDTH 80
/* Of a line, what is not the bar. */
#define LABELS 32

const struct picture_percentile picture_percentiles[PICTURE_PERCENTILES] = {
	{ 0.5, "p50", "p50_ns" }, { 0.9, "p90", "p90_ns" }, { 0.99, "p99", "p99_ns" },
	{ 0.999, "p99.9", "p99_9_ns" },
};

/* The bucket behind the i-th of max bars. */
static unsigned int end_of_bar(unsigned int first, unsigned int last, int i, int max)
{
	/* 0 has no logarithm. */
	double from = (double)histogram_first(first) + 1, to = (double)histogram_last(last) + 1;
	double end = from * pow(to / from, (i + 1.0) / max) - 1;

	return i == max - 1 || end >= (double)histogram_last(last) ?
	       last + 1 : histogram_find((uint64_t)end);
}

int picture_gather(const struct histogram *histogram, uint64_t first_ns, uint64_t last_ns,
		   struct picture_bar *bars, int max)
{
	unsigned int first = histogram_find(first_ns), last = histogram_find(last_ns);
	unsigned int bucket = first;
	int count = 0;

	for (int i = 0; i < max && bucket <= last; i++) {
		unsigned int end = end_of_bar(first, last, i, max);

		if (end <= bucket)
			continue;
		bars[count] = (struct picture_bar){ histogram_first(bucket),
						    histogram_last(end - 1), 0 };
		for (; bucket < end; bucket++)
			bars[count].count += histogram->buckets[bucket];
		count++;
	}
	return count;
}

/* ---- in a terminal ---- */

static int find_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	int width = DEFAULT_WIDTH;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		width = size.ws_col;
	else if (columns && atoi(columns) > 0)
		width = atoi(columns);
	return width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : width;
}

static bool has_blocks(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", NULL);
	bool has = locale && !strcmp(nl_langinfo_l(CODESET, locale), "UTF-8");

	if (locale)
		freelocale(locale);
	return has;
}

/* What there is, is seen. */
static void print_bar(double part, int width, bool blocks)
{
	static const char *const eighths[] = {
		"", "▏", "▎", "▍", "▌", "▋", "▊", "▉",
	};
	int cells = (int)(part * width * 8 + 0.5);

	if (!cells && part > 0)
		cells = 1;
	if (!blocks)
		cells = cells < 8 && cells ? 8 : (cells + 4) / 8 * 8;
	for (int i = 0; i < cells / 8; i++)
		fputs(blocks ? "█" : "#", stdout);
	fputs(eighths[cells % 8], stdout);
	putchar('\n');
}

void picture_print(const struct out *out, const struct histogram *histogram)
{
	uint64_t most = 1, body = histogram_percentile(histogram, 0.999);
	int width = find_width() - LABELS, count;
	struct picture_bar bars[LINES];
	char from[UNITS_TEXT], to[UNITS_TEXT];
	bool blocks = has_blocks();

	/* Few that took very long would leave no room for all the others. */
	count = picture_gather(histogram, histogram->min_ns, body, bars, LINES - 1);
	if (histogram_find(histogram->max_ns) > histogram_find(body))
		count += picture_gather(histogram, histogram_last(histogram_find(body)) + 1,
					histogram->max_ns, bars + count, 1);
	for (int i = 0; i < count; i++)
		most = bars[i].count > most ? bars[i].count : most;
	for (int i = 0; i < count; i++) {
		printf("%9s to %9s %6.2f %% %s", units_say_time(from, (double)bars[i].first_ns),
		       units_say_time(to, (double)bars[i].last_ns),
		       100.0 * (double)bars[i].count / (double)histogram->count,
		       out_start(out, OUT_GREEN));
		print_bar((double)bars[i].count / (double)most, width, blocks);
		fputs(out_end(out), stdout);
	}
}
