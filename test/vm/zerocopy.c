/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * zerocopy NICS: zero-copy over a pair of NICs (vnet: vnet0 and vnet1), which no
 * veth has. Where the driver has none on this kernel, that is what is tested;
 * the kernel says so, asked by bare system calls.
 */
#include "node.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xsk/error.h>

#include "nics.h"

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#endif

#define COUNT 300

static const char *nics;
static struct lab lab;
static struct lab_count before;
static const char *missing;		/* for zero-copy; NULL: nothing */
static bool program_stays;		/* this process has a share in one */

/* ---- the lab ---- */

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

/* skip() ends the test only where it stands in it. */
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
	lab_assert_prog(&lab, 0, program_stays);
	lab_assert_unchanged(&before);
	nics_drain_peer(&lab);
	return 0;
}

static void open_zerocopy(struct node *node, struct node_opts opts)
{
	opts.bind_flags |= XDP_ZEROCOPY;
	opts.stock = NICS_STOCK;
	node_open(node, &opts);
	assert_true(nics_is_zerocopy(node));
	nics_settle(&lab, node);
}

static void stream(struct node *node, uint32_t count_of_frames)
{
	if (node->opts.rx)
		node_receive(node, &lab, count_of_frames);
	if (node->opts.tx)
		node_transmit(node, &lab, count_of_frames);
	lab_expect_nothing(&lab);
}

static void pass_packets(struct node_opts opts)
{
	struct node node;

	open_zerocopy(&node, opts);
	stream(&node, COUNT);
	node_close(&node);
}

/* ---- streams, contents compared ---- */

static void both_directions(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	pass_packets((struct node_opts){ .bind_flags = XDP_USE_NEED_WAKEUP });
}

static void receive_only(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	pass_packets((struct node_opts){ .rx = true, .bind_flags = XDP_USE_NEED_WAKEUP });
}

/* Some drivers send only with a program there (igb), which then goes with the socket. */
static void transmit_only(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	pass_packets((struct node_opts){ .tx = true, .bind_flags = XDP_USE_NEED_WAKEUP });
}

static void without_need_wakeup(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	pass_packets((struct node_opts){ 0 });
}

static void headroom_and_huge_pages(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	pass_packets((struct node_opts){ .headroom = 512 });
	pass_packets((struct node_opts){ .huge = true });
}

static void large_and_small_rings(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	pass_packets((struct node_opts){ .fill_size = 128, .comp_size = 32, .rx_size = 32,
					 .tx_size = 32 });
	pass_packets((struct node_opts){ .fill_size = 8192, .comp_size = 8192, .rx_size = 8192,
					 .tx_size = 8192, .frames = 8192 });
}

/* ---- waiting ---- */

static pid_t send_later(uint32_t number)
{
	pid_t sender = fork();

	assert_true(sender >= 0);
	if (!sender) {
		nics_sleep_ms(300);
		lab_send(&lab, number, 100);
		_exit(0);
	}
	return sender;
}

/* Woken by the packet, not by the end of the time. */
static void sleep_in_poll(void **state)
{
	struct pollfd fd = { .events = POLLIN };
	struct node node;
	pid_t sender;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	open_zerocopy(&node, (struct node_opts){ .bind_flags = XDP_USE_NEED_WAKEUP });
	fd.fd = xsk_socket__fd(node.xsk);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(poll(&fd, 1, 0), 0);
		sender = send_later(i);
		assert_int_equal(poll(&fd, 1, 30000), 1);
		assert_int_equal(fd.revents & POLLIN, POLLIN);
		assert_int_equal(node_receive_one(&node, 0), i);
		assert_int_equal(waitpid(sender, NULL, 0), sender);
	}
	node_close(&node);
}

/* Then sendto() does not send; poll() does, which a node uses beside it. */
static void busy_poll(void **state)
{
	int on = 1, us = 20, budget = 64, fd;
	struct node node;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	open_zerocopy(&node, (struct node_opts){ .bind_flags = XDP_USE_NEED_WAKEUP });
	fd = xsk_socket__fd(node.xsk);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &us, sizeof(us)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget,
				    sizeof(budget)), 0);
	stream(&node, COUNT);
	node_close(&node);
}

/* ---- chunks ---- */

/* The length that arrives of a packet; its frame goes back into FILL. */
static uint32_t length_received(struct node *node, size_t len)
{
	struct pollfd fd = { .fd = xsk_socket__fd(node->xsk), .events = POLLIN };
	uint32_t at = 0, to = 0;
	struct xdp_desc desc;

	lab_send(&lab, 1, len);
	assert_int_equal(poll(&fd, 1, 2000), 1);
	assert_int_equal(xsk_ring_cons__peek(&node->rx, 1, &at), 1);
	desc = *xsk_ring_cons__rx_desc(&node->rx, at);
	xsk_ring_cons__release(&node->rx, 1);
	assert_int_equal(xsk_ring_prod__reserve(&node->fill, 1, &to), 1);
	*xsk_ring_prod__fill_addr(&node->fill, to) = desc.addr;
	xsk_ring_prod__submit(&node->fill, 1);
	return desc.len;
}

/* igb uses whole KiB of a frame, and tells nobody what it cuts (7.3; see xsk(7)). */
static void cut_to_a_kilobyte(void)
{
	struct node node;
	uint32_t len;

	open_zerocopy(&node, (struct node_opts){ .frame_size = 2048, .rx = true });
	assert_int_equal(length_received(&node, 60), 60);
	assert_int_equal(length_received(&node, 1000), 1000);
	len = length_received(&node, 1514);
	print_message("# of 1514 bytes in a frame of 2048 igb delivers %u\n", len);
	assert_true(len == 1514 || len == 1024);
	node_close(&node);
}

/* In frames of 2048 bytes a packet of 1514 fits, also with some headroom. */
static void frames_of_2048(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	if (!strcmp(nics, "igb")) {
		cut_to_a_kilobyte();
		return;
	}
	pass_packets((struct node_opts){ .frame_size = 2048 });
	pass_packets((struct node_opts){ .frame_size = 2048, .headroom = 128 });
}

static void unaligned_chunks(void **state)
{
	struct node_opts opts = {
		.frame_size = 3072,
		.umem_flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG,
		.bind_flags = XDP_ZEROCOPY | XDP_USE_NEED_WAKEUP,
		.huge = true,
		.stock = NICS_STOCK,
	};
	struct xsk_error error;
	struct node node;
	int err;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	assert_int_equal(node_umem(&node, &opts), 0);
	err = node_socket(&node);
	if (err) {
		/* Then copy mode does, on the same UMEM. */
		xsk_error_last(&error);
		print_message("# unaligned chunks: %s: %s\n", error.step, error.reason);
		assert_int_equal(error.code, err);
		node.opts.bind_flags = XDP_COPY;
		assert_int_equal(node_socket(&node), 0);
	}
	nics_settle(&lab, &node);
	stream(&node, COUNT);
	node_close(&node);
	if (err) {
		print_message("# skipped: %s0 takes no unaligned chunks in zero-copy\n", nics);
		skip();
	}
}

/* ---- several sockets ---- */

/* A flow of IPv4 and UDP by its number, which a NIC spreads over its queues. */
static size_t flow_frame(uint8_t *frame, uint8_t flow)
{
	static const uint8_t start[] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,
		0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 198, 18, 0, 1, 198, 18, 0, 2,
		0, 9, 0, 9, 0, 26, 0, 0,
	};
	uint32_t sum = 0;

	memset(frame, flow, 60);
	memcpy(frame, start, sizeof(start));
	frame[28] = flow;
	frame[29] = (uint8_t)(flow * 7);
	frame[34] = flow;
	for (int i = 14; i < 34; i += 2)
		sum += (uint32_t)frame[i] << 8 | frame[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	frame[24] = (uint8_t)(sum >> 8);
	frame[25] = (uint8_t)sum;
	return 60;
}

/* Flows that the node has received since; each must be whole. */
static int take_flows(struct node *node, bool seen[256])
{
	uint8_t wanted[64];
	uint32_t at = 0, to = 0;
	int n = (int)xsk_ring_cons__peek(&node->rx, 64, &at);

	assert_int_equal(xsk_ring_prod__reserve(&node->fill, (uint32_t)n, &to), n);
	for (int i = 0; i < n; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&node->rx, at + (uint32_t)i);
		const uint8_t *frame = xsk_umem__get_data(node->area, desc->addr);

		assert_int_equal(desc->len, flow_frame(wanted, frame[34]));
		assert_memory_equal(frame, wanted, desc->len);
		seen[frame[34]] = true;
		*xsk_ring_prod__fill_addr(&node->fill, to + (uint32_t)i) = desc->addr;
	}
	xsk_ring_prod__submit(&node->fill, (uint32_t)n);
	xsk_ring_cons__release(&node->rx, (uint32_t)n);
	return n;
}

static void send_flow(uint8_t flow)
{
	uint8_t frame[64];
	size_t len = flow_frame(frame, flow);

	assert_int_equal(send(lab.peer, frame, len, 0), len);
}

static bool all_seen(const bool seen[256])
{
	for (int i = 0; i < 256; i++)
		if (!seen[i])
			return false;
	return true;
}

/* Two queues that share the flows: what each has received, and which flows came. */
struct pair {
	struct node *nodes[2];
	int received[2];
	bool seen[256];
};

static void take_from_both(struct pair *pair)
{
	struct pollfd fds[2];

	for (int i = 0; i < 2; i++)
		fds[i] = (struct pollfd){ .fd = xsk_socket__fd(pair->nodes[i]->xsk),
					  .events = POLLIN };
	assert_true(poll(fds, 2, 20) >= 0);
	for (int i = 0; i < 2; i++)
		pair->received[i] += take_flows(pair->nodes[i], pair->seen);
}

/* As a link, a queue may lose what comes first: until both receive. */
static void settle_both(const struct pair *queues)
{
	struct pair pair = *queues;

	for (int tries = 0; tries < 100 && !(pair.received[0] && pair.received[1]); tries++) {
		for (int flow = 0; flow < 16; flow++)
			send_flow((uint8_t)flow);
		take_from_both(&pair);
	}
	assert_true(pair.received[0] && pair.received[1]);
	for (int i = 0; i < 20; i++)
		take_from_both(&pair);
}

/* Each flow lands on one of them, and arrives once. */
static void receive_flows(struct node *first, struct node *second)
{
	struct pair pair = { .nodes = { first, second } };

	settle_both(&pair);
	for (int i = 0; i < 256; i++) {
		send_flow((uint8_t)i);
		take_from_both(&pair);
	}
	for (int i = 0; i < 100 && !all_seen(pair.seen); i++)
		take_from_both(&pair);
	assert_true(all_seen(pair.seen));
	assert_int_equal(pair.received[0] + pair.received[1], 256);
	assert_true(pair.received[0] > 0);
	assert_true(pair.received[1] > 0);
}

static void shared_over_two_queues(void **state)
{
	struct node first, second;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	nics_set_queues(2);
	nics_await_link(&lab);
	node_open(&first, &(struct node_opts){ .bind_flags = XDP_ZEROCOPY | XDP_USE_NEED_WAKEUP });
	assert_int_equal(node_share(&second, &first, &(struct node_opts){ .queue = 1 }), 0);
	assert_true(nics_is_zerocopy(&first));
	assert_true(nics_is_zerocopy(&second));
	nics_await_link(&lab);
	node_fill(&first, 64);
	node_fill(&second, 64);
	nics_settle_sending(&lab, &first);
	nics_settle_sending(&lab, &second);
	receive_flows(&first, &second);
	node_transmit(&first, &lab, COUNT);
	node_transmit(&second, &lab, COUNT);
	node_unshare(&second, &first);
	node_transmit(&first, &lab, COUNT);
	node_close(&first);
	nics_set_queues(1);
	nics_await_link(&lab);
}

/* From one NIC to the other, both in zero-copy, of one UMEM. */
static void shared_over_two_nics(void **state)
{
	struct node first, second;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	open_zerocopy(&first, (struct node_opts){ .bind_flags = XDP_USE_NEED_WAKEUP });
	lab_enter(&lab, 1);
	lab_run("ethtool -L lab1 combined 1 2>/dev/null || :");
	assert_int_equal(node_share(&second, &first, &(struct node_opts){ .ifname = "lab1" }), 0);
	assert_true(nics_is_zerocopy(&second));
	lab_enter(&lab, 0);
	nics_await_link(&lab);
	node_be_sender(&second, &lab);
	nics_settle_receiving(&lab, &first);
	node_receive(&first, &lab, COUNT);
	lab.send = NULL;
	node_unshare(&second, &first);
	nics_await_link(&lab);
	node_close(&first);
}

/* ---- life ---- */

static void reuse(void **state)
{
	struct node node;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	assert_int_equal(node_umem(&node, &(struct node_opts){
		.bind_flags = XDP_ZEROCOPY | XDP_USE_NEED_WAKEUP, .stock = NICS_STOCK,
		.tx_size = 256 }), 0);
	for (int times = 0; times < 5; times++) {
		assert_int_equal(node_socket(&node), 0);
		assert_true(nics_is_zerocopy(&node));
		nics_settle(&lab, &node);
		stream(&node, 50);
		xsk_socket__delete(node.xsk);
		node.xsk = NULL;
		/* All frames are ours again, and the rings are empty. */
		assert_int_equal(node.nfree + node.in_fill, node.opts.frames);
		node.nfree = node.opts.frames;
		node.in_fill = 0;
		for (uint32_t i = 0; i < node.opts.frames; i++)
			node.free[i] = (uint64_t)i * node.opts.frame_size;
	}
	assert_int_equal(xsk_umem__delete(node.umem), 0);
	node_memory_free(node.area, node.size);
}

static void hold_a_socket(int ready)
{
	struct node node;

	node_open(&node, &(struct node_opts){ .bind_flags = XDP_ZEROCOPY | XDP_USE_NEED_WAKEUP });
	node_fill(&node, 256);
	assert_true(nics_is_zerocopy(&node));
	assert_int_equal(write(ready, "", 1), 1);
	for (;;)
		pause();
}

/* In the middle of traffic. The program is gone, the queue and its memory are free. */
static void killed(void **state)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		hold_a_socket(ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	nics_await_link(&lab);
	for (uint32_t i = 0; i < 32; i++)
		lab_send(&lab, i, 100);
	assert_int_equal(kill(pid, SIGKILL), 0);
	for (uint32_t i = 0; i < 32; i++)
		lab_send(&lab, i, 100);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	lab_assert_prog(&lab, 0, program_stays);
	pass_packets((struct node_opts){ .bind_flags = XDP_USE_NEED_WAKEUP });
}

/* ---- what cannot be ---- */

static void assert_refused(struct node *node, int err, const char *words)
{
	struct xsk_error error;

	assert_int_equal(node_socket(node), err);
	xsk_error_last(&error);
	assert_int_equal(error.code, err);
	assert_non_null(strstr(error.reason, words));
	assert_true(error.hint[0]);
}

/* The UMEM of what was refused carries the next. */
static void works_after_all(struct node *node, uint16_t bind_flags)
{
	node->opts.queue = 0;
	node->opts.bind_flags = bind_flags;
	node->opts.stock = NICS_STOCK;
	assert_int_equal(node_socket(node), 0);
	assert_int_equal(nics_is_zerocopy(node), !!(bind_flags & XDP_ZEROCOPY));
	nics_settle(&lab, node);
	stream(node, 50);
	node_close(node);
}

/* A driver that has none: -EOPNOTSUPP, no program comes for it, and copy mode works. */
static void driver_without_zerocopy(void **state)
{
	struct node node;

	(void)state;
	if (!lab.nics && is_missing())
		skip();
	if (!missing) {
		print_message("# skipped: the driver of %s0 has zero-copy\n", nics);
		skip();
	}
	assert_int_equal(node_umem(&node, &(struct node_opts){ .bind_flags = XDP_ZEROCOPY }), 0);
	assert_refused(&node, -EOPNOTSUPP, "no zero-copy");
	assert_refused(&node, -EOPNOTSUPP, "no zero-copy");
	works_after_all(&node, XDP_COPY);
}

static void queue_beyond_the_channels(void **state)
{
	struct node node;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	assert_int_equal(node_umem(&node, &(struct node_opts){
		.queue = 1, .bind_flags = XDP_ZEROCOPY }), 0);
	assert_refused(&node, -EINVAL, "queue 1 of lab0 is switched off");
	node.opts.queue = 1000;
	assert_refused(&node, -EINVAL, "no queue 1000");
	works_after_all(&node, XDP_ZEROCOPY);
}

static void mtu_beyond_the_frame(void **state)
{
	struct node node;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	lab_run("ip link set lab0 mtu 3000");
	assert_int_equal(node_umem(&node, &(struct node_opts){
		.frame_size = 2048, .bind_flags = XDP_ZEROCOPY }), 0);
	assert_refused(&node, -EINVAL,
		       "MTU of 3000, so packets of 3026 bytes; in zero-copy frames of 2048");
	lab_run("ip link set lab0 mtu 1200");
	assert_int_equal(node_socket(&node), 0);
	assert_true(nics_is_zerocopy(&node));
	lab_run("ip link set lab0 mtu 1500");
	node_close(&node);
	nics_await_link(&lab);
}

static void interface_that_is_down(void **state)
{
	struct node node;

	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	lab_run("ip link set lab0 down");
	node_open(&node, &(struct node_opts){ .bind_flags = XDP_ZEROCOPY | XDP_USE_NEED_WAKEUP,
					      .stock = NICS_STOCK });
	assert_int_equal(sendto(xsk_socket__fd(node.xsk), NULL, 0, MSG_DONTWAIT, NULL, 0), -1);
	assert_int_equal(errno, ENETDOWN);
	/* A link that comes up with an empty FILL never receives (igb, 7.3). */
	node_fill(&node, NICS_STOCK);
	lab_run("ip link set lab0 up");
	nics_settle(&lab, &node);
	stream(&node, COUNT);
	lab_run("ip link set lab0 down");
	lab_run("ip link set lab0 up");
	nics_settle(&lab, &node);
	stream(&node, COUNT);
	node_close(&node);
}

/* ---- one program for what follows ---- */

static void program_to_stay(void **state)
{
	(void)state;
	SKIP_WITHOUT_ZEROCOPY();
	assert_int_equal(xsk_setup_xdp_prog(lab.ifindex[0], NULL), 0);
	program_stays = true;
	nics_await_link(&lab);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(driver_without_zerocopy),
		/* With a program that comes and goes. */
		TEST(both_directions),
		TEST(receive_only),
		TEST(transmit_only),
		TEST(killed),
		TEST(interface_that_is_down),
		TEST(mtu_beyond_the_frame),
		TEST(queue_beyond_the_channels),
		TEST(shared_over_two_nics),
		TEST(shared_over_two_queues),
		TEST(reuse),
		/* With one that is there: no link goes down for it. */
		cmocka_unit_test(program_to_stay),
		TEST(both_directions),
		TEST(transmit_only),
		TEST(without_need_wakeup),
		TEST(headroom_and_huge_pages),
		TEST(large_and_small_rings),
		TEST(sleep_in_poll),
		TEST(busy_poll),
		TEST(frames_of_2048),
		TEST(unaligned_chunks),
		TEST(reuse),
		TEST(killed),
	};

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: zerocopy NICS [PATTERN-OF-TESTS]\n");
		return 2;
	}
	nics = argv[1];
	if (argc == 3)
		cmocka_set_test_filter(argv[2]);
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
