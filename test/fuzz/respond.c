/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The bytes are a packet that comes to xsk echo. What is answered is the reply to it, no longer
 * than the frame, and taken by the filter; what is not is left as it was; and a peer that
 * answers all that it can answers no reply.
 *
 * An input: a byte of OPT_…, one of how the packet lies in frames, one for each checksum that
 * is made right first, one for the request that it begins as, and then three bytes each of a
 * change: where, and what is added. With OPT_RAW what is behind the options is the packet.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xsk/filter.h>

#include "../unit/reply.h"
#include "../unit/requests.h"
#include "input.h"
#include "respond.h"

enum { OPT_RAW = 1, OPT_REFLECT = 2, OPT_TIGHT = 4, OPT_FRAMES = 8, OPT_ROUTER = 16 };

static struct responder responder, peer;
static struct xsk_filter *filter;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const struct packet *packet, const char *what)
{
	fprintf(stderr, "fuzz: %s, of a packet of %zu bytes:", what, packet->len);
	for (size_t i = 0; i < packet->len && i < 128; i++)
		fprintf(stderr, " %02x", packet->data[i]);
	fputc('\n', stderr);
	abort();
}

/* ---- the packet ---- */

static void change(struct packet *packet, struct input *in)
{
	while (input_left(in)) {
		size_t at = input_u16(in);
		uint8_t what = input_u8(in);

		if (at >= 0xff00)
			packet->len = packet->len * what / 255;
		else if (packet->len)
			packet->data[at % packet->len] += what;
	}
}

static void mend(struct packet *packet, uint8_t which)
{
	if (!packet->payload || packet->len < packet->payload + 8)
		return;
	if (which & 1 && packet->payload == packet->ip + 20)
		ipv4_checksum(packet);
	if (which & 2 && packet->payload == packet->ip + 40)
		icmpv6_checksum(packet);
}

static void read_packet(struct packet *packet, struct input *in, uint8_t options)
{
	uint8_t mends, which;

	if (options & OPT_RAW) {
		memset(packet, 0, sizeof(*packet));
		packet->len = input_bytes(in, packet->data, sizeof(packet->data));
		return;
	}
	mends = input_u8(in);
	which = input_u8(in);
	make_good(packet, which % GOOD_REQUESTS, which / GOOD_REQUESTS % 3);
	change(packet, in);
	mend(packet, mends);
}

/* ---- what must hold ---- */

/* In memory of its own, whose end is watched. */
static enum respond ask(const struct responder *who, struct packet *packet, size_t room,
			size_t total)
{
	uint8_t *data = malloc(room ? room : 1);
	struct request request = { data, packet->len, room, total };
	enum respond kind;

	if (!data)
		abort();
	memcpy(data, packet->data, packet->len);
	kind = respond(who, &request);
	if (request.len > room)
		fail(packet, "a reply that is longer than its frame");
	if (!respond_is_answer(kind) && (request.len != packet->len ||
					 memcmp(data, packet->data, packet->len)))
		fail(packet, "a packet that is not answered has been changed");
	packet->len = request.len;
	memcpy(packet->data, data, packet->len);
	free(data);
	return kind;
}

static void check_reflected(const struct packet *before, const struct packet *after)
{
	if (after->len != before->len || memcmp(after->data, before->data + 6, 6))
		fail(before, "it does not go back");
	if (memcmp(after->data + 6, before->data[0] & 1 ? responder.mac : before->data, 6))
		fail(before, "its source is not the one it was sent to");
}

static void check_reply(const struct packet *before, const struct packet *after,
			enum respond kind)
{
	struct reply reply = { kind, before->data, after->data, before->len, after->len };
	struct packet answer = *after;
	const char *wrong = reply_check(&reply, responder.mac);

	if (wrong)
		fail(before, wrong);
	if (!xsk_filter_match(filter, before->data, before->len))
		fail(before, "the filter leaves it to the kernel");
	if (xsk_filter_match(filter, after->data, after->len))
		fail(before, "the filter takes the reply");
	if (respond_is_answer(ask(&peer, &answer, sizeof(answer.data), answer.len)))
		fail(before, "the reply is answered");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char *text;

	(void)argc;
	(void)argv;
	responder = peer = requests_responder();
	memcpy(peer.mac, other_mac, sizeof(peer.mac));
	inet_pton(AF_INET, "10.66.0.1", &peer.ipv4[0]);
	inet_pton(AF_INET6, "fd66::1", &peer.ipv6[0]);
	peer.ports = (struct units_range){ 0, UINT16_MAX };
	text = respond_filter(&responder);
	if (!text || xsk_filter_compile(&filter, text, NULL))
		abort();
	free(text);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	uint8_t options = input_u8(&in), extra = input_u8(&in);
	struct packet packet, before;
	size_t room, total;
	enum respond kind;

	read_packet(&packet, &in, options);
	before = packet;
	responder.reflects = options & OPT_REFLECT;
	responder.is_router = options & OPT_ROUTER;
	room = options & OPT_TIGHT ? packet.len : sizeof(packet.data);
	total = packet.len + (options & OPT_FRAMES ? extra * 8u : 0);
	kind = ask(&responder, &packet, room, total);
	if (kind == RESPOND_REFLECTED)
		check_reflected(&before, &packet);
	else if (respond_is_answer(kind) && total == before.len)
		check_reply(&before, &packet, kind);
	return 0;
}
