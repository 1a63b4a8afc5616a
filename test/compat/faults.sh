#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# Runs the cases of faults.c on libxsk and on libxdp, and compares.
#
#   faults.sh [--markdown FILE] BUILD    BUILD: Meson's build directory
#   faults.sh --libxdp                   libxdp alone, for information
#   faults.sh --rows PROGRAM             only: has each case a line of faults.txt?
#
# Needs root, pkg-config, and CC (default cc) with CFLAGS. Where libxdp-dev is
# missing its column stays empty; alone it is skipped then (77). Exit status: 1
# where a case is not good with libxsk; 2 where the comparison cannot be run.
set -u
here=$(cd "$(dirname "$0")" && pwd)
rows=$here/faults.txt
seconds=50

die() {
	echo "faults.sh: $*" >&2
	exit 2
}

case_names() {
	awk -F'|' '!/^[#=]/ && NF { print $3 }' "$rows" | tr -s ' ' '\n' | sed '/^$/d'
}

# Each case in exactly one line, and nothing else there.
check_rows() {
	"$1" --list | sort >"$tmp/cases"
	case_names | sort >"$tmp/names"
	diff "$tmp/cases" "$tmp/names" >"$tmp/diff" && return
	cat "$tmp/diff" >&2
	die "the cases of the program (<) and those of faults.txt (>) differ"
}

# build NAME PKG...: the same source, against one library or the other.
build() {
	name=$1
	shift
	flags=$(pkg-config --cflags "$@") || die "no $*"
	libs=$(pkg-config --libs "$@")
	# shellcheck disable=SC2086 # words, as the compiler wants them
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra ${CFLAGS:-} $flags -I"$here/../net" \
		-o "$tmp/$name" "$here"/faults*.c "$here/lookalike.c" "$here/hide.c" \
		"$here/../net/lab.c" "$here/../net/node.c" "$here/../net/user_prog.c" \
		$libs -lcmocka -lpthread -ldl || die "$name does not build"
}

# What a case came to, in a word, and what was seen.
run_case() {
	timeout -k 5 $seconds "$1" "$2" >"$tmp/out" 2>>"$tmp/log"
	status=$?
	seen=
	case $status in
	0) verdict=good ;;
	1) verdict=FAULT seen=$(tail -n 1 "$tmp/out") ;;
	77) verdict=- seen=$(sed -n '$s/^skipped: //p' "$tmp/out") ;;
	124) verdict=FAULT seen="no end after $seconds seconds" ;;
	*)
		verdict=BROKEN seen="exit status $status"
		if [ "$status" -gt 128 ]; then
			verdict=FAULT seen="crash (SIG$(kill -l $((status - 128))))"
		fi
		;;
	esac
}

run_all() {
	for each in $(case_names); do
		run_case "$1" "$each"
		printf '%s|%s|%s\n' "$each" "$verdict" "$seen"
	done
}

# case, libxsk, libxdp, and what was seen where it is not good.
join_results() {
	awk -F'|' 'FILENAME == ARGV[1] { theirs[$1] = $2; seen[$1] = $3; next }
		{ print $1 "|" $2 "|" theirs[$1] "|" ($2 == "good" ? seen[$1] : "libxsk: " $3) }' \
		"$tmp/libxdp.txt" "$tmp/libxsk.txt"
}

print_table() {
	join_results | awk -F'|' -v xdp="libxdp $version" '
		BEGIN { printf "%-48s %-8s %-14s %s\n", "case", "libxsk", xdp, "seen" }
		{ printf "%-48s %-8s %-14s %s\n", $1, $2, $3, $4 }'
}

print_markdown() {
	cat <<END
<!-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause -->
<!-- Made by test/compat/faults.sh --markdown, from a run and faults.txt. -->

# Faults of libxdp's xsk.c, and libxsk

Each case of \`faults.c\` is compiled against both libraries from the same source, and run in
network namespaces of its own. This was seen on Linux $(uname -r | sed 's/-.*//') with libxsk $(pkg-config --modversion libxsk-uninstalled),
libxdp $version and libbpf $(pkg-config --modversion libbpf). *good*: the fault is not there; *FAULT*: it is; *-*: this version
cannot show it. The lines are those of \`lib/libxdp/xsk.c\` in xdp-tools at commit f0b4ac2.

| case | lines | libxsk | libxdp $version | seen |
|---|---|---|---|---|
END
	join_results | awk -F' *[|] *' '
		NR == FNR { n = split($3, names, " "); for (i = 1; i <= n; i++) lines[names[i]] = $1; next }
		{ print "| " $1 " | " lines[$1] " | " $2 " | " $3 " | " $4 " |" }' "$rows" -
	cat <<'END'

## What they cover
END
	awk -F' *[|] *' '
		/^#/ || !NF { next }
		/^=/ { print "\n**" substr($0, 3) "**\n\n| lines | fault | cases | remark |\n|---|---|---|---|"; next }
		{ gsub(/ /, ", ", $3); print "| " $1 " | " $2 " | " $3 " | " $4 " |" }' "$rows"
}

tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 2' INT TERM
: >"$tmp/libxdp.txt"

markdown=
alone=
case ${1:-} in
--rows)
	check_rows "${2:?}"
	exit
	;;
--libxdp) alone=yes ;;
--markdown)
	markdown=${2:?}
	shift 2
	;;
esac

[ "$alone" ] || [ -e "${1:-}/meson-uninstalled" ] || die "no build directory '${1:-}'"
[ "$(id -u)" = 0 ] || die "not root"
if pkg-config --exists libxdp; then
	version=$(pkg-config --modversion libxdp)
	build libxdp libxdp libbpf
	check_rows "$tmp/libxdp"
	run_all "$tmp/libxdp" >"$tmp/libxdp.txt"
elif [ "$alone" ]; then
	echo "skipped: libxdp-dev is not installed"
	exit 77
else
	version="(absent)"
fi
if [ "$alone" ]; then
	echo "libxdp $version:"
	tr '|' '\t' <"$tmp/libxdp.txt"
	exit 0
fi

PKG_CONFIG_PATH=$(cd "$1" && pwd)/meson-uninstalled:${PKG_CONFIG_PATH:-}
LD_LIBRARY_PATH=$(cd "$1" && pwd)/lib
export PKG_CONFIG_PATH
build libxsk libxsk-uninstalled libbpf
export LD_LIBRARY_PATH
check_rows "$tmp/libxsk"
run_all "$tmp/libxsk" >"$tmp/libxsk.txt"
print_table
[ -z "$markdown" ] || print_markdown >"$markdown"
! grep -qv '|good|\||-|' "$tmp/libxsk.txt"
