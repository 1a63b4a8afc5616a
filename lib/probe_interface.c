/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What an interface is, and what it can do. */
#include "probe.h"

#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>

#include "device.h"
#include "fit.h"
#include "interface.h"
#include "kernel.h"
#include "opts.h"
#include "sys.h"

static void tell_features(struct xsk_probe_interface *info, const struct xsk_interface *interface)
{
	const struct xsk_netdev_xdp *xdp = &interface->xdp;

	info->features_told = xsk_probe_told(interface->xdp_told);
	if (!interface->xdp_told)
		return;
	info->features = xdp->features;
	info->zerocopy = xsk_probe_fact(xdp->features & XSK_NETDEV_XDP_ACT_XSK_ZEROCOPY);
	info->zerocopy_frags = xdp->zc_max_segs;
	info->metadata_told = xsk_probe_told(xdp->metadata_told);
	info->rx_metadata = xdp->rx_metadata;
	info->tx_metadata = xdp->tx_metadata;
}

static void tell_room(struct xsk_probe_interface *info)
{
	uint32_t small = xsk_fit_room(2048, 0), large = xsk_fit_room(4096, 0);

	info->copy_mtu_2048 = (uint32_t)xsk_fit_mtu(small);
	info->copy_mtu_4096 = (uint32_t)xsk_fit_mtu(large);
	if (info->zerocopy == XSK_PROBE_NO)
		return;
	info->zerocopy_mtu_2048 = (uint32_t)xsk_fit_mtu_zerocopy(info->driver, small, 1);
	info->zerocopy_mtu_4096 = (uint32_t)xsk_fit_mtu_zerocopy(info->driver, large, 1);
}

/* Where it has gone meanwhile, or is in another namespace, there is its number. */
static void tell_master(struct xsk_probe_interface *info, const struct xsk_netdev *netdev)
{
	int fd;

	if (!netdev->master)
		return;
	info->master_ifindex = (int32_t)netdev->master;
	fd = xsk_sys_socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd >= 0)
		xsk_device_name(info->master, fd, info->master_ifindex);
	xsk_sys_close(fd);
}

static void tell(struct xsk_probe_interface *info, const struct xsk_interface *interface)
{
	const struct xsk_netdev *netdev = &interface->netdev;

	memcpy(info->name, netdev->name, sizeof(info->name));
	memcpy(info->driver, interface->driver, sizeof(info->driver));
	info->ifindex = netdev->ifindex;
	info->type = netdev->type;
	info->ethernet = xsk_probe_fact(netdev->type == ARPHRD_ETHER);
	info->mtu = netdev->mtu;
	info->rx_queues = interface->rx_queues;
	info->tx_queues = interface->tx_queues;
	info->max_rx_queues = netdev->rx_queues;
	info->max_tx_queues = netdev->tx_queues;
	info->up = xsk_probe_fact(interface->up);
	info->carrier = xsk_probe_fact(interface->carrier);
	if (xsk_netdev_speed(&info->speed, netdev->ifindex))
		info->speed = 0;
	tell_features(info, interface);
	tell_room(info);
	tell_master(info, netdev);
}

int xsk_probe_interface(struct xsk_probe_interface *info, const char *ifname,
			struct xsk_error *error)
{
	struct xsk_probe_interface known = { 0 };
	struct xsk_interface interface;
	struct xsk_error why;
	int err;

	err = xsk_probe_check(info, &why);
	if (!err)
		err = xsk_interface_ask(&interface, ifname, &why);
	if (err)
		return xsk_probe_fail(&why, error);
	tell(&known, &interface);
	return xsk_opts_write(info, &known, sizeof(known));
}
