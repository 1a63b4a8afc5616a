/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "capture_read.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
#define BUFFER_SIZE (256 * 1024)

struct capture {
	int fd;
	pcap_t *pcap;		/* NULL after a rewind that failed */
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

/* From where the descriptor stands; its file's buffer is another one each time. */
static pcap_t *read_header(int fd, char why[CAPTURE_WHY])
{
	char error[PCAP_ERRBUF_SIZE] = "";
	FILE *file = NULL;
	pcap_t *pcap;
	int copy;

	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy >= 0)
		file = fdopen(copy, "rb");
	if (!file) {
		say_errno(why);
		if (copy >= 0)
			close(copy);
		return NULL;
	}
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

struct capture *capture_open_fd(int fd, char why[CAPTURE_WHY])
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (!capture) {
		say_errno(why);
		return NULL;
	}
	capture->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (capture->fd < 0)
		say_errno(why);
	else
		capture->pcap = read_header(fd, why);
	if (capture->pcap)
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
	fd = open(path, O_RDONLY | O_CLOEXEC);
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
	if (capture->pcap)
		pcap_close(capture->pcap);
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

int capture_next(struct capture *capture, struct capture_packet *packet,
		 char why[CAPTURE_WHY])
{
	struct pcap_pkthdr *header;
	const unsigned char *data;

	if (!capture->pcap)
		return 0;
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

bool capture_rewind(struct capture *capture, char why[CAPTURE_WHY])
{
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
	capture->pcap = read_header(capture->fd, why);
	return capture->pcap;
}
