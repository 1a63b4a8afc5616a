/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "memory.h"
#include "sys.h"

/* ---- destroy ---- */

static size_t stacks_size(const struct xsk_memory *memory)
{
	return (size_t)memory->npools * memory->frames * sizeof(uint64_t);
}

void xsk_pool_destroy(struct xsk_memory *memory)
{
	if (!memory)
		return;
	xsk_memory_unmap(memory->addr, memory->size);
	xsk_memory_unmap(memory->stacks, stacks_size(memory));
	free(memory->book);
	free(memory->pools);
	free(memory);
}

/* ---- create ---- */

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

static int map_huge(struct xsk_memory *memory)
{
	size_t size = round_up(memory->size, XSK_MEMORY_HUGE_PAGE);
	int err = xsk_memory_map_huge(&memory->addr, size);

	if (err)
		return err;
	memory->size = size;
	memory->huge = true;
	return 0;
}

static int map_area(struct xsk_memory *memory, const struct xsk_memory_request *request,
		    struct xsk_error *error)
{
	size_t size = memory->size;
	int err = -ENOMEM;

	if (!request->no_huge)
		err = map_huge(memory);
	if (err && request->need_huge) {
		xsk_error_set(error, -ENOMEM, "memory", "%zu bytes want %zu huge pages of 2 MiB, "
			      "and that many are not free", size,
			      round_up(size, XSK_MEMORY_HUGE_PAGE) / XSK_MEMORY_HUGE_PAGE);
		return xsk_error_hint(error, "raise /proc/sys/vm/nr_hugepages, or do without "
				      "XSK_PORT_HUGE");
	}
	if (err)
		err = xsk_memory_map(&memory->addr, size);
	if (err) {
		xsk_error_set(error, err, "memory", "%zu bytes for %u frames are not to be had",
			      size, memory->frames);
		return xsk_error_hint(error, "take fewer frames, or fewer queues");
	}
	if (request->node >= 0)
		xsk_memory_prefer_node(memory->addr, memory->size, request->node);
	return 0;
}

/* A number for the memory that no other one of this process has for a long time. */
static uint64_t next_tag(void)
{
	static uint32_t last;
	uint32_t number = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);

	return (uint64_t)(number % XSK_POOL_MAX_TAG + 1) << XSK_POOL_TAG_SHIFT;
}

static int make_pools(struct xsk_memory *memory)
{
	void *stacks = NULL;
	int err = xsk_memory_reserve(&stacks, stacks_size(memory));

	if (err)
		return err;
	memory->stacks = stacks;
	memory->pools = aligned_alloc(64, memory->npools * sizeof(*memory->pools));
	if (!memory->pools)
		return -ENOMEM;
	for (uint32_t i = 0; i < memory->npools; i++)
		memory->pools[i] = (struct xsk_pool){
			.free = memory->stacks + (size_t)i * memory->frames,
		};
	if (!memory->checked)
		return 0;
	memory->tag = next_tag();
	memory->book = calloc(memory->frames, sizeof(*memory->book));
	return memory->book ? 0 : -ENOMEM;
}

/* What is in the pools, in the book. */
static void note_pools(const struct xsk_memory *memory)
{
	for (uint32_t i = 0; i < memory->npools; i++)
		for (uint32_t k = 0; k < memory->pools[i].count; k++)
			xsk_pool_set_owner(memory, memory->pools[i].free[k],
					   xsk_owner(XSK_PLACE_POOL, 0, i));
}

void xsk_pool_reset(struct xsk_memory *memory)
{
	for (uint32_t i = 0; i < memory->npools; i++) {
		struct xsk_pool *pool = &memory->pools[i];

		pool->count = memory->frames_per_pool;
		pool->lent = 0;
		/* The first frame on top. */
		for (uint32_t k = 0; k < pool->count; k++)
			pool->free[k] = ((uint64_t)i * pool->count + pool->count - 1 - k) <<
					memory->shift;
	}
	if (memory->book)
		note_pools(memory);
}

int xsk_pool_create(struct xsk_memory **ret, const struct xsk_memory_request *request,
		    struct xsk_error *error)
{
	uint64_t frames = (uint64_t)request->pools * request->frames_per_pool;
	struct xsk_memory *memory;
	int err;

	if (frames > XSK_POOL_MAX_FRAMES) {
		xsk_error_set(error, -EINVAL, "opts", "%u queues with %u frames each are more "
			      "than %u frames", request->pools, request->frames_per_pool,
			      XSK_POOL_MAX_FRAMES);
		return xsk_error_hint(error, "take fewer frames, or fewer queues");
	}
	memory = calloc(1, sizeof(*memory));
	if (!memory)
		return xsk_error_system(error, -ENOMEM, "memory");
	memory->frame_size = request->frame_size;
	memory->shift = (uint32_t)__builtin_ctz(request->frame_size);
	memory->headroom = request->headroom;
	memory->frames = (uint32_t)frames;
	memory->frames_per_pool = request->frames_per_pool;
	memory->npools = request->pools;
	memory->checked = request->checked;
	memory->size = round_up((size_t)frames << memory->shift, xsk_sys_page_size());
	err = map_area(memory, request, error);
	if (!err) {
		err = make_pools(memory);
		if (err)
			xsk_error_system(error, err, "memory");
	}
	if (err) {
		xsk_pool_destroy(memory);
		return err;
	}
	xsk_pool_reset(memory);
	*ret = memory;
	return 0;
}

/* ---- one pool to another ---- */

static struct xsk_pool *fullest(const struct xsk_memory *memory, const struct xsk_pool *but)
{
	struct xsk_pool *most = NULL;

	for (uint32_t i = 0; i < memory->npools; i++) {
		struct xsk_pool *pool = &memory->pools[i];

		if (pool != but && pool->count && (!most || pool->count > most->count))
			most = pool;
	}
	return most;
}

static void move_frames(struct xsk_memory *memory, struct xsk_pool *from, struct xsk_pool *to,
			uint32_t n)
{
	uint32_t owner = xsk_owner(XSK_PLACE_POOL, 0, (uint32_t)(to - memory->pools));

	xsk_set_number(&from->count, from->count - n);
	memcpy(to->free + to->count, from->free + from->count, n * sizeof(*to->free));
	for (uint32_t i = 0; memory->book && i < n; i++)
		xsk_pool_set_owner(memory, to->free[to->count + i], owner);
	xsk_set_number(&to->count, to->count + n);
}

/* Half of what the fullest has, so that they do not take it from each other in turn. */
void xsk_pool_borrow(struct xsk_memory *memory, struct xsk_pool *pool, uint32_t n)
{
	struct xsk_pool *from;

	while (pool->count < n && (from = fullest(memory, pool)))
		move_frames(memory, from, pool, (from->count + 1) / 2);
}

/* ---- the book ---- */

int64_t xsk_pool_lent(const struct xsk_memory *memory)
{
	int64_t lent = 0;

	for (uint32_t i = 0; i < memory->npools; i++)
		lent += memory->pools[i].lent;
	return lent;
}

int xsk_pool_begin_book(struct xsk_memory *memory, uint32_t port)
{
	uint32_t *book = malloc(memory->frames * sizeof(*book));

	if (!book)
		return -ENOMEM;
	for (uint32_t i = 0; i < memory->frames; i++)
		book[i] = xsk_owner(XSK_PLACE_KERNEL, port, i / memory->frames_per_pool);
	memory->book = book;
	note_pools(memory);
	return 0;
}

void xsk_pool_end_book(struct xsk_memory *memory)
{
	free(memory->book);
	memory->book = NULL;
}

static bool is_kernels(uint32_t owner, uint32_t port, uint32_t queue)
{
	return owner == xsk_owner(XSK_PLACE_FILL, port, queue) ||
	       owner == xsk_owner(XSK_PLACE_TX, port, queue) ||
	       owner == xsk_owner(XSK_PLACE_KERNEL, port, queue);
}

void xsk_pool_reclaim(struct xsk_memory *memory, struct xsk_pool *pool, uint32_t port,
		      uint32_t queue)
{
	uint32_t number = (uint32_t)(pool - memory->pools);

	/* Of what was freed twice before the book was begun, it may be full sooner. */
	for (uint32_t i = 0; i < memory->frames && pool->count < memory->frames; i++) {
		if (!is_kernels(memory->book[i], port, queue))
			continue;
		memory->book[i] = xsk_owner(XSK_PLACE_POOL, 0, number);
		pool->free[pool->count++] = (uint64_t)i << memory->shift;
	}
}
