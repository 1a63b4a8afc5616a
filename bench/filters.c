/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What a filter takes of the CPU's time per packet.
 *
 *     filters TURNS RUNS SLICES
 *
 * TURNS times: each case's program is run RUNS times on each of its packets by the kernel
 * (BPF_PROG_TEST_RUN), right behind a program that only returns XDP_PASS; and the classic
 * program of the same expression, as a socket's filter (SO_ATTACH_FILTER), SLICES times on
 * 640 datagrams, in turn with one that only returns. Prints lines of case, packet, who (xdp
 * or classic) and the difference in nanoseconds; and for "empty" what those with nothing to
 * do take.
 *
 * It is the CPU time of this thread, which others that want the CPU take little from.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <err.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_xdp.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "expression.h"
#include "filter.h"
#include "keep.h"
#include "load.h"
#include "prog.h"
#include <xsk/filter.h>

#define PACKET_SIZE 64
#define AT_ONCE 64
#define SLICE (10 * AT_ONCE)
#define PORTS 500
#define PORTS_TEXT (16 * 1024)

/* An IPv4 packet, or with protocol 0 one of ARP. */
struct packet {
	const char *name;	/* NULL: the end */
	uint8_t protocol;
	uint16_t source;
	uint16_t destination;
};

#define MAX_PACKETS 4

struct test {
	const char *name;
	const char *expression;	/* NULL: no filter */
	bool management;	/* kept */
	bool counts;
	bool classic;		/* its filter is measured as a socket's, too */
	struct packet packets[MAX_PACKETS];
};

#define UDP_53 "udp port 53"
#define TEN_TERMS "arp or icmp or udp port 53 or udp port 123 or tcp port 22 or tcp port 80 or " \
		  "tcp port 443 or net 192.168.0.0/16 or host 10.9.9.9 or sctp port 9"

#define DNS_PACKETS { { "first", IPPROTO_UDP, 53, 9999 }, { "last", IPPROTO_UDP, 9999, 53 }, \
		      { "none", IPPROTO_UDP, 9998, 9999 } }
#define TEN_PACKETS { { .name = "first" }, { "last", IPPROTO_SCTP, 9999, 9 }, \
		      { "none", IPPROTO_UDP, 9998, 9999 } }
/* Of what is kept ARP is the first, and TCP's port the last. */
#define KEEP_PACKETS { { .name = "kept-first" }, { "kept-last", IPPROTO_TCP, 9999, 22 }, \
		       { "not-kept", IPPROTO_UDP, 9999, 53 } }
#define PORT_PACKETS { { "first", IPPROTO_UDP, 9, 1000 }, \
		       { "last", IPPROTO_UDP, 9, 1000 + 7 * (PORTS - 1) }, \
		       { "none", IPPROTO_UDP, 9, 9999 } }

static char ports_text[PORTS_TEXT];

static const struct test tests[] = {
	{ .name = "all", .packets = { { "match", IPPROTO_UDP, 9999, 53 } } },
	{ .name = "all-counts", .counts = true, .packets = { { "match", IPPROTO_UDP, 9999, 53 } } },
	{ .name = "udp53", .expression = UDP_53, .classic = true, .packets = DNS_PACKETS },
	{ .name = "udp53-counts", .expression = UDP_53, .counts = true, .packets = DNS_PACKETS },
	{ .name = "ten", .expression = TEN_TERMS, .classic = true, .packets = TEN_PACKETS },
	{ .name = "keep", .management = true, .packets = KEEP_PACKETS },
	{ .name = "keep-udp53", .expression = UDP_53, .management = true, .packets = KEEP_PACKETS },
	{ .name = "ports", .expression = ports_text, .classic = true, .packets = PORT_PACKETS },
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

/* Of one test: what was made of it. */
struct made {
	int prog_fd;
	struct sock_fprog classic;
};

static int map_fd, counters_fd;
static int empty_fd;

/* ---- packets ---- */

static void put_16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void fill_packet(uint8_t bytes[PACKET_SIZE], const struct packet *packet)
{
	static const uint8_t addresses[] = { 10, 0, 0, 1, 10, 0, 0, 2 };

	memset(bytes, 0, PACKET_SIZE);
	put_16(&bytes[12], packet->protocol ? ETH_P_IP : ETH_P_ARP);
	if (!packet->protocol) {
		put_16(&bytes[14], ARPHRD_ETHER);
		return;
	}
	bytes[14] = 0x45;
	put_16(&bytes[16], PACKET_SIZE - ETH_HLEN);
	bytes[22] = 64;
	bytes[23] = packet->protocol;
	memcpy(&bytes[26], addresses, sizeof(addresses));
	put_16(&bytes[34], packet->source);
	put_16(&bytes[36], packet->destination);
}

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* ---- the program of a port ---- */

static void check(int result, const struct xsk_error *error)
{
	if (result < 0)
		errx(1, "%s: %s; %s", error->step, error->reason, error->hint);
}

/* A socket for the packets' queue: so that what matches is looked up and found. */
static void open_maps(void)
{
	uint32_t entries = 64;
	struct xsk_error error;
	int fd = socket(AF_XDP, SOCK_RAW, 0);

	if (fd < 0 || setsockopt(fd, SOL_XDP, XDP_RX_RING, &entries, sizeof(entries)))
		err(1, "AF_XDP socket");
	map_fd = xsk_load_map(1, &error);
	check(map_fd, &error);
	counters_fd = xsk_load_counters(&error);
	check(counters_fd, &error);
	check(xsk_prog_set_socket(map_fd, 0, fd, true, &error), &error);
}

static int load_empty(void)
{
	const struct bpf_insn insns[] = { xsk_insn_mov_imm(BPF_REG_0, XDP_PASS), xsk_insn_exit() };
	const struct xsk_code code = { .insns = insns, .count = 2 };
	struct xsk_error error;
	int fd = xsk_load_code(&code, map_fd, counters_fd, &error);

	check(fd, &error);
	return fd;
}

static int load_test(const struct test *test)
{
	const struct xsk_keep keep = { .arp = true, .dhcp = true, .icmp = true, .ssh = true };
	struct xsk_filter *filter = NULL;
	struct xsk_error error;
	struct xsk_code code;
	int fd;

	if (test->expression)
		check(xsk_filter_compile(&filter, test->expression, &error), &error);
	check(xsk_filter_code(&code, filter, test->management ? &keep : NULL, test->counts,
			      &error), &error);
	fd = xsk_load_code(&code, map_fd, counters_fd, &error);
	check(fd, &error);
	xsk_filter_code_free(&code);
	xsk_filter_free(filter);
	return fd;
}

static double run_program(int fd, const uint8_t *packet, int runs)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = PACKET_SIZE,
		    .repeat = runs);
	double start = cpu_ns();
	int code = bpf_prog_test_run_opts(fd, &opts);

	if (code)
		errx(1, "BPF_PROG_TEST_RUN: %s", strerror(-code));
	return (cpu_ns() - start) / runs;
}

/* ---- the filter of a socket ---- */

/*
 * All its returns are made "no match": so the kernel drops the datagram behind the filter, and
 * what it does with those that match is not in it.
 */
static struct sock_fprog make_classic(const char *expression)
{
	struct sock_filter *insns;
	struct xsk_error error;
	uint32_t count;

	check(xsk_expression_compile(&insns, &count, expression, &error), &error);
	for (uint32_t i = 0; i < count; i++)
		if (BPF_CLASS(insns[i].code) == BPF_RET)
			insns[i] = (struct sock_filter){ .code = BPF_RET | BPF_K };
	return (struct sock_fprog){ .len = (unsigned short)count, .filter = insns };
}

static void open_pair(int pair[2], const struct sock_fprog *classic)
{
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) ||
	    setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, classic, sizeof(*classic)))
		err(1, "SO_ATTACH_FILTER");
}

static double send_slice(int fd, const uint8_t *packet)
{
	struct iovec part = { .iov_base = (void *)packet, .iov_len = PACKET_SIZE };
	struct mmsghdr messages[AT_ONCE] = { 0 };
	double start;

	for (int i = 0; i < AT_ONCE; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &part, .msg_iovlen = 1 };
	start = cpu_ns();
	for (int sent = 0; sent < SLICE; sent += AT_ONCE)
		if (sendmmsg(fd, messages, AT_ONCE, 0) != AT_ONCE)
			err(1, "sendmmsg");
	return (cpu_ns() - start) / SLICE;
}

static int compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

/*
 * Sets the medians of what an empty filter takes, and of what this one takes more. The two
 * have their slices in turn, since what is around a filter takes much more than itself.
 */
static void send_through(const struct sock_fprog *classic, const uint8_t *packet, int slices,
			 double *idle, double *more)
{
	struct sock_filter nothing = { .code = BPF_RET | BPF_K };
	const struct sock_fprog empty = { .len = 1, .filter = &nothing };
	double *idles = calloc((size_t)slices, sizeof(double));
	double *mores = calloc((size_t)slices, sizeof(double));
	int pair[2], empty_pair[2];

	if (!idles || !mores)
		err(1, "memory");
	open_pair(pair, classic);
	open_pair(empty_pair, &empty);
	for (int i = 0; i < slices; i++) {
		idles[i] = send_slice(empty_pair[0], packet);
		mores[i] = send_slice(pair[0], packet) - idles[i];
	}
	qsort(idles, (size_t)slices, sizeof(double), compare);
	qsort(mores, (size_t)slices, sizeof(double), compare);
	*idle = idles[slices / 2];
	*more = mores[slices / 2];
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(empty_pair[i]);
	}
	free(idles);
	free(mores);
}

/* ---- all of it ---- */

static void measure(const struct test *test, const struct made *made, int runs, int slices)
{
	uint8_t bytes[PACKET_SIZE];
	double idle, more;

	for (const struct packet *packet = test->packets; packet->name; packet++) {
		fill_packet(bytes, packet);
		idle = run_program(empty_fd, bytes, runs);
		more = run_program(made->prog_fd, bytes, runs) - idle;
		printf("empty run xdp %.3f\n", idle);
		printf("%s %s xdp %.3f\n", test->name, packet->name, more);
		if (!test->classic)
			continue;
		send_through(&made->classic, bytes, slices, &idle, &more);
		printf("empty run classic %.3f\n", idle);
		printf("%s %s classic %.3f\n", test->name, packet->name, more);
	}
}

static void write_ports(void)
{
	size_t len = (size_t)snprintf(ports_text, PORTS_TEXT, "udp dst port (1000");

	for (int i = 1; i < PORTS; i++)
		len += (size_t)snprintf(ports_text + len, PORTS_TEXT - len, " or %d", 1000 + 7 * i);
	snprintf(ports_text + len, PORTS_TEXT - len, ")");
}

static int parse(const char *text)
{
	int number = atoi(text);

	if (number < 1)
		errx(2, "'%s' is not a number that fits", text);
	return number;
}

int main(int argc, char **argv)
{
	struct made made[TESTS] = { 0 };
	int turns, runs, slices;

	if (argc != 4)
		errx(2, "usage: filters TURNS RUNS SLICES");
	turns = parse(argv[1]);
	runs = parse(argv[2]);
	slices = parse(argv[3]);
	write_ports();
	open_maps();
	empty_fd = load_empty();
	for (size_t i = 0; i < TESTS; i++) {
		made[i].prog_fd = load_test(&tests[i]);
		if (tests[i].classic)
			made[i].classic = make_classic(tests[i].expression);
	}
	while (turns--)
		for (size_t i = 0; i < TESTS; i++)
			measure(&tests[i], &made[i], runs, slices);
	for (size_t i = 0; i < TESTS; i++)
		free(made[i].classic.filter);
	return 0;
}
