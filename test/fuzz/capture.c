/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The bytes are a capture file, read as xsk send does: twice over, in rounds. What must hold:
 * it ends; each packet can be read as a whole; the times never go back; the second round has
 * what the first had, at the same times after its start; who is refused is told why, in plain
 * characters; nothing is left open.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source.h"

/* A file of that many bytes has not more packets: 16 bytes each, in pcap. */
#define MAX_PACKETS 4096

struct seen {
	uint64_t time_ns;
	uint64_t sum;
	uint32_t len;
};

static struct seen seen[MAX_PACKETS];
static int fd = -1;

__attribute__((format(printf, 1, 2), noreturn))
static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("fuzz: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

static void check_why(const char *why)
{
	size_t len = strnlen(why, CAPTURE_WHY);

	if (!len || len == CAPTURE_WHY)
		fail("a reason without an end, or without words");
	for (size_t i = 0; i < len; i++)
		if (why[i] < ' ' || why[i] > '~')
			fail("a reason with the character %d", why[i]);
}

/* Each byte of it is looked at. */
static struct seen look(const struct packet *packet)
{
	struct seen one = { .time_ns = packet->time_ns, .len = packet->len };

	for (uint32_t i = 0; i < packet->len; i++)
		one.sum = one.sum * 31 + ((const unsigned char *)packet->data)[i];
	return one;
}

static void check_second(uint64_t i, const struct seen *one, uint64_t start_ns)
{
	if (one->len != seen[i].len || one->sum != seen[i].sum)
		fail("packet %llu is another one in the second round", (unsigned long long)i);
	if (one->time_ns - start_ns != seen[i].time_ns - seen[0].time_ns)
		fail("packet %llu has another time in the second round", (unsigned long long)i);
}

static void read_all(struct source *source, size_t size)
{
	uint64_t last_ns = 0, start_ns = 0, first_round = 0, bytes = 0;
	struct packet packet;

	for (uint64_t n = 0; source_next(source, &packet); n++) {
		struct seen one = look(&packet);

		if (n >= 2 * MAX_PACKETS || source->number > MAX_PACKETS)
			fail("it does not end");
		if (one.time_ns < last_ns)
			fail("time goes back");
		last_ns = one.time_ns;
		if (!source->round) {
			bytes += one.len;
			if (bytes > size)
				fail("more bytes than the file has");
			seen[n] = one;
			first_round = n + 1;
			continue;
		}
		if (source->number == 1)
			start_ns = one.time_ns;
		if (source->number > first_round)
			fail("the second round is longer");
		check_second(source->number - 1, &one, start_ns);
	}
	if (source_next(source, &packet))
		fail("it goes on behind its end");
	if (source->is_broken)
		check_why(source->why);
	else if (source->round != 1 && first_round)
		fail("the second round is missing");
	else if (source->number != first_round)
		fail("the second round is shorter");
}

static int count_descriptors(void)
{
	int next = dup(fd);

	/* The lowest that is free: it is the same one, if nothing is left open. */
	close(next);
	return next;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source source = { .rounds = 2 };
	char why[CAPTURE_WHY] = "";
	int before;

	if (size > MAX_PACKETS * 8)
		return 0;
	if (fd < 0)
		fd = memfd_create("capture", MFD_CLOEXEC);
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size ||
	    lseek(fd, 0, SEEK_SET))
		fail("no file to be read");
	before = count_descriptors();
	source.capture = capture_open_fd(fd, why);
	if (source.capture)
		read_all(&source, size);
	else
		check_why(why);
	capture_close(source.capture);
	if (count_descriptors() != before)
		fail("a descriptor is left open");
	return 0;
}
