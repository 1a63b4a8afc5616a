# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""Capture files: written by hand, byte by byte, and by tcpdump; read back by hand and by tshark."""

import os
import struct
import subprocess
import time
from signal import SIGINT

from harness import PATIENCE

ETHERNET = 1
MICRO, NANO = 0xa1b2c3d4, 0xa1b23c4d
NANOSECONDS = 10 ** 9
START = 1_700_000_000 * NANOSECONDS


def pcap(packets, magic=NANO, link=ETHERNET, order='<'):
    """A file of (time in nanoseconds, bytes) or (time, bytes, length on the wire)."""
    fraction = 1 if magic == NANO else 1000
    data = struct.pack(order + 'IHHIIII', magic, 2, 4, 0, 0, 262144, link)
    for when, packet, *wire in packets:
        data += struct.pack(order + 'IIII', when // NANOSECONDS, when % NANOSECONDS // fraction,
                            len(packet), wire[0] if wire else len(packet)) + packet
    return data


def _block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack('<II', kind, len(body) + 12) + body + struct.pack('<I', len(body) + 12)


def pcapng(packets, link=ETHERNET):
    """Of one interface, whose times are nanoseconds; with a block that readers pass over."""
    data = _block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1))
    resolution = struct.pack('<HHB3xHH', 9, 1, 9, 0, 0)
    data += _block(1, struct.pack('<HHI', link, 0, 262144) + resolution)
    data += _block(0x0bad, b'for nobody')
    for when, packet in packets:
        data += _block(6, struct.pack('<IIIII', 0, when >> 32, when & 0xffffffff, len(packet),
                                      len(packet)) + packet)
    return data


def write(path, data):
    with open(path, 'wb') as file:
        file.write(data)
    return path


def read(path):
    """The (time in nanoseconds, bytes) of a pcap file; what is cut at its end is left out."""
    with open(path, 'rb') as file:
        data = file.read()
    if len(data) < 24:
        return []
    magic = struct.unpack('<I', data[:4])[0]
    assert magic in (MICRO, NANO), hex(magic)
    packets, at = [], 24
    while at + 16 <= len(data):
        seconds, fraction, size, wire = struct.unpack('<IIII', data[at:at + 16])
        if at + 16 + size > len(data):
            break
        assert size == wire
        fraction *= 1 if magic == NANO else 1000
        packets.append((seconds * NANOSECONDS + fraction, data[at + 16:at + 16 + size]))
        at += 16 + size
    return packets


class Dump:
    """A tcpdump on one side of a lab: what arrives there, or with both what leaves, too."""

    def __init__(self, lab, side, path, expression='', both=False):
        self.path = path
        self.program = lab.start(side, ['tcpdump', '-Z', 'root', '-i', lab.ifaces[side], '-n', '-U',
                                        '-s', '10000', '-B', '65536', '--immediate-mode',
                                        '--time-stamp-precision=nano', '-Q',
                                        'inout' if both else 'in', '-w', path, expression])
        self.program.expect('listening on')

    def packets(self, count):
        """Waits until there are so many, ends it, and has all that there are."""
        end = time.monotonic() + PATIENCE
        while len(read(self.path)) < count and time.monotonic() < end:
            time.sleep(0.02)
        self.stop()
        return read(self.path)

    def stop(self):
        status = self.program.stop(SIGINT)
        assert status == 0, self.program.err
        assert '0 packets dropped by kernel' in self.program.err, self.program.err


def tshark(path, *fields):
    """What tshark reads in the packets: a tuple of these fields of each, as text."""
    words = [word for field in fields for word in ('-e', field)]
    done = subprocess.run(['tshark', '-r', path, '-n', '-T', 'fields', '-E', 'separator=|',
                           '-E', 'occurrence=f', '-o', 'ip.check_checksum:TRUE',
                           '-o', 'udp.check_checksum:TRUE', *words],
                          capture_output=True, text=True, check=True,
                          env=dict(os.environ, LC_ALL='C', HOME='/nonexistent'))
    return [tuple(line.split('|')) for line in done.stdout.splitlines()]
