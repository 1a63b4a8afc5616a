/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Long filters: as people write them, with hundreds of hosts and ports, and as nobody does,
 * with verdicts further away than a jump of eBPF reaches. They work, or say why they do not.
 */
#include "filter_run.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "filter_packets.h"
#include "reference.h"

/* What an expression is made longer with, so that no optimizer is run over it for minutes. */
#define PADDING (16 * 1024)

static const char udp4[] = "020000000001" "020000000002" "0800" "45000030" "12340000" "40110000"
			   "0a000001" "0a000002" "c350c350" "001c0000" "0102030405060708";

struct program {
	struct sock_filter *insns;
	uint32_t count;
};

static void emit(struct program *program, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (!program->insns)
		program->insns = calloc(XSK_FILTER_MAX_INSNS + 1, sizeof(*program->insns));
	assert_non_null(program->insns);
	assert_true(program->count <= XSK_FILTER_MAX_INSNS);
	program->insns[program->count++] = (struct sock_filter){ code, jt, jf, k };
}

static void free_program(struct program *program)
{
	free(program->insns);
	*program = (struct program){ 0 };
}

/* Of the packet of which the last port and the last address are these. */
static void run_on(int fd, const struct xsk_filter *filter, const struct reference *ref,
		   uint32_t low, bool is_host)
{
	struct pool pool = { 0 };
	struct packet *packet;
	bool wanted;

	pool_add_hex(&pool, udp4);
	packet = &pool.packets[0];
	packet->bytes[is_host ? 32 : 36] = (uint8_t)(low >> 8);
	packet->bytes[is_host ? 33 : 37] = (uint8_t)low;
	wanted = reference_match(ref, packet->bytes, packet->len, packet->len);
	if (run_takes(fd, packet->bytes, packet->len) != wanted ||
	    xsk_filter_match(filter, packet->bytes, packet->len) != wanted)
		fail_msg("differs at %u", low);
	pool_free(&pool);
}

/* Of count terms: of a number each, or of an address that ends in it. */
static char *make_list(const char *term, uint32_t count, uint32_t padding)
{
	size_t size = padding + 64 * count + 1, len = padding;
	char *text = calloc(1, size);

	if (!text)
		fail();
	memset(text, ' ', padding);
	for (uint32_t i = 0; text && i < count; i++) {
		const char *between = i ? " or " : "";
		uint32_t number = 3 * i + 1;

		if (strstr(term, "host"))
			snprintf(text + len, size - len, "%s%s 10.0.%u.%u", between, term,
				 number >> 8, number & 255);
		else
			snprintf(text + len, size - len, "%s%s %u", between, term, number);
		len += strlen(text + len);
	}
	return text;
}

static void run_list(const char *term, uint32_t count, uint32_t padding)
{
	char *text = make_list(term, count, padding);
	struct reference *ref = reference_compile(text, false);
	uint32_t step = run_is_slow() ? 29 : 1;
	struct xsk_filter *filter;
	struct xsk_error error;
	int fd;

	assert_non_null(ref);
	if (xsk_filter_compile(&filter, text, &error))
		fail_msg("%u of %s: %s", count, term, error.reason);
	fd = run_open(filter, NULL, true);
	for (uint32_t low = 0; low < 3 * count + 5; low += step)
		run_on(fd, filter, ref, low, strstr(term, "host"));
	run_close(fd);
	xsk_filter_free(filter);
	reference_free(ref);
	free(text);
}

/* ---- tests ---- */

static void of_hosts_and_ports(void **state)
{
	(void)state;
	/* As it is written; libpcap's optimizer takes its time. */
	run_list("host", run_is_slow() ? 60 : 500, 0);
	run_list("host", run_is_slow() ? 100 : 300, PADDING);
	run_list("dst host", run_is_slow() ? 100 : 500, PADDING);
	run_list("udp dst port", run_is_slow() ? 100 : 500, PADDING);
	run_list("port", run_is_slow() ? 60 : 300, 0);
}

/*
 * Comparisons of the port, and much between them: each leads to a verdict behind all of it.
 * What is between is arithmetic, that the last comparison needs.
 */
static void make_far(struct program *program, uint32_t comparisons, uint32_t between)
{
	uint32_t end = comparisons * (4 + between) + 2;

	for (uint32_t i = 0; i < comparisons; i++) {
		emit(program, BPF_LD | BPF_H | BPF_ABS, 36, 0, 0);
		emit(program, BPF_JMP | BPF_JEQ | BPF_K, 3 * i + 1, 0, 1);
		/* Matches for even numbers, and does not for odd ones. */
		emit(program, BPF_JMP | BPF_JA, end + i % 2 - program->count - 1, 0, 0);
		for (uint32_t j = 0; j < between; j++)
			emit(program, BPF_ALU | BPF_ADD | BPF_K, 1, 0, 0);
		emit(program, BPF_STX, i % 16, 0, 0);
	}
	emit(program, BPF_JMP | BPF_JSET | BPF_K, 1, 0, 0);
	emit(program, BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1);
	emit(program, BPF_RET | BPF_K, 1, 0, 0);
	emit(program, BPF_RET | BPF_K, 0, 0, 0);
}

static void of_far_verdicts(void **state)
{
	static const uint32_t shapes[][2] = {
		{ 1, 40000 }, { 2, 30000 }, { 10, 6000 }, { 100, 600 }, { 1000, 60 }, { 4000, 10 },
		{ 1, 29990 }, { 1, 29998 }, { 1, 32763 }, { 1, 32765 }, { 1, 32770 }, { 3, 14995 },
	};

	(void)state;
	/* Where all is slow, each fifth. */
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i += run_is_slow() ? 5 : 1) {
		struct program program = { 0 };
		uint32_t last = 3 * shapes[i][0] + 5, step = last > 100 ? last / 100 : 1;
		struct reference *ref;
		struct xsk_filter *filter;
		struct xsk_error error;
		int fd;

		make_far(&program, shapes[i][0], shapes[i][1]);
		ref = reference_program(program.insns, program.count);
		assert_non_null(ref);
		if (xsk_filter_from_cbpf(&filter, program.insns, program.count, &error))
			fail_msg("%u, %u: %s", shapes[i][0], shapes[i][1], error.reason);
		fd = run_open(filter, NULL, i % 2);
		for (uint32_t low = 0; low < last; low += step)
			run_on(fd, filter, ref, low, false);
		run_close(fd);
		xsk_filter_free(filter);
		reference_free(ref);
		free_program(&program);
	}
}

static void assert_refused(const struct program *program, int code, const char *why)
{
	struct xsk_filter *filter = NULL;
	struct xsk_error error;

	assert_int_equal(xsk_filter_from_cbpf(&filter, program->insns, program->count, &error),
			 code);
	assert_null(filter);
	assert_int_equal(error.code, code);
	if (!strstr(error.reason, why))
		fail_msg("\"%s\" does not say \"%s\"", error.reason, why);
}

/* A jump to what is no verdict can be too long, and a program too long for all of it. */
static void too_long(void **state)
{
	struct program program = { 0 };
	struct xsk_filter *filter = NULL;
	struct xsk_error error;
	char *text;

	(void)state;
	emit(&program, BPF_LD | BPF_H | BPF_ABS, 36, 0, 0);
	emit(&program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1);
	emit(&program, BPF_JMP | BPF_JA, 40000, 0, 0);
	for (int i = 0; i < 40000; i++)
		emit(&program, BPF_ALU | BPF_ADD | BPF_K, 1, 0, 0);
	emit(&program, BPF_ALU | BPF_ADD | BPF_K, 1, 0, 0);
	emit(&program, BPF_RET | BPF_A, 0, 0, 0);
	assert_refused(&program, -E2BIG, "too long");
	while (program.count < XSK_FILTER_MAX_INSNS + 1)
		emit(&program, BPF_RET | BPF_K, 0, 0, 0);
	assert_refused(&program, -E2BIG, "65537 instructions");
	free_program(&program);

	text = malloc(XSK_FILTER_MAX_TEXT + 8);
	assert_non_null(text);
	memset(text, ' ', XSK_FILTER_MAX_TEXT + 8);
	strcpy(text + XSK_FILTER_MAX_TEXT - 1, "ip");
	assert_int_equal(xsk_filter_compile(&filter, text, &error), -E2BIG);
	free(text);
	assert_null(filter);
}

/* Where the verifier gives up, this is what is said. */
static void assert_too_long(const struct xsk_filter *filter)
{
	struct xsk_error error;
	struct xsk_code code;

	assert_int_equal(xsk_filter_code(&code, filter, NULL, false, &error), 0);
	assert_int_equal(run_load(&code, &error), -E2BIG);
	assert_non_null(strstr(error.reason, "too many ways"));
	xsk_filter_code_free(&code);
}

/* More branches than it keeps in mind: 8192. */
static void too_many_branches(void **state)
{
	char *text = make_list("host", 900, PADDING);
	struct xsk_filter *filter;
	struct xsk_error error;

	(void)state;
	assert_int_equal(xsk_filter_compile(&filter, text, &error), 0);
	assert_too_long(filter);
	xsk_filter_free(filter);
	free(text);
}

/* More than the million instructions that it looks at. */
static void too_many_ways(void **state)
{
	struct program program = { 0 };
	struct xsk_filter *filter;
	struct xsk_error error;

	(void)state;
	/* 10,000 branches that are all to be looked at, of which none is like another. */
	emit(&program, BPF_LD | BPF_W | BPF_ABS, 34, 0, 0);
	for (int i = 0; i < 10000; i++) {
		emit(&program, BPF_JMP | BPF_JSET | BPF_K, 1U << i % 32, 0, 1);
		emit(&program, BPF_ALU | BPF_XOR | BPF_K, 0x12345679U * (uint32_t)(i + 1), 0, 0);
	}
	emit(&program, BPF_RET | BPF_A, 0, 0, 0);
	assert_int_equal(xsk_filter_from_cbpf(&filter, program.insns, program.count, &error), 0);
	assert_too_long(filter);
	xsk_filter_free(filter);
	free_program(&program);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
		cmocka_unit_test(of_hosts_and_ports),
		cmocka_unit_test(of_far_verdicts),
		cmocka_unit_test(too_long),
		cmocka_unit_test(too_many_branches),
		cmocka_unit_test(too_many_ways),
	};

	return cmocka_run_group_tests_name("filter_long", list, run_setup, run_teardown);
}

int main(void)
{
	return run_main(tests);
}
