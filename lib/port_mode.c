/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The mode ladder: zero-copy, native copy, generic copy. The best one that is allowed
 * and can be had, and why each better one cannot.
 */
#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "filter.h"
#include "fit.h"
#include "kernel.h"
#include "sys.h"

const char *xsk_port_mode_name(uint32_t mode)
{
	switch (mode) {
	case XSK_MODE_ZEROCOPY:
		return "zero-copy";
	case XSK_MODE_NATIVE:
		return "native";
	}
	return "generic";
}

static bool receives(const struct xsk_port *port)
{
	return port->direction & XSK_DIRECTION_RX;
}

/* ---- what is known beforehand ---- */

static int refuse(struct xsk_error *error, const char *reason, const char *name)
{
	return xsk_error_set(error, -EOPNOTSUPP, "mode", reason, name);
}

static const char *driver(const struct xsk_port *port)
{
	return port->driver[0] ? port->driver : "(of no name)";
}

static struct xsk_port_name other_port(const struct xsk_port *port)
{
	for (int i = 0; i < XSK_POOL_MAX_PORTS; i++)
		if (port->memory->ports[i] && port->memory->ports[i] != port)
			return xsk_port_name(port->memory->ports[i]);
	return xsk_port_name(port);
}

/* Whether packets of the MTU fit so many frames of the memory. */
static bool fits(const struct xsk_port *port, const struct xsk_port_request *req, uint32_t frames)
{
	uint32_t room = xsk_fit_room(port->memory->frame_size, port->memory->headroom);

	return req->device.netdev.mtu <= xsk_fit_mtu_zerocopy(port->driver, room, frames);
}

/* Also of who only sends: the host receives into the same frames. */
static int check_zerocopy(const struct xsk_port *port, const struct xsk_port_request *req,
			  struct xsk_error *error)
{
	const struct xsk_interface *device = &req->device;

	if (device->xdp_told && !(device->xdp.features & XSK_NETDEV_XDP_ACT_XSK_ZEROCOPY))
		return refuse(error, "driver %s does not offer it", driver(port));
	if (port->memory->nports > 1 && !port->memory->zerocopy)
		return refuse(error, "the memory is that of %s, which is in copy mode",
			      other_port(port).text);
	if (port->flags & XSK_PORT_MULTI_BUFFER && device->xdp.zc_max_segs == 1)
		return refuse(error, "driver %s has one frame to a packet there", driver(port));
	if (port->flags & XSK_PORT_MULTI_BUFFER && device->xdp.zc_max_segs &&
	    !fits(port, req, device->xdp.zc_max_segs))
		return refuse(error, "driver %s has too few frames to a packet of the MTU there",
			      driver(port));
	if (xsk_fit_cuts(port->driver) && !fits(port, req, 1))
		return refuse(error, "driver %s cuts packets of the MTU in frames of this size",
			      driver(port));
	return 0;
}

static int check_copy(const struct xsk_port *port, struct xsk_error *error)
{
	if (port->memory->nports > 1 && port->memory->zerocopy)
		return refuse(error, "the memory is that of %s, which is in zero-copy",
			      other_port(port).text);
	return 0;
}

/* ---- the program ---- */

static void drop_program(struct xsk_port *port)
{
	xsk_prog_leave(&port->prog);
	port->prog_mode = 0;
}

/* A program that was there stays in the mode it is in. */
static int check_prog_mode(const struct xsk_port *port, uint32_t wanted, struct xsk_error *error)
{
	if (!port->prog_mode || port->prog_mode == wanted)
		return 0;
	return refuse(error, "the program of %s is attached in the other mode (ip link shows it)",
		      port->name);
}

/* The caller's: it need not be attached yet. */
static int use_callers_map(struct xsk_port *port, const struct xsk_port_request *req,
			   uint32_t wanted, struct xsk_error *error)
{
	int err = xsk_prog_check_map(req->opts.map_fd, error);

	if (err)
		return err;
	port->map_fd = req->opts.map_fd;
	port->prog_mode = req->device.netdev.prog_mode;
	return check_prog_mode(port, wanted, error);
}

static int join(struct xsk_port *port, const struct xsk_port_request *req, uint32_t wanted,
		struct xsk_error *error)
{
	struct xsk_netdev netdev;
	struct xsk_code code;
	int err;

	err = xsk_port_code(&code, port, req->opts.filter, error);
	if (err)
		return err;
	err = xsk_prog_join(&port->prog, port->ifindex, wanted, &code, error);
	xsk_filter_code_free(&code);
	if (err) {
		size_t len = strlen(error->hint);

		if (err == -EBUSY && len && !strstr(error->hint, "xsk_port_set_filter"))
			snprintf(error->hint + len, sizeof(error->hint) - len,
				 "; or set XSK_PORT_REPLACE");
		return err;
	}
	port->prog_mode = wanted;
	/* Perhaps one that was there. Both at once, and not told: believed to be ours. */
	if (!xsk_netdev_get(&netdev, port->ifindex) && netdev.prog_id == port->prog.id &&
	    netdev.prog_mode)
		port->prog_mode = netdev.prog_mode;
	return 0;
}

static int attach(struct xsk_port *port, const struct xsk_port_request *req, uint32_t mode,
		  struct xsk_error *error)
{
	uint32_t wanted = mode == XSK_MODE_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	int err;

	if (req->opts.flags & XSK_PORT_MAP_FD)
		return use_callers_map(port, req, wanted, error);
	/* On the way down, ours. The last share in it, so it goes. */
	if (port->prog_mode && port->prog_mode != wanted)
		drop_program(port);
	if (!port->prog_mode) {
		if (req->opts.flags & XSK_PORT_REPLACE) {
			err = xsk_prog_evict(port->ifindex, error);
			if (err)
				return err;
		}
		err = join(port, req, wanted, error);
		if (err)
			return err;
	}
	return check_prog_mode(port, wanted, error);
}

/*
 * Who only sends needs none, but in zero-copy with drivers that refuse a kick while
 * there is none (igb: EINVAL; ixgbe before 5.19: ENXIO).
 */
static int attach_to_send(struct xsk_port *port, const struct xsk_port_request *req,
			  struct xsk_error *error)
{
	struct xsk_error ignored;
	int kick, err;

	if (receives(port) || port->mode != XSK_MODE_ZEROCOPY)
		return 0;
	kick = xsk_sys_kick(port->queues[0].fd);
	/* It cannot tell while the interface is down. Then a program does no harm. */
	if (kick == -ENETDOWN)
		attach(port, req, XSK_MODE_ZEROCOPY, &ignored);
	if (!xsk_socket_wants_program(kick))
		return 0;
	err = attach(port, req, XSK_MODE_ZEROCOPY, error);
	if (err)
		return err;
	if (!xsk_socket_wants_program(xsk_sys_kick(port->queues[0].fd)))
		return 0;
	return refuse(error, "driver %s does not send, though a program is there", driver(port));
}

/* ---- the rungs ---- */

static int try_mode(struct xsk_port *port, const struct xsk_port_request *req, uint32_t mode,
		    struct xsk_error *error)
{
	int err;

	err = mode == XSK_MODE_ZEROCOPY ? check_zerocopy(port, req, error)
					: check_copy(port, error);
	if (err)
		return err;
	if (receives(port)) {
		err = attach(port, req, mode, error);
		if (err == -EOPNOTSUPP && !strcmp(error->step, "attach"))
			return refuse(error, "driver %s takes no program there", driver(port));
		if (err)
			return err;
	}
	port->mode = mode;
	err = xsk_port_open_queues(port, req, error);
	/* Before 6.3 it is bind that tells. */
	if (err == -EOPNOTSUPP && mode == XSK_MODE_ZEROCOPY && !req->device.xdp_told)
		return refuse(error, "driver %s does not offer it", driver(port));
	if (err)
		return err;
	err = attach_to_send(port, req, error);
	if (err)
		xsk_port_close_queues(port);
	return err;
}

/* Whether a lesser mode may do where this one failed. */
static bool is_of_the_mode(uint32_t mode, const struct xsk_error *error)
{
	switch (error->code) {
	case -EOPNOTSUPP:
		return true;
	case -EBUSY:
	case -EPERM:
	case -ENODEV:
	case -ENOBUFS:
	case -ENOMEM:
	case -EMFILE:
	case -ENFILE:
	case -E2BIG:
	case -EBADF:
		return false;
	}
	/* Drivers refuse zero-copy, and a program, for many reasons. */
	return mode == XSK_MODE_ZEROCOPY || !strcmp(error->step, "attach");
}

static void note_refusal(struct xsk_port *port, uint32_t mode, const struct xsk_error *error)
{
	size_t len = strlen(port->refused);

	snprintf(port->refused + len, sizeof(port->refused) - len, "; %s refused: %s",
		 xsk_port_mode_name(mode), error->reason);
}

static int fail(const struct xsk_port *port, const struct xsk_error *last,
		struct xsk_error *error)
{
	/* Not what is said to those who use the inherited interface. */
	bool ours = last->hint[0] && !strstr(last->hint, "XDP_");

	xsk_error_set(error, last->code, "mode", "no allowed mode is to be had on %s%s",
		      port->name, port->refused);
	return xsk_error_hint(error, "allow another one (opts.modes)%s%s", ours ? ", or " : "",
			      ours ? last->hint : "");
}

int xsk_port_climb(struct xsk_port *port, const struct xsk_port_request *req,
		   struct xsk_error *error)
{
	static const uint32_t ladder[] = { XSK_MODE_ZEROCOPY, XSK_MODE_NATIVE, XSK_MODE_GENERIC };
	struct xsk_error last = { 0 };

	for (int i = 0; i < 3; i++) {
		if (!(port->modes & ladder[i]))
			continue;
		if (!try_mode(port, req, ladder[i], &last))
			return 0;
		if (!is_of_the_mode(ladder[i], &last)) {
			*error = last;
			return last.code;
		}
		note_refusal(port, ladder[i], &last);
	}
	return fail(port, &last, error);
}
