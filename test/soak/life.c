/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "soak.h"

#include <errno.h>
#include <stdlib.h>

#include "../net/ports.h"

/* Queues are free some time after the close; xsk_port_open() waits 100 ms for it. */
#define BUSY_US 5000000
#define BUSY_STEP_US 20000

static uint32_t lives;

/* ---- what to ask for ---- */

static uint32_t ring_size(struct chance *chance, uint32_t least)
{
	/* Mostly large ones: those that are always full get little done. */
	uint32_t size = 1U << chance_from(chance, chance_in(chance, 3) ? 0 : 7, 11);

	return size < least ? least : chance_in(chance, 8) ? 0 : size;
}

static uint32_t or_default(uint32_t size)
{
	return size ? size : 2048;
}

static void choose_memory(struct chance *chance, struct xsk_port_opts *opts)
{
	uint32_t base = or_default(opts->fill_size) + or_default(opts->tx_size);
	uint32_t least = soak.frags ? 128 : soak.links > 1 ? 64 : 16;

	opts->frame_size = chance_in(chance, 2) ? 2048 : chance_in(chance, 2) ? 4096 : 0;
	if (chance_in(chance, 2))
		opts->headroom = chance_from(chance, 1, 256);
	if (chance_in(chance, 4))
		opts->frames = chance_from(chance, least, 4 * least);
	else if (chance_in(chance, 2))
		opts->frames = base / 4 + chance_below(chance, 2 * base);
	if (opts->frames && opts->frames < least)
		opts->frames = least;
	if (!opts->frames && base < least)
		opts->frames = least;
	/* Enough for both ports. */
	if (soak.links > 1)
		opts->frames = opts->frames ? 2 * opts->frames : 2 * base;
	opts->flags |= chance_in(chance, 4) ? XSK_PORT_NO_HUGE : 0;
}

static struct xsk_port_opts choose(struct side *side, uint32_t link, bool in_traffic)
{
	static const uint32_t modes[] = {
		0, XSK_MODE_NATIVE, XSK_MODE_GENERIC, XSK_MODE_GENERIC,
		XSK_MODE_NATIVE | XSK_MODE_GENERIC,
	};
	static const uint32_t waits[] = {
		XSK_WAIT_SLEEP, XSK_WAIT_SPIN, XSK_WAIT_ADAPTIVE, XSK_WAIT_BUSY_POLL,
	};
	struct chance *chance = &side->chance;
	uint32_t least = soak.frags ? 32 : 1;
	struct xsk_port_opts opts = {
		.sz = sizeof(opts),
		.flags = chance_in(chance, 2) ? XSK_PORT_CHECKED : 0,
		.modes = modes[chance_below(chance, 5)],
		.direction = chance_in(chance, 2) ? XSK_DIRECTION_RX | XSK_DIRECTION_TX : 0,
		.rx_size = ring_size(chance, least),
		.tx_size = ring_size(chance, 32),
		.fill_size = ring_size(chance, least),
		.comp_size = ring_size(chance, 32),
		.wait = waits[chance_below(chance, soak.has_busy_poll ? 4 : 3)],
		.busy_poll_us = chance_in(chance, 2) ? chance_from(chance, 1, 50) : 0,
		.busy_poll_budget = chance_in(chance, 2) ? chance_from(chance, 8, 64) : 0,
		.share = soak.links > 1 ? side->ends[!link].port : NULL,
	};

	opts.flags |= soak.frags ? XSK_PORT_MULTI_BUFFER : 0;
	if (!opts.share)
		choose_memory(chance, &opts);
	/* Only then can it be refused to share, which would be rare. */
	if (!soak_has_done(DID_REFUSE_SHARE))
		opts.flags &= ~XSK_PORT_CHECKED;
	/* That of shared memory is as it is. */
	if (opts.share && !side->checked)
		opts.flags &= ~XSK_PORT_CHECKED;
	/* Part of them only for a moment: the others' packets go to nobody. */
	if (in_traffic && soak.links == 1 && soak.queues > 1 && chance_in(chance, 2)) {
		opts.first_queue = chance_below(chance, soak.queues);
		opts.queues = chance_from(chance, 1, soak.queues - opts.first_queue);
	}
	return opts;
}

/* ---- what came ---- */

static void check_info(const struct side *side, const struct xsk_port_opts *opts,
		       const struct xsk_port_info *info)
{
	uint32_t queues = opts->queues ? opts->queues : soak.queues;

	soak_check(!opts->modes || opts->modes & info->mode, "modes 0x%x were allowed, 0x%x came",
		   opts->modes, info->mode);
	soak_check(info->mode == XSK_MODE_GENERIC || info->mode == XSK_MODE_NATIVE,
		   "veth in mode 0x%x", info->mode);
	soak_check(info->queues == queues && info->first_queue == opts->first_queue &&
		   info->rx_queues == soak.queues, "%u queues from %u on, of %u", info->queues,
		   info->first_queue, info->rx_queues);
	soak_check(info->rx_size == or_default(opts->rx_size) &&
		   info->tx_size == or_default(opts->tx_size) &&
		   info->fill_size == or_default(opts->fill_size) &&
		   info->comp_size == or_default(opts->comp_size), "rings of %u %u %u %u",
		   info->rx_size, info->tx_size, info->fill_size, info->comp_size);
	soak_check(info->wait == opts->wait && info->direction == 3 && !info->gone,
		   "wait %u, direction %u, gone %u", info->wait, info->direction, info->gone);
	soak_check(!!(info->flags & XSK_PORT_MULTI_BUFFER) == soak.frags &&
		   !!(info->flags & XSK_PORT_CHECKED) ==
		   (opts->share ? side->checked : !!(opts->flags & XSK_PORT_CHECKED)),
		   "flags 0x%x were wanted, 0x%x came", opts->flags, info->flags);
	soak_check(opts->share ? info->frame_size == side->frame_size &&
				 info->headroom == side->headroom && info->frames == side->frames :
		   info->headroom == opts->headroom &&
		   (!opts->frame_size || info->frame_size == opts->frame_size) &&
		   (!opts->frames || info->frames == opts->frames * queues),
		   "%u frames of %u, headroom %u", info->frames, info->frame_size, info->headroom);
}

static void count_kinds(const struct side *side, const struct xsk_port_opts *opts,
			const struct end *end)
{
	soak_did(end->info.mode == XSK_MODE_NATIVE ? DID_OPEN_NATIVE : DID_OPEN_GENERIC, 1);
	soak_did(side->checked ? DID_OPEN_CHECKED : DID_OPEN_UNCHECKED, 1);
	soak_did(DID_OPEN_SLEEP + end->info.wait, 1);
	if (end->info.queues > 1)
		soak_did(DID_OPEN_QUEUES, 1);
	if (!end->whole)
		soak_did(DID_OPEN_PART, 1);
	if (opts->share)
		soak_did(DID_OPEN_SHARED, 1);
	if (soak.frags)
		soak_did(DID_OPEN_FRAGS, 1);
}

/* ---- open ---- */

/*
 * Waits for a queue that is not free yet. Memory that is not booked cannot be shared
 * while the caller has frames; then they are freed.
 */
static struct xsk_port *open_port(struct side *side, uint32_t link, struct xsk_port_opts *opts)
{
	bool unfit = opts->share && !side->booked, refused = false;
	uint64_t deadline = soak_now_us() + BUSY_US;
	struct xsk_error error = { 0 };
	struct xsk_port *port = NULL;

	for (;;) {
		int in_hand = 0, err;

		for (int i = 0; i < SOAK_LANES; i++)
			in_hand += side->lanes[i].in_hand;
		err = xsk_port_open(&port, link_name(link, side->index), opts, &error);
		if (!err)
			break;
		soak_check(err == -EBUSY && soak_now_us() < deadline, "%s: %d: %s: %s; %s",
			   link_name(link, side->index), err, error.step, error.reason,
			   error.hint);
		if (strcmp(error.step, "memory")) {
			soak_did(DID_OPEN_LATE, 1);
			soak_sleep_us(BUSY_STEP_US);
			continue;
		}
		soak_check(unfit && in_hand && !refused, "side %d has %d frames in hand, and must "
			   "not share: %s", side->index, in_hand, error.reason);
		soak_did(DID_REFUSE_SHARE, 1);
		refused = true;
		for (int i = 0; i < SOAK_LANES; i++) {
			work_release_all(&side->lanes[i]);
			if (side->lanes[i].links[!link].queue)
				work_drop_pending(&side->lanes[i], !link, !link);
		}
	}
	return port;
}

static void know_memory(struct side *side, const struct xsk_port_opts *opts,
			const struct xsk_port_info *info)
{
	if (opts->share) {
		side->booked = true;
		return;
	}
	side->checked = side->booked = opts->flags & XSK_PORT_CHECKED;
	side->frame_size = info->frame_size;
	side->frames = info->frames;
	side->frames_per_pool = info->frames / info->queues;
	side->headroom = info->headroom;
	side->mine = calloc(side->frames, 1);
	soak_check(side->mine, "no memory");
}

void life_open(struct side *side, uint32_t link, bool in_traffic)
{
	struct xsk_port_opts opts = choose(side, link, in_traffic);
	struct end *end = &side->ends[link];
	struct xsk_port *port;

	pthread_mutex_lock(&side->asking);
	port = open_port(side, link, &opts);
	end->info = ports_info(port);
	end->life = __atomic_add_fetch(&lives, 1, __ATOMIC_RELAXED);
	end->whole = end->info.queues == soak.queues;
	end->gone = false;
	end->port = port;
	check_info(side, &opts, &end->info);
	know_memory(side, &opts, &end->info);
	for (uint32_t i = 0; i < SOAK_LANES; i++) {
		struct lane_link *way = &side->lanes[i].links[link];

		way->queue = xsk_port_queue(port, i);
		way->seq = 0;
		way->rx_packets = way->rx_bytes = way->tx_packets = way->tx_bytes = 0;
		way->refused = 0;
	}
	pthread_mutex_unlock(&side->asking);
	count_kinds(side, &opts, end);
}

/* ---- close ---- */

/* Frames stay the caller's where another port has the same memory. */
void life_close(struct side *side, uint32_t link)
{
	struct end *end = &side->ends[link];
	bool shared = soak.links > 1 && side->ends[!link].port;
	bool before = !shared || chance_in(&side->chance, 2);

	for (int i = 0; i < SOAK_LANES; i++)
		if (side->lanes[i].links[link].queue && before && chance_in(&side->chance, 2))
			work_drop_pending(&side->lanes[i], link, link);
	pthread_mutex_lock(&side->asking);
	xsk_port_close(end->port);
	end->port = NULL;
	for (int i = 0; i < SOAK_LANES; i++)
		side->lanes[i].links[link].queue = NULL;
	pthread_mutex_unlock(&side->asking);
	if (!shared) {
		hand_forget(side);
		return;
	}
	for (int i = 0; i < SOAK_LANES; i++)
		if (side->lanes[i].links[link].pending)
			work_drop_pending(&side->lanes[i], link, !link);
	hand_law(side);
}

/* With the other port, which may take all that this one has left. */
static void go_on(struct side *side, uint32_t link)
{
	bool greedy = chance_in(&side->chance, 2);

	for (uint32_t i = 0; i < 100; i++)
		work_step(&side->lanes[chance_below(&side->chance, soak.queues)], true);
	for (uint32_t i = 0; greedy && i < soak.queues; i++)
		work_take_all(&side->lanes[i], link);
	hand_law(side);
}

void life_reopen(struct side *side, uint32_t link)
{
	bool shared = soak.links > 1 && side->ends[!link].port;

	soak_set(&soak.disturbed[link], true);
	hand_law(side);
	life_close(side, link);
	if (chance_in(&side->chance, 4))
		soak_sleep_us(chance_below(&side->chance, 20000));
	if (shared && chance_in(&side->chance, 2))
		go_on(side, !link);
	life_open(side, link, true);
	hand_law(side);
	soak_did(side->index ? DID_REOPEN_1 : DID_REOPEN_0, 1);
	if (shared)
		soak_did(DID_REOPEN_SHARED, 1);
}
