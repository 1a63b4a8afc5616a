/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "compat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "filter.h"
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

/*
 * The program that xsk_setup_xdp_prog() attaches has no handle by which it could
 * be given back. One share for each interface is kept until the process ends.
 */
struct held_prog {
	struct held_prog *next;
	uint64_t netns;
	int ifindex;
	int link_fd;
};

static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;
static struct held_prog *held;

static struct held_prog *find_held(uint64_t netns, int ifindex)
{
	struct held_prog *each;

	for (each = held; each; each = each->next)
		if (each->netns == netns && each->ifindex == ifindex)
			break;
	return each;
}

/* Takes the link over, in the place of the one held before. */
static int hold(int ifindex, int link_fd, struct xsk_error *error)
{
	struct held_prog *each;
	uint64_t netns;
	int err;

	err = xsk_sys_netns(&netns);
	if (err)
		return xsk_error_system(error, err, "network namespace");

	each = find_held(netns, ifindex);
	if (!each) {
		each = malloc(sizeof(*each));
		if (!each)
			return xsk_error_system(error, -ENOMEM, "setup");
		*each = (struct held_prog){ held, netns, ifindex, -1 };
		held = each;
	}
	xsk_sys_close(each->link_fd);
	each->link_fd = link_fd;
	return 0;
}

int xsk_setup_xdp_prog(int ifindex, int *xsks_map_fd)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code code = xsk_filter_default(insns);
	struct xsk_prog prog;
	struct xsk_error error;
	int err;

	err = xsk_prog_join(&prog, ifindex, 0, &code, &error);
	if (err)
		return xsk_compat_fail(&error);

	/* Attached by netlink it stays, and nothing needs to be held. */
	xsk_sys_close(prog.prog_fd);
	prog.prog_fd = -1;
	if (prog.link_fd >= 0) {
		pthread_mutex_lock(&held_lock);
		err = hold(ifindex, prog.link_fd, &error);
		pthread_mutex_unlock(&held_lock);
		if (err) {
			xsk_prog_leave(&prog);
			return xsk_compat_fail(&error);
		}
	}

	if (xsks_map_fd)
		*xsks_map_fd = prog.map_fd;
	else
		xsk_sys_close(prog.map_fd);
	return 0;
}
