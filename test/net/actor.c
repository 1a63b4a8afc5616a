/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "actor.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"

static void become(int in, int out, uint32_t queue)
{
	char path[PATH_MAX] = "", program[PATH_MAX + 32], number[16];

	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		_exit(127);
	snprintf(program, sizeof(program), "%s/../net/net-actor", dirname(path));
	snprintf(number, sizeof(number), "%u", queue);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	execl(program, program, number, NULL);
	_exit(127);
}

void actor_launch(struct actor *actor, uint32_t queue)
{
	int to[2], from[2];

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	actor->pid = fork();
	assert_true(actor->pid >= 0);
	if (!actor->pid)
		become(to[0], from[1], queue);
	close(to[0]);
	close(from[1]);
	actor->to = fdopen(to[1], "w");
	actor->from = fdopen(from[0], "r");
	assert_non_null(actor->to);
	assert_non_null(actor->from);
}

void actor_await(struct actor *actor)
{
	char line[512] = "";

	assert_non_null(fgets(line, sizeof(line), actor->from));
	assert_string_equal(line, "ready\n");
}

void actor_start(struct actor *actor, uint32_t queue)
{
	actor_launch(actor, queue);
	actor_await(actor);
}

void actor_expect(struct actor *actor, uint32_t number)
{
	char line[512] = "", wanted[32];

	fputs("receive\n", actor->to);
	fflush(actor->to);
	assert_non_null(fgets(line, sizeof(line), actor->from));
	snprintf(wanted, sizeof(wanted), "%u\n", number);
	assert_string_equal(line, wanted);
}

static int end(struct actor *actor)
{
	int status;

	fclose(actor->to);
	assert_int_equal(waitpid(actor->pid, &status, 0), actor->pid);
	fclose(actor->from);
	return status;
}

void actor_stop(struct actor *actor)
{
	assert_int_equal(end(actor), 0);
}

void actor_kill(struct actor *actor)
{
	int status;

	assert_int_equal(kill(actor->pid, SIGKILL), 0);
	status = end(actor);
	assert_true(WIFSIGNALED(status));
}
