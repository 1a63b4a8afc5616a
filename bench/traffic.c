/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * One end of a wire: sends as fast as it can, or receives and counts.
 *
 *     traffic send|receive IFNAME CPU MS
 *
 * On queue 0 of IFNAME, in copy mode with XDP_USE_NEED_WAKEUP, pinned to CPU
 * (-1: not pinned). The sender has TX only and stops after MS; the receiver has
 * RX only and the default program, prints "ready" when packets may come, waits
 * for the first one, lets SETTLE_MS pass, and counts for MS.
 *
 * Both print one line at the end: packets, nanoseconds, and the CPU time (user
 * and system, nanoseconds) that this process took meanwhile.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "bench.h"

#define BATCH 64
#define PACKET_SIZE 64
#define SETTLE_MS 200
#define POLL_MS 100
#define PATIENCE_MS 5000

struct port {
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp;
	struct xsk_ring_cons rx;
	struct xsk_ring_prod tx;
	char *area;
	uint64_t free[FRAMES];		/* the sender's: addresses of idle frames */
	unsigned int free_count;
};

struct meter {
	uint64_t packets;
	uint64_t start_ns;
	uint64_t start_cpu_ns;
};

static uint64_t timeval_ns(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000000 + (uint64_t)tv->tv_usec * 1000;
}

static uint64_t cpu_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime);
}

static struct meter meter_start(void)
{
	return (struct meter){ 0, now_ns(), cpu_ns() };
}

static void meter_print(const struct meter *meter)
{
	printf("%llu %llu %llu\n", (unsigned long long)meter->packets,
	       (unsigned long long)(now_ns() - meter->start_ns),
	       (unsigned long long)(cpu_ns() - meter->start_cpu_ns));
}

static void pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity to CPU %d", cpu);
}

static void open_port(struct port *port, const char *ifname, bool send)
{
	struct xsk_socket_config config = {
		.rx_size = XSK_RING_CONS__DEFAULT_NUM_DESCS,
		.tx_size = XSK_RING_PROD__DEFAULT_NUM_DESCS,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
	};
	int code;

	port->area = map_area();
	code = xsk_umem__create(&port->umem, port->area, AREA_SIZE, &port->fill,
				&port->comp, NULL);
	if (code)
		errx(1, "xsk_umem__create: %s", strerror(-code));
	code = xsk_socket__create(&port->xsk, ifname, 0, port->umem, send ? NULL : &port->rx,
				  send ? &port->tx : NULL, &config);
	if (code)
		errx(1, "xsk_socket__create: %s", strerror(-code));
}

static void close_port(struct port *port)
{
	xsk_socket__delete(port->xsk);
	xsk_umem__delete(port->umem);
}

/* ---- send ---- */

/* Broadcast, of the EtherType for local experiments: nobody answers. */
static void write_packets(struct port *port)
{
	static const unsigned char header[14] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 1, 0x88, 0xb5,
	};

	for (unsigned int i = 0; i < FRAMES; i++) {
		port->free[i] = (uint64_t)i * FRAME_SIZE;
		memcpy(xsk_umem__get_data(port->area, port->free[i]), header, sizeof(header));
	}
	port->free_count = FRAMES;
}

static unsigned int take_back(struct port *port)
{
	__u32 first, count = xsk_ring_cons__peek(&port->comp, BATCH, &first);

	for (__u32 i = 0; i < count; i++)
		port->free[port->free_count++] =
			*xsk_ring_cons__comp_addr(&port->comp, first + i);
	if (count)
		xsk_ring_cons__release(&port->comp, count);
	return count;
}

static void give(struct port *port)
{
	__u32 first;

	if (port->free_count < BATCH ||
	    xsk_ring_prod__reserve(&port->tx, BATCH, &first) != BATCH)
		return;
	for (__u32 i = 0; i < BATCH; i++) {
		struct xdp_desc *desc = xsk_ring_prod__tx_desc(&port->tx, first + i);

		desc->addr = port->free[--port->free_count];
		desc->len = PACKET_SIZE;
		desc->options = 0;
	}
	xsk_ring_prod__submit(&port->tx, BATCH);
}

static void kick(struct port *port)
{
	if (!xsk_ring_prod__needs_wakeup(&port->tx))
		return;
	if (sendto(xsk_socket__fd(port->xsk), NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 &&
	    errno != EAGAIN && errno != EBUSY && errno != ENOBUFS)
		err(1, "sendto");
}

static void send_packets(struct port *port, int ms)
{
	struct meter meter = meter_start();
	uint64_t end = meter.start_ns + (uint64_t)ms * 1000000;

	while (now_ns() < end) {
		meter.packets += take_back(port);
		give(port);
		kick(port);
	}
	meter_print(&meter);
}

/* ---- receive ---- */

/*
 * Half of the places of FILL stay free: the kernel shows a packet a moment
 * before it shows that its frame is out of FILL.
 */
static void fill_up(struct port *port)
{
	__u32 first, count = XSK_RING_PROD__DEFAULT_NUM_DESCS / 2;

	if (xsk_ring_prod__reserve(&port->fill, count, &first) != count)
		errx(1, "the FILL ring is not empty");
	for (__u32 i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(&port->fill, first + i) = (uint64_t)i * FRAME_SIZE;
	xsk_ring_prod__submit(&port->fill, count);
}

static void wait_for_packets(struct port *port)
{
	struct pollfd pfd = { .fd = xsk_socket__fd(port->xsk), .events = POLLIN };

	if (poll(&pfd, 1, POLL_MS) < 0)
		err(1, "poll");
}

/* Each frame goes back to FILL at once. */
static unsigned int take(struct port *port)
{
	__u32 from, to, count = xsk_ring_cons__peek(&port->rx, BATCH, &from);

	if (!count) {
		wait_for_packets(port);
		return 0;
	}
	if (xsk_ring_prod__reserve(&port->fill, count, &to) != count)
		errx(1, "the FILL ring has no place left");
	for (__u32 i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(&port->fill, to + i) =
			xsk_ring_cons__rx_desc(&port->rx, from + i)->addr;
	xsk_ring_prod__submit(&port->fill, count);
	xsk_ring_cons__release(&port->rx, count);
	return count;
}

static void receive_packets(struct port *port, int ms)
{
	uint64_t end = now_ns() + PATIENCE_MS * 1000000ULL;
	struct meter meter;

	while (!take(port))
		if (now_ns() > end)
			errx(1, "no packet came within %d ms", PATIENCE_MS);

	end = now_ns() + SETTLE_MS * 1000000ULL;
	while (now_ns() < end)
		take(port);

	meter = meter_start();
	end = meter.start_ns + (uint64_t)ms * 1000000;
	while (now_ns() < end)
		meter.packets += take(port);
	meter_print(&meter);
}

int main(int argc, char **argv)
{
	static struct port port;
	bool send;

	if (argc != 5 || (strcmp(argv[1], "send") && strcmp(argv[1], "receive")))
		errx(2, "usage: traffic send|receive IFNAME CPU MS");
	send = !strcmp(argv[1], "send");
	pin(parse_number(argv[3]));

	open_port(&port, argv[2], send);
	if (send) {
		write_packets(&port);
		send_packets(&port, parse_number(argv[4]));
	} else {
		fill_up(&port);
		puts("ready");
		fflush(stdout);
		receive_packets(&port, parse_number(argv[4]));
	}
	close_port(&port);
	return 0;
}
