/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "compat.h"

#include <errno.h>

#include "error.h"
#include "kernel.h"
#include "netdev.h"
#include "sys.h"

#define MODE_FLAGS (XDP_COPY | XDP_ZEROCOPY)
#define BIND_FLAGS (XDP_SHARED_UMEM | MODE_FLAGS | XDP_USE_NEED_WAKEUP | XDP_USE_SG)

static int check_pointers(const struct xsk_compat_request *req, struct xsk_error *error)
{
	if (!req->umem || !req->ifname)
		return xsk_error_set(error, -EINVAL, "socket", "%s is NULL",
				     !req->umem ? "the UMEM" : "the interface's name");
	if (!req->rx && !req->tx)
		return xsk_error_set(error, -EINVAL, "socket", "neither rx nor tx is given");
	if (!req->fill != !req->comp)
		return xsk_error_set(error, -EINVAL, "socket",
				     "of fill and comp one is given, without the other");
	return 0;
}

static int check_flags(const struct xsk_compat_request *req, const struct xsk_socket_opts *opts,
		       struct xsk_error *error)
{
	uint32_t modes = opts->xdp_flags & XDP_FLAGS_MODES;

	if (opts->libxdp_flags & ~(uint32_t)XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD)
		return xsk_error_set(error, -EINVAL, "socket", "unknown libxdp_flags in 0x%x",
				     opts->libxdp_flags);
	if (opts->xdp_flags & ~(uint32_t)(XDP_FLAGS_MODES | XDP_FLAGS_UPDATE_IF_NOEXIST))
		return xsk_error_set(error, -EINVAL, "socket",
				     "xdp_flags 0x%x: only a mode and UPDATE_IF_NOEXIST are known; "
				     "no program is ever replaced", opts->xdp_flags);
	if (modes & (modes - 1))
		return xsk_error_set(error, -EINVAL, "socket",
				     "xdp_flags 0x%x ask for more than one mode", opts->xdp_flags);
	if (req->bind_flags & ~BIND_FLAGS)
		return xsk_error_set(error, -EINVAL, "socket", "unknown bind_flags in 0x%x",
				     req->bind_flags);
	if ((req->bind_flags & MODE_FLAGS) == MODE_FLAGS)
		return xsk_error_set(error, -EINVAL, "socket",
				     "bind_flags ask for copy and for zero-copy at once");
	return 0;
}

static int check_sizes(const struct xsk_compat_request *req, struct xsk_error *error)
{
	if ((req->rx && !xsk_ring_size_valid(req->rx_size)) ||
	    (req->tx && !xsk_ring_size_valid(req->tx_size)))
		return xsk_error_set(error, -EINVAL, "socket",
				     "RX of %u and TX of %u entries: a ring's size must be a power "
				     "of two", req->rx_size, req->tx_size);
	return 0;
}

/* A queue that the device can never have: known before anything is touched. */
static int find_interface(struct xsk_compat_request *req, struct xsk_error *error)
{
	struct xsk_netdev dev;
	int err;

	req->ifindex = xsk_sys_ifindex(req->ifname);
	if (req->ifindex < 0 && req->ifindex != -ENODEV)
		return xsk_error_system(error, req->ifindex, "interface");
	if (req->ifindex < 0) {
		xsk_error_set(error, -ENODEV, "interface",
			      "there is no '%s' in this network namespace", req->ifname);
		return xsk_error_hint(error, "ip link lists those that are");
	}
	/* Where netlink is not to be had (seccomp), bind will tell. */
	err = xsk_netdev_get(&dev, req->ifindex);
	if (!err && req->queue >= xsk_netdev_queues(&dev)) {
		xsk_error_set(error, -EINVAL, "socket", "%s has no queue %u, only 0 to %u",
			      dev.name, req->queue, xsk_netdev_queues(&dev) - 1);
		return xsk_error_hint(error, "ethtool -l shows the queues, and -L sets them");
	}
	err = xsk_sys_netns(&req->netns);
	return err ? xsk_error_system(error, err, "network namespace") : 0;
}

int xsk_compat_request_make(struct xsk_compat_request *req, const struct xsk_socket_opts *opts,
			struct xsk_error *error)
{
	int err;

	req->rx = opts->rx;
	req->tx = opts->tx;
	req->fill = opts->fill;
	req->comp = opts->comp;
	req->bind_flags = opts->bind_flags;
	req->xdp_modes = opts->xdp_flags & XDP_FLAGS_MODES;
	req->may_attach = !(opts->libxdp_flags & XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD);
	if (opts->rx)
		req->rx_size = opts->rx_size ? opts->rx_size : XSK_RING_CONS__DEFAULT_NUM_DESCS;
	if (opts->tx)
		req->tx_size = opts->tx_size ? opts->tx_size : XSK_RING_PROD__DEFAULT_NUM_DESCS;

	err = check_pointers(req, error);
	if (err)
		return err;
	err = check_flags(req, opts, error);
	if (err)
		return err;
	err = check_sizes(req, error);
	if (err)
		return err;
	return find_interface(req, error);
}
