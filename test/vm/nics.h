/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A lab on a pair of NICs (lab_open_nics()), which are slower to be ready than a
 * veth, and may have zero-copy. The calling thread is in namespace 0.
 */
#ifndef TEST_NICS_H
#define TEST_NICS_H

#include "node.h"

/* igb delivers old packets once more when it has used up what was in FILL (7.3). */
#define NICS_STOCK 64

/*
 * A lab on NAME0 and NAME1, with one queue in use. Returns what is missing for
 * zero-copy, or NULL: by bare system calls, not by the library. Where there is no
 * such NIC, there is no lab, and lab->nics is NULL.
 */
const char *nics_open(struct lab *lab, const char *name);
void nics_close(struct lab *lab);

void nics_sleep_ms(long ms);

/* Until both ends have a carrier. */
void nics_await_link(const struct lab *lab);

/* And until packets pass: a link that has come up may lose what is sent first. */
void nics_settle(const struct lab *lab, struct node *node);
void nics_settle_receiving(const struct lab *lab, struct node *node);
void nics_settle_sending(const struct lab *lab, struct node *node);

/* Takes what has arrived at the peer. */
void nics_drain_peer(const struct lab *lab);

/* Of lab0. Where it is so already, or cannot be, nothing is done. */
void nics_set_queues(unsigned int queues);

/* Whether a socket got it. */
bool nics_is_zerocopy(const struct node *node);

#endif /* TEST_NICS_H */
