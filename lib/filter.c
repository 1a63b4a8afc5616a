/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "filter.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <xsk/filter.h>

#include "assembly.h"
#include "classic.h"
#include "error.h"
#include "expression.h"
#include "keep.h"
#include "kernel.h"
#include "listing.h"
#include "text.h"
#include "translate.h"
#include "validate.h"

/* On the stack, below what a classic program has: the index of the counters. */
#define KEY (-80)

#define SHORTEN "take networks and port ranges rather than lists, or split it"

struct xsk_filter {
	char *expression;		/* NULL: it came as a program */
	struct sock_filter *insns;
	uint32_t count;
};

void xsk_filter_free(struct xsk_filter *filter)
{
	if (!filter)
		return;
	free(filter->expression);
	free(filter->insns);
	free(filter);
}

static struct xsk_classic classic_of(const struct xsk_filter *filter)
{
	return (struct xsk_classic){ .insns = filter->insns, .count = filter->count };
}

/* ---- the program without one ---- */

struct xsk_code xsk_filter_default(struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS])
{
	/* return bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
	 * The low bits of the flags are the verdict on a miss (5.3).
	 */
	insns[0] = xsk_insn_load(BPF_W, BPF_REG_2, BPF_REG_1,
				 offsetof(struct xdp_md, rx_queue_index));
	insns[1] = xsk_insn_map(BPF_REG_1, 0);
	insns[2] = xsk_insn_wide_end();
	insns[3] = xsk_insn_mov_imm(BPF_REG_3, XDP_PASS);
	insns[4] = xsk_insn_call(BPF_FUNC_redirect_map);
	insns[5] = xsk_insn_exit();
	return (struct xsk_code){ .insns = insns, .count = XSK_FILTER_DEFAULT_INSNS };
}

/* ---- the program with one ---- */

/* The length of all buffers is told from 5.18 on; before, there is one. */
static void emit_start(struct xsk_assembly *as, bool needs_len, bool older)
{
	xsk_emit(as, xsk_insn_mov(XSK_REG_CTX, BPF_REG_1));
	if (needs_len && !older) {
		xsk_emit(as, xsk_insn_call(XSK_FUNC_XDP_GET_BUFF_LEN));
		xsk_emit(as, xsk_insn_mov(XSK_REG_LEN, BPF_REG_0));
	}
	xsk_emit(as, xsk_insn_load(BPF_W, XSK_REG_DATA, XSK_REG_CTX,
				   offsetof(struct xdp_md, data)));
	xsk_emit(as, xsk_insn_load(BPF_W, XSK_REG_END, XSK_REG_CTX,
				   offsetof(struct xdp_md, data_end)));
	if (needs_len && older) {
		xsk_emit(as, xsk_insn_mov(XSK_REG_LEN, XSK_REG_END));
		xsk_emit(as, xsk_insn_alu(BPF_SUB, XSK_REG_LEN, XSK_REG_DATA));
	}
}

/* Only this CPU writes there, one packet at a time. */
static void emit_count(struct xsk_assembly *as, int counter)
{
	int16_t offset = (int16_t)(counter * (int)sizeof(uint64_t));

	xsk_emit(as, xsk_insn_store_imm(BPF_W, BPF_REG_10, KEY, 0));
	xsk_emit(as, xsk_insn_mov(BPF_REG_2, BPF_REG_10));
	xsk_emit(as, xsk_insn_add_imm(BPF_REG_2, KEY));
	xsk_emit(as, xsk_insn_map(BPF_REG_1, 1));
	xsk_emit(as, xsk_insn_wide_end());
	xsk_emit(as, xsk_insn_call(BPF_FUNC_map_lookup_elem));
	xsk_emit(as, xsk_insn_jump_imm(BPF_JEQ, BPF_REG_0, 0, 3));
	xsk_emit(as, xsk_insn_load(BPF_DW, BPF_REG_1, BPF_REG_0, offset));
	xsk_emit(as, xsk_insn_add_imm(BPF_REG_1, 1));
	xsk_emit(as, xsk_insn_store(BPF_DW, BPF_REG_0, offset, BPF_REG_1));
}

static void emit_pass(struct xsk_assembly *as, bool counts, int counter)
{
	if (counts)
		emit_count(as, counter);
	xsk_emit(as, xsk_insn_mov_imm(BPF_REG_0, XDP_PASS));
	xsk_emit(as, xsk_insn_exit());
}

static void emit_take(struct xsk_assembly *as, bool counts)
{
	if (counts)
		emit_count(as, XSK_COUNT_MATCHED);
	xsk_emit(as, xsk_insn_load(BPF_W, BPF_REG_2, XSK_REG_CTX,
				   offsetof(struct xdp_md, rx_queue_index)));
	xsk_emit(as, xsk_insn_map(BPF_REG_1, 0));
	xsk_emit(as, xsk_insn_wide_end());
	xsk_emit(as, xsk_insn_mov_imm(BPF_REG_3, XDP_PASS));
	xsk_emit(as, xsk_insn_call(BPF_FUNC_redirect_map));
	xsk_emit(as, xsk_insn_exit());
}

static void emit_keep(struct xsk_assembly *as, const struct xsk_keep *keep, bool counts)
{
	struct sock_filter insns[XSK_KEEP_MAX_INSNS];
	struct xsk_classic code = { .insns = insns };

	code.count = xsk_keep_program(insns, keep);
	xsk_translate(as, &code);
	xsk_assembly_bind(as, XSK_LABEL_MATCH, as->count);
	emit_pass(as, counts, XSK_COUNT_KEPT);
	xsk_assembly_bind(as, XSK_LABEL_PASS, as->count);
}

/*
 * The verifier wants no instruction that nothing leads to, and who looks for the sockets' map
 * wants it in the program. So one that never matches gets a way there: never gone, which the
 * verifier cannot know.
 */
static void emit_never(struct xsk_assembly *as)
{
	xsk_emit_jump(as, xsk_insn_jump(BPF_JGT, XSK_REG_DATA, XSK_REG_END, 0), XSK_LABEL_MATCH);
	xsk_emit_jump(as, xsk_insn_ja(0), XSK_LABEL_PASS);
}

static void emit_filter(struct xsk_assembly *as, const struct xsk_classic *code, bool counts)
{
	uint32_t start = as->count;

	xsk_translate(as, code);
	if (!xsk_assembly_is_pending(as, XSK_LABEL_MATCH)) {
		xsk_assembly_cut(as, start);
		emit_never(as);
	}
	xsk_assembly_bind(as, XSK_LABEL_MATCH, as->count);
	emit_take(as, counts);
	if (!xsk_assembly_is_pending(as, XSK_LABEL_PASS))
		return;
	xsk_assembly_bind(as, XSK_LABEL_PASS, as->count);
	emit_pass(as, counts, XSK_COUNT_PASSED);
}

/* What a program is made from. */
struct parts {
	struct xsk_classic filter;	/* with a count of 0 there is none */
	const struct xsk_keep *keep;	/* or NULL */
	bool needs_len;
	bool counts;
};

/* Returns its instructions, to be freed, or NULL with the error in *err. */
static struct bpf_insn *assemble(const struct parts *parts, bool older, size_t *count, int *err)
{
	struct xsk_assembly as = { 0 };
	struct bpf_insn *insns;

	emit_start(&as, parts->needs_len, older);
	if (parts->keep)
		emit_keep(&as, parts->keep, parts->counts);
	if (parts->filter.count)
		emit_filter(&as, &parts->filter, parts->counts);
	else
		emit_take(&as, parts->counts);
	*err = as.err;
	*count = as.count;
	insns = as.insns;
	if (as.err)
		insns = NULL;
	else
		as.insns = NULL;
	xsk_assembly_free(&as);
	return insns;
}

void xsk_filter_code_free(struct xsk_code *code)
{
	free((void *)code->insns);
	free((void *)code->older);
	code->insns = code->older = NULL;
}

static int explain(int err, struct xsk_error *error)
{
	if (err != -E2BIG)
		return xsk_error_system(error, err, "filter");
	xsk_error_set(error, err, "filter", "its program is too long: a jump in it would be longer "
		      "than eBPF's can be");
	return xsk_error_hint(error, "%s", SHORTEN);
}

static int make_default(struct xsk_code *code, struct xsk_error *error)
{
	struct bpf_insn *insns = calloc(XSK_FILTER_DEFAULT_INSNS, sizeof(*insns));

	if (!insns)
		return xsk_error_system(error, -ENOMEM, "filter");
	*code = xsk_filter_default(insns);
	return 0;
}

int xsk_filter_code(struct xsk_code *code, const struct xsk_filter *filter,
		    const struct xsk_keep *keep, bool counts, struct xsk_error *error)
{
	struct xsk_code made = { .counts = counts, .filters = true };
	struct parts parts = { .counts = counts };
	int err;

	if (filter)
		parts.filter = classic_of(filter);
	if (keep && !xsk_keep_is_empty(keep))
		parts.keep = keep;
	if (!filter && !parts.keep && !counts)
		return make_default(code, error);
	parts.needs_len = xsk_translate_needs_len(&parts.filter);

	made.insns = assemble(&parts, false, &made.count, &err);
	if (made.insns && parts.needs_len)
		made.older = assemble(&parts, true, &made.older_count, &err);
	if (err) {
		xsk_filter_code_free(&made);
		return explain(err, error);
	}
	*code = made;
	return 0;
}

/* ---- making a filter ---- */

/* Takes the instructions over, also where it fails. */
static int make(struct xsk_filter **ret, const char *expression, struct sock_filter *insns,
		uint32_t count, struct xsk_error *error)
{
	struct xsk_filter *filter = calloc(1, sizeof(*filter));
	struct xsk_classic classic = { .insns = insns, .count = count };
	struct xsk_code code;
	int err;

	if (filter && expression)
		filter->expression = strdup(expression);
	if (!filter || (expression && !filter->expression)) {
		free(insns);
		xsk_filter_free(filter);
		return xsk_error_system(error, -ENOMEM, "filter");
	}
	filter->insns = insns;
	filter->count = count;
	err = xsk_validate(&classic, error);
	/* That it can be translated is better known now than when a port is opened. */
	if (!err)
		err = xsk_filter_code(&code, filter, NULL, true, error);
	if (err) {
		xsk_filter_free(filter);
		return err;
	}
	xsk_filter_code_free(&code);
	*ret = filter;
	return 0;
}

static int refuse_count(size_t count, struct xsk_error *error)
{
	xsk_error_set(error, -E2BIG, "filter", "a program of %zu instructions; %d is the most",
		      count, XSK_FILTER_MAX_INSNS);
	return xsk_error_hint(error, "%s", SHORTEN);
}

static int from_cbpf(struct xsk_filter **filter, const struct sock_filter *insns, size_t count,
		     struct xsk_error *error)
{
	struct sock_filter *copy;

	if (!filter || !insns || !count) {
		xsk_error_set(error, -EINVAL, "filter", "%s", !filter ?
			      "the place for the filter is NULL" : !insns ?
			      "the program is NULL" : "a program of no instructions");
		return xsk_error_hint(error, "give one of at least one instruction, that returns");
	}
	if (count > XSK_FILTER_MAX_INSNS)
		return refuse_count(count, error);
	copy = reallocarray(NULL, count, sizeof(*copy));
	if (!copy)
		return xsk_error_system(error, -ENOMEM, "filter");
	memcpy(copy, insns, count * sizeof(*copy));
	return make(filter, NULL, copy, (uint32_t)count, error);
}

static int check_expression(struct xsk_filter **filter, const char *expression,
			    struct xsk_error *error)
{
	size_t len;

	if (!filter || !expression) {
		xsk_error_set(error, -EINVAL, "filter", filter ? "the expression is NULL" :
			      "the place for the filter is NULL");
		return xsk_error_hint(error, filter ? "leave out the filter to take all packets" :
				      "give a place for it");
	}
	len = strlen(expression);
	if (strspn(expression, " \t\r\n") == len) {
		xsk_error_set(error, -EINVAL, "filter", "the expression is empty");
		return xsk_error_hint(error, "leave out the filter to take all packets");
	}
	if (len > XSK_FILTER_MAX_TEXT) {
		xsk_error_set(error, -E2BIG, "filter", "an expression of %zu bytes; %d is the most",
			      len, XSK_FILTER_MAX_TEXT);
		return xsk_error_hint(error, "%s", SHORTEN);
	}
	return 0;
}

static int compile(struct xsk_filter **filter, const char *expression, struct xsk_error *error)
{
	struct sock_filter *insns;
	uint32_t count;
	int err;

	err = check_expression(filter, expression, error);
	if (!err)
		err = xsk_expression_compile(&insns, &count, expression, error);
	if (err)
		return err;
	if (count > XSK_FILTER_MAX_INSNS) {
		free(insns);
		return refuse_count(count, error);
	}
	return make(filter, expression, insns, count, error);
}

/* The reason to the caller, if he wants it, and to xsk_error_last(). */
static int finish(int err, const struct xsk_error *why, struct xsk_error *error)
{
	if (!err)
		return 0;
	if (error)
		*error = *why;
	return xsk_error_keep(why);
}

int xsk_filter_compile(struct xsk_filter **filter, const char *expression,
		       struct xsk_error *error)
{
	struct xsk_error why;

	return finish(compile(filter, expression, &why), &why, error);
}

int xsk_filter_from_cbpf(struct xsk_filter **filter, const struct sock_filter *insns,
			 size_t count, struct xsk_error *error)
{
	struct xsk_error why;

	return finish(from_cbpf(filter, insns, count, &why), &why, error);
}

/* ---- using it ---- */

int xsk_filter_match(const struct xsk_filter *filter, const void *packet, size_t len)
{
	struct xsk_classic classic;

	if (!filter || (!packet && len))
		return -EINVAL;
	classic = classic_of(filter);
	return xsk_classic_match(&classic, packet, len);
}

int xsk_filter_dump(const struct xsk_filter *filter, char *buffer, size_t size)
{
	struct xsk_text text = { .at = buffer, .size = buffer ? size : 0 };
	struct xsk_classic classic;
	struct xsk_error ignored;
	struct xsk_code code;
	int err;

	if (!filter)
		return -EINVAL;
	err = xsk_filter_code(&code, filter, NULL, true, &ignored);
	if (err)
		return err;
	classic = classic_of(filter);
	if (filter->expression)
		xsk_text_add(&text, "expression: %s\n", filter->expression);
	xsk_text_add(&text, "classic BPF, %u instructions:\n", filter->count);
	xsk_list_classic(&text, &classic);
	xsk_text_add(&text, "eBPF, %zu instructions; map 0: the sockets, map 1: the counters:\n",
		     code.count);
	xsk_list_ebpf(&text, code.insns, code.count);
	xsk_filter_code_free(&code);
	return (int)text.len;
}
