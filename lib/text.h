/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Text that is printed piece by piece into the caller's memory, and cut where that ends. */
#ifndef XSK_LIB_TEXT_H
#define XSK_LIB_TEXT_H

#include <stddef.h>

struct xsk_text {
	char *at;		/* NULL: it is only measured */
	size_t size;
	size_t len;		/* of the whole, without its 0 */
};

__attribute__((format(printf, 2, 3)))
void xsk_text_add(struct xsk_text *text, const char *format, ...);

#endif /* XSK_LIB_TEXT_H */
