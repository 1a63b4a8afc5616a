/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "session.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "iface.h"
#include "publish.h"
#include "run.h"

/* The kernel's own limit is far below. */
#define MAX_QUEUE 65535
#define FIELD(name) offsetof(struct session_options, name)

static const char *const waits[] = {
	[XSK_WAIT_SLEEP] = "sleep", [XSK_WAIT_SPIN] = "spin",
	[XSK_WAIT_BUSY_POLL] = "busy-poll", [XSK_WAIT_ADAPTIVE] = "adaptive", NULL,
};
/* In the order of the bits of XSK_MODE_*. */
static const char *const modes[] = { "zero-copy", "native", "generic", NULL };
/* In the order of the bits of XSK_KEEP_*. */
static const char *const keeps[] = { "arp", "dhcp", "icmp", "ssh", NULL };
/* For completion, which knows no ports. */
static const char *const keep_words[] = { "arp", "dhcp", "icmp", "ssh", "management", NULL };

/* ---- options ---- */

static bool add_port(uint16_t ports[XSK_KEEP_PORTS], const char *text, size_t len)
{
	char number[8] = "", *end;
	unsigned long port;

	if (!len || len >= sizeof(number))
		return false;
	memcpy(number, text, len);
	port = strtoul(number, &end, 10);
	if (*end || number[0] < '0' || number[0] > '9' || !port || port > UINT16_MAX)
		return false;
	for (int i = 0; i < XSK_KEEP_PORTS; i++) {
		if (ports[i] && ports[i] != port)
			continue;
		ports[i] = (uint16_t)port;
		return true;
	}
	return false;
}

static bool keep_word(struct session_options *options, const char *text, size_t len)
{
	static const char all[] = "management";

	if (len == strlen(all) && !strncmp(text, all, len)) {
		options->keep |= XSK_KEEP_MANAGEMENT;
		return true;
	}
	for (int i = 0; keeps[i]; i++) {
		if (strlen(keeps[i]) != len || strncmp(text, keeps[i], len))
			continue;
		options->keep |= 1u << i;
		return true;
	}
	if (!strncmp(text, "tcp:", 4))
		return add_port(options->keep_tcp, text + 4, len - 4);
	if (!strncmp(text, "udp:", 4))
		return add_port(options->keep_udp, text + 4, len - 4);
	return false;
}

static bool read_keep(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	/* The table's offset is that of the field keep. */
	struct session_options *options = (void *)((char *)field - FIELD(keep));
	size_t len;

	(void)arg;
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		if (!keep_word(options, text, len)) {
			snprintf(why, ARG_WHY, "it must be of arp, dhcp, icmp, ssh, management, "
				 "tcp:PORT, udp:PORT (%d of each)", XSK_KEEP_PORTS);
			return false;
		}
		if (!text[len])
			return true;
	}
}

static bool read_ring(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	uint64_t size;

	if (!arg_size(arg, &size, text, why))
		return false;
	if (size & (size - 1)) {
		snprintf(why, ARG_WHY, "it must be a power of two, as 2048 or 64k");
		return false;
	}
	*(uint64_t *)field = size;
	return true;
}

const struct arg session_args[] = {
	{ .help = "How the interface is opened" },
	{ "queues", 'q', "N[-M]", "Only these queues; all that are in use if not given, but of "
	  "xsk send the first",
	  arg_range, FIELD(queues), 0, MAX_QUEUE, NULL, false },
	{ "mode", 'm', "MODE[,MODE]", "Only these modes, of zero-copy, native, generic; the best "
	  "that can be had if not given", arg_bits, FIELD(modes), 0, 0, modes, false },
	{ "wait", 0, "HOW", "How to wait for packets: sleep, spin (takes the CPU for itself), "
	  "busy-poll or adaptive (spins before it sleeps); sleep if not given",
	  arg_choice, FIELD(wait), 0, 0, waits, false },
	{ "ring", 0, "SIZE", "Entries of each ring, a power of two; 2048 if not given",
	  read_ring, FIELD(ring_size), 32, 1 << 20, NULL, false },
	{ "frames", 0, "COUNT", "Frames of memory for each queue",
	  arg_size, FIELD(frames), 16, 1 << 24, NULL, false },
	{ "frame-size", 0, "SIZE", "Bytes of a frame, 2048 or 4096; 4096 if not given",
	  read_ring, FIELD(frame_size), 2048, 65536, NULL, false },
	{ "multi-buffer", 0, NULL, "Take packets that are larger than a frame (Linux 6.6)",
	  arg_flag, FIELD(multi_buffer), 0, 0, NULL, false },
	{ "large-mtu", 0, NULL, "Open also where a packet of the MTU does not fit a frame; such "
	  "packets are dropped", arg_flag, FIELD(large_mtu), 0, 0, NULL, false },
	{ "huge", 0, NULL, "Only with huge pages",
	  arg_flag, FIELD(huge), 0, 0, NULL, false },
	{ "replace", 0, NULL, "Detach the XDP program of others that is in the way",
	  arg_flag, FIELD(replace), 0, 0, NULL, false },
	{ .help = "Other options" },
	{ "duration", 'd', "TIME", "End after this time, as 10s or 5m",
	  arg_time, FIELD(duration_ns), 1e6, 1e18, NULL, false },
	{ "json", 'j', NULL, "Write objects of JSON, one a line",
	  arg_flag, FIELD(json), 0, 0, NULL, false },
	{ 0 },
};

const struct arg session_keep_args[] = {
	{ .help = "What is left to the kernel" },
	{ "keep", 'k', "WORD[,WORD]", "Leave these packets to the kernel: arp, dhcp, icmp, ssh, or "
	  "management for the four; tcp:PORT, udp:PORT", read_keep, FIELD(keep), 0, 0,
	  keep_words, false },
	{ 0 },
};

/* ---- opening ---- */

static struct xsk_port_opts port_opts(const struct session *session,
				      const struct session_options *options,
				      uint32_t direction)
{
	struct xsk_port_opts opts = {
		.sz = sizeof(opts),
		.flags = (options->multi_buffer ? XSK_PORT_MULTI_BUFFER : 0) |
			 (options->large_mtu ? XSK_PORT_LARGE_MTU : 0) |
			 (options->huge ? XSK_PORT_HUGE : 0) |
			 (options->replace ? XSK_PORT_REPLACE : 0),
		.modes = options->modes,
		.direction = direction,
		.first_queue = (uint32_t)options->queues.first,
		.rx_size = (uint32_t)options->ring_size,
		.tx_size = (uint32_t)options->ring_size,
		.fill_size = (uint32_t)options->ring_size,
		.comp_size = (uint32_t)options->ring_size,
		.wait = (uint32_t)options->wait,
		.share = session->shares ? session->shares->port : NULL,
	};

	if (options->queues.last != UINT64_MAX)
		opts.queues = (uint32_t)(options->queues.last - options->queues.first + 1);
	if (!session->shares) {
		opts.frames = (uint32_t)options->frames;
		opts.frame_size = (uint32_t)options->frame_size;
	} else {
		/* These are the other's. */
		opts.flags &= ~(XSK_PORT_MULTI_BUFFER | XSK_PORT_HUGE);
	}
	if (direction & XSK_DIRECTION_RX) {
		opts.filter = session->filter;
		opts.keep = options->keep;
		memcpy(opts.keep_tcp, options->keep_tcp, sizeof(opts.keep_tcp));
		memcpy(opts.keep_udp, options->keep_udp, sizeof(opts.keep_udp));
	}
	return opts;
}

static int find_queues(struct session *session, uint32_t direction, struct xsk_error *error)
{
	struct xsk_queue *queue;

	for (unsigned int i = 0; (queue = xsk_port_queue(session->port, i)); i++) {
		if (!(xsk_queue_direction(queue) & direction))
			continue;
		if (session->count == XSK_WAIT_MAX) {
			*error = (struct xsk_error){ .code = -E2BIG, .step = "queues",
						     .hint = "choose some with --queues" };
			snprintf(error->reason, sizeof(error->reason), "more than %d",
				 XSK_WAIT_MAX);
			return -E2BIG;
		}
		session->queues[session->count++] = queue;
	}
	return 0;
}

static void say_down(struct session *session, struct out *out, bool is_down)
{
	if (session->is_down == is_down)
		return;
	session->is_down = is_down;
	if (is_down)
		out_note(out, "%s: " SESSION_DOWN "; ip link set dev %s up", session->iface,
			 session->iface);
	else
		out_note(out, "%s: it is up", session->iface);
}

static void say_opened(struct session *session, struct out *out)
{
	const struct xsk_port_info *info = &session->info;
	int mode = 0;

	while (mode < 2 && !(info->mode & 1u << mode))
		mode++;
	snprintf(session->mode, sizeof(session->mode), "%s", modes[mode]);
	if (info->queues == 1)
		out_note(out, "%s: queue %u, %s", session->iface, info->first_queue,
			 info->mode_text);
	else
		out_note(out, "%s: queues %u to %u, %s", session->iface, info->first_queue,
			 info->first_queue + info->queues - 1, info->mode_text);
	say_down(session, out, !info->up);
}

/* The one whose memory it shares is not asked for statistics meanwhile. */
static int open_port(struct session *session, const char *iface,
		     const struct session_options *options, uint32_t direction,
		     struct xsk_error *error)
{
	struct xsk_port_opts opts = port_opts(session, options, direction);
	struct publish *other = session->shares ? session->shares->publish : NULL;
	int err;

	/* What outlives a process that a signal ends is only how interrupts are deferred. */
	if (options->wait == XSK_WAIT_BUSY_POLL)
		run_hear();
	publish_lock(other);
	err = xsk_port_open(&session->port, iface, &opts, error);
	publish_unlock(other);
	run_hear();
	return err;
}

/* Else other headers would be read, and sent, as those of Ethernet. */
static int check_kind(const char *iface, struct xsk_error *error)
{
	if (iface_is_ethernet(iface))
		return 0;
	*error = (struct xsk_error){ .code = -EPROTONOSUPPORT, .step = "interface",
				     .reason = "it is not Ethernet",
				     .hint = "xsk probe lists those that are" };
	return error->code;
}

int session_try(struct session *session, struct out *out, const char *command,
		const char *iface, const struct session_options *options, uint32_t direction,
		const char *filter, struct session *share, struct xsk_error *error)
{
	int err;

	*error = (struct xsk_error){ 0 };
	*session = (struct session){ .shares = share, .info.sz = sizeof(session->info) };
	snprintf(session->iface, sizeof(session->iface), "%s", iface);
	out_clean(session->iface);
	err = check_kind(iface, error);
	if (!err && filter)
		err = xsk_filter_compile(&session->filter, filter, error);
	if (!err)
		err = open_port(session, iface, options, direction, error);
	if (!err)
		err = find_queues(session, direction, error);
	if (err) {
		session->is_misused = err == -EINVAL && !strcmp(error->step, "filter");
		session_close(session);
		return err;
	}
	xsk_port_info(session->port, &session->info);
	say_opened(session, out);
	session->publish = publish_open(session->port, command);
	return 0;
}

bool session_open(struct session *session, struct out *out, const char *command,
		  const char *iface, const struct session_options *options,
		  uint32_t direction, const char *filter, struct session *share)
{
	struct xsk_error error;

	if (!session_try(session, out, command, iface, options, direction, filter, share,
			 &error))
		return true;
	/* A filter has no interface. */
	out_error(out, strcmp(error.step, "filter") ? iface : NULL, &error);
	return false;
}

int session_status(const struct session *session)
{
	return session->is_misused ? MISUSED : FAILED;
}

void session_close(struct session *session)
{
	struct publish *other = session->shares ? session->shares->publish : NULL;

	publish_close(session->publish);
	publish_lock(other);
	xsk_port_close(session->port);
	publish_unlock(other);
	xsk_filter_free(session->filter);
	session->publish = NULL;
	session->port = NULL;
	session->filter = NULL;
	session->count = 0;
}

/* ---- while it is open ---- */

bool session_survives(struct session *session, struct out *out, int err)
{
	struct xsk_error error;

	if (err >= 0 || err == -EINTR || err == -ENETDOWN)
		return true;
	xsk_error_last(&error);
	out_error(out, session->iface, &error);
	return false;
}

void session_say_state(struct session *session, struct out *out)
{
	struct xsk_port_info info = { .sz = sizeof(info) };

	xsk_port_info(session->port, &info);
	if (!info.gone)
		say_down(session, out, !info.up);
}

void session_stats(const struct session *session, struct xsk_port_stats *stats)
{
	*stats = (struct xsk_port_stats){ .sz = sizeof(*stats) };
	publish_lock(session->publish);
	xsk_port_stats(session->port, stats);
	publish_unlock(session->publish);
}
