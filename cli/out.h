/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What a command says: on stdout what was asked for, on stderr all about it. */
#ifndef XSK_CLI_OUT_H
#define XSK_CLI_OUT_H

#include <stdbool.h>

#include <jansson.h>

struct xsk_error;

struct out {
	bool json;		/* on stdout there is an object a line, and nothing else */
	bool colour;		/* stdout is a terminal that wants it */
	bool redraws;		/* stdout is one that can be drawn over */
	bool rewrites;		/* stderr is a terminal: a line of progress may be written over */
	bool line_is_open;	/* and it is */
	bool lost;		/* something was to be said on stdout, and could not be made */
	int write_error;	/* errno of the first write to stdout that failed, if known */
};

/* json: --json was given. */
void out_open(struct out *out, bool json);

/*
 * "xsk: subject: step: reason; hint" on stderr, with the names of options where the library
 * has those of constants; in JSON also an object of type "error". subject may be NULL.
 */
void out_error(struct out *out, const char *subject, const struct xsk_error *error);

/* "xsk: subject: what went wrong" likewise. Put the next move behind "; ". */
__attribute__((format(printf, 3, 4)))
void out_fail(struct out *out, const char *subject, const char *format, ...);

/* "xsk: …" on stderr, what is worth knowing. */
__attribute__((format(printf, 2, 3)))
void out_note(struct out *out, const char *format, ...);

/*
 * A line of progress on stderr, over the last one where that is a terminal; not in the
 * background there. Not in JSON.
 */
__attribute__((format(printf, 2, 3)))
void out_progress(struct out *out, const char *format, ...);

/* Ends such a line, if there is one: for who writes to stdout himself. */
void out_line(struct out *out);

/*
 * What others have written, made fit for a terminal and for JSON: bytes that are control
 * characters, or no UTF-8, become question marks. Returns text.
 */
char *out_clean(char *text);

/* What stdout has is written. */
void out_flush(struct out *out);

/*
 * The object as a line on stdout; takes the reference. NULL: it could not be made; stderr says
 * so, and out_close() returns false.
 */
void out_json(struct out *out, json_t *object);

/* On stdout in this colour, where there are colours. */
enum out_colour { OUT_PLAIN, OUT_BOLD, OUT_GREEN, OUT_YELLOW, OUT_RED, OUT_DIM };
const char *out_start(const struct out *out, enum out_colour colour);
const char *out_end(const struct out *out);

/* Whether stdout can no longer be written to: its reader went, or the disk is full. */
bool out_is_broken(void);

/* Writes what is left. False: it could not be, and stderr says why, unless its reader went. */
bool out_close(struct out *out);

#endif /* XSK_CLI_OUT_H */
