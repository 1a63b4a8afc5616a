/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Counts the packets of an interface, with one thread for each of its queues.
 *
 *     threads IFACE      as root; ethtool -L sets how many queues there are
 *
 * They are taken away from the kernel: not for the interface that you are logged in over.
 * Shows: a queue belongs to one thread, and the threads need no lock. The main thread opens
 * and closes, and may ask at any time.
 */
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <xsk/xsk.h>

struct worker {
	pthread_t thread;
	struct xsk_queue *queue;
	struct xsk_error error;
};

static atomic_int stop;

/* Whose queue fails wakes the main thread. */
static void *work(void *arg)
{
	struct worker *w = arg;
	struct xsk_frame frames[64];
	int err = 0;

	while (!stop && err >= 0) {
		err = xsk_wait(&w->queue, 1, 100);
		if (err > 0)
			err = xsk_free(w->queue, frames, xsk_rx(w->queue, frames, 64));
	}
	if (err < 0) {
		xsk_error_last(&w->error);
		kill(getpid(), SIGTERM);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct xsk_port_opts opts = { .sz = sizeof(opts), .direction = XSK_DIRECTION_RX };
	struct xsk_port_info info = { .sz = sizeof(info) };
	struct xsk_port_stats s = { .sz = sizeof(s) };
	struct timespec second = { .tv_sec = 1 };
	struct xsk_error e = { 0 };
	struct xsk_port *port = NULL;
	struct worker *workers;
	sigset_t signals;
	uint32_t i;

	if (argc != 2)
		errx(2, "usage: threads IFACE");
	setlinebuf(stdout);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);	/* for the threads, too */
	if (xsk_port_open(&port, argv[1], &opts, &e))
		goto end;
	xsk_port_info(port, &info);
	printf("%s: %u queue(s), %s\n", argv[1], info.queues, info.mode_text);

	workers = calloc(info.queues, sizeof(*workers));
	if (!workers)
		err(1, "%s: threads", argv[1]);
	for (i = 0; i < info.queues; i++) {
		workers[i].queue = xsk_port_queue(port, i);
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			errx(1, "%s: threads: there are too many", argv[1]);
	}
	while (sigtimedwait(&signals, NULL, &second) < 0) {
		xsk_port_stats(port, &s);
		printf("received %lu, %lu bytes\n", s.rx_packets, s.rx_bytes);
	}
	stop = 1;
	for (i = 0; i < info.queues; i++) {
		pthread_join(workers[i].thread, NULL);
		xsk_queue_stats(workers[i].queue, &s);
		printf("queue %u: received %lu, %lu bytes\n", xsk_queue_id(workers[i].queue),
		       s.rx_packets, s.rx_bytes);
		if (workers[i].error.code)
			e = workers[i].error;
	}
	free(workers);
end:
	xsk_port_close(port);
	if (e.code)
		errx(1, "%s: %s: %s%s%s", argv[1], e.step, e.reason, *e.hint ? "; " : "", e.hint);
	return 0;
}
