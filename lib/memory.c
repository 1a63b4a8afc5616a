/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "memory.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MAP_HUGE_2MB
#define MAP_HUGE_2MB (21 << 26)
#endif

static int map(void **ret, size_t size, int flags)
{
	void *addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

	if (addr == MAP_FAILED)
		return -errno;
	*ret = addr;
	return 0;
}

int xsk_memory_map(void **ret, size_t size)
{
	return map(ret, size, MAP_SHARED);
}

int xsk_memory_map_huge(void **ret, size_t size)
{
	return map(ret, size, MAP_SHARED | MAP_HUGETLB | MAP_HUGE_2MB);
}

int xsk_memory_reserve(void **ret, size_t size)
{
	return map(ret, size, MAP_PRIVATE | MAP_NORESERVE);
}

void xsk_memory_unmap(void *addr, size_t size)
{
	if (addr)
		munmap(addr, size);
}

void xsk_memory_prefer_node(void *addr, size_t size, int node)
{
	unsigned long mask[16] = { 0 };
	const unsigned int bits = 8 * sizeof(mask[0]);

	if (node < 0 || (unsigned int)node >= 16 * bits)
		return;
	mask[(unsigned int)node / bits] = 1UL << (unsigned int)node % bits;
	syscall(SYS_mbind, addr, size, MPOL_PREFERRED, mask, 16 * bits, 0);
}
