/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Sends numbered UDP packets of 60 bytes as fast as the kernel takes them.
 *
 *     xsk_send IFACE [seconds [MAC]]   as root; xsk_receive is the other side
 *
 * MAC is the Ethernet address to send to, as a NIC drops what is not for it.
 *
 * It shows the sending half of an AF_XDP socket: a UMEM, and a socket with a TX
 * ring on queue 0; sending needs no XDP program. The frames go round, and each
 * of them is in one place at a time:
 *
 *     free[] ── submit ─▶ TX ── kernel ─▶ COMPLETION ── reclaim ─▶ free[]
 *
 * There are as many frames as each ring has entries, so no ring overflows.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <xdp/xsk.h>
#include <xsk/error.h>

#define FRAMES XSK_RING_PROD__DEFAULT_NUM_DESCS
#define FRAME_SIZE XSK_UMEM__DEFAULT_FRAME_SIZE
#define BATCH 64

/*
 * From 198.18.0.1 to 198.18.0.2 (kept for benchmarks: RFC 2544), port 9 (discard).
 * After the headers stand the packet's number and the number's inverse: the two
 * add up to nothing, and one UDP checksum is right for all.
 */
#define NUMBER_AT 42
static __u8 packet[60] = {
	2, 0, 0, 0, 0, 2,   2, 0, 0, 0, 0, 1,   8, 0,
	0x45, 0, 0, 46,   0, 0, 0x40, 0,   64, 17, 0xae, 0x97,   198, 18, 0, 1,   198, 18, 0, 2,
	0, 9, 0, 9,   0, 26, 0x73, 0x80,
};

struct sender {
	char *area;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill;		/* each UMEM has one; not used here */
	struct xsk_ring_prod tx;
	struct xsk_ring_cons comp;
	__u64 free[FRAMES];
	unsigned int free_count;
	unsigned long long submitted;		/* packets, ever */
	unsigned long long refused;		/* of them: dropped by the driver */
	bool zerocopy;
};

static volatile sig_atomic_t stop, ticks;	/* a tick is a second */

static void on_signal(int number)
{
	if (number == SIGALRM)
		ticks++;
	else
		stop = true;
}

static int open_sender(struct sender *s, const char *ifname)
{
	struct xsk_socket_config config = { .tx_size = FRAMES, .bind_flags = XDP_USE_NEED_WAKEUP };
	struct xdp_options options = { 0 };
	socklen_t len = sizeof(options);
	struct xsk_error e;

	if (xsk_umem__create(&s->umem, s->area, FRAMES * FRAME_SIZE, &s->fill, &s->comp, NULL) ||
	    xsk_socket__create(&s->xsk, ifname, 0, s->umem, NULL, &s->tx, &config)) {
		xsk_error_last(&e);
		fprintf(stderr, "xsk_send: %s: %s%s%s\n", e.step, e.reason, *e.hint ? "; " : "",
			e.hint);
		return -1;
	}
	for (__u64 addr = 0; addr < FRAMES * FRAME_SIZE; addr += FRAME_SIZE) {
		memcpy(s->area + addr, packet, sizeof(packet));
		s->free[s->free_count++] = addr;
	}
	/* The kernel takes zero-copy where the driver has it, and tells only here. */
	getsockopt(xsk_socket__fd(s->xsk), SOL_XDP, XDP_OPTIONS, &options, &len);
	s->zerocopy = options.flags & XDP_OPTIONS_ZEROCOPY;
	printf("%s, queue 0: %s\n", ifname, s->zerocopy ? "zero-copy" : "copy");
	return 0;
}

/* From COMPLETION to free[]. Returns how many frames came back. */
static __u32 reclaim(struct sender *s)
{
	__u32 idx, n = xsk_ring_cons__peek(&s->comp, FRAMES - s->free_count, &idx);

	for (__u32 i = 0; i < n; i++)
		s->free[s->free_count++] = *xsk_ring_cons__comp_addr(&s->comp, idx + i);
	xsk_ring_cons__release(&s->comp, n);
	return n;
}

/* From free[] to TX. Returns how many frames went. */
static __u32 submit(struct sender *s)
{
	__u32 idx, n = s->free_count < BATCH ? s->free_count : BATCH;

	n = xsk_ring_prod__reserve(&s->tx, n, &idx);
	for (__u32 i = 0; i < n; i++) {
		__u64 addr = s->free[--s->free_count];
		__be64 number = htobe64(s->submitted++);

		memcpy(s->area + addr + NUMBER_AT, (__be64[]){ number, ~number }, 16);
		*xsk_ring_prod__tx_desc(&s->tx, idx + i) =
			(struct xdp_desc){ .addr = addr, .len = sizeof(packet) };
	}
	xsk_ring_prod__submit(&s->tx, n);
	return n;
}

/*
 * Wakes the kernel, if it asks for that. When sendto returns 0 the ring need
 * not be empty: what is left goes with the next kick.
 */
static int kick(struct sender *s)
{
	if (s->free_count == FRAMES || !xsk_ring_prod__needs_wakeup(&s->tx) ||
	    sendto(xsk_socket__fd(s->xsk), NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
		return 0;
	if (errno == EBUSY && !s->zerocopy)
		s->refused++;			/* dropped, and its frame comes back */
	if (errno == EBUSY || errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
		return 0;
	fprintf(stderr, "xsk_send: send: %s; %s\n", strerror(errno), errno == EINVAL ?
		"some drivers (igb) send in zero-copy only with an XDP program attached" :
		"is the interface there, and up?");
	return -1;
}

static unsigned long long sent(const struct sender *s)
{
	return s->submitted - (FRAMES - s->free_count) - s->refused;
}

/* Sends until it is time to stop, then waits for the frames on their way. */
static int run(struct sender *s, int seconds)
{
	struct pollfd pfd = { .fd = xsk_socket__fd(s->xsk), .events = POLLOUT };
	unsigned long long reported = 0;
	int reports = 0, end = 0;

	setitimer(ITIMER_REAL, &(struct itimerval){ { 1, 0 }, { 1, 0 } }, NULL);
	while (!end || (s->free_count < FRAMES && ticks < end)) {
		__u32 moved = reclaim(s) + (end ? 0 : submit(s));

		if (kick(s))
			return -1;
		if (!moved)
			poll(&pfd, 1, 1);
		if (!end && (stop || (seconds && ticks >= seconds)))
			end = ticks + 3;
		if (ticks != reports) {
			reports = ticks;
			printf("%llu packets/s, %llu Mbit/s\n", sent(s) - reported,
			       (sent(s) - reported) * sizeof(packet) * 8 / 1000000);
			reported = sent(s);
		}
	}
	return 0;
}

static void print_totals(const struct sender *s)
{
	struct xdp_statistics stats = { 0 };
	socklen_t len = sizeof(stats);

	getsockopt(xsk_socket__fd(s->xsk), SOL_XDP, XDP_STATISTICS, &stats, &len);
	printf("total: sent %llu packets, %llu bytes\n", sent(s), sent(s) * sizeof(packet));
	printf("dropped: by the driver %llu, tx_invalid_descs %llu\n", s->refused,
	       (unsigned long long)stats.tx_invalid_descs);
	printf("frames: %u in hand, %u with the kernel\n", s->free_count, FRAMES - s->free_count);
}

static bool parse_mac(const char *text, __u8 *mac)
{
	char tail;

	return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%c", &mac[0], &mac[1], &mac[2], &mac[3],
		      &mac[4], &mac[5], &tail) == 6;
}

int main(int argc, char **argv)
{
	static struct sender s;
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	int err, seconds = argc > 2 ? atoi(argv[2]) : 0;

	if (argc < 2 || argc > 4 || (argc > 2 && seconds <= 0) ||
	    (argc > 3 && !parse_mac(argv[3], packet))) {
		fprintf(stderr, "usage: xsk_send IFACE [seconds [MAC]]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &action, NULL);

	s.area = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s.area == MAP_FAILED) {
		perror("xsk_send: mmap");
		return 1;
	}
	err = open_sender(&s, argv[1]);
	if (!err) {
		err = run(&s, seconds);
		print_totals(&s);
	}
	xsk_socket__delete(s.xsk);
	xsk_umem__delete(s.umem);
	munmap(s.area, FRAMES * FRAME_SIZE);
	return err || s.free_count < FRAMES;
}
