/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Memory for frames. */
#ifndef XSK_LIB_MEMORY_H
#define XSK_LIB_MEMORY_H

#include <stddef.h>

#define XSK_MEMORY_HUGE_PAGE (2UL << 20)

/*
 * Maps size bytes, shared, so that a child after fork() sees the same frames. *ret
 * only on success. Returns 0 or -errno; -ENOMEM for huge pages: there are too few.
 */
int xsk_memory_map(void **ret, size_t size);
int xsk_memory_map_huge(void **ret, size_t size);
/* Room that takes no memory until it is written to. */
int xsk_memory_reserve(void **ret, size_t size);
void xsk_memory_unmap(void *addr, size_t size);

/* Takes the pages from a node, where that has some. Only a wish. */
void xsk_memory_prefer_node(void *addr, size_t size, int node);

#endif /* XSK_LIB_MEMORY_H */
