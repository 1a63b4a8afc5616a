/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The memory of a port, and who has its frames.
 *
 * Each queue has a pool: a stack of the frames that nobody has. The one freed last
 * is taken first, since the caches still know it. Where two ports share the memory,
 * or a port is checked, there is a book besides: the place of every frame.
 */
#ifndef XSK_LIB_POOL_H
#define XSK_LIB_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xsk_error;
struct xsk_port;

/* The bits of an address that the kernel knows; those above are a tag, see below. */
#define XSK_POOL_TAG_SHIFT 48
#define XSK_POOL_ADDR_MASK ((1ULL << XSK_POOL_TAG_SHIFT) - 1)
#define XSK_POOL_MAX_TAG 0x7fff		/* from 1 on */

#define XSK_POOL_MAX_PORTS 256		/* on one memory */
#define XSK_POOL_MAX_FRAMES (1U << 24)

/*
 * The places that the book knows. FILL includes RX, and TX includes COMPLETION.
 * KERNEL is either, of what the kernel had when the book was begun: of one of the
 * port's queues, and noted for the one whose pool the frame was born in.
 */
enum xsk_place {
	XSK_PLACE_POOL,
	XSK_PLACE_FILL,
	XSK_PLACE_CALLER,
	XSK_PLACE_TX,
	XSK_PLACE_KERNEL,
};

/* Whose a frame is, in one word: written by one thread, and perhaps read by others. */
static inline uint32_t xsk_owner(enum xsk_place place, uint32_t port, uint32_t queue)
{
	return (uint32_t)place | port << 4 | queue << 12;
}

static inline enum xsk_place xsk_owner_place(uint32_t owner)
{
	return (enum xsk_place)(owner & 15);
}

static inline uint32_t xsk_owner_port(uint32_t owner)
{
	return owner >> 4 & 255;
}

static inline uint32_t xsk_owner_queue(uint32_t owner)
{
	return owner >> 12;
}

struct xsk_pool {
	uint64_t *free;		/* starts of frames; room for all that there are */
	uint32_t count;
	int64_t lent;		/* to the caller, less what came back here */
	uint32_t sent_by;	/* number of the port that sent frames of it last */
} __attribute__((aligned(64)));

/*
 * Where frames are, in numbers that one thread writes and any may read at any time
 * (xsk_port_stats()). With relaxed order they cost what plain ones cost.
 */
static inline void xsk_set_number(uint32_t *number, uint32_t value)
{
	__atomic_store_n(number, value, __ATOMIC_RELAXED);
}

static inline void xsk_pool_lend(struct xsk_pool *pool, int64_t n)
{
	__atomic_store_n(&pool->lent, pool->lent + n, __ATOMIC_RELAXED);
}

struct xsk_memory {
	void *addr;
	size_t size;
	bool huge;
	uint32_t frame_size;	/* a power of two */
	uint32_t shift;		/* its logarithm */
	uint32_t headroom;
	uint32_t frames;
	uint32_t frames_per_pool;
	uint32_t npools;
	struct xsk_pool *pools;
	uint64_t *stacks;	/* of all pools */
	uint32_t *book;		/* an owner for each frame; NULL: not kept */
	/*
	 * Checked: the addresses that the caller sees carry a number of the memory in
	 * their upper bits, so that one of another memory is known.
	 */
	bool checked;
	uint64_t tag;		/* in its place; 0: none */
	bool one_thread;	/* has all pools, so they help each other out */
	/* Bound, so all further queues are like it. By the first port. */
	bool multi_buffer;
	bool zerocopy;
	uint32_t nports;	/* that live */
	struct xsk_port *ports[XSK_POOL_MAX_PORTS];	/* by number; NULL: closed */
};

struct xsk_memory_request {
	uint32_t pools;
	uint32_t frames_per_pool;
	uint32_t frame_size;
	uint32_t headroom;
	bool need_huge;
	bool no_huge;
	bool checked;
	int node;		/* -1: any */
};

/* Memory with all its frames in the pools. *ret is untouched on failure. */
int xsk_pool_create(struct xsk_memory **ret, const struct xsk_memory_request *request,
		    struct xsk_error *error);
void xsk_pool_destroy(struct xsk_memory *memory);

/* All frames into the pools again: where the kernel never had any of them in use. */
void xsk_pool_reset(struct xsk_memory *memory);

/*
 * Begins the book of memory that one port uses, of which the caller has no frame: what
 * is in no pool is the kernel's. -ENOMEM.
 */
int xsk_pool_begin_book(struct xsk_memory *memory, uint32_t port);
/* Ends it, where one port uses the memory again, and no verb has been called since. */
void xsk_pool_end_book(struct xsk_memory *memory);

/* Until the pool has n frames, as far as others have some. Only if one thread has all. */
void xsk_pool_borrow(struct xsk_memory *memory, struct xsk_pool *pool, uint32_t n);

/* Frames that the caller has, of all pools. */
int64_t xsk_pool_lent(const struct xsk_memory *memory);

/* What the kernel had of that queue of a port goes to the pool. Needs the book. */
void xsk_pool_reclaim(struct xsk_memory *memory, struct xsk_pool *pool, uint32_t port,
		      uint32_t queue);

static inline void xsk_pool_set_owner(const struct xsk_memory *memory, uint64_t addr,
				      uint32_t owner)
{
	__atomic_store_n(&memory->book[addr >> memory->shift], owner, __ATOMIC_RELAXED);
}

static inline uint32_t xsk_pool_owner(const struct xsk_memory *memory, uint64_t addr)
{
	return __atomic_load_n(&memory->book[addr >> memory->shift], __ATOMIC_RELAXED);
}

#endif /* XSK_LIB_POOL_H */
