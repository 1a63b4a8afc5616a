# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# shellcheck shell=sh

# For knot.sh and dpdk.sh, to be sourced with their arguments:
#
#   CASE LIBXSK WITNESS      LIBXSK: the shared library, WITNESS: that of witness.c
#
# Needs root, nm, and with AddressSanitizer CC (default cc).
#
# A test runs in namespaces of its own, for mounts, processes and networks. They
# hold all that it makes, files too. The first process in there dies with the test,
# also after SIGKILL; then the kernel ends the others and takes everything away.

PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
dir=/run/test		# of its own, since /run is

fail()
{
	echo "$case: $*" >&2
	for out in "$dir"/*.out "$dir"/*.calls; do
		[ ! -s "$out" ] || sed "s|^|${out##*/}: |" "$out" >&2
	done
	exit 1
}

skip()
{
	echo "skipped: $*"
	exit 77
}

# need PROGRAM PACKAGE
need()
{
	command -v "$1" >/dev/null || skip "no $1 here (Debian: $2)"
}

# enclose SCRIPT ARGUMENT...: runs it once more, inside, and exits as it does.
enclose()
{
	[ "$(id -u)" = 0 ] || fail "not root"
	setpriv --pdeathsig KILL \
		unshare --mount --pid --net --fork --kill-child --mount-proc sh "$@" inside &
	inside=$!
	trap 'kill -KILL $inside; exit 1' INT TERM HUP
	wait "$inside"
	exit
}

case=${1:?} libxsk=$(readlink -f "${2:?}") witness=$(readlink -f "${3:?}")

# A library with AddressSanitizer wants its runtime to come first.
if nm -D "$libxsk" | grep -q __tsan_init; then
	skip "ThreadSanitizer does not run under programs that were built without it"
elif nm -D "$libxsk" | grep -q __asan_init; then
	witness=$(${CC:-cc} -print-file-name=libasan.so):$witness
fi

if [ "${4:-}" != inside ]; then
	need setpriv util-linux
	need unshare util-linux
	need ip iproute2
	enclose "$0" "$@"
fi

trap 'exit 1' INT TERM HUP
mount -t tmpfs tmpfs /run || fail "no tmpfs"
mkdir "$dir"

# ---- the two sides ----

# in_net NAME COMMAND...
in_net()
{
	net=$1
	shift
	ip netns exec "$net" "$@"
}

new_net()
{
	ip netns add "$1" || fail "no network namespace"
	# Absent without IPv6: as well. With it come packets that nobody asked for.
	for of in all default; do
		file=/proc/sys/net/ipv6/conf/$of/disable_ipv6
		in_net "$1" sh -c "[ ! -e $file ] || echo 1 >$file"
	done
}

# pair NET IFNAME MAC NET IFNAME MAC: a veth pair, up. Offloads stay as they are: of
# the kernel's own packets only ping's pass here, and their checksum is never left to
# the device.
pair()
{
	if ! ip -n "$1" link add "$2" address "$3" numrxqueues 1 numtxqueues 1 type veth \
			peer name "$5" address "$6" numrxqueues 1 numtxqueues 1 netns "$4" ||
	   ! ip -n "$1" link set "$2" up || ! ip -n "$4" link set "$5" up; then
		fail "no veth pair"
	fi
}

# address NET IFNAME ADDRESS NEIGHBOUR MAC: no ARP is needed then, in either direction
address()
{
	if ! ip -n "$1" address add "$3/24" dev "$2" ||
	   ! ip -n "$1" neighbour add "$4" lladdr "$5" dev "$2"; then
		fail "no address"
	fi
}

# packets NET IFNAME COUNTER: as the interface counts them
packets()
{
	in_net "$1" cat "/sys/class/net/$2/statistics/$3"
}

# ---- programs of others ----

# start NAME LIBRARY NET COMMAND...: in the background, with LIBRARY (or none, "")
# preloaded, reading NAME.in if there is one. It leaves NAME.out, NAME.calls from the
# witness, and at last NAME.end.
start()
{
	(
		name=$1 preload="$witness${2:+:$2}" net=$3
		shift 3
		[ ! -e "$dir/$name.in" ] || exec <"$dir/$name.in"
		# What the programs themselves do not free is not looked for.
		in_net "$net" env LD_PRELOAD="$preload" XSK_WITNESS="$dir/$name.calls" \
			ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" \
			"$@" >"$dir/$name.out" 2>&1
		echo $? >"$dir/$name.end"
	) &
}

ended()
{
	[ -s "$dir/$1.end" ]
}

# wait_until COMMAND...: it succeeds, within 20 s or so.
wait_until()
{
	tries=400
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries != 0 ] || return 1
		sleep 0.05
	done
}

ended_or()
{
	ended "$1" && return
	shift
	"$@"
}

# await NAME COMMAND...: until the command succeeds, while that program runs.
await()
{
	wait_until ended_or "$@" || fail "waited in vain: $*"
	! ended "$1" || fail "$1 has ended too early, exit $(cat "$dir/$1.end")"
}

# await_end NAME: the program has ended, and well.
await_end()
{
	wait_until ended "$1" || fail "$1 does not end"
	[ "$(cat "$dir/$1.end")" = 0 ] || fail "$1: exit $(cat "$dir/$1.end")"
}

# ---- the proof ----

# served NAME OBJECT SOCKETS: says whether the calls of the program that has ended were
# served by that object, all of them; that so many sockets, each with a UMEM, were made,
# and deleted; and that none of the calls failed. (DPDK deletes no UMEM.)
served()
{
	[ -e "$dir/$1.calls" ] || : >"$dir/$1.calls"
	awk -v object="$2" -v sockets="$3" -v name="$1" '
		$2 != object { print name ": " $1 " was served by " $2; bad = 1 }
		$3 < 0 { print name ": " $1 " failed: " $3; bad = 1 }
		{ calls[$1]++; all++ }
		function expect(function_name) {
			if (calls[function_name] + 0 != sockets) {
				print name ": " calls[function_name] + 0 " calls of " \
					function_name ", not " sockets
				bad = 1
			}
		}
		END {
			expect("xsk_umem__create")
			expect("xsk_socket__create")
			expect("xsk_socket__delete")
			if (!bad)
				print name ": " all " calls served by " object
			exit bad
		}' "$dir/$1.calls"
}

# by_libxsk NAME SOCKETS, by_libxdp NAME SOCKETS
by_libxsk()
{
	served "$1" "$libxsk" "$2" || fail "$1 did not run on libxsk"
}

by_libxdp()
{
	libxdp=$(awk '{ print $2; exit }' "$dir/$1.calls")
	case $libxdp in
	*/libxdp.so.1*) ;;
	*) fail "$1 did not run on libxdp" ;;
	esac
	served "$1" "$libxdp" "$2" || fail "$1 did not run on libxdp"
}

# not_by_libxsk NAME SOCKETS: the proof bites.
not_by_libxsk()
{
	if (by_libxsk "$@") >"$dir/bites" 2>&1; then
		fail "$1 is said to run on libxsk, and did not"
	fi
	echo "$1: that it did not run on libxsk is seen: $(head -n 1 "$dir/bites")"
}

# number FILE SED-EXPRESSION: the number that it finds there, or 0
number()
{
	found=$(sed -n "s/$2/\\1/p" "$1" | head -n 1)
	echo "${found:-0}"
}
