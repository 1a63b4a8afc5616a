/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What the contenders of burst.c have in common: each is one file that defines
 * these functions, and a program of its own.
 *
 * callgrind counts receive_burst(), send_burst() and kick() by their names
 * (--toggle-collect); they stand in another file than their callers, so none is
 * merged with its caller.
 */
#ifndef XSK_BENCH_BURST_H
#define XSK_BENCH_BURST_H

#include <stdint.h>

#define BURST 64
#define PACKET_SIZE 64

struct contender;

/* Queue 0 of ifname, ready to receive and to send. checked: only the port can be. */
struct contender *open_contender(const char *ifname, int checked);
void close_contender(struct contender *contender);

/*
 * Takes up to BURST packets, adds their lengths to the bytes received, and gives
 * their frames back. Returns how many.
 */
unsigned int receive_burst(struct contender *contender);
uint64_t received_bytes(const struct contender *contender);

/* Takes BURST empty frames, and has each sent with PACKET_SIZE bytes; or returns 0. */
unsigned int send_burst(struct contender *contender);

/*
 * Has the kernel send what send_burst() left to it. Returns 1 where it must be called
 * again. DPDK's does nothing: its send_burst() does it.
 */
int kick(struct contender *contender);

#endif /* XSK_BENCH_BURST_H */
