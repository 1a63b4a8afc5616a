#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# Every public function stands in a header, in the symbol map and in a man page
# that can be found by the function's name. Compares these lists, prints each
# difference, and exits 1 if there is one.
#
# usage: lists.sh [SOURCE-ROOT [LIBRARY]]
# With LIBRARY, a built libxsk.so, its symbols and their versions are compared
# with the map too.

set -u
LC_ALL=C
export LC_ALL

root=${1:-$(dirname "$0")/../..}
library=${2:-}
map=$root/lib/libxsk.map
aliases=$root/man/meson.build

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
: >"$dir/differences"

# The functions that a C header declares or defines, one a line: what stands
# before the first parenthesis of a declaration outside of all braces.
functions_of_header() {
	awk '
	function strip(text,	out, rest, at, first) {
		# Comments, strings and characters, whichever begins first.
		out = ""
		while (match(text, /\/\*|\/\/|"|'\''/)) {
			first = substr(text, RSTART, RLENGTH)
			out = out substr(text, 1, RSTART - 1)
			rest = substr(text, RSTART + RLENGTH)
			if (first == "/*") {
				at = index(rest, "*/")
				text = at ? substr(rest, at + 2) : ""
				out = out " "
			} else if (first == "//") {
				at = index(rest, "\n")
				text = at ? substr(rest, at) : ""
			} else {
				while (rest != "" && substr(rest, 1, 1) != first)
					rest = substr(rest, substr(rest, 1, 1) == "\\" ? 3 : 2)
				text = substr(rest, 2)
				out = out "\"\""
			}
		}
		return out text
	}
	function without_directives(text,	lines, n, i, out, goes_on) {
		n = split(text, lines, "\n")
		for (i = 1; i <= n; i++) {
			if (goes_on || lines[i] ~ /^[ \t]*#/)
				goes_on = lines[i] ~ /\\$/
			else
				out = out lines[i] "\n"
		}
		return out
	}
	function without_attributes(text,	head, depth, i, c) {
		while (match(text, /__attribute__[ \t\n]*\(/)) {
			head = substr(text, 1, RSTART - 1)
			depth = 1
			for (i = RSTART + RLENGTH; depth && i <= length(text); i++) {
				c = substr(text, i, 1)
				depth += (c == "(") - (c == ")")
			}
			text = head " " substr(text, i)
		}
		return text
	}
	function declaration(text,	at, name) {
		at = index(text, "(")
		if (!at || text ~ /^[ \t\n]*typedef/)
			return
		text = substr(text, 1, at - 1)
		if (text ~ /=/)
			return
		if (!match(text, /[A-Za-z_][A-Za-z_0-9]*[ \t\n]*$/)) {
			print "unreadable:" FILENAME
			return
		}
		name = substr(text, RSTART)
		sub(/[ \t\n]*$/, "", name)
		if (name ~ /[a-z]/ && name !~ /^_?[Ss]tatic_assert$/)
			print name
	}
	{ all = all $0 "\n" }
	END {
		all = without_attributes(without_directives(strip(all)))
		gsub(/extern[ \t\n]*""[ \t\n]*\{/, " ", all)
		gsub(/extern[ \t\n]*""/, " ", all)
		while (match(all, /[{};]/)) {
			c = substr(all, RSTART, 1)
			text = text substr(all, 1, RSTART - 1)
			all = substr(all, RSTART + 1)
			if (!depth && c != "}")
				declaration(text)
			if (c == "{")
				depth++
			else if (c == "}" && depth)
				depth--
			text = ""
		}
	}' "$1"
}

# What the version script exports: "symbol version", one a line.
symbols_of_map() {
	awk '
	{ sub(/#.*/, ""); all = all $0 "\n" }
	END {
		while (at = index(all, "/*")) {
			rest = substr(all, at + 2)
			end = index(rest, "*/")
			all = substr(all, 1, at - 1) " " \
			      (end ? substr(rest, end + 2) : "")
		}
		gsub(/[{};:]/, " & ", all)
		n = split(all, word)
		for (i = 1; i <= n; i++) {
			if (word[i + 1] == "{") {
				version = word[i]
				scope = "global"
			} else if (word[i + 1] == ":") {
				scope = word[i]
			} else if (word[i] == "}") {
				version = ""
				i++
				if (word[i] != ";")
					i++
			} else if (word[i + 1] == ";" && version != "" && scope == "global") {
				print word[i], version
			}
		}
	}' "$1"
}

# From a man page: "name WORD", "synopsis WORD", "mention WORD". A comment or
# plain text is not a line with a macro.
functions_of_page() {
	awk '
	/^\.[ \t]*\\"/ || !/^\./ { next }
	$1 == ".Sh" { section = $2; next }
	{
		for (i = 1; i < NF; i++) {
			macro = $i
			sub(/^\./, "", macro)
			word = $(i + 1)
			gsub(/[",]/, "", word)
			if (word == "" || word ~ /^[^A-Za-z_]/)
				continue
			if (macro == "Nm" && section == "NAME")
				print "name", word
			else if ((macro == "Fn" || macro == "Fo") && section == "SYNOPSIS")
				print "synopsis", word
			else if ((macro == "Fn" || macro == "Fo") && word ~ /^xsk_/)
				print "mention", word
			else if (macro == "Xr" && word ~ /^xsk_/)
				print "reference", word
		}
	}' "$1"
}

# The names that can be asked for: man/meson.build installs a page under each.
pages_of_meson() {
	sed 's/#.*//' "$1" | awk '
	{
		while (match($0, /'\''xsk_[A-Za-z_0-9]*(\.3)?'\''/)) {
			name = substr($0, RSTART + 1, RLENGTH - 2)
			$0 = substr($0, RSTART + RLENGTH)
			sub(/\.3$/, "", name)
			print name
		}
	}'
}

symbols_of_library() {
	nm -D --defined-only --with-symbol-versions "$1" | awk '
	$2 != "A" { sub(/@@?/, " ", $3); print $3 }'
}

# What is in list $1 and not in list $2: one line each, ending with $3.
missing() {
	awk -v tail="$3" '
	FILENAME == ARGV[1] { have[$0]; next }
	!($0 in have) && !said[$0]++ { print $0 ": " tail }
	' "$2" "$1" >>"$dir/differences"
}

not_empty() {
	[ -s "$1" ] || echo "$2: no function found" >>"$dir/differences"
}

for file in "$root"/include/xdp/xsk.h "$root"/include/xsk/*.h; do
	functions_of_header "$file"
done >"$dir/header"
symbols_of_map "$map" >"$dir/versions"
sed 's/ .*//' "$dir/versions" >"$dir/map"
for file in "$root"/man/*.3; do
	functions_of_page "$file"
done >"$dir/man3"
for file in "$root"/man/*.[0-9]; do
	functions_of_page "$file"
done >"$dir/man"
sed -n 's/^name //p' "$dir/man3" >"$dir/name"
sed -n 's/^synopsis //p' "$dir/man3" >"$dir/synopsis"
sed -n 's/^mention //p' "$dir/man" >"$dir/mention"
sed -n 's/^reference //p' "$dir/man" >"$dir/reference"
pages_of_meson "$aliases" >"$dir/pages"

not_empty "$dir/header" "include/"
not_empty "$dir/map" "lib/libxsk.map"
not_empty "$dir/name" "man/*.3, NAME"
not_empty "$dir/synopsis" "man/*.3, SYNOPSIS"

missing "$dir/header" "$dir/map" "declared in include/, not exported by lib/libxsk.map"
missing "$dir/map" "$dir/header" "exported by lib/libxsk.map, not declared in include/"
missing "$dir/header" "$dir/name" "declared in include/, no .Nm in NAME of man/*.3"
missing "$dir/name" "$dir/header" ".Nm in NAME of man/*.3, not declared in include/"
missing "$dir/header" "$dir/synopsis" "declared in include/, no .Fn or .Fo in SYNOPSIS of man/*.3"
missing "$dir/synopsis" "$dir/header" ".Fn or .Fo in SYNOPSIS of man/*.3, not declared in include/"
missing "$dir/mention" "$dir/header" ".Fn in the text of a man page, not declared in include/"
missing "$dir/name" "$dir/pages" ".Nm in NAME of man/*.3, no page of that name in man/meson.build"
missing "$dir/reference" "$dir/pages" ".Xr in a man page, no page of that name in man/meson.build"

if [ -n "$library" ]; then
	symbols_of_library "$library" >"$dir/library"
	not_empty "$dir/library" "$library"
	missing "$dir/versions" "$dir/library" "in lib/libxsk.map, not in $library"
	missing "$dir/library" "$dir/versions" "in $library, not in lib/libxsk.map"
fi

[ -s "$dir/differences" ] || exit 0
cat "$dir/differences"
exit 1
