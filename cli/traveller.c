/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "traveller.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "checksum.h"

/* For experiments on a local network (IEEE 802). */
#define ETHERTYPE_LOCAL 0x88b5
#define IPV4_LEN 20
#define IPV6_LEN 40
#define UDP_LEN 8
#define TTL 64

static uint32_t headers(const struct traveller_options *options)
{
	if (options->is_reflected)
		return ETHER_HDR_LEN;
	return ETHER_HDR_LEN + (options->to.family == AF_INET ? IPV4_LEN : IPV6_LEN) + UDP_LEN;
}

uint32_t traveller_min_size(const struct traveller_options *options)
{
	return headers(options) + TRAVELLER_PAYLOAD;
}

/* Returns the sum of the pseudo header's addresses. */
static uint64_t make_ipv4(struct traveller *traveller, uint8_t *ip)
{
	const struct traveller_options *options = &traveller->options;
	uint16_t sum;

	ip[0] = 0x45;
	write16(ip + 2, options->size - ETHER_HDR_LEN);
	ip[6] = 0x40;			/* not to be fragmented */
	ip[8] = TTL;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, options->from.bytes, 4);
	memcpy(ip + 16, options->to.bytes, 4);
	sum = checksum_finish(checksum_add(0, ip, IPV4_LEN));
	memcpy(ip + 10, &sum, sizeof(sum));
	return checksum_add(0, ip + 12, 8);
}

static uint64_t make_ipv6(struct traveller *traveller, uint8_t *ip)
{
	const struct traveller_options *options = &traveller->options;

	ip[0] = 0x60;
	write16(ip + 4, options->size - ETHER_HDR_LEN - IPV6_LEN);
	ip[6] = IPPROTO_UDP;
	ip[7] = TTL;
	memcpy(ip + 8, options->from.bytes, 16);
	memcpy(ip + 24, options->to.bytes, 16);
	return checksum_add(0, ip + 8, 32);
}

static void make_udp(struct traveller *traveller)
{
	const struct traveller_options *options = &traveller->options;
	uint8_t *ip = traveller->bytes + ETHER_HDR_LEN;
	uint8_t *udp = traveller->bytes + traveller->payload - UDP_LEN;
	uint32_t len = options->size - traveller->payload + UDP_LEN;
	uint8_t tail[4] = { 0, IPPROTO_UDP };
	bool six = options->to.family == AF_INET6;

	write16(traveller->bytes + 12, six ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	traveller->sum = six ? make_ipv6(traveller, ip) : make_ipv4(traveller, ip);
	write16(udp, options->from_port);
	write16(udp + 2, options->to_port);
	write16(udp + 4, len);
	write16(tail + 2, len);
	traveller->sum = checksum_add(traveller->sum, tail, sizeof(tail));
	traveller->sum = checksum_add(traveller->sum, udp, len);
}

void traveller_make(struct traveller *traveller, const struct traveller_options *options)
{
	memset(traveller->bytes, 0, sizeof(traveller->bytes));
	traveller->options = *options;
	traveller->payload = headers(options);
	traveller->sum = 0;
	memcpy(traveller->bytes, options->to_mac, MAC_SIZE);
	memcpy(traveller->bytes + MAC_SIZE, options->from_mac, MAC_SIZE);
	write64(traveller->bytes + traveller->payload, options->id);
	if (options->is_reflected)
		write16(traveller->bytes + 12, ETHERTYPE_LOCAL);
	else
		make_udp(traveller);
}

void traveller_write(const struct traveller *traveller, uint8_t *to, uint64_t number,
		     uint64_t now_ns)
{
	uint8_t *payload = to + traveller->payload;
	uint16_t sum;

	memcpy(to, traveller->bytes, traveller->options.size);
	write64(payload + 8, number);
	write64(payload + 16, now_ns);
	if (traveller->options.is_reflected)
		return;
	sum = checksum_finish(checksum_add(traveller->sum, payload + 8, 16));
	sum = sum ? sum : 0xffff;
	memcpy(payload - 2, &sum, sizeof(sum));
}

/* The headers of one that was echoed: addresses and ports exchanged. */
static bool is_echo(const struct traveller *traveller, const uint8_t *packet)
{
	const uint8_t *sent = traveller->bytes + ETHER_HDR_LEN, *ip = packet + ETHER_HDR_LEN;
	const uint8_t *udp = packet + traveller->payload - UDP_LEN;
	const uint8_t *sent_udp = traveller->bytes + traveller->payload - UDP_LEN;
	bool six = traveller->options.to.family == AF_INET6;
	size_t from = six ? 8 : 12, size = six ? 16 : 4;

	if (six ? ip[0] >> 4 != 6 || ip[6] != IPPROTO_UDP : ip[0] != 0x45 || ip[9] != IPPROTO_UDP)
		return false;
	return !memcmp(ip + from, sent + from + size, size) &&
	       !memcmp(ip + from + size, sent + from, size) &&
	       !memcmp(udp, sent_udp + 2, 2) && !memcmp(udp + 2, sent_udp, 2) &&
	       !memcmp(udp + 4, sent_udp + 4, 2);
}

bool traveller_read(const struct traveller *traveller, const uint8_t *packet, size_t len,
		    uint64_t *number)
{
	const uint8_t *payload = packet + traveller->payload;

	/* A short one may have been filled up, and is longer then. */
	if (len < traveller->options.size || memcmp(packet + 12, traveller->bytes + 12, 2) ||
	    read64(payload) != traveller->options.id)
		return false;
	/* Sent back as it is, or our own that somebody else has seen. */
	if (traveller->options.is_reflected ?
	    !memcmp(packet + MAC_SIZE, traveller->options.from_mac, MAC_SIZE) :
	    !is_echo(traveller, packet))
		return false;
	*number = read64(payload + 8);
	return true;
}

char *traveller_filter(const struct traveller_options *options, char text[TRAVELLER_FILTER])
{
	char from[ADDRESS_TEXT], to[ADDRESS_TEXT];

	if (options->is_reflected)
		snprintf(text, TRAVELLER_FILTER, "ether proto %#x and ether[14:4] = %#x and "
			 "ether[18:4] = %#x", ETHERTYPE_LOCAL, (unsigned int)(options->id >> 32),
			 (unsigned int)options->id);
	else
		snprintf(text, TRAVELLER_FILTER, "src host %s and dst host %s and udp src port %u "
			 "and udp dst port %u", address_say(to, &options->to),
			 address_say(from, &options->from), options->to_port, options->from_port);
	return text;
}
