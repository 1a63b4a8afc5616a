/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The inherited interface, <xdp/xsk.h>: what its three files share.
 *
 * The kernel ties a UMEM's life to sockets. The UMEM is registered with one
 * socket, and the first struct xsk_socket is that same socket, as in libxdp:
 * one that was handed over by a privileged process is all that there may be.
 * Further ones are bound to the UMEM of any that is bound. Since a bound socket
 * can only be closed, never unbound, the descriptor's number (umem->fd) is kept
 * while the file behind it changes:
 *
 *     ready     no socket; registered, not bound; rings mapped in umem->rings
 *     in use    the file of one of its sockets (umem->base)
 *     idle      no socket; a new file, not registered; the next create makes it
 *               ready again
 *
 * The caller's FILL and COMPLETION structs that came with the UMEM can be used
 * all the time. While no queue has them they show umem->rings: those of a ready
 * UMEM, else blank ones; what he puts there is carried into the next queue's.
 * Only where the first socket was given others, which take over what these hold,
 * they stay a view of its rings, as in libxdp, and end with them.
 */
#ifndef XSK_LIB_COMPAT_H
#define XSK_LIB_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prog.h"
#include "socket.h"
#include "umem.h"

struct xsk_error;

/* This process's share in the program of one interface. */
struct xsk_compat_share {
	struct xsk_compat_share *next;
	uint64_t netns;
	int ifindex;
	unsigned int users;
	bool kept;			/* one of the users is xsk_setup_xdp_prog() */
	struct xsk_prog prog;
};

/* One queue of one interface: its sockets share FILL and COMPLETION. */
struct xsk_compat_queue {
	struct xsk_compat_queue *next;
	uint64_t netns;
	int ifindex;
	uint32_t id;
	unsigned int sockets;
	struct xsk_ring_prod *fill;	/* the caller's, that he works with */
	struct xsk_ring_cons *comp;
	struct xsk_umem_rings rings;
	const struct xsk_socket *mapped_by;	/* through whose file */
	const struct xsk_socket *in_map;	/* that the program's map holds, or NULL */
};

struct xsk_socket {
	struct xsk_socket *next;
	struct xsk_umem *umem;
	struct xsk_compat_queue *queue;
	int fd;
	bool is_first;			/* fd is the number umem->fd, and not ours */
	bool has_rx;
	pid_t pid;			/* of its maker */
	uint16_t bind_flags;		/* in force, inherited ones included */
	struct xsk_socket_rings rings;
	/* NULL: INHIBIT_PROG_LOAD, or it only sends and needs none for that. */
	struct xsk_compat_share *share;
};

struct xsk_umem {
	struct xsk_umem_area area;
	struct xsk_ring_prod *fill;	/* the caller's */
	struct xsk_ring_cons *comp;
	struct xsk_umem_rings rings;	/* that no queue has; may be none */
	bool shown;			/* fill and comp show them */
	struct xsk_socket *sockets;
	struct xsk_compat_queue *queues;

	int fd;				/* -1: idle, and no socket could be made */
	struct xsk_socket *base;	/* in use: the socket whose file fd is */

	/* Of the socket that fd is while no struct xsk_socket uses it: */
	bool registered;		/* ready, else idle */
	bool lent;			/* it was handed to _create_with_fd() */
	uint64_t netns;			/* 0: not known */
	uint32_t rx_size;		/* of rings that a failed create left */
	uint32_t tx_size;
};

/* What a call asks for, checked and with the defaults in place. */
struct xsk_compat_request {
	const char *ifname;
	int ifindex;
	uint64_t netns;
	uint32_t queue;
	struct xsk_umem *umem;
	struct xsk_ring_cons *rx;
	struct xsk_ring_prod *tx;
	struct xsk_ring_prod *fill;
	struct xsk_ring_cons *comp;
	uint32_t rx_size;		/* 0: no such ring */
	uint32_t tx_size;
	uint32_t xdp_modes;
	uint16_t bind_flags;
	bool may_attach;		/* no INHIBIT_PROG_LOAD */
};

/*
 * Fills the rest of *req from opts, where ifname, queue and umem are set. Touches
 * nothing but that.
 */
int xsk_compat_request_make(struct xsk_compat_request *req,
			    const struct xsk_socket_opts *opts, struct xsk_error *error);

/*
 * One lock for all that creates and deletes in this process: what it guards is
 * shared between UMEMs, and it is whole in a child after fork().
 */
void xsk_compat_lock(void);
void xsk_compat_unlock(void);

/*
 * Makes the UMEM, which no socket uses, ready for a first socket in the network
 * namespace netns with rings of these sizes. FILL entries that the caller has
 * submitted or reserved stay so.
 */
int xsk_compat_umem_ready(struct xsk_umem *umem, uint64_t netns, uint32_t rx_size,
			  uint32_t tx_size, struct xsk_error *error);

/* After a create that got as far as bind: as if it had not been tried. */
void xsk_compat_umem_undo_bind(struct xsk_umem *umem);

/* The queue that had the caller's structs of the UMEM is gone: blank rings. */
void xsk_compat_umem_blank(struct xsk_umem *umem, const struct xsk_umem_rings *like);

/* What the caller put into the rings that no queue has, into those of a queue. */
void xsk_compat_umem_carry(struct xsk_umem *umem, const struct xsk_umem_rings *to);

/* Its last socket is gone: closes the file, so that the kernel frees the queue. */
void xsk_compat_umem_idle(struct xsk_umem *umem);

/*
 * Takes a share in the program of an interface of this thread's namespace, and
 * gives it back; NULL is legal to put. With the lock held.
 */
int xsk_compat_share_get(struct xsk_compat_share **ret, uint64_t netns, int ifindex,
			 uint32_t modes, struct xsk_error *error);
/* The same in a program that is there; none is attached. */
int xsk_compat_share_join(struct xsk_compat_share **ret, uint64_t netns, int ifindex,
			  struct xsk_error *error);
void xsk_compat_share_put(struct xsk_compat_share *share);
/* In the place of put: it is kept, once, until the process ends. */
void xsk_compat_share_keep(struct xsk_compat_share *share);

/*
 * For a bound socket that only sends: sees to it that it can. *ret is its share in
 * a program, or NULL.
 */
int xsk_compat_send_prepare(struct xsk_compat_share **ret, int fd,
			    const struct xsk_compat_request *req, struct xsk_error *error);

#endif /* XSK_LIB_COMPAT_H */
