/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The verifier wants each load to be proven inside of the packet: a comparison with the
 * packet's end before it. What was proven on all ways to an instruction need not be proven
 * again, so how much that is is followed through the program.
 */
#include "translate.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "assembly.h"
#include "classic.h"

/* On the stack: the scratch memory, and how often a program may still jump backward. */
#define MEM(k) ((int16_t)(-4 * ((int)(k) + 1)))
#define TURNS ((int16_t)(-4 * BPF_MEMWORDS - 8))

/* Jumps behind instructions of 16 bits; loads too. */
#define MAX_OFFSET 32000
#define NOT_REACHED UINT32_MAX
/* Looks at each instruction, on average. */
#define MAX_LOOKS 64

struct translation {
	struct xsk_assembly *as;
	const struct xsk_classic *code;
	uint32_t *proven;	/* bytes of the packet that are there, before each instruction */
	uint32_t *leads;	/* where a jump to each instruction leads, over forward jumps */
	uint32_t *at;		/* where its eBPF begins */
	/* Instructions to be looked at, once more: each is there once. */
	uint32_t *todo;
	uint32_t todo_count;
	bool *queued;
	uint32_t now;		/* those up to this one have been looked at */
	uint64_t looks;
};

static bool is_ja(const struct sock_filter *insn)
{
	return insn->code == (BPF_JMP | BPF_JA);
}

static bool is_backward(const struct sock_filter *insn)
{
	return is_ja(insn) && (int32_t)insn->k < 0;
}

static bool loads_packet(const struct sock_filter *insn)
{
	uint16_t class = BPF_CLASS(insn->code), mode = BPF_MODE(insn->code);

	return (class == BPF_LD || class == BPF_LDX) &&
	       (mode == BPF_ABS || mode == BPF_IND || mode == BPF_MSH);
}

bool xsk_translate_needs_len(const struct xsk_classic *code)
{
	for (uint32_t i = 0; i < code->count; i++) {
		uint16_t class = BPF_CLASS(code->insns[i].code);

		if ((class == BPF_LD || class == BPF_LDX) &&
		    BPF_MODE(code->insns[i].code) == BPF_LEN)
			return true;
	}
	return false;
}

/* ---- where it goes, and what it knows there ---- */

/* A jump to a jump leads to where that leads. */
static void follow(struct translation *tr)
{
	for (uint32_t i = tr->code->count; i--;) {
		const struct sock_filter *insn = &tr->code->insns[i];

		tr->leads[i] = is_ja(insn) && !is_backward(insn) ?
			       tr->leads[xsk_classic_ja(insn, i)] : i;
	}
}

static int32_t label_of(const struct translation *tr, uint32_t at)
{
	const struct sock_filter *insn = &tr->code->insns[at];

	if (insn->code != (BPF_RET | BPF_K))
		return (int32_t)at;
	return insn->k ? XSK_LABEL_MATCH : XSK_LABEL_PASS;
}

/* What is known behind a load, if it did not leave the program. */
static uint32_t proven_behind(const struct sock_filter *insn, uint32_t before)
{
	uint32_t end;

	if (!loads_packet(insn) || BPF_MODE(insn->code) == BPF_IND)
		return before;
	end = insn->k + xsk_classic_size(insn->code);
	return end > before ? end : before;
}

/*
 * One way more leads there, and less may be known than before. Of a program that was looked
 * at for long nothing is known any more: so there is an end.
 */
static void reach(struct translation *tr, uint32_t at, uint32_t proven)
{
	if (tr->looks > (uint64_t)MAX_LOOKS * tr->code->count)
		proven = 0;
	if (tr->proven[at] <= proven)
		return;
	tr->proven[at] = proven;
	if (at > tr->now || tr->queued[at])
		return;
	tr->queued[at] = true;
	tr->todo[tr->todo_count++] = at;
}

/* A jump to a verdict leaves the program, and reaches no instruction. */
static void reach_by_jump(struct translation *tr, uint32_t at, uint32_t proven)
{
	at = tr->leads[at];
	if (label_of(tr, at) >= 0)
		reach(tr, at, proven);
}

static void spread(struct translation *tr, uint32_t at)
{
	const struct sock_filter *insn = &tr->code->insns[at];
	uint32_t proven = tr->proven[at];

	tr->looks++;
	if (BPF_CLASS(insn->code) == BPF_RET)
		return;
	if (BPF_CLASS(insn->code) == BPF_JMP && !is_ja(insn)) {
		reach_by_jump(tr, at + 1 + insn->jt, proven);
		reach_by_jump(tr, at + 1 + insn->jf, proven);
		return;
	}
	if (is_ja(insn))
		reach_by_jump(tr, xsk_classic_ja(insn, at), proven);
	else if (!loads_packet(insn) || !xsk_classic_out_of_reach(insn))
		reach(tr, at + 1, proven_behind(insn, proven));
}

/* Once in their order, and then what backward jumps have changed, until nothing does. */
static void analyse(struct translation *tr)
{
	for (uint32_t i = 0; i < tr->code->count; i++)
		tr->proven[i] = NOT_REACHED;
	tr->proven[0] = 0;
	for (tr->now = 0; tr->now < tr->code->count; tr->now++)
		if (tr->proven[tr->now] != NOT_REACHED)
			spread(tr, tr->now);
	while (tr->todo_count) {
		uint32_t at = tr->todo[--tr->todo_count];

		tr->queued[at] = false;
		spread(tr, at);
	}
}

/* ---- jumps ---- */

/* The instruction that stands behind this one: those that nothing leads to are left out. */
static uint32_t next_of(const struct translation *tr, uint32_t at)
{
	do {
		at++;
	} while (at < tr->code->count && tr->proven[at] == NOT_REACHED);
	return at;
}

static void emit_ja(struct translation *tr, uint32_t from, uint32_t to)
{
	if (to != next_of(tr, from))
		xsk_emit_jump(tr->as, xsk_insn_ja(0), label_of(tr, to));
}

/*
 * The verifier goes through each turn. Where it knew what X can be, that would be another
 * thing after each way through the program, and their number would grow without end: so it is
 * made to forget it, by a number that it does not know.
 */
static void emit_back(struct translation *tr, uint32_t to)
{
	struct xsk_assembly *as = tr->as;

	xsk_emit(as, xsk_insn_load(BPF_DW, BPF_REG_2, BPF_REG_10, TURNS));
	xsk_emit_jump(as, xsk_insn_jump_imm(BPF_JEQ, BPF_REG_2, 0, 0), XSK_LABEL_PASS);
	xsk_emit(as, xsk_insn_add_imm(BPF_REG_2, -1));
	xsk_emit(as, xsk_insn_store(BPF_DW, BPF_REG_10, TURNS, BPF_REG_2));
	xsk_emit(as, xsk_insn_load(BPF_W, BPF_REG_2, XSK_REG_CTX,
				   offsetof(struct xdp_md, rx_queue_index)));
	xsk_emit(as, xsk_insn_alu32(BPF_XOR, XSK_REG_X, BPF_REG_2));
	xsk_emit(as, xsk_insn_alu32(BPF_XOR, XSK_REG_X, BPF_REG_2));
	xsk_emit_jump(as, xsk_insn_ja(0), label_of(tr, tr->leads[to]));
}

static void emit_if(struct translation *tr, const struct sock_filter *insn, uint8_t op,
		    uint32_t to)
{
	struct bpf_insn jump = BPF_SRC(insn->code) == BPF_X ?
			       xsk_insn_jump32(op, XSK_REG_A, XSK_REG_X, 0) :
			       xsk_insn_jump32_imm(op, XSK_REG_A, (int32_t)insn->k, 0);

	xsk_emit_jump(tr->as, jump, label_of(tr, to));
}

/* 0: there is none. */
static uint8_t opposite(uint8_t op)
{
	switch (op) {
	case BPF_JEQ:
		return BPF_JNE;
	case BPF_JGT:
		return BPF_JLE;
	case BPF_JGE:
		return BPF_JLT;
	}
	return 0;
}

static void emit_branch(struct translation *tr, uint32_t at)
{
	const struct sock_filter *insn = &tr->code->insns[at];
	uint32_t yes = tr->leads[at + 1 + insn->jt];
	uint32_t no = tr->leads[at + 1 + insn->jf];
	uint8_t op = BPF_OP(insn->code);

	if (yes == no) {
		emit_ja(tr, at, yes);
	} else if (yes == next_of(tr, at) && opposite(op)) {
		emit_if(tr, insn, opposite(op), no);
	} else {
		emit_if(tr, insn, op, yes);
		emit_ja(tr, at, no);
	}
}

static void emit_jmp(struct translation *tr, uint32_t at)
{
	const struct sock_filter *insn = &tr->code->insns[at];

	if (!is_ja(insn))
		emit_branch(tr, at);
	else if (is_backward(insn))
		emit_back(tr, xsk_classic_ja(insn, at));
	else
		emit_ja(tr, at, tr->leads[xsk_classic_ja(insn, at)]);
}

static void emit_ret(struct translation *tr, const struct sock_filter *insn)
{
	struct xsk_assembly *as = tr->as;

	if (BPF_RVAL(insn->code) == BPF_A)
		xsk_emit_jump(as, xsk_insn_jump32_imm(BPF_JNE, XSK_REG_A, 0, 0), XSK_LABEL_MATCH);
	xsk_emit_jump(as, xsk_insn_ja(0), BPF_RVAL(insn->code) != BPF_A && insn->k ?
		      XSK_LABEL_MATCH : XSK_LABEL_PASS);
}

/* ---- loads and stores ---- */

static void emit_load(struct translation *tr, uint8_t dst, uint8_t src, int32_t offset,
		      uint32_t size)
{
	uint8_t type = size == 4 ? BPF_W : size == 2 ? BPF_H : BPF_B;

	xsk_emit(tr->as, xsk_insn_load(type, dst, src, (int16_t)offset));
	if (size > 1)
		xsk_emit(tr->as, xsk_insn_from_be(dst, (int32_t)size * 8));
}

/* From an offset that the program knows. */
static void emit_absolute(struct translation *tr, uint32_t at, uint8_t dst)
{
	const struct sock_filter *insn = &tr->code->insns[at];
	uint32_t size = xsk_classic_size(insn->code), end = insn->k + size;
	bool proven = end <= tr->proven[at];
	struct xsk_assembly *as = tr->as;

	if (!proven || insn->k > MAX_OFFSET) {
		xsk_emit(as, xsk_insn_mov(BPF_REG_2, XSK_REG_DATA));
		xsk_emit(as, xsk_insn_add_imm(BPF_REG_2, (int32_t)end));
	}
	if (!proven)
		xsk_emit_jump(as, xsk_insn_jump(BPF_JGT, BPF_REG_2, XSK_REG_END, 0),
			      XSK_LABEL_PASS);
	if (insn->k > MAX_OFFSET)
		emit_load(tr, dst, BPF_REG_2, -(int32_t)size, size);
	else
		emit_load(tr, dst, XSK_REG_DATA, (int32_t)insn->k, size);
}

/* From X and an offset. The verifier wants to see that it cannot wrap. */
static void emit_indirect(struct translation *tr, const struct sock_filter *insn)
{
	uint32_t size = xsk_classic_size(insn->code), end = insn->k + size;
	struct xsk_assembly *as = tr->as;

	xsk_emit_jump(as, xsk_insn_jump_imm(BPF_JGT, XSK_REG_X,
					    (int32_t)(XSK_CLASSIC_REACH - end), 0),
		      XSK_LABEL_PASS);
	xsk_emit(as, xsk_insn_mov(BPF_REG_2, XSK_REG_DATA));
	xsk_emit(as, xsk_insn_alu(BPF_ADD, BPF_REG_2, XSK_REG_X));
	xsk_emit(as, xsk_insn_add_imm(BPF_REG_2, (int32_t)end));
	xsk_emit_jump(as, xsk_insn_jump(BPF_JGT, BPF_REG_2, XSK_REG_END, 0), XSK_LABEL_PASS);
	emit_load(tr, XSK_REG_A, BPF_REG_2, -(int32_t)size, size);
}

static void emit_packet(struct translation *tr, uint32_t at)
{
	const struct sock_filter *insn = &tr->code->insns[at];
	struct xsk_assembly *as = tr->as;

	if (xsk_classic_out_of_reach(insn)) {
		xsk_emit_jump(as, xsk_insn_ja(0), XSK_LABEL_PASS);
		return;
	}
	switch (BPF_MODE(insn->code)) {
	case BPF_ABS:
		emit_absolute(tr, at, XSK_REG_A);
		return;
	case BPF_IND:
		emit_indirect(tr, insn);
		return;
	}
	/* The length of an IPv4 header. */
	emit_absolute(tr, at, XSK_REG_X);
	xsk_emit(as, xsk_insn_alu32_imm(BPF_AND, XSK_REG_X, 15));
	xsk_emit(as, xsk_insn_alu32_imm(BPF_LSH, XSK_REG_X, 2));
}

static void emit_ld(struct translation *tr, uint32_t at)
{
	const struct sock_filter *insn = &tr->code->insns[at];
	uint8_t dst = BPF_CLASS(insn->code) == BPF_LD ? XSK_REG_A : XSK_REG_X;

	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		xsk_emit(tr->as, xsk_insn_alu32_imm(BPF_MOV, dst, (int32_t)insn->k));
		return;
	case BPF_MEM:
		xsk_emit(tr->as, xsk_insn_load(BPF_W, dst, BPF_REG_10, MEM(insn->k)));
		return;
	case BPF_LEN:
		xsk_emit(tr->as, xsk_insn_mov(dst, XSK_REG_LEN));
		return;
	}
	emit_packet(tr, at);
}

/* ---- arithmetic ---- */

static void emit_alu_x(struct translation *tr, uint8_t op)
{
	struct xsk_assembly *as = tr->as;

	switch (op) {
	case BPF_DIV:
	case BPF_MOD:
		xsk_emit_jump(as, xsk_insn_jump32_imm(BPF_JEQ, XSK_REG_X, 0, 0), XSK_LABEL_PASS);
		break;
	case BPF_LSH:
	case BPF_RSH:
		/* By 32 and more all bits are shifted out; eBPF would take them modulo 32. */
		xsk_emit(as, xsk_insn_jump32_imm(BPF_JLE, XSK_REG_X, 31, 2));
		xsk_emit(as, xsk_insn_alu32_imm(BPF_MOV, XSK_REG_A, 0));
		xsk_emit(as, xsk_insn_ja(1));
	}
	xsk_emit(as, xsk_insn_alu32(op, XSK_REG_A, XSK_REG_X));
}

static void emit_alu(struct translation *tr, const struct sock_filter *insn)
{
	uint8_t op = BPF_OP(insn->code);

	if (op == BPF_NEG)
		xsk_emit(tr->as, xsk_insn_alu32_imm(BPF_NEG, XSK_REG_A, 0));
	else if (BPF_SRC(insn->code) == BPF_X)
		emit_alu_x(tr, op);
	else
		xsk_emit(tr->as, xsk_insn_alu32_imm(op, XSK_REG_A, (int32_t)insn->k));
}

/* ---- all of it ---- */

static void emit_one(struct translation *tr, uint32_t at)
{
	const struct sock_filter *insn = &tr->code->insns[at];

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
	case BPF_LDX:
		emit_ld(tr, at);
		break;
	case BPF_ST:
		xsk_emit(tr->as, xsk_insn_store(BPF_W, BPF_REG_10, MEM(insn->k), XSK_REG_A));
		break;
	case BPF_STX:
		xsk_emit(tr->as, xsk_insn_store(BPF_W, BPF_REG_10, MEM(insn->k), XSK_REG_X));
		break;
	case BPF_ALU:
		emit_alu(tr, insn);
		break;
	case BPF_JMP:
		emit_jmp(tr, at);
		break;
	case BPF_RET:
		emit_ret(tr, insn);
		break;
	default:
		xsk_emit(tr->as, BPF_MISCOP(insn->code) == BPF_TAX ?
			 xsk_insn_mov(XSK_REG_X, XSK_REG_A) : xsk_insn_mov(XSK_REG_A, XSK_REG_X));
	}
}

/* All that can be read is written first: the verifier wants it, and 0 is what is there. */
static void emit_start(struct translation *tr)
{
	const struct xsk_classic *code = tr->code;
	uint32_t read = 0;
	bool turns = false;

	xsk_emit(tr->as, xsk_insn_alu32_imm(BPF_MOV, XSK_REG_A, 0));
	xsk_emit(tr->as, xsk_insn_alu32_imm(BPF_MOV, XSK_REG_X, 0));
	for (uint32_t i = 0; i < code->count; i++) {
		uint16_t class = BPF_CLASS(code->insns[i].code);

		if ((class == BPF_LD || class == BPF_LDX) &&
		    BPF_MODE(code->insns[i].code) == BPF_MEM)
			read |= 1U << code->insns[i].k;
		turns = turns || is_backward(&code->insns[i]);
	}
	for (uint32_t k = 0; k < BPF_MEMWORDS; k++)
		if (read & 1U << k)
			xsk_emit(tr->as, xsk_insn_store_imm(BPF_W, BPF_REG_10, MEM(k), 0));
	if (turns)
		xsk_emit(tr->as, xsk_insn_store_imm(BPF_DW, BPF_REG_10, TURNS, XSK_CLASSIC_TURNS));
}

void xsk_translate(struct xsk_assembly *as, const struct xsk_classic *code)
{
	struct translation tr = { .as = as, .code = code };

	tr.proven = calloc(code->count, sizeof(*tr.proven));
	tr.leads = calloc(code->count, sizeof(*tr.leads));
	tr.at = calloc(code->count, sizeof(*tr.at));
	tr.todo = calloc(code->count, sizeof(*tr.todo));
	tr.queued = calloc(code->count, sizeof(*tr.queued));
	if (tr.proven && tr.leads && tr.at && tr.todo && tr.queued) {
		follow(&tr);
		analyse(&tr);
		emit_start(&tr);
		for (uint32_t i = 0; i < code->count; i++) {
			if (tr.proven[i] == NOT_REACHED)
				continue;
			xsk_assembly_shorten(as);
			tr.at[i] = as->count;
			emit_one(&tr, i);
		}
		xsk_assembly_bind_all(as, tr.at);
	} else {
		as->err = as->err ? as->err : -ENOMEM;
	}
	free(tr.proven);
	free(tr.leads);
	free(tr.at);
	free(tr.todo);
	free(tr.queued);
}
