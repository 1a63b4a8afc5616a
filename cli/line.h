/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Text that is added to from left to right, and cut where there is no more room. */
#ifndef XSK_CLI_LINE_H
#define XSK_CLI_LINE_H

#include <stddef.h>
#include <stdint.h>

struct line {
	char *text;		/* ends with a 0 at any time */
	size_t size, len;
};

/* text has size bytes, one at least. */
void line_start(struct line *line, char *text, size_t size);

__attribute__((format(printf, 2, 3)))
void line_add(struct line *line, const char *format, ...);

void line_add_mac(struct line *line, const uint8_t mac[6]);

/* version 4 or 6 */
void line_add_ip(struct line *line, int version, const uint8_t *address);

#endif /* XSK_CLI_LINE_H */
