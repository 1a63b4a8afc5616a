/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The ring verbs on rings in this process's own memory: no kernel, no socket,
 * and nothing to link. callgrind counts the instructions of one function
 * (--toggle-collect), the one that holds the verbs; what the kernel would do
 * between two calls is done outside of it.
 *
 *     rings receive_refill|alloc_send|get_data BATCH ARRIVE PACKETS
 *
 * BATCH is what a call asks for, ARRIVE what the kernel brings at a time (as
 * soon as all that it brought before is taken): where ARRIVE is no multiple of
 * BATCH, some calls find less than they ask for.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <xdp/xsk.h>

#define SIZE 2048
#define MAX_BATCH 64
#define PACKET_SIZE 64
#define FRAME_SIZE 4096

/* Neither merged with its caller nor copied for a constant: counted by name. */
#ifdef __clang__
#define COUNTED __attribute__((__noinline__))
#else
#define COUNTED __attribute__((__noinline__, __noclone__))
#endif

struct counters {
	__u32 producer __attribute__((aligned(64)));
	__u32 consumer __attribute__((aligned(64)));
	__u32 flags;
};

static struct counters fill_counters, comp_counters, rx_counters, tx_counters;
static __u64 fill_entries[SIZE], comp_entries[SIZE];
static struct xdp_desc rx_entries[SIZE], tx_entries[SIZE];
static struct xsk_ring_prod fill, tx;
static struct xsk_ring_cons comp, rx;
static __u64 addrs[MAX_BATCH];

/* ---- what is counted ---- */

COUNTED static __u32 receive_refill(struct xsk_ring_cons *from, struct xsk_ring_prod *to,
				    __u64 *taken, __u32 batch)
{
	__u32 first, count;

	count = xsk_ring_cons__peek(from, batch, &first);
	if (!count)
		return 0;
	for (__u32 i = 0; i < count; i++)
		taken[i] = xsk_ring_cons__rx_desc(from, first + i)->addr;
	xsk_ring_cons__release(from, count);

	if (xsk_ring_prod__reserve(to, count, &first) != count)
		return 0;
	for (__u32 i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(to, first + i) = taken[i];
	xsk_ring_prod__submit(to, count);
	return count;
}

COUNTED static __u32 alloc_send(struct xsk_ring_prod *to, struct xsk_ring_cons *back,
				__u64 *idle, __u32 batch)
{
	__u32 first, count;

	count = xsk_ring_cons__peek(back, batch, &first);
	for (__u32 i = 0; i < count; i++)
		idle[i] = *xsk_ring_cons__comp_addr(back, first + i);
	if (count)
		xsk_ring_cons__release(back, count);

	if (xsk_ring_prod__reserve(to, batch, &first) != batch)
		return 0;
	for (__u32 i = 0; i < batch; i++) {
		struct xdp_desc *desc = xsk_ring_prod__tx_desc(to, first + i);

		desc->addr = idle[i];
		desc->len = PACKET_SIZE;
		desc->options = 0;
	}
	xsk_ring_prod__submit(to, batch);
	return batch;
}

COUNTED static __u32 get_data(void *area, void **data, const __u64 *frames, __u32 batch)
{
	for (__u32 i = 0; i < batch; i++)
		data[i] = xsk_umem__get_data(area, frames[i]);
	return batch;
}

/* ---- what the kernel does ---- */

/* RX is empty: takes frames from FILL and brings a packet in each. */
static void bring(__u32 count)
{
	for (__u32 i = 0; i < count; i++) {
		__u32 at = rx_counters.producer++ & (SIZE - 1);

		if (fill_counters.consumer == fill_counters.producer)
			errx(1, "the FILL ring has run dry");
		rx_entries[at].addr = fill_entries[fill_counters.consumer++ & (SIZE - 1)];
		rx_entries[at].len = PACKET_SIZE;
	}
}

/* Sends all of TX and gives the frames back. */
static void send_all(void)
{
	while (tx_counters.consumer != tx_counters.producer)
		comp_entries[comp_counters.producer++ & (SIZE - 1)] =
			tx_entries[tx_counters.consumer++ & (SIZE - 1)].addr;
}

/* ---- the loops ---- */

#define INIT_RING(name, ahead) do {			\
	(name).mask = SIZE - 1;				\
	(name).size = SIZE;				\
	(name).cached_cons = (ahead);			\
	(name).producer = &name##_counters.producer;	\
	(name).consumer = &name##_counters.consumer;	\
	(name).flags = &name##_counters.flags;		\
	(name).ring = name##_entries;			\
} while (0)

static void init_rings(void)
{
	INIT_RING(fill, SIZE);
	INIT_RING(tx, SIZE);
	INIT_RING(comp, 0);
	INIT_RING(rx, 0);
	for (__u32 i = 0; i < SIZE; i++)
		fill_entries[i] = (__u64)i * FRAME_SIZE;
	for (__u32 i = 0; i < MAX_BATCH; i++)
		addrs[i] = (__u64)i * FRAME_SIZE;
}

static unsigned long loop_receive(__u32 batch, __u32 arrive, unsigned long packets)
{
	unsigned long done = 0;

	/* FILL starts full, as in a program: reserve looks at it each time. */
	fill.cached_prod = SIZE;
	fill_counters.producer = SIZE;
	while (done < packets) {
		if (rx_counters.consumer == rx_counters.producer)
			bring(arrive);
		done += receive_refill(&rx, &fill, addrs, batch);
	}
	return done;
}

static unsigned long loop_send(__u32 batch, unsigned long packets)
{
	unsigned long done = 0;

	while (done < packets) {
		done += alloc_send(&tx, &comp, addrs, batch);
		send_all();
	}
	return done;
}

static unsigned long loop_get_data(__u32 batch, unsigned long packets)
{
	static char area[MAX_BATCH * FRAME_SIZE];
	void *data[MAX_BATCH];
	unsigned long done = 0;

	while (done < packets) {
		done += get_data(area, data, addrs, batch);
		for (__u32 i = 0; i < batch; i++)
			if (data[i] != area + i * FRAME_SIZE)
				errx(1, "get_data gives a wrong pointer");
	}
	return done;
}

int main(int argc, char **argv)
{
	unsigned long done, packets;
	__u32 batch, arrive;

	if (argc != 5)
		errx(2, "usage: rings receive_refill|alloc_send|get_data BATCH ARRIVE PACKETS");
	batch = (__u32)strtoul(argv[2], NULL, 10);
	arrive = (__u32)strtoul(argv[3], NULL, 10);
	packets = strtoul(argv[4], NULL, 10);
	if (!batch || batch > MAX_BATCH || !arrive || arrive > SIZE)
		errx(2, "a batch has 1 to %d packets, and %d may arrive", MAX_BATCH, SIZE);

	init_rings();
	if (!strcmp(argv[1], "receive_refill"))
		done = loop_receive(batch, arrive, packets);
	else if (!strcmp(argv[1], "alloc_send"))
		done = loop_send(batch, packets);
	else
		done = loop_get_data(batch, packets);
	if (done != packets)
		errx(1, "%lu packets instead of %lu", done, packets);
	return 0;
}
