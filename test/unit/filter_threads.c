/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Many threads that compile at once, and use one filter together. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <xsk/filter.h>

#define THREADS 8
#define TURNS 15

static const uint8_t arp[60] = { [12] = 0x08, [13] = 0x06 };

static const struct {
	const char *expression;
	int err;
	bool matches;
	const char *words;
} cases[] = {
	{ "arp", 0, true, NULL },
	{ "udp port 53 or tcp port 80 or net 10.0.0.0/8", 0, false, NULL },
	{ "ip6 and (udp or icmp6)", 0, false, NULL },
	{ "udp prot 53", -EINVAL, false, "at character 5" },
	{ "len < 61 and not vlan", 0, true, NULL },
	{ "udp port 99999", -EINVAL, false, "99999" },
	{ "inbound", -EOPNOTSUPP, false, "packet socket" },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static const struct xsk_filter *shared;

/* No assert here: cmocka's are for the first thread. */
static bool is_right(size_t number)
{
	struct xsk_filter *filter = NULL;
	struct xsk_error error, last;
	bool right;
	int err;

	err = xsk_filter_compile(&filter, cases[number].expression, &error);
	if (err != cases[number].err)
		return false;
	if (!err) {
		right = xsk_filter_match(filter, arp, sizeof(arp)) == cases[number].matches &&
			xsk_filter_dump(filter, NULL, 0) > 0;
		xsk_filter_free(filter);
		return right;
	}
	/* The reason is this thread's own. */
	xsk_error_last(&last);
	return !filter && strstr(error.reason, cases[number].words) &&
	       !strcmp(last.reason, error.reason);
}

static void *work(void *number)
{
	char text[2048];

	for (size_t i = 0; i < TURNS; i++) {
		if (!is_right((*(size_t *)number + i) % CASES))
			return number;
		if (xsk_filter_match(shared, arp, sizeof(arp)) != 1 ||
		    xsk_filter_dump(shared, text, sizeof(text)) < 1)
			return number;
	}
	return NULL;
}

static void compile_at_once(void **state)
{
	pthread_t threads[THREADS];
	size_t numbers[THREADS];
	struct xsk_filter *filter;
	struct xsk_error error;
	void *wrong;
	int failed = 0;

	(void)state;
	assert_int_equal(xsk_filter_compile(&filter, "arp or ip", &error), 0);
	shared = filter;
	for (size_t i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, work, &numbers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		failed += wrong != NULL;
	}
	xsk_filter_free(filter);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compile_at_once),
	};

	return cmocka_run_group_tests_name("filter_threads", tests, NULL, NULL);
}
