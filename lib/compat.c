/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "compat.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "sys.h"

/*
 * The inherited functions return an int and have no place for a reason. It is
 * kept as errno is: for the thread, until the next failure. (By a key rather
 * than _Thread_local, which would make the library depend on the dynamic
 * linker's own symbols.)
 */
static pthread_once_t last_once = PTHREAD_ONCE_INIT;
static pthread_key_t last_key;
static bool last_key_made;

static void make_last_key(void)
{
	last_key_made = !pthread_key_create(&last_key, free);
}

static struct xsk_error *last_of_thread(void)
{
	pthread_once(&last_once, make_last_key);
	return last_key_made ? pthread_getspecific(last_key) : NULL;
}

void xsk_error_last(struct xsk_error *error)
{
	const struct xsk_error *last = last_of_thread();

	if (!error)
		return;
	if (last)
		*error = *last;
	else
		*error = (struct xsk_error){ 0 };
}

int xsk_compat_fail(const struct xsk_error *error)
{
	struct xsk_error *last = last_of_thread();

	if (!last && last_key_made) {
		last = malloc(sizeof(*last));
		if (pthread_setspecific(last_key, last)) {
			free(last);
			last = NULL;
		}
	}
	if (last)
		*last = *error;
	return error->code;
}

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

int xsk_compat_read_opts(void *known, size_t size, const void *opts,
			 struct xsk_error *error)
{
	const unsigned char *bytes = opts;
	size_t sz;

	if (!opts)
		return 0;
	memcpy(&sz, opts, sizeof(sz));
	if (sz < sizeof(sz))
		return xsk_error_set(error, -EINVAL, "opts",
				     "sz is %zu, less than the field itself", sz);
	for (size_t i = size; i < sz; i++)
		if (bytes[i])
			return xsk_error_set(error, -EINVAL, "opts",
					     "byte %zu is set and means nothing to this version "
					     "(it knows %zu bytes, sz is %zu)", i, size, sz);
	memcpy(known, opts, sz < size ? sz : size);
	return 0;
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
	return err ? xsk_compat_fail(&error) : 0;
}
