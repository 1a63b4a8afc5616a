/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "keep.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

/* The kernel has no limit, but nobody sends more extension headers. */
#define MAX_HEADERS 8
#define VLAN_TAGS 2

#define SSH 22
#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define DHCP6_CLIENT 546
#define DHCP6_SERVER 547
/* Router and neighbour solicitations and advertisements, and redirects. */
#define FIRST_ND 133
#define LAST_ND 137

/*
 * X is where the header starts that is looked at. Jumps to the end are set when that is
 * known; each is one without condition, so that none is too long.
 */
enum verdict { KEEP, LEAVE, VERDICTS };

struct draft {
	struct sock_filter *insns;
	uint32_t count;
	uint32_t jumps[VERDICTS][XSK_KEEP_MAX_INSNS];
	uint32_t njumps[VERDICTS];
};

static uint32_t emit(struct draft *draft, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	draft->insns[draft->count] = (struct sock_filter){ code, jt, jf, k };
	return draft->count++;
}

static uint32_t emit_ja(struct draft *draft)
{
	return emit(draft, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void leave_by(struct draft *draft, enum verdict verdict)
{
	draft->jumps[verdict][draft->njumps[verdict]++] = emit_ja(draft);
}

/* The jump leads to the next instruction. */
static void land(struct draft *draft, uint32_t jump)
{
	draft->insns[jump].k = draft->count - jump - 1;
}

static void if_equal(struct draft *draft, uint32_t value, enum verdict verdict)
{
	emit(draft, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	leave_by(draft, verdict);
}

/* What follows is for that value alone; returns the jump of all others, to be landed. */
static uint32_t for_value(struct draft *draft, uint32_t value)
{
	emit(draft, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
	return emit_ja(draft);
}

/* ---- ports ---- */

static void if_port(struct draft *draft, const uint16_t *ports)
{
	for (int i = 0; i < XSK_KEEP_MAX_PORTS; i++)
		if (ports[i])
			if_equal(draft, ports[i], KEEP);
}

/* X: where the header of UDP or TCP starts. */
static void if_udp(struct draft *draft, const struct xsk_keep *keep, uint32_t server,
		   uint32_t client)
{
	emit(draft, BPF_LD | BPF_H | BPF_IND, 2, 0, 0);
	if (keep->dhcp) {
		if_equal(draft, server, KEEP);
		if_equal(draft, client, KEEP);
	}
	if_port(draft, keep->udp);
	leave_by(draft, LEAVE);
}

static void if_tcp(struct draft *draft, const struct xsk_keep *keep)
{
	emit(draft, BPF_LD | BPF_H | BPF_IND, 2, 0, 0);
	if (keep->ssh)
		if_equal(draft, SSH, KEEP);
	if_port(draft, keep->tcp);
	leave_by(draft, LEAVE);
}

/* A: the protocol of what stands at X. */
static void by_port(struct draft *draft, const struct xsk_keep *keep, uint16_t dhcp_server,
		    uint16_t dhcp_client)
{
	uint32_t others;

	others = for_value(draft, IPPROTO_UDP);
	if_udp(draft, keep, dhcp_server, dhcp_client);
	land(draft, others);
	others = for_value(draft, IPPROTO_TCP);
	if_tcp(draft, keep);
	land(draft, others);
	leave_by(draft, LEAVE);
}

/* ---- IPv4 ---- */

/* X: to the next header. The protocol is in M[0], and in A again. */
static void skip_ipv4(struct draft *draft)
{
	emit(draft, BPF_ST, 0, 0, 0);
	emit(draft, BPF_LD | BPF_H | BPF_IND, 6, 0, 0);
	emit(draft, BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 0, 1);	/* a later fragment */
	leave_by(draft, LEAVE);
	emit(draft, BPF_LD | BPF_B | BPF_IND, 0, 0, 0);
	emit(draft, BPF_ALU | BPF_AND | BPF_K, 15, 0, 0);
	emit(draft, BPF_ALU | BPF_LSH | BPF_K, 2, 0, 0);
	emit(draft, BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0);
	emit(draft, BPF_MISC | BPF_TAX, 0, 0, 0);
	emit(draft, BPF_LD | BPF_MEM, 0, 0, 0);
}

static void ipv4(struct draft *draft, const struct xsk_keep *keep)
{
	emit(draft, BPF_LD | BPF_B | BPF_IND, 9, 0, 0);
	if (keep->icmp)
		if_equal(draft, IPPROTO_ICMP, KEEP);
	skip_ipv4(draft);
	by_port(draft, keep, DHCP_SERVER, DHCP_CLIENT);
}

/* ---- IPv6 ---- */

/* X: over the header at X, of the length in A. Its first byte, the next one, is in M[0]. */
static void skip_header(struct draft *draft)
{
	emit(draft, BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0);
	emit(draft, BPF_MISC | BPF_TAX, 0, 0, 0);
	emit(draft, BPF_LD | BPF_MEM, 0, 0, 0);
}

static void save_next(struct draft *draft)
{
	emit(draft, BPF_LD | BPF_B | BPF_IND, 0, 0, 0);
	emit(draft, BPF_ST, 0, 0, 0);
}

/*
 * A: which header stands at X. If it is an extension, over it. Returns the jump of all that
 * is none, to be landed.
 */
static uint32_t extension(struct draft *draft, const struct xsk_keep *keep)
{
	uint32_t others, done[3];

	/* Hop-by-hop, routing and destination options count in 8 bytes, less the first. */
	emit(draft, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_HOPOPTS, 3, 0);
	emit(draft, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ROUTING, 2, 0);
	emit(draft, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_DSTOPTS, 1, 0);
	others = emit_ja(draft);
	save_next(draft);
	emit(draft, BPF_LD | BPF_B | BPF_IND, 1, 0, 0);
	emit(draft, BPF_ALU | BPF_ADD | BPF_K, 1, 0, 0);
	emit(draft, BPF_ALU | BPF_LSH | BPF_K, 3, 0, 0);
	skip_header(draft);
	done[0] = emit_ja(draft);
	land(draft, others);

	others = for_value(draft, IPPROTO_AH);
	save_next(draft);
	emit(draft, BPF_LD | BPF_B | BPF_IND, 1, 0, 0);
	emit(draft, BPF_ALU | BPF_ADD | BPF_K, 2, 0, 0);
	emit(draft, BPF_ALU | BPF_LSH | BPF_K, 2, 0, 0);
	skip_header(draft);
	done[1] = emit_ja(draft);
	land(draft, others);

	others = for_value(draft, IPPROTO_FRAGMENT);
	save_next(draft);
	if (keep->icmp)
		if_equal(draft, IPPROTO_ICMPV6, KEEP);
	emit(draft, BPF_LD | BPF_H | BPF_IND, 2, 0, 0);
	emit(draft, BPF_JMP | BPF_JSET | BPF_K, 0xfff8, 0, 1);	/* a later fragment */
	leave_by(draft, LEAVE);
	emit(draft, BPF_LD | BPF_IMM, 8, 0, 0);
	skip_header(draft);
	done[2] = emit_ja(draft);

	for (int i = 0; i < 3; i++)
		land(draft, done[i]);
	return others;
}

static void ipv6(struct draft *draft, const struct xsk_keep *keep)
{
	uint32_t no_extension[MAX_HEADERS], others;

	emit(draft, BPF_LD | BPF_B | BPF_IND, 6, 0, 0);
	emit(draft, BPF_ST, 0, 0, 0);
	emit(draft, BPF_LD | BPF_IMM, 40, 0, 0);
	skip_header(draft);
	for (int i = 0; i < MAX_HEADERS; i++)
		no_extension[i] = extension(draft, keep);
	for (int i = 0; i < MAX_HEADERS; i++)
		land(draft, no_extension[i]);

	if (keep->icmp)
		if_equal(draft, IPPROTO_ICMPV6, KEEP);
	others = for_value(draft, IPPROTO_ICMPV6);
	emit(draft, BPF_LD | BPF_B | BPF_IND, 0, 0, 0);
	emit(draft, BPF_JMP | BPF_JGE | BPF_K, FIRST_ND, 1, 0);
	leave_by(draft, LEAVE);
	emit(draft, BPF_JMP | BPF_JGT | BPF_K, LAST_ND, 1, 0);
	leave_by(draft, keep->arp ? KEEP : LEAVE);
	leave_by(draft, LEAVE);
	land(draft, others);

	by_port(draft, keep, DHCP6_SERVER, DHCP6_CLIENT);
}

/* ---- all of it ---- */

/* A: the type of what follows Ethernet's header and the tags, X: where that starts. */
static void skip_tags(struct draft *draft)
{
	uint32_t done[VLAN_TAGS];
	uint32_t at = ETH_HLEN;

	for (int i = 0; i <= VLAN_TAGS; i++, at += 4) {
		emit(draft, BPF_LDX | BPF_IMM, at, 0, 0);
		emit(draft, BPF_LD | BPF_H | BPF_ABS, at - 2, 0, 0);
		if (i == VLAN_TAGS)
			break;
		emit(draft, BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q, 2, 0);
		emit(draft, BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021AD, 1, 0);
		done[i] = emit_ja(draft);
	}
	for (int i = 0; i < VLAN_TAGS; i++)
		land(draft, done[i]);
}

bool xsk_keep_is_empty(const struct xsk_keep *keep)
{
	static const uint16_t none[XSK_KEEP_MAX_PORTS];

	return !keep->arp && !keep->dhcp && !keep->icmp && !keep->ssh &&
	       !memcmp(keep->tcp, none, sizeof(none)) && !memcmp(keep->udp, none, sizeof(none));
}

uint32_t xsk_keep_program(struct sock_filter insns[XSK_KEEP_MAX_INSNS],
			  const struct xsk_keep *keep)
{
	struct draft draft = { .insns = insns };
	uint32_t others;

	skip_tags(&draft);
	if (keep->arp)
		if_equal(&draft, ETH_P_ARP, KEEP);
	others = for_value(&draft, ETH_P_IP);
	ipv4(&draft, keep);
	land(&draft, others);
	others = for_value(&draft, ETH_P_IPV6);
	ipv6(&draft, keep);
	land(&draft, others);

	for (uint32_t i = 0; i < draft.njumps[LEAVE]; i++)
		land(&draft, draft.jumps[LEAVE][i]);
	emit(&draft, BPF_RET | BPF_K, 0, 0, 0);
	for (uint32_t i = 0; i < draft.njumps[KEEP]; i++)
		land(&draft, draft.jumps[KEEP][i]);
	emit(&draft, BPF_RET | BPF_K, 1, 0, 0);
	return draft.count;
}
