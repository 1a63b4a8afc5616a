/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * xsk stats IFACE: the ports that commands of xsk have open there, as they tell, and the
 * AF_XDP sockets of others, as the kernel does. A snapshot is an object of JSON; what a
 * person sees is made from that.
 */
#include "command.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <xsk/probe.h>
#include <xsk/xsk.h>

#include "out.h"
#include "publish.h"
#include "run.h"
#include "snapshot.h"

struct options {
	bool json, once;
	uint64_t duration_ns, interval_ns;
	const char *iface;
};

struct view {
	const struct options *options;
	struct run run;
	bool redraws;			/* stdout is a terminal: over the last picture */
	bool has_drawn;
	json_t *last;			/* the snapshot before, for the rates */
};

static const struct arg stats_args[] = {
	{ .help = "What is shown" },
	{ "interval", 'i', "TIME", "Look so often, as 500ms or 10s; each second if not given",
	  arg_time, offsetof(struct options, interval_ns), 1e8, 3600e9, NULL, false },
	{ "once", '1', NULL, "Look once",
	  arg_flag, offsetof(struct options, once), 0, 0, NULL, false },
	{ .help = "Other options" },
	{ "duration", 'd', "TIME", "End after this time, as 10s or 5m",
	  arg_time, offsetof(struct options, duration_ns), 1e6, 1e18, NULL, false },
	{ "json", 'j', NULL, "Write objects of JSON, one a line",
	  arg_flag, offsetof(struct options, json), 0, 0, NULL, false },
	{ 0 },
};

static const struct operand operands[] = {
	{ .name = "IFACE", .help = "The interface", .read = arg_text, .is_interface = true,
	  .offset = offsetof(struct options, iface) },
	{ 0 },
};

/* ---- showing ---- */

static int rows(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_row < 4)
		return 24;
	return size.ws_row;
}

/*
 * From the top left corner, and without wrapping: so that long lines are cut, and lines are
 * rows. In one go, lest it flickers.
 */
static void draw_over(struct view *view, const char *text)
{
	int left = rows() - 1;

	fputs(view->has_drawn ? "\033[H\033[?7l" : "\033[2J\033[H\033[?7l", stdout);
	for (; *text && left; left--) {
		int len = (int)strcspn(text, "\n");

		/* The last row says that there is more. */
		if (left == 1 && text[len] && text[len + 1])
			printf("...\033[K\n");
		else
			printf("%.*s\033[K\n", len, text);
		text += len + (text[len] == '\n');
	}
	fputs("\033[?7h\033[J", stdout);
}

static bool draw(struct view *view, struct out *out, const json_t *snapshot)
{
	char *text = snapshot_text(snapshot, out);

	if (!text) {
		out_fail(out, NULL, "no memory");
		return false;
	}
	if (view->redraws)
		draw_over(view, text);
	else
		printf("%s%s", view->has_drawn ? "\n" : "", text);
	view->has_drawn = true;
	out_flush(out);
	free(text);
	return true;
}

/* False: the interface is not there, or no memory; it has been said. */
static bool look(struct view *view, struct out *out)
{
	struct xsk_error error;
	json_t *snapshot = snapshot_take(view->options->iface, view->last,
					 run_seconds(&view->run), &error);
	bool good = true;

	if (!snapshot) {
		out_error(out, view->options->iface, &error);
		return false;
	}
	if (out->json)
		out_json(out, json_incref(snapshot));
	else
		good = draw(view, out, snapshot);
	json_decref(view->last);
	view->last = snapshot;
	return good;
}

static bool show(struct view *view, struct out *out)
{
	double seconds;

	if (!look(view, out))
		return false;
	if (view->options->once)
		return true;
	while (!run_is_over(&view->run)) {
		poll(NULL, 0, run_timeout_ms(&view->run));
		/* At the end of a duration there is none that nobody could read. */
		if (run_ticks(&view->run, &seconds) && !run_is_over(&view->run) &&
		    !look(view, out))
			return false;
	}
	return true;
}

static int run(void *arg, struct out *out)
{
	const struct options *options = arg;
	struct view view = {
		.options = options,
		.redraws = !out->json && !options->once && out->redraws,
	};
	bool good;

	run_start(&view.run, options->duration_ns);
	run_every(&view.run, options->interval_ns);
	good = show(&view, out);
	json_decref(view.last);
	return good ? GOOD : FAILED;
}

static const struct options defaults = { .interval_ns = UINT64_C(1000000000) };

const struct command command_stats = {
	.name = "stats",
	.summary = "Show the ports that xsk has open on an interface, and the sockets of others",
	.args = {
		.name = "xsk stats",
		.tables = { stats_args },
		.operands = operands,
	},
	.options_size = sizeof(struct options),
	.defaults = &defaults,
	.json_offset = offsetof(struct options, json),
	.run = run,
};
