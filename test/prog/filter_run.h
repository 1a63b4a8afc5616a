/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Runs programs of filters in the kernel on packets that never were on a wire
 * (BPF_PROG_TEST_RUN), loaded by the library's own loader. There is a socket for the queue of
 * such packets: those that are taken are redirected, all others are passed.
 */
#ifndef TEST_FILTER_RUN_H
#define TEST_FILTER_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <xsk/error.h>
#include <xsk/filter.h>

#include "insn.h"
#include "keep.h"

/* The least that the kernel runs a program on. */
#define RUN_MIN_PACKET 14

/* For cmocka: before the first test, and after the last. */
int run_setup(void **state);
int run_teardown(void **state);
/* main() of these programs. */
int run_main(int (*tests)(void));

/* Returns its descriptor, or an error of the library. */
int run_load(const struct xsk_code *code, struct xsk_error *error);
/* The same of a filter and what is kept, either of which may be NULL. It must succeed. */
int run_open(const struct xsk_filter *filter, const struct xsk_keep *keep, bool counts);
/* As it is for kernels before 5.18. -1: it is the same there. */
int run_open_older(const struct xsk_filter *filter);
void run_close(int fd);

/* Whether it takes the packet. */
bool run_takes(int fd, const uint8_t *packet, uint32_t len);
/* The same; -errno where the kernel does not run it. */
int run_try(int fd, const uint8_t *packet, uint32_t len);

/* What was counted since the last call. */
void run_counted(uint64_t counters[XSK_COUNTERS]);

/* In a guest, whose processor is emulated. */
bool run_is_slow(void);
/* Where there are many packets, each that many-th is run; XSK_FILTER_STRIDE=1: all. */
unsigned int run_stride(void);

#endif /* TEST_FILTER_RUN_H */
