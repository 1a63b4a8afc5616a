/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What a program of others is, its link and its parts; the rest of it is seen by joining. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "attached.h"
#include "prog_kernel.h"

static int nothing_open(void **state)
{
	(void)state;
	assert_int_equal(open_fds(), 0);
	assert_int_equal(kernel.wrong_closes, 0);
	return 0;
}

/* Fails each call in turn, and must give its error; returns the number of calls. */
static int fail_each(int (*what)(void), int with)
{
	int calls = 0;

	for (;;) {
		kernel.calls = 0;
		kernel.fail_at = calls + 1;
		kernel.fail_with = with;
		if (!what() && kernel.calls < kernel.fail_at)
			break;
		calls++;
		nothing_open(NULL);
		assert_true(calls < 100);
	}
	kernel.fail_at = 0;
	return calls;
}

/* ---- programs ---- */

static struct xsk_attached_program found;
static uint32_t asked_id;

static int ask_program(void)
{
	struct xsk_attached_program untouched;
	int err;

	memset(&found, DIRT, sizeof(found));
	untouched = found;
	err = xsk_attached_program(&found, asked_id);
	if (err)
		assert_memory_equal(&found, &untouched, sizeof(found));
	return err;
}

static void program(void **state)
{
	struct prog *prog = attach_other(BPF_MAP_TYPE_HASH, "xsks_map");

	(void)state;
	asked_id = prog->id;
	memcpy(prog->tag, "8 bytes!", sizeof(prog->tag));
	assert_int_equal(ask_program(), 0);
	assert_string_equal(found.name, "somebodys");
	assert_memory_equal(found.tag, "8 bytes!", sizeof(found.tag));
	assert_int_equal(found.loaded_ns, 1000 + prog->id);
	assert_int_equal(found.uid, 2000 + prog->id);
	/* Of the right name, and the wrong kind. */
	assert_false(found.has_sockets);
	assert_string_equal(found.map_name, "");

	/* Of the right kind; then one by whose name others find it, wherever it stands. */
	prog->maps[prog->map_count++] = add_map(BPF_MAP_TYPE_XSKMAP, "theirs");
	assert_int_equal(ask_program(), 0);
	assert_true(found.has_sockets);
	assert_string_equal(found.map_name, "theirs");
	prog->maps[prog->map_count++] = add_map(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	prog->maps[prog->map_count++] = add_map(BPF_MAP_TYPE_XSKMAP, "another");
	assert_int_equal(ask_program(), 0);
	assert_string_equal(found.map_name, "xsks_map");
}

static void program_without_maps(void **state)
{
	(void)state;
	asked_id = add_prog("bare")->id;
	assert_int_equal(ask_program(), 0);
	assert_false(found.has_sockets);
	assert_int_equal(fail_each(ask_program, -EPERM), 2);
}

/* More than a program can have: those that there is room for. */
static void program_of_many_maps(void **state)
{
	struct prog *prog = add_prog("many");

	(void)state;
	while (prog->map_count < MAX_MAPS_OF_PROG)
		prog->maps[prog->map_count++] = add_map(BPF_MAP_TYPE_XSKMAP, "one_of_many");
	asked_id = prog->id;
	assert_int_equal(ask_program(), 0);
	assert_string_equal(found.map_name, "one_of_many");
}

static void program_that_cannot_be_seen(void **state)
{
	struct prog *prog = attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");

	(void)state;
	prog->maps[prog->map_count++] = add_map(BPF_MAP_TYPE_HASH, "theirs");
	asked_id = prog->id;
	/* The program, what it is, and of each map the same. */
	assert_int_equal(fail_each(ask_program, -EPERM), 6);
	kernel.fail_name = "bpf_prog_get_fd_by_id";
	kernel.fail_with = -EPERM;
	assert_int_equal(ask_program(), -EPERM);
	kernel.fail_name = NULL;
	prog->gone = true;
	assert_int_equal(ask_program(), XSK_RACED);
}

/* ---- links ---- */

static void link_by_id(void **state)
{
	struct prog *prog = attach_other_by_link();
	uint32_t id = 0, wanted = kernel.links[kernel.link_count - 1].id;

	(void)state;
	assert_int_equal(xsk_attached_link_id(&id, prog->id, IFINDEX), 0);
	assert_int_equal(id, wanted);
	assert_int_equal(xsk_attached_link_id(&id, prog->id + 1, IFINDEX), -ENOENT);
	assert_int_equal(id, wanted);
	kernel.fail_name = "bpf_link_get_next_id";
	kernel.fail_with = -EPERM;
	assert_int_equal(xsk_attached_link_id(&id, prog->id, IFINDEX), -EPERM);
	kernel.fail_name = NULL;
	/* The same index, in another namespace perhaps. */
	add_link(BPF_LINK_TYPE_XDP, prog->id, IFINDEX);
	assert_int_equal(xsk_attached_link_id(&id, prog->id, IFINDEX), XSK_AMBIGUOUS);
	assert_int_equal(id, wanted);
}

/* ---- parts ---- */

static uint32_t add_part(uint32_t whole, const char *name, uint32_t slot, uint32_t function)
{
	uint32_t id = add_prog(name)->id;
	uint32_t link = add_link(BPF_LINK_TYPE_TRACING, id, 0);

	for (int i = 0; i < kernel.link_count; i++) {
		if (kernel.links[i].id != link)
			continue;
		kernel.links[i].extends = whole;
		kernel.links[i].function = function;
	}
	kernel.pins[slot] = id;
	return id;
}

/* In the order in which they run, as their links tell or their pins. */
static void parts(void **state)
{
	uint32_t ids[XSK_ATTACHED_PARTS], whole, second, first;

	(void)state;
	whole = add_prog("xdp_dispatcher")->id;
	kernel.attached = whole;
	assert_int_equal(xsk_attached_parts(ids, whole, IFINDEX), 0);
	second = add_part(whole, "second", 1, 9);
	first = add_part(whole, "first", 0, 8);
	for (int silent = 0; silent < 2; silent++) {
		kernel.links_are_silent = silent;
		memset(ids, DIRT, sizeof(ids));
		assert_int_equal(xsk_attached_parts(ids, whole, IFINDEX), 2);
		assert_int_equal(ids[0], first);
		assert_int_equal(ids[1], second);
	}
}

static void more_parts_than_there_can_be(void **state)
{
	uint32_t ids[XSK_ATTACHED_PARTS], whole;

	(void)state;
	whole = add_prog("xdp_dispatcher")->id;
	kernel.attached = whole;
	for (uint32_t i = 0; i < 40; i++)
		add_part(whole, "part", i % 10, i);
	for (int silent = 0; silent < 2; silent++) {
		kernel.links_are_silent = silent;
		assert_int_equal(xsk_attached_parts(ids, whole, IFINDEX), XSK_ATTACHED_PARTS);
	}
}

static int ask_parts(void)
{
	uint32_t ids[XSK_ATTACHED_PARTS];
	int count = xsk_attached_parts(ids, kernel.attached, IFINDEX);

	return count < 0 ? count : 0;
}

static void parts_that_cannot_be_seen(void **state)
{
	(void)state;
	kernel.attached = add_prog("xdp_dispatcher")->id;
	add_part(kernel.attached, "part", 0, 1);
	kernel.links_are_silent = true;
	assert_true(fail_each(ask_parts, -EPERM) >= 5);
	kernel.fail_name = "bpf_link_get_next_id";
	assert_int_equal(ask_parts(), -EPERM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, nothing_open)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(program),
		TEST(program_without_maps),
		TEST(program_of_many_maps),
		TEST(program_that_cannot_be_seen),
		TEST(link_by_id),
		TEST(parts),
		TEST(more_parts_than_there_can_be),
		TEST(parts_that_cannot_be_seen),
	};

	return cmocka_run_group_tests_name("attached", tests, NULL, NULL);
}
