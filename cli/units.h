/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Numbers with units, from text and as text. */
#ifndef XSK_CLI_UNITS_H
#define XSK_CLI_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of the two is 0. */
struct units_rate {
	double pps;		/* packets a second */
	double bps;		/* bits of packets a second, without preamble and gap */
};

/* Both ends are in it. */
struct units_range {
	uint64_t first, last;
};

/* Each: all of text, or false and nothing is written. Digits, a fraction, then the unit. */
bool units_count(uint64_t *ret, const char *text);	/* k M G: powers of 1000 */
bool units_size(uint64_t *ret, const char *text);	/* k M G: powers of 1024 */
bool units_time(uint64_t *ret_ns, const char *text);	/* ns us ms s m h; none: s */
#define UNITS_MAX_NS 9e18	/* what is longer is as long as this */
/* k M G of pps, bit (or bit/s, bps), B/s; none: pps */
bool units_rate(struct units_rate *ret, const char *text);
bool units_range(struct units_range *ret, const char *text);

/* For people: three or four digits and a unit, "1.50M". Returns text. */
#define UNITS_TEXT 16
char *units_say_count(char text[UNITS_TEXT], double value);
char *units_say_time(char text[UNITS_TEXT], double ns);

#endif /* XSK_CLI_UNITS_H */
