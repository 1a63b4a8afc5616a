/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <xsk/xsk.h>

#include "out.h"

/* Sockets that are asked for at first; where there are more, again. */
#define SOCKETS 64

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

json_t *sockets_processes(const struct xsk_probe_process *processes, uint32_t count)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < count && i < XSK_PROBE_PROCESSES; i++) {
		char name[sizeof(processes[i].name)];

		snprintf(name, sizeof(name), "%s", processes[i].name);
		json_array_append_new(array, json_pack("{si ss}", "pid", (int)processes[i].pid,
						       "name", out_clean(name)));
	}
	return array;
}

json_t *sockets_json(const struct xsk_probe_socket *socket)
{
	json_t *object = json_pack("{sI}", "queue", (json_int_t)socket->queue);

	if (socket->told != XSK_PROBE_YES)
		return object;
	json_object_set_new(object, "zero_copy", json_boolean(socket->zerocopy == XSK_PROBE_YES));
	json_object_set_new(object, "uid", json_integer(socket->uid));
	json_object_set_new(object, "rx_size", json_integer(socket->rx_size));
	json_object_set_new(object, "tx_size", json_integer(socket->tx_size));
	json_object_set_new(object, "fill_size", json_integer(socket->fill_size));
	json_object_set_new(object, "comp_size", json_integer(socket->comp_size));
	json_object_set_new(object, "memory", socket_memory(socket));
	if (socket->stats_told == XSK_PROBE_YES)
		json_object_set_new(object, "stats", socket_stats(socket));
	json_object_set_new(object, "processes",
			    sockets_processes(socket->process, socket->processes));
	json_object_set_new(object, "all_processes",
			    json_boolean(socket->processes_told == XSK_PROBE_YES));
	return object;
}

int sockets_ask(struct xsk_probe_socket **ret, const char *iface, struct xsk_error *error)
{
	struct xsk_probe_socket *sockets = NULL;
	int room = SOCKETS, count;

	for (;;) {
		free(sockets);
		sockets = calloc((size_t)room, sizeof(*sockets));
		if (!sockets) {
			*error = (struct xsk_error){ .code = -ENOMEM, .step = "memory",
						     .reason = "there is none" };
			return -ENOMEM;
		}
		sockets[0].sz = sizeof(*sockets);
		count = xsk_probe_sockets(iface, sockets, room, error);
		if (count <= room)
			break;
		room = count + SOCKETS;
	}
	if (count < 0)
		free(sockets);
	else
		*ret = sockets;
	return count;
}
