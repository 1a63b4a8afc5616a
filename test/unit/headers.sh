#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# Each public header compiles alone, as C and as C++, with libbpf's header and
# without; and the inline verbs are there for a program that calls them and for
# one that takes their address.
#
# usage: headers.sh SOURCE-ROOT SHARED-LIBRARY
#	CC, CXX	the compilers; default: cc, c++

set -u
LC_ALL=C
export LC_ALL
root=${1:?usage: headers.sh SOURCE-ROOT SHARED-LIBRARY}
library=${2:?}
cc=${CC:-cc}
cxx=${CXX:-c++}

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

fail() {
	echo "$*"
	failed=1
}

with_cxx=1
if ! command -v "${cxx%% *}" >/dev/null; then
	echo "not compiled as C++: no $cxx"
	with_cxx=
fi

# compiles COMPILER FLAG... FILE: without a warning. The compilers may bring flags.
compiles() {
	compiler=$1
	shift
	# shellcheck disable=SC2086
	$compiler "$@" -Wall -Wextra -Werror -o "$dir/out" || fail "FAIL: $compiler $*"
}

# ---- alone ----

# alone INCLUDE-FOLDER: each of its headers, included twice and first.
alone() {
	headers=$(cd "$1" && find . -name '*.h' | sed 's,^\./,,' | sort)
	for header in $headers; do
		printf '#include <%s>\n#include <%s>\n' "$header" "$header" >"$dir/alone.c"
		cp "$dir/alone.c" "$dir/alone.cc"
		compiles "$cc" -std=c11 -pedantic -I"$1" -c "$dir/alone.c"
		compiles "$cc" -std=gnu90 -I"$1" -c "$dir/alone.c"
		[ -z "$with_cxx" ] ||
			compiles "$cxx" -std=c++17 -pedantic -I"$1" -c "$dir/alone.cc"
	done
}

alone "$root/include"
[ "$(echo "$headers" | grep -c .)" -ge 3 ] || fail "too few headers in $root/include"

# Where libbpf's header is not installed. No compiler lets __has_include be
# defined away, so a copy of the headers is asked instead.
mkdir "$dir/include"
cp -R "$root/include/." "$dir/include/"
sed 's,__has_include(<bpf/libbpf.h>),0,' "$root/include/xdp/xsk.h" >"$dir/include/xdp/xsk.h"
cmp -s "$root/include/xdp/xsk.h" "$dir/include/xdp/xsk.h" &&
	fail "xdp/xsk.h no longer asks for bpf/libbpf.h the way this test knows"
alone "$dir/include"

echo '#include <xdp/xsk.h>' >"$dir/alone.c"
# shellcheck disable=SC2086
if $cc -I"$dir/include" -M "$dir/alone.c" | grep -q 'bpf/libbpf\.h'; then
	fail "the copy without bpf/libbpf.h includes it nevertheless"
fi
# What programs rely on to come with it, as with libxdp's header.
for brought in stdio.h stdint.h linux/if_xdp.h bpf/libbpf.h; do
	# shellcheck disable=SC2086
	$cc -I"$root/include" -M "$dir/alone.c" | grep -q "/$brought" ||
		fail "xdp/xsk.h does not bring $brought"
done

# ---- the verbs ----

cat >"$dir/verbs.c" <<'END'
#include <xdp/xsk.h>

/* By its name, or through a pointer that the compiler knows nothing of. */
#ifdef BY_ADDRESS
#define CALL(verb) (__extension__({ __typeof__(&verb) volatile at = &verb; at; }))
#else
#define CALL(verb) verb
#endif

static __u32 producer = 0xffffffff, consumer = 0xffffffff, flags = XDP_RING_NEED_WAKEUP;
static struct xdp_desc descs[4];

static struct xsk_ring_prod prod = {
	0xffffffff, 0xffffffff + 4u, 3, 4, &producer, &consumer, descs, &flags,
};
static struct xsk_ring_cons cons = {
	0xffffffff, 0xffffffff, 3, 4, &producer, &consumer, descs, &flags,
};

static int produce(void)
{
	__u32 idx = 0;

	if (CALL(xsk_prod_nb_free)(&prod, 4) != 4 || CALL(xsk_ring_prod__needs_wakeup)(&prod) == 0)
		return 1;
	if (CALL(xsk_ring_prod__reserve)(&prod, 3, &idx) != 3 || idx != 0xffffffff)
		return 2;
	CALL(xsk_ring_prod__cancel)(&prod, 1);
	*CALL(xsk_ring_prod__fill_addr)(&prod, 1) = 0;
	CALL(xsk_ring_prod__tx_desc)(&prod, idx)->addr = 4711;
	CALL(xsk_ring_prod__submit)(&prod, 2);
	return producer == 1 ? 0 : 3;
}

static int consume(void)
{
	__u32 idx = 0;

	if (CALL(xsk_cons_nb_avail)(&cons, 4) != 2)
		return 4;
	if (CALL(xsk_ring_cons__peek)(&cons, 4, &idx) != 2 || idx != 0xffffffff)
		return 5;
	if (CALL(xsk_ring_cons__rx_desc)(&cons, idx)->addr != 4711 ||
	    *CALL(xsk_ring_cons__comp_addr)(&cons, 1) != 0)
		return 6;
	CALL(xsk_ring_cons__cancel)(&cons, 1);
	CALL(xsk_ring_cons__release)(&cons, 1);
	return consumer == 0 && cons.cached_cons == 0 ? 0 : 7;
}

static int locate(void)
{
	static char area[16];
	__u64 addr = (__u64)2 << 48 | 5;

	if (CALL(xsk_umem__extract_addr)(addr) != 5 || CALL(xsk_umem__extract_offset)(addr) != 2)
		return 8;
	if (CALL(xsk_umem__add_offset_to_addr)(addr) != 7)
		return 9;
	return CALL(xsk_umem__get_data)(area, addr) == area + 7 ? 0 : 10;
}

int main(void)
{
	int wrong = produce();

	wrong = wrong ? wrong : consume();
	wrong = wrong ? wrong : locate();
	/* One that is not inline, so that the library is needed in any case. */
	return wrong ? wrong : xsk_umem__delete(NULL);
}
END
cp "$dir/verbs.c" "$dir/verbs.cc"

# A library that was built with sanitizers wants a program that was, too.
sanitizers=
nm -D "$library" >"$dir/dynamic" || fail "nm cannot read $library"
grep -q ' __asan_' "$dir/dynamic" && sanitizers="$sanitizers -fsanitize=address"
grep -q ' __ubsan_' "$dir/dynamic" && sanitizers="$sanitizers -fsanitize=undefined"
grep -q ' __tsan_' "$dir/dynamic" && sanitizers="$sanitizers -fsanitize=thread"

# runs COMPILER FLAG... FILE: is linked to the library, and its results are right.
runs() {
	rm -f "$dir/out"
	compiler=$1
	shift
	# shellcheck disable=SC2086
	compiles "$compiler" $sanitizers -I"$root/include" "$@" "$library"
	[ ! -e "$dir/out" ] ||
		LD_LIBRARY_PATH=$(dirname "$library") "$dir/out" ||
		fail "FAIL ($?): the program of $compiler $*"
}

for level in -O0 -O2; do
	for use in -UBY_ADDRESS -DBY_ADDRESS; do
		runs "$cc" -std=gnu11 "$level" "$use" "$dir/verbs.c"
		runs "$cc" -std=gnu90 "$level" "$use" "$dir/verbs.c"
		[ -z "$with_cxx" ] || runs "$cxx" -std=c++17 "$level" "$use" "$dir/verbs.cc"
	done
done

# Called, they are inlined, without optimization too; their addresses, in C, are
# the library's. And none of them is missing here.
awk '
/^XDP_ALWAYS_INLINE/ { inside = 1 }
inside && match($0, /xsk_[a-z_0-9]+\(/) {
	print substr($0, RSTART, RLENGTH - 1)
	inside = 0
}' "$root/include/xdp/xsk.h" | sort >"$dir/verbs"
[ "$(grep -c . "$dir/verbs")" -ge 17 ] || fail "too few inline verbs found in xdp/xsk.h"

compiles "$cc" -std=gnu11 -O0 -I"$root/include" -c "$dir/verbs.c"
nm -u "$dir/out" | sed -n 's/.* \(xsk_.*\)/\1/p' >"$dir/called"
[ "$(cat "$dir/called")" = xsk_umem__delete ] ||
	fail "not inlined at -O0:" "$(cat "$dir/called")"
compiles "$cc" -std=gnu11 -O0 -DBY_ADDRESS -I"$root/include" -c "$dir/verbs.c"
nm -u "$dir/out" | sed -n 's/.* \(xsk_.*\)/\1/p' | grep -v -x xsk_umem__delete | sort >"$dir/taken"
diff -u "$dir/verbs" "$dir/taken" ||
	fail "- inline verbs of xdp/xsk.h, + those whose address is the library's here"
exit "$failed"
