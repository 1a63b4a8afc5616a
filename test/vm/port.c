/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * port NICS: the port over a pair of NICs (vnet: vnet0 and vnet1). Where the driver
 * has zero-copy on this kernel, the port takes it without being told; where it has
 * none, the port says so and works in copy mode.
 */
#include "ports.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nics.h"

#define PROBE 0xabcdef			/* the number of a frame */
#define COUNT 300

static const char *nics;
static struct lab lab;
static struct lab_count before;
static const char *missing;		/* for zero-copy; NULL: nothing */

static int open_lab(void **state)
{
	(void)state;
	missing = nics_open(&lab, nics);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	nics_close(&lab);
	return 0;
}

/* Without the NICs nothing can be tested, without zero-copy some things cannot. */
static bool is_missing(bool zerocopy)
{
	if (lab.nics && !(missing && zerocopy))
		return false;
	print_message("# skipped: %s\n", missing);
	return true;
}

#define SKIP_WITHOUT_NICS() do { if (is_missing(false)) skip(); } while (0)
#define SKIP_WITHOUT_ZEROCOPY() do { if (is_missing(true)) skip(); } while (0)

static int count(void **state)
{
	(void)state;
	if (lab.nics)
		lab_count(&before);
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	if (!lab.nics)
		return 0;
	lab_enter(&lab, 0);
	lab_assert_prog(&lab, 0, false);
	lab_assert_prog(&lab, 1, false);
	lab_assert_unchanged(&before);
	nics_drain_peer(&lab);
	return 0;
}

/* ---- until packets pass: a link that has come up may lose what is sent first ---- */

static void drop_all(struct xsk_queue *queue)
{
	struct xsk_frame frames[64];
	int n;

	while (xsk_wait(&queue, 1, 200) > 0) {
		n = xsk_rx(queue, frames, 64);
		assert_true(n >= 0);
		assert_int_equal(xsk_free(queue, frames, n), n);
	}
}

static void settle_receiving(struct xsk_queue *queue)
{
	uint8_t frame[60];
	bool came = false;

	lab_frame(frame, sizeof(frame), PROBE);
	for (int i = 0; i < 100 && !came; i++) {
		/* It may fail, where it is the peer's link that has just come up. */
		if (send(lab.peer, frame, sizeof(frame), 0) < 0)
			print_message("# a probe was refused: %s\n", strerror(errno));
		came = xsk_wait(&queue, 1, 100) > 0;
	}
	assert_true(came);
	drop_all(queue);
}

static void send_one(struct xsk_queue *queue, uint32_t number, uint32_t len)
{
	struct xsk_frame frame;

	assert_int_equal(xsk_alloc(queue, &frame, 1), 1);
	frame.len = len;
	lab_frame(xsk_frame_data(queue, &frame), len, number);
	assert_int_equal(xsk_tx(queue, &frame, 1), 1);
	assert_true(xsk_flush(queue) >= 0);
}

static void settle_sending(struct xsk_queue *queue)
{
	uint8_t frame[64];
	int i;

	for (i = 0; i < 100; i++) {
		send_one(queue, PROBE, 60);
		nics_sleep_ms(50);
		if (recv(lab.peer, frame, sizeof(frame), MSG_DONTWAIT) == 60)
			break;
	}
	assert_true(i < 100);
	nics_sleep_ms(200);
	nics_drain_peer(&lab);
}

static void settle(struct xsk_queue *queue)
{
	nics_await_link(&lab);
	if (xsk_queue_direction(queue) & XSK_DIRECTION_RX)
		settle_receiving(queue);
	if (xsk_queue_direction(queue) & XSK_DIRECTION_TX)
		settle_sending(queue);
}

static void stream(const struct xsk_port *port)
{
	struct xsk_queue *queue = xsk_port_queue(port, 0);

	settle(queue);
	if (xsk_queue_direction(queue) & XSK_DIRECTION_RX)
		ports_receive(queue, &lab, 0, COUNT);
	ports_assert_law(port);
	if (xsk_queue_direction(queue) & XSK_DIRECTION_TX)
		ports_transmit(queue, &lab, 0, COUNT);
	ports_assert_law(port);
	assert_int_equal(ports_stats(port).bad_frames, 0);
}

/* Opened without a word on modes. */
static struct xsk_port *open_zerocopy(struct xsk_port_opts opts)
{
	struct xsk_port *port = ports_open("lab0", opts);

	assert_string_equal(ports_info(port).mode_text, "zero-copy");
	assert_int_equal(ports_info(port).mode, XSK_MODE_ZEROCOPY);
	return port;
}

static void pass_packets(struct xsk_port_opts opts)
{
	struct xsk_port *port = open_zerocopy(opts);

	stream(port);
	xsk_port_close(port);
}

/* ---- modes ---- */

static void best_mode(void **state)
{
	struct xsk_port *port;

	(void)state;
	SKIP_WITHOUT_NICS();
	port = ports_open("lab0", (struct xsk_port_opts){ 0 });
	print_message("# %s\n", ports_info(port).mode_text);
	assert_int_equal(ports_info(port).mode, missing ? XSK_MODE_NATIVE : XSK_MODE_ZEROCOPY);
	if (missing)
		assert_non_null(strstr(ports_info(port).mode_text,
				       "native copy; zero-copy refused: "));
	stream(port);
	xsk_port_close(port);
}

static void copy_modes(void **state)
{
	struct xsk_port *port;

	(void)state;
	SKIP_WITHOUT_NICS();
	port = ports_open("lab0", (struct xsk_port_opts){ .modes = XSK_MODE_NATIVE });
	assert_string_equal(ports_info(port).mode_text, "native copy");
	stream(port);
	xsk_port_close(port);
	port = ports_open("lab0", (struct xsk_port_opts){ .modes = XSK_MODE_GENERIC });
	assert_string_equal(ports_info(port).mode_text, "generic copy");
	stream(port);
	xsk_port_close(port);
}

static void receive_only(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	pass_packets((struct xsk_port_opts){ .direction = XSK_DIRECTION_RX });
}

/* igb sends only with a program there, which then comes and goes with the port. */
static void transmit_only(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	pass_packets((struct xsk_port_opts){ .direction = XSK_DIRECTION_TX });
}

/*
 * The NIC has no frames but the port's: those that the port keeps in FILL. More packets
 * than there are, so they must come back to the NIC; and after a link that was down too.
 */
static void host_hears_while_sending(void **state)
{
	struct xsk_port_opts opts = { .direction = XSK_DIRECTION_TX, .frames = 600 };
	struct xsk_port *port;
	int stack;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	port = open_zerocopy(opts);
	assert_int_equal(ports_stats(port).in_fill, 300);
	for (int turn = 0; turn < 2; turn++) {
		stream(port);
		stack = lab_stack_open();
		for (uint32_t i = 0; i < 2 * COUNT; i++) {
			send_one(xsk_port_queue(port, 0), i, 100);
			lab_send(&lab, i, 60 + i);
			lab_stack_expect(stack, i, 60 + i);
		}
		close(stack);
		nics_drain_peer(&lab);
		ports_assert_law(port);
		if (turn)
			break;
		lab_run("ip link set lab0 down && ip link set lab0 up");
		nics_await_link(&lab);
	}
	assert_int_equal(ports_stats(port).in_fill, 300);
	xsk_port_close(port);
}

static void checked(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	pass_packets((struct xsk_port_opts){ .flags = XSK_PORT_CHECKED, .headroom = 256 });
}

static void spinning(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	pass_packets((struct xsk_port_opts){ .wait = XSK_WAIT_SPIN });
}

/* Then sendto() would not send. */
static void busy_polling(void **state)
{
	struct xsk_port *port;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	port = open_zerocopy((struct xsk_port_opts){ .wait = XSK_WAIT_BUSY_POLL });
	print_message("# %s\n", ports_info(port).wait_text);
	stream(port);
	xsk_port_close(port);
}

static void small_rings(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	pass_packets((struct xsk_port_opts){ .rx_size = 64, .tx_size = 32, .fill_size = 128,
					     .comp_size = 32, .frames = 300 });
}

/* igb would cut packets there, so it is not asked for. */
static void frames_of_2048(void **state)
{
	struct xsk_port *port;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	port = ports_open("lab0", (struct xsk_port_opts){ .frame_size = 2048 });
	if (!strcmp(nics, "igb"))
		assert_string_equal(ports_info(port).mode_text, "native copy; zero-copy refused: "
				    "driver igb cuts packets of the MTU in frames of this size");
	else
		assert_string_equal(ports_info(port).mode_text, "zero-copy");
	stream(port);
	xsk_port_close(port);
}

/* These drivers have one frame to a packet there: with several it is copy mode. */
static void multi_buffer(void **state)
{
	struct xsk_port *port;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	port = ports_open("lab0", (struct xsk_port_opts){ .flags = XSK_PORT_MULTI_BUFFER });
	print_message("# %s\n", ports_info(port).mode_text);
	assert_true(ports_info(port).max_frags > 1);
	stream(port);
	xsk_port_close(port);
}

/* ---- waiting ---- */

static pid_t send_later(uint32_t number)
{
	pid_t sender = fork();

	assert_true(sender >= 0);
	if (!sender) {
		nics_sleep_ms(300);
		lab_send(&lab, number, 100);
		_exit(0);
	}
	return sender;
}

static void sleeping(void **state)
{
	struct xsk_frame frame;
	struct xsk_queue *queue;
	struct xsk_port *port;
	pid_t sender;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	port = open_zerocopy((struct xsk_port_opts){ 0 });
	queue = xsk_port_queue(port, 0);
	settle(queue);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(xsk_wait(&queue, 1, 0), 0);
		sender = send_later(i);
		assert_int_equal(xsk_wait(&queue, 1, 30000), 1);
		assert_int_equal(xsk_rx(queue, &frame, 1), 1);
		assert_true(lab_frame_is(xsk_frame_data(queue, &frame), 100, i));
		assert_int_equal(xsk_free(queue, &frame, 1), 1);
		assert_int_equal(waitpid(sender, NULL, 0), sender);
	}
	ports_assert_law(port);
	xsk_port_close(port);
}

/* ---- forwarding ---- */

/* What lab0 receives goes out of lab1, which is then the peer's own; by address. */
static void shared_over_two_nics(void **state)
{
	struct xsk_port *first, *second;
	struct xsk_queue *from, *to;
	struct xsk_frame frame;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	first = open_zerocopy((struct xsk_port_opts){ 0 });
	lab_enter(&lab, 1);
	lab_run("ethtool -L lab1 combined 1 2>/dev/null || :");
	second = ports_open("lab1", (struct xsk_port_opts){ .share = first });
	assert_int_equal(ports_info(second).mode, XSK_MODE_ZEROCOPY);
	lab_enter(&lab, 0);
	nics_await_link(&lab);
	from = xsk_port_queue(first, 0);
	to = xsk_port_queue(second, 0);
	/* Both ends of one wire: each receives what the other sends, in the same memory. */
	for (int i = 0; i < 100; i++) {
		send_one(to, PROBE, 60);
		if (xsk_wait(&from, 1, 100) > 0)
			break;
	}
	drop_all(from);
	for (uint32_t i = 0; i < COUNT; i++) {
		send_one(to, i, 60 + i);
		ports_take(from, &frame, 1);
		assert_true(lab_frame_is(xsk_frame_data(from, &frame), frame.len, i));
		/* The very frame goes back, and is received by the other. */
		assert_int_equal(xsk_tx(from, &frame, 1), 1);
		assert_true(xsk_flush(from) >= 0);
		ports_take(to, &frame, 1);
		assert_true(lab_frame_is(xsk_frame_data(to, &frame), frame.len, i));
		assert_int_equal(xsk_free(to, &frame, 1), 1);
	}
	ports_assert_law(first);
	ports_assert_law(second);
	xsk_port_close(second);
	assert_int_equal(ports_assert_law(first).in_caller, 0);
	stream(first);
	xsk_port_close(first);
}

/* ---- life ---- */

static void reopened(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	for (int i = 0; i < 3; i++)
		pass_packets((struct xsk_port_opts){ 0 });
}

static void killed(void **state)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		open_zerocopy((struct xsk_port_opts){ 0 });
		assert_int_equal(write(ready[1], "", 1), 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	for (uint32_t i = 0; i < 32; i++)
		lab_send(&lab, i, 100);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	lab_assert_prog(&lab, 0, false);
	nics_await_link(&lab);
	pass_packets((struct xsk_port_opts){ 0 });
}

static void down_and_up(void **state)
{
	struct xsk_queue *queue;
	struct xsk_frame frame;
	struct xsk_port *port;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	port = open_zerocopy((struct xsk_port_opts){ 0 });
	queue = xsk_port_queue(port, 0);
	stream(port);
	lab_run("ip link set lab0 down");
	assert_int_equal(xsk_alloc(queue, &frame, 1), 1);
	frame.len = 60;
	lab_frame(xsk_frame_data(queue, &frame), 60, 1);
	assert_int_equal(xsk_tx(queue, &frame, 1), 1);
	assert_int_equal(xsk_flush(queue), -ENETDOWN);
	ports_assert_last(-ENETDOWN, "lab0 is down", "ip link set dev lab0 up");
	ports_assert_law(port);
	assert_false(ports_info(port).up);
	lab_run("ip link set lab0 up");
	stream(port);
	xsk_port_close(port);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(best_mode),
		TEST(copy_modes),
		TEST(receive_only),
		TEST(transmit_only),
		TEST(host_hears_while_sending),
		TEST(checked),
		TEST(spinning),
		TEST(busy_polling),
		TEST(small_rings),
		TEST(frames_of_2048),
		TEST(multi_buffer),
		TEST(sleeping),
		TEST(shared_over_two_nics),
		TEST(reopened),
		TEST(killed),
		TEST(down_and_up),
	};

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: port NICS [PATTERN-OF-TESTS]\n");
		return 2;
	}
	nics = argv[1];
	if (argc == 3)
		cmocka_set_test_filter(argv[2]);
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
