/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The AF_XDP sockets on an interface, and who holds them. */
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "holder.h"
#include "interface.h"
#include "process.h"

struct list {
	int count;
	struct xsk_probe_socket *at;
	struct xsk_probe_holders *holders;
};

static void free_list(struct list *list)
{
	free(list->at);
	free(list->holders);
}

/* All zeroes. */
static int make_list(struct list *list, int count)
{
	*list = (struct list){
		.count = count,
		.at = calloc((size_t)count + 1, sizeof(*list->at)),
		.holders = calloc((size_t)count + 1, sizeof(*list->holders)),
	};
	if (list->at && list->holders)
		return 0;
	free_list(list);
	return -ENOMEM;
}

/* ---- as sock_diag tells ---- */

static void tell(struct xsk_probe_socket *ret, const struct xsk_holder_socket *socket)
{
	const struct xdp_diag_stats *stats = &socket->stats;

	ret->told = XSK_PROBE_YES;
	ret->queue = socket->queue;
	ret->inode = socket->inode;
	ret->uid = socket->uid;
	ret->rx_size = socket->rx_size;
	ret->tx_size = socket->tx_size;
	ret->fill_size = socket->fill_size;
	ret->comp_size = socket->comp_size;
	ret->zerocopy = xsk_probe_fact(socket->umem.flags & XDP_DU_F_ZEROCOPY);
	ret->umem_id = socket->umem.id;
	ret->umem_refs = socket->umem.refs;
	ret->umem_size = socket->umem.size;
	ret->frame_size = socket->umem.chunk_size;
	ret->headroom = socket->umem.headroom;
	ret->stats_told = xsk_probe_told(socket->stats_told);
	ret->rx_dropped = stats->n_rx_dropped;
	ret->rx_invalid = stats->n_rx_invalid;
	ret->rx_ring_full = stats->n_rx_full;
	ret->rx_fill_empty = stats->n_fill_ring_empty;
	ret->tx_invalid = stats->n_tx_invalid;
	ret->tx_ring_empty = stats->n_tx_ring_empty;
}

static int by_queue(const void *one, const void *other)
{
	const struct xsk_holder_socket *a = one, *b = other;

	if (a->queue != b->queue)
		return a->queue < b->queue ? -1 : 1;
	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

/* -ENOENT: the kernel does not tell. */
static int list_sockets(struct list *list, int ifindex)
{
	struct xsk_holder_socket *sockets = NULL;
	int count = xsk_holder_sockets(&sockets, ifindex), err;

	if (count == -EINVAL || count == -EPROTONOSUPPORT)
		return -ENOENT;
	if (count < 0)
		return count;
	err = make_list(list, count);
	if (!err && count)
		qsort(sockets, (size_t)count, sizeof(*sockets), by_queue);
	for (int i = 0; i < count && !err; i++)
		tell(&list->at[i], &sockets[i]);
	free(sockets);
	return err;
}

/* ---- as netdev netlink tells ---- */

/* That there is none it does not say: it may not know. */
static int list_queues(struct list *list, const struct xsk_netdev *netdev)
{
	uint32_t queues = xsk_netdev_queues(netdev), *ids;
	int count, err;

	ids = calloc(queues, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	count = xsk_netdev_socket_queues(ids, (int)queues, netdev->ifindex);
	if (count > (int)queues)
		count = (int)queues;
	err = count > 0 ? make_list(list, count) : -ENOENT;
	for (int i = 0; i < count && !err; i++)
		list->at[i].queue = ids[i];
	free(ids);
	return err;
}

static int make(struct list *list, const char *ifname, struct xsk_error *error)
{
	struct xsk_interface interface;
	int err;

	err = xsk_interface_ask(&interface, ifname, error);
	if (err)
		return err;
	err = list_sockets(list, interface.netdev.ifindex);
	if (err == -ENOENT)
		err = list_queues(list, &interface.netdev);
	if (!err)
		return 0;
	if (err != -ENOENT)
		return xsk_error_system(error, err, "sockets");
	xsk_error_set(error, -EOPNOTSUPP, "sockets", "the kernel does not tell of AF_XDP sockets");
	return xsk_error_hint(error, "take a kernel with CONFIG_XDP_SOCKETS_DIAG, or load its "
			      "module (modprobe xsk_diag)");
}

/* ---- who holds them ---- */

static bool note_file(const struct xsk_process_file *file, void *data)
{
	struct list *list = data;

	for (int i = 0; file->socket && i < list->count; i++)
		if (list->at[i].inode == file->socket)
			xsk_probe_add_holder(&list->holders[i], file->pid);
	return false;
}

static void find_holders(struct list *list)
{
	bool all = xsk_process_files(note_file, list);

	for (int i = 0; i < list->count; i++) {
		struct xsk_probe_socket *socket = &list->at[i];

		socket->processes_told = xsk_probe_told(all && socket->inode);
		socket->processes = list->holders[i].count;
		memcpy(socket->process, list->holders[i].process, sizeof(socket->process));
	}
}

int xsk_probe_sockets(const char *ifname, struct xsk_probe_socket *sockets, int capacity,
		      struct xsk_error *error)
{
	struct xsk_error why;
	struct list list;
	int err;

	err = xsk_probe_check_list(sockets, capacity, &why);
	if (!err)
		err = make(&list, ifname, &why);
	if (err)
		return xsk_probe_fail(&why, error);
	if (list.count && capacity)
		find_holders(&list);
	for (int i = 0; i < list.count; i++)
		xsk_probe_put(sockets, capacity, i, &list.at[i], sizeof(list.at[i]));
	err = list.count;
	free_list(&list);
	return err;
}
