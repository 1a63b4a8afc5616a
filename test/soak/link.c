/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "soak.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../net/ports.h"

#define FRAGS_MTU 9000

static struct {
	pthread_t thread;
	struct chance chance;
	int sockets[2];			/* one in each namespace */
	bool over;
} flaps;

const char *link_name(uint32_t link, int side)
{
	static const char *const names[SOAK_LINKS][2] = { { "lab0", "lab1" }, { "via0", "via1" } };

	return names[link][side];
}

void link_make(void)
{
	lab_enter(&soak.lab, 0);
	if (soak.links > 1)
		lab_run("ip link add via0 numrxqueues %u numtxqueues %u type veth peer name via1 "
			"numrxqueues %u numtxqueues %u netns /proc/%d/fd/%d", soak.queues,
			soak.queues, soak.queues, soak.queues, getpid(), soak.lab.ns[1]);
	for (int side = 0; side < 2; side++) {
		lab_enter(&soak.lab, side);
		for (uint32_t i = 0; i < soak.links; i++)
			lab_run("ip link set %s up mtu %d", link_name(i, side),
				soak.frags ? FRAGS_MTU : 1500);
	}
	lab_enter(&soak.lab, 0);
}

void link_remove(void)
{
	lab_enter(&soak.lab, 0);
	for (uint32_t i = 0; i < soak.links; i++)
		lab_run("ip link del %s", link_name(i, 0));
}

uint64_t link_dropped(uint32_t link, int side)
{
	/* The calling thread is in the namespace. */
	FILE *file = fopen("/proc/thread-self/net/dev", "re");
	unsigned long long dropped = 0;
	char line[512], *values;
	size_t len = strlen(link_name(link, side));
	bool found = false;

	soak_check(file, "/proc/thread-self/net/dev cannot be read");
	while (!found && fgets(line, sizeof(line), file)) {
		values = line + strspn(line, " ");
		if (strncmp(values, link_name(link, side), len) || values[len] != ':')
			continue;
		/* Eight of receiving; then bytes, packets, errors, dropped. */
		found = sscanf(values + len + 1, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			       "%llu", &dropped) == 1;
	}
	fclose(file);
	soak_check(found, "/proc/thread-self/net/dev has no %s", link_name(link, side));
	return dropped;
}

/* ---- flaps ---- */

static void set_up(uint32_t link, int side, bool up)
{
	struct ifreq req = { 0 };

	memcpy(req.ifr_name, link_name(link, side), 5);
	soak_check(!ioctl(flaps.sockets[side], SIOCGIFFLAGS, &req), "%s has no flags",
		   req.ifr_name);
	req.ifr_flags = (short)(up ? req.ifr_flags | IFF_UP : req.ifr_flags & ~IFF_UP);
	soak_check(!ioctl(flaps.sockets[side], SIOCSIFFLAGS, &req), "%s cannot be set %s",
		   req.ifr_name, up ? "up" : "down");
}

static void flap(void)
{
	uint32_t link = chance_below(&flaps.chance, soak.links);
	uint32_t kind = chance_below(&flaps.chance, 3);

	soak_set(&soak.disturbed[link], true);
	for (int side = 0; side < 2; side++)
		if (kind == 2 || kind == (uint32_t)side)
			set_up(link, side, false);
	soak_sleep_us(chance_below(&flaps.chance, chance_in(&flaps.chance, 2) ? 1000 : 40000));
	for (int side = 1; side >= 0; side--)
		if (kind == 2 || kind == (uint32_t)side)
			set_up(link, side, true);
	soak_did(DID_FLAP_0 + kind, 1);
}

/* Statistics are for any thread, while the verbs are at work. */
static void ask(void)
{
	struct side *side = &soak.sides[chance_below(&flaps.chance, 2)];
	uint32_t link = chance_below(&flaps.chance, soak.links);
	struct xsk_port_info info = { .sz = sizeof(info) };
	struct xsk_port_stats stats;

	pthread_mutex_lock(&side->asking);
	if (side->ends[link].port) {
		stats = ports_stats(side->ends[link].port);
		soak_check(stats.frames == side->frames, "another thread sees %llu frames of %u",
			   (unsigned long long)stats.frames, side->frames);
		info = ports_info(side->ends[link].port);
		soak_check(!strcmp(info.name, link_name(link, side->index)) &&
			   info.queues == side->ends[link].info.queues && !info.gone,
			   "another thread sees %u queues of %s, gone %u", info.queues, info.name,
			   info.gone);
		soak_did(DID_ASK, 1);
	}
	pthread_mutex_unlock(&side->asking);
}

static void *run(void *unused)
{
	(void)unused;
	while (!soak_is(&flaps.over)) {
		soak_sleep_us(chance_below(&flaps.chance, 20000));
		if (soak.storm && chance_in(&flaps.chance, 2))
			flap();
		else
			ask();
	}
	return NULL;
}

void link_start_flaps(void)
{
	flaps.chance.state = soak.seed ^ (uint64_t)soak.era << 32 ^ (uint64_t)soak.round << 16;
	flaps.over = false;
	for (int side = 0; side < 2; side++) {
		lab_enter(&soak.lab, side);
		flaps.sockets[side] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		soak_check(flaps.sockets[side] >= 0, "no socket");
	}
	lab_enter(&soak.lab, 0);
	soak_check(!pthread_create(&flaps.thread, NULL, run, NULL), "no thread");
}

void link_stop_flaps(void)
{
	soak_set(&flaps.over, true);
	pthread_join(flaps.thread, NULL);
	for (int side = 0; side < 2; side++)
		close(flaps.sockets[side]);
}
