/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "error.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

/*
 * The inherited functions and the verbs return an int and have no place for a
 * reason. It is kept as errno is: for the thread, until the next failure. (By a key rather
 * than _Thread_local, which would make the library depend on the dynamic
 * linker's own symbols.)
 */
static pthread_once_t last_once = PTHREAD_ONCE_INIT;
static pthread_key_t last_key;
static bool last_key_made;

static void make_last_key(void)
{
	last_key_made = !pthread_key_create(&last_key, free);
}

static struct xsk_error *last_of_thread(void)
{
	pthread_once(&last_once, make_last_key);
	return last_key_made ? pthread_getspecific(last_key) : NULL;
}

void xsk_error_last(struct xsk_error *error)
{
	const struct xsk_error *last = last_of_thread();

	if (!error)
		return;
	if (last)
		*error = *last;
	else
		*error = (struct xsk_error){ 0 };
}

int xsk_error_keep(const struct xsk_error *error)
{
	struct xsk_error *last = last_of_thread();

	if (!last && last_key_made) {
		last = malloc(sizeof(*last));
		if (pthread_setspecific(last_key, last)) {
			free(last);
			last = NULL;
		}
	}
	if (last)
		*last = *error;
	return error->code;
}
