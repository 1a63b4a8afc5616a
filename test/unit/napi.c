/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * NAPIs that defer their interrupts, on kernels and drivers that are made here: the
 * kernel's end of netlink, its files, and the locks on them. What is set must stand
 * in the record by then, unless there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <sys/file.h>

#include "kernel.h"
#include "napi.h"
#include "netlink.h"
#include "sys.h"

#define IFINDEX 12
#define FAMILY 35
#define QUEUES 4
#define LONG_TIMEOUT 5000000000ULL
#define SYSFS "/sys/class/net/eth0/"
#define RECORD XSK_RECORDS "/77-12"

/* ---- the world ---- */

struct fake_napi {
	uint32_t id;
	int ifindex;
	uint32_t defer;
	uint64_t timeout;
};

struct fake_file {
	const char *path;
	bool exists, folder;
	int write_err;
	char text[512];
};

enum { FOLDER, THE_RECORD, SYS, SYS_IFINDEX, SYS_ADDRESS, SYS_DEFER, SYS_TIMEOUT, FILES };

static struct {
	/* The kernel. */
	int family_err, queue_err, set_err;
	uint32_t refused;		/* set_err is for this one alone; 0: for all */
	bool no_settings;		/* napi-get does not tell them, before 6.13 */
	bool sets_all;			/* the interface's go to its NAPIs, from 6.13 on */
	struct fake_napi napis[6];
	uint32_t queues[2][QUEUES];	/* the NAPI that each tells */
	/* The files, and what is open of them. */
	struct fake_file files[FILES];
	int open[FILES], sockets;
	bool others;			/* hold a lock on the record */
	bool stopped;			/* somebody in the folder */
	unsigned int slept;
	int sets;
} world;

static int reset(void **state)
{
	static const struct fake_napi napis[] = {
		{ 11, IFINDEX, 0, 0 }, { 12, IFINDEX, 1, 1000 }, { 13, IFINDEX, 2, 999 },
		{ 14, IFINDEX, 3, LONG_TIMEOUT }, { 21, IFINDEX + 1, 0, 0 },
	};
	static const struct fake_file files[FILES] = {
		[FOLDER] = { XSK_RECORDS, false, true, 0, "" },
		[THE_RECORD] = { RECORD, false, false, 0, "" },
		[SYS] = { "/sys/class/net/eth0", true, true, 0, "" },
		[SYS_IFINDEX] = { SYSFS "ifindex", true, false, 0, "12\n" },
		[SYS_ADDRESS] = { SYSFS "address", true, false, 0, "02:00:00:0a:0b:0c\n" },
		[SYS_DEFER] = { SYSFS "napi_defer_hard_irqs", true, false, 0, "4\n" },
		[SYS_TIMEOUT] = { SYSFS "gro_flush_timeout", true, false, 0, "444\n" },
	};

	(void)state;
	memset(&world, 0, sizeof(world));
	memcpy(world.napis, napis, sizeof(napis));
	memcpy(world.files, files, sizeof(files));
	for (int queue = 0; queue < QUEUES; queue++)
		world.queues[XSK_NETDEV_QUEUE_TYPE_RX][queue] = 11 + (uint32_t)queue;
	return 0;
}

static int nothing_is_open(void **state)
{
	(void)state;
	assert_int_equal(world.sockets, 0);
	for (int i = 0; i < FILES; i++)
		assert_int_equal(world.open[i], 0);
	return 0;
}

/* ---- files ---- */

static int find_file(int dir, const char *path)
{
	char whole[128];

	if (*path == '/')
		snprintf(whole, sizeof(whole), "%s", path);
	else
		snprintf(whole, sizeof(whole), "%s/%s", world.files[dir].path, path);
	for (int i = 0; i < FILES; i++)
		if (!strcmp(whole, world.files[i].path))
			return i;
	fail_msg("opens %s", whole);
	return -1;
}

int xsk_sys_open(int dir, const char *path, int flags)
{
	int fd = find_file(dir, path);

	if (flags & O_CREAT)
		world.files[fd].exists = true;
	if (!world.files[fd].exists)
		return -ENOENT;
	assert_int_equal(!!(flags & O_DIRECTORY), world.files[fd].folder);
	world.open[fd]++;
	return fd;
}

void xsk_sys_close(int fd)
{
	if (fd >= 0)
		assert_true(world.open[fd]-- > 0);
}

int xsk_sys_mkdir(const char *path)
{
	int fd = find_file(-1, path);

	if (world.files[fd].write_err)
		return world.files[fd].write_err;
	if (world.files[fd].exists)
		return -EEXIST;
	world.files[fd].exists = true;
	return 0;
}

int xsk_sys_lock(int fd, int operation)
{
	if ((fd == FOLDER && world.stopped) ||
	    (fd == THE_RECORD && world.others && operation == LOCK_EX))
		return -EWOULDBLOCK;
	return 0;
}

int xsk_sys_read_text(int fd, char *text, size_t size)
{
	return snprintf(text, size, "%s", world.files[fd].text);
}

static void set_all(int fd, const char *text)
{
	for (struct fake_napi *napi = world.napis; napi->id; napi++) {
		if (fd == SYS_DEFER && napi->ifindex == IFINDEX)
			napi->defer = (uint32_t)atoi(text);
		if (fd == SYS_TIMEOUT && napi->ifindex == IFINDEX)
			napi->timeout = (uint64_t)atoi(text);
	}
}

int xsk_sys_write_text(int fd, const char *text)
{
	if (world.files[fd].write_err)
		return world.files[fd].write_err;
	memcpy(world.files[fd].text, text, strlen(text));
	if (fd != THE_RECORD)
		world.files[fd].text[strlen(text)] = '\0';
	if (world.sets_all)
		set_all(fd, text);
	return 0;
}

int xsk_sys_truncate(int fd, size_t len)
{
	world.files[fd].text[len] = '\0';
	return 0;
}

int xsk_sys_unlink(int dir, const char *name, int fd)
{
	assert_int_equal(find_file(dir, name), fd);
	assert_string_equal(world.files[fd].text, "");
	world.files[fd].exists = false;
	return 0;
}

void xsk_sys_sleep_ms(unsigned int ms)
{
	world.slept += ms;
}

int xsk_sys_netns(uint64_t *ret)
{
	*ret = 77;
	return 0;
}

int xsk_sys_address(const char *ifname, uint8_t address[XSK_SYS_ADDRESS_SIZE])
{
	static const uint8_t mine[] = { 2, 0, 0, 10, 11, 12 };

	assert_string_equal(ifname, "eth0");
	memcpy(address, mine, sizeof(mine));
	return 0;
}

/* ---- netlink ---- */

static int a_socket;

int xsk_netlink_open(struct mnl_socket **ret, int bus)
{
	assert_int_equal(bus, NETLINK_GENERIC);
	*ret = (void *)&a_socket;
	world.sockets++;
	return 0;
}

void xsk_netlink_close(struct mnl_socket *sock)
{
	if (sock)
		world.sockets--;
}

struct asked {
	uint64_t value[8];
};

static int read_attr(const struct nlattr *attr, void *data)
{
	struct asked *asked = data;
	uint16_t type = mnl_attr_get_type(attr);

	assert_true(type < 8);
	asked->value[type] = mnl_attr_get_payload_len(attr) == sizeof(uint64_t)
		? mnl_attr_get_u64(attr) : mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static struct fake_napi *find_napi(uint64_t id)
{
	for (struct fake_napi *napi = world.napis; napi->id; napi++)
		if (napi->id == id && !world.queue_err)
			return napi;
	return NULL;
}

static int tell_napi(const struct fake_napi *napi, mnl_cb_t each, void *data)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *answer = xsk_netlink_generic(room, FAMILY, XSK_NETDEV_CMD_NAPI_GET);

	mnl_attr_put_u32(answer, XSK_NETDEV_A_NAPI_ID, napi->id);
	mnl_attr_put_u32(answer, XSK_NETDEV_A_NAPI_IFINDEX, (uint32_t)napi->ifindex);
	if (!world.no_settings) {
		mnl_attr_put_u32(answer, XSK_NETDEV_A_NAPI_DEFER_HARD_IRQS, napi->defer);
		if (napi->timeout > UINT32_MAX)
			mnl_attr_put_u64(answer, XSK_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT,
					 napi->timeout);
		else
			mnl_attr_put_u32(answer, XSK_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT,
					 (uint32_t)napi->timeout);
	}
	return each(answer, data) == MNL_CB_ERROR ? -EPROTO : 0;
}

static int tell_family(mnl_cb_t each, void *data)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *answer = xsk_netlink_generic(room, GENL_ID_CTRL, CTRL_CMD_NEWFAMILY);

	if (world.family_err)
		return world.family_err;
	mnl_attr_put_strz(answer, CTRL_ATTR_FAMILY_NAME, "netdev");
	mnl_attr_put_u16(answer, CTRL_ATTR_FAMILY_ID, FAMILY);
	return each(answer, data) == MNL_CB_ERROR ? -EPROTO : 0;
}

static int tell_queue(const struct asked *asked, mnl_cb_t each, void *data)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *answer = xsk_netlink_generic(room, FAMILY, XSK_NETDEV_CMD_QUEUE_GET);
	uint64_t queue = asked->value[XSK_NETDEV_A_QUEUE_ID];
	uint64_t type = asked->value[XSK_NETDEV_A_QUEUE_TYPE];

	assert_int_equal(asked->value[XSK_NETDEV_A_QUEUE_IFINDEX], IFINDEX);
	if (world.queue_err)
		return world.queue_err;
	/* More queues receive than send. */
	if (queue >= QUEUES - (type == XSK_NETDEV_QUEUE_TYPE_TX))
		return -EINVAL;
	mnl_attr_put_u32(answer, XSK_NETDEV_A_QUEUE_ID, (uint32_t)queue);
	if (world.queues[type][queue])
		mnl_attr_put_u32(answer, XSK_NETDEV_A_QUEUE_NAPI_ID, world.queues[type][queue]);
	return each(answer, data) == MNL_CB_ERROR ? -EPROTO : 0;
}

static int set_napi(const struct asked *asked)
{
	uint64_t id = asked->value[XSK_NETDEV_A_NAPI_ID];
	struct fake_napi *napi = find_napi(id);
	char line[32];

	if (!napi)
		return -ENOENT;
	if (world.set_err && (!world.refused || world.refused == id))
		return world.set_err;
	snprintf(line, sizeof(line), "napi %u defer", napi->id);
	if (asked->value[XSK_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT] != napi->timeout &&
	    world.files[THE_RECORD].exists && !world.files[THE_RECORD].write_err)
		assert_non_null(strstr(world.files[THE_RECORD].text, line));
	napi->defer = (uint32_t)asked->value[XSK_NETDEV_A_NAPI_DEFER_HARD_IRQS];
	napi->timeout = asked->value[XSK_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT];
	world.sets++;
	return 0;
}

static int dump_napis(const struct asked *asked, mnl_cb_t each, void *data)
{
	assert_int_equal(asked->value[XSK_NETDEV_A_NAPI_IFINDEX], IFINDEX);
	if (world.queue_err)
		return world.queue_err == -ENOENT ? 0 : world.queue_err;
	for (const struct fake_napi *napi = world.napis; napi->id; napi++)
		if (napi->ifindex == IFINDEX && tell_napi(napi, each, data))
			return -EPROTO;
	return 0;
}

int xsk_netlink_ask_on(struct mnl_socket *sock, struct nlmsghdr *request, mnl_cb_t each,
		       void *data)
{
	const struct genlmsghdr *generic = mnl_nlmsg_get_payload(request);
	struct asked asked = { { 0 } };
	const struct fake_napi *napi;

	assert_ptr_equal(sock, &a_socket);
	if (request->nlmsg_type == GENL_ID_CTRL)
		return tell_family(each, data);
	assert_int_equal(request->nlmsg_type, FAMILY);
	mnl_attr_parse(request, sizeof(*generic), read_attr, &asked);
	switch (generic->cmd) {
	case XSK_NETDEV_CMD_QUEUE_GET:
		return tell_queue(&asked, each, data);
	case XSK_NETDEV_CMD_NAPI_SET:
		assert_true(request->nlmsg_flags & NLM_F_ACK);
		return set_napi(&asked);
	}
	assert_int_equal(generic->cmd, XSK_NETDEV_CMD_NAPI_GET);
	if (request->nlmsg_flags & NLM_F_DUMP)
		return dump_napis(&asked, each, data);
	napi = find_napi(asked.value[XSK_NETDEV_A_NAPI_ID]);
	return napi ? tell_napi(napi, each, data) : -ENOENT;
}

/* ---- what is seen ---- */

static struct xsk_error error;

static int defer(struct xsk_napi *napi, uint32_t first, uint32_t count)
{
	memset(&error, 0, sizeof(error));
	return xsk_napi_defer(napi, IFINDEX, "eth0", first, count, &error);
}

static bool is_deferred(uint32_t id)
{
	return find_napi(id)->defer == 2 && find_napi(id)->timeout == 200000;
}

static void assert_deferred(bool first, bool second, bool third, bool fourth)
{
	assert_int_equal(is_deferred(11), first);
	assert_int_equal(is_deferred(12), second);
	assert_int_equal(is_deferred(13), third);
	assert_int_equal(is_deferred(14), fourth);
	assert_false(is_deferred(21));
}

/* What reset() has made, and no record. */
static void assert_put_back(void)
{
	struct fake_napi napis[6];

	memcpy(napis, world.napis, sizeof(napis));
	assert_false(world.files[THE_RECORD].exists);
	assert_int_equal(atoi(world.files[SYS_DEFER].text), 4);
	assert_int_equal(atoi(world.files[SYS_TIMEOUT].text), 444);
	nothing_is_open(NULL);
	reset(NULL);
	assert_memory_equal(napis, world.napis, sizeof(napis));
}

static void no_sysfs(void)
{
	world.files[SYS].exists = false;
}

/* ---- by NAPI ---- */

static void queues_that_tell(void **state)
{
	struct xsk_napi napi;

	(void)state;
	assert_int_equal(defer(&napi, 1, 2), 0);
	assert_string_equal(napi.how, "per NAPI");
	assert_deferred(false, true, true, false);
	assert_string_equal(world.files[THE_RECORD].text,
			    "napi 12 defer 1 timeout 1000\nnapi 13 defer 2 timeout 999\n");
	xsk_napi_restore(&napi);
	assert_put_back();

	/* Those that send, too; one that does both; and a last one that only receives. */
	world.queues[XSK_NETDEV_QUEUE_TYPE_TX][1] = 13;
	world.queues[XSK_NETDEV_QUEUE_TYPE_TX][2] = 13;
	assert_int_equal(defer(&napi, 2, 2), 0);
	assert_deferred(false, false, true, true);
	assert_int_equal(world.sets, 2);
	xsk_napi_restore(&napi);
	assert_put_back();
}

static void queues_that_do_not(void **state)
{
	struct xsk_napi napi;

	(void)state;
	world.queues[XSK_NETDEV_QUEUE_TYPE_RX][2] = 0;
	assert_int_equal(defer(&napi, 1, 2), 0);
	assert_string_equal(napi.how, "per NAPI, all of the interface");
	assert_deferred(true, true, true, true);
	xsk_napi_restore(&napi);
	assert_put_back();
}

/* Other queues' NAPIs are added to the record; the same ones' stay as they were first. */
static void second_user(void **state)
{
	struct xsk_napi one, two;

	(void)state;
	assert_int_equal(defer(&one, 0, 2), 0);
	world.others = true;
	find_napi(11)->timeout = 7;		/* by the driver, say */
	assert_int_equal(defer(&two, 0, 3), 0);
	assert_deferred(true, true, true, false);
	assert_string_equal(world.files[THE_RECORD].text, "napi 11 defer 0 timeout 0\n"
			    "napi 12 defer 1 timeout 1000\nnapi 13 defer 2 timeout 999\n");
	xsk_napi_restore(&one);
	assert_deferred(true, true, true, false);
	world.others = false;
	xsk_napi_restore(&two);
	assert_put_back();
}

static void deferred_by_somebody_else(void **state)
{
	struct xsk_napi napi;

	(void)state;
	find_napi(12)->defer = 2;
	find_napi(12)->timeout = 200000;
	assert_int_equal(defer(&napi, 1, 2), 0);
	assert_string_equal(world.files[THE_RECORD].text, "napi 13 defer 2 timeout 999\n");
	xsk_napi_restore(&napi);
	assert_deferred(false, true, false, false);
}

/* What the dead left is put back by who comes next, on whatever queues. */
static void crash_on_other_queues(void **state)
{
	struct xsk_napi dead, napi;

	(void)state;
	assert_int_equal(defer(&dead, 0, 2), 0);
	assert_int_equal(defer(&napi, 2, 1), 0);
	assert_deferred(false, false, true, false);
	assert_string_equal(world.files[THE_RECORD].text, "napi 13 defer 2 timeout 999\n");
	xsk_napi_restore(&napi);
	xsk_napi_restore(&dead);
	assert_put_back();
}

static void another_interfaces_napi_by_now(void **state)
{
	struct xsk_napi napi;

	(void)state;
	assert_int_equal(defer(&napi, 0, 1), 0);
	find_napi(11)->ifindex = IFINDEX + 1;
	xsk_napi_restore(&napi);
	assert_true(is_deferred(11));
	assert_false(world.files[THE_RECORD].exists);
}

static void refused_half_way(void **state)
{
	struct xsk_napi napi, untouched;

	(void)state;
	memset(&napi, 0xa5, sizeof(napi));
	untouched = napi;
	no_sysfs();
	world.set_err = -EPERM;
	world.refused = 13;
	assert_int_equal(defer(&napi, 0, 4), -EPERM);
	assert_int_equal(error.code, -EPERM);
	assert_string_equal(error.step, "busy poll");
	assert_non_null(strstr(error.reason, "Operation not permitted"));
	assert_non_null(strstr(error.hint, "CAP_NET_ADMIN"));
	assert_memory_equal(&napi, &untouched, sizeof(napi));
	assert_put_back();
}

/* The privilege has gone meanwhile: whoever has it mends that. */
static void cannot_put_back(void **state)
{
	struct xsk_napi napi;

	(void)state;
	assert_int_equal(defer(&napi, 0, 4), 0);
	world.set_err = -EPERM;
	world.refused = 12;
	xsk_napi_restore(&napi);
	assert_deferred(false, true, false, false);
	assert_string_equal(world.files[THE_RECORD].text, "napi 12 defer 1 timeout 1000\n");
	nothing_is_open(NULL);
	world.set_err = 0;
	xsk_napi_recover(IFINDEX, "eth0");
	assert_put_back();
}

/* A driver's NAPIs come back with what they were set to. */
static void down_meanwhile(void **state)
{
	struct xsk_napi napi;

	(void)state;
	assert_int_equal(defer(&napi, 0, 1), 0);
	world.queue_err = -ENOENT;
	xsk_napi_restore(&napi);
	assert_true(world.files[THE_RECORD].exists);
	xsk_napi_recover(IFINDEX, "eth0");
	assert_true(world.files[THE_RECORD].exists);

	/* Who defers now does so for the interface, and that is recorded besides. */
	assert_int_equal(defer(&napi, 0, 1), 0);
	assert_string_equal(world.files[THE_RECORD].text,
			    "napi 11 defer 0 timeout 0\ninterface defer 4 timeout 444\n");
	world.queue_err = 0;
	/* It comes up; the interface's are put back first, and go to all NAPIs. */
	world.sets_all = true;
	xsk_napi_restore(&napi);
	assert_int_equal(find_napi(11)->defer, 0);
	assert_int_equal(find_napi(11)->timeout, 0);
	assert_int_equal(find_napi(14)->timeout, 444);
	assert_false(world.files[THE_RECORD].exists);
}

static void gone_meanwhile(void **state)
{
	struct xsk_napi napi;

	(void)state;
	assert_int_equal(defer(&napi, 0, 4), 0);
	world.queue_err = -ENODEV;
	xsk_napi_restore(&napi);
	assert_false(world.files[THE_RECORD].exists);
}

/* ---- for the interface ---- */

static void assert_for_the_interface(void)
{
	struct xsk_napi napi, other;

	assert_int_equal(defer(&napi, 0, 1), 0);
	assert_string_equal(napi.how, "for the interface");
	assert_string_equal(world.files[SYS_DEFER].text, "2");
	assert_string_equal(world.files[SYS_TIMEOUT].text, "200000");
	assert_string_equal(world.files[THE_RECORD].text, "interface defer 4 timeout 444\n");
	assert_int_equal(world.sets, 0);
	world.others = true;
	strcpy(world.files[SYS_TIMEOUT].text, "5\n");		/* by somebody */
	assert_int_equal(defer(&other, 1, 1), 0);
	assert_string_equal(world.files[THE_RECORD].text, "interface defer 4 timeout 444\n");
	xsk_napi_restore(&other);
	assert_string_equal(world.files[SYS_DEFER].text, "2");
	world.others = false;
	xsk_napi_restore(&napi);
	assert_put_back();
}

static void older_kernels(void **state)
{
	(void)state;
	world.family_err = -ENOENT;		/* before 6.3 */
	assert_for_the_interface();
	world.queue_err = -EOPNOTSUPP;		/* before 6.8 */
	assert_for_the_interface();
	world.no_settings = true;		/* before 6.13 */
	assert_for_the_interface();
	/* In a user namespace the one is forbidden, the other is not. */
	world.set_err = -EPERM;
	assert_for_the_interface();
	world.queue_err = -ENOENT;		/* down */
	assert_for_the_interface();
}

static void assert_refused(int err, const char *reason)
{
	struct xsk_napi napi = { .how = "untouched" };

	if (!world.queue_err)
		world.family_err = -ENOENT;
	assert_int_equal(defer(&napi, 0, 1), err);
	assert_non_null(strstr(napi.how, err == -EOPNOTSUPP ? reason : "untouched"));
	assert_int_equal(error.code, err);
	assert_non_null(strstr(error.reason, reason));
	assert_int_not_equal(error.hint[0], 0);
	assert_put_back();
}

static void neither_way(void **state)
{
	(void)state;
	no_sysfs();
	assert_refused(-EOPNOTSUPP, "the kernel cannot");
	no_sysfs();
	world.queue_err = -ENOENT;
	assert_refused(-EOPNOTSUPP, "the interface is down");
	assert_string_equal(error.hint, "ip link set eth0 up");
	no_sysfs();
	world.queue_err = -ENODEV;
	assert_refused(-ENODEV, "No such device");
	/* What would do with a little more is no reason to do without. */
	no_sysfs();
	world.queue_err = -EMFILE;
	assert_refused(-EMFILE, "Too many open files");
	no_sysfs();
	world.queue_err = -ENOMEM;
	assert_refused(-ENOMEM, "Cannot allocate memory");
	strcpy(world.files[SYS_IFINDEX].text, "13\n");
	assert_refused(-EOPNOTSUPP, "another network namespace");
	strcpy(world.files[SYS_ADDRESS].text, "02:00:00:0a:0b:0d\n");
	assert_refused(-EOPNOTSUPP, "another network namespace");
	world.files[SYS_DEFER].write_err = -EACCES;
	assert_refused(-EPERM, "Permission denied");
	/* The first of the two is put back. */
	world.files[SYS_TIMEOUT].write_err = -EACCES;
	assert_refused(-EPERM, "Permission denied");
}

/* ---- without a record ---- */

static void assert_unrecorded(const char *why)
{
	struct xsk_napi napi, other;

	assert_int_equal(defer(&napi, 0, 2), 0);
	assert_non_null(strstr(napi.how, "per NAPI; a crash cannot be mended: /run/libxsk: "));
	assert_non_null(strstr(napi.how, why));
	assert_deferred(true, true, false, false);
	/* Nobody knows of the other, and nothing is left by either. */
	assert_int_equal(defer(&other, 0, 3), 0);
	assert_deferred(true, true, true, false);
	xsk_napi_restore(&napi);
	xsk_napi_restore(&other);
	world.files[THE_RECORD].exists = false;
	assert_put_back();
}

static void no_record(void **state)
{
	(void)state;
	world.files[FOLDER].write_err = -EROFS;
	assert_unrecorded("Read-only file system");
	world.files[THE_RECORD].write_err = -ENOSPC;
	assert_unrecorded("No space left");
	world.stopped = true;
	assert_unrecorded("a process that is stopped");
	/* (That was two waits.) */
	world.stopped = true;
	world.files[FOLDER].exists = world.files[THE_RECORD].exists = true;
	xsk_napi_recover(IFINDEX, "eth0");
	assert_int_equal(world.slept, 1000);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, reset, nothing_is_open)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queues_that_tell),
		TEST(queues_that_do_not),
		TEST(second_user),
		TEST(deferred_by_somebody_else),
		TEST(crash_on_other_queues),
		TEST(another_interfaces_napi_by_now),
		TEST(refused_half_way),
		TEST(cannot_put_back),
		TEST(down_meanwhile),
		TEST(gone_meanwhile),
		TEST(older_kernels),
		TEST(neither_way),
		TEST(no_record),
	};

	return cmocka_run_group_tests_name("napi", tests, NULL, NULL);
}
