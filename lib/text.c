/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>

void xsk_text_add(struct xsk_text *text, const char *format, ...)
{
	size_t used = text->len < text->size ? text->len : text->size;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text->at ? text->at + used : NULL, text->size - used, format, args);
	va_end(args);
	text->len += len > 0 ? (size_t)len : 0;
}
