/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The NAPIs of queues that are busy-polled defer their interrupts, and get back
 * later what they were set to. That is recorded (record.h) before it is changed, and
 * put back by the last user of the interface, or after a crash by who comes next.
 *
 * Only what still is as it was set here is put back: what an administrator has set
 * meanwhile stays. What already was so is neither changed nor recorded.
 */
#ifndef XSK_LIB_NAPI_H
#define XSK_LIB_NAPI_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "record.h"

/* What they are told, as the kernel's Documentation/networking/napi.rst has it. */
#define XSK_NAPI_DEFER_HARD_IRQS 2
#define XSK_NAPI_GRO_FLUSH_TIMEOUT 200000	/* ns */

struct mnl_socket;

/* All zeroes: none. */
struct xsk_napi {
	bool in_use;
	int ifindex;
	uint16_t family;		/* of netdev's generic netlink */
	struct mnl_socket *sock;	/* in the interface's network namespace; NULL: none */
	int sysfs;			/* the interface's folder there; -1: not to be had */
	struct xsk_record record;	/* none: a crash cannot be mended */
	struct xsk_settings own;	/* what this user changed */
	char how[192];			/* what was done, or why it was not */
};

/*
 * Tells the NAPIs of the queues first to first + count - 1 of an interface of this
 * thread's network namespace to defer their interrupts: those that the queues name
 * (6.13, and the driver), or all that the interface has (6.13), or by the interface
 * itself, in /sys/class/net. Some drivers have NAPIs only while a program is attached
 * or while they are up: so call it after bind. ret->how then says what was done, and
 * whether a crash can be mended; that it cannot is no failure.
 * Returns 0 or -errno with *error filled, and then nothing is changed. -EOPNOTSUPP:
 * none of the ways is there; ret->how says why, all else of *ret is untouched. -EPERM: one
 * would be, with CAP_NET_ADMIN. -EMFILE, -ENFILE, -ENOMEM: perhaps. -ENODEV.
 */
int xsk_napi_defer(struct xsk_napi *ret, int ifindex, const char *ifname, uint32_t first,
		   uint32_t count, struct xsk_error *error);

/*
 * Puts back, if nobody else defers on this interface; in any network namespace. What
 * cannot be put back (the interface is down, the privilege is gone) stays recorded
 * for the next open. Leaves all zeroes.
 */
void xsk_napi_restore(struct xsk_napi *napi);

/* Puts back what a crashed process has left on the interface, if one has. */
void xsk_napi_recover(int ifindex, const char *ifname);

#endif /* XSK_LIB_NAPI_H */
