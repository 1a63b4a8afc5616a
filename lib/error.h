/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Filling a struct xsk_error: step, reason, hint. */
#ifndef XSK_LIB_ERROR_H
#define XSK_LIB_ERROR_H

#include <xsk/error.h>

/*
 * Fills *error and returns code (-errno), so that a failure reads
 * "return xsk_error_set(…)". The hint is empty until xsk_error_hint() sets it.
 */
__attribute__((format(printf, 4, 5)))
int xsk_error_set(struct xsk_error *error, int code, const char *step,
		  const char *reason, ...);

/* Adds the hint, and returns error->code. */
__attribute__((format(printf, 2, 3)))
int xsk_error_hint(struct xsk_error *error, const char *hint, ...);

/* Fails with the system's own words for code. */
int xsk_error_system(struct xsk_error *error, int code, const char *step);

/* Where a function has no place for it: keeps it for xsk_error_last(), returns the code. */
int xsk_error_keep(const struct xsk_error *error);

#endif /* XSK_LIB_ERROR_H */
