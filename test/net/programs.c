/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Who attaches the XDP program, who uses it, and when it is gone. */
#include "node.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/xdp_diag.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xsk/error.h>

#include "actor.h"
#include "user_prog.h"

#define QUEUES 2

static struct lab lab;
static struct lab_count before;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, QUEUES);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

static int count(void **state)
{
	(void)state;
	lab_count(&before);
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	return 0;
}

static struct node senders[QUEUES];

/* From the queue of lab1 with the same number it arrives there, in native mode. */
static void open_senders(void)
{
	lab_enter(&lab, 1);
	for (uint32_t i = 0; i < QUEUES; i++)
		node_open(&senders[i], &(struct node_opts){ .ifname = "lab1", .tx = true,
							    .queue = i });
	lab_enter(&lab, 0);
}

static void close_senders(void)
{
	lab.send = NULL;
	for (uint32_t i = 0; i < QUEUES; i++)
		node_close(&senders[i]);
}

static void send_to(uint32_t queue, uint32_t number)
{
	node_be_sender(&senders[queue], &lab);
	lab_send(&lab, number, 100);
}

static void get_info(uint32_t prog_id, struct bpf_prog_info *info, uint32_t *map_ids,
		     uint32_t maps)
{
	uint32_t len = sizeof(*info);
	int fd = bpf_prog_get_fd_by_id(prog_id);

	memset(info, 0, sizeof(*info));
	info->nr_map_ids = maps;
	info->map_ids = (uintptr_t)map_ids;
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, info, &len), 0);
	close(fd);
}

static void default_program_has_one_map_for_all_queues(void **state)
{
	uint32_t map_ids[4], len = sizeof(struct bpf_map_info);
	struct bpf_map_info map = { 0 };
	struct bpf_prog_info prog;
	struct node node;
	int fd;

	(void)state;
	node_open(&node, &(struct node_opts){ 0 });
	get_info(lab_prog_id(&lab, 0), &prog, map_ids, 4);
	assert_int_equal(prog.nr_map_ids, 1);

	fd = bpf_map_get_fd_by_id(map_ids[0]);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &map, &len), 0);
	close(fd);
	assert_string_equal(map.name, "xsks_map");
	assert_int_equal(map.type, BPF_MAP_TYPE_XSKMAP);
	assert_int_equal(map.max_entries, QUEUES);
	node_close(&node);
}

static void inhibited_loads_nothing(void **state)
{
	struct node node;

	(void)state;
	node_open(&node, &(struct node_opts){
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD });
	assert_int_equal(lab_prog_id(&lab, 0), 0);
	node_fill(&node, 16);
	lab_send(&lab, 1, 100);
	assert_int_equal(node_receive_one(&node, 100), -1);
	node_close(&node);
}

static void transmit_only_loads_nothing(void **state)
{
	struct node node;

	(void)state;
	node_open(&node, &(struct node_opts){ .tx = true });
	assert_int_equal(lab_prog_id(&lab, 0), 0);
	node_transmit(&node, &lab, 50);
	node_close(&node);
}

static void use_program_of_the_user(bool by_link)
{
	struct user_prog prog;
	struct node node;

	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	user_prog_attach(&prog, lab.ifindex[0], by_link);

	node_open(&node, &(struct node_opts){ 0 });
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	node_receive(&node, &lab, 50);
	node_close(&node);

	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	user_prog_unload(&prog);
}

static void program_of_the_user_is_used_and_stays(void **state)
{
	(void)state;
	use_program_of_the_user(true);
	lab_assert_prog(&lab, 0, false);
	use_program_of_the_user(false);
}

/* Its loader may go: the socket holds the link, and lets it go at the end. */
static void program_of_the_user_outlives_its_loader(void **state)
{
	struct user_prog prog;
	struct node node;

	(void)state;
	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	user_prog_attach(&prog, lab.ifindex[0], true);
	node_open(&node, &(struct node_opts){ 0 });
	user_prog_unload(&prog);
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	node_receive(&node, &lab, 50);
	node_close(&node);
}

static void refuse_program(enum user_map map)
{
	struct xsk_error error;
	struct user_prog prog;
	struct node node;
	char id[32];

	user_prog_load(&prog, map, 4);
	user_prog_attach(&prog, lab.ifindex[0], true);
	assert_int_equal(node_umem(&node, &(struct node_opts){ 0 }), 0);
	assert_int_equal(node_socket(&node), -EBUSY);

	xsk_error_last(&error);
	assert_int_equal(error.code, -EBUSY);
	assert_non_null(strstr(error.reason, "users_own"));
	snprintf(id, sizeof(id), "id %u", prog.id);
	assert_non_null(strstr(error.reason, id));
	assert_non_null(strstr(error.hint, "lab0"));

	/* It stays, and when its owner takes it away the same UMEM works. */
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	user_prog_unload(&prog);
	lab_assert_prog(&lab, 0, false);
	assert_int_equal(node_socket(&node), 0);
	node_receive(&node, &lab, 50);
	node_close(&node);
}

static void program_without_the_map_is_named_and_stays(void **state)
{
	(void)state;
	refuse_program(USER_MAP_NONE);
}

static void map_of_another_type_is_not_taken(void **state)
{
	(void)state;
	refuse_program(USER_MAP_ARRAY);
}

static void transmit_only_does_not_mind_the_program(void **state)
{
	struct user_prog prog;
	struct node node;

	(void)state;
	user_prog_load(&prog, USER_MAP_NONE, 0);
	user_prog_attach(&prog, lab.ifindex[0], true);
	node_open(&node, &(struct node_opts){ .tx = true });
	node_transmit(&node, &lab, 50);
	node_close(&node);
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	user_prog_unload(&prog);
}

/* Found only after bind: the queue must be free again, the FILL ring as filled. */
static void map_too_small_for_the_queue(void **state)
{
	struct user_prog prog;
	struct node node;

	(void)state;
	user_prog_load(&prog, USER_MAP_XSKMAP, 1);
	user_prog_attach(&prog, lab.ifindex[0], true);
	assert_int_equal(node_umem(&node, &(struct node_opts){ .queue = 1 }), 0);
	node_fill(&node, 100);
	assert_int_equal(node_socket(&node), -E2BIG);
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	user_prog_unload(&prog);
	lab_assert_prog(&lab, 0, false);

	assert_int_equal(node_socket(&node), 0);
	open_senders();
	node_be_sender(&senders[1], &lab);
	node_receive(&node, &lab, 90);
	close_senders();
	node_close(&node);
}

static void update_xskmap_puts_it_into_a_map_of_the_user(void **state)
{
	struct user_prog prog;
	struct node node;

	(void)state;
	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	user_prog_attach(&prog, lab.ifindex[0], false);
	node_open(&node, &(struct node_opts){
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD });
	assert_int_equal(xsk_socket__update_xskmap(node.xsk, prog.map_fd), 0);
	node_receive(&node, &lab, 50);
	node_close(&node);
	user_prog_unload(&prog);
}

static void update_xskmap_takes_no_other_map(void **state)
{
	struct user_prog prog;
	struct node node;

	(void)state;
	user_prog_load(&prog, USER_MAP_ARRAY, QUEUES);
	node_open(&node, &(struct node_opts){ 0 });
	assert_int_equal(xsk_socket__update_xskmap(node.xsk, -1), -EBADF);
	assert_int_equal(xsk_socket__update_xskmap(node.xsk, prog.map_fd), -EINVAL);
	assert_int_equal(xsk_socket__update_xskmap(node.xsk, prog.prog_fd), -EINVAL);
	assert_int_equal(xsk_socket__update_xskmap(node.xsk, lab.peer), -EINVAL);
	node_receive(&node, &lab, 20);
	node_close(&node);
	user_prog_unload(&prog);

	/* What cannot receive is not put where it would swallow packets. */
	user_prog_load(&prog, USER_MAP_XSKMAP, 1);
	node_open(&node, &(struct node_opts){ .tx = true, .queue = 1 });
	assert_int_equal(xsk_socket__update_xskmap(node.xsk, prog.map_fd), -EOPNOTSUPP);
	node_close(&node);
	node_open(&node, &(struct node_opts){ .queue = 1 });
	assert_int_equal(xsk_socket__update_xskmap(node.xsk, prog.map_fd), -E2BIG);
	node_close(&node);
	user_prog_unload(&prog);
}

/* ---- several processes ---- */

static void others_go_on(void (*end_first)(struct actor *))
{
	struct actor first, second;
	uint32_t id;

	open_senders();
	actor_start(&first, 0);
	actor_start(&second, 1);
	id = lab_prog_id(&lab, 0);
	send_to(0, 10);
	actor_expect(&first, 10);
	send_to(1, 11);
	actor_expect(&second, 11);

	end_first(&first);
	assert_int_equal(lab_prog_id(&lab, 0), id);
	for (uint32_t i = 12; i < 40; i++) {
		send_to(1, i);
		actor_expect(&second, i);
	}
	actor_stop(&second);
	close_senders();
}

static void second_process_goes_on_when_the_first_exits(void **state)
{
	(void)state;
	others_go_on(actor_stop);
}

static void second_process_goes_on_when_the_first_is_killed(void **state)
{
	(void)state;
	others_go_on(actor_kill);
}

/* Whether sock_diag knows AF_XDP here; asked as ss(8) does. */
static bool kernel_tells_of_sockets(void)
{
	struct {
		struct nlmsghdr header;
		struct xdp_diag_req which;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.which = { .sdiag_family = AF_XDP },
	};
	uint8_t answer[4096] __attribute__((aligned(8)));
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	ssize_t len;

	assert_true(fd >= 0);
	assert_int_equal(send(fd, &request, sizeof(request), 0), sizeof(request));
	len = recv(fd, answer, sizeof(answer), 0);
	close(fd);
	assert_true(len >= (ssize_t)sizeof(request.header));
	return ((struct nlmsghdr *)answer)->nlmsg_type != NLMSG_ERROR;
}

static void busy_queue_has_a_name(void **state)
{
	bool tells = kernel_tells_of_sockets();
	struct xsk_error error;
	struct actor actor;
	struct node node;
	char words[64];

	(void)state;
	actor_start(&actor, 0);
	assert_int_equal(node_umem(&node, &(struct node_opts){ 0 }), 0);
	assert_int_equal(node_socket(&node), -EBUSY);
	xsk_error_last(&error);
	assert_non_null(strstr(error.reason, "queue 0"));
	snprintf(words, sizeof(words), "'net-actor' (process %d)", (int)actor.pid);
	if (tells)
		assert_non_null(strstr(error.reason, words));
	else
		print_message("# this kernel does not tell who holds a queue\n");
	actor_stop(&actor);
	assert_int_equal(node_socket(&node), 0);
	node_receive(&node, &lab, 20);
	node_close(&node);
}

static void killed_process_leaves_no_program(void **state)
{
	struct actor actor;

	(void)state;
	actor_start(&actor, 0);
	assert_int_not_equal(lab_prog_id(&lab, 0), 0);
	actor_kill(&actor);
	lab_assert_prog(&lab, 0, false);
}

/* All look at once, one attaches, the others find it. */
static void processes_that_start_at_once_share_one_program(void **state)
{
	struct actor actors[QUEUES];

	(void)state;
	open_senders();
	for (int round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < QUEUES; i++)
			actor_launch(&actors[i], i);
		for (uint32_t i = 0; i < QUEUES; i++)
			actor_await(&actors[i]);
		for (uint32_t i = 0; i < QUEUES; i++) {
			send_to(i, i);
			actor_expect(&actors[i], i);
		}
		for (uint32_t i = 0; i < QUEUES; i++)
			(round % 2 ? actor_stop : actor_kill)(&actors[i]);
	}
	close_senders();
}

static void make_and_delete_links(void)
{
	for (;;)
		if (system("ip link add load0 type veth peer name load1 && ip link del load0"))
			_exit(1);
}

/*
 * One ends while the other starts, and the kernel is slow to detach, since others
 * keep its lock: what the other has found must not go with the first.
 */
static void one_starts_while_the_last_ends(void **state)
{
	struct actor actors[2];
	pid_t load = fork();

	(void)state;
	if (!load)
		make_and_delete_links();
	open_senders();
	actor_start(&actors[0], 0);
	for (uint32_t i = 1; i < 60; i++) {
		struct actor *last = &actors[(i - 1) % 2], *next = &actors[i % 2];

		actor_launch(next, i % 2);
		usleep(i * 577 % 12000);
		actor_kill(last);
		actor_await(next);
		send_to(i % 2, i);
		actor_expect(next, i);
	}
	actor_stop(&actors[1]);
	close_senders();
	kill(load, SIGKILL);
	assert_int_equal(waitpid(load, NULL, 0), load);
	lab_run("ip link del load0 2>/dev/null || :");
}

/* One program, linked to the same index in two namespaces: none is mistaken. */
static void links_to_the_same_index_elsewhere(void **state)
{
	struct user_prog prog;
	struct node node;
	int other_link;

	(void)state;
	lab_run("ip link add twin index 77 type veth peer name twin index 77 netns "
		"/proc/%d/fd/%d", getpid(), lab.ns[1]);
	lab_run("ip link set twin up");
	lab_enter(&lab, 1);
	lab_run("ip link set twin up");
	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	other_link = bpf_link_create(prog.prog_fd, 77, BPF_XDP, NULL);
	assert_true(other_link >= 0);
	lab_enter(&lab, 0);
	user_prog_attach(&prog, 77, true);

	node_open(&node, &(struct node_opts){ .ifname = "twin" });
	close(other_link);
	node_close(&node);
	user_prog_unload(&prog);
	lab_run("ip link del twin");
}

/* ---- several sockets of one process ---- */

static int open_two_without_sys_admin(void)
{
	struct node nodes[QUEUES];

	lab_drop(CAP_SYS_ADMIN);
	for (uint32_t i = 0; i < QUEUES; i++) {
		int err = node_umem(&nodes[i], &(struct node_opts){ .queue = i });

		if (!err)
			err = node_socket(&nodes[i]);
		if (err)
			return err;
	}
	for (uint32_t i = 0; i < QUEUES; i++)
		node_close(&nodes[i]);
	return 0;
}

static int open_beside_others_without_sys_admin(void)
{
	struct node node;
	int err;

	lab_drop(CAP_SYS_ADMIN);
	err = node_umem(&node, &(struct node_opts){ 0 });
	return err ? err : node_socket(&node);
}

/* Only to look up what others attached. */
static void own_program_needs_no_sys_admin(void **state)
{
	struct actor actor;

	(void)state;
	lab_in_child(open_two_without_sys_admin, 0);
	lab_assert_prog(&lab, 0, false);

	actor_start(&actor, 1);
	lab_in_child(open_beside_others_without_sys_admin, -EPERM);
	actor_stop(&actor);
}

/* UMEMs of one process share one program; it goes with the last of them. */
static void umems_of_one_process_share_the_program(void **state)
{
	struct lab_count one, two;
	struct node nodes[QUEUES];
	uint32_t id;

	(void)state;
	open_senders();
	node_open(&nodes[0], &(struct node_opts){ 0 });
	lab_count(&one);
	id = lab_prog_id(&lab, 0);
	node_open(&nodes[1], &(struct node_opts){ .queue = 1 });
	assert_int_equal(lab_prog_id(&lab, 0), id);
	lab_count(&two);
	assert_int_equal(two.fds, one.fds + 1);		/* the socket alone */

	node_be_sender(&senders[1], &lab);
	node_receive(&nodes[1], &lab, 50);
	node_be_sender(&senders[0], &lab);
	node_receive(&nodes[0], &lab, 50);
	node_close(&nodes[0]);
	assert_int_equal(lab_prog_id(&lab, 0), id);
	node_be_sender(&senders[1], &lab);
	node_receive(&nodes[1], &lab, 50);
	node_close(&nodes[1]);
	close_senders();
}

/* Another took the place of ours, by netlink: it is found, ours is let go. */
static void program_that_took_the_place_of_ours(void **state)
{
	struct user_prog theirs, ours;
	struct node first, second;

	(void)state;
	user_prog_load(&ours, USER_MAP_XSKMAP, QUEUES);
	user_prog_attach(&ours, lab.ifindex[0], false);
	node_open(&first, &(struct node_opts){ 0 });
	user_prog_load(&theirs, USER_MAP_XSKMAP, QUEUES);
	user_prog_attach(&theirs, lab.ifindex[0], false);
	node_open(&second, &(struct node_opts){ .queue = 1 });

	open_senders();
	node_be_sender(&senders[1], &lab);
	node_receive(&second, &lab, 50);
	close_senders();
	node_close(&first);
	node_close(&second);
	ours.ifindex = 0;
	user_prog_unload(&ours);
	user_prog_unload(&theirs);
}

/* ---- xsk_setup_xdp_prog ---- */

static void setup_gives_a_map_and_holds_one_descriptor(void **state)
{
	struct lab_count first;
	struct node node;
	int map_fd = -1;

	(void)state;
	assert_int_equal(xsk_setup_xdp_prog(lab.ifindex[0], NULL), 0);
	assert_int_not_equal(lab_prog_id(&lab, 0), 0);
	lab_count(&first);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(xsk_setup_xdp_prog(lab.ifindex[0], NULL), 0);
		assert_int_equal(xsk_setup_xdp_prog(lab.ifindex[0], &map_fd), 0);
		assert_true(map_fd >= 0);
		close(map_fd);
	}
	lab_assert_unchanged(&first);

	assert_int_equal(xsk_setup_xdp_prog(lab.ifindex[0], &map_fd), 0);
	node_open(&node, &(struct node_opts){
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD });
	assert_int_equal(xsk_socket__update_xskmap(node.xsk, map_fd), 0);
	node_receive(&node, &lab, 20);
	node_close(&node);
	close(map_fd);

	assert_int_equal(xsk_setup_xdp_prog(99999, &map_fd), -ENODEV);
	assert_int_equal(xsk_setup_xdp_prog(0, &map_fd), -ENODEV);
	assert_int_equal(xsk_setup_xdp_prog(-1, &map_fd), -ENODEV);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(default_program_has_one_map_for_all_queues),
		TEST(inhibited_loads_nothing),
		TEST(transmit_only_loads_nothing),
		TEST(program_of_the_user_is_used_and_stays),
		TEST(program_of_the_user_outlives_its_loader),
		TEST(program_without_the_map_is_named_and_stays),
		TEST(map_of_another_type_is_not_taken),
		TEST(transmit_only_does_not_mind_the_program),
		TEST(map_too_small_for_the_queue),
		TEST(update_xskmap_puts_it_into_a_map_of_the_user),
		TEST(update_xskmap_takes_no_other_map),
		TEST(one_starts_while_the_last_ends),
		TEST(links_to_the_same_index_elsewhere),
		TEST(own_program_needs_no_sys_admin),
		TEST(umems_of_one_process_share_the_program),
		TEST(program_that_took_the_place_of_ours),
		TEST(second_process_goes_on_when_the_first_exits),
		TEST(second_process_goes_on_when_the_first_is_killed),
		TEST(busy_queue_has_a_name),
		TEST(killed_process_leaves_no_program),
		TEST(processes_that_start_at_once_share_one_program),
		/* Last: the program stays until the process ends. */
		cmocka_unit_test(setup_gives_a_map_and_holds_one_descriptor),
	};

	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
