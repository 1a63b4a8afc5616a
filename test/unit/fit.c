/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What fits a frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fit.h"

static void frames(void **state)
{
	(void)state;
	assert_int_equal(xsk_fit_room(4096, 0), 3840);
	assert_int_equal(xsk_fit_room(2048, 100), 1692);
	assert_int_equal(xsk_fit_mtu(3840), 3822);
	assert_int_equal(xsk_fit_mtu(18), 0);
	assert_true(xsk_fit_mtu(17) < 0);
	assert_true(xsk_fit_mtu(0) < 0);
}

static void zerocopy(void **state)
{
	(void)state;
	assert_int_equal(xsk_fit_mtu_zerocopy("virtio_net", 3840, 1), 3814);
	assert_int_equal(xsk_fit_mtu_zerocopy("virtio_net", 1792, 1), 1766);
	assert_int_equal(xsk_fit_mtu_zerocopy("ice", 3840, 5), 5 * 3840 - 26);
	assert_true(xsk_fit_mtu_zerocopy("ice", 25, 1) < 0);
	/* More than 32 bits hold. */
	assert_true(xsk_fit_mtu_zerocopy("ice", 65280, UINT32_MAX) ==
		    65280LL * UINT32_MAX - 26);
}

/* The whole KiB of a frame, and no packet in what has none. */
static void igb(void **state)
{
	(void)state;
	assert_true(xsk_fit_cuts("igb"));
	assert_false(xsk_fit_cuts("igbvf"));
	assert_false(xsk_fit_cuts(""));
	assert_int_equal(xsk_fit_mtu_zerocopy("igb", 3840, 1), 3 * 1024 - 26);
	assert_int_equal(xsk_fit_mtu_zerocopy("igb", 1792, 1), 1024 - 26);
	assert_true(xsk_fit_mtu_zerocopy("igb", 1023, 1) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames),
		cmocka_unit_test(zerocopy),
		cmocka_unit_test(igb),
	};

	return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
