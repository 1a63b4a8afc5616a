#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# The page of each subcommand has the options that the subcommand has: those of
# "xsk NAME --help" and the .It Fl lines of OPTIONS are the same, letters, names
# and whether a value follows.
#
# usage: man-options.sh SOURCE-ROOT XSK

set -u
LC_ALL=C
export LC_ALL

root=$1
xsk=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
bad=0
pages=0

# One option a line: "-w --write value", "--count".
options_of_help() {
	awk '
	/^  (-.,|   ) --/ {
		line = ""
		if ($1 ~ /^-[^-],$/) {
			line = substr($1, 1, 2) " "
			sub(/^ *-[^-], /, "")
		}
		# A value stands behind one blank, help behind several or on the next line.
		match($0, /--[^ ]+/)
		line = line substr($0, RSTART, RLENGTH)
		if (substr($0, RSTART + RLENGTH) ~ /^ [^ ]/)
			line = line " value"
		print line
	}' | sort
}

options_of_page() {
	awk '
	$1 == ".Sh" { inside = $2 == "OPTIONS" }
	inside && $1 == ".It" && $2 == "Fl" {
		line = value = ""
		for (i = 3; i <= NF && $i != "Ar"; i++) {
			if ($i == "Fl" || $i == "," || $i == "Ns" || $i == "=")
				continue
			line = line (line == "" ? "" : " ") "-" $i
		}
		print line ($i == "Ar" ? " value" : "")
	}' "$1" | sort
}

for page in "$root"/man/xsk-*.1; do
	[ -e "$page" ] || continue
	pages=$((pages + 1))
	name=${page##*/xsk-}
	name=${name%.1}
	if ! "$xsk" "$name" --help >"$dir/said"; then
		echo "$page: there is no command xsk $name"
		bad=1
		continue
	fi
	options_of_help <"$dir/said" >"$dir/help"
	options_of_page "$page" >"$dir/page"
	if ! [ -s "$dir/help" ]; then
		echo "xsk $name --help: no option found"
		bad=1
	fi
	if ! diff "$dir/help" "$dir/page" >"$dir/differences"; then
		sed -n "s|^< |$name: not in the page: |p; s|^> |$name: only in the page: |p" \
			"$dir/differences"
		bad=1
	fi
done
for name in $("$xsk" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
	if ! [ -e "$root/man/xsk-$name.1" ]; then
		echo "xsk $name has no page"
		bad=1
	fi
done
if [ "$pages" = 0 ]; then
	echo 'man/ has no page of a subcommand'
	bad=1
fi
exit $bad
