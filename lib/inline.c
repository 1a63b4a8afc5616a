/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The inline verbs as symbols: for programs that take their address, and for
 * languages that cannot inline C. A declaration with extern is what makes the
 * compiler emit an inline function (C11 6.7.4).
 */
#include <xdp/xsk.h>
#include <xsk/frame.h>

extern inline __u64 *xsk_ring_prod__fill_addr(struct xsk_ring_prod *fill, __u32 idx);
extern inline const __u64 *xsk_ring_cons__comp_addr(const struct xsk_ring_cons *comp,
						    __u32 idx);
extern inline struct xdp_desc *xsk_ring_prod__tx_desc(struct xsk_ring_prod *tx, __u32 idx);
extern inline const struct xdp_desc *xsk_ring_cons__rx_desc(const struct xsk_ring_cons *rx,
							     __u32 idx);
extern inline int xsk_ring_prod__needs_wakeup(const struct xsk_ring_prod *r);
extern inline __u32 xsk_prod_nb_free(struct xsk_ring_prod *r, __u32 nb);
extern inline __u32 xsk_cons_nb_avail(struct xsk_ring_cons *r, __u32 nb);
extern inline __u32 xsk_ring_prod__reserve(struct xsk_ring_prod *prod, __u32 nb, __u32 *idx);
extern inline void xsk_ring_prod__cancel(struct xsk_ring_prod *prod, __u32 nb);
extern inline void xsk_ring_prod__submit(struct xsk_ring_prod *prod, __u32 nb);
extern inline __u32 xsk_ring_cons__peek(struct xsk_ring_cons *cons, __u32 nb, __u32 *idx);
extern inline void xsk_ring_cons__cancel(struct xsk_ring_cons *cons, __u32 nb);
extern inline void xsk_ring_cons__release(struct xsk_ring_cons *cons, __u32 nb);
extern inline __u64 xsk_umem__extract_addr(__u64 addr);
extern inline __u64 xsk_umem__extract_offset(__u64 addr);
extern inline __u64 xsk_umem__add_offset_to_addr(__u64 addr);
extern inline void *xsk_umem__get_data(void *umem_area, __u64 addr);
extern inline void *xsk_frame_data(const struct xsk_queue *queue,
				   const struct xsk_frame *frame);
