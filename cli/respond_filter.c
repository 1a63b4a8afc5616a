/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What respond() answers, in the language of pcap-filter(7). */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "respond.h"

/* "X or X or X", X by format of the address as text. */
static void write_ipv4(FILE *to, const struct responder *responder, const char *format)
{
	char text[INET_ADDRSTRLEN];

	for (unsigned int i = 0; i < responder->ipv4_count; i++) {
		fputs(i ? " or " : "", to);
		fprintf(to, "%s %s", format,
			inet_ntop(AF_INET, &responder->ipv4[i], text, sizeof(text)));
	}
}

static void write_ipv6(FILE *to, const struct responder *responder)
{
	char text[INET6_ADDRSTRLEN];

	for (unsigned int i = 0; i < responder->ipv6_count; i++)
		fprintf(to, "%sip6 dst host %s", i ? " or " : "",
			inet_ntop(AF_INET6, &responder->ipv6[i], text, sizeof(text)));
}

/* Asked for by a neighbour, in the message itself. */
static void write_targets(FILE *to, const struct responder *responder)
{
	for (unsigned int i = 0; i < responder->ipv6_count; i++) {
		const uint32_t *words = responder->ipv6[i].s6_addr32;

		fputs(i ? " or (" : "(", to);
		for (int k = 0; k < 4; k++)
			fprintf(to, "%sicmp6[%d:4] = %#" PRIx32, k ? " and " : "", 8 + 4 * k,
				ntohl(words[k]));
		fputc(')', to);
	}
}

static void write_ports(FILE *to, const struct responder *responder)
{
	fprintf(to, "udp dst portrange %" PRIu64 "-%" PRIu64, responder->ports.first,
		responder->ports.last);
}

/* Fragments are the kernel's: it alone has the others of a packet. */
static void write_untagged(FILE *to, const struct responder *responder)
{
	if (responder->ipv4_count) {
		fputs("(arp[6:2] = 1 and (", to);
		write_ipv4(to, responder, "arp dst host");
		fputs(")) or (ip and ip[6:2] & 0x3fff = 0 and (icmp[0:2] = 0x0800 or ", to);
		write_ports(to, responder);
		fputs(") and (", to);
		write_ipv4(to, responder, "ip dst host");
		fputs("))", to);
	}
	fputs(responder->ipv4_count && responder->ipv6_count ? " or " : "", to);
	if (responder->ipv6_count) {
		fputs("(ip6 and (icmp6[0:2] = 0x8000 or ", to);
		write_ports(to, responder);
		fputs(") and (", to);
		write_ipv6(to, responder);
		fputs(")) or (icmp6[0:2] = 0x8700 and (", to);
		write_targets(to, responder);
		fputs("))", to);
	}
}

char *respond_filter(const struct responder *responder)
{
	size_t size;
	char *text = NULL;
	FILE *to;

	if (!responder->ipv4_count && !responder->ipv6_count)
		return NULL;
	to = open_memstream(&text, &size);
	if (!to)
		return NULL;
	/* What follows the word vlan is looked for behind a tag. */
	for (int tags = 0; tags <= 2; tags++) {
		fputs(tags ? " or (vlan and (" : "", to);
		write_untagged(to, responder);
	}
	fputs("))))", to);
	if (!fclose(to))
		return text;
	free(text);
	return NULL;
}
