/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "hosts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "ports.h"

#define PATIENCE_S 5
#define PIECE 8192		/* fits the buffers of a connection */
#define MAGIC 0x6c61623fU

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/* ---- the hosts ---- */

void hosts_set_up(const struct lab *lab)
{
	for (int side = 1; side >= 0; side--) {
		lab_enter(lab, side);
		lab_run("ethtool -K lab%d tx off >/dev/null", side);
		lab_run("ip addr add 192.0.2.%d/24 dev lab%d", side + 1, side);
		lab_run("echo 0 >/proc/sys/net/ipv6/conf/lab%d/disable_ipv6", side);
		lab_run("ip -6 addr add 2001:db8::%d/64 dev lab%d nodad", side + 1, side);
	}
}

void hosts_clear(const struct lab *lab)
{
	for (int side = 1; side >= 0; side--) {
		lab_enter(lab, side);
		lab_run("echo 1 >/proc/sys/net/ipv6/conf/lab%d/disable_ipv6", side);
		lab_run("ip addr flush dev lab%d", side);
		lab_run("ethtool -K lab%d tx on >/dev/null", side);
	}
}

void hosts_forget(const struct lab *lab)
{
	for (int side = 1; side >= 0; side--) {
		lab_enter(lab, side);
		lab_run("ip neigh flush dev lab%d", side);
	}
}

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len;
};

static struct address address_of(int side, int family, uint16_t port)
{
	struct address address = { .any.sa_family = (sa_family_t)family };

	if (family == AF_INET) {
		address.v4.sin_port = htons(port);
		address.v4.sin_addr.s_addr = htonl(0xc0000201 + (uint32_t)side);
		address.len = sizeof(address.v4);
	} else {
		address.v6.sin6_port = htons(port);
		address.v6.sin6_addr.s6_addr[0] = 0x20;
		address.v6.sin6_addr.s6_addr[1] = 0x01;
		address.v6.sin6_addr.s6_addr[2] = 0x0d;
		address.v6.sin6_addr.s6_addr[3] = 0xb8;
		address.v6.sin6_addr.s6_addr[15] = (uint8_t)(side + 1);
		address.len = sizeof(address.v6);
	}
	return address;
}

/* A socket of that side, whose calls end within some seconds. */
static int open_socket(const struct lab *lab, int side, int family, int type, int protocol)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd, on = 1;

	lab_enter(lab, side);
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	lab_enter(lab, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	return fd;
}

static void bind_to(int fd, int side, int family, uint16_t port)
{
	struct address address = address_of(side, family, port);

	assert_int_equal(bind(fd, &address.any, address.len), 0);
}

static int connect_to(int fd, int side, int family, uint16_t port)
{
	struct address address = address_of(side, family, port);

	return connect(fd, &address.any, address.len);
}

int hosts_udp(const struct lab *lab, int side, int family, uint16_t local, uint16_t remote)
{
	int fd = open_socket(lab, side, family, SOCK_DGRAM, 0);

	bind_to(fd, side, family, local);
	assert_int_equal(connect_to(fd, !side, family, remote), 0);
	return fd;
}

/* ---- ICMP ---- */

static uint16_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~(sum + (sum >> 16)));
}

/* The echo may be behind others' messages, of IPv4 with its header in front. */
static void await_echo(int fd, int family, uint8_t reply, const uint8_t *wanted, size_t len)
{
	size_t at = family == AF_INET ? 20 : 0;
	uint8_t bytes[65536];

	for (;;) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

		assert_true(got > 0);
		if ((size_t)got != at + len || bytes[at] != reply)
			continue;
		assert_memory_equal(bytes + at + 4, wanted + 4, len - 4);
		return;
	}
}

void hosts_ping(const struct lab *lab, int from, int family, size_t len)
{
	static uint16_t number;
	bool v4 = family == AF_INET;
	int fd = open_socket(lab, from, family, SOCK_RAW, v4 ? (int)IPPROTO_ICMP :
			     (int)IPPROTO_ICMPV6);
	uint8_t bytes[8192] = { v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST };
	uint16_t sum;

	assert_true(len >= 8 && len <= sizeof(bytes));
	number++;
	memcpy(bytes + 4, &number, sizeof(number));
	for (size_t i = 6; i < len; i++)
		bytes[i] = (uint8_t)(i * 13 + number);
	/* Of IPv6 the kernel makes it. */
	sum = checksum(bytes, len);
	memcpy(bytes + 2, &sum, sizeof(sum));
	assert_int_equal(connect_to(fd, !from, family, 0), 0);
	assert_int_equal(send(fd, bytes, len, 0), len);
	await_echo(fd, family, v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY, bytes, len);
	close(fd);
}

/* ---- TCP ---- */

void hosts_connect(struct hosts_tcp *tcp, const struct lab *lab, int family, uint16_t port)
{
	int listener = open_socket(lab, 0, family, SOCK_STREAM, 0);
	struct timeval patience = { .tv_sec = PATIENCE_S };

	bind_to(listener, 0, family, port);
	assert_int_equal(listen(listener, 1), 0);
	tcp->ends[1] = open_socket(lab, 1, family, SOCK_STREAM, 0);
	assert_int_equal(connect_to(tcp->ends[1], 0, family, port), 0);
	tcp->ends[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(tcp->ends[0] >= 0);
	assert_int_equal(setsockopt(tcp->ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience,
				    sizeof(patience)), 0);
	tcp->done = 0;
	close(listener);
}

static void fill(uint8_t *bytes, size_t count, uint64_t at, int direction)
{
	for (size_t i = 0; i < count; i++, at++)
		bytes[i] = (uint8_t)(at * 131 + (at >> 8) * 7 + (uint64_t)direction * 101);
}

static void pass(const struct hosts_tcp *tcp, int from, size_t count)
{
	uint8_t sent[PIECE], got[PIECE];

	fill(sent, count, tcp->done, from);
	assert_int_equal(send(tcp->ends[from], sent, count, 0), count);
	assert_int_equal(recv(tcp->ends[!from], got, count, MSG_WAITALL), count);
	assert_memory_equal(sent, got, count);
}

void hosts_exchange(struct hosts_tcp *tcp, size_t bytes)
{
	while (bytes) {
		size_t count = bytes < PIECE ? bytes : PIECE;

		pass(tcp, 0, count);
		pass(tcp, 1, count);
		tcp->done += count;
		bytes -= count;
	}
}

/* Without a farewell, so that the port can be used again at once. */
void hosts_disconnect(struct hosts_tcp *tcp)
{
	const struct linger abort = { .l_onoff = 1 };

	for (int i = 0; i < 2; i++) {
		setsockopt(tcp->ends[i], SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
		close(tcp->ends[i]);
	}
}

int hosts_begin_to_connect(const struct lab *lab, int family, uint16_t port)
{
	int fd = open_socket(lab, 1, family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(connect_to(fd, 0, family, port), -1);
	assert_int_equal(errno, EINPROGRESS);
	return fd;
}

/* ---- packets ---- */

static uint8_t *put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *put_ports(uint8_t *at, const struct hosts_packet *packet)
{
	if (packet->protocol == IPPROTO_ICMP || packet->protocol == IPPROTO_ICMPV6) {
		*at = packet->icmp;
		return at + 8;
	}
	put16(put16(at, packet->from), packet->to);
	if (packet->protocol != IPPROTO_TCP)
		return at + 8;
	at[12] = 0x50;
	return at + 20;
}

static uint8_t *put_ipv4(uint8_t *at, const struct hosts_packet *packet, size_t left)
{
	at[0] = (uint8_t)(0x45 + packet->options / 4);
	put16(at + 2, (uint16_t)left);
	put16(at + 6, packet->fragment);
	at[8] = 64;
	at[9] = packet->protocol;
	memcpy(at + 12, "\xc0\0\2\2\xc0\0\2\1", 8);
	memset(at + 20, 1, packet->options);	/* no operation */
	return put_ports(at + 20 + packet->options, packet);
}

/* Of 16 bytes, but the fragment header of 8. */
static uint8_t *put_header(uint8_t *at, const struct hosts_packet *packet, uint8_t type)
{
	if (type == IPPROTO_FRAGMENT) {
		put16(at + 2, packet->fragment);
		return at + 8;
	}
	at[1] = type == IPPROTO_AH ? 2 : 1;
	return at + 16;
}

static uint8_t *put_ipv6(uint8_t *at, const struct hosts_packet *packet, size_t left)
{
	uint8_t *next = at + 6;

	at[0] = 0x60;
	put16(at + 4, (uint16_t)(left - 40));
	at[7] = 255;
	memcpy(at + 8, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
	memcpy(at + 24, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	at += 40;
	for (size_t i = 0; i < sizeof(packet->headers) && packet->headers[i]; i++) {
		*next = packet->headers[i];
		next = at;
		at = put_header(at, packet, packet->headers[i]);
	}
	*next = packet->protocol;
	return put_ports(at, packet);
}

size_t hosts_make(uint8_t bytes[HOSTS_MAX_PACKET], const struct hosts_packet *packet)
{
	size_t len = packet->len ? packet->len : 160;
	const uint32_t end[2] = { MAGIC, packet->number };
	uint8_t *at = bytes + 12;

	assert_true(len <= HOSTS_MAX_PACKET);
	memset(bytes, 0, len);
	memcpy(bytes, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	for (int i = 0; i < 2 && packet->tags[i]; i++)
		at = put16(put16(at, packet->tags[i]), (uint16_t)(100 + i));
	at = put16(at, packet->type);
	if (packet->type == ETH_P_IP)
		at = put_ipv4(at, packet, len - (size_t)(at - bytes));
	else if (packet->type == ETH_P_IPV6)
		at = put_ipv6(at, packet, len - (size_t)(at - bytes));
	assert_true(at + sizeof(end) <= bytes + len);
	memcpy(bytes + len - sizeof(end), end, sizeof(end));
	return len;
}

void hosts_send(const struct lab *lab, const struct hosts_packet *packet)
{
	uint8_t bytes[HOSTS_MAX_PACKET];
	size_t len = hosts_make(bytes, packet);

	assert_int_equal(send(lab->peer, bytes, len, 0), len);
}

void hosts_send_by(struct xsk_queue *queue, const struct hosts_packet *packet)
{
	struct xsk_frame frame;

	assert_int_equal(xsk_alloc(queue, &frame, 1), 1);
	frame.len = (uint32_t)hosts_make(xsk_frame_data(queue, &frame), packet);
	assert_int_equal(xsk_tx(queue, &frame, 1), 1);
	ports_drain(queue);
}

/* ---- where they come to ---- */

struct xsk_filter *hosts_filter(const char *expression)
{
	struct xsk_filter *filter = NULL;
	struct xsk_error error = { 0 };

	if (xsk_filter_compile(&filter, expression, &error))
		fail_msg("%s: %s; %s", expression, error.reason, error.hint);
	return filter;
}

int hosts_stack_open(void)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex("lab0"),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)), on = 1;
	struct timeval patience = { .tv_sec = PATIENCE_S };

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&addr, sizeof(addr)), 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

/* The number of the next of ours, or -1. */
static int64_t next_number(int stack, int flags)
{
	uint8_t bytes[65536];
	uint32_t end[2];
	ssize_t len;

	while ((len = recv(stack, bytes, sizeof(bytes), flags)) >= 0) {
		if (len < (ssize_t)sizeof(end))
			continue;
		memcpy(end, bytes + len - sizeof(end), sizeof(end));
		if (end[0] == MAGIC)
			return end[1];
	}
	assert_int_equal(errno, EAGAIN);
	return -1;
}

/* The kernel takes a tag out of the packet: its end is compared. */
void hosts_stack_expect(int stack, const struct hosts_packet *packet)
{
	assert_int_equal(next_number(stack, 0), packet->number);
}

void hosts_stack_expect_nothing(int stack)
{
	assert_int_equal(next_number(stack, MSG_DONTWAIT), -1);
}

void hosts_queue_expect(struct xsk_queue *queue, const struct hosts_packet *packet)
{
	uint8_t bytes[HOSTS_MAX_PACKET];
	size_t len = hosts_make(bytes, packet);
	struct xsk_frame frame;

	ports_take(queue, &frame, 1);
	assert_int_equal(frame.len, len);
	assert_memory_equal(xsk_frame_data(queue, &frame), bytes, len);
	assert_int_equal(xsk_free(queue, &frame, 1), 1);
}

void hosts_queue_expect_nothing(struct xsk_queue *queue)
{
	struct xsk_frame frame;

	assert_int_equal(xsk_rx(queue, &frame, 1), 0);
}

void hosts_try(const struct lab *lab, struct xsk_queue *queue, int stack,
	       const struct hosts_packet *packet, bool taken)
{
	hosts_send(lab, packet);
	if (taken) {
		hosts_queue_expect(queue, packet);
		hosts_stack_expect_nothing(stack);
	} else {
		hosts_stack_expect(stack, packet);
		hosts_queue_expect_nothing(queue);
	}
}
