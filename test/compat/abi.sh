#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
#   abi.sh LIBXSK [RECORD]           LIBXSK: the shared library
#   abi.sh --record LIBXSK [RECORD]  records anew
#
# The interface that libxsk.so.1 gives to built programs stands in libxsk.abi, as
# abidw writes it: symbols, their versions, the types of parameters, and the layout
# of the structs, which is inlined into programs. Nothing of it may change without
# that file. What cannot be seen from outside is not in there.
#
# Needs abidw and abidiff (abigail-tools) and readelf. 77: these, or debug
# information that they can read, are missing.
set -u
here=$(cd "$(dirname "$0")" && pwd)
recording=
if [ "${1:-}" = --record ]; then
	recording=yes
	shift
fi
libxsk=${1:?usage: abi.sh [--record] LIBXSK [RECORD]}
record=${2:-$here/libxsk.abi}

fail() {
	echo "abi.sh: $*" >&2
	exit 1
}

skip() {
	[ -z "$recording" ] || fail "$*"
	echo "skipped: $*"
	exit 77
}

# Without the places of the sources, and without what depends on the compiler. abidw knows
# headers by their last name: it would take what is in lib/port.h for public.
dump() {
	printf '[suppress_type]\nname_regexp = ^xsk_(port|queue|pool)$\ndrop = yes\n' \
		>"$tmp/private"
	abidw --exported-interfaces-only --drop-undefined-syms --drop-private-types \
		--headers-dir "$here/../../include" --no-corpus-path --no-comp-dir-path \
		--no-show-locs --no-architecture --no-elf-needed --no-parameter-names \
		--type-id-style hash \
		--suppressions "$tmp/private" "$1" >"$2" || fail "abidw cannot read $1"
	sed -i -e "s| path='[^']*/lib/| path='lib/|" -e "s| language='[^']*'||" \
		-e "s| declared-inline='yes'||" "$2"
}

if ! command -v abidw >/dev/null || ! command -v abidiff >/dev/null; then
	skip "abidw and abidiff are not there (Debian: abigail-tools)"
fi
[ -e "$libxsk" ] || fail "no library $libxsk"
# Without it a comparison would see the symbols and nothing else, and be content.
readelf -SW "$libxsk" 2>/dev/null | grep -q '\.debug_info ' ||
	skip "$libxsk has no debug information (Meson: -Dbuildtype=debugoptimized)"
if readelf --debug-dump=info "$libxsk" 2>/dev/null | grep -q 'DW_AT_producer.*GIMPLE'; then
	skip "$libxsk was built with -flto, after which abidw sees functions twice"
fi

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
dump "$libxsk" "$tmp/libxsk.abi"

if [ "$recording" ]; then
	{
		echo '<!-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause -->'
		echo '<!-- Made by test/compat/abi.sh (--record). -->'
		cat "$tmp/libxsk.abi"
	} >"$record" || fail "$record cannot be written"
	echo "recorded: $(grep -c '<elf-symbol ' "$record") symbols"
	exit
fi

[ -e "$record" ] || fail "no record $record"
# abidiff stops reading at a comment, and says nothing.
grep -v '^<!--' "$record" >"$tmp/record.abi"
# What is harmless for built programs may not be so for those to be built.
abidiff --harmless "$tmp/record.abi" "$tmp/libxsk.abi" >"$tmp/diff" 2>&1
status=$?
if [ $status != 0 ]; then
	cat "$tmp/diff" >&2
	# Bits: 1 and 2 it failed, 4 a change, 8 one that breaks programs for certain.
	[ $((status & 3)) = 0 ] || fail "abidiff cannot compare (status $status)"
	fail "the exported interface is not the recorded one." \
		"If that is meant, record it:  test/compat/abi.sh --record $libxsk"
fi
echo "as recorded: $(grep -c '<elf-symbol ' "$record") symbols," \
	"$(grep -c '<function-decl ' "$record") functions," \
	"$(grep -c "<class-decl .*size-in-bits" "$record") structs"
