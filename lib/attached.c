/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attached.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "insn.h"
#include "sys.h"

/* The kernel's limit of maps in one program. */
#define MAX_MAPS 64

/* Where libxdp keeps the components of its dispatcher. */
#define PART_PIN "/sys/fs/bpf/xdp/dispatch-%d-%u/prog%d-prog"

/* ---- the map of a program ---- */

int xsk_attached_map_info(int map_fd, struct bpf_map_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(map_fd, info, &len);
}

/* Which map of a program is looked for. */
struct wanted {
	uint32_t type;
	const char *name;
};

static const struct wanted sockets = { BPF_MAP_TYPE_XSKMAP, XSK_MAP_NAME };
static const struct wanted counters = { BPF_MAP_TYPE_PERCPU_ARRAY, XSK_COUNTERS_NAME };

static int is_wanted(int map_fd, const struct wanted *wanted)
{
	struct bpf_map_info info;
	int err;

	err = xsk_attached_map_info(map_fd, &info);
	if (err)
		return err;
	return info.type == wanted->type && !strcmp(info.name, wanted->name);
}

/* Walks the ids of a program's maps. Returns the map's descriptor or -ENOENT. */
static int find_map(const struct bpf_prog_info *info, const uint32_t *ids,
		    const struct wanted *wanted)
{
	uint32_t count = info->nr_map_ids < MAX_MAPS ? info->nr_map_ids : MAX_MAPS;

	for (uint32_t i = 0; i < count; i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);
		int found;

		if (fd < 0)
			return fd;
		found = is_wanted(fd, wanted);
		if (found > 0)
			return fd;
		xsk_sys_close(fd);
		if (found < 0)
			return found;
	}
	return -ENOENT;
}

/* A program, and the ids of its maps. */
static int ask_program(struct bpf_prog_info *info, uint32_t ids[MAX_MAPS], int prog_fd)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	info->nr_map_ids = MAX_MAPS;
	info->map_ids = (uintptr_t)ids;
	return bpf_obj_get_info_by_fd(prog_fd, info, &len);
}

static int open_program(uint32_t prog_id)
{
	int fd = bpf_prog_get_fd_by_id(prog_id);

	return fd == -ENOENT ? XSK_RACED : fd;
}

static int map_of_id(uint32_t prog_id, char name[BPF_OBJ_NAME_LEN],
		     const struct wanted *wanted)
{
	struct bpf_prog_info info;
	uint32_t ids[MAX_MAPS];
	int prog_fd, ret;

	prog_fd = open_program(prog_id);
	if (prog_fd < 0)
		return prog_fd;
	ret = ask_program(&info, ids, prog_fd);
	if (!ret) {
		memcpy(name, info.name, BPF_OBJ_NAME_LEN);
		ret = find_map(&info, ids, wanted);
	}
	xsk_sys_close(prog_fd);
	return ret;
}

int xsk_attached_counters(uint32_t prog_id)
{
	char name[BPF_OBJ_NAME_LEN];

	return map_of_id(prog_id, name, &counters);
}

/* ---- what a program is ---- */

/* Of several, the one by whose name it is found. */
static void note_map(struct xsk_attached_program *program, const struct bpf_map_info *info)
{
	if (info->type != BPF_MAP_TYPE_XSKMAP ||
	    (program->has_sockets && strcmp(info->name, XSK_MAP_NAME)))
		return;
	program->has_sockets = true;
	memcpy(program->map_name, info->name, sizeof(program->map_name));
}

static int note_maps(struct xsk_attached_program *program, const struct bpf_prog_info *info,
		     const uint32_t *ids)
{
	uint32_t count = info->nr_map_ids < MAX_MAPS ? info->nr_map_ids : MAX_MAPS;
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);
		struct bpf_map_info map;

		if (fd < 0)
			return fd;
		err = xsk_attached_map_info(fd, &map);
		if (!err)
			note_map(program, &map);
		xsk_sys_close(fd);
	}
	return err;
}

int xsk_attached_program(struct xsk_attached_program *ret, uint32_t prog_id)
{
	struct xsk_attached_program program = { 0 };
	struct bpf_prog_info info;
	uint32_t ids[MAX_MAPS];
	int fd, err;

	fd = open_program(prog_id);
	if (fd < 0)
		return fd;
	err = ask_program(&info, ids, fd);
	if (!err)
		err = note_maps(&program, &info, ids);
	xsk_sys_close(fd);
	if (err)
		return err;
	memcpy(program.name, info.name, sizeof(program.name));
	memcpy(program.tag, info.tag, sizeof(program.tag));
	program.loaded_ns = info.load_time;
	program.uid = info.created_by_uid;
	*ret = program;
	return 0;
}

/* ---- links ---- */

/* The next link after *id, or -ENOENT after the last. */
static int next_link(uint32_t *id, struct bpf_link_info *info)
{
	int fd, err;

	while (!(err = bpf_link_get_next_id(*id, id))) {
		uint32_t len = sizeof(*info);

		fd = bpf_link_get_fd_by_id(*id);
		if (fd == -ENOENT)
			continue;	/* gone since */
		if (fd == -EAGAIN)
			return XSK_RACED;	/* somebody is about to create it */
		if (fd < 0)
			return fd;
		memset(info, 0, sizeof(*info));
		if (!bpf_obj_get_info_by_fd(fd, info, &len))
			return fd;
		xsk_sys_close(fd);
	}
	return err;
}

static bool is_link_of(const struct bpf_link_info *info, uint32_t prog_id, int ifindex)
{
	return info->type == BPF_LINK_TYPE_XDP && info->prog_id == prog_id &&
	       info->xdp.ifindex == (uint32_t)ifindex;
}

/* The interface does not tell its link: all links of the system are looked through. */
int xsk_attached_link(uint32_t prog_id, int ifindex)
{
	struct bpf_link_info info;
	int fd, found = -ENOENT;
	uint32_t id = 0;

	while ((fd = next_link(&id, &info)) >= 0) {
		if (!is_link_of(&info, prog_id, ifindex)) {
			xsk_sys_close(fd);
			continue;
		}
		if (found >= 0) {
			xsk_sys_close(fd);
			fd = XSK_AMBIGUOUS;
			break;
		}
		found = fd;
	}
	if (fd == -ENOENT)
		return found;		/* that was the last */
	xsk_sys_close(found);
	return fd;
}

int xsk_attached_link_id(uint32_t *ret, uint32_t prog_id, int ifindex)
{
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd, err;

	fd = xsk_attached_link(prog_id, ifindex);
	if (fd < 0)
		return fd;
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	xsk_sys_close(fd);
	if (!err)
		*ret = info.id;
	return err;
}

/* ---- the parts of a program that others extend ---- */

/* A program in the place of one of the functions of another, by freplace. */
struct part {
	uint32_t prog_id;
	uint32_t function;		/* its BTF id: they are called in this order */
};

static void insert_part(struct part *parts, int count, const struct bpf_link_info *info)
{
	struct part part = { info->prog_id, info->tracing.target_btf_id };
	int at = count;

	for (; at > 0 && parts[at - 1].function > part.function; at--)
		parts[at] = parts[at - 1];
	parts[at] = part;
}

/* Those that watch a function (fentry and its like) are no part of the program. */
static bool extends(const struct bpf_link_info *info, uint32_t prog_id)
{
	return info->type == BPF_LINK_TYPE_TRACING && info->tracing.target_obj_id == prog_id &&
	       info->tracing.attach_type != BPF_TRACE_FENTRY &&
	       info->tracing.attach_type != BPF_TRACE_FEXIT &&
	       info->tracing.attach_type != BPF_MODIFY_RETURN;
}

/* Kernels before 5.13 do not tell what a link extends: there none is found. */
static int find_parts(struct part parts[XSK_ATTACHED_PARTS], uint32_t prog_id)
{
	struct bpf_link_info info;
	int fd, count = 0;
	uint32_t id = 0;

	while ((fd = next_link(&id, &info)) >= 0) {
		xsk_sys_close(fd);
		if (extends(&info, prog_id) && count < XSK_ATTACHED_PARTS)
			insert_part(parts, count++, &info);
	}
	return fd == -ENOENT ? count : fd;
}

static void add_name(struct xsk_attached *names, const char *name)
{
	size_t used = strlen(names->parts);

	if (used + strlen(name) + sizeof(", ''") > sizeof(names->parts))
		return;			/* rather none than half of one */
	snprintf(names->parts + used, sizeof(names->parts) - used, "%s'%s'", used ? ", " : "",
		 name);
}

/* Where the kernel does not tell: as libxdp itself finds its components again. */
static int find_pins(uint32_t ids[XSK_ATTACHED_PARTS], uint32_t prog_id, int ifindex)
{
	struct bpf_prog_info info;
	uint32_t maps[MAX_MAPS];
	int count = 0;

	for (; count < XSK_ATTACHED_PARTS; count++) {
		char path[sizeof(PART_PIN) + 32];
		int prog_fd, err;

		snprintf(path, sizeof(path), PART_PIN, ifindex, prog_id, count);
		prog_fd = bpf_obj_get(path);
		if (prog_fd < 0)
			break;
		err = ask_program(&info, maps, prog_fd);
		xsk_sys_close(prog_fd);
		if (err)
			return err;
		ids[count] = info.id;
	}
	return count;
}

int xsk_attached_parts(uint32_t ids[XSK_ATTACHED_PARTS], uint32_t prog_id, int ifindex)
{
	struct part parts[XSK_ATTACHED_PARTS];
	int count = find_parts(parts, prog_id);

	if (!count)
		return find_pins(ids, prog_id, ifindex);
	for (int i = 0; i < count; i++)
		ids[i] = parts[i].prog_id;
	return count;
}

int xsk_attached_map(struct xsk_attached *names, uint32_t prog_id, int ifindex)
{
	uint32_t parts[XSK_ATTACHED_PARTS];
	int ret, count;

	memset(names, 0, sizeof(*names));
	ret = map_of_id(prog_id, names->name, &sockets);
	if (ret != -ENOENT)
		return ret;
	count = xsk_attached_parts(parts, prog_id, ifindex);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		char name[BPF_OBJ_NAME_LEN] = "";

		ret = map_of_id(parts[i], name, &sockets);
		if (ret != -ENOENT)
			return ret;
		add_name(names, name);
	}
	return -ENOENT;
}
