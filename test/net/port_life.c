/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What happens to a port that goes on: opened again at once, its link goes down, its
 * interface is renamed, its queue is switched off. See port_gone.c for interfaces that go
 * away, and port_process.c for processes that do.
 */
#include "ports.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 3000
#define OPTS(...) (struct xsk_port_opts){ __VA_ARGS__ }

static struct lab lab;
static struct lab_count before;
static int areas_before;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 1);
	lab_count(&before);
	areas_before = ports_areas();
	return 0;
}

static int open_lab_of_two(void **state)
{
	(void)state;
	lab_open(&lab, 2);
	lab_count(&before);
	areas_before = ports_areas();
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	assert_int_equal(ports_areas(), areas_before);
	lab_close(&lab);
	return 0;
}

static void pass_packets(struct xsk_port *port, uint32_t count)
{
	ports_receive(xsk_port_queue(port, 0), &lab, 7, count);
	ports_transmit(xsk_port_queue(port, 0), &lab, 8, count);
	ports_assert_law(port);
}

/* ---- again, at once ---- */

static void opened_again_at_once(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct xsk_port *port = ports_open("lab0", OPTS(
			.modes = i % 5 == 4 ? XSK_MODE_GENERIC : 0,
			.flags = i % 3 ? 0 : XSK_PORT_CHECKED));

		pass_packets(port, 5);
		xsk_port_close(port);
	}
}

/* ---- the link ---- */

static void await_in_rx(const struct xsk_port *port, uint64_t count)
{
	uint64_t deadline = now_ms() + WAIT_MS;

	while (ports_stats(port).in_rx != count) {
		assert_true(now_ms() < deadline);
		usleep(1000);
	}
}

static void put_in_tx(struct xsk_queue *queue, uint32_t first, int count)
{
	struct xsk_frame frames[64];

	assert_true(count <= 64);
	assert_int_equal(xsk_alloc(queue, frames, count), count);
	for (int i = 0; i < count; i++) {
		frames[i].len = 100;
		lab_frame(xsk_frame_data(queue, &frames[i]), 100, first + (uint32_t)i);
	}
	assert_int_equal(xsk_tx(queue, frames, count), count);
}

static void take_from_rx(struct xsk_queue *queue, uint32_t first, int count)
{
	struct xsk_frame frames[64];

	assert_true(count <= 64);
	ports_take(queue, frames, count);
	for (int i = 0; i < count; i++)
		assert_true(lab_frame_is(xsk_frame_data(queue, &frames[i]), frames[i].len,
					 first + (uint32_t)i));
	assert_int_equal(xsk_free(queue, frames, count), count);
}

/* It says so, and is waited for as if it were up. */
static void assert_down(struct xsk_queue *queue, const char *ifname)
{
	char hint[64], reason[64];

	snprintf(reason, sizeof(reason), "%s is down", ifname);
	snprintf(hint, sizeof(hint), "ip link set dev %s up", ifname);
	assert_int_equal(xsk_flush(queue), -ENETDOWN);
	ports_assert_last(-ENETDOWN, reason, hint);
	assert_int_equal(xsk_wait(&queue, 1, 0), 0);
	assert_int_equal(xsk_wait(&queue, 1, 30), 0);
}

static void down_and_up(uint32_t mode, uint32_t flags)
{
	struct xsk_port *port = ports_open("lab0", OPTS(.modes = mode, .flags = flags));
	struct xsk_queue *queue = xsk_port_queue(port, 0);

	for (uint32_t round = 0; round < 3; round++) {
		pass_packets(port, 50);
		for (uint32_t i = 0; i < 8; i++)
			lab_send(&lab, i, 100);
		await_in_rx(port, 8);
		put_in_tx(queue, 20, 8);
		lab_run("ip link set lab0 down");
		assert_false(ports_info(port).up);
		assert_false(ports_info(port).gone);
		take_from_rx(queue, 0, 8);
		assert_down(queue, "lab0");
		/* There is room for more. */
		put_in_tx(queue, 28, 30);
		assert_down(queue, "lab0");
		assert_int_equal(ports_assert_law(port).in_tx, 38);
		assert_true(ports_stats(port).kick_down > 0);
		lab_expect_nothing(&lab);
		lab_run("ip link set lab0 up");
		assert_true(ports_info(port).up);
		ports_drain(queue);
		for (uint32_t i = 20; i < 58; i++)
			lab_expect(&lab, i, 100);
		ports_assert_law(port);
	}
	xsk_port_close(port);
}

static void link_goes_down_and_up(void **state)
{
	(void)state;
	down_and_up(XSK_MODE_NATIVE, 0);
	down_and_up(XSK_MODE_GENERIC, XSK_PORT_CHECKED);
}

/* Opened while it is down: as any other, and told when it would send. */
static void opened_while_it_is_down(void **state)
{
	(void)state;
	for (uint32_t mode = XSK_MODE_NATIVE; mode <= XSK_MODE_GENERIC; mode <<= 1) {
		struct xsk_port *port;

		lab_run("ip link set lab0 down");
		port = ports_open("lab0", OPTS(.modes = mode));
		assert_false(ports_info(port).up);
		assert_int_equal(xsk_flush(xsk_port_queue(port, 0)), 0);
		put_in_tx(xsk_port_queue(port, 0), 0, 10);
		assert_down(xsk_port_queue(port, 0), "lab0");
		lab_run("ip link set lab0 up");
		ports_drain(xsk_port_queue(port, 0));
		for (uint32_t i = 0; i < 10; i++)
			lab_expect(&lab, i, 100);
		pass_packets(port, 100);
		xsk_port_close(port);
	}
}

static void send_for_a_while(void)
{
	uint8_t frame[100];

	for (uint32_t i = 0; i < 3000; i++) {
		lab_frame(frame, sizeof(frame), i);
		send(lab.peer, frame, sizeof(frame), MSG_DONTWAIT);
		usleep(200);
	}
}

/* Frames come as the link goes; they may be lost on the way, but none of ours. */
static void link_goes_down_while_receiving(void **state)
{
	struct xsk_port *port = ports_open("lab0", OPTS(.flags = XSK_PORT_CHECKED));
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_frame frames[16];
	uint64_t next = now_ms();
	int status = 0, n, turns = 0;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		send_for_a_while();
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		n = xsk_rx(queue, frames, 16);
		assert_true(n >= 0);
		for (int i = 0; i < n; i++)
			assert_int_equal(frames[i].len, 100);
		assert_int_equal(xsk_tx(queue, frames, n), n);
		assert_true(xsk_wait(&queue, 1, 5) >= 0);
		if (now_ms() < next)
			continue;
		lab_run("ip link set lab0 %s", turns++ % 2 ? "up" : "down");
		next = now_ms() + 40;
	}
	assert_int_equal(status, 0);
	assert_true(turns > 4);
	lab_run("ip link set lab0 up");
	ports_drain(queue);
	/* What was sent back, and what still came. */
	usleep(20000);
	while ((n = xsk_rx(queue, frames, 16)) > 0)
		assert_int_equal(xsk_free(queue, frames, n), n);
	assert_int_equal(ports_assert_law(port).in_caller, 0);
	xsk_port_close(port);
}

/* ---- its name ---- */

/* Kernels before 6.2 rename only what is down. */
static void renamed(void **state)
{
	struct xsk_port *port = ports_open("lab0", OPTS(0));
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_frame frame;

	(void)state;
	pass_packets(port, 50);
	lab_run("ip link set lab0 name other7 2>/dev/null || { ip link set lab0 down && "
		"ip link set lab0 name other7 && ip link set other7 up; }");
	assert_string_equal(ports_info(port).name, "other7");
	assert_true(ports_info(port).up);
	assert_int_equal(ports_info(port).ifindex, lab.ifindex[0]);
	assert_int_equal(ports_info(port).mtu, 1500);
	pass_packets(port, 50);

	/* What it says, and tells to do, is of the interface as it is called now. */
	lab_run("ip link set other7 down");
	put_in_tx(queue, 0, 3);
	assert_down(queue, "other7");
	assert_int_equal(xsk_alloc(queue, &frame, 1), 1);
	frame.len = 60;
	frame.options = XSK_FRAME_CONTD;
	assert_int_equal(xsk_tx(queue, &frame, 1), -EINVAL);
	ports_assert_last(-EINVAL, "queue 0 of other7 does not know", "");
	assert_int_equal(xsk_free(queue, &frame, 1), 1);
	ports_refused("other7", OPTS(.share = port, .headroom = 1), -EINVAL, "the port other7,",
		      "");
	lab_run("ip link set other7 up");
	ports_drain(queue);
	for (uint32_t i = 0; i < 3; i++)
		lab_expect(&lab, i, 100);
	pass_packets(port, 50);

	/* Another one that has the name now is not it. */
	lab_run("ip link set other7 down && ip link set other7 name lab0 && ip link set lab0 up");
	lab_run("ip link add other7 type veth peer name other8 && ip link set other7 mtu 1400");
	assert_string_equal(ports_info(port).name, "lab0");
	assert_int_equal(ports_info(port).mtu, 1500);
	pass_packets(port, 50);
	xsk_port_close(port);
}

/* ---- its queues ---- */

/* They refuse it where they see that the queue has a socket, also in copy mode. */
static bool channels(const char *wanted)
{
	char command[64];

	snprintf(command, sizeof(command), "ethtool -L lab0 %s 2>/dev/null", wanted);
	if (!system(command))
		return true;
	print_message("# this kernel does not do 'ethtool -L lab0 %s' here\n", wanted);
	return false;
}

/* It takes some kicks to notice; then it says so until the queue is on again. */
static void assert_switched_off(struct xsk_queue *queue)
{
	struct xsk_frame frame;
	uint64_t deadline = now_ms() + WAIT_MS;

	while (xsk_flush(queue) >= 0)
		assert_true(now_ms() < deadline);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(xsk_alloc(queue, &frame, 1), 1);
		frame.len = 100;
		assert_int_equal(xsk_tx(queue, &frame, 1), -ENXIO);
		ports_assert_last(-ENXIO, "queue 1 of lab0 was switched off", "ethtool -L");
		assert_int_equal(xsk_free(queue, &frame, 1), 1);
	}
	/* As one whose link is down. */
	assert_int_equal(xsk_wait(&queue, 1, 30), 0);
}

/* Who sends again and again gets through, and is not told that there is no room. */
static void send_when_on_again(struct xsk_queue *queue, uint32_t number)
{
	uint64_t deadline = now_ms() + WAIT_MS;
	struct xsk_frame frame;
	int sent;

	assert_int_equal(xsk_alloc(queue, &frame, 1), 1);
	frame.len = 100;
	lab_frame(xsk_frame_data(queue, &frame), 100, number);
	while ((sent = xsk_tx(queue, &frame, 1)) == -ENXIO && now_ms() < deadline)
		usleep(5000);
	assert_int_equal(sent, 1);
}

static void off_and_on(struct xsk_port *port)
{
	struct xsk_queue *queue = xsk_port_queue(port, 1);

	assert_int_equal(ports_info(port).tx_queues, 1);
	put_in_tx(queue, 30, 20);
	assert_switched_off(queue);
	assert_int_equal(ports_assert_law(port).in_tx, 20);
	/* The other one has nothing to do with it. */
	ports_transmit(xsk_port_queue(port, 0), &lab, 0, 50);
	lab_run("ethtool -L lab0 tx 2");
	send_when_on_again(queue, 50);
	ports_drain(queue);
	for (uint32_t i = 30; i <= 50; i++)
		lab_expect(&lab, i, 100);
	ports_transmit(queue, &lab, 0, 100);
	ports_assert_law(port);
}

/*
 * A queue that did not receive when it got its socket, and could since: there the kernel
 * looks for the socket in the wrong place, and switches the queue off.
 */
static void queue_switched_off_and_on(void **state)
{
	bool hidden = channels("rx 1");
	struct xsk_port *port = ports_open("lab0", OPTS(.modes = XSK_MODE_GENERIC));

	(void)state;
	ports_transmit(xsk_port_queue(port, 1), &lab, 0, 20);
	if (hidden)
		lab_run("ethtool -L lab0 rx 2");
	for (int i = 0; i < 3 && channels("tx 1"); i++)
		off_and_on(port);
	/* Refused, it goes on. */
	ports_transmit(xsk_port_queue(port, 1), &lab, 0, 100);
	ports_assert_law(port);
	xsk_port_close(port);
}

/* A tap interface with two queues, whose other ends are files. 0: this kernel has none. */
static bool open_tap(int ends[2])
{
	struct ifreq request = { .ifr_name = "tap7",
				 .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE };

	for (int i = 0; i < 2; i++) {
		ends[i] = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (ends[i] < 0)
			return false;
		assert_int_equal(ioctl(ends[i], TUNSETIFF, &request), 0);
	}
	lab_run("ip link set tap7 up");
	return true;
}

static void turn_tap_queue(int end, short what)
{
	struct ifreq request = { .ifr_flags = what };

	assert_int_equal(ioctl(end, TUNSETQUEUE, &request), 0);
}

static void expect_from_tap(int end, uint32_t first, int count)
{
	uint8_t frame[LAB_MAX_FRAME];

	for (int i = 0; i < count; i++) {
		assert_int_equal(read(end, frame, sizeof(frame)), 100);
		assert_true(lab_frame_is(frame, 100, first + (uint32_t)i));
	}
}

/* Its driver switches queues off without asking: frames stay, and are sent later. */
static void queue_of_a_tap_that_comes_and_goes(void **state)
{
	struct xsk_queue *queue;
	struct xsk_port *port;
	int ends[2], err;

	(void)state;
	if (!open_tap(ends)) {
		print_message("# skipped: this kernel has no tap interfaces\n");
		skip();
	}
	port = ports_open("tap7", OPTS(.queues = 2, .modes = XSK_MODE_GENERIC));
	queue = xsk_port_queue(port, 1);
	for (uint32_t round = 0; round < 3; round++) {
		put_in_tx(queue, round, 20);
		ports_drain(queue);
		expect_from_tap(ends[1], round, 20);
		turn_tap_queue(ends[1], IFF_DETACH_QUEUE);
		put_in_tx(queue, 50, 20);
		for (int i = 0; i < 10; i++) {
			err = xsk_flush(queue);
			assert_true(err == 20 || err == -ENXIO);
		}
		assert_int_equal(xsk_wait(&queue, 1, 20), 0);
		assert_int_equal(ports_assert_law(port).in_tx, 20);
		put_in_tx(xsk_port_queue(port, 0), 80, 20);
		ports_drain(xsk_port_queue(port, 0));
		expect_from_tap(ends[0], 80, 20);
		turn_tap_queue(ends[1], IFF_ATTACH_QUEUE);
		ports_drain(queue);
		expect_from_tap(ends[1], 50, 20);
		ports_assert_law(port);
	}
	xsk_port_close(port);
	close(ends[0]);
	close(ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_lab, close_lab)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(opened_again_at_once),
		TEST(link_goes_down_and_up),
		TEST(opened_while_it_is_down),
		TEST(link_goes_down_while_receiving),
		TEST(renamed),
		cmocka_unit_test_setup_teardown(queue_switched_off_and_on, open_lab_of_two,
						close_lab),
		TEST(queue_of_a_tap_that_comes_and_goes),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("port_life", tests, NULL, NULL);
}
