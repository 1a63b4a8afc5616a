/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "listing.h"

#include "classic.h"
#include "insn.h"
#include "text.h"

/* ---- classic BPF, in the words of tcpdump -d ---- */

static void print_ld(struct xsk_text *text, const struct sock_filter *insn, const char *suffix)
{
	static const char *const sizes[] = { "", "h", "b" };
	const char *size = sizes[BPF_SIZE(insn->code) >> 3];

	switch (BPF_MODE(insn->code)) {
	case BPF_ABS:
		xsk_text_add(text, "ld%-6s [%u]", size, insn->k);
		break;
	case BPF_IND:
		xsk_text_add(text, "ld%-6s [x + %u]", size, insn->k);
		break;
	case BPF_MSH:
		xsk_text_add(text, "ldxb     4*([%u]&0xf)", insn->k);
		break;
	case BPF_IMM:
		xsk_text_add(text, "ld%-6s #0x%x", suffix, insn->k);
		break;
	case BPF_MEM:
		xsk_text_add(text, "ld%-6s M[%u]", suffix, insn->k);
		break;
	case BPF_LEN:
		xsk_text_add(text, "ld%-6s #pktlen", suffix);
	}
}

static void print_alu(struct xsk_text *text, const struct sock_filter *insn)
{
	static const char *const names[] = { "add", "sub", "mul", "div", "or", "and", "lsh", "rsh",
					     "neg", "mod", "xor" };
	const char *name = names[BPF_OP(insn->code) >> 4];

	if (BPF_OP(insn->code) == BPF_NEG)
		xsk_text_add(text, "neg");
	else if (BPF_SRC(insn->code) == BPF_X)
		xsk_text_add(text, "%-8s x", name);
	else
		xsk_text_add(text, "%-8s #0x%x", name, insn->k);
}

static void print_jump(struct xsk_text *text, const struct sock_filter *insn, uint32_t at)
{
	static const char *const names[] = { "ja", "jeq", "jgt", "jge", "jset" };
	const char *name = names[BPF_OP(insn->code) >> 4];

	if (BPF_OP(insn->code) == BPF_JA) {
		xsk_text_add(text, "ja       %u", xsk_classic_ja(insn, at));
		return;
	}
	if (BPF_SRC(insn->code) == BPF_X)
		xsk_text_add(text, "%-8s x", name);
	else
		xsk_text_add(text, "%-8s #0x%x", name, insn->k);
	xsk_text_add(text, "  jt %u  jf %u", at + 1 + insn->jt, at + 1 + insn->jf);
}

static void print_classic(struct xsk_text *text, const struct sock_filter *insn, uint32_t at)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		print_ld(text, insn, "");
		break;
	case BPF_LDX:
		print_ld(text, insn, "x");
		break;
	case BPF_ST:
		xsk_text_add(text, "st       M[%u]", insn->k);
		break;
	case BPF_STX:
		xsk_text_add(text, "stx      M[%u]", insn->k);
		break;
	case BPF_ALU:
		print_alu(text, insn);
		break;
	case BPF_JMP:
		print_jump(text, insn, at);
		break;
	case BPF_RET:
		if (BPF_RVAL(insn->code) == BPF_A)
			xsk_text_add(text, "ret      a");
		else
			xsk_text_add(text, "ret      #%u", insn->k);
		break;
	default:
		xsk_text_add(text, BPF_MISCOP(insn->code) == BPF_TAX ? "tax" : "txa");
	}
}

void xsk_list_classic(struct xsk_text *text, const struct xsk_classic *code)
{
	for (uint32_t i = 0; i < code->count; i++) {
		xsk_text_add(text, "(%03u) ", i);
		print_classic(text, &code->insns[i], i);
		xsk_text_add(text, "\n");
	}
}

/* ---- eBPF, in those of the verifier ---- */

static const char *alu_sign(uint8_t code)
{
	static const char *const signs[] = { "+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=",
					     "= -", "%=", "^=", "=" };

	return signs[BPF_OP(code) >> 4];
}

static const char *jump_sign(uint8_t code)
{
	static const char *const signs[] = { "", "==", ">", ">=", "&", "!=", "s>", "s>=", "", "",
					     "<", "<=" };

	return signs[BPF_OP(code) >> 4];
}

static const char *size_name(uint8_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return "u8";
	case BPF_H:
		return "u16";
	case BPF_W:
		return "u32";
	}
	return "u64";
}

static void print_ebpf_alu(struct xsk_text *text, const struct bpf_insn *insn)
{
	char kind = BPF_CLASS(insn->code) == BPF_ALU ? 'w' : 'r';

	if (BPF_OP(insn->code) == BPF_END)
		xsk_text_add(text, "r%u = be%d r%u", insn->dst_reg, insn->imm, insn->dst_reg);
	else if (BPF_OP(insn->code) == BPF_NEG)
		xsk_text_add(text, "%c%u = -%c%u", kind, insn->dst_reg, kind, insn->dst_reg);
	else if (BPF_SRC(insn->code) == BPF_X)
		xsk_text_add(text, "%c%u %s %c%u", kind, insn->dst_reg, alu_sign(insn->code), kind,
			     insn->src_reg);
	else
		xsk_text_add(text, "%c%u %s %d", kind, insn->dst_reg, alu_sign(insn->code),
			     insn->imm);
}

static void print_ebpf_jump(struct xsk_text *text, const struct bpf_insn *insn, size_t at)
{
	char kind = BPF_CLASS(insn->code) == BPF_JMP32 ? 'w' : 'r';

	switch (BPF_OP(insn->code)) {
	case BPF_CALL:
		xsk_text_add(text, "call %d", insn->imm);
		return;
	case BPF_EXIT:
		xsk_text_add(text, "exit");
		return;
	case BPF_JA:
		break;
	default:
		xsk_text_add(text, "if %c%u %s ", kind, insn->dst_reg, jump_sign(insn->code));
		if (BPF_SRC(insn->code) == BPF_X)
			xsk_text_add(text, "%c%u ", kind, insn->src_reg);
		else
			xsk_text_add(text, "%d ", insn->imm);
	}
	xsk_text_add(text, "goto %zu", (size_t)((ptrdiff_t)at + 1 + insn->off));
}

/* Returns how many instructions it was. */
static size_t print_ebpf(struct xsk_text *text, const struct bpf_insn *insn, size_t at)
{
	const char *size = size_name(insn->code);

	if (xsk_insn_is_map(insn)) {
		xsk_text_add(text, "r%u = map %d", insn->dst_reg, insn->imm);
		return 2;
	}
	switch (BPF_CLASS(insn->code)) {
	case BPF_LDX:
		xsk_text_add(text, "r%u = *(%s *)(r%u %+d)", insn->dst_reg, size, insn->src_reg,
			     insn->off);
		break;
	case BPF_STX:
		xsk_text_add(text, "*(%s *)(r%u %+d) = r%u", size, insn->dst_reg, insn->off,
			     insn->src_reg);
		break;
	case BPF_ST:
		xsk_text_add(text, "*(%s *)(r%u %+d) = %d", size, insn->dst_reg, insn->off,
			     insn->imm);
		break;
	case BPF_ALU:
	case BPF_ALU64:
		print_ebpf_alu(text, insn);
		break;
	default:
		print_ebpf_jump(text, insn, at);
	}
	return 1;
}

void xsk_list_ebpf(struct xsk_text *text, const struct bpf_insn *insns, size_t count)
{
	for (size_t i = 0; i < count;) {
		xsk_text_add(text, "%5zu: ", i);
		i += print_ebpf(text, &insns[i], i);
		xsk_text_add(text, "\n");
	}
}
