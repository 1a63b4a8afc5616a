/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A UMEM and one socket on it, over the inherited interface, with a free list
 * of frames: what a program has of its own. Asserts where it cannot go on.
 */
#ifndef TEST_NODE_H
#define TEST_NODE_H

#include <xdp/xsk.h>

#include "lab.h"

#define NODE_MAX_FRAMES 8192

struct node_opts {
	const char *ifname;		/* default lab0 */
	uint32_t queue;
	bool rx, tx;
	uint32_t frames;		/* default 1024 */
	uint32_t frame_size;		/* default 4096 */
	uint32_t headroom;
	uint32_t umem_flags;
	uint32_t fill_size, comp_size, rx_size, tx_size;	/* default 2048 */
	uint32_t stock;			/* in FILL, when packets are sent to it; default 16 */
	uint32_t xdp_flags;
	uint32_t libxdp_flags;
	uint16_t bind_flags;
	bool huge;			/* pages of 2 MiB */
	uint64_t odd_size;		/* bytes beyond the last frame (unaligned) */
};

struct node {
	struct node_opts opts;
	void *area;
	uint64_t size;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons comp, rx;
	uint64_t free[NODE_MAX_FRAMES];	/* frames in hand */
	uint32_t nfree;
	uint32_t in_fill, in_tx;
	uint64_t share[NODE_MAX_FRAMES];	/* what node_share() got */
	uint32_t nshare;
};

/* The UMEM with its area; the socket on it; both. -errno of the library. */
int node_umem(struct node *node, const struct node_opts *opts);
int node_socket(struct node *node);
void node_open(struct node *node, const struct node_opts *opts);

/* Deletes what there is. All frames are in hand again, or the test fails. */
void node_close(struct node *node);

/*
 * A second socket on the UMEM of owner, with FILL and COMPLETION of its own
 * (another queue or device) or, on the owner's queue, with those of the owner
 * as they are now. It gets half of the owner's free frames, and gives them back.
 */
int node_share(struct node *node, struct node *owner, const struct node_opts *opts);
int node_share_queue(struct node *node, struct node *owner, const struct node_opts *opts);
/* Deletes its socket; all of its frames are the owner's. */
void node_unshare(struct node *node, struct node *owner);
/* The same rings in another struct: the one that was used last knows how far. */
void node_take_rings(struct node *node, const struct node *from);

/* Hands the kernel count empty frames. */
void node_fill(struct node *node, uint32_t count);

/* Sends frames from lab1 to the node, a few at a time, and compares. */
void node_receive(struct node *node, const struct lab *lab, uint32_t count);

/* Sends frames from the node to lab1, a few at a time, and compares. */
void node_transmit(struct node *node, const struct lab *lab, uint32_t count);

/*
 * Sends one frame and waits for its completion. By node_be_sender() it is what
 * lab_send() uses: from a node on lab1 the queue is that of the node.
 */
void node_send(struct node *node, const void *frame, size_t len);
void node_be_sender(struct node *node, struct lab *lab);

/* Waits up to ms for one packet and gives it back to FILL: its number, or -1. */
int64_t node_receive_one(struct node *node, int ms);

/* Memory of size bytes, or of huge pages, which are made for the process. */
void *node_memory(uint64_t size, bool huge);
void node_memory_free(void *area, uint64_t size);

#endif /* TEST_NODE_H */
