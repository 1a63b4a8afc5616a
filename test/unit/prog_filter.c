/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Programs that filter: joined where the very same is there, and loaded as the kernel at hand
 * wants it; lib/prog.c on a kernel that is faked (prog_kernel.h).
 */
#include "prog_code.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "failing.h"
#include "filter.h"

/* ---- joining ---- */

static void attach_with_counters(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	struct xsk_code code = code_of(filter_of(8), true);

	(void)state;
	assert_int_equal(join(&prog, &code, &error), 0);
	assert_string_equal(find_prog(kernel.attached)->name, "libxsk_filter");
	assert_true(prog.attached_here);
	assert_int_equal(prog.id, kernel.attached);
	assert_int_equal(xsk_prog_id(&prog), kernel.attached);
	assert_int_equal(find_prog(kernel.attached)->map_count, 2);
	assert_int_equal(find_map(id_of(prog.map_fd))->type, BPF_MAP_TYPE_XSKMAP);
	assert_string_equal(find_map(id_of(prog.counters_fd))->name, "xsk_counters");
	assert_int_equal(kind_of(prog.link_fd), LINK);
	assert_int_equal(open_fds(), 3);
	assert_left(&prog);
	assert_int_equal(prog.counters_fd, -1);
	assert_int_equal(kernel.attached, 0);
	xsk_filter_code_free(&code);
}

static void attach_without_counters(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	struct xsk_code code = code_of(filter_of(8), false);

	(void)state;
	assert_int_equal(join(&prog, &code, &error), 0);
	assert_string_equal(find_prog(kernel.attached)->name, "libxsk_filter");
	assert_int_equal(find_prog(kernel.attached)->map_count, 1);
	assert_int_equal(prog.counters_fd, -1);
	assert_int_equal(open_fds(), 2);
	assert_left(&prog);
	xsk_filter_code_free(&code);
}

/* The same filter, though made anew, with and without counters: a share in one program. */
static void same_is_joined(void **state)
{
	struct xsk_error error;
	struct xsk_prog first, second;

	for (int counts = 0; counts < 2; counts++) {
		struct xsk_code code = code_of(filter_of(8), counts);
		struct xsk_code again = code_of(filter_of(8), counts);

		reset(state);
		assert_int_equal(join(&first, &code, &error), 0);
		assert_int_equal(open_fds(), 2 + counts);
		assert_int_equal(join(&second, &again, &error), 0);
		assert_false(second.attached_here);
		assert_int_equal(second.id, first.id);
		assert_int_equal(id_of(second.map_fd), id_of(first.map_fd));
		assert_int_equal(id_of(second.link_fd), id_of(first.link_fd));
		if (counts)
			assert_int_equal(id_of(second.counters_fd), id_of(first.counters_fd));
		else
			assert_int_equal(second.counters_fd, -1);
		/* What was loaded to compare is not kept. */
		assert_int_equal(open_fds(), 2 * (2 + counts));

		xsk_prog_leave(&first);
		assert_int_equal(kernel.attached, second.id);
		assert_left(&second);
		assert_int_equal(kernel.attached, 0);
		xsk_filter_code_free(&code);
		xsk_filter_code_free(&again);
	}
}

/* Whose program it is, and what to do. */
static void assert_other(const struct xsk_code *code)
{
	struct xsk_error error;
	char id[24];

	fail_join(code, -EBUSY, &error);
	snprintf(id, sizeof(id), "(id %u)", kernel.attached);
	assert_non_null(strstr(error.reason, "eth0"));
	assert_non_null(strstr(error.reason, find_prog(kernel.attached)->name));
	assert_non_null(strstr(error.reason, id));
	if (!strncmp(find_prog(kernel.attached)->name, "libxsk_", 7)) {
		assert_non_null(strstr(error.reason, "made for another filter or keep"));
		assert_non_null(strstr(error.hint, "or close those"));
	} else {
		assert_non_null(strstr(error.reason, "another one's"));
		assert_non_null(strstr(error.hint, "without filter and keep"));
	}
	assert_int_equal(kernel.sleeps, 0);
}

static void other_is_busy(void **state)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code codes[] = {
		code_of(filter_of(8), true), code_of(filter_of(9), true),
		code_of(filter_of(8), false), xsk_filter_default(insns),
	};
	struct xsk_error error;
	struct xsk_prog prog;

	/* Each but the default is refused by each other; that one joins any. */
	for (int i = 0; i < 4; i++) {
		reset(state);
		assert_int_equal(join(&prog, &codes[i], &error), 0);
		for (int j = 0; j < 3; j++)
			if (i != j)
				assert_other(&codes[j]);
		assert_left(&prog);
	}
	for (int i = 0; i < 3; i++)
		xsk_filter_code_free(&codes[i]);
}

static void default_joins_any(void **state)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code any = xsk_filter_default(insns), code = code_of(filter_of(8), true);
	struct xsk_prog first, second;
	struct xsk_error error;
	int loads;

	(void)state;
	assert_int_equal(join(&first, &code, &error), 0);
	loads = kernel.loads;
	assert_int_equal(join(&second, &any, &error), 0);
	assert_int_equal(kernel.loads, loads);
	assert_int_equal(second.id, first.id);
	assert_int_equal(second.counters_fd, -1);
	assert_int_equal(open_fds(), 3 + 2);
	xsk_prog_leave(&first);
	assert_left(&second);
	xsk_filter_code_free(&code);
}

/* A program of others with an XSKMAP: with and without a map of the counters' name. */
static void others_are_busy(void **state)
{
	struct xsk_code plain = code_of(filter_of(8), false), counts = code_of(filter_of(8), true);
	struct prog *other;

	(void)state;
	attach_other_by_link();
	assert_other(&plain);
	assert_other(&counts);

	reset(NULL);
	other = attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_PERCPU_ARRAY, "xsk_counters");
	assert_other(&plain);
	assert_other(&counts);

	/* The name alone does not make it the counters: nothing is loaded to compare. */
	reset(NULL);
	other = attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_ARRAY, "xsk_counters");
	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_PERCPU_ARRAY, "counters");
	assert_other(&counts);
	assert_int_equal(kernel.loads, 0);
	xsk_filter_code_free(&plain);
	xsk_filter_code_free(&counts);
}

/* ---- others, at the same time ---- */

static int looks;			/* at a program by its id; then it vanishes */
static struct xsk_prog *changed;	/* by another, to: */
static const struct xsk_code *change;

static void vanish(const char *name)
{
	if (strcmp(name, "bpf_prog_get_fd_by_id") || --looks)
		return;
	kernel.attached = 0;
	for (int i = 0; i < kernel.prog_count; i++)
		kernel.progs[i].gone = true;
	for (int i = 0; i < kernel.link_count; i++)
		kernel.links[i].gone = true;
}

/* At each look that takes part: the map, the counters, the tag. */
static void vanishes(void **state)
{
	struct xsk_code code = code_of(filter_of(8), true);
	struct xsk_prog first, second;
	struct xsk_error error;

	for (int look = 1; look <= 3; look++) {
		reset(state);
		assert_int_equal(join(&first, &code, &error), 0);
		looks = look;
		kernel.before = vanish;
		assert_int_equal(join(&second, &code, &error), 0);
		assert_true(looks <= 0);
		assert_true(second.attached_here);
		assert_int_equal(second.id, kernel.attached);
		assert_int_not_equal(id_of(second.map_fd), id_of(first.map_fd));
		assert_int_not_equal(id_of(second.counters_fd), id_of(first.counters_fd));
		assert_int_equal(kernel.sleeps, 1);
		assert_int_equal(open_fds(), 6);
		xsk_prog_leave(&first);
		assert_left(&second);
	}
	xsk_filter_code_free(&code);
}

static void change_at_load(const char *name)
{
	struct xsk_error error;

	if (strcmp(name, "bpf_prog_load"))
		return;
	kernel.before = NULL;
	/* The load that is under way has its signals blocked. */
	kernel.signals_blocked = false;
	assert_int_equal(xsk_prog_replace(changed, change, &error), 0);
	kernel.signals_blocked = true;
}

/* While it is compared, another filter is put there: it is seen, and refused; or the same. */
static void changes(void **state)
{
	struct xsk_code code = code_of(filter_of(8), true), other = code_of(filter_of(9), true);
	struct xsk_prog first, second;
	struct xsk_error error;

	(void)state;
	assert_int_equal(join(&first, &code, &error), 0);
	changed = &first;
	change = &other;
	kernel.before = change_at_load;
	fail_join(&code, -EBUSY, &error);
	assert_non_null(strstr(error.reason, "made for another filter or keep"));
	assert_int_equal(kernel.sleeps, 1);

	change = &code;
	kernel.before = change_at_load;
	assert_int_equal(join(&second, &code, &error), 0);
	assert_int_equal(second.id, first.id);
	assert_int_equal(second.id, kernel.attached);
	assert_int_equal(open_fds(), 6);
	xsk_prog_leave(&first);
	assert_left(&second);
	xsk_filter_code_free(&code);
	xsk_filter_code_free(&other);
}

/* ---- loading ---- */

/* What each kernel is asked for, in turn; the last is what it takes. */
static void older_kernels(void **state)
{
	static const struct {
		bool no_frags, no_buff_len, asked;
		int loads;
		uint32_t flags;
		bool older;
	} kernels[] = {
		{ false, false, false, 1, BPF_F_XDP_HAS_FRAGS, false },
		{ false, false, true, 1, 0, false },
		{ true, false, false, 2, 0, false },
		{ true, true, false, 5, 0, true },
		{ false, true, false, 4, BPF_F_XDP_HAS_FRAGS, true },
	};
	struct xsk_code code = code_of(filter_of_len(), true);
	struct xsk_error error;
	struct xsk_prog prog;

	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		int last = kernels[i].loads - 1;

		reset(state);
		kernel.no_frags = kernels[i].no_frags;
		kernel.no_buff_len = kernels[i].no_buff_len;
		code.no_frags = kernels[i].asked;
		assert_int_equal(join(&prog, &code, &error), 0);
		assert_int_equal(kernel.loads, kernels[i].loads);
		assert_int_equal(kernel.load_flags[last], kernels[i].flags);
		assert_int_equal(kernel.load_buff_len[last], !kernels[i].older);
		assert_false(kernel.load_logs[last]);
		assert_int_equal(open_fds(), 3);
		assert_left(&prog);
	}
	xsk_filter_code_free(&code);
}

#define STATISTICS "processed 5 insns (limit 1000000) max_states_per_insn 0 total_states 0\n"

/* Its last line before the statistics; it is asked for by one load more. */
static void verifier_refuses(void **state)
{
	static const int errs[] = { -EACCES, -EINVAL };
	struct xsk_code code = code_of(filter_of(8), false);
	struct xsk_error error;

	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		reset(state);
		kernel.fail_name = "bpf_prog_load";
		kernel.fail_with = errs[i];
		kernel.log = "0: (bf) r6 = r1\n1: (71) r0 = *(u8 *)(r7 +12)\n"
			     "invalid access to packet, off=12 size=1\n" STATISTICS;
		fail_join(&code, errs[i], &error);
		assert_string_equal(error.step, "load");
		assert_non_null(strstr(error.reason, "refuses the filter: invalid access to "
				       "packet, off=12 size=1"));
		assert_null(strstr(error.reason, "processed"));
		assert_null(strchr(error.reason, '\n'));
		assert_non_null(strstr(error.hint, "xsk_filter_dump()"));
		assert_true(kernel.load_logs[kernel.loads - 1]);
		assert_int_equal(kernel.loads, errs[i] == -EINVAL ? 3 : 2);
	}
	xsk_filter_code_free(&code);
}

/* That it says nothing is said, too: no words, or another end of the second load. */
static void verifier_is_silent(void **state)
{
	struct xsk_code code = code_of(filter_of(8), false);
	struct xsk_error error;

	(void)state;
	kernel.fail_name = "bpf_prog_load";
	kernel.fail_with = -EACCES;
	fail_join(&code, -EACCES, &error);
	assert_non_null(strstr(error.reason, "does not say why"));

	/* interface, map, load: and the load for the words succeeds. */
	reset(NULL);
	kernel.fail_at = 3;
	kernel.fail_with = -EACCES;
	kernel.log = "a\nb\n" STATISTICS;
	memset(&error, 0, sizeof(error));
	fail_join(&code, -EACCES, &error);
	assert_non_null(strstr(error.reason, "does not say why"));
	xsk_filter_code_free(&code);
}

static void too_long_for_the_verifier(void **state)
{
	struct xsk_code code = code_of(filter_of(8), false);
	struct xsk_error error;
	char count[32];

	(void)state;
	kernel.fail_name = "bpf_prog_load";
	kernel.fail_with = -E2BIG;
	fail_join(&code, -E2BIG, &error);
	snprintf(count, sizeof(count), "program of %zu ", code.count);
	assert_non_null(strstr(error.reason, count));
	assert_non_null(strstr(error.hint, "port ranges"));
	assert_int_equal(kernel.loads, 1);
	xsk_filter_code_free(&code);
}

/* ---- each step fails once ---- */

enum before { NOTHING, NO_LINKS, THE_SAME, ANOTHER, SOMEBODYS, CASES };

/* Returns how many descriptors are open. */
static int prepare(struct xsk_prog *first, enum before before, const struct xsk_code *code,
		   const struct xsk_code *other)
{
	struct xsk_error error;

	reset(NULL);
	*first = XSK_PROG_NONE;
	kernel.no_links = kernel.no_frags = kernel.no_buff_len = before == NO_LINKS;
	if (before == THE_SAME || before == ANOTHER)
		assert_int_equal(join(first, before == THE_SAME ? code : other, &error), 0);
	if (before == SOMEBODYS)
		attach_other_by_link();
	return open_fds();
}

/* An own share is three descriptors, and with a program by netlink too. */
static void check_step(struct xsk_prog *prog, int err, int fail_with, int open,
		       const struct xsk_error *error)
{
	assert_int_equal(kernel.wrong_closes, 0);
	if (err) {
		assert_true(err == fail_with || err == -EBUSY);
		assert_int_equal(error->code, err);
		assert_true(error->reason[0]);
		assert_int_equal(open_fds(), open);
		return;
	}
	assert_int_equal(kind_of(prog->map_fd), MAP);
	assert_int_equal(kind_of(prog->counters_fd), MAP);
	assert_int_equal(open_fds(), open + 2 + (prog->link_fd >= 0) + (prog->prog_fd >= 0));
	xsk_prog_leave(prog);
	assert_int_equal(open_fds(), open);
}

/* Returns how many steps there are. */
static int fail_each_step(enum before before, int fail_with)
{
	struct xsk_code code = code_of(filter_of_len(), true), other = code_of(filter_of(9), true);
	struct xsk_prog first, prog;
	struct xsk_error error;
	int n, err, open;

	for (n = 1; n < 1000; n++) {
		open = prepare(&first, before, &code, &other);
		kernel.fail_at = kernel.calls + n;
		kernel.fail_with = fail_with;
		err = join(&prog, &code, &error);
		if (kernel.calls < kernel.fail_at)
			break;
		check_step(&prog, err, fail_with, open, &error);
		assert_left(&first);
	}
	if (!err)
		xsk_prog_leave(&prog);
	assert_left(&first);
	xsk_filter_code_free(&code);
	xsk_filter_code_free(&other);
	return n - 1;
}

static void each_step_fails(void **state)
{
	static const int errs[] = { -EIO, -EINVAL, -EPERM, -ENOENT, -EBUSY, -EEXIST, -EAGAIN,
				    -ENOMEM, -EMFILE, -ENODEV, -EOPNOTSUPP, -E2BIG, -EACCES };
	static const int least[CASES] = {
		[NOTHING] = 6,		/* netdev, two maps, load, its id, link */
		[NO_LINKS] = 11,	/* and four loads more, and netlink */
		[THE_SAME] = 15,
		[ANOTHER] = 12,
		[SOMEBODYS] = 5,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++)
		for (int before = 0; before < CASES; before++)
			assert_true(fail_each_step(before, errs[i]) >= least[before]);
}

/*
 * Of the library's own memory: the copy of the program, and of the older one. (The first is
 * join()'s, and the third was for the verifier's words.)
 */
static void each_allocation_fails(void **state)
{
	static const int errs[] = { -ENOMEM, 0, -ENOMEM };
	struct xsk_code code = code_of(filter_of_len(), true);
	struct xsk_error error;
	struct xsk_prog prog;

	for (int i = 0; i < 3; i++) {
		reset(state);
		kernel.no_frags = kernel.no_buff_len = true;
		fail_allocation(2 + i);
		if (errs[i]) {
			fail_join(&code, errs[i], &error);
		} else {
			assert_int_equal(join(&prog, &code, &error), 0);
			assert_left(&prog);
		}
		assert_true(allocation_failed());
		assert_int_equal(allocations_held(), 0);
	}
	xsk_filter_code_free(&code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(attach_with_counters, reset),
		cmocka_unit_test_setup(attach_without_counters, reset),
		cmocka_unit_test_setup(same_is_joined, reset),
		cmocka_unit_test_setup(other_is_busy, reset),
		cmocka_unit_test_setup(default_joins_any, reset),
		cmocka_unit_test_setup(others_are_busy, reset),
		cmocka_unit_test_setup(vanishes, reset),
		cmocka_unit_test_setup(changes, reset),
		cmocka_unit_test_setup(older_kernels, reset),
		cmocka_unit_test_setup(verifier_refuses, reset),
		cmocka_unit_test_setup(verifier_is_silent, reset),
		cmocka_unit_test_setup(too_long_for_the_verifier, reset),
		cmocka_unit_test_setup(each_step_fails, reset),
		cmocka_unit_test_setup(each_allocation_fails, reset),
	};

	return cmocka_run_group_tests_name("prog_filter", tests, NULL, NULL);
}
