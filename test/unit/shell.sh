#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# shell.sh ROOT: every shell script is clean under shellcheck.
set -eu

cd "$1"
if ! command -v shellcheck >/dev/null; then
	echo 'skipped: shellcheck is not installed'
	exit 77
fi
# shellcheck disable=SC2046 # one file, one word
set -- $(grep -rlE '^#!/bin/sh|^# shellcheck shell=sh' --exclude-dir='build*' --exclude-dir=.git .)
shellcheck -x "$@"
