/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "interface.h"

#include <errno.h>
#include <sys/socket.h>

#include "error.h"
#include "sys.h"

static int explain(const char *ifname, int err, struct xsk_error *error)
{
	if (err != -ENODEV)
		return xsk_error_system(error, err, "interface");
	xsk_error_set(error, err, "interface", "there is no interface '%s' in this network "
		      "namespace", ifname);
	return xsk_error_hint(error, "ip link lists those that are");
}

static void ask_driver(struct xsk_interface *interface)
{
	int fd = xsk_sys_socket(AF_UNIX, SOCK_DGRAM, 0);

	if (fd < 0)
		return;
	if (xsk_device_driver(interface->driver, fd, interface->netdev.name))
		interface->driver[0] = '\0';
	xsk_device_state(&interface->up, &interface->carrier, fd, interface->netdev.name);
	xsk_sys_close(fd);
}

int xsk_interface_ask(struct xsk_interface *ret, const char *ifname, struct xsk_error *error)
{
	struct xsk_interface interface = { 0 };
	struct xsk_netdev_channels channels;
	int ifindex, err;

	if (!ifname) {
		xsk_error_set(error, -EINVAL, "interface", "its name is NULL");
		return xsk_error_hint(error, "give a name; ip link lists those that are");
	}
	ifindex = xsk_sys_ifindex(ifname);
	if (ifindex < 0)
		return explain(ifname, ifindex, error);
	err = xsk_netdev_get(&interface.netdev, ifindex);
	if (err)
		return explain(ifname, err, error);
	interface.rx_queues = interface.netdev.rx_queues;
	interface.tx_queues = interface.netdev.tx_queues;
	if (!xsk_netdev_channels(&channels, ifindex)) {
		interface.rx_queues = channels.rx;
		interface.tx_queues = channels.tx;
	}
	interface.xdp_told = !xsk_netdev_xdp(&interface.xdp, ifindex);
	ask_driver(&interface);
	*ret = interface;
	return 0;
}
