/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What xsk probe says of the kernel, and of who asks. */
#include "probe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "out.h"

/* What the rings of one queue want, if nothing else is said: frames of 4 KiB for both. */
#define QUEUE_MEMORY (UINT64_C(4096) * 4096)

void probe_say(const struct probe_reader *reader, const char *what, enum probe_level level,
	       const char *mend, const char *format, ...)
{
	struct probe_line line = { .what = what, .level = level };
	va_list args;

	va_start(args, format);
	vsnprintf(line.text, sizeof(line.text), format, args);
	va_end(args);
	snprintf(line.mend, sizeof(line.mend), "%s", mend ? mend : "");
	reader->read(reader->to, &line);
}

/* A list with commas, cut where it does not fit. */
struct list {
	char text[320];
	int count;
};

static void add(struct list *list, const char *name)
{
	size_t len = strlen(list->text);

	snprintf(list->text + len, sizeof(list->text) - len, "%s%s", len ? ", " : "", name);
	list->count++;
}

/* ---- the kernel ---- */

/* From the oldest on: the last one that is missing says what has all. */
static const struct feature {
	const char *name, *since;
	size_t offset;
} features[] = {
#define FEATURE(name, field, since) { name, since, offsetof(struct xsk_probe_kernel, field) }
	FEATURE("need-wakeup", need_wakeup, "5.4"),
	FEATURE("programs by link", xdp_link, "5.9"),
	FEATURE("busy polling", prefer_busy_poll, "5.11"),
	FEATURE("programs for several buffers", xdp_frags, "5.18"),
	FEATURE("features of drivers", netdev_features, "6.3"),
	FEATURE("multi-buffer", multi_buffer, "6.6"),
	FEATURE("lists of queues", netdev_queues, "6.8"),
	FEATURE("TX metadata", tx_metadata, "6.11"),
	FEATURE("settings of NAPIs", napi_set, "6.13"),
	FEATURE("TX budget", tx_budget, "6.17"),
#undef FEATURE
};

static void say_features(const struct probe_reader *reader, const struct probe_host *host)
{
	struct list lists[3] = { 0 };
	const char *since = "";
	char mend[64];

	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const char *at = (const char *)&host->kernel + features[i].offset;
		uint8_t fact = *(const uint8_t *)at;

		add(&lists[fact % 3], features[i].name);
		if (fact == XSK_PROBE_NO)
			since = features[i].since;
	}
	if (lists[XSK_PROBE_YES].count)
		probe_say(reader, "has", PROBE_GOOD, NULL, "%s", lists[XSK_PROBE_YES].text);
	snprintf(mend, sizeof(mend), "take Linux %s", since);
	if (lists[XSK_PROBE_NO].count)
		probe_say(reader, "has not", PROBE_WARN, mend, "%s", lists[XSK_PROBE_NO].text);
	if (lists[XSK_PROBE_NOT_TOLD].count)
		probe_say(reader, "not told", PROBE_WARN, "run as root", "%s",
			  lists[XSK_PROBE_NOT_TOLD].text);
}

static void say_jit(const struct probe_reader *reader, uint8_t jit)
{
	if (jit == XSK_PROBE_YES)
		probe_say(reader, "programs", PROBE_GOOD, NULL, "compiled");
	else if (jit == XSK_PROBE_NO)
		probe_say(reader, "programs", PROBE_WARN,
			  "echo 1 >/proc/sys/net/core/bpf_jit_enable",
			  "interpreted, which is slow");
	else
		probe_say(reader, "programs", PROBE_WARN, "run as root",
			  "whether they are compiled is not told");
}

static void say_lists(const struct probe_reader *reader, const struct xsk_probe_kernel *kernel)
{
	if (kernel->socket_list == XSK_PROBE_YES)
		probe_say(reader, "sockets", PROBE_GOOD, NULL, "told, with their owners%s",
			  kernel->socket_stats == XSK_PROBE_YES ? " and statistics" : "");
	else
		probe_say(reader, "sockets", PROBE_WARN,
			  "take a kernel with CONFIG_XDP_SOCKETS_DIAG",
			  "their owners are not told");
}

static void say_huge(const struct probe_reader *reader, const struct xsk_probe_kernel *kernel)
{
	if (!kernel->huge_page_size)
		probe_say(reader, "huge pages", PROBE_PLAIN, NULL, "not told");
	else if (kernel->huge_pages_free)
		probe_say(reader, "huge pages", PROBE_GOOD, NULL, "%" PRIu64 " of %" PRIu64
			  " are free", kernel->huge_pages_free, kernel->huge_pages);
	else
		probe_say(reader, "huge pages", PROBE_PLAIN, "sysctl vm.nr_hugepages=64",
			  kernel->huge_pages ? "none is free" : "none; pages of the usual size do");
}

void probe_say_kernel(const struct probe_reader *reader, const struct probe_host *host)
{
	const struct xsk_probe_kernel *kernel = &host->kernel;

	if (!kernel->socket.code)
		probe_say(reader, "AF_XDP", PROBE_GOOD, NULL, "can be used");
	else
		probe_say(reader, "AF_XDP", PROBE_BAD, kernel->socket.hint, "%s%s",
			  kernel->af_xdp == XSK_PROBE_YES ? "built in, but " : "",
			  kernel->socket.reason);
	say_features(reader, host);
	say_jit(reader, kernel->jit);
	say_lists(reader, kernel);
	say_huge(reader, kernel);
}

/* ---- the caller ---- */

static const struct capability {
	const char *name, *why;
	size_t offset;
	bool by_admin;			/* CAP_SYS_ADMIN does for it */
} capabilities[] = {
#define CAPABILITY(name, why, by_admin) \
	{ "cap_" #name, why, offsetof(struct xsk_probe_caller, name), by_admin }
	CAPABILITY(net_raw, "to open sockets", false),
	CAPABILITY(net_admin, "to attach programs", false),
	CAPABILITY(bpf, "to load programs", true),
	CAPABILITY(perfmon, "to load filters", true),
	CAPABILITY(sys_admin, "to see programs of others", false),
	CAPABILITY(sys_ptrace, "to see whose they are", false),
#undef CAPABILITY
};

static bool lacks(const struct xsk_probe_caller *caller, const struct capability *capability)
{
	if (capability->by_admin && caller->sys_admin == XSK_PROBE_YES)
		return false;
	return *((const uint8_t *)caller + capability->offset) != XSK_PROBE_YES;
}

static bool is_short_of_memory(const struct xsk_probe_caller *caller)
{
	return caller->memlock_matters == XSK_PROBE_YES && caller->memlock < QUEUE_MEMORY;
}

/*
 * One for all that may be missing: setcap(8) takes away what is not in its list, and in a user
 * namespace nothing of it counts.
 */
static const char *rights_mend(char mend[384], const struct probe_host *host, bool for_memory)
{
	char names[200] = "";

	if (host->caller.user_namespace == XSK_PROBE_YES)
		return "run outside of it";
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		size_t len = strlen(names);

		snprintf(names + len, sizeof(names) - len, "%s%s", len ? "," : "",
			 capabilities[i].name);
	}
	snprintf(mend, 384, "run as root, or setcap %s%s+ep %s", names,
		 for_memory || is_short_of_memory(&host->caller) ? ",cap_ipc_lock" : "",
		 host->program);
	return mend;
}

static void say_capabilities(const struct probe_reader *reader, const struct probe_host *host)
{
	char mend[384];
	struct list missing = { 0 };
	bool opens = true;

	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		const struct capability *one = &capabilities[i];
		char text[64];

		if (!lacks(&host->caller, one))
			continue;
		snprintf(text, sizeof(text), "no %s %s", one->name, one->why);
		add(&missing, text);
		/* The last two are only wanted to look. */
		opens = opens && one->offset >= offsetof(struct xsk_probe_caller, sys_admin);
	}
	if (!missing.count) {
		probe_say(reader, "rights", PROBE_GOOD, NULL, "all capabilities that are wanted");
		return;
	}
	probe_say(reader, "rights", opens ? PROBE_WARN : PROBE_BAD,
		  rights_mend(mend, host, false), "%s", missing.text);
}

static void say_memlock(const struct probe_reader *reader, const struct probe_host *host)
{
	const struct xsk_probe_caller *caller = &host->caller;
	const char *mend = "ulimit -l unlimited";
	char rights[384];

	if (caller->memlock_matters != XSK_PROBE_YES) {
		probe_say(reader, "memory", PROBE_GOOD, NULL, "no limit to what is locked");
		return;
	}
	if (caller->memlock_hard != UINT64_MAX)
		mend = rights_mend(rights, host, true);
	if (caller->memlock < QUEUE_MEMORY)
		probe_say(reader, "memory", PROBE_BAD, mend, "%" PRIu64 " KiB can be locked, "
			  "and the frames of a queue take %" PRIu64, caller->memlock / 1024,
			  QUEUE_MEMORY / 1024);
	else
		probe_say(reader, "memory", PROBE_PLAIN, mend, "%" PRIu64 " KiB can be locked, the "
			  "frames of %" PRIu64 " queues", caller->memlock / 1024,
			  caller->memlock / QUEUE_MEMORY);
}

void probe_say_caller(const struct probe_reader *reader, const struct probe_host *host)
{
	say_capabilities(reader, host);
	if (host->caller.user_namespace == XSK_PROBE_YES)
		probe_say(reader, "namespace", PROBE_BAD, "run outside of it", "a user namespace, "
			  "in which capabilities do not count for programs");
	say_memlock(reader, host);
}
