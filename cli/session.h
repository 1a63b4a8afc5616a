/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* A port that a command has open, and the options that all such commands have. */
#ifndef XSK_CLI_SESSION_H
#define XSK_CLI_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <xsk/xsk.h>

#include "args.h"
#include "out.h"
#include "units.h"

struct publish;

/* The fields of session_args, and of session_keep_args for who receives. */
struct session_options {
	bool json;
	uint64_t duration_ns;		/* 0: until it is ended */
	struct units_range queues;	/* last UINT64_MAX: all */
	uint32_t modes;			/* XSK_MODE_*; 0: all */
	int wait;			/* XSK_WAIT_* */
	uint64_t ring_size;		/* of all four; 0: the default */
	uint64_t frames, frame_size;
	bool multi_buffer, large_mtu, huge, replace;
	/* Who receives: */
	uint32_t keep;			/* XSK_KEEP_* */
	uint16_t keep_tcp[XSK_KEEP_PORTS], keep_udp[XSK_KEEP_PORTS];
};

#define SESSION_DEFAULTS { .queues = { 0, UINT64_MAX } }

extern const struct arg session_args[];
extern const struct arg session_keep_args[];

/* Whether anything is left to the kernel by --keep. */
static inline bool session_keeps(const struct session_options *options)
{
	return options->keep || options->keep_tcp[0] || options->keep_udp[0];
}

struct session {
	struct xsk_port *port;
	struct xsk_filter *filter;
	struct publish *publish;
	struct xsk_port_info info;	/* at open */
	struct xsk_queue *queues[XSK_WAIT_MAX];	/* those that go in the direction */
	int count;
	struct session *shares;		/* the memory of that one; NULL: its own */
	char iface[64];			/* as it was called, fit to be printed */
	char mode[16];			/* "zero-copy", "native", "generic" */
	bool is_down;			/* as was last said */
	bool is_misused;		/* it did not open: the filter is no expression */
};

/*
 * Opens a port for a command ("recv", which xsk stats shows), with filter (NULL: all packets)
 * and on the memory of another one (NULL: its own), which is closed after it. Says on stderr
 * what it got. False: it has been said why, and there is nothing to close; session_status()
 * is the exit status.
 */
bool session_open(struct session *session, struct out *out, const char *command,
		  const char *iface, const struct session_options *options,
		  uint32_t direction, const char *filter, struct session *share);

/* Likewise, but on failure it says nothing, and returns -errno with the reason. */
int session_try(struct session *session, struct out *out, const char *command,
		const char *iface, const struct session_options *options, uint32_t direction,
		const char *filter, struct session *share, struct xsk_error *error);

int session_status(const struct session *session);

/* Of one that is all zeros, too. */
void session_close(struct session *session);

/*
 * After a verb that returned less than 0: whether the command can go on (-EINTR, an
 * interface that is down), else says why not.
 */
bool session_survives(struct session *session, struct out *out, int err);

/* Now and then: says once for each change that it went down, or is up. */
#define SESSION_DOWN "it is down, or has no carrier"
void session_say_state(struct session *session, struct out *out);

/* Its counters now. */
void session_stats(const struct session *session, struct xsk_port_stats *stats);

#endif /* XSK_CLI_SESSION_H */
