/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The words that all commands with a port have: --keep, --queues, --mode, --ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "args.h"
#include "publish.h"
#include "run.h"
#include "session.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Below the table are ports, which no test here opens. */
struct publish *publish_open(struct xsk_port *port, const char *command)
{
	(void)port;
	(void)command;
	fail();
	return NULL;
}

void run_hear(void)
{
}

void publish_close(struct publish *publish)
{
	assert_null(publish);
}

void publish_lock(struct publish *publish)
{
	assert_null(publish);
}

void publish_unlock(struct publish *publish)
{
	assert_null(publish);
}

void out_note(struct out *out, const char *format, ...)
{
	(void)out;
	fail_msg("%s", format);
}

void out_error(struct out *out, const char *subject, const struct xsk_error *error)
{
	(void)out;
	(void)subject;
	fail_msg("%s", error->reason);
}

char *out_clean(char *text)
{
	return text;
}

static int parse(struct session_options *options, const char *option, const char *value,
		 char why[ARG_WHY])
{
	const struct args args = { .name = "test", .tables = { session_keep_args, session_args } };
	char words[2][200];
	char *argv[] = { (char[]){ "test" }, words[0], words[1], NULL };

	*options = (struct session_options)SESSION_DEFAULTS;
	snprintf(words[0], sizeof(words[0]), "%s", option);
	snprintf(words[1], sizeof(words[1]), "%s", value);
	return args_parse(&args, options, 3, argv, why);
}

static void kept(void **state)
{
	struct session_options options;
	char why[ARG_WHY];

	(void)state;
	assert_int_equal(parse(&options, "--keep", "arp", why), 0);
	assert_int_equal(options.keep, XSK_KEEP_ARP);
	assert_int_equal(parse(&options, "-k", "dhcp,icmp", why), 0);
	assert_int_equal(options.keep, XSK_KEEP_DHCP | XSK_KEEP_ICMP);
	assert_int_equal(parse(&options, "-k", "ssh", why), 0);
	assert_int_equal(options.keep, XSK_KEEP_SSH);
	assert_int_equal(parse(&options, "-k", "management,tcp:80,udp:53,tcp:443,tcp:80", why), 0);
	assert_int_equal(options.keep, XSK_KEEP_MANAGEMENT);
	assert_int_equal(options.keep_tcp[0], 80);
	assert_int_equal(options.keep_tcp[1], 443);
	assert_int_equal(options.keep_tcp[2], 0);
	assert_int_equal(options.keep_udp[0], 53);
	assert_int_equal(options.keep_udp[1], 0);
	assert_int_equal(parse(&options, "-k", "tcp:1,udp:65535", why), 0);
	assert_int_equal(options.keep_tcp[0], 1);
	assert_int_equal(options.keep_udp[0], 65535);
}

static void not_kept(void **state)
{
	static const char *const wrong[] = {
		"", ",", "arp,", ",arp", "arpa", "ar", "ARP", "tcp", "tcp:", "tcp:0", "tcp:65536",
		"tcp:-1", "tcp:+1", "tcp: 1", "tcp:1x", "tcp:12345678", "sctp:1", "managemen",
		("tcp:1,tcp:2,tcp:3,tcp:4,tcp:5,tcp:6,tcp:7,tcp:8,tcp:9,tcp:10,tcp:11,tcp:12,"
		 "tcp:13,tcp:14,tcp:15,tcp:16"),
	};
	struct session_options options;
	char why[ARG_WHY];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (parse(&options, "--keep", wrong[i], why) != -1)
			fail_msg("'%s' was taken", wrong[i]);
		assert_non_null(strstr(why, "it must be of arp, dhcp, icmp, ssh, management, "
				       "tcp:PORT, udp:PORT (15 of each)"));
	}
}

/* As many as the library has place for. */
static void all_ports(void **state)
{
	struct session_options options;
	char list[200] = "udp:1", why[ARG_WHY];

	(void)state;
	for (int i = 2; i <= XSK_KEEP_PORTS; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), ",udp:%d", i);
	assert_int_equal(parse(&options, "--keep", list, why), 0);
	for (int i = 0; i < XSK_KEEP_PORTS; i++)
		assert_int_equal(options.keep_udp[i], i + 1);
}

static void queues_and_modes(void **state)
{
	struct session_options options;
	char why[ARG_WHY];

	(void)state;
	assert_int_equal(parse(&options, "--queues", "2-3", why), 0);
	assert_int_equal(options.queues.first, 2);
	assert_int_equal(options.queues.last, 3);
	/* A count of 2^32 would be 0 for the library, which means all. */
	assert_int_equal(parse(&options, "-q", "0-4294967295", why), -1);
	assert_int_equal(parse(&options, "-m", "generic,zero-copy", why), 0);
	assert_int_equal(options.modes, XSK_MODE_GENERIC | XSK_MODE_ZEROCOPY);
	assert_int_equal(parse(&options, "-m", "native", why), 0);
	assert_int_equal(options.modes, XSK_MODE_NATIVE);
	assert_int_equal(parse(&options, "--wait", "busy-poll", why), 0);
	assert_int_equal(options.wait, XSK_WAIT_BUSY_POLL);
	assert_int_equal(parse(&options, "--wait", "spin", why), 0);
	assert_int_equal(options.wait, XSK_WAIT_SPIN);
	assert_int_equal(parse(&options, "--wait", "adaptive", why), 0);
	assert_int_equal(options.wait, XSK_WAIT_ADAPTIVE);
}

static void powers_of_two(void **state)
{
	struct session_options options;
	char why[ARG_WHY];

	(void)state;
	assert_int_equal(parse(&options, "--ring", "4k", why), 0);
	assert_int_equal(options.ring_size, 4096);
	assert_int_equal(parse(&options, "--ring", "3000", why), -1);
	assert_string_equal(why, "--ring 3000: it must be a power of two, as 2048 or 64k");
	assert_int_equal(parse(&options, "--ring", "16", why), -1);
	assert_int_equal(parse(&options, "--frame-size", "2k", why), 0);
	assert_int_equal(options.frame_size, 2048);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept),
		cmocka_unit_test(not_kept),
		cmocka_unit_test(all_ports),
		cmocka_unit_test(queues_and_modes),
		cmocka_unit_test(powers_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
