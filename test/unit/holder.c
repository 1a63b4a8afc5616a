/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Sockets, and who holds a queue: the kernel's list is made here, and the processes are
 * real ones, found by /proc.
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
	uint8_t room[512] __attribute__((aligned(8)));
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

/* ---- messages ---- */

static bool is_dirt(const void *memory, size_t len)
{
	const unsigned char *bytes = memory;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != DIRT)
			return false;
	return true;
}

/* From a block of its length, which AddressSanitizer and valgrind watch. */
static int parse(struct xsk_holder_socket *socket, const struct nlmsghdr *header)
{
	size_t len = MNL_ALIGN(header->nlmsg_len);
	struct nlmsghdr *exact = malloc(len);
	int err;

	assert_non_null(exact);
	memcpy(exact, header, len);
	memset(socket, DIRT, sizeof(*socket));
	err = xsk_holder_parse(socket, exact);
	free(exact);
	if (err) {
		assert_int_equal(err, -EPROTO);
		assert_true(is_dirt(socket, sizeof(*socket)));
	}
	return err;
}

/* All that a kernel says of one. */
static struct nlmsghdr *add_whole_socket(uint32_t inode, uint32_t queue)
{
	struct nlmsghdr *header = add_socket(inode, IFINDEX, queue);
	struct xdp_diag_umem umem = { .size = 1 << 24, .id = 5, .num_pages = 4096,
				      .chunk_size = 4096, .headroom = 64, .ifindex = IFINDEX,
				      .queue_id = queue, .flags = XDP_DU_F_ZEROCOPY, .refs = 2 };
	struct xdp_diag_stats stats = { 1, 2, 3, 4, 5, 6 };

	mnl_attr_put_u32(header, XDP_DIAG_UID, 1000);
	mnl_attr_put_u32(header, XDP_DIAG_RX_RING, 2048);
	mnl_attr_put_u32(header, XDP_DIAG_TX_RING, 1024);
	mnl_attr_put(header, XDP_DIAG_UMEM, sizeof(umem), &umem);
	mnl_attr_put_u32(header, XDP_DIAG_UMEM_FILL_RING, 512);
	mnl_attr_put_u32(header, XDP_DIAG_UMEM_COMPLETION_RING, 256);
	mnl_attr_put(header, XDP_DIAG_STATS, sizeof(stats), &stats);
	return header;
}

static void all_of_it(void **state)
{
	struct xsk_holder_socket socket;

	(void)state;
	assert_int_equal(parse(&socket, add_whole_socket(9, QUEUE)), 0);
	assert_int_equal(socket.inode, 9);
	assert_int_equal(socket.ifindex, IFINDEX);
	assert_int_equal(socket.queue, QUEUE);
	assert_true(socket.uid_told);
	assert_int_equal(socket.uid, 1000);
	assert_int_equal(socket.rx_size, 2048);
	assert_int_equal(socket.tx_size, 1024);
	assert_int_equal(socket.fill_size, 512);
	assert_int_equal(socket.comp_size, 256);
	assert_int_equal(socket.umem.size, 1 << 24);
	assert_int_equal(socket.umem.chunk_size, 4096);
	assert_int_equal(socket.umem.flags, XDP_DU_F_ZEROCOPY);
	assert_true(socket.stats_told);
	assert_int_equal(socket.stats.n_rx_dropped, 1);
	assert_int_equal(socket.stats.n_tx_ring_empty, 6);
}

/* Of one that is bound to nothing there is little to say. */
static void little(void **state)
{
	struct xsk_holder_socket socket;

	(void)state;
	assert_int_equal(parse(&socket, add_socket(9, 0, 0)), 0);
	assert_false(socket.uid_told);
	assert_false(socket.stats_told);
	assert_int_equal(socket.ifindex, 0);
	assert_int_equal(socket.umem.size, 0);
	assert_int_equal(socket.rx_size, 0);
}

/* Too short for what it says it is, in each attribute; longer ones are newer kernels'. */
static void attribute_lengths(void **state)
{
	static const struct {
		uint16_t type;
		size_t least;
	} attributes[] = {
		{ XDP_DIAG_INFO, sizeof(struct xdp_diag_info) },
		{ XDP_DIAG_UID, 4 },
		{ XDP_DIAG_RX_RING, 4 },
		{ XDP_DIAG_TX_RING, 4 },
		{ XDP_DIAG_UMEM, sizeof(struct xdp_diag_umem) },
		{ XDP_DIAG_UMEM_FILL_RING, 4 },
		{ XDP_DIAG_UMEM_COMPLETION_RING, 4 },
		{ XDP_DIAG_STATS, sizeof(struct xdp_diag_stats) },
	};
	static const char zeroes[128];
	struct xsk_holder_socket socket;
	struct message message;

	(void)state;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		for (size_t len = 0; len < sizeof(zeroes); len++) {
			struct nlmsghdr *header = mnl_nlmsg_put_header(message.room);

			header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
			mnl_nlmsg_put_extra_header(header, sizeof(struct xdp_diag_msg));
			mnl_attr_put(header, attributes[i].type, len, zeroes);
			assert_int_equal(parse(&socket, header),
					 len < attributes[i].least ? -EPROTO : 0);
		}
	}
}

static void no_answer(void **state)
{
	struct nlmsghdr *header = add_whole_socket(9, QUEUE);
	uint32_t whole = header->nlmsg_len, least;
	struct xsk_holder_socket socket;

	(void)state;
	header->nlmsg_type++;
	assert_int_equal(parse(&socket, header), -EPROTO);
	header->nlmsg_type--;

	least = NLMSG_HDRLEN + sizeof(struct xdp_diag_msg);
	for (uint32_t len = NLMSG_HDRLEN; len < whole; len++) {
		header->nlmsg_len = len;
		if (len < least)
			assert_int_equal(parse(&socket, header), -EPROTO);
		else
			parse(&socket, header);
	}
	header->nlmsg_len = whole;
	assert_int_equal(parse(&socket, header), 0);
}

/* Bytes changed at random: nothing is read behind the end. */
static void garbled(void **state)
{
	struct nlmsghdr *header = add_whole_socket(9, QUEUE);
	uint32_t len = header->nlmsg_len - NLMSG_HDRLEN, refused = 0, taken = 0;
	uint64_t random = 0x9e3779b97f4a7c15;
	struct xsk_holder_socket socket;
	struct message bad;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		memcpy(bad.room, header, sizeof(bad.room));
		for (int j = 0; j < 1 + i % 4; j++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bad.room[NLMSG_HDRLEN + (uint32_t)(random >> 32) % len] =
				(uint8_t)(random & (random & 256 ? 255 : 31));
		}
		if (parse(&socket, (void *)bad.room))
			refused++;
		else
			taken++;
	}
	assert_true(refused > 200 && taken > 200);
}

/* ---- the list ---- */

static void list(void **state)
{
	const struct nlmsghdr *request = (const void *)kernel.request;
	const struct xdp_diag_req *which = mnl_nlmsg_get_payload(request);
	struct xsk_holder_socket *sockets = NULL;

	(void)state;
	assert_int_equal(xsk_holder_sockets(&sockets, IFINDEX), 0);
	free(sockets);
	add_whole_socket(1, 0);
	add_socket(2, IFINDEX + 1, 0);
	add_whole_socket(3, 1);
	add_socket(4, 0, 0);
	assert_int_equal(xsk_holder_sockets(&sockets, IFINDEX), 2);
	assert_int_equal(sockets[0].inode, 1);
	assert_int_equal(sockets[1].inode, 3);
	assert_int_equal(sockets[1].umem.refs, 2);
	free(sockets);
	assert_int_equal(which->xdiag_show, XDP_SHOW_INFO | XDP_SHOW_RING_CFG | XDP_SHOW_UMEM |
			 XDP_SHOW_STATS);
	kernel.taken = 0;
	assert_int_equal(xsk_holder_sockets(&sockets, 0), 1);
	assert_int_equal(sockets[0].inode, 4);
	free(sockets);
}

/* Refused, or broken off by what is no answer. */
static void no_list(void **state)
{
	struct xsk_holder_socket *sockets = (void *)&kernel;

	(void)state;
	add_whole_socket(1, 0);
	add_whole_socket(2, 0)->nlmsg_type++;
	assert_int_equal(xsk_holder_sockets(&sockets, IFINDEX), -EPROTO);
	kernel.err = -ENOENT;
	assert_int_equal(xsk_holder_sockets(&sockets, IFINDEX), -ENOENT);
	assert_ptr_equal(sockets, &kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(this_process, reset),
		cmocka_unit_test_setup(another_process, reset),
		cmocka_unit_test_setup(nobody, reset),
		cmocka_unit_test_setup(all_of_it, reset),
		cmocka_unit_test_setup(little, reset),
		cmocka_unit_test_setup(attribute_lengths, reset),
		cmocka_unit_test_setup(no_answer, reset),
		cmocka_unit_test_setup(garbled, reset),
		cmocka_unit_test_setup(list, reset),
		cmocka_unit_test_setup(no_list, reset),
	};

	return cmocka_run_group_tests_name("holder", tests, NULL, NULL);
}
