/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "source.h"

#include "generate.h"

static bool end(struct source *source, bool is_broken)
{
	source->is_over = true;
	source->is_broken = is_broken;
	return false;
}

/* The next round follows after the mean gap. */
static bool next_round(struct source *source)
{
	uint64_t gap;

	if (source->rounds && source->round + 1 >= source->rounds)
		return end(source, false);
	gap = source->number > 1 ? (source->last_ns - source->base_ns) / (source->number - 1) : 0;
	source->base_ns = source->last_ns + gap;
	source->last_ns = source->base_ns;
	source->round++;
	source->number = 0;
	return capture_rewind(source->capture, source->why) || end(source, true);
}

/* Times that go back, as in captures of several queues, are those of the packet before. */
static void take_time(struct source *source, uint64_t time_ns)
{
	uint64_t ns;

	if (!source->number)
		source->first_ns = time_ns;
	ns = time_ns > source->first_ns ? time_ns - source->first_ns : 0;
	if (source->base_ns + ns > source->last_ns)
		source->last_ns = source->base_ns + ns;
}

static enum source_got capture_packet(struct source *source, struct packet *packet)
{
	struct capture_packet captured;
	int got;

	if (source->is_over)
		return SOURCE_END;
	got = capture_next(source->capture, &captured, source->why);
	if (!got && next_round(source))
		got = capture_next(source->capture, &captured, source->why);
	if (got == CAPTURE_LATER)
		return SOURCE_LATER;
	if (got <= 0) {
		if (!source->is_over)
			end(source, got < 0);
		return SOURCE_END;
	}
	take_time(source, captured.time_ns);
	source->number++;
	*packet = (struct packet){ captured.data, captured.len, source->last_ns,
				   captured.len < captured.wire_len };
	return SOURCE_PACKET;
}

enum source_got source_next(struct source *source, struct packet *packet)
{
	if (source->capture)
		return capture_packet(source, packet);
	*packet = (struct packet){ generate_next(source->generator), source->size, 0, false };
	return SOURCE_PACKET;
}

void source_wait(struct source *source, int timeout_ms)
{
	capture_wait(source->capture, timeout_ms);
}

void source_stamp(struct source *source, uint64_t realtime_ns)
{
	if (source->generator)
		generate_stamp(source->generator, realtime_ns);
}
