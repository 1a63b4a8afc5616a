/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The kernel's word on a filter: its program, loaded by the library's own loader and run on a
 * packet (BPF_PROG_TEST_RUN). There is a socket for the packet's queue, so that what is taken
 * is told from what is left. All here is in a network namespace without anything in it: no
 * name server, either.
 */
#ifndef FUZZ_VERDICT_H
#define FUZZ_VERDICT_H

#include <stddef.h>
#include <stdint.h>

#include "insn.h"

struct xsk_error;

/* What the kernel runs a program on in one buffer. */
#define VERDICT_MIN_LEN 14
#define VERDICT_MAX_LEN 3000

/* Does not return where anything fails. */
void verdict_open(void);
/* Of its two programs the newer, and nothing else. Returns its descriptor or -errno. */
int verdict_load(const struct xsk_code *code, struct xsk_error *error);
/* 1: it is taken; 0: it is left to the kernel. Any other verdict ends the fuzzer. */
int verdict_run(int prog_fd, const void *packet, size_t len);
/* What was counted since the last call. */
void verdict_counters(uint64_t counters[XSK_COUNTERS]);

/* Writes to stderr as printf() does, and ends the fuzzer. */
__attribute__((format(printf, 1, 2), noreturn))
void verdict_fail(const char *format, ...);

#endif /* FUZZ_VERDICT_H */
