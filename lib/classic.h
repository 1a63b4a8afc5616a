/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Programs of classic BPF, and what they say of a packet. They are as libpcap makes
 * them: beside what the kernel takes, "protochain" jumps backward.
 * Source: Documentation/networking/filter.rst of the kernel, bpf_filter() of libpcap.
 */
#ifndef XSK_LIB_CLASSIC_H
#define XSK_LIB_CLASSIC_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a packet, what a program can load. */
#define XSK_CLASSIC_REACH 65535
/* Jumps backward in one run; the headers that "protochain" follows. */
#define XSK_CLASSIC_TURNS 512

struct xsk_classic {
	const struct sock_filter *insns;
	uint32_t count;
};

/* All that follows needs a program that was validated. */

bool xsk_classic_match(const struct xsk_classic *code, const uint8_t *packet, size_t len);

/* How many bytes a load takes: 1, 2 or 4. */
static inline uint32_t xsk_classic_size(uint16_t code)
{
	return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

/* A load that no packet is long enough for. */
static inline bool xsk_classic_out_of_reach(const struct sock_filter *insn)
{
	return insn->k > XSK_CLASSIC_REACH - xsk_classic_size(insn->code);
}

/* Where a jump without condition leads to, from instruction at. */
static inline uint32_t xsk_classic_ja(const struct sock_filter *insn, uint32_t at)
{
	return at + 1 + insn->k;		/* it wraps for those backward */
}

#endif /* XSK_LIB_CLASSIC_H */
