# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""Packets made by hand: headers one in the other, each a function that takes what it carries.
And how they are sent, and read from a capture."""

import os
import socket
import struct
import subprocess
import sys
import time

MAC_A = '02:00:00:00:66:01'
MAC_B = '02:00:00:00:66:02'
ALL = 'ff:ff:ff:ff:ff:ff'


def mac(text):
    return bytes.fromhex(text.replace(':', ''))


def ip4(text):
    return socket.inet_aton(text)


def ip6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ether(kind, payload=b'', dst=MAC_A, src=MAC_B):
    return mac(dst) + mac(src) + struct.pack('!H', kind) + payload


def vlan(number, kind, payload=b'', priority=0):
    """Behind an Ethernet header of type 0x8100 or 0x88a8."""
    return struct.pack('!HH', priority << 13 | number, kind) + payload


def llc(dsap, ssap, control, payload=b''):
    """The length goes where the type of an Ethernet header stands."""
    return bytes([dsap, ssap, control]) + payload


def arp(operation, sender, target, sender_mac=MAC_B, target_mac='00:00:00:00:00:00'):
    return struct.pack('!HHBBH', 1, 0x800, 6, 4, operation) + mac(sender_mac) + ip4(sender) + \
        mac(target_mac) + ip4(target)


def ipv4(protocol, payload=b'', src='10.66.0.2', dst='10.66.0.1', options=b'', ident=1,
         offset=0, more=False, ttl=64, tos=0, length=None):
    size = 20 + len(options)
    if length is None:
        length = size + len(payload)
    fragment = offset // 8 | (0x2000 if more else 0)
    header = struct.pack('!BBHHHBBH', 0x40 | size // 4, tos, length, ident, fragment, ttl,
                         protocol, 0) + ip4(src) + ip4(dst) + options
    header = header[:10] + struct.pack('!H', checksum(header)) + header[12:]
    return header + payload


def ipv6(protocol, payload=b'', src='fd66::2', dst='fd66::1', hops=64, flow=0, length=None):
    if length is None:
        length = len(payload)
    return struct.pack('!IHBB', 6 << 28 | flow, length, protocol, hops) + ip6(src) + ip6(dst) + \
        payload


def extension(following, payload=b'', content=b'\x01\x04\0\0\0\0'):
    """A header of hop-by-hop or destination options: content has 6 bytes, or 8 more."""
    return bytes([following, (len(content) - 6) // 8]) + content + payload


def fragment6(following, payload, ident=7, offset=0, more=False):
    return struct.pack('!BBHI', following, 0, offset | more, ident) + payload


def _sum(src, dst, protocol, data):
    """With the pseudo header of IPv4 or IPv6."""
    if ':' in src:
        pseudo = ip6(src) + ip6(dst) + struct.pack('!II', len(data), protocol)
    else:
        pseudo = ip4(src) + ip4(dst) + struct.pack('!HH', protocol, len(data))
    return checksum(pseudo + data)


def udp(sport, dport, payload=b'', src='10.66.0.2', dst='10.66.0.1', length=None):
    if length is None:
        length = 8 + len(payload)
    header = struct.pack('!HHHH', sport, dport, length, 0)
    value = _sum(src, dst, 17, header + payload) or 0xffff
    return header[:6] + struct.pack('!H', value) + payload


def tcp(sport, dport, flags, seq=0, ack=0, window=8192, urgent=0, options=b'', payload=b'',
        src='10.66.0.2', dst='10.66.0.1'):
    letters = 'FSRP.UEW'
    bits = sum(1 << letters.index(letter) for letter in flags)
    header = struct.pack('!HHIIBBHHH', sport, dport, seq, ack, (20 + len(options)) // 4 << 4, bits,
                         window, 0, urgent) + options
    value = _sum(src, dst, 6, header + payload)
    return header[:16] + struct.pack('!H', value) + header[18:] + payload


def icmp(kind, code=0, rest=b'\0\0\0\0', payload=b''):
    data = struct.pack('!BBH', kind, code, 0) + rest + payload
    return data[:2] + struct.pack('!H', checksum(data)) + data[4:]


def icmp6(kind, code=0, rest=b'\0\0\0\0', payload=b'', src='fd66::2', dst='fd66::1'):
    data = struct.pack('!BBH', kind, code, 0) + rest + payload
    return data[:2] + struct.pack('!H', _sum(src, dst, 58, data)) + data[4:]


def echo(number, seq):
    return struct.pack('!HH', number, seq)


def dns(ident, name, kind, flags=0x0100, counts=(1, 0, 0, 0), answers=b''):
    labels = b''.join(bytes([len(label)]) + label for label in name.split(b'.') if label)
    return struct.pack('!HH4H', ident, flags, *counts) + labels + b'\0' + \
        struct.pack('!HH', kind, 1) + answers


def dhcp(operation, kind, client=MAC_B):
    return struct.pack('!BBBBIHH', operation, 1, 6, 0, 0x1234, 0, 0) + bytes(16) + mac(client) + \
        bytes(10 + 64 + 128) + b'\x63\x82\x53\x63' + bytes([53, 1, kind, 255])


def lldp(name):
    def tlv(kind, value):
        return struct.pack('!H', kind << 9 | len(value)) + value
    return tlv(1, b'\x04' + mac(MAC_B)) + tlv(2, b'\x05eth0') + tlv(3, b'\0\x78') + \
        tlv(5, name) + tlv(0, b'')


def bpdu(version=0, kind=0, root=MAC_A, bridge=MAC_B):
    return b'\0\0' + bytes([version, kind, 0]) + b'\x80\0' + mac(root) + struct.pack('!I', 4) + \
        b'\x80\0' + mac(bridge) + b'\x80\x01' + bytes(8)


# ---- sending and reading ----

def send(lab, side, packets, pause_every=0):
    """Sends them by a packet socket of that host's interface. With pause_every it sleeps a
    millisecond after so many."""
    data = b''.join(struct.pack('!I', len(packet)) + packet for packet in packets)
    words = lab.inside(side, [sys.executable, os.path.abspath(__file__), lab.ifaces[side],
                              str(pause_every)])
    subprocess.run(words, input=data, check=True, timeout=60)


def _send_all(iface, pause_every):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((iface, 0))
        data = sys.stdin.buffer.read()
        at = count = 0
        while at < len(data):
            size = struct.unpack_from('!I', data, at)[0]
            sock.send(data[at + 4:at + 4 + size])
            at += 4 + size
            count += 1
            if pause_every and count % pause_every == 0:
                time.sleep(0.001)


def read_pcap(data):
    """The packets of a capture with nanoseconds: (time in nanoseconds, length, bytes)."""
    magic, _, _, _, _, _, link = struct.unpack_from('<IHHiIII', data)
    assert magic == 0xa1b23c4d and link == 1, (hex(magic), link)
    at, found = 24, []
    while at < len(data):
        seconds, ns, captured, size = struct.unpack_from('<IIII', data, at)
        at += 16
        assert at + captured <= len(data), 'a packet is cut short'
        found.append((seconds * 10 ** 9 + ns, size, data[at:at + captured]))
        at += captured
    return found


if __name__ == '__main__':
    _send_all(sys.argv[1], int(sys.argv[2]))
