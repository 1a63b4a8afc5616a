/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Who is told of a port, and that nobody who asks can hold it up. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <xsk/xsk.h>

#include "publish.h"
#include "publish_name.h"
#include "report.h"
#include "run.h"

#define IFINDEX 77777
/* More than a socket takes at once. */
#define LARGE (8 * 1024 * 1024)
#define PATIENCE_MS 1000

/* ---- the world ---- */

static size_t answer_size;
static uid_t own_uid, peer_uid;
static bool peer_is_told;
static int patience_ms;
static atomic_int blocked;		/* how often the answer had to wait for its reader */
static struct publish *publish;

/* The name is made of it. */
uint64_t run_now_ns(void)
{
	return 12345;
}

int xsk_port_info(const struct xsk_port *port, struct xsk_port_info *info)
{
	(void)port;
	info->ifindex = IFINDEX;
	return 0;
}

json_t *report_port(const struct xsk_port *port, const char *command, double seconds)
{
	char *text = malloc(answer_size + 1);
	json_t *object;

	(void)port;
	(void)seconds;
	assert_non_null(text);
	memset(text, 'x', answer_size);
	text[answer_size] = '\0';
	object = json_pack("{ss ss}", "command", command, "text", text);
	free(text);
	return object;
}

int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
uid_t __wrap_geteuid(void);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	if (timeout_ms != PATIENCE_MS)
		return __real_poll(fds, count, timeout_ms);
	blocked++;
	return __real_poll(fds, count, patience_ms);
}

uid_t __wrap_geteuid(void)
{
	return own_uid;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	int err = __real_getsockopt(fd, level, name, value, size);

	if (name == SO_PEERCRED)
		((struct ucred *)value)->uid = peer_uid;
	return peer_is_told ? err : -1;
}

static int begin(void **state)
{
	(void)state;
	answer_size = 10;
	own_uid = peer_uid = 1000;
	peer_is_told = true;
	patience_ms = -1;
	blocked = 0;
	publish = publish_open(NULL, "test");
	return publish ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	publish_close(publish);
	return 0;
}

/* ---- who asks ---- */

static int ask(void)
{
	struct sockaddr_un name;
	socklen_t size = publish_name(&name, IFINDEX, run_now_ns() ^ (uint64_t)getpid() << 40);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, size), 0);
	return fd;
}

/* All of the answer; how long it was. */
static size_t hear(int fd, char *text, size_t room)
{
	size_t len = 0;
	ssize_t more;

	while ((more = read(fd, text + len, room - len)) > 0)
		len += (size_t)more;
	assert_int_equal(more, 0);
	close(fd);
	return len;
}

static void assert_answers(bool answers)
{
	static const char expected[] = "{\"command\":\"test\",\"text\":\"xxxxxxxxxx\"}";
	char text[100] = "";

	assert_int_equal(hear(ask(), text, sizeof(text)), answers ? strlen(expected) : 0);
	assert_string_equal(text, answers ? expected : "");
}

static void who_may_know(void **state)
{
	(void)state;
	assert_answers(true);
	peer_uid = 1001;
	assert_answers(false);
	peer_uid = 0;
	assert_answers(true);
	own_uid = 0;
	assert_answers(true);
	peer_uid = 1000;
	assert_answers(false);
	own_uid = 1000;
	peer_is_told = false;
	assert_answers(false);
}

static void wait_until_blocked(int times)
{
	while (blocked < times)
		__real_poll(NULL, 0, 1);
}

/* One who is slow gets all of it. */
static void a_long_answer(void **state)
{
	char *text = malloc(LARGE + 100);
	int fd;

	(void)state;
	answer_size = LARGE;
	fd = ask();
	wait_until_blocked(1);
	assert_non_null(text);
	assert_int_equal(hear(fd, text, LARGE + 100), LARGE + strlen("{\"command\":\"test\","
								     "\"text\":\"\"}"));
	free(text);
}

/* One who never reads is given up, and the next one is served. */
static void who_never_reads(void **state)
{
	int fd;

	(void)state;
	patience_ms = 0;
	answer_size = LARGE;
	fd = ask();
	wait_until_blocked(1);
	answer_size = 10;
	assert_answers(true);
	close(fd);
}

/* The command ends meanwhile: without patience. */
static void who_never_reads_holds_no_end(void **state)
{
	int fds[3];

	(void)state;
	answer_size = LARGE;
	for (int i = 0; i < 3; i++)
		fds[i] = ask();
	wait_until_blocked(1);
	publish_close(publish);
	assert_int_equal(blocked, 1);
	publish = NULL;
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

/* Nor does one who goes. */
static void who_goes(void **state)
{
	int fd;

	(void)state;
	answer_size = LARGE;
	fd = ask();
	wait_until_blocked(1);
	close(fd);
	answer_size = 10;
	assert_answers(true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_may_know),
		TEST(a_long_answer),
		TEST(who_never_reads),
		TEST(who_never_reads_holds_no_end),
		TEST(who_goes),
	};

	return cmocka_run_group_tests_name("cli_publish", tests, NULL, NULL);
}
