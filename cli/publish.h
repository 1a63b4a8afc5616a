/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Lets xsk stats look at the ports of a running command: a socket with an abstract name in
 * the interface's network namespace, which goes with the process.
 */
#ifndef XSK_CLI_PUBLISH_H
#define XSK_CLI_PUBLISH_H

#include <sys/types.h>

#include <jansson.h>

struct xsk_port;
struct publish;

/*
 * A thread answers whoever asks and has the same uid, or is root, with report_port(). NULL:
 * it cannot be had; the command goes on without.
 */
struct publish *publish_open(struct xsk_port *port, const char *command);
void publish_close(struct publish *publish);

/*
 * An array of the objects of all commands that have the interface open, in the order of
 * their pids. NULL: no memory.
 */
json_t *publish_ask(int ifindex);

#endif /* XSK_CLI_PUBLISH_H */
