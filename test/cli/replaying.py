# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""A lab for captures that are replayed, and packets to put into them."""

import os
import struct
import tempfile

from captures import START, Dump, read, write
from harness import Lab, MACS, command

MAC_BYTES = [bytes.fromhex(mac.replace(':', '')) for mac in MACS]


def packet(size, mark=0):
    """Of an EtherType for experiments: nobody answers it."""
    head = MAC_BYTES[1] + MAC_BYTES[0] + b'\x88\xb5' + struct.pack('!I', mark)
    return (head + bytes((mark + i) % 256 for i in range(len(head), size)))[:size]


def series(sizes, gap=1000):
    return [(START + i * gap, packet(size, i)) for i, size in enumerate(sizes)]


def contents(packets):
    return [data for _, data in packets]


class Quiet:
    """A lab in which nobody else sends, and a folder for files."""

    def __init__(self, **how):
        self.lab = Lab(addresses=False, **how)
        self.folder = tempfile.TemporaryDirectory()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def __enter__(self):
        self.lab.__enter__()
        return self

    def __exit__(self, kind, value, trace):
        self.folder.cleanup()
        self.lab.__exit__(kind, value, trace)

    def replay(self, data, *words, count=None, status=0):
        """Replays a file with these bytes; what arrives."""
        path = write(self.path('replayed'), data)
        if count is None:
            count = len(read(path))
        dump = Dump(self.lab, 1, self.path('arrived'))
        self.program = self.lab.run(0, command('send', 'va', '-r', path, *words))
        assert self.program.status == status, self.program.err
        return dump.packets(count)

    def refuse(self, data, status, *reasons):
        """The replay ends with one message, of these words."""
        path = write(self.path('refused'), data)
        program = self.lab.run(0, command('send', 'va', '-r', path, '--rate', 'max'))
        assert program.status == status, (program.status, program.err)
        messages = [line for line in program.err.splitlines() if 'refused:' in line and
                    line.startswith(f'xsk: {path}: ')]
        assert len(messages) == 1, program.err
        for reason in reasons:
            assert reason in messages[0], messages[0]
        return program
