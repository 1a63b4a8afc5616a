/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What xsk send was told, and the file that it is told by (send.c) or that goes by it. */
#ifndef XSK_CLI_SEND_H
#define XSK_CLI_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "session.h"
#include "source.h"

/* Of rounds: not given. */
#define SEND_ONCE UINT64_MAX

struct send_options {
	struct session_options session;
	const char *iface;
	const char *file;		/* NULL: packets are made */
	uint64_t rounds;
	double speed;			/* 0: not given */
	struct address_range dst, src;
	struct units_range dport, sport;
	struct mac dst_mac, src_mac;
	uint64_t size, ttl, vlan;	/* 0: not given */
	struct units_rate rate;
	bool has_rate;			/* and with neither in it: as fast as it goes */
	uint64_t count;			/* 0: no end */
};

/* Whether the options go together; else it has been said why not. */
bool send_options_fit(const struct send_options *options, struct out *out);

/*
 * The packets to be made, for an interface that is open: addresses that were not given are
 * found. NULL: it has been said why not, or a signal came.
 */
struct generator *send_make_generator(const struct send_options *options,
				      const struct session *session, struct out *out,
				      uint32_t *size);

/* The largest packet of the MTU: Ethernet's header, and a tag where there is one. */
uint32_t send_max_len(uint32_t mtu, bool is_tagged);

#endif /* XSK_CLI_SEND_H */
