/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* BPF programs and links that are pinned: files of a bpffs, by which they stay. */
#ifndef XSK_LIB_PIN_H
#define XSK_LIB_PIN_H

#include <stdbool.h>
#include <stddef.h>

#include "process.h"

#define XSK_PIN_PATH_SIZE 256

/* Looks at one; what it is of is told as of a descriptor. */
typedef void (*xsk_pin_cb)(const char *path, const struct xsk_process_file *file, void *data);

/*
 * Shows those of each bpffs that is mounted where the process is. Returns whether all could
 * be looked at: none was hidden from the caller, called by a longer path, or one too many.
 */
bool xsk_pin_all(xsk_pin_cb each, void *data);

/*
 * Where a bpffs is mounted, by a line of mountinfo, which is changed. NULL: it is of
 * another file system, or is none.
 */
char *xsk_pin_mount(char *line);

#endif /* XSK_LIB_PIN_H */
