/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Ports that cannot be opened: the code, the true cause, the remedy, and nothing is left
 * behind. What can be wrong with the arguments alone comes first, then privileges and
 * limits, then what others have on the interface. See port_programs.c for programs.
 */
#include "node.h"
#include "ports.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/xdp_diag.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actor.h"
#include "user_prog.h"

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif

#define QUEUES 2

#define OPTS(...) (struct xsk_port_opts){ __VA_ARGS__ }

static struct lab lab;
static struct lab_count before;
static int areas_before;

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

/* On lab0, as told, and with a next move; the same also where nobody wants to know why. */
static void refused(struct xsk_port_opts opts, int code, const char *reason, const char *hint)
{
	struct xsk_port *port = NULL;
	struct xsk_error last;

	ports_refused("lab0", opts, code, reason, hint);
	opts.sz = sizeof(opts);
	assert_int_equal(xsk_port_open(&port, "lab0", &opts, NULL), code);
	assert_null(port);
	xsk_error_last(&last);
	assert_true(last.hint[0]);
}

/* The port is as if nothing had been before. */
static void opens(struct xsk_port_opts opts)
{
	struct xsk_port *port = ports_open("lab0", opts);

	if (xsk_queue_direction(xsk_port_queue(port, 0)) & XSK_DIRECTION_TX)
		ports_transmit(xsk_port_queue(port, 0), &lab, 0, 100);
	ports_assert_law(port);
	xsk_port_close(port);
}

/* ---- the arguments ---- */

static void no_such_interface(void **state)
{
	struct xsk_error error = { 0 };
	struct xsk_port *port = NULL;

	(void)state;
	ports_refused("lab7", OPTS(0), -ENODEV, "no interface 'lab7'", "ip link");
	ports_refused("", OPTS(0), -ENODEV, "no interface ''", "ip link");
	ports_refused("lab0lab0lab0lab0", OPTS(0), -ENODEV,
		      "no interface 'lab0lab0lab0lab0'", "ip link");
	/* That of the other namespace. */
	ports_refused("lab1", OPTS(0), -ENODEV, "in this network namespace", "ip link");
	ports_refused(NULL, OPTS(0), -EINVAL, "name is NULL", "ip link");
	assert_int_equal(xsk_port_open(NULL, "lab0", NULL, &error), -EINVAL);
	assert_int_equal(error.code, -EINVAL);
	assert_non_null(strstr(error.reason, "place for the port is NULL"));
	assert_non_null(strstr(error.hint, "struct xsk_port *"));
	assert_int_equal(xsk_port_open(NULL, "lab0", NULL, NULL), -EINVAL);
	assert_int_equal(xsk_port_open(&port, NULL, NULL, NULL), -EINVAL);
	assert_null(port);
}

static void unknown_words(void **state)
{
	(void)state;
	refused(OPTS(.flags = 1u << 10), -EINVAL, "flags 0x400", "<xsk/port.h>");
	refused(OPTS(.flags = 1u << 31), -EINVAL, "flags 0x80000000", "<xsk/port.h>");
	refused(OPTS(.modes = 1u << 3), -EINVAL, "modes 0x8", "<xsk/port.h>");
	refused(OPTS(.direction = 1u << 2), -EINVAL, "direction 0x4", "<xsk/port.h>");
	refused(OPTS(.wait = 4), -EINVAL, "no waiting strategy 4", "XSK_WAIT_SLEEP");
	refused(OPTS(.flags = XSK_PORT_HUGE | XSK_PORT_NO_HUGE), -EINVAL,
		"exclude each other", "one of them, or none");
	refused(OPTS(.flags = XSK_PORT_MAP_FD | XSK_PORT_REPLACE), -EINVAL,
		"XSK_PORT_MAP_FD", "leave one of them out");
}

static void ring_sizes(void **state)
{
	(void)state;
	refused(OPTS(.rx_size = 1000), -EINVAL, "an RX", "");
	refused(OPTS(.rx_size = 1u << 21), -EINVAL, "an RX", "");
	refused(OPTS(.tx_size = 100), -EINVAL, "a TX", "");
	refused(OPTS(.tx_size = 16), -EINVAL, "a TX", "");
	refused(OPTS(.fill_size = 3), -EINVAL, "a FILL", "");
	refused(OPTS(.fill_size = UINT32_MAX), -EINVAL, "a FILL", "");
	refused(OPTS(.comp_size = 16), -EINVAL, "a COMPLETION", "");
	refused(OPTS(.comp_size = 1u << 31), -EINVAL, "a COMPLETION", "");
	opens(OPTS(.rx_size = 1, .tx_size = 32, .fill_size = 1, .comp_size = 32,
			.frames = 64));
}

static void frames(void **state)
{
	(void)state;
	refused(OPTS(.frame_size = 3000), -EINVAL, "frames of 3000 bytes", "");
	refused(OPTS(.frame_size = 1024), -EINVAL, "frames of 1024 bytes", "");
	refused(OPTS(.frame_size = 8192), -EINVAL, "2048 to 4096", "XSK_PORT_MULTI_BUFFER");
	refused(OPTS(.frame_size = 8192, .flags = XSK_PORT_HUGE), -EINVAL, "2048 to 4096", "");
	refused(OPTS(.headroom = 4096 - 256), -EINVAL, "headroom of 3840",
		"less headroom");
	refused(OPTS(.headroom = UINT32_MAX), -EINVAL, "headroom", "less headroom");
	refused(OPTS(.headroom = 1900, .frame_size = 2048), -EINVAL, "headroom of 1900",
		"larger frames");
	refused(OPTS(.frames = 15), -EINVAL, "15 frames for each queue", "16 or more");
	/* By the sizes of the rings. */
	refused(OPTS(.fill_size = 4, .direction = XSK_DIRECTION_RX), -EINVAL,
		"8 frames for each queue", "set opts.frames to 16 or more");
	refused(OPTS(.frames = UINT32_MAX), -EINVAL, "queues with 4294967295 frames each",
		"fewer frames");
	refused(OPTS(.frames = (1u << 24) / QUEUES + 1), -EINVAL,
		"more than 16777216 frames", "fewer queues");
	refused(OPTS(.frames = 1u << 20, .flags = XSK_PORT_HUGE), -ENOMEM, "huge pages",
		"nr_hugepages");
	opens(OPTS(.frames = 32, .frame_size = 2048));
}

static void queues(void **state)
{
	(void)state;
	refused(OPTS(.first_queue = 2), -EINVAL, "queue 2 was asked for", "ethtool -l");
	refused(OPTS(.first_queue = 1, .queues = 2), -EINVAL,
		"queue 2 was asked for, but lab0 has the queues 0 to 1", "ethtool -l");
	refused(OPTS(.queues = 3), -EINVAL, "queue 2 was asked for", "ethtool -l");
	refused(OPTS(.queues = UINT32_MAX), -EINVAL, "was asked for", "ethtool -l");
	refused(OPTS(.first_queue = UINT32_MAX, .queues = UINT32_MAX), -EINVAL,
		"queue 4294967295 was asked for", "ethtool -l");
	refused(OPTS(.first_queue = 1, .queues = UINT32_MAX), -EINVAL, "was asked for",
		"ethtool -l");
	opens(OPTS(.first_queue = 1, .queues = 1));
}

static void mtu_beyond_the_frame(void **state)
{
	(void)state;
	lab_run("ip link set lab0 mtu 9000");
	refused(OPTS(0), -EMSGSIZE, "lab0 has an MTU of 9000", "XSK_PORT_LARGE_MTU");
	lab_run("ip link set lab0 mtu 3500");
	refused(OPTS(.headroom = 400), -EMSGSIZE, "hold 3440", "XSK_PORT_MULTI_BUFFER");
	opens(OPTS(.headroom = 300));
	opens(OPTS(.headroom = 400, .flags = XSK_PORT_LARGE_MTU));
	opens(OPTS(.headroom = 400, .direction = XSK_DIRECTION_TX));
	lab_run("ip link set lab0 mtu 1500");
}

/* ---- modes ---- */

static void zerocopy_on_veth(void **state)
{
	struct xsk_port *port;

	(void)state;
	refused(OPTS(.modes = XSK_MODE_ZEROCOPY), -EOPNOTSUPP, "zero-copy refused: ",
		"opts.modes");
	refused(OPTS(.modes = XSK_MODE_ZEROCOPY, .direction = XSK_DIRECTION_TX),
		-EOPNOTSUPP, "zero-copy refused: ", "opts.modes");
	port = ports_open("lab0", OPTS(0));
	assert_int_equal(ports_info(port).mode, XSK_MODE_NATIVE);
	assert_non_null(strstr(ports_info(port).mode_text, "native copy; zero-copy refused: "));
	xsk_port_close(port);
}

/* The loopback interface is there in each kernel, and its driver has no XDP. */
static void native_without_a_driver_for_it(void **state)
{
	const struct xsk_port_opts native = { .modes = XSK_MODE_NATIVE };
	struct xsk_port_info info;
	struct xsk_port *port;

	(void)state;
	lab_run("ip link set lo mtu 1500 up");
	ports_refused("lo", native, -EOPNOTSUPP, "native refused: ", "opts.modes");
	ports_refused("lo", native, -EOPNOTSUPP, "takes no program there", "");
	port = ports_open("lo", OPTS(0));
	info = ports_info(port);
	assert_int_equal(info.mode, XSK_MODE_GENERIC);
	assert_non_null(strstr(info.mode_text, "generic copy; zero-copy refused: "));
	assert_non_null(strstr(info.mode_text, "; native refused: driver "));
	xsk_port_close(port);
	lab_run("ip link set lo mtu 65536 down");
}

/* ---- privileges and limits ---- */

/* In a child, where no assertion may end it: 0 or the code, if all is as told. */
static int refusal(struct xsk_port_opts opts, const char *reason, const char *hint)
{
	struct lab_count first, last;
	struct xsk_error error = { 0 };
	struct xsk_port *port;
	int err;

	lab_count(&first);
	opts.sz = sizeof(opts);
	err = xsk_port_open(&port, "lab0", &opts, &error);
	if (!err) {
		xsk_port_close(port);
		return 0;
	}
	lab_count(&last);
	if (last.fds != first.fds || last.ring_mappings != first.ring_mappings || ports_areas())
		return -EBADFD;
	if (error.code == err && strstr(error.reason, reason) && strstr(error.hint, hint))
		return err;
	print_error("# %s: %s; %s\n", error.step, error.reason, error.hint);
	return -EPROTO;
}

static int without_net_raw(void)
{
	lab_drop(CAP_NET_RAW);
	return refusal(OPTS(0), "no CAP_NET_RAW", "cap_net_raw");
}

static int without_bpf(void)
{
	lab_drop(CAP_SYS_ADMIN);
	lab_drop(CAP_BPF);
	return refusal(OPTS(0), "no CAP_BPF", "XSK_PORT_MAP_FD");
}

static int without_both(void)
{
	lab_drop(CAP_SYS_ADMIN);
	lab_drop(CAP_BPF);
	lab_drop(CAP_NET_ADMIN);
	return refusal(OPTS(0), "no CAP_BPF and CAP_NET_ADMIN", "XSK_PORT_MAP_FD");
}

static int without_net_admin(void)
{
	lab_drop(CAP_SYS_ADMIN);
	lab_drop(CAP_NET_ADMIN);
	return refusal(OPTS(0), "no CAP_NET_ADMIN", "XSK_PORT_MAP_FD");
}

/* With CAP_SYS_ADMIN: some kernels take it for both, some do not. */
static int without_net_admin_alone(void)
{
	int err;

	lab_drop(CAP_NET_ADMIN);
	err = refusal(OPTS(0), "no CAP_NET_ADMIN", "XSK_PORT_MAP_FD");
	return err == -EPERM ? 0 : err;
}

/* Who only sends needs no program. */
static int sends_with_net_raw(void)
{
	lab_drop(CAP_SYS_ADMIN);
	lab_drop(CAP_BPF);
	lab_drop(CAP_NET_ADMIN);
	return refusal(OPTS(.direction = XSK_DIRECTION_TX, .frames = 16), "", "");
}

static int without_sys_admin(void)
{
	lab_drop(CAP_SYS_ADMIN);
	return refusal(OPTS(0), "no CAP_SYS_ADMIN", "run as root");
}

static void privileges(void **state)
{
	struct user_prog prog;

	(void)state;
	lab_in_child(without_net_raw, -EPERM);
	lab_in_child(without_bpf, -EPERM);
	lab_in_child(without_both, -EPERM);
	lab_in_child(without_net_admin, -EPERM);
	lab_in_child(without_net_admin_alone, 0);
	lab_in_child(sends_with_net_raw, 0);
	/* It needs none for a program of its own, but to look others' up. */
	lab_in_child(without_sys_admin, 0);
	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	user_prog_attach(&prog, lab.ifindex[0], true);
	lab_in_child(without_sys_admin, -EPERM);
	user_prog_unload(&prog);
	opens(OPTS(0));
}

static int limit_memory(void)
{
	const struct rlimit limit = { 256 << 10, 256 << 10 };

	lab_drop(CAP_IPC_LOCK);
	lab_drop(CAP_SYS_RESOURCE);
	return setrlimit(RLIMIT_MEMLOCK, &limit) ? -EBADFD : 0;
}

static int too_much_locked(void)
{
	if (limit_memory())
		return -EBADFD;
	return refusal(OPTS(0), "passes RLIMIT_MEMLOCK", "ulimit -l");
}

static void locked_memory(void **state)
{
	(void)state;
	lab_in_child(too_much_locked, -ENOBUFS);
	opens(OPTS(0));
}

static bool kernel_prefers_busy_poll(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
	int err = setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof(on));

	close(fd);
	return !err;
}

static const struct xsk_port_opts busy_sender = { .direction = XSK_DIRECTION_TX, .frames = 64,
				    .wait = XSK_WAIT_BUSY_POLL };

static int busy_poll_without_net_admin(void)
{
	lab_drop(CAP_NET_ADMIN);
	return refusal(busy_sender, "no CAP_NET_ADMIN", "XSK_WAIT_SLEEP");
}

static void busy_poll(void **state)
{
	(void)state;
	if (!kernel_prefers_busy_poll()) {
		refused(busy_sender, -EINVAL, "5.11", "XSK_WAIT_SLEEP");
		return;
	}
	lab_in_child(busy_poll_without_net_admin, -EPERM);
	opens(busy_sender);
	/* More than the kernel takes for a number of either. */
	refused(OPTS(.wait = XSK_WAIT_BUSY_POLL, .busy_poll_us = 1u << 31), -EINVAL,
		"busy_poll_us", "take at most 2147483647");
	refused(OPTS(.wait = XSK_WAIT_BUSY_POLL, .busy_poll_budget = 1u << 16), -EINVAL,
		"busy_poll_budget", "take at most 65535");
}

static void limit_descriptors(rlim_t limit, rlim_t *old)
{
	struct rlimit now;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	if (old)
		*old = now.rlim_cur;
	now.rlim_cur = limit;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
}

/* One more descriptor each time, until they suffice. Returns at how many steps it failed. */
static int with_few_descriptors(struct xsk_port_opts opts)
{
	struct xsk_error error = { 0 };
	struct xsk_port *port = NULL;
	struct lab_count first;
	char step[32] = "";
	int steps = 0, areas = ports_areas(), err;
	rlim_t old;

	lab_count(&first);
	opts.sz = sizeof(opts);
	for (rlim_t limit = 3; !port; limit++) {
		assert_true(limit < 100);
		limit_descriptors(limit, &old);
		err = xsk_port_open(&port, "lab0", &opts, &error);
		limit_descriptors(old, NULL);
		if (!err)
			break;
		if (err != -EMFILE || error.code != err)
			fail_msg("%d: %s: %s; %s", err, error.step, error.reason, error.hint);
		assert_non_null(strstr(error.reason, "Too many open files"));
		lab_assert_unchanged(&first);
		assert_int_equal(ports_areas(), areas);
		steps += !!strcmp(step, error.step);
		memcpy(step, error.step, sizeof(step));
	}
	ports_transmit(xsk_port_queue(port, 0), &lab, 0, 20);
	ports_assert_law(port);
	xsk_port_close(port);
	return steps;
}

static void descriptors(void **state)
{
	struct xsk_port *other;
	struct user_prog prog;

	(void)state;
	assert_true(with_few_descriptors(OPTS(0)) >= 4);
	assert_true(with_few_descriptors(OPTS(.modes = XSK_MODE_GENERIC)) >= 4);
	assert_true(with_few_descriptors(OPTS(.direction = XSK_DIRECTION_TX)) >= 2);
	if (kernel_prefers_busy_poll())
		with_few_descriptors(OPTS(.wait = XSK_WAIT_BUSY_POLL));

	other = ports_open("lab0", OPTS(.queues = 1));
	with_few_descriptors(OPTS(.first_queue = 1, .queues = 1, .share = other));
	ports_transmit(xsk_port_queue(other, 0), &lab, 0, 20);
	ports_assert_law(other);
	xsk_port_close(other);
	lab_assert_prog(&lab, 0, false);

	for (int by_link = 0; by_link < 2; by_link++) {
		user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
		user_prog_attach(&prog, lab.ifindex[0], by_link);
		with_few_descriptors(OPTS(0));
		assert_int_equal(lab_prog_id(&lab, 0), prog.id);
		user_prog_unload(&prog);
	}
}

/* ---- queues of others ---- */

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

/* Who has it is told where the kernel tells; name NULL: this process. */
static void refused_for(struct xsk_port_opts opts, uint32_t queue, const char *name, pid_t pid)
{
	char reason[96];

	snprintf(reason, sizeof(reason), "queue %u is in use: an AF_XDP socket with other memory",
		 queue);
	if (!kernel_tells_of_sockets())
		print_message("# this kernel does not tell who holds a queue\n");
	else if (name)
		snprintf(reason, sizeof(reason), "queue %u is in use: an AF_XDP socket of '%s' "
			 "(process %d)", queue, name, (int)pid);
	else
		snprintf(reason, sizeof(reason), "(process %d)", (int)getpid());
	refused(opts, -EBUSY, reason, "take another queue");
}

static void queue_of_another_process(void **state)
{
	struct actor actor;

	(void)state;
	actor_start(&actor, 1);
	refused_for(OPTS(.first_queue = 1), 1, "net-actor", actor.pid);
	/* Its first queue is free again at once. */
	refused_for(OPTS(0), 1, "net-actor", actor.pid);
	opens(OPTS(.queues = 1));
	actor_stop(&actor);
	opens(OPTS(0));
}

static void queue_of_this_process(void **state)
{
	struct xsk_port *port;
	struct node node;

	(void)state;
	node_open(&node, &(struct node_opts){ 0 });
	refused_for(OPTS(0), 0, NULL, 0);
	node_transmit(&node, &lab, 20);
	opens(OPTS(.first_queue = 1));
	node_close(&node);

	port = ports_open("lab0", OPTS(.first_queue = 1));
	refused_for(OPTS(0), 1, NULL, 0);
	/* The other way round, by the inherited interface. */
	assert_int_equal(node_umem(&node, &(struct node_opts){ .queue = 1 }), 0);
	assert_int_equal(node_socket(&node), -EBUSY);
	ports_transmit(xsk_port_queue(port, 0), &lab, 0, 100);
	xsk_port_close(port);
	assert_int_equal(node_socket(&node), 0);
	node_close(&node);
}

/* ---- memory that is shared ---- */

static void options_of_shared_memory(void **state)
{
	struct xsk_port *one = ports_open("lab0", OPTS(.queues = 1));
	const char *words = "those of the port lab0", *hint = "leave them 0";
	struct xsk_port_opts opts = { .share = one, .first_queue = 1, .frames = 64 };

	(void)state;
	refused(opts, -EINVAL, words, hint);
	opts.frames = 0;
	opts.frame_size = 4096;
	refused(opts, -EINVAL, words, hint);
	opts.frame_size = 0;
	opts.headroom = 1;
	refused(opts, -EINVAL, words, hint);
	opts.headroom = 0;
	opts.flags = XSK_PORT_HUGE;
	refused(opts, -EINVAL, words, hint);
	opts.flags = XSK_PORT_NO_HUGE;
	refused(opts, -EINVAL, words, hint);
	opts.flags = XSK_PORT_MULTI_BUFFER;
	refused(opts, -EINVAL, "without XSK_PORT_MULTI_BUFFER", "open both with it");
	opts.flags = XSK_PORT_CHECKED;
	refused(opts, -EINVAL, "without XSK_PORT_CHECKED", "open both with it");
	opts.flags = XSK_PORT_ONE_THREAD;
	refused(opts, -EINVAL, "without XSK_PORT_ONE_THREAD", "open both with it");
	opts.flags = 0;
	opts.first_queue = 0;
	opts.queues = 2;
	refused(opts, -EINVAL, "2 queues of lab0 cannot share the memory of the 1 of lab0",
		"fewer queues");
	opts.first_queue = 1;
	opts.queues = 1;
	opts.modes = XSK_MODE_ZEROCOPY;
	refused(opts, -EOPNOTSUPP, "zero-copy refused: ", "opts.modes");
	/* The queue is that port's own. */
	opts.modes = 0;
	opts.first_queue = 0;
	ports_refused("lab0", opts, -EBUSY, "queue 0 belongs to the port of lab0 whose memory",
		      "another queue");
	opts.first_queue = 1;
	opens(opts);
	ports_transmit(xsk_port_queue(one, 0), &lab, 0, 100);
	ports_assert_law(one);
	xsk_port_close(one);
}

/* Not only that of the socket by which the memory was registered. */
static void second_queue_of_shared_memory(void **state)
{
	struct xsk_port *one = ports_open("lab0", OPTS(0));
	struct xsk_port_opts opts = { .share = one, .first_queue = 1, .queues = 1 };

	(void)state;
	ports_refused("lab0", opts, -EBUSY, "queue 1 belongs to the port of lab0 whose memory",
		      "another queue");
	ports_transmit(xsk_port_queue(one, 1), &lab, 0, 100);
	xsk_port_close(one);
}

static void memory_of_which_the_caller_has_frames(void **state)
{
	struct xsk_port *one = ports_open("lab0", OPTS(.queues = 1));
	struct xsk_queue *queue = xsk_port_queue(one, 0);
	struct xsk_port_opts opts = { .share = one, .first_queue = 1, .queues = 1 };
	struct xsk_frame three[3];

	(void)state;
	assert_int_equal(xsk_alloc(queue, three, 3), 3);
	refused(opts, -EBUSY, "the caller has 3 frames of lab0", "free them first");
	assert_int_equal(xsk_free(queue, three, 3), 3);
	ports_assert_law(one);
	opens(opts);
	/* From now on it is known whose each is. */
	assert_int_equal(xsk_alloc(queue, three, 3), 3);
	opens(opts);
	assert_int_equal(xsk_free(queue, three, 3), 3);
	ports_assert_law(one);
	xsk_port_close(one);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_such_interface),
		TEST(unknown_words),
		TEST(ring_sizes),
		TEST(frames),
		TEST(queues),
		TEST(mtu_beyond_the_frame),
		TEST(zerocopy_on_veth),
		TEST(native_without_a_driver_for_it),
		TEST(privileges),
		TEST(locked_memory),
		TEST(busy_poll),
		TEST(descriptors),
		TEST(queue_of_another_process),
		TEST(queue_of_this_process),
		TEST(options_of_shared_memory),
		TEST(second_queue_of_shared_memory),
		TEST(memory_of_which_the_caller_has_frames),
	};

	return cmocka_run_group_tests_name("port_errors", tests, open_lab, close_lab);
}
