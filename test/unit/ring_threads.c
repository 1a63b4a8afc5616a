/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Two threads on one ring, as the kernel and the program are: each entry
 * arrives once, whole and in order. ThreadSanitizer judges the barriers, which
 * on x86 no result could.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <xdp/xsk.h>

#define TOTAL 5000000
#define SIZE 512
#define MAX_BATCH 96

/* The counters pass 2^32 on the way. */
#define START ((uint32_t)-1000000)

struct ring {
	struct xsk_ring_prod prod;
	struct xsk_ring_cons cons;
	uint32_t producer __attribute__((aligned(64)));
	uint32_t consumer __attribute__((aligned(64)));
	uint32_t flags __attribute__((aligned(64)));
	struct xdp_desc descs[SIZE];
	bool given_all;			/* by the producer */
	bool stopped;			/* by the consumer, who is done or disappointed */
	uint64_t taken;
	uint64_t wrong;
};

static uint32_t draw(uint64_t *random, uint32_t below)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (uint32_t)(*random >> 32) % below;
}

/* Varying batches; of some only a part is submitted, and the rest cancelled. */
static void *produce(void *arg)
{
	struct ring *ring = arg;
	uint64_t random = 0x9e3779b97f4a7c15, given = 0;

	while (given < TOTAL && !__atomic_load_n(&ring->stopped, __ATOMIC_RELAXED)) {
		uint32_t n = 1 + draw(&random, MAX_BATCH), keep, idx;

		if (n > TOTAL - given)
			n = (uint32_t)(TOTAL - given);
		if (!xsk_ring_prod__reserve(&ring->prod, n, &idx)) {
			sched_yield();
			continue;
		}
		for (uint32_t i = 0; i < n; i++) {
			struct xdp_desc *desc = xsk_ring_prod__tx_desc(&ring->prod, idx + i);

			desc->addr = given + i;
			desc->len = (uint32_t)(given + i) * 2654435761u;
			desc->options = ~desc->len;
		}
		keep = draw(&random, 8) ? n : draw(&random, n + 1);
		xsk_ring_prod__cancel(&ring->prod, n - keep);
		xsk_ring_prod__submit(&ring->prod, keep / 2);
		xsk_ring_prod__submit(&ring->prod, keep - keep / 2);
		given += keep;
	}
	__atomic_store_n(&ring->given_all, true, __ATOMIC_RELEASE);
	return NULL;
}

static uint64_t wrong_ones(const struct ring *ring, uint32_t idx, uint32_t n)
{
	uint64_t wrong = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&ring->cons, idx + i);

		wrong += desc->addr != ring->taken + i ||
			 desc->len != (uint32_t)(ring->taken + i) * 2654435761u ||
			 desc->options != ~desc->len;
	}
	return wrong;
}

static void *consume(void *arg)
{
	struct ring *ring = arg;
	uint64_t random = 0xbf58476d1ce4e5b9;

	while (ring->taken < TOTAL && !ring->wrong) {
		bool given_all = __atomic_load_n(&ring->given_all, __ATOMIC_ACQUIRE);
		uint32_t n, keep, idx;

		n = xsk_ring_cons__peek(&ring->cons, 1 + draw(&random, MAX_BATCH), &idx);
		if (!n) {
			if (given_all)
				break;		/* some are lost */
			sched_yield();
			continue;
		}
		ring->wrong = wrong_ones(ring, idx, n);
		keep = draw(&random, 8) ? n : draw(&random, n + 1);
		xsk_ring_cons__cancel(&ring->cons, n - keep);
		xsk_ring_cons__release(&ring->cons, keep / 2);
		xsk_ring_cons__release(&ring->cons, keep - keep / 2);
		ring->taken += keep;
	}
	__atomic_store_n(&ring->stopped, true, __ATOMIC_RELAXED);
	return NULL;
}

static void in_order(void **state)
{
	static struct ring ring = {
		.prod = {
			.cached_prod = START,
			.cached_cons = START + SIZE,
			.mask = SIZE - 1,
			.size = SIZE,
			.producer = &ring.producer,
			.consumer = &ring.consumer,
			.ring = ring.descs,
			.flags = &ring.flags,
		},
		.cons = {
			.cached_prod = START,
			.cached_cons = START,
			.mask = SIZE - 1,
			.size = SIZE,
			.producer = &ring.producer,
			.consumer = &ring.consumer,
			.ring = ring.descs,
			.flags = &ring.flags,
		},
		.producer = START,
		.consumer = START,
	};
	pthread_t producer, consumer;

	(void)state;
	assert_int_equal(pthread_create(&producer, NULL, produce, &ring), 0);
	assert_int_equal(pthread_create(&consumer, NULL, consume, &ring), 0);
	assert_int_equal(pthread_join(consumer, NULL), 0);
	assert_int_equal(pthread_join(producer, NULL), 0);

	assert_int_equal(ring.wrong, 0);
	assert_int_equal(ring.taken, TOTAL);
	assert_int_equal(ring.producer, (uint32_t)(START + TOTAL));
	assert_int_equal(ring.consumer, (uint32_t)(START + TOTAL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
	};

	return cmocka_run_group_tests_name("ring_threads", tests, NULL, NULL);
}
