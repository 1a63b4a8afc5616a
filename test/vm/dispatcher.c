/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Beside programs that libxdp's dispatcher runs, on Debian's own: xdp-filter,
 * which counts what it passes on and has no map of sockets, and libxdp's default
 * program, which has one. Not each kernel takes the dispatcher: where it does
 * not, the tests are skipped.
 */
#include "node.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xsk/error.h>

#include "actor.h"

#define LOADER "xdp-loader"
#define FILTER "xdpfilt_alw_all"
#define SOCKETS "xsk_def_prog"
#define COUNT 40

static struct lab lab;
static struct lab_count before;
static char object_dir[256];

/* ---- the loader ---- */

static void load(const char *mode, const char *objects)
{
	lab_run("cd %s && " LOADER " load -m %s lab0 %s >&2", object_dir, mode, objects);
	lab_assert_prog(&lab, 0, true);
}

static void unload(void)
{
	lab_run(LOADER " unload lab0 --all >&2");
	lab_assert_prog(&lab, 0, false);
}

/* Debian puts them under the architecture's folder. */
static bool find_objects(void)
{
	FILE *file = popen("ls -d /usr/lib/*/bpf/" FILTER ".o 2>/dev/null", "r");
	char path[sizeof(object_dir)] = "";

	assert_non_null(file);
	if (fgets(path, sizeof(path), file) && strrchr(path, '/')) {
		*strrchr(path, '/') = '\0';
		strcpy(object_dir, path);
	}
	pclose(file);
	return object_dir[0];
}

static const char *missing;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 1);
	if (system("command -v " LOADER " >/dev/null") || !find_objects()) {
		missing = "Debian's xdp-tools and libxdp1 are not here";
	} else if (system("cd /sys/fs/bpf && grep -q ' /sys/fs/bpf bpf ' /proc/mounts")) {
		missing = "/sys/fs/bpf is not mounted";
	} else if (chdir(object_dir) ||
		   system(LOADER " load -m native lab0 " FILTER ".o >&2") ||
		   system(LOADER " status lab0 | grep -q xdp_dispatcher")) {
		missing = "libxdp cannot load its dispatcher on this kernel";
		lab_run("ip link set dev lab0 xdp off");
	} else {
		unload();
	}
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

static int count(void **state)
{
	(void)state;
	if (missing)
		print_message("# skipped: %s\n", missing);
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

/* ---- what the filter has counted ---- */

static bool is_filters_counter(int map_fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(map_fd, &info, &len) &&
	       !strcmp(info.name, "xdp_stats_map");
}

/* Packets by verdict and CPU; the one lab has the one filter of the system. */
static uint64_t filter_has_passed(void)
{
	const uint32_t pass = 2;
	struct { uint64_t packets, bytes; } counts[256];
	uint64_t sum = 0;
	uint32_t id = 0;

	while (!bpf_map_get_next_id(id, &id)) {
		int fd = bpf_map_get_fd_by_id(id);

		if (fd >= 0 && is_filters_counter(fd)) {
			memset(counts, 0, sizeof(counts));
			assert_int_equal(bpf_map_lookup_elem(fd, &pass, counts), 0);
			for (size_t i = 0; i < 256; i++)
				sum += counts[i].packets;
		}
		if (fd >= 0)
			close(fd);
	}
	return sum;
}

/* ---- the tests ---- */

static void through_mode(const char *mode, uint32_t flags)
{
	uint32_t dispatcher;
	struct node node;
	uint64_t passed;

	load(mode, FILTER ".o xsk_def_xdp_prog.o");
	dispatcher = lab_prog_id(&lab, 0);
	for (int times = 0; times < 2; times++) {
		node_open(&node, &(struct node_opts){ .xdp_flags = flags });
		passed = filter_has_passed();
		node_receive(&node, &lab, COUNT);
		assert_int_equal(filter_has_passed() - passed, COUNT);
		node_transmit(&node, &lab, COUNT);
		assert_int_equal(lab_prog_id(&lab, 0), dispatcher);
		node_close(&node);
		assert_int_equal(lab_prog_id(&lab, 0), dispatcher);
	}
	unload();
}

/* Found behind the dispatcher, used, and left there. */
static void component_with_a_map(void **state)
{
	(void)state;
	if (missing)
		skip();
	through_mode("native", XDP_FLAGS_DRV_MODE);
	through_mode("skb", XDP_FLAGS_SKB_MODE);
}

static void assert_refused(struct node *node)
{
	struct xsk_error error;

	assert_int_equal(node_socket(node), -EBUSY);
	xsk_error_last(&error);
	assert_int_equal(error.code, -EBUSY);
	assert_non_null(strstr(error.reason, "lab0"));
	assert_non_null(strstr(error.reason, "xdp_dispatcher"));
	assert_non_null(strstr(error.reason, "'" FILTER "'"));
	assert_non_null(strstr(error.hint, "xdp-loader unload lab0"));
}

/* It goes on, and what it passes goes on to the stack; then sockets come beside it. */
static void component_without_a_map(void **state)
{
	uint32_t dispatcher;
	uint64_t passed;
	struct node node;
	int stack;

	(void)state;
	if (missing)
		skip();
	load("native", FILTER ".o");
	dispatcher = lab_prog_id(&lab, 0);
	stack = lab_stack_open();
	assert_int_equal(node_umem(&node, &(struct node_opts){ 0 }), 0);
	assert_refused(&node);
	assert_refused(&node);

	assert_int_equal(lab_prog_id(&lab, 0), dispatcher);
	passed = filter_has_passed();
	lab_send(&lab, 3, 100);
	lab_stack_expect(stack, 3, 100);
	assert_int_equal(filter_has_passed() - passed, 1);
	close(stack);

	load("native", "xsk_def_xdp_prog.o");
	assert_int_equal(node_socket(&node), 0);
	node_receive(&node, &lab, COUNT);
	node_close(&node);
	unload();
}

/* libxdp exchanges the dispatcher for it; the component and its map stay. */
static void another_component_comes(void **state)
{
	uint32_t dispatcher;
	struct node node;
	uint64_t passed;

	(void)state;
	if (missing)
		skip();
	load("native", "xsk_def_xdp_prog.o");
	dispatcher = lab_prog_id(&lab, 0);
	node_open(&node, &(struct node_opts){ 0 });
	node_receive(&node, &lab, COUNT);
	load("native", FILTER ".o");
	assert_int_not_equal(lab_prog_id(&lab, 0), dispatcher);
	passed = filter_has_passed();
	node_receive(&node, &lab, COUNT);
	assert_int_equal(filter_has_passed() - passed, COUNT);
	node_close(&node);
	unload();
}

/* Whose process is killed leaves it as it was, for the next. */
static void killed(void **state)
{
	uint32_t dispatcher;
	struct actor actor;
	struct node node;

	(void)state;
	if (missing)
		skip();
	load("native", "xsk_def_xdp_prog.o");
	dispatcher = lab_prog_id(&lab, 0);
	actor_start(&actor, 0);
	lab_send(&lab, 5, 100);
	actor_expect(&actor, 5);
	actor_kill(&actor);
	node_open(&node, &(struct node_opts){ 0 });
	node_receive(&node, &lab, COUNT);
	node_close(&node);
	assert_int_equal(lab_prog_id(&lab, 0), dispatcher);
	unload();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(component_with_a_map),
		TEST(component_without_a_map),
		TEST(another_component_comes),
		TEST(killed),
	};

	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
