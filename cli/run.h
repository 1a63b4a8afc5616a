/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * How long a command runs: until SIGINT, SIGTERM or SIGHUP, or for a time. Signals end the
 * process as they end any, also where it waits or the kernel is at work for it, until there
 * is something that it would leave behind or has to say.
 */
#ifndef XSK_CLI_RUN_H
#define XSK_CLI_RUN_H

#include <stdbool.h>
#include <stdint.h>

struct run {
	uint64_t start_ns;	/* CLOCK_MONOTONIC, as all here */
	uint64_t end_ns;	/* UINT64_MAX: not by itself */
	uint64_t tick_ns;	/* the last one */
	uint64_t next_tick_ns;
	uint64_t interval_ns;	/* of the ticks: a second, see run_every() */
};

uint64_t run_now_ns(void);

/* Takes the signals over. */
void run_hear(void);

/* Likewise, and the time begins. duration_ns 0: no end. */
void run_start(struct run *run, uint64_t duration_ns);

/* Whether a signal came, or the time is over, or stdout broke. */
bool run_is_over(const struct run *run);

/* Whether a signal came. */
bool run_is_interrupted(void);

/* Ends it, as a signal would. */
void run_stop(void);

/* Ticks in this interval from now on. */
void run_every(struct run *run, uint64_t interval_ns);

/* Once in an interval true, with the seconds since the last time in *seconds. */
bool run_ticks(struct run *run, double *seconds);

/* For xsk_wait(): until the next tick or the end, and at most 100 ms. */
int run_timeout_ms(const struct run *run);

/* Since run_start(). */
double run_seconds(const struct run *run);

#endif /* XSK_CLI_RUN_H */
