/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Labels and jumps of a program as it grows, and programs that are longer than a jump: run
 * without the kernel (ebpf.h).
 */
#include "assembly.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/filter.h>
#include <xsk/filter.h>

#include "ebpf.h"
#include "failing.h"
#include "filter.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- labels ---- */

static struct bpf_insn number(int32_t value)
{
	return xsk_insn_mov_imm(BPF_REG_0, value);
}

static void emit_many(struct xsk_assembly *as, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		xsk_emit(as, number((int32_t)i));
}

static void grows(void **state)
{
	struct xsk_assembly as = { 0 };

	(void)state;
	emit_many(&as, 1000);
	assert_int_equal(as.err, 0);
	assert_int_equal(as.count, 1000);
	assert_true(as.room >= 1000);
	for (int32_t i = 0; i < 1000; i++)
		assert_int_equal(as.insns[i].imm, i);
	xsk_assembly_free(&as);
	assert_null(as.insns);
	assert_int_equal(as.count, 0);
	xsk_assembly_free(&as);
}

static void bind(void **state)
{
	struct xsk_assembly as = { 0 };

	(void)state;
	xsk_emit_jump(&as, xsk_insn_ja(0), XSK_LABEL_MATCH);		/* 0 */
	xsk_emit_jump(&as, xsk_insn_ja(0), XSK_LABEL_PASS);
	emit_many(&as, 3);
	xsk_emit_jump(&as, xsk_insn_ja(0), XSK_LABEL_MATCH);		/* 5 */
	assert_true(xsk_assembly_is_pending(&as, XSK_LABEL_MATCH));
	assert_true(xsk_assembly_is_pending(&as, XSK_LABEL_PASS));
	assert_false(xsk_assembly_is_pending(&as, 0));

	xsk_assembly_bind(&as, XSK_LABEL_MATCH, as.count);
	assert_int_equal(as.insns[0].off, 5);
	assert_int_equal(as.insns[5].off, 0);
	assert_int_equal(as.insns[1].off, 0);
	assert_false(xsk_assembly_is_pending(&as, XSK_LABEL_MATCH));
	assert_true(xsk_assembly_is_pending(&as, XSK_LABEL_PASS));

	/* Bound once more, to nothing; and to one that was emitted. */
	xsk_assembly_bind(&as, XSK_LABEL_MATCH, 0);
	assert_int_equal(as.insns[0].off, 5);
	xsk_assembly_bind(&as, XSK_LABEL_PASS, 0);
	assert_int_equal(as.insns[1].off, -2);
	assert_int_equal(as.err, 0);
	xsk_assembly_free(&as);
}

/* Those to numbers, and no others; jumps of later keep theirs. */
static void bind_all(void **state)
{
	static const uint32_t at[] = { 3, 0, 2 };
	struct xsk_assembly as = { 0 };

	(void)state;
	xsk_emit_jump(&as, xsk_insn_ja(0), 2);
	xsk_emit_jump(&as, xsk_insn_ja(0), XSK_LABEL_PASS);
	xsk_emit_jump(&as, xsk_insn_ja(0), 1);
	xsk_emit_jump(&as, xsk_insn_ja(0), 0);
	assert_true(xsk_assembly_is_pending(&as, 2));
	xsk_assembly_bind_all(&as, at);
	assert_int_equal(as.insns[0].off, 1);
	assert_int_equal(as.insns[2].off, -3);
	assert_int_equal(as.insns[3].off, -1);
	assert_false(xsk_assembly_is_pending(&as, 0));
	assert_true(xsk_assembly_is_pending(&as, XSK_LABEL_PASS));
	xsk_assembly_bind(&as, XSK_LABEL_PASS, 4);
	assert_int_equal(as.insns[1].off, 2);
	xsk_assembly_free(&as);
}

static void cut(void **state)
{
	struct xsk_assembly as = { 0 };

	(void)state;
	xsk_emit(&as, number(1));
	xsk_emit_jump(&as, xsk_insn_ja(0), XSK_LABEL_PASS);
	xsk_emit_jump(&as, xsk_insn_ja(0), XSK_LABEL_MATCH);
	xsk_emit_jump(&as, xsk_insn_ja(0), 7);
	xsk_assembly_cut(&as, 2);
	assert_int_equal(as.count, 2);
	assert_int_equal(as.nahead, 1);
	assert_true(xsk_assembly_is_pending(&as, XSK_LABEL_PASS));
	assert_false(xsk_assembly_is_pending(&as, XSK_LABEL_MATCH));
	assert_false(xsk_assembly_is_pending(&as, 7));
	xsk_assembly_cut(&as, 0);
	assert_int_equal(as.count, 0);
	assert_int_equal(as.nahead, 0);
	assert_false(xsk_assembly_is_pending(&as, XSK_LABEL_PASS));
	xsk_assembly_free(&as);
}

/* 32,767 forward, 32,768 back, and no more. */
static void longest_jumps(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct xsk_assembly as = { 0 };

		xsk_emit_jump(&as, xsk_insn_ja(0), XSK_LABEL_MATCH);
		emit_many(&as, 32767 + (uint32_t)i);
		xsk_assembly_bind(&as, XSK_LABEL_MATCH, as.count);
		assert_int_equal(as.err, i ? -E2BIG : 0);
		if (!i)
			assert_int_equal(as.insns[0].off, 32767);
		xsk_assembly_free(&as);

		emit_many(&as, 32767 + (uint32_t)i);
		xsk_emit_jump(&as, xsk_insn_ja(0), XSK_LABEL_PASS);
		xsk_assembly_bind(&as, XSK_LABEL_PASS, 0);
		assert_int_equal(as.err, i ? -E2BIG : 0);
		if (!i)
			assert_int_equal(as.insns[32767].off, -32768);
		xsk_assembly_free(&as);
	}
}

/* The first error stays, and nothing is done after it. */
static void errors_stay(void **state)
{
	static const uint32_t at[] = { 0 };
	struct xsk_assembly as = { 0 };

	(void)state;
	emit_many(&as, 64);
	xsk_emit_jump(&as, xsk_insn_ja(0), 0);
	assert_int_equal(as.count, 65);
	as.err = -E2BIG;
	emit_many(&as, 64);
	xsk_emit_jump(&as, xsk_insn_ja(0), XSK_LABEL_MATCH);
	xsk_assembly_bind_all(&as, at);
	xsk_assembly_cut(&as, 0);
	xsk_assembly_shorten(&as);
	assert_int_equal(as.count, 65);
	assert_int_equal(as.njumps, 1);
	assert_int_equal(as.insns[64].off, 0);
	assert_int_equal(as.err, -E2BIG);
	xsk_assembly_free(&as);
}

static void no_memory(void **state)
{
	struct xsk_assembly as = { 0 };

	(void)state;
	fail_allocation(2);
	emit_many(&as, 64);
	assert_int_equal(as.err, 0);
	emit_many(&as, 1);
	assert_int_equal(as.err, -ENOMEM);
	assert_int_equal(as.count, 64);
	assert_int_equal(as.room, 64);
	xsk_assembly_free(&as);
	assert_int_equal(allocations_held(), 0);

	fail_allocation(1);
	xsk_emit_jump(&as, xsk_insn_ja(0), 0);
	assert_int_equal(as.err, -ENOMEM);
	assert_int_equal(as.count, 0);
	xsk_assembly_free(&as);
	fail_allocation(0);
}

/* ---- jumps of several ---- */

/* Nothing before it is due; then one for each verdict that is jumped to, and around them. */
static void shortened(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		uint32_t match = i & 1, pass = i >> 1 & 1, around = i & 4 ? 0 : 1;
		struct xsk_assembly as = { 0 };
		uint32_t before;

		if (match)
			xsk_emit_jump(&as, xsk_insn_jump_imm(BPF_JEQ, BPF_REG_0, 0, 0),
				      XSK_LABEL_MATCH);
		if (pass)
			xsk_emit_jump(&as, xsk_insn_jump_imm(BPF_JEQ, BPF_REG_0, 0, 0),
				      XSK_LABEL_PASS);
		emit_many(&as, 20000);
		before = as.count;
		xsk_assembly_shorten(&as);
		assert_int_equal(as.count, before);
		emit_many(&as, 12000);
		if (!around)
			xsk_emit_jump(&as, xsk_insn_ja(0), 0);
		before = as.count;
		xsk_assembly_shorten(&as);
		if (!match && !pass)
			around = 0;
		assert_int_equal(as.count, before + match + pass + around);
		if (around)
			assert_int_equal(as.insns[before].off, match + pass);
		if (match)
			assert_int_equal(as.insns[0].off, before + around - 1);
		if (pass)
			assert_int_equal(as.insns[match].off, before + around - 1);
		assert_int_equal(xsk_assembly_is_pending(&as, XSK_LABEL_MATCH), match);
		assert_int_equal(xsk_assembly_is_pending(&as, XSK_LABEL_PASS), pass);

		/* The next is due later again. */
		before = as.count;
		xsk_assembly_shorten(&as);
		assert_int_equal(as.count, before);
		xsk_assembly_free(&as);
	}
}

/* ---- long programs ---- */

static struct xsk_filter *filter_of(const struct sock_filter *insns, size_t count)
{
	struct xsk_filter *filter;
	struct xsk_error error;

	if (xsk_filter_from_cbpf(&filter, insns, count, &error))
		fail_msg("%s", error.reason);
	return filter;
}

static void agree(const struct xsk_filter *filter, const struct xsk_code *code,
		  const uint8_t *packet, size_t len, bool expected)
{
	struct ebpf ebpf = { .insns = code->insns, .count = code->count, .packet = packet,
			     .len = len };

	assert_int_equal(xsk_filter_match(filter, packet, len), expected);
	assert_int_equal(ebpf_run(&ebpf), expected ? XDP_REDIRECT : XDP_PASS);
	assert_int_equal(ebpf.counters[XSK_COUNT_MATCHED], expected);
	assert_int_equal(ebpf.counters[XSK_COUNT_PASSED], !expected);
}

/*
 * As "host a or host b or …": each term matches its number in the packet, or inverted,
 * whatever is none of them. All but the first load by X, so that the packet's length decides,
 * too. As long as a program can be: more than 100,000 instructions of eBPF.
 */
static void many_terms(void **state)
{
	enum { TERMS = (XSK_FILTER_MAX_INSNS - 1) / 3 };
	struct sock_filter *insns = calloc(XSK_FILTER_MAX_INSNS, sizeof(*insns));
	static const uint32_t values[] = { 0, 1, 99, 4000, 4001, TERMS / 2, TERMS - 2, TERMS - 1,
					   TERMS, 0x10000, UINT32_MAX };

	(void)state;
	assert_non_null(insns);
	for (int inverse = 0; inverse < 2; inverse++) {
		struct xsk_filter *filter;
		struct xsk_error error;
		struct xsk_code code;
		uint32_t at = 0;

		for (uint32_t i = 0; i < TERMS; i++) {
			insns[at++] = (struct sock_filter){ BPF_LD | BPF_W | BPF_IND, 0, 0, 26 };
			insns[at++] = (struct sock_filter){ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, i };
			insns[at++] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, !inverse };
		}
		insns[at++] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, (uint32_t)inverse };
		assert_true(at <= XSK_FILTER_MAX_INSNS);
		filter = filter_of(insns, at);
		assert_int_equal(xsk_filter_code(&code, filter, NULL, true, &error), 0);
		assert_true(code.count > 100000);
		ebpf_check(code.insns, code.count);
		for (size_t i = 0; i < COUNT(values); i++) {
			uint32_t v = values[i];
			uint8_t packet[30] = { [26] = (uint8_t)(v >> 24), (uint8_t)(v >> 16),
					       (uint8_t)(v >> 8), (uint8_t)v };

			agree(filter, &code, packet, 30, (v < TERMS) != inverse);
			agree(filter, &code, packet, 29, false);
		}
		xsk_filter_code_free(&code);
		xsk_filter_free(filter);
	}
	free(insns);
}

/* A jump over count instructions, to one that is no verdict; nothing loads the packet. */
static int jump_over(struct xsk_filter **filter, uint32_t count, struct xsk_error *error)
{
	struct sock_filter *insns = calloc(count + 4, sizeof(*insns));
	int err;

	assert_non_null(insns);
	insns[0] = (struct sock_filter){ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0 };	/* A is 0 */
	insns[1] = (struct sock_filter){ BPF_JMP | BPF_JA, 0, 0, count };
	for (uint32_t i = 0; i < count; i++)
		insns[2 + i] = (struct sock_filter){ BPF_LDX | BPF_IMM, 0, 0, i };
	insns[2 + count] = (struct sock_filter){ BPF_LD | BPF_IMM, 0, 0, 1 };
	insns[3 + count] = (struct sock_filter){ BPF_RET | BPF_A, 0, 0, 0 };
	err = xsk_filter_from_cbpf(filter, insns, count + 4, error);
	free(insns);
	return err;
}

static void too_long_a_jump(void **state)
{
	struct xsk_filter *filter = NULL;
	uint8_t packet[14] = { 0 };
	struct xsk_error error;
	struct xsk_code code;

	(void)state;
	assert_int_equal(jump_over(&filter, 32767, &error), 0);
	assert_int_equal(xsk_filter_code(&code, filter, NULL, true, &error), 0);
	ebpf_check(code.insns, code.count);
	agree(filter, &code, packet, 14, true);
	xsk_filter_code_free(&code);
	xsk_filter_free(filter);

	filter = (void *)0x5a5a;
	assert_int_equal(jump_over(&filter, 32768, &error), -E2BIG);
	assert_ptr_equal(filter, (void *)0x5a5a);
	assert_int_equal(error.code, -E2BIG);
	assert_non_null(strstr(error.reason, "a jump in it would be longer"));
	assert_non_null(strstr(error.hint, "split it"));
	assert_int_equal(jump_over(&filter, 65532, &error), -E2BIG);
	assert_int_equal(jump_over(&filter, 65533, &error), -E2BIG);
	assert_non_null(strstr(error.reason, "65537 instructions; 65536 is the most"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows),
		cmocka_unit_test(bind),
		cmocka_unit_test(bind_all),
		cmocka_unit_test(cut),
		cmocka_unit_test(longest_jumps),
		cmocka_unit_test(errors_stay),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(shortened),
		cmocka_unit_test(many_terms),
		cmocka_unit_test(too_long_a_jump),
	};

	return cmocka_run_group_tests_name("assembly", tests, NULL, NULL);
}
