/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "trips.h"

enum { UNDER_WAY, BACK, LOST };

static unsigned int place(uint64_t number)
{
	return (unsigned int)(number % TRIPS_KNOWN);
}

/* The oldest is one that is under way, or the next one. */
static void pass_over(struct trips *trips)
{
	while (trips->oldest < trips->next && trips->state[place(trips->oldest)] != UNDER_WAY)
		trips->oldest++;
}

uint64_t trips_start(struct trips *trips, uint64_t now_ns)
{
	trips->sent_ns[place(trips->next)] = now_ns;
	trips->state[place(trips->next)] = UNDER_WAY;
	trips->under_way++;
	return trips->next++;
}

bool trips_is_full(const struct trips *trips)
{
	return trips->next - trips->oldest == TRIPS_KNOWN;
}

enum trip trips_end(struct trips *trips, uint64_t number, uint64_t now_ns, uint64_t *ns)
{
	unsigned char *state = &trips->state[place(number)];

	if (number >= trips->next)
		return TRIP_NONE;
	/* What became of it is forgotten: that it is late, or comes again, is certain. */
	if (trips->next - number > TRIPS_KNOWN || *state == LOST) {
		trips->late++;
		if (trips->next - number <= TRIPS_KNOWN)
			*state = BACK;
		return TRIP_LATE;
	}
	if (*state == BACK) {
		trips->twice++;
		return TRIP_TWICE;
	}
	*ns = now_ns - trips->sent_ns[place(number)];
	*state = BACK;
	trips->good++;
	trips->under_way--;
	pass_over(trips);
	return TRIP_GOOD;
}

uint64_t trips_give_up(struct trips *trips, uint64_t now_ns)
{
	uint64_t before = trips->lost;

	while (trips->oldest < trips->next &&
	       now_ns >= trips->sent_ns[place(trips->oldest)] + trips->timeout_ns) {
		trips->state[place(trips->oldest)] = LOST;
		trips->lost++;
		trips->under_way--;
		pass_over(trips);
	}
	return trips->lost - before;
}

uint64_t trips_patience_ends(const struct trips *trips)
{
	if (trips->oldest == trips->next)
		return UINT64_MAX;
	return trips->sent_ns[place(trips->oldest)] + trips->timeout_ns;
}
