/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Packets as they are on a wire, to begin with. */
#ifndef FUZZ_PACKETS_H
#define FUZZ_PACKETS_H

#include <stddef.h>
#include <stdint.h>

/* The first of them is of zeros alone. None has an authentication header. */
#define PACKETS 12

/*
 * Writes packet number which, at least 0, to len bytes: cut, or followed by bytes that seed
 * makes (0: zeros). Returns how long it is by itself.
 */
size_t packets_fill(uint8_t *to, size_t len, unsigned int which, uint8_t seed);

#endif /* FUZZ_PACKETS_H */
