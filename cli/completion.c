/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* xsk completion SHELL: what a shell sources to complete the words of xsk. */
#include "command.h"

#include <stdbool.h>
#include <stdio.h>

struct options {
	bool json;
	int shell;
};

static const char *const shells[] = { "bash", "zsh", NULL };

static bool read_shell(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	const struct arg shell = { .words = shells };

	(void)arg;
	return arg_choice(&shell, field, text, why);
}

static const struct operand operands[] = {
	{ .name = "SHELL", .help = "bash or zsh", .read = read_shell,
	  .offset = offsetof(struct options, shell) },
	{ 0 },
};

/* Runs visit for each option of a command, and for --help. */
static void each_arg(const struct command *command, void (*visit)(const struct arg *arg))
{
	static const struct arg help = { .name = "help", .letter = 'h', .help = "Show this" };

	for (int i = 0; i < MAX_TABLES && command->args.tables[i]; i++)
		for (const struct arg *arg = command->args.tables[i]; arg->help; arg++)
			if (arg->name)
				visit(arg);
	visit(&help);
}

static bool takes(const struct command *command, bool interface)
{
	for (const struct operand *o = command->args.operands; o && o->name; o++)
		if (interface ? o->is_interface : o->is_file)
			return true;
	return false;
}

/* ---- bash ---- */

static void bash_name(const struct arg *arg)
{
	printf(" --%s", arg->name);
}

/* What may stand behind an option, as a line of case. */
static void bash_value(const struct arg *arg)
{
	if (!arg->value)
		return;
	printf("\t--%s", arg->name);
	if (arg->letter)
		printf("|-%c", arg->letter);
	fputs(")\n\t\tCOMPREPLY=(", stdout);
	if (arg->is_file) {
		fputs("$(compgen -f -- \"$word\")", stdout);
	} else if (arg->words) {
		fputs("$(compgen -W '", stdout);
		for (const char *const *word = arg->words; *word; word++)
			printf("%s%s", word == arg->words ? "" : " ", *word);
		fputs("' -- \"$word\")", stdout);
	}
	fputs(")\n\t\treturn ;;\n", stdout);
}

static void bash_command(const struct command *command)
{
	printf("_xsk_%s()\n{\n\tcase $before in\n", command->name);
	each_arg(command, bash_value);
	fputs("\tesac\n\tcase $word in\n\t-*)\n\t\tCOMPREPLY=($(compgen -W '", stdout);
	each_arg(command, bash_name);
	fputs("' -- \"$word\")) ;;\n\t*)\n", stdout);
	if (takes(command, true))
		fputs("\t\tCOMPREPLY=($(compgen -W \"$(ls /sys/class/net)\" -- \"$word\"))\n",
		      stdout);
	if (takes(command, false))
		fputs("\t\tCOMPREPLY+=($(compgen -f -- \"$word\"))\n", stdout);
	if (command == &command_completion)
		fputs("\t\tCOMPREPLY=($(compgen -W 'bash zsh' -- \"$word\"))\n", stdout);
	fputs("\t\t;;\n\tesac\n}\n\n", stdout);
}

static void print_bash(void)
{
	fputs("# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause\n"
	      "# Completion of xsk for bash, by: xsk completion bash\n\n", stdout);
	for (int i = 0; commands[i]; i++)
		bash_command(commands[i]);
	fputs("_xsk()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tCOMPREPLY=()\n"
	      "\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\tCOMPREPLY=($(compgen -W '", stdout);
	for (int i = 0; commands[i]; i++)
		printf("%s ", commands[i]->name);
	fputs("--help --version' -- \"$word\"))\n\t\treturn\n\tfi\n"
	      "\tcase ${COMP_WORDS[1]} in\n", stdout);
	for (int i = 0; commands[i]; i++)
		printf("\t%s) _xsk_%s ;;\n", commands[i]->name, commands[i]->name);
	fputs("\tesac\n}\ncomplete -F _xsk xsk\n", stdout);
}

/* ---- zsh ---- */

/* In a specification a bracket, a colon and a quote mean something. */
static void zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\'", stdout);
		else if (*text == '[' || *text == ']' || *text == ':' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

static void zsh_action(const struct arg *arg)
{
	putchar(':');
	zsh_text(arg->value);
	putchar(':');
	if (arg->is_file) {
		fputs("_files", stdout);
	} else if (arg->words) {
		putchar('(');
		for (const char *const *word = arg->words; *word; word++)
			printf("%s%s", word == arg->words ? "" : " ", *word);
		putchar(')');
	}
}

static void zsh_arg(const struct arg *arg)
{
	if (arg->letter)
		printf(" \\\n\t\t{-%c,--%s%s}'", arg->letter, arg->name, arg->value ? "+" : "");
	else
		printf(" \\\n\t\t'--%s%s", arg->name, arg->value ? "=" : "");
	putchar('[');
	zsh_text(arg->help);
	putchar(']');
	if (arg->value)
		zsh_action(arg);
	putchar('\'');
}

static void zsh_command(const struct command *command)
{
	printf("\t%s)\n\t\t_arguments -s", command->name);
	each_arg(command, zsh_arg);
	for (const struct operand *o = command->args.operands; o && o->name; o++) {
		printf(" \\\n\t\t'%s%s", o->is_rest ? "*" : "", o->optional ? ":" : "");
		printf(":%s:%s'", o->name, o->is_interface ? "_net_interfaces" :
		       o->is_file ? "_files" :
		       command == &command_completion ? "(bash zsh)" : "");
	}
	fputs(" ;;\n", stdout);
}

static void print_zsh(void)
{
	fputs("#compdef xsk\n# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause\n"
	      "# Completion of xsk for zsh, by: xsk completion zsh\n\n"
	      "_xsk()\n{\n\tif ((CURRENT == 2)); then\n\t\tlocal -a all=(", stdout);
	for (int i = 0; commands[i]; i++) {
		printf("\n\t\t\t'%s:", commands[i]->name);
		zsh_text(commands[i]->summary);
		putchar('\'');
	}
	fputs("\n\t\t)\n\t\t_describe 'command' all\n\t\treturn\n\tfi\n"
	      "\tshift words\n\t((CURRENT--))\n\tcase $words[1] in\n", stdout);
	for (int i = 0; commands[i]; i++)
		zsh_command(commands[i]);
	fputs("\tesac\n}\n\nif [ \"$funcstack[1]\" = _xsk ]; then\n\t_xsk \"$@\"\nelse\n"
	      "\tcompdef _xsk xsk\nfi\n", stdout);
}

static int run(void *arg, struct out *out)
{
	const struct options *options = arg;

	(void)out;
	if (options->shell)
		print_zsh();
	else
		print_bash();
	return GOOD;
}

const struct command command_completion = {
	.name = "completion",
	.summary = "Print what bash or zsh sources to complete the words of xsk",
	.args = { .name = "xsk completion", .operands = operands },
	.options_size = sizeof(struct options),
	.json_offset = offsetof(struct options, json),
	.run = run,
};
