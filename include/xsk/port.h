/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A port: all queues of a network interface, their memory, and the XDP program.
 *
 *     xsk_port_open(&port, "eth0", NULL, &error)      one call for all of it
 *     queue = xsk_port_queue(port, 0)                 one for each thread, or all for one
 *
 *     xsk_wait(&queue, 1, timeout)     sleeps until there is work
 *     n = xsk_rx(queue, frames, 64)    frames with packets are the caller's
 *     n = xsk_alloc(queue, frames, 64) empty frames are the caller's
 *     n = xsk_tx(queue, frames, n)     takes what fits; the rest stays the caller's
 *         xsk_free(queue, frames, n)   back to the pool
 *         xsk_flush(queue)             wakes the kernel, if it must be woken
 *
 * The law of ownership. A frame is in exactly one place, and a verb moves it to
 * the next. Each loan has a named return:
 *
 *     pool ─ alloc ─▶ caller ─ tx ─▶ TX ─ kernel ─▶ COMPLETION ─▶ pool
 *     pool ─ refill ─▶ FILL ─ kernel ─▶ RX ─ rx ─▶ caller ─ free ─▶ pool
 *                                                (or ─ tx ─▶ TX: forwarded)
 *
 * xsk_port_stats() counts each place, and the sum is the number of frames.
 *
 * Threads. A queue belongs to one thread at a time; the queues of a port may
 * belong to different threads, and no verb takes a lock. A port is closed when no
 * thread is inside a verb of it. Of ports that share their memory (opts.share), queue i
 * of the one and queue i of the other belong to the same thread; and one is opened on
 * the memory, or closed, when no thread is inside a verb of any of them, nor asks for
 * statistics.
 *
 * A queue as a file: xsk_queue_fd() in the program's own poll(2) or epoll(7).
 *
 * See xsk_port_open(3), xsk_rx(3), xsk_wait(3), xsk(7), and of the kernel
 * Documentation/networking/af_xdp.rst.
 */
#ifndef XSK_PORT_H
#define XSK_PORT_H

#include <stddef.h>
#include <stdint.h>

#include <xsk/error.h>
#include <xsk/filter.h>
#include <xsk/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xsk_port;

/* ---- what to open ---- */

/*
 * Modes, the best first: a port takes the first of the allowed ones that it can
 * have, the same for all of its queues.
 */
#define XSK_MODE_ZEROCOPY	(1u << 0)	/* the NIC works on the frames themselves */
#define XSK_MODE_NATIVE		(1u << 1)	/* the program in the driver; copies */
#define XSK_MODE_GENERIC	(1u << 2)	/* the program in the stack; copies; any driver */

#define XSK_DIRECTION_RX	(1u << 0)
#define XSK_DIRECTION_TX	(1u << 1)

/* How xsk_wait() waits. */
#define XSK_WAIT_SLEEP		0	/* in poll(2), woken by interrupts; at high rates by time */
#define XSK_WAIT_SPIN		1	/* looks at the rings, takes the CPU for itself */
/*
 * The thread does the NIC's work itself (SO_PREFER_BUSY_POLL, 5.11), and the
 * NAPIs of the queues defer their interrupts (per NAPI from 6.13 on, else for the
 * interface). What they were set to is put back at close; after a crash, when the
 * interface is next opened as a port. Where they cannot defer them, or there is no NAPI,
 * the port is opened all the same, and info.wait_text says why.
 */
#define XSK_WAIT_BUSY_POLL	2
/*
 * Looks at the rings for 0.1 ms before it sleeps, as long as that helps: where packets come
 * that soon it is as quick as spinning, and takes as much of the CPU; else it sleeps. At the
 * rates at which who sleeps lets packets gather, it does first.
 */
#define XSK_WAIT_ADAPTIVE	3

/* A frame's owner is kept; see xsk_free() and xsk_tx(). Costs time and 4 bytes a frame. */
#define XSK_PORT_CHECKED	(1u << 0)
/* Packets larger than a frame come and go as runs of frames (6.6). */
#define XSK_PORT_MULTI_BUFFER	(1u << 1)
/* Huge pages: only with them, or never. By default they are used where there are some. */
#define XSK_PORT_HUGE		(1u << 2)
#define XSK_PORT_NO_HUGE	(1u << 3)
/* map_fd is an XSKMAP of the caller's own program; nothing is attached. */
#define XSK_PORT_MAP_FD		(1u << 4)
/*
 * A program without an XSKMAP called xsks_map is detached first, whoever attached it; it
 * does not come back, also where the port cannot be opened for what is found later.
 */
#define XSK_PORT_REPLACE	(1u << 5)
/*
 * Open also where a packet of the MTU does not fit a frame. Such packets are
 * dropped by the kernel then, and counted (rx_dropped; not in native mode before 6.6).
 */
#define XSK_PORT_LARGE_MTU	(1u << 6)
/* The program does not count what opts.filter and opts.keep let through: a little faster. */
#define XSK_PORT_NO_COUNTERS	(1u << 7)
/*
 * One thread has all queues of the port, and of those that share its memory: then a queue
 * whose pool is empty takes frames from the others'. Else each has a pool to itself, and
 * what one queue receives and another one sends ends up in the pool of that: who moves
 * frames so for long must bring some back, or the first has none left to receive with:
 *     n = xsk_free(first, frames, xsk_alloc(other, frames, n));
 */
#define XSK_PORT_ONE_THREAD	(1u << 8)
/* xsk_wait() comes back with the first packet, also at high rates; see there. */
#define XSK_PORT_NO_GATHER	(1u << 9)

/*
 * What goes to the kernel's stack, whatever the filter says, so that the host stays
 * reachable on an interface that a port has. Behind up to two VLAN tags too. A later
 * fragment has no port: of TCP and UDP it is not kept.
 */
#define XSK_KEEP_ARP		(1u << 0)	/* and IPv6 neighbour discovery */
#define XSK_KEEP_DHCP		(1u << 1)	/* to clients and servers, of both versions */
#define XSK_KEEP_ICMP		(1u << 2)	/* of both versions */
#define XSK_KEEP_SSH		(1u << 3)	/* TCP to port 22 */
#define XSK_KEEP_MANAGEMENT	(XSK_KEEP_ARP | XSK_KEEP_DHCP | XSK_KEEP_ICMP | XSK_KEEP_SSH)
/* Ports of the host itself, in opts. */
#define XSK_KEEP_PORTS		15

/* Of each field, 0 means the default. */
struct xsk_port_opts {
	size_t sz;		/* sizeof(struct xsk_port_opts) */
	uint32_t flags;		/* XSK_PORT_*; default none */
	uint32_t modes;		/* XSK_MODE_*, those allowed; default all */
	/*
	 * XSK_DIRECTION_*; default both. Who only sends needs no program. In zero-copy the
	 * host's packets come into the port's frames then: up to half of them are in FILL.
	 */
	uint32_t direction;
	uint32_t first_queue;	/* default 0 */
	uint32_t queues;	/* how many from there on; default all that are in use */
	uint32_t frame_size;	/* bytes, a power of two, 2048 to a page; default 4096 */
	uint32_t frames;	/* for each queue, at least 16; default fill_size and tx_size
				 * together, or of who only receives twice fill_size, of who
				 * only sends, where there is no zero-copy, tx_size
				 */
	uint32_t headroom;	/* bytes kept free in front of a packet, beside the
				 * kernel's own 256 in front of a received one; default 0
				 */
	uint32_t rx_size;	/* entries of the rings, powers of two; default 2048 each */
	uint32_t tx_size;	/* at least 32, as comp_size */
	uint32_t fill_size;
	uint32_t comp_size;
	uint32_t wait;		/* XSK_WAIT_*; default XSK_WAIT_SLEEP */
	uint32_t busy_poll_us;	/* how long a system call polls; default 20 */
	uint32_t busy_poll_budget;	/* packets in one go; default 64 */
	int map_fd;		/* with XSK_PORT_MAP_FD; it stays the caller's */
	struct xsk_port *share;	/* work on the memory of that port; default memory of its own */
	struct xsk_filter *filter;	/* packets to take; default all. It stays the caller's */
	uint32_t keep;		/* XSK_KEEP_*: packets to leave to the kernel; default none */
	/* And those to these ports, in the host's byte order; 0 is none. */
	uint16_t keep_tcp[XSK_KEEP_PORTS];
	uint16_t keep_udp[XSK_KEEP_PORTS];
};

/*
 * Opens all queues of an interface of this thread's network namespace: asks what
 * it can do, allocates the memory, attaches the default program or joins the one that
 * is there, makes the sockets, fills FILL, binds, and waits for the link to come back
 * where that was up and goes down when a program is attached (igb, up to 10 s). The
 * program goes with its last user, also after SIGKILL.
 *
 * On success *port is the caller's, to be closed with xsk_port_close(). On failure
 * *port is untouched, nothing is left behind, and *error says why (so does
 * xsk_error_last()); NULL is legal.
 * opts: NULL for the defaults.
 *
 * With opts.share, memory, frames, frame_size, headroom, the checked mode,
 * XSK_PORT_MULTI_BUFFER and XSK_PORT_ONE_THREAD are those of the other port; frames,
 * frame_size, headroom and huge pages must be 0 here. It may not have more queues, and is in
 * zero-copy if and only if the other is. A queue that receives fills its FILL ring from the
 * pool they share: open the first with frames for both.
 *
 * -EINVAL: an option that cannot be, or queues that the interface has not.
 * -ENODEV: no such interface in this network namespace. -EMSGSIZE: a packet of the
 * MTU does not fit a frame, or RX and FILL have too few for it: XSK_PORT_MULTI_BUFFER, larger
 * frames or rings, a smaller MTU, or XSK_PORT_LARGE_MTU. -EOPNOTSUPP: none of the allowed
 * modes can be had, or the kernel has no multi-buffer: allow another. -EBUSY: a queue is
 * another's, or the interface's program has no XSKMAP: stop the one, replace the other; or
 * that was made for another filter or keep, or with and this without XSK_PORT_NO_COUNTERS:
 * open with the same.
 * -EPERM: no CAP_NET_RAW for sockets, no CAP_NET_ADMIN and CAP_BPF for the program (CAP_PERFMON
 * for one with a filter, CAP_SYS_ADMIN to join one that another port or program attached),
 * CAP_NET_ADMIN for busy polling.
 * -ENOBUFS: more memory than RLIMIT_MEMLOCK without CAP_IPC_LOCK. -ENOMEM: no memory,
 * or no huge pages. -E2BIG: the XSKMAP has no place for a queue: make it larger; or the
 * kernel's verifier gives up on the filter: make it shorter.
 * -EBADF: map_fd is not open. With opts.share: -EBUSY: the caller has frames of the
 * other port: free them first; or the queue is the other port's. -ENOMEM: the others
 * have all frames: open the first with more. -ENOSPC: 256 ports share it. -EBADF: the
 * other's interface is gone: close that port.
 */
int xsk_port_open(struct xsk_port **port, const char *ifname,
		  const struct xsk_port_opts *opts, struct xsk_error *error);

/*
 * Closes its sockets and gives everything back, its share in the program included.
 * All frames are gone with it, also those that the caller has; with shared memory
 * those that it had are the pool's again, and the memory goes with the last port.
 * NULL is legal. Works also when the interface is gone.
 */
void xsk_port_close(struct xsk_port *port);

/*
 * Takes other packets from now on: those that match the filter; with NULL all. What this
 * port keeps is kept. From one packet to the next: one that both filters match is not lost.
 * All ports that share the program get the filter, those of other processes too, and what
 * this port keeps in the place of what they keep. The filter stays the caller's. *error says
 * why not; NULL is legal. By one thread at a time, while others may be inside verbs.
 *
 * -EINVAL: port is NULL; it does not receive, or its program is the caller's own
 * (XSK_PORT_MAP_FD): change that one. -EBUSY: the program is not one of libxsk's. -EPERM: no
 * CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON, or no CAP_SYS_ADMIN where another port attached
 * it. -E2BIG: the kernel's verifier gives up on it: make it shorter. -ENOMEM. -ENODEV: the
 * interface is gone. -ENOLINK: others have detached the program: close the port and open it
 * anew.
 */
int xsk_port_set_filter(struct xsk_port *port, const struct xsk_filter *filter,
			struct xsk_error *error);

/* ---- what was opened ---- */

struct xsk_port_info {
	size_t sz;		/* sizeof(struct xsk_port_info), set by the caller */
	char name[16];		/* of the interface now; it may have been renamed */
	char driver[32];
	/* "native copy; zero-copy refused: driver veth does not offer it" */
	char mode_text[256];
	char wait_text[128];	/* the waiting strategy, and what it did to the NAPIs */
	uint32_t mode;		/* XSK_MODE_*, the one obtained */
	uint32_t direction;	/* XSK_DIRECTION_* */
	uint32_t flags;		/* XSK_PORT_* in force; XSK_PORT_HUGE: there are huge pages */
	uint32_t first_queue;
	uint32_t queues;
	uint32_t rx_queues;	/* of the interface, in use now: ethtool -l */
	uint32_t tx_queues;
	uint32_t mtu;		/* now */
	uint32_t max_frags;	/* frames that a packet may have; 1: no multi-buffer */
	uint32_t frame_size;
	uint32_t headroom;
	uint32_t room;		/* bytes that a received packet may have in one frame */
	uint32_t frames;	/* of the memory, all queues */
	uint32_t rx_size, tx_size, fill_size, comp_size;
	uint32_t wait;		/* XSK_WAIT_* */
	uint32_t prog_id;	/* of the program that feeds it; 0: none, or the caller's */
	int32_t ifindex;
	uint8_t up;		/* the interface is up and has a carrier, now */
	uint8_t gone;		/* the interface is gone */
};

/* Fills *info. By any threads at any time, but while the port is closed. -EINVAL: sz cannot be. */
int xsk_port_info(const struct xsk_port *port, struct xsk_port_info *info);

/* Queue index, counted from 0 (which is opts.first_queue); NULL: there is none. */
struct xsk_queue *xsk_port_queue(const struct xsk_port *port, unsigned int index);

/* The interface's number of the queue. */
uint32_t xsk_queue_id(const struct xsk_queue *queue);

/*
 * XSK_DIRECTION_*: what it can do. An interface may have more queues of the one
 * kind than of the other.
 */
uint32_t xsk_queue_direction(const struct xsk_queue *queue);

/*
 * Its socket, for poll(2) and epoll(7): readable when packets wait. It stays the
 * queue's. Before sleeping call xsk_flush(), which also says when the interface is
 * gone (poll never does): so sleep for a bounded time.
 */
int xsk_queue_fd(const struct xsk_queue *queue);

/* ---- statistics ---- */

/* Since open. Counters are of the port, or of one queue. */
struct xsk_port_stats {
	size_t sz;		/* sizeof(struct xsk_port_stats), set by the caller */

	/*
	 * Frames by place: of all ports that share the memory. The six add up to
	 * frames, at any moment when no thread is inside a verb. FILL includes what
	 * the driver took from it, TX what the NIC has not completed.
	 */
	uint64_t frames;
	uint64_t in_pool, in_fill, in_rx, in_tx, in_comp;
	int64_t in_caller;		/* of one queue less than 0, where others' are freed */

	uint64_t rx_packets, rx_bytes;	/* that xsk_rx() gave */
	uint64_t tx_packets, tx_bytes;	/* that xsk_tx() took */

	/*
	 * The kernel's (XDP_STATISTICS): packets lost, and why. When it copies, a packet
	 * that found no frame in FILL is counted twice: in rx_dropped and in rx_fill_empty;
	 * one of several frames that found some, but too few, in rx_dropped alone.
	 */
	uint64_t rx_dropped;		/* too large for the frames, or too few frames for it */
	uint64_t rx_invalid;
	uint64_t rx_ring_full;		/* xsk_rx() came too late */
	uint64_t rx_fill_empty;		/* no frame for it: the caller has too many */
	uint64_t tx_invalid;
	uint64_t tx_ring_empty;

	/* Kicks by outcome. */
	uint64_t kicks;
	uint64_t kick_again;		/* EAGAIN, ENOBUFS: there is more to do */
	uint64_t kick_busy;		/* EBUSY: the driver dropped a packet */
	uint64_t kick_down;		/* ENETDOWN: the interface is down */
	uint64_t kick_failed;		/* anything else */

	/*
	 * Calls of verbs that refused something for a fault of the program: -EINVAL,
	 * -EOPNOTSUPP, and -EMSGSIZE of xsk_tx(). Not that of xsk_rx(), to be asked again.
	 */
	uint64_t refused;
	/*
	 * That the kernel gave and did not have; ignored. All of them in a checked port and
	 * with shared memory; else completions beyond the memory, or more than were sent.
	 */
	uint64_t bad_frames;

	/* Ring levels: entries that the other side has not taken yet. */
	uint64_t fill_level, rx_level, tx_level, comp_level;

	/*
	 * What the program did with the packets of the interface, all of its queues: those
	 * that matched, and went to a socket where one is; that were kept for the kernel;
	 * that did not match, and were passed to it. 0 with neither filter nor keep, or with
	 * XSK_PORT_NO_COUNTERS; and of a queue. Ports that share the program see the same,
	 * but one without a filter sees only what another one has given it since.
	 */
	uint64_t filter_matched, filter_kept, filter_passed;
};

/*
 * Of all queues, or of one (then pool and caller are those of its pool, and frames
 * is the sum of what is counted). One system call a queue, and one for the counters of
 * a filter, none of them on the path of the packets. By any threads at any time but of
 * open and close (see above); exact when no thread is inside a verb. -EINVAL: sz cannot be.
 */
int xsk_port_stats(const struct xsk_port *port, struct xsk_port_stats *stats);
int xsk_queue_stats(const struct xsk_queue *queue, struct xsk_port_stats *stats);

/* ---- the verbs ---- */

/*
 * They move frames of the queue's memory, whichever of its queues they came by. A count
 * that is negative, the error of the verb before, is returned as it is, so errors pass
 * through; but mind "n - sent" where sent is one: all n are the caller's then. Where
 * one of them returns less than 0, xsk_error_last() says why. -ENODEV: the interface is
 * gone, or in another namespace: close the port. Each says so within half a second of
 * calls, but xsk_free(), which goes on working. Who finds nothing to do, or has not flushed
 * for long, looks for that, with two system calls every 100 ms, on no packet's way.
 */

/*
 * Takes up to n received packets and refills FILL: before it, and after it where more than a
 * sixteenth of the frames for FILL, or any of fewer than 1024, would lack while the caller has
 * them; in zero-copy always. Returns the number of frames,
 * which are the caller's; 0: none. It never ends inside a packet: with
 * XSK_PORT_MULTI_BUFFER n is to be at least info.max_frags; -EMSGSIZE: the next
 * packet has more frames than n.
 * -ENODEV: when nothing was received, and within half a second of the end.
 * -EOPNOTSUPP: the queue does not receive.
 */
int xsk_rx(struct xsk_queue *queue, struct xsk_frame *frames, int n);

/*
 * Takes up to n empty frames from the pool: addr is set, len is 0. Returns how
 * many, which are the caller's; 0: the pool is empty, and will have more when others
 * are freed, or their transmission ends.
 */
int xsk_alloc(struct xsk_queue *queue, struct xsk_frame *frames, int n);

/*
 * Gives n frames back to the pool: allocated or received ones; addr may be anywhere
 * in the frame. Returns n; all or none. The kernel gets them for FILL at the next xsk_rx(), or,
 * if that many lack there, xsk_flush() or xsk_wait().
 * -EINVAL: a frame that does not exist here, or with XSK_PORT_CHECKED one that is
 * not the caller's: freed or transmitted before, or of another port. The error names
 * both owners. Mend the program; the frame is where it was.
 */
int xsk_free(struct xsk_queue *queue, const struct xsk_frame *frames, int n);

/*
 * Puts frames into the TX ring, whole packets only. Returns how many it took, which
 * are the kernel's now and come back to the pool by themselves; the rest stays the
 * caller's: free it, or try again after xsk_flush(). 0: no room, so wait.
 * They need not be sent before xsk_flush() or xsk_wait().
 * The first frame that cannot be sent ends it, or when it is the first of all:
 * -EINVAL: length 0, or a packet that leaves its frame or does not end, or with
 * XSK_PORT_CHECKED a frame that is not the caller's (as for xsk_free()).
 * -EMSGSIZE: more than info.max_frags frames. -EOPNOTSUPP: the queue does not send.
 * -ENODEV, and -ENXIO: the queue was switched off (ethtool -L); all stay the caller's.
 */
int xsk_tx(struct xsk_queue *queue, const struct xsk_frame *frames, int n);

/*
 * Has the kernel send what TX holds, and look at FILL, if it must be told: at most one
 * system call to do so. Returns how many frames are left
 * in TX that the kernel must be told of once more: flush again, or wait; 0: none.
 * -ENETDOWN: the interface is down; what TX holds is sent when it is up and flushed.
 * -ENXIO: the queue was switched off (ethtool -L). -ENODEV. Another: the driver's, which
 * refuses to send; the reason names the queue. What TX holds stays there: close the port.
 */
int xsk_flush(struct xsk_queue *queue);

/*
 * Flushes the n queues (at most XSK_WAIT_MAX, of one port or several), and waits until
 * one of them has packets; or, which is said once, room for the packet that xsk_tx() last
 * had none for; or, where xsk_alloc() last gave fewer than were asked for, more frames
 * than it gave, or some that were sent and are back. Returns how many of them do; 0:
 * timeout_ms is over (-1: never; 0: does not wait).
 * The strategy is that of the first one's port. Asleep, at some 300,000 packets a second and
 * more, it lets packets gather for about 0.1 ms first, as long as they come no slower for it
 * (XSK_PORT_NO_GATHER: never). With XSK_WAIT_ADAPTIVE too.
 * A link that is down, or a queue that is switched off, is waited for as others are.
 * -EINTR: a signal came, asleep. One that came just before the sleep is not noticed, and with
 * XSK_WAIT_SPIN and XSK_WAIT_BUSY_POLL none is: who looks at a flag of a handler gives a time;
 * or reads signals from a signalfd(2), beside xsk_queue_fd(), in an epoll(7) of its own.
 * -ENODEV: one's interface is gone, within half a second. -EINVAL: n, or a queue that is
 * NULL. Another: the driver refuses to send, as xsk_flush() says. Packets
 * that are there come before either.
 */
#define XSK_WAIT_MAX 256
int xsk_wait(struct xsk_queue *const *queues, int n, int timeout_ms);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* XSK_PORT_H */
