/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "filter_packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MACS "020000000001" "020000000002"
#define TO_ALL "ffffffffffff" "020000000002"
#define TO_GROUP "01005e0000fb" "020000000002"

#define HOST1 "0a000001"
#define HOST2 "0a000002"
/* Of IPv4: words of the header, the flags and offset of fragments, the protocol. */
#define IP4_OF(words, fragment, proto, src, dst) \
	"4" words "000040" "1234" fragment "40" proto "0000" src dst
#define IP4(proto) IP4_OF("5", "0000", proto, HOST1, HOST2)
#define IP4_BACK(proto) IP4_OF("5", "4000", proto, HOST2, HOST1)
#define HOST61 "20010db8000000000000000000000001"
#define HOST62 "20010db8000000000000000000000002"
#define IP6(next) "60000000" "0028" next "40" HOST61 HOST62
#define IP6_BACK(next) "6ff12345" "0028" next "40" HOST62 HOST61

#define UDP(src, dst) src dst "0020" "0000"
#define DNS "0035"
#define HIGH "c350"
#define TCP(src, dst, flags) src dst "00000001" "00000002" "50" flags "1000" "0000" "0000"
#define SYN "02"
#define ACK "10"
#define FIN "11"
#define RST "14"
#define SOME "0102030405060708090a0b0c0d0e0f10"
#define DNS_QUERY UDP(HIGH, DNS) "1234010000010000000000000377777700010001"

#define ARP(op) "0806" "0001080006040001" "020000000002" HOST2 op "000000000000" HOST1
#define LLC(dsap, ssap, control) "0020" dsap ssap control

static const char *const kinds[] = {
	/* IPv4. */
	MACS "0800" IP4("11") DNS_QUERY,
	MACS "0800" IP4("11") UDP(DNS, HIGH) SOME,
	MACS "0800" IP4_BACK("11") UDP(DNS, DNS) SOME,
	MACS "0800" IP4_BACK("11") UDP("0044", "0043") SOME,
	MACS "0800" IP4_BACK("11") UDP("0043", "0044") SOME,
	MACS "0800" IP4("06") TCP(HIGH, "0050", SYN),
	MACS "0800" IP4("06") TCP("0050", HIGH, "12"),
	MACS "0800" IP4("06") TCP(HIGH, "0016", ACK) SOME,
	MACS "0800" IP4_BACK("06") TCP("0016", HIGH, "18") SOME,
	MACS "0800" IP4("06") TCP("01bb", "01bb", FIN),
	MACS "0800" IP4("06") TCP("0015", "1770", RST),
	MACS "0800" IP4("06") TCP(HIGH, "0050", "18") "474554202f20485454502f312e310d0a",
	MACS "0800" IP4("84") "00500050" "00000001" "00000000" SOME,
	MACS "0800" IP4("01") "08000000" "00010001" SOME,
	MACS "0800" IP4_BACK("01") "00000000" "00010001" SOME,
	MACS "0800" IP4("01") "03030000" "00000000" IP4("11") UDP(HIGH, DNS),
	MACS "0800" IP4("01") "0b000000" "00000000" IP4("06") "12345678",
	MACS "0800" IP4("02") "16000000" "00000000",
	MACS "0800" IP4("09") SOME,
	MACS "0800" IP4("2f") "0000" "0800" IP4("11") UDP(HIGH, DNS),
	MACS "0800" IP4("32") SOME SOME,
	MACS "0800" IP4("67") SOME,
	MACS "0800" IP4("70") "2101640000010000" SOME,
	MACS "0800" IP4("04") IP4("11") UDP(HIGH, DNS) SOME,
	MACS "0800" IP4("29") IP6("3a") "80000000" SOME,
	MACS "0800" IP4("fe") SOME,
	/* With options, with fragments, with lengths that lie. */
	MACS "0800" IP4_OF("6", "0000", "11", HOST1, HOST2) "94040000" UDP(HIGH, DNS) SOME,
	MACS "0800" IP4_OF("7", "0000", "06", HOST1, HOST2) "9404000001010101"
		TCP(HIGH, "0016", SYN),
	MACS "0800" IP4_OF("f", "0000", "11", HOST2, HOST1) SOME SOME "0101010101010101"
		UDP(DNS, HIGH) SOME,
	MACS "0800" IP4_OF("4", "0000", "11", HOST1, HOST2) UDP(HIGH, DNS) SOME,
	MACS "0800" IP4_OF("0", "0000", "11", HOST1, HOST2) UDP(HIGH, DNS) SOME,
	MACS "0800" IP4_OF("5", "2000", "11", HOST1, HOST2) UDP(HIGH, DNS) SOME,
	MACS "0800" IP4_OF("5", "2001", "11", HOST1, HOST2) UDP(HIGH, DNS) SOME,
	MACS "0800" IP4_OF("5", "00b9", "06", HOST1, HOST2) TCP(HIGH, "0016", ACK),
	MACS "0800" IP4_OF("5", "8000", "06", HOST1, HOST2) TCP(HIGH, "0016", ACK),
	MACS "0800" IP4_OF("5", "1fff", "01", HOST1, HOST2) SOME,
	TO_ALL "0800" IP4_OF("5", "0000", "11", "00000000", "ffffffff") UDP("0044", "0043") SOME,
	TO_GROUP "0800" IP4_OF("5", "0000", "11", HOST2, "e00000fb") UDP("14e9", "14e9") SOME,
	MACS "0800" IP4_OF("5", "0000", "11", "c0a80101", "ac100001") UDP(HIGH, HIGH) SOME,
	MACS "0800" IP4_OF("5", "0000", "33", HOST1, HOST2) "3b010000" SOME SOME,
	/* IPv6. */
	MACS "86dd" IP6("11") DNS_QUERY,
	MACS "86dd" IP6_BACK("11") UDP(DNS, HIGH) SOME,
	MACS "86dd" IP6("11") UDP("0222", "0223") SOME,
	MACS "86dd" IP6("11") UDP("0223", "0222") SOME,
	MACS "86dd" IP6("06") TCP(HIGH, "0016", SYN),
	MACS "86dd" IP6_BACK("06") TCP("0050", HIGH, "12") SOME,
	MACS "86dd" IP6("84") "00500050" "00000001" "00000000" SOME,
	MACS "86dd" IP6("3a") "80000000" "00010001" SOME,
	MACS "86dd" IP6("3a") "81000000" "00010001" SOME,
	MACS "86dd" IP6("3a") "01000000" "00000000" SOME,
	MACS "86dd" IP6("3a") "85000000" "00000000" "0101020000000002",
	MACS "86dd" IP6("3a") "87000000" "00000000" HOST62 "0101020000000002",
	MACS "86dd" IP6("3a") "88000000" "60000000" HOST62,
	MACS "86dd" IP6("3a") "89000000" "00000000" HOST62,
	MACS "86dd" IP6("3a") "8a000000" "00000000" HOST62,
	MACS "86dd" IP6("3b"),
	MACS "86dd" IP6("32") SOME SOME,
	MACS "86dd" IP6("67") SOME,
	MACS "86dd" IP6("70") "3101640000010000" SOME,
	MACS "86dd" IP6("04") IP4("11") UDP(HIGH, DNS),
	"333300000001" "020000000002" "86dd" "60000000" "0020" "00" "01"
		"fe800000000000000000000000000002" "ff020000000000000000000000000001"
		"3a00050200000000" "8f000000" "00000001" SOME,
	/* With extension headers. */
	MACS "86dd" IP6("00") "11000104000000ff" UDP(HIGH, DNS) SOME,
	MACS "86dd" IP6("00") "3a00010400000000" "87000000" "00000000" HOST62,
	MACS "86dd" IP6("00") "2b00010400000000" "3c00010400000000" "0600010400000000"
		TCP(HIGH, "0016", SYN),
	MACS "86dd" IP6("3c") "1101010400000000" "0000000000000000" UDP(HIGH, DNS) SOME,
	MACS "86dd" IP6("2c") "1100000000001234" UDP(HIGH, DNS) SOME,
	MACS "86dd" IP6("2c") "1100000100001234" UDP(HIGH, DNS) SOME,
	MACS "86dd" IP6("2c") "0600000800001234" TCP(HIGH, "0016", SYN),
	MACS "86dd" IP6("2c") "3a00000800001234" SOME,
	MACS "86dd" IP6("2c") "2c00000000001234" "1100000600001234" UDP(HIGH, DNS),
	MACS "86dd" IP6("00") "2c00010400000000" "3a00000100001234" "85000000" "00000000",
	MACS "86dd" IP6("00") "00ff" SOME SOME SOME,
	/* Tags of VLANs. */
	MACS "8100" "0005" "0800" IP4("11") DNS_QUERY,
	MACS "8100" "e005" "0800" IP4("06") TCP(HIGH, "0016", SYN),
	MACS "8100" "0007" "0806" "0001080006040001" "020000000002" HOST2 "000000000000" HOST1,
	MACS "8100" "0005" "86dd" IP6("11") DNS_QUERY,
	MACS "8100" "0005" "86dd" IP6("3a") "87000000" "00000000" HOST62,
	MACS "88a8" "0064" "8100" "0005" "0800" IP4("11") DNS_QUERY,
	MACS "8100" "0064" "8100" "0005" "0800" IP4("01") "08000000" "00010001" SOME,
	MACS "9100" "0064" "8100" "0005" "86dd" IP6("06") TCP(HIGH, "0016", SYN),
	MACS "88a8" "0064" "88a8" "0005" "0806" "0001080006040001" SOME SOME,
	MACS "8100" "0001" "8100" "0002" "8100" "0003" "0800" IP4("11") DNS_QUERY,
	MACS "8100" "0001" "88a8" "0002" "8100" "0003" "86dd" IP6("06") TCP(HIGH, "0016", SYN),
	MACS "8100" "0005" LLC("42", "42", "03") "0000000000" SOME,
	/* MPLS. */
	MACS "8847" "000640ff" IP4("11") DNS_QUERY,
	MACS "8847" "00064140" IP6("06") TCP(HIGH, "0050", SYN),
	MACS "8847" "186a00ff" "00007140" IP4("06") TCP(HIGH, "0016", SYN),
	MACS "8848" "00001040" "00002040" "00003140" IP4("01") "08000000" SOME,
	MACS "8100" "0005" "8847" "00010140" IP4("11") DNS_QUERY,
	/* PPPoE. */
	MACS "8863" "11090000" "000c" "0101000001030004" SOME,
	MACS "8864" "11000027" "0040" "0021" IP4("11") DNS_QUERY,
	MACS "8864" "11000027" "0040" "0057" IP6("06") TCP(HIGH, "0050", SYN),
	MACS "8864" "11000001" "0010" "c021" "01010008" SOME,
	MACS "8100" "0005" "8864" "11000027" "0040" "0021" IP4("06") TCP(HIGH, "0016", SYN),
	/* Geneve, in both versions of IP, with options and without. */
	MACS "0800" IP4("11") UDP(HIGH, "17c1") "0000" "6558" "00006400" MACS "0800" IP4("11")
		DNS_QUERY,
	MACS "0800" IP4("11") UDP(HIGH, "17c1") "0200" "6558" "00006400" "0102030405060708" MACS
		"86dd" IP6("06") TCP(HIGH, "0050", SYN),
	MACS "0800" IP4("11") UDP(HIGH, "17c1") "0000" "0800" "00000b00" IP4("06")
		TCP(HIGH, "0016", SYN),
	MACS "86dd" IP6("11") UDP(HIGH, "17c1") "0000" "6558" "00000b00" MACS ARP("0000"),
	MACS "86dd" IP6("11") UDP(HIGH, "17c1") "0100" "86dd" "00000b00" "01020304" IP6("11")
		DNS_QUERY,
	MACS "0800" IP4("11") UDP(HIGH, "17c1") "4000" "6558" "00006400" MACS "8100" "0005"
		"0800" IP4("11") DNS_QUERY,
	/* ARP and its like, and what is old. */
	TO_ALL ARP("0000"),
	MACS ARP("0000") "000000000000000000000000000000000000",
	MACS "8035" "0001080006040003" "020000000002" HOST2 "020000000002" HOST2,
	MACS "6003" "2a00" "81" "0a" "000004000a04" "000004000104" "0000" "00" SOME,
	MACS "6003" "1c00" "02" "0128" "0a28" SOME,
	MACS "6003" "1c00" "81" "06" "0128" "0a28" SOME,
	MACS "6002" SOME, MACS "6001" SOME, MACS "6004" SOME, MACS "6007" SOME,
	MACS "809b" SOME SOME, MACS "80f3" SOME SOME, MACS "8137" SOME SOME,
	MACS "88cc" "0207040200000000010403" SOME,
	MACS "9000" SOME, MACS "0000" SOME, MACS "05dc" SOME, MACS "0600" SOME,
	MACS "ffff" "0020" "0000" SOME,
	/* LLC. */
	MACS LLC("fe", "fe", "03") "83" SOME, MACS LLC("fe", "fe", "03") "82" SOME,
	MACS LLC("fe", "fe", "03") "81" SOME,
	MACS LLC("fe", "fe", "03") "831b01000f" SOME, MACS LLC("fe", "fe", "03") "831b010010" SOME,
	MACS LLC("fe", "fe", "03") "831b010012" SOME, MACS LLC("fe", "fe", "03") "831b010014" SOME,
	MACS LLC("fe", "fe", "03") "831b010018" SOME, MACS LLC("fe", "fe", "03") "831b01001a" SOME,
	"0180c2000000" "020000000002" LLC("42", "42", "03") "0000000000" SOME,
	MACS LLC("e0", "e0", "03") SOME, MACS LLC("f0", "f0", "03") SOME,
	MACS LLC("f0", "f1", "7f") SOME, MACS LLC("f0", "f0", "0000") SOME,
	MACS LLC("f0", "f0", "0100") SOME, MACS LLC("f0", "f0", "0500") SOME,
	MACS LLC("f0", "f0", "0900") SOME, MACS LLC("f0", "f0", "63") SOME,
	MACS LLC("f0", "f0", "43") SOME, MACS LLC("f0", "f0", "0f") SOME,
	MACS LLC("00", "01", "af") "810100" SOME, MACS LLC("00", "00", "e3") SOME,
	MACS LLC("f0", "f0", "87") SOME, MACS LLC("ff", "ff", "0030") SOME,
	MACS LLC("aa", "aa", "03") "000000" "0800" IP4("11") DNS_QUERY,
	MACS LLC("aa", "aa", "03") "080007" "809b" SOME SOME,
	MACS LLC("aa", "aa", "03") "000000" "80f3" SOME SOME,
	MACS LLC("aa", "aa", "03") "00000c" "2000" SOME,
};

struct packet *pool_add(struct pool *pool)
{
	if (pool->count == pool->room) {
		pool->room = pool->room ? 2 * pool->room : 1024;
		pool->packets = reallocarray(pool->packets, pool->room, sizeof(*pool->packets));
		assert_non_null(pool->packets);
	}
	memset(&pool->packets[pool->count], 0, sizeof(*pool->packets));
	return &pool->packets[pool->count++];
}

void pool_free(struct pool *pool)
{
	free(pool->packets);
	*pool = (struct pool){ 0 };
}

static uint8_t digit(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c);

	assert_true(c && at);
	return (uint8_t)(at - digits);
}

void pool_add_hex(struct pool *pool, const char *hex)
{
	struct packet *packet = pool_add(pool);

	assert_int_equal(strlen(hex) % 2, 0);
	assert_in_range(strlen(hex) / 2, 14, PACKET_MAX);
	for (; *hex; hex += 2)
		packet->bytes[packet->len++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
}

void packets_kinds(struct pool *pool)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		pool_add_hex(pool, kinds[i]);
}

/* ---- variations ---- */

/* The same in each run: what fails once fails again. */
static uint32_t random_below(uint32_t limit)
{
	static uint64_t state = 88172645463325252U;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % limit;
}

static void add_cut(struct pool *pool, size_t from)
{
	uint32_t len = pool->packets[from].len, limit = len < 120 ? len : 120;

	for (uint32_t at = 0; at < limit; at++) {
		struct packet *packet = pool_add(pool);

		memcpy(packet->bytes, pool->packets[from].bytes, at);
		packet->len = at;
	}
}

static void add_changed(struct pool *pool, size_t from)
{
	struct packet *packet = pool_add(pool);
	uint32_t changes = 1 + random_below(4);

	*packet = pool->packets[from];
	for (uint32_t i = 0; i < changes; i++)
		packet->bytes[random_below(packet->len < 80 ? packet->len : 80)] =
			(uint8_t)random_below(256);
}

static void add_random(struct pool *pool)
{
	struct packet *packet = pool_add(pool);

	packet->len = random_below(20) ? random_below(150) : random_below(PACKET_MAX + 1);
	for (uint32_t i = 0; i < packet->len; i++)
		packet->bytes[i] = (uint8_t)random_below(256);
}

void packets_vary(struct pool *pool)
{
	size_t count = pool->count;

	for (size_t i = 0; i < count; i++) {
		add_cut(pool, i);
		for (int j = 0; j < 8; j++)
			add_changed(pool, i);
	}
	for (int i = 0; i < 1000; i++)
		add_random(pool);
}

void packets_all(struct pool *pool)
{
	packets_kinds(pool);
	packets_recorded(pool);
	packets_vary(pool);
	assert_true(pool->count >= 10000);
}
