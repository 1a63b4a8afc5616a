/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Under which names commands answer (publish.c), and are found (publish_ask.c). */
#ifndef XSK_CLI_PUBLISH_NAME_H
#define XSK_CLI_PUBLISH_NAME_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PUBLISH_PREFIX "xsk-command"

/* Abstract: it goes with the socket. Returns its size, for bind(2). */
socklen_t publish_name(struct sockaddr_un *name, int ifindex, uint64_t number);

#endif /* XSK_CLI_PUBLISH_NAME_H */
