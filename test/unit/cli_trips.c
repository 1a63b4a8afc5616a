/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Which packets came back (cli/trips.c), and the packets themselves (cli/traveller.c). */
#include "trips.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xsk/filter.h>

#include "reply.h"
#include "traveller.h"

#define TIMEOUT 1000

static struct trips *make_trips(void)
{
	struct trips *trips = calloc(1, sizeof(*trips));

	assert_non_null(trips);
	trips->timeout_ns = TIMEOUT;
	return trips;
}

/* All that were sent are somewhere. */
static void assert_whole(const struct trips *trips)
{
	assert_true(trips->next == trips->good + trips->lost + trips->under_way);
	assert_true(trips->oldest <= trips->next);
}

static void good_late_twice(void **state)
{
	struct trips *trips = make_trips();
	uint64_t ns = 0;

	(void)state;
	assert_true(trips_patience_ends(trips) == UINT64_MAX);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(trips_start(trips, 10 * i), i);
	assert_int_equal(trips_end(trips, 1, 40, &ns), TRIP_GOOD);
	assert_int_equal(ns, 30);
	assert_int_equal(trips->oldest, 0);
	assert_int_equal(trips_end(trips, 1, 41, &ns), TRIP_TWICE);
	assert_int_equal(trips_end(trips, 3, 41, &ns), TRIP_NONE);
	assert_int_equal(trips_patience_ends(trips), TIMEOUT);
	assert_int_equal(trips_give_up(trips, TIMEOUT - 1), 0);
	assert_int_equal(trips_give_up(trips, TIMEOUT), 1);
	/* The second is back, the third is next. */
	assert_int_equal(trips->oldest, 2);
	assert_int_equal(trips_patience_ends(trips), TIMEOUT + 20);
	assert_int_equal(trips_end(trips, 0, 5000, &ns), TRIP_LATE);
	assert_int_equal(trips_end(trips, 0, 5001, &ns), TRIP_TWICE);
	assert_int_equal(ns, 30);
	assert_int_equal(trips_end(trips, 2, 5001, &ns), TRIP_GOOD);
	assert_int_equal(ns, 4981);
	assert_whole(trips);
	assert_int_equal(trips->good, 2);
	assert_int_equal(trips->lost, 1);
	assert_int_equal(trips->late, 1);
	assert_int_equal(trips->twice, 2);
	free(trips);
}

static void forgotten_ones_are_late(void **state)
{
	struct trips *trips = make_trips();
	uint64_t ns = 7;

	(void)state;
	for (uint64_t i = 0; i < 2 * TRIPS_KNOWN; i++) {
		assert_false(trips_is_full(trips));
		trips_start(trips, i);
		if (i)
			assert_int_equal(trips_end(trips, i, i + 1, &ns), TRIP_GOOD);
		else
			trips_give_up(trips, TIMEOUT);
	}
	assert_int_equal(trips_end(trips, 0, 1, &ns), TRIP_LATE);
	assert_int_equal(trips_end(trips, TRIPS_KNOWN - 1, 1, &ns), TRIP_LATE);
	assert_int_equal(trips_end(trips, TRIPS_KNOWN, 1, &ns), TRIP_TWICE);
	assert_int_equal(trips_end(trips, UINT64_MAX, 1, &ns), TRIP_NONE);
	assert_whole(trips);
	free(trips);
}

static void the_oldest_keeps_its_place(void **state)
{
	struct trips *trips = make_trips();
	uint64_t ns;

	(void)state;
	trips_start(trips, 0);
	for (uint64_t i = 1; i < TRIPS_KNOWN; i++) {
		assert_false(trips_is_full(trips));
		trips_start(trips, 1);
		trips_end(trips, i, 2, &ns);
	}
	assert_true(trips_is_full(trips));
	assert_int_equal(trips_end(trips, 0, 900, &ns), TRIP_GOOD);
	assert_int_equal(ns, 900);
	assert_false(trips_is_full(trips));
	assert_whole(trips);
	free(trips);
}

/* Against lists of each. */
static void at_random(void **state)
{
	struct trips *trips = make_trips();
	uint64_t now = 0, sent[20000], ns = 0;
	char known[20000] = "";
	unsigned int seed = 3;

	(void)state;
	while (trips->next < 20000) {
		uint64_t number = trips->next ? trips->next - 1 - (uint64_t)rand_r(&seed) % 50 : 0;

		now += (uint64_t)rand_r(&seed) % 60;
		trips_give_up(trips, now);
		for (uint64_t i = trips->next < 100 ? 0 : trips->next - 100; i < trips->next; i++)
			if (known[i] == 'u' && now >= sent[i] + TIMEOUT)
				known[i] = 'l';
		if (trips->under_way < 64 && rand_r(&seed) % 2) {
			known[trips->next] = 'u';
			sent[trips->next] = now;
			trips_start(trips, now);
		} else if (number < trips->next) {
			enum trip trip = trips_end(trips, number, now, &ns);

			assert_int_equal(trip, known[number] == 'u' ? TRIP_GOOD :
					 known[number] == 'l' ? TRIP_LATE : TRIP_TWICE);
			if (trip == TRIP_GOOD)
				assert_int_equal(ns, now - sent[number]);
			known[number] = 'b';
		}
		assert_whole(trips);
	}
	assert_true(trips->good > 5000 && trips->late > 50 && trips->twice > 1000);
	free(trips);
}

/* ---- packets ---- */

static struct traveller_options make_options(bool six, bool is_reflected, uint32_t size)
{
	struct traveller_options options = {
		.is_reflected = is_reflected, .from_port = 40000, .to_port = 7,
		.from_mac = { 2, 0, 0, 0, 0x66, 1 }, .to_mac = { 2, 0, 0, 0, 0x66, 2 },
		.id = 0x0123456789abcdef, .size = size,
	};

	assert_true(address_read(&options.from, six ? "fd66::1" : "10.66.0.1"));
	assert_true(address_read(&options.to, six ? "fd66::2" : "10.66.0.2"));
	return options;
}

/* As xsk echo, or xsk echo --reflect, would send it back. */
static void send_back(uint8_t *packet, const struct traveller_options *options)
{
	struct responder responder = { .reflects = options->is_reflected, .ports = { 7, 7 },
				       .ipv4_count = 1, .ipv6_count = 1 };
	struct request request = { packet, options->size, options->size, options->size };

	memcpy(responder.mac, options->to_mac, 6);
	inet_pton(AF_INET, "10.66.0.2", &responder.ipv4[0]);
	inet_pton(AF_INET6, "fd66::2", &responder.ipv6[0]);
	assert_true(respond_is_answer(respond(&responder, &request)));
}

static uint16_t udp_sum(const uint8_t *packet, bool six, uint32_t size)
{
	size_t payload = six ? 54 : 34;

	return reply_pseudo_checksum(packet + (six ? 22 : 26), six ? 32 : 8, 17, packet + payload,
				     size - payload);
}

static void try_size(bool six, bool is_reflected, uint32_t size)
{
	struct traveller_options options = make_options(six, is_reflected, size);
	struct traveller *traveller = malloc(sizeof(*traveller));
	uint8_t *packet = malloc(size);
	char text[TRAVELLER_FILTER];
	struct xsk_filter *filter;
	uint64_t number = 1;

	assert_non_null(traveller);
	assert_non_null(packet);
	assert_true(size >= traveller_min_size(&options));
	traveller_make(traveller, &options);
	assert_int_equal(xsk_filter_compile(&filter, traveller_filter(&options, text), NULL), 0);
	for (uint64_t i = 0; i < 300; i++) {
		uint64_t sent = i * UINT64_C(0x0100000000fff1);

		traveller_write(traveller, packet, sent, ~sent);
		if (!is_reflected)
			assert_int_equal(udp_sum(packet, six, size), 0);
		/* On the way out it is none that came back. */
		assert_false(traveller_read(traveller, packet, size, &number));
		send_back(packet, &options);
		assert_true(traveller_read(traveller, packet, size, &number));
		assert_true(number == sent);
		assert_int_equal(xsk_filter_match(filter, packet, size), 1);
		/* Not of one that is cut, or of another run. */
		assert_false(traveller_read(traveller, packet, size - 1, &number));
		packet[traveller->payload + 7] ^= 1;
		assert_false(traveller_read(traveller, packet, size, &number));
	}
	xsk_filter_free(filter);
	free(packet);
	free(traveller);
}

static void there_and_back(void **state)
{
	(void)state;
	for (int six = 0; six < 2; six++) {
		struct traveller_options options = make_options(six, false, 0);

		try_size(six, false, traveller_min_size(&options));
		try_size(six, false, traveller_min_size(&options) + 1);
		try_size(six, false, 1514);
		try_size(six, false, TRAVELLER_MAX);
	}
	try_size(false, true, 38);
	try_size(false, true, 1514);
}

/* What a reply has other than it should. */
static void others_are_not_ours(void **state)
{
	for (int six = 0; six < 2; six++) {
		struct traveller_options options = make_options(six, false, 100);
		struct traveller *traveller = malloc(sizeof(*traveller));
		uint8_t packet[100];
		/* Type, version, protocol, addresses, ports, length. */
		const size_t places[] = { 12, 14, six ? 20 : 23, six ? 22 : 26, six ? 53 : 33,
					  six ? 54 : 34, six ? 57 : 37, six ? 59 : 39 };
		uint64_t number;

		(void)state;
		assert_non_null(traveller);
		traveller_make(traveller, &options);
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			traveller_write(traveller, packet, 5, 6);
			send_back(packet, &options);
			packet[places[i]] ^= 0x10;
			assert_false(traveller_read(traveller, packet, 100, &number));
		}
		free(traveller);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_late_twice),
		cmocka_unit_test(forgotten_ones_are_late),
		cmocka_unit_test(the_oldest_keeps_its_place),
		cmocka_unit_test(at_random),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(others_are_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
