/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "sys.h"

/* Of a file: room for some 1,500 NAPIs. */
#define TEXT_SIZE 65536

/* The folder's lock is held for milliseconds. */
#define LOCK_TRIES 100
#define LOCK_STEP_MS 10

/* ---- settings ---- */

void xsk_settings_clear(struct xsk_settings *settings)
{
	free(settings->at);
	*settings = (struct xsk_settings){ 0 };
}

int xsk_settings_add(struct xsk_settings *settings, const struct xsk_setting *setting)
{
	struct xsk_setting *more = realloc(settings->at, (settings->count + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	settings->at = more;
	more[settings->count++] = *setting;
	return 0;
}

bool xsk_settings_have(const struct xsk_settings *settings, uint32_t id)
{
	for (size_t i = 0; i < settings->count; i++)
		if (settings->at[i].id == id)
			return true;
	return false;
}

/* ---- the file ---- */

void xsk_record_close(struct xsk_record *record)
{
	xsk_sys_close(record->fd);
	xsk_sys_close(record->folder);
	record->fd = record->folder = -1;
}

/* Flags: O_CREAT or none. */
static int open_entered(struct xsk_record *ret, int ifindex, int flags)
{
	struct xsk_record record = { .fd = -1 };
	uint64_t netns;
	int err;

	err = xsk_sys_netns(&netns);
	if (err)
		return err;
	snprintf(record.name, sizeof(record.name), "%llu-%d", (unsigned long long)netns, ifindex);
	record.folder = xsk_sys_open(AT_FDCWD, XSK_RECORDS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (record.folder < 0)
		return record.folder;
	/* Who only looks for it mostly finds none, and need not enter. */
	if (flags & O_CREAT)
		err = xsk_record_enter(&record);
	if (!err) {
		record.fd = xsk_sys_open(record.folder, record.name, O_RDWR | O_NOFOLLOW | flags);
		err = record.fd < 0 ? record.fd : 0;
	}
	if (!err && !(flags & O_CREAT))
		err = xsk_record_enter(&record);
	if (err)
		xsk_record_close(&record);
	else
		*ret = record;
	return err;
}

int xsk_record_find(struct xsk_record *ret, int ifindex)
{
	return open_entered(ret, ifindex, 0);
}

int xsk_record_open(struct xsk_record *ret, int ifindex)
{
	int err = xsk_sys_mkdir(XSK_RECORDS);

	if (err && err != -EEXIST)
		return err;
	return open_entered(ret, ifindex, O_CREAT);
}

int xsk_record_enter(const struct xsk_record *record)
{
	int err = xsk_sys_lock(record->folder, LOCK_EX);

	for (int i = 0; i < LOCK_TRIES && err == -EWOULDBLOCK; i++) {
		xsk_sys_sleep_ms(LOCK_STEP_MS);
		err = xsk_sys_lock(record->folder, LOCK_EX);
	}
	return err;
}

void xsk_record_leave(const struct xsk_record *record)
{
	xsk_sys_lock(record->folder, LOCK_UN);
}

bool xsk_record_alone(const struct xsk_record *record)
{
	return !xsk_sys_lock(record->fd, LOCK_EX);
}

int xsk_record_share(const struct xsk_record *record)
{
	return xsk_sys_lock(record->fd, LOCK_SH);
}

/* Who found it before entering may find it removed. */
void xsk_record_remove(const struct xsk_record *record)
{
	xsk_sys_unlink(record->folder, record->name, record->fd);
}

/* ---- its text ---- */

/* What is no such line is passed over. */
static int read_line(struct xsk_settings *settings, const char *line)
{
	struct xsk_setting setting = { 0 };
	unsigned long long timeout;

	if (sscanf(line, "napi %u defer %u timeout %llu", &setting.id, &setting.defer,
		   &timeout) != 3 &&
	    sscanf(line, "interface defer %u timeout %llu", &setting.defer, &timeout) != 2)
		return 0;
	setting.timeout = timeout;
	return xsk_settings_add(settings, &setting);
}

int xsk_record_read(const struct xsk_record *record, struct xsk_settings *settings)
{
	char *text = malloc(TEXT_SIZE), *line = text, *end;
	int err;

	if (!text)
		return -ENOMEM;
	err = xsk_sys_read_text(record->fd, text, TEXT_SIZE);
	/* A line without an end was not written whole, and nothing was changed by it. */
	while (err >= 0 && (end = strchr(line, '\n'))) {
		*end = '\0';
		err = read_line(settings, line);
		line = end + 1;
	}
	free(text);
	return err < 0 ? err : 0;
}

static size_t write_lines(char *text, size_t len, const struct xsk_settings *settings)
{
	for (size_t i = 0; i < settings->count && len < TEXT_SIZE; i++) {
		const struct xsk_setting *at = &settings->at[i];
		unsigned long long timeout = at->timeout;
		size_t room = TEXT_SIZE - len;

		char what[24] = "interface";

		if (at->id)
			snprintf(what, sizeof(what), "napi %u", at->id);
		len += (size_t)snprintf(text + len, room, "%s defer %u timeout %llu\n", what,
					at->defer, timeout);
	}
	return len;
}

/* What is added stands at the end, so that a crash meanwhile loses nothing. */
int xsk_record_write(const struct xsk_record *record, const struct xsk_settings *settings,
		     const struct xsk_settings *others)
{
	char *text = malloc(TEXT_SIZE);
	size_t len;
	int err;

	if (!text)
		return -ENOMEM;
	text[0] = '\0';
	len = write_lines(text, 0, settings);
	if (others)
		len = write_lines(text, len, others);
	err = len < TEXT_SIZE ? xsk_sys_write_text(record->fd, text) : -EFBIG;
	if (!err)
		err = xsk_sys_truncate(record->fd, len);
	free(text);
	return err;
}
