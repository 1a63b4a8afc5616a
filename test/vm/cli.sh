#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# cli.sh NICS: the command xsk over a pair of NICs (vnet: vnet0 and vnet1), each given to
# a host of its own. From Linux 7 on it works in zero-copy, before in native copy. XSK is the
# command. Says what it finds in TAP.
set -u

nics=$1
xsk=${XSK:-xsk}
work=$(mktemp -d) || exit 1
mode='(native )?copy; zero-copy refused: .*'
case $(uname -r) in
[1-6].*) ;;
*) mode='zero-copy' ;;
esac
count=0
started=

# ---- two hosts ----

on()
{
	host=$1
	shift
	ip netns exec "$host" "$@"
}

# make_host NAME NIC NUMBER
make_host()
{
	ip netns add "$1" && ip link set "$2" netns "$1" || return
	on "$1" sh -c "echo 0 >/proc/sys/net/ipv6/conf/$2/disable_ipv6
		echo 0 >/proc/sys/net/ipv6/conf/$2/accept_dad
		echo 0 >/proc/sys/net/ipv6/conf/$2/router_solicitations"
	# A host may spread what it sends over all queues that there are.
	on "$1" ethtool -L "$2" combined 1 2>/dev/null
	ip -n "$1" link set lo up &&
		ip -n "$1" link set "$2" up &&
		ip -n "$1" address add "10.66.0.$3/24" dev "$2" &&
		ip -n "$1" address add "fd66::$3/64" dev "$2" nodad
}

# The NICs go back, for other tests.
clean_up()
{
	for pid in $started; do
		kill -KILL "$pid"
	done 2>/dev/null
	for number in 0 1; do
		ip -n "host$number" link set "$nics$number" netns 1
		ip netns delete "host$number"
		ip link set "$nics$number" up
	done
	rm -rf "$work"
}

# ---- what is checked ----

check()
{
	count=$((count + 1))
	bad=
	"$1"
	end_started
	if [ "$bad" ]; then
		echo "not ok $count - $1"
		rm -f "$work/pcap"
		for file in "$work"/*; do
			[ ! -s "$file" ] || sed "s/^/# ${file##*/}: /" "$file"
		done
	else
		echo "ok $count - $1"
	fi
	rm -f "$work"/*
}

# want WORDS...: a command that is to succeed.
want()
{
	"$@" && return
	echo "# not so: $*"
	bad=1
}

# has FILE PATTERN
has()
{
	grep -q -E -e "$2" "$work/$1"
}

# counts FILE KEY NUMBER: the total, in JSON, has it.
counts()
{
	grep '"type":"total"' "$work/$1.out" | grep -q -E -e "\"$2\":$3[,}]"
}

# start NAME HOST COMMAND...: in the background, until it has its interface.
start()
{
	name=$1 host=$2
	shift 2
	: >"$work/$name.err"
	ip netns exec "$host" "$@" >"$work/$name.out" 2>"$work/$name.err" &
	last=$!
	started="$started $last"
	tenths=300
	until has "$name.err" ': queues? ' || [ $tenths = 0 ]; do
		sleep 0.1
		tenths=$((tenths - 1))
	done
	want has "$name.err" ": queues? .*, $mode\$"
}

# run NAME HOST COMMAND...: to its end, which is to be good.
run()
{
	name=$1 host=$2
	shift 2
	want timeout 60 ip netns exec "$host" "$@" >"$work/$name.out" 2>"$work/$name.err"
}

# ended PID: by itself, and well.
ended()
{
	tenths=300
	while kill -0 "$1" 2>/dev/null && [ $tenths -gt 0 ]; do
		sleep 0.1
		tenths=$((tenths - 1))
	done
	[ $tenths -gt 0 ] && wait "$1"
}

# stopped PID: by a signal, and well.
stopped()
{
	kill -TERM "$1"
	ended "$1"
}

# Nothing runs after a test, and no program of it is on the NICs.
end_started()
{
	for pid in $started; do
		kill -KILL "$pid"
		wait "$pid"
	done 2>/dev/null
	started=
	for number in 0 1; do
		ip -n "host$number" -d link show "$nics$number" >"$work/link"
		want eval '! has link xdp'
	done
}

# in_kernel PROTOCOL: NAME: how often the kernel of host0 has counted it, as "Udp: NoPorts".
in_kernel()
{
	on host0 cat /proc/net/snmp | awk -v of="$1" -v name="$2" '
		$1 == of && !column { for (column = NF; $column != name; column--); next }
		$1 == of { print $column }'
}

# ---- the commands ----

# What it tells of the NIC, what is to be had of it, and who has it.
probe()
{
	run probe host0 "$xsk" probe "${nics}0" --test
	want has probe.out '^  driver +(virtio_net|igb)$'
	want has probe.out '^  test native +opened: native copy$'
	want has probe.out '^  test generic +opened: generic copy$'
	if [ "$mode" = zero-copy ]; then
		want has probe.out '^  zero-copy +yes'
		want has probe.out '^  test zero-copy +opened: zero-copy$'
	else
		want has probe.out '^  test zero-copy +.*zero-copy refused: driver'
	fi
	start recv host0 "$xsk" recv "${nics}0"
	run probe host0 "$xsk" probe "${nics}0"
	want has probe.out "^  program .*, native, by link, .*; open in xsk \\(pid $last\\)\$"
	[ "$mode" != zero-copy ] ||
		want has probe.out "^  socket +queue 0: taken by xsk \\(pid $last\\).*, zero-copy,"
	want stopped "$last"
}

# What xsk sends the kernel of the other host takes: addresses, lengths and checksums are right.
send()
{
	want on host1 ping -c 1 -W 5 10.66.0.1 >"$work/ping"
	before=$(in_kernel Udp: NoPorts)
	run send host1 "$xsk" send "${nics}1" --dst 10.66.0.1 --dport 4444 -c 1000 \
		--rate 1kpps --size 200 --json
	want has send.err ": queue 0, $mode\$"
	want counts send packets 1000
	want [ "$(in_kernel Udp: NoPorts)" = $((before + 1000)) ]
	want [ "$(in_kernel Udp: InCsumErrors)" = 0 ]
}

# What the other host's kernel sends, xsk has, and the rest is the kernel's.
recv()
{
	start recv host0 "$xsk" recv "${nics}0" -c 20 icmp and src 10.66.0.2
	want on host1 ping -c 3 -W 5 fd66::1 >"$work/ping6"
	on host1 ping -c 20 -W 1 -i 0.1 10.66.0.1 >"$work/ping"
	want ended "$last"
	want [ "$(grep -c '10.66.0.2 > 10.66.0.1.*ICMP echo request' "$work/recv.out")" = 20 ]
	want has ping '20 packets transmitted, 0 packets received'
}

# From zero-copy to zero-copy, at some speed; the file holds them all.
send_and_recv()
{
	start recv host0 "$xsk" recv "${nics}0" -w "$work/pcap" --json udp port 4444
	run send host1 "$xsk" send "${nics}1" --dst 10.66.0.1 --dport 4444 -c 5000 \
		--rate 2kpps --size 1514 --json --dst-mac "$mac0"
	want counts send packets 5000
	sleep 1
	want stopped "$last"
	want counts recv packets 5000
	want counts recv bytes $((5000 * 1514))
	# Of the file, of each packet, and its bytes.
	want [ "$(wc -c <"$work/pcap")" = $((24 + 5000 * (16 + 1514))) ]
}

# All is answered by xsk: the kernel of host1 does not know of it.
echoes()
{
	start echo host1 "$xsk" echo "${nics}1" --json
	ip -n host0 neighbour flush dev "${nics}0"
	for size in 0 56 1472; do
		want on host0 ping -c 10 -W 2 -i 0.1 -s "$size" 10.66.0.2 >"$work/ping"
		want has ping '10 packets transmitted, 10 packets received'
	done
	want on host0 ping -c 10 -W 2 -i 0.1 fd66::2 >"$work/ping6"
	want has ping6 '10 packets transmitted, 10 packets received'
	want stopped "$last"
	want has echo.out '"type":"total"'
}

latency()
{
	start echo host1 "$xsk" echo "${nics}1"
	echo=$last
	for to in 10.66.0.2 fd66::2; do
		for wait in sleep spin; do
			run latency host0 "$xsk" latency "${nics}0" "$to" -c 300 --wait "$wait" \
				--warmup 10 --json
			want has latency.err ": queue 0, $mode\$"
			want counts latency lost 0
			want counts latency measured 300
		done
	done
	run latency host0 "$xsk" latency "${nics}0" 10.66.0.2 -c 300
	want has latency.out 'p99'
	want stopped "$echo"
}

# ---- all together ----

trap clean_up EXIT
trap 'exit 1' HUP INT TERM
make_host host0 "${nics}0" 1 && make_host host1 "${nics}1" 2 || exit 1
mac0=$(on host0 cat "/sys/class/net/${nics}0/address")

echo '1..6'
check probe
check send
check recv
check send_and_recv
check echoes
check latency
