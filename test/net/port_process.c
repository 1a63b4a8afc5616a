/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Processes with a port: in turn, killed in the middle of traffic, forked; and what is
 * left of them, which is nothing: neither queue nor program, nor what their NAPIs were
 * told.
 */
#include "ports.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 3000
#define OPTS(...) (struct xsk_port_opts){ __VA_ARGS__ }

static struct lab lab;
static struct lab_count before;
static int areas_before;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 1);
	lab_count(&before);
	areas_before = ports_areas();
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	assert_int_equal(ports_areas(), areas_before);
	lab_close(&lab);
	return 0;
}

static void pass_packets(struct xsk_port *port, uint32_t count)
{
	ports_receive(xsk_port_queue(port, 0), &lab, 7, count);
	ports_transmit(xsk_port_queue(port, 0), &lab, 8, count);
	ports_assert_law(port);
}

/* ---- a process of its own: no assertion may end it ---- */

/*
 * Sends back what comes, count packets in all; each must be one of the lab's. Returns 0
 * when they are sent, or what went wrong.
 */
static int echo(struct xsk_queue *queue, int count)
{
	struct xsk_frame frames[16];
	uint64_t deadline = now_ms() + 2 * WAIT_MS;
	int n, left = 0;

	while (count > 0 || left) {
		if (now_ms() > deadline)
			return 11;
		n = xsk_rx(queue, frames, 16);
		if (n < 0 || xsk_tx(queue, frames, n) != n)
			return 12;
		count -= n;
		left = xsk_flush(queue);
		if (left < 0)
			return 13;
		if (!n && count > 0 && xsk_wait(&queue, 1, 100) < 0)
			return 14;
	}
	return count ? 15 : 0;
}

struct user {
	pid_t pid;
	int ready;		/* a byte comes when it has the port */
};

static void tell(int fd)
{
	if (write(fd, "", 1) != 1)
		_exit(20);
}

static void await_ready(struct user *user)
{
	char byte;

	assert_int_equal(read(user->ready, &byte, 1), 1);
}

/* Opens lab0, echoes count packets, and closes it or leaves it open. */
static struct user start_user(struct xsk_port_opts opts, int count, bool closes)
{
	struct xsk_port *port;
	struct user user;
	int pipes[2], status;

	assert_int_equal(pipe(pipes), 0);
	user.ready = pipes[0];
	user.pid = fork();
	assert_true(user.pid >= 0);
	if (!user.pid) {
		opts.sz = sizeof(opts);
		if (xsk_port_open(&port, "lab0", &opts, NULL))
			_exit(10);
		tell(pipes[1]);
		status = echo(xsk_port_queue(port, 0), count);
		if (closes)
			xsk_port_close(port);
		_exit(status);
	}
	close(pipes[1]);
	return user;
}

static void end_user(struct user *user)
{
	int status;

	assert_int_equal(waitpid(user->pid, &status, 0), user->pid);
	assert_int_equal(status, 0);
	close(user->ready);
}

static void kill_user(struct user *user)
{
	int status;

	assert_int_equal(kill(user->pid, SIGKILL), 0);
	assert_int_equal(waitpid(user->pid, &status, 0), user->pid);
	assert_true(WIFSIGNALED(status));
	close(user->ready);
}

static void expect_echoes(uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++)
		lab_send(&lab, i, 100);
	for (uint32_t i = first; i < first + count; i++)
		lab_expect(&lab, i, 100);
}

/* ---- one after the other ---- */

/* In turn with another process, which closes it, or ends without, or is killed. */
static void opened_by_two_processes_in_turn(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct xsk_port *port = ports_open("lab0", OPTS(0));
		struct user user;

		pass_packets(port, 5);
		xsk_port_close(port);
		user = start_user(OPTS(0), i % 3 == 2 ? 1000 : 5, i % 3 == 1);
		await_ready(&user);
		expect_echoes((uint32_t)i, 5);
		(i % 3 == 2 ? kill_user : end_user)(&user);
	}
}

/* ---- its process ---- */

static void killed_in_the_middle_of_traffic(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		struct xsk_port *port;
		struct user user = start_user(OPTS(0), 1 << 20, true);

		await_ready(&user);
		expect_echoes(0, 50);
		for (uint32_t k = 0; k < 100; k++)
			lab_send(&lab, k, 100);
		kill_user(&user);
		/* At once, while its program may be still on the way out; or after that. */
		if (i % 2)
			lab_assert_prog(&lab, 0, false);
		port = ports_open("lab0", OPTS(.flags = XSK_PORT_CHECKED));
		while (recv(lab.peer, (uint8_t[LAB_MAX_FRAME]){ 0 }, LAB_MAX_FRAME,
			    MSG_DONTWAIT) > 0)
			;
		pass_packets(port, 100);
		xsk_port_close(port);
		lab_assert_prog(&lab, 0, false);
	}
}

/* A child of a program that has a port ends as children do. */
static void child_ends_without_closing(void **state)
{
	struct xsk_port *port = ports_open("lab0", OPTS(.flags = XSK_PORT_CHECKED));

	(void)state;
	pass_packets(port, 50);
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (!pid && i == 2)
			raise(SIGKILL);
		if (!pid)
			_exit(0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		pass_packets(port, 50);
	}
	assert_int_not_equal(lab_prog_id(&lab, 0), 0);
	xsk_port_close(port);
}

/* Opens the port, and leaves it to a child of its own. */
static void become_daemon(int ready)
{
	struct xsk_port_opts opts = OPTS(.sz = sizeof(opts), .flags = XSK_PORT_CHECKED);
	struct xsk_port *port;
	pid_t parent = getpid();
	int status;

	if (xsk_port_open(&port, "lab0", &opts, NULL))
		_exit(10);
	tell(ready);
	if (echo(xsk_port_queue(port, 0), 20))
		_exit(11);
	if (fork())
		_exit(0);
	while (getppid() == parent)
		usleep(1000);
	tell(ready);
	status = echo(xsk_port_queue(port, 0), 100);
	xsk_port_close(port);
	if (!status)
		tell(ready);
	_exit(status);
}

static void daemon_goes_on(void **state)
{
	struct user user;
	int pipes[2], status;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	user.pid = fork();
	assert_true(user.pid >= 0);
	if (!user.pid)
		become_daemon(pipes[1]);
	close(pipes[1]);
	user.ready = pipes[0];
	await_ready(&user);
	expect_echoes(0, 20);
	assert_int_equal(waitpid(user.pid, &status, 0), user.pid);
	assert_int_equal(status, 0);
	/* Of the child, which nobody waits for. */
	await_ready(&user);
	assert_int_not_equal(lab_prog_id(&lab, 0), 0);
	expect_echoes(50, 100);
	await_ready(&user);
	close(user.ready);
	lab_assert_prog(&lab, 0, false);
}

/* ---- its NAPIs ---- */

/* All that netdev's netlink tells of the NAPIs of lab0, as it is told. */
struct napis {
	size_t len;
	uint8_t bytes[2048];
};

struct request {
	struct nlmsghdr header;
	struct genlmsghdr generic;
	struct nlattr attr;
	uint8_t payload[8];
};

enum { NETDEV_NAPI_GET = 11, NETDEV_NAPI_IFINDEX = 1 };

static ssize_t ask(int fd, uint16_t type, uint16_t flags, uint8_t command, uint16_t attr,
		   const void *payload, size_t len, uint8_t answer[4096])
{
	struct request request = {
		.header = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags },
		.generic = { .cmd = command, .version = 1 },
		.attr = { .nla_type = attr, .nla_len = (uint16_t)(NLA_HDRLEN + len) },
	};

	memcpy(request.payload, payload, len);
	request.header.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN + NLA_HDRLEN + NLA_ALIGN(len));
	assert_int_equal(send(fd, &request, request.header.nlmsg_len, 0),
			 request.header.nlmsg_len);
	return recv(fd, answer, 4096, 0);
}

/* netdev's number; 0: this kernel has none. */
static uint16_t family(int fd, uint8_t answer[4096])
{
	ssize_t len = ask(fd, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
			  "netdev", 7, answer);
	ssize_t at = NLMSG_HDRLEN + GENL_HDRLEN;

	if (((struct nlmsghdr *)(void *)answer)->nlmsg_type == NLMSG_ERROR)
		return 0;
	while (at < len) {
		struct nlattr *attr = (void *)(answer + at);

		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(uint16_t *)(void *)(answer + at + NLA_HDRLEN);
		at += NLA_ALIGN(attr->nla_len);
	}
	return 0;
}

static struct napis look(void)
{
	uint8_t answer[4096] __attribute__((aligned(8)));
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	struct nlmsghdr *header = (void *)answer;
	uint16_t netdev = family(fd, answer);
	struct napis napis = { 0 };
	unsigned int len;

	len = !netdev ? 0 : (unsigned int)ask(fd, netdev, NLM_F_DUMP, NETDEV_NAPI_GET,
				     NETDEV_NAPI_IFINDEX, &lab.ifindex[0], 4, answer);
	for (; NLMSG_OK(header, len) && header->nlmsg_type == netdev;
	     header = NLMSG_NEXT(header, len)) {
		size_t size = header->nlmsg_len - NLMSG_HDRLEN;

		assert_true(napis.len + size <= sizeof(napis.bytes));
		memcpy(napis.bytes + napis.len, NLMSG_DATA(header), size);
		napis.len += size;
	}
	close(fd);
	return napis;
}

static bool same(const struct napis *one, const struct napis *other)
{
	return one->len == other->len && !memcmp(one->bytes, other->bytes, one->len);
}

/* While a port busy-polls they are set to something else; then, and after a crash, back. */
static void napis_of_one_that_was_killed(void **state)
{
	const struct xsk_port_opts opts = OPTS(.wait = XSK_WAIT_BUSY_POLL);
	struct napis first, now;
	struct xsk_port *port;
	struct user user;

	(void)state;
	lab_run("ethtool -K lab0 gro on");
	first = look();
	if (!first.len) {
		print_message("# skipped: this kernel does not tell of NAPIs\n");
		skip();
	}
	port = ports_open("lab0", opts);
	now = look();
	if (same(&now, &first)) {
		xsk_port_close(port);
		print_message("# skipped: this kernel has no settings for each NAPI\n");
		skip();
	}
	pass_packets(port, 50);
	xsk_port_close(port);
	now = look();
	assert_true(same(&now, &first));

	for (int i = 0; i < 2; i++) {
		user = start_user(opts, 1 << 20, true);
		await_ready(&user);
		expect_echoes(0, 50);
		kill_user(&user);
		now = look();
		assert_false(same(&now, &first));
		/* The next one need not busy-poll itself. */
		port = ports_open("lab0", i ? opts : OPTS(0));
		now = look();
		assert_int_equal(same(&now, &first), !i);
		pass_packets(port, 50);
		xsk_port_close(port);
		now = look();
		assert_true(same(&now, &first));
	}
	lab_run("ethtool -K lab0 gro off");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_lab, close_lab)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opened_by_two_processes_in_turn),
		TEST(killed_in_the_middle_of_traffic),
		TEST(child_ends_without_closing),
		TEST(daemon_goes_on),
		TEST(napis_of_one_that_was_killed),
	};

	return cmocka_run_group_tests_name("port_process", tests, NULL, NULL);
}
