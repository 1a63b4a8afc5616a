/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The library's hints, for who types commands. */
#ifndef XSK_CLI_HINT_H
#define XSK_CLI_HINT_H

#include <stdbool.h>

#define HINT_SIZE 256

/*
 * With the names of options where the library has those of constants. What can only be done
 * in C is left out, and where the command has no options of session.h (it does not open), all
 * that is done by these. Returns to, which is fit to be printed, and may be empty.
 */
char *hint_say(char to[HINT_SIZE], const char *hint, bool opens);

#endif /* XSK_CLI_HINT_H */
