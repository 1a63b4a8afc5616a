/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "hide.h"

#include <sched.h>
#include <sys/mount.h>

#include "lab.h"

void hide_files(void)
{
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("", "/", "none", MS_PRIVATE | MS_REC, NULL), 0);
	assert_int_equal(mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700"), 0);
	assert_int_equal(mount("run", "/run", "tmpfs", 0, NULL), 0);
}
