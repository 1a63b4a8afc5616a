/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * net-actor QUEUE: receives on a queue of lab0. Says "ready" when it can; for
 * each line on stdin it says the number of the next frame. Ends with stdin.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xdp/xsk.h>
#include <xsk/error.h>

#define FRAMES 128
#define SIZE (FRAMES * 4096)

static int complain(void)
{
	struct xsk_error error;

	xsk_error_last(&error);
	printf("%s: %s\n", error.step, error.reason);
	return 1;
}

static void fill(struct xsk_ring_prod *ring, uint64_t frame, uint32_t count)
{
	uint32_t at;

	if (!xsk_ring_prod__reserve(ring, count, &at))
		return;
	for (uint32_t i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(ring, at + i) = frame + i * 4096;
	xsk_ring_prod__submit(ring, count);
}

static long receive(struct xsk_socket *xsk, struct xsk_ring_cons *rx,
		    struct xsk_ring_prod *ring, const char *area)
{
	struct pollfd fd = { .fd = xsk_socket__fd(xsk), .events = POLLIN };
	uint32_t at, number;
	uint64_t addr;

	if (poll(&fd, 1, 2000) != 1 || !xsk_ring_cons__peek(rx, 1, &at))
		return -1;
	addr = xsk_ring_cons__rx_desc(rx, at)->addr;
	memcpy(&number, area + addr + 14, sizeof(number));
	xsk_ring_cons__release(rx, 1);
	fill(ring, addr & ~4095ULL, 1);
	return number;
}

int main(int argc, char **argv)
{
	uint32_t queue = argc > 1 ? (uint32_t)atoi(argv[1]) : 0;
	struct xsk_ring_prod ring;
	struct xsk_ring_cons comp, rx;
	struct xsk_socket *xsk;
	struct xsk_umem *umem;
	char line[64];
	void *area;

	area = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return 1;
	if (xsk_umem__create(&umem, area, SIZE, &ring, &comp, NULL) ||
	    xsk_socket__create(&xsk, "lab0", queue, umem, &rx, NULL, NULL))
		return complain();
	fill(&ring, 0, FRAMES / 2);

	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	while (fgets(line, sizeof(line), stdin))
		printf("%ld\n", receive(xsk, &rx, &ring, area));

	xsk_socket__delete(xsk);
	return xsk_umem__delete(umem) || munmap(area, SIZE);
}
