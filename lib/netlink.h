/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* One question to the kernel over netlink, and its answer. */
#ifndef XSK_LIB_NETLINK_H
#define XSK_LIB_NETLINK_H

#include <libmnl/libmnl.h>

/*
 * Sends the request on a socket of its own on the given bus (NETLINK_ROUTE, …)
 * and calls each with every message of the answer and data, until it returns
 * MNL_CB_STOP (the answer is known) or MNL_CB_ERROR (it is not what was asked
 * for: -EPROTO). Returns 0 or -errno, the kernel's error included.
 */
int xsk_netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t each, void *data);

#endif /* XSK_LIB_NETLINK_H */
