/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What goes into the inherited functions, and the reason that comes out:
 * versioned opts, arguments that are refused before anything is touched, the
 * texts of an error, and the last error of each thread. The system calls are
 * faked, so that each one is seen.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xdp/xsk.h>
#include <xsk/error.h>

#include "compat.h"
#include "error.h"
#include "kernel.h"
#include "opts.h"
#include "process.h"
#include "sys.h"

#define DIRT 0xa5
#define PAGE 4096

/* ---- the kernel: it refuses everything ---- */

static struct {
	int calls;			/* that do, ask or take something */
	int closed;			/* the last descriptor that was closed; -1: none */
	int refuse_with;
	uint32_t chunk_size;		/* of the last XDP_UMEM_REG */
	uint32_t tx_metadata_len;
} kernel;

static int reset(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.closed = -1;
	kernel.refuse_with = -EIO;
	return 0;
}

static int refuse(void)
{
	kernel.calls++;
	return kernel.refuse_with;
}

int xsk_sys_socket(int family, int type, int protocol)
{
	(void)family;
	(void)type;
	(void)protocol;
	return refuse();
}

int xsk_sys_bind(int fd, const void *addr, socklen_t len)
{
	(void)fd;
	(void)addr;
	(void)len;
	return refuse();
}

int xsk_sys_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	struct xsk_kernel_umem_reg reg;

	(void)fd;
	if (level == SOL_XDP && name == XDP_UMEM_REG && len == sizeof(reg)) {
		memcpy(&reg, value, sizeof(reg));
		kernel.chunk_size = reg.chunk_size;
		kernel.tx_metadata_len = reg.tx_metadata_len;
	}
	return refuse();
}

int xsk_sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	(void)fd;
	(void)level;
	(void)name;
	(void)value;
	(void)len;
	return refuse();
}

int xsk_sys_kick(int fd)
{
	(void)fd;
	return refuse();
}

int xsk_sys_mmap(void **ret, int fd, uint64_t offset, size_t len)
{
	(void)ret;
	(void)fd;
	(void)offset;
	(void)len;
	return refuse();
}

int xsk_sys_mmap_anonymous(void **ret, size_t len)
{
	(void)ret;
	(void)len;
	return refuse();
}

int xsk_sys_mmap_over(void *addr, int fd, uint64_t offset, size_t len)
{
	(void)addr;
	(void)fd;
	(void)offset;
	(void)len;
	return refuse();
}

void xsk_sys_munmap(void *addr, size_t len)
{
	(void)addr;
	(void)len;
	kernel.calls++;
}

void xsk_sys_close(int fd)
{
	if (fd < 0)
		return;
	kernel.calls++;
	kernel.closed = fd;
}

void xsk_sys_close_on_exec(int fd)
{
	(void)fd;
}

int xsk_sys_dup(int fd)
{
	(void)fd;
	return refuse();
}

int xsk_sys_replace(int from, int to)
{
	(void)from;
	(void)to;
	return refuse();
}

bool xsk_sys_capable(int capability)
{
	(void)capability;
	return false;
}

int xsk_sys_possible_cpus(void)
{
	return 1;
}

size_t xsk_sys_page_size(void)
{
	return PAGE;
}

int xsk_sys_ifindex(const char *ifname)
{
	(void)ifname;
	refuse();
	return -ENODEV;
}

int xsk_sys_netns_of(int fd, uint64_t *ret)
{
	(void)fd;
	(void)ret;
	return refuse();
}

/* Asked before anything is done, with no effect on anything. */
int xsk_sys_netns(uint64_t *ret)
{
	*ret = 1;
	return 0;
}

uint64_t xsk_sys_now_ms(void)
{
	return 0;
}

int xsk_process_of_socket(pid_t *pid, char name[XSK_PROCESS_NAME_SIZE], uint64_t inode)
{
	(void)pid;
	(void)name;
	(void)inode;
	return -ENOENT;
}

int xsk_sys_address(const char *ifname, uint8_t address[XSK_SYS_ADDRESS_SIZE])
{
	(void)ifname;
	(void)address;
	return refuse();
}

int xsk_sys_open(int dir, const char *path, int flags)
{
	(void)dir;
	(void)path;
	(void)flags;
	return refuse();
}

int xsk_sys_mkdir(const char *path)
{
	(void)path;
	return refuse();
}

int xsk_sys_lock(int fd, int operation)
{
	(void)fd;
	(void)operation;
	return refuse();
}

int xsk_sys_read_text(int fd, char *text, size_t size)
{
	(void)fd;
	(void)text;
	(void)size;
	return refuse();
}

int xsk_sys_write_text(int fd, const char *text)
{
	(void)fd;
	(void)text;
	return refuse();
}

int xsk_sys_truncate(int fd, size_t len)
{
	(void)fd;
	(void)len;
	return refuse();
}

int xsk_sys_unlink(int dir, const char *name, int fd)
{
	(void)dir;
	(void)name;
	(void)fd;
	return refuse();
}

void xsk_sys_block_signals(sigset_t *before)
{
	(void)before;
	kernel.calls++;
}

void xsk_sys_restore_signals(const sigset_t *before)
{
	(void)before;
}

void xsk_sys_sleep_ms(unsigned int ms)
{
	(void)ms;
	kernel.calls++;
}

static bool is_dirt(const void *memory, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((const unsigned char *)memory)[i] != DIRT)
			return false;
	return true;
}

/* ---- the texts of an error ---- */

/* In a block of exactly its size: a byte too many is seen. */
static struct xsk_error *new_error(void)
{
	struct xsk_error *error = malloc(sizeof(*error));

	assert_non_null(error);
	memset(error, DIRT, sizeof(*error));
	return error;
}

static void error_texts(void **state)
{
	struct xsk_error *error = new_error();

	(void)state;
	assert_int_equal(xsk_error_set(error, -EBUSY, "bind", "queue %d of %s", 3, "eth0"), -EBUSY);
	assert_int_equal(error->code, -EBUSY);
	assert_string_equal(error->step, "bind");
	assert_string_equal(error->reason, "queue 3 of eth0");
	assert_string_equal(error->hint, "");

	assert_int_equal(xsk_error_hint(error, "take queue %d", 4), -EBUSY);
	assert_string_equal(error->hint, "take queue 4");
	assert_string_equal(error->reason, "queue 3 of eth0");

	/* The hint of a failure does not outlive it; signs in texts mean nothing. */
	xsk_error_set(error, -EIO, "100%%", "%s", "100%%");
	assert_string_equal(error->step, "100%%");
	assert_string_equal(error->reason, "100%%");
	assert_string_equal(error->hint, "");
	free(error);
}

/* With n characters: what fits is there, cut with a 0, and no byte more. */
static void error_texts_cut(void **state)
{
	static char text[512];
	struct xsk_error *error;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		size_t step = n < 31 ? n : 31, reason = n < 255 ? n : 255;
		size_t hint = n < 191 ? n : 191;

		memset(text, 'x', n);
		error = new_error();
		xsk_error_set(error, -EIO, text, "%s", text);
		xsk_error_hint(error, "%s", text);
		assert_int_equal(strlen(error->step), step);
		assert_int_equal(strlen(error->reason), reason);
		assert_int_equal(strlen(error->hint), hint);
		assert_memory_equal(error->step, text, step);
		assert_memory_equal(error->reason, text, reason);
		assert_memory_equal(error->hint, text, hint);
		assert_int_equal(error->code, -EIO);
		free(error);
	}
}

static void error_of_the_system(void **state)
{
	struct xsk_error *error = new_error();

	(void)state;
	assert_int_equal(xsk_error_system(error, -ENODEV, "interface"), -ENODEV);
	assert_int_equal(error->code, -ENODEV);
	assert_string_equal(error->step, "interface");
	assert_string_equal(error->reason, strerror(ENODEV));
	assert_non_null(memchr(error->hint, '\0', sizeof(error->hint)));

	/* No errno that there is. */
	assert_int_equal(xsk_error_system(error, -4094, "moon"), -4094);
	assert_non_null(strstr(error->reason, "4094"));
	free(error);
}

/* ---- the last error ---- */

static void last_of_nothing(void **state)
{
	struct xsk_error error;

	(void)state;
	memset(&error, DIRT, sizeof(error));
	xsk_error_last(&error);
	assert_int_equal(error.code, 0);
	assert_string_equal(error.step, "");
	assert_string_equal(error.reason, "");
	assert_string_equal(error.hint, "");
	xsk_error_last(NULL);
}

static void last_stays(void **state)
{
	struct xsk_error first, second;

	(void)state;
	assert_int_equal(xsk_socket__update_xskmap(NULL, 3), -EINVAL);
	xsk_error_last(&first);
	assert_int_equal(first.code, -EINVAL);
	assert_true(first.reason[0]);

	/* As errno does: over successes, and over looks. */
	assert_int_equal(xsk_umem__delete(NULL), 0);
	memset(&second, DIRT, sizeof(second));
	xsk_error_last(&second);
	assert_int_equal(second.code, -EINVAL);
	assert_string_equal(second.reason, first.reason);

	/* The next failure takes its place. */
	assert_int_equal(xsk_umem__create(NULL, NULL, 0, NULL, NULL, NULL), -EINVAL);
	xsk_error_last(&second);
	assert_string_not_equal(second.reason, first.reason);
}

struct thread {
	int code;			/* its own */
	pthread_barrier_t *failed;	/* both have */
	int wrong;
};

/* No assert in here: it works in the main thread only. */
static void *fail_and_look(void *arg)
{
	struct thread *thread = arg;
	struct xsk_error error;
	char reason[32];

	xsk_error_last(&error);
	thread->wrong += error.code != 0;
	for (int i = 0; i < 1000; i++) {
		snprintf(reason, sizeof(reason), "%d of %d", i, thread->code);
		xsk_error_set(&error, thread->code, "thread", "%s", reason);
		thread->wrong += xsk_error_keep(&error) != thread->code;
		if (i == 0)
			pthread_barrier_wait(thread->failed);
		memset(&error, DIRT, sizeof(error));
		xsk_error_last(&error);
		thread->wrong += error.code != thread->code || strcmp(error.reason, reason);
	}
	return NULL;
}

static void last_of_each_thread(void **state)
{
	pthread_barrier_t failed;
	struct thread threads[2] = { { -1001, &failed, 0 }, { -1002, &failed, 0 } };
	struct xsk_error before, after;
	pthread_t ids[2];

	(void)state;
	assert_int_equal(pthread_barrier_init(&failed, NULL, 2), 0);
	assert_int_equal(xsk_socket__update_xskmap(NULL, 3), -EINVAL);
	xsk_error_last(&before);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, fail_and_look, &threads[i]), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(ids[i], NULL), 0);
	pthread_barrier_destroy(&failed);
	assert_int_equal(threads[0].wrong, 0);
	assert_int_equal(threads[1].wrong, 0);

	xsk_error_last(&after);
	assert_int_equal(after.code, -EINVAL);
	assert_string_equal(after.reason, before.reason);
}

/* ---- opts ---- */

/* A struct of which this library knows all of known, and a later one. */
struct known {
	size_t sz;
	uint32_t one;
	uint32_t two;
	uint16_t three;
};

#define KNOWN (offsetof(struct known, three) + sizeof(uint16_t))

struct later {
	size_t sz;
	uint32_t one;
	uint32_t two;
	uint16_t three;
	uint16_t four;
	uint32_t five;			/* no padding: that need not be 0 */
	uint64_t six;
};

static void opts_null(void **state)
{
	struct known known = { 0 }, zeroes = { 0 };
	struct xsk_error error;

	(void)state;
	assert_int_equal(xsk_opts_read(&known, KNOWN, NULL, &error), 0);
	assert_memory_equal(&known, &zeroes, sizeof(known));
}

static void opts_same(void **state)
{
	struct known known = { 0 }, opts = { KNOWN, 1, 2, 3 };
	struct xsk_error error;

	(void)state;
	assert_int_equal(KNOWN, offsetof(struct later, four));
	assert_int_equal(xsk_opts_read(&known, KNOWN, &opts, &error), 0);
	assert_int_equal(known.sz, KNOWN);
	assert_int_equal(known.one, 1);
	assert_int_equal(known.two, 2);
	assert_int_equal(known.three, 3);
}

/* A sz that does not cover itself, 0 above all: the field was forgotten. */
static void opts_sz_too_small(void **state)
{
	struct xsk_error error;

	(void)state;
	for (size_t sz = 0; sz < sizeof(size_t); sz++) {
		struct known known = { 0 }, zeroes = { 0 }, opts = { sz, 1, 2, 3 };

		memset(&error, 0, sizeof(error));
		assert_int_equal(xsk_opts_read(&known, KNOWN, &opts, &error), -EINVAL);
		assert_int_equal(error.code, -EINVAL);
		assert_non_null(strstr(error.reason, "sz"));
		assert_non_null(strstr(error.hint, "size of the struct"));
		assert_memory_equal(&known, &zeroes, sizeof(known));
	}
}

/* Of each length, in a block of that length: what it does not have is 0. */
static void opts_older(void **state)
{
	const struct known all = { .one = 0x11111111, .two = 0x22222222, .three = 0x3333 };
	struct xsk_error error;

	(void)state;
	for (size_t sz = sizeof(size_t); sz <= KNOWN; sz++) {
		struct known known = { 0 }, expected = { 0 };
		unsigned char *opts = malloc(sz);

		assert_non_null(opts);
		memcpy(opts, &all, sz);
		memcpy(opts, &sz, sizeof(sz));
		memcpy(&expected, opts, sz);
		assert_int_equal(xsk_opts_read(&known, KNOWN, opts, &error), 0);
		assert_memory_equal(&known, &expected, sizeof(known));
		free(opts);
	}
}

static void opts_later(void **state)
{
	struct later later = { sizeof(later), 1, 2, 3, 0, 0, 0 };
	struct {
		struct known known;
		unsigned char behind[32];
	} place;
	struct xsk_error error;
	char byte[16];

	(void)state;
	/* Nothing that is new to us is asked for. */
	memset(&place, DIRT, sizeof(place));
	place.known = (struct known){ 0 };
	assert_int_equal(xsk_opts_read(&place.known, KNOWN, &later, &error), 0);
	assert_int_equal(place.known.sz, sizeof(later));
	assert_int_equal(place.known.three, 3);
	assert_true(is_dirt(place.behind, sizeof(place.behind)));

	/* Each byte that is, is named. */
	for (size_t i = KNOWN; i < sizeof(later); i++) {
		struct known known = { 0 }, zeroes = { 0 };

		((unsigned char *)&later)[i] = 0x80;
		memset(&error, 0, sizeof(error));
		assert_int_equal(xsk_opts_read(&known, KNOWN, &later, &error), -EINVAL);
		assert_int_equal(error.code, -EINVAL);
		snprintf(byte, sizeof(byte), "byte %zu ", i);
		assert_non_null(strstr(error.reason, byte));
		assert_non_null(strstr(error.hint, "the rest to 0"));
		assert_memory_equal(&known, &zeroes, sizeof(known));
		((unsigned char *)&later)[i] = 0;
	}
}

/* ---- arguments: the UMEM ---- */

static unsigned char area[2 * PAGE] __attribute__((aligned(PAGE)));

/* What a failure that touches nothing looks like. */
static void assert_refused(int err, int expected)
{
	struct xsk_error last;

	assert_int_equal(err, expected);
	xsk_error_last(&last);
	assert_int_equal(last.code, expected);
	assert_true(last.step[0]);
	assert_true(last.reason[0]);
	assert_int_equal(kernel.calls, 0);
}

struct umem_args {
	void *area;
	uint64_t size;
	bool no_fill, no_comp, no_umem;
	struct xsk_umem_config config;
};

/* By each of the three functions: the same answer, and nothing written. */
static void umem_refused(struct umem_args args)
{
	struct xsk_umem *umem = (void *)area, *const untouched = umem;
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp;
	struct xsk_umem_opts opts = {
		.sz = sizeof(opts),
		.size = args.size,
		.fill_size = args.config.fill_size,
		.comp_size = args.config.comp_size,
		.frame_size = args.config.frame_size,
		.frame_headroom = args.config.frame_headroom,
		.flags = args.config.flags,
	};
	struct xsk_ring_prod *fill_arg = args.no_fill ? NULL : &fill;
	struct xsk_ring_cons *comp_arg = args.no_comp ? NULL : &comp;
	int err;

	memset(&fill, DIRT, sizeof(fill));
	memset(&comp, DIRT, sizeof(comp));
	err = xsk_umem__create(args.no_umem ? NULL : &umem, args.area, args.size, fill_arg,
			       comp_arg, &args.config);
	assert_refused(err, -EINVAL);
	err = xsk_umem__create_with_fd(args.no_umem ? NULL : &umem, 99, args.area, args.size,
				       fill_arg, comp_arg, &args.config);
	assert_refused(err, -EINVAL);
	assert_ptr_equal(umem, untouched);

	if (!args.no_umem) {
		errno = 0;
		opts.fd = 99;
		assert_null(xsk_umem__create_opts(args.area, fill_arg, comp_arg, &opts));
		assert_refused(-errno, -EINVAL);
	}
	assert_true(is_dirt(&fill, sizeof(fill)));
	assert_true(is_dirt(&comp, sizeof(comp)));
}

#define UMEM_REFUSED(...) umem_refused((struct umem_args){ .area = area, .size = sizeof(area), \
							   __VA_ARGS__ })

static void umem_arguments(void **state)
{
	(void)state;
	UMEM_REFUSED(.no_umem = true);
	UMEM_REFUSED(.no_fill = true);
	UMEM_REFUSED(.no_comp = true);
	umem_refused((struct umem_args){ .area = NULL, .size = sizeof(area) });

	umem_refused((struct umem_args){ .area = area + 1, .size = PAGE });
	umem_refused((struct umem_args){ .area = area + 2048, .size = PAGE });
	umem_refused((struct umem_args){ .area = area, .size = 0 });
	umem_refused((struct umem_args){ .area = area, .size = PAGE - 1 });
	umem_refused((struct umem_args){ .area = area, .size = PAGE + 2048 });

	UMEM_REFUSED(.config.fill_size = 3);
	UMEM_REFUSED(.config.comp_size = 1000);
	UMEM_REFUSED(.config.frame_size = 3000);
	UMEM_REFUSED(.config.frame_size = 2 * sizeof(area));
}

/* All is well with these, so that the kernel is asked, which refuses. */
static void umem_arguments_passed_on(void **state)
{
	struct xsk_umem_config config = {
		.frame_size = 3000, .flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG,
	};
	struct xsk_umem *umem = (void *)area;
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp;

	(void)state;
	assert_int_equal(xsk_umem__create(&umem, area, sizeof(area), &fill, &comp, NULL), -EIO);
	assert_int_equal(kernel.calls, 1);

	reset(NULL);
	assert_int_equal(xsk_umem__create(&umem, area, sizeof(area), &fill, &comp, &config), -EIO);
	assert_int_equal(kernel.calls, 1);
	assert_ptr_equal(umem, area);
}

/* A descriptor that was handed over stays the caller's when the call fails. */
static void umem_handed_fd(void **state)
{
	struct xsk_umem_opts opts = {
		.sz = sizeof(opts), .fd = 99, .size = sizeof(area), .tx_metadata_len = 16,
	};
	struct xsk_umem *umem = (void *)area;
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp;

	(void)state;
	kernel.refuse_with = -ENOTSOCK;
	assert_int_equal(xsk_umem__create_with_fd(&umem, 99, area, sizeof(area), &fill, &comp,
						  NULL), -ENOTSOCK);
	assert_ptr_equal(umem, area);
	assert_int_equal(kernel.closed, -1);
	assert_int_equal(kernel.chunk_size, XSK_UMEM__DEFAULT_FRAME_SIZE);
	assert_int_equal(kernel.tx_metadata_len, 0);

	errno = 0;
	assert_null(xsk_umem__create_opts(area, &fill, &comp, &opts));
	assert_int_equal(errno, ENOTSOCK);
	assert_int_equal(kernel.closed, -1);
	assert_int_equal(kernel.tx_metadata_len, 16);

	/* A program that was compiled before the field came into the struct. */
	opts.sz = offsetof(struct xsk_umem_opts, tx_metadata_len);
	assert_null(xsk_umem__create_opts(area, &fill, &comp, &opts));
	assert_int_equal(kernel.tx_metadata_len, 0);
}

/* opts of a later version, of none, and of a forgotten sz. */
static void umem_opts_versions(void **state)
{
	struct {
		struct xsk_umem_opts opts;
		uint64_t later;
	} more = { .opts = { .sz = sizeof(more), .size = sizeof(area) } };
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp;

	(void)state;
	errno = 0;
	assert_null(xsk_umem__create_opts(area, &fill, &comp, NULL));	/* of size 0 */
	assert_refused(-errno, -EINVAL);

	more.later = 1;
	errno = 0;
	assert_null(xsk_umem__create_opts(area, &fill, &comp, &more.opts));
	assert_refused(-errno, -EINVAL);

	more.opts.sz = 0;
	errno = 0;
	assert_null(xsk_umem__create_opts(area, &fill, &comp, &more.opts));
	assert_refused(-errno, -EINVAL);

	more.opts.sz = sizeof(more);
	more.later = 0;
	assert_null(xsk_umem__create_opts(area, &fill, &comp, &more.opts));
	assert_int_equal(errno, EIO);
	assert_int_equal(kernel.calls, 1);
}

/* ---- arguments: the socket ---- */

struct socket_args {
	bool no_socket, no_umem, no_name, no_rx, no_tx, fill, comp;
	struct xsk_socket_config config;
};

/* By each of the three functions. The UMEM is looked at by none. */
static void socket_refused(struct socket_args args)
{
	struct xsk_umem umem, *umem_arg = args.no_umem ? NULL : &umem;
	struct xsk_socket *xsk = (void *)area, *const untouched = xsk;
	struct {
		struct xsk_ring_prod tx, fill;
		struct xsk_ring_cons rx, comp;
	} rings;
	struct xsk_ring_cons *rx = args.no_rx ? NULL : &rings.rx;
	struct xsk_ring_prod *tx = args.no_tx ? NULL : &rings.tx;
	struct xsk_ring_prod *fill = args.fill ? &rings.fill : NULL;
	struct xsk_ring_cons *comp = args.comp ? &rings.comp : NULL;
	const char *name = args.no_name ? NULL : "eth0";
	struct xsk_socket_opts opts = {
		.sz = sizeof(opts),
		.rx = rx,
		.tx = tx,
		.fill = fill,
		.comp = comp,
		.rx_size = args.config.rx_size,
		.tx_size = args.config.tx_size,
		.libxdp_flags = args.config.libxdp_flags,
		.xdp_flags = args.config.xdp_flags,
		.bind_flags = args.config.bind_flags,
	};
	int err;

	memset(&umem, DIRT, sizeof(umem));
	memset(&rings, DIRT, sizeof(rings));
	err = xsk_socket__create_shared(args.no_socket ? NULL : &xsk, name, 0, umem_arg, rx, tx,
					fill, comp, &args.config);
	assert_refused(err, -EINVAL);
	if (!args.fill && !args.comp) {
		err = xsk_socket__create(args.no_socket ? NULL : &xsk, name, 0, umem_arg, rx, tx,
					 &args.config);
		assert_refused(err, -EINVAL);
	}
	if (!args.no_socket) {
		errno = 0;
		assert_null(xsk_socket__create_opts(name, 0, umem_arg, &opts));
		assert_refused(-errno, -EINVAL);
	}
	assert_ptr_equal(xsk, untouched);
	assert_true(is_dirt(&rings, sizeof(rings)));
	assert_true(is_dirt(&umem, sizeof(umem)));
}

#define SOCKET_REFUSED(...) socket_refused((struct socket_args){ __VA_ARGS__ })

static void socket_arguments(void **state)
{
	(void)state;
	SOCKET_REFUSED(.no_socket = true);
	SOCKET_REFUSED(.no_umem = true);
	SOCKET_REFUSED(.no_name = true);
	SOCKET_REFUSED(.no_rx = true, .no_tx = true);
	SOCKET_REFUSED(.fill = true);
	SOCKET_REFUSED(.comp = true);

	SOCKET_REFUSED(.config.rx_size = 3);
	SOCKET_REFUSED(.config.tx_size = 2047);
	SOCKET_REFUSED(.no_rx = true, .config.tx_size = 2047);
	SOCKET_REFUSED(.no_tx = true, .config.rx_size = 2047);

	SOCKET_REFUSED(.config.libxdp_flags = 2);
	SOCKET_REFUSED(.config.xdp_flags = XDP_FLAGS_REPLACE);
	SOCKET_REFUSED(.config.xdp_flags = 1U << 31);
	SOCKET_REFUSED(.config.xdp_flags = XDP_FLAGS_SKB_MODE | XDP_FLAGS_DRV_MODE);
	SOCKET_REFUSED(.config.bind_flags = XDP_COPY | XDP_ZEROCOPY);
	SOCKET_REFUSED(.config.bind_flags = 1 << 15);
}

/* Sizes of rings that are not asked for are nobody's business. */
static void socket_arguments_passed_on(void **state)
{
	struct xsk_socket_config config = { .rx_size = 64, .tx_size = 3 };
	struct xsk_socket *xsk = (void *)area;
	struct xsk_ring_cons rx;
	struct xsk_umem umem;
	struct xsk_error last;

	(void)state;
	memset(&umem, DIRT, sizeof(umem));
	assert_int_equal(xsk_socket__create(&xsk, "eth0", 0, &umem, &rx, NULL, &config), -ENODEV);
	assert_int_equal(kernel.calls, 1);	/* the interface's index */
	assert_ptr_equal(xsk, area);
	assert_true(is_dirt(&umem, sizeof(umem)));
	xsk_error_last(&last);
	assert_non_null(strstr(last.reason, "eth0"));
}

static void socket_opts_versions(void **state)
{
	struct {
		struct xsk_socket_opts opts;
		uint64_t later;
	} more = { .opts = { .sz = sizeof(more) }, .later = 1 };
	struct xsk_umem umem;
	struct xsk_ring_cons rx;

	(void)state;
	memset(&umem, DIRT, sizeof(umem));
	errno = 0;
	assert_null(xsk_socket__create_opts("eth0", 0, &umem, NULL));	/* without rings */
	assert_refused(-errno, -EINVAL);

	more.opts.rx = &rx;
	errno = 0;
	assert_null(xsk_socket__create_opts("eth0", 0, &umem, &more.opts));
	assert_refused(-errno, -EINVAL);

	more.opts.sz = sizeof(size_t) - 1;
	errno = 0;
	assert_null(xsk_socket__create_opts("eth0", 0, &umem, &more.opts));
	assert_refused(-errno, -EINVAL);

	/* The size of the struct itself is legal, padding included. */
	more.opts.sz = sizeof(more.opts);
	errno = 0;
	assert_null(xsk_socket__create_opts("eth0", 0, &umem, &more.opts));
	assert_int_equal(errno, ENODEV);
}

/*
 * Since 5.10 the kernel takes a socket that cannot receive into an XSKMAP, and
 * then its packets are lost: it is refused here.
 */
static void deaf_socket_in_no_map(void **state)
{
	struct xsk_socket xsk = { .fd = 99, .has_rx = false };

	(void)state;
	assert_refused(xsk_socket__update_xskmap(&xsk, 98), -EOPNOTSUPP);
	assert_int_equal(kernel.closed, -1);
}

static void of_null(void **state)
{
	(void)state;
	assert_int_equal(xsk_umem__fd(NULL), -EINVAL);
	assert_int_equal(xsk_socket__fd(NULL), -EINVAL);
	assert_int_equal(xsk_umem__delete(NULL), 0);
	xsk_socket__delete(NULL);
	assert_refused(xsk_socket__update_xskmap(NULL, 3), -EINVAL);
	assert_int_equal(kernel.calls, 0);
}

static void setup_of_no_interface(void **state)
{
	int fd = 4711;

	(void)state;
	assert_refused(xsk_setup_xdp_prog(0, &fd), -ENODEV);
	assert_refused(xsk_setup_xdp_prog(-1, &fd), -ENODEV);
	assert_refused(xsk_setup_xdp_prog(-1, NULL), -ENODEV);
	assert_int_equal(fd, 4711);
}

/* The struct's own padding is nobody's: clang leaves there what was on the stack. */
static void socket_opts_padding(void **state)
{
	struct xsk_socket_opts opts;
	struct xsk_ring_cons rx;
	struct xsk_umem umem;

	(void)state;
	memset(&umem, DIRT, sizeof(umem));
	memset(&opts, DIRT, sizeof(opts));
	opts.sz = sizeof(opts);
	opts.rx = &rx;
	opts.tx = NULL;
	opts.fill = NULL;
	opts.comp = NULL;
	opts.rx_size = opts.tx_size = 0;
	opts.libxdp_flags = opts.xdp_flags = 0;
	opts.bind_flags = 0;
	errno = 0;
	assert_null(xsk_socket__create_opts("eth0", 0, &umem, &opts));
	assert_int_equal(errno, ENODEV);	/* so far it came */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_of_nothing),	/* first: nothing has failed yet */
		cmocka_unit_test(error_texts),
		cmocka_unit_test(error_texts_cut),
		cmocka_unit_test(error_of_the_system),
		cmocka_unit_test_setup(last_stays, reset),
		cmocka_unit_test_setup(last_of_each_thread, reset),
		cmocka_unit_test(opts_null),
		cmocka_unit_test(opts_same),
		cmocka_unit_test(opts_sz_too_small),
		cmocka_unit_test(opts_older),
		cmocka_unit_test(opts_later),
		cmocka_unit_test_setup(umem_arguments, reset),
		cmocka_unit_test_setup(umem_arguments_passed_on, reset),
		cmocka_unit_test_setup(umem_handed_fd, reset),
		cmocka_unit_test_setup(umem_opts_versions, reset),
		cmocka_unit_test_setup(socket_arguments, reset),
		cmocka_unit_test_setup(socket_arguments_passed_on, reset),
		cmocka_unit_test_setup(socket_opts_versions, reset),
		cmocka_unit_test_setup(deaf_socket_in_no_map, reset),
		cmocka_unit_test_setup(of_null, reset),
		cmocka_unit_test_setup(setup_of_no_interface, reset),
		cmocka_unit_test_setup(socket_opts_padding, reset),
	};

	return cmocka_run_group_tests_name("opts", tests, NULL, NULL);
}
