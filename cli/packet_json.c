/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A packet as members of a JSON object. Written by hand: there may be a million packets a
 * second, and no string has characters that would have to be escaped (packet.c sees to that).
 */
#include <inttypes.h>

#include "line.h"
#include "packet.h"

static void add_number(struct line *line, const char *key, uint64_t value)
{
	line_add(line, ",\"%s\":%" PRIu64, key, value);
}

static void add_bool(struct line *line, const char *key, bool value)
{
	line_add(line, ",\"%s\":%s", key, value ? "true" : "false");
}

static void add_text(struct line *line, const char *key, const char *text)
{
	line_add(line, ",\"%s\":\"%s\"", key, text);
}

static void add_mac(struct line *line, const char *key, const uint8_t mac[6])
{
	line_add(line, ",\"%s\":\"", key);
	line_add_mac(line, mac);
	line_add(line, "\"");
}

static void add_ip(struct line *line, const char *key, int version, const uint8_t *address)
{
	line_add(line, ",\"%s\":\"", key);
	line_add_ip(line, version, address);
	line_add(line, "\"");
}

static void add_ethernet(struct line *line, const struct packet *packet)
{
	add_mac(line, "eth_src", packet->src);
	add_mac(line, "eth_dst", packet->dst);
	add_number(line, "eth_type", packet->type);
	if (!packet->tag_count)
		return;
	line_add(line, ",\"vlans\":[");
	for (int i = 0; i < packet->tag_count; i++)
		line_add(line, i ? ",%u" : "%u", packet->tags[i][1] & 0xfff);
	line_add(line, "],\"vlan_priorities\":[");
	for (int i = 0; i < packet->tag_count; i++)
		line_add(line, i ? ",%u" : "%u", packet->tags[i][1] >> 13);
	line_add(line, "]");
}

static void add_arp(struct line *line, const struct packet_arp *arp)
{
	add_number(line, "arp_operation", arp->operation);
	add_mac(line, "arp_sender_mac", arp->sender_mac);
	add_ip(line, "arp_sender_ip", 4, arp->sender_ip);
	add_mac(line, "arp_target_mac", arp->target_mac);
	add_ip(line, "arp_target_ip", 4, arp->target_ip);
}

static void add_ip_header(struct line *line, const struct packet *packet)
{
	const struct packet_ip *ip = &packet->ip;

	add_number(line, "ip_version", (uint64_t)ip->version);
	add_ip(line, "ip_src", ip->version, ip->src);
	add_ip(line, "ip_dst", ip->version, ip->dst);
	add_number(line, "ip_protocol", ip->protocol);
	add_number(line, "ip_ttl", ip->ttl);
	add_number(line, "ip_tos", ip->tos);
	add_number(line, "ip_length", ip->len);
	if (ip->version == 6)
		add_number(line, "ip_flow", ip->flow);
	else
		add_bool(line, "ip_dont_fragment", ip->dont_fragment);
	if (ip->version == 4 || packet->layers & PACKET_FRAGMENT)
		add_number(line, "ip_id", ip->id);
	if (packet->layers & PACKET_FRAGMENT) {
		add_number(line, "fragment_offset", ip->offset);
		add_bool(line, "fragment_more", ip->more);
	}
}

static void add_tcp(struct line *line, const struct packet_tcp *tcp)
{
	static const char letters[] = "FSRP.UEWe";
	char flags[sizeof(letters)], *at = flags;

	for (int i = 0; letters[i]; i++)
		if (tcp->flags & 1u << i)
			*at++ = letters[i];
	*at = '\0';
	add_text(line, "tcp_flags", flags);
	add_number(line, "tcp_seq", tcp->seq);
	add_number(line, "tcp_ack", tcp->ack);
	add_number(line, "tcp_window", tcp->window);
	add_number(line, "payload_length", tcp->len);
}

static void add_icmp(struct line *line, const struct packet *packet)
{
	const struct packet_icmp *icmp = &packet->icmp;
	bool six = packet->layers & PACKET_ICMP6;

	add_number(line, "icmp_type", icmp->type);
	add_number(line, "icmp_code", icmp->code);
	if (six ? icmp->type == 128 || icmp->type == 129 : icmp->type == 0 || icmp->type == 8) {
		add_number(line, "icmp_id", icmp->id);
		add_number(line, "icmp_seq", icmp->seq);
	}
	if (six ? icmp->type == 2 : icmp->type == 3 && icmp->code == 4)
		add_number(line, "icmp_mtu", icmp->mtu);
	if (icmp->has_target)
		add_ip(line, "icmp_target", six ? 6 : 4, icmp->target);
}

static void add_dns(struct line *line, const struct packet_dns *dns)
{
	add_number(line, "dns_id", dns->id);
	add_bool(line, "dns_response", dns->flags & 0x8000);
	add_number(line, "dns_code", dns->flags & 15);
	add_number(line, "dns_answers", dns->counts[1]);
	if (dns->name[0]) {
		add_text(line, "dns_name", dns->name);
		add_number(line, "dns_type", dns->type);
	}
}

static void add_transport(struct line *line, const struct packet *packet)
{
	if (packet->layers & (PACKET_TCP | PACKET_UDP)) {
		add_number(line, "src_port", packet->ports[0]);
		add_number(line, "dst_port", packet->ports[1]);
	}
	if (packet->layers & PACKET_TCP)
		add_tcp(line, &packet->tcp);
	if (packet->layers & PACKET_UDP)
		add_number(line, "payload_length", packet->udp_len);
	if (packet->layers & (PACKET_ICMP | PACKET_ICMP6))
		add_icmp(line, packet);
	if (packet->layers & PACKET_DNS)
		add_dns(line, &packet->dns);
	if (packet->layers & PACKET_DHCP) {
		add_number(line, "dhcp_operation", packet->dhcp_operation);
		add_number(line, "dhcp_type", packet->dhcp_type);
		add_mac(line, "dhcp_mac", packet->dhcp_mac);
	}
}

char *packet_json(char text[PACKET_JSON], const struct packet *packet)
{
	struct line line;

	line_start(&line, text, PACKET_JSON);
	line_add(&line, "\"length\":%zu", packet->len);
	add_number(&line, "captured", packet->captured);
	add_text(&line, "protocol", packet_protocol(packet));
	if (packet->layers & PACKET_ETHERNET)
		add_ethernet(&line, packet);
	if (packet->layers & PACKET_ARP)
		add_arp(&line, &packet->arp);
	if (packet->layers & PACKET_IP)
		add_ip_header(&line, packet);
	add_transport(&line, packet);
	if (packet->lldp_name[0])
		add_text(&line, "lldp_name", packet->lldp_name);
	if (packet->bad)
		add_text(&line, "bad", packet->bad);
	if (packet->cut)
		add_text(&line, "truncated", packet->cut);
	if (packet->missing)
		add_number(&line, "missing", packet->missing);
	return text;
}
