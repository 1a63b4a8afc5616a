/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Waiting for a port's queues: asleep, spinning, by busy polling, and by epoll(7). */
#include "ports.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif

#define QUEUES 2
#define LATER_US 50000
#define LONG_MS 20000		/* who waits for so long was not woken */

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

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A child, which sends a packet when the test waits for it. */
static pid_t send_later(void)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child)
		return child;
	usleep(LATER_US);
	lab_send(&lab, 7, 300);
	_exit(0);
}

static void await_child(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* The packet of send_later(), which is there. */
static void take_packet(struct xsk_queue *queue)
{
	struct xsk_frame frame;

	assert_int_equal(xsk_rx(queue, &frame, 1), 1);
	assert_int_equal(frame.len, 300);
	assert_true(lab_frame_is(xsk_frame_data(queue, &frame), 300, 7));
	assert_int_equal(xsk_free(queue, &frame, 1), 1);
}

static const uint32_t copy_modes[] = { XSK_MODE_NATIVE, XSK_MODE_GENERIC };

static struct xsk_port *open_to_wait(uint32_t wait, uint32_t mode)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
		.queues = 1, .frames = 64, .wait = wait, .modes = mode });
	struct xsk_port_info info = ports_info(port);

	assert_int_equal(info.wait, wait);
	/* What was done to the interrupts, or why nothing was. */
	if (wait == XSK_WAIT_BUSY_POLL && !strstr(info.wait_text, "per NAPI") &&
	    !strstr(info.wait_text, "for the interface") &&
	    !strstr(info.wait_text, "interrupts not deferred: by NAPI: "))
		fail_msg("'%s' does not say what is with the interrupts", info.wait_text);
	return port;
}

/* ---- one queue ---- */

/* With a time, and for ever; what comes wakes either. */
static void woken_by_a_packet(struct xsk_queue *queue)
{
	static const int times[] = { -1, LONG_MS };

	for (int i = 0; i < 2; i++) {
		uint64_t start = now_ms();
		pid_t child = send_later();

		assert_int_equal(xsk_wait(&queue, 1, times[i]), 1);
		assert_true(now_ms() - start < LONG_MS);
		take_packet(queue);
		await_child(child);
	}
}

static void timeouts(struct xsk_queue *queue)
{
	static const int times[] = { 0, 1, 30, 250 };

	for (int i = 0; i < 4; i++) {
		uint64_t start = now_ms(), passed;

		assert_int_equal(xsk_wait(&queue, 1, times[i]), 0);
		passed = now_ms() - start;
		if (passed + 1 < (uint64_t)times[i] || passed > (uint64_t)times[i] + 5000)
			fail_msg("waited %d ms for %d", (int)passed, times[i]);
	}
}

/* What is there is told at once, as long as it is there. */
static void not_waiting(struct xsk_queue *queue)
{
	lab_send(&lab, 7, 300);
	assert_int_equal(xsk_wait(&queue, 1, LONG_MS), 1);
	assert_int_equal(xsk_wait(&queue, 1, 0), 1);
	assert_int_equal(xsk_wait(&queue, 1, -1), 1);
	take_packet(queue);
	assert_int_equal(xsk_wait(&queue, 1, 0), 0);
}

/* What TX holds is sent by who only waits. */
static void sent_by_waiting(struct xsk_queue *queue)
{
	struct xsk_frame frame;

	assert_int_equal(xsk_alloc(queue, &frame, 1), 1);
	frame.len = 200;
	lab_frame(xsk_frame_data(queue, &frame), 200, 3);
	assert_int_equal(xsk_tx(queue, &frame, 1), 1);
	lab_expect_nothing(&lab);
	assert_int_equal(xsk_wait(&queue, 1, 10), 0);
	lab_expect(&lab, 3, 200);
}

static void wait_in_each_way(uint32_t wait)
{
	for (int i = 0; i < 2; i++) {
		struct xsk_port *port = open_to_wait(wait, copy_modes[i]);
		struct xsk_queue *queue = xsk_port_queue(port, 0);

		woken_by_a_packet(queue);
		timeouts(queue);
		not_waiting(queue);
		sent_by_waiting(queue);
		ports_receive(queue, &lab, 0, 100);
		ports_transmit(queue, &lab, 0, 100);
		ports_drain(queue);
		ports_assert_law(port);
		xsk_port_close(port);
	}
}

static void asleep(void **state)
{
	(void)state;
	wait_in_each_way(XSK_WAIT_SLEEP);
}

static void spinning(void **state)
{
	(void)state;
	wait_in_each_way(XSK_WAIT_SPIN);
}

static void adapting(void **state)
{
	(void)state;
	wait_in_each_way(XSK_WAIT_ADAPTIVE);
}

static bool kernel_prefers_busy_polling(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), off = 0, err;

	assert_true(fd >= 0);
	err = setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &off, sizeof(off));
	close(fd);
	return !err;
}

static void busy_polling(void **state)
{
	(void)state;
	if (!kernel_prefers_busy_polling()) {
		ports_refused("lab0", (struct xsk_port_opts){ .wait = XSK_WAIT_BUSY_POLL },
			      -EINVAL, "it came with 5.11", "XSK_WAIT_SLEEP");
		print_message("# skipped: the kernel has no busy polling that is preferred\n");
		skip();
	}
	wait_in_each_way(XSK_WAIT_BUSY_POLL);
}

/* Frames that were sent come back; who got fewer than he asked for hears of more only. */
static void more_frames_than_before(void **state)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
		.queues = 1, .frames = 64, .fill_size = 32, .flags = XSK_PORT_CHECKED });
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_frame frames[64], some[4];

	(void)state;
	assert_int_equal(xsk_alloc(queue, frames, 64), 32);
	assert_int_equal(xsk_wait(&queue, 1, 0), 0);
	/* None of these can be had by waiting. */
	assert_int_equal(xsk_free(queue, frames, 1), 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(xsk_alloc(queue, some, 4), 1);
		assert_int_equal(xsk_free(queue, some, 1), 1);
		assert_int_equal(xsk_wait(&queue, 1, 30), 0);
	}
	assert_int_equal(xsk_free(queue, frames + 1, 1), 1);
	assert_int_equal(xsk_wait(&queue, 1, 2000), 1);
	assert_int_equal(xsk_wait(&queue, 1, 0), 0);

	/* As many as there were, but for others that are back. */
	assert_int_equal(xsk_alloc(queue, some, 4), 2);
	for (uint32_t i = 0; i < 2; i++) {
		some[i].len = 100;
		lab_frame(xsk_frame_data(queue, &some[i]), 100, i);
	}
	assert_int_equal(xsk_tx(queue, some, 2), 2);
	assert_int_equal(xsk_wait(&queue, 1, 2000), 1);
	assert_true(xsk_alloc(queue, some, 4) >= 1);
	for (uint32_t i = 0; i < 2; i++)
		lab_expect(&lab, i, 100);
	ports_assert_law(port);
	xsk_port_close(port);
}

/* Frames that were freed when FILL had run dry: who only waits gets packets again. */
static void after_a_dry_pool(void **state)
{
	static const uint32_t waits[] = { XSK_WAIT_SLEEP, XSK_WAIT_SPIN, XSK_WAIT_ADAPTIVE };

	(void)state;
	for (int k = 0; k < 3; k++) {
		struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
			.queues = 1, .frames = 16, .wait = waits[k],
			.direction = XSK_DIRECTION_RX });
		struct xsk_queue *queue = xsk_port_queue(port, 0);
		struct xsk_frame frames[16];
		pid_t child;

		for (uint32_t i = 0; i < 16; i++)
			lab_send(&lab, i, 100);
		ports_take(queue, frames, 16);
		assert_int_equal(ports_assert_law(port).in_fill, 0);
		assert_int_equal(xsk_wait(&queue, 1, 10), 0);
		assert_int_equal(xsk_free(queue, frames, 16), 16);
		child = send_later();
		assert_int_equal(xsk_wait(&queue, 1, LONG_MS), 1);
		take_packet(queue);
		await_child(child);
		ports_assert_law(port);
		xsk_port_close(port);
	}
}

/* Of the default's 2048 a sixteenth may lack until the next burst, and no more. */
static void a_burst_that_lacks(void **state)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){ .queues = 1 });
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_frame frames[200];

	(void)state;
	for (int n = 50; n <= 200; n += 150) {
		for (int i = 0; i < n; i++)
			lab_send(&lab, (uint32_t)i, 100);
		/* At once. */
		for (int ms = 0; ms < LONG_MS && ports_stats(port).rx_level < (uint64_t)n; ms++)
			usleep(1000);
		assert_int_equal(xsk_rx(queue, frames, n), n);
		assert_int_equal(ports_assert_law(port).in_fill, n == 50 ? 2048 - 50 : 2048);
		assert_int_equal(xsk_free(queue, frames, n), n);
		assert_int_equal(xsk_wait(&queue, 1, 0), 0);
		assert_int_equal(xsk_rx(queue, frames, 1), 0);
		assert_int_equal(ports_assert_law(port).in_fill, 2048);
	}
	xsk_port_close(port);
}

/* ---- signals ---- */

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
	(void)signal;
	alarms++;
}

/* Again and again, since the first may come before the sleep. */
static void set_alarms(int every_us)
{
	struct itimerval timer = { { 0, every_us }, { 0, every_us } };
	struct sigaction action = { .sa_handler = every_us ? on_alarm : SIG_DFL };

	if (every_us)
		assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
	if (!every_us)
		assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
}

static void signals(void **state)
{
	struct xsk_port *port = open_to_wait(XSK_WAIT_SLEEP, 0);
	struct xsk_queue *queue = xsk_port_queue(port, 0);

	(void)state;
	set_alarms(20000);
	assert_int_equal(xsk_wait(&queue, 1, -1), -EINTR);
	ports_assert_last(-EINTR, "", "");
	assert_int_equal(xsk_wait(&queue, 1, LONG_MS), -EINTR);
	assert_true(alarms >= 2);
	set_alarms(0);
	not_waiting(queue);
	xsk_port_close(port);

	port = open_to_wait(XSK_WAIT_ADAPTIVE, 0);
	queue = xsk_port_queue(port, 0);
	set_alarms(20000);
	assert_int_equal(xsk_wait(&queue, 1, -1), -EINTR);
	set_alarms(0);
	xsk_port_close(port);

	/* Spinning, nothing notices it; the time is over nevertheless. */
	port = open_to_wait(XSK_WAIT_SPIN, 0);
	queue = xsk_port_queue(port, 0);
	alarms = 0;
	set_alarms(10000);
	assert_int_equal(xsk_wait(&queue, 1, 100), 0);
	set_alarms(0);
	assert_true(alarms >= 1);
	ports_assert_law(port);
	xsk_port_close(port);
}

/* ---- several queues ---- */

static void what_cannot_be_waited_for(void **state)
{
	struct xsk_port *port = open_to_wait(XSK_WAIT_SLEEP, 0);
	struct xsk_queue *queues[XSK_WAIT_MAX + 1];

	(void)state;
	for (int i = 0; i <= XSK_WAIT_MAX; i++)
		queues[i] = xsk_port_queue(port, 0);
	assert_int_equal(xsk_wait(queues, 0, 0), -EINVAL);
	ports_assert_last(-EINVAL, "number of queues", "256");
	assert_int_equal(xsk_wait(queues, -1, 0), -EINVAL);
	assert_int_equal(xsk_wait(queues, XSK_WAIT_MAX + 1, 0), -EINVAL);
	assert_int_equal(xsk_wait(queues, XSK_WAIT_MAX, 0), 0);
	assert_int_equal(xsk_wait(NULL, 1, 0), -EINVAL);
	queues[1] = xsk_port_queue(port, 1);
	assert_int_equal(xsk_wait(queues, 2, 0), -EINVAL);
	ports_assert_last(-EINVAL, "NULL", "");
	xsk_port_close(port);
}

static void send_one(struct xsk_queue *queue)
{
	struct xsk_frame frame;

	assert_int_equal(xsk_alloc(queue, &frame, 1), 1);
	frame.len = 300;
	lab_frame(xsk_frame_data(queue, &frame), 300, 7);
	assert_int_equal(xsk_tx(queue, &frame, 1), 1);
	assert_true(xsk_flush(queue) >= 0);
}

/* Until as many are ready as are to be; what waits is not taken meanwhile. */
static void await_ready(struct xsk_queue *const *queues, int n, int ready)
{
	uint64_t deadline = now_ms() + 2000;

	while (xsk_wait(queues, n, 2000) < ready && now_ms() < deadline)
		usleep(1000);
	assert_int_equal(xsk_wait(queues, n, 0), ready);
}

/* All queues of both ends of the wire. */
static void queues_of_two_ports(void **state)
{
	struct xsk_port_opts opts = { .frames = 64 };
	struct xsk_queue *queues[2 * QUEUES];
	struct xsk_port *ports[2];

	(void)state;
	for (int side = 1; side >= 0; side--) {
		lab_enter(&lab, side);
		ports[side] = ports_open(side ? "lab1" : "lab0", opts);
		for (unsigned int i = 0; i < QUEUES; i++)
			queues[side * QUEUES + (int)i] = xsk_port_queue(ports[side], i);
	}
	assert_int_equal(xsk_wait(queues, 2 * QUEUES, 0), 0);
	assert_int_equal(xsk_wait(queues, 2 * QUEUES, 20), 0);

	/* A veth's packets arrive on the queue by which they were sent. */
	for (int i = 0; i < 2 * QUEUES; i++) {
		send_one(queues[i]);
		await_ready(queues, 2 * QUEUES, 1);
		take_packet(queues[(i + QUEUES) % (2 * QUEUES)]);
		assert_int_equal(xsk_wait(queues, 2 * QUEUES, 0), 0);
	}
	for (int i = 0; i < 2 * QUEUES; i++)
		send_one(queues[i]);
	await_ready(queues, 2 * QUEUES, 2 * QUEUES);
	for (int i = 0; i < 2 * QUEUES; i++) {
		assert_int_equal(xsk_wait(queues, 2 * QUEUES, 0), 2 * QUEUES - i);
		take_packet(queues[i]);
	}
	/* Asleep, the last of them wakes as the first does. */
	for (int i = 0; i < 2; i++) {
		struct xsk_queue *first = queues[0];
		pid_t child = send_later();

		assert_int_equal(xsk_wait(queues, 2 * QUEUES, LONG_MS), 1);
		take_packet(xsk_port_queue(ports[0], 0));
		await_child(child);
		queues[0] = queues[2 * QUEUES - 1];
		queues[2 * QUEUES - 1] = first;
	}
	for (int side = 0; side < 2; side++) {
		ports_assert_law(ports[side]);
		xsk_port_close(ports[side]);
	}
}

/* ---- the program's own loop ---- */

static void by_epoll(void **state)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 4711 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct xsk_port *port = open_to_wait(XSK_WAIT_SLEEP, copy_modes[i]);
		struct xsk_queue *queue = xsk_port_queue(port, 0);
		int epoll = epoll_create1(EPOLL_CLOEXEC);
		pid_t child;

		assert_true(epoll >= 0);
		assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, xsk_queue_fd(queue), &event), 0);
		assert_int_equal(xsk_flush(queue), 0);
		assert_int_equal(epoll_wait(epoll, &event, 1, 20), 0);
		child = send_later();
		assert_int_equal(xsk_flush(queue), 0);
		assert_int_equal(epoll_wait(epoll, &event, 1, LONG_MS), 1);
		assert_int_equal(event.data.u32, 4711);
		assert_true(event.events & EPOLLIN);
		take_packet(queue);
		await_child(child);
		assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
		close(epoll);
		ports_assert_law(port);
		xsk_port_close(port);
	}
}

/* TX has room again, though all that came back went into FILL. */
static void room_without_frames(void **state)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
		.queues = 1, .frames = 64, .tx_size = 32, .comp_size = 32 });
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_port_stats stats;
	struct xsk_frame frames[64];

	(void)state;
	for (int half = 0; half < 2; half++) {
		for (uint32_t i = 0; i < 32; i++)
			lab_send(&lab, i, 100);
		ports_take(queue, frames + 32 * half, 32);
	}
	assert_int_equal(ports_assert_law(port).in_caller, 64);
	assert_int_equal(xsk_tx(queue, frames, 64), 32);
	/* When all is sent, who flushes once more fills FILL. */
	ports_drain(queue);
	assert_int_equal(xsk_flush(queue), 0);
	stats = ports_assert_law(port);
	assert_int_equal(stats.in_fill, 32);
	assert_int_equal(stats.in_pool + stats.in_tx + stats.in_comp, 0);
	assert_int_equal(xsk_wait(&queue, 1, 0), 1);
	assert_int_equal(xsk_wait(&queue, 1, 0), 0);
	assert_int_equal(xsk_tx(queue, frames + 32, 32), 32);
	ports_drain(queue);
	for (uint32_t i = 0; i < 64; i++)
		lab_expect(&lab, i % 32, 100);
	ports_assert_law(port);
	xsk_port_close(port);
}

/*
 * A driver that refuses to send, as a socket does that is not connected: who only waits
 * gets the reason, too, when there is nothing else to be told.
 */
static void refused_by_the_driver(void **state)
{
	struct xsk_port *port = open_to_wait(XSK_WAIT_SLEEP, 0);
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	int fd = xsk_queue_fd(queue), saved = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct xsk_frame frame;

	(void)state;
	assert_true(saved >= 0 && other >= 0);
	lab_send(&lab, 7, 300);
	assert_int_equal(xsk_wait(&queue, 1, LONG_MS), 1);
	assert_int_equal(xsk_alloc(queue, &frame, 1), 1);
	frame.len = 200;
	lab_frame(xsk_frame_data(queue, &frame), 200, 3);
	assert_int_equal(xsk_tx(queue, &frame, 1), 1);
	assert_int_equal(dup3(other, fd, O_CLOEXEC), fd);
	assert_int_equal(xsk_wait(&queue, 1, 100), 1);
	take_packet(queue);
	assert_int_equal(xsk_wait(&queue, 1, 100), -EDESTADDRREQ);
	ports_assert_last(-EDESTADDRREQ, "", "queue 0 of lab0");
	assert_int_equal(ports_assert_law(port).kick_failed, 2);
	assert_int_equal(dup3(saved, fd, O_CLOEXEC), fd);
	close(saved);
	close(other);
	assert_int_equal(xsk_wait(&queue, 1, 10), 0);
	lab_expect(&lab, 3, 200);
	ports_assert_law(port);
	xsk_port_close(port);
}

/* A packet of n frames. */
static void make_packet(struct xsk_queue *queue, struct xsk_frame *frames, int n)
{
	assert_int_equal(xsk_alloc(queue, frames, n), n);
	for (int i = 0; i < n; i++) {
		frames[i].len = 100;
		frames[i].options = i < n - 1 ? XSK_FRAME_CONTD : 0;
		lab_frame(xsk_frame_data(queue, &frames[i]), 100, 0);
	}
}

/* For one of four frames three are not enough. */
static void room_for_a_packet(void **state)
{
	struct xsk_port_opts opts = { .sz = sizeof(opts), .queues = 1, .frames = 128,
				      .tx_size = 32, .comp_size = 32,
				      .flags = XSK_PORT_MULTI_BUFFER };
	struct xsk_port *port = NULL;
	struct xsk_queue *queue;
	struct xsk_frame frames[16];

	(void)state;
	if (xsk_port_open(&port, "lab0", &opts, NULL) == -EOPNOTSUPP) {
		print_message("# skipped: the kernel's sockets take no packets of several "
			      "frames\n");
		skip();
	}
	assert_non_null(port);
	queue = xsk_port_queue(port, 0);
	lab_run("ip link set lab0 down");
	for (int n = 0; n < 29; n++) {
		make_packet(queue, frames, 1);
		assert_int_equal(xsk_tx(queue, frames, 1), 1);
	}
	make_packet(queue, frames, 4);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(xsk_tx(queue, frames, 4), 0);
		assert_int_equal(xsk_wait(&queue, 1, 30), 0);
	}
	lab_run("ip link set lab0 up");
	assert_int_equal(xsk_wait(&queue, 1, 2000), 1);
	assert_int_equal(xsk_tx(queue, frames, 4), 4);
	ports_drain(queue);
	ports_assert_law(port);
	xsk_port_close(port);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(asleep),
		TEST(spinning),
		TEST(adapting),
		TEST(busy_polling),
		TEST(after_a_dry_pool),
		TEST(a_burst_that_lacks),
		TEST(more_frames_than_before),
		TEST(room_without_frames),
		TEST(refused_by_the_driver),
		TEST(signals),
		TEST(what_cannot_be_waited_for),
		TEST(queues_of_two_ports),
		TEST(by_epoll),
		/* The last, for nobody takes what it sends. */
		TEST(room_for_a_packet),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("port_wait", tests, open_lab, close_lab);
}
