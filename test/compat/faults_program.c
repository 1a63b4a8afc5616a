/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The XDP program: found, loaded, shared, detached. */
#include "faults.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lookalike.h"

#ifndef CAP_BPF
#define CAP_BPF 39
#endif
#define BIT(cap) (1ULL << (cap))

static struct node first, second;

/* ---- the default program ---- */

static void default_program_looks_up_once(void)
{
	int map, references;

	open_both(&first, &(struct node_opts){ 0 });
	map = attached_map(lab_prog_id(&lab, 0));
	references = attached_references(lab_prog_id(&lab, 0), map);
	close(map);
	expect(references == 1, "the program uses its map %d times a packet: it is the one for "
	       "Linux 5.3", references);
	assert_int_equal(close_both(&first), 0);
}

/* Of the 4 RX queues that the device can have 1 is switched on. */
static void xskmap_has_room_for_all_queues(void)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	int map;

	lab_run("ip link del lab0");
	lab_run("ip link add lab0 numrxqueues 4 numtxqueues 2 type veth peer name lab2");
	lab_run("ip link set lab0 up && ip link set lab2 up");
	lab.ifindex[0] = (int)if_nametoindex("lab0");
	open_both(&first, &(struct node_opts){ 0 });
	map = attached_map(lab_prog_id(&lab, 0));
	assert_int_equal(bpf_obj_get_info_by_fd(map, &info, &len), 0);
	close(map);
	expect(info.max_entries >= 4, "the map has %u entries for 4 queues", info.max_entries);
	assert_int_equal(close_both(&first), 0);
}

/* Where the package with the object files is missing, or is of another version. */
static void needs_no_object_files(void)
{
	assert_int_equal(setenv("LIBXDP_OBJECT_PATH", "/proc/self/fdinfo", 1), 0);
	open_umem(&first, &(struct node_opts){ 0 });
	expect_result("xsk_socket__create without them", node_socket(&first), 0);
	assert_int_equal(close_both(&first), 0);
}

/* ---- sockets that share a queue ---- */

static void tx_only_delete_keeps_the_rx_entry(void)
{
	open_both(&first, &(struct node_opts){ .rx = true });
	node_fill(&first, 16);
	assert_true(receives(&first, 1));
	assert_int_equal(share_queue(&second, &first, &(struct node_opts){ .tx = true }), 0);
	assert_true(receives(&first, 2));
	xsk_socket__delete(second.xsk);
	expect(receives(&first, 3), "the RX socket receives nothing any more");
	assert_int_equal(close_both(&first), 0);
}

/* The map holds the one that came last; when it goes, the other is there. */
static void remaining_socket_of_a_queue_receives(void)
{
	open_both(&first, &(struct node_opts){ 0 });
	node_fill(&first, 16);
	assert_int_equal(share_queue(&second, &first, &(struct node_opts){ 0 }), 0);
	assert_true(receives(&second, 1));
	xsk_socket__delete(second.xsk);
	expect(receives(&first, 2), "the socket that remains receives nothing");
	assert_int_equal(close_both(&first), 0);
}

static void tx_only_loads_no_program(void)
{
	open_both(&first, &(struct node_opts){ .tx = true });
	expect(!lab_prog_id(&lab, 0), "a program is attached");
	assert_int_equal(close_both(&first), 0);
}

static void tx_only_needs_no_right_to_programs(void)
{
	int err;

	open_umem(&first, &(struct node_opts){ .tx = true });
	keep_capabilities(BIT(CAP_NET_RAW));
	err = node_socket(&first);
	restore_capabilities();
	expect_result("xsk_socket__create with CAP_NET_RAW alone", err, 0);
	assert_int_equal(close_both(&first), 0);
}

/* ---- the end of a process ---- */

static void killed_process_leaves_no_program(void)
{
	int ready[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (!child) {
		open_both(&first, &(struct node_opts){ 0 });
		if (write(ready[1], "r", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_not_equal(lab_prog_id(&lab, 0), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &(int){ 0 }, 0), child);
	expect(program_is_gone(), "the program is still attached after SIGKILL");
}

#define RACE_ROUNDS 30
#define RACERS 4

/* Comes and goes; the pause lets the kernel free the queue. */
static int come_and_go(uint32_t queue)
{
	int err = 0;

	srand(queue + 1);
	for (int i = 0; !err && i < RACE_ROUNDS; i++) {
		open_umem(&first, &(struct node_opts){ .queue = queue, .frames = 64 });
		err = node_socket(&first);
		close_both(&first);
		usleep(100000 + (useconds_t)rand() % 20000);
	}
	return err;
}

/* Each socket is the first or the last on its interface, or both, time and again. */
static void one_may_start_while_the_last_ends(void)
{
	int *results = mmap(NULL, RACERS * sizeof(*results), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t children[RACERS];

	assert_ptr_not_equal(results, MAP_FAILED);
	for (uint32_t i = 0; i < RACERS; i++) {
		results[i] = 1;
		children[i] = fork();
		if (!children[i]) {
			results[i] = come_and_go(i);
			_exit(0);
		}
	}
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(waitpid(children[i], &(int){ 0 }, 0), children[i]);
	for (int i = 0; i < RACERS; i++) {
		expect(results[i] <= 0, "a process crashed");
		expect_result("xsk_socket__create while another process ends", results[i], 0);
	}
	munmap(results, RACERS * sizeof(*results));
}

/* ---- programs of the user's ---- */

static void users_own_program_is_used(void)
{
	struct user_prog prog;

	user_prog_load(&prog, USER_MAP_XSKMAP, 1);
	user_prog_attach(&prog, lab.ifindex[0], false);
	open_umem(&first, &(struct node_opts){ 0 });
	expect_result("xsk_socket__create with a program that has an xsks_map",
		      node_socket(&first), 0);
	node_fill(&first, 16);
	expect(lab_prog_id(&lab, 0) == prog.id, "another program was attached");
	expect(receives(&first, 1), "the socket is not in its map");
	assert_int_equal(close_both(&first), 0);
	expect(lab_prog_id(&lab, 0) == prog.id, "the user's program was detached");
	user_prog_unload(&prog);
}

/* A look-up needs CAP_SYS_ADMIN; what fails for want of it says so. */
static void lookup_errors_are_not_taken_for_no_program(void)
{
	struct user_prog prog;
	int err;

	user_prog_load(&prog, USER_MAP_XSKMAP, 1);
	user_prog_attach(&prog, lab.ifindex[0], false);
	open_umem(&first, &(struct node_opts){ 0 });
	keep_capabilities(BIT(CAP_NET_RAW) | BIT(CAP_NET_ADMIN) | BIT(CAP_BPF));
	err = node_socket(&first);
	restore_capabilities();
	expect_result("xsk_socket__create without the right to look at the program", err, -EPERM);
	expect(lab_prog_id(&lab, 0) == prog.id, "the user's program was replaced");
	assert_int_equal(xsk_umem__delete(first.umem), 0);
	node_memory_free(first.area, first.size);
	user_prog_unload(&prog);
}

/* The number of a descriptor in an array catches no packet. */
static void map_is_matched_by_type(void)
{
	struct user_prog prog;

	lookalike_load(&prog, USER_MAP_ARRAY, true);
	user_prog_attach(&prog, lab.ifindex[0], false);
	open_umem(&first, &(struct node_opts){ 0 });
	expect_result("xsk_socket__create with an xsks_map that is an array",
		      node_socket(&first), -EBUSY);
	assert_int_equal(xsk_umem__delete(first.umem), 0);
	node_memory_free(first.area, first.size);
	user_prog_unload(&prog);
}

const struct fault_case program_cases[] = {
	FAULT_CASE(default_program_looks_up_once),
	FAULT_CASE(xskmap_has_room_for_all_queues),
	FAULT_CASE(needs_no_object_files),
	FAULT_CASE(tx_only_delete_keeps_the_rx_entry),
	FAULT_CASE(remaining_socket_of_a_queue_receives),
	FAULT_CASE(tx_only_loads_no_program),
	FAULT_CASE(tx_only_needs_no_right_to_programs),
	FAULT_CASE(killed_process_leaves_no_program),
	FAULT_CASE(one_may_start_while_the_last_ends, .queues = RACERS),
	FAULT_CASE(users_own_program_is_used),
	FAULT_CASE(lookup_errors_are_not_taken_for_no_program),
	FAULT_CASE(map_is_matched_by_type),
	{ .name = NULL }
};
