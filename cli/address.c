/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

size_t address_size(const struct address *address)
{
	return address->family == AF_INET ? 4 : 16;
}

bool address_read(struct address *ret, const char *text)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct address address;

	for (int i = 0; i < 2; i++) {
		memset(&address, 0, sizeof(address));
		address.family = families[i];
		if (inet_pton(families[i], text, address.bytes) != 1)
			continue;
		*ret = address;
		return true;
	}
	return false;
}

char *address_say(char text[ADDRESS_TEXT], const struct address *address)
{
	if (!inet_ntop(address->family, address->bytes, text, ADDRESS_TEXT))
		text[0] = '\0';
	return text;
}

void address_add(struct address *address, uint64_t n)
{
	unsigned __int128 carry = n;

	for (size_t i = address_size(address); i-- && carry; carry >>= 8) {
		carry += address->bytes[i];
		address->bytes[i] = (unsigned char)carry;
	}
}

/* The number of addresses up to the last one. False: it stands before, or is too far. */
static bool count_to(uint64_t *ret, const struct address *first, const struct address *last)
{
	size_t size = address_size(first);
	unsigned __int128 from = 0, to = 0;

	if (first->family != last->family)
		return false;
	for (size_t i = 0; i < size; i++) {
		from = from << 8 | first->bytes[i];
		to = to << 8 | last->bytes[i];
	}
	if (to < from || to - from >= UINT64_MAX)
		return false;
	*ret = (uint64_t)(to - from) + 1;
	return true;
}

bool address_read_range(struct address_range *ret, const char *text)
{
	size_t len = strcspn(text, "-");
	char first_text[ADDRESS_TEXT] = "";
	struct address_range range;
	struct address last;

	if (len >= sizeof(first_text))
		return false;
	memcpy(first_text, text, len);
	if (!address_read(&range.first, first_text))
		return false;
	last = range.first;
	if (text[len] && !address_read(&last, text + len + 1))
		return false;
	if (!count_to(&range.count, &range.first, &last))
		return false;
	*ret = range;
	return true;
}

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

bool mac_read(struct mac *ret, const char *text)
{
	struct mac mac = { .is_set = true };

	for (int i = 0; i < MAC_SIZE; i++, text += 3) {
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
		    text[2] != (i < MAC_SIZE - 1 ? ':' : '\0'))
			return false;
		mac.bytes[i] = (unsigned char)(digit(text[0]) << 4 | digit(text[1]));
	}
	*ret = mac;
	return true;
}

bool address_multicast_mac(const struct address *address, unsigned char mac[MAC_SIZE])
{
	static const unsigned char all[4] = { 255, 255, 255, 255 };
	const unsigned char *bytes = address->bytes;

	if (address->family == AF_INET6 && bytes[0] == 0xff) {
		memcpy(mac, (unsigned char[]){ 0x33, 0x33 }, 2);
		memcpy(mac + 2, bytes + 12, 4);
		return true;
	}
	if (address->family == AF_INET && !memcmp(bytes, all, sizeof(all))) {
		memset(mac, 0xff, MAC_SIZE);
		return true;
	}
	if (address->family == AF_INET && bytes[0] >> 4 == 0xe) {
		memcpy(mac, (unsigned char[]){ 0x01, 0x00, 0x5e, bytes[1] & 0x7f }, 4);
		memcpy(mac + 4, bytes + 2, 2);
		return true;
	}
	return false;
}

bool arg_addresses(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	(void)arg;
	if (address_read_range(field, text))
		return true;
	snprintf(why, ARG_WHY, "it must be an address or a range, as 10.0.0.1, fd00::1, "
		 "10.0.0.1-10.0.0.9");
	return false;
}

bool arg_mac(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	(void)arg;
	if (mac_read(field, text))
		return true;
	snprintf(why, ARG_WHY, "it must be a MAC address, as 02:00:00:00:00:01");
	return false;
}
