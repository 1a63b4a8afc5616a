/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The bytes are an expression of pcap-filter(7). It is compiled, or refused with one of the
 * errors that <xsk/filter.h> names, with a reason and a place. What is compiled can be dumped,
 * is loaded by the kernel, and has the verdicts of what libpcap makes of it.
 *
 * libpcap's matcher may run a program that jumps backward ("protochain") for ever: it is not
 * asked then, and the kernel alone is compared. That libpcap is not instrumented, so what is
 * found in it is found by its blocks of memory alone.
 */
#include <errno.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xsk/error.h>
#include <xsk/filter.h>

#include "filter.h"
#include "packets.h"
#include "reference.h"
#include "verdict.h"

#define MAX_PACKET 200

/* Of each packet, besides all of it. */
static const size_t lengths[] = { 14, 20, 33, 36, 58, MAX_PACKET };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- what is refused ---- */

/*
 * The place, from 1 on, stands in the reason, with the text from there on; but where all words
 * are good and what is wrong is the whole, as "ip and ip6", which matches nothing.
 */
static void check_place(const char *text, const struct xsk_error *error)
{
	static const char at[] = ", at character ", end[] = ", at the end, after character ";
	const char *found = strstr(error->reason, at);
	size_t len = strlen(text), place;

	/* The reason may have been too long for it. */
	if (strlen(error->reason) == sizeof(error->reason) - 1)
		return;
	if (found) {
		place = strtoul(found + strlen(at), NULL, 10);
		if (place < 1 || place > len)
			verdict_fail("a place out of the expression: %s", error->reason);
		return;
	}
	found = strstr(error->reason, end);
	if (found ? strtoul(found + strlen(end), NULL, 10) != len :
		    strstr(error->reason, "syntax error") != NULL)
		verdict_fail("no place in '%s'", error->reason);
}

static bool is_blank(const char *text)
{
	return strspn(text, " \t\r\n") == strlen(text);
}

static void check_refusal(const char *text, int err, const struct xsk_error *error)
{
	struct xsk_error last;

	if (error->code != err || !error->step[0] || !error->reason[0] || !error->hint[0])
		verdict_fail("%d, and no reason for it", err);
	xsk_error_last(&last);
	if (memcmp(&last, error, sizeof(last)))
		verdict_fail("another reason is kept than that told");
	switch (err) {
	case -EINVAL:
		if (is_blank(text))
			return;
		check_place(text, error);
		return;
	case -EOPNOTSUPP:
	case -E2BIG:
		return;
	}
	verdict_fail("an error that is not named: %d, %s", err, error->reason);
}

/* ---- what is compiled ---- */

static void check_dump(const struct xsk_filter *filter, const char *expression)
{
	static const char first[] = "expression: ";
	int len = xsk_filter_dump(filter, NULL, 0), half = len / 2;
	char *text, *part;

	if (len <= 0)
		verdict_fail("no dump: %d", len);
	text = malloc((size_t)len + 1);
	part = malloc((size_t)half);
	if (!text || !part)
		abort();
	if (xsk_filter_dump(filter, text, (size_t)len + 1) != len || strlen(text) != (size_t)len)
		verdict_fail("a dump of another length than told");
	if (xsk_filter_dump(filter, part, (size_t)half) != len || part[half - 1] ||
	    strncmp(part, text, (size_t)half - 1))
		verdict_fail("half of a dump is not half of it");
	if (strncmp(text, first, strlen(first)) ||
	    strncmp(text + strlen(first), expression, strlen(expression)))
		verdict_fail("a dump without the expression");
	free(text);
	free(part);
}

static bool jumps_backward(const struct sock_filter *insns, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (insns[i].code == (BPF_JMP | BPF_JA) && (int32_t)insns[i].k < 0)
			return true;
	return false;
}

/* -1: the verifier gives up, which it may. */
static int load_filter(const struct xsk_filter *filter)
{
	struct xsk_error error = { 0 };
	struct xsk_code code;
	int fd;

	if (xsk_filter_code(&code, filter, NULL, false, &error))
		verdict_fail("no program of a filter: %s", error.reason);
	fd = verdict_load(&code, &error);
	xsk_filter_code_free(&code);
	if (fd < 0 && fd != -E2BIG)
		verdict_fail("it is not loaded: %s", error.reason);
	return fd < 0 ? -1 : fd;
}

static void check_matches(const struct xsk_filter *filter, const char *text)
{
	struct reference *ref = reference_compile(text, true);
	int fd = load_filter(filter);
	const struct sock_filter *insns;
	uint8_t packet[MAX_PACKET];
	uint32_t count;
	bool runs;

	if (!ref)
		verdict_fail("libpcap does not compile what the library does");
	insns = reference_insns(ref, &count);
	runs = !jumps_backward(insns, count);
	for (unsigned int i = 0; i < PACKETS * sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t len = lengths[i / PACKETS];
		int matches;

		packets_fill(packet, len, i % PACKETS, 0);
		matches = xsk_filter_match(filter, packet, len);
		if (runs && matches != reference_match(ref, packet, len, len))
			verdict_fail("libpcap has another verdict on packet %u of %zu bytes",
				     i % PACKETS, len);
		if (fd >= 0 && matches != verdict_run(fd, packet, len))
			verdict_fail("the kernel has another verdict on packet %u of %zu bytes",
				     i % PACKETS, len);
	}
	reference_free(ref);
	if (fd >= 0)
		close(fd);
}

/* ---- the fuzzer ---- */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	verdict_open();
	return 0;
}

static void try_text(const char *text)
{
	struct xsk_filter *untouched = (struct xsk_filter *)&lengths, *filter = untouched;
	struct xsk_error error;
	int err;

	memset(&error, 0x5a, sizeof(error));
	err = xsk_filter_compile(&filter, text, &error);
	if (err) {
		if (filter != untouched)
			verdict_fail("a failure touched the result");
		check_refusal(text, err, &error);
		return;
	}
	check_dump(filter, text);
	check_matches(filter, text);
	xsk_filter_free(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of just that length: its end is watched. */
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	try_text(text);
	free(text);
	return 0;
}
