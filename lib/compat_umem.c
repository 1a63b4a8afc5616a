/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "compat.h"

#include <errno.h>
#include <stdlib.h>

#include "error.h"
#include "opts.h"
#include "sys.h"

/* ---- destroy ---- */

static void destroy(struct xsk_umem *umem)
{
	xsk_umem_unmap_rings(&umem->rings);
	xsk_sys_close(umem->fd);
	free(umem);
}

int xsk_umem__delete(struct xsk_umem *umem)
{
	struct xsk_error error;
	bool used;

	if (!umem)
		return 0;

	xsk_compat_lock();
	used = umem->sockets;
	xsk_compat_unlock();
	if (used) {
		xsk_error_set(&error, -EBUSY, "umem", "sockets still use it");
		xsk_error_hint(&error, "delete them first");
		return xsk_error_keep(&error);
	}
	destroy(umem);
	return 0;
}

/* ---- the rings that no queue has ---- */

static void show(struct xsk_umem *umem)
{
	xsk_ring_init_prod(umem->fill, &umem->rings.fill);
	xsk_ring_init_cons(umem->comp, &umem->rings.comp);
	umem->shown = true;
}

static int map_blank(struct xsk_umem_rings *ret, const struct xsk_umem_rings *like)
{
	struct xsk_umem_rings blank = { 0 };
	int err;

	err = xsk_ring_map_blank(&blank.fill, &like->fill);
	if (!err)
		err = xsk_ring_map_blank(&blank.comp, &like->comp);
	if (err)
		xsk_umem_unmap_rings(&blank);
	else
		*ret = blank;
	return err;
}

void xsk_compat_umem_blank(struct xsk_umem *umem, const struct xsk_umem_rings *like)
{
	xsk_umem_unmap_rings(&umem->rings);
	umem->shown = false;
	if (!map_blank(&umem->rings, like))
		show(umem);
}

void xsk_compat_umem_carry(struct xsk_umem *umem, const struct xsk_umem_rings *to)
{
	xsk_ring_carry(&to->fill, &umem->rings.fill, sizeof(uint64_t));
	xsk_ring_move_prod(umem->fill, &to->fill);
	xsk_ring_move_cons(umem->comp, &to->comp);
	xsk_umem_unmap_rings(&umem->rings);
	umem->shown = false;
}

/* From the mapping of a socket, which keeps that socket alive, to blank ones. */
static void take_rings_back(struct xsk_umem *umem)
{
	struct xsk_umem_rings blank;

	if (umem->shown && !map_blank(&blank, &umem->rings)) {
		xsk_compat_umem_carry(umem, &blank);
		umem->rings = blank;
		umem->shown = true;
		return;
	}
	xsk_umem_unmap_rings(&umem->rings);
	umem->shown = false;
}

/* ---- create ---- */

static struct xsk_umem_area area_from_opts(void *umem_area, const struct xsk_umem_opts *opts)
{
	return (struct xsk_umem_area){
		.addr = umem_area,
		.size = opts->size,
		.frame_size = opts->frame_size ? opts->frame_size
					       : XSK_UMEM__DEFAULT_FRAME_SIZE,
		.headroom = opts->frame_headroom,
		.flags = opts->flags,
		.tx_metadata_len = opts->tx_metadata_len,
		.fill_size = opts->fill_size ? opts->fill_size
					     : XSK_RING_PROD__DEFAULT_NUM_DESCS,
		.comp_size = opts->comp_size ? opts->comp_size
					     : XSK_RING_CONS__DEFAULT_NUM_DESCS,
	};
}

/* Where a handed socket lives; our own live where the thread that made them does. */
static int note_netns(struct xsk_umem *umem, struct xsk_error *error)
{
	int err = xsk_sys_netns_of(umem->fd, &umem->netns);

	if (err == -ENOPROTOOPT && umem->lent) {
		umem->netns = 0;
		return 0;
	}
	if (err == -ENOPROTOOPT)
		err = xsk_sys_netns(&umem->netns);
	return err ? xsk_error_system(error, err, "network namespace") : 0;
}

static int fill_in(struct xsk_umem *umem, struct xsk_error *error)
{
	int err;

	if (!umem->lent) {
		umem->fd = xsk_socket_open(error);
		if (umem->fd < 0)
			return umem->fd;
	}
	err = xsk_umem_register(umem->fd, &umem->area, error);
	if (err)
		return err;
	err = note_netns(umem, error);
	if (err)
		return err;
	err = xsk_umem_map_rings(&umem->rings, umem->fd, &umem->area, error);
	if (err)
		return err;
	umem->registered = true;
	xsk_sys_close_on_exec(umem->fd);
	return 0;
}

static int create(struct xsk_umem **ret, void *umem_area, struct xsk_ring_prod *fill,
		  struct xsk_ring_cons *comp, const struct xsk_umem_opts *opts,
		  struct xsk_error *error)
{
	struct xsk_umem_area area = area_from_opts(umem_area, opts);
	struct xsk_umem *umem;
	int err;

	if (!umem_area || !fill || !comp)
		return xsk_error_set(error, -EINVAL, "umem", "%s is NULL",
				     !umem_area ? "the area" : !fill ? "fill" : "comp");
	err = xsk_umem_check(&area, error);
	if (err)
		return err;

	umem = calloc(1, sizeof(*umem));
	if (!umem)
		return xsk_error_system(error, -ENOMEM, "umem");
	umem->area = area;
	umem->fill = fill;
	umem->comp = comp;
	umem->lent = opts->fd > 0;
	umem->fd = umem->lent ? opts->fd : -1;

	err = fill_in(umem, error);
	if (err) {
		if (umem->lent)
			umem->fd = -1;	/* it stays the caller's */
		destroy(umem);
		return err;
	}
	show(umem);
	*ret = umem;
	return 0;
}

/* ---- ready, and ready again ---- */

/* Another file in the place of the UMEM's; the kernel lets go of the old one. */
static int replace_file(struct xsk_umem *umem, struct xsk_error *error)
{
	int fd, err;

	fd = xsk_socket_open(error);
	if (fd < 0)
		return fd;
	take_rings_back(umem);
	umem->registered = false;
	umem->lent = false;
	umem->rx_size = 0;
	umem->tx_size = 0;
	if (umem->fd < 0) {
		umem->fd = fd;
		return 0;
	}
	err = xsk_sys_replace(fd, umem->fd);
	xsk_sys_close(fd);
	return err ? xsk_error_system(error, err, "umem") : 0;
}

/*
 * The area registered anew, after the old registration has gone: both together
 * might pass RLIMIT_MEMLOCK. If it fails the UMEM is idle, and can be tried again.
 */
static int renew(struct xsk_umem *umem, uint64_t netns, struct xsk_error *error)
{
	struct xsk_umem_rings rings;
	bool shown;
	int err;

	err = replace_file(umem, error);
	if (err)
		return err;
	err = xsk_umem_register(umem->fd, &umem->area, error);
	if (err)
		return err;
	err = xsk_umem_map_rings(&rings, umem->fd, &umem->area, error);
	if (err)
		return err;

	shown = umem->shown;
	if (shown)
		xsk_compat_umem_carry(umem, &rings);
	umem->rings = rings;
	umem->shown = shown;
	umem->registered = true;
	umem->netns = netns;
	return 0;
}

/* The kernel never takes a ring back. One that is not wanted does no harm. */
static bool fits(uint32_t there, uint32_t wanted)
{
	return !there || !wanted || there == wanted;
}

int xsk_compat_umem_ready(struct xsk_umem *umem, uint64_t netns, uint32_t rx_size,
			  uint32_t tx_size, struct xsk_error *error)
{
	bool here = !umem->netns || umem->netns == netns;

	if (umem->registered && umem->lent && !here)
		return xsk_error_set(error, -EINVAL, "socket",
				     "the UMEM's socket was made in another network namespace "
				     "than the one of this thread");
	if (umem->registered && here && fits(umem->rx_size, rx_size) &&
	    fits(umem->tx_size, tx_size))
		return 0;
	return renew(umem, netns, error);
}

void xsk_compat_umem_undo_bind(struct xsk_umem *umem)
{
	struct xsk_error ignored;

	/* Without the right to make a socket, an idle one must do. */
	if (renew(umem, umem->netns, &ignored)) {
		take_rings_back(umem);
		xsk_compat_umem_idle(umem);
	}
}

void xsk_compat_umem_idle(struct xsk_umem *umem)
{
	struct xsk_error ignored;
	int fd = xsk_socket_open(&ignored);

	if (fd < 0 || xsk_sys_replace(fd, umem->fd)) {
		xsk_sys_close(umem->fd);
		umem->fd = -1;
	}
	xsk_sys_close(fd);
	umem->base = NULL;
	umem->registered = false;
	umem->lent = false;
	umem->rx_size = 0;
	umem->tx_size = 0;
}

/* ---- the exported functions ---- */

int xsk_umem__fd(const struct xsk_umem *umem)
{
	if (!umem)
		return -EINVAL;
	return umem->fd < 0 ? -EBADF : umem->fd;
}

struct xsk_umem *xsk_umem__create_opts(void *umem_area, struct xsk_ring_prod *fill,
				       struct xsk_ring_cons *comp,
				       struct xsk_umem_opts *opts)
{
	struct xsk_umem_opts known = { 0 };
	struct xsk_umem *umem = NULL;
	struct xsk_error error;
	int err;

	err = xsk_opts_read(&known, sizeof(known), opts, &error);
	if (!err)
		err = create(&umem, umem_area, fill, comp, &known, &error);
	if (err) {
		xsk_error_keep(&error);
		errno = -err;
	}
	return umem;
}

static int create_from_config(struct xsk_umem **ret, int fd, void *umem_area, uint64_t size,
			      struct xsk_ring_prod *fill, struct xsk_ring_cons *comp,
			      const struct xsk_umem_config *config)
{
	struct xsk_umem_opts opts = { .fd = fd, .size = size };
	struct xsk_error error;
	int err;

	if (config) {
		opts.fill_size = config->fill_size;
		opts.comp_size = config->comp_size;
		opts.frame_size = config->frame_size;
		opts.frame_headroom = config->frame_headroom;
		opts.flags = config->flags;
	}
	if (ret)
		err = create(ret, umem_area, fill, comp, &opts, &error);
	else
		err = xsk_error_set(&error, -EINVAL, "umem", "the place for the UMEM is NULL");
	return err ? xsk_error_keep(&error) : 0;
}

int xsk_umem__create_with_fd(struct xsk_umem **umem, int fd, void *umem_area, __u64 size,
			     struct xsk_ring_prod *fill, struct xsk_ring_cons *comp,
			     const struct xsk_umem_config *config)
{
	return create_from_config(umem, fd, umem_area, size, fill, comp, config);
}

int xsk_umem__create(struct xsk_umem **umem, void *umem_area, __u64 size,
		     struct xsk_ring_prod *fill, struct xsk_ring_cons *comp,
		     const struct xsk_umem_config *config)
{
	return create_from_config(umem, 0, umem_area, size, fill, comp, config);
}
