/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "args.h"

#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

#define MAX_OPTIONS 64
#define HELP_COLUMN 28
#define HELP_WIDTH 80

/* ---- readers ---- */

bool arg_flag(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	(void)arg;
	(void)text;
	(void)why;
	*(bool *)field = true;
	return true;
}

bool arg_text(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	(void)arg;
	if (!*text) {
		snprintf(why, ARG_WHY, "it is empty");
		return false;
	}
	*(const char **)field = text;
	return true;
}

static bool in_range(const struct arg *arg, double value, char why[ARG_WHY])
{
	if ((!arg->min && !arg->max) || (value >= arg->min && value <= arg->max))
		return true;
	snprintf(why, ARG_WHY, "it must be %.0f to %.0f", arg->min, arg->max);
	return false;
}

bool arg_count(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	uint64_t value;

	if (!units_count(&value, text)) {
		snprintf(why, ARG_WHY, "it must be a whole number, as 1000, 64k, 1.5M");
		return false;
	}
	if (!in_range(arg, (double)value, why))
		return false;
	*(uint64_t *)field = value;
	return true;
}

bool arg_size(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	uint64_t value;

	if (!units_size(&value, text)) {
		snprintf(why, ARG_WHY, "it must be a size, as 1500, 64k, 2M");
		return false;
	}
	if (!in_range(arg, (double)value, why))
		return false;
	*(uint64_t *)field = value;
	return true;
}

bool arg_time(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	uint64_t ns;

	if (!units_time(&ns, text)) {
		snprintf(why, ARG_WHY, "it must be a time, as 10s, 100ms, 5m");
		return false;
	}
	if ((arg->min || arg->max) && ((double)ns < arg->min || (double)ns > arg->max)) {
		char least[UNITS_TEXT], most[UNITS_TEXT];

		snprintf(why, ARG_WHY, "it must be %s to %s", units_say_time(least, arg->min),
			 units_say_time(most, arg->max));
		return false;
	}
	*(uint64_t *)field = ns;
	return true;
}

bool arg_rate(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	(void)arg;
	if (units_rate(field, text))
		return true;
	snprintf(why, ARG_WHY, "it must be a rate, as 100kpps, 1.5Mpps, 1Gbit");
	return false;
}

bool arg_range(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	struct units_range range;

	if (!units_range(&range, text)) {
		snprintf(why, ARG_WHY, "it must be a number or a range, as 5 or 3-7");
		return false;
	}
	if (!in_range(arg, (double)range.first, why) || !in_range(arg, (double)range.last, why))
		return false;
	*(struct units_range *)field = range;
	return true;
}

static void say_words(const struct arg *arg, char why[ARG_WHY])
{
	size_t len = (size_t)snprintf(why, ARG_WHY, "it must be");

	for (const char *const *word = arg->words; *word && len < ARG_WHY; word++)
		len += (size_t)snprintf(why + len, ARG_WHY - len, "%s %s",
					word == arg->words ? "" : word[1] ? "," : " or", *word);
}

/* -1: none of them. */
static int find_word(const struct arg *arg, const char *text, size_t len)
{
	for (int i = 0; arg->words[i]; i++)
		if (strlen(arg->words[i]) == len && !strncmp(arg->words[i], text, len))
			return i;
	return -1;
}

bool arg_choice(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	int i = find_word(arg, text, strlen(text));

	if (i < 0) {
		say_words(arg, why);
		return false;
	}
	*(int *)field = i;
	return true;
}

bool arg_bits(const struct arg *arg, void *field, const char *text, char why[ARG_WHY])
{
	uint32_t bits = 0;
	size_t len;

	for (;; text += len + 1) {
		int i;

		len = strcspn(text, ",");
		i = find_word(arg, text, len);
		if (i < 0) {
			say_words(arg, why);
			return false;
		}
		bits |= 1u << i;
		if (!text[len])
			break;
	}
	*(uint32_t *)field |= bits;
	return true;
}

/* ---- parsing ---- */

/* The tables as getopt_long(3) wants them. */
struct plan {
	struct option options[MAX_OPTIONS + 1];
	const struct arg *args[MAX_OPTIONS];
	size_t offsets[MAX_OPTIONS];
	char letters[3 * MAX_OPTIONS + 2];
	int count;
};

static const struct arg help_arg = { .name = "help", .letter = 'h', .help = "Show this" };

static void plan_arg(struct plan *plan, const struct arg *arg, size_t offset)
{
	int has = arg->value ? required_argument : no_argument;
	size_t len = strlen(plan->letters);

	if (plan->count == MAX_OPTIONS)
		abort();		/* the tables are too long for this file */
	/* Above all letters: the number in the plan. */
	plan->options[plan->count] = (struct option){ arg->name, has, NULL, 256 + plan->count };
	plan->args[plan->count] = arg;
	plan->offsets[plan->count] = offset;
	plan->count++;
	if (arg->letter)
		snprintf(plan->letters + len, sizeof(plan->letters) - len, "%c%s", arg->letter,
			 arg->value ? ":" : "");
}

static void plan_all(struct plan *plan, const struct args *args)
{
	memset(plan, 0, sizeof(*plan));
	strcpy(plan->letters, ":");
	for (int i = 0; i < MAX_TABLES && args->tables[i]; i++)
		for (const struct arg *arg = args->tables[i]; arg->help; arg++)
			if (arg->name)
				plan_arg(plan, arg, args->offsets[i]);
	plan_arg(plan, &help_arg, 0);
}

/* Of what getopt_long() returned. */
static int find_arg(const struct plan *plan, int which)
{
	if (which >= 256)
		return which - 256;
	for (int i = 0; i < plan->count; i++)
		if (plan->args[i]->letter == which)
			return i;
	return -1;
}

static int refuse(const struct plan *plan, int which, char **argv, char why[ARG_WHY])
{
	int i = optopt ? find_arg(plan, optopt) : -1;

	if (which == ':' || (i >= 0 && plan->args[i]->value))
		snprintf(why, ARG_WHY, "--%s wants a value: %s", plan->args[i]->name,
			 plan->args[i]->value);
	else if (i >= 0)
		snprintf(why, ARG_WHY, "--%s takes no value", plan->args[i]->name);
	else if (optopt)
		snprintf(why, ARG_WHY, "there is no option -%c", optopt);
	else
		snprintf(why, ARG_WHY, "there is no option %.60s, or several begin so",
			 argv[optind - 1]);
	return -1;
}

static int read_options(const struct args *args, void *options, int argc, char **argv,
			char why[ARG_WHY])
{
	char reason[ARG_WHY] = "";
	struct plan plan;
	int which, i;

	plan_all(&plan, args);
	optind = 0;			/* from the start, also the second time */
	opterr = 0;
	while ((which = getopt_long(argc, argv, plan.letters, plan.options, NULL)) != -1) {
		if (which == '?' || which == ':')
			return refuse(&plan, which, argv, why);
		i = find_arg(&plan, which);
		if (plan.args[i] == &help_arg)
			return 1;
		if (plan.args[i]->read(plan.args[i], (char *)options + plan.offsets[i] +
				       plan.args[i]->offset, optarg, reason))
			continue;
		snprintf(why, ARG_WHY, "--%s %.40s: %.100s", plan.args[i]->name, optarg, reason);
		return -1;
	}
	return 0;
}

static bool read_operand(const struct operand *operand, void *options, const char *text,
			 char why[ARG_WHY])
{
	const struct arg arg = { .name = operand->name, .words = operand->words };
	char reason[ARG_WHY] = "";

	if (operand->read(&arg, (char *)options + operand->offset, text, reason))
		return true;
	snprintf(why, ARG_WHY, "%s %.40s: %.100s", operand->name, text, reason);
	return false;
}

/* All words with a space between. NULL: no memory. */
static char *join(int count, char **words)
{
	size_t size = 1;
	char *text, *at;

	for (int i = 0; i < count; i++)
		size += strlen(words[i]) + 1;
	at = text = calloc(1, size);
	for (int i = 0; text && i < count; i++)
		at += sprintf(at, i ? " %s" : "%s", words[i]);
	return text;
}

static int read_operands(const struct args *args, void *options, int count, char **words,
			 char why[ARG_WHY])
{
	const struct operand *operand = args->operands;
	int i = 0;

	for (; operand && operand->name; operand++) {
		if (i == count && operand->optional)
			continue;
		if (i == count) {
			snprintf(why, ARG_WHY, "%s is missing: %s", operand->name, operand->help);
			return -1;
		}
		if (operand->is_rest) {
			char **rest = (char **)((char *)options + operand->offset);

			*rest = join(count - i, words + i);
			/* Not as if nothing had been given: that may be everything. */
			if (!*rest) {
				snprintf(why, ARG_WHY, "%s: no memory", operand->name);
				return -1;
			}
			i = count;
		} else if (!read_operand(operand, options, words[i++], why)) {
			return -1;
		}
	}
	if (i == count)
		return 0;
	snprintf(why, ARG_WHY, "'%.80s' is one word too many", words[i]);
	return -1;
}

void args_free(const struct args *args, void *options)
{
	const struct operand *operand = args->operands;

	for (; operand && operand->name; operand++)
		if (operand->is_rest)
			free(*(char **)((char *)options + operand->offset));
}

int args_parse(const struct args *args, void *options, int argc, char **argv,
	       char why[ARG_WHY])
{
	int ret = read_options(args, options, argc, argv, why);

	return ret ? ret : read_operands(args, options, argc - optind, argv + optind, why);
}

/* ---- help ---- */

/* From column HELP_COLUMN on, in lines of HELP_WIDTH. */
static void print_help(const char *text, int column, FILE *to)
{
	int room = HELP_WIDTH - HELP_COLUMN;

	if (column >= HELP_COLUMN) {
		fputc('\n', to);
		column = 0;
	}
	while (*text) {
		int len = (int)strlen(text);

		if (len > room)
			for (len = room; len && text[len] != ' '; len--)
				;
		if (!len)
			len = (int)strcspn(text, " ");
		fprintf(to, "%*s%.*s\n", HELP_COLUMN - column, "", len, text);
		text += len;
		text += *text == ' ';
		column = 0;
	}
}

static void help_arg_line(const struct arg *arg, FILE *to)
{
	char name[80];

	if (!arg->name) {
		fprintf(to, "\n%s:\n", arg->help);
		return;
	}
	snprintf(name, sizeof(name), "  %c%c%s --%s%s%s", arg->letter ? '-' : ' ',
		 arg->letter ? arg->letter : ' ', arg->letter ? "," : " ", arg->name,
		 arg->value ? " " : "", arg->value ? arg->value : "");
	fputs(name, to);
	print_help(arg->help, (int)strlen(name), to);
}

void args_help(const struct args *args, const char *summary, FILE *to)
{
	const struct operand *operand;

	fprintf(to, "usage: %s [OPTION...]", args->name);
	for (operand = args->operands; operand && operand->name; operand++)
		fprintf(to, operand->optional ? " [%s]" : " %s", operand->name);
	fprintf(to, "\n%s.\n\n", summary);
	for (operand = args->operands; operand && operand->name; operand++) {
		fprintf(to, "  %s", operand->name);
		print_help(operand->help, (int)strlen(operand->name) + 2, to);
	}
	for (int i = 0; i < MAX_TABLES && args->tables[i]; i++)
		for (const struct arg *arg = args->tables[i]; arg->help; arg++)
			help_arg_line(arg, to);
	help_arg_line(&help_arg, to);
}
