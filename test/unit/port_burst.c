/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The verbs of the port without a kernel: long walks at random, of which the test
 * knows where each frame is. At each step every frame is in exactly one place, which
 * is where the library has it.
 */
#include "burst.h"

#define STEPS 30000

enum place { POOL, FILL, DRIVER_RX, RX, CALLER, TX, DRIVER_TX, COMP, PLACES };

struct where {
	enum place place;
	uint32_t queue;
};

/* What should be. */
struct model {
	struct world world;
	struct where frames[MAX_FRAMES];
	struct xsk_frame caller[MAX_FRAMES];
	int ncaller;
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, refused;
	uint64_t moved[PLACES];		/* into each */
};

static struct model model;

static uint64_t plain(uint64_t addr)
{
	return addr - model.world.memory->tag;
}

/* A frame goes from the one place to the other, of the queue. */
static void move(uint64_t addr, enum place from, enum place to, uint32_t queue)
{
	struct where *where = &model.frames[addr / FRAME_SIZE];

	assert_true(addr / FRAME_SIZE < model.world.memory->frames);
	assert_int_equal(where->place, from);
	if (from != CALLER)
		assert_int_equal(where->queue, queue);
	*where = (struct where){ to, queue };
	model.moved[to]++;
}

static uint32_t count(enum place place, uint32_t queue)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < model.world.memory->frames; i++)
		n += model.frames[i].place == place && model.frames[i].queue == queue;
	return n;
}

/* ---- where the library has them ---- */

static void check_pool(uint32_t index)
{
	const struct xsk_pool *pool = model.world.queues[index].pool;
	bool seen[MAX_FRAMES] = { false };

	assert_int_equal(pool->count, count(POOL, index));
	for (uint32_t k = 0; k < pool->count; k++) {
		uint64_t number = pool->free[k] / FRAME_SIZE;

		assert_false(seen[number]);
		seen[number] = true;
		assert_int_equal(model.frames[number].place, POOL);
		assert_int_equal(model.frames[number].queue, index);
	}
}

static void check_book(void)
{
	static const enum xsk_place names[] = {
		[POOL] = XSK_PLACE_POOL, [FILL] = XSK_PLACE_FILL, [DRIVER_RX] = XSK_PLACE_FILL,
		[RX] = XSK_PLACE_FILL, [CALLER] = XSK_PLACE_CALLER, [TX] = XSK_PLACE_TX,
		[DRIVER_TX] = XSK_PLACE_TX, [COMP] = XSK_PLACE_TX,
	};
	const struct xsk_memory *memory = model.world.memory;

	for (uint32_t i = 0; memory->book && i < memory->frames; i++) {
		const struct where *where = &model.frames[i];
		uint32_t owner = memory->book[i];

		/* What the kernel had before the book was begun. */
		if (xsk_owner_place(owner) == XSK_PLACE_KERNEL) {
			assert_true(where->place != POOL && where->place != CALLER);
			continue;
		}
		assert_int_equal(xsk_owner_place(owner), names[where->place]);
		if (where->place != CALLER)
			assert_int_equal(xsk_owner_queue(owner), where->queue);
	}
}

static void check(void)
{
	const struct world *world = &model.world;
	struct xsk_queue_counters sum = { 0 };

	assert_law(world);
	assert_int_equal(xsk_pool_lent(world->memory), model.ncaller);
	for (uint32_t i = 0; i < QUEUES; i++) {
		const struct xsk_queue *queue = &world->queues[i];

		check_pool(i);
		assert_int_equal(queue->fill_out,
				 count(FILL, i) + count(DRIVER_RX, i) + count(RX, i));
		assert_int_equal(queue->tx_out,
				 count(TX, i) + count(DRIVER_TX, i) + count(COMP, i));
		assert_int_equal(held(&world->kernels[i].fill), count(FILL, i));
		assert_int_equal(held(&world->kernels[i].tx), count(TX, i));
		assert_int_equal(queue->counters.bad_frames, 0);
		sum.rx_packets += queue->counters.rx_packets;
		sum.rx_bytes += queue->counters.rx_bytes;
		sum.tx_packets += queue->counters.tx_packets;
		sum.tx_bytes += queue->counters.tx_bytes;
		sum.refused += queue->counters.refused;
	}
	check_book();
	assert_int_equal(sum.rx_packets, model.rx_packets);
	assert_int_equal(sum.rx_bytes, model.rx_bytes);
	assert_int_equal(sum.tx_packets, model.tx_packets);
	assert_int_equal(sum.tx_bytes, model.tx_bytes);
	assert_int_equal(sum.refused, model.refused);
}

/* ---- the kernel ---- */

static void kernel_takes(uint32_t index)
{
	struct kernel *kernel = &model.world.kernels[index];
	uint32_t n = draw(&model.world, MAX_RING);

	for (uint32_t i = 0; i < n && held(&kernel->fill); i++)
		move(take_fill(kernel), FILL, DRIVER_RX, index);
	for (uint32_t i = 0; i < n && held(&kernel->tx); i++)
		move(take_tx(kernel).addr, TX, DRIVER_TX, index);
}

/* Frame after frame: it may stop in the middle of a packet, and go on at another time. */
static void kernel_delivers(uint32_t index)
{
	struct kernel *kernel = &model.world.kernels[index];
	uint32_t n = draw(&model.world, MAX_RING);

	for (uint32_t i = 0; i < n && kernel->nrx && held(&kernel->rx) < kernel->rx.size; i++) {
		uint64_t addr = pick(kernel->has_rx, &kernel->nrx, draw(&model.world, kernel->nrx));

		if (kernel->frags_left)
			kernel->frags_left--;
		else
			kernel->frags_left = draw(&model.world, model.world.queues[0].max_frags);
		move(addr, DRIVER_RX, RX, index);
		put_rx(kernel, addr + 256 + draw(&model.world, 64), 1 + draw(&model.world, 1500),
		       kernel->frags_left ? XSK_FRAME_CONTD : 0);
	}
}

static void kernel_completes(uint32_t index)
{
	struct kernel *kernel = &model.world.kernels[index];
	uint32_t n = draw(&model.world, MAX_RING);

	for (uint32_t i = 0; i < n && kernel->ntx; i++) {
		uint64_t addr = pick(kernel->has_tx, &kernel->ntx, draw(&model.world, kernel->ntx));

		move(addr, DRIVER_TX, COMP, index);
		put_comp(kernel, addr);
	}
}

/* ---- what a verb did besides ---- */

/* What went from COMPLETION to the pool, and from there to FILL. */
static void note(uint32_t index, uint32_t consumer, uint32_t producer)
{
	const struct kernel *kernel = &model.world.kernels[index];

	for (; consumer != kernel->comp.consumer; consumer++)
		move(kernel->comp.addrs[consumer & (kernel->comp.size - 1)] &
		     ~(uint64_t)(FRAME_SIZE - 1), COMP, POOL, index);
	for (; producer != kernel->fill.producer; producer++)
		move(kernel->fill.addrs[producer & (kernel->fill.size - 1)], POOL, FILL, index);
}

/* A frame of the caller's, which is not that any more. */
static struct xsk_frame give_away(void)
{
	uint32_t place = draw(&model.world, (uint32_t)model.ncaller);
	struct xsk_frame frame = model.caller[place];

	model.caller[place] = model.caller[--model.ncaller];
	return frame;
}

static void keep(struct xsk_frame frame)
{
	model.caller[model.ncaller++] = frame;
}

static uint32_t whole(const struct xdp_desc *descs, uint32_t n)
{
	while (n && descs[n - 1].options & XSK_FRAME_CONTD)
		n--;
	return n;
}

/* ---- the verbs ---- */

static void do_rx(uint32_t index)
{
	struct xsk_queue *queue = &model.world.queues[index];
	const struct kernel *kernel = &model.world.kernels[index];
	struct xdp_desc wanted[MAX_RING];
	struct xsk_frame frames[2 * MAX_RING];
	uint32_t consumer = kernel->comp.consumer, producer = kernel->fill.producer;
	uint32_t n = draw(&model.world, 2 * MAX_RING), there = held(&kernel->rx), get;
	int got;

	for (uint32_t i = 0; i < there; i++)
		wanted[i] = kernel->rx.descs[(kernel->rx.consumer + i) & (kernel->rx.size - 1)];
	get = whole(wanted, there < n ? there : n);
	got = xsk_rx(queue, frames, (int)n);
	if (n && !get && there >= n) {
		/* No fault of the program: it asks for more. */
		assert_int_equal(got, -EMSGSIZE);
		note(index, consumer, producer);
		return;
	}
	assert_int_equal(got, get);
	assert_int_equal(held(&kernel->rx), there - get);
	for (uint32_t i = 0; i < get; i++) {
		assert_true(plain(frames[i].addr) == wanted[i].addr);
		assert_int_equal(frames[i].len, wanted[i].len);
		assert_int_equal(frames[i].options, wanted[i].options);
		assert_true((uintptr_t)xsk_frame_data(queue, &frames[i]) ==
			    (uintptr_t)model.world.memory->addr + wanted[i].addr);
		move(wanted[i].addr, RX, CALLER, index);
		model.rx_bytes += frames[i].len;
		model.rx_packets += !frames[i].options;
		keep(frames[i]);
	}
	note(index, consumer, producer);
	/* As long as there is something to fill it with, in COMPLETION too. */
	if (n && queue->fill_target - queue->fill_out > queue->fill_slack)
		assert_int_equal(count(POOL, index) + count(COMP, index), 0);
}

static void do_alloc(uint32_t index)
{
	struct xsk_queue *queue = &model.world.queues[index];
	const struct kernel *kernel = &model.world.kernels[index];
	uint32_t consumer = kernel->comp.consumer, producer = kernel->fill.producer;
	int n = (int)draw(&model.world, draw(&model.world, 4) ? 12 : MAX_FRAMES), got;
	struct xsk_frame frames[MAX_FRAMES];

	got = xsk_alloc(queue, frames, n);
	note(index, consumer, producer);
	assert_true(got <= n && got >= 0);
	for (int i = 0; i < got; i++) {
		assert_int_equal(frames[i].len, 0);
		assert_int_equal(frames[i].options, 0);
		assert_int_equal(plain(frames[i].addr) % FRAME_SIZE, model.world.memory->headroom);
		move(plain(frames[i].addr), POOL, CALLER, index);
		keep(frames[i]);
	}
	if (n)
		assert_int_equal(queue->wants_frames, got < n ? got + 1 : 0);
	/* Fewer only when there are no more, in COMPLETION neither. */
	if (got < n)
		assert_int_equal(count(POOL, index) + count(COMP, index), 0);
}

/* On whichever queue, and by whichever address. */
static void do_free(uint32_t index)
{
	struct xsk_frame frames[MAX_FRAMES];
	int n = (int)draw(&model.world, (uint32_t)model.ncaller + 1);

	for (int i = 0; i < n; i++) {
		frames[i] = give_away();
		frames[i].addr &= ~(uint64_t)(FRAME_SIZE - 1);
		frames[i].addr += draw(&model.world, FRAME_SIZE);
		move(plain(frames[i].addr), CALLER, POOL, index);
	}
	assert_int_equal(xsk_free(&model.world.queues[index], frames, n), n);
}

/* Spoils a frame, so that it cannot be sent. */
static void spoil(struct xsk_frame *frame)
{
	switch (draw(&model.world, 4)) {
	case 0:
		frame->len = 0;
		break;
	case 1:
		frame->len = FRAME_SIZE + 1;
		break;
	case 2:
		frame->options |= 2U << draw(&model.world, 30);
		break;
	case 3:
		frame->addr += (uint64_t)model.world.memory->frames * FRAME_SIZE;
	}
}

/* Packets of 1 to max_frags frames; one may be too large, or the last without end. */
static int make_packets(struct xsk_frame *frames, int n, bool *ends)
{
	uint32_t left = 0, max = model.world.queues[0].max_frags;

	for (int i = 0; i < n; i++) {
		left = left ? left - 1 : draw(&model.world, max);
		frames[i] = give_away();
		frames[i].len = 1 + draw(&model.world, 100);
		frames[i].addr &= ~(uint64_t)(FRAME_SIZE - 1);
		frames[i].addr += draw(&model.world, FRAME_SIZE - 100);
		frames[i].options = left ? XSK_FRAME_CONTD : 0;
	}
	*ends = !left;
	return n;
}

/* What of n frames can go, where room is for so many, and all from bad on is not good. */
static int sendable(const struct xsk_frame *frames, int n, int room, int bad)
{
	int take = n < room ? n : room;

	take = take < bad ? take : bad;
	while (take && frames[take - 1].options & XSK_FRAME_CONTD)
		take--;
	return take;
}

static void check_sent(uint32_t index, const struct xsk_frame *frames, int sent, uint32_t producer)
{
	const struct ring *ring = &model.world.kernels[index].tx;

	assert_int_equal(ring->producer, producer + (uint32_t)sent);
	for (int i = 0; i < sent; i++) {
		const struct xdp_desc *desc = &ring->descs[(producer + (uint32_t)i) &
							   (ring->size - 1)];

		assert_true(desc->addr == plain(frames[i].addr));
		assert_int_equal(desc->len, frames[i].len);
		assert_int_equal(desc->options, frames[i].options);
		move(desc->addr, CALLER, TX, index);
		model.tx_bytes += desc->len;
		model.tx_packets += !desc->options;
	}
}

static void do_tx(uint32_t index)
{
	struct xsk_queue *queue = &model.world.queues[index];
	const struct kernel *kernel = &model.world.kernels[index];
	uint32_t consumer = kernel->comp.consumer, fill = kernel->fill.producer;
	uint32_t tx = kernel->tx.producer;
	struct xsk_frame frames[MAX_FRAMES], good;
	int n, sent, room, bad = MAX_FRAMES, take;
	bool ends;

	n = make_packets(frames, (int)draw(&model.world, (uint32_t)model.ncaller + 1), &ends);
	if (n && !draw(&model.world, 4)) {
		bad = (int)draw(&model.world, (uint32_t)n);
		good = frames[bad];
		spoil(&frames[bad]);
	}
	sent = xsk_tx(queue, frames, n);
	note(index, consumer, fill);
	room = (int)(queue->tx_limit - count(TX, index) - count(DRIVER_TX, index) -
		     count(COMP, index));
	take = sendable(frames, n, room, bad);
	if (take || sent >= 0) {
		/* Less than all that could go: then nothing waits in COMPLETION. */
		if (sent < n && bad == MAX_FRAMES && ends && n)
			assert_int_equal(count(COMP, index), 0);
		assert_int_equal(sent, take);
		check_sent(index, frames, sent, tx);
	} else {
		assert_true(sent == -EINVAL || sent == -EMSGSIZE);
		assert_true(bad < MAX_FRAMES || !ends);
		assert_int_equal(kernel->tx.producer, tx);
		model.refused++;
		sent = 0;
	}
	if (bad < MAX_FRAMES)
		frames[bad] = good;
	for (int i = sent; i < n; i++)
		keep(frames[i]);
}

/* ---- what a checked port refuses ---- */

/* A frame that is not the caller's; false: all are. */
static bool somebodys(struct xsk_frame *frame)
{
	uint32_t all = model.world.memory->frames, at = draw(&model.world, all);

	for (uint32_t i = 0; i < all; i++, at = (at + 1) % all) {
		if (model.frames[at].place == CALLER)
			continue;
		*frame = (struct xsk_frame){
			.addr = (uint64_t)at * FRAME_SIZE + model.world.memory->tag,
			.len = 60,
		};
		return true;
	}
	return false;
}

/* Among good ones: one that is another's, or a good one twice. */
static void do_misuse(uint32_t index)
{
	struct xsk_queue *queue = &model.world.queues[index];
	struct xsk_frame frames[MAX_FRAMES + 1];
	int n = (int)draw(&model.world, (uint32_t)model.ncaller + 1);
	int bad = (int)draw(&model.world, (uint32_t)n + 1);
	const struct kernel *kernel = &model.world.kernels[index];
	uint32_t consumer = kernel->comp.consumer, fill = kernel->fill.producer;

	if (!queue->booked)
		return;
	memcpy(frames, model.caller, (size_t)n * sizeof(*frames));
	frames[n] = frames[bad];
	if ((bad && draw(&model.world, 2)) || !somebodys(&frames[bad])) {
		if (!bad)
			return;
		frames[bad] = frames[draw(&model.world, (uint32_t)bad)];
	}
	assert_int_equal(xsk_free(queue, frames, n + 1), -EINVAL);
	model.refused++;
	if (bad || queue->tx_out == queue->tx_limit)
		return;
	frames[0].options = 0;
	assert_int_equal(xsk_tx(queue, frames, 1), -EINVAL);
	note(index, consumer, fill);
	model.refused++;
}

/* ---- the walk ---- */

static void start(const struct shape *shape, uint64_t seed)
{
	memset(&model, 0, sizeof(model));
	open_world(&model.world, shape, seed);
	for (uint32_t i = 0; i < QUEUES * shape->frames; i++)
		model.frames[i] = (struct where){ POOL, i / shape->frames };
	for (uint32_t i = 0; i < QUEUES; i++) {
		/* On every other walk. */
		model.world.queues[i].fill_slack = seed % 2 ? 0 : shape->fill_target / 4;
		note(i, shape->start, shape->start);
	}
	check();
}

static void walk(int steps)
{
	static void (*const moves[])(uint32_t) = {
		kernel_takes, kernel_delivers, kernel_completes, do_rx, do_alloc, do_tx, do_free,
		kernel_takes, kernel_delivers, kernel_completes, do_rx, do_alloc, do_tx,
		do_misuse,
	};

	for (int i = 0; i < steps; i++) {
		moves[draw(&model.world, sizeof(moves) / sizeof(moves[0]))]
			(draw(&model.world, QUEUES));
		check();
	}
}

/* It was no idle walk: each place was come to, and the rings went round. */
static void stop(int steps)
{
	for (int i = 0; i < PLACES; i++)
		assert_true(model.moved[i] > (uint64_t)steps / 10);
	close_world(&model.world);
}

static const struct shape shapes[] = {
	{ PLAIN, 40, 16, 16, 16, 16, 16, 1, 0, 0 },
	{ PLAIN, 64, 32, 32, 16, 32, 24, 1, 0, 0xfffffff0 },
	/* The area is no power of two, TX has less room than its ring. */
	{ PLAIN, 33, 8, 16, 32, 8, 9, 1, 128, 0xffffffff },
	{ PLAIN, 48, 32, 32, 32, 32, 32, 5, 0, 0xffffff00 },
	{ CHECKED, 40, 16, 16, 16, 16, 16, 1, 0, 0xfffffff0 },
	{ CHECKED, 33, 32, 32, 32, 8, 20, 1, 64, 0x7ffffff0 },
	{ CHECKED, 48, 32, 32, 32, 32, 32, 5, 0, 0xffffff00 },
	{ BOOKED, 40, 16, 16, 16, 16, 16, 1, 0, 0xffffffff },
	{ BOOKED, 48, 32, 32, 16, 32, 32, 3, 0, 0 },
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void each_frame_in_one_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++)
		for (uint64_t seed = 1; seed <= 3; seed++) {
			start(&shapes[i], seed);
			walk(STEPS / 3);
			stop(STEPS / 3);
		}
}

/* A book that is begun in the middle: of what the kernel has it only knows that. */
static void book_begun_late(void **state)
{
	struct shape shape = { PLAIN, 40, 16, 16, 16, 16, 16, 2, 0, 0xfffff000 };

	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		start(&shape, seed);
		walk(STEPS / 10);
		while (model.ncaller)
			do_free(draw(&model.world, QUEUES));
		check();
		assert_int_equal(xsk_pool_begin_book(model.world.memory, 0), 0);
		for (uint32_t i = 0; i < QUEUES; i++)
			model.world.queues[i].booked = true;
		check();
		walk(STEPS / 10);
		stop(STEPS / 5);
	}
}

/* What a closed port leaves: all that the kernel had of it is the pools' again. */
static void reclaimed(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPES; i++) {
		if (shapes[i].mode == PLAIN)
			continue;
		start(&shapes[i], 7);
		walk(500);
		for (uint32_t k = 0; k < QUEUES; k++) {
			struct xsk_queue *queue = &model.world.queues[k];

			xsk_pool_reclaim(model.world.memory, queue->pool, 0, k);
			queue->fill_out = 0;
			queue->tx_out = 0;
		}
		assert_law(&model.world);
		assert_int_equal(xsk_pool_lent(model.world.memory), model.ncaller);
		assert_int_equal(xsk_free(&model.world.queues[1], model.caller, model.ncaller),
				 model.ncaller);
		assert_law(&model.world);
		close_world(&model.world);
	}
}

/* A port that sends the frames of another: what it has sent is to be had there too. */
static void back_through_the_other(void **state)
{
	struct shape shape = { BOOKED, 40, 16, 16, 16, 16, 16, 1, 0, 0xfffffff8 };
	static struct world other;
	struct xsk_queue *queue = &model.world.queues[0], *sender = &other.queues[0];
	struct kernel *kernel = &model.world.kernels[0];
	struct xsk_frame frames[MAX_RING];

	(void)state;
	start(&shape, 1);
	other.memory = model.world.memory;
	other.port.memory = other.memory;
	other.port.number = 2;
	other.port.nqueues = 1;
	other.port.queues = other.queues;
	other.memory->ports[2] = &other.port;
	other.memory->nports = 2;
	shape.fill_target = 0;
	open_queue(&other, 0, &shape);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(xsk_alloc(queue, frames, MAX_RING), i ? 16 : 24);
		for (int k = 0; k < 16; k++) {
			frames[k].len = 60;
			put_rx(kernel, take_fill(kernel), 60, 0);
		}
		assert_int_equal(xsk_tx(sender, frames, 16), 16);
		for (int k = 0; k < 16; k++)
			put_comp(&other.kernels[0], take_tx(&other.kernels[0]).addr);
		/* For FILL, and where one is asked for. */
		if (!i) {
			assert_int_equal(xsk_rx(queue, frames, 16), 16);
			assert_int_equal(queue->fill_out, 16);
			assert_int_equal(xsk_free(queue, frames, 16), 16);
		} else {
			assert_int_equal(xsk_alloc(queue, frames, 16), 16);
		}
		assert_int_equal(sender->tx_out, 0);
		assert_int_equal(sender->counters.bad_frames, 0);
	}
	/* And where the pool has others: those that went round go to FILL again. */
	assert_int_equal(xsk_free(queue, frames, 16), 16);
	assert_int_equal(xsk_rx(queue, frames, 16), 16);
	assert_int_equal(xsk_free(queue, frames, 16), 16);
	for (int i = 0; i < 2; i++) {
		put_rx(kernel, take_fill(kernel), 60, 0);
		assert_int_equal(xsk_rx(queue, frames, 1), 1);
		assert_int_equal(sender->tx_out, 0);
		assert_int_equal(xsk_tx(sender, frames, 1), 1);
		put_comp(&other.kernels[0], take_tx(&other.kernels[0]).addr);
	}
	xsk_queue_drain(sender);
	assert_law(&model.world);
	close_world(&model.world);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_frame_in_one_place),
		cmocka_unit_test(book_begun_late),
		cmocka_unit_test(reclaimed),
		cmocka_unit_test(back_through_the_other),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("port_burst", tests, NULL, NULL);
}
