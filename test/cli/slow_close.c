/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* To be preloaded: a port that is open for a while before it is closed again. */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include <xsk/port.h>

void xsk_port_close(struct xsk_port *port)
{
	void (*close_now)(struct xsk_port *port);

	*(void **)&close_now = dlsym(RTLD_NEXT, "xsk_port_close");
	if (!close_now)
		abort();
	if (port)
		usleep(300000);
	close_now(port);
}
