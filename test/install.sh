#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# install.sh STAGE SCRATCH: what "meson install" put below STAGE serves a program
# that asks pkg-config, shared and static, beside an installed libxdp-dev.
set -eu

stage=$1
scratch=$2
pc=$(find "$stage" -name libxsk.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
PKG_CONFIG_SYSROOT_DIR=$stage
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
lib=$(dirname "$(find "$stage" -name libxsk.so.1)")

cat >"$scratch/use.c" <<'END'
#include <xdp/xsk.h>
#include <xsk/error.h>

/* libxdp's header has no such verb: this one is ours. */
int main(void)
{
	struct xsk_error error;
	struct xsk_ring_prod ring = { .cached_prod = 1 };

	xsk_ring_prod__cancel(&ring, 1);
	xsk_error_last(&error);
	return ring.cached_prod || error.code || xsk_umem__delete(NULL) ||
	       xsk_umem__fd(NULL) >= 0;
}
END

# shellcheck disable=SC2046 # flags are several words
cc -Wall -Wextra -Werror "$scratch/use.c" -o "$scratch/use" \
	$(pkg-config --cflags --libs libxsk)
LD_LIBRARY_PATH=$lib "$scratch/use"
LD_LIBRARY_PATH=$lib ldd "$scratch/use" | grep -q "$lib/libxsk.so.1"

# shellcheck disable=SC2046
cc -Wall -Wextra -Werror "$scratch/use.c" -o "$scratch/use-static" \
	$(pkg-config --cflags libxsk) "$lib/libxsk.a" -lbpf -lmnl -pthread
"$scratch/use-static"
if ldd "$scratch/use-static" | grep libxsk; then
	exit 1
fi

# The command runs on what was installed with it, and its completions are those it prints.
LD_LIBRARY_PATH=$lib
export LD_LIBRARY_PATH
share=$stage/usr/local/share
xsk=$stage/usr/local/bin/xsk
ldd "$xsk" | grep -q "$lib/libxsk.so.1"
"$xsk" --version | grep -qx "xsk $(pkg-config --modversion libxsk)"
"$xsk" completion bash | cmp - "$share/bash-completion/completions/xsk.bash"
"$xsk" completion zsh | cmp - "$share/zsh/site-functions/_xsk"
bash -c '. "$1" && complete -p xsk' bash "$share/bash-completion/completions/xsk.bash" |
	grep -qx 'complete -F _xsk xsk'

for page in man7/xsk.7 man1/xsk.1 man1/xsk-forward.1 man3/xsk_umem__create.3 \
		man3/xsk_umem__delete.3; do
	if ! [ -e "$share/man/$page" ]; then
		echo "no $page among the man pages"
		exit 1
	fi
done
