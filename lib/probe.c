/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "probe.h"

#include <errno.h>
#include <string.h>

#include "error.h"
#include "opts.h"
#include "process.h"

int xsk_probe_fail(const struct xsk_error *why, struct xsk_error *error)
{
	if (error)
		*error = *why;
	return xsk_error_keep(why);
}

/* ---- what the caller gives ---- */

static size_t size_of(const void *info)
{
	size_t sz;

	memcpy(&sz, info, sizeof(sz));
	return sz;
}

int xsk_probe_check(const void *info, struct xsk_error *error)
{
	if (!info) {
		xsk_error_set(error, -EINVAL, "probe", "there is no place for the answer");
		return xsk_error_hint(error, "give a struct, or an array and its capacity");
	}
	if (size_of(info) <= sizeof(size_t)) {
		xsk_error_set(error, -EINVAL, "probe", "sz is %zu, which is no size of the struct",
			      size_of(info));
		return xsk_error_hint(error, "set sz to the size of the struct");
	}
	return 0;
}

int xsk_probe_check_list(const void *list, int capacity, struct xsk_error *error)
{
	if (!capacity)
		return 0;
	if (capacity < 0) {
		xsk_error_set(error, -EINVAL, "probe", "there is no capacity of %d", capacity);
		return xsk_error_hint(error, "give the number of elements");
	}
	return xsk_probe_check(list, error);
}

void xsk_probe_put(void *list, int capacity, int place, const void *known, size_t size)
{
	size_t stride;
	char *at;

	if (place >= capacity)
		return;
	stride = size_of(list);
	at = (char *)list + (size_t)place * stride;
	memcpy(at, &stride, sizeof(stride));
	xsk_opts_write(at, known, size);
}

/* ---- who holds it ---- */

void xsk_probe_add_holder(struct xsk_probe_holders *holders, pid_t pid)
{
	struct xsk_probe_process *process;

	if (pid == holders->last)
		return;
	holders->last = pid;
	if (holders->count++ >= XSK_PROBE_PROCESSES)
		return;
	process = &holders->process[holders->count - 1];
	process->pid = pid;
	xsk_process_name(process->name, pid);
}
