#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# tree.sh ROOT: what can be seen of each file: its license, its width, the last
# characters of its lines, the length of its functions; and that nothing is left
# for later.
set -u

cd "$1" || exit 1
bad=0

complain()
{
	echo "$1: $2"
	bad=1
}

# In a repository what git knows; without git, or in an archive, all there is.
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	files=$(git ls-files)
else
	files=$(find . \( -path './build*' -o -path ./.git \) -prune -o -type f -print | sed 's|^\./||')
fi

mark='SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause'
later='TO''DO|FIX''ME|X''XX'

for file in $files; do
	[ -f "$file" ] || continue
	case $file in
	LICENSES/*|test/fuzz/corpus/*) continue ;;	# texts and bytes as they are
	esac
	case $file in
	LICENSE|*.in) ;;	# the one states it at length, the other is one line
	*) head -n 3 "$file" | grep -qF "$mark" || complain "$file" 'no license line' ;;
	esac
	if grep -nE "[[:blank:]]$" "$file" /dev/null; then
		complain "$file" 'blanks at the end of a line'
	fi
	if grep -nE "$later" "$file" /dev/null; then
		complain "$file" 'something is left for later'
	fi
	case $file in
	*.c|*.h)
		expand "$file" | awk -v file="$file" '
			length($0) > 100 {
				print file ":" NR ": wider than 100 columns"
				wide = 1
			}
			/^[a-zA-Z].*\)$/ { name = $0 }
			/^{/ { start = NR }
			/^}/ && start {
				if (NR - start > 70) {
					print file ":" start ": a function of " NR - start " lines: " name
					wide = 1
				}
				start = 0
			}
			END { exit wide }' || bad=1
		;;
	esac
done
exit $bad
