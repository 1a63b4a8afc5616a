/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Whether who waits for packets is to let some gather first.
 *
 * A receiver that is woken by each packet keeps the CPU that brings them busy with waking
 * it, and takes the rings' memory away from it each time. At high rates it is better to look
 * in later. But where few packets are under way at a time, and each is sent for an answer to
 * one before, that only makes them slower. So it is tried: time is cut into periods, the
 * packets of each are counted, and what makes them fewer is left.
 */
#ifndef XSK_GATHER_H
#define XSK_GATHER_H

#include <stdbool.h>
#include <stdint.h>

/* How long they gather, and what that is at most (timer slack, and a late wake-up). */
#define XSK_GATHER_US 20
#define XSK_GATHER_MOST_US 150

enum xsk_gather_state {
	XSK_GATHER_OFF,
	XSK_GATHER_TRIED,	/* the first period with it */
	XSK_GATHER_ON,
	XSK_GATHER_CHECKED,	/* a period without, to see whether it still is worth it */
};

/* All 0 at first. */
struct xsk_gather {
	enum xsk_gather_state state;
	uint64_t began_ns;	/* of the period; 0: none */
	uint64_t packets;	/* that had been received by then */
	uint64_t rate;		/* packets a second of the last period */
	uint64_t other_rate;	/* of the state before */
	uint32_t periods;	/* in this state; of OFF, that it is to last still */
	uint32_t penalty;	/* periods that the next OFF lasts */
};

/*
 * Told before each wait: the time, and the packets received so far. Returns whether to let
 * them gather now.
 */
bool xsk_gather_wanted(struct xsk_gather *gather, uint64_t now_ns, uint64_t packets);

#endif /* XSK_GATHER_H */
