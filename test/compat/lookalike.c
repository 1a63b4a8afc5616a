/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "lookalike.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "lab.h"

#define NAME "xsk_def_prog"
#define MAX_MAPS 16
#define MAX_INSNS 256

/* What libxdp reads is the number of elements: an array of one is version 1. */
static void add_version(struct btf *btf, int integer)
{
	int array = btf__add_array(btf, integer, integer, 1);
	int pointer = btf__add_ptr(btf, array);
	int var = btf__add_var(btf, "xsk_prog_version", BTF_VAR_GLOBAL_ALLOCATED, pointer);

	assert_true(btf__add_datasec(btf, "xdp_metadata", 8) > 0);
	assert_int_equal(btf__add_datasec_var_info(btf, var, 0, 8), 0);
}

/* Loads the types of the program; *func is that of its function. */
static int load_btf(bool versioned, uint32_t *func)
{
	struct btf *btf = btf__new_empty();
	int integer, pointer, prototype, fd;
	const void *data;
	uint32_t size;

	assert_non_null(btf);
	integer = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	if (versioned)
		add_version(btf, integer);
	pointer = btf__add_ptr(btf, 0);
	prototype = btf__add_func_proto(btf, integer);
	assert_int_equal(btf__add_func_param(btf, "ctx", pointer), 0);
	*func = (uint32_t)btf__add_func(btf, NAME, BTF_FUNC_STATIC, prototype);

	data = btf__raw_data(btf, &size);
	fd = bpf_btf_load(data, size, NULL);
	assert_true(fd >= 0);
	btf__free(btf);
	return fd;
}

void lookalike_load(struct user_prog *prog, enum user_map map, bool versioned)
{
	struct bpf_func_info func = { 0 };
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		.func_info = &func, .func_info_cnt = 1, .func_info_rec_size = sizeof(func));
	struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1 }, { .code = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	*prog = (struct user_prog){ .map_fd = -1, .link_fd = -1 };
	if (map == USER_MAP_ARRAY) {
		prog->map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "xsks_map", 4, 4, 1, NULL);
		assert_true(prog->map_fd >= 0);
		insns[0].src_reg = BPF_PSEUDO_MAP_FD;
		insns[0].imm = prog->map_fd;
	}
	opts.prog_btf_fd = (uint32_t)load_btf(versioned, &func.type_id);
	prog->prog_fd = bpf_prog_load(BPF_PROG_TYPE_XDP, NAME, "GPL", insns,
				      sizeof(insns) / sizeof(insns[0]), &opts);
	assert_true(prog->prog_fd >= 0);
	close((int)opts.prog_btf_fd);
}

/* ---- what is attached ---- */

static void get_info(uint32_t prog_id, struct bpf_prog_info *info)
{
	uint32_t len = sizeof(*info);
	int fd = bpf_prog_get_fd_by_id(prog_id);

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, info, &len), 0);
	close(fd);
}

static void get_map_info(int fd, struct bpf_map_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	assert_int_equal(bpf_obj_get_info_by_fd(fd, info, &len), 0);
}

int attached_map(uint32_t prog_id)
{
	uint32_t ids[MAX_MAPS];
	struct bpf_prog_info prog = { .nr_map_ids = MAX_MAPS, .map_ids = (uintptr_t)ids };
	struct bpf_map_info map;

	get_info(prog_id, &prog);
	assert_true(prog.nr_map_ids <= MAX_MAPS);
	for (uint32_t i = 0; i < prog.nr_map_ids; i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);

		assert_true(fd >= 0);
		get_map_info(fd, &map);
		if (!strcmp(map.name, "xsks_map"))
			return fd;
		close(fd);
	}
	fail_msg("the attached program has no xsks_map");
	return -1;
}

/* In what the kernel shows of the code, maps are named by their ids. */
int attached_references(uint32_t prog_id, int map_fd)
{
	struct bpf_insn insns[MAX_INSNS];
	struct bpf_prog_info prog = {
		.xlated_prog_len = sizeof(insns), .xlated_prog_insns = (uintptr_t)insns };
	struct bpf_map_info map;
	int count = 0;

	get_map_info(map_fd, &map);
	get_info(prog_id, &prog);
	assert_true(prog.xlated_prog_len <= sizeof(insns));
	for (size_t i = 0; i < prog.xlated_prog_len / sizeof(insns[0]); i++)
		count += insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) &&
			 insns[i].src_reg == BPF_PSEUDO_MAP_FD &&
			 (uint32_t)insns[i].imm == map.id;
	return count;
}
