/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What the kernel has of AF_XDP, found by asking it; and what the caller may do. */
#include "probe.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>

#include "error.h"
#include "holder.h"
#include "kernel.h"
#include "load.h"
#include "memory.h"
#include "netdev.h"
#include "opts.h"
#include "socket.h"
#include "sys.h"

#define HUGE_PAGES "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define JIT "/proc/sys/net/core/bpf_jit_enable"

/* ---- sockets ---- */

/* Unknown to the kernel it is refused before it is looked at: without a TX ring, -EACCES. */
static uint8_t ask_budget(int fd)
{
	uint32_t budget = 32;

	switch (xsk_sys_setsockopt(fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &budget, sizeof(budget))) {
	case 0:
	case -EACCES:
		return XSK_PROBE_YES;
	case -ENOPROTOOPT:
		return XSK_PROBE_NO;
	}
	return XSK_PROBE_NOT_TOLD;
}

/* By memory of one frame. Its flags are looked at before what it takes. */
static uint8_t ask_metadata(int fd)
{
	struct xsk_kernel_umem_reg reg = {
		.len = xsk_sys_page_size(),
		.chunk_size = (uint32_t)xsk_sys_page_size(),
		.flags = XDP_UMEM_TX_METADATA_LEN,
		.tx_metadata_len = 16,
	};
	void *area;
	int err;

	err = xsk_memory_map(&area, reg.len);
	if (err)
		return XSK_PROBE_NOT_TOLD;
	reg.addr = (uintptr_t)area;
	err = xsk_sys_setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg));
	xsk_memory_unmap(area, reg.len);
	switch (err) {
	case 0:
	case -ENOBUFS:			/* RLIMIT_MEMLOCK */
	case -ENOMEM:
		return XSK_PROBE_YES;
	case -EINVAL:
		return XSK_PROBE_NO;
	}
	return XSK_PROBE_NOT_TOLD;
}

static uint8_t ask_stats(int fd, const struct xsk_holder_socket *sockets, int count)
{
	uint64_t inode;

	if (xsk_sys_inode(fd, &inode))
		return XSK_PROBE_NOT_TOLD;
	for (int i = 0; i < count; i++)
		if (sockets[i].inode == inode)
			return xsk_probe_fact(sockets[i].stats_told);
	return XSK_PROBE_NOT_TOLD;
}

/* Ours is bound to nothing, so it is among those. */
static void ask_list(struct xsk_probe_kernel *kernel, int fd)
{
	struct xsk_holder_socket *sockets = NULL;
	int count = xsk_holder_sockets(&sockets, 0);

	switch (count) {
	case -ENOENT:
	case -EINVAL:
	case -EPROTONOSUPPORT:		/* there is no sock_diag at all */
		kernel->socket_list = kernel->socket_stats = XSK_PROBE_NO;
		return;
	}
	if (count < 0)
		return;
	kernel->socket_list = XSK_PROBE_YES;
	if (fd >= 0)
		kernel->socket_stats = ask_stats(fd, sockets, count);
	free(sockets);
}

static void ask_sockets(struct xsk_probe_kernel *kernel)
{
	int fd = xsk_socket_open(&kernel->socket);

	if (fd >= 0) {
		/* What failed is not said, where nothing did. */
		kernel->socket = (struct xsk_error){ 0 };
		kernel->af_xdp = XSK_PROBE_YES;
		kernel->need_wakeup = xsk_probe_fact(xsk_socket_knows(XDP_USE_NEED_WAKEUP));
		kernel->multi_buffer = xsk_probe_fact(xsk_socket_knows(XDP_USE_SG));
		kernel->tx_metadata = ask_metadata(fd);
		kernel->tx_budget = ask_budget(fd);
	} else if (fd == -EAFNOSUPPORT) {
		kernel->af_xdp = XSK_PROBE_NO;
	} else if (fd == -EPERM && !xsk_sys_capable(CAP_NET_RAW)) {
		kernel->af_xdp = XSK_PROBE_YES;	/* it is AF_XDP that looks at the capability */
	}
	ask_list(kernel, fd);
	xsk_sys_close(fd);
}

static void ask_busy_poll(struct xsk_probe_kernel *kernel)
{
	int fd = xsk_sys_socket(AF_UNIX, SOCK_DGRAM, 0), value = 0, err;
	socklen_t len = sizeof(value);

	if (fd < 0)
		return;
	err = xsk_sys_getsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &value, &len);
	if (!err || err == -ENOPROTOOPT)
		kernel->prefer_busy_poll = xsk_probe_fact(!err);
	xsk_sys_close(fd);
}

/* ---- programs ---- */

/*
 * Tries to attach to the loopback interface, into a NIC that it has not: -EOPNOTSUPP, where
 * links for XDP are known.
 */
static uint8_t ask_link(int prog_fd)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_HW_MODE);
	int lo = xsk_sys_ifindex("lo"), fd;

	if (lo < 0)
		return XSK_PROBE_NOT_TOLD;
	fd = bpf_link_create(prog_fd, lo, BPF_XDP, &opts);
	xsk_sys_close(fd);
	return fd == -EPERM ? XSK_PROBE_NOT_TOLD : xsk_probe_fact(fd != -EINVAL);
}

static uint8_t ask_jit(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len))
		return XSK_PROBE_NOT_TOLD;
	return xsk_probe_fact(info.jited_prog_len);
}

/* Whoever may not load a program may be allowed to read this. */
static uint8_t read_jit(void)
{
	uint64_t enabled;

	return xsk_sys_read_number(JIT, &enabled) ? XSK_PROBE_NOT_TOLD : xsk_probe_fact(enabled);
}

static void ask_programs(struct xsk_probe_kernel *kernel)
{
	int fd = xsk_load_nothing(0), frags_fd;

	if (fd < 0) {
		kernel->jit = read_jit();
		return;
	}
	kernel->xdp_link = ask_link(fd);
	kernel->jit = ask_jit(fd);
	frags_fd = xsk_load_nothing(BPF_F_XDP_HAS_FRAGS);
	if (frags_fd >= 0 || frags_fd == -EINVAL)
		kernel->xdp_frags = xsk_probe_fact(frags_fd >= 0);
	xsk_sys_close(frags_fd);
	xsk_sys_close(fd);
}

/* ---- what it tells ---- */

static void ask_netdev(struct xsk_probe_kernel *kernel)
{
	uint64_t commands = 0;
	int err = xsk_netdev_commands(&commands);

	if (err && err != -ENOENT)
		return;
	kernel->netdev_features = xsk_probe_fact(commands & 1ULL << XSK_NETDEV_CMD_DEV_GET);
	kernel->netdev_queues = xsk_probe_fact(commands & 1ULL << XSK_NETDEV_CMD_QUEUE_GET);
	kernel->napi_set = xsk_probe_fact(commands & 1ULL << XSK_NETDEV_CMD_NAPI_SET);
}

static void ask_huge_pages(struct xsk_probe_kernel *kernel)
{
	uint64_t all, free;

	if (xsk_sys_read_number(HUGE_PAGES "nr_hugepages", &all) ||
	    xsk_sys_read_number(HUGE_PAGES "free_hugepages", &free))
		return;
	kernel->huge_page_size = XSK_MEMORY_HUGE_PAGE;
	kernel->huge_pages = all;
	kernel->huge_pages_free = free;
}

int xsk_probe_kernel(struct xsk_probe_kernel *info)
{
	struct xsk_probe_kernel kernel = { 0 };
	struct xsk_error why;

	if (xsk_probe_check(info, &why))
		return xsk_probe_fail(&why, NULL);
	xsk_sys_release(kernel.release, sizeof(kernel.release));
	ask_sockets(&kernel);
	ask_busy_poll(&kernel);
	ask_programs(&kernel);
	ask_netdev(&kernel);
	ask_huge_pages(&kernel);
	return xsk_opts_write(info, &kernel, sizeof(kernel));
}

/* ---- the caller ---- */

static uint8_t has(int capability)
{
	return xsk_probe_fact(xsk_sys_capable(capability));
}

int xsk_probe_caller(struct xsk_probe_caller *info)
{
	struct xsk_probe_caller caller = {
		.uid = xsk_sys_uid(),
		.net_raw = has(CAP_NET_RAW),
		.net_admin = has(CAP_NET_ADMIN),
		.bpf = has(CAP_BPF),
		.perfmon = has(CAP_PERFMON),
		.sys_admin = has(CAP_SYS_ADMIN),
		.sys_ptrace = has(CAP_SYS_PTRACE),
		.ipc_lock = has(CAP_IPC_LOCK),
	};
	int initial = xsk_sys_initial_userns();
	struct xsk_error why;
	bool limited;

	if (xsk_probe_check(info, &why))
		return xsk_probe_fail(&why, NULL);
	if (initial >= 0)
		caller.user_namespace = xsk_probe_fact(!initial);
	if (!xsk_sys_memlock(&caller.memlock, &caller.memlock_hard)) {
		limited = caller.ipc_lock == XSK_PROBE_NO || !initial;
		caller.memlock_matters = xsk_probe_fact(limited && caller.memlock != UINT64_MAX);
	}
	return xsk_opts_write(info, &caller, sizeof(caller));
}
