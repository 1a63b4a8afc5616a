/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "lab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define ETHERTYPE 0x88b5		/* for local experiments, IEEE 802 */
#define NUMBER_AT 14			/* after the Ethernet header */
#define WAIT_US 2000000
#define STEP_US 5000

/* ---- namespaces and the pair ---- */

static int open_ns(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int new_ns(void)
{
	int sysctl, fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = open_ns();

	/* /proc/sys/net is that of the thread. Absent without IPv6: as well. */
	sysctl = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
	if (sysctl >= 0) {
		assert_int_equal(write(sysctl, "1", 1), 1);
		close(sysctl);
	}
	return fd;
}

void lab_enter(const struct lab *lab, int side)
{
	assert_int_equal(setns(lab->ns[side], CLONE_NEWNET), 0);
}

void lab_run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command))
		fail_msg("failed: %s", command);
}

/* A sender that changes the CPU can have its packets reordered (veth, generic). */
static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

static int open_packet_socket(const char *ifname)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETHERTYPE),
		.sll_ifindex = (int)if_nametoindex(ifname),
	};
	struct timeval wait = { .tv_sec = 2 };
	int size = 4 << 20, bypass = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE));

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&addr, sizeof(addr)), 0);
	/* No queue in between: what was sent has arrived or was lost. */
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass,
				    sizeof(bypass)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

static void enter_home(const struct lab *lab)
{
	assert_int_equal(setns(lab->home, CLONE_NEWNET), 0);
}

static void open_namespaces(struct lab *lab)
{
	lab->send = NULL;
	lab->home = open_ns();
	lab->ns[0] = new_ns();
	lab->ns[1] = new_ns();
	pin(0);
}

static void set_up(struct lab *lab)
{
	for (int side = 1; side >= 0; side--) {
		lab_enter(lab, side);
		lab_run("ip link set lab%d up", side);
		lab->ifindex[side] = (int)if_nametoindex(side ? "lab1" : "lab0");
		if (side)
			lab->peer = open_packet_socket("lab1");
	}
}

void lab_open(struct lab *lab, unsigned int queues)
{
	open_namespaces(lab);
	lab->nics = NULL;
	lab_enter(lab, 0);
	lab_run("ip link add lab0 numrxqueues %u numtxqueues %u type veth peer name lab1 "
		"numrxqueues %u numtxqueues %u netns /proc/%d/fd/%d",
		queues, queues, queues, queues, getpid(), lab->ns[1]);
	set_up(lab);
}

void lab_open_nics(struct lab *lab, const char *name)
{
	open_namespaces(lab);
	lab->nics = name;
	enter_home(lab);
	for (int side = 0; side < 2; side++)
		lab_run("ip link set %s%d netns /proc/%d/fd/%d name lab%d", name, side, getpid(),
			lab->ns[side], side);
	set_up(lab);
	/* The tests' frames have other addresses than a NIC lets in. */
	for (int side = 1; side >= 0; side--) {
		lab_enter(lab, side);
		lab_run("ip link set lab%d promisc on", side);
	}
}

static void give_nics_back(const struct lab *lab)
{
	for (int side = 0; side < 2; side++) {
		lab_enter(lab, side);
		lab_run("ip link set lab%d promisc off", side);
		lab_run("ip link set lab%d netns /proc/%d/fd/%d name %s%d", side, getpid(),
			lab->home, lab->nics, side);
	}
}

void lab_close(struct lab *lab)
{
	if (lab->nics)
		give_nics_back(lab);
	enter_home(lab);
	close(lab->peer);
	close(lab->ns[0]);
	close(lab->ns[1]);
	close(lab->home);
}

/* ---- children ---- */

void lab_drop(int capability)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		_exit(200);
	data[capability / 32].effective &= ~(1U << capability % 32);
	data[capability / 32].permitted &= ~(1U << capability % 32);
	data[capability / 32].inheritable = 0;
	if (syscall(SYS_capset, &header, data))
		_exit(201);
}

void lab_in_child(int (*what)(void), int wanted)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		_exit(-what() & 0xff);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), -wanted & 0xff);
}

/* ---- frames ---- */

void lab_frame(void *frame, size_t len, uint32_t number)
{
	static const uint8_t header[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2,
					  ETHERTYPE >> 8, ETHERTYPE & 0xff };
	uint8_t *bytes = frame;

	memcpy(bytes, header, sizeof(header));
	memcpy(bytes + NUMBER_AT, &number, sizeof(number));
	for (size_t i = NUMBER_AT + sizeof(number); i < len; i++)
		bytes[i] = (uint8_t)(number * 31 + i * 7 + len);
}

bool lab_frame_is(const void *frame, size_t len, uint32_t number)
{
	uint8_t wanted[65536];

	assert_true(len <= sizeof(wanted));
	lab_frame(wanted, len, number);
	return !memcmp(frame, wanted, len);
}

void lab_send(const struct lab *lab, uint32_t number, size_t len)
{
	uint8_t frame[65536];

	lab_frame(frame, len, number);
	if (lab->send) {
		lab->send(lab->sender, frame, len);
		return;
	}
	assert_int_equal(send(lab->peer, frame, len, 0), len);
}

static void expect(int fd, uint32_t number, size_t len)
{
	uint8_t frame[65536];

	assert_int_equal(recv(fd, frame, sizeof(frame), 0), len);
	assert_true(lab_frame_is(frame, len, number));
}

void lab_expect(const struct lab *lab, uint32_t number, size_t len)
{
	expect(lab->peer, number, len);
}

int lab_stack_open(void)
{
	return open_packet_socket("lab0");
}

void lab_stack_expect(int stack, uint32_t number, size_t len)
{
	expect(stack, number, len);
}

void lab_expect_nothing(const struct lab *lab)
{
	uint8_t frame[LAB_MAX_FRAME];

	assert_int_equal(recv(lab->peer, frame, sizeof(frame), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

/* ---- accounts ---- */

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static int count_ring_mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[512];
	int count = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += !!strstr(line, "socket:[");
	fclose(file);
	return count;
}

/* The machine may run programs of others: those with our names are counted. */
static bool prog_is_named(int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	       (!strncmp(info.name, "libxsk_", 7) || !strcmp(info.name, "users_own"));
}

static bool map_is_named(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	       (!strcmp(info.name, "xsks_map") || !strcmp(info.name, "xsk_counters"));
}

static bool is_xdp_link(int fd)
{
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_LINK_TYPE_XDP;
}

static int count_objects(int (*next)(uint32_t, uint32_t *), int (*open_id)(uint32_t),
			 bool (*counts)(int))
{
	uint32_t id = 0;
	int count = 0;

	while (!next(id, &id)) {
		int fd = open_id(id);

		if (fd < 0)
			continue;
		count += counts(fd);
		close(fd);
	}
	return count;
}

void lab_count(struct lab_count *count)
{
	count->fds = count_fds();
	count->ring_mappings = count_ring_mappings();
	count->progs = count_objects(bpf_prog_get_next_id, bpf_prog_get_fd_by_id, prog_is_named);
	count->maps = count_objects(bpf_map_get_next_id, bpf_map_get_fd_by_id, map_is_named);
	count->links = count_objects(bpf_link_get_next_id, bpf_link_get_fd_by_id, is_xdp_link);
}

/* Of the system's, something that is not ours may have gone meanwhile. */
static bool nothing_came(const struct lab_count *now, const struct lab_count *before)
{
	return now->fds == before->fds && now->ring_mappings == before->ring_mappings &&
	       now->progs <= before->progs && now->maps <= before->maps &&
	       now->links <= before->links;
}

void lab_assert_unchanged(const struct lab_count *before)
{
	struct lab_count now;

	for (int waited = 0; waited < WAIT_US; waited += STEP_US) {
		lab_count(&now);
		if (nothing_came(&now, before))
			return;
		usleep(STEP_US);
	}
	fail_msg("before and now: descriptors %d %d, ring mappings %d %d, BPF programs %d %d, "
		 "maps %d %d, links %d %d", before->fds, now.fds, before->ring_mappings,
		 now.ring_mappings, before->progs, now.progs, before->maps, now.maps,
		 before->links, now.links);
}

uint32_t lab_prog_id(const struct lab *lab, int side)
{
	int here = open_ns();
	uint32_t id = 0;

	lab_enter(lab, side);
	assert_int_equal(bpf_xdp_query_id(lab->ifindex[side], 0, &id), 0);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	return id;
}

void lab_assert_prog(const struct lab *lab, int side, bool there)
{
	for (int waited = 0; waited < WAIT_US; waited += STEP_US) {
		if (!lab_prog_id(lab, side) == !there)
			return;
		usleep(STEP_US);
	}
	fail_msg("lab%d: %s", side, there ? "no program" : "a program is left");
}
