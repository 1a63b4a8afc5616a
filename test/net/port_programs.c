/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Ports on interfaces that run a program of others: who is refused and told why, who
 * joins, who replaces it; and maps of the caller's own.
 */
#include "ports.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <unistd.h>

#include "user_prog.h"

#define QUEUES 2
#define OPTS(...) (struct xsk_port_opts){ __VA_ARGS__ }

static struct lab lab;
static struct lab_count before;
static int areas_before;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, QUEUES);
	/* Its packets come to the first queue of lab0. */
	lab_enter(&lab, 1);
	lab_run("ethtool -L lab1 tx 1 2>/dev/null || true");
	lab_enter(&lab, 0);
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
	lab_count(&before);
	areas_before = ports_areas();
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	assert_int_equal(ports_areas(), areas_before);
	return 0;
}

static void send_some(struct xsk_port *port)
{
	ports_transmit(xsk_port_queue(port, 0), &lab, 0, 50);
	ports_assert_law(port);
}

static void opens(struct xsk_port_opts opts)
{
	struct xsk_port *port = ports_open("lab0", opts);

	send_some(port);
	xsk_port_close(port);
}

/* ---- a program without a map for sockets ---- */

static void foreign(enum user_map map, bool by_link)
{
	struct user_prog prog;
	char reason[96];

	user_prog_load(&prog, map, QUEUES);
	user_prog_attach(&prog, lab.ifindex[0], by_link);
	snprintf(reason, sizeof(reason), "lab0 runs the program 'users_own' (id %u), which has "
		 "no XSKMAP", prog.id);
	for (int i = 0; i < 3; i++)
		ports_refused("lab0", OPTS(0), -EBUSY, reason,
			      by_link ? "bpftool link" : "ip link set dev lab0 xdp off");
	ports_refused("lab0", OPTS(.modes = XSK_MODE_GENERIC), -EBUSY, reason, "lab0");
	/* Who only sends does not meet it. */
	opens(OPTS(.direction = XSK_DIRECTION_TX));
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	user_prog_unload(&prog);
	lab_assert_prog(&lab, 0, false);
	opens(OPTS(0));
}

/* In generic mode: by what it is detached, where the usual command would do nothing. */
static void foreign_in_generic_mode(void **state)
{
	struct user_prog prog;

	(void)state;
	user_prog_load(&prog, USER_MAP_NONE, QUEUES);
	assert_int_equal(bpf_xdp_attach(lab.ifindex[0], prog.prog_fd, XDP_FLAGS_SKB_MODE, NULL),
			 0);
	ports_refused("lab0", OPTS(.modes = XSK_MODE_GENERIC), -EBUSY, "lab0 runs the program",
		      "ip link set dev lab0 xdpgeneric off");
	lab_run("ip link set dev lab0 xdpgeneric off");
	user_prog_unload(&prog);
	opens(OPTS(.modes = XSK_MODE_GENERIC));
}

static void foreign_program(void **state)
{
	(void)state;
	foreign(USER_MAP_NONE, false);
	foreign(USER_MAP_NONE, true);
	/* Of the right name, and the wrong kind. */
	foreign(USER_MAP_ARRAY, false);
	foreign(USER_MAP_ARRAY, true);
}

static void replaced(enum user_map map, bool by_link)
{
	struct user_prog prog;
	struct xsk_port *port;
	uint32_t id;

	user_prog_load(&prog, map, QUEUES);
	user_prog_attach(&prog, lab.ifindex[0], by_link);
	port = ports_open("lab0", OPTS(.flags = XSK_PORT_REPLACE));
	id = lab_prog_id(&lab, 0);
	assert_int_not_equal(id, 0);
	assert_int_not_equal(id, prog.id);
	assert_int_equal(ports_info(port).prog_id, id);
	send_some(port);
	xsk_port_close(port);
	lab_assert_prog(&lab, 0, false);
	/* It is not attached any more. */
	prog.ifindex = 0;
	user_prog_unload(&prog);
}

static void replace(void **state)
{
	(void)state;
	replaced(USER_MAP_NONE, false);
	replaced(USER_MAP_NONE, true);
	replaced(USER_MAP_ARRAY, false);
	replaced(USER_MAP_ARRAY, true);
	/* There need be none. */
	opens(OPTS(.flags = XSK_PORT_REPLACE));
}

/* A port that cannot be opened anyway leaves the program where it is. */
static void replace_nothing_in_vain(void **state)
{
	const struct xsk_port_opts opts[] = {
		OPTS(.flags = XSK_PORT_REPLACE, .queues = 3),
		OPTS(.flags = XSK_PORT_REPLACE, .frames = 1u << 24),
		OPTS(.flags = XSK_PORT_REPLACE | XSK_PORT_HUGE, .frames = 1u << 20),
		OPTS(.flags = XSK_PORT_REPLACE, .headroom = 3000),
		OPTS(.flags = XSK_PORT_REPLACE, .direction = XSK_DIRECTION_TX,
		     .modes = XSK_MODE_ZEROCOPY),
	};
	size_t rows = sizeof(opts) / sizeof(opts[0]);
	struct user_prog prog;

	(void)state;
	user_prog_load(&prog, USER_MAP_NONE, 0);
	user_prog_attach(&prog, lab.ifindex[0], false);
	for (size_t i = 0; i < rows; i++) {
		struct xsk_port_opts wanted = opts[i];
		struct xsk_port *port = NULL;

		wanted.sz = sizeof(wanted);
		assert_true(xsk_port_open(&port, "lab0", &wanted, NULL) < 0);
		assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	}
	user_prog_unload(&prog);
}

/* Who only sends runs no program, and takes none out. */
static void replace_nothing_to_send(void **state)
{
	struct user_prog prog;

	(void)state;
	user_prog_load(&prog, USER_MAP_NONE, 0);
	user_prog_attach(&prog, lab.ifindex[0], false);
	opens(OPTS(.flags = XSK_PORT_REPLACE, .direction = XSK_DIRECTION_TX));
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	user_prog_unload(&prog);
}

/* ---- a program with one ---- */

static void joined(bool by_link, uint32_t flags)
{
	struct user_prog prog;
	struct xsk_port *port;

	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	user_prog_attach(&prog, lab.ifindex[0], by_link);
	port = ports_open("lab0", OPTS(.queues = 1, .flags = flags));
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	assert_int_equal(ports_info(port).prog_id, prog.id);
	assert_int_equal(ports_info(port).mode, XSK_MODE_NATIVE);
	ports_receive(xsk_port_queue(port, 0), &lab, 0, 50);
	send_some(port);
	xsk_port_close(port);
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	/* It stays what it was, so this is an ordinary failure. */
	ports_refused("lab0", OPTS(.queues = 3), -EINVAL, "queue 2 was asked for", "");
	user_prog_unload(&prog);
	lab_assert_prog(&lab, 0, false);
}

static void join(void **state)
{
	(void)state;
	joined(false, 0);
	joined(true, 0);
	joined(false, XSK_PORT_REPLACE);
	joined(true, XSK_PORT_REPLACE);
}

static void map_that_is_too_small(void **state)
{
	struct user_prog prog;

	(void)state;
	user_prog_load(&prog, USER_MAP_XSKMAP, 1);
	user_prog_attach(&prog, lab.ifindex[0], true);
	ports_refused("lab0", OPTS(0), -E2BIG, "no place for queue 1", "make the map as large");
	ports_refused("lab0", OPTS(.first_queue = 1), -E2BIG, "no place for queue 1", "map");
	opens(OPTS(.queues = 1));
	user_prog_unload(&prog);
}

/* ---- a program in the other mode ---- */

static const uint32_t xdp_flags[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };

/* A program that is there stays in its mode, native (0) or generic (1). */
static void in_the_other_mode(int which, const char *mode, const char *mode_text)
{
	const uint32_t modes[] = { XSK_MODE_NATIVE, XSK_MODE_GENERIC };
	struct user_prog prog;
	struct xsk_port *port;

	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	assert_int_equal(bpf_xdp_attach(lab.ifindex[0], prog.prog_fd, xdp_flags[which], NULL), 0);
	ports_refused("lab0", OPTS(.modes = modes[!which]), -EOPNOTSUPP,
		      "the program of lab0 is attached in the other mode (ip link", "");
	ports_refused("lab0", OPTS(.modes = modes[!which]), -EOPNOTSUPP, mode, "opts.modes");
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);

	port = ports_open("lab0", OPTS(0));
	assert_int_equal(ports_info(port).mode, modes[which]);
	assert_non_null(strstr(ports_info(port).mode_text, mode_text));
	send_some(port);
	xsk_port_close(port);
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	assert_int_equal(bpf_xdp_detach(lab.ifindex[0], xdp_flags[which], NULL), 0);
	user_prog_unload(&prog);
}

static void generic_where_native_is_wanted(void **state)
{
	(void)state;
	in_the_other_mode(1, "native refused: ",
			  "native refused: the program of lab0 is attached in the other mode");
}

static void native_where_generic_is_wanted(void **state)
{
	(void)state;
	in_the_other_mode(0, "generic refused: ", "zero-copy refused: ");
}

/* Of a port of our own. */
static void second_port_in_the_other_mode(void **state)
{
	struct xsk_port *port = ports_open("lab0", OPTS(.queues = 1,
							.modes = XSK_MODE_GENERIC));
	struct xsk_port_opts second = OPTS(.first_queue = 1);

	(void)state;
	second.modes = XSK_MODE_NATIVE;
	ports_refused("lab0", second, -EOPNOTSUPP, "in the other mode", "opts.modes");
	second.modes = 0;
	opens(second);
	send_some(port);
	xsk_port_close(port);
}

/* ---- maps of the caller's ---- */

static void refuse_map(int fd, int code, const char *reason)
{
	ports_refused("lab0", OPTS(.flags = XSK_PORT_MAP_FD, .map_fd = fd), code, reason,
		      "map of type BPF_MAP_TYPE_XSKMAP");
}

static void map_of_the_callers(void **state)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct user_prog prog;
	struct xsk_port *port;
	int array;

	(void)state;
	assert_true(null >= 0);
	refuse_map(null, -EINVAL, "not one of an XSKMAP");
	close(null);
	/* None that the library would open itself. */
	refuse_map(1000, -EBADF, "Bad file descriptor");
	refuse_map(-1, -EBADF, "Bad file descriptor");
	array = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sockets", 4, 4, QUEUES, NULL);
	assert_true(array >= 0);
	refuse_map(array, -EINVAL, "not one of an XSKMAP");
	close(array);

	user_prog_load(&prog, USER_MAP_XSKMAP, 1);
	refuse_map(prog.prog_fd, -EINVAL, "not one of an XSKMAP");
	ports_refused("lab0", OPTS(.flags = XSK_PORT_MAP_FD, .map_fd = prog.map_fd), -E2BIG,
		      "no place for queue 1", "make the map as large");
	/* It is attached later, and stays the caller's. */
	port = ports_open("lab0", OPTS(.flags = XSK_PORT_MAP_FD, .map_fd = prog.map_fd,
				       .queues = 1));
	assert_int_equal(lab_prog_id(&lab, 0), 0);
	assert_int_equal(ports_info(port).prog_id, 0);
	user_prog_attach(&prog, lab.ifindex[0], true);
	ports_receive(xsk_port_queue(port, 0), &lab, 0, 50);
	send_some(port);
	xsk_port_close(port);
	assert_int_not_equal(fcntl(prog.map_fd, F_GETFD), -1);
	user_prog_unload(&prog);
}

static void map_of_a_generic_program(void **state)
{
	struct user_prog prog;

	(void)state;
	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	assert_int_equal(bpf_xdp_attach(lab.ifindex[0], prog.prog_fd, XDP_FLAGS_SKB_MODE, NULL),
			 0);
	ports_refused("lab0", OPTS(.flags = XSK_PORT_MAP_FD, .map_fd = prog.map_fd,
				   .modes = XSK_MODE_NATIVE), -EOPNOTSUPP,
		      "in the other mode", "opts.modes");
	opens(OPTS(.flags = XSK_PORT_MAP_FD, .map_fd = prog.map_fd));
	assert_int_equal(bpf_xdp_detach(lab.ifindex[0], XDP_FLAGS_SKB_MODE, NULL), 0);
	user_prog_unload(&prog);
}

/* ---- what is given back ---- */

static long virtual_pages(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld", &pages), 1);
	fclose(file);
	return pages;
}

/* A port has some 16 MiB for each queue, and as many that are refused would have it. */
static void memory_of_refused_ports(void **state)
{
	struct user_prog prog;
	long first;

	(void)state;
	user_prog_load(&prog, USER_MAP_NONE, 0);
	user_prog_attach(&prog, lab.ifindex[0], false);
	ports_refused("lab0", OPTS(.flags = XSK_PORT_CHECKED), -EBUSY, "users_own", "");
	first = virtual_pages();
	for (int i = 0; i < 50; i++)
		ports_refused("lab0", OPTS(.flags = XSK_PORT_CHECKED), -EBUSY, "users_own", "");
	/* 50 books of a port would be more than 1 MiB, and all else is larger. */
	assert_true(virtual_pages() - first < 1 << 8);
	user_prog_unload(&prog);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(foreign_program),
		TEST(foreign_in_generic_mode),
		TEST(replace),
		TEST(replace_nothing_in_vain),
		TEST(replace_nothing_to_send),
		TEST(join),
		TEST(map_that_is_too_small),
		TEST(generic_where_native_is_wanted),
		TEST(native_where_generic_is_wanted),
		TEST(second_port_in_the_other_mode),
		TEST(map_of_the_callers),
		TEST(map_of_a_generic_program),
		TEST(memory_of_refused_ports),
	};

	return cmocka_run_group_tests_name("port_programs", tests, open_lab, close_lab);
}
