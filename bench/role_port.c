/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The port of <xsk/port.h>, as role.h says: all its queues by one thread. */
#include <err.h>
#include <errno.h>
#include <string.h>
#include <xsk/xsk.h>

#include "role.h"

#define MAX_PARTS 4
#define WAIT_MS 50
#define TRIP_MS 200

struct ports {
	struct role role;
	struct xsk_port *ports[MAX_IFNAMES];
	struct xsk_queue *queues[XSK_WAIT_MAX];
	int count;			/* queues */
	uint32_t part;			/* bytes of a frame of a packet that does not fit one */
	int parts;			/* frames of a packet that is sent */
	struct xsk_frame frames[MAX_BURST * MAX_PARTS];
};

static int check(int code, const char *what)
{
	struct xsk_error error;

	if (code >= 0 || code == -EINTR)
		return code < 0 ? 0 : code;
	xsk_error_last(&error);
	errx(1, "%s: %s: %s", what, error.step, error.reason);
}

static void open_port(struct ports *at, int index, struct xsk_port_opts *opts)
{
	struct xsk_port_info info = { .sz = sizeof(info) };
	struct xsk_port_stats stats = { .sz = sizeof(stats) };
	struct xsk_error error;
	struct xsk_queue *queue;

	if (xsk_port_open(&at->ports[index], at->role.ifnames[index], opts, &error))
		errx(1, "%s: %s: %s", at->role.ifnames[index], error.step, error.reason);
	xsk_port_info(at->ports[index], &info);
	xsk_port_stats(at->ports[index], &stats);
	for (uint32_t i = 0; (queue = xsk_port_queue(at->ports[index], i)); i++) {
		if (at->count == XSK_WAIT_MAX)
			errx(1, "too many queues");
		at->queues[at->count++] = queue;
	}
	if (at->role.size > info.room) {
		at->part = PART;
		at->parts = (int)((at->role.size + at->part - 1) / at->part);
	}
}

static void open_ports(struct ports *at)
{
	static const uint32_t waits[] = { XSK_WAIT_SLEEP, XSK_WAIT_SPIN, XSK_WAIT_BUSY_POLL,
					XSK_WAIT_ADAPTIVE };
	const struct role *role = &at->role;
	bool forwards = !strcmp(role->name, "forward");
	struct xsk_port_opts opts = {
		.sz = sizeof(opts),
		.wait = waits[role->wait],
		.queues = role->queues,
		.first_queue = role->first_queue,
		.rx_size = role->ring, .tx_size = role->ring,
		.fill_size = role->fill ? role->fill : role->ring, .comp_size = role->ring,
		.frame_size = role->frame,
		.flags = role->size > PART ? XSK_PORT_MULTI_BUFFER : 0,
	};

	at->part = role->size;
	at->parts = 1;
	if (!strcmp(role->name, "send"))
		opts.direction = XSK_DIRECTION_TX;
	else if (!strcmp(role->name, "receive"))
		opts.direction = XSK_DIRECTION_RX;
	/* Two FILL and two TX rings, each of which may be full. */
	if (forwards)
		opts.frames = 4 * (role->ring ? role->ring : 2048);
	for (int i = 0; i < role->ifcount; i++) {
		open_port(at, i, &opts);
		if (forwards) {
			opts.share = at->ports[0];
			opts.frames = 0;
		}
	}
}

static void close_ports(struct ports *at)
{
	for (int i = at->role.ifcount - 1; i >= 0; i--)
		xsk_port_close(at->ports[i]);
}

/* ---- send ---- */

/* All frames of a queue, once: they come back as they are. */
static void write_packets(struct ports *at, struct xsk_queue *queue)
{
	static struct xsk_frame frames[1 << 16];
	int n = check(xsk_alloc(queue, frames, 1 << 16), "alloc");

	for (int i = 0; i < n; i++)
		role_write(&at->role, xsk_frame_data(queue, &frames[i]), at->part);
	check(xsk_free(queue, frames, n), "free");
}

/* Of several frames: all but the last are full, and say that they are not the last. */
static void set_lengths(struct ports *at, struct xsk_frame *frames)
{
	uint32_t left = at->role.size;

	for (int i = 0; i < at->parts; i++) {
		bool last = i == at->parts - 1;

		frames[i].len = last ? left : at->part;
		frames[i].options = last ? 0 : XSK_FRAME_CONTD;
		left -= at->part;
	}
}

static int send_burst(struct ports *at, struct xsk_queue *queue)
{
	struct xsk_frame *frames = at->frames;
	int n, sent, whole;

	n = check(xsk_alloc(queue, frames, (int)at->role.burst * at->parts), "alloc");
	whole = n - n % at->parts;
	for (int i = 0; i < whole; i += at->parts) {
		set_lengths(at, frames + i);
		role_stamp(&at->role, xsk_frame_data(queue, &frames[i]));
	}
	sent = check(xsk_tx(queue, frames, whole), "tx");
	if (sent < n)
		check(xsk_free(queue, frames + sent, n - sent), "free");
	check(xsk_flush(queue), "flush");
	sent /= at->parts;
	role_count(&at->role, (uint64_t)sent, (uint64_t)sent * at->role.size);
	role_pace(&at->role, sent);
	return sent;
}

static void send_packets(struct ports *at)
{
	for (int i = 0; i < at->count; i++)
		write_packets(at, at->queues[i]);
	role_ready(&at->role);
	while (!role_stop) {
		int sent = 0;

		for (int i = 0; i < at->count; i++)
			sent += send_burst(at, at->queues[i]);
		if (!sent)
			check(xsk_wait(at->queues, at->count, WAIT_MS), "wait");
	}
}

/* ---- receive ---- */

static int receive_burst(struct ports *at, struct xsk_queue *queue)
{
	struct xsk_frame *frames = at->frames;
	int room = (int)at->role.burst, n, packets = 0;
	uint64_t bytes = 0;

	if (at->parts > 1)
		room = MAX_BURST;
	n = check(xsk_rx(queue, frames, room), "rx");
	if (!n)
		return 0;
	for (int i = 0; i < n; i++) {
		bytes += frames[i].len;
		packets += !(frames[i].options & XSK_FRAME_CONTD);
	}
	if (role_wants_sample(&at->role, (uint32_t)packets))
		role_sample(&at->role, xsk_frame_data(queue, &frames[0]), frames[0].len);
	role_count(&at->role, (uint64_t)packets, bytes);
	check(xsk_free(queue, frames, n), "free");
	return n;
}

static void receive_packets(struct ports *at)
{
	role_ready(&at->role);
	while (!role_stop) {
		int n = 0;

		for (int i = 0; i < at->count; i++)
			n += receive_burst(at, at->queues[i]);
		if (!n)
			check(xsk_wait(at->queues, at->count, WAIT_MS), "wait");
	}
}

/* ---- forward and echo ---- */

static int forward_burst(struct ports *at, struct xsk_queue *from, struct xsk_queue *to, bool turn)
{
	struct xsk_frame *frames = at->frames;
	int sent, n = check(xsk_rx(from, frames, (int)at->role.burst), "rx");

	if (!n)
		return 0;
	for (int i = 0; turn && i < n; i++)
		role_turn(xsk_frame_data(from, &frames[i]));
	sent = check(xsk_tx(to, frames, n), "tx");
	if (sent < n)
		check(xsk_free(to, frames + sent, n - sent), "free");
	check(xsk_flush(to), "flush");
	role_count(&at->role, (uint64_t)sent, (uint64_t)sent * at->role.size);
	return n;
}

static void forward_packets(struct ports *at)
{
	if (at->count != 2)
		errx(2, "forward has two queues: from and to");
	role_ready(&at->role);
	while (!role_stop)
		if (!forward_burst(at, at->queues[0], at->queues[1], false))
			check(xsk_wait(at->queues, 2, WAIT_MS), "wait");
}

static void echo_packets(struct ports *at)
{
	role_ready(&at->role);
	while (!role_stop) {
		int n = 0;

		for (int i = 0; i < at->count; i++)
			n += forward_burst(at, at->queues[i], at->queues[i], true);
		if (!n)
			check(xsk_wait(at->queues, at->count, WAIT_MS), "wait");
	}
}

/* ---- ping ---- */

/* Whether the answer to that number was among what came. */
static bool take_answer(struct ports *at, struct xsk_queue *queue, uint32_t number)
{
	struct xsk_frame frame;
	bool found = false;

	while (!found && check(xsk_rx(queue, &frame, 1), "rx") == 1) {
		void *data = xsk_frame_data(queue, &frame);

		at->role.counts->sampled++;
		if (!role_is_good(&at->role, data, frame.len))
			at->role.counts->bad++;
		else
			found = role_number(data) == number;
		check(xsk_free(queue, &frame, 1), "free");
	}
	return found;
}

static void ping_once(struct ports *at, struct xsk_queue *queue)
{
	struct xsk_frame frame;
	uint32_t number = at->role.next;
	uint64_t start;
	bool found = false;

	if (check(xsk_alloc(queue, &frame, 1), "alloc") != 1)
		errx(1, "no frame");
	frame.len = at->role.size;
	role_write(&at->role, xsk_frame_data(queue, &frame), at->role.size);
	role_stamp(&at->role, xsk_frame_data(queue, &frame));
	start = role_now_ns();
	if (check(xsk_tx(queue, &frame, 1), "tx") != 1)
		errx(1, "no room");
	while (!found && !role_stop && role_now_ns() - start < TRIP_MS * 1000000ULL) {
		check(xsk_wait(&queue, 1, TRIP_MS), "wait");
		found = take_answer(at, queue, number);
	}
	role_trip(&at->role, start, found);
}

static void ping(struct ports *at)
{
	role_ready(&at->role);
	while (!role_stop)
		ping_once(at, at->queues[0]);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct ports *at);
	} roles[] = {
		{ "send", send_packets }, { "receive", receive_packets },
		{ "forward", forward_packets }, { "echo", echo_packets }, { "ping", ping },
	};
	static struct ports at;

	at.role.adapts = true;
	role_init(&at.role, argc, argv);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(roles[i].name, at.role.name))
			continue;
		open_ports(&at);
		roles[i].run(&at);
		role_end(&at.role);
		close_ports(&at);
		return 0;
	}
	errx(2, "no role %s", at.role.name);
}
