/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The port over veth: packets in each mode, contents compared, the law asserted. */
#include "ports.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <unistd.h>

#include "node.h"

#define COUNT 320
#define KERNEL_HEADROOM 256
#define MAX_FRAMES 128

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

static int nothing_left(void **state)
{
	(void)state;
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	return 0;
}

static struct xsk_queue *only_queue(const struct xsk_port *port)
{
	assert_null(xsk_port_queue(port, 1));
	return xsk_port_queue(port, 0);
}

static uint64_t offset_of(const struct xsk_frame *frame, uint32_t frame_size)
{
	return frame->addr & (frame_size - 1);
}

/* ---- streams ---- */

/* The kernel leaves its own bytes and the headroom before a packet, the caller the latter. */
static void check_headroom(const struct xsk_port *port, struct xsk_queue *queue)
{
	struct xsk_port_info info = ports_info(port);
	struct xsk_frame frame;

	if (info.direction & XSK_DIRECTION_RX) {
		lab_send(&lab, 1, LAB_MAX_FRAME);
		ports_take(queue, &frame, 1);
		assert_int_equal(offset_of(&frame, info.frame_size),
				 KERNEL_HEADROOM + info.headroom);
		assert_int_equal(info.room, info.frame_size - KERNEL_HEADROOM - info.headroom);
		/* A header in front, and back by the address that it has then. */
		frame.addr -= info.headroom;
		assert_int_equal(xsk_free(queue, &frame, 1), 1);
	}
	if (info.direction & XSK_DIRECTION_TX) {
		assert_int_equal(xsk_alloc(queue, &frame, 1), 1);
		assert_int_equal(offset_of(&frame, info.frame_size), info.headroom);
		assert_int_equal(frame.len | frame.options, 0);
		assert_int_equal(xsk_free(queue, &frame, 1), 1);
	}
}

static void assert_idle(const struct xsk_port *port)
{
	struct xsk_port_stats stats = ports_assert_law(port);

	assert_int_equal(stats.in_caller, 0);
	assert_int_equal(stats.in_rx, 0);
	assert_int_equal(stats.in_tx, 0);
	assert_int_equal(stats.refused, 0);
	assert_int_equal(stats.bad_frames, 0);
	assert_int_equal(stats.kick_failed, 0);
}

static void pass_packets(const struct xsk_port *port)
{
	struct xsk_queue *queue = only_queue(port);
	uint32_t direction = xsk_queue_direction(queue);

	check_headroom(port, queue);
	if (direction & XSK_DIRECTION_RX)
		ports_receive(queue, &lab, 0, COUNT);
	ports_assert_law(port);
	if (direction & XSK_DIRECTION_TX) {
		/* So that the ring ends inside a burst. */
		ports_transmit(queue, &lab, 0, 7);
		ports_transmit(queue, &lab, 7, COUNT);
		ports_drain(queue);
	}
	assert_idle(port);
}

static void in_mode(struct xsk_port_opts opts, uint32_t mode)
{
	uint32_t flags = mode == XSK_MODE_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	bool receives = opts.direction != XSK_DIRECTION_TX;
	struct xsk_port *port;
	uint32_t id = 0;

	opts.modes = mode;
	port = ports_open("lab0", opts);
	assert_int_equal(ports_info(port).mode, mode);
	/* Who only sends has no program, and otherwise it is in the mode that is told. */
	assert_int_equal(bpf_xdp_query_id(lab.ifindex[0], (int)flags, &id), 0);
	assert_int_equal(!id, !receives);
	assert_int_equal(ports_info(port).prog_id, id);
	assert_int_equal(!lab_prog_id(&lab, 0), !receives);
	pass_packets(port);
	xsk_port_close(port);
	lab_assert_prog(&lab, 0, false);
}

/* And with the place of each frame kept. */
static void in_each_mode(struct xsk_port_opts opts)
{
	for (int checked = 0; checked < 2; checked++) {
		opts.flags |= checked ? XSK_PORT_CHECKED : 0;
		in_mode(opts, XSK_MODE_NATIVE);
		in_mode(opts, XSK_MODE_GENERIC);
	}
}

static void in_both_directions(void **state)
{
	(void)state;
	in_each_mode((struct xsk_port_opts){ 0 });
}

static void receiving_only(void **state)
{
	(void)state;
	in_each_mode((struct xsk_port_opts){ .direction = XSK_DIRECTION_RX });
}

static void sending_only(void **state)
{
	(void)state;
	in_each_mode((struct xsk_port_opts){ .direction = XSK_DIRECTION_TX });
}

static void frames_of_each_size(void **state)
{
	(void)state;
	in_each_mode((struct xsk_port_opts){ .frame_size = 2048 });
	in_each_mode((struct xsk_port_opts){ .frame_size = 4096 });
}

static void headroom(void **state)
{
	(void)state;
	in_each_mode((struct xsk_port_opts){ .frame_size = 2048, .headroom = 128 });
	in_each_mode((struct xsk_port_opts){ .headroom = 1000 });
}

static void small_rings(void **state)
{
	struct xsk_port_opts opts = { .rx_size = 16, .tx_size = 32, .fill_size = 16,
				      .comp_size = 32 };

	(void)state;
	in_each_mode(opts);
	opts.tx_size = 64;
	in_each_mode(opts);
	opts.comp_size = 128;
	in_each_mode(opts);
}

/* Each packet by itself, received and sent back. */
static void echo(struct xsk_port_opts opts)
{
	struct xsk_port *port = ports_open("lab0", opts);
	struct xsk_queue *queue = only_queue(port);
	struct xsk_frame frame;

	for (uint32_t i = 0; i < COUNT; i++) {
		lab_send(&lab, i, LAB_MIN_FRAME + i);
		ports_take(queue, &frame, 1);
		assert_int_equal(xsk_tx(queue, &frame, 1), 1);
		ports_drain(queue);
		lab_expect(&lab, i, LAB_MIN_FRAME + i);
	}
	assert_idle(port);
	assert_int_equal(ports_stats(port).rx_packets, COUNT);
	assert_int_equal(ports_stats(port).tx_packets, COUNT);
	xsk_port_close(port);
}

static void few_frames(void **state)
{
	struct xsk_port_opts opts = { .frames = 16, .rx_size = 1, .fill_size = 1 };

	(void)state;
	in_each_mode((struct xsk_port_opts){ .frames = 32 });
	in_each_mode((struct xsk_port_opts){ .frames = 16, .direction = XSK_DIRECTION_TX });
	echo(opts);
	opts.flags = XSK_PORT_CHECKED;
	opts.modes = XSK_MODE_GENERIC;
	echo(opts);
}

/* The lab's memory makes the pages, and has them put back at the end of the program. */
static void make_huge_pages(void)
{
	const uint64_t size = 2 << 20;

	node_memory_free(node_memory(size, true), size);
}

static void huge_pages(void **state)
{
	struct xsk_port_opts opts = { .flags = XSK_PORT_NO_HUGE };
	struct xsk_port *port;

	(void)state;
	make_huge_pages();
	in_each_mode((struct xsk_port_opts){ .flags = XSK_PORT_HUGE });
	in_each_mode((struct xsk_port_opts){ .flags = XSK_PORT_HUGE, .frame_size = 2048 });

	/* There are some now, so they are taken unless they are not wanted. */
	port = ports_open("lab0", (struct xsk_port_opts){ 0 });
	assert_true(ports_info(port).flags & XSK_PORT_HUGE);
	pass_packets(port);
	xsk_port_close(port);
	port = ports_open("lab0", opts);
	assert_int_equal(ports_info(port).flags & (XSK_PORT_HUGE | XSK_PORT_NO_HUGE), 0);
	pass_packets(port);
	xsk_port_close(port);

	opts.flags = XSK_PORT_HUGE;
	opts.frames = 1 << 22;
	ports_refused("lab0", opts, -ENOMEM, "huge pages", "nr_hugepages");
}

/* ---- what it says of itself ---- */

static void assert_mode_text(struct xsk_port_opts opts, const char *text)
{
	struct xsk_port *port = ports_open("lab0", opts);

	assert_string_equal(ports_info(port).mode_text, text);
	xsk_port_close(port);
}

static void mode_texts(void **state)
{
	(void)state;
	assert_mode_text((struct xsk_port_opts){ 0 },
			 "native copy; zero-copy refused: driver veth does not offer it");
	assert_mode_text((struct xsk_port_opts){ .modes = XSK_MODE_ZEROCOPY | XSK_MODE_GENERIC },
			 "generic copy; zero-copy refused: driver veth does not offer it");
	assert_mode_text((struct xsk_port_opts){ .modes = XSK_MODE_GENERIC }, "generic copy");
	assert_mode_text((struct xsk_port_opts){ .direction = XSK_DIRECTION_TX },
			 "copy; zero-copy refused: driver veth does not offer it");
	ports_refused("lab0", (struct xsk_port_opts){ .modes = XSK_MODE_ZEROCOPY }, -EOPNOTSUPP,
		      "driver veth does not offer it", "opts.modes");
}

static void info(void **state)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
		.headroom = 64, .frames = 100, .rx_size = 64, .tx_size = 32, .fill_size = 16,
		.comp_size = 128, .frame_size = 2048, .flags = XSK_PORT_CHECKED });
	struct xsk_port_info info = ports_info(port);

	(void)state;
	assert_string_equal(info.name, "lab0");
	assert_string_equal(info.driver, "veth");
	assert_string_equal(info.wait_text, "sleep");
	assert_int_equal(info.mode, XSK_MODE_NATIVE);
	assert_int_equal(info.direction, XSK_DIRECTION_RX | XSK_DIRECTION_TX);
	assert_int_equal(info.flags & ~XSK_PORT_HUGE, XSK_PORT_CHECKED);
	assert_int_equal(info.first_queue, 0);
	assert_int_equal(info.queues, 1);
	assert_int_equal(info.rx_queues, 1);
	assert_int_equal(info.tx_queues, 1);
	assert_int_equal(info.mtu, 1500);
	assert_int_equal(info.max_frags, 1);
	assert_int_equal(info.frame_size, 2048);
	assert_int_equal(info.headroom, 64);
	assert_int_equal(info.room, 2048 - 64 - KERNEL_HEADROOM);
	assert_int_equal(info.frames, 100);
	assert_int_equal(info.rx_size, 64);
	assert_int_equal(info.tx_size, 32);
	assert_int_equal(info.fill_size, 16);
	assert_int_equal(info.comp_size, 128);
	assert_int_equal(info.wait, XSK_WAIT_SLEEP);
	assert_int_equal(info.prog_id, lab_prog_id(&lab, 0));
	assert_int_equal(info.ifindex, lab.ifindex[0]);
	assert_true(info.up);
	assert_false(info.gone);
	lab_run("ip link set lab0 down");
	assert_false(ports_info(port).up);
	lab_run("ip link set lab0 up mtu 1400");
	assert_true(ports_info(port).up);
	assert_int_equal(ports_info(port).mtu, 1400);
	lab_run("ip link set lab0 mtu 1500");
	xsk_port_close(port);
}

/* ---- opts of other versions ---- */

struct longer_opts {
	struct xsk_port_opts known;
	char tail[24];
};

static void opts_of_other_versions(void **state)
{
	struct longer_opts longer = { .known = { .sz = sizeof(longer), .frames = 64 } };
	struct xsk_port_opts shorter = { .sz = offsetof(struct xsk_port_opts, frames),
					 .frames = 3, .share = (void *)-1L };
	struct xsk_error error = { 0 };
	struct xsk_port *port = NULL;

	(void)state;
	assert_int_equal(xsk_port_open(&port, "lab0", &longer.known, NULL), 0);
	assert_int_equal(ports_info(port).frames, 64);
	pass_packets(port);
	xsk_port_close(port);

	/* What is beyond is not read. */
	assert_int_equal(xsk_port_open(&port, "lab0", &shorter, NULL), 0);
	assert_int_equal(ports_info(port).frames, 4096);
	pass_packets(port);
	xsk_port_close(port);
	assert_int_equal(xsk_port_open(&port, "lab0", NULL, NULL), 0);
	assert_int_equal(ports_info(port).frames, 4096);
	xsk_port_close(port);

	port = NULL;
	longer.tail[sizeof(longer.tail) - 1] = 1;
	assert_int_equal(xsk_port_open(&port, "lab0", &longer.known, &error), -EINVAL);
	assert_non_null(strstr(error.reason, "means nothing to this version"));
	shorter.sz = sizeof(size_t) - 1;
	assert_int_equal(xsk_port_open(&port, "lab0", &shorter, &error), -EINVAL);
	assert_null(port);
}

/* Nothing is written beyond sz, and what is new to the library is 0. */
static void answers_to_other_versions(void **state)
{
	struct { struct xsk_port_info known; char tail[8]; } info;
	struct { struct xsk_port_stats known; char tail[8]; } stats;
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){ 0 });

	(void)state;
	memset(&info, 0xa5, sizeof(info));
	info.known.sz = sizeof(info);
	assert_int_equal(xsk_port_info(port, &info.known), 0);
	assert_int_equal(info.known.frames, 4096);
	assert_int_equal(info.tail[7], 0);
	memset(&info, 0xa5, sizeof(info));
	info.known.sz = offsetof(struct xsk_port_info, frames);
	assert_int_equal(xsk_port_info(port, &info.known), 0);
	assert_int_equal(info.known.frame_size, 4096);
	assert_int_equal(info.known.frames, 0xa5a5a5a5);
	info.known.sz = 0;
	assert_int_equal(xsk_port_info(port, &info.known), -EINVAL);

	memset(&stats, 0xa5, sizeof(stats));
	stats.known.sz = sizeof(stats);
	assert_int_equal(xsk_port_stats(port, &stats.known), 0);
	assert_int_equal(stats.tail[7], 0);
	memset(&stats, 0xa5, sizeof(stats));
	stats.known.sz = offsetof(struct xsk_port_stats, in_pool);
	assert_int_equal(xsk_queue_stats(only_queue(port), &stats.known), 0);
	assert_int_equal(stats.known.frames, 4096);
	assert_int_equal(stats.known.in_pool, 0xa5a5a5a5a5a5a5a5);
	stats.known.sz = 0;
	assert_int_equal(xsk_port_stats(port, &stats.known), -EINVAL);
	assert_int_equal(xsk_queue_stats(only_queue(port), &stats.known), -EINVAL);
	assert_int_equal(xsk_port_stats(NULL, &stats.known), -EINVAL);
	assert_int_equal(xsk_port_info(port, NULL), -EINVAL);
	assert_null(xsk_port_queue(NULL, 0));
	xsk_port_close(port);
	xsk_port_close(NULL);
}

/* ---- where the frames are ---- */

static void assert_places(const struct xsk_port *port, uint64_t pool, uint64_t fill, uint64_t rx,
			  uint64_t caller, uint64_t tx, uint64_t comp)
{
	struct xsk_port_stats stats = ports_assert_law(port);

	assert_int_equal(stats.in_pool, pool);
	assert_int_equal(stats.in_fill, fill);
	assert_int_equal(stats.in_rx, rx);
	assert_int_equal(stats.in_caller, caller);
	assert_int_equal(stats.in_tx, tx);
	assert_int_equal(stats.in_comp, comp);
	assert_int_equal(stats.rx_level, rx);
	assert_int_equal(stats.tx_level, tx);
	assert_int_equal(stats.comp_level, comp);
}

static void send_from_lab1(const struct xsk_port *port, int n)
{
	for (int i = 0; i < n; i++)
		lab_send(&lab, (uint32_t)i, 100);
	for (int i = 0; i < 2000 && (int)ports_stats(port).in_rx < n; i++)
		usleep(1000);
}

static void make_packets(const struct xsk_queue *queue, struct xsk_frame *frames, int n)
{
	for (int i = 0; i < n; i++) {
		frames[i].len = 200;
		lab_frame(xsk_frame_data(queue, &frames[i]), 200, (uint32_t)i);
	}
}

static void follow_the_frames(uint32_t flags)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
		.frames = 64, .rx_size = 32, .tx_size = 32, .fill_size = 32, .comp_size = 32,
		.flags = flags });
	struct xsk_queue *queue = only_queue(port);
	struct xsk_frame frames[MAX_FRAMES];

	assert_places(port, 32, 32, 0, 0, 0, 0);
	assert_int_equal(xsk_alloc(queue, frames, 10), 10);
	assert_places(port, 22, 32, 0, 10, 0, 0);
	make_packets(queue, frames, 4);
	assert_int_equal(xsk_tx(queue, frames, 4), 4);
	assert_places(port, 22, 32, 0, 6, 4, 0);
	assert_int_equal(xsk_free(queue, frames + 4, 6), 6);
	assert_places(port, 28, 32, 0, 0, 4, 0);
	ports_drain(queue);
	for (uint32_t i = 0; i < 4; i++)
		lab_expect(&lab, i, 200);
	assert_places(port, 28, 32, 0, 0, 0, 4);
	/* More than the pool has, so COMPLETION is looked at. */
	assert_int_equal(xsk_alloc(queue, frames, 29), 29);
	assert_places(port, 3, 32, 0, 29, 0, 0);
	send_from_lab1(port, 5);
	assert_places(port, 3, 27, 5, 29, 0, 0);
	/* FILL gets what the pool still has. */
	assert_int_equal(xsk_rx(queue, frames + 29, 64), 5);
	assert_places(port, 0, 30, 0, 34, 0, 0);
	assert_int_equal(xsk_free(queue, frames, 34), 34);
	assert_places(port, 34, 30, 0, 0, 0, 0);
	assert_int_equal(xsk_rx(queue, frames, 64), 0);
	assert_places(port, 32, 32, 0, 0, 0, 0);
	xsk_port_close(port);
}

static void frames_by_place(void **state)
{
	(void)state;
	follow_the_frames(0);
	follow_the_frames(XSK_PORT_CHECKED);
}

/* ---- bursts ---- */

static void bursts_larger_than_what_there_is(void **state)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
		.frames = MAX_FRAMES, .tx_size = 32 });
	struct xsk_queue *queue = only_queue(port);
	struct xsk_frame frames[2 * MAX_FRAMES];

	(void)state;
	send_from_lab1(port, 3);
	assert_int_equal(xsk_rx(queue, frames, 64), 3);
	assert_int_equal(xsk_rx(queue, frames + 3, 64), 0);
	assert_int_equal(xsk_free(queue, frames, 3), 3);
	assert_int_equal(xsk_rx(queue, frames, 64), 0);
	assert_int_equal(xsk_alloc(queue, frames, 2 * MAX_FRAMES), MAX_FRAMES / 2);
	assert_int_equal(xsk_alloc(queue, frames + MAX_FRAMES, 1), 0);
	make_packets(queue, frames, MAX_FRAMES / 2);
	assert_int_equal(xsk_tx(queue, frames, MAX_FRAMES / 2), 32);
	assert_int_equal(xsk_free(queue, frames + 32, MAX_FRAMES / 2 - 32), MAX_FRAMES / 2 - 32);
	ports_drain(queue);
	for (uint32_t i = 0; i < 32; i++)
		lab_expect(&lab, i, 200);
	assert_idle(port);
	xsk_port_close(port);
}

static void bursts_of_nothing_and_errors(void **state)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){ .frames = 64 });
	struct xsk_queue *queue = only_queue(port);
	static const int counts[] = { 0, -1, -ENODEV, -EMSGSIZE, INT32_MIN };
	struct xsk_frame frame = { .addr = 1ULL << 60 };
	struct xsk_error first, last;

	(void)state;
	assert_int_equal(xsk_free(queue, &frame, 1), -EINVAL);
	xsk_error_last(&first);
	send_from_lab1(port, 1);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		assert_int_equal(xsk_rx(queue, NULL, counts[i]), counts[i]);
		assert_int_equal(xsk_alloc(queue, NULL, counts[i]), counts[i]);
		assert_int_equal(xsk_tx(queue, NULL, counts[i]), counts[i]);
		assert_int_equal(xsk_free(queue, NULL, counts[i]), counts[i]);
	}
	/* The error that passes through is that of the verb before. */
	xsk_error_last(&last);
	assert_memory_equal(&first, &last, sizeof(first));
	assert_places(port, 32, 31, 1, 0, 0, 0);
	xsk_port_close(port);
}

static void full_tx_ring(void **state)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
		.frames = MAX_FRAMES, .tx_size = 32, .fill_size = 32 });
	struct xsk_queue *queue = only_queue(port);
	struct xsk_frame frames[64];
	int sent = 0, n;

	(void)state;
	assert_int_equal(xsk_alloc(queue, frames, 64), 64);
	make_packets(queue, frames, 64);
	while ((n = xsk_tx(queue, frames + sent, 5)) > 0)
		sent += n;
	assert_int_equal(n, 0);
	assert_int_equal(sent, 32);
	lab_expect_nothing(&lab);
	assert_places(port, 32, 32, 0, 32, 32, 0);
	/* There is room when they are sent: said once, to who was told that there is none. */
	assert_int_equal(xsk_wait(&queue, 1, 2000), 1);
	assert_int_equal(xsk_wait(&queue, 1, 0), 0);
	ports_drain(queue);
	assert_int_equal(xsk_tx(queue, frames + sent, 32), 32);
	ports_drain(queue);
	for (uint32_t i = 0; i < 64; i++)
		lab_expect(&lab, i, 200);
	assert_idle(port);
	xsk_port_close(port);
}

/* ---- the pool runs dry ---- */

static void assert_each_once(const struct xsk_frame *frames, int n, uint32_t frame_size)
{
	bool seen[MAX_FRAMES] = { false };

	for (int i = 0; i < n; i++) {
		uint64_t number = (frames[i].addr & 0xffffffffffff) / frame_size;

		assert_true(number < (uint64_t)n);
		assert_false(seen[number]);
		seen[number] = true;
	}
}

/* The caller takes all that there are. What comes then has no frame, and is counted twice. */
static void take_all(const struct xsk_port *port, struct xsk_frame *frames)
{
	struct xsk_queue *queue = only_queue(port);

	assert_int_equal(xsk_alloc(queue, frames, MAX_FRAMES), MAX_FRAMES / 2);
	for (int i = 0; i < MAX_FRAMES / 2; i += 16) {
		send_from_lab1(port, 16);
		ports_take(queue, frames + MAX_FRAMES / 2 + i, 16);
	}
	assert_places(port, 0, 0, 0, MAX_FRAMES, 0, 0);
	assert_each_once(frames, MAX_FRAMES, 4096);
	assert_int_equal(xsk_alloc(queue, frames, 1), 0);
	lab_send(&lab, 0, 100);
	for (int i = 0; i < 2000 && !ports_stats(port).rx_dropped; i++)
		usleep(1000);
	assert_true(ports_stats(port).rx_dropped && ports_stats(port).rx_fill_empty);
	assert_int_equal(xsk_rx(queue, frames, 1), 0);
}

static void dry_pool(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
			.frames = MAX_FRAMES, .flags = i & 1 ? XSK_PORT_CHECKED : 0,
			.modes = i & 2 ? XSK_MODE_GENERIC : XSK_MODE_NATIVE });
		struct xsk_queue *queue = only_queue(port);
		struct xsk_frame frames[MAX_FRAMES];

		take_all(port, frames);
		assert_int_equal(xsk_free(queue, frames, MAX_FRAMES), MAX_FRAMES);
		assert_places(port, MAX_FRAMES, 0, 0, 0, 0, 0);
		/* Who only waits gives FILL what was freed since. */
		assert_int_equal(xsk_wait(&queue, 1, 0), 1);
		assert_places(port, MAX_FRAMES / 2, MAX_FRAMES / 2, 0, 0, 0, 0);
		assert_int_equal(xsk_wait(&queue, 1, 0), 0);
		pass_packets(port);
		xsk_port_close(port);
	}
}

/* ---- statistics ---- */

static void statistics(void **state)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){ .frames = 64 });
	struct xsk_queue *queue = only_queue(port);
	struct xsk_port_stats stats;
	struct xsk_frame frames[16];

	(void)state;
	send_from_lab1(port, 10);
	assert_int_equal(ports_stats(port).rx_packets, 0);
	ports_take(queue, frames, 10);
	assert_int_equal(ports_stats(port).rx_packets, 10);
	assert_int_equal(ports_stats(port).rx_bytes, 10 * 100);
	make_packets(queue, frames, 10);
	assert_int_equal(xsk_tx(queue, frames, 7), 7);
	assert_int_equal(ports_stats(port).kicks, 0);
	ports_drain(queue);
	for (uint32_t i = 0; i < 7; i++)
		lab_expect(&lab, i, 200);
	stats = ports_stats(port);
	assert_int_equal(stats.tx_packets, 7);
	assert_int_equal(stats.tx_bytes, 7 * 200);
	assert_true(stats.kicks >= 1);
	/* Nothing to tell the kernel: no call. */
	assert_int_equal(xsk_flush(queue), 0);
	assert_int_equal(ports_stats(port).kicks, stats.kicks);
	assert_int_equal(xsk_free(queue, frames + 7, 3), 3);
	assert_int_equal(stats.rx_dropped + stats.rx_invalid + stats.rx_ring_full +
			 stats.rx_fill_empty + stats.tx_invalid, 0);
	assert_idle(port);
	xsk_port_close(port);
}

static void full_rx_ring(void **state)
{
	struct xsk_port *port = ports_open("lab0", (struct xsk_port_opts){
		.frames = 64, .rx_size = 16, .direction = XSK_DIRECTION_RX });
	struct xsk_queue *queue = only_queue(port);
	struct xsk_frame frames[32];

	(void)state;
	send_from_lab1(port, 20);
	for (int i = 0; i < 2000 && ports_stats(port).rx_ring_full < 4; i++)
		usleep(1000);
	assert_int_equal(ports_stats(port).rx_ring_full, 4);
	assert_places(port, 0, 48, 16, 0, 0, 0);
	assert_int_equal(xsk_rx(queue, frames, 32), 16);
	for (uint32_t i = 0; i < 16; i++)
		assert_true(lab_frame_is(xsk_frame_data(queue, &frames[i]), 100, i));
	assert_int_equal(xsk_free(queue, frames, 16), 16);
	pass_packets(port);
	xsk_port_close(port);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_both_directions),
		TEST(receiving_only),
		TEST(sending_only),
		TEST(frames_of_each_size),
		TEST(headroom),
		TEST(small_rings),
		TEST(few_frames),
		TEST(mode_texts),
		TEST(info),
		TEST(opts_of_other_versions),
		TEST(answers_to_other_versions),
		TEST(frames_by_place),
		TEST(bursts_larger_than_what_there_is),
		TEST(bursts_of_nothing_and_errors),
		TEST(full_tx_ring),
		TEST(dry_pool),
		TEST(statistics),
		TEST(full_rx_ring),
		TEST(huge_pages),
	};

	return cmocka_run_group_tests_name("port", tests, open_lab, close_lab);
}
