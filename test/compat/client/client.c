/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A program as others write them: for the <xdp/xsk.h> of libxdp, and of nothing
 * else of it or of libxsk. It uses all that this header declares, moves packets
 * over veth pairs in network namespaces of its own, and prints what it sees:
 * the same, line for line, whichever library serves it. Which one that is it
 * writes to the file that is its argument.
 *
 * It steers clear of what libxdp is known to do wrong: ring structs are zeroed
 * beforehand, sockets on one queue have a program of the client's own, a UMEM
 * is not used again, descriptors that libxdp closes are not closed again, and
 * each scene has a process, a namespace and queues of its own. Of errors that
 * the two libraries call by different names it prints only that there is one.
 *
 * C and C++ alike.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <xdp/xsk.h>

#define ETHERTYPE 0x88b5	/* for local experiments, IEEE 802 */
#define FRAMES 128		/* of a UMEM: the first half to receive, the other to send */
#define BURST 16		/* packets on their way at once: no ring here is smaller */
#define MIN_LEN 60
#define LENGTHS 1400		/* how many different ones there are */
#define WAIT_S 20		/* much more than a busy machine needs */

/* The header's own macros, as a program may use them. */
DEFINE_XSK_RING(look_alike);

static struct {
	int peer[2];		/* packet sockets on p0 and p1, the other ends of c0 and c1 */
	int ifindex[2];
} net;

struct memory {
	struct xsk_umem *umem;
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp;
	char *area;
	__u32 frame_size;
	bool unaligned;
};

struct port {
	struct memory *memory;
	struct xsk_socket *xsk;
	struct xsk_ring_cons rx;
	struct xsk_ring_prod tx;
	struct xsk_ring_prod own_fill;
	struct xsk_ring_cons own_comp;
	struct xsk_ring_prod *fill;
	struct xsk_ring_cons *comp;
};

/* ---- help ---- */

static void must(bool good, const char *what)
{
	if (good)
		return;
	fflush(stdout);
	fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void run(const char *command)
{
	fflush(stdout);
	must(!system(command), command);
}

static const char *result(int err)
{
	return err ? strerror(-err) : "success";
}

/* For those whose code is not the same in both libraries. */
static const char *refused(int err)
{
	return err < 0 ? "refused" : "taken";
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* A turn of a loop that waits, until it has waited too long. */
static void wait_since(time_t start, const char *what)
{
	must(now() - start < WAIT_S, what);
	usleep(1000);
}

/* ---- packets: every byte follows from the number ---- */

static size_t packet_len(__u32 number)
{
	return MIN_LEN + number * 37 % LENGTHS;
}

static void make_packet(char *to, __u32 number)
{
	static const unsigned char header[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2,
						ETHERTYPE >> 8, ETHERTYPE & 0xff };
	size_t at = sizeof(header) + sizeof(number);

	memcpy(to, header, sizeof(header));
	memcpy(to + sizeof(header), &number, sizeof(number));
	for (; at < packet_len(number); at++)
		to[at] = (char)(number * 31 + at * 7);
}

/* Marks the packet as seen, if it is one of count from first, and whole. */
static bool is_packet(const char *data, size_t len, __u32 first, __u32 count, bool *seen)
{
	char wanted[MIN_LEN + LENGTHS];
	__u32 number;

	memcpy(&number, data + 14, sizeof(number));
	if (number - first >= count || seen[number - first] || len != packet_len(number))
		return false;
	seen[number - first] = true;
	make_packet(wanted, number);
	return !memcmp(data, wanted, len);
}

/* ---- the network ---- */

static int open_peer(const char *ifname)
{
	struct sockaddr_ll addr;
	struct timeval wait = { WAIT_S, 0 };
	int bypass = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE));

	memset(&addr, 0, sizeof(addr));
	addr.sll_family = AF_PACKET;
	addr.sll_protocol = htons(ETHERTYPE);
	addr.sll_ifindex = (int)if_nametoindex(ifname);
	must(fd >= 0 && !bind(fd, (struct sockaddr *)&addr, sizeof(addr)), ifname);
	must(!setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass)) &&
	     !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), "peer");
	return fd;
}

/*
 * Two pairs of two queues each, without IPv6: nobody speaks but the client. What
 * others keep below /sys/fs/bpf and /run does not meet what libxdp puts there.
 */
static void open_net(void)
{
	int sysctl;

	must(!unshare(CLONE_NEWNET | CLONE_NEWNS), "unshare");
	must(!mount("", "/", "none", MS_PRIVATE | MS_REC, NULL) &&
	     !mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700") &&
	     !mount("run", "/run", "tmpfs", 0, NULL), "mount");
	sysctl = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
	if (sysctl >= 0) {
		must(write(sysctl, "1", 1) == 1, "IPv6");
		close(sysctl);
	}
	run("for i in 0 1; do ip link add c$i numrxqueues 2 numtxqueues 2 type veth"
	    " peer name p$i numrxqueues 2 numtxqueues 2 && ip link set c$i up &&"
	    " ip link set p$i up || exit; done");
	for (int i = 0; i < 2; i++) {
		net.peer[i] = open_peer(i ? "p1" : "p0");
		net.ifindex[i] = (int)if_nametoindex(i ? "c1" : "c0");
	}
}

static void say_program(const char *when, const char *ifname)
{
	static const char *const modes[] = { " xdpgeneric", " xdp", "" };
	char command[64], text[4096];
	FILE *ip;
	size_t len;
	int i = 0;

	snprintf(command, sizeof(command), "ip link show dev %s", ifname);
	fflush(stdout);
	ip = popen(command, "r");
	must(ip, command);
	len = fread(text, 1, sizeof(text) - 1, ip);
	text[len] = '\0';
	must(!pclose(ip) && len, command);
	while (!strstr(text, modes[i]))
		i++;
	printf("%s: program of %s:%s\n", when, ifname, *modes[i] ? modes[i] : " none");
}

/* ---- a program of the client's own ---- */

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static struct bpf_insn insn(int code, int dst, int src, int off, int imm)
{
	struct bpf_insn insn;

	memset(&insn, 0, sizeof(insn));
	insn.code = (__u8)code;
	insn.dst_reg = (__u8)(dst & 15);
	insn.src_reg = (__u8)(src & 15);
	insn.off = (__s16)off;
	insn.imm = imm;
	return insn;
}

static int make_map(void)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_XSKMAP;
	attr.key_size = attr.value_size = sizeof(int);
	attr.max_entries = 2;
	fd = bpf(BPF_MAP_CREATE, &attr);
	must(fd >= 0, "XSKMAP");
	return fd;
}

/* Attaches a program that redirects to the map. It stays as long as the process. */
static void attach_own(int map_fd, int ifindex)
{
	struct bpf_insn insns[] = {
		insn(BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct xdp_md, rx_queue_index), 0),
		insn(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, map_fd),
		insn(0, 0, 0, 0, 0),
		insn(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, XDP_PASS),
		insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map),
		insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (__u64)(unsigned long)insns;
	attr.insn_cnt = sizeof(insns) / sizeof(insns[0]);
	attr.license = (__u64)(unsigned long)"GPL";
	fd = bpf(BPF_PROG_LOAD, &attr);
	must(fd >= 0, "program");

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (__u32)fd;
	attr.link_create.target_ifindex = (__u32)ifindex;
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = XDP_FLAGS_SKB_MODE;
	must(bpf(BPF_LINK_CREATE, &attr) >= 0, "link");
}

/* ---- memory ---- */

/* What the header calls always inline, a program may define so as well. */
XDP_ALWAYS_INLINE __u64 frame_addr(const struct memory *memory, __u32 frame);

XDP_ALWAYS_INLINE __u64 frame_addr(const struct memory *memory, __u32 frame)
{
	return (__u64)frame * memory->frame_size;
}

static void make_memory(struct memory *memory, const struct xsk_umem_config *config)
{
	size_t size;

	memory->frame_size = config ? config->frame_size : XSK_UMEM__DEFAULT_FRAME_SIZE;
	memory->unaligned = config && config->flags & XDP_UMEM_UNALIGNED_CHUNK_FLAG;
	size = (size_t)FRAMES * memory->frame_size;
	memory->area = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(memory->area != MAP_FAILED, "memory");
	printf("umem: %s\n", result(xsk_umem__create(&memory->umem, memory->area, size,
						     &memory->fill, &memory->comp, config)));
}

static void delete_memory(struct memory *memory)
{
	printf("umem deleted: %s\n", result(xsk_umem__delete(memory->umem)));
	munmap(memory->area, (size_t)FRAMES * memory->frame_size);
}

/* The data of a frame, whose address may have an offset in its upper bits. */
static char *data_at(const struct memory *memory, __u64 addr)
{
	if (memory->unaligned)
		addr = xsk_umem__add_offset_to_addr(addr);
	return (char *)xsk_umem__get_data(memory->area, addr);
}

/* Where a socket has none of its own it uses the rings of the UMEM. */
static void plug(struct port *port, struct memory *memory, bool own_rings)
{
	port->memory = memory;
	port->fill = own_rings ? &port->own_fill : &memory->fill;
	port->comp = own_rings ? &port->own_comp : &memory->comp;
}

/* Gives the kernel count frames from this one on. */
static void feed(struct port *port, __u32 frame, __u32 count)
{
	__u32 at = 0;

	must(xsk_ring_prod__reserve(port->fill, count, &at) == count, "FILL");
	for (__u32 i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(port->fill, at + i) =
			frame_addr(port->memory, frame + i);
	xsk_ring_prod__submit(port->fill, count);
}

/* ---- receiving ---- */

static void peer_sends(int side, __u32 first, __u32 count)
{
	char packet[MIN_LEN + LENGTHS];

	for (__u32 i = first; i < first + count; i++) {
		make_packet(packet, i);
		must(send(net.peer[side], packet, packet_len(i), 0) == (ssize_t)packet_len(i),
		     "send");
	}
}

/* Takes what is there, gives the frames back, and returns how many were right. */
static __u32 take(struct port *port, __u32 first, __u32 count, bool *seen, __u32 *right)
{
	__u32 at = 0, to = 0;
	__u32 got = xsk_ring_cons__peek(&port->rx, BURST, &at);

	must(xsk_ring_prod__reserve(port->fill, got, &to) == got, "FILL");
	for (__u32 i = 0; i < got; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&port->rx, at + i);
		__u64 addr = desc->addr;

		*right += is_packet(data_at(port->memory, addr), desc->len, first, count, seen);
		if (port->memory->unaligned)
			addr = xsk_umem__extract_addr(addr);
		*xsk_ring_prod__fill_addr(port->fill, to + i) = addr;
	}
	xsk_ring_prod__submit(port->fill, got);
	xsk_ring_cons__release(&port->rx, got);
	return got;
}

static void receive(struct port *port, int side, __u32 first, __u32 count)
{
	struct pollfd fd = { xsk_socket__fd(port->xsk), POLLIN, 0 };
	__u32 got = 0, right = 0;

	for (__u32 burst = first; burst < first + count; burst += BURST) {
		bool seen[BURST] = { false };

		peer_sends(side, burst, BURST);
		while (got < burst - first + BURST) {
			must(poll(&fd, 1, WAIT_S * 1000) == 1, "nothing is received");
			got += take(port, burst, BURST, seen, &right);
		}
	}
	printf("received %u packets, %u as they were sent\n", got, right);
}

/* ---- sending ---- */

static void kick(struct port *port)
{
	if (sendto(xsk_socket__fd(port->xsk), NULL, 0, MSG_DONTWAIT, NULL, 0) < 0)
		must(errno == EAGAIN || errno == EBUSY || errno == ENOBUFS, "sendto");
}

static __u32 peer_receives(int side, __u32 first, __u32 count)
{
	char packet[MIN_LEN + LENGTHS + 1];
	bool seen[BURST] = { false };
	__u32 right = 0;

	for (__u32 i = 0; i < count; i++) {
		ssize_t len = recv(net.peer[side], packet, sizeof(packet), 0);

		must(len >= MIN_LEN, "the peer receives nothing");
		right += is_packet(packet, (size_t)len, first, count, seen);
	}
	return right;
}

/* Collects count completions; returns how many are of these frames. */
static __u32 complete(struct port *port, const __u64 *addrs, __u32 count)
{
	__u32 got = 0, right = 0, at = 0;
	time_t start = now();

	while (got < count) {
		__u32 n = xsk_ring_cons__peek(port->comp, count - got, &at);

		for (__u32 i = 0; i < n; i++)
			for (__u32 j = 0; j < count; j++)
				right += *xsk_ring_cons__comp_addr(port->comp, at + i) == addrs[j];
		xsk_ring_cons__release(port->comp, n);
		got += n;
		if (!n) {
			wait_since(start, "no completions");
			kick(port);
		}
	}
	return right;
}

/* The frames of a burst, to be sent: with an offset where that is possible. */
static void put(struct port *port, __u32 number, __u64 *addrs)
{
	__u32 at = 0;

	must(xsk_ring_prod__reserve(&port->tx, BURST, &at) == BURST, "TX");
	for (__u32 i = 0; i < BURST; i++) {
		struct xdp_desc *desc = xsk_ring_prod__tx_desc(&port->tx, at + i);

		addrs[i] = frame_addr(port->memory, FRAMES / 2 + i);
		if (port->memory->unaligned)
			addrs[i] |= (__u64)(100 + i) << XSK_UNALIGNED_BUF_OFFSET_SHIFT;
		make_packet(data_at(port->memory, addrs[i]), number + i);
		desc->addr = addrs[i];
		desc->len = (__u32)packet_len(number + i);
		desc->options = 0;
	}
	xsk_ring_prod__submit(&port->tx, BURST);
}

static void send_packets(struct port *port, int side, __u32 first, __u32 count, bool ask)
{
	__u32 right = 0, completed = 0;
	__u64 addrs[BURST];

	for (__u32 burst = first; burst < first + count; burst += BURST) {
		put(port, burst, addrs);
		if (!ask || xsk_ring_prod__needs_wakeup(&port->tx))
			kick(port);
		right += peer_receives(side, burst, BURST);
		completed += complete(port, addrs, BURST);
	}
	printf("sent %u packets, %u as they were made, %u frames came back\n", count, right,
	       completed);
}

/* ---- scenes without a socket ---- */

static void layout(void)
{
#define FIELD(type, field) \
	printf("layout %s.%s at %zu of %zu bytes\n", #type, #field, \
	       offsetof(struct type, field), sizeof(((struct type *)NULL)->field))
#define RING_FIELDS(type) do { \
	FIELD(type, cached_prod); FIELD(type, cached_cons); FIELD(type, mask); \
	FIELD(type, size); FIELD(type, producer); FIELD(type, consumer); \
	FIELD(type, ring); FIELD(type, flags); \
	printf("layout %s of %zu bytes\n", #type, sizeof(struct type)); } while (0)
	RING_FIELDS(xsk_ring_prod);
	RING_FIELDS(xsk_ring_cons);
	RING_FIELDS(look_alike);
	FIELD(xsk_umem_config, fill_size);
	FIELD(xsk_umem_config, comp_size);
	FIELD(xsk_umem_config, frame_size);
	FIELD(xsk_umem_config, frame_headroom);
	FIELD(xsk_umem_config, flags);
	printf("layout xsk_umem_config of %zu bytes\n", sizeof(struct xsk_umem_config));
	FIELD(xsk_socket_config, rx_size);
	FIELD(xsk_socket_config, tx_size);
	FIELD(xsk_socket_config, libbpf_flags);
	FIELD(xsk_socket_config, libxdp_flags);
	FIELD(xsk_socket_config, xdp_flags);
	FIELD(xsk_socket_config, bind_flags);
	printf("layout xsk_socket_config of %zu bytes\n", sizeof(struct xsk_socket_config));
}

static void constants(void)
{
#define CONSTANT(name) printf("constant %s %lld\n", #name, (long long)(name))
	CONSTANT(XSK_RING_CONS__DEFAULT_NUM_DESCS);
	CONSTANT(XSK_RING_PROD__DEFAULT_NUM_DESCS);
	CONSTANT(XSK_UMEM__DEFAULT_FRAME_SHIFT);
	CONSTANT(XSK_UMEM__DEFAULT_FRAME_SIZE);
	CONSTANT(XSK_UMEM__DEFAULT_FRAME_HEADROOM);
	CONSTANT(XSK_UMEM__DEFAULT_FLAGS);
	CONSTANT(XSK_LIBBPF_FLAGS__INHIBIT_PROG_LOAD);
	CONSTANT(XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD);
	/* Programs ask by its guards which header they have got. */
#if defined(__LIBBPF_XSK_H) && defined(__LIBXDP_XSK_H)
	printf("the header is that of libxdp\n");
#endif
	/* What it brings with it: programs rely on that, too. */
	printf("libbpf's header: %zu\n", sizeof(struct bpf_object_open_opts *));
	printf("stdio and stdint: %zu %zu\n", sizeof(FILE *), sizeof(uint64_t));
}

/* On memory of the client's own, so that each count is known. */
static void rings(void)
{
	__u32 producer = 0xfffffffe, consumer = 0xfffffffe, flags = 0, at = 7;
	struct xdp_desc descs[8];
	struct xsk_ring_prod prod;
	struct xsk_ring_cons cons;

	memset(descs, 0, sizeof(descs));
	prod.cached_prod = producer;
	prod.cached_cons = consumer + 8;
	cons.cached_prod = producer;
	cons.cached_cons = consumer;
	prod.mask = cons.mask = 7;
	prod.size = cons.size = 8;
	prod.producer = cons.producer = &producer;
	prod.consumer = cons.consumer = &consumer;
	prod.ring = cons.ring = descs;
	prod.flags = cons.flags = &flags;

	printf("free %u, available %u\n", xsk_prod_nb_free(&prod, 1), xsk_cons_nb_avail(&cons, 8));
	printf("reserve 9: %u at %u\n", xsk_ring_prod__reserve(&prod, 9, &at), at);
	printf("reserve 6: %u", xsk_ring_prod__reserve(&prod, 6, &at));
	printf(" at %u, free %u\n", at, xsk_prod_nb_free(&prod, 8));
	for (__u32 i = 0; i < 6; i++)
		xsk_ring_prod__tx_desc(&prod, at + i)->addr = 100 + i;
	printf("before submit: available %u\n", xsk_cons_nb_avail(&cons, 8));
	xsk_ring_prod__submit(&prod, 6);
	printf("after submit: available %u of 4, %u of 8\n", xsk_cons_nb_avail(&cons, 4),
	       xsk_cons_nb_avail(&cons, 8));
	printf("peek 4: %u", xsk_ring_cons__peek(&cons, 4, &at));
	printf(" at %u, the last is %llu\n", at,
	       (unsigned long long)xsk_ring_cons__rx_desc(&cons, at + 3)->addr);
	xsk_ring_cons__cancel(&cons, 3);
	xsk_ring_cons__release(&cons, 1);
	printf("cancel 3, release 1: free %u, available %u\n", xsk_prod_nb_free(&prod, 8),
	       xsk_cons_nb_avail(&cons, 8));
	printf("producer %u, consumer %u, cached %u %u\n", producer, consumer,
	       prod.cached_prod, cons.cached_cons);

	*xsk_ring_prod__fill_addr(&prod, 10) = 0x1234;
	printf("entry 10 is entry 2: %llx\n",
	       (unsigned long long)*xsk_ring_cons__comp_addr(&cons, 2));
	printf("needs wakeup: %d", !!xsk_ring_prod__needs_wakeup(&prod));
	flags = XDP_RING_NEED_WAKEUP;
	printf(", with the flag: %d\n", !!xsk_ring_prod__needs_wakeup(&prod));
}

static void addresses(void)
{
	__u64 addr = ((__u64)300 << XSK_UNALIGNED_BUF_OFFSET_SHIFT) | 9000;
	char area[16];

	printf("address %llu, offset %llu, both %llu\n",
	       (unsigned long long)xsk_umem__extract_addr(addr),
	       (unsigned long long)xsk_umem__extract_offset(addr),
	       (unsigned long long)xsk_umem__add_offset_to_addr(addr));
	printf("data at %td\n", (char *)xsk_umem__get_data(area, 5) - area);
}

/* ---- scenes with sockets ---- */

static void say_rings(const struct port *port)
{
	const struct xsk_ring_prod *fill = port->fill, *tx = &port->tx;
	const struct xsk_ring_cons *comp = port->comp, *rx = &port->rx;

	printf("FILL %u mask %u flags %u counters %u %u\n", fill->size, fill->mask,
	       *fill->flags, *fill->producer, *fill->consumer);
	printf("COMPLETION %u mask %u flags %u counters %u %u\n", comp->size, comp->mask,
	       *comp->flags, *comp->producer, *comp->consumer);
	if (rx->ring)
		printf("RX %u mask %u flags %u counters %u %u cached %u %u\n", rx->size, rx->mask,
		       *rx->flags, *rx->producer, *rx->consumer, rx->cached_prod,
		       rx->cached_cons);
	if (tx->ring)
		printf("TX %u mask %u flags %u counters %u %u cached %u %u\n", tx->size, tx->mask,
		       *tx->flags, *tx->producer, *tx->consumer, tx->cached_prod,
		       tx->cached_cons - tx->size);
}

/* What all kernels count: six numbers came later. */
static void say_statistics(const struct port *port)
{
	struct xdp_statistics statistics;
	struct xdp_options options;
	socklen_t len = sizeof(statistics);

	memset(&statistics, 0, sizeof(statistics));
	must(!getsockopt(xsk_socket__fd(port->xsk), SOL_XDP, XDP_STATISTICS, &statistics, &len),
	     "statistics");
	len = sizeof(options);
	must(!getsockopt(xsk_socket__fd(port->xsk), SOL_XDP, XDP_OPTIONS, &options, &len),
	     "options");
	printf("dropped %llu, invalid %llu %llu, zero-copy %d\n",
	       (unsigned long long)statistics.rx_dropped,
	       (unsigned long long)statistics.rx_invalid_descs,
	       (unsigned long long)statistics.tx_invalid_descs,
	       !!(options.flags & XDP_OPTIONS_ZEROCOPY));
}

static void delete_port(struct port *port)
{
	xsk_socket__delete(port->xsk);
	printf("socket deleted\n");
}

/* No configuration at all: the program and each number are the library's. */
static void defaults(void)
{
	static struct memory memory;
	static struct port port;

	make_memory(&memory, NULL);
	plug(&port, &memory, false);
	feed(&port, 0, FRAMES / 2);
	printf("socket: %s\n", result(xsk_socket__create(&port.xsk, "c0", 0, memory.umem,
							 &port.rx, &port.tx, NULL)));
	printf("descriptors: %d %d, the same: %d\n", xsk_umem__fd(memory.umem) >= 0,
	       xsk_socket__fd(port.xsk) >= 0,
	       xsk_umem__fd(memory.umem) == xsk_socket__fd(port.xsk));
	say_program("socket", "c0");
	say_rings(&port);
	receive(&port, 0, 1000, 4 * BURST);
	send_packets(&port, 0, 2000, 4 * BURST, false);
	say_statistics(&port);
	printf("umem in use: %s\n", result(xsk_umem__delete(memory.umem)));
	receive(&port, 0, 3000, BURST);
	delete_port(&port);
	say_program("deleted", "c0");
	delete_memory(&memory);
}

/* Each field has another value than by default; the rings are gone round often. */
static void configured(void)
{
	static const struct xsk_umem_config umem_config = { 64, 32, 2048, 64, 0 };
	static struct xsk_socket_config config;
	static struct memory memory;
	static struct port port;
	__u32 at = 0;

	config.rx_size = 32;
	config.tx_size = 16;
	config.libxdp_flags = 0;
	config.xdp_flags = XDP_FLAGS_SKB_MODE;
	config.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP;
	make_memory(&memory, &umem_config);
	plug(&port, &memory, false);
	feed(&port, 0, 1);
	printf("socket: %s\n", result(xsk_socket__create(&port.xsk, "c0", 0, memory.umem,
							 &port.rx, &port.tx, &config)));
	say_program("socket", "c0");
	say_rings(&port);

	peer_sends(0, 5000, 1);
	for (time_t start = now(); !xsk_cons_nb_avail(&port.rx, 1); )
		wait_since(start, "nothing is received");
	printf("available: %u", xsk_cons_nb_avail(&port.rx, BURST));
	printf(", peeked: %u", xsk_ring_cons__peek(&port.rx, BURST, &at));
	printf(", the packet is at %llu of the frame\n",
	       (unsigned long long)xsk_ring_cons__rx_desc(&port.rx, at)->addr);
	xsk_ring_cons__cancel(&port.rx, 1);
	printf("cancelled and peeked: %u\n", xsk_ring_cons__peek(&port.rx, 1, &at));
	xsk_ring_cons__release(&port.rx, 1);

	feed(&port, 0, 40);
	printf("free in FILL: %u\n", xsk_prod_nb_free(port.fill, 25));
	receive(&port, 0, 6000, 20 * BURST);
	send_packets(&port, 0, 7000, 20 * BURST, true);
	say_statistics(&port);
	delete_port(&port);
	say_program("deleted", "c0");
	delete_memory(&memory);
}

/* Chunks of a size that is no power of two, in native mode. */
static void unaligned(void)
{
	static struct xsk_umem_config umem_config;
	static struct xsk_socket_config config;
	static struct memory memory;
	static struct port port;

	umem_config.fill_size = XSK_RING_PROD__DEFAULT_NUM_DESCS;
	umem_config.comp_size = XSK_RING_CONS__DEFAULT_NUM_DESCS;
	umem_config.frame_size = 3000;
	umem_config.frame_headroom = XSK_UMEM__DEFAULT_FRAME_HEADROOM;
	umem_config.flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG;
	config.rx_size = XSK_RING_CONS__DEFAULT_NUM_DESCS;
	config.tx_size = XSK_RING_PROD__DEFAULT_NUM_DESCS;
	config.xdp_flags = XDP_FLAGS_DRV_MODE;
	make_memory(&memory, &umem_config);
	plug(&port, &memory, false);
	feed(&port, 0, FRAMES / 2);
	printf("socket: %s\n", result(xsk_socket__create(&port.xsk, "c0", 0, memory.umem,
							 &port.rx, &port.tx, &config)));
	say_program("socket", "c0");
	receive(&port, 0, 1000, 8 * BURST);
	send_packets(&port, 0, 2000, 4 * BURST, false);
	say_statistics(&port);
	delete_port(&port);
	delete_memory(&memory);
}

/*
 * The client's own program and map, with two sockets on one queue: one receives,
 * the other sends.
 */
static void own_program(void)
{
	static struct xsk_socket_config config;
	static struct port receiver, sender;
	static struct memory memory;
	int map_fd = make_map();

	config.rx_size = config.tx_size = 64;
	config.libbpf_flags = XSK_LIBBPF_FLAGS__INHIBIT_PROG_LOAD;
	make_memory(&memory, NULL);
	plug(&receiver, &memory, false);
	plug(&sender, &memory, false);
	feed(&receiver, 0, FRAMES / 2);
	printf("socket that receives: %s\n",
	       result(xsk_socket__create(&receiver.xsk, "c0", 0, memory.umem, &receiver.rx, NULL,
					 &config)));
	say_program("socket", "c0");
	attach_own(map_fd, net.ifindex[0]);
	printf("map: %s\n", result(xsk_socket__update_xskmap(receiver.xsk, map_fd)));
	receive(&receiver, 0, 1000, 2 * BURST);
	printf("socket that sends: %s\n",
	       result(xsk_socket__create_shared(&sender.xsk, "c0", 0, memory.umem, NULL,
						&sender.tx, NULL, NULL, &config)));
	printf("descriptors of two: %d\n",
	       xsk_socket__fd(sender.xsk) != xsk_socket__fd(receiver.xsk));
	receive(&receiver, 0, 2000, 2 * BURST);
	send_packets(&sender, 0, 3000, 2 * BURST, false);
	delete_port(&sender);
	delete_port(&receiver);
	say_program("deleted", "c0");
	delete_memory(&memory);
}

/* The library's program, without a socket at first. */
static void setup_program(void)
{
	static struct xsk_socket_config config;
	static struct memory memory;
	static struct port port;
	int map_fd = -1;

	printf("program: %s, ", result(xsk_setup_xdp_prog(net.ifindex[0], &map_fd)));
	printf("map: %d\n", map_fd >= 0);
	say_program("setup", "c0");
	config.rx_size = config.tx_size = 64;
	config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
	make_memory(&memory, NULL);
	plug(&port, &memory, false);
	feed(&port, 0, FRAMES / 2);
	printf("socket: %s\n", result(xsk_socket__create(&port.xsk, "c0", 0, memory.umem,
							 &port.rx, &port.tx, &config)));
	printf("map: %s\n", result(xsk_socket__update_xskmap(port.xsk, map_fd)));
	receive(&port, 0, 1000, 2 * BURST);
	delete_port(&port);
	delete_memory(&memory);
}

/* One UMEM for a queue of each device: packets go through without being copied. */
static void forward(struct port *from, struct port *to, __u32 first)
{
	time_t start = now();
	__u32 got = 0, at = 0, in = 0;
	__u64 addrs[BURST];

	peer_sends(0, first, BURST);
	while (got < BURST) {
		__u32 n = xsk_ring_cons__peek(&from->rx, BURST - got, &in);

		must(xsk_ring_prod__reserve(&to->tx, n, &at) == n, "TX");
		for (__u32 i = 0; i < n; i++) {
			*xsk_ring_prod__tx_desc(&to->tx, at + i) =
				*xsk_ring_cons__rx_desc(&from->rx, in + i);
			addrs[got + i] = xsk_ring_prod__tx_desc(&to->tx, at + i)->addr;
		}
		xsk_ring_cons__release(&from->rx, n);
		xsk_ring_prod__submit(&to->tx, n);
		got += n;
		if (!n)
			wait_since(start, "nothing is received");
	}
	kick(to);
	printf("forwarded %u packets, ", peer_receives(1, first, BURST));
	printf("%u frames came back\n", complete(to, addrs, BURST));
}

static void two_devices(void)
{
	static struct port ports[2];
	static struct memory memory;

	make_memory(&memory, NULL);
	plug(&ports[0], &memory, false);
	plug(&ports[1], &memory, true);
	feed(&ports[0], 0, FRAMES / 4);
	printf("socket on c0: %s\n", result(xsk_socket__create(&ports[0].xsk, "c0", 0,
		memory.umem, &ports[0].rx, &ports[0].tx, NULL)));
	printf("socket on c1: %s\n", result(xsk_socket__create_shared(&ports[1].xsk, "c1", 0,
		memory.umem, &ports[1].rx, &ports[1].tx, &ports[1].own_fill,
		&ports[1].own_comp, NULL)));
	say_program("sockets", "c0");
	say_program("sockets", "c1");
	say_rings(&ports[1]);
	feed(&ports[1], FRAMES / 4, FRAMES / 4);
	receive(&ports[0], 0, 1000, 2 * BURST);
	receive(&ports[1], 1, 2000, 2 * BURST);
	send_packets(&ports[0], 0, 3000, 2 * BURST, false);
	send_packets(&ports[1], 1, 4000, 2 * BURST, false);
	forward(&ports[0], &ports[1], 5000);
	delete_port(&ports[1]);
	say_program("one deleted", "c1");
	delete_port(&ports[0]);
	say_program("both deleted", "c0");
	delete_memory(&memory);
}

/* From the socket of one end to that of the other, by queue 1 of both. */
static void between_sockets(struct port *from, struct port *to, __u32 first)
{
	struct pollfd fd = { xsk_socket__fd(to->xsk), POLLIN, 0 };
	bool seen[BURST] = { false };
	__u32 got = 0, right = 0;
	__u64 addrs[BURST];

	put(from, first, addrs);
	kick(from);
	while (got < BURST) {
		must(poll(&fd, 1, WAIT_S * 1000) == 1, "nothing is received");
		got += take(to, first, BURST, seen, &right);
	}
	printf("between sockets: %u packets, %u as they were made, ", got, right);
	printf("%u frames came back\n", complete(from, addrs, BURST));
}

static void open_sender(struct port *sender, struct memory *memory)
{
	static struct xsk_socket_config config;

	config.rx_size = config.tx_size = XSK_RING_PROD__DEFAULT_NUM_DESCS;
	config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
	make_memory(memory, NULL);
	plug(sender, memory, false);
	printf("socket that sends: %s\n", result(xsk_socket__create(&sender->xsk, "p0", 1,
		memory->umem, NULL, &sender->tx, &config)));
}

/* Two queues of a device, with rings for each and one program for both. */
static void two_queues(void)
{
	static struct memory memory, senders;
	static struct port ports[2], sender;

	make_memory(&memory, NULL);
	for (__u32 i = 0; i < 2; i++)
		plug(&ports[i], &memory, i);
	printf("socket on queue 0: %s\n", result(xsk_socket__create(&ports[0].xsk, "c0", 0,
		memory.umem, &ports[0].rx, &ports[0].tx, NULL)));
	printf("socket on queue 1: %s\n", result(xsk_socket__create_shared(&ports[1].xsk, "c0", 1,
		memory.umem, &ports[1].rx, &ports[1].tx, &ports[1].own_fill,
		&ports[1].own_comp, NULL)));
	say_program("sockets", "c0");
	for (__u32 i = 0; i < 2; i++)
		feed(&ports[i], i * FRAMES / 4, FRAMES / 4);
	receive(&ports[0], 0, 1000, 2 * BURST);
	open_sender(&sender, &senders);
	for (__u32 i = 0; i < 4; i++)
		between_sockets(&sender, &ports[1], 2000 + i * BURST);
	delete_port(&sender);
	delete_memory(&senders);
	send_packets(&ports[0], 0, 3000, 2 * BURST, false);
	send_packets(&ports[1], 0, 4000, 2 * BURST, false);
	delete_port(&ports[0]);
	say_program("one deleted", "c0");
	delete_port(&ports[1]);
	say_program("both deleted", "c0");
	delete_memory(&memory);
}

/* What cannot be, and what may be missing. */
static void refusals(void)
{
	static const struct xsk_umem_config odd_frame = { 64, 64, 1000, 0, 0 };
	static const struct xsk_umem_config odd_ring = { 63, 64, 4096, 0, 0 };
	static struct xsk_socket_config config;
	static struct memory memory, other;
	static struct port port, second;
	struct xsk_umem *umem = NULL;

	config.rx_size = config.tx_size = 64;
	config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
	make_memory(&memory, NULL);
	make_memory(&other, NULL);
	printf("frames of 1000: %s\n", result(xsk_umem__create(&umem, memory.area, 1 << 16,
		&second.own_fill, &second.own_comp, &odd_frame)));
	printf("63 entries: %s\n", result(xsk_umem__create(&umem, memory.area, 1 << 16,
		&second.own_fill, &second.own_comp, &odd_ring)));
	printf("no memory: %s\n", refused(xsk_umem__create(&umem, NULL, 1 << 16,
		&second.own_fill, &second.own_comp, NULL)));
	printf("no interface of that name: %s\n", result(xsk_socket__create(&port.xsk, "c7", 0,
		memory.umem, &port.rx, &port.tx, &config)));
	printf("no rings: %s\n", refused(xsk_socket__create(&port.xsk, "c0", 0, memory.umem,
		NULL, NULL, &config)));
	printf("neither UMEM nor socket: %d %d\n", umem == NULL, port.xsk == NULL);

	printf("socket: %s\n", result(xsk_socket__create(&port.xsk, "c0", 0, memory.umem,
		&port.rx, &port.tx, &config)));
	printf("its queue once more: %s\n", result(xsk_socket__create(&second.xsk, "c0", 0,
		other.umem, &second.rx, &second.tx, &config)));
	printf("no map: %s\n", refused(xsk_socket__update_xskmap(port.xsk, -1)));
	printf("descriptors of nothing: %s %s\n", result(xsk_umem__fd(NULL)),
	       result(xsk_socket__fd(NULL)));
	delete_port(&port);
	xsk_socket__delete(NULL);
	printf("deleting nothing: %s\n", result(xsk_umem__delete(NULL)));
	delete_memory(&memory);
	delete_memory(&other);
}

/* ---- which library ---- */

/* A program may take the address of each of them, of the inline ones too. */
static const struct {
	const char *name;
	void *address;
} functions[] = {
#define FUNCTION(name) { #name, (void *)name }
	FUNCTION(xsk_cons_nb_avail), FUNCTION(xsk_prod_nb_free),
	FUNCTION(xsk_ring_cons__cancel), FUNCTION(xsk_ring_cons__comp_addr),
	FUNCTION(xsk_ring_cons__peek), FUNCTION(xsk_ring_cons__release),
	FUNCTION(xsk_ring_cons__rx_desc), FUNCTION(xsk_ring_prod__fill_addr),
	FUNCTION(xsk_ring_prod__needs_wakeup), FUNCTION(xsk_ring_prod__reserve),
	FUNCTION(xsk_ring_prod__submit), FUNCTION(xsk_ring_prod__tx_desc),
	FUNCTION(xsk_setup_xdp_prog), FUNCTION(xsk_socket__create),
	FUNCTION(xsk_socket__create_shared), FUNCTION(xsk_socket__delete),
	FUNCTION(xsk_socket__fd), FUNCTION(xsk_socket__update_xskmap),
	FUNCTION(xsk_umem__add_offset_to_addr), FUNCTION(xsk_umem__create),
	FUNCTION(xsk_umem__delete), FUNCTION(xsk_umem__extract_addr),
	FUNCTION(xsk_umem__extract_offset), FUNCTION(xsk_umem__fd),
	FUNCTION(xsk_umem__get_data),
};

/* Not to the output, which is the same with both. */
static void say_library(const char *path)
{
	FILE *to = fopen(path, "we"), *maps = fopen("/proc/self/maps", "re");
	char line[4096];

	must(to && maps, path);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		Dl_info info;

		memset(&info, 0, sizeof(info));
		must(dladdr(functions[i].address, &info), functions[i].name);
		fprintf(to, "function %s %s\n", functions[i].name, info.dli_fname);
	}
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, "/libx"))
			fprintf(to, "mapped %s", strchr(line, '/'));
	fclose(maps);
	must(!fclose(to), path);
}

static int play(const char *name, void (*scene)(void))
{
	int status;
	pid_t pid;

	printf("---- %s\n", name);
	fflush(stdout);
	pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		open_net();
		scene();
		exit(0);
	}
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	if (status)
		fprintf(stderr, "client: %s: status 0x%x\n", name, (unsigned int)status);
	return !!status;
}

int main(int argc, char **argv)
{
	cpu_set_t cpus;
	int failed = 0;

	if (argc != 2)
		return 2;
	/* A sender that changes the CPU would change the queue that it sends by. */
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	must(!sched_setaffinity(0, sizeof(cpus), &cpus), "CPU 0");
	/* What is meant for this program is not meant for those that it runs. */
	unsetenv("LD_PRELOAD");

	say_library(argv[1]);
	layout();
	constants();
	rings();
	addresses();
	failed |= play("defaults", defaults);
	failed |= play("configured", configured);
	failed |= play("unaligned", unaligned);
	failed |= play("own program", own_program);
	failed |= play("setup program", setup_program);
	failed |= play("two devices", two_devices);
	failed |= play("two queues", two_queues);
	failed |= play("refusals", refusals);
	return failed;
}
