/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* A link with all its attributes takes some 2 KiB; leave room for later ones. */
#define ANSWER_SIZE 16384

/* Of every question: the one before it has been answered. */
#define SEQUENCE 1

/* The kernel's own errors go up to here. */
#define MAX_ERRNO 4095

/* What is done with each message, and whether it was what had been asked for. */
struct reader {
	mnl_cb_t each;
	void *data;
	bool refused;
};

static int read_message(const struct nlmsghdr *message, void *data)
{
	struct reader *reader = data;
	int more = reader->each ? reader->each(message, reader->data) : MNL_CB_OK;

	reader->refused = more == MNL_CB_ERROR;
	return more;
}

/* Whole messages and nothing else: libmnl believes what a length says. */
static bool is_whole(const uint8_t *answer, size_t len)
{
	size_t at = 0;

	while (at < len) {
		const struct nlmsghdr *message = (const void *)(answer + at);

		if (len - at < sizeof(*message) || message->nlmsg_len < sizeof(*message) ||
		    message->nlmsg_len > len - at)
			return false;
		at += MNL_ALIGN(message->nlmsg_len);
	}
	return len > 0;
}

/* 0, or -errno: the kernel's, or -EPROTO where it says what no kernel does. */
static int outcome(int more, const struct reader *reader)
{
	if (more >= 0)
		return 0;
	if (reader->refused || errno <= 0 || errno > MAX_ERRNO)
		return -EPROTO;
	return -errno;
}

static int receive(struct mnl_socket *sock, uint32_t port, struct reader *reader)
{
	uint8_t answer[ANSWER_SIZE] __attribute__((aligned(8)));
	int more = MNL_CB_OK;

	while (more > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(sock, answer, sizeof(answer));

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		if (!is_whole(answer, (size_t)len))
			return -EPROTO;
		errno = EPROTO;		/* unless the answer says which error */
		more = mnl_cb_run(answer, (size_t)len, SEQUENCE, port, read_message, reader);
	}
	return outcome(more, reader);
}

int xsk_netlink_open(struct mnl_socket **ret, int bus)
{
	struct mnl_socket *sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int err;

	if (!sock)
		return -errno;
	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		mnl_socket_close(sock);
		return err;
	}
	*ret = sock;
	return 0;
}

int xsk_netlink_ask_on(struct mnl_socket *sock, struct nlmsghdr *request, mnl_cb_t each,
		       void *data)
{
	struct reader reader = { .each = each, .data = data };

	request->nlmsg_seq = SEQUENCE;
	if (mnl_socket_sendto(sock, request, request->nlmsg_len) < 0)
		return -errno;
	return receive(sock, mnl_socket_get_portid(sock), &reader);
}

void xsk_netlink_close(struct mnl_socket *sock)
{
	if (sock)
		mnl_socket_close(sock);
}

int xsk_netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t each, void *data)
{
	struct mnl_socket *sock = NULL;
	int err;

	err = xsk_netlink_open(&sock, bus);
	if (err)
		return err;
	err = xsk_netlink_ask_on(sock, request, each, data);
	xsk_netlink_close(sock);
	return err;
}
