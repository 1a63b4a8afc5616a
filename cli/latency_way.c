/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Where the packets of xsk latency go, and from whom they are. */
#include "latency.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "out.h"
#include "route.h"

/* A neighbour that is there answers in less than a millisecond. */
#define NEIGHBOUR_MS 1000

struct way {
	const struct latency_options *options;
	struct out *out;
	struct traveller_options *ret;
	int ifindex;
};

static bool find_interface(struct way *way)
{
	const char *iface = way->options->iface;
	int err;

	way->ifindex = (int)if_nametoindex(iface);
	if (!way->ifindex) {
		out_fail(way->out, iface, "there is no interface of this name here; ip link lists "
			 "those that there are");
		return false;
	}
	err = route_own_mac(way->ret->from_mac, iface);
	if (!err)
		return true;
	out_fail(way->out, iface, "its MAC: %s; it must be an Ethernet interface", strerror(-err));
	return false;
}

static bool find_route(const struct way *way, struct route *route)
{
	const struct latency_options *options = way->options;
	const char *iface = options->iface;
	char text[ADDRESS_TEXT];
	int err = route_find(route, way->ifindex, &options->to);

	if (!err && !route->is_local)
		return true;
	/* Who told all needs no route. */
	if (options->to_mac.is_set && (options->from.family || options->reflect))
		return true;
	address_say(text, &options->to);
	if (!err)
		out_fail(way->out, iface, "%s is an address of this host, to which no packet "
			 "leaves by an interface; give that of another", text);
	else if (err == -ENETUNREACH || err == -EHOSTUNREACH)
		out_fail(way->out, iface, "there is no way to %s by it; ip address add, or give "
			 "--src and --dst-mac", text);
	else
		out_fail(way->out, iface, "the way to %s: %s; give --src and --dst-mac", text,
			 strerror(-err));
	return false;
}

static bool find_source(const struct way *way, const struct route *route)
{
	const struct latency_options *options = way->options;
	char text[ADDRESS_TEXT];

	way->ret->from = options->from.family ? options->from : route->source;
	if (options->reflect || way->ret->from.family == options->to.family)
		return true;
	out_fail(way->out, options->iface, "it has no address to send to %s from; ip address add, "
		 "or --src", address_say(text, &options->to));
	return false;
}

static bool find_mac(const struct way *way, const struct route *route)
{
	const struct latency_options *options = way->options;
	const struct address *hop = &route->next_hop;
	char text[ADDRESS_TEXT];
	int err;

	memcpy(way->ret->to_mac, options->to_mac.bytes, MAC_SIZE);
	if (options->to_mac.is_set)
		return true;
	err = route_mac(way->ret->to_mac, way->ifindex, hop, NEIGHBOUR_MS);
	if (!err)
		return true;
	address_say(text, hop);
	if (err == -ENOENT)
		out_fail(way->out, options->iface, "%s does not answer %s; is its interface up? Or "
			 "give --dst-mac", text,
			 hop->family == AF_INET ? "ARP" : "neighbour discovery");
	else
		out_fail(way->out, options->iface, "the MAC of %s: %s; give --dst-mac", text,
			 strerror(-err));
	return false;
}

static socklen_t fill_socket_address(struct sockaddr_storage *ret, const struct address *address,
				     uint16_t port, int ifindex)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *four = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	ret->ss_family = (sa_family_t)address->family;
	if (address->family == AF_INET) {
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, address->bytes, sizeof(four->sin_addr));
		return sizeof(*four);
	}
	six->sin6_port = htons(port);
	memcpy(&six->sin6_addr, address->bytes, sizeof(six->sin6_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr))
		six->sin6_scope_id = (uint32_t)ifindex;
	return sizeof(*six);
}

/*
 * A socket of the kernel's has the port, so that nobody else gets it, and hears when the other
 * host says that nobody is there. An address that is not this host's has no such socket.
 */
static int take_port(const struct way *way, int *ret)
{
	const char *iface = way->options->iface;
	struct traveller_options *to = way->ret;
	struct sockaddr_storage address;
	socklen_t size = fill_socket_address(&address, &to->from, 0, way->ifindex);
	int fd = socket(to->to.family, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, iface, (socklen_t)strlen(iface));
	if (bind(fd, (struct sockaddr *)&address, size)) {
		size = fill_socket_address(&address, &(struct address){ to->to.family, { 0 } }, 0,
					   way->ifindex);
		err = bind(fd, (struct sockaddr *)&address, size) ? -errno : 0;
	}
	if (err || getsockname(fd, (struct sockaddr *)&address, &size)) {
		err = err ? err : -errno;
		close(fd);
		return err;
	}
	to->from_port = ntohs(to->to.family == AF_INET ?
			      ((struct sockaddr_in *)&address)->sin_port :
			      ((struct sockaddr_in6 *)&address)->sin6_port);
	size = fill_socket_address(&address, &to->to, to->to_port, way->ifindex);
	/* Without a route it cannot be; then it hears nothing. */
	connect(fd, (struct sockaddr *)&address, size);
	*ret = fd;
	return 0;
}

bool latency_find_way(struct traveller_options *ret, int *fd,
		      const struct latency_options *options, struct out *out)
{
	struct way way = { options, out, ret, 0 };
	struct route route = { .next_hop = options->to };
	int err;

	*ret = (struct traveller_options){
		.is_reflected = options->reflect, .to = options->to,
		.to_port = (uint16_t)options->port,
	};
	if (getrandom(&ret->id, sizeof(ret->id), 0) != sizeof(ret->id)) {
		out_fail(out, NULL, "the kernel gives no random number: %s", strerror(errno));
		return false;
	}
	if (!find_interface(&way) || (options->to.family && !find_route(&way, &route)) ||
	    !find_source(&way, &route) || !find_mac(&way, &route))
		return false;
	if (options->reflect)
		return true;
	err = take_port(&way, fd);
	if (err)
		out_fail(out, options->iface, "a port of UDP to send from: %s", strerror(-err));
	return !err;
}
