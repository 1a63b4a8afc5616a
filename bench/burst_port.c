/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The port of <xsk/port.h>, with the defaults, or checked. */
#include <err.h>
#include <xsk/xsk.h>

#include "burst.h"

struct contender {
	struct xsk_queue *queue;
	uint64_t bytes;			/* received */
	struct xsk_port *port;
};

unsigned int receive_burst(struct contender *at)
{
	struct xsk_frame frames[BURST];
	uint64_t bytes = 0;
	int count = xsk_rx(at->queue, frames, BURST);

	for (int i = 0; i < count; i++)
		bytes += frames[i].len;
	at->bytes += bytes;
	count = xsk_free(at->queue, frames, count);
	return count < 0 ? 0 : (unsigned int)count;
}

uint64_t received_bytes(const struct contender *at)
{
	return at->bytes;
}

unsigned int send_burst(struct contender *at)
{
	struct xsk_frame frames[BURST];
	int sent, count = xsk_alloc(at->queue, frames, BURST);

	for (int i = 0; i < count; i++)
		frames[i].len = PACKET_SIZE;
	sent = xsk_tx(at->queue, frames, count);
	if (sent < 0)
		return 0;
	if (sent < count)
		xsk_free(at->queue, frames + sent, count - sent);
	return (unsigned int)sent;
}

int kick(struct contender *at)
{
	int left = xsk_flush(at->queue);

	if (left < 0)
		errx(1, "xsk_flush: %d", left);
	return left > 0;
}

struct contender *open_contender(const char *ifname, int checked)
{
	static struct contender at;
	struct xsk_port_opts opts = {
		.sz = sizeof(opts),
		.queues = 1,
		.flags = checked ? XSK_PORT_CHECKED : 0,
	};
	struct xsk_error error;

	if (xsk_port_open(&at.port, ifname, &opts, &error))
		errx(1, "xsk_port_open: %s: %s", error.step, error.reason);
	at.queue = xsk_port_queue(at.port, 0);
	return &at;
}

void close_contender(struct contender *at)
{
	xsk_port_close(at->port);
}
