/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The command xsk: finds the subcommand, reads its words, runs it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "iface.h"
#include "out.h"
#include "sink.h"
#include "version.h"

const struct command *const commands[] = {
	&command_probe,
	&command_recv,
	&command_send,
	&command_forward,
	&command_echo,
	&command_latency,
	&command_stats,
	&command_completion,
	NULL,
};

static void print_usage(FILE *to)
{
	fputs("usage: xsk COMMAND [OPTION...] [WORD...]\n"
	      "Moves packets past the kernel's stack, by AF_XDP.\n\n", to);
	for (int i = 0; commands[i]; i++)
		fprintf(to, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nxsk COMMAND --help tells the options; xsk --version the version.\n", to);
}

static const struct command *find_command(const char *name)
{
	for (int i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static void *copy_defaults(const struct command *command)
{
	void *options = calloc(1, command->options_size);

	if (options && command->defaults)
		memcpy(options, command->defaults, command->options_size);
	return options;
}

static int run_with(const struct command *command, void *options)
{
	struct streams streams;
	struct out out;
	bool written;
	int status;

	streams_open(&streams);
	out_open(&out, *(bool *)((char *)options + command->json_offset));
	status = command->run(options, &out);
	written = out_close(&out);
	written = streams_close(&streams) && written;
	return status == GOOD && !written ? FAILED : status;
}

/* Of what is no command's output: the usage, the version. */
static int finish(void)
{
	struct out out = { 0 };

	return out_close(&out) ? GOOD : FAILED;
}

#define MAX_IFACES 2

/*
 * From here on an interface goes by its own name, whichever it was called by: so that it is
 * known as one. What is none stays, for the command to say so.
 */
static void find_ifaces(const struct command *command, void *options,
			char names[MAX_IFACES][IF_NAMESIZE])
{
	const struct operand *operand = command->args.operands;

	for (int i = 0; operand && operand->name && i < MAX_IFACES; operand++) {
		const char **field = (const char **)((char *)options + operand->offset);

		if (operand->is_interface && *field && iface_find(names[i], *field))
			*field = names[i++];
	}
}

static int run(const struct command *command, int argc, char **argv)
{
	void *options = copy_defaults(command);
	char names[MAX_IFACES][IF_NAMESIZE];
	char why[ARG_WHY] = "";
	int status = MISUSED;

	if (!options) {
		fputs("xsk: no memory\n", stderr);
		return FAILED;
	}
	switch (args_parse(&command->args, options, argc, argv, why)) {
	case 0:
		find_ifaces(command, options, names);
		status = run_with(command, options);
		break;
	case 1:
		args_help(&command->args, command->summary, stdout);
		status = finish();
		break;
	default:
		fprintf(stderr, "xsk: %s: %s; see xsk %s --help\n", command->name,
			out_clean(why), command->name);
	}
	args_free(&command->args, options);
	free(options);
	return status;
}

/*
 * Where one is closed, the next socket would get its number, and be written to. By a file
 * that does the other thing only, so that who needs it is told.
 */
static void hold_streams(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_WRONLY };

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			exit(FAILED);	/* no /dev: nothing can be said */
}

int main(int argc, char **argv)
{
	const struct command *command;
	char name[ARG_WHY];

	hold_streams();
	/* A port's settings are put back also where the reader of stdout goes. */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_usage(stderr);
		return MISUSED;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage(stdout);
		return finish();
	}
	if (!strcmp(argv[1], "--version")) {
		puts("xsk " XSK_CLI_VERSION);
		return finish();
	}
	command = find_command(argv[1]);
	if (command)
		return run(command, argc - 1, argv + 1);
	snprintf(name, sizeof(name), "%.40s", argv[1]);
	fprintf(stderr, "xsk: there is no command '%s'; see xsk --help\n", out_clean(name));
	return MISUSED;
}
