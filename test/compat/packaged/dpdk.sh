#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
#   dpdk.sh CASE LIBXSK WITNESS
#
# DPDK's net_af_xdp, in dpdk-testpmd, over veth pairs, on libxsk:
#   icmpecho-64, -1400  it answers a flood of pings in frames of so many bytes
#   io                  it forwards between two pairs, what a flood of pings shows
#   txonly              the peer's kernel gets all that it says that it sent
#   proof               without the preload libxdp serves, and that is seen
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/common.sh"
need dpdk-testpmd dpdk-dev
need ping iputils-ping
ls /usr/lib/*/dpdk/pmds-*/librte_net_af_xdp.so* >/dev/null 2>&1 ||
	skip "no net_af_xdp for DPDK (Debian: librte-net-af-xdp23)"

count=3000
pmd_mac=02:00:00:00:00:01 peer_mac=02:00:00:00:00:02
other_mac=02:00:00:00:00:03 far_mac=02:00:00:00:00:04
peer=198.18.0.1 far=198.18.0.2		# for measurements, RFC 2544

# testpmd LIBRARY PORTS OPTION...: starts it, on the interfaces xsk0 and so on of net
# pmd, none of which has an address: nobody but testpmd can answer there. It ends when
# a line comes. Its two threads may run on each CPU, lest one that is taken stops them.
testpmd()
{
	library=$1 ports=$2
	shift 2
	mkfifo "$dir/testpmd.in"
	exec 3<>"$dir/testpmd.in"
	cpus=$(sed -n 's/^Cpus_allowed_list:[[:blank:]]*//p' /proc/self/status)
	[ "$ports" = 1 ] || set -- --vdev net_af_xdp1,iface=xsk1 "$@"
	start testpmd "$library" pmd stdbuf -oL dpdk-testpmd \
		--lcores "0@($cpus),1@($cpus)" --no-huge -m 256 --no-pci --no-telemetry \
		--vdev net_af_xdp0,iface=xsk0 "$@"
	await testpmd grep -q '^Press enter to exit' "$dir/testpmd.out"
}

end_testpmd()
{
	echo >&3
	await_end testpmd
	received=$(total RX)
	sent=$(total TX)
	dropped=$(($(number "$dir/total" '.*RX-dropped: \([0-9]*\).*') +
		   $(number "$dir/total" '.*TX-dropped: \([0-9]*\).*')))
	echo "testpmd: $received packets received, $sent sent, $dropped dropped"
}

# total RX, total TX: of all ports, from what it says at its end
total()
{
	sed '1,/Accumulated forward statistics/d' "$dir/testpmd.out" >"$dir/total"
	number "$dir/total" ".*$1-packets: "'\([0-9]*\).*'
}

# expect_program NET IFNAME NAME: the XDP program there has that name
expect_program()
{
	ip -n "$1" -details link show "$2" >"$dir/link"
	program=$(sed -n 's/.*prog\/xdp id.* name \([^ ]*\).*/\1/p' "$dir/link")
	[ "$program" = "$3" ] || fail "on $2 is the program '$program', not '$3'"
}

# ping_flood FRAME-LENGTH ADDRESS: from the peer; each is answered. Ethernet, IP and
# ICMP have headers of 14, 20 and 8 bytes. A flood sends the next one with the answer,
# or after 10 ms.
ping_flood()
{
	in_net peer ping -f -q -n -c $count -s $(($1 - 42)) "$2" >"$dir/ping.out" 2>&1 ||
		fail "ping: exit $?"
	grep -q "^$count packets transmitted, $count received, 0% packet loss" "$dir/ping.out" ||
		fail "not each ping was answered once"
	sed -n 's/.*packets transmitted.*/ping: &/p' "$dir/ping.out"
}

icmpecho()
{
	new_net pmd
	new_net peer
	pair pmd xsk0 $pmd_mac peer peer0 $peer_mac
	address peer peer0 $peer $far $pmd_mac
	testpmd "$1" 1 -- --forward-mode=icmpecho --auto-start --nb-cores=1 \
		--total-num-mbufs=16384
	expect_program pmd xsk0 "$2"
	ping_flood "$3" $far
	length=$(($(packets peer peer0 rx_bytes) / $(packets peer peer0 rx_packets)))
	[ $length = "$3" ] || fail "the frames had $length bytes"
	end_testpmd
	[ "$received $sent $dropped" = "$count $count 0" ] || fail "testpmd counts otherwise"
}

# arrived -ge|-eq NUMBER: so many at the peer
arrived()
{
	test "$(packets peer peer0 rx_packets)" "$@"
}

case $case in
icmpecho-*)
	icmpecho "$libxsk" libxsk_default "${case#icmpecho-}"
	by_libxsk testpmd 1
	expect_program pmd xsk0 "" ;;
io)
	new_net peer
	new_net pmd
	new_net far
	pair pmd xsk0 $pmd_mac peer peer0 $peer_mac
	pair pmd xsk1 $other_mac far far0 $far_mac
	address peer peer0 $peer $far $far_mac
	address far far0 $far $peer $peer_mac
	testpmd "$libxsk" 2 -- --forward-mode=io --auto-start --nb-cores=1 \
		--total-num-mbufs=32768
	expect_program pmd xsk0 libxsk_default
	expect_program pmd xsk1 libxsk_default
	ping_flood 64 $far
	end_testpmd
	[ "$received $sent $dropped" = "$((2 * count)) $((2 * count)) 0" ] ||
		fail "testpmd counts otherwise"
	by_libxsk testpmd 2
	expect_program pmd xsk0 ""
	expect_program pmd xsk1 "" ;;
txonly)
	new_net pmd
	new_net peer
	pair pmd xsk0 $pmd_mac peer peer0 $peer_mac
	address peer peer0 $far $peer $pmd_mac
	testpmd "$libxsk" 1 -- --forward-mode=txonly --auto-start --nb-cores=1 \
		--total-num-mbufs=16384 --eth-peer=0,$peer_mac --tx-ip=$peer,$far
	await testpmd arrived -ge $count
	end_testpmd
	# What the peer had no room for, its backlog being full, is counted by the pair.
	lost=$(packets pmd xsk0 tx_dropped)
	wait_until arrived -eq $((sent - lost)) ||
		fail "$(packets peer peer0 rx_packets) arrived, $lost were lost on the way"
	# Nobody listens there; so it counts what came with good headers, to its address.
	in_net peer grep '^Udp:' /proc/net/snmp >"$dir/udp"
	udp=$(awk 'NR == 2 { print $3 }' "$dir/udp")	# NoPorts
	bytes=$(packets peer peer0 rx_bytes)
	echo "peer: $udp good UDP packets, $bytes bytes; $lost lost in between"
	[ "$udp $bytes" = "$((sent - lost)) $((64 * udp))" ] || fail "other packets arrived"
	by_libxsk testpmd 1 ;;
proof)
	icmpecho "" xsk_def_prog 64
	by_libxdp testpmd 1
	not_by_libxsk testpmd 1 ;;
*)
	fail "no such case" ;;
esac
