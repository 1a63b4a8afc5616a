/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "sink.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

/* A person may have to leave what he reads with first, or to go to its end. */
#define PATIENCE_NS UINT64_C(5000000000)
/* A signal that comes between our look at it and the sleep is seen so much later. */
#define MAX_SLEEP_MS 100

/* Whether some can be written, or it fails at once. */
static bool is_ready(int fd, int timeout_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };

	return poll(&pollfd, 1, timeout_ms) > 0;
}

/* Of a pipe that is ready so much is taken without waiting. Returns how much, or -errno. */
static ssize_t write_some(int fd, const char *data, size_t size)
{
	ssize_t len = write(fd, data, size < PIPE_BUF ? size : PIPE_BUF);

	if (len >= 0)
		return len;
	return errno == EINTR || errno == EAGAIN ? 0 : -errno;
}

static int keep(struct sink *sink, const char *data, size_t size)
{
	if (sink->room - sink->len < size) {
		size_t room = 2 * (sink->len + size);
		char *kept = realloc(sink->kept, room);

		if (!kept)
			return -ENOMEM;
		sink->kept = kept;
		sink->room = room;
	}
	memcpy(sink->kept + sink->len, data, size);
	sink->len += size;
	return 0;
}

/* What goes, of what nothing is kept of yet. Returns how much, or -errno. */
static ssize_t give(struct sink *sink, const char *data, size_t size)
{
	size_t done = 0;

	while (done < size && !sink->len) {
		bool interrupted = run_is_interrupted();
		ssize_t len;

		if (!is_ready(sink->fd, interrupted ? 0 : MAX_SLEEP_MS)) {
			if (interrupted)
				break;
			continue;
		}
		len = write_some(sink->fd, data + done, size - done);
		if (len < 0)
			return len;
		done += (size_t)len;
	}
	return (ssize_t)done;
}

/* For stdio, which takes less than size for a failure, with errno. */
static ssize_t take(void *cookie, const char *data, size_t size)
{
	struct sink *sink = cookie;
	ssize_t done = give(sink, data, size);
	int err = done < 0 ? (int)done : 0;

	if (!err && (size_t)done < size)
		err = keep(sink, data + done, size - (size_t)done);
	if (!err)
		return (ssize_t)size;
	errno = -err;
	return 0;
}

static int close_fd(void *cookie)
{
	const struct sink *sink = cookie;

	return close(sink->fd);
}

FILE *sink_open(struct sink *sink, int fd, bool closes)
{
	const cookie_io_functions_t functions = { .write = take, .close = closes ? close_fd :
						  NULL };

	*sink = (struct sink){ .fd = fd };
	return fopencookie(sink, "w", functions);
}

uint64_t sink_patience_ns(void)
{
	return run_now_ns() + PATIENCE_NS;
}

int sink_finish(struct sink *sink, uint64_t until_ns)
{
	size_t done = 0;
	int err = 0;

	while (!err && done < sink->len) {
		ssize_t len = 0;

		if (is_ready(sink->fd, MAX_SLEEP_MS))
			len = write_some(sink->fd, sink->kept + done, sink->len - done);
		else if (run_now_ns() >= until_ns)
			len = -ETIMEDOUT;
		if (len < 0)
			err = (int)len;
		else
			done += (size_t)len;
	}
	free(sink->kept);
	*sink = (struct sink){ .fd = sink->fd };
	return err;
}

/* ---- stdout and stderr ---- */

/* With the buffer that stdio would give it. */
static FILE *replace(struct sink *sink, FILE *file, int fd, int mode)
{
	FILE *mine = sink_open(sink, fd, false);

	if (!mine)
		return file;
	setvbuf(mine, NULL, mode, 0);
	return mine;
}

void streams_open(struct streams *streams)
{
	*streams = (struct streams){ .stdout_was = stdout, .stderr_was = stderr };
	stdout = replace(&streams->out, stdout, STDOUT_FILENO,
			 isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF);
	stderr = replace(&streams->err, stderr, STDERR_FILENO, _IONBF);
}

static FILE *put_back(FILE *mine, FILE *was)
{
	if (mine != was)
		fclose(mine);
	return was;
}

bool streams_close(struct streams *streams)
{
	uint64_t until_ns = sink_patience_ns();
	int err;

	stdout = put_back(stdout, streams->stdout_was);
	err = sink_finish(&streams->out, until_ns);
	if (err == -ETIMEDOUT)
		fputs("xsk: stdout: nobody reads it; the end of what was said is lost\n", stderr);
	else if (err && err != -EPIPE)
		fprintf(stderr, "xsk: cannot write to stdout: %s\n", strerror(-err));
	stderr = put_back(stderr, streams->stderr_was);
	sink_finish(&streams->err, until_ns);
	return !err || err == -ETIMEDOUT;
}
