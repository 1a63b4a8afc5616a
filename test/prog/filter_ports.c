/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What a filter for a port says to each of the 65,536 ports: in the kernel, and by itself. */
#include "filter_run.h"

#include "filter_packets.h"

/* Where the ports are in a packet without options. */
#define SOURCE 34
#define DESTINATION 36

static const char udp4[] = "020000000001" "020000000002" "0800" "45000030" "12340000" "40110000"
			   "0a000001" "0a000002" "c350c350" "001c0000" "0102030405060708";

struct form {
	const char *expression;
	uint32_t offset;	/* of the port that is set; the other is 50,000 */
	uint32_t first, last;	/* those that match; last < first: none */
};

static const struct form forms[] = {
	{ "port 53", SOURCE, 53, 53 },
	{ "port 53", DESTINATION, 53, 53 },
	{ "port 0", DESTINATION, 0, 0 },
	{ "port 65535", SOURCE, 65535, 65535 },
	{ "src port 53", SOURCE, 53, 53 },
	{ "src port 53", DESTINATION, 1, 0 },
	{ "dst port 32768", DESTINATION, 32768, 32768 },
	{ "dst port 32768", SOURCE, 1, 0 },
	{ "udp dst port 255", DESTINATION, 255, 255 },
	{ "udp src port 256", SOURCE, 256, 256 },
	{ "udp port 4789", DESTINATION, 4789, 4789 },
	{ "tcp port 4789", DESTINATION, 1, 0 },
	{ "portrange 255-257", DESTINATION, 255, 257 },
	{ "portrange 1000-2000", SOURCE, 1000, 2000 },
	{ "dst portrange 32767-32768", DESTINATION, 32767, 32768 },
	{ "src portrange 0-1023", SOURCE, 0, 1023 },
	{ "udp dst portrange 49152-65535", DESTINATION, 49152, 65535 },
	{ "udp[2:2] >= 40000 and udp[2:2] < 40001", DESTINATION, 40000, 40000 },
};

static void run_form(const struct form *form, struct packet *packet, uint32_t step)
{
	uint8_t *port = &packet->bytes[form->offset], old[2] = { port[0], port[1] };
	struct xsk_filter *filter;
	struct xsk_error error;
	int fd;

	if (xsk_filter_compile(&filter, form->expression, &error))
		fail_msg("%s: %s", form->expression, error.reason);
	fd = run_open(filter, NULL, false);
	for (uint32_t i = 0; i < 65536; i++) {
		bool wanted = i >= form->first && i <= form->last;

		if (i % step && i + 1 != form->first && i != form->first && i != form->last &&
		    i != form->last + 1)
			continue;
		port[0] = (uint8_t)(i >> 8);
		port[1] = (uint8_t)i;
		if (xsk_filter_match(filter, packet->bytes, packet->len) != wanted ||
		    run_takes(fd, packet->bytes, packet->len) != wanted)
			fail_msg("%s: %s port %u", form->expression,
				 form->offset == SOURCE ? "source" : "destination", i);
	}
	port[0] = old[0];
	port[1] = old[1];
	run_close(fd);
	xsk_filter_free(filter);
}

static void all_ports(void **state)
{
	struct pool pool = { 0 };

	(void)state;
	pool_add_hex(&pool, udp4);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		run_form(&forms[i], &pool.packets[0], run_is_slow() && i >= 1 ? 251 : 1);
	pool_free(&pool);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
		cmocka_unit_test(all_ports),
	};

	return cmocka_run_group_tests_name("filter_ports", list, run_setup, run_teardown);
}

int main(void)
{
	return run_main(tests);
}
