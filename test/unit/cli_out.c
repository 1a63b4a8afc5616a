/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What a command says, on which stream, in text and in JSON; numbers of a port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <xsk/xsk.h>

#include "hint.h"
#include "out.h"
#include "report.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The two streams, to files while a test says something. */
static char said[2][8192];
static int kept_fds[2];
static FILE *files[2];

static void begin(void)
{
	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 2; i++) {
		kept_fds[i] = dup(i + 1);
		files[i] = tmpfile();
		assert_non_null(files[i]);
		dup2(fileno(files[i]), i + 1);
	}
}

static void end(void)
{
	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 2; i++) {
		size_t len;

		dup2(kept_fds[i], i + 1);
		close(kept_fds[i]);
		rewind(files[i]);
		len = fread(said[i], 1, sizeof(said[i]) - 1, files[i]);
		said[i][len] = '\0';
		fclose(files[i]);
	}
}

#define OUT said[0]
#define ERR said[1]

static void errors(void **state)
{
	const struct xsk_error error = {
		.code = -95, .step = "mode", .reason = "zero-copy refused",
		.hint = "allow XSK_MODE_NATIVE or set XSK_PORT_LARGE_MTU",
	};
	const struct xsk_error bare = { .code = -1, .step = "open", .reason = "no" };
	struct out text = { 0 }, json = { .json = true };

	(void)state;
	begin();
	out_error(&text, "eth0", &error);
	end();
	assert_string_equal(OUT, "");
	assert_string_equal(ERR, "xsk: eth0: mode: zero-copy refused; allow --mode native or set "
			    "--large-mtu\n");
	begin();
	out_error(&text, NULL, &bare);
	out_fail(&text, "file", "it is %s; do %d", "broken", 5);
	out_note(&text, "so it is");
	end();
	assert_string_equal(ERR, "xsk: open: no\nxsk: file: it is broken; do 5\nxsk: so it is\n");
	begin();
	out_error(&json, "eth0", &error);
	out_error(&json, NULL, &bare);
	out_fail(&json, NULL, "it is broken");
	end();
	assert_string_equal(OUT, "{\"type\":\"error\",\"interface\":\"eth0\",\"step\":\"mode\","
			    "\"code\":-95,\"reason\":\"zero-copy refused\",\"hint\":\"allow "
			    "--mode native or set --large-mtu\"}\n"
			    "{\"type\":\"error\",\"step\":\"open\",\"code\":-1,\"reason\":\"no\","
			    "\"hint\":\"\"}\n"
			    "{\"type\":\"error\",\"reason\":\"it is broken\"}\n");
}

/* Each word, wherever it stands, and however long it all gets. */
static void hints(void **state)
{
	static const struct {
		const char *hint, *expected;
	} hints_said[] = {
		{ "XSK_PORT_MULTI_BUFFER", "--multi-buffer" },
		{ "XSK_PORT_REPLACE, XSK_PORT_HUGE.", "--replace, --huge." },
		{ "XSK_WAIT_BUSY_POLL or XSK_WAIT_SLEEP", "--wait busy-poll or --wait sleep" },
		{ "XSK_MODE_ZEROCOPY|XSK_MODE_GENERIC", "--mode zero-copy|--mode generic" },
		{ "XSK_DIRECTION_RX", "receiving" }, { "XSK_DIRECTION_TX", "sending" },
		{ "take XSK_WAIT_SLEEP, XSK_WAIT_SPIN, XSK_WAIT_BUSY_POLL or XSK_WAIT_ADAPTIVE",
		  "take --wait sleep, --wait spin, --wait busy-poll or --wait adaptive" },
		{ "set opts.frames to 64 or more", "set --frames to 64 or more" },
		{ "take CONFIG_XDP_SOCKETS", "take CONFIG_XDP_SOCKETS" },
	};
	struct out out = { 0 };
	struct xsk_error error = { .step = "s", .reason = "r" };
	char expected[400];

	(void)state;
	for (size_t i = 0; i < COUNT(hints_said); i++) {
		strcpy(error.hint, hints_said[i].hint);
		begin();
		out_error(&out, NULL, &error);
		end();
		snprintf(expected, sizeof(expected), "xsk: s: r; %s\n", hints_said[i].expected);
		assert_string_equal(ERR, expected);
	}
	error.hint[0] = '\0';
	while (strlen(error.hint) + 17 < sizeof(error.hint))
		strcat(error.hint, "XSK_WAIT_SLEEP, ");
	begin();
	out_error(&out, NULL, &error);
	end();
	assert_ptr_equal(strstr(ERR, "xsk: s: r; --wait sleep, --wait sleep"), ERR);
}

/* What a program would have to do is not said; nor options, by a command without them. */
static void hints_that_can_be_followed(void **state)
{
	static const struct {
		const char *hint, *with, *without;
	} cases[] = {
		{ "run as root; or do it elsewhere, and open with XSK_PORT_MAP_FD", "run as root",
		  "run as root" },
		{ "install libpcap, or give classic BPF: xsk_filter_from_cbpf()", "install libpcap",
		  "install libpcap" },
		{ "use the names of <xsk/port.h>, or wait", "wait", "wait" },
		{ "allow another one (opts.modes), or detach it (ip link, or so, off), or mend it",
		  "allow another one (--mode), or detach it (ip link, or so, off), or mend it",
		  "detach it (ip link, or so, off), or mend it" },
		{ "set XSK_PORT_MULTI_BUFFER, or a smaller MTU; XSK_PORT_LARGE_MTU drops it",
		  "set --multi-buffer, or a smaller MTU; --large-mtu drops it", "a smaller MTU" },
		{ "set XSK_PORT_NO_COUNTERS, or close it", "close it", "close it" },
		{ "allow another one (opts.modes)", "allow another one (--mode)", "" },
		{ "wait for sending (XSK_DIRECTION_TX)", "wait for sending (sending)",
		  "wait for sending (sending)" },
		{ "modprobe xsk_diag", "modprobe xsk_diag", "modprobe xsk_diag" },
		{ "opts.share", "", "" }, { "", "", "" },
	};
	char text[HINT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_ptr_equal(hint_say(text, cases[i].hint, true), text);
		assert_string_equal(text, cases[i].with);
		assert_string_equal(hint_say(text, cases[i].hint, false), cases[i].without);
	}
}

/* Where a program would do something else than a person. */
static void hints_of_the_command(void **state)
{
	static const struct {
		struct xsk_error error;
		const char *with, *without;
	} cases[] = {
		{ { -EPERM, "XSKMAP", "no CAP_BPF", "run as root; or open with XSK_PORT_MAP_FD" },
		  "run as root, or setcap cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon+ep ",
		  NULL },
		{ { -EPERM, "XDP program", "no CAP_SYS_ADMIN", "run as root" }, "run as root, or "
		  "setcap cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon,cap_sys_admin+ep ", NULL },
		{ { -EPERM, "busy polling", "no CAP_NET_ADMIN", "run as root, or XSK_WAIT_SPIN" },
		  "run as root, or --wait spin", "run as root" },
		{ { -EPERM, "load", "the kernel refuses it", "look for a security module" },
		  "look for a security module", NULL },
		{ { -ENOBUFS, "umem", "too much", "raise it" }, "run as root, or raise it (ulimit "
		  "-l), or setcap cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon,cap_ipc_lock+ep ",
		  NULL },
		{ { -EBUSY, "bind", "in use", "close that socket, or take another queue" },
		  "end that process, or take other queues (--queues)", "end that process" },
		{ { -EBUSY, "XDP program", "other", "open it with filter, keep and "
		    "XSK_PORT_NO_COUNTERS as the ports have them, or close those" },
		  "end the other command (xsk stats IFACE shows it), or give both the same FILTER "
		  "and --keep; or set --replace",
		  "end the other command (xsk stats IFACE shows it)" },
	};
	char text[HINT_SIZE], program[HINT_SIZE], expected[2 * HINT_SIZE];

	(void)state;
	assert_ptr_equal(hint_program(program), program);
	assert_non_null(strstr(program, "unit-cli_out"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool named = strstr(cases[i].with, "setcap");

		snprintf(expected, sizeof(expected), "%s%s", cases[i].with, named ? program : "");
		assert_string_equal(hint_of(text, &cases[i].error, true), expected);
		if (cases[i].without)
			strcpy(expected, cases[i].without);
		assert_string_equal(hint_of(text, &cases[i].error, false), expected);
	}
}

/* What was to be said and is missing is a failure. */
static void lost_json(void **state)
{
	struct out out = { .json = true };

	(void)state;
	begin();
	out_json(&out, json_pack("{ss}", "good", "yes"));
	assert_true(out_close(&out));
	out_json(&out, json_pack("{ss}", "bad", "\xff"));
	out_json(&out, json_pack("{ss}", "good", "yes"));
	assert_false(out_close(&out));
	end();
	assert_string_equal(OUT, "{\"good\":\"yes\"}\n{\"good\":\"yes\"}\n");
	assert_string_equal(ERR, "xsk: an object of JSON could not be made, and is missing: no "
			    "memory, or a text that is not UTF-8\n");
}

static void cleaned(void **state)
{
	static const struct {
		const char *dirty, *clean;
	} texts[] = {
		{ "plain", "plain" }, { "", "" }, { "a\033[2Jb", "a?[2Jb" }, { "a\nb\tc", "a?b?c" },
		{ "\x7f", "?" }, { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xc2\x9b" "31m", "??31m" }, { "\xff", "?" }, { "\xc3", "?" },
		{ "\xc3\xbc\xff", "???" }, { "\xed\xa0\x80", "???" }, { "\xc0\x80", "??" },
	};
	struct out json = { .json = true };
	char text[40];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		strcpy(text, texts[i].dirty);
		assert_ptr_equal(out_clean(text), text);
		assert_string_equal(text, texts[i].clean);
	}
	/* No object is lost for what cannot be in one. */
	begin();
	out_fail(&json, "eth\xff\n", "\xff");
	end();
	assert_string_equal(OUT, "{\"type\":\"error\",\"subject\":\"eth??\",\"reason\":\"?\"}\n");
	assert_string_equal(ERR, "xsk: eth??: ?\n");
}

static void progress(void **state)
{
	struct out plain = { 0 }, over = { .rewrites = true }, json = { .json = true };

	(void)state;
	begin();
	out_progress(&plain, "%d", 1);
	out_progress(&plain, "%d", 2);
	out_progress(&json, "%d", 3);
	end();
	assert_string_equal(ERR, "1\n2\n");
	begin();
	out_progress(&over, "one");
	out_progress(&over, "two");
	out_line(&over);
	out_line(&over);
	out_note(&over, "three");
	out_progress(&over, "four");
	out_note(&over, "five");
	end();
	assert_string_equal(ERR, "\rone\033[K\rtwo\033[K\nxsk: three\n\rfour\033[K\nxsk: five\n");
	assert_string_equal(OUT, "");
	/* No wider than it can be written over. */
	begin();
	out_progress(&over, "%0200d", 7);
	end();
	assert_int_equal(strlen(ERR), 1 + 79 + 3);
}

static void colours(void **state)
{
	struct out plain = { 0 }, coloured = { .colour = true };

	(void)state;
	assert_string_equal(out_start(&plain, OUT_RED), "");
	assert_string_equal(out_end(&plain), "");
	assert_string_equal(out_start(&coloured, OUT_RED), "\033[31m");
	assert_string_equal(out_end(&coloured), "\033[0m");
}

static void reals(void **state)
{
	struct out json = { .json = true };

	(void)state;
	begin();
	out_json(&json, json_pack("{sf sf}", "a", 0.1, "b", 1700000000.25));
	end();
	assert_string_equal(OUT, "{\"a\":0.1,\"b\":1700000000.25}\n");
}

/* ---- numbers of a port ---- */

/* Each 8 bytes of it another number. */
static void fill_stats(struct xsk_port_stats *stats)
{
	*stats = (struct xsk_port_stats){ .sz = sizeof(*stats) };
	for (size_t at = sizeof(stats->sz); at < sizeof(*stats); at += sizeof(uint64_t))
		*(uint64_t *)((char *)stats + at) = 1000 + at;
}

/* All fields are there, and come back. */
static void stats_as_json(void **state)
{
	struct xsk_port_stats stats, back;
	json_t *object;

	(void)state;
	fill_stats(&stats);
	object = report_stats(&stats);
	assert_int_equal(json_object_size(object),
			 (sizeof(stats) - sizeof(stats.sz)) / sizeof(uint64_t));
	assert_int_equal(json_integer_value(json_object_get(object, "frames")), stats.frames);
	assert_int_equal(json_integer_value(json_object_get(object, "rx_ring_full")),
			 stats.rx_ring_full);
	report_read_stats(&back, object);
	assert_memory_equal(&back, &stats, sizeof(stats));
	json_object_set_new(object, "frames", json_string("many"));
	json_object_del(object, "in_pool");
	report_read_stats(&back, object);
	assert_int_equal(back.frames, 0);
	assert_int_equal(back.in_pool, 0);
	assert_int_equal(back.in_fill, stats.in_fill);
	json_decref(object);
	report_read_stats(&back, NULL);
	assert_int_equal(back.rx_packets, 0);
}

static void info_as_json(void **state)
{
	const struct xsk_port_info info = {
		.name = "eth\xff", .driver = "veth", .mode = XSK_MODE_NATIVE, .mode_text = "native",
		.direction = XSK_DIRECTION_RX, .flags = XSK_PORT_MULTI_BUFFER, .queues = 4,
		.wait = 7, .up = 1, .ifindex = 12,
	};
	json_t *object = report_info(&info);
	char *text = json_dumps(object, JSON_COMPACT);

	(void)state;
	assert_non_null(strstr(text, "\"interface\":\"eth?\",\"driver\":\"veth\","
			       "\"mode\":\"native\""));
	assert_non_null(strstr(text, "\"wait\":\"unknown\""));
	assert_non_null(strstr(text, "\"receives\":true,\"sends\":false,\"multi_buffer\":true,"
			       "\"huge_pages\":false,\"up\":true,\"gone\":false"));
	assert_non_null(strstr(text, "\"queues\":4,"));
	assert_non_null(strstr(text, "\"ifindex\":12"));
	free(text);
	json_decref(object);
}

static void rates(void **state)
{
	char text[64];

	(void)state;
	assert_string_equal(report_say_rate(text, sizeof(text),
					    &(struct report_rate){ 2, 3000, 250000 }),
			    "1.50kpps, 1.00Mbit/s");
	/* No time has gone by. */
	assert_string_equal(report_say_rate(text, sizeof(text), &(struct report_rate){ 0, 5, 1 }),
			    "5pps, 8bit/s");
	assert_string_equal(report_say_rate(text, 5, &(struct report_rate){ 1, 5, 1 }), "5pps");
}

static void losses(void **state)
{
	struct xsk_port_stats stats = { .rx_dropped = 7, .rx_fill_empty = 5, .tx_ring_empty = 9 };
	struct out out = { 0 }, coloured = { .colour = true };

	(void)state;
	begin();
	report_losses(&out, &stats);
	end();
	/* Two of the seven were not counted twice. */
	assert_ptr_equal(strstr(OUT, "5 lost: they found FILL empty;"), OUT);
	assert_non_null(strstr(OUT, "\n2 dropped: larger than a frame (--multi-buffer), or than "
			       "the frames that were free (--frames)\n"));
	stats = (struct xsk_port_stats){ .rx_ring_full = 1, .rx_fill_empty = 3 };
	begin();
	report_losses(&coloured, &stats);
	end();
	assert_ptr_equal(strstr(OUT, "\033[33m1 lost: the RX ring was full"), OUT);
	assert_null(strstr(OUT, "dropped"));
	begin();
	report_losses(&out, &(struct xsk_port_stats){ .tx_ring_empty = 9, .kick_again = 4 });
	end();
	assert_string_equal(OUT, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors),
		cmocka_unit_test(hints),
		cmocka_unit_test(hints_that_can_be_followed),
		cmocka_unit_test(hints_of_the_command),
		cmocka_unit_test(lost_json),
		cmocka_unit_test(cleaned),
		cmocka_unit_test(progress),
		cmocka_unit_test(colours),
		cmocka_unit_test(reals),
		cmocka_unit_test(stats_as_json),
		cmocka_unit_test(info_as_json),
		cmocka_unit_test(rates),
		cmocka_unit_test(losses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
