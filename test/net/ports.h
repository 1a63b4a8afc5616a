/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What tests of the port share. Everything here asserts. */
#ifndef TEST_PORTS_H
#define TEST_PORTS_H

#include <xsk/xsk.h>

#include "lab.h"

#define PORTS_BURST 64

/* Opens, or fails the test with the reason. opts.sz is set here. */
struct xsk_port *ports_open(const char *ifname, struct xsk_port_opts opts);

/* That opening fails with code, and that reason and hint have these words. */
void ports_refused(const char *ifname, struct xsk_port_opts opts, int code,
		   const char *reason, const char *hint);

/* That the last verb to fail in this thread said so. */
void ports_assert_last(int code, const char *reason, const char *hint);

struct xsk_port_info ports_info(const struct xsk_port *port);
struct xsk_port_stats ports_stats(const struct xsk_port *port);

/* The numbers in the six places add up to the number of frames. Returns them. */
struct xsk_port_stats ports_assert_law(const struct xsk_port *port);

/*
 * Sends frames number first to first + count - 1 from lab1, of 60 to 1514 bytes, some
 * at a time, and receives them on the queue, which must have them in order and whole.
 * They are freed.
 */
void ports_receive(struct xsk_queue *queue, const struct lab *lab, uint32_t first,
		   uint32_t count);
/* The other way: from the queue to lab1. */
void ports_transmit(struct xsk_queue *queue, const struct lab *lab, uint32_t first,
		    uint32_t count);

/*
 * Receives exactly count frames within 2 seconds, or fails; frames has room for them,
 * and they stay the caller's.
 */
void ports_take(struct xsk_queue *queue, struct xsk_frame *frames, int count);

/* Flushes and waits until the kernel has sent all, or fails after 2 seconds. */
void ports_drain(struct xsk_queue *queue);

/* Memory for frames that this process has: how many mappings of it. */
int ports_areas(void);

#endif /* TEST_PORTS_H */
