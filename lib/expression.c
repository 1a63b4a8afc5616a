/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "expression.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

#define ETHERNET 1			/* DLT_EN10MB */
#define SNAPLEN 262144
#define NETMASK_UNKNOWN 0xffffffffU
/* Beyond, libpcap's optimizer takes minutes. */
#define MAX_OPTIMIZED (16 * 1024)
/*
 * libpcap's reader of words fails at a number beyond 32 bits, with words of its own, when it
 * comes to it. One is taken that does not stand in the text. (With 12 digits it is none, but
 * an Ethernet address.)
 */
#define MIN_STOP 13
#define MAX_STOP 60
/* What it reads as nothing. */
#define BLANKS " \t\r\n"

/* What is used of libpcap, as <pcap/pcap.h> has it: the names of that are <linux/bpf.h>'s too. */
struct program {
	unsigned int count;
	struct sock_filter *insns;
};

struct libpcap {
	void *library;
	void *(*open_dead)(int linktype, int snaplen);
	int (*compile)(void *pcap, struct program *program, const char *expression, int optimize,
		       unsigned int netmask);
	char *(*geterr)(void *pcap);
	void (*freecode)(struct program *program);
	void (*close)(void *pcap);
};

/* ---- the library ---- */

static void unload(struct libpcap *lib)
{
	if (lib->library)
		dlclose(lib->library);
	lib->library = NULL;
}

static bool find_all(struct libpcap *lib)
{
	*(void **)&lib->open_dead = dlsym(lib->library, "pcap_open_dead");
	*(void **)&lib->compile = dlsym(lib->library, "pcap_compile");
	*(void **)&lib->geterr = dlsym(lib->library, "pcap_geterr");
	*(void **)&lib->freecode = dlsym(lib->library, "pcap_freecode");
	*(void **)&lib->close = dlsym(lib->library, "pcap_close");
	return lib->open_dead && lib->compile && lib->geterr && lib->freecode && lib->close;
}

static int load(struct libpcap *lib, struct xsk_error *error)
{
	/* Debian's name for it, and that of others. */
	static const char *const names[] = { "libpcap.so.0.8", "libpcap.so.1" };
	char why[2][96] = { "" };

	lib->library = NULL;
	for (int i = 0; i < 2 && !lib->library; i++) {
		lib->library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
		if (!lib->library)
			snprintf(why[i], sizeof(why[i]), "%s", dlerror());
	}
	if (lib->library && find_all(lib))
		return 0;
	if (lib->library)
		xsk_error_set(error, -ELIBACC, "libpcap", "it lacks a function that expressions "
			      "need");
	else
		xsk_error_set(error, -ELIBACC, "libpcap", "it cannot be loaded, and expressions "
			      "need it: %s; %s", why[0], why[1]);
	unload(lib);
	return xsk_error_hint(error, "install libpcap (Debian: libpcap0.8), or give the filter as "
			      "classic BPF: xsk_filter_from_cbpf()");
}

/* ---- one expression ---- */

/* 0, or -1 with libpcap's words in said. */
static int try_compile(const struct libpcap *lib, struct program *program, const char *text,
		       char said[256])
{
	void *pcap = lib->open_dead(ETHERNET, SNAPLEN);
	int err;

	if (!pcap) {
		snprintf(said, 256, "no memory");
		return -1;
	}
	memset(program, 0, sizeof(*program));
	err = lib->compile(pcap, program, text, strlen(text) <= MAX_OPTIMIZED, NETMASK_UNKNOWN);
	if (err)
		snprintf(said, 256, "%s", lib->geterr(pcap));
	lib->close(pcap);
	return err ? -1 : 0;
}

/* ---- the place of an error, which libpcap does not tell ---- */

static bool is_part_of_word(char c)
{
	return isalnum((unsigned char)c) || strchr("_-.:$@", c);
}

static size_t word_end(const char *text, size_t start)
{
	size_t end = start;

	while (text[end] && is_part_of_word(text[end]))
		end++;
	return end > start ? end : start + 1;
}

/* Where the words of text begin; their number. */
static size_t find_words(size_t *starts, const char *text)
{
	size_t count = 0;

	for (size_t i = 0; text[i];) {
		if (strchr(BLANKS, text[i])) {
			i++;
			continue;
		}
		if (starts)
			starts[count] = i;
		count++;
		i = word_end(text, i);
	}
	return count;
}

/*
 * Whether libpcap is content with the first len bytes: followed by a word that it cannot
 * read, it fails at that, not before.
 */
static bool is_good_so_far(const struct libpcap *lib, const char *text, size_t len,
			   const char *stop, char *copy)
{
	struct program program;
	char said[256] = "";

	memcpy(copy, text, len);
	copy[len] = ' ';
	strcpy(copy + len + 1, stop);
	if (!try_compile(lib, &program, copy, said)) {
		lib->freecode(&program);
		return true;
	}
	return strstr(said, stop);
}

static void find_stop(char stop[MAX_STOP + 1], const char *text)
{
	size_t len = 0;

	do {
		stop[len++] = '9';
		stop[len] = '\0';
	} while (len < MIN_STOP || (len < MAX_STOP && strstr(text, stop)));
}

/* The offset of the first word that it is not content with; the end: more was to come. */
static size_t find_place(const struct libpcap *lib, const char *text)
{
	size_t count = find_words(NULL, text), len = strlen(text), place = len;
	char *copy = malloc(len + 1 + MAX_STOP + 1), stop[MAX_STOP + 1];
	size_t *starts = calloc(count + 1, sizeof(*starts));
	size_t good = 0, bad = count + 1;	/* words */

	if (copy && starts) {
		find_words(starts, text);
		find_stop(stop, text);
		while (bad - good > 1) {
			size_t middle = good + (bad - good) / 2;
			size_t end = word_end(text, starts[middle - 1]);

			if (is_good_so_far(lib, text, end, stop, copy))
				good = middle;
			else
				bad = middle;
		}
		place = bad <= count ? starts[bad - 1] : len;
	}
	free(copy);
	free(starts);
	return place;
}

/* What was typed may be anything, and goes to people's terminals. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

static int explain(const struct libpcap *lib, const char *text, const char *said,
		   struct xsk_error *error)
{
	size_t place;

	if (strstr(said, "memory exhausted")) {		/* of its parser's stack */
		xsk_error_set(error, -E2BIG, "filter", "it is nested too deep for libpcap");
		return xsk_error_hint(error, "write it with fewer parentheses, or fewer \"not\"");
	}
	place = find_place(lib, text);
	if (text[place])
		xsk_error_set(error, -EINVAL, "filter", "%.150s, at character %zu: \"%.40s\"",
			      said, place + 1, text + place);
	else if (strstr(said, "syntax error"))
		xsk_error_set(error, -EINVAL, "filter", "%.150s, at the end, after character %zu: "
			      "more was to come", said, place);
	else		/* it is all of it, as what "rejects all packets" */
		xsk_error_set(error, -EINVAL, "filter", "%s", said);
	make_printable(error->reason);
	return xsk_error_hint(error, "pcap-filter(7) describes the language; tcpdump -d shows what "
			      "it makes of an expression");
}

int xsk_expression_compile(struct sock_filter **insns, uint32_t *count, const char *expression,
			   struct xsk_error *error)
{
	struct program program;
	struct libpcap lib;
	char said[256] = "";
	int err;

	err = load(&lib, error);
	if (err)
		return err;
	if (try_compile(&lib, &program, expression, said)) {
		err = explain(&lib, expression, said, error);
		unload(&lib);
		return err;
	}
	*insns = reallocarray(NULL, program.count ? program.count : 1, sizeof(**insns));
	if (*insns) {
		memcpy(*insns, program.insns, program.count * sizeof(**insns));
		*count = program.count;
	} else {
		err = xsk_error_system(error, -ENOMEM, "filter");
	}
	lib.freecode(&program);
	unload(&lib);
	return err;
}
