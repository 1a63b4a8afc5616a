/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Diagnosis of programs that no process holds: what is pinned, and where. */
#include "ports.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user_prog.h"

static struct lab lab;
static struct lab_count before;
/* With what mountinfo writes otherwise in the name. */
static char mounted[] = "/tmp/xsk pins XX" "XX" "XX";

static const char *path_of(const char *name)
{
	static char path[sizeof(mounted) + 300];

	snprintf(path, sizeof(path), "%s/%s", mounted, name);
	return path;
}

/* In a mount namespace of its own. */
static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 1);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_non_null(mkdtemp(mounted));
	assert_int_equal(mount("bpf", mounted, "bpf", 0, NULL), 0);
	assert_int_equal(mkdir(path_of("a"), 0700), 0);
	assert_int_equal(mkdir(path_of("a/b"), 0700), 0);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	umount2(mounted, MNT_DETACH);
	rmdir(mounted);
	lab_close(&lab);
	return 0;
}

static int count(void **state)
{
	(void)state;
	lab_count(&before);
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	return 0;
}

static struct xsk_probe_program program(void)
{
	struct xsk_probe_program program = { .sz = sizeof(program) };

	assert_int_equal(xsk_probe_programs("lab0", &program, 1, NULL), 1);
	return program;
}

static void assert_pinned(const char *name, uint8_t link_pinned)
{
	struct xsk_probe_program found = program();

	assert_string_equal(found.pin, name ? path_of(name) : "");
	assert_int_equal(found.link_pinned, link_pinned);
	assert_int_equal(found.pins_told, XSK_PROBE_YES);
}

/* Its process closes all, and it stays: by the file alone. */
static void pinned_link(void **state)
{
	struct user_prog prog;

	(void)state;
	user_prog_load(&prog, USER_MAP_XSKMAP, 1);
	user_prog_attach(&prog, lab.ifindex[0], true);
	assert_pinned(NULL, XSK_PROBE_NO);
	/* A map is none; of the program, it says so; and the link counts more. */
	assert_int_equal(bpf_obj_pin(prog.map_fd, path_of("map")), 0);
	assert_pinned(NULL, XSK_PROBE_NO);
	assert_int_equal(bpf_obj_pin(prog.prog_fd, path_of("a/program")), 0);
	assert_pinned("a/program", XSK_PROBE_NO);
	assert_int_equal(bpf_obj_pin(prog.link_fd, path_of("a/b/link")), 0);
	assert_pinned("a/b/link", XSK_PROBE_YES);
	close(prog.link_fd);
	close(prog.prog_fd);
	close(prog.map_fd);
	assert_int_equal(unlink(path_of("map")), 0);
	assert_int_equal(unlink(path_of("a/program")), 0);
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	assert_pinned("a/b/link", XSK_PROBE_YES);
	assert_int_equal(program().processes, 0);
	assert_int_equal(unlink(path_of("a/b/link")), 0);
}

/* Its link elsewhere is not what holds it here. */
static void pinned_elsewhere(void **state)
{
	struct user_prog prog;
	int link_fd;

	(void)state;
	user_prog_load(&prog, USER_MAP_NONE, 1);
	lab_run("ip link add other0 type veth peer name other1");
	link_fd = bpf_link_create(prog.prog_fd, (int)if_nametoindex("other0"), BPF_XDP, NULL);
	assert_true(link_fd >= 0);
	assert_int_equal(bpf_obj_pin(link_fd, path_of("link")), 0);
	for (int by_link = 0; by_link < 2; by_link++) {
		user_prog_attach(&prog, lab.ifindex[0], by_link);
		assert_pinned(NULL, XSK_PROBE_NO);
		if (!by_link)
			assert_int_equal(bpf_xdp_detach(lab.ifindex[0], 0, NULL), 0);
	}
	assert_int_equal(unlink(path_of("link")), 0);
	close(link_fd);
	user_prog_unload(&prog);
	lab_run("ip link del other0");
}

/* Too deep, or called by too long a path: it is told that something may be missing. */
static void not_all_told(void **state)
{
	char name[250], path[sizeof(mounted) + 300];
	struct user_prog prog;

	(void)state;
	user_prog_load(&prog, USER_MAP_NONE, 1);
	user_prog_attach(&prog, lab.ifindex[0], true);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(bpf_obj_pin(prog.link_fd, path_of(name)), 0);
	assert_string_equal(program().pin, "");
	assert_int_equal(program().link_pinned, XSK_PROBE_NOT_TOLD);
	assert_int_equal(program().pins_told, XSK_PROBE_NOT_TOLD);
	assert_int_equal(unlink(path_of(name)), 0);

	snprintf(path, sizeof(path), "%s", mounted);
	for (int i = 0; i < 8; i++) {
		strcat(path, "/y");
		assert_int_equal(mkdir(path, 0700), 0);
	}
	assert_int_equal(program().pins_told, XSK_PROBE_NOT_TOLD);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(rmdir(path), 0);
		*strrchr(path, '/') = '\0';
	}
	assert_int_equal(program().pins_told, XSK_PROBE_YES);
	/* One that is mounted over by something else is not to be seen. */
	assert_int_equal(mount("tmpfs", mounted, "tmpfs", 0, NULL), 0);
	assert_pinned(NULL, XSK_PROBE_NO);
	assert_int_equal(umount(mounted), 0);
	user_prog_unload(&prog);
}

static void hidden(void **state)
{
	struct xsk_probe_program found = { .sz = sizeof(found) };
	struct user_prog prog;

	(void)state;
	user_prog_load(&prog, USER_MAP_NONE, 1);
	user_prog_attach(&prog, lab.ifindex[0], true);
	assert_int_equal(bpf_obj_pin(prog.link_fd, path_of("link")), 0);
	assert_int_equal(chmod(mounted, 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(xsk_probe_programs("lab0", &found, 1, NULL), 1);
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(found.pin, "");
	assert_int_equal(found.pins_told, XSK_PROBE_NOT_TOLD);
	assert_int_equal(found.link_pinned, XSK_PROBE_NOT_TOLD);
	assert_pinned("link", XSK_PROBE_YES);
	assert_int_equal(unlink(path_of("link")), 0);
	user_prog_unload(&prog);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pinned_link),
		TEST(pinned_elsewhere),
		TEST(not_all_told),
		TEST(hidden),
	};

	return cmocka_run_group_tests_name("pins", tests, open_lab, close_lab);
}
