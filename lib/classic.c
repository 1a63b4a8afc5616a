/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "classic.h"

struct machine {
	const uint8_t *packet;
	uint32_t reach;			/* bytes of it that can be loaded */
	uint32_t len;
	uint32_t a;
	uint32_t x;
	uint32_t mem[BPF_MEMWORDS];
};

/* -1: it is outside of the packet. */
static int64_t load(const struct machine *m, uint64_t offset, uint32_t size)
{
	uint32_t value = 0;

	if (offset + size > m->reach)
		return -1;
	for (uint32_t i = 0; i < size; i++)
		value = value << 8 | m->packet[offset + i];
	return value;
}

/* False: it does not match. */
static bool run_ld(struct machine *m, const struct sock_filter *insn)
{
	uint64_t offset = insn->k;
	int64_t value;

	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		m->a = insn->k;
		return true;
	case BPF_MEM:
		m->a = m->mem[insn->k];
		return true;
	case BPF_LEN:
		m->a = m->len;
		return true;
	case BPF_IND:
		offset += m->x;
	}
	value = load(m, offset, xsk_classic_size(insn->code));
	m->a = (uint32_t)value;
	return value >= 0;
}

static bool run_ldx(struct machine *m, const struct sock_filter *insn)
{
	int64_t value;

	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		m->x = insn->k;
		return true;
	case BPF_MEM:
		m->x = m->mem[insn->k];
		return true;
	case BPF_LEN:
		m->x = m->len;
		return true;
	}
	value = load(m, insn->k, 1);
	m->x = ((uint32_t)value & 15) << 2;
	return value >= 0;
}

static bool run_alu(struct machine *m, const struct sock_filter *insn)
{
	uint32_t with = BPF_SRC(insn->code) == BPF_X ? m->x : insn->k;

	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		m->a += with;
		break;
	case BPF_SUB:
		m->a -= with;
		break;
	case BPF_MUL:
		m->a *= with;
		break;
	case BPF_DIV:
		m->a = with ? m->a / with : 0;
		return with;
	case BPF_MOD:
		m->a = with ? m->a % with : 0;
		return with;
	case BPF_AND:
		m->a &= with;
		break;
	case BPF_OR:
		m->a |= with;
		break;
	case BPF_XOR:
		m->a ^= with;
		break;
	case BPF_LSH:
		m->a = with < 32 ? m->a << with : 0;
		break;
	case BPF_RSH:
		m->a = with < 32 ? m->a >> with : 0;
		break;
	case BPF_NEG:
		m->a = 0 - m->a;
	}
	return true;
}

static bool holds(const struct machine *m, const struct sock_filter *insn)
{
	uint32_t with = BPF_SRC(insn->code) == BPF_X ? m->x : insn->k;

	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return m->a == with;
	case BPF_JGT:
		return m->a > with;
	case BPF_JGE:
		return m->a >= with;
	}
	return m->a & with;
}

/* All but jumps and returns. */
static bool run_insn(struct machine *m, const struct sock_filter *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		return run_ld(m, insn);
	case BPF_LDX:
		return run_ldx(m, insn);
	case BPF_ST:
		m->mem[insn->k] = m->a;
		return true;
	case BPF_STX:
		m->mem[insn->k] = m->x;
		return true;
	case BPF_ALU:
		return run_alu(m, insn);
	}
	if (BPF_MISCOP(insn->code) == BPF_TAX)
		m->x = m->a;
	else
		m->a = m->x;
	return true;
}

bool xsk_classic_match(const struct xsk_classic *code, const uint8_t *packet, size_t len)
{
	struct machine m = {
		.packet = packet,
		.reach = len < XSK_CLASSIC_REACH ? (uint32_t)len : XSK_CLASSIC_REACH,
		.len = (uint32_t)len,
	};
	uint32_t at = 0, next, turns = 0;

	for (;;) {
		const struct sock_filter *insn = &code->insns[at];

		next = at + 1;
		switch (BPF_CLASS(insn->code)) {
		case BPF_RET:
			return BPF_RVAL(insn->code) == BPF_A ? m.a : insn->k;
		case BPF_JMP:
			next = BPF_OP(insn->code) == BPF_JA ? xsk_classic_ja(insn, at) :
			       next + (holds(&m, insn) ? insn->jt : insn->jf);
			break;
		default:
			if (!run_insn(&m, insn))
				return false;
		}
		if (next <= at && ++turns > XSK_CLASSIC_TURNS)
			return false;
		at = next;
	}
}
