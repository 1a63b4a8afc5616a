/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "publish.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <xsk/xsk.h>

#include "publish_name.h"
#include "report.h"
#include "run.h"

/* So long an answer may take to be taken. */
#define PATIENCE_MS 1000

struct publish {
	struct xsk_port *port;
	const char *command;
	uint64_t since_ns;
	int socket_fd;
	int end_fd;		/* an eventfd: written to, the thread ends */
	pthread_t thread;
	pthread_mutex_t mutex;	/* of the port's statistics */
};

static bool may_know(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static char *make_answer(struct publish *publish)
{
	double seconds = (double)(run_now_ns() - publish->since_ns) / 1e9;
	json_t *object;
	char *text;

	publish_lock(publish);
	object = report_port(publish->port, publish->command, seconds);
	publish_unlock(publish);
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

/* Until it is taken, or for too long, or the command ends. */
static void give(const struct publish *publish, int fd, const char *text)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLOUT },
		{ .fd = publish->end_fd, .events = POLLIN },
	};
	size_t left = strlen(text);

	while (left) {
		ssize_t sent = send(fd, text, left, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent > 0) {
			text += sent;
			left -= (size_t)sent;
		} else if (errno != EAGAIN || poll(fds, 2, PATIENCE_MS) <= 0 || fds[1].revents) {
			break;
		}
	}
}

static void answer(struct publish *publish, int fd)
{
	char *text = make_answer(publish);

	if (text)
		give(publish, fd, text);
	free(text);
}

static void *serve(void *arg)
{
	struct publish *publish = arg;
	struct pollfd fds[] = {
		{ .fd = publish->end_fd, .events = POLLIN },
		{ .fd = publish->socket_fd, .events = POLLIN },
	};

	while (poll(fds, 2, -1) >= 0 && !fds[0].revents) {
		int fd = accept4(publish->socket_fd, NULL, NULL, SOCK_CLOEXEC);

		/* Without descriptors who asks waits; not this thread, at full speed. */
		if (fd < 0) {
			poll(fds, 1, 100);
			continue;
		}
		if (may_know(fd))
			answer(publish, fd);
		close(fd);
	}
	return NULL;
}

/* The name need be no other's only: pids are not, where containers share the network. */
static int listen_at(int ifindex)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un name;
	socklen_t size = publish_name(&name, ifindex, run_now_ns() ^ (uint64_t)getpid() << 40);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&name, size) || listen(fd, 8)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Signals are the main thread's. */
static bool start(struct publish *publish)
{
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = !pthread_create(&publish->thread, NULL, serve, publish);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

struct publish *publish_open(struct xsk_port *port, const char *command)
{
	struct xsk_port_info info = { .sz = sizeof(info) };
	struct publish *publish = malloc(sizeof(*publish));

	if (!publish)
		return NULL;
	xsk_port_info(port, &info);
	*publish = (struct publish){
		.port = port, .command = command, .since_ns = run_now_ns(),
	};
	pthread_mutex_init(&publish->mutex, NULL);
	publish->end_fd = eventfd(0, EFD_CLOEXEC);
	publish->socket_fd = listen_at(info.ifindex);
	if (publish->end_fd >= 0 && publish->socket_fd >= 0 && start(publish))
		return publish;
	if (publish->end_fd >= 0)
		close(publish->end_fd);
	if (publish->socket_fd >= 0)
		close(publish->socket_fd);
	pthread_mutex_destroy(&publish->mutex);
	free(publish);
	return NULL;
}

void publish_close(struct publish *publish)
{
	const uint64_t one = 1;

	if (!publish)
		return;
	/* A counter that nobody else writes to has room. */
	if (write(publish->end_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(publish->thread, NULL);
	close(publish->end_fd);
	close(publish->socket_fd);
	pthread_mutex_destroy(&publish->mutex);
	free(publish);
}

void publish_lock(struct publish *publish)
{
	if (publish)
		pthread_mutex_lock(&publish->mutex);
}

void publish_unlock(struct publish *publish)
{
	if (publish)
		pthread_mutex_unlock(&publish->mutex);
}
