/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Which programs of classic BPF are none, and which instruction is named for it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <xsk/error.h>

#include "classic.h"
#include "validate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONGEST 700

/* ---- one instruction, at a place ---- */

/* Stands between others, of which the last returns. */
static int validate_at(const struct sock_filter *insn, uint32_t at, uint32_t count,
		       struct xsk_error *error)
{
	struct sock_filter insns[LONGEST];
	const struct xsk_classic code = { .insns = insns, .count = count };

	for (uint32_t i = 0; i < count; i++)
		insns[i] = (struct sock_filter){ BPF_LD | BPF_IMM, 0, 0, i };
	insns[count - 1] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, 1 };
	insns[at] = *insn;
	memset(error, 0, sizeof(*error));
	return xsk_validate(&code, error);
}

static void accept(const struct sock_filter *insn)
{
	struct xsk_error error;

	assert_int_equal(validate_at(insn, 0, 2, &error), 0);
	assert_int_equal(validate_at(insn, 5, 8, &error), 0);
	assert_int_equal(error.code, 0);
}

/* At each of some places, and with its number. */
static void refuse(const struct sock_filter *insn, int expected, const char *why)
{
	static const uint32_t places[] = { 0, 1, 7, 99, 600 };
	struct xsk_error error;
	char words[80];

	for (size_t i = 0; i < COUNT(places); i++) {
		assert_int_equal(validate_at(insn, places[i], places[i] + 3, &error), expected);
		assert_int_equal(error.code, expected);
		assert_string_equal(error.step, "filter");
		snprintf(words, sizeof(words), "instruction %u %s", places[i], why);
		assert_ptr_equal(strstr(error.reason, words), error.reason);
	}
}

/* ---- each code ---- */

/* Those of Documentation/networking/filter.rst that a packet by itself is enough for. */
static const uint16_t codes[] = {
	0x20, 0x28, 0x30, 0x40, 0x48, 0x50,	/* ld, ldh, ldb: [k], [x + k] */
	0x80, 0x00, 0x60,			/* ld: #len, #k, M[k] */
	0x81, 0xb1, 0x01, 0x61,			/* ldx: #len, 4*([k]&0xf), #k, M[k] */
	0x02, 0x03,				/* st, stx */
	0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c,
	0x64, 0x6c, 0x74, 0x7c, 0x84, 0x94, 0x9c, 0xa4, 0xac,
	0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d,
	0x06, 0x16,				/* ret: #k, a */
	0x07, 0x87,				/* tax, txa */
};

static bool is_code(uint32_t code)
{
	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

static void each_code(void **state)
{
	struct xsk_error error;

	(void)state;
	for (uint32_t code = 0; code <= UINT16_MAX; code++) {
		const struct sock_filter insn = { (uint16_t)code, 0, 0, 1 };

		assert_int_equal(validate_at(&insn, 3, 9, &error), is_code(code) ? 0 : -EINVAL);
		if (!is_code(code))
			assert_string_equal(error.reason, "instruction 3 does not exist");
	}
	refuse(&(struct sock_filter){ 0xffff, 0, 0, 0 }, -EINVAL, "does not exist");
}

/* ---- each rule ---- */

static void scratch(void **state)
{
	static const struct {
		uint16_t code;
		const char *why;
	} cases[] = {
		{ BPF_LD | BPF_MEM, "loads from a scratch word above 15" },
		{ BPF_LDX | BPF_MEM, "loads from a scratch word above 15" },
		{ BPF_ST, "stores to a scratch word above 15" },
		{ BPF_STX, "stores to a scratch word above 15" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		accept(&(struct sock_filter){ cases[i].code, 0, 0, 0 });
		accept(&(struct sock_filter){ cases[i].code, 0, 0, 15 });
		refuse(&(struct sock_filter){ cases[i].code, 0, 0, 16 }, -EINVAL, cases[i].why);
		refuse(&(struct sock_filter){ cases[i].code, 0, 0, UINT32_MAX }, -EINVAL,
		       cases[i].why);
	}
}

static void arithmetic(void **state)
{
	static const uint16_t divisions[] = { BPF_DIV, BPF_MOD };
	static const uint16_t shifts[] = { BPF_LSH, BPF_RSH };

	(void)state;
	for (int i = 0; i < 2; i++) {
		uint16_t code = BPF_ALU | divisions[i];

		refuse(&(struct sock_filter){ code | BPF_K, 0, 0, 0 }, -EINVAL, "divides by zero");
		accept(&(struct sock_filter){ code | BPF_K, 0, 0, UINT32_MAX });
		accept(&(struct sock_filter){ code | BPF_X, 0, 0, 0 });
		code = BPF_ALU | shifts[i];
		accept(&(struct sock_filter){ code | BPF_K, 0, 0, 31 });
		refuse(&(struct sock_filter){ code | BPF_K, 0, 0, 32 }, -EINVAL,
		       "shifts by more than 31 bits");
		refuse(&(struct sock_filter){ code | BPF_K, 0, 0, UINT32_MAX }, -EINVAL,
		       "shifts by more than 31 bits");
		accept(&(struct sock_filter){ code | BPF_X, 0, 0, 32 });
	}
	/* Of the others any number will do. */
	accept(&(struct sock_filter){ BPF_ALU | BPF_MUL, 0, 0, 0 });
	accept(&(struct sock_filter){ BPF_ALU | BPF_SUB, 0, 0, UINT32_MAX });
}

/* What the kernel has beside a packet: three windows, and their edges. */
static void beside_the_packet(void **state)
{
	static const struct {
		uint32_t k;
		bool beside;
	} cases[] = {
		{ 0, false }, { 65536, false }, { 0x7fffffff, false }, { 0x80000000, false },
		{ (uint32_t)SKF_LL_OFF - 1, false }, { (uint32_t)SKF_LL_OFF, true },
		{ (uint32_t)SKF_LL_OFF + 14, true },
		{ (uint32_t)SKF_NET_OFF - 1, false }, { (uint32_t)SKF_NET_OFF, true },
		{ (uint32_t)SKF_NET_OFF + 40, true },
		{ (uint32_t)SKF_AD_OFF - 1, false }, { (uint32_t)SKF_AD_OFF, true },
		{ (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE, true },
		{ (uint32_t)SKF_AD_OFF + SKF_AD_IFINDEX, true },
		{ (uint32_t)SKF_AD_OFF + SKF_AD_VLAN_TAG, true },
		{ (uint32_t)SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT, true },
		{ (uint32_t)SKF_AD_OFF + SKF_AD_MAX - 1, true },
		{ (uint32_t)SKF_AD_OFF + SKF_AD_MAX, false }, { UINT32_MAX, false },
	};
	static const uint16_t loads[] = {
		BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_H | BPF_ABS, BPF_LD | BPF_B | BPF_ABS,
		BPF_LDX | BPF_B | BPF_MSH,
	};
	struct xsk_error error;

	(void)state;
	for (size_t i = 0; i < COUNT(loads) * COUNT(cases); i++) {
		const struct sock_filter insn = { loads[i % COUNT(loads)], 0, 0,
						  cases[i / COUNT(loads)].k };
		char number[16];

		if (!cases[i / COUNT(loads)].beside) {
			accept(&insn);
			continue;
		}
		refuse(&insn, -EOPNOTSUPP, "loads what only a packet socket has");
		assert_int_equal(validate_at(&insn, 0, 2, &error), -EOPNOTSUPP);
		snprintf(number, sizeof(number), "(0x%x)", insn.k);
		assert_non_null(strstr(error.reason, number));
		assert_non_null(strstr(error.hint, "inbound"));
	}
	/* Constants are no offsets. */
	accept(&(struct sock_filter){ BPF_LD | BPF_IMM, 0, 0, (uint32_t)SKF_AD_OFF });
	accept(&(struct sock_filter){ BPF_LDX | BPF_IMM, 0, 0, (uint32_t)SKF_AD_OFF });
}

/* To the last instruction, and not beyond it. */
static void jumps(void **state)
{
	static const char *const why = "instruction 4 jumps out of the program";
	struct xsk_error error;
	struct sock_filter insn;

	(void)state;
	for (uint32_t count = 6; count < 600; count++) {
		uint32_t most = count - 6;
		uint8_t jump = (uint8_t)(most < 255 ? most : 255);

		insn = (struct sock_filter){ BPF_JMP | BPF_JEQ | BPF_K, jump, 0, 0 };
		assert_int_equal(validate_at(&insn, 4, count, &error), 0);
		insn = (struct sock_filter){ BPF_JMP | BPF_JSET | BPF_X, 0, jump, 0 };
		assert_int_equal(validate_at(&insn, 4, count, &error), 0);
		insn = (struct sock_filter){ BPF_JMP | BPF_JA, 0, 0, most };
		assert_int_equal(validate_at(&insn, 4, count, &error), 0);

		insn.k++;
		assert_int_equal(validate_at(&insn, 4, count, &error), -EINVAL);
		assert_string_equal(error.reason, why);
		if (most >= 255)
			continue;
		insn = (struct sock_filter){ BPF_JMP | BPF_JGT | BPF_K, jump + 1, 0, 0 };
		assert_int_equal(validate_at(&insn, 4, count, &error), -EINVAL);
		insn = (struct sock_filter){ BPF_JMP | BPF_JGE | BPF_X, 0, jump + 1, 0 };
		assert_int_equal(validate_at(&insn, 4, count, &error), -EINVAL);
		assert_string_equal(error.reason, why);
	}
	insn = (struct sock_filter){ BPF_JMP | BPF_JA, 1, 1, 0x7fffffff };
	assert_int_equal(validate_at(&insn, 4, 9, &error), -EINVAL);
}

/* As "protochain" does, to the first instruction or to itself, and not before it. */
static void backward(void **state)
{
	struct xsk_error error;

	(void)state;
	for (uint32_t at = 0; at < 20; at++) {
		struct sock_filter insn = { BPF_JMP | BPF_JA, 0, 0, 0 };

		for (uint32_t to = 0; to <= at; to++) {
			insn.k = to - at - 1;
			assert_int_equal(validate_at(&insn, at, 22, &error), 0);
		}
		insn.k = (uint32_t)-1 - at - 1;
		assert_int_equal(validate_at(&insn, at, 22, &error), -EINVAL);
		insn.k = 0x80000000;
		assert_int_equal(validate_at(&insn, at, 22, &error), -EINVAL);
		assert_non_null(strstr(error.reason, "jumps out of the program"));
	}
}

/* Returns, or jumps back; all else would run out of the program. */
static void the_last(void **state)
{
	static const uint16_t returns[] = { BPF_RET | BPF_K, BPF_RET | BPF_A };
	struct xsk_error error;

	(void)state;
	for (uint32_t count = 1; count < 5; count++) {
		for (size_t i = 0; i < COUNT(codes); i++) {
			const struct sock_filter insn = { codes[i], 0, 0, 1 };
			bool good = codes[i] == returns[0] || codes[i] == returns[1];
			char words[80];

			assert_int_equal(validate_at(&insn, count - 1, count, &error),
					 good ? 0 : -EINVAL);
			if (good)
				continue;
			snprintf(words, sizeof(words), BPF_CLASS(codes[i]) == BPF_JMP ?
				 "instruction %u jumps out of the program" :
				 "instruction %u is the last, and does not return", count - 1);
			assert_string_equal(error.reason, words);
		}
		assert_int_equal(validate_at(&(struct sock_filter){ BPF_JMP | BPF_JA, 0, 0,
								    (uint32_t)-1 },
					     count - 1, count, &error), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code),
		cmocka_unit_test(scratch),
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(beside_the_packet),
		cmocka_unit_test(jumps),
		cmocka_unit_test(backward),
		cmocka_unit_test(the_last),
	};

	return cmocka_run_group_tests_name("validate", tests, NULL, NULL);
}
