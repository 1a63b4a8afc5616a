/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "holder.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/sock_diag.h>
#include <linux/xdp_diag.h>
#include <string.h>

#include "kernel.h"
#include "netlink.h"

static int parse_info(const struct nlattr *attr, void *data)
{
	struct xdp_diag_info *info = data;

	if (mnl_attr_get_type(attr) != XDP_DIAG_INFO)
		return MNL_CB_OK;
	if (mnl_attr_get_payload_len(attr) < sizeof(*info))
		return MNL_CB_ERROR;
	memcpy(info, mnl_attr_get_payload(attr), sizeof(*info));
	return MNL_CB_OK;
}

int xsk_holder_parse(struct xsk_holder_query *query, const struct nlmsghdr *answer)
{
	const struct xdp_diag_msg *socket = mnl_nlmsg_get_payload(answer);
	struct xdp_diag_info info = { 0 };

	if (answer->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    answer->nlmsg_len < MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(*socket)) ||
	    mnl_attr_parse(answer, sizeof(*socket), parse_info, &info) < MNL_CB_STOP)
		return -EPROTO;
	if (info.ifindex == query->ifindex && info.queue_id == query->queue)
		query->inode = socket->xdiag_ino;
	return 0;
}

static int take_socket(const struct nlmsghdr *answer, void *data)
{
	struct xsk_holder_query *query = data;

	if (xsk_holder_parse(query, answer))
		return MNL_CB_ERROR;
	return query->inode ? MNL_CB_STOP : MNL_CB_OK;
}

int xsk_holder_find(struct xsk_holder *ret, int ifindex, uint32_t queue)
{
	struct xsk_holder_query query = { .ifindex = (uint32_t)ifindex, .queue = queue };
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct xsk_holder holder;
	struct xdp_diag_req *which;
	int err;

	/* An interface that is gone would match sockets that are bound to none. */
	if (ifindex <= 0)
		return -ENOENT;
	request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	which = mnl_nlmsg_put_extra_header(request, sizeof(*which));
	which->sdiag_family = AF_XDP;
	which->xdiag_show = XDP_SHOW_INFO;
	err = xsk_netlink_ask(NETLINK_SOCK_DIAG, request, take_socket, &query);
	if (err)
		return err;
	if (!query.inode)
		return -ENOENT;
	err = xsk_sys_socket_owner(&holder.pid, holder.name, query.inode);
	if (err)
		return err;
	*ret = holder;
	return 0;
}
