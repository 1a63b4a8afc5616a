#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# Measures libxsk against libxdp, and its port against the bare rings and DPDK: see
# bench/README.md.

set -eu

usage()
{
	cat <<'END'
usage: bench/run [--rounds N] [--quick] [--json FILE] [PART...]

Measures on this machine. Needs root: it installs what is missing and works in
network namespaces of its own. The parts, all by default:

  open          opening and closing sockets, of libxsk and libxdp in turn
  traffic       traffic over a veth pair, of both in turn
  verbs         instructions of both's ring verbs
  bursts        instructions of the port, of the bare rings, and of DPDK
  filters       CPU time of filters' programs, and of the classic ones they are made from

  --rounds N    rounds of each library (default 5)
  --quick       one short round, which only shows that it runs
  --json FILE   write the results to FILE too
  --help        this text
END
}

die()
{
	echo "bench/run: $*" >&2
	exit 1
}

say()
{
	echo "bench/run: $*" >&2
}

# ---- options ----

rounds=5
quick=false
json=
parts=
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=${2-}; shift ;;
	--quick) quick=true ;;
	--json) json=${2-}; shift; [ -n "$json" ] || { usage >&2; exit 2; } ;;
	--help) usage; exit 0 ;;
	open | traffic | verbs | bursts | filters) parts="$parts $1" ;;
	*) usage >&2; exit 2 ;;
	esac
	[ $# -gt 0 ] && shift
done
case $rounds in
'' | *[!0-9]* | 0*) usage >&2; exit 2 ;;
esac
parts="${parts:-open traffic verbs bursts filters} "
case $json in
'' | /*) ;;
*) json=$PWD/$json ;;
esac

if $quick; then
	rounds=1 times=2 slices=1 traffic_ms=200 packets=6528
	filter_turns=1 filter_runs=20000 filter_slices=5
else
	times=16 slices=4 traffic_ms=700 packets=65280
	filter_turns=9 filter_runs=200000 filter_slices=51
fi
# Traffic comes in slices, because a shared machine is as fast as it was for less
# than seconds. A freed queue is usable again after about 50 ms. The receiver lets
# 200 ms pass after its first packet, and the sender must outlast it.
pause_ms=120
sender_ms=$((traffic_ms + 500))

# wanted PART
wanted()
{
	case $parts in
	*"$1 "*) ;;
	*) return 1 ;;
	esac
}

[ "$(id -u)" -eq 0 ] || die "needs root, for network namespaces and BPF programs"
cd "$(dirname "$0")/.."

# ---- the programs ----

# shellcheck source=/dev/null
. ./scripts/install-packages.sh
install_packages gcc libc6-dev meson ninja-build pkgconf libbpf-dev libmnl-dev \
	libxdp-dev valgrind iproute2 >&2
! wanted filters || install_packages libpcap0.8 >&2
! wanted bursts || install_packages dpdk-dev >&2 || say "going on without DPDK"

build='build-bench'
bin=$build/bench
log=$build/bench.log

# Against libxdp means: with its header, and with its library.
check_program()
{
	ninja -C "$build" -t deps "bench/$1-$2.p/$1.c.o" >"$tmp/deps"
	ours=$(grep -c '\.\./include/xdp/xsk\.h' "$tmp/deps" || true)
	case $2:$ours in
	libxsk:1 | libxdp:0) ;;
	*) die "$1-$2 is compiled with the wrong <xdp/xsk.h>" ;;
	esac
	[ "$1" = rings ] || ldd "$bin/$1-$2" | grep -q "$2\.so" ||
		die "$1-$2 is linked to the wrong library"
}

build_programs()
{
	set -- -Dbench=true -Dbuildtype=release -Doptimization=2 \
		-Dtests=false -Dman=false -Dexamples=false -Dcli=false
	[ ! -f "$build/build.ninja" ] || set -- --reconfigure "$@"
	if ! CC=${CC:-gcc} meson setup "$build" "$@" >"$tmp/build" 2>&1 ||
	   ! ninja -C "$build" >>"$tmp/build" 2>&1; then
		tail -n 30 "$tmp/build" >&2
		die "the build failed"
	fi
	for library in libxsk libxdp; do
		[ -x "$bin/open-$library" ] || die "the build found no $library"
		for program in open traffic rings; do
			check_program "$program" "$library"
		done
	done
}

# ---- what must be gone at the end ----

tmp=
near=xsk-bench-$$-a
far=xsk-bench-$$-b
running=

# shellcheck disable=SC2317 # by the trap
clean_up()
{
	status=$?
	trap - EXIT
	trap '' INT TERM HUP
	for pid in $running; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	for namespace in $near $far; do
		[ ! -e "/run/netns/$namespace" ] || ip netns del "$namespace"
	done
	[ -z "$tmp" ] || rm -rf "$tmp"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# The name of a wire's end is the same wherever it is, but nobody else sees it. That
# for bursts has one queue: whatever sends over it, that is where it arrives.
make_wire()
{
	ip netns add "$near"
	ip netns add "$far"
	for namespace in $near $far; do
		ip netns exec "$namespace" sh -c \
			'[ ! -d /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	done
	for wire in wire:2 burst:1; do
		set -- "${wire%:*}" "numrxqueues ${wire#*:} numtxqueues ${wire#*:}"
		# shellcheck disable=SC2086 # several words
		ip -n "$near" link add "$1" $2 type veth peer name "$1" $2 netns "$far"
		ip -n "$near" link set "$1" up
		ip -n "$far" link set "$1" up
	done
}

failed()
{
	tail -n 20 "$log" >&2
	die "$1 failed; all of its messages are in $log"
}

# start NAMESPACE OUTPUT PROGRAM ARGS...: in the background, so that a signal
# is answered at once; $started is its process.
start()
{
	namespace=$1 output=$2
	shift 2
	ip netns exec "$namespace" "$@" >"$output" 2>>"$log" &
	started=$!
	running="$running $started"
}

# finish PROCESS NAME
finish()
{
	wait "$1" || failed "$2"
}

# sample METRIC LIBRARY ROUND VALUE
sample()
{
	echo "$1 $2 $3 $4" >>"$tmp/samples"
}

# ---- open ----

measure_open()
{
	start "$near" "$tmp/open" "$bin/open-$2" wire "$1" "$times" "$pause_ms"
	finish "$started" "open-$2 $1"
	running=
	# The first of "joined" is not the first in its process.
	awk -v metric="open.$1" -v rest="$2 $3" -v kind="$1" '
		NR == 1 && kind != "joined" { print metric ".first", rest, $2; next }
		{
			print metric ".umem_create", rest, $1
			print metric ".create", rest, $2
			print metric ".create_cpu", rest, $3
			print metric ".delete", rest, $4 + $5
		}' "$tmp/open" >>"$tmp/samples"
	sleep 0.3
}

# ---- traffic ----

await_receiver()
{
	tries=0
	until grep -q ready "$tmp/received"; do
		tries=$((tries + 1))
		if [ "$tries" -gt 100 ] || ! kill -0 "$1" 2>/dev/null; then
			failed "$2"
		fi
		sleep 0.05
	done
}

# send LIBRARY-OF-SENDER LIBRARY-OF-RECEIVER: sets the results' variables.
send()
{
	: >"$tmp/received"
	start "$far" "$tmp/received" "$bin/traffic-$2" receive wire "$receiver_cpu" "$traffic_ms"
	receiver=$started
	await_receiver "$receiver" "traffic-$2 receive"
	start "$near" "$tmp/sent" "$bin/traffic-$1" send wire "$sender_cpu" "$sender_ms"
	finish "$receiver" "traffic-$2 receive"
	finish "$started" "traffic-$1 send"
	running=
	sleep 0.3
}

# rate METRIC LIBRARY ROUND FILE, and cpu ...: of the last line of the file
rate()
{
	sample "$1" "$2" "$3" "$(awk 'END { printf "%.0f", $1 / $2 * 1e9 }' "$4")"
}

cpu()
{
	sample "$1" "$2" "$3" "$(awk 'END { printf "%.2f", $3 / ($1 ? $1 : 1) }' "$4")"
}

# The other end is libxdp's in all cases: the one that does not change.
measure_sender()
{
	send "$1" libxdp
	rate traffic.send.received "$1" "$2" "$tmp/received"
	rate traffic.send.sent "$1" "$2" "$tmp/sent"
	cpu traffic.send.cpu "$1" "$2" "$tmp/sent"
}

measure_receiver()
{
	send libxdp "$1"
	rate traffic.receive.received "$1" "$2" "$tmp/received"
	cpu traffic.receive.cpu "$1" "$2" "$tmp/received"
}

# ---- filters ----

# measure_filters ROUND: all of its programs, one after the other on one CPU.
measure_filters()
{
	start "$near" "$tmp/filters" taskset -c "$((receiver_cpu < 0 ? 0 : receiver_cpu))" \
		"$bin/filters" "$filter_turns" "$filter_runs" "$filter_slices"
	finish "$started" filters
	running=
	awk -v round="$1" '{ print "filters." $1 "." $2, $3, round, $4 }' "$tmp/filters" \
		>>"$tmp/samples"
}

# ---- instructions ----

# count FUNCTIONS PROGRAM ARGS...: sets $per_packet to the instructions per packet in
# those functions (F or F,F). The same number each time, so once is enough. What the
# dynamic linker does at a function's first call is not to be in it.
count()
{
	functions=$1 program=$2
	shift 2
	start "$near" "$tmp/counted" env LD_BIND_NOW=1 valgrind --tool=callgrind \
		--callgrind-out-file="$tmp/callgrind" --toggle-collect="${functions%,*}" \
		--toggle-collect="${functions#*,}" "$bin/$program" "$@"
	finish "$started" "$program $1"
	running=
	total=$(awk '$1 == "totals:" { print $2 }' "$tmp/callgrind")
	[ "${total:-0}" -gt 0 ] || die "callgrind counted nothing in $functions of $program"
	per_packet=$(awk -v total="$total" -v packets="$packets" 'BEGIN { print total / packets }')
}

# count_verbs VERB BATCH ARRIVE
count_verbs()
{
	for library in libxsk libxdp; do
		count "$1" "rings-$library" "$@" "$packets"
		sample "rings.$1.$2.$3" "$library" 1 "$per_packet"
	done
}

# count_bursts CONTENDER PROGRAM [checked-]
count_bursts()
{
	for metric in receive:receive_burst send:send_burst send_kick:send_burst,kick; do
		functions=${metric#*:} metric=${metric%:*}
		# DPDK's send_burst kicks.
		[ "$1 $metric" != "dpdk send" ] || continue
		count "$functions" "$2" "${3-}${metric%_kick}" burst "$far" $((packets / 64))
		sample "burst.$metric" "$1" 1 "$per_packet"
		sleep 0.3
	done
}

# ---- all of it ----

tmp=$(mktemp -d)
say "building in $build"
build_programs
: >"$log"
make_wire

sender_cpu=-1 receiver_cpu=-1 pinned=false
if [ "$(nproc)" -ge 2 ]; then
	sender_cpu=0 receiver_cpu=1 pinned=true
fi

# The one that went first goes second the next time: what is warm or busy after a
# run is so for both.
in_turn()
{
	if [ $(($1 % 2)) = 1 ]; then
		echo libxsk libxdp
	else
		echo libxdp libxsk
	fi
}

measure_round()
{
	! wanted open || say "round $1 of $rounds: open"
	for kind in default joined retry tx; do
		wanted open || break
		for library in $(in_turn "$1"); do
			measure_open "$kind" "$library" "$1"
		done
	done
	! wanted traffic || say "round $1 of $rounds: traffic"
	slice=0
	while wanted traffic && [ "$slice" -lt "$slices" ]; do
		slice=$((slice + 1))
		for library in $(in_turn "$slice"); do
			measure_sender "$library" "$1"
		done
		for library in $(in_turn "$slice"); do
			measure_receiver "$library" "$1"
		done
	done
	if wanted filters; then
		say "round $1 of $rounds: filters"
		measure_filters "$1"
	fi
}

round=0
while [ "$round" -lt "$rounds" ]; do
	round=$((round + 1))
	measure_round "$round"
done

if wanted verbs; then
	say "instructions of the ring verbs"
	count_verbs receive_refill 64 64
	count_verbs receive_refill 64 96
	count_verbs receive_refill 1 1
	count_verbs receive_refill 1 64
	count_verbs alloc_send 64 64
	count_verbs alloc_send 1 1
	count_verbs get_data 64 64
fi

if wanted bursts; then
	say "instructions of bursts"
	count_bursts rings burst-rings
	count_bursts port burst-port
	count_bursts checked burst-port checked-
	if [ -x "$bin/burst-dpdk" ]; then
		count_bursts dpdk burst-dpdk
	fi
fi

awk -v json="$json" -v quick="$quick" -v pinned="$pinned" \
	-v kernel="$(uname -r)" -v machine="$(uname -m)" \
	-v libxsk="$(pkg-config --modversion "$build/meson-private/libxsk.pc")" \
	-v libxdp="$(pkg-config --modversion libxdp)" \
	-v dpdk="$(pkg-config --modversion libdpdk 2>/dev/null || echo "(not found)")" \
	-f bench/bursts.awk -f bench/filters.awk -f bench/report.awk "$tmp/samples"
