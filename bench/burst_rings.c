/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The bare rings, as programs use them that are written by hand: a stack of idle
 * frames, into which what was received and what was sent goes, and from which FILL
 * and TX get theirs. Nothing is counted, and no address is checked.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "bench.h"
#include "burst.h"

struct contender {
	struct xsk_ring_cons rx;
	struct xsk_ring_prod tx;
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp;
	uint64_t idle[FRAMES];		/* addresses */
	unsigned int idle_count;
	uint64_t bytes;			/* received */
	int fd;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	char *area;
};

/* As many as FILL has room for, a burst at most. */
static void refill(struct contender *at)
{
	__u32 count = at->idle_count < BURST ? at->idle_count : BURST, first;
	uint64_t *idle;

	if (xsk_ring_prod__reserve(&at->fill, count, &first) != count)
		return;
	idle = at->idle + at->idle_count - count;
	for (__u32 i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(&at->fill, first + i) = idle[i];
	at->idle_count -= count;
	xsk_ring_prod__submit(&at->fill, count);
}

/*
 * The address of a received packet lies within its frame: the kernel takes the
 * frame's from it, in FILL.
 */
unsigned int receive_burst(struct contender *at)
{
	uint64_t *idle = at->idle + at->idle_count, bytes = 0;
	__u32 first, count = xsk_ring_cons__peek(&at->rx, BURST, &first);

	if (!count)
		return 0;
	for (__u32 i = 0; i < count; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&at->rx, first + i);

		bytes += desc->len;
		idle[i] = desc->addr;
	}
	xsk_ring_cons__release(&at->rx, count);
	at->bytes += bytes;
	at->idle_count += count;
	refill(at);
	return count;
}

uint64_t received_bytes(const struct contender *at)
{
	return at->bytes;
}

static void take_back(struct contender *at)
{
	uint64_t *idle = at->idle + at->idle_count;
	__u32 first, count = xsk_ring_cons__peek(&at->comp, BURST, &first);

	if (!count)
		return;
	for (__u32 i = 0; i < count; i++)
		idle[i] = *xsk_ring_cons__comp_addr(&at->comp, first + i);
	xsk_ring_cons__release(&at->comp, count);
	at->idle_count += count;
}

unsigned int send_burst(struct contender *at)
{
	uint64_t *idle;
	__u32 first;

	take_back(at);
	if (at->idle_count < BURST || xsk_ring_prod__reserve(&at->tx, BURST, &first) != BURST)
		return 0;
	at->idle_count -= BURST;
	idle = at->idle + at->idle_count;
	for (__u32 i = 0; i < BURST; i++) {
		struct xdp_desc *desc = xsk_ring_prod__tx_desc(&at->tx, first + i);

		desc->addr = idle[i];
		desc->len = PACKET_SIZE;
		desc->options = 0;
	}
	xsk_ring_prod__submit(&at->tx, BURST);
	return BURST;
}

/* EAGAIN: the kernel sent as many as it does in one call, 32 by default. */
int kick(struct contender *at)
{
	if (!xsk_ring_prod__needs_wakeup(&at->tx))
		return 0;
	if (sendto(at->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
		return 0;
	if (errno != EAGAIN && errno != EBUSY && errno != ENOBUFS)
		err(1, "sendto");
	return 1;
}

static void fill_up(struct contender *at)
{
	__u32 first, count = XSK_RING_PROD__DEFAULT_NUM_DESCS;

	for (__u32 i = 0; i < FRAMES; i++)
		at->idle[i] = (uint64_t)i * FRAME_SIZE;
	if (xsk_ring_prod__reserve(&at->fill, count, &first) != count)
		errx(1, "the FILL ring is not empty");
	at->idle_count = FRAMES - count;
	for (__u32 i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(&at->fill, first + i) = at->idle[at->idle_count + i];
	xsk_ring_prod__submit(&at->fill, count);
}

struct contender *open_contender(const char *ifname, int checked)
{
	static struct contender contender;
	struct contender *at = &contender;
	struct xsk_socket_config config = {
		.rx_size = XSK_RING_CONS__DEFAULT_NUM_DESCS,
		.tx_size = XSK_RING_PROD__DEFAULT_NUM_DESCS,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
	};
	int code;

	if (checked)
		errx(2, "the bare rings check nothing");
	at->area = map_area();
	code = xsk_umem__create(&at->umem, at->area, AREA_SIZE, &at->fill, &at->comp, NULL);
	if (code)
		errx(1, "xsk_umem__create: %s", strerror(-code));
	fill_up(at);
	code = xsk_socket__create(&at->xsk, ifname, 0, at->umem, &at->rx, &at->tx, &config);
	if (code)
		errx(1, "xsk_socket__create: %s", strerror(-code));
	at->fd = xsk_socket__fd(at->xsk);
	return at;
}

void close_contender(struct contender *at)
{
	xsk_socket__delete(at->xsk);
	xsk_umem__delete(at->umem);
}
