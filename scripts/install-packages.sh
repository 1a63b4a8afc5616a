# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# shellcheck shell=sh

# For ./demo and ./check, to be sourced: Debian packages, where they are missing.

is_installed()
{
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# missing_packages PACKAGE...: prints those that are not installed. Of a|b one is
# enough, and a is the one to install.
missing_packages()
(
	IFS='|'
	for alternatives; do
		for package in $alternatives; do
			is_installed "$package" && continue 2
		done
		echo "${alternatives%%|*}"
	done
)

# install_packages PACKAGE...: installs those that are missing, and says so before.
# Returns 0 if all are there. Without Debian's tools it only names them.
install_packages()
(
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		echo "packages: this is not Debian; needed, by their names there: $*"
		exit 0
	fi
	# shellcheck disable=SC2046 # one package, one word
	set -- $(missing_packages "$@")
	if [ $# = 0 ]; then
		echo "packages: all that are needed are installed"
		exit 0
	fi
	if [ "$(id -u)" != 0 ]; then
		echo "packages: missing; type  sudo apt-get install $*" >&2
		exit 1
	fi

	echo "packages: installing $* (and what they need)"
	export DEBIAN_FRONTEND=noninteractive
	# A source that fails need not be the one that has the packages.
	apt-get -qq update ||
		echo "packages: apt-get update met errors; going on with what it has got"
	apt-get -qq -o DPkg::Lock::Timeout=60 -o Dpkg::Use-Pty=0 \
		install --no-install-recommends "$@" >/dev/null && exit 0
	echo "packages: apt-get could not install $*" >&2
	exit 1
)
