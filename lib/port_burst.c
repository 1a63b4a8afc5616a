/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The hot path: bursts between the caller, the pool and the rings. No system call on a
 * packet's way, no lock, no memory is allocated. (Who finds nothing to do, or has not
 * flushed for long, looks whether the interface is still there.)
 *
 * The kernel never has more frames for receiving than FILL has entries, nor more to
 * send than COMPLETION has: so FILL and TX always have room for what may go in, and
 * their consumers' counters, which the kernel writes, need not be read. (As long as it
 * completes what it was given, once. Else the book of a checked port tells.)
 */
#include "port.h"

#include <errno.h>
#include <string.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

_Static_assert(sizeof(struct xsk_frame) == sizeof(struct xdp_desc),
	       "a frame is what a ring holds");

/* ---- rings to arrays and back; they end somewhere, and go on at their start ---- */

static inline void put_frames(struct xsk_ring_prod *ring, const struct xsk_frame *frames,
			      uint32_t n)
{
	uint32_t at = ring->cached_prod & ring->mask;
	uint32_t first = ring->size - at < n ? ring->size - at : n;
	struct xsk_frame *entries = ring->ring;

	memcpy(entries + at, frames, first * sizeof(*frames));
	if (unlikely(first < n))
		memcpy(entries, frames + first, (n - first) * sizeof(*frames));
	ring->cached_prod += n;
	xsk_ring_prod__submit(ring, n);
}

static inline void put_addrs(struct xsk_ring_prod *ring, const uint64_t *addrs, uint32_t n)
{
	uint32_t at = ring->cached_prod & ring->mask;
	uint32_t first = ring->size - at < n ? ring->size - at : n;
	uint64_t *entries = ring->ring;

	memcpy(entries + at, addrs, first * sizeof(*addrs));
	if (unlikely(first < n))
		memcpy(entries, addrs + first, (n - first) * sizeof(*addrs));
	ring->cached_prod += n;
	xsk_ring_prod__submit(ring, n);
}

static inline void get_frames(const struct xsk_ring_cons *ring, struct xsk_frame *frames,
			      uint32_t n)
{
	uint32_t at = ring->cached_cons & ring->mask;
	uint32_t first = ring->size - at < n ? ring->size - at : n;
	const struct xsk_frame *entries = ring->ring;

	memcpy(frames, entries + at, first * sizeof(*frames));
	if (unlikely(first < n))
		memcpy(frames + first, entries, (n - first) * sizeof(*frames));
}

/* ---- receive ---- */

static void drain_queues(const struct xsk_port *port, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end && i < port->nqueues; i++)
		if (port->queues[i].tx_out)
			xsk_queue_drain(&port->queues[i]);
}

/*
 * What was sent comes back, of all ports that share the pool, for this thread is
 * theirs too; and of all queues, if it is. Else who only waits for packets, and has sent
 * all frames, would have none to receive with.
 */
void xsk_queue_find_frames(struct xsk_queue *queue, uint32_t n)
{
	struct xsk_memory *memory = queue->memory;
	uint32_t first = memory->one_thread ? 0 : queue->index;
	uint32_t end = memory->one_thread ? memory->npools : queue->index + 1;
	uint32_t left = memory->nports;

	if (queue->tx_out)
		xsk_queue_drain(queue);
	if (queue->pool->count >= n)
		return;
	for (int i = 0; left; i++) {
		if (!memory->ports[i])
			continue;
		left--;
		drain_queues(memory->ports[i], first, end);
	}
	if (memory->one_thread)
		xsk_pool_borrow(memory, queue->pool, n);
}

/* TX began with none, so what went in and is not out any more has come back. */
uint32_t xsk_queue_returned(const struct xsk_queue *queue)
{
	const struct xsk_memory *memory = queue->memory;
	uint32_t first = memory->one_thread ? 0 : queue->index;
	uint32_t end = memory->one_thread ? memory->npools : queue->index + 1;
	uint32_t left = memory->nports, returned = 0;

	for (int i = 0; left; i++) {
		const struct xsk_port *port = memory->ports[i];

		if (!port)
			continue;
		left--;
		for (uint32_t k = first; k < end && k < port->nqueues; k++)
			returned += port->queues[k].tx.cached_prod - port->queues[k].tx_out;
	}
	return returned;
}

/* What was sent of the pool's frames, by this queue and by the one that sent some last. */
static void drain_senders(struct xsk_queue *queue)
{
	const struct xsk_port *other = queue->memory->ports[queue->pool->sent_by];

	if (queue->tx_out)
		xsk_queue_drain(queue);
	if (unlikely(other && other != queue->port))
		drain_queues(other, queue->index, queue->index + 1);
}

/*
 * Called before a burst is taken, when the frames of the last one are mostly back: freed, or
 * sent on. FILL gets the same frames in the same order again and again then, and the kernel
 * finds what it keeps of them in the caches. That is what the slack is for; where more lack,
 * others are taken at once.
 */
void xsk_queue_refill(struct xsk_queue *queue)
{
	uint32_t n = queue->fill_target - queue->fill_out;
	struct xsk_pool *pool = queue->pool;

	drain_senders(queue);
	if (unlikely(n > pool->count))
		xsk_queue_find_frames(queue, n);
	if (unlikely(queue->booked)) {
		xsk_checked_refill(queue);
		return;
	}
	if (n > pool->count)
		n = pool->count;
	if (!n)
		return;
	xsk_set_number(&pool->count, pool->count - n);
	put_addrs(&queue->fill, pool->free + pool->count, n);
	xsk_set_number(&queue->fill_out, queue->fill_out + n);
}

/* Of a burst that ends inside a packet, what is whole. */
static uint32_t whole_packets(const struct xsk_frame *frames, uint32_t n)
{
	while (n && frames[n - 1].options & XSK_FRAME_CONTD)
		n--;
	return n;
}

static inline uint32_t count_packets(const struct xsk_queue *queue,
				     const struct xsk_frame *frames, uint32_t n)
{
	uint32_t packets = n;

	if (queue->max_frags > 1)
		for (uint32_t i = 0; i < n; i++)
			packets -= frames[i].options & XSK_FRAME_CONTD;
	return packets;
}

static inline uint64_t count_bytes(const struct xsk_frame *frames, uint32_t n)
{
	uint64_t bytes = 0;

#pragma GCC unroll 4
	for (uint32_t i = 0; i < n; i++)
		bytes += frames[i].len;
	return bytes;
}

/* Their bytes. The caller is about to look at the beginning of each, or to send it on. */
static inline uint64_t count_and_prefetch(const struct xsk_queue *queue,
					  const struct xsk_frame *frames, uint32_t n)
{
	const uint64_t base = queue->base;
	uint64_t bytes = 0;

#pragma GCC unroll 4
	for (uint32_t i = 0; i < n; i++) {
		__builtin_prefetch((const void *)(uintptr_t)(base + frames[i].addr));
		bytes += frames[i].len;
	}
	return bytes;
}

int xsk_rx(struct xsk_queue *queue, struct xsk_frame *frames, int n)
{
	uint32_t got, whole;

	if (unlikely(n <= 0))
		return n;
	if (unlikely(!queue->can_rx))
		return xsk_refuse_direction(queue, "rx");
	if (queue->fill_out < queue->fill_target)
		xsk_queue_refill(queue);
	got = xsk_cons_nb_avail(&queue->rx, (uint32_t)n);
	/* No more are believed than were given, or FILL would get more than it has room for. */
	if (unlikely(got > queue->fill_out))
		got = queue->fill_out;
	if (!got)
		return xsk_queue_look(queue);

	get_frames(&queue->rx, frames, got);
	whole = whole_packets(frames, got);
	if (unlikely(!whole))
		return got == (uint32_t)n ? xsk_refuse_large(queue, n) : xsk_queue_look(queue);
	queue->rx.cached_cons += whole;
	xsk_ring_cons__release(&queue->rx, whole);
	xsk_set_number(&queue->fill_out, queue->fill_out - whole);
	if (unlikely(queue->booked))
		whole = (uint32_t)xsk_checked_rx(queue, frames, (int)whole);
	xsk_pool_lend(queue->pool, whole);
	xsk_count(&queue->counters.rx_packets, count_packets(queue, frames, whole));
	xsk_count(&queue->counters.rx_bytes, count_and_prefetch(queue, frames, whole));
	if (queue->fill_target - queue->fill_out > queue->fill_slack)
		xsk_queue_refill(queue);
	return (int)whole;
}

/* ---- pool ---- */

/* Those that are not in the memory are counted, and left. */
static uint32_t push_good(struct xsk_queue *queue, uint32_t n)
{
	struct xsk_pool *pool = queue->pool;
	uint64_t *top = pool->free + pool->count;
	uint32_t good = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t addr = *xsk_ring_cons__comp_addr(&queue->comp,
							  queue->comp.cached_cons + i);

		if (addr < queue->area_size)
			top[good++] = addr & ~queue->offset_mask;
	}
	xsk_count(&queue->counters.bad_frames, n - good);
	return good;
}

/* Copies addresses as starts of frames. Returns the bits that any of them had. */
static inline uint64_t copy_starts(uint64_t *restrict to, const uint64_t *restrict from,
				   uint32_t n, uint64_t mask)
{
	uint64_t all = 0;

#pragma GCC unroll 4
	for (uint32_t i = 0; i < n; i++) {
		all |= from[i];
		to[i] = from[i] & mask;
	}
	return all;
}

static inline uint32_t push_completed(struct xsk_queue *queue, uint32_t n)
{
	const struct xsk_ring_cons *ring = &queue->comp;
	uint64_t *top = queue->pool->free + queue->pool->count;
	const uint64_t *entries = ring->ring;
	uint32_t at = ring->cached_cons & ring->mask, first = ring->size - at;
	const uint64_t mask = ~queue->offset_mask;
	uint64_t all;

	if (likely(first > n))
		first = n;
	all = copy_starts(top, entries + at, first, mask);
	if (unlikely(first < n))
		all |= copy_starts(top + first, entries, n - first, mask);
	/* Many at once: none is beyond the end if all their bits together are not. */
	return likely(all < queue->area_size) ? n : push_good(queue, n);
}

/* Of the kernel's completions no more are believed than frames were given to it. */
void xsk_queue_drain(struct xsk_queue *queue)
{
	uint32_t n = xsk_cons_nb_avail(&queue->comp, queue->comp.size), good;
	struct xsk_pool *pool = queue->pool;

	if (!n)
		return;
	if (unlikely(queue->booked)) {
		xsk_checked_drain(queue);
		return;
	}
	good = n < queue->tx_out ? n : queue->tx_out;
	if (unlikely(good > queue->memory->frames - pool->count))
		good = queue->memory->frames - pool->count;
	if (unlikely(good < n))
		xsk_count(&queue->counters.bad_frames, n - good);
	good = push_completed(queue, good);
	queue->comp.cached_cons += n;
	xsk_ring_cons__release(&queue->comp, n);
	xsk_set_number(&pool->count, pool->count + good);
	xsk_set_number(&queue->tx_out, queue->tx_out - good);
}

static inline int look(struct xsk_queue *queue)
{
	if (queue->spared_looks && !queue->gone) {
		queue->spared_looks--;
		return 0;
	}
	return xsk_queue_look(queue);
}

/*
 * Who sends what he got, and waits, is to be told when it is back. Who frees it, and
 * waits, is to be told when there is more than that, or he would never sleep.
 */
static void want_frames(struct xsk_queue *queue)
{
	queue->wants_frames = queue->pool->count + 1;
	queue->had_returned = xsk_queue_returned(queue);
}

int xsk_alloc(struct xsk_queue *queue, struct xsk_frame *frames, int n)
{
	struct xsk_pool *pool = queue->pool;
	const uint64_t *top;
	uint64_t start;

	if (unlikely(n <= 0))
		return n;
	if (unlikely(look(queue)))
		return -ENODEV;
	queue->wants_frames = 0;
	if (queue->tx_out)
		xsk_queue_drain(queue);
	if (unlikely(pool->count < (uint32_t)n))
		xsk_queue_find_frames(queue, (uint32_t)n);
	if (unlikely(pool->count < (uint32_t)n)) {
		want_frames(queue);
		n = (int)pool->count;
		if (!n)
			return xsk_queue_look(queue);
	}
	if (unlikely(queue->booked))
		return xsk_checked_alloc(queue, frames, n);
	start = queue->memory->headroom;
	top = pool->free + pool->count - n;
#pragma GCC unroll 4
	for (int i = 0; i < n; i++) {
		frames[i].addr = top[i] + start;
		frames[i].len = 0;
		frames[i].options = 0;
	}
	xsk_set_number(&pool->count, pool->count - (uint32_t)n);
	xsk_pool_lend(pool, n);
	return n;
}

static bool all_in_memory(const struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	for (int i = 0; i < n; i++)
		if (frames[i].addr >= queue->area_size)
			return false;
	return true;
}

int xsk_free(struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	struct xsk_pool *pool = queue->pool;
	const uint64_t mask = ~queue->offset_mask;
	uint64_t *top = pool->free + pool->count;
	uint64_t all = 0;

	if (unlikely(n <= 0))
		return n;
	if (unlikely(queue->booked))
		return xsk_checked_free(queue, frames, n);
	if (unlikely((uint32_t)n > queue->memory->frames - pool->count))
		return xsk_refuse_surplus(queue);
	/* What stands above the top is nobody's, also if it is refused then. */
#pragma GCC unroll 4
	for (int i = 0; i < n; i++) {
		all |= frames[i].addr;
		top[i] = frames[i].addr & mask;
	}
	if (unlikely(all >= queue->area_size) && !all_in_memory(queue, frames, n))
		return xsk_refuse_free(queue, frames, n);
	xsk_set_number(&pool->count, pool->count + (uint32_t)n);
	xsk_pool_lend(pool, -n);
	return n;
}

/* ---- transmit ---- */

/* Whether all of them lie in their frames and in the memory; false may be wrong. */
static inline bool all_sendable(const struct xsk_queue *queue, const struct xsk_frame *frames,
				int n, uint64_t *bytes)
{
	const uint64_t mask = queue->offset_mask;
	uint64_t bad = 0, addrs = 0, sum = 0;

#pragma GCC unroll 4
	for (int i = 0; i < n; i++) {
		uint64_t addr = frames[i].addr;
		/* Far beyond the frame where there are options, or the length is 0. */
		uint64_t last = ((uint64_t)frames[i].options << 32 | frames[i].len) - 1;

		bad |= last | ((addr & mask) + last);
		addrs |= addr;
		sum += last;
	}
	*bytes = sum + (uint32_t)n;
	return !(bad & ~mask) && addrs < queue->area_size;
}

/* No room: as far as it goes, and the caller is woken when the next packet has some. */
static int cut(struct xsk_queue *queue, const struct xsk_frame *frames, uint32_t n,
	       uint32_t room)
{
	uint32_t take = whole_packets(frames, room), need = 1;

	while (need < queue->max_frags && take + need < n &&
	       frames[take + need - 1].options & XSK_FRAME_CONTD)
		need++;
	queue->wants_room = need < queue->tx_limit ? need : queue->tx_limit;
	return (int)take;
}

/* Where not even the first packet fits: it may be one that never will. */
static int none_fits(struct xsk_queue *queue, const struct xsk_frame *frames, int n, uint32_t room)
{
	if (room < queue->max_frags)
		return xsk_queue_look(queue);
	queue->wants_room = 0;
	return xsk_refuse_tx(queue, frames, n);
}

int xsk_tx(struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	uint32_t room;
	uint64_t bytes;
	int take = n;

	if (unlikely(n <= 0))
		return n;
	if (unlikely(!queue->may_tx)) {
		int err = xsk_queue_fail_tx(queue);

		if (err)
			return err;
	}
	if (unlikely(look(queue)))
		return -ENODEV;
	if (queue->tx_out)
		xsk_queue_drain(queue);
	room = queue->tx_limit - queue->tx_out;
	queue->wants_room = 0;
	if (unlikely((uint32_t)n > room)) {
		take = cut(queue, frames, (uint32_t)n, room);
		if (!take)
			return none_fits(queue, frames, n, room);
	}
	if (unlikely(queue->booked))
		return xsk_checked_tx(queue, frames, take);
	if (unlikely(!all_sendable(queue, frames, take, &bytes))) {
		/* With several frames to a packet, for one. */
		take = xsk_queue_sendable(queue, frames, take);
		if (!take)
			return xsk_refuse_tx(queue, frames, n);
		bytes = count_bytes(frames, (uint32_t)take);
	}
	put_frames(&queue->tx, frames, (uint32_t)take);
	xsk_set_number(&queue->tx_out, queue->tx_out + (uint32_t)take);
	xsk_pool_lend(queue->pool, -take);
	xsk_count(&queue->counters.tx_packets, count_packets(queue, frames, (uint32_t)take));
	xsk_count(&queue->counters.tx_bytes, bytes);
	return take;
}
