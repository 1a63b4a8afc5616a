/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What the port takes of the interface's packets, and what it leaves to the kernel. */
#include "port.h"

#include <errno.h>
#include <net/if_arp.h>
#include <string.h>

#include "error.h"
#include "filter.h"
#include "kernel.h"

_Static_assert(XSK_KEEP_PORTS == XSK_KEEP_MAX_PORTS, "the opts' ports are those of the program");

#define KNOWN_KEEP XSK_KEEP_MANAGEMENT

static void fill_keep(struct xsk_keep *keep, const struct xsk_port_opts *opts)
{
	keep->arp = opts->keep & XSK_KEEP_ARP;
	keep->dhcp = opts->keep & XSK_KEEP_DHCP;
	keep->icmp = opts->keep & XSK_KEEP_ICMP;
	keep->ssh = opts->keep & XSK_KEEP_SSH;
	memcpy(keep->tcp, opts->keep_tcp, sizeof(keep->tcp));
	memcpy(keep->udp, opts->keep_udp, sizeof(keep->udp));
}

static int refuse(struct xsk_error *error, const char *reason, const char *hint)
{
	xsk_error_set(error, -EINVAL, "opts", "%s", reason);
	return xsk_error_hint(error, "%s", hint);
}

int xsk_port_filter_request(struct xsk_port_request *req, struct xsk_error *error)
{
	const struct xsk_port_opts *opts = &req->opts;
	uint16_t type = req->device.netdev.type;

	if (opts->keep & ~KNOWN_KEEP) {
		xsk_error_set(error, -EINVAL, "opts", "keep 0x%x has bits that this version does "
			      "not know", opts->keep);
		return xsk_error_hint(error, "use the names of <xsk/port.h>, and the library of "
				      "the header");
	}
	fill_keep(&req->keep, opts);
	if (!opts->filter && xsk_keep_is_empty(&req->keep))
		return 0;
	if (!(opts->direction & XSK_DIRECTION_RX))
		return refuse(error, "a port that only sends has no filter, and keeps nothing",
			      "leave out filter and keep");
	if (opts->flags & XSK_PORT_MAP_FD)
		return refuse(error, "with XSK_PORT_MAP_FD the program is the caller's own, and "
			      "filter and keep are for the library's",
			      "leave them out, or XSK_PORT_MAP_FD");
	if (type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK)
		return 0;
	xsk_error_set(error, -EINVAL, "opts", "filter and keep are for Ethernet, and %s has "
		      "packets of another kind (%u)", req->device.netdev.name, type);
	return xsk_error_hint(error, "take all packets of it, and look at them in the program");
}

int xsk_port_code(struct xsk_code *code, const struct xsk_port *port,
		  const struct xsk_filter *filter, struct xsk_error *error)
{
	bool filters = filter || !xsk_keep_is_empty(&port->keep) || port->prog.counters_fd >= 0;
	int err;

	err = xsk_filter_code(code, filter, &port->keep,
			      filters && !(port->flags & XSK_PORT_NO_COUNTERS), error);
	/*
	 * With a program that takes packets of several buffers, some drivers hand over
	 * in two what fits one frame, and kernels whose sockets do not take them drop it
	 * without a word (veth, 5.18 to 6.5). Who lets large packets go wants the mode.
	 */
	if (!err)
		code->no_frags = !(port->flags & (XSK_PORT_MULTI_BUFFER | XSK_PORT_LARGE_MTU)) &&
				 !xsk_socket_knows(XDP_USE_SG);
	return err;
}

static int set_filter(struct xsk_port *port, const struct xsk_filter *filter,
		      struct xsk_error *error)
{
	struct xsk_code code;
	int err;

	if (!port) {
		xsk_error_set(error, -EINVAL, "filter", "the port is NULL");
		return xsk_error_hint(error, "open it first");
	}
	if (port->map_fd >= 0 || !(port->direction & XSK_DIRECTION_RX)) {
		xsk_error_set(error, -EINVAL, "filter", "%s", port->map_fd >= 0 ?
			      "the port's program is the caller's own (XSK_PORT_MAP_FD)" :
			      "the port only sends");
		return xsk_error_hint(error, port->map_fd >= 0 ? "open it without XSK_PORT_MAP_FD" :
				      "open it to receive");
	}
	err = xsk_port_code(&code, port, filter, error);
	if (err)
		return err;
	err = xsk_prog_replace(&port->prog, &code, error);
	xsk_filter_code_free(&code);
	return err;
}

int xsk_port_set_filter(struct xsk_port *port, const struct xsk_filter *filter,
			struct xsk_error *error)
{
	struct xsk_error why;

	if (!set_filter(port, filter, &why))
		return 0;
	if (error)
		*error = why;
	return xsk_error_keep(&why);
}
