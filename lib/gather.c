/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "gather.h"

#define PERIOD_NS 2000000
/* Of so long a period nothing is learned: nobody waited, or nothing came. */
#define LONG_PERIOD_NS (8 * PERIOD_NS)
/* Packets a second from which on it may be worth it, and below which it ends. */
#define HIGH_RATE 300000
#define LOW_RATE 150000
/* Periods between two checks. */
#define CHECK_AFTER 512
#define FIRST_PENALTY 16
#define MOST_PENALTY 1024

static void enter(struct xsk_gather *gather, enum xsk_gather_state state)
{
	gather->other_rate = gather->rate;
	gather->state = state;
	gather->periods = 0;
}

/* It made them fewer. The more often, the longer it is left. */
static void leave(struct xsk_gather *gather)
{
	enter(gather, XSK_GATHER_OFF);
	gather->periods = gather->penalty ? gather->penalty : FIRST_PENALTY;
	gather->penalty = 2 * gather->periods < MOST_PENALTY ? 2 * gather->periods : MOST_PENALTY;
}

/* A period has ended, in which they came at gather->rate. */
static void judge(struct xsk_gather *gather)
{
	uint64_t rate = gather->rate, other = gather->other_rate;

	switch (gather->state) {
	case XSK_GATHER_OFF:
		if (gather->periods)
			gather->periods--;
		else if (rate >= HIGH_RATE)
			enter(gather, XSK_GATHER_TRIED);
		return;
	case XSK_GATHER_TRIED:
		if (rate < other / 4 * 3) {
			leave(gather);
			return;
		}
		enter(gather, XSK_GATHER_ON);
		gather->penalty = 0;
		return;
	case XSK_GATHER_ON:
		if (rate < LOW_RATE)
			enter(gather, XSK_GATHER_OFF);
		else if (++gather->periods == CHECK_AFTER)
			enter(gather, XSK_GATHER_CHECKED);
		return;
	case XSK_GATHER_CHECKED:
		if (rate / 4 * 3 > other)
			leave(gather);
		else
			enter(gather, XSK_GATHER_ON);
		return;
	}
}

bool xsk_gather_wanted(struct xsk_gather *gather, uint64_t now_ns, uint64_t packets)
{
	uint64_t elapsed = now_ns - gather->began_ns;
	/* Fewer than before: they are those of other queues. */
	bool tells = elapsed < LONG_PERIOD_NS && packets >= gather->packets;

	if (elapsed >= PERIOD_NS) {
		gather->rate = tells ? (packets - gather->packets) * 1000000000 / elapsed : 0;
		if (tells)
			judge(gather);
		else if (gather->state != XSK_GATHER_OFF)
			enter(gather, XSK_GATHER_OFF);
		gather->began_ns = now_ns;
		gather->packets = packets;
	}
	return gather->state == XSK_GATHER_TRIED || gather->state == XSK_GATHER_ON;
}
