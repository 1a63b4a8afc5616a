/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "requests.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "reply.h"

const uint8_t own_mac[6] = { 2, 0, 0, 0, 0x66, 2 };
const uint8_t other_mac[6] = { 2, 0, 0, 0, 0x66, 1 };

struct responder requests_responder(void)
{
	struct responder responder = { .ports = { 7, 9 }, .ipv4_count = 2, .ipv6_count = 2 };

	memcpy(responder.mac, own_mac, 6);
	inet_pton(AF_INET, "10.66.0.2", &responder.ipv4[0]);
	inet_pton(AF_INET, "192.0.2.2", &responder.ipv4[1]);
	inet_pton(AF_INET6, "fd66::2", &responder.ipv6[0]);
	inet_pton(AF_INET6, "fe80::66:2", &responder.ipv6[1]);
	return responder;
}

/* ---- packets ---- */

uint8_t *add(struct packet *packet, const void *data, size_t len)
{
	uint8_t *at = packet->data + packet->len;

	if (packet->len + len > sizeof(packet->data))
		abort();
	if (data)
		memcpy(at, data, len);
	packet->len += len;
	return at;
}

void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void add16(struct packet *packet, size_t value)
{
	put16(add(packet, NULL, 2), value);
}

void ethernet(struct packet *packet, int tags, uint16_t type)
{
	memset(packet, 0, sizeof(*packet));
	add(packet, own_mac, 6);
	add(packet, other_mac, 6);
	for (int i = 0; i < tags; i++) {
		add16(packet, i + 1 < tags ? 0x88a8 : 0x8100);
		add16(packet, 0x2000 + (size_t)i);
	}
	add16(packet, type);
	packet->ip = packet->len;
}

void arp(struct packet *packet, int tags, const char *from, const char *target)
{
	ethernet(packet, tags, 0x0806);
	memset(packet->data, 0xff, 6);
	add(packet, "\0\1\x08\0\6\4\0\1", 8);
	add(packet, other_mac, 6);
	inet_pton(AF_INET, from, add(packet, NULL, 4));
	add(packet, NULL, 6);
	inet_pton(AF_INET, target, add(packet, NULL, 4));
}

void ipv4_checksum(struct packet *packet)
{
	uint8_t *ip = packet->data + packet->ip;

	put16(ip + 10, 0);
	put16(ip + 10, reply_checksum(NULL, 0, ip, packet->payload - packet->ip));
}

void ipv4(struct packet *packet, int tags, uint8_t protocol, const char *options,
		 size_t options_len, size_t len)
{
	uint8_t *ip;

	ethernet(packet, tags, 0x0800);
	ip = add(packet, NULL, 20);
	add(packet, options, options_len);
	packet->payload = packet->len;
	ip[0] = (uint8_t)(0x45 + options_len / 4);
	put16(ip + 2, 20 + options_len + len);
	put16(ip + 4, 0x1234);
	ip[6] = 0x40;
	ip[8] = 3;
	ip[9] = protocol;
	inet_pton(AF_INET, "10.66.0.1", ip + 12);
	inet_pton(AF_INET, "10.66.0.2", ip + 16);
	ipv4_checksum(packet);
}

void ipv6(struct packet *packet, int tags, uint8_t next, size_t len)
{
	uint8_t *ip;

	ethernet(packet, tags, 0x86dd);
	ip = add(packet, NULL, 40);
	packet->payload = packet->len;
	ip[0] = 0x60;
	ip[3] = 0x77;
	put16(ip + 4, len);
	ip[6] = next;
	ip[7] = 9;
	inet_pton(AF_INET6, "fd66::1", ip + 8);
	inet_pton(AF_INET6, "fd66::2", ip + 24);
}

void fill(struct packet *packet, size_t len)
{
	uint8_t *at = add(packet, NULL, len);

	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(i * 7 + 3);
}

void icmpv6_checksum(struct packet *packet)
{
	uint8_t *icmp = packet->data + packet->payload;

	put16(icmp + 2, 0);
	put16(icmp + 2, reply_pseudo_checksum(packet->data + packet->ip + 8, 32, 58, icmp,
					      packet->len - packet->payload));
}

void ping(struct packet *packet, int tags, size_t len)
{
	uint8_t *icmp;

	ipv4(packet, tags, 1, NULL, 0, 8 + len);
	icmp = add(packet, "\x08\0\0\0\x12\x34\0\1", 8);
	fill(packet, len);
	put16(icmp + 2, reply_checksum(NULL, 0, icmp, 8 + len));
}

void ping6(struct packet *packet, int tags, size_t len)
{
	ipv6(packet, tags, 58, 8 + len);
	add(packet, "\x80\0\0\0\x12\x34\0\1", 8);
	fill(packet, len);
	icmpv6_checksum(packet);
}

void udp_checksum(struct packet *packet, bool six)
{
	uint8_t *udp = packet->data + packet->payload;
	uint16_t sum;

	put16(udp + 6, 0);
	sum = reply_pseudo_checksum(packet->data + packet->ip + (six ? 8 : 12), six ? 32 : 8, 17,
				    udp, packet->len - packet->payload);
	put16(udp + 6, sum ? sum : 0xffff);
}

void udp(struct packet *packet, int tags, bool six, uint16_t from, uint16_t to, size_t len)
{
	if (six)
		ipv6(packet, tags, 17, 8 + len);
	else
		ipv4(packet, tags, 17, NULL, 0, 8 + len);
	add16(packet, from);
	add16(packet, to);
	add16(packet, 8 + len);
	add16(packet, 0);
	fill(packet, len);
	udp_checksum(packet, six);
}

void solicit(struct packet *packet, int tags, const char *from, const char *options,
		    size_t options_len)
{
	uint8_t *ip;

	ipv6(packet, tags, 58, 24 + options_len);
	memcpy(packet->data, "\x33\x33\xff\0\0\2", 6);
	ip = packet->data + packet->ip;
	ip[7] = 255;
	inet_pton(AF_INET6, from, ip + 8);
	inet_pton(AF_INET6, "ff02::1:ff00:2", ip + 24);
	add(packet, "\x87\0\0\0\0\0\0", 8);
	inet_pton(AF_INET6, "fd66::2", add(packet, NULL, 16));
	add(packet, options, options_len);
	icmpv6_checksum(packet);
}

enum respond make_good(struct packet *packet, int which, int tags)
{
	switch (which) {
	case 0: return arp(packet, tags, "10.66.0.1", "10.66.0.2"), RESPOND_ARP;
	case 1: return arp(packet, tags, "0.0.0.0", "192.0.2.2"), RESPOND_ARP;
	case 2: return ping(packet, tags, 0), RESPOND_ICMP;
	case 3: return ping(packet, tags, 57), RESPOND_ICMP;
	case 4: return ping(packet, tags, 1472), RESPOND_ICMP;
	case 5: return ping6(packet, tags, 0), RESPOND_ICMPV6;
	case 6: return ping6(packet, tags, 1451), RESPOND_ICMPV6;
	case 7: return udp(packet, tags, false, 4000, 7, 0), RESPOND_UDP;
	case 8: return udp(packet, tags, false, 4000, 9, 333), RESPOND_UDP;
	case 9: return udp(packet, tags, true, 65535, 7, 1), RESPOND_UDP;
	case 10: return udp(packet, tags, true, 10, 8, 1200), RESPOND_UDP;
	case 11: return solicit(packet, tags, "fd66::1", SOURCE_MAC, 8), RESPOND_ND;
	case 12: return solicit(packet, tags, "fe80::1", "", 0), RESPOND_ND;
	case 13: return solicit(packet, tags, "fd66::1", SOURCE_MAC NONCE, 16), RESPOND_ND;
	}
	return solicit(packet, tags, "::", NONCE, 8), RESPOND_ND;
}

uint8_t *payload(struct packet *packet)
{
	return packet->data + packet->payload;
}
