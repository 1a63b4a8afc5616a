/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A name server that gives each name the same address.
 *
 *     dns IFACE ADDRESS      as root; then elsewhere: dig @HOST any.name
 *
 * Shows: a filter takes the queries, all else goes on in the kernel. A signal ends it.
 */
#include <arpa/inet.h>
#include <err.h>
#include <string.h>
#include <xsk/xsk.h>

enum { IP = 14, UDP = 34, DNS = 42, NAME = 54, ANSWER = 16 };	/* where they are, and its size */

static unsigned char answer[ANSWER] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4 };

static void swap(unsigned char *a, unsigned char *b, size_t size)
{
	for (unsigned char kept; size--; *a++ = *b, *b++ = kept)
		kept = *a;
}

static void put16(unsigned char *at, uint32_t value)
{
	at[0] = value >> 8 & 0xff;
	at[1] = value & 0xff;
}

/* Makes a query its answer. Returns the length; 0: it is no query of one question. */
static uint32_t reply(unsigned char *p, uint32_t len)
{
	uint32_t end = NAME, sum = 0;

	if (len < NAME || len > 512 || p[IP] != 0x45 || p[IP + 6] & 0x3f ||
	    p[DNS + 2] & 0xf8 || p[DNS + 5] != 1)
		return 0;
	while (end < len && p[end])
		end += p[end] + 1;
	if ((end += 5) > len)				/* a 0, the type, the class */
		return 0;
	swap(p, p + 6, 6);
	swap(p + IP + 12, p + IP + 16, 4);
	swap(p + UDP, p + UDP + 2, 2);
	put16(p + DNS + 2, 0x8400 | p[DNS + 2] << 8);	/* an answer, with authority */
	memset(p + DNS + 6, 0, 6);
	p[DNS + 7] = !memcmp(p + end - 4, "\0\1\0\1", 4);	/* A, IN: of others there is none */
	memcpy(p + end, answer, ANSWER);
	end += p[DNS + 7] * ANSWER;
	put16(p + IP + 2, end - IP);
	put16(p + UDP + 4, end - UDP);
	put16(p + UDP + 6, 0);		/* IPv4 does without this checksum */
	put16(p + IP + 10, 0);		/* but not without this */
	for (int i = IP; i < UDP; i += 2)
		sum += p[i] << 8 | p[i + 1];
	put16(p + IP + 10, ~(sum % 0xffff));
	return end;
}

static int serve(struct xsk_queue *queue)
{
	struct xsk_frame frames[64];
	int sent, answers = 0, n = xsk_rx(queue, frames, 64);

	for (int i = 0; i < n; i++) {
		frames[i].len = reply(xsk_frame_data(queue, &frames[i]), frames[i].len);
		if (frames[i].len)
			frames[answers++] = frames[i];
		else
			xsk_free(queue, &frames[i], 1);
	}
	sent = xsk_tx(queue, frames, n < 0 ? n : answers);	/* an error passes through */
	return sent < 0 ? sent : xsk_free(queue, frames + sent, answers - sent);
}

int main(int argc, char **argv)
{
	struct xsk_port_opts opts = { .sz = sizeof(opts), .keep = XSK_KEEP_MANAGEMENT };
	struct xsk_queue *queues[XSK_WAIT_MAX + 1];	/* one too many: xsk_wait() says so */
	struct xsk_error e = { 0 };
	struct xsk_port *port;
	int count = 0, err = 0;

	if (argc != 3 || inet_pton(AF_INET, argv[2], answer + 12) != 1)
		errx(2, "usage: dns IFACE ADDRESS");
	/* Not what comes from port 53: answers to the host's own queries. */
	if (xsk_filter_compile(&opts.filter, "ip and udp dst port 53", &e) ||
	    xsk_port_open(&port, argv[1], &opts, &e))
		errx(1, "%s: %s: %s; %s", argv[1], e.step, e.reason, e.hint);
	xsk_filter_free(opts.filter);			/* the port does without it */
	while (count <= XSK_WAIT_MAX && (queues[count] = xsk_port_queue(port, count)))
		count++;
	warnx("%s: %d queue(s)", argv[1], count);
	for (; err >= 0; err = err < 0 ? err : xsk_wait(queues, count, -1))	/* sends, too */
		for (int i = 0; i < count && err >= 0; i++)
			err = serve(queues[i]);
	xsk_error_last(&e);
	xsk_port_close(port);
	errx(1, "%s: %s: %s; %s", argv[1], e.step, e.reason, e.hint);
}
