/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What is left to the kernel (opts.keep): the program's counters beside a reader of packets
 * that goes by the standards: RFC 791, 8200, 4302 (AH), 4443 (ICMPv6), 4861 (ND).
 */
#include "filter_run.h"

#include <stdlib.h>
#include <string.h>

#include "filter_packets.h"

/* As deep as the library looks. */
#define TAGS 2
#define EXTENSIONS 8

enum { HOPOPTS = 0, ICMP = 1, TCP = 6, UDP = 17, ROUTING = 43, FRAGMENT = 44, AH = 51,
       ICMP6 = 58, DSTOPTS = 60 };

/* ---- the reader ---- */

struct reader {
	const struct xsk_keep *keep;
	const struct packet *packet;
	uint32_t at;
	bool cut;		/* it read what is not there */
};

static uint32_t get8(struct reader *reader, uint32_t offset)
{
	if (reader->at + offset < reader->packet->len)
		return reader->packet->bytes[reader->at + offset];
	reader->cut = true;
	return 0;
}

static uint32_t get16(struct reader *reader, uint32_t offset)
{
	return get8(reader, offset) << 8 | get8(reader, offset + 1);
}

static bool has_port(const uint16_t *ports, uint32_t port)
{
	for (int i = 0; i < XSK_KEEP_MAX_PORTS; i++)
		if (ports[i] && ports[i] == port)
			return true;
	return false;
}

static bool is_kept_transport(struct reader *reader, uint32_t proto, bool v6)
{
	const struct xsk_keep *keep = reader->keep;
	uint32_t port;

	if (proto != TCP && proto != UDP)
		return false;
	port = get16(reader, 2);
	if (reader->cut)
		return false;
	if (proto == TCP)
		return (keep->ssh && port == 22) || has_port(keep->tcp, port);
	if (keep->dhcp && (v6 ? port == 546 || port == 547 : port == 67 || port == 68))
		return true;
	return has_port(keep->udp, port);
}

static bool is_kept_ipv4(struct reader *reader)
{
	uint32_t proto = get8(reader, 9), header, fragment;

	if (reader->cut)
		return false;
	if (proto == ICMP && reader->keep->icmp)
		return true;
	fragment = get16(reader, 6) & 0x1fff;
	header = 4 * (get8(reader, 0) & 15);
	if (fragment)
		return false;
	reader->at += header;
	return is_kept_transport(reader, proto, false);
}

/* Over one, if it is one; *next is what comes behind it. */
static bool skip_extension(struct reader *reader, uint32_t *next, bool *later)
{
	uint32_t this = *next;

	switch (this) {
	case HOPOPTS:
	case ROUTING:
	case DSTOPTS:
		*next = get8(reader, 0);
		reader->at += 8 + 8 * get8(reader, 1);
		return true;
	case AH:
		*next = get8(reader, 0);
		reader->at += 8 + 4 * get8(reader, 1);
		return true;
	case FRAGMENT:
		*next = get8(reader, 0);
		if (reader->cut)
			return true;
		if (*next != ICMP6 || !reader->keep->icmp)
			*later = get16(reader, 2) & 0xfff8;
		reader->at += 8;
		return true;
	}
	return false;
}

static bool is_kept_ipv6(struct reader *reader)
{
	uint32_t next = get8(reader, 6), type;
	bool later = false;

	reader->at += 40;
	for (int i = 0; i < EXTENSIONS && !reader->cut && !later; i++)
		if (!skip_extension(reader, &next, &later))
			break;
	if (reader->cut || later)
		return false;
	if (next != ICMP6)
		return is_kept_transport(reader, next, true);
	if (reader->keep->icmp)
		return true;
	type = get8(reader, 0);
	return reader->keep->arp && !reader->cut && type >= 133 && type <= 137;
}

static bool is_kept(const struct xsk_keep *keep, const struct packet *packet)
{
	struct reader reader = { .keep = keep, .packet = packet, .at = 12 };
	uint32_t type = get16(&reader, 0);

	for (int i = 0; i < TAGS && (type == 0x8100 || type == 0x88a8) && !reader.cut; i++) {
		reader.at += 4;
		type = get16(&reader, 0);
	}
	reader.at += 2;
	if (reader.cut)
		return false;
	switch (type) {
	case 0x0806:
		return keep->arp;
	case 0x0800:
		return is_kept_ipv4(&reader);
	case 0x86dd:
		return is_kept_ipv6(&reader);
	}
	return false;
}

/* ---- what is compared ---- */

static struct pool pool;

static int open_pool(void **state)
{
	packets_all(&pool);
	return run_setup(state);
}

static int close_pool(void **state)
{
	pool_free(&pool);
	return run_teardown(state);
}

static int counter_for(const struct xsk_keep *keep, const struct xsk_filter *filter,
		       const struct packet *packet)
{
	if (is_kept(keep, packet))
		return XSK_COUNT_KEPT;
	if (filter && !xsk_filter_match(filter, packet->bytes, packet->len))
		return XSK_COUNT_PASSED;
	return XSK_COUNT_MATCHED;
}

static void fail_on(const struct packet *packet, const char *name)
{
	print_message("# %u bytes:", packet->len);
	for (uint32_t i = 0; i < packet->len; i++)
		print_message("%s%02x", i % 32 ? "" : "\n# ", packet->bytes[i]);
	print_message("\n");
	fail_msg("%s", name);
}

/* Each packet is counted once, where it belongs, and taken or not. */
static void run_keep(const char *name, const struct xsk_keep *keep, const char *expression)
{
	struct xsk_filter *filter = NULL;
	size_t kept = 0, stride = run_stride();
	uint64_t counters[XSK_COUNTERS];
	struct xsk_error error;
	int counting, plain;

	if (expression && xsk_filter_compile(&filter, expression, &error))
		fail_msg("%s: %s", expression, error.reason);
	counting = run_open(filter, keep, true);
	plain = run_open(filter, keep, false);
	run_counted(counters);
	for (size_t i = 0; i < pool.count; i += i < 1000 ? 1 : stride) {
		const struct packet *packet = &pool.packets[i];
		int wanted = counter_for(keep, filter, packet);
		bool takes;

		if (packet->len < RUN_MIN_PACKET)
			continue;
		takes = run_takes(counting, packet->bytes, packet->len);
		run_counted(counters);
		if (counters[wanted] != 1 || counters[0] + counters[1] + counters[2] != 1 ||
		    takes != (wanted == XSK_COUNT_MATCHED) ||
		    run_takes(plain, packet->bytes, packet->len) != takes)
			fail_on(packet, name);
		kept += wanted == XSK_COUNT_KEPT;
	}
	/* That none is kept would be no test of it. */
	if (!kept && !xsk_keep_is_empty(keep))
		fail_msg("%s: no packet is kept", name);
	run_close(counting);
	run_close(plain);
	xsk_filter_free(filter);
}

/* ---- tests ---- */

static void each_alone(void **state)
{
	(void)state;
	run_keep("none", &(struct xsk_keep){ 0 }, "udp");
	run_keep("arp", &(struct xsk_keep){ .arp = true }, NULL);
	run_keep("dhcp", &(struct xsk_keep){ .dhcp = true }, NULL);
	run_keep("icmp", &(struct xsk_keep){ .icmp = true }, NULL);
	run_keep("ssh", &(struct xsk_keep){ .ssh = true }, NULL);
	run_keep("tcp", &(struct xsk_keep){ .tcp = { 80 } }, NULL);
	run_keep("udp", &(struct xsk_keep){ .udp = { 53 } }, NULL);
}

static void lists_of_ports(void **state)
{
	struct xsk_keep keep = { .tcp = { 1, 22, 443, 65535 }, .udp = { 0, 53, 5353, 0, 50000 } };

	(void)state;
	run_keep("lists", &keep, NULL);
	for (int i = 0; i < XSK_KEEP_MAX_PORTS; i++) {
		keep.tcp[i] = (uint16_t)(i == XSK_KEEP_MAX_PORTS - 1 ? 22 : 1000 + i);
		keep.udp[i] = (uint16_t)(i == XSK_KEEP_MAX_PORTS - 1 ? 53 : 2000 + i);
	}
	run_keep("full lists", &keep, NULL);
}

static void with_filters(void **state)
{
	const struct xsk_keep management = { .arp = true, .dhcp = true, .icmp = true,
					     .ssh = true };
	struct xsk_keep all = management;

	(void)state;
	run_keep("management", &management, NULL);
	run_keep("management, udp", &management, "udp");
	run_keep("management, tcp port 22", &management, "tcp port 22");
	run_keep("management, arithmetic", &management, "ether[ip[9]] = 2 or ip[8] * ip[9] > 99");
	run_keep("arp, len", &(struct xsk_keep){ .arp = true }, "len > 60");
	for (int i = 0; i < XSK_KEEP_MAX_PORTS; i++) {
		all.tcp[i] = (uint16_t)(443 + i);
		all.udp[i] = (uint16_t)(53 + i);
	}
	run_keep("all", &all, "ip6 protochain 17 or vlan");
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
		cmocka_unit_test(each_alone),
		cmocka_unit_test(lists_of_ports),
		cmocka_unit_test(with_filters),
	};

	return cmocka_run_group_tests_name("filter_keep", list, open_pool, close_pool);
}

int main(void)
{
	return run_main(tests);
}
