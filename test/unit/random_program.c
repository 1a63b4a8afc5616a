/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "random_program.h"

#include <stdbool.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The last of them return. */
#define ENDS 3

static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33) % below;
}

/* Numbers at which something changes more often than others. */
static uint32_t draw_number(uint64_t *seed)
{
	static const uint32_t numbers[] = { 0, 1, 2, 31, 32, 255, 256, 0x7fffffff, 0x80000000,
					    0xfffffffe, 0xffffffff };

	switch (draw(seed, 4)) {
	case 0:
		return numbers[draw(seed, COUNT(numbers))];
	case 1:
		return draw(seed, 0x80000000U) * 2 + draw(seed, 2);
	}
	return draw(seed, 100);
}

/* Mostly in the packet; what is nobody's window is left out (SKF_AD_OFF and its like). */
static uint32_t draw_offset(uint64_t *seed)
{
	static const uint32_t far[] = { 65531, 65533, 65534, 65535, 65536, 0x7fffffff,
					0x80000000, 0xffd00000 };

	return draw(seed, 24) ? draw(seed, 40) : far[draw(seed, COUNT(far))];
}

static void draw_load(struct sock_filter *insn, uint64_t *seed)
{
	static const uint16_t codes[] = {
		BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_H | BPF_ABS, BPF_LD | BPF_B | BPF_ABS,
		BPF_LD | BPF_W | BPF_IND, BPF_LD | BPF_H | BPF_IND, BPF_LD | BPF_B | BPF_IND,
		BPF_LDX | BPF_B | BPF_MSH, BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_W | BPF_LEN,
		BPF_LD | BPF_IMM, BPF_LDX | BPF_IMM, BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM,
	};

	insn->code = codes[draw(seed, COUNT(codes))];
	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		insn->k = draw(seed, 2) ? draw(seed, 40) : draw_number(seed);
		break;
	case BPF_MEM:
		insn->k = draw(seed, BPF_MEMWORDS);
		break;
	default:
		insn->k = draw_offset(seed);
	}
}

static void draw_alu(struct sock_filter *insn, uint64_t *seed)
{
	static const uint16_t ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR, BPF_AND,
					BPF_LSH, BPF_RSH, BPF_NEG, BPF_MOD, BPF_XOR };
	uint16_t op = ops[draw(seed, COUNT(ops))];

	insn->code = BPF_ALU | op;
	insn->k = draw_number(seed);
	if (op != BPF_NEG && draw(seed, 2))
		insn->code |= BPF_X;
	else if (op == BPF_DIV || op == BPF_MOD)
		insn->k = insn->k ? insn->k : 3;
	else if (op == BPF_LSH || op == BPF_RSH)
		insn->k %= 32;
}

/* Over at most room instructions. */
static void draw_jump(struct sock_filter *insn, uint64_t *seed, uint32_t room)
{
	static const uint16_t ops[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };

	if (!draw(seed, 8)) {
		*insn = (struct sock_filter){ BPF_JMP | BPF_JA, 0, 0, draw(seed, room + 1) };
		return;
	}
	insn->code = BPF_JMP | ops[draw(seed, COUNT(ops))] | (draw(seed, 3) ? BPF_K : BPF_X);
	insn->k = draw_number(seed);
	insn->jt = (uint8_t)draw(seed, room + 1);
	insn->jf = (uint8_t)draw(seed, room + 1);
}

static void draw_insn(struct sock_filter *insn, uint64_t *seed, uint32_t room)
{
	*insn = (struct sock_filter){ 0 };
	switch (draw(seed, 8)) {
	case 0:
	case 1:
	case 2:
		draw_load(insn, seed);
		break;
	case 3:
	case 4:
		draw_alu(insn, seed);
		break;
	case 5:
		draw_jump(insn, seed, room < 6 ? room : 6);
		break;
	case 6:
		insn->code = draw(seed, 2) ? BPF_ST : BPF_STX;
		insn->k = draw(seed, BPF_MEMWORDS);
		break;
	default:
		insn->code = BPF_MISC | (draw(seed, 2) ? BPF_TAX : BPF_TXA);
	}
}

/* libpcap does not write the scratch memory first: so the program does. */
uint32_t random_program(struct sock_filter insns[RANDOM_INSNS], uint64_t *seed)
{
	uint32_t count = BPF_MEMWORDS, body = 1 + draw(seed, RANDOM_INSNS - BPF_MEMWORDS - ENDS);

	for (uint32_t k = 0; k < BPF_MEMWORDS; k++)
		insns[k] = (struct sock_filter){ BPF_ST, 0, 0, k };
	for (uint32_t i = 0; i < body; i++)
		draw_insn(&insns[count++], seed, body - i - 1 + ENDS - 1);
	insns[count++] = (struct sock_filter){ BPF_RET | BPF_A, 0, 0, 0 };
	insns[count++] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, 0 };
	insns[count++] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, 1 + draw(seed, 2) };
	return count;
}

size_t random_packet(uint8_t packet[RANDOM_BYTES], uint64_t *seed)
{
	bool small = draw(seed, 2);
	size_t len;

	for (size_t i = 0; i < RANDOM_BYTES; i++)
		packet[i] = (uint8_t)draw(seed, small ? 4 : 256);
	len = draw(seed, 4) ? 40 + draw(seed, RANDOM_BYTES - 39) : draw(seed, 44);
	/* What lies behind it is not to be seen. */
	memset(packet + len, 0xee, RANDOM_BYTES - len);
	return len;
}
