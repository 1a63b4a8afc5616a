/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * An eBPF program as it grows: instructions, labels, and jumps to labels. A jump reaches
 * 32,767 instructions; those to the labels of a verdict are made of several where it is
 * further.
 */
#ifndef XSK_LIB_ASSEMBLY_H
#define XSK_LIB_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "insn.h"

/* Two labels that lie ahead of all that jumps to them. Others are numbered from 0 on. */
#define XSK_LABEL_MATCH (-1)
#define XSK_LABEL_PASS (-2)

struct xsk_jump {
	uint32_t at;
	int32_t label;
};

struct xsk_assembly {
	struct bpf_insn *insns;
	uint32_t count;
	uint32_t room;
	/* Those that have no offset yet. */
	struct xsk_jump *jumps;
	uint32_t njumps;
	uint32_t jump_room;
	uint32_t nahead;		/* of them, those to MATCH or PASS */
	uint32_t oldest_ahead;		/* where the first of these stands */
	int err;			/* the first; all that follows does nothing then */
};

void xsk_assembly_free(struct xsk_assembly *as);

void xsk_emit(struct xsk_assembly *as, struct bpf_insn insn);
/* Emits a jump, whose offset is set when its label is bound. */
void xsk_emit_jump(struct xsk_assembly *as, struct bpf_insn insn, int32_t label);
/* The jumps to that label lead to the instruction at, if it was emitted, or is the next. */
void xsk_assembly_bind(struct xsk_assembly *as, int32_t label, uint32_t at);
/* All jumps to labels from 0 on: to at[label]. */
void xsk_assembly_bind_all(struct xsk_assembly *as, const uint32_t *at);
bool xsk_assembly_is_pending(const struct xsk_assembly *as, int32_t label);
/* Takes back all that was emitted from the instruction at on. */
void xsk_assembly_cut(struct xsk_assembly *as, uint32_t at);
/*
 * Now and then, where an instruction may stand that is none of the program: so that the
 * jumps to MATCH and PASS reach.
 */
void xsk_assembly_shorten(struct xsk_assembly *as);

#endif /* XSK_LIB_ASSEMBLY_H */
