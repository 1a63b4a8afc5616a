/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "soak.h"

#include <errno.h>
#include <stdlib.h>

#include "../net/ports.h"

#define ADDR_MASK ((1ULL << 48) - 1)
/* What the kernel leaves free in front of a received packet. */
#define KERNEL_HEADROOM 256

static struct lane_link *at(struct lane *lane, uint32_t link)
{
	struct lane_link *found = &lane->links[link];

	soak_check(found->queue, "the soak itself: no queue %u on link %u", lane->index, link);
	return found;
}

/* ---- the model: which frames are in a hand ---- */

static uint8_t *mine(struct side *side, uint64_t addr)
{
	uint64_t number = (addr & ADDR_MASK) / side->frame_size;

	soak_check(number < side->frames, "side %d is given frame 0x%llx, beyond its %u frames",
		   side->index, (unsigned long long)addr, side->frames);
	return &side->mine[number];
}

static void take(struct lane *lane, const struct xsk_frame *frames, int n, const char *verb)
{
	for (int i = 0; i < n; i++) {
		uint8_t *in_hand = mine(lane->side, frames[i].addr);

		soak_check(!*in_hand, "xsk_%s() gives frame 0x%llx to side %d, which has it "
			   "already", verb, (unsigned long long)frames[i].addr,
			   lane->side->index);
		*in_hand = 1;
	}
	lane->in_hand += n;
}

static void give(struct lane *lane, const struct xsk_frame *frames, int n)
{
	for (int i = 0; i < n; i++) {
		uint8_t *in_hand = mine(lane->side, frames[i].addr);

		soak_check(*in_hand, "the soak itself gives frame 0x%llx away twice",
			   (unsigned long long)frames[i].addr);
		*in_hand = 0;
	}
	lane->in_hand -= n;
}

void hand_forget(struct side *side)
{
	for (int i = 0; i < SOAK_LANES; i++) {
		struct lane *lane = &side->lanes[i];

		lane->in_hand = lane->nheld = lane->held_frames = 0;
		for (int k = 0; k < SOAK_LINKS; k++)
			lane->links[k].pending = 0;
	}
	free(side->mine);
	side->mine = NULL;
}

/* ---- what verbs may return ---- */

/* Errors that are right just now; 0 then. */
static int allow(struct lane *lane, uint32_t link, const char *verb, int ret)
{
	struct xsk_error error;

	if (ret >= 0)
		return ret;
	xsk_error_last(&error);
	soak_check(error.code == ret, "xsk_%s() says %d, xsk_error_last() %d", verb, ret,
		   error.code);
	if (ret == -ENODEV && soak_is(&soak.leaving)) {
		soak_set(&lane->side->ends[link].gone, true);
		return 0;
	}
	if (ret == -ENETDOWN && soak_is(&soak.disturbed[link]))
		return 0;
	soak_fail("side %d, link %u, queue %u: xsk_%s(): %d: %s; %s", lane->side->index, link,
		  lane->index, verb, ret, error.reason, error.hint);
}

static uint64_t bytes_of(const struct xsk_frame *frames, int n)
{
	uint64_t bytes = 0;

	for (int i = 0; i < n; i++)
		bytes += frames[i].len;
	return bytes;
}

static uint64_t packets_of(const struct xsk_frame *frames, int n)
{
	uint64_t packets = 0;

	for (int i = 0; i < n; i++)
		packets += !(frames[i].options & XSK_FRAME_CONTD);
	return packets;
}

/* ---- the verbs ---- */

int hand_rx(struct lane *lane, uint32_t link, struct xsk_frame *frames, int n)
{
	struct lane_link *way = at(lane, link);
	int got = allow(lane, link, "rx", xsk_rx(way->queue, frames, n));
	uint64_t packets;

	soak_check(got <= n, "xsk_rx() gives %d frames of %d", got, n);
	take(lane, frames, got, "rx");
	for (int i = 0; i < got; i++) {
		uint64_t offset = frames[i].addr & (lane->side->frame_size - 1);

		soak_check(offset == KERNEL_HEADROOM + lane->side->headroom &&
			   offset + frames[i].len <= lane->side->frame_size,
			   "a packet of %u bytes at 0x%llx, with a headroom of %u", frames[i].len,
			   (unsigned long long)frames[i].addr, lane->side->headroom);
	}
	packets = packets_of(frames, got);
	way->rx_packets += packets;
	way->rx_bytes += bytes_of(frames, got);
	way->received += packets;
	soak_did(DID_RECEIVE, packets);
	return got;
}

int hand_alloc(struct lane *lane, uint32_t link, struct xsk_frame *frames, int n)
{
	int got = allow(lane, link, "alloc", xsk_alloc(at(lane, link)->queue, frames, n));

	soak_check(got <= n, "xsk_alloc() gives %d frames of %d", got, n);
	take(lane, frames, got, "alloc");
	for (int i = 0; i < got; i++)
		soak_check(!frames[i].len && !frames[i].options &&
			   (frames[i].addr & (lane->side->frame_size - 1)) == lane->side->headroom,
			   "xsk_alloc() gives 0x%llx, length %u, options %u",
			   (unsigned long long)frames[i].addr, frames[i].len, frames[i].options);
	return got;
}

void hand_free(struct lane *lane, uint32_t link, struct xsk_frame *frames, int n)
{
	int ret;

	if (!n)
		return;
	give(lane, frames, n);
	/* In another order, and by any address in the frame. */
	for (int i = 0; i < n; i++) {
		int other = (int)chance_below(&lane->chance, (uint32_t)n);
		struct xsk_frame frame = frames[i];

		frames[i] = frames[other];
		frames[other] = frame;
	}
	for (int i = 0; i < n; i++) {
		frames[i].addr &= ~(uint64_t)(lane->side->frame_size - 1);
		frames[i].addr += chance_below(&lane->chance, lane->side->frame_size);
	}
	ret = allow(lane, link, "free", xsk_free(at(lane, link)->queue, frames, n));
	soak_check(ret == n, "xsk_free() of %d says %d", n, ret);
}

int hand_tx(struct lane *lane, uint32_t link, const struct xsk_frame *frames, int n)
{
	struct lane_link *way = at(lane, link);
	int took = allow(lane, link, "tx", xsk_tx(way->queue, frames, n));
	uint64_t packets = packets_of(frames, took);

	soak_check(took <= n, "xsk_tx() takes %d frames of %d", took, n);
	soak_check(!took || !(frames[took - 1].options & XSK_FRAME_CONTD),
		   "xsk_tx() takes half a packet");
	give(lane, frames, took);
	way->tx_packets += packets;
	way->tx_bytes += bytes_of(frames, took);
	way->sent += packets;
	soak_did(DID_SEND, packets);
	if (took < n)
		soak_did(DID_CUT, 1);
	return took;
}

int hand_flush(struct lane *lane, uint32_t link)
{
	return allow(lane, link, "flush", xsk_flush(at(lane, link)->queue));
}

int hand_wait(struct lane *lane, struct xsk_queue *const *queues, int n, uint32_t link,
	      int timeout_ms)
{
	uint32_t strategy = lane->side->ends[link].info.wait;
	int ready = allow(lane, link, "wait", xsk_wait(queues, n, timeout_ms));

	soak_check(ready <= n, "xsk_wait() says %d of %d queues", ready, n);
	if (ready)
		soak_did(DID_WAKE_SLEEP + strategy, 1);
	return ready;
}

void hand_misuse(struct lane *lane, uint32_t link, const struct xsk_frame *frame)
{
	struct lane_link *way = at(lane, link);
	struct xsk_error error;
	int ret;

	if (!lane->side->checked || soak_is(&soak.leaving))
		return;
	ret = chance_in(&lane->chance, 2) ? xsk_free(way->queue, frame, 1)
					  : xsk_tx(way->queue, frame, 1);
	/* TX is full, or its interface gone, and nothing was looked at. */
	if (!ret || (ret == -ENODEV && soak_is(&soak.leaving)))
		return;
	xsk_error_last(&error);
	soak_check(ret == -EINVAL && error.code == ret, "a frame that was given away: %d: %s", ret,
		   ret < 0 ? error.reason : "");
	way->refused++;
	soak_did(DID_MISUSE, 1);
}

/* ---- the law ---- */

static void compare(const struct side *side, uint32_t link, const struct xsk_port_stats *stats)
{
	struct lane_link sum = { 0 };
	int64_t in_hand = 0;

	for (int i = 0; i < SOAK_LANES; i++) {
		const struct lane_link *way = &side->lanes[i].links[link];

		in_hand += side->lanes[i].in_hand;
		sum.rx_packets += way->rx_packets;
		sum.rx_bytes += way->rx_bytes;
		sum.tx_packets += way->tx_packets;
		sum.tx_bytes += way->tx_bytes;
		sum.refused += way->refused;
	}
	soak_check(stats->frames == side->frames, "side %d has %u frames, not %llu", side->index,
		   side->frames, (unsigned long long)stats->frames);
	soak_check((int64_t)stats->in_caller == in_hand, "side %d: the caller has %lld frames, "
		   "the port says %lld", side->index, (long long)in_hand,
		   (long long)stats->in_caller);
	soak_check(stats->rx_packets == sum.rx_packets && stats->rx_bytes == sum.rx_bytes &&
		   stats->tx_packets == sum.tx_packets && stats->tx_bytes == sum.tx_bytes &&
		   stats->refused == sum.refused,
		   "side %d, link %u, received, sent, refused: %llu %llu %llu; the port says "
		   "%llu %llu %llu", side->index, link, (unsigned long long)sum.rx_packets,
		   (unsigned long long)sum.tx_packets, (unsigned long long)sum.refused,
		   (unsigned long long)stats->rx_packets, (unsigned long long)stats->tx_packets,
		   (unsigned long long)stats->refused);
	soak_check(!stats->bad_frames, "side %d, link %u: the kernel gave %llu frames that it "
		   "did not have", side->index, link, (unsigned long long)stats->bad_frames);
	soak_check(!stats->rx_invalid && !stats->tx_invalid, "side %d, link %u: invalid "
		   "descriptors: %llu received, %llu sent", side->index, link,
		   (unsigned long long)stats->rx_invalid, (unsigned long long)stats->tx_invalid);
	soak_check(!stats->kick_failed || soak_is(&soak.leaving), "side %d, link %u: %llu kicks "
		   "failed", side->index, link, (unsigned long long)stats->kick_failed);
}

void hand_law(struct side *side)
{
	for (uint32_t i = 0; i < soak.links; i++) {
		const struct xsk_port *port = side->ends[i].port;
		struct xsk_port_stats stats;

		if (!port)
			continue;
		pthread_mutex_lock(&side->asking);
		stats = ports_assert_law(port);
		pthread_mutex_unlock(&side->asking);
		compare(side, i, &stats);
	}
	soak_did(DID_LAW, 1);
}
