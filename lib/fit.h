/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What fits a frame: an open port goes by it, and the diagnosis tells it. */
#ifndef XSK_LIB_FIT_H
#define XSK_LIB_FIT_H

#include <stdbool.h>
#include <stdint.h>

/* The kernel's: in front of each received packet. */
#define XSK_FIT_KERNEL_HEADROOM 256
/* In front of the MTU: Ethernet's header, and a VLAN tag. */
#define XSK_FIT_LINK_HEADERS (14 + 4)

/* Bytes of a received packet that a frame holds. */
uint32_t xsk_fit_room(uint32_t frame_size, uint32_t headroom);

/* The largest MTU whose packets fit that many bytes; less than 0: not their headers. */
int64_t xsk_fit_mtu(uint32_t bytes);

/*
 * The same in zero-copy, where a packet may have that many frames, each with that room, as
 * the kernel counts and as the driver fills them.
 */
int64_t xsk_fit_mtu_zerocopy(const char *driver, uint32_t room, uint32_t frames);

/* Whether the driver cuts, in zero-copy, what is larger than that. */
bool xsk_fit_cuts(const char *driver);

#endif /* XSK_LIB_FIT_H */
