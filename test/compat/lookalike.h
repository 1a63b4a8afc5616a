/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A program of the user's that libxdp takes for its own default, which it knows
 * by the name and by a version in the BTF; and what there is to see of one that
 * is attached.
 */
#ifndef TEST_LOOKALIKE_H
#define TEST_LOOKALIKE_H

#include <stdbool.h>
#include <stdint.h>

#include "user_prog.h"

/* Passes all packets; with USER_MAP_ARRAY it has such a map, called xsks_map. */
void lookalike_load(struct user_prog *prog, enum user_map map, bool versioned);

/* A descriptor of the attached program's map that is called xsks_map. */
int attached_map(uint32_t prog_id);

/* How many times the code of the attached program refers to this map. */
int attached_references(uint32_t prog_id, int map_fd);

#endif /* TEST_LOOKALIKE_H */
