/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The checked mode over veth: a frame that is not the caller's is refused with both
 * owners named, nothing moves, and the kernel never sees it.
 *
 * With an argument only the cases of that name are run.
 */
#include <errno.h>

#include "ports.h"

#define FRAMES 128
#define FRAME_SIZE 4096
#define ADDR_BITS 0xffffffffffffULL	/* above them is the number of the memory */

static struct lab lab;
static struct lab_count before;
static struct xsk_port *port;		/* on lab0 */
static struct xsk_port *sender;		/* on lab1, of some tests */
static struct xsk_queue *queue;

/* ---- a port for each test ---- */

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

static int open_port(uint32_t flags)
{
	lab_count(&before);
	port = ports_open("lab0", (struct xsk_port_opts){ .flags = flags, .frames = FRAMES });
	queue = xsk_port_queue(port, 0);
	return 0;
}

static int checked(void **state)
{
	(void)state;
	return open_port(XSK_PORT_CHECKED);
}

static int unchecked(void **state)
{
	(void)state;
	return open_port(0);
}

static int no_port(void **state)
{
	(void)state;
	lab_count(&before);
	return 0;
}

/* The law, and nothing that is bad came as far as the kernel. */
static void assert_clean(const struct xsk_port *of)
{
	struct xsk_port_stats stats = ports_assert_law(of);

	assert_int_equal(stats.tx_invalid, 0);
	assert_int_equal(stats.rx_invalid, 0);
	assert_int_equal(stats.bad_frames, 0);
}

static void close_sender(void)
{
	xsk_port_close(sender);
	sender = NULL;
}

static int finish(void **state)
{
	(void)state;
	lab_enter(&lab, 0);
	close_sender();
	if (port)
		assert_clean(port);
	xsk_port_close(port);
	port = NULL;
	lab_expect_nothing(&lab);
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	return 0;
}

static void open_sender(struct xsk_port_opts opts)
{
	opts.direction = XSK_DIRECTION_TX;
	lab_enter(&lab, 1);
	sender = ports_open("lab1", opts);
	lab_enter(&lab, 0);
}

/* ---- frames ---- */

/* A frame of the caller's with packet number, to be sent. */
static struct xsk_frame packet(uint32_t number)
{
	struct xsk_frame frame;

	assert_int_equal(xsk_alloc(queue, &frame, 1), 1);
	frame.len = 100;
	lab_frame(xsk_frame_data(queue, &frame), frame.len, number);
	return frame;
}

static void packets(struct xsk_frame *frames, int n, uint32_t first)
{
	for (int i = 0; i < n; i++)
		frames[i] = packet(first + (uint32_t)i);
}

static void expect(uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		lab_expect(&lab, first + i, 100);
}

static void free_all(const struct xsk_frame *frames, int n)
{
	assert_int_equal(xsk_free(queue, frames, n), n);
}

static void send_all(const struct xsk_frame *frames, int n, uint32_t first)
{
	assert_int_equal(xsk_tx(queue, frames, n), n);
	assert_true(xsk_flush(queue) >= 0);
	expect(first, (uint32_t)n);
}

/* ---- what is refused ---- */

/* The reason names who is given which frame, and who has it. */
static const char *given(const char *name, const struct xsk_frame *frame, const char *where)
{
	static char text[256];

	snprintf(text, sizeof(text), "queue 0 of %s is given frame 0x%llx, which is not the "
		 "caller's: it is %s", name, (unsigned long long)frame->addr, where);
	return text;
}

#define IN_POOL "in the pool of queue 0, so it was freed before"
#define TWICE "twice in one call"
#define IN_TX "in TX of queue 0 of lab0, the kernel's until it is sent"
#define IN_FILL "in FILL or RX of queue 0 of lab0, the kernel's"
#define FORGET "forget its address"

/* What was sent may come back meanwhile. */
static void assert_refused(struct xsk_port *by, const struct xsk_port_stats *old)
{
	struct xsk_port_stats now = ports_assert_law(by);

	assert_int_equal(now.refused, old->refused + 1);
	assert_int_equal(now.in_caller, old->in_caller);
	assert_int_equal(now.in_fill + now.in_rx, old->in_fill + old->in_rx);
	assert_int_equal(now.in_pool + now.in_tx + now.in_comp,
			 old->in_pool + old->in_tx + old->in_comp);
	assert_int_equal(now.tx_packets, old->tx_packets);
	assert_int_equal(now.tx_bytes, old->tx_bytes);
}

static void port_refuses_free(struct xsk_port *by, const struct xsk_frame *frames, int n,
			      const char *reason, const char *hint)
{
	struct xsk_port_stats old = ports_stats(by);

	assert_int_equal(xsk_free(xsk_port_queue(by, 0), frames, n), -EINVAL);
	ports_assert_last(-EINVAL, reason, hint);
	assert_refused(by, &old);
}

static void port_refuses_tx(struct xsk_port *by, const struct xsk_frame *frames, int n, int code,
			    const char *reason, const char *hint)
{
	struct xsk_port_stats old = ports_stats(by);

	assert_int_equal(xsk_tx(xsk_port_queue(by, 0), frames, n), code);
	ports_assert_last(code, reason, hint);
	assert_refused(by, &old);
}

static void refuses_free(const struct xsk_frame *frames, int n, const struct xsk_frame *which,
			 const char *where)
{
	port_refuses_free(port, frames, n, given("lab0", which, where), FORGET);
}

static void refuses_tx(const struct xsk_frame *frames, int n, const char *where)
{
	port_refuses_tx(port, frames, n, -EINVAL, given("lab0", frames, where), FORGET);
}

static void refuses_both(const struct xsk_frame *frame, const char *where)
{
	refuses_free(frame, 1, frame, where);
	refuses_tx(frame, 1, where);
}

/* ---- freed ---- */

static void freed_twice(void **state)
{
	struct xsk_frame frames[3];

	(void)state;
	packets(frames, 2, 0);
	frames[2] = frames[0];
	port_refuses_free(port, frames, 3, TWICE, "each frame once");
	free_all(frames, 1);
	refuses_free(frames, 1, &frames[0], IN_POOL);

	/* Another place in it is the same frame. */
	frames[2] = frames[1];
	frames[2].addr += FRAME_SIZE - 1;
	port_refuses_free(port, frames + 1, 2, TWICE, "each frame once");
	free_all(&frames[2], 1);
	refuses_free(&frames[1], 1, &frames[1], IN_POOL);
	assert_int_equal(ports_stats(port).in_caller, 0);
	assert_int_equal(ports_stats(port).refused, 4);
}

/* All or none, wherever the bad one stands. */
static void freed_among_others(void **state)
{
	struct xsk_frame frames[8];

	(void)state;
	for (int bad = 0; bad < 8; bad++) {
		packets(frames, 8, 0);
		free_all(&frames[bad], 1);
		refuses_free(frames, 8, &frames[bad], IN_POOL);
		for (int i = 7; i >= 0; i--)
			if (i != bad)
				free_all(&frames[i], 1);
		assert_int_equal(ports_stats(port).in_caller, 0);
	}
}

static void sent_after_free(void **state)
{
	struct xsk_frame frame = packet(0);

	(void)state;
	free_all(&frame, 1);
	refuses_tx(&frame, 1, IN_POOL);
}

/* ---- sent ---- */

static void sent_before(void **state)
{
	struct xsk_frame frame = packet(1), other = packet(2);

	(void)state;
	assert_int_equal(xsk_tx(queue, &frame, 1), 1);
	refuses_both(&frame, IN_TX);
	assert_true(xsk_flush(queue) >= 0);
	expect(1, 1);
	ports_drain(queue);

	/* It is back in COMPLETION, and nobody has looked: the kernel's still. */
	refuses_free(&frame, 1, &frame, IN_TX);
	send_all(&other, 1, 2);
	refuses_free(&frame, 1, &frame, IN_POOL);
	ports_drain(queue);
	refuses_tx(&frame, 1, IN_POOL);
	refuses_free(&other, 1, &other, IN_POOL);
}

static void sent_twice_in_a_burst(void **state)
{
	struct xsk_frame frames[6];

	(void)state;
	packets(frames, 2, 0);
	frames[2] = frames[0];
	frames[3] = packet(2);
	assert_int_equal(xsk_tx(queue, frames, 4), 2);
	refuses_tx(frames + 2, 2, IN_TX);
	assert_int_equal(xsk_tx(queue, frames + 3, 1), 1);
	assert_true(xsk_flush(queue) >= 0);
	expect(0, 3);

	packets(frames, 1, 3);
	frames[1] = frames[0];
	frames[1].addr += 4;
	assert_int_equal(xsk_tx(queue, frames, 2), 1);
	refuses_both(&frames[1], IN_TX);
	assert_true(xsk_flush(queue) >= 0);
	expect(3, 1);
}

/* What is before it goes, and what is behind it can go then. */
static void sent_among_others(void **state)
{
	const struct {
		struct xsk_frame more;		/* is added to a good one; none: it is freed */
		const char *reason, *hint;
	} bad[] = {
		{ { 0 }, IN_POOL, FORGET },
		{ { .len = (uint32_t)-100 }, "length 0", "set len" },
		{ { .addr = FRAMES * FRAME_SIZE }, "beyond the", "frames of xsk_rx()" },
		{ { .options = 0x40 }, "options 0x40", "to 0" },
	};
	struct xsk_frame frames[5], good;

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		packets(frames, 5, 0);
		good = frames[2];
		if (!kind)
			free_all(&good, 1);
		frames[2].addr += bad[kind].more.addr;
		frames[2].len += bad[kind].more.len;
		frames[2].options += bad[kind].more.options;
		assert_int_equal(xsk_tx(queue, frames, 5), 2);
		assert_int_equal(ports_stats(port).in_caller, kind ? 3 : 2);
		port_refuses_tx(port, frames + 2, 3, -EINVAL, bad[kind].reason, bad[kind].hint);
		assert_int_equal(xsk_tx(queue, frames + 3, 2), 2);
		assert_true(xsk_flush(queue) >= 0);
		expect(0, 2);
		expect(3, 2);
		if (kind)
			free_all(&good, 1);
		assert_int_equal(ports_stats(port).in_caller, 0);
	}
}

/* ---- received ---- */

static void received(void **state)
{
	struct xsk_frame frames[4], again[4], ahead;

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		lab_send(&lab, i, 100);
	ports_take(queue, frames, 4);
	free_all(frames, 4);
	refuses_both(&frames[0], IN_POOL);

	/* The pool's last are FILL's next. */
	for (uint32_t i = 0; i < 4; i++)
		lab_send(&lab, i, 100);
	ports_take(queue, again, 4);
	for (int i = 0; i < 4; i++)
		refuses_both(&frames[i], IN_FILL);

	/* It is in RX, and not yet received. */
	ahead = again[3];
	ahead.addr -= FRAME_SIZE;
	lab_send(&lab, 0, 100);
	refuses_both(&ahead, IN_FILL);
	ports_take(queue, &ahead, 1);
	free_all(&ahead, 1);

	/* Sent on as it came. */
	assert_int_equal(xsk_tx(queue, again, 4), 4);
	refuses_both(&again[2], IN_TX);
	assert_true(xsk_flush(queue) >= 0);
	expect(0, 4);
}

/* Every frame that there is, while none is the caller's: each is named where it is. */
static void everybody_elses(void **state)
{
	struct xsk_port_stats old = ports_stats(port);
	struct xsk_frame frame = packet(0);
	const uint64_t base = frame.addr & ~ADDR_BITS;
	uint64_t in_fill = 0, in_pool = 0;

	(void)state;
	free_all(&frame, 1);
	for (uint64_t i = 0; i < FRAMES; i++) {
		struct xsk_error error;

		frame.addr = base + i * FRAME_SIZE + i * 31;
		assert_int_equal(xsk_free(queue, &frame, 1), -EINVAL);
		xsk_error_last(&error);
		in_fill += strstr(error.reason, IN_FILL) != NULL;
		in_pool += strstr(error.reason, IN_POOL) != NULL;
		refuses_tx(&frame, 1, strstr(error.reason, IN_FILL) ? IN_FILL : IN_POOL);
	}
	assert_int_equal(in_fill, old.in_fill);
	assert_int_equal(in_pool, old.in_pool);
}

/* ---- no such frame, no such packet ---- */

static void addresses(void **state)
{
	struct xsk_frame frame = packet(0), bad = frame;
	const uint64_t base = frame.addr & ~ADDR_BITS;
	const uint64_t beyond[] = { FRAMES * FRAME_SIZE, FRAMES * FRAME_SIZE + 1, ADDR_BITS };
	const uint64_t foreign[] = {
		frame.addr + (1ULL << 48), frame.addr - (1ULL << 48), base - 1,
	};
	const uint64_t untagged[] = {
		0, 1, frame.addr & ADDR_BITS, ADDR_BITS, frame.addr | 1ULL << 63, UINT64_MAX,
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		bad.addr = base + beyond[i];
		port_refuses_free(port, &bad, 1, "beyond the 524288 bytes", "frames of xsk_rx()");
		port_refuses_tx(port, &bad, 1, -EINVAL, "beyond the 524288 bytes", "xsk_alloc()");
	}
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		bad.addr = foreign[i];
		port_refuses_free(port, &bad, 1, "another port's", "opts.share");
		port_refuses_tx(port, &bad, 1, -EINVAL, "another port's", "opts.share");
	}
	for (size_t i = 0; i < sizeof(untagged) / sizeof(untagged[0]); i++) {
		bad.addr = untagged[i];
		snprintf(text, sizeof(text), "given address 0x%llx, which lacks the tag of its "
			 "memory (0x%llx in", (unsigned long long)bad.addr,
			 (unsigned long long)frame.addr >> 48);
		port_refuses_free(port, &bad, 1, text, "as xsk_rx() and xsk_alloc() set it");
		port_refuses_tx(port, &bad, 1, -EINVAL, text, "opts.share");
	}
	send_all(&frame, 1, 0);
}

static void lengths(void **state)
{
	struct xsk_frame frame = packet(0), bad;
	const uint32_t outside[][2] = {		/* offset and length */
		{ 0, FRAME_SIZE + 1 }, { 1, FRAME_SIZE }, { FRAME_SIZE - 1, 2 },
		{ FRAME_SIZE - 100, 101 }, { 0, UINT32_MAX }, { FRAME_SIZE - 1, UINT32_MAX },
		{ 0, 1U << 31 }, { 0, 2 * FRAME_SIZE },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		bad = frame;
		bad.addr += outside[i][0];
		bad.len = outside[i][1];
		snprintf(text, sizeof(text), "%u bytes from offset %u on leave the frame",
			 bad.len, outside[i][0]);
		port_refuses_tx(port, &bad, 1, -EINVAL, text, "mend addr and len");
	}
	bad.len = 0;
	port_refuses_tx(port, &bad, 1, -EINVAL, "has the length 0", "set len");

	/* As far as the last byte it is good. */
	frame.addr += FRAME_SIZE - frame.len;
	lab_frame(xsk_frame_data(queue, &frame), frame.len, 5);
	send_all(&frame, 1, 5);
}

static void options(void **state)
{
	struct xsk_frame frame = packet(0);
	char text[64];

	(void)state;
	/* XSK_FRAME_CONTD too: the port was not opened for it. */
	for (uint32_t bit = 0; bit < 32; bit++) {
		frame.options = 1U << bit;
		snprintf(text, sizeof(text), "0x%x, which queue 0 of lab0 does not know",
			 frame.options);
		port_refuses_tx(port, &frame, 1, -EINVAL, text, "set options to 0");
	}
	frame.options = 0;
	send_all(&frame, 1, 0);
}

/* ---- several ports ---- */

static void others_frames(void **state)
{
	const uint32_t flags[] = { XSK_PORT_CHECKED, 0 };
	char text[128];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct xsk_frame ours[2] = { packet(0), packet(1) }, theirs;

		open_sender((struct xsk_port_opts){ .flags = flags[i] });
		assert_int_equal(xsk_alloc(xsk_port_queue(sender, 0), &theirs, 1), 1);
		theirs.len = 100;
		if (flags[i])
			snprintf(text, sizeof(text), "is given frame 0x%llx, which is of memory "
				 "%llu: another port's", (unsigned long long)theirs.addr,
				 (unsigned long long)theirs.addr >> 48);
		else
			snprintf(text, sizeof(text), "is given address 0x%llx, which lacks the "
				 "tag", (unsigned long long)theirs.addr);
		port_refuses_free(port, &theirs, 1, text, "opts.share");
		port_refuses_tx(port, &theirs, 1, -EINVAL, text, "opts.share");
		port_refuses_free(port, (struct xsk_frame[]){ ours[0], theirs, ours[1] }, 3, text,
				  "opts.share");
		/* Without a check our upper bits are far beyond its memory. */
		port_refuses_free(sender, ours, 1, flags[i] ? "another port's" : "beyond the",
				  flags[i] ? "opts.share" : "xsk_alloc()");
		port_refuses_tx(sender, ours, 2, -EINVAL, flags[i] ? "queue 0 of lab1, of memory" :
				"queue 0 of lab1 is given", "");
		send_all(ours, 2, 0);
		assert_int_equal(xsk_free(xsk_port_queue(sender, 0), &theirs, 1), 1);
		assert_clean(sender);
		close_sender();
	}
}

/* What the one sends arrives at the other; who has it is known to both. */
static void shared_frames(void **state)
{
	struct xsk_frame frames[3], back;
	struct xsk_queue *out;

	(void)state;
	open_sender((struct xsk_port_opts){ .share = port });
	out = xsk_port_queue(sender, 0);
	packets(frames, 3, 0);
	assert_int_equal(xsk_tx(out, frames, 1), 1);
	refuses_both(&frames[0], "in TX of queue 0 of lab1, the kernel's until it is sent");
	port_refuses_tx(sender, frames, 1, -EINVAL,
			given("lab1", frames, "in TX of queue 0 of lab1"), FORGET);
	assert_true(xsk_flush(out) >= 0);
	ports_take(queue, &back, 1);
	assert_true(lab_frame_is(xsk_frame_data(queue, &back), back.len, 0));

	/* Received on the one, sent and freed by the other. */
	assert_int_equal(xsk_free(out, &back, 1), 1);
	refuses_both(&back, IN_POOL);
	assert_int_equal(xsk_tx(queue, &frames[1], 1), 1);
	port_refuses_free(sender, &frames[1], 1, given("lab1", &frames[1], IN_TX), FORGET);
	assert_true(xsk_flush(queue) >= 0);
	expect(1, 1);

	/* With the port what its TX held is the pool's. */
	assert_int_equal(xsk_tx(out, &frames[2], 1), 1);
	assert_clean(sender);
	close_sender();
	refuses_both(&frames[2], IN_POOL);
	assert_int_equal(ports_assert_law(port).in_caller, 0);
}

/* ---- packets of several frames ---- */

/* Packet number of 3 frames with 100 bytes each. */
static void large_packet(struct xsk_frame *frames, uint32_t number)
{
	uint8_t bytes[300];

	packets(frames, 3, 0);
	lab_frame(bytes, sizeof(bytes), number);
	for (int i = 0; i < 3; i++) {
		memcpy(xsk_frame_data(queue, &frames[i]), bytes + i * 100, 100);
		frames[i].options = i < 2 ? XSK_FRAME_CONTD : 0;
	}
}

static void refuse_large_packets(void)
{
	struct xsk_frame frames[33], alone;

	large_packet(frames, 0);
	large_packet(frames + 3, 1);
	alone = frames[4];

	/* The same frame twice in a packet, before another bad one. */
	frames[4].addr = frames[3].addr + 100;
	frames[1].options = 2 | XSK_FRAME_CONTD;
	port_refuses_tx(port, frames + 3, 3, -EINVAL, TWICE, "each frame once");
	port_refuses_tx(port, frames, 6, -EINVAL, "options 0x3", "XSK_FRAME_CONTD or 0");
	frames[1].options = XSK_FRAME_CONTD;
	assert_int_equal(xsk_tx(queue, frames, 6), 3);
	assert_true(xsk_flush(queue) >= 0);
	lab_expect(&lab, 0, 300);

	/* One in its middle is not the caller's: the others stay so. */
	frames[4] = alone;
	free_all(&alone, 1);
	port_refuses_tx(port, frames + 3, 3, -EINVAL, given("lab0", &alone, IN_POOL), FORGET);
	port_refuses_tx(port, frames + 3, 1, -EINVAL, "does not end", "without it");
	free_all(&frames[3], 1);
	free_all(&frames[5], 1);

	/* More frames than a packet may have. */
	packets(frames, 32, 0);
	for (int i = 0; i < 32; i++)
		frames[i].options = XSK_FRAME_CONTD;
	port_refuses_tx(port, frames, 32, -EMSGSIZE, "more than 18 frames", "in parts");
	frames[31].options = 0;
	port_refuses_tx(port, frames, 32, -EMSGSIZE, "more than 18 frames", "in parts");
	/* The ring has room for 32. */
	frames[31].options = XSK_FRAME_CONTD;
	frames[32] = packet(0);
	port_refuses_tx(port, frames, 33, -EMSGSIZE, "more than 18 frames", "in parts");
	free_all(frames, 33);
}

static void large_packets(void **state)
{
	struct xsk_port_opts opts = {
		.sz = sizeof(opts),
		.flags = XSK_PORT_CHECKED | XSK_PORT_MULTI_BUFFER,
		.frames = FRAMES,
		.tx_size = 32,
	};
	struct xsk_error error;
	struct xsk_frame frames[3];
	int err = xsk_port_open(&port, "lab0", &opts, &error);

	(void)state;
	if (err == -EOPNOTSUPP) {
		print_message("# skipped: %s\n", error.reason);
		skip();
	}
	assert_int_equal(err, 0);
	queue = xsk_port_queue(port, 0);
	refuse_large_packets();
	large_packet(frames, 7);
	assert_int_equal(xsk_tx(queue, frames, 3), 3);
	assert_true(xsk_flush(queue) >= 0);
	lab_expect(&lab, 7, 300);
}

static void traffic(void **state)
{
	struct xsk_frame frames[3];

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		ports_receive(queue, &lab, i * 300, 300);
		packets(frames, 3, 0);
		send_all(frames, 3, 0);
		port_refuses_free(port, frames, 3, "not the caller's", FORGET);
		ports_transmit(queue, &lab, i * 300, 300);
		ports_assert_law(port);
	}
	assert_int_equal(ports_stats(port).rx_packets, 3000);
	assert_int_equal(ports_stats(port).tx_packets, 3030);
}

/* Without the checks only what would leave the memory, or the pool. */
static void what_unchecked_refuses(void **state)
{
	struct xsk_frame frames[FRAMES + 1], bad, frame = packet(0);
	uint64_t pool;

	(void)state;
	bad = frame;
	for (uint64_t beyond = FRAMES * FRAME_SIZE; beyond; beyond <<= 1) {
		bad.addr = beyond + 100;
		port_refuses_free(port, &bad, 1, "beyond the 524288 bytes", "xsk_alloc()");
		port_refuses_free(port, (struct xsk_frame[]){ frame, bad }, 2, "beyond the", "");
		port_refuses_tx(port, &bad, 1, -EINVAL, "beyond the 524288 bytes", "xsk_alloc()");
	}
	bad = frame;
	bad.len = 0;
	port_refuses_tx(port, &bad, 1, -EINVAL, "has the length 0", "set len");
	bad.len = FRAME_SIZE + 1;
	port_refuses_tx(port, &bad, 1, -EINVAL, "leave the frame", "mend");
	bad.len = 100;
	bad.options = XSK_FRAME_CONTD;
	port_refuses_tx(port, &bad, 1, -EINVAL, "options 0x1", "XSK_PORT_MULTI_BUFFER");
	assert_int_equal(xsk_tx(queue, (struct xsk_frame[]){ frame, bad }, 2), 1);
	assert_true(xsk_flush(queue) >= 0);
	expect(0, 1);
	ports_drain(queue);

	/* The law is kept: of frames freed twice the caller has less than none. */
	pool = ports_assert_law(port).in_pool;
	for (int i = 0; i <= FRAMES; i++)
		frames[i] = frame;
	port_refuses_free(port, frames, FRAMES + 1, "some of them twice", "XSK_PORT_CHECKED");
	free_all(frames, (int)(FRAMES - pool));
	assert_int_equal(ports_assert_law(port).in_pool, FRAMES);
	port_refuses_free(port, frames, 1, "some of them twice", "XSK_PORT_CHECKED");
}

#define ON(setup, test) cmocka_unit_test_setup_teardown(test, setup, finish)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ON(checked, freed_twice),
		ON(checked, freed_among_others),
		ON(checked, sent_after_free),
		ON(checked, sent_before),
		ON(checked, sent_twice_in_a_burst),
		ON(checked, sent_among_others),
		ON(checked, received),
		ON(checked, everybody_elses),
		ON(checked, addresses),
		ON(checked, lengths),
		ON(checked, options),
		ON(checked, others_frames),
		ON(checked, shared_frames),
		ON(no_port, large_packets),
		ON(checked, traffic),
		ON(unchecked, what_unchecked_refuses),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("port_checked", tests, open_lab, close_lab);
}
