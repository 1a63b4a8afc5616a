/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Asks all commands at once, and waits once for all of them: one that answers slowly, or
 * whatever, holds up nothing.
 */
#include "publish.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "publish_name.h"
#include "run.h"

#define PATIENCE_NS UINT64_C(500000000)
#define MAX_ASKED 256
/* Of 256 queues it is 250 KiB. */
#define MAX_ANSWER (1024 * 1024)

struct asked {
	uint64_t number;	/* of the name */
	int fd;
	struct ucred peer;
	char *text;
	size_t len, room;
	bool complete;
};

socklen_t publish_name(struct sockaddr_un *name, int ifindex, uint64_t number)
{
	int len;

	*name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	len = snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1,
		       PUBLISH_PREFIX "/%d/%016" PRIx64, ifindex, number);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

/* Those with a socket for the interface; returns how many. */
static size_t find(struct asked *all, size_t room, int ifindex)
{
	FILE *file = fopen("/proc/net/unix", "re");
	size_t count = 0;
	char line[512];

	while (file && count < room && fgets(line, sizeof(line), file)) {
		const char *name = strstr(line, " @" PUBLISH_PREFIX "/");
		uint64_t number;
		bool known = false;
		int index;

		if (!name || sscanf(name, " @" PUBLISH_PREFIX "/%d/%" SCNx64, &index,
				    &number) != 2 || index != ifindex)
			continue;
		/* A connection that is being served has the name, too. */
		for (size_t i = 0; i < count; i++)
			known = known || all[i].number == number;
		if (!known)
			all[count++] = (struct asked){ .number = number, .fd = -1 };
	}
	if (file)
		fclose(file);
	return count;
}

/* False: nobody is there any more, or he is not to be heard. */
static bool ask(struct asked *asked, int ifindex)
{
	socklen_t peer_size = sizeof(asked->peer), size;
	struct sockaddr_un name;

	size = publish_name(&name, ifindex, asked->number);
	asked->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (asked->fd >= 0 && !connect(asked->fd, (struct sockaddr *)&name, size) &&
	    !getsockopt(asked->fd, SOL_SOCKET, SO_PEERCRED, &asked->peer, &peer_size) &&
	    (geteuid() == 0 || asked->peer.uid == 0 || asked->peer.uid == geteuid()))
		return true;
	if (asked->fd >= 0)
		close(asked->fd);
	asked->fd = -1;
	return false;
}

static void hang_up(struct asked *asked)
{
	if (asked->fd >= 0)
		close(asked->fd);
	asked->fd = -1;
}

static bool make_room(struct asked *asked)
{
	size_t room = asked->room ? 2 * asked->room : 16 * 1024;
	char *text;

	if (asked->len < asked->room)
		return true;
	text = room > MAX_ANSWER ? NULL : realloc(asked->text, room);
	if (!text)
		return false;
	asked->text = text;
	asked->room = room;
	return true;
}

static void hear(struct asked *asked)
{
	ssize_t len = -1;

	if (make_room(asked)) {
		len = recv(asked->fd, asked->text + asked->len, asked->room - asked->len, 0);
		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			return;
	}
	if (len > 0) {
		asked->len += (size_t)len;
		return;
	}
	asked->complete = !len;
	hang_up(asked);
}

static void hear_all(struct asked *all, size_t count)
{
	uint64_t end_ns = run_now_ns() + PATIENCE_NS, now;
	struct pollfd fds[MAX_ASKED];

	while ((now = run_now_ns()) < end_ns) {
		bool waiting = false;

		for (size_t i = 0; i < count; i++) {
			fds[i] = (struct pollfd){ .fd = all[i].fd, .events = POLLIN };
			waiting = waiting || all[i].fd >= 0;
		}
		/* Interrupted by a signal, too: the command is to end. */
		if (!waiting || poll(fds, count, (int)((end_ns - now) / 1000000) + 1) < 0)
			break;
		for (size_t i = 0; i < count; i++)
			if (fds[i].revents)
				hear(&all[i]);
	}
	for (size_t i = 0; i < count; i++)
		hang_up(&all[i]);
}

/* NULL: it is none. */
static json_t *read_answer(const struct asked *asked)
{
	json_t *object = NULL;

	if (asked->complete && asked->len)
		object = json_loadb(asked->text, asked->len, 0, NULL);
	if (json_is_string(json_object_get(object, "command")) &&
	    json_is_object(json_object_get(object, "info")) &&
	    json_is_object(json_object_get(object, "stats")))
		return object;
	json_decref(object);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const struct asked *first = a, *second = b;

	if (first->peer.pid != second->peer.pid)
		return first->peer.pid < second->peer.pid ? -1 : 1;
	return (first->number > second->number) - (first->number < second->number);
}

json_t *publish_ask(int ifindex)
{
	struct asked *all = calloc(MAX_ASKED, sizeof(*all));
	size_t found = all ? find(all, MAX_ASKED, ifindex) : 0, count = 0;
	json_t *array = all ? json_array() : NULL;

	for (size_t i = 0; i < found; i++)
		if (ask(&all[i], ifindex))
			all[count++] = all[i];
	hear_all(all, count);
	if (count)
		qsort(all, count, sizeof(*all), compare);
	for (size_t i = 0; i < count; i++) {
		json_array_append_new(array, json_pack("{si sI so*}", "pid", (int)all[i].peer.pid,
						       "uid", (json_int_t)all[i].peer.uid,
						       "port", read_answer(&all[i])));
		free(all[i].text);
	}
	free(all);
	return array;
}
