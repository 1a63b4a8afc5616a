/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The verbs of the rings: no more is submitted than is reserved and no more
 * released than was peeked, but what is written into FILL and TX is anything.
 */
#include "world.h"

#include <linux/if_xdp.h>
#include <poll.h>
#include <sys/socket.h>

/* Of a descriptor; older headers lack them. */
#define CONTINUED 1			/* XDP_PKT_CONTD */
#define METADATA 2			/* XDP_TX_METADATA */

static uint32_t now(const uint32_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* Entries that are reserved and not submitted, peeked and not released. */
static uint32_t reserved(const struct xsk_ring_prod *prod)
{
	return prod->cached_prod - now(prod->producer);
}

static uint32_t peeked(const struct xsk_ring_cons *cons)
{
	return cons->cached_cons - now(cons->consumer);
}

/*
 * Of two structs that show one ring only the one that was used last knows how
 * far the ring is: the other is out of use.
 */
static bool prod_is_current(const struct xsk_ring_prod *prod)
{
	return reserved(prod) <= prod->size &&
	       now(prod->producer) - now(prod->consumer) <= prod->size;
}

static bool cons_is_current(const struct xsk_ring_cons *cons)
{
	return peeked(cons) <= cons->size &&
	       now(cons->producer) - now(cons->consumer) <= cons->size;
}

/* ---- which ring ---- */

static struct view *pick_view(struct input *in, struct umem **umem, bool fill)
{
	uint8_t which = input_u8(in) % (UMEMS + VIEWS);
	struct view *view;

	if (which < UMEMS) {
		*umem = &world.umems[which];
		view = &world.umems[which].own;
		if (!(*umem)->umem)
			return NULL;
	} else {
		view = &world.views[which - UMEMS];
	}
	if (!(fill ? view->fill_lives : view->comp_lives))
		return NULL;
	if (which >= UMEMS)
		*umem = fill ? view->fill_of->umem : view->comp_of->umem;
	return view;
}

static struct xsk_ring_prod *pick_fill(struct input *in, struct umem **umem)
{
	struct view *view = pick_view(in, umem, true);

	return view && prod_is_current(&view->fill) ? &view->fill : NULL;
}

static struct xsk_ring_cons *pick_comp(struct input *in)
{
	struct umem *umem;
	struct view *view = pick_view(in, &umem, false);

	return view && cons_is_current(&view->comp) ? &view->comp : NULL;
}

static struct socket *pick_socket(struct input *in)
{
	struct socket *socket = &world.sockets[input_u8(in) % SOCKETS];

	return socket->xsk ? socket : NULL;
}

static struct xsk_ring_prod *pick_prod(struct input *in)
{
	struct socket *socket;
	struct umem *umem;

	if (input_u8(in) & 1)
		return pick_fill(in, &umem);
	socket = pick_socket(in);
	return socket && socket->has_tx ? &socket->tx : NULL;
}

static struct xsk_ring_cons *pick_cons(struct input *in, struct socket **receiver)
{
	*receiver = NULL;
	if (input_u8(in) & 1)
		return pick_comp(in);
	*receiver = pick_socket(in);
	return *receiver && (*receiver)->has_rx ? &(*receiver)->rx : NULL;
}

/* ---- what is written ---- */

static void touch(const struct umem *umem, uint64_t from, uint64_t len)
{
	uint64_t offset = (uint64_t)(umem->base - umem->memory->area);

	if (from >= umem->size)
		return;
	if (len > umem->size - from)
		len = umem->size - from;
	for (uint64_t at = (offset + from) / BLOCK; at <= (offset + from + len - 1) / BLOCK; at++)
		umem->memory->touched[at] = true;
}

/* Where the kernel may write to, given this address in FILL. */
static void touch_frame(const struct umem *umem, uint64_t addr)
{
	if (umem->unaligned)
		touch(umem, xsk_umem__add_offset_to_addr(addr), umem->frame_size);
	else
		touch(umem, addr - addr % umem->frame_size, umem->frame_size);
}

/* The first address, and how far it is to the next. */
static uint64_t pick_addr(struct input *in, const struct umem *umem, uint64_t *step)
{
	const uint64_t steps[] = { umem->frame_size, umem->frame_size, 0, 1, 100, 1ULL << 40 };
	uint8_t how = input_u8(in);

	*step = input_pick(in, steps);
	switch (how % 8) {
	case 5:
		return input_u64(in);
	case 6:
		return umem->size - input_u16(in);
	case 7:
		return (uint64_t)input_u16(in) << XSK_UNALIGNED_BUF_OFFSET_SHIFT | input_u16(in);
	case 4:
		return input_u16(in);
	}
	return how / 8 % (umem->size / umem->frame_size + 1) * umem->frame_size;
}

static uint32_t pick_count(struct input *in, uint32_t size)
{
	const uint32_t counts[] = { 16, 1, 2, 64, size, size / 2, 0, size + 1, UINT32_MAX };

	return input_pick(in, counts);
}

static uint32_t reserve(struct xsk_ring_prod *prod, uint32_t count, uint32_t *at)
{
	uint32_t n = xsk_ring_prod__reserve(prod, count, at);

	if (n && n != count)
		world_fail("%u of %u entries reserved", n, count);
	if (prod->cached_prod - now(prod->consumer) > prod->size)
		world_fail("more is reserved than the ring holds");
	return n;
}

void ring_fill(struct input *in)
{
	struct umem *umem;
	struct xsk_ring_prod *fill = pick_fill(in, &umem);
	uint32_t n, at = 0;
	uint64_t addr, step;

	if (!fill)
		return;
	addr = pick_addr(in, umem, &step);
	n = reserve(fill, pick_count(in, fill->size), &at);
	for (uint32_t i = 0; i < n; i++, addr += step) {
		*xsk_ring_prod__fill_addr(fill, at + i) = addr;
		touch_frame(umem, addr);
	}
	if (input_u8(in) & 1)
		xsk_ring_prod__submit(fill, n);
}

void ring_tx(struct input *in)
{
	static const uint32_t lengths[] = {
		60, 64, 14, 1514, 0, 1, 13, 2048, 4096, 4097, 65535, UINT32_MAX
	};
	static const uint32_t options[] = {
		0, 0, 0, CONTINUED, METADATA, CONTINUED | METADATA, 1U << 31, UINT32_MAX
	};
	struct socket *socket = pick_socket(in);
	uint32_t n, at = 0;
	uint64_t step;
	struct xdp_desc desc;

	if (!socket || !socket->has_tx)
		return;
	desc.addr = pick_addr(in, socket->umem, &step);
	desc.len = input_pick(in, lengths);
	desc.options = input_pick(in, options);
	n = reserve(&socket->tx, pick_count(in, socket->tx.size), &at);
	for (uint32_t i = 0; i < n; i++, desc.addr += step)
		*xsk_ring_prod__tx_desc(&socket->tx, at + i) = desc;
	if (input_u8(in) & 1)
		xsk_ring_prod__submit(&socket->tx, n);
}

void ring_submit(struct input *in)
{
	struct xsk_ring_prod *prod = pick_prod(in);

	if (prod)
		xsk_ring_prod__submit(prod, input_u16(in) % (reserved(prod) + 1));
}

void ring_take_back(struct input *in)
{
	struct xsk_ring_prod *prod = pick_prod(in);

	if (prod)
		xsk_ring_prod__cancel(prod, input_u16(in) % (reserved(prod) + 1));
}

/* ---- what is read ---- */

/* The kernel puts packets into frames that FILL held, and nowhere else. */
static void check_packet(const struct umem *umem, const struct xdp_desc *desc)
{
	uint64_t at = xsk_umem__add_offset_to_addr(desc->addr);
	uint64_t offset = (uint64_t)(umem->base - umem->memory->area);

	if (at >= umem->size || desc->len > umem->size - at || desc->len > umem->frame_size)
		world_fail("a packet of %u bytes at 0x%llx of %llu", desc->len,
			   (unsigned long long)desc->addr, (unsigned long long)umem->size);
	if (!umem->memory->touched[(offset + at) / BLOCK])
		world_fail("a packet in a frame that FILL did not hold: 0x%llx",
			   (unsigned long long)desc->addr);
}

void ring_peek(struct input *in)
{
	struct socket *receiver;
	struct xsk_ring_cons *cons = pick_cons(in, &receiver);
	uint32_t n, count, at = 0;

	if (!cons)
		return;
	count = pick_count(in, cons->size);
	n = xsk_ring_cons__peek(cons, count, &at);
	if (n > count || cons->cached_cons - now(cons->consumer) > cons->size)
		world_fail("%u entries peeked, of %u", n, cons->size);
	for (uint32_t i = 0; i < n; i++) {
		if (receiver)
			check_packet(receiver->umem, xsk_ring_cons__rx_desc(cons, at + i));
		else
			(void)*(volatile const __u64 *)xsk_ring_cons__comp_addr(cons, at + i);
	}
}

void ring_release(struct input *in)
{
	struct socket *receiver;
	struct xsk_ring_cons *cons = pick_cons(in, &receiver);

	if (cons)
		xsk_ring_cons__release(cons, input_u16(in) % (peeked(cons) + 1));
}

void ring_put_back(struct input *in)
{
	struct socket *receiver;
	struct xsk_ring_cons *cons = pick_cons(in, &receiver);

	if (cons)
		xsk_ring_cons__cancel(cons, input_u16(in) % (peeked(cons) + 1));
}

void ring_kick(struct input *in)
{
	uint8_t how = input_u8(in);
	struct socket *socket = pick_socket(in);
	struct pollfd poll_fd = { .events = POLLIN | POLLOUT };
	uint8_t byte;

	if (!socket)
		return;
	poll_fd.fd = how & 4 ? xsk_umem__fd(socket->umem->umem) : xsk_socket__fd(socket->xsk);
	switch (how % 4) {
	case 0:
	case 1:
		sendto(poll_fd.fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
		break;
	case 2:
		recvfrom(poll_fd.fd, &byte, 0, MSG_DONTWAIT, NULL, NULL);
		break;
	case 3:
		poll(&poll_fd, 1, how & 8 ? 1 : 0);
	}
}
