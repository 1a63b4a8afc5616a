/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "matcher.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define SNAPLEN 262144

/* The kernel's struct sock_filter is the same. */
_Static_assert(sizeof(struct bpf_insn) == 8, "an instruction has 8 bytes");

bool matcher_takes(const struct sock_filter *insns, uint32_t count)
{
	return bpf_validate((const struct bpf_insn *)insns, (int)count);
}

/*
 * libpcap starts with A and X of 0, but with whatever is in its scratch memory. So first A is
 * stored to each word of it.
 */
int matcher_run(const struct sock_filter *insns, uint32_t count, const void *packet, size_t len)
{
	struct pcap_pkthdr header = { .caplen = (uint32_t)len, .len = (uint32_t)len };
	struct bpf_program program = { .bf_len = BPF_MEMWORDS + count };
	int result;

	program.bf_insns = calloc(program.bf_len, sizeof(*program.bf_insns));
	if (!program.bf_insns)
		abort();
	for (uint32_t k = 0; k < BPF_MEMWORDS; k++)
		program.bf_insns[k] = (struct bpf_insn)BPF_STMT(BPF_ST, k);
	memcpy(&program.bf_insns[BPF_MEMWORDS], insns, count * sizeof(*program.bf_insns));
	result = pcap_offline_filter(&program, &header, packet);
	free(program.bf_insns);
	return result != 0;
}

struct sock_filter *matcher_compile(const char *text, uint32_t *count)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	struct bpf_program program;
	struct bpf_insn *insns = NULL;

	if (!pcap)
		abort();
	if (!pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN)) {
		insns = calloc(program.bf_len, sizeof(*insns));
		if (!insns)
			abort();
		memcpy(insns, program.bf_insns, program.bf_len * sizeof(*insns));
		*count = program.bf_len;
		pcap_freecode(&program);
	}
	pcap_close(pcap);
	return (struct sock_filter *)insns;
}
