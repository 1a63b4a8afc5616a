/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "validate.h"

#include <errno.h>
#include <stdbool.h>

#include "classic.h"
#include "error.h"

static int refuse(struct xsk_error *error, uint32_t at, const char *what)
{
	xsk_error_set(error, -EINVAL, "filter", "instruction %u %s", at, what);
	return xsk_error_hint(error, "give a program as tcpdump -dd prints it, and all of it");
}

/* What a packet socket's kernel adds to a packet, which stands beyond any. */
static bool is_beside(const struct sock_filter *insn)
{
	uint32_t ancillary = insn->k - (uint32_t)SKF_AD_OFF;
	uint32_t network = insn->k - (uint32_t)SKF_NET_OFF;
	uint32_t link = insn->k - (uint32_t)SKF_LL_OFF;

	return ancillary < SKF_AD_MAX || network < XSK_CLASSIC_REACH || link < XSK_CLASSIC_REACH;
}

static int check_load(const struct sock_filter *insn, uint32_t at, struct xsk_error *error)
{
	switch (BPF_MODE(insn->code)) {
	case BPF_ABS:
	case BPF_MSH:
		if (!is_beside(insn))
			return 0;
		xsk_error_set(error, -EOPNOTSUPP, "filter", "instruction %u loads what only a "
			      "packet socket has beside the packet (0x%x)", at, insn->k);
		return xsk_error_hint(error, "do without inbound, outbound and the like, or "
				      "compile the program for a file, not for a live capture");
	case BPF_MEM:
		return insn->k < BPF_MEMWORDS ? 0 :
		       refuse(error, at, "loads from a scratch word above 15");
	}
	return 0;
}

static int check_alu(const struct sock_filter *insn, uint32_t at, struct xsk_error *error)
{
	if (BPF_SRC(insn->code) != BPF_K)
		return 0;
	switch (BPF_OP(insn->code)) {
	case BPF_DIV:
	case BPF_MOD:
		return insn->k ? 0 : refuse(error, at, "divides by zero");
	case BPF_LSH:
	case BPF_RSH:
		return insn->k < 32 ? 0 : refuse(error, at, "shifts by more than 31 bits");
	}
	return 0;
}

static int check_jump(const struct sock_filter *insn, uint32_t at, uint32_t count,
		      struct xsk_error *error)
{
	uint64_t least = at + 1;

	if (BPF_OP(insn->code) == BPF_JA)
		return xsk_classic_ja(insn, at) < count ? 0 :
		       refuse(error, at, "jumps out of the program");
	return least + insn->jt < count && least + insn->jf < count ? 0 :
	       refuse(error, at, "jumps out of the program");
}

static bool exists(uint16_t code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_B | BPF_MSH:
	case BPF_LDX | BPF_IMM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_ALU | BPF_NEG:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
	case BPF_JMP | BPF_JA:
		return true;
	}
	if (code & ~0xffU || (BPF_CLASS(code) != BPF_ALU && BPF_CLASS(code) != BPF_JMP))
		return false;
	if (BPF_CLASS(code) == BPF_JMP)
		return BPF_OP(code) >= BPF_JEQ && BPF_OP(code) <= BPF_JSET;
	return BPF_OP(code) <= BPF_XOR && BPF_OP(code) != BPF_NEG;
}

static int check_insn(const struct xsk_classic *code, uint32_t at, struct xsk_error *error)
{
	const struct sock_filter *insn = &code->insns[at];

	if (!exists(insn->code))
		return refuse(error, at, "does not exist");
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
	case BPF_LDX:
		return check_load(insn, at, error);
	case BPF_ST:
	case BPF_STX:
		return insn->k < BPF_MEMWORDS ? 0 :
		       refuse(error, at, "stores to a scratch word above 15");
	case BPF_ALU:
		return check_alu(insn, at, error);
	case BPF_JMP:
		return check_jump(insn, at, code->count, error);
	}
	return 0;
}

int xsk_validate(const struct xsk_classic *code, struct xsk_error *error)
{
	const struct sock_filter *last = &code->insns[code->count - 1];
	int err;

	for (uint32_t i = 0; i < code->count; i++) {
		err = check_insn(code, i, error);
		if (err)
			return err;
	}
	if (BPF_CLASS(last->code) == BPF_RET ||
	    last->code == (BPF_JMP | BPF_JA))	/* that is one backward */
		return 0;
	return refuse(error, code->count - 1, "is the last, and does not return");
}
