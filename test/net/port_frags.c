/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Packets of several frames: they come and go as runs, whole or not at all. */
#include "ports.h"

#include <errno.h>
#include <linux/if_xdp.h>
#include <stdlib.h>
#include <unistd.h>

#include "node.h"

#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)
#endif

#define LARGE_MTU 65520			/* what the lab's frames have room for */
#define MAX_LEN (LARGE_MTU + 14)
#define MAX_FRAGS 18			/* of the kernel, where it copies */
#define MAX_RUN 64
#define KERNEL_HEADROOM 256

static struct lab lab;
static struct lab_count before;
static bool has_frags;

static void set_mtu(const struct lab *wire, unsigned int mtu)
{
	for (int side = 1; side >= 0; side--) {
		lab_enter(wire, side);
		lab_run("ip link set lab%d mtu %u", side, mtu);
	}
}

/* The kernel's own word for it. */
static bool ask_for_frags(void)
{
	struct node node;
	int err = node_umem(&node, &(struct node_opts){
		.bind_flags = XDP_COPY | XDP_USE_SG, .tx = true, .frames = 64 });

	assert_int_equal(err, 0);
	err = node_socket(&node);
	assert_true(!err || err == -EINVAL);
	node_close(&node);
	return !err;
}

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 1);
	has_frags = ask_for_frags();
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
	set_mtu(&lab, LARGE_MTU);
	lab_count(&before);
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	lab_enter(&lab, 0);
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	return 0;
}

static void need_frags(void)
{
	if (has_frags)
		return;
	print_message("# skipped: the kernel's sockets take no packets of several frames\n");
	skip();
}

static struct xsk_port *open_port(struct xsk_port_opts opts)
{
	opts.flags |= XSK_PORT_MULTI_BUFFER;
	return ports_open("lab0", opts);
}

/* ---- runs ---- */

static uint32_t frames_for(uint32_t len, uint32_t part)
{
	return (len + part - 1) / part;
}

/* Fills a packet into frames of the caller's, of part bytes each but the last. */
static int make_run(struct xsk_queue *queue, struct xsk_frame *frames, uint32_t number,
		    uint32_t len, uint32_t part)
{
	static uint8_t bytes[MAX_LEN];
	int n = (int)frames_for(len, part);

	lab_frame(bytes, len, number);
	for (int i = 0; i < n; i++) {
		uint32_t at = (uint32_t)i * part;

		frames[i].len = i == n - 1 ? len - at : part;
		frames[i].options = i == n - 1 ? 0 : XSK_FRAME_CONTD;
		memcpy(xsk_frame_data(queue, &frames[i]), bytes + at, frames[i].len);
	}
	return n;
}

static void send_run(struct xsk_queue *queue, uint32_t number, uint32_t len, uint32_t part)
{
	struct xsk_frame frames[MAX_RUN];
	int n = (int)frames_for(len, part);

	assert_int_equal(xsk_alloc(queue, frames, n), n);
	assert_int_equal(make_run(queue, frames, number, len, part), n);
	assert_int_equal(xsk_tx(queue, frames, n), n);
	ports_drain(queue);
}

/* The packet that starts here; returns of how many frames it is. */
static int check_run(struct xsk_queue *queue, const struct xsk_frame *frames, int n,
		     uint32_t number, uint32_t len)
{
	static uint8_t bytes[MAX_LEN];
	uint32_t at = 0;
	int i = 0;

	for (;; i++) {
		assert_true(i < n);
		assert_int_equal(frames[i].options & ~XSK_FRAME_CONTD, 0);
		assert_true(frames[i].len > 0 && at + frames[i].len <= len);
		memcpy(bytes + at, xsk_frame_data(queue, &frames[i]), frames[i].len);
		at += frames[i].len;
		if (!frames[i].options)
			break;
	}
	assert_int_equal(at, len);
	assert_true(lab_frame_is(bytes, len, number));
	return i + 1;
}

/* One packet, of as many frames as it must have. */
static void take_run(struct xsk_port *port, uint32_t number, uint32_t len)
{
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_port_info info = ports_info(port);
	int n = (int)frames_for(len, info.room);
	struct xsk_frame frames[MAX_RUN];

	ports_take(queue, frames, n);
	assert_int_equal(check_run(queue, frames, n, number, len), n);
	for (int i = 0; i < n; i++)
		assert_int_equal(frames[i].addr & (info.frame_size - 1),
				 KERNEL_HEADROOM + info.headroom);
	assert_int_equal(xsk_free(queue, frames, n), n);
}

/* ---- all sizes ---- */

static void both_ways(struct xsk_port *port, uint32_t number, uint32_t len)
{
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_port_info info = ports_info(port);
	uint32_t whole = info.frame_size - info.headroom;
	/* Parts that fill their frames, and such that do not. */
	uint32_t part = number % 2 ? whole : whole - 1 - number % 100;

	lab_send(&lab, number, len);
	take_run(port, number, len);
	if (frames_for(len, part) > info.max_frags)
		part = whole;
	if (frames_for(len, part) > info.max_frags)
		return;
	send_run(queue, number, len, part);
	lab_expect(&lab, number, len);
}

/* Around each end of a frame, of those that are received and of those that are sent. */
static void sizes(struct xsk_port *port, uint32_t largest)
{
	struct xsk_port_info info = ports_info(port);
	uint32_t whole = info.frame_size - info.headroom, packets = 0;

	for (uint32_t k = 0; k * info.room <= largest; k++)
		for (uint32_t len = k * info.room - 1; len != k * info.room + 2; len++)
			if (len >= LAB_MIN_FRAME && len <= largest)
				both_ways(port, packets++, len);
	for (uint32_t k = 1; k * whole <= largest; k++)
		for (uint32_t len = k * whole - 1; len != k * whole + 2 && len <= largest; len++)
			both_ways(port, packets++, len);
	for (uint32_t len = LAB_MIN_FRAME; len <= largest; len = len * 21 / 20 + 1)
		both_ways(port, packets++, len);
	both_ways(port, packets++, largest);
	assert_int_equal(ports_stats(port).rx_packets, packets);
	assert_int_equal(ports_stats(port).rx_dropped, 0);
}

static void sizes_with(struct xsk_port_opts opts, uint32_t largest)
{
	static const uint32_t modes[] = { XSK_MODE_NATIVE, XSK_MODE_GENERIC };

	for (int i = 0; i < 2; i++) {
		struct xsk_port *port;
		struct xsk_port_stats stats;

		opts.modes = modes[i];
		port = open_port(opts);
		assert_int_equal(ports_info(port).max_frags, MAX_FRAGS);
		assert_true(ports_info(port).flags & XSK_PORT_MULTI_BUFFER);
		sizes(port, largest);
		stats = ports_assert_law(port);
		assert_int_equal(stats.in_caller + stats.in_rx + stats.in_tx, 0);
		assert_int_equal(stats.refused + stats.bad_frames + stats.tx_invalid, 0);
		xsk_port_close(port);
	}
}

static void all_sizes(void **state)
{
	(void)state;
	need_frags();
	sizes_with((struct xsk_port_opts){ 0 }, MAX_LEN);
	sizes_with((struct xsk_port_opts){ .flags = XSK_PORT_CHECKED }, 9014);
}

static void all_sizes_in_small_frames(void **state)
{
	struct xsk_port_opts opts = { .frame_size = 2048, .frames = 256, .headroom = 100 };

	(void)state;
	need_frags();
	set_mtu(&lab, 9000);
	sizes_with(opts, 9014);
	opts.flags = XSK_PORT_CHECKED;
	sizes_with(opts, 9014);
}

/*
 * As large as an MTU allows and more frames than max_frags can hold: either the port
 * cannot be opened, or who asks for max_frags frames gets every packet.
 */
static void more_than_the_frames_hold(void **state)
{
	struct xsk_port_opts opts = { .sz = sizeof(opts), .frame_size = 2048,
				      .flags = XSK_PORT_MULTI_BUFFER };
	struct xsk_frame frames[MAX_RUN];
	struct xsk_port *port;
	struct xsk_queue *queue;
	int n;

	(void)state;
	need_frags();
	n = xsk_port_open(&port, "lab0", &opts, NULL);
	if (n) {
		assert_int_equal(n, -EMSGSIZE);
		return;
	}
	queue = xsk_port_queue(port, 0);
	lab_send(&lab, 1, MAX_LEN);
	assert_int_equal(xsk_wait(&queue, 1, 2000), 1);
	n = xsk_rx(queue, frames, (int)ports_info(port).max_frags);
	if (n < 0)
		xsk_port_close(port);
	assert_true(n > 0);
	assert_int_equal(check_run(queue, frames, n, 1, MAX_LEN), n);
	xsk_port_close(port);
}

/* ---- bursts ---- */

static void await_frames(const struct xsk_port *port, uint64_t frames)
{
	for (int i = 0; i < 2000 && ports_stats(port).in_rx < frames; i++)
		usleep(1000);
	assert_int_equal(ports_stats(port).in_rx, frames);
}

static void bursts_in(uint32_t flags)
{
	struct xsk_port *port = open_port((struct xsk_port_opts){ .frames = 128, .flags = flags });
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_frame frames[MAX_RUN];
	int at = 0;

	/* Three frames, one, two, three. */
	lab_send(&lab, 0, 9000);
	lab_send(&lab, 1, 1000);
	lab_send(&lab, 2, 5000);
	lab_send(&lab, 3, 9014);
	await_frames(port, 9);
	for (int n = 1; n <= 2; n++) {
		assert_int_equal(xsk_rx(queue, frames, n), -EMSGSIZE);
		ports_assert_last(-EMSGSIZE, "more frames than", "ask for 18 at least");
	}
	ports_assert_law(port);
	assert_int_equal(ports_stats(port).in_rx, 9);
	assert_int_equal(ports_stats(port).rx_packets, 0);
	/* Not the half of what follows. */
	assert_int_equal(xsk_rx(queue, frames, 3), 3);
	assert_int_equal(xsk_rx(queue, frames + 3, 2), 1);
	assert_int_equal(xsk_rx(queue, frames + 4, 4), 2);
	assert_int_equal(ports_stats(port).rx_packets, 3);
	assert_int_equal(xsk_rx(queue, frames + 6, 18), 3);
	ports_assert_law(port);
	at += check_run(queue, frames + at, 9 - at, 0, 9000);
	at += check_run(queue, frames + at, 9 - at, 1, 1000);
	at += check_run(queue, frames + at, 9 - at, 2, 5000);
	at += check_run(queue, frames + at, 9 - at, 3, 9014);
	assert_int_equal(at, 9);
	assert_int_equal(ports_stats(port).rx_packets, 4);
	assert_int_equal(ports_stats(port).rx_bytes, 9000 + 1000 + 5000 + 9014);
	assert_int_equal(xsk_free(queue, frames, 9), 9);
	ports_assert_law(port);
	xsk_port_close(port);
}

static void bursts_of_whole_packets(void **state)
{
	(void)state;
	need_frags();
	bursts_in(0);
	bursts_in(XSK_PORT_CHECKED);
}

static const uint32_t mixed[] = { 60, 9014, 3840, 3841, 65000, 100, 7680, 20000, 1514 };
#define MIXED (int)(sizeof(mixed) / sizeof(mixed[0]))

/* All in one burst, there and back. */
static void pass_mixed(struct xsk_port *port, uint32_t first)
{
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_frame frames[MAX_RUN];
	uint32_t wanted = 0;
	int at = 0;

	for (int i = 0; i < MIXED; i++) {
		lab_send(&lab, first + (uint32_t)i, mixed[i]);
		wanted += frames_for(mixed[i], ports_info(port).room);
	}
	ports_take(queue, frames, (int)wanted);
	for (int i = 0; i < MIXED; i++)
		at += check_run(queue, frames + at, (int)wanted - at, first + (uint32_t)i,
				mixed[i]);
	assert_int_equal(at, wanted);
	assert_int_equal(xsk_tx(queue, frames, at), at);
	ports_drain(queue);
	for (int i = 0; i < MIXED; i++)
		lab_expect(&lab, first + (uint32_t)i, mixed[i]);
}

/* In rings whose ends are inside packets. */
static void mixed_sizes(void **state)
{
	(void)state;
	need_frags();
	for (int checked = 0; checked < 2; checked++) {
		struct xsk_port *port = open_port((struct xsk_port_opts){
			.frames = 256, .rx_size = 64, .tx_size = 64, .fill_size = 128,
			.comp_size = 64, .flags = checked ? XSK_PORT_CHECKED : 0 });

		for (uint32_t i = 0; i < 20; i++)
			pass_mixed(port, i);
		assert_int_equal(ports_assert_law(port).tx_packets, 20 * MIXED);
		assert_int_equal(ports_stats(port).rx_packets, 20 * MIXED);
		xsk_port_close(port);
	}
}

/* Down to a byte in each frame, so that the Ethernet header is in several. */
static void short_frames(void **state)
{
	static const uint32_t parts[] = { 1, 2, 13, 14, 15, 64 };

	(void)state;
	need_frags();
	for (int checked = 0; checked < 2; checked++) {
		struct xsk_port *port = open_port((struct xsk_port_opts){
			.frames = 128, .flags = checked ? XSK_PORT_CHECKED : 0 });

		for (uint32_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			send_run(xsk_port_queue(port, 0), i, MAX_FRAGS * parts[i], parts[i]);
			lab_expect(&lab, i, MAX_FRAGS * parts[i]);
		}
		ports_assert_law(port);
		xsk_port_close(port);
	}
}

/* ---- what cannot be sent ---- */

static void refuse_runs(struct xsk_queue *queue, struct xsk_frame *frames)
{
	/* One more than a packet may have, and as many. */
	make_run(queue, frames, 1, 19 * 100, 100);
	assert_int_equal(xsk_tx(queue, frames, 19), -EMSGSIZE);
	ports_assert_last(-EMSGSIZE, "more than 18 frames", "in parts");
	make_run(queue, frames, 2, 18 * 100, 100);
	frames[17].options = XSK_FRAME_CONTD;
	assert_int_equal(xsk_tx(queue, frames, 18), -EINVAL);
	ports_assert_last(-EINVAL, "does not end", "whole packets");
	assert_int_equal(xsk_tx(queue, frames, 1), -EINVAL);
	ports_assert_last(-EINVAL, "does not end", "whole packets");
	frames[5].options = 2 | XSK_FRAME_CONTD;
	assert_int_equal(xsk_tx(queue, frames, 18), -EINVAL);
	ports_assert_last(-EINVAL, "options", "XSK_FRAME_CONTD");
	frames[5].options = XSK_FRAME_CONTD;
	frames[9].len = 0;
	assert_int_equal(xsk_tx(queue, frames, 18), -EINVAL);
	ports_assert_last(-EINVAL, "length 0", "");
	frames[9].len = 4097;
	assert_int_equal(xsk_tx(queue, frames, 18), -EINVAL);
	ports_assert_last(-EINVAL, "leave the frame", "");
}

static void runs_that_cannot_be(uint32_t flags)
{
	struct xsk_port *port = open_port((struct xsk_port_opts){ .frames = 128, .flags = flags });
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_frame frames[MAX_RUN];

	assert_int_equal(xsk_alloc(queue, frames, MAX_RUN), MAX_RUN);
	refuse_runs(queue, frames);
	assert_int_equal(ports_assert_law(port).in_caller, MAX_RUN);
	assert_int_equal(ports_stats(port).tx_packets, 0);
	assert_true(ports_stats(port).refused >= 6);

	/* What stands before it goes, and it can be mended. */
	make_run(queue, frames, 3, 18 * 100, 100);
	make_run(queue, frames + 18, 4, 2 * 100, 100);
	make_run(queue, frames + 20, 5, 100, 100);
	make_run(queue, frames + 21, 6, 3 * 100, 100);
	frames[23].options = XSK_FRAME_CONTD;
	assert_int_equal(xsk_tx(queue, frames, 24), 21);
	assert_int_equal(xsk_tx(queue, frames + 21, 3), -EINVAL);
	frames[23].options = 0;
	assert_int_equal(xsk_tx(queue, frames + 21, 3), 3);
	ports_drain(queue);
	lab_expect(&lab, 3, 18 * 100);
	lab_expect(&lab, 4, 2 * 100);
	lab_expect(&lab, 5, 100);
	lab_expect(&lab, 6, 3 * 100);
	assert_int_equal(ports_stats(port).tx_packets, 4);
	assert_int_equal(xsk_free(queue, frames + 24, MAX_RUN - 24), MAX_RUN - 24);
	assert_int_equal(ports_assert_law(port).in_caller, 0);
	assert_int_equal(ports_stats(port).tx_invalid, 0);
	xsk_port_close(port);
}

static void refused_runs(void **state)
{
	(void)state;
	need_frags();
	runs_that_cannot_be(0);
	runs_that_cannot_be(XSK_PORT_CHECKED);
}

/* Where there is room for a part of a packet only, it waits. */
static void full_ring(void **state)
{
	(void)state;
	need_frags();
	for (int checked = 0; checked < 2; checked++) {
		struct xsk_port *port = open_port((struct xsk_port_opts){
			.frames = 128, .tx_size = 32, .flags = checked ? XSK_PORT_CHECKED : 0 });
		struct xsk_queue *queue = xsk_port_queue(port, 0);
		struct xsk_frame frames[MAX_RUN];

		assert_int_equal(xsk_alloc(queue, frames, 40), 40);
		for (uint32_t i = 0; i < 8; i++)
			make_run(queue, frames + 5 * i, i, 5 * 1000, 1000);
		assert_int_equal(xsk_tx(queue, frames, 40), 30);
		assert_int_equal(xsk_tx(queue, frames + 30, 10), 0);
		assert_int_equal(ports_assert_law(port).in_tx, 30);
		assert_int_equal(xsk_wait(&queue, 1, 2000), 1);
		ports_drain(queue);
		assert_int_equal(xsk_tx(queue, frames + 30, 10), 10);
		ports_drain(queue);
		for (uint32_t i = 0; i < 8; i++)
			lab_expect(&lab, i, 5 * 1000);
		assert_int_equal(ports_assert_law(port).tx_packets, 8);
		xsk_port_close(port);
	}
}

/* ---- from one port to another, of the same memory ---- */

static void forward(struct xsk_queue *from, const struct lab *in, struct xsk_queue *to,
		    const struct lab *out)
{
	struct xsk_frame frames[MAX_RUN];

	for (uint32_t i = 0; i < 40; i++) {
		uint32_t len = 60 + i * 1553 % 20000;
		int n = (int)frames_for(len, 4096 - KERNEL_HEADROOM);

		lab_send(in, i, len);
		ports_take(from, frames, n);
		assert_int_equal(check_run(to, frames, n, i, len), n);
		assert_int_equal(xsk_tx(to, frames, n), n);
		ports_drain(to);
		lab_expect(out, i, len);
	}
}

static void forwarded_runs(void **state)
{
	struct lab other;

	(void)state;
	need_frags();
	lab_open(&other, 1);
	set_mtu(&other, LARGE_MTU);
	for (int checked = 0; checked < 2; checked++) {
		struct xsk_port_opts opts = { .flags = XSK_PORT_MULTI_BUFFER };
		struct xsk_port *left, *right;

		lab_enter(&lab, 0);
		left = open_port((struct xsk_port_opts){
			.frames = 512, .flags = checked ? XSK_PORT_CHECKED : 0 });
		lab_enter(&other, 0);
		opts.share = left;
		right = ports_open("lab0", opts);
		assert_int_equal(ports_info(right).max_frags, MAX_FRAGS);
		forward(xsk_port_queue(left, 0), &lab, xsk_port_queue(right, 0), &other);
		forward(xsk_port_queue(right, 0), &other, xsk_port_queue(left, 0), &lab);
		assert_int_equal(ports_assert_law(left).in_caller, 0);
		assert_int_equal(ports_assert_law(right).bad_frames, 0);
		assert_int_equal(ports_stats(left).rx_packets, 40);
		assert_int_equal(ports_stats(left).tx_packets, 40);
		xsk_port_close(left);
		ports_assert_law(right);
		xsk_port_close(right);
	}
	lab_assert_prog(&other, 0, false);
	lab_close(&other);
}

/* ---- without ---- */

static void kernel_has_it_or_not(void **state)
{
	(void)state;
	set_mtu(&lab, 1500);
	if (has_frags)
		xsk_port_close(open_port((struct xsk_port_opts){ 0 }));
	else
		ports_refused("lab0", (struct xsk_port_opts){ .flags = XSK_PORT_MULTI_BUFFER },
			      -EOPNOTSUPP, "6.6", "without XSK_PORT_MULTI_BUFFER");
}

/* Dropped and counted; those that fit come through. */
static void drop_large(uint32_t mode)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
		.frames = 64, .flags = XSK_PORT_LARGE_MTU, .modes = mode });
	struct xsk_queue *queue = xsk_port_queue(port, 0);
	struct xsk_port_info info = ports_info(port);
	/* A native redirect of packets in parts fails before 6.6, and no socket counts it. */
	uint64_t dropped = info.mode == XSK_MODE_NATIVE && !has_frags ? 0 : 5;

	assert_int_equal(info.max_frags, 1);
	assert_int_equal(info.mtu, 9000);
	for (uint32_t i = 0; i < 5; i++)
		lab_send(&lab, i, i % 2 ? 9014 : info.room + 1);
	for (int i = 0; i < 2000 && ports_stats(port).rx_dropped < dropped; i++)
		usleep(1000);
	assert_int_equal(ports_stats(port).rx_dropped, dropped);
	assert_int_equal(ports_stats(port).rx_packets, 0);
	ports_receive(queue, &lab, 0, 100);
	ports_assert_law(port);
	xsk_port_close(port);
}

static void mtu_that_does_not_fit(void **state)
{
	struct xsk_port_opts opts = { .frames = 64 };

	(void)state;
	set_mtu(&lab, 9000);
	ports_refused("lab0", opts, -EMSGSIZE, "MTU of 9000", "XSK_PORT_MULTI_BUFFER");
	/* Who only sends is not asked. */
	opts.direction = XSK_DIRECTION_TX;
	xsk_port_close(ports_open("lab0", opts));
	drop_large(0);
	drop_large(XSK_MODE_GENERIC);
}

/* A packet of the MTU wants six frames of 2048 bytes. */
static void rings_that_do_not_hold_a_packet(void **state)
{
	struct xsk_port_opts opts = {
		.frames = 64, .frame_size = 2048, .flags = XSK_PORT_MULTI_BUFFER,
	};

	(void)state;
	need_frags();
	set_mtu(&lab, 9000);
	opts.rx_size = 4;
	ports_refused("lab0", opts, -EMSGSIZE, "the 4 entries of the RX ring", "more of them");
	opts.rx_size = 8;
	opts.fill_size = 4;
	ports_refused("lab0", opts, -EMSGSIZE, "the 4 entries of the FILL ring", "LARGE_MTU");
	opts.fill_size = 8;
	xsk_port_close(ports_open("lab0", opts));
	opts.frames = 16;
	opts.frame_size = 4096;
	opts.headroom = 3000;
	ports_refused("lab0", opts, -EMSGSIZE, "the 8 entries of the RX ring", "");
	opts.rx_size = 64;
	opts.fill_size = 64;
	ports_refused("lab0", opts, -EMSGSIZE, "the 8 frames that are there to receive with", "");
	opts.flags |= XSK_PORT_LARGE_MTU;
	xsk_port_close(ports_open("lab0", opts));
}

/* The largest MTU of which each packet fits into one frame, also with a VLAN tag. */
static void mtu_that_fits(void **state)
{
	const uint32_t mtu = 4096 - KERNEL_HEADROOM - 18;
	struct xsk_port *port;

	(void)state;
	set_mtu(&lab, mtu);
	port = ports_open("lab0", (struct xsk_port_opts){ .frames = 64 });
	for (uint32_t len = 3000; len <= mtu + 14; len += 2) {
		lab_send(&lab, len, len);
		take_run(port, len, len);
	}
	ports_assert_law(port);
	xsk_port_close(port);
	set_mtu(&lab, mtu + 1);
	ports_refused("lab0", (struct xsk_port_opts){ .frames = 64 }, -EMSGSIZE, "hold 3840", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_sizes),
		TEST(all_sizes_in_small_frames),
		TEST(bursts_of_whole_packets),
		TEST(mixed_sizes),
		TEST(short_frames),
		TEST(refused_runs),
		TEST(full_ring),
		TEST(forwarded_runs),
		TEST(kernel_has_it_or_not),
		TEST(mtu_that_does_not_fit),
		TEST(rings_that_do_not_hold_a_packet),
		TEST(mtu_that_fits),
		TEST(more_than_the_frames_hold),
	};

	return cmocka_run_group_tests_name("port_frags", tests, open_lab, close_lab);
}
