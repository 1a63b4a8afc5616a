/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "filter_reference.h"

/* Of its own, since libpcap and the kernel give the same name to two things. */
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

struct reference {
	struct bpf_program program;
	bool of_libpcap;
};

struct reference *reference_compile(const char *expression, bool optimize)
{
	struct reference *ref = calloc(1, sizeof(*ref));
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 262144);
	int err = -1;

	if (ref && pcap)
		err = pcap_compile(pcap, &ref->program, expression, optimize,
				   PCAP_NETMASK_UNKNOWN);
	if (pcap)
		pcap_close(pcap);
	if (err) {
		free(ref);
		return NULL;
	}
	ref->of_libpcap = true;
	return ref;
}

struct reference *reference_program(const struct sock_filter *insns, uint32_t count)
{
	struct reference *ref = calloc(1, sizeof(*ref));
	size_t size = count * sizeof(*ref->program.bf_insns);

	if (!ref)
		return NULL;
	ref->program.bf_len = count;
	ref->program.bf_insns = malloc(size);
	if (ref->program.bf_insns)
		memcpy(ref->program.bf_insns, insns, size);
	return ref;
}

void reference_free(struct reference *ref)
{
	if (ref->of_libpcap)
		pcap_freecode(&ref->program);
	else
		free(ref->program.bf_insns);
	free(ref);
}

const struct sock_filter *reference_insns(const struct reference *ref, uint32_t *count)
{
	*count = ref->program.bf_len;
	return (const void *)ref->program.bf_insns;
}

bool reference_match(const struct reference *ref, const uint8_t *packet, uint32_t seen,
		     uint32_t len)
{
	const struct pcap_pkthdr header = { .caplen = seen, .len = len };

	return pcap_offline_filter(&ref->program, &header, packet);
}
