/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "pace.h"

#include <time.h>

#include "run.h"

#define SECOND_NS UINT64_C(1000000000)
#define MIN_SLEEP_NS UINT64_C(50000)
/* Later than asked for a sleeper is woken by less than this, as a rule. */
#define SPIN_NS UINT64_C(100000)

void pace_recorded(struct pace *pace, double speed, uint64_t now_ns)
{
	*pace = (struct pace){ .kind = PACE_RECORDED, .each_ns = 1 / speed, .start_ns = now_ns };
}

void pace_rate(struct pace *pace, const struct units_rate *rate, uint64_t now_ns)
{
	*pace = (struct pace){ .kind = PACE_MAX, .start_ns = now_ns };
	if (rate->pps > 0) {
		pace->kind = PACE_PACKETS;
		pace->each_ns = SECOND_NS / rate->pps;
	} else if (rate->bps > 0) {
		pace->kind = PACE_BITS;
		pace->each_ns = SECOND_NS / rate->bps;
	}
}

uint64_t pace_due(const struct pace *pace, uint64_t recorded_ns)
{
	double units = pace->kind == PACE_RECORDED ? (double)recorded_ns : pace->done;
	double after = units * pace->each_ns;

	if (pace->kind == PACE_MAX)
		return pace->start_ns;
	/* Centuries, of a capture with odd times. */
	if (after >= 9e18)
		return UINT64_MAX;
	return pace->start_ns + (uint64_t)after;
}

void pace_late(struct pace *pace, uint64_t due_ns, uint64_t now_ns)
{
	uint64_t late;

	if (pace->kind == PACE_MAX || now_ns < due_ns || now_ns - due_ns <= PACE_MAX_LATE_NS)
		return;
	late = now_ns - due_ns - PACE_MAX_LATE_NS;
	pace->start_ns += late;
	pace->given_up_ns += late;
}

void pace_count(struct pace *pace, uint32_t bytes)
{
	pace->done += pace->kind == PACE_BITS ? 8.0 * bytes : 1;
}

static void sleep_until(uint64_t ns)
{
	const struct timespec until = {
		.tv_sec = (time_t)(ns / SECOND_NS), .tv_nsec = (long)(ns % SECOND_NS),
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

void pace_sleep(uint64_t until_ns, bool spins)
{
	uint64_t now = run_now_ns();

	if (until_ns <= now)
		return;
	if (!spins) {
		sleep_until(until_ns - now < MIN_SLEEP_NS ? now + MIN_SLEEP_NS : until_ns);
		return;
	}
	if (until_ns - now > SPIN_NS)
		sleep_until(until_ns - SPIN_NS);
	/* Who was woken by a signal is not to spin for long. */
	if (until_ns - run_now_ns() > SPIN_NS)
		return;
	while (run_now_ns() < until_ns)
		;
}
