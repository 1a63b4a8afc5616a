/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The programs on an interface, and who holds them. */
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xsk/port.h>

#include "attached.h"
#include "insn.h"
#include "interface.h"
#include "kernel.h"
#include "pin.h"
#include "process.h"

/* In the driver or the stack, with its components, and in the NIC. */
#define MAX_PROGRAMS (1 + XSK_ATTACHED_PARTS + 1)
/* They may change while they are looked at. */
#define TRIES 5

_Static_assert(XSK_PIN_PATH_SIZE == sizeof(((struct xsk_probe_program *)0)->pin),
	       "each path that is found fits");

struct list {
	int ifindex;
	int count;
	struct xsk_probe_program at[MAX_PROGRAMS];
	struct xsk_probe_holders holders[MAX_PROGRAMS];
};

static uint32_t mode_of(uint32_t flags)
{
	switch (flags) {
	case XDP_FLAGS_DRV_MODE:
		return XSK_MODE_NATIVE;
	case XDP_FLAGS_SKB_MODE:
		return XSK_MODE_GENERIC;
	}
	return 0;
}

static struct xsk_probe_program *add(struct list *list, uint32_t id, uint32_t mode)
{
	struct xsk_probe_program *program = &list->at[list->count++];

	*program = (struct xsk_probe_program){ .id = id, .mode = mode };
	return program;
}

/* 0, or XSK_RACED. What else fails is not told. */
static int describe(struct xsk_probe_program *program)
{
	struct xsk_attached_program found;
	int err = xsk_attached_program(&found, program->id);

	if (err)
		return err == XSK_RACED ? err : 0;
	program->told = XSK_PROBE_YES;
	memcpy(program->name, found.name, sizeof(program->name));
	memcpy(program->tag, found.tag, sizeof(program->tag));
	memcpy(program->xskmap_name, found.map_name, sizeof(program->xskmap_name));
	program->xskmap = xsk_probe_fact(found.has_sockets);
	program->xsks_map = xsk_probe_fact(found.has_sockets &&
					   !strcmp(found.map_name, XSK_MAP_NAME));
	program->loaded_ns = found.loaded_ns;
	program->uid = found.uid;
	return 0;
}

static int describe_link(struct xsk_probe_program *program, int ifindex)
{
	int err = xsk_attached_link_id(&program->link_id, program->id, ifindex);

	switch (err) {
	case XSK_RACED:
		return err;
	case 0:
	case XSK_AMBIGUOUS:		/* one of several: there is no knowing which */
		program->by_link = XSK_PROBE_YES;
		break;
	case -ENOENT:
		program->by_link = XSK_PROBE_NO;
	}
	return 0;
}

static int add_parts(struct list *list, const struct xsk_probe_program *whole)
{
	uint32_t ids[XSK_ATTACHED_PARTS];
	int count = xsk_attached_parts(ids, whole->id, list->ifindex), err = 0;

	if (count < 0)
		return count == XSK_RACED ? count : 0;
	for (int i = 0; i < count && !err; i++) {
		struct xsk_probe_program *part = add(list, ids[i], whole->mode);

		part->part_of = whole->id;
		err = describe(part);
	}
	return err;
}

static int add_attached(struct list *list, uint32_t id, uint32_t mode)
{
	struct xsk_probe_program *program = add(list, id, mode);
	int err = describe(program);

	if (!err)
		err = describe_link(program, list->ifindex);
	return err ? err : add_parts(list, program);
}

static int look(struct list *list, const struct xsk_netdev *netdev)
{
	int err = 0;

	memset(list, 0, sizeof(*list));
	list->ifindex = netdev->ifindex;
	/* Where the one in the NIC is the only one, the kernel gives it for both. */
	if (netdev->prog_id && netdev->prog_id != netdev->hw_prog_id)
		err = add_attached(list, netdev->prog_id, mode_of(netdev->prog_mode));
	if (!err && netdev->hw_prog_id) {
		struct xsk_probe_program *program = add(list, netdev->hw_prog_id,
							XSK_PROBE_MODE_HARDWARE);

		err = describe(program);
		if (!err)
			err = describe_link(program, list->ifindex);
	}
	return err;
}

/* What has changed at the last try too is told as far as it was seen. */
static int look_again(struct list *list, const char *ifname, struct xsk_error *error)
{
	struct xsk_interface interface;
	int err, tries = TRIES;

	do {
		err = xsk_interface_ask(&interface, ifname, error);
		if (err)
			return err;
		err = look(list, &interface.netdev);
	} while (err && --tries);
	return 0;
}

/* ---- who holds them ---- */

static bool note_file(const struct xsk_process_file *file, void *data)
{
	struct list *list = data;

	for (int i = 0; file->prog_id && i < list->count; i++)
		if (list->at[i].id == file->prog_id)
			xsk_probe_add_holder(&list->holders[i], file->pid);
	return false;
}

static void find_holders(struct list *list)
{
	bool all = xsk_process_files(note_file, list);

	for (int i = 0; i < list->count; i++) {
		list->at[i].processes_told = xsk_probe_told(all);
		list->at[i].processes = list->holders[i].count;
		memcpy(list->at[i].process, list->holders[i].process,
		       sizeof(list->at[i].process));
	}
}

/* ---- where they are pinned ---- */

/* A part's link is its own, whatever its number; of a program, others may be elsewhere. */
static bool is_of(const struct xsk_process_file *file, const struct xsk_probe_program *program)
{
	if (file->prog_id != program->id)
		return false;
	if (!file->link_id || program->part_of)
		return true;
	return program->by_link == XSK_PROBE_YES &&
	       (!program->link_id || file->link_id == program->link_id);
}

static void note_pin(const char *path, const struct xsk_process_file *file, void *data)
{
	struct list *list = data;

	for (int i = 0; i < list->count; i++) {
		struct xsk_probe_program *program = &list->at[i];

		if (!is_of(file, program) || program->link_pinned == XSK_PROBE_YES ||
		    (program->pin[0] && !file->link_id))
			continue;
		snprintf(program->pin, sizeof(program->pin), "%s", path);
		program->link_pinned = xsk_probe_fact(file->link_id);
	}
}

static void find_pins(struct list *list)
{
	bool all = xsk_pin_all(note_pin, list);

	for (int i = 0; i < list->count; i++) {
		struct xsk_probe_program *program = &list->at[i];

		program->pins_told = xsk_probe_told(all);
		if (all && !program->pin[0])
			program->link_pinned = XSK_PROBE_NO;
	}
}

int xsk_probe_programs(const char *ifname, struct xsk_probe_program *programs, int capacity,
		       struct xsk_error *error)
{
	struct xsk_error why;
	struct list list;
	int err;

	err = xsk_probe_check_list(programs, capacity, &why);
	if (!err)
		err = look_again(&list, ifname, &why);
	if (err)
		return xsk_probe_fail(&why, error);
	if (list.count && capacity) {
		find_holders(&list);
		find_pins(&list);
	}
	for (int i = 0; i < list.count; i++)
		xsk_probe_put(programs, capacity, i, &list.at[i], sizeof(list.at[i]));
	return list.count;
}
