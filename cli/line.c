/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "line.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

void line_start(struct line *line, char *text, size_t size)
{
	*line = (struct line){ text, size, 0 };
	*text = '\0';
}

void line_add(struct line *line, const char *format, ...)
{
	size_t room = line->size - line->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line->text + line->len, room, format, args);
	va_end(args);
	if (len > 0)
		line->len += (size_t)len < room ? (size_t)len : room - 1;
}

void line_add_mac(struct line *line, const uint8_t mac[6])
{
	line_add(line, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
}

void line_add_ip(struct line *line, int version, const uint8_t *address)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(version == 6 ? AF_INET6 : AF_INET, address, text, sizeof(text));
	line_add(line, "%s", text);
}
