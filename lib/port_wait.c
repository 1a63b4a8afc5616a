/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Waiting until a queue has work: asleep, spinning, or doing the NIC's work. */
#include "port.h"

#include <errno.h>
#include <poll.h>

#include "error.h"
#include "sys.h"

/* The longest sleep: poll() never says that the interface is gone. */
#define SLICE_MS 100
/* While TX holds something, or room is wanted, for which nobody wakes us for certain. */
#define BUSY_SLICE_MS 1
/* Flushes before a sleep, for kernels that send 32 packets a kick (before 6.17). */
#define MAX_FLUSHES 128
/* Looks at the rings between two at the clock. */
#define SPINS 256
/* Packets that need not wait for more. */
#define ENOUGH 64

struct waiting {
	struct xsk_queue *const *queues;
	unsigned int n;
	bool forever;
	uint64_t deadline_ms;
	uint64_t look_until_ns;		/* before a sleep; 0: no more */
};

static bool has_packets(struct xsk_queue *queue)
{
	return queue->can_rx && xsk_cons_nb_avail(&queue->rx, 1);
}

/* For all of the packet that did not fit: else who tries again would never sleep. */
static bool has_room(struct xsk_queue *queue)
{
	uint32_t room = queue->tx_limit - queue->tx_out, lacks = queue->wants_room - room;

	return room >= queue->wants_room || xsk_cons_nb_avail(&queue->comp, lacks) == lacks;
}

/* More than there were, or some of those that were sent. They may come back by another port. */
static bool has_frames(struct xsk_queue *queue)
{
	if (queue->pool->count < queue->wants_frames)
		xsk_queue_find_frames(queue, queue->wants_frames);
	return queue->pool->count >= queue->wants_frames ||
	       (queue->pool->count && xsk_queue_returned(queue) != queue->had_returned);
}

static int count_ready(const struct waiting *waiting)
{
	int ready = 0;

	for (unsigned int i = 0; i < waiting->n; i++) {
		struct xsk_queue *queue = waiting->queues[i];
		bool room = queue->wants_room && has_room(queue);
		bool frames = queue->wants_frames && has_frames(queue);

		/* Said once: who does not use it is not told for ever. */
		if (room)
			queue->wants_room = 0;
		if (frames)
			queue->wants_frames = 0;
		ready += room || frames || has_packets(queue);
	}
	return ready;
}

/*
 * Until the kernel has all that TX holds, or takes no more now; xsk_flush() also looks
 * whether the interface is still there. Returns whether there is a reason not to sleep
 * for long, or the error of one that is gone, or that the driver does not serve.
 */
static int flush_queue(struct xsk_queue *queue)
{
	int left, before = -1;

	for (int i = 0; i < MAX_FLUSHES; i++) {
		left = xsk_flush(queue);
		/* A link that is down, or a queue that is off, may come back. */
		if (left == -ENETDOWN || left == -ENXIO)
			return 0;
		if (left < 0)
			return left;
		if (!left || left == before)
			break;
		before = left;
	}
	return left || queue->wants_room || queue->wants_frames;
}

static int flush_all(const struct waiting *waiting)
{
	int busy = 0, err;

	for (unsigned int i = 0; i < waiting->n; i++) {
		err = flush_queue(waiting->queues[i]);
		if (err < 0)
			return err;
		busy |= err;
	}
	return busy;
}

static int remaining_ms(const struct waiting *waiting, int slice)
{
	uint64_t now = xsk_sys_now_ms();

	if (waiting->forever)
		return slice;
	if (now >= waiting->deadline_ms)
		return 0;
	return waiting->deadline_ms - now < (uint64_t)slice ?
	       (int)(waiting->deadline_ms - now) : slice;
}

static bool is_over(const struct waiting *waiting)
{
	return !waiting->forever && xsk_sys_now_ms() >= waiting->deadline_ms;
}

/* ---- the strategies: a part of the time; less than 0 ends it ---- */

static int sleep_once(struct waiting *waiting, int busy)
{
	struct pollfd fds[XSK_WAIT_MAX];
	int ready;

	for (unsigned int i = 0; i < waiting->n; i++)
		fds[i] = (struct pollfd){
			.fd = waiting->queues[i]->fd,
			.events = waiting->queues[i]->can_rx ? POLLIN : 0,
		};
	ready = xsk_sys_poll(fds, waiting->n,
			     remaining_ms(waiting, busy ? BUSY_SLICE_MS : SLICE_MS));
	return ready == -EINTR ? ready : 0;
}

static int spin_once(struct waiting *waiting)
{
	for (int i = 0; i < SPINS; i++) {
		for (unsigned int k = 0; k < waiting->n; k++)
			if (has_packets(waiting->queues[k]))
				return 0;
#if defined(__x86_64__) || defined(__i386__)
		__builtin_ia32_pause();
#endif
	}
	return 0;
}

static int busy_poll_once(struct waiting *waiting)
{
	for (unsigned int i = 0; i < waiting->n; i++) {
		struct xsk_queue *queue = waiting->queues[i];

		if (queue->can_rx)
			xsk_sys_receive(queue->fd);
		else
			xsk_sys_kick(queue->fd);
	}
	return 0;
}

/* Looks for a while, where that has helped; then sleeps. */
static int adapt_once(struct waiting *waiting, int busy)
{
	if (waiting->look_until_ns && xsk_sys_now_ns() < waiting->look_until_ns)
		return spin_once(waiting);
	if (waiting->look_until_ns)
		xsk_adapt_ended(&waiting->queues[0]->adapt, false);
	waiting->look_until_ns = 0;
	return sleep_once(waiting, busy);
}

static int wait_once(struct waiting *waiting, int busy)
{
	switch (waiting->queues[0]->port->wait) {
	case XSK_WAIT_ADAPTIVE:
		return adapt_once(waiting, busy);
	case XSK_WAIT_SPIN:
		return spin_once(waiting);
	case XSK_WAIT_BUSY_POLL:
		return busy_poll_once(waiting);
	}
	return sleep_once(waiting, busy);
}

/* Whether so many packets as may come until then have a place in each queue. */
static bool has_place(const struct waiting *waiting, uint64_t rate)
{
	uint64_t packets = rate * XSK_GATHER_MOST_US / 1000000;

	for (unsigned int i = 0; i < waiting->n; i++) {
		const struct xsk_queue *queue = waiting->queues[i];

		if (queue->can_rx && (packets > queue->rx.size || packets > queue->fill_target))
			return false;
	}
	return true;
}

/* Who waits for more than packets, or has some already, is not kept. */
static bool is_patient(const struct waiting *waiting)
{
	for (unsigned int i = 0; i < waiting->n; i++) {
		struct xsk_queue *queue = waiting->queues[i];

		if (queue->wants_room || queue->wants_frames ||
		    (queue->can_rx && xsk_cons_nb_avail(&queue->rx, ENOUGH) == ENOUGH))
			return false;
	}
	return waiting->forever || waiting->deadline_ms > xsk_sys_now_ms();
}

/* At high rates packets gather first. 0, or -EINTR. */
static int gather(const struct waiting *waiting)
{
	const struct xsk_port *port = waiting->queues[0]->port;
	struct xsk_gather *gather = &waiting->queues[0]->gather;
	uint64_t packets = 0;

	if ((port->wait != XSK_WAIT_SLEEP && port->wait != XSK_WAIT_ADAPTIVE) ||
	    port->flags & XSK_PORT_NO_GATHER)
		return 0;
	for (unsigned int i = 0; i < waiting->n; i++)
		packets += waiting->queues[i]->counters.rx_packets;
	if (!xsk_gather_wanted(gather, xsk_sys_now_ns(), packets) ||
	    !has_place(waiting, gather->rate) || !is_patient(waiting))
		return 0;
	return xsk_sys_sleep_us(XSK_GATHER_US);
}

/* Nothing is there: is it to be looked for before a sleep? */
static void begin_to_look(struct waiting *waiting)
{
	struct xsk_queue *queue = waiting->queues[0];

	if (queue->port->wait == XSK_WAIT_ADAPTIVE && xsk_adapt_wanted(&queue->adapt))
		waiting->look_until_ns = xsk_sys_now_ns() + XSK_ADAPT_US * 1000;
}

static int wait_for(struct waiting *waiting)
{
	int ready, busy, err = 0;

	for (bool first = true;; first = false) {
		busy = flush_all(waiting);
		if (busy < 0)
			return busy;
		if (first)
			err = gather(waiting);
		ready = count_ready(waiting);
		if (ready && waiting->look_until_ns)
			xsk_adapt_ended(&waiting->queues[0]->adapt, true);
		if (ready || is_over(waiting))
			return ready;
		if (err)
			return err;
		if (first)
			begin_to_look(waiting);
		err = wait_once(waiting, busy);
		if (err)
			return err;
	}
}

static int refuse(const char *reason)
{
	struct xsk_error error;

	xsk_error_set(&error, -EINVAL, "wait", "%s", reason);
	xsk_error_hint(&error, "give 1 to %d queues", XSK_WAIT_MAX);
	return xsk_error_keep(&error);
}

/* What was received meanwhile comes before the news that there will be no more. */
static int fail(const struct waiting *waiting, int err)
{
	struct xsk_error error;
	int ready;

	if (err == -EINTR) {
		xsk_error_system(&error, err, "wait");
		return xsk_error_keep(&error);
	}
	ready = count_ready(waiting);
	return ready ? ready : err;
}

int xsk_wait(struct xsk_queue *const *queues, int n, int timeout_ms)
{
	struct waiting waiting = {
		.queues = queues,
		.n = (unsigned int)n,
		.forever = timeout_ms < 0,
		.deadline_ms = xsk_sys_now_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms),
	};
	int ready;

	if (n < 1 || n > XSK_WAIT_MAX || !queues)
		return refuse("the number of queues cannot be");
	for (int i = 0; i < n; i++)
		if (!queues[i])
			return refuse("a queue is NULL");
	ready = wait_for(&waiting);
	return ready < 0 ? fail(&waiting, ready) : ready;
}
