/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Several sockets on one UMEM: where they can be, and in which order they go. */
#include "node.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"
#include "user_prog.h"

#define QUEUES 3
#define COUNT 100

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
	lab_enter(&lab, 0);
	lab_assert_prog(&lab, 0, false);
	lab_assert_prog(&lab, 1, false);
	lab_assert_unchanged(&before);
	return 0;
}

/* A socket that does not hold FILL entries any more, for the owner's accounts. */
static void forget_fill(struct node *owner)
{
	owner->nfree += owner->in_fill;
	owner->in_fill = 0;
}

/* ---- one queue ---- */

/*
 * Both use one FILL ring and one COMPLETION ring; packets go to the one that
 * was put into the map last, and to the other when that one is deleted.
 */
static void on_one_queue(uint32_t xdp_flags, bool first_goes_first)
{
	struct node_opts opts = { .xdp_flags = xdp_flags };
	struct node first, second;

	node_open(&first, &opts);
	node_receive(&first, &lab, COUNT);
	assert_int_equal(node_share_queue(&second, &first, &opts), 0);

	node_fill(&second, 64);
	node_receive(&second, &lab, COUNT);
	node_transmit(&second, &lab, COUNT);
	node_take_rings(&first, &second);
	node_transmit(&first, &lab, COUNT);

	if (first_goes_first) {
		xsk_socket__delete(first.xsk);
		first.xsk = NULL;
		node_take_rings(&second, &first);
		node_receive(&second, &lab, COUNT);
		node_transmit(&second, &lab, COUNT);
		node_unshare(&second, &first);
	} else {
		xsk_socket__delete(second.xsk);
		first.in_fill += 64;
		lab_send(&lab, 5, 500);
		assert_int_equal(node_receive_one(&first, 2000), 5);
		node_transmit(&first, &lab, COUNT);
	}
	first.nfree = first.opts.frames;
	first.in_fill = 0;
	node_close(&first);
}

static void two_sockets_on_one_queue(void **state)
{
	(void)state;
	on_one_queue(XDP_FLAGS_SKB_MODE, true);
	on_one_queue(XDP_FLAGS_SKB_MODE, false);
	on_one_queue(XDP_FLAGS_DRV_MODE, true);
	on_one_queue(XDP_FLAGS_DRV_MODE, false);
}

/* Structs given for a queue that has its rings show those rings; none is lost. */
static void structs_given_for_a_queue_in_use(void **state)
{
	struct node first, second;

	(void)state;
	node_open(&first, &(struct node_opts){ 0 });
	node_fill(&first, 32);
	assert_int_equal(node_share(&second, &first, &(struct node_opts){ 0 }), 0);
	assert_ptr_equal(second.fill.ring, first.fill.ring);
	assert_int_equal(second.fill.cached_prod, 32);
	assert_ptr_equal(second.comp.ring, first.comp.ring);
	node_receive(&second, &lab, COUNT);
	node_unshare(&second, &first);
	first.nfree = first.opts.frames;
	first.in_fill = 0;
	node_close(&first);
}

/*
 * The one that is in the map goes, while the other keeps the queue: the map must
 * not hold the deleted one, or packets go where nobody reads them.
 */
static void deleted_socket_leaves_the_map_of_the_user(void **state)
{
	struct node first, second;
	struct user_prog prog;
	int stack = lab_stack_open();

	(void)state;
	user_prog_load(&prog, USER_MAP_XSKMAP, 1);
	user_prog_attach(&prog, lab.ifindex[0], true);

	/* The other has no place in the map: the stack gets the packets. */
	node_open(&first, &(struct node_opts){ 0 });
	assert_int_equal(node_share_queue(&second, &first, &(struct node_opts){
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD }), 0);
	node_receive(&first, &lab, COUNT);
	node_take_rings(&second, &first);
	xsk_socket__delete(first.xsk);
	lab_send(&lab, 5, 100);
	lab_stack_expect(stack, 5, 100);
	node_transmit(&second, &lab, COUNT);
	node_take_rings(&first, &second);
	node_unshare(&second, &first);
	first.xsk = NULL;
	forget_fill(&first);
	node_close(&first);

	/* The other had been in the map before: it gets them again. */
	node_open(&first, &(struct node_opts){ 0 });
	assert_int_equal(node_share_queue(&second, &first, &(struct node_opts){ 0 }), 0);
	assert_int_equal(xsk_socket__update_xskmap(first.xsk, prog.map_fd), 0);
	node_receive(&first, &lab, COUNT);
	node_take_rings(&second, &first);
	xsk_socket__delete(first.xsk);
	node_receive(&second, &lab, COUNT);
	node_transmit(&second, &lab, COUNT);
	node_unshare(&second, &first);
	first.xsk = NULL;
	forget_fill(&first);
	first.nfree = first.opts.frames;
	node_close(&first);

	user_prog_unload(&prog);
	close(stack);
}

/* A child holds the deleted socket: nobody reads it, the other gets the packets. */
static void deleted_socket_that_a_child_holds(void **state)
{
	struct node first, second;
	struct user_prog prog;
	int status, go[2];
	pid_t child;
	char byte;

	(void)state;
	node_open(&first, &(struct node_opts){ 0 });
	assert_int_equal(node_share_queue(&second, &first, &(struct node_opts){ 0 }), 0);
	/* A place in a map of the user's is none in the program's. */
	user_prog_load(&prog, USER_MAP_XSKMAP, 1);
	assert_int_equal(xsk_socket__update_xskmap(first.xsk, prog.map_fd), 0);
	assert_int_equal(pipe(go), 0);
	child = fork();
	if (!child) {
		close(go[1]);
		_exit(read(go[0], &byte, 1) != 0);
	}
	node_take_rings(&first, &second);
	xsk_socket__delete(second.xsk);
	node_receive(&first, &lab, COUNT);
	close(go[0]);
	close(go[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	node_receive(&first, &lab, COUNT);
	for (uint32_t i = 0; i < second.nshare; i++)
		first.free[first.nfree++] = second.share[i];
	node_close(&first);
	user_prog_unload(&prog);
}

/* The UMEM's structs go together; what was filled waits for a queue with both. */
static void fill_of_the_umem_with_another_completion(void **state)
{
	struct node first, second;
	struct xsk_ring_cons comp;

	(void)state;
	node_open(&first, &(struct node_opts){ 0 });
	assert_int_equal(node_share(&second, &first, &(struct node_opts){ .queue = 1 }), 0);
	xsk_socket__delete(first.xsk);
	first.xsk = NULL;
	node_fill(&first, 20);
	assert_int_equal(xsk_socket__create_shared(&first.xsk, "lab0", 0, first.umem, &first.rx,
						   &first.tx, &first.fill, &comp, NULL), -EINVAL);
	assert_int_equal(node_socket(&first), 0);
	for (uint32_t i = 0; i < 20; i++)
		lab_send(&lab, i, 100);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(node_receive_one(&first, 2000), i);
	node_unshare(&second, &first);
	forget_fill(&first);
	first.nfree = first.opts.frames;
	node_close(&first);
}

/* Others for the first socket, the UMEM's own for the second, and again. */
static void own_rings_after_others(void **state)
{
	struct node node, second;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(node_umem(&second, &(struct node_opts){ .queue = 1 }), 0);
		assert_int_equal(node_share(&node, &second, &(struct node_opts){ 0 }), 0);
		if (i)
			node_unshare(&node, &second);
		assert_int_equal(node_socket(&second), 0);
		assert_int_equal(xsk_cons_nb_avail(&second.comp, 64), 0);
		assert_int_equal(xsk_prod_nb_free(&second.fill, 64), 2048);
		node_transmit(&second, &lab, COUNT);
		if (!i) {
			assert_ptr_not_equal(second.comp.ring, node.comp.ring);
			node_transmit(&node, &lab, COUNT);
			node_receive(&node, &lab, COUNT);
			node_unshare(&node, &second);
		}
		node_close(&second);
	}
}

/* A map of the user's beside the program's: the one does not hide the other. */
static void entry_in_another_map(void **state)
{
	struct node first, second;
	struct user_prog prog;

	(void)state;
	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	node_open(&first, &(struct node_opts){ 0 });
	assert_int_equal(node_share_queue(&second, &first, &(struct node_opts){ 0 }), 0);
	assert_int_equal(xsk_socket__update_xskmap(first.xsk, prog.map_fd), 0);
	node_receive(&second, &lab, COUNT);
	node_take_rings(&first, &second);
	node_unshare(&second, &first);
	node_receive(&first, &lab, COUNT);
	forget_fill(&first);
	first.nfree = first.opts.frames;
	node_close(&first);
	user_prog_unload(&prog);
}

/* A child deletes what it has got, in any order: the parent's map stays. */
static void child_deletes_sockets_of_one_queue(void **state)
{
	struct node first, second;
	int status;

	(void)state;
	node_open(&first, &(struct node_opts){ 0 });
	assert_int_equal(node_share_queue(&second, &first, &(struct node_opts){ 0 }), 0);
	for (int i = 0; i < 2; i++) {
		pid_t child = fork();

		if (!child) {
			xsk_socket__delete(i ? first.xsk : second.xsk);
			xsk_socket__delete(i ? second.xsk : first.xsk);
			_exit(xsk_umem__delete(first.umem) ? 1 : 0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		node_receive(&second, &lab, COUNT);
	}
	node_unshare(&second, &first);
	forget_fill(&first);
	first.nfree = first.opts.frames;
	node_close(&first);
}

/* ---- two queues ---- */

/*
 * Sends to a queue of lab0: the queue that the sender's socket is bound to, in
 * native mode. In generic mode veth does not note the queue, and what was the
 * number of the sending queue is read as that of the receiving queue plus one.
 */
static void send_to_queue(struct node *sender, uint32_t queue, uint32_t xdp_flags)
{
	if (queue && xdp_flags == XDP_FLAGS_SKB_MODE)
		queue++;
	lab_enter(&lab, 1);
	node_open(sender, &(struct node_opts){ .ifname = "lab1", .tx = true, .queue = queue });
	lab_enter(&lab, 0);
	node_be_sender(sender, &lab);
}

static void stop_sending(struct node *sender)
{
	lab.send = NULL;
	node_close(sender);
}

static void receive_on(struct node *node, uint32_t queue)
{
	struct node sender;

	send_to_queue(&sender, queue, node->opts.xdp_flags);
	node_receive(node, &lab, COUNT);
	stop_sending(&sender);
}

static void queue_is_free(uint32_t queue, uint32_t xdp_flags)
{
	struct actor actor;
	struct node sender;

	actor_start(&actor, queue);
	send_to_queue(&sender, queue, xdp_flags);
	lab_send(&lab, 77, 100);
	actor_expect(&actor, 77);
	stop_sending(&sender);
	actor_stop(&actor);
}

static void on_two_queues(uint32_t xdp_flags, bool first_goes_first)
{
	struct node_opts opts = { .xdp_flags = xdp_flags };
	struct node first, second;

	node_open(&first, &opts);
	opts.queue = 1;
	assert_int_equal(node_share(&second, &first, &opts), 0);
	receive_on(&first, 0);
	receive_on(&second, 1);
	node_transmit(&second, &lab, COUNT);
	node_transmit(&first, &lab, COUNT);

	/* The queue of the one is free for others, and the other goes on. */
	if (first_goes_first) {
		xsk_socket__delete(first.xsk);
		first.xsk = NULL;
		forget_fill(&first);
		queue_is_free(0, xdp_flags);
		receive_on(&second, 1);
		node_transmit(&second, &lab, COUNT);
		node_unshare(&second, &first);
	} else {
		node_unshare(&second, &first);
		queue_is_free(1, xdp_flags);
		receive_on(&first, 0);
		node_transmit(&first, &lab, COUNT);
	}
	node_close(&first);
}

static void two_queues_of_one_device(void **state)
{
	(void)state;
	on_two_queues(XDP_FLAGS_SKB_MODE, true);
	on_two_queues(XDP_FLAGS_SKB_MODE, false);
	on_two_queues(XDP_FLAGS_DRV_MODE, true);
	on_two_queues(XDP_FLAGS_DRV_MODE, false);
}

/* A third socket may share the queue of the second when the first is gone. */
static void base_may_go_and_others_come(void **state)
{
	struct node_opts opts = { .queue = 1 };
	struct node first, second, third;

	(void)state;
	node_open(&first, &(struct node_opts){ 0 });
	assert_int_equal(node_share(&second, &first, &opts), 0);
	xsk_socket__delete(first.xsk);
	first.xsk = NULL;
	assert_int_equal(node_share_queue(&third, &second, &opts), 0);
	node_transmit(&third, &lab, COUNT);

	/* And one on the queue that the first had. */
	assert_int_equal(xsk_socket__create_shared(&first.xsk, "lab0", 0, first.umem, &first.rx,
						   &first.tx, &first.fill, &first.comp, NULL), 0);
	node_transmit(&first, &lab, COUNT);
	node_receive(&first, &lab, COUNT);

	assert_int_equal(xsk_umem__delete(first.umem), -EBUSY);
	node_unshare(&third, &second);
	assert_int_equal(xsk_umem__delete(first.umem), -EBUSY);
	node_unshare(&second, &first);
	assert_int_equal(xsk_umem__delete(first.umem), -EBUSY);
	node_close(&first);
}

/* With the UMEM's own rings, which no queue has any more. */
static void first_may_come_again(void **state)
{
	struct node first, second;

	(void)state;
	node_open(&first, &(struct node_opts){ 0 });
	assert_int_equal(node_share(&second, &first, &(struct node_opts){ .queue = 1 }), 0);
	for (int i = 0; i < 3; i++) {
		xsk_socket__delete(first.xsk);
		first.xsk = NULL;
		forget_fill(&first);
		node_fill(&first, 20);
		assert_int_equal(node_socket(&first), 0);
		node_receive(&first, &lab, COUNT);
		node_transmit(&first, &lab, COUNT);
		node_transmit(&second, &lab, COUNT);
	}
	node_unshare(&second, &first);
	forget_fill(&first);
	first.nfree = first.opts.frames;
	node_close(&first);
}

/* One whose interface is gone is no base any more; another is. */
static void interface_that_goes_leaves_the_others(void **state)
{
	struct node first, second, third;

	(void)state;
	lab_run("ip link add gone0 type veth peer name gone1");
	lab_run("ip link set gone0 up; ip link set gone1 up");
	node_open(&first, &(struct node_opts){ 0 });
	assert_int_equal(node_share(&second, &first, &(struct node_opts){ .ifname = "gone0" }), 0);
	lab_run("ip link del gone0");

	assert_int_equal(node_share(&third, &first, &(struct node_opts){ .queue = 1 }), 0);
	node_transmit(&third, &lab, COUNT);
	node_receive(&first, &lab, COUNT);
	xsk_socket__delete(first.xsk);
	first.xsk = NULL;
	node_unshare(&third, &first);
	assert_int_equal(node_share(&third, &first, &(struct node_opts){ .queue = 1 }), -EBADF);
	node_unshare(&second, &first);

	forget_fill(&first);
	assert_int_equal(node_socket(&first), 0);
	node_receive(&first, &lab, COUNT);
	node_close(&first);
}

/* ---- two devices, and two network namespaces ---- */

/* What one socket sends the other receives, in the same UMEM. */
static void pass_between(struct node *from, struct node *to)
{
	uint32_t at = 0;

	node_fill(to, 64);
	for (uint32_t i = 0; i < 64; i++) {
		struct xdp_desc *desc;
		uint64_t frame = from->free[--from->nfree];

		assert_int_equal(xsk_ring_prod__reserve(&from->tx, 1, &at), 1);
		desc = xsk_ring_prod__tx_desc(&from->tx, at);
		*desc = (struct xdp_desc){ .addr = frame, .len = 200 };
		lab_frame(xsk_umem__get_data(from->area, frame), 200, i);
		xsk_ring_prod__submit(&from->tx, 1);
		while (!xsk_ring_cons__peek(&from->comp, 1, &at))
			sendto(xsk_socket__fd(from->xsk), NULL, 0, MSG_DONTWAIT, NULL, 0);
		assert_int_equal(*xsk_ring_cons__comp_addr(&from->comp, at), frame);
		xsk_ring_cons__release(&from->comp, 1);
		from->free[from->nfree++] = frame;
		assert_int_equal(node_receive_one(to, 2000), i);
	}
}

static void on_two_devices(uint32_t xdp_flags, int second_side, bool first_goes_first)
{
	struct node_opts opts = { .xdp_flags = xdp_flags };
	struct node first, second;

	node_open(&first, &opts);
	opts.ifname = "lab1";
	lab_enter(&lab, second_side);
	assert_int_equal(node_share(&second, &first, &opts), 0);
	pass_between(&first, &second);
	pass_between(&second, &first);
	if (first_goes_first) {
		xsk_socket__delete(first.xsk);
		first.xsk = NULL;
		node_unshare(&second, &first);
	} else {
		node_unshare(&second, &first);
	}
	lab_enter(&lab, 0);
	forget_fill(&first);
	node_close(&first);
}

static void two_network_namespaces(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		on_two_devices(i & 1 ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE, 1, i & 2);
}

/* The index of the interface in the other namespace may be the same. */
static void same_ifindex_in_two_namespaces(void **state)
{
	struct node first, second;

	(void)state;
	lab_enter(&lab, 0);
	lab_run("ip link add twin index 77 type veth peer name twin index 77 netns "
		"/proc/%d/fd/%d", getpid(), lab.ns[1]);
	lab_run("ip link set twin up");
	lab_enter(&lab, 1);
	lab_run("ip link set twin up");
	lab_enter(&lab, 0);

	node_open(&first, &(struct node_opts){ .ifname = "twin" });
	lab_enter(&lab, 1);
	assert_int_equal(node_share(&second, &first, &(struct node_opts){ .ifname = "twin" }), 0);
	assert_ptr_not_equal(second.fill.ring, first.fill.ring);
	pass_between(&first, &second);
	pass_between(&second, &first);
	node_unshare(&second, &first);
	lab_enter(&lab, 0);
	forget_fill(&first);
	node_close(&first);
	lab_run("ip link del twin");
}

/* The UMEM's socket was made here; the first socket is wanted there. */
static void umem_made_in_another_namespace(void **state)
{
	struct node node;

	(void)state;
	assert_int_equal(node_umem(&node, &(struct node_opts){ .ifname = "lab1" }), 0);
	node_fill(&node, 10);
	lab_enter(&lab, 1);
	assert_int_equal(node_socket(&node), 0);
	assert_int_equal(xsk_prod_nb_free(&node.fill, 2048), 2048 - 10);
	assert_int_not_equal(lab_prog_id(&lab, 1), 0);
	lab_enter(&lab, 0);
	node_close(&node);
}

static void two_devices_in_one_namespace(void **state)
{
	(void)state;
	lab_enter(&lab, 1);
	lab_run("ip link set lab1 netns /proc/%d/fd/%d", getpid(), lab.ns[0]);
	lab_enter(&lab, 0);
	lab_run("ip link set lab1 up");
	lab.ns[1] = lab.ns[0];
	for (int i = 0; i < 4; i++)
		on_two_devices(i & 1 ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE, 0, i & 2);
}

/* ---- flags ---- */

static void flags_that_are_not_inherited_are_an_error(void **state)
{
	struct node_opts opts = { .queue = 1, .bind_flags = XDP_ZEROCOPY };
	struct node first, second;

	(void)state;
	node_open(&first, &(struct node_opts){ 0 });
	assert_int_equal(node_share(&second, &first, &opts), -EOPNOTSUPP);
	opts.bind_flags = XDP_USE_NEED_WAKEUP;
	assert_int_equal(node_share(&second, &first, &opts), -EOPNOTSUPP);
	opts.bind_flags = XDP_COPY | XDP_SHARED_UMEM;
	assert_int_equal(node_share(&second, &first, &opts), 0);
	node_unshare(&second, &first);
	node_close(&first);

	node_open(&first, &(struct node_opts){ .bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP });
	opts.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP;
	assert_int_equal(node_share(&second, &first, &opts), 0);
	node_transmit(&second, &lab, COUNT);
	node_unshare(&second, &first);
	node_close(&first);
}

static void new_queue_needs_its_own_rings(void **state)
{
	struct node_opts opts = { .queue = 1 };
	struct node first, second;

	(void)state;
	node_open(&first, &(struct node_opts){ 0 });
	assert_int_equal(node_share_queue(&second, &first, &opts), -EINVAL);
	assert_int_equal(node_share(&second, &first, &opts), 0);
	node_unshare(&second, &first);
	node_receive(&first, &lab, COUNT);
	node_close(&first);
}

/* ---- threads ---- */

struct worker {
	pthread_t thread;
	struct node *owner;
	struct node node;
	uint32_t queue;
	int err;
};

static void *create_and_delete(void *arg)
{
	struct worker *worker = arg;
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp, rx;
	struct xsk_socket *xsk;

	for (int i = 0; i < 15 && !worker->err; i++) {
		worker->err = xsk_socket__create_shared(&xsk, "lab0", worker->queue,
							worker->owner->umem, &rx, NULL, &fill,
							&comp, NULL);
		if (!worker->err)
			xsk_socket__delete(xsk);
	}
	return NULL;
}

static void threads_create_and_delete_on_one_umem(void **state)
{
	struct worker workers[4] = { 0 };
	struct node owner;

	(void)state;
	node_open(&owner, &(struct node_opts){ 0 });
	for (uint32_t i = 0; i < 4; i++) {
		workers[i].owner = &owner;
		workers[i].queue = i % QUEUES;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, create_and_delete,
						&workers[i]), 0);
	}
	for (uint32_t i = 0; i < 4; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].err, 0);
	}
	node_receive(&owner, &lab, COUNT);
	node_close(&owner);
}

static atomic_bool stop;

static void *create_and_delete_until_stopped(void *arg)
{
	struct worker *worker = arg;

	while (!stop && !worker->err) {
		create_and_delete(worker);
		/* A child that is slow to end has the queue for longer than is waited. */
		if (worker->err == -EBUSY)
			worker->err = 0;
	}
	return NULL;
}

/* The child may delete what it has got, whatever the thread was doing. */
static void child_of_a_busy_process_can_delete(void **state)
{
	struct worker worker = { .queue = 1 };
	struct node owner, other;
	int status;

	(void)state;
	node_open(&owner, &(struct node_opts){ .queue = 2 });
	node_open(&other, &(struct node_opts){ 0 });
	worker.owner = &owner;
	stop = false;
	assert_int_equal(pthread_create(&worker.thread, NULL, create_and_delete_until_stopped,
					&worker), 0);
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();

		if (!child) {
			alarm(10);
			xsk_socket__delete(other.xsk);
			_exit(xsk_umem__delete(other.umem) ? 1 : 0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	stop = true;
	pthread_join(worker.thread, NULL);
	assert_int_equal(worker.err, 0);
	create_and_delete(&worker);
	assert_int_equal(worker.err, 0);
	node_receive(&other, &lab, COUNT);
	node_close(&other);
	node_close(&owner);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_sockets_on_one_queue),
		TEST(structs_given_for_a_queue_in_use),
		TEST(deleted_socket_leaves_the_map_of_the_user),
		TEST(deleted_socket_that_a_child_holds),
		TEST(fill_of_the_umem_with_another_completion),
		TEST(own_rings_after_others),
		TEST(entry_in_another_map),
		TEST(child_deletes_sockets_of_one_queue),
		TEST(two_queues_of_one_device),
		TEST(base_may_go_and_others_come),
		TEST(first_may_come_again),
		TEST(interface_that_goes_leaves_the_others),
		TEST(two_network_namespaces),
		TEST(same_ifindex_in_two_namespaces),
		TEST(umem_made_in_another_namespace),
		TEST(flags_that_are_not_inherited_are_an_error),
		TEST(new_queue_needs_its_own_rings),
		TEST(threads_create_and_delete_on_one_umem),
		TEST(child_of_a_busy_process_can_delete),
		/* Last: it moves lab1. */
		TEST(two_devices_in_one_namespace),
	};

	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
