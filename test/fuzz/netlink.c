/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The bytes are the kernel's answers over netlink. What the library asks with is
 * its own code down to libmnl; the socket below it is made here, by the linker's
 * --wrap.
 *
 * An input: a byte that says what is asked, then datagrams, each after two bytes
 * (little-endian): its length, or, with bit 15, the errno with which the receive
 * fails. When they are used up, receiving fails as after a timeout.
 *
 * Everything is asked twice, with different bytes behind the datagram in the
 * buffer and in the place for the result. What comes out must be the same: who
 * reads behind the end is seen so, in libmnl too, which is not instrumented, and
 * who returns success without a result.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>

#include "holder.h"
#include "input.h"
#include "netdev.h"
#include "netlink.h"

#define IFINDEX 12
#define PORT 1234
#define FAILS 0x8000
#define QUESTIONS 9
#define MAX_QUEUES 6

/* More than any kernel sends in answer to one question. */
#define MAX_RECEIVES 4096

/* The highest errno: what is above is a pointer's, or nothing. */
#define MAX_ERRNO 4095

/* ---- the socket ---- */

static struct {
	struct input input;
	uint8_t dirt;
	unsigned int receives;
	int open;
} kernel;

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags);
int __wrap_mnl_socket_bind(struct mnl_socket *sock, unsigned int groups, pid_t pid);
unsigned int __wrap_mnl_socket_get_portid(const struct mnl_socket *sock);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *sock, const void *request, size_t len);
ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *sock, void *buffer, size_t size);
int __wrap_mnl_socket_close(struct mnl_socket *sock);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what)
{
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

/* Never looked into: from malloc(), so that one that is left is a leak. */
struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags)
{
	(void)bus;
	(void)flags;
	kernel.open++;
	return malloc(1);
}

int __wrap_mnl_socket_bind(struct mnl_socket *sock, unsigned int groups, pid_t pid)
{
	(void)sock;
	(void)groups;
	(void)pid;
	return 0;
}

unsigned int __wrap_mnl_socket_get_portid(const struct mnl_socket *sock)
{
	(void)sock;
	return PORT;
}

/* Reads the request: it is defined to its end. */
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *sock, const void *request, size_t len)
{
	(void)sock;
	if (!mnl_nlmsg_ok(request, (int)len))
		fail("the request is shorter than its header says");
	return (ssize_t)len;
}

ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *sock, void *buffer, size_t size)
{
	uint16_t head;
	size_t len;

	(void)sock;
	if (++kernel.receives > MAX_RECEIVES)
		fail("it receives for ever");
	if (!input_left(&kernel.input)) {
		errno = EAGAIN;
		return -1;
	}
	head = input_u16(&kernel.input);
	if (head & FAILS) {
		errno = head & 0xff ? head & 0xff : EIO;
		return -1;
	}
	if (head > size) {
		errno = ENOSPC;		/* as libmnl says to a datagram that was cut */
		return -1;
	}
	memset(buffer, kernel.dirt, size);
	len = input_bytes(&kernel.input, buffer, head);
	/* The kernel's messages are padded to 4, whatever their header says. */
	memset((uint8_t *)buffer + len, 0, MNL_ALIGN(len) - len);
	return (ssize_t)len;
}

int __wrap_mnl_socket_close(struct mnl_socket *sock)
{
	kernel.open--;
	free(sock);
	return 0;
}

/* Which process it is, is not the kernel's answer: always the same here. */
int xsk_process_of_socket(pid_t *pid, char name[XSK_PROCESS_NAME_SIZE], uint64_t inode)
{
	(void)inode;
	*pid = 1;
	memset(name, 0, XSK_PROCESS_NAME_SIZE);
	return 0;
}

/* ---- the questions ---- */

struct result {
	int err;
	union {
		struct xsk_netdev dev;
		struct xsk_netdev_xdp xdp;
		struct xsk_netdev_channels channels;
		struct xsk_holder holder;
		uint64_t commands;
		uint32_t speed;
		struct {
			int count;
			uint32_t at[MAX_QUEUES];
		} queues;
		struct {
			int count;
			struct xsk_holder_socket last;
		} sockets;
		uint8_t bytes[256];
	};
};

static int ask_queues(struct result *result)
{
	uint32_t queues[MAX_QUEUES] = { 0 };
	int count = xsk_netdev_socket_queues(queues, MAX_QUEUES, IFINDEX);

	if (count < 0)
		return count;
	for (int i = 1; i < count && i < MAX_QUEUES; i++)
		if (queues[i] <= queues[i - 1])
			fail("queues out of order");
	memset(&result->queues, 0, sizeof(result->queues));
	result->queues.count = count;
	memcpy(result->queues.at, queues, sizeof(queues));
	return 0;
}

/* All are read: they must be there, and those of the interface. */
static int ask_sockets(struct result *result)
{
	struct xsk_holder_socket *sockets = NULL;
	int count = xsk_holder_sockets(&sockets, IFINDEX);

	if (count < 0)
		return count;
	memset(&result->sockets, 0, sizeof(result->sockets));
	result->sockets.count = count;
	for (int i = 0; i < count; i++) {
		if (sockets[i].ifindex != IFINDEX)
			fail("a socket of another interface");
		result->sockets.last = sockets[i];
	}
	free(sockets);
	return 0;
}

static int ask(uint8_t what, struct result *result)
{
	/* Only appended to: the recorded inputs count on the order. */
	switch (what % QUESTIONS) {
	case 0:
		return xsk_netdev_get(&result->dev, IFINDEX);
	case 1:
		return xsk_netdev_xdp(&result->xdp, IFINDEX);
	case 3:
		return xsk_netdev_channels(&result->channels, IFINDEX);
	case 4:
		return xsk_holder_find(&result->holder, IFINDEX, 3);
	case 5:
		return ask_queues(result);
	case 6:
		return xsk_netdev_commands(&result->commands);
	case 7:
		return xsk_netdev_speed(&result->speed, IFINDEX);
	case 8:
		return ask_sockets(result);
	}
	return xsk_netdev_set_xdp(IFINDEX, 5, -1, XDP_FLAGS_SKB_MODE);
}

static size_t result_size(uint8_t what)
{
	static const size_t sizes[QUESTIONS] = {
		sizeof(struct xsk_netdev), sizeof(struct xsk_netdev_xdp), 0,
		sizeof(struct xsk_netdev_channels), sizeof(struct xsk_holder),
		sizeof(((struct result *)0)->queues), sizeof(uint64_t), sizeof(uint32_t),
		sizeof(((struct result *)0)->sockets),
	};

	return sizes[what % QUESTIONS];
}

static void ask_with(struct result *result, const uint8_t *data, size_t size, uint8_t dirt)
{
	uint8_t what;

	memset(result, dirt, sizeof(*result));
	kernel.input = (struct input){ data, data + size };
	kernel.dirt = dirt;
	kernel.receives = 0;
	what = input_u8(&kernel.input);
	errno = 0;
	result->err = ask(what, result);

	if (kernel.open)
		fail("a socket is left");
	if (result->err > 0 || result->err < -MAX_ERRNO)
		fail("neither 0 nor an errno");
	if (result->err)
		for (size_t i = 0; i < sizeof(result->bytes); i++)
			if (result->bytes[i] != dirt)
				fail("a failure touched the result");
}

/* The kernel pads to 4 what it sends, whatever the header says. */
static void parse_block(const struct nlmsghdr *block, size_t len)
{
	struct xsk_holder_socket socket;
	struct xsk_netdev dev;

	if (block->nlmsg_len < sizeof(*block) || MNL_ALIGN((size_t)block->nlmsg_len) > len)
		return;
	if (!xsk_netdev_parse(&dev, block) && !memchr(dev.name, '\0', sizeof(dev.name)))
		fail("a name without an end");
	xsk_holder_parse(&socket, block);
}

/* The first datagram alone, from a block of its length: ASan watches its end. */
static void parse_exactly(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	struct nlmsghdr *block;
	size_t len;

	input_u8(&in);
	len = input_u16(&in);
	if (len > input_left(&in))
		len = input_left(&in);
	if (len < sizeof(*block))
		return;
	block = malloc(len);
	if (!block)
		return;
	memcpy(block, in.at, len);
	parse_block(block, len);
	free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result one, two;

	ask_with(&one, data, size, 0x00);
	ask_with(&two, data, size, 0xa5);
	if (one.err != two.err)
		fail("the return value depends on what was not received");
	if (!one.err && size && memcmp(one.bytes, two.bytes, result_size(data[0])))
		fail("the result depends on what was not received");
	parse_exactly(data, size);
	return 0;
}
