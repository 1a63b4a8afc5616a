/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * <xsk/filter.h> as its header promises it, with libpcap, and where that cannot be loaded:
 * the linker wraps what does.
 */
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/filter.h>
#include <xsk/filter.h>

#include "reference.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNTOUCHED ((struct xsk_filter *)0x5a5a)

/* ---- names of hosts ---- */

/* libpcap comes here: no host is looked up elsewhere, and no packet leaves the machine. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
		struct addrinfo **list)
{
	struct addrinfo numeric = hints ? *hints : (struct addrinfo){ 0 };
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	numeric.ai_flags |= AI_NUMERICHOST;
	return real(name, service, &numeric, list);
}

/* ---- the dynamic linker ---- */

static struct {
	bool no_library;
	const char *no_function;
	const char *only_name;		/* the library has that name alone */
	int loads, unloads;
} linker;

void *__real_dlopen(const char *name, int flags);
void *__real_dlsym(void *library, const char *name);
int __real_dlclose(void *library);
void *__wrap_dlopen(const char *name, int flags);
void *__wrap_dlsym(void *library, const char *name);
int __wrap_dlclose(void *library);

void *__wrap_dlopen(const char *name, int flags)
{
	bool found = !linker.no_library && (!linker.only_name || !strcmp(linker.only_name, name));
	void *library;

	assert_int_equal(flags & RTLD_GLOBAL, 0);
	library = __real_dlopen(found ? "libpcap.so.0.8" : "libnothing.so.9", flags);
	assert_int_equal(library != NULL, found);
	linker.loads += found;
	return library;
}

void *__wrap_dlsym(void *library, const char *name)
{
	bool found = !linker.no_function || strcmp(linker.no_function, name);

	return __real_dlsym(library, found ? name : "pcap_nothing");
}

int __wrap_dlclose(void *library)
{
	linker.unloads++;
	return __real_dlclose(library);
}

static int reset(void **state)
{
	(void)state;
	memset(&linker, 0, sizeof(linker));
	return 0;
}

/* What was loaded for a call has gone with it. */
static int unloaded(void **state)
{
	(void)state;
	return linker.loads == linker.unloads ? 0 : -1;
}

/* ---- failing ---- */

/* Everything that a failure does: and once more without a place for the reason. */
static void assert_failed(int err, int expected, const struct xsk_filter *filter,
			  const struct xsk_error *error)
{
	struct xsk_error last;

	assert_int_equal(err, expected);
	assert_ptr_equal(filter, UNTOUCHED);
	assert_int_equal(error->code, expected);
	assert_true(error->step[0]);
	assert_true(error->reason[0]);
	xsk_error_last(&last);
	assert_int_equal(last.code, error->code);
	assert_string_equal(last.step, error->step);
	assert_string_equal(last.reason, error->reason);
	assert_string_equal(last.hint, error->hint);
}

static void forget(void)
{
	struct xsk_filter *filter;

	assert_int_equal(xsk_filter_from_cbpf(&filter, NULL, 0, NULL), -EINVAL);
}

static void fail_compile(const char *expression, int expected, struct xsk_error *error)
{
	struct xsk_filter *filter = UNTOUCHED;
	int err;

	memset(error, 0x5a, sizeof(*error));
	err = xsk_filter_compile(&filter, expression, error);
	assert_failed(err, expected, filter, error);
	assert_true(error->hint[0]);
	forget();
	assert_int_equal(xsk_filter_compile(&filter, expression, NULL), expected);
	assert_failed(expected, expected, filter, error);
}

static void fail_from_cbpf(const struct sock_filter *insns, size_t count, int expected,
			   struct xsk_error *error)
{
	struct xsk_filter *filter = UNTOUCHED;
	int err;

	memset(error, 0x5a, sizeof(*error));
	err = xsk_filter_from_cbpf(&filter, insns, count, error);
	assert_failed(err, expected, filter, error);
	forget();
	assert_int_equal(xsk_filter_from_cbpf(&filter, insns, count, NULL), expected);
	assert_failed(expected, expected, filter, error);
}

static struct xsk_filter *compile(const char *expression)
{
	struct xsk_filter *filter = NULL;
	struct xsk_error error;

	if (xsk_filter_compile(&filter, expression, &error))
		fail_msg("\"%.40s\": %s", expression, error.reason);
	assert_non_null(filter);
	return filter;
}

/* ---- arguments ---- */

static void nulls(void **state)
{
	static const struct sock_filter all = { BPF_RET | BPF_K, 0, 0, 1 };
	struct xsk_filter *filter;
	struct xsk_error error;
	uint8_t byte = 0;

	(void)state;
	fail_compile(NULL, -EINVAL, &error);
	assert_non_null(strstr(error.reason, "the expression is NULL"));
	assert_int_equal(xsk_filter_compile(NULL, "udp", &error), -EINVAL);
	assert_non_null(strstr(error.reason, "place for the filter is NULL"));
	assert_int_equal(xsk_filter_compile(NULL, NULL, NULL), -EINVAL);

	fail_from_cbpf(NULL, 1, -EINVAL, &error);
	assert_non_null(strstr(error.reason, "the program is NULL"));
	fail_from_cbpf(&all, 0, -EINVAL, &error);
	assert_non_null(strstr(error.reason, "no instructions"));
	assert_int_equal(xsk_filter_from_cbpf(NULL, &all, 1, &error), -EINVAL);
	assert_non_null(strstr(error.reason, "place for the filter is NULL"));
	assert_int_equal(linker.loads, 0);

	assert_int_equal(xsk_filter_from_cbpf(&filter, &all, 1, NULL), 0);
	assert_int_equal(xsk_filter_match(NULL, &byte, 1), -EINVAL);
	assert_int_equal(xsk_filter_match(filter, NULL, 1), -EINVAL);
	assert_int_equal(xsk_filter_match(filter, NULL, 0), 1);
	assert_int_equal(xsk_filter_match(filter, &byte, 0), 1);
	assert_int_equal(xsk_filter_dump(NULL, NULL, 0), -EINVAL);
	xsk_filter_free(filter);
	xsk_filter_free(NULL);
}

static void empty(void **state)
{
	static const char *const blanks[] = { "", " ", "\t", "\n", " \r\n\t \n" };
	struct xsk_error error;

	(void)state;
	for (size_t i = 0; i < COUNT(blanks); i++) {
		fail_compile(blanks[i], -EINVAL, &error);
		assert_string_equal(error.reason, "the expression is empty");
		assert_non_null(strstr(error.hint, "leave out the filter"));
	}
	assert_int_equal(linker.loads, 0);
}

/* The last byte, and the last instruction, that may be. */
static void oversized(void **state)
{
	char *text = malloc(XSK_FILTER_MAX_TEXT + 2);
	struct sock_filter *insns = calloc(XSK_FILTER_MAX_INSNS + 1, sizeof(*insns));
	struct xsk_filter *filter;
	struct xsk_error error;

	(void)state;
	assert_true(text && insns);
	memset(text, ' ', XSK_FILTER_MAX_TEXT + 1);
	memcpy(text, "udp", 3);
	text[XSK_FILTER_MAX_TEXT + 1] = '\0';
	fail_compile(text, -E2BIG, &error);
	assert_non_null(strstr(error.reason, "65537 bytes; 65536 is the most"));
	assert_int_equal(linker.loads, 0);
	text[XSK_FILTER_MAX_TEXT] = '\0';
	xsk_filter_free(compile(text));

	insns[XSK_FILTER_MAX_INSNS - 1].code = insns[XSK_FILTER_MAX_INSNS].code = BPF_RET | BPF_K;
	assert_int_equal(xsk_filter_from_cbpf(&filter, insns, XSK_FILTER_MAX_INSNS, &error), 0);
	xsk_filter_free(filter);
	fail_from_cbpf(insns, XSK_FILTER_MAX_INSNS + 1, -E2BIG, &error);
	assert_non_null(strstr(error.reason, "65537 instructions; 65536 is the most"));
	fail_from_cbpf(insns, SIZE_MAX, -E2BIG, &error);
	assert_non_null(strstr(error.hint, "networks and port ranges"));
	free(text);
	free(insns);
}

/* It is copied: the caller's may go. */
static void copied(void **state)
{
	struct sock_filter insns[] = { { BPF_RET | BPF_K, 0, 0, 1 } };
	char expression[] = "udp";
	struct xsk_filter *of_insns, *of_text;
	char before[4096], after[4096];

	(void)state;
	assert_int_equal(xsk_filter_from_cbpf(&of_insns, insns, 1, NULL), 0);
	of_text = compile(expression);
	assert_in_range(xsk_filter_dump(of_text, before, sizeof(before)), 1, 4000);
	memset(insns, 0, sizeof(insns));
	memset(expression, 'x', 3);
	assert_int_equal(xsk_filter_match(of_insns, NULL, 0), 1);
	assert_in_range(xsk_filter_dump(of_text, after, sizeof(after)), 1, 4000);
	assert_string_equal(before, after);
	xsk_filter_free(of_insns);
	xsk_filter_free(of_text);
}

/* ---- expressions that are none ---- */

/* libpcap's words, and where: the character, counted from 1; 0: at the end. */
static const struct {
	const char *expression, *words;
	size_t place;
} bad[] = {
	{ "udp prot 53", "syntax error", 5 },
	{ "tcp port 80 and udp prot 53", "syntax error", 21 },
	{ "ip and (udp prot 53)", "syntax error", 13 },
	{ "udp port 53 xyz", "syntax error", 13 },
	{ "xyz", "syntax error", 1 },
	{ "and udp", "syntax error", 1 },
	{ "udp or or tcp", "syntax error", 8 },
	{ "udp)", "syntax error", 4 },
	{ "()", "syntax error", 2 },
	{ "udp 5", "syntax error", 5 },
	{ "port -1", "syntax error", 6 },
	{ "port 1-", "syntax error", 6 },
	{ "vlan foo", "syntax error", 6 },
	{ "tcp[tcpflags] & = 0", "syntax error", 17 },
	{ "(udp", "syntax error", 0 },
	{ "((((udp)))", "syntax error", 0 },
	{ "udp and", "syntax error", 0 },
	{ "not", "syntax error", 0 },
	{ "udp port", "syntax error", 0 },
	{ "len >", "syntax error", 0 },
	{ "ip[0", "syntax error", 0 },
	{ "ip[0]", "syntax error", 0 },
	{ "udp port 99999", "illegal port number 99999", 10 },
	{ "portrange 1-99999", "illegal port number 99999", 11 },
	{ "tcp host 1.2.3.4", "'tcp' modifier applied to host", 10 },
	{ "ip6 host 1.2.3.4", "'ip6' modifier applied to ip host", 10 },
	{ "ether host 1.2.3.4", "illegal link layer address", 12 },
	{ "host nosuchhost.invalid", "unknown host 'nosuchhost.invalid'", 6 },
	{ "udp and port nosuchport", "unknown port 'nosuchport'", 14 },
	{ "ip proto nosuch", "unknown ip proto 'nosuch'", 10 },
	{ "ether proto nosuch", "unknown ether proto 'nosuch'", 13 },
	{ "net 1.2.3.4/8", "non-network bits set in \"1.2.3.4/8\"", 13 },
	{ "net 1.2.3.0/99", "mask length must be <= 32", 13 },
	{ "ip[0:3] = 1", "data size must be 1, 2, or 4", 7 },
	{ "ip[0] / 0 = 1", "division by zero", 9 },
	{ "ip[0] << 40 = 1", "shift by more than 31 bits", 10 },
	{ "vlan 5000", "VLAN tag 5000 greater than maximum 4095", 6 },
	{ "mpls 99999999", "MPLS label 99999999 greater", 6 },
	{ "udp and host 88888888888", "88888888888 overflows", 14 },
	{ "udp and host 99999999999", "99999999999 overflows", 14 },
	{ "host 9999999999999 or 99999999999999", "9999999999999 overflows", 6 },
	{ "(udp or 999999999999) and tcp", "ethernet address used in", 9 },
	{ "ip broadcast", "netmask not known", 4 },
	/* What Ethernet has not. */
	{ "wlan type mgt", "supported only on 802.11", 11 },
	{ "ifname eth0", "supported only on PF linktype", 8 },
	{ "udp or dir 0", "802.11 headers", 12 },
	{ "lane", "supported only on raw ATM", 1 },
	{ "radio[0] = 1", "radio information not present", 8 },
	/* What was never meant to be one. */
	{ "\xff\xfe", "syntax error", 1 },
	{ "udp \xc3\xa9", "syntax error", 5 },
	{ "udp\x01port", "syntax error", 4 },
	{ "udp and \x1b[31mred", "syntax error", 9 },
	{ "udp\nport\nnosuchport", "unknown port", 10 },
	{ "\t udp\r\n\tprot 53", "syntax error", 9 },
	{ "%s%n%1000000d", "syntax error", 1 },
	{ "udp port 53; rm", "syntax error", 12 },
};

/* Words and place, and that nothing goes to a terminal that is no text. */
static void bad_expressions(void **state)
{
	struct xsk_error error;
	char place[64];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		size_t len = strlen(bad[i].expression);

		fail_compile(bad[i].expression, -EINVAL, &error);
		if (bad[i].place)
			snprintf(place, sizeof(place), ", at character %zu: \"", bad[i].place);
		else
			snprintf(place, sizeof(place), ", at the end, after character %zu: ", len);
		if (!strstr(error.reason, bad[i].words) || !strstr(error.reason, place))
			fail_msg("\"%s\": %s", bad[i].expression, error.reason);
		for (const char *c = error.reason; *c; c++)
			assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
		assert_non_null(strstr(error.hint, "pcap-filter(7)"));
	}
}

/* All of it is wrong, and no word of it. */
static void rejects_all(void **state)
{
	struct xsk_error error;

	(void)state;
	fail_compile("ip and ip6", -EINVAL, &error);
	assert_non_null(strstr(error.reason, "rejects all packets"));
	assert_null(strstr(error.reason, "character"));
}

/* Only packet sockets know which way a packet goes. */
static void not_of_a_packet(void **state)
{
	static const char *const expressions[] = { "inbound", "outbound", "udp and not outbound" };
	struct xsk_error error;

	(void)state;
	for (size_t i = 0; i < COUNT(expressions); i++) {
		fail_compile(expressions[i], -EOPNOTSUPP, &error);
		assert_non_null(strstr(error.reason, "packet socket"));
		assert_non_null(strstr(error.hint, "inbound"));
	}
}

static char *repeat(const char *text, size_t count, const char *end)
{
	size_t len = strlen(text);
	char *all = malloc(len * count + strlen(end) + 1);

	assert_non_null(all);
	for (size_t i = 0; i < count; i++)
		memcpy(all + i * len, text, len);
	strcpy(all + len * count, end);
	return all;
}

/* As deep as libpcap goes, and deeper: it says so, and nothing crashes. */
static void deep(void **state)
{
	struct xsk_error error;
	char *open = repeat("(", 4000, ""), *close = repeat(")", 4000, ""), *text;

	(void)state;
	text = malloc(8100);
	assert_non_null(text);
	sprintf(text, "%sudp%s", open, close);
	xsk_filter_free(compile(text));
	text[8002] = '\0';		/* one is not closed */
	fail_compile(text, -EINVAL, &error);
	assert_non_null(strstr(error.reason, "at the end, after character 8002"));
	free(text);
	free(open);
	free(close);

	text = repeat("(", 60000, "udp");
	fail_compile(text, -E2BIG, &error);
	assert_non_null(strstr(error.reason, "nested too deep"));
	free(text);
	text = repeat("not ", 16000, "udp");
	fail_compile(text, -E2BIG, &error);
	assert_non_null(strstr(error.hint, "fewer"));
	free(text);
}

/* Beyond what is optimized, too; and of the text no more is shown than there is room. */
static void long_ones(void **state)
{
	char *text = repeat("udp or ", 4000, "udq and"), *word = repeat("x", 5000, "");
	struct xsk_error error;

	(void)state;
	fail_compile(text, -EINVAL, &error);
	assert_non_null(strstr(error.reason, "at character 28001: \"udq and\""));
	fail_compile(word, -EINVAL, &error);
	assert_non_null(strstr(error.reason, "at character 1: \"xxx"));
	free(text);
	free(word);
	text = repeat("ip or ", 3500, "udp");
	xsk_filter_free(compile(text));
	free(text);
}

/* Whatever bytes: an error that the header knows, or a filter. */
static void garbage(void **state)
{
	uint64_t seed = 7;
	char text[64];

	(void)state;
	for (int i = 0; i < 400; i++) {
		struct xsk_filter *filter = UNTOUCHED;
		struct xsk_error error;
		size_t len;
		int err;

		for (len = 0; len < sizeof(text) - 1; len++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			/* No letters or digits: nothing that a resolver would be asked for. */
			text[len] = (char)(seed >> 56 | 0x80);
			if (seed & 0x10000000000)
				text[len] = " ()[]&|!=<>+-*/:\\\"'\n\t\x01\x7f"[(seed >> 33) % 23];
		}
		text[(seed >> 20) % sizeof(text)] = '\0';
		text[sizeof(text) - 1] = '\0';
		err = xsk_filter_compile(&filter, text, &error);
		assert_int_equal(err, -EINVAL);
		assert_failed(err, -EINVAL, filter, &error);
	}
}

/* ---- without libpcap ---- */

static void no_library(void **state)
{
	static const char *const functions[] = { "pcap_open_dead", "pcap_compile", "pcap_geterr",
						 "pcap_freecode", "pcap_close" };
	static const struct sock_filter all = { BPF_RET | BPF_K, 0, 0, 1 };
	struct xsk_filter *filter;
	struct xsk_error error;

	(void)state;
	linker.no_library = true;
	fail_compile("udp", -ELIBACC, &error);
	assert_non_null(strstr(error.reason, "libnothing.so.9"));
	assert_non_null(strstr(error.hint, "install libpcap"));
	assert_non_null(strstr(error.hint, "xsk_filter_from_cbpf()"));
	/* All else does without it. */
	assert_int_equal(xsk_filter_from_cbpf(&filter, &all, 1, &error), 0);
	assert_int_equal(xsk_filter_match(filter, NULL, 0), 1);
	assert_true(xsk_filter_dump(filter, NULL, 0) > 0);
	xsk_filter_free(filter);

	/* And another library of its name. */
	linker.no_library = false;
	for (size_t i = 0; i < COUNT(functions); i++) {
		linker.no_function = functions[i];
		fail_compile("udp", -ELIBACC, &error);
		assert_non_null(strstr(error.hint, "install libpcap"));
		assert_int_equal(linker.loads, linker.unloads);
	}
	linker.no_function = NULL;
	xsk_filter_free(compile("udp"));
}

/* Debian's name for it, and that of others. */
static void both_names(void **state)
{
	static const char *const names[] = { "libpcap.so.0.8", "libpcap.so.1" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		linker.only_name = names[i];
		xsk_filter_free(compile("udp"));
		assert_int_equal(linker.loads, i + 1);
		assert_int_equal(linker.unloads, i + 1);
	}
}

/* ---- programs that are none ---- */

static void bad_programs(void **state)
{
	static const struct {
		struct sock_filter insn;
		int err;
		const char *why;
	} cases[] = {
		{ { 0xffff, 0, 0, 0 }, -EINVAL, "instruction 1 does not exist" },
		{ { BPF_JMP | BPF_JA, 0, 0, 1 }, -EINVAL, "instruction 1 jumps out" },
		{ { BPF_JMP | BPF_JEQ, 0, 1, 1 }, -EINVAL, "instruction 1 jumps out" },
		{ { BPF_ALU | BPF_DIV, 0, 0, 0 }, -EINVAL, "instruction 1 divides by zero" },
		{ { BPF_ALU | BPF_LSH, 0, 0, 32 }, -EINVAL, "instruction 1 shifts" },
		{ { BPF_ST, 0, 0, 16 }, -EINVAL, "instruction 1 stores" },
		{ { BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)SKF_AD_OFF }, -EOPNOTSUPP,
		  "instruction 1 loads what only a packet socket has" },
	};
	struct xsk_error error;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sock_filter insns[] = {
			{ BPF_LD | BPF_IMM, 0, 0, 1 }, cases[i].insn, { BPF_RET | BPF_A, 0, 0, 0 },
		};

		fail_from_cbpf(insns, 3, cases[i].err, &error);
		assert_non_null(strstr(error.reason, cases[i].why));
	}
	fail_from_cbpf(&(struct sock_filter){ BPF_LD | BPF_IMM, 0, 0, 0 }, 1, -EINVAL, &error);
	assert_non_null(strstr(error.reason, "instruction 0 is the last, and does not return"));
}

/* ---- matching ---- */

static const uint8_t dns[] = {
	0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00,
	0x45, 0, 0, 46, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
	0x04, 0xd2, 0, 53, 0, 26, 0, 0, 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1,
};

static const uint8_t dns6[] = {
	0x33, 0x33, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x81, 0x00, 0, 5, 0x86, 0xdd,
	0x60, 0, 0, 0, 0, 26, 17, 64, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	0x04, 0xd2, 0, 53, 0, 26, 0, 0, 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1,
};

static const char *const expressions[] = {
	"udp port 53", "udp dst port 53", "src port 1234", "ip", "ip6", "not ip", "vlan", "vlan 5",
	"vlan and ip6 and udp port 53", "host 10.0.0.1", "dst net 10.0.0.0/30", "tcp", "arp",
	"ether multicast", "ether host 02:00:00:00:00:02", "less 50", "greater 60", "len = 60",
	"ip[8] < 64", "ip[6:2] & 0x1fff = 0", "udp[4:2] + 20 > 40", "ether[12:2] = 0x800 or vlan",
	"portrange 50-60 and udp", "icmp or (udp and not port 54)", "ip6 protochain 17",
	"ip6 host fd00::2", "udp[10] & 1 != 0", "ip proto 17 and ip[2:2] - 8 > 30",
};

/* Returns whether it matches. */
static bool compare(const struct xsk_filter *filter, const struct reference *reference,
		    const uint8_t *packet, size_t len)
{
	bool expected = reference_match(reference, packet, len, len);

	assert_int_equal(xsk_filter_match(filter, packet, len), expected);
	return expected;
}

/* At each length, and with each byte changed; returns how many match. */
static int compare_all(const struct xsk_filter *filter, const struct reference *reference,
		       const uint8_t *packet, size_t size)
{
	uint8_t copy[sizeof(dns6)];
	int matches = 0;

	memcpy(copy, packet, size);
	for (size_t len = 0; len <= size; len++)
		matches += compare(filter, reference, copy, len);
	for (size_t i = 0; i < size * 8; i++) {
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
		/* AH, in which libpcap's protochain loops for ever. */
		if (copy[i / 8] != 51)
			matches += compare(filter, reference, copy, size);
		copy[i / 8] = packet[i / 8];
	}
	return matches;
}

static void as_libpcap(void **state)
{
	uint8_t plain6[sizeof(dns6) - 4];
	size_t matched = 0;

	(void)state;
	memcpy(plain6, dns6, 12);
	memcpy(plain6 + 12, dns6 + 16, sizeof(plain6) - 12);
	for (size_t i = 0; i < COUNT(expressions); i++) {
		struct reference *reference = reference_compile(expressions[i], true);
		struct xsk_filter *filter = compile(expressions[i]);
		int matches;

		matches = compare_all(filter, reference, dns, sizeof(dns));
		matches += compare_all(filter, reference, dns6, sizeof(dns6));
		matches += compare_all(filter, reference, plain6, sizeof(plain6));
		matched += matches > 0;
		reference_free(reference);
		xsk_filter_free(filter);
	}
	/* All but TCP and ARP. */
	assert_int_equal(matched, COUNT(expressions) - 2);
}

/* ---- the dump ---- */

static const char golden[] =
	"expression: udp port 53\n"
	"classic BPF, 20 instructions:\n"
	"(000) ldh      [12]\n"
	"(001) jeq      #0x86dd  jt 2  jf 8\n"
	"(002) ldb      [20]\n"
	"(003) jeq      #0x11  jt 4  jf 19\n"
	"(004) ldh      [54]\n"
	"(005) jeq      #0x35  jt 18  jf 6\n"
	"(006) ldh      [56]\n"
	"(007) jeq      #0x35  jt 18  jf 19\n"
	"(008) jeq      #0x800  jt 9  jf 19\n"
	"(009) ldb      [23]\n"
	"(010) jeq      #0x11  jt 11  jf 19\n"
	"(011) ldh      [20]\n"
	"(012) jset     #0x1fff  jt 19  jf 13\n"
	"(013) ldxb     4*([14]&0xf)\n"
	"(014) ldh      [x + 14]\n"
	"(015) jeq      #0x35  jt 18  jf 16\n"
	"(016) ldh      [x + 16]\n"
	"(017) jeq      #0x35  jt 18  jf 19\n"
	"(018) ret      #262144\n"
	"(019) ret      #0\n"
	"eBPF, 86 instructions; map 0: the sockets, map 1: the counters:\n";

static bool is_edge(size_t size, size_t len)
{
	return size < 60 || size + 30 > len;
}

static void dump(void **state)
{
	struct xsk_filter *filter = compile("udp port 53");
	char whole[8192], cut[8192];
	int len = xsk_filter_dump(filter, whole, sizeof(whole));

	(void)state;
	assert_int_equal(len, strlen(whole));
	assert_int_equal(strncmp(whole, golden, sizeof(golden) - 1), 0);
	assert_non_null(strstr(whole, "\n   10: if w0 != 34525 goto 29\n"));
	assert_non_null(strstr(whole, "\n   61: r1 = map 1\n   63: call 1\n"));
	assert_non_null(strstr(whole, "\n   84: r0 = 2\n   85: exit\n"));

	/* As snprintf(3): many sizes, and nothing beyond them. */
	assert_int_equal(xsk_filter_dump(filter, NULL, 0), len);
	assert_int_equal(xsk_filter_dump(filter, NULL, 99), len);
	for (size_t size = 0; size <= (size_t)len + 2; size++) {
		size_t shown = size <= (size_t)len ? size : (size_t)len + 1;

		if (size % 23 && !is_edge(size, (size_t)len))
			continue;
		memset(cut, 0x5a, sizeof(cut));
		assert_int_equal(xsk_filter_dump(filter, cut, size), len);
		if (shown) {
			assert_memory_equal(cut, whole, shown - 1);
			assert_int_equal(cut[shown - 1], '\0');
		}
		assert_int_equal(cut[shown], 0x5a);
	}
	xsk_filter_free(filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nulls, reset, unloaded),
		cmocka_unit_test_setup_teardown(empty, reset, unloaded),
		cmocka_unit_test_setup_teardown(oversized, reset, unloaded),
		cmocka_unit_test_setup_teardown(copied, reset, unloaded),
		cmocka_unit_test_setup_teardown(bad_expressions, reset, unloaded),
		cmocka_unit_test_setup_teardown(rejects_all, reset, unloaded),
		cmocka_unit_test_setup_teardown(not_of_a_packet, reset, unloaded),
		cmocka_unit_test_setup_teardown(deep, reset, unloaded),
		cmocka_unit_test_setup_teardown(long_ones, reset, unloaded),
		cmocka_unit_test_setup_teardown(garbage, reset, unloaded),
		cmocka_unit_test_setup_teardown(no_library, reset, unloaded),
		cmocka_unit_test_setup_teardown(both_names, reset, unloaded),
		cmocka_unit_test_setup_teardown(bad_programs, reset, unloaded),
		cmocka_unit_test_setup_teardown(as_libpcap, reset, unloaded),
		cmocka_unit_test_setup_teardown(dump, reset, unloaded),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
