/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Registering, ring set-up and bind: lib/umem.c and lib/socket.c on a kernel
 * and a clock that are faked here. Nobody sleeps.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <xsk/error.h>

#include "holder.h"
#include "kernel.h"
#include "socket.h"
#include "sys.h"
#include "umem.h"

#define DIRT 0xa5
#define FD 77
#define BASE_FD 78
#define PAGE 4096
#define MAX_MAPS 8

/* ---- the kernel ---- */

static struct {
	int calls;			/* that can fail */
	int fail_at;			/* the number of the one that does; 0: none */
	int fail_with;

	uint64_t now_ms;
	unsigned int sleep_takes_ms;	/* at least; 0: as long as was asked for */
	int refusals;			/* that the call in question still meets */
	int refuse_with;

	int binds;
	struct sockaddr_xdp addr;
	int registers;
	struct xsk_kernel_umem_reg reg;
	uint32_t ring_sizes[XDP_OPTIONS + 1];	/* by option */
	uint32_t options;		/* that XDP_OPTIONS tells */

	struct {
		void *addr;		/* NULL: no more */
		uint64_t offset;
		size_t len;
		int fd;
	} maps[MAX_MAPS];
	int mapped;			/* ever */
	int unmapped;
} kernel;

static char memory[MAX_MAPS];		/* its addresses are what mmap gives out */

static int reset(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.now_ms = 1000000;
	return 0;
}

/* At the start of each call: 0, or what it is to fail with. */
static int enter(void)
{
	return ++kernel.calls == kernel.fail_at ? kernel.fail_with : 0;
}

static int refuse(void)
{
	if (!kernel.refusals)
		return 0;
	kernel.refusals--;
	return kernel.refuse_with;
}

int xsk_sys_socket(int family, int type, int protocol)
{
	int err = enter();

	assert_int_equal(family, AF_XDP);
	assert_int_equal(type, SOCK_RAW);
	assert_int_equal(protocol, 0);
	return err ? err : FD;
}

/* Asked when a queue is busy, and only then. */
static struct xsk_holder holder;	/* no name: the kernel does not tell */
static int holders_asked;

int xsk_holder_find(struct xsk_holder *ret, int ifindex, uint32_t queue)
{
	assert_int_equal(ifindex, 3);
	assert_int_equal(queue, 5);
	holders_asked++;
	if (!holder.name[0])
		return -ENOENT;
	*ret = holder;
	return 0;
}

void xsk_sys_close(int fd)
{
	assert_true(fd >= 0);
}

int xsk_sys_bind(int fd, const void *addr, socklen_t len)
{
	int err = enter();

	assert_int_equal(fd, FD);
	assert_int_equal(len, sizeof(kernel.addr));
	memcpy(&kernel.addr, addr, sizeof(kernel.addr));
	kernel.binds++;
	return err ? err : refuse();
}

int xsk_sys_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int err = enter();

	assert_int_equal(fd, FD);
	assert_int_equal(level, SOL_XDP);
	if (err)
		return err;
	if (name == XDP_UMEM_REG) {
		assert_int_equal(len, 32);	/* struct xdp_umem_reg of Linux 6.8 */
		memcpy(&kernel.reg, value, len);
		kernel.registers++;
		return refuse();
	}
	assert_true(name == XDP_RX_RING || name == XDP_TX_RING || name == XDP_UMEM_FILL_RING ||
		    name == XDP_UMEM_COMPLETION_RING);
	assert_int_equal(len, sizeof(uint32_t));
	memcpy(&kernel.ring_sizes[name], value, len);
	return 0;
}

int xsk_sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	const struct xdp_mmap_offsets offsets = {
		.rx = { 0, 64, 1024, 128 },
		.tx = { 0, 64, 2048, 128 },
		.fr = { 0, 64, 512, 128 },
		.cr = { 0, 64, 256, 128 },
	};
	int err = enter();

	assert_int_equal(fd, FD);
	assert_int_equal(level, SOL_XDP);
	if (err)
		return err;
	if (name == XDP_OPTIONS) {
		assert_int_equal(*len, sizeof(struct xdp_options));
		memcpy(value, &kernel.options, sizeof(kernel.options));
		return 0;
	}
	assert_int_equal(name, XDP_MMAP_OFFSETS);
	assert_int_equal(*len, sizeof(offsets));
	memcpy(value, &offsets, sizeof(offsets));
	return 0;
}

int xsk_sys_mmap(void **ret, int fd, uint64_t offset, size_t len)
{
	int err = enter();

	assert_int_equal(fd, FD);
	if (err)
		return err;
	assert_true(kernel.mapped < MAX_MAPS);
	kernel.maps[kernel.mapped].addr = &memory[kernel.mapped];
	kernel.maps[kernel.mapped].offset = offset;
	kernel.maps[kernel.mapped].len = len;
	kernel.maps[kernel.mapped].fd = fd;
	*ret = kernel.maps[kernel.mapped++].addr;
	return 0;
}

/* No ring of the kernel's: nothing here asks for it. */
int xsk_sys_mmap_anonymous(void **ret, size_t len)
{
	(void)ret;
	(void)len;
	fail_msg("memory without a kernel behind it");
	return -ENOMEM;
}

/* Of exactly one mapping: nothing else may lie there. */
int xsk_sys_mmap_over(void *addr, int fd, uint64_t offset, size_t len)
{
	int err = enter();

	if (err)
		return err;
	for (int i = 0; i < kernel.mapped; i++) {
		if (kernel.maps[i].addr != addr)
			continue;
		assert_int_equal(len, kernel.maps[i].len);
		assert_true(offset == kernel.maps[i].offset);
		kernel.maps[i].fd = fd;
		return 0;
	}
	fail_msg("mmap over what is not mapped");
	return -EINVAL;
}

/* Only what is mapped, only once, and all of it. */
void xsk_sys_munmap(void *addr, size_t len)
{
	for (int i = 0; i < kernel.mapped; i++) {
		if (kernel.maps[i].addr != addr)
			continue;
		assert_int_equal(len, kernel.maps[i].len);
		kernel.maps[i].addr = NULL;
		kernel.unmapped++;
		return;
	}
	fail_msg("munmap of what is not mapped");
}

size_t xsk_sys_page_size(void)
{
	return PAGE;
}

uint64_t xsk_sys_now_ms(void)
{
	return kernel.now_ms;
}

void xsk_sys_sleep_ms(unsigned int ms)
{
	assert_in_range(ms, 1, 20);
	kernel.now_ms += ms > kernel.sleep_takes_ms ? ms : kernel.sleep_takes_ms;
}

static bool is_dirt(const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((const unsigned char *)bytes)[i] != DIRT)
			return false;
	return true;
}

/* A failure says the same in both places, and why. */
static void assert_explained(int err, const struct xsk_error *error)
{
	assert_true(err < 0);
	assert_int_equal(error->code, err);
	assert_true(error->step[0]);
	assert_true(error->reason[0]);
}

static const struct xsk_umem_area area = {
	.addr = (void *)(16 * PAGE),
	.size = 64 * 2048,
	.frame_size = 2048,
	.headroom = 64,
	.fill_size = 32,
	.comp_size = 16,
};

/* ---- waiting for the kernel to let go ---- */

static const struct xsk_binding binding = { .ifindex = 3, .queue = 5, .flags = XDP_COPY };

static int bind_refused(int refusals, int refuse_with, unsigned int sleep_takes_ms,
			struct xsk_error *error)
{
	reset(NULL);
	kernel.refusals = refusals;
	kernel.refuse_with = refuse_with;
	kernel.sleep_takes_ms = sleep_takes_ms;
	memset(error, 0, sizeof(*error));
	return xsk_socket_bind(FD, &binding, error);
}

static void bind_waits_for_the_queue(void **state)
{
	struct xsk_error error;

	(void)state;
	assert_int_equal(bind_refused(0, 0, 0, &error), 0);
	assert_int_equal(kernel.binds, 1);
	assert_true(kernel.now_ms == 1000000);

	/* 50 ms were seen on veth. */
	assert_int_equal(bind_refused(50, -EBUSY, 0, &error), 0);
	assert_int_equal(kernel.binds, 51);
	assert_in_range(kernel.now_ms, 1000050, 1000100);
}

static void bind_waits_not_for_ever(void **state)
{
	static const unsigned int sleeps_ms[] = { 0, 7, 30, 100, 5000 };
	struct xsk_error error;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(sleeps_ms) / sizeof(sleeps_ms[0]); i++) {
		/* The clock counts, not the tries: a loaded machine sleeps longer. */
		err = bind_refused(1000000, -EBUSY, sleeps_ms[i], &error);
		assert_int_equal(err, -EBUSY);
		assert_explained(err, &error);
		assert_non_null(strstr(error.reason, "queue 5"));
		assert_true(error.hint[0]);
		assert_in_range(kernel.now_ms, 1000100, 1000101 + sleeps_ms[i]);
		assert_true(kernel.binds >= 2);
	}
}

static void bind_names_who_holds_the_queue(void **state)
{
	struct xsk_error error;

	(void)state;
	holder = (struct xsk_holder){ .pid = 4711, .name = "knotd" };
	holders_asked = 0;
	assert_int_equal(bind_refused(1000000, -EBUSY, 0, &error), -EBUSY);
	assert_int_equal(holders_asked, 1);
	assert_non_null(strstr(error.reason, "queue 5"));
	assert_non_null(strstr(error.reason, "'knotd' (process 4711)"));
	assert_int_equal(bind_refused(3, -EBUSY, 0, &error), 0);
	assert_int_equal(bind_refused(1, -EINVAL, 0, &error), -EINVAL);
	assert_int_equal(holders_asked, 1);
	holder = (struct xsk_holder){ 0 };
}

static void bind_waits_for_nothing_else(void **state)
{
	static const int errs[] = { -EINVAL, -EOPNOTSUPP, -ENODEV, -ENOBUFS, -EPERM, -ENETDOWN,
				    -EAGAIN, -ENOMEM, -EFAULT };
	struct xsk_error error;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		err = bind_refused(1, errs[i], 0, &error);
		assert_int_equal(err, errs[i]);
		assert_explained(err, &error);
		assert_int_equal(kernel.binds, 1);
		assert_true(kernel.now_ms == 1000000);
	}
}

static int register_refused(int refusals, int refuse_with, unsigned int sleep_takes_ms,
			    struct xsk_error *error)
{
	reset(NULL);
	kernel.refusals = refusals;
	kernel.refuse_with = refuse_with;
	kernel.sleep_takes_ms = sleep_takes_ms;
	memset(error, 0, sizeof(*error));
	return xsk_umem_register(FD, &area, error);
}

static void register_waits_for_the_memory(void **state)
{
	struct xsk_error error;

	(void)state;
	assert_int_equal(register_refused(0, 0, 0, &error), 0);
	assert_int_equal(kernel.registers, 1);
	assert_true(kernel.now_ms == 1000000);

	assert_int_equal(register_refused(6, -ENOBUFS, 0, &error), 0);
	assert_int_equal(kernel.registers, 7);
	assert_in_range(kernel.now_ms, 1000006, 1000100);
}

static void register_waits_not_for_ever(void **state)
{
	static const unsigned int sleeps_ms[] = { 0, 7, 30, 100, 5000 };
	struct xsk_error error;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(sleeps_ms) / sizeof(sleeps_ms[0]); i++) {
		err = register_refused(1000000, -ENOBUFS, sleeps_ms[i], &error);
		assert_int_equal(err, -ENOBUFS);
		assert_explained(err, &error);
		assert_non_null(strstr(error.reason, "RLIMIT_MEMLOCK"));
		assert_true(error.hint[0]);
		assert_in_range(kernel.now_ms, 1000100, 1000105 + sleeps_ms[i]);
		assert_true(kernel.registers >= 2);
	}
}

static void register_waits_for_nothing_else(void **state)
{
	static const int errs[] = { -EINVAL, -EBUSY, -ENOMEM, -EFAULT, -ENOTSOCK, -ENOPROTOOPT,
				    -EBADF };
	struct xsk_error error;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		err = register_refused(1, errs[i], 0, &error);
		assert_int_equal(err, errs[i]);
		assert_explained(err, &error);
		assert_int_equal(kernel.registers, 1);
		assert_true(kernel.now_ms == 1000000);
	}
}

/* ---- what the kernel is told ---- */

static void bind_address(void **state)
{
	const struct xsk_binding shared = {
		.ifindex = 4, .queue = 6, .flags = XDP_SHARED_UMEM, .shared_fd = BASE_FD,
	};
	struct xsk_error error;

	(void)state;
	assert_int_equal(xsk_socket_bind(FD, &binding, &error), 0);
	assert_int_equal(kernel.addr.sxdp_family, AF_XDP);
	assert_int_equal(kernel.addr.sxdp_flags, XDP_COPY);
	assert_int_equal(kernel.addr.sxdp_ifindex, 3);
	assert_int_equal(kernel.addr.sxdp_queue_id, 5);
	assert_int_equal(kernel.addr.sxdp_shared_umem_fd, 0);

	assert_int_equal(xsk_socket_bind(FD, &shared, &error), 0);
	assert_int_equal(kernel.addr.sxdp_flags, XDP_SHARED_UMEM);
	assert_int_equal(kernel.addr.sxdp_ifindex, 4);
	assert_int_equal(kernel.addr.sxdp_queue_id, 6);
	assert_int_equal(kernel.addr.sxdp_shared_umem_fd, BASE_FD);
}

static void register_fields(void **state)
{
	struct xsk_umem_area unaligned = area;
	struct xsk_error error;

	(void)state;
	assert_int_equal(xsk_umem_register(FD, &area, &error), 0);
	assert_true(kernel.reg.addr == 16 * PAGE);
	assert_true(kernel.reg.len == 64 * 2048);
	assert_int_equal(kernel.reg.chunk_size, 2048);
	assert_int_equal(kernel.reg.headroom, 64);
	assert_int_equal(kernel.reg.flags, 0);
	assert_int_equal(kernel.reg.tx_metadata_len, 0);

	unaligned.flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG;
	assert_int_equal(xsk_umem_register(FD, &unaligned, &error), 0);
	assert_int_equal(kernel.reg.flags, XDP_UMEM_UNALIGNED_CHUNK_FLAG);
}

/* Without the flag the kernel ignores the length. */
static void tx_metadata_sets_the_flag(void **state)
{
	struct xsk_umem_area with = area;
	struct xsk_error error;

	(void)state;
	with.tx_metadata_len = 24;
	assert_int_equal(xsk_umem_register(FD, &with, &error), 0);
	assert_int_equal(kernel.reg.tx_metadata_len, 24);
	assert_int_equal(kernel.reg.flags, XDP_UMEM_TX_METADATA_LEN);

	with.flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG;
	assert_int_equal(xsk_umem_register(FD, &with, &error), 0);
	assert_int_equal(kernel.reg.flags,
			 XDP_UMEM_UNALIGNED_CHUNK_FLAG | XDP_UMEM_TX_METADATA_LEN);
}

static void umem_rings(void **state)
{
	struct xsk_umem_rings rings;
	struct xsk_error error;

	(void)state;
	memset(&rings, DIRT, sizeof(rings));
	assert_int_equal(xsk_umem_map_rings(&rings, FD, &area, &error), 0);
	assert_int_equal(kernel.ring_sizes[XDP_UMEM_FILL_RING], 32);
	assert_int_equal(kernel.ring_sizes[XDP_UMEM_COMPLETION_RING], 16);
	assert_int_equal(kernel.mapped, 2);
	assert_true(kernel.maps[0].offset == XDP_UMEM_PGOFF_FILL_RING);
	assert_int_equal(kernel.maps[0].len, 512 + 32 * 8);
	assert_true(kernel.maps[1].offset == XDP_UMEM_PGOFF_COMPLETION_RING);
	assert_int_equal(kernel.maps[1].len, 256 + 16 * 8);
	assert_ptr_equal(rings.fill.addr, &memory[0]);
	assert_int_equal(rings.fill.size, 32);
	assert_ptr_equal(rings.comp.addr, &memory[1]);
	assert_int_equal(rings.comp.size, 16);

	xsk_umem_unmap_rings(&rings);
	assert_int_equal(kernel.unmapped, 2);
	xsk_umem_unmap_rings(&rings);
	assert_int_equal(kernel.unmapped, 2);
}

/* The same rings in the same place, held by another socket. */
static void umem_rings_remapped(void **state)
{
	struct xsk_umem_rings rings, before;
	struct xsk_error error;

	(void)state;
	assert_int_equal(xsk_umem_map_rings(&rings, FD, &area, &error), 0);
	before = rings;
	assert_int_equal(xsk_umem_remap_rings(&rings, BASE_FD), 0);
	assert_int_equal(kernel.maps[0].fd, BASE_FD);
	assert_int_equal(kernel.maps[1].fd, BASE_FD);
	assert_int_equal(kernel.mapped, 2);
	assert_int_equal(kernel.unmapped, 0);
	assert_memory_equal(&rings, &before, sizeof(rings));

	for (int n = 1; n <= 2; n++) {
		kernel.fail_at = kernel.calls + n;
		kernel.fail_with = -ENOMEM;
		assert_int_equal(xsk_umem_remap_rings(&rings, FD), -ENOMEM);
	}
	xsk_umem_unmap_rings(&rings);
	assert_int_equal(kernel.unmapped, 2);
}

static void socket_rings(void **state)
{
	struct xsk_socket_rings rings;
	struct xsk_error error;

	(void)state;
	assert_int_equal(xsk_socket_set_rings(FD, 128, 64, &error), 0);
	assert_int_equal(kernel.ring_sizes[XDP_RX_RING], 128);
	assert_int_equal(kernel.ring_sizes[XDP_TX_RING], 64);

	memset(&rings, DIRT, sizeof(rings));
	assert_int_equal(xsk_socket_map_rings(&rings, FD, 128, 64, &error), 0);
	assert_int_equal(kernel.mapped, 2);
	assert_true(kernel.maps[0].offset == XDP_PGOFF_RX_RING);
	assert_int_equal(kernel.maps[0].len, 1024 + 128 * 16);
	assert_true(kernel.maps[1].offset == XDP_PGOFF_TX_RING);
	assert_int_equal(kernel.maps[1].len, 2048 + 64 * 16);
	assert_int_equal(rings.rx.size, 128);
	assert_int_equal(rings.tx.size, 64);
	xsk_socket_unmap_rings(&rings);
	assert_int_equal(kernel.unmapped, 2);
}

/* A ring that is not wanted is neither made nor mapped, and shows as none. */
static void one_socket_ring(void **state)
{
	struct xsk_socket_rings rings;
	struct xsk_error error;

	(void)state;
	kernel.ring_sizes[XDP_RX_RING] = kernel.ring_sizes[XDP_TX_RING] = DIRT;
	assert_int_equal(xsk_socket_set_rings(FD, 0, 0, &error), 0);
	assert_int_equal(kernel.calls, 0);

	assert_int_equal(xsk_socket_set_rings(FD, 0, 64, &error), 0);
	assert_int_equal(kernel.ring_sizes[XDP_RX_RING], DIRT);
	memset(&rings, DIRT, sizeof(rings));
	assert_int_equal(xsk_socket_map_rings(&rings, FD, 0, 64, &error), 0);
	assert_null(rings.rx.addr);
	assert_non_null(rings.tx.addr);
	xsk_socket_unmap_rings(&rings);

	reset(NULL);
	kernel.ring_sizes[XDP_TX_RING] = DIRT;
	assert_int_equal(xsk_socket_set_rings(FD, 64, 0, &error), 0);
	assert_int_equal(kernel.ring_sizes[XDP_TX_RING], DIRT);
	memset(&rings, DIRT, sizeof(rings));
	assert_int_equal(xsk_socket_map_rings(&rings, FD, 64, 0, &error), 0);
	assert_null(rings.tx.addr);
	assert_non_null(rings.rx.addr);
	xsk_socket_unmap_rings(&rings);
	assert_int_equal(kernel.mapped, kernel.unmapped);
}

static void mode(void **state)
{
	bool zerocopy = false;

	(void)state;
	kernel.options = XDP_OPTIONS_ZEROCOPY;
	assert_int_equal(xsk_socket_zerocopy(FD, &zerocopy), 0);
	assert_true(zerocopy);
	kernel.options = ~(uint32_t)XDP_OPTIONS_ZEROCOPY;
	assert_int_equal(xsk_socket_zerocopy(FD, &zerocopy), 0);
	assert_false(zerocopy);

	kernel.fail_at = kernel.calls + 1;
	kernel.fail_with = -EBADF;
	zerocopy = true;
	assert_int_equal(xsk_socket_zerocopy(FD, &zerocopy), -EBADF);
	assert_true(zerocopy);
}

/* ---- each step fails once ---- */

static const int step_errs[] = { -EIO, -EINVAL, -ENOMEM, -EBUSY, -EPERM };
#define STEP_ERRS (sizeof(step_errs) / sizeof(step_errs[0]))

/*
 * Runs the call with its n-th system call failing, for each n, until n is more
 * than it makes. Nothing may be left mapped, and *ret not be written.
 */
static void fail_each(int (*call)(void *ret, struct xsk_error *error), size_t size,
		      int expected_calls)
{
	unsigned char ret[sizeof(struct xsk_umem_rings) + sizeof(struct xsk_socket_rings)];
	struct xsk_error error;
	int err, n;

	assert_true(size <= sizeof(ret));
	for (size_t i = 0; i < STEP_ERRS; i++) {
		for (n = 1; n < 100; n++) {
			reset(NULL);
			kernel.fail_at = n;
			kernel.fail_with = step_errs[i];
			memset(ret, DIRT, sizeof(ret));
			err = call(ret, &error);
			if (kernel.calls < n)
				break;
			assert_int_equal(err, step_errs[i]);
			assert_explained(err, &error);
			assert_int_equal(kernel.calls, n);
			assert_int_equal(kernel.mapped, kernel.unmapped);
			assert_true(is_dirt(ret, sizeof(ret)));
		}
		assert_int_equal(err, 0);
		assert_int_equal(n, expected_calls + 1);
		assert_true(is_dirt(ret + size, sizeof(ret) - size));
	}
}

static int map_umem_rings(void *ret, struct xsk_error *error)
{
	return xsk_umem_map_rings(ret, FD, &area, error);
}

static int map_socket_rings(void *ret, struct xsk_error *error)
{
	return xsk_socket_map_rings(ret, FD, 128, 64, error);
}

static int map_tx_ring(void *ret, struct xsk_error *error)
{
	return xsk_socket_map_rings(ret, FD, 0, 64, error);
}

static int set_socket_rings(void *ret, struct xsk_error *error)
{
	(void)ret;
	return xsk_socket_set_rings(FD, 128, 64, error);
}

static void each_step_fails(void **state)
{
	(void)state;
	fail_each(map_umem_rings, sizeof(struct xsk_umem_rings), 5);
	fail_each(map_socket_rings, sizeof(struct xsk_socket_rings), 3);
	fail_each(map_tx_ring, sizeof(struct xsk_socket_rings), 2);
	fail_each(set_socket_rings, 0, 2);
}

static void no_socket(void **state)
{
	static const int errs[] = { -EPERM, -EAFNOSUPPORT, -EMFILE, -ENOBUFS };
	struct xsk_error error;
	int fd;

	(void)state;
	assert_int_equal(xsk_socket_open(&error), FD);
	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		kernel.fail_at = kernel.calls + 1;
		kernel.fail_with = errs[i];
		fd = xsk_socket_open(&error);
		assert_int_equal(fd, errs[i]);
		assert_explained(fd, &error);
	}

	kernel.fail_at = kernel.calls + 1;
	kernel.fail_with = -EPERM;
	xsk_socket_open(&error);
	assert_non_null(strstr(error.reason, "CAP_NET_RAW"));
	assert_true(error.hint[0]);
}

/* ---- what is refused without asking ---- */

static int check(void *addr, uint64_t size, uint32_t frame_size, uint32_t flags,
		 uint32_t fill_size, uint32_t comp_size)
{
	const struct xsk_umem_area it = {
		.addr = addr,
		.size = size,
		.frame_size = frame_size,
		.flags = flags,
		.fill_size = fill_size,
		.comp_size = comp_size,
	};
	struct xsk_error error;
	int err = xsk_umem_check(&it, &error);

	if (err) {
		assert_int_equal(err, -EINVAL);
		assert_explained(err, &error);
	}
	assert_int_equal(kernel.calls, 0);
	return err;
}

static void checks(void **state)
{
	const uint32_t unaligned = XDP_UMEM_UNALIGNED_CHUNK_FLAG;
	char *page = (char *)(uintptr_t)PAGE;

	(void)state;
	assert_int_equal(check(page, 2 * PAGE, 2048, 0, 64, 64), 0);
	assert_int_equal(check(page, 4096, 4096, 0, 1, 1), 0);
	assert_int_equal(check(page, 1ULL << 33, 4096, 0, 1, 1), 0);

	assert_int_equal(check(NULL, 2 * PAGE, 2048, 0, 64, 64), -EINVAL);
	assert_int_equal(check(page + 1, 2 * PAGE, 2048, 0, 64, 64), -EINVAL);
	assert_int_equal(check(page + 2048, 2 * PAGE, 2048, 0, 64, 64), -EINVAL);
	assert_int_equal(check(page, 2 * PAGE, 2048, 0, 0, 64), -EINVAL);
	assert_int_equal(check(page, 2 * PAGE, 2048, 0, 64, 0), -EINVAL);
	assert_int_equal(check(page, 2 * PAGE, 2048, 0, 65, 64), -EINVAL);
	assert_int_equal(check(page, 2 * PAGE, 2048, 0, 64, 96), -EINVAL);
	assert_int_equal(check(page, 0, 2048, 0, 64, 64), -EINVAL);
	assert_int_equal(check(page, 2047, 2048, 0, 64, 64), -EINVAL);
	assert_int_equal(check(page, PAGE + 1, 2048, 0, 64, 64), -EINVAL);
	assert_int_equal(check(page, PAGE + 1024, 2048, 0, 64, 64), -EINVAL);
	assert_int_equal(check(page, 30000, 3000, 0, 64, 64), -EINVAL);

	/* Unaligned: of any size, and the area need not divide. */
	assert_int_equal(check(page, 30000, 3000, unaligned, 64, 64), 0);
	assert_int_equal(check(page, 4 * PAGE, 3000, unaligned, 64, 64), 0);
	assert_int_equal(check(page, 2999, 3000, unaligned, 64, 64), -EINVAL);
	assert_int_equal(check(page + 64, 30000, 3000, unaligned, 64, 64), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bind_waits_for_the_queue, reset),
		cmocka_unit_test_setup(bind_waits_not_for_ever, reset),
		cmocka_unit_test_setup(bind_names_who_holds_the_queue, reset),
		cmocka_unit_test_setup(bind_waits_for_nothing_else, reset),
		cmocka_unit_test_setup(register_waits_for_the_memory, reset),
		cmocka_unit_test_setup(register_waits_not_for_ever, reset),
		cmocka_unit_test_setup(register_waits_for_nothing_else, reset),
		cmocka_unit_test_setup(bind_address, reset),
		cmocka_unit_test_setup(register_fields, reset),
		cmocka_unit_test_setup(tx_metadata_sets_the_flag, reset),
		cmocka_unit_test_setup(umem_rings, reset),
		cmocka_unit_test_setup(umem_rings_remapped, reset),
		cmocka_unit_test_setup(socket_rings, reset),
		cmocka_unit_test_setup(one_socket_ring, reset),
		cmocka_unit_test_setup(mode, reset),
		cmocka_unit_test_setup(each_step_fails, reset),
		cmocka_unit_test_setup(no_socket, reset),
		cmocka_unit_test_setup(checks, reset),
	};

	return cmocka_run_group_tests_name("umem_socket", tests, NULL, NULL);
}
