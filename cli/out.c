/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xsk/error.h>

#define HINT_SIZE 256

/* In the library's hints, and what a person types for it. */
static const struct {
	const char *constant, *option;
} words[] = {
	{ "XSK_PORT_MULTI_BUFFER", "--multi-buffer" },
	{ "XSK_PORT_LARGE_MTU", "--large-mtu" },
	{ "XSK_PORT_REPLACE", "--replace" },
	{ "XSK_PORT_HUGE", "--huge" },
	{ "XSK_WAIT_BUSY_POLL", "--wait busy-poll" },
	{ "XSK_WAIT_SLEEP", "--wait sleep" },
	{ "XSK_MODE_ZEROCOPY", "--mode zero-copy" },
	{ "XSK_MODE_NATIVE", "--mode native" },
	{ "XSK_MODE_GENERIC", "--mode generic" },
	{ "XSK_DIRECTION_RX", "receiving" },
	{ "XSK_DIRECTION_TX", "sending" },
};

void out_open(struct out *out, bool json)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	bool dumb = !term || !*term || !strcmp(term, "dumb");

	*out = (struct out){
		.json = json,
		.colour = !json && !dumb && isatty(STDOUT_FILENO) && !(no_colour && *no_colour),
		.rewrites = !json && !dumb && isatty(STDERR_FILENO),
	};
}

void out_line(struct out *out)
{
	if (out->line_is_open)
		fputc('\n', stderr);
	out->line_is_open = false;
	/* In order, where both are one terminal or file. */
	fflush(stdout);
}

/* ---- what goes wrong ---- */

static void translate(char to[HINT_SIZE], const char *hint)
{
	size_t len = 0;

	while (*hint && len < HINT_SIZE - 1) {
		const char *option = NULL;

		for (size_t i = 0; !option && i < sizeof(words) / sizeof(words[0]); i++) {
			size_t size = strlen(words[i].constant);

			if (strncmp(hint, words[i].constant, size))
				continue;
			option = words[i].option;
			hint += size;
		}
		if (option)
			len += (size_t)snprintf(to + len, HINT_SIZE - len, "%s", option);
		else
			to[len++] = *hint++;
		if (len > HINT_SIZE - 1)
			len = HINT_SIZE - 1;
	}
	to[len] = '\0';
}

void out_error(struct out *out, const char *subject, const struct xsk_error *error)
{
	char hint[HINT_SIZE];

	translate(hint, error->hint);
	out_line(out);
	fprintf(stderr, "xsk: %s%s%s: %s%s%s\n", subject ? subject : "", subject ? ": " : "",
		error->step, error->reason, *hint ? "; " : "", hint);
	if (out->json)
		out_json(out, json_pack("{ss ss* ss si ss ss}", "type", "error",
					"interface", subject, "step", error->step,
					"code", error->code, "reason", error->reason,
					"hint", hint));
}

void out_fail(struct out *out, const char *subject, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	out_line(out);
	fprintf(stderr, "xsk: %s%s%s\n", subject ? subject : "", subject ? ": " : "", text);
	if (out->json)
		out_json(out, json_pack("{ss ss* ss}", "type", "error", "subject", subject,
					"reason", text));
}

/* ---- what is worth knowing ---- */

void out_note(struct out *out, const char *format, ...)
{
	va_list args;

	out_line(out);
	fputs("xsk: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void out_progress(struct out *out, const char *format, ...)
{
	va_list args;

	if (out->json)
		return;
	if (out->rewrites)
		fputs("\r\033[K", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (!out->rewrites)
		fputc('\n', stderr);
	out->line_is_open = out->rewrites;
	fflush(stderr);
}

void out_json(struct out *out, json_t *object)
{
	(void)out;
	if (!object)
		return;
	json_dumpf(object, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	fflush(stdout);
	json_decref(object);
}

const char *out_start(const struct out *out, enum out_colour colour)
{
	static const char *const codes[] = {
		[OUT_PLAIN] = "", [OUT_BOLD] = "\033[1m", [OUT_GREEN] = "\033[32m",
		[OUT_YELLOW] = "\033[33m", [OUT_RED] = "\033[31m", [OUT_DIM] = "\033[2m",
	};

	return out->colour ? codes[colour] : "";
}

const char *out_end(const struct out *out)
{
	return out->colour ? "\033[0m" : "";
}

bool out_is_broken(void)
{
	return ferror(stdout);
}

bool out_close(struct out *out)
{
	int err;

	if (out->line_is_open)
		fputc('\n', stderr);
	out->line_is_open = false;
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return true;
	err = errno;
	/* Who closed the pipe has seen enough. */
	if (err != EPIPE)
		fprintf(stderr, "xsk: cannot write to stdout%s%s\n", err ? ": " : "",
			err ? strerror(err) : "");
	return false;
}
