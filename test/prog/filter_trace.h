/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Packets on the boundaries of a program of classic BPF: it is run on a packet, and
 * wherever it compares what it loaded, packets are made where that is one less, the same and
 * one more; those that take a way through the program that none took before are treated in
 * the same way, and cut before and behind each load.
 */
#ifndef TEST_FILTER_TRACE_H
#define TEST_FILTER_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filter_packets.h"

struct sock_filter;

typedef void trace_visit(void *arg, const struct packet *packet);

/* How much of a program was seen. */
struct trace_seen {
	uint32_t ways;		/* those found, from one end to the other */
	uint32_t edges;		/* of its conditional jumps */
	uint32_t edges_gone;
};

/* Visits the packets that are made from those of the pool, of not more than ways ways. */
struct trace_seen trace(const struct sock_filter *insns, uint32_t count, const struct pool *pool,
			uint32_t ways, trace_visit *visit, void *arg);

/* Whether it comes to its end at all. */
bool trace_ends(const struct sock_filter *insns, uint32_t count, const struct packet *packet);

#endif /* TEST_FILTER_TRACE_H */
