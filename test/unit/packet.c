/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What xsk recv says of packets: each kind by hand, beginnings of each, and the longest that can
 * be said. (test/cli/describe.py has tcpdump's word on the same.)
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "packet.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_BYTES 2048

/* Packets are text: hexadecimal digits, and blanks. */
#define MACS "020000006601 020000006602 "
#define SAID "02:00:00:00:66:02 > 02:00:00:00:66:01, "
#define FOUR(total, fragment, protocol) \
	MACS "0800 4500 " total " 0007 " fragment " 40 " protocol " 0000 0a420002 0a420001 "
#define SAID_FOUR(len) SAID "ethertype IPv4 (0x0800), length " len ": "
#define ADDRESSES6 \
	"fd660000000000000000000000000002 fd660000000000000000000000000001 "
#define SIX(len, next) MACS "86dd 60000000 " len " " next " 40 " ADDRESSES6
#define SAID_SIX(len) SAID "ethertype IPv6 (0x86dd), length " len ": "
#define PORTS "1388 2328 "
#define SYN PORTS "00000001 00000000 "

static const struct {
	const char *bytes, *text;
} cases[] = {
	/* ---- Ethernet ---- */
	{ "0200000066", "length 5 [truncated Ethernet]" },
	{ MACS "88b5 00", SAID "ethertype Unknown (0x88b5), length 15" },
	{ MACS "88f7 00", SAID "ethertype PTP (0x88f7), length 15" },
	{ MACS "8100 6005 88b5 00", SAID "ethertype 802.1Q (0x8100), length 19: vlan 5, p 3, "
	  "ethertype Unknown (0x88b5)" },
	{ MACS "88a8 1ffe 8100 0001 88b5", SAID "ethertype 802.1Q-QinQ (0x88a8), length 22: "
	  "vlan 4094, p 0, DEI, ethertype 802.1Q (0x8100), vlan 1, p 0, "
	  "ethertype Unknown (0x88b5)" },
	{ MACS "8100 6005", SAID "ethertype 802.1Q (0x8100), length 16 [truncated VLAN]" },
	{ MACS "0006 e0e003 000000 0000", SAID "802.3, length 22: LLC, dsap 0xe0, ssap 0xe0, "
	  "control 0x03, length 6" },
	{ MACS "0001 e0e003", SAID "802.3, length 17 [truncated LLC]" },
	{ MACS "0026 424203 0000 00 00 00 8000020000006601 00000004 8000020000006602 8001 "
	  "0000000000000000", SAID "802.3, length 52: STP 802.1d, Config, bridge-id "
	  "8000.02:00:00:00:66:02.8001, root-id 8000.02:00:00:00:66:01, cost 4" },
	{ MACS "0007 424203 0000 00 80", SAID "802.3, length 21: STP 802.1d, Topology Change" },
	{ MACS "88cc 0207 04020000006602 0403 056161 0602 0078 0a05 73771b225c 0000",
	  SAID "ethertype LLDP (0x88cc), length 41: LLDP, length 27: sw?\?\?" },
	{ MACS "88cc 0207 0402", SAID "ethertype LLDP (0x88cc), length 18: LLDP, length 4 "
	  "[truncated LLDP]" },
	/* ---- ARP ---- */
	{ MACS "0806 0001 0800 06 04 0001 020000006602 0a420002 000000000000 0a420001",
	  SAID "ethertype ARP (0x0806), length 42: Request who-has 10.66.0.1 tell 10.66.0.2, "
	  "length 28" },
	{ MACS "0806 0001 0800 06 04 0002 020000006602 0a420002 020000006601 0a420001",
	  SAID "ethertype ARP (0x0806), length 42: Reply 10.66.0.2 is-at 02:00:00:00:66:02, "
	  "length 28" },
	{ MACS "0806 0020 0800 06 04 0002", SAID "ethertype ARP (0x0806), length 22 "
	  "[bad kind of ARP]" },
	{ MACS "0806 0001 0800 06 04 0002 0200", SAID "ethertype ARP (0x0806), length 24 "
	  "[truncated ARP]" },
	/* ---- IPv4 ---- */
	{ FOUR("001e", "0000", "11") PORTS "000a 0000 6161 0000 0000", SAID_FOUR("48")
	  "10.66.0.2.5000 > 10.66.0.1.9000: UDP, length 2" },
	{ MACS "0800 4600 0020 0007 0000 40 11 0000 0a420002 0a420001 94040000 " PORTS
	  "0008 0000", SAID_FOUR("46") "10.66.0.2.5000 > 10.66.0.1.9000: UDP, length 0" },
	{ MACS "0800 4400 0020 0007 0000 40 11 0000 0a420002 0a420001",
	  SAID "ethertype IPv4 (0x0800), length 34 [bad IP header length]" },
	{ MACS "0800 6500 0020 0007 0000 40 11 0000 0a420002 0a420001",
	  SAID "ethertype IPv4 (0x0800), length 34 [bad IP version]" },
	{ MACS "0800 4f00 0020 0007 0000 40 11 0000 0a420002 0a420001",
	  SAID "ethertype IPv4 (0x0800), length 34 [bad IP header length]" },
	{ MACS "0800 4f00 003c 0007 0000 40 11 0000 0a420002 0a420001 01", SAID_FOUR("35")
	  "10.66.0.2 > 10.66.0.1: UDP, length 0 [truncated IPv4 options] [39 bytes missing]" },
	/* A length that is left to the NIC */
	{ FOUR("0000", "0000", "11") PORTS "0000 0000 616263", SAID_FOUR("45")
	  "10.66.0.2.5000 > 10.66.0.1.9000: UDP, length 3" },
	{ FOUR("05dc", "2000", "11") PORTS "0bc0 0000 6161", SAID_FOUR("44")
	  "10.66.0.2.5000 > 10.66.0.1.9000: UDP, length 3000 (fragment: id 7, offset 0, more "
	  "follow) [1470 bytes missing]" },
	{ FOUR("0018", "00b9", "11") "1388 2328", SAID_FOUR("38")
	  "10.66.0.2 > 10.66.0.1: UDP, length 4 (fragment: id 7, offset 1480)" },
	{ FOUR("0018", "0000", "2f") "00000800", SAID_FOUR("38")
	  "10.66.0.2 > 10.66.0.1: GRE, length 4" },
	{ FOUR("0018", "0000", "fd") "00000800", SAID_FOUR("38")
	  "10.66.0.2 > 10.66.0.1: protocol 253, length 4" },
	/* ---- IPv6 ---- */
	{ SIX("000a", "11") PORTS "000a 0000 6161", SAID_SIX("64")
	  "fd66::2.5000 > fd66::1.9000: UDP, length 2" },
	{ SIX("001a", "00") "3c00 050200000100 1100 010400000000 " PORTS "000a 0000 6161",
	  SAID_SIX("80") "fd66::2.5000 > fd66::1.9000: HBH DSTOPT UDP, length 2" },
	{ SIX("0018", "2c") "1100 0001 00000063 " PORTS "0bc0 0000 6161616161616161",
	  SAID_SIX("78") "fd66::2.5000 > fd66::1.9000: UDP, length 3000 (fragment: id 99, "
	  "offset 0, more follow)" },
	{ SIX("000c", "2c") "1100 05a8 00000063 61616161", SAID_SIX("66")
	  "fd66::2 > fd66::1: UDP, length 4 (fragment: id 99, offset 1448)" },
	/* In a later fragment stands no header, whatever it is called. */
	{ SIX("000c", "2c") "3c00 05a8 00000063 61616161", SAID_SIX("66")
	  "fd66::2 > fd66::1: protocol 60, length 4 (fragment: id 99, offset 1448)" },
	{ SIX("0008", "00") "3cff 050200000100", SAID_SIX("62")
	  "fd66::2 > fd66::1: protocol 0, length 8 [truncated IPv6 extension]" },
	{ SIX("0000", "3b"), SAID_SIX("54") "fd66::2 > fd66::1: no next header, length 0" },
	{ SIX("0048", "3c") "3c00 010400000000 3c00 010400000000 3c00 010400000000 3c00 "
	  "010400000000 3c00 010400000000 3c00 010400000000 3c00 010400000000 3c00 010400000000 "
	  "1100 010400000000", SAID_SIX("126") "fd66::2 > fd66::1: DSTOPT DSTOPT DSTOPT DSTOPT "
	  "DSTOPT DSTOPT DSTOPT DSTOPT protocol 60, length 8 [bad number of extension headers]" },
	/* ---- TCP ---- */
	{ FOUR("002e", "0000", "06") SYN "60 02 2000 0000 0000 020405b4 6161", SAID_FOUR("60")
	  "10.66.0.2.5000 > 10.66.0.1.9000: Flags [S], seq 1:3, win 8192, options [mss 1460], "
	  "length 2" },
	{ FOUR("0028", "0000", "06") SYN "50 00 2000 0000 0000", SAID_FOUR("54")
	  "10.66.0.2.5000 > 10.66.0.1.9000: Flags [none], win 8192, length 0" },
	{ FOUR("0028", "0000", "06") PORTS "ffffffff 00000009 51 ff 2000 0000 0003", SAID_FOUR("54")
	  "10.66.0.2.5000 > 10.66.0.1.9000: Flags [FSRP.UEWe], seq 4294967295, ack 9, win 8192, "
	  "urg 3, length 0" },
	{ FOUR("003c", "0000", "06") SYN "a0 02 2000 0000 0000 0402 0303 07 01 "
	  "080a 00000001 00000002 1e03 00 00", SAID_FOUR("74")
	  "10.66.0.2.5000 > 10.66.0.1.9000: Flags [S], seq 1, win 8192, options [sackOK,wscale 7,"
	  "nop,TS val 1 ecr 2,unknown-30,eol], length 0" },
	{ FOUR("0034", "0000", "06") SYN "80 10 2000 0000 0000 01 01 050a 0000000a 00000014",
	  SAID_FOUR("66") "10.66.0.2.5000 > 10.66.0.1.9000: Flags [.], ack 0, win 8192, options "
	  "[nop,nop,sack 1 {10:20}], length 0" },
	/* Options that go on behind their end, or nowhere */
	{ FOUR("002c", "0000", "06") SYN "60 02 2000 0000 0000 01 02 04 05", SAID_FOUR("58")
	  "10.66.0.2.5000 > 10.66.0.1.9000: Flags [S], seq 1, win 8192, options [nop,bad], "
	  "length 0" },
	{ FOUR("002c", "0000", "06") SYN "60 02 2000 0000 0000 08 00 01 01", SAID_FOUR("58")
	  "10.66.0.2.5000 > 10.66.0.1.9000: Flags [S], seq 1, win 8192, options [bad], length 0" },
	{ FOUR("002c", "0000", "06") SYN "60 02 2000 0000 0000 02 03 00 03", SAID_FOUR("58")
	  "10.66.0.2.5000 > 10.66.0.1.9000: Flags [S], seq 1, win 8192, options [mss,bad], "
	  "length 0" },
	{ FOUR("0028", "0000", "06") SYN "40 02 2000 0000 0000", SAID_FOUR("54")
	  "10.66.0.2.5000 > 10.66.0.1.9000: Flags [S], seq 1, win 8192, length 0 "
	  "[bad TCP header length]" },
	{ FOUR("0028", "0000", "06") SYN "f0 02 2000 0000 0000", SAID_FOUR("54")
	  "10.66.0.2.5000 > 10.66.0.1.9000: Flags [S], seq 1, win 8192, length 0 "
	  "[bad TCP header length]" },
	{ FOUR("0040", "0000", "06") SYN "a0 02 2000 0000 0000", SAID_FOUR("54")
	  "10.66.0.2.5000 > 10.66.0.1.9000: Flags [S], seq 1:5, win 8192, length 4 "
	  "[truncated TCP options] [24 bytes missing]" },
	/* ---- UDP ---- */
	{ FOUR("001e", "0000", "11") PORTS "0007 0000 6161", SAID_FOUR("44")
	  "10.66.0.2.5000 > 10.66.0.1.9000: UDP, length 0 [bad UDP length]" },
	{ FOUR("001e", "0000", "11") PORTS "000b 0000 6161", SAID_FOUR("44")
	  "10.66.0.2.5000 > 10.66.0.1.9000: UDP, length 3 [bad UDP length]" },
	{ FOUR("001c", "0000", "11") "007b 007b 0008 0000", SAID_FOUR("42")
	  "10.66.0.2.123 > 10.66.0.1.123: UDP (NTP), length 0" },
	{ FOUR("0018", "0000", "11") PORTS, SAID_FOUR("38")
	  "10.66.0.2 > 10.66.0.1: UDP, length 4 [truncated UDP]" },
	/* ---- DNS ---- */
	{ FOUR("0035", "0000", "11") "1388 0035 0021 0000 1234 0100 0001 0000 0000 0000 "
	  "03777777 03612e62 00 001c 0001", SAID_FOUR("67")
	  "10.66.0.2.5000 > 10.66.0.1.53: 4660+ AAAA? www.a.b. (25)" },
	{ FOUR("002d", "0000", "11") "0035 1388 0019 0000 1234 8583 0001 0000 0001 0002 "
	  "00 fff0 0001",
	  SAID_FOUR("59") "10.66.0.2.53 > 10.66.0.1.5000: 4660 NXDomain* 0/1/2 Type65520? . (17)" },
	{ FOUR("0031", "0000", "11") "1388 0035 001d 0000 1234 0000 0001 0000 0000 0000 "
	  "03 1b5b 6d 00 0001 0001 ", SAID_FOUR("63")
	  "10.66.0.2.5000 > 10.66.0.1.53: 4660 A? ?[m. (21)" },
	/* Which points to itself, and whose label is longer than all there is */
	{ FOUR("002e", "0000", "11") "1388 0035 001a 0000 1234 0000 0001 0000 0000 0000 "
	  "c00c 0001 0001", SAID_FOUR("60")
	  "10.66.0.2.5000 > 10.66.0.1.53: 4660 (18) [truncated DNS question]" },
	{ FOUR("002e", "0000", "11") "1388 0035 001a 0000 1234 0000 0001 0000 0000 0000 "
	  "3f61 0001 0001", SAID_FOUR("60")
	  "10.66.0.2.5000 > 10.66.0.1.53: 4660 (18) [truncated DNS question]" },
	{ FOUR("0020", "0000", "11") "1388 0035 000c 0000 1234 0000", SAID_FOUR("46")
	  "10.66.0.2.5000 > 10.66.0.1.53: UDP (DNS), length 4 [truncated DNS]" },
	/* ---- ICMP ---- */
	{ FOUR("001c", "0000", "01") "0800 0000 0007 0008", SAID_FOUR("42")
	  "10.66.0.2 > 10.66.0.1: ICMP echo request, id 7, seq 8, length 8" },
	{ FOUR("001c", "0000", "01") "0303 0000 0000 0000", SAID_FOUR("42")
	  "10.66.0.2 > 10.66.0.1: ICMP unreachable: port, length 8" },
	{ FOUR("001c", "0000", "01") "0304 0000 0000 0578", SAID_FOUR("42")
	  "10.66.0.2 > 10.66.0.1: ICMP unreachable: too big, mtu 1400, length 8" },
	{ FOUR("001c", "0000", "01") "0501 0000 0a420003", SAID_FOUR("42")
	  "10.66.0.2 > 10.66.0.1: ICMP redirect to 10.66.0.3, length 8" },
	{ FOUR("001c", "0000", "01") "ff02 0000 00000000", SAID_FOUR("42")
	  "10.66.0.2 > 10.66.0.1: ICMP type 255 code 2, length 8" },
	{ FOUR("001b", "0000", "01") "0303 0000 0000 00", SAID_FOUR("41")
	  "10.66.0.2 > 10.66.0.1: ICMP, length 7 [truncated ICMP]" },
	{ SIX("0018", "3a") "8700 0000 00000000 fd660000000000000000000000000001", SAID_SIX("78")
	  "fd66::2 > fd66::1: ICMP6, neighbor solicitation, who has fd66::1, length 24" },
	{ SIX("0018", "3a") "8800 0000 60000000 fd660000000000000000000000000001", SAID_SIX("78")
	  "fd66::2 > fd66::1: ICMP6, neighbor advertisement, tgt is fd66::1, length 24" },
	{ SIX("0008", "3a") "0200 0000 00000578", SAID_SIX("62")
	  "fd66::2 > fd66::1: ICMP6, packet too big, mtu 1400, length 8" },
	{ SIX("0008", "3a") "8700 0000 00000000", SAID_SIX("62")
	  "fd66::2 > fd66::1: ICMP6, neighbor solicitation, length 8 [truncated ICMP6]" },
	/* Of the other version */
	{ FOUR("001c", "0000", "3a") "8000 0000 0007 0008", SAID_FOUR("42")
	  "10.66.0.2 > 10.66.0.1: ICMP6, length 8" },
};

static size_t read_bytes(uint8_t bytes[MAX_BYTES], const char *text)
{
	size_t count = 0;

	for (; *text; text++) {
		unsigned int byte;

		if (*text == ' ')
			continue;
		assert_true(isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]));
		assert_int_equal(sscanf(text, "%2x", &byte), 1);
		assert_true(count < MAX_BYTES);
		bytes[count++] = (uint8_t)byte;
		text++;
	}
	return count;
}

/* In memory of just that size, so that what watches memory sees its end. */
static void say(char text[PACKET_TEXT], json_t **object, const uint8_t *bytes, size_t captured,
		size_t len)
{
	char members[PACKET_JSON], json[PACKET_JSON + 2];
	uint8_t *data = malloc(captured ? captured : 1);
	struct packet packet;

	assert_non_null(data);
	memcpy(data, bytes, captured);
	packet_parse(&packet, data, captured, len);
	packet_say(text, &packet);
	snprintf(json, sizeof(json), "{%s}", packet_json(members, &packet));
	free(data);
	*object = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(*object);
	for (const char *at = text; *at; at++)
		assert_true(*at >= ' ' && *at < 0x7f);
}

static void each_kind_is_told(void **state)
{
	uint8_t bytes[MAX_BYTES];
	char text[PACKET_TEXT];
	json_t *object;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = read_bytes(bytes, cases[i].bytes);

		say(text, &object, bytes, len, len);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(json_integer_value(json_object_get(object, "length")), len);
		json_decref(object);
	}
}

/* What was not captured is missing to us, not to the packet. */
static void beginnings(void **state)
{
	uint8_t bytes[MAX_BYTES];
	char text[PACKET_TEXT], whole[PACKET_TEXT];
	json_t *object;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = read_bytes(bytes, cases[i].bytes);

		say(whole, &object, bytes, len, len);
		json_decref(object);
		for (size_t captured = 0; captured < len; captured++) {
			const char *cut;

			say(text, &object, bytes, captured, len);
			cut = json_string_value(json_object_get(object, "truncated"));
			assert_int_equal(json_integer_value(json_object_get(object, "captured")),
					 captured);
			/* Less is told only where it is said that something is not there. */
			if (!cut && strcmp(text, whole))
				assert_non_null(strstr(whole, "LLDP"));
			json_decref(object);
		}
	}
}

/* ---- the longest that can be said ---- */

static size_t put(uint8_t *bytes, size_t at, const char *text)
{
	return at + read_bytes(bytes + at, text);
}

/* A name of 255 bytes, of labels of 63. */
static size_t put_long_name(uint8_t *bytes, size_t at)
{
	for (int i = 0; i < 4; i++) {
		uint8_t label = i < 3 ? 63 : 61;

		bytes[at++] = label;
		memset(bytes + at, 'a', label);
		at += label;
	}
	bytes[at++] = 0;
	return at;
}

static void all_that_can_be_said_fits(void **state)
{
	uint8_t bytes[MAX_BYTES];
	char text[PACKET_TEXT];
	json_t *object;
	size_t at;

	(void)state;
	at = put(bytes, 0, MACS "8100 ffff 8100 ffff 8100 ffff 8100 ffff 86dd 6fffffff ffff 00 ff "
		 "ffffffffffffffffffffffffffffffff ffffffffffffffffffffffffffffffff");
	for (int i = 0; i < PACKET_EXTENSIONS - 1; i++)
		at = put(bytes, at, i < PACKET_EXTENSIONS - 2 ? "8700 000000000000" :
			 "2c00 000000000000");
	at = put(bytes, at, "1100 0001 ffffffff ffff 0035 ffff 0000 ffff 8583 ffff ffff ffff ffff");
	at = put_long_name(bytes, at);
	at = put(bytes, at, "ffff 0001");
	say(text, &object, bytes, at, at);
	assert_true(strlen(text) < PACKET_TEXT - 200);
	assert_non_null(strstr(text, "mobility mobility mobility mobility mobility mobility 65535 "
			       "NXDomain* 65535/65535/65535 Type65535? aaa"));
	assert_non_null(strstr(text, "a. (65527) (fragment: id 4294967295, offset 0, more "
			       "follow) ["));
	assert_string_equal(json_string_value(json_object_get(object, "protocol")), "dns");
	assert_int_equal(strlen(json_string_value(json_object_get(object, "dns_name"))), 253);
	assert_int_equal(json_array_size(json_object_get(object, "vlans")), 4);
	json_decref(object);
}

/* A name of more than 255 bytes is none. */
static void too_long_a_name(void **state)
{
	uint8_t bytes[MAX_BYTES];
	char text[PACKET_TEXT];
	json_t *object;
	size_t at;

	(void)state;
	at = put(bytes, 0, FOUR("0000", "0000", "11") "1388 0035 0000 0000 1234 0000 0001 0000 "
		 "0000 0000 03 616161");
	at = put_long_name(bytes, at);
	at = put(bytes, at, "0001 0001");
	say(text, &object, bytes, at, at);
	assert_null(json_object_get(object, "dns_name"));
	assert_non_null(strstr(text, "[truncated DNS question]"));
	json_decref(object);
}

/* More tags than are read are named by their type. */
static void too_many_tags(void **state)
{
	uint8_t bytes[MAX_BYTES];
	char text[PACKET_TEXT];
	json_t *object;
	size_t at = put(bytes, 0, MACS "8100 0001 8100 0002 8100 0003 8100 0004 8100 0005 0800");

	(void)state;
	say(text, &object, bytes, at, at);
	assert_non_null(strstr(text, "vlan 4, p 0, ethertype 802.1Q (0x8100)"));
	assert_int_equal(json_array_size(json_object_get(object, "vlans")), 4);
	assert_int_equal(json_integer_value(json_object_get(object, "eth_type")), 0x8100);
	json_decref(object);
}

static void jsons_of_some(void **state)
{
	static const char expected[] = "{\"length\":48,\"captured\":48,\"protocol\":\"udp\","
		"\"eth_src\":\"02:00:00:00:66:02\",\"eth_dst\":\"02:00:00:00:66:01\","
		"\"eth_type\":2048,\"ip_version\":4,\"ip_src\":\"10.66.0.2\","
		"\"ip_dst\":\"10.66.0.1\",\"ip_protocol\":17,\"ip_ttl\":64,\"ip_tos\":0,"
		"\"ip_length\":10,\"ip_dont_fragment\":true,\"ip_id\":7,\"src_port\":5000,"
		"\"dst_port\":9000,\"payload_length\":2}";
	uint8_t bytes[MAX_BYTES];
	char text[PACKET_TEXT];
	json_t *object, *other = json_loads(expected, 0, NULL);
	size_t len = read_bytes(bytes, FOUR("001e", "4000", "11") PORTS
				"000a 0000 6161 0000 0000");

	(void)state;
	assert_non_null(other);
	say(text, &object, bytes, len, len);
	assert_true(json_equal(object, other));
	json_decref(object);
	json_decref(other);
	len = read_bytes(bytes, FOUR("0014", "0000", "06") SYN);
	say(text, &object, bytes, len, len);
	assert_string_equal(json_string_value(json_object_get(object, "truncated")), "TCP");
	assert_string_equal(json_string_value(json_object_get(object, "protocol")), "ip");
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_told),
		cmocka_unit_test(beginnings),
		cmocka_unit_test(all_that_can_be_said_fits),
		cmocka_unit_test(too_long_a_name),
		cmocka_unit_test(too_many_tags),
		cmocka_unit_test(jsons_of_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
