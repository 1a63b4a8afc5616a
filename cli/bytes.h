/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Numbers in packets, the greatest byte first, wherever they are. */
#ifndef CLI_BYTES_H
#define CLI_BYTES_H

#include <stdint.h>

static inline uint16_t read16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t read32(const uint8_t *at)
{
	return (uint32_t)read16(at) << 16 | read16(at + 2);
}

static inline uint64_t read64(const uint8_t *at)
{
	return (uint64_t)read32(at) << 32 | read32(at + 4);
}

/* The low 16 bits of the value. */
static inline void write16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void write64(uint8_t *at, uint64_t value)
{
	for (int i = 8; i--; value >>= 8)
		at[i] = (uint8_t)value;
}

#endif /* CLI_BYTES_H */
