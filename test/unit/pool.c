/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The memory of a port: its pools, its numbers, its book. The mappings are faked. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "error.h"
#include "memory.h"
#include "pool.h"
#include "sys.h"

#define PAGE 4096
#define HUGE (2UL << 20)

/* ---- mappings ---- */

static struct {
	bool has_huge;
	int err;		/* of the mapping that fails */
	int fails_at;		/* which that is, from 1 on; 0: none */
	int maps;
	int mapped;		/* now */
	size_t bytes;		/* now */
	int huge_asked;
	int node;		/* last wished for */
} fake;

static int map(void **ret, size_t size)
{
	assert_int_equal(size % sizeof(uint64_t), 0);
	if (++fake.maps == fake.fails_at)
		return fake.err;
	*ret = aligned_alloc(PAGE, (size + PAGE - 1) / PAGE * PAGE);
	assert_non_null(*ret);
	fake.mapped++;
	fake.bytes += size;
	return 0;
}

int xsk_memory_map(void **ret, size_t size)
{
	assert_int_equal(size % PAGE, 0);
	return map(ret, size);
}

int xsk_memory_map_huge(void **ret, size_t size)
{
	fake.huge_asked++;
	assert_int_equal(size % HUGE, 0);
	return fake.has_huge ? map(ret, size) : -ENOMEM;
}

int xsk_memory_reserve(void **ret, size_t size)
{
	return map(ret, size);
}

void xsk_memory_unmap(void *addr, size_t size)
{
	if (!addr)
		return;
	fake.mapped--;
	fake.bytes -= size;
	free(addr);
}

void xsk_memory_prefer_node(void *addr, size_t size, int node)
{
	assert_non_null(addr);
	assert_true(size > 0);
	fake.node = node;
}

size_t xsk_sys_page_size(void)
{
	return PAGE;
}

static int start(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.node = -1;
	return 0;
}

/* Each mapping is gone, with the size that it was made with. */
static int nothing_left(void **state)
{
	(void)state;
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(fake.bytes, 0);
	return 0;
}

/* ---- create ---- */

static struct xsk_memory *create(uint32_t pools, uint32_t frames, bool checked)
{
	const struct xsk_memory_request request = {
		.pools = pools, .frames_per_pool = frames, .frame_size = 2048,
		.checked = checked, .node = -1,
	};
	struct xsk_memory *memory = NULL;
	struct xsk_error error;

	assert_int_equal(xsk_pool_create(&memory, &request, &error), 0);
	return memory;
}

/* Each in one pool, its own, with the first on top. */
static void assert_fresh(const struct xsk_memory *memory)
{
	uint32_t per_pool = memory->frames_per_pool;

	assert_int_equal(memory->frames, memory->npools * per_pool);
	for (uint32_t i = 0; i < memory->npools; i++) {
		assert_int_equal(memory->pools[i].count, per_pool);
		assert_int_equal(memory->pools[i].lent, 0);
		for (uint32_t k = 0; k < per_pool; k++) {
			uint64_t addr = ((uint64_t)i * per_pool + k) * memory->frame_size;

			assert_int_equal(memory->pools[i].free[per_pool - 1 - k], addr);
			if (memory->book)
				assert_int_equal(xsk_pool_owner(memory, addr),
						 xsk_owner(XSK_PLACE_POOL, 0, i));
		}
	}
	assert_int_equal(xsk_pool_lent(memory), 0);
}

static void created(void **state)
{
	(void)state;
	for (uint32_t pools = 1; pools <= 5; pools++)
		for (int checked = 0; checked < 2; checked++) {
			struct xsk_memory *memory = create(pools, 16 + pools, checked);

			assert_fresh(memory);
			assert_int_equal(!memory->book, !checked);
			assert_int_equal(!memory->tag, !checked);
			assert_int_equal(1U << memory->shift, 2048);
			assert_true(memory->size >= memory->frames * 2048);
			assert_false(memory->huge);
			memset(memory->addr, 1, memory->size);
			/* Any pool has room for all. */
			for (uint32_t i = 0; i < pools; i++)
				for (uint32_t k = 0; k < memory->frames; k++)
					memory->pools[i].free[k] = i;
			for (uint32_t i = 0; i < pools; i++)
				assert_int_equal(memory->pools[i].free[0], i);
			xsk_pool_reset(memory);
			assert_fresh(memory);
			xsk_pool_destroy(memory);
		}
	xsk_pool_destroy(NULL);
}

static void not_created(void **state)
{
	struct xsk_memory_request request = {
		.pools = 4, .frames_per_pool = XSK_POOL_MAX_FRAMES / 4 + 1, .frame_size = 2048,
		.checked = true, .node = -1,
	};
	struct xsk_memory *memory = (void *)&request;
	struct xsk_error error;

	(void)state;
	assert_int_equal(xsk_pool_create(&memory, &request, &error), -EINVAL);
	assert_non_null(strstr(error.reason, "4 queues with 4194305 frames"));
	/* Where 32 bits are not enough for their number. */
	request.frames_per_pool = 1U << 30;
	assert_int_equal(xsk_pool_create(&memory, &request, &error), -EINVAL);

	request.frames_per_pool = 16;
	for (fake.fails_at = 1; fake.fails_at <= 2; fake.fails_at++) {
		fake.maps = 0;
		fake.err = -ENOMEM;
		assert_int_equal(xsk_pool_create(&memory, &request, &error), -ENOMEM);
		assert_int_equal(error.code, -ENOMEM);
		assert_int_equal(fake.mapped, 0);
	}
	assert_ptr_equal(memory, &request);
}

static void huge_pages(void **state)
{
	struct xsk_memory_request request = {
		.pools = 1, .frames_per_pool = 1025, .frame_size = 2048, .need_huge = true,
		.node = 1,
	};
	struct xsk_memory *memory = (void *)&request;
	struct xsk_error error;

	(void)state;
	assert_int_equal(xsk_pool_create(&memory, &request, &error), -ENOMEM);
	assert_ptr_equal(memory, &request);
	assert_non_null(strstr(error.reason, "want 2 huge pages"));
	assert_non_null(strstr(error.hint, "nr_hugepages"));
	assert_int_equal(fake.node, -1);

	fake.has_huge = true;
	assert_int_equal(xsk_pool_create(&memory, &request, &error), 0);
	assert_true(memory->huge);
	assert_int_equal(memory->size, 2 * HUGE);
	assert_int_equal(fake.node, 1);
	xsk_pool_destroy(memory);

	/* Asked for where it is left to the library, and where there are none done without. */
	request.need_huge = false;
	fake.has_huge = false;
	assert_int_equal(xsk_pool_create(&memory, &request, &error), 0);
	assert_false(memory->huge);
	assert_int_equal(memory->size, 1026 * 2048);
	xsk_pool_destroy(memory);

	request.no_huge = true;
	fake.has_huge = true;
	fake.huge_asked = 0;
	assert_int_equal(xsk_pool_create(&memory, &request, &error), 0);
	assert_int_equal(fake.huge_asked, 0);
	xsk_pool_destroy(memory);
}

/* One memory has another number than the one before it, also when they begin anew. */
static void numbers(void **state)
{
	uint64_t last = 0;

	(void)state;
	for (int i = 0; i < 0x8005; i++) {
		struct xsk_memory *memory = create(1, 1, true);

		assert_true(memory->tag && memory->tag != last);
		assert_true(!(memory->tag & XSK_POOL_ADDR_MASK));
		/* The kernel's addresses have no sign; neither have the caller's. */
		assert_true(!(memory->tag >> 63));
		last = memory->tag;
		xsk_pool_destroy(memory);
	}
}

/* ---- the book ---- */

static void owners(void **state)
{
	(void)state;
	for (int place = XSK_PLACE_POOL; place <= XSK_PLACE_KERNEL; place++)
		for (uint32_t port = 0; port < XSK_POOL_MAX_PORTS; port += 5)
			for (uint32_t queue = 0; queue < 1U << 20; queue = 3 * queue + 1) {
				uint32_t owner = xsk_owner((enum xsk_place)place, port, queue);

				assert_int_equal(xsk_owner_place(owner), place);
				assert_int_equal(xsk_owner_port(owner), port);
				assert_int_equal(xsk_owner_queue(owner), queue);
			}
}

static uint64_t take(struct xsk_pool *pool)
{
	return pool->free[--pool->count];
}

static void book_begun(void **state)
{
	struct xsk_memory *memory = create(2, 16, false);
	uint64_t first = take(&memory->pools[0]), second = take(&memory->pools[1]);

	(void)state;
	/* Frames go from pool to pool, too. */
	memory->pools[1].free[memory->pools[1].count++] = first;
	assert_int_equal(xsk_pool_begin_book(memory, 3), 0);
	for (uint64_t addr = 0; addr < 32 * 2048; addr += 2048) {
		uint32_t owner = xsk_pool_owner(memory, addr + 100);

		if (addr == second)
			assert_int_equal(owner, xsk_owner(XSK_PLACE_KERNEL, 3, 1));
		else
			assert_int_equal(owner, xsk_owner(XSK_PLACE_POOL, 0,
							  addr == first || addr >= 16 * 2048));
	}
	assert_int_equal(memory->tag, 0);
	xsk_pool_destroy(memory);
}

/* What the kernel had of one queue of one port, and nothing else. */
static void reclaimed(void **state)
{
	struct xsk_memory *memory = create(2, 16, true);
	const uint32_t of_queue[] = {
		xsk_owner(XSK_PLACE_FILL, 2, 1), xsk_owner(XSK_PLACE_TX, 2, 1),
		xsk_owner(XSK_PLACE_KERNEL, 2, 1),
	};
	const uint32_t others[] = {
		xsk_owner(XSK_PLACE_FILL, 2, 0), xsk_owner(XSK_PLACE_TX, 2, 0),
		xsk_owner(XSK_PLACE_FILL, 1, 1), xsk_owner(XSK_PLACE_TX, 1, 1),
		xsk_owner(XSK_PLACE_KERNEL, 1, 1), xsk_owner(XSK_PLACE_CALLER, 2, 1),
	};
	uint64_t frames[9];

	(void)state;
	for (int i = 0; i < 9; i++) {
		frames[i] = take(&memory->pools[0]);
		xsk_pool_set_owner(memory, frames[i], i < 3 ? of_queue[i] : others[i - 3]);
	}
	xsk_pool_reclaim(memory, &memory->pools[1], 2, 1);
	assert_int_equal(memory->pools[0].count, 7);
	assert_int_equal(memory->pools[1].count, 19);
	for (int i = 0; i < 9; i++)
		assert_int_equal(xsk_pool_owner(memory, frames[i]),
				 i < 3 ? xsk_owner(XSK_PLACE_POOL, 0, 1) : others[i - 3]);
	for (uint32_t k = 0; k < 3; k++)
		assert_int_equal(memory->pools[1].free[16 + k], frames[k]);
	xsk_pool_destroy(memory);
}

/* Freed twice before the book was begun: the pool is full, and not fuller. */
static void reclaimed_too_many(void **state)
{
	struct xsk_memory *memory = create(1, 16, false);
	struct xsk_pool *pool = &memory->pools[0];

	(void)state;
	pool->free[0] = pool->free[1];
	assert_int_equal(xsk_pool_begin_book(memory, 0), 0);
	xsk_pool_reclaim(memory, pool, 0, 0);
	assert_int_equal(pool->count, 16);
	xsk_pool_destroy(memory);
}

/* As many as are wanted, if there are; and never all of a pool that has more than one. */
static void borrowed(void **state)
{
	struct xsk_memory *memory = create(3, 16, true);
	struct xsk_pool *pools = memory->pools;
	uint64_t sum = 0;

	(void)state;
	xsk_pool_borrow(memory, &pools[0], 16);
	assert_int_equal(pools[0].count, 16);
	pools[0].count = 0;
	pools[1].count = 4;
	xsk_pool_borrow(memory, &pools[0], 5);
	assert_int_equal(pools[0].count, 8);
	assert_int_equal(pools[1].count, 4);
	assert_int_equal(pools[2].count, 8);
	xsk_pool_borrow(memory, &pools[0], 15);
	assert_int_equal(pools[0].count + pools[1].count + pools[2].count, 20);
	assert_true(pools[0].count >= 15);
	/* More than there are: all. */
	xsk_pool_borrow(memory, &pools[0], 48);
	assert_int_equal(pools[0].count, 20);
	assert_int_equal(pools[1].count + pools[2].count, 0);
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(xsk_pool_owner(memory, pools[0].free[i]),
				 xsk_owner(XSK_PLACE_POOL, 0, 0));
		for (uint32_t k = 0; k < i; k++)
			assert_int_not_equal(pools[0].free[i], pools[0].free[k]);
		sum += pools[0].free[i] >= 16 * 2048;
	}
	assert_int_equal(sum, 20);
	xsk_pool_destroy(memory);
}

static void lent(void **state)
{
	struct xsk_memory *memory = create(3, 16, false);

	(void)state;
	/* Taken from the one, given back to another. */
	memory->pools[0].lent = 7;
	memory->pools[1].lent = -3;
	memory->pools[2].lent = -4;
	assert_int_equal(xsk_pool_lent(memory), 0);
	memory->pools[2].lent = 1;
	assert_int_equal(xsk_pool_lent(memory), 5);
	xsk_pool_reset(memory);
	assert_fresh(memory);
	xsk_pool_destroy(memory);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, nothing_left)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(created),
		TEST(not_created),
		TEST(huge_pages),
		TEST(numbers),
		TEST(owners),
		TEST(book_begun),
		TEST(reclaimed),
		TEST(reclaimed_too_many),
		TEST(borrowed),
		TEST(lent),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
