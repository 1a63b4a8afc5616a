/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* An interface by its names. */
#ifndef XSK_CLI_IFACE_H
#define XSK_CLI_IFACE_H

#include <net/if.h>
#include <stdbool.h>

/*
 * The name of the interface that has this one, be it an alternative name (Linux 5.5), which
 * may be longer. False: there is none, or it cannot be asked.
 */
bool iface_find(char name[IF_NAMESIZE], const char *given);

/*
 * Whether its packets begin with an Ethernet header; those of the loopback interface do. Of
 * one that is not there: yes, lest another reason is given than that.
 */
bool iface_is_ethernet(const char *name);

#endif /* XSK_CLI_IFACE_H */
