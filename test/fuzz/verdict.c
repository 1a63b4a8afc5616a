/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "verdict.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <xsk/error.h>

#include "kernel.h"
#include "load.h"
#include "prog.h"
#include "sys.h"

static struct xsk_prog maps = { .map_fd = -1, .counters_fd = -1, .link_fd = -1, .prog_fd = -1 };
static uint64_t counted[XSK_COUNTERS];

void verdict_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("fuzz: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

/* One that could receive, and is bound to nothing: the map does not mind. */
static int open_socket(void)
{
	uint32_t entries = 64;
	int fd = xsk_sys_socket(AF_XDP, SOCK_RAW, 0);

	if (fd < 0 || xsk_sys_setsockopt(fd, SOL_XDP, XDP_RX_RING, &entries, sizeof(entries)))
		verdict_fail("no AF_XDP socket");
	return fd;
}

void verdict_open(void)
{
	struct xsk_error error;

	if (unshare(CLONE_NEWNET))
		verdict_fail("no network namespace: it needs root");
	maps.map_fd = xsk_load_map(1, &error);
	maps.counters_fd = xsk_load_counters(&error);
	if (maps.map_fd < 0 || maps.counters_fd < 0)
		verdict_fail("no maps: %s", error.reason);
	/* It stays open as long as the fuzzer runs. */
	if (xsk_prog_set_socket(maps.map_fd, 0, open_socket(), true, &error))
		verdict_fail("no place for a socket: %s", error.reason);
}

int verdict_load(const struct xsk_code *code, struct xsk_error *error)
{
	struct xsk_code newer = *code;

	newer.older = NULL;
	return xsk_load_code(&newer, maps.map_fd, maps.counters_fd, error);
}

int verdict_run(int prog_fd, const void *packet, size_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = (uint32_t)len);
	int err = bpf_prog_test_run_opts(prog_fd, &opts);

	if (err)
		verdict_fail("it is not run: %s", strerror(-err));
	if (opts.retval != XDP_REDIRECT && opts.retval != XDP_PASS)
		verdict_fail("a verdict of %u", opts.retval);
	return opts.retval == XDP_REDIRECT;
}

void verdict_counters(uint64_t counters[XSK_COUNTERS])
{
	uint64_t now[XSK_COUNTERS];

	xsk_prog_counters(&maps, now);
	for (int i = 0; i < XSK_COUNTERS; i++) {
		counters[i] = now[i] - counted[i];
		counted[i] = now[i];
	}
}
