/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What xsk probe says of an interface. */
#include "probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hint.h"
#include "out.h"

#define NAME_SIZE 80			/* of 15 characters, each quoted */
#define PIN_SIZE 1040			/* and of 255 */
#define MEND_SIZE 1400
#define LIST_SIZE 300

const char *probe_mode(uint32_t mode)
{
	switch (mode) {
	case XSK_MODE_ZEROCOPY:
		return "zero-copy";
	case XSK_MODE_NATIVE:
		return "native";
	case XSK_MODE_GENERIC:
		return "generic";
	case XSK_PROBE_MODE_HARDWARE:
		return "hardware";
	}
	return "unknown";
}

/* As a shell wants it: it may be called nearly anything. */
static const char *quote_word(char *text, size_t size, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_.@:-+/";
	size_t len = 0;

	if (name[strspn(name, plain)] == '\0') {
		snprintf(text, size, "%s", name);
		return text;
	}
	text[len++] = '\'';
	for (; *name && len < size - 6; name++)
		len += (size_t)snprintf(text + len, size - len,
					*name == '\'' ? "'\\''" : "%c", *name);
	snprintf(text + len, size - len, "'");
	return text;
}

static const char *quote(char text[NAME_SIZE], const char *name)
{
	return quote_word(text, NAME_SIZE, name);
}

static void append(char text[LIST_SIZE], const char *between, const char *word)
{
	size_t len = strlen(text);

	snprintf(text + len, LIST_SIZE - len, "%s%s", len ? between : "", word);
}

/* ---- the link ---- */

static void say_link(const struct probe_reader *reader, const struct xsk_probe_interface *info)
{
	char name[NAME_SIZE], mend[160], speed[32] = "";

	quote(name, info->name);
	if (info->speed)
		snprintf(speed, sizeof(speed), ", %" PRIu32 " Mbit/s", info->speed);
	if (info->up != XSK_PROBE_YES) {
		snprintf(mend, sizeof(mend), "ip link set dev %s up", name);
		probe_say(reader, "link", PROBE_BAD, mend, "down");
	} else if (info->carrier != XSK_PROBE_YES) {
		snprintf(mend, sizeof(mend), "ethtool %s", name);
		probe_say(reader, "link", PROBE_BAD, mend,
			  "no carrier: no cable, or its other end is down");
	} else {
		probe_say(reader, "link", PROBE_GOOD, NULL, "up, carrier%s", speed);
	}
	if (info->ethernet != XSK_PROBE_YES)
		probe_say(reader, "kind", PROBE_WARN, "xsk probe lists those that are",
			  "not Ethernet");
	if (!info->master_ifindex)
		return;
	snprintf(mend, sizeof(mend), "ip link set dev %s nomaster", name);
	probe_say(reader, "master", PROBE_WARN, mend, "%s, which does not see what a port takes",
		  info->master[0] ? info->master : "one that has no name here");
}

static void say_queues(const struct probe_reader *reader, const struct xsk_probe_interface *info)
{
	uint32_t both = info->rx_queues < info->tx_queues ? info->rx_queues : info->tx_queues;
	char name[NAME_SIZE], mend[160];

	snprintf(mend, sizeof(mend), "ethtool -L %s rx %" PRIu32 " tx %" PRIu32,
		 quote(name, info->name), both, both);
	if (info->rx_queues == info->tx_queues)
		probe_say(reader, "queues", PROBE_GOOD, NULL, "%" PRIu32 " RX and TX, of %" PRIu32
			  " and %" PRIu32 " possible", info->rx_queues, info->max_rx_queues,
			  info->max_tx_queues);
	else
		probe_say(reader, "queues", PROBE_WARN, mend, "%" PRIu32 " RX and %" PRIu32
			  " TX, so some only %s", info->rx_queues, info->tx_queues,
			  info->rx_queues > info->tx_queues ? "receive" : "send");
}

static void say_mtu(const struct probe_reader *reader, const struct xsk_probe_interface *info)
{
	bool has_zerocopy = info->zerocopy == XSK_PROBE_YES && info->zerocopy_mtu_4096;
	uint32_t most = info->copy_mtu_4096;
	char name[NAME_SIZE], mend[160], zerocopy[64] = "";

	if (has_zerocopy && info->zerocopy_mtu_4096 < most)
		most = info->zerocopy_mtu_4096;
	if (has_zerocopy)
		snprintf(zerocopy, sizeof(zerocopy), ", in zero-copy %" PRIu32,
			 info->zerocopy_mtu_4096);
	snprintf(mend, sizeof(mend), "ip link set dev %s mtu %" PRIu32, quote(name, info->name),
		 most);
	if (info->mtu <= most)
		probe_say(reader, "MTU", PROBE_GOOD, NULL, "%" PRIu32 "; a frame of 4096 has room "
			  "for %" PRIu32 "%s, of 2048 for %" PRIu32, info->mtu,
			  info->copy_mtu_4096, zerocopy, info->copy_mtu_2048);
	else
		probe_say(reader, "MTU", info->mtu > info->copy_mtu_4096 ? PROBE_BAD : PROBE_WARN,
			  mend, "%" PRIu32 " is too large for a frame, which has room for %" PRIu32
			  "%s (or xsk recv --multi-buffer)", info->mtu, info->copy_mtu_4096,
			  zerocopy);
}

/* ---- the driver ---- */

static const char *const features[] = {
	"native", "redirect", "takes redirected", "zero-copy", "offload", "multi-buffer",
	"takes redirected multi-buffer", NULL,
};
static const char *const rx_metadata[] = { "RX timestamp", "RX hash", "RX VLAN tag", NULL };
static const char *const tx_metadata[] = { "TX timestamp", "TX checksum", "TX launch time", NULL };

static void append_bits(char text[LIST_SIZE], uint64_t bits, const char *const *names)
{
	for (int i = 0; names[i]; i++)
		if (bits & 1ULL << i)
			append(text, ", ", names[i]);
}

static void say_zerocopy(const struct probe_reader *reader, const struct xsk_probe_interface *info)
{
	char name[NAME_SIZE], mend[NAME_SIZE + 40];

	snprintf(mend, sizeof(mend), "xsk probe --test %s tries it", quote(name, info->name));
	if (info->zerocopy == XSK_PROBE_NO)
		probe_say(reader, "zero-copy", PROBE_PLAIN, NULL, "no: %s%s does not offer it, "
			  "packets are copied", info->driver[0] ? "driver " : "the driver",
			  info->driver);
	else if (info->zerocopy != XSK_PROBE_YES)
		probe_say(reader, "zero-copy", PROBE_WARN, mend,
			  "not told (Linux 6.3 does)");
	else if (info->zerocopy_frags)
		probe_say(reader, "zero-copy", PROBE_GOOD, NULL, "yes, packets of up to %" PRIu32
			  " frame%s", info->zerocopy_frags, info->zerocopy_frags == 1 ? "" : "s");
	else
		probe_say(reader, "zero-copy", PROBE_GOOD, NULL, "yes");
}

static void say_driver(const struct probe_reader *reader, const struct xsk_probe_interface *info)
{
	char list[LIST_SIZE] = "", name[NAME_SIZE], mend[NAME_SIZE + 40];

	snprintf(mend, sizeof(mend), "xsk probe --test %s tries the modes",
		 quote(name, info->name));
	probe_say(reader, "driver", PROBE_PLAIN, NULL, "%s",
		  info->driver[0] ? info->driver : "tells no name");
	append_bits(list, info->features, features);
	if (info->features_told != XSK_PROBE_YES)
		probe_say(reader, "XDP", PROBE_WARN, mend,
			  "what the driver can do is not told (Linux 6.3 does)");
	else
		probe_say(reader, "XDP", *list ? PROBE_GOOD : PROBE_PLAIN, NULL, "%s",
			  *list ? list : "the driver does nothing of it now: in generic mode only");
	say_zerocopy(reader, info);
	list[0] = '\0';
	append_bits(list, info->rx_metadata, rx_metadata);
	append_bits(list, info->tx_metadata, tx_metadata);
	probe_say(reader, "metadata", PROBE_PLAIN, NULL, "%s",
		  info->metadata_told != XSK_PROBE_YES ? "not told (Linux 6.8 does)" :
		  *list ? list : "none");
}

/* ---- who has it ---- */

static void append_processes(char text[LIST_SIZE], const struct xsk_probe_process *processes,
			     uint32_t count)
{
	char one[64];

	for (uint32_t i = 0; i < count && i < XSK_PROBE_PROCESSES; i++) {
		snprintf(one, sizeof(one), "%s (pid %" PRId32 ")",
			 processes[i].name[0] ? processes[i].name : "one that has ended",
			 processes[i].pid);
		append(text, ", ", one);
	}
	if (count > XSK_PROBE_PROCESSES) {
		snprintf(one, sizeof(one), "and %" PRIu32 " more", count - XSK_PROBE_PROCESSES);
		append(text, ", ", one);
	}
}

static void append_kill(char text[LIST_SIZE], const struct xsk_probe_process *processes,
			uint32_t count)
{
	char pid[16];

	append(text, "", "kill");
	for (uint32_t i = 0; i < count && i < XSK_PROBE_PROCESSES; i++) {
		snprintf(pid, sizeof(pid), "%" PRId32, processes[i].pid);
		append(text, " ", pid);
	}
}

/* How it goes that is attached by a link: only with who holds it, and where it is pinned. */
static void link_mend(char mend[MEND_SIZE], const struct xsk_probe_program *program)
{
	char holders[LIST_SIZE] = "", pin[PIN_SIZE] = "";

	if (program->processes)
		append_kill(holders, program->process, program->processes);
	if (program->link_pinned == XSK_PROBE_YES)
		quote_word(pin, sizeof(pin), program->pin);
	if (*pin)
		snprintf(mend, MEND_SIZE, "%s%srm %s", holders, *holders ? " && " : "", pin);
	else if (*holders)
		snprintf(mend, MEND_SIZE, "%s", holders);
	else
		snprintf(mend, MEND_SIZE, "bpftool link detach id %" PRIu32, program->link_id);
}

static void program_mend(char mend[MEND_SIZE], const struct xsk_probe_program *program,
			 const char *iface)
{
	const char *how = program->mode == XSK_MODE_GENERIC ? "xdpgeneric" :
			  program->mode == XSK_PROBE_MODE_HARDWARE ? "xdpoffload" : "xdp";
	char name[NAME_SIZE];

	if (program->by_link == XSK_PROBE_YES)
		link_mend(mend, program);
	else
		snprintf(mend, MEND_SIZE, "ip link set dev %s %s off", quote(name, iface), how);
}

/* "3 min ago" is good enough: which run of a service it is of. */
static void append_age(char text[LIST_SIZE], uint64_t loaded_ns)
{
	struct timespec now;
	char age[64];
	int64_t seconds;

	clock_gettime(CLOCK_BOOTTIME, &now);
	seconds = now.tv_sec - (int64_t)(loaded_ns / 1000000000);
	if (seconds < 120)
		snprintf(age, sizeof(age), "%" PRId64 " s ago", seconds < 0 ? 0 : seconds);
	else if (seconds < 7200)
		snprintf(age, sizeof(age), "%" PRId64 " min ago", seconds / 60);
	else
		snprintf(age, sizeof(age), "%" PRId64 " h ago", seconds / 3600);
	append(text, ", ", age);
}

static void describe_program(char text[LIST_SIZE], const struct xsk_probe_program *program)
{
	char part[120];

	text[0] = '\0';
	snprintf(part, sizeof(part), "%s (id %" PRIu32 ")",
		 program->name[0] ? program->name : "without a name", program->id);
	append(text, ", ", part);
	if (program->part_of) {
		snprintf(part, sizeof(part), "a part of %" PRIu32, program->part_of);
		append(text, ", ", part);
	}
	if (program->mode)
		append(text, ", ", probe_mode(program->mode));
	if (program->by_link)
		append(text, ", ", program->by_link == XSK_PROBE_YES ? "by link" : "by netlink");
	if (program->xskmap == XSK_PROBE_YES) {
		snprintf(part, sizeof(part), "XSKMAP %s", program->xskmap_name);
		append(text, ", ", part);
	} else {
		append(text, ", ", "no XSKMAP");
	}
	snprintf(part, sizeof(part), "loaded by uid %" PRIu32, program->uid);
	append(text, ", ", part);
	append_age(text, program->loaded_ns);
	if (program->processes)
		append(text, "; ", "open in ");
}

/* joinable: ports can join it, or one of its parts. */
static void say_program(const struct probe_reader *reader, const struct probe_interface *interface,
			const struct xsk_probe_program *program, bool joinable)
{
	char text[LIST_SIZE], mend[MEND_SIZE], who[LIST_SIZE] = "", pin[300] = "";

	if (program->told != XSK_PROBE_YES) {
		probe_say(reader, "program", PROBE_WARN, "run as root", "id %" PRIu32
			  ", %s mode; its name and whose it is are not told", program->id,
			  probe_mode(program->mode));
		return;
	}
	describe_program(text, program);
	append_processes(who, program->process, program->processes);
	if (program->pin[0])
		snprintf(pin, sizeof(pin), "; %spinned at %s",
			 program->link_pinned == XSK_PROBE_YES ? "its link is " : "", program->pin);
	program_mend(mend, program, interface->info.name);
	if (joinable || program->part_of)
		probe_say(reader, "program", PROBE_PLAIN, NULL, "%s%s%s", text, who, pin);
	else
		probe_say(reader, "program", PROBE_BAD, mend, "%s%s%s; ports cannot join it", text,
			  who, pin);
}

static void say_programs(const struct probe_reader *reader,
			 const struct probe_interface *interface)
{
	bool joinable = false;

	if (interface->program_count < 0)
		probe_say(reader, "program", PROBE_WARN, "run as root", "not told: %s",
			  strerror(-interface->program_count));
	if (!interface->program_count)
		probe_say(reader, "program", PROBE_GOOD, NULL, "none");
	for (int i = 0; i < interface->program_count; i++)
		joinable = joinable || interface->programs[i].xsks_map == XSK_PROBE_YES;
	for (int i = 0; i < interface->program_count; i++)
		say_program(reader, interface, &interface->programs[i], joinable);
}

static void say_socket(const struct probe_reader *reader, const struct xsk_probe_socket *socket)
{
	char who[LIST_SIZE] = "", mend[LIST_SIZE] = "";

	if (socket->told != XSK_PROBE_YES) {
		probe_say(reader, "socket", PROBE_WARN,
			  "take a kernel with CONFIG_XDP_SOCKETS_DIAG",
			  "queue %" PRIu32 ": taken, by whom is not told", socket->queue);
		return;
	}
	append_processes(who, socket->process, socket->processes);
	if (socket->processes)
		append_kill(mend, socket->process, socket->processes);
	else
		snprintf(mend, sizeof(mend), "run as root");
	probe_say(reader, "socket", PROBE_WARN, mend, "queue %" PRIu32 ": taken by %s, uid %" PRIu32
		  ", %s, frames of %" PRIu32, socket->queue,
		  *who ? who : "processes that are not told", socket->uid,
		  socket->zerocopy == XSK_PROBE_YES ? "zero-copy" : "copied", socket->frame_size);
}

static void say_sockets(const struct probe_reader *reader, const struct probe_interface *interface)
{
	char hint[HINT_SIZE];

	if (interface->socket_count < 0)
		probe_say(reader, "socket", PROBE_WARN,
			  hint_of(hint, &interface->sockets_error, false), "%s",
			  interface->sockets_error.reason);
	if (!interface->socket_count)
		probe_say(reader, "socket", PROBE_GOOD, NULL, "none");
	for (int i = 0; i < interface->socket_count; i++)
		say_socket(reader, &interface->sockets[i]);
}

/* ---- all ---- */

static void say_trials(const struct probe_reader *reader, const struct probe_interface *interface)
{
	char hint[HINT_SIZE], what[24];

	for (int i = 0; i < interface->trial_count; i++) {
		const struct probe_trial *trial = &interface->trials[i];

		snprintf(what, sizeof(what), "test %s", probe_mode(trial->mode));
		hint_of(hint, &trial->error, false);
		if (trial->error.code)
			probe_say(reader, what, PROBE_WARN, hint, "%s: %s", trial->error.step,
				  trial->error.reason);
		else
			probe_say(reader, what, PROBE_GOOD, NULL, "opened: %s", trial->text);
	}
}

void probe_say_interface(const struct probe_reader *reader,
			 const struct probe_interface *interface, bool all)
{
	say_driver(reader, &interface->info);
	say_link(reader, &interface->info);
	say_queues(reader, &interface->info);
	say_mtu(reader, &interface->info);
	if (!all)
		return;
	say_programs(reader, interface);
	say_sockets(reader, interface);
	say_trials(reader, interface);
}

char *probe_summary(char *text, size_t size, const struct probe_interface *interface)
{
	const struct xsk_probe_interface *info = &interface->info;
	char holders[64] = "";

	const char *program = interface->programs[0].name;

	if (interface->program_count > 0)
		snprintf(holders, sizeof(holders), ", program %s",
			 program[0] ? program : "of others");
	if (interface->socket_count > 0) {
		size_t len = strlen(holders);

		snprintf(holders + len, sizeof(holders) - len, ", sockets %d",
			 interface->socket_count);
	}
	snprintf(text, size, "%s, queues %" PRIu32 ", MTU %" PRIu32 ", %s%s",
		 info->driver[0] ? info->driver : "no driver's name", info->rx_queues, info->mtu,
		 info->zerocopy == XSK_PROBE_YES ? "zero-copy" :
		 info->features_told != XSK_PROBE_YES ? "modes not told" :
		 info->features & XSK_PROBE_XDP_BASIC ? "native" : "generic only", holders);
	return text;
}
