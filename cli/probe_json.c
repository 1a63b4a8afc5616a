/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What xsk probe has found, for scripts. What is not told is null, or not there. */
#include "probe.h"

#include <stddef.h>
#include <stdio.h>

#include "hint.h"
#include "out.h"
#include "sockets.h"

static json_t *fact(uint8_t fact)
{
	return fact == XSK_PROBE_YES ? json_true() : fact == XSK_PROBE_NO ? json_false() :
	       json_null();
}

static const struct field {
	const char *name;
	size_t offset;
} kernel_facts[] = {
#define KERNEL(name) { #name, offsetof(struct xsk_probe_kernel, name) }
	KERNEL(af_xdp), KERNEL(need_wakeup), KERNEL(multi_buffer), KERNEL(tx_metadata),
	KERNEL(tx_budget), KERNEL(prefer_busy_poll), KERNEL(xdp_link), KERNEL(xdp_frags),
	KERNEL(jit), KERNEL(netdev_features), KERNEL(netdev_queues), KERNEL(napi_set),
	KERNEL(socket_list), KERNEL(socket_stats),
#undef KERNEL
	{ 0 },
}, caller_facts[] = {
#define CALLER(name) { #name, offsetof(struct xsk_probe_caller, name) }
	CALLER(net_raw), CALLER(net_admin), CALLER(bpf), CALLER(perfmon), CALLER(sys_admin),
	CALLER(sys_ptrace), CALLER(ipc_lock),
#undef CALLER
	{ 0 },
}, interface_facts[] = {
#define INTERFACE(name) { #name, offsetof(struct xsk_probe_interface, name) }
	INTERFACE(ethernet), INTERFACE(up), INTERFACE(carrier), { 0 },
}, interface_numbers[] = {
	INTERFACE(ifindex), INTERFACE(mtu), INTERFACE(speed), INTERFACE(rx_queues),
	INTERFACE(tx_queues), INTERFACE(max_rx_queues), INTERFACE(max_tx_queues),
	INTERFACE(zerocopy_frags), INTERFACE(copy_mtu_2048), INTERFACE(copy_mtu_4096),
	INTERFACE(zerocopy_mtu_2048), INTERFACE(zerocopy_mtu_4096), { 0 },
#undef INTERFACE
};

/* In the order of the bits. */
static const char *const features[] = {
	"basic", "redirect", "ndo_xmit", "zero_copy", "hw_offload", "rx_sg", "ndo_xmit_sg", NULL,
};
static const char *const rx_metadata[] = { "timestamp", "hash", "vlan_tag", NULL };
static const char *const tx_metadata[] = { "timestamp", "checksum", "launch_time", NULL };

static void set_facts(json_t *object, const void *from, const struct field *fields)
{
	for (; fields->name; fields++)
		json_object_set_new(object, fields->name,
				    fact(*((const uint8_t *)from + fields->offset)));
}

static json_t *bits(uint64_t value, const char *const *names, uint8_t told)
{
	json_t *array;

	if (told != XSK_PROBE_YES)
		return json_null();
	array = json_array();
	for (int i = 0; names[i]; i++)
		if (value & 1ULL << i)
			json_array_append_new(array, json_string(names[i]));
	return array;
}

/* Strings are fit to be said, but hints have names of C. */
static json_t *make_error(const struct xsk_error *error)
{
	char hint[HINT_SIZE];

	return json_pack("{si ss ss ss}", "code", error->code, "step", error->step, "reason",
			 error->reason, "hint", hint_of(hint, error, false));
}

/* ---- problems ---- */

static void add_problem(void *to, const struct probe_line *line)
{
	if (line->level < PROBE_WARN)
		return;
	json_array_append_new(to, json_pack("{ss ss ss}", "what", line->what, "text", line->text,
					    "mend", line->mend));
}

/* ---- the host ---- */

json_t *probe_json_kernel(const struct probe_host *host)
{
	const struct xsk_probe_kernel *kernel = &host->kernel;
	json_t *object = json_pack("{ss sb}", "release", kernel->release, "usable",
				   !kernel->socket.code);
	json_t *problems = json_array();
	const struct probe_reader reader = { .read = add_problem, .to = problems };

	if (kernel->socket.code)
		json_object_set_new(object, "error", make_error(&kernel->socket));
	set_facts(object, kernel, kernel_facts);
	if (kernel->huge_page_size)
		json_object_set_new(object, "huge_pages",
				    json_pack("{sI sI sI}", "size",
					      (json_int_t)kernel->huge_page_size, "total",
					      (json_int_t)kernel->huge_pages, "free",
					      (json_int_t)kernel->huge_pages_free));
	else
		json_object_set_new(object, "huge_pages", json_null());
	probe_say_kernel(&reader, host);
	json_object_set_new(object, "problems", problems);
	return object;
}

/* No limit is null. */
static json_t *limit(uint64_t bytes)
{
	return bytes == UINT64_MAX ? json_null() : json_integer((json_int_t)bytes);
}

json_t *probe_json_caller(const struct probe_host *host)
{
	const struct xsk_probe_caller *caller = &host->caller;
	json_t *object = json_pack("{sI}", "uid", (json_int_t)caller->uid);
	json_t *capabilities = json_object(), *problems = json_array();
	const struct probe_reader reader = { .read = add_problem, .to = problems };

	set_facts(capabilities, caller, caller_facts);
	json_object_set_new(object, "capabilities", capabilities);
	json_object_set_new(object, "user_namespace", fact(caller->user_namespace));
	json_object_set_new(object, "memlock", limit(caller->memlock));
	json_object_set_new(object, "memlock_hard", limit(caller->memlock_hard));
	json_object_set_new(object, "memlock_matters", fact(caller->memlock_matters));
	probe_say_caller(&reader, host);
	json_object_set_new(object, "problems", problems);
	return object;
}

/* ---- an interface ---- */

static json_t *make_program(const struct xsk_probe_program *program)
{
	json_t *object = json_pack("{sI so sI sb}", "id", (json_int_t)program->id, "mode",
				   program->mode ? json_string(probe_mode(program->mode)) :
				   json_null(), "part_of", (json_int_t)program->part_of,
				   "told", program->told == XSK_PROBE_YES);
	char tag[17];

	if (program->told != XSK_PROBE_YES)
		return object;
	for (int i = 0; i < 8; i++)
		snprintf(tag + 2 * i, 3, "%02x", program->tag[i]);
	json_object_set_new(object, "name", json_string(program->name));
	json_object_set_new(object, "tag", json_string(tag));
	json_object_set_new(object, "uid", json_integer(program->uid));
	json_object_set_new(object, "loaded_ns", json_integer((json_int_t)program->loaded_ns));
	json_object_set_new(object, "xskmap", program->xskmap == XSK_PROBE_YES ?
			    json_string(program->xskmap_name) : json_null());
	json_object_set_new(object, "by_link", fact(program->by_link));
	json_object_set_new(object, "link_id", json_integer(program->link_id));
	json_object_set_new(object, "processes",
			    sockets_processes(program->process, program->processes));
	json_object_set_new(object, "all_processes",
			    json_boolean(program->processes_told == XSK_PROBE_YES));
	json_object_set_new(object, "pin", program->pin[0] ? json_string(program->pin) :
			    json_null());
	json_object_set_new(object, "link_pinned", fact(program->link_pinned));
	return object;
}

static json_t *make_trial(const struct probe_trial *trial)
{
	json_t *object = json_pack("{ss sb}", "mode", probe_mode(trial->mode), "opened",
				   !trial->error.code);

	if (trial->error.code)
		json_object_set_new(object, "error", make_error(&trial->error));
	else
		json_object_set_new(object, "mode_text", json_string(trial->text));
	return object;
}

static void set_lists(json_t *object, const struct probe_interface *interface)
{
	json_t *programs = interface->program_count < 0 ? json_null() : json_array();
	json_t *sockets = interface->socket_count < 0 ? json_null() : json_array();
	json_t *trials = interface->trial_count ? json_array() : NULL;

	for (int i = 0; i < interface->program_count; i++)
		json_array_append_new(programs, make_program(&interface->programs[i]));
	for (int i = 0; i < interface->socket_count; i++)
		json_array_append_new(sockets, sockets_json(&interface->sockets[i]));
	for (int i = 0; i < interface->trial_count; i++)
		json_array_append_new(trials, make_trial(&interface->trials[i]));
	json_object_set_new(object, "programs", programs);
	json_object_set_new(object, "sockets", sockets);
	if (trials)
		json_object_set_new(object, "test", trials);
}

json_t *probe_json_interface(const struct probe_interface *interface)
{
	const struct xsk_probe_interface *info = &interface->info;
	json_t *object = json_pack("{ss ss ss}", "interface", info->name, "driver", info->driver,
				   "master", info->master);
	json_t *problems = json_array();
	const struct probe_reader reader = { .read = add_problem, .to = problems };

	set_facts(object, info, interface_facts);
	for (const struct field *field = interface_numbers; field->name; field++) {
		const void *at = (const char *)info + field->offset;

		json_object_set_new(object, field->name, json_integer(*(const uint32_t *)at));
	}
	json_object_set_new(object, "zero_copy", fact(info->zerocopy));
	json_object_set_new(object, "features", bits(info->features, features,
						     info->features_told));
	json_object_set_new(object, "rx_metadata", bits(info->rx_metadata, rx_metadata,
							info->metadata_told));
	json_object_set_new(object, "tx_metadata", bits(info->tx_metadata, tx_metadata,
							info->metadata_told));
	set_lists(object, interface);
	probe_say_interface(&reader, interface, true);
	json_object_set_new(object, "problems", problems);
	return object;
}
