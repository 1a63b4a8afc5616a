/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "reply.h"

#include <stdbool.h>
#include <string.h>

#define CHECK(condition) \
	do { \
		if (!(condition)) \
			return #condition; \
	} while (0)

static uint16_t half(const uint8_t *at)
{
	return (uint16_t)(at[0] * 256 + at[1]);
}

static uint32_t add_halves(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i += 2) {
		sum += (uint32_t)data[i] << 8 | (i + 1 < len ? data[i + 1] : 0);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

uint16_t reply_checksum(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	return (uint16_t)~add_halves(add_halves(0, a, a_len), b, b_len);
}

uint16_t reply_pseudo_checksum(const uint8_t *addresses, size_t addresses_len, uint8_t protocol,
			       const uint8_t *payload, size_t len)
{
	uint8_t head[36];

	memcpy(head, addresses, addresses_len);
	memcpy(head + addresses_len, (uint8_t[]){ 0, protocol, (uint8_t)(len >> 8),
						  (uint8_t)len }, 4);
	return reply_checksum(head, addresses_len + 4, payload, len);
}

/* Two packets of IP: where their headers are, and what is behind. */
struct pair {
	const uint8_t *before, *after;		/* the headers */
	size_t header;
	size_t address, address_len;		/* the source's offset, the destination behind it */
	size_t len;				/* of what they carry */
};

static uint16_t pseudo_of(const struct pair *pair, const uint8_t *ip, uint8_t protocol, size_t len)
{
	return reply_pseudo_checksum(ip + pair->address, 2 * pair->address_len, protocol,
				     ip + pair->header, len);
}

static const char *check_addresses(const struct pair *pair)
{
	const uint8_t *before = pair->before + pair->address, *after = pair->after + pair->address;
	size_t len = pair->address_len;

	CHECK(!memcmp(before, after + len, len));
	CHECK(!memcmp(before + len, after, len));
	return NULL;
}

static const char *check_udp(const struct pair *pair)
{
	const uint8_t *before = pair->before + pair->header, *after = pair->after + pair->header;
	size_t len = half(before + 4);
	uint16_t was, is;

	CHECK(!memcmp(before, after + 2, 2) && !memcmp(before + 2, after, 2));
	CHECK(!memcmp(before + 4, after + 4, 2));
	CHECK(!memcmp(before + 8, after + 8, pair->len - 8));
	was = pseudo_of(pair, pair->before, 17, len);
	is = pseudo_of(pair, pair->after, 17, len);
	/* It was right and is, or it was left and is right, or it is as wrong as it was. */
	CHECK(!is || is == was);
	CHECK(was || !memcmp(before + 6, after + 6, 2));
	return NULL;
}

static const char *check_icmp(const struct pair *pair, uint8_t asks, uint8_t answers, bool pseudo)
{
	const uint8_t *before = pair->before + pair->header, *after = pair->after + pair->header;
	uint16_t was, is;

	CHECK(before[0] == asks && after[0] == answers && !before[1] && !after[1]);
	CHECK(!memcmp(before + 4, after + 4, pair->len - 4));
	was = pseudo ? pseudo_of(pair, pair->before, 58, pair->len) :
		       reply_checksum(NULL, 0, before, pair->len);
	is = pseudo ? pseudo_of(pair, pair->after, 58, pair->len) :
		      reply_checksum(NULL, 0, after, pair->len);
	/* Of zeros alone the checksum is all ones, and that of a wrong one is what it is. */
	CHECK(is == was || (!was && is == 0xffff) || (was == 0xffff && !is));
	return NULL;
}

static const char *check_ipv4(const struct reply *reply, size_t at)
{
	struct pair pair = { reply->request + at, reply->reply + at, 0, 12, 4, 0 };
	const char *wrong = check_addresses(&pair);

	if (wrong)
		return wrong;
	pair.header = (size_t)(pair.after[0] & 15) * 4;
	pair.len = half(pair.after + 2) - pair.header;
	CHECK(reply->reply_len == reply->request_len);
	CHECK(!memcmp(pair.before, pair.after, 8) && pair.before[9] == pair.after[9]);
	CHECK(!(half(pair.after + 6) & 0x3fff));
	CHECK(!memcmp(pair.before + 20, pair.after + 20, pair.header - 20));
	CHECK(pair.after[8] == 64);
	CHECK(!reply_checksum(NULL, 0, pair.after, pair.header));
	CHECK(pair.after[9] == (reply->kind == RESPOND_UDP ? 17 : 1));
	return reply->kind == RESPOND_UDP ? check_udp(&pair) : check_icmp(&pair, 8, 0, false);
}

static const char *check_ipv6(const struct reply *reply, size_t at)
{
	struct pair pair = { reply->request + at, reply->reply + at, 40, 8, 16, 0 };
	const char *wrong = check_addresses(&pair);

	if (wrong)
		return wrong;
	pair.len = half(pair.after + 4);
	CHECK(reply->reply_len == reply->request_len);
	CHECK(!memcmp(pair.before, pair.after, 7) && pair.after[7] == 64);
	CHECK(pair.after[6] == (reply->kind == RESPOND_UDP ? 17 : 58));
	return reply->kind == RESPOND_UDP ? check_udp(&pair) : check_icmp(&pair, 128, 129, true);
}

static const char *check_nd(const struct reply *reply, const uint8_t mac[6], size_t at)
{
	static const uint8_t nowhere[16], all[16] = { 0xff, 2, [15] = 1 };
	const uint8_t *before = reply->request + at, *after = reply->reply + at;
	const uint8_t *icmp = after + 40;
	bool to_all = !memcmp(before + 8, nowhere, 16);

	CHECK(reply->reply_len == at + 72);
	CHECK(after[0] == 0x60 && half(after + 4) == 32 && after[6] == 58 && after[7] == 255);
	CHECK(!memcmp(after + 24, to_all ? all : before + 8, 16));
	CHECK(!memcmp(after + 8, before + 48, 16) && !memcmp(icmp + 8, before + 48, 16));
	CHECK(icmp[0] == 136 && !icmp[1] && (icmp[4] & 0x60) == (to_all ? 0x20 : 0x60));
	CHECK(icmp[24] == 2 && icmp[25] == 1 && !memcmp(icmp + 26, mac, 6));
	CHECK(!reply_pseudo_checksum(after + 8, 32, 58, icmp, 32));
	CHECK(!to_all || !memcmp(reply->reply, "\x33\x33\0\0\0\1", 6));
	CHECK(to_all || !memcmp(reply->reply, reply->request + 6, 6));
	return NULL;
}

static const char *check_arp(const struct reply *reply, const uint8_t mac[6], size_t at)
{
	const uint8_t *before = reply->request + at, *after = reply->reply + at;

	CHECK(reply->reply_len == reply->request_len && reply->reply_len >= at + 28);
	CHECK(!memcmp(after, "\0\1\x08\0\6\4\0\2", 8) && !memcmp(before, "\0\1\x08\0\6\4\0\1", 8));
	CHECK(!memcmp(after + 8, mac, 6) && !memcmp(after + 14, before + 24, 4));
	CHECK(!memcmp(after + 18, before + 8, 10));
	return NULL;
}

const char *reply_check(const struct reply *reply, const uint8_t mac[6])
{
	size_t at = 14;

	CHECK(reply->reply_len >= at);
	CHECK(!memcmp(reply->reply + 6, mac, 6) && !(reply->request[6] & 1));
	if (reply->kind != RESPOND_ND)
		CHECK(!memcmp(reply->reply, reply->request + 6, 6));
	while (half(reply->reply + at - 2) == 0x8100 || half(reply->reply + at - 2) == 0x88a8)
		at += 4;
	CHECK(at <= 22 && !memcmp(reply->request + 12, reply->reply + 12, at - 12));
	switch (half(reply->reply + at - 2)) {
	case 0x0806:
		CHECK(reply->kind == RESPOND_ARP);
		return check_arp(reply, mac, at);
	case 0x0800:
		CHECK(reply->kind == RESPOND_ICMP || reply->kind == RESPOND_UDP);
		return check_ipv4(reply, at);
	}
	CHECK(half(reply->reply + at - 2) == 0x86dd);
	if (reply->kind == RESPOND_ND)
		return check_nd(reply, mac, at);
	CHECK(reply->kind == RESPOND_ICMPV6 || reply->kind == RESPOND_UDP);
	return check_ipv6(reply, at);
}
