/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "soak.h"

#define LEAST_PACKET 60
#define MOST_PACKET 1514
#define MOST_FRAGS_PACKET 9014
#define LEAST_FIRST 64			/* the stamp is in a packet's first frame */
#define MOST_HOPS 6

static uint32_t below(struct lane *lane, uint32_t n)
{
	return chance_below(&lane->chance, n);
}

static bool one_in(struct lane *lane, uint32_t n)
{
	return chance_in(&lane->chance, n);
}

/* A link on which the lane has a queue. */
static uint32_t some_link(struct lane *lane)
{
	uint32_t link = below(lane, soak.links);

	return lane->links[link].queue ? link : !link;
}

static bool has_queue(const struct lane *lane)
{
	for (uint32_t i = 0; i < soak.links; i++)
		if (lane->links[i].queue)
			return true;
	return false;
}

/* A lane by whose queue frames of this one may be freed: of the same thread. */
static struct lane *freeing_lane(struct lane *lane, bool alone, uint32_t link)
{
	struct lane *other = &lane->side->lanes[below(lane, SOAK_LANES)];

	if (!alone || !one_in(lane, 64) || other == lane || !other->links[link].queue)
		return lane;
	soak_did(DID_MOVE, 1);
	return other;
}

static void free_some(struct lane *lane, bool alone, uint32_t link, struct xsk_frame *frames,
		      int n)
{
	struct lane *by = freeing_lane(lane, alone, link);

	if (!n)
		return;
	lane->in_hand -= n;
	by->in_hand += n;
	hand_free(by, link, frames, n);
	if (one_in(lane, 256))
		hand_misuse(by, link, &frames[below(lane, (uint32_t)n)]);
}

/* ---- sending ---- */

/* Of the way, what is new in the stamp. */
static void address(struct lane *lane, uint32_t link, struct stamp *stamp)
{
	stamp->life = lane->side->ends[link].life;
	stamp->queue = (uint8_t)lane->index;
	stamp->seq = lane->links[link].seq++;
}

static void append(struct lane *lane, uint32_t link, const struct xsk_frame *frames, int n)
{
	struct lane_link *way = &lane->links[link];

	memcpy(way->frames + way->pending, frames, (size_t)n * sizeof(*frames));
	way->pending += n;
}

static bool has_space(const struct lane *lane, uint32_t link, int n)
{
	return lane->links[link].queue && lane->links[link].pending + n <= SOAK_PENDING;
}

void work_drop_pending(struct lane *lane, uint32_t link, uint32_t by_link)
{
	struct lane_link *way = &lane->links[link];
	int n = way->pending;

	way->pending = 0;
	hand_free(lane, by_link, way->frames, n);
}

void work_push(struct lane *lane, uint32_t link)
{
	struct lane_link *way = &lane->links[link];
	int n = way->pending, took;

	if (!n)
		return;
	/* Sometimes in parts; half a packet may be refused, so only where there is none. */
	if (!soak.frags && one_in(lane, 8))
		n = 1 + (int)below(lane, (uint32_t)n);
	took = hand_tx(lane, link, way->frames, n);
	if (took && one_in(lane, 256))
		hand_misuse(lane, link, &way->frames[below(lane, (uint32_t)took)]);
	way->pending -= took;
	memmove(way->frames, way->frames + took, (size_t)way->pending * sizeof(*way->frames));
	if (took < n && one_in(lane, 4))
		work_drop_pending(lane, link, link);
}

/* A length, and in how many frames; the frames have room for it. */
static uint32_t choose_length(struct lane *lane, uint32_t room, int *frames, int available)
{
	uint32_t most = soak.frags ? MOST_FRAGS_PACKET : MOST_PACKET;
	uint32_t len = one_in(lane, 4) ? chance_from(&lane->chance, LEAST_PACKET, 128)
				       : chance_from(&lane->chance, LEAST_PACKET, most);
	int n;

	if (len > room * (uint32_t)available)
		len = room * (uint32_t)available;
	n = (int)((len + room - 1) / room);
	if (soak.frags && len >= 2 * LEAST_FIRST && one_in(lane, 2))
		n += (int)below(lane, (uint32_t)((available < SOAK_FRAGS ? available : SOAK_FRAGS)
						 - n + 1));
	*frames = n;
	return len;
}

/* Lengths of the n frames that together are len; and where in the frames they lie. */
static void cut(struct lane *lane, struct xsk_frame *frames, int n, uint32_t len, uint32_t room)
{
	for (int i = 0; i < n; i++) {
		uint32_t after = (uint32_t)(n - 1 - i);
		uint32_t least = len > after * room ? len - after * room : 1;
		uint32_t most = len - after < room ? len - after : room;

		if (!i && n > 1 && least < LEAST_FIRST)
			least = LEAST_FIRST;
		frames[i].len = chance_from(&lane->chance, least, most);
		len -= frames[i].len;
		if (one_in(lane, 2))
			frames[i].addr += below(lane, room - frames[i].len + 1);
	}
}

/* One packet into frames; returns how many it took. Without a link it is never sent. */
static int write_packet(struct lane *lane, uint32_t link, struct xsk_frame *frames, int available,
			struct stamp *stamp)
{
	uint32_t room = lane->side->frame_size - lane->side->headroom;
	int n;

	*stamp = (struct stamp){ .number = (uint32_t)chance_word(&lane->chance) };
	stamp->len = choose_length(lane, room, &n, available);
	cut(lane, frames, n, stamp->len, room);
	if (link < SOAK_LINKS)
		address(lane, link, stamp);
	packet_write(lane->links[link < SOAK_LINKS ? link : some_link(lane)].queue, frames, n,
		     stamp);
	return n;
}

/* Returns how many frames it allocated; they are pending then. */
static int prepare_burst(struct lane *lane, uint32_t link)
{
	int n = 1 + (int)below(lane, SOAK_BURST), got = 0, used = 0;
	struct xsk_frame frames[SOAK_BURST];
	struct stamp stamp;

	if (has_space(lane, link, n))
		got = hand_alloc(lane, link, frames, n);
	while (used < got)
		used += write_packet(lane, link, frames + used, got - used, &stamp);
	append(lane, link, frames, got);
	return got;
}

void work_take_all(struct lane *lane, uint32_t link)
{
	while (prepare_burst(lane, link))
		;
}

static void send_burst(struct lane *lane, uint32_t link)
{
	prepare_burst(lane, link);
	work_push(lane, link);
	if (!one_in(lane, 8))
		hand_flush(lane, link);
}

/* By whichever queue: frames that were freed on others can all be on one. */
static struct xsk_frame find_frame(struct lane *lane, uint32_t link)
{
	uint64_t deadline = soak_now_us() + 2000000;
	struct xsk_frame frame;

	for (uint32_t i = lane->index; ; i = (i + 1) % SOAK_LANES) {
		struct lane *other = &lane->side->lanes[i];

		if (other->links[link].queue && hand_alloc(other, link, &frame, 1)) {
			other->in_hand--;
			lane->in_hand++;
			return frame;
		}
		soak_check(soak_now_us() < deadline, "side %d, link %u, queue %u: no frame to "
			   "send with, of %u", lane->side->index, link, lane->index,
			   lane->side->frames);
	}
}

void work_send_one(struct lane *lane, uint32_t link)
{
	struct xsk_frame frame = find_frame(lane, link);
	struct stamp stamp = { .number = (uint32_t)chance_word(&lane->chance), .len = 100 };

	frame.len = stamp.len;
	address(lane, link, &stamp);
	packet_write(lane->links[link].queue, &frame, 1, &stamp);
	soak_check(hand_tx(lane, link, &frame, 1) == 1, "side %d, link %u, queue %u: TX is empty, "
		   "but has no room", lane->side->index, link, lane->index);
	soak_check(!hand_flush(lane, link), "one packet, and TX still holds some");
}

/* ---- holding ---- */

static bool may_hold(const struct lane *lane, int n)
{
	uint32_t most = lane->side->frames_per_pool / 8;

	return lane->nheld < SOAK_HELD && (uint32_t)(lane->held_frames + n) <= most;
}

static void hold(struct lane *lane, const struct xsk_frame *frames, int n,
		 const struct stamp *stamp)
{
	struct held *held = &lane->held[lane->nheld++];

	memcpy(held->frames, frames, (size_t)n * sizeof(*frames));
	held->n = n;
	held->stamp = *stamp;
	lane->held_frames += n;
	soak_did(DID_HOLD, 1);
}

static bool forward(struct lane *lane, uint32_t link, const struct xsk_frame *frames, int n,
		    struct stamp *stamp)
{
	if (stamp->hops >= MOST_HOPS || !has_space(lane, link, n))
		return false;
	stamp->hops++;
	address(lane, link, stamp);
	packet_stamp(lane->links[link].queue, frames, stamp);
	append(lane, link, frames, n);
	return true;
}

/* One of those that are held, whichever; nobody has written to it meanwhile. */
static void release(struct lane *lane, bool alone, bool may_send)
{
	uint32_t link = some_link(lane);
	struct held *last = &lane->held[lane->nheld - 1], held;
	struct held *one = &lane->held[below(lane, (uint32_t)lane->nheld)];
	struct stamp stamp;

	held = *one;
	*one = *last;
	lane->nheld--;
	lane->held_frames -= held.n;
	packet_check(lane->links[link].queue, held.frames, held.n, &stamp);
	soak_check(!memcmp(&stamp, &held.stamp, sizeof(stamp)), "a packet that is held was "
		   "overwritten: life %u, seq %u by life %u, seq %u", held.stamp.life,
		   held.stamp.seq, stamp.life, stamp.seq);
	if (!stamp.life)
		soak_did(DID_FREE_UNSENT, 1);
	else if (may_send && one_in(lane, 4) &&
		 forward(lane, link, held.frames, held.n, &held.stamp))
		return;
	free_some(lane, alone, link, held.frames, held.n);
}

void work_release_all(struct lane *lane)
{
	while (lane->nheld)
		release(lane, false, false);
}

void work_hold(struct lane *lane, bool alone)
{
	uint32_t link = some_link(lane);
	struct xsk_frame frames[SOAK_FRAGS];
	int n = 1 + (int)below(lane, SOAK_FRAGS), got, used = 0;
	struct stamp stamp;

	got = hand_alloc(lane, link, frames, n);
	if (got && may_hold(lane, got)) {
		used = write_packet(lane, SOAK_LINKS, frames, got, &stamp);
		hold(lane, frames, used, &stamp);
	} else if (got) {
		soak_did(DID_FREE_UNSENT, 1);
	}
	free_some(lane, alone, link, frames + used, got - used);
}

/* ---- receiving ---- */

static int receive(struct lane *lane, uint32_t link, struct xsk_frame *frames, int most)
{
	const struct end *end = &lane->side->ends[link];
	int n = 1 + (int)below(lane, (uint32_t)most);

	if (soak.frags && n < SOAK_FRAGS)
		n = SOAK_FRAGS;
	n = hand_rx(lane, link, frames, n);
	for (int i = 0; i < n; ) {
		int packet = packet_frames(frames + i, n - i);
		struct stamp stamp;

		packet_check(lane->links[link].queue, frames + i, packet, &stamp);
		packet_seen(&lane->side->flows[link], &stamp, end->life,
			    end->info.mode == XSK_MODE_NATIVE);
		if (packet > 1)
			soak_did(DID_FRAGS, 1);
		i += packet;
	}
	return n;
}

/* What becomes of a received packet; false: it is to be freed. */
static bool keep(struct lane *lane, uint32_t link, const struct xsk_frame *frames, int n)
{
	uint32_t other = soak.links > 1 && !one_in(lane, 4) ? !link : link;
	struct stamp stamp;

	switch (below(lane, 8)) {
	case 0:
		packet_check(lane->links[link].queue, frames, n, &stamp);
		if (!may_hold(lane, n))
			return false;
		hold(lane, frames, n, &stamp);
		return true;
	case 1:
	case 2:
		packet_check(lane->links[link].queue, frames, n, &stamp);
		if (!forward(lane, other, frames, n, &stamp))
			return false;
		soak_did(other == link ? DID_ECHO : DID_FORWARD, 1);
		return true;
	}
	return false;
}

static void receive_burst(struct lane *lane, bool alone, uint32_t link)
{
	struct xsk_frame frames[2 * SOAK_BURST], rest[2 * SOAK_BURST];
	int n = receive(lane, link, frames, 2 * SOAK_BURST), left = 0;

	for (int i = 0; i < n; ) {
		int packet = packet_frames(frames + i, n - i);

		if (!keep(lane, link, frames + i, packet)) {
			memcpy(rest + left, frames + i, (size_t)packet * sizeof(*frames));
			left += packet;
		}
		i += packet;
	}
	free_some(lane, alone, one_in(lane, 2) ? link : some_link(lane), rest, left);
	for (uint32_t i = 0; i < soak.links; i++)
		if (lane->links[i].queue && lane->links[i].pending && one_in(lane, 2))
			work_push(lane, i);
}

int work_receive_all(struct lane *lane, uint32_t link)
{
	struct xsk_frame frames[2 * SOAK_BURST];
	int all = 0, n;

	do {
		n = receive(lane, link, frames, 2 * SOAK_BURST);
		hand_free(lane, link, frames, n);
		all += n;
	} while (n);
	return all;
}

/* ---- all of it ---- */

static void wait_some(struct lane *lane, bool alone)
{
	struct xsk_queue *queues[SOAK_LANES * SOAK_LINKS];
	uint32_t first = some_link(lane);
	int n = 0;

	queues[n++] = lane->links[first].queue;
	if (soak.links > 1 && one_in(lane, 2) && lane->links[!first].queue)
		queues[n++] = lane->links[!first].queue;
	for (int i = 0; alone && one_in(lane, 2) && i < SOAK_LANES; i++)
		if (&lane->side->lanes[i] != lane && lane->side->lanes[i].links[first].queue)
			queues[n++] = lane->side->lanes[i].links[first].queue;
	hand_wait(lane, queues, n, first, (int)below(lane, 4));
}

void work_step(struct lane *lane, bool alone)
{
	uint32_t link, what = below(lane, 16);

	if (!has_queue(lane)) {
		soak_sleep_us(1000);
		return;
	}
	link = some_link(lane);
	if (what < 6)
		receive_burst(lane, alone, link);
	else if (what < 10)
		send_burst(lane, link);
	else if (what < 11)
		hand_flush(lane, link);
	else if (what < 12)
		work_hold(lane, alone);
	else if (what < 14)
		wait_some(lane, alone);
	else if (lane->nheld)
		release(lane, alone, true);
}
