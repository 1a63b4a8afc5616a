/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The examples, as programs that are run. Everything here asserts. */
#ifndef TEST_EXAMPLE_H
#define TEST_EXAMPLE_H

#include <sys/types.h>

#include "lab.h"

/* One that runs. What it says to either stream is read from here. */
struct example {
	pid_t pid;
	FILE *out;
	char line[1024];
};

/* In the caller's namespace. */
void example_start(struct example *example, char *const *argv);
#define start(example, ...) example_start(example, (char *const[]){ __VA_ARGS__, NULL })

/* The next line that contains this. */
void example_await(struct example *example, const char *text);
/* Its ports are open. */
void example_await_ready(struct example *example, int ports);
/* Each second it says what it has received since the last time. */
void example_await_sum(struct example *example, unsigned long wanted);
/* The number behind this text in the line that has come last. */
unsigned long example_number(const struct example *example, const char *text);

void example_interrupt(struct example *example);
/* It has ended, or does so now, with this status. */
void example_end(struct example *example, int wanted);
/* If it runs. */
void example_kill(struct example *example);

#endif /* TEST_EXAMPLE_H */
