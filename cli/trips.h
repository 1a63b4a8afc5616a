/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Packets that are on their way, by their sequence numbers: which came back, and when. */
#ifndef XSK_CLI_TRIPS_H
#define XSK_CLI_TRIPS_H

#include <stdbool.h>
#include <stdint.h>

/* On their way at a time, and of how many before it is known what became of them. */
#define TRIPS_MAX 1024
#define TRIPS_KNOWN 8192

enum trip {
	TRIP_GOOD,		/* it came in time */
	TRIP_LATE,		/* it was counted as lost before */
	TRIP_TWICE,		/* it has come before */
	TRIP_NONE,		/* there was none of this number */
};

/* All zeros but for timeout_ns is a new one. */
struct trips {
	uint64_t timeout_ns;
	uint64_t next;		/* the number of the next one: how many there were */
	uint64_t oldest;	/* all before it are over */
	uint64_t under_way;
	uint64_t good, lost, late, twice;
	/* By number: when it was sent. */
	uint64_t sent_ns[TRIPS_KNOWN];
	unsigned char state[TRIPS_KNOWN];
};

/* The number of one that leaves now. Not with TRIPS_MAX under way, or after trips_is_full(). */
uint64_t trips_start(struct trips *trips, uint64_t now_ns);

/*
 * Whether another one would need the place of one that is under way: one was sent long ago,
 * and many others since.
 */
bool trips_is_full(const struct trips *trips);

/* One has come back. TRIP_GOOD: *ns is how long that took. */
enum trip trips_end(struct trips *trips, uint64_t number, uint64_t now_ns, uint64_t *ns);

/* Gives up those that have been under way for too long; returns how many. */
uint64_t trips_give_up(struct trips *trips, uint64_t now_ns);

/* When the next one is to be given up; UINT64_MAX: none is under way. */
uint64_t trips_patience_ends(const struct trips *trips);

#endif /* XSK_CLI_TRIPS_H */
