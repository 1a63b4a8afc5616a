/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "respond.h"

#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "bytes.h"
#include "checksum.h"

#define ETHERTYPE_SVLAN 0x88a8
#define MAC_LEN 6
#define ARP_LEN 28
#define IPV4_LEN 20
#define IPV6_LEN 40
#define UDP_LEN 8
#define ICMP_LEN 8
#define SOLICIT_LEN 24
#define ADVERT_LEN 32
#define NEXT_FRAGMENT 44
#define TTL 64
#define ND_HOPS 255

const char *respond_name(enum respond kind)
{
	static const char *const names[RESPOND_KINDS] = {
		[RESPOND_ARP] = "arp", [RESPOND_ND] = "nd", [RESPOND_ICMP] = "icmp",
		[RESPOND_ICMPV6] = "icmpv6", [RESPOND_UDP] = "udp",
		[RESPOND_REFLECTED] = "reflected", [RESPOND_OTHER] = "other",
		[RESPOND_BROKEN] = "broken", [RESPOND_FRAGMENT] = "fragment",
		[RESPOND_SOURCE] = "source", [RESPOND_LOOP] = "loop", [RESPOND_LARGE] = "large",
	};

	return names[kind];
}

/* ---- bytes ---- */

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
	uint8_t held[sizeof(struct in6_addr)];

	memcpy(held, a, len);
	memcpy(a, b, len);
	memcpy(b, held, len);
}

/* The checksum at sum, after one word that it covers has changed (RFC 1624). */
static void mend_checksum(uint8_t *sum, uint16_t before, uint16_t now)
{
	uint32_t inverse = (uint16_t)~read16(sum) + (uint32_t)(uint16_t)~before + now;

	inverse = (inverse & 0xffff) + (inverse >> 16);
	inverse = (inverse & 0xffff) + (inverse >> 16);
	write16(sum, (uint16_t)~inverse);
}

/* ---- addresses ---- */

static bool is_group(const uint8_t *mac)
{
	return mac[0] & 1;
}

static bool is_own_mac(const struct responder *responder, const uint8_t *mac)
{
	return !memcmp(mac, responder->mac, MAC_LEN);
}

static bool is_own_ipv4(const struct responder *responder, const uint8_t *ip)
{
	for (unsigned int i = 0; i < responder->ipv4_count; i++)
		if (!memcmp(ip, &responder->ipv4[i], sizeof(responder->ipv4[i])))
			return true;
	return false;
}

static bool is_own_ipv6(const struct responder *responder, const uint8_t *ip)
{
	for (unsigned int i = 0; i < responder->ipv6_count; i++)
		if (!memcmp(ip, &responder->ipv6[i], sizeof(responder->ipv6[i])))
			return true;
	return false;
}

/* One host that is not this one. 0.0.0.0 and 127.0.0.0/8 are none, from 224.0.0.0 on none is. */
static bool is_other_ipv4(const struct responder *responder, const uint8_t *ip)
{
	return ip[0] && ip[0] != 127 && ip[0] < 224 && !is_own_ipv4(responder, ip);
}

static bool is_nowhere(const uint8_t *ip6)
{
	return !memcmp(ip6, &in6addr_any, sizeof(in6addr_any));
}

static bool is_other_ipv6(const struct responder *responder, const uint8_t *ip)
{
	return ip[0] != 0xff && !is_nowhere(ip) &&
	       memcmp(ip, &in6addr_loopback, sizeof(in6addr_loopback)) &&
	       !is_own_ipv6(responder, ip);
}

/* Back to where it came from, with the own address as its source, also where it was to all. */
static void turn_round(const struct responder *responder, uint8_t *ethernet)
{
	memcpy(ethernet, ethernet + MAC_LEN, MAC_LEN);
	memcpy(ethernet + MAC_LEN, responder->mac, MAC_LEN);
}

/* ---- ARP ---- */

static enum respond respond_arp(const struct responder *responder, struct request *request,
				size_t at)
{
	static const uint8_t asks[] = { 0, 1, 8, 0, MAC_LEN, 4, 0, 1 };
	uint8_t *arp = request->data + at, *sender = arp + 8, *target = arp + 18;

	if (request->len - at < ARP_LEN)
		return RESPOND_BROKEN;
	if (memcmp(arp, asks, sizeof(asks)) || !is_own_ipv4(responder, target + MAC_LEN))
		return RESPOND_OTHER;
	/* From 0.0.0.0 asks who wants to know whether an address is free (RFC 5227). */
	if (is_group(sender) || ((read16(sender + 6) | read16(sender + 8)) &&
				  !is_other_ipv4(responder, sender + MAC_LEN)))
		return RESPOND_SOURCE;
	arp[7] = ARPOP_REPLY;
	swap(sender + MAC_LEN, target + MAC_LEN, 4);
	memcpy(target, sender, MAC_LEN);
	memcpy(sender, responder->mac, MAC_LEN);
	turn_round(responder, request->data);
	return RESPOND_ARP;
}

/* ---- what IPv4 and IPv6 carry ---- */

/* A packet of IP, checked as far as the headers of IP go. */
struct packet {
	uint8_t *ip;
	uint8_t *payload;
	size_t len;		/* of the payload, by the header of IP */
	size_t here;		/* of it in this frame */
	uint8_t *source;	/* addresses, the destination behind it */
	size_t address_len;
};

/* Of a port whose service answers each packet, or that is none. */
static bool answers_back(const struct responder *responder, uint16_t port)
{
	static const uint16_t noisy[] = { 0, 7, 13, 17, 19, 37 };

	for (size_t i = 0; i < sizeof(noisy) / sizeof(noisy[0]); i++)
		if (port == noisy[i])
			return true;
	return port >= responder->ports.first && port <= responder->ports.last;
}

/* What a stack that leaves the checksum to the NIC writes into its place. */
static bool is_left(const struct packet *packet, size_t len)
{
	const uint8_t tail[] = { 0, IPPROTO_UDP, (uint8_t)(len >> 8), (uint8_t)len };
	uint64_t sum = checksum_add(0, packet->source, 2 * packet->address_len);
	uint16_t pseudo = (uint16_t)~checksum_finish(checksum_add(sum, tail, sizeof(tail)));

	return !memcmp(packet->payload + 6, &pseudo, sizeof(pseudo));
}

/* With ports and addresses exchanged the checksum is the same. */
static enum respond respond_udp(const struct responder *responder, struct packet *packet)
{
	uint8_t *udp = packet->payload;
	uint16_t port, sum;
	size_t len;

	if (packet->here < UDP_LEN)
		return RESPOND_BROKEN;
	len = read16(udp + 4);
	if (len < UDP_LEN || len > packet->len)
		return RESPOND_BROKEN;
	port = read16(udp + 2);
	if (port < responder->ports.first || port > responder->ports.last)
		return RESPOND_OTHER;
	if (answers_back(responder, read16(udp)))
		return RESPOND_LOOP;
	if (is_left(packet, len)) {
		if (packet->here < len)
			return RESPOND_LARGE;
		/* The sum of the pseudo header stands in the place already. */
		sum = checksum_finish(checksum_add(0, udp, len));
		sum = sum ? sum : 0xffff;
		memcpy(udp + 6, &sum, sizeof(sum));
	}
	swap(udp, udp + 2, 2);
	return RESPOND_UDP;
}

static enum respond respond_ping(struct packet *packet, uint8_t asks, uint8_t answers,
				 enum respond kind)
{
	uint8_t *icmp = packet->payload;

	if (packet->here < ICMP_LEN)
		return RESPOND_BROKEN;
	if (icmp[0] != asks || icmp[1])
		return RESPOND_OTHER;
	icmp[0] = answers;
	mend_checksum(icmp + 2, (uint16_t)(asks << 8), (uint16_t)(answers << 8));
	return kind;
}

/* ---- IPv4 ---- */

/* A way that was laid down by the sender is not gone back. */
static bool has_source_route(const uint8_t *ip, size_t header)
{
	for (size_t i = IPV4_LEN; i < header && ip[i] != IPOPT_EOL;) {
		size_t len = ip[i] == IPOPT_NOP ? 1 : i + 1 < header ? ip[i + 1] : 0;

		if (ip[i] == IPOPT_LSRR || ip[i] == IPOPT_SSRR || !len ||
		    (ip[i] != IPOPT_NOP && len < 2))
			return true;
		i += len;
	}
	return false;
}

static enum respond find_ipv4(const struct responder *responder, struct packet *packet,
			      const struct request *request, size_t at)
{
	uint8_t *ip = request->data + at;
	size_t len = request->len - at, header, total;

	if (len < IPV4_LEN || ip[0] >> 4 != 4)
		return RESPOND_BROKEN;
	header = (size_t)(ip[0] & 15) * 4;
	total = read16(ip + 2);
	if (header < IPV4_LEN || header > len || total < header || total > request->total - at ||
	    checksum_finish(checksum_add(0, ip, header)))
		return RESPOND_BROKEN;
	if (!is_own_mac(responder, request->data) || !is_own_ipv4(responder, ip + 16))
		return RESPOND_OTHER;
	/* No offset, and none that follow. */
	if (read16(ip + 6) & 0x3fff)
		return RESPOND_FRAGMENT;
	if (!is_other_ipv4(responder, ip + 12) || has_source_route(ip, header))
		return RESPOND_SOURCE;
	*packet = (struct packet){ ip, ip + header, total - header, 0, ip + 12, 4 };
	packet->here = len < total ? len - header : total - header;
	return RESPOND_KINDS;
}

static enum respond respond_ipv4(const struct responder *responder, struct request *request,
				 size_t at)
{
	struct packet packet;
	enum respond kind = find_ipv4(responder, &packet, request, at);
	uint8_t *ip = packet.ip;
	uint16_t sum;

	if (kind != RESPOND_KINDS)
		return kind;
	kind = ip[9] == IPPROTO_UDP ? respond_udp(responder, &packet) :
	       ip[9] == IPPROTO_ICMP ? respond_ping(&packet, ICMP_ECHO, ICMP_ECHOREPLY,
						     RESPOND_ICMP) : RESPOND_OTHER;
	if (!respond_is_answer(kind))
		return kind;
	swap(ip + 12, ip + 16, 4);
	ip[8] = TTL;
	ip[10] = ip[11] = 0;
	sum = checksum_finish(checksum_add(0, ip, (size_t)(packet.payload - ip)));
	memcpy(ip + 10, &sum, sizeof(sum));
	turn_round(responder, request->data);
	return kind;
}

/* ---- IPv6 ---- */

static uint16_t checksum_icmpv6(const struct packet *packet)
{
	const uint8_t tail[] = { (uint8_t)(packet->len >> 8), (uint8_t)packet->len, 0,
				 IPPROTO_ICMPV6 };
	uint64_t sum = checksum_add(0, packet->source, 2 * packet->address_len);

	return checksum_finish(checksum_add(checksum_add(sum, tail, sizeof(tail)),
					    packet->payload, packet->len));
}

/* RFC 4861, 7.1.1: that all options have a length, and nowhere has no MAC. */
static bool is_solicitation(const struct packet *packet)
{
	const uint8_t *icmp = packet->payload;

	if (packet->here < packet->len || packet->len < SOLICIT_LEN || packet->ip[7] != ND_HOPS ||
	    icmp[1] || icmp[8] == 0xff || checksum_icmpv6(packet))
		return false;
	for (size_t i = SOLICIT_LEN, len; i < packet->len; i += len) {
		len = packet->len - i < 8 ? 0 : (size_t)icmp[i + 1] * 8;
		if (!len || len > packet->len - i ||
		    (icmp[i] == ND_OPT_SOURCE_LINKADDR && is_nowhere(packet->source)))
			return false;
	}
	return true;
}

/* To the target itself, or to the group of all whose address ends so. */
static bool is_asked(const struct responder *responder, const struct request *request,
		     const struct packet *packet)
{
	static const uint8_t group[13] = { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff };
	const uint8_t *to = packet->source + 16, *target = packet->payload + 8;

	if (!is_own_ipv6(responder, target))
		return false;
	if (!memcmp(to, group, sizeof(group)))
		return !memcmp(to + 13, target + 13, 3) &&
		       (is_group(request->data) || is_own_mac(responder, request->data));
	return !is_nowhere(packet->source) && is_own_mac(responder, request->data) &&
	       is_own_ipv6(responder, to);
}

/* The advertisement (RFC 4861, 4.4), over the question; its length does not depend on that. */
static void advertise(const struct responder *responder, struct packet *packet, bool to_all)
{
	uint8_t *icmp = packet->payload, *ip = packet->ip;
	uint16_t sum;

	ip[0] = 0x60;
	ip[1] = ip[2] = ip[3] = 0;
	write16(ip + 4, ADVERT_LEN);
	memcpy(ip + 24, to_all ? (const uint8_t[16]){ 0xff, 2, [15] = 1 } : ip + 8, 16);
	memcpy(ip + 8, icmp + 8, 16);
	memset(icmp, 0, 8);
	icmp[0] = ND_NEIGHBOR_ADVERT;
	icmp[4] = (uint8_t)((responder->is_router ? 0x80 : 0) | (to_all ? 0 : 0x40) | 0x20);
	icmp[24] = ND_OPT_TARGET_LINKADDR;
	icmp[25] = 1;
	memcpy(icmp + 26, responder->mac, MAC_LEN);
	packet->len = ADVERT_LEN;
	sum = checksum_icmpv6(packet);
	memcpy(icmp + 2, &sum, sizeof(sum));
}

static enum respond respond_nd(const struct responder *responder, struct request *request,
			       struct packet *packet)
{
	static const uint8_t all_nodes[MAC_LEN] = { 0x33, 0x33, 0, 0, 0, 1 };
	bool to_all = is_nowhere(packet->source);
	size_t len = (size_t)(packet->payload - request->data) + ADVERT_LEN;

	if (!is_solicitation(packet))
		return RESPOND_BROKEN;
	if (!is_asked(responder, request, packet))
		return RESPOND_OTHER;
	if (!to_all && !is_other_ipv6(responder, packet->source))
		return RESPOND_SOURCE;
	if (request->len < request->total || len > request->room)
		return RESPOND_LARGE;
	advertise(responder, packet, to_all);
	turn_round(responder, request->data);
	/* Who asks whether an address is free has none to be answered at. */
	if (to_all)
		memcpy(request->data, all_nodes, MAC_LEN);
	request->len = request->total = len;
	return RESPOND_ND;
}

static enum respond respond_to_host(const struct responder *responder, struct request *request,
				    struct packet *packet)
{
	uint8_t *ip = packet->ip;
	enum respond kind;

	if (!is_own_mac(responder, request->data) || !is_own_ipv6(responder, ip + 24))
		return RESPOND_OTHER;
	if (ip[6] == NEXT_FRAGMENT)
		return RESPOND_FRAGMENT;
	if (!is_other_ipv6(responder, ip + 8))
		return RESPOND_SOURCE;
	kind = ip[6] == IPPROTO_UDP ? respond_udp(responder, packet) :
	       ip[6] == IPPROTO_ICMPV6 ? respond_ping(packet, ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY,
						      RESPOND_ICMPV6) : RESPOND_OTHER;
	if (!respond_is_answer(kind))
		return kind;
	swap(ip + 8, ip + 24, 16);
	ip[7] = TTL;
	turn_round(responder, request->data);
	return kind;
}

static enum respond respond_ipv6(const struct responder *responder, struct request *request,
				 size_t at)
{
	uint8_t *ip = request->data + at;
	size_t len = request->len - at;
	struct packet packet;

	if (len < IPV6_LEN || ip[0] >> 4 != 6)
		return RESPOND_BROKEN;
	packet = (struct packet){ ip, ip + IPV6_LEN, read16(ip + 4), 0, ip + 8, 16 };
	len -= IPV6_LEN;
	if (packet.len > request->total - at - IPV6_LEN)
		return RESPOND_BROKEN;
	packet.here = len < packet.len ? len : packet.len;
	if (ip[6] == IPPROTO_ICMPV6 && packet.here && packet.payload[0] == ND_NEIGHBOR_SOLICIT)
		return respond_nd(responder, request, &packet);
	return respond_to_host(responder, request, &packet);
}

/* ---- all of them ---- */

static enum respond reflect(const struct responder *responder, struct request *request)
{
	bool to_all = is_group(request->data);

	if (request->len == request->total)
		checksum_complete(request->data, request->len);
	swap(request->data, request->data + MAC_LEN, MAC_LEN);
	/* A group sends nothing. */
	if (to_all)
		memcpy(request->data + MAC_LEN, responder->mac, MAC_LEN);
	return RESPOND_REFLECTED;
}

enum respond respond(const struct responder *responder, struct request *request)
{
	size_t at = ETHER_HDR_LEN;

	if (request->len < at)
		return RESPOND_BROKEN;
	if (is_group(request->data + MAC_LEN) || is_own_mac(responder, request->data + MAC_LEN))
		return RESPOND_SOURCE;
	if (responder->reflects)
		return reflect(responder, request);
	for (int tags = 0; request->len >= at; tags++, at += 4) {
		uint16_t type = read16(request->data + at - 2);

		if (type == ETHERTYPE_ARP)
			return is_group(request->data) || is_own_mac(responder, request->data) ?
			       respond_arp(responder, request, at) : RESPOND_OTHER;
		if (type == ETHERTYPE_IP)
			return respond_ipv4(responder, request, at);
		if (type == ETHERTYPE_IPV6)
			return respond_ipv6(responder, request, at);
		if ((type != ETHERTYPE_VLAN && type != ETHERTYPE_SVLAN) || tags == 2)
			return RESPOND_OTHER;
	}
	return RESPOND_BROKEN;
}
