/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What others have sent is in it: texts are cleaned, and nothing need be of its type. */
#include "snapshot.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xsk/xsk.h>

#include "out.h"
#include "report.h"
#include "units.h"

#define WORD_SIZE 300

struct text {
	FILE *file;
	const struct out *out;
};

static int64_t number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* Of all queues, if the numbers are such: they may be anything. */
static uint64_t entries(const json_t *info, const char *ring)
{
	return (uint64_t)number(info, "queues") * (uint64_t)number(info, ring);
}

static double real(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

static bool is(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

static const char *word(char text[WORD_SIZE], const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	snprintf(text, WORD_SIZE, "%s", value ? value : "?");
	return out_clean(text);
}

static void bold(const struct text *to, const char *text)
{
	fprintf(to->file, "%s%s%s", out_start(to->out, OUT_BOLD), text, out_end(to->out));
}

/* ---- ports of xsk ---- */

static void queues(const struct text *to, uint64_t first, uint64_t count)
{
	if (count == 1)
		fprintf(to->file, "queue %" PRIu64, first);
	else
		fprintf(to->file, "queues %" PRIu64 " to %" PRIu64, first, first + count - 1);
}

/* Anybody can seem to be a command: who it is, unless it is root or who asks. */
static const char *of_whom(char text[40], const json_t *port)
{
	int64_t uid = number(port, "uid");

	text[0] = '\0';
	if (uid && uid != geteuid())
		snprintf(text, 40, ", uid %" PRId64, uid);
	return text;
}

static void port_head(const struct text *to, const json_t *port, const json_t *info)
{
	char command[WORD_SIZE], mode[WORD_SIZE], head[WORD_SIZE + 40], user[40];

	snprintf(head, sizeof(head), "xsk %s", word(command, port, "command"));
	bold(to, head);
	fprintf(to->file, " (pid %" PRId64 "%s), %.0f s: ", number(port, "pid"),
		of_whom(user, port), real(port, "seconds"));
	queues(to, (uint64_t)number(info, "first_queue"), (uint64_t)number(info, "queues"));
	fprintf(to->file, ", %s%s\n", word(mode, info, "mode"),
		is(info, "gone") ? "; the interface is gone" :
		is(info, "up") ? "" : "; the interface is down");
}

/* "  received   12.3kpps, 1.23Mbit/s; 123 packets, 12345 bytes" */
static void packets(const struct text *to, const char *what, const json_t *rates, const char *way,
		    uint64_t count, uint64_t bytes)
{
	char pps[UNITS_TEXT], bps[UNITS_TEXT], name[8];

	fprintf(to->file, "  %-10s ", what);
	if (rates) {
		snprintf(name, sizeof(name), "%s_pps", way);
		units_say_count(pps, real(rates, name));
		snprintf(name, sizeof(name), "%s_bps", way);
		units_say_count(bps, real(rates, name));
		fprintf(to->file, "%spps, %sbit/s; ", pps, bps);
	}
	fprintf(to->file, "%" PRIu64 " packets, %" PRIu64 " bytes\n", count, bytes);
}

static void port_frames(const struct text *to, const struct xsk_port_stats *stats,
			const json_t *info)
{
	fprintf(to->file, "  frames     %" PRIu64 ": pool %" PRIu64 ", FILL %" PRIu64 ", RX %"
		PRIu64 ", in use %" PRId64 ", TX %" PRIu64 ", COMPLETION %" PRIu64 "\n",
		stats->frames, stats->in_pool, stats->in_fill, stats->in_rx, stats->in_caller,
		stats->in_tx, stats->in_comp);
	fprintf(to->file, "  rings      ");
	if (is(info, "receives"))
		fprintf(to->file, "FILL %" PRIu64 " of %" PRIu64 ", RX %" PRIu64 " of %" PRIu64,
			stats->fill_level, entries(info, "fill_size"),
			stats->rx_level, entries(info, "rx_size"));
	if (is(info, "sends"))
		fprintf(to->file, "%sTX %" PRIu64 " of %" PRIu64 ", COMPLETION %" PRIu64 " of %"
			PRIu64, is(info, "receives") ? ", " : "", stats->tx_level,
			entries(info, "tx_size"), stats->comp_level,
			entries(info, "comp_size"));
	fputc('\n', to->file);
}

static void say_port(const struct text *to, const json_t *port)
{
	const json_t *info = json_object_get(port, "info"), *rates = json_object_get(port, "rates");
	struct xsk_port_stats stats;
	char user[40];

	if (!is(port, "answers")) {
		bold(to, "xsk");
		fprintf(to->file, " (pid %" PRId64 "%s): %s\n", number(port, "pid"),
			of_whom(user, port), geteuid() && number(port, "uid") != geteuid() ?
			"of another user: it tells only that one, and root" :
			"it does not answer, or not as xsk does");
		return;
	}
	report_read_stats(&stats, json_object_get(port, "stats"));
	port_head(to, port, info);
	if (is(info, "receives"))
		packets(to, "received", rates, "rx", stats.rx_packets, stats.rx_bytes);
	if (is(info, "sends"))
		packets(to, "sent", rates, "tx", stats.tx_packets, stats.tx_bytes);
	port_frames(to, &stats, info);
	if (stats.filter_matched || stats.filter_kept || stats.filter_passed)
		fprintf(to->file, "  filter     %" PRIu64 " matched, %" PRIu64 " kept for the "
			"kernel, %" PRIu64 " did not match\n", stats.filter_matched,
			stats.filter_kept, stats.filter_passed);
	report_losses_to(to->file, "  ", to->out, &stats);
}

/* ---- sockets of others ---- */

static void socket_owners(const struct text *to, const json_t *socket)
{
	const json_t *processes = json_object_get(socket, "processes"), *process;
	char name[WORD_SIZE];
	size_t i;

	json_array_foreach(processes, i, process)
		fprintf(to->file, "%s%s (pid %" PRId64 ")", i ? ", " : "",
			word(name, process, "name"), number(process, "pid"));
	if (!json_array_size(processes))
		fprintf(to->file, "uid %" PRId64 ", whose processes are not told",
			number(socket, "uid"));
}

static void socket_rings(const struct text *to, const json_t *socket)
{
	static const struct {
		const char *name, *key;
	} rings[] = {
		{ "FILL", "fill_size" }, { "RX", "rx_size" }, { "TX", "tx_size" },
		{ "COMPLETION", "comp_size" },
	};
	const json_t *memory = json_object_get(socket, "memory");
	const char *between = "  rings      ";

	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
		if (!number(socket, rings[i].key))
			continue;
		fprintf(to->file, "%s%s %" PRId64, between, rings[i].name,
			number(socket, rings[i].key));
		between = ", ";
	}
	fprintf(to->file, "\n  memory     %" PRId64 " bytes, frames of %" PRId64 "\n",
		number(memory, "size"), number(memory, "frame_size"));
}

static void say_socket(const struct text *to, const json_t *socket)
{
	const json_t *stats = json_object_get(socket, "stats");
	struct xsk_port_stats losses;
	char head[40];

	snprintf(head, sizeof(head), "queue %" PRId64, number(socket, "queue"));
	bold(to, head);
	if (!json_object_get(socket, "processes")) {
		fputs(": a socket of which the kernel tells no more\n", to->file);
		return;
	}
	fputs(": ", to->file);
	socket_owners(to, socket);
	fprintf(to->file, ", %s\n", is(socket, "zero_copy") ? "zero-copy" : "copy");
	socket_rings(to, socket);
	if (!stats)
		return;
	report_read_stats(&losses, stats);
	fprintf(to->file, "  lost       %" PRIu64 " dropped, %" PRIu64 " RX ring full, %" PRIu64
		" FILL empty, %" PRIu64 " invalid in FILL, %" PRIu64 " in TX\n",
		losses.rx_dropped, losses.rx_ring_full, losses.rx_fill_empty, losses.rx_invalid,
		losses.tx_invalid);
}

/* ---- all ---- */

static void say_all(const struct text *to, const json_t *snapshot)
{
	const json_t *ports = json_object_get(snapshot, "ports"), *one;
	char name[WORD_SIZE];
	size_t i, others = 0;

	bold(to, word(name, snapshot, "interface"));
	fprintf(to->file, ", %.1f s\n", real(snapshot, "seconds"));
	json_array_foreach(ports, i, one)
		say_port(to, one);
	json_array_foreach(json_object_get(snapshot, "sockets"), i, one) {
		if (is(one, "xsk"))
			continue;
		say_socket(to, one);
		others++;
	}
	if (!json_array_size(ports))
		fputs("No port of xsk\n", to->file);
	if (number(snapshot, "ports_not_asked"))
		fprintf(to->file, "%" PRId64 " more say that they are ports of xsk, and were not "
			"asked\n", number(snapshot, "ports_not_asked"));
	if (!is(snapshot, "sockets_told"))
		fputs("The kernel does not tell of sockets of others (CONFIG_XDP_SOCKETS_DIAG)\n",
		      to->file);
	else if (!others)
		fputs("No socket of others\n", to->file);
}

char *snapshot_text(const json_t *snapshot, const struct out *out)
{
	char *text = NULL;
	size_t size = 0;
	const struct text to = { .file = open_memstream(&text, &size), .out = out };
	bool good;

	if (!to.file)
		return NULL;
	say_all(&to, snapshot);
	good = !ferror(to.file);
	if (!fclose(to.file) && good)
		return text;
	free(text);
	return NULL;
}
