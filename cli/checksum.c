/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "checksum.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#define ETHERTYPE_SVLAN 0x88a8
#define MIN_TCP 20
#define MIN_UDP 8
#define CHECKSUM_OF_TCP 16
#define CHECKSUM_OF_UDP 6

uint64_t checksum_add(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *bytes = data;
	uint32_t word;
	uint16_t half;

	for (; len >= sizeof(word); len -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		sum += word;
	}
	if (len >= sizeof(half)) {
		memcpy(&half, bytes, sizeof(half));
		sum += half;
		bytes += sizeof(half);
		len -= sizeof(half);
	}
	if (len) {
		half = 0;
		memcpy(&half, bytes, 1);
		sum += half;
	}
	return sum;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t checksum_finish(uint64_t sum)
{
	return (uint16_t)~fold(sum);
}

/* What TCP or UDP of a packet is, and the sum of its pseudo header. */
struct payload {
	unsigned char *data;
	size_t len;
	uint8_t protocol;
	uint64_t pseudo;
};

static uint16_t read_half(const unsigned char *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint64_t pseudo_tail(size_t len, uint8_t protocol)
{
	const uint16_t words[2] = { htons((uint16_t)len), htons(protocol) };

	return checksum_add(0, words, sizeof(words));
}

static bool find_ipv4(struct payload *ret, unsigned char *ip, size_t len)
{
	size_t header, total;

	if (len < 20 || ip[0] >> 4 != 4)
		return false;
	header = (size_t)(ip[0] & 15) * 4;
	total = read_half(ip + 2);
	/* No fragment: no offset, and none that follow. */
	if (header < 20 || total < header || total > len || (read_half(ip + 6) & 0x3fff))
		return false;
	*ret = (struct payload){ ip + header, total - header, ip[9], 0 };
	ret->pseudo = checksum_add(pseudo_tail(ret->len, ret->protocol), ip + 12, 8);
	return true;
}

static bool find_ipv6(struct payload *ret, unsigned char *ip, size_t len)
{
	size_t total;

	if (len < 40 || ip[0] >> 4 != 6)
		return false;
	total = read_half(ip + 4);
	if (total > len - 40)
		return false;
	*ret = (struct payload){ ip + 40, total, ip[6], 0 };
	ret->pseudo = checksum_add(pseudo_tail(ret->len, ret->protocol), ip + 8, 32);
	return true;
}

static bool find_payload(struct payload *ret, unsigned char *packet, size_t len)
{
	size_t at = ETHER_HDR_LEN;
	uint16_t type;

	for (int tags = 0; len >= at; tags++, at += 4) {
		type = read_half(packet + at - 2);
		if (type == ETHERTYPE_IP)
			return find_ipv4(ret, packet + at, len - at);
		if (type == ETHERTYPE_IPV6)
			return find_ipv6(ret, packet + at, len - at);
		if ((type != ETHERTYPE_VLAN && type != ETHERTYPE_SVLAN) || tags == 2)
			return false;
	}
	return false;
}

bool checksum_complete(void *packet, size_t len)
{
	struct payload payload;
	unsigned char *at;
	uint16_t sum;
	bool udp;

	if (!find_payload(&payload, packet, len))
		return false;
	udp = payload.protocol == IPPROTO_UDP;
	if ((!udp && payload.protocol != IPPROTO_TCP) || payload.len < (udp ? MIN_UDP : MIN_TCP))
		return false;
	at = payload.data + (udp ? CHECKSUM_OF_UDP : CHECKSUM_OF_TCP);
	memcpy(&sum, at, sizeof(sum));
	if (sum != fold(payload.pseudo))
		return false;
	/* That sum stands in the place: it is the pseudo header's part already. */
	sum = checksum_finish(checksum_add(0, payload.data, payload.len));
	if (udp && !sum)
		sum = 0xffff;
	memcpy(at, &sum, sizeof(sum));
	return true;
}
