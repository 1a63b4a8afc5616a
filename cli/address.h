/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Addresses of IPv4, IPv6 and Ethernet, from text and as text. */
#ifndef XSK_CLI_ADDRESS_H
#define XSK_CLI_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "args.h"

#define MAC_SIZE 6
#define ADDRESS_TEXT 46

struct address {
	int family;			/* AF_INET, AF_INET6; 0: none */
	unsigned char bytes[16];	/* the first 4, or all */
};

/* count addresses from the first on. count 0: none. */
struct address_range {
	struct address first;
	uint64_t count;
};

struct mac {
	bool is_set;
	unsigned char bytes[MAC_SIZE];
};

/* 4 or 16. */
size_t address_size(const struct address *address);
bool address_read(struct address *ret, const char *text);
char *address_say(char text[ADDRESS_TEXT], const struct address *address);

/* Adds n, in the order of the numbers that they are. */
void address_add(struct address *address, uint64_t n);

/* "A" or "A-B", of one family, and fewer than 2^64. */
bool address_read_range(struct address_range *ret, const char *text);

/* "02:00:00:00:00:01" */
bool mac_read(struct mac *ret, const char *text);

/* Whether frames for it are for several hosts, and then by which MAC they go. */
bool address_multicast_mac(const struct address *address, unsigned char mac[MAC_SIZE]);

/* For tables of arguments: into a struct address_range, a struct mac. */
bool arg_addresses(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);
bool arg_mac(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);

#endif /* XSK_CLI_ADDRESS_H */
