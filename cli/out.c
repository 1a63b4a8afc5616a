/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "out.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <xsk/error.h>

#include "hint.h"

#define TEXT_SIZE 1024

void out_open(struct out *out, bool json)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	bool dumb = !term || !*term || !strcmp(term, "dumb");

	*out = (struct out){
		.json = json,
		.colour = !json && !dumb && isatty(STDOUT_FILENO) && !(no_colour && *no_colour),
		.redraws = !json && !dumb && isatty(STDOUT_FILENO),
		.rewrites = !json && !dumb && isatty(STDERR_FILENO),
	};
}

void out_line(struct out *out)
{
	if (out->line_is_open)
		fputc('\n', stderr);
	out->line_is_open = false;
	/* In order, where both are one terminal or file. */
	out_flush(out);
}

/* A C1 control character is two bytes there. */
static bool is_control(const char *at)
{
	unsigned char first = (unsigned char)at[0], second = (unsigned char)at[1];

	return first < ' ' || first == 127 || (first == 0xc2 && second >= 0x80 && second < 0xa0);
}

char *out_clean(char *text)
{
	json_t *string;

	for (char *at = text; *at; at++)
		if (is_control(at))
			*at = '?';
	string = json_string(text);
	for (char *at = text; !string && *at; at++)
		if (*at & 0x80)
			*at = '?';
	json_decref(string);
	return text;
}

/* ---- what goes wrong ---- */

/* Of a subject that may be NULL, with the colon behind it. */
static const char *begin(char text[TEXT_SIZE], const char *subject)
{
	if (subject)
		snprintf(text, TEXT_SIZE, "%s: ", subject);
	return subject ? out_clean(text) : "";
}

void out_error(struct out *out, const char *subject, const struct xsk_error *error)
{
	char hint[HINT_SIZE], text[TEXT_SIZE], name[TEXT_SIZE], reason[sizeof(error->reason)];

	hint_of(hint, error, true);
	snprintf(reason, sizeof(reason), "%s", error->reason);
	out_clean(reason);
	out_line(out);
	fprintf(stderr, "xsk: %s%s: %s%s%s\n", begin(text, subject), error->step, reason,
		*hint ? "; " : "", hint);
	if (!out->json)
		return;
	if (subject)
		snprintf(name, sizeof(name), "%s", subject);
	out_json(out, json_pack("{ss ss* ss si ss ss}", "type", "error",
				"interface", subject ? out_clean(name) : NULL,
				"step", error->step, "code", error->code, "reason", reason,
				"hint", hint));
}

void out_fail(struct out *out, const char *subject, const char *format, ...)
{
	char text[TEXT_SIZE], reason[TEXT_SIZE], name[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	out_clean(reason);
	out_line(out);
	fprintf(stderr, "xsk: %s%s\n", begin(text, subject), reason);
	if (!out->json)
		return;
	if (subject)
		snprintf(name, sizeof(name), "%s", subject);
	out_json(out, json_pack("{ss ss* ss}", "type", "error",
				"subject", subject ? out_clean(name) : NULL, "reason", reason));
}

/* ---- what is worth knowing ---- */

void out_note(struct out *out, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	out_line(out);
	fprintf(stderr, "xsk: %s\n", out_clean(text));
}

/* One that is wider than the terminal could not be written over: only its last row would. */
static int columns(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 2)
		return 79;
	return size.ws_col - 1;
}

/* There somebody types other commands meanwhile. Where it is not to be known: no. */
static bool in_background(void)
{
	pid_t foreground = tcgetpgrp(STDERR_FILENO);

	return foreground > 0 && foreground != getpgrp();
}

void out_progress(struct out *out, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	if (out->json || (out->rewrites && in_background()))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	out_clean(text);
	if (out->rewrites)
		fprintf(stderr, "\r%.*s\033[K", columns(), text);
	else
		fprintf(stderr, "%s\n", text);
	out->line_is_open = out->rewrites;
	fflush(stderr);
}

void out_json(struct out *out, json_t *object)
{
	if (!object) {
		out_note(out, "an object of JSON could not be made, and is missing: no memory, or "
			 "a text that is not UTF-8");
		out->lost = true;
		return;
	}
	/* As many digits as a double is good for: 0.1 stays 0.1. */
	json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(16));
	fputc('\n', stdout);
	out_flush(out);
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

void out_flush(struct out *out)
{
	if (fflush(stdout) && !out->write_error)
		out->write_error = errno;
}

/* Of a write that stdio made by itself the reason is gone: what would be said now. 0: nothing. */
static int ask_why(void)
{
	struct pollfd fd = { .fd = STDOUT_FILENO };

	if (poll(&fd, 1, 0) > 0 && fd.revents & POLLERR)
		return EPIPE;
	return write(STDOUT_FILENO, "", 0) < 0 ? errno : 0;
}

bool out_close(struct out *out)
{
	int err;

	if (out->line_is_open)
		fputc('\n', stderr);
	out->line_is_open = false;
	out_flush(out);
	if (!ferror(stdout))
		return !out->lost;
	err = out->write_error ? out->write_error : ask_why();
	/* Who closed the pipe has seen enough. */
	if (err != EPIPE)
		fprintf(stderr, "xsk: cannot write to stdout%s%s\n", err ? ": " : "",
			err ? strerror(err) : "");
	return false;
}
