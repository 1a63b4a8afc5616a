/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The bytes of the fuzzer, read from front to back. At their end everything is
 * 0, so that each prefix of an input is an input.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input {
	const uint8_t *at;
	const uint8_t *end;
};

static inline size_t input_left(const struct input *in)
{
	return (size_t)(in->end - in->at);
}

/* Copies what there is, and returns how much that is. */
static inline size_t input_bytes(struct input *in, void *to, size_t len)
{
	if (len > input_left(in))
		len = input_left(in);
	memcpy(to, in->at, len);
	in->at += len;
	return len;
}

static inline uint8_t input_u8(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

/* Little-endian, as the machines that libxsk knows. */
static inline uint16_t input_u16(struct input *in)
{
	uint16_t value = 0;

	input_bytes(in, &value, sizeof(value));
	return value;
}

static inline uint64_t input_u64(struct input *in)
{
	uint64_t value = 0;

	input_bytes(in, &value, sizeof(value));
	return value;
}

/* One of the values of a table, by a byte. */
#define input_pick(in, table) ((table)[input_u8(in) % (sizeof(table) / sizeof((table)[0]))])

#endif /* FUZZ_INPUT_H */
