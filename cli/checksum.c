/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "checksum.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "bytes.h"

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

/* Of a part that begins offset bytes behind the start: at an odd place the halves swap. */
static uint64_t add_at(uint64_t sum, size_t offset, const void *data, size_t len)
{
	uint16_t part;

	if (!(offset & 1))
		return checksum_add(sum, data, len);
	part = fold(checksum_add(0, data, len));
	return sum + (uint16_t)(part << 8 | part >> 8);
}

/* What TCP or UDP of a packet is, and the sum of its pseudo header. */
struct payload {
	unsigned char *data;
	size_t len;			/* also of what is in further pieces */
	uint8_t protocol;
	uint64_t pseudo;
};

static uint64_t pseudo_tail(size_t len, uint8_t protocol)
{
	const uint16_t words[2] = { htons((uint16_t)len), htons(protocol) };

	return checksum_add(0, words, sizeof(words));
}

/* Each: first bytes of len are in the first piece. */
static bool find_ipv4(struct payload *ret, unsigned char *ip, size_t first, size_t len)
{
	size_t header, total;

	if (first < 20 || ip[0] >> 4 != 4)
		return false;
	header = (size_t)(ip[0] & 15) * 4;
	total = read16(ip + 2);
	/* No fragment: no offset, and none that follow. */
	if (header < 20 || header > first || total < header || total > len ||
	    (read16(ip + 6) & 0x3fff))
		return false;
	*ret = (struct payload){ ip + header, total - header, ip[9], 0 };
	ret->pseudo = checksum_add(pseudo_tail(ret->len, ret->protocol), ip + 12, 8);
	return true;
}

static bool find_ipv6(struct payload *ret, unsigned char *ip, size_t first, size_t len)
{
	size_t total;

	if (first < 40 || ip[0] >> 4 != 6)
		return false;
	total = read16(ip + 4);
	if (total > len - 40)
		return false;
	*ret = (struct payload){ ip + 40, total, ip[6], 0 };
	ret->pseudo = checksum_add(pseudo_tail(ret->len, ret->protocol), ip + 8, 32);
	return true;
}

static bool find_payload(struct payload *ret, unsigned char *packet, size_t first, size_t len)
{
	size_t at = ETHER_HDR_LEN;
	uint16_t type;

	for (int tags = 0; first >= at; tags++, at += 4) {
		type = read16(packet + at - 2);
		if (type == ETHERTYPE_IP)
			return find_ipv4(ret, packet + at, first - at, len - at);
		if (type == ETHERTYPE_IPV6)
			return find_ipv6(ret, packet + at, first - at, len - at);
		if ((type != ETHERTYPE_VLAN && type != ETHERTYPE_SVLAN) || tags == 2)
			return false;
	}
	return false;
}

/* The sum of the payload, which ends before the last piece does. */
static uint64_t add_payload(const struct payload *payload, const struct iovec *pieces, int count)
{
	size_t begin = (size_t)(payload->data - (unsigned char *)pieces[0].iov_base);
	size_t len = pieces[0].iov_len - begin, done = 0;
	uint64_t sum = 0;

	for (int i = 0; i < count && done < payload->len; i++) {
		const unsigned char *data = i ? pieces[i].iov_base : payload->data;

		len = i ? pieces[i].iov_len : len;
		if (len > payload->len - done)
			len = payload->len - done;
		sum = add_at(sum, done, data, len);
		done += len;
	}
	return sum;
}

/* Where the checksum is, if it was left; NULL: it was not. */
static unsigned char *find_left(struct payload *payload, const struct iovec *pieces, int count)
{
	size_t len = 0, first, least;
	unsigned char *at;
	uint16_t sum;
	bool udp;

	for (int i = 0; i < count; i++)
		len += pieces[i].iov_len;
	if (!count || !find_payload(payload, pieces[0].iov_base, pieces[0].iov_len, len))
		return NULL;
	udp = payload->protocol == IPPROTO_UDP;
	least = udp ? MIN_UDP : MIN_TCP;
	first = pieces[0].iov_len - (size_t)(payload->data - (unsigned char *)pieces[0].iov_base);
	if ((!udp && payload->protocol != IPPROTO_TCP) || payload->len < least || first < least)
		return NULL;
	at = payload->data + (udp ? CHECKSUM_OF_UDP : CHECKSUM_OF_TCP);
	memcpy(&sum, at, sizeof(sum));
	return sum == fold(payload->pseudo) ? at : NULL;
}

bool checksum_is_left(const struct iovec *pieces, int count)
{
	struct payload payload;

	return find_left(&payload, pieces, count);
}

bool checksum_complete_pieces(const struct iovec *pieces, int count)
{
	struct payload payload;
	unsigned char *at = find_left(&payload, pieces, count);
	uint16_t sum;

	if (!at)
		return false;
	/* The pseudo header's sum stands in the place: it is added already. */
	sum = checksum_finish(add_payload(&payload, pieces, count));
	if (payload.protocol == IPPROTO_UDP && !sum)
		sum = 0xffff;
	memcpy(at, &sum, sizeof(sum));
	return true;
}

bool checksum_complete(void *packet, size_t len)
{
	const struct iovec piece = { .iov_base = packet, .iov_len = len };

	return checksum_complete_pieces(&piece, 1);
}
