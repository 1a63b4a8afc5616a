/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What xsk probe says of kernels and interfaces that are not at hand: each line, and its mend. */
#include "probe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All lines, as "what: text; mend\n"; and what they are of that are bad, each with a blank. */
static char said[8192], bad[256];

static void keep(void *to, const struct probe_line *line)
{
	size_t len = strlen(said);

	(void)to;
	snprintf(said + len, sizeof(said) - len, "%s: %s%s%s\n", line->what, line->text,
		 *line->mend ? "; " : "", line->mend);
	len = strlen(bad);
	if (line->level == PROBE_BAD)
		snprintf(bad + len, sizeof(bad) - len, "%s ", line->what);
}

static const struct probe_reader reader = { .read = keep };

static void assert_said(const char *text)
{
	if (!strstr(said, text))
		fail_msg("no '%s' in:\n%s", text, said);
}

static void say_interface(const struct probe_interface *interface)
{
	said[0] = '\0';
	probe_say_interface(&reader, interface, true);
}

static struct probe_interface a_nic(void)
{
	return (struct probe_interface){ .info = {
		.name = "eth7", .driver = "ice", .up = XSK_PROBE_YES, .carrier = XSK_PROBE_YES,
		.ethernet = XSK_PROBE_YES, .mtu = 3820, .rx_queues = 8, .tx_queues = 8,
		.zerocopy = XSK_PROBE_YES, .zerocopy_frags = 5, .features_told = XSK_PROBE_YES,
		.features = XSK_PROBE_XDP_BASIC | XSK_PROBE_XDP_ZEROCOPY,
		.metadata_told = XSK_PROBE_YES, .rx_metadata = XSK_PROBE_RX_HASH,
		.copy_mtu_4096 = 3822, .zerocopy_mtu_4096 = 3814 } };
}

static void zero_copy(void **state)
{
	struct probe_interface interface = a_nic();

	(void)state;
	say_interface(&interface);
	assert_said("zero-copy: yes, packets of up to 5 frames\n");
	assert_said("XDP: native, zero-copy\n");
	assert_said("metadata: RX hash\n");
	/* It fits where it is copied, and not in zero-copy. */
	assert_said("; ip link set dev eth7 mtu 3814\n");
	interface.info.mtu = 3814;
	say_interface(&interface);
	assert_said("MTU: 3814; a frame of 4096 has room for 3822, in zero-copy 3814");
	interface.info.features_told = interface.info.zerocopy = XSK_PROBE_NOT_TOLD;
	say_interface(&interface);
	assert_said("zero-copy: not told");
}

static void sockets(void **state)
{
	struct xsk_probe_socket list[] = {
		{ .queue = 3, .told = XSK_PROBE_YES, .zerocopy = XSK_PROBE_YES,
		  .frame_size = 2048, .uid = 7, .processes = 2,
		  .process = { { 11, "one" }, { 12, "" } } },
		{ .queue = 4, .told = XSK_PROBE_YES },
		{ .queue = 5 },
	};
	struct probe_interface interface = a_nic();

	(void)state;
	interface.sockets = list;
	interface.socket_count = 3;
	say_interface(&interface);
	assert_said("socket: queue 3: taken by one (pid 11), one that has ended (pid 12), uid 7, "
		    "zero-copy, frames of 2048; kill 11 12\n");
	assert_said("queue 4: taken by processes that are not told, uid 0, copied, frames of 0; "
		    "run as root\n");
	assert_said("queue 5: taken, by whom is not told; take a kernel with "
		    "CONFIG_XDP_SOCKETS_DIAG\n");
}

/* A dispatcher has no XSKMAP; one of its components has. */
static void programs(void **state)
{
	struct probe_interface interface = a_nic();
	struct xsk_probe_program *list = interface.programs;

	(void)state;
	interface.program_count = 3;
	list[0] = (struct xsk_probe_program){
		.id = 5, .mode = XSK_MODE_NATIVE, .told = XSK_PROBE_YES, .name = "xdp_dispatcher",
		.xskmap = XSK_PROBE_NO, .xsks_map = XSK_PROBE_NO, .by_link = XSK_PROBE_YES,
		.link_id = 9 };
	list[1] = list[0];
	list[1].part_of = 5;
	list[2] = list[1];
	list[1].xskmap = XSK_PROBE_YES;
	say_interface(&interface);
	assert_said("ports cannot join it; bpftool link detach id 9\n");
	list[1].xsks_map = XSK_PROBE_YES;
	say_interface(&interface);
	assert_said("program: xdp_dispatcher (id 5), a part of 5");
	assert_null(strstr(said, "cannot join"));
}

/* Who has it, and what would make it go. */
static void holders_of_programs(void **state)
{
	struct probe_interface interface = a_nic();
	struct xsk_probe_program *program = interface.programs;

	(void)state;
	interface.program_count = 1;
	*program = (struct xsk_probe_program){
		.id = 5, .mode = XSK_MODE_NATIVE, .told = XSK_PROBE_YES, .name = "one",
		.by_link = XSK_PROBE_YES, .link_id = 9, .link_pinned = XSK_PROBE_YES,
		.pin = "/sys/fs/bpf/its own" };
	say_interface(&interface);
	assert_said("; its link is pinned at /sys/fs/bpf/its own; ports cannot join it; "
		    "rm '/sys/fs/bpf/its own'\n");
	program->processes = 2;
	program->process[0] = (struct xsk_probe_process){ 11, "a" };
	program->process[1] = (struct xsk_probe_process){ 12, "b" };
	strcpy(program->pin, "/pin");
	say_interface(&interface);
	assert_said("; open in a (pid 11), b (pid 12); its link is pinned at /pin; ports cannot "
		    "join it; kill 11 12 && rm /pin\n");
	/* The program's own does not hold it. */
	program->link_pinned = XSK_PROBE_NO;
	say_interface(&interface);
	assert_said("; pinned at /pin; ports cannot join it; kill 11 12\n");
	program->by_link = XSK_PROBE_NO;
	say_interface(&interface);
	assert_said("; pinned at /pin; ports cannot join it; ip link set dev eth7 xdp off\n");
	/* The longest, each character of which is quoted. */
	program->by_link = program->link_pinned = XSK_PROBE_YES;
	memset(program->pin, '\'', sizeof(program->pin) - 1);
	say_interface(&interface);
	assert_said("'\\''" "'\\''" "'\n");
}

static void an_old_kernel(void **state)
{
	struct probe_host host = { .caller = { .memlock_matters = XSK_PROBE_YES,
					       .memlock = UINT64_C(64) << 20,
					       .memlock_hard = UINT64_MAX,
					       .sys_admin = XSK_PROBE_YES } };

	(void)state;
	said[0] = '\0';
	host.kernel.need_wakeup = XSK_PROBE_YES;
	host.kernel.multi_buffer = host.kernel.xdp_link = XSK_PROBE_NO;
	host.kernel.jit = XSK_PROBE_NO;
	probe_say_kernel(&reader, &host);
	assert_said("has: need-wakeup\n");
	assert_said("has not: programs by link, multi-buffer; take Linux 6.6\n");
	assert_said("programs: interpreted, which is slow; "
		    "echo 1 >/proc/sys/net/core/bpf_jit_enable\n");
	probe_say_caller(&reader, &host);
	assert_said("memory: 65536 KiB can be locked, the frames of 4 queues; ulimit -l unlimited");
	/* CAP_SYS_ADMIN does for CAP_BPF and CAP_PERFMON. */
	assert_null(strstr(said, "no cap_bpf"));
}

/* Who cannot open a port is worse off than who cannot see others. */
static void rights(void **state)
{
	struct probe_host host = { .caller = { .net_raw = XSK_PROBE_YES, .net_admin = XSK_PROBE_YES,
					       .bpf = XSK_PROBE_YES, .perfmon = XSK_PROBE_YES } };

	(void)state;
	said[0] = bad[0] = '\0';
	probe_say_caller(&reader, &host);
	assert_said("rights: no cap_sys_admin to see programs of others, no cap_sys_ptrace to see "
		    "whose they are; run as root");
	assert_string_equal(bad, "");
	host.caller.net_raw = XSK_PROBE_NO;
	probe_say_caller(&reader, &host);
	assert_said("rights: no cap_net_raw to open sockets, no cap_sys_admin");
	assert_string_equal(bad, "rights ");
}

/* What is typed last is what counts: each has it all. */
static void rights_by_setcap(void **state)
{
	static const char all[] = "setcap cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon,"
				  "cap_sys_admin,cap_sys_ptrace,cap_ipc_lock+ep /x\n";
	struct probe_host host = { .caller = { .memlock_matters = XSK_PROBE_YES,
					       .memlock = 65536, .memlock_hard = 65536 },
				   .program = "/x" };
	const char *first, *second;

	(void)state;
	said[0] = '\0';
	probe_say_caller(&reader, &host);
	first = strstr(said, all);
	assert_non_null(first);
	second = strstr(first + 1, all);
	assert_non_null(second);
	assert_null(strstr(second + 1, "setcap"));
	host.caller.memlock_matters = XSK_PROBE_NO;
	said[0] = '\0';
	probe_say_caller(&reader, &host);
	assert_said("cap_sys_ptrace+ep /x\n");
	/* Where nothing of it counts. */
	host.caller.memlock_matters = host.caller.user_namespace = XSK_PROBE_YES;
	said[0] = '\0';
	probe_say_caller(&reader, &host);
	assert_null(strstr(said, "setcap"));
	assert_said("16384; run outside of it\n");
}

/* What is told to be typed can be, and a list that is cut says by how much. */
static void untold_interface(void **state)
{
	struct probe_interface interface = { .info = { .name = "a b", .mtu = 1500 },
					     .program_count = 1 };
	struct xsk_probe_program *program = &interface.programs[0];

	(void)state;
	program->told = XSK_PROBE_YES;
	program->processes = XSK_PROBE_PROCESSES + 5;
	for (int i = 0; i < XSK_PROBE_PROCESSES; i++)
		program->process[i] = (struct xsk_probe_process){ .pid = 10 + i, .name = "p" };
	say_interface(&interface);
	assert_said("; xsk probe --test 'a b' tries it\n");
	assert_said("; xsk probe --test 'a b' tries the modes\n");
	assert_said("p (pid 17), and 5 more");
}

static void limits_as_json(void **state)
{
	struct probe_host host = { .caller = { .memlock = 65536, .memlock_hard = UINT64_MAX } };
	json_t *object = probe_json_caller(&host);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(object, "memlock")), 65536);
	assert_true(json_is_null(json_object_get(object, "memlock_hard")));
	json_decref(object);
	host.caller.memlock = UINT64_MAX;
	host.caller.memlock_hard = 0;
	object = probe_json_caller(&host);
	assert_true(json_is_null(json_object_get(object, "memlock")));
	assert_true(json_is_integer(json_object_get(object, "memlock_hard")));
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_copy),
		cmocka_unit_test(sockets),
		cmocka_unit_test(programs),
		cmocka_unit_test(holders_of_programs),
		cmocka_unit_test(an_old_kernel),
		cmocka_unit_test(rights),
		cmocka_unit_test(rights_by_setcap),
		cmocka_unit_test(untold_interface),
		cmocka_unit_test(limits_as_json),
	};

	return cmocka_run_group_tests_name("cli_probe", tests, NULL, NULL);
}
