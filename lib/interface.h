/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What an interface is and has, before anything is done to it. */
#ifndef XSK_LIB_INTERFACE_H
#define XSK_LIB_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "netdev.h"

struct xsk_error;

struct xsk_interface {
	struct xsk_netdev netdev;
	char driver[XSK_DEVICE_DRIVER_SIZE];	/* empty: it has no name */
	uint32_t rx_queues;	/* in use */
	uint32_t tx_queues;
	bool up;
	bool carrier;
	struct xsk_netdev_xdp xdp;
	bool xdp_told;		/* from 6.3 on */
};

/*
 * Asks about an interface of the calling thread's network namespace. No capability
 * needed. -EINVAL: its name is NULL. -ENODEV: there is none.
 */
int xsk_interface_ask(struct xsk_interface *ret, const char *ifname, struct xsk_error *error);

#endif /* XSK_LIB_INTERFACE_H */
