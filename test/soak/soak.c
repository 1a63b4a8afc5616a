/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * soak SECONDS [SEED]: see soak.h. Needs root. Exit status 0: all was as it must be,
 * and each kind of action has happened; 1: something was not; 2: misused.
 */
#include "soak.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "../net/ports.h"

#define ROUNDS 4			/* of an era */
#define PROGRESS_US 5000000
#define ACCOUNT_TRIES 20
#define HANGS_S 60
#define WARM_ERAS 6			/* until all that is kept has been allocated once */
#define GROWTH (8 << 10)
#define GROWTH_MAPPED (1 << 20)

struct soak soak;

static uint64_t done[DID_KINDS];

static const char *const names[DID_KINDS] = {
	[DID_SEND] = "packets sent",
	[DID_RECEIVE] = "packets received",
	[DID_FORWARD] = "packets forwarded to the other link",
	[DID_ECHO] = "packets sent back",
	[DID_HOLD] = "packets held",
	[DID_FREE_UNSENT] = "allocated and freed unsent",
	[DID_FRAGS] = "packets of several frames received",
	[DID_CUT] = "bursts that TX took in part",
	[DID_MOVE] = "bursts freed on another queue",
	[DID_MISUSE] = "misuses refused",
	[DID_OPEN_NATIVE] = "ports opened: native",
	[DID_OPEN_GENERIC] = "ports opened: generic",
	[DID_OPEN_CHECKED] = "ports opened: checked",
	[DID_OPEN_UNCHECKED] = "ports opened: not checked",
	[DID_OPEN_QUEUES] = "ports opened: several queues",
	[DID_OPEN_PART] = "ports opened: part of the queues",
	[DID_OPEN_SHARED] = "ports opened: on another's memory",
	[DID_OPEN_FRAGS] = "ports opened: packets of several frames",
	[DID_OPEN_SLEEP] = "ports opened: sleep",
	[DID_OPEN_SPIN] = "ports opened: spin",
	[DID_OPEN_BUSY_POLL] = "ports opened: busy-poll",
	[DID_OPEN_ADAPTIVE] = "ports opened: adaptive",
	[DID_OPEN_LATE] = "tries to open a port whose queue was busy",
	[DID_REOPEN_0] = "reopenings in traffic: side 0",
	[DID_REOPEN_1] = "reopenings in traffic: side 1",
	[DID_REOPEN_SHARED] = "reopenings in traffic: while another has the memory",
	[DID_REFUSE_SHARE] = "shares refused, frames in hand",
	[DID_TWO_THREADS] = "changes to two threads on a port",
	[DID_FLAP_0] = "flaps: side 0",
	[DID_FLAP_1] = "flaps: side 1",
	[DID_FLAP_BOTH] = "flaps: both sides",
	[DID_ASK] = "statistics asked by another thread",
	[DID_LAW] = "times the law was asserted",
	[DID_WAKE_SLEEP] = "wake-ups: sleep",
	[DID_WAKE_SPIN] = "wake-ups: spin",
	[DID_WAKE_BUSY_POLL] = "wake-ups: busy-poll",
	[DID_WAKE_ADAPTIVE] = "wake-ups: adaptive",
	[DID_ACCOUNT] = "links accounted for, to the packet",
	[DID_GONE] = "sides whose interfaces went",
};

/* ---- what all use ---- */

void soak_did(enum soak_kind kind, uint64_t n)
{
	__atomic_fetch_add(&done[kind], n, __ATOMIC_RELAXED);
}

static uint64_t get(enum soak_kind kind)
{
	return __atomic_load_n(&done[kind], __ATOMIC_RELAXED);
}

bool soak_has_done(enum soak_kind kind)
{
	return get(kind);
}

uint64_t soak_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void soak_sleep_us(uint32_t us)
{
	usleep(us);
}

static void say_where(void)
{
	fprintf(stderr, "soak: it was era %u, round %u (%s; %u link(s), %u queue(s)%s), seed %"
		PRIu64 "\n", soak.era, soak.round, soak.storm ? "storm" : "quiet", soak.links,
		soak.queues, soak.frags ? ", several frames a packet" : "", soak.seed);
}

void soak_fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	flockfile(stderr);
	fputs("soak: FAILED: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	say_where();
	_exit(1);
}

/* cmocka's assertions end the process by exit(). */
static bool ended_well;

static void at_exit(void)
{
	if (!ended_well)
		say_where();
}

static void hangs(int signal)
{
	static const char text[] = "soak: FAILED: it hangs\n";

	(void)signal;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) > 0)
		say_where();
	_exit(1);
}

/* ---- accounts ---- */

/* Of the packets of one direction: sent, but neither received nor dropped. */
static int64_t missing(uint32_t link, int sender)
{
	const struct side *from = &soak.sides[sender], *to = &soak.sides[!sender];
	const struct account *s0 = &from->before[link], *s1 = &from->after[link];
	const struct account *r0 = &to->before[link], *r1 = &to->after[link];
	int64_t sent = (int64_t)(s1->sent - s0->sent);
	int64_t received = (int64_t)(r1->received - r0->received);

	soak_check(received <= sent, "link %u: side %d sent %lld packets, and %lld came", link,
		   sender, (long long)sent, (long long)received);
	if (soak_is(&soak.disturbed[link]))
		return 0;
	return sent - received - (int64_t)(s1->dropped_sending - s0->dropped_sending) -
	       (int64_t)(r1->dropped_receiving - r0->dropped_receiving);
}

static void explain(uint32_t link, int sender)
{
	const struct side *from = &soak.sides[sender], *to = &soak.sides[!sender];

	soak_fail("link %u, from side %d: %lld packets are missing: sent %llu, received %llu, "
		  "dropped by the interface %llu, by the sockets %llu", link, sender,
		  (long long)missing(link, sender),
		  (unsigned long long)(from->after[link].sent - from->before[link].sent),
		  (unsigned long long)(to->after[link].received - to->before[link].received),
		  (unsigned long long)(from->after[link].dropped_sending -
				       from->before[link].dropped_sending),
		  (unsigned long long)(to->after[link].dropped_receiving -
				       to->before[link].dropped_receiving));
}

/* Each packet was received, or the kernel counts why not. It may take a moment. */
static bool settle(bool last_try)
{
	bool settled = true;

	for (uint32_t link = 0; link < soak.links; link++)
		for (int sender = 0; sender < 2; sender++) {
			if (!missing(link, sender))
				continue;
			if (last_try)
				explain(link, sender);
			settled = false;
		}
	for (uint32_t link = 0; settled && link < soak.links; link++)
		if (!soak_is(&soak.disturbed[link]))
			soak_did(DID_ACCOUNT, 1);
	return settled;
}

/* ---- rounds ---- */

static void meet(void)
{
	pthread_barrier_wait(&soak.barrier);
}

/* The masters' part is in side.c: they meet at the same places. */
static void play(struct chance *chance)
{
	soak.storm = soak.round % 2;
	soak.probe_link = chance_below(chance, soak.links);
	soak_set(&soak.stop, false);
	alarm(HANGS_S);
	meet();
	meet();
	for (uint32_t i = 0; i < SOAK_LINKS; i++)
		soak_set(&soak.disturbed[i], false);
	meet();
	for (int i = 0; i < 4; i++)
		meet();
	link_start_flaps();
	meet();
	soak_sleep_us(chance_from(chance, 100000, 900000));
	link_stop_flaps();
	soak_set(&soak.stop, true);
	meet();
	for (int tries = 1; ; tries++) {
		meet();
		soak.again = !settle(tries == ACCOUNT_TRIES);
		meet();
		if (!soak.again)
			break;
	}
}

static void finish(void)
{
	record_begin();
	soak.last = true;
	for (uint32_t i = 0; i < SOAK_LINKS; i++)
		soak_set(&soak.disturbed[i], true);
	soak_set(&soak.leaving, (soak.era + 1) / 2 % 2);
	meet();
	meet();
	if (soak.leaving)
		link_remove();
	for (int i = 0; i < 2; i++)
		side_join(&soak.sides[i]);
	record_end();
}

/* ---- what an era leaves behind ---- */

struct left {
	struct lab_count count;
	int areas;			/* memory of ports */
	size_t allocated;
	size_t mapped;
};

static int count_areas(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[512];
	int count = 0;

	soak_check(file, "/proc/self/maps cannot be read");
	while (fgets(line, sizeof(line), file))
		count += strstr(line, "/dev/zero") || strstr(line, "/anon_hugepage");
	fclose(file);
	return count;
}

static size_t count_mapped(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	soak_check(file && fscanf(file, "%lu", &pages) == 1, "/proc/self/statm cannot be read");
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void look(struct left *left)
{
	lab_count(&left->count);
	left->areas = count_areas();
	left->allocated = mallinfo2().uordblks;
	left->mapped = count_mapped();
}

static void compare(const struct left *before)
{
	static struct left most;
	struct left now;

	lab_assert_unchanged(&before->count);
	look(&now);
	soak_check(now.areas == before->areas, "%d mappings of frames are left", now.areas);
	if (soak.era < WARM_ERAS) {
		most.allocated = now.allocated > most.allocated ? now.allocated : most.allocated;
		most.mapped = now.mapped > most.mapped ? now.mapped : most.mapped;
		return;
	}
	/* With sanitizers nothing is known of it, and they look themselves. */
	soak_check(now.allocated <= most.allocated + GROWTH, "%zu bytes are allocated, after %d "
		   "eras it was %zu", now.allocated, WARM_ERAS, most.allocated);
	soak_check(!now.allocated || now.mapped <= most.mapped + GROWTH_MAPPED,
		   "%zu bytes are mapped, after %d eras it was %zu", now.mapped, WARM_ERAS,
		   most.mapped);
}

/* ---- eras ---- */

static void any_cpu(void)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	soak_check(!sched_setaffinity(0, sizeof(set), &set), "the CPUs cannot be set");
}

/* Twelve in a row differ, and four have all that there is. */
static void choose_era(void)
{
	uint32_t which = (soak.era + (uint32_t)soak.seed) % 12;

	soak.links = 1 + which % 2;
	soak.queues = 1 + which % SOAK_LANES;
	soak.frags = soak.has_frags && which / 2 % 2;
	soak.last = false;
	soak_set(&soak.leaving, false);
}

static void print_progress(uint64_t start)
{
	printf("soak: %3u s, era %u: %" PRIu64 " packets sent, %" PRIu64 " received; %" PRIu64
	       " reopenings, %" PRIu64 " flaps; the law %" PRIu64 " times\n",
	       (unsigned int)((soak_now_us() - start) / 1000000), soak.era, get(DID_SEND),
	       get(DID_RECEIVE), get(DID_REOPEN_0) + get(DID_REOPEN_1),
	       get(DID_FLAP_0) + get(DID_FLAP_1) + get(DID_FLAP_BOTH), get(DID_LAW));
	fflush(stdout);
}

static void live(struct chance *chance, uint64_t start, uint64_t end)
{
	static uint64_t printed;
	struct left before;

	choose_era();
	look(&before);
	lab_open(&soak.lab, soak.queues);
	any_cpu();
	link_make();
	for (int i = 0; i < 2; i++)
		side_start(&soak.sides[i], i);
	for (soak.round = 0; soak.round < ROUNDS; soak.round++) {
		if (soak.round && soak_now_us() > end)
			break;
		play(chance);
		if (soak_now_us() - printed < PROGRESS_US && printed)
			continue;
		printed = soak_now_us();
		print_progress(start);
	}
	finish();
	lab_close(&soak.lab);
	compare(&before);
}

static bool can_open(struct xsk_port_opts opts, int refusal, const char *what)
{
	struct xsk_port *port = NULL;
	struct xsk_error error;
	int err;

	opts.sz = sizeof(opts);
	err = xsk_port_open(&port, "lab0", &opts, &error);
	soak_check(!err || err == refusal, "lab0: %s: %s; %s", error.step, error.reason,
		   error.hint);
	xsk_port_close(port);
	if (err)
		printf("soak: left out, for this kernel has it not: %s\n", what);
	return !err;
}

/* They came with 6.6 and 5.11. */
static void ask_kernel(void)
{
	soak.links = soak.queues = 1;
	lab_open(&soak.lab, 1);
	soak.has_frags = can_open((struct xsk_port_opts){ .flags = XSK_PORT_MULTI_BUFFER },
				  -EOPNOTSUPP, "packets of several frames");
	soak.has_busy_poll = can_open((struct xsk_port_opts){ .wait = XSK_WAIT_BUSY_POLL },
				      -EINVAL, "busy polling that is preferred");
	lab_close(&soak.lab);
}

/* ---- the end ---- */

static bool need_not_be(int kind)
{
	return kind == DID_OPEN_LATE ||
	       (!soak.has_frags && (kind == DID_FRAGS || kind == DID_OPEN_FRAGS)) ||
	       (!soak.has_busy_poll &&
		(kind == DID_WAKE_BUSY_POLL || kind == DID_OPEN_BUSY_POLL));
}

static bool summarize(uint64_t start)
{
	bool all = true;

	printf("soak: in %u s, with seed %" PRIu64 ":\n",
	       (unsigned int)((soak_now_us() - start) / 1000000), soak.seed);
	for (int i = 0; i < DID_KINDS; i++)
		printf("%12" PRIu64 " %s\n", get((enum soak_kind)i), names[i]);
	for (int i = 0; i < DID_KINDS; i++)
		if (!get((enum soak_kind)i) && !need_not_be(i)) {
			printf("soak: FAILED: never happened: %s\n", names[i]);
			all = false;
		}
	return all;
}

static bool read_number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 0);
	return !errno && *text >= '0' && *text <= '9' && !*end;
}

int main(int argc, char **argv)
{
	uint64_t seconds, start = soak_now_us();
	struct chance chance;

	if (argc < 2 || argc > 3 || !read_number(argv[1], &seconds) || !seconds ||
	    (argc == 3 && !read_number(argv[2], &soak.seed))) {
		fprintf(stderr, "usage: soak SECONDS [SEED]\n");
		return 2;
	}
	if (argc < 3 && getrandom(&soak.seed, 4, 0) != 4)
		soak.seed = start;
	printf("soak: %" PRIu64 " s; again by: soak %" PRIu64 " %" PRIu64 "\n", seconds, seconds,
	       soak.seed);
	fflush(stdout);
	atexit(at_exit);
	signal(SIGALRM, hangs);
	pthread_barrier_init(&soak.barrier, NULL, 3);
	chance.state = soak.seed;
	ask_kernel();
	for (; soak_now_us() - start < seconds * 1000000; soak.era++)
		live(&chance, start, start + seconds * 1000000);
	alarm(0);
	pthread_barrier_destroy(&soak.barrier);
	ended_well = true;
	return summarize(start) ? 0 : 1;
}
