/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * xsk probe [IFACE]: what there is of AF_XDP, who has it, and what would mend what is not
 * good. It changes nothing, unless a port is to be opened with --test.
 */
#include "probe.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "out.h"
#include "sockets.h"

/* What no packet is: so that a port takes none while it is tried. */
#define NO_PACKET "less 13"

struct options {
	bool json, test;
	const char *iface;
};

static const struct arg probe_args[] = {
	{ .help = "What is done" },
	{ "test", 't', NULL, "Open a port in each mode, and say what happened; needs IFACE",
	  arg_flag, offsetof(struct options, test), 0, 0, NULL, false },
	{ .help = "Other options" },
	{ "json", 'j', NULL, "Write an object of JSON",
	  arg_flag, offsetof(struct options, json), 0, 0, NULL, false },
	{ 0 },
};

static const struct operand operands[] = {
	{ .name = "IFACE", .help = "The interface; all in short if not given", .optional = true,
	  .read = arg_text, .is_interface = true, .offset = offsetof(struct options, iface) },
	{ 0 },
};

/* ---- asking ---- */

static void clean_error(struct xsk_error *error)
{
	out_clean(error->reason);
	out_clean(error->hint);
}

static void ask_host(struct probe_host *host)
{
	ssize_t len;

	*host = (struct probe_host){ .kernel.sz = sizeof(host->kernel),
				     .caller.sz = sizeof(host->caller) };
	xsk_probe_kernel(&host->kernel);
	xsk_probe_caller(&host->caller);
	out_clean(host->kernel.release);
	clean_error(&host->kernel.socket);
	len = readlink("/proc/self/exe", host->program, sizeof(host->program) - 1);
	if (len < 0)
		snprintf(host->program, sizeof(host->program), "xsk");
	out_clean(host->program);
}

static void clean_processes(struct xsk_probe_process *processes, uint32_t count)
{
	for (uint32_t i = 0; i < count && i < XSK_PROBE_PROCESSES; i++)
		out_clean(processes[i].name);
}

static void ask_programs(struct probe_interface *interface, const char *iface)
{
	interface->programs[0].sz = sizeof(interface->programs[0]);
	interface->program_count = xsk_probe_programs(iface, interface->programs, PROBE_PROGRAMS,
						      NULL);
	if (interface->program_count > PROBE_PROGRAMS)
		interface->program_count = PROBE_PROGRAMS;
	for (int i = 0; i < interface->program_count; i++) {
		struct xsk_probe_program *program = &interface->programs[i];

		out_clean(program->name);
		out_clean(program->xskmap_name);
		out_clean(program->pin);
		clean_processes(program->process, program->processes);
	}
}

static void ask_sockets(struct probe_interface *interface, const char *iface)
{
	interface->socket_count = sockets_ask(&interface->sockets, iface,
					      &interface->sockets_error);
	for (int i = 0; i < interface->socket_count; i++)
		clean_processes(interface->sockets[i].process, interface->sockets[i].processes);
	if (interface->socket_count < 0)
		clean_error(&interface->sockets_error);
}

/* 0 or -errno; then there is nothing to free. */
static int ask_interface(struct probe_interface *interface, const char *iface,
			 struct xsk_error *error)
{
	int err;

	*interface = (struct probe_interface){ .info.sz = sizeof(interface->info) };
	err = xsk_probe_interface(&interface->info, iface, error);
	if (err)
		return err;
	ask_programs(interface, iface);
	ask_sockets(interface, iface);
	out_clean(interface->info.name);
	out_clean(interface->info.driver);
	out_clean(interface->info.master);
	return 0;
}

/* ---- trying ---- */

static void try_mode(struct probe_trial *trial, const char *iface, struct xsk_filter *filter)
{
	struct xsk_port_opts opts = { .sz = sizeof(opts), .modes = trial->mode,
				      .filter = filter };
	struct xsk_port_info info = { .sz = sizeof(info) };
	struct xsk_port *port;

	if (xsk_port_open(&port, iface, &opts, &trial->error)) {
		clean_error(&trial->error);
		return;
	}
	trial->error.code = 0;
	xsk_port_info(port, &info);
	xsk_port_close(port);
	snprintf(trial->text, sizeof(trial->text), "%s", info.mode_text);
	out_clean(trial->text);
}

/*
 * One after the other. The packets of the interface go on to the kernel meanwhile, if a filter
 * can be had: not of who may not load one, nor where a program of others decides.
 */
static void try_modes(struct probe_interface *interface, const struct probe_host *host,
		      const char *iface)
{
	static const uint32_t modes[PROBE_MODES] = { XSK_MODE_ZEROCOPY, XSK_MODE_NATIVE,
						     XSK_MODE_GENERIC };
	bool may_filter = host->caller.perfmon == XSK_PROBE_YES ||
			  host->caller.sys_admin == XSK_PROBE_YES;
	struct xsk_filter *filter = NULL;

	if (may_filter && !interface->program_count)
		xsk_filter_compile(&filter, NO_PACKET, NULL);
	for (int i = 0; i < PROBE_MODES; i++) {
		interface->trials[i].mode = modes[i];
		try_mode(&interface->trials[i], iface, filter);
	}
	interface->trial_count = PROBE_MODES;
	xsk_filter_free(filter);
}

static bool any_opened(const struct probe_interface *interface)
{
	for (int i = 0; i < interface->trial_count; i++)
		if (!interface->trials[i].error.code)
			return true;
	return !interface->trial_count;
}

/* ---- for people ---- */

struct printer {
	const struct out *out;
	bool problems_only;
};

static void print_line(void *to, const struct probe_line *line)
{
	static const enum out_colour colours[] = { OUT_GREEN, OUT_PLAIN, OUT_YELLOW, OUT_RED };
	const struct printer *printer = to;
	bool is_plain = line->level == PROBE_PLAIN;

	if (printer->problems_only && line->level < PROBE_WARN)
		return;
	printf("  %-15s %s%s%s%s%s\n", line->what,
	       is_plain ? "" : out_start(printer->out, colours[line->level]), line->text,
	       *line->mend ? "; " : "", line->mend, is_plain ? "" : out_end(printer->out));
}

static void print_head(const struct out *out, const char *head, const char *more)
{
	printf("%s%s%s%s%s\n", out_start(out, OUT_BOLD), head, out_end(out), *more ? "  " : "",
	       more);
}

static void print_host(const struct out *out, const struct probe_host *host)
{
	struct printer printer = { .out = out };
	const struct probe_reader reader = { .read = print_line, .to = &printer };
	char head[sizeof(host->kernel.release) + 16];

	snprintf(head, sizeof(head), "Linux %s", host->kernel.release);
	print_head(out, head, "");
	probe_say_kernel(&reader, host);
	snprintf(head, sizeof(head), "You, uid %u", host->caller.uid);
	print_head(out, head, "");
	probe_say_caller(&reader, host);
}

static void print_interface(const struct out *out, const struct probe_interface *interface,
			    bool in_short)
{
	struct printer printer = { .out = out, .problems_only = in_short };
	const struct probe_reader reader = { .read = print_line, .to = &printer };
	char summary[256] = "";

	if (in_short)
		probe_summary(summary, sizeof(summary), interface);
	print_head(out, interface->info.name, summary);
	probe_say_interface(&reader, interface, !in_short);
}

/* ---- all ---- */

/* Into the array, or on stdout; and gives it back. */
static void show(struct out *out, json_t *array, struct probe_interface *interface, bool in_short)
{
	if (out->json)
		json_array_append_new(array, probe_json_interface(interface));
	else
		print_interface(out, interface, in_short);
	free(interface->sockets);
}

static int show_one(struct out *out, const struct probe_host *host, const struct options *options,
		    json_t *array)
{
	struct probe_interface interface;
	struct xsk_error error;
	bool opened;

	if (ask_interface(&interface, options->iface, &error)) {
		out_error(out, options->iface, &error);
		return FAILED;
	}
	if (options->test)
		try_modes(&interface, host, options->iface);
	opened = any_opened(&interface);
	if (!out->json)
		print_host(out, host);
	show(out, array, &interface, false);
	if (!opened)
		out_note(out, "%s: no port can be opened in any mode", options->iface);
	return opened ? GOOD : FAILED;
}

/* One that goes meanwhile is not shown. */
static int show_all(struct out *out, const struct probe_host *host, json_t *array)
{
	struct if_nameindex *names = if_nameindex();
	struct probe_interface interface;

	if (!names) {
		out_fail(out, NULL, "the interfaces cannot be listed: %s", strerror(errno));
		return FAILED;
	}
	if (!out->json)
		print_host(out, host);
	for (const struct if_nameindex *one = names; one->if_index; one++) {
		if (ask_interface(&interface, one->if_name, NULL))
			continue;
		if (interface.info.ethernet == XSK_PROBE_YES)
			show(out, array, &interface, true);
		else
			free(interface.sockets);
	}
	if_freenameindex(names);
	return GOOD;
}

static int run(void *arg, struct out *out)
{
	const struct options *options = arg;
	json_t *array = out->json ? json_array() : NULL;
	struct probe_host host;
	int status;

	if (options->test && !options->iface) {
		out_fail(out, NULL, "--test wants an interface; xsk probe lists them");
		json_decref(array);
		return MISUSED;
	}
	ask_host(&host);
	status = options->iface ? show_one(out, &host, options, array) :
		 show_all(out, &host, array);
	/* An interface that is not there has been said instead. */
	if (out->json && (!options->iface || json_array_size(array)))
		out_json(out, json_pack("{ss so so sO}", "type", "probe", "kernel",
					probe_json_kernel(&host), "you",
					probe_json_caller(&host), "interfaces", array));
	json_decref(array);
	return status;
}

const struct command command_probe = {
	.name = "probe",
	.summary = "Tell what there is of AF_XDP, on an interface or on all, and what mends it",
	.args = {
		.name = "xsk probe",
		.tables = { probe_args },
		.operands = operands,
	},
	.options_size = sizeof(struct options),
	.json_offset = offsetof(struct options, json),
	.run = run,
};
