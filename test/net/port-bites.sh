#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# port-bites.sh ROOT SOURCE...: the tests of what a port believes and refuses, themselves,
# and some that could pass for another reason. SOURCE: the sources of the library. Takes
# single checks out of copies of the library's files, and sees the tests fail that are
# about them.
#
# Needs root, CC (default cc), cmocka, libbpf, libmnl. 77: some of it is missing.
set -u

root=$1
shift
unset CMOCKA_MESSAGE_OUTPUT
cc=${CC:-cc}
net='port_checked port_queues port_wait port_share port_life port_filter port_keep port_filter_change
port_filter_errors'
bad=0 count=0
if [ "$(id -u)" != 0 ] || ! command -v "${cc%% *}" >/dev/null; then
	echo 'skipped: needs root and a C compiler'
	exit 77
fi
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# compile SOURCE OBJECT
compile()
{
	$cc -std=gnu11 -D_GNU_SOURCE -w -I"$root/lib" -I"$root/include" -I"$root/test/unit" \
		-I"$root/test/net" -c -o "$2" "$1" || {
		echo "FAILED: $1 does not compile"
		exit 1
	}
}

# link TEST OBJECT...: the test with these files of the library, and what it needs besides.
link()
{
	test=$1
	shift
	if [ -e "$root/test/net/$test.c" ]; then
		set -- "$@" "$tmp/ports.o" "$tmp/hosts.o" "$tmp/node.o" "$tmp/lab.o" \
			"$tmp/user_prog.o"
	fi
	$cc -o "$tmp/test" "$tmp/test_$test.o" "$@" -lcmocka -lbpf -lmnl -pthread
}

# parts TEST: the files of the library that it has.
parts()
{
	case $1 in
	pool) echo error pool ;;
	port_burst|port_kernel) echo error memory pool port_burst port_checked port_refuse ;;
	*) echo "$all" ;;
	esac
}

# objects TEST [FILE]: the same as objects, with FILE broken.
objects()
{
	for part in $(parts "$1"); do
		if [ "$part" = "${2-}" ]; then
			echo "$tmp/broken.o"
		else
			echo "$tmp/$part.o"
		fi
	done
}

# run CASE: the program that was linked last; it may hang.
run()
{
	timeout 20 "$tmp/test" "$1" >"$tmp/log" 2>&1
}

# bite TEST CASE FILE SED: with FILE so altered the case fails.
bite()
{
	sed "$4" "$root/lib/$3.c" >"$tmp/broken.c"
	if cmp -s "$root/lib/$3.c" "$tmp/broken.c"; then
		echo "FAILED: $3.c has no such line any more: $4"
		bad=1
		return
	fi
	compile "$tmp/broken.c" "$tmp/broken.o"
	# shellcheck disable=SC2046 # one object, one word
	link "$1" $(objects "$1" "$3") || exit 1
	count=$((count + 1))
	if run "$2"; then
		echo "FAILED: $2 in $1 does not see $4 in $3.c"
		bad=1
	elif ! grep -q "RUN .* $2\$" "$tmp/log"; then
		cat "$tmp/log"
		echo "FAILED: $2 in $1 was not run with $4 in $3.c"
		bad=1
	fi
}

all=
for source; do
	name=$(basename "$source" .c)
	all="$all $name"
	compile "$root/lib/$name.c" "$tmp/$name.o"
done
for name in ports hosts node lab user_prog; do
	compile "$root/test/net/$name.c" "$tmp/$name.o"
done
for name in $net; do
	compile "$root/test/net/$name.c" "$tmp/test_$name.o"
done
for name in pool port_burst port_kernel; do
	compile "$root/test/unit/$name.c" "$tmp/test_$name.o"
done

# whole TEST CASE: with nothing broken it passes.
whole()
{
	# shellcheck disable=SC2046
	link "$1" $(objects "$1") || exit 1
	run "$2" && return
	cat "$tmp/log"
	echo "FAILED: $2 in $1 fails with nothing broken"
	exit 1
}

for name in pool port_burst port_kernel port_checked; do
	whole "$name" '*'
done

# in FUNCTION: what sed is to look at; the start of the line with the function's name.
in_function()
{
	printf '/^%s(/,/^}/' "$1"
}

tx=$(in_function 'int xsk_tx')
rx=$(in_function 'int xsk_rx')
free=$(in_function 'int xsk_free')
refill=$(in_function 'void xsk_queue_refill')
alloc=$(in_function 'int xsk_alloc')
drain=$(in_function 'void xsk_queue_drain')
checked_rx=$(in_function 'int xsk_checked_rx')
checked_free=$(in_function 'int xsk_checked_free')
checked_drain=$(in_function 'void xsk_checked_drain')
checked_refill=$(in_function 'void xsk_checked_refill')
checked_alloc=$(in_function 'int xsk_checked_alloc')
take_packet=$(in_function 'static int take_packet')
checked_tx=$(in_function 'int xsk_checked_tx')
first=$(in_function 'static int refuse_first')
kernel_has=$(in_function 'static bool kernel_has')
is_kernels=$(in_function 'static bool is_kernels')
push=$(in_function 'static void push')

# ---- what the caller may not do: over veth ----

refuses()
{
	bite port_checked "$@"
}

refuses freed_twice port_checked "$checked_free s/set(queue, addr, pools(queue));//"
refuses freed_twice port_checked "$checked_free s/if (is_in(.*)) {/if (1) {/"
refuses freed_among_others port_checked "$checked_free s/give_back(queue, frames, i);//"
refuses sent_after_free port_checked "$take_packet s/!is_in(.*))/0)/"
refuses sent_twice_in_a_burst port_checked "$take_packet s/set(queue, addr, .*;//"
refuses sent_before port_checked "$push s/set(queue.*;//"
refuses sent_before port_checked "$checked_tx s/xsk_pool_lend(.*;//"
refuses sent_among_others port_refuse 's/if (!frame->len || /if (/'
refuses received port_checked "$checked_refill s/set(queue.*;//"
refuses received port_checked "$checked_rx s/set(queue.*;//"
refuses everybody_elses port_refuse 's/in FILL or RX of/in RX of/'
refuses addresses port_checked 's/return addr < queue->area_size \&\&/return/'
refuses addresses port_refuse 's/if (addr >= queue->area_size)/if (0)/'
refuses lengths port_refuse 's/ || (addr & queue->offset_mask) + frame->len > .*)/)/'
refuses lengths port_refuse 's/frame->len > queue->offset_mask + 1/frame->len > 4095/'
refuses options port_refuse 's/(frame->options \&\& queue->max_frags < 2)/0/'
refuses large_packets port_refuse 's/frame->options & ~XSK_FRAME_CONTD ||/0 ||/'
refuses others_frames pool 's/memory->tag = next_tag();//'
refuses addresses port_refuse 's/theirs \&\& theirs <= XSK_POOL_MAX_TAG/1/'
refuses shared_frames port 's,xsk_pool_reclaim(.*;,;,'
refuses shared_frames port_checked 's/(place, queue->port->number,/(place, 0,/'
refuses large_packets port_refuse 's/(uint32_t)i >= queue->max_frags/0/'
refuses large_packets port_refuse 's/return -ENODATA;/return n;/'
refuses large_packets port_checked "$first s/set(.*;//"
refuses large_packets port_checked "$take_packet s/give_back(.*;//"
refuses large_packets port_burst 's/if (room < queue->max_frags)/if (1)/'
refuses sent_after_free port_refuse 's/xsk_count(&queue->counters.refused, 1);//'
refuses traffic port_checked "$checked_alloc s/ + queue->memory->tag//"
refuses traffic port_checked 's/frames\[good++\].addr += queue->memory->tag/good++/'
refuses what_unchecked_refuses port_burst "$free s/ \&\& !all_in_memory(.*))/ \&\& 0)/"
refuses what_unchecked_refuses port_burst "$free s/(uint32_t)n > .*))/0))/"
refuses what_unchecked_refuses port_burst \
	"$tx s/!all_sendable(\(.*\))))/!all_sendable(\1) \&\& 0))/"

# ---- what the kernel may not do ----

believes()
{
	bite port_kernel "$@"
}

believes completed_twice port_checked "$checked_drain s/ || !kernel_has(.*))/)/"
believes completed_anothers port_checked \
	's/return has == owner(.*;/return xsk_owner_place(has) == place;/'
believes completed_too_many port_burst "$drain s/n < queue->tx_out ? n : queue->tx_out/n/"
believes completed_no_frame port_burst \
	's/return likely(all < queue->area_size) ? n : .*;/return n;/'
believes completed_no_frame port_checked "$kernel_has s/addr >= queue->area_size/0/"
believes delivered_twice port_checked "$checked_rx s/if (kernel_has(.*)) {/if (1) {/"
believes delivered_anothers port_checked "$checked_rx s/xsk_set_number(.*;//"
believes delivered_too_many port_burst "$rx s/got > queue->fill_out/0/"
believes broken_packets port_checked 's/while (!whole \&\&/while (0 \&\&/'
believes unfinished_packets port_burst "$rx s/whole = whole_packets(.*);/whole = got;/"
believes fill_for_the_rest port_burst "$rx s/queue->fill_out < queue->fill_target/0/"
believes same_frames_in_the_same_order port_burst "$rx s/queue->fill_out < queue->fill_target/0/"
believes same_frames_in_the_same_order port_burst "$rx s/ > queue->fill_slack/ > 0/"
believes same_frames_in_the_same_order port_burst "$refill s/drain_senders(queue);//"
believes same_frames_in_the_same_order port_checked \
	"$checked_refill s/addrs\[i\]/addrs[n - 1 - i]/g"
believes cut_packets port_burst 's/take = whole_packets(frames, room)/take = room/'
believes cut_packets port_burst 's/need < queue->max_frags \&\&/need < 1 \&\&/'
believes freed_too_often port_burst "$drain s/good > queue->memory->frames - pool->count/0/"
believes freed_too_often port_burst "$free s/(uint32_t)n > .*))/0))/"
believes completed_of_an_old_book port_checked "$checked_drain s/!queue->tx_out || //"

# ---- where each frame is ----

loses()
{
	bite port_burst "$@"
}

loses each_frame_in_one_place port_burst 's/memcpy(entries, frames + first, .*;/;/'
loses each_frame_in_one_place port_burst 's/memcpy(entries, addrs + first, .*;/;/'
loses each_frame_in_one_place port_burst 's/memcpy(frames + first, entries, .*;/;/'
loses each_frame_in_one_place port_burst 's/all |= copy_starts(.*;/;/'
loses each_frame_in_one_place port_burst "$rx s/xsk_pool_lend(.*;//"
loses each_frame_in_one_place port_burst "$rx s/xsk_queue_refill(queue);//"
loses each_frame_in_one_place port_burst \
	"$alloc { s/xsk_queue_find_frames(.*;/;/; s/xsk_queue_drain(queue);/;/; }"
loses each_frame_in_one_place port_burst \
	"$refill { s/xsk_queue_find_frames(.*;/;/; s/drain_senders(queue);//; }"
bite port_queues queues_of_one_thread_help_out port_burst \
	"$refill s/xsk_queue_find_frames(.*;/;/"
loses back_through_the_other port_burst "$alloc s/xsk_queue_find_frames(.*;/;/"
loses back_through_the_other port_burst 's/drain_queues(memory->ports.*;/;/'
loses back_through_the_other port_burst "$refill s/drain_senders(queue);//"
loses each_frame_in_one_place port_burst "$tx s/if (queue->tx_out)/if (0)/"
loses each_frame_in_one_place port_burst "$tx s/(uint32_t)n > room/0/"
loses each_frame_in_one_place port_burst "$free s/ & mask;/;/"
loses book_begun_late pool \
	's/xsk_owner(XSK_PLACE_KERNEL, port, i/xsk_owner(XSK_PLACE_CALLER, port, i/'
loses book_begun_late port_checked 's/xsk_owner_place(has) == XSK_PLACE_KERNEL/0/'
loses reclaimed pool "$is_kernels s/owner == xsk_owner(XSK_PLACE_TX, port, queue) ||//"
bite pool reclaimed_too_many pool 's/ \&\& pool->count < memory->frames//'
bite pool reclaimed pool 's/if (!is_kernels(.*))/if (0)/'
bite pool reclaimed pool "$is_kernels s/KERNEL, port, queue/KERNEL, port, 0/"
bite pool created pool 's/note_pools(memory);/;/'
bite pool book_begun pool 's/note_pools(memory);/;/'
bite pool book_begun pool 's,i / memory->frames_per_pool),0),'
bite pool numbers pool 's/number % XSK_POOL_MAX_TAG + 1/number % XSK_POOL_MAX_TAG/'

# ---- what the program takes, leaves and counts ----

whole port_keep kept_one_by_one
whole port_keep ports_of_the_host
for field in arp dhcp icmp ssh; do
	bite port_keep kept_one_by_one port_filter "s/keep->$field = opts->keep & .*;/;/"
done
bite port_keep ports_of_the_host port_filter 's/memcpy(keep->tcp, .*;/;/'
bite port_keep ports_of_the_host port_filter 's/memcpy(keep->udp, .*;/;/'
whole port_filter counted
whole port_filter not_counted
bite port_filter counted filter 's/counts, XSK_COUNT_KEPT/counts, XSK_COUNT_PASSED/'
bite port_filter not_counted port_filter 's/filters && !(port->flags .*), error/filters, error/'
bite port_filter counted port_info 's/add_program(&known, .*;/;/'
for name in what_is_kept_stays counters_only_grow one_after_the_other two_ports; do
	whole port_filter_change "$name"
done
bite port_filter_change what_is_kept_stays port_filter 's/filter, &port->keep,/filter, NULL,/'
bite port_filter_change counters_only_grow prog \
	's/[*]made = prog->counters_fd < 0;/*made = true;/'
bite port_filter_change one_after_the_other prog 's/return info.prog_id;/return prog->id + 1;/'
bite port_filter_change two_ports prog 's/prog->counters_fd = xsk_attached_counters(.*;/;/'
for name in options other_filters programs_of_others ports_without_filters \
	interface_that_is_gone detached_by_others privileges; do
	whole port_filter_errors "$name"
done
bite port_filter_errors options port_filter 's/opts->keep & ~KNOWN_KEEP/0/'
bite port_filter_errors options port_filter 's/if (!(opts->direction & XSK_DIRECTION_RX))/if (0)/'
bite port_filter_errors options port_filter 's/if (opts->flags & XSK_PORT_MAP_FD)/if (0)/'
bite port_filter_errors other_filters prog 's/if (code && code->filters)/if (0)/'
bite port_filter_errors other_filters prog 's/return err ? err : !memcmp(info.tag.*;/return 1;/'
bite port_filter_errors programs_of_others prog 's/if (prog->attached_here)/if (1)/'
bite port_filter_errors ports_without_filters port_filter 's/if (port->map_fd >= 0 ||/if (0 ||/'
bite port_filter_errors ports_without_filters port_filter \
	's/|| !(port->direction & XSK_DIRECTION_RX)) {/) {/'
bite port_filter_errors interface_that_is_gone prog \
	's/xsk_netdev_get(&dev, ifindex) == -ENODEV/0/'
bite port_filter_errors detached_by_others prog \
	's/xsk_netdev_get(&dev, ifindex) == -ENODEV/1/'
bite port_filter_errors privileges load \
	's/xsk_load_explain_eperm(error, "load", xsk_load_missing())/fd/'

# ---- what others hide ----

whole port_wait room_without_frames
bite port_wait room_without_frames port_wait 's/return room >= queue->wants_room ||/return/'
whole port_wait room_for_a_packet
if ! grep -q 'no packets of several frames' "$tmp/log"; then
	bite port_wait room_for_a_packet port_wait 's/return room >= queue->wants_room /return room /'
fi
whole port_wait more_frames_than_before
bite port_wait more_frames_than_before port_burst 's/= queue->pool->count + 1;/= 1;/'
bite port_wait more_frames_than_before port_wait 's/xsk_queue_returned(queue) != .*)/0)/'
bite port_wait more_frames_than_before port_wait 's/xsk_queue_find_frames(queue, .*;/;/'
whole port_share several_queues
bite port_share several_queues port 's/&memory->pools\[i\], port->number/memory->pools, port->number/'
bite port_share several_queues pool 's,i / memory->frames_per_pool),0),'
# Where the kernel refuses it there is nothing to be seen.
whole port_life queue_switched_off_and_on
if ! grep -q 'does not do' "$tmp/log"; then
	bite port_life queue_switched_off_and_on port_kick 's/queue->id >= tx;/false;/'
fi

[ "$bad" = 0 ] && echo "$count broken copies, each seen"
exit "$bad"
