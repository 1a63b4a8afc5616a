/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * DPDK's net_af_xdp: a pool of mbufs, which is the UMEM, and a cache of them in front
 * of it, as large as testpmd's. Without huge pages, and with no other device. Frees in
 * bulk, which takes less than one by one.
 */
#include <err.h>
#include <sched.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "burst.h"

#define MBUFS 8192
#define CACHE 250
#define RING_SIZE 2048

struct contender {
	struct rte_mempool *pool;
	uint64_t bytes;			/* received */
	uint16_t port;
};

unsigned int receive_burst(struct contender *at)
{
	struct rte_mbuf *mbufs[BURST];
	unsigned int count = rte_eth_rx_burst(at->port, 0, mbufs, BURST);
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < count; i++)
		bytes += rte_pktmbuf_data_len(mbufs[i]);
	at->bytes += bytes;
	rte_pktmbuf_free_bulk(mbufs, count);
	return count;
}

uint64_t received_bytes(const struct contender *at)
{
	return at->bytes;
}

unsigned int send_burst(struct contender *at)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t count;

	if (rte_pktmbuf_alloc_bulk(at->pool, mbufs, BURST))
		return 0;
	for (unsigned int i = 0; i < BURST; i++) {
		mbufs[i]->data_len = PACKET_SIZE;
		mbufs[i]->pkt_len = PACKET_SIZE;
	}
	count = rte_eth_tx_burst(at->port, 0, mbufs, BURST);
	if (count < BURST)
		rte_pktmbuf_free_bulk(mbufs + count, BURST - count);
	return count;
}

int kick(struct contender *at)
{
	(void)at;
	return 0;
}

static void init(const char *ifname)
{
	char vdev[64], lcores[32];
	char *args[] = {
		"burst-dpdk", "--lcores", lcores, "--no-huge", "-m", "256", "--no-shconf",
		"--no-pci", "--no-telemetry", "--log-level", "warning", "--vdev", vdev, NULL
	};

	snprintf(lcores, sizeof(lcores), "0@%d", sched_getcpu());
	snprintf(vdev, sizeof(vdev), "net_af_xdp0,iface=%s", ifname);
	if (rte_eal_init(sizeof(args) / sizeof(args[0]) - 1, args) < 0)
		errx(1, "rte_eal_init");
}

struct contender *open_contender(const char *ifname, int checked)
{
	static struct contender at;
	struct rte_eth_conf conf = { 0 };

	if (checked)
		errx(2, "DPDK is measured as it is built");
	init(ifname);
	at.pool = rte_pktmbuf_pool_create("burst", MBUFS, CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
					  SOCKET_ID_ANY);
	if (!at.pool || rte_eth_dev_get_port_by_name("net_af_xdp0", &at.port) ||
	    rte_eth_dev_configure(at.port, 1, 1, &conf) ||
	    rte_eth_rx_queue_setup(at.port, 0, RING_SIZE, SOCKET_ID_ANY, NULL, at.pool) ||
	    rte_eth_tx_queue_setup(at.port, 0, RING_SIZE, SOCKET_ID_ANY, NULL) ||
	    rte_eth_dev_start(at.port))
		errx(1, "net_af_xdp");
	return &at;
}

void close_contender(struct contender *at)
{
	rte_eth_dev_stop(at->port);
	rte_eth_dev_close(at->port);
	rte_mempool_free(at->pool);
	rte_eal_cleanup();
}
