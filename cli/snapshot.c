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

/* Sockets that are asked for at first; where there are more, again. */
#define SOCKETS 64

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

static json_t *take_ports(int ifindex, const json_t *before)
{
	json_t *asked = publish_ask(ifindex), *ports = json_array(), *one;
	size_t i;

	json_array_foreach(asked, i, one)
		json_array_append_new(ports, make_port(one, before));
	json_decref(asked);
	return ports;
}

/* ---- sockets, as the kernel tells ---- */

static json_t *socket_memory(const struct xsk_probe_socket *socket)
{
	return json_pack("{sI sI sI sI sI}", "id", (json_int_t)socket->umem_id,
			 "users", (json_int_t)socket->umem_refs,
			 "size", (json_int_t)socket->umem_size,
			 "frame_size", (json_int_t)socket->frame_size,
			 "headroom", (json_int_t)socket->headroom);
}

static json_t *socket_stats(const struct xsk_probe_socket *socket)
{
	return json_pack("{sI sI sI sI sI sI}", "rx_dropped", (json_int_t)socket->rx_dropped,
			 "rx_invalid", (json_int_t)socket->rx_invalid,
			 "rx_ring_full", (json_int_t)socket->rx_ring_full,
			 "rx_fill_empty", (json_int_t)socket->rx_fill_empty,
			 "tx_invalid", (json_int_t)socket->tx_invalid,
			 "tx_ring_empty", (json_int_t)socket->tx_ring_empty);
}

/* *of_xsk: whether one of them is a command whose port is shown. */
static json_t *socket_processes(const struct xsk_probe_socket *socket, const json_t *ports,
				bool *of_xsk)
{
	json_t *array = json_array();
	const json_t *port;
	size_t k;

	*of_xsk = false;
	for (uint32_t i = 0; i < socket->processes && i < XSK_PROBE_PROCESSES; i++) {
		const struct xsk_probe_process *process = &socket->process[i];
		char name[sizeof(process->name)];

		snprintf(name, sizeof(name), "%s", process->name);
		json_array_append_new(array, json_pack("{si ss}", "pid", (int)process->pid,
						       "name", out_clean(name)));
		json_array_foreach(ports, k, port)
			*of_xsk = *of_xsk || json_integer_value(json_object_get(port, "pid")) ==
					     process->pid;
	}
	return array;
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
	json_t *object = json_pack("{sI}", "queue", (json_int_t)socket->queue), *processes;
	bool of_xsk;

	if (socket->told != XSK_PROBE_YES) {
		json_object_set_new(object, "xsk",
				    json_boolean(is_ports_queue(ports, socket->queue)));
		return object;
	}
	processes = socket_processes(socket, ports, &of_xsk);
	json_object_set_new(object, "zero_copy", json_boolean(socket->zerocopy == XSK_PROBE_YES));
	json_object_set_new(object, "uid", json_integer(socket->uid));
	json_object_set_new(object, "rx_size", json_integer(socket->rx_size));
	json_object_set_new(object, "tx_size", json_integer(socket->tx_size));
	json_object_set_new(object, "fill_size", json_integer(socket->fill_size));
	json_object_set_new(object, "comp_size", json_integer(socket->comp_size));
	json_object_set_new(object, "memory", socket_memory(socket));
	if (socket->stats_told == XSK_PROBE_YES)
		json_object_set_new(object, "stats", socket_stats(socket));
	json_object_set_new(object, "xsk", json_boolean(of_xsk));
	json_object_set_new(object, "processes", processes);
	json_object_set_new(object, "all_processes",
			    json_boolean(socket->processes_told == XSK_PROBE_YES));
	return object;
}

/* Less than 0: -errno. */
static int ask_sockets(const char *iface, struct xsk_probe_socket **ret)
{
	struct xsk_probe_socket *sockets = NULL;
	int room = SOCKETS, count;

	for (;;) {
		free(sockets);
		sockets = calloc((size_t)room, sizeof(*sockets));
		if (!sockets)
			return -ENOMEM;
		sockets[0].sz = sizeof(*sockets);
		count = xsk_probe_sockets(iface, sockets, room, NULL);
		if (count <= room)
			break;
		room = count + SOCKETS;
	}
	*ret = sockets;
	return count;
}

/* NULL: the kernel does not tell. */
static json_t *take_sockets(const char *iface, const json_t *ports)
{
	struct xsk_probe_socket *sockets = NULL;
	int count = ask_sockets(iface, &sockets);
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

	if (xsk_probe_interface(&info, iface, error))
		return NULL;
	ports = take_ports(info.ifindex, before);
	sockets = take_sockets(iface, ports);
	snprintf(name, sizeof(name), "%s", info.name);
	snapshot = json_pack("{ss ss sf sb so so*}", "type", "stats", "interface", out_clean(name),
			     "seconds", seconds, "sockets_told", sockets != NULL, "ports", ports,
			     "sockets", sockets);
	if (!snapshot)
		*error = (struct xsk_error){ .code = -ENOMEM, .step = "memory",
					     .reason = "there is none" };
	return snapshot;
}
