/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What xsk_setup_xdp_prog() attaches stays until the process ends. The fuzzer's
 * does not end, and so reaches into the list of shares.
 */
#include "../../lib/compat_share.c"

#include "world.h"

void share_drop_kept(void)
{
	struct xsk_compat_share *each, *next;

	xsk_compat_lock();
	for (each = shares; each; each = next) {
		next = each->next;
		if (!each->kept)
			continue;
		each->kept = false;
		xsk_compat_share_put(each);
	}
	xsk_compat_unlock();
}
