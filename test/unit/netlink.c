/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * One question and whatever comes back: lib/netlink.c on a socket that is faked
 * here. libmnl believes the lengths that messages give themselves; we do not.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>

#include "netlink.h"

#define PORT 77

/* ---- the socket ---- */

static struct {
	const void *datagrams[4];
	size_t lens[4];
	int count, taken;
	int fail_with;			/* errno of the first receive; 0: none */
	int open;
} bus;

/* libmnl's own is opaque; it is never looked into. */
static int the_socket;

struct mnl_socket *mnl_socket_open2(int number, int flags)
{
	assert_int_equal(number, NETLINK_ROUTE);
	assert_true(flags);
	bus.open++;
	return (void *)&the_socket;
}

int mnl_socket_bind(struct mnl_socket *socket, unsigned int groups, pid_t pid)
{
	assert_ptr_equal(socket, &the_socket);
	assert_int_equal(groups, 0);
	(void)pid;
	return 0;
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *socket)
{
	(void)socket;
	return PORT;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *socket, const void *buffer, size_t len)
{
	(void)socket;
	assert_int_equal(((const struct nlmsghdr *)buffer)->nlmsg_len, len);
	return (ssize_t)len;
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *socket, void *buffer, size_t len)
{
	size_t mine;

	(void)socket;
	if (bus.fail_with) {
		errno = bus.fail_with;
		bus.fail_with = 0;
		return -1;
	}
	if (bus.taken == bus.count)
		fail_msg("it would wait for ever");
	mine = bus.lens[bus.taken];
	assert_true(mine <= len);
	memcpy(buffer, bus.datagrams[bus.taken++], mine);
	return (ssize_t)mine;
}

int mnl_socket_close(struct mnl_socket *socket)
{
	assert_ptr_equal(socket, &the_socket);
	bus.open--;
	return 0;
}

/* ---- messages ---- */

struct message {
	struct nlmsghdr header;
	union {
		struct nlmsgerr error;
		uint8_t bytes[64];
	} body;
};

static int reset(void **state)
{
	(void)state;
	memset(&bus, 0, sizeof(bus));
	return 0;
}

static struct message new_message(uint16_t type, size_t len)
{
	struct message message;

	memset(&message, 0, sizeof(message));
	message.header = (struct nlmsghdr){ .nlmsg_len = (uint32_t)len, .nlmsg_type = type,
					    .nlmsg_seq = 1, .nlmsg_pid = PORT };
	return message;
}

static struct message new_error(int error)
{
	struct message message = new_message(NLMSG_ERROR, NLMSG_HDRLEN + sizeof(struct nlmsgerr));

	message.body.error.error = error;
	return message;
}

static void answer(const void *datagram, size_t len)
{
	assert_true(bus.count < 4);
	bus.datagrams[bus.count] = datagram;
	bus.lens[bus.count++] = len;
}

static int seen;			/* messages that were handed on */
static int each_returns;
static int each_errno;

static int each(const struct nlmsghdr *message, void *data)
{
	assert_ptr_equal(data, &seen);
	assert_true(message->nlmsg_len >= sizeof(*message));
	seen++;
	errno = each_errno;
	return each_returns;
}

static int ask(int returns)
{
	struct nlmsghdr request = { .nlmsg_len = sizeof(request), .nlmsg_type = RTM_GETLINK };
	int err;

	seen = 0;
	each_returns = returns;
	err = xsk_netlink_ask(NETLINK_ROUTE, &request, each, &seen);
	assert_int_equal(bus.open, 0);
	return err;
}

static int ask_of(const void *datagram, size_t len)
{
	reset(NULL);
	answer(datagram, len);
	return ask(MNL_CB_STOP);
}

/* ---- the tests ---- */

static void answers(void **state)
{
	struct message message = new_message(RTM_NEWLINK, 40), more[2];

	(void)state;
	assert_int_equal(ask_of(&message, 40), 0);
	assert_int_equal(seen, 1);

	/* The kernel pads, or does not. */
	message = new_message(RTM_NEWLINK, 37);
	assert_int_equal(ask_of(&message, 37), 0);
	assert_int_equal(ask_of(&message, 40), 0);

	/* Several in one datagram and in several, to the end. */
	more[0] = more[1] = new_message(RTM_NEWLINK, sizeof(more[0]));
	message = new_message(NLMSG_DONE, 20);
	reset(NULL);
	answer(more, sizeof(more));
	answer(more, sizeof(more[0]));
	answer(&message, 20);
	assert_int_equal(ask(MNL_CB_OK), 0);
	assert_int_equal(seen, 3);

	/* After a signal it is asked for again. */
	reset(NULL);
	bus.fail_with = EINTR;
	answer(more, sizeof(more));
	assert_int_equal(ask(MNL_CB_STOP), 0);
	assert_int_equal(seen, 1);
	reset(NULL);
	bus.fail_with = ENOBUFS;
	assert_int_equal(ask(MNL_CB_STOP), -ENOBUFS);
}

static void lengths_that_cannot_be(void **state)
{
	static const uint32_t wrong[] = { 0, 1, 15, 41, 44, 1 << 20, 0x7fffffff, 0x80000000,
					  0xffffffd8, 0xffffffff };
	struct message message, two[2];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		message = new_message(RTM_NEWLINK, wrong[i]);
		assert_int_equal(ask_of(&message, 40), -EPROTO);
		assert_int_equal(seen, 0);

		/* Also of a second one. */
		two[0] = new_message(RTM_NEWLINK, sizeof(two[0]));
		two[1] = message;
		assert_int_equal(ask_of(two, sizeof(two[0]) + 40), -EPROTO);
		assert_int_equal(seen, 0);
	}
	/* Less than a header, and nothing at all: no other answer will come. */
	message = new_message(RTM_NEWLINK, 16);
	for (size_t len = 0; len < 16; len++)
		assert_int_equal(ask_of(&message, len), -EPROTO);
}

static void errors(void **state)
{
	static const int no_errors[] = { INT_MIN, INT_MAX, -4096, -100000, 4096 };
	struct message message = new_error(-ENODEV);
	size_t len = message.header.nlmsg_len;

	(void)state;
	assert_int_equal(ask_of(&message, len), -ENODEV);
	assert_int_equal(seen, 0);
	message = new_error(-4095);
	assert_int_equal(ask_of(&message, len), -4095);
	/* An acknowledgement. */
	message = new_error(0);
	assert_int_equal(ask_of(&message, len), 0);

	for (size_t i = 0; i < sizeof(no_errors) / sizeof(no_errors[0]); i++) {
		message = new_error(no_errors[i]);
		assert_int_equal(ask_of(&message, len), -EPROTO);
	}
}

/* Whatever libmnl has left in errno meanwhile. */
static void what_was_not_asked_for(void **state)
{
	static const int errnos[] = { 0, ERANGE, EINVAL, -1, 5000 };
	struct message message = new_message(RTM_NEWLINK, 40);

	(void)state;
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		reset(NULL);
		each_errno = errnos[i];
		answer(&message, 40);
		assert_int_equal(ask(MNL_CB_ERROR), -EPROTO);
		assert_int_equal(seen, 1);
	}
	each_errno = 0;

	/* To another question, or to another. */
	message.header.nlmsg_seq = 2;
	assert_true(ask_of(&message, 40) < 0);
	message.header.nlmsg_seq = 1;
	message.header.nlmsg_pid = PORT + 1;
	assert_true(ask_of(&message, 40) < 0);
	assert_int_equal(seen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(answers, reset),
		cmocka_unit_test_setup(lengths_that_cannot_be, reset),
		cmocka_unit_test_setup(errors, reset),
		cmocka_unit_test_setup(what_was_not_asked_for, reset),
	};

	return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
