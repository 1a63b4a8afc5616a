/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * System calls. All return >= 0 or -errno; nothing above this layer reads
 * errno. Descriptors that they make are close-on-exec.
 */
#ifndef XSK_LIB_SYS_H
#define XSK_LIB_SYS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct pollfd;

#define XSK_SYS_ADDRESS_SIZE 6		/* of an interface */

int xsk_sys_socket(int family, int type, int protocol);
int xsk_sys_bind(int fd, const void *addr, socklen_t len);
int xsk_sys_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int xsk_sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
/* Tells the kernel to look at the TX ring. Does not wait. */
int xsk_sys_kick(int fd);
/* Tells it to look at FILL, and with busy polling does its work. Does not wait. */
int xsk_sys_receive(int fd);
int xsk_sys_poll(struct pollfd *fds, unsigned int n, int timeout_ms);

/* Readable and writable; *ret only on success. Of fd: shared, populated at once. */
int xsk_sys_mmap(void **ret, int fd, uint64_t offset, size_t len);
int xsk_sys_mmap_anonymous(void **ret, size_t len);
/* The same as xsk_sys_mmap() in the place of a mapping of len bytes at addr. */
int xsk_sys_mmap_over(void *addr, int fd, uint64_t offset, size_t len);
void xsk_sys_munmap(void *addr, size_t len);

/* Closes fd; less than 0 is "no descriptor". */
void xsk_sys_close(int fd);
int xsk_sys_dup(int fd);
void xsk_sys_close_on_exec(int fd);
/* The inode of what it is of. */
int xsk_sys_inode(int fd, uint64_t *ret);
/* Makes the number to refer to the file of from; what it was is closed. */
int xsk_sys_replace(int from, int to);

/* Whether this thread has the capability (CAP_…) in force. */
bool xsk_sys_capable(int capability);
uint32_t xsk_sys_uid(void);
/* RLIMIT_MEMLOCK, soft and hard, in bytes; UINT64_MAX: no limit. */
int xsk_sys_memlock(uint64_t *soft, uint64_t *hard);
/* Whether this process is in the machine's own user namespace; -ENOENT: no /proc. */
int xsk_sys_initial_userns(void);
/* The kernel's, as uname -r; cut where it does not fit. */
void xsk_sys_release(char *text, size_t size);
/* The number that a file of /proc or /sys begins with. */
int xsk_sys_read_number(const char *path, uint64_t *ret);
size_t xsk_sys_page_size(void);
/* That the machine may ever have: maps for each CPU have room for so many. */
int xsk_sys_possible_cpus(void);
/* Of an interface in the calling thread's network namespace, or -ENODEV. */
int xsk_sys_ifindex(const char *ifname);
/* The MAC address of such a one. */
int xsk_sys_address(const char *ifname, uint8_t address[XSK_SYS_ADDRESS_SIZE]);
/* A number for the network namespace of a socket; -ENOPROTOOPT before 5.14. */
int xsk_sys_netns_of(int fd, uint64_t *ret);
/* A number for the calling thread's own, of the same kind, on any kernel. */
int xsk_sys_netns(uint64_t *ret);

/* Of a path relative to dir; AT_FDCWD: to where the process is. New ones are 0600. */
int xsk_sys_open(int dir, const char *path, int flags);
/* For its owner alone. */
int xsk_sys_mkdir(const char *path);
/* LOCK_SH, LOCK_EX or LOCK_UN of flock(2); -EWOULDBLOCK where it would wait. */
int xsk_sys_lock(int fd, int operation);
/* What a file holds, up to size - 1 bytes, ended with a 0; their number. */
int xsk_sys_read_text(int fd, char *text, size_t size);
/* Writes at the beginning of it, and cuts it. */
int xsk_sys_write_text(int fd, const char *text);
int xsk_sys_truncate(int fd, size_t len);
/* Only if the name in dir is still that of fd's file; else -ESTALE. */
int xsk_sys_unlink(int dir, const char *name, int fd);

/* Between the two no signal interrupts the thread. *before: what was blocked. */
void xsk_sys_block_signals(sigset_t *before);
void xsk_sys_restore_signals(const sigset_t *before);

uint64_t xsk_sys_now_ms(void);
uint64_t xsk_sys_coarse_ms(void);
void xsk_sys_sleep_ms(unsigned int ms);
uint64_t xsk_sys_now_ns(void);
/* 0, or -EINTR. */
int xsk_sys_sleep_us(unsigned int us);

#endif /* XSK_LIB_SYS_H */
