/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Counts the packets that arrive at an interface, and what is missing of send's numbers.
 *
 *     receive IFACE [seconds]      as root
 *
 * They are taken away from the kernel: not for the interface that you are logged in over.
 * Shows: one call opens a port, one thread serves its queues, all frames are accounted for.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xsk/xsk.h>

static volatile sig_atomic_t stop, ticks;	/* a tick is a second */
static uint64_t expected, missing;

static void on_signal(int number)
{
	stop |= number != SIGALRM;
	ticks++;
	alarm(1);
}

/* Behind Ethernet, IPv4 and UDP stand a number and its inverse; 0 begins anew. */
static void check_number(const char *packet, uint32_t len)
{
	uint64_t words[2] = { 0 };

	if (len >= 42 + sizeof(words))
		memcpy(words, packet + 42, sizeof(words));
	if (words[0] != ~words[1])
		return;
	if (expected && words[0] > expected)
		missing += words[0] - expected;
	if (words[0] >= expected || !words[0])
		expected = words[0] + 1;
}

static void receive(struct xsk_queue *queue)
{
	struct xsk_frame frames[64];
	int n = xsk_rx(queue, frames, 64);

	for (int i = 0; i < n; i++)
		check_number(xsk_frame_data(queue, &frames[i]), frames[i].len);
	xsk_free(queue, frames, n);	/* an error passes through; xsk_wait() has it too */
}

int main(int argc, char **argv)
{
	struct xsk_port_opts opts = { .sz = sizeof(opts), .direction = XSK_DIRECTION_RX };
	struct xsk_port_stats s = { .sz = sizeof(s) }, last = s;
	struct xsk_port_info info = { .sz = sizeof(info) };
	struct xsk_queue *queues[XSK_WAIT_MAX + 1];	/* one too many: xsk_wait() says so */
	int count = 0, reports = 0, ready = 0, seconds = argc == 3 ? atoi(argv[2]) : 0;
	struct xsk_error e = { 0 };
	struct xsk_port *port = NULL;

	if (argc < 2 || argc > 3 || (argc == 3 && seconds <= 0))
		errx(2, "usage: receive IFACE [seconds]");
	setlinebuf(stdout);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGALRM, on_signal);
	if (xsk_port_open(&port, argv[1], &opts, &e))
		goto end;
	xsk_port_info(port, &info);
	printf("%s: %u queue(s), %s\n", argv[1], info.queues, info.mode_text);
	while (count <= XSK_WAIT_MAX && (queues[count] = xsk_port_queue(port, count)))
		count++;
	for (alarm(1); !stop && !e.code && (!seconds || ticks < seconds); ) {
		for (int i = 0; i < count; i++)
			receive(queues[i]);
		ready = xsk_wait(queues, count, -1);
		if (ready < 0 && ready != -EINTR)
			xsk_error_last(&e);
		if (ticks == reports)
			continue;
		reports = ticks;
		xsk_port_stats(port, &s);
		printf("%lu packets/s, %lu Mbit/s, %lu missing\n", s.rx_packets - last.rx_packets,
		       (s.rx_bytes - last.rx_bytes) * 8 / 1000000, missing);
		last = s;
	}
	xsk_port_stats(port, &s);
	printf("received %lu (%lu bytes), missing %lu; dropped %lu, RX full %lu, FILL empty %lu\n",
	       s.rx_packets, s.rx_bytes, missing, s.rx_dropped, s.rx_ring_full, s.rx_fill_empty);
	printf("frames: %lu = pool %lu + FILL %lu + RX %lu + caller %lu + TX %lu + COMP %lu\n",
	       s.frames, s.in_pool, s.in_fill, s.in_rx, s.in_caller, s.in_tx, s.in_comp);
end:
	xsk_port_close(port);
	if (e.code)
		errx(1, "%s: %s: %s%s%s", argv[1], e.step, e.reason, *e.hint ? "; " : "", e.hint);
	return 0;
}
