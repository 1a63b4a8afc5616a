/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * A program for libxdp, which has not heard of libxsk: it is compiled and linked
 * against libxdp alone. It receives a packet and says who served it. Its
 * arguments are symbols, each name@version: it says where each is found.
 */
#include <bpf/bpf.h>
#include <dlfcn.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xdp/xsk.h>

#include "hide.h"
#include "lab.h"

#define FRAMES 64
#define FRAME_SIZE XSK_UMEM__DEFAULT_FRAME_SIZE
#define NUMBER 4711

static struct lab lab;
static char **symbols;

/* ---- where the symbols are ---- */

static void say_where(char *symbol)
{
	char *version = strchr(symbol, '@');
	Dl_info info = { 0 };
	void *addr;

	assert_non_null(version);
	*version++ = '\0';
	addr = dlvsym(RTLD_DEFAULT, symbol, version);
	printf("symbol %s@%s %s\n", symbol, version,
	       addr && dladdr(addr, &info) ? info.dli_fname : "nowhere");
}

/* ---- a packet ---- */

static void fill_ring(struct xsk_ring_prod *fill)
{
	uint32_t at = 0;

	assert_int_equal(xsk_ring_prod__reserve(fill, FRAMES / 2, &at), FRAMES / 2);
	for (uint32_t i = 0; i < FRAMES / 2; i++)
		*xsk_ring_prod__fill_addr(fill, at + i) = (uint64_t)i * FRAME_SIZE;
	xsk_ring_prod__submit(fill, FRAMES / 2);
}

static void receive(struct xsk_socket *xsk, struct xsk_ring_cons *rx, void *area)
{
	struct pollfd fd = { .fd = xsk_socket__fd(xsk), .events = POLLIN };
	const struct xdp_desc *desc;
	uint32_t at = 0;

	lab_send(&lab, NUMBER, 100);
	assert_int_equal(poll(&fd, 1, 2000), 1);
	assert_int_equal(xsk_ring_cons__peek(rx, 1, &at), 1);
	desc = xsk_ring_cons__rx_desc(rx, at);
	assert_true(lab_frame_is(xsk_umem__get_data(area, desc->addr), desc->len, NUMBER));
	xsk_ring_cons__release(rx, 1);
	printf("received\n");
}

static void say_program(void)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(lab_prog_id(&lab, 0));

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	printf("program %s\n", info.name);
	close(fd);
}

static void serve_a_packet(void **state)
{
	static struct xsk_ring_prod fill, tx;
	static struct xsk_ring_cons comp, rx;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	void *area = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(area, MAP_FAILED);
	hide_files();
	lab_open(&lab, 1);
	assert_int_equal(xsk_umem__create(&umem, area, FRAMES * FRAME_SIZE, &fill, &comp, NULL), 0);
	assert_int_equal(xsk_socket__create(&xsk, "lab0", 0, umem, &rx, &tx, NULL), 0);
	fill_ring(&fill);
	receive(xsk, &rx, area);
	say_program();
	xsk_socket__delete(xsk);
	assert_int_equal(xsk_umem__delete(umem), 0);
	munmap(area, FRAMES * FRAME_SIZE);
	lab_close(&lab);
	for (char **each = symbols; *each; each++)
		say_where(*each);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(serve_a_packet) };

	(void)argc;
	symbols = argv + 1;
	/* What is meant for this program is not meant for those that it runs. */
	unsetenv("LD_PRELOAD");
	unsetenv("LD_DEBUG");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
