/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * xsk send IFACE: packets of a capture, or of its own, each when it is due. What the TX ring
 * has no room for waits; what can never be sent is counted.
 */
#include "send.h"

#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <math.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "command.h"
#include "generate.h"
#include "pace.h"
#include "report.h"
#include "run.h"

#define BURST 64
#define SECOND_NS UINT64_C(1000000000)
/* How long the kernel may take with what it has at the end. */
#define DRAIN_NS SECOND_NS
/* Until a driver that took no more is asked again. */
#define RETRY_MS 1
/* Kicks for what a burst left: before 6.17 one kick sends 32 packets. */
#define MAX_FLUSHES 128
/* What is made goes at so many packets a second, if nothing else was asked for. */
#define DEFAULT_PPS 1000
/* Part of the rate that was asked for that may be missing without a word. */
#define TOLERANCE 0.02

/* Packets that can never be sent. */
struct skipped {
	uint64_t count;
	uint64_t number;		/* of the first one, and its length */
	uint32_t len;
};

struct send {
	const struct send_options *options;
	struct session session;
	struct run run;
	struct pace pace;
	struct source source;
	uint32_t room;			/* of a packet in its frames */
	struct packet next;		/* waits until it is due */
	bool has_next;
	bool has_begun;			/* there was a first one */
	int turn;			/* the queue of the next burst */
	bool has_no_pace;		/* to repeat the capture at */
	int left;			/* frames that the last kick left in TX */
	uint64_t packets, bytes;	/* that the kernel was given */
	bool is_cut[BURST];		/* by the last frames of the packets of a burst */
	uint64_t cut;			/* of packets, those that the capture has not as a whole */
	struct skipped short_ones, large, unframed;
	struct report_rate last;	/* packets and bytes at the last tick */
	double seconds;			/* of sending, without the wait at the end */
	uint64_t lost;			/* of them, that the driver dropped */
	uint32_t dropped, errors;	/* of the interface, at the start; then since */
};

/* ---- options ---- */

static bool read_rate(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	/* The table's offset is that of the field rate. */
	struct send_options *options = (void *)((char *)field -
						offsetof(struct send_options, rate));

	options->has_rate = true;
	if (!strcmp(text, "max")) {
		options->rate = (struct units_rate){ 0 };
		return true;
	}
	if (arg_rate(arg, &options->rate, text, why))
		return true;
	snprintf(why, ARG_WHY, "it must be a rate, as 100kpps, 1.5Mpps, 1Gbit, or max");
	return false;
}

static bool read_speed(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	char *end;
	double value = strtod(text, &end);

	if (strspn(text, "0123456789.") == strlen(text) && !*end && end != text &&
	    value >= arg->min && value <= arg->max) {
		*(double *)field = value;
		return true;
	}
	snprintf(why, ARG_WHY, "it must be a factor from %g to %.0f, as 0.5 or 10", arg->min,
		 arg->max);
	return false;
}

#define FIELD(name) offsetof(struct send_options, name)

static const struct arg send_args[] = {
	{ .help = "Packets of a capture" },
	{ "read", 'r', "FILE", "Send what is in this file, pcap or pcapng; - is stdin",
	  arg_text, FIELD(file), 0, 0, NULL, true },
	{ "loop", 'l', "COUNT", "So many times, 0 until it is ended; once if not given",
	  arg_count, FIELD(rounds), 0, 1e15, NULL, false },
	{ "speed", 0, "FACTOR", "At the recorded pace, but so many times as fast",
	  read_speed, FIELD(speed), 1e-6, 1e6, NULL, false },
	{ .help = "Packets of UDP that are made, each with a number and its time" },
	{ "dst", 0, "ADDRESS[-ADDRESS]", "To this address of IPv4 or IPv6, or to one after the "
	  "other", arg_addresses, FIELD(dst), 0, 0, NULL, false },
	{ "src", 0, "ADDRESS[-ADDRESS]", "From this one; the interface's own if not given",
	  arg_addresses, FIELD(src), 0, 0, NULL, false },
	{ "dport", 0, "PORT[-PORT]", "To this port, or one after the other; 9 if not given",
	  arg_range, FIELD(dport), 1, UINT16_MAX, NULL, false },
	{ "sport", 0, "PORT[-PORT]", "From this port; 9 if not given",
	  arg_range, FIELD(sport), 1, UINT16_MAX, NULL, false },
	{ "dst-mac", 0, "MAC", "To this MAC; that of the way to the first address if not given",
	  arg_mac, FIELD(dst_mac), 0, 0, NULL, false },
	{ "src-mac", 0, "MAC", "From this MAC; the interface's own if not given",
	  arg_mac, FIELD(src_mac), 0, 0, NULL, false },
	{ "size", 's', "SIZE", "Bytes of a packet with its Ethernet header; 60 if not given, "
	  "80 of IPv6", arg_size, FIELD(size), 1, GENERATE_MAX_SIZE, NULL, false },
	{ "ttl", 0, "HOPS", "The time to live, or hop limit; 64 if not given",
	  arg_count, FIELD(ttl), 1, 255, NULL, false },
	{ "vlan", 0, "ID", "With a VLAN tag", arg_count, FIELD(vlan), 1, 4094, NULL, false },
	{ .help = "How fast, and how many" },
	{ "rate", 0, "RATE", "Packets or bits a second, as 100kpps or 1Gbit, or max; if not given "
	  "the recorded pace, and of packets that are made 1000 a second",
	  read_rate, FIELD(rate), 0, 0, NULL, false },
	{ "count", 'c', "COUNT", "End after so many packets",
	  arg_count, FIELD(count), 1, 1e15, NULL, false },
	{ 0 },
};

static const struct operand operands[] = {
	{ .name = "IFACE", .help = "The interface to send by", .read = arg_text,
	  .is_interface = true, .offset = FIELD(iface) },
	{ 0 },
};

/* ---- the next packet ---- */

static void skip(struct send *send, struct skipped *skipped)
{
	if (!skipped->count++) {
		skipped->number = send->source.number;
		skipped->len = send->next.len;
	}
}

static bool is_tagged(const struct packet *packet)
{
	const unsigned char *type = (const unsigned char *)packet->data + 2 * ETH_ALEN;

	return (type[0] == 0x81 && type[1] == 0x00) || (type[0] == 0x88 && type[1] == 0xa8);
}

/* Whether it can be sent; else it is counted. */
static bool is_sendable(struct send *send)
{
	const struct xsk_port_info *info = &send->session.info;
	const struct packet *next = &send->next;

	if (next->len < ETH_HLEN)
		skip(send, &send->short_ones);
	else if (next->len > send_max_len(info->mtu, is_tagged(next)))
		skip(send, &send->large);
	else if (next->len > send->room)
		skip(send, &send->unframed);
	else
		return true;
	return false;
}

/* A capture of no duration cannot be repeated at its own pace. */
static bool has_pace(struct send *send)
{
	if (send->pace.kind == PACE_RECORDED && send->source.round && !send->source.last_ns)
		send->has_no_pace = true;
	return !send->has_no_pace;
}

/* What it says is that of the next packet that can be sent. */
static enum source_got find_next(struct send *send, uint64_t in_hand)
{
	uint64_t count = send->options->count;

	while (!send->has_next) {
		enum source_got got;

		if (count && send->packets + in_hand >= count)
			return SOURCE_END;
		got = source_next(&send->source, &send->next);
		if (got != SOURCE_PACKET)
			return got;
		if (!has_pace(send))
			return SOURCE_END;
		send->has_next = is_sendable(send);
		/* A capture with nothing else in it is not read for ever. */
		if (!send->has_next && run_is_over(&send->run))
			return SOURCE_END;
	}
	return SOURCE_PACKET;
}

/* ---- sending ---- */

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* Returns how many frames it takes; 0: more than there are. */
static int put_packet(struct send *send, struct xsk_queue *queue, struct xsk_frame *frames,
		      int room)
{
	uint32_t size = send->session.info.frame_size, len = send->next.len, done = 0;
	int n = (int)((len + size - 1) / size);

	if (n > room)
		return 0;
	for (int i = 0; i < n; i++) {
		uint32_t part = len - done < size ? len - done : size;

		memcpy(xsk_frame_data(queue, &frames[i]), (const char *)send->next.data + done,
		       part);
		frames[i].len = part;
		frames[i].options = i < n - 1 ? XSK_FRAME_CONTD : 0;
		done += part;
	}
	return n;
}

/* Of a pipe the pace begins with its first packet, whenever that comes. */
static bool waits_for_first(const struct send *send)
{
	return !send->has_begun && send->source.capture &&
	       capture_is_live(send->source.capture);
}

/* A burst of what is due, into so many frames. Returns how many of them are used. */
static int fill(struct send *send, struct xsk_queue *queue, struct xsk_frame *frames, int room)
{
	uint64_t now = run_now_ns(), realtime = realtime_ns(), in_hand = 0;
	int n = 0;

	while (n < room && find_next(send, in_hand) == SOURCE_PACKET) {
		uint64_t due = pace_due(&send->pace, send->next.time_ns);
		int used;

		if (waits_for_first(send))
			due = send->pace.start_ns = now;
		send->has_begun = true;
		if (due > now)
			break;
		pace_late(&send->pace, due, now);
		source_stamp(&send->source, realtime);
		used = put_packet(send, queue, frames + n, room - n);
		if (!used)
			break;
		n += used;
		send->is_cut[n - 1] = send->next.is_cut;
		in_hand++;
		pace_count(&send->pace, send->next.len);
		send->has_next = false;
	}
	return n;
}

/* Until the kernel has it all, or takes no more now. */
static int flush(struct send *send, struct xsk_queue *queue)
{
	int before = -1, left = 0;

	for (int i = 0; i < MAX_FLUSHES; i++) {
		left = xsk_flush(queue);
		if (left <= 0 || left == before)
			break;
		before = left;
	}
	send->left = left > 0 ? left : 0;
	return left < 0 ? left : 0;
}

/* Those of a burst from this one up to that one. */
static void count_sent(struct send *send, const struct xsk_frame *frames, int from, int to)
{
	for (int i = from; i < to; i++) {
		bool is_last = !(frames[i].options & XSK_FRAME_CONTD);

		send->packets += is_last;
		send->bytes += frames[i].len;
		send->cut += is_last && send->is_cut[i];
	}
}

/* A ring without room is waited for. What is left when the time is over goes back. */
static int push(struct send *send, struct xsk_queue *queue, struct xsk_frame *frames, int n)
{
	int done = 0, err = 0;

	while (done < n && err >= 0 && !run_is_over(&send->run)) {
		int took = xsk_tx(queue, frames + done, n - done);

		if (took > 0) {
			count_sent(send, frames, done, done + took);
			done += took;
		}
		err = took < 0 ? took : flush(send, queue);
		if (!took && (err >= 0 || err == -ENETDOWN))
			err = xsk_wait(&queue, 1, run_timeout_ms(&send->run));
		if (err == -EINTR || err == -ENETDOWN)
			err = 0;
	}
	xsk_free(queue, frames + done, n - done);
	return err;
}

/* One burst by the queue whose turn it is; less than 0: what a verb said. */
static int send_burst(struct send *send)
{
	struct xsk_queue *queue = send->session.queues[send->turn];
	struct xsk_frame frames[BURST];
	int got = xsk_alloc(queue, frames, BURST), n;

	if (got < 0)
		return got;
	n = fill(send, queue, frames, got);
	xsk_free(queue, frames + n, got - n);
	if (n) {
		send->turn = (send->turn + 1) % send->session.count;
		return push(send, queue, frames, n);
	}
	/* All frames are out, or fewer are back than the next packet needs. */
	if (got < BURST && send->has_next &&
	    pace_due(&send->pace, send->next.time_ns) <= run_now_ns()) {
		int err = flush(send, queue);

		return err < 0 ? err : xsk_wait(&queue, 1, 1);
	}
	return send->left ? flush(send, queue) : 0;
}

/* Until the next packet is due, or a pipe has one, or there is something else to be done. */
static void sleep_for_next(struct send *send, enum source_got got)
{
	int timeout_ms = run_timeout_ms(&send->run);
	uint64_t due, until;

	if (send->left && timeout_ms > RETRY_MS)
		timeout_ms = RETRY_MS;
	if (got == SOURCE_LATER)
		source_wait(&send->source, timeout_ms);
	if (got != SOURCE_PACKET)
		return;
	due = pace_due(&send->pace, send->next.time_ns);
	until = run_now_ns() + (uint64_t)timeout_ms * 1000000;
	pace_sleep(due < until ? due : until, send->options->session.wait == XSK_WAIT_SPIN);
}

static void say_rate(struct send *send, struct out *out, double seconds)
{
	struct report_rate rate = { seconds, send->packets - send->last.packets,
				    send->bytes - send->last.bytes };
	char text[64];

	send->last.packets = send->packets;
	send->last.bytes = send->bytes;
	if (out->json)
		out_json(out, json_pack("{ss ss sf sI sI}", "type", "rate",
					"interface", send->session.iface, "seconds", seconds,
					"packets", (json_int_t)rate.packets,
					"bytes", (json_int_t)rate.bytes));
	out_progress(out, "%s: %" PRIu64 " packets sent; %s", send->session.iface, send->packets,
		     report_say_rate(text, sizeof(text), &rate));
}

static bool send_all(struct send *send, struct out *out)
{
	double seconds;

	while (!run_is_over(&send->run) && find_next(send, 0) != SOURCE_END) {
		if (!session_survives(&send->session, out, send_burst(send)))
			return false;
		if (run_ticks(&send->run, &seconds)) {
			session_say_state(&send->session, out);
			say_rate(send, out, seconds);
		}
		sleep_for_next(send, find_next(send, 0));
	}
	return true;
}

/* ---- the end ---- */

/* The kernel sends what it has; false: it did not, and that has been said. */
static bool drain(struct send *send, struct out *out)
{
	uint64_t end = run_now_ns() + DRAIN_NS;
	struct xsk_port_stats stats;

	for (;;) {
		/* Which flushes, and when it polls does the driver's work. */
		int err = xsk_wait(send->session.queues, send->session.count, 1);

		if (!session_survives(&send->session, out, err))
			return false;
		session_stats(&send->session, &stats);
		if (!stats.in_tx)
			return true;
		if (run_now_ns() >= end)
			break;
	}
	xsk_port_info(send->session.port, &send->session.info);
	out_fail(out, send->session.iface, "%" PRIu64 " frames are left that the kernel has not "
		 "sent%s", stats.in_tx, send->session.info.up ? "" : "; " SESSION_DOWN);
	return false;
}

/* What the interface lost, whoever sent it: drivers that copy say it nowhere else. */
static void read_interface(const struct send *send, uint32_t *dropped, uint32_t *errors)
{
	struct ifaddrs *all, *one;

	if (getifaddrs(&all))
		return;
	for (one = all; one; one = one->ifa_next) {
		const struct rtnl_link_stats *stats = one->ifa_data;

		if (!one->ifa_addr || one->ifa_addr->sa_family != AF_PACKET || !stats ||
		    strcmp(one->ifa_name, send->options->iface))
			continue;
		*dropped = stats->tx_dropped;
		*errors = stats->tx_errors;
	}
	freeifaddrs(all);
}

static void count_interface(struct send *send)
{
	uint32_t dropped = send->dropped, errors = send->errors;

	read_interface(send, &dropped, &errors);
	send->dropped = dropped - send->dropped;
	send->errors = errors - send->errors;
}

static double asked_rate(const struct send *send)
{
	double each = send->pace.each_ns;

	return send->pace.kind == PACE_PACKETS || send->pace.kind == PACE_BITS ?
	       SECOND_NS / each : 0;
}

/* The rate was too much, for this machine or for the interface. */
static void say_slow(const struct send *send, struct out *out)
{
	double late = (double)send->pace.given_up_ns / SECOND_NS, asked = asked_rate(send);
	char text[UNITS_TEXT];

	if (send->pace.kind == PACE_RECORDED && late > 0)
		out_note(out, "%s: the recorded pace was not reached: %.1f s too late",
			 send->session.iface, late);
	else if (asked > 0 && send->seconds >= 1 &&
		 send->pace.done < asked * send->seconds * (1 - TOLERANCE))
		out_note(out, "%s: the rate of %s%s was not reached", send->session.iface,
			 units_say_count(text, asked),
			 send->pace.kind == PACE_PACKETS ? "pps" : "bit/s");
}

/* What of it is not told as lost of these packets. */
static void say_interface(const struct send *send, const struct out *out)
{
	uint64_t others = send->dropped > send->lost ? send->dropped - send->lost : 0;

	if (others || send->errors)
		printf("%s%" PRIu64 "%s dropped by %s, and %" PRIu32 " errors of it, while this "
		       "ran%s\n", out_start(out, OUT_YELLOW), others, send->lost ? " more" : "",
		       send->session.iface, send->errors, out_end(out));
}

static void say_total(struct send *send, struct out *out)
{
	const struct report_rate rate = { send->seconds, send->packets, send->bytes };
	struct xsk_port_stats stats;
	char text[64];

	session_stats(&send->session, &stats);
	/* Where the driver drops one, a kick ends. */
	send->lost = stats.kick_busy;
	if (out->json) {
		out_json(out, json_pack("{ss ss sf sI sI sI sI sI sI sI sI sI sI so}",
			"type", "total", "interface", send->session.iface,
			"seconds", send->seconds, "packets", (json_int_t)send->packets,
			"bytes", (json_int_t)send->bytes,
			"frames_left", (json_int_t)stats.in_tx,
			"too_short", (json_int_t)send->short_ones.count,
			"larger_than_mtu", (json_int_t)send->large.count,
			"larger_than_frame", (json_int_t)send->unframed.count,
			"cut_in_capture", (json_int_t)send->cut,
			"interface_dropped", (json_int_t)send->dropped,
			"interface_errors", (json_int_t)send->errors,
			"late_ns", (json_int_t)send->pace.given_up_ns,
			"stats", report_stats(&stats)));
		return;
	}
	out_line(out);
	printf("%s: %" PRIu64 " packets, %" PRIu64 " bytes in %.1f s (%s)\n", send->session.iface,
	       send->packets, send->bytes, send->seconds,
	       report_say_rate(text, sizeof(text), &rate));
	say_interface(send, out);
	/* That is told once, as what failed. */
	stats.kick_busy = 0;
	report_losses(out, &stats);
}

/* False: the driver dropped some of these packets. */
static bool say_lost(struct send *send, struct out *out)
{
	if (!send->lost)
		return true;
	xsk_port_info(send->session.port, &send->session.info);
	out_fail(out, send->session.iface, "%" PRIu64 " not sent: %s", send->lost,
		 send->session.info.up ? "the driver was busy, or had no carrier for a while" :
		 "it has no carrier; there is no cable, or its other end is down");
	return false;
}

/* False: some packets were not sent. */
static bool say_skipped(const struct send *send, struct out *out)
{
	const char *iface = send->session.iface;
	const struct xsk_port_info *info = &send->session.info;
	const struct skipped *s = &send->large;

	if (s->count)
		out_fail(out, iface, "%" PRIu64 " not sent: larger than its MTU of %u allows (the "
			 "first is packet %" PRIu64 ", of %u bytes); ip link set dev %s mtu %u",
			 s->count, info->mtu, s->number, s->len, iface,
			 s->len - send_max_len(0, false));
	s = &send->unframed;
	if (s->count)
		out_fail(out, iface, "%" PRIu64 " not sent: larger than a frame of %u (the first "
			 "is packet %" PRIu64 ", of %u bytes); --multi-buffer (Linux 6.6)",
			 s->count, info->frame_size, s->number, s->len);
	s = &send->short_ones;
	if (s->count)
		out_fail(out, iface, "%" PRIu64 " not sent: shorter than an Ethernet header (the "
			 "first is packet %" PRIu64 ", of %u bytes)", s->count, s->number, s->len);
	if (send->cut)
		out_note(out, "%s: %" PRIu64 " packets were cut when they were captured, and sent "
			 "as they are there", send->options->file, send->cut);
	return !send->large.count && !send->unframed.count && !send->short_ones.count;
}

static bool say_broken(const struct send *send, struct out *out)
{
	const struct source *source = &send->source;

	if (send->has_no_pace)
		out_fail(out, send->options->file, "all of it has one time, so there is no pace "
			 "to repeat it at; give --rate");
	if (!source->is_broken)
		return !send->has_no_pace;
	if (capture_has_begun(source->capture))
		out_fail(out, send->options->file, "packet %" PRIu64 ": %s; %" PRIu64 " packets "
			 "were sent", source->number + 1, source->why, send->packets);
	else
		out_fail(out, send->options->file, "%s; %" PRIu64 " packets were sent",
			 source->why, send->packets);
	return false;
}

/* ---- from start to end ---- */

static void start(struct send *send)
{
	const struct send_options *options = send->options;
	const struct units_rate made = { .pps = DEFAULT_PPS };
	uint64_t now;

	/* Else sleeps are longer by 50 us. */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	read_interface(send, &send->dropped, &send->errors);
	run_start(&send->run, options->session.duration_ns);
	now = send->run.start_ns;
	if (options->has_rate)
		pace_rate(&send->pace, &options->rate, now);
	else if (options->file)
		pace_recorded(&send->pace, options->speed > 0 ? options->speed : 1, now);
	else
		pace_rate(&send->pace, &made, now);
}

static uint32_t packet_room(const struct xsk_port_info *info)
{
	uint32_t frames = info->max_frags < BURST ? info->max_frags : BURST;

	/* One queue's, of which few may have been asked for. */
	if (frames > info->frames / info->queues)
		frames = info->frames / info->queues;
	return info->frame_size * frames;
}

static bool open_all(struct send *send, struct out *out)
{
	const struct send_options *options = send->options;
	char why[CAPTURE_WHY];

	send->source.rounds = options->rounds == SEND_ONCE ? 1 : options->rounds;
	if (options->file) {
		send->source.capture = capture_open(options->file, why);
		if (!send->source.capture) {
			out_fail(out, options->file, "%s", why);
			return false;
		}
	}
	if (!session_open(&send->session, out, "send", options->iface, &options->session,
			  XSK_DIRECTION_TX, NULL, NULL))
		return false;
	send->room = packet_room(&send->session.info);
	if (options->file)
		return true;
	send->source.generator = send_make_generator(options, &send->session, out,
						     &send->source.size);
	return send->source.generator;
}

static void close_all(struct send *send)
{
	session_close(&send->session);
	generate_close(send->source.generator);
	capture_close(send->source.capture);
}

static bool send_and_say(struct send *send, struct out *out)
{
	bool good;

	start(send);
	good = send_all(send, out);
	send->seconds = run_seconds(&send->run);
	good = good && drain(send, out);
	count_interface(send);
	say_total(send, out);
	say_slow(send, out);
	good &= say_lost(send, out);
	good &= say_skipped(send, out);
	good &= say_broken(send, out);
	return good;
}

static int run(void *arg, struct out *out)
{
	struct send send = { .options = arg };
	bool good;

	if (!send_options_fit(send.options, out))
		return MISUSED;
	/* A signal while a neighbour is waited for is no failure. */
	if (open_all(&send, out))
		good = send_and_say(&send, out);
	else
		good = run_is_interrupted();
	close_all(&send);
	return good ? GOOD : FAILED;
}

/* One queue keeps the order. */
static const struct send_options defaults = {
	.session = { .queues = { 0, 0 } }, .rounds = SEND_ONCE,
};

const struct command command_send = {
	.name = "send",
	.summary = "Send the packets of a capture, or packets of UDP, at a pace",
	.args = {
		.name = "xsk send",
		.tables = { send_args, session_args },
		.offsets = { 0, FIELD(session) },
		.operands = operands,
	},
	.options_size = sizeof(struct send_options),
	.defaults = &defaults,
	.json_offset = FIELD(session.json),
	.run = run,
};
