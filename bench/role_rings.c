/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The bare rings of <xdp/xsk.h>, as role.h says, and as programs use them that are written
 * by hand: a stack of idle frames, and no address is checked. Compiled twice, against libxsk
 * and against libxdp. One queue of each interface; forward copies from one UMEM to the other.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "bench.h"
#include "role.h"

#ifndef XDP_MAX_TX_SKB_BUDGET
#define XDP_MAX_TX_SKB_BUDGET 9
#endif
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

#define WAIT_MS 50
#define TRIP_MS 200
#define BUSY_US 20
#define BUSY_BUDGET 64

/* One socket with all that belongs to it. */
struct end {
	struct xsk_ring_cons rx;
	struct xsk_ring_prod tx;
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp;
	uint64_t idle[FRAMES];		/* addresses */
	uint32_t idle_count;
	int fd;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	uint8_t *area;
};

struct rings {
	struct role role;
	struct end ends[2];
};

/* ---- frames ---- */

static void take_back(struct end *end)
{
	uint64_t *idle = end->idle + end->idle_count;
	__u32 first, count = xsk_ring_cons__peek(&end->comp, MAX_BURST, &first);

	if (!count)
		return;
	for (__u32 i = 0; i < count; i++)
		idle[i] = *xsk_ring_cons__comp_addr(&end->comp, first + i);
	xsk_ring_cons__release(&end->comp, count);
	end->idle_count += count;
}

/*
 * As many as are idle, at most. The kernel shows a packet a moment before its frame's place
 * in FILL is free: so there may be no room for all now.
 */
static void refill(struct end *end, __u32 count)
{
	__u32 first;
	uint64_t *idle;

	if (count > end->idle_count)
		count = end->idle_count;
	if (!count || xsk_ring_prod__reserve(&end->fill, count, &first) != count)
		return;
	end->idle_count -= count;
	idle = end->idle + end->idle_count;
	for (__u32 i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(&end->fill, first + i) = idle[i];
	xsk_ring_prod__submit(&end->fill, count);
}

/* ---- waiting ---- */

static void kick(struct end *end)
{
	if (!xsk_ring_prod__needs_wakeup(&end->tx))
		return;
	if (sendto(end->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 &&
	    errno != EAGAIN && errno != EBUSY && errno != ENOBUFS && errno != EINTR)
		err(1, "sendto");
}

/* For packets at an end that receives. */
static void wait_for(const struct role *role, struct end *end)
{
	struct pollfd pfd = { .fd = end->fd, .events = POLLIN };

	switch (role->wait) {
	case WAIT_SLEEP:
		poll(&pfd, 1, WAIT_MS);
		break;
	case WAIT_BUSY:
		recvfrom(end->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
		break;
	case WAIT_SPIN:
	case WAIT_ADAPTIVE:
		break;
	}
}

/* ---- open and close ---- */

static void set_option(int fd, int level, int name, uint32_t value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		err(1, "socket option %d", name);
}

static void fill_up(struct end *end, bool receives)
{
	__u32 count = XSK_RING_PROD__DEFAULT_NUM_DESCS;

	for (__u32 i = 0; i < FRAMES; i++)
		end->idle[i] = (uint64_t)(FRAMES - 1 - i) * FRAME_SIZE;
	end->idle_count = FRAMES;
	if (receives)
		refill(end, count);
}

static void open_end(const struct role *role, struct end *end, const char *ifname, bool receives,
		     bool sends)
{
	struct xsk_socket_config config = {
		.rx_size = role->ring ? role->ring : XSK_RING_CONS__DEFAULT_NUM_DESCS,
		.tx_size = role->ring ? role->ring : XSK_RING_PROD__DEFAULT_NUM_DESCS,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
	};
	int code;

	end->area = map_area();
	code = xsk_umem__create(&end->umem, end->area, AREA_SIZE, &end->fill, &end->comp, NULL);
	if (code)
		errx(1, "xsk_umem__create: %s", strerror(-code));
	fill_up(end, receives);
	code = xsk_socket__create(&end->xsk, ifname, role->first_queue, end->umem,
				  receives ? &end->rx : NULL, sends ? &end->tx : NULL, &config);
	if (code)
		errx(1, "xsk_socket__create: %s", strerror(-code));
	end->fd = xsk_socket__fd(end->xsk);
	if (sends && role->budget)
		set_option(end->fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, role->budget);
	if (role->wait == WAIT_BUSY) {
		set_option(end->fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, 1);
		set_option(end->fd, SOL_SOCKET, SO_BUSY_POLL, BUSY_US);
		set_option(end->fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, BUSY_BUDGET);
	}
}

static void close_end(struct end *end)
{
	xsk_socket__delete(end->xsk);
	xsk_umem__delete(end->umem);
}

/* ---- send ---- */

static void write_packets(struct rings *at, struct end *end)
{
	for (uint64_t i = 0; i < FRAMES; i++)
		role_write(&at->role, end->area + i * FRAME_SIZE, at->role.size);
}

/* Room in TX for count, all or none. */
static bool reserve(struct end *end, __u32 count, __u32 *first)
{
	return end->idle_count >= count && xsk_ring_prod__reserve(&end->tx, count, first) == count;
}

static void send_burst(struct rings *at, struct end *end)
{
	__u32 first, burst = at->role.burst;
	uint64_t *idle;

	take_back(end);
	if (reserve(end, burst, &first)) {
		end->idle_count -= burst;
		idle = end->idle + end->idle_count;
		for (__u32 i = 0; i < burst; i++) {
			struct xdp_desc *desc = xsk_ring_prod__tx_desc(&end->tx, first + i);

			desc->addr = idle[i];
			desc->len = at->role.size;
			desc->options = 0;
			role_stamp(&at->role, end->area + idle[i]);
		}
		xsk_ring_prod__submit(&end->tx, burst);
		role_count(&at->role, burst, (uint64_t)burst * at->role.size);
	}
	kick(end);
}

static void send_packets(struct rings *at)
{
	struct end *end = &at->ends[0];

	open_end(&at->role, end, at->role.ifnames[0], false, true);
	write_packets(at, end);
	role_ready(&at->role);
	while (!role_stop)
		send_burst(at, end);
	close_end(end);
}

/* ---- receive ---- */

static __u32 receive_burst(struct rings *at, struct end *end)
{
	uint64_t *idle = end->idle + end->idle_count, bytes = 0;
	__u32 first, count = xsk_ring_cons__peek(&end->rx, at->role.burst, &first);
	const struct xdp_desc *desc;

	if (!count)
		return 0;
	if (role_wants_sample(&at->role, count)) {
		desc = xsk_ring_cons__rx_desc(&end->rx, first);
		role_sample(&at->role, end->area + desc->addr, desc->len);
	}
	for (__u32 i = 0; i < count; i++) {
		desc = xsk_ring_cons__rx_desc(&end->rx, first + i);
		bytes += desc->len;
		idle[i] = desc->addr;
	}
	xsk_ring_cons__release(&end->rx, count);
	end->idle_count += count;
	role_count(&at->role, count, bytes);
	refill(end, count);
	return count;
}

static void receive_packets(struct rings *at)
{
	struct end *end = &at->ends[0];

	open_end(&at->role, end, at->role.ifnames[0], true, false);
	role_ready(&at->role);
	while (!role_stop)
		if (!receive_burst(at, end)) {
			refill(end, MAX_BURST);
			wait_for(&at->role, end);
		}
	close_end(end);
}

/* ---- forward: each packet is copied ---- */

/* As many as there is room for; the rest stays in RX. */
static __u32 forward_burst(struct rings *at, struct end *from, struct end *to)
{
	__u32 in, out, count;
	uint64_t *idle;

	take_back(to);
	count = xsk_ring_cons__peek(&from->rx, at->role.burst, &in);
	if (!count)
		return 0;
	if (!reserve(to, count, &out)) {
		xsk_ring_cons__cancel(&from->rx, count);
		return 0;
	}
	to->idle_count -= count;
	idle = to->idle + to->idle_count;
	for (__u32 i = 0; i < count; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&from->rx, in + i);
		struct xdp_desc *copy = xsk_ring_prod__tx_desc(&to->tx, out + i);

		memcpy(to->area + idle[i], from->area + desc->addr, desc->len);
		copy->addr = idle[i];
		copy->len = desc->len;
		copy->options = 0;
		from->idle[from->idle_count++] = desc->addr;
	}
	xsk_ring_prod__submit(&to->tx, count);
	xsk_ring_cons__release(&from->rx, count);
	role_count(&at->role, count, (uint64_t)count * at->role.size);
	refill(from, count);
	return count;
}

/* Both have RX and TX, as in a program that forwards both ways. */
static void forward_packets(struct rings *at)
{
	struct end *from = &at->ends[0], *to = &at->ends[1];

	if (at->role.ifcount != 2)
		errx(2, "forward has two interfaces: from and to");
	open_end(&at->role, from, at->role.ifnames[0], true, true);
	open_end(&at->role, to, at->role.ifnames[1], true, true);
	role_ready(&at->role);
	while (!role_stop) {
		__u32 count = forward_burst(at, from, to);

		kick(to);
		if (!count) {
			refill(from, MAX_BURST);
			wait_for(&at->role, from);
		}
	}
	close_end(to);
	close_end(from);
}

/* ---- echo: each packet returns in its frame ---- */

static __u32 echo_burst(struct rings *at, struct end *end)
{
	__u32 in, out, count = xsk_ring_cons__peek(&end->rx, at->role.burst, &in);

	if (!count)
		return 0;
	if (xsk_ring_prod__reserve(&end->tx, count, &out) != count) {
		xsk_ring_cons__cancel(&end->rx, count);
		return 0;
	}
	for (__u32 i = 0; i < count; i++) {
		struct xdp_desc *desc = xsk_ring_prod__tx_desc(&end->tx, out + i);

		*desc = *xsk_ring_cons__rx_desc(&end->rx, in + i);
		desc->options = 0;
		role_turn(end->area + desc->addr);
	}
	xsk_ring_prod__submit(&end->tx, count);
	xsk_ring_cons__release(&end->rx, count);
	role_count(&at->role, count, (uint64_t)count * at->role.size);
	kick(end);
	return count;
}

static void echo_packets(struct rings *at)
{
	struct end *end = &at->ends[0];

	open_end(&at->role, end, at->role.ifnames[0], true, true);
	role_ready(&at->role);
	while (!role_stop) {
		__u32 count = echo_burst(at, end);

		take_back(end);
		refill(end, MAX_BURST);
		if (!count)
			wait_for(&at->role, end);
	}
	close_end(end);
}

/* ---- ping ---- */

static bool take_answer(struct rings *at, struct end *end, uint32_t number)
{
	__u32 first, count = xsk_ring_cons__peek(&end->rx, MAX_BURST, &first);
	bool found = false;

	for (__u32 i = 0; i < count; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&end->rx, first + i);
		const uint8_t *data = end->area + desc->addr;

		at->role.counts->sampled++;
		if (!role_is_good(&at->role, data, desc->len))
			at->role.counts->bad++;
		else
			found |= role_number(data) == number;
		end->idle[end->idle_count++] = desc->addr;
	}
	if (count)
		xsk_ring_cons__release(&end->rx, count);
	return found;
}

static void ping_once(struct rings *at, struct end *end)
{
	uint32_t number = at->role.next;
	uint64_t start;
	struct xdp_desc *desc;
	bool found = false;
	__u32 first;

	if (!reserve(end, 1, &first))
		errx(1, "no frame to send");
	desc = xsk_ring_prod__tx_desc(&end->tx, first);
	*desc = (struct xdp_desc){ .addr = end->idle[--end->idle_count] / FRAME_SIZE * FRAME_SIZE,
				   .len = at->role.size };
	role_write(&at->role, end->area + desc->addr, at->role.size);
	role_stamp(&at->role, end->area + desc->addr);
	start = role_now_ns();
	xsk_ring_prod__submit(&end->tx, 1);
	kick(end);
	while (!role_stop && !(found = take_answer(at, end, number)) &&
	       role_now_ns() - start < TRIP_MS * 1000000ULL)
		wait_for(&at->role, end);
	role_trip(&at->role, start, found);
	take_back(end);
	refill(end, 1);
}

static void ping(struct rings *at)
{
	struct end *end = &at->ends[0];

	open_end(&at->role, end, at->role.ifnames[0], true, true);
	role_ready(&at->role);
	while (!role_stop)
		ping_once(at, end);
	close_end(end);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct rings *at);
	} roles[] = {
		{ "send", send_packets }, { "receive", receive_packets },
		{ "forward", forward_packets }, { "echo", echo_packets }, { "ping", ping },
	};
	static struct rings at;

	role_init(&at.role, argc, argv);
	if (at.role.size > PART)
		errx(2, "packets of several frames are not for this one");
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(roles[i].name, at.role.name))
			continue;
		roles[i].run(&at);
		role_end(&at.role);
		return 0;
	}
	errx(2, "no role %s", at.role.name);
}
