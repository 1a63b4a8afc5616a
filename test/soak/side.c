/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "soak.h"

#include <sched.h>

#include "../net/ports.h"

#define LONG_US 5000000			/* nothing may take as long */
#define QUIET_US 20000
#define PROBE_MS 2000
#define MOVED 8

static void meet(void)
{
	pthread_barrier_wait(&soak.barrier);
}

static bool has_queue(const struct side *side, uint32_t lane, uint32_t link)
{
	return side->lanes[lane].links[link].queue;
}

/* ---- the helper ---- */

static void *help(void *arg)
{
	struct side *side = arg;

	lab_enter(&soak.lab, side->index);
	pthread_mutex_lock(&side->lock);
	for (;;) {
		while (!side->wanted && !side->over)
			pthread_cond_wait(&side->changed, &side->lock);
		if (side->over)
			break;
		side->working = true;
		pthread_mutex_unlock(&side->lock);
		while (soak_is(&side->wanted))
			for (uint32_t i = 1; i < soak.queues; i++)
				work_step(&side->lanes[i], false);
		pthread_mutex_lock(&side->lock);
		side->working = false;
		pthread_cond_broadcast(&side->changed);
	}
	pthread_mutex_unlock(&side->lock);
	return NULL;
}

static void want_help(struct side *side, bool wanted)
{
	pthread_mutex_lock(&side->lock);
	soak_set(&side->wanted, wanted);
	pthread_cond_broadcast(&side->changed);
	while (!wanted && side->working)
		pthread_cond_wait(&side->changed, &side->lock);
	pthread_mutex_unlock(&side->lock);
}

static void end_help(struct side *side)
{
	pthread_mutex_lock(&side->lock);
	side->over = true;
	pthread_cond_broadcast(&side->changed);
	pthread_mutex_unlock(&side->lock);
	pthread_join(side->helper, NULL);
}

/* ---- in traffic ---- */

/* No thread is inside a verb. Returns whether the helper works from now on. */
static bool change(struct side *side)
{
	uint32_t link = chance_below(&side->chance, soak.links);

	hand_law(side);
	if (soak.storm && chance_in(&side->chance, 2))
		life_reopen(side, link);
	if (soak.queues < 2 || chance_in(&side->chance, 2))
		return false;
	soak_did(DID_TWO_THREADS, 1);
	want_help(side, true);
	return true;
}

static void work(struct side *side)
{
	uint64_t next = 0;
	bool helped = false;

	while (!soak_is(&soak.stop)) {
		uint32_t lane = helped ? 0 : chance_below(&side->chance, soak.queues);

		work_step(&side->lanes[lane], !helped);
		if (!helped && chance_in(&side->chance, 8))
			hand_law(side);
		if (soak_now_us() < next)
			continue;
		want_help(side, false);
		helped = change(side);
		next = soak_now_us() + chance_below(&side->chance, 100000);
	}
	want_help(side, false);
	hand_law(side);
}

/* ---- to rest ---- */

static void send_pending(struct side *side, uint64_t deadline)
{
	for (uint32_t i = 0; i < SOAK_LANES; i++)
		for (uint32_t link = 0; link < soak.links; link++)
			while (has_queue(side, i, link) && side->lanes[i].links[link].pending) {
				work_push(&side->lanes[i], link);
				hand_flush(&side->lanes[i], link);
				soak_check(soak_now_us() < deadline, "side %d, link %u, queue %u: "
					   "TX takes no more", side->index, link, i);
			}
}

static void drain(struct side *side, uint64_t deadline)
{
	struct xsk_port_stats stats = { 0 };

	do {
		soak_check(soak_now_us() < deadline, "side %d: %llu frames stay in TX", side->index,
			   (unsigned long long)stats.in_tx);
		for (uint32_t i = 0; i < SOAK_LANES; i++)
			for (uint32_t link = 0; link < soak.links; link++)
				if (has_queue(side, i, link))
					hand_flush(&side->lanes[i], link);
		/* Of all ports that share the memory. */
		stats = ports_assert_law(side->ends[0].port);
	} while (stats.in_tx);
}

/* Nothing of this side's is on the way then. */
static void settle(struct side *side)
{
	uint64_t deadline = soak_now_us() + LONG_US;

	if (chance_in(&side->chance, 2))
		for (uint32_t i = 0; i < SOAK_LANES; i++)
			work_release_all(&side->lanes[i]);
	send_pending(side, deadline);
	drain(side, deadline);
}

static void receive_rest(struct side *side)
{
	uint64_t last = soak_now_us();
	int n;

	while (soak_now_us() - last < QUIET_US) {
		for (uint32_t i = 0; i < SOAK_LANES; i++)
			for (uint32_t link = 0; link < soak.links; link++) {
				if (!has_queue(side, i, link))
					continue;
				hand_wait(&side->lanes[i], &side->lanes[i].links[link].queue, 1,
					  link, 1);
				n = work_receive_all(&side->lanes[i], link);
				if (n)
					last = soak_now_us();
			}
	}
	hand_law(side);
}

static void note(struct side *side, struct account *accounts)
{
	for (uint32_t link = 0; link < soak.links; link++) {
		struct xsk_port_stats stats = ports_stats(side->ends[link].port);
		struct account *account = &accounts[link];

		*account = (struct account){
			.dropped_sending = link_dropped(link, side->index),
			.dropped_receiving = stats.rx_dropped + stats.rx_ring_full,
		};
		for (uint32_t i = 0; i < SOAK_LANES; i++) {
			account->sent += side->lanes[i].links[link].sent;
			account->received += side->lanes[i].links[link].received;
		}
	}
}

static void give_accounts(struct side *side)
{
	for (;;) {
		receive_rest(side);
		note(side, side->after);
		meet();
		/* The main thread compares. */
		meet();
		if (!soak.again)
			return;
	}
}

/* ---- before a round ---- */

/* Both; the caller has frames of the first perhaps when the second is to share it. */
static void open_all(struct side *side)
{
	uint32_t first = chance_below(&side->chance, soak.links);

	life_open(side, first, false);
	for (uint32_t i = 0; i < soak.queues && chance_in(&side->chance, 2); i++)
		work_hold(&side->lanes[i], true);
	if (soak.links > 1) {
		if (!soak_has_done(DID_REFUSE_SHARE))
			work_take_all(&side->lanes[0], first);
		life_open(side, !first, false);
		work_drop_pending(&side->lanes[0], first, first);
	}
	hand_law(side);
}

static void reopen_at_rest(struct side *side)
{
	uint32_t first = chance_below(&side->chance, soak.links);

	if (chance_in(&side->chance, 4)) {
		for (uint32_t i = 0; i < soak.links; i++)
			life_close(side, first ^ i);
		open_all(side);
		return;
	}
	for (uint32_t i = 0; i < soak.links; i++) {
		uint32_t link = first ^ i;

		if (side->ends[link].whole && chance_in(&side->chance, 2))
			continue;
		life_close(side, link);
		life_open(side, link, false);
		hand_law(side);
	}
}

static struct xsk_port_stats queue_stats(const struct lane *lane, uint32_t link)
{
	struct xsk_port_stats stats = { .sz = sizeof(stats) };

	soak_check(!xsk_queue_stats(lane->links[link].queue, &stats), "no statistics");
	return stats;
}

/* Frames that were freed on other queues than they came by can all be on one. */
static void feed(struct side *side, uint32_t lane, uint32_t link)
{
	struct lane *hungry = &side->lanes[lane];
	struct xsk_frame frames[MOVED];

	hand_flush(hungry, link);
	for (uint32_t i = 0; i < SOAK_LANES && !queue_stats(hungry, link).in_fill; i++) {
		struct lane *other = &side->lanes[i];
		int n;

		if (other == hungry || !other->links[link].queue)
			continue;
		n = hand_alloc(other, link, frames, MOVED);
		other->in_hand -= n;
		hungry->in_hand += n;
		hand_free(hungry, link, frames, n);
		hand_flush(hungry, link);
	}
	soak_check(queue_stats(hungry, link).in_fill, "side %d, link %u, queue %u: FILL stays "
		   "empty, of %u frames", side->index, link, lane, side->frames);
}

/* Each queue can receive. */
static void feed_all(struct side *side)
{
	for (uint32_t i = 0; i < soak.queues; i++)
		work_release_all(&side->lanes[i]);
	for (uint32_t i = 0; i < soak.queues; i++)
		for (uint32_t link = 0; link < soak.links; link++)
			if (has_queue(side, i, link))
				feed(side, i, link);
}

/* One packet must wake who waits. */
static void probe(struct side *side, int waiter)
{
	uint32_t link = soak.probe_link, lane = 0;
	bool native = soak.sides[waiter].ends[link].info.mode == XSK_MODE_NATIVE;
	struct lane *mine;
	int ready, got;

	/* veth keeps a packet's queue in native mode only. */
	if (native)
		lane = soak.round % soak.queues;
	mine = &side->lanes[lane];
	meet();
	if (side->index != waiter) {
		soak_sleep_us(chance_below(&side->chance, 10000));
		work_send_one(mine, link);
		meet();
		return;
	}
	/* What was wanted before may be there now, so the first can be of that. */
	for (int i = 0; i < 2; i++) {
		ready = hand_wait(mine, &mine->links[link].queue, 1, link, PROBE_MS);
		got = work_receive_all(mine, link);
		if (got)
			break;
	}
	soak_check(got && ready, "side %d, link %u, queue %u, mode 0x%x, waiting strategy %u: %s",
		   side->index, link, lane, side->ends[link].info.mode,
		   side->ends[link].info.wait, got ? "a packet that came woke nobody"
		   : "a packet that was sent did not come");
	meet();
}

static void prepare(struct side *side)
{
	reopen_at_rest(side);
	meet();
	note(side, side->before);
	meet();
	for (int waiter = 0; waiter < 2; waiter++)
		probe(side, waiter);
	hand_law(side);
}

/* ---- the end of an era ---- */

static bool all_gone(const struct side *side)
{
	for (uint32_t i = 0; i < soak.links; i++)
		if (!soak_is(&side->ends[i].gone))
			return false;
	return true;
}

/* In traffic, which nobody receives perhaps; or when the interfaces are gone. */
static void leave(struct side *side)
{
	uint64_t start = soak_now_us();
	uint32_t first = chance_below(&side->chance, soak.links);
	bool leaving = soak_is(&soak.leaving);

	meet();
	while (leaving ? !all_gone(side) : soak_now_us() - start < 20000) {
		work_step(&side->lanes[chance_below(&side->chance, soak.queues)], true);
		soak_check(soak_now_us() - start < LONG_US, "side %d: the interfaces are gone, and "
			   "no verb says so", side->index);
	}
	hand_law(side);
	for (uint32_t i = 0; i < soak.links; i++)
		life_close(side, first ^ i);
	if (leaving)
		soak_did(DID_GONE, 1);
}

static void *live(void *arg)
{
	struct side *side = arg;

	lab_enter(&soak.lab, side->index);
	open_all(side);
	for (;;) {
		meet();
		if (soak.last)
			break;
		prepare(side);
		meet();
		work(side);
		settle(side);
		meet();
		give_accounts(side);
		feed_all(side);
	}
	leave(side);
	return NULL;
}

void side_start(struct side *side, int index)
{
	memset(side, 0, sizeof(*side));
	side->index = index;
	side->chance.state = soak.seed + 2 * soak.era + (uint32_t)index;
	pthread_mutex_init(&side->asking, NULL);
	pthread_mutex_init(&side->lock, NULL);
	pthread_cond_init(&side->changed, NULL);
	for (uint32_t i = 0; i < SOAK_LANES; i++) {
		side->lanes[i].side = side;
		side->lanes[i].index = i;
		side->lanes[i].chance.state = chance_word(&side->chance);
	}
	soak_check(!pthread_create(&side->helper, NULL, help, side) &&
		   !pthread_create(&side->master, NULL, live, side), "no thread");
}

void side_join(struct side *side)
{
	pthread_join(side->master, NULL);
	end_help(side);
	pthread_mutex_destroy(&side->asking);
	pthread_mutex_destroy(&side->lock);
	pthread_cond_destroy(&side->changed);
}
