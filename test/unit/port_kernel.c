/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Kernels that complete what they were not given, complete or deliver it twice, and
 * programs that free twice: with the book nothing of it is believed, without it no
 * more than was given, and no memory is written that is not the library's.
 */
#include "burst.h"

static struct world world;

static const struct shape plain_shape = { PLAIN, 40, 16, 16, 16, 16, 16, 1, 0, 0xfffffff8 };
static const struct shape checked_shape = { CHECKED, 40, 16, 16, 16, 16, 16, 1, 0, 0xfffffff8 };
static const struct shape booked_shape = { BOOKED, 40, 16, 16, 16, 16, 16, 1, 0, 0xfffffff8 };

static uint64_t plain(struct xsk_frame frame)
{
	return frame.addr - world.memory->tag;
}

/* Allocates n frames, sends them, and the kernel takes them. */
static void transmit(uint32_t index, struct xsk_frame *frames, int n)
{
	struct xsk_queue *queue = &world.queues[index];

	assert_int_equal(xsk_alloc(queue, frames, n), n);
	for (int i = 0; i < n; i++)
		frames[i].len = 60;
	assert_int_equal(xsk_tx(queue, frames, n), n);
	for (int i = 0; i < n; i++)
		assert_true(take_tx(&world.kernels[index]).addr == plain(frames[i]));
}

/* Has the queue look at COMPLETION. */
static void drain(uint32_t index)
{
	xsk_queue_drain(&world.queues[index]);
	assert_law(&world);
}

static void assert_queue(uint32_t index, uint32_t tx_out, uint32_t count, uint64_t bad)
{
	const struct xsk_queue *queue = &world.queues[index];

	assert_int_equal(queue->tx_out, tx_out);
	assert_int_equal(queue->pool->count, count);
	assert_int_equal(queue->counters.bad_frames, bad);
	assert_int_equal(held(&world.kernels[index].comp), 0);
}

/* With the book, and without. */
static void on_all(void (*check)(bool booked))
{
	static const struct shape *const shapes[] = { &plain_shape, &checked_shape, &booked_shape };

	for (int i = 0; i < 3; i++) {
		open_world(&world, shapes[i], 1);
		check(i > 0);
		close_world(&world);
	}
}

/* ---- COMPLETION ---- */

static void check_completed_twice(bool booked)
{
	struct kernel *kernel = &world.kernels[0];
	struct xsk_frame frames[2];

	transmit(0, frames, 2);
	put_comp(kernel, plain(frames[0]));
	put_comp(kernel, plain(frames[0]));
	drain(0);
	/* Without the book the one is taken for the other. */
	assert_queue(0, booked, booked ? 23 : 24, booked);

	put_comp(kernel, plain(frames[0]));
	drain(0);
	assert_queue(0, booked, booked ? 23 : 24, booked ? 2 : 1);
	put_comp(kernel, plain(frames[1]));
	drain(0);
	assert_queue(0, 0, 24, 2);
}

static void completed_twice(void **state)
{
	(void)state;
	on_all(check_completed_twice);
}

static void check_completed_too_many(bool booked)
{
	struct kernel *kernel = &world.kernels[0];
	struct xsk_frame frame;

	(void)booked;
	for (uint32_t i = 0; i < 50; i++) {
		transmit(0, &frame, 1);
		for (uint32_t k = 0; k < kernel->comp.size; k++)
			put_comp(kernel, plain(frame));
		drain(0);
		assert_queue(0, 0, 24, (i + 1) * (kernel->comp.size - 1));
	}
	/* Nothing was given: then it is not even looked at. */
	put_comp(kernel, 0);
	assert_int_equal(xsk_alloc(&world.queues[0], &frame, 1), 1);
	assert_int_equal(held(&kernel->comp), 1);
}

static void completed_too_many(void **state)
{
	(void)state;
	on_all(check_completed_too_many);
}

/* None of these is a frame, and no other is to be taken for the one that was sent. */
static void check_completed_no_frame(bool booked)
{
	const uint64_t size = world.queues[0].area_size, none[] = {
		size, size + 1, UINT64_MAX, 1ULL << 48, 1ULL << 63, 0x10000000000,
	};
	const uint32_t n = sizeof(none) / sizeof(none[0]);
	struct kernel *kernel = &world.kernels[0];
	struct xsk_frame frames[6];

	(void)booked;
	transmit(0, frames, 6);
	for (uint32_t i = 0; i < n; i++)
		put_comp(kernel, none[i]);
	drain(0);
	assert_queue(0, 6, 18, n);

	/* Between good ones. */
	for (uint32_t i = 0; i < n; i++) {
		put_comp(kernel, plain(frames[i]) + 256);
		drain(0);
		assert_queue(0, 5 - i, 19 + i, n + i);
		put_comp(kernel, none[i]);
		drain(0);
		assert_queue(0, 5 - i, 19 + i, n + i + 1);
	}
	transmit(0, frames, 4);
	put_comp(kernel, plain(frames[0]));
	put_comp(kernel, UINT64_MAX);
	put_comp(kernel, plain(frames[2]));
	drain(0);
	assert_queue(0, 2, 22, 2 * n + 1);
}

static void completed_no_frame(void **state)
{
	(void)state;
	on_all(check_completed_no_frame);
}

/* It is somebody's, but was not sent by this queue. */
static void check_completed_anothers(bool booked)
{
	struct xsk_queue *queue = &world.queues[0];
	struct kernel *kernel = &world.kernels[0];
	struct xsk_frame sent[5], theirs, callers;
	uint64_t others[5];

	if (!booked)
		return;
	transmit(0, sent, 5);
	transmit(1, &theirs, 1);
	assert_int_equal(xsk_alloc(queue, &callers, 1), 1);
	others[0] = plain(theirs);
	others[1] = plain(callers);
	others[2] = queue->pool->free[0];
	others[3] = world.queues[1].pool->free[0];
	others[4] = take_fill(kernel);
	for (int i = 0; i < 5; i++)
		put_comp(kernel, others[i]);
	drain(0);
	assert_queue(0, 5, 18, 5);

	/* Nothing was taken from where it is. */
	assert_int_equal(xsk_free(queue, &callers, 1), 1);
	put_comp(&world.kernels[1], plain(theirs));
	drain(1);
	assert_queue(1, 0, 24, 0);
	for (int i = 0; i < 5; i++)
		put_comp(kernel, plain(sent[i]));
	drain(0);
	assert_queue(0, 0, 24, 5);
}

static void completed_anothers(void **state)
{
	(void)state;
	on_all(check_completed_anothers);
}

/*
 * When the book was begun the kernel had it, but for receiving: that is not known, and
 * yet no more comes back than was sent.
 */
static void completed_of_an_old_book(void **state)
{
	struct xsk_queue *queue = &world.queues[0];
	struct kernel *kernel = &world.kernels[0];
	struct xsk_frame frames[2];
	uint64_t old[2];

	(void)state;
	open_world(&world, &plain_shape, 1);
	old[0] = take_fill(kernel);
	old[1] = take_fill(kernel);
	transmit(0, frames, 1);
	put_comp(kernel, plain(frames[0]));
	drain(0);
	assert_int_equal(xsk_pool_begin_book(world.memory, 0), 0);
	queue->booked = true;
	transmit(0, frames, 1);
	put_comp(kernel, plain(frames[0]));
	put_comp(kernel, old[0]);
	put_comp(kernel, old[1]);
	drain(0);
	assert_queue(0, 0, 24, 2);
	put_rx(kernel, old[0], 60, 0);
	put_rx(kernel, old[1], 60, 0);
	put_rx(kernel, old[0], 60, 0);
	assert_int_equal(xsk_rx(queue, frames, 2), 2);
	assert_int_equal(xsk_rx(queue, frames, 2), 0);
	assert_int_equal(queue->counters.bad_frames, 3);
	assert_law(&world);
	close_world(&world);
}

/* ---- RX ---- */

static int receive(uint32_t index, struct xsk_frame *frames)
{
	int n = xsk_rx(&world.queues[index], frames, MAX_RING);

	assert_law(&world);
	return n;
}

static void check_delivered_twice(bool booked)
{
	struct xsk_queue *queue = &world.queues[0];
	struct kernel *kernel = &world.kernels[0];
	struct xsk_frame frames[MAX_RING];
	uint64_t addr = take_fill(kernel);

	put_rx(kernel, addr, 60, 0);
	put_rx(kernel, addr, 60, 0);
	assert_int_equal(receive(0, frames), booked ? 1 : 2);
	assert_int_equal(queue->counters.bad_frames, booked);
	assert_int_equal(queue->counters.rx_packets, booked ? 1 : 2);
	assert_int_equal(queue->counters.rx_bytes, booked ? 60 : 120);
	assert_int_equal(queue->pool->lent, booked ? 1 : 2);
	if (!booked)
		return;
	/* While it is the caller's, and when it is the pool's. */
	put_rx(kernel, addr, 60, 0);
	assert_int_equal(receive(0, frames + 1), 0);
	assert_int_equal(xsk_free(queue, frames, 1), 1);
	put_rx(kernel, addr, 60, 0);
	assert_int_equal(receive(0, frames), 0);
	assert_int_equal(queue->counters.bad_frames, 3);
	assert_int_equal(queue->fill_out, 16);
	assert_int_equal(held(&kernel->rx), 0);
}

static void delivered_twice(void **state)
{
	(void)state;
	on_all(check_delivered_twice);
}

/* Between good ones: another's, the caller's, the pool's, and none at all. */
static void check_delivered_anothers(bool booked)
{
	struct xsk_queue *queue = &world.queues[0];
	struct kernel *kernel = &world.kernels[0];
	struct xsk_frame frames[MAX_RING], sent, callers;
	uint64_t bad[8], good[9];

	if (!booked)
		return;
	transmit(0, &sent, 1);
	assert_int_equal(xsk_alloc(queue, &callers, 1), 1);
	bad[0] = take_fill(&world.kernels[1]);
	bad[1] = plain(sent);
	bad[2] = plain(callers);
	bad[3] = queue->pool->free[0];
	bad[4] = queue->area_size;
	bad[5] = UINT64_MAX;
	bad[6] = bad[0] + (1ULL << 48);
	bad[7] = world.queues[1].pool->free[0];
	for (int i = 0; i < 8; i++) {
		good[i] = take_fill(kernel);
		put_rx(kernel, good[i], 60, 0);
		put_rx(kernel, bad[i], 60, 0);
	}
	assert_int_equal(receive(0, frames), 8);
	for (int i = 0; i < 8; i++)
		assert_true(plain(frames[i]) == good[i]);
	assert_int_equal(queue->counters.bad_frames, 8);
	assert_int_equal(queue->counters.rx_packets, 8);
	assert_int_equal(xsk_free(queue, frames, 8), 8);
	assert_int_equal(xsk_free(queue, &callers, 1), 1);
	put_rx(&world.kernels[1], bad[0], 60, 0);
	assert_int_equal(receive(1, frames), 1);
	put_comp(kernel, plain(sent));
	drain(0);
	assert_queue(0, 0, 24, 8);
}

static void delivered_anothers(void **state)
{
	(void)state;
	on_all(check_delivered_anothers);
}

/* Not more is taken than was given, however empty the pool. */
static void check_delivered_too_many(bool booked)
{
	struct xsk_queue *queue = &world.queues[0];
	struct kernel *kernel = &world.kernels[0];
	struct xsk_frame frames[MAX_RING], kept[24];
	uint64_t addr = 0;

	(void)booked;
	assert_int_equal(xsk_alloc(queue, kept, MAX_RING), 24);
	for (int i = 0; i < 16; i++) {
		addr = take_fill(kernel);
		put_rx(kernel, addr, 60, 0);
	}
	assert_int_equal(receive(0, frames), 16);
	assert_int_equal(queue->fill_out, 0);
	for (int i = 0; i < 16; i++)
		put_rx(kernel, addr, 60, 0);
	assert_int_equal(receive(0, frames + 16), 0);
	assert_int_equal(queue->fill_out, 0);
	assert_int_equal(queue->pool->lent, 40);

	/* FILL gets what it has room for. */
	assert_int_equal(xsk_free(queue, kept, 24), 24);
	for (int i = 0; i < 10; i++) {
		receive(0, frames + 16);
		assert_true(queue->fill_out <= 16);
	}
}

static void delivered_too_many(void **state)
{
	(void)state;
	on_all(check_delivered_too_many);
}

/* ---- packets of several frames ---- */

/* What lacks a frame is no packet: its others are the pool's, and no burst ends in it. */
static void broken_packets(void **state)
{
	struct shape shape = { CHECKED, 40, 32, 32, 16, 16, 20, 4, 0, 0 };
	struct xsk_queue *queue = &world.queues[0];
	struct kernel *kernel = &world.kernels[0];

	(void)state;
	for (int bad = 0; bad < 4; bad++) {
		struct xsk_frame frames[MAX_RING];
		uint64_t addrs[12];

		open_world(&world, &shape, 1);
		for (int i = 0; i < 12; i++) {
			addrs[i] = take_fill(kernel);
			put_rx(kernel, i == 4 + bad ? addrs[0] : addrs[i], 60,
			       i % 4 < 3 ? XSK_FRAME_CONTD : 0);
		}
		assert_int_equal(receive(0, frames), 8);
		for (int i = 0; i < 8; i++)
			assert_true(plain(frames[i]) == addrs[i < 4 ? i : i + 4]);
		assert_int_equal(queue->counters.bad_frames, 1);
		assert_int_equal(queue->counters.rx_packets, 2);
		assert_int_equal(queue->counters.rx_bytes, 480);
		assert_int_equal(queue->pool->lent, 8);
		assert_int_equal(queue->fill_out, 20);
		assert_int_equal(xsk_free(queue, frames, 8), 8);
		/* The one that did not come is the kernel's still. */
		put_rx(kernel, addrs[4 + bad], 60, 0);
		assert_int_equal(receive(0, frames), 1);
		close_world(&world);
	}
}

/* A packet that is not all there yet stays in the ring, also at its end. */
static void unfinished_packets(void **state)
{
	struct shape shape = { PLAIN, 40, 8, 16, 16, 16, 16, 4, 0, 0xfffffffe };
	struct xsk_queue *queue = &world.queues[0];
	struct kernel *kernel = &world.kernels[0];
	struct xsk_frame frames[MAX_RING];

	(void)state;
	open_world(&world, &shape, 1);
	for (int i = 0; i < 5; i++)
		put_rx(kernel, take_fill(kernel), 60, i == 1 ? 0 : XSK_FRAME_CONTD);
	assert_int_equal(receive(0, frames), 2);
	assert_int_equal(receive(0, frames + 2), 0);
	assert_int_equal(held(&kernel->rx), 3);
	assert_int_equal(xsk_rx(queue, frames + 2, 3), -EMSGSIZE);
	put_rx(kernel, take_fill(kernel), 60, 0);
	assert_int_equal(xsk_rx(queue, frames + 2, 3), -EMSGSIZE);
	assert_int_equal(held(&kernel->rx), 4);
	assert_int_equal(receive(0, frames + 2), 4);
	assert_int_equal(queue->counters.rx_packets, 2);
	assert_int_equal(queue->counters.refused, 0);
	close_world(&world);
}

/* FILL was empty when the packet began: it is filled all the same, or it would never end. */
static void fill_for_the_rest(void **state)
{
	struct shape shape = { PLAIN, 40, 32, 16, 16, 16, 16, 17, 0, 0 };
	struct kernel *kernel = &world.kernels[0];
	struct xsk_frame frames[MAX_RING], kept[24];

	(void)state;
	open_world(&world, &shape, 1);
	assert_int_equal(xsk_alloc(&world.queues[0], kept, 24), 24);
	put_rx(kernel, take_fill(kernel), 60, 0);
	while (held(&kernel->fill))
		put_rx(kernel, take_fill(kernel), 60, XSK_FRAME_CONTD);
	assert_int_equal(receive(0, frames), 1);
	assert_int_equal(xsk_free(&world.queues[0], kept, 24), 24);
	assert_int_equal(receive(0, frames), 0);
	assert_int_equal(held(&kernel->fill), 1);
	put_rx(kernel, take_fill(kernel), 60, 0);
	assert_int_equal(receive(0, frames), 16);
	close_world(&world);
}

/* How many of what FILL got last are these, in this order. */
static int in_fill(const struct kernel *kernel, const struct xsk_frame *frames, int n)
{
	const struct ring *fill = &kernel->fill;
	int same = 0;

	for (int i = 0; i < n; i++)
		same += fill->addrs[(fill->producer - (uint32_t)(n - i)) & (fill->size - 1)] ==
			(plain(frames[i]) & ~(uint64_t)(FRAME_SIZE - 1));
	return same;
}

static void deliver(struct kernel *kernel, int n)
{
	for (int i = 0; i < n; i++)
		put_rx(kernel, take_fill(kernel), 60, 0);
}

/* Few may lack while the caller has them; then the same go back, in the order they came in. */
static void check_order(bool booked)
{
	struct xsk_queue *queue = &world.queues[0];
	struct kernel *kernel = &world.kernels[0];
	struct xsk_frame frames[MAX_RING], next[MAX_RING];

	(void)booked;
	queue->fill_slack = 4;
	deliver(kernel, 4);
	assert_int_equal(receive(0, frames), 4);
	assert_int_equal(held(&kernel->fill), 12);
	assert_int_equal(xsk_free(queue, frames, 4), 4);
	deliver(kernel, 3);
	assert_int_equal(receive(0, next), 3);
	assert_int_equal(held(&kernel->fill), 13);
	assert_int_equal(in_fill(kernel, frames, 4), 4);

	/* Sent on, and back. */
	assert_int_equal(xsk_tx(queue, next, 3), 3);
	for (int i = 0; i < 3; i++)
		put_comp(kernel, take_tx(kernel).addr);
	deliver(kernel, 1);
	assert_int_equal(receive(0, frames), 1);
	assert_int_equal(in_fill(kernel, next, 3), 3);
	assert_int_equal(xsk_free(queue, frames, 1), 1);

	/* More than may lack: others at once. */
	deliver(kernel, 5);
	assert_int_equal(receive(0, frames), 5);
	assert_int_equal(held(&kernel->fill), 16);
	assert_int_equal(in_fill(kernel, frames, 5), 0);
	assert_int_equal(xsk_free(queue, frames, 5), 5);
}

static void same_frames_in_the_same_order(void **state)
{
	(void)state;
	on_all(check_order);
}

/* By the room in TX: whole packets, and one that never fits is said to be so. */
static void cut_packets(void **state)
{
	struct shape shape = { PLAIN, 40, 16, 16, 16, 8, 16, 3, 0, 0xfffffffe };
	struct xsk_queue *queue = &world.queues[0];
	struct kernel *kernel = &world.kernels[0];
	struct xsk_frame frames[12];

	(void)state;
	for (int mode = PLAIN; mode <= BOOKED; mode++) {
		shape.mode = (enum mode)mode;
		open_world(&world, &shape, 1);
		assert_int_equal(xsk_alloc(queue, frames, 12), 12);
		for (int i = 0; i < 12; i++) {
			frames[i].len = 10;
			frames[i].options = i % 3 < 2 ? XSK_FRAME_CONTD : 0;
		}
		assert_int_equal(xsk_tx(queue, frames, 12), 6);
		assert_int_equal(queue->wants_room, 3);
		assert_int_equal(xsk_tx(queue, frames + 6, 6), 0);
		assert_int_equal(queue->wants_room, 3);
		assert_int_equal(queue->tx_out, 6);
		put_comp(kernel, take_tx(kernel).addr);
		assert_int_equal(xsk_tx(queue, frames + 6, 3), 3);
		assert_int_equal(queue->wants_room, 0);
		assert_int_equal(xsk_tx(queue, frames + 9, 1), 0);
		assert_int_equal(queue->wants_room, 1);
		assert_int_equal(xsk_tx(queue, frames + 9, 3), 0);
		assert_int_equal(queue->wants_room, 3);
		while (held(&kernel->tx))
			put_comp(kernel, take_tx(kernel).addr);

		for (int i = 9; i < 12; i++)
			frames[i].options = XSK_FRAME_CONTD;
		assert_int_equal(xsk_tx(queue, frames + 9, 3), -EINVAL);
		assert_int_equal(xsk_free(queue, frames + 9, 3), 3);
		assert_int_equal(xsk_alloc(queue, frames, 12), 12);
		for (int i = 0; i < 12; i++)
			frames[i] = (struct xsk_frame){ frames[i].addr, 10, XSK_FRAME_CONTD };
		/* More than there is room for, and still no end. */
		assert_int_equal(xsk_tx(queue, frames, 12), -EMSGSIZE);
		assert_int_equal(xsk_tx(queue, frames, 8), -EMSGSIZE);
		assert_int_equal(queue->wants_room, 0);
		assert_int_equal(queue->tx_out, 0);
		assert_int_equal(xsk_free(queue, frames, 12), 12);
		assert_law(&world);
		close_world(&world);
	}
}

/* ---- both sides wrong, at random ---- */

static uint64_t any_address(void)
{
	uint64_t size = world.queues[0].area_size;

	switch (draw(&world, 8)) {
	case 0:
		return size + draw(&world, 100000);
	case 1:
		return UINT64_MAX << draw(&world, 60) | draw(&world, FRAME_SIZE);
	}
	return draw(&world, (uint32_t)size);
}

static void bad_kernel(uint32_t index)
{
	struct kernel *kernel = &world.kernels[index];
	uint32_t n = draw(&world, MAX_RING);

	/* Its counters are right, and nothing else. */
	for (uint32_t i = 0; i < n && held(&kernel->rx) < kernel->rx.size; i++)
		put_rx(kernel, draw(&world, 3) ?
		       kernel->fill.addrs[draw(&world, kernel->fill.size)] : any_address(),
		       draw(&world, 2000), draw(&world, 4) ? 0 : XSK_FRAME_CONTD);
	for (uint32_t i = 0; i < n && held(&kernel->comp) < kernel->comp.size; i++)
		put_comp(kernel, draw(&world, 3) ?
			 kernel->tx.descs[draw(&world, kernel->tx.size)].addr : any_address());
	kernel->fill.consumer += draw(&world, held(&kernel->fill) + 1);
	kernel->tx.consumer += draw(&world, held(&kernel->tx) + 1);
}

static void bad_program(uint32_t index, struct xsk_frame *had)
{
	struct xsk_queue *queue = &world.queues[index];
	struct xsk_frame frames[MAX_RING];
	int n = 1 + (int)draw(&world, MAX_RING), got;

	for (int i = 0; i < n; i++) {
		frames[i] = had[draw(&world, MAX_FRAMES)];
		frames[i].len = draw(&world, 3) ? 60 : draw(&world, 3000);
		if (!draw(&world, 16))
			frames[i].addr = any_address();
	}
	switch (draw(&world, 4)) {
	case 0:
		got = xsk_free(queue, frames, n);
		assert_true(got == n || got == -EINVAL);
		break;
	case 1:
		got = xsk_tx(queue, frames, n);
		assert_true(got <= n);
		break;
	default:
		got = draw(&world, 2) ? xsk_rx(queue, frames, n) : xsk_alloc(queue, frames, n);
		assert_true(got <= n);
		for (int i = 0; i < got; i++)
			had[draw(&world, MAX_FRAMES)] = frames[i];
	}
}

/* In one place at most, and that is the book's. */
static void assert_once(void)
{
	bool seen[MAX_FRAMES] = { false };

	for (uint32_t i = 0; i < QUEUES; i++)
		for (uint32_t k = 0; k < world.queues[i].pool->count; k++) {
			uint64_t addr = world.queues[i].pool->free[k];

			assert_false(seen[addr / FRAME_SIZE]);
			seen[addr / FRAME_SIZE] = true;
			assert_int_equal(xsk_pool_owner(world.memory, addr),
					 xsk_owner(XSK_PLACE_POOL, 0, i));
		}
}

static void all_goes_wrong(void **state)
{
	static const struct shape shapes[] = {
		{ PLAIN, 40, 16, 16, 16, 16, 16, 1, 0, 0xfffffff8 },
		{ PLAIN, 48, 32, 16, 32, 32, 9, 4, 64, 0xffffff00 },
		{ CHECKED, 40, 16, 16, 16, 16, 16, 1, 0, 0xfffffff8 },
		{ CHECKED, 48, 32, 16, 32, 32, 9, 4, 64, 0xffffff00 },
		{ BOOKED, 40, 16, 32, 16, 8, 30, 1, 0, 0xfffffff8 },
	};

	(void)state;
	for (uint64_t seed = 0; seed < 5 * 4; seed++) {
		const struct shape *shape = &shapes[seed % 5];
		struct xsk_frame had[MAX_FRAMES] = { { 0 } };

		open_world(&world, shape, seed);
		for (int i = 0; i < 10000; i++) {
			if (draw(&world, 4))
				bad_program(draw(&world, QUEUES), had);
			else
				bad_kernel(draw(&world, QUEUES));
			assert_law(&world);
			if (shape->mode != PLAIN)
				assert_once();
		}
		close_world(&world);
	}
}

/* Without the book: the pool is full, and not fuller. */
static void freed_too_often(void **state)
{
	struct xsk_frame frames[MAX_FRAMES + 1];
	struct xsk_queue *queue = &world.queues[1];

	(void)state;
	open_world(&world, &plain_shape, 1);
	assert_int_equal(xsk_alloc(queue, frames, 1), 1);
	for (int i = 1; i <= MAX_FRAMES; i++)
		frames[i] = frames[0];
	assert_int_equal(xsk_free(queue, frames, 80 - 23 + 1), -EINVAL);
	for (int i = 0; i < 80 - 23; i++)
		assert_int_equal(xsk_free(queue, frames, 1), 1);
	assert_int_equal(queue->pool->count, 80);
	assert_int_equal(xsk_free(queue, frames, 1), -EINVAL);
	assert_int_equal(queue->counters.refused, 2);
	assert_law(&world);

	/* What is completed then has no place either. */
	world.kernels[1].ntx = 0;
	assert_int_equal(xsk_alloc(queue, frames, 4), 4);
	for (int i = 0; i < 4; i++)
		frames[i].len = 60;
	assert_int_equal(xsk_tx(queue, frames, 4), 4);
	assert_int_equal(xsk_free(queue, frames, 3), 3);
	for (int i = 0; i < 4; i++)
		put_comp(&world.kernels[1], frames[i].addr);
	drain(1);
	assert_queue(1, 3, 80, 3);
	close_world(&world);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(completed_twice),
		cmocka_unit_test(completed_too_many),
		cmocka_unit_test(completed_no_frame),
		cmocka_unit_test(completed_anothers),
		cmocka_unit_test(completed_of_an_old_book),
		cmocka_unit_test(delivered_twice),
		cmocka_unit_test(delivered_anothers),
		cmocka_unit_test(delivered_too_many),
		cmocka_unit_test(broken_packets),
		cmocka_unit_test(unfinished_packets),
		cmocka_unit_test(fill_for_the_rest),
		cmocka_unit_test(same_frames_in_the_same_order),
		cmocka_unit_test(cut_packets),
		cmocka_unit_test(all_goes_wrong),
		cmocka_unit_test(freed_too_often),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("port_kernel", tests, NULL, NULL);
}
