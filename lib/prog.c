/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "prog.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attached.h"
#include "error.h"
#include "kernel.h"
#include "load.h"
#include "netdev.h"
#include "sys.h"

/* Others may attach or detach between our look and our step: look again. */
#define MAX_TRIES 50

void xsk_prog_leave(struct xsk_prog *prog)
{
	if (prog->prog_fd >= 0 && prog->pid == getpid())
		xsk_netdev_set_xdp(prog->ifindex, -1, prog->prog_fd, prog->flags);
	xsk_sys_close(prog->prog_fd);
	xsk_sys_close(prog->link_fd);
	xsk_sys_close(prog->counters_fd);
	xsk_sys_close(prog->map_fd);
	*prog = XSK_PROG_NONE;
}

static const char *missing_for_lookup(void)
{
	return xsk_sys_capable(CAP_SYS_ADMIN) ? NULL : "CAP_SYS_ADMIN, which the look-up of a "
						       "program of others needs";
}

/* 0, which no program has, where the kernel does not tell. */
static uint32_t id_of(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(prog_fd, &info, &len) ? 0 : info.id;
}

/* ---- a program that is there ---- */

/*
 * Whether a program without a link was really attached by netlink. A link whose
 * last holder is gone loses its id first, and its program some time later: then
 * the kernel refuses to put the program in its own place.
 */
static int check_no_link(const struct xsk_netdev *dev)
{
	int prog_fd, err;

	prog_fd = bpf_prog_get_fd_by_id(dev->prog_id);
	if (prog_fd < 0)
		return prog_fd == -ENOENT ? XSK_RACED : prog_fd;
	err = xsk_netdev_set_xdp(dev->ifindex, prog_fd, prog_fd, dev->prog_mode);
	xsk_sys_close(prog_fd);
	/* Other errors have other reasons, as no CAP_NET_ADMIN, or a bridge above. */
	return err == -EBUSY ? XSK_RACED : 0;
}

/* Whether that program is still the one attached, now that we hold its link. */
static int still_attached(uint32_t prog_id, int ifindex)
{
	struct xsk_netdev dev;
	int err;

	err = xsk_netdev_get(&dev, ifindex);
	if (err)
		return err;
	return dev.prog_id == prog_id ? 0 : XSK_RACED;
}

static int explain_lookup(int err, struct xsk_error *error)
{
	if (err == -EPERM)
		return xsk_load_explain_eperm(error, "XDP program", missing_for_lookup());
	return xsk_error_system(error, err, "XDP program");
}

/* ip-link(8) would detach the dispatcher, and leave libxdp's pins behind. */
static int explain_dispatcher(const struct xsk_netdev *dev, const struct xsk_attached *names,
			      struct xsk_error *error)
{
	xsk_error_set(error, -EBUSY, "XDP program",
		      "%s runs '%s' (id %u) with %s, none of which has an XSKMAP called "
		      XSK_MAP_NAME, dev->name, names->name, dev->prog_id, names->parts);
	return xsk_error_hint(error, "unload them (xdp-loader unload %s --all), or load one with "
			      "such a map beside them", dev->name);
}

static int explain_foreign(const struct xsk_netdev *dev, const struct xsk_attached *names,
			   struct xsk_error *error)
{
	int link_fd;

	if (names->parts[0])
		return explain_dispatcher(dev, names, error);
	link_fd = xsk_attached_link(dev->prog_id, dev->ifindex);
	xsk_error_set(error, -EBUSY, "XDP program",
		      "%s runs the program '%s' (id %u), which has no XSKMAP called " XSK_MAP_NAME,
		      dev->name, names->name, dev->prog_id);
	if (link_fd < 0)
		return xsk_error_hint(error, "detach it (ip link set dev %s %s off), or give it "
				      "such a map", dev->name,
				      dev->prog_mode == XDP_FLAGS_SKB_MODE ? "xdpgeneric" : "xdp");
	xsk_sys_close(link_fd);
	return xsk_error_hint(error, "stop the process that attached it to %s (bpftool link), or "
			      "give it such a map", dev->name);
}

static bool is_ours(const char *name)
{
	return !strcmp(name, XSK_DEFAULT_NAME) || !strcmp(name, XSK_FILTER_NAME);
}

static int explain_other(const struct xsk_netdev *dev, const struct xsk_attached *names,
			 struct xsk_error *error)
{
	if (!is_ours(names->name)) {
		xsk_error_set(error, -EBUSY, "XDP program", "%s runs the program '%s' (id %u), "
			      "which is another one's and knows nothing of this filter",
			      dev->name, names->name, dev->prog_id);
		return xsk_error_hint(error, "open the port without filter and keep, or have that "
				      "program detached");
	}
	xsk_error_set(error, -EBUSY, "XDP program", "%s runs the program '%s' (id %u), which was "
		      "made for another filter or keep, or to count otherwise", dev->name,
		      names->name, dev->prog_id);
	return xsk_error_hint(error, "open it with filter, keep and XSK_PORT_NO_COUNTERS as the "
			      "ports have them that use it, or close those");
}

/* The kernel makes the tag from the instructions alone, whatever maps they use. */
static int same_code(uint32_t prog_id, int prog_fd)
{
	struct bpf_prog_info info = { 0 }, attached = { 0 };
	uint32_t len = sizeof(info);
	int fd, err;

	fd = bpf_prog_get_fd_by_id(prog_id);
	if (fd < 0)
		return fd == -ENOENT ? XSK_RACED : fd;
	err = bpf_obj_get_info_by_fd(fd, &attached, &len);
	len = sizeof(info);
	if (!err)
		err = bpf_obj_get_info_by_fd(prog_fd, &info, &len);
	xsk_sys_close(fd);
	return err ? err : !memcmp(info.tag, attached.tag, sizeof(info.tag));
}

/* A filter is used with those who have the same; its counters are found by their name. */
static int check_filter(struct xsk_prog *prog, const struct xsk_netdev *dev,
			const struct xsk_code *code, const struct xsk_attached *names,
			struct xsk_error *error)
{
	int fd, same;

	if (code->counts) {
		prog->counters_fd = xsk_attached_counters(dev->prog_id);
		if (prog->counters_fd == -ENOENT)
			return explain_other(dev, names, error);
		if (prog->counters_fd == XSK_RACED)
			return XSK_RACED;
		if (prog->counters_fd < 0)
			return explain_lookup(prog->counters_fd, error);
	}
	fd = xsk_load_code(code, prog->map_fd, prog->counters_fd, error);
	if (fd < 0)
		return fd;
	same = same_code(dev->prog_id, fd);
	xsk_sys_close(fd);
	if (same > 0 || same == XSK_RACED)
		return same > 0 ? 0 : XSK_RACED;
	return same ? explain_lookup(same, error) : explain_other(dev, names, error);
}

static int use_attached(struct xsk_prog *prog, const struct xsk_netdev *dev,
			const struct xsk_code *code, struct xsk_error *error)
{
	struct xsk_attached names;
	int err;

	prog->map_fd = xsk_attached_map(&names, dev->prog_id, dev->ifindex);
	if (prog->map_fd == XSK_RACED)
		return XSK_RACED;
	if (prog->map_fd == -ENOENT) {
		/* libxdp may have put another dispatcher in its place meanwhile. */
		if (still_attached(dev->prog_id, dev->ifindex) == XSK_RACED)
			return XSK_RACED;
		return explain_foreign(dev, &names, error);
	}
	if (prog->map_fd < 0)
		return explain_lookup(prog->map_fd, error);
	if (code && code->filters) {
		err = check_filter(prog, dev, code, &names, error);
		if (err)
			return err;
	}

	prog->link_fd = xsk_attached_link(dev->prog_id, dev->ifindex);
	err = prog->link_fd < 0 ? prog->link_fd : 0;
	if (err == -ENOENT)
		err = check_no_link(dev);
	if (err == XSK_AMBIGUOUS)
		err = 0;		/* as one that was attached by netlink */
	if (prog->link_fd < 0)
		prog->link_fd = -1;
	if (err)
		return err == XSK_RACED ? XSK_RACED : explain_lookup(err, error);

	prog->id = dev->prog_id;
	err = still_attached(dev->prog_id, dev->ifindex);
	if (err && err != XSK_RACED)
		return xsk_error_system(error, err, "XDP program");
	return err;
}

/* ---- a program of our own ---- */

static int explain_attach(int err, const struct xsk_netdev *dev, uint32_t flags,
			  struct xsk_error *error)
{
	switch (err) {
	case -EPERM:
		return xsk_load_explain_eperm(error, "attach", xsk_sys_capable(CAP_NET_ADMIN) ?
				     NULL : "CAP_NET_ADMIN");
	case -EOPNOTSUPP:
		xsk_error_set(error, err, "attach", "the driver of %s has no such mode of XDP "
			      "(flags 0x%x)", dev->name, flags);
		return xsk_error_hint(error, "ask for XDP_FLAGS_SKB_MODE");
	}
	xsk_error_system(error, err, "attach");
	if (err != -EINVAL && err != -ENOMEM && err != -ENOSPC && err != -ERANGE)
		return err;
	return xsk_error_hint(error, "the driver may refuse the MTU, or the number of queues; "
			      "XDP_FLAGS_SKB_MODE does without it");
}

/* By netlink where there is no bpf_link for XDP: before 5.9, and into a NIC. */
static int attach_by_netlink(struct xsk_prog *prog, const struct xsk_netdev *dev,
			     int prog_fd, uint32_t flags)
{
	int err;

	err = xsk_netdev_set_xdp(dev->ifindex, prog_fd, -1, flags);
	if (err)
		return err;
	prog->prog_fd = prog_fd;
	prog->flags = flags;
	prog->pid = getpid();
	return 0;
}

static int attach(struct xsk_prog *prog, const struct xsk_netdev *dev, int prog_fd,
		  uint32_t flags, struct xsk_error *error)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	int err;

	prog->link_fd = bpf_link_create(prog_fd, dev->ifindex, BPF_XDP, &opts);
	if (prog->link_fd >= 0) {
		xsk_sys_close(prog_fd);	/* the link holds it */
		return 0;
	}
	err = prog->link_fd;
	prog->link_fd = -1;
	if (err == -EINVAL)
		err = attach_by_netlink(prog, dev, prog_fd, flags);
	if (!err)
		return 0;

	xsk_sys_close(prog_fd);
	if (err == -EBUSY || err == -EEXIST)
		return XSK_RACED;
	return explain_attach(err, dev, flags, error);
}

static int attach_new(struct xsk_prog *prog, const struct xsk_netdev *dev, uint32_t flags,
		      const struct xsk_code *code, struct xsk_error *error)
{
	int prog_fd;

	prog->map_fd = xsk_load_map(xsk_netdev_queues(dev), error);
	if (prog->map_fd < 0)
		return prog->map_fd;
	if (code->counts) {
		prog->counters_fd = xsk_load_counters(error);
		if (prog->counters_fd < 0)
			return prog->counters_fd;
	}
	prog_fd = xsk_load_code(code, prog->map_fd, prog->counters_fd, error);
	if (prog_fd < 0)
		return prog_fd;
	prog->id = id_of(prog_fd);
	prog->attached_here = true;
	return attach(prog, dev, prog_fd, flags, error);
}

/* ---- the two together ---- */

static int try_join(struct xsk_prog *ret, int ifindex, uint32_t flags,
		    const struct xsk_code *code, struct xsk_error *error)
{
	struct xsk_prog prog = XSK_PROG_NONE;
	struct xsk_netdev dev;
	int err;

	err = xsk_netdev_get(&dev, ifindex);
	if (err)
		return xsk_error_system(error, err, "interface");

	if (dev.prog_id)
		err = use_attached(&prog, &dev, code, error);
	else if (!code)
		err = xsk_error_set(error, -ENOENT, "XDP program", "%s has none", dev.name);
	else
		err = attach_new(&prog, &dev, flags, code, error);
	if (err) {
		xsk_prog_leave(&prog);
		return err;
	}
	prog.ifindex = ifindex;
	*ret = prog;
	return 0;
}

int xsk_prog_join(struct xsk_prog *ret, int ifindex, uint32_t flags,
		  const struct xsk_code *code, struct xsk_error *error)
{
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		int err = try_join(ret, ifindex, flags, code, error);

		if (err != XSK_RACED)
			return err;
		xsk_sys_sleep_ms(1);
	}
	return xsk_error_set(error, -EBUSY, "XDP program",
			     "the kernel takes no program, though none is seen (as on the port of "
			     "a bond), or they come and go faster than one can be used");
}

/* ---- another in its place ---- */

uint32_t xsk_prog_id(const struct xsk_prog *prog)
{
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);

	if (prog->link_fd < 0 || bpf_obj_get_info_by_fd(prog->link_fd, &info, &len))
		return __atomic_load_n(&prog->id, __ATOMIC_RELAXED);
	return info.prog_id;
}

/* Of the program in its place. XSK_RACED: another one is there now. */
static int get_info(struct bpf_prog_info *info, const struct xsk_prog *prog)
{
	uint32_t len = sizeof(*info);
	int fd, err;

	memset(info, 0, sizeof(*info));
	fd = bpf_prog_get_fd_by_id(xsk_prog_id(prog));
	if (fd < 0)
		return fd == -ENOENT ? XSK_RACED : fd;
	err = bpf_obj_get_info_by_fd(fd, info, &len);
	xsk_sys_close(fd);
	return err;
}

/* Whoever shares one that libxsk made knows that it may change. */
static int check_ours(const struct xsk_prog *prog, struct xsk_error *error)
{
	struct bpf_prog_info info;
	int err = XSK_RACED;

	if (prog->attached_here)
		return 0;
	for (int tries = 0; tries < MAX_TRIES && err == XSK_RACED; tries++) {
		if (tries)
			xsk_sys_sleep_ms(1);
		err = get_info(&info, prog);
	}
	if (err == XSK_RACED) {
		xsk_error_set(error, -EBUSY, "XDP program", "others have put a program in the "
			      "place of the one that the port shares");
		return xsk_error_hint(error, "close the port and open it anew");
	}
	if (err)
		return explain_lookup(err, error);
	if (is_ours(info.name) && prog->link_fd >= 0)
		return 0;
	xsk_error_set(error, -EBUSY, "XDP program", "the program '%s' (id %u) was attached by "
		      "others%s", info.name, info.id,
		      is_ours(info.name) ? ", and its link is not to be found" : "");
	return xsk_error_hint(error, "change its filter where it comes from, or detach it and open "
			      "the port anew");
}

static int put(struct xsk_prog *prog, int prog_fd)
{
	int err;

	if (prog->link_fd >= 0) {
		err = bpf_link_update(prog->link_fd, prog_fd, NULL);
		xsk_sys_close(prog_fd);		/* the link holds it */
		return err;
	}
	err = xsk_netdev_set_xdp(prog->ifindex, prog_fd, prog->prog_fd, prog->flags);
	xsk_sys_close(err ? prog_fd : prog->prog_fd);
	if (!err)
		prog->prog_fd = prog_fd;
	return err;
}

static int explain_put(int err, int ifindex, struct xsk_error *error)
{
	struct xsk_netdev dev;

	/* A link loses its interface with that, or because it was detached. */
	if (err == -ENOLINK && xsk_netdev_get(&dev, ifindex) == -ENODEV)
		err = -ENODEV;
	switch (err) {
	case -ENODEV:
		xsk_error_set(error, err, "XDP program", "the interface is gone");
		return xsk_error_hint(error, "close the port");
	case -ENOLINK:
		xsk_error_set(error, err, "XDP program", "others have detached it");
		return xsk_error_hint(error, "close the port and open it anew");
	}
	if (err == -EPERM)
		return xsk_load_explain_eperm(error, "XDP program", xsk_load_missing());
	return xsk_error_system(error, err, "XDP program");
}

/* Those of a program that another share has put in its place; less than 0: there are none. */
static int counters_of_others(const struct xsk_prog *prog)
{
	uint32_t id = xsk_prog_id(prog);

	return id == __atomic_load_n(&prog->id, __ATOMIC_RELAXED) ? -1 : xsk_attached_counters(id);
}

/*
 * The counters for the next program: all shares count in the same. *made: they are new here,
 * to be kept or closed.
 */
static int choose_counters(bool *made, const struct xsk_prog *prog, struct xsk_error *error)
{
	int fd = counters_of_others(prog);

	*made = true;
	if (fd >= 0)
		return fd;
	*made = prog->counters_fd < 0;
	return *made ? xsk_load_counters(error) : prog->counters_fd;
}

/* Those who read them meanwhile have the number, so that stays. */
static void keep_counters(struct xsk_prog *prog, int fd)
{
	if (prog->counters_fd < 0) {
		__atomic_store_n(&prog->counters_fd, fd, __ATOMIC_RELEASE);
		return;
	}
	xsk_sys_replace(fd, prog->counters_fd);
	xsk_sys_close(fd);
}

static int load_and_put(struct xsk_prog *prog, const struct xsk_code *code, int counters_fd,
			struct xsk_error *error)
{
	int fd, err;
	uint32_t id;

	fd = xsk_load_code(code, prog->map_fd, counters_fd, error);
	if (fd < 0)
		return fd;
	id = id_of(fd);
	err = put(prog, fd);
	if (err)
		return explain_put(err, prog->ifindex, error);
	__atomic_store_n(&prog->id, id, __ATOMIC_RELAXED);
	return 0;
}

int xsk_prog_replace(struct xsk_prog *prog, const struct xsk_code *code, struct xsk_error *error)
{
	int counters_fd = -1, err;
	bool made = false;

	err = check_ours(prog, error);
	if (err)
		return err;
	if (code->counts) {
		counters_fd = choose_counters(&made, prog, error);
		if (counters_fd < 0)
			return counters_fd;
	}
	err = load_and_put(prog, code, counters_fd, error);
	if (!made)
		return err;
	if (err)
		xsk_sys_close(counters_fd);
	else
		keep_counters(prog, counters_fd);
	return err;
}

void xsk_prog_counters(const struct xsk_prog *prog, uint64_t counters[XSK_COUNTERS])
{
	int own = __atomic_load_n(&prog->counters_fd, __ATOMIC_ACQUIRE);
	int found = counters_of_others(prog);
	int fd = found < 0 ? own : found;
	int cpus = fd < 0 ? 0 : xsk_sys_possible_cpus();
	uint64_t (*each)[XSK_COUNTERS] = cpus > 0 ? calloc((size_t)cpus, sizeof(*each)) : NULL;
	uint32_t key = 0;

	memset(counters, 0, XSK_COUNTERS * sizeof(*counters));
	if (each && !bpf_map_lookup_elem(fd, &key, each))
		for (int cpu = 0; cpu < cpus; cpu++)
			for (int i = 0; i < XSK_COUNTERS; i++)
				counters[i] += each[cpu][i];
	free(each);
	xsk_sys_close(found);
}

/* ---- somebody else's ---- */

static int detach(const struct xsk_netdev *dev)
{
	int fd, err;

	fd = xsk_attached_link(dev->prog_id, dev->ifindex);
	if (fd >= 0) {
		err = bpf_link_detach(fd);
		xsk_sys_close(fd);
		return err;
	}
	if (fd != -ENOENT)
		return fd == XSK_AMBIGUOUS ? -EBUSY : fd;
	fd = bpf_prog_get_fd_by_id(dev->prog_id);
	if (fd < 0)
		return fd == -ENOENT ? XSK_RACED : fd;
	err = xsk_netdev_set_xdp(dev->ifindex, -1, fd, dev->prog_mode);
	xsk_sys_close(fd);
	return err == -EBUSY || err == -EEXIST ? XSK_RACED : err;
}

static int try_evict(int ifindex, struct xsk_error *error)
{
	struct xsk_attached names;
	struct xsk_netdev dev;
	int map_fd, err;

	err = xsk_netdev_get(&dev, ifindex);
	if (err)
		return xsk_error_system(error, err, "interface");
	if (!dev.prog_id)
		return 0;
	map_fd = xsk_attached_map(&names, dev.prog_id, ifindex);
	if (map_fd >= 0) {
		xsk_sys_close(map_fd);
		return 0;
	}
	if (map_fd == XSK_RACED)
		return map_fd;
	err = map_fd == -ENOENT ? detach(&dev) : map_fd;
	return err && err != XSK_RACED ? explain_lookup(err, error) : err;
}

int xsk_prog_evict(int ifindex, struct xsk_error *error)
{
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		int err = try_evict(ifindex, error);

		if (err != XSK_RACED)
			return err;
		xsk_sys_sleep_ms(1);
	}
	return xsk_error_set(error, -EBUSY, "XDP program",
			     "programs come and go faster than one can be detached");
}

bool xsk_prog_same_map(int map_fd, int other_fd)
{
	struct bpf_map_info info, other;

	return !xsk_attached_map_info(map_fd, &info) && !xsk_attached_map_info(other_fd, &other) &&
	       info.id == other.id;
}

int xsk_prog_check_map(int map_fd, struct xsk_error *error)
{
	struct bpf_map_info info;
	int err;

	err = xsk_attached_map_info(map_fd, &info);
	/* As the kernel has it. */
	if (err == -EBADF || err == -EBADFD) {
		xsk_error_system(error, -EBADF, "XSKMAP");
		return xsk_error_hint(error, "give an open one, of a map of type "
				      "BPF_MAP_TYPE_XSKMAP");
	}
	/* What is no map has no such type; what may not be asked is tried. */
	if (err == -EINVAL || (!err && info.type != BPF_MAP_TYPE_XSKMAP)) {
		xsk_error_set(error, -EINVAL, "XSKMAP", "the descriptor is not one of an XSKMAP");
		return xsk_error_hint(error, "give that of the program's map of type "
				      "BPF_MAP_TYPE_XSKMAP");
	}
	return 0;
}

int xsk_prog_set_socket(int map_fd, uint32_t queue, int socket_fd, bool only_if_free,
			struct xsk_error *error)
{
	int err;

	err = bpf_map_update_elem(map_fd, &queue, &socket_fd,
				  only_if_free ? BPF_NOEXIST : BPF_ANY);
	switch (err) {
	case 0:
		return 0;
	case -E2BIG:
		xsk_error_set(error, err, "XSKMAP", "the map has no place for queue %u", queue);
		return xsk_error_hint(error, "make the map as large as the device's queues");
	}
	return xsk_error_system(error, err, "XSKMAP");
}

void xsk_prog_unset_socket(int map_fd, uint32_t queue)
{
	bpf_map_delete_elem(map_fd, &queue);
}
