/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Who holds a queue: the kernel's list of sockets is made here, and the processes
 * are real ones, found by /proc.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/sock_diag.h>
#include <linux/xdp_diag.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "holder.h"
#include "kernel.h"
#include "netlink.h"

#define IFINDEX 12
#define QUEUE 3
#define DIRT 0xa5

struct message {
	uint8_t room[256] __attribute__((aligned(8)));
};

static struct {
	int err;
	struct message messages[4];
	int count, taken;
	uint8_t request[256] __attribute__((aligned(8)));
} kernel;

static int reset(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	return 0;
}

int xsk_netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t each, void *data)
{
	int more = MNL_CB_OK;

	assert_int_equal(bus, NETLINK_SOCK_DIAG);
	memcpy(kernel.request, request, request->nlmsg_len);
	if (kernel.err)
		return kernel.err;
	while (kernel.taken < kernel.count && more == MNL_CB_OK)
		more = each((const void *)kernel.messages[kernel.taken++].room, data);
	return more == MNL_CB_ERROR ? -EPROTO : 0;
}

static struct nlmsghdr *add_socket(uint32_t inode, uint32_t ifindex, uint32_t queue)
{
	struct xdp_diag_info info = { .ifindex = ifindex, .queue_id = queue };
	struct nlmsghdr *header = mnl_nlmsg_put_header(kernel.messages[kernel.count++].room);
	struct xdp_diag_msg *socket;

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	socket = mnl_nlmsg_put_extra_header(header, sizeof(*socket));
	socket->xdiag_family = AF_XDP;
	socket->xdiag_ino = inode;
	mnl_attr_put(header, XDP_DIAG_INFO, sizeof(info), &info);
	return header;
}

static uint32_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint32_t)st.st_ino;
}

static void this_process(void **state)
{
	const struct nlmsghdr *request = (const void *)kernel.request;
	const struct xdp_diag_req *which = mnl_nlmsg_get_payload(request);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct xsk_holder holder;

	(void)state;
	add_socket(1, IFINDEX, QUEUE + 1);
	add_socket(2, IFINDEX + 1, QUEUE);
	add_socket(inode_of(fd), IFINDEX, QUEUE);
	add_socket(4, IFINDEX, QUEUE);
	assert_int_equal(xsk_holder_find(&holder, IFINDEX, QUEUE), 0);
	assert_int_equal(holder.pid, getpid());
	assert_string_equal(holder.name, "unit-holder");
	assert_int_equal(kernel.taken, 3);
	assert_int_equal(request->nlmsg_type, SOCK_DIAG_BY_FAMILY);
	assert_int_equal(request->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_int_equal(which->sdiag_family, AF_XDP);
	assert_int_equal(which->xdiag_show, XDP_SHOW_INFO);
	close(fd);
}

/* With a name of its own, as long as names can be, and a line's end in it. */
static void another_process(void **state)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), ready[2], status;
	uint32_t inode = inode_of(fd);
	struct xsk_holder holder;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_NAME, "fifteen_letters");
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	close(fd);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	add_socket(inode, IFINDEX, QUEUE);
	assert_int_equal(xsk_holder_find(&holder, IFINDEX, QUEUE), 0);
	assert_int_equal(holder.pid, pid);
	assert_string_equal(holder.name, "fifteen_letters");

	/* It ends: nobody has that socket. */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	kernel.taken = 0;
	assert_int_equal(xsk_holder_find(&holder, IFINDEX, QUEUE), -ENOENT);
	close(ready[0]);
	close(ready[1]);
}

static void nobody(void **state)
{
	struct xsk_holder holder, untouched;

	(void)state;
	memset(&holder, DIRT, sizeof(holder));
	untouched = holder;
	assert_int_equal(xsk_holder_find(&holder, IFINDEX, QUEUE), -ENOENT);
	add_socket(1, IFINDEX, QUEUE + 1);
	assert_int_equal(xsk_holder_find(&holder, IFINDEX, QUEUE), -ENOENT);
	/* Sockets that are bound to nothing have no interface. */
	reset(NULL);
	add_socket(1, 0, 0);
	assert_int_equal(xsk_holder_find(&holder, 0, 0), -ENOENT);
	assert_int_equal(kernel.taken, 0);
	/* A kernel without it. */
	kernel.err = -ENOENT;
	assert_int_equal(xsk_holder_find(&holder, IFINDEX, QUEUE), -ENOENT);
	assert_memory_equal(&holder, &untouched, sizeof(holder));
}

static void no_answer(void **state)
{
	struct xsk_holder_query query = { IFINDEX, QUEUE, 0 };
	struct nlmsghdr *header = add_socket(9, IFINDEX, QUEUE);
	struct message message;
	struct nlmsghdr *cut = (void *)message.room;
	struct xdp_diag_msg *socket;

	(void)state;
	header->nlmsg_type++;
	assert_int_equal(xsk_holder_parse(&query, header), -EPROTO);
	header->nlmsg_type--;

	/* Too short for what it says it is; an attribute that is. */
	memset(&message, 0, sizeof(message));
	memcpy(cut, header, NLMSG_HDRLEN);
	for (uint32_t len = NLMSG_HDRLEN; len < NLMSG_HDRLEN + sizeof(*socket); len++) {
		cut->nlmsg_len = len;
		assert_int_equal(xsk_holder_parse(&query, cut), -EPROTO);
	}
	cut = mnl_nlmsg_put_header(message.room);
	cut->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	mnl_nlmsg_put_extra_header(cut, sizeof(*socket));
	mnl_attr_put_u32(cut, XDP_DIAG_INFO, IFINDEX);
	assert_int_equal(xsk_holder_parse(&query, cut), -EPROTO);
	assert_int_equal(query.inode, 0);
	assert_int_equal(xsk_holder_parse(&query, header), 0);
	assert_int_equal(query.inode, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(this_process, reset),
		cmocka_unit_test_setup(another_process, reset),
		cmocka_unit_test_setup(nobody, reset),
		cmocka_unit_test_setup(no_answer, reset),
	};

	return cmocka_run_group_tests_name("holder", tests, NULL, NULL);
}
