/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Differences there must not be: of each expression and each packet, what the program of
 * the filter does in the kernel, what xsk_filter_match() says, and what libpcap says. Needs
 * CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN; the interfaces are in namespaces of its own.
 */
#include "filter_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "filter_expressions.h"
#include "filter_packets.h"
#include "reference.h"
#include "filter_trace.h"

static struct pool kinds, all;

/* One filter, in all its forms. */
struct subject {
	const char *name;
	struct reference *ref;
	struct xsk_filter *filter;
	int fds[3];		/* with counters, without, as it is for older kernels; -1: none */
	int nfds;		/* those to run */
	bool turns;		/* it jumps backward */
	uint64_t runs;
	uint64_t matches;	/* in the kernel, of the first of these */
};

/*
 * libpcap's interpreter goes round for ever where "protochain" meets a header of a length of
 * 0. Such a packet does not match.
 */
static bool is_wanted(const struct subject *subject, const struct packet *packet)
{
	const struct sock_filter *insns;
	uint32_t count;

	insns = reference_insns(subject->ref, &count);
	if (subject->turns && !trace_ends(insns, count, packet))
		return false;
	return reference_match(subject->ref, packet->bytes, packet->len, packet->len);
}

static void open_subject(struct subject *subject, const char *expression)
{
	struct xsk_error error;

	memset(subject, 0, sizeof(*subject));
	subject->name = expression;
	subject->turns = strstr(expression, "protochain");
	subject->ref = reference_compile(expression, true);
	assert_non_null(subject->ref);
	if (xsk_filter_compile(&subject->filter, expression, &error))
		fail_msg("%s: %s", expression, error.reason);
	subject->fds[0] = run_open(subject->filter, NULL, true);
	subject->fds[1] = run_open(subject->filter, NULL, false);
	subject->fds[2] = run_open_older(subject->filter);
}

static void close_subject(struct subject *subject)
{
	for (int i = 0; i < 3; i++)
		run_close(subject->fds[i]);
	xsk_filter_free(subject->filter);
	reference_free(subject->ref);
}

static void complain(const struct subject *subject, const struct packet *packet, const char *who,
		     bool wanted)
{
	char *text = malloc(65536);

	printf("# %u bytes:", packet->len);
	for (uint32_t i = 0; i < packet->len; i++)
		printf("%s%02x", i % 32 ? "" : "\n# ", packet->bytes[i]);
	if (text && xsk_filter_dump(subject->filter, text, 65536) > 0) {
		printf("\n# ");
		for (const char *at = text; *at; at++)
			printf(*at == '\n' ? "\n# " : "%c", *at);
	}
	printf("\n");
	free(text);
	fail_msg("\"%s\" %s by libpcap, and not by %s", subject->name,
		 wanted ? "matches" : "does not match", who);
}

static void compare(void *arg, const struct packet *packet)
{
	static const char *const names[] = { "its program", "its program without counters",
					     "its program for older kernels" };
	struct subject *subject = arg;
	bool wanted = is_wanted(subject, packet);

	if (xsk_filter_match(subject->filter, packet->bytes, packet->len) != wanted)
		complain(subject, packet, "xsk_filter_match()", wanted);
	if (packet->len < RUN_MIN_PACKET)
		return;
	for (int i = 0; i < subject->nfds; i++) {
		if (subject->fds[i] < 0)
			continue;
		if (run_takes(subject->fds[i], packet->bytes, packet->len) != wanted)
			complain(subject, packet, names[i], wanted);
	}
	subject->runs++;
	subject->matches += wanted;
}

/* Some match no packet, or each; and some branches of libpcap's are never gone. */
static bool is_one_sided(const struct subject *subject)
{
	return !subject->matches || subject->matches == subject->runs;
}

static void assert_counted(const struct subject *subject)
{
	uint64_t counters[XSK_COUNTERS];

	run_counted(counters);
	assert_int_equal(counters[XSK_COUNT_MATCHED], subject->matches);
	assert_int_equal(counters[XSK_COUNT_KEPT], 0);
	assert_int_equal(counters[XSK_COUNT_PASSED], subject->runs - subject->matches);
}

static int open_pools(void **state)
{
	packets_kinds(&kinds);
	packets_all(&all);
	print_message("# %zu kinds of packets, %zu packets\n", kinds.count, all.count);
	return run_setup(state);
}

static int close_pools(void **state)
{
	pool_free(&kinds);
	pool_free(&all);
	return run_teardown(state);
}

/* ---- tests ---- */

/* Each on packets that are made for it, by all forms of its program. */
static void on_boundaries(void **state)
{
	uint32_t ways = run_is_slow() ? 8 : 250, edges = 0, gone = 0;
	uint64_t runs = 0;
	int count = 0, one_sided = 0;

	(void)state;
	for (const char *const *at = filter_expressions; *at; at++, count++) {
		const struct sock_filter *insns;
		struct trace_seen seen;
		struct subject subject;
		uint32_t ninsns;

		open_subject(&subject, *at);
		/* Where all is slow, all forms of each tenth. */
		subject.nfds = run_is_slow() && count % 10 ? 1 : 3;
		insns = reference_insns(subject.ref, &ninsns);
		seen = trace(insns, ninsns, &kinds, ways, compare, &subject);
		assert_counted(&subject);
		if (is_one_sided(&subject))
			print_message("# of one side: %s\n", *at);
		one_sided += is_one_sided(&subject);
		edges += seen.edges;
		gone += seen.edges_gone;
		runs += subject.runs;
		close_subject(&subject);
	}
	print_message("# %d expressions on %llu packets; %u of %u branches gone\n", count,
		      (unsigned long long)runs, gone, edges);
	assert_true(count >= 200);
	/* Most are of all packets, or of those of 64 KiB, or of 4 GiB. */
	assert_true(one_sided <= 25);
	assert_true(gone > edges / 100 * (run_is_slow() ? 40 : 90));
}

/* Each on all packets. */
static void on_all_packets(void **state)
{
	size_t stride = run_stride(), first = 0;
	uint64_t runs = 0;

	(void)state;
	for (const char *const *at = filter_expressions; *at; at++) {
		struct subject subject;

		open_subject(&subject, *at);
		subject.nfds = 1;
		for (size_t i = first++ % stride; i < all.count; i += stride)
			compare(&subject, &all.packets[i]);
		assert_counted(&subject);
		runs += subject.runs;
		close_subject(&subject);
	}
	print_message("# %llu packets\n", (unsigned long long)runs);
}

/* ---- packets of several buffers ---- */

#define LARGE 9000

static uint8_t large[LARGE];

static int run_large(const char *expression)
{
	struct xsk_filter *filter;
	struct xsk_error error;
	int fd, takes;

	if (xsk_filter_compile(&filter, expression, &error))
		fail_msg("%s: %s", expression, error.reason);
	fd = run_open(filter, NULL, false);
	xsk_filter_free(filter);
	takes = run_try(fd, large, LARGE);
	run_close(fd);
	return takes;
}

/* How much of it is in the first: found by a load that reads outside of it. */
static uint32_t first_buffer(void)
{
	uint32_t inside = 0, outside = LARGE;
	char expression[64];

	while (outside - inside > 1) {
		uint32_t middle = (inside + outside) / 2;

		snprintf(expression, sizeof(expression), "ether[%u] >= 0", middle);
		if (run_large(expression) == 1)
			inside = middle;
		else
			outside = middle;
	}
	return outside;
}

static bool is_before_5_18(void)
{
	struct utsname names;
	int major = 0, minor = 0;

	assert_int_equal(uname(&names), 0);
	assert_int_equal(sscanf(names.release, "%d.%d", &major, &minor), 2);
	return major < 5 || (major == 5 && minor < 18);
}

/* The length is that of all; what is loaded is in the first buffer. */
static void on_several_buffers(void **state)
{
	uint32_t first;

	(void)state;
	for (uint32_t i = 0; i < LARGE; i++)
		large[i] = (uint8_t)(i * 7);
	memcpy(large, kinds.packets[0].bytes, kinds.packets[0].len);
	if (is_before_5_18()) {
		assert_true(run_large("ip") < 0);
		return;
	}
	first = first_buffer();
	assert_in_range(first, 1514, 4096);
	for (const char *const *at = filter_expressions; *at; at++) {
		struct reference *ref = reference_compile(*at, true);

		assert_non_null(ref);
		if (run_large(*at) != reference_match(ref, large, first, LARGE))
			fail_msg("\"%s\" differs; the first buffer has %u bytes", *at, first);
		reference_free(ref);
	}
	assert_int_equal(run_large("len = 9000"), 1);
	assert_int_equal(run_large("len != 9000"), 0);
	assert_int_equal(run_large("ether[len - 1] >= 0"), 0);
	assert_int_equal(run_large("greater 8999"), 1);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
		cmocka_unit_test(on_boundaries),
		cmocka_unit_test(on_all_packets),
		cmocka_unit_test(on_several_buffers),
	};

	return cmocka_run_group_tests_name("filter", list, open_pools, close_pools);
}

int main(void)
{
	return run_main(tests);
}
