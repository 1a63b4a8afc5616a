/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "publish.h"

#include <inttypes.h>
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

#include "report.h"

#define PREFIX "xsk-command"
/* One that asks waits so long for an answer, and one that answers for it to be taken. */
#define PATIENCE_MS 1000
#define MAX_ANSWER (64 * 1024)

struct publish {
	struct xsk_port *port;
	const char *command;
	int socket_fd;
	int end_fd;		/* an eventfd: written to, the thread ends */
	pthread_t thread;
};

/* ---- who answers ---- */

static bool may_know(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void answer(const struct publish *publish, int fd)
{
	const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	json_t *object;
	char *text;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	object = report_port(publish->port, publish->command);
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	if (text)
		send(fd, text, strlen(text), MSG_NOSIGNAL);
	free(text);
	json_decref(object);
}

static void *serve(void *arg)
{
	struct publish *publish = arg;
	struct pollfd fds[] = {
		{ .fd = publish->socket_fd, .events = POLLIN },
		{ .fd = publish->end_fd, .events = POLLIN },
	};

	while (poll(fds, 2, -1) >= 0 && !fds[1].revents) {
		int fd = accept4(publish->socket_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		if (may_know(fd))
			answer(publish, fd);
		close(fd);
	}
	return NULL;
}

static socklen_t make_name(struct sockaddr_un *name, int ifindex, pid_t pid)
{
	int len;

	*name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	len = snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1, PREFIX "/%d/%d", ifindex,
		       (int)pid);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

static int listen_at(int ifindex)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un name;
	socklen_t size = make_name(&name, ifindex, getpid());

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
	*publish = (struct publish){ .port = port, .command = command };
	publish->end_fd = eventfd(0, EFD_CLOEXEC);
	publish->socket_fd = listen_at(info.ifindex);
	if (publish->end_fd >= 0 && publish->socket_fd >= 0 && start(publish))
		return publish;
	if (publish->end_fd >= 0)
		close(publish->end_fd);
	if (publish->socket_fd >= 0)
		close(publish->socket_fd);
	free(publish);
	return NULL;
}

void publish_close(struct publish *publish)
{
	const uint64_t one = 1;

	if (!publish)
		return;
	if (write(publish->end_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(publish->thread, NULL);
	close(publish->end_fd);
	close(publish->socket_fd);
	free(publish);
}

/* ---- who asks ---- */

static json_t *ask(int ifindex, pid_t pid)
{
	const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char *text = malloc(MAX_ANSWER);
	struct sockaddr_un name;
	socklen_t size = make_name(&name, ifindex, pid);
	json_t *object = NULL;
	ssize_t len;

	if (fd >= 0 && text) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		if (!connect(fd, (struct sockaddr *)&name, size)) {
			len = recv(fd, text, MAX_ANSWER, 0);
			if (len > 0)
				object = json_loadb(text, (size_t)len, 0, NULL);
		}
	}
	if (fd >= 0)
		close(fd);
	free(text);
	return object;
}

static int compare_pids(const void *a, const void *b)
{
	int first = *(const int *)a, second = *(const int *)b;

	return (first > second) - (first < second);
}

/* The pids of those with a socket for the interface, sorted; returns how many. */
static size_t find_pids(int pids[], size_t room, int ifindex)
{
	FILE *file = fopen("/proc/net/unix", "re");
	size_t count = 0;
	char line[512];

	while (file && count < room && fgets(line, sizeof(line), file)) {
		const char *name = strstr(line, " @" PREFIX "/");
		int index, pid;
		bool known = false;

		if (!name || sscanf(name, " @" PREFIX "/%d/%d", &index, &pid) != 2 ||
		    index != ifindex)
			continue;
		/* A connection that is being served has the name, too. */
		for (size_t i = 0; i < count; i++)
			known = known || pids[i] == pid;
		if (!known)
			pids[count++] = pid;
	}
	if (file)
		fclose(file);
	qsort(pids, count, sizeof(*pids), compare_pids);
	return count;
}

json_t *publish_ask(int ifindex)
{
	json_t *all = json_array();
	int pids[256];
	size_t count = find_pids(pids, sizeof(pids) / sizeof(pids[0]), ifindex);

	for (size_t i = 0; all && i < count; i++) {
		json_t *object = ask(ifindex, pids[i]);

		if (json_is_object(object))
			json_array_append_new(all, object);
		else
			json_decref(object);
	}
	return all;
}
