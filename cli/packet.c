/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "packet.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "bytes.h"

#define TYPE_SVLAN 0x88a8
#define TYPE_QINQ 0x9100
#define TYPE_LLDP 0x88cc
#define MAX_LENGTH 1500		/* of 802.3: what is more is a type */
#define SAP_STP 0x42
#define STP_CONFIG 0
#define STP_RAPID 2
#define DHCP_MAC 28		/* where it stands */
#define DHCP_FIXED 236
#define DHCP_TYPE 53
#define DHCP_PAD 0
#define DHCP_END 255
#define LLDP_END 0
#define LLDP_SYSTEM_NAME 5

/* What is not yet read of a packet. */
struct rest {
	const uint8_t *at;
	size_t here;		/* bytes that can be read */
	size_t len;		/* that the headers before say there are; never less than here */
};

/* The next n bytes. NULL: they are not there, and the header has this name. */
static const uint8_t *take(struct packet *packet, struct rest *rest, size_t n, const char *name)
{
	const uint8_t *at = rest->at;

	if (rest->here < n) {
		packet->cut = name;
		return NULL;
	}
	rest->at += n;
	rest->here -= n;
	rest->len -= n;
	return at;
}

/* A header says that the rest has so many bytes. */
static void limit(struct rest *rest, size_t len)
{
	rest->len = len;
	if (rest->here > len)
		rest->here = len;
}

/* One character of a name that somebody else chose. */
static char printable(uint8_t c)
{
	return c <= ' ' || c >= 0x7f || c == '"' || c == '\\' ? '?' : (char)c;
}

/* ---- behind UDP ---- */

/* The labels of the first question, with dots between; what is read of it goes to *rest. */
static void read_dns_name(struct packet_dns *dns, struct rest *rest)
{
	size_t len = 0;

	while (rest->here) {
		size_t label = *rest->at;

		rest->at++;
		rest->here--;
		if (!label)
			break;
		/* A pointer has nothing to point to here; and a name has less than 256 bytes. */
		if (label > 63 || label > rest->here || len + label + 2 > PACKET_NAME) {
			dns->name[0] = '\0';
			rest->here = 0;
			return;
		}
		if (len)
			dns->name[len++] = '.';
		for (size_t i = 0; i < label; i++)
			dns->name[len++] = printable(rest->at[i]);
		rest->at += label;
		rest->here -= label;
	}
	/* The root's own name is empty. */
	if (!len)
		dns->name[len++] = '.';
	dns->name[len] = '\0';
}

static void parse_dns(struct packet *packet, struct rest rest)
{
	const uint8_t *header = take(packet, &rest, 12, "DNS");

	if (!header)
		return;
	packet->layers |= PACKET_DNS;
	packet->dns.id = read16(header);
	packet->dns.flags = read16(header + 2);
	for (int i = 0; i < 4; i++)
		packet->dns.counts[i] = read16(header + 4 + 2 * i);
	if (!packet->dns.counts[0])
		return;
	read_dns_name(&packet->dns, &rest);
	if (rest.here < 4) {
		packet->dns.name[0] = '\0';
		packet->cut = "DNS question";
		return;
	}
	packet->dns.type = read16(rest.at);
}

static void parse_dhcp(struct packet *packet, struct rest rest)
{
	const uint8_t *header = take(packet, &rest, DHCP_FIXED, "DHCP");

	if (!header)
		return;
	packet->layers |= PACKET_DHCP;
	packet->dhcp_operation = header[0];
	memcpy(packet->dhcp_mac, header + DHCP_MAC, 6);
	/* BOOTP has no options, or others. */
	if (rest.here < 4 || read32(rest.at) != 0x63825363)
		return;
	rest.at += 4;
	rest.here -= 4;
	while (rest.here >= 2 && rest.at[0] != DHCP_END) {
		size_t size = rest.at[0] == DHCP_PAD ? 1 : 2 + (size_t)rest.at[1];

		if (size > rest.here)
			return;
		if (rest.at[0] == DHCP_TYPE && size == 3)
			packet->dhcp_type = rest.at[2];
		rest.at += size;
		rest.here -= size;
	}
}

static bool has_port(const struct packet *packet, uint16_t port)
{
	return packet->ports[0] == port || packet->ports[1] == port;
}

static void parse_udp(struct packet *packet, struct rest rest)
{
	const uint8_t *header = take(packet, &rest, 8, "UDP");
	size_t len;

	if (!header)
		return;
	packet->layers |= PACKET_UDP;
	packet->ports[0] = read16(header);
	packet->ports[1] = read16(header + 2);
	len = read16(header + 4);
	/* None where it would not fit; and of a fragment the others have the rest. */
	if (len && len < 8) {
		packet->bad = "UDP length";
		return;
	}
	packet->udp_len = len ? len - 8 : rest.len;
	if (packet->udp_len > rest.len && !packet->ip.more && !packet->missing)
		packet->bad = "UDP length";
	if (packet->udp_len < rest.len)
		limit(&rest, packet->udp_len);
	if (has_port(packet, 53) || has_port(packet, 5353) || has_port(packet, 5355))
		parse_dns(packet, rest);
	else if (has_port(packet, 67) || has_port(packet, 68))
		parse_dhcp(packet, rest);
}

/* ---- behind IP ---- */

static void parse_tcp(struct packet *packet, struct rest rest)
{
	const uint8_t *header = take(packet, &rest, 20, "TCP");
	struct packet_tcp *tcp = &packet->tcp;
	size_t len;

	if (!header)
		return;
	packet->layers |= PACKET_TCP;
	packet->ports[0] = read16(header);
	packet->ports[1] = read16(header + 2);
	tcp->seq = read32(header + 4);
	tcp->ack = read32(header + 8);
	tcp->flags = read16(header + 12) & 0x1ff;
	tcp->window = read16(header + 14);
	tcp->urgent = read16(header + 18);
	len = (size_t)(header[12] >> 4) * 4;
	if (len < 20 || len - 20 > rest.len) {
		packet->bad = "TCP header length";
		return;
	}
	tcp->options_len = len - 20;
	tcp->len = rest.len - tcp->options_len;
	tcp->options = take(packet, &rest, tcp->options_len, "TCP options");
}

static void parse_icmp(struct packet *packet, struct rest rest)
{
	const uint8_t *header = take(packet, &rest, 8, "ICMP");
	struct packet_icmp *icmp = &packet->icmp;

	if (!header)
		return;
	packet->layers |= PACKET_ICMP;
	icmp->type = header[0];
	icmp->code = header[1];
	icmp->id = read16(header + 4);
	icmp->seq = read16(header + 6);
	icmp->mtu = icmp->seq;
	if (icmp->type == 5) {
		memcpy(icmp->target, header + 4, 4);
		icmp->has_target = true;
	}
}

static void parse_icmp6(struct packet *packet, struct rest rest)
{
	const uint8_t *header = take(packet, &rest, 8, "ICMP6");
	struct packet_icmp *icmp = &packet->icmp;

	if (!header)
		return;
	packet->layers |= PACKET_ICMP6;
	icmp->type = header[0];
	icmp->code = header[1];
	icmp->id = read16(header + 4);
	icmp->seq = read16(header + 6);
	icmp->mtu = read32(header + 4);
	/* Groups of listeners, neighbours, and a redirect's better router */
	if ((icmp->type < 130 || icmp->type > 132) && (icmp->type < 135 || icmp->type > 137))
		return;
	header = take(packet, &rest, 16, "ICMP6");
	if (!header)
		return;
	memcpy(icmp->target, header, 16);
	icmp->has_target = true;
}

static void parse_transport(struct packet *packet, struct rest rest)
{
	const struct packet_ip *ip = &packet->ip;

	packet->ip.len = rest.len;
	/* Only the first fragment has the header. */
	if (ip->offset)
		return;
	if (ip->protocol == IPPROTO_TCP)
		parse_tcp(packet, rest);
	else if (ip->protocol == IPPROTO_UDP)
		parse_udp(packet, rest);
	else if (ip->protocol == IPPROTO_ICMP && ip->version == 4)
		parse_icmp(packet, rest);
	else if (ip->protocol == IPPROTO_ICMPV6 && ip->version == 6)
		parse_icmp6(packet, rest);
}

/* IP says how much follows: less is padding, more is missing. */
static void limit_ip(struct packet *packet, struct rest *rest, size_t len)
{
	if (len > rest->len)
		packet->missing = len - rest->len;
	limit(rest, len);
}

static void parse_ipv4(struct packet *packet, struct rest rest)
{
	const uint8_t *header = take(packet, &rest, 20, "IPv4");
	struct packet_ip *ip = &packet->ip;
	size_t size, total;
	uint16_t fragment;

	if (!header)
		return;
	size = (size_t)(header[0] & 15) * 4;
	total = read16(header + 2);
	/* A stack that leaves it to the NIC to cut the packet may have no length. */
	if (!total)
		total = 20 + rest.len;
	if (header[0] >> 4 != 4 || size < 20 || total < size) {
		packet->bad = header[0] >> 4 != 4 ? "IP version" : "IP header length";
		return;
	}
	packet->layers |= PACKET_IP;
	ip->version = 4;
	ip->tos = header[1];
	ip->id = read16(header + 4);
	fragment = read16(header + 6);
	ip->dont_fragment = fragment & 0x4000;
	ip->more = fragment & 0x2000;
	ip->offset = (uint32_t)(fragment & 0x1fff) * 8;
	if (ip->more || ip->offset)
		packet->layers |= PACKET_FRAGMENT;
	ip->ttl = header[8];
	ip->protocol = header[9];
	memcpy(ip->src, header + 12, 4);
	memcpy(ip->dst, header + 16, 4);
	limit_ip(packet, &rest, total - 20);
	ip->len = total - size;
	if (take(packet, &rest, size - 20, "IPv4 options"))
		parse_transport(packet, rest);
}

/* The size of a header that stands between IPv6 and what it carries; 0: it is none. */
static size_t extension_size(uint8_t number, uint8_t length)
{
	switch (number) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case 139:	/* HIP */
	case 140:	/* shim6 */
		return ((size_t)length + 1) * 8;
	case IPPROTO_FRAGMENT:
		return 8;
	case IPPROTO_AH:
		return ((size_t)length + 2) * 4;
	}
	return 0;
}

/* False: what is behind cannot be read. */
static bool parse_extensions(struct packet *packet, struct rest *rest)
{
	struct packet_ip *ip = &packet->ip;

	while (extension_size(ip->protocol, 0)) {
		uint8_t number = ip->protocol;
		const uint8_t *header;
		size_t size;

		if (ip->extension_count == PACKET_EXTENSIONS) {
			packet->bad = "number of extension headers";
			return false;
		}
		size = rest->here < 2 ? 8 : extension_size(number, rest->at[1]);
		header = take(packet, rest, size, "IPv6 extension");
		if (!header)
			return false;
		ip->extensions[ip->extension_count++] = number;
		ip->protocol = header[0];
		ip->len = rest->len;
		if (number != IPPROTO_FRAGMENT)
			continue;
		packet->layers |= PACKET_FRAGMENT;
		ip->offset = read16(header + 2) & 0xfff8;
		ip->more = header[3] & 1;
		ip->id = read32(header + 4);
		/* What follows in a later one is not a header. */
		if (ip->offset)
			return true;
	}
	return true;
}

static void parse_ipv6(struct packet *packet, struct rest rest)
{
	const uint8_t *header = take(packet, &rest, 40, "IPv6");
	struct packet_ip *ip = &packet->ip;
	size_t len;

	if (!header)
		return;
	if (header[0] >> 4 != 6) {
		packet->bad = "IP version";
		return;
	}
	packet->layers |= PACKET_IP;
	ip->version = 6;
	ip->tos = (uint8_t)(read16(header) >> 4);
	ip->flow = read32(header) & 0xfffff;
	len = read16(header + 4);
	ip->protocol = header[6];
	ip->ttl = header[7];
	memcpy(ip->src, header + 8, 16);
	memcpy(ip->dst, header + 24, 16);
	/* A jumbogram's is in an option. */
	if (len || ip->protocol != IPPROTO_HOPOPTS)
		limit_ip(packet, &rest, len);
	ip->len = rest.len;
	if (parse_extensions(packet, &rest))
		parse_transport(packet, rest);
}

/* ---- behind Ethernet ---- */

static void parse_arp(struct packet *packet, struct rest rest)
{
	size_t len = rest.len;
	const uint8_t *header = take(packet, &rest, 8, "ARP");
	struct packet_arp *arp = &packet->arp;

	if (!header)
		return;
	arp->hardware = read16(header);
	arp->protocol = read16(header + 2);
	arp->operation = read16(header + 6);
	arp->len = len;
	if (arp->hardware != 1 || arp->protocol != ETHERTYPE_IP || header[4] != 6 ||
	    header[5] != 4) {
		packet->bad = "kind of ARP";
		return;
	}
	header = take(packet, &rest, 20, "ARP");
	if (!header)
		return;
	packet->layers |= PACKET_ARP;
	memcpy(arp->sender_mac, header, 6);
	memcpy(arp->sender_ip, header + 6, 4);
	memcpy(arp->target_mac, header + 10, 6);
	memcpy(arp->target_ip, header + 16, 4);
}

static void parse_lldp(struct packet *packet, struct rest rest)
{
	packet->layers |= PACKET_LLDP;
	while (rest.here >= 2) {
		int type = rest.at[0] >> 1;
		size_t len = read16(rest.at) & 0x1ff;

		if (type == LLDP_END)
			return;
		if (rest.here - 2 < len)
			break;
		if (type == LLDP_SYSTEM_NAME && len < PACKET_NAME) {
			for (size_t i = 0; i < len; i++)
				packet->lldp_name[i] = printable(rest.at[2 + i]);
			packet->lldp_name[len] = '\0';
		}
		rest.at += 2 + len;
		rest.here -= 2 + len;
	}
	packet->cut = "LLDP";
}

static void parse_stp(struct packet *packet, struct rest rest)
{
	const uint8_t *header = take(packet, &rest, 4, "STP");
	struct packet_stp *stp = &packet->stp;

	if (!header)
		return;
	packet->layers |= PACKET_STP;
	stp->version = header[2];
	stp->type = header[3];
	if (stp->type != STP_CONFIG && stp->type != STP_RAPID)
		return;
	header = take(packet, &rest, 31, "STP");
	if (!header)
		return;
	stp->is_config = true;
	stp->flags = header[0];
	memcpy(stp->root, header + 1, 8);
	stp->cost = read32(header + 9);
	memcpy(stp->bridge, header + 13, 8);
	stp->port = read16(header + 21);
}

static void parse_llc(struct packet *packet, struct rest rest)
{
	const uint8_t *header;

	if (packet->type < rest.len)
		limit(&rest, packet->type);
	header = take(packet, &rest, 3, "LLC");
	if (!header)
		return;
	packet->layers |= PACKET_LLC;
	packet->dsap = header[0];
	packet->ssap = header[1];
	packet->control = header[2];
	if (packet->dsap == SAP_STP && packet->ssap == SAP_STP)
		parse_stp(packet, rest);
}

static bool is_tag(uint16_t type)
{
	return type == ETHERTYPE_VLAN || type == TYPE_SVLAN || type == TYPE_QINQ;
}

static void parse_type(struct packet *packet, struct rest rest)
{
	packet->eth_len = rest.len;
	if (packet->type <= MAX_LENGTH) {
		parse_llc(packet, rest);
		return;
	}
	switch (packet->type) {
	case ETHERTYPE_IP:
		parse_ipv4(packet, rest);
		break;
	case ETHERTYPE_IPV6:
		parse_ipv6(packet, rest);
		break;
	case ETHERTYPE_ARP:
		parse_arp(packet, rest);
		break;
	case TYPE_LLDP:
		parse_lldp(packet, rest);
		break;
	}
}

void packet_parse(struct packet *packet, const void *data, size_t captured, size_t len)
{
	struct rest rest = { data, captured, len < captured ? captured : len };
	const uint8_t *header;

	*packet = (struct packet){ .captured = captured, .len = rest.len };
	header = take(packet, &rest, ETHER_HDR_LEN, "Ethernet");
	if (!header)
		return;
	packet->layers = PACKET_ETHERNET;
	memcpy(packet->dst, header, 6);
	memcpy(packet->src, header + 6, 6);
	packet->type = read16(header + 12);
	while (is_tag(packet->type) && packet->tag_count < PACKET_TAGS) {
		header = take(packet, &rest, 4, "VLAN");
		if (!header)
			return;
		packet->tags[packet->tag_count][0] = packet->type;
		packet->tags[packet->tag_count++][1] = read16(header);
		packet->type = read16(header + 2);
	}
	parse_type(packet, rest);
}

const char *packet_protocol(const struct packet *packet)
{
	/* The innermost first. */
	static const struct {
		uint32_t layer;
		const char *name;
	} names[] = {
		{ PACKET_DNS, "dns" }, { PACKET_DHCP, "dhcp" }, { PACKET_UDP, "udp" },
		{ PACKET_TCP, "tcp" }, { PACKET_ICMP, "icmp" }, { PACKET_ICMP6, "icmp6" },
		{ PACKET_ARP, "arp" }, { PACKET_LLDP, "lldp" }, { PACKET_STP, "stp" },
		{ PACKET_LLC, "llc" }, { PACKET_ETHERNET, "ethernet" },
	};

	if (packet->layers & PACKET_IP && packet->layers < PACKET_TCP)
		return packet->ip.version == 6 ? "ip6" : "ip";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (packet->layers & names[i].layer)
			return names[i].name;
	return "none";
}
