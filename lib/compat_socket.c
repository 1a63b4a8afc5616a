/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "compat.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"
#include "kernel.h"
#include "netdev.h"
#include "opts.h"
#include "sys.h"

/* What the kernel adds to the MTU: Ethernet's header, two VLAN tags, the checksum. */
#define LINK_HEADERS (14 + 8 + 4)

/* ---- destroy ---- */

static void put_queue(struct xsk_umem *umem, struct xsk_compat_queue *queue)
{
	struct xsk_compat_queue **at;

	if (--queue->sockets)
		return;
	for (at = &umem->queues; *at != queue; at = &(*at)->next)
		;
	*at = queue->next;
	if (queue->fill == umem->fill || queue->comp == umem->comp)
		xsk_compat_umem_blank(umem, &queue->rings);
	xsk_umem_unmap_rings(&queue->rings);
	free(queue);
}

/* What a socket has of its own, when it is in no list (yet, or any more). */
static void destroy(struct xsk_socket *xsk)
{
	if (!xsk->is_first)
		xsk_sys_close(xsk->fd);
	xsk_socket_unmap_rings(&xsk->rings);
	xsk_compat_share_put(xsk->share);
	free(xsk);
}

/* The UMEM's descriptor must not hold the queue of a socket that is deleted. */
static void leave_base(struct xsk_umem *umem)
{
	if (!umem->sockets || xsk_sys_replace(umem->sockets->fd, umem->fd))
		xsk_compat_umem_idle(umem);
	else
		umem->base = umem->sockets;
}

static const struct xsk_socket *next_on_queue(const struct xsk_socket *each,
					      const struct xsk_compat_queue *queue)
{
	while (each && each->queue != queue)
		each = each->next;
	return each;
}

/*
 * The rings of a queue that others still use must not keep the deleted socket
 * in the kernel. Kernels before 6.4 do not map them through a bound socket:
 * there it stays until the queue is gone.
 */
static bool leave_rings(const struct xsk_umem *umem, struct xsk_compat_queue *queue)
{
	const struct xsk_socket *other = next_on_queue(umem->sockets, queue);

	if (!other)
		return true;
	queue->mapped_by = NULL;
	if (xsk_umem_remap_rings(&queue->rings, other->fd))
		return false;
	queue->mapped_by = other;
	return true;
}

static bool receives_by_share(const struct xsk_socket *xsk)
{
	return xsk->share && xsk->has_rx;
}

/*
 * Of two sockets on a queue the map holds one. When that one is deleted, the
 * other takes the place, also where the kernel still has the deleted one (see
 * above, or in a forked process), which nobody reads any more.
 */
static void bequeath_map_entry(const struct xsk_umem *umem, struct xsk_compat_queue *queue,
			       bool only_if_free)
{
	const struct xsk_socket *heir = next_on_queue(umem->sockets, queue);
	struct xsk_error ignored;

	while (heir && !receives_by_share(heir))
		heir = next_on_queue(heir->next, queue);
	if (heir && xsk_prog_set_socket(heir->share->prog.map_fd, queue->id, heir->fd,
					only_if_free, &ignored))
		return;
	queue->in_map = heir;
}

static void delete_locked(struct xsk_socket *xsk)
{
	struct xsk_compat_queue *queue = xsk->queue;
	struct xsk_umem *umem = xsk->umem;
	/* What a child deletes may still be in use by its parent. */
	bool in_map = queue->in_map == xsk && xsk->pid == getpid();
	bool stays = false;
	struct xsk_socket **at;

	for (at = &umem->sockets; *at != xsk; at = &(*at)->next)
		;
	*at = xsk->next;
	if (queue->in_map == xsk)
		queue->in_map = NULL;
	if (umem->base == xsk)
		leave_base(umem);
	if (queue->mapped_by == xsk)
		stays = !leave_rings(umem, queue);
	/* By number: the queue is this UMEM's, and so is the entry. */
	if (stays && in_map && xsk->share)
		xsk_prog_unset_socket(xsk->share->prog.map_fd, queue->id);
	if (in_map)
		bequeath_map_entry(umem, queue, false);
	destroy(xsk);
	if (!in_map)
		bequeath_map_entry(umem, queue, true);
	put_queue(umem, queue);
}

void xsk_socket__delete(struct xsk_socket *xsk)
{
	if (!xsk)
		return;
	xsk_compat_lock();
	delete_locked(xsk);
	xsk_compat_unlock();
}

/* ---- create ---- */

static struct xsk_compat_queue *find_queue(const struct xsk_compat_request *req)
{
	struct xsk_compat_queue *each;

	for (each = req->umem->queues; each; each = each->next)
		if (each->netns == req->netns && each->ifindex == req->ifindex &&
		    each->id == req->queue)
			break;
	return each;
}

/* A bound socket to share the UMEM of; one on the same queue, to share that. */
static const struct xsk_socket *find_base(const struct xsk_compat_request *req,
					  const struct xsk_compat_queue *queue)
{
	return queue->sockets ? next_on_queue(req->umem->sockets, queue) : req->umem->sockets;
}

/*
 * The kernel shares the UMEM of bound sockets only; one whose interface has gone
 * is bound no more, without telling. Then another will do.
 */
static int bind_shared(const struct xsk_socket *xsk, const struct xsk_socket *base,
		       struct xsk_binding *binding, struct xsk_error *error)
{
	bool same_queue = base->queue == xsk->queue;
	int err;

	for (; base; base = base->next) {
		if (same_queue && base->queue != xsk->queue)
			continue;
		binding->shared_fd = base->fd;
		err = xsk_socket_bind(xsk->fd, binding, error);
		if (err != -EBADF)
			return err;
	}
	xsk_error_set(error, -EBADF, "bind", "the interfaces of the UMEM's sockets are gone");
	return xsk_error_hint(error, "delete these sockets first");
}

/* The kernel gives a further socket the mode of its base, and takes no flags. */
static int check_inherited(const struct xsk_compat_request *req, const struct xsk_socket *base,
			   struct xsk_error *error)
{
	uint16_t lacking = req->bind_flags & (XDP_USE_NEED_WAKEUP | XDP_USE_SG) &
			   (uint16_t)~base->bind_flags;
	bool zerocopy;
	int err;

	err = xsk_socket_zerocopy(base->fd, &zerocopy);
	if (err)
		return xsk_error_system(error, err, "bind");
	if (req->bind_flags & (zerocopy ? XDP_COPY : XDP_ZEROCOPY))
		return xsk_error_set(error, -EOPNOTSUPP, "bind",
				     "the UMEM's first socket is in %s mode, the others follow it",
				     zerocopy ? "zero-copy" : "copy");
	if (lacking)
		return xsk_error_set(error, -EOPNOTSUPP, "bind",
				     "the UMEM's first socket was bound without the flags 0x%x, "
				     "the others follow it", lacking);
	return 0;
}

/* The first socket is the one that the UMEM is registered with. */
static int prepare_first(struct xsk_socket *xsk, const struct xsk_compat_request *req,
			 struct xsk_error *error)
{
	struct xsk_umem *umem = req->umem;
	int err;

	if (req->bind_flags & XDP_SHARED_UMEM)
		return xsk_error_set(error, -EINVAL, "socket",
				     "XDP_SHARED_UMEM on a UMEM that has no socket to share");

	err = xsk_compat_umem_ready(umem, req->netns, req->rx_size, req->tx_size, error);
	if (err)
		return err;
	xsk->fd = umem->fd;
	xsk->is_first = true;
	xsk->bind_flags = req->bind_flags;

	/* Each remembered by itself: the next try meets those that there are. */
	if (!umem->rx_size) {
		err = xsk_socket_set_rings(xsk->fd, req->rx_size, 0, error);
		if (err)
			return err;
		umem->rx_size = req->rx_size;
	}
	if (!umem->tx_size) {
		err = xsk_socket_set_rings(xsk->fd, 0, req->tx_size, error);
		if (err)
			return err;
		umem->tx_size = req->tx_size;
	}
	return 0;
}

/*
 * One struct cannot show two rings; and the UMEM's two go together, since both
 * show its blank rings.
 */
static bool has_queue_with_rings(const struct xsk_umem *umem,
				 const struct xsk_compat_queue *wanted)
{
	const struct xsk_compat_queue *each = umem->queues;

	if ((wanted->fill == umem->fill) != (wanted->comp == umem->comp))
		return true;
	while (each && each->fill != wanted->fill && each->comp != wanted->comp)
		each = each->next;
	return each;
}

static int prepare_further(struct xsk_socket *xsk, const struct xsk_compat_request *req,
			   const struct xsk_socket *base, struct xsk_error *error)
{
	bool own_queue = !xsk->queue->sockets;
	int err;

	if (own_queue && has_queue_with_rings(req->umem, xsk->queue)) {
		xsk_error_set(error, -EINVAL, "socket",
			      "queue %u of %s needs a FILL and a COMPLETION ring of its own; "
			      "of those given one belongs to another queue, or to the UMEM",
			      req->queue, req->ifname);
		return xsk_error_hint(error, "give others to xsk_socket__create_shared()");
	}
	err = check_inherited(req, base, error);
	if (err)
		return err;
	xsk->bind_flags = base->bind_flags;

	xsk->fd = xsk_socket_open(error);
	if (xsk->fd < 0)
		return xsk->fd;
	if (own_queue) {
		err = xsk_umem_map_rings(&xsk->queue->rings, xsk->fd, &req->umem->area, error);
		if (err)
			return err;
	}
	return xsk_socket_set_rings(xsk->fd, req->rx_size, req->tx_size, error);
}

/*
 * Known before a program is attached for nothing: attaching and detaching takes
 * the kernel tens of milliseconds, and some links go down for seconds. No driver
 * is known that says it only with a program there. Kernels before 6.3 do not
 * tell; there bind will.
 */
static int check_zerocopy(const struct xsk_compat_request *req, struct xsk_error *error)
{
	struct xsk_netdev_xdp xdp;

	if (!(req->bind_flags & XDP_ZEROCOPY) ||
	    xsk_netdev_xdp(&xdp, req->ifindex) ||
	    xdp.features & XSK_NETDEV_XDP_ACT_XSK_ZEROCOPY)
		return 0;
	xsk_error_set(error, -EOPNOTSUPP, "bind", "the driver of %s offers no zero-copy",
		      req->ifname);
	return xsk_error_hint(error, "ask for XDP_COPY");
}

static void explain_channels(const struct xsk_compat_request *req, struct xsk_error *error)
{
	struct xsk_netdev_channels channels;
	uint32_t used;

	if (xsk_netdev_channels(&channels, req->ifindex))
		return;
	used = channels.rx > channels.tx ? channels.rx : channels.tx;
	if (req->queue < used)
		return;
	xsk_error_set(error, -EINVAL, "bind", "queue %u of %s is switched off, only 0 to %u are "
		      "in use", req->queue, req->ifname, used - 1);
	xsk_error_hint(error, "ethtool -l shows the queues, and -L switches them on");
}

/* Since 7.x the kernel refuses frames that do not hold a packet of the MTU. */
static void explain_mtu(const struct xsk_compat_request *req, struct xsk_error *error)
{
	const struct xsk_umem_area *area = &req->umem->area;
	uint32_t room = (area->frame_size - area->headroom - XDP_PACKET_HEADROOM) / 128 * 128;
	struct xsk_netdev dev;

	/* With XDP_USE_SG a packet may have several frames, as many as the driver says. */
	if ((req->bind_flags & (XDP_ZEROCOPY | XDP_USE_SG)) != XDP_ZEROCOPY ||
	    xsk_netdev_get(&dev, req->ifindex) || dev.mtu + LINK_HEADERS <= room)
		return;
	xsk_error_set(error, -EINVAL, "bind", "%s has an MTU of %u, so packets of %u bytes; in "
		      "zero-copy frames of %u with a headroom of %u have room for %u", dev.name,
		      dev.mtu, dev.mtu + LINK_HEADERS, area->frame_size, area->headroom, room);
	xsk_error_hint(error, "lower the MTU, take larger frames, or ask for XDP_COPY");
}

static int bind_queue(struct xsk_socket *xsk, const struct xsk_compat_request *req,
		      const struct xsk_socket *base, struct xsk_error *error)
{
	struct xsk_binding binding = {
		.ifindex = req->ifindex,
		.queue = req->queue,
		.flags = base ? XDP_SHARED_UMEM : req->bind_flags,
	};
	int err;

	err = base ? bind_shared(xsk, base, &binding, error)
		   : xsk_socket_bind(xsk->fd, &binding, error);
	if (err != -EINVAL)
		return err;
	/* The kernel says no more than that. */
	explain_mtu(req, error);
	explain_channels(req, error);
	return err;
}

/* What is to be done when the socket is bound; until then the queue may be others'. */
static int join_traffic(struct xsk_socket *xsk, const struct xsk_compat_request *req,
			struct xsk_error *error)
{
	if (!req->rx)
		return xsk_compat_send_prepare(&xsk->share, xsk->fd, req, error);
	if (!req->may_attach)
		return 0;
	return xsk_prog_set_socket(xsk->share->prog.map_fd, req->queue, xsk->fd, false, error);
}

/*
 * The program is attached before bind, because some drivers start a queue only
 * with a program there (igb).
 */
static int connect_queue(struct xsk_socket *xsk, const struct xsk_compat_request *req,
			 const struct xsk_socket *base, struct xsk_error *error)
{
	int err;

	if (!base) {
		err = check_zerocopy(req, error);
		if (err)
			return err;
	}
	if (req->rx && req->may_attach) {
		err = xsk_compat_share_get(&xsk->share, req->netns, req->ifindex, req->xdp_modes,
					   error);
		if (err)
			return err;
	}
	err = bind_queue(xsk, req, base, error);
	if (err)
		return err;
	err = join_traffic(xsk, req, error);
	if (err && !base) {
		/* A mapping would keep the socket, its queue and its locked memory. */
		xsk_socket_unmap_rings(&xsk->rings);
		xsk_compat_umem_undo_bind(req->umem);
	}
	return err;
}

/* The rings of a new queue, in the structs that the caller works with. */
static void show_new_queue(struct xsk_compat_queue *queue, const struct xsk_compat_request *req,
			   bool first)
{
	struct xsk_umem *umem = req->umem;

	if (first) {
		queue->rings = umem->rings;
		umem->rings = (struct xsk_umem_rings){ 0 };
	}
	if (first && umem->shown) {
		/* With what he has reserved and peeked in the UMEM's. */
		*queue->fill = *umem->fill;
		*queue->comp = *umem->comp;
		umem->shown = false;
	} else if (umem->shown && queue->fill == umem->fill) {
		xsk_compat_umem_carry(umem, &queue->rings);
	} else {
		xsk_ring_init_prod(queue->fill, &queue->rings.fill);
		xsk_ring_init_cons(queue->comp, &queue->rings.comp);
	}
}

/* Other structs than those in use; these know what is reserved and peeked. */
static void show_known_queue(const struct xsk_compat_queue *queue,
			     const struct xsk_compat_request *req)
{
	if (req->fill && req->fill != queue->fill)
		xsk_ring_init_prod(req->fill, &queue->rings.fill);
	if (req->comp && req->comp != queue->comp)
		xsk_ring_init_cons(req->comp, &queue->rings.comp);
}

/* Nothing can fail any more: the caller's structs, and the UMEM's lists. */
static void enter(struct xsk_socket *xsk, const struct xsk_compat_request *req)
{
	struct xsk_compat_queue *queue = xsk->queue;
	struct xsk_umem *umem = req->umem;

	if (req->rx)
		xsk_ring_init_cons(req->rx, &xsk->rings.rx);
	if (req->tx)
		xsk_ring_init_prod(req->tx, &xsk->rings.tx);
	if (queue->sockets++) {
		show_known_queue(queue, req);
	} else {
		queue->mapped_by = xsk;
		show_new_queue(queue, req, !umem->sockets);
		queue->next = umem->queues;
		umem->queues = queue;
	}
	if (receives_by_share(xsk))
		queue->in_map = xsk;
	if (!umem->sockets)
		umem->base = xsk;
	xsk->next = umem->sockets;
	umem->sockets = xsk;
}

/* The socket with its queue, which is a new one where the UMEM has it not yet. */
static struct xsk_socket *allocate(const struct xsk_compat_request *req)
{
	struct xsk_socket *xsk = calloc(1, sizeof(*xsk));

	if (!xsk)
		return NULL;
	xsk->umem = req->umem;
	xsk->fd = -1;
	xsk->has_rx = req->rx;
	xsk->pid = getpid();
	xsk->queue = find_queue(req);
	if (!xsk->queue) {
		xsk->queue = calloc(1, sizeof(*xsk->queue));
		if (!xsk->queue) {
			free(xsk);
			return NULL;
		}
		xsk->queue->netns = req->netns;
		xsk->queue->ifindex = req->ifindex;
		xsk->queue->id = req->queue;
		xsk->queue->fill = req->fill ? req->fill : req->umem->fill;
		xsk->queue->comp = req->comp ? req->comp : req->umem->comp;
	}
	return xsk;
}

static int build(struct xsk_socket *xsk, const struct xsk_compat_request *req,
		 struct xsk_error *error)
{
	const struct xsk_socket *base = find_base(req, xsk->queue);
	int err;

	if (base)
		err = prepare_further(xsk, req, base, error);
	else
		err = prepare_first(xsk, req, error);
	if (err)
		return err;
	err = xsk_socket_map_rings(&xsk->rings, xsk->fd, req->rx_size, req->tx_size, error);
	if (err)
		return err;
	return connect_queue(xsk, req, base, error);
}

static int create_locked(struct xsk_socket **ret, const struct xsk_compat_request *req,
			 struct xsk_error *error)
{
	struct xsk_compat_queue *queue;
	struct xsk_socket *xsk;
	int err;

	xsk = allocate(req);
	if (!xsk)
		return xsk_error_system(error, -ENOMEM, "socket");

	err = build(xsk, req, error);
	if (err) {
		queue = xsk->queue;
		destroy(xsk);
		if (!queue->sockets) {
			xsk_umem_unmap_rings(&queue->rings);
			free(queue);
		}
		return err;
	}
	enter(xsk, req);
	*ret = xsk;
	return 0;
}

static int create(struct xsk_socket **ret, const char *ifname, uint32_t queue,
		  struct xsk_umem *umem, const struct xsk_socket_opts *opts,
		  struct xsk_error *error)
{
	struct xsk_compat_request req = { .ifname = ifname, .queue = queue, .umem = umem };
	int err;

	err = xsk_compat_request_make(&req, opts, error);
	if (err)
		return err;
	xsk_compat_lock();
	err = create_locked(ret, &req, error);
	xsk_compat_unlock();
	return err;
}

/* ---- the exported functions ---- */

int xsk_socket__fd(const struct xsk_socket *xsk)
{
	return xsk ? xsk->fd : -EINVAL;
}

struct xsk_socket *xsk_socket__create_opts(const char *ifname, __u32 queue_id,
					   struct xsk_umem *umem,
					   struct xsk_socket_opts *opts)
{
	struct xsk_socket_opts known = { 0 };
	struct xsk_socket *xsk = NULL;
	struct xsk_error error;
	int err;

	err = xsk_opts_read(&known, sizeof(known), opts, &error);
	if (!err)
		err = create(&xsk, ifname, queue_id, umem, &known, &error);
	if (err) {
		xsk_error_keep(&error);
		errno = -err;
	}
	return xsk;
}

static int create_from_config(struct xsk_socket **ret, const char *ifname, uint32_t queue,
			      struct xsk_umem *umem, struct xsk_socket_opts *opts,
			      const struct xsk_socket_config *config)
{
	struct xsk_error error;
	int err;

	if (config) {
		opts->rx_size = config->rx_size;
		opts->tx_size = config->tx_size;
		opts->libxdp_flags = config->libxdp_flags;
		opts->xdp_flags = config->xdp_flags;
		opts->bind_flags = config->bind_flags;
	}
	if (ret)
		err = create(ret, ifname, queue, umem, opts, &error);
	else
		err = xsk_error_set(&error, -EINVAL, "socket",
				    "the place for the socket is NULL");
	return err ? xsk_error_keep(&error) : 0;
}

int xsk_socket__create_shared(struct xsk_socket **xsk_ptr, const char *ifname,
			      __u32 queue_id, struct xsk_umem *umem,
			      struct xsk_ring_cons *rx, struct xsk_ring_prod *tx,
			      struct xsk_ring_prod *fill, struct xsk_ring_cons *comp,
			      const struct xsk_socket_config *config)
{
	struct xsk_socket_opts opts = { .rx = rx, .tx = tx, .fill = fill, .comp = comp };

	return create_from_config(xsk_ptr, ifname, queue_id, umem, &opts, config);
}

int xsk_socket__create(struct xsk_socket **xsk, const char *ifname, __u32 queue_id,
		       struct xsk_umem *umem, struct xsk_ring_cons *rx,
		       struct xsk_ring_prod *tx, const struct xsk_socket_config *config)
{
	struct xsk_socket_opts opts = { .rx = rx, .tx = tx };

	return create_from_config(xsk, ifname, queue_id, umem, &opts, config);
}

static int update_map(struct xsk_socket *xsk, int map_fd, struct xsk_error *error)
{
	int err;

	if (!xsk)
		return xsk_error_set(error, -EINVAL, "XSKMAP", "the socket is NULL");
	if (!xsk->has_rx)
		return xsk_error_set(error, -EOPNOTSUPP, "XSKMAP", "the socket has no RX ring");
	err = xsk_prog_check_map(map_fd, error);
	if (err)
		return err;
	err = xsk_prog_set_socket(map_fd, xsk->queue->id, xsk->fd, false, error);
	if (!err && xsk->share && xsk_prog_same_map(map_fd, xsk->share->prog.map_fd))
		xsk->queue->in_map = xsk;
	return err;
}

int xsk_socket__update_xskmap(struct xsk_socket *xsk, int xsks_map_fd)
{
	struct xsk_error error;
	int err;

	xsk_compat_lock();
	err = update_map(xsk, xsks_map_fd, &error);
	xsk_compat_unlock();
	return err ? xsk_error_keep(&error) : 0;
}
