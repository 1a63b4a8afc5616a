/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Memory and descriptors: closed twice, unmapped too early, leaked. */
#include "faults.h"

#include <bpf/bpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lookalike.h"

#define TIMES 10

static struct node first, second;

/* ---- two sockets on one queue ---- */

static void delete_two(struct node *one, struct node *other)
{
	int descriptors = count_descriptors();

	open_both(&first, &(struct node_opts){ 0 });
	assert_int_equal(share_queue(&second, &first, &(struct node_opts){ 0 }), 0);
	xsk_socket__delete(one->xsk);
	guard_descriptors();
	xsk_socket__delete(other->xsk);
	expect_guarded("the second delete");
	expect_result("xsk_umem__delete", xsk_umem__delete(first.umem), 0);
	expect(count_descriptors() == descriptors, "%d descriptors leak",
	       count_descriptors() - descriptors);
	node_memory_free(first.area, first.size);
}

static void two_sockets_on_one_queue_delete_in_order(void)
{
	delete_two(&first, &second);
}

static void two_sockets_on_one_queue_delete_in_reverse(void)
{
	delete_two(&second, &first);
}

/* libxdp: the queue's descriptors of program and map are overwritten. */
static void second_socket_on_a_queue_loses_no_descriptor(void)
{
	int before, after;

	open_both(&first, &(struct node_opts){ 0 });
	before = count_descriptors();
	assert_int_equal(share_queue(&second, &first, &(struct node_opts){ .tx = true }), 0);
	node_unshare(&second, &first);
	after = count_descriptors();
	expect(after <= before, "%d descriptors more after the second socket has come and gone",
	       after - before);
	expect_result("xsk_umem__delete", close_both(&first), 0);
}

/* ---- a further socket that fails ---- */

static void failed_create_shared_keeps_the_umem_rings(void)
{
	int before;

	open_umem(&first, &(struct node_opts){ 0 });
	before = count_mappings();
	assert_int_equal(share_umem(&second, &first,
				    &(struct node_opts){ .bind_flags = XDP_ZEROCOPY }),
			 -EOPNOTSUPP);
	expect(count_mappings() == before, "of %d rings of the UMEM %d are mapped", before,
	       count_mappings());
	node_fill(&first, 16);
	expect_result("xsk_socket__create", node_socket(&first), 0);
	expect(receives(&first, 1), "the UMEM's socket receives nothing");
	expect_result("xsk_umem__delete", close_both(&first), 0);
}

/* ---- a descriptor that was handed over ---- */

typedef int create_with_fd(struct xsk_umem **umem, int fd, void *area, __u64 size,
			   struct xsk_ring_prod *fill, struct xsk_ring_cons *comp,
			   const struct xsk_umem_config *config);

static create_with_fd *find_create_with_fd(void)
{
	create_with_fd *create = (create_with_fd *)dlsym(RTLD_DEFAULT, "xsk_umem__create_with_fd");

	if (!create)
		cannot("no xsk_umem__create_with_fd before libxdp 1.4");
	return create;
}

static int open_socket(void)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void handed_fd_stays_the_callers_on_failure(void)
{
	create_with_fd *create = find_create_with_fd();
	struct xsk_umem_config wrong_flags = { .flags = 1u << 31 };
	uint64_t size = 64 * 4096;
	void *area = node_memory(size, false);
	int fd = open_socket();

	expect_result("create with bad flags",
		      create(&first.umem, fd, area, size, &first.fill, &first.comp, &wrong_flags),
		      -EINVAL);
	expect(is_open(fd), "a create that the kernel refused closed it");
	fake_setsockopt(XDP_UMEM_FILL_RING, EACCES);
	expect_result("create without a right",
		      create(&first.umem, fd, area, size, &first.fill, &first.comp, NULL),
		      -EACCES);
	fake_nothing();
	expect(is_open(fd), "a create that failed half-way closed it");
	close(fd);
	node_memory_free(area, size);
}

static void handed_fd_belongs_to_the_umem_on_success(void)
{
	create_with_fd *create = find_create_with_fd();
	uint64_t size = 64 * 4096;
	void *area = node_memory(size, false);
	int fd = open_socket();

	assert_int_equal(create(&first.umem, fd, area, size, &first.fill, &first.comp, NULL), 0);
	expect(xsk_umem__fd(first.umem) == fd, "the UMEM has another one");
	expect_result("xsk_umem__delete", xsk_umem__delete(first.umem), 0);
	expect(!is_open(fd), "it is still open after the UMEM's end");
	node_memory_free(area, size);
}

/* ---- the user's map ---- */

static int make_map(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "users_map", 4, 4, 1, NULL);

	assert_true(fd >= 0);
	return fd;
}

/* A number that is open may have become something else. */
static uint32_t map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static void update_xskmap_keeps_the_callers_fd(void)
{
	int map = make_map();
	uint32_t id = map_id(map);

	open_both(&first, &(struct node_opts){ 0 });
	assert_int_equal(xsk_socket__update_xskmap(first.xsk, map), 0);
	xsk_socket__delete(first.xsk);
	expect(map_id(map) == id, "xsk_socket__delete closed the caller's map");
	close(map);
	assert_int_equal(xsk_umem__delete(first.umem), 0);
	node_memory_free(first.area, first.size);
}

/* More than a socket leaks that has not seen the call. */
static void update_xskmap_leaks_no_descriptor(void)
{
	int before = count_descriptors(), plain, updated, map;
	uint32_t id;

	open_both(&first, &(struct node_opts){ 0 });
	assert_int_equal(close_both(&first), 0);
	plain = count_descriptors() - before;

	open_both(&first, &(struct node_opts){ 0 });
	map = make_map();
	id = map_id(map);
	assert_int_equal(xsk_socket__update_xskmap(first.xsk, map), 0);
	assert_int_equal(close_both(&first), 0);
	updated = count_descriptors() - before - plain - (map_id(map) == id);
	expect(updated <= plain, "%d more are left than without the call", updated - plain);
	close(map);
}

/* ---- xsk_setup_xdp_prog() ---- */

static void set_up(bool want_map)
{
	int map = -1;

	assert_int_equal(xsk_setup_xdp_prog(lab.ifindex[0], want_map ? &map : NULL), 0);
	if (want_map)
		assert_int_equal(close(map), 0);
}

static void setup_xdp_prog_leaks_nothing(bool want_map)
{
	int before;

	set_up(want_map);
	before = count_descriptors();
	for (int i = 0; i < TIMES; i++)
		set_up(want_map);
	expect(count_descriptors() == before, "%d more calls leave %d descriptors", TIMES,
	       count_descriptors() - before);
}

static void setup_xdp_prog_leaks_nothing_with_the_map(void)
{
	setup_xdp_prog_leaks_nothing(true);
}

static void setup_xdp_prog_leaks_nothing_without_the_map(void)
{
	setup_xdp_prog_leaks_nothing(false);
}

/* libxdp: each call counts as a user of the program, and none is ever given back. */
static void setup_xdp_prog_leaves_no_program_behind(void)
{
	pid_t child = fork();
	int status;

	if (!child) {
		set_up(true);
		set_up(false);
		_exit(lab_prog_id(&lab, 0) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	open_both(&first, &(struct node_opts){ 0 });
	assert_int_equal(close_both(&first), 0);
	expect(program_is_gone(), "the program is still attached when all its users have ended");
}

/* ---- programs that cannot be used ---- */

/* Called as libxdp's own, without its version: the look-up itself fails. */
static void failed_program_lookup_spares_the_first_socket(void)
{
	struct user_prog prog;

	open_both(&first, &(struct node_opts){
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD });
	lookalike_load(&prog, USER_MAP_NONE, false);
	user_prog_attach(&prog, lab.ifindex[0], false);
	assert_true(share_queue(&second, &first, &(struct node_opts){ 0 }) < 0);

	guard_descriptors();
	xsk_socket__delete(first.xsk);
	expect_guarded("xsk_socket__delete");
	expect_result("xsk_umem__delete", xsk_umem__delete(first.umem), 0);
	node_memory_free(first.area, first.size);
	user_prog_unload(&prog);
}

/* The second UMEM's socket fails when all else has been done: the map is frozen. */
static void fail_at_the_map(void)
{
	int map = attached_map(lab_prog_id(&lab, 0));

	assert_int_equal(bpf_map_freeze(map), 0);
	close(map);
	assert_int_equal(node_socket(&second), -EPERM);
}

static void failed_map_update_leaks_nothing(void)
{
	int before;

	open_both(&first, &(struct node_opts){ 0 });
	open_umem(&second, &(struct node_opts){ .queue = 1 });
	before = count_descriptors();
	fail_at_the_map();
	expect(count_descriptors() == before, "%d descriptors leak",
	       count_descriptors() - before);
	assert_int_equal(close_both(&second), 0);
	assert_int_equal(close_both(&first), 0);
}

static void failed_map_update_gives_the_program_back(void)
{
	open_both(&first, &(struct node_opts){ 0 });
	open_umem(&second, &(struct node_opts){ .queue = 1 });
	fail_at_the_map();
	assert_int_equal(close_both(&second), 0);
	assert_int_equal(close_both(&first), 0);
	expect(program_is_gone(), "the program is still attached after its last socket");
}

const struct fault_case memory_cases[] = {
	FAULT_CASE(two_sockets_on_one_queue_delete_in_order),
	FAULT_CASE(two_sockets_on_one_queue_delete_in_reverse),
	FAULT_CASE(second_socket_on_a_queue_loses_no_descriptor),
	FAULT_CASE(failed_create_shared_keeps_the_umem_rings),
	FAULT_CASE(handed_fd_stays_the_callers_on_failure),
	FAULT_CASE(handed_fd_belongs_to_the_umem_on_success),
	FAULT_CASE(update_xskmap_keeps_the_callers_fd),
	FAULT_CASE(update_xskmap_leaks_no_descriptor),
	FAULT_CASE(setup_xdp_prog_leaks_nothing_with_the_map, .holds = true),
	FAULT_CASE(setup_xdp_prog_leaks_nothing_without_the_map, .holds = true),
	FAULT_CASE(setup_xdp_prog_leaves_no_program_behind),
	FAULT_CASE(failed_program_lookup_spares_the_first_socket),
	FAULT_CASE(failed_map_update_leaks_nothing, .queues = 2),
	FAULT_CASE(failed_map_update_gives_the_program_back, .queues = 2),
	{ .name = NULL }
};
