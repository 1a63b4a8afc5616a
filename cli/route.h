/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What the kernel knows of the way to an address: by whom, as whom, to which MAC. */
#ifndef XSK_CLI_ROUTE_H
#define XSK_CLI_ROUTE_H

#include <stdbool.h>

#include "address.h"

struct route {
	bool is_local;			/* an address of this host itself */
	struct address next_hop;	/* a gateway, or the address itself */
	struct address source;		/* what the kernel would send as; family 0: nothing */
};

/* By this interface. -ENETUNREACH: there is no way; or another -errno. */
int route_find(struct route *ret, int ifindex, const struct address *to);

/*
 * The MAC of a neighbour. What the kernel does not know it is made to ask for, by ARP or
 * neighbour discovery on the interface (CAP_NET_ADMIN), and waited for as long as timeout_ms.
 * -ENOENT: nobody answers; or another -errno.
 */
int route_mac(unsigned char mac[MAC_SIZE], int ifindex, const struct address *neighbour,
	      int timeout_ms);

/* The interface's own MAC. -EOPNOTSUPP: it has none; or another -errno. */
int route_own_mac(unsigned char mac[MAC_SIZE], const char *iface);

#endif /* XSK_CLI_ROUTE_H */
