/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "netlink.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

/* A link with all its attributes takes some 2 KiB; leave room for later ones. */
#define ANSWER_SIZE 16384

static int receive(struct mnl_socket *sock, uint32_t seq, uint32_t port, mnl_cb_t each,
		   void *data)
{
	uint8_t answer[ANSWER_SIZE] __attribute__((aligned(8)));
	int more = MNL_CB_OK;

	while (more > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(sock, answer, sizeof(answer));

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		errno = EPROTO;		/* unless the answer says which error */
		more = mnl_cb_run(answer, (size_t)len, seq, port, each, data);
	}
	return more < 0 ? -errno : 0;
}

int xsk_netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t each, void *data)
{
	struct mnl_socket *sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int err;

	if (!sock)
		return -errno;

	request->nlmsg_seq = 1;
	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(sock, request, request->nlmsg_len) < 0)
		err = -errno;
	else
		err = receive(sock, 1, mnl_socket_get_portid(sock), each, data);
	mnl_socket_close(sock);
	return err;
}
