/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Structs whose first member is their size, as the caller knows it. */
#ifndef XSK_LIB_OPTS_H
#define XSK_LIB_OPTS_H

#include <stddef.h>

struct xsk_error;

/*
 * Copies the caller's opts (or NULL) to *known, a zeroed struct of size bytes.
 * -EINVAL: too short, or what is beyond is not zero. Padding at the end of the
 * struct may hold anything, so no field can ever be put there.
 */
int xsk_opts_read(void *known, size_t size, const void *opts, struct xsk_error *error);

/* The other way: as much of *known as the caller has room for. -EINVAL: none. */
int xsk_opts_write(void *opts, const void *known, size_t size);

#endif /* XSK_LIB_OPTS_H */
