/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "reference.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define SNAPLEN 262144

/* The kernel's struct sock_filter is the same. */
_Static_assert(sizeof(struct bpf_insn) == 8, "an instruction has 8 bytes");

/*
 * libpcap starts with A and X of 0, but with whatever is in its scratch memory. So A is stored
 * to each word of it, before the program itself.
 */
struct reference {
	uint32_t count;
	struct bpf_insn insns[];
};

struct reference *reference_program(const struct sock_filter *insns, uint32_t count)
{
	struct reference *ref = calloc(1, sizeof(*ref) +
				       (BPF_MEMWORDS + count) * sizeof(ref->insns[0]));

	if (!ref)
		abort();
	for (uint32_t k = 0; k < BPF_MEMWORDS; k++)
		ref->insns[k] = (struct bpf_insn)BPF_STMT(BPF_ST, k);
	memcpy(&ref->insns[BPF_MEMWORDS], insns, count * sizeof(ref->insns[0]));
	ref->count = count;
	return ref;
}

struct reference *reference_compile(const char *expression, bool optimize)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	struct reference *ref = NULL;
	struct bpf_program program;

	if (!pcap)
		abort();
	if (!pcap_compile(pcap, &program, expression, optimize, PCAP_NETMASK_UNKNOWN)) {
		ref = reference_program((const void *)program.bf_insns, program.bf_len);
		pcap_freecode(&program);
	}
	pcap_close(pcap);
	return ref;
}

void reference_free(struct reference *ref)
{
	free(ref);
}

const struct sock_filter *reference_insns(const struct reference *ref, uint32_t *count)
{
	*count = ref->count;
	return (const void *)&ref->insns[BPF_MEMWORDS];
}

bool reference_match(const struct reference *ref, const void *packet, size_t seen, size_t len)
{
	const struct pcap_pkthdr header = { .caplen = (uint32_t)seen, .len = (uint32_t)len };
	struct bpf_program program = { .bf_len = BPF_MEMWORDS + ref->count };

	/* It only reads them. */
	program.bf_insns = (struct bpf_insn *)ref->insns;
	return pcap_offline_filter(&program, &header, packet);
}

bool reference_run(const struct sock_filter *insns, uint32_t count, const void *packet,
		   size_t len)
{
	struct reference *ref = reference_program(insns, count);
	bool matches = reference_match(ref, packet, len, len);

	reference_free(ref);
	return matches;
}

bool reference_takes(const struct sock_filter *insns, uint32_t count)
{
	return bpf_validate((const struct bpf_insn *)(const void *)insns, (int)count);
}
