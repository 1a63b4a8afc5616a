/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* Create and delete, with arguments of all kinds; and what must hold after it. */
#include "world.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xsk/error.h>

#include "kernel.h"

/* From here on a byte asks for something strange: seldom, where it is drawn. */
#define STRANGE 0xf0

#define NO_SUCH_FD 900
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- failures ---- */

static const int umem_errors[] = {
	-EINVAL, -EPERM, -ENOBUFS, -EBADF, -ENOTSOCK, -ENOPROTOOPT, -EOPNOTSUPP, -EBUSY,
	-ENOMEM, -EFAULT, -EAFNOSUPPORT, 0
};
static const int socket_errors[] = {
	-EINVAL, -ENODEV, -EBUSY, -EOPNOTSUPP, -E2BIG, -EBADF, -EPERM, -ENOMEM, 0
};
static const int map_errors[] = { -EINVAL, -EBADF, -E2BIG, -EOPNOTSUPP, 0 };
static const int setup_errors[] = { -ENODEV, -EBUSY, -EPERM, 0 };

/* Each failure is one that the header names, and has a reason. */
static void check_failure(const char *call, int err, const int *errors)
{
	struct xsk_error last;

	xsk_error_last(&last);
	if (last.code != err || !last.step[0] || !last.reason[0] ||
	    !memchr(last.step, '\0', sizeof(last.step)) ||
	    !memchr(last.reason, '\0', sizeof(last.reason)) ||
	    !memchr(last.hint, '\0', sizeof(last.hint)))
		world_fail("%s: %d without its reason (%d)", call, err, last.code);
	if (world.limited && err == -EMFILE)
		return;
	while (*errors && *errors != err)
		errors++;
	if (!*errors)
		world_fail("%s: %d (%s; %s) is not documented", call, err, last.step, last.reason);
}

/* ---- opts: of any length, in a block that ends where they end ---- */

static void *copy_opts(struct input *in, const void *opts, size_t known, size_t sz)
{
	size_t len = sz < sizeof(sz) ? sizeof(sz) : sz;
	uint8_t *block = calloc(1, len);

	if (!block)
		world_fail("no memory");
	memcpy(block, opts, known < len ? known : len);
	memcpy(block, &sz, sizeof(sz));
	if (len > known && input_u8(in) >= STRANGE)
		block[len - 1] = 1;
	return block;
}

/* ---- UMEM ---- */

struct umem_args {
	struct umem *slot;
	struct xsk_umem *umem;
	uint8_t *area;
	struct xsk_ring_prod *fill;
	struct xsk_ring_cons *comp;
	struct xsk_umem_opts opts;
	bool no_config;
	bool no_place;
	struct view before;
};

static int open_handed(struct input *in)
{
	int side = world.side, fd;

	switch (input_u8(in) % 16) {
	case 10:
		return -1;
	case 11:
		return NO_SUCH_FD;
	case 12:
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	case 13:
		return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	case 14:
		return socket(AF_XDP, SOCK_RAW, 0);
	case 15:
		world_enter(!side);
		fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
		world_enter(side);
		return fd;
	}
	return 0;
}

/* Nothing may be pinned behind the area but what cannot be. */
static void pick_area(struct input *in, struct umem_args *args)
{
	static const int64_t starts[] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, PAGE, PAGE, 1, 2048, AREA + PAGE
	};
	static const uint64_t sizes[] = {
		AREA, AREA, AREA, AREA, AREA, 16 * PAGE, 3 * PAGE, PAGE, 2048, AREA - 2048,
		AREA - 1, 0, 2 * AREA, 1ULL << 30, 1ULL << 63, UINT64_MAX
	};
	int64_t start = input_pick(in, starts);

	args->area = args->slot->memory->area + start;
	args->opts.size = input_pick(in, sizes);
	if (start && args->opts.size <= AREA)
		args->opts.size -= args->opts.size < PAGE ? args->opts.size : PAGE;
}

static void pick_umem_opts(struct input *in, struct xsk_umem_opts *opts)
{
	/* A FILL ring of 2^31 the kernel would make, for seconds. */
	static const uint32_t rings[] = {
		64, 0, 256, 16, 1, 2, 1024, 4096, 65536, 3, 1000, UINT32_MAX, 0x80000001
	};
	static const uint32_t frames[] = {
		0, 0, 2048, 4096, 2048, 1024, 3000, 8192, 100, 1U << 31, UINT32_MAX
	};
	static const uint32_t headrooms[] = {
		0, 0, 0, 64, 256, 1500, 3, 3500, 4000, UINT32_MAX
	};
	static const uint32_t flags[] = {
		0, 0, 0, XDP_UMEM_UNALIGNED_CHUNK_FLAG, XDP_UMEM_UNALIGNED_CHUNK_FLAG, 2, 4, 5,
		1U << 31, UINT32_MAX
	};
	static const uint32_t metadata[] = { 0, 0, 0, 16, 24, 8, 3, 248, 256, UINT32_MAX };

	opts->fill_size = input_pick(in, rings);
	opts->comp_size = input_pick(in, rings);
	opts->frame_size = input_pick(in, frames);
	opts->frame_headroom = input_pick(in, headrooms);
	opts->flags = input_pick(in, flags);
	opts->tx_metadata_len = input_pick(in, metadata);
}

static bool pick_umem(struct input *in, struct umem_args *args)
{
	uint8_t which = input_u8(in), odd;

	memset(args, 0, sizeof(*args));
	args->slot = &world.umems[which % UMEMS];
	if (args->slot->umem || !world.left.creates)
		return false;
	world.left.creates--;
	args->slot->memory = &world.memory[which % UMEMS];
	pick_area(in, args);
	pick_umem_opts(in, &args->opts);
	args->opts.fd = open_handed(in);
	args->fill = &args->slot->own.fill;
	args->comp = &args->slot->own.comp;
	odd = input_u8(in);
	if (odd >= STRANGE) {
		args->fill = odd & 1 ? NULL : args->fill;
		args->comp = odd & 2 ? NULL : args->comp;
		args->area = odd & 4 ? NULL : args->area;
		args->no_place = odd & 8;
	}
	args->before = args->slot->own;
	return true;
}

static void have_umem(struct umem_args *args, const struct xsk_umem_opts *opts)
{
	struct umem *slot = args->slot;

	slot->umem = args->umem;
	slot->base = args->area;
	slot->size = opts->size;
	slot->frame_size = opts->frame_size ? opts->frame_size : XSK_UMEM__DEFAULT_FRAME_SIZE;
	slot->unaligned = opts->flags & XDP_UMEM_UNALIGNED_CHUNK_FLAG;
	slot->sockets = 0;
	slot->own.fill_lives = slot->own.comp_lives = true;
	slot->own.fill_of = slot->own.comp_of = NULL;
	/* The kernel writes time stamps before the packets that it sends. */
	if (opts->tx_metadata_len)
		memset(slot->memory->touched, true, sizeof(slot->memory->touched));
	if (xsk_umem__fd(slot->umem) < 0)
		world_fail("a UMEM without a descriptor");
}

static void end_umem(struct umem_args *args, int err, const struct xsk_umem_opts *opts)
{
	if (!err) {
		have_umem(args, opts);
		return;
	}
	check_failure("xsk_umem__create", err, umem_errors);
	if (args->umem || memcmp(&args->before, &args->slot->own, sizeof(args->before)))
		world_fail("xsk_umem__create: a failure changed something");
	/* What was handed over is ours as before. */
	if (args->opts.fd > 0 && args->opts.fd != NO_SUCH_FD && close(args->opts.fd))
		world_fail("xsk_umem__create: a failure closed the caller's descriptor");
}

void call_umem_create(struct input *in)
{
	struct umem_args args;
	struct xsk_umem_config config;
	struct xsk_umem **place;
	int err;

	if (!pick_umem(in, &args))
		return;
	place = args.no_place ? NULL : &args.umem;
	args.opts.tx_metadata_len = 0;
	config = (struct xsk_umem_config){
		.fill_size = args.opts.fill_size,
		.comp_size = args.opts.comp_size,
		.frame_size = args.opts.frame_size,
		.frame_headroom = args.opts.frame_headroom,
		.flags = args.opts.flags,
	};
	if (input_u8(in) >= STRANGE) {
		args.opts = (struct xsk_umem_opts){ .fd = args.opts.fd, .size = args.opts.size };
		args.no_config = true;
	}
	world_limit();
	if (args.opts.fd)
		err = xsk_umem__create_with_fd(place, args.opts.fd, args.area, args.opts.size,
					       args.fill, args.comp,
					       args.no_config ? NULL : &config);
	else
		err = xsk_umem__create(place, args.area, args.opts.size, args.fill, args.comp,
				       args.no_config ? NULL : &config);
	world_unlimit();
	end_umem(&args, err, &args.opts);
}

void call_umem_create_opts(struct input *in)
{
	static const size_t lengths[] = {
		sizeof(struct xsk_umem_opts), sizeof(struct xsk_umem_opts), 44, 24, 200, 28, 32,
		sizeof(struct xsk_umem_opts) + 8, 12, 8, 7, 0
	};
	struct xsk_umem_opts known = { 0 };
	struct xsk_umem_opts *opts = NULL;
	struct umem_args args;
	size_t sz;
	int err;

	if (!pick_umem(in, &args))
		return;
	sz = input_pick(in, lengths);
	if (!args.no_place) {
		opts = copy_opts(in, &args.opts, sizeof(args.opts), sz);
		memcpy(&known, opts, sz < sizeof(known) ? sz : sizeof(known));
	}
	world_limit();
	errno = 0;
	args.umem = xsk_umem__create_opts(args.area, args.fill, args.comp, opts);
	err = args.umem ? 0 : -errno;
	world_unlimit();
	if (!args.umem && !err)
		world_fail("xsk_umem__create_opts: no UMEM, and no errno");
	/* A descriptor that the opts were too short for was not handed over. */
	if (!err && !known.fd && args.opts.fd > 0 && args.opts.fd != NO_SUCH_FD)
		close(args.opts.fd);
	end_umem(&args, err, &known);
	free(opts);
}

void delete_umem(struct umem *umem)
{
	int err;

	if (!umem->umem)
		return;
	world_limit();
	err = xsk_umem__delete(umem->umem);
	world_unlimit();
	if (err != (umem->sockets ? -EBUSY : 0))
		world_fail("xsk_umem__delete: %d with %u sockets", err, umem->sockets);
	if (!err)
		umem->umem = NULL;
}

void call_umem_delete(struct input *in)
{
	uint8_t which = input_u8(in);

	if (which >= STRANGE && xsk_umem__delete(NULL))
		world_fail("xsk_umem__delete of NULL");
	delete_umem(&world.umems[which % UMEMS]);
}

/* ---- socket ---- */

struct socket_args {
	struct socket *slot;
	struct umem *umem;
	struct xsk_socket *xsk;
	const char *name;
	char text[20];
	uint32_t id;
	int ifindex;
	struct view *fill, *comp;	/* whose struct is given; NULL: none */
	struct queue *queue;		/* the UMEM's queue of this id that there is */
	struct xsk_socket_opts opts;
	bool no_umem, no_config, no_place;
	bool must_fail;
	struct socket before;
	struct view views_before[VIEWS];
};

static struct queue *find_queue(const struct umem *umem, int side, int ifindex, uint32_t id)
{
	for (int i = 0; i < QUEUES; i++) {
		struct queue *each = &world.queues[i];

		if (each->sockets && each->umem == umem && each->side == side &&
		    each->ifindex == ifindex && each->id == id)
			return each;
	}
	return NULL;
}

static struct queue *shown_by(const struct view *view, bool fill)
{
	for (int i = 0; i < QUEUES; i++) {
		struct queue *each = &world.queues[i];

		if (each->sockets && (fill ? each->fill : each->comp) == view)
			return each;
	}
	return NULL;
}

/*
 * A struct that a queue works with may be given for that queue; for a new one of
 * the same UMEM it must be refused. Elsewhere it is the caller's fault.
 */
static bool may_give(struct socket_args *args, const struct view *view, bool fill)
{
	const struct queue *of = view ? shown_by(view, fill) : NULL;

	if (!of || of == args->queue)
		return true;
	if (args->queue || of->umem != args->umem)
		return false;
	args->must_fail = true;
	return true;
}

static void pick_views(struct input *in, struct socket_args *args)
{
	uint8_t how = input_u8(in) % 12;
	struct view *one = &world.views[input_u8(in) % VIEWS];
	struct view *other = &world.views[input_u8(in) % VIEWS];
	struct view *own = &args->umem->own;

	switch (how) {
	case 4: case 5: case 6: case 7:
		args->fill = args->comp = one;
		break;
	case 8:
		args->fill = one;
		args->comp = other;
		break;
	case 9:
		args->fill = args->comp = own;
		break;
	case 10:
		args->fill = other == one ? own : one;
		args->comp = other == one ? other : own;
		break;
	case 11:
		args->fill = one < other ? one : NULL;
		args->comp = one < other ? NULL : other;
		args->must_fail = true;
		break;
	}
	if (!may_give(args, args->fill, true) || !may_give(args, args->comp, false)) {
		args->fill = args->comp = NULL;
		args->must_fail = false;
	}
	args->opts.fill = args->fill ? &args->fill->fill : NULL;
	args->opts.comp = args->comp ? &args->comp->comp : NULL;
}

static void pick_interface(struct input *in, struct socket_args *args)
{
	static const char *const names[] = {
		"lab0", "lab0", "lab0", "lab0", "lab0", "lab0", "lab0", "lab1", "lab1", "lo", "",
		"nosuch0", "a-name-of-16-chs", "../../etc/passwd", "%s%n%x", NULL
	};
	static const uint32_t ids[] = { 0, 0, 0, 1, 1, 2, 0xffff, 1U << 31, UINT32_MAX };
	uint8_t which = input_u8(in);

	/* On each side its own, so that what one does is possible on the other. */
	args->name = names[which % COUNT(names)];
	if (which >= STRANGE) {
		args->text[input_bytes(in, args->text, sizeof(args->text) - 1)] = '\0';
		args->name = args->text;
	} else if (world.side && args->name && !strcmp(args->name, "lab0")) {
		args->name = "lab1";
	}
	args->id = input_pick(in, ids);
	args->ifindex = args->name ? (int)if_nametoindex(args->name) : 0;
	args->queue = find_queue(args->umem, world.side, args->ifindex, args->id);
}

static void pick_socket_opts(struct input *in, struct socket_args *args)
{
	static const uint32_t rings[] = {
		64, 0, 256, 16, 1, 2, 1024, 4096, 65536, 3, 1000, UINT32_MAX, 0x80000001, 1U << 31
	};
	static const uint32_t libxdp[] = { 1, 1, 1, 1, 1, 0, 0, 2, UINT32_MAX };
	static const uint32_t xdp[] = {
		0, 0, XDP_FLAGS_SKB_MODE, XDP_FLAGS_DRV_MODE, XDP_FLAGS_UPDATE_IF_NOEXIST,
		XDP_FLAGS_HW_MODE, XDP_FLAGS_SKB_MODE | XDP_FLAGS_DRV_MODE, XDP_FLAGS_REPLACE,
		1U << 20, UINT32_MAX
	};
	static const uint16_t bind[] = {
		0, 0, XDP_COPY, XDP_USE_NEED_WAKEUP, XDP_COPY | XDP_USE_NEED_WAKEUP, XDP_USE_SG,
		XDP_ZEROCOPY, XDP_SHARED_UMEM, XDP_COPY | XDP_ZEROCOPY, 1 << 9, UINT16_MAX
	};
	uint8_t which = input_u8(in);

	args->opts.rx = which % 8 < 5 ? &args->slot->rx : NULL;
	args->opts.tx = which % 8 > 2 && which % 8 < 7 ? &args->slot->tx : NULL;
	args->opts.rx_size = input_pick(in, rings);
	args->opts.tx_size = input_pick(in, rings);
	args->opts.libxdp_flags = input_pick(in, libxdp);
	args->opts.xdp_flags = input_pick(in, xdp);
	args->opts.bind_flags = input_pick(in, bind);
}

static bool pick_socket(struct input *in, struct socket_args *args)
{
	uint8_t which = input_u8(in), odd;

	memset(args, 0, sizeof(*args));
	args->slot = &world.sockets[which % SOCKETS];
	args->umem = &world.umems[which / SOCKETS % UMEMS];
	if (args->slot->xsk || !args->umem->umem || !world.left.creates)
		return false;
	world.left.creates--;
	pick_interface(in, args);
	pick_socket_opts(in, args);
	pick_views(in, args);
	odd = input_u8(in);
	if (odd >= STRANGE) {
		args->no_umem = odd & 1;
		args->no_place = odd & 2;
		args->no_config = odd & 4;
	}
	if (!world.left.programs)
		args->opts.libxdp_flags |= XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
	if (args->no_config && !world.left.programs)
		args->no_config = false;
	args->before = *args->slot;
	memcpy(args->views_before, world.views, sizeof(world.views));
	return true;
}

static void show_fill(struct view *view, struct queue *queue)
{
	view->fill_lives = true;
	view->fill_of = queue;
}

static void show_comp(struct view *view, struct queue *queue)
{
	view->comp_lives = true;
	view->comp_of = queue;
}

/* The rings of a new queue, and what becomes of the UMEM's own structs. */
static void enter_queue(const struct socket_args *args, struct queue *queue)
{
	struct view *own = &args->umem->own;

	queue->umem = args->umem;
	queue->side = world.side;
	queue->ifindex = args->ifindex;
	queue->id = args->id;
	queue->fill = args->fill ? args->fill : own;
	queue->comp = args->comp ? args->comp : own;
	/* With a first socket that has other structs they show nothing more. */
	if (!args->umem->sockets)
		own->fill_lives = own->comp_lives = false;
	show_fill(queue->fill, queue);
	show_comp(queue->comp, queue);
}

static void have_socket(struct socket_args *args, const struct xsk_socket_opts *opts)
{
	struct socket *slot = args->slot;
	struct queue *queue = args->queue;

	if (args->must_fail)
		world_fail("xsk_socket__create: took rings that it must refuse");
	if (!queue) {
		for (queue = world.queues; queue->sockets; queue++)
			;
		enter_queue(args, queue);
	} else {
		if (args->fill)
			show_fill(args->fill, queue);
		if (args->comp)
			show_comp(args->comp, queue);
	}
	queue->sockets++;
	args->umem->sockets++;
	slot->xsk = args->xsk;
	slot->umem = args->umem;
	slot->queue = queue;
	slot->has_rx = opts->rx;
	slot->has_tx = opts->tx;
	if (xsk_socket__fd(slot->xsk) < 0)
		world_fail("a socket without a descriptor");
}

static void end_socket(struct socket_args *args, int err, const struct xsk_socket_opts *opts)
{
	if (opts->rx && !(opts->libxdp_flags & XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD)) {
		world.left.programs -= world.left.programs > 0;
		world_note_programs();
	}
	if (!err) {
		have_socket(args, opts);
		return;
	}
	check_failure("xsk_socket__create", err, socket_errors);
	if (args->xsk || memcmp(&args->before.rx, &args->slot->rx, sizeof(args->before.rx)) ||
	    memcmp(&args->before.tx, &args->slot->tx, sizeof(args->before.tx)) ||
	    memcmp(args->views_before, world.views, sizeof(world.views)))
		world_fail("xsk_socket__create: a failure changed something");
}

void call_socket_create(struct input *in)
{
	struct xsk_socket_config config;
	struct socket_args args;
	struct xsk_socket **place;
	struct xsk_umem *umem;
	int err;

	if (!pick_socket(in, &args))
		return;
	config = (struct xsk_socket_config){
		.rx_size = args.opts.rx_size,
		.tx_size = args.opts.tx_size,
		.libxdp_flags = args.opts.libxdp_flags,
		.xdp_flags = args.opts.xdp_flags,
		.bind_flags = args.opts.bind_flags,
	};
	place = args.no_place ? NULL : &args.xsk;
	umem = args.no_umem ? NULL : args.umem->umem;
	if (args.no_config)
		args.opts.libxdp_flags = 0;
	world_limit();
	if (args.opts.fill || args.opts.comp)
		err = xsk_socket__create_shared(place, args.name, args.id, umem, args.opts.rx,
						args.opts.tx, args.opts.fill, args.opts.comp,
						args.no_config ? NULL : &config);
	else
		err = xsk_socket__create(place, args.name, args.id, umem, args.opts.rx,
					 args.opts.tx, args.no_config ? NULL : &config);
	world_unlimit();
	end_socket(&args, err, &args.opts);
}

void call_socket_create_opts(struct input *in)
{
	/* None ends within a pointer: half of one is no argument. */
	static const size_t lengths[] = {
		sizeof(struct xsk_socket_opts), sizeof(struct xsk_socket_opts), 58, 24, 40, 44, 48,
		sizeof(struct xsk_socket_opts) + 8, 200, 56, 16, 8, 3, 0
	};
	struct xsk_socket_opts known = { 0 };
	struct xsk_socket_opts *opts = NULL;
	struct socket_args args;
	size_t sz;
	int err;

	if (!pick_socket(in, &args))
		return;
	sz = input_pick(in, lengths);
	/* What ends before libxdp_flags asks for a program. */
	if (sz < 52 && !world.left.programs)
		sz = sizeof(known);
	if (!args.no_place) {
		opts = copy_opts(in, &args.opts, sizeof(args.opts), sz);
		memcpy(&known, opts, sz < sizeof(known) ? sz : sizeof(known));
	}
	if (!known.fill && !known.comp) {
		args.fill = args.comp = NULL;
		args.must_fail = false;
	}
	world_limit();
	errno = 0;
	args.xsk = xsk_socket__create_opts(args.name, args.id,
					   args.no_umem ? NULL : args.umem->umem, opts);
	err = args.xsk ? 0 : -errno;
	world_unlimit();
	if (!args.xsk && !err)
		world_fail("xsk_socket__create_opts: no socket, and no errno");
	end_socket(&args, err, &known);
	free(opts);
}

/* No struct shows a queue that is gone; the UMEM's own show it as empty. */
static void leave_view(struct view *view, const struct queue *queue)
{
	if (view->fill_lives && view->fill_of == queue)
		view->fill_lives = false;
	if (view->comp_lives && view->comp_of == queue)
		view->comp_lives = false;
}

static void leave_queue(struct queue *queue)
{
	struct view *own = &queue->umem->own;

	if (--queue->sockets)
		return;
	for (int i = 0; i < VIEWS; i++)
		leave_view(&world.views[i], queue);
	leave_view(own, queue);
	if (queue->fill == own || queue->comp == own) {
		own->fill_lives = own->comp_lives = true;
		own->fill_of = own->comp_of = NULL;
	}
}

void delete_socket(struct socket *socket)
{
	world_limit();
	xsk_socket__delete(socket->xsk);
	world_unlimit();
	socket->xsk = NULL;
	socket->umem->sockets--;
	leave_queue(socket->queue);
}

void call_socket_delete(struct input *in)
{
	uint8_t which = input_u8(in);
	struct socket *socket = &world.sockets[which % SOCKETS];

	if (which >= STRANGE)
		xsk_socket__delete(NULL);
	if (socket->xsk)
		delete_socket(socket);
}

/* ---- programs and maps ---- */

static int open_map(uint8_t which)
{
	switch (which % 8) {
	case 0:
		return bpf_map_create(BPF_MAP_TYPE_XSKMAP, "xsks_map", 4, 4, 4, NULL);
	case 1:
		return bpf_map_create(BPF_MAP_TYPE_XSKMAP, "small", 4, 4, 1, NULL);
	case 2:
		return bpf_map_create(BPF_MAP_TYPE_ARRAY, "xsks_map", 4, 4, 4, NULL);
	case 3:
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	case 4:
		return socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	case 5:
		return NO_SUCH_FD;
	case 6:
		return INT_MIN;
	}
	return -1;
}

void call_update_map(struct input *in)
{
	uint8_t which = input_u8(in), map = input_u8(in);
	struct socket *socket = &world.sockets[which % SOCKETS];
	int fd, err;

	if (world.has_user && map & 8)
		fd = world.user.map_fd < 0 ? -1 : dup(world.user.map_fd);
	else
		fd = open_map(map);
	world_limit();
	err = xsk_socket__update_xskmap(which >= STRANGE ? NULL : socket->xsk, fd);
	world_unlimit();
	if (err)
		check_failure("xsk_socket__update_xskmap", err, map_errors);
	if (!err && (which >= STRANGE || !socket->xsk))
		world_fail("xsk_socket__update_xskmap of NULL");
	if (fd >= 0 && fd != NO_SUCH_FD)
		close(fd);
}

void call_setup(struct input *in)
{
	const int indices[] = {
		world.lab->ifindex[world.side], world.lab->ifindex[world.side], 1, 0, -1, 9999,
		INT_MAX, INT_MIN
	};
	int ifindex = input_pick(in, indices), fd = -1, err;
	bool want = input_u8(in) & 1;

	if (!world.left.programs)
		return;
	world.left.programs--;
	world_limit();
	err = xsk_setup_xdp_prog(ifindex, want ? &fd : NULL);
	world_unlimit();
	if (err)
		check_failure("xsk_setup_xdp_prog", err, setup_errors);
	world_note_programs();
	if (want && (fd < 0) != (err != 0))
		world_fail("xsk_setup_xdp_prog: %d, and the descriptor %d", err, fd);
	if (fd >= 0)
		close(fd);
}

/* ---- processes and descriptors ---- */

/* The child deletes what it inherited; its parent goes on with all of it. */
void call_fork(struct input *in)
{
	uint8_t first = input_u8(in);
	int status;
	pid_t pid;

	if (!world.left.forks)
		return;
	world.left.forks--;
	pid = fork();
	if (pid < 0)
		world_fail("no process");
	if (!pid) {
		for (unsigned int i = 0; i < SOCKETS; i++)
			if (world.sockets[(i + first) % SOCKETS].xsk)
				delete_socket(&world.sockets[(i + first) % SOCKETS]);
		for (unsigned int i = 0; i < UMEMS; i++)
			delete_umem(&world.umems[i]);
		_exit(0);
	}
	/* libFuzzer's clock interrupts it. */
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			world_fail("no child");
	if (status)
		world_fail("the child ended with 0x%x", status);
}

/* A descriptor that the caller duplicated keeps the socket, until he closes it. */
void call_copy(struct input *in)
{
	const struct socket *socket = &world.sockets[input_u8(in) % SOCKETS];

	if (world.copy >= 0) {
		close(world.copy);
		world.copy = -1;
	} else if (socket->xsk && world.left.copies) {
		world.left.copies--;
		world.copy = fcntl(xsk_socket__fd(socket->xsk), F_DUPFD_CLOEXEC, 0);
	}
}
