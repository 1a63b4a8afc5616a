/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* A port in numbers: for scripts, and for people. */
#ifndef XSK_CLI_REPORT_H
#define XSK_CLI_REPORT_H

#include <stdio.h>

#include <jansson.h>
#include <xsk/xsk.h>

struct out;
struct session;

/* The fields of the structs by their names, the texts included. */
json_t *report_stats(const struct xsk_port_stats *stats);
/* How it waits, in a word. */
const char *report_wait(uint32_t wait);

json_t *report_info(const struct xsk_port_info *info);

/* The counters that the object has; those that it has not, or that are no numbers, are 0. */
void report_read_stats(struct xsk_port_stats *stats, const json_t *object);

/*
 * What xsk stats is told: command, pid, seconds (since it was opened), info, stats, and
 * queues: an array of objects, each with queue (its number) and stats.
 */
json_t *report_port(const struct xsk_port *port, const char *command, double seconds);

/* What the rates are of: counters, and the time between. */
struct report_rate {
	double seconds;
	uint64_t packets, bytes;
};

/* "123 kpps, 1.23 Gbit/s" into text, which has size bytes; returns it. */
char *report_say_rate(char *text, size_t size, const struct report_rate *rate);

/*
 * What was lost and why, a line on stdout for each cause that there is, with the caller's
 * next move; nothing where nothing was lost.
 */
void report_losses(struct out *out, const struct xsk_port_stats *stats);

/* The same elsewhere, each line behind an indent. */
void report_losses_to(FILE *to, const char *indent, const struct out *out,
		      const struct xsk_port_stats *stats);

#endif /* XSK_CLI_REPORT_H */
