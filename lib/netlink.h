/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Questions to the kernel over netlink, and their answers. */
#ifndef XSK_LIB_NETLINK_H
#define XSK_LIB_NETLINK_H

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdint.h>

/*
 * Sends the request on a socket of its own on the given bus (NETLINK_ROUTE, …)
 * and calls each with every message of the answer and data, until it returns
 * MNL_CB_STOP (the answer is known) or MNL_CB_ERROR (it is not what was asked
 * for: -EPROTO). Returns 0 or -errno, the kernel's error included.
 */
int xsk_netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t each, void *data);

/*
 * The same on a socket that stays open, and in the network namespace that the
 * thread had at open. What is asked on it must have an answer of one message, or be
 * read to its end: each returns MNL_CB_OK to every message of a dump.
 */
int xsk_netlink_open(struct mnl_socket **ret, int bus);
int xsk_netlink_ask_on(struct mnl_socket *sock, struct nlmsghdr *request, mnl_cb_t each,
		       void *data);
/* NULL is legal. */
void xsk_netlink_close(struct mnl_socket *sock);

/* Begins a request of generic netlink in room, to which attributes are added. */
static inline struct nlmsghdr *xsk_netlink_generic(void *room, uint16_t family, uint8_t command)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct genlmsghdr *generic;

	request->nlmsg_type = family;
	request->nlmsg_flags = NLM_F_REQUEST;
	generic = mnl_nlmsg_put_extra_header(request, sizeof(*generic));
	generic->cmd = command;
	generic->version = 1;
	return request;
}

#endif /* XSK_LIB_NETLINK_H */
