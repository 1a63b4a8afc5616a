/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What the numbers in packets are called. */
#include <stddef.h>

#include "packet.h"

struct name {
	unsigned int number;
	const char *name;
};

/* A table ends with an entry of zeros. */
static const char *find(const struct name *names, unsigned int number)
{
	for (; names->name; names++)
		if (names->number == number)
			return names->name;
	return NULL;
}

const char *packet_name_of_type(uint16_t type)
{
	static const struct name names[] = {
		{ 0x0800, "IPv4" }, { 0x0806, "ARP" }, { 0x0842, "Wake-on-LAN" },
		{ 0x22f0, "AVTP" }, { 0x22ea, "SRP" }, { 0x8035, "RARP" }, { 0x8100, "802.1Q" },
		{ 0x86dd, "IPv6" }, { 0x8808, "MAC control" }, { 0x8809, "Slow Protocols" },
		{ 0x8847, "MPLS" }, { 0x8848, "MPLS multicast" }, { 0x8863, "PPPoE D" },
		{ 0x8864, "PPPoE S" }, { 0x888e, "EAPOL" }, { 0x8892, "PROFINET" },
		{ 0x88a4, "EtherCAT" }, { 0x88a8, "802.1Q-QinQ" }, { 0x88b8, "GOOSE" },
		{ 0x88ba, "SV" }, { 0x88cc, "LLDP" }, { 0x88e5, "MACsec" }, { 0x88f7, "PTP" },
		{ 0x88fb, "PRP" }, { 0x8902, "CFM" }, { 0x8906, "FCoE" }, { 0x8915, "RoCE" },
		{ 0x892f, "HSR" }, { 0x9000, "Loopback" }, { 0x9100, "802.1Q-9100" }, { 0 },
	};

	return find(names, type);
}

const char *packet_name_of_ip(uint8_t protocol)
{
	static const struct name names[] = {
		{ 1, "ICMP" }, { 2, "IGMP" }, { 4, "IPv4" }, { 6, "TCP" }, { 8, "EGP" },
		{ 17, "UDP" }, { 33, "DCCP" }, { 41, "IPv6" }, { 46, "RSVP" }, { 47, "GRE" },
		{ 50, "ESP" }, { 51, "AH" }, { 58, "ICMP6" }, { 59, "no next header" },
		{ 88, "EIGRP" }, { 89, "OSPF" }, { 94, "IPIP" }, { 103, "PIM" }, { 112, "VRRP" },
		{ 115, "L2TP" }, { 132, "SCTP" }, { 136, "UDP-Lite" }, { 137, "MPLS" }, { 0 },
	};

	return find(names, protocol);
}

const char *packet_name_of_ports(const uint16_t ports[2])
{
	static const struct name names[] = {
		{ 53, "DNS" }, { 67, "DHCP" }, { 68, "DHCP" }, { 69, "TFTP" }, { 123, "NTP" },
		{ 161, "SNMP" }, { 162, "SNMP" }, { 319, "PTP" }, { 320, "PTP" }, { 443, "QUIC" },
		{ 500, "IKE" }, { 514, "syslog" }, { 546, "DHCPv6" }, { 547, "DHCPv6" },
		{ 1900, "SSDP" }, { 2152, "GTP" }, { 3784, "BFD" }, { 4500, "IKE or ESP" },
		{ 4789, "VXLAN" }, { 5353, "mDNS" }, { 5355, "LLMNR" }, { 6081, "Geneve" },
		{ 6343, "sFlow" }, { 51820, "WireGuard" }, { 0 },
	};
	const char *name = find(names, ports[1]);

	return name ? name : find(names, ports[0]);
}

const char *packet_name_of_question(uint16_t type)
{
	static const struct name names[] = {
		{ 1, "A" }, { 2, "NS" }, { 5, "CNAME" }, { 6, "SOA" }, { 12, "PTR" },
		{ 13, "HINFO" },
		{ 15, "MX" }, { 16, "TXT" }, { 28, "AAAA" }, { 33, "SRV" }, { 35, "NAPTR" },
		{ 39, "DNAME" }, { 41, "OPT" }, { 43, "DS" }, { 46, "RRSIG" }, { 47, "NSEC" },
		{ 48, "DNSKEY" }, { 52, "TLSA" }, { 64, "SVCB" }, { 65, "HTTPS" }, { 251, "IXFR" },
		{ 252, "AXFR" }, { 255, "ANY" }, { 257, "CAA" }, { 0 },
	};

	return find(names, type);
}

const char *packet_name_of_dhcp(uint8_t type)
{
	static const struct name names[] = {
		{ 1, "Discover" }, { 2, "Offer" }, { 3, "Request" }, { 4, "Decline" }, { 5, "ACK" },
		{ 6, "NACK" }, { 7, "Release" }, { 8, "Inform" }, { 0 },
	};

	return find(names, type);
}
