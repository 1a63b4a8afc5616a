/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "ports.h"

#include <time.h>

#define WAIT_MS 2000
#define BATCH 16

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static size_t length_of(uint32_t number)
{
	return LAB_MIN_FRAME + number * 37 % (LAB_MAX_FRAME - LAB_MIN_FRAME + 1);
}

struct xsk_port *ports_open(const char *ifname, struct xsk_port_opts opts)
{
	struct xsk_error error = { 0 };
	struct xsk_port *port = NULL;

	opts.sz = sizeof(opts);
	if (xsk_port_open(&port, ifname, &opts, &error))
		fail_msg("%s: %s: %s; %s", ifname, error.step, error.reason, error.hint);
	return port;
}

static void assert_words(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("'%s' does not say '%s'", text, words);
}

static void assert_error(const struct xsk_error *error, int code, const char *reason,
			 const char *hint)
{
	assert_words(error->reason, reason);
	assert_words(error->hint, hint);
	assert_int_equal(error->code, code);
	assert_true(error->step[0]);
}

void ports_refused(const char *ifname, struct xsk_port_opts opts, int code,
		   const char *reason, const char *hint)
{
	struct xsk_port *port = (void *)&opts;
	struct xsk_error error = { 0 };

	opts.sz = sizeof(opts);
	assert_int_equal(xsk_port_open(&port, ifname, &opts, &error), code);
	assert_ptr_equal(port, &opts);
	assert_error(&error, code, reason, hint);
}

void ports_assert_last(int code, const char *reason, const char *hint)
{
	struct xsk_error error;

	xsk_error_last(&error);
	assert_error(&error, code, reason, hint);
}

struct xsk_port_info ports_info(const struct xsk_port *port)
{
	struct xsk_port_info info = { .sz = sizeof(info) };

	assert_int_equal(xsk_port_info(port, &info), 0);
	return info;
}

struct xsk_port_stats ports_stats(const struct xsk_port *port)
{
	struct xsk_port_stats stats = { .sz = sizeof(stats) };

	assert_int_equal(xsk_port_stats(port, &stats), 0);
	return stats;
}

struct xsk_port_stats ports_assert_law(const struct xsk_port *port)
{
	struct xsk_port_stats stats = ports_stats(port);

	if (stats.in_pool + stats.in_fill + stats.in_rx + (uint64_t)stats.in_caller + stats.in_tx +
	    stats.in_comp != stats.frames)
		fail_msg("%llu frames, but pool %llu, FILL %llu, RX %llu, caller %lld, TX %llu, "
			 "COMPLETION %llu", (unsigned long long)stats.frames,
			 (unsigned long long)stats.in_pool, (unsigned long long)stats.in_fill,
			 (unsigned long long)stats.in_rx, (long long)stats.in_caller,
			 (unsigned long long)stats.in_tx, (unsigned long long)stats.in_comp);
	return stats;
}

void ports_take(struct xsk_queue *queue, struct xsk_frame *frames, int count)
{
	uint64_t deadline = now_ms() + WAIT_MS;
	int got = 0;

	while (got < count) {
		int n = xsk_rx(queue, frames + got, count - got);

		assert_true(n >= 0);
		got += n;
		if (n)
			continue;
		if (now_ms() > deadline)
			fail_msg("%d of %d frames came", got, count);
		assert_true(xsk_wait(&queue, 1, 100) >= 0);
	}
}

void ports_receive(struct xsk_queue *queue, const struct lab *lab, uint32_t first,
		   uint32_t count)
{
	struct xsk_frame frames[BATCH];

	for (uint32_t done = 0; done < count; done += BATCH) {
		int batch = (int)(count - done < BATCH ? count - done : BATCH);

		for (int i = 0; i < batch; i++)
			lab_send(lab, first + done + (uint32_t)i,
				 length_of(first + done + (uint32_t)i));
		ports_take(queue, frames, batch);
		for (int i = 0; i < batch; i++) {
			uint32_t number = first + done + (uint32_t)i;

			assert_int_equal(frames[i].len, length_of(number));
			assert_true(lab_frame_is(xsk_frame_data(queue, &frames[i]),
						 frames[i].len, number));
		}
		assert_int_equal(xsk_free(queue, frames, batch), batch);
	}
}

static void send_batch(struct xsk_queue *queue, uint32_t first, int batch)
{
	struct xsk_frame frames[BATCH];

	assert_int_equal(xsk_alloc(queue, frames, batch), batch);
	for (int i = 0; i < batch; i++) {
		frames[i].len = (uint32_t)length_of(first + (uint32_t)i);
		lab_frame(xsk_frame_data(queue, &frames[i]), frames[i].len, first + (uint32_t)i);
	}
	assert_int_equal(xsk_tx(queue, frames, batch), batch);
	assert_true(xsk_flush(queue) >= 0);
}

void ports_transmit(struct xsk_queue *queue, const struct lab *lab, uint32_t first,
		    uint32_t count)
{
	for (uint32_t done = 0; done < count; done += BATCH) {
		int batch = (int)(count - done < BATCH ? count - done : BATCH);

		send_batch(queue, first + done, batch);
		for (int i = 0; i < batch; i++)
			lab_expect(lab, first + done + (uint32_t)i,
				   length_of(first + done + (uint32_t)i));
	}
}

void ports_drain(struct xsk_queue *queue)
{
	struct xsk_port_stats stats = { .sz = sizeof(stats) };
	uint64_t deadline = now_ms() + WAIT_MS;

	do {
		assert_true(xsk_flush(queue) >= 0);
		assert_int_equal(xsk_queue_stats(queue, &stats), 0);
		if (now_ms() > deadline)
			fail_msg("%d frames are still in TX", (int)stats.in_tx);
	} while (stats.in_tx);
}

/* Shared memory of no file, of which lab_count() knows nothing. */
int ports_areas(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[512];
	int areas = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		areas += strstr(line, "/dev/zero (deleted)") ||
			 strstr(line, "/anon_hugepage (deleted)");
	fclose(file);
	return areas;
}
