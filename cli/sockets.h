/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The AF_XDP sockets of an interface, whoever opened them, as the kernel tells. */
#ifndef XSK_CLI_SOCKETS_H
#define XSK_CLI_SOCKETS_H

#include <stdint.h>

#include <jansson.h>
#include <xsk/probe.h>

/*
 * All of them, into an array that the caller frees. Returns how many, or -errno with the
 * reason, and there is nothing to free.
 */
int sockets_ask(struct xsk_probe_socket **ret, const char *iface, struct xsk_error *error);

/* One of them by the names of the fields; only the queue where no more is told. */
json_t *sockets_json(const struct xsk_probe_socket *socket);

/* Those that are named, of count. */
json_t *sockets_processes(const struct xsk_probe_process *processes, uint32_t count);

#endif /* XSK_CLI_SOCKETS_H */
