/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * An interface that goes away under an open port: removed, or moved to another network
 * namespace. Each verb says so before long, what was received before can still be read,
 * no frame is lost, and the port closes as others do.
 */
#include "ports.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif

/* The verbs promise half a second; a machine may be busy with other things. */
#define BOUND_MS 3000
/* More than a TX ring takes, and less than there are. */
#define TX_SIZE 64
#define HELD (TX_SIZE + 16)
#define OPTS(...) (struct xsk_port_opts){ __VA_ARGS__ }

/* Each test has its own, since it is gone then. */
static struct lab lab;
static struct lab_count before;
static int areas_before;
static int records_before;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What is recorded of NAPIs that defer; none of an interface that is gone. */
static int count_records(void)
{
	DIR *dir = opendir("/run/libxsk");
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 1);
	lab_count(&before);
	areas_before = ports_areas();
	records_before = count_records();
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_assert_unchanged(&before);
	assert_int_equal(ports_areas(), areas_before);
	lab_close(&lab);
	return 0;
}

static bool kernel_prefers_busy_poll(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
	int err = setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof(on));

	close(fd);
	return !err;
}

static void remove_interface(void)
{
	lab_run("ip link del lab0");
}

static void move_interface(void)
{
	lab_run("ip link set lab0 netns /proc/%d/fd/%d", getpid(), lab.ns[1]);
}

/* ---- the verbs, each by itself, until it notices ---- */

static struct xsk_frame held[HELD];
static int given;

static int by_rx(struct xsk_queue *queue)
{
	struct xsk_frame frames[16];

	return xsk_rx(queue, frames, 16);
}

static int by_tx(struct xsk_queue *queue)
{
	int sent = xsk_tx(queue, held + given, given < HELD);

	given += sent > 0 ? sent : 0;
	return sent;
}

static int by_alloc(struct xsk_queue *queue)
{
	struct xsk_frame frames[16];

	return xsk_alloc(queue, frames, 16);
}

static int by_flush(struct xsk_queue *queue)
{
	return xsk_flush(queue);
}

static int by_wait_0(struct xsk_queue *queue)
{
	return xsk_wait(&queue, 1, 0);
}

static int by_wait_ms(struct xsk_queue *queue)
{
	return xsk_wait(&queue, 1, 700);
}

static int by_wait(struct xsk_queue *queue)
{
	return xsk_wait(&queue, 1, -1);
}

typedef int (*verb_fn)(struct xsk_queue *queue);

static const verb_fn verbs[] = { by_rx, by_tx, by_alloc, by_flush, by_wait_0, by_wait_ms,
				 by_wait };

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* From now on at once, whichever it is. */
static void assert_gone(struct xsk_port *port)
{
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_port_info info = ports_info(port);

	for (size_t i = 0; i < VERBS; i++) {
		assert_int_equal(verbs[i](queue), -ENODEV);
		ports_assert_last(-ENODEV, "lab0 is gone", "close the port");
	}
	assert_true(info.gone);
	assert_false(info.up);
	assert_string_equal(info.name, "lab0");
	ports_assert_law(port);
}

static void await_gone(struct xsk_queue *queue, verb_fn verb)
{
	uint64_t deadline = now_ms() + BOUND_MS;
	int got;

	while ((got = verb(queue)) >= 0) {
		if (now_ms() > deadline)
			fail_msg("it does not say that the interface is gone, but %d", got);
		usleep(500);
	}
	assert_int_equal(got, -ENODEV);
	ports_assert_last(-ENODEV, "lab0 is gone", "close the port");
}

static void hold_frames(struct xsk_queue *queue)
{
	given = 0;
	assert_int_equal(xsk_alloc(queue, held, HELD), HELD);
	for (int i = 0; i < HELD; i++) {
		held[i].len = LAB_MIN_FRAME;
		lab_frame(xsk_frame_data(queue, &held[i]), LAB_MIN_FRAME, (uint32_t)i);
	}
}

static struct xsk_port *open_port(uint32_t wait, uint32_t flags)
{
	struct xsk_port *port = ports_open("lab0", OPTS(.frames = 1024, .tx_size = TX_SIZE,
							.comp_size = TX_SIZE, .wait = wait,
							.flags = flags));

	ports_receive(xsk_port_queue(port, 0), &lab, 0, 50);
	ports_transmit(xsk_port_queue(port, 0), &lab, 0, 50);
	ports_drain(xsk_port_queue(port, 0));
	return port;
}

/* Nobody has told the port anything yet when the verb is called. */
static void one_verb(void (*go)(void), verb_fn verb, uint32_t wait, uint32_t flags)
{
	struct xsk_port *port = open_port(wait, flags);
	struct xsk_queue *queue = xsk_port_queue(port, 0);

	hold_frames(queue);
	go();
	await_gone(queue, verb);
	assert_gone(port);
	assert_int_equal(xsk_free(queue, held + given, HELD - given), HELD - given);
	ports_assert_law(port);
	xsk_port_close(port);
	lab_assert_unchanged(&before);
	assert_int_equal(count_records(), records_before);
}

static void another_lab(void)
{
	lab_close(&lab);
	lab_open(&lab, 1);
}

static void each_verb(void **state)
{
	(void)state;
	for (size_t i = 0; i < VERBS; i++) {
		one_verb(remove_interface, verbs[i], XSK_WAIT_SLEEP, i % 2 ? XSK_PORT_CHECKED : 0);
		another_lab();
	}
}

static void each_verb_where_it_was_moved(void **state)
{
	(void)state;
	for (size_t i = 0; i < VERBS; i++) {
		one_verb(move_interface, verbs[i], XSK_WAIT_SLEEP, i % 2 ? 0 : XSK_PORT_CHECKED);
		another_lab();
	}
}

static void each_wait_that_spins(void **state)
{
	(void)state;
	for (size_t i = 4; i < VERBS; i++) {
		one_verb(remove_interface, verbs[i], XSK_WAIT_SPIN, 0);
		another_lab();
	}
}

#define SKIP_WITHOUT_BUSY_POLL() do { \
	if (!kernel_prefers_busy_poll()) { \
		print_message("# skipped: this kernel has no busy polling that is preferred\n"); \
		skip(); \
	} \
} while (0)

/* With NAPIs that are set to something: what was recorded of them goes with them. */
static void each_wait_that_busy_polls(void **state)
{
	(void)state;
	SKIP_WITHOUT_BUSY_POLL();
	for (size_t i = 4; i < VERBS; i++) {
		lab_run("ethtool -K lab0 gro %s", i % 2 ? "on" : "off");
		one_verb(remove_interface, verbs[i], XSK_WAIT_BUSY_POLL, 0);
		another_lab();
	}
}

/* ---- while somebody waits ---- */

static pid_t start(void (*what)(void))
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		what();
		_exit(0);
	}
	return pid;
}

static void remove_soon(void)
{
	usleep(200000);
	execlp("ip", "ip", "link", "del", "lab0", (char *)NULL);
	_exit(1);
}

static void end(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void wait_until_removed(uint32_t wait, int timeout_ms)
{
	struct xsk_port *port = open_port(wait, 0);
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	uint64_t start_ms = now_ms();
	pid_t pid;

	hold_frames(queue);
	pid = start(remove_soon);
	assert_int_equal(xsk_wait(&queue, 1, timeout_ms), -ENODEV);
	assert_true(now_ms() - start_ms < BOUND_MS);
	ports_assert_last(-ENODEV, "lab0 is gone", "close the port");
	end(pid);
	assert_gone(port);
	xsk_port_close(port);
	another_lab();
}

static void removed_while_one_waits(void **state)
{
	(void)state;
	wait_until_removed(XSK_WAIT_SLEEP, -1);
	wait_until_removed(XSK_WAIT_SLEEP, 60000);
	wait_until_removed(XSK_WAIT_SPIN, -1);
	wait_until_removed(XSK_WAIT_SPIN, 60000);
	wait_until_removed(XSK_WAIT_ADAPTIVE, -1);
}

static void removed_while_one_busy_polls(void **state)
{
	(void)state;
	SKIP_WITHOUT_BUSY_POLL();
	wait_until_removed(XSK_WAIT_BUSY_POLL, -1);
	wait_until_removed(XSK_WAIT_BUSY_POLL, 60000);
}

/* As fast as it can until it is killed, and whatever becomes of the frames. */
static void send_for_ever(void)
{
	uint8_t frame[200];

	for (uint32_t i = 0; ; i++) {
		lab_frame(frame, sizeof(frame), i);
		send(lab.peer, frame, sizeof(frame), MSG_DONTWAIT);
		if (i % 16 == 15)
			usleep(200);
	}
}

static void assert_frame(const struct xsk_queue *queue, const struct xsk_frame *frame)
{
	const char *bytes = xsk_frame_data(queue, frame);
	uint32_t number;

	memcpy(&number, bytes + 14, sizeof(number));
	assert_int_equal(frame->len, 200);
	assert_true(lab_frame_is(bytes, frame->len, number));
}

/* Receives, and sends half of it back, until there is no interface. */
static int forward_until_removed(struct xsk_queue *queue)
{
	uint64_t deadline = now_ms() + BOUND_MS + 1000;
	struct xsk_frame frames[16];
	int total = 0, n, sent;

	while ((n = xsk_rx(queue, frames, 16)) >= 0) {
		assert_true(now_ms() < deadline);
		for (int i = 0; i < n; i++)
			assert_frame(queue, &frames[i]);
		total += n;
		sent = xsk_tx(queue, frames, n / 2);
		if (sent < 0)
			assert_int_equal(sent, -ENODEV);
		sent = sent < 0 ? 0 : sent;
		assert_int_equal(xsk_free(queue, frames + sent, n - sent), n - sent);
		if (xsk_wait(&queue, 1, 10) < 0)
			break;
	}
	return total;
}

static void removed_in_the_middle_of_traffic(void **state)
{
	const uint32_t flags[] = { 0, XSK_PORT_CHECKED };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct xsk_port *port = open_port(i < 2 ? XSK_WAIT_SLEEP : XSK_WAIT_SPIN,
						  flags[i % 2]);
		struct xsk_queue *queue = xsk_port_queue(port, 0);
		pid_t sender = start(send_for_ever), remover = start(remove_soon);

		assert_true(forward_until_removed(queue) > 0);
		assert_int_equal(kill(sender, SIGKILL), 0);
		assert_int_equal(waitpid(sender, NULL, 0), sender);
		end(remover);
		assert_int_equal(ports_assert_law(port).in_caller, 0);
		xsk_port_close(port);
		another_lab();
	}
}

/* ---- what is in the rings then ---- */

static void await_in_rx(const struct xsk_port *port, uint64_t count)
{
	uint64_t deadline = now_ms() + BOUND_MS;

	while (ports_stats(port).in_rx != count) {
		assert_true(now_ms() < deadline);
		usleep(1000);
	}
}

static void read_what_came_before(void (*go)(void), uint32_t wait, uint32_t flags)
{
	struct xsk_port *port = open_port(wait, flags);
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_frame frames[8];

	for (uint32_t i = 0; i < 8; i++)
		lab_send(&lab, i, 100 + i);
	await_in_rx(port, 8);
	hold_frames(queue);
	go();
	ports_assert_law(port);
	/* Also when it is known that there will be no more. */
	await_gone(queue, by_flush);
	assert_int_equal(xsk_wait(&queue, 1, -1), 1);
	ports_take(queue, frames, 5);
	assert_int_equal(xsk_wait(&queue, 1, 0), 1);
	ports_take(queue, frames + 5, 3);
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(frames[i].len, 100 + i);
		assert_true(lab_frame_is(xsk_frame_data(queue, &frames[i]), 100 + i, i));
	}
	assert_int_equal(ports_assert_law(port).in_caller, HELD + 8);
	assert_int_equal(xsk_free(queue, frames, 8), 8);
	assert_gone(port);
	xsk_port_close(port);
	another_lab();
}

static void received_before(void **state)
{
	(void)state;
	read_what_came_before(remove_interface, XSK_WAIT_SLEEP, 0);
	read_what_came_before(remove_interface, XSK_WAIT_SPIN, XSK_PORT_CHECKED);
	read_what_came_before(move_interface, XSK_WAIT_SLEEP, XSK_PORT_CHECKED);
	if (kernel_prefers_busy_poll())
		read_what_came_before(remove_interface, XSK_WAIT_BUSY_POLL, 0);
}

static void lose_what_is_in_tx(void (*go)(void), verb_fn verb, uint32_t flags, bool down)
{
	struct xsk_port *port = open_port(XSK_WAIT_SLEEP, flags);
	struct xsk_queue *queue = xsk_port_queue(port, 0);

	hold_frames(queue);
	if (down)
		lab_run("ip link set lab0 down");
	assert_int_equal(xsk_tx(queue, held, 40), 40);
	given = 40;
	if (down)
		assert_int_equal(xsk_flush(queue), -ENETDOWN);
	assert_int_equal(ports_assert_law(port).in_tx, 40);
	go();
	await_gone(queue, verb);
	assert_int_equal(ports_assert_law(port).in_tx, given);
	assert_gone(port);
	xsk_port_close(port);
	another_lab();
}

static void frames_in_tx(void **state)
{
	(void)state;
	lose_what_is_in_tx(remove_interface, by_flush, 0, false);
	lose_what_is_in_tx(remove_interface, by_wait, XSK_PORT_CHECKED, true);
	lose_what_is_in_tx(remove_interface, by_tx, 0, true);
	lose_what_is_in_tx(move_interface, by_wait, 0, false);
	lose_what_is_in_tx(move_interface, by_flush, XSK_PORT_CHECKED, true);
}

/* ---- afterwards ---- */

static void closed_without_a_look(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct xsk_port *port = open_port(XSK_WAIT_SLEEP, 0);

		(i ? move_interface : remove_interface)();
		ports_assert_law(port);
		assert_true(ports_info(port).gone);
		xsk_port_close(port);
		lab_assert_unchanged(&before);
		another_lab();
	}
}

static void opened_where_it_was_moved_to(void **state)
{
	struct xsk_port *port = open_port(XSK_WAIT_SLEEP, 0);

	(void)state;
	move_interface();
	await_gone(xsk_port_queue(port, 0), by_flush);
	lab_enter(&lab, 1);
	xsk_port_close(port);
	lab_run("ip link set lab0 up");
	xsk_port_close(open_port(XSK_WAIT_SLEEP, 0));
	/* And back again. */
	lab_run("ip link set lab0 netns /proc/%d/fd/%d", getpid(), lab.ns[0]);
	lab_enter(&lab, 0);
	lab_run("ip link set lab0 up");
	xsk_port_close(open_port(XSK_WAIT_SLEEP, 0));
}

/* One of two that share their memory: the other goes on, and gets the frames. */
static void one_of_two(void **state)
{
	struct xsk_port *one = open_port(XSK_WAIT_SLEEP, 0), *two, *three;
	struct xsk_queue *queues[2];

	(void)state;
	lab_run("ip link add also0 type veth peer name also1");
	lab_run("ip link set also0 up && ip link set also1 up");
	two = ports_open("also0", OPTS(.share = one, .tx_size = TX_SIZE, .comp_size = TX_SIZE));
	queues[0] = xsk_port_queue(one, 0);
	queues[1] = xsk_port_queue(two, 0);
	hold_frames(queues[0]);
	assert_int_equal(xsk_tx(queues[0], held, 20), 20);
	given = 20;
	remove_interface();
	ports_refused("also1", OPTS(.share = one), -EBADF, "is gone", "memory of its own");
	/* What is shared with the one that is left does not suffer. */
	three = ports_open("also1", OPTS(.share = two, .direction = XSK_DIRECTION_TX,
					 .tx_size = TX_SIZE, .comp_size = TX_SIZE));
	xsk_port_close(three);
	assert_int_equal(xsk_tx(queues[1], held + 20, 20), 20);
	given = 40;
	ports_drain(queues[1]);
	/* It is one of those that are waited for. */
	await_gone(queues[0], by_flush);
	assert_int_equal(xsk_wait(queues, 2, -1), -ENODEV);
	assert_gone(one);
	ports_assert_law(two);
	/* The same, now that it is known. */
	ports_refused("also1", OPTS(.share = one), -EBADF, "is gone", "memory of its own");
	xsk_port_close(one);
	assert_int_equal(xsk_tx(queues[1], held + given, 10), 10);
	given += 10;
	ports_drain(queues[1]);
	ports_assert_law(two);
	assert_int_equal(xsk_free(queues[1], held + given, HELD - given), HELD - given);
	assert_int_equal(ports_assert_law(two).in_caller, 0);
	xsk_port_close(two);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_lab, close_lab)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_verb),
		TEST(each_verb_where_it_was_moved),
		TEST(each_wait_that_spins),
		TEST(each_wait_that_busy_polls),
		TEST(removed_while_one_waits),
		TEST(removed_while_one_busy_polls),
		TEST(removed_in_the_middle_of_traffic),
		TEST(received_before),
		TEST(frames_in_tx),
		TEST(closed_without_a_look),
		TEST(opened_where_it_was_moved_to),
		TEST(one_of_two),
	};

	return cmocka_run_group_tests_name("port_gone", tests, NULL, NULL);
}
