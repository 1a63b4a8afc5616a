/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "node.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 16
#define WAIT_MS 2000
/* A NIC whose link goes down for seconds, as igb's may, sends when it is up again. */
#define SEND_WAIT_MS 30000
#define HUGE_PAGE (2 << 20)
#define HUGE_PAGES 24

/* ---- memory ---- */

/*
 * Once for the process, and put back at its end: pages that a deleted UMEM has
 * pinned come back some time later.
 */
static long huge_pages_before = -1;

static long read_huge_pages(void)
{
	FILE *file = fopen("/proc/sys/vm/nr_hugepages", "re");
	long pages = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &pages) != 1)
		pages = -1;
	fclose(file);
	return pages;
}

static bool write_huge_pages(long pages)
{
	FILE *file = fopen("/proc/sys/vm/nr_hugepages", "we");

	if (!file)
		return false;
	fprintf(file, "%ld\n", pages);
	return !fclose(file);
}

static void put_huge_pages_back(void)
{
	write_huge_pages(huge_pages_before);
}

static void make_huge_pages(void)
{
	if (huge_pages_before >= 0)
		return;
	huge_pages_before = read_huge_pages();
	assert_true(huge_pages_before >= 0);
	assert_int_equal(atexit(put_huge_pages_back), 0);
	assert_true(write_huge_pages(huge_pages_before + HUGE_PAGES));
	assert_int_equal(read_huge_pages(), huge_pages_before + HUGE_PAGES);
}

void *node_memory(uint64_t size, bool huge)
{
	void *area;

	if (huge)
		make_huge_pages();
	area = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | (huge ? MAP_HUGETLB : 0), -1, 0);
	assert_ptr_not_equal(area, MAP_FAILED);
	return area;
}

void node_memory_free(void *area, uint64_t size)
{
	assert_int_equal(munmap(area, size), 0);
}

/* ---- open and close ---- */

static void set_defaults(struct node_opts *opts)
{
	if (!opts->ifname)
		opts->ifname = "lab0";
	if (!opts->frames)
		opts->frames = 1024;
	if (!opts->frame_size)
		opts->frame_size = 4096;
	if (!opts->rx && !opts->tx)
		opts->rx = opts->tx = true;
	if (!opts->stock)
		opts->stock = BATCH;
}

int node_umem(struct node *node, const struct node_opts *opts)
{
	struct xsk_umem_config config;

	memset(node, 0xa5, sizeof(*node));	/* the library writes every member */
	node->opts = *opts;
	set_defaults(&node->opts);
	opts = &node->opts;
	assert_true(opts->frames <= NODE_MAX_FRAMES);

	node->size = (uint64_t)opts->frames * opts->frame_size + opts->odd_size;
	if (opts->huge)
		node->size = (node->size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	node->area = node_memory(node->size, opts->huge);
	node->nfree = 0;
	for (uint32_t i = 0; i < opts->frames; i++)
		node->free[node->nfree++] = (uint64_t)i * opts->frame_size;
	node->in_fill = 0;
	node->in_tx = 0;
	node->umem = NULL;
	node->xsk = NULL;

	config = (struct xsk_umem_config){
		.fill_size = opts->fill_size,
		.comp_size = opts->comp_size,
		.frame_size = opts->frame_size,
		.frame_headroom = opts->headroom,
		.flags = opts->umem_flags,
	};
	return xsk_umem__create(&node->umem, node->area, node->size, &node->fill, &node->comp,
				&config);
}

int node_socket(struct node *node)
{
	const struct node_opts *opts = &node->opts;
	struct xsk_socket_config config = {
		.rx_size = opts->rx_size,
		.tx_size = opts->tx_size,
		.libxdp_flags = opts->libxdp_flags,
		.xdp_flags = opts->xdp_flags,
		.bind_flags = opts->bind_flags,
	};

	return xsk_socket__create(&node->xsk, opts->ifname, opts->queue, node->umem,
				  opts->rx ? &node->rx : NULL, opts->tx ? &node->tx : NULL,
				  &config);
}

void node_open(struct node *node, const struct node_opts *opts)
{
	assert_int_equal(node_umem(node, opts), 0);
	assert_int_equal(node_socket(node), 0);
}

void node_close(struct node *node)
{
	assert_int_equal(node->nfree + node->in_fill + node->in_tx, node->opts.frames);
	assert_int_equal(node->in_tx, 0);
	xsk_socket__delete(node->xsk);
	assert_int_equal(xsk_umem__delete(node->umem), 0);
	node_memory_free(node->area, node->size);
}

/* ---- a second socket on the UMEM ---- */

static void take_half(struct node *node, struct node *owner)
{
	node->nfree = 0;
	node->nshare = 0;
	for (uint32_t n = owner->nfree / 2; n; n--) {
		uint64_t frame = owner->free[--owner->nfree];

		node->free[node->nfree++] = frame;
		node->share[node->nshare++] = frame;
	}
}

static int share(struct node *node, struct node *owner, const struct node_opts *opts,
		 bool own_rings)
{
	struct xsk_socket_config config = {
		.rx_size = opts->rx_size,
		.tx_size = opts->tx_size,
		.libxdp_flags = opts->libxdp_flags,
		.xdp_flags = opts->xdp_flags,
		.bind_flags = opts->bind_flags,
	};

	memset(node, 0xa5, sizeof(*node));
	node->opts = *opts;
	set_defaults(&node->opts);
	node->opts.frame_size = owner->opts.frame_size;
	node->opts.headroom = owner->opts.headroom;
	node->area = owner->area;
	node->size = owner->size;
	node->umem = owner->umem;
	node->xsk = NULL;
	node->nfree = node->nshare = node->in_fill = node->in_tx = 0;
	return xsk_socket__create_shared(&node->xsk, node->opts.ifname, opts->queue, node->umem,
					 node->opts.rx ? &node->rx : NULL,
					 node->opts.tx ? &node->tx : NULL,
					 own_rings ? &node->fill : NULL,
					 own_rings ? &node->comp : NULL, &config);
}

int node_share(struct node *node, struct node *owner, const struct node_opts *opts)
{
	int err = share(node, owner, opts, true);

	if (!err)
		take_half(node, owner);
	return err;
}

int node_share_queue(struct node *node, struct node *owner, const struct node_opts *opts)
{
	int err = share(node, owner, opts, false);

	if (err)
		return err;
	take_half(node, owner);
	node_take_rings(node, owner);
	return 0;
}

void node_take_rings(struct node *node, const struct node *from)
{
	node->fill = from->fill;
	node->comp = from->comp;
}

void node_unshare(struct node *node, struct node *owner)
{
	xsk_socket__delete(node->xsk);
	for (uint32_t i = 0; i < node->nshare; i++)
		owner->free[owner->nfree++] = node->share[i];
}

/* ---- receive ---- */

static uint64_t frame_of(const struct node *node, uint64_t addr)
{
	addr = xsk_umem__extract_addr(addr);
	return addr - addr % node->opts.frame_size;
}

void node_fill(struct node *node, uint32_t count)
{
	uint32_t at = 0;

	assert_true(count <= node->nfree);
	assert_int_equal(xsk_ring_prod__reserve(&node->fill, count, &at), count);
	for (uint32_t i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(&node->fill, at + i) = node->free[--node->nfree];
	xsk_ring_prod__submit(&node->fill, count);
	node->in_fill += count;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void wait_for(const struct node *node, short events, int ms)
{
	struct pollfd fd = { .fd = xsk_socket__fd(node->xsk), .events = events };

	assert_true(poll(&fd, 1, ms) >= 0);
}

static void check_desc(const struct node *node, const struct xdp_desc *desc)
{
	uint64_t addr = xsk_umem__add_offset_to_addr(desc->addr);

	/* The kernel leaves 256 bytes and the headroom before the packet. */
	assert_int_equal(addr - frame_of(node, desc->addr), 256 + node->opts.headroom);
	assert_true(addr + desc->len <= node->size);
}

static void take_batch(struct node *node, uint32_t first, uint32_t count)
{
	uint64_t deadline = now_ms() + WAIT_MS;
	uint32_t got = 0, at = 0;

	while (got < count && now_ms() < deadline) {
		uint32_t n = xsk_ring_cons__peek(&node->rx, count - got, &at);

		for (uint32_t i = 0; i < n; i++) {
			const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&node->rx, at + i);

			check_desc(node, desc);
			assert_true(lab_frame_is(xsk_umem__get_data(node->area, desc->addr),
						 desc->len, first + got + i));
			node->free[node->nfree++] = frame_of(node, desc->addr);
			node->in_fill--;
		}
		if (n)
			xsk_ring_cons__release(&node->rx, n);
		else
			wait_for(node, POLLIN, 20);
		got += n;
	}
	assert_int_equal(got, count);
}

/* Lengths from the smallest to the largest and back, in odd steps. */
static size_t length_of(uint32_t number)
{
	return LAB_MIN_FRAME + number * 97 % (LAB_MAX_FRAME - LAB_MIN_FRAME + 1);
}

void node_receive(struct node *node, const struct lab *lab, uint32_t count)
{
	for (uint32_t done = 0; done < count; done += BATCH) {
		uint32_t batch = count - done < BATCH ? count - done : BATCH;

		if (node->in_fill < node->opts.stock)
			node_fill(node, node->opts.stock);
		for (uint32_t i = 0; i < batch; i++)
			lab_send(lab, done + i, length_of(done + i));
		take_batch(node, done, batch);
	}
}

int64_t node_receive_one(struct node *node, int ms)
{
	const struct xdp_desc *desc;
	uint32_t at, number;
	uint64_t frame;

	if (!xsk_cons_nb_avail(&node->rx, 1))
		wait_for(node, POLLIN, ms);
	if (!xsk_ring_cons__peek(&node->rx, 1, &at))
		return -1;
	desc = xsk_ring_cons__rx_desc(&node->rx, at);
	memcpy(&number, (char *)xsk_umem__get_data(node->area, desc->addr) + 14, sizeof(number));
	assert_true(lab_frame_is(xsk_umem__get_data(node->area, desc->addr), desc->len, number));
	frame = frame_of(node, desc->addr);
	xsk_ring_cons__release(&node->rx, 1);

	assert_int_equal(xsk_ring_prod__reserve(&node->fill, 1, &at), 1);
	*xsk_ring_prod__fill_addr(&node->fill, at) = frame;
	xsk_ring_prod__submit(&node->fill, 1);
	return number;
}

/* ---- transmit ---- */

static void put_batch(struct node *node, uint32_t first, uint32_t count)
{
	uint32_t at = 0;

	assert_true(count <= node->nfree);
	assert_int_equal(xsk_ring_prod__reserve(&node->tx, count, &at), count);
	for (uint32_t i = 0; i < count; i++) {
		struct xdp_desc *desc = xsk_ring_prod__tx_desc(&node->tx, at + i);

		desc->addr = node->free[--node->nfree] + node->opts.headroom;
		desc->len = (uint32_t)length_of(first + i);
		desc->options = 0;
		lab_frame(xsk_umem__get_data(node->area, desc->addr), desc->len, first + i);
	}
	xsk_ring_prod__submit(&node->tx, count);
	node->in_tx += count;
}

/* The first kick always; then while the ring asks, or completions are missing. */
static void kick(const struct node *node)
{
	if (sendto(xsk_socket__fd(node->xsk), NULL, 0, MSG_DONTWAIT, NULL, 0) < 0)
		assert_true(errno == EAGAIN || errno == EBUSY || errno == ENOBUFS);
}

static void await_completions(struct node *node)
{
	uint64_t deadline = now_ms() + SEND_WAIT_MS;
	uint32_t at = 0;

	/* By the clock: with room in the TX ring, poll() does not wait. */
	while (node->in_tx && now_ms() < deadline) {
		uint32_t n;

		kick(node);
		n = xsk_ring_cons__peek(&node->comp, node->in_tx, &at);
		for (uint32_t i = 0; i < n; i++) {
			uint64_t addr = *xsk_ring_cons__comp_addr(&node->comp, at + i);

			node->free[node->nfree++] = frame_of(node, addr);
		}
		if (n)
			xsk_ring_cons__release(&node->comp, n);
		else
			wait_for(node, POLLOUT, 1);
		node->in_tx -= n;
	}
	assert_int_equal(node->in_tx, 0);
}

void node_transmit(struct node *node, const struct lab *lab, uint32_t count)
{
	for (uint32_t done = 0; done < count; done += BATCH) {
		uint32_t batch = count - done < BATCH ? count - done : BATCH;

		put_batch(node, done, batch);
		await_completions(node);
		for (uint32_t i = 0; i < batch; i++)
			lab_expect(lab, done + i, length_of(done + i));
	}
}

void node_send(struct node *node, const void *frame, size_t len)
{
	struct xdp_desc *desc;
	uint32_t at = 0;

	assert_int_equal(xsk_ring_prod__reserve(&node->tx, 1, &at), 1);
	desc = xsk_ring_prod__tx_desc(&node->tx, at);
	*desc = (struct xdp_desc){ .addr = node->free[--node->nfree], .len = (uint32_t)len };
	memcpy(xsk_umem__get_data(node->area, desc->addr), frame, len);
	xsk_ring_prod__submit(&node->tx, 1);
	node->in_tx++;
	await_completions(node);
}

static void send_by_node(void *sender, const void *frame, size_t len)
{
	node_send(sender, frame, len);
}

void node_be_sender(struct node *node, struct lab *lab)
{
	lab->sender = node;
	lab->send = send_by_node;
}
