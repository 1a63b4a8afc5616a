#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# run.sh SECONDS BUILD_DIR: the recorded inputs through all fuzzers, then new ones for
# SECONDS in sum: an eighth each, and the rest for the calls, whose inputs take the kernel's
# time. Needs root. A folder built with CC=clang and -Dfuzz=true. What is found
# is kept in BUILD_DIR/fuzz-findings. Exit status 0: nothing; 1: something; 2: misused.
set -u

if [ $# != 2 ] || ! [ "$1" -ge 8 ] 2>/dev/null || ! [ -d "$2/test/fuzz" ]; then
	echo "usage: run.sh SECONDS BUILD_DIR (at least 8 seconds, -Dfuzz=true)" >&2
	exit 2
fi
if [ "$(id -u)" != 0 ]; then
	echo 'run.sh: needs root' >&2
	exit 2
fi
# The fuzzer goes with this script, also where that is killed.
bound='setpriv --pdeathsig KILL'
scratch='' fuzzer=''
# shellcheck disable=SC2317 # called by trap
clean_up()
{
	[ -z "$fuzzer" ] || kill "$fuzzer" 2>/dev/null
	[ -z "$scratch" ] || rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

seconds=$1
build=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
findings=$build/fuzz-findings
bad=0
mkdir -p "$findings"

# An input that takes longer than this hangs: a call waits 100 ms at most.
limits='-timeout=25 -rss_limit_mb=2048'
export UBSAN_OPTIONS=print_stacktrace=1

# The seconds of the newest line of the kernel's log.
log_time()
{
	dmesg 2>/dev/null | awk -F '[][]' 'END { print $2 + 0 }'
}

# log_since SECONDS: what the kernel complained of since then.
log_since()
{
	dmesg 2>/dev/null |
		awk -F '[][]' -v since="$1" '$2 + 0 > since && /WARNING:|BUG:|Oops|refcount_t/'
}

# run_fuzzer NAME OPTION...: on the recorded inputs, which it never changes: what is
# new goes to the first folder that it is given.
run_fuzzer()
{
	name=$1
	shift
	# In the background, so that a signal is heard.
	# shellcheck disable=SC2086 # several options
	$bound "$build/test/fuzz/fuzz-$name" $limits -seed=1 -print_final_stats=1 -print_funcs=0 \
		-artifact_prefix="$findings/$name-" "$@" "$here/corpus/$name" \
		>"$findings/$name.log" 2>&1 &
	fuzzer=$!
	wait "$fuzzer"
	status=$?
	fuzzer=
	return "$status"
}

# found NAME: the report, where the input is, and how to see it again.
found()
{
	grep -v '^#[0-9]' "$findings/$1.log" | head -n 120
	input=$(sed -n 's/.*Test unit written to //p' "$findings/$1.log" | tail -n 1)
	if [ "$input" ]; then
		echo "$1: FOUND: kept in $input; again by"
		echo "    $build/test/fuzz/fuzz-$1 $limits $input"
	else
		echo "$1: FOUND: see $findings/$1.log"
	fi
	bad=1
}

# told NAME WHAT: a number of the last run.
told()
{
	sed -n "s/.*$2[ :]*\([0-9]*\).*/\1/p" "$findings/$1.log" | tail -n 1
}

# fuzz NAME SECONDS OPTION...
fuzz()
{
	name=$1
	time=$2
	shift 2
	if ! run_fuzzer "$name" -runs=0; then
		found "$name"
		return
	fi
	recorded=$(find "$here/corpus/$name" -type f | wc -l)
	scratch=$(mktemp -d) || exit 1
	if run_fuzzer "$name" -max_total_time="$time" "$@" "$scratch"; then
		echo "$name: nothing found: $(told "$name" number_of_executed_units:) executions," \
			"$(told "$name" cov:) edges, $(told "$name" corp:) inputs that differ" \
			"($recorded recorded)"
	else
		found "$name"
	fi
	rm -r "$scratch"
	scratch=
}

log_start=$(log_time)
eighth=$((seconds / 8))
fuzz netlink "$eighth" -max_len=4096 -use_value_profile=1
fuzz packet "$eighth" -max_len=600 -dict="$here/packet.dict"
fuzz expression "$eighth" -max_len=256 -dict="$here/expression.dict"
fuzz capture "$eighth" -max_len=2000
fuzz respond "$eighth" -max_len=400
fuzz filter "$eighth" -max_len=700 -len_control=0
fuzz api $((seconds - eighth * 6)) -max_len=400 -len_control=0
complaints=$(log_since "$log_start")
if [ "$complaints" ]; then
	echo "$complaints"
	echo 'FOUND: the kernel gave a warning'
	bad=1
fi
exit $bad
