/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What a port leaves to the kernel (opts.keep and its lists): the host stays reachable on
 * an interface whose packets are all the port's.
 */
#include "ports.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hosts.h"

#define SSH 22
#define OPTS(...) (struct xsk_port_opts){ __VA_ARGS__ }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct lab lab;
static struct lab_count before;
static int areas_before;

static int count(void **state)
{
	(void)state;
	lab_open(&lab, 1);
	lab_count(&before);
	areas_before = ports_areas();
	return 0;
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

/* ---- hosts ---- */

/* A datagram from lab1 to a socket of lab0, and the answer. */
static void datagrams(int family, uint16_t port)
{
	int server = hosts_udp(&lab, 0, family, port, 4000);
	int client = hosts_udp(&lab, 1, family, 4000, port);
	char bytes[16];

	assert_int_equal(send(client, "discover", 9, 0), 9);
	assert_int_equal(recv(server, bytes, sizeof(bytes), 0), 9);
	assert_string_equal(bytes, "discover");
	assert_int_equal(send(server, "offer", 6, 0), 6);
	close(server);
	close(client);
}

/* The datagram comes to the port, though a socket waits for it. */
static void datagram_is_taken(struct xsk_queue *queue, int family, uint16_t port)
{
	int server = hosts_udp(&lab, 0, family, port, 4000);
	int client = hosts_udp(&lab, 1, family, 4000, port);
	struct xsk_frame frame;
	uint8_t *packet;
	char bytes[16];

	assert_int_equal(send(client, "question", 9, 0), 9);
	ports_take(queue, &frame, 1);
	packet = xsk_frame_data(queue, &frame);
	assert_memory_equal(packet + frame.len - 9, "question", 9);
	assert_int_equal(recv(server, bytes, sizeof(bytes), MSG_DONTWAIT), -1);
	assert_int_equal(xsk_free(queue, &frame, 1), 1);
	close(server);
	close(client);
}

/* The first packet of a connection comes to the port. */
static void connection_is_taken(struct xsk_queue *queue, int family, uint16_t port)
{
	int client = hosts_begin_to_connect(&lab, family, port);
	struct xsk_frame frame;
	uint8_t *tcp;

	ports_take(queue, &frame, 1);
	tcp = (uint8_t *)xsk_frame_data(queue, &frame) + (family == AF_INET ? 34 : 54);
	assert_int_equal(tcp[2] << 8 | tcp[3], port);
	assert_int_equal(tcp[13], 2);		/* SYN */
	assert_int_equal(xsk_free(queue, &frame, 1), 1);
	close(client);
}

static void connection(int family, uint16_t port)
{
	struct hosts_tcp tcp;

	hosts_connect(&tcp, &lab, family, port);
	hosts_exchange(&tcp, 30000);
	hosts_disconnect(&tcp);
}

static void management_in(uint32_t mode)
{
	struct hosts_tcp login[2];
	struct xsk_queue *queue;
	struct xsk_port *port;

	hosts_connect(&login[0], &lab, AF_INET, SSH);
	hosts_connect(&login[1], &lab, AF_INET6, SSH);
	port = ports_open("lab0", OPTS(.keep = XSK_KEEP_MANAGEMENT, .modes = mode));
	queue = xsk_port_queue(port, 0);
	for (uint16_t i = 0; i < 10; i++) {
		hosts_forget(&lab);
		hosts_exchange(&login[0], 20000);
		hosts_exchange(&login[1], 20000);
		hosts_ping(&lab, i % 2, AF_INET, 100);
		hosts_ping(&lab, i % 2, AF_INET6, 100);
		datagram_is_taken(queue, AF_INET, (uint16_t)(1000 + i));
		datagram_is_taken(queue, AF_INET6, (uint16_t)(1000 + i));
		connection_is_taken(queue, AF_INET, (uint16_t)(23 + i));
		connection_is_taken(queue, AF_INET6, (uint16_t)(23 + i));
		hosts_queue_expect_nothing(queue);
	}
	datagrams(AF_INET, 67);
	datagrams(AF_INET, 68);
	datagrams(AF_INET6, 546);
	datagrams(AF_INET6, 547);
	datagram_is_taken(queue, AF_INET, 546);
	datagram_is_taken(queue, AF_INET6, 67);
	connection(AF_INET, SSH);
	connection(AF_INET6, SSH);
	assert_int_equal(ports_assert_law(port).rx_packets, 42);
	assert_int_equal(ports_assert_law(port).filter_matched, 42);
	assert_int_equal(ports_assert_law(port).filter_passed, 0);
	assert_true(ports_assert_law(port).filter_kept > 200);
	xsk_port_close(port);
	hosts_exchange(&login[0], 20000);
	hosts_exchange(&login[1], 20000);
	hosts_disconnect(&login[0]);
	hosts_disconnect(&login[1]);
}

static void management_in_native_mode(void **state)
{
	(void)state;
	management_in(XSK_MODE_NATIVE);
}

static void management_in_generic_mode(void **state)
{
	(void)state;
	management_in(XSK_MODE_GENERIC);
}

/* Ports of the host's own. What is kept is so whatever the filter says. */
static void ports_of_the_host(void **state)
{
	struct xsk_filter *filter = hosts_filter("tcp or udp");
	struct xsk_queue *queue;
	struct xsk_port *port;

	(void)state;
	port = ports_open("lab0", OPTS(.filter = filter, .keep_tcp = { 23, 0, 8080 },
				       .keep_udp = { 0, 1000, [14] = 65535 }));
	queue = xsk_port_queue(port, 0);
	xsk_filter_free(filter);
	for (int i = 0; i < 2; i++) {
		int family = i ? AF_INET6 : AF_INET;

		connection(family, 23);
		connection(family, 8080);
		connection_is_taken(queue, family, SSH);
		connection_is_taken(queue, family, 1000);
		datagrams(family, 1000);
		datagrams(family, 65535);
		datagram_is_taken(queue, family, 23);
		datagram_is_taken(queue, family, 67);
		hosts_ping(&lab, i, family, 100);
		hosts_queue_expect_nothing(queue);
	}
	xsk_port_close(port);
}

/* ---- packets ---- */

struct row {
	struct hosts_packet packet;
	bool kept;
};

static void try_row(const struct row *row, struct xsk_queue *queue, int stack, uint32_t number)
{
	struct hosts_packet packet = row->packet;

	packet.number = number;
	hosts_try(&lab, queue, stack, &packet, !row->kept);
}

/* Each of them as it is, and behind one tag and two. */
static void try_rows(const struct row *rows, size_t count_of_rows, struct xsk_port_opts opts)
{
	struct xsk_port *port = ports_open("lab0", opts);
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	static const uint16_t tags[][2] = { { 0 }, { ETH_P_8021Q }, { ETH_P_8021AD },
					    { ETH_P_8021AD, ETH_P_8021Q },
					    { ETH_P_8021Q, ETH_P_8021Q } };
	int stack = hosts_stack_open();
	uint64_t kept = 0, all = 0;

	for (size_t i = 0; i < count_of_rows; i++) {
		for (size_t k = 0; k < COUNT(tags); k++) {
			struct row row = rows[i];

			memcpy(row.packet.tags, tags[k], sizeof(tags[k]));
			print_message("# row %zu, tags %zu\n", i, k);
			try_row(&row, queue, stack, (uint32_t)all++);
			kept += row.kept;
		}
	}
	assert_int_equal(ports_assert_law(port).filter_kept, kept);
	assert_int_equal(ports_assert_law(port).filter_matched, all - kept);
	close(stack);
	xsk_port_close(port);
}

static void kept_for_management(void **state)
{
	static const struct row rows[] = {
		{ PACKET(.type = ETH_P_ARP), true },
		{ PACKET(.type = 0x88b5), false },
		{ PACKET(.type = 0x0600), false },
		{ V4(ICMP, .icmp = ICMP_ECHO), true },
		{ V4(ICMP, .icmp = ICMP_DEST_UNREACH, .fragment = 0x2000), true },
		{ V4(TCP, .to = SSH), true },
		{ V4(TCP, .from = SSH, .to = 4000), false },
		{ V4(TCP, .to = SSH, .options = 40), true },
		{ V4(TCP, .to = SSH, .fragment = 0x4000), true },
		{ V4(TCP, .to = SSH, .fragment = 0x2000), true },
		{ V4(TCP, .to = SSH, .fragment = 0x0001), false },
		{ V4(TCP, .to = SSH + 1), false },
		{ V4(TCP, .to = SSH << 8), false },
		{ V4(UDP, .to = SSH), false },
		{ V4(UDP, .to = 67), true },
		{ V4(UDP, .from = 67, .to = 68), true },
		{ V4(UDP, .from = 67, .to = 69), false },
		{ V4(UDP, .to = 547), false },
		{ V4(SCTP, .to = SSH), false },
		{ V6(ICMPV6, .icmp = ND_NEIGHBOR_SOLICIT), true },
		{ V6(ICMPV6, .icmp = ICMP6_ECHO_REQUEST), true },
		{ V6(TCP, .to = SSH), true },
		{ V6(TCP, .to = SSH + 1), false },
		{ V6(TCP, .to = SSH, .headers = { IPPROTO_HOPOPTS }), true },
		{ V6(TCP, .to = SSH, .headers = { IPPROTO_DSTOPTS, IPPROTO_ROUTING }), true },
		{ V6(TCP, .to = SSH, .headers = { IPPROTO_AH }), true },
		{ V6(TCP, .to = SSH, .headers = { IPPROTO_FRAGMENT }, .fragment = 1), true },
		{ V6(TCP, .to = SSH, .headers = { IPPROTO_FRAGMENT }, .fragment = 8), false },
		{ V6(TCP, .to = 23, .headers = { IPPROTO_HOPOPTS }), false },
		{ V6(UDP, .to = 547), true },
		{ V6(UDP, .to = 546, .headers = { IPPROTO_DSTOPTS }), true },
		{ V6(UDP, .to = 67), false },
		{ V6(ESP), false },
	};

	(void)state;
	try_rows(rows, COUNT(rows), OPTS(.keep = XSK_KEEP_MANAGEMENT));
	try_rows(rows, COUNT(rows), OPTS(.keep = XSK_KEEP_MANAGEMENT, .modes = XSK_MODE_GENERIC));
}

static void kept_one_by_one(void **state)
{
	struct row rows[] = {
		{ PACKET(.type = ETH_P_ARP), false },
		{ V6(ICMPV6, .icmp = ND_ROUTER_ADVERT), false },
		{ V6(ICMPV6, .icmp = ND_REDIRECT), false },
		{ V4(UDP, .to = 68), false },
		{ V6(UDP, .to = 546), false },
		{ V4(ICMP, .icmp = ICMP_ECHO), false },
		{ V6(ICMPV6, .icmp = ICMP6_ECHO_REQUEST), false },
		{ V4(TCP, .to = SSH), false },
		{ V4(TCP, .to = 443), false },
		{ V6(TCP, .to = 443), false },
		{ V4(UDP, .to = 443), false },
	};
	/* Which of the rows are kept, a bit each. */
	const struct { struct xsk_port_opts opts; uint32_t kept; } cases[] = {
		{ OPTS(0), 0 },
		{ OPTS(.keep = XSK_KEEP_ARP), 0x007 },
		{ OPTS(.keep = XSK_KEEP_DHCP), 0x018 },
		{ OPTS(.keep = XSK_KEEP_ICMP), 0x066 },
		{ OPTS(.keep = XSK_KEEP_SSH), 0x080 },
		{ OPTS(.keep_tcp = { [14] = 443 }), 0x300 },
		{ OPTS(.keep_udp = { 443 }), 0x400 },
		{ OPTS(.keep = XSK_KEEP_ARP | XSK_KEEP_SSH, .keep_tcp = { 443 }), 0x387 },
	};

	(void)state;
	for (size_t i = 1; i < COUNT(cases); i++) {
		for (size_t k = 0; k < COUNT(rows); k++)
			rows[k].kept = cases[i].kept >> k & 1;
		try_rows(rows, COUNT(rows), cases[i].opts);
	}
}

/* Too short to tell: they are the port's. */
static void cut_off(void **state)
{
	static const struct hosts_packet whole[] = {
		V4(TCP, .to = SSH, .number = 1), V6(TCP, .to = SSH, .number = 2),
		V4(UDP, .to = 67, .number = 3), V6(UDP, .to = 547, .number = 4),
	};
	/* Of TCP and UDP the ports' last byte is the last that must be there. */
	static const size_t needed[] = { 14 + 20 + 4, 14 + 40 + 4, 14 + 20 + 4, 14 + 40 + 4 };
	struct xsk_port *port = ports_open("lab0", OPTS(.keep = XSK_KEEP_MANAGEMENT));
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	uint8_t bytes[HOSTS_MAX_PACKET];
	uint64_t kept = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(whole); i++) {
		size_t len = hosts_make(bytes, &whole[i]);

		for (size_t cut = ETH_HLEN; cut <= len; cut++) {
			struct xsk_frame frame;

			assert_int_equal(send(lab.peer, bytes, cut, 0), cut);
			if (cut >= needed[i]) {
				kept++;
				continue;
			}
			ports_take(queue, &frame, 1);
			assert_int_equal(frame.len, cut);
			assert_int_equal(xsk_free(queue, &frame, 1), 1);
		}
		hosts_queue_expect_nothing(queue);
		assert_int_equal(ports_assert_law(port).filter_kept, kept);
	}
	xsk_port_close(port);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)
#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, count_hosts, nothing_left)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		HOST_TEST(management_in_native_mode),
		HOST_TEST(management_in_generic_mode),
		HOST_TEST(ports_of_the_host),
		TEST(kept_for_management),
		TEST(kept_one_by_one),
		TEST(cut_off),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("port_keep", tests, NULL, NULL);
}
