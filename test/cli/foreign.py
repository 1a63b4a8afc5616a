# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""foreign.py IFACE native|generic|link [FILE]: attaches an XDP program that is not of libxsk,
called others_prog and without a map; prints its id, and has it open until its standard input
ends. By netlink, as ip link does, it stays; so it does by a link that is pinned to FILE."""

import ctypes
import socket
import struct
import sys

XDP = 6                         # BPF_PROG_TYPE_XDP
ATTACH_XDP = 37                 # BPF_XDP
MODES = {'generic': 2, 'native': 4, 'link': 4}

bpf = ctypes.CDLL('libbpf.so.1', use_errno=True)


def good(result, what):
    if result < 0:
        sys.exit(f'{what}: errno {ctypes.get_errno()}')
    return result


def main():
    iface, how, *pin = sys.argv[1:]
    # r0 = XDP_PASS; exit
    code = struct.pack('=BBhiBBhi', 0xb7, 0, 0, 2, 0x95, 0, 0, 0)
    prog = good(bpf.bpf_prog_load(XDP, b'others_prog', b'GPL', code, ctypes.c_size_t(2), None),
                'load')
    index = socket.if_nametoindex(iface)
    if how == 'link':
        link = good(bpf.bpf_link_create(prog, index, ATTACH_XDP, None), 'link')
        if pin:
            good(bpf.bpf_obj_pin(link, pin[0].encode()), 'pin')
    else:
        good(bpf.bpf_xdp_attach(index, prog, MODES[how], None), 'attach')
    info = ctypes.create_string_buffer(256)
    size = ctypes.c_uint32(len(info))
    good(bpf.bpf_obj_get_info_by_fd(prog, info, ctypes.byref(size)), 'info')
    print('id', struct.unpack_from('=II', info)[1], flush=True)
    sys.stdin.read()


main()
