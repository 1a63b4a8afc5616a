/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What a port leaves to the kernel (opts.keep), as a program of classic BPF. */
#ifndef XSK_LIB_KEEP_H
#define XSK_LIB_KEEP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/* Of each kind; 0 is none. */
#define XSK_KEEP_MAX_PORTS 15
#define XSK_KEEP_MAX_INSNS 768

struct xsk_keep {
	bool arp;		/* and neighbour discovery */
	bool dhcp;
	bool icmp;
	bool ssh;
	uint16_t tcp[XSK_KEEP_MAX_PORTS];
	uint16_t udp[XSK_KEEP_MAX_PORTS];
};

bool xsk_keep_is_empty(const struct xsk_keep *keep);

/* Writes the program, which returns 1 for what is kept. Returns the number of instructions. */
uint32_t xsk_keep_program(struct sock_filter insns[XSK_KEEP_MAX_INSNS],
			  const struct xsk_keep *keep);

#endif /* XSK_LIB_KEEP_H */
