/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A socket that only sends needs no program; but some drivers send in zero-copy
 * only while one is there (igb and others of Intel's).
 */
#include "compat.h"

#include <errno.h>

#include "error.h"
#include "sys.h"

/* In the driver, whatever mode was asked for: no other helps to send. */
static int attach(struct xsk_compat_share **ret, const struct xsk_compat_request *req,
		  struct xsk_error *error)
{
	return xsk_compat_share_get(ret, req->netns, req->ifindex, 0, error);
}

static int attach_and_try(struct xsk_compat_share **ret, int fd,
			  const struct xsk_compat_request *req, struct xsk_error *error)
{
	struct xsk_compat_share *share;
	int err;

	err = attach(&share, req, error);
	if (err)
		return err;
	if (!xsk_socket_wants_program(xsk_sys_kick(fd))) {
		*ret = share;
		return 0;
	}
	xsk_compat_share_put(share);
	xsk_error_set(error, -EOPNOTSUPP, "send", "the driver of %s does not send in zero-copy "
		      "from queue %u, though a program is there (in generic mode?)",
		      req->ifname, req->queue);
	return xsk_error_hint(error, "ask for XDP_COPY");
}

int xsk_compat_send_prepare(struct xsk_compat_share **ret, int fd,
			    const struct xsk_compat_request *req, struct xsk_error *error)
{
	struct xsk_error ignored;
	bool zerocopy;
	int kick;

	*ret = NULL;
	if (!req->may_attach || xsk_socket_zerocopy(fd, &zerocopy) || !zerocopy)
		return 0;

	kick = xsk_sys_kick(fd);
	if (xsk_socket_wants_program(kick))
		return attach_and_try(ret, fd, req, error);
	/*
	 * It cannot tell while its interface is down. Then, and where a program is
	 * there that may be what it sends by, a share does no harm; nor does it
	 * matter if there is none to be had.
	 */
	if (xsk_compat_share_join(ret, req->netns, req->ifindex, &ignored) == -ENOENT &&
	    kick == -ENETDOWN)
		attach(ret, req, &ignored);
	return 0;
}
