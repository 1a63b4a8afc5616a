/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The command line, the packets and the counters of all contenders. See role.h. */
#include "role.h"

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#define MAX_TRIPS (4u << 20)
#define FIRST_TRIPS 50 		/* are not among those that are measured */

volatile sig_atomic_t role_stop;

static void on_signal(int number)
{
	role_stop = number;
}

/* ---- the command line ---- */

static uint32_t number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || value > 100000000)
		errx(2, "'%s' is not a number that fits", text);
	return (uint32_t)value;
}

static enum role_wait wait_named(const char *text)
{
	static const char *const names[] = { "sleep", "spin", "busy", "adaptive" };

	for (int wait = WAIT_SLEEP; wait <= WAIT_ADAPTIVE; wait++)
		if (!strcmp(text, names[wait]))
			return (enum role_wait)wait;
	errx(2, "'%s' is no way to wait", text);
}

static void set_option(struct role *role, char *text)
{
	char *value = strchr(text, '=');

	if (!value)
		errx(2, "'%s' is not NAME=NUMBER", text);
	*value++ = 0;
	if (!strcmp(text, "queues"))
		role->queues = number(value);
	else if (!strcmp(text, "first"))
		role->first_queue = number(value);
	else if (!strcmp(text, "ring"))
		role->ring = number(value);
	else if (!strcmp(text, "rate"))
		role->rate = number(value);
	else if (!strcmp(text, "fill"))
		role->fill = number(value);
	else if (!strcmp(text, "frame"))
		role->frame = number(value);
	else if (!strcmp(text, "budget"))
		role->budget = number(value);
	else if (!strcmp(text, "other"))
		role->other = number(value);
	else if (!strcmp(text, "mmsg"))
		role->mmsg = number(value);
	else
		errx(2, "there is no option '%s'", text);
}

static void split_ifnames(struct role *role, char *text)
{
	for (char *name = strtok(text, ","); name; name = strtok(NULL, ",")) {
		if (role->ifcount == MAX_IFNAMES)
			errx(2, "at most %d interfaces", MAX_IFNAMES);
		role->ifnames[role->ifcount++] = name;
	}
	if (!role->ifcount)
		errx(2, "no interface");
}

static void pin(const char *text)
{
	cpu_set_t set;

	if (!strcmp(text, "-1"))
		return;
	CPU_ZERO(&set);
	CPU_SET(number(text), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity to CPU %s", text);
}

static void map_counts(struct role *role, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ftruncate(fd, sizeof(*role->counts)))
		err(1, "%s", path);
	role->counts = mmap(NULL, sizeof(*role->counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (role->counts == MAP_FAILED)
		err(1, "%s: mmap", path);
	close(fd);
}

/* Not restarted: who sleeps in a system call is to wake up. */
static void end_after(uint32_t ms)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct itimerval timer = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* ---- packets ---- */

static void put_16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_32(uint8_t *at, uint32_t value)
{
	put_16(at, value >> 16);
	put_16(at + 2, value);
}

static uint32_t checksum(const uint8_t *at, int len)
{
	uint32_t sum = 0;

	for (int i = 0; i < len; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

/* The UDP checksum is 0: none. */
static void make_packet(struct role *role)
{
	uint8_t *ip = role->packet + 14, *udp = ip + 20;
	uint32_t magic = PACKET_MAGIC;

	for (uint32_t i = 0; i < MAX_SIZE; i++)
		role->packet[i] = (uint8_t)i;
	memcpy(role->packet, "\2\0\0\0\0\2\2\0\0\0\0\1\x08", 14);
	if (role->other)
		role->packet[5] = role->packet[11] = 0xff;
	memset(ip, 0, 28);
	ip[0] = 0x45;
	put_16(ip + 2, role->size - 14);
	ip[8] = 64;
	ip[9] = 17;
	put_32(ip + 12, NEAR_IP);
	put_32(ip + 16, FAR_IP);
	put_16(ip + 10, checksum(ip, 20));
	put_16(udp, UDP_PORT);
	put_16(udp + 2, UDP_PORT);
	put_16(udp + 4, role->size - 34);
	memcpy(role->packet + HEADERS, &magic, sizeof(magic));
	memset(role->packet + HEADERS + 4, 0, 8);
}

void role_write(const struct role *role, void *data, uint32_t len)
{
	memcpy(data, role->packet, len);
}

uint32_t role_number(const void *data)
{
	uint32_t stamp;

	memcpy(&stamp, (const uint8_t *)data + HEADERS + 4, sizeof(stamp));
	return stamp;
}

/* Of the headers what no switch and no answer changes. */
bool role_is_good(const struct role *role, const void *data, uint32_t len)
{
	const uint8_t *at = data;
	uint32_t stamp[2];

	if (len > PART)
		len = PART;
	if (len > role->size || len < STAMP_END)
		return false;
	memcpy(stamp, at + HEADERS + 4, sizeof(stamp));
	return stamp[0] == ~stamp[1] && !memcmp(at + 12, role->packet + 12, 10) &&
	       !memcmp(at + 34, role->packet + 34, 4) &&
	       !memcmp(at + HEADERS, role->packet + HEADERS, 4) &&
	       !memcmp(at + STAMP_END, role->packet + STAMP_END, len - STAMP_END);
}

static void swap(uint8_t *a, uint8_t *b, size_t size)
{
	for (uint8_t kept; size--; *a++ = *b, *b++ = kept)
		kept = *a;
}

/* The ports are alike, and the checksum stays as it is. */
void role_turn(void *data)
{
	uint8_t *at = data;

	swap(at, at + 6, 6);
	swap(at + 26, at + 30, 4);
}

void role_sample(struct role *role, const void *data, uint32_t len)
{
	role->unsampled = 0;
	role->counts->sampled++;
	role->counts->bad += !role_is_good(role, data, len);
}

/* ---- round trips ---- */

void role_trip(struct role *role, uint64_t start_ns, bool found)
{
	uint64_t ns = role_now_ns() - start_ns;

	if (!found) {
		role->counts->lost += !role_stop;
		return;
	}
	if (role->counts->packets >= FIRST_TRIPS && role->trip_count < MAX_TRIPS)
		role->trips[role->trip_count++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
	role_count(role, 1, role->size);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t quantile(const struct role *role, uint32_t thousandths)
{
	uint64_t at = (uint64_t)role->trip_count * thousandths / 1000;

	return role->trips[at < role->trip_count ? at : role->trip_count - 1];
}

static void print_trips(struct role *role)
{
	qsort(role->trips, role->trip_count, sizeof(role->trips[0]), compare);
	printf(" p50=%u p90=%u p99=%u p999=%u max=%u", quantile(role, 500), quantile(role, 900),
	       quantile(role, 990), quantile(role, 999), quantile(role, 1000));
}

/* ---- beginning and end ---- */

void role_init(struct role *role, int argc, char **argv)
{
	if (argc < 9)
		errx(2, "usage: role-KIND ROLE IFNAME[,IFNAME...] CPU MS SIZE BURST WAIT COUNTERS "
		     "[NAME=NUMBER...]");
	role->name = argv[1];
	split_ifnames(role, argv[2]);
	role->size = number(argv[5]);
	role->burst = number(argv[6]);
	role->wait = wait_named(argv[7]);
	for (int i = 9; i < argc; i++)
		set_option(role, argv[i]);
	if (role->size < MIN_SIZE || role->size > MAX_SIZE)
		errx(2, "a packet has %d to %d bytes", MIN_SIZE, MAX_SIZE);
	if (!role->burst || role->burst > MAX_BURST)
		errx(2, "a burst has 1 to %d packets", MAX_BURST);
	map_counts(role, argv[8]);
	make_packet(role);
	if (!strcmp(role->name, "ping")) {
		/* Written to now, so that no page fault falls into a trip. */
		role->trips = malloc(MAX_TRIPS * sizeof(role->trips[0]));
		if (!role->trips)
			err(1, "malloc");
		memset(role->trips, 1, MAX_TRIPS * sizeof(role->trips[0]));
	}
	if (role->wait == WAIT_ADAPTIVE && !role->adapts)
		errx(2, "only the port waits adaptively");
	pin(argv[3]);
	end_after(number(argv[4]));
}

void role_pace(struct role *role, int packets)
{
	uint64_t now;

	if (!role->rate)
		return;
	now = role_now_ns();
	/* Who was kept for long does not make up for it. */
	if (now > role->due_ns + 1000000)
		role->due_ns = now;
	role->due_ns += (uint64_t)packets * 1000000000 / role->rate;
	while (!role_stop && role_now_ns() < role->due_ns)
		;
}

void role_ready(struct role *role)
{
	puts("ready");
	fflush(stdout);
	role->start_ns = role_now_ns();
}

void role_end(struct role *role)
{
	const struct role_counts *counts = role->counts;

	printf("packets=%llu bytes=%llu ns=%llu sampled=%llu bad=%llu lost=%llu",
	       (unsigned long long)counts->packets, (unsigned long long)counts->bytes,
	       (unsigned long long)(role_now_ns() - role->start_ns),
	       (unsigned long long)counts->sampled, (unsigned long long)counts->bad,
	       (unsigned long long)counts->lost);
	if (role->trip_count)
		print_trips(role);
	putchar('\n');
	free(role->trips);
}
