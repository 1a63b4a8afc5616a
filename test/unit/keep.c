/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What a port leaves to the kernel (lib/keep.c): packets made by hand, each with all sets of
 * flags, and at each length.
 */
#include "keep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xsk/error.h>

#include "classic.h"
#include "validate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The flags, as bits; and the lists of ports that a packet is in. */
enum { ARP = 1, DHCP = 2, ICMP = 4, SSH = 8, FLAGS = 16 };
#define TCP_PORT 8080
#define UDP_PORT 5353

/* ---- packets ---- */

struct packet {
	uint8_t data[1024];
	size_t len;
	size_t decided;		/* bytes from which on it is known whether it is kept */
};

static void add(struct packet *packet, size_t len)
{
	packet->len += len;
	assert_true(packet->len <= sizeof(packet->data));
}

static void add16(struct packet *packet, uint32_t value)
{
	packet->data[packet->len] = (uint8_t)(value >> 8);
	packet->data[packet->len + 1] = (uint8_t)value;
	add(packet, 2);
}

/* Of a type, behind so many tags of that type. */
static void ethernet(struct packet *packet, uint32_t tags, uint32_t tag, uint32_t type)
{
	memset(packet, 0, sizeof(*packet));
	memset(packet->data, 0x11, 12);
	packet->len = 12;
	for (uint32_t i = 0; i < tags; i++) {
		add16(packet, tag);
		add16(packet, 100 + i);
	}
	add16(packet, type);
	packet->decided = packet->len;
}

/* With words of options, and a fragment's field. */
static void ipv4(struct packet *packet, uint8_t protocol, uint8_t options, uint32_t fragment)
{
	uint8_t *ip = packet->data + packet->len;

	memset(ip, 0x22, 60);
	ip[0] = (uint8_t)(0x45 + options);
	ip[6] = (uint8_t)(fragment >> 8);
	ip[7] = (uint8_t)fragment;
	ip[9] = protocol;
	packet->decided = packet->len + 10;
	add(packet, 20 + 4 * (size_t)options);
}

static void ipv6(struct packet *packet, uint8_t next)
{
	uint8_t *ip = packet->data + packet->len;

	memset(ip, 0x22, 40);
	ip[0] = 0x60;
	ip[6] = next;
	packet->decided = packet->len + 7;
	add(packet, 40);
}

/* An extension: of so many bytes, of which length tells in its own units. */
static void extension(struct packet *packet, uint8_t next, uint8_t length, size_t bytes)
{
	uint8_t *header = packet->data + packet->len;

	memset(header, 0, bytes);
	header[0] = next;
	header[1] = length;
	packet->decided = packet->len + 1;
	add(packet, bytes);
}

static void fragment(struct packet *packet, uint8_t next, uint32_t offset)
{
	extension(packet, next, 0xff, 8);
	packet->data[packet->len - 6] = (uint8_t)(offset >> 8);
	packet->data[packet->len - 5] = (uint8_t)offset;
}

/* UDP or TCP, from a port that is of no matter. */
static void ports(struct packet *packet, uint32_t source, uint32_t destination)
{
	add16(packet, source);
	add16(packet, destination);
	packet->decided = packet->len;
	add(packet, 16);
}

static void icmp6(struct packet *packet, uint8_t type)
{
	packet->data[packet->len] = type;
	packet->decided = packet->len + 1;
	add(packet, 8);
}

/* ---- what is said of them ---- */

static bool keeps(const struct xsk_keep *keep, const uint8_t *data, size_t len)
{
	struct sock_filter insns[XSK_KEEP_MAX_INSNS];
	struct xsk_classic code = { .insns = insns };
	struct xsk_error error;
	uint8_t *exact = malloc(len ? len : 1);
	bool kept;

	code.count = xsk_keep_program(insns, keep);
	assert_int_equal(xsk_validate(&code, &error), 0);
	assert_non_null(exact);
	memcpy(exact, data, len);
	kept = xsk_classic_match(&code, exact, len);
	free(exact);
	return kept;
}

/* Kept by which of the flags, each alone and with others; by none of them for 0. */
static void kept_by(const struct packet *packet, uint32_t flags)
{
	for (uint32_t set = 0; set < FLAGS; set++) {
		struct xsk_keep keep = { .arp = set & ARP, .dhcp = set & DHCP,
					 .icmp = set & ICMP, .ssh = set & SSH };

		if (keeps(&keep, packet->data, packet->len) != !!(set & flags))
			fail_msg("flags 0x%x, for what 0x%x keeps", set, flags);
	}
}

/* And at each length, from that on at which it is decided; not only by these flags. */
static void at_each_length(const struct packet *packet, const struct xsk_keep *keep)
{
	for (size_t len = 0; len <= packet->len; len++)
		if (keeps(keep, packet->data, len) != (len >= packet->decided))
			fail_msg("%zu bytes of %zu, decided at %zu", len, packet->len,
				 packet->decided);
}

static void never(const struct packet *packet)
{
	const struct xsk_keep keep = { .arp = true, .dhcp = true, .icmp = true, .ssh = true,
				       .tcp = { TCP_PORT }, .udp = { UDP_PORT } };

	for (size_t len = 0; len <= packet->len; len++)
		assert_false(keeps(&keep, packet->data, len));
}

static void kept_from(const struct packet *packet, uint32_t flags)
{
	const struct xsk_keep keep = { .arp = flags & ARP, .dhcp = flags & DHCP,
				       .icmp = flags & ICMP, .ssh = flags & SSH };

	kept_by(packet, flags);
	at_each_length(packet, &keep);
}

/* ---- what has no ports ---- */

static void arp(void **state)
{
	struct packet packet;

	(void)state;
	for (uint32_t tags = 0; tags < 3; tags++) {
		ethernet(&packet, tags, 0x8100, 0x0806);
		add(&packet, 28);
		kept_from(&packet, ARP);
		ethernet(&packet, tags, 0x88a8, 0x0806);
		add(&packet, 28);
		kept_from(&packet, ARP);
	}
	/* QinQ as it mostly is. */
	ethernet(&packet, 1, 0x88a8, 0x8100);
	add16(&packet, 5);
	add16(&packet, 0x0806);
	packet.decided = packet.len;
	kept_from(&packet, ARP);
}

/* Three tags, tags of other kinds, and all that is not IP: not the kernel's by any flag. */
static void not_looked_into(void **state)
{
	static const uint32_t types[] = { 0x0000, 0x05dc, 0x0800 ^ 1, 0x86dd ^ 1, 0x0806 ^ 0x100,
					  0x8847, 0x8863, 0x88cc, 0x8035, 0x9100, 0xffff };
	struct packet packet;

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		ethernet(&packet, 0, 0, types[i]);
		ipv4(&packet, 1, 0, 0);
		never(&packet);
	}
	ethernet(&packet, 3, 0x8100, 0x0806);
	add(&packet, 28);
	never(&packet);
	ethernet(&packet, 3, 0x88a8, 0x0800);
	ipv4(&packet, 1, 0, 0);
	never(&packet);
	ethernet(&packet, 1, 0x9100, 0x0806);
	add(&packet, 28);
	never(&packet);
	ethernet(&packet, 2, 0x8100, 0x8100);
	never(&packet);
}

/* All of it, and all fragments, since they have no ports to tell by. */
static void icmp(void **state)
{
	static const uint32_t fragments[] = { 0, 0x2000, 0x4000, 0x2001, 0x1fff, 0x00b9 };
	struct packet packet;

	(void)state;
	for (uint32_t tags = 0; tags < 3; tags++) {
		for (size_t i = 0; i < COUNT(fragments); i++) {
			ethernet(&packet, tags, 0x8100, 0x0800);
			ipv4(&packet, 1, (uint8_t)i, fragments[i]);
			add(&packet, 8);
			kept_from(&packet, ICMP);
		}
		ethernet(&packet, tags, 0x8100, 0x86dd);
		ipv6(&packet, 58);
		add(&packet, 8);
		packet.data[packet.len - 8] = 128;
		kept_from(&packet, ICMP);
		/* Of the other family each is none. */
		ethernet(&packet, tags, 0x8100, 0x0800);
		ipv4(&packet, 58, 0, 0);
		add(&packet, 8);
		never(&packet);
		ethernet(&packet, tags, 0x8100, 0x86dd);
		ipv6(&packet, 1);
		add(&packet, 8);
		never(&packet);
	}
}

/* ND is ICMPv6 and what ARP is for IPv4: by each of both flags, as soon as it is known. */
static void neighbour_discovery(void **state)
{
	const struct xsk_keep by_arp = { .arp = true }, by_icmp = { .icmp = true };
	struct packet packet;

	(void)state;
	for (uint32_t type = 0; type < 256; type++) {
		bool is_nd = type >= 133 && type <= 137;

		ethernet(&packet, type % 3, 0x8100, 0x86dd);
		ipv6(&packet, 58);
		at_each_length(&packet, &by_icmp);
		icmp6(&packet, (uint8_t)type);
		kept_by(&packet, is_nd ? ARP | ICMP : ICMP);
		if (is_nd)
			at_each_length(&packet, &by_arp);
	}
}

/* ---- what has ports ---- */

static void udp_to(struct packet *packet, uint32_t tags, bool six, uint32_t port)
{
	ethernet(packet, tags, 0x8100, six ? 0x86dd : 0x0800);
	if (six)
		ipv6(packet, 17);
	else
		ipv4(packet, 17, (uint8_t)tags, 0x4000);
	ports(packet, 22, port);
}

static void tcp_to(struct packet *packet, uint32_t tags, bool six, uint32_t port)
{
	ethernet(packet, tags, 0x8100, six ? 0x86dd : 0x0800);
	if (six)
		ipv6(packet, 6);
	else
		ipv4(packet, 6, (uint8_t)(10 - tags), 0);
	ports(packet, 67, port);
}

static void dhcp(void **state)
{
	struct packet packet;

	(void)state;
	for (uint32_t i = 0; i < 12; i++) {
		bool six = i & 1, client = i & 2;

		udp_to(&packet, i / 4, six, six ? 546 + client : 67 + client);
		kept_from(&packet, DHCP);
		/* The ports of the other family, those beside, and those of TCP, are none. */
		udp_to(&packet, i / 4, !six, six ? 546 + client : 67 + client);
		never(&packet);
		udp_to(&packet, i / 4, six, (six ? 545 : 66) + 3 * client);
		never(&packet);
		tcp_to(&packet, i / 4, six, six ? 546 + client : 67 + client);
		never(&packet);
	}
}

static void ssh(void **state)
{
	struct packet packet;

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		tcp_to(&packet, i / 2, i & 1, 22);
		kept_from(&packet, SSH);
		tcp_to(&packet, i / 2, i & 1, 23);
		never(&packet);
		tcp_to(&packet, i / 2, i & 1, 22 << 8);
		never(&packet);
		udp_to(&packet, i / 2, i & 1, 22);
		never(&packet);
	}
}

/* Those in the lists, at each place of them, and no other of all ports. */
static void lists(void **state)
{
	struct packet packet;

	(void)state;
	for (uint32_t i = 0; i < XSK_KEEP_MAX_PORTS * 2; i++) {
		struct xsk_keep tcp = { 0 }, udp = { 0 };

		tcp.tcp[i / 2] = TCP_PORT;
		udp.udp[i / 2] = UDP_PORT;
		assert_false(xsk_keep_is_empty(&tcp));
		assert_false(xsk_keep_is_empty(&udp));
		tcp_to(&packet, i % 3, i & 1, TCP_PORT);
		at_each_length(&packet, &tcp);
		assert_false(keeps(&udp, packet.data, packet.len));
		kept_by(&packet, 0);
		udp_to(&packet, i % 3, i & 1, TCP_PORT);
		assert_false(keeps(&tcp, packet.data, packet.len));
		udp_to(&packet, i % 3, i & 1, UDP_PORT);
		at_each_length(&packet, &udp);
		assert_false(keeps(&tcp, packet.data, packet.len));
		kept_by(&packet, 0);
		tcp_to(&packet, i % 3, i & 1, UDP_PORT);
		assert_false(keeps(&udp, packet.data, packet.len));
	}
}

static void all_ports(void **state)
{
	const struct xsk_keep keep = { .dhcp = true, .ssh = true, .tcp = { 1, 0, 0xffff, 443 },
				       .udp = { [14] = 0x8000, [3] = 53 } };
	struct sock_filter insns[XSK_KEEP_MAX_INSNS];
	const struct xsk_classic code = {
		.insns = insns, .count = xsk_keep_program(insns, &keep),
	};
	struct packet packet;

	(void)state;
	for (uint32_t i = 0; i < 0x40000; i++) {
		bool six = i & 0x10000, tcp = i & 0x20000;
		uint32_t port = i & 0xffff;
		bool expected = tcp ? port == 22 || port == 1 || port == 0xffff || port == 443 :
				port == 0x8000 || port == 53 ||
				(six ? port == 546 || port == 547 : port == 67 || port == 68);

		if (tcp)
			tcp_to(&packet, 0, six, port);
		else
			udp_to(&packet, 0, six, port);
		assert_int_equal(xsk_classic_match(&code, packet.data, packet.len), expected);
	}
}

/* ---- fragments ---- */

/* The first has ports; of the others nobody knows, so they are not kept. */
static void fragments_of_ipv4(void **state)
{
	struct packet packet;

	(void)state;
	for (uint32_t bit = 0; bit < 16; bit++) {
		ethernet(&packet, bit % 3, 0x8100, 0x0800);
		ipv4(&packet, 6, 0, 1U << bit);
		ports(&packet, 1000, 22);
		if (bit >= 13)
			kept_from(&packet, SSH);
		else
			never(&packet);
	}
}

static void fragments_of_ipv6(void **state)
{
	const struct xsk_keep by_arp = { .arp = true };
	struct packet packet;

	(void)state;
	for (uint32_t bit = 0; bit < 16; bit++) {
		ethernet(&packet, bit % 3, 0x8100, 0x86dd);
		ipv6(&packet, 44);
		fragment(&packet, 6, 1U << bit);
		ports(&packet, 1000, 22);
		if (bit < 3)
			kept_from(&packet, SSH);
		else
			never(&packet);

		/* As with IPv4, ICMP is kept in all its parts; ND has but one. */
		ethernet(&packet, 0, 0, 0x86dd);
		ipv6(&packet, 44);
		fragment(&packet, 58, 1U << bit);
		kept_from(&packet, ICMP);
		icmp6(&packet, 135);
		kept_by(&packet, bit < 3 ? ARP | ICMP : ICMP);
		if (bit < 3)
			at_each_length(&packet, &by_arp);
	}
}

/* ---- extension headers ---- */

struct header {
	uint8_t kind, length;
	size_t bytes;
};

static const struct header headers[] = {
	{ 0, 0, 8 }, { 43, 1, 16 }, { 60, 2, 24 }, { 51, 4, 24 }, { 44, 0xff, 8 }, { 51, 1, 12 },
	{ 60, 20, 168 }, { 43, 0, 8 }, { 0, 4, 40 },
};

/* Count of them, from the first-th on, with that behind them. */
static void chain(struct packet *packet, size_t first, size_t count, uint8_t last)
{
	ethernet(packet, first % 3, 0x88a8, 0x86dd);
	ipv6(packet, count ? headers[first % COUNT(headers)].kind : last);
	for (size_t i = 0; i < count; i++) {
		const struct header *now = &headers[(first + i) % COUNT(headers)];
		const struct header *next = &headers[(first + i + 1) % COUNT(headers)];

		extension(packet, i + 1 < count ? next->kind : last, now->length, now->bytes);
	}
}

/* Up to eight of them; more, nobody sends, and they are not kept. */
static void extensions(void **state)
{
	struct packet packet;

	(void)state;
	for (size_t first = 0; first < COUNT(headers); first++) {
		for (size_t count = 0; count <= COUNT(headers); count++) {
			chain(&packet, first, count, 6);
			ports(&packet, 1000, 22);
			if (count <= 8)
				kept_from(&packet, SSH);
			else
				never(&packet);
			chain(&packet, first, count, 17);
			ports(&packet, 1000, 547);
			if (count <= 8)
				kept_from(&packet, DHCP);
			chain(&packet, first, count, 58);
			icmp6(&packet, 134);
			kept_by(&packet, count <= 8 ? ARP | ICMP : 0);
			chain(&packet, first, count, 59);
			add(&packet, 40);
			never(&packet);
		}
	}
}

/* A header behind which the packet has ended. */
static void extension_beyond_the_end(void **state)
{
	struct packet packet;

	(void)state;
	ethernet(&packet, 0, 0, 0x86dd);
	ipv6(&packet, 60);
	extension(&packet, 6, 255, 8);
	ports(&packet, 1000, 22);
	never(&packet);
	ethernet(&packet, 0, 0, 0x0800);
	ipv4(&packet, 6, 0, 0);
	packet.data[14] = 0x4f;
	ports(&packet, 1000, 22);
	never(&packet);
}

/* ---- the program ---- */

static void room(void **state)
{
	struct {
		struct sock_filter insns[XSK_KEEP_MAX_INSNS];
		uint8_t behind[1024];
	} program;
	uint32_t most = 0;

	(void)state;
	for (uint32_t i = 0; i < FLAGS * (XSK_KEEP_MAX_PORTS + 1); i++) {
		struct xsk_keep keep = { .arp = i & ARP, .dhcp = i & DHCP, .icmp = i & ICMP,
					 .ssh = i & SSH };
		const struct xsk_classic code = { .insns = program.insns };
		struct xsk_error error;
		struct xsk_classic whole = code;

		for (uint32_t j = 0; j < i / FLAGS; j++) {
			keep.tcp[j] = (uint16_t)(1000 + j);
			keep.udp[XSK_KEEP_MAX_PORTS - 1 - j] = (uint16_t)(2000 + j);
		}
		assert_int_equal(xsk_keep_is_empty(&keep), !i);
		memset(&program, 0x5a, sizeof(program));
		whole.count = xsk_keep_program(program.insns, &keep);
		assert_in_range(whole.count, 1, XSK_KEEP_MAX_INSNS);
		assert_int_equal(xsk_validate(&whole, &error), 0);
		for (size_t j = 0; j < sizeof(program.behind); j++)
			assert_int_equal(program.behind[j], 0x5a);
		most = whole.count > most ? whole.count : most;
	}
	/* That room is not there for nothing. */
	assert_in_range(most, XSK_KEEP_MAX_INSNS / 2, XSK_KEEP_MAX_INSNS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp),
		cmocka_unit_test(not_looked_into),
		cmocka_unit_test(icmp),
		cmocka_unit_test(neighbour_discovery),
		cmocka_unit_test(dhcp),
		cmocka_unit_test(ssh),
		cmocka_unit_test(lists),
		cmocka_unit_test(all_ports),
		cmocka_unit_test(fragments_of_ipv4),
		cmocka_unit_test(fragments_of_ipv6),
		cmocka_unit_test(extensions),
		cmocka_unit_test(extension_beyond_the_end),
		cmocka_unit_test(room),
	};

	return cmocka_run_group_tests_name("keep", tests, NULL, NULL);
}
