/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "soak.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* The library's: a file NETNS-IFINDEX for each interface whose NAPIs were changed. */
#define RECORDS "/run/libxsk"
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* Of the two namespaces; 0: the kernel does not tell (before 5.14). */
static unsigned long long cookies[2];

void record_begin(void)
{
	for (int side = 0; side < 2; side++) {
		socklen_t len = sizeof(cookies[side]);
		int fd;

		lab_enter(&soak.lab, side);
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookies[side], &len))
			cookies[side] = 0;
		close(fd);
	}
	lab_enter(&soak.lab, 0);
}

static void open_and_close(const char *name)
{
	struct xsk_port_opts opts = { .sz = sizeof(opts), .flags = XSK_PORT_LARGE_MTU };
	struct xsk_port *port = NULL;
	struct xsk_error error;

	for (int tries = 0; xsk_port_open(&port, name, &opts, &error); tries++) {
		soak_check(error.code == -EBUSY && tries < 100, "%s: %s: %s; %s", name, error.step,
			   error.reason, error.hint);
		soak_sleep_us(20000);
	}
	xsk_port_close(port);
}

/* Where a port was closed while its link was down, the next one puts it right. */
static void open_once_more(void)
{
	for (int side = 0; side < 2; side++) {
		lab_enter(&soak.lab, side);
		for (uint32_t i = 0; i < soak.links; i++)
			open_and_close(link_name(i, side));
	}
	lab_enter(&soak.lab, 0);
}

static bool is_ours(const char *name)
{
	unsigned long long cookie;
	int ifindex;

	return sscanf(name, "%llu-%d", &cookie, &ifindex) == 2 && cookie &&
	       (cookie == cookies[0] || cookie == cookies[1]);
}

void record_end(void)
{
	DIR *dir = opendir(RECORDS);
	struct dirent *entry;

	if (!dir)
		return;
	if (!soak.leaving)
		open_once_more();
	while ((entry = readdir(dir)))
		if (is_ours(entry->d_name)) {
			soak_check(soak.leaving, RECORDS "/%s is left", entry->d_name);
			/* Of an interface that went: nobody will open it any more. */
			unlinkat(dirfd(dir), entry->d_name, 0);
		}
	closedir(dir);
}
