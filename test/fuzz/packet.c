/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The bytes are a packet, after two that say how many more it had than were captured. xsk recv
 * describes it: in a line and in an object of JSON, neither too long, both of printable
 * characters, and by the bytes alone. What is captured of it less is not told more of.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "input.h"
#include "packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fail(...) do { \
	fprintf(stderr, "fuzz: " __VA_ARGS__); \
	fputc('\n', stderr); \
	abort(); \
} while (0)

/* Text that is not written is of this, so that what depends on it differs. */
static void say(char text[PACKET_TEXT], char json[PACKET_JSON], const struct packet *packet,
		int rubbish)
{
	memset(text, rubbish, PACKET_TEXT);
	memset(json, rubbish, PACKET_JSON);
	packet_say(text, packet);
	packet_json(json, packet);
}

static void check_text(const char *text, size_t room)
{
	size_t len = strnlen(text, room);

	/* At the end of the room it would have been cut. */
	if (len + 1 >= room)
		fail("a text of %zu bytes", len);
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			fail("a character that is not printable: %#x", text[i]);
}

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		fail("no number called %s", key);
	return json_integer_value(value);
}

static void check_json(const char *members, size_t captured, size_t len)
{
	char text[PACKET_JSON + 2];
	json_t *object;

	snprintf(text, sizeof(text), "{%s}", members);
	object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!object)
		fail("this is no JSON: %s", text);
	if (number(object, "captured") != (json_int_t)captured ||
	    number(object, "length") != (json_int_t)len)
		fail("other lengths than told");
	json_decref(object);
}

/* In memory of just that size: its end is watched. */
static uint32_t describe(const uint8_t *bytes, size_t captured, size_t len)
{
	char text[PACKET_TEXT], again[PACKET_TEXT], json[PACKET_JSON], json_again[PACKET_JSON];
	uint8_t *copy = malloc(captured + 1);
	struct packet packet;
	uint32_t layers;

	if (!copy)
		abort();
	memcpy(copy + 1, bytes, captured);
	memset(&packet, 0x5a, sizeof(packet));
	packet_parse(&packet, copy + 1, captured, len);
	say(text, json, &packet, 0x5a);
	layers = packet.layers;
	memset(&packet, 0xa5, sizeof(packet));
	packet_parse(&packet, copy + 1, captured, len);
	say(again, json_again, &packet, 0x7f);
	free(copy);
	check_text(text, sizeof(text));
	check_text(json, sizeof(json));
	check_json(json, captured, len);
	if (strcmp(text, again) || strcmp(json, json_again))
		fail("it is described in two ways: %s, %s", text, again);
	return layers;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	size_t more = input_u16(&in), captured = input_left(&in);
	uint32_t layers = describe(in.at, captured, captured + more);
	uint32_t fewer = describe(in.at, captured / 2, captured + more);

	if (fewer & ~layers)
		fail("of less of it more is known: %#x, %#x", fewer, layers);
	return 0;
}
