/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Processes and what they have open, as far as /proc lets the caller see. */
#ifndef XSK_LIB_PROCESS_H
#define XSK_LIB_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define XSK_PROCESS_NAME_SIZE 16

/* What a descriptor of a process is of; of other files there is no word. */
struct xsk_process_file {
	pid_t pid;
	uint64_t socket;	/* its inode; 0: it is no socket */
	uint32_t prog_id;	/* of a BPF program, or of a link of it; 0: it is none */
	uint32_t link_id;	/* of that link; 0: it is none */
};

/* Looks at one; true: it has seen enough. */
typedef bool (*xsk_process_cb)(const struct xsk_process_file *file, void *data);

/*
 * Shows all of them, process by process, each descriptor by itself. Returns whether no
 * process that is there was hidden from the caller.
 */
bool xsk_process_files(xsk_process_cb each, void *data);

/* One of this process. */
void xsk_process_own_file(struct xsk_process_file *file, int fd);

/* Empty where the process is gone. */
void xsk_process_name(char name[XSK_PROCESS_NAME_SIZE], pid_t pid);

/*
 * A process that has the socket of this inode open; the caller's own comes first.
 * -ENOENT: none is seen.
 */
int xsk_process_of_socket(pid_t *pid, char name[XSK_PROCESS_NAME_SIZE], uint64_t inode);

#endif /* XSK_LIB_PROCESS_H */
