/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "nics.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PROBE 0xabcdef			/* the number of a frame */
/* A link may be down for seconds when a program comes or goes (igb). */
#define LINK_WAIT_MS 30000

/* ---- the link ---- */

void nics_sleep_ms(long ms)
{
	struct timespec span = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&span, NULL);
}

static bool has_carrier(const struct lab *lab, int side)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GLINK };
	struct ifreq request = { .ifr_data = (void *)&value };
	int fd, err;

	lab_enter(lab, side);
	strcpy(request.ifr_name, side ? "lab1" : "lab0");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	err = ioctl(fd, SIOCETHTOOL, &request);
	close(fd);
	lab_enter(lab, 0);
	return !err && value.data;
}

void nics_await_link(const struct lab *lab)
{
	for (int waited = 0; waited < LINK_WAIT_MS; waited += 50) {
		if (has_carrier(lab, 0) && has_carrier(lab, 1))
			return;
		nics_sleep_ms(50);
	}
	fail_msg("no link after %d s", LINK_WAIT_MS / 1000);
}

void nics_drain_peer(const struct lab *lab)
{
	uint8_t frame[2048];

	while (recv(lab->peer, frame, sizeof(frame), MSG_DONTWAIT) > 0)
		;
}

/* A link that has come up may still lose what is sent first (igb). */
void nics_settle_receiving(const struct lab *lab, struct node *node)
{
	int tries;

	node_fill(node, NICS_STOCK);
	for (tries = 0; tries < 100; tries++) {
		lab_send(lab, PROBE, 60);
		if (node_receive_one(node, 100) == PROBE)
			break;
	}
	assert_true(tries < 100);
	while (node_receive_one(node, 200) >= 0)
		;
}

void nics_settle_sending(const struct lab *lab, struct node *node)
{
	uint8_t frame[60], answer[60];
	int tries;

	lab_frame(frame, sizeof(frame), PROBE);
	for (tries = 0; tries < 100; tries++) {
		node_send(node, frame, sizeof(frame));
		nics_sleep_ms(50);
		if (recv(lab->peer, answer, sizeof(answer), MSG_DONTWAIT) == sizeof(answer))
			break;
	}
	assert_true(tries < 100);
	/* What was sent before it may still be on its way. */
	nics_sleep_ms(200);
	nics_drain_peer(lab);
}

void nics_settle(const struct lab *lab, struct node *node)
{
	nics_await_link(lab);
	if (node->opts.rx)
		nics_settle_receiving(lab, node);
	if (node->opts.tx)
		nics_settle_sending(lab, node);
}

/* ---- zero-copy ---- */

/* Without the library, and without a program, which some drivers want for traffic only. */
static bool kernel_binds_zerocopy(const struct lab *lab)
{
	struct sockaddr_xdp addr = { .sxdp_family = AF_XDP, .sxdp_flags = XDP_ZEROCOPY,
				     .sxdp_ifindex = (uint32_t)lab->ifindex[0] };
	struct xdp_umem_reg reg = { .len = 64 * 4096, .chunk_size = 4096 };
	int fd = socket(AF_XDP, SOCK_RAW, 0), err;
	uint32_t size = 64;
	void *area = node_memory(reg.len, false);

	reg.addr = (uintptr_t)area;
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)), 0);
	assert_int_equal(setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &size, sizeof(size)), 0);
	assert_int_equal(setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &size, sizeof(size)), 0);
	assert_int_equal(setsockopt(fd, SOL_XDP, XDP_RX_RING, &size, sizeof(size)), 0);
	err = bind(fd, (void *)&addr, sizeof(addr)) ? errno : 0;
	if (err)
		assert_int_equal(err, EOPNOTSUPP);
	close(fd);
	node_memory_free(area, reg.len);
	return !err;
}

bool nics_is_zerocopy(const struct node *node)
{
	struct xdp_options options = { 0 };
	socklen_t len = sizeof(options);

	assert_int_equal(getsockopt(xsk_socket__fd(node->xsk), SOL_XDP, XDP_OPTIONS, &options,
				    &len), 0);
	return options.flags & XDP_OPTIONS_ZEROCOPY;
}

void nics_set_queues(unsigned int queues)
{
	/* Refused where it is so already, or where there is only one. */
	lab_run("ethtool -L lab0 combined %u 2>/dev/null || :", queues);
}

static bool exists(const char *name)
{
	char first[IFNAMSIZ];

	snprintf(first, sizeof(first), "%s0", name);
	return if_nametoindex(first);
}

const char *nics_open(struct lab *lab, const char *name)
{
	static char missing[80];

	lab->nics = NULL;
	snprintf(missing, sizeof(missing), "no driver for %s0 on this kernel", name);
	if (!exists(name))
		return missing;
	lab_open_nics(lab, name);
	/* A host may spread what it sends over all queues that there are (virtio). */
	nics_set_queues(1);
	nics_await_link(lab);
	snprintf(missing, sizeof(missing), "the driver of %s0 has no zero-copy on this kernel",
		 name);
	return kernel_binds_zerocopy(lab) ? NULL : missing;
}

void nics_close(struct lab *lab)
{
	if (lab->nics)
		lab_close(lab);
}
