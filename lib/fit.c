/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "fit.h"

#include <string.h>

#define KIB 1024
/* As the kernel counts a packet in zero-copy: two VLAN tags, and the checksum. */
#define ZEROCOPY_HEADERS (14 + 8 + 4)

uint32_t xsk_fit_room(uint32_t frame_size, uint32_t headroom)
{
	return frame_size - headroom - XSK_FIT_KERNEL_HEADROOM;
}

int64_t xsk_fit_mtu(uint32_t bytes)
{
	return (int64_t)bytes - XSK_FIT_LINK_HEADERS;
}

/* igb works on whole KiB of a frame, and cuts what does not fit, without a word (7.3). */
bool xsk_fit_cuts(const char *driver)
{
	return !strcmp(driver, "igb");
}

int64_t xsk_fit_mtu_zerocopy(const char *driver, uint32_t room, uint32_t frames)
{
	uint32_t filled = xsk_fit_cuts(driver) ? room / KIB * KIB : room;

	return (int64_t)filled * frames - ZEROCOPY_HEADERS;
}
