/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The memory side: registering an area as UMEM with an AF_XDP socket, and the
 * FILL and COMPLETION rings of one queue.
 */
#ifndef XSK_LIB_UMEM_H
#define XSK_LIB_UMEM_H

#include <stdint.h>

#include "ring.h"

struct xsk_error;

struct xsk_umem_area {
	void *addr;		/* lent by the caller */
	uint64_t size;		/* bytes */
	uint32_t frame_size;	/* bytes */
	uint32_t headroom;	/* bytes */
	uint32_t flags;		/* XDP_UMEM_* */
	uint32_t tx_metadata_len;	/* bytes */
	uint32_t fill_size;	/* entries, of the rings of each queue */
	uint32_t comp_size;
};

/* The FILL and COMPLETION rings that the sockets of one queue share. */
struct xsk_umem_rings {
	struct xsk_ring_map fill;
	struct xsk_ring_map comp;
};

/* What can be known to be wrong without asking the kernel: 0 or -EINVAL. */
int xsk_umem_check(const struct xsk_umem_area *area, struct xsk_error *error);

/*
 * Pins the area and registers it with the socket. Memory of a UMEM that was
 * just deleted stays accounted for some time: waits up to 100 ms on -ENOBUFS.
 */
int xsk_umem_register(int fd, const struct xsk_umem_area *area, struct xsk_error *error);

/*
 * Makes and maps the two rings on a socket that has none. *ret is untouched on
 * failure.
 */
int xsk_umem_map_rings(struct xsk_umem_rings *ret, int fd,
		       const struct xsk_umem_area *area, struct xsk_error *error);
/*
 * A mapping keeps the file of its socket, and so the socket itself, alive. Maps
 * the same rings in the same place through another socket of the queue.
 */
int xsk_umem_remap_rings(const struct xsk_umem_rings *rings, int fd);
void xsk_umem_unmap_rings(struct xsk_umem_rings *rings);

#endif /* XSK_LIB_UMEM_H */
