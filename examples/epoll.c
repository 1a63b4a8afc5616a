/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Counts the packets of an interface, in an event loop of the program's own.
 *
 *     epoll IFACE      as root
 *
 * They are taken away from the kernel: not for the interface that you are logged in over.
 * Shows: a queue is one file among others, here a timer and the signals. xsk_flush() comes
 * before each sleep, and the timer ends it: only a flush tells that the interface is gone.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <xsk/xsk.h>

static int epoll, timer, signals;

static void watch(int fd, void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		err(1, "epoll");
}

static void watch_others(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(signals = signalfd(-1, &set, SFD_CLOEXEC), &signals);
	watch(timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), &timer);
	timerfd_settime(timer, 0, &(struct itimerspec){ { 1, 0 }, { 1, 0 } }, NULL);
}

static void report(const struct xsk_port *port)
{
	static struct xsk_port_stats last, s = { .sz = sizeof(s) };

	last = s;
	xsk_port_stats(port, &s);
	printf("%lu packets/s, received %lu\n", s.rx_packets - last.rx_packets, s.rx_packets);
}

static int run(const struct xsk_port *port)
{
	struct epoll_event events[16];
	struct xsk_frame frames[64];
	struct xsk_queue *queue;
	uint64_t times;

	for (int i = 0; (queue = xsk_port_queue(port, i)); i++)
		watch(xsk_queue_fd(queue), queue);
	for (;;) {
		for (int i = 0; (queue = xsk_port_queue(port, i)); i++)
			if (xsk_flush(queue) < 0)
				return -1;
		for (int i = epoll_wait(epoll, events, 16, -1) - 1; i >= 0; i--) {
			if (events[i].data.ptr == &signals)
				return 0;
			if (events[i].data.ptr != &timer) {
				queue = events[i].data.ptr;
				xsk_free(queue, frames, xsk_rx(queue, frames, 64));
			} else if (read(timer, &times, sizeof(times)) > 0) {
				report(port);
			}
		}
	}
}

int main(int argc, char **argv)
{
	struct xsk_port_info info = { .sz = sizeof(info) };
	struct xsk_error e = { 0 };
	struct xsk_port *port = NULL;

	if (argc != 2)
		errx(2, "usage: epoll IFACE");
	setlinebuf(stdout);
	watch_others();
	if (!xsk_port_open(&port, argv[1], NULL, &e)) {
		xsk_port_info(port, &info);
		printf("%s: %u queue(s), %s\n", argv[1], info.queues, info.mode_text);
		if (run(port))
			xsk_error_last(&e);
		report(port);
	}
	xsk_port_close(port);
	if (e.code)
		errx(1, "%s: %s: %s%s%s", argv[1], e.step, e.reason, *e.hint ? "; " : "", e.hint);
	return 0;
}
