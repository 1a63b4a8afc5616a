/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What the programs that open sockets share. Each is compiled twice from one
 * source, against libxsk and against libxdp: nothing in them may know which.
 */
#ifndef XSK_BENCH_H
#define XSK_BENCH_H

#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <xdp/xsk.h>

#define FRAMES 4096
#define FRAME_SIZE XSK_UMEM__DEFAULT_FRAME_SIZE
#define AREA_SIZE ((size_t)FRAMES * FRAME_SIZE)

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline int parse_number(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*end || end == text || number < -1 || number > 1000000)
		errx(2, "'%s' is not a number that fits", text);
	return (int)number;
}

/* Populated, so that no page fault falls into what is timed. */
static inline void *map_area(void)
{
	void *area = mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (area == MAP_FAILED)
		err(1, "mmap");
	return area;
}

#endif /* XSK_BENCH_H */
