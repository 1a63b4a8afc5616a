/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "feed.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Packets that are read ahead. */
#define SLOTS 256

struct slot {
	struct capture_packet packet;
	unsigned char *bytes;
	size_t room;
};

struct feed {
	feed_read *read;
	void *from;
	int end_fd;
	pthread_t thread;
	/* The thread writes slots[head] without the mutex; the caller reads slots[tail] so. */
	struct slot slots[SLOTS];
	pthread_mutex_t mutex;		/* of all that follows */
	pthread_cond_t changed;
	unsigned int head, tail;	/* of those that are filled; both go on for ever */
	bool is_lent;			/* slots[tail] is the caller's until his next call */
	bool is_closing;
	int last;			/* what read() returned at the end; 1: it goes on */
	char why[CAPTURE_WHY];
};

/* ---- the thread ---- */

/* False: there is no memory. */
static bool fill(struct slot *slot, const struct capture_packet *packet)
{
	if (packet->len > slot->room) {
		unsigned char *bytes = realloc(slot->bytes, packet->len);

		if (!bytes)
			return false;
		slot->bytes = bytes;
		slot->room = packet->len;
	}
	/* Of no bytes there may be no place either. */
	if (packet->len)
		memcpy(slot->bytes, packet->data, packet->len);
	slot->packet = *packet;
	slot->packet.data = slot->bytes;
	return true;
}

/* Waits for a slot. False: it is to end. */
static bool has_room(struct feed *feed)
{
	bool good;

	pthread_mutex_lock(&feed->mutex);
	/* Half of them at a time: else the threads would wake each other for each packet. */
	if (feed->head - feed->tail == SLOTS)
		while (!feed->is_closing && feed->head - feed->tail > SLOTS / 2)
			pthread_cond_wait(&feed->changed, &feed->mutex);
	good = !feed->is_closing;
	pthread_mutex_unlock(&feed->mutex);
	return good;
}

static void hand_over(struct feed *feed, int got, const char *why)
{
	pthread_mutex_lock(&feed->mutex);
	feed->head += got == 1;
	feed->last = got;
	if (got < 0)
		snprintf(feed->why, sizeof(feed->why), "%s", why);
	pthread_cond_signal(&feed->changed);
	pthread_mutex_unlock(&feed->mutex);
}

static void *read_all(void *arg)
{
	struct feed *feed = arg;
	char why[CAPTURE_WHY] = "";
	int got = 1;

	while (got == 1 && has_room(feed)) {
		struct capture_packet packet;

		got = feed->read(feed->from, &packet, why);
		if (got == 1 && !fill(&feed->slots[feed->head % SLOTS], &packet)) {
			snprintf(why, sizeof(why), "no memory");
			got = -1;
		}
		hand_over(feed, got, why);
	}
	return NULL;
}

/* ---- closing, opening ---- */

static void give_back(struct feed *feed)
{
	for (int i = 0; i < SLOTS; i++)
		free(feed->slots[i].bytes);
	pthread_cond_destroy(&feed->changed);
	pthread_mutex_destroy(&feed->mutex);
	free(feed);
}

void feed_close(struct feed *feed)
{
	const uint64_t one = 1;

	if (!feed)
		return;
	pthread_mutex_lock(&feed->mutex);
	feed->is_closing = true;
	pthread_cond_signal(&feed->changed);
	pthread_mutex_unlock(&feed->mutex);
	/* A counter that nobody else writes to has room. */
	if (write(feed->end_fd, &one, sizeof(one)) != sizeof(one))
		return;
	pthread_join(feed->thread, NULL);
	give_back(feed);
}

/* Signals are the main thread's. */
static bool start(struct feed *feed)
{
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = !pthread_create(&feed->thread, NULL, read_all, feed);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

struct feed *feed_open(feed_read *read, void *from, int end_fd)
{
	struct feed *feed = calloc(1, sizeof(*feed));
	pthread_condattr_t attributes;

	if (!feed)
		return NULL;
	feed->read = read;
	feed->from = from;
	feed->end_fd = end_fd;
	feed->last = 1;
	pthread_mutex_init(&feed->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&feed->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (start(feed))
		return feed;
	give_back(feed);
	return NULL;
}

/* ---- the packets ---- */

/* The caller is done with the one that he had. */
static void take_back(struct feed *feed)
{
	if (!feed->is_lent)
		return;
	feed->is_lent = false;
	feed->tail++;
	if (feed->head - feed->tail == SLOTS / 2)
		pthread_cond_signal(&feed->changed);
}

int feed_next(struct feed *feed, struct capture_packet *packet, char why[CAPTURE_WHY])
{
	int got;

	pthread_mutex_lock(&feed->mutex);
	take_back(feed);
	if (feed->head != feed->tail) {
		*packet = feed->slots[feed->tail % SLOTS].packet;
		feed->is_lent = true;
		got = 1;
	} else {
		got = feed->last == 1 ? CAPTURE_LATER : feed->last;
		if (got < 0)
			snprintf(why, CAPTURE_WHY, "%s", feed->why);
	}
	pthread_mutex_unlock(&feed->mutex);
	return got;
}

static struct timespec after(int timeout_ms)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += timeout_ms / 1000;
	time.tv_nsec += timeout_ms % 1000 * 1000000;
	if (time.tv_nsec >= 1000000000) {
		time.tv_sec++;
		time.tv_nsec -= 1000000000;
	}
	return time;
}

void feed_wait(struct feed *feed, int timeout_ms)
{
	const struct timespec until = after(timeout_ms);
	int err = 0;

	pthread_mutex_lock(&feed->mutex);
	take_back(feed);
	while (!err && feed->head == feed->tail && feed->last == 1)
		err = pthread_cond_timedwait(&feed->changed, &feed->mutex, &until);
	pthread_mutex_unlock(&feed->mutex);
}
