/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A filter: the packets that a port takes. What does not match goes on to the
 * kernel's stack, as if there were no port.
 *
 *     xsk_filter_compile(&filter, "udp port 53", &error)
 *     xsk_filter_match(filter, packet, len)        try it, without an interface
 *     opts.filter = filter                         for xsk_port_open()
 *     xsk_port_set_filter(port, filter, &error)    or for an open port
 *     xsk_filter_free(filter)                      ports do without it from then on
 *
 * It is a program of classic BPF, as tcpdump(1) shows with -d, and is translated
 * into the XDP program of the port. A load outside the packet means that it does
 * not match, and so does a division by zero.
 *
 * What it sees of a packet of several buffers (XSK_PORT_MULTI_BUFFER) is the first of
 * them; "len" is the length of all (before 5.18 there are no others). Beyond the first
 * XSK_FILTER_REACH bytes it sees nothing.
 *
 * Threads. A filter is never written to after it was made: any thread may use it.
 *
 * See xsk_filter_compile(3), pcap-filter(7), and of the kernel
 * Documentation/networking/filter.rst.
 */
#ifndef XSK_FILTER_H
#define XSK_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include <xsk/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sock_filter;	/* <linux/filter.h>; the same as struct bpf_insn of libpcap */
struct xsk_filter;

/* Bytes of a packet that a filter can load from. */
#define XSK_FILTER_REACH 65535
/* Bytes of an expression, and instructions of a program. */
#define XSK_FILTER_MAX_TEXT (64 * 1024)
#define XSK_FILTER_MAX_INSNS (64 * 1024)

/*
 * Compiles an expression of pcap-filter(7) for Ethernet. libpcap does it, which is loaded
 * for this call; names (hosts, ports, protocols) are looked up as it does, and more than once
 * in what is no expression. Hundreds of terms can take it seconds, thousands minutes.
 *
 * On success *filter is the caller's, to be freed with xsk_filter_free(). On failure it is
 * untouched, and *error says why; NULL is legal.
 *
 * -EINVAL: NULL, or empty (leave out the filter to take all packets), or no expression:
 * the reason has libpcap's words and the place. -EOPNOTSUPP: it asks what only a packet
 * socket knows ("inbound", "outbound"). -E2BIG: longer than XSK_FILTER_MAX_TEXT, or than
 * a program can be: split it, or use networks and port ranges; or it nests deeper than
 * libpcap goes. -ELIBACC: there is no libpcap: install it, or use xsk_filter_from_cbpf().
 * -ENOMEM.
 */
int xsk_filter_compile(struct xsk_filter **filter, const char *expression,
		       struct xsk_error *error);

/*
 * Takes a program of classic BPF for Ethernet, of count instructions, as "tcpdump -dd"
 * prints it. It is copied. Packets for which it returns other than 0 match.
 *
 * -EINVAL: NULL, or no program: an instruction that does not exist, a jump out of it, a
 * constant division by zero or shift by more than 31, or an end that does not return; the
 * reason tells which. -EOPNOTSUPP: it loads what only packet sockets have (SKF_AD_OFF and
 * its like), as what libpcap compiles for a live capture may do: compile it for a file.
 * -E2BIG: more than XSK_FILTER_MAX_INSNS, or too long for the jumps of eBPF. -ENOMEM.
 */
int xsk_filter_from_cbpf(struct xsk_filter **filter, const struct sock_filter *insns,
			 size_t count, struct xsk_error *error);

/*
 * Whether it matches a packet of len bytes, which begins with its Ethernet header: 1 or 0,
 * as the program of a port would have it. Needs no privilege. -EINVAL: NULL.
 */
int xsk_filter_match(const struct xsk_filter *filter, const void *packet, size_t len);

/*
 * Writes the filter as text: its expression, the classic and the eBPF instructions, for
 * people and for reports of bugs. At most size bytes, ended with a 0 (text may be NULL
 * where size is 0). Returns how many bytes the whole has without that 0, as snprintf(3)
 * does; -EINVAL: filter is NULL; -ENOMEM.
 */
int xsk_filter_dump(const struct xsk_filter *filter, char *text, size_t size);

/* Also of one that ports use: they keep what they need. NULL is legal. */
void xsk_filter_free(struct xsk_filter *filter);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* XSK_FILTER_H */
