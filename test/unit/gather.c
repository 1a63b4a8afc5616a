/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* gather: when packets are let gather, on a clock and a receiver that are made up. */
#include "gather.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define US 1000
#define MS (1000 * US)
/* What a wait and a burst take, and what a rest takes really. */
#define BURST_NS (3 * US)
#define REST_NS (75 * US)

/* Somebody who receives for a time. */
struct receiver {
	struct xsk_gather gather;
	uint64_t now_ns, packets;
	uint64_t waits, rests;		/* calls, and those that were to rest */
};

static void wait_and_receive(struct receiver *receiver, uint64_t *took)
{
	uint64_t before = receiver->now_ns;

	receiver->waits++;
	if (xsk_gather_wanted(&receiver->gather, before, receiver->packets)) {
		receiver->rests++;
		receiver->now_ns += REST_NS;
	}
	receiver->now_ns += BURST_NS;
	*took = receiver->now_ns - before;
}

/* They come whatever he does. */
static void open_loop(struct receiver *receiver, uint64_t rate, uint64_t ns)
{
	uint64_t end = receiver->now_ns + ns, start = receiver->now_ns;
	uint64_t first = receiver->packets, took;

	while (receiver->now_ns < end) {
		wait_and_receive(receiver, &took);
		receiver->packets = first + (receiver->now_ns - start) * rate / 1000000000;
	}
}

/* So many are under way, and each comes again some time after it was received. */
static void closed_loop(struct receiver *receiver, uint64_t window, uint64_t trip_ns, uint64_t ns)
{
	uint64_t end = receiver->now_ns + ns, took;

	while (receiver->now_ns < end) {
		wait_and_receive(receiver, &took);
		if (took < trip_ns)
			receiver->now_ns += trip_ns - took;
		receiver->packets += window;
	}
}

static struct receiver receiver_new(void)
{
	return (struct receiver){ .now_ns = 1234 * (uint64_t)MS };
}

static void many_packets_gather(void **state)
{
	struct receiver receiver = receiver_new();

	(void)state;
	open_loop(&receiver, 2000000, 10 * MS);
	assert_true(receiver.rests > 0);
	receiver.waits = receiver.rests = 0;
	/* But for the checks. */
	open_loop(&receiver, 2000000, 5000 * (uint64_t)MS);
	assert_true(receiver.rests * REST_NS > 4700 * (uint64_t)MS);
	assert_true(receiver.rests < receiver.waits);
}

static void few_do_not(void **state)
{
	struct receiver receiver = receiver_new();

	(void)state;
	open_loop(&receiver, 100000, 1000 * MS);
	closed_loop(&receiver, 1, 10 * US, 1000 * MS);
	assert_int_equal(receiver.rests, 0);
}

/* Whose rate would fall: 64 in 40 µs are 1.6 million a second, in 78 µs half of that. */
static void answers_do_not(void **state)
{
	struct receiver receiver = receiver_new();
	uint64_t rests;

	(void)state;
	closed_loop(&receiver, 64, 40 * US, 100 * MS);
	rests = receiver.rests;
	assert_true(rests > 0);
	closed_loop(&receiver, 64, 40 * US, 10000 * (uint64_t)MS);
	assert_true((receiver.rests - rests) * REST_NS < 100 * MS);
}

/* Where it makes no difference, it may. */
static void answers_from_far_gather(void **state)
{
	struct receiver receiver = receiver_new();

	(void)state;
	closed_loop(&receiver, 2000, 1000 * US, 1000 * MS);
	assert_true(receiver.rests > receiver.waits / 2);
}

/* What was an open loop has become a closed one, and is found out by a check. */
static void a_loop_that_closes(void **state)
{
	struct receiver receiver = receiver_new();

	(void)state;
	open_loop(&receiver, 1000000, 100 * MS);
	closed_loop(&receiver, 64, 40 * US, 2000 * (uint64_t)MS);
	receiver.rests = 0;
	closed_loop(&receiver, 64, 40 * US, 1000 * MS);
	assert_true(receiver.rests * REST_NS < 50 * MS);
}

static void fewer_end_it(void **state)
{
	struct receiver receiver = receiver_new();

	(void)state;
	open_loop(&receiver, 2000000, 100 * MS);
	open_loop(&receiver, 100000, 10 * MS);
	receiver.rests = 0;
	open_loop(&receiver, 100000, 1000 * MS);
	assert_int_equal(receiver.rests, 0);
	open_loop(&receiver, 2000000, 100 * MS);
	assert_true(receiver.rests > 0);
}

/* The first wait after a pause is for the first packet. */
static void a_pause_ends_it(void **state)
{
	struct receiver receiver = receiver_new();

	(void)state;
	open_loop(&receiver, 2000000, 100 * MS);
	assert_true(receiver.rests > 0);
	receiver.now_ns += 1000 * MS;
	assert_false(xsk_gather_wanted(&receiver.gather, receiver.now_ns, receiver.packets + 1));
}

/* Who waits for other queues begins anew. */
static void other_queues_end_it(void **state)
{
	struct receiver receiver = receiver_new();

	(void)state;
	open_loop(&receiver, 2000000, 100 * MS);
	assert_int_equal(receiver.gather.state, XSK_GATHER_ON);
	receiver.packets = 0;
	receiver.now_ns += 3 * MS;
	assert_false(xsk_gather_wanted(&receiver.gather, receiver.now_ns, receiver.packets));
	assert_int_equal(receiver.gather.rate, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_packets_gather),
		cmocka_unit_test(few_do_not),
		cmocka_unit_test(answers_do_not),
		cmocka_unit_test(answers_from_far_gather),
		cmocka_unit_test(a_loop_that_closes),
		cmocka_unit_test(fewer_end_it),
		cmocka_unit_test(a_pause_ends_it),
		cmocka_unit_test(other_queues_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
