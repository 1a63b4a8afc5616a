/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "adapt.h"

/* So at least one wait of so many is tried. */
#define MOST_PENALTY 64

bool xsk_adapt_wanted(struct xsk_adapt *adapt)
{
	if (!adapt->left_out)
		return true;
	adapt->left_out--;
	return false;
}

/* Where most of them help, it goes on; where fewer do, it becomes rare. */
void xsk_adapt_ended(struct xsk_adapt *adapt, bool helped)
{
	if (helped) {
		adapt->penalty /= 2;
		return;
	}
	adapt->penalty = adapt->penalty ? 2 * adapt->penalty : 1;
	if (adapt->penalty > MOST_PENALTY)
		adapt->penalty = MOST_PENALTY;
	adapt->left_out = adapt->penalty;
}
