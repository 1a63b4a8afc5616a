/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Packets of capture files, which are written here byte by byte; rounds, and their times. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "source.h"

#define MICRO 0xa1b2c3d4
#define NANO 0xa1b23c4d
#define ETHERNET 1
#define SECOND UINT64_C(1000000000)
#define START 1700000000

static int fd;
static char why[CAPTURE_WHY];

static int setup(void **state)
{
	(void)state;
	fd = memfd_create("capture", MFD_CLOEXEC);
	return fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	return close(fd);
}

static void put(const void *data, size_t size)
{
	assert_int_equal(write(fd, data, size), size);
}

static void put_words(const uint32_t *words, size_t count)
{
	put(words, count * sizeof(*words));
}

static void put_header(uint32_t magic, uint32_t link)
{
	put_words((const uint32_t[]){ magic, 4 << 16 | 2, 0, 0, 65535, link }, 6);
}

/* A packet of 14 bytes whose last is mark. */
static void put_packet(uint32_t seconds, uint32_t fraction, uint8_t mark)
{
	const uint8_t bytes[14] = { [13] = mark };

	put_words((const uint32_t[]){ START + seconds, fraction, 14, 14 }, 4);
	put(bytes, sizeof(bytes));
}

static struct source open_source(uint64_t rounds)
{
	struct source source = { .rounds = rounds };

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	source.capture = capture_open_fd(fd, why);
	assert_non_null(source.capture);
	return source;
}

/* What it says when it has read what there is. */
static enum source_got next(struct source *source, struct packet *packet)
{
	enum source_got got;

	while ((got = source_next(source, packet)) == SOURCE_LATER)
		source_wait(source, 1000);
	return got;
}

static void expect(struct source *source, uint8_t mark, uint64_t time_ns)
{
	struct packet packet;

	assert_int_equal(next(source, &packet), SOURCE_PACKET);
	assert_int_equal(packet.len, 14);
	assert_int_equal(((const uint8_t *)packet.data)[13], mark);
	assert_int_equal(packet.time_ns, time_ns);
}

static void expect_end(struct source *source, const char *reason)
{
	struct packet packet;

	/* It stays there. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(next(source, &packet), SOURCE_END);
	assert_int_equal(source->is_broken, reason != NULL);
	if (reason && !strstr(source->why, reason))
		fail_msg("'%s', not '%s'", source->why, reason);
	capture_close(source->capture);
}

static void microseconds(void **state)
{
	struct source source;

	(void)state;
	put_header(MICRO, ETHERNET);
	put_packet(0, 999999, 1);
	put_packet(1, 0, 2);
	put_packet(3, 5, 3);
	source = open_source(1);
	expect(&source, 1, 0);
	expect(&source, 2, 1000);
	expect(&source, 3, 2 * SECOND + 6000);
	expect_end(&source, NULL);
}

static void nanoseconds(void **state)
{
	struct source source;

	(void)state;
	put_header(NANO, ETHERNET);
	put_packet(0, 999999999, 1);
	put_packet(1, 1, 2);
	source = open_source(1);
	expect(&source, 1, 0);
	expect(&source, 2, 2);
	expect_end(&source, NULL);
}

static void other_byte_order(void **state)
{
	const uint32_t header[] = { __builtin_bswap32(NANO), 2 << 8 | 4 << 24, 0, 0,
				    __builtin_bswap32(65535), __builtin_bswap32(ETHERNET) };
	const uint32_t packet[] = { __builtin_bswap32(START), __builtin_bswap32(7),
				    __builtin_bswap32(14), __builtin_bswap32(14) };
	const uint8_t bytes[14] = { [13] = 9 };
	struct source source;

	(void)state;
	put_words(header, 6);
	put_words(packet, 4);
	put(bytes, sizeof(bytes));
	source = open_source(1);
	expect(&source, 9, 0);
	expect_end(&source, NULL);
}

static void times_that_go_back(void **state)
{
	struct source source;

	(void)state;
	put_header(NANO, ETHERNET);
	put_packet(5, 0, 1);
	put_packet(6, 0, 2);
	put_packet(4, 0, 3);
	put_packet(5, 500, 4);
	put_packet(6, 1, 5);
	source = open_source(1);
	expect(&source, 1, 0);
	expect(&source, 2, SECOND);
	expect(&source, 3, SECOND);
	expect(&source, 4, SECOND);
	expect(&source, 5, SECOND + 1);
	expect_end(&source, NULL);
}

/* With the mean gap between two rounds. */
static void rounds(void **state)
{
	struct source source;

	(void)state;
	put_header(NANO, ETHERNET);
	put_packet(0, 0, 1);
	put_packet(0, 100, 2);
	put_packet(0, 600, 3);
	source = open_source(3);
	for (uint64_t i = 0; i < 3; i++) {
		expect(&source, 1, 900 * i);
		expect(&source, 2, 900 * i + 100);
		expect(&source, 3, 900 * i + 600);
	}
	expect_end(&source, NULL);
	source = open_source(0);
	for (int i = 0; i < 1000; i++)
		for (uint8_t mark = 1; mark <= 3; mark++) {
			struct packet packet;

			assert_int_equal(source_next(&source, &packet), SOURCE_PACKET);
			assert_int_equal(((const uint8_t *)packet.data)[13], mark);
		}
	capture_close(source.capture);
}

static void nothing_is_not_repeated(void **state)
{
	struct source source;

	(void)state;
	put_header(NANO, ETHERNET);
	source = open_source(0);
	expect_end(&source, NULL);
}

static void cut_packets(void **state)
{
	struct source source;
	struct packet packet;

	(void)state;
	put_header(NANO, ETHERNET);
	put_packet(0, 0, 1);
	put_words((const uint32_t[]){ START, 5, 3, 1500 }, 4);
	put("abc", 3);
	source = open_source(1);
	expect(&source, 1, 0);
	assert_int_equal(source_next(&source, &packet), SOURCE_PACKET);
	assert_int_equal(packet.len, 3);
	assert_memory_equal(packet.data, "abc", 3);
	assert_true(packet.is_cut);
	expect_end(&source, NULL);
}

static void truncated(void **state)
{
	struct source source;

	(void)state;
	put_header(NANO, ETHERNET);
	put_packet(0, 0, 1);
	put_packet(0, 1, 2);
	assert_int_equal(ftruncate(fd, 24 + 30 + 29), 0);
	source = open_source(5);
	expect(&source, 1, 0);
	expect_end(&source, "truncated");
	assert_int_equal(source.number, 1);
}

/* After such a thing, what would come next is read out of the middle of it. */
static void nonsense(void **state)
{
	struct source source;

	(void)state;
	put_header(NANO, ETHERNET);
	put_packet(0, 0, 1);
	put_words((const uint32_t[]){ START, 0, UINT32_MAX, UINT32_MAX }, 4);
	put_packet(0, 1, 2);
	source = open_source(1);
	expect(&source, 1, 0);
	expect_end(&source, "invalid packet capture length");
}

/* It was good at first. */
static void broken_at_the_second_round(void **state)
{
	struct source source;

	(void)state;
	put_header(NANO, ETHERNET);
	put_packet(0, 0, 1);
	source = open_source(2);
	expect(&source, 1, 0);
	assert_int_equal(pwrite(fd, "nonsense", 8, 0), 8);
	expect_end(&source, "unknown file format");
}

static void refuse(const char *reason)
{
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_null(capture_open_fd(fd, why));
	if (!strstr(why, reason))
		fail_msg("'%s', not '%s'", why, reason);
}

static void no_captures(void **state)
{
	(void)state;
	refuse("truncated");
	put("\xd4\xc3", 2);
	refuse("truncated");
	put("no capture at all, of any kind that there is", 44);
	refuse("unknown file format");
}

static void of_other_links(void **state)
{
	(void)state;
	put_header(NANO, 105);
	refuse("IEEE802_11");
	assert_non_null(strstr(why, "not of Ethernet"));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	put_header(NANO, 113);
	refuse("LINUX_SLL");
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	put_header(NANO, 65000);
	refuse("link type 65000");
}

static void files(void **state)
{
	(void)state;
	assert_null(capture_open("/nowhere/capture", why));
	assert_string_equal(why, "No such file or directory");
	assert_null(capture_open("/", why));
	assert_non_null(strstr(why, "Is a directory"));
}

/* ---- pipes ---- */

/* What fd has goes into a pipe: its end to read from. */
static int fill_pipe(int *writer)
{
	char bytes[4096];
	ssize_t len = pread(fd, bytes, sizeof(bytes), 0);
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], bytes, (size_t)len), len);
	*writer = ends[1];
	return ends[0];
}

static struct source open_pipe(uint64_t rounds, int *writer)
{
	struct source source = { .rounds = rounds };
	int reader = fill_pipe(writer);

	source.capture = capture_open_fd(reader, why);
	assert_non_null(source.capture);
	assert_true(capture_is_live(source.capture));
	close(reader);
	return source;
}

/* What cannot be read twice says so. */
static void a_pipe(void **state)
{
	struct source source;
	int writer;

	(void)state;
	put_header(NANO, ETHERNET);
	put_packet(0, 0, 1);
	source = open_pipe(2, &writer);
	close(writer);
	expect(&source, 1, 0);
	expect_end(&source, "cannot be read again");
}

/* What has come is had before more comes; the header, and a part of a packet, can be late. */
static void a_pipe_that_is_slow(void **state)
{
	struct source source;
	struct packet packet;
	uint8_t bytes[30];
	int writer;

	(void)state;
	source = open_pipe(1, &writer);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(source_next(&source, &packet), SOURCE_LATER);
		source_wait(&source, 1);
	}
	put_header(NANO, ETHERNET);
	put_packet(0, 0, 1);
	put_packet(1, 5, 2);
	assert_int_equal(pread(fd, bytes, 24, 0), 24);
	assert_int_equal(write(writer, bytes, 24), 24);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pread(fd, bytes, 30, 24 + 30 * i), 30);
		assert_int_equal(write(writer, bytes, 20), 20);
		source_wait(&source, 1);
		assert_int_equal(source_next(&source, &packet), SOURCE_LATER);
		assert_int_equal(write(writer, bytes + 20, 10), 10);
		expect(&source, (uint8_t)(i + 1), i ? SECOND + 5 : 0);
	}
	assert_int_equal(source_next(&source, &packet), SOURCE_LATER);
	close(writer);
	expect_end(&source, NULL);
}

/* Whoever writes goes on, and nobody reads: it is closed all the same. */
static void a_pipe_that_is_left(void **state)
{
	struct source source;
	struct packet packet;
	int writer;

	(void)state;
	put_header(NANO, ETHERNET);
	source = open_pipe(1, &writer);
	assert_int_equal(source_next(&source, &packet), SOURCE_LATER);
	capture_close(source.capture);
	close(writer);
	/* More than is read ahead. */
	put_packet(0, 0, 1);
	source = open_pipe(1, &writer);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(writer, (char [30]){ [8] = 14, [12] = 14 }, 30), 30);
	expect(&source, 1, 0);
	capture_close(source.capture);
	close(writer);
}

static void *write_many(void *arg)
{
	int writer = *(int *)arg;

	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t packet[] = { START, i, 14, 14, 0, 0, 0, 0 };

		((uint8_t *)packet)[16 + 13] = (uint8_t)i;
		if (write(writer, packet, 30) != 30)
			break;
	}
	close(writer);
	return NULL;
}

/* Many times more than is read ahead, in their order. */
static void a_pipe_that_is_fast(void **state)
{
	struct source source;
	pthread_t thread;
	int writer;

	(void)state;
	put_header(NANO, ETHERNET);
	source = open_pipe(1, &writer);
	assert_int_equal(pthread_create(&thread, NULL, write_many, &writer), 0);
	for (uint32_t i = 0; i < 100000; i++)
		expect(&source, (uint8_t)i, i);
	expect_end(&source, NULL);
	pthread_join(thread, NULL);
}

static void pipes_that_are_broken(void **state)
{
	struct source source;
	int writer;

	(void)state;
	source = open_pipe(1, &writer);
	close(writer);
	expect_end(&source, "truncated");
	put("no capture at all, of any kind that there is", 44);
	source = open_pipe(1, &writer);
	expect_end(&source, "unknown file format");
	close(writer);
	assert_int_equal(ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET), 0);
	put_header(NANO, 105);
	source = open_pipe(1, &writer);
	expect_end(&source, "not of Ethernet");
	close(writer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(microseconds),
		TEST(nanoseconds),
		TEST(other_byte_order),
		TEST(times_that_go_back),
		TEST(rounds),
		TEST(nothing_is_not_repeated),
		TEST(cut_packets),
		TEST(truncated),
		TEST(nonsense),
		TEST(broken_at_the_second_round),
		TEST(no_captures),
		TEST(of_other_links),
		TEST(files),
		TEST(a_pipe),
		TEST(a_pipe_that_is_slow),
		TEST(a_pipe_that_is_left),
		TEST(a_pipe_that_is_fast),
		TEST(pipes_that_are_broken),
	};

	return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
