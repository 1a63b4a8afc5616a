/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Another process with a socket of its own, for tests in which processes come
 * and go. It runs the program net-actor, in the build folder's test/net.
 */
#ifndef TEST_ACTOR_H
#define TEST_ACTOR_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct actor {
	pid_t pid;
	FILE *to, *from;
};

/* In the caller's namespace; a socket on lab0 with the default program. */
void actor_start(struct actor *actor, uint32_t queue);
/* The same, without waiting for it to be ready; then wait. */
void actor_launch(struct actor *actor, uint32_t queue);
void actor_await(struct actor *actor);
/* It must receive the frame of this number next, within 2 seconds. */
void actor_expect(struct actor *actor, uint32_t number);
/* It deletes its socket and UMEM, and ends well. */
void actor_stop(struct actor *actor);
/* It ends by SIGKILL. */
void actor_kill(struct actor *actor);

#endif /* TEST_ACTOR_H */
