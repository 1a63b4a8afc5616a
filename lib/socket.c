/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "socket.h"

#include <errno.h>

#include "error.h"
#include "holder.h"
#include "kernel.h"
#include "sys.h"

/* About 50 ms were seen on veth, 17 ms on virtio. */
#define RELEASE_WAIT_MS 100

int xsk_socket_open(struct xsk_error *error)
{
	int fd = xsk_sys_socket(AF_XDP, SOCK_RAW, 0);

	switch (fd) {
	case -EPERM:
		xsk_error_set(error, fd, "socket", "no CAP_NET_RAW");
		return xsk_error_hint(error, "run as root, or setcap cap_net_raw+ep");
	case -EAFNOSUPPORT:
		xsk_error_set(error, fd, "socket", "the kernel has no AF_XDP");
		return xsk_error_hint(error, "take a kernel with CONFIG_XDP_SOCKETS");
	}
	return fd < 0 ? xsk_error_system(error, fd, "socket") : fd;
}

static int set_ring(int fd, int name, const char *ring, uint32_t size,
		    struct xsk_error *error)
{
	int err;

	if (!size)
		return 0;
	err = xsk_sys_setsockopt(fd, SOL_XDP, name, &size, sizeof(size));
	if (err)
		return xsk_error_set(error, err, "ring",
				     "the kernel refuses %s ring of %u entries", ring, size);
	return 0;
}

int xsk_socket_set_rings(int fd, uint32_t rx_size, uint32_t tx_size,
			 struct xsk_error *error)
{
	int err;

	err = set_ring(fd, XDP_RX_RING, "an RX", rx_size, error);
	if (err)
		return err;
	return set_ring(fd, XDP_TX_RING, "a TX", tx_size, error);
}

static int map_rings(struct xsk_socket_rings *rings, int fd, uint32_t rx_size,
		     uint32_t tx_size)
{
	struct xdp_mmap_offsets offsets;
	int err;

	err = xsk_ring_offsets(fd, &offsets);
	if (err)
		return err;
	if (rx_size) {
		err = xsk_ring_map(&rings->rx, fd, XDP_PGOFF_RX_RING, &offsets.rx, rx_size,
				   sizeof(struct xdp_desc));
		if (err)
			return err;
	}
	if (tx_size)
		err = xsk_ring_map(&rings->tx, fd, XDP_PGOFF_TX_RING, &offsets.tx, tx_size,
				   sizeof(struct xdp_desc));
	return err;
}

int xsk_socket_map_rings(struct xsk_socket_rings *ret, int fd, uint32_t rx_size,
			 uint32_t tx_size, struct xsk_error *error)
{
	struct xsk_socket_rings rings = { 0 };
	int err;

	err = map_rings(&rings, fd, rx_size, tx_size);
	if (err) {
		xsk_socket_unmap_rings(&rings);
		return xsk_error_system(error, err, "RX and TX ring");
	}
	*ret = rings;
	return 0;
}

void xsk_socket_unmap_rings(struct xsk_socket_rings *rings)
{
	xsk_ring_unmap(&rings->rx);
	xsk_ring_unmap(&rings->tx);
}

static int explain_busy(const struct xsk_binding *binding, struct xsk_error *error)
{
	struct xsk_holder holder;

	if (xsk_holder_find(&holder, binding->ifindex, binding->queue))
		xsk_error_set(error, -EBUSY, "bind", "queue %u is in use: an AF_XDP socket with "
			      "other memory (UMEM) is bound to it", binding->queue);
	else
		xsk_error_set(error, -EBUSY, "bind", "queue %u is in use: an AF_XDP socket of '%s' "
			      "(process %d) with other memory (UMEM) is bound to it",
			      binding->queue, holder.name, (int)holder.pid);
	return xsk_error_hint(error, "close that socket, or take another queue");
}

static int explain_bind(int err, const struct xsk_binding *binding,
			struct xsk_error *error)
{
	uint32_t queue = binding->queue;

	switch (err) {
	case -EBUSY:
		return explain_busy(binding, error);
	case -EOPNOTSUPP:
		xsk_error_set(error, err, "bind",
			      "the driver offers no zero-copy for what was asked (flags 0x%x)",
			      binding->flags);
		return xsk_error_hint(error, "ask for XDP_COPY");
	case -EINVAL:
		xsk_error_set(error, err, "bind",
			      "the kernel refuses queue %u with flags 0x%x", queue,
			      binding->flags);
		return xsk_error_hint(error,
				      "the queue must be one of the interface's (ethtool -l), "
				      "and a packet of the MTU must fit the frame");
	}
	return xsk_error_system(error, err, "bind");
}

int xsk_socket_bind(int fd, const struct xsk_binding *binding, struct xsk_error *error)
{
	struct sockaddr_xdp addr = {
		.sxdp_family = AF_XDP,
		.sxdp_flags = binding->flags,
		.sxdp_ifindex = (uint32_t)binding->ifindex,
		.sxdp_queue_id = binding->queue,
		.sxdp_shared_umem_fd = (uint32_t)binding->shared_fd,
	};
	uint64_t deadline = xsk_sys_now_ms() + RELEASE_WAIT_MS;
	int err;

	for (;;) {
		err = xsk_sys_bind(fd, &addr, sizeof(addr));
		if (err != -EBUSY || xsk_sys_now_ms() >= deadline)
			break;
		xsk_sys_sleep_ms(1);
	}
	return err ? explain_bind(err, binding, error) : 0;
}

/* It looks at the flags first: those that it knows fail for want of the interface. */
bool xsk_socket_knows(uint16_t flag)
{
	struct sockaddr_xdp addr = {
		.sxdp_family = AF_XDP,
		.sxdp_flags = flag,
		.sxdp_ifindex = INT32_MAX,
	};
	int fd = xsk_sys_socket(AF_XDP, SOCK_RAW, 0), err;

	if (fd < 0)
		return false;
	err = xsk_sys_bind(fd, &addr, sizeof(addr));
	xsk_sys_close(fd);
	return err == -ENODEV;
}

int xsk_socket_zerocopy(int fd, bool *ret)
{
	struct xdp_options options;
	socklen_t len = sizeof(options);
	int err;

	err = xsk_sys_getsockopt(fd, SOL_XDP, XDP_OPTIONS, &options, &len);
	if (err)
		return err;
	*ret = options.flags & XDP_OPTIONS_ZEROCOPY;
	return 0;
}
