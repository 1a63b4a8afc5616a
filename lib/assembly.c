/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "assembly.h"

#include <errno.h>
#include <stdlib.h>

/* A jump over this much is made of several; the rest is for what stands between. */
#define LONG_WAY 30000

void xsk_assembly_free(struct xsk_assembly *as)
{
	free(as->insns);
	free(as->jumps);
	*as = (struct xsk_assembly){ 0 };
}

/* Room for one more of count elements. Returns the array, perhaps elsewhere, or NULL. */
static void *grow(void *array, uint32_t count, uint32_t *room, size_t size)
{
	uint32_t more = *room ? *room * 2 : 64;
	void *ret = array;

	if (count == *room) {
		ret = reallocarray(array, more, size);
		*room = ret ? more : *room;
	}
	return ret;
}

void xsk_emit(struct xsk_assembly *as, struct bpf_insn insn)
{
	struct bpf_insn *insns;

	if (as->err)
		return;
	insns = grow(as->insns, as->count, &as->room, sizeof(*insns));
	if (!insns) {
		as->err = -ENOMEM;
		return;
	}
	as->insns = insns;
	as->insns[as->count++] = insn;
}

void xsk_emit_jump(struct xsk_assembly *as, struct bpf_insn insn, int32_t label)
{
	struct xsk_jump *jumps;

	if (as->err)
		return;
	jumps = grow(as->jumps, as->njumps, &as->jump_room, sizeof(*jumps));
	if (!jumps) {
		as->err = -ENOMEM;
		return;
	}
	as->jumps = jumps;
	as->jumps[as->njumps++] = (struct xsk_jump){ .at = as->count, .label = label };
	if (label < 0 && as->nahead++ == 0)
		as->oldest_ahead = as->count;
	xsk_emit(as, insn);
}

static void set_offset(struct xsk_assembly *as, uint32_t from, uint32_t to)
{
	int64_t offset = (int64_t)to - from - 1;

	if (offset < INT16_MIN || offset > INT16_MAX)
		as->err = as->err ? as->err : -E2BIG;
	else
		as->insns[from].off = (int16_t)offset;
}

/* Those to label, or with at to all from 0 on. */
static void bind(struct xsk_assembly *as, int32_t label, uint32_t to, const uint32_t *at)
{
	uint32_t left = 0;

	if (as->err)
		return;
	as->nahead = 0;
	for (uint32_t i = 0; i < as->njumps; i++) {
		const struct xsk_jump jump = as->jumps[i];

		if (at && jump.label >= 0) {
			set_offset(as, jump.at, at[jump.label]);
		} else if (!at && jump.label == label) {
			set_offset(as, jump.at, to);
		} else {
			as->jumps[left++] = jump;
			if (jump.label < 0 && as->nahead++ == 0)
				as->oldest_ahead = jump.at;
		}
	}
	as->njumps = left;
}

void xsk_assembly_bind(struct xsk_assembly *as, int32_t label, uint32_t at)
{
	bind(as, label, at, NULL);
}

void xsk_assembly_bind_all(struct xsk_assembly *as, const uint32_t *at)
{
	bind(as, 0, 0, at);
}

bool xsk_assembly_is_pending(const struct xsk_assembly *as, int32_t label)
{
	for (uint32_t i = 0; i < as->njumps; i++)
		if (as->jumps[i].label == label)
			return true;
	return false;
}

void xsk_assembly_cut(struct xsk_assembly *as, uint32_t at)
{
	if (as->err)
		return;
	as->count = at;
	while (as->njumps && as->jumps[as->njumps - 1].at >= at)
		as->nahead -= as->jumps[--as->njumps].label < 0;
}

/* What jumps to a verdict comes to here, and goes on from here. */
static void land(struct xsk_assembly *as, int32_t label)
{
	xsk_assembly_bind(as, label, as->count);
	xsk_emit_jump(as, xsk_insn_ja(0), label);
}

void xsk_assembly_shorten(struct xsk_assembly *as)
{
	bool match, pass;

	if (as->err || !as->nahead || as->count - as->oldest_ahead < LONG_WAY)
		return;
	match = xsk_assembly_is_pending(as, XSK_LABEL_MATCH);
	pass = xsk_assembly_is_pending(as, XSK_LABEL_PASS);
	/* Around it, unless nothing comes here. The verifier wants no dead instruction. */
	if (as->insns[as->count - 1].code != (BPF_JMP | BPF_JA))
		xsk_emit(as, xsk_insn_ja(match + pass));
	if (match)
		land(as, XSK_LABEL_MATCH);
	if (pass)
		land(as, XSK_LABEL_PASS);
}
