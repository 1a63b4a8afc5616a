/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The soak: two sides, each a network namespace with a port on one or two veth pairs
 * ("links"), send to each other as fast as they can, while links flap and ports are
 * closed and opened with other options. What is to hold at all times is asserted at
 * all times.
 *
 *     soak.c    eras and rounds, progress, the end
 *     side.c    a side's threads: what they do in a round, and between rounds
 *     life.c    opening and closing of ports, with random options
 *     work.c    a random burst: receive, send, hold, forward, free, wait
 *     hand.c    the verbs, each held against a model of who has what
 *     packet.c  packets whose every byte is known; none twice, none out of order
 *     record.c  what busy polling writes down, to be put back
 *     link.c    the pairs, their counters, and who takes them down and up
 *
 * An era has its own namespaces and pairs. Of its rounds the quiet ones must end with
 * each packet accounted for; in the others, storms, that holds for the links that
 * were left alone.
 */
#ifndef TEST_SOAK_H
#define TEST_SOAK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <xsk/xsk.h>

#include "../net/lab.h"

#define SOAK_LINKS 2
#define SOAK_LANES 3
#define SOAK_BURST 64
#define SOAK_FRAGS 18		/* of one packet */
#define SOAK_PENDING 512
#define SOAK_HELD 256

/* ---- chance ---- */

struct chance {
	uint64_t state;
};

static inline uint64_t chance_word(struct chance *chance)
{
	uint64_t z = chance->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 to n - 1. */
static inline uint32_t chance_below(struct chance *chance, uint32_t n)
{
	return (uint32_t)((chance_word(chance) >> 32) * n >> 32);
}

/* From least to most, both included. */
static inline uint32_t chance_from(struct chance *chance, uint32_t least, uint32_t most)
{
	return least + chance_below(chance, most - least + 1);
}

/* Once in n times. */
static inline bool chance_in(struct chance *chance, uint32_t n)
{
	return !chance_below(chance, n);
}

/* ---- what was done ---- */

enum soak_kind {
	DID_SEND,
	DID_RECEIVE,
	DID_FORWARD,		/* to the other link */
	DID_ECHO,		/* back where it came from */
	DID_HOLD,
	DID_FREE_UNSENT,
	DID_FRAGS,		/* received packets of several frames */
	DID_CUT,		/* xsk_tx() took less than it was given */
	DID_MOVE,		/* freed on another queue than it came by */
	DID_MISUSE,		/* refused by a checked port */
	DID_OPEN_NATIVE,
	DID_OPEN_GENERIC,
	DID_OPEN_CHECKED,
	DID_OPEN_UNCHECKED,
	DID_OPEN_QUEUES,
	DID_OPEN_PART,		/* not all queues of the interface */
	DID_OPEN_SHARED,
	DID_OPEN_FRAGS,
	DID_OPEN_SLEEP,
	DID_OPEN_SPIN,
	DID_OPEN_BUSY_POLL,
	DID_OPEN_ADAPTIVE,
	DID_OPEN_LATE,		/* the queue was still busy at first; need not happen */
	DID_REOPEN_0,		/* in the traffic, of side 0 and of side 1 */
	DID_REOPEN_1,
	DID_REOPEN_SHARED,	/* while the port that shares its memory goes on */
	DID_REFUSE_SHARE,	/* the caller had frames */
	DID_TWO_THREADS,
	DID_FLAP_0,		/* of side 0, of side 1, of both at once */
	DID_FLAP_1,
	DID_FLAP_BOTH,
	DID_ASK,		/* by a thread that is not the port's */
	DID_LAW,
	DID_WAKE_SLEEP,
	DID_WAKE_SPIN,
	DID_WAKE_BUSY_POLL,
	DID_WAKE_ADAPTIVE,
	DID_ACCOUNT,		/* links of a round whose packets were accounted for */
	DID_GONE,		/* the interface, under an open port */
	DID_KINDS,
};

void soak_did(enum soak_kind kind, uint64_t n);
bool soak_has_done(enum soak_kind kind);

/* Says what, with the seed, and ends the process. */
__attribute__((format(printf, 1, 2), noreturn))
void soak_fail(const char *format, ...);

#define soak_check(condition, ...) \
	do { \
		if (!(condition)) \
			soak_fail(__VA_ARGS__); \
	} while (0)

uint64_t soak_now_us(void);
void soak_sleep_us(uint32_t us);

/* ---- packets ---- */

/* In each packet. The first half is of the way from one port to the next. */
struct stamp {
	uint32_t magic;
	uint32_t life;		/* of the sending port; no two have the same */
	uint32_t seq;		/* counted by life and queue */
	uint8_t queue;
	uint8_t hops;
	uint16_t zero;
	uint32_t number;	/* what the other bytes follow from, with len */
	uint32_t len;
	uint32_t check;		/* of the above */
};

#define FLOW_LIVES 128
#define FLOW_WINDOW 16384	/* more than can be on the way */

/* What one port has sent by one queue, as the other end has seen it. */
struct flow {
	uint32_t life;
	uint32_t top;		/* the latest seq */
	uint32_t top_in;	/* the receiver's life then */
	uint64_t seen[FLOW_WINDOW / 64];
};

struct flows {
	struct flow at[FLOW_LIVES][SOAK_LANES];
};

/* ---- sides ---- */

struct held {
	struct xsk_frame frames[SOAK_FRAGS];
	int n;
	struct stamp stamp;
};

/* Of a lane, towards one link. */
struct lane_link {
	struct xsk_queue *queue;	/* NULL: closed, or the port has fewer */
	uint32_t seq;
	/* What is to be sent, before anything else. */
	int pending;
	struct xsk_frame frames[SOAK_PENDING];
	/* What the verbs gave and took in this life, and in the era. */
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, refused;
	uint64_t sent, received;
};

/* Queue i of the ports of a side: always one thread's. */
struct lane {
	struct side *side;
	uint32_t index;
	struct chance chance;
	struct lane_link links[SOAK_LINKS];
	int in_hand;			/* frames, those pending and held included */
	int nheld;
	int held_frames;
	struct held held[SOAK_HELD];
};

struct end {
	struct xsk_port *port;		/* NULL: closed */
	struct xsk_port_info info;
	uint32_t life;
	bool whole;			/* has all queues of the interface */
	bool gone;			/* a verb said so */
};

/* Where the packets of a link were lost, or not, since the interface was made. */
struct account {
	uint64_t sent, received;
	uint64_t dropped_sending;	/* by the interface */
	uint64_t dropped_receiving;	/* by the sockets of this life */
};

struct side {
	int index;
	struct chance chance;
	struct end ends[SOAK_LINKS];
	struct lane lanes[SOAK_LANES];
	struct flows flows[SOAK_LINKS];
	/* The memory of its ports. */
	bool checked, booked;
	uint32_t frame_size, frames, frames_per_pool, headroom;
	uint8_t *mine;			/* for each frame: it is in a hand */
	/* Held to open, close and ask. */
	pthread_mutex_t asking;
	struct account before[SOAK_LINKS], after[SOAK_LINKS];
	/* The helper has all lanes but the first, while it is wanted. */
	pthread_t master, helper;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool wanted, working, over;
};

struct soak {
	uint64_t seed;
	uint32_t era, round;
	struct lab lab;
	uint32_t links, queues;
	bool frags;			/* packets of several frames */
	bool has_frags, has_busy_poll;	/* the kernel */
	bool storm;
	bool stop;			/* the round is over */
	bool leaving;			/* the interfaces go */
	bool again;			/* the accounts are not settled yet */
	bool last;			/* no round follows */
	bool disturbed[SOAK_LINKS];	/* in this round */
	uint32_t probe_link;
	pthread_barrier_t barrier;	/* both masters and the main thread */
	struct side sides[2];
};

extern struct soak soak;

static inline bool soak_is(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static inline void soak_set(bool *flag, bool value)
{
	__atomic_store_n(flag, value, __ATOMIC_RELEASE);
}

/* ---- packet.c ---- */

/* The bytes of a packet into frames that have their addr and len. */
void packet_write(const struct xsk_queue *queue, struct xsk_frame *frames, int n,
		  struct stamp *stamp);
/* The stamp alone, into a packet. */
void packet_stamp(const struct xsk_queue *queue, const struct xsk_frame *frames,
		  struct stamp *stamp);
/* The frames of the packet that starts here, which must end among the n. */
int packet_frames(const struct xsk_frame *frames, int n);
/* Every byte is as it was written. */
void packet_check(const struct xsk_queue *queue, const struct xsk_frame *frames, int n,
		  struct stamp *stamp);
/* It was not seen before; and where order is kept, nothing later was. */
void packet_seen(struct flows *flows, const struct stamp *stamp, uint32_t receiver_life,
		 bool ordered);

/* ---- hand.c: they return what the verb does; what it may not return fails ---- */

int hand_rx(struct lane *lane, uint32_t link, struct xsk_frame *frames, int n);
int hand_alloc(struct lane *lane, uint32_t link, struct xsk_frame *frames, int n);
void hand_free(struct lane *lane, uint32_t link, struct xsk_frame *frames, int n);
int hand_tx(struct lane *lane, uint32_t link, const struct xsk_frame *frames, int n);
int hand_flush(struct lane *lane, uint32_t link);
int hand_wait(struct lane *lane, struct xsk_queue *const *queues, int n, uint32_t link,
	      int timeout_ms);
/* What a checked port refuses: a frame that was given away. */
void hand_misuse(struct lane *lane, uint32_t link, const struct xsk_frame *frame);
/* No thread of the side is inside a verb. */
void hand_law(struct side *side);
/* What is in the hands of a side whose memory goes: nothing any more. */
void hand_forget(struct side *side);

/* ---- work.c ---- */

void work_step(struct lane *lane, bool alone);
/* Received packets of a lane are looked at and freed; returns how many. */
int work_receive_all(struct lane *lane, uint32_t link);
/* What is pending goes to TX, as far as it fits, or is freed. */
void work_push(struct lane *lane, uint32_t link);
void work_drop_pending(struct lane *lane, uint32_t link, uint32_t by_link);
void work_release_all(struct lane *lane);
/* Allocates some frames, of which one packet is held perhaps. */
void work_hold(struct lane *lane, bool alone);
/* As many frames as there are, or can be pending, without sending them yet. */
void work_take_all(struct lane *lane, uint32_t link);
/* One packet, at once. */
void work_send_one(struct lane *lane, uint32_t link);

/* ---- life.c ---- */

void life_open(struct side *side, uint32_t link, bool in_traffic);
void life_close(struct side *side, uint32_t link);
void life_reopen(struct side *side, uint32_t link);

/* ---- side.c ---- */

void side_start(struct side *side, int index);
void side_join(struct side *side);

/* ---- record.c ---- */

/* While there are the interfaces, and after the ports. */
void record_begin(void);
void record_end(void);

/* ---- link.c ---- */

const char *link_name(uint32_t link, int side);
/* The second pair, beside the lab's; and the MTU. */
void link_make(void);
/* Packets that the interface dropped in sending, as it counts them. */
uint64_t link_dropped(uint32_t link, int side);
void link_start_flaps(void);
/* All links are up then. */
void link_stop_flaps(void);
/* Takes the pairs away, under the open ports. */
void link_remove(void);

#endif /* TEST_SOAK_H */
