/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * The bytes are a program: of each call first its number, then its arguments.
 * All on veth pairs of the fuzzer's own. See world.h for what is checked.
 */
#include "world.h"

/* A longer program takes time and finds little more. */
#define MAX_CALLS 64

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the surroundings ---- */

static void send_packets(struct input *in)
{
	static const size_t lengths[] = { 60, 14, 1514, 9000, 64, 200 };
	static const unsigned int counts[] = { 1, 4, 16, 64 };
	size_t len = input_pick(in, lengths);
	uint8_t to = input_u8(in);

	world_send(to & 1, to >> 1 & 1, input_pick(in, counts), len);
}

static void change_interface(struct input *in)
{
	static const int mtus[] = { 1500, 68, 576, 3000, 9000, 65535, 0 };
	uint8_t what = input_u8(in);

	if (!world.left.interface)
		return;
	world.left.interface--;
	if (what % 4 == 2)
		world_set_mtu(input_pick(in, mtus));
	else
		world_set_up(what & 1);
}

/* Rarely: it takes the kernel a tenth of a second. */
static void new_pair(struct input *in)
{
	if (input_u8(in) != 0xdd || !world.left.pairs)
		return;
	world.left.pairs--;
	world_new_pair();
}

static void change_side(struct input *in)
{
	world_enter(input_u8(in) & 1);
}

static void user_prog(struct input *in)
{
	uint8_t how = input_u8(in);

	if (world.has_user) {
		world_no_user_prog();
	} else if (world.left.programs) {
		world.left.programs--;
		world_user_prog(how);
	}
}

static void limit(struct input *in)
{
	world.limit = input_u8(in) % 8;
}

/* Append only: the recorded programs count on it. */
static void (*const calls[])(struct input *in) = {
	call_umem_create,
	call_umem_create_opts,
	call_umem_delete,
	call_socket_create,
	call_socket_create_opts,
	call_socket_delete,
	call_update_map,
	call_setup,
	call_fork,
	call_copy,
	ring_fill,
	ring_tx,
	ring_submit,
	ring_take_back,
	ring_peek,
	ring_release,
	ring_put_back,
	ring_kick,
	send_packets,
	change_interface,
	new_pair,
	change_side,
	user_prog,
	limit,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	world_open();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };

	world_begin();
	for (int i = 0; i < MAX_CALLS && input_left(&in); i++)
		input_pick(&in, calls)(&in);
	world_end(&in);
	return 0;
}
