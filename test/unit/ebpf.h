/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Runs an XDP program without the kernel, as far as those of filters go. It fails the test
 * where the verifier would refuse it: at memory that is not there, at what was never written,
 * at instructions that nothing leads to.
 */
#ifndef XSK_TEST_EBPF_H
#define XSK_TEST_EBPF_H

#include <stddef.h>
#include <stdint.h>

#include "insn.h"

struct ebpf {
	const struct bpf_insn *insns;
	size_t count;
	const uint8_t *packet;
	size_t len;			/* of the first buffer */
	size_t whole;			/* of all; 0: there is one */
	uint64_t counters[XSK_COUNTERS];
	uint64_t steps;
};

/* Jumps and ends: of all ways, not only of that which is run. */
void ebpf_check(const struct bpf_insn *insns, size_t count);
/* XDP_PASS, or XDP_REDIRECT where it is taken. */
int ebpf_run(struct ebpf *ebpf);

#endif /* XSK_TEST_EBPF_H */
