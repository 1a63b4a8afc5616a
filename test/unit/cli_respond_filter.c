/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The filter by which xsk echo takes what it answers (cli/respond_filter.c). */
#include "respond.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xsk/filter.h>

#include "requests.h"

static enum respond answer(const struct responder *responder, struct packet *packet)
{
	struct request request = { packet->data, packet->len, sizeof(packet->data), packet->len };
	enum respond kind = respond(responder, &request);

	packet->len = request.len;
	return kind;
}

static struct xsk_filter *compile(const struct responder *responder)
{
	struct xsk_filter *filter = NULL;
	char *text = respond_filter(responder);
	struct xsk_error error;

	assert_non_null(text);
	if (xsk_filter_compile(&filter, text, &error))
		fail_msg("%s: %s", text, error.reason);
	free(text);
	return filter;
}

static void the_filter_takes_what_is_answered(void **state)
{
	struct responder responder = requests_responder();
	struct xsk_filter *filter = compile(&responder);
	struct packet packet;

	(void)state;
	for (int tags = 0; tags <= 2; tags++) {
		for (int i = 0; i < GOOD_REQUESTS; i++) {
			make_good(&packet, i, tags);
			assert_int_equal(xsk_filter_match(filter, packet.data, packet.len), 1);
			/* And not what comes back. */
			answer(&responder, &packet);
			assert_int_equal(xsk_filter_match(filter, packet.data, packet.len), 0);
		}
	}
	xsk_filter_free(filter);
}

static void the_filter_leaves_the_rest(void **state)
{
	struct responder responder = requests_responder();
	struct xsk_filter *filter = compile(&responder);
	struct packet packet;

	(void)state;
	ping(&packet, 0, 100);
	put16(packet.data + packet.ip + 6, 0x2000);
	assert_int_equal(xsk_filter_match(filter, packet.data, packet.len), 0);
	ping(&packet, 0, 100);
	inet_pton(AF_INET, "10.66.0.3", packet.data + packet.ip + 16);
	assert_int_equal(xsk_filter_match(filter, packet.data, packet.len), 0);
	udp(&packet, 0, true, 4000, 53, 100);
	assert_int_equal(xsk_filter_match(filter, packet.data, packet.len), 0);
	ipv4(&packet, 0, 6, NULL, 0, 20);
	fill(&packet, 20);
	assert_int_equal(xsk_filter_match(filter, packet.data, packet.len), 0);
	xsk_filter_free(filter);
	/* Of one family there is none of the other; of none there is no filter. */
	responder.ipv4_count = 0;
	filter = compile(&responder);
	ping6(&packet, 0, 100);
	assert_int_equal(xsk_filter_match(filter, packet.data, packet.len), 1);
	ping(&packet, 0, 100);
	assert_int_equal(xsk_filter_match(filter, packet.data, packet.len), 0);
	xsk_filter_free(filter);
	responder.ipv6_count = 0;
	assert_null(respond_filter(&responder));
}

/* Each program has its limits; the verifier's are another matter. */
static void the_filter_of_many_addresses(void **state)
{
	struct responder responder = requests_responder();
	struct xsk_filter *filter;
	struct packet packet;

	(void)state;
	responder.ipv4_count = responder.ipv6_count = RESPOND_ADDRESSES;
	for (uint32_t i = 2; i < RESPOND_ADDRESSES; i++) {
		responder.ipv4[i].s_addr = htonl(0x0a420000 + 2 * i);
		responder.ipv6[i] = responder.ipv6[0];
		responder.ipv6[i].s6_addr[15] = (uint8_t)(2 * i);
	}
	filter = compile(&responder);
	for (int i = 0; i < GOOD_REQUESTS; i++) {
		make_good(&packet, i, i % 3);
		assert_int_equal(xsk_filter_match(filter, packet.data, packet.len), 1);
	}
	xsk_filter_free(filter);
}

/* Some bits of a good one are others. What is answered then has been taken. */
static void the_filter_takes_no_less(void **state)
{
	struct responder responder = requests_responder();
	struct xsk_filter *filter = compile(&responder);
	unsigned int seed = 7, answered = 0;

	(void)state;
	for (int i = 0; i < 60000; i++) {
		struct packet packet;
		bool matches;

		make_good(&packet, i % GOOD_REQUESTS, i / GOOD_REQUESTS % 3);
		for (int k = rand_r(&seed) % 3; k >= 0; k--)
			packet.data[rand_r(&seed) % 78] ^= (uint8_t)(1 << rand_r(&seed) % 8);
		if (packet.payload == packet.ip + 20)
			ipv4_checksum(&packet);
		matches = xsk_filter_match(filter, packet.data, packet.len);
		if (!respond_is_answer(answer(&responder, &packet)))
			continue;
		answered++;
		assert_true(matches);
	}
	assert_true(answered > 5000);
	xsk_filter_free(filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_filter_takes_what_is_answered),
		cmocka_unit_test(the_filter_leaves_the_rest),
		cmocka_unit_test(the_filter_of_many_addresses),
		cmocka_unit_test(the_filter_takes_no_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
