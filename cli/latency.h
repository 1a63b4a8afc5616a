/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* xsk latency: what was asked for, where it goes, and what came of it. */
#ifndef XSK_CLI_LATENCY_H
#define XSK_CLI_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "histogram.h"
#include "session.h"
#include "traveller.h"
#include "trips.h"
#include "units.h"

struct latency_options {
	struct session_options session;
	const char *iface;
	struct address to, from;		/* family 0: not given */
	bool reflect;
	uint64_t port;
	struct mac to_mac;
	uint64_t count;				/* 0: until it is ended */
	struct units_rate rate;			/* both 0: the next when one is back */
	uint64_t interval_ns;			/* likewise */
	uint64_t in_flight;			/* 0: one, or with a rate many */
	uint64_t size;				/* 0: the smallest */
	uint64_t timeout_ns, warmup;
	const char *svg;
};

struct latency {
	const struct latency_options *options;
	struct session session;
	struct traveller traveller;
	struct trips trips;
	/* Of the round trips whose number is first or higher. */
	struct histogram histogram;
	uint64_t first;
	uint64_t foreign;			/* packets that are none of ours */
	double seconds;
};

/*
 * What the packets are to be, but for their size: asks the kernel for the way, the addresses
 * and the MAC, and takes a UDP port, whose socket goes to *fd (-1: none). False: it has been
 * said why not; there may be a socket yet.
 */
bool latency_find_way(struct traveller_options *ret, int *fd,
		      const struct latency_options *options, struct out *out);

/* "10.66.0.2", or the MAC. */
#define LATENCY_PEER 64
char *latency_peer(const struct traveller *traveller, char text[LATENCY_PEER]);

/* Once a second, since the last time. */
void latency_say_rate(const struct latency *latency, struct out *out, double seconds,
		      uint64_t packets);

/* At the end. False: nothing came back, and it has been said what may be the reason. */
bool latency_say_total(const struct latency *latency, struct out *out, int fd);

/* Whether the file of --svg can be written; says why not. It is left as it is. */
bool latency_check_svg(const char *path, struct out *out);

/* Writes it. False: it has been said why not, and there is no half of it. */
bool latency_write_svg(const struct latency *latency, struct out *out);

#endif /* XSK_CLI_LATENCY_H */
