/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "netdev.h"

#include <errno.h>
#include <libmnl/libmnl.h>
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

/*
 * An interface can have a program in the driver or in the generic path, not in
 * both, and one in the NIC beside it. The kernel's plain PROG_ID is the only
 * one there is, or absent where there are several: then the NIC's runs first,
 * but the one in the driver or the stack is the one that can reach a socket.
 */
static int parse_xdp(const struct nlattr *attr, void *data)
{
	struct xsk_netdev *dev = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_XDP_PROG_ID:
	case IFLA_XDP_DRV_PROG_ID:
	case IFLA_XDP_SKB_PROG_ID:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
			return MNL_CB_ERROR;
		if (!mnl_attr_get_u32(attr))
			break;
		dev->prog_id = mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == IFLA_XDP_DRV_PROG_ID)
			dev->prog_mode = XDP_FLAGS_DRV_MODE;
		if (mnl_attr_get_type(attr) == IFLA_XDP_SKB_PROG_ID)
			dev->prog_mode = XDP_FLAGS_SKB_MODE;
	}
	return MNL_CB_OK;
}

static int parse_u32(const struct nlattr *attr, uint32_t *ret)
{
	if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return MNL_CB_ERROR;
	*ret = mnl_attr_get_u32(attr);
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

/* What is looked for in an answer, and what was found. */
struct wanted {
	uint16_t type;
	enum mnl_attr_data_type kind;
	uint64_t value;
	bool found;
};

static int take_wanted(const struct nlattr *attr, void *data)
{
	struct wanted *wanted = data;

	if (mnl_attr_get_type(attr) != wanted->type)
		return MNL_CB_OK;
	if (mnl_attr_validate(attr, wanted->kind) < 0)
		return MNL_CB_ERROR;
	switch (wanted->kind) {
	case MNL_TYPE_U16:
		wanted->value = mnl_attr_get_u16(attr);
		break;
	case MNL_TYPE_U32:
		wanted->value = mnl_attr_get_u32(attr);
		break;
	default:
		wanted->value = mnl_attr_get_u64(attr);
	}
	wanted->found = true;
	return MNL_CB_OK;
}

static int take_generic(const struct nlmsghdr *answer, void *data)
{
	return mnl_attr_parse(answer, sizeof(struct genlmsghdr), take_wanted, data) < MNL_CB_STOP
		? MNL_CB_ERROR : MNL_CB_STOP;
}

static int ask_generic(struct nlmsghdr *request, struct wanted *wanted)
{
	int err = xsk_netlink_ask(NETLINK_GENERIC, request, take_generic, wanted);

	if (err)
		return err;
	return wanted->found ? 0 : -ENOENT;
}

/* The number of a family of generic netlink. */
static int find_family(uint16_t *ret, const char *name)
{
	struct wanted family = { .type = CTRL_ATTR_FAMILY_ID, .kind = MNL_TYPE_U16 };
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = xsk_netlink_generic(room, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	int err;

	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, name);
	err = ask_generic(request, &family);
	if (err)
		return err;
	*ret = (uint16_t)family.value;
	return 0;
}

static int ask_device(struct wanted *wanted, int ifindex)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request;
	uint16_t family;
	int err;

	err = find_family(&family, XSK_NETDEV_FAMILY);
	if (err)
		return err;
	request = xsk_netlink_generic(room, family, XSK_NETDEV_CMD_DEV_GET);
	mnl_attr_put_u32(request, XSK_NETDEV_A_DEV_IFINDEX, (uint32_t)ifindex);
	return ask_generic(request, wanted);
}

int xsk_netdev_xdp_features(uint64_t *ret, int ifindex)
{
	struct wanted features = { .type = XSK_NETDEV_A_DEV_XDP_FEATURES,
				   .kind = MNL_TYPE_U64 };
	int err = ask_device(&features, ifindex);

	if (!err)
		*ret = features.value;
	return err;
}

int xsk_netdev_zc_max_segs(uint32_t *ret, int ifindex)
{
	struct wanted segs = { .type = XSK_NETDEV_A_DEV_XDP_ZC_MAX_SEGS, .kind = MNL_TYPE_U32 };
	int err = ask_device(&segs, ifindex);

	if (!err)
		*ret = (uint32_t)segs.value;
	return err;
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
	return mnl_attr_parse(answer, sizeof(struct genlmsghdr), add_channels, data) < MNL_CB_STOP
		? MNL_CB_ERROR : MNL_CB_STOP;
}

int xsk_netdev_channels(struct xsk_netdev_channels *ret, int ifindex)
{
	struct xsk_netdev_channels channels = { 0 };
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request;
	struct nlattr *header;
	uint16_t family;
	int err;

	err = find_family(&family, ETHTOOL_GENL_NAME);
	if (err)
		return err;
	request = xsk_netlink_generic(room, family, ETHTOOL_MSG_CHANNELS_GET);
	header = mnl_attr_nest_start(request, ETHTOOL_A_CHANNELS_HEADER);
	mnl_attr_put_u32(request, ETHTOOL_A_HEADER_DEV_INDEX, (uint32_t)ifindex);
	mnl_attr_nest_end(request, header);
	err = xsk_netlink_ask(NETLINK_GENERIC, request, take_channels, &channels);
	if (err)
		return err;
	/* No device is without queues: it was an acknowledgement. */
	if (!channels.rx && !channels.tx)
		return -EPROTO;
	*ret = channels;
	return 0;
}

/* ---- queues ---- */

uint32_t xsk_netdev_queues(const struct xsk_netdev *dev)
{
	uint32_t queues = dev->rx_queues > dev->tx_queues ? dev->rx_queues : dev->tx_queues;

	return queues ? queues : 1;
}
