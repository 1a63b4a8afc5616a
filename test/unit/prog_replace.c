/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A program in the place of another, and its counters; lib/prog.c on a kernel that is faked
 * (prog_kernel.h).
 */
#include "prog_code.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <linux/capability.h>
#include <linux/if_link.h>

#include "failing.h"
#include "filter.h"

/* ---- another in its place ---- */

static int replace(struct xsk_prog *prog, const struct xsk_code *code, struct xsk_error *error)
{
	int err;

	memset(error, 0, sizeof(*error));
	err = xsk_prog_replace(prog, code, error);
	assert_int_equal(kernel.wrong_closes, 0);
	assert_false(kernel.signals_blocked);
	return err;
}

/* The program, the maps and what is open are as before. */
static void fail_replace(struct xsk_prog *prog, const struct xsk_code *code, int expected,
			 struct xsk_error *error)
{
	struct xsk_prog before = *prog;
	uint32_t attached = kernel.attached;
	int open = open_fds();

	assert_int_equal(replace(prog, code, error), expected);
	assert_int_equal(error->code, expected);
	assert_true(error->step[0]);
	assert_true(error->reason[0]);
	assert_int_equal(kernel.attached, attached);
	assert_int_equal(prog->id, before.id);
	assert_int_equal(prog->link_fd, before.link_fd);
	assert_int_equal(prog->prog_fd, before.prog_fd);
	assert_int_equal(prog->map_fd, before.map_fd);
	assert_int_equal(prog->counters_fd, before.counters_fd);
	assert_int_equal(open_fds(), open);
}

static void assert_replaced(const struct xsk_prog *prog, uint32_t before, const char *name)
{
	const struct prog *now = find_prog(kernel.attached);

	assert_int_not_equal(kernel.attached, before);
	assert_int_equal(prog->id, kernel.attached);
	assert_int_equal(xsk_prog_id(prog), kernel.attached);
	assert_string_equal(now->name, name);
	for (uint32_t i = 0; i < now->map_count; i++)
		assert_true(now->maps[i] == id_of(prog->map_fd) ||
			    (prog->counters_fd >= 0 && now->maps[i] == id_of(prog->counters_fd)));
}

/* From the default to one that counts, to another, and back: the maps stay. */
static void replaced_by_link(void **state)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code any = xsk_filter_default(insns);
	struct xsk_code codes[] = { code_of(filter_of(8), true), code_of(filter_of(9), true) };
	struct xsk_error error;
	struct xsk_prog prog;
	uint32_t before, map, counters;

	(void)state;
	assert_int_equal(join(&prog, &any, &error), 0);
	map = id_of(prog.map_fd);
	before = prog.id;
	assert_int_equal(replace(&prog, &codes[0], &error), 0);
	assert_replaced(&prog, before, "libxsk_filter");
	assert_int_equal(find_prog(prog.id)->map_count, 2);
	assert_int_equal(open_fds(), 3);
	counters = id_of(prog.counters_fd);

	before = prog.id;
	assert_int_equal(replace(&prog, &codes[1], &error), 0);
	assert_replaced(&prog, before, "libxsk_filter");
	before = prog.id;
	assert_int_equal(replace(&prog, &any, &error), 0);
	assert_replaced(&prog, before, "libxsk_default");
	assert_int_equal(id_of(prog.map_fd), map);
	assert_int_equal(id_of(prog.counters_fd), counters);
	assert_int_equal(open_fds(), 3);
	assert_int_equal(kernel.set_xdp_calls, 0);
	assert_left(&prog);
	assert_int_equal(kernel.attached, 0);
	xsk_filter_code_free(&codes[0]);
	xsk_filter_code_free(&codes[1]);
}

/* Of the program that we had there, and no other, the same way. */
static void replaced_by_netlink(void **state)
{
	struct xsk_code codes[] = { code_of(filter_of(8), true), code_of(filter_of(9), true) };
	struct xsk_error error;
	struct xsk_prog prog;
	uint32_t before;
	int old_fd;

	(void)state;
	kernel.no_links = true;
	assert_int_equal(xsk_prog_join(&prog, IFINDEX, XDP_FLAGS_SKB_MODE, &codes[0], &error), 0);
	before = prog.id;
	old_fd = prog.prog_fd;
	assert_int_equal(replace(&prog, &codes[1], &error), 0);
	assert_replaced(&prog, before, "libxsk_filter");
	assert_int_equal(kernel.set_xdp_expected_fd, old_fd);
	assert_int_equal(kernel.set_xdp_prog_fd, prog.prog_fd);
	assert_int_equal(kernel.set_xdp_flags, XDP_FLAGS_SKB_MODE);
	assert_int_equal(kernel.set_xdp_ifindex, IFINDEX);
	assert_int_equal(kind_of(old_fd), NONE);
	assert_int_equal(id_of(prog.prog_fd), kernel.attached);
	assert_int_equal(open_fds(), 3);

	/* Where others have put theirs there, that stays. */
	before = attach_other(BPF_MAP_TYPE_HASH, "theirs")->id;
	fail_replace(&prog, &codes[0], -EEXIST, &error);
	assert_int_equal(kernel.attached, before);
	assert_left(&prog);
	xsk_filter_code_free(&codes[0]);
	xsk_filter_code_free(&codes[1]);
}

/* Who shares it by its link changes it for all; they see it by its id. */
static void replaced_by_another_share(void **state)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code any = xsk_filter_default(insns), code = code_of(filter_of(8), true);
	struct xsk_prog first, second;
	struct xsk_error error;

	(void)state;
	assert_int_equal(join(&first, &code, &error), 0);
	assert_int_equal(join(&second, &any, &error), 0);
	assert_int_equal(xsk_prog_id(&first), xsk_prog_id(&second));
	assert_int_equal(replace(&second, &any, &error), 0);
	assert_replaced(&second, first.id, "libxsk_default");
	assert_int_equal(xsk_prog_id(&first), second.id);

	/* And once more, now that it is not the one that was joined. */
	assert_int_equal(replace(&second, &code, &error), 0);
	assert_int_equal(xsk_prog_id(&first), second.id);
	assert_int_equal(xsk_prog_id(&first), kernel.attached);
	xsk_prog_leave(&first);
	assert_left(&second);
	xsk_filter_code_free(&code);
}

static void not_ours(void **state)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code any = xsk_filter_default(insns), code = code_of(filter_of(8), true);
	struct xsk_error error;
	struct xsk_prog prog;
	struct prog *other;

	(void)state;
	attach_other_by_link();
	assert_int_equal(join(&prog, &any, &error), 0);
	fail_replace(&prog, &code, -EBUSY, &error);
	assert_non_null(strstr(error.reason, "'somebodys'"));
	assert_non_null(strstr(error.reason, "attached by others"));
	assert_true(error.hint[0]);
	assert_int_equal(prog.counters_fd, -1);
	assert_int_equal(kernel.loads, 0);
	assert_left(&prog);

	/* One of libxsk's, but attached by netlink: only who did it can. */
	reset(NULL);
	other = attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	other->name = "libxsk_default";
	assert_int_equal(join(&prog, &any, &error), 0);
	fail_replace(&prog, &code, -EBUSY, &error);
	assert_non_null(strstr(error.reason, "'libxsk_default'"));
	assert_left(&prog);

	/* By link, both names are ours. */
	for (int i = 0; i < 2; i++) {
		reset(NULL);
		attach_other_by_link()->name = i ? "libxsk_filter" : "libxsk_default";
		assert_int_equal(join(&prog, &any, &error), 0);
		assert_int_equal(replace(&prog, &code, &error), 0);
		assert_left(&prog);
	}
	xsk_filter_code_free(&code);
}

/* What the kernel says, and what is said of it. */
static void replace_fails(void **state)
{
	static const struct {
		const char *name;
		int err, expected;
		uint64_t lacking;
		const char *reason;
	} cases[] = {
		{ "bpf_link_update", -ENOLINK, -ENOLINK, 0, "others have detached it" },
		{ "bpf_link_update", -ENODEV, -ENODEV, 0, "the interface is gone" },
		{ "bpf_link_update", -EPERM, -EPERM, 1ULL << CAP_NET_ADMIN, "CAP_NET_ADMIN" },
		{ "bpf_link_update", -EPERM, -EPERM, 0, "no capability is missing" },
		{ "bpf_link_update", -EIO, -EIO, 0, "" },
		{ "bpf_prog_load", -EPERM, -EPERM, 1ULL << CAP_BPF | 1ULL << CAP_SYS_ADMIN,
		  "CAP_BPF" },
		{ "bpf_prog_load", -E2BIG, -E2BIG, 0, "verifier gives up" },
		{ "bpf_prog_load", -EACCES, -EACCES, 0, "last words" },
		{ "bpf_map_create", -EPERM, -EPERM, 1ULL << CAP_BPF | 1ULL << CAP_SYS_ADMIN,
		  "CAP_BPF" },
		{ "bpf_map_create", -ENOMEM, -ENOMEM, 0, "" },
	};
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code any = xsk_filter_default(insns), code = code_of(filter_of(8), true);
	struct xsk_error error;
	struct xsk_prog prog;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reset(state);
		assert_int_equal(join(&prog, &any, &error), 0);
		kernel.fail_name = cases[i].name;
		kernel.fail_with = cases[i].err;
		kernel.lacking = cases[i].lacking;
		kernel.log = "first words\nlast words\nprocessed 5 insns\n";
		fail_replace(&prog, &code, cases[i].expected, &error);
		assert_non_null(strstr(error.reason, cases[i].reason));
		assert_true(error.hint[0] || !cases[i].reason[0]);

		/* It goes on with what it has. */
		kernel.fail_name = NULL;
		assert_int_equal(replace(&prog, &code, &error), 0);
		assert_left(&prog);
	}
	xsk_filter_code_free(&code);
}

/* A link ends with its interface, too. */
static void interface_goes(const char *name)
{
	if (strcmp(name, "xsk_netdev_get"))
		return;
	kernel.fail_name = name;
	kernel.fail_with = -ENODEV;
}

static void replace_without_interface(void **state)
{
	struct xsk_code code = code_of(filter_of(8), false);
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	assert_int_equal(join(&prog, &code, &error), 0);
	kernel.fail_name = "bpf_link_update";
	kernel.fail_with = -ENOLINK;
	kernel.before = interface_goes;
	fail_replace(&prog, &code, -ENODEV, &error);
	assert_string_equal(error.reason, "the interface is gone");
	assert_left(&prog);
	xsk_filter_code_free(&code);
}

/* Another share was faster; then we look again. */
static void others_replace(const char *name)
{
	if (strcmp(name, "bpf_prog_get_fd_by_id"))
		return;
	kernel.before = NULL;
	kernel.fail_at = kernel.calls + 1;
}

static void replaced_meanwhile(void **state)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code any = xsk_filter_default(insns);
	struct xsk_prog first, second;
	struct xsk_error error;

	(void)state;
	assert_int_equal(join(&first, &any, &error), 0);
	assert_int_equal(join(&second, &any, &error), 0);
	kernel.fail_with = -ENOENT;
	kernel.before = others_replace;
	assert_int_equal(replace(&second, &any, &error), 0);
	assert_null(kernel.before);
	assert_int_equal(kernel.sleeps, 1);

	/* And nothing of it is there. */
	kernel.fail_name = "bpf_prog_get_fd_by_id";
	fail_replace(&second, &any, -EBUSY, &error);
	assert_non_null(strstr(error.reason, "others have put a program"));
	assert_string_equal(error.hint, "close the port and open it anew");
	xsk_prog_leave(&first);
	assert_left(&second);
}

/* Of somebody else's share: looked up by who may. */
static void may_not_look(void **state)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code any = xsk_filter_default(insns);
	struct xsk_prog first, second;
	struct xsk_error error;

	(void)state;
	assert_int_equal(join(&first, &any, &error), 0);
	assert_int_equal(join(&second, &any, &error), 0);
	kernel.fail_name = "bpf_prog_get_fd_by_id";
	kernel.fail_with = -EPERM;
	kernel.lacking = 1ULL << CAP_SYS_ADMIN;
	fail_replace(&second, &any, -EPERM, &error);
	assert_non_null(strstr(error.reason, "CAP_SYS_ADMIN"));
	/* The one that attached it need not look. */
	assert_int_equal(replace(&first, &any, &error), 0);
	xsk_prog_leave(&first);
	assert_left(&second);
}

static void id_without_a_link(void **state)
{
	struct xsk_code code = code_of(filter_of(8), false);
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	assert_int_equal(join(&prog, &code, &error), 0);
	kernel.fail_name = "bpf_obj_get_info_by_fd";
	kernel.fail_with = -EIO;
	assert_int_equal(xsk_prog_id(&prog), prog.id);
	assert_left(&prog);

	reset(NULL);
	kernel.no_links = true;
	assert_int_equal(join(&prog, &code, &error), 0);
	assert_int_equal(xsk_prog_id(&prog), kernel.attached);
	assert_left(&prog);
	xsk_filter_code_free(&code);
}

/* ---- counters ---- */

static void assert_counters(const struct xsk_prog *prog, uint64_t matched, uint64_t kept,
			    uint64_t passed)
{
	uint64_t counters[XSK_COUNTERS];

	memset(counters, DIRT, sizeof(counters));
	xsk_prog_counters(prog, counters);
	assert_true(counters[XSK_COUNT_MATCHED] == matched);
	assert_true(counters[XSK_COUNT_KEPT] == kept);
	assert_true(counters[XSK_COUNT_PASSED] == passed);
}

static void counters_of_all_cpus(void **state)
{
	static const uint64_t counted[MAX_CPUS][XSK_COUNTERS] = {
		{ 1, 10, 0x100000000 }, { 2, 20, 0 }, { 0, 0, 0xffffffff }, { 4, 1ULL << 60, 7 },
	};
	struct xsk_code code = code_of(filter_of(8), true);
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	assert_int_equal(join(&prog, &code, &error), 0);
	memcpy(kernel.counters, counted, sizeof(counted));
	assert_counters(&prog, 1, 10, 0x100000000);	/* of one CPU there is */
	kernel.cpus = 3;
	assert_counters(&prog, 3, 30, 0x1ffffffff);
	kernel.cpus = 4;
	assert_counters(&prog, 7, (1ULL << 60) + 30, 0x200000006);

	/* 0 where there is nothing to be had. */
	kernel.fail_name = "bpf_map_lookup_elem";
	kernel.fail_with = -EIO;
	assert_counters(&prog, 0, 0, 0);
	kernel.fail_name = NULL;
	kernel.cpus = -EIO;
	assert_counters(&prog, 0, 0, 0);
	kernel.cpus = 4;
	fail_allocation(1);
	assert_counters(&prog, 0, 0, 0);
	assert_true(allocation_failed());
	assert_left(&prog);
	assert_counters(&prog, 0, 0, 0);
	xsk_filter_code_free(&code);
}

/*
 * All count in the same, whoever made it, and see that. The number of a share's descriptor
 * stays, for those who read meanwhile.
 */
static void counters_of_all_shares(void **state)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code any = xsk_filter_default(insns);
	struct xsk_code counts = code_of(filter_of(8), true), silent = code_of(filter_of(8), false);
	struct xsk_prog first, second;
	struct xsk_error error;
	uint32_t made;
	int number;

	(void)state;
	assert_int_equal(join(&first, &any, &error), 0);
	assert_int_equal(join(&second, &any, &error), 0);
	/* One that fails leaves none behind, for nobody. */
	kernel.fail_name = "bpf_link_update";
	kernel.fail_with = -EIO;
	fail_replace(&first, &counts, -EIO, &error);
	kernel.fail_name = NULL;
	assert_int_equal(replace(&second, &counts, &error), 0);
	made = id_of(second.counters_fd);
	assert_int_equal(replace(&first, &counts, &error), 0);
	assert_int_equal(id_of(first.counters_fd), made);

	/* One in between that does not count; then there are others. */
	number = first.counters_fd;
	assert_int_equal(replace(&second, &silent, &error), 0);
	xsk_prog_leave(&second);
	assert_int_equal(join(&second, &any, &error), 0);
	assert_int_equal(replace(&second, &counts, &error), 0);
	assert_int_not_equal(id_of(second.counters_fd), made);
	kernel.read_map = 0;
	xsk_prog_counters(&first, (uint64_t[XSK_COUNTERS]){ 0 });
	assert_int_equal(kernel.read_map, id_of(second.counters_fd));
	assert_int_equal(replace(&first, &counts, &error), 0);
	assert_int_equal(first.counters_fd, number);
	assert_int_equal(id_of(number), id_of(second.counters_fd));
	xsk_prog_leave(&first);
	assert_left(&second);
	xsk_filter_code_free(&counts);
	xsk_filter_code_free(&silent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(replaced_by_link, reset),
		cmocka_unit_test_setup(replaced_by_netlink, reset),
		cmocka_unit_test_setup(replaced_by_another_share, reset),
		cmocka_unit_test_setup(not_ours, reset),
		cmocka_unit_test_setup(replace_fails, reset),
		cmocka_unit_test_setup(replace_without_interface, reset),
		cmocka_unit_test_setup(replaced_meanwhile, reset),
		cmocka_unit_test_setup(may_not_look, reset),
		cmocka_unit_test_setup(id_without_a_link, reset),
		cmocka_unit_test_setup(counters_of_all_cpus, reset),
		cmocka_unit_test_setup(counters_of_all_shares, reset),
	};

	return cmocka_run_group_tests_name("prog_replace", tests, NULL, NULL);
}
