/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * What cannot be had: filters and keep that are refused at open, filters that an open port
 * does not take, and programs of others. And which privileges it needs.
 */
#include "ports.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "hosts.h"
#include "user_prog.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

#define QUEUES 2
#define OPTS(...) (struct xsk_port_opts){ __VA_ARGS__ }

static struct lab lab;
static struct lab_count before;
static int areas_before;
static struct xsk_filter *dns, *web;

static int count(void **state)
{
	(void)state;
	lab_open(&lab, QUEUES);
	dns = hosts_filter("udp port 53");
	web = hosts_filter("tcp port 80");
	lab_count(&before);
	areas_before = ports_areas();
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	lab_enter(&lab, 0);
	lab_assert_prog(&lab, 0, false);
	lab_assert_unchanged(&before);
	assert_int_equal(ports_areas(), areas_before);
	xsk_filter_free(dns);
	xsk_filter_free(web);
	lab_close(&lab);
	return 0;
}

static void assert_words(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("'%s' does not say '%s'", text, words);
}

/* The filter of an open port is not changed, and why. */
static void unchanged(struct xsk_port *port, const struct xsk_filter *filter, int code,
		      const char *reason, const char *hint)
{
	struct xsk_error error = { 0 };

	assert_int_equal(xsk_port_set_filter(port, filter, &error), code);
	assert_int_equal(error.code, code);
	assert_words(error.reason, reason);
	assert_words(error.hint, hint);
	assert_true(error.step[0]);
	/* Nobody need ask. */
	assert_int_equal(xsk_port_set_filter(port, filter, NULL), code);
	ports_assert_last(code, reason, hint);
}

/* ---- at open ---- */

static void options(void **state)
{
	const uint32_t unknown[] = { 1u << 4, 1u << 31, XSK_KEEP_MANAGEMENT | 1u << 7 };
	struct user_prog prog;

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		ports_refused("lab0", OPTS(.keep = unknown[i]), -EINVAL,
			      "bits that this version does not know", "<xsk/port.h>");
	ports_refused("lab0", OPTS(.direction = XSK_DIRECTION_TX, .keep = 1u << 4), -EINVAL,
		      "bits that this version does not know", "");
	ports_refused("lab0", OPTS(.direction = XSK_DIRECTION_TX, .filter = dns), -EINVAL,
		      "only sends", "leave out");
	ports_refused("lab0", OPTS(.direction = XSK_DIRECTION_TX, .keep = XSK_KEEP_ARP), -EINVAL,
		      "only sends", "leave out");
	ports_refused("lab0", OPTS(.direction = XSK_DIRECTION_TX, .keep_tcp = { 22 }), -EINVAL,
		      "only sends", "leave out");
	ports_refused("lab0", OPTS(.direction = XSK_DIRECTION_TX, .keep_udp = { [14] = 1 }),
		      -EINVAL, "only sends", "leave out");

	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	ports_refused("lab0", OPTS(.flags = XSK_PORT_MAP_FD, .map_fd = prog.map_fd,
				   .filter = dns), -EINVAL, "XSK_PORT_MAP_FD", "leave them out");
	ports_refused("lab0", OPTS(.flags = XSK_PORT_MAP_FD, .map_fd = prog.map_fd,
				   .keep_udp = { 1 }), -EINVAL, "XSK_PORT_MAP_FD",
		      "leave them out");
	user_prog_unload(&prog);
}

/* An interface whose packets have no Ethernet header, while the descriptor is open; or -1. */
static int open_tun(void)
{
	struct ifreq request = { .ifr_name = "tun7", .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0 && ioctl(fd, TUNSETIFF, &request)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void other_than_ethernet(void **state)
{
	int fd = open_tun();

	(void)state;
	if (fd < 0) {
		print_message("# skipped: this kernel has no tun interfaces\n");
		skip();
	}
	lab_run("ip link set tun7 up");
	ports_refused("tun7", OPTS(.filter = dns), -EINVAL, "for Ethernet, and tun7 has packets",
		      "look at them in the program");
	ports_refused("tun7", OPTS(.keep = XSK_KEEP_SSH), -EINVAL, "for Ethernet, and tun7",
		      "look at them in the program");
	close(fd);
}

/* Beyond sz nothing is read. */
static void opts_without_filters(void **state)
{
	struct xsk_port_opts opts = OPTS(.sz = offsetof(struct xsk_port_opts, filter),
					 .queues = 1, .filter = (void *)-1L, .keep = 0xffffffff,
					 .keep_tcp = { 1 });
	struct xsk_port *port = NULL;

	(void)state;
	assert_int_equal(xsk_port_open(&port, "lab0", &opts, NULL), 0);
	ports_receive(xsk_port_queue(port, 0), &lab, 0, 20);
	assert_int_equal(ports_assert_law(port).filter_matched, 0);
	xsk_port_close(port);
	/* And with the first of the new ones alone. */
	opts.sz = offsetof(struct xsk_port_opts, keep);
	opts.filter = dns;
	assert_int_equal(xsk_port_open(&port, "lab0", &opts, NULL), 0);
	hosts_send(&lab, &V4(UDP, .to = 53));
	hosts_queue_expect(xsk_port_queue(port, 0), &V4(UDP, .to = 53));
	hosts_send(&lab, &V4(TCP, .to = 53));
	assert_int_equal(ports_assert_law(port).filter_matched, 1);
	xsk_port_close(port);
}

/* ---- programs that are there ---- */

static void other_filters(void **state)
{
	struct xsk_port *port = ports_open("lab0", OPTS(.filter = dns, .queues = 1));
	const struct xsk_port_opts others[] = {
		OPTS(.first_queue = 1, .filter = web),
		OPTS(.first_queue = 1, .filter = dns, .keep = XSK_KEEP_ARP),
		OPTS(.first_queue = 1, .keep = XSK_KEEP_ARP),
		OPTS(.first_queue = 1, .filter = dns, .keep_tcp = { 22 }),
		OPTS(.first_queue = 1, .filter = dns, .flags = XSK_PORT_NO_COUNTERS),
		OPTS(.first_queue = 1, .filter = web, .flags = XSK_PORT_REPLACE),
	};
	struct xsk_port *other;
	char reason[128];

	(void)state;
	snprintf(reason, sizeof(reason), "lab0 runs the program 'libxsk_filter' (id %u), which "
		 "was made for another filter or keep", ports_info(port).prog_id);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ports_refused("lab0", others[i], -EBUSY, reason,
			      "or close those");
	/* The same, and any. */
	other = ports_open("lab0", OPTS(.first_queue = 1, .filter = dns));
	xsk_port_close(other);
	other = ports_open("lab0", OPTS(.first_queue = 1));
	assert_int_equal(ports_info(other).prog_id, ports_info(port).prog_id);
	xsk_port_close(other);
	xsk_port_close(port);

	port = ports_open("lab0", OPTS(.queues = 1));
	snprintf(reason, sizeof(reason), "lab0 runs the program 'libxsk_default' (id %u), which "
		 "was made for another filter or keep", ports_info(port).prog_id);
	ports_refused("lab0", OPTS(.first_queue = 1, .filter = dns), -EBUSY, reason,
		      "or close those");
	xsk_port_close(port);
	/* As soon as it is gone. */
	xsk_port_close(ports_open("lab0", OPTS(.filter = web)));
}

static void foreign(bool by_link)
{
	struct user_prog prog;
	struct xsk_port *port;

	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	user_prog_attach(&prog, lab.ifindex[0], by_link);
	ports_refused("lab0", OPTS(.filter = dns), -EBUSY, "'users_own'",
		      "that program detached");
	port = ports_open("lab0", OPTS(.queues = 1));
	unchanged(port, dns, -EBUSY, "'users_own'", "detach it");
	unchanged(port, NULL, -EBUSY, "'users_own'", "detach it");
	assert_int_equal(lab_prog_id(&lab, 0), prog.id);
	ports_receive(xsk_port_queue(port, 0), &lab, 0, 20);
	xsk_port_close(port);
	user_prog_unload(&prog);

	/* Without a map for sockets it may be replaced. */
	user_prog_load(&prog, USER_MAP_NONE, 0);
	user_prog_attach(&prog, lab.ifindex[0], by_link);
	ports_refused("lab0", OPTS(.filter = dns), -EBUSY, "has no XSKMAP", "");
	port = ports_open("lab0", OPTS(.filter = dns, .flags = XSK_PORT_REPLACE));
	assert_int_equal(xsk_port_set_filter(port, web, NULL), 0);
	xsk_port_close(port);
	prog.ifindex = 0;
	user_prog_unload(&prog);
	port = ports_open("lab0", OPTS(.filter = dns));
	xsk_port_close(port);
}

static void programs_of_others(void **state)
{
	(void)state;
	foreign(false);
	lab_assert_prog(&lab, 0, false);
	foreign(true);
}

/* ---- an open port ---- */

static void ports_without_filters(void **state)
{
	struct user_prog prog;
	struct xsk_port *port;

	(void)state;
	unchanged(NULL, dns, -EINVAL, "NULL", "open it");
	unchanged(NULL, NULL, -EINVAL, "NULL", "open it");
	port = ports_open("lab0", OPTS(.direction = XSK_DIRECTION_TX));
	unchanged(port, dns, -EINVAL, "only sends", "to receive");
	unchanged(port, NULL, -EINVAL, "only sends", "to receive");
	xsk_port_close(port);
	user_prog_load(&prog, USER_MAP_XSKMAP, QUEUES);
	port = ports_open("lab0", OPTS(.flags = XSK_PORT_MAP_FD, .map_fd = prog.map_fd));
	unchanged(port, dns, -EINVAL, "XSK_PORT_MAP_FD", "without XSK_PORT_MAP_FD");
	xsk_port_close(port);
	user_prog_unload(&prog);
}

/* As "bpftool link detach" does. */
static void detach(uint32_t prog_id)
{
	struct bpf_link_info info;
	uint32_t id = 0, len;
	int detached = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		int fd = bpf_link_get_fd_by_id(id);

		len = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.prog_id == prog_id)
			detached += !bpf_link_detach(fd);
		if (fd >= 0)
			close(fd);
	}
	assert_int_equal(detached, 1);
}

static void detached_by_others(void **state)
{
	struct xsk_port *port = ports_open("lab0", OPTS(.filter = dns));

	(void)state;
	detach(ports_info(port).prog_id);
	lab_assert_prog(&lab, 0, false);
	unchanged(port, web, -ENOLINK, "others have detached it", "open it anew");
	xsk_port_close(port);
	/* As it says. */
	port = ports_open("lab0", OPTS(.filter = web));
	hosts_send(&lab, &V4(TCP, .to = 80));
	hosts_queue_expect(xsk_port_queue(port, 0), &V4(TCP, .to = 80));
	xsk_port_close(port);
}

/* Its program goes along, and is changed there as here; then it is left. */
static void interface_that_was_moved(void **state)
{
	struct xsk_port *port = ports_open("lab0", OPTS(.filter = dns));

	(void)state;
	lab_run("ip link set lab0 netns /proc/%d/fd/%d", getpid(), lab.ns[1]);
	assert_int_equal(xsk_port_set_filter(port, web, NULL), 0);
	xsk_port_close(port);
	lab_assert_unchanged(&before);
	lab_close(&lab);
	xsk_filter_free(dns);
	xsk_filter_free(web);
	count(NULL);
}

static void interface_that_is_gone(void **state)
{
	struct xsk_port *port = ports_open("lab0", OPTS(.filter = dns));
	struct xsk_port_stats stats;

	(void)state;
	hosts_send(&lab, &V4(TCP, .to = 53));
	stats = ports_assert_law(port);
	lab_run("ip link delete lab0");
	unchanged(port, web, -ENODEV, "gone", "close the port");
	unchanged(port, NULL, -ENODEV, "gone", "close the port");
	/* What was counted is known still. */
	assert_int_equal(ports_assert_law(port).filter_passed, stats.filter_passed);
	assert_int_equal(stats.filter_passed, 1);
	xsk_port_close(port);
	lab_close(&lab);
	xsk_filter_free(dns);
	xsk_filter_free(web);
	count(NULL);
}

/* Two ways for each bit of a byte, that are never the same again: too many for the verifier. */
static void too_long(void **state)
{
	struct sock_filter insns[4 * 4000 + 3], *at = insns;
	struct xsk_port *port = ports_open("lab0", OPTS(.filter = dns));
	struct xsk_filter *filter = NULL;

	(void)state;
	*at++ = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, 0);
	for (uint32_t i = 0; i < 4000; i++) {
		*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, i % 40);
		*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1u << i % 8, 0, 1);
		*at++ = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, i + 1);
		*at++ = (struct sock_filter)BPF_STMT(BPF_ST, 0);
	}
	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	assert_int_equal(xsk_filter_from_cbpf(&filter, insns, (size_t)(at - insns), NULL), 0);
	unchanged(port, filter, -E2BIG, "the kernel's verifier gives up", "networks");
	/* What was there is there still. */
	hosts_send(&lab, &V4(UDP, .to = 53));
	hosts_queue_expect(xsk_port_queue(port, 0), &V4(UDP, .to = 53));
	xsk_filter_free(filter);
	xsk_port_close(port);
}

/* ---- privileges ---- */

/* In a child: nothing here may assert. Returns the error, if it says so. */
static int said(int err, const struct xsk_error *error, const char *reason)
{
	if (!err || (*reason && strstr(error->reason, reason)))
		return err;
	print_error("# %s: %s; %s\n", error->step, error->reason, error->hint);
	return -EPROTO;
}

static int opened(struct xsk_filter *filter, struct xsk_port **port, const char *reason)
{
	struct xsk_port_opts opts = OPTS(.sz = sizeof(opts), .filter = filter, .queues = 1,
					 .keep = XSK_KEEP_MANAGEMENT);
	struct xsk_error error = { 0 };

	return said(xsk_port_open(port, "lab0", &opts, &error), &error, reason);
}

static int open_without_bpf(void)
{
	struct xsk_port *port;

	lab_drop(CAP_SYS_ADMIN);
	lab_drop(CAP_BPF);
	return opened(dns, &port, "no CAP_BPF");
}

static int change_without(int capability, const char *reason)
{
	struct xsk_error error = { 0 };
	struct xsk_port *port;
	int err = opened(dns, &port, "");

	if (err)
		return -EIO;
	lab_drop(CAP_SYS_ADMIN);
	lab_drop(capability);
	err = said(xsk_port_set_filter(port, web, &error), &error, reason);
	xsk_port_close(port);
	return err;
}

static int change_without_bpf(void)
{
	return change_without(CAP_BPF, "no CAP_BPF");
}

static int change_without_net_admin(void)
{
	return change_without(CAP_NET_ADMIN, "no CAP_NET_ADMIN");
}

/* What libpcap makes of these has each kind of load, and a loop. */
static const char *const expressions[] = {
	"udp port 53", "tcp[tcpflags] & tcp-syn != 0", "len > 100", "ip6 protochain 17",
	"ip protochain 6", "ether[len - 1] = 7", "ip[ip[0] & 15] = 3",
	"tcp port 80 and ip[2:2] - ((ip[0]&0xf)<<2) - ((tcp[12]&0xf0)>>2) != 0",
	"vlan and vlan and udp port 53", "host 192.0.2.1 or host 2001:db8::1",
	"portrange 1000-2000", "icmp[icmptype] = icmp-echo", "udp[8:4] = 0x12345678",
	"ether[0] / ether[1] = 3", "ether[0] % ether[1] = 3 or ether[2] << ether[3] > 9",
	"mpls 100", "pppoes 7 and tcp", "greater 1000 and not ip multicast", "geneve 5",
};

/* All but those that a port needs, and these two: memory may be locked, and perhaps: */
static void drop_all(bool perfmon)
{
	for (int capability = 0; capability < CAP_PERFMON; capability++)
		if (capability != CAP_NET_ADMIN && capability != CAP_NET_RAW &&
		    capability != CAP_IPC_LOCK)
			lab_drop(capability);
	if (!perfmon)
		lab_drop(CAP_PERFMON);
}

/* 0 where the port takes it, or where the reason names what is missing. */
static int take_or_tell(struct xsk_port *port, const char *expression, const char *missing)
{
	struct xsk_filter *filter = NULL;
	struct xsk_error error = { 0 };
	int err = xsk_filter_compile(&filter, expression, &error);

	if (!err)
		err = xsk_port_set_filter(port, filter, &error);
	if (err)
		print_error("# %s: %d: %s: %s; %s\n", expression, err, error.step, error.reason,
			    error.hint);
	xsk_filter_free(filter);
	return err == -EPERM && missing && strstr(error.reason, missing) ? 0 : err;
}

static int take_each(struct xsk_port *port, const char *missing)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++)
		err = take_or_tell(port, expressions[i], missing) ? -EPROTO : err;
	xsk_port_close(port);
	return err;
}

static int with_perfmon(void)
{
	struct xsk_port *port;

	drop_all(true);
	return opened(dns, &port, "") ? -EIO : take_each(port, NULL);
}

/*
 * Without, kernels that mind Spectre let no program load at a place that is computed, and
 * 5.10 none at all: it says what is missing.
 */
static int without_perfmon(void)
{
	struct xsk_port_opts opts = OPTS(.sz = sizeof(opts), .queues = 1);
	struct xsk_port *port;

	drop_all(false);
	if (xsk_port_open(&port, "lab0", &opts, NULL))
		return -EIO;
	return take_each(port, "no CAP_PERFMON");
}

static void privileges(void **state)
{
	(void)state;
	lab_in_child(open_without_bpf, -EPERM);
	lab_in_child(change_without_bpf, -EPERM);
	lab_in_child(change_without_net_admin, -EPERM);
}

static void privileges_that_are_enough(void **state)
{
	(void)state;
	lab_in_child(with_perfmon, 0);
	lab_in_child(without_perfmon, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(options),
		TEST(other_than_ethernet),
		TEST(opts_without_filters),
		TEST(other_filters),
		TEST(programs_of_others),
		TEST(ports_without_filters),
		TEST(detached_by_others),
		TEST(interface_that_was_moved),
		TEST(interface_that_is_gone),
		TEST(too_long),
		TEST(privileges),
		TEST(privileges_that_are_enough),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("port_filter_errors", tests, NULL, NULL);
}
