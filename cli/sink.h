/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A file of stdio whose reader may be slow: a pipe, a terminal that is stopped. Who writes
 * waits for him, but not after a signal: what does not go at once is kept then, so that the
 * command ends, and is given to him behind that.
 */
#ifndef XSK_CLI_SINK_H
#define XSK_CLI_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sink {
	int fd;
	char *kept;
	size_t len, room;	/* of what is kept: bytes, and those that there is memory for */
};

/*
 * Writes to fd, which is closed with the file if it closes. The sink is to be there until
 * then. NULL: no memory.
 */
FILE *sink_open(struct sink *sink, int fd, bool closes);

/* When the patience with readers is over that begins now. */
uint64_t sink_patience_ns(void);

/*
 * Gives what is kept, until then. 0; -ETIMEDOUT: he took nothing any more; or -errno. There is
 * nothing kept any more.
 */
int sink_finish(struct sink *sink, uint64_t until_ns);

/* stdout and stderr as such files, and as they were. */
struct streams {
	struct sink out, err;
	FILE *stdout_was, *stderr_was;
};

/* In *streams, which is to stay where it is. Without memory they stay as they are. */
void streams_open(struct streams *streams);

/*
 * Gives what was kept. False: it could not be written, and stderr says why, unless the reader
 * went. One who does not read is told of on stderr: that is no failure of who was interrupted.
 */
bool streams_close(struct streams *streams);

#endif /* XSK_CLI_SINK_H */
