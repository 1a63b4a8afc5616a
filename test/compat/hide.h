/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef TEST_HIDE_H
#define TEST_HIDE_H

/*
 * Gives the process a mount namespace with an empty /run and an empty bpffs of
 * its own: there libxdp keeps locks and pins, which then end with the process.
 */
void hide_files(void);

#endif /* TEST_HIDE_H */
