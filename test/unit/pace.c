/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* When packets are due, on a clock that the test sets, and that sleeping moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "pace.h"
#include "run.h"

#define SECOND UINT64_C(1000000000)
#define START (1000 * SECOND)
/* What each look at the clock takes. */
#define LOOK_NS 100

static uint64_t now_ns;
static int looks, sleeps;
static bool is_interrupted;

uint64_t run_now_ns(void)
{
	looks++;
	now_ns += LOOK_NS;
	return now_ns;
}

int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
			   struct timespec *left);

int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
			   struct timespec *left)
{
	uint64_t ns = (uint64_t)until->tv_sec * SECOND + (uint64_t)until->tv_nsec;

	(void)left;
	assert_int_equal(clock, CLOCK_MONOTONIC);
	assert_int_equal(flags, TIMER_ABSTIME);
	assert_in_range(until->tv_nsec, 0, SECOND - 1);
	sleeps++;
	if (is_interrupted)
		return 4;
	if (ns > now_ns)
		now_ns = ns;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	now_ns = START;
	looks = sleeps = 0;
	is_interrupted = false;
	return 0;
}

/* ---- due ---- */

static void as_fast_as_it_goes(void **state)
{
	const struct units_rate none = { 0 };
	struct pace pace;

	(void)state;
	pace_rate(&pace, &none, START);
	for (int i = 0; i < 1000; i++) {
		assert_true(pace_due(&pace, 0) <= START);
		pace_count(&pace, 1500);
		pace_late(&pace, pace_due(&pace, 0), START + 100 * SECOND);
	}
	assert_int_equal(pace.given_up_ns, 0);
}

/* A rate that no number of nanoseconds is: nothing adds up over a day. */
static void packets_do_not_drift(void **state)
{
	const struct units_rate rate = { .pps = 3000 };
	struct pace pace;

	(void)state;
	pace_rate(&pace, &rate, START);
	assert_int_equal(pace_due(&pace, 0), START);
	pace_count(&pace, 60);
	assert_int_equal(pace_due(&pace, 0), START + 333333);
	for (int i = 1; i < 3000 * 1000; i++)
		pace_count(&pace, (uint32_t)i);
	assert_in_range(pace_due(&pace, 0), START + 1000 * SECOND - 1, START + 1000 * SECOND + 1);
}

static void bits(void **state)
{
	const struct units_rate rate = { .bps = 1e6 };
	struct pace pace;

	(void)state;
	pace_rate(&pace, &rate, START);
	assert_int_equal(pace_due(&pace, 0), START);
	pace_count(&pace, 125);
	assert_int_equal(pace_due(&pace, 0), START + SECOND / 1000);
	pace_count(&pace, 1250);
	assert_int_equal(pace_due(&pace, 0), START + SECOND / 1000 * 11);
}

static void recorded(void **state)
{
	struct pace pace;

	(void)state;
	pace_recorded(&pace, 1, START);
	assert_int_equal(pace_due(&pace, 0), START);
	pace_count(&pace, 60);
	assert_int_equal(pace_due(&pace, 12345), START + 12345);
	pace_recorded(&pace, 10, START);
	assert_int_equal(pace_due(&pace, SECOND), START + SECOND / 10);
	pace_recorded(&pace, 0.5, START);
	assert_int_equal(pace_due(&pace, SECOND), START + 2 * SECOND);
	/* Odd times are far away, not in the past. */
	pace_recorded(&pace, 1e-6, START);
	assert_true(pace_due(&pace, UINT64_MAX / 2) > START + 9 * (UINT64_MAX / 20));
}

/* ---- late ---- */

/* All packets of ten seconds, by somebody who is away for a while. */
static uint64_t sent_in_ten_seconds(struct pace *pace, uint64_t away_ns)
{
	uint64_t now = START, sent = 0;

	for (bool was_away = false; now < START + 10 * SECOND; now += 1000000) {
		if (!was_away && now >= START + 3 * SECOND) {
			was_away = true;
			now += away_ns;
		}
		while (pace_due(pace, 0) <= now) {
			pace_late(pace, pace_due(pace, 0), now);
			pace_count(pace, 60);
			sent++;
		}
	}
	return sent;
}

static void a_second_is_made_up_for(void **state)
{
	const struct units_rate rate = { .pps = 10000 };
	struct pace pace;

	(void)state;
	pace_rate(&pace, &rate, START);
	assert_in_range(sent_in_ten_seconds(&pace, SECOND - 1000000), 99990, 100000);
	assert_int_equal(pace.given_up_ns, 0);
}

static void more_is_not(void **state)
{
	const struct units_rate rate = { .pps = 10000 };
	struct pace pace;

	(void)state;
	pace_rate(&pace, &rate, START);
	/* Of four seconds one is. */
	assert_in_range(sent_in_ten_seconds(&pace, 4 * SECOND), 69980, 70020);
	assert_in_range(pace.given_up_ns, 3 * SECOND - 2000000, 3 * SECOND + 2000000);
}

/* ---- sleeping ---- */

static void sleeps_until_then(void **state)
{
	(void)state;
	pace_sleep(START + SECOND, false);
	assert_int_equal(now_ns, START + SECOND);
	assert_int_equal(sleeps, 1);
	/* What is over already takes no sleep. */
	pace_sleep(START, false);
	assert_int_equal(sleeps, 1);
}

static void sleeps_for_a_burst(void **state)
{
	(void)state;
	pace_sleep(START + 10000, false);
	assert_int_equal(now_ns, START + LOOK_NS + 50000);
	assert_int_equal(sleeps, 1);
}

static void spins_to_the_point(void **state)
{
	(void)state;
	pace_sleep(START + 10000, true);
	assert_in_range(now_ns, START + 10000, START + 10000 + LOOK_NS);
	assert_int_equal(sleeps, 0);
	pace_sleep(START + SECOND, true);
	assert_in_range(now_ns, START + SECOND, START + SECOND + LOOK_NS);
	assert_int_equal(sleeps, 1);
	/* 100 us, at most. */
	assert_in_range(looks, 100, 1200);
}

static void a_signal_ends_it(void **state)
{
	(void)state;
	is_interrupted = true;
	pace_sleep(START + SECOND, false);
	pace_sleep(START + SECOND, true);
	assert_int_equal(sleeps, 2);
	assert_in_range(now_ns, START, START + 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(as_fast_as_it_goes, setup),
		cmocka_unit_test_setup(packets_do_not_drift, setup),
		cmocka_unit_test_setup(bits, setup),
		cmocka_unit_test_setup(recorded, setup),
		cmocka_unit_test_setup(a_second_is_made_up_for, setup),
		cmocka_unit_test_setup(more_is_not, setup),
		cmocka_unit_test_setup(sleeps_until_then, setup),
		cmocka_unit_test_setup(sleeps_for_a_burst, setup),
		cmocka_unit_test_setup(spins_to_the_point, setup),
		cmocka_unit_test_setup(a_signal_ends_it, setup),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
