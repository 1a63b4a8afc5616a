/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * xsk forward A B: what arrives at one interface leaves by the other, in the frame in which
 * it came. Queue i of the one sends by queue i of the other, or where that has none such by
 * one that others send by, too.
 */
#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <xsk/probe.h>

#include "checksum.h"
#include "report.h"
#include "run.h"
#include "session.h"

#define BURST 64
#define DEFAULT_RING 2048
/* What the kernel lets through an interface beside the MTU: Ethernet's header, a tag. */
#define LINK_HEADERS (14 + 4)

/* --checksums */
enum checksums { CHECKSUMS_AUTO, CHECKSUMS_COMPLETE, CHECKSUMS_LEAVE };
static const char *const checksums[] = { "auto", "complete", "leave", NULL };

struct options {
	struct session_options session;
	const char *ifaces[2];
	char *filter;
	int checksums;
};

/* From one queue to one. */
struct lane {
	struct xsk_queue *from, *to;
	/*
	 * Where they have not the same pool: frames that went into that of the other queue, and
	 * are to come back.
	 */
	bool crosses;
	uint64_t owed;
};

/* One direction. */
struct way {
	struct session *from, *to;
	struct lane lanes[XSK_WAIT_MAX];
	int count;
	bool completes;			/* checksums that were left to the NIC */
	uint32_t largest;		/* packet that may leave */
	int most_frames;		/* that it may have */
	uint64_t packets, bytes;	/* that were sent */
	uint64_t full;			/* dropped: the TX ring was full */
	uint64_t too_large;		/* dropped: larger than that */
	uint64_t completed;
	uint64_t looked_at, left;	/* packets, one of a burst; those with such checksums */
	bool has_warned;
	struct report_rate last;	/* packets and bytes at the last tick */
};

struct forward {
	struct session sessions[2];	/* A, B */
	int owner;			/* the one that has the memory */
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

/* How many frames the first packet has, and its length. */
static int first_packet(const struct xsk_frame *frames, int n, uint64_t *len)
{
	int count = 0;

	*len = 0;
	do
		*len += frames[count].len;
	while (frames[count++].options & XSK_FRAME_CONTD && count < n);
	return count;
}

/* Those that go on as they are: one of a burst tells what they are like. */
static void do_checksums(struct way *way, const struct xsk_queue *queue,
			 const struct xsk_frame *frames, int n)
{
	struct iovec pieces[BURST];
	int count = 0;

	for (int i = 0; i < n; i++) {
		pieces[count].iov_base = xsk_frame_data(queue, &frames[i]);
		pieces[count++].iov_len = frames[i].len;
		if (frames[i].options & XSK_FRAME_CONTD)
			continue;
		if (!way->completes) {
			way->looked_at++;
			way->left += checksum_is_left(pieces, count);
			return;
		}
		way->completed += checksum_complete_pieces(pieces, count);
		count = 0;
	}
}

static void count_sent(struct way *way, const struct xsk_frame *frames, int sent)
{
	for (int i = 0; i < sent; i++) {
		way->packets += !(frames[i].options & XSK_FRAME_CONTD);
		way->bytes += frames[i].len;
	}
}

/*
 * What the other interface would not send, the kernel drops without a word, or a NIC chokes
 * on it. Gives those back and returns how many frames are left, in their order.
 */
static int drop_large(struct way *way, struct lane *lane, struct xsk_frame *frames, int n)
{
	int kept = 0, count;
	uint64_t len;

	for (int i = 0; i < n; i += count) {
		count = first_packet(frames + i, n - i, &len);
		if (len > way->largest || count > way->most_frames) {
			way->too_large++;
			xsk_free(lane->from, frames + i, count);
			continue;
		}
		memmove(frames + kept, frames + i, (size_t)count * sizeof(*frames));
		kept += count;
	}
	return kept;
}

/*
 * As long as the ring takes some, with the kernel's help. Returns 0, or what xsk_tx() said;
 * what did not go is given back, and counted.
 */
static int send_all(struct way *way, struct lane *lane, struct xsk_frame *frames, int n)
{
	int done = 0, sent = 0;
	bool flushed = false;

	while (done < n) {
		sent = xsk_tx(lane->to, frames + done, n - done);
		if (sent > 0) {
			count_sent(way, frames + done, sent);
			lane->owed += lane->crosses ? (uint64_t)sent : 0;
			done += sent;
		} else if (sent < 0 || flushed) {
			break;
		} else {
			xsk_flush(lane->to);
		}
		flushed = !sent;
	}
	for (int i = done; i < n; i++)
		way->full += !(frames[i].options & XSK_FRAME_CONTD);
	xsk_free(lane->from, frames + done, n - done);
	return sent < 0 ? sent : 0;
}

static int bring_back(struct lane *lane)
{
	struct xsk_frame frames[BURST];
	int n;

	if (!lane->owed)
		return 0;
	n = xsk_alloc(lane->to, frames, lane->owed < BURST ? (int)lane->owed : BURST);
	n = xsk_free(lane->from, frames, n);
	if (n > 0)
		lane->owed -= (uint64_t)n;
	return n < 0 ? n : 0;
}

/* What one queue has. Returns 0, or what a verb said. */
static int move(struct way *way, struct lane *lane)
{
	struct xsk_frame frames[BURST];
	int n = xsk_rx(lane->from, frames, BURST), err = 0;

	if (n < 0)
		return n;
	if (n) {
		n = drop_large(way, lane, frames, n);
		do_checksums(way, lane->from, frames, n);
		err = send_all(way, lane, frames, n);
	}
	return err ? err : bring_back(lane);
}

/* Whose fault it is only the interfaces tell: a verb may have been of either. */
static bool survives(struct forward *forward, struct out *out, int err)
{
	struct xsk_port_info info = { .sz = sizeof(info) };
	int i = 1;

	if (err < 0) {
		xsk_port_info(forward->sessions[0].port, &info);
		i = info.gone ? 0 : 1;
	}
	return session_survives(&forward->sessions[i], out, err);
}

/* False: it cannot go on, and has said so. */
static bool move_all(struct forward *forward, struct out *out)
{
	for (int w = 0; w < 2; w++) {
		struct way *way = &forward->ways[w];

		for (int i = 0; i < way->count; i++)
			if (!survives(forward, out, move(way, &way->lanes[i])))
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

/* What a person would else look for elsewhere: TCP that stands still, while ping is fine. */
static void warn(struct way *way, struct out *out)
{
	const char *from = way->from->iface, *to = way->to->iface;

	/* More of them than chance makes. */
	if (way->has_warned ||
	    (!way->too_large && (way->left < 3 || way->left < way->looked_at / 1000)))
		return;
	way->has_warned = true;
	if (way->too_large)
		out_note(out, "%s: packets larger than the MTU of %s lets leave are dropped; a "
			 "sender that leaves the cutting to its NIC: ethtool -K IFACE tso off gso "
			 "off; or %s joins them: ethtool -K %s gro off lro off", from, to, from,
			 from);
	else
		out_note(out, "%s: TCP's or UDP's checksums were left to the NIC, and their "
			 "receivers will drop these packets; --checksums complete, or ethtool -K "
			 "IFACE tx off at the sender", from);
}

static json_t *total(const struct way *way, double seconds, const struct xsk_port_stats *stats)
{
	return json_pack("{ss ss ss sf sI sI sI sI sI sI so}", "type", "total",
			 "from", way->from->iface, "to", way->to->iface, "seconds", seconds,
			 "packets", (json_int_t)way->packets, "bytes", (json_int_t)way->bytes,
			 "tx_ring_full", (json_int_t)way->full,
			 "too_large", (json_int_t)way->too_large,
			 "checksums_completed", (json_int_t)way->completed,
			 "checksums_left", (json_int_t)way->left,
			 "stats", report_stats(stats));
}

static void say_drops(const struct way *way, struct out *out)
{
	const char *to = way->to->iface;

	if (way->full)
		printf("%s%" PRIu64 " dropped: the TX ring of %s was full, or it was down; a "
		       "larger --ring%s\n", out_start(out, OUT_YELLOW), way->full, to,
		       out_end(out));
	if (way->too_large)
		printf("%s%" PRIu64 " dropped: larger than the MTU of %s lets leave%s\n",
		       out_start(out, OUT_YELLOW), way->too_large, to, out_end(out));
}

static void say_total(const struct way *way, struct out *out, double seconds)
{
	const struct report_rate rate = { seconds, way->packets, way->bytes };
	struct xsk_port_stats stats;
	char text[64];

	session_stats(way->from, &stats);
	if (out->json) {
		out_json(out, total(way, seconds, &stats));
		return;
	}
	out_line(out);
	printf("%s to %s: %" PRIu64 " packets, %" PRIu64 " bytes in %.1f s (%s)\n",
	       way->from->iface, way->to->iface, way->packets, way->bytes, seconds,
	       report_say_rate(text, sizeof(text), &rate));
	say_drops(way, out);
	report_losses(out, &stats);
}

/* ---- from start to end ---- */

/* In use now, of the kind that there are more of; 0: that is not told. */
static uint32_t queues_of(const char *iface)
{
	struct xsk_probe_interface info = { .sz = sizeof(info) };

	if (xsk_probe_interface(&info, iface, NULL))
		return 0;		/* opening it says why */
	return info.rx_queues > info.tx_queues ? info.rx_queues : info.tx_queues;
}

/* Drivers behind which a stack may sit that leaves checksums to them. */
static bool leaves_checksums(const char *driver)
{
	static const char *const drivers[] = { "veth", "tun", "tap", "virtio_net" };

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(driver, drivers[i]))
			return true;
	return false;
}

/* Queues of the same place in their ports have the same pool. */
static struct lane make_lane(const struct xsk_port *from, unsigned int i,
			     const struct xsk_port *to)
{
	struct lane lane = { .from = xsk_port_queue(from, i), .crosses = true };
	struct xsk_queue *queue, *senders[XSK_WAIT_MAX];
	unsigned int count = 0;

	if (!(xsk_queue_direction(lane.from) & XSK_DIRECTION_RX))
		return lane;
	for (unsigned int j = 0; (queue = xsk_port_queue(to, j)) && count < XSK_WAIT_MAX; j++) {
		if (!(xsk_queue_direction(queue) & XSK_DIRECTION_TX))
			continue;
		if (i == j) {
			lane.to = queue;
			lane.crosses = false;
			return lane;
		}
		senders[count++] = queue;
	}
	lane.to = count ? senders[i % count] : NULL;
	return lane;
}

static void make_way(struct way *way, struct session *from, struct session *to, int how)
{
	*way = (struct way){
		.from = from, .to = to,
		.largest = to->info.mtu + LINK_HEADERS,
		.most_frames = (int)to->info.max_frags,
		.completes = how == CHECKSUMS_COMPLETE ||
			     (how == CHECKSUMS_AUTO && leaves_checksums(from->info.driver)),
	};
	for (unsigned int i = 0; xsk_port_queue(from->port, i) && i < XSK_WAIT_MAX; i++) {
		struct lane lane = make_lane(from->port, i, to->port);

		if (lane.to)
			way->lanes[way->count++] = lane;
	}
}

static bool make_ways(struct forward *forward, const struct options *options, struct out *out)
{
	struct session *sessions = forward->sessions;

	if (sessions[0].count + sessions[1].count > XSK_WAIT_MAX) {
		out_fail(out, NULL, "%s and %s have more than %d queues; choose some with "
			 "--queues", sessions[0].iface, sessions[1].iface, XSK_WAIT_MAX);
		return false;
	}
	for (int i = 0; i < 2; i++) {
		memcpy(forward->queues + forward->count, sessions[i].queues,
		       (size_t)sessions[i].count * sizeof(*forward->queues));
		forward->count += sessions[i].count;
		make_way(&forward->ways[i], &sessions[i], &sessions[!i], options->checksums);
		if (forward->ways[i].count)
			continue;
		out_fail(out, NULL, "%s has no queue that receives, or %s none that sends; "
			 "ethtool -l tells, and --queues chooses others", sessions[i].iface,
			 sessions[!i].iface);
		return false;
	}
	return true;
}

/* On the memory of the owner, or as the owner. */
static int open_one(struct forward *forward, int i, const struct options *options,
		    uint32_t modes, struct out *out, struct xsk_error *error)
{
	struct session_options session = options->session;
	bool owner = i == forward->owner;

	session.modes = modes;
	/* Both fill their rings from it, and what is sent by one queue may be of others. */
	if (owner && !session.frames)
		session.frames = 8 * (session.ring_size ? session.ring_size : DEFAULT_RING);
	return session_try(&forward->sessions[i], out, "forward", options->ifaces[i], &session,
			   XSK_DIRECTION_RX | XSK_DIRECTION_TX, options->filter,
			   owner ? NULL : &forward->sessions[!i], error);
}

/* Both, in the modes; the second cannot be in another than the first as to zero-copy. */
static bool open_both(struct forward *forward, const struct options *options, struct out *out)
{
	const uint32_t copies = XSK_MODE_NATIVE | XSK_MODE_GENERIC;
	uint32_t modes = options->session.modes;
	int first = forward->owner, at = first, err;
	struct session *owner = &forward->sessions[first];
	struct xsk_error error;

	err = open_one(forward, first, options, modes, out, &error);
	if (!err) {
		at = !first;
		err = open_one(forward, at, options, modes, out, &error);
	}
	if (err == -EOPNOTSUPP && at != first && owner->info.mode == XSK_MODE_ZEROCOPY &&
	    (!modes || modes & copies)) {
		out_note(out, "%s: it cannot be in zero-copy, so neither is %s",
			 options->ifaces[at], owner->iface);
		session_close(owner);
		modes = modes ? modes & copies : copies;
		at = first;
		err = open_one(forward, first, options, modes, out, &error);
		if (!err) {
			at = !first;
			err = open_one(forward, at, options, modes, out, &error);
		}
	}
	if (!err)
		return true;
	out_error(out, strcmp(error.step, "filter") ? options->ifaces[at] : NULL, &error);
	return false;
}

/* The one with more queues has the memory: the other cannot have more pools than it. */
static bool open_ways(struct forward *forward, const struct options *options, struct out *out)
{
	const struct session *sessions = forward->sessions;

	forward->owner = queues_of(options->ifaces[1]) > queues_of(options->ifaces[0]);
	if (!open_both(forward, options, out) || !make_ways(forward, options, out))
		return false;
	if (sessions[0].info.mtu != sessions[1].info.mtu)
		out_note(out, "the MTUs differ (%u and %u): packets larger than the smaller one "
			 "are dropped; ip link set dev %s mtu %u", sessions[0].info.mtu,
			 sessions[1].info.mtu, sessions[1].iface, sessions[0].info.mtu);
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
		if (!survives(forward, out, err))
			return false;
		if (!run_ticks(&forward->run, &seconds))
			continue;
		for (int w = 0; w < 2; w++) {
			session_say_state(&forward->sessions[w], out);
			warn(&forward->ways[w], out);
		}
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
	good = open_ways(&forward, options, out);
	if (good) {
		run_start(&forward.run, options->session.duration_ns);
		good = forward_all(&forward, out);
		warn(&forward.ways[0], out);
		warn(&forward.ways[1], out);
		for (int w = 0; w < 2; w++)
			say_total(&forward.ways[w], out, run_seconds(&forward.run));
	}
	session_close(&forward.sessions[!forward.owner]);
	session_close(&forward.sessions[forward.owner]);
	return good ? GOOD : session_status(&forward.sessions[forward.owner]);
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
