/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Telling the kernel to work, and learning from it that the interface is gone.
 *
 * That is what SO_ERROR says once, and a kick for ever (ENXIO); poll() never does.
 */
#include "port.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "device.h"
#include "error.h"
#include "sys.h"

/* How often who finds nothing to do looks whether there still can be something. */
#define LOOK_MS 100
/* Kicks that moved nothing, before it is asked why. */
#define STUCK_KICKS 4

/* ---- gone, or switched off ---- */

int xsk_queue_fail_gone(const struct xsk_queue *queue)
{
	struct xsk_error error;

	xsk_error_set(&error, -ENODEV, "interface", "%s is gone, or was moved to another network "
		      "namespace", xsk_port_name(queue->port).text);
	xsk_error_hint(&error, "close the port; it can be opened again when the interface is back");
	return xsk_error_keep(&error);
}

static int fail_switched_off(const struct xsk_queue *queue)
{
	struct xsk_error error;

	xsk_error_set(&error, -ENXIO, "tx", "queue %u of %s was switched off, and sends no more",
		      queue->id, xsk_port_name(queue->port).text);
	xsk_error_hint(&error, "switch it on (ethtool -L), or open the port anew");
	return xsk_error_keep(&error);
}

int xsk_queue_check_gone(struct xsk_queue *queue)
{
	char name[IFNAMSIZ];
	int err = 0;
	socklen_t len = sizeof(err);

	queue->looked_ms = xsk_sys_coarse_ms();
	if (!queue->gone &&
	    ((!xsk_sys_getsockopt(queue->fd, SOL_SOCKET, SO_ERROR, &err, &len) && err) ||
	     xsk_device_name(name, queue->port->ask_fd, queue->port->ifindex) == -ENODEV)) {
		queue->gone = true;
		queue->may_tx = false;
	}
	return queue->gone ? xsk_queue_fail_gone(queue) : 0;
}

/* Its frames stay where they are, and are sent when it is on again. */
static int check_switched_off(struct xsk_queue *queue)
{
	uint32_t rx, tx;
	char name[IFNAMSIZ];

	if (xsk_device_name(name, queue->port->ask_fd, queue->port->ifindex) ||
	    xsk_device_channels(&rx, &tx, queue->port->ask_fd, name))
		return 0;
	queue->switched_off = queue->id >= tx;
	queue->may_tx = queue->can_tx && !queue->switched_off && !queue->gone;
	return queue->switched_off ? fail_switched_off(queue) : 0;
}

int xsk_queue_fail_tx(struct xsk_queue *queue)
{
	int err;

	if (!queue->can_tx)
		return xsk_refuse_direction(queue, "tx");
	if (queue->gone)
		return xsk_queue_fail_gone(queue);
	if (xsk_sys_coarse_ms() - queue->looked_ms < LOOK_MS)
		return fail_switched_off(queue);
	/* It may be on again: then xsk_tx() goes on. */
	err = xsk_queue_check_gone(queue);
	if (!err)
		err = check_switched_off(queue);
	return err || queue->may_tx ? err : fail_switched_off(queue);
}

int xsk_queue_look(struct xsk_queue *queue)
{
	if (queue->gone)
		return xsk_queue_fail_gone(queue);
	if (xsk_sys_coarse_ms() - queue->looked_ms < LOOK_MS)
		return 0;
	return xsk_queue_check_gone(queue);
}

/* ---- the kick ---- */

static uint32_t tx_pending(const struct xsk_queue *queue)
{
	return queue->tx.cached_prod - __atomic_load_n(queue->tx.consumer, __ATOMIC_ACQUIRE);
}

static int fail_down(const struct xsk_queue *queue)
{
	struct xsk_port_name name = xsk_port_name(queue->port);
	struct xsk_error error;

	xsk_error_set(&error, -ENETDOWN, "send", "%s is down", name.text);
	xsk_error_hint(&error, "ip link set dev %s up", name.text);
	return xsk_error_keep(&error);
}

static int fail_kick(const struct xsk_queue *queue, int err)
{
	struct xsk_error error;

	xsk_error_system(&error, err, "send");
	xsk_error_hint(&error, "it was queue %u of %s", queue->id, xsk_port_name(queue->port).text);
	return xsk_error_keep(&error);
}

static int count_outcome(struct xsk_queue *queue, int err)
{
	struct xsk_queue_counters *counters = &queue->counters;

	xsk_count(&counters->kicks, 1);
	switch (err) {
	case 0:
		return 0;
	case -EAGAIN:
	case -ENOBUFS:
		xsk_count(&counters->kick_again, 1);
		return 0;
	case -EBUSY:
		xsk_count(&counters->kick_busy, 1);
		return 0;
	case -ENETDOWN:
		xsk_count(&counters->kick_down, 1);
		/* One that is about to go is down first. */
		return xsk_queue_look(queue) ? -ENODEV : fail_down(queue);
	}
	xsk_count(&counters->kick_failed, 1);
	if (err == -ENXIO)
		/* Some drivers say it while a queue starts (ixgbe before 5.19). */
		return xsk_queue_check_gone(queue);
	return fail_kick(queue, err);
}

/* By poll(), which wakes both directions. It tells no error. */
static int kick_by_poll(struct xsk_queue *queue)
{
	struct pollfd fd = { .fd = queue->fd, .events = POLLIN | POLLOUT };

	xsk_count(&queue->counters.kicks, 1);
	xsk_sys_poll(&fd, 1, 0);
	return xsk_queue_look(queue);
}

/* A kick that is no error, but moves nothing, for ever: there is no such queue. */
static int check_stuck(struct xsk_queue *queue, uint32_t before, uint32_t after)
{
	if (before != after || !before) {
		queue->stuck = 0;
		if (queue->switched_off)
			return check_switched_off(queue);
		return 0;
	}
	if (++queue->stuck % STUCK_KICKS)
		return 0;
	return check_switched_off(queue);
}

int xsk_flush(struct xsk_queue *queue)
{
	uint32_t pending = queue->can_tx ? tx_pending(queue) : 0, left;
	bool tx = pending && xsk_ring_prod__needs_wakeup(&queue->tx), rx;
	int err;

	/* Frames that were freed after the last burst; a few may wait for the next one. */
	if (queue->can_rx && queue->fill_target - queue->fill_out > queue->fill_slack)
		xsk_queue_refill(queue);
	rx = queue->can_rx && xsk_ring_prod__needs_wakeup(&queue->fill);
	if (!tx && !rx)
		return xsk_queue_look(queue);
	if (queue->gone)
		return xsk_queue_fail_gone(queue);
	err = rx || queue->poll_kicks ? kick_by_poll(queue)
				      : count_outcome(queue, xsk_sys_kick(queue->fd));
	if (err || !tx)
		return err;
	/* Who can be kicked is there: the next alloc and tx need not ask the clock. */
	queue->spared_looks = 2;
	left = tx_pending(queue);
	err = check_stuck(queue, pending, left);
	if (err)
		return err;
	return xsk_ring_prod__needs_wakeup(&queue->tx) ? (int)left : 0;
}
