/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The replies of xsk echo (cli/respond.c): requests made by hand, cut at each length, changed at
 * random.
 */
#include "respond.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reply.h"
#include "requests.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROOM 4096

/* ---- what is asserted ---- */

/* In memory that ends where the frame does; returns what became of it, and changes it. */
static enum respond respond_within(const struct responder *responder, struct packet *packet,
				   size_t room)
{
	uint8_t *data = malloc(room ? room : 1);
	struct request request = { data, packet->len, room, packet->len };
	struct packet before = *packet;
	enum respond kind;

	assert_non_null(data);
	memcpy(data, packet->data, packet->len);
	kind = respond(responder, &request);
	assert_true(request.len <= room && request.len == request.total);
	memcpy(packet->data, data, request.len);
	packet->len = request.len;
	free(data);
	if (!respond_is_answer(kind)) {
		assert_int_equal(before.len, packet->len);
		assert_memory_equal(before.data, packet->data, packet->len);
	} else if (kind != RESPOND_REFLECTED) {
		struct reply reply = { kind, before.data, packet->data, before.len, packet->len };
		const char *wrong = reply_check(&reply, own_mac);

		if (wrong)
			fail_msg("%s: %s", respond_name(kind), wrong);
	}
	return kind;
}

static void assert_kind(struct packet *packet, enum respond kind)
{
	struct responder responder = requests_responder();

	assert_string_equal(respond_name(respond_within(&responder, packet, ROOM)),
			    respond_name(kind));
}

/* ---- tests ---- */

static void requests_are_answered(void **state)
{
	struct packet packet;

	(void)state;
	for (int tags = 0; tags <= 2; tags++)
		for (int i = 0; i < GOOD_REQUESTS; i++) {
			enum respond kind = make_good(&packet, i, tags);

			assert_kind(&packet, kind);
		}
	ping(&packet, 3, 20);
	assert_kind(&packet, RESPOND_OTHER);
}

static void answers_are_not_answered(void **state)
{
	struct responder peer = requests_responder();
	struct packet packet;

	(void)state;
	memcpy(peer.mac, other_mac, 6);
	inet_pton(AF_INET, "10.66.0.1", &peer.ipv4[0]);
	inet_pton(AF_INET6, "fd66::1", &peer.ipv6[0]);
	/* A peer that answers all that it can. */
	peer.ports = (struct units_range){ 0, 65535 };
	for (int i = 0; i < GOOD_REQUESTS; i++) {
		struct responder responder = requests_responder();

		make_good(&packet, i, 0);
		assert_true(respond_is_answer(respond_within(&responder, &packet, ROOM)));
		assert_false(respond_is_answer(respond(&peer, &(struct request){
			packet.data, packet.len, sizeof(packet.data), packet.len })));
	}
}

static void cut_ones_are_not(void **state)
{
	struct responder responder = requests_responder();
	struct packet packet;

	(void)state;
	for (int tags = 0; tags <= 2; tags++) {
		for (int i = 0; i < GOOD_REQUESTS; i++) {
			make_good(&packet, i, tags);
			for (size_t len = 0, whole = packet.len; len < whole; len++) {
				packet.len = len;
				assert_false(respond_is_answer(respond_within(&responder, &packet,
									      len)));
			}
		}
	}
}

/* What Ethernet fills up to 60 bytes with is no part of the packet. */
static void padding_is_left_out(void **state)
{
	struct packet packet;

	(void)state;
	for (int i = 0; i < GOOD_REQUESTS; i++) {
		enum respond kind = make_good(&packet, i, 0);

		fill(&packet, 40);
		assert_kind(&packet, kind);
	}
}

static void no_reply_outgrows_its_frame(void **state)
{
	struct responder responder = requests_responder();
	struct packet packet;

	(void)state;
	for (size_t room = 78; room < 86; room++) {
		solicit(&packet, 0, "fd66::1", "", 0);
		assert_int_equal(packet.len, 78);
		assert_int_equal(respond_within(&responder, &packet, room), RESPOND_LARGE);
	}
	solicit(&packet, 0, "fd66::1", "", 0);
	assert_int_equal(respond_within(&responder, &packet, 86), RESPOND_ND);
	assert_int_equal(packet.len, 86);
}

/* Sums that a stack has left to the NIC are completed, also where they come out as zero. */
static void left_checksums(void **state)
{
	struct packet packet;

	(void)state;
	for (size_t len = 0; len < 40; len++) {
		for (int six = 0; six < 2; six++) {
			uint8_t *at;
			uint16_t left;

			udp(&packet, 0, six, 4000, 7, len);
			at = payload(&packet);
			/* One word makes the sum whatever is wanted: 0 here. */
			if (len >= 2 && len % 2 == 0) {
				put16(at + 8, 0);
				udp_checksum(&packet, six);
				memcpy(at + 8, at + 6, 2);
			}
			left = reply_pseudo_checksum(packet.data + packet.ip + (six ? 8 : 12),
						     six ? 32 : 8, 17, NULL, 0);
			left = (uint16_t)~(uint16_t)((uint16_t)~left + 8 + len);
			put16(at + 6, (uint16_t)~left);
			assert_kind(&packet, RESPOND_UDP);
			assert_int_equal(reply_pseudo_checksum(packet.data + packet.ip +
							       (six ? 8 : 12), six ? 32 : 8, 17,
							       at, 8 + len), 0);
			assert_true(at[6] || at[7]);
		}
	}
	udp(&packet, 0, false, 4000, 7, 20);
	put16(payload(&packet) + 6, 0);
	assert_kind(&packet, RESPOND_UDP);
	assert_int_equal(payload(&packet)[6] | payload(&packet)[7], 0);
}

static void fragments(void **state)
{
	static const uint16_t fields[] = { 0x2000, 0x0001, 0x1fff, 0x3fff };
	struct packet packet;

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		ping(&packet, 0, 100);
		put16(packet.data + packet.ip + 6, fields[i]);
		ipv4_checksum(&packet);
		assert_kind(&packet, RESPOND_FRAGMENT);
	}
	ipv6(&packet, 0, 44, 16);
	add(&packet, "\x3a\0\0\1\0\0\0\1\x80\0\0\0\0\0\0", 16);
	assert_kind(&packet, RESPOND_FRAGMENT);
}

static void ip_options(void **state)
{
	static const struct {
		const char *bytes;
		enum respond kind;
	} options[] = {
		{ "\1\1\1\0", RESPOND_ICMP }, { "\7\3\4\0", RESPOND_ICMP },
		{ "\x94\4\0\0", RESPOND_ICMP }, { "\0\x83\3\4", RESPOND_ICMP },
		{ "\x83\3\4\0", RESPOND_SOURCE }, { "\1\x89\3\4", RESPOND_SOURCE },
		{ "\7\0\0\0", RESPOND_SOURCE }, { "\7\1\0\0", RESPOND_SOURCE },
		{ "\1\1\1\7", RESPOND_SOURCE }, { "\7\4\x83\3", RESPOND_ICMP },
	};
	struct packet packet;

	(void)state;
	for (size_t i = 0; i < COUNT(options); i++) {
		ipv4(&packet, 0, 1, options[i].bytes, 4, 8);
		add(&packet, "\x08\0\xf7\xff\0\0\0", 8);
		assert_kind(&packet, options[i].kind);
	}
}

static void who_must_not_be_answered(void **state)
{
	static const char *const nobody[] = { "0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1",
					      "239.255.255.250", "255.255.255.255", "10.66.0.2" };
	static const char *const nobody6[] = { "::", "::1", "ff02::1", "fd66::2", "fe80::66:2" };
	struct packet packet;

	(void)state;
	for (size_t i = 0; i < COUNT(nobody); i++) {
		ping(&packet, 0, 20);
		inet_pton(AF_INET, nobody[i], packet.data + packet.ip + 12);
		ipv4_checksum(&packet);
		assert_kind(&packet, RESPOND_SOURCE);
		if (!strcmp(nobody[i], "0.0.0.0"))
			continue;
		arp(&packet, 0, nobody[i], "10.66.0.2");
		assert_kind(&packet, RESPOND_SOURCE);
	}
	for (size_t i = 0; i < COUNT(nobody6); i++) {
		ping6(&packet, 0, 20);
		inet_pton(AF_INET6, nobody6[i], packet.data + packet.ip + 8);
		assert_kind(&packet, RESPOND_SOURCE);
	}
	solicit(&packet, 0, "fd66::2", "", 0);
	assert_kind(&packet, RESPOND_SOURCE);
	for (int i = 0; i < GOOD_REQUESTS; i++) {
		make_good(&packet, i, 0);
		packet.data[6] |= 1;
		assert_kind(&packet, RESPOND_SOURCE);
		make_good(&packet, i, 0);
		memcpy(packet.data + 6, own_mac, 6);
		assert_kind(&packet, RESPOND_SOURCE);
	}
	arp(&packet, 0, "10.66.0.1", "10.66.0.2");
	packet.data[packet.ip + 8] |= 1;
	assert_kind(&packet, RESPOND_SOURCE);
}

static void ports_that_would_answer(void **state)
{
	static const uint16_t ports[] = { 0, 7, 8, 9, 13, 17, 19, 37 };
	struct packet packet;

	(void)state;
	for (size_t i = 0; i < COUNT(ports); i++) {
		udp(&packet, 0, i & 1, ports[i], 8, 20);
		assert_kind(&packet, RESPOND_LOOP);
	}
	udp(&packet, 0, false, 4000, 6, 20);
	assert_kind(&packet, RESPOND_OTHER);
	udp(&packet, 0, true, 4000, 10, 20);
	assert_kind(&packet, RESPOND_OTHER);
}

static void what_is_for_others(void **state)
{
	struct packet packet;

	(void)state;
	arp(&packet, 0, "10.66.0.1", "10.66.0.3");
	assert_kind(&packet, RESPOND_OTHER);
	arp(&packet, 0, "10.66.0.1", "10.66.0.2");
	memcpy(packet.data, "\2\0\0\0\0\x77", 6);
	assert_kind(&packet, RESPOND_OTHER);
	for (int i = 2; i <= 10; i++) {		/* broadcast, multicast, and another host's MAC */
		for (int k = 0; k < 3; k++) {
			make_good(&packet, i, 0);
			memcpy(packet.data, k == 0 ? "\xff\xff\xff\xff\xff\xff" :
			       k == 1 ? "\1\0\x5e\0\0\1" : "\2\0\0\0\0\x77", 6);
			assert_kind(&packet, RESPOND_OTHER);
		}
	}
	ping(&packet, 0, 8);
	inet_pton(AF_INET, "10.66.0.255", packet.data + packet.ip + 16);
	ipv4_checksum(&packet);
	assert_kind(&packet, RESPOND_OTHER);
	ping6(&packet, 0, 8);
	inet_pton(AF_INET6, "ff02::1", packet.data + packet.ip + 24);
	assert_kind(&packet, RESPOND_OTHER);
	ping(&packet, 0, 8);
	payload(&packet)[1] = 1;
	assert_kind(&packet, RESPOND_OTHER);
	ipv4(&packet, 0, 6, NULL, 0, 20);
	fill(&packet, 20);
	assert_kind(&packet, RESPOND_OTHER);
	ipv6(&packet, 0, 0, 16);
	fill(&packet, 16);
	assert_kind(&packet, RESPOND_OTHER);
	ethernet(&packet, 0, 0x88cc);
	fill(&packet, 60);
	assert_kind(&packet, RESPOND_OTHER);
}

static void contradictions(void **state)
{
	struct packet packet;

	(void)state;
	ping(&packet, 0, 20);
	packet.data[packet.ip + 10] ^= 1;	/* the checksum */
	assert_kind(&packet, RESPOND_BROKEN);
	ping(&packet, 0, 20);
	packet.data[packet.ip] = 0x44;		/* a header of 16 bytes */
	assert_kind(&packet, RESPOND_BROKEN);
	ping(&packet, 0, 20);
	packet.data[packet.ip] = 0x65;
	assert_kind(&packet, RESPOND_BROKEN);
	ping(&packet, 0, 20);
	put16(packet.data + packet.ip + 2, 19);
	ipv4_checksum(&packet);
	assert_kind(&packet, RESPOND_BROKEN);
	for (int six = 0; six < 2; six++) {
		static const uint16_t lengths[] = { 0, 7, 29, 65535 };

		for (size_t i = 0; i < COUNT(lengths); i++) {
			udp(&packet, 0, six, 4000, 7, 20);
			put16(payload(&packet) + 4, lengths[i]);
			assert_kind(&packet, RESPOND_BROKEN);
		}
	}
}

/* RFC 4861, 7.1.1 */
static void solicitations_that_are_none(void **state)
{
	struct packet packet;

	(void)state;
	solicit(&packet, 0, "fd66::1", SOURCE_MAC, 8);
	packet.data[packet.ip + 7] = 254;	/* came through a router */
	assert_kind(&packet, RESPOND_BROKEN);
	solicit(&packet, 0, "fd66::1", SOURCE_MAC, 8);
	payload(&packet)[2] ^= 1;
	assert_kind(&packet, RESPOND_BROKEN);
	solicit(&packet, 0, "fd66::1", "\1\0\2\0\0\0\x66\1", 8);
	assert_kind(&packet, RESPOND_BROKEN);
	solicit(&packet, 0, "fd66::1", "\1\2\2\0\0\0\x66\1", 8);
	assert_kind(&packet, RESPOND_BROKEN);
	solicit(&packet, 0, "::", SOURCE_MAC, 8);
	assert_kind(&packet, RESPOND_BROKEN);
	solicit(&packet, 0, "fd66::1", SOURCE_MAC, 8);
	payload(&packet)[23] = 3;		/* another's address */
	icmpv6_checksum(&packet);
	assert_kind(&packet, RESPOND_OTHER);
	solicit(&packet, 0, "fd66::1", SOURCE_MAC, 8);
	packet.data[packet.ip + 39] = 3;	/* another group */
	icmpv6_checksum(&packet);
	assert_kind(&packet, RESPOND_OTHER);
	solicit(&packet, 0, "fd66::1", SOURCE_MAC, 8);
	inet_pton(AF_INET6, "fd66::2", packet.data + packet.ip + 24);
	memcpy(packet.data, own_mac, 6);	/* to it alone: whether it is still there */
	icmpv6_checksum(&packet);
	assert_kind(&packet, RESPOND_ND);
	/* To know whether an address is free one asks the group. */
	solicit(&packet, 0, "::", "", 0);
	inet_pton(AF_INET6, "fd66::2", packet.data + packet.ip + 24);
	memcpy(packet.data, own_mac, 6);
	icmpv6_checksum(&packet);
	assert_kind(&packet, RESPOND_OTHER);
}

static void routers_say_so(void **state)
{
	struct responder responder = requests_responder();
	struct packet packet;

	(void)state;
	solicit(&packet, 0, "fd66::1", "", 0);
	respond_within(&responder, &packet, ROOM);
	assert_int_equal(payload(&packet)[4], 0x60);
	responder.is_router = true;
	solicit(&packet, 0, "fd66::1", "", 0);
	respond_within(&responder, &packet, ROOM);
	assert_int_equal(payload(&packet)[4], 0xe0);
}

/* Of a packet of several frames only the first is there. */
static void several_frames(void **state)
{
	struct responder responder = requests_responder();
	struct packet packet;
	struct request request;

	(void)state;
	ping(&packet, 0, 1000);
	request = (struct request){ packet.data, 500, 500, packet.len };
	assert_int_equal(respond(&responder, &request), RESPOND_ICMP);
	assert_int_equal(request.len, 500);
	assert_int_equal(reply_checksum(NULL, 0, payload(&packet), 1008), 0);
	udp(&packet, 0, true, 4000, 7, 1000);
	request = (struct request){ packet.data, 500, 500, packet.len };
	assert_int_equal(respond(&responder, &request), RESPOND_UDP);
	assert_int_equal(reply_pseudo_checksum(packet.data + packet.ip + 8, 32, 17,
					       payload(&packet), 1008), 0);
	/* Its checksum was left to the NIC. */
	udp(&packet, 0, false, 4000, 7, 1000);
	put16(payload(&packet) + 6, 0xffff & ~reply_pseudo_checksum(
		packet.data + packet.ip + 12, 8, 17, NULL, 0));
	put16(payload(&packet) + 6,
	      (size_t)(payload(&packet)[6] << 8 | payload(&packet)[7]) + 1008);
	request = (struct request){ packet.data, 500, 500, packet.len };
	assert_int_equal(respond(&responder, &request), RESPOND_LARGE);
	/* And there is not even its header. */
	request.len = 41;
	assert_int_equal(respond(&responder, &request), RESPOND_BROKEN);
}

static void reflection(void **state)
{
	struct responder responder = requests_responder();
	struct packet packet, before;

	(void)state;
	responder.reflects = true;
	for (int i = 0; i < GOOD_REQUESTS; i++) {
		make_good(&packet, i, i % 3);
		before = packet;
		assert_int_equal(respond_within(&responder, &packet, packet.len),
				 RESPOND_REFLECTED);
		assert_memory_equal(packet.data, before.data + 6, 6);
		/* A group is no source. */
		assert_memory_equal(packet.data + 6, own_mac, 6);
		assert_int_equal(packet.len, before.len);
		assert_memory_equal(packet.data + 12, before.data + 12, packet.len - 12);
	}
	ping(&packet, 0, 10);
	memcpy(packet.data, "\2\0\0\0\0\x77", 6);
	assert_int_equal(respond_within(&responder, &packet, packet.len), RESPOND_REFLECTED);
	assert_memory_equal(packet.data + 6, "\2\0\0\0\0\x77", 6);
	packet.data[6] |= 1;
	assert_int_equal(respond_within(&responder, &packet, packet.len), RESPOND_SOURCE);
	packet.len = 13;
	assert_int_equal(respond_within(&responder, &packet, packet.len), RESPOND_BROKEN);
}

/* Some bytes of a good one are others; then lengths no longer fit, or all is well. */
static void changed_at_random(void **state)
{
	struct responder responder = requests_responder();
	unsigned int seed = 6, answered = 0;

	(void)state;
	for (int i = 0; i < 60000; i++) {
		struct packet packet;

		make_good(&packet, i % GOOD_REQUESTS, i / GOOD_REQUESTS % 3);
		for (int k = rand_r(&seed) % 3; k >= 0; k--) {
			size_t reach = packet.len < 90 ? packet.len : 90;

			packet.data[(size_t)rand_r(&seed) % reach] ^=
				(uint8_t)(1 << rand_r(&seed) % 8);
		}
		if (i % 2 && packet.payload == packet.ip + 20)
			ipv4_checksum(&packet);
		if (i % 5 == 0)
			packet.len = (size_t)rand_r(&seed) % (packet.len + 1);
		answered += respond_is_answer(respond_within(&responder, &packet,
							     sizeof(packet.data)));
	}
	assert_true(answered > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_answered),
		cmocka_unit_test(answers_are_not_answered),
		cmocka_unit_test(cut_ones_are_not),
		cmocka_unit_test(padding_is_left_out),
		cmocka_unit_test(no_reply_outgrows_its_frame),
		cmocka_unit_test(left_checksums),
		cmocka_unit_test(fragments),
		cmocka_unit_test(ip_options),
		cmocka_unit_test(who_must_not_be_answered),
		cmocka_unit_test(ports_that_would_answer),
		cmocka_unit_test(what_is_for_others),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(solicitations_that_are_none),
		cmocka_unit_test(routers_say_so),
		cmocka_unit_test(several_frames),
		cmocka_unit_test(reflection),
		cmocka_unit_test(changed_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
