/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What is asked for, and what the interface is: all that can be known beforehand. */
#include "port.h"

#include <errno.h>
#include <string.h>

#include "error.h"
#include "fit.h"
#include "kernel.h"
#include "opts.h"
#include "sys.h"

#define KNOWN_FLAGS (XSK_PORT_CHECKED | XSK_PORT_MULTI_BUFFER | XSK_PORT_HUGE | \
		     XSK_PORT_NO_HUGE | XSK_PORT_MAP_FD | XSK_PORT_REPLACE | \
		     XSK_PORT_LARGE_MTU | XSK_PORT_NO_COUNTERS | XSK_PORT_ONE_THREAD | \
		     XSK_PORT_NO_GATHER)
#define ALL_MODES (XSK_MODE_ZEROCOPY | XSK_MODE_NATIVE | XSK_MODE_GENERIC)
#define BOTH_DIRECTIONS (XSK_DIRECTION_RX | XSK_DIRECTION_TX)
#define MIN_FRAME_SIZE 2048
#define MIN_FRAMES 16
/* The kernel allocates larger ones too, but may need seconds for it. */
#define MAX_RING_SIZE (1U << 20)
#define MIN_TX_SIZE 32			/* a packet of several frames must fit */

/* ---- the options ---- */

static int refuse(struct xsk_error *error, const char *what, uint32_t value)
{
	xsk_error_set(error, -EINVAL, "opts", "%s 0x%x has bits that this version does not know",
		      what, value);
	return xsk_error_hint(error, "use the names of <xsk/port.h>, and the library of the "
			      "header");
}

static int refuse_wait(struct xsk_error *error, uint32_t wait)
{
	xsk_error_set(error, -EINVAL, "opts", "there is no waiting strategy %u", wait);
	return xsk_error_hint(error, "take XSK_WAIT_SLEEP, XSK_WAIT_SPIN, XSK_WAIT_BUSY_POLL "
			      "or XSK_WAIT_ADAPTIVE");
}

static int refuse_busy_poll(struct xsk_error *error, const char *what, uint32_t value, int most)
{
	xsk_error_set(error, -EINVAL, "opts", "%s %u is more than the kernel takes", what, value);
	return xsk_error_hint(error, "take at most %d; 0 is the default", most);
}

static int check_words(const struct xsk_port_opts *opts, struct xsk_error *error)
{
	if (opts->flags & ~KNOWN_FLAGS)
		return refuse(error, "flags", opts->flags);
	if (opts->modes & ~ALL_MODES)
		return refuse(error, "modes", opts->modes);
	if (opts->direction & ~BOTH_DIRECTIONS)
		return refuse(error, "direction", opts->direction);
	if (opts->wait > XSK_WAIT_ADAPTIVE)
		return refuse_wait(error, opts->wait);
	if (opts->busy_poll_us > INT32_MAX)
		return refuse_busy_poll(error, "busy_poll_us", opts->busy_poll_us, INT32_MAX);
	if (opts->busy_poll_budget > UINT16_MAX)
		return refuse_busy_poll(error, "busy_poll_budget", opts->busy_poll_budget,
					UINT16_MAX);
	if (opts->flags & XSK_PORT_HUGE && opts->flags & XSK_PORT_NO_HUGE) {
		xsk_error_set(error, -EINVAL, "opts", "XSK_PORT_HUGE and XSK_PORT_NO_HUGE exclude "
			      "each other");
		return xsk_error_hint(error, "set one of them, or none: then huge pages are used "
				      "where there are some");
	}
	if (opts->flags & XSK_PORT_MAP_FD && opts->flags & XSK_PORT_REPLACE) {
		xsk_error_set(error, -EINVAL, "opts", "XSK_PORT_REPLACE attaches a program, "
			      "XSK_PORT_MAP_FD none");
		return xsk_error_hint(error, "leave one of them out; the program of map_fd is "
				      "yours to attach");
	}
	return 0;
}

static int check_ring(uint32_t *size, const char *ring, uint32_t least, struct xsk_error *error)
{
	if (!*size)
		*size = XSK_PORT_DEFAULT_SIZE;
	if (xsk_ring_size_valid(*size) && *size >= least && *size <= MAX_RING_SIZE)
		return 0;
	xsk_error_set(error, -EINVAL, "opts", "%s ring of %u entries: the size is a power of two, "
		      "%u to %u", ring, *size, least, MAX_RING_SIZE);
	return xsk_error_hint(error, "take 2048, the default");
}

static int check_rings(struct xsk_port_opts *opts, struct xsk_error *error)
{
	int err;

	err = check_ring(&opts->rx_size, "an RX", 1, error);
	if (!err)
		err = check_ring(&opts->tx_size, "a TX", MIN_TX_SIZE, error);
	if (!err)
		err = check_ring(&opts->fill_size, "a FILL", 1, error);
	if (!err)
		err = check_ring(&opts->comp_size, "a COMPLETION", MIN_TX_SIZE, error);
	return err;
}

static int check_frames(struct xsk_port_opts *opts, struct xsk_error *error)
{
	uint32_t most = (uint32_t)xsk_sys_page_size();	/* in huge pages too */

	if (!opts->frame_size)
		opts->frame_size = XSK_PORT_DEFAULT_FRAME_SIZE;
	if (!xsk_ring_size_valid(opts->frame_size) || opts->frame_size < MIN_FRAME_SIZE ||
	    opts->frame_size > most) {
		xsk_error_set(error, -EINVAL, "opts", "frames of %u bytes: the size is a power of "
			      "two, 2048 to %u", opts->frame_size, most);
		return xsk_error_hint(error, "packets that are larger want "
				      "XSK_PORT_MULTI_BUFFER");
	}
	if (opts->headroom >= opts->frame_size - XSK_FIT_KERNEL_HEADROOM) {
		xsk_error_set(error, -EINVAL, "opts", "a headroom of %u leaves no room in frames "
			      "of %u, of which the kernel takes %u", opts->headroom,
			      opts->frame_size, XSK_FIT_KERNEL_HEADROOM);
		return xsk_error_hint(error, "take less headroom, or larger frames");
	}
	return 0;
}

static int refuse_share(const struct xsk_port_opts *opts, const char *flag,
			struct xsk_error *error)
{
	xsk_error_set(error, -EINVAL, "opts", "the port %s, whose memory is shared, was opened "
		      "without %s", xsk_port_name(opts->share).text, flag);
	return xsk_error_hint(error, "open both with it");
}

/* Memory, frames and how they are kept are those of the other port. */
static int check_share(struct xsk_port_opts *opts, struct xsk_error *error)
{
	const struct xsk_memory *memory = opts->share->memory;

	if (opts->frames || opts->frame_size || opts->headroom ||
	    opts->flags & (XSK_PORT_HUGE | XSK_PORT_NO_HUGE)) {
		xsk_error_set(error, -EINVAL, "opts", "frames, frame_size, headroom and huge pages "
			      "are those of the port %s, whose memory is shared",
			      xsk_port_name(opts->share).text);
		return xsk_error_hint(error, "leave them 0");
	}
	if (opts->flags & XSK_PORT_MULTI_BUFFER && !memory->multi_buffer)
		return refuse_share(opts, "XSK_PORT_MULTI_BUFFER", error);
	if (opts->flags & XSK_PORT_CHECKED && !memory->checked)
		return refuse_share(opts, "XSK_PORT_CHECKED", error);
	if (opts->flags & XSK_PORT_ONE_THREAD && !memory->one_thread)
		return refuse_share(opts, "XSK_PORT_ONE_THREAD", error);
	opts->flags |= memory->multi_buffer ? XSK_PORT_MULTI_BUFFER : 0;
	opts->flags |= memory->checked ? XSK_PORT_CHECKED : 0;
	opts->flags |= memory->one_thread ? XSK_PORT_ONE_THREAD : 0;
	opts->frames = memory->frames_per_pool;
	opts->frame_size = memory->frame_size;
	opts->headroom = memory->headroom;
	return 0;
}

/* ---- the two together ---- */

static bool may_be_zerocopy(const struct xsk_port_request *req)
{
	const struct xsk_interface *device = &req->device;

	return req->opts.modes & XSK_MODE_ZEROCOPY &&
	       (!device->xdp_told || device->xdp.features & XSK_NETDEV_XDP_ACT_XSK_ZEROCOPY);
}

/* In zero-copy who only sends has some in FILL too, for what the host receives. */
static uint32_t default_frames(const struct xsk_port_request *req)
{
	const struct xsk_port_opts *opts = &req->opts;

	if (!(opts->direction & XSK_DIRECTION_TX))
		return 2 * opts->fill_size;
	if (opts->direction & XSK_DIRECTION_RX || may_be_zerocopy(req))
		return opts->fill_size + opts->tx_size;
	return opts->tx_size;
}

static int check_number(struct xsk_port_request *req, struct xsk_error *error)
{
	struct xsk_port_opts *opts = &req->opts;

	if (!opts->frames)
		opts->frames = default_frames(req);
	if (opts->frames >= MIN_FRAMES)
		return 0;
	xsk_error_set(error, -EINVAL, "opts", "%u frames for each queue are fewer than %u",
		      opts->frames, MIN_FRAMES);
	return xsk_error_hint(error, "set opts.frames to %u or more", MIN_FRAMES);
}

/* The number of queues of the interface, of the directions asked for. */
static uint32_t queues_in_use(const struct xsk_port_request *req)
{
	const struct xsk_interface *device = &req->device;
	uint32_t rx = req->opts.direction & XSK_DIRECTION_RX ? device->rx_queues : 0;
	uint32_t tx = req->opts.direction & XSK_DIRECTION_TX ? device->tx_queues : 0;

	return rx > tx ? rx : tx;
}

static int refuse_queues(const struct xsk_port_request *req, uint32_t used,
			 struct xsk_error *error)
{
	const struct xsk_port_opts *opts = &req->opts;
	uint64_t end = opts->first_queue >= used ? opts->first_queue + 1ULL
						 : (uint64_t)opts->first_queue + opts->queues;
	const char *name = req->device.netdev.name;

	if (!used)
		xsk_error_set(error, -EINVAL, "opts", "%s has no queue of that direction in use",
			      name);
	else
		xsk_error_set(error, -EINVAL, "opts", "queue %llu was asked for, but %s has the "
			      "queues 0 to %u in use", (unsigned long long)end - 1, name, used - 1);
	return xsk_error_hint(error, "ethtool -l shows the queues, and -L switches them on");
}

static int check_queues(struct xsk_port_request *req, struct xsk_error *error)
{
	struct xsk_port_opts *opts = &req->opts;
	uint32_t used = queues_in_use(req);

	if (opts->first_queue >= used || opts->queues > used - opts->first_queue)
		return refuse_queues(req, used, error);
	if (!opts->queues)
		opts->queues = used - opts->first_queue;
	if (opts->share && opts->queues > opts->share->memory->npools) {
		xsk_error_set(error, -EINVAL, "opts", "%u queues of %s cannot share the memory of "
			      "the %u of %s", opts->queues, req->device.netdev.name,
			      opts->share->memory->npools, xsk_port_name(opts->share).text);
		return xsk_error_hint(error, "open fewer queues, or the port with more first");
	}
	return 0;
}

/* Of a packet, and by what. They are received from FILL into RX. */
static uint32_t most_frames(const struct xsk_port_opts *opts, const char **by)
{
	const struct {
		uint32_t frames;
		const char *by;
	} limits[] = {
		{ opts->rx_size, "entries of the RX ring" },
		{ opts->fill_size, "entries of the FILL ring" },
		{ opts->direction & XSK_DIRECTION_TX ? opts->frames / 2 : opts->frames,
		  "frames that are there to receive with" },
	};
	uint32_t most = XSK_PORT_COPY_FRAGS;

	*by = "frames that the kernel takes";
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].frames < most) {
			most = limits[i].frames;
			*by = limits[i].by;
		}
	return most;
}

static int refuse_mtu_of_several(const struct xsk_port_request *req, uint32_t room,
				 struct xsk_error *error)
{
	const char *by;
	uint32_t frames = most_frames(&req->opts, &by);

	xsk_error_set(error, -EMSGSIZE, "opts", "%s has an MTU of %u, and %u bytes of a packet fit "
		      "the %u %s, of %u bytes", req->device.netdev.name, req->device.netdev.mtu,
		      room, frames, by, req->opts.frame_size);
	if (frames == XSK_PORT_COPY_FRAGS)
		return xsk_error_hint(error, "set larger frames, or a smaller MTU (ip link set "
				      "mtu)");
	return xsk_error_hint(error, "set more of them, or a smaller MTU (ip link set mtu); "
			      "XSK_PORT_LARGE_MTU drops what does not fit");
}

static int check_mtu(const struct xsk_port_request *req, struct xsk_error *error)
{
	const struct xsk_port_opts *opts = &req->opts;
	uint32_t room = xsk_fit_room(opts->frame_size, opts->headroom);
	uint32_t mtu = req->device.netdev.mtu;
	const char *by;

	if (opts->flags & XSK_PORT_MULTI_BUFFER)
		room *= most_frames(opts, &by);
	if (opts->flags & XSK_PORT_LARGE_MTU || !(opts->direction & XSK_DIRECTION_RX) ||
	    mtu <= xsk_fit_mtu(room))
		return 0;
	if (opts->flags & XSK_PORT_MULTI_BUFFER)
		return refuse_mtu_of_several(req, room, error);
	xsk_error_set(error, -EMSGSIZE, "opts", "%s has an MTU of %u, so packets of %u bytes; "
		      "frames of %u with a headroom of %u hold %u", req->device.netdev.name, mtu,
		      mtu + XSK_FIT_LINK_HEADERS, opts->frame_size, opts->headroom, room);
	return xsk_error_hint(error, "set XSK_PORT_MULTI_BUFFER, larger frames or a smaller MTU "
			      "(ip link set mtu); XSK_PORT_LARGE_MTU drops what does not fit");
}

int xsk_port_request_make(struct xsk_port_request *req, const char *ifname,
			  const struct xsk_port_opts *opts, struct xsk_error *error)
{
	struct xsk_port_opts *known = &req->opts;
	int err;

	memset(req, 0, sizeof(*req));
	req->ifname = ifname;
	err = xsk_opts_read(known, sizeof(*known), opts, error);
	if (err)
		return err;
	err = check_words(known, error);
	if (err)
		return err;
	known->modes = known->modes ? known->modes : ALL_MODES;
	known->direction = known->direction ? known->direction : BOTH_DIRECTIONS;
	known->busy_poll_us = known->busy_poll_us ? known->busy_poll_us : 20;
	known->busy_poll_budget = known->busy_poll_budget ? known->busy_poll_budget : 64;
	err = check_rings(known, error);
	if (err)
		return err;
	err = known->share ? check_share(known, error) : check_frames(known, error);
	if (err)
		return err;
	err = xsk_interface_ask(&req->device, ifname, error);
	if (err)
		return err;
	err = check_number(req, error);
	if (!err)
		err = xsk_port_filter_request(req, error);
	if (!err)
		err = check_queues(req, error);
	return err ? err : check_mtu(req, error);
}
