/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Encoders for eBPF instructions, one function an instruction, in the order of
 * the assembler: destination, source, offset or constant.
 * Source: Documentation/bpf/standardization/instruction-set.rst of the kernel.
 */
#ifndef XSK_LIB_INSN_H
#define XSK_LIB_INSN_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A program that is not loaded yet. */
struct xsk_code {
	const struct bpf_insn *insns;
	size_t count;
	bool no_frags;		/* packets of several buffers are not to reach it */
};

/* dst = value */
static inline struct bpf_insn xsk_insn_mov_imm(uint8_t dst, int32_t value)
{
	return (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				  .dst_reg = dst & 15, .imm = value };
}

/* dst = *(type *)(src + offset); size is BPF_B, BPF_H, BPF_W or BPF_DW */
static inline struct bpf_insn xsk_insn_load(uint8_t size, uint8_t dst, uint8_t src,
					    int16_t offset)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_LDX | BPF_MEM | size),
				  .dst_reg = dst & 15, .src_reg = src & 15, .off = offset };
}

/*
 * dst = map number index of those that the program is loaded with: the first
 * of two instructions, the second is xsk_insn_wide_end(). Loading puts the
 * map's descriptor in the place of its index.
 */
static inline struct bpf_insn xsk_insn_map(uint8_t dst, int32_t index)
{
	return (struct bpf_insn){ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = dst & 15,
				  .src_reg = BPF_PSEUDO_MAP_FD, .imm = index };
}

static inline struct bpf_insn xsk_insn_wide_end(void)
{
	return (struct bpf_insn){ .code = 0 };
}

static inline bool xsk_insn_is_map(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_DW | BPF_IMM) &&
	       insn->src_reg == BPF_PSEUDO_MAP_FD;
}

/* r0 = helper(r1, …, r5) */
static inline struct bpf_insn xsk_insn_call(int32_t helper)
{
	return (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = helper };
}

/* return r0 */
static inline struct bpf_insn xsk_insn_exit(void)
{
	return (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
}

#endif /* XSK_LIB_INSN_H */
