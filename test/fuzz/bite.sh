#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# bite.sh ROOT BUILD_DIR: breaks copies of the library's and the command's files, one line each, and
# sees that the fuzzers find it with one recorded input. Needs root.
set -u

root=$1
build=$2/test/fuzz
scratch=$build/bite
bad=0
mkdir -p "$scratch"
if [ "$(id -u)" != 0 ]; then
	echo 'skipped: needs root'
	exit 77
fi

flags='-D_GNU_SOURCE -std=gnu11 -g -O1 -fno-omit-frame-pointer
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all'
wraps=
for function in open2 bind get_portid sendto recvfrom close; do
	wraps="$wraps -Wl,--wrap=mnl_socket_$function"
done

# link FUZZER FILE: with the broken file in the place of the one that it is a copy of.
link()
{
	objects=$(find "$build/fuzz-$1.p" -name '*.o' ! -name "*_${2%/*}_${2#*/}.c.o")
	[ "$1" = netlink ] || wraps=
	# shellcheck disable=SC2086 # several options, several files
	${CC:-clang} $flags $wraps $objects "$scratch/${2#*/}.o" -o "$scratch/fuzz-$1" \
		-lmnl -lbpf -lpcap -lcmocka -ljansson -pthread
}

# bite FUZZER FILE SED INPUT WORDS: the report has these words. A file without a folder is one
# of lib/.
bite()
(
	case $2 in
	*/*) ;;
	*)
		fuzzer=$1 file=lib/$2
		shift 2
		set -- "$fuzzer" "$file" "$@" ;;
	esac
	copy=$scratch/${2#*/}
	sed "$3" "$root/$2.c" >"$copy.c"
	if cmp -s "$root/$2.c" "$copy.c"; then
		echo "FAILED: $2.c has no such line any more: $3"
		exit 1
	fi
	# shellcheck disable=SC2086
	${CC:-clang} $flags -w -I"$root/${2%/*}" -I"$root/include" -c "$copy.c" \
		-o "$copy.o" && link "$1" "$2" || exit 1
	if "$scratch/fuzz-$1" -timeout=25 -artifact_prefix="$scratch/" \
		"$root/test/fuzz/corpus/$1/$4" >"$scratch/log" 2>&1; then
		echo "FAILED: not found: $3 in $2.c, by $4"
		exit 1
	fi
	if ! grep -q "$5" "$scratch/log"; then
		cat "$scratch/log"
		echo "FAILED: no '$5' about $3 in $2.c, by $4"
		exit 1
	fi
	echo "found: $3 in $2.c"
)

bite netlink netdev 's/mnl_attr_get_payload_len(attr) > sizeof(dev->name)/0/' \
	link-name-long 'stack-buffer-overflow' || bad=1
bite netlink holder 's/mnl_attr_get_payload_len(attr) < size/0/' \
	sockets-short 'depends on what was not received' || bad=1
bite netlink netdev 's/if (at == queues->max)/if (0)/' \
	queues-many 'stack-buffer-overflow' || bad=1
bite netlink netlink 's/len < 0 && errno == EINTR/len < 0/' \
	link-enobufs 'it receives for ever' || bad=1
bite api compat_umem 's/xsk_sys_close(umem->fd);//' \
	reuse 'before and now: descriptors' || bad=1
bite api compat_socket 's/xsk_umem_unmap_rings(&queue->rings);//' \
	reuse 'ring mappings' || bad=1
bite api compat_socket 's/free(queue);//' \
	reuse 'LeakSanitizer' || bad=1
bite api prog 's/xsk_sys_close(prog->link_fd);//' \
	traffic 'a program is left' || bad=1
bite api umem 's/\.len = area->size,/.len = area->size + 4096,/' \
	frame-behind-the-end 'a packet of' || bad=1
bite api compat_socket 's/put_queue(umem, queue);//' \
	two-queues 'AddressSanitizer\|fuzz:\|LeakSanitizer' || bad=1
# Translated wrongly, matched wrongly, or counted wrongly.
bite filter translate 's/XSK_REG_X, 31, 2/XSK_REG_X, 63, 2/' \
	shifts 'the kernel has another verdict' || bad=1
bite filter translate 's/return BPF_JLE;/return BPF_JLT;/' \
	opposites 'the kernel has another verdict' || bad=1
bite filter translate 's/tr->proven\[at\] <= proven/tr->proven[at] != NOT_REACHED/' \
	proven-on-one-way 'it is not loaded' || bad=1
bite filter translate 's/, BPF_REG_10, MEM(insn->k))/, BPF_REG_10, MEM(insn->k ^ 1))/' \
	scratch 'it is not loaded\|another verdict' || bad=1
bite filter assembly 's/xsk_insn_ja(match + pass)/xsk_insn_ja(match)/' \
	longest 'it is not loaded\|another verdict' || bad=1
bite filter classic 's/with < 32 ? m->a << with : 0/m->a << (with \& 31)/' \
	shifts 'libpcap has another verdict' || bad=1
bite filter classic 's/offset + size > m->reach/offset + size > m->reach + 1/' \
	truncated 'heap-buffer-overflow' || bad=1
bite filter validate 's/insn->k < BPF_MEMWORDS ? 0/insn->k <= BPF_MEMWORDS ? 0/' \
	raw-scratch 'libpcap does not take it' || bad=1
bite filter filter 's/counts, XSK_COUNT_KEPT/counts, XSK_COUNT_PASSED/' \
	udp-port-keep 'counts something else' || bad=1
bite expression expression 's/lib.freecode(&program);//' \
	port 'LeakSanitizer' || bad=1
bite expression expression 's/return end > start ? end : start + 1;/return end + 1;/' \
	unknown-word 'heap-buffer-overflow' || bad=1
bite expression expression 's/place = bad <= count .*/place = len + bad;/' \
	unclosed 'AddressSanitizer\|place' || bad=1
bite packet cli/packet 's/rest->here < n/rest->here + 1 < n/' \
	tcp-options-cut 'heap-buffer-overflow' || bad=1
bite packet cli/packet 's/ || label > rest->here / /' \
	snapped-dns 'heap-buffer-overflow' || bad=1
bite packet cli/packet 's/ip->extension_count == PACKET_EXTENSIONS/0/' \
	extensions-many 'index 8 out of bounds' || bad=1
bite packet cli/packet 's/c >= 0x7f ||/0 ||/' \
	dns-unprintable 'not printable' || bad=1
bite packet cli/packet_json 's/"],\\"vlan_priorities/",\\"vlan_priorities/' \
	vlans 'this is no JSON' || bad=1
bite packet cli/packet_text 's/len < 2 || len > left/len < 2/' \
	tcp-options-long 'heap-buffer-overflow' || bad=1
# Packets of another round, times, and what a file leaves open.
bite capture cli/source 's/if (source->is_over)/if (0)/' \
	length-too-large 'goes on behind its end\|does not end' || bad=1
bite capture cli/source 's/source->base_ns + ns > source->last_ns/1/' \
	times-go-back 'time goes back' || bad=1
bite capture cli/source 's/source->base_ns = source->last_ns + gap;/source->base_ns = 0;/' \
	nanoseconds 'time' || bad=1
bite capture cli/capture_read 's/close(capture->fd);/(void)0;/' \
	nanoseconds 'a descriptor is left open' || bad=1
bite capture cli/capture_read 's/^\tpcap_close(pcap);.*//' \
	wireless 'a descriptor is left open\|LeakSanitizer' || bad=1
bite capture cli/capture_read 's/header->caplen, \./header->len, ./' \
	cut-packet 'more bytes than the file has' || bad=1
# What xsk echo sends back.
bite respond cli/respond 's/packet->here < UDP_LEN/0/' \
	udp-cut 'heap-buffer-overflow' || bad=1
bite respond cli/respond 's/ || len > request->room//' \
	solicit-tight 'heap-buffer-overflow' || bad=1
bite respond cli/respond 's/(asks << 8)/(asks << 7)/' \
	ping 'is == was' || bad=1
bite respond cli/respond 's/if (answers_back(.*/if (0)/' \
	udp-from-echo 'the reply is answered' || bad=1
bite respond cli/respond 's/to_all ? 0 : 0x40/0x40/' \
	solicit-free 'to_all' || bad=1
bite respond cli/respond 's/sum = sum ? sum : 0xffff/sum = 0/' \
	raw-udp-left 'is == was' || bad=1
bite respond cli/respond_filter 's/0x8000 or/0x8100 or/' \
	ping6-large 'the filter leaves it' || bad=1
exit $bad
