#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# tests.sh LIST: runs the tests of a list that list.py has made; in the guest. Prints,
# for people and for matrix.sh:
#	count SUITE NAME PASSED FAILED SKIPPED SECONDS
#	skipped: SUITE NAME: REASON
#	| what a failed test said
set -u

out=/tmp/vm.out err=/tmp/vm.err

# count_tap STATUS: prints passed, failed, skipped. A program that ends before its plan is
# fulfilled, or that fails without a failed test, is one failure more.
count_tap()
{
	awk -v status="$1" '
		/^1\.\.[0-9]+/ {
			plan = substr($1, 4) + 0
			planned = 1
			if (plan == 0 && toupper($0) ~ /# *SKIP/)
				skipped++
		}
		/^(not )?ok / {
			seen++
			if (toupper($0) ~ /# *SKIP/)
				skipped++
			else if ($1 == "ok")
				passed++
			else
				failed++
		}
		END {
			if (!planned || seen != plan || (status != 0 && !failed))
				failed++
			print passed + 0, failed + 0, skipped + 0
		}' "$out"
}

count_exitcode()
{
	case $1 in
	0) echo 1 0 0 ;;
	77) echo 0 0 1 ;;
	*) echo 0 1 0 ;;
	esac
}

# Why tests were skipped: what they say of it; else which they are.
reasons()
{
	if grep -h '^# *skipped: ' "$out" "$err"; then
		return
	fi
	grep -i '# *skip' "$out" || tail -n 1 "$out"
}

show_reasons()
{
	reasons | sed "s/^# *skipped: *//; s/^.*# *SKIP *//; s/^/skipped: $1: /" | sort -u
}

show_output()
{
	case $2 in
	124|137) echo "FAILED: $1: not ended in time" ;;
	*) echo "FAILED: $1: exit status $2" ;;
	esac
	cat "$out" "$err" | tail -n 200 | sed 's/^/| /'
}

# run_test SUITE NAME SECONDS PROTOCOL COMMAND...
run_test()
{
	name="$1 $2" limit=$3 protocol=$4 start=$(date +%s)
	shift 4
	timeout -k 5 "$limit" "$@" >"$out" 2>"$err" </dev/null
	status=$?
	case $protocol in
	tap) counts=$(count_tap "$status") ;;
	*) counts=$(count_exitcode "$status") ;;
	esac
	echo "count $name $counts $(($(date +%s) - start))"
	case $counts in
	*' 0 '*) ;;
	*) show_output "$name" "$status" ;;
	esac
	case $counts in
	*' 0') ;;
	*) show_reasons "$name" ;;
	esac
}

# shellcheck source=/dev/null
. "$1"
