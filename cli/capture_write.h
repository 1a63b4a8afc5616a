/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Writes packets to a capture file: pcap with nanoseconds, for Ethernet. The file is opened
 * first and begun later, so that what was in it is not lost where the packets cannot be had.
 */
#ifndef XSK_CLI_CAPTURE_WRITE_H
#define XSK_CLI_CAPTURE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_writer;
struct out;

/* What tcpdump takes at most, too. */
#define CAPTURE_MAX (256 * 1024)

/*
 * "-" is stdout; what goes there otherwise goes to stderr from then on. NULL: it has been
 * said why.
 */
struct capture_writer *capture_writer_open(struct out *out, const char *path);

/* What was there goes, the header is written. snaplen: the most bytes that one will have. */
bool capture_writer_begin(struct capture_writer *writer, struct out *out, size_t snaplen);

/*
 * One packet, of which captured bytes are at data, to be written sooner or later. After a
 * failure it does nothing.
 */
void capture_writer_add(struct capture_writer *writer, uint64_t time_ns, const void *data,
			size_t captured, size_t len);

/*
 * All that there is so far is in the file; after a signal not what the reader of a pipe does
 * not take at once. After a failure it does nothing.
 */
void capture_writer_flush(struct capture_writer *writer);

/* That too, but not if he takes nothing for seconds. */
void capture_writer_finish(struct capture_writer *writer);

bool capture_writer_failed(const struct capture_writer *writer);

/* Packets that are in the file for certain. */
uint64_t capture_writer_count(const struct capture_writer *writer);

/*
 * Writes what is left, and closes it. False: not all could be written; it has been said why,
 * unless who read stdout is gone. The file then ends behind the last packet that is whole. One
 * that was not begun is as it was. NULL is legal.
 */
bool capture_writer_close(struct capture_writer *writer, struct out *out);

#endif /* XSK_CLI_CAPTURE_WRITE_H */
