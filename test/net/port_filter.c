/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Ports with a filter on hosts that have an IP stack: what matches is the port's, and all
 * else goes on in the kernel, undisturbed. And what the program counts.
 */
#include "ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hosts.h"
#include "node.h"

#define QUEUES 2
#define DNS 53
#define OPTS(...) (struct xsk_port_opts){ __VA_ARGS__ }
#define UDP(...) V4(UDP, __VA_ARGS__)

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

static int count_hosts(void **state)
{
	count(state);
	hosts_set_up(&lab);
	return 0;
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

/* The port does without the filter from then on. */
static struct xsk_port *open_on(const char *ifname, const char *expression,
				struct xsk_port_opts opts)
{
	struct xsk_port *port;

	opts.filter = hosts_filter(expression);
	port = ports_open(ifname, opts);
	xsk_filter_free(opts.filter);
	return port;
}

static struct xsk_port *open_filtered(const char *expression, struct xsk_port_opts opts)
{
	return open_on("lab0", expression, opts);
}

/* ---- beside the kernel ---- */

static int udp_to_oneself(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* What a host sends to itself: the one is the port's, the other arrives. */
static void on_loopback(void **state)
{
	struct xsk_port *port;
	struct xsk_frame frame;
	int taken, passed;
	char text[16];

	(void)state;
	lab_run("ip link set lo mtu 1500 up");
	port = open_on("lo", "udp port 53", OPTS(.keep = XSK_KEEP_MANAGEMENT));
	assert_int_equal(ports_info(port).mode, XSK_MODE_GENERIC);
	taken = udp_to_oneself(DNS);
	passed = udp_to_oneself(5353);
	assert_int_equal(send(taken, "query", 5, 0), 5);
	assert_int_equal(send(passed, "other", 5, 0), 5);
	assert_int_equal(recv(passed, text, sizeof(text), 0), 5);
	assert_memory_equal(text, "other", 5);
	ports_take(xsk_port_queue(port, 0), &frame, 1);
	assert_int_equal(frame.len, 14 + 20 + 8 + 5);
	assert_memory_equal((char *)xsk_frame_data(xsk_port_queue(port, 0), &frame) + 42,
			    "query", 5);
	assert_int_equal(recv(taken, text, sizeof(text), MSG_DONTWAIT), -1);
	assert_int_equal(xsk_free(xsk_port_queue(port, 0), &frame, 1), 1);
	ports_assert_law(port);
	xsk_port_close(port);
	close(taken);
	close(passed);
	lab_run("ip link set lo down");
}

static void swap(uint8_t *one, uint8_t *other, size_t size)
{
	uint8_t kept[16];

	memcpy(kept, one, size);
	memcpy(one, other, size);
	memcpy(other, kept, size);
}

/* Back to where it came from. What is summed up stays the same. */
static void turn(uint8_t *packet)
{
	bool v4 = packet[12] == 8;
	size_t len = v4 ? 4 : 16;
	uint8_t *from = packet + (v4 ? 26 : 22), *ports = from + 2 * len;

	swap(packet, packet + 6, 6);
	swap(from, from + len, len);
	swap(ports, ports + 2, 2);
}

/* A query from the host at lab1, and the answer by AF_XDP. */
static void ask(struct xsk_queue *queue, int client, uint32_t number)
{
	uint8_t query[512], answer[512];
	size_t len = 12 + number % 500;
	struct xsk_frame frame;
	uint8_t *packet;

	for (size_t i = 0; i < len; i++)
		query[i] = (uint8_t)(number * 3 + i);
	assert_int_equal(send(client, query, len, 0), len);
	ports_take(queue, &frame, 1);
	packet = xsk_frame_data(queue, &frame);
	assert_int_equal(frame.len, 14 + (packet[12] == 8 ? 20 : 40) + 8 + len);
	assert_memory_equal(packet + frame.len - len, query, len);
	turn(packet);
	assert_int_equal(xsk_tx(queue, &frame, 1), 1);
	assert_true(xsk_flush(queue) >= 0);
	assert_int_equal(recv(client, answer, sizeof(answer), 0), len);
	assert_memory_equal(answer, query, len);
}

/* Connections that are there before the port, of ports that the filter might confuse. */
struct clients {
	int udp[2];
	struct hosts_tcp tcp[3];
};

static void open_clients(struct clients *clients)
{
	clients->udp[0] = hosts_udp(&lab, 1, AF_INET, 4000, DNS);
	clients->udp[1] = hosts_udp(&lab, 1, AF_INET6, 4000, DNS);
	hosts_connect(&clients->tcp[0], &lab, AF_INET, 5000);
	hosts_connect(&clients->tcp[1], &lab, AF_INET, DNS);
	hosts_connect(&clients->tcp[2], &lab, AF_INET6, 5000);
}

static void close_clients(struct clients *clients)
{
	for (int i = 0; i < 3; i++)
		hosts_disconnect(&clients->tcp[i]);
	close(clients->udp[0]);
	close(clients->udp[1]);
}

static void round_of_all(struct xsk_queue *queue, struct clients *clients, uint32_t number)
{
	hosts_forget(&lab);
	ask(queue, clients->udp[0], number);
	hosts_exchange(&clients->tcp[0], 20000);
	ask(queue, clients->udp[1], number + 1);
	hosts_ping(&lab, 1, AF_INET, 8 + number);
	hosts_exchange(&clients->tcp[1], 20000);
	hosts_forget(&lab);
	hosts_ping(&lab, 0, AF_INET6, 1000);
	ask(queue, clients->udp[1], number + 2);
	hosts_exchange(&clients->tcp[2], 20000);
	hosts_ping(&lab, 0, AF_INET, 1472);
	hosts_ping(&lab, 1, AF_INET6, 9 + number);
	ask(queue, clients->udp[0], number + 3);
}

static void beside_the_kernel(struct xsk_port_opts opts, uint32_t rounds)
{
	struct xsk_port_stats stats;
	struct clients clients;
	struct hosts_tcp late;
	struct xsk_port *port;

	open_clients(&clients);
	port = open_filtered("udp port 53", opts);
	for (uint32_t i = 0; i < rounds; i++)
		round_of_all(xsk_port_queue(port, 0), &clients, 4 * i);
	hosts_connect(&late, &lab, AF_INET, 5001);
	hosts_exchange(&late, 50000);
	stats = ports_assert_law(port);
	assert_int_equal(stats.rx_packets, 4 * rounds);
	assert_int_equal(stats.tx_packets, 4 * rounds);
	assert_int_equal(stats.in_rx, 0);
	assert_int_equal(stats.filter_kept, 0);
	if (opts.flags & XSK_PORT_NO_COUNTERS) {
		assert_int_equal(stats.filter_matched, 0);
		assert_int_equal(stats.filter_passed, 0);
	} else {
		assert_int_equal(stats.filter_matched, 4 * rounds);
		/* Both ways, for each piece a packet at least. */
		assert_true(stats.filter_passed > 20 * rounds);
	}
	xsk_port_close(port);
	/* Neither is the port's end of any concern to them. */
	hosts_exchange(&clients.tcp[0], 20000);
	hosts_exchange(&late, 20000);
	hosts_disconnect(&late);
	close_clients(&clients);
}

static void dns_in_native_mode(void **state)
{
	(void)state;
	beside_the_kernel(OPTS(.modes = XSK_MODE_NATIVE), 20);
}

static void dns_in_generic_mode(void **state)
{
	(void)state;
	beside_the_kernel(OPTS(.modes = XSK_MODE_GENERIC), 20);
}

static void dns_uncounted(void **state)
{
	(void)state;
	beside_the_kernel(OPTS(.flags = XSK_PORT_NO_COUNTERS), 5);
	beside_the_kernel(OPTS(.flags = XSK_PORT_NO_COUNTERS | XSK_PORT_CHECKED,
			       .modes = XSK_MODE_GENERIC, .direction = 0), 5);
}

/* ---- each packet to the one or the other ---- */

static void one_or_the_other(uint32_t mode)
{
	struct xsk_port *port = open_filtered("udp port 53 or ether proto 0x88b5",
					      OPTS(.modes = mode));
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	int stack = hosts_stack_open();

	hosts_try(&lab, queue, stack, &UDP(.to = 53, .number = 1), true);
	hosts_try(&lab, queue, stack, &UDP(.from = 53, .to = 9, .number = 2), true);
	hosts_try(&lab, queue, stack, &UDP(.to = 54, .number = 3), false);
	hosts_try(&lab, queue, stack, &V4(TCP, .to = 53, .number = 4), false);
	hosts_try(&lab, queue, stack, &V6(UDP, .to = 53, .number = 5), true);
	/* Without "vlan" in it, it is for packets without. */
	hosts_try(&lab, queue, stack, &UDP(.tags = { ETH_P_8021Q }, .to = 53, .number = 6), false);
	hosts_try(&lab, queue, stack, &UDP(.to = 53, .fragment = 1, .number = 7), false);
	hosts_try(&lab, queue, stack, &UDP(.to = 53, .options = 40, .number = 8), true);
	ports_receive(queue, &lab, 0, 100);
	hosts_stack_expect_nothing(stack);
	close(stack);
	ports_assert_law(port);
	xsk_port_close(port);
}

static void each_packet_to_one(void **state)
{
	(void)state;
	one_or_the_other(XSK_MODE_NATIVE);
	one_or_the_other(XSK_MODE_GENERIC);
}

static void within_vlans(void **state)
{
	struct xsk_port *port = open_filtered("vlan 100 and udp port 53", OPTS(0));
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	int stack = hosts_stack_open();

	(void)state;
	hosts_try(&lab, queue, stack, &UDP(.to = 53, .number = 1), false);
	hosts_try(&lab, queue, stack, &UDP(.tags = { ETH_P_8021Q }, .to = 53, .number = 2), true);
	hosts_try(&lab, queue, stack, &UDP(.tags = { ETH_P_8021Q }, .to = 54, .number = 3), false);
	hosts_try(&lab, queue, stack, &UDP(.tags = { ETH_P_8021AD }, .to = 53, .number = 4), true);
	hosts_try(&lab, queue, stack, &UDP(.tags = { ETH_P_8021Q, ETH_P_8021Q }, .to = 53,
					   .number = 5), false);
	xsk_port_close(port);
	port = open_filtered("vlan 100 and vlan 101 and udp port 53", OPTS(0));
	queue = xsk_port_queue(port, 0);
	hosts_try(&lab, queue, stack, &UDP(.tags = { ETH_P_8021AD, ETH_P_8021Q }, .to = 53,
					   .number = 6), true);
	hosts_try(&lab, queue, stack, &UDP(.tags = { ETH_P_8021Q }, .to = 53, .number = 7), false);
	close(stack);
	xsk_port_close(port);
}

/* ---- what is counted ---- */

static void assert_counted(const struct xsk_port *port, uint64_t matched, uint64_t kept,
			   uint64_t passed)
{
	struct xsk_port_stats stats = ports_assert_law(port), of_queue = { .sz = sizeof(stats) };

	assert_int_equal(stats.filter_matched, matched);
	assert_int_equal(stats.filter_kept, kept);
	assert_int_equal(stats.filter_passed, passed);
	assert_int_equal(xsk_queue_stats(xsk_port_queue(port, 0), &of_queue), 0);
	assert_int_equal(of_queue.filter_matched + of_queue.filter_kept + of_queue.filter_passed,
			 0);
}

/* Of each kind some: what udp port 53 takes, what is kept, and what is neither. */
static void send_kinds(struct xsk_port *port, int matched, int kept, int passed)
{
	struct xsk_frame frames[PORTS_BURST];

	for (int i = 0; i < matched; i++)
		hosts_send(&lab, &UDP(.to = 53));
	for (int i = 0; i < kept; i++)
		hosts_send(&lab, &V4(TCP, .to = 22));
	for (int i = 0; i < passed; i++)
		hosts_send(&lab, &UDP(.to = 1000));
	ports_take(xsk_port_queue(port, 0), frames, matched);
	xsk_free(xsk_port_queue(port, 0), frames, matched);
	hosts_queue_expect_nothing(xsk_port_queue(port, 0));
}

static void counted_with(uint32_t mode)
{
	struct xsk_port *port = open_filtered("udp port 53", OPTS(.modes = mode,
								  .keep = XSK_KEEP_SSH));
	struct xsk_filter *other = hosts_filter("udp port 53 or udp port 1000");
	struct xsk_frame frames[9];

	assert_counted(port, 0, 0, 0);
	send_kinds(port, 5, 3, 7);
	assert_counted(port, 5, 3, 7);
	send_kinds(port, 40, 0, 1);
	assert_counted(port, 45, 3, 8);
	/* They go on with another filter. */
	assert_int_equal(xsk_port_set_filter(port, other, NULL), 0);
	assert_counted(port, 45, 3, 8);
	for (int i = 0; i < 9; i++)
		hosts_send(&lab, &UDP(.to = 1000));
	ports_take(xsk_port_queue(port, 0), frames, 9);
	xsk_free(xsk_port_queue(port, 0), frames, 9);
	send_kinds(port, 2, 1, 0);
	assert_counted(port, 56, 4, 8);
	assert_int_equal(xsk_port_set_filter(port, NULL, NULL), 0);
	for (int i = 0; i < 9; i++)
		hosts_send(&lab, &UDP(.to = 7));
	ports_take(xsk_port_queue(port, 0), frames, 9);
	xsk_free(xsk_port_queue(port, 0), frames, 9);
	send_kinds(port, 0, 2, 0);
	assert_counted(port, 65, 6, 8);
	xsk_filter_free(other);
	xsk_port_close(port);
}

static void counted(void **state)
{
	(void)state;
	counted_with(XSK_MODE_NATIVE);
	counted_with(XSK_MODE_GENERIC);
}

static void not_counted(void **state)
{
	struct xsk_port *port = open_filtered("udp port 53", OPTS(
		.keep = XSK_KEEP_SSH, .flags = XSK_PORT_NO_COUNTERS));
	struct xsk_frame frames[5];

	(void)state;
	send_kinds(port, 5, 3, 7);
	assert_counted(port, 0, 0, 0);
	assert_int_equal(xsk_port_set_filter(port, NULL, NULL), 0);
	send_kinds(port, 5, 3, 0);
	assert_counted(port, 0, 0, 0);
	xsk_port_close(port);

	/* Who takes all counts nothing. */
	port = ports_open("lab0", OPTS(0));
	send_kinds(port, 5, 0, 0);
	for (int i = 0; i < 5; i++)
		hosts_send(&lab, &UDP(.to = 1000));
	ports_take(xsk_port_queue(port, 0), frames, 5);
	xsk_free(xsk_port_queue(port, 0), frames, 5);
	assert_counted(port, 0, 0, 0);
	xsk_port_close(port);
}

/* What is kept alone is counted, too. */
static void counted_without_a_filter(void **state)
{
	struct xsk_port *port = ports_open("lab0", OPTS(.keep_udp = { 1000 }));
	struct xsk_frame frames[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		hosts_send(&lab, &V4(TCP, .to = 22));
	ports_take(xsk_port_queue(port, 0), frames, 3);
	xsk_free(xsk_port_queue(port, 0), frames, 3);
	send_kinds(port, 4, 0, 6);
	assert_counted(port, 7, 6, 0);
	xsk_port_close(port);
}

/* ---- several queues ---- */

/* Leaves the thread in namespace 0. */
static struct xsk_port *open_sender(void)
{
	struct xsk_port *sender;

	lab_enter(&lab, 1);
	sender = ports_open("lab1", OPTS(.direction = XSK_DIRECTION_TX));
	lab_enter(&lab, 0);
	return sender;
}

/* One that matches where no socket is goes to the kernel. It is counted nevertheless. */
static void matched_where_no_socket_is(void **state)
{
	struct xsk_port *port = open_filtered("udp port 53", OPTS(.first_queue = 1));
	struct hosts_packet matched = UDP(.to = 53, .number = 8);
	struct hosts_packet other = UDP(.to = 54, .number = 9);
	struct xsk_port *sender = open_sender();
	int stack = hosts_stack_open();

	(void)state;
	hosts_send_by(xsk_port_queue(sender, 0), &matched);
	hosts_stack_expect(stack, &matched);
	hosts_send_by(xsk_port_queue(sender, 0), &other);
	hosts_stack_expect(stack, &other);
	hosts_queue_expect_nothing(xsk_port_queue(port, 0));
	hosts_send_by(xsk_port_queue(sender, 1), &matched);
	hosts_queue_expect(xsk_port_queue(port, 0), &matched);
	assert_counted(port, 2, 0, 1);
	close(stack);
	xsk_port_close(port);
	xsk_port_close(sender);
}

static void on_each_queue(void **state)
{
	struct xsk_port *sender = open_sender(), *port;
	int stack = hosts_stack_open();

	(void)state;
	port = open_filtered("udp port 53", OPTS(.modes = XSK_MODE_NATIVE));
	for (uint32_t i = 0; i < 40; i++) {
		struct xsk_queue *by = xsk_port_queue(sender, i % QUEUES);
		struct hosts_packet taken = UDP(.to = 53, .number = i);
		struct hosts_packet left = UDP(.to = 9, .number = 100 + i);

		hosts_send_by(by, &taken);
		hosts_send_by(by, &left);
		hosts_queue_expect(xsk_port_queue(port, i % QUEUES), &taken);
		hosts_stack_expect(stack, &left);
		hosts_queue_expect_nothing(xsk_port_queue(port, 0));
		hosts_queue_expect_nothing(xsk_port_queue(port, 1));
	}
	assert_counted(port, 40, 0, 40);
	close(stack);
	xsk_port_close(port);
	xsk_port_close(sender);
}

/* ---- packets of several frames ---- */

static void set_mtu(unsigned int mtu)
{
	for (int side = 1; side >= 0; side--) {
		lab_enter(&lab, side);
		lab_run("ip link set lab%d mtu %u", side, mtu);
	}
}

/* The kernel's own word for it. */
static bool has_frags(void)
{
	struct node node;
	int err = node_umem(&node, &(struct node_opts){ .bind_flags = 1 << 4, .tx = true,
							.frames = 64 });

	assert_int_equal(err, 0);
	err = node_socket(&node);
	node_close(&node);
	return !err;
}

static void take_run(struct xsk_queue *queue, const struct hosts_packet *packet)
{
	uint8_t bytes[HOSTS_MAX_PACKET];
	size_t len = hosts_make(bytes, packet), at = 0;
	struct xsk_frame frames[PORTS_BURST];
	int n = 0;

	for (int i = 0; i < 100 && n < 1; i++) {
		n = xsk_rx(queue, frames, PORTS_BURST);
		if (!n)
			assert_true(xsk_wait(&queue, 1, 100) >= 0);
	}
	for (int i = 0; i < n; i++) {
		assert_true(at + frames[i].len <= len);
		assert_memory_equal(xsk_frame_data(queue, &frames[i]), bytes + at, frames[i].len);
		at += frames[i].len;
		assert_int_equal(frames[i].options, i < n - 1 ? XSK_FRAME_CONTD : 0);
	}
	assert_int_equal(at, len);
	assert_int_equal(xsk_free(queue, frames, n), n);
}

/* The filter sees the first buffer, which has less than a page; the length is that of all. */
static void packets_of_several_frames(void **state)
{
	struct hosts_packet large = UDP(.to = 53, .len = 9000), small = UDP(.to = 53, .len = 200);
	static const struct {
		const char *expression;
		bool large, small;
	} rows[] = {
		{ "udp port 53", true, true },
		{ "len > 5000", true, false },
		{ "len == 9000", true, false },
		{ "len == 9000 and udp", true, false },
		{ "less 300", false, true },
		{ "ether[150] = 0", true, true },
		{ "ether[2000] = 0", true, false },
		{ "ether[6000] = 0", false, false },
		{ "ether[len - 1] = 0", false, true },
	};
	int stack;

	(void)state;
	if (!has_frags()) {
		print_message("# skipped: the kernel's sockets take no packets of several "
			      "frames\n");
		skip();
	}
	set_mtu(9000);
	stack = hosts_stack_open();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct xsk_port *port = open_filtered(rows[i].expression, OPTS(
			.flags = XSK_PORT_MULTI_BUFFER, .modes = XSK_MODE_NATIVE));
		struct xsk_queue *queue = xsk_port_queue(port, 0);

		print_message("# %s\n", rows[i].expression);
		hosts_send(&lab, &large);
		if (rows[i].large)
			take_run(queue, &large);
		else
			hosts_stack_expect(stack, &large);
		hosts_try(&lab, queue, stack, &small, rows[i].small);
		assert_counted(port, rows[i].large + rows[i].small, 0,
			       !rows[i].large + !rows[i].small);
		xsk_port_close(port);
	}
	close(stack);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)
#define QUEUES_TEST(name) cmocka_unit_test_setup_teardown(name, count_queues, nothing_left)
#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, count_hosts, nothing_left)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		HOST_TEST(dns_in_native_mode),
		HOST_TEST(dns_in_generic_mode),
		HOST_TEST(dns_uncounted),
		TEST(on_loopback),
		TEST(each_packet_to_one),
		TEST(within_vlans),
		TEST(counted),
		TEST(not_counted),
		TEST(counted_without_a_filter),
		QUEUES_TEST(matched_where_no_socket_is),
		QUEUES_TEST(on_each_queue),
		TEST(packets_of_several_frames),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("port_filter", tests, NULL, NULL);
}
