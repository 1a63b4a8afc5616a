/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "prog_kernel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "filter.h"
#include "kernel.h"
#include "netdev.h"
#include "sys.h"

struct kernel kernel;

int reset(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.occupied = -EBUSY;
	kernel.last_id = 1000;
	kernel.cpus = 1;
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

int give_fd(enum kind kind, uint32_t id)
{
	assert_true(kernel.fd_count < MAX_FDS);
	kernel.fds[kernel.fd_count].kind = kind;
	kernel.fds[kernel.fd_count].id = id;
	return FIRST_FD + kernel.fd_count++;
}

enum kind kind_of(int fd)
{
	if (fd < FIRST_FD || fd >= FIRST_FD + kernel.fd_count)
		return NONE;
	return kernel.fds[fd - FIRST_FD].kind;
}

uint32_t id_of(int fd)
{
	assert_true(kind_of(fd) != NONE);
	return kernel.fds[fd - FIRST_FD].id;
}

int open_fds(void)
{
	int open = 0;

	for (int i = 0; i < kernel.fd_count; i++)
		open += kernel.fds[i].kind != NONE;
	return open;
}

const struct map *find_map(uint32_t id)
{
	for (int i = 0; i < kernel.map_count; i++)
		if (kernel.maps[i].id == id)
			return &kernel.maps[i];
	return NULL;
}

const struct prog *find_prog(uint32_t id)
{
	for (int i = 0; i < kernel.prog_count; i++)
		if (kernel.progs[i].id == id)
			return &kernel.progs[i];
	return NULL;
}

const struct link *find_link(uint32_t id)
{
	for (int i = 0; i < kernel.link_count; i++)
		if (kernel.links[i].id == id)
			return &kernel.links[i];
	return NULL;
}

uint32_t add_map(uint32_t type, const char *name)
{
	assert_true(kernel.map_count < MAX_OBJECTS);
	kernel.maps[kernel.map_count++] =
		(struct map){ .id = ++kernel.last_id, .type = type, .name = name };
	return kernel.last_id;
}

struct prog *add_prog(const char *name)
{
	struct prog *prog = &kernel.progs[kernel.prog_count++];

	assert_true(kernel.prog_count < MAX_OBJECTS);
	*prog = (struct prog){ .id = ++kernel.last_id, .name = name };
	return prog;
}

uint32_t add_link(uint32_t type, uint32_t prog_id, uint32_t ifindex)
{
	assert_true(kernel.link_count < MAX_OBJECTS);
	kernel.links[kernel.link_count++] = (struct link){
		.id = ++kernel.last_id, .type = type, .prog_id = prog_id, .ifindex = ifindex,
	};
	return kernel.last_id;
}

/* The last descriptor of a link of ours takes the program with it. */
static void drop_link(uint32_t id)
{
	for (int i = 0; i < kernel.fd_count; i++)
		if (kernel.fds[i].kind == LINK && kernel.fds[i].id == id)
			return;
	if (find_link(id)->prog_id == kernel.attached &&
	    !strncmp(find_prog(kernel.attached)->name, "libxsk_", 7))
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

int xsk_sys_replace(int from, int to)
{
	assert_int_equal(kind_of(from), MAP);
	assert_int_equal(kind_of(to), MAP);
	kernel.fds[to - FIRST_FD] = kernel.fds[from - FIRST_FD];
	return 0;
}

bool xsk_sys_capable(int capability)
{
	return !(kernel.lacking & 1ULL << capability);
}

int xsk_sys_possible_cpus(void)
{
	return kernel.cpus;
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
	assert_int_equal(ifindex, IFINDEX);
	/* In its own place: refused while a link holds it, also one that ends. */
	if (prog_fd >= 0 && prog_fd == expected_fd) {
		if (kernel.link_ends > 0 && !--kernel.link_ends)
			kernel.attached = 0;
		if (kernel.link_ends || !kernel.attached)
			return -EBUSY;
		return id_of(prog_fd) == kernel.attached ? 0 : -EEXIST;
	}
	assert_true(prog_fd < 0 || kind_of(prog_fd) == PROG);
	if (prog_fd >= 0 && expected_fd < 0) {
		if (kernel.attached)
			return kernel.occupied;
		kernel.attached = id_of(prog_fd);
		return 0;
	}
	if (kind_of(expected_fd) != PROG || id_of(expected_fd) != kernel.attached)
		return -EEXIST;
	kernel.attached = prog_fd < 0 ? 0 : id_of(prog_fd);
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
	info->load_time = 1000 + prog->id;
	info->created_by_uid = 2000 + prog->id;
	memcpy(info->tag, prog->tag, sizeof(info->tag));
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
		((struct bpf_map_info *)info)->id = id_of(fd);
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
		((struct bpf_link_info *)info)->id = link->id;
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
	assert_int_equal(key_size, 4);
	if (type == BPF_MAP_TYPE_XSKMAP) {
		assert_string_equal(name, "xsks_map");
		assert_int_equal(value_size, 4);
		assert_int_equal(max_entries, QUEUES);
	} else {
		assert_int_equal(type, BPF_MAP_TYPE_PERCPU_ARRAY);
		assert_string_equal(name, "xsk_counters");
		assert_int_equal(value_size, sizeof(kernel.counters[0]));
		assert_int_equal(max_entries, 1);
	}
	return err ? err : give_fd(MAP, add_map(type, name));
}

/* The kernel's is another sum, but from the same: which map it is does not count. */
static void add_to_tag(struct prog *prog, const struct bpf_insn *insn)
{
	struct bpf_insn plain = *insn;
	uint64_t sum;

	if (xsk_insn_is_map(insn))
		plain.imm = 0;
	memcpy(&sum, prog->tag, sizeof(sum));
	for (size_t i = 0; i < sizeof(plain); i++)
		sum = (sum ^ ((const uint8_t *)&plain)[i]) * 0x100000001b3;
	memcpy(prog->tag, &sum, sizeof(sum));
}

/* Each once, as the kernel has them. */
static void add_map_of(struct prog *prog, int fd)
{
	assert_int_equal(kind_of(fd), MAP);
	for (uint32_t i = 0; i < prog->map_count; i++)
		if (prog->maps[i] == id_of(fd))
			return;
	prog->maps[prog->map_count++] = id_of(fd);
}

static bool calls_buff_len(const struct bpf_insn *insns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) &&
		    insns[i].imm == XSK_FUNC_XDP_GET_BUFF_LEN)
			return true;
	return false;
}

static int verify(const struct bpf_insn *insns, size_t count,
		  const struct bpf_prog_load_opts *opts)
{
	if (kernel.loads < MAX_LOADS) {
		kernel.load_flags[kernel.loads] = opts->prog_flags;
		kernel.load_buff_len[kernel.loads] = calls_buff_len(insns, count);
		kernel.load_logs[kernel.loads] = opts->log_level;
	}
	kernel.loads++;
	return (kernel.no_frags && opts->prog_flags) ||
	       (kernel.no_buff_len && calls_buff_len(insns, count)) ? -EINVAL : 0;
}

int bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
		  const struct bpf_insn *insns, size_t count, const struct bpf_prog_load_opts *opts)
{
	int err = enter("bpf_prog_load"), refused;
	struct prog *prog;

	assert_int_equal(type, BPF_PROG_TYPE_XDP);
	assert_non_null(license);
	assert_true(kernel.signals_blocked);
	assert_true(strcmp(name, "libxsk_default") || count == XSK_FILTER_DEFAULT_INSNS);
	refused = verify(insns, count, opts);
	err = err ? err : refused;
	if (err && opts->log_level && kernel.log)
		snprintf(opts->log_buf, opts->log_size, "%s", kernel.log);
	if (err)
		return err;

	prog = add_prog(name);
	for (size_t i = 0; i < count; i++) {
		add_to_tag(prog, &insns[i]);
		if (xsk_insn_is_map(&insns[i]))
			add_map_of(prog, insns[i].imm);
	}
	assert_in_range(prog->map_count, 1, 2);
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

/* The link held what was there before, and nothing else did. */
static void put(uint32_t link_id, uint32_t prog_id)
{
	for (int i = 0; i < kernel.prog_count; i++)
		if (kernel.progs[i].id == find_link(link_id)->prog_id)
			kernel.progs[i].gone = true;
	for (int i = 0; i < kernel.link_count; i++) {
		if (kernel.links[i].id != link_id)
			continue;
		if (kernel.links[i].prog_id == kernel.attached)
			kernel.attached = prog_id;
		kernel.links[i].prog_id = prog_id;
	}
}

int bpf_link_update(int link_fd, int new_prog_fd, const struct bpf_link_update_opts *opts)
{
	int err = enter("bpf_link_update");

	assert_null(opts);
	assert_int_equal(kind_of(link_fd), LINK);
	assert_int_equal(kind_of(new_prog_fd), PROG);
	if (!err)
		put(id_of(link_fd), id_of(new_prog_fd));
	return err;
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	int err = enter("bpf_map_lookup_elem");
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	assert_int_equal(index, 0);
	assert_int_equal(kind_of(fd), MAP);
	assert_int_equal(find_map(id_of(fd))->type, BPF_MAP_TYPE_PERCPU_ARRAY);
	kernel.read_map = id_of(fd);
	if (!err)
		memcpy(value, kernel.counters, (size_t)kernel.cpus * sizeof(kernel.counters[0]));
	return err;
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

struct prog *attach_other(uint32_t map_type, const char *map_name)
{
	struct prog *prog = add_prog("somebodys");

	prog->maps[prog->map_count++] = add_map(map_type, map_name);
	kernel.attached = prog->id;
	return prog;
}

struct prog *attach_other_by_link(void)
{
	struct prog *prog = attach_other(BPF_MAP_TYPE_XSKMAP, "xsks_map");

	add_link(BPF_LINK_TYPE_XDP, prog->id + 77, IFINDEX);
	add_link(BPF_LINK_TYPE_XDP, prog->id, OTHER_IFINDEX);
	add_link(BPF_LINK_TYPE_TRACING, prog->id, IFINDEX);
	add_link(BPF_LINK_TYPE_XDP, prog->id, IFINDEX);
	return prog;
}

void assert_left(struct xsk_prog *prog)
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
