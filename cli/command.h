/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* A subcommand. Each is in a file of its own; the table of all is in xsk.c. */
#ifndef XSK_CLI_COMMAND_H
#define XSK_CLI_COMMAND_H

#include <stddef.h>

#include "args.h"

struct out;

/* Exit status. */
#define GOOD 0
#define FAILED 1
#define MISUSED 2

struct command {
	const char *name;
	const char *summary;		/* a sentence without a dot */
	struct args args;
	/* What args are read into: its size, and the defaults, or NULL for zeros. */
	size_t options_size;
	const void *defaults;
	size_t json_offset;		/* of the bool of --json */
	/* Returns GOOD, FAILED or MISUSED; the last two have been explained. */
	int (*run)(void *options, struct out *out);
};

/* Up to NULL, in the order of the help. */
extern const struct command *const commands[];

extern const struct command command_probe;
extern const struct command command_recv;
extern const struct command command_send;
extern const struct command command_forward;
extern const struct command command_echo;
extern const struct command command_latency;
extern const struct command command_stats;
extern const struct command command_completion;

#endif /* XSK_CLI_COMMAND_H */
