/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Real packets over veth, in every mode; contents compared, nothing left. */
#include "node.h"

#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT 300			/* packets each way: wraps small rings */

static struct lab lab;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 1);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

static void pass_packets(const struct node_opts *opts)
{
	struct lab_count before;
	struct node node;

	lab_count(&before);
	node_open(&node, opts);
	if (node.opts.rx)
		node_receive(&node, &lab, COUNT);
	if (node.opts.tx)
		node_transmit(&node, &lab, COUNT);
	lab_expect_nothing(&lab);
	node_close(&node);
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
}

static void in_both_modes(struct node_opts opts)
{
	opts.xdp_flags = XDP_FLAGS_SKB_MODE;
	pass_packets(&opts);
	opts.xdp_flags = XDP_FLAGS_DRV_MODE;
	pass_packets(&opts);
}

static void both_directions(void **state)
{
	(void)state;
	in_both_modes((struct node_opts){ 0 });
}

static void receive_only(void **state)
{
	(void)state;
	in_both_modes((struct node_opts){ .rx = true });
}

static void transmit_only(void **state)
{
	(void)state;
	in_both_modes((struct node_opts){ .tx = true });
}

static void forced_copy_with_need_wakeup(void **state)
{
	(void)state;
	in_both_modes((struct node_opts){ .bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP });
}

static void frames_of_2048(void **state)
{
	(void)state;
	in_both_modes((struct node_opts){ .frame_size = 2048 });
}

static void headroom(void **state)
{
	(void)state;
	in_both_modes((struct node_opts){ .frame_size = 2048, .headroom = 200 });
	in_both_modes((struct node_opts){ .headroom = 1024 });
}

/* As DPDK has them: neither a power of two, nor a divisor of the area. */
static void unaligned_chunks(void **state)
{
	(void)state;
	in_both_modes((struct node_opts){
		.frame_size = 2368,
		.headroom = 320,
		.umem_flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG,
		.odd_size = 4096 * 3 - 1024 * 2368 % 4096,
	});
}

static void huge_pages(void **state)
{
	(void)state;
	in_both_modes((struct node_opts){ .huge = true });
	in_both_modes((struct node_opts){ .huge = true, .frame_size = 2048, .frames = 4096 });
}

static void small_rings(void **state)
{
	(void)state;
	in_both_modes((struct node_opts){ .fill_size = 32, .comp_size = 32, .rx_size = 32,
					  .tx_size = 32 });
}

static void large_rings(void **state)
{
	(void)state;
	in_both_modes((struct node_opts){ .fill_size = 8192, .comp_size = 4096, .rx_size = 4096,
					  .tx_size = 8192, .frames = 8192 });
}

static struct lab_count before_test;

static int count(void **state)
{
	(void)state;
	lab_count(&before_test);
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before_test);
	return 0;
}

/* With need-wakeup a reader that sleeps is woken by the packet, not the timeout. */
static void sleep_in_mode(uint32_t xdp_flags)
{
	struct node node;
	struct pollfd fd = { .events = POLLIN };
	pid_t sender;

	node_open(&node, &(struct node_opts){ .bind_flags = XDP_USE_NEED_WAKEUP,
					      .xdp_flags = xdp_flags });
	node_fill(&node, 64);
	fd.fd = xsk_socket__fd(node.xsk);
	assert_int_equal(poll(&fd, 1, 0), 0);

	sender = fork();
	if (!sender) {
		usleep(200000);
		lab_send(&lab, 7, 100);
		_exit(0);
	}
	assert_int_equal(poll(&fd, 1, 30000), 1);
	assert_int_equal(fd.revents & POLLIN, POLLIN);
	assert_int_equal(node_receive_one(&node, 0), 7);
	assert_int_equal(waitpid(sender, NULL, 0), sender);
	node_close(&node);
}

static void sleep_in_poll(void **state)
{
	(void)state;
	sleep_in_mode(XDP_FLAGS_DRV_MODE);
	sleep_in_mode(XDP_FLAGS_SKB_MODE);
}

/* The kernel's counters and ours agree after a full RX ring. */
static void full_rx_ring_is_counted(void **state)
{
	struct xdp_statistics stats;
	socklen_t len = sizeof(stats);
	struct node node;

	(void)state;
	node_open(&node, &(struct node_opts){ .rx = true, .rx_size = 16 });
	node_fill(&node, 64);
	for (uint32_t i = 0; i < 40; i++)
		lab_send(&lab, i, 100);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(node_receive_one(&node, 1000), i);
	assert_int_equal(getsockopt(xsk_socket__fd(node.xsk), SOL_XDP, XDP_STATISTICS, &stats,
				    &len), 0);
	assert_int_equal(stats.rx_ring_full, 24);
	assert_int_equal(stats.rx_fill_ring_empty_descs, 0);
	node_close(&node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions),
		cmocka_unit_test(receive_only),
		cmocka_unit_test(transmit_only),
		cmocka_unit_test(forced_copy_with_need_wakeup),
		cmocka_unit_test(frames_of_2048),
		cmocka_unit_test(headroom),
		cmocka_unit_test(unaligned_chunks),
		cmocka_unit_test(huge_pages),
		cmocka_unit_test(small_rings),
		cmocka_unit_test(large_rings),
		cmocka_unit_test_setup_teardown(sleep_in_poll, count, nothing_left),
		cmocka_unit_test_setup_teardown(full_rx_ring_is_counted, count, nothing_left),
	};

	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
