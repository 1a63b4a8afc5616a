/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What an interface was set to before it was changed: a file of XSK_RECORDS for
 * each interface, in lines that people can read. Each live user of the interface
 * holds a shared lock on it (flock(2)); who gets an exclusive one knows that none is
 * alive, so that what it holds is to be put back. A lock on the folder is held by
 * who does any of this ("entered"), so nobody meets a file that is being removed.
 */
#ifndef XSK_LIB_RECORD_H
#define XSK_LIB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XSK_RECORDS "/run/libxsk"

/* What a NAPI was set to, or the interface. */
struct xsk_setting {
	uint32_t id;		/* of the NAPI; 0: of the interface */
	uint32_t defer;		/* napi_defer_hard_irqs */
	uint64_t timeout;	/* gro_flush_timeout, ns */
	bool keep;		/* it could not be put back now; not in the file */
};

/* All zeroes: none. To be cleared. */
struct xsk_settings {
	struct xsk_setting *at;
	size_t count;
};

int xsk_settings_add(struct xsk_settings *settings, const struct xsk_setting *setting);
bool xsk_settings_have(const struct xsk_settings *settings, uint32_t id);
void xsk_settings_clear(struct xsk_settings *settings);

struct xsk_record {
	int folder;
	int fd;			/* -1: none */
	char name[48];		/* in the folder */
};

/*
 * Opens that of an interface of this thread's network namespace, and has entered.
 * _find: -ENOENT where there is none. _open: makes it. Leave, then close.
 */
int xsk_record_find(struct xsk_record *ret, int ifindex);
int xsk_record_open(struct xsk_record *ret, int ifindex);
/* May be none. Does not remove the file. */
void xsk_record_close(struct xsk_record *record);

/* -EWOULDBLOCK: somebody has been in there for a second, and must have been stopped. */
int xsk_record_enter(const struct xsk_record *record);
void xsk_record_leave(const struct xsk_record *record);

/* Entered: whether there is no other user. The lock is to be shared again. */
bool xsk_record_alone(const struct xsk_record *record);
int xsk_record_share(const struct xsk_record *record);

/* Adds what it holds. On failure some may have been added. */
int xsk_record_read(const struct xsk_record *record, struct xsk_settings *settings);
/* It then holds these and the others, which may be NULL. */
int xsk_record_write(const struct xsk_record *record, const struct xsk_settings *settings,
		     const struct xsk_settings *others);
/* Entered and alone. */
void xsk_record_remove(const struct xsk_record *record);

#endif /* XSK_LIB_RECORD_H */
