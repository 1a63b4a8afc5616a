/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * When a waiting receiver lets packets gather, and when it looks before it sleeps. Rings, clock
 * and judgement are made up.
 */
#include "port.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sys.h"

#define SIZE 1024

static struct {
	struct xsk_port port;
	struct xsk_pool pool;
	struct xsk_queue queues[2];
	struct xsk_queue *waited[2];
	uint32_t producer[2], consumer[2];
	bool wanted;		/* what is judged */
	uint64_t rate;
	uint64_t packets;	/* that it was told of */
	int judged, rests, sleeps;
	int rest_result;
	uint32_t arrive;	/* packets, while it rests */
	uint64_t now_ns, began_ns, comes_after_ns;	/* one packet; 0: none does */
} fake;

bool xsk_gather_wanted(struct xsk_gather *gather, uint64_t now_ns, uint64_t packets)
{
	(void)now_ns;
	assert_ptr_equal(gather, &fake.queues[0].gather);
	fake.judged++;
	fake.packets = packets;
	gather->rate = fake.rate;
	return fake.wanted;
}

int xsk_sys_sleep_us(unsigned int us)
{
	assert_int_equal(us, XSK_GATHER_US);
	fake.rests++;
	fake.producer[1] += fake.arrive;
	return fake.rest_result;
}

/* Something comes, or the test would not end. */
int xsk_sys_poll(struct pollfd *fds, unsigned int n, int timeout_ms)
{
	(void)fds;
	(void)n;
	(void)timeout_ms;
	fake.sleeps++;
	fake.producer[0]++;
	fake.began_ns = fake.now_ns;
	return 1;
}

int xsk_sys_receive(int fd)
{
	(void)fd;
	fake.producer[0]++;
	return 0;
}

int xsk_sys_kick(int fd)
{
	(void)fd;
	return 0;
}

uint64_t xsk_sys_now_ms(void)
{
	return fake.now_ns / 1000000;
}

uint64_t xsk_sys_now_ns(void)
{
	fake.now_ns += 1000;
	if (fake.comes_after_ns && fake.now_ns >= fake.began_ns + fake.comes_after_ns) {
		fake.producer[0]++;
		fake.comes_after_ns = 0;
	}
	return fake.now_ns;
}

int xsk_flush(struct xsk_queue *queue)
{
	(void)queue;
	return 0;
}

void xsk_queue_find_frames(struct xsk_queue *queue, uint32_t n)
{
	(void)queue;
	(void)n;
}

uint32_t xsk_queue_returned(const struct xsk_queue *queue)
{
	(void)queue;
	return 0;
}

static int start(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.port.wait = XSK_WAIT_SLEEP;
	for (int i = 0; i < 2; i++) {
		struct xsk_queue *queue = &fake.queues[i];

		queue->port = &fake.port;
		queue->pool = &fake.pool;
		queue->can_rx = true;
		queue->fill_target = SIZE;
		queue->tx_limit = SIZE;
		queue->rx.size = SIZE;
		queue->rx.mask = SIZE - 1;
		queue->rx.producer = &fake.producer[i];
		queue->rx.consumer = &fake.consumer[i];
		queue->counters.rx_packets = 100;
		fake.waited[i] = queue;
	}
	fake.pool.count = 1;
	fake.wanted = true;
	fake.rate = 1000000;
	fake.arrive = 30;
	fake.now_ns = 1000 * 1000000ULL;
	return 0;
}

static int wait_for_both(int timeout_ms)
{
	return xsk_wait(fake.waited, 2, timeout_ms);
}

static void they_gather(void **state)
{
	(void)state;
	assert_int_equal(wait_for_both(-1), 1);
	assert_int_equal(fake.rests, 1);
	assert_int_equal(fake.sleeps, 0);
	/* It is told of the packets of all queues. */
	assert_int_equal(fake.packets, 200);
	assert_int_equal(wait_for_both(10), 1);
	assert_int_equal(fake.rests, 2);
}

static void where_none_came_it_sleeps(void **state)
{
	(void)state;
	fake.arrive = 0;
	assert_int_equal(wait_for_both(-1), 1);
	assert_int_equal(fake.rests, 1);
	assert_int_equal(fake.sleeps, 1);
}

static void what_is_judged_counts(void **state)
{
	(void)state;
	fake.wanted = false;
	assert_int_equal(wait_for_both(-1), 1);
	assert_int_equal(fake.judged, 1);
	assert_int_equal(fake.rests, 0);
}

static void enough_are_there(void **state)
{
	(void)state;
	fake.producer[1] = 63;
	assert_int_equal(wait_for_both(-1), 1);
	assert_int_equal(fake.rests, 1);
	fake.producer[1] = 64;
	assert_int_equal(wait_for_both(-1), 1);
	assert_int_equal(fake.rests, 1);
}

/* 150 µs at a rate are to have a place, in RX and in FILL. */
static void rings_are_too_small(void **state)
{
	(void)state;
	fake.rate = 7000000;
	wait_for_both(-1);
	assert_int_equal(fake.rests, 0);
	fake.rate = 1000000;
	fake.queues[1].fill_target = 128;
	wait_for_both(-1);
	assert_int_equal(fake.rests, 0);
	/* Of who only sends none is asked. */
	fake.queues[1].can_rx = false;
	wait_for_both(-1);
	assert_int_equal(fake.rests, 1);
}

static void who_has_no_time(void **state)
{
	(void)state;
	fake.producer[0] = 1;
	assert_int_equal(wait_for_both(0), 1);
	assert_int_equal(fake.rests, 0);
}

static void who_wants_more_than_packets(void **state)
{
	(void)state;
	fake.queues[1].wants_room = 1;
	wait_for_both(-1);
	fake.queues[1].wants_room = 0;
	fake.queues[1].wants_frames = 1;
	wait_for_both(-1);
	assert_int_equal(fake.rests, 0);
}

static void who_does_not_want_it(void **state)
{
	(void)state;
	fake.port.flags = XSK_PORT_NO_GATHER;
	assert_int_equal(wait_for_both(-1), 1);
	fake.port.flags = 0;
	fake.port.wait = XSK_WAIT_BUSY_POLL;
	assert_int_equal(wait_for_both(-1), 1);
	assert_int_equal(fake.judged, 0);
	assert_int_equal(fake.rests, 0);
}

/* It is not lost, and what has come is told first. */
static void signals(void **state)
{
	(void)state;
	fake.rest_result = -EINTR;
	assert_int_equal(wait_for_both(-1), 1);
	fake.producer[0] = fake.producer[1] = 0;
	fake.arrive = 0;
	for (int i = 0; i < 2; i++)
		fake.queues[i].rx.cached_prod = 0;
	assert_int_equal(wait_for_both(-1), -EINTR);
	assert_int_equal(fake.sleeps, 0);
}

/* ---- looking before a sleep ---- */

static int wait_adaptively(uint64_t comes_after_ns, int timeout_ms)
{
	fake.wanted = false;
	fake.port.wait = XSK_WAIT_ADAPTIVE;
	for (int i = 0; i < 2; i++) {
		fake.producer[i] = 0;
		fake.queues[i].rx.cached_prod = 0;
	}
	fake.began_ns = fake.now_ns;
	fake.comes_after_ns = comes_after_ns;
	return wait_for_both(timeout_ms);
}

static void what_comes_soon_is_seen(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(wait_adaptively(90000, -1), 1);
		assert_int_equal(fake.sleeps, 0);
	}
}

static void what_does_not_is_slept_for(void **state)
{
	uint64_t looked_ns = XSK_ADAPT_US * 1000, took = fake.now_ns;

	(void)state;
	assert_int_equal(wait_adaptively(0, -1), 1);
	assert_int_equal(fake.sleeps, 1);
	took = fake.now_ns - took;
	assert_true(took >= looked_ns && took < 2 * looked_ns);
	/* In vain: the next ones sleep at once. The more often, the more of them. */
	for (int vain = 1; vain <= 8; vain++) {
		int left_out = vain < 7 ? 1 << (vain - 1) : 64;

		for (int i = 0; i < left_out; i++) {
			uint64_t before = fake.now_ns;

			assert_int_equal(wait_adaptively(0, -1), 1);
			assert_true(fake.now_ns - before < looked_ns / 2);
		}
		took = fake.now_ns;
		assert_int_equal(wait_adaptively(0, -1), 1);
		assert_true(fake.now_ns - took >= looked_ns);
	}
	assert_int_equal(fake.queues[1].adapt.penalty, 0);
}

/* What was in vain is forgotten where it helps again. */
static void it_begins_anew(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++)
		wait_adaptively(0, -1);
	assert_int_equal(fake.queues[0].adapt.penalty, 64);
	for (int i = 0; i < 80; i++)
		wait_adaptively(50000, -1);
	assert_int_equal(fake.queues[0].adapt.penalty, 0);
	fake.sleeps = 0;
	for (int i = 0; i < 10; i++)
		wait_adaptively(50000, -1);
	assert_int_equal(fake.sleeps, 0);
}

static void who_has_no_time_does_not_look(void **state)
{
	uint64_t before = fake.now_ns;

	(void)state;
	assert_int_equal(wait_adaptively(50000, 0), 0);
	assert_true(fake.now_ns - before < 50000);
	assert_int_equal(fake.sleeps, 0);
	assert_int_equal(fake.queues[0].adapt.penalty, 0);
}

/* The time ends while it looks. */
static void the_time_is_over(void **state)
{
	(void)state;
	fake.now_ns += 950000;
	assert_int_equal(wait_adaptively(0, 1), 0);
	assert_int_equal(fake.sleeps, 0);
	assert_true(fake.now_ns < 1001100000);
}

static void they_gather_here_too(void **state)
{
	(void)state;
	fake.port.wait = XSK_WAIT_ADAPTIVE;
	assert_int_equal(wait_for_both(-1), 1);
	assert_int_equal(fake.rests, 1);
	fake.port.flags = XSK_PORT_NO_GATHER;
	assert_int_equal(wait_for_both(-1), 1);
	assert_int_equal(fake.rests, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(they_gather),
		TEST(where_none_came_it_sleeps),
		TEST(what_is_judged_counts),
		TEST(enough_are_there),
		TEST(rings_are_too_small),
		TEST(who_has_no_time),
		TEST(who_wants_more_than_packets),
		TEST(who_does_not_want_it),
		TEST(signals),
		TEST(what_comes_soon_is_seen),
		TEST(what_does_not_is_slept_for),
		TEST(it_begins_anew),
		TEST(who_has_no_time_does_not_look),
		TEST(the_time_is_over),
		TEST(they_gather_here_too),
	};

	return cmocka_run_group_tests_name("port_wait", tests, NULL, NULL);
}
