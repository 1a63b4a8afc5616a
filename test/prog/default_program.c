/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The default program, loaded by lib/load.c and run by the kernel
 * on packets that never were on a wire (BPF_PROG_TEST_RUN): to the kernel's
 * stack while the map is empty, to the socket once the map holds one for the
 * packet's queue. Needs CAP_BPF and CAP_NET_ADMIN, and CAP_NET_RAW for the
 * socket; touches no interface.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <xsk/error.h>

#include "attached.h"
#include "filter.h"
#include "kernel.h"
#include "load.h"
#include "prog.h"
#include "sys.h"

#define QUEUES 4

struct program {
	int map_fd;
	int prog_fd;
};

/* Whatever is wrong is said in the words that a user would get. */
static void assert_ok(int result, const struct xsk_error *error)
{
	if (result < 0)
		fail_msg("%s: %s (%d); %s", error->step, error->reason, error->code, error->hint);
}

static struct program open_program(void)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code code = xsk_filter_default(insns);
	struct xsk_error error;
	struct program program;

	program.map_fd = xsk_load_map(QUEUES, &error);
	assert_ok(program.map_fd, &error);
	program.prog_fd = xsk_load_code(&code, program.map_fd, -1, &error);
	assert_ok(program.prog_fd, &error);
	return program;
}

static void close_program(const struct program *program)
{
	xsk_sys_close(program->prog_fd);
	xsk_sys_close(program->map_fd);
}

/* One that could receive. It is bound to nothing: the map does not mind. */
static int open_socket(void)
{
	uint32_t entries = 64;
	int fd = xsk_sys_socket(AF_XDP, SOCK_RAW, 0);

	assert_true(fd >= 0);
	assert_int_equal(xsk_sys_setsockopt(fd, SOL_XDP, XDP_RX_RING, &entries, sizeof(entries)),
			 0);
	return fd;
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Runs it on a packet of queue 0. Returns the verdict or -errno. */
static int run(const struct program *program, uint32_t size)
{
	unsigned char in[1500], out[2048];
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = in,
		.data_size_in = size,
		.data_out = out,
		.data_size_out = sizeof(out),
	);
	int err;

	assert_true(size <= sizeof(in));
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * 7);
	err = bpf_prog_test_run_opts(program->prog_fd, &opts);
	if (err)
		return err;

	/* It looks, and touches nothing. */
	assert_int_equal(opts.data_size_out, size);
	assert_memory_equal(out, in, size);
	return (int)opts.retval;
}

static const uint32_t sizes[] = { 14, 60, 1500 };

static void run_all(const struct program *program, int verdict)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_int_equal(run(program, sizes[i]), verdict);
}

static void empty_map(void **state)
{
	struct program program = open_program();

	(void)state;
	run_all(&program, XDP_PASS);
	close_program(&program);
}

static void socket_in_map(void **state)
{
	struct program program = open_program();
	struct xsk_error error;
	int first = open_socket(), second = open_socket();

	(void)state;
	/* For every queue but that of the packet: it goes by the queue. */
	for (uint32_t queue = 1; queue < QUEUES; queue++)
		assert_ok(xsk_prog_set_socket(program.map_fd, queue, second, true, &error), &error);
	run_all(&program, XDP_PASS);

	assert_ok(xsk_prog_set_socket(program.map_fd, 0, first, true, &error), &error);
	run_all(&program, XDP_REDIRECT);

	/* A place that is taken is given away only where this is wanted. */
	assert_int_equal(xsk_prog_set_socket(program.map_fd, 0, second, true, &error), -EEXIST);
	assert_ok(xsk_prog_set_socket(program.map_fd, 0, second, false, &error), &error);
	run_all(&program, XDP_REDIRECT);

	/* Closed, a socket is out of every map: what comes goes to the stack. */
	xsk_sys_close(first);
	run_all(&program, XDP_REDIRECT);
	xsk_sys_close(second);
	run_all(&program, XDP_PASS);
	close_program(&program);
}

/* The map has a place for each queue of the device, and takes AF_XDP sockets. */
static void map_refuses(void **state)
{
	struct program program = open_program();
	struct xsk_error error;
	int xdp = open_socket(), local = xsk_sys_socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)state;
	assert_true(local >= 0);
	assert_int_equal(xsk_prog_set_socket(program.map_fd, QUEUES, xdp, false, &error), -E2BIG);
	assert_int_equal(xsk_prog_set_socket(program.map_fd, 0, local, false, &error), -EOPNOTSUPP);
	assert_int_equal(xsk_prog_set_socket(program.map_fd, 0, program.map_fd, false, &error),
			 -ENOTSOCK);
	assert_int_equal(xsk_prog_set_socket(program.map_fd, 0, -1, false, &error), -EBADF);
	assert_int_equal(xsk_prog_set_socket(-1, 0, xdp, false, &error), -EBADF);
	run_all(&program, XDP_PASS);
	xsk_sys_close(local);
	xsk_sys_close(xdp);
	close_program(&program);
}

/* The name and the type by which others find it. */
static void map_can_be_found(void **state)
{
	struct program program = open_program();
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	struct xsk_attached names;
	struct bpf_prog_info prog_info = { 0 };
	int fd;

	(void)state;
	assert_int_equal(bpf_obj_get_info_by_fd(program.map_fd, &info, &len), 0);
	assert_string_equal(info.name, "xsks_map");
	assert_int_equal(info.type, BPF_MAP_TYPE_XSKMAP);
	assert_int_equal(info.max_entries, QUEUES);

	/* And by our own search. */
	len = sizeof(prog_info);
	assert_int_equal(bpf_obj_get_info_by_fd(program.prog_fd, &prog_info, &len), 0);
	fd = xsk_attached_map(&names, prog_info.id, 1);
	assert_true(fd >= 0);
	assert_string_equal(names.name, "libxsk_default");
	xsk_sys_close(fd);
	close_program(&program);
}

/*
 * The trap for who asks the kernel by a test run: data below the length of an
 * Ethernet header is -EINVAL, which is not the program's verdict. (5.10 runs on
 * as little as there is. What it cannot be is another error, or verdict.)
 */
static void short_data(void **state)
{
	static const uint32_t short_sizes[] = { 1, 13 };
	struct program program = open_program();
	int result;

	(void)state;
	for (size_t i = 0; i < sizeof(short_sizes) / sizeof(short_sizes[0]); i++) {
		result = run(&program, short_sizes[i]);
		if (result != -EINVAL)
			print_message("# data of %u bytes is run here\n", short_sizes[i]);
		assert_true(result == -EINVAL || result == XDP_PASS);
	}
	assert_int_equal(run(&program, 14), XDP_PASS);
	close_program(&program);
}

static void nothing_left_open(void **state)
{
	int before = count_fds();

	socket_in_map(state);
	map_can_be_found(state);
	assert_int_equal(count_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_map),
		cmocka_unit_test(socket_in_map),
		cmocka_unit_test(map_refuses),
		cmocka_unit_test(map_can_be_found),
		cmocka_unit_test(short_data),
		cmocka_unit_test(nothing_left_open),
	};
	const char *format = getenv("CMOCKA_MESSAGE_OUTPUT");

	if (geteuid()) {
		/* In TAP it is the line that skips, elsewhere the exit status. */
		puts("1..0 # SKIP not root: loading a program needs CAP_BPF");
		return format && !strcmp(format, "TAP") ? 0 : 77;
	}
	return cmocka_run_group_tests_name("default_program", tests, NULL, NULL);
}
