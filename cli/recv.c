/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* xsk recv IFACE [FILTER]: shows, counts, and writes to a file what arrives. */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture_write.h"
#include "packet.h"
#include "report.h"
#include "run.h"
#include "session.h"

#define BURST 64
#define SECOND_NS UINT64_C(1000000000)
#define BYTES_A_LINE 16

struct options {
	struct session_options session;
	const char *iface;
	char *filter;
	const char *file;		/* NULL: none */
	uint64_t packets;		/* 0: without end */
	uint64_t snaplen;
	bool count, print, hex;
};

struct recv {
	const struct options *options;
	struct session session;
	struct run run;
	struct capture_writer *writer;	/* NULL: nothing is written */
	bool prints;			/* a line for each packet */
	uint64_t packets, bytes;
	uint64_t beyond;		/* packets that came with the last that was wanted */
	struct report_rate last;	/* packets and bytes at the last tick */
	uint64_t time_ns;		/* of the last packet */
	uint8_t *buffer;		/* where a packet of several frames is put together */
	/* The last second that was said, as text. */
	time_t second;
	char clock[16];
};

static const struct arg recv_args[] = {
	{ .help = "What is done with the packets" },
	{ "write", 'w', "FILE", "Write them to this file, for tcpdump and Wireshark; - is stdout",
	  arg_text, offsetof(struct options, file), 0, 0, NULL, true },
	{ "print", 'p', NULL, "With --write or --count: show each packet, too",
	  arg_flag, offsetof(struct options, print), 0, 0, NULL, false },
	{ "hex", 'x', NULL, "Show the bytes of each packet",
	  arg_flag, offsetof(struct options, hex), 0, 0, NULL, false },
	{ "count", 0, NULL, "Show rates only, once a second",
	  arg_flag, offsetof(struct options, count), 0, 0, NULL, false },
	{ "packets", 'c', "N", "End after this many packets",
	  arg_count, offsetof(struct options, packets), 1, 9e15, NULL, false },
	{ "snaplen", 's', "SIZE", "Take no more of a packet than its first bytes; 256k if not "
	  "given", arg_size, offsetof(struct options, snaplen), 14, CAPTURE_MAX, NULL, false },
	{ 0 },
};

static const struct operand operands[] = {
	{ .name = "IFACE", .help = "The interface", .read = arg_text, .is_interface = true,
	  .offset = offsetof(struct options, iface) },
	{ .name = "FILTER", .help = "Which packets, in the language of pcap-filter(7); the "
	  "others go to the kernel. All if not given",
	  .optional = true, .is_rest = true, .offset = offsetof(struct options, filter) },
	{ 0 },
};

static bool writes_to_stdout(const struct options *options)
{
	return options->file && !strcmp(options->file, "-");
}

/* ---- one packet, shown ---- */

static void print_time(struct recv *recv)
{
	time_t second = (time_t)(recv->time_ns / SECOND_NS);
	struct tm tm;

	if (second != recv->second || !recv->clock[0]) {
		localtime_r(&second, &tm);
		strftime(recv->clock, sizeof(recv->clock), "%H:%M:%S", &tm);
		recv->second = second;
	}
	printf("%s.%06" PRIu64 " ", recv->clock, recv->time_ns % SECOND_NS / 1000);
}

static void print_line_of_bytes(const uint8_t *data, size_t offset, size_t count)
{
	printf("\t0x%04zx: ", offset);
	for (size_t i = 0; i < BYTES_A_LINE; i++) {
		if (i % 2 == 0)
			putchar(' ');
		if (i < count)
			printf("%02x", data[i]);
		else
			fputs("  ", stdout);
	}
	fputs("  ", stdout);
	for (size_t i = 0; i < count; i++)
		putchar(data[i] > ' ' && data[i] < 0x7f ? data[i] : '.');
	putchar('\n');
}

static void print_bytes(const uint8_t *data, size_t size)
{
	for (size_t at = 0; at < size; at += BYTES_A_LINE)
		print_line_of_bytes(data + at, at,
				    size - at < BYTES_A_LINE ? size - at : BYTES_A_LINE);
}

static void print_packet(struct recv *recv, const struct packet *packet, const uint8_t *data)
{
	char text[PACKET_TEXT];

	print_time(recv);
	puts(packet_say(text, packet));
	if (recv->options->hex)
		print_bytes(data, packet->captured);
}

static void print_json(struct recv *recv, const struct packet *packet, const uint8_t *data,
		       uint32_t queue)
{
	char text[PACKET_JSON];

	printf("{\"type\":\"packet\",\"time_ns\":%" PRIu64 ",\"queue\":%u,%s", recv->time_ns, queue,
	       packet_json(text, packet));
	if (recv->options->hex) {
		fputs(",\"bytes\":\"", stdout);
		for (size_t i = 0; i < packet->captured; i++)
			printf("%02x", data[i]);
		putchar('"');
	}
	puts("}");
}

static void take_packet(struct recv *recv, uint32_t queue, const uint8_t *data, size_t captured,
			size_t len)
{
	const struct options *options = recv->options;
	struct packet packet;

	if (options->packets && recv->packets == options->packets) {
		recv->beyond++;
		return;
	}
	recv->packets++;
	recv->bytes += len;
	if (captured > options->snaplen)
		captured = options->snaplen;
	if (recv->writer)
		capture_writer_add(recv->writer, recv->time_ns, data, captured, len);
	if (!recv->prints)
		return;
	packet_parse(&packet, data, captured, len);
	if (options->session.json)
		print_json(recv, &packet, data, queue);
	else
		print_packet(recv, &packet, data);
}

/* ---- frames ---- */

/*
 * Of the packets that are taken together the clock is read once. A nanosecond more each keeps
 * their order, also where files are merged.
 */
static uint64_t next_time(uint64_t last_ns, uint64_t now_ns)
{
	/* Unless the clock was set back. */
	return now_ns <= last_ns && last_ns - now_ns < 1000000 ? last_ns + 1 : now_ns;
}

/* The frames of one packet, which are put together. Returns how many they were. */
static int take_frames(struct recv *recv, struct xsk_queue *queue, const struct xsk_frame *frames,
		       int n)
{
	const uint8_t *data = xsk_frame_data(queue, frames);
	size_t len = frames[0].len, captured = len;
	int i = 0;

	if (frames[0].options & XSK_FRAME_CONTD && n > 1 && recv->buffer) {
		for (captured = len = 0; i < n; i++) {
			size_t part = frames[i].len;

			len += part;
			if (part > CAPTURE_MAX - captured)
				part = CAPTURE_MAX - captured;
			memcpy(recv->buffer + captured, xsk_frame_data(queue, &frames[i]), part);
			captured += part;
			if (!(frames[i].options & XSK_FRAME_CONTD))
				break;
		}
		data = recv->buffer;
	}
	take_packet(recv, xsk_queue_id(queue), data, captured, len);
	return i + 1;
}

/* What one queue has. Returns how many frames came, or what a verb said. */
static int take(struct recv *recv, struct xsk_queue *queue)
{
	struct xsk_frame frames[BURST];
	struct timespec clock;
	uint64_t now;
	int n = xsk_rx(queue, frames, BURST);

	if (n <= 0)
		return n;
	clock_gettime(CLOCK_REALTIME, &clock);
	now = (uint64_t)clock.tv_sec * SECOND_NS + (uint64_t)clock.tv_nsec;
	for (int i = 0; i < n;) {
		recv->time_ns = next_time(recv->time_ns, now);
		i += take_frames(recv, queue, frames + i, n - i);
	}
	return xsk_free(queue, frames, n);
}

/* What all have: how many frames, or -1: it cannot go on, and has said so. */
static int take_all(struct recv *recv, struct out *out)
{
	int sum = 0;

	for (int i = 0; i < recv->session.count; i++) {
		int n = take(recv, recv->session.queues[i]);

		if (!session_survives(&recv->session, out, n))
			return -1;
		sum += n > 0 ? n : 0;
	}
	return sum;
}

/* ---- what is said ---- */

static void say_rates(struct recv *recv, struct out *out, double seconds)
{
	struct report_rate rate = { seconds, recv->packets - recv->last.packets,
				    recv->bytes - recv->last.bytes };
	char text[64];

	recv->last.packets = recv->packets;
	recv->last.bytes = recv->bytes;
	if (recv->prints && !recv->options->count)
		return;
	if (out->json) {
		out_json(out, json_pack("{ss ss sf sI sI}", "type", "rate",
					"interface", recv->session.iface, "seconds", seconds,
					"packets", (json_int_t)rate.packets,
					"bytes", (json_int_t)rate.bytes));
		return;
	}
	report_say_rate(text, sizeof(text), &rate);
	if (!recv->options->count)
		out_progress(out, "%s: %s, %" PRIu64 " packets", recv->session.iface, text,
			     recv->packets);
	else
		printf("%s: %s, %" PRIu64 " packets\n", recv->session.iface, text,
		       recv->packets);
	fflush(stdout);
}

static void say_total_json(const struct recv *recv, struct out *out, double seconds,
			   const struct xsk_port_stats *stats)
{
	json_t *object = json_pack("{ss ss sf sI sI sI so}", "type", "total",
				   "interface", recv->session.iface, "seconds", seconds,
				   "packets", (json_int_t)recv->packets,
				   "bytes", (json_int_t)recv->bytes,
				   "beyond", (json_int_t)recv->beyond,
				   "stats", report_stats(stats));

	if (recv->writer && object)
		json_object_set_new(object, "written",
				    json_integer((json_int_t)capture_writer_count(recv->writer)));
	out_json(out, object);
}

static void end(struct recv *recv, struct out *out)
{
	const struct report_rate rate = { run_seconds(&recv->run), recv->packets, recv->bytes };
	struct xsk_port_stats stats;
	char text[64];

	session_stats(&recv->session, &stats);
	recv->beyond += recv->options->packets ? stats.rx_level : 0;
	/* The interface is the kernel's again before one who may not read is waited for. */
	session_close(&recv->session);
	if (recv->writer)
		capture_writer_finish(recv->writer);
	if (out->json) {
		say_total_json(recv, out, rate.seconds, &stats);
		return;
	}
	out_line(out);
	printf("%s: %" PRIu64 " packets, %" PRIu64 " bytes in %.1f s (%s)\n", recv->session.iface,
	       recv->packets, recv->bytes, rate.seconds,
	       report_say_rate(text, sizeof(text), &rate));
	if (recv->writer)
		printf("%" PRIu64 " packets written to %s\n", capture_writer_count(recv->writer),
		       writes_to_stdout(recv->options) ? "stdout" : recv->options->file);
	if (stats.filter_passed)
		printf("%" PRIu64 " passed to the kernel: they did not match\n",
		       stats.filter_passed);
	if (stats.filter_kept)
		printf("%" PRIu64 " kept for the kernel\n", stats.filter_kept);
	if (recv->beyond)
		printf("%s%" PRIu64 " more were taken, and are lost%s\n",
		       out_start(out, OUT_YELLOW), recv->beyond, out_end(out));
	report_losses(out, &stats);
}

static void say_taken(const struct options *options, struct out *out)
{
	const struct session_options *session = &options->session;

	out_note(out, "%s: %s taken away from the kernel%s", options->iface,
		 options->filter ? "packets that match are" : "all packets are",
		 session_keeps(session) ? ", but for those that are kept" : "; --keep management "
		 "leaves it ARP, DHCP, ICMP and SSH");
}

/* ---- from start to end ---- */

static bool has_all(const struct recv *recv)
{
	return recv->options->packets && recv->packets == recv->options->packets;
}

static bool writer_is_good(const struct recv *recv)
{
	return !recv->writer || !capture_writer_failed(recv->writer);
}

static bool receive(struct recv *recv, struct out *out)
{
	struct session *session = &recv->session;
	double seconds;

	while (!run_is_over(&recv->run) && !has_all(recv) && writer_is_good(recv)) {
		int n = take_all(recv, out);

		if (n < 0)
			return false;
		if (!n) {
			/* Nobody waits for what has been said; a file has a second. */
			fflush(stdout);
			if (writes_to_stdout(recv->options))
				capture_writer_flush(recv->writer);
			n = xsk_wait(session->queues, session->count, run_timeout_ms(&recv->run));
			if (!session_survives(session, out, n))
				return false;
		}
		if (!run_ticks(&recv->run, &seconds))
			continue;
		session_say_state(session, out);
		say_rates(recv, out, seconds);
		if (recv->writer)
			capture_writer_flush(recv->writer);
	}
	return true;
}

static bool open_all(struct recv *recv, struct out *out)
{
	const struct options *options = recv->options;

	if (options->file) {
		recv->writer = capture_writer_open(out, options->file);
		if (!recv->writer)
			return false;
	}
	if (!session_open(&recv->session, out, "recv", options->iface, &options->session,
			  XSK_DIRECTION_RX, options->filter, NULL))
		return false;
	if (recv->session.info.max_frags > 1) {
		recv->buffer = malloc(CAPTURE_MAX);
		if (!recv->buffer) {
			out_fail(out, options->iface, "no memory");
			return false;
		}
	}
	if (recv->writer && !capture_writer_begin(recv->writer, out, options->snaplen))
		return false;
	say_taken(options, out);
	return true;
}

static bool words_agree(const struct options *options, struct out *out)
{
	if (!writes_to_stdout(options))
		return true;
	if (options->session.json || options->print)
		out_fail(out, NULL, "recv: stdout can be had by --write, or by --json and --print; "
			 "write to a file");
	else if (isatty(STDOUT_FILENO))
		out_fail(out, NULL, "recv: --write -: a capture is not for a terminal; add "
			 "| tcpdump -r -");
	else
		return true;
	return false;
}

static int run(void *arg, struct out *out)
{
	const struct options *options = arg;
	struct recv recv = {
		.options = options,
		.prints = options->print || (!options->file && !options->count),
	};
	bool good;

	if (!words_agree(options, out))
		return MISUSED;
	/* Flushed whenever there is nothing to do. */
	setvbuf(stdout, NULL, _IOFBF, 64 * 1024);
	good = open_all(&recv, out);
	if (good) {
		run_start(&recv.run, options->session.duration_ns);
		good = receive(&recv, out);
		end(&recv, out);
	}
	good = capture_writer_close(recv.writer, out) && good;
	session_close(&recv.session);
	free(recv.buffer);
	return good ? GOOD : session_status(&recv.session);
}

static const struct options defaults = {
	.session = SESSION_DEFAULTS,
	.snaplen = CAPTURE_MAX,
};

const struct command command_recv = {
	.name = "recv",
	.summary = "Show what arrives at an interface, count it, write it to a file",
	.args = {
		.name = "xsk recv",
		.tables = { recv_args, session_keep_args, session_args },
		.offsets = { 0, offsetof(struct options, session),
			     offsetof(struct options, session) },
		.operands = operands,
	},
	.options_size = sizeof(struct options),
	.defaults = &defaults,
	.json_offset = offsetof(struct options, session.json),
	.run = run,
};
