# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# shellcheck shell=sh

# For the scripts of this folder, to be sourced: the cache, and Debian's packages by
# lists of our own, which leave the machine's apt sources as they are.

vm_cache=${XSK_VM_CACHE:-/var/cache/libxsk-vm}

say()
{
	echo "${0##*/}: $*" >&2
}

die()
{
	say "$*"
	exit 126
}

# A signal ends the script as exit does: what it has trapped for its end is done.
end_on_signals()
{
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
}

# locked: what follows in this process is done by one process at a time.
locked()
{
	mkdir -p "$vm_cache" || die "cannot make $vm_cache"
	exec 9>"$vm_cache/lock"
	flock 9 || die "cannot lock $vm_cache/lock"
	# Of those that were killed.
	rm -rf "$vm_cache"/tmp.*
}

# make_work: a folder for what is being made, on the cache's own file system.
make_work()
{
	work=$(mktemp -d -p "$vm_cache") || die "cannot write to $vm_cache"
	trap 'rm -rf "$work"' EXIT
	end_on_signals
}

release()
{
	# shellcheck disable=SC1091 # of the system
	. /etc/os-release
	echo "${VERSION_CODENAME-}"
}

# The mirror of Debian that this machine uses. apt knows both forms of its sources.
mirror()
{
	if [ "${XSK_VM_MIRROR-}" ]; then
		echo "$XSK_VM_MIRROR"
		return
	fi
	apt-get indextargets --no-release-info \
		--format "\$(REPO_URI) \$(RELEASE) \$(COMPONENT)" 'Created-By: Packages' |
		awk -v release="$(release)" '
			{ sub(/\/$/, "", $1) }
			$3 != "main" { next }
			$1 ~ /\/debian$/ { print $1; found = 1; exit }
			$2 == release && !other { other = $1 }
			END { if (!found && other) print other }'
}

# own_apt NAME TOOL ARG...: apt-get or apt-cache, seeing only the lists called NAME.
own_apt()
(
	lists=$vm_cache/apt/$1 tool=$2
	shift 2
	export DEBIAN_FRONTEND=noninteractive
	# What apt says on its standard output is for people; apt-cache's is for us.
	[ "$tool" = apt-cache ] || exec >&2
	exec "$tool" -q -o Dir::Etc::SourceList="$lists/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$lists/lists" \
		-o Dir::Cache="$lists/cache" -o Acquire::GzipIndexes=true \
		-o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root \
		-o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout=60 \
		-o Dpkg::Use-Pty=0 "$@" 9>&-
)

# use_lists NAME SUITE...: makes the lists called NAME, as the mirror has them now.
# Fails where it lacks one of the suites, or cannot be asked.
use_lists()
{
	name=$1
	lists=$vm_cache/apt/$name
	shift
	mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial" || return 1
	at=$(mirror)
	[ "$at" ] || die 'no mirror of Debian among the apt sources; XSK_VM_MIRROR= names one'
	options='arch=amd64'
	keys=/usr/share/keyrings/debian-archive-keyring.gpg
	[ ! -e "$keys" ] || options="$options signed-by=$keys"
	for suite; do
		echo "deb [$options] $at $suite main"
	done >"$lists/sources.list"
	own_apt "$name" apt-get update >"$lists/update.log" 2>&1
}

# complaints FILE: what a kernel complains of in its log. Each has a headline, by which it
# is known, not by its call trace: the kernel prints one also where a test asks for
# a ring that is too large for its memory. That a veth end hears by fewer queues than the other
# sends by (get_rps_cpu()) is what tests want.
complaints()
{
	grep -a -E -e 'WARNING:|BUG:|kernel BUG at|Oops|\[#[0-9]+\]|Kernel panic|refcount_t' \
		-e 'general protection|unable to handle|UBSAN:|page allocation failure' \
		-e 'detected stall|self-detected|blocked for more than' "$1" |
		grep -a -v ' get_rps_cpu+' | tr -d '\r'
}
