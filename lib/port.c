/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "error.h"
#include "kernel.h"
#include "memory.h"
#include "sys.h"

/* A link may go down when a program comes (igb: 4 s). */
#define LINK_WAIT_MS 10000
#define LINK_STEP_MS 10
/* The time that the kernel takes at most to free a queue (50 ms were seen). */
#define RELEASE_MS 100
/* Frames for FILL of which some may lack for a while, see xsk_queue_refill(). */
#define LARGE_FILL 1024

/* ---- close ---- */

static void close_socket(struct xsk_queue *queue)
{
	xsk_umem_unmap_rings(&queue->umem_rings);
	xsk_socket_unmap_rings(&queue->rings);
	xsk_sys_close(queue->fd);
	queue->fd = -1;
	queue->bound = false;
}

/*
 * In zero-copy the NIC has its frames still for some time after the close. Until
 * another socket can have the queue, for which bind waits.
 */
static void await_release(const struct xsk_port *port, const struct xsk_queue *queue)
{
	uint64_t here = 0;
	struct xsk_binding binding = { .ifindex = port->ifindex, .queue = queue->id,
				       .flags = XDP_COPY };
	struct xsk_umem_area area = { .size = 2 * xsk_sys_page_size(), .fill_size = 1,
				      .comp_size = 1,
				      .frame_size = (uint32_t)xsk_sys_page_size() };
	struct xsk_umem_rings rings = { 0 };
	struct xsk_error ignored;
	int fd;

	/* From another network namespace the interface cannot be bound to. */
	if (xsk_sys_netns(&here) || here != port->netns || xsk_memory_map(&area.addr, area.size)) {
		xsk_sys_sleep_ms(RELEASE_MS);
		return;
	}
	fd = xsk_socket_open(&ignored);
	if (fd < 0 || xsk_umem_register(fd, &area, &ignored) ||
	    xsk_umem_map_rings(&rings, fd, &area, &ignored) ||
	    xsk_socket_set_rings(fd, 1, 0, &ignored))
		xsk_sys_sleep_ms(RELEASE_MS);
	else
		xsk_socket_bind(fd, &binding, &ignored);
	xsk_umem_unmap_rings(&rings);
	xsk_sys_close(fd);
	xsk_memory_unmap(area.addr, area.size);
}

/*
 * Copied packets can lie in the driver's ring by reference (virtio-net), and others are about
 * to write to the frames. What was not taken from TX never will be.
 */
static void await_sent(const struct xsk_queue *queue)
{
	uint32_t taken;

	for (int ms = 0; ms < RELEASE_MS; ms++) {
		taken = __atomic_load_n(queue->tx.consumer, __ATOMIC_ACQUIRE) -
			__atomic_load_n(queue->comp.producer, __ATOMIC_ACQUIRE);
		if (!taken)
			return;
		xsk_sys_sleep_ms(1);
	}
}

void xsk_port_close_queues(struct xsk_port *port)
{
	struct xsk_memory *memory = port->memory;

	for (uint32_t i = 0; i < port->nqueues; i++) {
		struct xsk_queue *queue = &port->queues[i];
		bool was_bound = queue->bound;

		if (queue->fd < 0)
			continue;
		if (was_bound && queue->can_tx && !queue->gone && memory->nports > 1)
			await_sent(queue);
		close_socket(queue);
		if (was_bound && queue->zerocopy && !queue->gone && memory->nports > 1)
			await_release(port, queue);
	}
	if (memory->nports < 2) {
		xsk_pool_reset(memory);
		return;
	}
	/* When all are closed: what the book began with may be in any of them. */
	for (uint32_t i = 0; i < port->nqueues; i++)
		xsk_pool_reclaim(memory, &memory->pools[i], port->number, i);
}

static void leave_memory(struct xsk_port *port)
{
	struct xsk_memory *memory = port->memory;

	if (!memory)
		return;
	memory->ports[port->number] = NULL;
	if (!--memory->nports)
		xsk_pool_destroy(memory);
}

void xsk_port_close(struct xsk_port *port)
{
	if (!port)
		return;
	xsk_napi_restore(&port->napi);
	if (port->memory)
		xsk_port_close_queues(port);
	xsk_prog_leave(&port->prog);
	leave_memory(port);
	xsk_sys_close(port->ask_fd);
	free(port->queues);
	free(port);
}

/* ---- the memory ---- */

static int enter_memory(struct xsk_port *port, struct xsk_memory *memory,
			struct xsk_error *error)
{
	uint32_t number = 0;

	while (number < XSK_POOL_MAX_PORTS && memory->ports[number])
		number++;
	if (number == XSK_POOL_MAX_PORTS) {
		xsk_error_set(error, -ENOSPC, "memory", "%d ports share it already",
			      XSK_POOL_MAX_PORTS);
		return xsk_error_hint(error, "close one of them, or open this one with memory of "
				      "its own");
	}
	memory->ports[number] = port;
	memory->nports++;
	port->memory = memory;
	port->number = number;
	return 0;
}

/* Also if none of its verbs has found out yet. */
static bool is_gone(const struct xsk_port *port)
{
	char name[IFNAMSIZ];

	for (uint32_t i = 0; i < port->nqueues; i++)
		if (port->queues[i].gone)
			return true;
	return xsk_device_name(name, port->ask_fd, port->ifindex) == -ENODEV;
}

static int refuse_gone(struct xsk_error *error, const char *step)
{
	xsk_error_set(error, -EBADF, step, "the interface of the port whose memory is shared is "
		      "gone");
	return xsk_error_hint(error, "close that port, and open this one with memory of its own");
}

/* From now on the place of each frame is kept, so that either port can be closed. */
static int begin_book(struct xsk_port *other, struct xsk_error *error)
{
	struct xsk_memory *memory = other->memory;
	int64_t lent = xsk_pool_lent(memory);
	int err;

	if (memory->book)
		return 0;
	if (lent) {
		xsk_error_set(error, -EBUSY, "memory", "the caller has %lld frames of %s, whose "
			      "memory is to be shared", (long long)lent,
			      xsk_port_name(other).text);
		return xsk_error_hint(error, "free them first, or open both ports before there is "
				      "traffic");
	}
	err = xsk_pool_begin_book(memory, other->number);
	if (err)
		return xsk_error_system(error, err, "memory");
	for (uint32_t i = 0; i < other->nqueues; i++)
		other->queues[i].booked = true;
	return 0;
}

/* The other port shared nothing before, and does not now. */
static void end_book(struct xsk_port *other)
{
	xsk_pool_end_book(other->memory);
	for (uint32_t i = 0; i < other->nqueues; i++)
		other->queues[i].booked = false;
}

static int make_memory(struct xsk_port *port, const struct xsk_port_request *req,
		       struct xsk_error *error)
{
	const struct xsk_port_opts *opts = &req->opts;
	struct xsk_memory_request request = {
		.pools = opts->queues,
		.frames_per_pool = opts->frames,
		.frame_size = opts->frame_size,
		.headroom = opts->headroom,
		.need_huge = opts->flags & XSK_PORT_HUGE,
		.no_huge = opts->flags & XSK_PORT_NO_HUGE,
		.checked = opts->flags & XSK_PORT_CHECKED,
		.node = xsk_device_node(port->name, port->ifindex),
	};
	struct xsk_memory *memory;
	int err;

	if (opts->share) {
		if (is_gone(opts->share))
			return refuse_gone(error, "memory");
		err = begin_book(opts->share, error);
		return err ? err : enter_memory(port, opts->share->memory, error);
	}
	err = xsk_pool_create(&memory, &request, error);
	if (err)
		return err;
	memory->multi_buffer = opts->flags & XSK_PORT_MULTI_BUFFER;
	memory->one_thread = opts->flags & XSK_PORT_ONE_THREAD;
	return enter_memory(port, memory, error);
}

/* ---- a queue ---- */

static void init_queue(struct xsk_port *port, uint32_t index, const struct xsk_interface *device)
{
	struct xsk_queue *queue = &port->queues[index];
	struct xsk_memory *memory = port->memory;
	uint32_t id = port->first_queue + index;

	memset(queue, 0, sizeof(*queue));
	queue->fd = -1;
	queue->port = port;
	queue->memory = memory;
	queue->pool = &memory->pools[index];
	queue->base = (uintptr_t)memory->addr - (uintptr_t)memory->tag;
	queue->offset_mask = memory->frame_size - 1;
	queue->area_size = (uint64_t)memory->frames << memory->shift;
	queue->booked = memory->book;
	queue->max_frags = port->max_frags;
	queue->id = id;
	queue->index = index;
	queue->can_rx = port->direction & XSK_DIRECTION_RX && id < device->rx_queues;
	queue->can_tx = port->direction & XSK_DIRECTION_TX && id < device->tx_queues;
	/* There the NIC has no other frames: without them the host would hear nothing. */
	queue->feeds = queue->can_rx ||
		       (port->mode == XSK_MODE_ZEROCOPY && id < device->rx_queues);
	queue->may_tx = queue->can_tx;
	queue->tx_limit = port->tx_size < port->comp_size ? port->tx_size : port->comp_size;
}

/*
 * Some for the caller, when he sends (too), and for who may share the pool. By what
 * others are to have of it, for what they have now (in TX, say) comes back.
 */
static int stock(struct xsk_queue *queue, struct xsk_error *error)
{
	const struct xsk_memory *memory = queue->memory;
	uint32_t most = memory->frames_per_pool, taken;

	for (int i = 0; i < XSK_POOL_MAX_PORTS; i++) {
		const struct xsk_port *port = memory->ports[i];

		if (!port || port == queue->port || queue->index >= port->nqueues)
			continue;
		taken = port->queues[queue->index].fill_target;
		most -= taken < most ? taken : most;
	}
	if (!queue->feeds)
		return 0;
	if (!most && queue->can_rx) {
		xsk_error_set(error, -ENOMEM, "memory", "the ports that share it have all of its "
			      "%u frames a queue, and none is left to receive on %s",
			      memory->frames_per_pool, queue->port->name);
		return xsk_error_hint(error, "open the first with frames for all (opts.frames)");
	}
	if (queue->port->direction & XSK_DIRECTION_TX)
		most /= 2;
	queue->fill_target = most < queue->port->fill_size ? most : queue->port->fill_size;
	/* A NIC in zero-copy takes all that FILL has, and wants more at once. */
	if (queue->fill_target >= LARGE_FILL && queue->port->mode != XSK_MODE_ZEROCOPY)
		queue->fill_slack = queue->fill_target / 16;
	xsk_queue_refill(queue);
	return 0;
}

/* A socket of the memory's that is bound, or -1. */
static int find_base(const struct xsk_memory *memory)
{
	for (int i = 0; i < XSK_POOL_MAX_PORTS; i++) {
		const struct xsk_port *port = memory->ports[i];

		if (!port || is_gone(port))
			continue;
		for (uint32_t k = 0; k < port->nqueues; k++)
			if (port->queues[k].bound)
				return port->queues[k].fd;
	}
	return -1;
}

/* Its size and its flags are as they must be. */
static int explain_register(const struct xsk_umem_area *area, struct xsk_error *error)
{
	xsk_error_set(error, -EINVAL, "umem", "a headroom of %u bytes leaves the kernel too little "
		      "of frames of %u", area->headroom, area->frame_size);
	return xsk_error_hint(error, "take less headroom (some kernels want 704 bytes beside "
			      "it), or larger frames");
}

static int make_rings(struct xsk_queue *queue, bool first, struct xsk_error *error)
{
	const struct xsk_memory *memory = queue->memory;
	const struct xsk_port *port = queue->port;
	const struct xsk_umem_area area = {
		.addr = memory->addr,
		.size = memory->size,
		.frame_size = memory->frame_size,
		.headroom = memory->headroom,
		.fill_size = port->fill_size,
		.comp_size = port->comp_size,
	};
	uint32_t rx_size = queue->can_rx ? port->rx_size : 0;
	uint32_t tx_size = queue->can_tx ? port->tx_size : 0;
	int err = 0;

	if (first) {
		err = xsk_umem_register(queue->fd, &area, error);
		if (err == -EINVAL)
			return explain_register(&area, error);
	}
	if (!err)
		err = xsk_umem_map_rings(&queue->umem_rings, queue->fd, &area, error);
	if (!err)
		err = xsk_socket_set_rings(queue->fd, rx_size, tx_size, error);
	if (!err)
		err = xsk_socket_map_rings(&queue->rings, queue->fd, rx_size, tx_size, error);
	if (err)
		return err;
	xsk_ring_init_prod(&queue->fill, &queue->umem_rings.fill);
	xsk_ring_init_cons(&queue->comp, &queue->umem_rings.comp);
	if (rx_size)
		xsk_ring_init_cons(&queue->rx, &queue->rings.rx);
	if (tx_size)
		xsk_ring_init_prod(&queue->tx, &queue->rings.tx);
	return 0;
}

/* The same number may be another interface's, in another network namespace. */
static bool same_interface(const struct xsk_port *one, const struct xsk_port *other)
{
	return one->ifindex == other->ifindex && one->netns && one->netns == other->netns;
}

/* Another port of the memory. The kernel has many words for that. */
static bool has_queue(const struct xsk_queue *queue)
{
	for (int i = 0; i < XSK_POOL_MAX_PORTS; i++) {
		const struct xsk_port *other = queue->memory->ports[i];

		if (other && other != queue->port && same_interface(other, queue->port) &&
		    queue->id - other->first_queue < other->nqueues)
			return true;
	}
	return false;
}

static int refuse_shared_queue(const struct xsk_queue *queue, struct xsk_error *error)
{
	xsk_error_set(error, -EBUSY, "bind", "queue %u belongs to the port of %s whose memory is "
		      "shared", queue->id, queue->port->name);
	return xsk_error_hint(error, "take another queue, or another interface");
}

static int explain_bind(const struct xsk_queue *queue, int err, struct xsk_error *error)
{
	const struct xsk_port *port = queue->port;

	if (err == -EBADF)
		return refuse_gone(error, "bind");
	if (err != -EINVAL || port->mode == XSK_MODE_ZEROCOPY ||
	    !(port->flags & XSK_PORT_MULTI_BUFFER))
		return err;
	/* All else that it could be was looked at before. */
	xsk_error_set(error, -EOPNOTSUPP, "bind", "the kernel has no packets of several frames "
		      "(before 6.6)");
	return xsk_error_hint(error, "do without XSK_PORT_MULTI_BUFFER");
}

static int bind_queue(struct xsk_queue *queue, int base, struct xsk_error *error)
{
	const struct xsk_port *port = queue->port;
	struct xsk_binding binding = {
		.ifindex = port->ifindex,
		.queue = queue->id,
		.flags = XDP_SHARED_UMEM,
		.shared_fd = base,
	};
	int err;

	if (has_queue(queue))
		return refuse_shared_queue(queue, error);
	if (base < 0) {
		binding.flags = XDP_USE_NEED_WAKEUP;
		binding.flags |= port->mode == XSK_MODE_ZEROCOPY ? XDP_ZEROCOPY : XDP_COPY;
		binding.flags |= port->flags & XSK_PORT_MULTI_BUFFER ? XDP_USE_SG : 0;
	}
	err = xsk_socket_bind(queue->fd, &binding, error);
	if (err)
		return explain_bind(queue, err, error);
	queue->bound = true;
	err = xsk_socket_zerocopy(queue->fd, &queue->zerocopy);
	if (err)
		return xsk_error_system(error, err, "bind");
	if (queue->zerocopy != (port->mode == XSK_MODE_ZEROCOPY))
		return xsk_error_set(error, -EOPNOTSUPP, "bind", "queue %u of %s came in %s mode",
				     queue->id, port->name, queue->zerocopy ? "zero-copy" : "copy");
	return 0;
}

/* From 6.17 on a kick can send more than 32 packets; before it is not known. */
static void raise_budget(const struct xsk_queue *queue)
{
	uint32_t budget = queue->port->tx_size;

	if (queue->can_tx)
		xsk_sys_setsockopt(queue->fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &budget,
				   sizeof(budget));
}

static int set_busy_poll(struct xsk_queue *queue, struct xsk_error *error)
{
	int on = 1, us = (int)queue->port->busy_poll_us;
	int budget = (int)queue->port->busy_poll_budget, err;

	err = xsk_sys_setsockopt(queue->fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof(on));
	if (!err)
		err = xsk_sys_setsockopt(queue->fd, SOL_SOCKET, SO_BUSY_POLL, &us, sizeof(us));
	if (!err)
		err = xsk_sys_setsockopt(queue->fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget,
					 sizeof(budget));
	queue->poll_kicks = queue->zerocopy;
	switch (err) {
	case -ENOPROTOOPT:
		xsk_error_set(error, -EINVAL, "busy polling", "the kernel has none that can be "
			      "preferred (it came with 5.11)");
		return xsk_error_hint(error, "take XSK_WAIT_SLEEP or XSK_WAIT_SPIN");
	case -EPERM:
		xsk_error_set(error, err, "busy polling", "no CAP_NET_ADMIN");
		return xsk_error_hint(error, "run as root, or take XSK_WAIT_SLEEP or "
				      "XSK_WAIT_SPIN");
	}
	return err ? xsk_error_system(error, err, "busy polling") : 0;
}

static int open_queue(struct xsk_queue *queue, struct xsk_error *error)
{
	const struct xsk_port *port = queue->port;
	int base = find_base(queue->memory), map_fd, err;

	queue->fd = xsk_socket_open(error);
	if (queue->fd < 0)
		return queue->fd;
	err = make_rings(queue, base < 0, error);
	if (err)
		return err;
	/* Before bind: some drivers start with what is there (igb, i40e, ice). */
	err = stock(queue, error);
	if (err)
		return err;
	raise_budget(queue);
	err = bind_queue(queue, base, error);
	if (err)
		return err;
	if (port->wait == XSK_WAIT_BUSY_POLL) {
		err = set_busy_poll(queue, error);
		if (err)
			return err;
	}
	if (!queue->can_rx)
		return 0;
	map_fd = port->map_fd >= 0 ? port->map_fd : port->prog.map_fd;
	return xsk_prog_set_socket(map_fd, queue->id, queue->fd, false, error);
}

int xsk_port_open_queues(struct xsk_port *port, const struct xsk_port_request *req,
			 struct xsk_error *error)
{
	int err = 0;

	port->max_frags = 1;
	if (port->flags & XSK_PORT_MULTI_BUFFER)
		port->max_frags = port->mode != XSK_MODE_ZEROCOPY ? XSK_PORT_COPY_FRAGS :
				  req->device.xdp.zc_max_segs ? req->device.xdp.zc_max_segs : 1;
	for (uint32_t i = 0; i < port->nqueues; i++)
		init_queue(port, i, &req->device);
	for (uint32_t i = 0; i < port->nqueues && !err; i++)
		err = open_queue(&port->queues[i], error);
	if (err) {
		xsk_port_close_queues(port);
		return err;
	}
	port->memory->zerocopy = port->mode == XSK_MODE_ZEROCOPY;
	return 0;
}

/* ---- open ---- */

static void await_link(const struct xsk_port *port, const struct xsk_interface *before)
{
	uint64_t deadline = xsk_sys_now_ms() + LINK_WAIT_MS;
	bool up, carrier;

	while (before->carrier && xsk_sys_now_ms() < deadline) {
		if (xsk_device_state(&up, &carrier, port->ask_fd, port->name) || carrier)
			return;
		xsk_sys_sleep_ms(LINK_STEP_MS);
	}
}

static struct xsk_port *allocate(const struct xsk_port_request *req)
{
	const struct xsk_port_opts *opts = &req->opts;
	struct xsk_port *port = calloc(1, sizeof(*port));

	if (!port)
		return NULL;
	port->queues = aligned_alloc(64, opts->queues * sizeof(*port->queues));
	if (!port->queues) {
		free(port);
		return NULL;
	}
	memset(port->queues, 0, opts->queues * sizeof(*port->queues));
	for (uint32_t i = 0; i < opts->queues; i++)
		port->queues[i].fd = -1;
	port->ask_fd = -1;
	port->ifindex = req->device.netdev.ifindex;
	memcpy(port->name, req->device.netdev.name, sizeof(port->name));
	memcpy(port->driver, req->device.driver, sizeof(port->driver));
	port->flags = opts->flags;
	port->direction = opts->direction;
	port->modes = opts->modes;
	port->rx_size = opts->rx_size;
	port->tx_size = opts->tx_size;
	port->fill_size = opts->fill_size;
	port->comp_size = opts->comp_size;
	port->wait = opts->wait;
	port->busy_poll_us = opts->busy_poll_us;
	port->busy_poll_budget = opts->busy_poll_budget;
	port->prog = XSK_PROG_NONE;
	port->keep = req->keep;
	port->map_fd = -1;
	port->rx_queues = req->device.rx_queues;
	port->tx_queues = req->device.tx_queues;
	port->first_queue = opts->first_queue;
	port->nqueues = opts->queues;
	return port;
}

/*
 * Where it cannot be, as with generic mode on veth, which has no NAPI then, the port does
 * without: xsk_port_info() says so.
 */
static int defer_interrupts(struct xsk_port *port, struct xsk_error *error)
{
	int err;

	if (port->wait != XSK_WAIT_BUSY_POLL)
		return 0;
	err = xsk_napi_defer(&port->napi, port->ifindex, port->name, port->first_queue,
			     port->nqueues, error);
	return err == -EOPNOTSUPP ? 0 : err;
}

static int build(struct xsk_port *port, const struct xsk_port_request *req,
		 struct xsk_error *error)
{
	int err;

	/* Not a queue's socket: AF_XDP has none of these questions. */
	port->ask_fd = xsk_sys_socket(AF_UNIX, SOCK_DGRAM, 0);
	if (port->ask_fd < 0)
		return xsk_error_system(error, port->ask_fd, "interface");
	/* Where it is not to be known, no other port is taken for one of the same interface. */
	if (xsk_sys_netns(&port->netns))
		port->netns = 0;
	err = make_memory(port, req, error);
	if (err)
		return err;
	err = xsk_port_climb(port, req, error);
	if (err)
		return err;
	await_link(port, &req->device);
	return defer_interrupts(port, error);
}

static int open_port(struct xsk_port **ret, const char *ifname, const struct xsk_port_opts *opts,
		     struct xsk_error *error)
{
	struct xsk_port_request req;
	struct xsk_port *port;
	bool books;
	int err;

	if (!ret) {
		xsk_error_set(error, -EINVAL, "port", "the place for the port is NULL");
		return xsk_error_hint(error, "give the address of a struct xsk_port *");
	}
	err = xsk_port_request_make(&req, ifname, opts, error);
	if (err)
		return err;
	xsk_napi_recover(req.device.netdev.ifindex, req.device.netdev.name);
	port = allocate(&req);
	if (!port)
		return xsk_error_system(error, -ENOMEM, "port");
	books = req.opts.share && !req.opts.share->memory->book;
	err = build(port, &req, error);
	if (err) {
		xsk_port_close(port);
		if (books)
			end_book(req.opts.share);
		return err;
	}
	*ret = port;
	return 0;
}

int xsk_port_open(struct xsk_port **ret, const char *ifname, const struct xsk_port_opts *opts,
		  struct xsk_error *error)
{
	struct xsk_error why;
	int err = open_port(ret, ifname, opts, &why);

	if (!err)
		return 0;
	if (err == -EMFILE && !why.hint[0])
		xsk_error_hint(&why, "raise RLIMIT_NOFILE (ulimit -n)");
	if (error)
		*error = why;
	return xsk_error_keep(&why);
}

struct xsk_queue *xsk_port_queue(const struct xsk_port *port, unsigned int index)
{
	return port && index < port->nqueues ? &port->queues[index] : NULL;
}
