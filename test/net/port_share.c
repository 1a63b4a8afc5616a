/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Ports that share their memory: what the one receives the other sends, without a copy;
 * and either may be closed first. Two labs, so that there are two wires.
 */
#include "ports.h"

#include <errno.h>
#include <unistd.h>

#define QUEUES 2
#define FRAMES 128
#define FILL 32

static struct lab left, right;
static struct lab_count before;
static int areas_before;

static int open_labs(void **state)
{
	(void)state;
	lab_open(&left, QUEUES);
	lab_open(&right, QUEUES);
	return 0;
}

static int close_labs(void **state)
{
	(void)state;
	lab_close(&right);
	lab_close(&left);
	return 0;
}

static int count(void **state)
{
	(void)state;
	lab_count(&before);
	areas_before = ports_areas();
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	lab_assert_prog(&left, 0, false);
	lab_assert_prog(&right, 0, false);
	lab_assert_unchanged(&before);
	assert_int_equal(ports_areas(), areas_before);
	return 0;
}

/* On lab0, there. With share only what a port has for itself. */
static struct xsk_port *open_on(const struct lab *lab, struct xsk_port_opts opts,
				struct xsk_port *share)
{
	lab_enter(lab, 0);
	opts.fill_size = FILL;
	opts.queues = opts.queues ? opts.queues : 1;
	opts.frames = share ? 0 : FRAMES;
	opts.share = share;
	return ports_open("lab0", opts);
}

/* ---- forwarding ---- */

/* Frames number first to first + count - 1, in bursts; no frame is left with the caller. */
static void forward(struct xsk_queue *from, const struct lab *in, struct xsk_queue *to,
		    const struct lab *out, uint32_t first, uint32_t count)
{
	struct xsk_frame frames[8];

	for (uint32_t done = 0; done < count; done += 8) {
		for (uint32_t i = 0; i < 8; i++)
			lab_send(in, first + done + i, LAB_MIN_FRAME + (done + i) % 1000);
		ports_take(from, frames, 8);
		for (int i = 0; i < 8; i++)
			assert_ptr_equal(xsk_frame_data(from, &frames[i]),
					 xsk_frame_data(to, &frames[i]));
		assert_int_equal(xsk_tx(to, frames, 8), 8);
		ports_drain(to);
		for (uint32_t i = 0; i < 8; i++)
			lab_expect(out, first + done + i, LAB_MIN_FRAME + (done + i) % 1000);
	}
}

/* Many times the frames that there are, so no pool runs dry. */
static void both_ways(struct xsk_port *one, struct xsk_port *other)
{
	struct xsk_queue *here = xsk_port_queue(one, 0), *there = xsk_port_queue(other, 0);

	forward(here, &left, there, &right, 0, 800);
	ports_assert_law(one);
	forward(there, &right, here, &left, 1000, 800);
	assert_int_equal(ports_assert_law(one).in_caller, 0);
	assert_int_equal(ports_assert_law(other).in_caller, 0);
}

static void assert_same_memory(const struct xsk_port *one, const struct xsk_port *other)
{
	struct xsk_port_info first = ports_info(one), second = ports_info(other);

	assert_int_equal(first.frames, second.frames);
	assert_int_equal(first.frame_size, second.frame_size);
	assert_int_equal(first.headroom, second.headroom);
	assert_int_equal(first.flags, second.flags);
	assert_int_equal(ports_areas(), areas_before + 1);
}

static void forwarding_with(struct xsk_port_opts opts, uint32_t other_mode)
{
	struct xsk_port *one = open_on(&left, opts, NULL);
	struct xsk_port *other = open_on(&right, (struct xsk_port_opts){ .modes = other_mode },
					 one);

	assert_same_memory(one, other);
	both_ways(one, other);
	xsk_port_close(other);
	/* And again: the memory is the first one's still. */
	other = open_on(&right, (struct xsk_port_opts){ .modes = other_mode }, one);
	both_ways(one, other);
	xsk_port_close(one);
	one = open_on(&left, (struct xsk_port_opts){ .modes = opts.modes }, other);
	both_ways(one, other);
	xsk_port_close(other);
	xsk_port_close(one);
}

static void forwarding(void **state)
{
	(void)state;
	forwarding_with((struct xsk_port_opts){ .modes = XSK_MODE_NATIVE }, XSK_MODE_NATIVE);
	forwarding_with((struct xsk_port_opts){ .modes = XSK_MODE_GENERIC }, XSK_MODE_GENERIC);
	forwarding_with((struct xsk_port_opts){ .modes = XSK_MODE_NATIVE }, XSK_MODE_GENERIC);
	forwarding_with((struct xsk_port_opts){ .headroom = 100, .frame_size = 2048 }, 0);
}

static void forwarding_of_checked_ports(void **state)
{
	(void)state;
	forwarding_with((struct xsk_port_opts){ .flags = XSK_PORT_CHECKED }, 0);
	forwarding_with((struct xsk_port_opts){ .flags = XSK_PORT_CHECKED,
						.modes = XSK_MODE_GENERIC }, XSK_MODE_GENERIC);
}

/* The one receives and the other sends, and neither could do more. */
static void one_way(void **state)
{
	(void)state;
	for (int checked = 0; checked < 2; checked++) {
		struct xsk_port *from = open_on(&left, (struct xsk_port_opts){
			.direction = XSK_DIRECTION_RX,
			.flags = checked ? XSK_PORT_CHECKED : 0 }, NULL);
		struct xsk_port *to = open_on(&right, (struct xsk_port_opts){
			.direction = XSK_DIRECTION_TX }, from);

		assert_int_equal(lab_prog_id(&right, 0), 0);
		forward(xsk_port_queue(from, 0), &left, xsk_port_queue(to, 0), &right, 0, 400);
		xsk_port_close(checked ? from : to);
		ports_assert_law(checked ? to : from);
		xsk_port_close(checked ? to : from);
	}
}

/* ---- either goes first ---- */

static void make(struct xsk_queue *queue, struct xsk_frame *frames, int n, uint32_t first)
{
	for (int i = 0; i < n; i++) {
		frames[i].len = 200;
		lab_frame(xsk_frame_data(queue, &frames[i]), 200, first + (uint32_t)i);
	}
}

/* It has some in FILL, 3 in RX, 2 in TX, 4 in COMPLETION; the caller has 5 more of it. */
static void spread(const struct xsk_port *port, const struct lab *lab, struct xsk_frame *held)
{
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	uint64_t in_rx = ports_stats(port).in_rx;
	struct xsk_frame frames[4];

	for (uint32_t i = 0; i < 8; i++)
		lab_send(lab, i, 200);
	for (int i = 0; i < 2000 && ports_stats(port).in_rx < in_rx + 8; i++)
		usleep(1000);
	assert_int_equal(xsk_rx(queue, held, 5), 5);
	assert_int_equal(xsk_alloc(queue, frames, 4), 4);
	make(queue, frames, 4, 100);
	assert_int_equal(xsk_tx(queue, frames, 4), 4);
	ports_drain(queue);
	for (uint32_t i = 100; i < 104; i++)
		lab_expect(lab, i, 200);
	assert_int_equal(xsk_alloc(queue, frames, 2), 2);
	make(queue, frames, 2, 200);
	assert_int_equal(xsk_tx(queue, frames, 2), 2);
}

static uint64_t in_rings(const struct xsk_port_stats *stats)
{
	return stats->in_fill + stats->in_rx + stats->in_tx + stats->in_comp;
}

/* What the port that is left has; all else is in the pool, or with the caller. */
static void assert_rest(const struct xsk_port *rest, struct xsk_frame *held)
{
	struct xsk_queue *queue = xsk_port_queue(rest, 0);
	struct xsk_port_stats of_it = { .sz = sizeof(of_it) };
	struct xsk_port_stats all = ports_assert_law(rest);

	assert_int_equal(xsk_queue_stats(queue, &of_it), 0);
	assert_int_equal(in_rings(&all), in_rings(&of_it));
	assert_int_equal(all.in_rx, 3);
	assert_int_equal(all.in_caller, 10);
	assert_int_equal(all.in_pool, FRAMES - 10 - in_rings(&of_it));

	/* The packets that it received, and that the other did, are still whole. */
	for (uint32_t i = 0; i < 10; i++)
		assert_true(lab_frame_is(xsk_frame_data(queue, &held[i]), 200, i % 5));
}

/* Everything goes on: the caller's frames can be sent, and freed, and TX goes out. */
static void go_on(struct xsk_port *rest, const struct lab *lab, struct xsk_frame *held)
{
	struct xsk_queue *queue = xsk_port_queue(rest, 0);
	struct xsk_frame frames[8];

	assert_int_equal(xsk_tx(queue, held, 8), 8);
	assert_int_equal(xsk_free(queue, held + 8, 2), 2);
	ports_drain(queue);
	for (uint32_t i = 200; i < 202; i++)
		lab_expect(lab, i, 200);
	for (uint32_t i = 0; i < 8; i++)
		lab_expect(lab, i % 5, 200);
	ports_take(queue, frames, 3);
	assert_int_equal(xsk_free(queue, frames, 3), 3);
	ports_receive(queue, lab, 0, 200);
	ports_transmit(queue, lab, 0, 200);
	ports_drain(queue);
	assert_int_equal(ports_assert_law(rest).in_caller, 0);
	assert_int_equal(ports_stats(rest).bad_frames, 0);
}

/* Every one of the frames is there, and only once. */
static void assert_all_frames(const struct xsk_port *port)
{
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_frame frames[FRAMES];
	bool seen[FRAMES] = { false };
	int n = xsk_alloc(queue, frames, FRAMES);

	assert_int_equal(n, FRAMES - FILL);
	for (int i = 0; i < n; i++) {
		uint64_t number = (frames[i].addr & 0xffffffffffff) / 4096;

		assert_true(number < FRAMES);
		assert_false(seen[number]);
		seen[number] = true;
	}
	assert_int_equal(xsk_free(queue, frames, n), n);
}

static void close_first(bool first_goes, uint32_t flags, uint32_t mode)
{
	struct xsk_port *one = open_on(&left, (struct xsk_port_opts){
		.flags = flags, .modes = mode }, NULL);
	struct xsk_port *other = open_on(&right, (struct xsk_port_opts){ .modes = mode }, one);
	const struct lab *stays = first_goes ? &right : &left;
	const struct lab *goes = first_goes ? &left : &right;
	struct xsk_port *rest = first_goes ? other : one;
	struct xsk_frame held[10];

	spread(one, &left, held);
	spread(other, &right, held + 5);
	ports_assert_law(one);
	ports_assert_law(other);
	xsk_port_close(first_goes ? one : other);
	lab_assert_prog(goes, 0, false);
	/* What it had not begun to send is not sent. */
	lab_expect_nothing(goes);
	assert_rest(rest, held);
	go_on(rest, stays, held);
	assert_int_equal(xsk_flush(xsk_port_queue(rest, 0)), 0);
	assert_all_frames(rest);

	/* Its place can be taken again. */
	one = open_on(goes, (struct xsk_port_opts){ .modes = mode }, rest);
	if (first_goes)
		both_ways(one, rest);
	else
		both_ways(rest, one);
	xsk_port_close(rest);
	ports_assert_law(one);
	xsk_port_close(one);
}

static void either_goes_first(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		close_first(i & 1, i & 2 ? XSK_PORT_CHECKED : 0,
			    i & 4 ? XSK_MODE_GENERIC : XSK_MODE_NATIVE);
}

/* ---- more of them ---- */

/* On the other end of the left wire a third one; the one in the middle goes first. */
static void three_ports(void **state)
{
	struct xsk_port *one, *other, *third;
	struct xsk_frame frame;

	(void)state;
	one = open_on(&left, (struct xsk_port_opts){ 0 }, NULL);
	other = open_on(&right, (struct xsk_port_opts){ 0 }, one);
	lab_enter(&left, 1);
	third = ports_open("lab1", (struct xsk_port_opts){
		.queues = 1, .share = other, .fill_size = 8 });
	assert_int_equal(ports_areas(), areas_before + 1);

	/* Round: in by the right wire, out by the left, in at its other end, back. */
	for (uint32_t i = 0; i < 200; i++) {
		lab_send(&right, i, 500);
		ports_take(xsk_port_queue(other, 0), &frame, 1);
		assert_int_equal(xsk_tx(xsk_port_queue(one, 0), &frame, 1), 1);
		ports_drain(xsk_port_queue(one, 0));
		ports_take(xsk_port_queue(third, 0), &frame, 1);
		assert_int_equal(xsk_tx(xsk_port_queue(other, 0), &frame, 1), 1);
		ports_drain(xsk_port_queue(other, 0));
		lab_expect(&right, i, 500);
	}
	ports_assert_law(one);
	xsk_port_close(other);
	ports_assert_law(one);
	ports_assert_law(third);
	xsk_port_close(one);
	assert_int_equal(ports_assert_law(third).in_fill, 8);
	assert_int_equal(ports_assert_law(third).in_pool, FRAMES - 8);
	xsk_port_close(third);
	lab_assert_prog(&left, 1, false);
}

/* Queue i of the one and of the other have one pool. */
static void several_queues(void **state)
{
	struct xsk_port *one = open_on(&left, (struct xsk_port_opts){ .queues = QUEUES }, NULL);
	struct xsk_port *other = open_on(&right, (struct xsk_port_opts){ .queues = QUEUES }, one);
	struct xsk_port_stats first = { .sz = sizeof(first) }, second = first;
	struct xsk_frame frames[16];

	(void)state;
	for (unsigned int i = 0; i < QUEUES; i++) {
		struct xsk_queue *here = xsk_port_queue(one, i), *there = xsk_port_queue(other, i);

		assert_int_equal(xsk_alloc(here, frames, 16), 16);
		assert_int_equal(xsk_queue_stats(here, &first), 0);
		assert_int_equal(xsk_queue_stats(there, &second), 0);
		assert_int_equal(first.in_pool, FRAMES - 2 * FILL - 16);
		assert_int_equal(second.in_pool, first.in_pool);
		assert_int_equal(second.in_caller, 16);
		assert_int_equal(xsk_free(there, frames, 16), 16);
	}
	both_ways(one, other);
	xsk_port_close(one);
	ports_assert_law(other);
	/* Each pool has its own frames again. */
	for (unsigned int i = 0; i < QUEUES; i++) {
		assert_int_equal(xsk_queue_stats(xsk_port_queue(other, i), &second), 0);
		assert_int_equal(second.frames, FRAMES);
		assert_int_equal(second.in_fill, FILL);
	}
	/* Fewer queues may share, too. */
	one = open_on(&left, (struct xsk_port_opts){ .queues = 1 }, other);
	both_ways(one, other);
	xsk_port_close(other);
	xsk_port_close(one);
}

/* 256 ports on one memory, and no more. Each sends by another queue of an interface. */
static void as_many_as_can_be(void **state)
{
	struct xsk_port *ports[256];
	struct xsk_port_opts opts = { .queues = 1, .direction = XSK_DIRECTION_TX, .frames = 16 };
	struct xsk_frame frame;

	(void)state;
	lab_enter(&left, 0);
	lab_run("ip link add many0 numtxqueues 257 numrxqueues 257 type veth peer name many1 "
		"numtxqueues 257 numrxqueues 257");
	for (int i = 0; i < 256; i++) {
		ports[i] = ports_open("many0", opts);
		opts.share = ports[0];
		opts.frames = 0;
		opts.first_queue++;
	}
	ports_refused("many0", opts, -ENOSPC, "256 ports share it already", "close one of them");
	xsk_port_close(ports[7]);
	ports[7] = ports_open("many0", opts);
	opts.first_queue = 7;
	ports_refused("many0", opts, -ENOSPC, "256 ports share it already", "its own");
	assert_int_equal(xsk_alloc(xsk_port_queue(ports[7], 0), &frame, 1), 1);
	assert_int_equal(xsk_free(xsk_port_queue(ports[255], 0), &frame, 1), 1);
	ports_assert_law(ports[0]);
	for (int i = 0; i < 256; i++)
		xsk_port_close(ports[i]);
	lab_run("ip link del many0");
}

/*
 * What a failed open began is ended: the one that is there keeps no places any more, as
 * is seen by a frame that it takes twice, and its frames come and go.
 */
static void nothing_left_of_a_failed_open(void **state)
{
	struct xsk_port *one, *holder;
	struct xsk_queue *queue;
	struct xsk_frame frames[8];

	(void)state;
	holder = open_on(&right, (struct xsk_port_opts){ 0 }, NULL);
	one = open_on(&left, (struct xsk_port_opts){ 0 }, NULL);
	queue = xsk_port_queue(one, 0);
	lab_enter(&right, 0);
	/* Some of its frames are in the other's FILL by then. */
	ports_refused("lab0",
		      (struct xsk_port_opts){ .queues = 1, .share = one, .fill_size = FILL },
		      -EBUSY, "queue 0 is in use", "");
	assert_int_equal(ports_assert_law(one).in_fill, FILL);
	assert_int_equal(ports_stats(one).in_pool, FRAMES - FILL);
	ports_receive(queue, &left, 0, 4 * FRAMES);
	ports_transmit(queue, &left, 0, 4 * FRAMES);
	ports_drain(queue);
	assert_int_equal(ports_assert_law(one).bad_frames, 0);
	assert_all_frames(one);
	xsk_port_close(holder);

	/* And it can be shared after all. */
	holder = open_on(&right, (struct xsk_port_opts){ 0 }, one);
	both_ways(one, holder);
	xsk_port_close(holder);
	xsk_port_close(one);

	one = open_on(&left, (struct xsk_port_opts){ 0 }, NULL);
	queue = xsk_port_queue(one, 0);
	ports_refused("lab1", (struct xsk_port_opts){ .queues = 1, .share = one },
		      -ENODEV, "", "");
	ports_refused("lab0", (struct xsk_port_opts){ .queues = 1, .share = one },
		      -EBUSY, "", "");
	assert_int_equal(xsk_alloc(queue, frames, 2), 2);
	assert_int_equal(xsk_free(queue, frames, 1), 1);
	assert_int_equal(xsk_free(queue, frames, 1), 1);
	xsk_port_close(one);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(forwarding),
		TEST(forwarding_of_checked_ports),
		TEST(one_way),
		TEST(either_goes_first),
		TEST(three_ports),
		TEST(several_queues),
		TEST(as_many_as_can_be),
		TEST(nothing_left_of_a_failed_open),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("port_share", tests, open_labs, close_labs);
}
