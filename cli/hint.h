/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The library's hints, for who types commands. */
#ifndef XSK_CLI_HINT_H
#define XSK_CLI_HINT_H

#include <stdbool.h>

struct xsk_error;

#define HINT_SIZE 512

/*
 * With the names of options where the library has those of constants. What can only be done
 * in C is left out, and where the command has no options of session.h (it does not open), all
 * that is done by these. Returns to, which is fit to be printed, and may be empty.
 */
char *hint_say(char to[HINT_SIZE], const char *hint, bool opens);

/* Likewise what to do about the error: the command's own words, where it has better ones. */
char *hint_of(char to[HINT_SIZE], const struct xsk_error *error, bool opens);

/* What the capabilities that are needed to open a port are given by: for setcap(8). */
#define HINT_CAPABILITIES "cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon"

/* The path of this command, fit to be printed. */
char *hint_program(char to[HINT_SIZE]);

#endif /* XSK_CLI_HINT_H */
