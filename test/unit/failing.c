/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "failing.h"

#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *memory);

static int until, held;
static bool failed;

void fail_allocation(int number)
{
	until = number;
	held = 0;
	failed = false;
}

bool allocation_failed(void)
{
	return failed;
}

int allocations_held(void)
{
	return held;
}

static bool fails(void)
{
	if (!until || --until)
		return false;
	failed = true;
	return true;
}

static void *hold(void *memory)
{
	held += memory != NULL;
	return memory;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : hold(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : hold(__real_calloc(count, size));
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	void *memory;

	if (fails())
		return NULL;
	memory = __real_reallocarray(old, count, size);
	return old ? memory : hold(memory);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : hold(__real_strdup(text));
}

void __wrap_free(void *memory)
{
	held -= memory != NULL;
	__real_free(memory);
}
