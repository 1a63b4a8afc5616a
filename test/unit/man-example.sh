#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# The examples of the man pages are true: takes each literal display out of the
# EXAMPLES sections and compiles it. All of them are C, whole files.
#
# usage: man-example.sh [COMPILER-FLAG...]
#	CC	the compiler; default: cc
#	OUT	a folder where the files stay (xsk.7-1.c, ...); default: none

set -u
root=$(dirname "$0")/../..

if [ -n "${OUT:-}" ]; then
	dir=$OUT
else
	dir=$(mktemp -d) || exit 1
	trap 'rm -rf "$dir"' EXIT
	trap 'exit 1' HUP INT TERM
fi

# What the page means by its escapes; one that is not known here is an error.
extract() {
	awk -v base="$dir/$(basename "$1")" -v page="$1" '
	$1 == ".Sh" { in_examples = $2 == "EXAMPLES" }
	in_examples && $1 == ".Bd" {
		file = base "-" ++count ".c"
		printf "" >file
		next
	}
	$1 == ".Ed" { file = ""; next }
	file == "" { next }
	/^[.'\'']/ { print page ":" NR ": a macro in an example"; exit 1 }
	{
		line = $0
		gsub(/\\-/, "-", line)
		gsub(/\\&/, "", line)
		gsub(/\\\(aq/, "'\''", line)
		rest = line
		gsub(/\\e/, "", rest)
		if (rest ~ /\\/) {
			print page ":" NR ": an escape that man-example.sh does not know"
			exit 1
		}
		gsub(/\\e/, "\\", line)
		print line >file
	}' "$1"
}

failed=0
for page in "$root"/man/*.[37]; do
	extract "$page" || failed=1
done
if ! grep -q 'int main(' "$dir/xsk.7-1.c"; then
	echo "man/xsk.7 has no program"
	failed=1
fi
for file in "$dir"/*.c; do
	# $CC may bring flags of its own.
	# shellcheck disable=SC2086
	if ! ${CC:-cc} -I"$root/include" -Wall -Wextra -Werror "$@" -c "$file" -o "$file.o"; then
		echo "FAIL: $(basename "$file")"
		failed=1
	fi
	rm -f "$file.o"
done
exit "$failed"
