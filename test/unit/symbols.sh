#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# What the built libraries need and what they give: the three libraries they are
# linked to, the symbols of lib/libxsk.map and no others, and the versions under
# which programs that are linked to libxdp look for them.
#
# usage: symbols.sh SOURCE-ROOT SHARED-LIBRARY STATIC-LIBRARY

set -u
LC_ALL=C
export LC_ALL
root=${1:?usage: symbols.sh SOURCE-ROOT SHARED-LIBRARY STATIC-LIBRARY}
shared=${2:?}
static=${3:?}

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

fail() {
	echo "$*"
	failed=1
}

# same EXPECTED GOT WHAT: the two sorted lists are equal.
same() {
	[ -s "$1" ] || fail "$3: nothing is expected: the list could not be read"
	if ! diff -u "$1" "$2" >"$dir/diff"; then
		fail "$3: - expected, + got"
		sed 1,2d "$dir/diff"
	fi
}

# "symbol version", one a line, of what a shared library exports.
exports() {
	nm -D --defined-only --with-symbol-versions "$1" |
		awk '$2 != "A" { sub(/@@?/, " ", $3); print $3 }' | sort
}

if nm -D "$shared" | grep -q -E ' (__(asan|tsan|ubsan|msan|lsan)_|__gcov)'; then
	echo "SKIP: built with sanitizers or for coverage, which add libraries and symbols"
	exit 77
fi

# ---- what it needs ----

readelf -d "$shared" >"$dir/dynamic" || fail "readelf cannot read $shared"
printf '%s\n' libbpf.so.1 libc.so.6 libmnl.so.0 >"$dir/expected"
sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$dir/dynamic" | sort >"$dir/got"
same "$dir/expected" "$dir/got" "DT_NEEDED"

echo libxsk.so.1 >"$dir/expected"
sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p' "$dir/dynamic" >"$dir/got"
same "$dir/expected" "$dir/got" "SONAME"

# ---- what it gives ----

awk '
$2 == "{" { version = $1 }
/^}/ { version = ""; global = 0 }
$1 == "global:" { global = 1 }
$1 == "local:" { global = 0 }
version != "" && global && /;$/ { sub(/;/, "", $1); print $1, version }
' "$root/lib/libxsk.map" | sort >"$dir/map"
exports "$shared" >"$dir/exports"
same "$dir/map" "$dir/exports" "exported symbols and their versions"

# ---- libxdp's versions ----

# inherited SYMBOL VERSION: programs that are linked to libxdp look for it so.
inherited() {
	grep -q -x "$1 $2" "$dir/exports" ||
		fail "$1: libxdp has it as $2, ours is" \
			"$(grep "^$1 " "$dir/exports" || echo missing)"
}

# Those that came late: an older libxdp.so.1, compared below, may not have them.
inherited xsk_umem__create_with_fd LIBXDP_1.4.0
inherited xsk_umem__create_opts LIBXDP_1.5.0
inherited xsk_socket__create_opts LIBXDP_1.5.0

found=
for xdp in /usr/lib/*/libxdp.so.1 /usr/lib64/libxdp.so.1 /usr/lib/libxdp.so.1; do
	[ -e "$xdp" ] || continue
	found=$xdp
	exports "$xdp" | grep '^xsk_' >"$dir/xdp"
	[ -s "$dir/xdp" ] || fail "$xdp: no symbols could be read"
	while read -r symbol version; do
		inherited "$symbol" "$version"
	done <"$dir/xdp"
done
[ -n "$found" ] || echo "not compared with libxdp.so.1: it is not installed"

# ---- the static library shares the name space of its user ----

nm -g --defined-only "$static" >"$dir/static" 2>&1 || fail "nm cannot read $static"
awk 'NF == 3 { print $3 }' "$dir/static" | sort -u >"$dir/names"
while read -r symbol _; do
	grep -q -x "$symbol" "$dir/names" || fail "$static: $symbol is missing"
done <"$dir/map"
grep -v '^xsk_' "$dir/names" >"$dir/others" && {
	fail "$static: global symbols that do not begin with xsk_:"
	cat "$dir/others"
}
exit "$failed"
