/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "iface.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The kernel's ALTIFNAMSIZ. */
#define ALT_NAME 128
/* Of the answer only its beginning is wanted. */
#define ANSWER 512

struct question {
	struct nlmsghdr header;
	struct ifinfomsg body;
	struct rtattr attr;
	char name[ALT_NAME];
};

/* Less than 1: none has it. */
static int ask(int fd, const struct question *question)
{
	_Alignas(struct nlmsghdr) char bytes[ANSWER];
	const struct nlmsghdr *header = (const void *)bytes;
	const struct ifinfomsg *body = NLMSG_DATA(header);
	const struct timeval second = { .tv_sec = 1 };
	ssize_t len;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	if (send(fd, question, question->header.nlmsg_len, 0) < 0)
		return 0;
	len = recv(fd, bytes, sizeof(bytes), 0);
	if (len < (ssize_t)NLMSG_LENGTH(sizeof(*body)) || header->nlmsg_type != RTM_NEWLINK)
		return 0;
	return body->ifi_index;
}

/* By the attribute for names of any length; shorter ones are found by it, too. */
static int find_index(const char *given)
{
	size_t size = strlen(given) + 1;
	struct question question = {
		.header = { .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST },
		.attr = { .rta_type = IFLA_ALT_IFNAME },
	};
	int fd, index;

	if (size > ALT_NAME)
		return 0;
	question.attr.rta_len = (unsigned short)RTA_LENGTH(size);
	question.header.nlmsg_len = (uint32_t)(NLMSG_SPACE(sizeof(question.body)) +
					       RTA_ALIGN(RTA_LENGTH(size)));
	memcpy(question.name, given, size);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return 0;
	index = ask(fd, &question);
	close(fd);
	return index;
}

bool iface_find(char name[IF_NAMESIZE], const char *given)
{
	int index = strlen(given) < IF_NAMESIZE ? (int)if_nametoindex(given) : find_index(given);

	return index > 0 && if_indextoname((unsigned int)index, name);
}

bool iface_is_ethernet(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };
	bool is = true;

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (fd >= 0 && !ioctl(fd, SIOCGIFHWADDR, &request))
		is = request.ifr_hwaddr.sa_family == ARPHRD_ETHER ||
		     request.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
	if (fd >= 0)
		close(fd);
	return is;
}
