/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Lets xsk stats look at the ports of a running command: a socket with an abstract name in
 * the interface's network namespace, which goes with the process.
 */
#ifndef XSK_CLI_PUBLISH_H
#define XSK_CLI_PUBLISH_H

#include <stdint.h>

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
 * Meanwhile nobody is answered: a port's statistics are for one thread at a time, and for
 * none while another port is opened on its memory, or closed. NULL is legal.
 */
void publish_lock(struct publish *publish);
void publish_unlock(struct publish *publish);

/*
 * An array with an object for each command that has the interface open, root's and one's own
 * first, in the order of their pids: "pid" and "uid" as the kernel tells them, and under "port"
 * what it answered, an object in which "info" and "stats" are objects, too; without "port" one
 * that did not answer in time, or not so. Of other users only root hears, and of each no more
 * than eight, as anybody can seem to be a command; *not_asked: how many there are beyond. NULL:
 * no memory.
 */
json_t *publish_ask(int ifindex, uint64_t *not_asked);

#endif /* XSK_CLI_PUBLISH_H */
