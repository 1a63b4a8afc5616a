/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * Sizes, offsets, mapping and the structs that show a ring: lib/ring.c on a
 * kernel that is faked here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel.h"
#include "ring.h"
#include "sys.h"

#define DIRT 0xa5
#define FD 77

/* ---- the kernel ---- */

static struct {
	int getsockopt_err;
	unsigned char answer[256];	/* to XDP_MMAP_OFFSETS */
	socklen_t answer_len;

	int mmap_err;
	void *memory;			/* that mmap gives out */
	int mmap_fd;
	uint64_t mmap_offset;
	size_t mmap_len;
	int maps;

	void *unmapped;
	size_t unmapped_len;
	int unmaps;
} kernel;

int xsk_sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	assert_int_equal(fd, FD);
	assert_int_equal(level, SOL_XDP);
	assert_int_equal(name, XDP_MMAP_OFFSETS);
	if (kernel.getsockopt_err)
		return kernel.getsockopt_err;
	memcpy(value, kernel.answer, *len < kernel.answer_len ? *len : kernel.answer_len);
	*len = kernel.answer_len;
	return 0;
}

int xsk_sys_mmap(void **ret, int fd, uint64_t offset, size_t len)
{
	kernel.mmap_fd = fd;
	kernel.mmap_offset = offset;
	kernel.mmap_len = len;
	if (kernel.mmap_err)
		return kernel.mmap_err;
	kernel.maps++;
	*ret = kernel.memory;
	return 0;
}

int xsk_sys_mmap_anonymous(void **ret, size_t len)
{
	kernel.mmap_len = len;
	if (kernel.mmap_err)
		return kernel.mmap_err;
	kernel.maps++;
	*ret = kernel.memory;
	return 0;
}

void xsk_sys_munmap(void *addr, size_t len)
{
	kernel.unmapped = addr;
	kernel.unmapped_len = len;
	kernel.unmaps++;
}

static int reset(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	return 0;
}

static bool is_dirt(const void *memory, size_t len)
{
	const unsigned char *bytes = memory;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != DIRT)
			return false;
	return true;
}

/* ---- sizes ---- */

static void sizes(void **state)
{
	(void)state;
	assert_false(xsk_ring_size_valid(0));
	for (int high = 0; high < 32; high++) {
		assert_true(xsk_ring_size_valid(1U << high));
		for (int low = 0; low < high; low++)
			assert_false(xsk_ring_size_valid(1U << high | 1U << low));
	}
	assert_false(xsk_ring_size_valid(UINT32_MAX));
}

/* ---- offsets ---- */

static void offsets_now(void **state)
{
	struct xdp_mmap_offsets said, got;

	(void)state;
	for (size_t i = 0; i < sizeof(said); i++)
		((unsigned char *)&said)[i] = (unsigned char)(i + 1);
	memcpy(kernel.answer, &said, sizeof(said));
	kernel.answer_len = sizeof(said);

	memset(&got, DIRT, sizeof(got));
	assert_int_equal(xsk_ring_offsets(FD, &got), 0);
	assert_memory_equal(&got, &said, sizeof(said));
}

static void assert_from_v1(const struct xdp_ring_offset *got,
			   const struct xsk_kernel_offset_v1 *said)
{
	assert_int_equal(got->producer, said->producer);
	assert_int_equal(got->consumer, said->consumer);
	assert_int_equal(got->desc, said->desc);
	/* struct xdp_ring of Linux 5.3: the flags would follow the consumer. */
	assert_int_equal(got->flags, said->consumer + 4);
}

/* Up to Linux 5.3: 96 bytes, no flags. */
static void offsets_v1(void **state)
{
	const struct xsk_kernel_offsets_v1 said = {
		.rx = { 0, 64, 128 },
		.tx = { 0, 64, 192 },
		.fr = { 0, 32, 320 },
		.cr = { 256, 512, 1024 },
	};
	struct xdp_mmap_offsets got;

	(void)state;
	assert_int_equal(sizeof(said), 96);
	memset(kernel.answer, DIRT, sizeof(kernel.answer));
	memcpy(kernel.answer, &said, sizeof(said));
	kernel.answer_len = sizeof(said);

	memset(&got, DIRT, sizeof(got));
	assert_int_equal(xsk_ring_offsets(FD, &got), 0);
	assert_from_v1(&got.rx, &said.rx);
	assert_from_v1(&got.tx, &said.tx);
	assert_from_v1(&got.fr, &said.fr);
	assert_from_v1(&got.cr, &said.cr);
}

static void offsets_of_wrong_length(void **state)
{
	struct xdp_mmap_offsets got;

	(void)state;
	memset(&got, DIRT, sizeof(got));
	for (kernel.answer_len = 0; kernel.answer_len <= 160; kernel.answer_len++) {
		if (kernel.answer_len == 96 || kernel.answer_len == 128)
			continue;
		assert_int_equal(xsk_ring_offsets(FD, &got), -EPROTO);
		assert_true(is_dirt(&got, sizeof(got)));
	}
}

static void offsets_refused(void **state)
{
	struct xdp_mmap_offsets got;

	(void)state;
	memset(&got, DIRT, sizeof(got));
	kernel.getsockopt_err = -ENOPROTOOPT;
	assert_int_equal(xsk_ring_offsets(FD, &got), -ENOPROTOOPT);
	assert_true(is_dirt(&got, sizeof(got)));
}

/* ---- mapping ---- */

static const struct xdp_ring_offset offset = {
	.producer = 64, .consumer = 128, .desc = 320, .flags = 192,
};

static void map_and_unmap(void **state)
{
	struct xsk_ring_map map;
	char memory[1];

	(void)state;
	kernel.memory = memory;
	memset(&map, DIRT, sizeof(map));
	assert_int_equal(xsk_ring_map(&map, FD, XDP_UMEM_PGOFF_COMPLETION_RING, &offset, 64, 16),
			 0);
	assert_int_equal(kernel.mmap_fd, FD);
	assert_true(kernel.mmap_offset == XDP_UMEM_PGOFF_COMPLETION_RING);
	assert_int_equal(kernel.mmap_len, 320 + 64 * 16);
	assert_ptr_equal(map.addr, memory);
	assert_int_equal(map.len, 320 + 64 * 16);
	assert_int_equal(map.size, 64);
	assert_memory_equal(&map.offset, &offset, sizeof(offset));

	xsk_ring_unmap(&map);
	assert_int_equal(kernel.unmaps, 1);
	assert_ptr_equal(kernel.unmapped, memory);
	assert_int_equal(kernel.unmapped_len, 320 + 64 * 16);

	/* Once is enough, and what was never mapped is not unmapped. */
	xsk_ring_unmap(&map);
	map = (struct xsk_ring_map){ 0 };
	xsk_ring_unmap(&map);
	assert_int_equal(kernel.unmaps, 1);
}

/* The largest ring that there can be is longer than 32 bits. */
static void map_large(void **state)
{
	struct xsk_ring_map map;
	char memory[1];

	(void)state;
	kernel.memory = memory;
	assert_int_equal(xsk_ring_map(&map, FD, 0, &offset, 1U << 31, 16), 0);
	assert_true(kernel.mmap_len == 320 + (1ULL << 35));
}

static void map_refused(void **state)
{
	struct xsk_ring_map map;

	(void)state;
	memset(&map, DIRT, sizeof(map));
	kernel.mmap_err = -ENOMEM;
	assert_int_equal(xsk_ring_map(&map, FD, 0, &offset, 64, 16), -ENOMEM);
	assert_true(is_dirt(&map, sizeof(map)));
	assert_int_equal(kernel.maps, 0);
	assert_int_equal(kernel.unmaps, 0);
}

/* Of the same shape, elsewhere; that which it is like stays as it is. */
static void map_blank(void **state)
{
	char theirs[1], ours[1];
	struct xsk_ring_map like = {
		.addr = theirs, .len = 320 + 64 * 8, .offset = offset, .size = 64,
	}, before = like, map;

	(void)state;
	kernel.memory = ours;
	memset(&map, DIRT, sizeof(map));
	assert_int_equal(xsk_ring_map_blank(&map, &like), 0);
	assert_int_equal(kernel.mmap_len, like.len);
	assert_ptr_equal(map.addr, ours);
	assert_int_equal(map.len, like.len);
	assert_int_equal(map.size, 64);
	assert_memory_equal(&map.offset, &offset, sizeof(offset));
	assert_ptr_equal(like.addr, before.addr);

	memset(&map, DIRT, sizeof(map));
	kernel.mmap_err = -ENOMEM;
	assert_int_equal(xsk_ring_map_blank(&map, &like), -ENOMEM);
	assert_true(is_dirt(&map, sizeof(map)));
	assert_int_equal(kernel.unmaps, 0);
}

/* ---- the structs ---- */

#define SIZE 16

/* A ring as it is mapped: in a block of exactly its length. */
static struct xsk_ring_map make_map(uint32_t producer, uint32_t consumer)
{
	struct xsk_ring_map map = {
		.len = offset.desc + SIZE * sizeof(uint64_t),
		.offset = offset,
		.size = SIZE,
	};

	map.addr = malloc(map.len);
	assert_non_null(map.addr);
	memset(map.addr, 0, map.len);
	memcpy((char *)map.addr + offset.producer, &producer, sizeof(producer));
	memcpy((char *)map.addr + offset.consumer, &consumer, sizeof(consumer));
	return map;
}

/* No member is forgotten: the structs have no padding, so whole ones compare. */
static void init_prod(void **state)
{
	struct xsk_ring_map map = make_map(0xfffffffa, 0xfffffff7);
	struct xsk_ring_prod prod, expected = {
		.cached_prod = 0xfffffffa,
		.cached_cons = 0xfffffff7 + SIZE,	/* passes 2^32 */
		.mask = SIZE - 1,
		.size = SIZE,
		.producer = (uint32_t *)((char *)map.addr + offset.producer),
		.consumer = (uint32_t *)((char *)map.addr + offset.consumer),
		.ring = (char *)map.addr + offset.desc,
		.flags = (uint32_t *)((char *)map.addr + offset.flags),
	};

	(void)state;
	memset(&prod, DIRT, sizeof(prod));
	xsk_ring_init_prod(&prod, &map);
	assert_memory_equal(&prod, &expected, sizeof(prod));
	assert_int_equal(xsk_prod_nb_free(&prod, SIZE), SIZE - 3);
	free(map.addr);
}

static void init_cons(void **state)
{
	struct xsk_ring_map map = make_map(5, 0xfffffffe);
	struct xsk_ring_cons cons, expected = {
		.cached_prod = 5,
		.cached_cons = 0xfffffffe,
		.mask = SIZE - 1,
		.size = SIZE,
		.producer = (uint32_t *)((char *)map.addr + offset.producer),
		.consumer = (uint32_t *)((char *)map.addr + offset.consumer),
		.ring = (char *)map.addr + offset.desc,
		.flags = (uint32_t *)((char *)map.addr + offset.flags),
	};

	(void)state;
	memset(&cons, DIRT, sizeof(cons));
	xsk_ring_init_cons(&cons, &map);
	assert_memory_equal(&cons, &expected, sizeof(cons));
	assert_int_equal(xsk_cons_nb_avail(&cons, SIZE), 7);
	free(map.addr);
}

/* Reserved and peeked entries stay so when the mapping changes. */
static void move_keeps_caches(void **state)
{
	struct xsk_ring_map old = make_map(9, 4), new = make_map(0, 0);
	struct xsk_ring_prod prod, expected_prod;
	struct xsk_ring_cons cons, expected_cons;
	uint32_t idx;

	(void)state;
	xsk_ring_init_prod(&prod, &old);
	xsk_ring_init_cons(&cons, &old);
	assert_int_equal(xsk_ring_prod__reserve(&prod, 3, &idx), 3);
	assert_int_equal(xsk_ring_cons__peek(&cons, 2, &idx), 2);

	xsk_ring_init_prod(&expected_prod, &new);
	xsk_ring_init_cons(&expected_cons, &new);
	expected_prod.cached_prod = 9 + 3;
	expected_prod.cached_cons = 4 + SIZE;
	expected_cons.cached_prod = 9;
	expected_cons.cached_cons = 4 + 2;

	xsk_ring_move_prod(&prod, &new);
	xsk_ring_move_cons(&cons, &new);
	assert_memory_equal(&prod, &expected_prod, sizeof(prod));
	assert_memory_equal(&cons, &expected_cons, sizeof(cons));
	free(old.addr);
	free(new.addr);
}

static void carry(void **state)
{
	struct xsk_ring_map old = make_map(0xfffffffb, 0xfffffff0), new = make_map(0, 0);
	unsigned char before[sizeof(uint64_t) * SIZE];
	struct xsk_ring_prod prod;

	(void)state;
	for (size_t i = 0; i < sizeof(before); i++)
		before[i] = (unsigned char)(3 * i + 1);
	memcpy((char *)old.addr + offset.desc, before, sizeof(before));

	xsk_ring_carry(&new, &old, sizeof(uint64_t));
	xsk_ring_init_prod(&prod, &new);
	assert_memory_equal(prod.ring, before, sizeof(before));
	assert_int_equal(*prod.producer, 0xfffffffb);
	assert_int_equal(*prod.consumer, 0);
	assert_int_equal(*prod.flags, 0);

	/* The old ring is as it was. */
	xsk_ring_init_prod(&prod, &old);
	assert_memory_equal(prod.ring, before, sizeof(before));
	assert_int_equal(*prod.producer, 0xfffffffb);
	assert_int_equal(*prod.consumer, 0xfffffff0);
	free(old.addr);
	free(new.addr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test_setup(offsets_now, reset),
		cmocka_unit_test_setup(offsets_v1, reset),
		cmocka_unit_test_setup(offsets_of_wrong_length, reset),
		cmocka_unit_test_setup(offsets_refused, reset),
		cmocka_unit_test_setup(map_and_unmap, reset),
		cmocka_unit_test_setup(map_large, reset),
		cmocka_unit_test_setup(map_refused, reset),
		cmocka_unit_test_setup(map_blank, reset),
		cmocka_unit_test(init_prod),
		cmocka_unit_test(init_cons),
		cmocka_unit_test(move_keeps_caches),
		cmocka_unit_test(carry),
	};

	return cmocka_run_group_tests_name("ring_map", tests, NULL, NULL);
}
