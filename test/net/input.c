/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What cannot be: the documented -errno, a reason, and nothing changed. */
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xsk/error.h>

#define FRAMES 64
#define SIZE (FRAMES * 4096ULL)
#define POISON ((void *)0x5a5a5a5a)

static struct lab lab;
static struct lab_count before;
static char *area;

/* Rings that no failing call may write to. */
static struct xsk_ring_prod fill, tx;
static struct xsk_ring_cons comp, rx;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 2);
	area = node_memory(SIZE + 4096, false);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	node_memory_free(area, SIZE + 4096);
	lab_close(&lab);
	return 0;
}

static int count(void **state)
{
	(void)state;
	memset(&fill, 0xa5, sizeof(fill));
	memset(&comp, 0xa5, sizeof(comp));
	memset(&rx, 0xa5, sizeof(rx));
	memset(&tx, 0xa5, sizeof(tx));
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

static void assert_untouched(const void *ring, size_t size)
{
	const unsigned char *bytes = ring;

	for (size_t i = 0; i < size; i++)
		assert_int_equal(bytes[i], 0xa5);
}

/* Each failure has a reason, and the code of the reason is what was returned. */
static void assert_explained(int err)
{
	struct xsk_error error;

	xsk_error_last(&error);
	assert_int_equal(error.code, err);
	assert_int_not_equal(strlen(error.step), 0);
	assert_int_not_equal(strlen(error.reason), 0);
}

/* ---- UMEM ---- */

static void refuse_umem(int err, int fd, void *at, uint64_t size, struct xsk_umem_config config)
{
	struct xsk_umem *umem = POISON;

	assert_int_equal(xsk_umem__create_with_fd(&umem, fd, at, size, &fill, &comp, &config),
			 err);
	assert_explained(err);
	assert_ptr_equal(umem, POISON);
	assert_untouched(&fill, sizeof(fill));
	assert_untouched(&comp, sizeof(comp));
}

static void umem_of_nothing(void **state)
{
	struct xsk_umem *umem = POISON;

	(void)state;
	assert_int_equal(xsk_umem__create(NULL, area, SIZE, &fill, &comp, NULL), -EINVAL);
	assert_int_equal(xsk_umem__create(&umem, NULL, SIZE, &fill, &comp, NULL), -EINVAL);
	assert_int_equal(xsk_umem__create(&umem, area, SIZE, NULL, &comp, NULL), -EINVAL);
	assert_int_equal(xsk_umem__create(&umem, area, SIZE, &fill, NULL, NULL), -EINVAL);
	assert_explained(-EINVAL);
	assert_ptr_equal(umem, POISON);
	assert_int_equal(xsk_umem__delete(NULL), 0);
	xsk_socket__delete(NULL);
	assert_int_equal(xsk_umem__fd(NULL), -EINVAL);
	assert_int_equal(xsk_socket__fd(NULL), -EINVAL);
	assert_int_equal(xsk_socket__update_xskmap(NULL, 0), -EINVAL);
}

static void umem_sizes(void **state)
{
	(void)state;
	refuse_umem(-EINVAL, 0, area, 0, (struct xsk_umem_config){ 0 });
	refuse_umem(-EINVAL, 0, area + 1, SIZE, (struct xsk_umem_config){ 0 });
	refuse_umem(-EINVAL, 0, area + 2048, SIZE, (struct xsk_umem_config){ .frame_size = 2048 });
	refuse_umem(-EINVAL, 0, area, SIZE - 1, (struct xsk_umem_config){ 0 });
	refuse_umem(-EINVAL, 0, area, 4095, (struct xsk_umem_config){ 0 });
	refuse_umem(-EINVAL, 0, area, SIZE, (struct xsk_umem_config){ .fill_size = 3 });
	refuse_umem(-EINVAL, 0, area, SIZE, (struct xsk_umem_config){ .comp_size = 2047 });
	refuse_umem(-EINVAL, 0, area, SIZE, (struct xsk_umem_config){ .fill_size = UINT32_MAX });
	refuse_umem(-EINVAL, 0, area, SIZE, (struct xsk_umem_config){ .frame_size = 1024 });
	refuse_umem(-EINVAL, 0, area, SIZE, (struct xsk_umem_config){ .frame_size = 3000 });
	refuse_umem(-EINVAL, 0, area, SIZE, (struct xsk_umem_config){ .frame_size = 8192 });
	refuse_umem(-EINVAL, 0, area, SIZE, (struct xsk_umem_config){ .frame_headroom = 4000 });
	refuse_umem(-EINVAL, 0, area, SIZE, (struct xsk_umem_config){ .flags = 1U << 31 });
	refuse_umem(-EINVAL, 0, area, SIZE, (struct xsk_umem_config){
		.flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG, .frame_size = 100 });
}

static void umem_area_that_is_not_mapped(void **state)
{
	char *gone = node_memory(SIZE, false);

	(void)state;
	node_memory_free(gone, SIZE);
	refuse_umem(-EFAULT, 0, gone, SIZE, (struct xsk_umem_config){ 0 });
}

static void umem_descriptors(void **state)
{
	struct xsk_umem_config config = { 0 };
	int closed = dup(lab.peer), udp = socket(AF_INET, SOCK_DGRAM, 0);
	int file = open("/dev/null", O_RDONLY), taken = socket(AF_XDP, SOCK_RAW, 0);
	struct xsk_umem *umem;

	(void)state;
	close(closed);
	refuse_umem(-EBADF, closed, area, SIZE, config);
	refuse_umem(-ENOTSOCK, file, area, SIZE, config);
	refuse_umem(-ENOPROTOOPT, udp, area, SIZE, config);
	refuse_umem(-EINVAL, taken, area, SIZE, (struct xsk_umem_config){ .comp_size = 5 });

	/* All of them are still the caller's; what was refused can be taken. */
	assert_int_equal(close(udp), 0);
	assert_int_equal(close(file), 0);
	assert_int_equal(xsk_umem__create_with_fd(&umem, taken, area, SIZE, &fill, &comp, NULL), 0);
	memset(&fill, 0xa5, sizeof(fill));
	memset(&comp, 0xa5, sizeof(comp));
	refuse_umem(-EBUSY, taken, area, SIZE, config);
	assert_int_equal(fcntl(taken, F_GETFD), FD_CLOEXEC);
	assert_int_equal(xsk_umem__delete(umem), 0);
	assert_int_equal(fcntl(taken, F_GETFD), -1);
}

static void umem_opts(void **state)
{
	struct {
		struct xsk_umem_opts known;
		uint64_t later;
	} opts = { .known = { .sz = sizeof(opts), .size = SIZE } };
	struct xsk_umem *umem;

	(void)state;
	opts.later = 1;
	errno = 0;
	assert_null(xsk_umem__create_opts(area, &fill, &comp, &opts.known));
	assert_int_equal(errno, EINVAL);
	assert_explained(-EINVAL);
	opts.later = 0;
	opts.known.sz = 4;
	assert_null(xsk_umem__create_opts(area, &fill, &comp, &opts.known));
	assert_int_equal(errno, EINVAL);
	assert_null(xsk_umem__create_opts(area, &fill, &comp, NULL));
	assert_int_equal(errno, EINVAL);
	opts.known.sz = sizeof(opts);
	opts.known.tx_metadata_len = 3;
	assert_null(xsk_umem__create_opts(area, &fill, &comp, &opts.known));
	assert_int_equal(errno, EINVAL);
	assert_untouched(&fill, sizeof(fill));

	opts.known.tx_metadata_len = 0;
	umem = xsk_umem__create_opts(area, &fill, &comp, &opts.known);
	assert_non_null(umem);
	assert_int_equal(xsk_umem__delete(umem), 0);

	/* A caller that was built when the struct ended after size. */
	opts.known.sz = offsetof(struct xsk_umem_opts, fill_size);
	opts.known.fill_size = 5;
	umem = xsk_umem__create_opts(area, &fill, &comp, &opts.known);
	assert_non_null(umem);
	assert_int_equal(fill.size, XSK_RING_PROD__DEFAULT_NUM_DESCS);
	assert_int_equal(xsk_umem__delete(umem), 0);
}

/* ---- socket ---- */

static struct xsk_umem *umem_of_socket_tests(void)
{
	struct xsk_umem *umem;

	assert_int_equal(xsk_umem__create(&umem, area, SIZE, &fill, &comp, NULL), 0);
	return umem;
}

static void refuse_socket(int err, struct xsk_umem *umem, const char *ifname, uint32_t queue,
			  struct xsk_socket_config config)
{
	struct xsk_socket *xsk = POISON;

	assert_int_equal(xsk_socket__create(&xsk, ifname, queue, umem, &rx, &tx, &config), err);
	assert_explained(err);
	assert_ptr_equal(xsk, POISON);
	assert_untouched(&rx, sizeof(rx));
	assert_untouched(&tx, sizeof(tx));
	assert_int_equal(lab_prog_id(&lab, 0), 0);
}

static void works_after_all(struct xsk_umem *umem)
{
	struct xsk_socket *xsk;

	assert_int_equal(xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, NULL), 0);
	xsk_socket__delete(xsk);
	assert_int_equal(xsk_umem__delete(umem), 0);
}

static void socket_of_nothing(void **state)
{
	struct xsk_umem *umem = umem_of_socket_tests();
	struct xsk_socket *xsk = POISON;

	(void)state;
	assert_int_equal(xsk_socket__create(NULL, "lab0", 0, umem, &rx, &tx, NULL), -EINVAL);
	assert_int_equal(xsk_socket__create(&xsk, NULL, 0, umem, &rx, &tx, NULL), -EINVAL);
	assert_int_equal(xsk_socket__create(&xsk, "lab0", 0, NULL, &rx, &tx, NULL), -EINVAL);
	assert_int_equal(xsk_socket__create(&xsk, "lab0", 0, umem, NULL, NULL, NULL), -EINVAL);
	assert_int_equal(xsk_socket__create_shared(&xsk, "lab0", 0, umem, &rx, &tx, &fill, NULL,
						   NULL), -EINVAL);
	assert_int_equal(xsk_socket__create_shared(&xsk, "lab0", 0, umem, &rx, &tx, NULL, &comp,
						   NULL), -EINVAL);
	assert_explained(-EINVAL);
	assert_ptr_equal(xsk, POISON);
	works_after_all(umem);
}

static void socket_interfaces_and_queues(void **state)
{
	struct xsk_umem *umem = umem_of_socket_tests();
	struct xsk_socket_config config = { 0 };

	(void)state;
	refuse_socket(-ENODEV, umem, "nosuch0", 0, config);
	refuse_socket(-ENODEV, umem, "", 0, config);
	refuse_socket(-ENODEV, umem, "a-name-that-is-longer-than-any-interface-has", 0, config);
	refuse_socket(-EINVAL, umem, "lab0", 2, config);
	refuse_socket(-EINVAL, umem, "lab0", UINT32_MAX, config);
	works_after_all(umem);
}

/* The same for a further socket on the UMEM. */
static void refuse_second_queue(struct xsk_umem *umem)
{
	struct xsk_socket_config config = { .xdp_flags = XDP_FLAGS_SKB_MODE };
	struct xsk_socket *first, *second = POISON;
	struct xsk_ring_cons other_comp, other_rx;
	struct xsk_ring_prod other_fill;
	struct xsk_error error;

	assert_int_equal(xsk_socket__create(&first, "lab0", 0, umem, &rx, &tx, &config), 0);
	assert_int_equal(xsk_socket__create_shared(&second, "lab0", 1, umem, &other_rx, NULL,
						   &other_fill, &other_comp, &config), -EINVAL);
	assert_ptr_equal(second, POISON);
	xsk_error_last(&error);
	assert_non_null(strstr(error.reason, "queue 1 of lab0 is switched off"));
	xsk_socket__delete(first);
}

/* There, but not in use. (veth can be told so since 5.14.) */
static void socket_on_a_queue_that_is_off(void **state)
{
	struct xsk_umem *umem = umem_of_socket_tests();
	struct xsk_error error;

	(void)state;
	if (system("ethtool -L lab0 rx 1 tx 1 2>/dev/null")) {
		assert_int_equal(xsk_umem__delete(umem), 0);
		print_message("# skipped: veth's queues cannot be switched off on this kernel\n");
		skip();
	}
	/* Native XDP wants as many as the peer has. */
	refuse_socket(-EINVAL, umem, "lab0", 1, (struct xsk_socket_config){
		.xdp_flags = XDP_FLAGS_SKB_MODE });
	xsk_error_last(&error);
	assert_non_null(strstr(error.reason, "queue 1 of lab0 is switched off"));
	assert_non_null(strstr(error.hint, "ethtool"));
	refuse_second_queue(umem);
	lab_run("ethtool -L lab0 rx 2 tx 2");
	works_after_all(umem);
}

static void socket_flags(void **state)
{
	struct xsk_umem *umem = umem_of_socket_tests();

	(void)state;
	refuse_socket(-EINVAL, umem, "lab0", 0, (struct xsk_socket_config){ .libxdp_flags = 2 });
	refuse_socket(-EINVAL, umem, "lab0", 0, (struct xsk_socket_config){
		.xdp_flags = 1 << 20 });
	refuse_socket(-EINVAL, umem, "lab0", 0, (struct xsk_socket_config){
		.xdp_flags = XDP_FLAGS_SKB_MODE | XDP_FLAGS_DRV_MODE });
	refuse_socket(-EINVAL, umem, "lab0", 0, (struct xsk_socket_config){
		.xdp_flags = XDP_FLAGS_REPLACE });
	refuse_socket(-EINVAL, umem, "lab0", 0, (struct xsk_socket_config){ .bind_flags = 1 << 9 });
	refuse_socket(-EINVAL, umem, "lab0", 0, (struct xsk_socket_config){
		.bind_flags = XDP_COPY | XDP_ZEROCOPY });
	refuse_socket(-EINVAL, umem, "lab0", 0, (struct xsk_socket_config){
		.bind_flags = XDP_SHARED_UMEM });
	refuse_socket(-EOPNOTSUPP, umem, "lab0", 0, (struct xsk_socket_config){
		.bind_flags = XDP_ZEROCOPY });
	works_after_all(umem);
}

static void socket_ring_sizes(void **state)
{
	struct xsk_umem *umem = umem_of_socket_tests();

	(void)state;
	refuse_socket(-EINVAL, umem, "lab0", 0, (struct xsk_socket_config){ .rx_size = 3 });
	refuse_socket(-EINVAL, umem, "lab0", 0, (struct xsk_socket_config){ .tx_size = 1000 });
	refuse_socket(-EINVAL, umem, "lab0", 0, (struct xsk_socket_config){
		.rx_size = UINT32_MAX });
	works_after_all(umem);
}

static void socket_opts(void **state)
{
	struct {
		struct xsk_socket_opts known;
		uint64_t later;
	} opts = { .known = { .sz = sizeof(opts), .rx = &rx, .tx = &tx }, .later = 1 };
	struct xsk_umem *umem = umem_of_socket_tests();
	struct xsk_socket *xsk;

	(void)state;
	assert_null(xsk_socket__create_opts("lab0", 0, umem, &opts.known));
	assert_int_equal(errno, EINVAL);
	assert_null(xsk_socket__create_opts("lab0", 0, umem, NULL));
	assert_int_equal(errno, EINVAL);
	opts.later = 0;
	assert_null(xsk_socket__create_opts("nosuch0", 0, umem, &opts.known));
	assert_int_equal(errno, ENODEV);
	assert_explained(-ENODEV);
	assert_untouched(&rx, sizeof(rx));
	xsk = xsk_socket__create_opts("lab0", 0, umem, &opts.known);
	assert_non_null(xsk);
	xsk_socket__delete(xsk);
	assert_int_equal(xsk_umem__delete(umem), 0);
}

static void umem_in_use_is_not_deleted(void **state)
{
	struct xsk_umem *umem = umem_of_socket_tests();
	struct xsk_socket *xsk;

	(void)state;
	assert_int_equal(xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, NULL), 0);
	assert_int_equal(xsk_umem__delete(umem), -EBUSY);
	assert_explained(-EBUSY);
	xsk_socket__delete(xsk);
	assert_int_equal(xsk_umem__delete(umem), 0);
}

/* ---- without privilege ---- */

static int umem_without_net_raw(void)
{
	struct xsk_umem *umem;

	lab_drop(CAP_NET_RAW);
	return xsk_umem__create(&umem, area, SIZE, &fill, &comp, NULL);
}

static int umem_as_nobody(void)
{
	struct xsk_umem *umem;

	if (setresuid(65534, 65534, 65534))
		return -1;
	return xsk_umem__create(&umem, area, SIZE, &fill, &comp, NULL);
}

static int create_both(void)
{
	struct xsk_error error;
	struct xsk_socket *xsk;
	struct xsk_umem *umem;
	int err;

	err = xsk_umem__create(&umem, area, SIZE, &fill, &comp, NULL);
	if (err)
		_exit(93);
	err = xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, NULL);
	xsk_error_last(&error);
	if (err && (error.code != err || !strstr(error.reason, "CAP_")))
		_exit(92);
	if (!err)
		xsk_socket__delete(xsk);
	if (xsk_umem__delete(umem))
		_exit(94);
	return err;
}

static int socket_without_net_admin(void)
{
	lab_drop(CAP_NET_ADMIN);
	lab_drop(CAP_SYS_ADMIN);
	return create_both();
}

static int socket_without_bpf(void)
{
	lab_drop(CAP_BPF);
	lab_drop(CAP_SYS_ADMIN);
	return create_both();
}

/* An ordinary user with a handed socket and a limit of 64 KiB for 256 KiB. */
static int umem_beyond_memlock(void)
{
	struct rlimit limit = { 65536, 65536 };
	int fd = socket(AF_XDP, SOCK_RAW, 0), err;
	struct xsk_umem *umem;

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setresuid(65534, 65534, 65534))
		return -1;
	err = xsk_umem__create_with_fd(&umem, fd, area, SIZE, &fill, &comp, NULL);
	if (close(fd))
		_exit(95);		/* it was still ours */
	return err;
}

/* The same within the limit: a handed socket is all that he needs. */
static int all_as_nobody(void)
{
	struct xsk_socket_config config = {
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD };
	int fd = socket(AF_XDP, SOCK_RAW, 0), err;
	struct xsk_socket *xsk;
	struct xsk_umem *umem;

	if (setresuid(65534, 65534, 65534))
		return -1;
	err = xsk_umem__create_with_fd(&umem, fd, area, SIZE, &fill, &comp, NULL);
	if (err)
		return err;
	config.bind_flags = XDP_ZEROCOPY;
	if (xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, &config) != -EOPNOTSUPP)
		_exit(96);
	config.bind_flags = XDP_COPY;
	err = xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, &config);
	if (err)
		return err;
	xsk_socket__delete(xsk);

	/* The only socket that there could be is gone with its queue. */
	if (xsk_umem__fd(umem) != -EBADF ||
	    xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, &config) != -EPERM)
		_exit(97);
	return xsk_umem__delete(umem);
}

/* All memory there may be is the UMEM's: it is registered anew, not twice. */
static int other_rings_within_memlock(void)
{
	struct rlimit limit = { SIZE + 65536, SIZE + 65536 };
	struct xsk_socket_config config = { .bind_flags = XDP_ZEROCOPY };
	struct xsk_socket *xsk;
	struct xsk_umem *umem;
	int err;

	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		return -1;
	lab_drop(CAP_IPC_LOCK);
	err = xsk_umem__create(&umem, area, SIZE, &fill, &comp, NULL);
	if (err)
		return err;
	for (uint32_t size = 64; size <= 1024; size *= 2) {
		config.rx_size = config.tx_size = size;
		if (xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, &config) != -EOPNOTSUPP)
			_exit(110);
	}
	config.bind_flags = 0;
	config.rx_size = 32;
	err = xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, &config);
	if (err)
		return err;
	xsk_socket__delete(xsk);
	return xsk_umem__delete(umem);
}

/* One that was handed over has as many tries as rings of one size allow. */
static int handed_socket_is_tried_again(void)
{
	struct xsk_socket_config config = {
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD };
	int fd = socket(AF_XDP, SOCK_RAW, 0), err;
	struct xsk_socket *xsk;
	struct xsk_umem *umem;

	if (setresuid(65534, 65534, 65534))
		return -1;
	err = xsk_umem__create_with_fd(&umem, fd, area, SIZE, &fill, &comp, NULL);
	if (err)
		return err;
	config.rx_size = 1U << 31;
	if (xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, &config) != -ENOMEM)
		_exit(111);
	config.rx_size = 128;
	config.bind_flags = XDP_ZEROCOPY;
	if (xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, &config) != -EOPNOTSUPP)
		_exit(112);
	config.rx_size = 256;
	if (xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, &config) != -EPERM)
		_exit(113);
	config.rx_size = 128;
	config.bind_flags = 0;
	err = xsk_socket__create(&xsk, "lab0", 0, umem, &rx, NULL, &config);
	if (err)
		return err;
	xsk_socket__delete(xsk);
	return xsk_umem__delete(umem);
}

static void within_memlock(void **state)
{
	(void)state;
	lab_in_child(other_rings_within_memlock, 0);
	lab_in_child(handed_socket_is_tried_again, 0);
}

static void without_privilege(void **state)
{
	(void)state;
	lab_in_child(umem_without_net_raw, -EPERM);
	lab_in_child(umem_as_nobody, -EPERM);
	lab_in_child(socket_without_net_admin, -EPERM);
	lab_in_child(socket_without_bpf, -EPERM);
	lab_in_child(create_both, 0);
}

static void ordinary_user_with_a_handed_socket(void **state)
{
	(void)state;
	lab_in_child(umem_beyond_memlock, -ENOBUFS);
	lab_in_child(all_as_nobody, 0);
}

static int create_without_descriptors(void)
{
	struct rlimit limit;
	struct xsk_socket *xsk;
	struct xsk_umem *umem;
	int err, left, highest;

	if (xsk_umem__create(&umem, area, SIZE, &fill, &comp, NULL))
		_exit(93);
	highest = open("/dev/null", O_RDONLY);
	close(highest);
	/* Each step of the way fails once for want of a descriptor. */
	for (left = 0; left < 16; left++) {
		limit = (struct rlimit){ (rlim_t)(highest + left), 4096 };
		if (setrlimit(RLIMIT_NOFILE, &limit))
			_exit(98);
		err = xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, NULL);
		if (!err)
			break;
		if (err != -EMFILE)
			return err;
		if (open("/dev/null", O_RDONLY) != (left ? highest : -1))
			_exit(99);	/* a descriptor was left */
		if (left)
			close(highest);
	}
	if (left < 3)
		_exit(100);		/* it needs more than that */
	xsk_socket__delete(xsk);
	return xsk_umem__delete(umem);
}

static void without_descriptors(void **state)
{
	(void)state;
	lab_in_child(create_without_descriptors, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(umem_of_nothing),
		TEST(umem_sizes),
		TEST(umem_area_that_is_not_mapped),
		TEST(umem_descriptors),
		TEST(umem_opts),
		TEST(socket_of_nothing),
		TEST(socket_interfaces_and_queues),
		TEST(socket_on_a_queue_that_is_off),
		TEST(socket_flags),
		TEST(socket_ring_sizes),
		TEST(socket_opts),
		TEST(umem_in_use_is_not_deleted),
		TEST(without_privilege),
		TEST(ordinary_user_with_a_handed_socket),
		TEST(within_memlock),
		TEST(without_descriptors),
	};

	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
