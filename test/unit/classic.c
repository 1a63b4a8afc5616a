/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What a program of classic BPF says of a packet: each instruction by hand, and random
 * programs as libpcap has them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xsk/error.h>

#include "classic.h"
#include "random_program.h"
#include "reference.h"
#include "validate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t packet[] = {
	0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8, 0x09, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e, 0x6f,
	0x70,
};

static bool match(const struct sock_filter *insns, uint32_t count, const uint8_t *data,
		  size_t len)
{
	const struct xsk_classic code = { .insns = insns, .count = count };
	struct xsk_error error;

	assert_int_equal(xsk_validate(&code, &error), 0);
	return xsk_classic_match(&code, data, len);
}

/* ---- one instruction each ---- */

/* Whether it leaves that value in A, or with of_x in X. */
static bool leaves(const struct sock_filter *insn, uint32_t a, uint32_t x, uint32_t value,
		   bool of_x)
{
	const struct sock_filter insns[] = {
		{ BPF_LD | BPF_IMM, 0, 0, a },
		{ BPF_LDX | BPF_IMM, 0, 0, x },
		*insn,
		{ of_x ? BPF_MISC | BPF_TXA : BPF_JMP | BPF_JA, 0, 0, 0 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value },
		{ BPF_RET | BPF_K, 0, 0, 1 },
		{ BPF_RET | BPF_K, 0, 0, 0 },
	};

	return match(insns, COUNT(insns), packet, sizeof(packet));
}

static void loads(void **state)
{
	static const struct {
		uint16_t code;
		uint32_t x, k, value;
	} cases[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, 0x8192a3b4 },
		{ BPF_LD | BPF_W | BPF_ABS, 9, 12, 0x4d5e6f70 },
		{ BPF_LD | BPF_H | BPF_ABS, 0, 1, 0x92a3 },
		{ BPF_LD | BPF_H | BPF_ABS, 0, 14, 0x6f70 },
		{ BPF_LD | BPF_B | BPF_ABS, 0, 7, 0xf8 },
		{ BPF_LD | BPF_B | BPF_ABS, 0, 15, 0x70 },
		{ BPF_LD | BPF_W | BPF_IND, 5, 7, 0x4d5e6f70 },
		{ BPF_LD | BPF_H | BPF_IND, 14, 0, 0x6f70 },
		{ BPF_LD | BPF_B | BPF_IND, 3, 12, 0x70 },
		{ BPF_LD | BPF_W | BPF_LEN, 0, 7, 16 },
		{ BPF_LD | BPF_IMM, 0, 0x80000001, 0x80000001 },
		{ BPF_LDX | BPF_W | BPF_LEN, 0, 0, 16 },
		{ BPF_LDX | BPF_IMM, 5, 0xfedcba98, 0xfedcba98 },
		{ BPF_LDX | BPF_B | BPF_MSH, 0, 15, 0 },
		{ BPF_LDX | BPF_B | BPF_MSH, 0, 11, 48 },
		{ BPF_LDX | BPF_B | BPF_MSH, 0, 14, 60 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct sock_filter insn = { cases[i].code, 0, 0, cases[i].k };
		bool of_x = BPF_CLASS(insn.code) == BPF_LDX;

		assert_true(leaves(&insn, 0x55555555, cases[i].x, cases[i].value, of_x));
		assert_false(leaves(&insn, 0x55555555, cases[i].x, cases[i].value + 1, of_x));
		/* The other register is as it was. */
		assert_true(leaves(&insn, 0x55555555, cases[i].x,
				   of_x ? 0x55555555 : cases[i].x, !of_x));
	}
}

/* One byte beyond the end, or far beyond, also where a sum would wrap. */
static void loads_outside(void **state)
{
	static const uint16_t sizes[] = { BPF_W, BPF_H, BPF_B };
	static const uint32_t bytes[] = { 4, 2, 1 };
	static const uint32_t far[] = { 17, 65535, 65536, 0x7fffffff, 0x80000000, 0xffff0000 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct sock_filter insns[] = {
			{ BPF_LDX | BPF_IMM, 0, 0, 0 },
			{ BPF_LD | sizes[i] | BPF_ABS, 0, 0, 16 - bytes[i] },
			{ BPF_RET | BPF_K, 0, 0, 1 },
		};

		assert_true(match(insns, 3, packet, 16));
		assert_false(match(insns, 3, packet, 15));
		assert_false(match(insns, 3, NULL, 0));
		for (size_t j = 0; j < COUNT(far); j++) {
			insns[1].k = far[j];
			assert_false(match(insns, 3, packet, 16));
		}

		insns[1].code = BPF_LD | sizes[i] | BPF_IND;
		for (uint32_t x = 0; x <= 16; x++) {
			insns[0].k = x;
			insns[1].k = 16 - bytes[i] - x;
			if (x > 16 - bytes[i])
				insns[1].k = 0;
			assert_int_equal(match(insns, 3, packet, 16), x <= 16 - bytes[i]);
			insns[1].k = 17 - bytes[i];
			assert_false(match(insns, 3, packet, 16));
			/* It does not wrap to 0. */
			insns[1].k = -x;
			assert_int_equal(match(insns, 3, packet, 16), !x);
		}
	}
}

static void length_outside(void **state)
{
	const struct sock_filter insns[] = {
		{ BPF_LDX | BPF_B | BPF_MSH, 0, 0, 15 },
		{ BPF_RET | BPF_K, 0, 0, 1 },
	};

	(void)state;
	assert_true(match(insns, 2, packet, 16));
	assert_false(match(insns, 2, packet, 15));
}

static void arithmetic(void **state)
{
	static const struct {
		uint16_t op;
		uint32_t a, with, value;
	} cases[] = {
		{ BPF_ADD, 0xffffffff, 2, 1 },
		{ BPF_SUB, 1, 2, 0xffffffff },
		{ BPF_MUL, 0x10001, 0x10001, 0x20001 },
		{ BPF_DIV, 0xffffffff, 2, 0x7fffffff },
		{ BPF_DIV, 7, 0x80000000, 0 },
		{ BPF_MOD, 0xffffffff, 16, 15 },
		{ BPF_MOD, 0x80000001, 0x80000000, 1 },
		{ BPF_AND, 0xf0f0, 0x8421, 0x8020 },
		{ BPF_OR, 0xf0f0, 0x80000421, 0x8000f4f1 },
		{ BPF_XOR, 0xf0f0f0f0, 0xffffffff, 0x0f0f0f0f },
		{ BPF_LSH, 0x80000003, 1, 6 },
		{ BPF_LSH, 3, 31, 0x80000000 },
		{ BPF_LSH, 3, 0, 3 },
		{ BPF_RSH, 0x80000003, 1, 0x40000001 },
		{ BPF_RSH, 0x80000003, 31, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sock_filter insn = { BPF_ALU | cases[i].op | BPF_K, 0, 0, cases[i].with };

		assert_true(leaves(&insn, cases[i].a, 77, cases[i].value, false));
		assert_false(leaves(&insn, cases[i].a, 77, cases[i].value ^ 1, false));
		insn = (struct sock_filter){ BPF_ALU | cases[i].op | BPF_X, 0, 0, 77 };
		assert_true(leaves(&insn, cases[i].a, cases[i].with, cases[i].value, false));
		assert_true(leaves(&insn, cases[i].a, cases[i].with, cases[i].with, true));
	}
}

/* What cannot be done with X: by zero nothing matches; shifts take all bits out. */
static void arithmetic_at_its_ends(void **state)
{
	static const uint32_t wide[] = { 32, 33, 64, 0x80000000, 0xffffffff };
	static const uint16_t divisions[] = { BPF_DIV, BPF_MOD };
	struct sock_filter insn;

	(void)state;
	for (size_t i = 0; i < COUNT(wide); i++) {
		insn = (struct sock_filter){ BPF_ALU | BPF_LSH | BPF_X, 0, 0, 0 };
		assert_true(leaves(&insn, 0xffffffff, wide[i], 0, false));
		insn.code = BPF_ALU | BPF_RSH | BPF_X;
		assert_true(leaves(&insn, 0xffffffff, wide[i], 0, false));
	}
	for (size_t i = 0; i < COUNT(divisions); i++) {
		const struct sock_filter insns[] = {
			{ BPF_LD | BPF_IMM, 0, 0, 6 },
			{ BPF_ALU | divisions[i] | BPF_X, 0, 0, 0 },
			{ BPF_RET | BPF_K, 0, 0, 1 },
		};

		assert_false(match(insns, 3, packet, 16));
	}
	insn = (struct sock_filter){ BPF_ALU | BPF_NEG, 0, 0, 99 };
	assert_true(leaves(&insn, 1, 0, 0xffffffff, false));
	assert_true(leaves(&insn, 0x80000000, 0, 0x80000000, false));
	assert_true(leaves(&insn, 0, 0, 0, false));
}

static void moves(void **state)
{
	struct sock_filter insn = { BPF_MISC | BPF_TAX, 0, 0, 0 };

	(void)state;
	assert_true(leaves(&insn, 5, 6, 5, true));
	assert_true(leaves(&insn, 5, 6, 5, false));
	insn.code = BPF_MISC | BPF_TXA;
	assert_true(leaves(&insn, 5, 6, 6, true));
	assert_true(leaves(&insn, 5, 6, 6, false));
}

/* Each word by itself, 0 before it is written, from both registers and into both. */
static void scratch(void **state)
{
	(void)state;
	for (uint32_t k = 0; k < BPF_MEMWORDS; k++) {
		for (uint32_t from = 0; from < BPF_MEMWORDS; from++) {
			const struct sock_filter insns[] = {
				{ BPF_LD | BPF_IMM, 0, 0, 0xdead0001 },
				{ BPF_LDX | BPF_IMM, 0, 0, 0xdead0002 },
				{ k & 1 ? BPF_ST : BPF_STX, 0, 0, k },
				{ BPF_LD | BPF_MEM, 0, 0, from },
				{ BPF_LDX | BPF_MEM, 0, 0, from },
				{ BPF_JMP | BPF_JEQ | BPF_X, 0, 2, 0 },
				{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1,
				  from != k ? 0 : k & 1 ? 0xdead0001 : 0xdead0002 },
				{ BPF_RET | BPF_K, 0, 0, 1 },
				{ BPF_RET | BPF_K, 0, 0, 0 },
			};

			assert_true(match(insns, COUNT(insns), packet, sizeof(packet)));
		}
	}
}

static void jumps(void **state)
{
	static const uint32_t values[] = { 0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < COUNT(values) * COUNT(values) * 2; i++) {
		uint32_t a = values[i / 2 % COUNT(values)], with = values[i / 2 / COUNT(values)];
		uint16_t source = i & 1 ? BPF_X : BPF_K;
		const struct {
			uint16_t op;
			bool holds;
		} cases[] = {
			{ BPF_JEQ, a == with }, { BPF_JGT, a > with }, { BPF_JGE, a >= with },
			{ BPF_JSET, (a & with) != 0 },
		};

		for (size_t j = 0; j < COUNT(cases); j++) {
			const struct sock_filter insns[] = {
				{ BPF_LD | BPF_IMM, 0, 0, a },
				{ BPF_LDX | BPF_IMM, 0, 0, i & 1 ? with : ~with },
				{ BPF_JMP | cases[j].op | source, 1, 2, i & 1 ? ~with : with },
				{ BPF_RET | BPF_K, 0, 0, 0 },
				{ BPF_RET | BPF_K, 0, 0, 0xffffffff },
				{ BPF_RET | BPF_K, 0, 0, 0 },
			};

			assert_int_equal(match(insns, COUNT(insns), packet, 16), cases[j].holds);
		}
	}
}

static void returns(void **state)
{
	struct sock_filter insns[] = {
		{ BPF_LD | BPF_IMM, 0, 0, 1 },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};

	(void)state;
	assert_true(match(insns, 2, packet, 16));
	insns[0].k = 0x80000000;
	assert_true(match(insns, 2, packet, 16));
	insns[0].k = 0;
	insns[1].k = 1;
	assert_false(match(insns, 2, packet, 16));
	/* A is 0 at the start, and so is X. */
	assert_false(match(insns + 1, 1, packet, 16));
	insns[0] = (struct sock_filter){ BPF_MISC | BPF_TXA, 0, 0, 0 };
	assert_false(match(insns, 2, packet, 16));
}

/* ---- bounds ---- */

/* The last byte that can be loaded, of a packet that is longer; its length is its own. */
static void reach(void **state)
{
	static const uint32_t sizes[] = { 65534, 65535, 65536, 70000, 100000 };
	uint8_t *large = calloc(1, 100000);
	struct sock_filter load[] = {
		{ BPF_LD | BPF_B | BPF_ABS, 0, 0, 65534 },
		{ BPF_RET | BPF_K, 0, 0, 1 },
	};
	struct sock_filter len[] = {
		{ BPF_LD | BPF_LEN, 0, 0, 0 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0 },
		{ BPF_RET | BPF_K, 0, 0, 1 },
		{ BPF_RET | BPF_K, 0, 0, 0 },
	};

	(void)state;
	assert_non_null(large);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		load[0].k = 65534;
		assert_int_equal(match(load, 2, large, sizes[i]), sizes[i] >= 65535);
		load[0].k = 65535;
		assert_false(match(load, 2, large, sizes[i]));
		len[1].k = sizes[i];
		assert_true(match(len, 4, large, sizes[i]));
	}
	free(large);
}

/* Counts X down by jumps backward. */
static void turns(void **state)
{
	struct sock_filter insns[] = {
		{ BPF_LD | BPF_IMM, 0, 0, 0 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 0 },
		{ BPF_ALU | BPF_SUB | BPF_K, 0, 0, 1 },
		{ BPF_JMP | BPF_JA, 0, 0, (uint32_t)-3 },
		{ BPF_RET | BPF_K, 0, 0, 1 },
	};
	const struct sock_filter for_ever[] = { { BPF_JMP | BPF_JA, 0, 0, (uint32_t)-1 } };

	(void)state;
	for (uint32_t i = 0; i < 1030; i++) {
		insns[0].k = i;
		assert_int_equal(match(insns, 5, packet, 16), i <= 512);
	}
	assert_false(match(for_ever, 1, packet, 16));
}

/* ---- beside libpcap ---- */

static void random_programs(void **state)
{
	struct sock_filter insns[RANDOM_INSNS];
	uint8_t data[RANDOM_BYTES];
	uint32_t matches = 0;
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 40000; i++) {
		uint32_t count = random_program(insns, &seed);

		for (int j = 0; j < 4; j++) {
			size_t len = random_packet(data, &seed);
			bool expected = reference_run(insns, count, data, len);

			if (match(insns, count, data, len) != expected)
				fail_msg("program %d, packet %d: libpcap says %d", i, j, expected);
			matches += expected;
		}
	}
	/* It is no comparison where one side is always the same. */
	assert_in_range(matches, 160000 / 10, 160000 * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads),
		cmocka_unit_test(loads_outside),
		cmocka_unit_test(length_outside),
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(arithmetic_at_its_ends),
		cmocka_unit_test(moves),
		cmocka_unit_test(scratch),
		cmocka_unit_test(jumps),
		cmocka_unit_test(returns),
		cmocka_unit_test(reach),
		cmocka_unit_test(turns),
		cmocka_unit_test(random_programs),
	};

	return cmocka_run_group_tests_name("classic", tests, NULL, NULL);
}
