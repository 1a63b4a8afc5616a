/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "ring.h"

#include <errno.h>
#include <string.h>

#include "kernel.h"
#include "sys.h"

bool xsk_ring_size_valid(uint32_t size)
{
	return size && !(size & (size - 1));
}

/*
 * Up to 5.3 the flags had no offset. They would have followed the consumer,
 * where those kernels leave zeroes: "no wake-up needed", which is the truth.
 */
static struct xdp_ring_offset offset_from_v1(const struct xsk_kernel_offset_v1 *v1)
{
	return (struct xdp_ring_offset){
		.producer = v1->producer,
		.consumer = v1->consumer,
		.desc = v1->desc,
		.flags = v1->consumer + sizeof(uint32_t),
	};
}

int xsk_ring_offsets(int fd, struct xdp_mmap_offsets *ret)
{
	union {
		struct xdp_mmap_offsets now;
		struct xsk_kernel_offsets_v1 v1;
	} offsets;
	socklen_t len = sizeof(offsets.now);
	int err;

	err = xsk_sys_getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &len);
	if (err)
		return err;

	if (len == sizeof(offsets.now)) {
		*ret = offsets.now;
		return 0;
	}
	if (len != sizeof(offsets.v1))
		return -EPROTO;

	ret->rx = offset_from_v1(&offsets.v1.rx);
	ret->tx = offset_from_v1(&offsets.v1.tx);
	ret->fr = offset_from_v1(&offsets.v1.fr);
	ret->cr = offset_from_v1(&offsets.v1.cr);
	return 0;
}

int xsk_ring_map(struct xsk_ring_map *ret, int fd, uint64_t pgoff,
		 const struct xdp_ring_offset *offset, uint32_t size, size_t entry_size)
{
	struct xsk_ring_map map = {
		.len = offset->desc + size * entry_size,
		.offset = *offset,
		.size = size,
	};
	int err;

	err = xsk_sys_mmap(&map.addr, fd, pgoff, map.len);
	if (err)
		return err;
	*ret = map;
	return 0;
}

int xsk_ring_map_blank(struct xsk_ring_map *ret, const struct xsk_ring_map *like)
{
	struct xsk_ring_map map = *like;
	int err;

	err = xsk_sys_mmap_anonymous(&map.addr, map.len);
	if (err)
		return err;
	*ret = map;
	return 0;
}

void xsk_ring_unmap(struct xsk_ring_map *map)
{
	if (map->addr)
		xsk_sys_munmap(map->addr, map->len);
	map->addr = NULL;
}

static void *at(const struct xsk_ring_map *map, uint64_t offset)
{
	return (char *)map->addr + offset;
}

/* The ring's own counter, which may be the other side's: read it once. */
static uint32_t counter(const struct xsk_ring_map *map, uint64_t offset)
{
	return __atomic_load_n((uint32_t *)at(map, offset), __ATOMIC_ACQUIRE);
}

void xsk_ring_move_prod(struct xsk_ring_prod *prod, const struct xsk_ring_map *map)
{
	prod->mask = map->size - 1;
	prod->size = map->size;
	prod->producer = at(map, map->offset.producer);
	prod->consumer = at(map, map->offset.consumer);
	prod->ring = at(map, map->offset.desc);
	prod->flags = at(map, map->offset.flags);
}

void xsk_ring_move_cons(struct xsk_ring_cons *cons, const struct xsk_ring_map *map)
{
	cons->mask = map->size - 1;
	cons->size = map->size;
	cons->producer = at(map, map->offset.producer);
	cons->consumer = at(map, map->offset.consumer);
	cons->ring = at(map, map->offset.desc);
	cons->flags = at(map, map->offset.flags);
}

void xsk_ring_init_prod(struct xsk_ring_prod *prod, const struct xsk_ring_map *map)
{
	xsk_ring_move_prod(prod, map);
	prod->cached_prod = counter(map, map->offset.producer);
	/* One ring size ahead, as xsk_prod_nb_free() wants it. */
	prod->cached_cons = counter(map, map->offset.consumer) + map->size;
}

void xsk_ring_init_cons(struct xsk_ring_cons *cons, const struct xsk_ring_map *map)
{
	xsk_ring_move_cons(cons, map);
	cons->cached_prod = counter(map, map->offset.producer);
	cons->cached_cons = counter(map, map->offset.consumer);
}

void xsk_ring_carry(const struct xsk_ring_map *to, const struct xsk_ring_map *from,
		    size_t entry_size)
{
	memcpy(at(to, to->offset.desc), at(from, from->offset.desc),
	       from->size * entry_size);
	/* The kernel has seen neither: it reads the counter when it is bound. */
	__atomic_store_n((uint32_t *)at(to, to->offset.producer),
			 counter(from, from->offset.producer), __ATOMIC_RELEASE);
}
