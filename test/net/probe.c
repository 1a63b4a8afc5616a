/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Diagnosis: what it tells of the kernel is what happens when that is done; of interfaces,
 * programs and sockets, what was made here, by this process and by another one. And it
 * changes nothing.
 */
#include "ports.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/xdp_diag.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "actor.h"
#include "node.h"
#include "user_prog.h"

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

#define QUEUES 4
#define NOBODY 65534
#define MAX 16

static struct lab lab;
static struct lab_count before;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, QUEUES);
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
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	return 0;
}

static struct xsk_probe_kernel kernel(void)
{
	struct xsk_probe_kernel info = { .sz = sizeof(info) };

	assert_int_equal(xsk_probe_kernel(&info), 0);
	return info;
}

static struct xsk_probe_interface interface(const char *name)
{
	struct xsk_probe_interface info = { .sz = sizeof(info) };
	struct xsk_error error = { 0 };

	if (xsk_probe_interface(&info, name, &error))
		fail_msg("%s: %s", error.step, error.reason);
	return info;
}

static int programs(struct xsk_probe_program *list)
{
	struct xsk_error error = { 0 };
	int count;

	memset(list, 0xa5, MAX * sizeof(*list));
	list[0].sz = sizeof(*list);
	count = xsk_probe_programs("lab0", list, MAX, &error);
	if (count < 0)
		fail_msg("%s: %s", error.step, error.reason);
	return count;
}

/* ---- the kernel ---- */

static uint8_t fact(bool yes)
{
	return yes ? XSK_PROBE_YES : XSK_PROBE_NO;
}

/* Whether sock_diag knows AF_XDP here; asked as ss(8) does. */
static bool kernel_tells_of_sockets(void)
{
	struct {
		struct nlmsghdr header;
		struct xdp_diag_req which;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.which = { .sdiag_family = AF_XDP },
	};
	uint8_t answer[4096] __attribute__((aligned(8)));
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	ssize_t len;

	assert_true(fd >= 0);
	assert_int_equal(send(fd, &request, sizeof(request), 0), sizeof(request));
	len = recv(fd, answer, sizeof(answer), 0);
	close(fd);
	assert_true(len >= (ssize_t)sizeof(request.header));
	return ((struct nlmsghdr *)answer)->nlmsg_type != NLMSG_ERROR;
}

static bool kernel_prefers_busy_poll(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1, err;

	assert_true(fd >= 0);
	err = setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof(on));
	close(fd);
	return !err;
}

static bool kernel_has_frags(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "users_own", "GPL", insns, 2, &opts);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool port_opens(struct xsk_port_opts opts)
{
	struct xsk_port *port;

	opts.sz = sizeof(opts);
	if (xsk_port_open(&port, "lab0", &opts, NULL))
		return false;
	xsk_port_close(port);
	return true;
}

static void kernel_facts(void **state)
{
	struct xsk_probe_kernel info = kernel();
	struct user_prog prog;
	struct utsname name;
	FILE *file;
	int jit;

	(void)state;
	assert_int_equal(uname(&name), 0);
	assert_string_equal(info.release, name.release);
	assert_int_equal(info.socket.code, 0);
	assert_int_equal(info.af_xdp, XSK_PROBE_YES);
	/* All kernels that are tested have it. */
	assert_int_equal(info.need_wakeup, XSK_PROBE_YES);
	assert_int_equal(info.multi_buffer,
			 fact(port_opens((struct xsk_port_opts){
					 .flags = XSK_PORT_MULTI_BUFFER })));
	assert_int_equal(info.prefer_busy_poll, fact(kernel_prefers_busy_poll()));
	assert_int_equal(info.xdp_frags, fact(kernel_has_frags()));
	assert_int_equal(info.socket_list, fact(kernel_tells_of_sockets()));
	assert_int_equal(info.socket_stats, info.socket_list);
	assert_int_equal(info.netdev_features, fact(interface("lab0").features_told));

	user_prog_load(&prog, USER_MAP_NONE, 0);
	user_prog_attach(&prog, lab.ifindex[0], true);
	assert_int_equal(info.xdp_link, XSK_PROBE_YES);
	user_prog_unload(&prog);

	file = fopen("/proc/sys/net/core/bpf_jit_enable", "re");
	if (file) {
		assert_int_equal(fscanf(file, "%d", &jit), 1);
		assert_int_equal(info.jit, fact(jit));
		fclose(file);
	}
}

/* By the inherited interface. */
static void kernel_metadata(void **state)
{
	const size_t size = 16 * 4096;
	DECLARE_LIBBPF_OPTS(xsk_umem_opts, opts, .size = size, .tx_metadata_len = 16);
	void *area = node_memory(size, false);
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp;
	struct xsk_umem *umem;

	(void)state;
	umem = xsk_umem__create_opts(area, &fill, &comp, &opts);
	assert_int_equal(kernel().tx_metadata, fact(umem));
	if (umem)
		assert_int_equal(xsk_umem__delete(umem), 0);
	node_memory_free(area, size);
}

static void caller(void **state)
{
	struct xsk_probe_caller info = { .sz = sizeof(info) };
	struct rlimit was, limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &was), 0);
	limit = (struct rlimit){ .rlim_cur = 65536, .rlim_max = was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	assert_int_equal(xsk_probe_caller(&info), 0);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &was), 0);
	assert_int_equal(info.uid, 0);
	assert_int_equal(info.net_raw, XSK_PROBE_YES);
	assert_int_equal(info.net_admin, XSK_PROBE_YES);
	assert_int_equal(info.sys_admin, XSK_PROBE_YES);
	assert_int_equal(info.memlock, limit.rlim_cur);
	assert_int_equal(info.memlock_hard, limit.rlim_max);
}

/* ---- interfaces ---- */

static void veth(void **state)
{
	struct xsk_probe_interface info = interface("lab0");

	(void)state;
	assert_int_equal(info.sz, sizeof(info));
	assert_string_equal(info.name, "lab0");
	assert_string_equal(info.driver, "veth");
	assert_int_equal(info.ifindex, lab.ifindex[0]);
	assert_int_equal(info.type, ARPHRD_ETHER);
	assert_int_equal(info.ethernet, XSK_PROBE_YES);
	assert_int_equal(info.mtu, 1500);
	assert_int_equal(info.speed, 10000);
	assert_int_equal(info.rx_queues, QUEUES);
	assert_int_equal(info.tx_queues, QUEUES);
	assert_int_equal(info.max_rx_queues, QUEUES);
	assert_int_equal(info.max_tx_queues, QUEUES);
	assert_int_equal(info.up, XSK_PROBE_YES);
	assert_int_equal(info.carrier, XSK_PROBE_YES);
	assert_string_equal(info.master, "");
	assert_int_equal(info.master_ifindex, 0);
	if (info.features_told == XSK_PROBE_YES) {
		assert_int_equal(info.zerocopy, XSK_PROBE_NO);
		assert_int_equal(info.features & XSK_PROBE_XDP_BASIC, XSK_PROBE_XDP_BASIC);
		assert_int_equal(info.features & XSK_PROBE_XDP_ZEROCOPY, 0);
		assert_int_equal(info.zerocopy_mtu_4096, 0);
	} else {
		assert_int_equal(info.zerocopy, XSK_PROBE_NOT_TOLD);
		assert_int_equal(info.features, 0);
	}
}

static void one_queue(void **state)
{
	struct xsk_probe_interface info;

	(void)state;
	lab_run("ip link add one numrxqueues 1 numtxqueues 1 type veth peer name two "
		"numrxqueues 3 numtxqueues 2");
	info = interface("one");
	assert_int_equal(info.max_rx_queues, 1);
	assert_int_equal(info.rx_queues, 1);
	assert_int_equal(info.tx_queues, 1);
	/* Down, so without a carrier. */
	assert_int_equal(info.up, XSK_PROBE_NO);
	assert_int_equal(info.carrier, XSK_PROBE_NO);
	info = interface("two");
	assert_int_equal(info.max_rx_queues, 3);
	assert_int_equal(info.max_tx_queues, 2);
	lab_run("ip link del one");
}

/* Some are switched off. */
static void fewer_queues(void **state)
{
	struct xsk_probe_interface info;

	(void)state;
	if (system("ethtool -L lab0 rx 3 tx 2 2>/dev/null")) {
		print_message("# skipped: veth's queues cannot be switched off here\n");
		skip();
	}
	info = interface("lab0");
	lab_run("ethtool -L lab0 rx %d tx %d", QUEUES, QUEUES);
	assert_int_equal(info.rx_queues, 3);
	assert_int_equal(info.tx_queues, 2);
	assert_int_equal(info.max_rx_queues, QUEUES);
	assert_int_equal(interface("lab0").rx_queues, QUEUES);
}

static void state_of_the_link(void **state)
{
	struct xsk_probe_interface info;
	socklen_t len = sizeof(int);
	int noticed;

	(void)state;
	lab_enter(&lab, 1);
	lab_run("ip link set lab1 down");
	lab_enter(&lab, 0);
	info = interface("lab0");
	assert_int_equal(info.up, XSK_PROBE_YES);
	assert_int_equal(info.carrier, XSK_PROBE_NO);
	lab_run("ip link set lab0 down");
	assert_int_equal(interface("lab0").up, XSK_PROBE_NO);
	lab_run("ip link set lab0 up");
	lab_enter(&lab, 1);
	lab_run("ip link set lab1 up");
	lab_enter(&lab, 0);
	assert_int_equal(interface("lab0").carrier, XSK_PROBE_YES);
	/* The lab's own socket has noticed, too. */
	assert_int_equal(getsockopt(lab.peer, SOL_SOCKET, SO_ERROR, &noticed, &len), 0);
}

/* The largest MTU that is told is the largest that a port takes. */
static void room_for(uint32_t frame_size, uint32_t mtu)
{
	struct xsk_port_opts opts = { .frame_size = frame_size, .modes = XSK_MODE_GENERIC };

	lab_run("ip link set lab0 mtu %u", mtu);
	assert_int_equal(interface("lab0").mtu, mtu);
	xsk_port_close(ports_open("lab0", opts));
	lab_run("ip link set lab0 mtu %u", mtu + 1);
	ports_refused("lab0", opts, -EMSGSIZE, "MTU", "smaller MTU");
	lab_run("ip link set lab0 mtu 1500");
}

static void mtu(void **state)
{
	struct xsk_probe_interface info = interface("lab0");

	(void)state;
	room_for(4096, info.copy_mtu_4096);
	room_for(2048, info.copy_mtu_2048);
}

static void other_interfaces(void **state)
{
	struct xsk_probe_program list[2] = { { .sz = sizeof(list[0]) } };
	struct xsk_probe_interface info = interface("lo"), untouched;
	struct xsk_error error;

	(void)state;
	assert_int_equal(info.ethernet, XSK_PROBE_NO);
	assert_int_equal(info.type, ARPHRD_LOOPBACK);
	assert_int_equal(info.up, XSK_PROBE_NO);
	assert_int_equal(xsk_probe_programs("lo", list, 2, &error), 0);

	untouched = info;
	assert_int_equal(xsk_probe_interface(&info, "lab1", &error), -ENODEV);
	assert_non_null(strstr(error.reason, "there is no interface 'lab1'"));
	assert_non_null(strstr(error.hint, "ip link"));
	assert_int_equal(xsk_probe_interface(&info, "a-name-that-is-too-long", NULL), -ENODEV);
	assert_int_equal(xsk_probe_interface(&info, "", NULL), -ENODEV);
	assert_int_equal(xsk_probe_interface(&info, NULL, &error), -EINVAL);
	assert_memory_equal(&info, &untouched, sizeof(info));
	assert_int_equal(xsk_probe_interface(NULL, "lab0", &error), -EINVAL);
	assert_int_equal(xsk_probe_programs("lab1", list, 2, &error), -ENODEV);
	assert_int_equal(xsk_probe_sockets("lab1", NULL, 0, &error), -ENODEV);
}

static void bridge(void **state)
{
	struct xsk_probe_interface info;

	(void)state;
	if (system("ip link add bridge0 type bridge 2>/dev/null")) {
		print_message("# skipped: no bridges here\n");
		skip();
	}
	lab_run("ip link set lab0 master bridge0");
	info = interface("lab0");
	assert_string_equal(info.master, "bridge0");
	assert_int_equal(info.master_ifindex, interface("bridge0").ifindex);
	lab_run("ip link set lab0 nomaster; ip link del bridge0");
	assert_string_equal(interface("lab0").master, "");
}

/* ---- programs ---- */

/* Whether /proc hides nothing from us: who has what is complete then. */
static bool sees_all_processes(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool all = true;

	assert_non_null(proc);
	while ((entry = readdir(proc))) {
		char path[300], target[64];

		snprintf(path, sizeof(path), "/proc/%s/fd/0", entry->d_name);
		if (atoi(entry->d_name) && readlink(path, target, sizeof(target)) < 0)
			all = all && errno != EACCES && errno != EPERM;
	}
	closedir(proc);
	return all;
}

static void assert_processes_told(uint8_t told)
{
	assert_int_equal(told, sees_all_processes() ? XSK_PROBE_YES : XSK_PROBE_NOT_TOLD);
}

static void assert_users_own(const struct xsk_probe_program *program, const struct user_prog *prog,
			     enum user_map map)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(prog->prog_fd, &info, &len), 0);
	assert_int_equal(program->sz, sizeof(*program));
	assert_int_equal(program->id, prog->id);
	assert_int_equal(program->part_of, 0);
	assert_int_equal(program->told, XSK_PROBE_YES);
	assert_string_equal(program->name, "users_own");
	assert_memory_equal(program->tag, info.tag, sizeof(program->tag));
	assert_int_equal(program->loaded_ns, info.load_time);
	assert_int_equal(program->uid, 0);
	assert_int_equal(program->xskmap, fact(map == USER_MAP_XSKMAP));
	assert_int_equal(program->xsks_map, fact(map == USER_MAP_XSKMAP));
	assert_string_equal(program->xskmap_name, map == USER_MAP_XSKMAP ? "xsks_map" : "");
	assert_int_equal(program->processes, 1);
	assert_int_equal(program->process[0].pid, getpid());
	assert_string_equal(program->process[0].name, "net-probe");
	assert_processes_told(program->processes_told);
}

static void users_program(enum user_map map, bool by_link)
{
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);
	struct xsk_probe_program list[MAX];
	struct user_prog prog;

	user_prog_load(&prog, map, QUEUES);
	assert_int_equal(programs(list), 0);
	user_prog_attach(&prog, lab.ifindex[0], by_link);
	assert_int_equal(programs(list), 1);
	assert_users_own(&list[0], &prog, map);
	assert_int_equal(list[0].mode, XSK_MODE_NATIVE);
	assert_int_equal(list[0].by_link, fact(by_link));
	if (by_link)
		assert_int_equal(bpf_obj_get_info_by_fd(prog.link_fd, &info, &len), 0);
	assert_int_equal(list[0].link_id, info.id);
	user_prog_unload(&prog);
	lab_assert_prog(&lab, 0, false);
	assert_int_equal(programs(list), 0);
}

static void programs_of_ours(void **state)
{
	(void)state;
	for (int by_link = 0; by_link < 2; by_link++) {
		users_program(USER_MAP_NONE, by_link);
		users_program(USER_MAP_XSKMAP, by_link);
		/* Of the right name, and the wrong kind. */
		users_program(USER_MAP_ARRAY, by_link);
	}
}

static void generic_program(void **state)
{
	struct xsk_probe_program list[MAX];
	struct user_prog prog;

	(void)state;
	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	assert_int_equal(bpf_xdp_attach(lab.ifindex[0], prog.prog_fd, XDP_FLAGS_SKB_MODE, NULL),
			 0);
	assert_int_equal(programs(list), 1);
	assert_users_own(&list[0], &prog, USER_MAP_XSKMAP);
	assert_int_equal(list[0].mode, XSK_MODE_GENERIC);
	assert_int_equal(list[0].by_link, XSK_PROBE_NO);
	assert_int_equal(bpf_xdp_detach(lab.ifindex[0], XDP_FLAGS_SKB_MODE, NULL), 0);
	user_prog_unload(&prog);
}

static bool has_process(const struct xsk_probe_program *program, pid_t pid, const char *name)
{
	for (uint32_t i = 0; i < program->processes && i < XSK_PROBE_PROCESSES; i++)
		if (program->process[i].pid == pid)
			return !strcmp(program->process[i].name, name);
	return false;
}

/* Attached by another process, and joined by this one. */
static void program_of_another(void **state)
{
	struct xsk_probe_program list[MAX];
	struct xsk_port *port;
	struct actor actor;

	(void)state;
	actor_start(&actor, 1);
	assert_int_equal(programs(list), 1);
	assert_string_equal(list[0].name, "libxsk_default");
	assert_int_equal(list[0].xsks_map, XSK_PROBE_YES);
	assert_int_equal(list[0].by_link, XSK_PROBE_YES);
	assert_int_equal(list[0].processes, 1);
	assert_true(has_process(&list[0], actor.pid, "net-actor"));

	port = ports_open("lab0", (struct xsk_port_opts){ .queues = 1 });
	assert_int_equal(programs(list), 1);
	assert_int_equal(list[0].id, ports_info(port).prog_id);
	assert_int_equal(list[0].processes, 2);
	assert_true(has_process(&list[0], actor.pid, "net-actor"));
	assert_true(has_process(&list[0], getpid(), "net-probe"));
	actor_kill(&actor);
	assert_int_equal(programs(list), 1);
	assert_int_equal(list[0].processes, 1);
	xsk_port_close(port);
}

/* ---- sockets ---- */

static int sockets(struct xsk_probe_socket *list, struct xsk_error *error)
{
	memset(list, 0xa5, MAX * sizeof(*list));
	list[0].sz = sizeof(*list);
	return xsk_probe_sockets("lab0", list, MAX, error);
}

/* All of it, or which queues, or nothing. */
static int sockets_or_skip(struct xsk_probe_socket *list)
{
	struct xsk_error error = { 0 };
	int count = sockets(list, &error);

	if (count == -EOPNOTSUPP) {
		assert_false(kernel_tells_of_sockets());
		assert_non_null(strstr(error.hint, "CONFIG_XDP_SOCKETS_DIAG"));
		print_message("# skipped: the kernel does not tell of AF_XDP sockets\n");
		return 0;
	}
	if (count < 0)
		fail_msg("%s: %s", error.step, error.reason);
	return count;
}

static void assert_not_told(const struct xsk_probe_socket *socket)
{
	static bool said;

	if (!said)
		print_message("# this kernel tells which queues have sockets, and no more\n");
	said = true;
	assert_int_equal(socket->inode, 0);
	assert_int_equal(socket->zerocopy, XSK_PROBE_NOT_TOLD);
	assert_int_equal(socket->processes_told, XSK_PROBE_NOT_TOLD);
	assert_int_equal(socket->processes, 0);
}

static void assert_socket_of_port(const struct xsk_probe_socket *socket,
				  const struct xsk_port *port, uint32_t index)
{
	struct stat st;

	assert_int_equal(socket->sz, sizeof(*socket));
	assert_int_equal(socket->queue, index);
	if (!kernel_tells_of_sockets()) {
		assert_not_told(socket);
		return;
	}
	assert_int_equal(socket->told, XSK_PROBE_YES);
	assert_int_equal(fstat(xsk_queue_fd(xsk_port_queue(port, index)), &st), 0);
	assert_int_equal(socket->inode, st.st_ino);
	assert_int_equal(socket->zerocopy, XSK_PROBE_NO);
	assert_int_equal(socket->uid, 0);
	assert_int_equal(socket->rx_size, 256);
	assert_int_equal(socket->tx_size, 512);
	assert_int_equal(socket->fill_size, 1024);
	assert_int_equal(socket->comp_size, 2048);
	assert_int_equal(socket->frame_size, 2048);
	assert_int_equal(socket->headroom, 64);
	assert_int_equal(socket->umem_size, ports_info(port).frames * 2048ULL);
	assert_int_equal(socket->stats_told, XSK_PROBE_YES);
	assert_int_equal(socket->processes, 1);
	assert_int_equal(socket->process[0].pid, getpid());
	assert_string_equal(socket->process[0].name, "net-probe");
	assert_processes_told(socket->processes_told);
}

static void sockets_of_a_port(void **state)
{
	struct xsk_port_opts opts = { .queues = 2, .rx_size = 256, .tx_size = 512,
				      .fill_size = 1024, .comp_size = 2048, .frame_size = 2048,
				      .headroom = 64 };
	struct xsk_port *port = ports_open("lab0", opts);
	struct xsk_probe_socket list[MAX];
	int count = sockets_or_skip(list);

	(void)state;
	if (!count) {
		xsk_port_close(port);
		skip();
	}
	assert_int_equal(count, 2);
	assert_socket_of_port(&list[0], port, 0);
	assert_socket_of_port(&list[1], port, 1);
	assert_int_equal(list[0].umem_id, list[1].umem_id);
	xsk_port_close(port);
}

static void socket_of_another(void **state)
{
	struct xsk_probe_socket list[MAX];
	struct actor actor;
	int count;

	(void)state;
	actor_start(&actor, 3);
	count = sockets_or_skip(list);
	actor_stop(&actor);
	if (!count)
		skip();
	assert_int_equal(count, 1);
	assert_int_equal(list[0].queue, 3);
	if (!kernel_tells_of_sockets()) {
		assert_not_told(&list[0]);
		return;
	}
	assert_int_equal(list[0].processes, 1);
	assert_int_equal(list[0].process[0].pid, actor.pid);
	assert_string_equal(list[0].process[0].name, "net-actor");
}

static void lost_packets(void **state)
{
	struct xsk_probe_socket list[MAX];
	struct xsk_port *port;
	int count;

	(void)state;
	/* Its ring of 16 is full, and is not read. */
	port = ports_open("lab0", (struct xsk_port_opts){ .queues = 1, .rx_size = 16 });
	for (uint32_t i = 0; i < 40; i++)
		lab_send(&lab, i, LAB_MIN_FRAME);
	usleep(100000);
	count = sockets(list, NULL);
	if (!kernel_tells_of_sockets()) {
		/* It may tell where one is, but not this. */
		assert_true(count == 1 || count == -EOPNOTSUPP);
		if (count == 1)
			assert_not_told(&list[0]);
		xsk_port_close(port);
		return;
	}
	assert_int_equal(count, 1);
	assert_int_equal(list[0].rx_ring_full, ports_stats(port).rx_ring_full);
	assert_int_equal(list[0].rx_dropped, ports_stats(port).rx_dropped);
	assert_int_equal(list[0].rx_fill_empty, ports_stats(port).rx_fill_empty);
	assert_true(list[0].rx_ring_full > 0);
	xsk_port_close(port);
}

/* ---- without privileges ---- */

/* As one that was started so: else its /proc stays root's, and older kernels mind (5.10). */
static void become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || prctl(PR_SET_DUMPABLE, 1))
		_exit(200);
}

/* In a child: the number of the first fact that is not as it must be. */
static int nobodys_kernel(void)
{
	struct xsk_probe_kernel info = { .sz = sizeof(info) };
	struct xsk_probe_caller caller = { .sz = sizeof(caller) };

	become_nobody();
	if (xsk_probe_kernel(&info) || xsk_probe_caller(&caller))
		return -1;
	if (info.socket.code != -EPERM || !strstr(info.socket.reason, "CAP_NET_RAW"))
		return -2;
	if (info.af_xdp != XSK_PROBE_YES || info.multi_buffer || info.tx_metadata ||
	    info.tx_budget || info.xdp_link || info.xdp_frags)
		return -3;
	if (!info.prefer_busy_poll || !info.netdev_features || !info.socket_list)
		return -4;
	if (caller.uid != NOBODY || caller.net_raw != XSK_PROBE_NO ||
	    caller.bpf != XSK_PROBE_NO || caller.ipc_lock != XSK_PROBE_NO)
		return -5;
	return 0;
}

static uint32_t attached_id;

static int nobodys_programs(void)
{
	struct xsk_probe_interface info = { .sz = sizeof(info) };
	struct xsk_probe_program list[2] = { { .sz = sizeof(list[0]) } };

	become_nobody();
	if (xsk_probe_interface(&info, "lab0", NULL))
		return -1;
	if (strcmp(info.driver, "veth") || info.rx_queues != QUEUES || info.speed != 10000 ||
	    info.up != XSK_PROBE_YES)
		return -2;
	if (xsk_probe_programs("lab0", list, 2, NULL) != 1)
		return -3;
	if (list[0].id != attached_id || list[0].mode != XSK_MODE_NATIVE)
		return -4;
	if (list[0].told || list[0].by_link || list[0].xskmap || list[0].name[0])
		return -5;
	/* This child has inherited it; its parent is root's. */
	if (list[0].processes != 1 || list[0].process[0].pid != getpid() ||
	    list[0].processes_told)
		return -6;
	return 0;
}

static void nobody(void **state)
{
	struct user_prog prog;

	(void)state;
	lab_in_child(nobodys_kernel, 0);
	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	user_prog_attach(&prog, lab.ifindex[0], true);
	attached_id = prog.id;
	lab_in_child(nobodys_programs, 0);
	user_prog_unload(&prog);
}

/* ---- nothing is changed ---- */

/* What the kernel says to all about links that change: it is closed by the caller. */
static int watch_links(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&addr, sizeof(addr)), 0);
	return fd;
}

static bool a_link_changed(int fd)
{
	char message[4096];

	return recv(fd, message, sizeof(message), 0) >= 0;
}

/* All that can be read of the two interfaces, into a text that is the caller's. */
static char *read_settings(void)
{
	FILE *pipe = popen("ip -d link; ethtool -l lab0 2>&1; ethtool -k lab0; "
			   "ethtool -g lab0 2>&1; cat /proc/sys/net/core/* 2>/dev/null", "re");
	char *text = calloc(1, 1 << 16);

	assert_non_null(pipe);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 16) - 1, pipe) > 1000);
	pclose(pipe);
	return text;
}

static void probe_all(void)
{
	static const char *const names[] = { "lab0", "lo" };
	struct xsk_probe_program list[MAX];
	struct xsk_probe_socket sockets_list[MAX];
	struct xsk_error error;

	kernel();
	for (int i = 0; i < 2; i++)
		interface(names[i]);
	programs(list);
	sockets(sockets_list, &error);
}

static void nothing_changes(void **state)
{
	struct lab_count counted;
	int watch = watch_links();
	struct user_prog prog;
	char *was, *is;

	(void)state;
	was = read_settings();
	assert_false(a_link_changed(watch));
	probe_all();
	assert_false(a_link_changed(watch));
	is = read_settings();
	assert_string_equal(is, was);
	free(is);
	free(was);

	/* Nor with a program that is there. The watch sees one that comes so. */
	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	user_prog_attach(&prog, lab.ifindex[0], false);
	assert_true(a_link_changed(watch));
	while (a_link_changed(watch))
		;
	lab_count(&counted);
	for (int i = 0; i < 5; i++)
		probe_all();
	assert_false(a_link_changed(watch));
	lab_assert_unchanged(&counted);
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	user_prog_unload(&prog);
	close(watch);
}

/* The packets of a port that runs go on. */
static void beside_a_port(void **state)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){ .queues = 1 });
	struct xsk_queue *queue = xsk_port_queue(port, 0);

	(void)state;
	lab_enter(&lab, 1);
	lab_run("ethtool -L lab1 tx 1 2>/dev/null || true");
	lab_enter(&lab, 0);
	for (uint32_t i = 0; i < 5; i++) {
		ports_receive(queue, &lab, i * 20, 20);
		probe_all();
		ports_transmit(queue, &lab, i * 20, 20);
	}
	ports_assert_law(port);
	xsk_port_close(port);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kernel_facts),
		TEST(kernel_metadata),
		TEST(caller),
		TEST(veth),
		TEST(one_queue),
		TEST(fewer_queues),
		TEST(state_of_the_link),
		TEST(mtu),
		TEST(other_interfaces),
		TEST(bridge),
		TEST(programs_of_ours),
		TEST(generic_program),
		TEST(program_of_another),
		TEST(sockets_of_a_port),
		TEST(socket_of_another),
		TEST(lost_packets),
		TEST(nobody),
		TEST(nothing_changes),
		TEST(beside_a_port),
	};

	return cmocka_run_group_tests_name("probe", tests, open_lab, close_lab);
}
