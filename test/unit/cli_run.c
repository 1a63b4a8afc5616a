/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* How long a command runs, by a clock of the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "out.h"
#include "run.h"

#define SECOND UINT64_C(1000000000)
#define START (1000 * SECOND)

static uint64_t now_ns;
static bool broken;

/* It is linked before the C library's. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	now->tv_sec = (time_t)(now_ns / SECOND);
	now->tv_nsec = (long)(now_ns % SECOND);
	return 0;
}

bool out_is_broken(void)
{
	return broken;
}

static void start(struct run *run, uint64_t duration_ns)
{
	now_ns = START;
	broken = false;
	run_start(run, duration_ns);
}

static void ticks(void **state)
{
	struct run run;
	double seconds = 0;

	(void)state;
	start(&run, 0);
	assert_false(run_ticks(&run, &seconds));
	now_ns = START + SECOND - 1;
	assert_false(run_ticks(&run, &seconds));
	now_ns = START + SECOND + SECOND / 4;
	assert_true(run_ticks(&run, &seconds));
	assert_float_equal(seconds, 1.25, 1e-9);
	/* On the second again, though this one was late. */
	assert_false(run_ticks(&run, &seconds));
	now_ns = START + 2 * SECOND;
	assert_true(run_ticks(&run, &seconds));
	assert_float_equal(seconds, 0.75, 1e-9);
	/* Those that were missed are one. */
	now_ns = START + 5 * SECOND + 1;
	assert_true(run_ticks(&run, &seconds));
	assert_false(run_ticks(&run, &seconds));
	now_ns = START + 6 * SECOND;
	assert_true(run_ticks(&run, &seconds));
}

static void other_interval(void **state)
{
	struct run run;
	double seconds = 0;

	(void)state;
	start(&run, 0);
	run_every(&run, 10 * SECOND);
	now_ns = START + 9 * SECOND;
	assert_false(run_ticks(&run, &seconds));
	now_ns = START + 10 * SECOND;
	assert_true(run_ticks(&run, &seconds));
	assert_float_equal(seconds, 10, 1e-9);
	now_ns = START + 20 * SECOND;
	assert_true(run_ticks(&run, &seconds));
}

static void the_end(void **state)
{
	struct run run;

	(void)state;
	start(&run, 3 * SECOND);
	assert_false(run_is_over(&run));
	now_ns = START + 3 * SECOND - 1;
	assert_false(run_is_over(&run));
	now_ns++;
	assert_true(run_is_over(&run));
	assert_float_equal(run_seconds(&run), 3, 1e-9);
	start(&run, 0);
	now_ns = START + 1000000 * SECOND;
	assert_false(run_is_over(&run));
	broken = true;
	assert_true(run_is_over(&run));
}

/* Never past the next tick or the end, rounded up, and at most 100 ms. */
static void timeouts(void **state)
{
	struct run run;

	(void)state;
	start(&run, 0);
	assert_int_equal(run_timeout_ms(&run), 100);
	now_ns = START + SECOND - 50 * 1000000;
	assert_int_equal(run_timeout_ms(&run), 50);
	now_ns = START + SECOND - 1;
	assert_int_equal(run_timeout_ms(&run), 1);
	now_ns = START + SECOND;
	assert_int_equal(run_timeout_ms(&run), 0);
	start(&run, 30 * 1000000);
	assert_int_equal(run_timeout_ms(&run), 30);
}

/* Last, for there is no way back. */
static void stopped(void **state)
{
	struct run run;

	(void)state;
	start(&run, 0);
	run_stop();
	assert_true(run_is_over(&run));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks),
		cmocka_unit_test(other_interval),
		cmocka_unit_test(the_end),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
