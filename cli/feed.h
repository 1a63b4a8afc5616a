/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Packets that a thread of their own reads, where reading may block: so who sends them waits
 * only for those that are not there yet. It reads ahead, but not far.
 */
#ifndef XSK_CLI_FEED_H
#define XSK_CLI_FEED_H

#include "capture_read.h"

/* One packet, as capture_next(), in that thread. Returns soon after end_fd can be read. */
typedef int feed_read(void *from, struct capture_packet *packet, char why[CAPTURE_WHY]);

struct feed;

/* Begins to read. end_fd is an eventfd of the caller's. NULL: there is no memory. */
struct feed *feed_open(feed_read *read, void *from, int end_fd);

/* Ends the thread first. NULL is legal. */
void feed_close(struct feed *feed);

/* As capture_next(). */
int feed_next(struct feed *feed, struct capture_packet *packet, char why[CAPTURE_WHY]);

/* Until there is one, or the end, and at most so long. */
void feed_wait(struct feed *feed, int timeout_ms);

#endif /* XSK_CLI_FEED_H */
