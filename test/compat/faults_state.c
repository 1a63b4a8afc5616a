/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What a UMEM and its queues remember, and when they let go. */
#include "faults.h"

#include <errno.h>
#include <linux/if_xdp.h>
#include <unistd.h>

#include "user_prog.h"

#define PACKETS 200

static struct node first, second;

/* ---- counters ---- */

static void failed_socket_leaves_the_umem_deletable(void)
{
	int err;

	open_both(&first, &(struct node_opts){ 0 });
	keep_capabilities(0);
	err = share_umem(&second, &first, &(struct node_opts){ .queue = 1 });
	restore_capabilities();
	expect_result("create_shared without CAP_NET_RAW", err, -EPERM);
	expect_result("xsk_umem__delete after its socket", close_both(&first), 0);
}

/* Nodes fill the structs with 0xa5 before. */
static void rings_are_written_whole(void)
{
	assert_int_equal(try_umem(&first, &(struct node_opts){ 0 }), 0);
	expect(xsk_prod_nb_free(&first.fill, 1) == 2048,
	       "%u entries of 2048 free in a new FILL ring", xsk_prod_nb_free(&first.fill, 1));
	expect(xsk_cons_nb_avail(&first.comp, 2048) == 0,
	       "%u completions of nothing", xsk_cons_nb_avail(&first.comp, 2048));

	assert_int_equal(node_socket(&first), 0);
	expect(xsk_prod_nb_free(&first.tx, 1) == 2048, "TX is not written");
	expect(xsk_cons_nb_avail(&first.rx, 2048) == 0, "RX is not written");
	assert_int_equal(try_share(&second, &first, &(struct node_opts){ .queue = 1 }), 0);
	expect(xsk_prod_nb_free(&second.fill, 1) == 2048,
	       "FILL of the second queue is not written");
	expect(xsk_cons_nb_avail(&second.comp, 2048) == 0,
	       "COMPLETION of the second queue is not written");
	xsk_socket__delete(second.xsk);
	assert_int_equal(close_both(&first), 0);
}

/* ---- failed, and tried again ---- */

/* Zero-copy is not to be had on veth; then the program takes what there is. */
static void retry_with_rings(uint32_t tried, uint32_t taken)
{
	open_umem(&first, &(struct node_opts){ .rx_size = tried, .tx_size = tried,
					       .bind_flags = XDP_ZEROCOPY });
	assert_int_equal(node_socket(&first), -EOPNOTSUPP);
	first.opts.rx_size = taken;
	first.opts.tx_size = taken;
	first.opts.bind_flags = XDP_COPY;
	expect_result("the second try", node_socket(&first), 0);

	node_fill(&first, PACKETS);
	for (uint32_t i = 0; i < PACKETS; i++) {
		int64_t got;

		lab_send(&lab, i, 100);
		got = take_packet(&first, 1000);
		expect(got == i, "packet %u is read as %lld", i, (long long)got);
	}
	expect_result("xsk_umem__delete", close_both(&first), 0);
}

static void retry_with_smaller_rings(void)
{
	retry_with_rings(512, 64);
}

static void retry_with_larger_rings(void)
{
	retry_with_rings(64, 512);
}

static void further_socket_flags_are_not_dropped(void)
{
	open_both(&first, &(struct node_opts){ .bind_flags = XDP_COPY });
	expect_result("create_shared with XDP_ZEROCOPY, the first socket being in copy mode",
		      share_umem(&second, &first, &(struct node_opts){
			      .queue = 1, .bind_flags = XDP_ZEROCOPY }), -EOPNOTSUPP);
	assert_int_equal(close_both(&first), 0);
}

/* ---- after the first socket ---- */

static void umem_carries_a_socket_after_its_last(void)
{
	open_both(&first, &(struct node_opts){ 0 });
	xsk_socket__delete(first.xsk);
	expect_result("xsk_socket__create on the UMEM", insist_on_socket(&first), 0);
	node_fill(&first, 16);
	expect(receives(&first, 1), "the new socket receives nothing");
	assert_int_equal(close_both(&first), 0);
}

static void umem_takes_sockets_after_its_first(void)
{
	open_both(&first, &(struct node_opts){ 0 });
	assert_int_equal(share_umem(&second, &first, &(struct node_opts){ .queue = 1 }), 0);
	xsk_socket__delete(first.xsk);
	usleep(200000);			/* the queue is free by then, if ever */
	expect_result("create_shared on the first socket's queue",
		      share_umem(&first, &second, &(struct node_opts){ 0 }), 0);
	node_fill(&first, 16);
	expect(receives(&first, 1), "the new socket receives nothing");
	xsk_socket__delete(first.xsk);
	assert_int_equal(close_both(&second), 0);
}

static void queue_is_free_after_its_socket(void)
{
	static struct node other;

	open_both(&first, &(struct node_opts){ 0 });
	assert_int_equal(share_umem(&second, &first, &(struct node_opts){ .queue = 1 }), 0);
	xsk_socket__delete(first.xsk);
	open_umem(&other, &(struct node_opts){ 0 });
	expect_result("another UMEM's socket on the queue", insist_on_socket(&other), 0);
	node_fill(&other, 16);
	expect(receives(&other, 1), "the other UMEM's socket receives nothing");
	assert_int_equal(close_both(&other), 0);
	assert_int_equal(close_both(&second), 0);
}

/* ---- the program fails ---- */

static void refuse_to_run_beside(struct user_prog *prog)
{
	user_prog_attach(prog, lab.ifindex[0], false);
	open_umem(&first, &(struct node_opts){ .queue = prog->map_fd < 0 ? 0 : 1 });
	assert_true(node_socket(&first) < 0);
	expect(lab_prog_id(&lab, 0) == prog->id, "the user's program was replaced");
	user_prog_unload(prog);
}

static void foreign_program_then_retry_succeeds(void)
{
	struct user_prog prog;

	user_prog_load(&prog, USER_MAP_NONE, 0);
	refuse_to_run_beside(&prog);
	expect_result("the next try on the UMEM, with the program gone",
		      insist_on_socket(&first), 0);
	assert_int_equal(close_both(&first), 0);
}

static void foreign_program_leaves_the_queue_to_others(void)
{
	struct user_prog prog;

	user_prog_load(&prog, USER_MAP_NONE, 0);
	refuse_to_run_beside(&prog);
	open_umem(&second, &(struct node_opts){ 0 });
	expect_result("another UMEM's socket on the queue", insist_on_socket(&second), 0);
	assert_int_equal(close_both(&second), 0);
	assert_int_equal(xsk_umem__delete(first.umem), 0);
	node_memory_free(first.area, first.size);
}

/* Known only when bound: queue 1 has no place in the map of one entry. */
static void full_map_then_retry_succeeds(void)
{
	struct user_prog prog;

	user_prog_load(&prog, USER_MAP_XSKMAP, 1);
	refuse_to_run_beside(&prog);
	expect_result("the next try on the UMEM, with the program gone",
		      insist_on_socket(&first), 0);
	assert_int_equal(close_both(&first), 0);
}

static void full_map_leaves_the_queue_to_others(void)
{
	struct user_prog prog;

	user_prog_load(&prog, USER_MAP_XSKMAP, 1);
	refuse_to_run_beside(&prog);
	open_umem(&second, &(struct node_opts){ .queue = 1 });
	expect_result("another UMEM's socket on the queue", insist_on_socket(&second), 0);
	assert_int_equal(close_both(&second), 0);
	assert_int_equal(xsk_umem__delete(first.umem), 0);
	node_memory_free(first.area, first.size);
}

/* ---- time ---- */

static void delete_then_create_at_once(void)
{
	for (int i = 0; i < 5; i++) {
		open_umem(&first, &(struct node_opts){ 0 });
		expect_result("xsk_socket__create right after another UMEM's delete",
			      node_socket(&first), 0);
		assert_int_equal(close_both(&first), 0);
	}
}

/* With the ring full before bind no packet finds it empty. */
static void frames_filled_before_bind_are_used(void)
{
	open_umem(&first, &(struct node_opts){ 0 });
	node_fill(&first, 64);
	assert_int_equal(node_socket(&first), 0);
	for (uint32_t i = 0; i < 64; i++)
		expect(receives(&first, i), "packet %u of 64 is lost", i);
	assert_int_equal(close_both(&first), 0);
}

const struct fault_case state_cases[] = {
	FAULT_CASE(failed_socket_leaves_the_umem_deletable, .queues = 2),
	FAULT_CASE(rings_are_written_whole, .queues = 2),
	FAULT_CASE(retry_with_smaller_rings),
	FAULT_CASE(retry_with_larger_rings),
	FAULT_CASE(further_socket_flags_are_not_dropped, .queues = 2),
	FAULT_CASE(umem_carries_a_socket_after_its_last),
	FAULT_CASE(umem_takes_sockets_after_its_first, .queues = 2),
	FAULT_CASE(queue_is_free_after_its_socket, .queues = 2),
	FAULT_CASE(foreign_program_then_retry_succeeds),
	FAULT_CASE(foreign_program_leaves_the_queue_to_others),
	FAULT_CASE(full_map_then_retry_succeeds, .queues = 2),
	FAULT_CASE(full_map_leaves_the_queue_to_others, .queues = 2),
	FAULT_CASE(delete_then_create_at_once),
	FAULT_CASE(frames_filled_before_bind_are_used),
	{ .name = NULL }
};
