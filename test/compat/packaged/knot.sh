#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
#   knot.sh CASE LIBXSK WITNESS
#
# Knot DNS over a veth pair: knotd answers on AF_XDP what kxdpgun asks on AF_XDP.
#   both, server, client    who of them runs on libxsk; the other runs on libxdp
#   proof                   what would show that libxsk, or XDP, was not used, does
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/common.sh"
need knotd knot
need knotc knot
need kxdpgun knot-dnsutils

# Slow enough for a machine that is busy: a receiver that is kept from running loses
# nothing until its ring of 2048 has filled, for a second, whosever library it has.
rate=2000
seconds=2

server=192.0.2.1 server_mac=02:00:00:00:00:01
client=192.0.2.2 client_mac=02:00:00:00:00:02

control()
{
	in_net server knotc -c "$dir/knot.conf" "$@"
}

# configure XDP-LINE: the kernel's sockets are open in any case, so that a query that
# does not come by XDP is answered too, and counted there.
configure()
{
	cat >"$dir/knot.conf" <<-END
	server:
	    rundir: "$dir"
	    user: root:root
	    listen: $server@53
	    udp-workers: 1
	    tcp-workers: 1
	    background-workers: 1
	$1
	log:
	  - target: stderr
	    any: info
	database:
	    storage: "$dir"
	mod-stats:
	  - id: all
	    request-protocol: on
	template:
	  - id: default
	    global-module: mod-stats/all
	zone:
	  - domain: example.com
	    file: "$dir/zone"
	END
}

prepare()
{
	cat >"$dir/zone" <<-END
	@ 3600 SOA ns.example.com. admin.example.com. 1 900 300 4800 900
	@ 3600 NS ns.example.com.
	ns 3600 A $server
	END
	printf '%s\n' 'example.com. SOA' 'ns.example.com. A' >"$dir/queries"
	new_net server
	new_net client
	pair server xsk0 $server_mac client xsk1 $client_mac
	address server xsk0 $server $client $client_mac
	address client xsk1 $client $server $server_mac
}

# counter PROTOCOL: what the server says that came in by it
counter()
{
	number "$dir/stats" "^mod-stats.request-protocol\[$1\] = "'\([0-9]*\)$'
}

# ask SERVER-LIBRARY CLIENT-LIBRARY: leaves the numbers in $sent, $answered, $noerror,
# $by_xdp, $by_kernel.
ask()
{
	rm -f "$dir"/*.out "$dir"/*.calls "$dir"/*.end
	start knotd "$1" server knotd -c "$dir/knot.conf"
	await knotd control status
	start kxdpgun "$2" client kxdpgun -t $seconds -Q $rate -i "$dir/queries" -I xsk1 $server
	await_end kxdpgun
	control stats >"$dir/stats" || fail "no statistics"
	control stop >/dev/null || fail "it does not stop"
	await_end knotd

	sent=$(number "$dir/kxdpgun.out" '^total queries: *\([0-9]*\) .*')
	answered=$(number "$dir/kxdpgun.out" '^total replies: *\([0-9]*\) .*')
	noerror=$(number "$dir/kxdpgun.out" '^responded NOERROR: *\([0-9]*\)')
	by_xdp=$(counter udp4-xdp)
	by_kernel=$(counter udp4)
	echo "$sent queries, $answered answers, $noerror of them good;" \
		"the server counts $by_xdp by XDP, $by_kernel by the kernel"
	# It sends what it finds the time for.
	[ "$sent" -ge $((rate * seconds / 2)) ] || fail "only $sent queries were sent"
}

all_by_xdp()
{
	[ "$answered $noerror" = "$sent $sent" ] || fail "not all queries were answered well"
	[ "$by_xdp $by_kernel" = "$sent 0" ] || fail "not all queries came by XDP"
}

prepare
listen='xdp:
    listen: xsk0'
configure "$listen"
case $case in
both)
	ask "$libxsk" "$libxsk"
	by_libxsk knotd 1
	by_libxsk kxdpgun 1 ;;
server)
	ask "$libxsk" ""
	by_libxsk knotd 1
	by_libxdp kxdpgun 1 ;;
client)
	ask "" "$libxsk"
	by_libxdp knotd 1
	by_libxsk kxdpgun 1 ;;
proof)
	# A socket of the kernel may lose some: its buffer is smaller.
	configure ""
	ask "$libxsk" ""
	if [ "$by_xdp" != 0 ] || [ "$by_kernel" = 0 ]; then
		fail "what came by the kernel is counted otherwise"
	fi
	not_by_libxsk knotd 1

	configure "$listen"
	ask "" ""
	not_by_libxsk knotd 1
	not_by_libxsk kxdpgun 1
	by_libxdp knotd 1
	by_libxdp kxdpgun 1 ;;
*)
	fail "no such case" ;;
esac
all_by_xdp
