/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Where the packets of xsk send are from: a capture, once or several times, or made here. */
#ifndef XSK_CLI_SOURCE_H
#define XSK_CLI_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture_read.h"

struct generator;

/* All zeros but for the first ones. */
struct source {
	struct capture *capture;	/* one of the two; they stay the caller's */
	struct generator *generator;
	uint32_t size;			/* of what is generated */
	uint64_t rounds;		/* of the capture; 0: without an end */

	uint64_t round;			/* this one, from 0 on */
	uint64_t number;		/* of the last packet in its round, from 1 on */
	bool is_over;			/* there are no more */
	bool is_broken;			/* and why says why not */
	char why[CAPTURE_WHY];
	uint64_t first_ns, base_ns, last_ns;	/* times of the capture, and of this round */
};

struct packet {
	const void *data;		/* until the next one */
	uint32_t len;
	uint64_t time_ns;		/* from the first one on, through all rounds */
	bool is_cut;			/* the capture has it not as a whole */
};

enum source_got { SOURCE_END, SOURCE_PACKET, SOURCE_LATER };

/* A packet; or there are no more; or not yet, of a pipe. */
enum source_got source_next(struct source *source, struct packet *packet);

/* After SOURCE_LATER: until there is one, or the end, and at most so long. */
void source_wait(struct source *source, int timeout_ms);

/* The last packet is about to be sent: what is generated gets its time. */
void source_stamp(struct source *source, uint64_t realtime_ns);

#endif /* XSK_CLI_SOURCE_H */
