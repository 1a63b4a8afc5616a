/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What the contenders of the traffic have in common: the same command line, the same
 * packets, the same counters.
 *
 *     role-KIND ROLE IFNAME[,IFNAME...] CPU MS SIZE BURST WAIT COUNTERS [NAME=NUMBER...]
 *
 *     ROLE      send, receive, forward (from the first interface to the second), echo (each
 *               packet returns), ping (one packet in flight, its round trips measured)
 *     CPU       to be pinned to; -1: none
 *     MS        the end, if no SIGTERM comes before
 *     SIZE      bytes of a packet, with its Ethernet header
 *     WAIT      sleep, spin, busy (SO_PREFER_BUSY_POLL) or of the port adaptive, when there is
 *               nothing to do
 *     COUNTERS  a file of struct role_counts, made before, to be read at any time
 *
 * Prints "ready" when packets may come, and at the end one line: packets, bytes, ns,
 * sampled, bad, lost, and of ping p50, p90, p99, p999 and max in nanoseconds.
 *
 * All packets are UDP over IPv4 from 198.18.0.1 to 198.18.0.2, port 9, as testpmd's are.
 * Behind the headers stand a magic number, a number that counts, and its complement.
 */
#ifndef XSK_BENCH_ROLE_H
#define XSK_BENCH_ROLE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define MAX_BURST 256
#define MAX_IFNAMES 64
#define MIN_SIZE 64
#define MAX_SIZE 9000

#define HEADERS 42		/* Ethernet, IPv4, UDP */
#define NEAR_IP 0xc6120001	/* 198.18.0.1 */
#define FAR_IP 0xc6120002
#define UDP_PORT 9
#define PACKET_MAGIC 0x6b736c62
#define STAMP_END (HEADERS + 12)
#define PART 3000		/* of longer packets, so much is checked */
#define SAMPLE 64		/* of so many packets the contents of one are checked */

enum role_wait { WAIT_SLEEP, WAIT_SPIN, WAIT_BUSY, WAIT_ADAPTIVE };

struct role_counts {
	volatile uint64_t packets;
	volatile uint64_t bytes;
	volatile uint64_t sampled;
	volatile uint64_t bad;
	volatile uint64_t lost;		/* round trips that did not end */
};

struct role {
	const char *name;
	char *ifnames[MAX_IFNAMES];
	int ifcount;
	uint32_t size;
	uint32_t burst;
	enum role_wait wait;
	uint32_t queues;	/* queues=, of each interface; 0: all */
	uint32_t first_queue;	/* first= */
	uint32_t ring;		/* ring=, entries; 0: the default */
	uint32_t fill;		/* fill=, entries of the port's FILL; 0: as ring */
	uint32_t frame;		/* frame=, bytes of the port's; 0: the default */
	uint32_t budget;	/* budget=, of XDP_MAX_TX_SKB_BUDGET; 0: the kernel's */
	uint32_t rate;		/* rate=, packets a second that the port sends; 0: all it can */
	bool adapts;		/* set before role_init(): it knows that way to wait */
	bool other;		/* other=1: packets between hosts that are not there */
	bool mmsg;		/* mmsg=1: AF_PACKET sends by sendmmsg, not by its ring */
	struct role_counts *counts;
	uint32_t next;		/* number of the next packet that is sent */
	uint64_t due_ns;	/* of the next packet, where there is a rate */
	uint32_t unsampled;	/* packets since the last that was checked */
	uint64_t start_ns;
	uint32_t *trips;	/* nanoseconds, of ping */
	uint32_t trip_count;
	uint8_t packet[MAX_SIZE];
};

extern volatile sig_atomic_t role_stop;

/* Exits where it is misused. Pins, maps the counters, and sees to the end. */
void role_init(struct role *role, int argc, char **argv);
void role_ready(struct role *role);

/* Lets the time pass that so many packets have, at the rate; the CPU stays busy. */
void role_pace(struct role *role, int packets);
/* Prints the last line. */
void role_end(struct role *role);

/* The whole packet at data; then, before each time that it is sent, its number. */
void role_write(const struct role *role, void *data, uint32_t len);
/* Whether it is one of ours as it was sent, or the answer to one. */
bool role_is_good(const struct role *role, const void *data, uint32_t len);
/* Returns it to where it came from. */
void role_turn(void *data);
/* Of a packet that role_is_good(). */
uint32_t role_number(const void *data);
/* One has ended, or its answer did not come. */
void role_trip(struct role *role, uint64_t start_ns, bool found);

static inline uint64_t role_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void role_stamp(struct role *role, void *data)
{
	uint32_t stamp[2] = { role->next, ~role->next };

	__builtin_memcpy((uint8_t *)data + HEADERS + 4, stamp, sizeof(stamp));
	role->next++;
}

static inline void role_count(struct role *role, uint64_t packets, uint64_t bytes)
{
	role->counts->packets += packets;
	role->counts->bytes += bytes;
}

/* Says whether a packet is to be checked, by role_sample(), once in so many. */
static inline bool role_wants_sample(struct role *role, uint32_t packets)
{
	role->unsampled += packets;
	return role->unsampled >= SAMPLE;
}

void role_sample(struct role *role, const void *data, uint32_t len);

#endif /* XSK_BENCH_ROLE_H */
