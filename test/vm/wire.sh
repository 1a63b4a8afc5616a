#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# wire.sh COMMAND...: in a network namespace made for it, where nobody else is: pairs of
# tap devices, each joined by a wire; then it becomes the command.
set -eu

# tap WIRE NAME [OPTION]
tap()
{
	# shellcheck disable=SC2086 # no option or one
	ip tuntap add "$2" mode tap ${3-}
	ip link set "$2" txqueuelen 20000 master "$1" up
	# A bridge that learns no addresses passes everything on, as a wire does.
	ip link set "$2" type bridge_slave learning off
}

# wire NAME [OPTION]
wire()
{
	ip link add "$1" type bridge mcast_snooping 0
	ip link set "$1" up
	tap "$1" "${1}0" "${2-}"
	tap "$1" "${1}1" "${2-}"
}

if [ -e /proc/sys/net/ipv6 ]; then
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
fi
wire vnet multi_queue
wire igb
exec "$@"
