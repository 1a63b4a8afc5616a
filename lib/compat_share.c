/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "compat.h"

#include <errno.h>
#include <stdlib.h>

#include "error.h"
#include "filter.h"
#include "netdev.h"

/*
 * One share for each program and interface, whichever UMEM its sockets are on.
 * The kernel lets only CAP_SYS_ADMIN look a program up by its id: what this
 * process has attached itself must not need that.
 */
static struct xsk_compat_share *shares;

void xsk_compat_share_put(struct xsk_compat_share *share)
{
	struct xsk_compat_share **at;

	if (!share || --share->users)
		return;
	for (at = &shares; *at != share; at = &(*at)->next)
		;
	*at = share->next;
	xsk_prog_leave(&share->prog);
	free(share);
}

/* The one whose program is attached now; it may have been replaced by netlink. */
static struct xsk_compat_share *find(uint64_t netns, int ifindex)
{
	struct xsk_compat_share *each = shares;
	struct xsk_netdev dev;

	if (!each || xsk_netdev_get(&dev, ifindex) || !dev.prog_id)
		return NULL;
	while (each && (each->netns != netns || each->ifindex != ifindex ||
			each->prog.id != dev.prog_id))
		each = each->next;
	return each;
}

static int make(struct xsk_compat_share **ret, uint64_t netns, int ifindex, uint32_t modes,
		const struct xsk_code *code, struct xsk_error *error)
{
	struct xsk_compat_share *share = calloc(1, sizeof(*share));
	int err;

	if (!share)
		return xsk_error_system(error, -ENOMEM, "XDP program");
	err = xsk_prog_join(&share->prog, ifindex, modes, code, error);
	if (err) {
		free(share);
		return err;
	}
	share->netns = netns;
	share->ifindex = ifindex;
	share->next = shares;
	shares = share;
	*ret = share;
	return 0;
}

static int get(struct xsk_compat_share **ret, uint64_t netns, int ifindex, uint32_t modes,
	       const struct xsk_code *code, struct xsk_error *error)
{
	struct xsk_compat_share *share = find(netns, ifindex);
	int err;

	if (!share) {
		err = make(&share, netns, ifindex, modes, code, error);
		if (err)
			return err;
	}
	share->users++;
	*ret = share;
	return 0;
}

int xsk_compat_share_get(struct xsk_compat_share **ret, uint64_t netns, int ifindex,
			 uint32_t modes, struct xsk_error *error)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code code = xsk_filter_default(insns);

	return get(ret, netns, ifindex, modes, &code, error);
}

int xsk_compat_share_join(struct xsk_compat_share **ret, uint64_t netns, int ifindex,
			  struct xsk_error *error)
{
	return get(ret, netns, ifindex, 0, NULL, error);
}

void xsk_compat_share_keep(struct xsk_compat_share *share)
{
	if (share->kept)
		xsk_compat_share_put(share);
	share->kept = true;
}
