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

/* By this name other processes and other libraries find the map of sockets. */
#define XSK_MAP_NAME "xsks_map"
/* And by this one of ours find the map of counters. */
#define XSK_COUNTERS_NAME "xsk_counters"

/* What a program counts, in uint64_t, each CPU for itself. */
enum { XSK_COUNT_MATCHED, XSK_COUNT_KEPT, XSK_COUNT_PASSED, XSK_COUNTERS };

/* A program that is not loaded yet. Its map 0 is the XSKMAP. */
struct xsk_code {
	const struct bpf_insn *insns;
	size_t count;
	/* The same for kernels that refuse a helper in it (before 5.18); NULL: there is none. */
	const struct bpf_insn *older;
	size_t older_count;
	bool no_frags;		/* packets of several buffers are not to reach it */
	bool filters;		/* no other does: it takes some packets, and leaves others */
	bool counts;		/* and map 1 are its counters */
};

/* dst = value */
static inline struct bpf_insn xsk_insn_mov_imm(uint8_t dst, int32_t value)
{
	return (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				  .dst_reg = dst & 15, .imm = value };
}

/* dst = src */
static inline struct bpf_insn xsk_insn_mov(uint8_t dst, uint8_t src)
{
	return (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
				  .dst_reg = dst & 15, .src_reg = src & 15 };
}

/* dst += value */
static inline struct bpf_insn xsk_insn_add_imm(uint8_t dst, int32_t value)
{
	return (struct bpf_insn){ .code = BPF_ALU64 | BPF_ADD | BPF_K,
				  .dst_reg = dst & 15, .imm = value };
}

/* dst op= src; op is BPF_ADD, BPF_SUB, … */
static inline struct bpf_insn xsk_insn_alu(uint8_t op, uint8_t dst, uint8_t src)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_ALU64 | op | BPF_X),
				  .dst_reg = dst & 15, .src_reg = src & 15 };
}

/* The same in 32 bits, those above become 0: dst op= value, and dst op= src. */
static inline struct bpf_insn xsk_insn_alu32_imm(uint8_t op, uint8_t dst, int32_t value)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_ALU | op | BPF_K),
				  .dst_reg = dst & 15, .imm = value };
}

static inline struct bpf_insn xsk_insn_alu32(uint8_t op, uint8_t dst, uint8_t src)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_ALU | op | BPF_X),
				  .dst_reg = dst & 15, .src_reg = src & 15 };
}

/* dst, of 16 or 32 bits, from the network's order to this machine's */
static inline struct bpf_insn xsk_insn_from_be(uint8_t dst, int32_t bits)
{
	return (struct bpf_insn){ .code = BPF_ALU | BPF_END | BPF_TO_BE,
				  .dst_reg = dst & 15, .imm = bits };
}

/* dst = *(type *)(src + offset); size is BPF_B, BPF_H, BPF_W or BPF_DW */
static inline struct bpf_insn xsk_insn_load(uint8_t size, uint8_t dst, uint8_t src,
					    int16_t offset)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_LDX | BPF_MEM | size),
				  .dst_reg = dst & 15, .src_reg = src & 15, .off = offset };
}

/* *(type *)(dst + offset) = src */
static inline struct bpf_insn xsk_insn_store(uint8_t size, uint8_t dst, int16_t offset,
					     uint8_t src)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_STX | BPF_MEM | size),
				  .dst_reg = dst & 15, .src_reg = src & 15, .off = offset };
}

/* *(type *)(dst + offset) = value */
static inline struct bpf_insn xsk_insn_store_imm(uint8_t size, uint8_t dst, int16_t offset,
						 int32_t value)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_ST | BPF_MEM | size),
				  .dst_reg = dst & 15, .off = offset, .imm = value };
}

/*
 * Jumps, by as many instructions as offset behind the next one: always, or if dst op src or
 * dst op value; op is BPF_JEQ, BPF_JGT, … Those of 32 bits came with 5.1.
 */
static inline struct bpf_insn xsk_insn_ja(int16_t offset)
{
	return (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = offset };
}

static inline struct bpf_insn xsk_insn_jump(uint8_t op, uint8_t dst, uint8_t src, int16_t offset)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_JMP | op | BPF_X), .dst_reg = dst & 15,
				  .src_reg = src & 15, .off = offset };
}

static inline struct bpf_insn xsk_insn_jump_imm(uint8_t op, uint8_t dst, int32_t value,
						int16_t offset)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_JMP | op | BPF_K), .dst_reg = dst & 15,
				  .off = offset, .imm = value };
}

static inline struct bpf_insn xsk_insn_jump32(uint8_t op, uint8_t dst, uint8_t src,
					      int16_t offset)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_JMP32 | op | BPF_X), .dst_reg = dst & 15,
				  .src_reg = src & 15, .off = offset };
}

static inline struct bpf_insn xsk_insn_jump32_imm(uint8_t op, uint8_t dst, int32_t value,
						  int16_t offset)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_JMP32 | op | BPF_K), .dst_reg = dst & 15,
				  .off = offset, .imm = value };
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
