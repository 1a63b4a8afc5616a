/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "snapshot.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xsk/probe.h>
#include <xsk/xsk.h>

#include "out.h"
#include "publish.h"
#include "sockets.h"

/* ---- ports of xsk ---- */

/* Of the same process and port in the snapshot before; NULL: it is new. */
static const json_t *find_before(const json_t *before, const json_t *port)
{
	const json_t *other;
	size_t i;

	json_array_foreach(json_object_get(before, "ports"), i, other)
		if (json_equal(json_object_get(other, "pid"), json_object_get(port, "pid")) &&
		    json_equal(json_object_get(other, "command"),
			       json_object_get(port, "command")))
			return other;
	return NULL;
}

static double counter(const json_t *port, const char *name)
{
	const json_t *stats = json_object_get(port, "stats");

	return (double)json_integer_value(json_object_get(stats, name));
}

/* By its own clock, which it read with its counters. NULL: there are none. */
static json_t *rates(const json_t *port, const json_t *before)
{
	static const char *const names[] = { "rx_packets", "rx_bytes", "tx_packets", "tx_bytes" };
	double seconds, change[4];

	seconds = json_real_value(json_object_get(port, "seconds")) -
		  json_real_value(json_object_get(before, "seconds"));
	if (!before || !(seconds > 0))
		return NULL;
	for (int i = 0; i < 4; i++) {
		change[i] = (counter(port, names[i]) - counter(before, names[i])) / seconds;
		if (change[i] < 0)
			return NULL;	/* another one */
	}
	return json_pack("{sf sf sf sf sf}", "seconds", seconds, "rx_pps", change[0],
			 "rx_bps", change[1] * 8, "tx_pps", change[2], "tx_bps", change[3] * 8);
}

/* What was asked, without what only seems to be. */
static json_t *make_port(json_t *asked, const json_t *before)
{
	static const char *const copied[] = { "command", "seconds", "info", "stats", "queues" };
	const json_t *answer = json_object_get(asked, "port");
	json_t *port = json_object();

	json_object_set(port, "pid", json_object_get(asked, "pid"));
	json_object_set(port, "uid", json_object_get(asked, "uid"));
	json_object_set_new(port, "answers", json_boolean(answer));
	for (size_t i = 0; answer && i < sizeof(copied) / sizeof(copied[0]); i++) {
		json_t *value = json_object_get(answer, copied[i]);

		if (value)
			json_object_set(port, copied[i], value);
	}
	if (answer) {
		json_t *rate = rates(port, find_before(before, port));

		if (rate)
			json_object_set_new(port, "rates", rate);
	}
	return port;
}

static json_t *take_ports(int ifindex, const json_t *before, uint64_t *not_asked)
{
	json_t *asked = publish_ask(ifindex, not_asked), *ports = json_array(), *one;
	size_t i;

	json_array_foreach(asked, i, one)
		json_array_append_new(ports, make_port(one, before));
	json_decref(asked);
	return ports;
}

/* ---- sockets, as the kernel tells ---- */

/* Whether one of its processes is a command whose port is shown. */
static bool is_of_xsk(const struct xsk_probe_socket *socket, const json_t *ports)
{
	const json_t *port;
	size_t k;

	for (uint32_t i = 0; i < socket->processes && i < XSK_PROBE_PROCESSES; i++)
		json_array_foreach(ports, k, port)
			if (json_integer_value(json_object_get(port, "pid")) ==
			    socket->process[i].pid)
				return true;
	return false;
}

/* Where the kernel tells no owner: whether it is one of a port's queues. */
static bool is_ports_queue(const json_t *ports, uint32_t queue)
{
	const json_t *port, *info;
	json_int_t first;
	size_t i;

	json_array_foreach(ports, i, port) {
		info = json_object_get(port, "info");
		first = json_integer_value(json_object_get(info, "first_queue"));
		if (first >= 0 && queue >= first && queue - first <
				      json_integer_value(json_object_get(info, "queues")))
			return true;
	}
	return false;
}

static json_t *make_socket(const struct xsk_probe_socket *socket, const json_t *ports)
{
	json_t *object = sockets_json(socket);
	bool of_xsk = socket->told == XSK_PROBE_YES ? is_of_xsk(socket, ports) :
		      is_ports_queue(ports, socket->queue);

	json_object_set_new(object, "xsk", json_boolean(of_xsk));
	return object;
}

/* NULL: the kernel does not tell. */
static json_t *take_sockets(const char *iface, const json_t *ports)
{
	struct xsk_probe_socket *sockets = NULL;
	struct xsk_error error;
	int count = sockets_ask(&sockets, iface, &error);
	json_t *array = count < 0 ? NULL : json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(array, make_socket(&sockets[i], ports));
	free(sockets);
	return array;
}

json_t *snapshot_take(const char *iface, const json_t *before, double seconds,
		      struct xsk_error *error)
{
	struct xsk_probe_interface info = { .sz = sizeof(info) };
	json_t *ports, *sockets, *snapshot;
	char name[sizeof(info.name)];
	uint64_t not_asked;

	if (xsk_probe_interface(&info, iface, error))
		return NULL;
	ports = take_ports(info.ifindex, before, &not_asked);
	sockets = take_sockets(iface, ports);
	snprintf(name, sizeof(name), "%s", info.name);
	snapshot = json_pack("{ss ss sf sb so sI so*}", "type", "stats", "interface",
			     out_clean(name), "seconds", seconds, "sockets_told", sockets != NULL,
			     "ports", ports, "ports_not_asked", (json_int_t)not_asked,
			     "sockets", sockets);
	if (!snapshot)
		*error = (struct xsk_error){ .code = -ENOMEM, .step = "memory",
					     .reason = "there is none" };
	return snapshot;
}
