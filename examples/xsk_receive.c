/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Receives packets, and counts the gaps in the numbers that xsk_send writes.
 *
 *     xsk_receive IFACE [seconds]      as root; xsk_send is the other side
 *
 * It takes all packets of queue 0 away from the kernel: not for the interface
 * over which you are logged in.
 *
 * It shows the receiving half of an AF_XDP socket: a UMEM, a socket with an RX
 * ring, and the default XDP program, which is attached and detached with it. The
 * frames go round, and each of them is in one place at a time:
 *
 *     FILL ── kernel ─▶ RX ── receive ─▶ read it ── give back ─▶ FILL
 *
 * FILL has as many entries as there are frames, so it never overflows.
 */
#include <endian.h>
#include <errno.h>
#include <linux/if_link.h>
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
#define NUMBER_AT 42			/* after Ethernet, IPv4 and UDP */

struct receiver {
	char *area;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp;		/* each UMEM has one; not used here */
	struct xsk_ring_cons rx;
	unsigned long long packets;
	unsigned long long bytes;
	unsigned long long next;		/* the number that is expected */
	unsigned long long missing;		/* numbers that were left out */
	unsigned long long late;		/* of them: came after all */
	unsigned long long others;		/* packets that have no number */
};

static volatile sig_atomic_t stop, ticks;	/* a tick is a second */

static void on_signal(int number)
{
	if (number == SIGALRM)
		ticks++;
	else
		stop = true;
}

static int explain(void)
{
	struct xsk_error e;

	xsk_error_last(&e);
	fprintf(stderr, "xsk_receive: %s: %s%s%s\n", e.step, e.reason, *e.hint ? "; " : "", e.hint);
	return -1;
}

static int open_receiver(struct receiver *r, const char *ifname)
{
	struct xsk_socket_config config = {
		.rx_size = FRAMES,
		.xdp_flags = XDP_FLAGS_DRV_MODE,
		.bind_flags = XDP_USE_NEED_WAKEUP,
	};
	struct xdp_options options = { 0 };
	socklen_t len = sizeof(options);
	__u32 idx = 0;

	if (xsk_umem__create(&r->umem, r->area, FRAMES * FRAME_SIZE, &r->fill, &r->comp, NULL))
		return explain();

	/* Some drivers want to find frames when the socket is made. */
	xsk_ring_prod__reserve(&r->fill, FRAMES, &idx);
	for (__u64 i = 0; i < FRAMES; i++)
		*xsk_ring_prod__fill_addr(&r->fill, idx++) = i * FRAME_SIZE;
	xsk_ring_prod__submit(&r->fill, FRAMES);

	/* Native mode, where the driver runs the program; else the generic one. */
	if (xsk_socket__create(&r->xsk, ifname, 0, r->umem, &r->rx, NULL, &config)) {
		config.xdp_flags = XDP_FLAGS_SKB_MODE;
		if (xsk_socket__create(&r->xsk, ifname, 0, r->umem, &r->rx, NULL, &config))
			return explain();
	}
	/* The kernel takes zero-copy where the driver has it, and tells only here. */
	getsockopt(xsk_socket__fd(r->xsk), SOL_XDP, XDP_OPTIONS, &options, &len);
	printf("%s, queue 0: %s, %s\n", ifname,
	       options.flags & XDP_OPTIONS_ZEROCOPY ? "zero-copy" : "copy",
	       config.xdp_flags & XDP_FLAGS_DRV_MODE ? "native" : "generic");
	return 0;
}

static void count(struct receiver *r, const char *packet, __u32 len)
{
	__u64 words[2] = { 0 }, number;

	r->packets++;
	r->bytes += len;
	if (len >= NUMBER_AT + sizeof(words))
		memcpy(words, packet + NUMBER_AT, sizeof(words));
	if (words[0] != ~words[1]) {
		r->others++;
		return;
	}
	number = be64toh(words[0]);
	if (!number || r->packets == r->others + 1)
		r->next = number;		/* a sender begins, or is under way */
	if (number < r->next) {
		r->late++;
		return;
	}
	r->missing += number - r->next;
	r->next = number + 1;
}

/* From RX, and back to FILL. Returns how many packets there were. */
static __u32 receive(struct receiver *r)
{
	__u32 rx_idx, fill_idx, n = xsk_ring_cons__peek(&r->rx, BATCH, &rx_idx);

	if (!n || !xsk_ring_prod__reserve(&r->fill, n, &fill_idx)) {
		xsk_ring_cons__cancel(&r->rx, n);
		return 0;
	}
	for (__u32 i = 0; i < n; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&r->rx, rx_idx + i);

		count(r, xsk_umem__get_data(r->area, desc->addr), desc->len);
		*xsk_ring_prod__fill_addr(&r->fill, fill_idx + i) =
			desc->addr - desc->addr % FRAME_SIZE;
	}
	xsk_ring_cons__release(&r->rx, n);
	xsk_ring_prod__submit(&r->fill, n);
	return n;
}

static int run(struct receiver *r, int seconds)
{
	struct pollfd pfd = { .fd = xsk_socket__fd(r->xsk), .events = POLLIN };
	unsigned long long packets = 0, bytes = 0;
	int reports = 0, err = 0;
	socklen_t len = sizeof(err);

	setitimer(ITIMER_REAL, &(struct itimerval){ { 1, 0 }, { 1, 0 } }, NULL);
	while (!stop && (!seconds || ticks < seconds)) {
		/* poll sleeps while RX is empty; it wakes a driver that wants it. */
		if (!receive(r) || xsk_ring_prod__needs_wakeup(&r->fill))
			poll(&pfd, 1, 100);
		if (ticks == reports)
			continue;

		reports = ticks;
		printf("%llu packets/s, %llu Mbit/s, %llu missing\n", r->packets - packets,
		       (r->bytes - bytes) * 8 / 1000000, r->missing);
		packets = r->packets;
		bytes = r->bytes;
		/* When the interface is gone, poll does not say so. */
		getsockopt(pfd.fd, SOL_SOCKET, SO_ERROR, &err, &len);
		if (err) {
			fprintf(stderr, "xsk_receive: receive: %s; is the interface there?\n",
				strerror(err));
			return -1;
		}
	}
	return 0;
}

static void print_totals(struct receiver *r)
{
	__u32 in_rx = xsk_cons_nb_avail(&r->rx, FRAMES);
	__u32 in_fill = FRAMES - xsk_prod_nb_free(&r->fill, FRAMES);
	struct xdp_statistics stats = { 0 };
	socklen_t len = sizeof(stats);

	getsockopt(xsk_socket__fd(r->xsk), SOL_XDP, XDP_STATISTICS, &stats, &len);
	printf("total: received %llu packets, %llu bytes; numbers: %llu missing, %llu late; "
	       "%llu others\n", r->packets, r->bytes, r->missing, r->late, r->others);
	printf("dropped: rx_dropped %llu, rx_ring_full %llu, rx_fill_ring_empty_descs %llu\n",
	       (unsigned long long)stats.rx_dropped, (unsigned long long)stats.rx_ring_full,
	       (unsigned long long)stats.rx_fill_ring_empty_descs);
	printf("frames: %u in FILL, %u in RX, %u with the driver\n", in_fill, in_rx,
	       FRAMES - in_fill - in_rx);
}

int main(int argc, char **argv)
{
	static struct receiver r;
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	int err, seconds = argc == 3 ? atoi(argv[2]) : 0;

	if (argc < 2 || argc > 3 || (argc == 3 && seconds <= 0)) {
		fprintf(stderr, "usage: xsk_receive IFACE [seconds]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &action, NULL);

	r.area = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r.area == MAP_FAILED) {
		perror("xsk_receive: mmap");
		return 1;
	}
	err = open_receiver(&r, argv[1]);
	if (!err) {
		err = run(&r, seconds);
		print_totals(&r);
	}
	xsk_socket__delete(r.xsk);
	xsk_umem__delete(r.umem);
	munmap(r.area, FRAMES * FRAME_SIZE);
	return err ? 1 : 0;
}
