# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""Three hosts in a row: host 0 with va, the one in the middle with fa and fb, host 1 with vb.
The hosts at the ends have addresses, and reach each other if something forwards in between.

    with Path(queues=(1, 4)) as path:
        forward = path.forward('--json')
        path.run(0, ['ping', ...])
"""

import json
import os
import subprocess
import sys

from harness import ADDRESSES, ADDRESSES6, MACS, PATIENCE, Lab, Program, command, ip

INNER = ('fa', 'fb')
OUTER = ('va', 'vb')
INNER_MACS = ('02:00:00:00:66:a1', '02:00:00:00:66:a2')


def queue_words(queues):
    """A number of both, or of RX and TX."""
    rx, tx = queues if isinstance(queues, tuple) else (queues, queues)
    return ['numrxqueues', str(rx), 'numtxqueues', str(tx)]


class Path(Lab):
    """As Lab, but with what is in the middle: self.middle."""

    def __init__(self, queues=(1, 1), mtus=(1500, 1500)):
        super().__init__()
        self.path_queues = queues
        self.mtus = mtus
        self.middle = f'xsk-cli-{os.getpid()}-m'

    def __enter__(self):
        super().__enter__()
        ip('-n', self.namespaces[0], 'link', 'delete', 'va')
        ip('netns', 'add', self.middle)
        self.write(self.middle, 'net/ipv6/conf/default/disable_ipv6', '1')
        for side in range(2):
            self.add_pair(side)
        return self

    def add_pair(self, side):
        """From the middle to an end. The end can send by as many queues as it is heard on."""
        queues = self.path_queues[side]
        heard = queues[0] if isinstance(queues, tuple) else queues
        mtu = ['mtu', str(self.mtus[side])]
        ip('link', 'add', OUTER[side], 'netns', self.namespaces[side], 'address', MACS[side],
           *queue_words((max(heard, 8), heard)), *mtu, 'type', 'veth', 'peer', 'name',
           INNER[side], 'netns', self.middle, 'address', INNER_MACS[side],
           *queue_words(queues), *mtu)
        ip('-n', self.middle, 'link', 'set', INNER[side], 'up')
        self.set_up(side)

    def add_spare(self, names=('wa', 'wb'), queues=1):
        """Another pair, both ends in the middle."""
        ip('-n', self.middle, 'link', 'add', names[0], *queue_words(queues), 'type', 'veth',
           'peer', 'name', names[1], *queue_words(queues))
        for name in names:
            ip('-n', self.middle, 'link', 'set', name, 'up')

    def inside(self, side, argv):
        if side == 'm':
            return ['ip', 'netns', 'exec', self.middle, *argv]
        return super().inside(side, argv)

    def forward(self, *words, between=INNER):
        """Starts it, and waits until it does."""
        program = self.start('m', command('forward', *between, *words))
        # Both, in either order.
        program.expect(rf'{between[0]}: queue')
        program.expect(rf'{between[1]}: queue')
        return program

    def ping(self, address=ADDRESSES[1], count=3, words=()):
        """Whether all come back."""
        program = self.run(0, ['ping', '-c', str(count), '-i', '0.2', '-W', '2', *words, address])
        return program.status == 0 and ' 0% packet loss' in program.out

    def python(self, side, text, *words):
        """Starts a program in Python, which is its text."""
        return self.start(side, [sys.executable, '-c', text, *[str(word) for word in words]])

    def iperf(self, *words, seconds=5, six=False, patience=PATIENCE):
        """The throughput of each second in bit/s, or None: it had no end."""
        server = self.start(1, ['iperf3', '-s', '-1', '--forceflush'])
        server.expect('listening')
        client = self.start(0, ['iperf3', '-c', (ADDRESSES6 if six else ADDRESSES)[1], '-J',
                                '-t', str(seconds), *words])
        try:
            status = client.wait(seconds + patience)
        except AssertionError:
            return None
        finally:
            server.kill()
        if status:
            return None
        return [one['sum']['bits_per_second'] for one in json.loads(client.out)['intervals']]

    def assert_nothing_left(self):
        shown = subprocess.run(['ip', '-n', self.middle, '-d', 'link', 'show'],
                               capture_output=True, text=True, check=True).stdout
        assert 'xdp' not in shown, shown
        self.assert_ends()

    def assert_ends(self):
        """What is on the ends, if they are there: a test may delete one."""
        for side in range(2):
            shown = subprocess.run(['ip', '-n', self.namespaces[side], '-d', 'link', 'show'],
                                   capture_output=True, text=True, check=True).stdout
            assert 'xdp' not in shown, shown

    def close_namespaces(self):
        if os.path.exists(f'/run/netns/{self.middle}'):
            for iface in (*INNER, 'wa'):
                subprocess.run(['ip', '-n', self.middle, 'link', 'delete', iface],
                               capture_output=True, check=False)
            ip('netns', 'delete', self.middle)
        super().close_namespaces()


def totals(program):
    """The two objects at the end of a forward with --json."""
    found = [one for one in program.json() if one['type'] == 'total']
    assert len(found) == 2, program.out
    return found


def assert_law(total):
    """Each frame is in one place, none is with the caller, and nobody has done wrong."""
    stats = total['stats']
    places = ('in_pool', 'in_fill', 'in_rx', 'in_tx', 'in_comp', 'in_caller')
    assert sum(stats[place] for place in places) == stats['frames'], stats
    for name in ('in_caller', 'refused', 'bad_frames', 'tx_invalid', 'rx_invalid'):
        assert stats[name] == 0, stats


# Sends datagrams with a number each, from many ports: where to, how many. As many are on the
# way as fit the smallest ring, for the receiver says when it has some: so none need be lost.
SENDER = r'''
import socket, struct, sys
host, count = sys.argv[1], int(sys.argv[2])
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(61)]
for one in sockets:
    one.connect((host, 7777))
    one.settimeout(3)
for number in range(count):
    one = sockets[number % len(sockets)]
    one.send(struct.pack('!I', number) + bytes(number % 1400))
    if number % 32 == 31:
        one.recv(16)
'''

# Receives such until there are none for a while; says how many different ones it were.
RECEIVER = r'''
import socket, struct, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)      # SO_RCVBUFFORCE
one.bind(('', 7777))
print('ready', flush=True)
numbers = set()
wrong = 0
one.settimeout(20)
try:
    while len(numbers) < int(sys.argv[1]):
        data, peer = one.recvfrom(2000)
        number = struct.unpack('!I', data[:4])[0]
        wrong += data[4:] != bytes(number % 1400)
        numbers.add(number)
        if number % 32 == 31:
            one.sendto(b'ok', peer)
        one.settimeout(4)
except TimeoutError:
    pass
print(f'got {len(numbers)} wrong {wrong}', flush=True)
'''


def send_numbers(path, frm, count):
    """From an end to the other one; how many arrive."""
    receiver = path.python(1 - frm, RECEIVER, count)
    receiver.expect('ready')
    path.python(frm, SENDER, ADDRESSES[1 - frm], count).wait(60)
    got = receiver.expect(r'got (\d+) wrong (\d+)', 60)
    assert receiver.wait() == 0
    assert got[2] == '0', got[0]
    return int(got[1])


__all__ = ['INNER', 'Path', 'Program', 'assert_law', 'send_numbers', 'totals']
