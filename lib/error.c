/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int xsk_error_set(struct xsk_error *error, int code, const char *step,
		  const char *reason, ...)
{
	va_list args;

	error->code = code;
	error->hint[0] = '\0';
	snprintf(error->step, sizeof(error->step), "%s", step);
	va_start(args, reason);
	vsnprintf(error->reason, sizeof(error->reason), reason, args);
	va_end(args);
	return code;
}

int xsk_error_hint(struct xsk_error *error, const char *hint, ...)
{
	va_list args;

	va_start(args, hint);
	vsnprintf(error->hint, sizeof(error->hint), hint, args);
	va_end(args);
	return error->code;
}

int xsk_error_system(struct xsk_error *error, int code, const char *step)
{
	char words[128];

	/* The GNU form: it returns the text, in the buffer or elsewhere. */
	return xsk_error_set(error, code, step, "%s",
			     strerror_r(-code, words, sizeof(words)));
}
