/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "packets.h"

#include <string.h>

#define MACS "\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
#define IPV4(protocol, fragment) "\x45\0\0\x2e\0\x01" fragment "\x40" protocol "\0\0" \
				 "\x0a\0\0\x01\x0a\0\0\x02"
#define IPV6(next) "\x60\0\0\0\0\x28" next "\x40" \
		   "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"
#define UDP "\x30\x39\0\x35\0\x1a\0\0"
#define TCP "\0\x16\x30\x39\0\0\0\x01\0\0\0\x02\x50\x12\xff\xff\0\0\0\0"
#define OPTIONS(next) next "\0\0\0\0\0\0\0"

#define PACKET(bytes) { (bytes), sizeof(bytes) - 1 }

static const struct {
	const char *bytes;
	size_t len;
} packets[PACKETS] = {
	PACKET(""),
	PACKET(MACS "\x08\0" IPV4("\x11", "\0\0") UDP "words in it"),
	PACKET(MACS "\x08\0" IPV4("\x06", "\x40\0") TCP "words in it"),
	PACKET(MACS "\x08\0" IPV4("\x11", "\0\xb9") UDP),
	PACKET(MACS "\x08\0" IPV4("\x01", "\0\0") "\x08\0\0\0\0\x01\0\x01"),
	PACKET(MACS "\x08\0" "\x46\0\0\x20\0\x01\0\0\x40\x11\0\0"
	       "\x0a\0\0\x01\x0a\0\0\x02\x01\x01\0\0" UDP),
	PACKET(MACS "\x86\xdd" IPV6("\x11") UDP "words in it"),
	PACKET(MACS "\x86\xdd" IPV6("\0") OPTIONS("\x2c") "\x06\0\0\0\0\0\0\x01" TCP),
	PACKET(MACS "\x86\xdd" IPV6("\x3a") "\x87\0\0\0\0\0\0\0"),
	PACKET(MACS "\x08\x06\0\x01\x08\0\x06\x04\0\x01\x02\0\0\0\0\x02\x0a\0\0\x01\0\0\0\0\0\0"
	       "\x0a\0\0\x02"),
	PACKET(MACS "\x81\0\0\x05\x08\0" IPV4("\x11", "\0\0") UDP),
	PACKET(MACS "\x88\xa8\0\x07\x81\0\0\x05\x86\xdd" IPV6("\x06") TCP),
};

size_t packets_fill(uint8_t *to, size_t len, unsigned int which, uint8_t seed)
{
	size_t own = packets[which % PACKETS].len;

	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(i * seed);
	memcpy(to, packets[which % PACKETS].bytes, own < len ? own : len);
	return own;
}
