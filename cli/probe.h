/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* What xsk probe has found, and what it says of that. */
#ifndef XSK_CLI_PROBE_H
#define XSK_CLI_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <xsk/xsk.h>

/* More than an interface can have: the driver's with its components, and the NIC's. */
#define PROBE_PROGRAMS 16
#define PROBE_MODES 3

/* A mode that was tried: code 0, and what was got; or why not. */
struct probe_trial {
	uint32_t mode;			/* XSK_MODE_* */
	char text[256];
	struct xsk_error error;
};

/* The strings of all are fit to be printed. */
struct probe_interface {
	struct xsk_probe_interface info;
	struct xsk_probe_program programs[PROBE_PROGRAMS];
	int program_count;		/* -errno: they are not told */
	struct xsk_probe_socket *sockets;
	int socket_count;		/* -errno: they are not told, and why is in */
	struct xsk_error sockets_error;
	struct probe_trial trials[PROBE_MODES];
	int trial_count;
};

struct probe_host {
	struct xsk_probe_kernel kernel;
	struct xsk_probe_caller caller;
	char program[256];		/* the path of this one, for setcap */
};

/* ---- lines ---- */

enum probe_level { PROBE_GOOD, PROBE_PLAIN, PROBE_WARN, PROBE_BAD };

/* "  what   text; mend" */
struct probe_line {
	const char *what;
	enum probe_level level;
	char text[1024];
	char mend[1400];		/* the command, or the move; empty: there is none */
};

/* Who gets the lines. */
struct probe_reader {
	void (*read)(void *to, const struct probe_line *line);
	void *to;
};

__attribute__((format(printf, 5, 6)))
void probe_say(const struct probe_reader *reader, const char *what, enum probe_level level,
	       const char *mend, const char *format, ...);

/* Each line of it, the good ones too. */
void probe_say_kernel(const struct probe_reader *reader, const struct probe_host *host);
void probe_say_caller(const struct probe_reader *reader, const struct probe_host *host);
/* all: also programs and sockets, a line each. */
void probe_say_interface(const struct probe_reader *reader,
			 const struct probe_interface *interface, bool all);

/* "veth, 4 RX and 4 TX queues, MTU 1500, up, 1 program, 2 sockets" */
char *probe_summary(char *text, size_t size, const struct probe_interface *interface);

const char *probe_mode(uint32_t mode);

/* ---- for scripts ---- */

json_t *probe_json_kernel(const struct probe_host *host);
json_t *probe_json_caller(const struct probe_host *host);
json_t *probe_json_interface(const struct probe_interface *interface);

#endif /* XSK_CLI_PROBE_H */
