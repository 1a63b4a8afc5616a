/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What is read out of the kernel's answer about an interface, and what is asked
 * of it: lib/netdev.c on messages made here. Each stands in a block of exactly
 * its length, so that a read behind its end is seen by AddressSanitizer and by
 * valgrind.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "kernel.h"
#include "netdev.h"
#include "netlink.h"

#define DIRT 0xa5
#define IFINDEX 12

/* ---- the other end of the netlink socket ---- */

static struct {
	int err;
	const struct nlmsghdr *answer;
	const struct nlmsghdr *next;	/* to a second question */
	const struct nlmsghdr *dump[16];	/* or so many to it */
	int dump_count;
	int asked;
	int bus;
	uint8_t request[512] __attribute__((aligned(8)));
} netlink;

int xsk_netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t each, void *data)
{
	const struct nlmsghdr *answer;
	int more = MNL_CB_OK;

	assert_true(request->nlmsg_len <= sizeof(netlink.request));
	memcpy(netlink.request, request, request->nlmsg_len);
	netlink.bus = bus;
	netlink.asked++;
	if (netlink.err || !netlink.answer)
		return netlink.err;
	if (request->nlmsg_flags & NLM_F_DUMP) {
		for (int i = 0; i < netlink.dump_count && more == MNL_CB_OK; i++)
			more = each(netlink.dump[i], data);
		return more == MNL_CB_ERROR ? -EPROTO : 0;
	}
	answer = netlink.answer;
	netlink.answer = netlink.next ? netlink.next : answer;
	return each(answer, data) == MNL_CB_ERROR ? -EPROTO : 0;
}

/* ---- messages ---- */

/* One that is being written. Room enough for all that is written here. */
struct message {
	uint8_t room[1024] __attribute__((aligned(8)));
};

static struct nlmsghdr *start_message(struct message *message)
{
	struct nlmsghdr *header;
	struct ifinfomsg *link;

	memset(message, 0, sizeof(*message));
	header = mnl_nlmsg_put_header(message->room);
	header->nlmsg_type = RTM_NEWLINK;
	link = mnl_nlmsg_put_extra_header(header, sizeof(*link));
	link->ifi_index = IFINDEX;
	return header;
}

static struct nlmsghdr *start_link(struct message *message)
{
	struct nlmsghdr *header = start_message(message);

	mnl_attr_put_strz(header, IFLA_IFNAME, "eth0");
	mnl_attr_put_u32(header, IFLA_MTU, 1500);
	mnl_attr_put_u32(header, IFLA_TXQLEN, 1000);
	mnl_attr_put_u32(header, IFLA_MASTER, 77);
	mnl_attr_put_u32(header, IFLA_NUM_TX_QUEUES, 8);
	mnl_attr_put_u32(header, IFLA_NUM_RX_QUEUES, 4);
	return header;
}

static bool is_dirt(const void *memory, size_t len)
{
	const unsigned char *bytes = memory;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != DIRT)
			return false;
	return true;
}

/*
 * Parses the message from a block of its length. The kernel's are padded to a
 * multiple of 4, whatever their header says.
 */
static int parse(struct xsk_netdev *dev, const struct nlmsghdr *header)
{
	size_t len = MNL_ALIGN(header->nlmsg_len);
	struct nlmsghdr *exact = malloc(len);
	int err;

	assert_non_null(exact);
	memcpy(exact, header, len);
	memset(dev, DIRT, sizeof(*dev));
	err = xsk_netdev_parse(dev, exact);
	free(exact);

	if (err) {
		assert_int_equal(err, -EPROTO);
		assert_true(is_dirt(dev, sizeof(*dev)));
	} else {
		assert_non_null(memchr(dev->name, '\0', sizeof(dev->name)));
	}
	return err;
}

/* ---- good ones ---- */

static void normal(void **state)
{
	struct message message;
	struct xsk_netdev dev;

	(void)state;
	assert_int_equal(parse(&dev, start_link(&message)), 0);
	assert_int_equal(dev.ifindex, IFINDEX);
	assert_string_equal(dev.name, "eth0");
	assert_int_equal(dev.rx_queues, 4);
	assert_int_equal(dev.tx_queues, 8);
	assert_int_equal(dev.mtu, 1500);
	assert_int_equal(dev.master, 77);
	assert_int_equal(dev.prog_id, 0);
	assert_int_equal(dev.hw_prog_id, 0);
}

static void nothing_but_the_header(void **state)
{
	struct message message;
	struct xsk_netdev dev;

	(void)state;
	assert_int_equal(parse(&dev, start_message(&message)), 0);
	assert_int_equal(dev.ifindex, IFINDEX);
	assert_string_equal(dev.name, "");
	assert_int_equal(dev.rx_queues, 0);
	assert_int_equal(dev.prog_id, 0);
}

/* The ids as the kernel sends them: those of the modes, the mode, the only one. */
static uint32_t prog_id_of(uint8_t attached, uint32_t skb, uint32_t drv, uint32_t hw,
			   uint32_t only)
{
	struct message message;
	struct nlmsghdr *header = start_link(&message);
	struct xsk_netdev dev;
	struct nlattr *nest;

	nest = mnl_attr_nest_start(header, IFLA_XDP);
	if (skb)
		mnl_attr_put_u32(header, IFLA_XDP_SKB_PROG_ID, skb);
	if (drv)
		mnl_attr_put_u32(header, IFLA_XDP_DRV_PROG_ID, drv);
	if (hw)
		mnl_attr_put_u32(header, IFLA_XDP_HW_PROG_ID, hw);
	mnl_attr_put_u8(header, IFLA_XDP_ATTACHED, attached);
	if (only)
		mnl_attr_put_u32(header, IFLA_XDP_PROG_ID, only);
	mnl_attr_nest_end(header, nest);
	mnl_attr_put_u8(header, IFLA_PROTO_DOWN, 0);

	assert_int_equal(parse(&dev, header), 0);
	assert_string_equal(dev.name, "eth0");
	assert_int_equal(dev.tx_queues, 8);
	assert_int_equal(dev.hw_prog_id, hw);
	return dev.prog_id;
}

static void xdp_modes(void **state)
{
	(void)state;
	assert_int_equal(prog_id_of(XDP_ATTACHED_NONE, 0, 0, 0, 0), 0);
	assert_int_equal(prog_id_of(XDP_ATTACHED_SKB, 17, 0, 0, 17), 17);
	assert_int_equal(prog_id_of(XDP_ATTACHED_DRV, 0, 18, 0, 18), 18);
	assert_int_equal(prog_id_of(XDP_ATTACHED_HW, 0, 0, 19, 19), 19);
	/* Up to 4.18 only this one was sent. */
	assert_int_equal(prog_id_of(XDP_ATTACHED_DRV, 0, 0, 0, 20), 20);
	/* Of several, the one that can reach a socket. */
	assert_int_equal(prog_id_of(XDP_ATTACHED_MULTI, 0, 22, 23, 0), 22);
	assert_int_equal(prog_id_of(XDP_ATTACHED_MULTI, 21, 0, 23, 0), 21);
	assert_int_equal(prog_id_of(XDP_ATTACHED_DRV, 0, 0xffffffff, 0, 0xffffffff), 0xffffffff);
}

/* An id of 0, in whatever place, is no program and hides none. */
static void xdp_id_zero(void **state)
{
	struct message message;
	struct nlmsghdr *header = start_link(&message);
	struct xsk_netdev dev;
	struct nlattr *nest;

	(void)state;
	nest = mnl_attr_nest_start(header, IFLA_XDP);
	mnl_attr_put_u32(header, IFLA_XDP_DRV_PROG_ID, 30);
	mnl_attr_put_u32(header, IFLA_XDP_SKB_PROG_ID, 0);
	mnl_attr_put_u32(header, IFLA_XDP_PROG_ID, 0);
	mnl_attr_nest_end(header, nest);
	assert_int_equal(parse(&dev, header), 0);
	assert_int_equal(dev.prog_id, 30);
}

/* ---- bad ones ---- */

static int parse_name(const char *name, size_t len)
{
	struct message message;
	struct nlmsghdr *header = start_message(&message);
	struct xsk_netdev dev;
	int err;

	mnl_attr_put(header, IFLA_IFNAME, len, name);
	err = parse(&dev, header);
	if (!err)
		assert_string_equal(dev.name, name);
	return err;
}

static void names(void **state)
{
	static const char longest[] = "fifteen-letters", too_long[] = "sixteen--letters";

	(void)state;
	assert_int_equal(sizeof(longest), IFNAMSIZ);
	assert_int_equal(parse_name("a", 2), 0);
	assert_int_equal(parse_name(longest, sizeof(longest)), 0);
	assert_int_equal(parse_name(too_long, sizeof(too_long)), -EPROTO);
	/* Without the 0 at the end, even where it would fit. */
	assert_int_equal(parse_name(longest, sizeof(longest) - 1), -EPROTO);
	assert_int_equal(parse_name(too_long, sizeof(too_long) - 1), -EPROTO);
	assert_int_equal(parse_name("", 0), -EPROTO);
}

static void wrong_numbers(void **state)
{
	static const uint16_t types[] = { IFLA_MTU, IFLA_NUM_RX_QUEUES, IFLA_NUM_TX_QUEUES };
	static const char zeroes[12];
	struct message message;
	struct xsk_netdev dev;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		for (size_t len = 0; len < 4; len++) {
			struct nlmsghdr *header = start_message(&message);

			mnl_attr_put(header, types[i], len, zeroes);
			assert_int_equal(parse(&dev, header), -EPROTO);
		}
		/* Longer ones libmnl takes or refuses, as its version is. */
		for (size_t len = 5; len <= sizeof(zeroes); len++) {
			struct nlmsghdr *header = start_message(&message);

			mnl_attr_put(header, types[i], len, zeroes);
			parse(&dev, header);
		}
	}
}

static void short_prog_ids(void **state)
{
	static const uint16_t types[] = {
		IFLA_XDP_PROG_ID, IFLA_XDP_DRV_PROG_ID, IFLA_XDP_SKB_PROG_ID,
	};
	static const char zeroes[4];
	struct message message;
	struct xsk_netdev dev;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		for (size_t len = 0; len < 4; len++) {
			struct nlmsghdr *header = start_message(&message);
			struct nlattr *nest = mnl_attr_nest_start(header, IFLA_XDP);

			mnl_attr_put(header, types[i], len, zeroes);
			mnl_attr_nest_end(header, nest);
			assert_int_equal(parse(&dev, header), -EPROTO);
		}
	}
}

/* Too short to hold an attribute. */
static void short_nest(void **state)
{
	static const char zeroes[4];
	struct message message;
	struct xsk_netdev dev;

	(void)state;
	for (size_t len = 1; len < 4; len++) {
		struct nlmsghdr *header = start_message(&message);

		mnl_attr_put(header, IFLA_XDP, len, zeroes);
		assert_int_equal(parse(&dev, header), -EPROTO);
	}
}

/*
 * An attribute in the nest, or the nest itself, that claims to be longer than
 * what surrounds it: it is not read, whatever becomes of the rest.
 */
static void truncated_nest(void **state)
{
	struct message message;
	struct xsk_netdev dev;

	(void)state;
	for (uint16_t beyond = 1; beyond < 64; beyond++) {
		struct nlmsghdr *header = start_link(&message);
		struct nlattr *nest = mnl_attr_nest_start(header, IFLA_XDP), *inner;

		inner = mnl_nlmsg_get_payload_tail(header);
		mnl_attr_put_u32(header, IFLA_XDP_PROG_ID, 40);
		mnl_attr_nest_end(header, nest);
		inner->nla_len = (uint16_t)(inner->nla_len + beyond);
		if (!parse(&dev, header))
			assert_int_equal(dev.prog_id, 0);

		inner->nla_len = (uint16_t)(inner->nla_len - beyond);
		nest->nla_len = (uint16_t)(nest->nla_len + beyond);
		if (!parse(&dev, header))
			assert_int_equal(dev.prog_id, 0);
	}
}

static void wrong_type(void **state)
{
	static const uint16_t types[] = { RTM_DELLINK, RTM_GETLINK, RTM_NEWADDR, NLMSG_NOOP,
					  NLMSG_ERROR, NLMSG_DONE, 0xffff };
	struct message message;
	struct xsk_netdev dev;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct nlmsghdr *header = start_link(&message);

		header->nlmsg_type = types[i];
		assert_int_equal(parse(&dev, header), -EPROTO);
	}
}

/* Cut at every byte. Without all of the fixed header it is no answer. */
static void cut(void **state)
{
	struct message message;
	struct xsk_netdev dev;
	struct nlmsghdr *header = start_link(&message);
	struct nlattr *nest = mnl_attr_nest_start(header, IFLA_XDP);
	uint32_t whole;

	(void)state;
	mnl_attr_put_u8(header, IFLA_XDP_ATTACHED, XDP_ATTACHED_DRV);
	mnl_attr_put_u32(header, IFLA_XDP_PROG_ID, 50);
	mnl_attr_nest_end(header, nest);
	whole = header->nlmsg_len;
	for (uint32_t len = MNL_NLMSG_HDRLEN; len < whole; len++) {
		header->nlmsg_len = len;
		if (len < MNL_NLMSG_HDRLEN + sizeof(struct ifinfomsg))
			assert_int_equal(parse(&dev, header), -EPROTO);
		else
			parse(&dev, header);
	}
	header->nlmsg_len = whole;
	assert_int_equal(parse(&dev, header), 0);
	assert_int_equal(dev.prog_id, 50);
}

/* Bytes changed at random behind the header: nothing is read behind the end. */
static void garbled(void **state)
{
	struct message good, bad;
	struct xsk_netdev dev;
	struct nlmsghdr *header = start_link(&good);
	struct nlattr *nest = mnl_attr_nest_start(header, IFLA_XDP);
	uint64_t random = 0x9e3779b97f4a7c15;
	uint32_t refused = 0, taken = 0, len;

	(void)state;
	mnl_attr_put_u8(header, IFLA_XDP_ATTACHED, XDP_ATTACHED_DRV);
	mnl_attr_put_u32(header, IFLA_XDP_DRV_PROG_ID, 60);
	mnl_attr_put_u32(header, IFLA_XDP_PROG_ID, 60);
	mnl_attr_nest_end(header, nest);
	len = header->nlmsg_len - MNL_NLMSG_HDRLEN;

	for (int i = 0; i < 50000; i++) {
		bad = good;
		for (int j = 0; j < 1 + i % 4; j++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bad.room[MNL_NLMSG_HDRLEN + (uint32_t)(random >> 32) % len] =
				(uint8_t)(random & (random & 256 ? 255 : 31));
		}
		if (parse(&dev, (struct nlmsghdr *)bad.room))
			refused++;
		else
			taken++;
	}
	assert_true(refused > 1000 && taken > 1000);
}

/* ---- asking ---- */

static int reset(void **state)
{
	(void)state;
	memset(&netlink, 0, sizeof(netlink));
	return 0;
}

static void get(void **state)
{
	const struct nlmsghdr *request = (struct nlmsghdr *)netlink.request;
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(request);
	struct message message;
	struct xsk_netdev dev;

	(void)state;
	netlink.answer = start_link(&message);
	memset(&dev, DIRT, sizeof(dev));
	assert_int_equal(xsk_netdev_get(&dev, IFINDEX), 0);
	assert_string_equal(dev.name, "eth0");
	assert_int_equal(netlink.bus, NETLINK_ROUTE);
	assert_int_equal(request->nlmsg_type, RTM_GETLINK);
	assert_int_equal(request->nlmsg_flags, NLM_F_REQUEST);
	assert_int_equal(link->ifi_index, IFINDEX);
}

/* No error, and no answer; or one that is about another. */
static void get_another(void **state)
{
	struct message message;
	struct nlmsghdr *header;
	struct xsk_netdev dev;

	(void)state;
	memset(&dev, DIRT, sizeof(dev));
	assert_int_equal(xsk_netdev_get(&dev, IFINDEX), -EPROTO);
	header = start_link(&message);
	((struct ifinfomsg *)mnl_nlmsg_get_payload(header))->ifi_index++;
	netlink.answer = header;
	assert_int_equal(xsk_netdev_get(&dev, IFINDEX), -EPROTO);
	assert_true(is_dirt(&dev, sizeof(dev)));
}

static void get_nothing(void **state)
{
	struct xsk_netdev dev;

	(void)state;
	memset(&dev, DIRT, sizeof(dev));

	/* The kernel's own refusal. */
	netlink.err = -ENODEV;
	assert_int_equal(xsk_netdev_get(&dev, IFINDEX), -ENODEV);
	assert_int_equal(netlink.asked, 1);

	/* To index 0 the kernel would answer with the name it did not get. */
	assert_int_equal(xsk_netdev_get(&dev, 0), -ENODEV);
	assert_int_equal(xsk_netdev_get(&dev, -1), -ENODEV);
	assert_int_equal(netlink.asked, 1);
	assert_true(is_dirt(&dev, sizeof(dev)));
}

/* The XDP attributes of a request, 0 where they are absent. */
struct xdp_request {
	uint32_t fd, expected_fd, flags;
	bool has_expected_fd;
};

static int read_xdp(const struct nlattr *attr, void *data)
{
	struct xdp_request *xdp = data;

	assert_int_equal(mnl_attr_get_payload_len(attr), sizeof(uint32_t));
	switch (mnl_attr_get_type(attr)) {
	case IFLA_XDP_FD:
		xdp->fd = mnl_attr_get_u32(attr);
		return MNL_CB_OK;
	case IFLA_XDP_EXPECTED_FD:
		xdp->expected_fd = mnl_attr_get_u32(attr);
		xdp->has_expected_fd = true;
		return MNL_CB_OK;
	case IFLA_XDP_FLAGS:
		xdp->flags = mnl_attr_get_u32(attr);
		return MNL_CB_OK;
	}
	fail_msg("an attribute of type %u in IFLA_XDP", mnl_attr_get_type(attr));
	return MNL_CB_ERROR;
}

static struct xdp_request set_xdp(int prog_fd, int expected_fd, uint32_t flags)
{
	const struct nlmsghdr *request = (struct nlmsghdr *)netlink.request;
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(request);
	const struct nlattr *nest = mnl_nlmsg_get_payload_offset(request, sizeof(*link));
	struct xdp_request xdp = { 0 };

	assert_int_equal(xsk_netdev_set_xdp(IFINDEX, prog_fd, expected_fd, flags), 0);
	assert_int_equal(netlink.bus, NETLINK_ROUTE);
	assert_int_equal(request->nlmsg_type, RTM_SETLINK);
	assert_int_equal(request->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(link->ifi_index, IFINDEX);
	assert_int_equal(mnl_attr_get_type(nest), IFLA_XDP);
	assert_true(mnl_attr_parse_nested(nest, read_xdp, &xdp) == MNL_CB_OK);
	return xdp;
}

static void attach_where_none_is(void **state)
{
	struct xdp_request xdp = set_xdp(0, -1, XDP_FLAGS_SKB_MODE);

	(void)state;
	assert_int_equal(xdp.fd, 0);
	assert_false(xdp.has_expected_fd);
	assert_int_equal(xdp.flags, XDP_FLAGS_SKB_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST);
}

/* Detaching names the program: one that came in its place is not touched. */
static void detach_ours_only(void **state)
{
	struct xdp_request xdp = set_xdp(-1, 9, XDP_FLAGS_DRV_MODE);

	(void)state;
	assert_int_equal((int32_t)xdp.fd, -1);
	assert_true(xdp.has_expected_fd);
	assert_int_equal(xdp.expected_fd, 9);
	assert_int_equal(xdp.flags, XDP_FLAGS_DRV_MODE | XDP_FLAGS_REPLACE);

	xdp = set_xdp(-1, 0, 0);	/* 0 is a descriptor like any other */
	assert_true(xdp.has_expected_fd);
	assert_int_equal(xdp.flags, XDP_FLAGS_REPLACE);
}

static void set_xdp_refused(void **state)
{
	(void)state;
	netlink.err = -EBUSY;
	assert_int_equal(xsk_netdev_set_xdp(IFINDEX, 8, -1, 0), -EBUSY);
}

static void queues(void **state)
{
	struct xsk_netdev dev = { .rx_queues = 4, .tx_queues = 8 };

	(void)state;
	assert_int_equal(xsk_netdev_queues(&dev), 8);
	dev.rx_queues = 16;
	assert_int_equal(xsk_netdev_queues(&dev), 16);
	dev = (struct xsk_netdev){ 0 };
	assert_int_equal(xsk_netdev_queues(&dev), 1);
}

/* ---- generic netlink: which family, then which features ---- */

#define FAMILY 35

static struct nlmsghdr *start_generic_answer(struct message *message)
{
	struct nlmsghdr *header;

	memset(message, 0, sizeof(*message));
	header = mnl_nlmsg_put_header(message->room);
	mnl_nlmsg_put_extra_header(header, sizeof(struct genlmsghdr));
	return header;
}

/* The kernel's answer to who asks for the family; the one to what is asked of it comes next. */
static void answer_family(struct message *family, const struct nlmsghdr *next)
{
	struct nlmsghdr *header = start_generic_answer(family);

	mnl_attr_put_strz(header, CTRL_ATTR_FAMILY_NAME, "netdev");
	mnl_attr_put_u16(header, CTRL_ATTR_FAMILY_ID, FAMILY);
	netlink.answer = header;
	netlink.next = next;
}

static uint8_t asked_command(void)
{
	const struct nlmsghdr *request = (const void *)netlink.request;
	const struct genlmsghdr *generic = mnl_nlmsg_get_payload(request);

	assert_int_equal(netlink.bus, NETLINK_GENERIC);
	assert_int_equal(request->nlmsg_type, FAMILY);
	return generic->cmd;
}

static void features(void **state)
{
	struct message family, answer;
	struct nlmsghdr *header;
	struct xsk_netdev_xdp xdp;

	(void)state;
	memset(&xdp, DIRT, sizeof(xdp));
	header = start_generic_answer(&answer);
	mnl_attr_put_u32(header, XSK_NETDEV_A_DEV_IFINDEX, IFINDEX);
	mnl_attr_put_u64(header, XSK_NETDEV_A_DEV_XDP_FEATURES, 0x100000009ULL);
	answer_family(&family, header);
	assert_int_equal(xsk_netdev_xdp(&xdp, IFINDEX), 0);
	assert_true(xdp.features == 0x100000009ULL);
	assert_int_equal(xdp.zc_max_segs, 0);
	assert_false(xdp.metadata_told);
	assert_int_equal(netlink.asked, 2);
	assert_int_equal(asked_command(), XSK_NETDEV_CMD_DEV_GET);

	mnl_attr_put_u32(header, XSK_NETDEV_A_DEV_XDP_ZC_MAX_SEGS, 17);
	mnl_attr_put_u64(header, XSK_NETDEV_A_DEV_XDP_RX_METADATA_FEATURES, 5);
	mnl_attr_put_u64(header, XSK_NETDEV_A_DEV_XSK_FEATURES, 2);
	answer_family(&family, header);
	assert_int_equal(xsk_netdev_xdp(&xdp, IFINDEX), 0);
	assert_int_equal(xdp.zc_max_segs, 17);
	assert_true(xdp.metadata_told);
	assert_true(xdp.rx_metadata == 5);
	assert_true(xdp.tx_metadata == 2);
}

static void features_unknown(void **state)
{
	struct message family, answer;
	struct nlmsghdr *header;
	struct xsk_netdev_xdp xdp;

	(void)state;
	memset(&xdp, DIRT, sizeof(xdp));
	/* Before 6.3 there is no such family; others may leave the answer out. */
	netlink.err = -ENOENT;
	assert_int_equal(xsk_netdev_xdp(&xdp, IFINDEX), -ENOENT);
	assert_int_equal(netlink.asked, 1);
	netlink.err = 0;
	netlink.answer = start_generic_answer(&family);
	assert_int_equal(xsk_netdev_xdp(&xdp, IFINDEX), -ENOENT);

	header = start_generic_answer(&family);
	mnl_attr_put_u32(header, CTRL_ATTR_FAMILY_ID, FAMILY);
	netlink.answer = header;
	assert_int_equal(xsk_netdev_xdp(&xdp, IFINDEX), -EPROTO);

	answer_family(&family, start_generic_answer(&answer));
	assert_int_equal(xsk_netdev_xdp(&xdp, IFINDEX), -ENOENT);

	/* A number of another length is none. */
	header = start_generic_answer(&answer);
	mnl_attr_put_u32(header, XSK_NETDEV_A_DEV_XDP_FEATURES, 9);
	answer_family(&family, header);
	assert_int_equal(xsk_netdev_xdp(&xdp, IFINDEX), -EPROTO);
	assert_true(is_dirt(&xdp, sizeof(xdp)));
}

/* ---- which commands ---- */

static void commands(void **state)
{
	static const uint32_t numbers[] = { 1, 10, 63, 64, 0xffffffff };
	struct nlattr *all, *one;
	struct message family;
	struct nlmsghdr *header;
	uint64_t got = 77;

	(void)state;
	header = start_generic_answer(&family);
	mnl_attr_put_u16(header, CTRL_ATTR_FAMILY_ID, FAMILY);
	all = mnl_attr_nest_start(header, CTRL_ATTR_OPS);
	for (uint16_t i = 0; i < 5; i++) {
		one = mnl_attr_nest_start(header, (uint16_t)(i + 1));
		mnl_attr_put_u32(header, CTRL_ATTR_OP_ID, numbers[i]);
		mnl_attr_put_u32(header, CTRL_ATTR_OP_FLAGS, 14);
		mnl_attr_nest_end(header, one);
	}
	mnl_attr_nest_end(header, all);
	netlink.answer = header;
	assert_int_equal(xsk_netdev_commands(&got), 0);
	assert_true(got == (1ULL << 1 | 1ULL << 10 | 1ULL << 63));

	/* None at all is an answer; what is no number, no list or no family is none. */
	got = 77;
	header = start_generic_answer(&family);
	assert_int_equal(xsk_netdev_commands(&got), -ENOENT);
	mnl_attr_put_u32(header, CTRL_ATTR_OPS, 3);
	mnl_attr_put_u16(header, CTRL_ATTR_FAMILY_ID, FAMILY);
	xsk_netdev_commands(&got);
	header = start_generic_answer(&family);
	all = mnl_attr_nest_start(header, CTRL_ATTR_OPS);
	one = mnl_attr_nest_start(header, 1);
	mnl_attr_put_u16(header, CTRL_ATTR_OP_ID, 3);
	mnl_attr_nest_end(header, one);
	mnl_attr_nest_end(header, all);
	got = 77;
	assert_int_equal(xsk_netdev_commands(&got), -EPROTO);
	assert_true(got == 77);
	answer_family(&family, NULL);
	assert_int_equal(xsk_netdev_commands(&got), 0);
	assert_true(got == 0);
}

/* ---- queues with a socket ---- */

#define MAX_QUEUES 4

static int socket_queues(uint32_t queues[MAX_QUEUES], const uint32_t *with, int count, int max)
{
	static struct message family, answers[16];

	answer_family(&family, NULL);
	for (int i = 0; i < count; i++) {
		struct nlmsghdr *header = start_generic_answer(&answers[i]);
		struct nlattr *nest;

		mnl_attr_put_u32(header, XSK_NETDEV_A_QUEUE_ID, with[i] & 0xff);
		mnl_attr_put_u32(header, XSK_NETDEV_A_QUEUE_TYPE, XSK_NETDEV_QUEUE_TYPE_RX);
		mnl_attr_put_u32(header, XSK_NETDEV_A_QUEUE_IFINDEX, IFINDEX);
		if (!(with[i] & 0x100)) {
			nest = mnl_attr_nest_start(header, XSK_NETDEV_A_QUEUE_XSK);
			mnl_attr_nest_end(header, nest);
		}
		netlink.dump[i] = header;
	}
	netlink.dump_count = count;
	memset(queues, DIRT, MAX_QUEUES * sizeof(*queues));
	return xsk_netdev_socket_queues(queues, max, IFINDEX);
}

static void queues_with_sockets(void **state)
{
	/* With bit 8: without a socket. */
	static const uint32_t some[] = { 0x100, 1, 0x102, 3, 0x100, 1, 2, 0x103 };
	static const uint32_t back[] = { 7, 3, 5, 5, 1, 7, 3, 0 };
	uint32_t got[MAX_QUEUES];

	(void)state;
	assert_int_equal(socket_queues(got, some, 0, MAX_QUEUES), 0);
	assert_int_equal(socket_queues(got, some, 1, MAX_QUEUES), 0);
	assert_int_equal(socket_queues(got, some, 8, MAX_QUEUES), 3);
	assert_int_equal(got[0], 1);
	assert_int_equal(got[1], 2);
	assert_int_equal(got[2], 3);
	assert_true(is_dirt(&got[3], sizeof(got[3])));
	assert_int_equal(asked_command(), XSK_NETDEV_CMD_QUEUE_GET);
	assert_int_equal(((struct nlmsghdr *)netlink.request)->nlmsg_flags,
			 NLM_F_REQUEST | NLM_F_DUMP);

	/* In whatever order; of what there is no room for the least are kept. */
	assert_int_equal(socket_queues(got, back, 5, MAX_QUEUES), 4);
	assert_int_equal(got[0], 1);
	assert_int_equal(got[3], 7);
	assert_true(socket_queues(got, back, 8, 2) >= 5);
	assert_int_equal(got[0], 0);
	assert_int_equal(got[1], 1);
	assert_true(is_dirt(&got[2], 2 * sizeof(got[2])));
	assert_true(socket_queues(got, back, 8, 0) > 0);
	assert_true(is_dirt(got, sizeof(got)));
}

/* ---- the same family first, then the channels ---- */

static int ask_channels(struct xsk_netdev_channels *channels, struct nlmsghdr *answer)
{
	static struct message family;

	answer_family(&family, answer);
	memset(channels, DIRT, sizeof(*channels));
	return xsk_netdev_channels(channels, IFINDEX);
}

static void channels(void **state)
{
	struct xsk_netdev_channels got;
	struct message message;
	struct nlmsghdr *header;

	(void)state;
	/* Those in use are counted, not those that could be; combined ones are both. */
	header = start_generic_answer(&message);
	mnl_attr_put_u32(header, ETHTOOL_A_CHANNELS_RX_MAX, 64);
	mnl_attr_put_u32(header, ETHTOOL_A_CHANNELS_COMBINED_MAX, 64);
	mnl_attr_put_u32(header, ETHTOOL_A_CHANNELS_RX_COUNT, 3);
	mnl_attr_put_u32(header, ETHTOOL_A_CHANNELS_TX_COUNT, 1);
	mnl_attr_put_u32(header, ETHTOOL_A_CHANNELS_OTHER_COUNT, 9);
	mnl_attr_put_u32(header, ETHTOOL_A_CHANNELS_COMBINED_COUNT, 4);
	assert_int_equal(ask_channels(&got, header), 0);
	assert_int_equal(got.rx, 7);
	assert_int_equal(got.tx, 5);
	assert_int_equal(netlink.bus, NETLINK_GENERIC);

	/* No numbers, as with an acknowledgement; or some that are none. */
	assert_int_equal(ask_channels(&got, start_generic_answer(&message)), -EPROTO);
	header = start_generic_answer(&message);
	mnl_attr_put_u16(header, ETHTOOL_A_CHANNELS_RX_COUNT, 3);
	assert_int_equal(ask_channels(&got, header), -EPROTO);
	assert_true(is_dirt(&got, sizeof(got)));

	netlink.err = -EOPNOTSUPP;
	assert_int_equal(xsk_netdev_channels(&got, IFINDEX), -EOPNOTSUPP);
	assert_true(is_dirt(&got, sizeof(got)));
}

static void speed(void **state)
{
	struct message family, answer;
	struct nlmsghdr *header;
	uint32_t got = 77;

	(void)state;
	header = start_generic_answer(&answer);
	mnl_attr_put_u8(header, ETHTOOL_A_LINKMODES_AUTONEG, 0);
	answer_family(&family, header);
	assert_int_equal(xsk_netdev_speed(&got, IFINDEX), -ENOENT);
	mnl_attr_put_u32(header, ETHTOOL_A_LINKMODES_SPEED, (uint32_t)SPEED_UNKNOWN);
	answer_family(&family, header);
	assert_int_equal(xsk_netdev_speed(&got, IFINDEX), -ENOENT);
	assert_int_equal(got, 77);
	mnl_attr_put_u32(header, ETHTOOL_A_LINKMODES_SPEED, 25000);
	answer_family(&family, header);
	assert_int_equal(xsk_netdev_speed(&got, IFINDEX), 0);
	assert_int_equal(got, 25000);
	assert_int_equal(asked_command(), ETHTOOL_MSG_LINKMODES_GET);
	mnl_attr_put_u16(header, ETHTOOL_A_LINKMODES_SPEED, 1);
	answer_family(&family, header);
	assert_int_equal(xsk_netdev_speed(&got, IFINDEX), -EPROTO);
	assert_int_equal(got, 25000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal),
		cmocka_unit_test(nothing_but_the_header),
		cmocka_unit_test(xdp_modes),
		cmocka_unit_test(xdp_id_zero),
		cmocka_unit_test(names),
		cmocka_unit_test(wrong_numbers),
		cmocka_unit_test(short_prog_ids),
		cmocka_unit_test(short_nest),
		cmocka_unit_test(truncated_nest),
		cmocka_unit_test(wrong_type),
		cmocka_unit_test(cut),
		cmocka_unit_test(garbled),
		cmocka_unit_test_setup(get, reset),
		cmocka_unit_test_setup(get_another, reset),
		cmocka_unit_test_setup(get_nothing, reset),
		cmocka_unit_test_setup(attach_where_none_is, reset),
		cmocka_unit_test_setup(detach_ours_only, reset),
		cmocka_unit_test_setup(set_xdp_refused, reset),
		cmocka_unit_test(queues),
		cmocka_unit_test_setup(features, reset),
		cmocka_unit_test_setup(features_unknown, reset),
		cmocka_unit_test_setup(commands, reset),
		cmocka_unit_test_setup(queues_with_sockets, reset),
		cmocka_unit_test_setup(channels, reset),
		cmocka_unit_test_setup(speed, reset),
	};

	return cmocka_run_group_tests_name("netdev", tests, NULL, NULL);
}
