/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "reference.h"

#include <pcap/pcap.h>
#include <stdlib.h>

static bool match(const struct bpf_program *program, const uint8_t *packet, size_t len)
{
	struct pcap_pkthdr header = { .caplen = (uint32_t)len, .len = (uint32_t)len };

	return pcap_offline_filter(program, &header, packet);
}

bool reference_match(const struct sock_filter *insns, uint32_t count, const uint8_t *packet,
		     size_t len)
{
	struct bpf_program program = { .bf_len = count, .bf_insns = (struct bpf_insn *)insns };

	return match(&program, packet, len);
}

struct reference {
	struct bpf_program program;
};

void reference_free(struct reference *reference)
{
	pcap_freecode(&reference->program);
	free(reference);
}

struct reference *reference_compile(const char *expression)
{
	struct reference *reference = calloc(1, sizeof(*reference));
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 262144);

	if (!reference || !pcap ||
	    pcap_compile(pcap, &reference->program, expression, 1, PCAP_NETMASK_UNKNOWN))
		abort();
	pcap_close(pcap);
	return reference;
}

bool reference_match_text(const struct reference *reference, const uint8_t *packet, size_t len)
{
	return match(&reference->program, packet, len);
}
