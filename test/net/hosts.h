/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The two ends of the lab as hosts with IP stacks: side 0 is 192.0.2.1 and 2001:db8::1,
 * side 1 is 192.0.2.2 and 2001:db8::2. And packets of any kind, which a port takes or the
 * stack gets. Everything here asserts.
 */
#ifndef TEST_HOSTS_H
#define TEST_HOSTS_H

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <xsk/xsk.h>

#include "lab.h"

/*
 * Gives the lab's ends their addresses. Checksums are whole in each packet that they send.
 * Leaves the caller in namespace 0, as all of these do.
 */
void hosts_set_up(const struct lab *lab);

/* No addresses, and silence as before. */
void hosts_clear(const struct lab *lab);

/* Both forget who the other is, and must ask again. */
void hosts_forget(const struct lab *lab);

/* Asks from that side for an echo of len bytes, and gets it. */
void hosts_ping(const struct lab *lab, int from, int family, size_t len);

/* A socket on that side, connected to the port of the other. */
int hosts_udp(const struct lab *lab, int side, int family, uint16_t local, uint16_t remote);

/* Both ends of a connection: the server's is that of side 0. */
struct hosts_tcp {
	int ends[2];
	uint64_t done;		/* bytes in each direction */
};

void hosts_connect(struct hosts_tcp *tcp, const struct lab *lab, int family, uint16_t port);
/* As many bytes both ways, which are as they were sent. */
void hosts_exchange(struct hosts_tcp *tcp, size_t bytes);
void hosts_disconnect(struct hosts_tcp *tcp);

/* Begins to connect from side 1, and does not wait for it. */
int hosts_begin_to_connect(const struct lab *lab, int family, uint16_t port);

/* ---- packets ---- */

/* Compiles, or fails the test with the reason. */
struct xsk_filter *hosts_filter(const char *expression);

#define HOSTS_MAX_PACKET 9014

struct hosts_packet {
	uint16_t tags[2];	/* of VLANs, in front of the type; 0: none */
	uint16_t type;		/* ETH_P_* */
	uint8_t protocol;	/* IPPROTO_*, of IP */
	uint8_t headers[4];	/* extension headers of IPv6, before that; 0: none */
	uint8_t options;		/* bytes of them in IPv4's header */
	uint16_t fragment;	/* the field of IPv4, or of IPv6's fragment header */
	uint16_t from, to;	/* ports */
	uint8_t icmp;		/* type of ICMP */
	uint32_t number;	/* at its end */
	size_t len;		/* default 160 */
};

#define PACKET(...) (struct hosts_packet){ __VA_ARGS__ }
#define V4(what, ...) PACKET(.type = ETH_P_IP, .protocol = IPPROTO_##what, __VA_ARGS__)
#define V6(what, ...) PACKET(.type = ETH_P_IPV6, .protocol = IPPROTO_##what, __VA_ARGS__)

/* Writes it; returns its length. */
size_t hosts_make(uint8_t bytes[HOSTS_MAX_PACKET], const struct hosts_packet *packet);
/* Writes it and sends it from lab1. For no host, so nobody answers. */
void hosts_send(const struct lab *lab, const struct hosts_packet *packet);

/* Sends it by a port on lab1. */
void hosts_send_by(struct xsk_queue *queue, const struct hosts_packet *packet);

/* All packets that come from lab0 to the stack. */
int hosts_stack_open(void);
/* The next of hosts_send() that come to the stack, or to the queue, are these; or none are. */
void hosts_stack_expect(int stack, const struct hosts_packet *packet);
void hosts_stack_expect_nothing(int stack);
void hosts_queue_expect(struct xsk_queue *queue, const struct hosts_packet *packet);
void hosts_queue_expect_nothing(struct xsk_queue *queue);

/* Sends it: either the queue gets it, or the stack; and the other does not. */
void hosts_try(const struct lab *lab, struct xsk_queue *queue, int stack,
	       const struct hosts_packet *packet, bool taken);

#endif /* TEST_HOSTS_H */
