/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The ways that are taken on older kernels, each forced here: the linker's --wrap
 * puts these functions before the library's own and before libbpf's. And what the
 * running kernel has of these things, asked by other means than the library's: so
 * the same is seen where a kernel takes that way by itself.
 */
#include "node.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xsk/error.h>

#include "kernel.h"
#include "netdev.h"
#include "sys.h"

#define COUNT 100
#define OFFSETS_V1 96			/* bytes */
#define STATISTICS_V1 24

/* ---- what is forced, and how often it was met ---- */

static struct {
	bool offsets_v1;		/* as up to 5.3 */
	bool no_cookie;			/* before 5.14 */
	bool no_frags;			/* before 5.18 */
	bool no_features;		/* before 6.3 */
	int met;
} old;

int __real_xsk_sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_xsk_sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __real_xsk_sys_netns_of(int fd, uint64_t *ret);
int __wrap_xsk_sys_netns_of(int fd, uint64_t *ret);
int __real_xsk_netdev_xdp(struct xsk_netdev_xdp *ret, int ifindex);
int __wrap_xsk_netdev_xdp(struct xsk_netdev_xdp *ret, int ifindex);
int __real_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t count,
			 const struct bpf_prog_load_opts *opts);
int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t count,
			 const struct bpf_prog_load_opts *opts);

/* The kernel itself still gives the short form to who has room for no more. */
int __wrap_xsk_sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	if (old.offsets_v1 && level == SOL_XDP && name == XDP_MMAP_OFFSETS) {
		old.met++;
		*len = OFFSETS_V1;
	}
	return __real_xsk_sys_getsockopt(fd, level, name, value, len);
}

int __wrap_xsk_sys_netns_of(int fd, uint64_t *ret)
{
	if (!old.no_cookie)
		return __real_xsk_sys_netns_of(fd, ret);
	old.met++;
	return -ENOPROTOOPT;
}

int __wrap_xsk_netdev_xdp(struct xsk_netdev_xdp *ret, int ifindex)
{
	if (!old.no_features)
		return __real_xsk_netdev_xdp(ret, ifindex);
	old.met++;
	return -ENOENT;
}

int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t count,
			 const struct bpf_prog_load_opts *opts)
{
	if (old.no_frags && opts->prog_flags & BPF_F_XDP_HAS_FRAGS) {
		old.met++;
		return -EINVAL;
	}
	return __real_bpf_prog_load(type, name, license, insns, count, opts);
}

static struct lab lab;
static struct lab_count before;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 2);
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
	memset(&old, 0, sizeof(old));
	lab_count(&before);
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	lab_run("ip link set lab0 mtu 1500");
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	return 0;
}

static void pass_packets(const struct node_opts *opts)
{
	struct node node;

	node_open(&node, opts);
	node_receive(&node, &lab, COUNT);
	node_transmit(&node, &lab, COUNT);
	node_close(&node);
}

static void pass_in_both_modes(void)
{
	pass_packets(&(struct node_opts){ .xdp_flags = XDP_FLAGS_SKB_MODE });
	pass_packets(&(struct node_opts){ .xdp_flags = XDP_FLAGS_DRV_MODE });
}

/* ---- forced ---- */

static void offsets_without_flags(void **state)
{
	struct node first, second;

	(void)state;
	old.offsets_v1 = true;
	pass_in_both_modes();
	assert_true(old.met > 0);

	node_open(&first, &(struct node_opts){ 0 });
	assert_int_equal(node_share(&second, &first, &(struct node_opts){ .queue = 1 }), 0);
	/* Where 5.10 has them, and later kernels leave zeroes. */
	assert_ptr_equal(first.tx.flags, first.tx.consumer + 1);
	assert_ptr_equal(first.fill.flags, first.fill.consumer + 1);
	node_transmit(&second, &lab, COUNT);
	node_unshare(&second, &first);
	node_receive(&first, &lab, COUNT);
	node_close(&first);
}

static void namespace_without_a_number(void **state)
{
	struct node node;

	(void)state;
	old.no_cookie = true;
	pass_in_both_modes();

	/* Only a socket that was handed over is asked for its namespace. */
	assert_int_equal(node_umem(&node, &(struct node_opts){ 0 }), 0);
	assert_int_equal(xsk_umem__delete(node.umem), 0);
	assert_int_equal(xsk_umem__create_with_fd(&node.umem, socket(AF_XDP, SOCK_RAW, 0),
						  node.area, node.size, &node.fill, &node.comp,
						  NULL), 0);
	assert_int_equal(node_socket(&node), 0);
	assert_true(old.met > 0);
	node_receive(&node, &lab, COUNT);
	node_close(&node);
}

/* A program that takes packets of one buffer: an MTU of a page and no more. */
static void assert_large_mtu_is_refused(void)
{
	struct node node;
	struct xsk_error error;
	int err;

	lab_run("ip link set lab0 mtu 9000");
	lab_enter(&lab, 1);
	lab_run("ip link set lab1 mtu 9000");
	lab_enter(&lab, 0);
	assert_int_equal(node_umem(&node, &(struct node_opts){
		.xdp_flags = XDP_FLAGS_DRV_MODE }), 0);
	err = node_socket(&node);
	assert_true(err == -ERANGE || err == -EINVAL || err == -EOPNOTSUPP);
	xsk_error_last(&error);
	assert_int_equal(error.code, err);
	assert_non_null(strstr(error.hint, "MTU"));
	/* On the same UMEM, when the MTU fits. */
	lab_run("ip link set lab0 mtu 1500");
	lab_enter(&lab, 1);
	lab_run("ip link set lab1 mtu 1500");
	lab_enter(&lab, 0);
	assert_int_equal(node_socket(&node), 0);
	node_receive(&node, &lab, COUNT);
	node_close(&node);
}

static void program_without_frags(void **state)
{
	(void)state;
	old.no_frags = true;
	pass_in_both_modes();
	assert_int_equal(old.met, 2);
	assert_large_mtu_is_refused();
}

static void driver_that_tells_nothing(void **state)
{
	struct node node;

	(void)state;
	old.no_features = true;
	assert_int_equal(node_umem(&node, &(struct node_opts){ .bind_flags = XDP_ZEROCOPY }), 0);
	assert_int_equal(node_socket(&node), -EOPNOTSUPP);
	assert_int_equal(old.met, 1);
	lab_assert_prog(&lab, 0, false);
	node.opts.bind_flags = XDP_COPY;
	assert_int_equal(node_socket(&node), 0);
	node_receive(&node, &lab, COUNT);
	node_close(&node);
}

static void all_of_it_at_once(void **state)
{
	(void)state;
	old.offsets_v1 = old.no_cookie = old.no_frags = old.no_features = true;
	pass_in_both_modes();
}

/* ---- as the running kernel has it ---- */

static bool kernel_has_frags(void)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "asks", "GPL", pass, 2, &opts);

	if (fd < 0) {
		assert_int_equal(fd, -EINVAL);
		return false;
	}
	close(fd);
	return true;
}

/* Where it has them, the default program takes them; else it goes without. */
static void frags(void **state)
{
	(void)state;
	if (!kernel_has_frags()) {
		print_message("# this kernel has no frags\n");
		pass_in_both_modes();
		assert_large_mtu_is_refused();
		return;
	}
	lab_run("ip link set lab0 mtu 9000");
	lab_enter(&lab, 1);
	lab_run("ip link set lab1 mtu 9000");
	lab_enter(&lab, 0);
	pass_in_both_modes();
	lab_enter(&lab, 1);
	lab_run("ip link set lab1 mtu 1500");
	lab_enter(&lab, 0);
}

/* Counters in either form: the older one puts full RX rings to the dropped packets. */
static void statistics(void **state)
{
	struct xdp_statistics now, then;
	socklen_t len = sizeof(now);
	struct node node;
	int fd;

	(void)state;
	node_open(&node, &(struct node_opts){ .rx = true, .rx_size = 16 });
	fd = xsk_socket__fd(node.xsk);
	node_fill(&node, 64);
	for (uint32_t i = 0; i < 20; i++)
		lab_send(&lab, i, 100);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(node_receive_one(&node, 1000), i);
	memset(&then, 0xa5, sizeof(then));
	assert_int_equal(getsockopt(fd, SOL_XDP, XDP_STATISTICS, &now, &len), 0);
	assert_int_equal(len, sizeof(now));
	assert_int_equal(now.rx_ring_full, 4);
	len = STATISTICS_V1;
	assert_int_equal(getsockopt(fd, SOL_XDP, XDP_STATISTICS, &then, &len), 0);
	assert_int_equal(len, STATISTICS_V1);
	assert_int_equal(then.rx_dropped, now.rx_dropped + now.rx_ring_full);
	assert_true(then.rx_ring_full == 0xa5a5a5a5a5a5a5a5);
	node_close(&node);
}

/* All those that are run here have it; then each socket on lab0 is held by a link. */
static void link_of_the_program(void **state)
{
	struct lab_count with;
	struct node node;

	(void)state;
	node_open(&node, &(struct node_opts){ 0 });
	lab_count(&with);
	assert_int_equal(with.links, before.links + 1);
	node_close(&node);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(offsets_without_flags),
		TEST(namespace_without_a_number),
		TEST(program_without_frags),
		TEST(driver_that_tells_nothing),
		TEST(all_of_it_at_once),
		TEST(frags),
		TEST(statistics),
		TEST(link_of_the_program),
	};

	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
