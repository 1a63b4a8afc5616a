/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A frame: a piece of a port's memory (UMEM), as a ring holds it.
 */
#ifndef XSK_FRAME_H
#define XSK_FRAME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where programs inline C. For other languages each of these is a symbol too. */
#ifdef __GNUC_STDC_INLINE__
#define XSK_ALWAYS_INLINE inline __attribute__((__always_inline__))
#elif defined(__GNUC_GNU_INLINE__)
#define XSK_ALWAYS_INLINE static inline __attribute__((__always_inline__))
#else
#define XSK_ALWAYS_INLINE static inline
#endif

/*
 * 16 bytes, laid out as the kernel's struct xdp_desc. addr names the frame and
 * the place in it where the packet starts. A packet may be made to start later or
 * earlier by adding to addr, within the frame; what else there is in addr is the
 * library's. In a packet of several frames (XSK_PORT_MULTI_BUFFER) all but the
 * last have XSK_FRAME_CONTD in options; no other bit is used, they must be 0.
 */
struct xsk_frame {
	uint64_t addr;
	uint32_t len;		/* bytes of the packet in this frame, from addr on */
	uint32_t options;
};

/* The packet goes on in the next frame (the kernel's XDP_PKT_CONTD, 6.6). */
#define XSK_FRAME_CONTD (1u << 0)

/* One queue of a port, see <xsk/port.h>. It begins with what is inlined here. */
struct xsk_queue;

/*
 * Where the packet's bytes are. Of a frame of this queue's memory, which is the
 * caller's: received or allocated, not yet freed or transmitted. Cannot fail, and
 * checks nothing; a frame of other memory gives a pointer to nowhere.
 */
XSK_ALWAYS_INLINE void *xsk_frame_data(const struct xsk_queue *queue,
				       const struct xsk_frame *frame)
{
	return (void *)(*(const uintptr_t *)(const void *)queue + (uintptr_t)frame->addr);
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* XSK_FRAME_H */
