/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "soak.h"

#define MAGIC 0x736f616b
#define ETHERTYPE 0x88b6		/* for local experiments, IEEE 802 */
#define STAMP_AT 14			/* after the Ethernet header */
#define BYTES_AT (STAMP_AT + sizeof(struct stamp))
#define MOST 9216

static const uint8_t header[STAMP_AT] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2,
					  ETHERTYPE >> 8, ETHERTYPE & 0xff };

static uint32_t check_of(const struct stamp *stamp)
{
	struct chance chance = { stamp->life ^ (uint64_t)stamp->seq << 32 };
	uint64_t sum = chance_word(&chance);

	chance.state ^= stamp->number ^ (uint64_t)stamp->len << 32;
	sum += chance_word(&chance);
	chance.state ^= stamp->queue | stamp->hops << 8 | (uint64_t)stamp->zero << 16;
	return (uint32_t)((sum + chance_word(&chance)) >> 32);
}

/* All but Ethernet's header and the stamp. */
static void fill(uint8_t *packet, const struct stamp *stamp)
{
	struct chance chance = { (uint64_t)stamp->number << 32 | stamp->len };
	size_t at = BYTES_AT;

	while (at < stamp->len) {
		uint64_t word = chance_word(&chance);
		size_t n = stamp->len - at < sizeof(word) ? stamp->len - at : sizeof(word);

		memcpy(packet + at, &word, n);
		at += n;
	}
}

static void seal(struct stamp *stamp)
{
	stamp->magic = MAGIC;
	stamp->zero = 0;
	stamp->check = check_of(stamp);
}

void packet_stamp(const struct xsk_queue *queue, const struct xsk_frame *frames,
		  struct stamp *stamp)
{
	seal(stamp);
	memcpy((uint8_t *)xsk_frame_data(queue, frames) + STAMP_AT, stamp, sizeof(*stamp));
}

void packet_write(const struct xsk_queue *queue, struct xsk_frame *frames, int n,
		  struct stamp *stamp)
{
	uint8_t packet[MOST];
	uint32_t at = 0;

	seal(stamp);
	memcpy(packet, header, sizeof(header));
	memcpy(packet + STAMP_AT, stamp, sizeof(*stamp));
	fill(packet, stamp);
	for (int i = 0; i < n; i++) {
		memcpy(xsk_frame_data(queue, &frames[i]), packet + at, frames[i].len);
		frames[i].options = i < n - 1 ? XSK_FRAME_CONTD : 0;
		at += frames[i].len;
	}
	soak_check(at == stamp->len, "the soak itself: %u bytes in frames, not %u", at,
		   stamp->len);
}

int packet_frames(const struct xsk_frame *frames, int n)
{
	for (int i = 0; i < n; i++)
		if (!(frames[i].options & XSK_FRAME_CONTD))
			return i + 1;
	soak_fail("a burst ended inside a packet, %d frames of which came", n);
}

void packet_check(const struct xsk_queue *queue, const struct xsk_frame *frames, int n,
		  struct stamp *stamp)
{
	uint8_t packet[MOST], wanted[MOST];
	uint32_t len = 0;

	for (int i = 0; i < n; i++) {
		soak_check(frames[i].len <= MOST - len, "a packet of more than %u bytes",
			   len + frames[i].len);
		memcpy(packet + len, xsk_frame_data(queue, &frames[i]), frames[i].len);
		len += frames[i].len;
	}
	soak_check(len >= BYTES_AT, "a packet of %u bytes", len);
	memcpy(stamp, packet + STAMP_AT, sizeof(*stamp));
	soak_check(stamp->magic == MAGIC && stamp->check == check_of(stamp),
		   "a corrupt stamp: magic %x, life %u, seq %u, queue %u, number %u, len %u; "
		   "%u bytes in %d frames, the first 0x%llx", stamp->magic, stamp->life,
		   stamp->seq, stamp->queue, stamp->number, stamp->len, len, n,
		   (unsigned long long)frames[0].addr);
	soak_check(stamp->len == len, "%u bytes of a packet of %u came", len, stamp->len);
	memcpy(wanted, header, sizeof(header));
	memcpy(wanted + STAMP_AT, stamp, sizeof(*stamp));
	fill(wanted, stamp);
	for (uint32_t i = 0; i < len; i++)
		soak_check(packet[i] == wanted[i], "a corrupt packet: life %u, seq %u, %u bytes "
			   "in %d frames, byte %u is 0x%02x, not 0x%02x", stamp->life, stamp->seq,
			   len, n, i, packet[i], wanted[i]);
}

/* ---- none twice ---- */

static bool was_seen(const struct flow *flow, uint32_t seq)
{
	return flow->seen[seq % FLOW_WINDOW / 64] >> seq % 64 & 1;
}

static void begin(struct flow *flow, const struct stamp *stamp)
{
	soak_check(flow->life < stamp->life, "a packet of the life %u comes after %d others",
		   stamp->life, FLOW_LIVES);
	memset(flow, 0, sizeof(*flow));
	flow->life = stamp->life;
	flow->top = stamp->seq;
	/* None of this life yet. */
	flow->top_in = 0;
}

void packet_seen(struct flows *flows, const struct stamp *stamp, uint32_t receiver_life,
		 bool ordered)
{
	struct flow *flow = &flows->at[stamp->life % FLOW_LIVES][stamp->queue % SOAK_LANES];
	uint32_t seq = stamp->seq;

	if (flow->life != stamp->life)
		begin(flow, stamp);
	if (seq > flow->top) {
		for (uint32_t i = flow->top + 1; i != seq && i - flow->top <= FLOW_WINDOW; i++)
			flow->seen[i % FLOW_WINDOW / 64] &= ~(1ULL << i % 64);
		flow->top = seq;
	} else if (flow->top_in) {
		soak_check(flow->top - seq < FLOW_WINDOW, "life %u: seq %u comes after %u",
			   stamp->life, seq, flow->top);
		soak_check(!was_seen(flow, seq), "life %u: seq %u of queue %u comes twice",
			   stamp->life, seq, stamp->queue);
		soak_check(!ordered || flow->top_in != receiver_life,
			   "life %u: seq %u of queue %u comes after %u", stamp->life, seq,
			   stamp->queue, flow->top);
	}
	flow->seen[seq % FLOW_WINDOW / 64] |= 1ULL << seq % 64;
	if (seq == flow->top)
		flow->top_in = receiver_life;
}
