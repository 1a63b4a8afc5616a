/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A suffix, and by what it multiplies. The longest that fits comes first. */
struct unit {
	const char *suffix;
	double factor;
};

/* Digits with at most one dot: strtod() would take "inf", "0x1" and "1e9" too. */
static bool read_number(double *ret, const char *text, const char **end)
{
	bool digit = false, dot = false;
	const char *at = text;

	for (;; at++) {
		if (isdigit((unsigned char)*at))
			digit = true;
		else if (*at == '.' && !dot)
			dot = true;
		else
			break;
	}
	if (!digit || at - text > 32)
		return false;
	*ret = strtod(text, NULL);
	*end = at;
	return true;
}

static bool read_unit(double *ret, const char *suffix, const struct unit *units)
{
	for (; units->suffix; units++) {
		if (strcmp(suffix, units->suffix))
			continue;
		*ret = units->factor;
		return true;
	}
	return false;
}

/* A whole number, in the end: 1.5k is one, 1.5 is none. */
static bool read_whole(uint64_t *ret, const char *text, const struct unit *units)
{
	double value, factor;
	const char *end;

	if (!read_number(&value, text, &end) || !read_unit(&factor, end, units))
		return false;
	value *= factor;
	if (value >= 9007199254740992.0 || fabs(value - nearbyint(value)) > 1e-6)
		return false;		/* 2^53, where doubles begin to skip numbers */
	*ret = (uint64_t)nearbyint(value);
	return true;
}

bool units_count(uint64_t *ret, const char *text)
{
	static const struct unit units[] = {
		{ "", 1 }, { "k", 1e3 }, { "K", 1e3 }, { "M", 1e6 }, { "G", 1e9 }, { 0 },
	};

	return read_whole(ret, text, units);
}

bool units_size(uint64_t *ret, const char *text)
{
	static const struct unit units[] = {
		{ "", 1 }, { "B", 1 },
		{ "k", 1 << 10 }, { "K", 1 << 10 }, { "kB", 1 << 10 }, { "KiB", 1 << 10 },
		{ "M", 1 << 20 }, { "MB", 1 << 20 }, { "MiB", 1 << 20 },
		{ "G", 1 << 30 }, { "GB", 1 << 30 }, { "GiB", 1 << 30 }, { 0 },
	};

	return read_whole(ret, text, units);
}

bool units_time(uint64_t *ret_ns, const char *text)
{
	static const struct unit units[] = {
		{ "", 1e9 }, { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 },
		{ "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 }, { 0 },
	};
	double value, factor;
	const char *end;

	if (!read_number(&value, text, &end) || !read_unit(&factor, end, units))
		return false;
	value *= factor;
	*ret_ns = (uint64_t)nearbyint(value < UNITS_MAX_NS ? value : UNITS_MAX_NS);
	return true;
}

bool units_rate(struct units_rate *ret, const char *text)
{
	static const struct unit packets[] = {
		{ "", 1 }, { "k", 1e3 }, { "K", 1e3 }, { "M", 1e6 }, { "G", 1e9 },
		{ "pps", 1 }, { "kpps", 1e3 }, { "Kpps", 1e3 }, { "Mpps", 1e6 }, { "Gpps", 1e9 },
		{ 0 },
	};
	static const struct unit prefixes[] = {
		{ "", 1 }, { "k", 1e3 }, { "K", 1e3 }, { "M", 1e6 }, { "G", 1e9 }, { 0 },
	};
	static const struct unit bits[] = {
		{ "bit", 1 }, { "bit/s", 1 }, { "bps", 1 }, { "B/s", 8 }, { 0 },
	};
	double value, prefix, unit;
	char first[2] = { 0 };
	const char *end;

	if (!read_number(&value, text, &end) || value <= 0)
		return false;
	if (read_unit(&unit, end, packets)) {
		*ret = (struct units_rate){ .pps = value * unit };
		return true;
	}
	if (!read_unit(&unit, end, bits)) {
		first[0] = *end;
		if (!*end || !read_unit(&prefix, first, prefixes) ||
		    !read_unit(&unit, end + 1, bits))
			return false;
		unit *= prefix;
	}
	*ret = (struct units_rate){ .bps = value * unit };
	return true;
}

bool units_range(struct units_range *ret, const char *text)
{
	struct units_range range;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	range.first = range.last = strtoull(text, &end, 10);
	if (*end == '-' && isdigit((unsigned char)end[1]))
		range.last = strtoull(end + 1, &end, 10);
	if (errno || *end || range.last < range.first)
		return false;
	*ret = range;
	return true;
}

/* With three digits at least: 12.3, 123, 1234. */
static char *say(char text[UNITS_TEXT], double value, const char *unit)
{
	int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(text, UNITS_TEXT, "%.*f%s", digits, value, unit);
	return text;
}

char *units_say_count(char text[UNITS_TEXT], double value)
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T" };
	size_t i = 0;

	if (value < 999.5) {
		/* Of a count no fraction is said where there is none. */
		if (fabs(value - nearbyint(value)) < 1e-9)
			snprintf(text, UNITS_TEXT, "%.0f", value);
		else
			say(text, value, "");
		return text;
	}
	for (; value >= 999.5 && i < 4; i++)
		value /= 1000;
	return say(text, value, prefixes[i]);
}

char *units_say_time(char text[UNITS_TEXT], double ns)
{
	if (ns < 999.5)
		return say(text, ns, " ns");
	if (ns < 999.5e3)
		return say(text, ns / 1e3, " us");
	if (ns < 999.5e6)
		return say(text, ns / 1e6, " ms");
	return say(text, ns / 1e9, " s");
}
