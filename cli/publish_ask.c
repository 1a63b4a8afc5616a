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
/* How many are asked: of root's and one's own, of all others, and of one of these. */
#define MAX_ASKED 256
#define MAX_TRUSTED 192
#define MAX_OF_USER 8
/* How many are looked at. */
#define MAX_TRIED 65536
/* In /proc/net/unix (__SO_ACCEPTCON). */
#define LISTENING 0x10000
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

struct asking {
	struct asked all[MAX_ASKED];
	size_t count;
	uint64_t not_asked;
};

socklen_t publish_name(struct sockaddr_un *name, int ifindex, uint64_t number)
{
	int len;

	*name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	len = snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1,
		       PUBLISH_PREFIX "/%d/%016" PRIx64, ifindex, number);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

static void hang_up(struct asked *asked)
{
	if (asked->fd >= 0)
		close(asked->fd);
	asked->fd = -1;
}

/* Of the line of /proc/net/unix; false: it is no command's, or of another interface. */
static bool read_name(const char *line, int ifindex, uint64_t *number)
{
	const char *name = strstr(line, " @" PUBLISH_PREFIX "/");
	unsigned int flags;
	int index;

	/* A connection that is being served has the name, too. */
	return name && sscanf(line, "%*s %*s %*s %x", &flags) == 1 && flags & LISTENING &&
	       sscanf(name, " @" PUBLISH_PREFIX "/%d/%" SCNx64, &index, number) == 2 &&
	       index == ifindex;
}

/* Root, and one's own: who else has such a name can only have invented it, or is of no concern. */
static bool is_trusted(const struct asked *asked)
{
	return asked->peer.uid == 0 || asked->peer.uid == geteuid();
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
	    (geteuid() == 0 || is_trusted(asked)))
		return true;
	hang_up(asked);
	return false;
}

/* No user's names keep those of others from being asked. */
static bool has_room(const struct asking *asking, const struct asked *asked)
{
	size_t trusted = 0, same = 0;

	for (size_t i = 0; i < asking->count; i++) {
		trusted += is_trusted(&asking->all[i]);
		same += asking->all[i].peer.uid == asked->peer.uid;
	}
	if (is_trusted(asked))
		return trusted < MAX_TRUSTED;
	return same < MAX_OF_USER && asking->count - trusted < MAX_ASKED - MAX_TRUSTED;
}

/* Connects to all that have a socket for the interface. */
static void ask_all(struct asking *asking, int ifindex)
{
	FILE *file = fopen("/proc/net/unix", "re");
	struct asked asked = { .fd = -1 };
	size_t tried = 0;
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		if (!read_name(line, ifindex, &asked.number))
			continue;
		if (tried++ >= MAX_TRIED) {
			asking->not_asked++;
		} else if (ask(&asked, ifindex)) {
			if (has_room(asking, &asked)) {
				asking->all[asking->count++] = asked;
				continue;
			}
			asking->not_asked++;
			hang_up(&asked);
		}
	}
	if (file)
		fclose(file);
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

/* Root's and one's own first, then user by user. */
static int compare(const void *a, const void *b)
{
	const struct asked *first = a, *second = b;

	if (is_trusted(first) != is_trusted(second))
		return is_trusted(first) ? -1 : 1;
	if (!is_trusted(first) && first->peer.uid != second->peer.uid)
		return first->peer.uid < second->peer.uid ? -1 : 1;
	if (first->peer.pid != second->peer.pid)
		return first->peer.pid < second->peer.pid ? -1 : 1;
	return (first->number > second->number) - (first->number < second->number);
}

json_t *publish_ask(int ifindex, uint64_t *not_asked)
{
	struct asking *asking = calloc(1, sizeof(*asking));
	json_t *array = asking ? json_array() : NULL;
	struct asked *all;

	*not_asked = 0;
	if (!asking)
		return NULL;
	all = asking->all;
	ask_all(asking, ifindex);
	hear_all(all, asking->count);
	qsort(all, asking->count, sizeof(*all), compare);
	for (size_t i = 0; i < asking->count; i++) {
		json_array_append_new(array, json_pack("{si sI so*}", "pid", (int)all[i].peer.pid,
						       "uid", (json_int_t)all[i].peer.uid,
						       "port", read_answer(&all[i])));
		free(all[i].text);
	}
	*not_asked = asking->not_asked;
	free(asking);
	return array;
}
