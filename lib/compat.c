/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "compat.h"

#include <errno.h>
#include <pthread.h>

#include "error.h"
#include "sys.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t lock_once = PTHREAD_ONCE_INIT;

static void take_lock(void)
{
	pthread_mutex_lock(&lock);
}

void xsk_compat_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/* Who forks takes it first: in the child it is then not another thread's. */
static void watch_fork(void)
{
	pthread_atfork(take_lock, xsk_compat_unlock, xsk_compat_unlock);
}

void xsk_compat_lock(void)
{
	pthread_once(&lock_once, watch_fork);
	take_lock();
}

/* The caller's own descriptor of the map; who closes it does not touch ours. */
static int dup_map(const struct xsk_compat_share *share, int *ret, struct xsk_error *error)
{
	int fd;

	if (!ret)
		return 0;
	fd = xsk_sys_dup(share->prog.map_fd);
	if (fd < 0)
		return xsk_error_system(error, fd, "XSKMAP");
	*ret = fd;
	return 0;
}

/*
 * It returns no handle by which the program could be given back: the process
 * keeps its share.
 */
static int setup(int ifindex, int *xsks_map_fd, struct xsk_error *error)
{
	struct xsk_compat_share *share;
	uint64_t netns;
	int err;

	err = xsk_sys_netns(&netns);
	if (err)
		return xsk_error_system(error, err, "network namespace");
	err = xsk_compat_share_get(&share, netns, ifindex, 0, error);
	if (err)
		return err;
	err = dup_map(share, xsks_map_fd, error);
	if (err) {
		xsk_compat_share_put(share);
		return err;
	}
	xsk_compat_share_keep(share);
	return 0;
}

int xsk_setup_xdp_prog(int ifindex, int *xsks_map_fd)
{
	struct xsk_error error;
	int err;

	xsk_compat_lock();
	err = setup(ifindex, xsks_map_fd, &error);
	xsk_compat_unlock();
	return err ? xsk_error_keep(&error) : 0;
}
