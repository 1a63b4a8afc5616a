/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* A packet as a line of text, in the manner of tcpdump -e -n -S. */
#include <netinet/in.h>
#include <string.h>

#include "bytes.h"
#include "line.h"
#include "packet.h"

/* ---- Ethernet and what is directly behind it ---- */

static void say_type(struct line *line, uint16_t type)
{
	const char *name = packet_name_of_type(type);

	if (type <= 1500)
		line_add(line, "802.3");
	else
		line_add(line, "ethertype %s (0x%04x)", name ? name : "Unknown", type);
}

static void say_ethernet(struct line *line, const struct packet *packet)
{
	line_add_mac(line, packet->src);
	line_add(line, " > ");
	line_add_mac(line, packet->dst);
	line_add(line, ", ");
	say_type(line, packet->tag_count ? packet->tags[0][0] : packet->type);
	line_add(line, ", length %zu", packet->len);
	for (int i = 0; i < packet->tag_count; i++) {
		uint16_t tag = packet->tags[i][1];

		line_add(line, "%s vlan %u, p %u%s, ", i ? "," : ":", tag & 0xfff, tag >> 13,
			 tag & 0x1000 ? ", DEI" : "");
		say_type(line, i + 1 < packet->tag_count ? packet->tags[i + 1][0] : packet->type);
	}
}

static void say_arp(struct line *line, const struct packet *packet)
{
	static const uint8_t none[6];
	const struct packet_arp *arp = &packet->arp;

	switch (arp->operation) {
	case 1:
		line_add(line, "Request who-has ");
		line_add_ip(line, 4, arp->target_ip);
		if (memcmp(arp->target_mac, none, 6)) {
			line_add(line, " (");
			line_add_mac(line, arp->target_mac);
			line_add(line, ")");
		}
		line_add(line, " tell ");
		line_add_ip(line, 4, arp->sender_ip);
		break;
	case 2:
		line_add(line, "Reply ");
		line_add_ip(line, 4, arp->sender_ip);
		line_add(line, " is-at ");
		line_add_mac(line, arp->sender_mac);
		break;
	default:
		line_add(line, "ARP operation %u", arp->operation);
	}
	line_add(line, ", length %zu", arp->len);
}

static void say_stp(struct line *line, const struct packet *packet)
{
	const struct packet_stp *stp = &packet->stp;

	line_add(line, "STP %s, ", stp->version == 0 ? "802.1d" : stp->version == 2 ? "802.1w" :
		 stp->version == 3 ? "802.1s" : "of another version");
	if (!stp->is_config) {
		line_add(line, stp->type == 0x80 ? "Topology Change" : "type 0x%02x", stp->type);
		return;
	}
	line_add(line, "%s, bridge-id %04x.", stp->type == 2 ? "Rapid STP" : "Config",
		 read16(stp->bridge));
	line_add_mac(line, stp->bridge + 2);
	line_add(line, ".%04x, root-id %04x.", stp->port, read16(stp->root));
	line_add_mac(line, stp->root + 2);
	line_add(line, ", cost %u", stp->cost);
}

/* ---- behind IP ---- */

static void say_option(struct line *line, const uint8_t *option, size_t len)
{
	switch (option[0]) {
	case 2:
		line_add(line, len == 4 ? "mss %u" : "mss", len == 4 ? read16(option + 2) : 0);
		break;
	case 3:
		line_add(line, len == 3 ? "wscale %u" : "wscale", len == 3 ? option[2] : 0);
		break;
	case 4:
		line_add(line, "sackOK");
		break;
	case 5:
		line_add(line, "sack %zu ", (len - 2) / 8);
		for (size_t at = 2; at + 8 <= len; at += 8)
			line_add(line, "{%u:%u}", read32(option + at), read32(option + at + 4));
		break;
	case 8:
		if (len == 10)
			line_add(line, "TS val %u ecr %u", read32(option + 2), read32(option + 6));
		else
			line_add(line, "TS");
		break;
	default:
		line_add(line, "unknown-%u", option[0]);
	}
}

static void say_options(struct line *line, const uint8_t *at, size_t left)
{
	const char *comma = "";

	line_add(line, ", options [");
	while (left) {
		size_t len = at[0] < 2 ? 1 : left < 2 ? 0 : at[1];

		line_add(line, "%s", comma);
		comma = ",";
		if (at[0] == 0) {
			line_add(line, "eol");
			break;
		}
		if (at[0] == 1) {
			line_add(line, "nop");
		} else if (len < 2 || len > left) {
			line_add(line, "bad");
			break;
		} else {
			say_option(line, at, len);
		}
		at += len;
		left -= len;
	}
	line_add(line, "]");
}

static void say_tcp(struct line *line, const struct packet *packet)
{
	/* From the lowest bit on. */
	static const char letters[] = "FSRP.UEWe";
	const struct packet_tcp *tcp = &packet->tcp;

	line_add(line, "Flags [");
	for (int i = 0; letters[i]; i++)
		if (tcp->flags & 1u << i)
			line_add(line, "%c", letters[i]);
	line_add(line, "%s]", tcp->flags ? "" : "none");
	/* A number that says nothing is left out: none of it is used up. */
	if (tcp->len)
		line_add(line, ", seq %u:%u", tcp->seq, tcp->seq + (uint32_t)tcp->len);
	else if (tcp->flags & 7)
		line_add(line, ", seq %u", tcp->seq);
	if (tcp->flags & 16)
		line_add(line, ", ack %u", tcp->ack);
	line_add(line, ", win %u", tcp->window);
	if (tcp->flags & 32)
		line_add(line, ", urg %u", tcp->urgent);
	if (tcp->options && tcp->options_len)
		say_options(line, tcp->options, tcp->options_len);
	line_add(line, ", length %zu", tcp->len);
}

static void say_dns(struct line *line, const struct packet *packet)
{
	static const char *const codes[16] = {
		"", " FormErr", " ServFail", " NXDomain", " NotImp", " Refused", " YXDomain",
		" YXRRSet", " NXRRSet", " NotAuth", " NotZone",
	};
	const struct packet_dns *dns = &packet->dns;
	const char *type = packet_name_of_question(dns->type), *code = codes[dns->flags & 15];

	line_add(line, "%u", dns->id);
	if (dns->flags & 0x8000)
		line_add(line, "%s%s %u/%u/%u", code ? code : " error",
			 dns->flags & 0x0400 ? "*" : "", dns->counts[1], dns->counts[2],
			 dns->counts[3]);
	else if (dns->flags & 0x0100)
		line_add(line, "+");
	if (dns->name[0] && type)
		line_add(line, " %s? %s", type, dns->name);
	else if (dns->name[0])
		line_add(line, " Type%u? %s", dns->type, dns->name);
	/* As all names, with the root's dot at the end. */
	if (dns->name[0] && strcmp(dns->name, "."))
		line_add(line, ".");
	line_add(line, " (%zu)", packet->udp_len);
}

static void say_dhcp(struct line *line, const struct packet *packet)
{
	const char *type = packet_name_of_dhcp(packet->dhcp_type);

	line_add(line, "BOOTP/DHCP, %s", packet->dhcp_operation == 1 ? "Request from " :
		 packet->dhcp_operation == 2 ? "Reply to " : "neither request nor reply of ");
	line_add_mac(line, packet->dhcp_mac);
	line_add(line, ", length %zu", packet->udp_len);
	if (type)
		line_add(line, ", %s", type);
}

static void say_udp(struct line *line, const struct packet *packet)
{
	const char *name = packet_name_of_ports(packet->ports);

	if (packet->layers & PACKET_DNS)
		say_dns(line, packet);
	else if (packet->layers & PACKET_DHCP)
		say_dhcp(line, packet);
	else if (name)
		line_add(line, "UDP (%s), length %zu", name, packet->udp_len);
	else
		line_add(line, "UDP, length %zu", packet->udp_len);
}

static void say_icmp(struct line *line, const struct packet *packet)
{
	static const char *const unreachable[] = {
		"net", "host", "protocol", "port", "too big", "source route", "net unknown",
		"host unknown", "isolated", "net prohibited", "host prohibited", "TOS of net",
		"TOS of host", "filtered",
	};
	static const char *const types[] = {
		[0] = "echo reply", [3] = "unreachable", [4] = "source quench", [5] = "redirect",
		[8] = "echo request", [9] = "router advertisement", [10] = "router solicitation",
		[11] = "time exceeded", [12] = "parameter problem", [13] = "time stamp query",
		[14] = "time stamp reply",
	};
	const struct packet_icmp *icmp = &packet->icmp;
	const char *type = icmp->type < sizeof(types) / sizeof(types[0]) ? types[icmp->type] : NULL;

	if (type)
		line_add(line, "ICMP %s", type);
	else
		line_add(line, "ICMP type %u code %u", icmp->type, icmp->code);
	if (icmp->type == 0 || icmp->type == 8)
		line_add(line, ", id %u, seq %u", icmp->id, icmp->seq);
	if (icmp->type == 3 && icmp->code < sizeof(unreachable) / sizeof(unreachable[0]))
		line_add(line, ": %s", unreachable[icmp->code]);
	if (icmp->type == 3 && icmp->code == 4)
		line_add(line, ", mtu %u", icmp->mtu);
	if (icmp->has_target) {
		line_add(line, " to ");
		line_add_ip(line, 4, icmp->target);
	}
	line_add(line, ", length %zu", packet->ip.len);
}

static void say_icmp6(struct line *line, const struct packet *packet)
{
	static const char *const errors[] = {
		[1] = "destination unreachable", [2] = "packet too big", [3] = "time exceeded",
		[4] = "parameter problem",
	};
	static const char *const others[] = {
		"echo request", "echo reply", "multicast listener query",
		"multicast listener report", "multicast listener done", "router solicitation",
		"router advertisement", "neighbor solicitation", "neighbor advertisement",
		"redirect",
	};
	const struct packet_icmp *icmp = &packet->icmp;
	const char *type = icmp->type < 5 ? errors[icmp->type] :
			   icmp->type >= 128 && icmp->type <= 137 ? others[icmp->type - 128] :
			   icmp->type == 143 ? "multicast listener report v2" : NULL;

	if (type)
		line_add(line, "ICMP6, %s", type);
	else
		line_add(line, "ICMP6, type %u code %u", icmp->type, icmp->code);
	if (icmp->type == 128 || icmp->type == 129)
		line_add(line, ", id %u, seq %u", icmp->id, icmp->seq);
	if (icmp->type == 143)
		line_add(line, ", %u group record(s)", icmp->seq);
	if (icmp->type == 2)
		line_add(line, ", mtu %u", icmp->mtu);
	if (icmp->has_target) {
		line_add(line, icmp->type == 135 ? ", who has " :
			 icmp->type == 136 ? ", tgt is " : ", ");
		line_add_ip(line, 6, icmp->target);
	}
	line_add(line, ", length %zu", packet->ip.len);
}

static void say_endpoint(struct line *line, const struct packet *packet, int which)
{
	line_add_ip(line, packet->ip.version, which ? packet->ip.dst : packet->ip.src);
	if (packet->layers & (PACKET_TCP | PACKET_UDP))
		line_add(line, ".%u", packet->ports[which]);
}

static void say_extensions(struct line *line, const struct packet_ip *ip)
{
	for (int i = 0; i < ip->extension_count; i++) {
		uint8_t number = ip->extensions[i];

		if (number == IPPROTO_FRAGMENT)
			continue;	/* has words of its own */
		line_add(line, "%s ", number == IPPROTO_HOPOPTS ? "HBH" :
			 number == IPPROTO_DSTOPTS ? "DSTOPT" : number == IPPROTO_ROUTING ? "RT" :
			 number == IPPROTO_AH ? "AH" : number == IPPROTO_MH ? "mobility" : "EXT");
	}
}

/* Of which nothing more is known. */
static void say_protocol(struct line *line, const struct packet_ip *ip)
{
	const char *name = packet_name_of_ip(ip->protocol);

	if (name)
		line_add(line, "%s, length %zu", name, ip->len);
	else
		line_add(line, "protocol %u, length %zu", ip->protocol, ip->len);
}

static void say_ip(struct line *line, const struct packet *packet)
{
	const struct packet_ip *ip = &packet->ip;

	say_endpoint(line, packet, 0);
	line_add(line, " > ");
	say_endpoint(line, packet, 1);
	line_add(line, ": ");
	say_extensions(line, ip);
	if (packet->layers & PACKET_TCP)
		say_tcp(line, packet);
	else if (packet->layers & PACKET_UDP)
		say_udp(line, packet);
	else if (packet->layers & PACKET_ICMP)
		say_icmp(line, packet);
	else if (packet->layers & PACKET_ICMP6)
		say_icmp6(line, packet);
	else
		say_protocol(line, ip);
	if (packet->layers & PACKET_FRAGMENT)
		line_add(line, " (fragment: id %u, offset %u%s)", ip->id, ip->offset,
			 ip->more ? ", more follow" : "");
}

/* ---- all of it ---- */

static void say_body(struct line *line, const struct packet *packet)
{
	const uint32_t known = PACKET_ARP | PACKET_IP | PACKET_LLDP | PACKET_LLC;

	if (!(packet->layers & known))
		return;
	line_add(line, packet->tag_count ? ", " : ": ");
	if (packet->layers & PACKET_ARP)
		say_arp(line, packet);
	else if (packet->layers & PACKET_IP)
		say_ip(line, packet);
	else if (packet->layers & PACKET_LLDP)
		line_add(line, "LLDP, length %zu%s%s", packet->eth_len,
			 packet->lldp_name[0] ? ": " : "", packet->lldp_name);
	else if (packet->layers & PACKET_STP)
		say_stp(line, packet);
	else
		line_add(line, "LLC, dsap 0x%02x, ssap 0x%02x, control 0x%02x, length %u",
			 packet->dsap, packet->ssap, packet->control, packet->type);
}

char *packet_say(char text[PACKET_TEXT], const struct packet *packet)
{
	struct line line;

	line_start(&line, text, PACKET_TEXT);
	if (packet->layers & PACKET_ETHERNET)
		say_ethernet(&line, packet);
	else
		line_add(&line, "length %zu", packet->len);
	say_body(&line, packet);
	if (packet->bad)
		line_add(&line, " [bad %s]", packet->bad);
	if (packet->cut)
		line_add(&line, " [truncated %s]", packet->cut);
	if (packet->missing)
		line_add(&line, " [%zu bytes missing]", packet->missing);
	return text;
}
