/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What a verb refuses, and why. Never on the way of a good frame. */
#include "port.h"

#include <errno.h>
#include <stdio.h>

#include "error.h"

/* The address without the tag, or something beyond all frames if the tag is wrong. */
static uint64_t untagged(const struct xsk_queue *queue, uint64_t addr)
{
	return addr - queue->memory->tag;
}

/* A packet's frame by itself; -errno of what is wrong with it. */
static int check_frame(const struct xsk_queue *queue, const struct xsk_frame *frame)
{
	uint64_t addr = untagged(queue, frame->addr);

	if (addr >= queue->area_size)
		return -EFAULT;
	if (!frame->len || (addr & queue->offset_mask) + frame->len > queue->offset_mask + 1)
		return -ERANGE;
	if (frame->options & ~XSK_FRAME_CONTD ||
	    (frame->options && queue->max_frags < 2))
		return -ENOTSUP;
	return 0;
}

/* The frames of the packet that starts here; less than 0: it cannot be sent. */
static int check_packet(const struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	for (int i = 0; i < n; i++) {
		int err = check_frame(queue, &frames[i]);

		if (err)
			return err;
		if ((uint32_t)i >= queue->max_frags)
			return -EMSGSIZE;
		if (!(frames[i].options & XSK_FRAME_CONTD))
			return i + 1;
	}
	return -ENODATA;
}

int xsk_queue_sendable(const struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	int good = 0;

	while (good < n) {
		int packet = check_packet(queue, frames + good, n - good);

		if (packet < 0)
			break;
		good += packet;
	}
	return good;
}

/* ---- the reasons ---- */

static int refuse(struct xsk_queue *queue, const struct xsk_error *error)
{
	xsk_count(&queue->counters.refused, 1);
	return xsk_error_keep(error);
}

static const struct xsk_frame *first_bad(const struct xsk_queue *queue,
					 const struct xsk_frame *frames)
{
	while (!check_frame(queue, frames))
		frames++;
	return frames;
}

static int explain_large(const struct xsk_queue *queue, struct xsk_error *error)
{
	xsk_error_set(error, -EMSGSIZE, "tx", "a packet of more than %u frames; queue %u of %s "
		      "sends no more", queue->max_frags, queue->id,
		      xsk_port_name(queue->port).text);
	return xsk_error_hint(error, "send it in parts, or fill the frames better");
}

static int explain_options(const struct xsk_queue *queue, const struct xsk_frame *frame,
			   struct xsk_error *error)
{
	xsk_error_set(error, -EINVAL, "tx", "frame 0x%llx has the options 0x%x, which queue %u of "
		      "%s does not know", (unsigned long long)frame->addr, frame->options,
		      queue->id, xsk_port_name(queue->port).text);
	if (queue->max_frags < 2)
		return xsk_error_hint(error, "set options to 0; packets of several frames want "
				      "XSK_PORT_MULTI_BUFFER");
	return xsk_error_hint(error, "use XSK_FRAME_CONTD or 0");
}

static int explain_length(const struct xsk_queue *queue, const struct xsk_frame *frame,
			  struct xsk_error *error)
{
	uint64_t offset = untagged(queue, frame->addr) & queue->offset_mask;

	if (!frame->len) {
		xsk_error_set(error, -EINVAL, "tx", "frame 0x%llx has the length 0",
			      (unsigned long long)frame->addr);
		return xsk_error_hint(error, "set len to the length of the packet");
	}
	xsk_error_set(error, -EINVAL, "tx", "%u bytes from offset %llu on leave the frame 0x%llx "
		      "of %llu bytes", frame->len, (unsigned long long)offset,
		      (unsigned long long)frame->addr,
		      (unsigned long long)queue->offset_mask + 1);
	return xsk_error_hint(error, "mend addr and len; larger packets want larger frames, or "
			      "XSK_PORT_MULTI_BUFFER");
}

int xsk_refuse_tx(struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	int err = check_packet(queue, frames, n);
	struct xsk_error error;

	switch (err) {
	case -EFAULT:
		return xsk_refuse_owner(queue, frames, (int)(first_bad(queue, frames) - frames),
					"tx");
	case -ERANGE:
		explain_length(queue, first_bad(queue, frames), &error);
		break;
	case -ENOTSUP:
		explain_options(queue, first_bad(queue, frames), &error);
		break;
	case -EMSGSIZE:
		explain_large(queue, &error);
		break;
	default:
		xsk_error_set(&error, -EINVAL, "tx", "the packet of the last %d frames does not "
			      "end: each has XSK_FRAME_CONTD", n);
		xsk_error_hint(&error, "give whole packets; the last frame is without it");
	}
	return refuse(queue, &error);
}

int xsk_refuse_free(struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	int i = 0;

	while (i < n - 1 && untagged(queue, frames[i].addr) < queue->area_size)
		i++;
	return xsk_refuse_owner(queue, frames, i, "free");
}

int xsk_refuse_surplus(struct xsk_queue *queue)
{
	struct xsk_error error;

	xsk_error_set(&error, -EINVAL, "free", "more frames are freed on queue %u of %s than there "
		      "are: some of them twice", queue->id, xsk_port_name(queue->port).text);
	xsk_error_hint(&error, "XSK_PORT_CHECKED tells which");
	return refuse(queue, &error);
}

/* For the next packet, and for any of the MTU. */
static uint32_t frames_to_ask_for(struct xsk_queue *queue)
{
	uint32_t avail = xsk_cons_nb_avail(&queue->rx, queue->rx.size), n = 0;

	while (n < avail && xsk_ring_cons__rx_desc(&queue->rx, queue->rx.cached_cons + n)->options &
	       XSK_FRAME_CONTD)
		n++;
	return n < queue->max_frags ? queue->max_frags : n + 1;
}

/* No fault, so it is not counted: who asks for more gets it. */
int xsk_refuse_large(struct xsk_queue *queue, int n)
{
	struct xsk_error error;

	xsk_error_set(&error, -EMSGSIZE, "rx", "the next packet has more frames than the %d that "
		      "are asked for", n);
	xsk_error_hint(&error, "ask for %u at least", frames_to_ask_for(queue));
	return xsk_error_keep(&error);
}

int xsk_refuse_direction(struct xsk_queue *queue, const char *step)
{
	bool rx = queue->port->direction & XSK_DIRECTION_RX;
	bool tx = queue->port->direction & XSK_DIRECTION_TX;
	bool receives = queue->can_rx;
	struct xsk_error error;

	if (!(rx && tx)) {
		xsk_error_set(&error, -EOPNOTSUPP, step, "%s was opened to %s only",
			      xsk_port_name(queue->port).text, rx ? "receive" : "send");
		xsk_error_hint(&error, "open it for both directions");
		return refuse(queue, &error);
	}
	xsk_error_set(&error, -EOPNOTSUPP, step, "queue %u of %s only %s: the interface has fewer "
		      "queues of the other kind", queue->id, xsk_port_name(queue->port).text,
		      receives ? "receives" : "sends");
	xsk_error_hint(&error, "take a queue that has both (xsk_queue_direction()), with "
		       "XSK_PORT_ONE_THREAD, or change their number (ethtool -L)");
	return refuse(queue, &error);
}

/* ---- who has it ---- */

static struct xsk_port_name owner_name(const struct xsk_queue *queue, uint32_t owner)
{
	const struct xsk_port *port = queue->memory->ports[xsk_owner_port(owner)];

	return port ? xsk_port_name(port) : (struct xsk_port_name){ "a port that is closed" };
}

static void describe_owner(const struct xsk_queue *queue, uint32_t owner, char *text, size_t size)
{
	struct xsk_port_name name = owner_name(queue, owner);
	const struct xsk_port *port = queue->memory->ports[xsk_owner_port(owner)];
	uint32_t id = xsk_owner_queue(owner) + (port ? port->first_queue : 0);

	switch (xsk_owner_place(owner)) {
	case XSK_PLACE_POOL:
		snprintf(text, size, "in the pool of queue %u, so it was freed before or never "
			 "allocated", xsk_owner_queue(owner) + queue->port->first_queue);
		break;
	case XSK_PLACE_FILL:
		snprintf(text, size, "in FILL or RX of queue %u of %s, the kernel's", id,
			 name.text);
		break;
	case XSK_PLACE_TX:
		snprintf(text, size, "in TX of queue %u of %s, the kernel's until it is sent", id,
			 name.text);
		break;
	case XSK_PLACE_KERNEL:
		snprintf(text, size, "in a ring of %s, the kernel's", name.text);
		break;
	case XSK_PLACE_CALLER:
		snprintf(text, size, "the caller's");
	}
}

/* In the address there is not the number of the queue's memory, but another one, or none. */
static int refuse_tag(struct xsk_queue *queue, uint64_t addr, const char *step)
{
	unsigned long long ours = queue->memory->tag >> XSK_POOL_TAG_SHIFT;
	unsigned long long theirs = addr >> XSK_POOL_TAG_SHIFT;
	struct xsk_port_name name = xsk_port_name(queue->port);
	struct xsk_error error;

	if (theirs && theirs <= XSK_POOL_MAX_TAG) {
		xsk_error_set(&error, -EINVAL, step, "queue %u of %s, of memory %llu, is given "
			      "frame 0x%llx, which is of memory %llu: another port's", queue->id,
			      name.text, ours, (unsigned long long)addr, theirs);
		xsk_error_hint(&error, "give it to the port that it is from, or open one with the "
			       "memory of the other (opts.share)");
		return refuse(queue, &error);
	}
	xsk_error_set(&error, -EINVAL, step, "queue %u of %s is given address 0x%llx, which lacks "
		      "the tag of its memory (0x%llx in the upper 16 bits): this port did not give "
		      "it", queue->id, name.text, (unsigned long long)addr, ours);
	xsk_error_hint(&error, "keep addr as xsk_rx() and xsk_alloc() set it, or add to it; frames "
		       "of another port want its memory (opts.share)");
	return refuse(queue, &error);
}

/* Among the n frames before it in the call, and what that made of it is not to be told. */
static bool is_there_twice(const struct xsk_queue *queue, const struct xsk_frame *frames, int n)
{
	uint64_t start = frames[n].addr & ~queue->offset_mask;

	while (n--)
		if ((frames[n].addr & ~queue->offset_mask) == start)
			return true;
	return false;
}

static int refuse_twice(struct xsk_queue *queue, const struct xsk_frame *frame, const char *step)
{
	struct xsk_error error;

	xsk_error_set(&error, -EINVAL, step, "queue %u of %s is given frame 0x%llx twice in one "
		      "call", queue->id, xsk_port_name(queue->port).text,
		      (unsigned long long)frame->addr);
	xsk_error_hint(&error, "give each frame once; a copy of a packet wants a frame of its own "
		       "(xsk_alloc())");
	return refuse(queue, &error);
}

int xsk_refuse_owner(struct xsk_queue *queue, const struct xsk_frame *frames, int n,
		     const char *step)
{
	const struct xsk_frame *frame = frames + n;
	uint64_t addr = untagged(queue, frame->addr);
	struct xsk_port_name name = xsk_port_name(queue->port);
	struct xsk_error error;
	char owner[128];

	if (addr < queue->area_size && queue->memory->book && is_there_twice(queue, frames, n))
		return refuse_twice(queue, frame, step);
	if (addr < queue->area_size && queue->memory->book) {
		describe_owner(queue, xsk_pool_owner(queue->memory, addr), owner, sizeof(owner));
		xsk_error_set(&error, -EINVAL, step, "queue %u of %s is given frame 0x%llx, which "
			      "is not the caller's: it is %s", queue->id, name.text,
			      (unsigned long long)frame->addr, owner);
		xsk_error_hint(&error, "a frame that was freed or transmitted is no longer the "
			       "caller's; forget its address then");
		return refuse(queue, &error);
	}
	if (queue->memory->tag &&
	    (frame->addr & ~XSK_POOL_ADDR_MASK) != queue->memory->tag)
		return refuse_tag(queue, frame->addr, step);
	xsk_error_set(&error, -EINVAL, step, "queue %u of %s is given address 0x%llx, beyond the "
		      "%llu bytes of its memory: no frame", queue->id, name.text,
		      (unsigned long long)frame->addr, (unsigned long long)queue->area_size);
	xsk_error_hint(&error, "give frames of xsk_rx() and xsk_alloc(), with addr in the frame");
	return refuse(queue, &error);
}
