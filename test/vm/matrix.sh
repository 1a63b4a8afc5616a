#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# matrix.sh BUILD_DIR [KERNEL...]: runs the tests of a build on other kernels, each in one
# guest; prints a table of them, and for scripts a line for each kernel and group:
#	vm: KERNEL GROUP PASSED FAILED SKIPPED
# A group is a suite of Meson's, or guest (it came to its end), or log (its kernel did
# not complain). What was said is left in BUILD_DIR/vm.
# XSK_VM_ADD names files and folders that the guests have besides (libxdp's loader and
# programs, where they are installed, if it is not set), XSK_VM_LIMIT the seconds that a
# guest may take, XSK_VM_JOBS how many run at a time.
set -u

here=$(dirname "$0")
# shellcheck source=test/vm/common.sh
. "$here/common.sh"

suites='prog net dispatcher virtio igb'
limit=${XSK_VM_LIMIT:-1800}
# The tests run one after the other: a guest keeps little more than one processor busy.
jobs=${XSK_VM_JOBS:-2}

# Of the newest kernel it is known that it has what these test. A skip is not enough there.
newest=7
must_run='dispatcher virtio igb'

loader=$(command -v xdp-loader)
: "${XSK_VM_ADD=$loader $(ls -d /usr/lib/*/bpf 2>/dev/null)}"

# result KERNEL GROUP PASSED FAILED SKIPPED
result()
{
	echo "vm: $*" >>"$out/$1.results"
}

# Adds up the groups of a kernel. A test without a count was not reached: it failed.
add_up()
{
	must=
	[ "$1" != "$newest" ] || must=$must_run
	awk -v kernel="$1" -v must=" $must " -v results="$out/$1.results" '
		FNR == NR {
			if (!($2 in seen))
				order[++groups] = $2
			seen[$2] = 1
			missing[$2 " " $3] = 1
			next
		}
		$1 == "count" && (($2 " " $3) in missing) {
			passed[$2] += $4
			failed[$2] += $5
			skipped[$2] += $6
			delete missing[$2 " " $3]
		}
		END {
			for (test in missing) {
				split(test, words, " ")
				failed[words[1]]++
				print "FAILED: " test ": did not come to its end"
			}
			for (i = 1; i <= groups; i++) {
				group = order[i]
				if (index(must, " " group " ") && passed[group] <= skipped[group]) {
					print "FAILED: " group ": skipped, but this kernel has it"
					failed[group]++
				}
				print "vm: " kernel, group, passed[group] + 0, failed[group] + 0,
					skipped[group] + 0 >>results
			}
		}' "$out/tests" "$2"
}

check_log()
{
	if complaints "$2" | sed 's/^/| /' >"$out/$1.complaints" && [ -s "$out/$1.complaints" ]
	then
		echo "FAILED: the guest's kernel complains:"
		cat "$out/$1.complaints"
		result "$1" log 0 1 0
	else
		result "$1" log 1 0 0
	fi
}

# check_guest KERNEL STATUS CONSOLE
check_guest()
{
	if [ "$2" = 0 ]; then
		result "$1" guest 1 0 0
	else
		echo "FAILED: the guest did not come to its end; the end of its console:"
		tr -d '\r' <"$3" | tail -n 60 | sed 's/^/| /'
		result "$1" guest 0 1 0
	fi
}

# boot KERNEL: in the background, so that a signal is heard.
boot()
{
	set -- "$1" sh "$scripts/tests.sh" "$out/tests"
	while read -r file; do
		set -- --add "$file" "$@"
	done <"$out/files"
	for file in ${XSK_VM_ADD-}; do
		set -- --add "$file" "$@"
	done
	sh "$here/guest.sh" --add "$scripts/tests.sh" --add "$out/tests" \
		--limit "$limit" --console "$console" "$@" >"$log" 2>&1 &
	guest=$!
	wait "$guest"
	status=$?
	guest=
}

run()
{
	log=$out/$1.log console=$out/$1.console
	if ! dir=$(sh "$here/kernel.sh" "$1"); then
		echo "FAILED: no kernel $1"
		result "$1" guest 0 1 0
		return
	fi
	version=$(cat "$dir/version")
	echo "$1 $version" >"$out/$1.version"
	start=$(date +%s)
	boot "$1"
	cat "$log"
	add_up "$1" "$log"
	check_guest "$1" "$status" "$console"
	check_log "$1" "$console"
	echo "$1 ($version): $(($(date +%s) - start)) s"
}

# In the background; what it says is kept.
run_aside()
{
	(
		trap end_guest EXIT
		end_on_signals
		run "$1"
	) >"$out/$1.said" 2>&1 &
	running="$running $1:$!"
}

# finish KERNEL:PID: says what it said.
finish()
{
	wait "${1#*:}"
	kernel=${1%:*}
	echo "==== $kernel"
	cat "$out/$kernel.said"
	cat "$out/$kernel.results" >>"$out/results"
	cat "$out/$kernel.version" >>"$out/versions" 2>/dev/null
}

finish_all()
{
	for each in $running; do
		finish "$each"
	done
	running=
}

# Each reason once, with the kernels.
show_skips()
{
	for kernel in $kernels; do
		sed -n "s/^skipped: /$kernel /p" "$out/$kernel.log" 2>/dev/null
	done | awk '{
		kernel = $1
		sub(/^[^ ]+ /, "")
		if (!($0 in where))
			order[++reasons] = $0
		where[$0] = where[$0] " " kernel
	}
	END {
		for (i = 1; i <= reasons; i++)
			print "skipped on" where[order[i]] ": " order[i]
	}'
}

show_table()
{
	awk '
		FILENAME ~ /versions$/ { version[$1] = $2; next }
		{
			if (!($2 in cells))
				rows[++kernels] = $2
			cells[$2] = 1
			if (!($3 in width)) {
				columns[++groups] = $3
				width[$3] = length($3)
			}
			cell[$2, $3] = $4 "/" $5 "/" $6
			if (length(cell[$2, $3]) > width[$3])
				width[$3] = length(cell[$2, $3])
		}
		END {
			printf "%-6s %-16s", "kernel", "passed/failed/skipped"
			for (j = 1; j <= groups; j++)
				printf "  %*s", width[columns[j]], columns[j]
			print ""
			for (i = 1; i <= kernels; i++) {
				printf "%-6s %-21s", rows[i], version[rows[i]]
				for (j = 1; j <= groups; j++)
					printf "  %*s", width[columns[j]], cell[rows[i], columns[j]]
				print ""
			}
		}' "$out/versions" "$out/results"
}

end_guest()
{
	if [ "$guest" ]; then
		kill "$guest" 2>/dev/null
		wait "$guest"
	fi
}

clean_up()
{
	for each in $running; do
		kill "${each#*:}" 2>/dev/null
		wait "${each#*:}"
	done
}

[ $# -ge 1 ] || die 'usage: matrix.sh BUILD_DIR [KERNEL...]'
build=$(realpath "$1")
shift
[ $# != 0 ] || set -- 5.10 6.1 6.12 7
kernels=$*
scripts=$(realpath "$here")
out=$build/vm
guest='' running=''
trap clean_up EXIT
end_on_signals
mkdir -p "$out" || die "cannot make $out"
rm -f "$out"/*
: >"$out/versions"
: >"$out/results"

# shellcheck disable=SC2086 # words
python3 "$here/list.py" "$build" "$out" $suites || die "cannot list the tests of $build"
# Before: they are fetched one by one.
for kernel in $kernels; do
	sh "$here/kernel.sh" "$kernel" >"$out/$kernel.dir" || : # said again when it is booted
done
started=0
for kernel in $kernels; do
	run_aside "$kernel"
	started=$((started + 1))
	[ $((started % jobs)) != 0 ] || finish_all
done
finish_all
echo
show_skips
show_table
echo
cat "$out/results"
awk '{ failed += $5; passed += $4 } END { exit failed || !passed }' "$out/results"
