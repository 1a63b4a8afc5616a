#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
#   preload.sh LIBXSK        LIBXSK: the shared library
#
# Puts libxsk under a program that was linked to libxdp. Libxsk must serve each
# xsk_* symbol that libxdp has, under the same version, to the program as well
# as to libxdp itself; without the preload libxdp serves them, as ever.
#
# Needs root, CC (default cc), CFLAGS, nm and pkg-config. 77: no libxdp-dev.
set -u
here=$(cd "$(dirname "$0")" && pwd)
libxsk=$(cd "$(dirname "${1:?}")" && pwd)/$(basename "$1")

fail() {
	echo "preload.sh: $*" >&2
	exit 1
}

if ! pkg-config --exists libxdp; then
	echo "skipped: libxdp-dev is not installed"
	exit 77
fi
[ "$(id -u)" = 0 ] || fail "not root"
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM

# shellcheck disable=SC2086,SC2046 # words, as the compiler wants them
${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra ${CFLAGS:-} -I"$here/../net" \
	-o "$tmp/preload" "$here/preload.c" "$here/hide.c" "$here/../net/lab.c" \
	$(pkg-config --cflags --libs libxdp libbpf) -lcmocka -ldl || fail "it does not build"

# name@version of each symbol that libxdp has for this interface
libxdp=$(ldd "$tmp/preload" | awk '$1 ~ /^libxdp\.so/ { print $3 }')
symbols=$(nm -D --defined-only "$libxdp" | sed -n 's/.* T \(xsk_[^@]*\)@@*\(.*\)/\1@\2/p')
[ "$symbols" ] || fail "no xsk_* symbols in libxdp"

# run NAME PRELOAD: what the program says, and what the dynamic linker did
run() {
	# shellcheck disable=SC2086 # one argument each
	if ! LD_PRELOAD=$2 LD_BIND_NOW=1 LD_DEBUG=bindings LD_DEBUG_OUTPUT="$tmp/$1.ld" \
		"$tmp/preload" $symbols >"$tmp/$1" 2>"$tmp/$1.err"; then
		cat "$tmp/$1" "$tmp/$1.err" >&2
		fail "$1: the program fails"
	fi
	sed -n 's/.*binding file [^ ]* .* to \([^ ]*\) .*symbol `\(xsk_[^'\'']*\).*/bound \2 \1/p' \
		"$tmp/$1.ld".* >>"$tmp/$1"
}

# expect NAME LIBRARY PROGRAM
expect() {
	others=$(awk -v lib="/$2[.0-9]*$" '$1 ~ "symbol|bound" && $3 !~ lib' "$tmp/$1")
	[ -z "$others" ] || fail "$1, not from $2: $others"
	for line in received "program $3" "bound xsk_umem__create .*" "bound xsk_socket__delete .*"; do
		grep -q "^$line\$" "$tmp/$1" || fail "$1: no line '$line' in: $(cat "$tmp/$1")"
	done
	echo "$1: $(grep -c '^symbol' "$tmp/$1") symbols and $(grep -c '^bound' "$tmp/$1") bindings" \
		"from $2, program $3"
}

# A library with AddressSanitizer wants its runtime to come first.
runtime=
if nm -D "$libxsk" | grep -q __asan_init; then
	runtime="$(${CC:-cc} -print-file-name=libasan.so) "
fi
run without ""
expect without libxdp.so xsk_def_prog
run with "$runtime$libxsk"
expect with libxsk.so libxsk_default
