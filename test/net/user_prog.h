/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* An XDP program of the user's own: with or without a map of sockets. */
#ifndef TEST_USER_PROG_H
#define TEST_USER_PROG_H

#include <stdbool.h>
#include <stdint.h>

struct user_prog {
	int prog_fd;
	int map_fd;		/* -1: none */
	int link_fd;		/* -1: attached by netlink */
	int ifindex;
	uint32_t id;
};

enum user_map { USER_MAP_NONE, USER_MAP_XSKMAP, USER_MAP_ARRAY };

/*
 * Loads a program called "users_own", which passes all packets to the stack
 * or, with an XSKMAP, to its sockets; the map is called xsks_map either way.
 */
void user_prog_load(struct user_prog *prog, enum user_map map, uint32_t entries);
void user_prog_attach(struct user_prog *prog, int ifindex, bool by_link);
/* Detaches, if it still is the one that is attached, and closes. */
void user_prog_unload(struct user_prog *prog);

#endif /* TEST_USER_PROG_H */
