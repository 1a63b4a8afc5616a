/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What xsk stats makes of what it is told: by commands, whose answers are played here, as are
 * those that are none, and by the kernel.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <xsk/probe.h>
#include <xsk/xsk.h>

#include "out.h"
#include "publish.h"
#include "report.h"
#include "snapshot.h"

#define MANY 100

/* ---- who is asked ---- */

static const char *answers;		/* what publish_ask() gives, as text */
static uint64_t others;			/* that it did not ask */
static struct xsk_probe_socket played[MANY];
static int sockets;			/* how many, or -errno */

json_t *publish_ask(int ifindex, uint64_t *not_asked)
{
	json_t *array = json_loads(answers, 0, NULL);

	assert_int_equal(ifindex, 7);
	assert_non_null(array);
	*not_asked = others;
	return array;
}

int xsk_probe_interface(struct xsk_probe_interface *info, const char *ifname,
			struct xsk_error *error)
{
	if (strcmp(ifname, "eth0")) {
		*error = (struct xsk_error){ .code = -ENODEV, .step = "interface" };
		return -ENODEV;
	}
	info->ifindex = 7;
	strcpy(info->name, "eth\x01");
	return 0;
}

int xsk_probe_sockets(const char *ifname, struct xsk_probe_socket *all, int capacity,
		      struct xsk_error *error)
{
	assert_string_equal(ifname, "eth0");
	assert_int_equal(all[0].sz, sizeof(all[0]));
	(void)error;
	for (int i = 0; i < sockets && i < capacity; i++)
		all[i] = played[i];
	return sockets;
}

static json_t *take(const char *what, const json_t *before)
{
	struct xsk_error error;
	json_t *snapshot;

	answers = what;
	snapshot = snapshot_take("eth0", before, 1.5, &error);
	assert_non_null(snapshot);
	return snapshot;
}

static char *say(const json_t *snapshot)
{
	const struct out out = { 0 };
	char *text = snapshot_text(snapshot, &out);

	assert_non_null(text);
	return text;
}

static const json_t *port_of(const json_t *snapshot, size_t i)
{
	return json_array_get(json_object_get(snapshot, "ports"), i);
}

/* ---- ports ---- */

#define INFO "\"info\":{\"mode\":\"native\",\"receives\":true,\"sends\":true,\"up\":true," \
	     "\"first_queue\":0,\"queues\":2,\"rx_size\":64,\"tx_size\":64,\"fill_size\":64," \
	     "\"comp_size\":64}"
#define PORT(pid, seconds, packets, bytes) \
	"{\"pid\":" #pid ",\"uid\":0,\"port\":{\"command\":\"recv\",\"pid\":9,\"more\":1," \
	"\"seconds\":" #seconds "," INFO ",\"stats\":{\"rx_packets\":" #packets \
	",\"rx_bytes\":" #bytes ",\"rx_ring_full\":3}}}"

static double rate(const json_t *port, const char *name)
{
	return json_real_value(json_object_get(json_object_get(port, "rates"), name));
}

static void rates_between(void **state)
{
	json_t *first, *second, *third;

	(void)state;
	sockets = 0;
	first = take("[" PORT(5, 1.0, 100, 1000) "]", NULL);
	assert_null(json_object_get(port_of(first, 0), "rates"));
	second = take("[" PORT(5, 3.0, 300, 5000) "," PORT(6, 3.0, 7, 7) "]", first);
	assert_float_equal(rate(port_of(second, 0), "seconds"), 2, 1e-9);
	assert_float_equal(rate(port_of(second, 0), "rx_pps"), 100, 1e-9);
	assert_float_equal(rate(port_of(second, 0), "rx_bps"), 16000, 1e-9);
	assert_float_equal(rate(port_of(second, 0), "tx_pps"), 0, 1e-9);
	assert_null(json_object_get(port_of(second, 1), "rates"));
	/* The kernel's word for the pid counts, and nothing more is believed to be of it. */
	assert_int_equal(json_integer_value(json_object_get(port_of(second, 0), "pid")), 5);
	assert_null(json_object_get(port_of(second, 0), "more"));
	/* Another command with the pid: a clock, or a counter, that went back. */
	third = take("[" PORT(5, 0.5, 300, 5000) "," PORT(6, 4.0, 6, 9) "]", second);
	assert_null(json_object_get(port_of(third, 0), "rates"));
	assert_null(json_object_get(port_of(third, 1), "rates"));
	json_decref(first);
	json_decref(second);
	json_decref(third);
}

static void text_of_a_port(void **state)
{
	json_t *first, *second;
	char *text;

	(void)state;
	sockets = 0;
	first = take("[" PORT(5, 1.0, 100, 1000) "]", NULL);
	second = take("[" PORT(5, 3.0, 300, 5000) "]", first);
	text = say(second);
	assert_ptr_equal(strstr(text, "eth?, 1.5 s\nxsk recv (pid 5), 3 s: queues 0 to 1, native\n"
				"  received   100pps, 16.0kbit/s; 300 packets, 5000 bytes\n"
				"  sent       0pps, 0bit/s; 0 packets, 0 bytes\n"), text);
	assert_non_null(strstr(text, "  rings      FILL 0 of 128, RX 0 of 128, TX 0 of 128, "
			       "COMPLETION 0 of 128\n  3 lost: the RX ring was full"));
	assert_non_null(strstr(text, "\nNo socket of others\n"));
	free(text);
	json_decref(first);
	json_decref(second);
}

static void nothing_there(void **state)
{
	json_t *snapshot;
	char *text;

	(void)state;
	sockets = 0;
	snapshot = take("[]", NULL);
	text = say(snapshot);
	assert_string_equal(text, "eth?, 1.5 s\nNo port of xsk\nNo socket of others\n");
	free(text);
	json_decref(snapshot);
	sockets = -EOPNOTSUPP;
	snapshot = take("[]", NULL);
	assert_null(json_object_get(snapshot, "sockets"));
	assert_true(json_is_false(json_object_get(snapshot, "sockets_told")));
	text = say(snapshot);
	assert_non_null(strstr(text, "No port of xsk\nThe kernel does not tell"));
	free(text);
	json_decref(snapshot);
}

static void no_such_interface(void **state)
{
	struct xsk_error error = { 0 };

	(void)state;
	assert_null(snapshot_take("eth1", NULL, 0, &error));
	assert_int_equal(error.code, -ENODEV);
}

/* Types that they should not have, and bytes that would do something to a terminal. */
static void garbage(void **state)
{
	static const char *const ports[] = {
		"{}", "{\"pid\":5,\"uid\":0}",
		"{\"pid\":5,\"uid\":0,\"port\":{\"command\":\"\\u001b[2J\\n\",\"info\":{},"
		"\"stats\":{}}}",
		"{\"pid\":5,\"uid\":0,\"port\":{\"command\":\"x\",\"seconds\":\"soon\",\"info\":"
		"{\"mode\":5,\"queues\":\"all\",\"receives\":true,\"sends\":1},\"stats\":"
		"{\"rx_packets\":-5,\"rx_bytes\":1e99,\"in_caller\":[]},\"queues\":7}}",
		"{\"pid\":5,\"uid\":0,\"port\":{\"command\":\"x\",\"seconds\":1e308,\"info\":"
		"{\"receives\":true,\"sends\":true,\"queues\":9223372036854775807,"
		"\"first_queue\":-9223372036854775808,\"rx_size\":512},\"stats\":{}}}",
	};
	json_t *snapshot, *before = NULL;
	char all[400];

	(void)state;
	sockets = 1;
	memset(&played[0], 0, sizeof(played[0]));
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		char *text;

		snprintf(all, sizeof(all), "[%s]", ports[i]);
		snapshot = take(all, before);
		text = say(snapshot);
		for (const char *at = text; *at; at++)
			assert_true((unsigned char)*at >= ' ' || *at == '\n');
		free(text);
		json_decref(before);
		before = snapshot;
	}
	json_decref(before);
}

static void who_does_not_answer(void **state)
{
	json_t *snapshot;
	char *text;

	(void)state;
	sockets = 0;
	snapshot = take("[{\"pid\":5,\"uid\":0}]", NULL);
	assert_true(json_is_false(json_object_get(port_of(snapshot, 0), "answers")));
	text = say(snapshot);
	assert_non_null(strstr(text, geteuid() ? "xsk (pid 5): of another user" :
			       "xsk (pid 5): it does not answer"));
	free(text);
	json_decref(snapshot);
}

/* ---- sockets ---- */

static struct xsk_probe_socket socket_of(uint32_t queue, int pid)
{
	return (struct xsk_probe_socket){
		.sz = sizeof(struct xsk_probe_socket), .queue = queue, .told = XSK_PROBE_YES,
		.zerocopy = XSK_PROBE_YES, .stats_told = XSK_PROBE_YES, .rx_size = 1024,
		.fill_size = 2048, .comp_size = 512, .umem_size = 8192, .frame_size = 4096,
		.rx_dropped = 11, .rx_ring_full = 22, .processes = 1,
		.process = { { pid, "suri\033cata" } },
	};
}

static void sockets_of_others(void **state)
{
	json_t *snapshot, *array;
	char *text;

	(void)state;
	sockets = 3;
	played[0] = socket_of(0, 5);
	played[1] = socket_of(3, 77);
	played[2] = socket_of(4, 78);
	played[2].stats_told = XSK_PROBE_NOT_TOLD;
	played[2].processes = 0;
	played[2].uid = 1000;
	played[2].tx_size = 256;
	snapshot = take("[" PORT(5, 1.0, 0, 0) "]", NULL);
	array = json_object_get(snapshot, "sockets");
	assert_int_equal(json_array_size(array), 3);
	assert_true(json_is_true(json_object_get(json_array_get(array, 0), "xsk")));
	assert_true(json_is_false(json_object_get(json_array_get(array, 1), "xsk")));
	assert_null(json_object_get(json_array_get(array, 2), "stats"));
	text = say(snapshot);
	assert_null(strstr(text, "queue 0:"));
	assert_non_null(strstr(text, "\nqueue 3: suri?cata (pid 77), zero-copy\n"
			       "  rings      FILL 2048, RX 1024, COMPLETION 512\n"
			       "  memory     8192 bytes, frames of 4096\n"
			       "  lost       11 dropped, 22 RX ring full, 0 FILL empty, "));
	assert_non_null(strstr(text, "\nqueue 4: uid 1000, whose processes are not told, "
			       "zero-copy\n  rings      FILL 2048, RX 1024, TX 256, COMPLETION "
			       "512\n"));
	assert_null(strstr(text, "No socket of others"));
	free(text);
	json_decref(snapshot);
}

/* Where the kernel tells only that there is one: those of a port's queues are the port's. */
static void untold_sockets(void **state)
{
	json_t *snapshot;
	char *text;

	(void)state;
	sockets = 3;
	for (uint32_t i = 0; i < 3; i++)
		played[i] = (struct xsk_probe_socket){ .queue = i };
	snapshot = take("[" PORT(5, 1.0, 0, 0) "]", NULL);
	text = say(snapshot);
	assert_null(strstr(text, "queue 0:"));
	assert_null(strstr(text, "queue 1:"));
	assert_non_null(strstr(text, "\nqueue 2: a socket of which the kernel tells no more\n"));
	free(text);
	json_decref(snapshot);
}

static void many_sockets(void **state)
{
	json_t *snapshot, *last;

	(void)state;
	sockets = MANY;
	for (uint32_t i = 0; i < MANY; i++)
		played[i] = socket_of(i, 77);
	snapshot = take("[]", NULL);
	assert_int_equal(json_array_size(json_object_get(snapshot, "sockets")), MANY);
	last = json_array_get(json_object_get(snapshot, "sockets"), MANY - 1);
	assert_int_equal(json_integer_value(json_object_get(last, "queue")), MANY - 1);
	json_decref(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_between),
		cmocka_unit_test(text_of_a_port),
		cmocka_unit_test(nothing_there),
		cmocka_unit_test(no_such_interface),
		cmocka_unit_test(garbage),
		cmocka_unit_test(who_does_not_answer),
		cmocka_unit_test(sockets_of_others),
		cmocka_unit_test(untold_sockets),
		cmocka_unit_test(many_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
