/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The port over veth: packets in each mode, contents compared, the law asserted. */
#include "ports.h"

static struct lab lab;
static struct lab_count before;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 1);
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

static void pass_packets(struct xsk_port_opts opts)
{
	struct xsk_port *port = ports_open("lab0", opts);
	struct xsk_queue *queue = xsk_port_queue(port, 0);

	if (xsk_queue_direction(queue) & XSK_DIRECTION_RX)
		ports_receive(queue, &lab, 0, 3000);
	ports_assert_law(port);
	if (xsk_queue_direction(queue) & XSK_DIRECTION_TX)
		ports_transmit(queue, &lab, 0, 3000);
	ports_assert_law(port);
	xsk_port_close(port);
}

static void native(void **state)
{
	(void)state;
	pass_packets((struct xsk_port_opts){ 0 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(native, count, nothing_left),
	};

	return cmocka_run_group_tests_name("port", tests, open_lab, close_lab);
}
