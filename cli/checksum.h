/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The Internet checksum (RFC 1071), and those that a stack leaves to the NIC. */
#ifndef XSK_CLI_CHECKSUM_H
#define XSK_CLI_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Adds the bytes to a sum that begins with 0; only the last part may be of odd length. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t len);

/* Folds and inverts it: as it stands in a packet, in the order of the bytes there. */
uint16_t checksum_finish(uint64_t sum);

/*
 * A stack that sends through a veth, or from a guest, leaves TCP's and UDP's checksum to the
 * NIC: in its place stands the sum of the pseudo header alone. What looks like that, in an
 * Ethernet packet of IPv4 or IPv6 (up to two VLAN tags, no extension headers, no fragment),
 * gets its checksum. Returns whether there was one to be made.
 */
bool checksum_complete(void *packet, size_t len);

#endif /* XSK_CLI_CHECKSUM_H */
