/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The lists of programs and sockets: what the kernel tells and which processes there are
 * is made here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xsk/xsk.h>

#include "attached.h"
#include "error.h"
#include "holder.h"
#include "interface.h"
#include "kernel.h"
#include "pin.h"
#include "process.h"

#define DIRT 0xa5
#define IFINDEX 12
#define MAX 16

/* ---- the world ---- */

static struct {
	struct xsk_netdev netdev;
	int asked;

	uint32_t progs[MAX];		/* those that can be seen */
	int prog_count;
	int describe_err;
	int races;			/* looks that meet a change */
	uint32_t parts[XSK_ATTACHED_PARTS];
	int part_count;
	uint32_t link_id;
	int link_err;

	struct xsk_holder_socket sockets[MAX];
	int socket_count;		/* or -errno */
	uint32_t queues[MAX];
	int queue_count;		/* or -errno */

	struct xsk_process_file files[64];
	int file_count;
	bool hidden;
	int walks;

	struct {
		const char *path;
		struct xsk_process_file file;
	} pins[MAX];
	int pin_count;
	bool pins_hidden;
} world;

static int reset(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.netdev = (struct xsk_netdev){ .ifindex = IFINDEX, .rx_queues = 4, .tx_queues = 2 };
	return 0;
}

int xsk_interface_ask(struct xsk_interface *ret, const char *ifname, struct xsk_error *error)
{
	world.asked++;
	if (strcmp(ifname, "eth0"))
		return xsk_error_set(error, -ENODEV, "interface", "none of that name");
	*ret = (struct xsk_interface){ .netdev = world.netdev };
	return 0;
}

uint32_t xsk_netdev_queues(const struct xsk_netdev *dev)
{
	return dev->rx_queues;
}

int xsk_netdev_socket_queues(uint32_t *queues, int max, int ifindex)
{
	assert_int_equal(ifindex, IFINDEX);
	assert_int_equal(max, 4);
	for (int i = 0; i < world.queue_count && i < max; i++)
		queues[i] = world.queues[i];
	return world.queue_count;
}

int xsk_holder_sockets(struct xsk_holder_socket **ret, int ifindex)
{
	assert_int_equal(ifindex, IFINDEX);
	if (world.socket_count < 0)
		return world.socket_count;
	*ret = calloc(MAX, sizeof(**ret));
	assert_non_null(*ret);
	memcpy(*ret, world.sockets, sizeof(world.sockets));
	return world.socket_count;
}

int xsk_attached_program(struct xsk_attached_program *ret, uint32_t prog_id)
{
	if (world.describe_err)
		return world.describe_err;
	if (world.races && world.races--)
		return XSK_RACED;
	for (int i = 0; i < world.prog_count; i++) {
		if (world.progs[i] != prog_id)
			continue;
		memset(ret, 0, sizeof(*ret));
		snprintf(ret->name, sizeof(ret->name), "prog%u", prog_id);
		ret->has_sockets = prog_id % 2;
		if (ret->has_sockets)
			strcpy(ret->map_name, prog_id % 3 ? "xsks_map" : "theirs");
		ret->uid = prog_id;
		ret->loaded_ns = prog_id * 10ULL;
		return 0;
	}
	return XSK_RACED;
}

int xsk_attached_parts(uint32_t ids[XSK_ATTACHED_PARTS], uint32_t prog_id, int ifindex)
{
	(void)prog_id;
	assert_int_equal(ifindex, IFINDEX);
	for (int i = 0; i < world.part_count; i++)
		ids[i] = world.parts[i];
	return world.part_count;
}

int xsk_attached_link_id(uint32_t *ret, uint32_t prog_id, int ifindex)
{
	(void)prog_id;
	assert_int_equal(ifindex, IFINDEX);
	if (!world.link_err)
		*ret = world.link_id;
	return world.link_err;
}

bool xsk_process_files(xsk_process_cb each, void *data)
{
	world.walks++;
	for (int i = 0; i < world.file_count; i++)
		assert_false(each(&world.files[i], data));
	return !world.hidden;
}

bool xsk_pin_all(xsk_pin_cb each, void *data)
{
	for (int i = 0; i < world.pin_count; i++)
		each(world.pins[i].path, &world.pins[i].file, data);
	return !world.pins_hidden;
}

void xsk_process_name(char name[XSK_PROCESS_NAME_SIZE], pid_t pid)
{
	snprintf(name, XSK_PROCESS_NAME_SIZE, "process%d", (int)pid);
}

static void add_file(pid_t pid, uint64_t socket, uint32_t prog_id)
{
	world.files[world.file_count++] = (struct xsk_process_file){
		.pid = pid, .socket = socket, .prog_id = prog_id };
}

static void add_pin(const char *path, uint32_t prog_id, uint32_t link_id)
{
	world.pins[world.pin_count].path = path;
	world.pins[world.pin_count++].file = (struct xsk_process_file){
		.prog_id = prog_id, .link_id = link_id };
}

/* ---- programs ---- */

static int programs(struct xsk_probe_program *list, int capacity)
{
	struct xsk_error error;
	int count;

	memset(&error, DIRT, sizeof(error));
	memset(list, DIRT, MAX * sizeof(*list));
	list[0].sz = sizeof(*list);
	count = xsk_probe_programs("eth0", list, capacity, &error);
	for (int i = 0; i < count && i < capacity; i++)
		assert_int_equal(list[i].sz, sizeof(*list));
	return count;
}

static void attach(uint32_t id, uint32_t flags)
{
	world.netdev.prog_id = id;
	world.netdev.prog_mode = flags;
	world.progs[world.prog_count++] = id;
}

static void no_program(void **state)
{
	struct xsk_probe_program list[MAX];

	(void)state;
	assert_int_equal(programs(list, MAX), 0);
	assert_int_equal(world.walks, 0);
}

static void one_program(void **state)
{
	struct xsk_probe_program list[MAX];

	(void)state;
	attach(7, XDP_FLAGS_DRV_MODE);
	world.link_id = 70;
	add_file(1, 7, 0);		/* a socket of that number */
	add_file(2, 0, 8);
	add_file(3, 0, 7);
	add_file(3, 0, 7);
	add_file(4, 0, 7);
	assert_int_equal(programs(list, MAX), 1);
	assert_int_equal(list[0].id, 7);
	assert_int_equal(list[0].mode, XSK_MODE_NATIVE);
	assert_int_equal(list[0].part_of, 0);
	assert_int_equal(list[0].told, XSK_PROBE_YES);
	assert_string_equal(list[0].name, "prog7");
	assert_int_equal(list[0].xskmap, XSK_PROBE_YES);
	assert_int_equal(list[0].xsks_map, XSK_PROBE_YES);
	assert_string_equal(list[0].xskmap_name, "xsks_map");
	assert_int_equal(list[0].uid, 7);
	assert_int_equal(list[0].loaded_ns, 70);
	assert_int_equal(list[0].by_link, XSK_PROBE_YES);
	assert_int_equal(list[0].link_id, 70);
	assert_int_equal(list[0].processes_told, XSK_PROBE_YES);
	assert_int_equal(list[0].processes, 2);
	assert_int_equal(list[0].process[0].pid, 3);
	assert_string_equal(list[0].process[0].name, "process3");
	assert_int_equal(list[0].process[1].pid, 4);
	assert_int_equal(list[0].process[2].pid, 0);
}

static void other_programs(void **state)
{
	struct xsk_probe_program list[MAX];

	(void)state;
	/* A map of sockets by another name; by netlink; generic; something is hidden. */
	attach(9, XDP_FLAGS_SKB_MODE);
	world.link_err = -ENOENT;
	world.hidden = true;
	assert_int_equal(programs(list, MAX), 1);
	assert_int_equal(list[0].mode, XSK_MODE_GENERIC);
	assert_int_equal(list[0].xskmap, XSK_PROBE_YES);
	assert_int_equal(list[0].xsks_map, XSK_PROBE_NO);
	assert_string_equal(list[0].xskmap_name, "theirs");
	assert_int_equal(list[0].by_link, XSK_PROBE_NO);
	assert_int_equal(list[0].link_id, 0);
	assert_int_equal(list[0].processes_told, XSK_PROBE_NOT_TOLD);
	/* None; one of several links; a mode that is not told. */
	attach(10, 0);
	world.link_err = XSK_AMBIGUOUS;
	assert_int_equal(programs(list, MAX), 1);
	assert_int_equal(list[0].mode, 0);
	assert_int_equal(list[0].xskmap, XSK_PROBE_NO);
	assert_int_equal(list[0].by_link, XSK_PROBE_YES);
	assert_int_equal(list[0].link_id, 0);
}

/* Without CAP_SYS_ADMIN. */
static void program_not_told(void **state)
{
	struct xsk_probe_program list[MAX];

	(void)state;
	attach(7, XDP_FLAGS_DRV_MODE);
	world.describe_err = world.link_err = world.part_count = -EPERM;
	add_file(3, 0, 7);
	assert_int_equal(programs(list, MAX), 1);
	assert_int_equal(list[0].id, 7);
	assert_int_equal(list[0].mode, XSK_MODE_NATIVE);
	assert_int_equal(list[0].told, XSK_PROBE_NOT_TOLD);
	assert_int_equal(list[0].xskmap, XSK_PROBE_NOT_TOLD);
	assert_int_equal(list[0].xsks_map, XSK_PROBE_NOT_TOLD);
	assert_int_equal(list[0].by_link, XSK_PROBE_NOT_TOLD);
	assert_string_equal(list[0].name, "");
	assert_int_equal(list[0].processes, 1);
}

static void parts_and_hardware(void **state)
{
	struct xsk_probe_program list[MAX];

	(void)state;
	attach(20, XDP_FLAGS_DRV_MODE);
	world.part_count = 2;
	world.progs[world.prog_count++] = world.parts[0] = 23;
	world.progs[world.prog_count++] = world.parts[1] = 22;
	world.progs[world.prog_count++] = world.netdev.hw_prog_id = 30;
	add_file(3, 0, 22);
	assert_int_equal(programs(list, MAX), 4);
	assert_int_equal(list[0].id, 20);
	assert_int_equal(list[1].id, 23);
	assert_int_equal(list[1].part_of, 20);
	assert_int_equal(list[1].mode, XSK_MODE_NATIVE);
	assert_string_equal(list[1].name, "prog23");
	assert_int_equal(list[2].id, 22);
	assert_int_equal(list[2].processes, 1);
	assert_int_equal(list[3].id, 30);
	assert_int_equal(list[3].part_of, 0);
	assert_int_equal(list[3].mode, XSK_PROBE_MODE_HARDWARE);

	/* The NIC's alone: the kernel names it twice. */
	world.netdev.prog_id = 30;
	world.netdev.prog_mode = 0;
	world.part_count = 0;
	assert_int_equal(programs(list, MAX), 1);
	assert_int_equal(list[0].mode, XSK_PROBE_MODE_HARDWARE);
}

static void assert_pin(const struct xsk_probe_program *program, const char *path, uint8_t of_link)
{
	assert_string_equal(program->pin, path);
	assert_int_equal(program->link_pinned, of_link);
}

/* That of the link is what counts, and of several the first. */
static void pins(void **state)
{
	struct xsk_probe_program list[MAX];

	(void)state;
	attach(7, XDP_FLAGS_DRV_MODE);
	world.link_id = 70;
	assert_int_equal(programs(list, MAX), 1);
	assert_pin(&list[0], "", XSK_PROBE_NO);
	assert_int_equal(list[0].pins_told, XSK_PROBE_YES);
	add_pin("/another", 8, 0);
	add_pin("/elsewhere", 7, 71);
	world.pins_hidden = true;
	assert_int_equal(programs(list, MAX), 1);
	assert_pin(&list[0], "", XSK_PROBE_NOT_TOLD);
	assert_int_equal(list[0].pins_told, XSK_PROBE_NOT_TOLD);
	add_pin("/program", 7, 0);
	add_pin("/program2", 7, 0);
	assert_int_equal(programs(list, MAX), 1);
	assert_pin(&list[0], "/program", XSK_PROBE_NO);
	add_pin("/link", 7, 70);
	add_pin("/link2", 7, 70);
	add_pin("/program3", 7, 0);
	assert_int_equal(programs(list, MAX), 1);
	assert_pin(&list[0], "/link", XSK_PROBE_YES);
	/* One of several; by netlink, when one of the program is elsewhere. */
	world.link_err = XSK_AMBIGUOUS;
	assert_int_equal(programs(list, MAX), 1);
	assert_pin(&list[0], "/elsewhere", XSK_PROBE_YES);
	world.link_err = -ENOENT;
	assert_int_equal(programs(list, MAX), 1);
	assert_pin(&list[0], "/program", XSK_PROBE_NO);
	world.link_err = 0;
	/* A part, by its own link. */
	world.part_count = 1;
	world.progs[world.prog_count++] = world.parts[0] = 23;
	add_pin("/part", 23, 5);
	assert_int_equal(programs(list, MAX), 2);
	assert_pin(&list[0], "/link", XSK_PROBE_YES);
	assert_pin(&list[1], "/part", XSK_PROBE_YES);
}

/* As many as there can be have their places. */
static void all_programs(void **state)
{
	struct xsk_probe_program list[MAX];

	(void)state;
	attach(1, XDP_FLAGS_DRV_MODE);
	world.part_count = XSK_ATTACHED_PARTS;
	for (uint32_t i = 0; i < XSK_ATTACHED_PARTS; i++)
		world.progs[world.prog_count++] = world.parts[i] = 100 + i;
	world.progs[world.prog_count++] = world.netdev.hw_prog_id = 30;
	assert_int_equal(programs(list, MAX), XSK_ATTACHED_PARTS + 2);
	assert_int_equal(list[XSK_ATTACHED_PARTS].id, 100 + XSK_ATTACHED_PARTS - 1);
	assert_int_equal(list[XSK_ATTACHED_PARTS + 1].id, 30);
}

/* It changes while it is looked at: again, but not for ever. */
static void changes(void **state)
{
	struct xsk_probe_program list[MAX];

	(void)state;
	attach(7, XDP_FLAGS_DRV_MODE);
	world.races = 2;
	assert_int_equal(programs(list, MAX), 1);
	assert_int_equal(world.asked, 3);
	assert_int_equal(list[0].told, XSK_PROBE_YES);
	world.races = 1000;
	assert_int_equal(programs(list, MAX), 1);
	assert_true(world.asked < 20);
	assert_int_equal(list[0].id, 7);
	assert_int_equal(list[0].told, XSK_PROBE_NOT_TOLD);
	world.races = 0;
	world.link_err = XSK_RACED;
	assert_int_equal(programs(list, MAX), 1);
	world.link_err = 0;
	world.part_count = XSK_RACED;
	assert_int_equal(programs(list, MAX), 1);
}

/* ---- the caller's list ---- */

static void capacities(void **state)
{
	struct xsk_probe_program list[MAX];

	(void)state;
	attach(20, XDP_FLAGS_DRV_MODE);
	world.part_count = 2;
	world.progs[world.prog_count++] = world.parts[0] = 23;
	world.progs[world.prog_count++] = world.parts[1] = 22;
	for (int capacity = 1; capacity < 5; capacity++) {
		assert_int_equal(programs(list, capacity), 3);
		for (int i = 0; i < MAX; i++) {
			bool filled = i < capacity && i < 3;
			size_t dirt;

			memset(&dirt, DIRT, sizeof(dirt));
			assert_int_equal(list[i].sz, filled ? sizeof(list[i]) : dirt);
		}
	}
	world.walks = 0;
	assert_int_equal(xsk_probe_programs("eth0", NULL, 0, NULL), 3);
	assert_int_equal(world.walks, 0);
}

/* Callers that are older know less of each, and newer ones more: what we do not know is 0. */
static void other_sizes(void **state)
{
	static const size_t sizes[] = {
		offsetof(struct xsk_probe_program, mode), offsetof(struct xsk_probe_program, told),
		sizeof(struct xsk_probe_program), sizeof(struct xsk_probe_program) + 24,
	};
	struct xsk_error error;

	(void)state;
	attach(20, XDP_FLAGS_DRV_MODE);
	world.part_count = 1;
	world.progs[world.prog_count++] = world.parts[0] = 23;
	for (size_t i = 0; i < 4; i++) {
		size_t sz = sizes[i];
		char *list = malloc(2 * sz);
		uint32_t id;

		assert_non_null(list);
		memset(list, DIRT, 2 * sz);
		memcpy(list, &sz, sizeof(sz));
		assert_int_equal(xsk_probe_programs("eth0", (void *)list, 2, &error), 2);
		memcpy(&id, list + offsetof(struct xsk_probe_program, id), sizeof(id));
		assert_int_equal(id, 20);
		memcpy(&id, list + sz + offsetof(struct xsk_probe_program, id), sizeof(id));
		assert_int_equal(id, 23);
		for (size_t at = sizeof(struct xsk_probe_program); at < sz; at++)
			assert_int_equal(list[sz + at], 0);
		free(list);
	}
}

static void wrong(void **state)
{
	struct xsk_probe_program programs[2] = { 0 };
	struct xsk_probe_socket sockets[2] = { 0 };
	struct xsk_error error, last;

	(void)state;
	assert_int_equal(xsk_probe_programs("eth0", NULL, 1, &error), -EINVAL);
	assert_non_null(strstr(error.reason, "no place"));
	assert_int_equal(xsk_probe_programs("eth0", programs, 2, &error), -EINVAL);
	assert_non_null(strstr(error.reason, "sz is 0"));
	programs[0].sz = sizeof(size_t);
	assert_int_equal(xsk_probe_programs("eth0", programs, 2, &error), -EINVAL);
	programs[0].sz = sizeof(programs[0]);
	assert_int_equal(xsk_probe_programs("eth0", programs, -1, &error), -EINVAL);
	assert_non_null(strstr(error.reason, "capacity of -1"));
	assert_int_equal(xsk_probe_sockets("eth0", sockets, 2, &error), -EINVAL);
	assert_int_equal(xsk_probe_sockets("eth0", NULL, 2, &error), -EINVAL);
	assert_int_equal(world.asked, 0);

	assert_int_equal(xsk_probe_programs("eth1", programs, 2, &error), -ENODEV);
	assert_int_equal(xsk_probe_sockets("eth1", NULL, 0, NULL), -ENODEV);
	xsk_error_last(&last);
	assert_int_equal(last.code, -ENODEV);
	assert_string_equal(last.reason, error.reason);
}

/* ---- sockets ---- */

static struct xsk_holder_socket *add_socket(uint32_t queue, uint32_t inode)
{
	struct xsk_holder_socket *socket = &world.sockets[world.socket_count++];

	*socket = (struct xsk_holder_socket){ .ifindex = IFINDEX, .queue = queue, .inode = inode };
	return socket;
}

static int sockets(struct xsk_probe_socket *list, struct xsk_error *error)
{
	memset(error, 0, sizeof(*error));
	memset(list, DIRT, MAX * sizeof(*list));
	list[0].sz = sizeof(*list);
	return xsk_probe_sockets("eth0", list, MAX, error);
}

static void one_socket(void **state)
{
	struct xsk_probe_socket list[MAX], *got = &list[0];
	struct xsk_holder_socket *socket = add_socket(3, 77);
	struct xsk_error error;

	(void)state;
	socket->uid = 1000;
	socket->rx_size = 1;
	socket->tx_size = 2;
	socket->fill_size = 3;
	socket->comp_size = 4;
	socket->umem = (struct xdp_diag_umem){ .size = 1 << 24, .id = 5, .chunk_size = 4096,
					       .headroom = 6, .flags = XDP_DU_F_ZEROCOPY,
					       .refs = 7 };
	socket->stats_told = true;
	socket->stats = (struct xdp_diag_stats){ 11, 12, 13, 14, 15, 16 };
	add_file(8, 77, 0);
	add_file(9, 78, 77);
	add_file(10, 77, 0);
	assert_int_equal(sockets(list, &error), 1);
	assert_int_equal(got->queue, 3);
	assert_int_equal(got->told, XSK_PROBE_YES);
	assert_int_equal(got->zerocopy, XSK_PROBE_YES);
	assert_int_equal(got->inode, 77);
	assert_int_equal(got->uid, 1000);
	assert_int_equal(got->rx_size, 1);
	assert_int_equal(got->tx_size, 2);
	assert_int_equal(got->fill_size, 3);
	assert_int_equal(got->comp_size, 4);
	assert_int_equal(got->umem_id, 5);
	assert_int_equal(got->umem_refs, 7);
	assert_int_equal(got->umem_size, 1 << 24);
	assert_int_equal(got->frame_size, 4096);
	assert_int_equal(got->headroom, 6);
	assert_int_equal(got->stats_told, XSK_PROBE_YES);
	assert_int_equal(got->rx_dropped, 11);
	assert_int_equal(got->rx_invalid, 12);
	assert_int_equal(got->rx_ring_full, 13);
	assert_int_equal(got->rx_fill_empty, 14);
	assert_int_equal(got->tx_invalid, 15);
	assert_int_equal(got->tx_ring_empty, 16);
	assert_int_equal(got->processes_told, XSK_PROBE_YES);
	assert_int_equal(got->processes, 2);
	assert_int_equal(got->process[0].pid, 8);
	assert_int_equal(got->process[1].pid, 10);
}

static void many_sockets(void **state)
{
	struct xsk_probe_socket list[MAX];
	struct xsk_error error;

	(void)state;
	assert_int_equal(sockets(list, &error), 0);
	assert_int_equal(world.walks, 0);
	add_socket(2, 90);
	add_socket(0, 93);
	add_socket(2, 80);
	add_socket(1, 92);
	world.hidden = true;
	assert_int_equal(sockets(list, &error), 4);
	assert_int_equal(list[0].inode, 93);
	assert_int_equal(list[1].inode, 92);
	assert_int_equal(list[2].inode, 80);
	assert_int_equal(list[3].inode, 90);
	assert_int_equal(list[0].zerocopy, XSK_PROBE_NO);
	assert_int_equal(list[0].stats_told, XSK_PROBE_NOT_TOLD);
	assert_int_equal(list[0].processes_told, XSK_PROBE_NOT_TOLD);
	assert_int_equal(list[0].processes, 0);
	assert_int_equal(world.walks, 1);
	assert_int_equal(xsk_probe_sockets("eth0", NULL, 0, &error), 4);
}

/* More processes than have a place are counted. */
static void many_processes(void **state)
{
	struct xsk_probe_socket list[MAX];
	struct xsk_error error;

	(void)state;
	add_socket(0, 77);
	add_socket(1, 78);
	for (int i = 0; i < 20; i++) {
		add_file(100 + i, 77, 0);
		add_file(100 + i, 77, 0);
	}
	add_file(200, 78, 0);
	assert_int_equal(sockets(list, &error), 2);
	assert_int_equal(list[0].processes, 20);
	assert_int_equal(list[1].processes, 1);
	assert_int_equal(list[1].process[0].pid, 200);
	for (int i = 0; i < XSK_PROBE_PROCESSES; i++)
		assert_int_equal(list[0].process[i].pid, 100 + i);
}

/* No sock_diag: only which queues have one, and of none there is no word. */
static void sockets_by_queue(void **state)
{
	static const int absent[] = { -ENOENT, -EINVAL, -EPROTONOSUPPORT };
	struct xsk_probe_socket list[MAX];
	struct xsk_error error;

	(void)state;
	add_file(9, 0, 1);
	for (size_t i = 0; i < 3; i++) {
		world.socket_count = absent[i];
		world.queue_count = 2;
		world.queues[0] = 1;
		world.queues[1] = 3;
		assert_int_equal(sockets(list, &error), 2);
		assert_int_equal(list[0].queue, 1);
		assert_int_equal(list[1].queue, 3);
		assert_int_equal(list[1].told, XSK_PROBE_NOT_TOLD);
		assert_int_equal(list[1].zerocopy, XSK_PROBE_NOT_TOLD);
		assert_int_equal(list[1].processes_told, XSK_PROBE_NOT_TOLD);
		assert_int_equal(list[1].processes, 0);

		world.queue_count = 0;
		assert_int_equal(sockets(list, &error), -EOPNOTSUPP);
		assert_non_null(strstr(error.hint, "xsk_diag"));
		world.queue_count = -EOPNOTSUPP;
		assert_int_equal(sockets(list, &error), -EOPNOTSUPP);
	}
	/* What fails for another reason is an error. */
	world.queue_count = 2;
	world.socket_count = -EPROTO;
	assert_int_equal(sockets(list, &error), -EPROTO);
	assert_string_equal(error.step, "sockets");
	/* Queues came while they were asked for. */
	world.socket_count = -ENOENT;
	world.queue_count = 9;
	for (uint32_t i = 0; i < 4; i++)
		world.queues[i] = i;
	assert_int_equal(sockets(list, &error), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_program, reset),
		cmocka_unit_test_setup(one_program, reset),
		cmocka_unit_test_setup(other_programs, reset),
		cmocka_unit_test_setup(program_not_told, reset),
		cmocka_unit_test_setup(parts_and_hardware, reset),
		cmocka_unit_test_setup(pins, reset),
		cmocka_unit_test_setup(all_programs, reset),
		cmocka_unit_test_setup(changes, reset),
		cmocka_unit_test_setup(capacities, reset),
		cmocka_unit_test_setup(other_sizes, reset),
		cmocka_unit_test_setup(wrong, reset),
		cmocka_unit_test_setup(one_socket, reset),
		cmocka_unit_test_setup(many_sockets, reset),
		cmocka_unit_test_setup(many_processes, reset),
		cmocka_unit_test_setup(sockets_by_queue, reset),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
