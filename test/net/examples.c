/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * net-examples SOURCE...: the examples, run as a user would, over veth: what they say
 * is what has happened. And each of them has at most 100 lines.
 */
#include "node.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_LINES 100
#define PATIENCE_S 10		/* until a line or a packet has to come */
#define PATIENCE_LINES 20	/* until the right one has; one comes each second */
#define NUMBERED 60		/* bytes of a packet with a number */

static struct lab lab;
static struct lab_count before;
static char **sources;

/* One that runs. What it says to either stream is read from here. */
struct example {
	pid_t pid;
	FILE *out;
	char line[1024];
};

static struct example examples[2];
static int sockets[2] = { -1, -1 };	/* open ones */

/* Those that take one interface. */
static const char *const receivers[] = { "receive", "echo", "epoll", "threads", NULL };

/* ---- running one ---- */

static void become(int out, char *const *argv)
{
	char path[PATH_MAX] = "", program[PATH_MAX + 32];

	/* However the test ends, it ends. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		_exit(127);
	snprintf(program, sizeof(program), "%s/../../examples/%s", dirname(path), argv[0]);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execv(program, argv);
	_exit(127);
}

static void patient(int fd)
{
	struct timeval wait = { .tv_sec = PATIENCE_S };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
}

/* In the caller's namespace. */
static void start_argv(struct example *example, char *const *argv)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	patient(pair[0]);
	example->pid = fork();
	assert_true(example->pid >= 0);
	if (!example->pid)
		become(pair[1], argv);
	close(pair[1]);
	example->out = fdopen(pair[0], "r");
	assert_non_null(example->out);
}

#define start(example, ...) start_argv(example, (char *const[]){ __VA_ARGS__, NULL })

/* The next line that contains this. */
static void await(struct example *example, const char *text)
{
	for (int i = 0; i < PATIENCE_LINES; i++) {
		if (!fgets(example->line, sizeof(example->line), example->out))
			break;
		if (strstr(example->line, text))
			return;
		print_message("# %s", example->line);
	}
	fail_msg("'%s' is not said", text);
}

/* The number behind this text in the line that has come last. */
static unsigned long number(const struct example *example, const char *text)
{
	const char *found = strstr(example->line, text);

	if (!found)
		fail_msg("no '%s' in: %s", text, example->line);
	return found ? strtoul(found + strlen(text), NULL, 10) : 0;
}

/* Its ports are open. */
static void await_ready(struct example *example, int ports)
{
	while (ports--) {
		await(example, " queue(s), ");
		assert_non_null(strstr(example->line, "zero-copy refused: "));
	}
}

static void interrupt(struct example *example)
{
	assert_int_equal(kill(example->pid, SIGINT), 0);
}

/* It has ended, or does so now, with this status. */
static void end(struct example *example, int wanted)
{
	int status;

	while (fgets(example->line, sizeof(example->line), example->out))
		print_message("# %s", example->line);
	fclose(example->out);
	assert_int_equal(waitpid(example->pid, &status, 0), example->pid);
	*example = (struct example){ 0 };
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), wanted);
}

/* Each second it says what it has received since the last time. */
static void await_sum(struct example *example, unsigned long wanted)
{
	unsigned long sum = 0;

	for (int i = 0; i < PATIENCE_LINES && sum < wanted; i++) {
		await(example, " packets/s");
		sum += strtoul(example->line, NULL, 10);
	}
	assert_int_equal(sum, wanted);
}

static void assert_frames_add_up(const struct example *example)
{
	assert_int_equal(number(example, "frames: "),
			 number(example, "pool ") + number(example, "FILL ") +
			 number(example, "RX ") + number(example, "caller ") +
			 number(example, "TX ") + number(example, "COMP "));
	assert_int_equal(number(example, "caller "), 0);
}

/* ---- around each case ---- */

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 2);
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
	lab_enter(&lab, 0);
	lab_count(&before);
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		if (sockets[i] >= 0)
			close(sockets[i]);
		sockets[i] = -1;
		if (!examples[i].pid)
			continue;
		kill(examples[i].pid, SIGKILL);
		waitpid(examples[i].pid, NULL, 0);
		fclose(examples[i].out);
		examples[i] = (struct example){ 0 };
	}
	lab_enter(&lab, 0);
	if (if_nametoindex("lab2"))
		lab_run("ip link delete lab2");
	lab_assert_prog(&lab, 0, false);
	lab_assert_prog(&lab, 1, false);
	lab_assert_unchanged(&before);
	return 0;
}

/* A second pair: lab2 beside lab0, lab3 beside lab1. */
static void make_second_pair(unsigned int queues)
{
	lab_enter(&lab, 0);
	lab_run("ip link add lab2 numrxqueues %u numtxqueues %u type veth peer name lab3 "
		"numrxqueues %u numtxqueues %u netns /proc/%d/fd/%d", queues, queues, queues,
		queues, getpid(), lab.ns[1]);
	lab_enter(&lab, 1);
	lab_run("ip link set lab3 up");
	lab_enter(&lab, 0);
	lab_run("ip link set lab2 up");
}

/* A packet socket on an interface of namespace 1; the caller is in namespace 0 again. */
static int open_socket(const char *ifname, int ethertype)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_protocol = htons(ethertype) };
	int fd, size = 4 << 20, on = 1;

	lab_enter(&lab, 1);
	addr.sll_ifindex = (int)if_nametoindex(ifname);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ethertype));
	assert_true(fd >= 0);
	sockets[sockets[0] >= 0] = fd;
	assert_int_equal(bind(fd, (void *)&addr, sizeof(addr)), 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	patient(fd);
	lab_enter(&lab, 0);
	return fd;
}

/* ---- packets ---- */

static uint32_t add_words(const unsigned char *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* As another host would take it: IPv4 and UDP, of the right length, with right checksums. */
static void assert_udp(const unsigned char *packet, size_t len)
{
	const unsigned char *ip = packet + 14, *udp = packet + 34;
	size_t udp_len = udp[4] << 8 | udp[5];

	assert_int_equal(packet[12] << 8 | packet[13], ETH_P_IP);
	assert_int_equal(ip[0], 0x45);
	assert_int_equal((ip[2] << 8 | ip[3]) - 20, udp_len);
	assert_true(34 + udp_len <= len);
	assert_int_equal(ip[9], IPPROTO_UDP);
	assert_int_equal(add_words(ip, 20, 0), 0xffff);
	assert_int_equal(add_words(udp, udp_len, add_words(ip + 12, 8, IPPROTO_UDP +
							  (uint32_t)udp_len)), 0xffff);
}

/* What send would send, made here: from 192.0.2.1 port 1000 to 192.0.2.2 port 7. */
static void make_numbered(unsigned char *packet, uint64_t n)
{
	static const unsigned char headers[42] = {
		2, 0, 0, 0, 0, 1,   2, 0, 0, 0, 0, 2,   8, 0,
		0x45, 0, 0, 46,   0, 0, 0x40, 0,   64, 17, 0, 0,   192, 0, 2, 1,   192, 0, 2, 2,
		3, 0xe8, 0, 7,   0, 26, 0, 0,
	};
	uint64_t words[2] = { n, ~n };
	uint32_t sum;

	memset(packet, 0, NUMBERED);
	memcpy(packet, headers, sizeof(headers));
	memcpy(packet + 42, words, sizeof(words));
	sum = ~add_words(packet + 14, 20, 0);
	packet[24] = sum >> 8 & 0xff;
	packet[25] = sum & 0xff;
	sum = ~add_words(packet + 34, 26, add_words(packet + 26, 8, IPPROTO_UDP + 26));
	packet[40] = sum >> 8 & 0xff;
	packet[41] = sum & 0xff;
	assert_udp(packet, NUMBERED);
}

static void send_numbered_by(int fd, uint64_t from, uint64_t to)
{
	unsigned char packet[NUMBERED];

	for (; from < to; from++) {
		make_numbered(packet, from);
		assert_int_equal(send(fd, packet, sizeof(packet), 0), sizeof(packet));
	}
}

static void send_numbered(uint64_t from, uint64_t to)
{
	send_numbered_by(lab.peer, from, to);
}

/* ---- each by itself ---- */

static void receive_counts(void **state)
{
	struct example *receive = &examples[0];

	(void)state;
	start(receive, "receive", "lab0");
	await_ready(receive, 1);
	send_numbered(0, 50);
	send_numbered(60, 100);
	lab_send(&lab, 1, LAB_MIN_FRAME);
	await_sum(receive, 91);
	assert_int_equal(number(receive, "Mbit/s, "), 10);
	send_numbered(70, 72);		/* late */
	send_numbered(0, 20);		/* a sender that begins */
	await_sum(receive, 22);
	interrupt(receive);
	await(receive, "received 113 (6780 bytes), missing 10; dropped 0, RX full 0, FILL empty 0");
	await(receive, "frames: ");
	assert_frames_add_up(receive);
	end(receive, 0);
}

static void send_is_numbered_udp(void **state)
{
	int fd = open_socket("lab1", ETH_P_IP);
	unsigned char packet[2048];
	struct example *send = &examples[0];
	uint64_t words[2];

	(void)state;
	start(send, "send", "lab0", "0", "150", "02:00:00:00:ab:cd");
	await(send, "zero-copy refused: ");
	for (uint64_t i = 0; i < 150; i++) {
		assert_int_equal(recv(fd, packet, sizeof(packet), 0), NUMBERED);
		assert_memory_equal(packet, "\x02\0\0\0\xab\xcd", 6);
		assert_udp(packet, NUMBERED);
		memcpy(words, packet + 42, sizeof(words));
		assert_true(words[0] == i && words[1] == ~i);
	}
	await(send, "sent 150, dropped by the driver 0, left in TX 0");
	await(send, "frames: ");
	assert_frames_add_up(send);
	end(send, 0);
	assert_int_equal(recv(fd, packet, sizeof(packet), MSG_DONTWAIT), -1);
}

/* No more than the queue of a veth holds: none is lost. */
static void send_meets_receive(void **state)
{
	struct example *receive = &examples[0], *send = &examples[1];

	(void)state;
	lab_enter(&lab, 1);
	start(receive, "receive", "lab1");
	await_ready(receive, 1);
	lab_enter(&lab, 0);
	start(send, "send", "lab0", "0", "200");
	await(send, "sent 200, ");
	end(send, 0);
	await_sum(receive, 200);
	interrupt(receive);
	await(receive, "received 200 (12000 bytes), missing 0; ");
	end(receive, 0);
}

/* Another host's packets come back with their two ends changed. */
static void echo_answers(void **state)
{
	int fd = open_socket("lab1", ETH_P_IP);
	unsigned char packet[2048], wanted[NUMBERED];
	struct example *echo = &examples[0];

	(void)state;
	start(echo, "echo", "lab0");
	await_ready(echo, 1);
	for (uint64_t i = 0; i < 100; i++) {
		send_numbered(i, i + 1);
		make_numbered(wanted, i);
		assert_int_equal(recv(fd, packet, sizeof(packet), 0), NUMBERED);
		assert_udp(packet, NUMBERED);
		assert_memory_equal(packet, wanted + 6, 6);
		assert_memory_equal(packet + 6, wanted, 6);
		assert_memory_equal(packet + 12, wanted + 12, 14);
		assert_memory_equal(packet + 26, wanted + 30, 4);
		assert_memory_equal(packet + 30, wanted + 26, 4);
		assert_memory_equal(packet + 34, wanted + 36, 2);
		assert_memory_equal(packet + 36, wanted + 34, 2);
		assert_memory_equal(packet + 38, wanted + 38, NUMBERED - 38);
	}
	interrupt(echo);
	await(echo, "received 100, returned 100");
	end(echo, 0);
}

/* Packets that are not for it, or that nobody may answer: each has one byte changed. */
static void echo_leaves_the_rest(void **state)
{
	static const struct {
		unsigned int at;
		unsigned char byte;
	} changes[] = {
		{ 0, 0xff },		/* to many */
		{ 12, 0x86 },		/* another protocol than IPv4, */
		{ 13, 0x06 },		/* ARP */
		{ 14, 0x65 },		/* version 6 */
		{ 14, 0x44 },		/* a header shorter than it can be */
		{ 14, 0x4f },		/* or longer than the packet */
		{ 20, 0x20 },		/* more fragments */
		{ 20, 0x1f },		/* a fragment that has no ports */
		{ 21, 1 },
		{ 23, 6 },		/* TCP */
	};
	int fd = open_socket("lab1", ETH_P_ALL);
	unsigned char packet[2048];
	struct example *echo = &examples[0];

	(void)state;
	start(echo, "echo", "lab0");
	await_ready(echo, 1);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		make_numbered(packet, i);
		packet[changes[i].at] = changes[i].byte;
		assert_int_equal(send(lab.peer, packet, NUMBERED, 0), NUMBERED);
	}
	make_numbered(packet, 0);
	assert_int_equal(send(lab.peer, packet, 41, 0), 41);
	send_numbered(100, 101);
	assert_int_equal(recv(fd, packet, sizeof(packet), 0), NUMBERED);
	assert_int_equal(packet[42], 100);
	interrupt(echo);
	await(echo, "received 12, returned 1");
	end(echo, 0);
}

static void expect_numbered(int fd, uint64_t from, uint64_t to)
{
	unsigned char packet[2048], wanted[NUMBERED];

	for (; from < to; from++) {
		make_numbered(wanted, from);
		assert_int_equal(recv(fd, packet, sizeof(packet), 0), NUMBERED);
		assert_memory_equal(packet, wanted, NUMBERED);
	}
}

static void forward_passes_both_ways(void **state)
{
	struct example *forward = &examples[0];
	int near, far;

	(void)state;
	make_second_pair(2);
	near = open_socket("lab1", ETH_P_IP);
	far = open_socket("lab3", ETH_P_IP);
	start(forward, "forward", "lab0", "lab2");
	await_ready(forward, 2);
	for (uint64_t i = 0; i < 6000; i += 50) {
		send_numbered_by(near, i, i + 50);
		expect_numbered(far, i, i + 50);
		send_numbered_by(far, i, i + 20);
		expect_numbered(near, i, i + 20);
	}
	interrupt(forward);
	await(forward, "lab0: received 6000, sent 2400");
	await(forward, "lab2: received 2400, sent 6000");
	end(forward, 0);
}

/* A queue without a counterpart would swallow packets. */
static void forward_wants_pairs(void **state)
{
	struct example *forward = &examples[0];

	(void)state;
	make_second_pair(1);
	start(forward, "forward", "lab0", "lab2");
	await(forward, "forward: lab0: queues: it has more than the other; ");
	end(forward, 1);
	start(forward, "forward", "lab2", "lab0");
	await(forward, "forward: lab0: ");
	end(forward, 1);
}

/* On each of the two queues. */
static void send_to_queues(unsigned int first, unsigned int second)
{
	static struct node senders[2];
	unsigned char packet[NUMBERED];

	lab_enter(&lab, 1);
	for (unsigned int queue = 0; queue < 2; queue++) {
		node_open(&senders[queue], &(struct node_opts){ .ifname = "lab1", .queue = queue,
								.tx = true });
		for (uint64_t i = 0; i < (queue ? second : first); i++) {
			make_numbered(packet, i);
			node_send(&senders[queue], packet, sizeof(packet));
		}
		node_close(&senders[queue]);
	}
	lab_enter(&lab, 0);
}

static void threads_see_each_queue(void **state)
{
	struct example *threads = &examples[0];

	(void)state;
	start(threads, "threads", "lab0");
	await_ready(threads, 1);
	send_to_queues(30, 20);
	await(threads, "received 50, 3000 bytes");
	interrupt(threads);
	await(threads, "queue 0: received 30, 1800 bytes");
	await(threads, "queue 1: received 20, 1200 bytes");
	end(threads, 0);
}

static void epoll_sees_each_queue(void **state)
{
	struct example *epoll = &examples[0];

	(void)state;
	start(epoll, "epoll", "lab0");
	await_ready(epoll, 1);
	send_to_queues(30, 20);
	await_sum(epoll, 50);
	interrupt(epoll);
	await(epoll, "packets/s, received 50");
	end(epoll, 0);
}

/* ---- all of them ---- */

static void signals_and_seconds_end_them(void **state)
{
	struct example *example = &examples[0];

	(void)state;
	make_second_pair(2);
	for (const char *const *name = receivers; *name; name++) {
		start(example, (char *)*name, "lab0");
		await_ready(example, 1);
		assert_int_equal(kill(example->pid, SIGTERM), 0);
		await(example, "received 0");
		end(example, 0);
	}
	start(example, "receive", "lab0", "1");
	await(example, "received 0");
	end(example, 0);
	start(example, "echo", "lab0", "1");
	await(example, "received 0");
	end(example, 0);
	start(example, "forward", "lab0", "lab2", "1");
	await(example, "lab0: received 0");
	end(example, 0);
	start(example, "send", "lab0", "1");
	await(example, "sent ");
	assert_true(number(example, "sent ") > 0);
	end(example, 0);
}

/* They say so, and fail. */
static void interfaces_that_go(void **state)
{
	struct example *example = &examples[0];

	(void)state;
	for (const char *const *name = receivers; *name; name++) {
		make_second_pair(2);
		start(example, (char *)*name, "lab2");
		await_ready(example, 1);
		lab_run("ip link delete lab2");
		await(example, ": lab2: interface: lab2 is gone");
		end(example, 1);
	}
	make_second_pair(2);
	start(example, "forward", "lab0", "lab2");
	await_ready(example, 2);
	lab_run("ip link delete lab2");
	await(example, "forward: between them: interface: lab2 is gone");
	end(example, 1);
	make_second_pair(2);
	start(example, "send", "lab2");
	await(example, "packets/s");
	lab_run("ip link delete lab2");
	await(example, "send: lab2: ");	/* it is down before it is gone */
	end(example, 1);
}

static void what_cannot_be(void **state)
{
	static const char *const all[] = { "receive", "send", "echo", "epoll", "threads",
					   "forward" };
	struct example *example = &examples[0];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char wanted[64];

		start(example, (char *)all[i]);
		await(example, ": usage: ");
		end(example, 2);
		snprintf(wanted, sizeof(wanted), "%s: nosuch: interface: ", all[i]);
		if (strcmp(all[i], "forward"))
			start(example, (char *)all[i], "nosuch");
		else
			start(example, (char *)all[i], "lab0", "nosuch");
		await(example, wanted);
		assert_non_null(strstr(example->line, "; "));
		end(example, 1);
	}
}

/* Who wants to learn from them reads the whole. */
static void they_are_short(void **state)
{
	int count_of_them = 0;

	(void)state;
	for (char **source = sources; *source; source++, count_of_them++) {
		FILE *file = fopen(*source, "re");
		int lines = 0, c;

		assert_non_null(file);
		while ((c = fgetc(file)) != EOF)
			lines += c == '\n';
		fclose(file);
		if (lines > MAX_LINES)
			fail_msg("%s has %d lines", *source, lines);
	}
	assert_int_equal(count_of_them, 6);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(receive_counts),
		CASE(send_is_numbered_udp),
		CASE(send_meets_receive),
		CASE(echo_answers),
		CASE(echo_leaves_the_rest),
		CASE(forward_passes_both_ways),
		CASE(forward_wants_pairs),
		CASE(threads_see_each_queue),
		CASE(epoll_sees_each_queue),
		CASE(signals_and_seconds_end_them),
		CASE(interfaces_that_go),
		CASE(what_cannot_be),
		CASE(they_are_short),
	};

	(void)argc;
	sources = argv + 1;
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
