/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What xsk send is to make: do the options go together, and what was left out. */
#include "send.h"

#include <errno.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>

#include "generate.h"
#include "route.h"

#define DEFAULT_PORT 9			/* discard */
#define DEFAULT_TTL 64
#define VLAN_TAG 4
/* A neighbour that is there answers in less than a millisecond. */
#define NEIGHBOUR_MS 1000

uint32_t send_max_len(uint32_t mtu, bool is_tagged)
{
	return mtu + ETHER_HDR_LEN + (is_tagged ? VLAN_TAG : 0);
}

/* ---- do they go together? ---- */

/* An option that was given, and is of the other kind of packets. */
static const char *stray(const struct send_options *o)
{
	const struct {
		bool is_given;
		const char *name;
	} made[] = {
		{ o->dst.count, "dst" }, { o->src.count, "src" }, { o->dport.last, "dport" },
		{ o->sport.last, "sport" }, { o->dst_mac.is_set, "dst-mac" },
		{ o->src_mac.is_set, "src-mac" }, { o->size, "size" }, { o->ttl, "ttl" },
		{ o->vlan, "vlan" },
	}, read[] = {
		{ o->rounds != SEND_ONCE, "loop" }, { o->speed > 0, "speed" },
	};

	for (size_t i = 0; o->file && i < sizeof(made) / sizeof(made[0]); i++)
		if (made[i].is_given)
			return made[i].name;
	for (size_t i = 0; !o->file && i < sizeof(read) / sizeof(read[0]); i++)
		if (read[i].is_given)
			return read[i].name;
	return NULL;
}

bool send_options_fit(const struct send_options *options, struct out *out)
{
	const char *name = stray(options);

	if (!options->file && !options->dst.count)
		out_fail(out, NULL, "send: nothing to be sent; give --read FILE, or --dst ADDRESS; "
			 "see xsk send --help");
	else if (name)
		out_fail(out, NULL, "send: --%s is of packets %s; see xsk send --help", name,
			 options->file ? "that are made, not of a file" : "of a file (--read)");
	else if (options->speed > 0 && options->has_rate)
		out_fail(out, NULL, "send: --speed and --rate are two paces; give one of them");
	else if (options->src.count && options->src.first.family != options->dst.first.family)
		out_fail(out, NULL, "send: --src and --dst are of different families");
	else
		return true;
	return false;
}

/* ---- what was left out ---- */

/* The route to the first of the addresses. */
static bool find_route(struct route *route, const struct send_options *options,
		       const struct session *session, struct out *out)
{
	const struct address *to = &options->dst.first;
	unsigned char mac[MAC_SIZE];
	char text[ADDRESS_TEXT];
	int err = route_find(route, session->info.ifindex, to);

	if (!err && !route->is_local)
		return true;
	/* Where all is known, nobody needs to know the way. */
	if (options->src.count &&
	    (options->dst_mac.is_set || address_multicast_mac(to, mac)))
		return true;
	if (!err)
		out_fail(out, session->iface, "%s is an address of this host; give another --dst, "
			 "or --dst-mac and --src", address_say(text, to));
	else if (err == -ENETUNREACH || err == -EHOSTUNREACH)
		out_fail(out, session->iface, "there is no way to %s by it; give --dst-mac and "
			 "--src", address_say(text, to));
	else
		out_fail(out, session->iface, "the way to %s: %s; give --dst-mac and --src",
			 address_say(text, to), strerror(-err));
	return false;
}

static bool find_source(struct generate_options *make, const struct send_options *options,
			const struct route *route, const struct session *session,
			struct out *out)
{
	char text[ADDRESS_TEXT];

	make->src = options->src;
	if (make->src.count)
		return true;
	make->src = (struct address_range){ route->source, 1 };
	if (route->source.family == options->dst.first.family)
		return true;
	out_fail(out, session->iface, "it has no address to send to %s from; give --src",
		 address_say(text, &options->dst.first));
	return false;
}

static bool find_dst_mac(struct generate_options *make, const struct send_options *options,
			 const struct route *route, const struct session *session,
			 struct out *out)
{
	const struct address *hop = &route->next_hop;
	char text[ADDRESS_TEXT];
	int err;

	memcpy(make->dst_mac, options->dst_mac.bytes, MAC_SIZE);
	if (options->dst_mac.is_set || address_multicast_mac(&options->dst.first, make->dst_mac))
		return true;
	err = route_mac(make->dst_mac, session->info.ifindex, hop, NEIGHBOUR_MS);
	if (!err)
		return true;
	if (err == -EINTR)
		return false;		/* who pressed ^C knows */
	if (err == -ENOENT)
		out_fail(out, session->iface, "%s does not answer %s; give --dst-mac",
			 address_say(text, hop),
			 hop->family == AF_INET ? "ARP" : "neighbour discovery");
	else
		out_fail(out, session->iface, "the MAC of %s: %s; give --dst-mac",
			 address_say(text, hop), strerror(-err));
	return false;
}

static bool find_src_mac(struct generate_options *make, const struct send_options *options,
			 const struct session *session, struct out *out)
{
	int err;

	memcpy(make->src_mac, options->src_mac.bytes, MAC_SIZE);
	if (options->src_mac.is_set)
		return true;
	err = route_own_mac(make->src_mac, options->iface);
	if (!err)
		return true;
	out_fail(out, session->iface, "its MAC: %s; give --src-mac", strerror(-err));
	return false;
}

static bool find_size(struct generate_options *make, const struct send_options *options,
		      const struct session *session, struct out *out)
{
	uint32_t min = generate_min_size(make);
	uint32_t max = send_max_len(session->info.mtu, make->vlan);
	uint32_t room = session->info.frame_size * session->info.max_frags;

	make->size = options->size ? (uint32_t)options->size : min;
	if (make->size < min)
		out_fail(out, session->iface, "packets of %u bytes have no room for what is in "
			 "them; --size %u or more", make->size, min);
	else if (make->size > max)
		out_fail(out, session->iface, "packets of %u bytes do not fit its MTU of %u; "
			 "--size %u, or ip link set dev %s mtu %u", make->size, session->info.mtu,
			 max, session->iface, make->size - send_max_len(0, make->vlan));
	else if (make->size > room)
		out_fail(out, session->iface, "packets of %u bytes do not fit a frame of %u; "
			 "--multi-buffer (Linux 6.6)", make->size, session->info.frame_size);
	else
		return true;
	return false;
}

static struct units_range ports_or_default(const struct units_range *ports)
{
	/* 0 alone is no port to send to or from. */
	return ports->last ? *ports : (struct units_range){ DEFAULT_PORT, DEFAULT_PORT };
}

struct generator *send_make_generator(const struct send_options *options,
				      const struct session *session, struct out *out,
				      uint32_t *size)
{
	struct generate_options make = {
		.dst = options->dst,
		.dport = ports_or_default(&options->dport),
		.sport = ports_or_default(&options->sport),
		.ttl = (uint8_t)(options->ttl ? options->ttl : DEFAULT_TTL),
		.vlan = (uint16_t)options->vlan,
	};
	struct route route = { .next_hop = options->dst.first };
	struct generator *generator;

	if (!find_size(&make, options, session, out) ||
	    !find_route(&route, options, session, out) ||
	    !find_source(&make, options, &route, session, out) ||
	    !find_dst_mac(&make, options, &route, session, out) ||
	    !find_src_mac(&make, options, session, out))
		return NULL;
	generator = generate_open(&make);
	if (!generator)
		out_fail(out, NULL, "no memory");
	*size = make.size;
	return generator;
}
