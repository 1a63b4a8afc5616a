/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Where pins are looked for: lines of mountinfo. (What is pinned there: test/net/probe.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "pin.h"
#include "sys.h"

int bpf_obj_get(const char *path)
{
	(void)path;
	return -1;
}

void xsk_process_own_file(struct xsk_process_file *file, int fd)
{
	(void)fd;
	*file = (struct xsk_process_file){ 0 };
}

void xsk_sys_close(int fd)
{
	(void)fd;
}

/* In memory that ends with the line, so that whoever reads on is seen. */
static void assert_mount(const char *line, const char *expected)
{
	char *copy = strdup(line), *path = xsk_pin_mount(copy);

	if (expected) {
		assert_non_null(path);
		assert_string_equal(path, expected);
	} else {
		assert_null(path);
	}
	free(copy);
}

static void mounts(void **state)
{
	(void)state;
	assert_mount("33 25 0:29 / /sys/fs/bpf rw,nosuid shared:11 - bpf bpf rw,mode=700\n",
		     "/sys/fs/bpf");
	assert_mount("33 25 0:29 / / rw - bpf none rw\n", "/");
	assert_mount("33 25 0:29 /sub /my\\040place\\134\\011x rw - bpf bpf rw\n",
		     "/my place\\\tx");
	assert_mount("33 25 0:29 / /a\\9\\04\\400\\ rw - bpf bpf rw\n", "/a\\9\\04\\400\\");
	assert_mount("33 25 0:29 / /sys rw - sysfs bpf rw\n", NULL);
	assert_mount("33 25 0:29 / /bpf rw - tmpfs bpf rw\n", NULL);
}

static void garbage(void **state)
{
	static const char whole[] = "33 25 0:29 / /sys/fs/bpf\\040 rw - bpf bpf rw\n";

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		char line[sizeof(whole)];

		memcpy(line, whole, len);
		line[len] = '\0';
		assert_mount(line, len >= strlen("33 25 0:29 / /sys/fs/bpf\\040 rw - bpf ") ?
			     "/sys/fs/bpf " : NULL);
	}
	assert_mount(" - bpf ", NULL);
	assert_mount("a b c - bpf ", NULL);
	assert_mount("a b c d e f - bpf ", NULL);
	assert_mount("    \\057 - bpf ", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts),
		cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests_name("pin", tests, NULL, NULL);
}
