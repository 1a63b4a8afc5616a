/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "capture_write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "out.h"
#include "run.h"
#include "sink.h"

#define SECOND_NS 1000000000
#define HEADER 16		/* of a packet in the file */
/* Flushed before it is full: so only whole packets are written, unless the disk is full. */
#define BUFFER (512 * 1024)

_Static_assert(BUFFER > CAPTURE_MAX + HEADER, "a packet fits the buffer");

struct capture_writer {
	const char *name;		/* for messages */
	const char *path;		/* NULL: it is stdout */
	bool is_new;			/* it was not there before */
	bool is_file;			/* that can be cut */
	off_t start;			/* where in it the capture begins */
	int fd;				/* the file's; of pcap once it has begun */
	struct sink sink;		/* of what is no file: its reader may be slow */
	FILE *file;
	char *buffer;
	uint32_t *sizes;		/* of the packets in it */
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	size_t pending;			/* bytes in the buffer */
	size_t pending_count;
	off_t good_size;		/* of what is in the file in whole packets */
	uint64_t good_count;
	uint64_t kept_count;		/* of those that the sink may not have given yet */
	int err;			/* errno of what failed; 0: nothing has */
};

/* ---- closing ---- */

static void give_back(struct capture_writer *writer)
{
	/* The file goes with it. */
	if (writer->dumper)
		pcap_dump_close(writer->dumper);
	else if (writer->file)
		fclose(writer->file);
	else if (writer->fd >= 0)
		close(writer->fd);
	if (writer->pcap)
		pcap_close(writer->pcap);
	free(writer->buffer);
	free(writer->sizes);
	free(writer);
}

static void say_failure(const struct capture_writer *writer, struct out *out)
{
	/* Who closed the pipe behind the command has seen enough; one with a name is for others. */
	if (writer->err == EPIPE && !writer->path)
		return;
	if (writer->err == ETIMEDOUT)
		out_fail(out, writer->name, "nobody reads it; the end of the capture is lost");
	else if (writer->is_file && writer->good_count)
		out_fail(out, writer->name, "cannot be written to: %s; it has the first %" PRIu64
			 " packets", strerror(writer->err), writer->good_count);
	else
		out_fail(out, writer->name, "cannot be written to: %s", strerror(writer->err));
}

/*
 * A packet of which only a part could be written would be an error for who reads it. What is
 * still in the buffer must not be written behind: it goes nowhere.
 */
static void cut_file(struct capture_writer *writer)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (writer->is_file && ftruncate(writer->fd, writer->start + writer->good_size))
		writer->is_file = false;	/* it ends in a part of a packet */
	if (nowhere < 0)
		return;
	dup3(nowhere, writer->fd, O_CLOEXEC);
	close(nowhere);
}

bool capture_writer_close(struct capture_writer *writer, struct out *out)
{
	bool good;

	if (!writer)
		return true;
	if (writer->dumper)
		capture_writer_finish(writer);
	good = !writer->err;
	if (!good) {
		say_failure(writer, out);
		cut_file(writer);
	}
	if (writer->is_new && !writer->good_size)
		unlink(writer->path);
	give_back(writer);
	return good;
}

/* ---- opening ---- */

/* Messages for people go to stderr then. */
static int take_stdout(void)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void open_path(struct capture_writer *writer)
{
	const int flags = O_WRONLY | O_CLOEXEC;

	/* A named pipe without a reader is waited for here. */
	writer->fd = open(writer->path, flags);
	if (writer->fd >= 0 || errno != ENOENT)
		return;
	/* Else a signal would leave an empty file. */
	run_hear();
	writer->fd = open(writer->path, flags | O_CREAT | O_EXCL, 0666);
	writer->is_new = writer->fd >= 0;
	if (writer->fd < 0 && errno == EEXIST)
		writer->fd = open(writer->path, flags);
}

/* Of what a shell opened only what it does not append to. */
static bool can_be_cut(const struct capture_writer *writer, const struct stat *stat)
{
	return S_ISREG(stat->st_mode) && !(fcntl(writer->fd, F_GETFL) & O_APPEND);
}

struct capture_writer *capture_writer_open(struct out *out, const char *path)
{
	struct capture_writer *writer = malloc(sizeof(*writer));
	bool is_stdout = !strcmp(path, "-");
	struct stat stat;

	if (!writer) {
		out_fail(out, path, "no memory");
		return NULL;
	}
	*writer = (struct capture_writer){ .name = is_stdout ? "stdout" : path,
					   .path = is_stdout ? NULL : path };
	if (is_stdout)
		writer->fd = take_stdout();
	else
		open_path(writer);
	if (writer->fd < 0 || fstat(writer->fd, &stat)) {
		out_fail(out, writer->name, "cannot be opened for writing: %s", strerror(errno));
		give_back(writer);
		return NULL;
	}
	writer->is_file = can_be_cut(writer, &stat);
	writer->start = is_stdout ? lseek(writer->fd, 0, SEEK_CUR) : 0;
	return writer;
}

bool capture_writer_begin(struct capture_writer *writer, struct out *out, size_t snaplen)
{
	writer->buffer = malloc(BUFFER);
	writer->sizes = malloc(BUFFER / HEADER * sizeof(*writer->sizes));
	writer->pcap = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, (int)snaplen,
							    PCAP_TSTAMP_PRECISION_NANO);
	if (writer->buffer && writer->sizes && writer->pcap)
		writer->file = writer->is_file ? fdopen(writer->fd, "wb") :
			       sink_open(&writer->sink, writer->fd, true);
	if (!writer->file) {
		out_fail(out, writer->name, "no memory");
		return false;
	}
	setvbuf(writer->file, writer->buffer, _IOFBF, BUFFER);
	if (writer->is_file && ftruncate(writer->fd, writer->start)) {
		writer->err = errno;
		return false;
	}
	writer->dumper = pcap_dump_fopen(writer->pcap, writer->file);
	if (!writer->dumper) {
		/* It was closed there. */
		writer->file = NULL;
		writer->fd = -1;
		out_fail(out, writer->name, "%s", pcap_geterr(writer->pcap));
		return false;
	}
	writer->pending = sizeof(struct pcap_file_header);
	/* A disk that is full is told before a packet is taken from anybody. */
	capture_writer_flush(writer);
	return !writer->err;
}

/* ---- packets ---- */

/* Those of the buffer that a disk had room for. */
static void count_whole(struct capture_writer *writer)
{
	struct stat stat;
	off_t left;

	if (!writer->is_file || fstat(writer->fd, &stat))
		return;
	left = stat.st_size - writer->start - writer->good_size;
	for (size_t i = 0; i < writer->pending_count && writer->sizes[i] <= left; i++) {
		left -= writer->sizes[i];
		writer->good_size += writer->sizes[i];
		writer->good_count++;
	}
}

void capture_writer_flush(struct capture_writer *writer)
{
	if (writer->err)
		return;
	errno = 0;
	if (pcap_dump_flush(writer->dumper)) {
		writer->err = errno ? errno : EIO;
		count_whole(writer);
		return;
	}
	writer->good_size += (off_t)writer->pending;
	if (writer->sink.len)
		writer->kept_count += writer->pending_count;
	else
		writer->good_count += writer->pending_count;
	writer->pending = 0;
	writer->pending_count = 0;
}

void capture_writer_finish(struct capture_writer *writer)
{
	capture_writer_flush(writer);
	if (writer->err)
		return;
	writer->err = -sink_finish(&writer->sink, sink_patience_ns());
	if (!writer->err)
		writer->good_count += writer->kept_count;
	writer->kept_count = 0;
}

void capture_writer_add(struct capture_writer *writer, uint64_t time_ns, const void *data,
			size_t captured, size_t len)
{
	const struct pcap_pkthdr header = {
		/* Nanoseconds, in spite of the name. */
		.ts = { (time_t)(time_ns / SECOND_NS), (suseconds_t)(time_ns % SECOND_NS) },
		.caplen = (bpf_u_int32)captured,
		.len = (bpf_u_int32)len,
	};

	if (writer->pending + HEADER + captured > BUFFER)
		capture_writer_flush(writer);
	if (writer->err)
		return;
	pcap_dump((u_char *)writer->dumper, &header, data);
	writer->sizes[writer->pending_count++] = (uint32_t)(HEADER + captured);
	writer->pending += HEADER + captured;
}

bool capture_writer_failed(const struct capture_writer *writer)
{
	return writer->err;
}

uint64_t capture_writer_count(const struct capture_writer *writer)
{
	return writer->good_count;
}
