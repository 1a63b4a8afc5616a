/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What a program of calls works on: veth pairs, memory, UMEMs, sockets; and a
 * model of them that says which calls and which rings the interface's contract
 * permits. After each program all must be as before.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <xdp/xsk.h>

#include "input.h"
#include "lab.h"
#include "user_prog.h"

#define PAGE 4096ULL
#define PAGES 64ULL			/* of a UMEM at most */
#define AREA (PAGES * PAGE)
#define BLOCK 2048ULL			/* the smallest frame */
#define BLOCKS (AREA / BLOCK)

#define UMEMS 3
#define SOCKETS 6
#define VIEWS 6
#define QUEUES SOCKETS

/*
 * Memory for one UMEM, with a page on each side that belongs to none, and
 * beyond those nothing that could be pinned.
 */
struct memory {
	uint8_t *area;
	bool touched[BLOCKS];		/* the kernel was allowed to write there */
};

struct queue;

/* A pair of structs as a caller has them, and which queue they show. */
struct view {
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp;
	bool fill_lives, comp_lives;
	struct queue *fill_of, *comp_of;	/* NULL: of a UMEM without a queue */
};

struct umem {
	struct xsk_umem *umem;		/* NULL: the place is free */
	struct memory *memory;
	uint8_t *base;			/* where in it address 0 is */
	uint64_t size;
	uint32_t frame_size;
	bool unaligned;
	unsigned int sockets;
	struct view own;
};

struct queue {
	struct umem *umem;
	int side, ifindex;
	uint32_t id;
	unsigned int sockets;		/* 0: the place is free */
	struct view *fill, *comp;	/* in which its rings are */
};

struct socket {
	struct xsk_socket *xsk;		/* NULL: the place is free */
	struct umem *umem;
	struct queue *queue;
	bool has_rx, has_tx;
	struct xsk_ring_cons rx;
	struct xsk_ring_prod tx;
};

/* How often a program may do what takes long. */
struct budget {
	int creates, programs, pairs, forks, copies, interface;
};

struct world {
	struct lab *lab;
	int side;
	int peers[2];			/* packet sockets, one on each side */
	struct memory memory[UMEMS];
	struct umem umems[UMEMS];
	struct socket sockets[SOCKETS];
	struct queue queues[QUEUES];
	struct view views[VIEWS];
	struct user_prog user;
	int user_side;
	bool has_user;
	int copy;			/* of a socket's descriptor; -1: none */
	int limit;			/* descriptors that the next call finds; -1: all */
	bool limited;			/* the last call found fewer than there could be */
	bool changed;			/* the interface is not as it was */
	bool with_program;
	struct budget left;
};

extern struct world world;

/* Prints and ends: what was found is what the fuzzer was working on. */
__attribute__((format(printf, 1, 2), noreturn))
void world_fail(const char *format, ...);

/* Once; before and after each program. */
void world_open(void);
void world_begin(void);
void world_end(struct input *in);

void world_enter(int side);
/* Up or down, and the MTU, of this side's interface; a pair in place of the pair. */
void world_set_up(bool up);
void world_set_mtu(int mtu);
void world_new_pair(void);
/* Sends count packets of len bytes to a queue of a side's interface. */
void world_send(int side, unsigned int queue, unsigned int count, size_t len);

/* Around one call of the library: the limit of descriptors, if there is one. */
void world_limit(void);
void world_unlimit(void);

/*
 * A program of the user's on this side's interface, if none is there, and away.
 * how: its map is of type how % 3; bit 2: by netlink; bit 3: a map for one queue.
 */
void world_user_prog(uint8_t how);
void world_no_user_prog(void);

/* After each call that may have attached one. */
void world_note_programs(void);

/* lib/compat_share.c is in share.c, for this: xsk_setup_xdp_prog() has no end. */
void share_drop_kept(void);

/* ---- what there is to call: calls.c, rings.c ---- */

void call_umem_create(struct input *in);
void call_umem_create_opts(struct input *in);
void call_umem_delete(struct input *in);
void call_socket_create(struct input *in);
void call_socket_create_opts(struct input *in);
void call_socket_delete(struct input *in);
void call_update_map(struct input *in);
void call_setup(struct input *in);
void call_fork(struct input *in);
void call_copy(struct input *in);

void delete_umem(struct umem *umem);
void delete_socket(struct socket *socket);

void ring_fill(struct input *in);
void ring_tx(struct input *in);
void ring_submit(struct input *in);
void ring_take_back(struct input *in);
void ring_peek(struct input *in);
void ring_release(struct input *in);
void ring_put_back(struct input *in);
void ring_kick(struct input *in);

#endif /* FUZZ_WORLD_H */
