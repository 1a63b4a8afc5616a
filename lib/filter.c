/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "filter.h"

#include <stddef.h>

struct xsk_code xsk_filter_default(struct bpf_insn insns[XSK_FILTER_DEFAULT_INSNS])
{
	/* return bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
	 * The low bits of the flags are the verdict on a miss (5.3).
	 */
	insns[0] = xsk_insn_load(BPF_W, BPF_REG_2, BPF_REG_1,
				 offsetof(struct xdp_md, rx_queue_index));
	insns[1] = xsk_insn_map(BPF_REG_1, 0);
	insns[2] = xsk_insn_wide_end();
	insns[3] = xsk_insn_mov_imm(BPF_REG_3, XDP_PASS);
	insns[4] = xsk_insn_call(BPF_FUNC_redirect_map);
	insns[5] = xsk_insn_exit();
	return (struct xsk_code){ .insns = insns, .count = XSK_FILTER_DEFAULT_INSNS };
}
