#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
#   abi-bites.sh SOURCE...        SOURCE: the sources of the library
#
# Builds copies of the library with one thing altered in each, and sees abi.sh
# refuse those that a program would notice, and only those.
#
# Needs CC (default cc) nm and what abi.sh needs. 77: abi.sh is skipped.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
[ $# != 0 ] || exit 2

fail() {
	echo "abi-bites.sh: $*" >&2
	exit 1
}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
count=0

compile() {
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -g -fPIC -Iinclude "$@"
}

# exports SOURCE: it has something that is exported. The others need not be compiled.
exports() {
	(cd "$root" && compile -c -o "$tmp/object" "lib/$1") || fail "$1 does not compile"
	nm -g --defined-only "$tmp/object" | awk '
		NR == FNR { sub(/;/, "", $1); in_map[$1]; next }
		$3 in in_map { good = 1 }
		END { exit !good }' "$root/lib/libxsk.map" -
}

# alter EXPRESSION FILE...: a fresh copy, with these files altered by sed, built.
alter() {
	expression=$1
	shift
	rm -rf "$tmp/copy"
	mkdir "$tmp/copy"
	cp -R "$root/lib" "$root/include" "$tmp/copy" || fail "no copy"
	for file; do
		sed "$expression" "$root/$file" >"$tmp/copy/$file"
		! cmp -s "$root/$file" "$tmp/copy/$file" ||
			fail "'$expression' alters nothing in $file any more"
	done
	# What it needs from elsewhere may stay open: nobody runs it.
	# shellcheck disable=SC2086 # one source, one word
	(cd "$tmp/copy" && compile -shared -Wl,--version-script=lib/libxsk.map \
		-Wl,-soname,"$soname" -o libxsk.so $sources) ||
		fail "the copy with '$expression' in $* does not build"
}

# seen WANTED WHAT [RECORD]: abi.sh ends so, and says why.
seen() {
	"$here/abi.sh" "$tmp/copy/libxsk.so" ${3:+"$3"} >"$tmp/out" 2>&1
	status=$?
	if [ $status = 77 ]; then
		cat "$tmp/out"
		exit 77
	fi
	[ $status = "$1" ] || fail "$2: abi.sh ends with $status: $(cat "$tmp/out")"
	if [ "$1" = 1 ] && ! grep -q -e '--record' "$tmp/out"; then
		fail "$2: abi.sh does not say how to record it: $(cat "$tmp/out")"
	fi
	count=$((count + 1))
}

passes() { seen 0 "$@"; }
refused() { seen 1 "$@"; }

sources=
for each; do
	each=$(basename "$each")
	! exports "$each" || sources="$sources lib/$each"
done
soname=libxsk.so.1
xsk_h=include/xdp/xsk.h

alter ''
passes 'nothing altered'
alter 's/^struct xsk_socket {/&\n\tint more;/' lib/compat.h
passes 'a field in a struct that programs only have pointers to'
alter 's/^struct xsk_queue {/&\n\tint more;/' lib/port.h
passes 'and in one of a header that is called as a public one'

alter '/xsk_setup_xdp_prog;/d' lib/libxsk.map
refused 'a symbol removed'
alter 's/xsk_error_last;/& xsk_compat_lock;/' lib/libxsk.map
refused 'a symbol added'
alter '/xsk_socket__create_opts;/d; s/xsk_error_last;/& xsk_socket__create_opts;/' lib/libxsk.map
refused 'a symbol under another version'
soname=libxsk.so.2
alter ''
refused 'another soname'
soname=libxsk.so.1

alter '/^struct xsk_socket_config {/,/^}/s/__u16 bind_flags;/& __u32 more;/' $xsk_h
refused 'a field added to xsk_socket_config'
alter '/^struct xsk_port_opts {/,/^}/s/uint32_t direction;/& uint32_t more;/' include/xsk/port.h
refused 'a field added to xsk_port_opts'
alter '/^struct xsk_umem_opts {/,/^}/s/__u32 tx_metadata_len;/__u64 tx_metadata_len;/' $xsk_h
refused 'a field of xsk_umem_opts of another type'
alter 's/__u32 mask; /__u32 TEMPORARY; /; s/__u32 size; /__u32 mask; /; s/TEMPORARY/size/' $xsk_h
refused 'two fields of the rings exchanged'
alter 's/char reason\[256\]/char reason[128]/' include/xsk/error.h
refused 'an array in xsk_error shorter'

alter 's/\(xsk_socket__update_xskmap(struct xsk_socket \*xsk, \)int/\1unsigned int/' \
	$xsk_h lib/compat_socket.c
refused 'a parameter of another type'
"$here/abi.sh" --record "$tmp/copy/libxsk.so" "$tmp/record" >"$tmp/out" || fail "it records nothing"
passes 'the same, recorded' "$tmp/record"
alter ''
refused 'nothing altered, but something else recorded' "$tmp/record"
echo "$count copies, each seen for what it is"
