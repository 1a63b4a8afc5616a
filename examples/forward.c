/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A wire between two interfaces: what arrives at one is sent by the other.
 *
 *     forward IFACE IFACE [seconds]      as root
 *
 * NICs must let in what is for others: ip link set IFACE promisc on. The kernel gets none of
 * it: not for the interface of your login.
 * Shows: two ports that work on the same memory, so that a frame which one has received is
 * sent by the other. Nothing is copied.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xsk/xsk.h>

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = number;
}

static int forward(struct xsk_queue *from, struct xsk_queue *to)
{
	struct xsk_frame frames[64];
	int n = xsk_rx(from, frames, 64);
	int sent = xsk_tx(to, frames, n);	/* is n, where that is an error */

	return sent < 0 ? sent : xsk_free(to, frames + sent, n - sent);	/* there was no room */
}

/* Until a signal comes. The queues stand in pairs: from the one to the other, and back. */
static int run(struct xsk_queue **queues, int count)
{
	int err = 0;

	while (!stop && err >= 0) {
		for (int i = 0; i < count && err >= 0; i++)
			err = forward(queues[i], queues[i ^ 1]);
		if (err >= 0)
			err = xsk_wait(queues, count, 1000);	/* sends, too */
	}
	return err == -EINTR ? 0 : err;
}

int main(int argc, char **argv)
{
	/* For each queue: two FILL and two TX rings, each of which may be full. */
	struct xsk_port_opts opts = { .sz = sizeof(opts), .frames = 4 * 2048 };
	struct xsk_port_stats s = { .sz = sizeof(s) };
	struct xsk_port_info info = { .sz = sizeof(info) };
	struct xsk_queue *queues[XSK_WAIT_MAX + 2];	/* two too many: xsk_wait() says so */
	struct xsk_port *ports[2] = { NULL, NULL };
	struct xsk_error e = { 0 };
	const char *at;
	int count = 0;

	if (argc < 3 || argc > 4 || (argc == 4 && atoi(argv[3]) <= 0))
		errx(2, "usage: forward IFACE IFACE [seconds]");
	setlinebuf(stdout);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGALRM, on_signal);
	for (int i = 0; i < 2; i++) {
		at = argv[1 + i];
		if (xsk_port_open(&ports[i], at, &opts, &e))
			goto end;
		opts = (struct xsk_port_opts){ .sz = sizeof(opts), .share = ports[0] };
		xsk_port_info(ports[i], &info);
		printf("%s: %u queue(s), %s\n", at, info.queues, info.mode_text);
	}
	while (count < XSK_WAIT_MAX + 2 &&
	       (queues[count] = xsk_port_queue(ports[count % 2], count / 2)))
		count++;
	at = argv[1];
	if (count % 2) {
		e = (struct xsk_error){ -EINVAL, "queues", "it has more than the other",
					"ethtool -L" };
		goto end;
	}
	at = "between them";
	alarm(argc == 4 ? atoi(argv[3]) : 0);
	if (run(queues, count) < 0)
		xsk_error_last(&e);
	for (int i = 0; i < 2 && !xsk_port_stats(ports[i], &s); i++)
		printf("%s: received %lu, sent %lu\n", argv[1 + i], s.rx_packets, s.tx_packets);
end:
	xsk_port_close(ports[1]);
	xsk_port_close(ports[0]);
	if (e.code)
		errx(1, "%s: %s: %s%s%s", at, e.step, e.reason, *e.hint ? "; " : "", e.hint);
	return 0;
}
