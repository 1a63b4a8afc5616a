/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The program's own definitions are taken by the libraries too. */
#include "faults.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

static struct {
	int get, set;			/* names; 0: none */
	int err;
	socklen_t len;
	int slow;			/* name */
	unsigned int ms;
} fake;

void fake_getsockopt(int name, int err, socklen_t len)
{
	fake.get = name;
	fake.err = err;
	fake.len = len;
}

void fake_setsockopt(int name, int err)
{
	fake.set = name;
	fake.err = err;
}

void fake_nothing(void)
{
	fake.get = 0;
	fake.set = 0;
}

void slow_setsockopt(int name, unsigned int ms)
{
	fake.slow = name;
	fake.ms = ms;
}

static int refuse(void)
{
	errno = fake.err;
	return -1;
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
	if (level != SOL_XDP || name != fake.get)
		return (int)syscall(SYS_getsockopt, fd, level, name, value, len);
	if (fake.err)
		return refuse();
	*len = fake.len;
	return 0;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level == SOL_XDP && name == fake.slow)
		usleep(fake.ms * 1000);
	if (level != SOL_XDP || name != fake.set)
		return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
	return refuse();
}
