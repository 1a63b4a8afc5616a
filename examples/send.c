/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Sends numbered UDP packets of 60 bytes, as fast as the kernel takes them.
 *
 *     send IFACE [seconds [count [MAC]]]      as root; 0 seconds, count -1: no end
 *
 * MAC is the address to send to: a NIC drops what is not for it. No XDP program is needed.
 * Shows: empty frames from the pool; to wait where there are none; to see the last one out.
 */
#include <err.h>
#include <errno.h>
#include <netinet/ether.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xsk/xsk.h>

/* Of addresses for benchmarks (RFC 2544). One checksum is right for all numbers. */
static unsigned char packet[60] = {
	2, 0, 0, 0, 0, 2,   2, 0, 0, 0, 0, 1,   8, 0,
	0x45, 0, 0, 46,   0, 0, 0x40, 0,   64, 17, 0xae, 0x97,   198, 18, 0, 1,   198, 18, 0, 2,
	0, 9, 0, 9,   0, 26, 0x73, 0x80,
};
static volatile sig_atomic_t stop, ticks;	/* a tick is a second */
static uint64_t next;				/* number */

static void on_signal(int number)
{
	stop |= number != SIGALRM;
	ticks++;
	alarm(1);
}

static int send_some(struct xsk_queue *queue, int most)
{
	struct xsk_frame frames[64];
	int sent, n = xsk_alloc(queue, frames, most);

	for (int i = 0; i < n; i++) {
		char *data = xsk_frame_data(queue, &frames[i]);

		frames[i].len = sizeof(packet);
		memcpy(data, packet, sizeof(packet));
		memcpy(data + 42, (uint64_t[]){ next + i, ~(next + i) }, 16);
	}
	sent = xsk_tx(queue, frames, n);	/* is n, where that is an error */
	if (sent < 0)
		return sent;
	next += sent;
	xsk_free(queue, frames + sent, n - sent);
	return sent ? xsk_flush(queue) : xsk_wait(&queue, 1, -1);
}

int main(int argc, char **argv)
{
	struct xsk_port_opts opts = { .sz = sizeof(opts), .queues = 1,
				      .direction = XSK_DIRECTION_TX };
	struct xsk_port_stats s = { .sz = sizeof(s) };
	struct xsk_port_info info = { .sz = sizeof(info) };
	uint64_t last = 0, count = strtoull(argc > 3 ? argv[3] : "-1", NULL, 0);
	int err, reports = 0, seconds = argc > 2 ? atoi(argv[2]) : 0;
	struct xsk_error e = { 0 };
	struct xsk_port *port = NULL;
	struct xsk_queue *queue;

	if (argc < 2 || argc > 5 || (argc > 4 && !ether_aton_r(argv[4], (void *)packet)))
		errx(2, "usage: send IFACE [seconds [count [MAC]]]");
	setlinebuf(stdout);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGALRM, on_signal);
	if (xsk_port_open(&port, argv[1], &opts, &e))
		goto end;
	xsk_port_info(port, &info);
	printf("%s: %s\n", argv[1], info.mode_text);
	queue = xsk_port_queue(port, 0);
	for (alarm(1); !stop && !e.code && next < count && (!seconds || ticks < seconds); ) {
		err = send_some(queue, count - next < 64 ? (int)(count - next) : 64);
		if (err < 0 && err != -EINTR)
			xsk_error_last(&e);
		if (ticks == reports)
			continue;
		reports = ticks;
		printf("%lu packets/s, %lu Mbit/s\n", next - last, (next - last) * 480 / 1000000);
		last = next;
	}
	for (int i = 0; i < 300 && !xsk_port_stats(port, &s) && s.in_tx; i++)
		xsk_wait(&queue, 1, 10);
	printf("sent %lu, dropped by the driver %lu, left in TX %lu\n",
	       s.tx_packets - s.kick_busy - s.in_tx, s.kick_busy, s.in_tx);
	printf("frames: %lu = pool %lu + FILL %lu + RX %lu + caller %lu + TX %lu + COMP %lu\n",
	       s.frames, s.in_pool, s.in_fill, s.in_rx, s.in_caller, s.in_tx, s.in_comp);
end:
	xsk_port_close(port);
	if (e.code)
		errx(1, "%s: %s: %s%s%s", argv[1], e.step, e.reason, *e.hint ? "; " : "", e.hint);
	return 0;
}
