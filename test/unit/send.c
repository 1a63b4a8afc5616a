/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A socket that only sends: when lib/compat_send.c attaches a program for it, and
 * what comes of each refusal. The kicks and the shares are faked here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compat.h"
#include "error.h"
#include "sys.h"

#define FD 7
#define IFINDEX 12

static struct {
	bool zerocopy;
	int mode_err;
	int kicks[2];			/* the answers to the first and the second */
	int attach_err, join_err;
	int kicked, attached, joined, put;
	struct xsk_compat_share share;
} fake;

static int reset(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.zerocopy = true;
	fake.join_err = -ENOENT;
	return 0;
}

int xsk_socket_zerocopy(int fd, bool *ret)
{
	assert_int_equal(fd, FD);
	*ret = fake.zerocopy;
	return fake.mode_err;
}

int xsk_sys_kick(int fd)
{
	assert_int_equal(fd, FD);
	assert_in_range(fake.kicked, 0, 1);
	return fake.kicks[fake.kicked++];
}

static int share(struct xsk_compat_share **ret, int err, struct xsk_error *error)
{
	if (err)
		return xsk_error_set(error, err, "XDP program", "faked");
	*ret = &fake.share;
	return 0;
}

int xsk_compat_share_get(struct xsk_compat_share **ret, uint64_t netns, int ifindex,
			 uint32_t modes, struct xsk_error *error)
{
	assert_true(netns == 99);
	assert_int_equal(ifindex, IFINDEX);
	assert_int_equal(modes, 0);	/* not the generic one, that was asked for */
	fake.attached++;
	return share(ret, fake.attach_err, error);
}

int xsk_compat_share_join(struct xsk_compat_share **ret, uint64_t netns, int ifindex,
			  struct xsk_error *error)
{
	assert_true(netns == 99);
	assert_int_equal(ifindex, IFINDEX);
	fake.joined++;
	return share(ret, fake.join_err, error);
}

void xsk_compat_share_put(struct xsk_compat_share *given)
{
	assert_ptr_equal(given, &fake.share);
	fake.put++;
}

/* Whether it has a share then; *err is what it returned. */
static bool prepare(int *err, bool may_attach, struct xsk_error *error)
{
	struct xsk_compat_request req = { .ifname = "eth0", .ifindex = IFINDEX, .netns = 99,
					  .queue = 3, .xdp_modes = 2, .may_attach = may_attach };
	struct xsk_compat_share *got = (void *)&fake;

	memset(error, 0, sizeof(*error));
	*err = xsk_compat_send_prepare(&got, FD, &req, error);
	assert_int_equal(error->code, *err);
	assert_true(!got || got == &fake.share);
	return got;
}

static void nothing_to_do(void **state)
{
	struct xsk_error error;
	int err;

	(void)state;
	/* Forbidden; copy mode; a mode that cannot be known. */
	assert_false(prepare(&err, false, &error));
	fake.zerocopy = false;
	assert_false(prepare(&err, true, &error));
	fake.zerocopy = true;
	fake.mode_err = -EIO;
	assert_false(prepare(&err, true, &error));
	assert_int_equal(err, 0);
	assert_int_equal(fake.kicked + fake.attached + fake.joined, 0);
}

/* It sends. If a program is there it may be by that, so it is to stay. */
static void sends_already(void **state)
{
	static const int kicks[] = { 0, -EAGAIN, -EBUSY, -ENOBUFS };
	struct xsk_error error;
	int err;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		reset(NULL);
		fake.kicks[0] = kicks[i];
		assert_false(prepare(&err, true, &error));
		assert_int_equal(err, 0);
		assert_int_equal(fake.attached, 0);

		reset(NULL);
		fake.kicks[0] = kicks[i];
		fake.join_err = 0;
		assert_true(prepare(&err, true, &error));
		assert_int_equal(err, 0);

		/* One of somebody's, or no right to look: no matter. */
		reset(NULL);
		fake.kicks[0] = kicks[i];
		fake.join_err = -EBUSY;
		assert_false(prepare(&err, true, &error));
		assert_int_equal(err, 0);
		assert_int_equal(fake.attached, 0);
	}
}

static void sends_with_a_program_only(void **state)
{
	static const int refusals[] = { -EINVAL, -ENXIO };
	struct xsk_error error;
	int err;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		reset(NULL);
		fake.kicks[0] = refusals[i];
		assert_true(prepare(&err, true, &error));
		assert_int_equal(err, 0);
		assert_int_equal(fake.attached, 1);
		assert_int_equal(fake.kicked, 2);
		assert_int_equal(fake.put, 0);

		/* The link is down since (igb): it will send. */
		reset(NULL);
		fake.kicks[0] = refusals[i];
		fake.kicks[1] = -ENETDOWN;
		assert_true(prepare(&err, true, &error));

		/* It refuses all the same. */
		reset(NULL);
		fake.kicks[0] = fake.kicks[1] = refusals[i];
		assert_false(prepare(&err, true, &error));
		assert_int_equal(err, -EOPNOTSUPP);
		assert_non_null(strstr(error.reason, "eth0"));
		assert_non_null(strstr(error.reason, "queue 3"));
		assert_true(error.hint[0]);
		assert_int_equal(fake.put, 1);

		/* No program is to be had. */
		reset(NULL);
		fake.kicks[0] = refusals[i];
		fake.attach_err = -EPERM;
		assert_false(prepare(&err, true, &error));
		assert_int_equal(err, -EPERM);
		assert_int_equal(fake.put, 0);
	}
}

/* It cannot tell: a program is attached to be sure, and never fails the call. */
static void interface_is_down(void **state)
{
	struct xsk_error error;
	int err;

	(void)state;
	fake.kicks[0] = -ENETDOWN;
	assert_true(prepare(&err, true, &error));
	assert_int_equal(err, 0);
	assert_int_equal(fake.attached, 1);

	reset(NULL);
	fake.kicks[0] = -ENETDOWN;
	fake.attach_err = -EPERM;
	assert_false(prepare(&err, true, &error));
	assert_int_equal(err, 0);

	/* There is one already: ours to share, or somebody's. */
	reset(NULL);
	fake.kicks[0] = -ENETDOWN;
	fake.join_err = 0;
	assert_true(prepare(&err, true, &error));
	assert_int_equal(fake.attached, 0);
	reset(NULL);
	fake.kicks[0] = -ENETDOWN;
	fake.join_err = -EBUSY;
	assert_false(prepare(&err, true, &error));
	assert_int_equal(err, 0);
	assert_int_equal(fake.attached, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_to_do, reset),
		cmocka_unit_test_setup(sends_already, reset),
		cmocka_unit_test_setup(sends_with_a_program_only, reset),
		cmocka_unit_test_setup(interface_is_down, reset),
	};

	return cmocka_run_group_tests_name("send", tests, NULL, NULL);
}
