/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * xsk forward A B: what arrives at one interface leaves by the other, in the frame in which
 * it came. Queue i of the one sends by queue i of the other, or where that has fewer by one
 * that others send by, too.
 */
#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checksum.h"
#include "report.h"
#include "run.h"
#include "session.h"

#define BURST 64

/* --checksums */
enum checksums { CHECKSUMS_AUTO, CHECKSUMS_COMPLETE, CHECKSUMS_LEAVE };
static const char *const checksums[] = { "auto", "complete", "leave", NULL };

struct options {
	struct session_options session;
	const char *ifaces[2];
	char *filter;
	int checksums;
};

/* One direction. */
struct way {
	struct session *from, *to;
	bool completes;			/* checksums that were left to the NIC */
	uint64_t packets, bytes;	/* that were sent */
	uint64_t full;			/* dropped: the TX ring was full */
	uint64_t completed;
	struct report_rate last;	/* packets and bytes at the last tick */
	/* Frames that went into the pool of another queue, and are to come back. */
	uint64_t owed[XSK_WAIT_MAX];
};

struct forward {
	struct session sessions[2];
	struct way ways[2];
	struct xsk_queue *queues[XSK_WAIT_MAX];	/* of both */
	int count;
	struct run run;
};

static const struct arg forward_args[] = {
	{ .help = "What is done with the packets" },
	{ "checksums", 0, "HOW", "Complete TCP's and UDP's checksums that were left to the NIC: "
	  "auto (of what comes from a veth, a tap or a virtio NIC), complete, leave; auto if not "
	  "given", arg_choice, offsetof(struct options, checksums), 0, 0, checksums, false },
	{ 0 },
};

static const struct operand operands[] = {
	{ .name = "A", .help = "An interface", .read = arg_text, .is_interface = true,
	  .offset = offsetof(struct options, ifaces[0]) },
	{ .name = "B", .help = "And another", .read = arg_text, .is_interface = true,
	  .offset = offsetof(struct options, ifaces[1]) },
	{ .name = "FILTER", .help = "Which packets, of both, in the language of "
	  "pcap-filter(7); the others go to the kernel. All if not given",
	  .optional = true, .is_rest = true, .offset = offsetof(struct options, filter) },
	{ 0 },
};

/* ---- packets ---- */

static void complete_checksums(struct way *way, struct xsk_queue *queue,
			       const struct xsk_frame *frames, int n)
{
	for (int i = 0; i < n; i++)
		way->completed += checksum_complete(xsk_frame_data(queue, &frames[i]),
						    frames[i].len);
}

static void count_sent(struct way *way, const struct xsk_frame *frames, int sent)
{
	for (int i = 0; i < sent; i++) {
		way->packets += !(frames[i].options & XSK_FRAME_CONTD);
		way->bytes += frames[i].len;
	}
}

/* Frames that left by a queue with another pool come back by it. */
static int bring_back(struct way *way, int i, struct xsk_queue *from, struct xsk_queue *to)
{
	struct xsk_frame frames[BURST];
	int n;

	if (!way->owed[i])
		return 0;
	n = xsk_alloc(to, frames, way->owed[i] < BURST ? (int)way->owed[i] : BURST);
	n = xsk_free(from, frames, n);
	if (n > 0)
		way->owed[i] -= (uint64_t)n;
	return n;
}

/* What one queue has. Returns how many frames came, or what a verb said. */
static int move(struct way *way, int i)
{
	struct xsk_queue *from = way->from->queues[i];
	int j = i % way->to->count;
	struct xsk_queue *to = way->to->queues[j];
	struct xsk_frame frames[BURST];
	int n = xsk_rx(from, frames, BURST), sent, more, err;

	if (n <= 0)
		return n ? n : bring_back(way, i, from, to);
	if (way->completes)
		complete_checksums(way, from, frames, n);
	sent = xsk_tx(to, frames, n);
	if (sent >= 0 && sent < n) {
		xsk_flush(to);
		more = xsk_tx(to, frames + sent, n - sent);
		sent += more > 0 ? more : 0;
	}
	if (sent > 0) {
		count_sent(way, frames, sent);
		way->owed[i] += j != i ? (uint64_t)sent : 0;
	}
	err = sent < 0 ? sent : 0;
	sent = sent < 0 ? 0 : sent;
	for (int k = sent; k < n; k++)
		way->full += !(frames[k].options & XSK_FRAME_CONTD);
	xsk_free(from, frames + sent, n - sent);
	return err ? err : bring_back(way, i, from, to) < 0 ? -EIO : n;
}

/* False: it cannot go on, and has said so. */
static bool move_all(struct forward *forward, struct out *out)
{
	for (int w = 0; w < 2; w++) {
		struct way *way = &forward->ways[w];

		for (int i = 0; i < way->from->count; i++)
			if (!session_survives(way->from, out, move(way, i)))
				return false;
	}
	return true;
}

/* ---- what is said ---- */

static void say_rates(struct forward *forward, struct out *out, double seconds)
{
	char texts[2][64];

	for (int w = 0; w < 2; w++) {
		struct way *way = &forward->ways[w];
		struct report_rate rate = { seconds, way->packets - way->last.packets,
					    way->bytes - way->last.bytes };

		way->last.packets = way->packets;
		way->last.bytes = way->bytes;
		report_say_rate(texts[w], sizeof(texts[w]), &rate);
		if (out->json)
			out_json(out, json_pack("{ss ss ss sf sI sI}", "type", "rate",
						"from", way->from->iface, "to", way->to->iface,
						"seconds", seconds,
						"packets", (json_int_t)rate.packets,
						"bytes", (json_int_t)rate.bytes));
	}
	out_progress(out, "%s to %s: %s; back: %s", forward->sessions[0].iface,
		     forward->sessions[1].iface, texts[0], texts[1]);
}

static void say_total(const struct way *way, struct out *out, double seconds)
{
	const struct report_rate rate = { seconds, way->packets, way->bytes };
	struct xsk_port_stats stats;
	char text[64];

	session_stats(way->from, &stats);
	if (out->json) {
		out_json(out, json_pack("{ss ss ss sf sI sI sI sI so}", "type", "total",
					"from", way->from->iface, "to", way->to->iface,
					"seconds", seconds, "packets", (json_int_t)way->packets,
					"bytes", (json_int_t)way->bytes,
					"tx_ring_full", (json_int_t)way->full,
					"checksums_completed", (json_int_t)way->completed,
					"stats", report_stats(&stats)));
		return;
	}
	printf("%s to %s: %" PRIu64 " packets, %" PRIu64 " bytes in %.1f s (%s)\n",
	       way->from->iface, way->to->iface, way->packets, way->bytes, seconds,
	       report_say_rate(text, sizeof(text), &rate));
	if (way->full)
		printf("%s%" PRIu64 " dropped: the TX ring of %s was full; a larger --ring%s\n",
		       out_start(out, OUT_YELLOW), way->full, way->to->iface, out_end(out));
	report_losses(out, &stats);
}

/* ---- from start to end ---- */

/* Drivers behind which a stack may sit that leaves checksums to them. */
static bool leaves_checksums(const char *driver)
{
	static const char *const drivers[] = { "veth", "tun", "tap", "virtio_net" };

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(driver, drivers[i]))
			return true;
	return false;
}

static void make_way(struct way *way, struct session *from, struct session *to, int how)
{
	*way = (struct way){ .from = from, .to = to };
	way->completes = how == CHECKSUMS_COMPLETE ||
			 (how == CHECKSUMS_AUTO && leaves_checksums(from->info.driver));
}

/* The one with more queues has the memory; of as many queues, the first. */
static bool open_both(struct forward *forward, const struct options *options, struct out *out)
{
	const uint32_t both = XSK_DIRECTION_RX | XSK_DIRECTION_TX;
	struct session_options first = options->session;
	struct session *sessions = forward->sessions;

	/* Twice what one needs; both fill their rings from it. */
	if (!first.frames)
		first.frames = 8 * (first.ring_size ? first.ring_size : 2048);
	if (!session_open(&sessions[0], out, "forward", options->ifaces[0], &first, both,
			  options->filter, NULL))
		return false;
	if (!session_open(&sessions[1], out, "forward", options->ifaces[1], &options->session,
			  both, options->filter, sessions[0].port))
		return false;
	for (int i = 0; i < 2; i++) {
		if (!sessions[i].count || forward->count + sessions[i].count > XSK_WAIT_MAX) {
			out_fail(out, NULL, "no queue that both receives and sends, or more than "
				 "%d in sum; choose some with --queues", XSK_WAIT_MAX);
			return false;
		}
		memcpy(forward->queues + forward->count, sessions[i].queues,
		       (size_t)sessions[i].count * sizeof(*forward->queues));
		forward->count += sessions[i].count;
	}
	if (sessions[0].info.mtu != sessions[1].info.mtu)
		out_note(out, "the MTUs differ (%u and %u): packets larger than the smaller one "
			 "may be lost; ip link set dev %s mtu %u", sessions[0].info.mtu,
			 sessions[1].info.mtu, options->ifaces[1], sessions[0].info.mtu);
	return true;
}

static bool forward_all(struct forward *forward, struct out *out)
{
	double seconds;

	while (!run_is_over(&forward->run)) {
		int err;

		if (!move_all(forward, out))
			return false;
		err = xsk_wait(forward->queues, forward->count, run_timeout_ms(&forward->run));
		if (!session_survives(&forward->sessions[0], out, err))
			return false;
		if (run_ticks(&forward->run, &seconds))
			say_rates(forward, out, seconds);
	}
	return true;
}

static int run(void *arg, struct out *out)
{
	const struct options *options = arg;
	struct forward forward = { 0 };
	bool good;

	if (!strcmp(options->ifaces[0], options->ifaces[1])) {
		out_fail(out, options->ifaces[0], "it cannot be both; xsk echo --reflect returns "
			 "what arrives");
		return MISUSED;
	}
	run_start(&forward.run, options->session.duration_ns);
	good = open_both(&forward, options, out);
	if (good) {
		for (int w = 0; w < 2; w++)
			make_way(&forward.ways[w], &forward.sessions[w], &forward.sessions[!w],
				 options->checksums);
		run_start(&forward.run, options->session.duration_ns);
		good = forward_all(&forward, out);
		for (int w = 0; w < 2; w++)
			say_total(&forward.ways[w], out, run_seconds(&forward.run));
	}
	session_close(&forward.sessions[1]);
	session_close(&forward.sessions[0]);
	return good ? GOOD : FAILED;
}

static const struct options defaults = { .session = SESSION_DEFAULTS };

const struct command command_forward = {
	.name = "forward",
	.summary = "Send what arrives at one interface by another, both ways, without a copy",
	.args = {
		.name = "xsk forward",
		.tables = { forward_args, session_keep_args, session_args },
		.offsets = { 0, offsetof(struct options, session),
			     offsetof(struct options, session) },
		.operands = operands,
	},
	.options_size = sizeof(struct options),
	.defaults = &defaults,
	.json_offset = offsetof(struct options, session.json),
	.run = run,
};
