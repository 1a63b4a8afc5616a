/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Finding, loading, attaching and leaving a program: lib/prog.c and attached.c on a kernel
 * that is faked (prog_kernel.h), so that what can hardly be brought about happens: others
 * who attach between two steps, a kernel without bpf_link, each call failing in its turn.
 * Every descriptor given out is counted.
 */
#include "prog_kernel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/capability.h>

#include "filter.h"
#include "kernel.h"

/* ---- programs with parts ---- */

static void extend(uint32_t link_id, uint32_t prog_id, uint32_t function)
{
	for (int i = 0; i < kernel.link_count; i++) {
		if (kernel.links[i].id != link_id)
			continue;
		kernel.links[i].extends = prog_id;
		kernel.links[i].function = function;
	}
}

/* libxdp's dispatcher, attached by netlink, with a map that is of no use. */
static uint32_t attach_dispatcher(void)
{
	struct prog *prog = add_prog("xdp_dispatcher");

	prog->maps[prog->map_count++] = add_map(BPF_MAP_TYPE_ARRAY, "xdp_disp.rodata");
	kernel.attached = prog->id;
	return prog->id;
}

/* A component of it, in one of its places, with one map. Returns the map's id. */
static uint32_t add_component(uint32_t dispatcher, const char *name, uint32_t slot,
			      uint32_t map_type, const char *map_name)
{
	struct prog *prog = add_prog(name);

	prog->maps[prog->map_count++] = add_map(map_type, map_name);
	extend(add_link(BPF_LINK_TYPE_TRACING, prog->id, 0), dispatcher, 7 + slot);
	if (dispatcher == kernel.attached)
		kernel.pins[slot] = prog->id;
	return prog->maps[0];
}

/* ---- joining ---- */

static int join(struct xsk_prog *prog, uint32_t flags, struct xsk_error *error)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS], before[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code code = xsk_filter_default(insns);
	int err;

	memcpy(before, insns, sizeof(insns));
	memset(error, 0, sizeof(*error));
	err = xsk_prog_join(prog, IFINDEX, flags, &code, error);
	assert_memory_equal(insns, before, sizeof(insns));
	assert_int_equal(kernel.wrong_closes, 0);
	assert_false(kernel.signals_blocked);
	return err;
}

/* What every failure leaves behind: nothing but a reason. */
static void assert_failed(int err, int expected, const struct xsk_prog *prog,
			  const struct xsk_error *error)
{
	struct xsk_prog untouched;

	memset(&untouched, DIRT, sizeof(untouched));
	assert_int_equal(err, expected);
	assert_int_equal(error->code, expected);
	assert_true(error->step[0]);
	assert_true(error->reason[0]);
	assert_memory_equal(prog, &untouched, sizeof(*prog));
	assert_int_equal(open_fds(), 0);
}

static void fail_join(int expected, struct xsk_error *error)
{
	struct xsk_prog prog;
	int err;

	memset(&prog, DIRT, sizeof(prog));
	err = join(&prog, 0, error);
	assert_failed(err, expected, &prog, error);
}

static void attach_by_link(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	assert_int_equal(join(&prog, XDP_FLAGS_SKB_MODE, &error), 0);
	assert_int_equal(kernel.link_flags, XDP_FLAGS_SKB_MODE);
	assert_int_equal(kind_of(prog.map_fd), MAP);
	assert_int_equal(kind_of(prog.link_fd), LINK);
	assert_int_equal(prog.prog_fd, -1);
	assert_int_equal(open_fds(), 2);	/* the link holds the program */
	assert_true(kernel.attached);
	assert_int_equal(prog.id, kernel.attached);
	assert_int_equal(find_prog(kernel.attached)->maps[0], id_of(prog.map_fd));
	assert_int_equal(kernel.loads, 1);
	assert_int_equal(kernel.load_flags[0], BPF_F_XDP_HAS_FRAGS);
	assert_int_equal(kernel.sleeps, 0);

	assert_left(&prog);
	assert_int_equal(kernel.attached, 0);
	assert_int_equal(kernel.set_xdp_calls, 0);
}

/* Before 5.18 a flag that is not known is -EINVAL. */
static void load_without_frags(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	kernel.no_frags = true;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(kernel.loads, 2);
	assert_int_equal(kernel.load_flags[0], BPF_F_XDP_HAS_FRAGS);
	assert_int_equal(kernel.load_flags[1], 0);
	assert_left(&prog);
}

/* Of what is refused for another reason no second load is tried. */
/* Where it is asked for, the frags are not tried. */
static void load_without_frags_asked(void **state)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code code = xsk_filter_default(insns);
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	code.no_frags = true;
	assert_int_equal(xsk_prog_join(&prog, IFINDEX, 0, &code, &error), 0);
	assert_int_equal(kernel.loads, 1);
	assert_int_equal(kernel.load_flags[0], 0);
	assert_left(&prog);
}

static void load_refused(void **state)
{
	struct xsk_error error;

	(void)state;
	kernel.fail_name = "bpf_prog_load";
	kernel.fail_with = -E2BIG;
	fail_join(-E2BIG, &error);
	assert_int_equal(kernel.loads, 1);

	reset(NULL);
	kernel.fail_name = "bpf_prog_load";
	kernel.fail_with = -EINVAL;
	fail_join(-EINVAL, &error);
	assert_int_equal(kernel.loads, 2);
}

static void attach_by_netlink(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	int prog_fd;

	(void)state;
	kernel.no_links = true;
	assert_int_equal(join(&prog, XDP_FLAGS_DRV_MODE, &error), 0);
	assert_true(prog.link_fd < 0);
	assert_int_equal(kind_of(prog.prog_fd), PROG);
	assert_int_equal(id_of(prog.prog_fd), kernel.attached);
	assert_int_equal(prog.id, kernel.attached);
	assert_int_equal(open_fds(), 2);
	assert_int_equal(kernel.set_xdp_calls, 1);
	assert_int_equal(kernel.set_xdp_ifindex, IFINDEX);
	assert_int_equal(kernel.set_xdp_prog_fd, prog.prog_fd);
	assert_int_equal(kernel.set_xdp_flags, XDP_FLAGS_DRV_MODE);

	prog_fd = prog.prog_fd;
	assert_left(&prog);
	assert_int_equal(kernel.set_xdp_calls, 2);
	assert_int_equal(kernel.set_xdp_ifindex, IFINDEX);
	assert_int_equal(kernel.set_xdp_prog_fd, -1);
	assert_int_equal(kernel.set_xdp_expected_fd, prog_fd);
	assert_int_equal(kernel.set_xdp_flags, XDP_FLAGS_DRV_MODE);
	assert_int_equal(kernel.attached, 0);
}

/* Where somebody has replaced it since, his stays. */
static void detach_after_replaced(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	uint32_t other;

	(void)state;
	kernel.no_links = true;
	assert_int_equal(join(&prog, 0, &error), 0);
	other = attach_other(BPF_MAP_TYPE_HASH, "theirs")->id;
	assert_left(&prog);
	assert_int_equal(kernel.attached, other);
}

/* A child that closes its sockets does not stop those of its parent. */
static void detach_not_by_a_child(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	int status;
	pid_t pid;

	(void)state;
	kernel.no_links = true;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(prog.pid, getpid());

	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		/* The calls so far were the parent's; no assert in here. */
		xsk_prog_leave(&prog);
		_exit(kernel.set_xdp_calls != 1 || !kernel.attached || open_fds() ||
		      kernel.wrong_closes);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);

	assert_left(&prog);
	assert_int_equal(kernel.set_xdp_calls, 2);
	assert_int_equal(kernel.attached, 0);
}

static void use_what_is_there(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	uint32_t other;

	(void)state;
	/* By link: a share in it, the right one of many. */
	other = attach_other_by_link()->id;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(prog.id, other);
	assert_int_equal(id_of(prog.map_fd), find_prog(other)->maps[0]);
	assert_int_equal(kind_of(prog.link_fd), LINK);
	assert_int_equal(find_link(id_of(prog.link_fd))->prog_id, other);
	assert_int_equal(find_link(id_of(prog.link_fd))->type, BPF_LINK_TYPE_XDP);
	assert_int_equal(find_link(id_of(prog.link_fd))->ifindex, IFINDEX);
	assert_int_equal(prog.prog_fd, -1);
	assert_int_equal(open_fds(), 2);
	assert_int_equal(kernel.loads, 0);
	assert_left(&prog);
	assert_int_equal(kernel.attached, other);

	/* By netlink: the map, and nothing that would detach it. */
	reset(NULL);
	other = attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map")->id;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_true(prog.link_fd < 0);
	assert_int_equal(prog.prog_fd, -1);
	assert_int_equal(open_fds(), 1);
	assert_left(&prog);
	assert_int_equal(kernel.attached, other);
	/* But for the question whether a link is about to end. */
	assert_int_equal(kernel.set_xdp_calls, 1);
	assert_int_equal(kernel.set_xdp_prog_fd, kernel.set_xdp_expected_fd);
}

/* ---- behind a dispatcher ---- */

static void use_component(uint32_t map_id)
{
	uint32_t dispatcher = kernel.attached;
	struct xsk_error error;
	struct xsk_prog prog;

	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(id_of(prog.map_fd), map_id);
	assert_int_equal(prog.id, dispatcher);
	assert_true(prog.link_fd < 0);
	assert_int_equal(prog.prog_fd, -1);
	assert_int_equal(open_fds(), 1);
	assert_int_equal(kernel.loads, 0);
	assert_left(&prog);
	assert_int_equal(kernel.attached, dispatcher);
}

/* Of those that have such a map the one that runs first; told by its links, or pinned. */
static void components(void **state)
{
	uint32_t dispatcher, other, map;

	(void)state;
	for (int silent = 0; silent < 2; silent++) {
		reset(NULL);
		kernel.links_are_silent = silent;
		other = attach_dispatcher();
		add_component(other, "elsewhere", 0, BPF_MAP_TYPE_XSKMAP, "xsks_map");
		memset(kernel.pins, 0, sizeof(kernel.pins));
		dispatcher = attach_dispatcher();
		add_component(dispatcher, "third", 3, BPF_MAP_TYPE_XSKMAP, "xsks_map");
		map = add_component(dispatcher, "second", 2, BPF_MAP_TYPE_XSKMAP, "xsks_map");
		add_component(dispatcher, "zeroth", 0, BPF_MAP_TYPE_HASH, "xsks_map");
		add_component(dispatcher, "first", 1, BPF_MAP_TYPE_XSKMAP, "theirs");
		use_component(map);
	}
}

/* Its own map comes first; more components than it can have are none of ours. */
static void dispatcher_oddities(void **state)
{
	struct prog *prog;
	uint32_t id, map;

	(void)state;
	prog = attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	map = prog->maps[0];
	add_component(prog->id, "component", 0, BPF_MAP_TYPE_XSKMAP, "xsks_map");
	use_component(map);

	reset(NULL);
	id = attach_dispatcher();
	map = add_component(id, "first", 0, BPF_MAP_TYPE_XSKMAP, "xsks_map");
	for (uint32_t i = 1; i < 40; i++)
		add_component(id, "more", i % 10, BPF_MAP_TYPE_XSKMAP, "xsks_map");
	use_component(map);
}

static void components_without_our_map(void **state)
{
	struct xsk_error error;
	uint32_t dispatcher;

	(void)state;
	for (int silent = 0; silent < 2; silent++) {
		reset(NULL);
		kernel.links_are_silent = silent;
		dispatcher = attach_dispatcher();
		add_component(dispatcher, "filter", 0, BPF_MAP_TYPE_HASH, "xsks_map");
		add_component(dispatcher, "counter", 1, BPF_MAP_TYPE_XSKMAP, "theirs");
		fail_join(-EBUSY, &error);
		assert_non_null(strstr(error.reason, "'xdp_dispatcher'"));
		assert_non_null(strstr(error.reason, "with 'filter', 'counter', none"));
		assert_non_null(strstr(error.hint, "xdp-loader unload eth0"));
		assert_int_equal(kernel.attached, dispatcher);
		assert_int_equal(kernel.set_xdp_calls, 0);
		assert_int_equal(kernel.loads, 0);
	}
}

/* As xdpdump does: no component, and no dispatcher either. */
static void watched(void **state)
{
	static const uint32_t types[] = { BPF_TRACE_FENTRY, BPF_TRACE_FEXIT, BPF_MODIFY_RETURN };
	struct xsk_error error;

	(void)state;
	add_component(attach_other(BPF_MAP_TYPE_HASH, "theirs")->id, "watcher", 0,
		      BPF_MAP_TYPE_XSKMAP, "xsks_map");
	memset(kernel.pins, 0, sizeof(kernel.pins));
	for (size_t i = 0; i < 3; i++) {
		kernel.links[kernel.link_count - 1].attach_type = types[i];
		fail_join(-EBUSY, &error);
		assert_null(strstr(error.reason, "watcher"));
		assert_non_null(strstr(error.hint, "ip link"));
	}
}

/* Ten of the longest names: whole ones, as many as there is room for. */
static void many_long_names(void **state)
{
	struct xsk_error error;
	uint32_t dispatcher;

	(void)state;
	dispatcher = attach_dispatcher();
	for (uint32_t i = 0; i < 10; i++)
		add_component(dispatcher, "fifteen_letters", i, BPF_MAP_TYPE_HASH, "theirs");
	fail_join(-EBUSY, &error);
	assert_non_null(strstr(error.reason, "'fifteen_letters', 'fifteen_letters', none of"));
}

/* Who only joins attaches nothing. */
static void join_only(void **state)
{
	struct xsk_error error = { 0 };
	struct xsk_prog prog;

	(void)state;
	assert_int_equal(xsk_prog_join(&prog, IFINDEX, 0, NULL, &error), -ENOENT);
	assert_int_equal(error.code, -ENOENT);
	assert_int_equal(kernel.loads, 0);
	attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	assert_int_equal(xsk_prog_join(&prog, IFINDEX, 0, NULL, &error), 0);
	assert_left(&prog);
}

static void exchange_dispatcher(const char *name)
{
	if (strcmp(name, "xsk_netdev_get") || kernel.gets != 1)
		return;
	add_component(attach_dispatcher(), "new", 0, BPF_MAP_TYPE_XSKMAP, "xsks_map");
}

/* Another component comes: libxdp puts a new dispatcher in the place of the old. */
static void dispatcher_is_exchanged(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	add_component(attach_dispatcher(), "filter", 0, BPF_MAP_TYPE_HASH, "flows");
	kernel.before = exchange_dispatcher;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(prog.id, kernel.attached);
	assert_int_equal(kernel.sleeps, 1);
	assert_int_equal(open_fds(), 1);
	assert_left(&prog);
}

/* ---- programs without our map ---- */

static void assert_foreign(const struct prog *other, const char *remedy)
{
	struct xsk_error error;
	char id[16];

	fail_join(-EBUSY, &error);
	snprintf(id, sizeof(id), "%u", other->id);
	assert_non_null(strstr(error.reason, other->name));
	assert_non_null(strstr(error.reason, id));
	assert_non_null(strstr(error.reason, "eth0"));
	assert_non_null(strstr(error.hint, remedy));
	assert_int_equal(kernel.attached, other->id);
	assert_int_equal(kernel.set_xdp_calls, 0);
	assert_int_equal(kernel.loads, 0);
	assert_int_equal(kernel.sleeps, 0);
}

/* By whom, by which name and id, and what gets rid of it: that depends. */
static void foreign(void **state)
{
	struct prog *other;

	(void)state;
	assert_foreign(attach_other(BPF_MAP_TYPE_HASH, "theirs"), "ip link");

	/* What is attached by a link, ip-link(8) does not detach. */
	reset(NULL);
	other = attach_other(BPF_MAP_TYPE_HASH, "theirs");
	add_link(BPF_LINK_TYPE_XDP, other->id, IFINDEX);
	assert_foreign(other, "bpftool link");

	/* Without any map. */
	reset(NULL);
	other = add_prog("mapless");
	kernel.attached = other->id;
	assert_foreign(other, "ip link");

	/* A name as long as names can be. */
	reset(NULL);
	other = add_prog("fifteen_letters");
	kernel.attached = other->id;
	assert_foreign(other, "ip link");

	/* The name on a map of another type; the type under another name. */
	reset(NULL);
	assert_foreign(attach_other(BPF_MAP_TYPE_ARRAY, "xsks_map"), "ip link");
	reset(NULL);
	assert_foreign(attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map2"), "ip link");
	reset(NULL);
	assert_foreign(attach_other(BPF_MAP_TYPE_XSKMAP, "xsks"), "ip link");
}

static void ours_among_other_maps(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	struct prog *other;

	(void)state;
	other = attach_other(BPF_MAP_TYPE_ARRAY, "xsks_map");
	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_XSKMAP, "theirs");
	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_HASH, "xsks_map");
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(id_of(prog.map_fd), other->maps[2]);
	assert_int_equal(open_fds(), 1);
	assert_left(&prog);
}

/* More maps than are asked for: no id is made up. */
static void many_maps(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	struct prog *other;

	(void)state;
	other = attach_other(BPF_MAP_TYPE_ARRAY, "one");
	while (other->map_count < 63)
		other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_HASH, "more");
	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(open_fds(), 1);
	assert_left(&prog);

	reset(NULL);
	other = attach_other(BPF_MAP_TYPE_ARRAY, "one");
	while (other->map_count < MAX_MAPS_OF_PROG)
		other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_HASH, "more");
	assert_foreign(other, "ip link");
}

/* ---- others, at the same time ---- */

static void appear_at_attach(const char *name)
{
	if (strcmp(name, kernel.no_links ? "xsk_netdev_set_xdp" : "bpf_link_create"))
		return;
	kernel.before = NULL;
	attach_other_by_link();
}

/* Between our look and our attaching: theirs is used. */
static void appears(void **state)
{
	static const struct {
		bool no_links;
		int occupied;
	} ways[] = { { false, -EBUSY }, { true, -EBUSY }, { true, -EEXIST } };
	struct xsk_error error;
	struct xsk_prog prog;
	uint32_t other;

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		reset(NULL);
		kernel.before = appear_at_attach;
		kernel.no_links = ways[i].no_links;
		kernel.occupied = ways[i].occupied;
		assert_int_equal(join(&prog, 0, &error), 0);
		other = kernel.attached;
		assert_string_equal(find_prog(other)->name, "somebodys");
		assert_int_equal(id_of(prog.map_fd), find_prog(other)->maps[0]);
		assert_int_equal(kind_of(prog.link_fd), LINK);
		assert_int_equal(prog.prog_fd, -1);
		assert_int_equal(open_fds(), 2);
		assert_int_equal(kernel.sleeps, 1);
		assert_left(&prog);
		assert_int_equal(kernel.attached, other);
	}
}

static void vanish(void)
{
	kernel.before = NULL;
	kernel.attached = 0;
	for (int i = 0; i < kernel.prog_count; i++)
		kernel.progs[i].gone = true;
	for (int i = 0; i < kernel.link_count; i++)
		kernel.links[i].gone = true;
}

static void vanish_at_prog(const char *name)
{
	if (!strcmp(name, "bpf_prog_get_fd_by_id"))
		vanish();
}

/* While its links are looked through: we hold the map of a program that is gone. */
static void vanish_at_links(const char *name)
{
	if (!strcmp(name, "bpf_link_get_next_id"))
		vanish();
}

static void vanish_at_second_look(const char *name)
{
	if (!strcmp(name, "xsk_netdev_get") && kernel.gets)
		vanish();
}

static void replace_at_second_look(const char *name)
{
	if (strcmp(name, "xsk_netdev_get") || !kernel.gets)
		return;
	vanish();
	attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
}

/* Between our look and our use: ours is attached. */
static void vanishes(void **state)
{
	void (*const at[])(const char *) = {
		vanish_at_prog, vanish_at_links, vanish_at_second_look,
	};
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		reset(NULL);
		attach_other_by_link();
		kernel.before = at[i];
		assert_int_equal(join(&prog, 0, &error), 0);
		assert_string_equal(find_prog(kernel.attached)->name, "libxsk_default");
		assert_int_equal(id_of(prog.map_fd), find_prog(kernel.attached)->maps[0]);
		assert_int_equal(kind_of(prog.link_fd), LINK);
		assert_int_equal(open_fds(), 2);
		assert_int_equal(kernel.sleeps, 1);
		assert_left(&prog);
		assert_int_equal(kernel.attached, 0);
	}
}

static void replaced(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	attach_other_by_link();
	kernel.before = replace_at_second_look;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(id_of(prog.map_fd), find_prog(kernel.attached)->maps[0]);
	assert_true(prog.link_fd < 0);
	assert_int_equal(open_fds(), 1);
	assert_left(&prog);
}

/* Its last holder is gone: no id any more, but the program for some time. */
static void link_ends(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	kernel.link_ends = 5;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_string_equal(find_prog(kernel.attached)->name, "libxsk_default");
	assert_int_equal(kind_of(prog.link_fd), LINK);
	assert_int_equal(open_fds(), 2);
	assert_int_equal(kernel.sleeps, 5);
	assert_left(&prog);
}

/* A link that is gone, or not yet whole, when its turn comes. */
static void lose_first_link(const char *name)
{
	if (strcmp(name, "bpf_link_get_fd_by_id"))
		return;
	kernel.before = NULL;
	kernel.links[0].gone = true;
}

static void links_come_and_go(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	int calls_to_link;

	(void)state;
	attach_other_by_link();
	kernel.before = lose_first_link;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(kind_of(prog.link_fd), LINK);
	assert_int_equal(open_fds(), 2);
	assert_left(&prog);

	/* -EAGAIN, from a link that somebody is about to create: look again. */
	reset(NULL);
	attach_other_by_link();
	assert_int_equal(join(&prog, 0, &error), 0);
	calls_to_link = kernel.calls - 3;	/* its info, no more, the second look */
	assert_left(&prog);

	reset(NULL);
	attach_other_by_link();
	kernel.fail_at = calls_to_link;
	kernel.fail_with = -EAGAIN;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(kind_of(prog.link_fd), LINK);
	assert_int_equal(kernel.sleeps, 1);
	assert_left(&prog);
}

/* It gives up, in less than a second, and says so. */
static void bounded_tries(void **state)
{
	static const struct {
		const char *name;
		int err;
		bool other;
	} always[] = {
		{ "bpf_link_create", -EBUSY, false },
		{ "bpf_link_create", -EEXIST, false },
		{ "bpf_prog_get_fd_by_id", -ENOENT, true },
		{ "bpf_link_get_fd_by_id", -EAGAIN, true },
	};
	struct xsk_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		reset(NULL);
		if (always[i].other)
			attach_other_by_link();
		kernel.fail_name = always[i].name;
		kernel.fail_with = always[i].err;
		fail_join(-EBUSY, &error);
		assert_in_range(kernel.sleeps, 2, 100);
		assert_int_equal(kernel.attached != 0, always[i].other);
	}
}

/* ---- refused ---- */

#define BIT(capability) (1ULL << (capability))

/* It is looked which capability is missing, and which would do instead. */
static void no_capability(void **state)
{
	static const uint64_t bpf = BIT(CAP_BPF), net = BIT(CAP_NET_ADMIN);
	static const uint64_t sys = BIT(CAP_SYS_ADMIN);
	const struct {
		const char *name;
		uint64_t lacking;
		const char *said, *not_said;
		bool other, no_links;
	} cases[] = {
		{ "bpf_map_create", bpf | sys, "CAP_BPF", "CAP_NET_ADMIN", false, false },
		{ "bpf_map_create", bpf | net | sys, "CAP_BPF", "CAP_SYS_ADMIN", false, false },
		{ "bpf_map_create", bpf | net | sys, "CAP_NET_ADMIN", "missing", false, false },
		{ "bpf_prog_load", net | sys, "CAP_NET_ADMIN", "CAP_BPF", false, false },
		{ "bpf_prog_load", bpf | sys, "CAP_BPF", "CAP_NET_ADMIN", false, false },
		{ "bpf_link_create", net, "CAP_NET_ADMIN", "CAP_BPF", false, false },
		{ "xsk_netdev_set_xdp", net, "CAP_NET_ADMIN", "CAP_BPF", false, true },
		{ "bpf_prog_get_fd_by_id", sys, "CAP_SYS_ADMIN", "CAP_BPF", true, false },
		{ "bpf_map_get_fd_by_id", sys, "CAP_SYS_ADMIN", "CAP_BPF", true, false },
		{ "bpf_link_get_next_id", sys, "CAP_SYS_ADMIN", "CAP_BPF", true, false },
		{ "bpf_link_get_fd_by_id", sys, "CAP_SYS_ADMIN", "CAP_BPF", true, false },
		/* RLIMIT_MEMLOCK before 5.11, or a security module. */
		{ "bpf_map_create", bpf, "no capability is missing", "CAP_", false, false },
		{ "bpf_prog_load", 0, "no capability is missing", "CAP_", false, false },
		{ "bpf_prog_get_fd_by_id", 0, "no capability is missing", "CAP_", true, false },
	};
	struct xsk_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reset(NULL);
		if (cases[i].other)
			attach_other_by_link();
		kernel.lacking = cases[i].lacking;
		kernel.no_links = cases[i].no_links;
		kernel.fail_name = cases[i].name;
		kernel.fail_with = -EPERM;
		fail_join(-EPERM, &error);
		assert_non_null(strstr(error.reason, cases[i].said));
		assert_null(strstr(error.reason, cases[i].not_said));
		assert_true(error.hint[0]);
		assert_int_equal(kernel.sleeps, 0);
		assert_int_equal(kernel.attached != 0, cases[i].other);
	}
}

static void driver_refuses(void **state)
{
	struct xsk_error error;

	(void)state;
	kernel.fail_name = "bpf_link_create";
	kernel.fail_with = -EOPNOTSUPP;
	fail_join(-EOPNOTSUPP, &error);
	assert_non_null(strstr(error.reason, "eth0"));
	assert_non_null(strstr(error.hint, "XDP_FLAGS_SKB_MODE"));

	/* Some drivers say so of an MTU: also by netlink, which says it again. */
	reset(NULL);
	kernel.no_links = true;
	kernel.fail_name = "xsk_netdev_set_xdp";
	kernel.fail_with = -EINVAL;
	fail_join(-EINVAL, &error);
	assert_non_null(strstr(error.hint, "MTU"));

	reset(NULL);
	kernel.fail_name = "xsk_netdev_get";
	kernel.fail_with = -ENODEV;
	fail_join(-ENODEV, &error);
}

/* ---- each step fails once ---- */

static void there_is_none(void)
{
}

static void there_is_none_nor_links(void)
{
	kernel.no_links = true;
	kernel.no_frags = true;
}

static void there_is_one_by_link(void)
{
	attach_other_by_link();
}

static void there_is_one_by_netlink(void)
{
	attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
}

static void there_is_a_foreign_one(void)
{
	struct prog *other = attach_other(BPF_MAP_TYPE_ARRAY, "xsks_map");

	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_XSKMAP, "theirs");
}

static void there_is_a_dispatcher(void)
{
	uint32_t dispatcher = attach_dispatcher();

	add_component(dispatcher, "filter", 0, BPF_MAP_TYPE_HASH, "flows");
	add_component(dispatcher, "sockets", 1, BPF_MAP_TYPE_XSKMAP, "xsks_map");
}

static void there_are_pins(void)
{
	there_is_a_dispatcher();
	kernel.links_are_silent = true;
}

/*
 * Runs with the n-th call failing, for each n. A failure leaves nothing behind;
 * what is taken for one of the ways of the world ends in a share that is whole.
 */
static int fail_each(void (*prepare)(void), int fail_with)
{
	struct xsk_error error;
	struct xsk_prog prog;
	uint32_t attached;
	int n, err;

	for (n = 1; n < 1000; n++) {
		reset(NULL);
		prepare();
		attached = kernel.attached;
		kernel.fail_at = n;
		kernel.fail_with = fail_with;
		memset(&prog, DIRT, sizeof(prog));
		err = join(&prog, 0, &error);
		if (kernel.calls < n)
			break;
		if (err) {
			assert_failed(err, err, &prog, &error);
			assert_true(err == fail_with || err == -EBUSY);
		} else {
			assert_int_equal(kind_of(prog.map_fd), MAP);
			assert_int_equal(open_fds(),
					 1 + (prog.link_fd >= 0) + (prog.prog_fd >= 0));
			assert_left(&prog);
		}
		assert_int_equal(kernel.attached, attached);
	}
	if (!err)
		assert_left(&prog);
	return n - 1;
}

static void each_step_fails(void **state)
{
	static const int errs[] = { -EIO, -EINVAL, -EPERM, -ENOENT, -EBUSY, -EEXIST, -EAGAIN,
				    -ENOMEM, -EMFILE, -ENODEV, -EOPNOTSUPP, -E2BIG };

	(void)state;
	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		/* netdev, map, load, link */
		assert_true(fail_each(there_is_none, errs[i]) >= 4);
		assert_true(fail_each(there_is_none_nor_links, errs[i]) >= 6);
		/* netdev, prog, its info, map, its info, 4 links by 3, netdev */
		assert_true(fail_each(there_is_one_by_link, errs[i]) >= 18);
		assert_true(fail_each(there_is_one_by_netlink, errs[i]) >= 7);
		assert_true(fail_each(there_is_a_foreign_one, errs[i]) >= 7);
		/* netdev, prog, its info, map, its info, 2 links by 3, and the two */
		assert_true(fail_each(there_is_a_dispatcher, errs[i]) >= 20);
		assert_true(fail_each(there_are_pins, errs[i]) >= 20);
	}
}

/* ---- another's, detached at the caller's word ---- */

/* Whether it is gone then. */
static bool evicts(int expected, const char *reason)
{
	struct xsk_error error = { 0 };

	assert_int_equal(xsk_prog_evict(IFINDEX, &error), expected);
	assert_int_equal(open_fds(), 0);
	if (expected)
		assert_non_null(strstr(error.reason, reason));
	return !kernel.attached;
}

static void evicted(void **state)
{
	struct prog *other;

	(void)state;
	assert_true(evicts(0, NULL));		/* there is none */

	attach_other(BPF_MAP_TYPE_ARRAY, "counters");
	assert_true(evicts(0, NULL));

	reset(NULL);
	other = attach_other(BPF_MAP_TYPE_ARRAY, "counters");
	add_link(BPF_LINK_TYPE_XDP, other->id, IFINDEX);
	assert_true(evicts(0, NULL));
	assert_int_equal(kernel.set_xdp_calls, 0);

	reset(NULL);
	attach_dispatcher();
	assert_true(evicts(0, NULL));

	/* With a map of sockets it is not in the way. */
	reset(NULL);
	attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	assert_false(evicts(0, NULL));
	reset(NULL);
	attach_other_by_link();
	assert_false(evicts(0, NULL));

	reset(NULL);
	attach_other(BPF_MAP_TYPE_ARRAY, "counters");
	kernel.fail_name = "bpf_prog_get_fd_by_id";
	kernel.fail_with = -EPERM;
	assert_false(evicts(-EPERM, ""));
}

/* ---- the map ---- */

static int set_socket(bool only_if_free, int fail_with, struct xsk_error *error)
{
	int map_fd, err;

	reset(NULL);
	map_fd = give_fd(MAP, add_map(BPF_MAP_TYPE_XSKMAP, "xsks_map"));
	kernel.fail_name = "bpf_map_update_elem";
	kernel.fail_with = fail_with;
	memset(error, 0, sizeof(*error));
	err = xsk_prog_set_socket(map_fd, 6, 55, only_if_free, error);
	assert_int_equal(kernel.updates, 1);
	assert_int_equal(kernel.update_key, 6);
	assert_int_equal(kernel.update_value, 55);
	assert_int_equal(open_fds(), 1);
	if (err) {
		assert_int_equal(error->code, err);
		assert_true(error->reason[0]);
	}
	return err;
}

static void sockets(void **state)
{
	struct xsk_error error;

	(void)state;
	assert_int_equal(set_socket(false, 0, &error), 0);
	assert_true(kernel.update_flags == BPF_ANY);
	assert_int_equal(set_socket(true, 0, &error), 0);
	assert_true(kernel.update_flags == BPF_NOEXIST);

	assert_int_equal(set_socket(true, -EEXIST, &error), -EEXIST);
	assert_int_equal(set_socket(false, -E2BIG, &error), -E2BIG);
	assert_non_null(strstr(error.reason, "queue 6"));
	assert_true(error.hint[0]);
	assert_int_equal(set_socket(false, -EOPNOTSUPP, &error), -EOPNOTSUPP);
	assert_int_equal(set_socket(false, -EBADF, &error), -EBADF);
}

static void only_xskmaps(void **state)
{
	struct xsk_error error;
	int map_fd, other_fd;

	(void)state;
	map_fd = give_fd(MAP, add_map(BPF_MAP_TYPE_XSKMAP, "any_name"));
	other_fd = give_fd(MAP, add_map(BPF_MAP_TYPE_ARRAY, "xsks_map"));
	assert_int_equal(xsk_prog_check_map(map_fd, &error), 0);
	assert_int_equal(xsk_prog_check_map(other_fd, &error), -EINVAL);
	assert_int_equal(error.code, -EINVAL);
	assert_non_null(strstr(error.hint, "BPF_MAP_TYPE_XSKMAP"));
	assert_int_equal(xsk_prog_check_map(-1, &error), -EBADF);
	assert_int_equal(error.code, -EBADF);
	assert_non_null(strstr(error.hint, "an open one"));

	/* No descriptor of bpf(2) at all; and where it may not be asked. */
	kernel.fail_name = "bpf_obj_get_info_by_fd";
	kernel.fail_with = -EINVAL;
	assert_int_equal(xsk_prog_check_map(map_fd, &error), -EINVAL);
	kernel.fail_with = -EPERM;
	assert_int_equal(xsk_prog_check_map(map_fd, &error), 0);
	assert_int_equal(open_fds(), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(attach_by_link, reset),
		cmocka_unit_test_setup(load_without_frags, reset),
		cmocka_unit_test_setup(load_without_frags_asked, reset),
		cmocka_unit_test_setup(load_refused, reset),
		cmocka_unit_test_setup(attach_by_netlink, reset),
		cmocka_unit_test_setup(detach_after_replaced, reset),
		cmocka_unit_test_setup(detach_not_by_a_child, reset),
		cmocka_unit_test_setup(use_what_is_there, reset),
		cmocka_unit_test_setup(components, reset),
		cmocka_unit_test_setup(dispatcher_oddities, reset),
		cmocka_unit_test_setup(components_without_our_map, reset),
		cmocka_unit_test_setup(watched, reset),
		cmocka_unit_test_setup(many_long_names, reset),
		cmocka_unit_test_setup(join_only, reset),
		cmocka_unit_test_setup(dispatcher_is_exchanged, reset),
		cmocka_unit_test_setup(foreign, reset),
		cmocka_unit_test_setup(ours_among_other_maps, reset),
		cmocka_unit_test_setup(many_maps, reset),
		cmocka_unit_test_setup(appears, reset),
		cmocka_unit_test_setup(vanishes, reset),
		cmocka_unit_test_setup(replaced, reset),
		cmocka_unit_test_setup(links_come_and_go, reset),
		cmocka_unit_test_setup(bounded_tries, reset),
		cmocka_unit_test_setup(link_ends, reset),
		cmocka_unit_test_setup(no_capability, reset),
		cmocka_unit_test_setup(driver_refuses, reset),
		cmocka_unit_test_setup(each_step_fails, reset),
		cmocka_unit_test_setup(evicted, reset),
		cmocka_unit_test_setup(sockets, reset),
		cmocka_unit_test_setup(only_xskmaps, reset),
	};

	return cmocka_run_group_tests_name("prog_fake", tests, NULL, NULL);
}
