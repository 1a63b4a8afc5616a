/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * UDP sockets, as role.h says: sendmmsg() and recvmmsg(), a packet a message. Segmentation
 * offload (UDP_SEGMENT, UDP_GRO) is not used: it would send and receive other packets than
 * the others do. busy is SO_BUSY_POLL of a socket that sleeps.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "role.h"

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif

#define TRIP_MS 200
#define BUSY_US 50
#define SOCKET_BYTES (8 << 20)

struct udp {
	struct role role;
	int fd;
	struct mmsghdr messages[MAX_BURST];
	struct iovec parts[MAX_BURST];
	/* Each message at the place in a packet that it would have in one. */
	uint8_t packets[MAX_BURST][MAX_SIZE];
};

static void set_option(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		err(1, "socket option %d", name);
}

/* Connected, so that the kernel looks for the way once. */
static void open_socket(struct udp *at, uint32_t local, uint32_t remote)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(UDP_PORT),
				    .sin_addr.s_addr = htonl(local) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(UDP_PORT),
				  .sin_addr.s_addr = htonl(remote) };
	struct timeval patience = { .tv_usec = TRIP_MS * 1000 };

	at->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (at->fd < 0)
		err(1, "socket");
	set_option(at->fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BYTES);
	set_option(at->fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BYTES);
	if (at->role.wait == WAIT_BUSY) {
		set_option(at->fd, SOL_SOCKET, SO_BUSY_POLL, BUSY_US);
		set_option(at->fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, 1);
	}
	setsockopt(at->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (bind(at->fd, (struct sockaddr *)&from, sizeof(from)) ||
	    connect(at->fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "bind and connect");
}

static void init_messages(struct udp *at)
{
	for (uint32_t i = 0; i < MAX_BURST; i++) {
		role_write(&at->role, at->packets[i], at->role.size);
		at->parts[i] = (struct iovec){ at->packets[i] + HEADERS, at->role.size - HEADERS };
		at->messages[i].msg_hdr = (struct msghdr){ .msg_iov = &at->parts[i],
							   .msg_iovlen = 1 };
	}
}

static bool is_transient(int code)
{
	return code == EAGAIN || code == EINTR || code == ENOBUFS || code == ECONNREFUSED;
}

/* ---- send and receive ---- */

static void send_packets(struct udp *at)
{
	open_socket(at, NEAR_IP, FAR_IP);
	role_ready(&at->role);
	while (!role_stop) {
		int sent;

		for (uint32_t i = 0; i < at->role.burst; i++)
			role_stamp(&at->role, at->packets[i]);
		sent = sendmmsg(at->fd, at->messages, at->role.burst, 0);
		if (sent < 0 && !is_transient(errno))
			err(1, "sendmmsg");
		if (sent > 0)
			role_count(&at->role, (uint64_t)sent, (uint64_t)sent * at->role.size);
	}
}

static void receive_packets(struct udp *at)
{
	int flags = at->role.wait == WAIT_SPIN ? MSG_DONTWAIT : MSG_WAITFORONE;

	open_socket(at, FAR_IP, NEAR_IP);
	role_ready(&at->role);
	while (!role_stop) {
		int n = recvmmsg(at->fd, at->messages, at->role.burst, flags, NULL);
		uint64_t bytes = 0;

		if (n < 0 && !is_transient(errno))
			err(1, "recvmmsg");
		if (n <= 0)
			continue;
		for (int i = 0; i < n; i++)
			bytes += at->messages[i].msg_len + HEADERS;
		if (role_wants_sample(&at->role, (uint32_t)n))
			role_sample(&at->role, at->packets[0], at->messages[0].msg_len + HEADERS);
		role_count(&at->role, (uint64_t)n, bytes);
	}
}

/* ---- echo and ping, one packet at a time ---- */

static void echo_packets(struct udp *at)
{
	int flags = at->role.wait == WAIT_SPIN ? MSG_DONTWAIT : 0;
	uint8_t *payload = at->packets[0] + HEADERS;

	open_socket(at, FAR_IP, NEAR_IP);
	role_ready(&at->role);
	while (!role_stop) {
		ssize_t len = recv(at->fd, payload, MAX_SIZE - HEADERS, flags);

		if (len < 0 && !is_transient(errno))
			err(1, "recv");
		if (len <= 0)
			continue;
		if (send(at->fd, payload, (size_t)len, 0) == len)
			role_count(&at->role, 1, (uint64_t)len + HEADERS);
	}
}

static bool take_answer(struct udp *at, uint32_t number)
{
	int flags = at->role.wait == WAIT_SPIN ? MSG_DONTWAIT : 0;
	uint8_t *packet = at->packets[1];
	ssize_t len = recv(at->fd, packet + HEADERS, MAX_SIZE - HEADERS, flags);

	if (len < 0 && !is_transient(errno))
		err(1, "recv");
	if (len <= 0)
		return false;
	at->role.counts->sampled++;
	if (role_is_good(&at->role, packet, (uint32_t)len + HEADERS))
		return role_number(packet) == number;
	at->role.counts->bad++;
	return false;
}

static void ping(struct udp *at)
{
	size_t len = at->role.size - HEADERS;

	open_socket(at, NEAR_IP, FAR_IP);
	role_ready(&at->role);
	while (!role_stop) {
		uint32_t number = at->role.next;
		uint64_t start = role_now_ns();
		bool found = false;

		role_stamp(&at->role, at->packets[0]);
		if (send(at->fd, at->packets[0] + HEADERS, len, 0) < 0 && !is_transient(errno))
			err(1, "send");
		while (!found && !role_stop && role_now_ns() - start < TRIP_MS * 1000000ULL)
			found = take_answer(at, number);
		role_trip(&at->role, start, found);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct udp *at);
	} roles[] = {
		{ "send", send_packets }, { "receive", receive_packets },
		{ "echo", echo_packets }, { "ping", ping },
	};
	static struct udp at;

	role_init(&at.role, argc, argv);
	init_messages(&at);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(roles[i].name, at.role.name))
			continue;
		roles[i].run(&at);
		role_end(&at.role);
		close(at.fd);
		return 0;
	}
	errx(2, "no role %s", at.role.name);
}
