/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* xsk completion SHELL: what a shell sources to complete the words of xsk. */
#include "command.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct options {
	bool json;
	int shell;
};

static const char *const shells[] = { "bash", "zsh", NULL };

static const struct operand operands[] = {
	{ .name = "SHELL", .help = "bash or zsh", .read = arg_choice, .words = shells,
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

/* With a blank between. */
static void print_words(const char *const *words)
{
	for (const char *const *word = words; *word; word++)
		printf("%s%s", word == words ? "" : " ", *word);
}

/* Whether a value is several of its words. */
static bool is_list(const struct arg *arg)
{
	return strchr(arg->value, ',');
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
	fputs(")", stdout);
	if (arg->is_file) {
		fputs(" _xsk_files;", stdout);
	} else if (arg->words) {
		fputs(is_list(arg) ? " _xsk_list '" : " _xsk_words '", stdout);
		print_words(arg->words);
		fputs("';", stdout);
	}
	fputs(" return ;;\n", stdout);
}

/* In any place: what it is to be is not counted. */
static void bash_operands(const struct command *command)
{
	for (const struct operand *o = command->args.operands; o && o->name; o++) {
		if (o->is_interface) {
			fputs("\t\t_xsk_interfaces\n", stdout);
			break;
		}
	}
	for (const struct operand *o = command->args.operands; o && o->name; o++) {
		if (o->is_file) {
			fputs("\t\t_xsk_files\n", stdout);
		} else if (o->words) {
			fputs("\t\t_xsk_words '", stdout);
			print_words(o->words);
			fputs("'\n", stdout);
		}
	}
}

static void bash_command(const struct command *command)
{
	printf("_xsk_%s()\n{\n\tcase $before in\n", command->name);
	each_arg(command, bash_value);
	fputs("\tesac\n\tcase $word in\n\t-*)\n\t\t_xsk_words '", stdout);
	each_arg(command, bash_name);
	fputs("' ;;\n\t*)\n", stdout);
	bash_operands(command);
	fputs("\t\t;;\n\tesac\n}\n\n", stdout);
}

/* A value behind "=" is three words for bash, which splits there. */
static const char bash_helpers[] =
	"# Completion of xsk for bash, by: xsk completion bash\n\n"
	"_xsk_words()\n{\n\tmapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$word\")\n}\n\n"
	"_xsk_list()\n{\n\tlocal known=\n\tcompopt -o nospace 2>/dev/null\n"
	"\tcase $word in\n\t*,*) known=${word%,*}, ;;\n\tesac\n"
	"\tmapfile -t COMPREPLY < <(compgen -P \"$known\" -W \"$1\" -- \"${word##*,}\")\n}\n\n"
	"_xsk_files()\n{\n\tcompopt -o filenames 2>/dev/null\n"
	"\tmapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n}\n\n"
	"# Not by compgen, which expands its words: a name may be \"$(reboot)\".\n"
	"_xsk_interfaces()\n{\n\tlocal name\n"
	"\tfor name in /sys/class/net/*/; do\n"
	"\t\tname=${name%/}\n\t\tname=${name##*/}\n"
	"\t\tcase $name in\n\t\t\"$word\"*) COMPREPLY+=(\"$(printf %q \"$name\")\") ;;\n"
	"\t\tesac\n\tdone\n}\n\n";

static void print_bash(void)
{
	fputs("# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause\n", stdout);
	fputs(bash_helpers, stdout);
	for (int i = 0; commands[i]; i++)
		bash_command(commands[i]);
	fputs("_xsk()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tCOMPREPLY=()\n"
	      "\tif [ \"$word\" = = ]; then\n\t\tword=\n"
	      "\telif [ \"$before\" = = ]; then\n\t\tbefore=${COMP_WORDS[COMP_CWORD-2]}\n"
	      "\tfi\n"
	      "\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\t_xsk_words '", stdout);
	for (int i = 0; commands[i]; i++)
		printf("%s ", commands[i]->name);
	fputs("--help --version'\n\t\treturn\n\tfi\n"
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
	} else if (arg->words && is_list(arg)) {
		printf("_values -s , %s ", arg->name);
		print_words(arg->words);
	} else if (arg->words) {
		putchar('(');
		print_words(arg->words);
		putchar(')');
	}
}

/* Those with a letter and a name exclude each other. */
static void zsh_arg(const struct arg *arg)
{
	if (arg->letter)
		printf(" \\\n\t\t'(-%c --%s)'{-%c%s,--%s%s}'", arg->letter, arg->name, arg->letter,
		       arg->value ? "+" : "", arg->name, arg->value ? "=" : "");
	else
		printf(" \\\n\t\t'--%s%s", arg->name, arg->value ? "=" : "");
	putchar('[');
	zsh_text(arg->help);
	putchar(']');
	if (arg->value)
		zsh_action(arg);
	putchar('\'');
}

static void zsh_operand(const struct operand *operand)
{
	printf(" \\\n\t\t'%s%s:%s:", operand->is_rest ? "*" : "",
	       operand->optional && !operand->is_rest ? ":" : "", operand->name);
	if (operand->is_interface) {
		fputs("_net_interfaces", stdout);
	} else if (operand->is_file) {
		fputs("_files", stdout);
	} else if (operand->words) {
		putchar('(');
		print_words(operand->words);
		putchar(')');
	}
	putchar('\'');
}

static void zsh_command(const struct command *command)
{
	printf("\t%s)\n\t\t_arguments -s -S", command->name);
	each_arg(command, zsh_arg);
	for (const struct operand *o = command->args.operands; o && o->name; o++)
		zsh_operand(o);
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
