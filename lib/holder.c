/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "holder.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "netlink.h"

/* ---- one socket ---- */

/* Kernels may append to a struct. */
static int parse_struct(const struct nlattr *attr, void *ret, size_t size)
{
	if (mnl_attr_get_payload_len(attr) < size)
		return MNL_CB_ERROR;
	memcpy(ret, mnl_attr_get_payload(attr), size);
	return MNL_CB_OK;
}

static int parse_ring(const struct nlattr *attr, uint32_t *ret)
{
	struct xdp_diag_ring ring;

	if (parse_struct(attr, &ring, sizeof(ring)) == MNL_CB_ERROR)
		return MNL_CB_ERROR;
	*ret = ring.entries;
	return MNL_CB_OK;
}

static int parse_info(const struct nlattr *attr, struct xsk_holder_socket *socket)
{
	struct xdp_diag_info info;

	if (parse_struct(attr, &info, sizeof(info)) == MNL_CB_ERROR)
		return MNL_CB_ERROR;
	socket->ifindex = info.ifindex;
	socket->queue = info.queue_id;
	return MNL_CB_OK;
}

static int parse_attribute(const struct nlattr *attr, void *data)
{
	struct xsk_holder_socket *socket = data;

	switch (mnl_attr_get_type(attr)) {
	case XDP_DIAG_INFO:
		return parse_info(attr, socket);
	case XDP_DIAG_UID:
		socket->uid_told = true;
		return parse_struct(attr, &socket->uid, sizeof(socket->uid));
	case XDP_DIAG_RX_RING:
		return parse_ring(attr, &socket->rx_size);
	case XDP_DIAG_TX_RING:
		return parse_ring(attr, &socket->tx_size);
	case XDP_DIAG_UMEM:
		return parse_struct(attr, &socket->umem, sizeof(socket->umem));
	case XDP_DIAG_UMEM_FILL_RING:
		return parse_ring(attr, &socket->fill_size);
	case XDP_DIAG_UMEM_COMPLETION_RING:
		return parse_ring(attr, &socket->comp_size);
	case XDP_DIAG_STATS:
		socket->stats_told = true;
		return parse_struct(attr, &socket->stats, sizeof(socket->stats));
	}
	return MNL_CB_OK;
}

int xsk_holder_parse(struct xsk_holder_socket *ret, const struct nlmsghdr *answer)
{
	const struct xdp_diag_msg *message = mnl_nlmsg_get_payload(answer);
	struct xsk_holder_socket socket;

	/* Its padding, too: it is compared as a whole. */
	memset(&socket, 0, sizeof(socket));
	if (answer->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    answer->nlmsg_len < MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(*message)) ||
	    mnl_attr_parse(answer, sizeof(*message), parse_attribute, &socket) < MNL_CB_STOP)
		return -EPROTO;
	socket.inode = message->xdiag_ino;
	memcpy(ret, &socket, sizeof(*ret));
	return 0;
}

/* ---- all of them ---- */

static int ask(uint32_t show, mnl_cb_t each, void *data)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct xdp_diag_req *which;

	request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	which = mnl_nlmsg_put_extra_header(request, sizeof(*which));
	which->sdiag_family = AF_XDP;
	which->xdiag_show = show;
	return xsk_netlink_ask(NETLINK_SOCK_DIAG, request, each, data);
}

struct list {
	struct xsk_holder_socket *at;
	int count;
	uint32_t ifindex;
	bool no_memory;
};

static int add_socket(const struct nlmsghdr *answer, void *data)
{
	struct xsk_holder_socket socket, *more;
	struct list *list = data;

	if (xsk_holder_parse(&socket, answer))
		return MNL_CB_ERROR;
	if (socket.ifindex != list->ifindex)
		return MNL_CB_OK;
	more = reallocarray(list->at, (size_t)list->count + 1, sizeof(*more));
	if (!more) {
		list->no_memory = true;
		return MNL_CB_ERROR;
	}
	list->at = more;
	list->at[list->count++] = socket;
	return MNL_CB_OK;
}

int xsk_holder_sockets(struct xsk_holder_socket **ret, int ifindex)
{
	struct list list = { .ifindex = (uint32_t)ifindex };
	int err;

	err = ask(XDP_SHOW_INFO | XDP_SHOW_RING_CFG | XDP_SHOW_UMEM | XDP_SHOW_STATS, add_socket,
		  &list);
	if (err) {
		free(list.at);
		return list.no_memory ? -ENOMEM : err;
	}
	*ret = list.at;
	return list.count;
}

/* ---- that of a queue ---- */

/* What is looked for, and the inode of the socket that has it; 0: none yet. */
struct query {
	uint32_t ifindex;
	uint32_t queue;
	uint32_t inode;
};

static int take_socket(const struct nlmsghdr *answer, void *data)
{
	struct xsk_holder_socket socket;
	struct query *query = data;

	if (xsk_holder_parse(&socket, answer))
		return MNL_CB_ERROR;
	if (socket.ifindex == query->ifindex && socket.queue == query->queue)
		query->inode = socket.inode;
	return query->inode ? MNL_CB_STOP : MNL_CB_OK;
}

int xsk_holder_find(struct xsk_holder *ret, int ifindex, uint32_t queue)
{
	struct query query = { .ifindex = (uint32_t)ifindex, .queue = queue };
	struct xsk_holder holder;
	int err;

	/* An interface that is gone would match sockets that are bound to none. */
	if (ifindex <= 0)
		return -ENOENT;
	err = ask(XDP_SHOW_INFO, take_socket, &query);
	if (err)
		return err;
	if (!query.inode)
		return -ENOENT;
	err = xsk_process_of_socket(&holder.pid, holder.name, query.inode);
	if (err)
		return err;
	*ret = holder;
	return 0;
}
