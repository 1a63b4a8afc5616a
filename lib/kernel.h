/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The kernel's AF_XDP constants that a distribution's headers may lack. What
 * the running kernel has of them is found by asking it, never by a version.
 */
#ifndef XSK_LIB_KERNEL_H
#define XSK_LIB_KERNEL_H

#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <stdint.h>
#include <sys/socket.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#ifndef SO_NETNS_COOKIE			/* 5.14 */
#define SO_NETNS_COOKIE 71
#endif
#ifndef XDP_USE_SG			/* 6.6 */
#define XDP_USE_SG (1 << 4)
#endif
#ifndef XDP_MAX_TX_SKB_BUDGET		/* 6.17 */
#define XDP_MAX_TX_SKB_BUDGET 9
#endif
#ifndef SO_PREFER_BUSY_POLL		/* 5.11 */
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#endif
#ifndef XDP_UMEM_TX_METADATA_LEN	/* 6.11 */
#define XDP_UMEM_TX_METADATA_LEN (1 << 2)
#endif
#ifndef CAP_BPF				/* 5.8 */
#define CAP_BPF 39
#endif
#ifndef BPF_F_XDP_HAS_FRAGS		/* 5.18 */
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif
#define XSK_FUNC_XDP_GET_BUFF_LEN 188	/* a BPF helper, 5.18 */

/* <linux/netdev.h> (6.3), as far as it is asked here */
#define XSK_NETDEV_FAMILY "netdev"
#define XSK_NETDEV_CMD_DEV_GET 1
#define XSK_NETDEV_A_DEV_IFINDEX 1
#define XSK_NETDEV_A_DEV_XDP_FEATURES 3
#define XSK_NETDEV_A_DEV_XDP_ZC_MAX_SEGS 4	/* 6.6 */
#define XSK_NETDEV_A_DEV_XDP_RX_METADATA_FEATURES 5	/* 6.8 */
#define XSK_NETDEV_A_DEV_XSK_FEATURES 6	/* 6.8 */
#define XSK_NETDEV_XDP_ACT_XSK_ZEROCOPY (1 << 3)
#define XSK_NETDEV_CMD_QUEUE_GET 10	/* 6.8 */
#define XSK_NETDEV_A_QUEUE_ID 1
#define XSK_NETDEV_A_QUEUE_IFINDEX 2
#define XSK_NETDEV_A_QUEUE_TYPE 3
#define XSK_NETDEV_A_QUEUE_NAPI_ID 4
#define XSK_NETDEV_A_QUEUE_XSK 7	/* 6.15 */
#define XSK_NETDEV_QUEUE_TYPE_RX 0
#define XSK_NETDEV_QUEUE_TYPE_TX 1
#define XSK_NETDEV_CMD_NAPI_GET 11	/* 6.8 */
#define XSK_NETDEV_CMD_NAPI_SET 14	/* 6.13 */
#define XSK_NETDEV_A_NAPI_IFINDEX 1
#define XSK_NETDEV_A_NAPI_ID 2
#define XSK_NETDEV_A_NAPI_DEFER_HARD_IRQS 5
#define XSK_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT 6

/* struct xdp_umem_reg as of 6.8. Older kernels read the fields they know. */
struct xsk_kernel_umem_reg {
	uint64_t addr;
	uint64_t len;
	uint32_t chunk_size;
	uint32_t headroom;
	uint32_t flags;
	uint32_t tx_metadata_len;
};

/* struct xdp_mmap_offsets up to 5.3: no place for the flags. */
struct xsk_kernel_offset_v1 {
	uint64_t producer;
	uint64_t consumer;
	uint64_t desc;
};

struct xsk_kernel_offsets_v1 {
	struct xsk_kernel_offset_v1 rx;
	struct xsk_kernel_offset_v1 tx;
	struct xsk_kernel_offset_v1 fr;
	struct xsk_kernel_offset_v1 cr;
};

#endif /* XSK_LIB_KERNEL_H */
