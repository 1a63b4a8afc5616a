/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Whether who waits is to look at the rings for a while before going to sleep.
 *
 * Where the next packet comes soon, looking is less work than being put to sleep and woken,
 * for both sides, and the packet is there earlier. Where it does not, the looking is lost. So
 * it is done again where it has helped, and where it has not it is left out for some waits:
 * the more often in vain, the more of them.
 */
#ifndef XSK_ADAPT_H
#define XSK_ADAPT_H

#include <stdbool.h>
#include <stdint.h>

/* How long one looks. */
#define XSK_ADAPT_US 100

/* All 0 at first. */
struct xsk_adapt {
	uint32_t left_out;	/* waits still to come that do without */
	uint32_t penalty;	/* how many they will be the next time that it is in vain */
};

/* Asked at each wait for which nothing is there yet. */
bool xsk_adapt_wanted(struct xsk_adapt *adapt);

/* What came of it, if it was. */
void xsk_adapt_ended(struct xsk_adapt *adapt, bool helped);

#endif /* XSK_ADAPT_H */
