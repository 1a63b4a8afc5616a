/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int ask(int fd, unsigned long what, struct ifreq *request)
{
	return ioctl(fd, what, request) ? -errno : 0;
}

static struct ifreq request_for(const char *name)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return request;
}

int xsk_device_name(char ret[IFNAMSIZ], int fd, int ifindex)
{
	struct ifreq request = { .ifr_ifindex = ifindex };
	int err = ask(fd, SIOCGIFNAME, &request);

	if (!err)
		memcpy(ret, request.ifr_name, IFNAMSIZ);
	return err;
}

int xsk_device_mtu(uint32_t *ret, int fd, const char *name)
{
	struct ifreq request = request_for(name);
	int err = ask(fd, SIOCGIFMTU, &request);

	if (!err)
		*ret = (uint32_t)request.ifr_mtu;
	return err;
}

/* IFF_RUNNING follows the carrier up to a second later; the driver knows it now. */
int xsk_device_state(bool *up, bool *carrier, int fd, const char *name)
{
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };
	struct ifreq request = request_for(name);
	int err = ask(fd, SIOCGIFFLAGS, &request);

	if (err)
		return err;
	*up = request.ifr_flags & IFF_UP;
	*carrier = *up && request.ifr_flags & IFF_RUNNING;
	request = request_for(name);
	request.ifr_data = (void *)&link;
	if (*up && !ask(fd, SIOCETHTOOL, &request))
		*carrier = link.data;
	return 0;
}

int xsk_device_driver(char ret[XSK_DEVICE_DRIVER_SIZE], int fd, const char *name)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = request_for(name);
	int err;

	request.ifr_data = (void *)&info;
	err = ask(fd, SIOCETHTOOL, &request);
	if (!err)
		snprintf(ret, XSK_DEVICE_DRIVER_SIZE, "%.31s", info.driver);
	return err;
}

int xsk_device_channels(uint32_t *rx, uint32_t *tx, int fd, const char *name)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq request = request_for(name);
	int err;

	request.ifr_data = (void *)&channels;
	err = ask(fd, SIOCETHTOOL, &request);
	if (err)
		return err;
	*rx = channels.rx_count + channels.combined_count;
	*tx = channels.tx_count + channels.combined_count;
	return 0;
}

static int read_number(const char *format, const char *name)
{
	char path[96], text[16];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), format, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return -ENOENT;
	text[len] = '\0';
	return atoi(text);
}

/* sysfs shows the namespace of its mount, which need not be the thread's. */
int xsk_device_node(const char *name, int ifindex)
{
	int node;

	if (read_number("/sys/class/net/%.15s/ifindex", name) != ifindex)
		return -ENOENT;
	node = read_number("/sys/class/net/%.15s/device/numa_node", name);
	return node < 0 ? -ENOENT : node;
}
