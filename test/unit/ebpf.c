/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "ebpf.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel.h"

/* Where things are for the program. */
#define CONTEXT 0x1000
#define PACKET 0x100000
#define COUNTERS 0x40000000
#define STACK_END 0x50000000
#define STACK 512
#define MAP 0xbabe0000
#define QUEUE 3

#define MAX_STEPS 10000000

struct machine {
	struct ebpf *of;
	uint64_t r[11];
	uint32_t written;		/* registers, by bit */
	uint8_t stack[STACK];
	uint8_t stack_written[STACK];
};

/* ---- all ways ---- */

static size_t check_target(const struct bpf_insn *insns, size_t count, size_t from)
{
	int64_t to = (int64_t)from + 1 + insns[from].off;

	if (to < 0 || to >= (int64_t)count || (to && xsk_insn_is_map(&insns[to - 1])))
		fail_msg("instruction %zu jumps to %lld", from, (long long)to);
	return (size_t)to;
}

/* Those that may come after it; their number. */
static int successors(const struct bpf_insn *insns, size_t count, size_t at, size_t next[2])
{
	uint8_t class = BPF_CLASS(insns[at].code), op = BPF_OP(insns[at].code);

	next[0] = at + 1 + xsk_insn_is_map(&insns[at]);
	if ((class == BPF_JMP || class == BPF_JMP32) && op == BPF_EXIT)
		return 0;
	if ((class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL) {
		next[op != BPF_JA] = check_target(insns, count, at);
		if (op == BPF_JA)
			return 1;
	}
	if (next[0] >= count)
		fail_msg("instruction %zu runs out of the program", at);
	return class == BPF_JMP32 || (class == BPF_JMP && op != BPF_CALL) ? 2 : 1;
}

void ebpf_check(const struct bpf_insn *insns, size_t count)
{
	size_t *todo = calloc(count + 2, sizeof(*todo)), left = 1;
	uint8_t *reached = calloc(count + 1, 1);

	assert_true(todo && reached && count);
	reached[0] = 1;
	while (left) {
		size_t next[2], at = todo[--left];
		int n = successors(insns, count, at, next);

		if (xsk_insn_is_map(&insns[at]))
			reached[at + 1] = 1;
		for (int i = 0; i < n; i++) {
			if (reached[next[i]])
				continue;
			reached[next[i]] = 1;
			todo[left++] = next[i];
		}
	}
	for (size_t i = 0; i < count; i++)
		if (!reached[i])
			fail_msg("nothing leads to instruction %zu of %zu", i, count);
	free(todo);
	free(reached);
}

/* ---- memory ---- */

static uint64_t context(const struct machine *m, uint64_t offset, unsigned int size)
{
	assert_int_equal(size, 4);
	switch (offset) {
	case 0:
		return PACKET;
	case 4:
		return PACKET + m->of->len;
	case 16:
		return QUEUE;
	}
	fail_msg("the context is read at %llu", (unsigned long long)offset);
	return 0;
}

/* Whether size bytes at address lie in what begins at base. */
static bool is_in(uint64_t address, unsigned int size, uint64_t base, size_t len)
{
	return address >= base && address + size <= base + len;
}

/* What is there, for reading or writing. */
static void *memory(struct machine *m, uint64_t address, unsigned int size, bool write)
{
	size_t at = address - (STACK_END - STACK);

	if (is_in(address, size, COUNTERS, sizeof(m->of->counters)))
		return (uint8_t *)m->of->counters + (address - COUNTERS);
	if (is_in(address, size, STACK_END - STACK, STACK)) {
		if (write)
			memset(m->stack_written + at, 1, size);
		for (unsigned int i = 0; i < size; i++)
			assert_true(m->stack_written[at + i]);
		return m->stack + at;
	}
	if (!write && is_in(address, size, PACKET, m->of->len))
		return (void *)(m->of->packet + (address - PACKET));
	fail_msg("%u bytes at 0x%llx are not there", size, (unsigned long long)address);
	return NULL;
}

static unsigned int size_of(uint8_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	}
	return 8;
}

static uint64_t load(struct machine *m, uint64_t address, unsigned int size)
{
	uint64_t value = 0;

	if (address >= CONTEXT && address < CONTEXT + 64)
		return context(m, address - CONTEXT, size);
	memcpy(&value, memory(m, address, size, false), size);	/* little-endian, as tests run */
	return value;
}

/* ---- one instruction ---- */

static uint64_t get(const struct machine *m, int reg)
{
	if (!(m->written & 1U << reg))
		fail_msg("r%d is read, and never was written", reg);
	return m->r[reg];
}

static void set(struct machine *m, int reg, uint64_t value)
{
	assert_in_range(reg, 0, 9);
	m->r[reg] = value;
	m->written |= 1U << reg;
}

static uint64_t operand(const struct machine *m, const struct bpf_insn *insn)
{
	return BPF_SRC(insn->code) == BPF_X ? get(m, insn->src_reg) : (uint64_t)insn->imm;
}

static uint64_t alu64(uint8_t op, uint64_t value, uint64_t with)
{
	switch (op) {
	case BPF_MOV:
		return with;
	case BPF_ADD:
		return value + with;
	case BPF_SUB:
		return value - with;
	}
	fail_msg("operation 0x%x in 64 bits", op);
	return 0;
}

static uint32_t alu32(uint8_t op, uint32_t value, uint32_t with)
{
	switch (op) {
	case BPF_DIV:
		return with ? value / with : 0;
	case BPF_MOD:
		return with ? value % with : value;
	case BPF_MUL:
		return value * with;
	case BPF_AND:
		return value & with;
	case BPF_OR:
		return value | with;
	case BPF_XOR:
		return value ^ with;
	case BPF_LSH:
		return value << (with & 31);
	case BPF_RSH:
		return value >> (with & 31);
	case BPF_NEG:
		return 0 - value;
	}
	return (uint32_t)alu64(op, value, with);
}

static void run_alu(struct machine *m, const struct bpf_insn *insn)
{
	uint8_t op = BPF_OP(insn->code);
	uint64_t old = op == BPF_MOV ? 0 : get(m, insn->dst_reg);

	if (op == BPF_END)
		set(m, insn->dst_reg, insn->imm == 16 ? be16toh((uint16_t)old) :
		    be32toh((uint32_t)old));
	else if (BPF_CLASS(insn->code) == BPF_ALU64)
		set(m, insn->dst_reg, alu64(op, old, operand(m, insn)));
	else
		set(m, insn->dst_reg, alu32(op, (uint32_t)old, (uint32_t)operand(m, insn)));
}

static bool holds(const struct machine *m, const struct bpf_insn *insn)
{
	uint64_t mask = BPF_CLASS(insn->code) == BPF_JMP ? UINT64_MAX : UINT32_MAX;
	uint64_t value, with;

	if (BPF_OP(insn->code) == BPF_JA)
		return true;
	value = get(m, insn->dst_reg) & mask;
	with = operand(m, insn) & mask;
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return value == with;
	case BPF_JNE:
		return value != with;
	case BPF_JGT:
		return value > with;
	case BPF_JGE:
		return value >= with;
	case BPF_JLT:
		return value < with;
	case BPF_JLE:
		return value <= with;
	case BPF_JSET:
		return value & with;
	}
	fail_msg("jump 0x%x", insn->code);
	return false;
}

static void call(struct machine *m, int32_t helper)
{
	uint64_t ret = 0;

	switch (helper) {
	case BPF_FUNC_redirect_map:
		assert_true(get(m, 1) == MAP && get(m, 2) == QUEUE && get(m, 3) == XDP_PASS);
		ret = XDP_REDIRECT;
		break;
	case BPF_FUNC_map_lookup_elem:
		assert_true(get(m, 1) == MAP + 1);
		assert_true(load(m, get(m, 2), 4) == 0);
		ret = COUNTERS;
		break;
	case XSK_FUNC_XDP_GET_BUFF_LEN:
		assert_true(get(m, 1) == CONTEXT);
		ret = m->of->whole ? m->of->whole : m->of->len;
		break;
	default:
		fail_msg("helper %d", helper);
	}
	m->written &= ~0x3fU;
	set(m, 0, ret);
}

/* All but jumps. */
static void run_insn(struct machine *m, const struct bpf_insn *insn)
{
	unsigned int size = size_of(insn->code);
	uint64_t value;

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		assert_true(xsk_insn_is_map(insn));
		set(m, insn->dst_reg, MAP + (uint64_t)insn->imm);
		break;
	case BPF_LDX:
		set(m, insn->dst_reg, load(m, get(m, insn->src_reg) + (uint64_t)insn->off, size));
		break;
	case BPF_ST:
	case BPF_STX:
		value = BPF_CLASS(insn->code) == BPF_STX ? get(m, insn->src_reg) :
			(uint64_t)insn->imm;
		memcpy(memory(m, get(m, insn->dst_reg) + (uint64_t)insn->off, size, true), &value,
		       size);
		break;
	default:
		run_alu(m, insn);
	}
}

int ebpf_run(struct ebpf *ebpf)
{
	struct machine m = { .of = ebpf, .written = 1U << 1 | 1U << 10 };
	size_t at = 0;

	m.r[1] = CONTEXT;
	m.r[10] = STACK_END;
	for (ebpf->steps = 0; ebpf->steps < MAX_STEPS; ebpf->steps++) {
		const struct bpf_insn *insn = &ebpf->insns[at];
		uint8_t class = BPF_CLASS(insn->code);

		assert_true(at < ebpf->count);
		if (insn->code == (BPF_JMP | BPF_EXIT))
			return (int)get(&m, 0);
		at += 1 + xsk_insn_is_map(insn);
		if (insn->code == (BPF_JMP | BPF_CALL))
			call(&m, insn->imm);
		else if (class != BPF_JMP && class != BPF_JMP32)
			run_insn(&m, insn);
		else if (holds(&m, insn))
			at = (size_t)((ptrdiff_t)at + insn->off);
	}
	fail_msg("%d steps", MAX_STEPS);
	return -1;
}
