/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The ring verbs on counters of this program's own: no kernel. Each check runs
 * on rings of 1, 2 and 2048 entries, from counters that are about to overflow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <xdp/xsk.h>

#define MAX_SIZE 2048
#define UNTOUCHED 0xdeadbeef

/* It is inlined into programs: a layout, not only a set of names. */
#define IS_RING(type) \
	_Static_assert(offsetof(type, cached_prod) == 0 && \
		       offsetof(type, cached_cons) == 4 && \
		       offsetof(type, mask) == 8 && \
		       offsetof(type, size) == 12 && \
		       offsetof(type, producer) == 16 && \
		       offsetof(type, consumer) == 16 + sizeof(void *) && \
		       offsetof(type, ring) == 16 + 2 * sizeof(void *) && \
		       offsetof(type, flags) == 16 + 3 * sizeof(void *) && \
		       sizeof(type) == 16 + 4 * sizeof(void *), #type)
IS_RING(struct xsk_ring_prod);
IS_RING(struct xsk_ring_cons);

/* A ring with both its ends, where the kernel has one of them otherwise. */
struct ring {
	struct xsk_ring_prod prod;
	struct xsk_ring_cons cons;
	uint32_t start;
	uint32_t producer;
	uint32_t consumer;
	uint32_t flags;
	union {
		uint64_t addrs[MAX_SIZE];
		struct xdp_desc descs[MAX_SIZE];
	};
};

static void set_up(struct ring *ring, uint32_t size, uint32_t start)
{
	memset(ring, 0, sizeof(*ring));
	ring->start = start;
	ring->producer = start;
	ring->consumer = start;
	ring->prod = (struct xsk_ring_prod){
		.cached_prod = start,
		.cached_cons = start + size,
		.mask = size - 1,
		.size = size,
		.producer = &ring->producer,
		.consumer = &ring->consumer,
		.ring = ring->addrs,
		.flags = &ring->flags,
	};
	ring->cons = (struct xsk_ring_cons){
		.cached_prod = start,
		.cached_cons = start,
		.mask = size - 1,
		.size = size,
		.producer = &ring->producer,
		.consumer = &ring->consumer,
		.ring = ring->addrs,
		.flags = &ring->flags,
	};
}

/* Runs the check on each size and start; rings below min entries are left out. */
static void on_rings(uint32_t min, void (*check)(struct ring *ring))
{
	static const uint32_t sizes[] = { 1, 2, MAX_SIZE };
	static const uint32_t starts[] = { 0, 5, 0x7ffffffe, 0xfffff7ff, 0xfffffff0, 0xfffffffd,
					   0xffffffff };
	static struct ring ring;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i] < min)
			continue;
		for (size_t j = 0; j < sizeof(starts) / sizeof(starts[0]); j++) {
			set_up(&ring, sizes[i], starts[j]);
			check(&ring);
		}
	}
}

/* Puts n entries into the ring, with their place in the row as the value. */
static void produce(struct ring *ring, uint32_t n)
{
	uint32_t idx = UNTOUCHED;

	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, n, &idx), n);
	for (uint32_t i = 0; i < n; i++)
		*xsk_ring_prod__fill_addr(&ring->prod, idx + i) = idx + i - ring->start;
	xsk_ring_prod__submit(&ring->prod, n);
}

static void consume(struct ring *ring, uint32_t n)
{
	uint32_t idx = UNTOUCHED;

	assert_int_equal(xsk_ring_cons__peek(&ring->cons, n, &idx), n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(*xsk_ring_cons__comp_addr(&ring->cons, idx + i),
				 (uint32_t)(idx + i - ring->start));
	xsk_ring_cons__release(&ring->cons, n);
}

static void check_empty(struct ring *ring)
{
	uint32_t size = ring->prod.size, idx = UNTOUCHED;

	assert_int_equal(xsk_ring_cons__peek(&ring->cons, 1, &idx), 0);
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, size, &idx), 0);
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, UINT32_MAX, &idx), 0);
	assert_int_equal(idx, UNTOUCHED);
	assert_int_equal(xsk_cons_nb_avail(&ring->cons, UINT32_MAX), 0);
	assert_int_equal(xsk_prod_nb_free(&ring->prod, UINT32_MAX), size);

	/* What is reserved only is not in the ring yet. */
	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, size, &idx), size);
	assert_int_equal(xsk_cons_nb_avail(&ring->cons, size), 0);

	xsk_ring_prod__submit(&ring->prod, size);
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, size, &idx), size);
	xsk_ring_cons__release(&ring->cons, size);
	idx = UNTOUCHED;
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, 1, &idx), 0);
	assert_int_equal(idx, UNTOUCHED);
}

static void empty(void **state)
{
	(void)state;
	on_rings(1, check_empty);
}

static void check_full(struct ring *ring)
{
	uint32_t size = ring->prod.size, idx = UNTOUCHED;

	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, size, &idx), size);
	assert_int_equal(idx, ring->start);

	idx = UNTOUCHED;
	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, 1, &idx), 0);
	xsk_ring_prod__submit(&ring->prod, size);
	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, 1, &idx), 0);
	assert_int_equal(xsk_prod_nb_free(&ring->prod, 1), 0);
	assert_int_equal(idx, UNTOUCHED);

	/* An entry that is peeked is not free; one that is released is. */
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, UINT32_MAX, &idx), size);
	assert_int_equal(idx, ring->start);
	assert_int_equal(xsk_prod_nb_free(&ring->prod, 1), 0);
	xsk_ring_cons__release(&ring->cons, 1);
	assert_int_equal(xsk_prod_nb_free(&ring->prod, UINT32_MAX), 1);
	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, 1, &idx), 1);
	assert_int_equal(idx, (uint32_t)(ring->start + size));
	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, 1, &idx), 0);
}

static void full(void **state)
{
	(void)state;
	on_rings(1, check_full);
}

static void check_wrap(struct ring *ring)
{
	uint32_t size = ring->prod.size;

	for (uint32_t i = 0; i < 3 * size + 64; i++) {
		produce(ring, 1);
		consume(ring, 1);
	}
	for (uint32_t i = 0; i < 40; i++) {
		produce(ring, size);
		consume(ring, size);
	}
	/* The two ends never side by side. */
	produce(ring, (size + 1) / 2);
	for (uint32_t i = 0; i < 3 * size && size > 1; i++) {
		produce(ring, size / 2);
		consume(ring, size / 2);
	}
	consume(ring, (size + 1) / 2);
	assert_int_equal(ring->producer, ring->consumer);
}

static void wrap_around(void **state)
{
	(void)state;
	on_rings(1, check_wrap);
}

static void check_reserve_all_or_nothing(struct ring *ring)
{
	uint32_t size = ring->prod.size, idx = UNTOUCHED;

	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, size + 1, &idx), 0);
	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, UINT32_MAX, &idx), 0);
	assert_int_equal(idx, UNTOUCHED);

	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, 1, &idx), 1);
	idx = UNTOUCHED;
	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, size, &idx), 0);
	assert_int_equal(idx, UNTOUCHED);
	assert_int_equal(ring->prod.cached_prod, (uint32_t)(ring->start + 1));

	/* The refusal has taken nothing: the rest is still to be had. */
	if (size > 1) {
		assert_int_equal(xsk_ring_prod__reserve(&ring->prod, size - 1, &idx), size - 1);
		assert_int_equal(idx, (uint32_t)(ring->start + 1));
	}
	assert_int_equal(ring->producer, ring->start);
}

static void reserve_all_or_nothing(void **state)
{
	(void)state;
	on_rings(1, check_reserve_all_or_nothing);
}

/*
 * Each look at the other side's counter costs a cache line: it must not be done
 * while what is known suffices, and must be done as soon as it does not.
 */
static void check_stale_producer(struct ring *ring)
{
	uint32_t size = ring->prod.size, idx = UNTOUCHED;

	produce(ring, size);
	ring->prod.cached_cons = ring->start + size;	/* nothing is known to be free */
	ring->consumer = ring->start + 4;		/* 4 are */

	assert_int_equal(xsk_prod_nb_free(&ring->prod, 0), 0);
	assert_int_equal(ring->prod.cached_cons, (uint32_t)(ring->start + size));
	assert_int_equal(xsk_prod_nb_free(&ring->prod, 1), 4);
	assert_int_equal(ring->prod.cached_cons, (uint32_t)(ring->start + size + 4));

	/* 4 are known and 7 are free: only the fifth is a reason to look. */
	ring->consumer = ring->start + 7;
	assert_int_equal(xsk_prod_nb_free(&ring->prod, 4), 4);
	assert_int_equal(ring->prod.cached_cons, (uint32_t)(ring->start + size + 4));
	assert_int_equal(xsk_prod_nb_free(&ring->prod, 5), 7);

	ring->consumer = ring->start + 10;
	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, 7, &idx), 7);
	assert_int_equal(ring->prod.cached_cons, (uint32_t)(ring->start + size + 7));
	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, 3, &idx), 3);
	assert_int_equal(ring->prod.cached_cons, (uint32_t)(ring->start + size + 10));
	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, 1, &idx), 0);
}

static void stale_producer(void **state)
{
	(void)state;
	on_rings(16, check_stale_producer);
}

static void check_stale_consumer(struct ring *ring)
{
	uint32_t idx = UNTOUCHED;

	produce(ring, 3);
	assert_int_equal(xsk_cons_nb_avail(&ring->cons, 0), 0);
	assert_int_equal(ring->cons.cached_prod, ring->start);
	assert_int_equal(xsk_cons_nb_avail(&ring->cons, 2), 2);
	assert_int_equal(ring->cons.cached_prod, (uint32_t)(ring->start + 3));

	/* 3 are known and 5 are there: no look for 3. */
	produce(ring, 2);
	assert_int_equal(xsk_cons_nb_avail(&ring->cons, 3), 3);
	assert_int_equal(ring->cons.cached_prod, (uint32_t)(ring->start + 3));
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, 1, &idx), 1);
	assert_int_equal(idx, ring->start);
	assert_int_equal(ring->cons.cached_prod, (uint32_t)(ring->start + 3));

	/* 2 are known; a peek of 8 takes what has arrived since, too. */
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, 8, &idx), 4);
	assert_int_equal(idx, (uint32_t)(ring->start + 1));
	assert_int_equal(ring->cons.cached_prod, (uint32_t)(ring->start + 5));
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, 1, &idx), 0);
}

static void stale_consumer(void **state)
{
	(void)state;
	on_rings(16, check_stale_consumer);
}

static void check_cancel_producer(struct ring *ring)
{
	uint32_t size = ring->prod.size, idx = UNTOUCHED;

	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, size, &idx), size);
	xsk_ring_prod__cancel(&ring->prod, size);
	assert_int_equal(xsk_prod_nb_free(&ring->prod, size), size);
	assert_int_equal(ring->producer, ring->start);

	/* The last ones go back, the first stay reserved and can be submitted. */
	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, size, &idx), size);
	xsk_ring_prod__cancel(&ring->prod, size - 1);
	xsk_ring_prod__submit(&ring->prod, 1);
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, size, &idx), 1);
	assert_int_equal(idx, ring->start);
	if (size > 1) {
		assert_int_equal(xsk_ring_prod__reserve(&ring->prod, 1, &idx), 1);
		assert_int_equal(idx, (uint32_t)(ring->start + 1));
	}
}

static void cancel_producer(void **state)
{
	(void)state;
	on_rings(1, check_cancel_producer);
}

static void check_cancel_consumer(struct ring *ring)
{
	uint32_t size = ring->prod.size, idx = UNTOUCHED;

	produce(ring, size);
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, size, &idx), size);
	xsk_ring_cons__cancel(&ring->cons, size);
	assert_int_equal(ring->consumer, ring->start);
	assert_int_equal(xsk_cons_nb_avail(&ring->cons, size), size);

	assert_int_equal(xsk_ring_cons__peek(&ring->cons, size, &idx), size);
	xsk_ring_cons__cancel(&ring->cons, size - 1);
	xsk_ring_cons__release(&ring->cons, 1);
	assert_int_equal(xsk_prod_nb_free(&ring->prod, size), 1);
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, size, &idx), size - 1);
	if (size > 1) {
		assert_int_equal(idx, (uint32_t)(ring->start + 1));
		assert_int_equal(*xsk_ring_cons__comp_addr(&ring->cons, idx), 1);
	}
}

static void cancel_consumer(void **state)
{
	(void)state;
	on_rings(1, check_cancel_consumer);
}

static void check_partial_peeks(struct ring *ring)
{
	uint32_t idx = UNTOUCHED;

	produce(ring, 8);
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, 3, &idx), 3);
	assert_int_equal(idx, ring->start);
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, 3, &idx), 3);
	assert_int_equal(idx, (uint32_t)(ring->start + 3));
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, 3, &idx), 2);
	assert_int_equal(idx, (uint32_t)(ring->start + 6));
	assert_int_equal(xsk_ring_cons__peek(&ring->cons, 3, &idx), 0);

	/* release adds, as submit does: it does not publish cached_cons. */
	assert_int_equal(ring->consumer, ring->start);
	xsk_ring_cons__release(&ring->cons, 3);
	assert_int_equal(ring->consumer, (uint32_t)(ring->start + 3));
	xsk_ring_cons__release(&ring->cons, 5);
	assert_int_equal(ring->consumer, (uint32_t)(ring->start + 8));
	assert_int_equal(ring->producer, (uint32_t)(ring->start + 8));
}

static void partial_peeks(void **state)
{
	(void)state;
	on_rings(8, check_partial_peeks);
}

static void check_submit_adds(struct ring *ring)
{
	uint32_t idx = UNTOUCHED;

	assert_int_equal(xsk_ring_prod__reserve(&ring->prod, 8, &idx), 8);
	assert_int_equal(ring->producer, ring->start);
	xsk_ring_prod__submit(&ring->prod, 3);
	assert_int_equal(ring->producer, (uint32_t)(ring->start + 3));
	assert_int_equal(xsk_cons_nb_avail(&ring->cons, 8), 3);
	xsk_ring_prod__submit(&ring->prod, 5);
	assert_int_equal(ring->producer, (uint32_t)(ring->start + 8));
	assert_int_equal(xsk_cons_nb_avail(&ring->cons, 8), 8);
	assert_int_equal(ring->prod.cached_prod, (uint32_t)(ring->start + 8));
	assert_int_equal(ring->consumer, ring->start);
}

static void submit_adds(void **state)
{
	(void)state;
	on_rings(8, check_submit_adds);
}

static void check_needs_wakeup(struct ring *ring)
{
	assert_false(xsk_ring_prod__needs_wakeup(&ring->prod));
	ring->flags = XDP_RING_NEED_WAKEUP;
	assert_true(xsk_ring_prod__needs_wakeup(&ring->prod));
	ring->flags = ~(uint32_t)XDP_RING_NEED_WAKEUP;
	assert_false(xsk_ring_prod__needs_wakeup(&ring->prod));
	ring->flags = UINT32_MAX;
	assert_true(xsk_ring_prod__needs_wakeup(&ring->prod));
}

static void needs_wakeup(void **state)
{
	(void)state;
	on_rings(1, check_needs_wakeup);
}

static void check_accessors(struct ring *ring)
{
	uint32_t size = ring->prod.size;
	const uint32_t idxs[] = { 0, 1, size - 1, size, size + 1, 3 * size + 1, ring->start,
				  0x80000000, UINT32_MAX };

	for (size_t i = 0; i < sizeof(idxs) / sizeof(idxs[0]); i++) {
		uint32_t idx = idxs[i], slot = idx % size;

		assert_ptr_equal(xsk_ring_prod__fill_addr(&ring->prod, idx), &ring->addrs[slot]);
		assert_ptr_equal(xsk_ring_cons__comp_addr(&ring->cons, idx), &ring->addrs[slot]);
		assert_ptr_equal(xsk_ring_prod__tx_desc(&ring->prod, idx), &ring->descs[slot]);
		assert_ptr_equal(xsk_ring_cons__rx_desc(&ring->cons, idx), &ring->descs[slot]);
	}
}

static void accessors(void **state)
{
	(void)state;
	on_rings(1, check_accessors);
}

/* ---- addresses ---- */

static void addresses(void **state)
{
	static char area[16384];
	const uint64_t last = (1ULL << 48) - 1, unaligned = 3000 | 256ULL << 48;
	const struct {
		uint64_t addr, chunk, offset;
	} cases[] = {
		{ 0, 0, 0 },
		{ 2048, 2048, 0 },
		{ 4096 + 256, 4096 + 256, 0 },
		{ unaligned, 3000, 256 },
		{ 1 | 1ULL << 48, 1, 1 },
		{ last, last, 0 },
		{ last | 0xffffULL << 48, last, 0xffff },
		{ 0xffffULL << 48, 0, 0xffff },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t addr = cases[i].addr, chunk = cases[i].chunk, offset = cases[i].offset;

		assert_true(xsk_umem__extract_addr(addr) == chunk);
		assert_true(xsk_umem__extract_offset(addr) == offset);
		assert_true(xsk_umem__add_offset_to_addr(addr) == chunk + offset);
	}

	/* As a ring holds it, or with the offset added by the caller already. */
	assert_ptr_equal(xsk_umem__get_data(area, 0), area);
	assert_ptr_equal(xsk_umem__get_data(area, 4096 + 256), area + 4096 + 256);
	assert_ptr_equal(xsk_umem__get_data(area, unaligned), area + 3256);
	assert_ptr_equal(xsk_umem__get_data(area, xsk_umem__add_offset_to_addr(unaligned)),
			 area + 3256);
}

/* ---- against a model ---- */

/*
 * What the ring should be: four marks in an endless row, of which the value of
 * each entry is remembered. released <= peeked <= submitted <= reserved.
 */
struct model {
	uint64_t reserved;
	uint64_t submitted;
	uint64_t peeked;
	uint64_t released;
	uint64_t values[MAX_SIZE];
	uint64_t random;
};

/* xorshift64: the same row of numbers in every run. */
static uint32_t draw(struct model *model, uint32_t below)
{
	model->random ^= model->random << 13;
	model->random ^= model->random >> 7;
	model->random ^= model->random << 17;
	return below ? (uint32_t)(model->random >> 32) % below : 0;
}

/* Mostly a few, sometimes up to more than the ring has. */
static uint32_t draw_count(struct model *model, uint32_t size)
{
	return 1 + draw(model, draw(model, 16) ? 24 : size + 2);
}

static void step_reserve(struct ring *ring, struct model *model)
{
	uint32_t size = ring->prod.size, n = draw_count(model, size), idx = UNTOUCHED;
	uint32_t nb_free = size - (uint32_t)(model->reserved - model->released), got;

	got = xsk_ring_prod__reserve(&ring->prod, n, &idx);
	assert_int_equal(got, n <= nb_free ? n : 0);
	assert_int_equal(idx, got ? (uint32_t)(ring->start + model->reserved) : UNTOUCHED);
	for (uint32_t i = 0; i < got; i++) {
		uint64_t value = model->reserved ^ (uint64_t)draw(model, UINT32_MAX) << 32;

		*xsk_ring_prod__fill_addr(&ring->prod, idx + i) = value;
		model->values[model->reserved++ % size] = value;
	}
}

static void step_submit(struct ring *ring, struct model *model)
{
	uint32_t n = draw(model, (uint32_t)(model->reserved - model->submitted) + 1);

	xsk_ring_prod__submit(&ring->prod, n);
	model->submitted += n;
}

static void step_cancel_reserved(struct ring *ring, struct model *model)
{
	uint32_t n = draw(model, (uint32_t)(model->reserved - model->submitted) + 1);

	xsk_ring_prod__cancel(&ring->prod, n);
	model->reserved -= n;
}

static void step_peek(struct ring *ring, struct model *model)
{
	uint32_t size = ring->prod.size, n = draw_count(model, size), idx = UNTOUCHED;
	uint32_t avail = (uint32_t)(model->submitted - model->peeked), got;

	got = xsk_ring_cons__peek(&ring->cons, n, &idx);
	assert_int_equal(got, n < avail ? n : avail);
	assert_int_equal(idx, got ? (uint32_t)(ring->start + model->peeked) : UNTOUCHED);
	for (uint32_t i = 0; i < got; i++)
		assert_true(*xsk_ring_cons__comp_addr(&ring->cons, idx + i) ==
			    model->values[model->peeked++ % size]);
}

static void step_release(struct ring *ring, struct model *model)
{
	uint32_t n = draw(model, (uint32_t)(model->peeked - model->released) + 1);

	xsk_ring_cons__release(&ring->cons, n);
	model->released += n;
}

static void step_cancel_peeked(struct ring *ring, struct model *model)
{
	uint32_t n = draw(model, (uint32_t)(model->peeked - model->released) + 1);

	xsk_ring_cons__cancel(&ring->cons, n);
	model->peeked -= n;
}

/* nb_free: exact below what was asked for, and never more than there is. */
static void step_count(struct ring *ring, struct model *model)
{
	uint32_t size = ring->prod.size, n = draw_count(model, size);
	uint32_t nb_free = size - (uint32_t)(model->reserved - model->released);
	uint32_t avail = (uint32_t)(model->submitted - model->peeked);
	uint32_t said = xsk_prod_nb_free(&ring->prod, n);

	assert_true(said < n ? said == nb_free : said <= nb_free);
	assert_int_equal(xsk_cons_nb_avail(&ring->cons, n), n < avail ? n : avail);
}

static void check_model(struct ring *ring)
{
	static void (*const steps[])(struct ring *, struct model *) = {
		step_reserve, step_submit, step_peek, step_release,	/* twice as often */
		step_reserve, step_submit, step_peek, step_release,
		step_cancel_reserved, step_cancel_peeked, step_count,
	};
	static struct model model;

	/* 3 sizes and 7 starts: 2.1 million steps. */
	model = (struct model){ .random = 0x9e3779b97f4a7c15 + ring->prod.size };
	for (int i = 0; i < 100000; i++) {
		steps[draw(&model, sizeof(steps) / sizeof(steps[0]))](ring, &model);
		assert_int_equal(ring->producer, (uint32_t)(ring->start + model.submitted));
		assert_int_equal(ring->consumer, (uint32_t)(ring->start + model.released));
	}
	/* It was no idle walk: the ring went round, many times. */
	assert_true(model.released > 10 * ring->prod.size);
}

static void against_model(void **state)
{
	(void)state;
	on_rings(1, check_model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(full),
		cmocka_unit_test(wrap_around),
		cmocka_unit_test(reserve_all_or_nothing),
		cmocka_unit_test(stale_producer),
		cmocka_unit_test(stale_consumer),
		cmocka_unit_test(cancel_producer),
		cmocka_unit_test(cancel_consumer),
		cmocka_unit_test(partial_peeks),
		cmocka_unit_test(submit_adds),
		cmocka_unit_test(needs_wakeup),
		cmocka_unit_test(accessors),
		cmocka_unit_test(addresses),
		cmocka_unit_test(against_model),
	};

	return cmocka_run_group_tests_name("rings", tests, NULL, NULL);
}
