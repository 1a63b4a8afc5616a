/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "netdev.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>

#include "kernel.h"
#include "netlink.h"

#ifndef RTEXT_FILTER_SKIP_STATS
#define RTEXT_FILTER_SKIP_STATS (1 << 3)
#endif

static int parse_u32(const struct nlattr *attr, uint32_t *ret)
{
	if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return MNL_CB_ERROR;
	*ret = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

/*
 * An interface can have a program in the driver or in the generic path, not in
 * both, and one in the NIC beside it. The kernel's plain PROG_ID is the only
 * one there is, or absent where there are several: then the NIC's runs first,
 * but the one in the driver or the stack is the one that can reach a socket.
 */
static int parse_xdp(const struct nlattr *attr, void *data)
{
	struct xsk_netdev *dev = data;
	uint32_t id;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_XDP_HW_PROG_ID:
		return parse_u32(attr, &dev->hw_prog_id);
	case IFLA_XDP_PROG_ID:
	case IFLA_XDP_DRV_PROG_ID:
	case IFLA_XDP_SKB_PROG_ID:
		if (parse_u32(attr, &id) == MNL_CB_ERROR)
			return MNL_CB_ERROR;
		if (!id)
			break;
		dev->prog_id = id;
		if (mnl_attr_get_type(attr) == IFLA_XDP_DRV_PROG_ID)
			dev->prog_mode = XDP_FLAGS_DRV_MODE;
		if (mnl_attr_get_type(attr) == IFLA_XDP_SKB_PROG_ID)
			dev->prog_mode = XDP_FLAGS_SKB_MODE;
	}
	return MNL_CB_OK;
}

static int parse_link(const struct nlattr *attr, void *data)
{
	struct xsk_netdev *dev = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0 ||
		    mnl_attr_get_payload_len(attr) > sizeof(dev->name))
			return MNL_CB_ERROR;
		strcpy(dev->name, mnl_attr_get_str(attr));
		return MNL_CB_OK;
	case IFLA_NUM_RX_QUEUES:
		return parse_u32(attr, &dev->rx_queues);
	case IFLA_NUM_TX_QUEUES:
		return parse_u32(attr, &dev->tx_queues);
	case IFLA_MTU:
		return parse_u32(attr, &dev->mtu);
	case IFLA_MASTER:
		return parse_u32(attr, &dev->master);
	case IFLA_XDP:
		if (mnl_attr_validate(attr, MNL_TYPE_NESTED) < 0)
			return MNL_CB_ERROR;
		return mnl_attr_parse_nested(attr, parse_xdp, dev);
	}
	return MNL_CB_OK;
}

int xsk_netdev_parse(struct xsk_netdev *ret, const struct nlmsghdr *answer)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(answer);
	struct xsk_netdev dev = { 0 };

	if (answer->nlmsg_type != RTM_NEWLINK ||
	    answer->nlmsg_len < MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(*link)) ||
	    mnl_attr_parse(answer, sizeof(*link), parse_link, &dev) < MNL_CB_STOP)
		return -EPROTO;

	dev.ifindex = link->ifi_index;
	dev.type = link->ifi_type;
	*ret = dev;
	return 0;
}

static int take_answer(const struct nlmsghdr *answer, void *data)
{
	return xsk_netdev_parse(data, answer) ? MNL_CB_ERROR : MNL_CB_STOP;
}

int xsk_netdev_get(struct xsk_netdev *ret, int ifindex)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct xsk_netdev dev = { 0 };
	struct ifinfomsg *link;
	int err;

	if (ifindex <= 0)
		return -ENODEV;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST;
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = ifindex;
	mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);

	err = xsk_netlink_ask(NETLINK_ROUTE, request, take_answer, &dev);
	if (err)
		return err;
	/* An acknowledgement alone is no answer. */
	if (dev.ifindex != ifindex)
		return -EPROTO;
	*ret = dev;
	return 0;
}

int xsk_netdev_set_xdp(int ifindex, int prog_fd, int expected_fd, uint32_t flags)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct ifinfomsg *link;
	struct nlattr *nest;

	request->nlmsg_type = RTM_SETLINK;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = ifindex;

	nest = mnl_attr_nest_start(request, IFLA_XDP);
	mnl_attr_put_u32(request, IFLA_XDP_FD, (uint32_t)prog_fd);
	if (expected_fd < 0) {
		flags |= XDP_FLAGS_UPDATE_IF_NOEXIST;
	} else {
		flags |= XDP_FLAGS_REPLACE;
		mnl_attr_put_u32(request, IFLA_XDP_EXPECTED_FD, (uint32_t)expected_fd);
	}
	mnl_attr_put_u32(request, IFLA_XDP_FLAGS, flags);
	mnl_attr_nest_end(request, nest);

	return xsk_netlink_ask(NETLINK_ROUTE, request, NULL, NULL);
}

/* ---- generic netlink ---- */

static int parse_generic(const struct nlmsghdr *answer, mnl_attr_cb_t each, void *data)
{
	return mnl_attr_parse(answer, sizeof(struct genlmsghdr), each, data) < MNL_CB_STOP
		? MNL_CB_ERROR : MNL_CB_STOP;
}

/* A family of generic netlink. */
struct family {
	uint16_t id;
	uint64_t commands;	/* that it has, by bit */
};

/* The number of a command; those above 63 are no business of ours. */
static int add_command(const struct nlattr *attr, void *data)
{
	struct family *family = data;
	uint32_t command = 64;

	if (mnl_attr_get_type(attr) != CTRL_ATTR_OP_ID)
		return MNL_CB_OK;
	if (parse_u32(attr, &command) == MNL_CB_ERROR)
		return MNL_CB_ERROR;
	if (command < 64)
		family->commands |= 1ULL << command;
	return MNL_CB_OK;
}

static int add_commands(const struct nlattr *attr, void *data)
{
	if (mnl_attr_validate(attr, MNL_TYPE_NESTED) < 0)
		return MNL_CB_ERROR;
	return mnl_attr_parse_nested(attr, add_command, data);
}

static int parse_family(const struct nlattr *attr, void *data)
{
	struct family *family = data;

	switch (mnl_attr_get_type(attr)) {
	case CTRL_ATTR_FAMILY_ID:
		if (mnl_attr_validate(attr, MNL_TYPE_U16) < 0)
			return MNL_CB_ERROR;
		family->id = mnl_attr_get_u16(attr);
		return MNL_CB_OK;
	case CTRL_ATTR_OPS:
		if (mnl_attr_validate(attr, MNL_TYPE_NESTED) < 0)
			return MNL_CB_ERROR;
		return mnl_attr_parse_nested(attr, add_commands, family);
	}
	return MNL_CB_OK;
}

static int take_family(const struct nlmsghdr *answer, void *data)
{
	return parse_generic(answer, parse_family, data);
}

static int find_family(struct family *ret, const char *name)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = xsk_netlink_generic(room, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	struct family family = { 0 };
	int err;

	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, name);
	err = xsk_netlink_ask(NETLINK_GENERIC, request, take_family, &family);
	if (err)
		return err;
	if (!family.id)
		return -ENOENT;
	*ret = family;
	return 0;
}

int xsk_netdev_commands(uint64_t *ret)
{
	struct family family;
	int err = find_family(&family, XSK_NETDEV_FAMILY);

	if (!err)
		*ret = family.commands;
	return err;
}

/* What was found of a device, and whether there was anything. */
struct features {
	struct xsk_netdev_xdp xdp;
	bool found;
};

static int parse_u64(const struct nlattr *attr, uint64_t *ret)
{
	if (mnl_attr_validate(attr, MNL_TYPE_U64) < 0)
		return MNL_CB_ERROR;
	*ret = mnl_attr_get_u64(attr);
	return MNL_CB_OK;
}

static int parse_features(const struct nlattr *attr, void *data)
{
	struct features *features = data;

	switch (mnl_attr_get_type(attr)) {
	case XSK_NETDEV_A_DEV_XDP_FEATURES:
		features->found = true;
		return parse_u64(attr, &features->xdp.features);
	case XSK_NETDEV_A_DEV_XDP_ZC_MAX_SEGS:
		return parse_u32(attr, &features->xdp.zc_max_segs);
	case XSK_NETDEV_A_DEV_XDP_RX_METADATA_FEATURES:
		features->xdp.metadata_told = true;
		return parse_u64(attr, &features->xdp.rx_metadata);
	case XSK_NETDEV_A_DEV_XSK_FEATURES:
		features->xdp.metadata_told = true;
		return parse_u64(attr, &features->xdp.tx_metadata);
	}
	return MNL_CB_OK;
}

static int take_features(const struct nlmsghdr *answer, void *data)
{
	return parse_generic(answer, parse_features, data);
}

int xsk_netdev_xdp(struct xsk_netdev_xdp *ret, int ifindex)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct features features = { 0 };
	struct nlmsghdr *request;
	struct family family;
	int err;

	err = find_family(&family, XSK_NETDEV_FAMILY);
	if (err)
		return err;
	request = xsk_netlink_generic(room, family.id, XSK_NETDEV_CMD_DEV_GET);
	mnl_attr_put_u32(request, XSK_NETDEV_A_DEV_IFINDEX, (uint32_t)ifindex);
	err = xsk_netlink_ask(NETLINK_GENERIC, request, take_features, &features);
	if (err)
		return err;
	if (!features.found)
		return -ENOENT;
	*ret = features.xdp;
	return 0;
}

/* ---- queues with a socket ---- */

struct queues {
	uint32_t *at;
	int max, count;
};

struct queue {
	uint32_t id;
	bool has_socket;
};

static int parse_queue(const struct nlattr *attr, void *data)
{
	struct queue *queue = data;

	switch (mnl_attr_get_type(attr)) {
	case XSK_NETDEV_A_QUEUE_ID:
		return parse_u32(attr, &queue->id);
	case XSK_NETDEV_A_QUEUE_XSK:
		queue->has_socket = true;
	}
	return MNL_CB_OK;
}

/* The queues to receive come first, then those to send, which may be known already. */
static void add_queue(struct queues *queues, uint32_t id)
{
	int known = queues->count < queues->max ? queues->count : queues->max, at = 0;

	while (at < known && queues->at[at] < id)
		at++;
	if (at < known && queues->at[at] == id)
		return;
	queues->count++;
	if (at == queues->max)
		return;
	for (int i = known < queues->max ? known : queues->max - 1; i > at; i--)
		queues->at[i] = queues->at[i - 1];
	queues->at[at] = id;
}

static int take_queue(const struct nlmsghdr *answer, void *data)
{
	struct queue queue = { 0 };

	if (parse_generic(answer, parse_queue, &queue) == MNL_CB_ERROR)
		return MNL_CB_ERROR;
	if (queue.has_socket)
		add_queue(data, queue.id);
	return MNL_CB_OK;
}

int xsk_netdev_socket_queues(uint32_t *queues, int max, int ifindex)
{
	struct queues found = { .at = queues, .max = max };
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request;
	struct family family;
	int err;

	err = find_family(&family, XSK_NETDEV_FAMILY);
	if (err)
		return err;
	request = xsk_netlink_generic(room, family.id, XSK_NETDEV_CMD_QUEUE_GET);
	request->nlmsg_flags |= NLM_F_DUMP;
	mnl_attr_put_u32(request, XSK_NETDEV_A_QUEUE_IFINDEX, (uint32_t)ifindex);
	err = xsk_netlink_ask(NETLINK_GENERIC, request, take_queue, &found);
	return err ? err : found.count;
}

/* ---- queues in use: ethtool's netlink (5.6) ---- */

static int add_channels(const struct nlattr *attr, void *data)
{
	struct xsk_netdev_channels *channels = data;
	uint32_t count = 0;

	switch (mnl_attr_get_type(attr)) {
	case ETHTOOL_A_CHANNELS_RX_COUNT:
	case ETHTOOL_A_CHANNELS_TX_COUNT:
	case ETHTOOL_A_CHANNELS_COMBINED_COUNT:
		if (parse_u32(attr, &count) == MNL_CB_ERROR)
			return MNL_CB_ERROR;
	}
	if (mnl_attr_get_type(attr) != ETHTOOL_A_CHANNELS_TX_COUNT)
		channels->rx += count;
	if (mnl_attr_get_type(attr) != ETHTOOL_A_CHANNELS_RX_COUNT)
		channels->tx += count;
	return MNL_CB_OK;
}

static int take_channels(const struct nlmsghdr *answer, void *data)
{
	return parse_generic(answer, add_channels, data);
}

/* Asks by a command whose request has nothing but the device, in the attribute header. */
static int ask_ethtool(uint8_t command, uint16_t header, int ifindex, mnl_cb_t take, void *data)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request;
	struct nlattr *nest;
	struct family family;
	int err;

	err = find_family(&family, ETHTOOL_GENL_NAME);
	if (err)
		return err;
	request = xsk_netlink_generic(room, family.id, command);
	nest = mnl_attr_nest_start(request, header);
	mnl_attr_put_u32(request, ETHTOOL_A_HEADER_DEV_INDEX, (uint32_t)ifindex);
	mnl_attr_nest_end(request, nest);
	return xsk_netlink_ask(NETLINK_GENERIC, request, take, data);
}

int xsk_netdev_channels(struct xsk_netdev_channels *ret, int ifindex)
{
	struct xsk_netdev_channels channels = { 0 };
	int err;

	err = ask_ethtool(ETHTOOL_MSG_CHANNELS_GET, ETHTOOL_A_CHANNELS_HEADER, ifindex,
			  take_channels, &channels);
	if (err)
		return err;
	/* No device is without queues: it was an acknowledgement. */
	if (!channels.rx && !channels.tx)
		return -EPROTO;
	*ret = channels;
	return 0;
}

/* ---- its speed, by the same ---- */

static int parse_speed(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) != ETHTOOL_A_LINKMODES_SPEED)
		return MNL_CB_OK;
	return parse_u32(attr, data);
}

static int take_speed(const struct nlmsghdr *answer, void *data)
{
	return parse_generic(answer, parse_speed, data);
}

int xsk_netdev_speed(uint32_t *ret, int ifindex)
{
	uint32_t speed = 0;
	int err;

	err = ask_ethtool(ETHTOOL_MSG_LINKMODES_GET, ETHTOOL_A_LINKMODES_HEADER, ifindex,
			  take_speed, &speed);
	if (err)
		return err;
	if (!speed || speed == (uint32_t)SPEED_UNKNOWN)
		return -ENOENT;
	*ret = speed;
	return 0;
}

/* ---- queues ---- */

uint32_t xsk_netdev_queues(const struct xsk_netdev *dev)
{
	uint32_t queues = dev->rx_queues > dev->tx_queues ? dev->rx_queues : dev->tx_queues;

	return queues ? queues : 1;
}
