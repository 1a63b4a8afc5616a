/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What failed, why, and what to do.
 */
#ifndef XSK_ERROR_H
#define XSK_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* Strings end with a 0 and are cut where they do not fit. */
struct xsk_error {
	int code;		/* -errno; 0: nothing has failed */
	char step[32];		/* what was being done: "bind", "attach", … */
	char reason[256];	/* why it failed, as found by looking */
	char hint[192];		/* the caller's next move; may be empty */
};

/*
 * Copies the reason of the last failure in this thread to *error: of a function
 * of <xdp/xsk.h>, of one that fills a struct xsk_error, or of one of a port's
 * verbs (xsk_rx(), xsk_tx(), xsk_alloc(), xsk_free(), xsk_flush(), xsk_wait())
 * that returned less than 0. The first and the last return -errno and have no
 * place for more; as with errno(3), a call that succeeds leaves it alone, and so
 * do the verbs of the rings, the two functions of <xdp/xsk.h> that return a
 * descriptor, and a verb of a port that passes on the negative count it was
 * given. The struct is the caller's. Cannot fail; NULL is legal and does nothing.
 */
void xsk_error_last(struct xsk_error *error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* XSK_ERROR_H */
