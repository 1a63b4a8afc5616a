/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * When a packet is due. Each is counted from the start, so that nothing adds up; who is late
 * sends what is due at once, in bursts.
 */
#ifndef XSK_CLI_PACE_H
#define XSK_CLI_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "units.h"

/* What is late by more is not made up for: a link that was down would be flooded. */
#define PACE_MAX_LATE_NS UINT64_C(1000000000)

enum pace_kind {
	PACE_MAX,		/* as fast as it goes */
	PACE_RECORDED,		/* by the times of a capture */
	PACE_PACKETS,		/* so many packets, or bits of packets, a second */
	PACE_BITS,
};

struct pace {
	enum pace_kind kind;
	double each_ns;		/* of a packet, a bit, or a recorded nanosecond */
	uint64_t start_ns;	/* as run_now_ns(); later where time was given up */
	double done;		/* packets, or bits, before the next one */
	uint64_t given_up_ns;	/* that were not made up for */
};

/* speed: recorded seconds to one of ours. */
void pace_recorded(struct pace *pace, double speed, uint64_t now_ns);
/* With neither: as fast as it goes. */
void pace_rate(struct pace *pace, const struct units_rate *rate, uint64_t now_ns);

/*
 * When the next packet is due; recorded_ns is its time in the capture, from that of the
 * first one on.
 */
uint64_t pace_due(const struct pace *pace, uint64_t recorded_ns);

/* Of a packet that is due: gives up what is too late to be made up for. */
void pace_late(struct pace *pace, uint64_t due_ns, uint64_t now_ns);

/* A packet of so many bytes goes now. */
void pace_count(struct pace *pace, uint32_t bytes);

/*
 * Until then, or a signal. Asleep for 50 us at least, so that what is due meanwhile goes in
 * one burst; or spinning at the end, to the point.
 */
void pace_sleep(uint64_t until_ns, bool spins);

#endif /* XSK_CLI_PACE_H */
