/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "capture_read.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "feed.h"

#define SECOND_NS UINT64_C(1000000000)
#define BUFFER_SIZE (256 * 1024)

struct capture {
	int fd;
	pcap_t *pcap;		/* NULL after a rewind that failed; the feed's while there is one */
	struct feed *feed;	/* NULL: it is a file, and can be read again */
	int end_fd;		/* -1, or an eventfd: who reads is to end */
};

static void say_errno(char why[CAPTURE_WHY])
{
	snprintf(why, CAPTURE_WHY, "%s", strerror(errno));
}

/* What libpcap says has bytes of the file in it, where that is odd. */
static void say_plain(char why[CAPTURE_WHY], const char *text)
{
	size_t len = 0;

	for (; text[len] && len < CAPTURE_WHY - 1; len++)
		why[len] = text[len] < ' ' || text[len] > '~' ? '?' : text[len];
	why[len] = '\0';
}

static bool is_ethernet(pcap_t *pcap, char why[CAPTURE_WHY])
{
	int type = pcap_datalink(pcap);
	const char *name = pcap_datalink_val_to_name(type);

	if (type == DLT_EN10MB)
		return true;
	if (name)
		snprintf(why, CAPTURE_WHY, "its packets are of %s, not of Ethernet; capture on one "
			 "Ethernet interface", name);
	else
		snprintf(why, CAPTURE_WHY, "its packets are of link type %d, not of Ethernet; "
			 "capture on one Ethernet interface", type);
	return false;
}

/* The file's buffer is another one each time. NULL: why says why not. */
static pcap_t *read_header(FILE *file, char why[CAPTURE_WHY])
{
	char error[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap;

	setvbuf(file, NULL, _IOFBF, BUFFER_SIZE);
	pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error);
	if (!pcap) {
		say_plain(why, error);
		fclose(file);
		return NULL;
	}
	if (is_ethernet(pcap, why))
		return pcap;
	pcap_close(pcap);		/* and the file */
	return NULL;
}

/* From where the descriptor stands. */
static pcap_t *open_file(int fd, char why[CAPTURE_WHY])
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *file = copy < 0 ? NULL : fdopen(copy, "rb");

	if (file)
		return read_header(file, why);
	say_errno(why);
	if (copy >= 0)
		close(copy);
	return NULL;
}

/* ---- a pipe ---- */

/* For stdio: as read(), until it is to end. */
static ssize_t read_pipe(void *cookie, char *data, size_t size)
{
	const struct capture *capture = cookie;
	struct pollfd fds[] = {
		{ .fd = capture->fd, .events = POLLIN },
		{ .fd = capture->end_fd, .events = POLLIN },
	};

	for (;;) {
		ssize_t len;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -1;
		if (fds[1].revents)
			return 0;
		if (!fds[0].revents)
			continue;
		len = read(capture->fd, data, size);
		if (len >= 0 || (errno != EAGAIN && errno != EINTR))
			return len;
	}
}

static int next_of(struct capture *capture, struct capture_packet *packet,
		   char why[CAPTURE_WHY]);

/* In the feed's thread. Its header comes when it comes, too. */
static int read_packet(void *from, struct capture_packet *packet, char why[CAPTURE_WHY])
{
	struct capture *capture = from;

	if (!capture->pcap) {
		FILE *file = fopencookie(capture, "r",
					 (cookie_io_functions_t){ .read = read_pipe });

		if (file)
			capture->pcap = read_header(file, why);
		else
			say_errno(why);
		if (!capture->pcap)
			return -1;
	}
	return next_of(capture, packet, why);
}

static bool open_pipe(struct capture *capture, char why[CAPTURE_WHY])
{
	capture->end_fd = eventfd(0, EFD_CLOEXEC);
	if (capture->end_fd >= 0)
		capture->feed = feed_open(read_packet, capture, capture->end_fd);
	if (!capture->feed)
		say_errno(why);
	return capture->feed;
}

/* ---- opening ---- */

struct capture *capture_open_fd(int fd, char why[CAPTURE_WHY])
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (!capture) {
		say_errno(why);
		return NULL;
	}
	capture->end_fd = -1;
	capture->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (capture->fd < 0)
		say_errno(why);
	else if (lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE)
		open_pipe(capture, why);
	else
		capture->pcap = open_file(fd, why);
	/* In this order: once there is a feed, pcap is its thread's. */
	if (capture->feed || capture->pcap)
		return capture;
	capture_close(capture);
	return NULL;
}

struct capture *capture_open(const char *path, char why[CAPTURE_WHY])
{
	struct capture *capture;
	int fd;

	if (!strcmp(path, "-"))
		return capture_open_fd(STDIN_FILENO, why);
	/* A named pipe's writer is waited for where packets are. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		say_errno(why);
		return NULL;
	}
	capture = capture_open_fd(fd, why);
	close(fd);
	return capture;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	feed_close(capture->feed);
	if (capture->pcap)
		pcap_close(capture->pcap);
	if (capture->end_fd >= 0)
		close(capture->end_fd);
	if (capture->fd >= 0)
		close(capture->fd);
	free(capture);
}

/* What lies before 1970 or beyond 2500 is somebody's mistake. */
static uint64_t to_ns(const struct timeval *time)
{
	const long max = 16725225600;

	if (time->tv_sec < 0)
		return 0;
	if (time->tv_sec > max)
		return (uint64_t)max * SECOND_NS;
	/* With that precision tv_usec has nanoseconds. */
	return (uint64_t)time->tv_sec * SECOND_NS +
	       (time->tv_usec < 0 ? 0 : (uint64_t)time->tv_usec % SECOND_NS);
}

/* ---- the packets ---- */

static int next_of(struct capture *capture, struct capture_packet *packet,
		   char why[CAPTURE_WHY])
{
	struct pcap_pkthdr *header;
	const unsigned char *data;

	switch (pcap_next_ex(capture->pcap, &header, &data)) {
	case 1:
		*packet = (struct capture_packet){
			.data = data, .len = header->caplen, .wire_len = header->len,
			.time_ns = to_ns(&header->ts),
		};
		return 1;
	case PCAP_ERROR_BREAK:
		return 0;
	}
	say_plain(why, pcap_geterr(capture->pcap));
	return -1;
}

int capture_next(struct capture *capture, struct capture_packet *packet,
		 char why[CAPTURE_WHY])
{
	if (capture->feed)
		return feed_next(capture->feed, packet, why);
	return capture->pcap ? next_of(capture, packet, why) : 0;
}

bool capture_is_live(const struct capture *capture)
{
	return capture->feed;
}

void capture_wait(struct capture *capture, int timeout_ms)
{
	feed_wait(capture->feed, timeout_ms);
}

bool capture_has_begun(const struct capture *capture)
{
	return capture->pcap;
}

bool capture_rewind(struct capture *capture, char why[CAPTURE_WHY])
{
	feed_close(capture->feed);
	capture->feed = NULL;
	if (capture->pcap)
		pcap_close(capture->pcap);
	capture->pcap = NULL;
	if (lseek(capture->fd, 0, SEEK_SET) < 0) {
		if (errno == ESPIPE)
			snprintf(why, CAPTURE_WHY, "it cannot be read again: it is no file");
		else
			say_errno(why);
		return false;
	}
	capture->pcap = open_file(capture->fd, why);
	return capture->pcap;
}
