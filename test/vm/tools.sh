#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# tools.sh: installs a QEMU that can be an igb card, where there is none, and puts a
# busybox for the guests into the cache.
set -u

# shellcheck source=test/vm/common.sh
. "$(dirname "$0")/common.sh"

has_qemu()
{
	qemu-system-x86_64 -device help 2>/dev/null | grep -q '^name "igb"'
}

# with_version PACKAGE: as apt takes it, in the version of the backports.
with_version()
{
	own_apt tools apt-cache madison "$1" | awk -v suite="$backports/" '
		$0 ~ suite { print $1 "=" $3; exit }'
}

# Debian 12's own QEMU is too old; its backports have a newer one. By versions: asked for by
# the suite, apt takes all that they need from there, and another libbpf1, say, would not
# go with libbpf-dev.
install_qemu()
{
	say 'installing QEMU'
	backports=$(release)-backports
	# shellcheck disable=SC2046 # one package, one word
	use_lists tools "$(release)" "$backports" &&
		own_apt tools apt-get install -y --no-install-recommends \
			$(for package in qemu-system-x86 qemu-system-common qemu-system-data \
				seabios; do with_version $package; done) \
			>"$vm_cache/apt/tools/install.log" 2>&1 &&
		has_qemu && return
	cat "$vm_cache/apt/tools/"*.log >&2
	die 'no QEMU that has an igb (8.2 or later), and none to be installed'
}

# Of its own: on Debian the static one and the other exclude each other.
fetch_busybox()
{
	make_work
	use_lists busybox "$(release)" &&
		(cd "$work" && own_apt busybox apt-get download busybox-static) &&
		dpkg-deb -x "$work"/busybox-static_*.deb "$work/root" &&
		mv "$(find "$work/root" -path '*bin/busybox' -type f)" "$vm_cache/busybox" && return
	die 'cannot fetch busybox-static'
}

locked
has_qemu || install_qemu
[ -x "$vm_cache/busybox" ] || fetch_busybox
