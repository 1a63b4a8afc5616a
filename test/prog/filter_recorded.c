/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What two hosts say to each other over a veth pair: ARP and neighbour discovery, ping,
 * UDP, with fragments and options too, a connection of TCP, and what is sent to all.
 */
#include "filter_packets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Enough for what is sent here, with all that the stacks add. */
#define MAX_RECORDED 400

struct hosts {
	int home;
	int ns[2];
	int recorder;
};

static void enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

static void run(const char *command)
{
	if (system(command))
		fail_msg("failed: %s", command);
}

static int this_ns(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void pause_ms(long ms)
{
	const struct timespec time = { .tv_nsec = ms * 1000000 };

	nanosleep(&time, NULL);
}

static int open_recorder(void)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
	int size = 4 << 20;

	addr.sll_ifindex = (int)if_nametoindex("rec0");
	assert_true(fd >= 0 && addr.sll_ifindex > 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void open_hosts(struct hosts *hosts)
{
	char command[128];

	hosts->home = this_ns();
	for (int i = 1; i >= 0; i--) {
		assert_int_equal(unshare(CLONE_NEWNET), 0);
		hosts->ns[i] = this_ns();
	}
	/* The name of that namespace is the descriptor, by which a child knows it too. */
	assert_int_equal(fcntl(hosts->ns[1], F_SETFD, 0), 0);
	run("ip link add rec0 type veth peer name rec1");
	snprintf(command, sizeof(command), "ip link set rec1 netns /proc/self/fd/%d",
		 hosts->ns[1]);
	run(command);
	run("ip addr add 10.0.0.1/24 dev rec0; ip addr add 2001:db8::1/64 dev rec0 nodad;"
	    "ip link set lo up; ip link set rec0 up");
	hosts->recorder = open_recorder();
	enter(hosts->ns[1]);
	run("ip addr add 10.0.0.2/24 dev rec1; ip addr add 2001:db8::2/64 dev rec1 nodad;"
	    "ip link set lo up; ip link set rec1 up");
	enter(hosts->ns[0]);
}

static void close_hosts(struct hosts *hosts)
{
	enter(hosts->home);
	close(hosts->recorder);
	close(hosts->ns[0]);
	close(hosts->ns[1]);
	close(hosts->home);
}

/* ---- what is said ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address_of(union address *addr, const char *host, uint16_t port)
{
	memset(addr, 0, sizeof(*addr));
	if (strchr(host, ':')) {
		addr->v6.sin6_family = AF_INET6;
		addr->v6.sin6_port = htons(port);
		addr->v6.sin6_scope_id = if_nametoindex("rec0");
		assert_int_equal(inet_pton(AF_INET6, host, &addr->v6.sin6_addr), 1);
		return sizeof(addr->v6);
	}
	addr->v4.sin_family = AF_INET;
	addr->v4.sin_port = htons(port);
	assert_int_equal(inet_pton(AF_INET, host, &addr->v4.sin_addr), 1);
	return sizeof(addr->v4);
}

static void say_udp(const char *host, uint16_t from, uint16_t to, size_t len)
{
	static const uint8_t options[4] = { 0x94, 4, 0, 0 };
	static uint8_t data[4000];
	union address addr;
	socklen_t size = address_of(&addr, strchr(host, ':') ? "::" : "0.0.0.0", from);
	int fd = socket(addr.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "rec0", 5), 0);
	if (len == sizeof(options))
		assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_OPTIONS, options,
					    sizeof(options)), 0);
	assert_int_equal(bind(fd, &addr.any, size), 0);
	size = address_of(&addr, host, to);
	assert_int_equal(sendto(fd, data, len, 0, &addr.any, size), len);
	close(fd);
}

static void say_tcp(const struct hosts *hosts, const char *host, uint16_t port)
{
	union address addr;
	socklen_t size = address_of(&addr, host, port);
	char data[3000] = "SSH-2.0-test\r\n";
	int listener, client, server;

	enter(hosts->ns[1]);
	listener = socket(addr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, &addr.any, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	enter(hosts->ns[0]);
	client = socket(addr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, &addr.any, size), 0);
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	assert_int_equal(send(client, data, sizeof(data), 0), sizeof(data));
	assert_true(recv(server, data, sizeof(data), 0) > 0);
	assert_int_equal(send(server, data, 100, 0), 100);
	assert_int_equal(recv(client, data, sizeof(data), 0), 100);
	close(client);
	close(server);
	close(listener);
	/* To where nobody listens now. */
	client = socket(addr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, &addr.any, size), -1);
	close(client);
}

static void say_ping(const char *host)
{
	struct { uint8_t type, code; uint16_t sum, id, seq; char data[56]; } echo = { 0 };
	union address addr;
	socklen_t size = address_of(&addr, host, 0);
	int v6 = addr.any.sa_family == AF_INET6;
	int fd = socket(addr.any.sa_family, SOCK_RAW | SOCK_CLOEXEC,
			v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);

	assert_true(fd >= 0);
	echo.type = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	echo.sum = v6 ? 0 : htons(0xf7ff);
	assert_int_equal(sendto(fd, &echo, sizeof(echo), 0, &addr.any, size), sizeof(echo));
	close(fd);
}

static void say_all(const struct hosts *hosts)
{
	say_ping("10.0.0.2");
	say_ping("2001:db8::2");
	say_ping("ff02::1");
	say_udp("255.255.255.255", 68, 67, 300);
	say_udp("10.0.0.255", 40000, 137, 50);
	say_udp("224.0.0.251", 5353, 5353, 40);
	say_udp("ff02::fb", 5353, 5353, 40);
	for (uint16_t i = 0; i < 5; i++) {
		say_udp("10.0.0.2", 40000 + i, 53, 40);
		say_udp("2001:db8::2", 40000 + i, 53, 40);
	}
	say_udp("10.0.0.2", 40000, 5000, 4);	/* that length has options */
	say_udp("10.0.0.2", 40000, 5000, 4000);
	say_udp("2001:db8::2", 40000, 5000, 4000);
	say_tcp(hosts, "10.0.0.2", 22);
	say_tcp(hosts, "10.0.0.2", 8080);
	say_tcp(hosts, "2001:db8::2", 22);
}

/* ---- what was heard ---- */

static void record(const struct hosts *hosts, struct pool *pool)
{
	static uint8_t data[65536];
	ssize_t len;

	for (int i = 0; i < MAX_RECORDED; i++) {
		struct packet *packet;

		len = recv(hosts->recorder, data, sizeof(data), 0);
		if (len < 14)
			break;
		packet = pool_add(pool);
		packet->len = len < PACKET_MAX ? (uint32_t)len : PACKET_MAX;
		memcpy(packet->bytes, data, packet->len);
	}
}

/* Whether one of them has this type and, at that offset, this byte. */
static void assert_heard(const struct pool *pool, size_t first, uint16_t type, uint32_t offset,
			 uint8_t byte)
{
	for (size_t i = first; i < pool->count; i++) {
		const uint8_t *bytes = pool->packets[i].bytes;

		if ((bytes[12] << 8 | bytes[13]) == type && bytes[offset] == byte)
			return;
	}
	fail_msg("nothing of type 0x%04x with 0x%02x at %u was recorded", type, byte, offset);
}

void packets_recorded(struct pool *pool)
{
	size_t first = pool->count;
	struct hosts hosts;

	open_hosts(&hosts);
	/* The link-local addresses are good when nobody said that they are his. */
	for (int i = 0; i < 20; i++)
		pause_ms(100);
	say_all(&hosts);
	pause_ms(300);
	record(&hosts, pool);
	close_hosts(&hosts);

	assert_heard(pool, first, ETH_P_ARP, 21, 2);
	assert_heard(pool, first, ETH_P_IP, 23, IPPROTO_ICMP);
	assert_heard(pool, first, ETH_P_IP, 23, IPPROTO_TCP);
	assert_heard(pool, first, ETH_P_IP, 14, 0x46);
	assert_heard(pool, first, ETH_P_IP, 20, 0x20);
	assert_heard(pool, first, ETH_P_IPV6, 20, IPPROTO_FRAGMENT);
	assert_heard(pool, first, ETH_P_IPV6, 20, IPPROTO_TCP);
	assert_heard(pool, first, ETH_P_IPV6, 54, ND_NEIGHBOR_ADVERT);
	print_message("# %zu packets were recorded\n", pool->count - first);
}
