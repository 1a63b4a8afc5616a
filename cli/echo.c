/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * xsk echo IFACE: answers who asks, in the frame in which the question came. Only what it
 * answers is taken from the kernel.
 */
#include "command.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "checksum.h"
#include "report.h"
#include "respond.h"
#include "route.h"
#include "run.h"
#include "session.h"

#define BURST 64
#define ECHO_PORT 7

struct options {
	struct session_options session;
	const char *iface;
	char *filter;
	bool reflect;
	bool has_ports;
	/* ports and the addresses that were given; the interface's are added. */
	struct responder responder;
};

struct echo {
	struct session session;
	struct responder responder;
	struct run run;
	uint64_t kinds[RESPOND_KINDS];
	uint64_t packets, bytes;	/* that were sent */
	uint64_t full;			/* not sent: the TX ring was full */
	struct report_rate last;	/* packets and bytes at the last tick */
};

/* ---- options ---- */

/* False: there is no room for it. */
static bool add_address(struct responder *responder, const struct address *address)
{
	bool six = address->family == AF_INET6;
	unsigned int *count = six ? &responder->ipv6_count : &responder->ipv4_count;

	if (*count == RESPOND_ADDRESSES)
		return false;
	if (six)
		memcpy(&responder->ipv6[*count], address->bytes, sizeof(responder->ipv6[0]));
	else
		memcpy(&responder->ipv4[*count], address->bytes, sizeof(responder->ipv4[0]));
	++*count;
	return true;
}

static bool is_one_host(const struct address *address)
{
	unsigned char mac[MAC_SIZE];
	static const unsigned char none[16];

	return !address_multicast_mac(address, mac) &&
	       memcmp(address->bytes, none, address_size(address));
}

static bool read_address(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	struct address address;

	(void)arg;
	if (!address_read(&address, text) || !is_one_host(&address)) {
		snprintf(why, ARG_WHY, "it must be the address of a host, as 10.0.0.1 or fd00::1");
		return false;
	}
	if (add_address(field, &address))
		return true;
	snprintf(why, ARG_WHY, "there can be %d of a family", RESPOND_ADDRESSES);
	return false;
}

static bool read_ports(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	struct options *options = (void *)((char *)field -
					   offsetof(struct options, responder.ports));

	options->has_ports = true;
	return arg_range(arg, field, text, why);
}

static const struct arg echo_args[] = {
	{ .help = "What is answered" },
	{ "address", 'a', "ADDRESS", "Answer for this address, too, besides those of the "
	  "interface; can be given several times", read_address,
	  offsetof(struct options, responder), 0, 0, NULL, false },
	{ "port", 'p', "N[-M]", "Answer UDP to these ports; 7 if not given", read_ports,
	  offsetof(struct options, responder.ports), 1, UINT16_MAX, NULL, false },
	{ "reflect", 0, NULL, "Send back all that arrives, its MACs swapped, and else as it is",
	  arg_flag, offsetof(struct options, reflect), 0, 0, NULL, false },
	{ 0 },
};

static const struct operand operands[] = {
	{ .name = "IFACE", .help = "The interface", .read = arg_text, .is_interface = true,
	  .offset = offsetof(struct options, iface) },
	{ .name = "FILTER", .help = "With --reflect: which packets, in the language of "
	  "pcap-filter(7); the others go to the kernel. All if not given",
	  .optional = true, .is_rest = true, .offset = offsetof(struct options, filter) },
	{ 0 },
};

static bool options_fit(const struct options *options, struct out *out)
{
	const struct responder *given = &options->responder;

	if (options->filter && !options->reflect)
		out_fail(out, NULL, "echo: a FILTER is of --reflect; else it is told by the "
			 "addresses and --port what is taken");
	else if (options->reflect && (options->has_ports || given->ipv4_count ||
				      given->ipv6_count))
		out_fail(out, NULL, "echo: --reflect knows no addresses and ports; give a FILTER");
	else
		return true;
	return false;
}

/* ---- packets ---- */

struct burst {
	struct xsk_frame frames[BURST];
	int n;
};

/* What its sender's stack has left to the NIC; respond() sees the first frame alone. */
static void complete_checksum(const struct xsk_queue *queue, const struct xsk_frame *frames,
			      int count)
{
	struct iovec pieces[BURST];

	for (int i = 0; i < count; i++)
		pieces[i] = (struct iovec){ xsk_frame_data(queue, &frames[i]), frames[i].len };
	checksum_complete_pieces(pieces, count);
}

/* A packet goes to one of the two, with all of its frames; returns how many these are. */
static int respond_to(struct echo *echo, struct xsk_queue *queue, struct xsk_frame *frames,
		      struct burst *replies, struct burst *rest)
{
	struct request request = {
		.data = xsk_frame_data(queue, frames), .len = frames->len,
		.room = echo->session.info.room, .total = frames->len,
	};
	struct burst *burst;
	enum respond kind;
	int count = 1;

	while (frames[count - 1].options & XSK_FRAME_CONTD)
		request.total += frames[count++].len;
	if (count > 1)
		complete_checksum(queue, frames, count);
	kind = respond(&echo->responder, &request);
	echo->kinds[kind]++;
	frames->len = (uint32_t)request.len;
	burst = respond_is_answer(kind) ? replies : rest;
	memcpy(burst->frames + burst->n, frames, (size_t)count * sizeof(*frames));
	burst->n += count;
	return count;
}

static void count_sent(struct echo *echo, const struct burst *replies, int sent)
{
	for (int i = 0; i < replies->n; i++) {
		bool ends = !(replies->frames[i].options & XSK_FRAME_CONTD);

		if (i < sent) {
			echo->packets += ends;
			echo->bytes += replies->frames[i].len;
		} else {
			echo->full += ends;
		}
	}
}

/* What one queue has. Returns how many frames came, or what a verb said. */
static int answer(struct echo *echo, struct xsk_queue *queue)
{
	struct burst replies = { .n = 0 }, rest = { .n = 0 };
	struct xsk_frame frames[BURST];
	int n = xsk_rx(queue, frames, BURST), sent = 0, more, err = 0;

	if (n <= 0)
		return n;
	for (int i = 0; i < n;)
		i += respond_to(echo, queue, frames + i, &replies, &rest);
	if (replies.n)
		sent = xsk_tx(queue, replies.frames, replies.n);
	if (sent >= 0 && sent < replies.n) {
		xsk_flush(queue);
		more = xsk_tx(queue, replies.frames + sent, replies.n - sent);
		sent += more > 0 ? more : 0;
	}
	if (sent < 0) {
		err = sent;
		sent = 0;
	}
	count_sent(echo, &replies, sent);
	xsk_free(queue, replies.frames + sent, replies.n - sent);
	xsk_free(queue, rest.frames, rest.n);
	return err ? err : n;
}

static bool answer_all(struct echo *echo, struct out *out)
{
	for (int i = 0; i < echo->session.count; i++)
		if (!session_survives(&echo->session, out, answer(echo, echo->session.queues[i])))
			return false;
	return true;
}

/* ---- what is said ---- */

static void say_rate(struct echo *echo, struct out *out, double seconds)
{
	struct report_rate rate = { seconds, echo->packets - echo->last.packets,
				    echo->bytes - echo->last.bytes };
	char text[64];

	echo->last.packets = echo->packets;
	echo->last.bytes = echo->bytes;
	if (out->json)
		out_json(out, json_pack("{ss ss sf sI sI}", "type", "rate",
					"interface", echo->session.iface, "seconds", seconds,
					"packets", (json_int_t)rate.packets,
					"bytes", (json_int_t)rate.bytes));
	out_progress(out, "%s: %s answered, %" PRIu64 " packets in all", echo->session.iface,
		     report_say_rate(text, sizeof(text), &rate), echo->packets);
}

/* Those that are answered, or those that are not. */
static json_t *report_kinds(const struct echo *echo, bool answered)
{
	json_t *object = json_object();

	for (int kind = 0; kind < RESPOND_KINDS; kind++)
		if (respond_is_answer((enum respond)kind) == answered)
			json_object_set_new(object, respond_name((enum respond)kind),
					    json_integer((json_int_t)echo->kinds[kind]));
	return object;
}

/* "30 ARP, 2 UDP", of those that there are; returns how many in all. */
static uint64_t say_kinds(const struct echo *echo, bool answered, char *text, size_t size)
{
	static const char *const names[RESPOND_KINDS] = {
		[RESPOND_ARP] = "ARP", [RESPOND_ND] = "neighbour discovery",
		[RESPOND_ICMP] = "ICMP", [RESPOND_ICMPV6] = "ICMPv6", [RESPOND_UDP] = "UDP",
		[RESPOND_REFLECTED] = "reflected", [RESPOND_OTHER] = "no request to it",
		[RESPOND_BROKEN] = "broken", [RESPOND_FRAGMENT] = "fragments",
		[RESPOND_SOURCE] = "from nobody to be answered",
		[RESPOND_LOOP] = "from a port that would answer",
		[RESPOND_LARGE] = "of several frames, without checksum",
	};
	uint64_t sum = 0;
	size_t len = 0;

	text[0] = '\0';
	for (int kind = 0; kind < RESPOND_KINDS; kind++) {
		if (respond_is_answer((enum respond)kind) != answered || !echo->kinds[kind])
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%" PRIu64 " %s",
					sum ? ", " : "", echo->kinds[kind], names[kind]);
		sum += echo->kinds[kind];
	}
	return sum;
}

static void say_total(const struct echo *echo, struct out *out, double seconds)
{
	const struct report_rate rate = { seconds, echo->packets, echo->bytes };
	struct xsk_port_stats stats;
	char text[64], kinds[512];
	uint64_t ignored;

	session_stats(&echo->session, &stats);
	if (out->json) {
		out_json(out, json_pack("{ss ss sf sI sI so so sI so}", "type", "total",
					"interface", echo->session.iface, "seconds", seconds,
					"packets", (json_int_t)echo->packets,
					"bytes", (json_int_t)echo->bytes,
					"answered", report_kinds(echo, true),
					"ignored", report_kinds(echo, false),
					"tx_ring_full", (json_int_t)echo->full,
					"stats", report_stats(&stats)));
		return;
	}
	say_kinds(echo, true, kinds, sizeof(kinds));
	printf("%s: %" PRIu64 " packets answered, %" PRIu64 " bytes in %.1f s (%s)\n",
	       echo->session.iface, echo->packets, echo->bytes, seconds,
	       report_say_rate(text, sizeof(text), &rate));
	if (*kinds)
		printf("%s\n", kinds);
	ignored = say_kinds(echo, false, kinds, sizeof(kinds));
	if (ignored)
		printf("%s%" PRIu64 " not answered: %s%s\n", out_start(out, OUT_YELLOW), ignored,
		       kinds, out_end(out));
	if (echo->full)
		printf("%s%" PRIu64 " not answered: the TX ring was full; a larger --ring%s\n",
		       out_start(out, OUT_YELLOW), echo->full, out_end(out));
	report_losses(out, &stats);
}

/* ---- who answers ---- */

/* The name of an address may be a label, "eth0:1". */
static bool is_of(const struct ifaddrs *entry, const char *iface)
{
	size_t len = strlen(iface);

	return entry->ifa_addr && !strncmp(entry->ifa_name, iface, len) &&
	       (!entry->ifa_name[len] || entry->ifa_name[len] == ':');
}

/* Whether it is one of IP. */
static bool take_address(struct address *ret, const struct sockaddr *from)
{
	*ret = (struct address){ .family = from->sa_family };
	if (ret->family == AF_INET)
		memcpy(ret->bytes, &((const struct sockaddr_in *)from)->sin_addr, 4);
	else if (ret->family == AF_INET6)
		memcpy(ret->bytes, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
	else
		return false;
	return true;
}

/* Those of the interface. False: it could not be asked. */
static bool add_addresses(struct responder *responder, const char *iface, struct out *out)
{
	struct ifaddrs *all;
	bool is_full = false;

	if (getifaddrs(&all)) {
		out_fail(out, iface, "its addresses: %s", strerror(errno));
		return false;
	}
	for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next) {
		struct address address;

		if (is_of(entry, iface) && take_address(&address, entry->ifa_addr))
			is_full = !add_address(responder, &address) || is_full;
	}
	freeifaddrs(all);
	if (is_full)
		out_note(out, "%s: it has more than %d addresses of a family; the others are "
			 "not answered for", iface, RESPOND_ADDRESSES);
	return true;
}

/* Neighbours that are told otherwise send no longer by it. */
static bool is_router(const char *iface)
{
	char path[128], answer = '0';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/forwarding", iface);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fread(&answer, 1, 1, file) != 1)
		answer = '0';
	fclose(file);
	return answer != '0';
}

static bool make_responder(struct echo *echo, const struct options *options, struct out *out)
{
	struct responder *responder = &echo->responder;
	int err = route_own_mac(responder->mac, options->iface);

	if (err == -ENODEV) {
		out_fail(out, options->iface, "there is no interface of this name here; ip link "
			 "lists those that there are");
		return false;
	}
	if (err) {
		out_fail(out, options->iface, "its MAC: %s; it must be an Ethernet interface",
			 strerror(-err));
		return false;
	}
	responder->is_router = is_router(options->iface);
	responder->reflects = options->reflect;
	return options->reflect || add_addresses(responder, options->iface, out);
}

/* ---- from start to end ---- */

static void list_address(char *list, size_t size, int family, const void *address)
{
	char text[INET6_ADDRSTRLEN];
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", len ? ", " : "",
		 inet_ntop(family, address, text, sizeof(text)));
}

static void say_what(const struct echo *echo, const struct options *options, struct out *out)
{
	const struct responder *responder = &echo->responder;
	char list[RESPOND_ADDRESSES * 2 * INET6_ADDRSTRLEN] = "", ports[16];

	if (options->reflect) {
		out_note(out, "%s: sends back %s; the kernel no longer sees them%s", options->iface,
			 options->filter ? "the packets that match" : "all packets",
			 session_keeps(&options->session) ? "" : "; --keep leaves it some");
		return;
	}
	for (unsigned int i = 0; i < responder->ipv4_count; i++)
		list_address(list, sizeof(list), AF_INET, &responder->ipv4[i]);
	for (unsigned int i = 0; i < responder->ipv6_count; i++)
		list_address(list, sizeof(list), AF_INET6, &responder->ipv6[i]);
	snprintf(ports, sizeof(ports), "%" PRIu64 "-%" PRIu64, responder->ports.first,
		 responder->ports.last);
	if (responder->ports.first == responder->ports.last)
		*strchr(ports, '-') = '\0';
	out_note(out, "%s: answers ARP, neighbour discovery, ping, and UDP to port %s, for %s; "
		 "all else is left to the kernel", options->iface, ports, list);
}

static bool check_queues(const struct session *session, struct out *out)
{
	for (int i = 0; i < session->count; i++) {
		uint32_t id = xsk_queue_id(session->queues[i]);

		if (xsk_queue_direction(session->queues[i]) & XSK_DIRECTION_TX)
			continue;
		out_fail(out, session->iface, "it has no queue %u to send by, and what arrives "
			 "there could not be answered; ethtool -L %s, or --queues", id,
			 session->iface);
		return false;
	}
	return true;
}

static bool open_echo(struct echo *echo, const struct options *options, struct out *out)
{
	char *filter = options->filter;
	bool good;

	if (!make_responder(echo, options, out))
		return false;
	if (!options->reflect) {
		filter = respond_filter(&echo->responder);
		if (!filter) {
			out_fail(out, options->iface, "it has no address to answer for; give "
				 "--address, or --reflect");
			return false;
		}
	}
	good = session_open(&echo->session, out, "echo", options->iface, &options->session,
			    XSK_DIRECTION_RX | XSK_DIRECTION_TX, filter, NULL);
	if (!options->reflect)
		free(filter);
	if (good && !check_queues(&echo->session, out)) {
		session_close(&echo->session);
		good = false;
	}
	return good;
}

static bool echo_all(struct echo *echo, struct out *out)
{
	struct session *session = &echo->session;
	double seconds;

	while (!run_is_over(&echo->run)) {
		int err;

		if (!answer_all(echo, out))
			return false;
		err = xsk_wait(session->queues, session->count, run_timeout_ms(&echo->run));
		if (!session_survives(session, out, err))
			return false;
		if (run_ticks(&echo->run, &seconds)) {
			session_say_state(session, out);
			say_rate(echo, out, seconds);
		}
	}
	return true;
}

static int run(void *arg, struct out *out)
{
	const struct options *options = arg;
	struct echo echo = { .responder = options->responder };
	bool good;

	if (!options_fit(options, out))
		return MISUSED;
	good = open_echo(&echo, options, out);
	if (good) {
		say_what(&echo, options, out);
		run_start(&echo.run, options->session.duration_ns);
		good = echo_all(&echo, out);
		say_total(&echo, out, run_seconds(&echo.run));
		session_close(&echo.session);
	}
	return good ? GOOD : session_status(&echo.session);
}

static const struct options defaults = {
	.session = SESSION_DEFAULTS,
	.responder.ports = { ECHO_PORT, ECHO_PORT },
};

const struct command command_echo = {
	.name = "echo",
	.summary = "Answer ARP, neighbour discovery, ping and UDP, or send back all that arrives",
	.args = {
		.name = "xsk echo",
		.tables = { echo_args, session_keep_args, session_args },
		.offsets = { 0, offsetof(struct options, session),
			     offsetof(struct options, session) },
		.operands = operands,
	},
	.options_size = sizeof(struct options),
	.defaults = &defaults,
	.json_offset = offsetof(struct options, session.json),
	.run = run,
};
