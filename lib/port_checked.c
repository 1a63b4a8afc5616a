/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The verbs where the place of each frame is kept: in a checked port, and where two
 * ports share their memory (so that the one can be closed and leaves nothing behind).
 * What is refused moves nothing.
 */
#include "port.h"

static uint32_t owner(const struct xsk_queue *queue, enum xsk_place place)
{
	return xsk_owner(place, queue->port->number, queue->index);
}

static uint32_t pools(const struct xsk_queue *queue)
{
	return xsk_owner(XSK_PLACE_POOL, 0, (uint32_t)(queue->pool - queue->memory->pools));
}

static bool is_in(const struct xsk_queue *queue, uint64_t addr, enum xsk_place place)
{
	return addr < queue->area_size &&
	       xsk_owner_place(xsk_pool_owner(queue->memory, addr)) == place;
}

/* In the rings of this queue, as far as the book goes back. */
static bool kernel_has(const struct xsk_queue *queue, uint64_t addr, enum xsk_place place)
{
	uint32_t has;

	if (addr >= queue->area_size)
		return false;
	has = xsk_pool_owner(queue->memory, addr);
	if (xsk_owner_place(has) == XSK_PLACE_KERNEL)
		return xsk_owner_port(has) == queue->port->number;
	return has == owner(queue, place);
}

static void set(const struct xsk_queue *queue, uint64_t addr, uint32_t to)
{
	xsk_pool_set_owner(queue->memory, addr, to);
}

/* ---- from the kernel: what it did not have is counted, and ignored ---- */

static void push(struct xsk_queue *queue, uint64_t addr)
{
	set(queue, addr, pools(queue));
	queue->pool->free[queue->pool->count] = addr & ~queue->offset_mask;
	xsk_set_number(&queue->pool->count, queue->pool->count + 1);
}

/* The n that were freed last, in their order. */
static const uint64_t *pop(struct xsk_pool *pool, uint32_t n)
{
	xsk_set_number(&pool->count, pool->count - n);
	return pool->free + pool->count;
}

/* A packet that lacks a frame is none: its others go to the pool. */
int xsk_checked_rx(struct xsk_queue *queue, struct xsk_frame *frames, int n)
{
	int good = 0, start = 0, bad = 0;
	bool whole = true;

	for (int i = 0; i < n; i++) {
		bool ends = !(frames[i].options & XSK_FRAME_CONTD);

		if (kernel_has(queue, frames[i].addr, XSK_PLACE_FILL)) {
			set(queue, frames[i].addr, owner(queue, XSK_PLACE_CALLER));
			frames[good] = frames[i];
			frames[good++].addr += queue->memory->tag;
		} else {
			bad++;
			whole = false;
		}
		if (!ends)
			continue;
		while (!whole && good > start)
			push(queue, frames[--good].addr - queue->memory->tag);
		start = good;
		whole = true;
	}
	if (bad) {
		xsk_count(&queue->counters.bad_frames, (uint64_t)bad);
		xsk_set_number(&queue->fill_out, queue->fill_out + (uint32_t)bad);
	}
	return good;
}

void xsk_checked_drain(struct xsk_queue *queue)
{
	uint32_t n = xsk_cons_nb_avail(&queue->comp, queue->comp.size), good = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t addr = *xsk_ring_cons__comp_addr(&queue->comp,
							  queue->comp.cached_cons + i);

		if (!queue->tx_out || !kernel_has(queue, addr, XSK_PLACE_TX))
			continue;
		push(queue, addr);
		xsk_set_number(&queue->tx_out, queue->tx_out - 1);
		good++;
	}
	queue->comp.cached_cons += n;
	xsk_ring_cons__release(&queue->comp, n);
	if (good < n)
		xsk_count(&queue->counters.bad_frames, n - good);
}

/* ---- to the kernel ---- */

void xsk_checked_refill(struct xsk_queue *queue)
{
	uint32_t n = queue->fill_target - queue->fill_out, at = 0;
	struct xsk_pool *pool = queue->pool;
	const uint64_t *addrs;

	if (n > pool->count)
		n = pool->count;
	if (!xsk_ring_prod__reserve(&queue->fill, n, &at))
		return;
	addrs = pop(pool, n);
	for (uint32_t i = 0; i < n; i++) {
		set(queue, addrs[i], owner(queue, XSK_PLACE_FILL));
		*xsk_ring_prod__fill_addr(&queue->fill, at + i) = addrs[i];
	}
	xsk_ring_prod__submit(&queue->fill, n);
	xsk_set_number(&queue->fill_out, queue->fill_out + n);
}

/* The first n frames, which were taken for TX, are the caller's again. */
static void give_back(const struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	for (int i = 0; i < n; i++)
		set(queue, frames[i].addr - queue->memory->tag, owner(queue, XSK_PLACE_CALLER));
}

/* The frames of the packet that starts here, as far as they are the caller's. */
static int take_packet(const struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	for (int i = 0; i < n; i++) {
		uint64_t addr = frames[i].addr - queue->memory->tag;

		if (!is_in(queue, addr, XSK_PLACE_CALLER)) {
			give_back(queue, frames, i);
			return 0;
		}
		/* Here, so that the same once more is not taken. */
		set(queue, addr, owner(queue, XSK_PLACE_TX));
		if (!(frames[i].options & XSK_FRAME_CONTD))
			return i + 1;
	}
	give_back(queue, frames, n);
	return 0;
}

/* The first packet is none, or has a frame that is not the caller's, or one twice. */
static int refuse_first(struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	int i = 0, err;

	if (!xsk_queue_sendable(queue, frames, n))
		return xsk_refuse_tx(queue, frames, n);
	for (; is_in(queue, frames[i].addr - queue->memory->tag, XSK_PLACE_CALLER); i++)
		set(queue, frames[i].addr - queue->memory->tag, owner(queue, XSK_PLACE_TX));
	err = xsk_refuse_owner(queue, frames, i, "tx");
	give_back(queue, frames, i);
	return err;
}

int xsk_checked_tx(struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	int good = xsk_queue_sendable(queue, frames, n), taken = 0, packet;
	uint64_t packets = 0, bytes = 0;
	uint32_t at = 0;

	while (taken < good) {
		packet = take_packet(queue, frames + taken, good - taken);
		if (!packet)
			break;
		taken += packet;
		packets++;
	}
	if (!taken)
		return refuse_first(queue, frames, n);
	if (!xsk_ring_prod__reserve(&queue->tx, (uint32_t)taken, &at)) {
		give_back(queue, frames, taken);
		return 0;
	}
	for (int i = 0; i < taken; i++) {
		*xsk_ring_prod__tx_desc(&queue->tx, at + (uint32_t)i) = (struct xdp_desc){
			.addr = frames[i].addr - queue->memory->tag,
			.len = frames[i].len,
			.options = frames[i].options,
		};
		bytes += frames[i].len;
	}
	xsk_ring_prod__submit(&queue->tx, (uint32_t)taken);
	queue->pool->sent_by = queue->port->number;
	xsk_set_number(&queue->tx_out, queue->tx_out + (uint32_t)taken);
	xsk_pool_lend(queue->pool, -taken);
	xsk_count(&queue->counters.tx_packets, packets);
	xsk_count(&queue->counters.tx_bytes, bytes);
	return taken;
}

/* ---- between caller and pool ---- */

int xsk_checked_alloc(struct xsk_queue *queue, struct xsk_frame *frames, int n)
{
	struct xsk_pool *pool = queue->pool;
	const uint64_t *addrs = pop(pool, (uint32_t)n);

	for (int i = 0; i < n; i++) {
		set(queue, addrs[i], owner(queue, XSK_PLACE_CALLER));
		frames[i] = (struct xsk_frame){
			.addr = addrs[i] + queue->memory->headroom + queue->memory->tag,
		};
	}
	xsk_pool_lend(pool, n);
	return n;
}

int xsk_checked_free(struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	struct xsk_pool *pool = queue->pool;
	int err;

	for (int i = 0; i < n; i++) {
		uint64_t addr = frames[i].addr - queue->memory->tag;

		if (is_in(queue, addr, XSK_PLACE_CALLER)) {
			set(queue, addr, pools(queue));
			continue;
		}
		err = xsk_refuse_owner(queue, frames, i, "free");
		give_back(queue, frames, i);
		return err;
	}
	for (int i = 0; i < n; i++)
		pool->free[pool->count + (uint32_t)i] = (frames[i].addr - queue->memory->tag) &
							~queue->offset_mask;
	xsk_set_number(&pool->count, pool->count + (uint32_t)n);
	xsk_pool_lend(pool, -n);
	return n;
}
