/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * senders NICS: sockets that only send, in zero-copy. Some drivers do so only while
 * a program is there (igb): it comes with the socket, or stays for it.
 */
#include "node.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>

#include "nics.h"
#include "user_prog.h"

#define COUNT 100
#define FLAGS (XDP_ZEROCOPY | XDP_USE_NEED_WAKEUP)

static const char *nics;
static struct lab lab;
static struct lab_count before;
static const char *missing;		/* for zero-copy; NULL: nothing */

static int open_lab(void **state)
{
	(void)state;
	missing = nics_open(&lab, nics);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	nics_close(&lab);
	return 0;
}

static bool is_missing(void)
{
	if (missing)
		print_message("# skipped: %s\n", missing);
	return missing;
}

#define SKIP_WITHOUT_ZEROCOPY() do { if (is_missing()) skip(); } while (0)

static int count(void **state)
{
	(void)state;
	if (lab.nics)
		lab_count(&before);
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	if (!lab.nics)
		return 0;
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	nics_drain_peer(&lab);
	return 0;
}

static void send_and_close(struct node *node)
{
	assert_true(nics_is_zerocopy(node));
	nics_settle(&lab, node);
	node_transmit(node, &lab, COUNT);
	node_close(node);
}

/* It was deleted; with the queue's last one all frames are in hand again. */
static void forget_socket(struct node *node)
{
	node->xsk = NULL;
	node->in_fill = 0;
	node->nfree = node->opts.frames;
}

/* By the receiver's program, which goes with its last user: that is the sender now. */
static void outlives_a_receiver_on_another_queue(void **state)
{
	struct node receiver, sender;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	nics_set_queues(2);
	nics_await_link(&lab);
	node_open(&receiver, &(struct node_opts){ .rx = true, .bind_flags = FLAGS });
	node_open(&sender, &(struct node_opts){ .tx = true, .queue = 1, .bind_flags = FLAGS });
	nics_settle(&lab, &sender);
	node_transmit(&sender, &lab, COUNT);
	node_close(&receiver);
	send_and_close(&sender);
	lab_assert_prog(&lab, 0, false);
	nics_set_queues(1);
	nics_await_link(&lab);
}

static void outlives_a_receiver_on_its_queue(void **state)
{
	struct node receiver, sender;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	node_open(&receiver, &(struct node_opts){ .rx = true, .bind_flags = FLAGS,
						  .stock = NICS_STOCK });
	assert_int_equal(node_share_queue(&sender, &receiver, &(struct node_opts){
		.tx = true }), 0);
	assert_true(nics_is_zerocopy(&sender));
	nics_settle(&lab, &receiver);
	node_receive(&receiver, &lab, COUNT);
	node_take_rings(&sender, &receiver);
	xsk_socket__delete(receiver.xsk);
	nics_settle(&lab, &sender);
	node_transmit(&sender, &lab, COUNT);
	node_unshare(&sender, &receiver);
	forget_socket(&receiver);
	node_close(&receiver);
}

/* Nor does the receiver mind when the sender goes, which came first. */
static void comes_before_a_receiver(void **state)
{
	struct node receiver, sender;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	assert_int_equal(node_umem(&sender, &(struct node_opts){ .tx = true,
								 .bind_flags = FLAGS }), 0);
	/* Before the link comes up; see xsk(7), Zero-copy. */
	node_fill(&sender, 2 * NICS_STOCK);
	assert_int_equal(node_socket(&sender), 0);
	nics_settle(&lab, &sender);
	node_transmit(&sender, &lab, COUNT);
	assert_int_equal(node_share_queue(&receiver, &sender, &(struct node_opts){
		.rx = true, .stock = NICS_STOCK }), 0);
	nics_settle(&lab, &receiver);
	xsk_socket__delete(sender.xsk);
	node_receive(&receiver, &lab, COUNT);
	node_unshare(&receiver, &sender);
	forget_socket(&sender);
	node_close(&sender);
}

static void interface_that_is_down(void **state)
{
	struct node node;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	lab_run("ip link set lab0 down");
	node_open(&node, &(struct node_opts){ .tx = true, .bind_flags = FLAGS });
	lab_run("ip link set lab0 up");
	send_and_close(&node);
}

/* A program of somebody's, without a map: it serves to send by, and is left alone. */
static void beside_a_foreign_program(bool down)
{
	struct user_prog prog;
	struct node node;

	user_prog_load(&prog, USER_MAP_NONE, 0);
	user_prog_attach(&prog, lab.ifindex[0], true);
	if (down)
		lab_run("ip link set lab0 down");
	node_open(&node, &(struct node_opts){ .tx = true, .bind_flags = FLAGS });
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	if (down)
		lab_run("ip link set lab0 up");
	send_and_close(&node);
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	user_prog_unload(&prog);
}

static void foreign_program(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	beside_a_foreign_program(false);
	beside_a_foreign_program(true);
}

/* A generic program helps nobody to send: the driver's is taken. */
static void generic_mode_was_asked_for(void **state)
{
	struct node node;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	node_open(&node, &(struct node_opts){ .tx = true, .xdp_flags = XDP_FLAGS_SKB_MODE,
					      .bind_flags = XDP_USE_NEED_WAKEUP });
	send_and_close(&node);
}

static int open_without_privileges(void)
{
	struct node node;
	int err;

	lab_drop(CAP_NET_ADMIN);
	lab_drop(CAP_BPF);
	lab_drop(CAP_SYS_ADMIN);
	err = node_umem(&node, &(struct node_opts){ .tx = true, .bind_flags = FLAGS });
	if (err)
		return err;
	err = node_socket(&node);
	if (err)
		return err;
	node_close(&node);
	return 0;
}

/* Where the driver needs no program, nor does the sender need the right to load one. */
static void without_privileges(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	lab_in_child(open_without_privileges, strcmp(nics, "igb") ? 0 : -EPERM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(outlives_a_receiver_on_another_queue),
		TEST(outlives_a_receiver_on_its_queue),
		TEST(comes_before_a_receiver),
		TEST(interface_that_is_down),
		TEST(foreign_program),
		TEST(generic_mode_was_asked_for),
		TEST(without_privileges),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: senders NICS\n");
		return 2;
	}
	nics = argv[1];
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
