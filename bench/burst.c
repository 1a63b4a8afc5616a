/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Bursts of BURST packets, each received and returned, or allocated and sent, by
 * one of the contenders (burst.h). callgrind counts the instructions; nothing is
 * timed.
 *
 *     burst-CONTENDER [checked-](receive|send) IFNAME NETNS BURSTS
 *
 * Each burst is whole, else the program fails: the instructions divided by the packets
 * are those of a full burst. So the packets to be received come from this very thread,
 * by a packet socket at the other end of the wire, an interface of the same name in
 * the network namespace NETNS of ip-netns(8); and nothing is called before all that
 * was sent has arrived.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "burst.h"

#define SETTLE_US 1000

static int open_file(const char *directory, const char *name)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void enter(int netns)
{
	if (setns(netns, CLONE_NEWNET))
		err(1, "setns");
}

/* A packet socket at the other end. It receives nothing (protocol 0). */
static int open_far_end(const char *ifname, const char *netns)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET };
	int home = open_file("/proc/thread-self/ns", "net");
	int away = open_file("/run/netns", netns);
	int fd;

	enter(away);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	address.sll_ifindex = (int)if_nametoindex(ifname);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "the packet socket");
	enter(home);
	close(home);
	close(away);
	return fd;
}

/* The kernel receives on the CPU that sends: it has done so when sending returns. */
static void stay_on_this_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
}

/* It does so unless its thread for that work has been woken: so that this can run. */
static void settle(void)
{
	usleep(SETTLE_US);
}

/* Broadcast, of the EtherType for local experiments: nobody answers. */
static void bring_burst(int far_end)
{
	static const unsigned char packet[PACKET_SIZE] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 1, 0x88, 0xb5,
	};

	for (int i = 0; i < BURST; i++)
		if (send(far_end, packet, sizeof(packet), 0) != sizeof(packet))
			err(1, "sending from the other end");
	settle();
}

static void receive_bursts(struct contender *contender, int far_end, unsigned long bursts)
{
	unsigned int count;

	for (unsigned long i = 0; i < bursts; i++) {
		bring_burst(far_end);
		count = receive_burst(contender);
		if (count != BURST)
			errx(1, "burst %lu: received %u packets", i, count);
	}
	if (received_bytes(contender) != bursts * BURST * PACKET_SIZE)
		errx(1, "the bytes received are %llu",
		     (unsigned long long)received_bytes(contender));
}

static void send_bursts(struct contender *contender, unsigned long bursts)
{
	unsigned int count;

	for (unsigned long i = 0; i < bursts; i++) {
		count = send_burst(contender);
		if (count != BURST)
			errx(1, "burst %lu: sent %u packets", i, count);
		while (kick(contender))
			;
		settle();
	}
}

int main(int argc, char **argv)
{
	struct contender *contender;
	unsigned long bursts;
	const char *what;
	int far_end, checked;

	if (argc != 5)
		errx(2, "usage: burst-CONTENDER [checked-](receive|send) IFNAME NETNS BURSTS");
	checked = !strncmp(argv[1], "checked-", 8);
	what = argv[1] + (checked ? 8 : 0);
	bursts = strtoul(argv[4], NULL, 10);

	stay_on_this_cpu();
	far_end = open_far_end(argv[2], argv[3]);
	contender = open_contender(argv[2], checked);
	settle();
	if (!strcmp(what, "receive"))
		receive_bursts(contender, far_end, bursts);
	else if (!strcmp(what, "send"))
		send_bursts(contender, bursts);
	else
		errx(2, "neither receive nor send: %s", what);
	close_contender(contender);
	close(far_end);
	return 0;
}
