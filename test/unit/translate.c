/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Classic BPF as eBPF: what the program of a port says of a packet is what the classic one
 * says. It is run without the kernel here (ebpf.h).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/filter.h>
#include <xsk/filter.h>

#include "ebpf.h"
#include "failing.h"
#include "filter.h"
#include "keep.h"
#include "random_program.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct xsk_filter *filter_of(const struct sock_filter *insns, size_t count)
{
	struct xsk_filter *filter;
	struct xsk_error error;

	if (xsk_filter_from_cbpf(&filter, insns, count, &error))
		fail_msg("%s", error.reason);
	return filter;
}

static struct xsk_code code_of(const struct xsk_filter *filter, const struct xsk_keep *keep,
			       bool counts)
{
	struct xsk_error error;
	struct xsk_code code;

	assert_int_equal(xsk_filter_code(&code, filter, keep, counts, &error), 0);
	ebpf_check(code.insns, code.count);
	if (code.older)
		ebpf_check(code.older, code.older_count);
	return code;
}

static bool takes(const struct bpf_insn *insns, size_t count, const uint8_t *packet, size_t len)
{
	struct ebpf ebpf = { .insns = insns, .count = count, .packet = packet, .len = len };
	int verdict = ebpf_run(&ebpf);

	assert_true(verdict == XDP_PASS || verdict == XDP_REDIRECT);
	return verdict == XDP_REDIRECT;
}

/* It, its older form and what xsk_filter_match() says are one. Returns that. */
static bool verdict(const struct xsk_filter *filter, const struct xsk_code *code,
		    const uint8_t *packet, size_t len)
{
	int expected = xsk_filter_match(filter, packet, len);

	assert_in_range(expected, 0, 1);
	assert_int_equal(takes(code->insns, code->count, packet, len), expected);
	if (code->older)
		assert_int_equal(takes(code->older, code->older_count, packet, len), expected);
	return expected;
}

/* ---- the default ---- */

static void default_program(void **state)
{
	const struct xsk_keep nothing = { 0 };
	struct xsk_code code = code_of(NULL, NULL, false), same;
	uint8_t packet[14] = { 0 };

	(void)state;
	assert_int_equal(code.count, XSK_FILTER_DEFAULT_INSNS);
	assert_false(code.filters || code.counts || code.no_frags);
	assert_null(code.older);
	assert_true(takes(code.insns, code.count, packet, sizeof(packet)));
	same = code_of(NULL, &nothing, false);
	assert_int_equal(same.count, code.count);
	assert_memory_equal(same.insns, code.insns, code.count * sizeof(*code.insns));
	xsk_filter_code_free(&same);
	xsk_filter_code_free(&code);
	assert_null(code.insns);
	xsk_filter_code_free(&code);
}

/* ---- each way to a verdict, and its counter ---- */

static void counters(void **state)
{
	/* Takes what has a 1 at 20; kept is ARP. */
	const struct sock_filter insns[] = {
		{ BPF_LD | BPF_B | BPF_ABS, 0, 0, 20 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 1 },
		{ BPF_RET | BPF_K, 0, 0, 1 },
		{ BPF_RET | BPF_K, 0, 0, 0 },
	};
	const struct xsk_keep keep = { .arp = true };
	struct xsk_filter *filter = filter_of(insns, COUNT(insns));

	(void)state;
	for (int i = 0; i < 16; i++) {
		bool filters = i & 1, keeps = i & 2, is_arp = i & 4, is_one = i & 8;
		uint8_t packet[64] = { [12] = 0x08, [13] = is_arp ? 6 : 0, [20] = is_one };
		const struct xsk_filter *with = filters ? filter : NULL;
		struct xsk_code code = code_of(with, keeps ? &keep : NULL, true);
		struct xsk_code plain = code_of(with, keeps ? &keep : NULL, false);
		struct ebpf ebpf = { .insns = code.insns, .count = code.count, .packet = packet,
				     .len = sizeof(packet), .counters = { 7, 8, 9 } };
		bool kept = keeps && is_arp, taken = !kept && (!filters || is_one);

		assert_true(code.counts && code.filters && !plain.counts);
		assert_int_equal(plain.filters, filters || keeps);
		assert_int_equal(ebpf_run(&ebpf), taken ? XDP_REDIRECT : XDP_PASS);
		assert_int_equal(ebpf.counters[XSK_COUNT_MATCHED], 7 + taken);
		assert_int_equal(ebpf.counters[XSK_COUNT_KEPT], 8 + kept);
		assert_int_equal(ebpf.counters[XSK_COUNT_PASSED], 9 + (!kept && !taken));
		assert_int_equal(takes(plain.insns, plain.count, packet, sizeof(packet)), taken);
		xsk_filter_code_free(&code);
		xsk_filter_code_free(&plain);
	}
	xsk_filter_free(filter);
}

/* All or nothing, by all instructions that can say so. */
static void constants(void **state)
{
	static const struct {
		struct sock_filter insns[3];
		size_t count;
		bool taken;
	} cases[] = {
		{ { { BPF_RET | BPF_K, 0, 0, 1 } }, 1, true },
		{ { { BPF_RET | BPF_K, 0, 0, 0 } }, 1, false },
		{ { { BPF_RET | BPF_A, 0, 0, 1 } }, 1, false },
		{ { { BPF_LD | BPF_IMM, 0, 0, 0x80000000 }, { BPF_RET | BPF_A, 0, 0, 0 } }, 2,
		  true },
		/* Never in a packet. */
		{ { { BPF_LD | BPF_W | BPF_ABS, 0, 0, 65532 }, { BPF_RET | BPF_K, 0, 0, 1 } }, 2,
		  false },
		{ { { BPF_LD | BPF_B | BPF_IND, 0, 0, 0x7fffffff }, { BPF_RET | BPF_K, 0, 0, 1 } },
		  2, false },
		{ { { BPF_JMP | BPF_JA, 0, 0, UINT32_MAX } }, 1, false },
	};
	uint8_t packet[14] = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct xsk_filter *filter = filter_of(cases[i].insns, cases[i].count);
		struct xsk_code code = code_of(filter, NULL, true);

		assert_int_equal(verdict(filter, &code, packet, 14), cases[i].taken);
		assert_int_equal(verdict(filter, &code, packet, 0), cases[i].taken);
		xsk_filter_code_free(&code);
		xsk_filter_free(filter);
	}
}

/* ---- the length ---- */

/* That of all buffers; the older program knows of one. */
static void length(void **state)
{
	const struct sock_filter insns[] = {
		{ BPF_LDX | BPF_W | BPF_LEN, 0, 0, 0 },
		{ BPF_MISC | BPF_TXA, 0, 0, 0 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 9000 },
		{ BPF_RET | BPF_K, 0, 0, 1 },
		{ BPF_RET | BPF_K, 0, 0, 0 },
	};
	struct xsk_filter *filter = filter_of(insns, COUNT(insns));
	struct xsk_code code = code_of(filter, NULL, false);
	uint8_t packet[100] = { 0 };
	struct ebpf ebpf = { .insns = code.insns, .count = code.count, .packet = packet,
			     .len = sizeof(packet), .whole = 9000 };

	(void)state;
	assert_non_null(code.older);
	assert_int_equal(ebpf_run(&ebpf), XDP_REDIRECT);
	ebpf.insns = code.older;
	ebpf.count = code.older_count;
	assert_int_equal(ebpf_run(&ebpf), XDP_PASS);
	xsk_filter_code_free(&code);
	xsk_filter_free(filter);
}

/* ---- the last byte ---- */

static void reach(void **state)
{
	static const uint32_t offsets[] = { 0, 31998, 31999, 32000, 32001, 32765, 32767, 32768,
					    65530, 65531, 65533, 65534, 65535 };
	static const uint16_t loads[] = { BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_H | BPF_ABS,
					  BPF_LD | BPF_B | BPF_ABS, BPF_LD | BPF_W | BPF_IND,
					  BPF_LD | BPF_H | BPF_IND, BPF_LD | BPF_B | BPF_IND,
					  BPF_LDX | BPF_B | BPF_MSH };
	uint8_t *packet = calloc(1, 65536);

	(void)state;
	assert_non_null(packet);
	for (size_t i = 0; i < COUNT(offsets) * COUNT(loads); i++) {
		uint16_t load = loads[i % COUNT(loads)];
		uint32_t offset = offsets[i / COUNT(loads)];
		uint32_t size = BPF_SIZE(load) == BPF_W ? 4 : BPF_SIZE(load) == BPF_H ? 2 : 1;
		uint32_t x = BPF_MODE(load) == BPF_IND ? offset / 3 : 0;
		/* Twice, of which the second is proven; and what it loads is 1 higher. */
		const struct sock_filter insns[] = {
			{ BPF_LDX | BPF_IMM, 0, 0, x },
			{ load, 0, 0, offset - x },
			{ BPF_LDX | BPF_IMM, 0, 0, x },
			{ load, 0, 0, offset - x },
			{ BPF_CLASS(load) == BPF_LD ? BPF_JMP | BPF_JA : BPF_MISC | BPF_TXA, 0, 0,
			  0 },
			{ BPF_RET | BPF_A, 0, 0, 0 },
		};
		struct xsk_filter *filter = filter_of(insns, COUNT(insns));
		struct xsk_code code = code_of(filter, NULL, true);
		bool possible = offset + size <= XSK_FILTER_REACH;

		/* Also where it must not be seen. */
		if (offset + size <= 65536)
			packet[offset + size - 1] = 1;
		assert_int_equal(verdict(filter, &code, packet, offset + size), possible);
		assert_false(verdict(filter, &code, packet, offset + size - 1));
		assert_int_equal(verdict(filter, &code, packet, 65536), possible);
		if (offset + size <= 65536)
			packet[offset + size - 1] = 0;
		assert_false(verdict(filter, &code, packet, 65536));
		xsk_filter_code_free(&code);
		xsk_filter_free(filter);
	}
	free(packet);
}

/* ---- jumps backward ---- */

/* As many as the packet's first two bytes say. */
static void turns(void **state)
{
	const struct sock_filter insns[] = {
		{ BPF_LD | BPF_H | BPF_ABS, 0, 0, 0 },
		{ BPF_LDX | BPF_IMM, 0, 0, 0x12345678 },
		{ BPF_STX, 0, 0, 15 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 0 },
		{ BPF_ALU | BPF_SUB | BPF_K, 0, 0, 1 },
		{ BPF_JMP | BPF_JA, 0, 0, (uint32_t)-3 },
		/* X is what it was, and so is the scratch memory. */
		{ BPF_LD | BPF_MEM, 0, 0, 15 },
		{ BPF_JMP | BPF_JEQ | BPF_X, 0, 2, 0 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x12345678 },
		{ BPF_RET | BPF_K, 0, 0, 1 },
		{ BPF_RET | BPF_K, 0, 0, 0 },
	};
	struct xsk_filter *filter = filter_of(insns, COUNT(insns));
	struct xsk_code code = code_of(filter, NULL, true);

	(void)state;
	for (uint32_t i = 0; i < 1100; i += 1 + (i < 500 || i > 520) * 50) {
		uint8_t packet[14] = { (uint8_t)(i >> 8), (uint8_t)i };

		assert_int_equal(verdict(filter, &code, packet, 14), i <= 512);
	}
	xsk_filter_code_free(&code);
	xsk_filter_free(filter);
}

/*
 * Ways back to one place, each of which knows a little less of the packet than the one before:
 * it is not looked at for ever, and what is loaded there is inside of the packet all the same.
 */
#define WAYS 1500
#define WAY_FROM 50
#define LOADED 60

static void many_ways_back(void **state)
{
	static struct sock_filter insns[1 + WAYS + 2 * WAYS + 1 + 2 * WAYS + 1];
	const uint32_t ways = 1 + WAYS, choice = ways + 2 * WAYS;
	uint8_t packet[WAY_FROM + WAYS] = { [LOADED] = 1 };
	struct xsk_filter *filter;
	struct xsk_code code;

	(void)state;
	insns[0] = (struct sock_filter){ BPF_JMP | BPF_JA, 0, 0, choice - 1 };
	insns[1] = (struct sock_filter){ BPF_LD | BPF_B | BPF_ABS, 0, 0, LOADED };
	for (uint32_t i = 2; i < WAYS; i++)
		insns[i] = (struct sock_filter){ BPF_ALU | BPF_AND | BPF_K, 0, 0, 1 };
	insns[WAYS] = (struct sock_filter){ BPF_RET | BPF_A, 0, 0, 0 };
	insns[choice] = (struct sock_filter){ BPF_LD | BPF_H | BPF_ABS, 0, 0, 0 };
	for (uint32_t i = 0; i < WAYS; i++) {
		uint32_t way = ways + 2 * i, from = choice + 1 + 2 * i;

		insns[way] = (struct sock_filter){ BPF_LD | BPF_B | BPF_ABS, 0, 0, WAY_FROM + i };
		insns[way + 1] = (struct sock_filter){ BPF_JMP | BPF_JA, 0, 0, 1 - (way + 2) };
		insns[from] = (struct sock_filter){ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, i };
		insns[from + 1] = (struct sock_filter){ BPF_JMP | BPF_JA, 0, 0, way - (from + 2) };
	}
	insns[COUNT(insns) - 1] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, 0 };
	filter = filter_of(insns, COUNT(insns));
	code = code_of(filter, NULL, false);
	for (uint32_t i = 0; i <= WAYS; i += 75) {
		size_t needed = i < 11 ? LOADED + 1 : WAY_FROM + i + 1;

		packet[0] = (uint8_t)(i >> 8);
		packet[1] = (uint8_t)i;
		if (i == WAYS)
			needed = WAY_FROM + WAYS + 1;	/* no way */
		assert_false(verdict(filter, &code, packet, needed - 1));
		if (i < WAYS)
			assert_true(verdict(filter, &code, packet, needed));
	}
	xsk_filter_code_free(&code);
	xsk_filter_free(filter);
}

/* ---- all kinds ---- */

static void random_programs(void **state)
{
	struct sock_filter insns[RANDOM_INSNS];
	uint8_t packet[RANDOM_BYTES];
	uint32_t matches = 0;
	uint64_t seed = 2;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint32_t count = random_program(insns, &seed);
		/* Its scratch memory is 0 without being written, too. */
		uint32_t skip = i & 2 ? BPF_MEMWORDS : 0;
		struct xsk_filter *filter = filter_of(insns + skip, count - skip);
		struct xsk_code code = code_of(filter, NULL, i & 1);

		for (int j = 0; j < 4; j++) {
			size_t len = random_packet(packet, &seed);

			matches += verdict(filter, &code, packet, len);
		}
		xsk_filter_code_free(&code);
		xsk_filter_free(filter);
	}
	assert_in_range(matches, 80000 / 10, 80000 * 9 / 10);
}

/* Behind what is kept, of which these packets are none: registers and stack are as before. */
static void random_programs_behind_keep(void **state)
{
	const struct xsk_keep keep = { .arp = true, .dhcp = true, .icmp = true, .ssh = true,
				       .tcp = { 80 }, .udp = { 5353 } };
	struct sock_filter insns[RANDOM_INSNS];
	uint8_t packet[RANDOM_BYTES];
	uint64_t seed = 3;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		uint32_t count = random_program(insns, &seed);
		struct xsk_filter *filter = filter_of(insns, count);
		struct xsk_code code = code_of(filter, &keep, i & 1);

		for (int j = 0; j < 4; j++) {
			size_t len = random_packet(packet, &seed);

			packet[12] = 0x77;
			verdict(filter, &code, packet, len);
		}
		xsk_filter_code_free(&code);
		xsk_filter_free(filter);
	}
}

/* ---- memory runs out ---- */

/* Long enough for all arrays to grow more than once. */
#define GROWING 300

static size_t growing_program(struct sock_filter insns[GROWING])
{
	for (uint32_t i = 0; i < GROWING - 1; i++)
		insns[i] = (struct sock_filter){ BPF_LD | BPF_B | BPF_IND, 0, 0, i };
	insns[0] = (struct sock_filter){ BPF_LD | BPF_LEN, 0, 0, 0 };
	insns[GROWING - 1] = (struct sock_filter){ BPF_RET | BPF_A, 0, 0, 0 };
	return GROWING;
}

static void no_memory_to_make(void **state)
{
	struct sock_filter insns[GROWING];
	struct xsk_filter *filter = (void *)0x5a5a;
	size_t count = growing_program(insns);
	struct xsk_error error;
	int err, n;

	(void)state;
	/* What the thread keeps for xsk_error_last() is made at its first failure. */
	assert_int_equal(xsk_filter_from_cbpf(&filter, NULL, 0, NULL), -EINVAL);
	for (n = 1; n < 1000; n++) {
		fail_allocation(n);
		memset(&error, 0, sizeof(error));
		err = xsk_filter_from_cbpf(&filter, insns, count, &error);
		if (!allocation_failed())
			break;
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(error.code, -ENOMEM);
		assert_true(error.reason[0]);
		assert_ptr_equal(filter, (void *)0x5a5a);
		assert_int_equal(allocations_held(), 0);
	}
	/* The copy, the filter, two arrays by instruction, and those that grow; all twice. */
	assert_in_range(n, 20, 100);
	assert_int_equal(err, 0);
	xsk_filter_free(filter);
	assert_int_equal(allocations_held(), 0);
	fail_allocation(0);
}

static void no_memory_to_use(void **state)
{
	const struct xsk_keep keep = { .ssh = true };
	struct sock_filter insns[GROWING];
	struct xsk_filter *filter = filter_of(insns, growing_program(insns));
	struct xsk_code code, untouched;
	struct xsk_error error;
	int err, n;

	(void)state;
	memset(&untouched, 0x5a, sizeof(untouched));
	for (int i = 0; i < 4; i++) {
		for (n = 1; n < 1000; n++) {
			fail_allocation(n);
			memset(&code, 0x5a, sizeof(code));
			err = xsk_filter_code(&code, i & 1 ? filter : NULL, i & 2 ? &keep : NULL,
					      i & 2, &error);
			if (!allocation_failed())
				break;
			assert_int_equal(err, -ENOMEM);
			assert_int_equal(error.code, -ENOMEM);
			assert_memory_equal(&code, &untouched, sizeof(code));
			assert_int_equal(allocations_held(), 0);
		}
		assert_int_equal(err, 0);
		assert_true(n > (i ? 8 : 1));
		xsk_filter_code_free(&code);
		assert_int_equal(allocations_held(), 0);
	}
	for (n = 1; n < 1000; n++) {
		fail_allocation(n);
		err = xsk_filter_dump(filter, NULL, 0);
		assert_int_equal(allocations_held(), 0);
		if (!allocation_failed())
			break;
		assert_int_equal(err, -ENOMEM);
	}
	assert_true(n > 8 && err > 0);
	fail_allocation(0);
	xsk_filter_free(filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_program),
		cmocka_unit_test(counters),
		cmocka_unit_test(constants),
		cmocka_unit_test(length),
		cmocka_unit_test(reach),
		cmocka_unit_test(turns),
		cmocka_unit_test(many_ways_back),
		cmocka_unit_test(random_programs),
		cmocka_unit_test(random_programs_behind_keep),
		cmocka_unit_test(no_memory_to_make),
		cmocka_unit_test(no_memory_to_use),
	};

	return cmocka_run_group_tests_name("translate", tests, NULL, NULL);
}
