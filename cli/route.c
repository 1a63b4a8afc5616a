/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "route.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

#define MAX_ANSWER 8192
/* How often it is asked whether somebody has answered. */
#define LOOK_MS 5
#define KNOWN_STATES (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

/* One question: the header, the family's struct, attributes. */
struct question {
	struct nlmsghdr header;
	union {
		struct rtmsg route;
		struct ndmsg neighbour;
	} body;
	unsigned char attributes[64];
};

struct answer {
	_Alignas(struct nlmsghdr) unsigned char bytes[MAX_ANSWER];
	size_t len;
};

/* ---- netlink ---- */

static void begin(struct question *question, int type, int flags, size_t body_size)
{
	memset(question, 0, sizeof(*question));
	question->header.nlmsg_type = (uint16_t)type;
	question->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	question->header.nlmsg_len = NLMSG_LENGTH(body_size);
	question->header.nlmsg_seq = 1;
}

static void put(struct question *question, unsigned short type, const void *data, size_t size)
{
	struct rtattr attr = { .rta_len = RTA_LENGTH(size), .rta_type = type };
	unsigned char *at = (unsigned char *)question + NLMSG_ALIGN(question->header.nlmsg_len);

	memcpy(at, &attr, sizeof(attr));
	memcpy(at + RTA_LENGTH(0), data, size);
	question->header.nlmsg_len = NLMSG_ALIGN(question->header.nlmsg_len) + RTA_SPACE(size);
}

/* Asks, and has the one answer, or what the kernel says against it. */
static int talk(int fd, const struct question *question, struct answer *answer)
{
	const struct nlmsghdr *header = (const void *)answer->bytes;
	ssize_t len;
	int err;

	if (send(fd, question, question->header.nlmsg_len, 0) < 0)
		return -errno;
	len = recv(fd, answer->bytes, sizeof(answer->bytes), 0);
	if (len < 0)
		return -errno;
	if ((size_t)len < sizeof(*header) || header->nlmsg_len > (size_t)len)
		return -EBADMSG;
	answer->len = header->nlmsg_len;
	if (header->nlmsg_type != NLMSG_ERROR)
		return 0;
	if (answer->len < NLMSG_LENGTH(sizeof(err)))
		return -EBADMSG;
	memcpy(&err, NLMSG_DATA(header), sizeof(err));
	return err;
}

static int ask(const struct question *question, struct answer *answer)
{
	const struct timeval second = { .tv_sec = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	err = talk(fd, question, answer);
	close(fd);
	return err;
}

/* The attribute, if it is there and has room for size bytes. */
static const void *find(const struct answer *answer, size_t body_size, int type, size_t size)
{
	const unsigned char *at = answer->bytes + NLMSG_SPACE(body_size);
	const unsigned char *end = answer->bytes + answer->len;

	while (at < end && (size_t)(end - at) >= sizeof(struct rtattr)) {
		struct rtattr attr;

		memcpy(&attr, at, sizeof(attr));
		if (attr.rta_len < sizeof(attr) || attr.rta_len > end - at)
			return NULL;
		if (attr.rta_type == type && attr.rta_len >= RTA_LENGTH(size))
			return at + RTA_LENGTH(0);
		at += RTA_ALIGN(attr.rta_len);
	}
	return NULL;
}

/* ---- routes ---- */

static void take_address(struct address *ret, int family, const void *bytes)
{
	*ret = (struct address){ .family = family };
	memcpy(ret->bytes, bytes, address_size(ret));
}

/* A gateway of the other family (RTA_VIA). */
static void take_via(struct route *route, const struct answer *answer)
{
	const unsigned char *via = find(answer, sizeof(struct rtmsg), RTA_VIA,
					sizeof(uint16_t) + 4);
	uint16_t family;

	if (!via)
		return;
	memcpy(&family, via, sizeof(family));
	if (family == AF_INET6)
		via = find(answer, sizeof(struct rtmsg), RTA_VIA, sizeof(uint16_t) + 16);
	if (via && (family == AF_INET || family == AF_INET6))
		take_address(&route->next_hop, family, via + sizeof(family));
}

int route_find(struct route *ret, int ifindex, const struct address *to)
{
	size_t size = address_size(to);
	struct route route = { .next_hop = *to };
	struct question question;
	struct answer answer;
	const struct rtmsg *body;
	const void *found;
	int err;

	begin(&question, RTM_GETROUTE, 0, sizeof(struct rtmsg));
	question.body.route.rtm_family = (unsigned char)to->family;
	question.body.route.rtm_dst_len = (unsigned char)(8 * size);
	put(&question, RTA_DST, to->bytes, size);
	put(&question, RTA_OIF, &ifindex, sizeof(ifindex));
	err = ask(&question, &answer);
	if (err)
		return err;
	if (answer.len < NLMSG_LENGTH(sizeof(*body)))
		return -EBADMSG;
	body = NLMSG_DATA((struct nlmsghdr *)answer.bytes);
	route.is_local = body->rtm_type == RTN_LOCAL;
	if (body->rtm_type != RTN_UNICAST && body->rtm_type != RTN_MULTICAST &&
	    body->rtm_type != RTN_BROADCAST && !route.is_local)
		return -ENETUNREACH;
	found = find(&answer, sizeof(*body), RTA_GATEWAY, size);
	if (found)
		take_address(&route.next_hop, to->family, found);
	else
		take_via(&route, &answer);
	found = find(&answer, sizeof(*body), RTA_PREFSRC, size);
	if (found)
		take_address(&route.source, to->family, found);
	*ret = route;
	return 0;
}

/* ---- neighbours ---- */

static void begin_neighbour(struct question *question, int type, int flags, int ifindex,
			    const struct address *neighbour)
{
	begin(question, type, flags, sizeof(struct ndmsg));
	question->body.neighbour.ndm_family = (unsigned char)neighbour->family;
	question->body.neighbour.ndm_ifindex = ifindex;
	put(question, NDA_DST, neighbour->bytes, address_size(neighbour));
}

/* -ENOENT: the kernel does not know it, or not yet. */
static int known_mac(unsigned char mac[MAC_SIZE], int ifindex, const struct address *neighbour)
{
	struct question question;
	struct answer answer;
	const struct ndmsg *body;
	const void *found;
	int err;

	begin_neighbour(&question, RTM_GETNEIGH, 0, ifindex, neighbour);
	err = ask(&question, &answer);
	if (err)
		return err;
	if (answer.len < NLMSG_LENGTH(sizeof(*body)))
		return -EBADMSG;
	body = NLMSG_DATA((struct nlmsghdr *)answer.bytes);
	found = find(&answer, sizeof(*body), NDA_LLADDR, MAC_SIZE);
	if (!(body->ndm_state & KNOWN_STATES) || !found)
		return -ENOENT;
	memcpy(mac, found, MAC_SIZE);
	return 0;
}

/* As if the kernel had a packet for it. */
static int make_ask(int ifindex, const struct address *neighbour)
{
	struct question question;
	struct answer answer;

	begin_neighbour(&question, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, ifindex, neighbour);
	question.body.neighbour.ndm_flags = NTF_USE;
	return ask(&question, &answer);
}

int route_mac(unsigned char mac[MAC_SIZE], int ifindex, const struct address *neighbour,
	      int timeout_ms)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };
	int err = known_mac(mac, ifindex, neighbour);

	if (err != -ENOENT)
		return err;
	err = make_ask(ifindex, neighbour);
	if (err)
		return err;
	for (int waited = 0; waited <= timeout_ms; waited += LOOK_MS) {
		err = known_mac(mac, ifindex, neighbour);
		if (err != -ENOENT)
			return err;
		/* A signal may have come at another moment than the sleep. */
		if (run_is_interrupted() || nanosleep(&pause, NULL))
			return -EINTR;
	}
	return -ENOENT;
}

int route_own_mac(unsigned char mac[MAC_SIZE], const char *iface)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	struct ifreq request = { 0 };

	if (fd < 0)
		return -errno;
	strncpy(request.ifr_name, iface, IFNAMSIZ - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &request))
		err = -errno;
	else if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER &&
		 request.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK)
		err = -EOPNOTSUPP;
	close(fd);
	if (!err)
		memcpy(mac, request.ifr_hwaddr.sa_data, MAC_SIZE);
	return err;
}
