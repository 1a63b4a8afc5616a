/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "user_prog.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <unistd.h>

#include "lab.h"

#define LOAD_QUEUE_TO_R2 \
	{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = 16 }
#define MAP_TO_R1(fd) \
	{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, \
	  .imm = (fd) }, { .code = 0 }
#define MOV_IMM(reg, value) \
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (reg), .imm = (value) }
#define CALL(helper) { .code = BPF_JMP | BPF_CALL, .imm = (helper) }
#define EXIT { .code = BPF_JMP | BPF_EXIT }
#define COUNT(insns) (sizeof(insns) / sizeof((insns)[0]))

static int load(const struct bpf_insn *insns, size_t count)
{
	return bpf_prog_load(BPF_PROG_TYPE_XDP, "users_own", "GPL", insns, count, NULL);
}

void user_prog_load(struct user_prog *prog, enum user_map map, uint32_t entries)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	prog->link_fd = -1;
	prog->ifindex = 0;
	prog->map_fd = -1;
	if (map != USER_MAP_NONE)
		prog->map_fd = bpf_map_create(map == USER_MAP_XSKMAP ? BPF_MAP_TYPE_XSKMAP
								     : BPF_MAP_TYPE_ARRAY,
					      "xsks_map", 4, 4, entries, NULL);
	if (map == USER_MAP_XSKMAP) {
		struct bpf_insn insns[] = {
			LOAD_QUEUE_TO_R2, MAP_TO_R1(prog->map_fd), MOV_IMM(3, XDP_PASS),
			CALL(BPF_FUNC_redirect_map), EXIT,
		};

		assert_true(prog->map_fd >= 0);
		prog->prog_fd = load(insns, COUNT(insns));
	} else if (map == USER_MAP_ARRAY) {
		struct bpf_insn insns[] = {
			MAP_TO_R1(prog->map_fd), MOV_IMM(0, XDP_PASS), EXIT,
		};

		assert_true(prog->map_fd >= 0);
		prog->prog_fd = load(insns, COUNT(insns));
	} else {
		struct bpf_insn insns[] = { MOV_IMM(0, XDP_PASS), EXIT };

		prog->prog_fd = load(insns, COUNT(insns));
	}
	assert_true(prog->prog_fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(prog->prog_fd, &info, &len), 0);
	prog->id = info.id;
}

void user_prog_attach(struct user_prog *prog, int ifindex, bool by_link)
{
	prog->ifindex = ifindex;
	if (by_link) {
		prog->link_fd = bpf_link_create(prog->prog_fd, ifindex, BPF_XDP, NULL);
		assert_true(prog->link_fd >= 0);
	} else {
		assert_int_equal(bpf_xdp_attach(ifindex, prog->prog_fd, 0, NULL), 0);
	}
}

void user_prog_unload(struct user_prog *prog)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = prog->prog_fd);

	if (prog->link_fd >= 0)
		close(prog->link_fd);
	else if (prog->ifindex)
		assert_int_equal(bpf_xdp_detach(prog->ifindex, XDP_FLAGS_REPLACE, &opts), 0);
	close(prog->prog_fd);
	if (prog->map_fd >= 0)
		close(prog->map_fd);
}
