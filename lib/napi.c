/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "napi.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "netlink.h"
#include "sys.h"

static const struct xsk_setting deferred = {
	.defer = XSK_NAPI_DEFER_HARD_IRQS,
	.timeout = XSK_NAPI_GRO_FLUSH_TIMEOUT,
};

static bool is_deferred(const struct xsk_setting *now)
{
	return now->defer == deferred.defer && now->timeout == deferred.timeout;
}

/* ---- by netlink, one NAPI ---- */

/* The attributes of an answer that are numbers, by their type. */
#define NUMBERS 8
struct numbers {
	uint64_t value[NUMBERS];
	uint32_t seen;
};

static bool seen(const struct numbers *numbers, int type)
{
	return numbers->seen & (1u << type);
}

static int take_number(const struct nlattr *attr, void *data)
{
	struct numbers *numbers = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type >= NUMBERS)
		return MNL_CB_OK;
	/* One type of attribute, "uint", has the length that its value needs. */
	switch (mnl_attr_get_payload_len(attr)) {
	case sizeof(uint16_t):
		numbers->value[type] = mnl_attr_get_u16(attr);
		break;
	case sizeof(uint32_t):
		numbers->value[type] = mnl_attr_get_u32(attr);
		break;
	case sizeof(uint64_t):
		numbers->value[type] = mnl_attr_get_u64(attr);
		break;
	default:
		return MNL_CB_OK;
	}
	numbers->seen |= 1u << type;
	return MNL_CB_OK;
}

static int take_numbers(const struct nlmsghdr *answer, void *data)
{
	return mnl_attr_parse(answer, sizeof(struct genlmsghdr), take_number, data) < MNL_CB_STOP
		? MNL_CB_ERROR : MNL_CB_STOP;
}

static int find_family(struct xsk_napi *napi)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = xsk_netlink_generic(room, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	struct numbers numbers = { 0 };
	int err;

	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, XSK_NETDEV_FAMILY);
	err = xsk_netlink_ask_on(napi->sock, request, take_numbers, &numbers);
	if (err)
		return err;
	if (!seen(&numbers, CTRL_ATTR_FAMILY_ID))
		return -EPROTO;
	napi->family = (uint16_t)numbers.value[CTRL_ATTR_FAMILY_ID];
	return 0;
}

/*
 * The NAPI of a queue; *id is 0 where the driver does not tell, or where there is
 * no such queue. -ENOENT: the interface is down.
 */
static int ask_queue(const struct xsk_napi *napi, uint32_t *id, uint32_t queue, uint32_t type)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct numbers numbers = { 0 };
	struct nlmsghdr *request;
	int err;

	request = xsk_netlink_generic(room, napi->family, XSK_NETDEV_CMD_QUEUE_GET);
	mnl_attr_put_u32(request, XSK_NETDEV_A_QUEUE_ID, queue);
	mnl_attr_put_u32(request, XSK_NETDEV_A_QUEUE_IFINDEX, (uint32_t)napi->ifindex);
	mnl_attr_put_u32(request, XSK_NETDEV_A_QUEUE_TYPE, type);
	err = xsk_netlink_ask_on(napi->sock, request, take_numbers, &numbers);
	if (err && err != -EINVAL)
		return err;
	*id = err ? 0 : (uint32_t)numbers.value[XSK_NETDEV_A_QUEUE_NAPI_ID];
	return 0;
}

/* -ENOENT: there is none with this id, or its interface is down. */
static int get(const struct xsk_napi *napi, struct xsk_setting *ret, int *ifindex,
	       uint32_t id)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct numbers numbers = { 0 };
	struct nlmsghdr *request;
	int err;

	request = xsk_netlink_generic(room, napi->family, XSK_NETDEV_CMD_NAPI_GET);
	mnl_attr_put_u32(request, XSK_NETDEV_A_NAPI_ID, id);
	err = xsk_netlink_ask_on(napi->sock, request, take_numbers, &numbers);
	if (err)
		return err;
	if (!seen(&numbers, XSK_NETDEV_A_NAPI_DEFER_HARD_IRQS) ||
	    !seen(&numbers, XSK_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT))
		return -EOPNOTSUPP;		/* before 6.13 */
	*ret = (struct xsk_setting){
		.id = id,
		.defer = (uint32_t)numbers.value[XSK_NETDEV_A_NAPI_DEFER_HARD_IRQS],
		.timeout = numbers.value[XSK_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT],
	};
	*ifindex = (int)numbers.value[XSK_NETDEV_A_NAPI_IFINDEX];
	return 0;
}

static int set(const struct xsk_napi *napi, uint32_t id, const struct xsk_setting *setting)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request;

	request = xsk_netlink_generic(room, napi->family, XSK_NETDEV_CMD_NAPI_SET);
	request->nlmsg_flags |= NLM_F_ACK;
	mnl_attr_put_u32(request, XSK_NETDEV_A_NAPI_ID, id);
	mnl_attr_put_u32(request, XSK_NETDEV_A_NAPI_DEFER_HARD_IRQS, setting->defer);
	mnl_attr_put_u64(request, XSK_NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT, setting->timeout);
	return xsk_netlink_ask_on(napi->sock, request, NULL, NULL);
}

/* ---- by sysfs, the interface ---- */

static int read_number(int sysfs, const char *name, unsigned long long *ret)
{
	char text[32], *end;
	int fd = xsk_sys_open(sysfs, name, O_RDONLY), len;

	if (fd < 0)
		return fd;
	len = xsk_sys_read_text(fd, text, sizeof(text));
	xsk_sys_close(fd);
	if (len < 0)
		return len;
	*ret = strtoull(text, &end, 10);
	return end == text ? -EPROTO : 0;
}

static int write_number(int sysfs, const char *name, unsigned long long value)
{
	int fd = xsk_sys_open(sysfs, name, O_WRONLY), err;
	char text[32];

	if (fd < 0)
		return fd;
	snprintf(text, sizeof(text), "%llu", value);
	err = xsk_sys_write_text(fd, text);
	xsk_sys_close(fd);
	return err;
}

static int get_interface(int sysfs, struct xsk_setting *ret)
{
	unsigned long long defer, timeout;
	int err;

	err = read_number(sysfs, "napi_defer_hard_irqs", &defer);
	if (!err)
		err = read_number(sysfs, "gro_flush_timeout", &timeout);
	if (!err)
		*ret = (struct xsk_setting){ .defer = (uint32_t)defer, .timeout = timeout };
	return err;
}

static int set_interface(int sysfs, const struct xsk_setting *setting)
{
	int err = write_number(sysfs, "napi_defer_hard_irqs", setting->defer);

	return err ? err : write_number(sysfs, "gro_flush_timeout", setting->timeout);
}

/*
 * What /sys shows is of the namespace in which it was mounted, and the thread may be
 * in another, with another interface of that name. -EXDEV: so it is.
 */
static int check_sysfs(int sysfs, int ifindex, const char *ifname)
{
	uint8_t address[XSK_SYS_ADDRESS_SIZE];
	char text[32], wanted[32];
	unsigned long long number;
	int err, fd;

	err = read_number(sysfs, "ifindex", &number);
	if (!err)
		err = xsk_sys_address(ifname, address);
	if (err)
		return err;
	fd = xsk_sys_open(sysfs, "address", O_RDONLY);
	if (fd < 0)
		return fd;
	err = xsk_sys_read_text(fd, text, sizeof(text));
	xsk_sys_close(fd);
	if (err < 0)
		return err;
	snprintf(wanted, sizeof(wanted), "%02x:%02x:%02x:%02x:%02x:%02x\n", address[0],
		 address[1], address[2], address[3], address[4], address[5]);
	/* No address says nothing: every namespace has such a loopback. */
	if (number != (unsigned long long)ifindex || strcmp(text, wanted) ||
	    !strcmp(text, "00:00:00:00:00:00\n"))
		return -EXDEV;
	return 0;
}

static int open_sysfs(int ifindex, const char *ifname)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/sys/class/net/%.20s", ifname);
	fd = xsk_sys_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	err = check_sysfs(fd, ifindex, ifname);
	if (!err)
		return fd;
	xsk_sys_close(fd);
	return err;
}

/* ---- putting back ---- */

/* It will not be otherwise next time. */
static bool is_final(int err)
{
	return !err || err == -ENOENT || err == -ENODEV || err == -EINVAL || err == -ERANGE;
}

/* Some drivers' NAPIs come back with their settings, when their interface is up again. */
static bool is_down(const struct xsk_napi *napi)
{
	uint32_t id;

	return ask_queue(napi, &id, 0, XSK_NETDEV_QUEUE_TYPE_RX) == -ENOENT;
}

/* Sets was->keep; returns whether the NAPIs were all set with it. */
static bool put_back_interface(const struct xsk_napi *napi, struct xsk_setting *was)
{
	struct xsk_setting now;
	int err;

	was->keep = true;
	if (napi->sysfs < 0)
		return false;
	err = get_interface(napi->sysfs, &now);
	if (!err && !is_deferred(&now)) {
		was->keep = false;
		return false;
	}
	if (!err)
		err = set_interface(napi->sysfs, was);
	was->keep = !is_final(err);
	return !err;
}

static void put_back_napi(const struct xsk_napi *napi, struct xsk_setting *was, bool anyway)
{
	struct xsk_setting now;
	int err, ifindex;

	was->keep = true;
	if (!napi->sock)
		return;
	err = get(napi, &now, &ifindex, was->id);
	if (!err && ifindex == napi->ifindex && (anyway || is_deferred(&now)))
		err = set(napi, was->id, was);
	was->keep = err == -ENOENT ? is_down(napi) : !is_final(err);
}

/* What must be tried again later is left in the list. */
static void put_back(const struct xsk_napi *napi, struct xsk_settings *list)
{
	bool all = false;
	size_t kept = 0;

	/* The interface first: it sets each NAPI that it has. */
	for (size_t i = 0; i < list->count; i++)
		if (!list->at[i].id)
			all |= put_back_interface(napi, &list->at[i]);
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i].id)
			put_back_napi(napi, &list->at[i], all);
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i].keep)
			list->at[kept++] = list->at[i];
	list->count = kept;
}

/* Entered and alone: puts back what is recorded. Whether nothing is left of it. */
static bool mend(const struct xsk_napi *napi)
{
	struct xsk_settings settings = { 0 };
	bool done = false;

	/* What could not be read whole must not be written. */
	if (!xsk_record_read(&napi->record, &settings)) {
		put_back(napi, &settings);
		done = !xsk_record_write(&napi->record, &settings, NULL) && !settings.count;
	}
	xsk_settings_clear(&settings);
	return done;
}

/* ---- a user: from all that it needs to nothing ---- */

static void close_all(struct xsk_napi *napi)
{
	xsk_record_close(&napi->record);
	xsk_sys_close(napi->sysfs);
	xsk_netlink_close(napi->sock);
	xsk_settings_clear(&napi->own);
	memset(napi, 0, sizeof(*napi));
}

/* Why something cannot be had; 0: it can. */
struct reasons {
	int netlink;
	int sysfs;
	int record;
};

static int open_netlink(struct xsk_napi *napi)
{
	int err;

	err = xsk_netlink_open(&napi->sock, NETLINK_GENERIC);
	if (err)
		return err;
	err = find_family(napi);
	if (err) {
		xsk_netlink_close(napi->sock);
		napi->sock = NULL;
	}
	return err == -ENOENT ? -EOPNOTSUPP : err;	/* before 6.3 */
}

static void open_ways(struct xsk_napi *napi, const char *ifname, struct reasons *reasons)
{
	reasons->netlink = open_netlink(napi);
	napi->sysfs = open_sysfs(napi->ifindex, ifname);
	reasons->sysfs = napi->sysfs < 0 ? napi->sysfs : 0;
}

/* One of the living, and entered; first what the dead have left is put back. */
static int join(struct xsk_napi *napi)
{
	int err;

	err = xsk_record_open(&napi->record, napi->ifindex);
	if (err)
		return err;
	if (xsk_record_alone(&napi->record))
		mend(napi);
	err = xsk_record_share(&napi->record);
	if (err)
		xsk_record_close(&napi->record);
	return err;
}

/* Entered: if nobody else lives, all is put back. */
static void part(const struct xsk_napi *napi)
{
	if (xsk_record_alone(&napi->record) && mend(napi))
		xsk_record_remove(&napi->record);
	/* The failed attempt took the shared lock, which a forked process may need. */
	xsk_record_share(&napi->record);
}

/* ---- deferring ---- */

static int add_wanted(struct xsk_settings *wanted, uint32_t id)
{
	if (!id || xsk_settings_have(wanted, id))
		return 0;
	return xsk_settings_add(wanted, &(struct xsk_setting){ .id = id });
}

/* -ENOENT: the queue, of both directions, does not tell. */
static int find_by_queue(const struct xsk_napi *napi, struct xsk_settings *wanted, uint32_t queue)
{
	static const uint32_t types[] = { XSK_NETDEV_QUEUE_TYPE_RX, XSK_NETDEV_QUEUE_TYPE_TX };
	bool found = false;

	for (int i = 0; i < 2; i++) {
		uint32_t id;
		int err = ask_queue(napi, &id, queue, types[i]);

		if (err)
			return err == -ENOENT ? -ENETDOWN : err;
		err = add_wanted(wanted, id);
		if (err)
			return err;
		found |= id != 0;
	}
	return found ? 0 : -ENOENT;
}

static int take_napi(const struct nlmsghdr *answer, void *data)
{
	struct numbers numbers = { 0 };

	if (take_numbers(answer, &numbers) == MNL_CB_ERROR ||
	    add_wanted(data, (uint32_t)numbers.value[XSK_NETDEV_A_NAPI_ID]))
		return MNL_CB_ERROR;
	return MNL_CB_OK;
}

/* -ENOENT: the interface has none. */
static int find_all(const struct xsk_napi *napi, struct xsk_settings *wanted)
{
	uint8_t room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request;
	int err;

	request = xsk_netlink_generic(room, napi->family, XSK_NETDEV_CMD_NAPI_GET);
	request->nlmsg_flags |= NLM_F_DUMP;
	mnl_attr_put_u32(request, XSK_NETDEV_A_NAPI_IFINDEX, (uint32_t)napi->ifindex);
	err = xsk_netlink_ask_on(napi->sock, request, take_napi, wanted);
	if (err)
		return err;
	return wanted->count ? 0 : -ENOENT;
}

/* Writes down what will be changed; where that fails, this user alone knows it. */
static void note(struct xsk_napi *napi, const struct xsk_settings *recorded,
		 struct reasons *reasons)
{
	if (reasons->record || !napi->own.count)
		return;
	reasons->record = xsk_record_write(&napi->record, recorded, &napi->own);
	if (reasons->record)
		xsk_record_close(&napi->record);
}

static int defer_napis(struct xsk_napi *napi, const struct xsk_settings *wanted,
		       const struct xsk_settings *recorded, struct reasons *reasons)
{
	struct xsk_setting was;
	int err = 0, ifindex;

	for (size_t i = 0; i < wanted->count && !err; i++) {
		err = get(napi, &was, &ifindex, wanted->at[i].id);
		if (!err && !is_deferred(&was) && !xsk_settings_have(recorded, was.id))
			err = xsk_settings_add(&napi->own, &was);
	}
	if (err) {
		xsk_settings_clear(&napi->own);
		return err;
	}
	note(napi, recorded, reasons);
	for (size_t i = 0; i < wanted->count && !err; i++)
		err = set(napi, wanted->at[i].id, &deferred);
	return err;
}

static int defer_by_netlink(struct xsk_napi *napi, uint32_t first, uint32_t count,
			    const struct xsk_settings *recorded, struct reasons *reasons)
{
	const char *how = "per NAPI";
	struct xsk_settings wanted = { 0 };
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++)
		err = find_by_queue(napi, &wanted, first + i);
	if (err == -ENOENT) {
		how = "per NAPI, all of the interface";
		err = find_all(napi, &wanted);
	}
	if (!err)
		err = defer_napis(napi, &wanted, recorded, reasons);
	xsk_settings_clear(&wanted);
	if (!err)
		snprintf(napi->how, sizeof(napi->how), "%s", how);
	return err;
}

static int defer_by_sysfs(struct xsk_napi *napi, const struct xsk_settings *recorded,
			  struct reasons *reasons)
{
	struct xsk_setting was;
	int err;

	err = get_interface(napi->sysfs, &was);
	if (!err && !is_deferred(&was) && !xsk_settings_have(recorded, 0))
		err = xsk_settings_add(&napi->own, &was);
	if (err)
		return err;
	note(napi, recorded, reasons);
	err = set_interface(napi->sysfs, &deferred);
	if (err)
		set_interface(napi->sysfs, &was);
	else
		snprintf(napi->how, sizeof(napi->how), "for the interface");
	return err;
}

/* A way has failed: nothing is to be left of it. */
static void undo(struct xsk_napi *napi, const struct xsk_settings *recorded)
{
	if (!napi->own.count)
		return;
	put_back(napi, &napi->own);
	if (napi->record.fd >= 0)
		xsk_record_write(&napi->record, recorded, &napi->own);
	xsk_settings_clear(&napi->own);
}

/* By the best way that there is; entered, if there is a record. */
static int defer(struct xsk_napi *napi, uint32_t first, uint32_t count, struct reasons *reasons)
{
	struct xsk_settings recorded = { 0 };

	if (!reasons->record) {
		reasons->record = xsk_record_read(&napi->record, &recorded);
		if (reasons->record)
			xsk_record_close(&napi->record);
	}
	/* Where the interface has been told, its NAPIs do not show what they were. */
	if (!reasons->netlink && xsk_settings_have(&recorded, 0))
		reasons->netlink = -EALREADY;
	if (!reasons->netlink) {
		reasons->netlink = defer_by_netlink(napi, first, count, &recorded, reasons);
		if (!reasons->netlink)
			goto out;
		undo(napi, &recorded);
	}
	if (!reasons->sysfs) {
		reasons->sysfs = defer_by_sysfs(napi, &recorded, reasons);
		if (reasons->sysfs)
			undo(napi, &recorded);
	}
out:
	xsk_settings_clear(&recorded);
	return reasons->netlink && reasons->sysfs ? -EOPNOTSUPP : 0;
}

/* ---- what is said of it ---- */

/* Fills scratch with it, or not. */
static const char *words(struct xsk_error *scratch, int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "the kernel cannot (6.13)";
	case -ENETDOWN:
		return "the interface is down";
	case -EXDEV:
		return "another network namespace is shown there";
	case -EWOULDBLOCK:
		return "a process that is stopped holds the lock";
	}
	xsk_error_system(scratch, err, "");
	return scratch->reason;
}

/* Something that this process lacks, and the interface would do. */
static bool is_shortage(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

static int code_of(const struct reasons *reasons)
{
	if (reasons->netlink == -ENODEV)
		return -ENODEV;
	if (is_shortage(reasons->netlink))
		return reasons->netlink;
	if (is_shortage(reasons->sysfs))
		return reasons->sysfs;
	if (reasons->netlink == -EPERM || reasons->sysfs == -EPERM || reasons->sysfs == -EACCES)
		return -EPERM;
	return -EOPNOTSUPP;
}

static int refuse(struct xsk_error *error, const char *ifname, const struct reasons *reasons,
		  const char *why)
{
	int err = code_of(reasons);

	xsk_error_set(error, err, "busy poll", "%s cannot defer its interrupts: %s", ifname, why);
	if (err == -EPERM)
		return xsk_error_hint(error, "it takes CAP_NET_ADMIN");
	if (err == -EMFILE || err == -ENFILE)
		return xsk_error_hint(error, "close some descriptors, or raise the limit "
				      "(ulimit -n)");
	if (err == -ENOMEM)
		return xsk_error_hint(error, "free some memory");
	if (reasons->netlink == -ENETDOWN)
		return xsk_error_hint(error, "ip link set %s up", ifname);
	return xsk_error_hint(error, "wait in another way than by busy-polling");
}

static void say_why(char *text, size_t size, const struct reasons *reasons)
{
	struct xsk_error one, two;

	snprintf(text, size, "by NAPI: %.60s; in /sys: %.60s", reasons->netlink == -ENOENT ?
		 "it has none" : words(&one, reasons->netlink), words(&two, reasons->sysfs));
}

static void say_unrecorded(struct xsk_napi *napi, int err)
{
	size_t len = strlen(napi->how);
	struct xsk_error scratch;

	snprintf(napi->how + len, sizeof(napi->how) - len,
		 "; a crash cannot be mended: " XSK_RECORDS ": %.96s", words(&scratch, err));
}

int xsk_napi_defer(struct xsk_napi *ret, int ifindex, const char *ifname, uint32_t first,
		   uint32_t count, struct xsk_error *error)
{
	struct xsk_napi napi = { .in_use = true, .ifindex = ifindex, .record = { -1, -1, "" } };
	struct reasons reasons;
	char why[160];
	int err;

	open_ways(&napi, ifname, &reasons);
	reasons.record = join(&napi);
	err = defer(&napi, first, count, &reasons);
	if (napi.record.fd >= 0) {
		if (err)
			part(&napi);
		xsk_record_leave(&napi.record);
	}
	if (err) {
		close_all(&napi);
		say_why(why, sizeof(why), &reasons);
		err = refuse(error, ifname, &reasons, why);
		if (err == -EOPNOTSUPP)
			snprintf(ret->how, sizeof(ret->how), "interrupts not deferred: %s", why);
		return err;
	}
	if (reasons.record)
		say_unrecorded(&napi, reasons.record);
	*ret = napi;
	return 0;
}

void xsk_napi_restore(struct xsk_napi *napi)
{
	if (!napi->in_use)
		return;
	if (napi->record.fd < 0) {
		put_back(napi, &napi->own);
	} else if (!xsk_record_enter(&napi->record)) {
		part(napi);
		xsk_record_leave(&napi->record);
	}
	close_all(napi);
}

void xsk_napi_recover(int ifindex, const char *ifname)
{
	struct xsk_napi napi = { .ifindex = ifindex };
	struct reasons reasons;

	if (xsk_record_find(&napi.record, ifindex))
		return;
	open_ways(&napi, ifname, &reasons);
	part(&napi);
	xsk_record_leave(&napi.record);
	close_all(&napi);
}
