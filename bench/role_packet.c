/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/*
 * AF_PACKET, as role.h says: receives by a TPACKET_V3 ring; sends by a TPACKET_V2 ring, or
 * with mmsg=1 by sendmmsg(), both past the queueing discipline (PACKET_QDISC_BYPASS). One
 * packet at a time comes by a TPACKET_V2 ring, since blocks of V3 wait for more, and goes by
 * send().
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "role.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

#define WAIT_MS 50
#define TRIP_MS 200
#define BLOCK_SIZE (1u << 18)
#define BLOCKS 32
#define SLOTS 1024		/* of V2 */
#define RETIRE_MS 1
#define SEND_OFFSET (TPACKET2_HDRLEN - sizeof(struct sockaddr_ll))

struct packet {
	struct role role;
	int fd;
	uint8_t *ring;
	uint32_t slot_size;
	uint32_t slot;		/* the next */
	uint32_t block;		/* of V3, the next */
	uint8_t packets[MAX_BURST][MAX_SIZE];
};

/* ---- sockets and their rings ---- */

static void set_option(int fd, int name, int value)
{
	if (setsockopt(fd, SOL_PACKET, name, &value, sizeof(value)))
		err(1, "packet socket option %d", name);
}

/* It receives IPv4, or nothing. */
static void open_socket(struct packet *at)
{
	int bytes = 8 << 20;

	at->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (at->fd < 0)
		err(1, "socket");
	setsockopt(at->fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	set_option(at->fd, PACKET_QDISC_BYPASS, 1);
	set_option(at->fd, PACKET_IGNORE_OUTGOING, 1);
}

static void bind_socket(struct packet *at, bool receives)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = receives ? htons(ETH_P_IP) : 0,
		.sll_ifindex = (int)if_nametoindex(at->role.ifnames[0]),
	};

	if (!address.sll_ifindex)
		err(1, "%s", at->role.ifnames[0]);
	if (bind(at->fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "bind");
}

static void map_ring(struct packet *at, size_t size)
{
	at->ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, at->fd, 0);
	if (at->ring == MAP_FAILED)
		err(1, "mmap of the ring");
}

static void make_slots(struct packet *at, int name)
{
	struct tpacket_req req = { .tp_block_size = BLOCK_SIZE, .tp_frame_nr = SLOTS };

	set_option(at->fd, PACKET_VERSION, TPACKET_V2);
	at->slot_size = at->role.size <= 1500 ? 2048 : at->role.size <= 3900 ? 4096 : 16384;
	req.tp_frame_size = at->slot_size;
	req.tp_block_nr = SLOTS / (BLOCK_SIZE / at->slot_size);
	if (setsockopt(at->fd, SOL_PACKET, name, &req, sizeof(req)))
		err(1, "the ring");
	map_ring(at, (size_t)SLOTS * at->slot_size);
}

static struct tpacket2_hdr *slot_at(const struct packet *at, uint32_t slot)
{
	return (struct tpacket2_hdr *)(void *)(at->ring + (size_t)slot * at->slot_size);
}

static uint32_t slot_status(const struct tpacket2_hdr *slot)
{
	return __atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE);
}

static void set_status(struct tpacket2_hdr *slot, uint32_t status)
{
	__atomic_store_n(&slot->tp_status, status, __ATOMIC_RELEASE);
}

static void wait_for(const struct packet *at, short events)
{
	struct pollfd pfd = { .fd = at->fd, .events = events };

	if (at->role.wait != WAIT_SPIN)
		poll(&pfd, 1, WAIT_MS);
}

static bool is_transient(int code)
{
	return code == EAGAIN || code == EINTR || code == ENOBUFS;
}

/* ---- send ---- */

static uint32_t fill_slots(struct packet *at)
{
	uint32_t count = 0;

	for (; count < at->role.burst; count++) {
		struct tpacket2_hdr *slot = slot_at(at, at->slot);

		if (slot_status(slot) != TP_STATUS_AVAILABLE)
			break;
		role_stamp(&at->role, (uint8_t *)slot + SEND_OFFSET);
		slot->tp_len = at->role.size;
		set_status(slot, TP_STATUS_SEND_REQUEST);
		at->slot = (at->slot + 1) % SLOTS;
	}
	return count;
}

static void send_by_ring(struct packet *at)
{
	make_slots(at, PACKET_TX_RING);
	bind_socket(at, false);
	for (uint32_t i = 0; i < SLOTS; i++)
		role_write(&at->role, (uint8_t *)slot_at(at, i) + SEND_OFFSET, at->role.size);
	role_ready(&at->role);
	while (!role_stop) {
		uint32_t count = fill_slots(at);

		if (!count)
			wait_for(at, POLLOUT);
		if (send(at->fd, NULL, 0, MSG_DONTWAIT) < 0 && !is_transient(errno))
			err(1, "send");
		role_count(&at->role, count, (uint64_t)count * at->role.size);
	}
}

static void send_by_messages(struct packet *at)
{
	static struct mmsghdr messages[MAX_BURST];
	static struct iovec parts[MAX_BURST];

	bind_socket(at, false);
	for (uint32_t i = 0; i < at->role.burst; i++) {
		role_write(&at->role, at->packets[i], at->role.size);
		parts[i] = (struct iovec){ at->packets[i], at->role.size };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	role_ready(&at->role);
	while (!role_stop) {
		int sent;

		for (uint32_t i = 0; i < at->role.burst; i++)
			role_stamp(&at->role, at->packets[i]);
		sent = sendmmsg(at->fd, messages, at->role.burst, 0);
		if (sent < 0 && !is_transient(errno))
			err(1, "sendmmsg");
		if (sent > 0)
			role_count(&at->role, (uint64_t)sent, (uint64_t)sent * at->role.size);
	}
}

static void send_packets(struct packet *at)
{
	open_socket(at);
	if (at->role.mmsg)
		send_by_messages(at);
	else
		send_by_ring(at);
}

/* ---- receive ---- */

static void take_block(struct packet *at, struct tpacket_block_desc *block)
{
	struct tpacket3_hdr *slot =
		(void *)((uint8_t *)block + block->hdr.bh1.offset_to_first_pkt);
	uint32_t count = block->hdr.bh1.num_pkts;
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < count; i++) {
		bytes += slot->tp_snaplen;
		if (role_wants_sample(&at->role, 1))
			role_sample(&at->role, (uint8_t *)slot + slot->tp_mac, slot->tp_snaplen);
		slot = (void *)((uint8_t *)slot + slot->tp_next_offset);
	}
	role_count(&at->role, count, bytes);
}

static void receive_packets(struct packet *at)
{
	struct tpacket_req3 req = {
		.tp_block_size = BLOCK_SIZE, .tp_block_nr = BLOCKS, .tp_frame_size = 2048,
		.tp_frame_nr = BLOCKS * (BLOCK_SIZE / 2048), .tp_retire_blk_tov = RETIRE_MS,
	};

	open_socket(at);
	set_option(at->fd, PACKET_VERSION, TPACKET_V3);
	if (setsockopt(at->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)))
		err(1, "the ring");
	map_ring(at, (size_t)BLOCKS * BLOCK_SIZE);
	bind_socket(at, true);
	role_ready(&at->role);
	while (!role_stop) {
		struct tpacket_block_desc *block =
			(void *)(at->ring + (size_t)at->block * BLOCK_SIZE);
		uint32_t *status = &block->hdr.bh1.block_status;

		if (!(__atomic_load_n(status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
			wait_for(at, POLLIN);
			continue;
		}
		take_block(at, block);
		__atomic_store_n(status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		at->block = (at->block + 1) % BLOCKS;
	}
}

/* ---- echo and ping ---- */

/* The next packet, or NULL after a wait; to be given back by set_status(). */
static struct tpacket2_hdr *next_packet(struct packet *at)
{
	struct tpacket2_hdr *slot = slot_at(at, at->slot);

	if (!(slot_status(slot) & TP_STATUS_USER)) {
		wait_for(at, POLLIN);
		if (!(slot_status(slot) & TP_STATUS_USER))
			return NULL;
	}
	at->slot = (at->slot + 1) % SLOTS;
	return slot;
}

static void open_for_one(struct packet *at)
{
	open_socket(at);
	make_slots(at, PACKET_RX_RING);
	bind_socket(at, true);
	role_ready(&at->role);
}

static void echo_packets(struct packet *at)
{
	open_for_one(at);
	while (!role_stop) {
		struct tpacket2_hdr *slot = next_packet(at);
		uint8_t *data;

		if (!slot)
			continue;
		data = (uint8_t *)slot + slot->tp_mac;
		role_turn(data);
		if (send(at->fd, data, slot->tp_snaplen, 0) < 0 && !is_transient(errno))
			err(1, "send");
		role_count(&at->role, 1, slot->tp_snaplen);
		set_status(slot, TP_STATUS_KERNEL);
	}
}

static bool take_answer(struct packet *at, uint32_t number)
{
	struct tpacket2_hdr *slot = next_packet(at);
	const uint8_t *data;
	bool found = false;

	if (!slot)
		return false;
	data = (const uint8_t *)slot + slot->tp_mac;
	at->role.counts->sampled++;
	if (!role_is_good(&at->role, data, slot->tp_snaplen))
		at->role.counts->bad++;
	else
		found = role_number(data) == number;
	set_status(slot, TP_STATUS_KERNEL);
	return found;
}

static void ping(struct packet *at)
{
	uint8_t *packet = at->packets[0];

	open_for_one(at);
	role_write(&at->role, packet, at->role.size);
	while (!role_stop) {
		uint32_t number = at->role.next;
		uint64_t start = role_now_ns();
		bool found = false;

		role_stamp(&at->role, packet);
		if (send(at->fd, packet, at->role.size, 0) < 0 && !is_transient(errno))
			err(1, "send");
		while (!found && !role_stop && role_now_ns() - start < TRIP_MS * 1000000ULL)
			found = take_answer(at, number);
		role_trip(&at->role, start, found);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct packet *at);
	} roles[] = {
		{ "send", send_packets }, { "receive", receive_packets },
		{ "echo", echo_packets }, { "ping", ping },
	};
	static struct packet at;

	role_init(&at.role, argc, argv);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(roles[i].name, at.role.name))
			continue;
		roles[i].run(&at);
		role_end(&at.role);
		close(at.fd);
		return 0;
	}
	errx(2, "no role %s", at.role.name);
}
