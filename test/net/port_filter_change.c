/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Another filter for an open port: a packet that both match is not lost, and comes once.
 * Whoever shares the program gets it, too.
 */
#include "ports.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hosts.h"

#define QUEUES 2
#define BURST 16
#define CHANGES 200
#define OPTS(...) (struct xsk_port_opts){ __VA_ARGS__ }

static struct lab lab;
static struct lab_count before;
static int areas_before;

static int count_with(unsigned int queues)
{
	lab_open(&lab, queues);
	lab_count(&before);
	areas_before = ports_areas();
	return 0;
}

static int count(void **state)
{
	(void)state;
	return count_with(1);
}

static int count_queues(void **state)
{
	(void)state;
	return count_with(QUEUES);
}

static int nothing_left(void **state)
{
	(void)state;
	lab_enter(&lab, 0);
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	assert_int_equal(ports_areas(), areas_before);
	lab_close(&lab);
	return 0;
}

static struct xsk_port *open_filtered(const char *expression, struct xsk_port_opts opts)
{
	struct xsk_port *port;

	opts.filter = expression ? hosts_filter(expression) : NULL;
	port = ports_open("lab0", opts);
	xsk_filter_free(opts.filter);
	return port;
}

static void change(struct xsk_port *port, const char *expression)
{
	struct xsk_filter *filter = expression ? hosts_filter(expression) : NULL;
	struct xsk_error error = { 0 };

	if (xsk_port_set_filter(port, filter, &error))
		fail_msg("%s: %s; %s", error.step, error.reason, error.hint);
	xsk_filter_free(filter);
}

/* ---- from one to the other ---- */

static void assert_taken(struct xsk_port *port, uint16_t to, bool taken)
{
	static uint32_t number;
	int stack = hosts_stack_open();

	hosts_try(&lab, xsk_port_queue(port, 0), stack, &V4(UDP, .to = to, .number = number++),
		  taken);
	close(stack);
}

static void one_after_the_other_in(uint32_t mode, uint32_t flags)
{
	struct xsk_port *port = open_filtered(NULL, OPTS(.modes = mode, .flags = flags));

	assert_taken(port, 1, true);
	for (int i = 0; i < 3; i++) {
		uint32_t id = ports_info(port).prog_id;

		change(port, "udp port 1");
		assert_int_not_equal(ports_info(port).prog_id, id);
		assert_int_equal(ports_info(port).prog_id, lab_prog_id(&lab, 0));
		assert_taken(port, 1, true);
		assert_taken(port, 2, false);
		change(port, "udp port 2");
		assert_taken(port, 1, false);
		assert_taken(port, 2, true);
		change(port, "tcp");
		assert_taken(port, 1, false);
		assert_taken(port, 2, false);
		change(port, NULL);
		assert_taken(port, 1, true);
		assert_taken(port, 2, true);
		assert_int_equal(ports_info(port).mode, mode);
	}
	ports_assert_law(port);
	xsk_port_close(port);
}

static void one_after_the_other(void **state)
{
	(void)state;
	one_after_the_other_in(XSK_MODE_NATIVE, 0);
	one_after_the_other_in(XSK_MODE_GENERIC, 0);
	one_after_the_other_in(XSK_MODE_NATIVE, XSK_PORT_NO_COUNTERS);
	one_after_the_other_in(XSK_MODE_GENERIC, XSK_PORT_CHECKED);
}

/* What was to be kept is kept with each of them. */
static void what_is_kept_stays(void **state)
{
	struct xsk_port *port = open_filtered("tcp", OPTS(.keep_udp = { 7 }));

	(void)state;
	assert_taken(port, 7, false);
	assert_taken(port, 8, false);
	change(port, "udp");
	assert_taken(port, 7, false);
	assert_taken(port, 8, true);
	change(port, NULL);
	assert_taken(port, 7, false);
	assert_taken(port, 8, true);
	assert_int_equal(ports_stats(port).filter_kept, 3);
	assert_int_equal(ports_stats(port).filter_passed, 1);
	xsk_port_close(port);
}

/* ---- in the middle of traffic ---- */

/* A thread that changes the filter all the time. It asserts nothing: see stop(). */
struct changer {
	pthread_t thread;
	struct xsk_port *port;
	struct xsk_filter *filters[2];
	uint32_t changes;
	int err;
	bool stop;
};

static struct changer changer;

static void *change_all_the_time(void *arg)
{
	struct changer *it = arg;
	int err = 0;

	while (!err && !__atomic_load_n(&it->stop, __ATOMIC_RELAXED)) {
		err = xsk_port_set_filter(it->port, it->filters[it->changes % 2], NULL);
		__atomic_add_fetch(&it->changes, 1, __ATOMIC_RELAXED);
	}
	it->err = err;
	return NULL;
}

static void start(struct xsk_port *port, const char *one, const char *other)
{
	changer = (struct changer){ .port = port };
	changer.filters[0] = one ? hosts_filter(one) : NULL;
	changer.filters[1] = other ? hosts_filter(other) : NULL;
	assert_int_equal(pthread_create(&changer.thread, NULL, change_all_the_time, &changer), 0);
}

static uint32_t changes(void)
{
	return __atomic_load_n(&changer.changes, __ATOMIC_RELAXED);
}

static void stop(void)
{
	__atomic_store_n(&changer.stop, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(changer.thread, NULL), 0);
	assert_int_equal(changer.err, 0);
	xsk_filter_free(changer.filters[0]);
	xsk_filter_free(changer.filters[1]);
}

static void assert_none_was_lost(const struct xsk_port *port)
{
	struct xsk_port_stats stats = ports_assert_law(port);

	assert_int_equal(stats.rx_ring_full, 0);
	assert_int_equal(stats.rx_fill_empty, 0);
	assert_int_equal(stats.rx_dropped, 0);
	assert_int_equal(stats.rx_invalid, 0);
}

/* Every one of them, in order, and whole. */
static void all_come(const char *one, const char *other, uint32_t mode)
{
	struct xsk_port *port = open_filtered(one, OPTS(.modes = mode));
	uint32_t sent = 0;

	start(port, one, other);
	while (changes() < CHANGES) {
		ports_receive(xsk_port_queue(port, 0), &lab, sent, BURST);
		sent += BURST;
	}
	stop();
	assert_int_equal(ports_stats(port).rx_packets, sent);
	assert_none_was_lost(port);
	print_message("# %u packets, %u changes\n", sent, changer.changes);
	xsk_port_close(port);
}

static void what_both_match_comes(void **state)
{
	(void)state;
	all_come("ether proto 0x88b5", "len >= 60", XSK_MODE_NATIVE);
	all_come(NULL, "ether proto 0x88b5", XSK_MODE_NATIVE);
	all_come("ether proto 0x88b5", "len >= 60", XSK_MODE_GENERIC);
	all_come(NULL, "not ip", XSK_MODE_GENERIC);
}

/* By the thread that has the queue, between two bursts. */
static void by_the_same_thread(void **state)
{
	struct xsk_filter *filters[3] = { hosts_filter("ether proto 0x88b5"),
					  hosts_filter("greater 60"), NULL };
	struct xsk_port *port = ports_open("lab0", OPTS(0));

	(void)state;
	for (uint32_t i = 0; i < 300; i++) {
		for (uint32_t k = 0; k < 5; k++)
			lab_send(&lab, i + k, 100);
		assert_int_equal(xsk_port_set_filter(port, filters[i % 3], NULL), 0);
		for (uint32_t k = 5; k < 10; k++)
			lab_send(&lab, i + k, 100);
		for (uint32_t k = 0; k < 10; k++) {
			struct xsk_frame frame;

			ports_take(xsk_port_queue(port, 0), &frame, 1);
			assert_true(lab_frame_is(xsk_frame_data(xsk_port_queue(port, 0), &frame),
						 100, i + k));
			xsk_free(xsk_port_queue(port, 0), &frame, 1);
		}
	}
	assert_none_was_lost(port);
	xsk_port_close(port);
	xsk_filter_free(filters[0]);
	xsk_filter_free(filters[1]);
}

static void see(bool *seen, uint32_t first, const uint8_t *bytes)
{
	uint32_t number;

	memcpy(&number, bytes + 14, sizeof(number));
	assert_true(number >= first && number < first + BURST);
	assert_false(seen[number - first]);
	seen[number - first] = true;
	assert_true(lab_frame_is(bytes, 100, number));
}

/* A burst of packets, each of which comes to the port or to the stack, once. */
static uint32_t split_burst(struct xsk_queue *queue, int stack, uint32_t first)
{
	uint8_t bytes[LAB_MAX_FRAME];
	bool seen[BURST] = { false };
	struct xsk_frame frame;
	uint32_t got = 0, taken = 0;

	for (uint32_t i = first; i < first + BURST; i++)
		lab_send(&lab, i, 100);
	for (int tries = 0; got < BURST; tries++) {
		assert_true(tries < 20000);
		if (xsk_rx(queue, &frame, 1) == 1) {
			see(seen, first, xsk_frame_data(queue, &frame));
			assert_int_equal(xsk_free(queue, &frame, 1), 1);
			taken++;
			got++;
		} else if (recv(stack, bytes, sizeof(bytes), MSG_DONTWAIT) == 100) {
			see(seen, first, bytes);
			got++;
		} else {
			usleep(100);
		}
	}
	return taken;
}

/* Which one that only one of them matches goes to is not known. But it does, once. */
static void each_comes_once(uint32_t mode)
{
	struct xsk_port *port = open_filtered("ether[14] & 1 = 0", OPTS(.modes = mode));
	uint8_t byte;
	uint32_t sent = 0, taken = 0;
	int stack = lab_stack_open();

	start(port, "ether[14] & 1 = 1", "ether[14] & 1 = 0");
	while (changes() < CHANGES) {
		taken += split_burst(xsk_port_queue(port, 0), stack, sent);
		sent += BURST;
	}
	stop();
	assert_none_was_lost(port);
	assert_int_equal(ports_stats(port).rx_packets, taken);
	assert_int_equal(ports_stats(port).filter_matched, taken);
	assert_int_equal(ports_stats(port).filter_passed, sent - taken);
	assert_int_equal(recv(stack, &byte, 1, MSG_DONTWAIT), -1);
	hosts_queue_expect_nothing(xsk_port_queue(port, 0));
	close(stack);
	print_message("# %u packets, %u of them the port's, %u changes\n", sent, taken,
		      changer.changes);
	xsk_port_close(port);
}

static void what_one_matches_comes_once(void **state)
{
	(void)state;
	each_comes_once(XSK_MODE_NATIVE);
	each_comes_once(XSK_MODE_GENERIC);
}

/* Counters never go back, whoever reads them while the filter changes. */
static void counters_only_grow(void **state)
{
	struct xsk_port *port = open_filtered("ether proto 0x88b5", OPTS(0));
	uint64_t last = 0;

	(void)state;
	start(port, NULL, "ether proto 0x88b5");
	while (changes() < CHANGES / 4) {
		struct xsk_port_stats stats;

		ports_receive(xsk_port_queue(port, 0), &lab, 0, 4);
		stats = ports_stats(port);
		assert_int_equal(stats.filter_matched, last + 4);
		last = stats.filter_matched;
	}
	stop();
	assert_int_equal(ports_stats(port).filter_passed, 0);
	xsk_port_close(port);
}

/* ---- shared with other ports ---- */

static struct xsk_port *open_sender(void)
{
	struct xsk_port *sender;

	lab_enter(&lab, 1);
	sender = ports_open("lab1", OPTS(.direction = XSK_DIRECTION_TX));
	lab_enter(&lab, 0);
	return sender;
}

/* On the queue of each of the two ports. */
static void both_take(struct xsk_port *sender, struct xsk_port *const *ports, uint16_t to,
		      bool taken)
{
	int stack = hosts_stack_open();

	for (uint32_t i = 0; i < 2; i++) {
		struct hosts_packet packet = V4(UDP, .to = to, .number = i);

		hosts_send_by(xsk_port_queue(sender, i), &packet);
		if (taken)
			hosts_queue_expect(xsk_port_queue(ports[i], 0), &packet);
		else
			hosts_stack_expect(stack, &packet);
	}
	for (int i = 0; i < 2; i++)
		hosts_queue_expect_nothing(xsk_port_queue(ports[i], 0));
	hosts_stack_expect_nothing(stack);
	close(stack);
}

static void both_count(struct xsk_port *const *ports, uint64_t matched, uint64_t kept,
		       uint64_t passed)
{
	for (int i = 0; i < 2; i++) {
		struct xsk_port_stats stats = ports_assert_law(ports[i]);

		print_message("# port %d: matched %d, kept %d, passed %d\n", i,
			      (int)stats.filter_matched, (int)stats.filter_kept,
			      (int)stats.filter_passed);
		assert_int_equal(stats.filter_matched, matched);
		assert_int_equal(stats.filter_kept, kept);
		assert_int_equal(stats.filter_passed, passed);
	}
}

/* Two of one process, with the same filter. */
static void two_ports(void **state)
{
	struct xsk_port *sender = open_sender(), *ports[2];

	(void)state;
	for (uint32_t i = 0; i < 2; i++)
		ports[i] = open_filtered("udp port 1", OPTS(.first_queue = i, .queues = 1));
	both_take(sender, ports, 1, true);
	both_take(sender, ports, 2, false);
	both_count(ports, 2, 0, 2);
	change(ports[0], "udp port 2");
	both_take(sender, ports, 1, false);
	both_take(sender, ports, 2, true);
	both_count(ports, 4, 0, 4);
	change(ports[1], "udp port 3");
	both_take(sender, ports, 3, true);
	both_take(sender, ports, 2, false);
	change(ports[0], NULL);
	both_take(sender, ports, 9, true);
	both_count(ports, 8, 0, 6);
	/* Whoever made it: it stays while one is there. */
	xsk_port_close(ports[0]);
	change(ports[1], "udp port 4");
	ports[0] = open_filtered("udp port 4", OPTS(.queues = 1));
	both_take(sender, ports, 4, true);
	both_take(sender, ports, 3, false);
	both_count(ports, 10, 0, 8);
	xsk_port_close(ports[0]);
	xsk_port_close(ports[1]);
	xsk_port_close(sender);
}

/* They begin without one: who counts then, counts for both. */
static void two_ports_without_one(void **state)
{
	struct xsk_port *sender = open_sender(), *ports[2];

	(void)state;
	for (uint32_t i = 0; i < 2; i++)
		ports[i] = open_filtered(NULL, OPTS(.first_queue = i, .queues = 1));
	both_take(sender, ports, 1, true);
	both_count(ports, 0, 0, 0);
	change(ports[0], "udp port 2");
	both_take(sender, ports, 1, false);
	both_take(sender, ports, 2, true);
	both_count(ports, 2, 0, 2);
	change(ports[1], "udp port 3");
	both_take(sender, ports, 3, true);
	both_take(sender, ports, 2, false);
	both_count(ports, 4, 0, 4);
	xsk_port_close(ports[0]);
	xsk_port_close(ports[1]);
	xsk_port_close(sender);
}

/* With the filter of all, what is kept is that of who changes it. */
static void who_changes_it_keeps(void **state)
{
	struct xsk_port *sender = open_sender(), *ports[2];

	(void)state;
	ports[0] = open_filtered("udp", OPTS(.queues = 1, .keep_udp = { 7 }));
	ports[1] = open_filtered(NULL, OPTS(.first_queue = 1));
	both_take(sender, ports, 7, false);
	both_take(sender, ports, 8, true);
	change(ports[1], "udp port 7 or udp port 9");
	both_take(sender, ports, 8, false);
	both_take(sender, ports, 9, true);
	both_take(sender, ports, 7, true);
	change(ports[0], "udp port 7 or udp port 8");
	both_take(sender, ports, 9, false);
	both_take(sender, ports, 8, true);
	both_take(sender, ports, 7, false);
	xsk_port_close(ports[0]);
	xsk_port_close(ports[1]);
	xsk_port_close(sender);
}

/* ---- other processes ---- */

struct user {
	pid_t pid;
	int pipe;		/* a byte comes when it has the port, and when it has a packet */
};

static void await(struct user *user)
{
	char byte;

	assert_int_equal(read(user->pipe, &byte, 1), 1);
}

/* No assertion may end it. Takes packets of its queue, and tells of each to that port. */
static void use(const struct xsk_port_opts *opts, uint16_t to, const char *changes_to, int told)
{
	struct xsk_filter *other = NULL;
	struct xsk_queue *queue;
	struct xsk_port *port;
	struct xsk_frame frame;

	if (xsk_port_open(&port, "lab0", opts, NULL))
		_exit(10);
	if (changes_to && (xsk_filter_compile(&other, changes_to, NULL) ||
			   xsk_port_set_filter(port, other, NULL)))
		_exit(11);
	queue = xsk_port_queue(port, 0);
	if (write(told, "", 1) != 1)
		_exit(12);
	for (;;) {
		if (xsk_rx(queue, &frame, 1) == 1) {
			const uint8_t *bytes = xsk_frame_data(queue, &frame);

			if ((bytes[36] << 8 | bytes[37]) == to && write(told, "", 1) != 1)
				_exit(13);
			xsk_free(queue, &frame, 1);
		} else if (xsk_wait(&queue, 1, 5000) <= 0) {
			_exit(14);
		}
	}
}

static struct user start_user(const char *expression, struct xsk_port_opts opts, uint16_t to,
			      const char *changes_to)
{
	struct user user;
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	opts.sz = sizeof(opts);
	opts.filter = hosts_filter(expression);
	user.pid = fork();
	assert_true(user.pid >= 0);
	if (!user.pid)
		use(&opts, to, changes_to, pipes[1]);
	xsk_filter_free(opts.filter);
	close(pipes[1]);
	user.pipe = pipes[0];
	await(&user);
	return user;
}

static void kill_user(struct user *user)
{
	int status;

	assert_int_equal(kill(user->pid, SIGKILL), 0);
	assert_int_equal(waitpid(user->pid, &status, 0), user->pid);
	assert_true(WIFSIGNALED(status));
	close(user->pipe);
}

/* A port of another process shares the program, is changed with ours, and changes ours. */
static void port_of_another_process(void **state)
{
	struct xsk_port *sender = open_sender(), *port;
	struct hosts_packet packet = V4(UDP, .to = 2);
	struct user user;

	(void)state;
	port = open_filtered("udp port 1", OPTS(.queues = 1));
	user = start_user("udp port 1", OPTS(.first_queue = 1), 2, NULL);
	change(port, "udp port 2");
	hosts_send_by(xsk_port_queue(sender, 1), &packet);
	await(&user);
	assert_int_equal(ports_stats(port).filter_matched, 1);
	kill_user(&user);

	user = start_user("udp port 2", OPTS(.first_queue = 1), 3, "udp port 3");
	assert_int_equal(ports_info(port).prog_id, lab_prog_id(&lab, 0));
	packet.to = 3;
	hosts_send_by(xsk_port_queue(sender, 1), &packet);
	await(&user);
	hosts_send_by(xsk_port_queue(sender, 0), &packet);
	hosts_queue_expect(xsk_port_queue(port, 0), &packet);
	assert_int_equal(ports_stats(port).filter_matched, 3);
	kill_user(&user);

	/* Whose program it was does not matter, once he is gone. */
	xsk_port_close(port);
	user = start_user("udp port 1", OPTS(.first_queue = 1), 1, NULL);
	port = open_filtered("udp port 1", OPTS(.queues = 1));
	kill_user(&user);
	change(port, "udp port 3");
	hosts_send_by(xsk_port_queue(sender, 0), &packet);
	hosts_queue_expect(xsk_port_queue(port, 0), &packet);
	xsk_port_close(port);
	xsk_port_close(sender);
}

/* Neither program nor counters. */
static void killed(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct user user = start_user("udp port 1", OPTS(.keep = XSK_KEEP_MANAGEMENT,
			.queues = 1, .modes = i % 2 ? XSK_MODE_GENERIC : 0), 1,
			i / 2 ? "udp port 2" : NULL);

		for (uint16_t k = 1; k < 3; k++)
			hosts_send(&lab, &V4(UDP, .to = k));
		kill_user(&user);
		lab_assert_prog(&lab, 0, false);
		lab_assert_unchanged(&before);
	}
}

/* Ports come and go while the program they share is changed all the time. */
static void opened_while_it_changes(void **state)
{
	struct xsk_port *port = open_filtered("ether proto 0x88b5", OPTS(.queues = 1));

	(void)state;
	start(port, "ether proto 0x88b5", "len >= 60");
	for (int i = 0; i < 30; i++) {
		struct xsk_port *other = open_filtered(NULL, OPTS(.first_queue = 1));

		ports_receive(xsk_port_queue(port, 0), &lab, 0, BURST);
		xsk_port_close(other);
		ports_receive(xsk_port_queue(port, 0), &lab, 0, BURST);
	}
	stop();
	assert_none_was_lost(port);
	xsk_port_close(port);
}

#define QUEUES_TEST(name) cmocka_unit_test_setup_teardown(name, count_queues, nothing_left)
#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(one_after_the_other),
		TEST(what_is_kept_stays),
		TEST(what_both_match_comes),
		TEST(by_the_same_thread),
		TEST(what_one_matches_comes_once),
		TEST(counters_only_grow),
		QUEUES_TEST(two_ports),
		QUEUES_TEST(two_ports_without_one),
		QUEUES_TEST(who_changes_it_keeps),
		QUEUES_TEST(port_of_another_process),
		TEST(killed),
		QUEUES_TEST(opened_while_it_changes),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("port_filter_change", tests, NULL, NULL);
}
