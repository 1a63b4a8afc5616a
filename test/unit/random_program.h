/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Valid programs of classic BPF that only jump forward, and packets for them; by a seed. */
#ifndef XSK_TEST_RANDOM_PROGRAM_H
#define XSK_TEST_RANDOM_PROGRAM_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#define RANDOM_INSNS 64
#define RANDOM_BYTES 96

/* Returns how many instructions it has. */
uint32_t random_program(struct sock_filter insns[RANDOM_INSNS], uint64_t *seed);
/* Returns its length. */
size_t random_packet(uint8_t packet[RANDOM_BYTES], uint64_t *seed);

#endif /* XSK_TEST_RANDOM_PROGRAM_H */
