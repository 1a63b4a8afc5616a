/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The Internet checksum (RFC 1071), and those that a stack leaves to the NIC. */
#ifndef XSK_CLI_CHECKSUM_H
#define XSK_CLI_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

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

/* Of a packet in pieces, of which the first has all headers. */
bool checksum_complete_pieces(const struct iovec *pieces, int count);

/* Whether there is one to be made; of each 65,536 finished ones, one looks like that. */
bool checksum_is_left(const struct iovec *pieces, int count);

#endif /* XSK_CLI_CHECKSUM_H */
