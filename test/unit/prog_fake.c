/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Finding, loading, attaching and leaving a program: lib/prog.c and
 * attached.c on one interface and a bpf(2) that are faked here, so that what can
 * hardly be brought about happens: others who attach between two steps, a kernel
 * without bpf_link, each call failing in its turn. Every descriptor given out is
 * counted.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/capability.h>
#include <xsk/error.h>

#include "filter.h"
#include "kernel.h"
#include "netdev.h"
#include "prog.h"
#include "sys.h"

#define DIRT 0xa5
#define IFINDEX 12
#define OTHER_IFINDEX 13
#define QUEUES 8

#define FIRST_FD 100
#define MAX_FDS 1024
#define MAX_OBJECTS 512
#define MAX_MAPS_OF_PROG 70		/* more than prog.c takes */

/* ---- the kernel ---- */

enum kind { NONE, MAP, PROG, LINK };

struct map {
	uint32_t id;
	uint32_t type;
	const char *name;
};

struct prog {
	uint32_t id;
	const char *name;
	uint32_t maps[MAX_MAPS_OF_PROG];	/* ids */
	uint32_t map_count;
	bool gone;			/* but for those who hold a descriptor */
};

struct link {
	uint32_t id;
	uint32_t type;
	uint32_t prog_id;
	uint32_t ifindex;
	uint32_t extends, function;	/* of a tracing link: program, BTF id */
	uint32_t attach_type;		/* and how: 0 for freplace */
	bool gone;
};

static struct {
	int calls;			/* that can fail */
	int fail_at;			/* the number of the one that does; 0: none */
	const char *fail_name;		/* or: all of this name */
	int fail_with;
	void (*before)(const char *name);	/* what others do meanwhile */

	uint64_t lacking;		/* capabilities, by bit */
	bool no_links;			/* bpf_link for XDP: -EINVAL, as before 5.9 */
	bool no_frags;			/* as before 5.18 */
	int occupied;			/* what netlink says to a second program */
	bool links_are_silent;		/* on what they extend, as before 5.13 */
	uint32_t pins[10];		/* the components that libxdp has pinned, by id */

	uint32_t attached;		/* the id of the interface's program; 0: none */
	uint32_t last_id;

	struct map maps[MAX_OBJECTS];
	struct prog progs[MAX_OBJECTS];
	struct link links[MAX_OBJECTS];
	int map_count, prog_count, link_count;

	struct {
		enum kind kind;		/* NONE: closed */
		uint32_t id;
	} fds[MAX_FDS];
	int fd_count;			/* ever given out */
	int wrong_closes;		/* of what is not open */

	int gets, sleeps, loads;
	bool signals_blocked;
	uint32_t load_flags[2];		/* of the first two loads */
	int link_ends;		/* so many looks at a link that ends, then it has */
	int set_xdp_calls;
	int set_xdp_prog_fd, set_xdp_expected_fd, set_xdp_ifindex;
	uint32_t set_xdp_flags, link_flags;
	int updates;
	uint32_t update_key, update_value;
	uint64_t update_flags;
} kernel;

static int reset(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.occupied = -EBUSY;
	kernel.last_id = 1000;
	return 0;
}

/* At the start of each call: 0, or what it is to fail with. */
static int enter(const char *name)
{
	if (kernel.before)
		kernel.before(name);
	if (++kernel.calls == kernel.fail_at)
		return kernel.fail_with;
	if (kernel.fail_name && !strcmp(kernel.fail_name, name))
		return kernel.fail_with;
	return 0;
}

static int give_fd(enum kind kind, uint32_t id)
{
	assert_true(kernel.fd_count < MAX_FDS);
	kernel.fds[kernel.fd_count].kind = kind;
	kernel.fds[kernel.fd_count].id = id;
	return FIRST_FD + kernel.fd_count++;
}

static enum kind kind_of(int fd)
{
	if (fd < FIRST_FD || fd >= FIRST_FD + kernel.fd_count)
		return NONE;
	return kernel.fds[fd - FIRST_FD].kind;
}

static uint32_t id_of(int fd)
{
	assert_true(kind_of(fd) != NONE);
	return kernel.fds[fd - FIRST_FD].id;
}

static int open_fds(void)
{
	int open = 0;

	for (int i = 0; i < kernel.fd_count; i++)
		open += kernel.fds[i].kind != NONE;
	return open;
}

static const struct map *find_map(uint32_t id)
{
	for (int i = 0; i < kernel.map_count; i++)
		if (kernel.maps[i].id == id)
			return &kernel.maps[i];
	return NULL;
}

static const struct prog *find_prog(uint32_t id)
{
	for (int i = 0; i < kernel.prog_count; i++)
		if (kernel.progs[i].id == id)
			return &kernel.progs[i];
	return NULL;
}

static const struct link *find_link(uint32_t id)
{
	for (int i = 0; i < kernel.link_count; i++)
		if (kernel.links[i].id == id)
			return &kernel.links[i];
	return NULL;
}

static uint32_t add_map(uint32_t type, const char *name)
{
	assert_true(kernel.map_count < MAX_OBJECTS);
	kernel.maps[kernel.map_count++] =
		(struct map){ .id = ++kernel.last_id, .type = type, .name = name };
	return kernel.last_id;
}

static struct prog *add_prog(const char *name)
{
	struct prog *prog = &kernel.progs[kernel.prog_count++];

	assert_true(kernel.prog_count < MAX_OBJECTS);
	*prog = (struct prog){ .id = ++kernel.last_id, .name = name };
	return prog;
}

static uint32_t add_link(uint32_t type, uint32_t prog_id, uint32_t ifindex)
{
	assert_true(kernel.link_count < MAX_OBJECTS);
	kernel.links[kernel.link_count++] = (struct link){
		.id = ++kernel.last_id, .type = type, .prog_id = prog_id, .ifindex = ifindex,
	};
	return kernel.last_id;
}

static void extend(uint32_t link_id, uint32_t prog_id, uint32_t function)
{
	for (int i = 0; i < kernel.link_count; i++) {
		if (kernel.links[i].id != link_id)
			continue;
		kernel.links[i].extends = prog_id;
		kernel.links[i].function = function;
	}
}

/* The last descriptor of a link of ours takes the program with it. */
static void drop_link(uint32_t id)
{
	for (int i = 0; i < kernel.fd_count; i++)
		if (kernel.fds[i].kind == LINK && kernel.fds[i].id == id)
			return;
	if (find_link(id)->prog_id == kernel.attached &&
	    !strcmp(find_prog(kernel.attached)->name, "libxsk_default"))
		kernel.attached = 0;
}

void xsk_sys_close(int fd)
{
	enum kind kind = kind_of(fd);

	if (fd < 0)
		return;
	if (kind == NONE) {
		kernel.wrong_closes++;
		return;
	}
	kernel.fds[fd - FIRST_FD].kind = NONE;
	if (kind == LINK)
		drop_link(kernel.fds[fd - FIRST_FD].id);
}

bool xsk_sys_capable(int capability)
{
	return !(kernel.lacking & 1ULL << capability);
}

int xsk_sys_possible_cpus(void)
{
	return 1;
}

void xsk_sys_block_signals(sigset_t *before)
{
	sigemptyset(before);
	kernel.signals_blocked = true;
}

void xsk_sys_restore_signals(const sigset_t *before)
{
	assert_true(sigisemptyset(before));
	assert_true(kernel.signals_blocked);
	kernel.signals_blocked = false;
}

void xsk_sys_sleep_ms(unsigned int ms)
{
	assert_in_range(ms, 1, 100);
	kernel.sleeps++;
}

int xsk_netdev_get(struct xsk_netdev *ret, int ifindex)
{
	int err = enter("xsk_netdev_get");

	kernel.gets++;
	if (err)
		return err;
	assert_int_equal(ifindex, IFINDEX);
	*ret = (struct xsk_netdev){
		.ifindex = IFINDEX,
		.name = "eth0",
		.rx_queues = QUEUES,
		.tx_queues = 2,
		.mtu = 1500,
		.prog_id = kernel.attached,
	};
	return 0;
}

uint32_t xsk_netdev_queues(const struct xsk_netdev *dev)
{
	return dev->rx_queues;
}

int xsk_netdev_set_xdp(int ifindex, int prog_fd, int expected_fd, uint32_t flags)
{
	int err = enter("xsk_netdev_set_xdp");

	kernel.set_xdp_calls++;
	kernel.set_xdp_ifindex = ifindex;
	kernel.set_xdp_prog_fd = prog_fd;
	kernel.set_xdp_expected_fd = expected_fd;
	kernel.set_xdp_flags = flags;
	if (err)
		return err;
	/* In its own place: refused while a link holds it, also one that ends. */
	if (prog_fd >= 0 && prog_fd == expected_fd) {
		if (kernel.link_ends > 0 && !--kernel.link_ends)
			kernel.attached = 0;
		if (kernel.link_ends || !kernel.attached)
			return -EBUSY;
		return id_of(prog_fd) == kernel.attached ? 0 : -EEXIST;
	}
	if (prog_fd >= 0) {
		assert_int_equal(expected_fd, -1);
		assert_int_equal(kind_of(prog_fd), PROG);
		if (kernel.attached)
			return kernel.occupied;
		kernel.attached = id_of(prog_fd);
		return 0;
	}
	if (kind_of(expected_fd) != PROG || id_of(expected_fd) != kernel.attached)
		return -EEXIST;
	kernel.attached = 0;
	return 0;
}

int bpf_prog_get_fd_by_id(__u32 id)
{
	int err = enter("bpf_prog_get_fd_by_id");

	if (err)
		return err;
	return find_prog(id) && !find_prog(id)->gone ? give_fd(PROG, id) : -ENOENT;
}

/* The pins of the dispatcher that is attached; those of others do not count. */
int bpf_obj_get(const char *path)
{
	int err = enter("bpf_obj_get");
	unsigned int id, slot;
	int ifindex;

	assert_int_equal(sscanf(path, "/sys/fs/bpf/xdp/dispatch-%d-%u/prog%u-prog", &ifindex,
				&id, &slot), 3);
	assert_int_equal(ifindex, IFINDEX);
	assert_in_range(slot, 0, 9);
	if (err)
		return err;
	return id == kernel.attached && kernel.pins[slot] ? give_fd(PROG, kernel.pins[slot])
							 : -ENOENT;
}

int bpf_map_get_fd_by_id(__u32 id)
{
	int err = enter("bpf_map_get_fd_by_id");

	if (err)
		return err;
	return find_map(id) ? give_fd(MAP, id) : -ENOENT;
}

int bpf_link_get_fd_by_id(__u32 id)
{
	int err = enter("bpf_link_get_fd_by_id");

	if (err)
		return err;
	return find_link(id) && !find_link(id)->gone ? give_fd(LINK, id) : -ENOENT;
}

int bpf_link_get_next_id(__u32 start_id, __u32 *next_id)
{
	int err = enter("bpf_link_get_next_id");
	uint32_t next = 0;

	if (err)
		return err;
	for (int i = 0; i < kernel.link_count && !next; i++)
		if (kernel.links[i].id > start_id && !kernel.links[i].gone)
			next = kernel.links[i].id;	/* they are in order */
	if (!next)
		return -ENOENT;
	*next_id = next;
	return 0;
}

static void tell_prog(const struct prog *prog, struct bpf_prog_info *info)
{
	uint32_t room = info->nr_map_ids;
	uint32_t *ids = (uint32_t *)(uintptr_t)info->map_ids;

	info->id = prog->id;
	info->type = BPF_PROG_TYPE_XDP;
	snprintf(info->name, sizeof(info->name), "%s", prog->name);
	info->nr_map_ids = prog->map_count;
	for (uint32_t i = 0; i < prog->map_count && i < room; i++)
		ids[i] = prog->maps[i];
}

int bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len)
{
	int err = enter("bpf_obj_get_info_by_fd");
	const struct link *link;

	if (err)
		return err;
	switch (kind_of(fd)) {
	case MAP:
		assert_int_equal(*len, sizeof(struct bpf_map_info));
		((struct bpf_map_info *)info)->type = find_map(id_of(fd))->type;
		snprintf(((struct bpf_map_info *)info)->name, BPF_OBJ_NAME_LEN, "%s",
			 find_map(id_of(fd))->name);
		return 0;
	case PROG:
		assert_int_equal(*len, sizeof(struct bpf_prog_info));
		tell_prog(find_prog(id_of(fd)), info);
		return 0;
	case LINK:
		assert_int_equal(*len, sizeof(struct bpf_link_info));
		link = find_link(id_of(fd));
		((struct bpf_link_info *)info)->type = link->type;
		((struct bpf_link_info *)info)->prog_id = link->prog_id;
		if (link->type == BPF_LINK_TYPE_XDP) {
			((struct bpf_link_info *)info)->xdp.ifindex = link->ifindex;
		} else if (!kernel.links_are_silent) {
			((struct bpf_link_info *)info)->tracing.target_obj_id = link->extends;
			((struct bpf_link_info *)info)->tracing.target_btf_id = link->function;
			((struct bpf_link_info *)info)->tracing.attach_type = link->attach_type;
		}
		return 0;
	case NONE:
		break;
	}
	return -EBADF;
}

int bpf_map_create(enum bpf_map_type type, const char *name, __u32 key_size, __u32 value_size,
		   __u32 max_entries, const struct bpf_map_create_opts *opts)
{
	int err = enter("bpf_map_create");

	(void)opts;
	assert_int_equal(type, BPF_MAP_TYPE_XSKMAP);
	assert_string_equal(name, "xsks_map");
	assert_int_equal(key_size, 4);
	assert_int_equal(value_size, 4);
	assert_int_equal(max_entries, QUEUES);
	return err ? err : give_fd(MAP, add_map(type, name));
}

int bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
		  const struct bpf_insn *insns, size_t count, const struct bpf_prog_load_opts *opts)
{
	int err = enter("bpf_prog_load");
	struct prog *prog;

	assert_int_equal(type, BPF_PROG_TYPE_XDP);
	assert_non_null(license);
	assert_true(kernel.signals_blocked);
	assert_int_equal(count, XSK_FILTER_DEFAULT_INSNS);
	if (kernel.loads < 2)
		kernel.load_flags[kernel.loads] = opts->prog_flags;
	kernel.loads++;
	if (err)
		return err;
	if (kernel.no_frags && opts->prog_flags)
		return -EINVAL;

	prog = add_prog(name);
	for (size_t i = 0; i < count; i++) {
		if (!xsk_insn_is_map(&insns[i]))
			continue;
		assert_int_equal(kind_of(insns[i].imm), MAP);
		prog->maps[prog->map_count++] = id_of(insns[i].imm);
	}
	assert_int_equal(prog->map_count, 1);
	return give_fd(PROG, prog->id);
}

int bpf_link_create(int prog_fd, int target_fd, enum bpf_attach_type attach_type,
		    const struct bpf_link_create_opts *opts)
{
	int err = enter("bpf_link_create");

	assert_int_equal(kind_of(prog_fd), PROG);
	assert_int_equal(target_fd, IFINDEX);
	assert_int_equal(attach_type, BPF_XDP);
	kernel.link_flags = opts->flags;
	if (err)
		return err;
	if (kernel.no_links)
		return -EINVAL;
	if (kernel.attached)
		return -EBUSY;
	kernel.attached = id_of(prog_fd);
	return give_fd(LINK, add_link(BPF_LINK_TYPE_XDP, kernel.attached, IFINDEX));
}

int bpf_link_update(int link_fd, int new_prog_fd, const struct bpf_link_update_opts *opts)
{
	(void)opts;
	assert_int_equal(kind_of(link_fd), LINK);
	assert_int_equal(kind_of(new_prog_fd), PROG);
	return enter("bpf_link_update");
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	(void)key;
	(void)value;
	assert_int_equal(kind_of(fd), MAP);
	return -ENOENT;
}

int bpf_map_delete_elem(int fd, const void *key)
{
	assert_int_equal(kind_of(fd), MAP);
	memcpy(&kernel.update_key, key, sizeof(kernel.update_key));
	return 0;
}

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	int err = enter("bpf_map_update_elem");

	assert_int_equal(kind_of(fd), MAP);
	memcpy(&kernel.update_key, key, sizeof(kernel.update_key));
	memcpy(&kernel.update_value, value, sizeof(kernel.update_value));
	kernel.update_flags = flags;
	kernel.updates++;
	return err;
}

int bpf_link_detach(int link_fd)
{
	int err = enter("bpf_link_detach");

	assert_int_equal(kind_of(link_fd), LINK);
	if (err)
		return err;
	assert_int_equal(find_link(id_of(link_fd))->prog_id, kernel.attached);
	kernel.attached = 0;
	return 0;
}

/* ---- programs of others ---- */

/* One on the interface, with this map. Attached by netlink unless a link is added. */
static struct prog *attach_other(uint32_t map_type, const char *map_name)
{
	struct prog *prog = add_prog("somebodys");

	prog->maps[prog->map_count++] = add_map(map_type, map_name);
	kernel.attached = prog->id;
	return prog;
}

/* With its link among those of other interfaces, programs and kinds. */
static struct prog *attach_other_by_link(void)
{
	struct prog *prog = attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");

	add_link(BPF_LINK_TYPE_XDP, prog->id + 77, IFINDEX);
	add_link(BPF_LINK_TYPE_XDP, prog->id, OTHER_IFINDEX);
	add_link(BPF_LINK_TYPE_TRACING, prog->id, IFINDEX);
	add_link(BPF_LINK_TYPE_XDP, prog->id, IFINDEX);
	return prog;
}

/* libxdp's dispatcher, attached by netlink, with a map that is of no use. */
static uint32_t attach_dispatcher(void)
{
	struct prog *prog = add_prog("xdp_dispatcher");

	prog->maps[prog->map_count++] = add_map(BPF_MAP_TYPE_ARRAY, "xdp_disp.rodata");
	kernel.attached = prog->id;
	return prog->id;
}

/* A component of it, in one of its places, with one map. Returns the map's id. */
static uint32_t add_component(uint32_t dispatcher, const char *name, uint32_t slot,
			      uint32_t map_type, const char *map_name)
{
	struct prog *prog = add_prog(name);

	prog->maps[prog->map_count++] = add_map(map_type, map_name);
	extend(add_link(BPF_LINK_TYPE_TRACING, prog->id, 0), dispatcher, 7 + slot);
	if (dispatcher == kernel.attached)
		kernel.pins[slot] = prog->id;
	return prog->maps[0];
}

/* ---- joining ---- */

static int join(struct xsk_prog *prog, uint32_t flags, struct xsk_error *error)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS], before[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code code = xsk_filter_default(insns);
	int err;

	memcpy(before, insns, sizeof(insns));
	memset(error, 0, sizeof(*error));
	err = xsk_prog_join(prog, IFINDEX, flags, &code, error);
	assert_memory_equal(insns, before, sizeof(insns));
	assert_int_equal(kernel.wrong_closes, 0);
	assert_false(kernel.signals_blocked);
	return err;
}

/* What every failure leaves behind: nothing but a reason. */
static void assert_failed(int err, int expected, const struct xsk_prog *prog,
			  const struct xsk_error *error)
{
	struct xsk_prog untouched;

	memset(&untouched, DIRT, sizeof(untouched));
	assert_int_equal(err, expected);
	assert_int_equal(error->code, expected);
	assert_true(error->step[0]);
	assert_true(error->reason[0]);
	assert_memory_equal(prog, &untouched, sizeof(*prog));
	assert_int_equal(open_fds(), 0);
}

static void fail_join(int expected, struct xsk_error *error)
{
	struct xsk_prog prog;
	int err;

	memset(&prog, DIRT, sizeof(prog));
	err = join(&prog, 0, error);
	assert_failed(err, expected, &prog, error);
}

static void assert_left(struct xsk_prog *prog)
{
	xsk_prog_leave(prog);
	assert_int_equal(open_fds(), 0);
	assert_int_equal(kernel.wrong_closes, 0);
	assert_int_equal(prog->map_fd, -1);
	assert_int_equal(prog->link_fd, -1);
	assert_int_equal(prog->prog_fd, -1);

	/* A second time does nothing. */
	xsk_prog_leave(prog);
	assert_int_equal(kernel.wrong_closes, 0);
}

static void attach_by_link(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	assert_int_equal(join(&prog, XDP_FLAGS_SKB_MODE, &error), 0);
	assert_int_equal(kernel.link_flags, XDP_FLAGS_SKB_MODE);
	assert_int_equal(kind_of(prog.map_fd), MAP);
	assert_int_equal(kind_of(prog.link_fd), LINK);
	assert_int_equal(prog.prog_fd, -1);
	assert_int_equal(open_fds(), 2);	/* the link holds the program */
	assert_true(kernel.attached);
	assert_int_equal(prog.id, kernel.attached);
	assert_int_equal(find_prog(kernel.attached)->maps[0], id_of(prog.map_fd));
	assert_int_equal(kernel.loads, 1);
	assert_int_equal(kernel.load_flags[0], BPF_F_XDP_HAS_FRAGS);
	assert_int_equal(kernel.sleeps, 0);

	assert_left(&prog);
	assert_int_equal(kernel.attached, 0);
	assert_int_equal(kernel.set_xdp_calls, 0);
}

/* Before 5.18 a flag that is not known is -EINVAL. */
static void load_without_frags(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	kernel.no_frags = true;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(kernel.loads, 2);
	assert_int_equal(kernel.load_flags[0], BPF_F_XDP_HAS_FRAGS);
	assert_int_equal(kernel.load_flags[1], 0);
	assert_left(&prog);
}

/* Of what is refused for another reason no second load is tried. */
/* Where it is asked for, the frags are not tried. */
static void load_without_frags_asked(void **state)
{
	struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS];
	struct xsk_code code = xsk_filter_default(insns);
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	code.no_frags = true;
	assert_int_equal(xsk_prog_join(&prog, IFINDEX, 0, &code, &error), 0);
	assert_int_equal(kernel.loads, 1);
	assert_int_equal(kernel.load_flags[0], 0);
	assert_left(&prog);
}

static void load_refused(void **state)
{
	struct xsk_error error;

	(void)state;
	kernel.fail_name = "bpf_prog_load";
	kernel.fail_with = -E2BIG;
	fail_join(-E2BIG, &error);
	assert_int_equal(kernel.loads, 1);

	reset(NULL);
	kernel.fail_name = "bpf_prog_load";
	kernel.fail_with = -EINVAL;
	fail_join(-EINVAL, &error);
	assert_int_equal(kernel.loads, 2);
}

static void attach_by_netlink(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	int prog_fd;

	(void)state;
	kernel.no_links = true;
	assert_int_equal(join(&prog, XDP_FLAGS_DRV_MODE, &error), 0);
	assert_true(prog.link_fd < 0);
	assert_int_equal(kind_of(prog.prog_fd), PROG);
	assert_int_equal(id_of(prog.prog_fd), kernel.attached);
	assert_int_equal(prog.id, kernel.attached);
	assert_int_equal(open_fds(), 2);
	assert_int_equal(kernel.set_xdp_calls, 1);
	assert_int_equal(kernel.set_xdp_ifindex, IFINDEX);
	assert_int_equal(kernel.set_xdp_prog_fd, prog.prog_fd);
	assert_int_equal(kernel.set_xdp_flags, XDP_FLAGS_DRV_MODE);

	prog_fd = prog.prog_fd;
	assert_left(&prog);
	assert_int_equal(kernel.set_xdp_calls, 2);
	assert_int_equal(kernel.set_xdp_ifindex, IFINDEX);
	assert_int_equal(kernel.set_xdp_prog_fd, -1);
	assert_int_equal(kernel.set_xdp_expected_fd, prog_fd);
	assert_int_equal(kernel.set_xdp_flags, XDP_FLAGS_DRV_MODE);
	assert_int_equal(kernel.attached, 0);
}

/* Where somebody has replaced it since, his stays. */
static void detach_after_replaced(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	uint32_t other;

	(void)state;
	kernel.no_links = true;
	assert_int_equal(join(&prog, 0, &error), 0);
	other = attach_other(BPF_MAP_TYPE_HASH, "theirs")->id;
	assert_left(&prog);
	assert_int_equal(kernel.attached, other);
}

/* A child that closes its sockets does not stop those of its parent. */
static void detach_not_by_a_child(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	int status;
	pid_t pid;

	(void)state;
	kernel.no_links = true;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(prog.pid, getpid());

	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		/* The calls so far were the parent's; no assert in here. */
		xsk_prog_leave(&prog);
		_exit(kernel.set_xdp_calls != 1 || !kernel.attached || open_fds() ||
		      kernel.wrong_closes);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);

	assert_left(&prog);
	assert_int_equal(kernel.set_xdp_calls, 2);
	assert_int_equal(kernel.attached, 0);
}

static void use_what_is_there(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	uint32_t other;

	(void)state;
	/* By link: a share in it, the right one of many. */
	other = attach_other_by_link()->id;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(prog.id, other);
	assert_int_equal(id_of(prog.map_fd), find_prog(other)->maps[0]);
	assert_int_equal(kind_of(prog.link_fd), LINK);
	assert_int_equal(find_link(id_of(prog.link_fd))->prog_id, other);
	assert_int_equal(find_link(id_of(prog.link_fd))->type, BPF_LINK_TYPE_XDP);
	assert_int_equal(find_link(id_of(prog.link_fd))->ifindex, IFINDEX);
	assert_int_equal(prog.prog_fd, -1);
	assert_int_equal(open_fds(), 2);
	assert_int_equal(kernel.loads, 0);
	assert_left(&prog);
	assert_int_equal(kernel.attached, other);

	/* By netlink: the map, and nothing that would detach it. */
	reset(NULL);
	other = attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map")->id;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_true(prog.link_fd < 0);
	assert_int_equal(prog.prog_fd, -1);
	assert_int_equal(open_fds(), 1);
	assert_left(&prog);
	assert_int_equal(kernel.attached, other);
	/* But for the question whether a link is about to end. */
	assert_int_equal(kernel.set_xdp_calls, 1);
	assert_int_equal(kernel.set_xdp_prog_fd, kernel.set_xdp_expected_fd);
}

/* ---- behind a dispatcher ---- */

static void use_component(uint32_t map_id)
{
	uint32_t dispatcher = kernel.attached;
	struct xsk_error error;
	struct xsk_prog prog;

	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(id_of(prog.map_fd), map_id);
	assert_int_equal(prog.id, dispatcher);
	assert_true(prog.link_fd < 0);
	assert_int_equal(prog.prog_fd, -1);
	assert_int_equal(open_fds(), 1);
	assert_int_equal(kernel.loads, 0);
	assert_left(&prog);
	assert_int_equal(kernel.attached, dispatcher);
}

/* Of those that have such a map the one that runs first; told by its links, or pinned. */
static void components(void **state)
{
	uint32_t dispatcher, other, map;

	(void)state;
	for (int silent = 0; silent < 2; silent++) {
		reset(NULL);
		kernel.links_are_silent = silent;
		other = attach_dispatcher();
		add_component(other, "elsewhere", 0, BPF_MAP_TYPE_XSKMAP, "xsks_map");
		memset(kernel.pins, 0, sizeof(kernel.pins));
		dispatcher = attach_dispatcher();
		add_component(dispatcher, "third", 3, BPF_MAP_TYPE_XSKMAP, "xsks_map");
		map = add_component(dispatcher, "second", 2, BPF_MAP_TYPE_XSKMAP, "xsks_map");
		add_component(dispatcher, "zeroth", 0, BPF_MAP_TYPE_HASH, "xsks_map");
		add_component(dispatcher, "first", 1, BPF_MAP_TYPE_XSKMAP, "theirs");
		use_component(map);
	}
}

/* Its own map comes first; more components than it can have are none of ours. */
static void dispatcher_oddities(void **state)
{
	struct prog *prog;
	uint32_t id, map;

	(void)state;
	prog = attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	map = prog->maps[0];
	add_component(prog->id, "component", 0, BPF_MAP_TYPE_XSKMAP, "xsks_map");
	use_component(map);

	reset(NULL);
	id = attach_dispatcher();
	map = add_component(id, "first", 0, BPF_MAP_TYPE_XSKMAP, "xsks_map");
	for (uint32_t i = 1; i < 40; i++)
		add_component(id, "more", i % 10, BPF_MAP_TYPE_XSKMAP, "xsks_map");
	use_component(map);
}

static void components_without_our_map(void **state)
{
	struct xsk_error error;
	uint32_t dispatcher;

	(void)state;
	for (int silent = 0; silent < 2; silent++) {
		reset(NULL);
		kernel.links_are_silent = silent;
		dispatcher = attach_dispatcher();
		add_component(dispatcher, "filter", 0, BPF_MAP_TYPE_HASH, "xsks_map");
		add_component(dispatcher, "counter", 1, BPF_MAP_TYPE_XSKMAP, "theirs");
		fail_join(-EBUSY, &error);
		assert_non_null(strstr(error.reason, "'xdp_dispatcher'"));
		assert_non_null(strstr(error.reason, "with 'filter', 'counter', none"));
		assert_non_null(strstr(error.hint, "xdp-loader unload eth0"));
		assert_int_equal(kernel.attached, dispatcher);
		assert_int_equal(kernel.set_xdp_calls, 0);
		assert_int_equal(kernel.loads, 0);
	}
}

/* As xdpdump does: no component, and no dispatcher either. */
static void watched(void **state)
{
	static const uint32_t types[] = { BPF_TRACE_FENTRY, BPF_TRACE_FEXIT, BPF_MODIFY_RETURN };
	struct xsk_error error;

	(void)state;
	add_component(attach_other(BPF_MAP_TYPE_HASH, "theirs")->id, "watcher", 0,
		      BPF_MAP_TYPE_XSKMAP, "xsks_map");
	memset(kernel.pins, 0, sizeof(kernel.pins));
	for (size_t i = 0; i < 3; i++) {
		kernel.links[kernel.link_count - 1].attach_type = types[i];
		fail_join(-EBUSY, &error);
		assert_null(strstr(error.reason, "watcher"));
		assert_non_null(strstr(error.hint, "ip link"));
	}
}

/* Ten of the longest names: whole ones, as many as there is room for. */
static void many_long_names(void **state)
{
	struct xsk_error error;
	uint32_t dispatcher;

	(void)state;
	dispatcher = attach_dispatcher();
	for (uint32_t i = 0; i < 10; i++)
		add_component(dispatcher, "fifteen_letters", i, BPF_MAP_TYPE_HASH, "theirs");
	fail_join(-EBUSY, &error);
	assert_non_null(strstr(error.reason, "'fifteen_letters', 'fifteen_letters', none of"));
}

/* Who only joins attaches nothing. */
static void join_only(void **state)
{
	struct xsk_error error = { 0 };
	struct xsk_prog prog;

	(void)state;
	assert_int_equal(xsk_prog_join(&prog, IFINDEX, 0, NULL, &error), -ENOENT);
	assert_int_equal(error.code, -ENOENT);
	assert_int_equal(kernel.loads, 0);
	attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	assert_int_equal(xsk_prog_join(&prog, IFINDEX, 0, NULL, &error), 0);
	assert_left(&prog);
}

static void exchange_dispatcher(const char *name)
{
	if (strcmp(name, "xsk_netdev_get") || kernel.gets != 1)
		return;
	add_component(attach_dispatcher(), "new", 0, BPF_MAP_TYPE_XSKMAP, "xsks_map");
}

/* Another component comes: libxdp puts a new dispatcher in the place of the old. */
static void dispatcher_is_exchanged(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	add_component(attach_dispatcher(), "filter", 0, BPF_MAP_TYPE_HASH, "flows");
	kernel.before = exchange_dispatcher;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(prog.id, kernel.attached);
	assert_int_equal(kernel.sleeps, 1);
	assert_int_equal(open_fds(), 1);
	assert_left(&prog);
}

/* ---- programs without our map ---- */

static void assert_foreign(const struct prog *other, const char *remedy)
{
	struct xsk_error error;
	char id[16];

	fail_join(-EBUSY, &error);
	snprintf(id, sizeof(id), "%u", other->id);
	assert_non_null(strstr(error.reason, other->name));
	assert_non_null(strstr(error.reason, id));
	assert_non_null(strstr(error.reason, "eth0"));
	assert_non_null(strstr(error.hint, remedy));
	assert_int_equal(kernel.attached, other->id);
	assert_int_equal(kernel.set_xdp_calls, 0);
	assert_int_equal(kernel.loads, 0);
	assert_int_equal(kernel.sleeps, 0);
}

/* By whom, by which name and id, and what gets rid of it: that depends. */
static void foreign(void **state)
{
	struct prog *other;

	(void)state;
	assert_foreign(attach_other(BPF_MAP_TYPE_HASH, "theirs"), "ip link");

	/* What is attached by a link, ip-link(8) does not detach. */
	reset(NULL);
	other = attach_other(BPF_MAP_TYPE_HASH, "theirs");
	add_link(BPF_LINK_TYPE_XDP, other->id, IFINDEX);
	assert_foreign(other, "bpftool link");

	/* Without any map. */
	reset(NULL);
	other = add_prog("mapless");
	kernel.attached = other->id;
	assert_foreign(other, "ip link");

	/* A name as long as names can be. */
	reset(NULL);
	other = add_prog("fifteen_letters");
	kernel.attached = other->id;
	assert_foreign(other, "ip link");

	/* The name on a map of another type; the type under another name. */
	reset(NULL);
	assert_foreign(attach_other(BPF_MAP_TYPE_ARRAY, "xsks_map"), "ip link");
	reset(NULL);
	assert_foreign(attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map2"), "ip link");
	reset(NULL);
	assert_foreign(attach_other(BPF_MAP_TYPE_XSKMAP, "xsks"), "ip link");
}

static void ours_among_other_maps(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	struct prog *other;

	(void)state;
	other = attach_other(BPF_MAP_TYPE_ARRAY, "xsks_map");
	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_XSKMAP, "theirs");
	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_HASH, "xsks_map");
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(id_of(prog.map_fd), other->maps[2]);
	assert_int_equal(open_fds(), 1);
	assert_left(&prog);
}

/* More maps than are asked for: no id is made up. */
static void many_maps(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	struct prog *other;

	(void)state;
	other = attach_other(BPF_MAP_TYPE_ARRAY, "one");
	while (other->map_count < 63)
		other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_HASH, "more");
	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(open_fds(), 1);
	assert_left(&prog);

	reset(NULL);
	other = attach_other(BPF_MAP_TYPE_ARRAY, "one");
	while (other->map_count < MAX_MAPS_OF_PROG)
		other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_HASH, "more");
	assert_foreign(other, "ip link");
}

/* ---- others, at the same time ---- */

static void appear_at_attach(const char *name)
{
	if (strcmp(name, kernel.no_links ? "xsk_netdev_set_xdp" : "bpf_link_create"))
		return;
	kernel.before = NULL;
	attach_other_by_link();
}

/* Between our look and our attaching: theirs is used. */
static void appears(void **state)
{
	static const struct {
		bool no_links;
		int occupied;
	} ways[] = { { false, -EBUSY }, { true, -EBUSY }, { true, -EEXIST } };
	struct xsk_error error;
	struct xsk_prog prog;
	uint32_t other;

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		reset(NULL);
		kernel.before = appear_at_attach;
		kernel.no_links = ways[i].no_links;
		kernel.occupied = ways[i].occupied;
		assert_int_equal(join(&prog, 0, &error), 0);
		other = kernel.attached;
		assert_string_equal(find_prog(other)->name, "somebodys");
		assert_int_equal(id_of(prog.map_fd), find_prog(other)->maps[0]);
		assert_int_equal(kind_of(prog.link_fd), LINK);
		assert_int_equal(prog.prog_fd, -1);
		assert_int_equal(open_fds(), 2);
		assert_int_equal(kernel.sleeps, 1);
		assert_left(&prog);
		assert_int_equal(kernel.attached, other);
	}
}

static void vanish(void)
{
	kernel.before = NULL;
	kernel.attached = 0;
	for (int i = 0; i < kernel.prog_count; i++)
		kernel.progs[i].gone = true;
	for (int i = 0; i < kernel.link_count; i++)
		kernel.links[i].gone = true;
}

static void vanish_at_prog(const char *name)
{
	if (!strcmp(name, "bpf_prog_get_fd_by_id"))
		vanish();
}

/* While its links are looked through: we hold the map of a program that is gone. */
static void vanish_at_links(const char *name)
{
	if (!strcmp(name, "bpf_link_get_next_id"))
		vanish();
}

static void vanish_at_second_look(const char *name)
{
	if (!strcmp(name, "xsk_netdev_get") && kernel.gets)
		vanish();
}

static void replace_at_second_look(const char *name)
{
	if (strcmp(name, "xsk_netdev_get") || !kernel.gets)
		return;
	vanish();
	attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
}

/* Between our look and our use: ours is attached. */
static void vanishes(void **state)
{
	void (*const at[])(const char *) = {
		vanish_at_prog, vanish_at_links, vanish_at_second_look,
	};
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		reset(NULL);
		attach_other_by_link();
		kernel.before = at[i];
		assert_int_equal(join(&prog, 0, &error), 0);
		assert_string_equal(find_prog(kernel.attached)->name, "libxsk_default");
		assert_int_equal(id_of(prog.map_fd), find_prog(kernel.attached)->maps[0]);
		assert_int_equal(kind_of(prog.link_fd), LINK);
		assert_int_equal(open_fds(), 2);
		assert_int_equal(kernel.sleeps, 1);
		assert_left(&prog);
		assert_int_equal(kernel.attached, 0);
	}
}

static void replaced(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	attach_other_by_link();
	kernel.before = replace_at_second_look;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(id_of(prog.map_fd), find_prog(kernel.attached)->maps[0]);
	assert_true(prog.link_fd < 0);
	assert_int_equal(open_fds(), 1);
	assert_left(&prog);
}

/* Its last holder is gone: no id any more, but the program for some time. */
static void link_ends(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;

	(void)state;
	attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	kernel.link_ends = 5;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_string_equal(find_prog(kernel.attached)->name, "libxsk_default");
	assert_int_equal(kind_of(prog.link_fd), LINK);
	assert_int_equal(open_fds(), 2);
	assert_int_equal(kernel.sleeps, 5);
	assert_left(&prog);
}

/* A link that is gone, or not yet whole, when its turn comes. */
static void lose_first_link(const char *name)
{
	if (strcmp(name, "bpf_link_get_fd_by_id"))
		return;
	kernel.before = NULL;
	kernel.links[0].gone = true;
}

static void links_come_and_go(void **state)
{
	struct xsk_error error;
	struct xsk_prog prog;
	int calls_to_link;

	(void)state;
	attach_other_by_link();
	kernel.before = lose_first_link;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(kind_of(prog.link_fd), LINK);
	assert_int_equal(open_fds(), 2);
	assert_left(&prog);

	/* -EAGAIN, from a link that somebody is about to create: look again. */
	reset(NULL);
	attach_other_by_link();
	assert_int_equal(join(&prog, 0, &error), 0);
	calls_to_link = kernel.calls - 3;	/* its info, no more, the second look */
	assert_left(&prog);

	reset(NULL);
	attach_other_by_link();
	kernel.fail_at = calls_to_link;
	kernel.fail_with = -EAGAIN;
	assert_int_equal(join(&prog, 0, &error), 0);
	assert_int_equal(kind_of(prog.link_fd), LINK);
	assert_int_equal(kernel.sleeps, 1);
	assert_left(&prog);
}

/* It gives up, in less than a second, and says so. */
static void bounded_tries(void **state)
{
	static const struct {
		const char *name;
		int err;
		bool other;
	} always[] = {
		{ "bpf_link_create", -EBUSY, false },
		{ "bpf_link_create", -EEXIST, false },
		{ "bpf_prog_get_fd_by_id", -ENOENT, true },
		{ "bpf_link_get_fd_by_id", -EAGAIN, true },
	};
	struct xsk_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		reset(NULL);
		if (always[i].other)
			attach_other_by_link();
		kernel.fail_name = always[i].name;
		kernel.fail_with = always[i].err;
		fail_join(-EBUSY, &error);
		assert_in_range(kernel.sleeps, 2, 100);
		assert_int_equal(kernel.attached != 0, always[i].other);
	}
}

/* ---- refused ---- */

#define BIT(capability) (1ULL << (capability))

/* It is looked which capability is missing, and which would do instead. */
static void no_capability(void **state)
{
	static const uint64_t bpf = BIT(CAP_BPF), net = BIT(CAP_NET_ADMIN);
	static const uint64_t sys = BIT(CAP_SYS_ADMIN);
	const struct {
		const char *name;
		uint64_t lacking;
		const char *said, *not_said;
		bool other, no_links;
	} cases[] = {
		{ "bpf_map_create", bpf | sys, "CAP_BPF", "CAP_NET_ADMIN", false, false },
		{ "bpf_map_create", bpf | net | sys, "CAP_BPF", "CAP_SYS_ADMIN", false, false },
		{ "bpf_map_create", bpf | net | sys, "CAP_NET_ADMIN", "missing", false, false },
		{ "bpf_prog_load", net | sys, "CAP_NET_ADMIN", "CAP_BPF", false, false },
		{ "bpf_prog_load", bpf | sys, "CAP_BPF", "CAP_NET_ADMIN", false, false },
		{ "bpf_link_create", net, "CAP_NET_ADMIN", "CAP_BPF", false, false },
		{ "xsk_netdev_set_xdp", net, "CAP_NET_ADMIN", "CAP_BPF", false, true },
		{ "bpf_prog_get_fd_by_id", sys, "CAP_SYS_ADMIN", "CAP_BPF", true, false },
		{ "bpf_map_get_fd_by_id", sys, "CAP_SYS_ADMIN", "CAP_BPF", true, false },
		{ "bpf_link_get_next_id", sys, "CAP_SYS_ADMIN", "CAP_BPF", true, false },
		{ "bpf_link_get_fd_by_id", sys, "CAP_SYS_ADMIN", "CAP_BPF", true, false },
		/* RLIMIT_MEMLOCK before 5.11, or a security module. */
		{ "bpf_map_create", bpf, "no capability is missing", "CAP_", false, false },
		{ "bpf_prog_load", 0, "no capability is missing", "CAP_", false, false },
		{ "bpf_prog_get_fd_by_id", 0, "no capability is missing", "CAP_", true, false },
	};
	struct xsk_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reset(NULL);
		if (cases[i].other)
			attach_other_by_link();
		kernel.lacking = cases[i].lacking;
		kernel.no_links = cases[i].no_links;
		kernel.fail_name = cases[i].name;
		kernel.fail_with = -EPERM;
		fail_join(-EPERM, &error);
		assert_non_null(strstr(error.reason, cases[i].said));
		assert_null(strstr(error.reason, cases[i].not_said));
		assert_true(error.hint[0]);
		assert_int_equal(kernel.sleeps, 0);
		assert_int_equal(kernel.attached != 0, cases[i].other);
	}
}

static void driver_refuses(void **state)
{
	struct xsk_error error;

	(void)state;
	kernel.fail_name = "bpf_link_create";
	kernel.fail_with = -EOPNOTSUPP;
	fail_join(-EOPNOTSUPP, &error);
	assert_non_null(strstr(error.reason, "eth0"));
	assert_non_null(strstr(error.hint, "XDP_FLAGS_SKB_MODE"));

	/* Some drivers say so of an MTU: also by netlink, which says it again. */
	reset(NULL);
	kernel.no_links = true;
	kernel.fail_name = "xsk_netdev_set_xdp";
	kernel.fail_with = -EINVAL;
	fail_join(-EINVAL, &error);
	assert_non_null(strstr(error.hint, "MTU"));

	reset(NULL);
	kernel.fail_name = "xsk_netdev_get";
	kernel.fail_with = -ENODEV;
	fail_join(-ENODEV, &error);
}

/* ---- each step fails once ---- */

static void there_is_none(void)
{
}

static void there_is_none_nor_links(void)
{
	kernel.no_links = true;
	kernel.no_frags = true;
}

static void there_is_one_by_link(void)
{
	attach_other_by_link();
}

static void there_is_one_by_netlink(void)
{
	attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
}

static void there_is_a_foreign_one(void)
{
	struct prog *other = attach_other(BPF_MAP_TYPE_ARRAY, "xsks_map");

	other->maps[other->map_count++] = add_map(BPF_MAP_TYPE_XSKMAP, "theirs");
}

static void there_is_a_dispatcher(void)
{
	uint32_t dispatcher = attach_dispatcher();

	add_component(dispatcher, "filter", 0, BPF_MAP_TYPE_HASH, "flows");
	add_component(dispatcher, "sockets", 1, BPF_MAP_TYPE_XSKMAP, "xsks_map");
}

static void there_are_pins(void)
{
	there_is_a_dispatcher();
	kernel.links_are_silent = true;
}

/*
 * Runs with the n-th call failing, for each n. A failure leaves nothing behind;
 * what is taken for one of the ways of the world ends in a share that is whole.
 */
static int fail_each(void (*prepare)(void), int fail_with)
{
	struct xsk_error error;
	struct xsk_prog prog;
	uint32_t attached;
	int n, err;

	for (n = 1; n < 1000; n++) {
		reset(NULL);
		prepare();
		attached = kernel.attached;
		kernel.fail_at = n;
		kernel.fail_with = fail_with;
		memset(&prog, DIRT, sizeof(prog));
		err = join(&prog, 0, &error);
		if (kernel.calls < n)
			break;
		if (err) {
			assert_failed(err, err, &prog, &error);
			assert_true(err == fail_with || err == -EBUSY);
		} else {
			assert_int_equal(kind_of(prog.map_fd), MAP);
			assert_int_equal(open_fds(),
					 1 + (prog.link_fd >= 0) + (prog.prog_fd >= 0));
			assert_left(&prog);
		}
		assert_int_equal(kernel.attached, attached);
	}
	if (!err)
		assert_left(&prog);
	return n - 1;
}

static void each_step_fails(void **state)
{
	static const int errs[] = { -EIO, -EINVAL, -EPERM, -ENOENT, -EBUSY, -EEXIST, -EAGAIN,
				    -ENOMEM, -EMFILE, -ENODEV, -EOPNOTSUPP, -E2BIG };

	(void)state;
	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		/* netdev, map, load, link */
		assert_true(fail_each(there_is_none, errs[i]) >= 4);
		assert_true(fail_each(there_is_none_nor_links, errs[i]) >= 6);
		/* netdev, prog, its info, map, its info, 4 links by 3, netdev */
		assert_true(fail_each(there_is_one_by_link, errs[i]) >= 18);
		assert_true(fail_each(there_is_one_by_netlink, errs[i]) >= 7);
		assert_true(fail_each(there_is_a_foreign_one, errs[i]) >= 7);
		/* netdev, prog, its info, map, its info, 2 links by 3, and the two */
		assert_true(fail_each(there_is_a_dispatcher, errs[i]) >= 20);
		assert_true(fail_each(there_are_pins, errs[i]) >= 20);
	}
}

/* ---- another's, detached at the caller's word ---- */

/* Whether it is gone then. */
static bool evicts(int expected, const char *reason)
{
	struct xsk_error error = { 0 };

	assert_int_equal(xsk_prog_evict(IFINDEX, &error), expected);
	assert_int_equal(open_fds(), 0);
	if (expected)
		assert_non_null(strstr(error.reason, reason));
	return !kernel.attached;
}

static void evicted(void **state)
{
	struct prog *other;

	(void)state;
	assert_true(evicts(0, NULL));		/* there is none */

	attach_other(BPF_MAP_TYPE_ARRAY, "counters");
	assert_true(evicts(0, NULL));

	reset(NULL);
	other = attach_other(BPF_MAP_TYPE_ARRAY, "counters");
	add_link(BPF_LINK_TYPE_XDP, other->id, IFINDEX);
	assert_true(evicts(0, NULL));
	assert_int_equal(kernel.set_xdp_calls, 0);

	reset(NULL);
	attach_dispatcher();
	assert_true(evicts(0, NULL));

	/* With a map of sockets it is not in the way. */
	reset(NULL);
	attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");
	assert_false(evicts(0, NULL));
	reset(NULL);
	attach_other_by_link();
	assert_false(evicts(0, NULL));

	reset(NULL);
	attach_other(BPF_MAP_TYPE_ARRAY, "counters");
	kernel.fail_name = "bpf_prog_get_fd_by_id";
	kernel.fail_with = -EPERM;
	assert_false(evicts(-EPERM, ""));
}

/* ---- the map ---- */

static int set_socket(bool only_if_free, int fail_with, struct xsk_error *error)
{
	int map_fd, err;

	reset(NULL);
	map_fd = give_fd(MAP, add_map(BPF_MAP_TYPE_XSKMAP, "xsks_map"));
	kernel.fail_name = "bpf_map_update_elem";
	kernel.fail_with = fail_with;
	memset(error, 0, sizeof(*error));
	err = xsk_prog_set_socket(map_fd, 6, 55, only_if_free, error);
	assert_int_equal(kernel.updates, 1);
	assert_int_equal(kernel.update_key, 6);
	assert_int_equal(kernel.update_value, 55);
	assert_int_equal(open_fds(), 1);
	if (err) {
		assert_int_equal(error->code, err);
		assert_true(error->reason[0]);
	}
	return err;
}

static void sockets(void **state)
{
	struct xsk_error error;

	(void)state;
	assert_int_equal(set_socket(false, 0, &error), 0);
	assert_true(kernel.update_flags == BPF_ANY);
	assert_int_equal(set_socket(true, 0, &error), 0);
	assert_true(kernel.update_flags == BPF_NOEXIST);

	assert_int_equal(set_socket(true, -EEXIST, &error), -EEXIST);
	assert_int_equal(set_socket(false, -E2BIG, &error), -E2BIG);
	assert_non_null(strstr(error.reason, "queue 6"));
	assert_true(error.hint[0]);
	assert_int_equal(set_socket(false, -EOPNOTSUPP, &error), -EOPNOTSUPP);
	assert_int_equal(set_socket(false, -EBADF, &error), -EBADF);
}

static void only_xskmaps(void **state)
{
	struct xsk_error error;
	int map_fd, other_fd;

	(void)state;
	map_fd = give_fd(MAP, add_map(BPF_MAP_TYPE_XSKMAP, "any_name"));
	other_fd = give_fd(MAP, add_map(BPF_MAP_TYPE_ARRAY, "xsks_map"));
	assert_int_equal(xsk_prog_check_map(map_fd, &error), 0);
	assert_int_equal(xsk_prog_check_map(other_fd, &error), -EINVAL);
	assert_int_equal(error.code, -EINVAL);
	assert_non_null(strstr(error.hint, "BPF_MAP_TYPE_XSKMAP"));
	assert_int_equal(xsk_prog_check_map(-1, &error), -EBADF);
	assert_int_equal(error.code, -EBADF);
	assert_non_null(strstr(error.hint, "an open one"));

	/* No descriptor of bpf(2) at all; and where it may not be asked. */
	kernel.fail_name = "bpf_obj_get_info_by_fd";
	kernel.fail_with = -EINVAL;
	assert_int_equal(xsk_prog_check_map(map_fd, &error), -EINVAL);
	kernel.fail_with = -EPERM;
	assert_int_equal(xsk_prog_check_map(map_fd, &error), 0);
	assert_int_equal(open_fds(), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(attach_by_link, reset),
		cmocka_unit_test_setup(load_without_frags, reset),
		cmocka_unit_test_setup(load_without_frags_asked, reset),
		cmocka_unit_test_setup(load_refused, reset),
		cmocka_unit_test_setup(attach_by_netlink, reset),
		cmocka_unit_test_setup(detach_after_replaced, reset),
		cmocka_unit_test_setup(detach_not_by_a_child, reset),
		cmocka_unit_test_setup(use_what_is_there, reset),
		cmocka_unit_test_setup(components, reset),
		cmocka_unit_test_setup(dispatcher_oddities, reset),
		cmocka_unit_test_setup(components_without_our_map, reset),
		cmocka_unit_test_setup(watched, reset),
		cmocka_unit_test_setup(many_long_names, reset),
		cmocka_unit_test_setup(join_only, reset),
		cmocka_unit_test_setup(dispatcher_is_exchanged, reset),
		cmocka_unit_test_setup(foreign, reset),
		cmocka_unit_test_setup(ours_among_other_maps, reset),
		cmocka_unit_test_setup(many_maps, reset),
		cmocka_unit_test_setup(appears, reset),
		cmocka_unit_test_setup(vanishes, reset),
		cmocka_unit_test_setup(replaced, reset),
		cmocka_unit_test_setup(links_come_and_go, reset),
		cmocka_unit_test_setup(bounded_tries, reset),
		cmocka_unit_test_setup(link_ends, reset),
		cmocka_unit_test_setup(no_capability, reset),
		cmocka_unit_test_setup(driver_refuses, reset),
		cmocka_unit_test_setup(each_step_fails, reset),
		cmocka_unit_test_setup(evicted, reset),
		cmocka_unit_test_setup(sockets, reset),
		cmocka_unit_test_setup(only_xskmaps, reset),
	};

	return cmocka_run_group_tests_name("prog_fake", tests, NULL, NULL);
}
