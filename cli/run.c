/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "run.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "out.h"

#define SECOND_NS UINT64_C(1000000000)
/* A signal that comes between our look at it and the sleep is seen so much later. */
#define MAX_SLEEP_MS 100

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	stopped = number;
}

uint64_t run_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

void run_hear(void)
{
	/* Without SA_RESTART: who sleeps is woken. */
	struct sigaction action = { .sa_handler = on_signal };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction before;

		/* nohup(1), or a shell that started it in the background */
		if (!sigaction(signals[i], NULL, &before) && before.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &action, NULL);
	}
}

void run_start(struct run *run, uint64_t duration_ns)
{
	run_hear();
	run->start_ns = run->tick_ns = run_now_ns();
	run_every(run, SECOND_NS);
	run->end_ns = duration_ns ? run->start_ns + duration_ns : UINT64_MAX;
}

void run_every(struct run *run, uint64_t interval_ns)
{
	run->interval_ns = interval_ns;
	run->next_tick_ns = run->tick_ns + interval_ns;
}

bool run_is_over(const struct run *run)
{
	return stopped || out_is_broken() ||
	       (run->end_ns != UINT64_MAX && run_now_ns() >= run->end_ns);
}

bool run_is_interrupted(void)
{
	return stopped;
}

void run_stop(void)
{
	stopped = 1;
}

bool run_ticks(struct run *run, double *seconds)
{
	uint64_t now = run_now_ns();

	if (now < run->next_tick_ns)
		return false;
	*seconds = (double)(now - run->tick_ns) / (double)SECOND_NS;
	run->tick_ns = now;
	/* What was missed is not made up for. */
	if (run->next_tick_ns <= now)
		run->next_tick_ns = now + run->interval_ns -
				    (now - run->next_tick_ns) % run->interval_ns;
	return true;
}

int run_timeout_ms(const struct run *run)
{
	uint64_t until = run->next_tick_ns < run->end_ns ? run->next_tick_ns : run->end_ns;
	uint64_t now = run_now_ns(), ms;

	if (until <= now)
		return 0;
	ms = (until - now + 999999) / 1000000;
	return ms < MAX_SLEEP_MS ? (int)ms : MAX_SLEEP_MS;
}

double run_seconds(const struct run *run)
{
	return (double)(run_now_ns() - run->start_ns) / (double)SECOND_NS;
}
