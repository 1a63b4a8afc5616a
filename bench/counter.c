/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Counts the packets of interfaces where they arrive, in the kernel: an XDP program that
 * drops each, or sends it out at another interface.
 *
 *     counter IFNAME[,IFNAME...] (drop|IFNAME2) SIZE (ours|udp)
 *
 * Of 64 packets on a CPU the contents of one are checked: the length, the protocol and the
 * ports, and of "ours" (role.h) also the magic number, and that the number behind it and its
 * complement belong together.
 *
 * Prints "ready", and for each line that it reads one of: packets, bytes, sampled, bad.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assembly.h"
#include "role.h"

#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

struct counts {
	uint64_t packets;
	uint64_t bytes;		/* of packets of several buffers, those of the first */
	uint64_t sampled;
	uint64_t bad;
};

enum { LABEL_BAD, LABEL_OUT, LABELS };

/* Of the program: r6 is its context, r7 the counters, r2 and r3 the packet's two ends. */

/* r7->offset += r1 */
static void emit_add(struct xsk_assembly *as, int16_t offset)
{
	xsk_emit(as, xsk_insn_load(BPF_DW, 0, 7, offset));
	xsk_emit(as, xsk_insn_alu(BPF_ADD, 0, 1));
	xsk_emit(as, xsk_insn_store(BPF_DW, 7, offset, 0));
}

static void emit_add_1(struct xsk_assembly *as, size_t offset)
{
	xsk_emit(as, xsk_insn_mov_imm(1, 1));
	emit_add(as, (int16_t)offset);
}

/* Bad, unless the field of the packet has this value, both as they lie in memory. */
static void emit_check(struct xsk_assembly *as, uint8_t size, int16_t offset, uint32_t value)
{
	xsk_emit(as, xsk_insn_load(size, 1, 2, offset));
	xsk_emit_jump(as, xsk_insn_jump32_imm(BPF_JNE, 1, (int32_t)value, 0), LABEL_BAD);
}

/* r1 = bytes of the packet */
static void emit_length(struct xsk_assembly *as)
{
	xsk_emit(as, xsk_insn_mov(1, 3));
	xsk_emit(as, xsk_insn_alu(BPF_SUB, 1, 2));
}

static void emit_checks(struct xsk_assembly *as, uint32_t size, bool ours)
{
	if (size <= PART) {
		emit_length(as);
		xsk_emit_jump(as, xsk_insn_jump32_imm(BPF_JNE, 1, (int32_t)size, 0), LABEL_BAD);
	}
	xsk_emit(as, xsk_insn_mov(1, 2));
	xsk_emit(as, xsk_insn_add_imm(1, STAMP_END));
	xsk_emit_jump(as, xsk_insn_jump(BPF_JGT, 1, 3, 0), LABEL_BAD);
	emit_check(as, BPF_H, 12, htons(ETH_P_IP));
	emit_check(as, BPF_B, 23, 17);
	emit_check(as, BPF_H, 34, htons(UDP_PORT));
	emit_check(as, BPF_H, 36, htons(UDP_PORT));
	if (ours) {
		emit_check(as, BPF_W, HEADERS, PACKET_MAGIC);
		xsk_emit(as, xsk_insn_load(BPF_W, 1, 2, HEADERS + 4));
		xsk_emit(as, xsk_insn_load(BPF_W, 4, 2, HEADERS + 8));
		xsk_emit(as, xsk_insn_alu32(BPF_XOR, 1, 4));
		xsk_emit_jump(as, xsk_insn_jump32_imm(BPF_JNE, 1, -1, 0), LABEL_BAD);
	}
}

static void emit_program(struct xsk_assembly *as, int map_fd, uint32_t out, uint32_t size,
			 bool ours)
{
	xsk_emit(as, xsk_insn_mov(6, 1));
	xsk_emit(as, xsk_insn_store_imm(BPF_W, 10, -4, 0));
	xsk_emit(as, xsk_insn_mov(2, 10));
	xsk_emit(as, xsk_insn_add_imm(2, -4));
	xsk_emit(as, xsk_insn_map(1, map_fd));
	xsk_emit(as, xsk_insn_wide_end());
	xsk_emit(as, xsk_insn_call(BPF_FUNC_map_lookup_elem));
	xsk_emit_jump(as, xsk_insn_jump_imm(BPF_JEQ, 0, 0, 0), LABEL_OUT);
	xsk_emit(as, xsk_insn_mov(7, 0));

	xsk_emit(as, xsk_insn_load(BPF_W, 2, 6, offsetof(struct xdp_md, data)));
	xsk_emit(as, xsk_insn_load(BPF_W, 3, 6, offsetof(struct xdp_md, data_end)));
	emit_length(as);
	emit_add(as, offsetof(struct counts, bytes));
	emit_add_1(as, offsetof(struct counts, packets));
	xsk_emit(as, xsk_insn_alu32_imm(BPF_AND, 0, SAMPLE - 1));
	xsk_emit_jump(as, xsk_insn_jump32_imm(BPF_JNE, 0, 0, 0), LABEL_OUT);
	emit_add_1(as, offsetof(struct counts, sampled));
	emit_checks(as, size, ours);
	xsk_emit_jump(as, xsk_insn_ja(0), LABEL_OUT);
	xsk_assembly_bind(as, LABEL_BAD, as->count);
	emit_add_1(as, offsetof(struct counts, bad));

	xsk_assembly_bind(as, LABEL_OUT, as->count);
	if (out) {
		xsk_emit(as, xsk_insn_mov_imm(1, (int32_t)out));
		xsk_emit(as, xsk_insn_mov_imm(2, 0));
		xsk_emit(as, xsk_insn_call(BPF_FUNC_redirect));
	} else {
		xsk_emit(as, xsk_insn_mov_imm(0, XDP_DROP));
	}
	xsk_emit(as, xsk_insn_exit());
}

/* Packets of several buffers reach only a program that says so, from 5.18 on. */
static int load(const struct xsk_assembly *as)
{
	static char log[1 << 16];
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_XDP_HAS_FRAGS,
		    .log_buf = log, .log_size = sizeof(log), .log_level = 1);
	int fd;

	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "bench_counter", "BSD-2-Clause", as->insns, as->count,
			   &opts);
	if (fd < 0) {
		opts.prog_flags = 0;
		fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "bench_counter", "BSD-2-Clause", as->insns,
				   as->count, &opts);
	}
	if (fd < 0)
		err(1, "the program:\n%s", log);
	return fd;
}

static void attach(int prog_fd, int ifindex)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);

	if (bpf_link_create(prog_fd, ifindex, BPF_XDP, &opts) < 0)
		err(1, "bpf_link_create");
}

static int index_of(const char *ifname)
{
	unsigned int index = if_nametoindex(ifname);

	if (!index)
		err(1, "%s", ifname);
	return (int)index;
}

static void print_counts(int map_fd)
{
	static struct counts counts[1024];
	struct counts sum = { 0 };
	uint32_t key = 0;
	int cpus = libbpf_num_possible_cpus();

	if (cpus > 1024 || bpf_map_lookup_elem(map_fd, &key, counts))
		err(1, "the counters");
	for (int i = 0; i < cpus; i++) {
		sum.packets += counts[i].packets;
		sum.bytes += counts[i].bytes;
		sum.sampled += counts[i].sampled;
		sum.bad += counts[i].bad;
	}
	printf("packets=%llu bytes=%llu sampled=%llu bad=%llu\n", (unsigned long long)sum.packets,
	       (unsigned long long)sum.bytes, (unsigned long long)sum.sampled,
	       (unsigned long long)sum.bad);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct xsk_assembly as = { 0 };
	char line[16];
	int map_fd, prog_fd, out = 0;

	if (argc != 5 || (strcmp(argv[4], "ours") && strcmp(argv[4], "udp")))
		errx(2, "usage: counter IFNAME[,IFNAME...] (drop|IFNAME2) SIZE (ours|udp)");
	if (strcmp(argv[2], "drop"))
		out = index_of(argv[2]);
	map_fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "bench_counts", sizeof(uint32_t),
				sizeof(struct counts), 1, NULL);
	if (map_fd < 0)
		err(1, "bpf_map_create");
	emit_program(&as, map_fd, (uint32_t)out, (uint32_t)strtoul(argv[3], NULL, 10),
		     !strcmp(argv[4], "ours"));
	if (as.err)
		errx(1, "the program: %s", strerror(-as.err));
	prog_fd = load(&as);
	for (char *name = strtok(argv[1], ","); name; name = strtok(NULL, ","))
		attach(prog_fd, index_of(name));
	xsk_assembly_free(&as);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		print_counts(map_fd);
	return 0;
}
