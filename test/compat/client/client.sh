#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
#   client.sh LIBXSK         LIBXSK: the shared library
#
# Compiles client.c against libxdp's header and library and against libxsk's, as
# C and as C++, and runs all of these, the first also with libxsk under it: they
# must see the same. The client must leave nothing out that libxdp's header
# declares. That each of these checks finds what it is for is seen here as well.
#
# Needs root, CC (default cc) and CXX (default c++), pkg-config and ip. 77: no
# libxdp-dev.
set -u
here=$(cd "$(dirname "$0")" && pwd)
include=$here/../../../include
libxsk=$(cd "$(dirname "${1:?usage: client.sh LIBXSK}")" && pwd)/$(basename "$1")

fail() {
	echo "client.sh: $*" >&2
	exit 1
}

if ! pkg-config --exists libxdp; then
	echo "skipped: libxdp-dev is not installed"
	exit 77
fi
[ "$(id -u)" = 0 ] || fail "not root"
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cflags=$(pkg-config --cflags libxdp)
libs=$(pkg-config --libs libxdp)

# ---- all that the header declares ----

# "function NAME", "macro NAME" and "field STRUCT.NAME" of libxdp's header, as the
# compiler reads it: without comments, and with its macros expanded.
names() {
	# shellcheck disable=SC2086 # words, as the compiler wants them
	echo '#include <xdp/xsk.h>' | ${CC:-cc} -D_GNU_SOURCE $cflags -E -dD -x c - |
		awk '/^# [0-9]+ "/ { inside = $3 ~ /\/xdp\/xsk\.h"$/; next } inside' >"$tmp/header"
	[ -s "$tmp/header" ] || fail "the compiler does not find <xdp/xsk.h>"
	sed -n 's/^#define \([A-Za-z_0-9]*\).*/macro \1/p' "$tmp/header"
	sed '/^#/d' "$tmp/header" | grep -o 'xsk_[a-z_0-9]* *(' | sed 's/^\(.*[^ ]\) *(/function \1/'
	sed -e '/^#/d' -e 's/[;{}]/&\n/g' "$tmp/header" | awk '
		/struct [a-z_0-9]+ *{$/ && !depth { name = $0; sub(/ *{$/, "", name)
			sub(/.*struct /, "", name); depth = 1; next }
		depth && /{/ { depth++; next }
		depth && /}/ { depth--; next }
		depth && /;/ && sub(/(\[.*)? *;.*/, "") && NF { field = $NF; sub(/^\**/, "", field)
			print "field " name "." field }'
}

# left_out CLIENT: what it does not use. A function must be called and its address
# taken, a field be used and in the table of its struct. And the other way round:
# what would not be missed if the client had no such name.
left_out() {
	sed -e 's|/\*.*\*/||' -e '/\/\*/,/\*\//d' "$1" | awk '
		function has(before, name, after) {
			return text ~ (before name after)
		}
		function is_used(kind, name, part, n) {
			n = split(name, part, ".")
			if (kind == "function")
				return has("[^A-Za-z_0-9]", name, "[(]") && has("FUNCTION[(]", name, "[)]")
			if (kind == "macro")
				return has("[^A-Za-z_0-9]", name, "[^A-Za-z_0-9]")
			return has("(\\.|->)", part[n], "[^A-Za-z_0-9]") &&
				(has("RING_FIELDS[(]", part[1], "[)]") &&
				 has("FIELD[(]type, ", part[n], "[)]") ||
				 has("FIELD[(]", part[1] ", " part[n], "[)]"))
		}
		NR == FNR { kinds[$2] = $1; next }
		{ whole = whole $0 "\n" }
		END {
			for (name in kinds) {
				text = whole
				if (!is_used(kinds[name], name))
					print kinds[name], name
				bare = name
				sub(/.*\./, "", bare)
				gsub(bare, "nothing", text)
				if (is_used(kinds[name], name))
					print kinds[name], name, "would not be missed"
			}
		}' "$tmp/names" -
}

names | sort -u >"$tmp/names"
for kind in function macro field; do
	[ "$(grep -c "^$kind" "$tmp/names")" -ge 10 ] ||
		fail "the header could not be read: $(cat "$tmp/names")"
done
lacking=$(left_out "$here/client.c")
[ -z "$lacking" ] || fail "the client leaves out what libxdp's header declares: $lacking"
echo "$(wc -l <"$tmp/names") names in libxdp's header, all used: $(cut -d ' ' -f 1 "$tmp/names" |
	uniq -c | tr -s ' \n' ' ')"

# ---- the same program, built and run ----

# build NAME WORD...: to $tmp/NAME, where the words are the compiler and its own.
build() {
	name=$1
	shift
	"$@" -Wall -Wextra -Werror -o "$tmp/$name" >"$tmp/log" 2>&1 ||
		fail "$name does not build: $(cat "$tmp/log")"
}

# build_both SUFFIX WORD...: against libxdp and against libxsk.
build_both() {
	suffix=$1
	shift
	# shellcheck disable=SC2086 # words, as the compiler wants them
	build "libxdp$suffix" "$@" -D_GNU_SOURCE $cflags "$here/client.c" $libs
	build "libxsk$suffix" "$@" -D_GNU_SOURCE -I"$include" "$here/client.c" \
		-L"$(dirname "$libxsk")" -lxsk
}

# shellcheck disable=SC2086
build_both '' ${CC:-cc} -std=gnu11 -O1 -g ${CFLAGS:-}
# shellcheck disable=SC2086
build_both _c++ ${CXX:-c++} -x c++ -std=gnu++17 -O1 -g ${CXXFLAGS:-}

# A library with AddressSanitizer wants its runtime to come first.
runtime=
if nm -D "$libxsk" | grep -q __asan_init; then
	runtime="$(${CC:-cc} -print-file-name=libasan.so) "
fi

# run NAME PROGRAM PRELOAD: what it sees in NAME.out, who served it in NAME.by
run() {
	LD_PRELOAD=$3 LD_LIBRARY_PATH=$(dirname "$libxsk") \
		"$tmp/$2" "$tmp/$1.by" >"$tmp/$1.out" 2>"$tmp/$1.err" && return
	cat "$tmp/$1.out" "$tmp/$1.err" >&2
	fail "$1: the client fails"
}

run libxdp libxdp ''
run libxsk libxsk "$runtime"
run preload libxdp "$runtime$libxsk"
run libxdp_c++ libxdp_c++ ''
run libxsk_c++ libxsk_c++ "$runtime"

# ---- who served it ----

# served NAME LIBRARY: by this one and by no other. In C++ the verbs, and what else
# is inline, are the program's own.
served() {
	awk -v lib="/$2[.0-9]*\$" -v own="$tmp/${1%_c++}_c++" '
		$1 == "function" && $3 ~ lib { by++ }
		$1 == "function" && $3 !~ lib && $3 != own { others++ }
		END { exit !(by && !others) }' "$tmp/$1.by"
}

# mapped NAME LIBRARY: it is there, whoever serves.
mapped() {
	grep -q "^mapped .*/$2[.0-9]*\$" "$tmp/$1.by"
}

for each in libxdp libxsk libxdp_c++ libxsk_c++; do
	case $each in
	libxdp*) by=libxdp.so other=libxsk.so ;;
	libxsk*) by=libxsk.so other=libxdp.so ;;
	esac
	served $each "$by" || fail "$each: not served by $by: $(cat "$tmp/$each.by")"
	mapped $each "$by" || fail "$each: $by is not there: $(cat "$tmp/$each.by")"
	! mapped $each "$other" || fail "$each: $other is there, too"
	! served $each "$other" || fail "$each: seen as served by $other, which is not even there"
done
served preload libxsk.so || fail "preload: not served by libxsk: $(cat "$tmp/preload.by")"
mapped preload libxdp.so || fail "preload: the program is not one for libxdp"
! served preload libxdp.so || fail "preload: seen as served by libxdp"

# ---- what it saw ----

# same NAME
same() {
	diff -u "$tmp/libxdp.out" "$tmp/$1.out" >"$tmp/diff"
}

grep -q '^received 320 packets, 320 as they were sent' "$tmp/libxdp.out" ||
	fail "it has not got to its packets"
for each in libxsk preload libxdp_c++ libxsk_c++; do
	same $each || fail "libxdp and $each differ: $(cat "$tmp/diff")"
done

# Headers that differ in as little as can be: that must be seen.
# altered NAME EXPRESSION
altered() {
	mkdir -p "$tmp/$1.include/xdp"
	sed "$2" "$include/xdp/xsk.h" >"$tmp/$1.include/xdp/xsk.h"
	! cmp -s "$include/xdp/xsk.h" "$tmp/$1.include/xdp/xsk.h" || fail "$2 alters nothing"
	# shellcheck disable=SC2086
	build "$1" ${CC:-cc} -std=gnu11 -D_GNU_SOURCE ${CFLAGS:-} -I"$tmp/$1.include" \
		"$here/client.c" -L"$(dirname "$libxsk")" -lxsk
	run "$1" "$1" "$runtime"
	! same "$1" || fail "a header with '$2' makes no difference"
}

altered constant 's/\(XSK_RING_PROD__DEFAULT_NUM_DESCS *\)2048/\11024/'
altered verb 's/cons->cached_cons -= nb;/cons->cached_cons -= nb - 1;/'

echo "$(wc -l <"$tmp/libxdp.out") lines from libxdp, the same from libxsk, with LD_PRELOAD and in C++:" \
	"$(grep -c '^----' "$tmp/libxdp.out") scenes," \
	"$(awk '/^(received|sent|forwarded)/ { n += $2 } /^between/ { n += $3 } END { print n }' \
		"$tmp/libxdp.out") packets"
