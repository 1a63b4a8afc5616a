#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# A file of lib/ includes only headers of rows below its own, and its own. Prints
# each #include that does not, and exits 1 if there is one. Then shows on a copy
# that such includes are found.
#
# usage: layers.sh SOURCE-ROOT

set -u
LC_ALL=C
export LC_ALL
root=${1:?usage: layers.sh SOURCE-ROOT}

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

# check FOLDER: one line for each fault in it; fails if there is one.
check() {
	(cd "$1" && awk '
	BEGIN {
		row_is(4, "port port_burst port_checked port_filter port_info port_kick port_mode port_refuse port_request port_wait probe probe_interface probe_kernel probe_programs probe_sockets")
		row_is(3, "compat compat_request compat_send compat_share compat_socket compat_umem inline pool")
		row_is(2, "umem socket interface filter prog")
		row_is(1, "ring netdev attached holder pin napi opts load translate validate listing keep expression")
		row_is(0, "sys netlink insn error kernel record device memory text classic assembly fit gather adapt process")

		# Files of row 0 may use these three of their own row: kernel.h is
		# constants, insn.h encodes, and sys.h declares system calls.
		ground["kernel"] = ground["sys"] = ground["insn"] = 1
		# These stand on nothing, so that everybody can stand on them.
		leaf["kernel.h"] = leaf["error.h"] = leaf["insn.h"] = 1
		# This one emits what the public header has inlined, and knows no
		# more than that.
		leaf["inline.c"] = 1
	}

	function row_is(number, names,	n, i, name) {
		n = split(names, name)
		for (i = 1; i <= n; i++)
			row[name[i]] = number
	}

	function fault(what) {
		print "lib/" file ":" FNR ": " what
	}

	FNR == 1 {
		files++
		me = file = substr(FILENAME, 3)		# after ./
		sub(/\.[ch]$/, "", me)
		if (!(me in row))
			fault("is in no row; give it one in layers.sh")
	}

	/^[ \t]*#[ \t]*include[ \t]*</ {
		# Ours in angle brackets would pass unseen.
		name = $0
		sub(/^[^<]*</, "", name)
		sub(/\.h>.*/, "", name)
		if (name in row && name != "error")
			fault("includes " name ".h in angle brackets")
		next
	}

	/^[ \t]*#[ \t]*include/ {
		name = $0
		if (!sub(/^[^"]*"/, "", name) || !sub(/\.h".*/, "", name)) {
			fault("an include that cannot be read")
			next
		}
		if (!(me in row))
			next
		if (!(name in row))
			fault("includes " name ".h, which is in no row")
		else if (file in leaf)
			fault("includes " name ".h, and must include none")
		else if (name == me || (name == "compat" && me ~ /^compat_/) ||
			 (name == "port" && me ~ /^port_/) ||
			 (name == "probe" && me ~ /^probe_/))
			next		# its own
		else if (row[me] == 0 && name in ground)
			next
		else if (row[name] >= row[me])
			fault("is in row " row[me] " and includes " name ".h of row " row[name])
	}

	END {
		if (files < 20)
			print "lib/: only " files + 0 " files are there"
	}' ./*.[ch]) >"$dir/faults"
	cat "$dir/faults"
	! [ -s "$dir/faults" ]
}

check "$root/lib" || exit 1

# bites FILE LINE EXPECTED: with the line added to the file, the fault is found.
bites() {
	rm -rf "$dir/copy"
	mkdir "$dir/copy"
	cp "$root"/lib/*.[ch] "$dir/copy/" || exit 1
	echo "$2" >>"$dir/copy/$1"
	said=$(check "$dir/copy") && said=
	case $said in
	*"lib/$1:"*"$3"*)
		;;
	*)
		echo "layers.sh: does not see '$2' in lib/$1; it says: '$said'"
		failed=1 ;;
	esac
}

failed=0
bites ring.c '#include "umem.h"' 'of row 2'
bites ring.c '#include "netdev.h"' 'of row 1'
bites umem.c '#include "socket.h"' 'of row 2'
bites umem.h '#include "prog.h"' 'of row 2'
bites prog.c '#  include	"compat.h"' 'of row 3'
bites pool.c '#include "compat.h"' 'of row 3'
bites compat.c '#include "port.h"' 'of row 4'
bites sys.c '#include "error.h"' 'of row 0'
bites netlink.h '#include "ring.h"' 'of row 1'
bites kernel.h '#include "sys.h"' 'must include none'
bites error.h '#include "kernel.h"' 'must include none'
bites inline.c '#include "ring.h"' 'must include none'
bites prog.c '#include <netdev.h>' 'angle brackets'
bites prog.c '#include "../cli/cli.h"' 'in no row'
bites new.c '#include "sys.h"' 'in no row'
exit "$failed"
