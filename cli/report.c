/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "report.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "out.h"
#include "units.h"

#define COUNTER(name) { #name, offsetof(struct xsk_port_stats, name) }
#define NUMBER(name) { #name, offsetof(struct xsk_port_info, name) }

/* ---- for scripts ---- */

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
	COUNTER(frames), COUNTER(in_pool), COUNTER(in_fill), COUNTER(in_rx), COUNTER(in_tx),
	COUNTER(in_comp), COUNTER(in_caller), COUNTER(rx_packets), COUNTER(rx_bytes),
	COUNTER(tx_packets), COUNTER(tx_bytes), COUNTER(rx_dropped), COUNTER(rx_invalid),
	COUNTER(rx_ring_full), COUNTER(rx_fill_empty), COUNTER(tx_invalid),
	COUNTER(tx_ring_empty), COUNTER(kicks), COUNTER(kick_again), COUNTER(kick_busy),
	COUNTER(kick_down), COUNTER(kick_failed), COUNTER(refused), COUNTER(bad_frames),
	COUNTER(fill_level), COUNTER(rx_level), COUNTER(tx_level), COUNTER(comp_level),
	COUNTER(filter_matched), COUNTER(filter_kept), COUNTER(filter_passed),
}, numbers[] = {
	NUMBER(first_queue), NUMBER(queues), NUMBER(rx_queues), NUMBER(tx_queues), NUMBER(mtu),
	NUMBER(max_frags), NUMBER(frame_size), NUMBER(headroom), NUMBER(room), NUMBER(frames),
	NUMBER(rx_size), NUMBER(tx_size), NUMBER(fill_size), NUMBER(comp_size),
	NUMBER(prog_id), NUMBER(ifindex),
};

json_t *report_stats(const struct xsk_port_stats *stats)
{
	json_t *object = json_object();

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const void *at = (const char *)stats + counters[i].offset;

		json_object_set_new(object, counters[i].name, json_integer(*(const int64_t *)at));
	}
	return object;
}

void report_read_stats(struct xsk_port_stats *stats, const json_t *object)
{
	*stats = (struct xsk_port_stats){ .sz = sizeof(*stats) };
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		void *at = (char *)stats + counters[i].offset;

		*(int64_t *)at = json_integer_value(json_object_get(object, counters[i].name));
	}
}

static const char *mode_name(uint32_t mode)
{
	return mode == XSK_MODE_ZEROCOPY ? "zero-copy" :
	       mode == XSK_MODE_NATIVE ? "native" : "generic";
}

const char *report_wait(uint32_t wait)
{
	static const char *const names[] = { "sleep", "spin", "busy-poll", "adaptive" };

	return wait < sizeof(names) / sizeof(names[0]) ? names[wait] : "unknown";
}

json_t *report_info(const struct xsk_port_info *info)
{
	json_t *object = json_object();
	char name[sizeof(info->name)];

	snprintf(name, sizeof(name), "%s", info->name);
	json_object_set_new(object, "interface", json_string(out_clean(name)));
	json_object_set_new(object, "driver", json_string(info->driver));
	json_object_set_new(object, "mode", json_string(mode_name(info->mode)));
	json_object_set_new(object, "mode_text", json_string(info->mode_text));
	json_object_set_new(object, "wait", json_string(report_wait(info->wait)));
	json_object_set_new(object, "wait_text", json_string(info->wait_text));
	json_object_set_new(object, "receives", json_boolean(info->direction & XSK_DIRECTION_RX));
	json_object_set_new(object, "sends", json_boolean(info->direction & XSK_DIRECTION_TX));
	json_object_set_new(object, "multi_buffer",
			    json_boolean(info->flags & XSK_PORT_MULTI_BUFFER));
	json_object_set_new(object, "huge_pages", json_boolean(info->flags & XSK_PORT_HUGE));
	json_object_set_new(object, "up", json_boolean(info->up));
	json_object_set_new(object, "gone", json_boolean(info->gone));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const void *at = (const char *)info + numbers[i].offset;

		json_object_set_new(object, numbers[i].name, json_integer(*(const uint32_t *)at));
	}
	return object;
}

static json_t *report_queues(const struct xsk_port *port)
{
	json_t *array = json_array();
	struct xsk_queue *queue;

	for (unsigned int i = 0; (queue = xsk_port_queue(port, i)); i++) {
		struct xsk_port_stats stats = { .sz = sizeof(stats) };

		xsk_queue_stats(queue, &stats);
		json_array_append_new(array, json_pack("{sI so}", "queue",
						       (json_int_t)xsk_queue_id(queue),
						       "stats", report_stats(&stats)));
	}
	return array;
}

json_t *report_port(const struct xsk_port *port, const char *command, double seconds)
{
	struct xsk_port_stats stats = { .sz = sizeof(stats) };
	struct xsk_port_info info = { .sz = sizeof(info) };

	xsk_port_info(port, &info);
	xsk_port_stats(port, &stats);
	return json_pack("{ss si sf so so so}", "command", command, "pid", (int)getpid(),
			 "seconds", seconds, "info", report_info(&info),
			 "stats", report_stats(&stats), "queues", report_queues(port));
}

/* ---- for people ---- */

char *report_say_rate(char *text, size_t size, const struct report_rate *rate)
{
	double seconds = rate->seconds > 0 ? rate->seconds : 1;
	char packets[UNITS_TEXT], bits[UNITS_TEXT];

	snprintf(text, size, "%spps, %sbit/s",
		 units_say_count(packets, (double)rate->packets / seconds),
		 units_say_count(bits, (double)rate->bytes * 8 / seconds));
	return text;
}

void report_losses_to(FILE *to, const char *indent, const struct out *out,
		      const struct xsk_port_stats *stats)
{
	/* The kernel counts twice what found no frame in FILL, where it copies. */
	uint64_t too_large = stats->rx_dropped > stats->rx_fill_empty ?
			     stats->rx_dropped - stats->rx_fill_empty : 0;
	const struct {
		uint64_t count;
		const char *why;
	} losses[] = {
		{ stats->rx_ring_full, "lost: the RX ring was full; a larger --ring, or --wait "
		  "spin" },
		{ stats->rx_fill_empty, "lost: they found FILL empty; a larger --ring, "
		  "and more --frames" },
		{ too_large, "dropped: larger than a frame (--multi-buffer), or than the frames "
		  "that were free (--frames)" },
		{ stats->rx_invalid, "invalid descriptors in FILL" },
		{ stats->tx_invalid, "not sent: invalid descriptors in TX" },
		{ stats->kick_busy, "times the driver was busy, and dropped a packet" },
	};

	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		if (losses[i].count)
			fprintf(to, "%s%s%" PRIu64 " %s%s\n", indent, out_start(out, OUT_YELLOW),
				losses[i].count, losses[i].why, out_end(out));
}

void report_losses(struct out *out, const struct xsk_port_stats *stats)
{
	report_losses_to(stdout, "", out, stats);
}
