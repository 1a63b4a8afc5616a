/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * xsk latency IFACE ADDRESS: how long packets take to a host that echoes them, and back. The
 * time is taken before a packet goes into the TX ring, and when it has been found in the RX
 * ring.
 */
#include "latency.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "pace.h"
#include "run.h"

#define BURST 64
#define MS_NS UINT64_C(1000000)
#define SECOND_NS UINT64_C(1000000000)
#define LOOK_NS UINT64_C(100000)
#define ECHO_PORT 7
#define MANY 64
/* Kicks before a sleep: before 6.17 one kick sends 32 packets. */
#define MAX_FLUSHES 64

struct measure {
	struct latency *latency;
	struct out *out;
	struct run run;
	struct pace pace;
	bool is_paced;
	uint64_t max_in_flight;
	uint64_t retry_ns;		/* there was no frame, or no room: not before */
	uint64_t packets;		/* that had come back at the last tick */
};

/* ---- options ---- */

static bool read_address(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	struct address address;
	unsigned char mac[MAC_SIZE];

	(void)arg;
	if (address_read(&address, text) && !address_multicast_mac(&address, mac)) {
		*(struct address *)field = address;
		return true;
	}
	snprintf(why, ARG_WHY, "it must be the address of a host, as 10.0.0.1 or fd00::1");
	return false;
}

static const struct arg latency_args[] = {
	{ .help = "What is sent" },
	{ "count", 'c', "COUNT", "End after so many round trips, lost ones included", arg_count,
	  offsetof(struct latency_options, count), 1, 1e15, NULL, false },
	{ "interval", 'i', "TIME", "Send one in this time, as 1ms; the next when one is back if "
	  "not given", arg_time, offsetof(struct latency_options, interval_ns), 1e3, 3600e9, NULL,
	  false },
	{ "rate", 0, "RATE", "Send at this rate, as 10kpps or 100Mbit", arg_rate,
	  offsetof(struct latency_options, rate), 0, 0, NULL, false },
	{ "in-flight", 0, "COUNT", "So many may be under way at a time; 1 if not given, with a "
	  "rate or an interval 64", arg_count, offsetof(struct latency_options, in_flight), 1,
	  TRIPS_MAX, NULL, false },
	{ "size", 's', "SIZE", "Bytes of the Ethernet packet; as few as can be if not given",
	  arg_size, offsetof(struct latency_options, size), 38, TRAVELLER_MAX, NULL, false },
	{ "timeout", 0, "TIME", "What has not come back after this time is lost; 1s if not given",
	  arg_time, offsetof(struct latency_options, timeout_ns), 1e5, 3600e9, NULL, false },
	{ "warmup", 0, "COUNT", "Do not count the first ones, unless nothing comes back; 10 if not "
	  "given", arg_count, offsetof(struct latency_options, warmup), 0, 1e9, NULL, false },
	{ "svg", 0, "FILE", "Write a picture of the histogram", arg_text,
	  offsetof(struct latency_options, svg), 0, 0, NULL, true },
	{ .help = "Where it goes" },
	{ "port", 'p', "PORT", "The port of UDP that echoes; 7 if not given", arg_count,
	  offsetof(struct latency_options, port), 1, UINT16_MAX, NULL, false },
	{ "src", 0, "ADDRESS", "Send from this address; the kernel's choice if not given",
	  read_address, offsetof(struct latency_options, from), 0, 0, NULL, false },
	{ "dst-mac", 0, "MAC", "Send to this MAC; the kernel's neighbour if not given", arg_mac,
	  offsetof(struct latency_options, to_mac), 0, 0, NULL, false },
	{ "reflect", 0, NULL, "The other side is xsk echo --reflect: send Ethernet of type 0x88b5 "
	  "rather than UDP", arg_flag, offsetof(struct latency_options, reflect), 0, 0, NULL,
	  false },
	{ 0 },
};

static const struct operand operands[] = {
	{ .name = "IFACE", .help = "The interface", .read = arg_text, .is_interface = true,
	  .offset = offsetof(struct latency_options, iface) },
	{ .name = "ADDRESS", .help = "Of the host that echoes; with --reflect and --dst-mac there "
	  "needs to be none", .optional = true, .read = read_address,
	  .offset = offsetof(struct latency_options, to) },
	{ 0 },
};

static bool options_fit(const struct latency_options *options, struct out *out)
{
	bool has_rate = options->rate.pps > 0 || options->rate.bps > 0;

	if (!options->to.family && !(options->reflect && options->to_mac.is_set))
		out_fail(out, NULL, "latency: ADDRESS is missing: of the host that echoes; or give "
			 "--reflect and --dst-mac");
	else if (options->from.family && options->reflect)
		out_fail(out, NULL, "latency: --src is of UDP, and --reflect sends none");
	else if (options->from.family && options->from.family != options->to.family)
		out_fail(out, NULL, "latency: --src and ADDRESS are of different families");
	else if (options->interval_ns && has_rate)
		out_fail(out, NULL, "latency: --interval and --rate are two paces; give one of "
			 "them");
	else
		return true;
	return false;
}

/* ---- sending ---- */

static bool is_measured(const struct latency *latency, uint64_t number)
{
	return number >= latency->first;
}

/* All that were wanted have been sent. */
static bool has_sent_all(const struct latency *latency)
{
	uint64_t wanted = latency->options->count;

	return wanted && latency->trips.next >= latency->first + wanted;
}

static bool may_send(const struct measure *measure, uint64_t now_ns)
{
	const struct latency *latency = measure->latency;

	return !has_sent_all(latency) && latency->trips.under_way < measure->max_in_flight &&
	       !trips_is_full(&latency->trips) && now_ns >= measure->retry_ns &&
	       (!measure->is_paced || now_ns >= pace_due(&measure->pace, 0));
}

/* Returns 1, or 0: there was no frame or no room, or what a verb said. */
static int send_one(struct measure *measure, struct xsk_queue *queue)
{
	struct latency *latency = measure->latency;
	struct xsk_frame frame;
	uint64_t now;
	int n = xsk_alloc(queue, &frame, 1);

	if (n <= 0)
		return n;
	now = run_now_ns();
	traveller_write(&latency->traveller, xsk_frame_data(queue, &frame), latency->trips.next,
			now);
	frame.len = latency->traveller.options.size;
	n = xsk_tx(queue, &frame, 1);
	if (n <= 0) {
		xsk_free(queue, &frame, 1);
		return n;
	}
	trips_start(&latency->trips, now);
	pace_late(&measure->pace, pace_due(&measure->pace, 0), now);
	pace_count(&measure->pace, frame.len);
	return 1;
}

/* What is due, and may go. */
static int send_due(struct measure *measure)
{
	struct xsk_queue *queue = measure->latency->session.queues[0];
	uint64_t now = run_now_ns();
	int sent = 0, n;

	while (sent < BURST && may_send(measure, now)) {
		n = send_one(measure, queue);
		if (n < 0)
			return n;
		if (!n) {
			measure->retry_ns = now + MS_NS;
			break;
		}
		sent++;
	}
	return sent ? xsk_flush(queue) : 0;
}

/* ---- receiving ---- */

static void take(struct latency *latency, const uint8_t *packet, size_t len, uint64_t now_ns)
{
	uint64_t number, ns;

	if (!traveller_read(&latency->traveller, packet, len, &number)) {
		latency->foreign++;
		return;
	}
	switch (trips_end(&latency->trips, number, now_ns, &ns)) {
	case TRIP_GOOD:
		if (is_measured(latency, number))
			histogram_add(&latency->histogram, ns);
		break;
	case TRIP_NONE:
		latency->foreign++;
		break;
	default:
		break;
	}
}

static int receive(struct latency *latency, struct xsk_queue *queue)
{
	struct xsk_frame frames[BURST];
	int n;

	/* A queue may be there to send by alone. */
	if (!(xsk_queue_direction(queue) & XSK_DIRECTION_RX))
		return 0;
	n = xsk_rx(queue, frames, BURST);
	if (n > 0) {
		uint64_t now = run_now_ns();

		/* Ours have one frame; of others each frame is seen as a packet. */
		for (int i = 0; i < n; i++)
			take(latency, xsk_frame_data(queue, &frames[i]), frames[i].len, now);
	}
	return xsk_free(queue, frames, n);
}

/* ---- the loop ---- */

/* The next time at which there is something to do though nothing comes. */
static uint64_t next_ns(const struct measure *measure, uint64_t now_ns)
{
	const struct latency *latency = measure->latency;
	uint64_t next = trips_patience_ends(&latency->trips);
	uint64_t due = measure->is_paced ? pace_due(&measure->pace, 0) : now_ns;

	if (due < measure->retry_ns)
		due = measure->retry_ns;
	if (!has_sent_all(latency) && latency->trips.under_way < measure->max_in_flight &&
	    due < next)
		next = due;
	if (measure->run.next_tick_ns < next)
		next = measure->run.next_tick_ns;
	return measure->run.end_ns < next ? measure->run.end_ns : next;
}

/* xsk_wait() counts in milliseconds; spinning meanwhile would measure something else. */
static int sleep_shortly(const struct session *session, uint64_t ns)
{
	const struct timespec time = { .tv_nsec = (long)ns };
	struct pollfd fds[XSK_WAIT_MAX];
	int err;

	for (int i = 0; i < session->count; i++) {
		bool receives = xsk_queue_direction(session->queues[i]) & XSK_DIRECTION_RX;

		err = 1;
		for (int k = 0; k < MAX_FLUSHES && err > 0; k++)
			err = xsk_flush(session->queues[i]);
		if (err < 0)
			return err;
		fds[i] = (struct pollfd){ xsk_queue_fd(session->queues[i]),
					  receives ? POLLIN : 0, 0 };
	}
	ppoll(fds, (nfds_t)session->count, &time, NULL);
	return 0;
}

/* As XSK_WAIT_ADAPTIVE does, which knows no times below a millisecond. */
static int look_shortly(const struct session *session, uint64_t until_ns)
{
	uint64_t end = run_now_ns() + LOOK_NS;
	int ready;

	do {
		ready = xsk_wait(session->queues, session->count, 0);
	} while (!ready && run_now_ns() < end && run_now_ns() < until_ns);
	return ready;
}

static int wait_until(const struct session *session, uint64_t until_ns)
{
	uint64_t now = run_now_ns(), left = until_ns > now ? until_ns - now : 0;
	int ms = left / MS_NS < 100 ? (int)(left / MS_NS) : 100;

	if (!left)
		return 0;
	if (ms || session->info.wait == XSK_WAIT_SPIN)
		return xsk_wait(session->queues, session->count, ms);
	if (session->info.wait == XSK_WAIT_BUSY_POLL)
		return xsk_wait(session->queues, session->count, 1);
	if (session->info.wait == XSK_WAIT_ADAPTIVE) {
		int ready = look_shortly(session, until_ns);

		now = run_now_ns();
		if (ready || now >= until_ns)
			return ready;
		left = until_ns - now;
	}
	return sleep_shortly(session, left);
}

/* Where nothing comes back there is nobody to get warm with: the losses count at once. */
static void give_up(struct latency *latency)
{
	uint64_t oldest = latency->trips.oldest;

	if (trips_give_up(&latency->trips, run_now_ns()) && !latency->trips.good &&
	    oldest < latency->first)
		latency->first = oldest;
}

static bool step(struct measure *measure)
{
	struct latency *latency = measure->latency;
	struct session *session = &latency->session;
	double seconds;

	for (int i = 0; i < session->count; i++)
		if (!session_survives(session, measure->out,
				      receive(latency, session->queues[i])))
			return false;
	give_up(latency);
	if (!session_survives(session, measure->out, send_due(measure)))
		return false;
	if (run_ticks(&measure->run, &seconds)) {
		session_say_state(session, measure->out);
		latency_say_rate(latency, measure->out, seconds,
				 latency->trips.good - measure->packets);
		measure->packets = latency->trips.good;
	}
	if (has_sent_all(latency) && !latency->trips.under_way)
		return true;
	return session_survives(session, measure->out,
				wait_until(session, next_ns(measure, run_now_ns())));
}

static bool measure_all(struct latency *latency, struct out *out)
{
	const struct latency_options *options = latency->options;
	struct measure measure = { .latency = latency, .out = out };
	struct units_rate rate = options->rate;
	bool good = true;

	if (options->interval_ns)
		rate = (struct units_rate){ .pps = 1e9 / (double)options->interval_ns };
	measure.is_paced = rate.pps > 0 || rate.bps > 0;
	measure.max_in_flight = options->in_flight ? options->in_flight :
				measure.is_paced ? MANY : 1;
	/* Sleep to the point: as a rule the kernel takes 50 us more. */
	prctl(PR_SET_TIMERSLACK, 1);
	run_start(&measure.run, options->session.duration_ns);
	pace_rate(&measure.pace, &rate, measure.run.start_ns);
	while (good && !run_is_over(&measure.run) &&
	       !(has_sent_all(latency) && !latency->trips.under_way))
		good = step(&measure);
	latency->seconds = run_seconds(&measure.run);
	return good;
}

/* ---- from start to end ---- */

static bool find_size(struct traveller_options *way, const struct latency *latency,
		      struct out *out)
{
	const struct xsk_port_info *info = &latency->session.info;
	uint32_t min = traveller_min_size(way), max = info->mtu + 14;
	const char *iface = latency->options->iface;

	way->size = latency->options->size ? (uint32_t)latency->options->size : min;
	if (way->size < min)
		out_fail(out, iface, "packets of %u bytes have no room for what is in them; "
			 "--size %u or more", way->size, min);
	else if (way->size > max)
		out_fail(out, iface, "packets of %u bytes do not fit its MTU of %u; --size %u, or "
			 "ip link set dev %s mtu %u", way->size, info->mtu, max, iface,
			 way->size - 14);
	else if (way->size > info->room || way->size > info->frame_size)
		out_fail(out, iface, "packets of %u bytes do not fit a frame; --size %u",
			 way->size, info->room < info->frame_size ? info->room : info->frame_size);
	else
		return true;
	return false;
}

/* Where the way is known. */
static bool open_and_measure(struct latency *latency, struct traveller_options *way, int fd,
			     struct out *out)
{
	const struct latency_options *options = latency->options;
	char filter[TRAVELLER_FILTER];
	bool good;

	if (!session_open(&latency->session, out, "latency", options->iface, &options->session,
			  XSK_DIRECTION_RX | XSK_DIRECTION_TX, traveller_filter(way, filter), NULL))
		return false;
	good = find_size(way, latency, out);
	if (good) {
		traveller_make(&latency->traveller, way);
		good = measure_all(latency, out);
		good = latency_say_total(latency, out, fd) && good;
		if (options->svg && latency->histogram.count)
			good = latency_write_svg(latency, out) && good;
	}
	session_close(&latency->session);
	return good;
}

static int run(void *arg, struct out *out)
{
	const struct latency_options *options = arg;
	struct latency *latency = NULL;
	struct traveller_options way;
	int fd = -1;
	bool good = false;

	if (!options_fit(options, out))
		return MISUSED;
	latency = calloc(1, sizeof(*latency));
	if (!latency)
		out_fail(out, NULL, "no memory");
	if (latency && (!options->svg || latency_check_svg(options->svg, out)) &&
	    latency_find_way(&way, &fd, options, out)) {
		latency->options = options;
		latency->first = options->warmup;
		latency->trips.timeout_ns = options->timeout_ns;
		good = open_and_measure(latency, &way, fd, out);
	}
	if (fd >= 0)
		close(fd);
	free(latency);
	return good ? GOOD : FAILED;
}

static const struct latency_options defaults = {
	.session = SESSION_DEFAULTS, .port = ECHO_PORT, .timeout_ns = SECOND_NS, .warmup = 10,
};

const struct command command_latency = {
	.name = "latency",
	.summary = "Measure round trips to a host that echoes, as with xsk echo",
	.args = {
		.name = "xsk latency",
		.tables = { latency_args, session_args },
		.offsets = { 0, offsetof(struct latency_options, session) },
		.operands = operands,
	},
	.options_size = sizeof(struct latency_options),
	.defaults = &defaults,
	.json_offset = offsetof(struct latency_options, session.json),
	.run = run,
};
