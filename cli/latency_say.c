/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What xsk latency says: numbers, pictures, objects. */
#include "latency.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "out.h"
#include "picture.h"
#include "report.h"

char *latency_peer(const struct traveller *traveller, char text[LATENCY_PEER])
{
	const unsigned char *mac = traveller->options.to_mac;

	if (!traveller->options.is_reflected)
		return address_say(text, &traveller->options.to);
	snprintf(text, LATENCY_PEER, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return text;
}

void latency_say_rate(const struct latency *latency, struct out *out, double seconds,
		      uint64_t packets)
{
	uint64_t bytes = packets * latency->traveller.options.size;
	char text[UNITS_TEXT + 8] = "", time[UNITS_TEXT];

	if (out->json) {
		out_json(out, json_pack("{ss ss sf sI sI sI}", "type", "rate",
					"interface", latency->session.iface, "seconds", seconds,
					"packets", (json_int_t)packets,
					"bytes", (json_int_t)bytes,
					"lost", (json_int_t)latency->trips.lost));
		return;
	}
	if (latency->histogram.count)
		snprintf(text, sizeof(text), "p50 %s", units_say_time(time, (double)
			 histogram_percentile(&latency->histogram, 0.5)));
	out_progress(out, "%" PRIu64 " round trips, %s%s%" PRIu64 " lost",
		     latency->histogram.count, text, *text ? ", " : "", latency->trips.lost);
}

/* ---- at the end ---- */

static json_t *report_buckets(const struct histogram *histogram)
{
	json_t *buckets = json_array();

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (histogram->buckets[i])
			json_array_append_new(buckets, json_pack("{sI sI sI}",
				"first_ns", (json_int_t)histogram_first(i),
				"last_ns", (json_int_t)histogram_last(i),
				"count", (json_int_t)histogram->buckets[i]));
	return buckets;
}

/* Without one there are no such keys. */
static void report_times(json_t *object, const struct histogram *histogram)
{
	if (!histogram->count)
		return;
	json_object_set_new(object, "min_ns", json_integer((json_int_t)histogram->min_ns));
	json_object_set_new(object, "mean_ns", json_real(histogram_mean(histogram)));
	for (int i = 0; i < PICTURE_PERCENTILES; i++)
		json_object_set_new(object, picture_percentiles[i].key,
				    json_integer((json_int_t)histogram_percentile(
					histogram, picture_percentiles[i].share)));
	json_object_set_new(object, "max_ns", json_integer((json_int_t)histogram->max_ns));
}

static void report_total(const struct latency *latency, struct out *out,
			 const struct xsk_port_stats *stats)
{
	const struct trips *trips = &latency->trips;
	uint64_t warmup = latency->first < trips->next ? latency->first : trips->next;
	char peer[LATENCY_PEER];
	json_t *object = json_pack("{ss ss ss sI sf sI sI sI sI sI sI sI sI}", "type", "total",
		"interface", latency->session.iface,
		"to", latency_peer(&latency->traveller, peer),
		"size", (json_int_t)latency->traveller.options.size,
		"seconds", latency->seconds, "sent", (json_int_t)trips->next,
		"received", (json_int_t)trips->good, "warmup", (json_int_t)warmup,
		"measured", (json_int_t)latency->histogram.count,
		"lost", (json_int_t)trips->lost, "late", (json_int_t)trips->late,
		"duplicates", (json_int_t)trips->twice,
		"in_flight", (json_int_t)trips->under_way);

	if (object) {
		report_times(object, &latency->histogram);
		json_object_set_new(object, "buckets", report_buckets(&latency->histogram));
		json_object_set_new(object, "stats", report_stats(stats));
	}
	out_json(out, object);
}

static void print_times(const struct histogram *histogram)
{
	char text[UNITS_TEXT];

	printf("%8s %9s\n", "min", units_say_time(text, (double)histogram->min_ns));
	printf("%8s %9s\n", "mean", units_say_time(text, histogram_mean(histogram)));
	for (int i = 0; i < PICTURE_PERCENTILES; i++)
		printf("%8s %9s\n", picture_percentiles[i].name,
		       units_say_time(text, (double)histogram_percentile(
				histogram, picture_percentiles[i].share)));
	printf("%8s %9s\n\n", "max", units_say_time(text, (double)histogram->max_ns));
}

static void print_total(const struct latency *latency, const struct out *out)
{
	const struct trips *trips = &latency->trips;
	char peer[LATENCY_PEER];

	printf("%s by %s: %" PRIu64 " round trips of %u bytes in %.1f s\n",
	       latency_peer(&latency->traveller, peer), latency->session.iface,
	       latency->histogram.count, latency->traveller.options.size, latency->seconds);
	if (trips->lost)
		printf("%s%" PRIu64 " of %" PRIu64 " lost%s\n", out_start(out, OUT_YELLOW),
		       trips->lost, trips->next, out_end(out));
	if (trips->late)
		printf("%s%" PRIu64 " of these came late; a longer --timeout%s\n",
		       out_start(out, OUT_YELLOW), trips->late, out_end(out));
	if (trips->twice)
		printf("%s%" PRIu64 " came twice%s\n", out_start(out, OUT_YELLOW), trips->twice,
		       out_end(out));
	if (!latency->histogram.count)
		return;
	putchar('\n');
	print_times(&latency->histogram);
	picture_print(out, &latency->histogram);
}

/* Whether the host has said that nobody has that port. */
static bool is_refused(int fd)
{
	socklen_t size = sizeof(int);
	int err = 0;

	return fd >= 0 && !getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) &&
	       err == ECONNREFUSED;
}

bool latency_say_total(const struct latency *latency, struct out *out, int fd)
{
	const struct traveller_options *way = &latency->traveller.options;
	struct xsk_port_stats stats;
	char peer[LATENCY_PEER];

	session_stats(&latency->session, &stats);
	if (out->json)
		report_total(latency, out, &stats);
	else
		print_total(latency, out);
	if (!out->json)
		report_losses(out, &stats);
	if (latency->trips.good || !latency->trips.next)
		return true;
	latency_peer(&latency->traveller, peer);
	if (is_refused(fd))
		out_fail(out, latency->session.iface, "%s says that nobody is at its UDP port %u; "
			 "start xsk echo there, or give --port", peer, way->to_port);
	else
		out_fail(out, latency->session.iface, "nothing came back from %s; start xsk "
			 "echo%s there", peer, way->is_reflected ? " --reflect" : "");
	return false;
}

/* ---- the picture ---- */

static bool say_svg(struct out *out, const char *path, int err)
{
	out_fail(out, path, "it cannot be written: %s", strerror(err));
	return false;
}

bool latency_check_svg(const char *path, struct out *out)
{
	struct stat before;
	bool exists = !stat(path, &before);
	FILE *file = fopen(path, "ae");

	if (!file)
		return say_svg(out, path, errno);
	fclose(file);
	if (!exists)
		unlink(path);
	return true;
}

bool latency_write_svg(const struct latency *latency, struct out *out)
{
	const char *path = latency->options->svg;
	char title[LATENCY_PEER + 64], subtitle[160], peer[LATENCY_PEER];
	struct stat kind;
	FILE *file = fopen(path, "we");
	int err;

	if (!file)
		return say_svg(out, path, errno);
	snprintf(title, sizeof(title), "Round trips to %s by %s",
		 latency_peer(&latency->traveller, peer), latency->session.iface);
	snprintf(subtitle, sizeof(subtitle), "%" PRIu64 " packets of %u bytes, %" PRIu64 " of %"
		 PRIu64 " lost; %s; %s", latency->histogram.count,
		 latency->traveller.options.size, latency->trips.lost, latency->trips.next,
		 latency->session.mode, report_wait(latency->session.info.wait));
	picture_draw(&latency->histogram, title, subtitle, file);
	errno = 0;
	err = ferror(file) || fflush(file) ? errno ? errno : EIO : 0;
	if (fclose(file) && !err)
		err = errno;
	if (!err)
		return true;
	/* A device is not taken away. */
	if (!stat(path, &kind) && S_ISREG(kind.st_mode))
		unlink(path);
	return say_svg(out, path, err);
}
