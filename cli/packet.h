/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What can be told of a packet by its bytes alone: from the Ethernet header to the ports, and
 * what little can be said of those whom the ports belong to.
 *
 * The bytes are anybody's. Nothing outside of them is read, and what is said of them has
 * printable characters of ASCII only.
 */
#ifndef XSK_CLI_PACKET_H
#define XSK_CLI_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_TEXT 1024
#define PACKET_JSON 2048

#define PACKET_TAGS 4		/* of VLANs, one in the other; more are named by their number */
#define PACKET_EXTENSIONS 8	/* headers of IPv6; more are not looked behind */
#define PACKET_NAME 256		/* of DNS, and of who speaks LLDP */

/* The headers that are there in full. */
#define PACKET_ETHERNET		(1u << 0)
#define PACKET_LLC		(1u << 1)
#define PACKET_ARP		(1u << 2)	/* for IPv4 over Ethernet; others by type alone */
#define PACKET_IP		(1u << 3)	/* of either version */
#define PACKET_FRAGMENT		(1u << 4)
#define PACKET_TCP		(1u << 5)
#define PACKET_UDP		(1u << 6)
#define PACKET_ICMP		(1u << 7)
#define PACKET_ICMP6		(1u << 8)
#define PACKET_DNS		(1u << 9)
#define PACKET_DHCP		(1u << 10)
#define PACKET_LLDP		(1u << 11)
#define PACKET_STP		(1u << 12)

struct packet_arp {
	uint16_t hardware, protocol;	/* types */
	uint16_t operation;
	uint8_t sender_mac[6], target_mac[6];
	uint8_t sender_ip[4], target_ip[4];
	size_t len;			/* with what it is padded by */
};

struct packet_ip {
	int version;			/* 4 or 6 */
	uint8_t src[16], dst[16];	/* of version 4 the first four */
	uint8_t protocol;		/* of what is behind all headers */
	uint8_t tos, ttl;		/* or traffic class and hop limit */
	uint32_t flow;			/* version 6 */
	size_t len;			/* of what is behind all headers, by what they say */
	uint8_t extensions[PACKET_EXTENSIONS];	/* version 6: numbers of the headers */
	int extension_count;
	/* PACKET_FRAGMENT, and id also of a whole packet of version 4 */
	uint32_t id, offset;
	bool more, dont_fragment;
};

struct packet_tcp {
	uint32_t seq, ack;
	uint16_t flags, window, urgent;
	const uint8_t *options;		/* in the packet; NULL: they are not all there */
	size_t options_len;
	size_t len;			/* of what it carries */
};

struct packet_icmp {
	uint8_t type, code;
	uint16_t id, seq;		/* of an echo */
	uint32_t mtu;			/* where a packet was too big */
	uint8_t target[16];		/* of neighbour discovery, and of a redirect */
	bool has_target;
};

struct packet_dns {
	uint16_t id, flags;
	uint16_t counts[4];		/* questions, answers, authorities, additional ones */
	uint16_t type;			/* of the first question */
	char name[PACKET_NAME];		/* of it; "": there is none that can be read */
};

struct packet_stp {
	uint8_t version, type, flags;
	bool is_config;			/* the bridges are there */
	uint8_t root[8], bridge[8];
	uint32_t cost;
	uint16_t port;
};

struct packet {
	uint32_t layers;		/* PACKET_* */
	size_t captured, len;		/* bytes that are here, and that it had */
	const char *cut;		/* the header that is not all there: "TCP"; NULL: none */
	const char *bad;		/* what cannot be: "header length"; NULL: nothing is seen */
	size_t missing;			/* bytes that IP says it has, and it had not */
	uint8_t src[6], dst[6];
	uint16_t type;			/* behind the tags; less than 1536: a length (802.3) */
	size_t eth_len;			/* of what is behind the type */
	uint16_t tags[PACKET_TAGS][2];	/* type, and priority and number */
	int tag_count;
	uint8_t dsap, ssap, control;	/* PACKET_LLC */
	struct packet_arp arp;
	struct packet_ip ip;
	uint16_t ports[2];		/* PACKET_TCP, PACKET_UDP: source, destination */
	struct packet_tcp tcp;
	size_t udp_len;			/* of what it carries */
	struct packet_icmp icmp;
	struct packet_dns dns;
	uint8_t dhcp_operation, dhcp_type;	/* 0: it does not say */
	uint8_t dhcp_mac[6];
	char lldp_name[PACKET_NAME];	/* "": it says none */
	struct packet_stp stp;
};

/*
 * Reads the headers of a packet of which captured bytes are at data, and which had len. The
 * result points into data.
 */
void packet_parse(struct packet *packet, const void *data, size_t captured, size_t len);

/* One line without its end, in the manner of tcpdump -e -n -S. Returns text. */
char *packet_say(char text[PACKET_TEXT], const struct packet *packet);

/*
 * The members of a JSON object, without its braces: "length":98,"eth_src":"…", and so on.
 * xsk-recv(1) says which. Returns text.
 */
char *packet_json(char text[PACKET_JSON], const struct packet *packet);

/* What its innermost header is called, in lower case: "tcp". */
const char *packet_protocol(const struct packet *packet);

/* ---- names of numbers; NULL: it has none ---- */

const char *packet_name_of_type(uint16_t type);		/* of Ethernet: "IPv4" */
const char *packet_name_of_ip(uint8_t protocol);	/* "GRE" */
const char *packet_name_of_ports(const uint16_t ports[2]);	/* of UDP: "NTP" */
const char *packet_name_of_question(uint16_t type);	/* of DNS: "AAAA" */
const char *packet_name_of_dhcp(uint8_t type);		/* "Discover" */

#endif /* XSK_CLI_PACKET_H */
