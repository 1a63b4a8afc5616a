/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Diagnosis: what the kernel has of AF_XDP, what the caller may do, what an interface
 * can do, and which XDP programs and AF_XDP sockets are on it, whoever made them.
 *
 *     xsk_probe_kernel(&kernel)                          found by asking, not by versions
 *     xsk_probe_caller(&caller)                          capabilities, limits
 *     xsk_probe_interface(&interface, "eth0", &error)
 *     n = xsk_probe_programs("eth0", programs, 8, &error)
 *     n = xsk_probe_sockets("eth0", sockets, 64, &error)
 *
 * Nothing is changed: no program is attached, no socket bound, no setting written.
 * (A program that does nothing is loaded for a moment, what is pinned is opened, and the
 * kernel may load its module xsk_diag to answer.) No function needs a capability, but some
 * facts do. One that is not told, for want of a capability or since the kernel is older, is
 * marked so: it is no error.
 *
 * By any thread at any time. The answers are of the moment, and of the network namespace
 * of the calling thread. See xsk_probe(3).
 */
#ifndef XSK_PROBE_H
#define XSK_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include <xsk/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A fact; so a field of a struct that is larger than the library knows is not told. */
#define XSK_PROBE_NOT_TOLD	0
#define XSK_PROBE_NO		1
#define XSK_PROBE_YES		2

/* ---- the kernel ---- */

/* Where no version stands, what was asked is as old as AF_XDP. */
struct xsk_probe_kernel {
	size_t sz;			/* sizeof(struct xsk_probe_kernel), set by the caller */
	char release[64];		/* as uname -r */
	/* Whether the caller can open AF_XDP sockets: code 0, or why not and what to do. */
	struct xsk_error socket;

	/* Facts. Some want a socket to be told (s), some to load a program (p). */
	uint8_t af_xdp;			/* built in, whoever may use it */
	uint8_t need_wakeup;		/* s; 5.4 */
	uint8_t multi_buffer;		/* s; packets of several frames, 6.6 */
	uint8_t tx_metadata;		/* s; with XDP_UMEM_TX_METADATA_LEN, 6.11 */
	uint8_t tx_budget;		/* s; XDP_MAX_TX_SKB_BUDGET, 6.17 */
	uint8_t prefer_busy_poll;	/* 5.11 */
	uint8_t xdp_link;		/* p; programs go with their last user, 5.9 */
	uint8_t xdp_frags;		/* p; programs for packets of several buffers, 5.18 */
	uint8_t jit;			/* p, or root; programs are compiled */
	uint8_t netdev_features;	/* netdev netlink tells what drivers can do, 6.3 */
	uint8_t netdev_queues;		/* and of queues, 6.8 */
	uint8_t napi_set;		/* and sets NAPIs one by one, 6.13 */
	uint8_t socket_list;		/* sock_diag tells of AF_XDP sockets, 5.1 if built so */
	uint8_t socket_stats;		/* s; and their statistics, 5.9 */

	/* Huge pages that a port can take. huge_page_size 0: not told. */
	uint64_t huge_page_size;	/* bytes */
	uint64_t huge_pages;
	uint64_t huge_pages_free;
};

/* -EINVAL: info is NULL, or sz cannot be. */
int xsk_probe_kernel(struct xsk_probe_kernel *info);

/* ---- the caller ---- */

struct xsk_probe_caller {
	size_t sz;			/* sizeof(struct xsk_probe_caller), set by the caller */
	uint32_t uid;			/* effective */

	/* Capabilities in force in this thread: XSK_PROBE_YES or _NO. */
	uint8_t net_raw;		/* to open sockets */
	uint8_t net_admin;		/* to attach programs, and for busy polling */
	uint8_t bpf;			/* to load programs (5.8; sys_admin does for it) */
	uint8_t perfmon;		/* to load those with filters (so it does for this) */
	uint8_t sys_admin;		/* to look at programs of others */
	uint8_t sys_ptrace;		/* to see who holds what, of other users */
	uint8_t ipc_lock;		/* no limit to locked memory */
	/* In a user namespace, where they do not count for programs, nor for memory. */
	uint8_t user_namespace;

	/* RLIMIT_MEMLOCK in bytes, soft and hard; UINT64_MAX: no limit. */
	uint64_t memlock;
	uint64_t memlock_hard;
	uint8_t memlock_matters;	/* to frames; before 5.11 to maps and programs too */
};

/* -EINVAL: info is NULL, or sz cannot be. */
int xsk_probe_caller(struct xsk_probe_caller *info);

/* ---- an interface ---- */

/* What a driver does with XDP, in features. */
#define XSK_PROBE_XDP_BASIC		(1u << 0)	/* native mode: PASS, DROP, TX, ABORTED */
#define XSK_PROBE_XDP_REDIRECT		(1u << 1)	/* and REDIRECT, by which sockets are fed */
#define XSK_PROBE_XDP_NDO_XMIT		(1u << 2)	/* it takes packets that others redirect */
#define XSK_PROBE_XDP_ZEROCOPY		(1u << 3)
#define XSK_PROBE_XDP_HW_OFFLOAD	(1u << 4)	/* programs in the NIC */
#define XSK_PROBE_XDP_RX_SG		(1u << 5)	/* packets of several buffers */
#define XSK_PROBE_XDP_NDO_XMIT_SG	(1u << 6)	/* and takes them */

/* In rx_metadata: what a program can ask about a packet. */
#define XSK_PROBE_RX_TIMESTAMP		(1u << 0)
#define XSK_PROBE_RX_HASH		(1u << 1)
#define XSK_PROBE_RX_VLAN_TAG		(1u << 2)

/* In tx_metadata: what can be asked of the NIC with a frame. */
#define XSK_PROBE_TX_TIMESTAMP		(1u << 0)
#define XSK_PROBE_TX_CHECKSUM		(1u << 1)
#define XSK_PROBE_TX_LAUNCH_TIME	(1u << 2)

struct xsk_probe_interface {
	size_t sz;			/* sizeof(struct xsk_probe_interface), set by the caller */
	char name[16];
	char driver[32];		/* empty: it tells no name */
	char master[16];		/* the bridge or bond that it is a part of; empty: none */
	int32_t ifindex;
	int32_t master_ifindex;		/* 0: none */
	uint32_t type;			/* ARPHRD_* of <net/if_arp.h> */
	uint32_t mtu;
	uint32_t speed;			/* Mbit/s; 0: not told */
	uint32_t rx_queues;		/* in use: ethtool -l */
	uint32_t tx_queues;
	uint32_t max_rx_queues;		/* that it can have in use */
	uint32_t max_tx_queues;
	uint32_t zerocopy_frags;	/* frames that a packet may have there; 0: not told */

	/* Facts. */
	uint8_t ethernet;
	uint8_t up;
	uint8_t carrier;
	uint8_t zerocopy;		/* the driver offers it */
	uint8_t features_told;		/* XSK_PROBE_YES, or not told (before 6.3) */
	uint8_t metadata_told;		/* so with the other two (before 6.8) */
	uint64_t features;		/* XSK_PROBE_XDP_*; they change with the settings */
	uint64_t rx_metadata;		/* XSK_PROBE_RX_* */
	uint64_t tx_metadata;		/* XSK_PROBE_TX_* */

	/*
	 * The largest MTU whose packets fit one frame of so many bytes without a headroom. In
	 * zero-copy 0 where the driver offers none. (Drivers may allow less while a program
	 * is attached in native mode.)
	 */
	uint32_t copy_mtu_2048;
	uint32_t copy_mtu_4096;
	uint32_t zerocopy_mtu_2048;
	uint32_t zerocopy_mtu_4096;
};

/*
 * -EINVAL: a pointer is NULL, or sz cannot be. -ENODEV: there is no such interface in this
 * network namespace. *error says so; NULL is legal. On failure *info is untouched.
 */
int xsk_probe_interface(struct xsk_probe_interface *info, const char *ifname,
			struct xsk_error *error);

/* ---- who holds what ---- */

#define XSK_PROBE_PROCESSES 8

struct xsk_probe_process {
	int32_t pid;
	char name[16];			/* empty: it has ended meanwhile */
};

/* ---- the programs on it ---- */

/* In mode, beside XSK_MODE_NATIVE and XSK_MODE_GENERIC of <xsk/port.h>. */
#define XSK_PROBE_MODE_HARDWARE		(1u << 3)

struct xsk_probe_program {
	size_t sz;			/* sizeof(struct xsk_probe_program), set by the caller */
	uint32_t id;
	uint32_t mode;			/* 0: not told (several before 4.19) */
	uint32_t part_of;		/* the program that it extends: libxdp's dispatcher; or 0 */

	/* Without CAP_SYS_ADMIN only what stands above is told. */
	uint8_t told;			/* XSK_PROBE_YES: name, tag, uid, loaded_ns, xskmap */
	uint8_t xskmap;			/* sockets can be fed by it */
	uint8_t xsks_map;		/* whose map has the name by which others join it */
	uint8_t by_link;		/* XSK_PROBE_YES: goes with its last user; _NO: stays */
	char name[16];
	char xskmap_name[16];
	uint8_t tag[8];			/* the kernel's sum of its instructions */
	uint64_t loaded_ns;		/* CLOCK_BOOTTIME */
	uint32_t uid;			/* who loaded it */
	uint32_t link_id;		/* 0: none, or not told */

	/*
	 * Processes that have the program open, or its link; so most have attached it or
	 * joined it. A link can also be pinned (see pin); one by netlink needs nobody.
	 */
	uint8_t processes_told;		/* XSK_PROBE_YES: none was hidden from the caller */
	uint32_t processes;		/* that were seen, of which these: */
	struct xsk_probe_process process[XSK_PROBE_PROCESSES];

	/*
	 * The file of a bpffs, of those that are mounted where the process is, in which its link
	 * is pinned: so it stays, who ever ends. Else one in which the program is, by which it
	 * does not stay attached. Empty: none was seen.
	 */
	char pin[256];
	uint8_t link_pinned;		/* XSK_PROBE_YES: it is of the link */
	uint8_t pins_told;		/* XSK_PROBE_YES: none was hidden from the caller */
};

/*
 * The programs attached to an interface, and after a dispatcher its components in the order
 * in which they run. Returns how many there are, which may be more than the capacity of
 * programs. programs[0].sz, set by the caller, is the size of each. With capacity 0 they are
 * only counted, and programs may be NULL. Errors as of xsk_probe_interface().
 */
int xsk_probe_programs(const char *ifname, struct xsk_probe_program *programs, int capacity,
		       struct xsk_error *error);

/* ---- the sockets on it ---- */

struct xsk_probe_socket {
	size_t sz;			/* sizeof(struct xsk_probe_socket), set by the caller */
	uint32_t queue;

	/*
	 * XSK_PROBE_YES: all of this. Not told: only that the queue has a socket, as netdev
	 * netlink says (6.15) where sock_diag does not know AF_XDP.
	 */
	uint8_t told;
	uint8_t zerocopy;		/* of its memory; XSK_PROBE_NO: the kernel copies */
	uint8_t stats_told;		/* 5.9 */
	uint32_t inode;
	uint32_t uid;
	uint32_t rx_size, tx_size, fill_size, comp_size;	/* entries; 0: no such ring */

	/* Its memory (UMEM). */
	uint32_t umem_id;
	uint32_t umem_refs;		/* the kernel's count of who uses it */
	uint64_t umem_size;		/* bytes */
	uint32_t frame_size;
	uint32_t headroom;

	/* Packets lost, and why, since it was opened; as in struct xsk_port_stats. */
	uint64_t rx_dropped;
	uint64_t rx_invalid;
	uint64_t rx_ring_full;
	uint64_t rx_fill_empty;
	uint64_t tx_invalid;
	uint64_t tx_ring_empty;

	/* Processes that have it open. */
	uint8_t processes_told;		/* XSK_PROBE_YES: none was hidden from the caller */
	uint32_t processes;		/* that were seen, of which these: */
	struct xsk_probe_process process[XSK_PROBE_PROCESSES];
};

/*
 * The AF_XDP sockets that are bound to an interface, by queue. Arguments, return value and
 * errors as of xsk_probe_programs(). -EOPNOTSUPP: the kernel does not tell.
 */
int xsk_probe_sockets(const char *ifname, struct xsk_probe_socket *sockets, int capacity,
		      struct xsk_error *error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* XSK_PROBE_H */
