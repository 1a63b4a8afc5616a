/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "hint.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <xsk/error.h>

#include "line.h"
#include "out.h"

/* In the library's hints, and what a person types for it. */
static const struct word {
	const char *constant, *option;
} words[] = {
	{ "XSK_PORT_MULTI_BUFFER", "--multi-buffer" },
	{ "XSK_PORT_LARGE_MTU", "--large-mtu" },
	{ "XSK_PORT_REPLACE", "--replace" },
	{ "XSK_PORT_HUGE", "--huge" },
	{ "XSK_WAIT_BUSY_POLL", "--wait busy-poll" },
	{ "XSK_WAIT_ADAPTIVE", "--wait adaptive" },
	{ "XSK_WAIT_SLEEP", "--wait sleep" },
	{ "XSK_WAIT_SPIN", "--wait spin" },
	{ "XSK_MODE_ZEROCOPY", "--mode zero-copy" },
	{ "XSK_MODE_NATIVE", "--mode native" },
	{ "XSK_MODE_GENERIC", "--mode generic" },
	{ "XDP_FLAGS_SKB_MODE", "--mode generic" },
	{ "opts.modes", "--mode" },
	{ "opts.frames", "--frames" },
	{ "opts.queues", "--queues" },
	{ "opts.keep", "--keep" },
	{ "XSK_DIRECTION_RX", "receiving" },
	{ "XSK_DIRECTION_TX", "sending" },
};

/* Words that begin so, and are none of these, are for programs; so are functions. */
static const char *const code[] = { "XSK_", "XDP_", "BPF_", "opts.", "<xsk/" };

static const struct word *find_word(const char *at)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strncmp(at, words[i].constant, strlen(words[i].constant)))
			return &words[i];
	return NULL;
}

static bool is_code(const char *at, bool is_start)
{
	if (!strncmp(at, "()", 2))
		return true;
	for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++)
		if (is_start && !strncmp(at, code[i], strlen(code[i])))
			return true;
	return false;
}

/* How long a part is, which can be followed by itself: "a, b" are two, "a, and b" is one. */
static size_t part_length(const char *hint)
{
	int depth = 0;
	size_t len;

	for (len = 0; hint[len]; len++) {
		const char *at = hint + len;

		depth += (*at == '(') - (*at == ')');
		if (!depth && (!strncmp(at, "; ", 2) || (!strncmp(at, ", ", 2) &&
							 strncmp(at, ", and ", 6) &&
							 !find_word(at))))
			break;
	}
	return len;
}

/* False: it is nothing that can be typed. */
static bool say_part(struct line *line, const char *part, size_t len, bool opens)
{
	for (const char *at = part; at < part + len;) {
		const struct word *word = find_word(at);
		bool is_start = at == part || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');

		if (word ? !opens && !strncmp(word->option, "--", 2) : is_code(at, is_start))
			return false;
		line_add(line, word ? "%s" : "%.1s", word ? word->option : at);
		at += word ? strlen(word->constant) : 1;
	}
	return true;
}

char *hint_say(char to[HINT_SIZE], const char *hint, bool opens)
{
	const char *between = "";
	struct line all;

	line_start(&all, to, HINT_SIZE);
	while (*hint) {
		char text[HINT_SIZE];
		struct line part;
		size_t len;

		if (!all.len && !strncmp(hint, "or ", 3))
			hint += 3;
		len = part_length(hint);
		line_start(&part, text, sizeof(text));
		if (say_part(&part, hint, len, opens))
			line_add(&all, "%s%s", all.len ? between : "", text);
		hint += len;
		between = *hint == ';' ? "; " : ", ";
		hint += *hint ? 2 : 0;
	}
	return out_clean(to);
}

char *hint_program(char to[HINT_SIZE])
{
	char path[HINT_SIZE] = "xsk";
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len > 0)
		path[len] = '\0';
	snprintf(to, HINT_SIZE, "%s", path);
	return out_clean(to);
}

/* setcap(8) takes away what is not in its list: it has all that are needed. */
static char *say_capabilities(char to[HINT_SIZE], const char *first, const char *more)
{
	char program[HINT_SIZE];
	struct line line;

	line_start(&line, to, HINT_SIZE);
	line_add(&line, "%s, or setcap %s%s+ep %s", first, HINT_CAPABILITIES, more,
		 hint_program(program));
	return to;
}

/* Of the library's hints those whose words are nobody's here, and what a person can do. */
static const struct {
	int code;
	const char *of, *hint;
} sayings[] = {
	{ -EBUSY, "close that socket", "end that process, or take other queues (opts.queues)" },
	{ -EBUSY, "XSK_PORT_NO_COUNTERS", "end the other command (xsk stats IFACE shows it), or "
	  "give both the same FILTER and opts.keep; or set XSK_PORT_REPLACE" },
	{ -EBUSY, "without filter and keep", "have that program detached (xsk probe IFACE shows "
	  "it), or do without FILTER and opts.keep; or set XSK_PORT_REPLACE" },
};

char *hint_of(char to[HINT_SIZE], const struct xsk_error *error, bool opens)
{
	const char *hint = error->hint;

	/* Not of busy polling, which one can do without. */
	if (error->code == -EPERM && !strncmp(error->reason, "no CAP_", 7) &&
	    strcmp(error->step, "busy polling"))
		return say_capabilities(to, "run as root",
					strstr(error->reason, "CAP_SYS_ADMIN") ? ",cap_sys_admin" :
					"");
	if (error->code == -ENOBUFS && !strcmp(error->step, "umem"))
		return say_capabilities(to, "run as root, or raise it (ulimit -l)",
					",cap_ipc_lock");
	for (size_t i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++)
		if (error->code == sayings[i].code && strstr(hint, sayings[i].of))
			hint = sayings[i].hint;
	return hint_say(to, hint, opens);
}
