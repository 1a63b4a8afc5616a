/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * AF_XDP sockets: UMEM, the four rings, sockets and the XDP program.
 *
 * A program written for libxdp's <xdp/xsk.h> or for <bpf/xsk.h> of libbpf
 * before 1.0 compiles against this header unchanged. The layout of the structs
 * and the meaning of the verbs are inlined into programs: they are frozen.
 *
 *                user space                          kernel
 *
 *        reserve/submit ──▶ FILL ring ────────▶ takes empty frames
 *        peek/release   ◀── RX ring ◀────────── puts received packets
 *        reserve/submit ──▶ TX ring ──────────▶ takes packets to send
 *        peek/release   ◀── COMPLETION ring ◀── gives the sent frames back
 *
 * Ownership. A frame is a piece of the UMEM, named by its address: its offset
 * from the start of the area. It is in one place at a time. Submitted to FILL
 * or TX it is the kernel's; peeked from RX or COMPLETION it is the program's
 * again. The kernel checks none of this: a frame that stands in two places is
 * overwritten without a word.
 *
 * Rings. The producer reserves n entries, writes them, submits n; the consumer
 * peeks n entries, reads them, releases n. Each ring has one producer and one
 * consumer: a ring struct belongs to one thread at a time.
 *
 * Functions that create return 0 or -errno (or NULL and errno, the _opts
 * forms), and change nothing when they fail. xsk_error_last() of <xsk/error.h>
 * then says what failed, why, and what to do. They may be called from several
 * threads, also on one UMEM. Deleting what another thread still uses is the
 * caller's fault.
 *
 * See xsk(7), xsk_umem__create(3), xsk_socket__create(3), xsk_ring(3),
 * xsk_setup_xdp_prog(3), and Documentation/networking/af_xdp.rst of the kernel.
 */

/* The guard of libbpf's header: one of the two in a program, never both. */
#ifndef __LIBBPF_XSK_H
#define __LIBBPF_XSK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/if_xdp.h>
#include <linux/types.h>

/* Programs rely on it through this header; libxsk's types do not need it. */
#ifdef __has_include
#if __has_include(<bpf/libbpf.h>)
#include <bpf/libbpf.h>
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The verbs are inlined where they are called. Where a program takes the
 * address of one, and for languages that cannot inline C, libxsk exports each
 * of them as a symbol too.
 */
#ifdef __GNUC_STDC_INLINE__
#define XDP_ALWAYS_INLINE inline __attribute__((__always_inline__))
#elif defined(__GNUC_GNU_INLINE__)
#define XDP_ALWAYS_INLINE static inline __attribute__((__always_inline__))
#else
#define XDP_ALWAYS_INLINE static inline
#endif

/*
 * One end of a ring: cached_prod and cached_cons are this end's own view of
 * the two counters, which run freely over 2^32; producer, consumer, flags and
 * ring point into memory that is shared with the kernel. size is a power of
 * two, mask is size - 1. Use the verbs, not the members.
 */
#define DEFINE_XSK_RING(name) \
struct name { \
	__u32 cached_prod; \
	__u32 cached_cons; \
	__u32 mask; \
	__u32 size; \
	__u32 *producer; \
	__u32 *consumer; \
	void *ring; \
	__u32 *flags; \
}

DEFINE_XSK_RING(xsk_ring_prod);		/* FILL and TX */
DEFINE_XSK_RING(xsk_ring_cons);		/* RX and COMPLETION */

struct xsk_umem;
struct xsk_socket;

/* The FILL entry at idx, which reserve gave: write a frame's address there. */
XDP_ALWAYS_INLINE __u64 *xsk_ring_prod__fill_addr(struct xsk_ring_prod *fill,
						  __u32 idx)
{
	return (__u64 *)fill->ring + (idx & fill->mask);
}

/* The COMPLETION entry at idx, which peek gave: the address of a sent frame. */
XDP_ALWAYS_INLINE const __u64 *
xsk_ring_cons__comp_addr(const struct xsk_ring_cons *comp, __u32 idx)
{
	return (const __u64 *)comp->ring + (idx & comp->mask);
}

/* The TX entry at idx, which reserve gave: write address, length, options. */
XDP_ALWAYS_INLINE struct xdp_desc *xsk_ring_prod__tx_desc(struct xsk_ring_prod *tx,
							  __u32 idx)
{
	return (struct xdp_desc *)tx->ring + (idx & tx->mask);
}

/* The RX entry at idx, which peek gave: address and length of a packet. */
XDP_ALWAYS_INLINE const struct xdp_desc *
xsk_ring_cons__rx_desc(const struct xsk_ring_cons *rx, __u32 idx)
{
	return (const struct xdp_desc *)rx->ring + (idx & rx->mask);
}

/*
 * Whether the kernel asks to be woken for this FILL or TX ring (only with
 * XDP_USE_NEED_WAKEUP): then poll(), or for TX sendto(fd, NULL, 0,
 * MSG_DONTWAIT, NULL, 0). Returns 0 or not 0.
 */
XDP_ALWAYS_INLINE int xsk_ring_prod__needs_wakeup(const struct xsk_ring_prod *r)
{
	return *r->flags & XDP_RING_NEED_WAKEUP;
}

/*
 * Free entries of a producer ring. Looks at the consumer's counter only when
 * fewer than nb are known to be free: a result below nb is exact, another may
 * be too small. cached_cons is kept one ring size ahead of the consumer, so
 * that a subtraction is all there is to do.
 */
XDP_ALWAYS_INLINE __u32 xsk_prod_nb_free(struct xsk_ring_prod *r, __u32 nb)
{
	__u32 free_entries = r->cached_cons - r->cached_prod;

	if (free_entries < nb) {
		/* The consumer writes it after its last read of an entry. Pairs
		 * with the release in xsk_ring_cons__release, or the kernel's.
		 */
		r->cached_cons = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE) +
				 r->size;
		free_entries = r->cached_cons - r->cached_prod;
	}
	return free_entries;
}

/*
 * Entries that a consumer ring holds, at most nb. Looks at the producer's
 * counter whenever fewer than nb are known of.
 */
XDP_ALWAYS_INLINE __u32 xsk_cons_nb_avail(struct xsk_ring_cons *r, __u32 nb)
{
	__u32 entries = r->cached_prod - r->cached_cons;

	if (entries >= nb)
		return nb;
	/* The producer writes it after the entries. Pairs with the release in
	 * xsk_ring_prod__submit, or the kernel's.
	 */
	r->cached_prod = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	entries = r->cached_prod - r->cached_cons;
	return entries > nb ? nb : entries;
}

/*
 * Reserves nb entries, all or none: returns nb, and the index of the first in
 * *idx, or 0. Reserved entries are the caller's until submit or cancel.
 */
XDP_ALWAYS_INLINE __u32 xsk_ring_prod__reserve(struct xsk_ring_prod *prod, __u32 nb,
					       __u32 *idx)
{
	if (xsk_prod_nb_free(prod, nb) < nb)
		return 0;

	*idx = prod->cached_prod;
	prod->cached_prod += nb;
	return nb;
}

/* Takes back the reservation of the nb entries that were reserved last. */
XDP_ALWAYS_INLINE void xsk_ring_prod__cancel(struct xsk_ring_prod *prod, __u32 nb)
{
	prod->cached_prod -= nb;
}

/*
 * Gives the kernel the next nb reserved entries. It adds nb to what was
 * submitted before: entries that are reserved beyond those stay reserved.
 */
XDP_ALWAYS_INLINE void xsk_ring_prod__submit(struct xsk_ring_prod *prod, __u32 nb)
{
	/* Only this side writes the counter. Release: the entries, and what
	 * they point to, are seen before it. Pairs with the kernel's acquire.
	 */
	__atomic_store_n(prod->producer, *prod->producer + nb, __ATOMIC_RELEASE);
}

/*
 * Takes up to nb entries: returns how many, and the index of the first in *idx
 * (untouched when 0). They stay in the ring until release.
 */
XDP_ALWAYS_INLINE __u32 xsk_ring_cons__peek(struct xsk_ring_cons *cons, __u32 nb,
					    __u32 *idx)
{
	__u32 entries = xsk_cons_nb_avail(cons, nb);

	if (entries > 0) {
		*idx = cons->cached_cons;
		cons->cached_cons += entries;
	}
	return entries;
}

/* Puts the nb entries that were peeked last back, to be peeked again. */
XDP_ALWAYS_INLINE void xsk_ring_cons__cancel(struct xsk_ring_cons *cons, __u32 nb)
{
	cons->cached_cons -= nb;
}

/* Gives the oldest nb peeked entries (not their frames) back to the kernel. */
XDP_ALWAYS_INLINE void xsk_ring_cons__release(struct xsk_ring_cons *cons, __u32 nb)
{
	/* Only this side writes the counter. Release: the entries were read
	 * before they can be overwritten. Pairs with the kernel's acquire.
	 */
	__atomic_store_n(cons->consumer, *cons->consumer + nb, __ATOMIC_RELEASE);
}

/* Unaligned chunks: the chunk's own address, without the offset. */
XDP_ALWAYS_INLINE __u64 xsk_umem__extract_addr(__u64 addr)
{
	return addr & XSK_UNALIGNED_BUF_ADDR_MASK;
}

/* Unaligned chunks: the offset of the data within the chunk. */
XDP_ALWAYS_INLINE __u64 xsk_umem__extract_offset(__u64 addr)
{
	return addr >> XSK_UNALIGNED_BUF_OFFSET_SHIFT;
}

/* Unaligned chunks: where the data lies, counted from the start of the area. */
XDP_ALWAYS_INLINE __u64 xsk_umem__add_offset_to_addr(__u64 addr)
{
	return xsk_umem__extract_addr(addr) + xsk_umem__extract_offset(addr);
}

/*
 * The pointer to the data at addr, as a ring holds it: aligned or unaligned,
 * with the offset still in its upper 16 bits or already added. Not bounded.
 */
XDP_ALWAYS_INLINE void *xsk_umem__get_data(void *umem_area, __u64 addr)
{
	return (char *)umem_area + xsk_umem__add_offset_to_addr(addr);
}

/*
 * The descriptor of the UMEM (also that of the first socket on it), or of the
 * socket; to poll, send or ask, not to close. The UMEM's number stays the same
 * as long as the UMEM lives; it refers to another socket of the UMEM after its
 * first one was deleted. Returns -EINVAL for NULL; -EBADF for a UMEM whose last
 * socket was deleted where no new one could be made.
 */
int xsk_umem__fd(const struct xsk_umem *umem);
int xsk_socket__fd(const struct xsk_socket *xsk);

#define XSK_RING_CONS__DEFAULT_NUM_DESCS      2048
#define XSK_RING_PROD__DEFAULT_NUM_DESCS      2048
#define XSK_UMEM__DEFAULT_FRAME_SHIFT    12 /* 4096 bytes */
#define XSK_UMEM__DEFAULT_FRAME_SIZE     (1 << XSK_UMEM__DEFAULT_FRAME_SHIFT)
#define XSK_UMEM__DEFAULT_FRAME_HEADROOM 0
#define XSK_UMEM__DEFAULT_FLAGS 0
#define XSK_UMEM__DEFAULT_TX_METADATA_LEN 0

/* Of each field, 0 means the default. */
struct xsk_umem_config {
	__u32 fill_size;	/* entries, a power of two; default 2048 */
	__u32 comp_size;	/* entries, a power of two; default 2048 */
	__u32 frame_size;	/* bytes, 2048 to a page, a power of two unless
				 * chunks are unaligned; default 4096
				 */
	__u32 frame_headroom;	/* bytes kept free before a received packet, on
				 * top of the kernel's own 256; default 0
				 */
	__u32 flags;		/* XDP_UMEM_*; default 0 */
};

/* The same, extensible: sz is the size of the struct that the caller knows. */
struct xsk_umem_opts {
	size_t sz;		/* sizeof(struct xsk_umem_opts) */
	int fd;			/* an AF_XDP socket to use; 0: make one */
	__u64 size;		/* bytes of the area; needed */
	__u32 fill_size;
	__u32 comp_size;
	__u32 frame_size;
	__u32 frame_headroom;
	__u32 flags;
	__u32 tx_metadata_len;	/* bytes before each TX packet, a multiple of 8
				 * below 256; needs Linux 6.11 (or a stable
				 * kernel that has it), else -EINVAL
				 */
	size_t :0;
};
#define xsk_umem_opts__last_field tx_metadata_len

/*
 * Attaches the default program to an interface of this thread's network
 * namespace, or finds the program with an xsks_map that is there, and stores a
 * new descriptor of the map in *xsks_map_fd (the caller closes it; NULL: not
 * wanted). A program attached here stays until this process and all sockets
 * that use it are gone; the process holds two descriptors per interface for it,
 * however often it calls. Needs CAP_NET_ADMIN and CAP_BPF, and CAP_SYS_ADMIN
 * to use a program that others attached.
 * -ENODEV: no such interface. -EBUSY: another program without an xsks_map is
 * attached: detach it, or give it a map of that name. -EPERM: no capability.
 */
int xsk_setup_xdp_prog(int ifindex, int *xsks_map_fd);

/*
 * Puts the socket into an XSKMAP, at the index of its queue; for programs of
 * the user's own, and for a map that another process handed over. The
 * descriptor stays the caller's. -EINVAL: no socket, or the descriptor is not
 * one of an XSKMAP. -EBADF: not a descriptor. -E2BIG: the map is too small for
 * the queue. -EOPNOTSUPP: the socket has no RX ring.
 */
int xsk_socket__update_xskmap(struct xsk_socket *xsk, int xsks_map_fd);

/* For libxdp_flags: leave the program to the caller. */
#define XSK_LIBBPF_FLAGS__INHIBIT_PROG_LOAD (1 << 0)
#define XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD (1 << 0)

/* Of each field, 0 means the default. */
struct xsk_socket_config {
	__u32 rx_size;		/* entries, a power of two; default 2048 */
	__u32 tx_size;		/* entries, a power of two; default 2048 */
	union {
		__u32 libbpf_flags;
		__u32 libxdp_flags;
	};
	__u32 xdp_flags;	/* XDP_FLAGS_SKB_MODE or _DRV_MODE for the
				 * program; default: native where the driver
				 * can, else generic
				 */
	__u16 bind_flags;	/* XDP_COPY or XDP_ZEROCOPY (default: the kernel
				 * chooses), XDP_USE_NEED_WAKEUP, XDP_USE_SG
				 */
};

/* The same, extensible, with the rings: sz is the size the caller knows. */
struct xsk_socket_opts {
	size_t sz;		/* sizeof(struct xsk_socket_opts) */
	struct xsk_ring_cons *rx;	/* rx or tx or both */
	struct xsk_ring_prod *tx;
	struct xsk_ring_prod *fill;	/* both or none; NULL: the UMEM's */
	struct xsk_ring_cons *comp;
	__u32 rx_size;
	__u32 tx_size;
	__u32 libxdp_flags;
	__u32 xdp_flags;
	__u16 bind_flags;
	size_t :0;
};
#define xsk_socket_opts__last_field bind_flags

/*
 * Registers an area of memory as UMEM and makes its FILL and COMPLETION rings.
 *
 * umem_area: page aligned, size bytes: a multiple of the frame size unless
 * chunks are unaligned. It stays the caller's, and must stay mapped until the
 * UMEM is deleted. Huge pages and shared memory are fine.
 * fill, comp: written here; sockets use them unless they are given others. They
 * must live as long as the UMEM. FILL can be filled at any time: what it holds
 * while no queue has it, the next one gets. Where the first socket is given
 * others, these take over what is in them, and the UMEM's show nothing more.
 * config: NULL for the defaults.
 * fd (_with_fd): an AF_XDP socket made elsewhere, for processes without
 * CAP_NET_RAW. It belongs to the UMEM when the call succeeds and stays the
 * caller's when it fails (after -ENOMEM close it: the kernel may have tied the
 * area to it). 0 or less: none, a socket is made.
 *
 * -EINVAL: a NULL, size, alignment, ring size or flag that cannot be.
 * -EPERM: no CAP_NET_RAW. -ENOBUFS: more than RLIMIT_MEMLOCK without
 * CAP_IPC_LOCK: raise the limit or take fewer frames. -EBADF, -ENOTSOCK,
 * -ENOPROTOOPT, -EOPNOTSUPP: fd is not an AF_XDP socket. -EBUSY: fd has a UMEM already.
 * -ENOMEM, -EFAULT: the pages cannot be pinned. -EAFNOSUPPORT: no AF_XDP.
 */
int xsk_umem__create(struct xsk_umem **umem,
		     void *umem_area, __u64 size,
		     struct xsk_ring_prod *fill,
		     struct xsk_ring_cons *comp,
		     const struct xsk_umem_config *config);
int xsk_umem__create_with_fd(struct xsk_umem **umem,
			     int fd, void *umem_area, __u64 size,
			     struct xsk_ring_prod *fill,
			     struct xsk_ring_cons *comp,
			     const struct xsk_umem_config *config);
struct xsk_umem *xsk_umem__create_opts(void *umem_area,
				       struct xsk_ring_prod *fill,
				       struct xsk_ring_cons *comp,
				       struct xsk_umem_opts *opts);

/*
 * Makes a socket on a UMEM, binds it to a queue of an interface of this
 * thread's network namespace, and puts it into the XSKMAP of the program on
 * that interface; the default program is attached (before bind) where there is
 * none. It is detached when the last socket that uses it is gone, also by
 * SIGKILL. A program that is there keeps the mode it is in. A socket without rx
 * needs no program. In zero-copy it takes its share in one that is there, for it
 * may send by that, and attaches the default one where the driver sends only with
 * one (igb); where the interface is down, and the driver cannot tell, it does so
 * if it may.
 *
 * rx, tx: one or both; written on success, the caller's, and to be kept until
 * the socket is deleted.
 * fill, comp: the rings of the socket's queue. A further socket on the same
 * queue of the same interface shares that queue's; one on another queue or
 * interface needs two of its own, which show the rings of no other queue; those
 * of the UMEM go together. NULL: those of the UMEM. Written on success.
 * bind_flags: for a further socket the kernel takes over the mode of the first;
 * a flag that this mode does not fulfil is an error.
 *
 * The kernel frees a queue some time after its last socket is closed: create
 * waits up to 100 ms for it.
 *
 * -EINVAL: a NULL, flag, ring size or queue that cannot be, or rings missing; or
 * in zero-copy a packet of the MTU does not fit the frame: take larger frames.
 * -ENODEV: no such interface here. -EBUSY: the queue belongs to another UMEM,
 * or a program without an xsks_map is attached: stop the one, detach the other.
 * -EOPNOTSUPP: zero-copy demanded and not to be had, or the mode is not that of
 * the UMEM: ask for XDP_COPY; or native XDP demanded of a driver that has none:
 * ask for XDP_FLAGS_SKB_MODE. -E2BIG: the xsks_map found has no place for the
 * queue. -EBADF: the interfaces of the UMEM's sockets are gone: delete these
 * first. -EPERM: no CAP_NET_RAW for a socket, no CAP_NET_ADMIN or CAP_BPF for
 * the program (CAP_SYS_ADMIN to use one that others attached).
 */
int xsk_socket__create(struct xsk_socket **xsk,
		       const char *ifname, __u32 queue_id,
		       struct xsk_umem *umem,
		       struct xsk_ring_cons *rx,
		       struct xsk_ring_prod *tx,
		       const struct xsk_socket_config *config);
int xsk_socket__create_shared(struct xsk_socket **xsk_ptr,
			      const char *ifname,
			      __u32 queue_id, struct xsk_umem *umem,
			      struct xsk_ring_cons *rx,
			      struct xsk_ring_prod *tx,
			      struct xsk_ring_prod *fill,
			      struct xsk_ring_cons *comp,
			      const struct xsk_socket_config *config);
struct xsk_socket *xsk_socket__create_opts(const char *ifname,
					   __u32 queue_id,
					   struct xsk_umem *umem,
					   struct xsk_socket_opts *opts);

/*
 * Delete in any order among the sockets, the UMEM last: -EBUSY while it has
 * sockets. NULL is legal. The rings of a queue are gone with its last socket,
 * and all frames that they held are the caller's again (those of the UMEM's own
 * structs are empty then); the queue is free, and the UMEM can carry new sockets.
 */
int xsk_umem__delete(struct xsk_umem *umem);
void xsk_socket__delete(struct xsk_socket *xsk);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* __LIBBPF_XSK_H */

/* Programs ask for libxdp's version of the interface by this name. */
#ifndef __LIBXDP_XSK_H
#define __LIBXDP_XSK_H
#endif /* __LIBXDP_XSK_H */
