/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "example.h"

#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_S 10		/* until a line has to come */
#define PATIENCE_LINES 20	/* until the right one has; one comes each second */

static void become(int out, char *const *argv)
{
	char path[PATH_MAX] = "", program[PATH_MAX + 32];

	/* However the test ends, it ends. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		_exit(127);
	snprintf(program, sizeof(program), "%s/../../examples/%s", dirname(path), argv[0]);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execv(program, argv);
	_exit(127);
}

static void patient(int fd)
{
	struct timeval wait = { .tv_sec = PATIENCE_S };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
}

void example_start(struct example *example, char *const *argv)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	patient(pair[0]);
	example->pid = fork();
	assert_true(example->pid >= 0);
	if (!example->pid)
		become(pair[1], argv);
	close(pair[1]);
	example->out = fdopen(pair[0], "r");
	assert_non_null(example->out);
}

void example_await(struct example *example, const char *text)
{
	for (int i = 0; i < PATIENCE_LINES; i++) {
		if (!fgets(example->line, sizeof(example->line), example->out))
			break;
		if (strstr(example->line, text))
			return;
		print_message("# %s", example->line);
	}
	fail_msg("'%s' is not said", text);
}

unsigned long example_number(const struct example *example, const char *text)
{
	const char *found = strstr(example->line, text);

	if (!found)
		fail_msg("no '%s' in: %s", text, example->line);
	return found ? strtoul(found + strlen(text), NULL, 10) : 0;
}

void example_await_ready(struct example *example, int ports)
{
	while (ports--) {
		example_await(example, " queue(s), ");
		assert_non_null(strstr(example->line, "zero-copy refused: "));
	}
}

void example_interrupt(struct example *example)
{
	assert_int_equal(kill(example->pid, SIGINT), 0);
}

void example_end(struct example *example, int wanted)
{
	int status;

	while (fgets(example->line, sizeof(example->line), example->out))
		print_message("# %s", example->line);
	fclose(example->out);
	assert_int_equal(waitpid(example->pid, &status, 0), example->pid);
	*example = (struct example){ 0 };
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), wanted);
}

void example_await_sum(struct example *example, unsigned long wanted)
{
	unsigned long sum = 0;

	for (int i = 0; i < PATIENCE_LINES && sum < wanted; i++) {
		example_await(example, " packets/s");
		sum += strtoul(example->line, NULL, 10);
	}
	assert_int_equal(sum, wanted);
}

void example_kill(struct example *example)
{
	if (!example->pid)
		return;
	kill(example->pid, SIGKILL);
	waitpid(example->pid, NULL, 0);
	fclose(example->out);
	*example = (struct example){ 0 };
}
