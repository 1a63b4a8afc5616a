/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * An interface, asked through a socket that is open: of the network namespace of
 * the socket, wherever the calling thread is by now. All return 0 or -errno;
 * -ENODEV: it is not there (any more).
 */
#ifndef XSK_LIB_DEVICE_H
#define XSK_LIB_DEVICE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define XSK_DEVICE_DRIVER_SIZE 32

int xsk_device_name(char ret[IFNAMSIZ], int fd, int ifindex);
int xsk_device_mtu(uint32_t *ret, int fd, const char *name);
/* Whether it is up, and whether it has a carrier too. */
int xsk_device_state(bool *up, bool *carrier, int fd, const char *name);
int xsk_device_driver(char ret[XSK_DEVICE_DRIVER_SIZE], int fd, const char *name);
/* Queues in use; -EOPNOTSUPP: the driver does not tell. */
int xsk_device_channels(uint32_t *rx, uint32_t *tx, int fd, const char *name);
/* The memory node that it is near to, or -ENOENT: not known. */
int xsk_device_node(const char *name, int ifindex);

#endif /* XSK_LIB_DEVICE_H */
