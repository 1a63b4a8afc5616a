/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Create, delete, create again: after success, after failure, in other processes. */
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"
#include "user_prog.h"

#define ROUNDS 100

static struct lab lab;
static struct lab_count before;

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

static int count(void **state)
{
	(void)state;
	lab_count(&before);
	return 0;
}

/* Of while_signals_arrive; where that fails, the others are to be left alone. */
static pid_t signaller;

static void end_signaller(void)
{
	if (!signaller)
		return;
	kill(signaller, SIGKILL);
	/* Its last signal may still arrive. */
	while (waitpid(signaller, NULL, 0) != signaller)
		assert_int_equal(errno, EINTR);
	signaller = 0;
}

static int nothing_left(void **state)
{
	(void)state;
	end_signaller();
	lab_enter(&lab, 0);
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	return 0;
}

/* After its socket is deleted, the rings are gone and all frames in hand. */
static void start_over(struct node *node)
{
	node->nfree = 0;
	for (uint32_t i = 0; i < node->opts.frames; i++)
		node->free[node->nfree++] = (uint64_t)i * node->opts.frame_size;
	node->in_fill = 0;
}

static void delete_socket(struct node *node)
{
	xsk_socket__delete(node->xsk);
	node->xsk = NULL;
	start_over(node);
}

static void a_hundred_times_on_one_umem(void **state)
{
	struct node node;
	int umem_fd;

	(void)state;
	assert_int_equal(node_umem(&node, &(struct node_opts){ 0 }), 0);
	umem_fd = xsk_umem__fd(node.umem);
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(node_socket(&node), 0);
		assert_int_equal(xsk_umem__fd(node.umem), umem_fd);
		node_receive(&node, &lab, 20);
		node_transmit(&node, &lab, 20);
		delete_socket(&node);
		assert_int_equal(xsk_umem__fd(node.umem), umem_fd);
	}
	node_close(&node);
}

/* The UMEM's FILL ring can be filled at any time, also between two sockets. */
static void filled_before_each_create(void **state)
{
	struct node node;

	(void)state;
	assert_int_equal(node_umem(&node, &(struct node_opts){ .fill_size = 64 }), 0);
	for (uint32_t round = 0; round < 5; round++) {
		node_fill(&node, 40);
		assert_int_equal(node_socket(&node), 0);
		for (uint32_t i = 0; i < 40; i++)
			lab_send(&lab, i, 100);
		for (uint32_t i = 0; i < 40; i++)
			assert_int_equal(node_receive_one(&node, 2000), i);
		node_receive(&node, &lab, 200);
		node_transmit(&node, &lab, 200);
		delete_socket(&node);
		assert_int_equal(xsk_prod_nb_free(&node.fill, 64), 64);
		assert_int_equal(xsk_cons_nb_avail(&node.comp, 64), 0);
	}
	node_close(&node);
}

static void a_hundred_times_from_two_processes(void **state)
{
	struct actor actor;
	struct node node;

	(void)state;
	assert_int_equal(node_umem(&node, &(struct node_opts){ 0 }), 0);
	for (uint32_t i = 0; i < ROUNDS / 2; i++) {
		assert_int_equal(node_socket(&node), 0);
		node_receive(&node, &lab, 5);
		delete_socket(&node);

		actor_start(&actor, 0);
		lab_send(&lab, i, 100);
		actor_expect(&actor, i);
		(i % 2 ? actor_stop : actor_kill)(&actor);
	}
	node_close(&node);
}

static void a_hundred_umems(void **state)
{
	struct node node;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		node_open(&node, &(struct node_opts){ .tx = true, .frames = 64 });
		node_transmit(&node, &lab, 5);
		node_close(&node);
	}
}

/* The caller's frames in FILL, and what he has only reserved, survive a failure. */
static void after_ebusy_with_filled_ring(void **state)
{
	struct actor actor;
	struct node node;
	uint32_t at = 0;

	(void)state;
	actor_start(&actor, 0);
	assert_int_equal(node_umem(&node, &(struct node_opts){ 0 }), 0);
	node_fill(&node, 30);
	assert_int_equal(xsk_ring_prod__reserve(&node.fill, 2, &at), 2);
	assert_int_equal(node_socket(&node), -EBUSY);
	assert_int_equal(node_socket(&node), -EBUSY);

	/* The one that has the queue has not noticed. */
	lab_send(&lab, 3, 100);
	actor_expect(&actor, 3);
	actor_stop(&actor);

	assert_int_equal(node_socket(&node), 0);
	*xsk_ring_prod__fill_addr(&node.fill, at) = node.free[--node.nfree];
	*xsk_ring_prod__fill_addr(&node.fill, at + 1) = node.free[--node.nfree];
	xsk_ring_prod__submit(&node.fill, 2);
	node.in_fill += 2;
	for (uint32_t i = 0; i < 32; i++)
		lab_send(&lab, i, 100);
	for (uint32_t i = 0; i < 32; i++)
		assert_int_equal(node_receive_one(&node, 2000), i);
	node_receive(&node, &lab, 100);
	node_close(&node);
}

/* The kernel keeps the ring of a failed try: the next must not believe its own size. */
static void after_failure_with_other_ring_sizes(void **state)
{
	static const uint32_t sizes[] = { 2048, 64, 256, 32 };
	struct user_prog prog;
	struct node node;

	(void)state;
	user_prog_load(&prog, USER_MAP_NONE, 0);
	user_prog_attach(&prog, lab.ifindex[0], true);
	assert_int_equal(node_umem(&node, &(struct node_opts){ 0 }), 0);
	node_fill(&node, 64);
	for (size_t i = 0; i < 4; i++) {
		node.opts.rx_size = node.opts.tx_size = sizes[i];
		assert_int_equal(node_socket(&node), -EBUSY);
	}
	user_prog_unload(&prog);
	lab_assert_prog(&lab, 0, false);

	node.opts.rx_size = 128;
	node.opts.tx_size = 32;
	assert_int_equal(node_socket(&node), 0);
	assert_int_equal(node.rx.size, 128);
	assert_int_equal(node.tx.size, 32);
	node_receive(&node, &lab, 300);
	node_transmit(&node, &lab, 300);
	node_close(&node);
}

/* As Open vSwitch does: zero-copy, else the UMEM anew on the same area with copy. */
static void after_zero_copy_was_refused(void **state)
{
	struct node node, again;

	(void)state;
	assert_int_equal(node_umem(&node, &(struct node_opts){
		.bind_flags = XDP_ZEROCOPY | XDP_USE_NEED_WAKEUP }), 0);
	node_fill(&node, 30);
	assert_int_equal(node_socket(&node), -EOPNOTSUPP);
	lab_assert_prog(&lab, 0, false);
	assert_int_equal(xsk_umem__delete(node.umem), 0);

	again = node;
	assert_int_equal(xsk_umem__create(&again.umem, node.area, node.size, &again.fill,
					  &again.comp, NULL), 0);
	start_over(&again);
	again.opts.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP;
	assert_int_equal(node_socket(&again), 0);
	node_receive(&again, &lab, 100);
	node_transmit(&again, &lab, 100);
	node_close(&again);
}

/* Or with copy on the same UMEM at once. */
static void after_zero_copy_was_refused_on_one_umem(void **state)
{
	struct node node;

	(void)state;
	assert_int_equal(node_umem(&node, &(struct node_opts){ .bind_flags = XDP_ZEROCOPY }), 0);
	assert_int_equal(node_socket(&node), -EOPNOTSUPP);
	node.opts.bind_flags = XDP_COPY;
	assert_int_equal(node_socket(&node), 0);
	node_receive(&node, &lab, 100);
	node_close(&node);
}

/* ---- processes that end in the middle ---- */

static void create_until_killed(void)
{
	for (;;) {
		struct xsk_ring_prod fill, tx;
		struct xsk_ring_cons comp, rx;
		struct xsk_socket *xsk;
		struct xsk_umem *umem;
		void *area = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (xsk_umem__create(&umem, area, 1 << 20, &fill, &comp, NULL))
			_exit(1);
		if (!xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, NULL))
			xsk_socket__delete(xsk);
		xsk_umem__delete(umem);
		munmap(area, 1 << 20);
	}
}

static void after_creations_that_were_killed(void **state)
{
	struct node node;
	int status;

	(void)state;
	for (unsigned int i = 0; i < 60; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid)
			create_until_killed();
		usleep(i * 1777 % 60000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	lab_assert_prog(&lab, 0, false);
	node_open(&node, &(struct node_opts){ 0 });
	node_receive(&node, &lab, 100);
	node_close(&node);
}

static void on_signal(int signo)
{
	(void)signo;
}

/* A signal in the middle of the wait for a queue does not end the wait. */
static void while_signals_arrive(void **state)
{
	struct sigaction action = { .sa_handler = on_signal }, old;
	struct node node;
	pid_t parent = getpid();

	(void)state;
	sigaction(SIGUSR1, &action, &old);
	signaller = fork();
	assert_true(signaller >= 0);
	if (!signaller) {
		for (;;) {
			kill(parent, SIGUSR1);
			usleep(500);
		}
	}
	assert_int_equal(node_umem(&node, &(struct node_opts){ 0 }), 0);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(node_socket(&node), 0);
		delete_socket(&node);
	}
	end_signaller();
	sigaction(SIGUSR1, &old, NULL);
	assert_int_equal(node_socket(&node), 0);
	node_receive(&node, &lab, 50);
	node_close(&node);
}

/* ---- fork ---- */

static void delete_in_child(struct node *node)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		xsk_socket__delete(node->xsk);
		_exit(xsk_umem__delete(node->umem) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void made_before_fork_deleted_in_the_child(void **state)
{
	struct node node;

	(void)state;
	node_open(&node, &(struct node_opts){ 0 });
	node_receive(&node, &lab, 50);
	delete_in_child(&node);
	node_receive(&node, &lab, 50);
	node_transmit(&node, &lab, 50);
	node_close(&node);
}

/* As NSD does: the parent makes it, the child uses it; here the parent goes first. */
static void made_before_fork_used_in_the_child(void **state)
{
	struct node node;
	int status, go[2];
	pid_t pid;
	char byte;

	(void)state;
	node_open(&node, &(struct node_opts){ 0 });
	node_fill(&node, 64);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (!pid) {
		struct pollfd fd = { .fd = xsk_socket__fd(node.xsk), .events = POLLIN };
		uint32_t at;

		if (read(go[0], &byte, 1) != 1 || poll(&fd, 1, 2000) != 1 ||
		    !xsk_ring_cons__peek(&node.rx, 1, &at))
			_exit(1);
		xsk_socket__delete(node.xsk);
		_exit(xsk_umem__delete(node.umem) ? 2 : 0);
	}
	xsk_socket__delete(node.xsk);
	assert_int_equal(xsk_umem__delete(node.umem), 0);
	lab_send(&lab, 9, 100);
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	node_memory_free(node.area, node.size);
	close(go[0]);
	close(go[1]);
}

/* ---- a socket that was handed over ---- */

static int create_with_fd(struct node *node, int fd)
{
	return xsk_umem__create_with_fd(&node->umem, fd, node->area, node->size, &node->fill,
					&node->comp, NULL);
}

static void handed_descriptor_is_the_umems(void **state)
{
	struct node node;
	int fd;

	(void)state;
	assert_int_equal(node_umem(&node, &(struct node_opts){ 0 }), 0);
	assert_int_equal(xsk_umem__delete(node.umem), 0);

	fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_int_equal(create_with_fd(&node, fd), 0);
	assert_int_equal(xsk_umem__fd(node.umem), fd);
	assert_int_equal(node_socket(&node), 0);
	assert_int_equal(xsk_socket__fd(node.xsk), fd);
	node_receive(&node, &lab, 50);
	delete_socket(&node);

	/* A further life, and the number is still the UMEM's own to close. */
	assert_int_equal(node_socket(&node), 0);
	node_receive(&node, &lab, 50);
	node_close(&node);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hundred_times_on_one_umem),
		TEST(filled_before_each_create),
		TEST(a_hundred_times_from_two_processes),
		TEST(a_hundred_umems),
		TEST(after_ebusy_with_filled_ring),
		TEST(after_failure_with_other_ring_sizes),
		TEST(after_zero_copy_was_refused),
		TEST(after_zero_copy_was_refused_on_one_umem),
		TEST(after_creations_that_were_killed),
		TEST(while_signals_arrive),
		TEST(made_before_fork_deleted_in_the_child),
		TEST(made_before_fork_used_in_the_child),
		TEST(handed_descriptor_is_the_umems),
	};

	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
