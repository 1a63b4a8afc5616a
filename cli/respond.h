/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Makes of a request its reply, where it lies: of ARP's and IPv6's questions for an address, of
 * an echo request of ICMP and ICMPv6, of a UDP packet to a port; up to two VLAN tags stay. Or
 * of any packet one that goes back.
 *
 * Nothing answers an answer: neither a reply, nor what comes from a group, from nowhere, or
 * from a port that would answer in its turn.
 */
#ifndef XSK_CLI_RESPOND_H
#define XSK_CLI_RESPOND_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "units.h"

/* Of each family. From 31 of both on the kernel's verifier gives up on respond_filter(). */
#define RESPOND_ADDRESSES 24

/* Who answers. */
struct responder {
	bool reflects;			/* every packet goes back, its MACs swapped */
	bool is_router;			/* as its host is: what a neighbour is told */
	uint8_t mac[6];
	struct units_range ports;	/* of UDP */
	struct in_addr ipv4[RESPOND_ADDRESSES];
	struct in6_addr ipv6[RESPOND_ADDRESSES];
	unsigned int ipv4_count, ipv6_count;
};

/* What became of a packet. */
enum respond {
	/* It is the reply now. */
	RESPOND_ARP,
	RESPOND_ND,
	RESPOND_ICMP,
	RESPOND_ICMPV6,
	RESPOND_UDP,
	RESPOND_REFLECTED,
	/* It is what it was. */
	RESPOND_OTHER,			/* no request to this host */
	RESPOND_BROKEN,			/* cut, or it contradicts itself */
	RESPOND_FRAGMENT,
	RESPOND_SOURCE,			/* nobody to be answered has sent it */
	RESPOND_LOOP,			/* its port would answer the answer */
	RESPOND_LARGE,			/* in several frames, and all were needed */
	RESPOND_KINDS
};

/* Whether there is a reply. */
static inline bool respond_is_answer(enum respond kind)
{
	return kind <= RESPOND_REFLECTED;
}

/* "arp", "not_for_us": as JSON has it. */
const char *respond_name(enum respond kind);

struct request {
	uint8_t *data;			/* from the Ethernet header on */
	size_t len;			/* in this frame; of the reply, after it */
	size_t room;			/* that the frame has from data on */
	size_t total;			/* of all of its frames; len if it has one */
};

enum respond respond(const struct responder *responder, struct request *request);

/*
 * A filter that takes what respond() answers, and hardly anything else. To be freed; NULL: no
 * memory, or there is no address.
 */
char *respond_filter(const struct responder *responder);

#endif /* XSK_CLI_RESPOND_H */
