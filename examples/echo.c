/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Returns the UDP packets that arrive at an interface to where they came from.
 *     echo IFACE [seconds]      as root
 * It takes all packets from the kernel, ARP too: not for the interface of your login.
 * Shows: a packet is changed where it lies and sent from there, by one thread for all
 * queues; each frame that was received is sent or freed.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xsk/xsk.h>

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = number;
}

static void swap(unsigned char *a, unsigned char *b, size_t size)
{
	for (unsigned char kept; size--; *a++ = *b, *b++ = kept)
		kept = *a;
}

/* UDP in IPv4, whole, for one host: turned round. Its checksums stay right. */
static bool turn(unsigned char *packet, uint32_t len)
{
	unsigned char *ip = packet + 14, *udp = ip + (ip[0] & 15) * 4;

	if (len < 42 || (packet[0] & 1) || packet[12] != 8 || packet[13] || ip[0] < 0x45 ||
	    ip[0] > 0x4f || (ip[6] & 0x3f) || ip[7] || ip[9] != 17 || udp + 8 > packet + len)
		return false;
	swap(packet, packet + 6, 6);
	swap(ip + 12, ip + 16, 4);
	swap(udp, udp + 2, 2);
	return true;
}

static int echo(struct xsk_queue *queue, struct xsk_queue *first)
{
	struct xsk_queue *by = xsk_queue_direction(queue) & XSK_DIRECTION_TX ? queue : first;
	struct xsk_frame frames[64];
	int sent, turned = 0, n = 0;

	if (xsk_queue_direction(queue) & XSK_DIRECTION_RX)
		n = xsk_rx(queue, frames, 64);
	for (int i = 0; i < n; i++)
		if (turn(xsk_frame_data(queue, &frames[i]), frames[i].len))
			frames[turned++] = frames[i];
		else
			xsk_free(queue, &frames[i], 1);
	sent = xsk_tx(by, frames, n < 0 ? n : turned);	/* an error passes through */
	return sent < 0 ? sent : xsk_free(queue, frames + sent, turned - sent);
}

int main(int argc, char **argv)
{
	struct xsk_queue *queues[XSK_WAIT_MAX + 1];	/* one too many: xsk_wait() says so */
	struct xsk_port_opts opts = { .sz = sizeof(opts), .flags = XSK_PORT_ONE_THREAD };
	struct xsk_port_stats s = { .sz = sizeof(s) };
	struct xsk_port_info info = { .sz = sizeof(info) };
	struct xsk_error e = { 0 };
	struct xsk_port *port = NULL;
	int count = 0, err = 0;

	if (argc < 2 || argc > 3 || (argc == 3 && atoi(argv[2]) <= 0))
		errx(2, "usage: echo IFACE [seconds]");
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
	alarm(argc == 3 ? atoi(argv[2]) : 0);
	while (!stop && err >= 0) {
		for (int i = 0; i < count && err >= 0; i++)
			err = echo(queues[i], queues[0]);
		if (err >= 0)
			err = xsk_wait(queues, count, 1000);	/* sends, too */
	}
	if (err < 0 && err != -EINTR)
		xsk_error_last(&e);
	xsk_port_stats(port, &s);
	printf("received %lu, returned %lu\n", s.rx_packets, s.tx_packets);
end:
	xsk_port_close(port);
	if (e.code)
		errx(1, "%s: %s: %s%s%s", argv[1], e.step, e.reason, *e.hint ? "; " : "", e.hint);
	return 0;
}
