/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Packets from a file: pcap or pcapng, of Ethernet, with times in nanoseconds. What cannot be
 * read again, as a pipe, may have them later: it is read in a thread of its own (feed.h).
 */
#ifndef XSK_CLI_CAPTURE_READ_H
#define XSK_CLI_CAPTURE_READ_H

#include <stdbool.h>
#include <stdint.h>

#define CAPTURE_WHY 320

struct capture;

struct capture_packet {
	const void *data;	/* until the next call */
	uint32_t len;		/* bytes that there are */
	uint32_t wire_len;	/* bytes that it had: more, where the capture cut it */
	uint64_t time_ns;	/* since 1970 */
};

/* "-" is stdin. NULL: why says why not. What a pipe is of only its first packet tells. */
struct capture *capture_open(const char *path, char why[CAPTURE_WHY]);

/* The same of a descriptor, which stays the caller's. Reads from where it stands. */
struct capture *capture_open_fd(int fd, char why[CAPTURE_WHY]);

void capture_close(struct capture *capture);

/* 1; 0: there are no more; -1: the file is broken, and why says how; or this: not yet. */
#define CAPTURE_LATER 2
int capture_next(struct capture *capture, struct capture_packet *packet,
		 char why[CAPTURE_WHY]);

/* Whether it may say so; then until it no longer does, and at most so long. */
bool capture_is_live(const struct capture *capture);
void capture_wait(struct capture *capture, int timeout_ms);

/* After it is broken: whether it was at a packet, rather than as a whole. */
bool capture_has_begun(const struct capture *capture);

/* To the first packet again. False: why says why not; there are no more packets then. */
bool capture_rewind(struct capture *capture, char why[CAPTURE_WHY]);

#endif /* XSK_CLI_CAPTURE_READ_H */
