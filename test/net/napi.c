/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * NAPIs that defer their interrupts, and what they were set to, put back at close and
 * after a crash. A veth has NAPIs while GRO is on, also without a program; its queues
 * do not tell which is whose, so all are set. (unit/napi.c has queues that tell.)
 */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/capability.h>
#include <linux/genetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"
#include "napi.h"

#define QUEUES 2

static struct lab lab;
static struct lab_count before;
static char record[128];

/* ---- the NAPIs, asked by the test's own means ---- */

struct napis {
	size_t count;
	struct {
		uint32_t id, defer;
		uint64_t timeout;
	} at[8];
};

/* Whether it came to an end by itself: acknowledged, or by each. */
static bool ask(struct nlmsghdr *request, mnl_cb_t each, void *data)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	char room[16384];
	ssize_t len;
	int more = MNL_CB_OK;

	assert_non_null(sock);
	assert_int_equal(mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID), 0);
	assert_true(mnl_socket_sendto(sock, request, request->nlmsg_len) > 0);
	while (more == MNL_CB_OK) {
		len = mnl_socket_recvfrom(sock, room, sizeof(room));
		assert_true(len > 0);
		more = mnl_cb_run(room, (size_t)len, 0, mnl_socket_get_portid(sock), each, data);
	}
	mnl_socket_close(sock);
	return more == MNL_CB_STOP;
}

static struct nlmsghdr *start(void *room, uint16_t type, uint16_t flags, uint8_t command)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct genlmsghdr *generic;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	generic = mnl_nlmsg_put_extra_header(request, sizeof(*generic));
	generic->cmd = command;
	generic->version = 1;
	return request;
}

static int take_family(const struct nlmsghdr *answer, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, answer, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			*(uint16_t *)data = mnl_attr_get_u16(attr);
	return MNL_CB_STOP;
}

static uint16_t family(void)
{
	char room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = start(room, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	uint16_t number = 0;

	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, "netdev");
	ask(request, take_family, &number);
	return number;
}

static int take_napi(const struct nlmsghdr *answer, void *data)
{
	struct napis *napis = data;
	const struct nlattr *attr;
	bool told = false;

	assert_true(napis->count < 8);
	mnl_attr_for_each(attr, answer, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == XSK_NETDEV_A_NAPI_ID)
			napis->at[napis->count].id = mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == XSK_NETDEV_A_NAPI_DEFER_HARD_IRQS) {
			napis->at[napis->count].defer = mnl_attr_get_u32(attr);
			told = true;
		}
		if (mnl_attr_get_type(attr) == XSK_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT)
			napis->at[napis->count].timeout = mnl_attr_get_payload_len(attr) == 8
				? mnl_attr_get_u64(attr) : mnl_attr_get_u32(attr);
	}
	napis->count += told;
	return MNL_CB_OK;
}

/* Those of lab0 of which the kernel tells the settings. */
static struct napis look(void)
{
	char room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request;
	struct napis napis = { 0 };
	uint16_t number;

	lab_enter(&lab, 0);
	number = family();
	/* Without the family (before 6.3) nobody would answer. */
	if (!number)
		return napis;
	request = start(room, number, NLM_F_DUMP, XSK_NETDEV_CMD_NAPI_GET);
	mnl_attr_put_u32(request, XSK_NETDEV_A_NAPI_IFINDEX, (uint32_t)lab.ifindex[0]);
	ask(request, take_napi, &napis);
	return napis;
}

static void administer(uint32_t id, uint32_t defer, uint32_t timeout)
{
	char room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = start(room, family(), NLM_F_ACK, XSK_NETDEV_CMD_NAPI_SET);

	mnl_attr_put_u32(request, XSK_NETDEV_A_NAPI_ID, id);
	mnl_attr_put_u32(request, XSK_NETDEV_A_NAPI_DEFER_HARD_IRQS, defer);
	mnl_attr_put_u32(request, XSK_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT, timeout);
	assert_true(ask(request, NULL, NULL));
}

static bool are_deferred(void)
{
	struct napis now = look();
	bool all = now.count == QUEUES;

	for (size_t i = 0; i < now.count; i++)
		all &= now.at[i].defer == 2 && now.at[i].timeout == 200000;
	return all;
}

static void assert_deferred(void)
{
	assert_true(are_deferred());
}

/* ---- each test: NAPIs that are set to different things, and nothing is left ---- */

static struct napis original;

static bool is_recorded(void)
{
	return !access(record, F_OK);
}

static int open_lab(void **state)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	struct stat st;
	int fd;

	(void)state;
	lab_open(&lab, QUEUES);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len)) {
		assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
		cookie = st.st_ino;		/* before 5.14 */
	}
	close(fd);
	snprintf(record, sizeof(record), "/run/libxsk/%llu-%d", (unsigned long long)cookie,
		 lab.ifindex[0]);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	lab_enter(&lab, 0);
	lab_run("ip link set lab0 up && ethtool -K lab0 gro on");
	original = look();
	for (size_t i = 0; i < original.count; i++) {
		original.at[i].defer = 3 + (uint32_t)i;
		original.at[i].timeout = 1000 + i;
		administer(original.at[i].id, 3 + (uint32_t)i, 1000 + (uint32_t)i);
	}
	lab_count(&before);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_enter(&lab, 0);
	lab_run("ethtool -K lab0 gro off");
	assert_false(is_recorded());
	lab_assert_unchanged(&before);
	return 0;
}

static bool is_missing(void)
{
	if (!original.count)
		print_message("# skipped: this kernel has no settings for each NAPI\n");
	return !original.count;
}

#define SKIP_WITHOUT_NAPI_SET() do { if (is_missing()) skip(); } while (0)

static void assert_put_back(void)
{
	struct napis now = look();

	assert_memory_equal(&now, &original, sizeof(now));
	assert_false(is_recorded());
}

static void defer(struct xsk_napi *napi, uint32_t queue)
{
	struct xsk_error error;

	lab_enter(&lab, 0);
	if (xsk_napi_defer(napi, lab.ifindex[0], "lab0", queue, 1, &error))
		fail_msg("%s: %s; %s", error.step, error.reason, error.hint);
	assert_true(is_recorded());
}

static void recover(void)
{
	lab_enter(&lab, 0);
	xsk_napi_recover(lab.ifindex[0], "lab0");
}

/* A process that defers and lives until it is killed. */
static pid_t start_user(uint32_t queue)
{
	struct xsk_error error;
	struct xsk_napi napi;
	int ready[2];
	char byte;
	pid_t pid;

	lab_enter(&lab, 0);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (!xsk_napi_defer(&napi, lab.ifindex[0], "lab0", queue, 1, &error) &&
		    write(ready[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void crash(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* ---- the tests ---- */

static void deferred_and_put_back(void **state)
{
	struct xsk_napi napi, zeroes;

	(void)state;
	SKIP_WITHOUT_NAPI_SET();
	defer(&napi, 0);
	assert_deferred();
	assert_string_equal(napi.how, "per NAPI, all of the interface");
	/* Nobody who is alive is recovered from. */
	recover();
	assert_deferred();
	xsk_napi_restore(&napi);
	assert_put_back();

	memset(&zeroes, 0, sizeof(zeroes));
	assert_memory_equal(&napi, &zeroes, sizeof(napi));
	xsk_napi_restore(&napi);
	recover();
	assert_put_back();
}

static void last_of_two_puts_back(void **state)
{
	struct xsk_napi napis[2];

	(void)state;
	SKIP_WITHOUT_NAPI_SET();
	for (int first = 0; first < 2; first++) {
		defer(&napis[0], 0);
		defer(&napis[1], 1);
		xsk_napi_restore(&napis[first]);
		assert_deferred();
		xsk_napi_restore(&napis[!first]);
		assert_put_back();
	}
}

static void put_back_from_another_namespace(void **state)
{
	struct xsk_napi napi;

	(void)state;
	SKIP_WITHOUT_NAPI_SET();
	defer(&napi, 0);
	lab_enter(&lab, 1);
	xsk_napi_restore(&napi);
	assert_put_back();
}

static void crash_is_mended_at_the_next_open(void **state)
{
	struct xsk_napi napi;

	(void)state;
	SKIP_WITHOUT_NAPI_SET();
	crash(start_user(0));
	assert_deferred();
	assert_true(is_recorded());
	/* Another interface, and one of the same number in another namespace. */
	xsk_napi_recover(lab.ifindex[0] + 1, "lab0");
	lab_enter(&lab, 1);
	xsk_napi_recover(lab.ifindex[0], "lab0");
	assert_deferred();
	recover();
	assert_put_back();

	/* Two crash; who defers next needs no more to know what it was. */
	crash(start_user(1));
	crash(start_user(0));
	defer(&napi, 0);
	assert_deferred();
	xsk_napi_restore(&napi);
	assert_put_back();
}

static void crash_of_one_of_two(void **state)
{
	struct xsk_napi napi;
	pid_t pid;

	(void)state;
	SKIP_WITHOUT_NAPI_SET();
	pid = start_user(0);
	defer(&napi, 1);
	crash(pid);
	recover();
	assert_deferred();
	xsk_napi_restore(&napi);
	assert_put_back();

	defer(&napi, 1);
	pid = start_user(0);
	xsk_napi_restore(&napi);
	assert_deferred();
	crash(pid);
	recover();
	assert_put_back();
}

/* A crash where the record was only half written: nothing was changed by that half. */
static void garbled_record(void **state)
{
	FILE *file;

	(void)state;
	SKIP_WITHOUT_NAPI_SET();
	crash(start_user(0));
	file = fopen(record, "ae");
	assert_non_null(file);
	fprintf(file, "what is this\n\nnapi 4294967295 defer 0 timeout 0\n");
	fprintf(file, "napi %u defer 9 timeout 9", original.at[0].id);
	fclose(file);
	recover();
	assert_put_back();
}

static void what_others_set_stays(void **state)
{
	struct xsk_napi napi;

	(void)state;
	SKIP_WITHOUT_NAPI_SET();
	defer(&napi, 0);
	administer(original.at[1].id, 7, 77);
	original.at[1].defer = 7;
	original.at[1].timeout = 77;
	xsk_napi_restore(&napi);
	assert_put_back();

	/* Also where it is what we would set. */
	administer(original.at[0].id, 2, 200000);
	original.at[0].defer = 2;
	original.at[0].timeout = 200000;
	defer(&napi, 0);
	assert_deferred();
	xsk_napi_restore(&napi);
	assert_put_back();
}

static void napis_that_vanish(void **state)
{
	struct xsk_napi napi;

	(void)state;
	SKIP_WITHOUT_NAPI_SET();
	defer(&napi, 0);
	lab_run("ethtool -K lab0 gro off");
	xsk_napi_restore(&napi);
	assert_false(is_recorded());

	/* Of an interface that is down they may come back, so they stay recorded. */
	lab_run("ethtool -K lab0 gro on");
	defer(&napi, 0);
	lab_run("ip link set lab0 down");
	xsk_napi_restore(&napi);
	assert_true(is_recorded());
	recover();
	assert_true(is_recorded());
	lab_run("ip link set lab0 up");
	recover();
	assert_false(is_recorded());
}

/* It has the lock, too, by the same open file, and may close what it inherited. */
static void restore_in_child(struct xsk_napi *napi)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		xsk_napi_restore(napi);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void forked(void **state)
{
	struct xsk_napi napi;
	pid_t pid;

	(void)state;
	SKIP_WITHOUT_NAPI_SET();
	defer(&napi, 0);
	restore_in_child(&napi);
	assert_put_back();

	/* What somebody records now is not the parent's. */
	pid = start_user(0);
	xsk_napi_restore(&napi);
	assert_true(is_recorded());
	assert_deferred();

	/* The child is not the last, and does not take the parent's lock along. */
	defer(&napi, 0);
	restore_in_child(&napi);
	crash(pid);
	recover();
	assert_deferred();
	xsk_napi_restore(&napi);
	assert_put_back();
}

static int defer_in_child(struct xsk_napi *napi)
{
	struct xsk_error error = { 0 };
	int err = xsk_napi_defer(napi, lab.ifindex[0], "lab0", 0, QUEUES, &error);

	if (err)
		print_message("# %s: %s; %s\n", error.step, error.reason, error.hint);
	return err;
}

static int unprivileged(void)
{
	struct xsk_napi napi;

	lab_drop(CAP_NET_ADMIN);
	return defer_in_child(&napi);
}

static void without_the_privilege(void **state)
{
	(void)state;
	SKIP_WITHOUT_NAPI_SET();
	lab_in_child(unprivileged, -EPERM);
	assert_put_back();
}

static void mount_over(const char *type, const char *path, unsigned long flags)
{
	if (mount("none", path, type, flags, NULL))
		_exit(202);
}

static void own_mounts(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		_exit(203);
}

static int read_only_run(void)
{
	struct xsk_napi napi;
	int err;

	own_mounts();
	mount_over("tmpfs", "/run", MS_RDONLY);
	err = defer_in_child(&napi);
	if (err)
		return err;
	if (!are_deferred() || !strstr(napi.how, "cannot be mended: /run/libxsk: Read-only"))
		return -EBADMSG;
	xsk_napi_restore(&napi);
	return 0;
}

static void without_a_record(void **state)
{
	(void)state;
	SKIP_WITHOUT_NAPI_SET();
	lab_in_child(read_only_run, 0);
	assert_put_back();
}

/* ---- for the interface, in a /sys of its namespace ---- */

static bool interface_is(int defer, int timeout)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "cd /sys/class/net/lab0 && test $(cat napi_defer_hard_irqs) = %d && "
		 "test $(cat gro_flush_timeout) = %d", defer, timeout);
	return !system(command);
}

static void crash_by_sysfs(void)
{
	struct xsk_napi napi;
	int status;
	pid_t pid = fork();

	if (!pid) {
		defer_in_child(&napi);
		raise(SIGKILL);
	}
	waitpid(pid, &status, 0);
}

static int by_sysfs(void)
{
	struct xsk_napi napi;
	int err;

	own_mounts();
	mount_over("sysfs", "/sys", 0);
	if (system("cd /sys/class/net/lab0 && echo 5 >napi_defer_hard_irqs && "
		   "echo 555 >gro_flush_timeout"))
		return -ENOTSUP;
	err = defer_in_child(&napi);
	if (err)
		return err;
	if (strcmp(napi.how, "for the interface") || !interface_is(2, 200000))
		return -EBADMSG;
	lab_enter(&lab, 1);
	xsk_napi_restore(&napi);
	lab_enter(&lab, 0);
	if (!interface_is(5, 555) || is_recorded())
		return -EBADF;
	crash_by_sysfs();
	if (!interface_is(2, 200000) || !is_recorded())
		return -EBADR;
	recover();
	return interface_is(5, 555) && !is_recorded() ? 0 : -EBADFD;
}

static void for_the_interface(void **state)
{
	(void)state;
	lab_run("ethtool -K lab0 gro off");
	lab_in_child(by_sysfs, 0);
}

/* One of the same name and number; it goes with its namespace, and that with the child. */
static int by_another_sysfs(void)
{
	struct xsk_napi napi;
	int err;

	own_mounts();
	if (unshare(CLONE_NEWNET) || open("/proc/thread-self/ns/net", O_RDONLY) < 0)
		return -ENOTSUP;
	lab_run("ip link add lab0 index %d type veth peer name other index %d",
		lab.ifindex[0], lab.ifindex[0] + 1);
	mount_over("sysfs", "/sys", 0);
	lab_enter(&lab, 0);
	err = defer_in_child(&napi);
	return interface_is(0, 0) ? err : -EBADF;
}

static void another_namespaces_sysfs(void **state)
{
	(void)state;
	lab_run("ethtool -K lab0 gro off");
	lab_in_child(by_another_sysfs, -EOPNOTSUPP);
}

/* Both ways one after the other, while nobody has closed. */
static int both_ways(void)
{
	struct xsk_napi one, two;
	int err;

	own_mounts();
	mount_over("sysfs", "/sys", 0);
	lab_run("ethtool -K lab0 gro off");
	err = defer_in_child(&one);
	lab_run("ethtool -K lab0 gro on");
	err = err ? err : defer_in_child(&two);
	if (err)
		return err;
	if (!are_deferred() || strcmp(two.how, "for the interface"))
		return -EBADMSG;
	xsk_napi_restore(&one);
	if (!are_deferred())
		return -EBADR;
	xsk_napi_restore(&two);
	return interface_is(5, 555) && look().at[0].defer == 5 ? 0 : -EBADF;
}

static void interface_and_then_its_napis(void **state)
{
	(void)state;
	SKIP_WITHOUT_NAPI_SET();
	lab_in_child(both_ways, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deferred_and_put_back),
		TEST(last_of_two_puts_back),
		TEST(put_back_from_another_namespace),
		TEST(crash_is_mended_at_the_next_open),
		TEST(crash_of_one_of_two),
		TEST(garbled_record),
		TEST(what_others_set_stays),
		TEST(napis_that_vanish),
		TEST(forked),
		TEST(without_the_privilege),
		TEST(without_a_record),
		TEST(for_the_interface),
		TEST(another_namespaces_sysfs),
		TEST(interface_and_then_its_napis),
	};

	return cmocka_run_group_tests_name("napi", tests, open_lab, close_lab);
}
