/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Two network namespaces of the test's own, joined by a veth pair: lab0 in
 * namespace 0, lab1 in namespace 1. The namespaces have no names: they are gone
 * with the process, however it ends. No IPv6 in them, no addresses: what
 * arrives is what the test sent.
 *
 * Everything here asserts: a lab that cannot be built fails the test.
 */
#ifndef TEST_LAB_H
#define TEST_LAB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LAB_MIN_FRAME 60
#define LAB_MAX_FRAME 1514

struct lab {
	int home;		/* the namespace that the process was born in */
	int ns[2];
	int ifindex[2];
	int peer;		/* a packet socket on lab1 */
	const char *nics;	/* NULL: a veth pair of its own; else see lab_open_nics() */
	/* Where set, lab_send() sends by this instead. */
	void (*send)(void *sender, const void *frame, size_t len);
	void *sender;
};

/* Builds the lab; the calling thread is in namespace 0 then, on CPU 0. */
void lab_open(struct lab *lab, unsigned int queues);
/*
 * The same of two interfaces that are there, joined by a wire: NAME0 is lab0 until
 * lab_close(), and NAME1 is lab1.
 */
void lab_open_nics(struct lab *lab, const char *name);
void lab_close(struct lab *lab);

/* Puts the calling thread into a namespace. */
void lab_enter(const struct lab *lab, int side);

/* Runs a shell command in the calling thread's namespace; it must succeed. */
__attribute__((format(printf, 1, 2)))
void lab_run(const char *format, ...);

/*
 * Runs what in a child, which may give its privileges away: it returns 0 or an
 * -errno of the library, which must be the one wanted.
 */
void lab_in_child(int (*what)(void), int wanted);
/* For such a child: it ends, as a failure, where the capability stays. */
void lab_drop(int capability);

/* Frames whose every byte follows from their number and length. */
void lab_frame(void *frame, size_t len, uint32_t number);
bool lab_frame_is(const void *frame, size_t len, uint32_t number);

/* Through lab1, as another host would. Receiving waits up to 2 seconds. */
void lab_send(const struct lab *lab, uint32_t number, size_t len);
void lab_expect(const struct lab *lab, uint32_t number, size_t len);
/* What arrives at lab0 and is left to the stack: opens, takes the next, closes. */
int lab_stack_open(void);
void lab_stack_expect(int stack, uint32_t number, size_t len);
void lab_expect_nothing(const struct lab *lab);

/* What a test may leave changed: nothing. */
struct lab_count {
	int fds;
	int ring_mappings;
	int progs;		/* of the system */
	int maps;
	int links;
};

void lab_count(struct lab_count *count);
/* Waits some time for what the kernel frees later, then asserts. */
void lab_assert_unchanged(const struct lab_count *before);

/* The XDP program of lab0 or lab1; 0: none. Asks by its own means. */
uint32_t lab_prog_id(const struct lab *lab, int side);

/* Waits up to 2 seconds for it to be gone (or there), then asserts. */
void lab_assert_prog(const struct lab *lab, int side, bool there);

#endif /* TEST_LAB_H */
