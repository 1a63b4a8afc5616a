/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "prog_code.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/filter.h>
#include <xsk/filter.h>

#include "filter.h"

/* ---- filters ---- */

struct xsk_filter *filter_of(uint32_t byte)
{
	const struct sock_filter insns[] = {
		{ BPF_LD | BPF_B | BPF_ABS, 0, 0, 12 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, byte },
		{ BPF_RET | BPF_K, 0, 0, 1 },
		{ BPF_RET | BPF_K, 0, 0, 0 },
	};
	struct xsk_filter *filter;

	assert_int_equal(xsk_filter_from_cbpf(&filter, insns, 4, NULL), 0);
	return filter;
}

struct xsk_filter *filter_of_len(void)
{
	const struct sock_filter insns[] = {
		{ BPF_LD | BPF_LEN, 0, 0, 0 },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};
	struct xsk_filter *filter;

	assert_int_equal(xsk_filter_from_cbpf(&filter, insns, 2, NULL), 0);
	return filter;
}

struct xsk_code code_of(struct xsk_filter *filter, bool counts)
{
	struct xsk_error error;
	struct xsk_code code;

	assert_int_equal(xsk_filter_code(&code, filter, NULL, counts, &error), 0);
	xsk_filter_free(filter);
	return code;
}

/* ---- joining ---- */

int join(struct xsk_prog *prog, const struct xsk_code *code, struct xsk_error *error)
{
	size_t size = code->count * sizeof(*code->insns);
	struct bpf_insn *before = malloc(size);
	int err;

	assert_non_null(before);
	memcpy(before, code->insns, size);
	memset(error, 0, sizeof(*error));
	memset(prog, DIRT, sizeof(*prog));
	err = xsk_prog_join(prog, IFINDEX, 0, code, error);
	assert_memory_equal(code->insns, before, size);
	assert_int_equal(kernel.wrong_closes, 0);
	assert_false(kernel.signals_blocked);
	free(before);
	return err;
}

void fail_join(const struct xsk_code *code, int expected, struct xsk_error *error)
{
	struct xsk_prog prog, untouched;
	int before = open_fds();

	memset(&untouched, DIRT, sizeof(untouched));
	assert_int_equal(join(&prog, code, error), expected);
	assert_int_equal(error->code, expected);
	assert_true(error->step[0]);
	assert_true(error->reason[0]);
	assert_memory_equal(&prog, &untouched, sizeof(prog));
	assert_int_equal(open_fds(), before);
}
