/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What the functions take, and what they say when they fail; the verbs. */
#include "faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_xdp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4
#define RACE_MS 1500

static struct node first, second;

/* ---- errors ---- */

/* An answer of a length that no kernel gives; nothing has set errno by then. */
static void umem_needs_the_ring_offsets(void)
{
	int err;

	fake_getsockopt(XDP_MMAP_OFFSETS, 0, 8);
	errno = 0;
	err = try_umem(&first, &(struct node_opts){ 0 });
	fake_nothing();
	expect(err < 0, "xsk_umem__create succeeds without knowing where the rings are");
	node_memory_free(first.area, first.size);
}

static void socket_needs_the_ring_offsets(void)
{
	int err;

	open_umem(&first, &(struct node_opts){ 0 });
	fake_getsockopt(XDP_MMAP_OFFSETS, 0, 8);
	errno = 0;
	err = node_socket(&first);
	fake_nothing();
	expect(err < 0 && !first.xsk, "xsk_socket__create: %d, and the socket is %s", err,
	       first.xsk ? "there" : "not there");
	expect_result("the next try", insist_on_socket(&first), 0);
	assert_int_equal(close_both(&first), 0);
}

static void true_errno_not_enomem(void)
{
	int err;

	open_both(&first, &(struct node_opts){ 0 });
	fake_setsockopt(XDP_UMEM_FILL_RING, EACCES);
	err = share_umem(&second, &first, &(struct node_opts){ .queue = 1 });
	fake_nothing();
	expect_result("create_shared, the kernel having said EACCES", err, -EACCES);
	assert_int_equal(close_both(&first), 0);
}

static void umem_size_and_alignment_are_checked(void)
{
	uint64_t size = 64 * 4096;
	char *area = node_memory(size, false);

	expect_result("size 0", xsk_umem__create(&first.umem, area, 0, &first.fill, &first.comp,
						 NULL), -EINVAL);
	expect_result("off a page", xsk_umem__create(&first.umem, area + 64, size - 4096,
						     &first.fill, &first.comp, NULL), -EINVAL);
	expect_result("half a frame", xsk_umem__create(&first.umem, area, size - 2048,
						       &first.fill, &first.comp, NULL), -EINVAL);
	node_memory_free(area, size);
}

/* -EFAULT would say that a pointer is bad, which NULL is not: it is missing. */
static void missing_arguments_are_einval(void)
{
	uint64_t size = 64 * 4096;
	void *area = node_memory(size, false);
	struct xsk_umem **umem = &first.umem;

	expect_result("no place for the UMEM",
		      xsk_umem__create(NULL, area, size, &first.fill, &first.comp, NULL), -EINVAL);
	expect_result("no area",
		      xsk_umem__create(umem, NULL, size, &first.fill, &first.comp, NULL), -EINVAL);
	expect_result("no FILL",
		      xsk_umem__create(umem, area, size, NULL, &first.comp, NULL), -EINVAL);
	expect_result("no COMPLETION",
		      xsk_umem__create(umem, area, size, &first.fill, NULL, NULL), -EINVAL);
	node_memory_free(area, size);

	open_umem(&first, &(struct node_opts){ 0 });
	expect_result("no place for the socket",
		      xsk_socket__create(NULL, "lab0", 0, first.umem, &first.rx, NULL, NULL),
		      -EINVAL);
	expect_result("no UMEM",
		      xsk_socket__create(&first.xsk, "lab0", 0, NULL, &first.rx, NULL, NULL),
		      -EINVAL);
	expect_result("neither RX nor TX",
		      xsk_socket__create(&first.xsk, "lab0", 0, first.umem, NULL, NULL, NULL),
		      -EINVAL);
	expect_result("FILL without COMPLETION",
		      xsk_socket__create_shared(&first.xsk, "lab0", 0, first.umem, &first.rx, NULL,
						&second.fill, NULL, NULL), -EINVAL);
	assert_int_equal(close_both(&first), 0);
}

static void missing_names_and_sockets_do_not_crash(void)
{
	assert_int_equal(xsk_umem__fd(NULL), -EINVAL);
	assert_int_equal(xsk_socket__fd(NULL), -EINVAL);
	xsk_socket__delete(NULL);
	assert_int_equal(xsk_umem__delete(NULL), 0);

	open_umem(&first, &(struct node_opts){ 0 });
	expect_result("no interface",
		      xsk_socket__create(&first.xsk, NULL, 0, first.umem, &first.rx, NULL, NULL),
		      -EINVAL);
	expect_result("no socket", xsk_socket__update_xskmap(NULL, 0), -EINVAL);
	assert_int_equal(close_both(&first), 0);
}

/* ---- what is left ---- */

static void mappings_are_gone_after_delete(void)
{
	open_both(&first, &(struct node_opts){ 0 });
	assert_int_equal(share_umem(&second, &first, &(struct node_opts){ .queue = 1 }), 0);
	assert_int_equal(count_mappings(), 8);
	xsk_socket__delete(second.xsk);
	expect(count_mappings() == 4, "%d rings are mapped beside the first socket's",
	       count_mappings() - 4);
	assert_int_equal(close_both(&first), 0);
	expect(!count_mappings(), "%d rings are still mapped", count_mappings());
}

static void unmapping_needs_no_answer(void)
{
	int left;

	open_both(&first, &(struct node_opts){ 0 });
	fake_getsockopt(XDP_MMAP_OFFSETS, ENOBUFS, 0);
	close_both(&first);
	fake_nothing();
	left = count_mappings();
	expect(!left, "%d rings stay mapped when getsockopt fails", left);
}

static void descriptors_are_close_on_exec(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int open_before[4096] = { 0 };

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		open_before[atoi(entry->d_name)] = 1;

	open_both(&first, &(struct node_opts){ 0 });
	rewinddir(dir);
	while ((entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		expect(open_before[fd] || fcntl(fd, F_GETFD) & FD_CLOEXEC,
		       "a child gets %s", fd == xsk_umem__fd(first.umem) ? "the UMEM's socket" :
		       "a descriptor");
	}
	closedir(dir);
	assert_int_equal(close_both(&first), 0);
}

/* ---- options ---- */

/* As of libxdp 1.6, and as a later version may have it. */
struct later_umem_opts {
	size_t sz;
	int fd;
	__u64 size;
	__u32 fill_size, comp_size, frame_size, frame_headroom, flags, tx_metadata_len;
	__u64 unknown;
};

typedef struct xsk_umem *create_opts(void *area, struct xsk_ring_prod *fill,
				     struct xsk_ring_cons *comp, struct later_umem_opts *opts);

static int try_opts(struct later_umem_opts *opts)
{
	create_opts *create = (create_opts *)dlsym(RTLD_DEFAULT, "xsk_umem__create_opts");
	void *area = node_memory(opts->size, false);
	struct xsk_umem *umem;
	int err;

	if (!create)
		cannot("no xsk_umem__create_opts before libxdp 1.5");
	umem = create(area, &first.fill, &first.comp, opts);
	err = umem ? 0 : -errno;
	assert_int_equal(xsk_umem__delete(umem), 0);
	node_memory_free(area, opts->size);
	return err;
}

static void opts_with_an_unknown_tail(void)
{
	struct later_umem_opts opts = { .sz = sizeof(opts), .size = 64 * 4096 };

	expect_result("a longer struct whose tail is 0", try_opts(&opts), 0);
	opts.unknown = 1;
	expect_result("a longer struct whose tail is set", try_opts(&opts), -EINVAL);
}

/* Without a flag of its own the kernel ignores the length, whatever it is. */
static void tx_metadata_length_is_not_ignored(void)
{
	struct later_umem_opts opts = { .sz = sizeof(opts), .size = 64 * 4096 };

	opts.tx_metadata_len = 24;
	if (try_opts(&opts) == -EINVAL)
		cannot("the kernel knows no TX metadata");
	opts.tx_metadata_len = 7;
	expect_result("a length of 7", try_opts(&opts), -EINVAL);
}

/* ---- threads ---- */

static struct node nodes[THREADS];

/* TX only, without a program: nothing but the UMEM is shared. */
static int create_for(uint32_t thread)
{
	struct node *node = &nodes[thread];
	struct xsk_socket_config config = {
		.rx_size = 64, .tx_size = 64,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD };

	return xsk_socket__create_shared(&node->xsk, "lab0", thread, first.umem, NULL, &node->tx,
					 &node->fill, &node->comp, &config);
}

static void run_threads(void *(*each)(void *))
{
	pthread_t threads[THREADS];
	void *err;
	int last = 0;

	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, each, (void *)i), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &err), 0);
		last = err ? (int)(intptr_t)err : last;
	}
	expect_result("create_shared in one of the threads", last, 0);
}

static void *create_one(void *thread)
{
	return (void *)(intptr_t)create_for((uint32_t)(uintptr_t)thread);
}

/* Which one is the first is decided once, not before and after a system call. */
static void threads_may_create_the_first_sockets(void)
{
	open_umem(&first, &(struct node_opts){ 0 });
	slow_setsockopt(XDP_TX_RING, 20);
	run_threads(create_one);
	for (int i = 0; i < THREADS; i++)
		xsk_socket__delete(nodes[i].xsk);
	first.xsk = NULL;
	expect_result("xsk_umem__delete", close_both(&first), 0);
}

/* -EBUSY is fine: the queue may take its time. */
static void *come_and_go(void *arg)
{
	uint32_t thread = (uint32_t)(uintptr_t)arg;
	struct timespec start, now;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(thread % (uint32_t)sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		int err = create_for(thread);

		if (!err)
			xsk_socket__delete(nodes[thread].xsk);
		else if (err != -EBUSY)
			return (void *)(intptr_t)err;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
		 RACE_MS);
	return NULL;
}

static void threads_may_come_and_go_on_one_umem(void)
{
	int before;

	open_both(&first, &(struct node_opts){
		.queue = THREADS, .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD });
	before = count_descriptors();
	run_threads(come_and_go);
	expect(count_descriptors() == before, "%d descriptors leak",
	       count_descriptors() - before);
	expect(count_mappings() == 4, "%d rings are mapped instead of 4", count_mappings());
	expect_result("xsk_umem__delete after all sockets", close_both(&first), 0);
}

/* ---- verbs ---- */

static void peek_takes_what_arrived_since(void)
{
	uint32_t producer = 1, consumer = 0, at = 0, got;
	struct xsk_ring_cons ring = { .mask = 7, .size = 8, .producer = &producer,
				      .consumer = &consumer };

	assert_int_equal(xsk_ring_cons__peek(&ring, 1, &at), 1);
	xsk_ring_cons__cancel(&ring, 1);
	producer = 4;
	got = xsk_ring_cons__peek(&ring, 4, &at);
	expect(got == 4, "of 4 entries %u are seen", got);
}

static void get_data_understands_unaligned_addresses(void)
{
	static char area[8192];
	uint64_t addr = 4096 | 256ULL << XSK_UNALIGNED_BUF_OFFSET_SHIFT;
	char *data = xsk_umem__get_data(area, addr);

	expect(data == area + 4096 + 256, "it points %lld bytes behind the area",
	       (long long)(data - area - (long long)sizeof(area)));
}

const struct fault_case api_cases[] = {
	FAULT_CASE(umem_needs_the_ring_offsets),
	FAULT_CASE(socket_needs_the_ring_offsets),
	FAULT_CASE(true_errno_not_enomem, .queues = 2),
	FAULT_CASE(umem_size_and_alignment_are_checked),
	FAULT_CASE(missing_arguments_are_einval),
	FAULT_CASE(missing_names_and_sockets_do_not_crash),
	FAULT_CASE(mappings_are_gone_after_delete, .queues = 2),
	FAULT_CASE(unmapping_needs_no_answer),
	FAULT_CASE(descriptors_are_close_on_exec),
	FAULT_CASE(opts_with_an_unknown_tail),
	FAULT_CASE(tx_metadata_length_is_not_ignored),
	FAULT_CASE(threads_may_create_the_first_sockets, .queues = THREADS),
	FAULT_CASE(threads_may_come_and_go_on_one_umem, .queues = THREADS + 1),
	FAULT_CASE(peek_takes_what_arrived_since),
	FAULT_CASE(get_data_understands_unaligned_addresses),
	{ .name = NULL }
};
