#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# Boots a kernel in QEMU, under software emulation, and runs one command there.
set -u

here=$(dirname "$0")
# shellcheck source=test/vm/common.sh
. "$here/common.sh"

usage()
{
	cat >&2 <<-END
	usage: guest.sh [--add PATH]... [--limit SECONDS] [--console FILE] SERIES COMMAND...
	  SERIES          of the kernel: 5.10, 6.1, 6.12, 7
	  --add PATH      the guest has this file or folder in the same place, and the
	                  libraries that the programs in it are linked to
	  --limit SECONDS the guest's time, 300 if not given
	  --console FILE  the log of the guest's kernel is left there. Else it is shown,
	                  if the kernel complains or breaks down.
	The guest has two CPUs and 1 GiB, the NICs vnet0 and vnet1 (virtio, of two queues) and
	igb0 and igb1, each pair joined by a wire and without addresses (those whose driver
	its kernel has), ip, ethtool, busybox, XSK_VM=1 in the environment. Nothing of it
	outlives the run. The exit status is the command's; 124: the time was over; 125: the
	guest broke down; 126: it could not be started.
	END
	exit 126
}

# ---- what is in it ----

# add_libraries PATH...: what the programs there are linked to.
add_libraries()
{
	find -L "$@" -type f \( -perm /111 -o -name '*.so*' \) -exec ldd {} + 2>/dev/null |
		sed -nE 's/^(.*[[:space:]])?(\/[^ ]+) \(0x.*/\2/p' | sort -u |
		while read -r library; do
			library=$(realpath -s "$library")
			[ ! -e "$root$library" ] || continue
			mkdir -p "$root${library%/*}" && cp -L "$library" "$root$library"
		done
}

add_path()
{
	path=$(realpath -s "$1")
	mkdir -p "$root${path%/*}" || die "cannot write to $root"
	cp -RL "$path" "$root${path%/*}/" || die "cannot copy $1"
	add_libraries "$path"
}

# Of the host what the tests call and busybox has not, or not in full. And a shell, since
# busybox's takes its own ip.
add_tools()
{
	for tool in ip ethtool timeout; do
		path=$(command -v "$tool") || continue
		cp -L "$path" "$root/usr/bin/$tool" && add_libraries "$path"
	done
	cp -L "$(command -v sh)" "$root/usr/bin/sh" && add_libraries "$(command -v sh)"
	cp "$vm_cache/busybox" "$root/vm/bin/busybox"
}

# add_command WORD...: as a line of shell that says just that.
add_command()
{
	for word; do
		printf "'%s' " "$(printf '%s\n' "$word" | sed "s/'/'\\\\''/g")"
	done >"$root/vm/command"
}

make_root()
{
	mkdir -p "$root/usr" "$root/vm/bin" "$root/vm/modules"
	for dir in bin sbin lib lib64; do
		mkdir "$root/usr/$dir" && ln -s "usr/$dir" "$root/$dir"
	done
	(cd "$root" && mkdir proc sys dev run tmp etc root && chmod 1777 tmp)
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	add_tools
	cp "$kernel"/*.ko "$root/vm/modules/"
	cp "$kernel/modules" "$root/vm/modules/list"
	cp "$here/init" "$root/init" && chmod 755 "$root/init"
}

pack_root()
{
	(cd "$root" && find . | "$vm_cache/busybox" cpio -o -H newc) >"$work/initrd" \
		2>"$work/cpio.log" || die "cannot pack: $(cat "$work/cpio.log")"
	rm -rf "$root"
}

# ---- the machine ----

# nic NAME ADDRESS QEMU-DEVICE [TAP-OPTION]: prints QEMU's options for it. Without
# vnet_hdr: no checksum or segmentation is left to others.
nic()
{
	echo -netdev "tap,id=$1,ifname=$1,script=no,downscript=no,vnet_hdr=off${4-}"
	echo -device "$3,netdev=$1,mac=52:54:00:00:$2"
}

# iommu_platform: else the driver bypasses the kernel's DMA layer, and refuses zero-copy.
# An igb has functions of its own that want a bus of their own.
nics()
{
	virtio='virtio-net-pci,mq=on,vectors=6,disable-legacy=on,iommu_platform=on'
	for i in 0 1; do
		nic vnet$i 01:0$i "$virtio" ,queues=2
		echo -device pcie-root-port,id=port$i,chassis=$i
		nic igb$i 02:0$i igb,bus=port$i
	done
}

# The guest goes with this script, also where that is killed.
start()
{
	bound='setpriv --pdeathsig KILL'
	append='console=ttyS0 loglevel=5 panic=-1 oops=panic mitigations=off net.ifnames=0'
	# shellcheck disable=SC2046,SC2086 # words without blanks
	setpriv --pdeathsig TERM timeout -k 5 "$limit" \
		unshare -n $bound sh "$here/wire.sh" \
		qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1G \
		-kernel "$kernel/vmlinuz" -initrd "$work/initrd" \
		-append "$append random.trust_cpu=on no_timer_check" \
		-serial "file:$console" -chardev stdio,id=out,signal=off -serial chardev:out \
		-serial "file:$work/status" $(nics) </dev/null 2>"$work/errors" &
	qemu=$!
	wait "$qemu"
	ended=$?
	qemu=
}

# shellcheck disable=SC2317 # called by trap
clean_up()
{
	if [ "$qemu" ]; then
		kill "$qemu" 2>/dev/null
		wait "$qemu" 2>/dev/null
	fi
	rm -rf "$work"
}

show_console()
{
	say "the log of the guest's kernel:"
	tr -d '\r' <"$console" | sed 's/^/| /' >&2
}

# ---- a run ----

[ "$(id -u)" = 0 ] || die 'needs root'
qemu=
work=$(mktemp -d) || die 'no folder for temporary files'
trap clean_up EXIT
end_on_signals
root=$work/root

limit=300 console=
: >"$work/paths"
while [ $# -gt 1 ]; do
	case $1 in
	--add) echo "$2" >>"$work/paths" ;;
	--limit) limit=$2 ;;
	--console) console=$2 ;;
	*) break ;;
	esac
	shift 2
done
[ $# -gt 1 ] || usage
kernel=$(sh "$here/kernel.sh" "$1") || exit 126
shift
shown=$console
console=${console:-$work/console}
: >"$console" || die "cannot write $console"

make_root
while read -r path; do
	add_path "$path"
done <"$work/paths"
add_command "$@"
pack_root
start

sed 's/^/qemu: /' "$work/errors" >&2
status=$(sed -n 's/^status \([0-9]*\).*/\1/p' "$work/status" 2>/dev/null)
if [ -z "$shown" ] && { [ -z "$status" ] || [ "$(complaints "$console")" ]; }; then
	show_console
fi
[ -z "$status" ] || exit "$status"
case $ended in
124|137)
	say "not ended after $limit s"
	exit 124 ;;
esac
say "the guest broke down (QEMU: $ended)"
exit 125
