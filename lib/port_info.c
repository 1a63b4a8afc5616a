/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What a port is, and what it did. */
#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "fit.h"
#include "kernel.h"
#include "opts.h"
#include "sys.h"

/* ---- what it is ---- */

static void describe_mode(const struct xsk_port *port, char *text, size_t size)
{
	/* Who only copies to send has no program, so there is no such difference. */
	bool plain = !(port->direction & XSK_DIRECTION_RX);
	const char *name = port->mode == XSK_MODE_ZEROCOPY ? "zero-copy" : plain ? "copy" :
			   port->mode == XSK_MODE_NATIVE ? "native copy" : "generic copy";

	snprintf(text, size, "%s%s", name, port->refused);
}

static void describe_wait(const struct xsk_port *port, char *text, size_t size)
{
	static const char *const names[] = { "sleep", "spin", "busy-poll", "adaptive" };

	snprintf(text, size, "%s%s%.115s", names[port->wait], port->napi.how[0] ? ": " : "",
		 port->napi.how);
}

struct xsk_port_name xsk_port_name(const struct xsk_port *port)
{
	struct xsk_port_name name = { "" };
	char now[IFNAMSIZ];
	bool gone = xsk_device_name(now, port->ask_fd, port->ifindex);

	memcpy(name.text, gone ? port->name : now, IFNAMSIZ);
	return name;
}

/* The interface as it is now, in the namespace that it was opened in. */
static void ask_now(const struct xsk_port *port, struct xsk_port_info *info)
{
	int fd = port->ask_fd;
	bool up, carrier;

	if (xsk_device_name(info->name, fd, port->ifindex)) {
		memcpy(info->name, port->name, sizeof(info->name));
		info->gone = true;
		return;
	}
	if (!xsk_device_state(&up, &carrier, fd, info->name))
		info->up = carrier;
	xsk_device_mtu(&info->mtu, fd, info->name);
	xsk_device_channels(&info->rx_queues, &info->tx_queues, fd, info->name);
}

int xsk_port_info(const struct xsk_port *port, struct xsk_port_info *info)
{
	struct xsk_port_info known = { 0 };

	if (!port || !info)
		return -EINVAL;
	known.mode = port->mode;
	known.direction = port->direction;
	known.flags = port->flags & ~(XSK_PORT_HUGE | XSK_PORT_NO_HUGE);
	known.flags |= port->memory->huge ? XSK_PORT_HUGE : 0;
	known.first_queue = port->first_queue;
	known.queues = port->nqueues;
	/* Where the driver does not tell what is in use now. */
	known.rx_queues = port->rx_queues;
	known.tx_queues = port->tx_queues;
	known.max_frags = port->max_frags;
	known.frame_size = port->memory->frame_size;
	known.headroom = port->memory->headroom;
	known.room = xsk_fit_room(known.frame_size, known.headroom);
	known.frames = port->memory->frames;
	known.rx_size = port->rx_size;
	known.tx_size = port->tx_size;
	known.fill_size = port->fill_size;
	known.comp_size = port->comp_size;
	known.wait = port->wait;
	known.prog_id = xsk_prog_id(&port->prog);
	known.ifindex = port->ifindex;
	memcpy(known.driver, port->driver, sizeof(known.driver));
	describe_mode(port, known.mode_text, sizeof(known.mode_text));
	describe_wait(port, known.wait_text, sizeof(known.wait_text));
	ask_now(port, &known);
	return xsk_opts_write(info, &known, sizeof(known));
}

uint32_t xsk_queue_id(const struct xsk_queue *queue)
{
	return queue->id;
}

uint32_t xsk_queue_direction(const struct xsk_queue *queue)
{
	return (queue->can_rx ? XSK_DIRECTION_RX : 0) | (queue->can_tx ? XSK_DIRECTION_TX : 0);
}

int xsk_queue_fd(const struct xsk_queue *queue)
{
	return queue->fd;
}

/* ---- what it did ---- */

static uint64_t get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void add_counters(struct xsk_port_stats *stats, const struct xsk_queue *queue)
{
	const struct xsk_queue_counters *counters = &queue->counters;

	stats->rx_packets += get(&counters->rx_packets);
	stats->rx_bytes += get(&counters->rx_bytes);
	stats->tx_packets += get(&counters->tx_packets);
	stats->tx_bytes += get(&counters->tx_bytes);
	stats->kicks += get(&counters->kicks);
	stats->kick_again += get(&counters->kick_again);
	stats->kick_busy += get(&counters->kick_busy);
	stats->kick_down += get(&counters->kick_down);
	stats->kick_failed += get(&counters->kick_failed);
	stats->refused += get(&counters->refused);
	stats->bad_frames += get(&counters->bad_frames);
}

/* Before 5.9 there is only the first half. */
static void add_kernel(struct xsk_port_stats *stats, const struct xsk_queue *queue)
{
	struct xdp_statistics kernel = { 0 };
	socklen_t len = sizeof(kernel);

	if (xsk_sys_getsockopt(queue->fd, SOL_XDP, XDP_STATISTICS, &kernel, &len))
		return;
	stats->rx_dropped += kernel.rx_dropped;
	stats->rx_invalid += kernel.rx_invalid_descs;
	stats->tx_invalid += kernel.tx_invalid_descs;
	stats->rx_ring_full += kernel.rx_ring_full;
	stats->rx_fill_empty += kernel.rx_fill_ring_empty_descs;
	stats->tx_ring_empty += kernel.tx_ring_empty_descs;
}

static uint64_t level(const struct xsk_umem_rings *rings, const uint32_t *producer,
		      const uint32_t *consumer)
{
	if (!rings->fill.addr || !producer)
		return 0;
	/* The consumer first: so a ring never seems to hold less than nothing. */
	uint32_t taken = __atomic_load_n(consumer, __ATOMIC_ACQUIRE);

	return __atomic_load_n(producer, __ATOMIC_ACQUIRE) - taken;
}

static void add_levels(struct xsk_port_stats *stats, const struct xsk_queue *queue)
{
	const struct xsk_umem_rings *rings = &queue->umem_rings;

	stats->fill_level += level(rings, queue->fill.producer, queue->fill.consumer);
	stats->comp_level += level(rings, queue->comp.producer, queue->comp.consumer);
	stats->rx_level += level(rings, queue->rx.producer, queue->rx.consumer);
	stats->tx_level += level(rings, queue->tx.producer, queue->tx.consumer);
}

/* What the kernel has for one queue, and has given back and nobody taken. */
static void add_kernels_frames(struct xsk_port_stats *stats, const struct xsk_queue *queue)
{
	uint64_t rx = level(&queue->umem_rings, queue->rx.producer, queue->rx.consumer);
	uint64_t comp = level(&queue->umem_rings, queue->comp.producer, queue->comp.consumer);
	uint64_t fill_out = __atomic_load_n(&queue->fill_out, __ATOMIC_RELAXED);
	uint64_t tx_out = __atomic_load_n(&queue->tx_out, __ATOMIC_RELAXED);

	/* Not more than were given, whatever a kernel says. */
	rx = rx < fill_out ? rx : fill_out;
	comp = comp < tx_out ? comp : tx_out;
	stats->in_rx += rx;
	stats->in_fill += fill_out - rx;
	stats->in_comp += comp;
	stats->in_tx += tx_out - comp;
}

static void add_pool(struct xsk_port_stats *stats, const struct xsk_pool *pool)
{
	stats->in_pool += __atomic_load_n(&pool->count, __ATOMIC_RELAXED);
	stats->in_caller += __atomic_load_n(&pool->lent, __ATOMIC_RELAXED);
}

/* Of the whole memory: the ports that share it share the pools. */
static void add_memory(struct xsk_port_stats *stats, const struct xsk_memory *memory)
{
	for (uint32_t i = 0; i < memory->npools; i++)
		add_pool(stats, &memory->pools[i]);
	for (int i = 0; i < XSK_POOL_MAX_PORTS; i++) {
		const struct xsk_port *port = memory->ports[i];

		for (uint32_t k = 0; port && k < port->nqueues; k++)
			add_kernels_frames(stats, &port->queues[k]);
	}
	stats->frames = memory->frames;
}

static void add_program(struct xsk_port_stats *stats, const struct xsk_prog *prog)
{
	uint64_t counters[XSK_COUNTERS];

	xsk_prog_counters(prog, counters);
	stats->filter_matched = counters[XSK_COUNT_MATCHED];
	stats->filter_kept = counters[XSK_COUNT_KEPT];
	stats->filter_passed = counters[XSK_COUNT_PASSED];
}

int xsk_port_stats(const struct xsk_port *port, struct xsk_port_stats *stats)
{
	struct xsk_port_stats known = { 0 };

	if (!port || !stats)
		return -EINVAL;
	for (uint32_t i = 0; i < port->nqueues; i++) {
		add_counters(&known, &port->queues[i]);
		add_kernel(&known, &port->queues[i]);
		add_levels(&known, &port->queues[i]);
	}
	add_memory(&known, port->memory);
	add_program(&known, &port->prog);
	return xsk_opts_write(stats, &known, sizeof(known));
}

int xsk_queue_stats(const struct xsk_queue *queue, struct xsk_port_stats *stats)
{
	struct xsk_port_stats known = { 0 };

	if (!queue || !stats)
		return -EINVAL;
	add_counters(&known, queue);
	add_kernel(&known, queue);
	add_levels(&known, queue);
	add_kernels_frames(&known, queue);
	add_pool(&known, queue->pool);
	known.frames = known.in_pool + known.in_fill + known.in_rx + (uint64_t)known.in_caller +
		       known.in_tx + known.in_comp;
	return xsk_opts_write(stats, &known, sizeof(known));
}
