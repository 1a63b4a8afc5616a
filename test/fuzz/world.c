/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "world.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * The kernel frees a queue some 50 ms after its last socket has gone. As many
 * pairs take turns as programs may come in that time.
 */
#define PAIRS 8
#define QUEUES_OF_PAIR 2

/* Where an area that is too long ends: what is pinned there must be nothing. */
#define BEYOND (1ULL << 30)

#define WAIT_MS 2000
#define OBJECTS 16

struct world world;

/* Of all programs. */
static struct lab pairs[PAIRS];
static int peers[PAIRS][2];
static unsigned int turn;
static int kernel_log = -1;

/* BPF objects that were seen on our interfaces; their ids never come again. */
static struct {
	uint32_t progs[OBJECTS], maps[OBJECTS], links[OBJECTS];
	unsigned int count;
} seen;

void world_fail(const char *format, ...)
{
	va_list args;

	fputs("fuzz: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* ---- memory ---- */

/* Each block has bytes of its own. */
static uint8_t byte_of(uint64_t block)
{
	return (uint8_t)(0x40 + block % 181);
}

static void map_memory(struct memory *memory)
{
	uint8_t *at = mmap(NULL, PAGE + AREA + PAGE + 2 * BEYOND, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		world_fail("no memory");
	at += BEYOND;
	if (mprotect(at, PAGE + AREA + PAGE, PROT_READ | PROT_WRITE))
		world_fail("no memory");
	memory->area = at + PAGE;
	memset(memory->area - PAGE, 0x11, PAGE);
	memset(memory->area + AREA, 0x22, PAGE);
	memset(memory->touched, true, sizeof(memory->touched));
}

static void paint_memory(struct memory *memory)
{
	for (uint64_t i = 0; i < BLOCKS; i++)
		if (memory->touched[i])
			memset(memory->area + i * BLOCK, byte_of(i), BLOCK);
	memset(memory->touched, false, sizeof(memory->touched));
}

static bool is_all(const uint8_t *at, uint8_t byte, size_t len)
{
	return at[0] == byte && !memcmp(at, at + 1, len - 1);
}

static void check_memory(const struct memory *memory)
{
	if (!is_all(memory->area - PAGE, 0x11, PAGE) || !is_all(memory->area + AREA, 0x22, PAGE))
		world_fail("something was written beside the area");
	for (uint64_t i = 0; i < BLOCKS; i++)
		if (!memory->touched[i] && !is_all(memory->area + i * BLOCK, byte_of(i), BLOCK))
			world_fail("block %llu was written, which the kernel was never given",
				   (unsigned long long)i);
}

/* ---- the pairs ---- */

static int open_peer(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), bypass = 1;

	/* No queue in between: the packet has arrived when it is sent. */
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass)))
		world_fail("no packet socket");
	return fd;
}

void world_open(void)
{
	for (int i = 0; i < PAIRS; i++) {
		lab_open(&pairs[i], QUEUES_OF_PAIR);
		for (int side = 1; side >= 0; side--) {
			lab_enter(&pairs[i], side);
			peers[i][side] = open_peer();
		}
	}
	for (int i = 0; i < UMEMS; i++)
		map_memory(&world.memory[i]);
	libbpf_set_print(NULL);
	/* Where it cannot be read, run.sh says so. */
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kernel_log >= 0)
		lseek(kernel_log, 0, SEEK_END);
}

void world_enter(int side)
{
	lab_enter(world.lab, side);
	world.side = side;
}

static const char *name_of(int side)
{
	return side ? "lab1" : "lab0";
}

static void interface_ioctl(unsigned long request, struct ifreq *ifreq)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		world_fail("no socket");
	strcpy(ifreq->ifr_name, name_of(world.side));
	/* The driver may refuse: an MTU that its program cannot take. */
	if (ioctl(fd, request, ifreq) && errno == EPERM)
		world_fail("no privilege");
	close(fd);
	world.changed = true;
}

void world_set_up(bool up)
{
	struct ifreq ifreq = { .ifr_flags = up ? IFF_UP : 0 };

	interface_ioctl(SIOCSIFFLAGS, &ifreq);
}

void world_set_mtu(int mtu)
{
	struct ifreq ifreq = { .ifr_mtu = mtu };

	interface_ioctl(SIOCSIFMTU, &ifreq);
}

static void restore_pair(void)
{
	for (int side = 1; side >= 0; side--) {
		world_enter(side);
		if (world.changed) {
			world_set_mtu(1500);
			world_set_up(true);
		}
	}
	world.changed = false;
}

/* As lab_open() makes them. */
void world_new_pair(void)
{
	int side = world.side;

	world_enter(0);
	lab_run("ip link del lab0");
	lab_run("ip link add lab0 numrxqueues %u numtxqueues %u type veth peer name lab1 "
		"numrxqueues %u numtxqueues %u netns /proc/%d/fd/%d", QUEUES_OF_PAIR,
		QUEUES_OF_PAIR, QUEUES_OF_PAIR, QUEUES_OF_PAIR, getpid(), world.lab->ns[1]);
	world.changed = true;
	restore_pair();
	for (int i = 1; i >= 0; i--) {
		world_enter(i);
		world.lab->ifindex[i] = (int)if_nametoindex(name_of(i));
	}
	world_enter(side);
}

static void go_to_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* The queue is that of the CPU. Where there is only one, so be it. */
void world_send(int side, unsigned int queue, unsigned int count, size_t len)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_ifindex = world.lab->ifindex[!side],
	};
	uint8_t frame[9000];

	lab_frame(frame, len < 18 ? 18 : len, (uint32_t)len);
	/* What a small MTU or an interface that is down refuses is not sent. */
	go_to_cpu(queue);
	for (unsigned int i = 0; i < count; i++)
		sendto(world.peers[!side], frame, len, MSG_DONTWAIT, (void *)&addr, sizeof(addr));
	go_to_cpu(0);
}

/* ---- descriptors ---- */

static struct rlimit full_limit;

void world_limit(void)
{
	struct rlimit limit;
	int free_fd;

	world.limited = world.limit >= 0;
	if (!world.limited)
		return;
	free_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (free_fd < 0 || getrlimit(RLIMIT_NOFILE, &full_limit))
		world_fail("no descriptor");
	close(free_fd);
	limit = full_limit;
	limit.rlim_cur = (rlim_t)(free_fd + world.limit);
	if (setrlimit(RLIMIT_NOFILE, &limit))
		world_fail("no limit");
}

void world_unlimit(void)
{
	if (world.limit >= 0 && setrlimit(RLIMIT_NOFILE, &full_limit))
		world_fail("the limit stays");
	world.limit = -1;
}

/* ---- programs ---- */

static uint32_t prog_on(int side)
{
	uint32_t id = 0;

	return bpf_xdp_query_id(world.lab->ifindex[side], 0, &id) ? 0 : id;
}

static uint32_t map_of_prog(uint32_t prog_id)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info), id = 0;
	int fd = bpf_prog_get_fd_by_id(prog_id);

	if (fd < 0)
		return 0;
	info.nr_map_ids = 1;
	info.map_ids = (uintptr_t)&id;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) || !info.nr_map_ids)
		id = 0;
	close(fd);
	return id;
}

static uint32_t link_of_prog(uint32_t prog_id)
{
	uint32_t id = 0, found = 0;

	while (!found && !bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = { 0 };
		uint32_t len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.prog_id == prog_id)
			found = id;
		close(fd);
	}
	return found;
}

static void note_program(uint32_t id)
{
	for (unsigned int i = 0; i < seen.count; i++)
		if (seen.progs[i] == id)
			return;
	if (!id || seen.count == OBJECTS)
		return;
	seen.progs[seen.count] = id;
	seen.maps[seen.count] = map_of_prog(id);
	seen.links[seen.count] = link_of_prog(id);
	seen.count++;
}

void world_note_programs(void)
{
	world.with_program = true;
	note_program(prog_on(world.side));
}

/* Exactly ours: other processes may have programs of the same names. */
static bool exists(int (*open_id)(uint32_t), uint32_t id)
{
	int fd = id ? open_id(id) : -1;

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static unsigned int count_seen(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < seen.count; i++)
		count += exists(bpf_prog_get_fd_by_id, seen.progs[i]) +
			 exists(bpf_map_get_fd_by_id, seen.maps[i]) +
			 exists(bpf_link_get_fd_by_id, seen.links[i]);
	return count;
}

static void check_programs(void)
{
	unsigned int left = 0;

	if (!world.with_program)
		return;
	for (int side = 1; side >= 0; side--) {
		world_enter(side);
		for (int ms = 0; prog_on(side); ms++, sleep_ms(1))
			if (ms == WAIT_MS)
				world_fail("a program is left on %s", name_of(side));
	}
	for (int ms = 0; (left = count_seen()); ms++, sleep_ms(1))
		if (ms == WAIT_MS)
			world_fail("%u BPF objects are left", left);
	seen.count = 0;
}

void world_user_prog(uint8_t how)
{
	int ifindex = world.lab->ifindex[world.side];
	int err;

	user_prog_load(&world.user, how % 3, how & 8 ? 1 : 2);
	if (how & 4) {
		err = bpf_xdp_attach(ifindex, world.user.prog_fd, XDP_FLAGS_UPDATE_IF_NOEXIST,
				     NULL);
	} else {
		err = bpf_link_create(world.user.prog_fd, ifindex, BPF_XDP, NULL);
		if (err >= 0)
			world.user.link_fd = err;
	}
	/* Where one is already, it is a map and a program that is not attached. */
	world.user.ifindex = err >= 0 && how & 4 ? ifindex : 0;
	world.user_side = world.side;
	world.has_user = true;
	world_note_programs();
}

/* The interface may be gone meanwhile, and the program with it. */
void world_no_user_prog(void)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = world.user.prog_fd);
	int side = world.side;

	if (!world.has_user)
		return;
	if (world.user.ifindex) {
		world_enter(world.user_side);
		bpf_xdp_detach(world.user.ifindex, XDP_FLAGS_REPLACE, &opts);
		world_enter(side);
	}
	world.user.ifindex = 0;
	user_prog_unload(&world.user);
	world.has_user = false;
}

/* ---- before and after ---- */

/* Before each program: libFuzzer itself opens something now and then. */
static struct lab_count before;

void world_begin(void)
{
	unsigned int now = turn++ % PAIRS;
	struct memory memory[UMEMS];

	for (int i = 0; i < UMEMS; i++) {
		paint_memory(&world.memory[i]);
		memory[i] = world.memory[i];
	}
	/* The library writes every member of what it is given. */
	memset(&world, 0xa5, sizeof(world));
	memcpy(world.memory, memory, sizeof(memory));
	for (int i = 0; i < UMEMS; i++)
		world.umems[i].umem = NULL;
	for (int i = 0; i < SOCKETS; i++)
		world.sockets[i].xsk = NULL;
	memset(world.queues, 0, sizeof(world.queues));
	for (int i = 0; i < VIEWS; i++)
		world.views[i].fill_lives = world.views[i].comp_lives = false;
	world.has_user = false;
	world.copy = -1;
	world.limit = -1;
	world.limited = false;
	world.changed = false;
	world.with_program = false;
	world.left = (struct budget){
		.creates = 12, .programs = 3, .pairs = 1, .forks = 2, .copies = 1, .interface = 6,
	};
	world.lab = &pairs[now];
	memcpy(world.peers, peers[now], sizeof(world.peers));
	world_enter(0);
	lab_count(&before);
}

/* In an order that the program says. */
static void delete_all(struct input *in)
{
	uint8_t first = input_u8(in);

	for (unsigned int i = 0; i < SOCKETS; i++) {
		struct socket *socket = &world.sockets[(i + first) % SOCKETS];

		delete_umem(&world.umems[i % UMEMS]);
		if (socket->xsk)
			delete_socket(socket);
	}
	for (unsigned int i = 0; i < UMEMS; i++)
		delete_umem(&world.umems[(i + first) % UMEMS]);
}

static void check_counts(void)
{
	static struct lab_count now;

	for (int ms = 0; ms < WAIT_MS; ms++) {
		lab_count(&now);
		if (now.fds == before.fds && now.ring_mappings == before.ring_mappings)
			return;
		sleep_ms(1);
	}
	world_fail("before and now: descriptors %d %d, ring mappings %d %d", before.fds,
		   now.fds, before.ring_mappings, now.ring_mappings);
}

static void check_kernel_log(void)
{
	static const char *const complaints[] = { "WARNING:", "BUG:", "Oops", "refcount_t" };
	char record[8192];
	ssize_t len;

	/* A record that was overwritten before it was read gives EPIPE. */
	while (kernel_log >= 0 && ((len = read(kernel_log, record, sizeof(record) - 1)) > 0 ||
				   (len < 0 && errno == EPIPE))) {
		if (len < 0)
			continue;
		record[len] = '\0';
		for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++)
			if (strstr(record, complaints[i]))
				world_fail("the kernel says: %s", record);
	}
}

void world_end(struct input *in)
{
	delete_all(in);
	share_drop_kept();
	world_no_user_prog();
	if (world.copy >= 0)
		close(world.copy);
	restore_pair();
	check_programs();
	check_counts();
	for (int i = 0; i < UMEMS; i++)
		check_memory(&world.memory[i]);
	check_kernel_log();
}
