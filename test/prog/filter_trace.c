/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "filter_trace.h"

#include <linux/filter.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of one way through a program; no packet of ours is long enough for as many. */
#define MAX_STEPS 16384
#define MAX_LOADS 256
#define MAX_JUMPS 256

/* A value, and from which bytes of the packet it is: (those & mask) >> shift. */
struct value {
	uint32_t is;
	bool known;		/* the rest */
	uint32_t offset;
	uint32_t size;
	uint32_t mask;
	uint32_t shift;
};

/* A comparison of what comes from the packet. */
struct compared {
	struct value value;
	uint32_t with;
	bool bits;
};

struct way {
	struct value a, x, mem[BPF_MEMWORDS];
	uint32_t ends[MAX_LOADS];	/* offset behind each load */
	uint32_t sizes[MAX_LOADS];
	uint32_t nloads;
	struct compared compared[MAX_JUMPS];
	uint32_t ncompared;
	uint64_t hash;
};

struct search {
	const struct sock_filter *insns;
	uint32_t count;
	uint8_t *edges;		/* of each instruction, bit 0: not jumped, bit 1: jumped */
	uint64_t *hashes;	/* of the ways that are known */
	struct packet *queue;
	uint32_t nways;
	uint32_t max_ways;
	trace_visit *visit;
	void *arg;
};

/* ---- one way ---- */

static uint32_t peek(const struct packet *packet, uint32_t offset, uint32_t size)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < size; i++)
		value = value << 8 | packet->bytes[offset + i];
	return value;
}

/* False: it is outside. */
static bool load(struct way *way, struct value *to, const struct packet *packet,
		 uint64_t offset, uint32_t size)
{
	if (way->nloads < MAX_LOADS && offset + size <= PACKET_MAX) {
		way->ends[way->nloads] = (uint32_t)offset + size;
		way->sizes[way->nloads++] = size;
	}
	if (offset + size > packet->len)
		return false;
	*to = (struct value){ peek(packet, (uint32_t)offset, size), true, (uint32_t)offset, size,
			      UINT32_MAX, 0 };
	return true;
}

static bool run_ld(struct way *way, const struct sock_filter *insn, const struct packet *packet)
{
	bool to_a = BPF_CLASS(insn->code) == BPF_LD;
	struct value *to = to_a ? &way->a : &way->x;
	uint32_t size = BPF_SIZE(insn->code) == BPF_W ? 4 : BPF_SIZE(insn->code) == BPF_H ? 2 : 1;
	uint64_t offset = insn->k;

	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		*to = (struct value){ .is = insn->k };
		return true;
	case BPF_MEM:
		*to = way->mem[insn->k];
		return true;
	case BPF_LEN:
		*to = (struct value){ .is = packet->len };
		return true;
	case BPF_IND:
		offset += way->x.is;
	}
	if (!load(way, to, packet, offset, size))
		return false;
	if (BPF_MODE(insn->code) == BPF_MSH)
		*to = (struct value){ .is = (to->is & 15) * 4 };
	return true;
}

/* False: it is by zero. */
static bool run_alu(struct value *a, uint8_t op, uint32_t with, bool constant)
{
	bool keep = false;

	switch (op) {
	case BPF_ADD: a->is += with; break;
	case BPF_SUB: a->is -= with; break;
	case BPF_MUL: a->is *= with; break;
	case BPF_DIV: a->is = with ? a->is / with : 0; break;
	case BPF_MOD: a->is = with ? a->is % with : 0; break;
	case BPF_OR: a->is |= with; break;
	case BPF_XOR: a->is ^= with; break;
	case BPF_NEG: a->is = 0 - a->is; break;
	case BPF_LSH: a->is = with < 32 ? a->is << with : 0; break;
	case BPF_AND:
		a->is &= with;
		a->mask &= a->shift < 32 ? with << a->shift : 0;
		keep = constant;
		break;
	case BPF_RSH:
		a->is = with < 32 ? a->is >> with : 0;
		a->shift += with < 32 ? with : 32;
		keep = constant;
	}
	a->known = a->known && keep && a->shift < 32;
	return (op != BPF_DIV && op != BPF_MOD) || with;
}

static bool run_insn(struct way *way, const struct sock_filter *insn, const struct packet *packet)
{
	bool constant = BPF_SRC(insn->code) == BPF_K;

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
	case BPF_LDX:
		return run_ld(way, insn, packet);
	case BPF_ST:
		way->mem[insn->k] = way->a;
		return true;
	case BPF_STX:
		way->mem[insn->k] = way->x;
		return true;
	case BPF_ALU:
		return run_alu(&way->a, BPF_OP(insn->code), constant ? insn->k : way->x.is,
			       constant);
	}
	if (BPF_MISCOP(insn->code) == BPF_TAX)
		way->x = way->a;
	else
		way->a = way->x;
	return true;
}

static bool jumps(struct way *way, const struct sock_filter *insn)
{
	uint32_t with = BPF_SRC(insn->code) == BPF_K ? insn->k : way->x.is;
	uint8_t op = BPF_OP(insn->code);

	if (way->a.known && way->ncompared < MAX_JUMPS)
		way->compared[way->ncompared++] =
			(struct compared){ way->a, with, op == BPF_JSET };
	switch (op) {
	case BPF_JEQ:
		return way->a.is == with;
	case BPF_JGT:
		return way->a.is > with;
	case BPF_JGE:
		return way->a.is >= with;
	}
	return way->a.is & with;
}

/* False: it never ends. */
static bool walk(struct search *search, struct way *way, const struct packet *packet)
{
	uint32_t at = 0;

	memset(way, 0, sizeof(*way));
	way->hash = 14695981039346656037U;
	for (int steps = 0; steps < MAX_STEPS; steps++) {
		const struct sock_filter *insn = &search->insns[at];
		bool jumped;

		way->hash = (way->hash ^ (at + 1)) * 1099511628211U;
		if (BPF_CLASS(insn->code) == BPF_RET)
			return true;
		if (insn->code == (BPF_JMP | BPF_JA)) {
			at += 1 + insn->k;
		} else if (BPF_CLASS(insn->code) == BPF_JMP) {
			jumped = jumps(way, insn);
			if (search->edges)
				search->edges[at] |= 1 << jumped;
			at += 1U + (jumped ? insn->jt : insn->jf);
		} else if (!run_insn(way, insn, packet)) {
			way->hash ^= 1;
			return true;
		} else {
			at++;
		}
	}
	return false;
}

bool trace_ends(const struct sock_filter *insns, uint32_t count, const struct packet *packet)
{
	struct search search = { .insns = insns, .count = count };
	static struct way way;

	return walk(&search, &way, packet);
}

/* ---- many ---- */

/* Visits it; if it takes a way of its own, it is one to make others from. */
static void try_packet(struct search *search, const struct packet *packet)
{
	static struct way way;

	walk(search, &way, packet);
	search->visit(search->arg, packet);
	if (search->nways == search->max_ways)
		return;
	for (uint32_t i = 0; i < search->nways; i++)
		if (search->hashes[i] == way.hash)
			return;
	search->hashes[search->nways] = way.hash;
	search->queue[search->nways++] = *packet;
}

static void try_value(struct search *search, const struct packet *from,
		      const struct value *place, uint32_t value)
{
	struct packet packet = *from;
	uint32_t old = peek(from, place->offset, place->size);

	value = (old & ~place->mask) | (value << place->shift & place->mask);
	for (uint32_t i = 0; i < place->size; i++)
		packet.bytes[place->offset + i] = (uint8_t)(value >> 8 * (place->size - 1 - i));
	try_packet(search, &packet);
}

static void try_around(struct search *search, const struct packet *from)
{
	struct way way;

	walk(search, &way, from);
	for (uint32_t i = 0; i < way.ncompared; i++) {
		const struct compared *compared = &way.compared[i];

		for (uint32_t step = 0; step < 3; step++)
			try_value(search, from, &compared->value, compared->with + step - 1);
		if (compared->bits) {
			try_value(search, from, &compared->value, 0);
			try_value(search, from, &compared->value,
				  compared->with & (0 - compared->with));
			try_value(search, from, &compared->value, ~compared->with);
		}
	}
	for (uint32_t i = 0; i < way.nloads; i++) {
		struct packet packet = *from;

		for (uint32_t less = 0; less <= way.sizes[i]; less++) {
			packet.len = way.ends[i] - less;
			if (packet.len <= from->len && way.ends[i] >= less)
				try_packet(search, &packet);
		}
	}
}

struct trace_seen trace(const struct sock_filter *insns, uint32_t count, const struct pool *pool,
			uint32_t ways, trace_visit *visit, void *arg)
{
	struct search search = { insns, count, calloc(count, 1), calloc(ways, sizeof(uint64_t)),
				 calloc(ways, sizeof(struct packet)), 0, ways, visit, arg };
	struct trace_seen seen = { 0 };

	assert_non_null(search.edges);
	assert_non_null(search.hashes);
	assert_non_null(search.queue);
	for (size_t i = 0; i < pool->count; i++)
		try_packet(&search, &pool->packets[i]);
	for (uint32_t i = 0; i < search.nways; i++)
		try_around(&search, &search.queue[i]);

	seen.ways = search.nways;
	for (uint32_t i = 0; i < count; i++) {
		if (BPF_CLASS(insns[i].code) != BPF_JMP || BPF_OP(insns[i].code) == BPF_JA)
			continue;
		seen.edges += 2;
		seen.edges_gone += (uint32_t)__builtin_popcount(search.edges[i]);
	}
	free(search.edges);
	free(search.hashes);
	free(search.queue);
	return seen;
}
