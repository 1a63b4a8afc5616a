/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * net-examples SOURCE...: the examples, run as a user would, over veth: what they say
 * is what has happened. And each of them has at most 100 lines.
 */
#include "example.h"
#include "hosts.h"
#include "node.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MAX_LINES 100
#define PATIENCE_S 10		/* until a packet has to come */
#define NUMBERED 60		/* bytes of a packet with a number */

static struct lab lab;
static struct lab_count before;
static char **sources;

static struct example examples[2];
static int sockets[2] = { -1, -1 };	/* open ones */

/* Those that take one interface. */
static const char *const receivers[] = { "receive", "echo", "epoll", "threads", NULL };

/* ---- what they say ---- */

static void assert_frames_add_up(const struct example *example)
{
	assert_int_equal(example_number(example, "frames: "),
			 example_number(example, "pool ") + example_number(example, "FILL ") +
			 example_number(example, "RX ") + example_number(example, "caller ") +
			 example_number(example, "TX ") + example_number(example, "COMP "));
	assert_int_equal(example_number(example, "caller "), 0);
}

/* ---- around each case ---- */

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 2);
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
	for (int i = 0; i < 2; i++) {
		if (sockets[i] >= 0)
			close(sockets[i]);
		sockets[i] = -1;
		example_kill(&examples[i]);
	}
	lab_enter(&lab, 0);
	if (if_nametoindex("lab2"))
		lab_run("ip link delete lab2");
	lab_assert_prog(&lab, 0, false);
	lab_assert_prog(&lab, 1, false);
	lab_assert_unchanged(&before);
	return 0;
}

/* A second pair: lab2 beside lab0, lab3 beside lab1. */
static void make_second_pair(unsigned int queues)
{
	lab_enter(&lab, 0);
	lab_run("ip link add lab2 numrxqueues %u numtxqueues %u type veth peer name lab3 "
		"numrxqueues %u numtxqueues %u netns /proc/%d/fd/%d", queues, queues, queues,
		queues, getpid(), lab.ns[1]);
	lab_enter(&lab, 1);
	lab_run("ip link set lab3 up");
	lab_enter(&lab, 0);
	lab_run("ip link set lab2 up");
}

static void patient(int fd)
{
	struct timeval wait = { .tv_sec = PATIENCE_S };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
}

/* A packet socket on an interface of namespace 1; the caller is in namespace 0 again. */
static int open_socket(const char *ifname, int ethertype)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_protocol = htons(ethertype) };
	int fd, size = 4 << 20, on = 1;

	lab_enter(&lab, 1);
	addr.sll_ifindex = (int)if_nametoindex(ifname);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ethertype));
	assert_true(fd >= 0);
	sockets[sockets[0] >= 0] = fd;
	assert_int_equal(bind(fd, (void *)&addr, sizeof(addr)), 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	patient(fd);
	lab_enter(&lab, 0);
	return fd;
}

/* ---- packets ---- */

static uint32_t add_words(const unsigned char *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* As another host would take it: IPv4 and UDP, of the right length, with right checksums. */
static void assert_udp(const unsigned char *packet, size_t len)
{
	const unsigned char *ip = packet + 14, *udp = packet + 34;
	size_t udp_len = udp[4] << 8 | udp[5];

	assert_int_equal(packet[12] << 8 | packet[13], ETH_P_IP);
	assert_int_equal(ip[0], 0x45);
	assert_int_equal((ip[2] << 8 | ip[3]) - 20, udp_len);
	assert_true(34 + udp_len <= len);
	assert_int_equal(ip[9], IPPROTO_UDP);
	assert_int_equal(add_words(ip, 20, 0), 0xffff);
	assert_int_equal(add_words(udp, udp_len, add_words(ip + 12, 8, IPPROTO_UDP +
							  (uint32_t)udp_len)), 0xffff);
}

/* What send would send, made here: from 192.0.2.1 port 1000 to 192.0.2.2 port 7. */
static void make_numbered(unsigned char *packet, uint64_t n)
{
	static const unsigned char headers[42] = {
		2, 0, 0, 0, 0, 1,   2, 0, 0, 0, 0, 2,   8, 0,
		0x45, 0, 0, 46,   0, 0, 0x40, 0,   64, 17, 0, 0,   192, 0, 2, 1,   192, 0, 2, 2,
		3, 0xe8, 0, 7,   0, 26, 0, 0,
	};
	uint64_t words[2] = { n, ~n };
	uint32_t sum;

	memset(packet, 0, NUMBERED);
	memcpy(packet, headers, sizeof(headers));
	memcpy(packet + 42, words, sizeof(words));
	sum = ~add_words(packet + 14, 20, 0);
	packet[24] = sum >> 8 & 0xff;
	packet[25] = sum & 0xff;
	sum = ~add_words(packet + 34, 26, add_words(packet + 26, 8, IPPROTO_UDP + 26));
	packet[40] = sum >> 8 & 0xff;
	packet[41] = sum & 0xff;
	assert_udp(packet, NUMBERED);
}

static void send_numbered_by(int fd, uint64_t from, uint64_t to)
{
	unsigned char packet[NUMBERED];

	for (; from < to; from++) {
		make_numbered(packet, from);
		assert_int_equal(send(fd, packet, sizeof(packet), 0), sizeof(packet));
	}
}

static void send_numbered(uint64_t from, uint64_t to)
{
	send_numbered_by(lab.peer, from, to);
}

/* ---- each by itself ---- */

static void receive_counts(void **state)
{
	struct example *receive = &examples[0];

	(void)state;
	start(receive, "receive", "lab0");
	example_await_ready(receive, 1);
	send_numbered(0, 50);
	send_numbered(60, 100);
	lab_send(&lab, 1, LAB_MIN_FRAME);
	example_await_sum(receive, 91);
	assert_int_equal(example_number(receive, "Mbit/s, "), 10);
	send_numbered(70, 72);		/* late */
	send_numbered(0, 20);		/* a sender that begins */
	example_await_sum(receive, 22);
	example_interrupt(receive);
	example_await(receive, "received 113 (6780 bytes), missing 10; dropped 0, RX full 0, "
		      "FILL empty 0");
	example_await(receive, "frames: ");
	assert_frames_add_up(receive);
	example_end(receive, 0);
}

static void send_is_numbered_udp(void **state)
{
	int fd = open_socket("lab1", ETH_P_IP);
	unsigned char packet[2048];
	struct example *send = &examples[0];
	uint64_t words[2];

	(void)state;
	start(send, "send", "lab0", "0", "150", "02:00:00:00:ab:cd");
	example_await(send, "zero-copy refused: ");
	for (uint64_t i = 0; i < 150; i++) {
		assert_int_equal(recv(fd, packet, sizeof(packet), 0), NUMBERED);
		assert_memory_equal(packet, "\x02\0\0\0\xab\xcd", 6);
		assert_udp(packet, NUMBERED);
		memcpy(words, packet + 42, sizeof(words));
		assert_true(words[0] == i && words[1] == ~i);
	}
	example_await(send, "sent 150, dropped by the driver 0, left in TX 0");
	example_await(send, "frames: ");
	assert_frames_add_up(send);
	example_end(send, 0);
	assert_int_equal(recv(fd, packet, sizeof(packet), MSG_DONTWAIT), -1);
}

/* No more than the queue of a veth holds: none is lost. */
static void send_meets_receive(void **state)
{
	struct example *receive = &examples[0], *send = &examples[1];

	(void)state;
	lab_enter(&lab, 1);
	start(receive, "receive", "lab1");
	example_await_ready(receive, 1);
	lab_enter(&lab, 0);
	start(send, "send", "lab0", "0", "200");
	example_await(send, "sent 200, ");
	example_end(send, 0);
	example_await_sum(receive, 200);
	example_interrupt(receive);
	example_await(receive, "received 200 (12000 bytes), missing 0; ");
	example_end(receive, 0);
}

/* Another host's packets come back with their two ends changed. */
static void echo_answers(void **state)
{
	int fd = open_socket("lab1", ETH_P_IP);
	unsigned char packet[2048], wanted[NUMBERED];
	struct example *echo = &examples[0];

	(void)state;
	start(echo, "echo", "lab0");
	example_await_ready(echo, 1);
	for (uint64_t i = 0; i < 100; i++) {
		send_numbered(i, i + 1);
		make_numbered(wanted, i);
		assert_int_equal(recv(fd, packet, sizeof(packet), 0), NUMBERED);
		assert_udp(packet, NUMBERED);
		assert_memory_equal(packet, wanted + 6, 6);
		assert_memory_equal(packet + 6, wanted, 6);
		assert_memory_equal(packet + 12, wanted + 12, 14);
		assert_memory_equal(packet + 26, wanted + 30, 4);
		assert_memory_equal(packet + 30, wanted + 26, 4);
		assert_memory_equal(packet + 34, wanted + 36, 2);
		assert_memory_equal(packet + 36, wanted + 34, 2);
		assert_memory_equal(packet + 38, wanted + 38, NUMBERED - 38);
	}
	example_interrupt(echo);
	example_await(echo, "received 100, returned 100");
	example_end(echo, 0);
}

/* Packets that are not for it, or that nobody may answer: each has one byte changed. */
static void echo_leaves_the_rest(void **state)
{
	static const struct {
		unsigned int at;
		unsigned char byte;
	} changes[] = {
		{ 0, 0xff },		/* to many */
		{ 12, 0x86 },		/* another protocol than IPv4, */
		{ 13, 0x06 },		/* ARP */
		{ 14, 0x65 },		/* version 6 */
		{ 14, 0x44 },		/* a header shorter than it can be */
		{ 14, 0x4f },		/* or longer than the packet */
		{ 20, 0x20 },		/* more fragments */
		{ 20, 0x1f },		/* a fragment that has no ports */
		{ 21, 1 },
		{ 23, 6 },		/* TCP */
	};
	int fd = open_socket("lab1", ETH_P_ALL);
	unsigned char packet[2048];
	struct example *echo = &examples[0];

	(void)state;
	start(echo, "echo", "lab0");
	example_await_ready(echo, 1);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		make_numbered(packet, i);
		packet[changes[i].at] = changes[i].byte;
		assert_int_equal(send(lab.peer, packet, NUMBERED, 0), NUMBERED);
	}
	make_numbered(packet, 0);
	assert_int_equal(send(lab.peer, packet, 41, 0), 41);
	send_numbered(100, 101);
	assert_int_equal(recv(fd, packet, sizeof(packet), 0), NUMBERED);
	assert_int_equal(packet[42], 100);
	example_interrupt(echo);
	example_await(echo, "received 12, returned 1");
	example_end(echo, 0);
}

static void expect_numbered(int fd, uint64_t from, uint64_t to)
{
	unsigned char packet[2048], wanted[NUMBERED];

	for (; from < to; from++) {
		make_numbered(wanted, from);
		assert_int_equal(recv(fd, packet, sizeof(packet), 0), NUMBERED);
		assert_memory_equal(packet, wanted, NUMBERED);
	}
}

static void forward_passes_both_ways(void **state)
{
	struct example *forward = &examples[0];
	int near, far;

	(void)state;
	make_second_pair(2);
	near = open_socket("lab1", ETH_P_IP);
	far = open_socket("lab3", ETH_P_IP);
	start(forward, "forward", "lab0", "lab2");
	example_await_ready(forward, 2);
	for (uint64_t i = 0; i < 6000; i += 50) {
		send_numbered_by(near, i, i + 50);
		expect_numbered(far, i, i + 50);
		send_numbered_by(far, i, i + 20);
		expect_numbered(near, i, i + 20);
	}
	example_interrupt(forward);
	example_await(forward, "lab0: received 6000, sent 2400");
	example_await(forward, "lab2: received 2400, sent 6000");
	example_end(forward, 0);
}

/* A queue without a counterpart would swallow packets. */
static void forward_wants_pairs(void **state)
{
	struct example *forward = &examples[0];

	(void)state;
	make_second_pair(1);
	start(forward, "forward", "lab0", "lab2");
	example_await(forward, "forward: lab0: queues: it has more than the other; ");
	example_end(forward, 1);
	start(forward, "forward", "lab2", "lab0");
	example_await(forward, "forward: lab0: ");
	example_end(forward, 1);
}

/* On each of the two queues. */
static void send_to_queues(unsigned int first, unsigned int second)
{
	static struct node senders[2];
	unsigned char packet[NUMBERED];

	lab_enter(&lab, 1);
	for (unsigned int queue = 0; queue < 2; queue++) {
		node_open(&senders[queue], &(struct node_opts){ .ifname = "lab1", .queue = queue,
								.tx = true });
		for (uint64_t i = 0; i < (queue ? second : first); i++) {
			make_numbered(packet, i);
			node_send(&senders[queue], packet, sizeof(packet));
		}
		node_close(&senders[queue]);
	}
	lab_enter(&lab, 0);
}

static void threads_see_each_queue(void **state)
{
	struct example *threads = &examples[0];

	(void)state;
	start(threads, "threads", "lab0");
	example_await_ready(threads, 1);
	send_to_queues(30, 20);
	example_await(threads, "received 50, 3000 bytes");
	example_interrupt(threads);
	example_await(threads, "queue 0: received 30, 1800 bytes");
	example_await(threads, "queue 1: received 20, 1200 bytes");
	example_end(threads, 0);
}

static void epoll_sees_each_queue(void **state)
{
	struct example *epoll = &examples[0];

	(void)state;
	start(epoll, "epoll", "lab0");
	example_await_ready(epoll, 1);
	send_to_queues(30, 20);
	example_await_sum(epoll, 50);
	example_interrupt(epoll);
	example_await(epoll, "packets/s, received 50");
	example_end(epoll, 0);
}

/* ---- dns ---- */

/* Asks for a name, of that type, with more behind the question: as many bytes. */
static size_t make_query(unsigned char *query, uint16_t id, const char *name, int type,
			 size_t more)
{
	const unsigned char head[12] = { id >> 8 & 0xff, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0,
					 more ? 1 : 0 };
	size_t len = sizeof(head) + strlen(name);

	memcpy(query, head, sizeof(head));
	memcpy(query + sizeof(head), name, strlen(name));
	memset(query + len, 0, 5 + more);
	query[len + 2] = type & 0xff;
	query[len + 4] = 1;
	return len + 5 + more;
}

/* The answer is one of the query: with the address, or that there is none. */
static void resolve(int client, uint16_t id, const char *name, int type, size_t more)
{
	static const unsigned char address[16] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4,
						   192, 0, 2, 99 };
	unsigned char query[512], answer[512];
	size_t len = make_query(query, id, name, type, more);
	size_t end = len - more;

	assert_int_equal(send(client, query, len, 0), len);
	assert_int_equal(recv(client, answer, sizeof(answer), 0), end + (type == 1 ? 16 : 0));
	assert_memory_equal(answer, query, 2);
	assert_memory_equal(answer + 2, "\x85\0\0\1\0", 5);
	assert_int_equal(answer[7], type == 1);
	assert_memory_equal(answer + 8, "\0\0\0\0", 4);
	assert_memory_equal(answer + 12, query + 12, end - 12);
	if (type == 1)
		assert_memory_equal(answer + end, address, sizeof(address));
}

/* What is no query gets no answer, and does no harm. */
static void send_nonsense(int client)
{
	unsigned char query[512];
	size_t len = make_query(query, 1, "\3net", 1, 0);

	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(send(client, query, cut, 0), cut);
	query[2] |= 0x80;		/* an answer */
	assert_int_equal(send(client, query, len, 0), len);
	make_query(query, 2, "\3net", 1, 0);
	query[12] = 0xff;		/* a name that does not end */
	assert_int_equal(send(client, query, len, 0), len);
	make_query(query, 3, "\3net", 1, 0);
	query[5] = 2;			/* two questions */
	assert_int_equal(send(client, query, len, 0), len);
}

static void dns_answers(void **state)
{
	struct example *dns = &examples[0];
	struct hosts_tcp tcp;
	int client;

	(void)state;
	hosts_set_up(&lab);
	client = sockets[0] = hosts_udp(&lab, 1, AF_INET, 4000, 53);
	hosts_connect(&tcp, &lab, AF_INET, 53);
	start(dns, "dns", "lab0", "192.0.2.99");
	example_await(dns, "dns: lab0: 2 queue(s)");
	for (uint16_t i = 0; i < 30; i++) {
		hosts_forget(&lab);
		resolve(client, i, "\3www\7example\3org", 1, 0);
		hosts_exchange(&tcp, 10000);
		resolve(client, i, "\3www\7example\3org", 28, 11);
		hosts_ping(&lab, i % 2, AF_INET, 100);
		resolve(client, i, "", 1, 11);
		hosts_ping(&lab, i % 2, AF_INET6, 100);
		send_nonsense(client);
	}
	hosts_disconnect(&tcp);
	example_kill(dns);
	hosts_clear(&lab);
	lab_assert_prog(&lab, 0, false);
}

static void dns_says_that_it_ends(void **state)
{
	struct example *dns = &examples[0];

	(void)state;
	start(dns, "dns", "lab0", "192.0.2");
	example_await(dns, "dns: usage: ");
	example_end(dns, 2);
	make_second_pair(1);
	start(dns, "dns", "lab2", "192.0.2.99");
	example_await(dns, "dns: lab2: 1 queue(s)");
	lab_run("ip link delete lab2");
	example_await(dns, "dns: lab2: interface: lab2 is gone");
	example_end(dns, 1);
}

/* ---- all of them ---- */

static void signals_and_seconds_end_them(void **state)
{
	struct example *example = &examples[0];

	(void)state;
	make_second_pair(2);
	for (const char *const *name = receivers; *name; name++) {
		start(example, (char *)*name, "lab0");
		example_await_ready(example, 1);
		assert_int_equal(kill(example->pid, SIGTERM), 0);
		example_await(example, "received 0");
		example_end(example, 0);
	}
	start(example, "receive", "lab0", "1");
	example_await(example, "received 0");
	example_end(example, 0);
	start(example, "echo", "lab0", "1");
	example_await(example, "received 0");
	example_end(example, 0);
	start(example, "forward", "lab0", "lab2", "1");
	example_await(example, "lab0: received 0");
	example_end(example, 0);
	start(example, "send", "lab0", "1");
	example_await(example, "sent ");
	assert_true(example_number(example, "sent ") > 0);
	example_end(example, 0);
}

/* They say so, and fail. */
static void interfaces_that_go(void **state)
{
	struct example *example = &examples[0];

	(void)state;
	for (const char *const *name = receivers; *name; name++) {
		make_second_pair(2);
		start(example, (char *)*name, "lab2");
		example_await_ready(example, 1);
		lab_run("ip link delete lab2");
		example_await(example, ": lab2: interface: lab2 is gone");
		example_end(example, 1);
	}
	make_second_pair(2);
	start(example, "forward", "lab0", "lab2");
	example_await_ready(example, 2);
	lab_run("ip link delete lab2");
	example_await(example, "forward: between them: interface: lab2 is gone");
	example_end(example, 1);
	make_second_pair(2);
	start(example, "send", "lab2");
	example_await(example, "packets/s");
	lab_run("ip link delete lab2");
	example_await(example, "send: lab2: ");	/* it is down before it is gone */
	example_end(example, 1);
}

static void what_cannot_be(void **state)
{
	static const char *const all[] = { "receive", "send", "echo", "epoll", "threads",
					   "forward", "dns" };
	struct example *example = &examples[0];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char wanted[64];

		start(example, (char *)all[i]);
		example_await(example, ": usage: ");
		example_end(example, 2);
		snprintf(wanted, sizeof(wanted), "%s: nosuch: interface: ", all[i]);
		if (!strcmp(all[i], "forward"))
			start(example, (char *)all[i], "lab0", "nosuch");
		else if (!strcmp(all[i], "dns"))
			start(example, (char *)all[i], "nosuch", "192.0.2.9");
		else
			start(example, (char *)all[i], "nosuch");
		example_await(example, wanted);
		assert_non_null(strstr(example->line, "; "));
		example_end(example, 1);
	}
}

/* Who wants to learn from them reads the whole. */
static void they_are_short(void **state)
{
	int count_of_them = 0;

	(void)state;
	for (char **source = sources; *source; source++, count_of_them++) {
		FILE *file = fopen(*source, "re");
		int lines = 0, c;

		assert_non_null(file);
		while ((c = fgetc(file)) != EOF)
			lines += c == '\n';
		fclose(file);
		if (lines > MAX_LINES)
			fail_msg("%s has %d lines", *source, lines);
	}
	assert_int_equal(count_of_them, 7);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(receive_counts),
		CASE(send_is_numbered_udp),
		CASE(send_meets_receive),
		CASE(echo_answers),
		CASE(echo_leaves_the_rest),
		CASE(forward_passes_both_ways),
		CASE(forward_wants_pairs),
		CASE(threads_see_each_queue),
		CASE(epoll_sees_each_queue),
		CASE(dns_answers),
		CASE(dns_says_that_it_ends),
		CASE(signals_and_seconds_end_them),
		CASE(interfaces_that_go),
		CASE(what_cannot_be),
		CASE(they_are_short),
	};

	(void)argc;
	sources = argv + 1;
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
