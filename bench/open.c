/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What it takes to open a socket and to close it again.
 *
 *     open IFNAME default|joined|retry|tx TIMES PAUSE_MS
 *
 * Opens TIMES times a UMEM and a socket on queue 0 of IFNAME:
 *
 *     default   RX and TX, and the library's default program is attached
 *     joined    the same, where a socket on queue 1, not timed, has the program
 *               attached already
 *     retry     with zero-copy, which veth has not, and when that is refused,
 *               with copies, as programs do that take what they can get
 *     tx        TX only
 *
 * Prints one line a time, nanoseconds: UMEM created, socket created, of that
 * the CPU time, socket deleted, UMEM deleted.
 *
 * The kernel frees a queue some time after its socket is closed: the pause
 * keeps one time from waiting for the one before. It varies by up to two timer
 * ticks, because the kernel ends what it waits for with a tick: after equal
 * pauses all would start at the same distance from one.
 */
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define JITTER_US 8000

struct rings {
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp;
	struct xsk_ring_cons rx;
	struct xsk_ring_prod tx;
};

static uint64_t cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static struct xsk_umem *open_umem(void *area, struct rings *rings)
{
	struct xsk_umem *umem;
	int code = xsk_umem__create(&umem, area, AREA_SIZE, &rings->fill, &rings->comp, NULL);

	if (code)
		errx(1, "xsk_umem__create: %s", strerror(-code));
	return umem;
}

enum kind { DEFAULT, JOINED, RETRY, TX };

static struct xsk_socket *open_socket(const char *ifname, __u32 queue, struct xsk_umem *umem,
				      struct rings *rings, enum kind kind)
{
	struct xsk_socket_config config = {
		.rx_size = XSK_RING_CONS__DEFAULT_NUM_DESCS,
		.tx_size = XSK_RING_PROD__DEFAULT_NUM_DESCS,
		.bind_flags = kind == RETRY ? XDP_ZEROCOPY : 0,
	};
	struct xsk_ring_cons *rx = kind == TX ? NULL : &rings->rx;
	struct xsk_socket *xsk;
	int code = xsk_socket__create(&xsk, ifname, queue, umem, rx, &rings->tx, &config);

	if (code && kind == RETRY) {
		config.bind_flags = XDP_COPY;
		code = xsk_socket__create(&xsk, ifname, queue, umem, rx, &rings->tx, &config);
	}
	if (code)
		errx(1, "xsk_socket__create: %s", strerror(-code));
	return xsk;
}

static void close_umem(struct xsk_umem *umem)
{
	int code = xsk_umem__delete(umem);

	if (code)
		errx(1, "xsk_umem__delete: %s", strerror(-code));
}

static void open_once(const char *ifname, void *area, enum kind kind)
{
	uint64_t start, umem_opened, opened, cpu, closed, umem_closed;
	struct rings rings;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;

	start = now_ns();
	umem = open_umem(area, &rings);
	umem_opened = now_ns();
	cpu = cpu_ns();
	xsk = open_socket(ifname, 0, umem, &rings, kind);
	cpu = cpu_ns() - cpu;
	opened = now_ns();
	xsk_socket__delete(xsk);
	closed = now_ns();
	close_umem(umem);
	umem_closed = now_ns();

	printf("%llu %llu %llu %llu %llu\n", (unsigned long long)(umem_opened - start),
	       (unsigned long long)(opened - umem_opened), (unsigned long long)cpu,
	       (unsigned long long)(closed - opened),
	       (unsigned long long)(umem_closed - closed));
}

static void open_often(const char *ifname, enum kind kind, int times, int pause_ms)
{
	void *area = map_area();

	for (int i = 0; i < times; i++) {
		usleep((useconds_t)(pause_ms * 1000 + i * 1237 % JITTER_US));
		open_once(ifname, area, kind);
	}
}

/* The socket that has the program attached, with a UMEM of its own. */
static void join_often(const char *ifname, int times, int pause_ms)
{
	struct rings rings;
	struct xsk_umem *umem = open_umem(map_area(), &rings);
	struct xsk_socket *xsk = open_socket(ifname, 1, umem, &rings, DEFAULT);

	open_often(ifname, JOINED, times, pause_ms);
	xsk_socket__delete(xsk);
	close_umem(umem);
}

static enum kind parse_kind(const char *text)
{
	static const char *const kinds[] = { "default", "joined", "retry", "tx" };

	for (int kind = DEFAULT; kind <= TX; kind++)
		if (!strcmp(text, kinds[kind]))
			return (enum kind)kind;
	errx(2, "'%s' is not a kind", text);
}

int main(int argc, char **argv)
{
	enum kind kind;

	if (argc != 5)
		errx(2, "usage: open IFNAME default|joined|retry|tx TIMES PAUSE_MS");
	kind = parse_kind(argv[2]);
	if (kind == JOINED)
		join_often(argv[1], parse_number(argv[3]), parse_number(argv[4]));
	else
		open_often(argv[1], kind, parse_number(argv[3]), parse_number(argv[4]));
	return 0;
}
