#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# readme.sh ROOT: the program in the README compiles, without a warning.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck disable=SC2016 # the fences of Markdown
sed -n '/^```c$/,/^```$/{/^```/!p;}' "$1/README.md" >"$dir/readme.c"
grep -q 'int main(' "$dir/readme.c"
# shellcheck disable=SC2086 # $CC may bring flags of its own
${CC:-cc} -O2 -Wall -Wextra -Werror -I"$1/include" -c "$dir/readme.c" -o "$dir/readme.o"
