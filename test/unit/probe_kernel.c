/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What the kernel has, as it is seen from what it answers, and what the caller may do: the
 * answers of older and of newer kernels are made here, and those to callers without privileges.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <cmocka.h>
#include <linux/capability.h>
#include <xsk/probe.h>

#include "error.h"
#include "holder.h"
#include "kernel.h"
#include "load.h"
#include "memory.h"
#include "netdev.h"
#include "socket.h"
#include "sys.h"

#define SOCKET_FD 10
#define PROG_FD 20
#define FRAGS_FD 21
#define LINK_FD 22
#define PLAIN_FD 30
#define INODE 4711
#define EVERYTHING (~0ULL)

static struct {
	int socket;			/* its descriptor, or -errno */
	bool wakeup, sg;
	int metadata, budget, busy_poll;
	int load, load_frags, link, loopback;
	uint32_t jited;
	int jit_file;			/* what it holds, or -errno */
	int commands_err;
	uint64_t commands;
	int list;			/* 0: ours is in it, or -errno */
	bool stats;
	int huge;			/* -errno, or pages */
	uint64_t capabilities;
	int initial;
	uint64_t memlock, memlock_hard;
	int open;
	void *area;
} kernel;

static char area[1 << 16];

static int reset(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	/* The newest, and root. */
	kernel.socket = SOCKET_FD;
	kernel.wakeup = kernel.sg = kernel.stats = true;
	kernel.budget = -EACCES;
	kernel.load = PROG_FD;
	kernel.load_frags = FRAGS_FD;
	kernel.link = -EOPNOTSUPP;
	kernel.loopback = 1;
	kernel.jited = 100;
	kernel.commands = EVERYTHING;
	kernel.huge = 8;
	kernel.capabilities = EVERYTHING;
	kernel.initial = 1;
	kernel.memlock = kernel.memlock_hard = UINT64_MAX;
	return 0;
}

static int open_fd(int fd)
{
	kernel.open += fd >= 0;
	return fd;
}

void xsk_sys_close(int fd)
{
	kernel.open -= fd >= 0;
}

int xsk_socket_open(struct xsk_error *error)
{
	if (kernel.socket < 0)
		xsk_error_set(error, kernel.socket, "socket", "it is so");
	return open_fd(kernel.socket);
}

bool xsk_socket_knows(uint16_t flag)
{
	assert_true(flag == XDP_USE_NEED_WAKEUP || flag == XDP_USE_SG);
	return flag == XDP_USE_SG ? kernel.sg : kernel.wakeup;
}

int xsk_sys_socket(int family, int type, int protocol)
{
	(void)type;
	(void)protocol;
	assert_int_equal(family, AF_UNIX);
	return open_fd(PLAIN_FD);
}

int xsk_sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	(void)value;
	(void)len;
	assert_int_equal(fd, PLAIN_FD);
	assert_int_equal(level, SOL_SOCKET);
	assert_int_equal(name, SO_PREFER_BUSY_POLL);
	return kernel.busy_poll;
}

int xsk_sys_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	const struct xsk_kernel_umem_reg *reg = value;

	(void)len;
	assert_int_equal(fd, SOCKET_FD);
	assert_int_equal(level, SOL_XDP);
	if (name == XDP_MAX_TX_SKB_BUDGET)
		return kernel.budget;
	assert_int_equal(name, XDP_UMEM_REG);
	assert_int_equal(reg->flags, XDP_UMEM_TX_METADATA_LEN);
	assert_true(reg->addr == (uintptr_t)kernel.area);
	return kernel.metadata;
}

int xsk_memory_map(void **ret, size_t size)
{
	assert_true(size <= sizeof(area));
	*ret = kernel.area = area;
	return 0;
}

void xsk_memory_unmap(void *addr, size_t size)
{
	(void)size;
	assert_ptr_equal(addr, kernel.area);
	kernel.area = NULL;
}

size_t xsk_sys_page_size(void)
{
	return 4096;
}

int xsk_sys_inode(int fd, uint64_t *ret)
{
	assert_int_equal(fd, SOCKET_FD);
	*ret = INODE;
	return 0;
}

int xsk_holder_sockets(struct xsk_holder_socket **ret, int ifindex)
{
	assert_int_equal(ifindex, 0);
	if (kernel.list < 0)
		return kernel.list;
	*ret = calloc(2, sizeof(**ret));
	assert_non_null(*ret);
	(*ret)[0] = (struct xsk_holder_socket){ .inode = INODE + 1, .stats_told = !kernel.stats };
	(*ret)[1] = (struct xsk_holder_socket){ .inode = INODE, .stats_told = kernel.stats };
	return kernel.socket < 0 ? 1 : 2;
}

int xsk_load_nothing(uint32_t flags)
{
	return open_fd(flags == BPF_F_XDP_HAS_FRAGS ? kernel.load_frags : kernel.load);
}

int xsk_sys_ifindex(const char *ifname)
{
	assert_string_equal(ifname, "lo");
	return kernel.loopback;
}

int bpf_link_create(int prog_fd, int target_fd, enum bpf_attach_type attach_type,
		    const struct bpf_link_create_opts *opts)
{
	assert_int_equal(prog_fd, PROG_FD);
	assert_int_equal(target_fd, 1);
	assert_int_equal(attach_type, BPF_XDP);
	assert_int_equal(opts->flags, XDP_FLAGS_HW_MODE);
	return open_fd(kernel.link);
}

int bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len)
{
	(void)len;
	assert_int_equal(fd, PROG_FD);
	((struct bpf_prog_info *)info)->jited_prog_len = kernel.jited;
	return 0;
}

int xsk_netdev_commands(uint64_t *ret)
{
	if (!kernel.commands_err)
		*ret = kernel.commands;
	return kernel.commands_err;
}

int xsk_sys_read_number(const char *path, uint64_t *ret)
{
	bool jit = strstr(path, "bpf_jit_enable");
	int value = jit ? kernel.jit_file : kernel.huge;

	if (value < 0)
		return value;
	*ret = (uint64_t)value;
	if (strstr(path, "free_hugepages"))
		*ret = (uint64_t)value - 1;
	return 0;
}

void xsk_sys_release(char *text, size_t size)
{
	snprintf(text, size, "1.2.3");
}

bool xsk_sys_capable(int capability)
{
	return kernel.capabilities & 1ULL << capability;
}

uint32_t xsk_sys_uid(void)
{
	return 1000;
}

int xsk_sys_initial_userns(void)
{
	return kernel.initial;
}

int xsk_sys_memlock(uint64_t *soft, uint64_t *hard)
{
	*soft = kernel.memlock;
	*hard = kernel.memlock_hard;
	return 0;
}

void xsk_process_name(char name[16], int pid);
void xsk_process_name(char name[16], int pid)
{
	(void)name;
	(void)pid;
	fail();
}

/* ---- the kernel ---- */

static struct xsk_probe_kernel ask(void)
{
	struct xsk_probe_kernel info;

	memset(&info, 0xa5, sizeof(info));
	info.sz = sizeof(info);
	assert_int_equal(xsk_probe_kernel(&info), 0);
	assert_int_equal(kernel.open, 0);
	assert_null(kernel.area);
	return info;
}

static void newest(void **state)
{
	struct xsk_probe_kernel info = ask();

	(void)state;
	assert_string_equal(info.release, "1.2.3");
	assert_int_equal(info.socket.code, 0);
	assert_string_equal(info.socket.reason, "");
	assert_int_equal(info.af_xdp, XSK_PROBE_YES);
	assert_int_equal(info.need_wakeup, XSK_PROBE_YES);
	assert_int_equal(info.multi_buffer, XSK_PROBE_YES);
	assert_int_equal(info.tx_metadata, XSK_PROBE_YES);
	assert_int_equal(info.tx_budget, XSK_PROBE_YES);
	assert_int_equal(info.prefer_busy_poll, XSK_PROBE_YES);
	assert_int_equal(info.xdp_link, XSK_PROBE_YES);
	assert_int_equal(info.xdp_frags, XSK_PROBE_YES);
	assert_int_equal(info.jit, XSK_PROBE_YES);
	assert_int_equal(info.netdev_features, XSK_PROBE_YES);
	assert_int_equal(info.netdev_queues, XSK_PROBE_YES);
	assert_int_equal(info.napi_set, XSK_PROBE_YES);
	assert_int_equal(info.socket_list, XSK_PROBE_YES);
	assert_int_equal(info.socket_stats, XSK_PROBE_YES);
	assert_int_equal(info.huge_page_size, 2 << 20);
	assert_int_equal(info.huge_pages, 8);
	assert_int_equal(info.huge_pages_free, 7);
}

static void oldest(void **state)
{
	struct xsk_probe_kernel info;

	(void)state;
	kernel.wakeup = kernel.sg = kernel.stats = false;
	kernel.metadata = kernel.link = kernel.load_frags = -EINVAL;
	kernel.budget = kernel.busy_poll = -ENOPROTOOPT;
	kernel.commands_err = -ENOENT;
	kernel.jited = 0;
	kernel.huge = -ENOENT;
	info = ask();
	assert_int_equal(info.af_xdp, XSK_PROBE_YES);
	assert_int_equal(info.need_wakeup, XSK_PROBE_NO);
	assert_int_equal(info.multi_buffer, XSK_PROBE_NO);
	assert_int_equal(info.tx_metadata, XSK_PROBE_NO);
	assert_int_equal(info.tx_budget, XSK_PROBE_NO);
	assert_int_equal(info.prefer_busy_poll, XSK_PROBE_NO);
	assert_int_equal(info.xdp_link, XSK_PROBE_NO);
	assert_int_equal(info.xdp_frags, XSK_PROBE_NO);
	assert_int_equal(info.jit, XSK_PROBE_NO);
	assert_int_equal(info.netdev_features, XSK_PROBE_NO);
	assert_int_equal(info.netdev_queues, XSK_PROBE_NO);
	assert_int_equal(info.napi_set, XSK_PROBE_NO);
	assert_int_equal(info.socket_list, XSK_PROBE_YES);
	assert_int_equal(info.socket_stats, XSK_PROBE_NO);
	assert_int_equal(info.huge_page_size, 0);
	kernel.list = -ENOENT;
	info = ask();
	assert_int_equal(info.socket_list, XSK_PROBE_NO);
	assert_int_equal(info.socket_stats, XSK_PROBE_NO);
}

/* Each command is one of netdev netlink's, and none is told by another. */
static void commands(void **state)
{
	struct xsk_probe_kernel info;

	(void)state;
	kernel.commands = 1ULL << XSK_NETDEV_CMD_DEV_GET;
	info = ask();
	assert_int_equal(info.netdev_features, XSK_PROBE_YES);
	assert_int_equal(info.netdev_queues, XSK_PROBE_NO);
	assert_int_equal(info.napi_set, XSK_PROBE_NO);
	kernel.commands |= 1ULL << XSK_NETDEV_CMD_QUEUE_GET;
	info = ask();
	assert_int_equal(info.netdev_queues, XSK_PROBE_YES);
	assert_int_equal(info.napi_set, XSK_PROBE_NO);
}

/* Memory that cannot be locked does not hide that metadata is known. */
static void limits(void **state)
{
	static const int known[] = { -ENOBUFS, -ENOMEM };
	struct xsk_probe_kernel info;

	(void)state;
	for (int i = 0; i < 2; i++) {
		kernel.metadata = known[i];
		info = ask();
		assert_int_equal(info.tx_metadata, XSK_PROBE_YES);
	}
	/* As far as it goes, one could attach. */
	kernel.budget = 0;
	kernel.link = LINK_FD;
	info = ask();
	assert_int_equal(info.tx_budget, XSK_PROBE_YES);
	assert_int_equal(info.xdp_link, XSK_PROBE_YES);
}

static void not_privileged(void **state)
{
	struct xsk_probe_kernel info;

	(void)state;
	kernel.socket = kernel.load = kernel.load_frags = -EPERM;
	kernel.capabilities = 0;
	kernel.jit_file = -EACCES;
	info = ask();
	assert_int_equal(info.socket.code, -EPERM);
	assert_string_equal(info.socket.reason, "it is so");
	assert_int_equal(info.af_xdp, XSK_PROBE_YES);
	assert_int_equal(info.need_wakeup, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.multi_buffer, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.tx_metadata, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.tx_budget, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.prefer_busy_poll, XSK_PROBE_YES);
	assert_int_equal(info.xdp_link, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.xdp_frags, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.jit, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.socket_list, XSK_PROBE_YES);
	assert_int_equal(info.socket_stats, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.netdev_features, XSK_PROBE_YES);

	/* With what root may read; and refused by something else than for want of it. */
	kernel.jit_file = 1;
	kernel.capabilities = EVERYTHING;
	info = ask();
	assert_int_equal(info.jit, XSK_PROBE_YES);
	assert_int_equal(info.af_xdp, XSK_PROBE_NOT_TOLD);
	kernel.jit_file = 0;
	info = ask();
	assert_int_equal(info.jit, XSK_PROBE_NO);
}

static void without_sockets(void **state)
{
	struct xsk_probe_kernel info;

	(void)state;
	kernel.socket = -EAFNOSUPPORT;
	kernel.list = -ENOENT;
	info = ask();
	assert_int_equal(info.socket.code, -EAFNOSUPPORT);
	assert_int_equal(info.af_xdp, XSK_PROBE_NO);
	assert_int_equal(info.multi_buffer, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.socket_list, XSK_PROBE_NO);
	assert_int_equal(info.xdp_link, XSK_PROBE_YES);
}

/* What fails otherwise tells nothing. */
static void odd_answers(void **state)
{
	struct xsk_probe_kernel info;

	(void)state;
	kernel.metadata = kernel.budget = kernel.busy_poll = kernel.load_frags = -EMFILE;
	kernel.commands_err = kernel.list = -EMFILE;
	kernel.link = -EPERM;
	info = ask();
	assert_int_equal(info.tx_metadata, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.tx_budget, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.prefer_busy_poll, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.xdp_frags, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.xdp_link, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.netdev_features, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.socket_list, XSK_PROBE_NOT_TOLD);
	assert_int_equal(info.socket_stats, XSK_PROBE_NOT_TOLD);
	kernel.link = -EOPNOTSUPP;
	kernel.loopback = -ENODEV;
	info = ask();
	assert_int_equal(info.xdp_link, XSK_PROBE_NOT_TOLD);
}

static void sizes(void **state)
{
	struct xsk_probe_kernel info = { .sz = offsetof(struct xsk_probe_kernel, socket) };
	struct xsk_probe_caller caller = { 0 };
	struct xsk_error last;

	(void)state;
	assert_int_equal(xsk_probe_kernel(&info), 0);
	assert_string_equal(info.release, "1.2.3");
	assert_int_equal(info.af_xdp, 0);
	info.sz = 8;
	assert_int_equal(xsk_probe_kernel(&info), -EINVAL);
	xsk_error_last(&last);
	assert_int_equal(last.code, -EINVAL);
	assert_int_equal(xsk_probe_kernel(NULL), -EINVAL);
	assert_int_equal(xsk_probe_caller(&caller), -EINVAL);
	assert_int_equal(xsk_probe_caller(NULL), -EINVAL);
}

/* ---- the caller ---- */

static struct xsk_probe_caller ask_caller(void)
{
	struct xsk_probe_caller info = { .sz = sizeof(info) };

	assert_int_equal(xsk_probe_caller(&info), 0);
	return info;
}

static void capabilities(void **state)
{
	static const struct {
		int capability;
		size_t at;
	} fields[] = {
		{ CAP_NET_RAW, offsetof(struct xsk_probe_caller, net_raw) },
		{ CAP_NET_ADMIN, offsetof(struct xsk_probe_caller, net_admin) },
		{ CAP_BPF, offsetof(struct xsk_probe_caller, bpf) },
		{ CAP_PERFMON, offsetof(struct xsk_probe_caller, perfmon) },
		{ CAP_SYS_ADMIN, offsetof(struct xsk_probe_caller, sys_admin) },
		{ CAP_SYS_PTRACE, offsetof(struct xsk_probe_caller, sys_ptrace) },
		{ CAP_IPC_LOCK, offsetof(struct xsk_probe_caller, ipc_lock) },
	};

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		struct xsk_probe_caller info;

		kernel.capabilities = 1ULL << fields[i].capability;
		info = ask_caller();
		assert_int_equal(info.uid, 1000);
		for (size_t k = 0; k < 7; k++)
			assert_int_equal(((uint8_t *)&info)[fields[k].at],
					 k == i ? XSK_PROBE_YES : XSK_PROBE_NO);
	}
}

static void memlock(void **state)
{
	(void)state;
	/* No limit; one, and the capability that lifts it; one. */
	kernel.capabilities = 0;
	assert_int_equal(ask_caller().memlock, UINT64_MAX);
	assert_int_equal(ask_caller().memlock_matters, XSK_PROBE_NO);
	kernel.memlock = 65536;
	assert_int_equal(ask_caller().memlock, 65536);
	assert_int_equal(ask_caller().memlock_hard, UINT64_MAX);
	assert_int_equal(ask_caller().memlock_matters, XSK_PROBE_YES);
	kernel.capabilities = EVERYTHING;
	assert_int_equal(ask_caller().memlock_matters, XSK_PROBE_NO);
	assert_int_equal(ask_caller().user_namespace, XSK_PROBE_NO);
	/* There it does not lift it. */
	kernel.initial = 0;
	assert_int_equal(ask_caller().user_namespace, XSK_PROBE_YES);
	assert_int_equal(ask_caller().memlock_matters, XSK_PROBE_YES);
	kernel.initial = -ENOENT;
	assert_int_equal(ask_caller().user_namespace, XSK_PROBE_NOT_TOLD);
	assert_int_equal(ask_caller().memlock_matters, XSK_PROBE_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(newest, reset),
		cmocka_unit_test_setup(oldest, reset),
		cmocka_unit_test_setup(commands, reset),
		cmocka_unit_test_setup(limits, reset),
		cmocka_unit_test_setup(not_privileged, reset),
		cmocka_unit_test_setup(without_sockets, reset),
		cmocka_unit_test_setup(odd_answers, reset),
		cmocka_unit_test_setup(sizes, reset),
		cmocka_unit_test_setup(capabilities, reset),
		cmocka_unit_test_setup(memlock, reset),
	};

	return cmocka_run_group_tests_name("probe_kernel", tests, NULL, NULL);
}
