/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Rings that are shared with the kernel: their size, their mapping, and the
 * structs of <xdp/xsk.h> through which user space sees them.
 */
#ifndef XSK_LIB_RING_H
#define XSK_LIB_RING_H

#include <linux/if_xdp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xdp/xsk.h>

/* Who maps remembers the address and the length: nothing is computed anew. */
struct xsk_ring_map {
	void *addr;			/* NULL: not mapped */
	size_t len;
	struct xdp_ring_offset offset;	/* of the parts, from addr */
	uint32_t size;			/* entries */
};

/* Whether the kernel takes it as a number of entries: a power of two, not 0. */
bool xsk_ring_size_valid(uint32_t size);

/* Asks the kernel where the parts of the rings lie, in either of its forms. */
int xsk_ring_offsets(int fd, struct xdp_mmap_offsets *ret);

/*
 * Maps the ring at page offset pgoff of a socket that has it, with size entries
 * of entry_size bytes. *ret is untouched on failure.
 */
int xsk_ring_map(struct xsk_ring_map *ret, int fd, uint64_t pgoff,
		 const struct xdp_ring_offset *offset, uint32_t size, size_t entry_size);
/* The same in memory of our own: an empty ring that no kernel reads. */
int xsk_ring_map_blank(struct xsk_ring_map *ret, const struct xsk_ring_map *like);
void xsk_ring_unmap(struct xsk_ring_map *map);

/* Every member anew, as the counters in the ring say. */
void xsk_ring_init_prod(struct xsk_ring_prod *prod, const struct xsk_ring_map *map);
void xsk_ring_init_cons(struct xsk_ring_cons *cons, const struct xsk_ring_map *map);

/*
 * Lets the structs look at another mapping of a ring with the same contents:
 * what the caller had reserved or peeked stays so.
 */
void xsk_ring_move_prod(struct xsk_ring_prod *prod, const struct xsk_ring_map *map);
void xsk_ring_move_cons(struct xsk_ring_cons *cons, const struct xsk_ring_map *map);

/* Copies the entries that the caller produced into a new ring of the same size. */
void xsk_ring_carry(const struct xsk_ring_map *to, const struct xsk_ring_map *from,
		    size_t entry_size);

#endif /* XSK_LIB_RING_H */
