/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "generate.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "checksum.h"

#define VLAN_TAG 4
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER 8
#define DONT_FRAGMENT 0x4000

/* An address that goes through its range. */
struct turning {
	const struct address_range *range;
	struct address now;
	uint64_t at;
	unsigned char *place;		/* in the packet */
};

struct generator {
	struct generate_options options;
	uint64_t sequence;		/* of the next packet */
	struct turning dst, src;
	uint16_t dport, sport;		/* of the next packet */
	unsigned char *ip, *udp, *payload;
	uint32_t udp_len;
	uint64_t rest_sum;		/* of what never changes: the bytes that count up */
	unsigned char packet[];
};

static uint32_t headers_size(const struct generate_options *options)
{
	return ETHER_HDR_LEN + (options->vlan ? VLAN_TAG : 0) + UDP_HEADER +
	       (options->dst.first.family == AF_INET ? IPV4_HEADER : IPV6_HEADER);
}

uint32_t generate_min_size(const struct generate_options *options)
{
	return headers_size(options) + GENERATE_PAYLOAD;
}

/* ---- once ---- */

static void put_ethernet(struct generator *g)
{
	const struct generate_options *o = &g->options;
	unsigned char *at = g->packet;

	memcpy(at, o->dst_mac, MAC_SIZE);
	memcpy(at + MAC_SIZE, o->src_mac, MAC_SIZE);
	at += 2 * MAC_SIZE;
	if (o->vlan) {
		write16(at, ETHERTYPE_VLAN);
		write16(at + 2, o->vlan);
		at += VLAN_TAG;
	}
	write16(at, o->dst.first.family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	g->ip = at + 2;
}

static void put_ipv4(struct generator *g)
{
	unsigned char *ip = g->ip;

	ip[0] = 4 << 4 | IPV4_HEADER / 4;
	write16(ip + 2, (uint16_t)(IPV4_HEADER + g->udp_len));
	write16(ip + 6, DONT_FRAGMENT);
	ip[8] = g->options.ttl;
	ip[9] = IPPROTO_UDP;
	g->src.place = ip + 12;
	g->dst.place = ip + 16;
	g->udp = ip + IPV4_HEADER;
}

static void put_ipv6(struct generator *g)
{
	unsigned char *ip = g->ip;

	ip[0] = 6 << 4;
	write16(ip + 4, (uint16_t)g->udp_len);
	ip[6] = IPPROTO_UDP;
	ip[7] = g->options.ttl;
	g->src.place = ip + 8;
	g->dst.place = ip + 24;
	g->udp = ip + IPV6_HEADER;
}

static void put_payload(struct generator *g)
{
	uint32_t len = g->udp_len - UDP_HEADER;

	g->payload = g->udp + UDP_HEADER;
	write16(g->udp + 4, (uint16_t)g->udp_len);
	write16(g->payload, GENERATE_MAGIC);
	for (uint32_t i = GENERATE_PAYLOAD; i < len; i++)
		g->payload[i] = (unsigned char)i;
	/* It begins at an even offset of UDP, so its sum can be added. */
	g->rest_sum = checksum_add(0, g->payload + GENERATE_PAYLOAD, len - GENERATE_PAYLOAD);
}

struct generator *generate_open(const struct generate_options *options)
{
	struct generator *g = calloc(1, sizeof(*g) + options->size);

	if (!g)
		return NULL;
	g->options = *options;
	g->udp_len = options->size - headers_size(options) + UDP_HEADER;
	g->dst = (struct turning){ &g->options.dst, options->dst.first, 0, NULL };
	g->src = (struct turning){ &g->options.src, options->src.first, 0, NULL };
	g->dport = (uint16_t)options->dport.first;
	g->sport = (uint16_t)options->sport.first;
	put_ethernet(g);
	if (options->dst.first.family == AF_INET)
		put_ipv4(g);
	else
		put_ipv6(g);
	put_payload(g);
	return g;
}

void generate_close(struct generator *generator)
{
	free(generator);
}

/* ---- for each packet ---- */

static void turn_address(struct turning *turning)
{
	memcpy(turning->place, turning->now.bytes, address_size(&turning->now));
	if (++turning->at < turning->range->count) {
		address_add(&turning->now, 1);
		return;
	}
	turning->at = 0;
	turning->now = turning->range->first;
}

static uint16_t turn_port(uint16_t port, const struct units_range *range)
{
	return port == range->last ? (uint16_t)range->first : (uint16_t)(port + 1);
}

const void *generate_next(struct generator *g)
{
	turn_address(&g->dst);
	turn_address(&g->src);
	write16(g->udp, g->sport);
	write16(g->udp + 2, g->dport);
	g->sport = turn_port(g->sport, &g->options.sport);
	g->dport = turn_port(g->dport, &g->options.dport);
	write64(g->payload + 2, g->sequence++);
	return g->packet;
}

/* The words of the pseudo header that are not addresses. */
static uint64_t pseudo_sum(const struct generator *g)
{
	const uint16_t words[2] = { htons((uint16_t)g->udp_len), htons(IPPROTO_UDP) };

	return checksum_add(0, words, sizeof(words));
}

void generate_stamp(struct generator *g, uint64_t realtime_ns)
{
	size_t size = address_size(&g->options.dst.first);
	uint64_t sum = g->rest_sum + pseudo_sum(g);
	uint16_t checksum;

	write64(g->payload + 10, realtime_ns);
	sum = checksum_add(sum, g->src.place, size);
	sum = checksum_add(sum, g->dst.place, size);
	memset(g->udp + 6, 0, sizeof(checksum));
	sum = checksum_add(sum, g->udp, UDP_HEADER + GENERATE_PAYLOAD);
	checksum = checksum_finish(sum);
	if (!checksum)			/* 0 means that there is none */
		checksum = 0xffff;
	memcpy(g->udp + 6, &checksum, sizeof(checksum));
	if (g->options.dst.first.family != AF_INET)
		return;
	memset(g->ip + 10, 0, sizeof(checksum));
	checksum = checksum_finish(checksum_add(0, g->ip, IPV4_HEADER));
	memcpy(g->ip + 10, &checksum, sizeof(checksum));
}
