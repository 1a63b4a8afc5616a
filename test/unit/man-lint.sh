#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# The man pages are clean: mandoc warns of nothing.
#
# usage: man-lint.sh [SOURCE-ROOT]

set -u
root=${1:-$(dirname "$0")/../..}

if ! command -v mandoc >/dev/null; then
	echo "SKIP: mandoc is not installed"
	exit 77
fi
said=$(mandoc -Tlint -Wwarning "$root"/man/*.[0-9] 2>&1)
status=$?
if [ -n "$said" ] || [ "$status" -ne 0 ]; then
	echo "$said"
	exit 1
fi
