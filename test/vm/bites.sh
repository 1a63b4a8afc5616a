#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# bites.sh [KERNEL]: matrix.sh itself: tests that fail, crash, hang and skip, a kernel that
# warns, one that panics, and a guest that does not end are counted and shown.
set -u

here=$(realpath "$(dirname "$0")")
kernel=${1-6.1}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
bad=0

# project NAME: runs the matrix for one kernel on a project of Meson's, given as input.
project()
{
	mkdir -p "$work/$1" && cd "$work/$1" || exit 1
	cat >meson.build
	meson setup build >log 2>&1 || { cat log; exit 1; }
	sh "$here/matrix.sh" build "$kernel" >out 2>&1
	status=$?
	cat out
}

# wanted LINE: is there, as a pattern.
wanted()
{
	if ! grep -q -x -e "$1" out; then
		echo "bites: not said: $1"
		bad=1
	fi
}

# wanted_status STATUS
wanted_status()
{
	if [ "$status" != "$1" ]; then
		echo "bites: exit status $status"
		bad=1
	fi
}

project good <<'END'
project('good')
test('fine', find_program('sh'), args: ['-c', 'echo 1..2; echo ok 1 - a; echo ok 2 - b'],
  protocol: 'tap', suite: 'prog')
test('fine', find_program('sh'), args: ['-c', 'exit 0'], suite: 'net')
END
wanted "vm: $kernel prog 2 0 0"
wanted "vm: $kernel net 1 0 0"
wanted "vm: $kernel guest 1 0 0"
wanted "vm: $kernel log 1 0 0"
wanted_status 0

project bad <<'END'
project('bad')
tests = {
  'fails': 'echo 1..2; echo ok 1 - a; echo not ok 2 - b; echo why it failed >&2; exit 1',
  'crashes': 'echo 1..2; echo ok 1 - a; kill -SEGV $$',
  'hangs': 'echo 1..2; echo ok 1 - a; sleep 1000',
  'stops': 'echo 1..3; echo ok 1 - a',
  'lies': 'echo 1..1; echo ok 1 - a; exit 3',
  'says_nothing': 'exit 0',
  'skips': 'echo 1..2; echo ok 1 - a; echo "# skipped: no such thing here"; echo "not ok 2 # SKIP b"',
}
foreach name, line : tests
  test(name, find_program('sh'), args: ['-c', line], protocol: 'tap', suite: 'prog', timeout: 5)
endforeach
test('warns', find_program('sh'), args: ['-c', 'echo "WARNING: of the test" >/dev/kmsg'],
  suite: 'net')
END
wanted "vm: $kernel prog 6 6 1"
wanted "vm: $kernel net 1 0 0"
wanted "vm: $kernel log 0 1 0"
wanted '| why it failed'
wanted 'FAILED: prog crashes: .*'
wanted 'FAILED: prog hangs: not ended in time'
wanted '| .*WARNING: of the test'
wanted "skipped on $kernel: prog skips: no such thing here"
wanted_status 1

project panics <<'END'
project('panics')
test('fine', find_program('sh'), args: ['-c', 'exit 0'], suite: 'prog')
test('panics', find_program('sh'), args: ['-c', 'echo c >/proc/sysrq-trigger'], suite: 'prog')
test('after', find_program('sh'), args: ['-c', 'exit 0'], suite: 'net')
END
wanted "vm: $kernel prog 1 1 0"
wanted "vm: $kernel net 0 1 0"
wanted "vm: $kernel guest 0 1 0"
wanted "vm: $kernel log 0 1 0"
wanted '| .*Kernel panic.*'
wanted_status 1

XSK_VM_LIMIT=40
export XSK_VM_LIMIT
project endless <<'END'
project('endless')
test('endless', find_program('sh'), args: ['-c', 'sleep 1000'], suite: 'prog', timeout: 500)
END
wanted "vm: $kernel prog 0 1 0"
wanted "vm: $kernel guest 0 1 0"
wanted 'guest.sh: not ended after 40 s'
wanted_status 1

[ "$bad" = 0 ] && echo 'bites: all is counted and shown'
exit "$bad"
