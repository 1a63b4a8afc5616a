/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The port, <xsk/port.h>: what its files share.
 *
 *     port.c          life: open, close, the queues' sockets
 *     port_request.c  what is asked for, and what the interface is
 *     port_mode.c     the mode ladder, and the program
 *     port_filter.c   what the program takes
 *     port_burst.c    rx, tx, alloc, free: the hot path
 *     port_checked.c  the same where the place of each frame is kept
 *     port_refuse.c   what a verb refuses, and why
 *     port_kick.c     flush, and whether the interface is still there
 *     port_wait.c     the waiting strategies
 *     port_info.c     what it is, what it did
 */
#ifndef XSK_LIB_PORT_H
#define XSK_LIB_PORT_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <xsk/port.h>

#include "adapt.h"
#include "gather.h"
#include "interface.h"
#include "keep.h"
#include "napi.h"
#include "pool.h"
#include "prog.h"
#include "socket.h"
#include "umem.h"

#define XSK_PORT_DEFAULT_SIZE 2048
#define XSK_PORT_DEFAULT_FRAME_SIZE 4096
/* Of one packet in copy mode (MAX_SKB_FRAGS + 1). */
#define XSK_PORT_COPY_FRAGS 18

/*
 * Counters have one writer, the queue's thread, and may be read by others at any
 * time. With relaxed order they cost what plain ones cost.
 */
static inline void xsk_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

struct xsk_queue_counters {
	uint64_t rx_packets, rx_bytes;
	uint64_t tx_packets, tx_bytes;
	uint64_t kicks, kick_again, kick_busy, kick_down, kick_failed;
	uint64_t refused;
	uint64_t bad_frames;
};

/* What is asked for, checked and with the defaults in place. */
struct xsk_port_request {
	struct xsk_port_opts opts;
	const char *ifname;
	struct xsk_interface device;
	struct xsk_keep keep;
};

struct xsk_queue {
	/* The first is inlined in programs (xsk_frame_data()): area, less the tag. */
	uintptr_t base;

	/* What a burst reads, and rarely changes. */
	struct xsk_pool *pool;
	struct xsk_memory *memory;
	uint64_t offset_mask;		/* of an address in its frame */
	uint64_t area_size;		/* bytes */
	uint32_t fill_target;		/* frames that the kernel is to have for receiving */
	uint32_t fill_slack;		/* how many of them may lack until the next xsk_rx() */
	uint32_t tx_limit;		/* frames that may be in TX and COMPLETION */
	uint32_t max_frags;
	bool booked;			/* the place of each frame is kept */
	bool can_rx;
	bool feeds;			/* FILL: for itself, or in zero-copy for the host */
	bool can_tx;
	bool may_tx;			/* and its queue is still there */

	/* What a burst writes. */
	struct xsk_ring_cons rx __attribute__((aligned(64)));
	struct xsk_ring_prod fill;
	struct xsk_ring_prod tx;
	struct xsk_ring_cons comp;
	uint32_t fill_out;		/* frames in FILL and RX */
	uint32_t tx_out;		/* frames in TX and COMPLETION */
	uint32_t wants_room;		/* TX was short: entries that the next packet takes */
	uint32_t wants_frames;		/* the pool was: one more than it had */
	uint32_t had_returned;		/* xsk_queue_returned() then */
	uint8_t spared_looks;		/* calls that need not ask whether it is gone */
	struct xsk_queue_counters counters;
	/* Where it is the first that is waited for. */
	struct xsk_gather gather;
	struct xsk_adapt adapt;

	/* What only the kernel's side needs. */
	struct xsk_port *port;
	int fd;
	uint32_t id;			/* the interface's number of it */
	uint32_t index;			/* the port's */
	bool zerocopy;
	bool poll_kicks;		/* sendto() would not (busy polling in zero-copy) */
	bool bound;
	bool gone;			/* the interface; never again */
	bool switched_off;
	uint32_t stuck;			/* kicks in a row that moved nothing */
	uint64_t looked_ms;		/* whether it is gone, and whether it is switched off */
	struct xsk_umem_rings umem_rings;
	struct xsk_socket_rings rings;
} __attribute__((aligned(64)));

struct xsk_port {
	struct xsk_memory *memory;
	uint32_t number;		/* in memory->ports */
	int ask_fd;			/* a socket of its network namespace, to ask by */
	uint64_t netns;			/* a number for that; 0: not known */
	int ifindex;
	char name[IFNAMSIZ];		/* when it was opened */
	char driver[32];
	uint32_t flags;			/* XSK_PORT_* */
	uint32_t direction;
	uint32_t modes;			/* allowed */
	uint32_t mode;			/* obtained */
	char refused[224];		/* "; zero-copy refused: …" */
	uint32_t max_frags;
	uint32_t rx_size, tx_size, fill_size, comp_size;
	uint32_t wait;
	uint32_t busy_poll_us;
	uint32_t busy_poll_budget;
	struct xsk_prog prog;
	struct xsk_keep keep;
	uint32_t prog_mode;		/* XDP_FLAGS_DRV_MODE or _SKB_MODE; 0: no program */
	int map_fd;			/* the caller's; -1: that of prog */
	struct xsk_napi napi;
	uint32_t rx_queues;		/* of the interface, when it was opened */
	uint32_t tx_queues;
	uint32_t first_queue;
	uint32_t nqueues;
	struct xsk_queue *queues;
};

/* ---- port_request.c ---- */

/* Fills *req from the caller's, asking the interface. */
int xsk_port_request_make(struct xsk_port_request *req, const char *ifname,
			  const struct xsk_port_opts *opts, struct xsk_error *error);

/* ---- port_mode.c ---- */

/* Attaches, and opens the queues in the best mode there is. */
int xsk_port_climb(struct xsk_port *port, const struct xsk_port_request *req,
		   struct xsk_error *error);
const char *xsk_port_mode_name(uint32_t mode);

/* ---- port_filter.c ---- */

/* Whether filter and keep can be; fills req->keep. */
int xsk_port_filter_request(struct xsk_port_request *req, struct xsk_error *error);
/* The port's program, with that filter or NULL; to be freed with xsk_filter_code_free(). */
int xsk_port_code(struct xsk_code *code, const struct xsk_port *port,
		  const struct xsk_filter *filter, struct xsk_error *error);

/* ---- port.c ---- */

/* All queues, in the mode port->mode; all or none. */
int xsk_port_open_queues(struct xsk_port *port, const struct xsk_port_request *req,
			 struct xsk_error *error);
/* Their frames are back in the pools then. */
void xsk_port_close_queues(struct xsk_port *port);

/* ---- port_burst.c ---- */

/* Completed frames back to the pool. */
void xsk_queue_drain(struct xsk_queue *queue);
/* Where the pool has not n: those of all that use it, and what other pools can spare. */
void xsk_queue_find_frames(struct xsk_queue *queue, uint32_t n);
/* How many of those that were sent have come back, by all from which it has some. It wraps. */
uint32_t xsk_queue_returned(const struct xsk_queue *queue);
/* FILL gets what it lacks, as far as the pool has it. */
void xsk_queue_refill(struct xsk_queue *queue);

/* ---- port_checked.c ---- */

int xsk_checked_rx(struct xsk_queue *queue, struct xsk_frame *frames, int n);
int xsk_checked_alloc(struct xsk_queue *queue, struct xsk_frame *frames, int n);
int xsk_checked_free(struct xsk_queue *queue, const struct xsk_frame *frames, int n);
int xsk_checked_tx(struct xsk_queue *queue, const struct xsk_frame *frames, int n);
void xsk_checked_drain(struct xsk_queue *queue);
void xsk_checked_refill(struct xsk_queue *queue);

/* ---- port_refuse.c ---- */

/* How many of n frames, from the first on, are whole packets that can be sent. */
int xsk_queue_sendable(const struct xsk_queue *queue, const struct xsk_frame *frames, int n);

/* These keep the reason and return the error; nothing has moved. */
int xsk_refuse_tx(struct xsk_queue *queue, const struct xsk_frame *frames, int n);
int xsk_refuse_free(struct xsk_queue *queue, const struct xsk_frame *frames, int n);
int xsk_refuse_surplus(struct xsk_queue *queue);
int xsk_refuse_large(struct xsk_queue *queue, int n);
int xsk_refuse_direction(struct xsk_queue *queue, const char *step);
/*
 * The frame after n good ones is not the caller's, is one of these once more, or of other
 * memory; step: "free" or "tx".
 */
int xsk_refuse_owner(struct xsk_queue *queue, const struct xsk_frame *frames, int n,
		     const char *step);

/* ---- port_info.c ---- */

/* The interface's name for a reason: the one of now, or if it is gone that at open. */
struct xsk_port_name {
	char text[32];
};
struct xsk_port_name xsk_port_name(const struct xsk_port *port);

/* ---- port_kick.c ---- */

/* For who found nothing to do: looks now and then. 0, or -ENODEV with the reason kept. */
int xsk_queue_look(struct xsk_queue *queue);
/* Looks at once. */
int xsk_queue_check_gone(struct xsk_queue *queue);
/* Keeps the reason, returns the error. */
int xsk_queue_fail_gone(const struct xsk_queue *queue);
/* Why it may not send (any more); 0: it may again. */
int xsk_queue_fail_tx(struct xsk_queue *queue);

#endif /* XSK_LIB_PORT_H */
