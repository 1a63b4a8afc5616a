/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * faults --list; faults NAME. Exit status: 0 good; 1 the fault is there (what
 * was seen is the last line of stdout), as with an end by signal; 77 it cannot be
 * shown here (the last line says why); 2 the test itself could not go on.
 */
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hide.h"

#define GUARDS 64
#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static const struct fault_case *const groups[] = {
	memory_cases, state_cases, program_cases, api_cases,
};

struct lab lab;

/* ---- verdicts ---- */

/* No exit handlers: what is broken need not end well. */
static void end(int status, const char *format, va_list args)
{
	vprintf(format, args);
	putchar('\n');
	fflush(stdout);
	_exit(status);
}

void fault(const char *seen, ...)
{
	va_list args;

	va_start(args, seen);
	end(1, seen, args);
	abort();
}

void cannot(const char *reason, ...)
{
	va_list args;

	va_start(args, reason);
	printf("skipped: ");
	end(77, reason, args);
	abort();
}

void expect_result(const char *call, int got, int wanted)
{
	char words[2][64];

	if (got == wanted)
		return;
	snprintf(words[0], sizeof(words[0]), "%s", got < 0 ? strerror(-got) : "success");
	snprintf(words[1], sizeof(words[1]), "%s", wanted < 0 ? strerror(-wanted) : "success");
	fault("%s: %d (%s) instead of %d (%s)", call, got, words[0], wanted, words[1]);
}

/* ---- accounts ---- */

int count_descriptors(void)
{
	struct lab_count count;

	lab_count(&count);
	return count.fds;
}

int count_mappings(void)
{
	struct lab_count count;

	lab_count(&count);
	return count.ring_mappings;
}

static int guards[GUARDS];
static struct stat guard_stat;

void guard_descriptors(void)
{
	int file = memfd_create("guard", MFD_CLOEXEC);

	assert_true(file >= 0);
	assert_int_equal(fstat(file, &guard_stat), 0);
	guards[0] = file;
	for (int i = 1; i < GUARDS; i++) {
		guards[i] = dup(file);
		assert_true(guards[i] >= 0);
	}
}

void expect_guarded(const char *suspect)
{
	struct stat st;

	for (int i = 0; i < GUARDS; i++)
		expect(!fstat(guards[i], &st) && st.st_ino == guard_stat.st_ino,
		       "%s closed a descriptor that was not its own any more", suspect);
	for (int i = 0; i < GUARDS; i++)
		close(guards[i]);
}

/* ---- nodes ---- */

/* In the classic configs of older libxdp 0 is no default. */
static struct node_opts with_sizes(const struct node_opts *opts)
{
	struct node_opts all = *opts;

	all.fill_size = opts->fill_size ? opts->fill_size : 2048;
	all.comp_size = opts->comp_size ? opts->comp_size : 2048;
	all.rx_size = opts->rx_size ? opts->rx_size : 2048;
	all.tx_size = opts->tx_size ? opts->tx_size : 2048;
	return all;
}

int try_umem(struct node *node, const struct node_opts *opts)
{
	struct node_opts all = with_sizes(opts);

	return node_umem(node, &all);
}

int try_share(struct node *node, struct node *owner, const struct node_opts *opts)
{
	struct node_opts all = with_sizes(opts);

	return node_share(node, owner, &all);
}

int share_queue(struct node *node, struct node *owner, const struct node_opts *opts)
{
	struct node_opts all = with_sizes(opts);

	return node_share_queue(node, owner, &all);
}

static void mend(struct node *node)
{
	node->fill.cached_prod = *node->fill.producer;
	node->fill.cached_cons = *node->fill.consumer + node->fill.size;
	node->comp.cached_prod = *node->comp.producer;
	node->comp.cached_cons = *node->comp.consumer;
}

void open_umem(struct node *node, const struct node_opts *opts)
{
	assert_int_equal(try_umem(node, opts), 0);
	mend(node);
}

int insist_on_socket(struct node *node)
{
	int err = -EBUSY;

	for (int waited = 0; err == -EBUSY && waited < MS_AT_MOST; waited += 10) {
		err = node_socket(node);
		if (err)
			usleep(10000);
	}
	return err;
}

void open_both(struct node *node, const struct node_opts *opts)
{
	open_umem(node, opts);
	assert_int_equal(insist_on_socket(node), 0);
}

int share_umem(struct node *node, struct node *owner, const struct node_opts *opts)
{
	int err = try_share(node, owner, opts);

	if (!err)
		mend(node);
	return err;
}

int close_both(struct node *node)
{
	int err;

	xsk_socket__delete(node->xsk);
	err = xsk_umem__delete(node->umem);
	if (!err)
		node_memory_free(node->area, node->size);
	return err;
}

int64_t take_packet(struct node *node, int ms)
{
	struct pollfd fd = { .fd = xsk_socket__fd(node->xsk), .events = POLLIN };
	const struct xdp_desc *desc;
	uint32_t at = 0, number;

	if (!xsk_cons_nb_avail(&node->rx, 1))
		poll(&fd, 1, ms);
	if (!xsk_ring_cons__peek(&node->rx, 1, &at))
		return -1;
	desc = xsk_ring_cons__rx_desc(&node->rx, at);
	memcpy(&number, (char *)xsk_umem__get_data(node->area, desc->addr) + 14, sizeof(number));
	xsk_ring_cons__release(&node->rx, 1);
	return number;
}

bool receives(struct node *node, uint32_t number)
{
	lab_send(&lab, number, 100);
	return take_packet(node, 1000) == number;
}

bool program_is_gone(void)
{
	for (int waited = 0; lab_prog_id(&lab, 0) && waited < MS_AT_MOST; waited += 10)
		usleep(10000);
	return !lab_prog_id(&lab, 0);
}

/* ---- capabilities ---- */

static struct __user_cap_header_struct cap_header = {
	.version = _LINUX_CAPABILITY_VERSION_3,
};
static struct __user_cap_data_struct all_caps[2];

void keep_capabilities(uint64_t mask)
{
	struct __user_cap_data_struct caps[2];

	assert_int_equal(syscall(SYS_capget, &cap_header, all_caps), 0);
	memcpy(caps, all_caps, sizeof(caps));
	caps[0].effective &= (uint32_t)mask;
	caps[1].effective &= (uint32_t)(mask >> 32);
	assert_int_equal(syscall(SYS_capset, &cap_header, caps), 0);
}

void restore_capabilities(void)
{
	assert_int_equal(syscall(SYS_capset, &cap_header, all_caps), 0);
}

/* ---- one case ---- */

/* After each case, but with libxsk only: libxdp would never get past it. */
static void expect_nothing_left(int descriptors)
{
	if (!dlsym(RTLD_DEFAULT, "xsk_error_last"))
		return;
	expect(count_descriptors() == descriptors, "%d descriptors before, %d after",
	       descriptors, count_descriptors());
	expect(!count_mappings(), "%d rings are still mapped", count_mappings());
	expect(!lab_prog_id(&lab, 0), "the program is still attached");
}

/* What cmocka catches otherwise: a crash shall look like one. */
static void let_signals_kill(void)
{
	static const int signals[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS };

	for (size_t i = 0; i < ELEMENTS(signals); i++)
		signal(signals[i], SIG_DFL);
}

static void run(void **state)
{
	const struct fault_case *fault_case = *state;
	int descriptors;

	let_signals_kill();
	hide_files();
	lab_open(&lab, fault_case->queues ? fault_case->queues : 1);
	descriptors = count_descriptors();
	fault_case->run();
	if (!fault_case->holds)
		expect_nothing_left(descriptors);
	lab_close(&lab);
}

static int run_case(const struct fault_case *fault_case)
{
	const struct CMUnitTest tests[] = {
		{ fault_case->name, run, NULL, NULL, (void *)fault_case },
	};

	return cmocka_run_group_tests_name(fault_case->name, tests, NULL, NULL) ? 2 : 0;
}

int main(int argc, char **argv)
{
	bool list = argc == 2 && !strcmp(argv[1], "--list");

	if (argc != 2) {
		fprintf(stderr, "usage: %s --list | NAME\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < ELEMENTS(groups); i++) {
		for (const struct fault_case *each = groups[i]; each->name; each++) {
			if (list)
				puts(each->name);
			else if (!strcmp(argv[1], each->name))
				return run_case(each);
		}
	}
	if (!list)
		fprintf(stderr, "there is no case %s\n", argv[1]);
	return list ? 0 : 2;
}
