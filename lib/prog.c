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
#include "netdev.h"
#include "sys.h"

#define DEFAULT_NAME "libxsk_default"
#define FILTER_NAME "libxsk_filter"
/* What the verifier says of a program that it refuses. */
#define LOG_SIZE (256 * 1024)
#define LOG_LEVEL 4			/* not each instruction (5.2) */

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

/* To load: CAP_SYS_ADMIN does for both, as before there was CAP_BPF (5.8). */
static const char *missing_for_new(void)
{
	bool bpf = xsk_sys_capable(CAP_BPF), net = xsk_sys_capable(CAP_NET_ADMIN);

	/* Before 6.9 (seen: 6.1) an XSKMAP wants CAP_NET_ADMIN itself. */
	bpf = bpf || xsk_sys_capable(CAP_SYS_ADMIN);
	return bpf ? net ? NULL : "CAP_NET_ADMIN" : net ? "CAP_BPF" : "CAP_BPF and CAP_NET_ADMIN";
}

static const char *missing_for_lookup(void)
{
	return xsk_sys_capable(CAP_SYS_ADMIN) ? NULL : "CAP_SYS_ADMIN, which the look-up of a "
						       "program of others needs";
}

static int explain_eperm(struct xsk_error *error, const char *step, const char *missing)
{
	if (!missing) {
		xsk_error_set(error, -EPERM, step, "the kernel refuses it, though no capability "
			      "is missing");
		return xsk_error_hint(error, "before Linux 5.11: raise RLIMIT_MEMLOCK; else look "
				      "for a security module, or a user namespace");
	}
	xsk_error_set(error, -EPERM, step, "no %s", missing);
	return xsk_error_hint(error, "run as root, or attach the program elsewhere and set "
			      "XSK_PORT_MAP_FD (of a port) or XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD");
}

/* ---- loading ---- */

static int create_map(const struct xsk_netdev *dev, struct xsk_error *error)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_XSKMAP, XSK_MAP_NAME, sizeof(uint32_t),
				sizeof(uint32_t), xsk_netdev_queues(dev), NULL);

	if (fd == -EPERM)
		return explain_eperm(error, "XSKMAP", missing_for_new());
	return fd < 0 ? xsk_error_system(error, fd, "XSKMAP") : fd;
}

static int create_counters(struct xsk_error *error)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, XSK_COUNTERS_NAME, sizeof(uint32_t),
				XSK_COUNTERS * sizeof(uint64_t), 1, NULL);

	if (fd == -EPERM)
		return explain_eperm(error, "counters", missing_for_new());
	return fd < 0 ? xsk_error_system(error, fd, "counters") : fd;
}

/* One way in which code can be loaded. */
struct attempt {
	struct bpf_insn *insns;
	size_t count;
	const char *name;
	uint32_t flags;
	char *log;			/* LOG_SIZE of it, or NULL */
};

/*
 * The verifier gives up when a signal is pending (-EAGAIN), and libbpf tries only
 * five times: not enough for a program with a fast timer.
 */
static int load_insns(const struct attempt *attempt)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = attempt->flags,
		    .log_level = attempt->log ? LOG_LEVEL : 0, .log_buf = attempt->log,
		    .log_size = attempt->log ? LOG_SIZE : 0);
	sigset_t before;
	int fd;

	xsk_sys_block_signals(&before);
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, attempt->name, "BSD-2-Clause", attempt->insns,
			   attempt->count, &opts);
	xsk_sys_restore_signals(&before);
	return fd;
}

static struct bpf_insn *with_maps(const struct bpf_insn *insns, size_t count,
				  const struct xsk_prog *prog)
{
	struct bpf_insn *copy = malloc(count * sizeof(*copy));

	if (!copy)
		return NULL;
	memcpy(copy, insns, count * sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		if (xsk_insn_is_map(&copy[i]))
			copy[i].imm = copy[i].imm ? prog->counters_fd : prog->map_fd;
	return copy;
}

/* Of the verifier: the last line before its statistics. Writes into the log. */
static const char *last_words(char *log)
{
	char *end = strncmp(log, "processed ", 10) ? strstr(log, "\nprocessed ") : log, *line;

	if (end)
		*end = '\0';
	for (size_t len = strlen(log); len && log[len - 1] == '\n'; len--)
		log[len - 1] = '\0';
	line = strrchr(log, '\n');
	line = line ? line + 1 : log;
	return *line ? line : "it does not say why";
}

/* With a mind to Spectre, kernels let few load at a computed place. */
static bool lacks_perfmon(int err)
{
	return err == -EACCES && !xsk_sys_capable(CAP_PERFMON) && !xsk_sys_capable(CAP_SYS_ADMIN);
}

static int explain_verifier(int err, const struct xsk_code *code, struct attempt *attempt,
			    struct xsk_error *error)
{
	bool same;
	int fd;

	if (!code->filters)
		return xsk_error_system(error, err, "load");
	/* -EFAULT: it has more branches than the verifier keeps in mind, 8192. */
	if (err == -E2BIG || err == -EFAULT) {
		err = -E2BIG;
		xsk_error_set(error, err, "load", "the kernel's verifier gives up on the filter, "
			      "whose program of %zu instructions is too long for it",
			      attempt->count);
		return xsk_error_hint(error, "take networks and port ranges rather than lists");
	}
	if (lacks_perfmon(err))
		return explain_eperm(error, "load", "CAP_PERFMON, which filters need that load at "
				     "a computed place, as behind IPv4's header");
	attempt->log = calloc(1, LOG_SIZE);
	fd = attempt->log ? load_insns(attempt) : -ENOMEM;
	xsk_sys_close(fd);		/* where it is taken now */
	same = attempt->log && fd == err;
	xsk_error_set(error, err, "load", "the kernel's verifier refuses the filter: %s",
		      same ? last_words(attempt->log) : "it does not say why");
	free(attempt->log);
	attempt->log = NULL;
	return xsk_error_hint(error, "xsk_filter_dump() writes what is worth a report");
}

static int load_attempt(const struct xsk_code *code, struct attempt *attempt,
			struct xsk_error *error)
{
	int fd = -EINVAL;

	if (!attempt->insns)
		return xsk_error_system(error, -ENOMEM, "load");
	/* Frags, for an MTU above a page in native mode, are known from 5.18 on. */
	attempt->flags = BPF_F_XDP_HAS_FRAGS;
	if (!code->no_frags)
		fd = load_insns(attempt);
	if (fd == -EINVAL) {
		attempt->flags = 0;
		fd = load_insns(attempt);
	}
	if (fd == -EPERM)
		return explain_eperm(error, "load", missing_for_new());
	return fd < 0 ? explain_verifier(fd, code, attempt, error) : fd;
}

/* With the maps that prog has. */
static int load(const struct xsk_code *code, const struct xsk_prog *prog,
		struct xsk_error *error)
{
	struct attempt attempt = {
		.insns = with_maps(code->insns, code->count, prog),
		.count = code->count,
		.name = code->filters ? FILTER_NAME : DEFAULT_NAME,
	};
	int fd;

	fd = load_attempt(code, &attempt, error);
	free(attempt.insns);
	if (fd != -EINVAL || !code->older)
		return fd;
	attempt.insns = with_maps(code->older, code->older_count, prog);
	attempt.count = code->older_count;
	fd = load_attempt(code, &attempt, error);
	free(attempt.insns);
	return fd;
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
		return explain_eperm(error, "XDP program", missing_for_lookup());
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
		return xsk_error_hint(error, "detach it (ip link set dev %s xdp off), or give it "
				      "such a map", dev->name);
	xsk_sys_close(link_fd);
	return xsk_error_hint(error, "stop the process that attached it to %s (bpftool link), or "
			      "give it such a map", dev->name);
}

static int explain_other(const struct xsk_netdev *dev, const struct xsk_attached *names,
			 struct xsk_error *error)
{
	xsk_error_set(error, -EBUSY, "XDP program", "%s runs the program '%s' (id %u), which takes "
		      "other packets than this filter", dev->name, names->name, dev->prog_id);
	return xsk_error_hint(error, "close the ports that use it, or open this one without filter "
			      "and keep, and change filter and keep of all: xsk_port_set_filter()");
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
	fd = load(code, prog, error);
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
		return explain_eperm(error, "attach", xsk_sys_capable(CAP_NET_ADMIN) ?
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
	prog->ifindex = dev->ifindex;
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

	prog->map_fd = create_map(dev, error);
	if (prog->map_fd < 0)
		return prog->map_fd;
	if (code->counts) {
		prog->counters_fd = create_counters(error);
		if (prog->counters_fd < 0)
			return prog->counters_fd;
	}
	prog_fd = load(code, prog, error);
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

/* Whoever shares one that libxsk made knows that it may change. */
static int check_ours(const struct xsk_prog *prog, struct xsk_error *error)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd, err;

	if (prog->attached_here)
		return 0;
	fd = bpf_prog_get_fd_by_id(xsk_prog_id(prog));
	if (fd < 0)
		return explain_lookup(fd, error);
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	xsk_sys_close(fd);
	if (err)
		return explain_lookup(err, error);
	if (prog->link_fd >= 0 &&
	    (!strcmp(info.name, DEFAULT_NAME) || !strcmp(info.name, FILTER_NAME)))
		return 0;
	xsk_error_set(error, -EBUSY, "XDP program", "the program '%s' (id %u) was attached by "
		      "others", info.name, info.id);
	return xsk_error_hint(error, "change its filter where it comes from, or detach it and open "
			      "the port anew");
}

static int put(struct xsk_prog *prog, int prog_fd)
{
	int err;

	if (prog->link_fd >= 0) {
		err = bpf_link_update(prog->link_fd, prog_fd, NULL);
		xsk_sys_close(prog_fd);		/* the link holds it */
		return err == -ENOLINK ? -ENODEV : err;
	}
	err = xsk_netdev_set_xdp(prog->ifindex, prog_fd, prog->prog_fd, prog->flags);
	xsk_sys_close(err ? prog_fd : prog->prog_fd);
	if (!err)
		prog->prog_fd = prog_fd;
	return err;
}

static int explain_put(int err, struct xsk_error *error)
{
	if (err == -ENODEV) {
		xsk_error_set(error, err, "XDP program", "the interface is gone");
		return xsk_error_hint(error, "close the port");
	}
	if (err == -EPERM)
		return explain_eperm(error, "XDP program", missing_for_new());
	return xsk_error_system(error, err, "XDP program");
}

int xsk_prog_replace(struct xsk_prog *prog, const struct xsk_code *code, struct xsk_error *error)
{
	int fd, err;
	uint32_t id;

	err = check_ours(prog, error);
	if (err)
		return err;
	if (code->counts && prog->counters_fd < 0) {
		/* Perhaps another share has given it some. */
		fd = xsk_attached_counters(xsk_prog_id(prog));
		if (fd < 0)
			fd = create_counters(error);
		if (fd < 0)
			return fd;
		__atomic_store_n(&prog->counters_fd, fd, __ATOMIC_RELEASE);
	}
	fd = load(code, prog, error);
	if (fd < 0)
		return fd;
	id = id_of(fd);
	err = put(prog, fd);
	if (err)
		return explain_put(err, error);
	__atomic_store_n(&prog->id, id, __ATOMIC_RELAXED);
	return 0;
}

/* Those of a program that another share has put in its place. */
static int counters_of_others(const struct xsk_prog *prog)
{
	uint32_t id = xsk_prog_id(prog);

	return id == __atomic_load_n(&prog->id, __ATOMIC_RELAXED) ? -1 : xsk_attached_counters(id);
}

void xsk_prog_counters(const struct xsk_prog *prog, uint64_t counters[XSK_COUNTERS])
{
	int own = __atomic_load_n(&prog->counters_fd, __ATOMIC_ACQUIRE);
	int found = own < 0 ? counters_of_others(prog) : -1;
	int fd = own < 0 ? found : own;
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
