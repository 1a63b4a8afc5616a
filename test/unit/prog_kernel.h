/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * One interface and a bpf(2) that are faked: what lib/prog.c and attached.c call. Each call
 * can be made to fail, others can step in before each, and every descriptor given out is
 * counted.
 */
#ifndef XSK_TEST_PROG_KERNEL_H
#define XSK_TEST_PROG_KERNEL_H

#include <bpf/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xsk/error.h>

#include "insn.h"
#include "prog.h"

#define DIRT 0xa5
#define IFINDEX 12
#define OTHER_IFINDEX 13
#define QUEUES 8

#define FIRST_FD 100
#define MAX_FDS 1024
#define MAX_OBJECTS 512
#define MAX_MAPS_OF_PROG 70		/* more than prog.c takes */
#define MAX_LOADS 8			/* of which is kept how they were asked for */
#define MAX_CPUS 4

enum kind { NONE, MAP, PROG, LINK };

struct map {
	uint32_t id;
	uint32_t type;
	const char *name;
};

struct prog {
	uint32_t id;
	const char *name;
	uint32_t maps[MAX_MAPS_OF_PROG];	/* ids */
	uint32_t map_count;
	uint8_t tag[BPF_TAG_SIZE];	/* of those that were loaded */
	bool gone;			/* but for those who hold a descriptor */
};

struct link {
	uint32_t id;
	uint32_t type;
	uint32_t prog_id;
	uint32_t ifindex;
	uint32_t extends, function;	/* of a tracing link: program, BTF id */
	uint32_t attach_type;		/* and how: 0 for freplace */
	bool gone;
};

struct kernel {
	int calls;			/* that can fail */
	int fail_at;			/* the number of the one that does; 0: none */
	const char *fail_name;		/* or: all of this name */
	int fail_with;
	void (*before)(const char *name);	/* what others do meanwhile */

	uint64_t lacking;		/* capabilities, by bit */
	bool no_links;			/* bpf_link for XDP: -EINVAL, as before 5.9 */
	bool no_frags;			/* as before 5.18 */
	bool no_buff_len;		/* the helper of that name, as before 5.18 */
	const char *log;		/* the verifier's, of a load that fails */
	int cpus;			/* that may come; each has counted this: */
	uint64_t counters[MAX_CPUS][XSK_COUNTERS];
	uint32_t read_map;		/* the last one that was read */
	int occupied;			/* what netlink says to a second program */
	bool links_are_silent;		/* on what they extend, as before 5.13 */
	uint32_t pins[10];		/* the components that libxdp has pinned, by id */

	uint32_t attached;		/* the id of the interface's program; 0: none */
	uint32_t last_id;

	struct map maps[MAX_OBJECTS];
	struct prog progs[MAX_OBJECTS];
	struct link links[MAX_OBJECTS];
	int map_count, prog_count, link_count;

	struct {
		enum kind kind;		/* NONE: closed */
		uint32_t id;
	} fds[MAX_FDS];
	int fd_count;			/* ever given out */
	int wrong_closes;		/* of what is not open */

	int gets, sleeps, loads;
	bool signals_blocked;
	uint32_t load_flags[MAX_LOADS];
	bool load_buff_len[MAX_LOADS];	/* with the helper of that name */
	bool load_logs[MAX_LOADS];	/* with the verifier's words */
	int link_ends;		/* so many looks at a link that ends, then it has */
	int set_xdp_calls;
	int set_xdp_prog_fd, set_xdp_expected_fd, set_xdp_ifindex;
	uint32_t set_xdp_flags, link_flags;
	int updates;
	uint32_t update_key, update_value;
	uint64_t update_flags;
};
extern struct kernel kernel;

/* A new one; of cmocka's shape. */
int reset(void **state);

int give_fd(enum kind kind, uint32_t id);
enum kind kind_of(int fd);
uint32_t id_of(int fd);
int open_fds(void);

const struct map *find_map(uint32_t id);
const struct prog *find_prog(uint32_t id);
const struct link *find_link(uint32_t id);
uint32_t add_map(uint32_t type, const char *name);
struct prog *add_prog(const char *name);
uint32_t add_link(uint32_t type, uint32_t prog_id, uint32_t ifindex);

/*
 * A program of others on the interface, with this map. Attached by netlink, or with a map of
 * sockets by a link, which stands among those of other interfaces, programs and kinds.
 */
struct prog *attach_other(uint32_t map_type, const char *map_name);
struct prog *attach_other_by_link(void);

/* Leaves, and nothing is open then. */
void assert_left(struct xsk_prog *prog);

#endif /* XSK_TEST_PROG_KERNEL_H */
