/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Attached by netlink, as on kernels that have no bpf_link for XDP: the test's
 * own bpf_link_create() takes the place of libbpf's, and says what they say.
 */
#include "node.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"
#include "kernel.h"
#include "netdev.h"

static int attempts;

int bpf_link_create(int prog_fd, int target_fd, enum bpf_attach_type attach_type,
		    const struct bpf_link_create_opts *opts)
{
	(void)prog_fd;
	(void)target_fd;
	(void)attach_type;
	(void)opts;
	attempts++;
	return -EINVAL;
}

/*
 * Kernels before 6.4 do not map FILL and COMPLETION through a bound socket. The
 * linker's --wrap puts this before the library's own.
 */
static bool no_remap;

int __real_xsk_sys_mmap_over(void *addr, int fd, uint64_t offset, size_t len);
int __wrap_xsk_sys_mmap_over(void *addr, int fd, uint64_t offset, size_t len);

int __wrap_xsk_sys_mmap_over(void *addr, int fd, uint64_t offset, size_t len)
{
	return no_remap ? -EBUSY : __real_xsk_sys_mmap_over(addr, fd, offset, len);
}

static struct lab lab;
static struct lab_count before;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 2);
	lab_count(&before);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

/* The XSKMAP of the program on lab0, as another process would find it. */
static int open_map(void)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info), map_id = 0;
	int prog_fd = bpf_prog_get_fd_by_id(lab_prog_id(&lab, 0)), map_fd;

	assert_true(prog_fd >= 0);
	info.nr_map_ids = 1;
	info.map_ids = (uintptr_t)&map_id;
	assert_int_equal(bpf_obj_get_info_by_fd(prog_fd, &info, &len), 0);
	map_fd = bpf_map_get_fd_by_id(map_id);
	assert_true(map_fd >= 0);
	close(prog_fd);
	return map_fd;
}

static void put_into_map(const struct node *node)
{
	int map_fd = open_map();

	assert_int_equal(xsk_socket__update_xskmap(node->xsk, map_fd), 0);
	close(map_fd);
}

static void attached_and_detached(void **state)
{
	static const uint32_t modes[] = { 0, XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };
	struct lab_count with;
	struct node node;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		node_open(&node, &(struct node_opts){ .xdp_flags = modes[i] });
		assert_int_not_equal(lab_prog_id(&lab, 0), 0);
		lab_count(&with);
		assert_true(with.links <= before.links);
		node_receive(&node, &lab, 100);
		node_close(&node);
		lab_assert_prog(&lab, 0, false);
		lab_assert_unchanged(&before);
	}
}

static void child_does_not_detach_what_the_parent_uses(void **state)
{
	struct node node;
	int status;
	pid_t pid;

	(void)state;
	node_open(&node, &(struct node_opts){ 0 });
	pid = fork();
	if (!pid) {
		xsk_socket__delete(node.xsk);
		_exit(xsk_umem__delete(node.umem) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	node_receive(&node, &lab, 100);
	node_close(&node);
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
}

/* There is no share to be had in it: it is used, and its maker detaches it. */
static void others_use_it(void **state)
{
	struct actor actor;
	struct node node;

	(void)state;
	node_open(&node, &(struct node_opts){ .queue = 1 });
	actor_start(&actor, 0);
	lab_send(&lab, 4, 100);
	actor_expect(&actor, 4);
	actor_stop(&actor);
	assert_int_not_equal(lab_prog_id(&lab, 0), 0);
	node_close(&node);
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
}

/* The driver says so beforehand: no program comes and goes for it. */
static void refused_zero_copy_attaches_nothing(void **state)
{
	struct xsk_netdev_xdp xdp;
	struct node node;
	int err;

	(void)state;
	err = xsk_netdev_xdp(&xdp, lab.ifindex[0]);
	if (err == -ENOENT) {
		print_message("# skipped: this kernel does not tell of XDP features\n");
		skip();
	}
	assert_int_equal(err, 0);
	assert_int_equal(xdp.features & XSK_NETDEV_XDP_ACT_XSK_ZEROCOPY, 0);
	assert_int_equal(xsk_netdev_xdp(&xdp, 99999), -ENODEV);

	assert_int_equal(node_umem(&node, &(struct node_opts){ .bind_flags = XDP_ZEROCOPY }), 0);
	attempts = 0;
	assert_int_equal(node_socket(&node), -EOPNOTSUPP);
	assert_int_equal(attempts, 0);
	node.opts.bind_flags = XDP_COPY;
	assert_int_equal(node_socket(&node), 0);
	assert_int_equal(attempts, 1);
	node_receive(&node, &lab, 20);
	node_close(&node);
	lab_assert_unchanged(&before);
}

/* The deleted socket stays in the kernel, but packets go to the other one. */
static void deleted_socket_that_stays_mapped(void **state)
{
	struct node first, second, other;
	int stack = lab_stack_open();

	(void)state;
	no_remap = true;
	/* It keeps the program, and its map, when the first has gone. */
	node_open(&other, &(struct node_opts){ .queue = 1 });
	for (int heir_receives = 0; heir_receives < 2; heir_receives++) {
		node_open(&first, &(struct node_opts){ 0 });
		assert_int_equal(node_share_queue(&second, &first, &(struct node_opts){
			.tx = true, .rx = heir_receives }), 0);
		if (heir_receives)
			put_into_map(&first);
		node_receive(&first, &lab, 50);
		node_take_rings(&second, &first);
		xsk_socket__delete(first.xsk);
		if (heir_receives) {
			node_receive(&second, &lab, 50);
		} else {
			lab_send(&lab, 8, 100);
			lab_stack_expect(stack, 8, 100);
		}
		node_transmit(&second, &lab, 50);
		node_unshare(&second, &first);
		first.xsk = NULL;
		first.in_fill = 0;
		first.nfree = first.opts.frames;
		node_close(&first);
	}
	no_remap = false;
	node_close(&other);
	close(stack);
	lab_assert_unchanged(&before);
}

/* Of one process: the program stays for the last of its sockets. */
static void first_umem_may_go(void **state)
{
	struct node first, second;

	(void)state;
	node_open(&first, &(struct node_opts){ .queue = 1 });
	node_open(&second, &(struct node_opts){ 0 });
	node_close(&first);
	node_receive(&second, &lab, 100);
	node_close(&second);
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
}

static void setup_leaves_it(void **state)
{
	struct node node;

	(void)state;
	assert_int_equal(xsk_setup_xdp_prog(lab.ifindex[0], NULL), 0);
	assert_int_equal(xsk_setup_xdp_prog(lab.ifindex[0], NULL), 0);
	node_open(&node, &(struct node_opts){ 0 });
	node_receive(&node, &lab, 100);
	node_close(&node);
	assert_int_not_equal(lab_prog_id(&lab, 0), 0);
	lab_run("ip link set lab0 xdp off");
	lab_assert_prog(&lab, 0, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attached_and_detached),
		cmocka_unit_test(child_does_not_detach_what_the_parent_uses),
		cmocka_unit_test(others_use_it),
		cmocka_unit_test(deleted_socket_that_stays_mapped),
		cmocka_unit_test(first_umem_may_go),
		cmocka_unit_test(refused_zero_copy_attaches_nothing),
		/* Last: the process keeps its share. */
		cmocka_unit_test(setup_leaves_it),
	};

	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
