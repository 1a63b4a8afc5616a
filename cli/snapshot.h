/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What is on an interface at a moment, for xsk stats: as JSON, and as text from that. */
#ifndef XSK_CLI_SNAPSHOT_H
#define XSK_CLI_SNAPSHOT_H

#include <jansson.h>

struct out;
struct xsk_error;

/*
 * The object that xsk-stats(1) describes. Of ports that are in the one before (NULL: there is
 * none), with rates since then. NULL: error says why.
 */
json_t *snapshot_take(const char *iface, const json_t *before, double seconds,
		      struct xsk_error *error);

/* For a person, some lines, in out's colours; to be freed. NULL: no memory. */
char *snapshot_text(const json_t *snapshot, const struct out *out);

#endif /* XSK_CLI_SNAPSHOT_H */
