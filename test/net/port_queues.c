/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Ports of several queues: one thread for all, and one for each. The sender is a port
 * on the other end: a veth's packet arrives on the queue by which it was sent, where a
 * program is in the driver. In generic mode the stack chooses.
 */
#include "ports.h"

#include <errno.h>
#include <linux/if_link.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define QUEUES 4
#define BURST 8
#define ROUNDS 40
#define WAIT_MS 2000

static struct lab lab;
static struct lab_count before;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, QUEUES);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

static int count(void **state)
{
	(void)state;
	lab_enter(&lab, 0);
	lab_count(&before);
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	lab_assert_prog(&lab, 0, false);
	lab_assert_prog(&lab, 1, false);
	lab_assert_unchanged(&before);
	return 0;
}

/* Leaves the thread in namespace 0. */
static struct xsk_port *open_sender(struct xsk_port_opts opts)
{
	struct xsk_port *port;

	lab_enter(&lab, 1);
	port = ports_open("lab1", opts);
	lab_enter(&lab, 0);
	return port;
}

static size_t length_of(uint32_t number)
{
	return LAB_MIN_FRAME + number * 37 % (LAB_MAX_FRAME - LAB_MIN_FRAME + 1);
}

static void make(struct xsk_queue *queue, struct xsk_frame *frame, uint32_t number)
{
	frame->len = (uint32_t)length_of(number);
	lab_frame(xsk_frame_data(queue, frame), frame->len, number);
}

static bool is(struct xsk_queue *queue, const struct xsk_frame *frame, uint32_t number)
{
	return frame->len == length_of(number) &&
	       lab_frame_is(xsk_frame_data(queue, frame), frame->len, number);
}

/* Numbers first to first + n - 1, all by one queue. */
static void send_by(struct xsk_queue *queue, uint32_t first, int n)
{
	struct xsk_frame frames[PORTS_BURST];

	assert_int_equal(xsk_alloc(queue, frames, n), n);
	for (int i = 0; i < n; i++)
		make(queue, &frames[i], first + (uint32_t)i);
	assert_int_equal(xsk_tx(queue, frames, n), n);
	ports_drain(queue);
}

static void take(struct xsk_queue *queue, uint32_t first, int n)
{
	struct xsk_frame frames[PORTS_BURST];

	ports_take(queue, frames, n);
	for (int i = 0; i < n; i++)
		assert_true(is(queue, &frames[i], first + (uint32_t)i));
	assert_int_equal(xsk_free(queue, frames, n), n);
}

/* ---- one call, one thread ---- */

static void one_call_for_all(void **state)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){ .frames = 64 });
	struct xsk_port_info info = ports_info(port);

	(void)state;
	assert_int_equal(info.queues, QUEUES);
	assert_int_equal(info.first_queue, 0);
	assert_int_equal(info.rx_queues, QUEUES);
	assert_int_equal(info.tx_queues, QUEUES);
	assert_int_equal(info.frames, QUEUES * 64);
	for (unsigned int i = 0; i < QUEUES; i++) {
		struct xsk_queue *queue = xsk_port_queue(port, i);

		assert_int_equal(xsk_queue_id(queue), i);
		assert_int_equal(xsk_queue_direction(queue), XSK_DIRECTION_RX | XSK_DIRECTION_TX);
		for (unsigned int k = 0; k < i; k++)
			assert_int_not_equal(xsk_queue_fd(queue),
					     xsk_queue_fd(xsk_port_queue(port, k)));
	}
	assert_null(xsk_port_queue(port, QUEUES));
	assert_null(xsk_port_queue(port, (unsigned int)-1));
	assert_int_equal(ports_assert_law(port).in_pool, QUEUES * 32);
	xsk_port_close(port);
}

/* Marks what has come, each once. Returns how many. */
static int take_any(struct xsk_queue *queue, bool *seen, uint32_t numbers)
{
	struct xsk_frame frames[PORTS_BURST];
	int n = xsk_rx(queue, frames, PORTS_BURST);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		uint32_t number;

		memcpy(&number, (char *)xsk_frame_data(queue, &frames[i]) + 14, sizeof(number));
		assert_true(number < numbers);
		assert_true(is(queue, &frames[i], number));
		assert_false(seen[number]);
		seen[number] = true;
	}
	assert_int_equal(xsk_free(queue, frames, n), n);
	return n;
}

static void receive_on_any(struct xsk_port *port, uint32_t numbers)
{
	struct xsk_queue *queues[QUEUES];
	bool seen[QUEUES * BURST] = { false };
	uint32_t got = 0;

	assert_true(numbers <= QUEUES * BURST);
	for (unsigned int i = 0; i < QUEUES; i++)
		queues[i] = xsk_port_queue(port, i);
	while (got < numbers) {
		if (xsk_wait(queues, QUEUES, WAIT_MS) < 1)
			fail_msg("%u of %u packets came", got, numbers);
		for (int i = 0; i < QUEUES; i++)
			got += (uint32_t)take_any(queues[i], seen, numbers);
	}
	assert_int_equal(xsk_wait(queues, QUEUES, 0), 0);
}

static void one_thread_for_all(void **state)
{
	static const uint32_t modes[] = { XSK_MODE_NATIVE, XSK_MODE_GENERIC };

	(void)state;
	for (int i = 0; i < 4; i++) {
		uint32_t flags = i & 2 ? XSK_PORT_CHECKED : 0;
		struct xsk_port *sender = open_sender((struct xsk_port_opts){
			.frames = 64, .direction = XSK_DIRECTION_TX, .flags = flags });
		struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
			.frames = 64, .modes = modes[i & 1], .flags = flags });

		for (int round = 0; round < 10; round++) {
			for (unsigned int k = 0; k < QUEUES; k++)
				send_by(xsk_port_queue(sender, k), k * BURST, BURST);
			receive_on_any(port, QUEUES * BURST);
		}
		assert_int_equal(ports_assert_law(port).rx_packets, 10 * QUEUES * BURST);
		assert_int_equal(ports_assert_law(sender).tx_packets, 10 * QUEUES * BURST);
		for (unsigned int k = 0; k < QUEUES; k++)
			ports_transmit(xsk_port_queue(port, k), &lab, 0, 100);
		ports_assert_law(port);
		xsk_port_close(port);
		xsk_port_close(sender);
	}
}

/* ---- a thread for each ---- */

struct worker {
	pthread_t thread;
	unsigned int index;
	struct xsk_queue *near;		/* gives each packet back */
	struct xsk_queue *far;		/* of the other end: sends them, and has them back */
	int failed_at;			/* a line of this file; 0: well */
	bool ended;
};

/* cmocka's assertions are for its own thread only. */
#define CHECK(condition) do { if (!(condition)) return __LINE__; } while (0)

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int receive_burst(struct xsk_queue *queue, struct xsk_frame *frames, uint32_t first)
{
	uint64_t deadline = now_ms() + 5 * WAIT_MS;
	int got = 0;

	while (got < BURST) {
		int n;

		CHECK(xsk_wait(&queue, 1, 100) >= 0);
		CHECK(now_ms() < deadline);
		n = xsk_rx(queue, frames + got, BURST - got);
		CHECK(n >= 0);
		got += n;
	}
	for (int i = 0; i < BURST; i++)
		CHECK(is(queue, &frames[i], first + (uint32_t)i));
	return 0;
}

static int send_burst(struct xsk_queue *queue, const struct xsk_frame *frames)
{
	int sent = 0;

	while (sent < BURST) {
		int n = xsk_tx(queue, frames + sent, BURST - sent);

		CHECK(n >= 0);
		CHECK(xsk_flush(queue) >= 0);
		sent += n;
	}
	return 0;
}

static int work_once(const struct worker *worker, uint32_t first)
{
	struct xsk_frame frames[BURST];
	int line;

	for (int got = 0; got < BURST;) {
		int n = xsk_alloc(worker->far, frames + got, BURST - got);

		CHECK(n >= 0);
		got += n;
	}
	for (int i = 0; i < BURST; i++)
		make(worker->far, &frames[i], first + (uint32_t)i);
	line = send_burst(worker->far, frames);
	if (!line)
		line = receive_burst(worker->near, frames, first);
	if (!line)
		line = send_burst(worker->near, frames);
	if (!line)
		line = receive_burst(worker->far, frames, first);
	if (line)
		return line;
	CHECK(xsk_free(worker->far, frames, BURST) == BURST);
	return 0;
}

/* Each on a CPU of its own, as far as there are some: veth may reorder else. */
static void *work(void *arg)
{
	struct worker *worker = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(worker->index % (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (uint32_t i = 0; i < ROUNDS && !worker->failed_at; i++)
		worker->failed_at = work_once(worker, (worker->index * ROUNDS + i) * BURST);
	__atomic_store_n(&worker->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool all_ended(const struct worker *workers)
{
	bool ended = true;

	for (int i = 0; i < QUEUES; i++)
		ended &= __atomic_load_n(&workers[i].ended, __ATOMIC_ACQUIRE);
	return ended;
}

static void run_workers(struct xsk_port *near, struct xsk_port *far)
{
	struct worker workers[QUEUES] = { 0 };

	for (unsigned int i = 0; i < QUEUES; i++) {
		workers[i].index = i;
		workers[i].near = xsk_port_queue(near, i);
		workers[i].far = xsk_port_queue(far, i);
	}
	for (int i = 0; i < QUEUES; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	/* Who only asks may be any thread, meanwhile. */
	while (!all_ended(workers)) {
		assert_int_equal(ports_stats(near).frames, QUEUES * 64);
		assert_int_equal(ports_info(far).queues, QUEUES);
		usleep(2000);
	}
	for (int i = 0; i < QUEUES; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	for (int i = 0; i < QUEUES; i++)
		if (workers[i].failed_at)
			fail_msg("thread %d failed in line %d", i, workers[i].failed_at);
}

static void in_threads(struct xsk_port_opts opts)
{
	struct xsk_port *far, *near;

	opts.frames = 64;
	far = open_sender(opts);
	near = ports_open("lab0", opts);
	run_workers(near, far);
	assert_int_equal(ports_assert_law(near).in_caller, 0);
	assert_int_equal(ports_assert_law(far).in_caller, 0);
	assert_int_equal(ports_stats(near).rx_packets, QUEUES * ROUNDS * BURST);
	assert_int_equal(ports_stats(near).tx_packets, QUEUES * ROUNDS * BURST);
	assert_int_equal(ports_stats(far).rx_packets, QUEUES * ROUNDS * BURST);
	xsk_port_close(near);
	xsk_port_close(far);
}

/* Native: each packet stays with its thread. */
static void threads_for_each_queue(void **state)
{
	(void)state;
	in_threads((struct xsk_port_opts){ .modes = XSK_MODE_NATIVE });
}

static void threads_of_checked_ports(void **state)
{
	(void)state;
	in_threads((struct xsk_port_opts){ .modes = XSK_MODE_NATIVE,
					   .flags = XSK_PORT_CHECKED });
}

static void threads_that_spin(void **state)
{
	(void)state;
	in_threads((struct xsk_port_opts){ .modes = XSK_MODE_NATIVE, .wait = XSK_WAIT_SPIN });
}

/* ---- some of the queues ---- */

static void range_of_queues(void **state)
{
	struct xsk_port *sender = open_sender((struct xsk_port_opts){ .frames = 64 });
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
		.frames = 64, .first_queue = 1, .queues = 2 });
	int stack = lab_stack_open();

	(void)state;
	assert_int_equal(ports_info(port).first_queue, 1);
	assert_int_equal(ports_info(port).queues, 2);
	assert_int_equal(ports_info(port).rx_queues, QUEUES);
	assert_int_equal(ports_info(port).frames, 2 * 64);
	assert_int_equal(xsk_queue_id(xsk_port_queue(port, 0)), 1);
	assert_int_equal(xsk_queue_id(xsk_port_queue(port, 1)), 2);
	assert_null(xsk_port_queue(port, 2));
	/* What comes on the others is the stack's. */
	for (unsigned int i = 0; i < QUEUES; i++) {
		send_by(xsk_port_queue(sender, i), 100 * i, 1);
		if (i == 1 || i == 2)
			take(xsk_port_queue(port, i - 1), 100 * i, 1);
		else
			lab_stack_expect(stack, 100 * i, length_of(100 * i));
	}
	/* And what is sent by them arrives. */
	for (unsigned int i = 0; i < 2; i++) {
		send_by(xsk_port_queue(port, i), 500, BURST);
		take(xsk_port_queue(sender, i + 1), 500, BURST);
	}
	close(stack);
	ports_assert_law(port);
	xsk_port_close(port);
	port = ports_open("lab0", (struct xsk_port_opts){ .frames = 64, .first_queue = 3 });
	assert_int_equal(ports_info(port).queues, 1);
	send_by(xsk_port_queue(sender, 3), 0, BURST);
	take(xsk_port_queue(port, 0), 0, BURST);
	xsk_port_close(port);
	xsk_port_close(sender);
}

/* Two ports of a process on one interface: one program for both, until the last goes. */
static void ports_beside_each_other(void **state)
{
	struct xsk_port_opts opts = { .frames = 64, .queues = 2 };
	struct xsk_port *sender = open_sender((struct xsk_port_opts){
		.frames = 64, .direction = XSK_DIRECTION_TX });
	struct xsk_port *ports[2];

	(void)state;
	for (int first_to_go = 0; first_to_go < 2; first_to_go++) {
		uint32_t id;

		for (int i = 0; i < 2; i++) {
			opts.first_queue = 2 * (uint32_t)i;
			ports[i] = ports_open("lab0", opts);
		}
		id = lab_prog_id(&lab, 0);
		assert_int_equal(ports_info(ports[0]).prog_id, id);
		assert_int_equal(ports_info(ports[1]).prog_id, id);
		for (unsigned int i = 0; i < QUEUES; i++) {
			send_by(xsk_port_queue(sender, i), i, BURST);
			take(xsk_port_queue(ports[i / 2], i % 2), i, BURST);
		}
		ports_assert_law(ports[0]);
		ports_assert_law(ports[1]);
		xsk_port_close(ports[first_to_go]);
		assert_int_equal(lab_prog_id(&lab, 0), id);
		for (unsigned int i = 0; i < 2; i++) {
			send_by(xsk_port_queue(sender, i + (first_to_go ? 0 : 2)), i, BURST);
			take(xsk_port_queue(ports[!first_to_go], i), i, BURST);
		}
		ports_assert_law(ports[!first_to_go]);
		xsk_port_close(ports[!first_to_go]);
		lab_assert_prog(&lab, 0, false);
	}
	xsk_port_close(sender);
}

/* The kernel lets go of a closed port's queues some time later, and refuses until then. */
static bool switch_queues(int side, int queues)
{
	char command[80];
	int failed = 1;

	lab_enter(&lab, side);
	snprintf(command, sizeof(command), "ethtool -L lab%d rx %d tx %d 2>/dev/null", side,
		 queues, queues);
	for (int i = 0; i < 20 && failed; i++) {
		failed = system(command);
		usleep(failed ? 50000 : 0);
	}
	return !failed;
}

/* Those that are switched off are not opened, nor can they be. */
static void queues_in_use(void **state)
{
	struct xsk_port *port;

	(void)state;
	if (!switch_queues(1, 2)) {
		print_message("# skipped: the kernel's veth cannot switch queues off\n");
		skip();
	}
	assert_true(switch_queues(0, 2));
	port = ports_open("lab0", (struct xsk_port_opts){ .frames = 64 });
	assert_int_equal(ports_info(port).queues, 2);
	assert_int_equal(ports_info(port).rx_queues, 2);
	ports_receive(xsk_port_queue(port, 0), &lab, 0, 100);
	ports_transmit(xsk_port_queue(port, 1), &lab, 0, 100);
	xsk_port_close(port);
	ports_refused("lab0", (struct xsk_port_opts){ .first_queue = 2 }, -EINVAL,
		      "the queues 0 to 1 in use", "ethtool");
	assert_true(switch_queues(0, QUEUES));
	assert_true(switch_queues(1, QUEUES));
}

/* ---- more of the one kind than of the other ---- */

static void refused_direction(struct xsk_queue *queue, const char *reason)
{
	struct xsk_port_stats stats = { .sz = sizeof(stats) };
	struct xsk_frame frame;

	if (xsk_queue_direction(queue) == XSK_DIRECTION_RX) {
		assert_int_equal(xsk_alloc(queue, &frame, 1), 1);
		frame.len = 100;
		assert_int_equal(xsk_tx(queue, &frame, 1), -EOPNOTSUPP);
		ports_assert_last(-EOPNOTSUPP, reason, "XSK_PORT_ONE_THREAD");
		assert_int_equal(xsk_free(queue, &frame, 1), 1);
	} else {
		assert_int_equal(xsk_rx(queue, &frame, 1), -EOPNOTSUPP);
		ports_assert_last(-EOPNOTSUPP, reason, "ethtool -L");
	}
	assert_int_equal(xsk_queue_stats(queue, &stats), 0);
	assert_int_equal(stats.refused, 1);
	assert_int_equal(xsk_flush(queue), 0);
	assert_int_equal(xsk_wait(&queue, 1, 0), 0);
}

/* more0 has two queues to receive and one to send, more1 the reverse. */
static void pass_unequally(struct xsk_port *more0, struct xsk_port *more1)
{
	struct xsk_queue *receives = xsk_port_queue(more0, 1);
	struct xsk_queue *sends = xsk_port_queue(more1, 1);

	assert_int_equal(ports_info(more0).rx_queues, 2);
	assert_int_equal(ports_info(more0).tx_queues, 1);
	assert_int_equal(ports_info(more0).queues, 2);
	assert_int_equal(ports_info(more1).queues, 2);
	assert_int_equal(xsk_queue_direction(xsk_port_queue(more0, 0)),
			 XSK_DIRECTION_RX | XSK_DIRECTION_TX);
	assert_int_equal(xsk_queue_direction(receives), XSK_DIRECTION_RX);
	assert_int_equal(xsk_queue_direction(sends), XSK_DIRECTION_TX);
	send_by(sends, 10, BURST);
	take(receives, 10, BURST);
	send_by(xsk_port_queue(more1, 0), 20, BURST);
	take(xsk_port_queue(more0, 0), 20, BURST);
	send_by(xsk_port_queue(more0, 0), 30, BURST);
	take(xsk_port_queue(more1, 0), 30, BURST);
	refused_direction(receives, "queue 1 of more0 only receives");
	refused_direction(sends, "queue 1 of more1 only sends");
	ports_assert_law(more0);
	ports_assert_law(more1);
}

static void unequal_directions(void **state)
{
	struct xsk_port *more0, *more1, *one;
	struct xsk_port_opts opts = { .frames = 64 };

	(void)state;
	lab_run("ip link add more0 numrxqueues 2 numtxqueues 1 type veth "
		"peer name more1 numrxqueues 1 numtxqueues 2");
	lab_run("ip link set more0 up");
	lab_run("ip link set more1 up");
	more0 = ports_open("more0", opts);
	more1 = ports_open("more1", opts);
	pass_unequally(more0, more1);
	xsk_port_close(more0);
	xsk_port_close(more1);

	/* Who asks for one direction gets the queues of that. */
	opts.direction = XSK_DIRECTION_TX;
	one = ports_open("more0", opts);
	assert_int_equal(ports_info(one).queues, 1);
	xsk_port_close(one);
	opts.direction = XSK_DIRECTION_RX;
	one = ports_open("more1", opts);
	assert_int_equal(ports_info(one).queues, 1);
	xsk_port_close(one);
	opts.first_queue = 1;
	ports_refused("more1", opts, -EINVAL, "queue 1", "ethtool");
	lab_run("ip link del more0");
}

/*
 * All that queue 1 of more0 receives, queue 0 sends on: more than the queue has frames, and
 * more than all have. Returns how many were received.
 */
static uint32_t send_by_the_other(struct xsk_port *more0, struct xsk_port *more1, bool bring_back)
{
	struct xsk_queue *from = xsk_port_queue(more0, 1), *by = xsk_port_queue(more0, 0);
	struct xsk_queue *back = xsk_port_queue(more1, 0);
	struct xsk_frame frames[BURST];
	uint32_t received = 0;
	int n;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		send_by(xsk_port_queue(more1, 1), round * BURST, BURST);
		n = 0;
		for (int i = 0; i < 20 && n < BURST; i++) {
			n += xsk_rx(from, frames + n, BURST - n);
			xsk_wait(&from, 1, n < BURST ? 10 : 0);
		}
		received += (uint32_t)n;
		if (n < BURST) {
			assert_int_equal(xsk_free(by, frames, n), n);
			break;
		}
		for (int i = 0; i < n; i++)
			assert_true(is(from, &frames[i], round * BURST + (uint32_t)i));
		assert_int_equal(xsk_tx(by, frames, n), n);
		ports_drain(by);
		take(back, round * BURST, BURST);
		if (bring_back)
			assert_int_equal(xsk_free(from, frames, xsk_alloc(by, frames, n)), n);
		ports_assert_law(more0);
	}
	return received;
}

static void queues_of_one_thread_help_out(void **state)
{
	const uint32_t flags[] = { XSK_PORT_ONE_THREAD, XSK_PORT_ONE_THREAD | XSK_PORT_CHECKED, 0 };
	struct xsk_port_opts opts = { .frames = 64 };
	struct xsk_port *more0, *more1 = NULL;

	(void)state;
	lab_run("ip link add more0 numrxqueues 2 numtxqueues 1 type veth "
		"peer name more1 numrxqueues 1 numtxqueues 2");
	lab_run("ip link set more0 up");
	lab_run("ip link set more1 up");
	more1 = ports_open("more1", (struct xsk_port_opts){ .frames = 1024 });
	for (int i = 0; i < 3; i++) {
		opts.flags = flags[i];
		more0 = ports_open("more0", opts);
		assert_int_equal(ports_info(more0).flags & XSK_PORT_ONE_THREAD,
				 flags[i] & XSK_PORT_ONE_THREAD);
		/* Without it by hand, and else not at all. */
		assert_int_equal(send_by_the_other(more0, more1, !flags[i]), ROUNDS * BURST);
		if (!flags[i])
			assert_true(send_by_the_other(more0, more1, false) < ROUNDS * BURST);
		ports_assert_law(more0);
		xsk_port_close(more0);
	}
	xsk_port_close(more1);
	lab_run("ip link del more0");
}

/* ---- frames and counters of each ---- */

static struct xsk_port_stats stats_of(const struct xsk_port *port, unsigned int index)
{
	struct xsk_port_stats stats = { .sz = sizeof(stats) };

	assert_int_equal(xsk_queue_stats(xsk_port_queue(port, index), &stats), 0);
	return stats;
}

/* They are the memory's, not the queue's: also what one has too many of is used. */
static void frames_change_the_queue(void **state)
{
	struct xsk_port *sender = open_sender((struct xsk_port_opts){
		.frames = 64, .direction = XSK_DIRECTION_TX });

	(void)state;
	for (int checked = 0; checked < 2; checked++) {
		struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
			.frames = 64, .flags = checked ? XSK_PORT_CHECKED : 0 });
		struct xsk_queue *from = xsk_port_queue(port, 0), *to = xsk_port_queue(port, 3);
		struct xsk_frame frames[128];

		for (int i = 0; i < 32; i += BURST) {
			send_by(xsk_port_queue(sender, 0), 0, BURST);
			ports_take(from, frames + i, BURST);
		}
		assert_int_equal(xsk_free(to, frames, 32), 32);
		ports_assert_law(port);
		assert_int_equal(stats_of(port, 3).in_pool, 64);
		assert_int_equal(stats_of(port, 0).in_pool, 0);
		/* Forwarded to another one. */
		send_by(xsk_port_queue(sender, 0), 40, BURST);
		ports_take(from, frames, BURST);
		assert_int_equal(xsk_tx(to, frames, BURST), BURST);
		ports_drain(to);
		for (uint32_t i = 40; i < 40 + BURST; i++)
			lab_expect(&lab, i, length_of(i));
		assert_int_equal(xsk_alloc(to, frames, 128), 64 + BURST);
		assert_int_equal(ports_assert_law(port).in_caller, 64 + BURST);
		assert_int_equal(xsk_free(from, frames, 64 + BURST), 64 + BURST);
		assert_int_equal(ports_assert_law(port).in_caller, 0);
		send_by(xsk_port_queue(sender, 0), 0, BURST);
		take(from, 0, BURST);
		ports_assert_law(port);
		xsk_port_close(port);
	}
	xsk_port_close(sender);
}

static void statistics_of_each(void **state)
{
	struct xsk_port *sender = open_sender((struct xsk_port_opts){
		.frames = 64, .direction = XSK_DIRECTION_TX });
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
		.frames = 64, .direction = XSK_DIRECTION_RX });
	struct xsk_port_stats all;

	(void)state;
	for (unsigned int i = 0; i < QUEUES; i++) {
		int n = (int)i + 1;

		send_by(xsk_port_queue(sender, i), 0, n);
		take(xsk_port_queue(port, i), 0, n);
		assert_int_equal(stats_of(port, i).rx_packets, n);
		assert_int_equal(stats_of(port, i).frames, 64);
		assert_int_equal(stats_of(sender, i).tx_packets, n);
		assert_true(stats_of(sender, i).kicks >= 1);
	}
	all = ports_assert_law(port);
	assert_int_equal(all.rx_packets, 1 + 2 + 3 + 4);
	for (unsigned int i = 0; i < QUEUES; i++)
		all.rx_bytes -= stats_of(port, i).rx_bytes;
	assert_int_equal(all.rx_bytes, 0);
	/* What the one loses is not the other's loss. */
	assert_int_equal(xsk_flush(xsk_port_queue(port, 2)), 0);
	send_by(xsk_port_queue(sender, 2), 0, 40);
	send_by(xsk_port_queue(sender, 2), 0, 40);
	for (int i = 0; i < WAIT_MS && !stats_of(port, 2).rx_fill_empty; i++)
		usleep(1000);
	assert_true(stats_of(port, 2).rx_fill_empty > 0);
	assert_true(ports_stats(port).rx_fill_empty >= stats_of(port, 2).rx_fill_empty);
	assert_int_equal(stats_of(port, 1).rx_fill_empty, 0);
	assert_int_equal(stats_of(port, 2).in_rx, 64);
	assert_int_equal(ports_assert_law(port).in_rx, 64);
	xsk_port_close(port);
	xsk_port_close(sender);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_call_for_all),
		TEST(one_thread_for_all),
		TEST(threads_for_each_queue),
		TEST(threads_of_checked_ports),
		TEST(threads_that_spin),
		TEST(range_of_queues),
		TEST(ports_beside_each_other),
		TEST(queues_in_use),
		TEST(unequal_directions),
		TEST(queues_of_one_thread_help_out),
		TEST(frames_change_the_queue),
		TEST(statistics_of_each),
	};

	return cmocka_run_group_tests_name("port_queues", tests, open_lab, close_lab);
}
