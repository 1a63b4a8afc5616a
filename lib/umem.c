/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "umem.h"

#include <errno.h>

#include "error.h"
#include "kernel.h"
#include "sys.h"

/* Pages that the kernel has still to unpin after a close, on a loaded machine. */
#define RELEASE_WAIT_MS 100

int xsk_umem_check(const struct xsk_umem_area *area, struct xsk_error *error)
{
	size_t page = xsk_sys_page_size();

	if (!area->addr || (uintptr_t)area->addr % page)
		return xsk_error_set(error, -EINVAL, "umem",
				     "the area at %p does not start on a page of %zu bytes",
				     area->addr, page);
	if (!xsk_ring_size_valid(area->fill_size) || !xsk_ring_size_valid(area->comp_size))
		return xsk_error_set(error, -EINVAL, "umem",
				     "FILL of %u and COMPLETION of %u entries: "
				     "a ring's size must be a power of two",
				     area->fill_size, area->comp_size);
	if (area->size < area->frame_size)
		return xsk_error_set(error, -EINVAL, "umem",
				     "an area of %llu bytes holds no frame of %u",
				     (unsigned long long)area->size, area->frame_size);
	if (!(area->flags & XDP_UMEM_UNALIGNED_CHUNK_FLAG) &&
	    (!xsk_ring_size_valid(area->frame_size) || area->size % area->frame_size))
		return xsk_error_set(error, -EINVAL, "umem",
				     "frames of %u bytes in an area of %llu: aligned frames are "
				     "a power of two and divide the area",
				     area->frame_size, (unsigned long long)area->size);
	return 0;
}

static int explain_register(int err, const struct xsk_umem_area *area,
			    struct xsk_error *error)
{
	unsigned long long size = area->size;

	switch (err) {
	case -ENOBUFS:
		xsk_error_set(error, err, "umem", "locking %llu bytes passes RLIMIT_MEMLOCK",
			      size);
		return xsk_error_hint(error, "raise it (ulimit -l), or have CAP_IPC_LOCK");
	case -EINVAL:
		return xsk_error_set(error, err, "umem",
				     "the kernel takes no area of %llu bytes with frames of %u, "
				     "headroom %u, flags 0x%x, TX metadata of %u bytes",
				     size, area->frame_size, area->headroom, area->flags,
				     area->tx_metadata_len);
	case -EBUSY:
		return xsk_error_set(error, err, "umem", "the socket has a UMEM already");
	case -ENOTSOCK:
	case -ENOPROTOOPT:
	case -EOPNOTSUPP:
		return xsk_error_set(error, err, "umem", "the descriptor is no AF_XDP socket");
	}
	return xsk_error_system(error, err, "umem");
}

int xsk_umem_register(int fd, const struct xsk_umem_area *area, struct xsk_error *error)
{
	struct xsk_kernel_umem_reg reg = {
		.addr = (uintptr_t)area->addr,
		.len = area->size,
		.chunk_size = area->frame_size,
		.headroom = area->headroom,
		.flags = area->flags,
		.tx_metadata_len = area->tx_metadata_len,
	};
	uint64_t deadline = xsk_sys_now_ms() + RELEASE_WAIT_MS;
	int err;

	/* Without the flag the kernel ignores the length, and says nothing. */
	if (area->tx_metadata_len)
		reg.flags |= XDP_UMEM_TX_METADATA_LEN;

	for (;;) {
		err = xsk_sys_setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg));
		if (err != -ENOBUFS || xsk_sys_now_ms() >= deadline)
			break;
		xsk_sys_sleep_ms(5);
	}
	return err ? explain_register(err, area, error) : 0;
}

static int make_rings(struct xsk_umem_rings *rings, int fd,
		      const struct xsk_umem_area *area)
{
	struct xdp_mmap_offsets offsets;
	int err;

	err = xsk_sys_setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &area->fill_size,
				 sizeof(area->fill_size));
	if (err)
		return err;
	err = xsk_sys_setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &area->comp_size,
				 sizeof(area->comp_size));
	if (err)
		return err;
	err = xsk_ring_offsets(fd, &offsets);
	if (err)
		return err;
	err = xsk_ring_map(&rings->fill, fd, XDP_UMEM_PGOFF_FILL_RING, &offsets.fr,
			   area->fill_size, sizeof(uint64_t));
	if (err)
		return err;
	return xsk_ring_map(&rings->comp, fd, XDP_UMEM_PGOFF_COMPLETION_RING, &offsets.cr,
			    area->comp_size, sizeof(uint64_t));
}

int xsk_umem_map_rings(struct xsk_umem_rings *ret, int fd,
		       const struct xsk_umem_area *area, struct xsk_error *error)
{
	struct xsk_umem_rings rings = { 0 };
	int err;

	err = make_rings(&rings, fd, area);
	if (err) {
		xsk_umem_unmap_rings(&rings);
		return xsk_error_system(error, err, "FILL and COMPLETION ring");
	}
	*ret = rings;
	return 0;
}

int xsk_umem_remap_rings(const struct xsk_umem_rings *rings, int fd)
{
	int err;

	err = xsk_sys_mmap_over(rings->fill.addr, fd, XDP_UMEM_PGOFF_FILL_RING,
				rings->fill.len);
	if (err)
		return err;
	return xsk_sys_mmap_over(rings->comp.addr, fd, XDP_UMEM_PGOFF_COMPLETION_RING,
				 rings->comp.len);
}

void xsk_umem_unmap_rings(struct xsk_umem_rings *rings)
{
	xsk_ring_unmap(&rings->fill);
	xsk_ring_unmap(&rings->comp);
}
