/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "pin.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "sys.h"

#ifndef BPF_FS_MAGIC
#define BPF_FS_MAGIC 0xcafe4a11
#endif
#define MOUNTS "/proc/self/mountinfo"
/* Others pin maps by the thousand; a diagnosis is to end. */
#define MAX_FILES 8192
#define MAX_DEPTH 8

struct walk {
	xsk_pin_cb each;
	void *data;
	int files;
	bool incomplete;
};

/* ---- mounts ---- */

/* "\040" is a blank there. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; to++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*to = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = '\0';
}

char *xsk_pin_mount(char *line)
{
	char *end = strstr(line, " - bpf "), *path = line;

	if (!end)
		return NULL;
	*end = '\0';
	/* Number, parent, device, root, then this. */
	for (int i = 0; i < 4; i++) {
		path = strchr(path, ' ');
		if (!path++)
			return NULL;
	}
	path[strcspn(path, " ")] = '\0';
	if (*path != '/')
		return NULL;
	unescape(path);
	return path;
}

/* Another one can be mounted over it. */
static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (uint32_t)fs.f_type == BPF_FS_MAGIC;
}

/* ---- files ---- */

static void look_at(struct walk *walk, const char *path)
{
	struct xsk_process_file file;
	int fd;

	if (walk->files++ >= MAX_FILES) {
		walk->incomplete = true;
		return;
	}
	fd = bpf_obj_get(path);
	if (fd < 0) {
		/* Gone meanwhile; or what the kernel itself has there (maps.debug, 5.10). */
		walk->incomplete |= fd != -ENOENT;
		return;
	}
	xsk_process_own_file(&file, fd);
	xsk_sys_close(fd);
	if (file.prog_id)
		walk->each(path, &file, walk->data);
}

static void walk_folder(struct walk *walk, const char *folder, int depth)
{
	DIR *dir = depth < MAX_DEPTH ? opendir(folder) : NULL;
	struct dirent *entry;

	if (!dir) {
		walk->incomplete = true;
		return;
	}
	while (walk->files <= MAX_FILES && (entry = readdir(dir))) {
		char path[XSK_PIN_PATH_SIZE];
		const char *between = strcmp(folder, "/") ? "/" : "";

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s%s%s", folder, between,
				     entry->d_name) >= sizeof(path))
			walk->incomplete = true;
		else if (entry->d_type == DT_DIR)
			walk_folder(walk, path, depth + 1);
		else if (entry->d_type == DT_REG)
			look_at(walk, path);
	}
	closedir(dir);
}

bool xsk_pin_all(xsk_pin_cb each, void *data)
{
	struct walk walk = { .each = each, .data = data };
	FILE *file = fopen(MOUNTS, "re");
	char *line = NULL;
	size_t size = 0;

	walk.incomplete = !file;
	while (file && getline(&line, &size, file) > 0) {
		const char *path = xsk_pin_mount(line);

		if (path && is_bpffs(path))
			walk_folder(&walk, path, 0);
	}
	free(line);
	if (file)
		fclose(file);
	return !walk.incomplete;
}
