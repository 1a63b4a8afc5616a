/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Words of a command line: tables say what they are called, what they mean, how they are
 * read, and into which field. Parsing, --help and completion go by the same tables.
 */
#ifndef XSK_CLI_ARGS_H
#define XSK_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ARG_WHY 160

/*
 * An option, or with name NULL the heading of those behind it. A table ends with an entry
 * of zeros.
 */
struct arg {
	const char *name;		/* "rate", for --rate */
	char letter;			/* 'r', for -r; 0: none */
	/* What its value is called: "RATE", or "WORD[,WORD]" of several. NULL: it has none. */
	const char *value;
	const char *help;		/* one sentence without a dot, or the heading */
	/*
	 * Reads text (NULL where it has no value) into the field. False: why says what it
	 * should be. One that is given twice is read twice.
	 */
	bool (*read)(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);
	size_t offset;			/* of the field in the command's options */
	double min, max;		/* where it is a number; both 0: any */
	/* arg_choice(), arg_bits(), and for completion: the words, up to NULL. */
	const char *const *words;
	bool is_file;			/* for completion */
};

/* What is no option: first those that must be there, then those that may. */
struct operand {
	const char *name;		/* "IFACE" */
	const char *help;
	bool optional;
	bool is_rest;			/* all words that are left, joined by spaces: a char *
					 * that args_free() frees; it has no reader
					 */
	bool is_interface, is_file;	/* for completion */
	bool (*read)(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);
	size_t offset;
	const char *const *words;	/* arg_choice(): as of an option */
};

#define MAX_TABLES 4

/* All that can be said to one command. */
struct args {
	const char *name;		/* "xsk recv" */
	const struct arg *tables[MAX_TABLES];	/* up to NULL */
	/* Where the fields of each table are in the command's options. */
	size_t offsets[MAX_TABLES];
	const struct operand *operands;	/* NULL: there are none */
};

/*
 * Reads the words behind argv[0] into options, which holds the defaults. Returns 0, or
 * 1 with "--help" (nothing else is read then), or -1 with what is wrong in why.
 */
int args_parse(const struct args *args, void *options, int argc, char **argv,
	       char why[ARG_WHY]);

/* What args_parse() allocated. */
void args_free(const struct args *args, void *options);

/* The usage and a line for each option. */
void args_help(const struct args *args, const char *summary, FILE *to);

/* ---- readers ---- */

/* bool: true */
bool arg_flag(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);
/* const char *: the word itself */
bool arg_text(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);
/* uint64_t: a count, 10k is 10000 */
bool arg_count(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);
/* uint64_t: bytes or ring entries, 64k is 65536 */
bool arg_size(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);
/* uint64_t: nanoseconds: 5s, 100ms, 2m; without a unit seconds */
bool arg_time(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);
/* struct units_rate: 100kpps, 1Gbit; without a unit packets */
bool arg_rate(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);
/* struct units_range: 5, or 3-7 */
bool arg_range(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);
/* int: the index of the word in words */
bool arg_choice(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);
/* uint32_t: ORs the bits of the words, of which there may be several: a,b */
bool arg_bits(const struct arg *arg, void *field, const char *text, char why[ARG_WHY]);

#endif /* XSK_CLI_ARGS_H */
