/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Two queues on rings in the test's own memory. The test is the kernel: it takes
 * from FILL and TX, has frames for a while, and puts them into RX and COMPLETION.
 * Included by one file of a program; what the library calls below is faked here.
 */
#ifndef TEST_BURST_H
#define TEST_BURST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "error.h"
#include "pool.h"
#include "port.h"
#include "sys.h"

#define QUEUES 2
#define FRAME_SIZE 2048
#define MAX_RING 32
#define MAX_FRAMES 128			/* of both queues */
#define DIRT 0xa5

/* PLAIN: no place is kept. BOOKED: as where two ports share their memory. */
enum mode { PLAIN, CHECKED, BOOKED };

struct shape {
	enum mode mode;
	uint32_t frames;		/* of each queue */
	uint32_t rx, fill, tx, comp;	/* sizes of the rings */
	uint32_t fill_target;
	uint32_t max_frags;
	uint32_t headroom;
	uint32_t start;			/* of the counters */
};

/* Entries behind its end are dirt, and must stay so. */
struct ring {
	uint32_t size;
	uint32_t producer;
	uint32_t consumer;
	uint32_t flags;
	union {
		uint64_t addrs[2 * MAX_RING + 8];
		struct xdp_desc descs[MAX_RING + 4];
	};
};

struct kernel {
	struct ring rx, fill, tx, comp;
	uint64_t has_rx[MAX_FRAMES];	/* taken from FILL, not yet in RX */
	uint64_t has_tx[MAX_FRAMES];	/* taken from TX, not yet in COMPLETION */
	uint32_t nrx, ntx;
	uint32_t frags_left;		/* of the packet that is being delivered */
};

struct world {
	struct xsk_memory *memory;
	struct xsk_port port;
	struct xsk_queue queues[QUEUES];
	struct kernel kernels[QUEUES];
	uint64_t random;
};

/* ---- what the library calls ---- */

size_t xsk_sys_page_size(void)
{
	return 4096;
}

int xsk_queue_look(struct xsk_queue *queue)
{
	(void)queue;
	return 0;
}

int xsk_queue_fail_gone(const struct xsk_queue *queue)
{
	(void)queue;
	return -ENODEV;
}

int xsk_queue_fail_tx(struct xsk_queue *queue)
{
	return queue->can_tx ? -ENXIO : -EOPNOTSUPP;
}

struct xsk_port_name xsk_port_name(const struct xsk_port *port)
{
	struct xsk_port_name name = { "" };

	memcpy(name.text, port->name, sizeof(port->name));
	return name;
}

/* ---- chance: the same in every run ---- */

static inline uint32_t draw(struct world *world, uint32_t below)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return below ? (uint32_t)(world->random >> 32) % below : 0;
}

/* ---- building ---- */

static inline void make_ring(struct ring *ring, uint32_t size, uint32_t start)
{
	memset(ring, DIRT, sizeof(*ring));
	ring->size = size;
	ring->producer = start;
	ring->consumer = start;
	ring->flags = 0;
}

static inline struct xsk_ring_prod see_prod(struct ring *ring)
{
	return (struct xsk_ring_prod){
		.cached_prod = ring->producer, .cached_cons = ring->consumer + ring->size,
		.mask = ring->size - 1, .size = ring->size, .producer = &ring->producer,
		.consumer = &ring->consumer, .ring = ring->addrs, .flags = &ring->flags,
	};
}

static inline struct xsk_ring_cons see_cons(struct ring *ring)
{
	return (struct xsk_ring_cons){
		.cached_prod = ring->producer, .cached_cons = ring->consumer,
		.mask = ring->size - 1, .size = ring->size, .producer = &ring->producer,
		.consumer = &ring->consumer, .ring = ring->addrs, .flags = &ring->flags,
	};
}

static inline void open_queue(struct world *world, uint32_t index, const struct shape *shape)
{
	struct xsk_queue *queue = &world->queues[index];
	struct kernel *kernel = &world->kernels[index];
	struct xsk_memory *memory = world->memory;

	make_ring(&kernel->rx, shape->rx, shape->start);
	make_ring(&kernel->fill, shape->fill, shape->start);
	make_ring(&kernel->tx, shape->tx, shape->start);
	make_ring(&kernel->comp, shape->comp, shape->start);
	*queue = (struct xsk_queue){
		.base = (uintptr_t)memory->addr - (uintptr_t)memory->tag,
		.pool = &memory->pools[index],
		.memory = memory,
		.offset_mask = memory->frame_size - 1,
		.area_size = (uint64_t)memory->frames << memory->shift,
		.fill_target = shape->fill_target,
		.tx_limit = shape->tx < shape->comp ? shape->tx : shape->comp,
		.max_frags = shape->max_frags,
		.booked = memory->book,
		.can_rx = true,
		.can_tx = true,
		.may_tx = true,
		.rx = see_cons(&kernel->rx),
		.fill = see_prod(&kernel->fill),
		.tx = see_prod(&kernel->tx),
		.comp = see_cons(&kernel->comp),
		.port = &world->port,
		.fd = -1,
		.id = index,
		.index = index,
	};
	xsk_queue_refill(queue);
}

static inline void open_world(struct world *world, const struct shape *shape, uint64_t seed)
{
	const struct xsk_memory_request request = {
		.pools = QUEUES,
		.frames_per_pool = shape->frames,
		.frame_size = FRAME_SIZE,
		.headroom = shape->headroom,
		.no_huge = true,
		.checked = shape->mode == CHECKED,
		.node = -1,
	};
	struct xsk_error error;

	memset(world, 0, sizeof(*world));
	world->random = 0x9e3779b97f4a7c15 + seed;
	assert_int_equal(xsk_pool_create(&world->memory, &request, &error), 0);
	world->memory->ports[0] = &world->port;
	world->memory->nports = 1;
	if (shape->mode == BOOKED)
		assert_int_equal(xsk_pool_begin_book(world->memory, 0), 0);
	world->port.memory = world->memory;
	world->port.direction = XSK_DIRECTION_RX | XSK_DIRECTION_TX;
	world->port.nqueues = QUEUES;
	world->port.queues = world->queues;
	snprintf(world->port.name, sizeof(world->port.name), "eth0");
	for (uint32_t i = 0; i < QUEUES; i++)
		open_queue(world, i, shape);
}

static inline void close_world(struct world *world)
{
	xsk_pool_destroy(world->memory);
	world->memory = NULL;
}

/* ---- the kernel's side, true to its word ---- */

static inline uint32_t held(const struct ring *ring)
{
	return ring->producer - ring->consumer;
}

/* Takes what is next in FILL. */
static inline uint64_t take_fill(struct kernel *kernel)
{
	struct ring *ring = &kernel->fill;
	uint64_t addr = ring->addrs[ring->consumer++ & (ring->size - 1)];

	kernel->has_rx[kernel->nrx++] = addr;
	return addr;
}

static inline struct xdp_desc take_tx(struct kernel *kernel)
{
	struct ring *ring = &kernel->tx;
	struct xdp_desc desc = ring->descs[ring->consumer++ & (ring->size - 1)];

	kernel->has_tx[kernel->ntx++] = desc.addr;
	return desc;
}

static inline void put_rx(struct kernel *kernel, uint64_t addr, uint32_t len, uint32_t options)
{
	struct ring *ring = &kernel->rx;

	ring->descs[ring->producer++ & (ring->size - 1)] = (struct xdp_desc){
		.addr = addr, .len = len, .options = options,
	};
}

static inline void put_comp(struct kernel *kernel, uint64_t addr)
{
	struct ring *ring = &kernel->comp;

	ring->addrs[ring->producer++ & (ring->size - 1)] = addr;
}

/* The entry at place of a list, which is gone from there then. */
static inline uint64_t pick(uint64_t *list, uint32_t *n, uint32_t place)
{
	uint64_t addr = list[place];

	list[place] = list[--*n];
	return addr;
}

/* ---- what must hold, whatever happened ---- */

static inline void assert_end(const struct ring *ring, size_t entry_size)
{
	const uint8_t *bytes = (const uint8_t *)ring->addrs;

	for (size_t i = ring->size * entry_size; i < sizeof(ring->addrs); i++)
		assert_int_equal(bytes[i], DIRT);
}

/* Each frame is counted once, the stacks have room for what is in them. */
static inline void assert_law(const struct world *world)
{
	const struct xsk_memory *memory = world->memory;
	int64_t sum = 0;

	for (uint32_t i = 0; i < QUEUES; i++) {
		const struct xsk_queue *queue = &world->queues[i];
		const struct kernel *kernel = &world->kernels[i];

		assert_true(queue->pool->count <= memory->frames);
		assert_true(queue->fill_out <= queue->fill_target);
		assert_true(queue->tx_out <= queue->tx_limit);
		sum += queue->pool->count + queue->fill_out + queue->tx_out + queue->pool->lent;
		for (uint32_t k = 0; k < queue->pool->count; k++) {
			assert_true(queue->pool->free[k] < queue->area_size);
			assert_true(!(queue->pool->free[k] & queue->offset_mask));
		}
		assert_end(&kernel->rx, sizeof(struct xdp_desc));
		assert_end(&kernel->fill, sizeof(uint64_t));
		assert_end(&kernel->tx, sizeof(struct xdp_desc));
		assert_end(&kernel->comp, sizeof(uint64_t));
	}
	assert_int_equal(sum, memory->frames);
}

#endif /* TEST_BURST_H */
