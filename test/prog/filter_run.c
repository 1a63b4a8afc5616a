/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "filter_run.h"

#include <bpf/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "filter.h"
#include "kernel.h"
#include "load.h"
#include "prog.h"
#include "sys.h"

static struct xsk_prog maps = { .map_fd = -1, .counters_fd = -1, .link_fd = -1, .prog_fd = -1 };
static int socket_fd = -1;
static uint64_t counted[XSK_COUNTERS];

/* Whatever is wrong is said in the words that a user would get. */
static void assert_ok(int result, const struct xsk_error *error)
{
	if (result < 0)
		fail_msg("%s: %s (%d); %s", error->step, error->reason, error->code, error->hint);
}

int run_setup(void **state)
{
	uint32_t entries = 64;
	struct xsk_error error;

	(void)state;
	maps.map_fd = xsk_load_map(1, &error);
	assert_ok(maps.map_fd, &error);
	maps.counters_fd = xsk_load_counters(&error);
	assert_ok(maps.counters_fd, &error);
	/* It is bound to nothing: the map does not mind. */
	socket_fd = xsk_sys_socket(AF_XDP, SOCK_RAW, 0);
	assert_true(socket_fd >= 0);
	assert_int_equal(xsk_sys_setsockopt(socket_fd, SOL_XDP, XDP_RX_RING, &entries,
					    sizeof(entries)), 0);
	assert_ok(xsk_prog_set_socket(maps.map_fd, 0, socket_fd, true, &error), &error);
	return 0;
}

int run_teardown(void **state)
{
	(void)state;
	xsk_sys_close(socket_fd);
	xsk_prog_leave(&maps);
	return 0;
}

int run_main(int (*tests)(void))
{
	const char *format = getenv("CMOCKA_MESSAGE_OUTPUT");

	if (geteuid()) {
		/* In TAP it is the line that skips, elsewhere the exit status. */
		puts("1..0 # SKIP not root: loading a program needs CAP_BPF");
		return format && !strcmp(format, "TAP") ? 0 : 77;
	}
	return tests();
}

int run_load(const struct xsk_code *code, struct xsk_error *error)
{
	return xsk_load_code(code, maps.map_fd, maps.counters_fd, error);
}

int run_open(const struct xsk_filter *filter, const struct xsk_keep *keep, bool counts)
{
	struct xsk_error error;
	struct xsk_code code;
	int fd;

	assert_ok(xsk_filter_code(&code, filter, keep, counts, &error), &error);
	fd = run_load(&code, &error);
	xsk_filter_code_free(&code);
	assert_ok(fd, &error);
	return fd;
}

int run_open_older(const struct xsk_filter *filter)
{
	struct xsk_error error;
	struct xsk_code code, older;
	int fd = -1;

	assert_ok(xsk_filter_code(&code, filter, NULL, false, &error), &error);
	if (code.older) {
		older = code;
		older.insns = code.older;
		older.count = code.older_count;
		older.older = NULL;
		fd = run_load(&older, &error);
		assert_ok(fd, &error);
	}
	xsk_filter_code_free(&code);
	return fd;
}

void run_close(int fd)
{
	xsk_sys_close(fd);
}

int run_try(int fd, const uint8_t *packet, uint32_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = len);
	int err;

	err = bpf_prog_test_run_opts(fd, &opts);
	if (err)
		return err;
	assert_true(opts.retval == XDP_REDIRECT || opts.retval == XDP_PASS);
	return opts.retval == XDP_REDIRECT;
}

bool run_takes(int fd, const uint8_t *packet, uint32_t len)
{
	int takes = run_try(fd, packet, len);

	if (takes < 0)
		fail_msg("a packet of %u bytes is not run: %s", len, strerror(-takes));
	return takes;
}

void run_counted(uint64_t counters[XSK_COUNTERS])
{
	uint64_t now[XSK_COUNTERS];

	xsk_prog_counters(&maps, now);
	for (int i = 0; i < XSK_COUNTERS; i++) {
		counters[i] = now[i] - counted[i];
		counted[i] = now[i];
	}
}

bool run_is_slow(void)
{
	return getenv("XSK_VM");
}

unsigned int run_stride(void)
{
	const char *stride = getenv("XSK_FILTER_STRIDE");

	if (stride && atoi(stride) > 0)
		return (unsigned int)atoi(stride);
	return run_is_slow() ? 300 : 4;
}
