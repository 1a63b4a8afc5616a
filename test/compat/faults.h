/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A case for each fault of libxdp's xsk.c that a test can show. The same source
 * is compiled against libxsk and against libxdp, and uses nothing but the
 * inherited interface. Each case runs in a process, a lab and a mount namespace
 * of its own, and must not fall over another fault than the one that it is
 * named after: libxdp has several of them.
 *
 * What a case needs to get where it wants is asserted, as everywhere in the
 * tests; what it is about is expected.
 */
#ifndef TEST_FAULTS_H
#define TEST_FAULTS_H

#include <sys/socket.h>

#include "node.h"

#define MS_AT_MOST 2000			/* for what comes some time later */

struct fault_case {
	const char *name;		/* what it prevents, as a sentence */
	void (*run)(void);
	unsigned int queues;		/* of lab0 and lab1; 0: 1 */
	bool holds;			/* ends with something open, on purpose */
};

#define FAULT_CASE(function, ...) { .name = #function, .run = function, __VA_ARGS__ }

/* Each ends with a case without a name. */
extern const struct fault_case memory_cases[];
extern const struct fault_case state_cases[];
extern const struct fault_case program_cases[];
extern const struct fault_case api_cases[];

extern struct lab lab;

/* The fault is there, and this was seen. */
__attribute__((noreturn, format(printf, 1, 2)))
void fault(const char *seen, ...);

/* This library or machine cannot show it. */
__attribute__((noreturn, format(printf, 1, 2)))
void cannot(const char *reason, ...);

#define expect(condition, ...) \
	do { \
		if (!(condition)) \
			fault(__VA_ARGS__); \
	} while (0)

/* 0 or -errno of a call, against what it should be. */
void expect_result(const char *call, int got, int wanted);

/* Descriptors of the process; rings that are mapped. */
int count_descriptors(void);
int count_mappings(void);

/*
 * Takes the lowest free descriptor numbers: those that were given back just
 * now, too. Who closes a number that is not his any more closes one of these.
 */
void guard_descriptors(void);
void expect_guarded(const char *suspect);

/*
 * Nodes for both libraries. libxdp does not write all of FILL's and
 * COMPLETION's members; only one case is about that, and calls try_umem() and
 * try_share(). The others mend them.
 */
int try_umem(struct node *node, const struct node_opts *opts);
int try_share(struct node *node, struct node *owner, const struct node_opts *opts);
void open_umem(struct node *node, const struct node_opts *opts);
void open_both(struct node *node, const struct node_opts *opts);
int share_umem(struct node *node, struct node *owner, const struct node_opts *opts);
int share_queue(struct node *node, struct node *owner, const struct node_opts *opts);
/* Socket and UMEM. The result of the latter. */
int close_both(struct node *node);

/* node_socket(), again and again for some time while it says -EBUSY. */
int insist_on_socket(struct node *node);

/* Waits for a packet in RX: its number, or -1. The same for one sent to lab0. */
int64_t take_packet(struct node *node, int ms);
bool receives(struct node *node, uint32_t number);

/* Whether lab0 has no XDP program, or has none some time later. */
bool program_is_gone(void);

/* Of the effective capabilities only these; and all that are permitted again. */
void keep_capabilities(uint64_t mask);
void restore_capabilities(void);

/*
 * What the kernel never does here: the next calls of getsockopt() or
 * setsockopt() at SOL_XDP with this name fail with err. With err 0 they
 * succeed, and say that len bytes were written. fake_nothing() ends it.
 */
void fake_getsockopt(int name, int err, socklen_t len);
void fake_setsockopt(int name, int err);
void fake_nothing(void);
/* Each setsockopt() at SOL_XDP with this name takes so long before it succeeds. */
void slow_setsockopt(int name, unsigned int ms);

#endif /* TEST_FAULTS_H */
