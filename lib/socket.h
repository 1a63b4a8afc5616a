/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The packet side: an AF_XDP socket, its RX and TX rings, and its binding. */
#ifndef XSK_LIB_SOCKET_H
#define XSK_LIB_SOCKET_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "ring.h"

struct xsk_error;

/* The RX and TX rings of one socket; a size of 0: no such ring. */
struct xsk_socket_rings {
	struct xsk_ring_map rx;
	struct xsk_ring_map tx;
};

struct xsk_binding {
	int ifindex;
	uint32_t queue;
	uint16_t flags;		/* XDP_COPY, …; none beside XDP_SHARED_UMEM */
	int shared_fd;		/* with XDP_SHARED_UMEM: a bound socket of the UMEM */
};

/* A new socket in the calling thread's network namespace. Needs CAP_NET_RAW. */
int xsk_socket_open(struct xsk_error *error);

/* Gives it rings; the kernel never takes a ring back, nor changes its size. */
int xsk_socket_set_rings(int fd, uint32_t rx_size, uint32_t tx_size,
			 struct xsk_error *error);

/* Maps those it has been given. *ret is untouched on failure. */
int xsk_socket_map_rings(struct xsk_socket_rings *ret, int fd, uint32_t rx_size,
			 uint32_t tx_size, struct xsk_error *error);
void xsk_socket_unmap_rings(struct xsk_socket_rings *rings);

/*
 * Binds. The kernel frees a queue some time after its last socket was closed:
 * waits up to 100 ms on -EBUSY.
 */
int xsk_socket_bind(int fd, const struct xsk_binding *binding, struct xsk_error *error);

/*
 * Whether that is what a kick says where the driver sends in zero-copy only with a
 * program there (igb and others of Intel's; before 5.19 ixgbe said ENXIO).
 */
static inline bool xsk_socket_wants_program(int kick)
{
	return kick == -EINVAL || kick == -ENXIO;
}

/* Whether the kernel has a flag for bind, XDP_USE_SG or another. Needs CAP_NET_RAW. */
bool xsk_socket_knows(uint16_t flag);

/* The mode a bound socket got: true for zero-copy. Returns 0 or -errno. */
int xsk_socket_zerocopy(int fd, bool *ret);

#endif /* XSK_LIB_SOCKET_H */
