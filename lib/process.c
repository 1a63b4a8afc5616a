/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

struct walk {
	xsk_process_cb each;
	void *data;
	bool enough;
	bool hidden;		/* something was */
};

/* What is there and must not be seen, not what has gone meanwhile. */
static void note_hidden(struct walk *walk)
{
	walk->hidden |= errno == EACCES || errno == EPERM;
}

/* Reads a file of /proc; empty where it cannot. */
static void read_file(const char *path, char *text, size_t size)
{
	int fd = xsk_sys_open(AT_FDCWD, path, O_RDONLY);

	text[0] = '\0';
	if (fd >= 0 && xsk_sys_read_text(fd, text, size) < 0)
		text[0] = '\0';
	xsk_sys_close(fd);
}

/* 0: there is no such line. */
static uint32_t number_behind(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at ? (uint32_t)strtoul(at + strlen(word), NULL, 10) : 0;
}

static void read_ids(struct xsk_process_file *file, const char *process, const char *fd)
{
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", process, fd);
	read_file(path, text, sizeof(text));
	file->prog_id = number_behind(text, "\nprog_id:");
	file->link_id = number_behind(text, "\nlink_id:");
}

/* A link that was made here is called other than one that was found. */
static bool holds_program(const char *target)
{
	return !strcmp(target, "anon_inode:bpf-prog") || !strcmp(target, "anon_inode:bpf_link") ||
	       !strcmp(target, "anon_inode:bpf-link");
}

static struct xsk_process_file describe(const char *process, pid_t pid, const char *fd,
					const char *target)
{
	static const char socket[] = "socket:[";
	struct xsk_process_file file = { .pid = pid };

	if (!strncmp(target, socket, sizeof(socket) - 1))
		file.socket = strtoull(target + sizeof(socket) - 1, NULL, 10);
	else if (holds_program(target))
		read_ids(&file, process, fd);
	return file;
}

void xsk_process_own_file(struct xsk_process_file *file, int fd)
{
	char path[64], number[16], target[64];
	ssize_t len;

	snprintf(number, sizeof(number), "%d", fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%s", number);
	len = readlink(path, target, sizeof(target) - 1);
	target[len < 0 ? 0 : len] = '\0';
	*file = describe("self", getpid(), number, target);
}

static void look_at(struct walk *walk, const char *process, pid_t pid, const char *fd,
		    const char *target)
{
	struct xsk_process_file file = describe(process, pid, fd, target);

	if (file.socket || file.prog_id)
		walk->enough = walk->each(&file, walk->data);
}

static void walk_process(struct walk *walk, const char *process, pid_t pid)
{
	char path[64], target[64];
	struct dirent *entry;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", process);
	dir = opendir(path);
	if (!dir) {
		note_hidden(walk);
		return;
	}
	while (!walk->enough && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (len < 0) {
			note_hidden(walk);
			continue;
		}
		target[len] = '\0';
		look_at(walk, process, pid, entry->d_name, target);
	}
	closedir(dir);
}

static void walk_all(struct walk *walk)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir) {
		walk->hidden = true;
		return;
	}
	while (!walk->enough && (entry = readdir(dir)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			walk_process(walk, entry->d_name, atoi(entry->d_name));
	closedir(dir);
}

bool xsk_process_files(xsk_process_cb each, void *data)
{
	struct walk walk = { .each = each, .data = data };

	walk_all(&walk);
	return !walk.hidden;
}

void xsk_process_name(char name[XSK_PROCESS_NAME_SIZE], pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	read_file(path, name, XSK_PROCESS_NAME_SIZE);
	name[strcspn(name, "\n")] = '\0';
}

/* ---- the owner of a socket ---- */

struct owner {
	uint64_t inode;
	pid_t pid;
};

static bool is_owner(const struct xsk_process_file *file, void *data)
{
	struct owner *owner = data;

	if (file->socket != owner->inode)
		return false;
	owner->pid = file->pid;
	return true;
}

int xsk_process_of_socket(pid_t *pid, char name[XSK_PROCESS_NAME_SIZE], uint64_t inode)
{
	struct owner owner = { .inode = inode };
	struct walk walk = { .each = is_owner, .data = &owner };

	walk_process(&walk, "self", getpid());
	if (!owner.pid)
		walk_all(&walk);
	if (!owner.pid)
		return -ENOENT;
	*pid = owner.pid;
	xsk_process_name(name, owner.pid);
	return 0;
}
