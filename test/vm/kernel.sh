#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# kernel.sh SERIES: prints the folder of Debian's amd64 kernel of a series: 5.10, 6.1,
# 6.12, or 7: the newest from 7 on that the mirror has. In the folder:
#	version		of the package
#	vmlinuz
#	*.ko, modules	what the guests need of its modules; their names in the order
#			in which they are loaded
#	wanted		what was asked for then
# It is fetched once, and then taken from the cache without the network. For 7 the mirror
# is asked again after a day; where it does not answer, what is there is taken for a day.
set -u

# shellcheck source=test/vm/common.sh
. "$(dirname "$0")/common.sh"

wanted='veth virtio_pci virtio_net igb xsk_diag'

# Those that may have the series. One that the mirror lacks is passed over.
suites_of()
{
	case $1 in
	5.10) echo bullseye ;;
	6.1) echo bookworm ;;
	6.12) echo trixie ;;
	7) echo trixie-backports forky sid ;;
	*) die "no kernel $1; there are 5.10, 6.1, 6.12 and 7" ;;
	esac
}

is_of_series()
{
	case $series in
	7) dpkg --compare-versions "$1" ge 7 ;;
	*) case $1 in "$series".*) ;; *) return 1 ;; esac ;;
	esac
}

# Prints the suite and the version of the newest kernel that there is.
find_newest()
{
	best=
	for candidate in $(suites_of "$series"); do
		if ! use_lists "$candidate" "$candidate"; then
			say "the mirror has no suite $candidate, or cannot be asked"
			continue
		fi
		version=$(own_apt "$candidate" apt-cache show --no-all-versions linux-image-amd64 |
			sed -n 's/^Version: //p')
		is_of_series "${version:-0}" || continue
		if [ -z "$best" ] || dpkg --compare-versions "$version" gt "${best#* }"; then
			best="$candidate $version"
		fi
	done
	[ "$best" ] && echo "$best"
}

# packages SUITE: up to 6.12 the image has all. From 7 on it needs linux-base-X,
# linux-binary-X and linux-modules-X, which have it.
packages()
{
	image=$(own_apt "$1" apt-cache show --no-all-versions linux-image-amd64 |
		sed -n 's/^Depends:.*\(linux-image-[0-9][^ ,]*\).*/\1/p')
	[ "$image" ] || return 1
	echo "$image"
	own_apt "$1" apt-cache show --no-all-versions "$image" | sed -n 's/^Depends: //p' |
		tr ',' '\n' | sed 's/ //g; s/(.*//' |
		grep -x -e "linux-binary-${image#linux-image-}" -e "linux-modules-${image#linux-image-}"
	return 0
}

unpack_module()
{
	case $1 in
	*.xz) "$vm_cache/busybox" xzcat "$1" ;;
	*.zst) zstd -q -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

# add_module ROOT NAME: after those that it needs itself. One that is not there is built
# in, or the kernel has none: the guest will see.
add_module()
(
	[ ! -e "$new/$2.ko" ] || exit 0
	file=$(find "$1" -name "$(echo "$2" | sed 's/[-_]/[-_]/g').ko*" | head -n 1)
	[ "$file" ] || exit 0
	unpack_module "$file" >"$work/module.$2" || exit 1
	for needed in $(tr '\0' '\n' <"$work/module.$2" | LC_ALL=C sed -n 's/^depends=//p' |
			tr ',-' ' _'); do
		add_module "$1" "$needed" || exit 1
	done
	mv "$work/module.$2" "$new/$2.ko" && echo "$2.ko" >>"$new/modules"
)

# fetch SUITE VERSION: puts it into the cache, all of it or nothing.
fetch()
{
	say "fetching linux $2 from $1"
	new=$work/new root=$work/root
	mkdir "$new" "$root" || return 1
	# shellcheck disable=SC2046 # one package, one word
	(cd "$work" && own_apt "$1" apt-get download $(packages "$1")) || return 1
	for package in "$work"/*.deb; do
		dpkg-deb -x "$package" "$root" || return 1
	done
	vmlinuz=$(find "$root" -name 'vmlinuz*' -type f | head -n 1)
	cp "$vmlinuz" "$new/vmlinuz" || return 1
	: >"$new/modules"
	for module in $wanted; do
		add_module "$root" "$module" || return 1
	done
	echo "$2" >"$new/version"
	echo "$wanted" >"$new/wanted"
	rm -rf "$dir"
	mv "$new" "$dir"
}

is_cached()
{
	[ "$(cat "$dir/wanted" 2>/dev/null)" = "$wanted" ]
}

is_fresh()
{
	[ "$series" != 7 ] || [ "$(find "$dir/version" -mtime -1)" ]
}

update()
{
	newest=$(find_newest)
	if [ -z "$newest" ]; then
		is_cached || die "the mirror has no kernel $series, or cannot be asked"
		say "taking $(cat "$dir/version"), the newest that is cached"
		touch "$dir/version"
	elif is_cached && [ "$(cat "$dir/version")" = "${newest#* }" ]; then
		touch "$dir/version"
	else
		make_work
		fetch "${newest% *}" "${newest#* }" || is_cached ||
			die "cannot fetch linux ${newest#* }"
	fi
}

series=${1-}
suites_of "$series" >/dev/null || exit
dir=$vm_cache/linux-$series
sh "$(dirname "$0")/tools.sh" || exit
locked
if ! is_cached || ! is_fresh; then
	update
fi
echo "$dir"
