/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The bytes are a program of classic BPF, valid but random, and packets. What the library
 * says, what libpcap says, and what the kernel says, running the program that the library
 * made of it, must be the same; and the program counts what it did.
 *
 * An input: a byte of OPT_…, a byte for what is kept, PACKETS_AT_ONCE times three bytes of a
 * packet (which, length, what it is filled with), a byte for how many times the program is
 * repeated and one for its length, its instructions, and then bytes that change the packets.
 *
 * With OPT_RAW the instructions are eight bytes each, as they are: what the library takes for
 * a program, libpcap must take for one. There alone jumps can go backward, and then neither
 * libpcap nor the kernel is asked: libpcap might run for ever.
 */
#include <errno.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xsk/error.h>
#include <xsk/filter.h>

#include "classic.h"
#include "filter.h"
#include "input.h"
#include "keep.h"
#include "reference.h"
#include "packets.h"
#include "verdict.h"

#define OPT_RAW 1		/* the program is not made valid */
#define OPT_COUNTS 2
#define OPT_KEEP 4
#define OPT_OLDER 8		/* the program for older kernels is run, not the newer */

#define PACKETS_AT_ONCE 3
#define MAX_PACKET 65535
#define MAX_BODY 64
#define MAX_INSNS 12000

/* Programs below this are never too long to be translated. */
#define SURELY_FITS 4000

/* From here on a load may be of what stands beside a packet (SKF_LL_OFF). */
#define BESIDE 0xffe00000U

struct packet {
	uint8_t *bytes;
	size_t len;
};

struct scene {
	uint8_t options;
	struct xsk_keep keep;
	struct sock_filter keep_insns[XSK_KEEP_MAX_INSNS];
	struct xsk_classic keeps;
	struct packet packets[PACKETS_AT_ONCE];
	struct sock_filter insns[MAX_INSNS];
	uint32_t count;
	struct xsk_filter *filter;
	int prog_fd;		/* -1: the kernel is not asked */
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- what is wrong, with all that shows it ---- */

static void dump(const struct xsk_filter *filter)
{
	int len = xsk_filter_dump(filter, NULL, 0);
	char *text = len < 0 ? NULL : malloc((size_t)len + 1);

	if (text && xsk_filter_dump(filter, text, (size_t)len + 1) == len)
		fputs(text, stderr);
	free(text);
}

static void differ(const struct scene *scene, const struct packet *packet, const char *what)
{
	dump(scene->filter);
	fprintf(stderr, "a packet of %zu bytes:", packet->len);
	for (size_t i = 0; i < packet->len && i < 128; i++)
		fprintf(stderr, " %02x", packet->bytes[i]);
	fputc('\n', stderr);
	verdict_fail("%s", what);
}

/* ---- a valid program ---- */

/* Only appended to: the recorded inputs count on the order. */
static const uint16_t codes[] = {
	BPF_LD | BPF_B | BPF_ABS, BPF_LD | BPF_H | BPF_ABS, BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_B | BPF_IND, BPF_LD | BPF_H | BPF_IND, BPF_LD | BPF_W | BPF_IND,
	BPF_LDX | BPF_B | BPF_MSH, BPF_LD | BPF_IMM, BPF_LDX | BPF_IMM,
	BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_W | BPF_LEN,
	BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM, BPF_ST, BPF_STX,
	BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA,
	BPF_ALU | BPF_ADD | BPF_K, BPF_ALU | BPF_SUB | BPF_K, BPF_ALU | BPF_MUL | BPF_K,
	BPF_ALU | BPF_DIV | BPF_K, BPF_ALU | BPF_MOD | BPF_K, BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_OR | BPF_K, BPF_ALU | BPF_XOR | BPF_K, BPF_ALU | BPF_LSH | BPF_K,
	BPF_ALU | BPF_RSH | BPF_K, BPF_ALU | BPF_NEG,
	BPF_ALU | BPF_ADD | BPF_X, BPF_ALU | BPF_SUB | BPF_X, BPF_ALU | BPF_MUL | BPF_X,
	BPF_ALU | BPF_DIV | BPF_X, BPF_ALU | BPF_MOD | BPF_X, BPF_ALU | BPF_AND | BPF_X,
	BPF_ALU | BPF_OR | BPF_X, BPF_ALU | BPF_XOR | BPF_X, BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_X,
	BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ | BPF_K, BPF_JMP | BPF_JGT | BPF_K, BPF_JMP | BPF_JGE | BPF_K,
	BPF_JMP | BPF_JSET | BPF_K,
	BPF_JMP | BPF_JEQ | BPF_X, BPF_JMP | BPF_JGT | BPF_X, BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JSET | BPF_X,
	BPF_RET | BPF_K, BPF_RET | BPF_A,
};

/* Offsets within a header for the most part; and where something wraps or ends. */
static uint32_t number(struct input *in)
{
	static const uint32_t edges[] = {
		0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0xfffffffc, 65535, 65534,
		65531, 65532, 65536, 31999, 32000, 32001, 32767, 32768, 0x00ffffff, 0xffff0000,
		0x10000, 0xfffffff2, 0x0800, 0x86dd, 0x8100,
	};
	uint8_t kind = input_u8(in);

	switch (kind & 7) {
	case 5:
		return input_u16(in);
	case 6:
		return input_pick(in, edges);
	case 7:
		return (uint32_t)input_u16(in) << 16 | input_u16(in);
	}
	return kind >> 3 | (kind & 1 ? 32 : 0);
}

static void make_valid(struct sock_filter *insn)
{
	bool constant = BPF_SRC(insn->code) == BPF_K;
	uint8_t op = BPF_OP(insn->code);

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
	case BPF_LDX:
		if (BPF_MODE(insn->code) != BPF_MEM)
			break;
		/* fall through */
	case BPF_ST:
	case BPF_STX:
		insn->k %= BPF_MEMWORDS;
		break;
	case BPF_ALU:
		if (constant && (op == BPF_DIV || op == BPF_MOD) && !insn->k)
			insn->k = 3;
		if (constant && (op == BPF_LSH || op == BPF_RSH))
			insn->k %= 32;
	}
}

/* With left instructions behind it, to which it can jump. */
static struct sock_filter instruction(struct input *in, uint32_t left)
{
	struct sock_filter insn = { .code = input_pick(in, codes) };

	insn.k = number(in);
	make_valid(&insn);
	if (insn.code == (BPF_JMP | BPF_JA)) {
		insn.k %= left;
	} else if (BPF_CLASS(insn.code) == BPF_JMP) {
		insn.jt = (uint8_t)(input_u8(in) % left);
		insn.jf = (uint8_t)(input_u8(in) % left);
	}
	return insn;
}

static void valid_program(struct scene *scene, struct input *in)
{
	static const uint32_t copies[] = { 1, 2, 3, 16, 200, 600 };
	uint8_t many = input_u8(in);
	uint32_t body = 1 + input_u8(in) % MAX_BODY;
	uint32_t times = many < 224 ? 1 : copies[many % 6];
	struct sock_filter *insns = scene->insns;

	for (uint32_t i = 0; i < body; i++)
		insns[i] = instruction(in, body - i);
	for (scene->count = body; --times && scene->count + body < MAX_INSNS; scene->count += body)
		memcpy(&insns[scene->count], insns, body * sizeof(*insns));
	/* A jump from the last copy may lead to what comes now. */
	insns[scene->count].code = many & 1 ? BPF_RET | BPF_A : BPF_RET | BPF_K;
	insns[scene->count++].k = many >> 1 & 1;
}

static void raw_program(struct scene *scene, struct input *in)
{
	uint32_t count = input_u8(in) % MAX_BODY;

	scene->count = (uint32_t)(input_bytes(in, scene->insns, count * sizeof(*scene->insns)) /
				  sizeof(*scene->insns));
}

/* ---- what stands around it ---- */

static void read_keep(struct scene *scene, uint8_t what)
{
	if (!(scene->options & OPT_KEEP))
		return;
	scene->keep.arp = what & 1;
	scene->keep.dhcp = what & 2;
	scene->keep.icmp = what & 4;
	scene->keep.ssh = what & 8;
	scene->keep.tcp[0] = what & 16 ? 12345 : 0;
	scene->keep.udp[XSK_KEEP_MAX_PORTS - 1] = what & 32 ? 53 : 0;
	scene->keeps = (struct xsk_classic){ .insns = scene->keep_insns };
	scene->keeps.count = xsk_keep_program(scene->keep_insns, &scene->keep);
}

static void read_packet(struct packet *packet, const uint8_t how[3])
{
	static const size_t lengths[] = {
		200, 256, 257, 511, 576, 1500, 1514, 2048, 2999, 3000, 3001, 9000, 32004, 40000,
		65534, 65535,
	};

	packet->len = how[1] < 240 ? how[1] : lengths[how[1] - 240];
	/* Of just that length: its end is watched. */
	packet->bytes = malloc(packet->len);
	if (!packet->bytes)
		abort();
	packets_fill(packet->bytes, packet->len, how[0], how[2]);
}

/* Three bytes each: where, and what is added. What is beyond the packet changes nothing. */
static void change_packets(struct scene *scene, struct input *in)
{
	for (int i = 0; input_left(in); i++) {
		struct packet *packet = &scene->packets[i % PACKETS_AT_ONCE];
		uint16_t at = input_u16(in);
		uint8_t what = input_u8(in);

		at = at & 0x8000 ? at & 0x7fff : at % 64;
		if (at < packet->len)
			packet->bytes[at] = (uint8_t)(packet->bytes[at] + what);
	}
}

static void read_scene(struct scene *scene, struct input *in)
{
	uint8_t how[PACKETS_AT_ONCE][3] = { 0 };

	scene->options = input_u8(in);
	read_keep(scene, input_u8(in));
	input_bytes(in, how, sizeof(how));
	for (int i = 0; i < PACKETS_AT_ONCE; i++)
		read_packet(&scene->packets[i], how[i]);
	if (scene->options & OPT_RAW)
		raw_program(scene, in);
	else
		valid_program(scene, in);
	change_packets(scene, in);
}

/* ---- the questions ---- */

static bool loads_beside(const struct scene *scene)
{
	for (uint32_t i = 0; i < scene->count; i++) {
		uint16_t class = BPF_CLASS(scene->insns[i].code);

		if ((class == BPF_LD || class == BPF_LDX) && scene->insns[i].k >= BESIDE)
			return true;
	}
	return false;
}

static bool jumps_backward(const struct scene *scene)
{
	for (uint32_t i = 0; i < scene->count; i++)
		if (scene->insns[i].code == (BPF_JMP | BPF_JA) && (int32_t)scene->insns[i].k < 0)
			return true;
	return false;
}

/* Whether there is a filter of it; that it is refused has to have one of the reasons. */
static bool make_filter(struct scene *scene)
{
	struct xsk_error error = { 0 };
	int err = xsk_filter_from_cbpf(&scene->filter, scene->insns, scene->count, &error);

	if (!err)
		return true;
	if (scene->filter || error.code != err || !error.reason[0])
		verdict_fail("a refusal without its reason, or with a filter");
	if (err == -EINVAL && scene->options & OPT_RAW)
		return false;
	if (err == -EOPNOTSUPP && loads_beside(scene))
		return false;
	if (err == -E2BIG && scene->count >= SURELY_FITS)
		return false;
	verdict_fail("a valid program is refused: %s", error.reason);
}

/* -1: the verifier gives up, which it may. */
static int load_filter(const struct scene *scene)
{
	const struct xsk_keep *keep = scene->options & OPT_KEEP ? &scene->keep : NULL;
	struct xsk_error error = { 0 };
	struct xsk_code code;
	int fd;

	if (xsk_filter_code(&code, scene->filter, keep, scene->options & OPT_COUNTS, &error)) {
		if (error.code == -E2BIG && scene->count >= SURELY_FITS)
			return -1;
		verdict_fail("no program of a filter: %s", error.reason);
	}
	if (code.older && scene->options & OPT_OLDER)
		fd = verdict_load(&(struct xsk_code){ .insns = code.older, .filters = true,
						      .count = code.older_count }, &error);
	else
		fd = verdict_load(&code, &error);
	xsk_filter_code_free(&code);
	if (fd == -E2BIG)
		return -1;
	if (fd < 0) {
		dump(scene->filter);
		verdict_fail("it is not loaded: %s", error.reason);
	}
	return fd;
}

static void check_counters(const struct scene *scene, const struct packet *packet, bool kept,
			   bool matches)
{
	uint64_t counters[XSK_COUNTERS], wanted[XSK_COUNTERS] = { 0 };

	verdict_counters(counters);
	if (scene->options & OPT_COUNTS)
		wanted[kept ? XSK_COUNT_KEPT : matches ? XSK_COUNT_MATCHED : XSK_COUNT_PASSED] = 1;
	if (memcmp(counters, wanted, sizeof(counters)))
		differ(scene, packet, "the program counts something else than it does");
}

static void ask(const struct scene *scene, const struct packet *packet)
{
	const struct xsk_classic *keeps = &scene->keeps;
	int matches = xsk_filter_match(scene->filter, packet->bytes, packet->len);
	bool kept = false;

	if (matches != reference_run(scene->insns, scene->count, packet->bytes, packet->len))
		differ(scene, packet, "libpcap has another verdict than xsk_filter_match()");
	if (keeps->count) {
		kept = xsk_classic_match(keeps, packet->bytes, packet->len);
		if (kept != reference_run(keeps->insns, keeps->count, packet->bytes, packet->len))
			differ(scene, packet, "libpcap keeps other packets");
	}
	if (scene->prog_fd < 0 || packet->len < VERDICT_MIN_LEN || packet->len > VERDICT_MAX_LEN)
		return;
	if (verdict_run(scene->prog_fd, packet->bytes, packet->len) != (matches && !kept))
		differ(scene, packet, "the kernel has another verdict");
	check_counters(scene, packet, kept, matches);
}

static void try_scene(struct scene *scene)
{
	if (!make_filter(scene))
		return;
	if (jumps_backward(scene)) {
		for (int i = 0; i < PACKETS_AT_ONCE; i++)
			xsk_filter_match(scene->filter, scene->packets[i].bytes,
					 scene->packets[i].len);
		return;
	}
	if (!reference_takes(scene->insns, scene->count))
		verdict_fail("libpcap does not take it for a program");
	scene->prog_fd = load_filter(scene);
	for (int i = 0; i < PACKETS_AT_ONCE; i++)
		ask(scene, &scene->packets[i]);
	if (scene->prog_fd >= 0)
		close(scene->prog_fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	verdict_open();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	struct scene *scene = calloc(1, sizeof(*scene));

	if (!scene)
		abort();
	scene->prog_fd = -1;
	read_scene(scene, &in);
	try_scene(scene);
	xsk_filter_free(scene->filter);
	for (int i = 0; i < PACKETS_AT_ONCE; i++)
		free(scene->packets[i].bytes);
	free(scene);
	return 0;
}
