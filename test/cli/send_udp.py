# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""xsk send: the packets of UDP that it makes, as tshark reads them; to whom, and from whom."""

import os
import struct
import tempfile
import time

from captures import Dump, tshark
from harness import ADDRESSES, ADDRESSES6, Lab, MACS, case, command, ip, main

FIELDS = ('eth.dst', 'eth.src', 'ip.src', 'ip.dst', 'ip.ttl', 'ip.checksum.status', 'ipv6.src',
          'ipv6.dst', 'ipv6.hlim', 'udp.srcport', 'udp.dstport', 'udp.checksum.status',
          'udp.length', 'frame.len', 'vlan.id', '_ws.malformed')
GOOD = '1'


class Made:
    """The packets that a command line makes: as tshark reads them, and their payloads."""

    def __init__(self, lab, *words, count, more=()):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'arrived')
            dump = Dump(lab, 1, path, 'udp or (vlan and udp)')
            before = time.time_ns()
            self.program = lab.run(0, command('send', 'va', *words, '-c', count, '--rate', '20k',
                                              *more))
            assert self.program.status == 0, self.program.err
            packets = dump.packets(count)
            after = time.time_ns()
            self.rows = [dict(zip(FIELDS, row)) for row in tshark(path, *FIELDS)]
        assert len(self.rows) == len(packets) == count
        for number, (row, (_, data)) in enumerate(zip(self.rows, packets)):
            assert row['udp.checksum.status'] == GOOD, row
            assert row['ip.checksum.status'] == (GOOD if row['ip.src'] else ''), row
            assert not row['_ws.malformed']
            payload = data[len(data) - int(row['udp.length']) + 8:]
            magic, sequence, stamp = struct.unpack('!HQQ', payload[:18])
            assert (magic, sequence) == (0x5853, number)
            assert before <= stamp <= after
            assert payload[18:] == bytes(i % 256 for i in range(18, len(payload)))

    def all(self, *fields):
        """The one value of these fields in all of the packets."""
        values = {tuple(row[field] for field in fields) for row in self.rows}
        assert len(values) == 1, values
        return values.pop()

    def each(self, field):
        return [row[field] for row in self.rows]


@case
def ipv4_as_it_comes():
    with Lab() as lab:
        made = Made(lab, '--dst', ADDRESSES[1], count=50)
        assert made.all('eth.src', 'eth.dst', 'ip.src', 'ip.dst', 'ip.ttl', 'udp.srcport',
                        'udp.dstport', 'frame.len', 'vlan.id') == \
            (*MACS, *ADDRESSES, '64', '9', '9', '60', '')


@case
def ipv6_as_it_comes():
    with Lab() as lab:
        made = Made(lab, '--dst', ADDRESSES6[1], count=50)
        assert made.all('eth.src', 'eth.dst', 'ipv6.src', 'ipv6.dst', 'ipv6.hlim', 'udp.srcport',
                        'udp.dstport', 'frame.len', 'vlan.id') == \
            (*MACS, *ADDRESSES6, '64', '9', '9', '80', '')


@case
def all_that_can_be_said():
    with Lab() as lab:
        made = Made(lab, '--dst', '192.0.2.1', '--src', '198.51.100.7', '--dport', 4053, '--sport',
                    '4321', '--dst-mac', '02:aa:bb:cc:dd:ee', '--src-mac', '02:11:22:33:44:55',
                    '--size', '1518', '--ttl', '7', '--vlan', '123', count=10)
        assert made.all('eth.src', 'eth.dst', 'ip.src', 'ip.dst', 'ip.ttl', 'udp.srcport',
                        'udp.dstport', 'frame.len', 'vlan.id') == \
            ('02:11:22:33:44:55', '02:aa:bb:cc:dd:ee', '198.51.100.7', '192.0.2.1', '7', '4321',
             '4053', '1518', '123')


@case
def ranges():
    with Lab() as lab:
        made = Made(lab, '--dst', f'{ADDRESSES[1]}-10.66.0.4', '--src', '10.66.0.255-10.66.1.0',
                    '--dport', '1000-1004', '--sport', '65534-65535', '--dst-mac', MACS[1],
                    count=30)
        assert made.each('ip.dst') == [f'10.66.0.{2 + i % 3}' for i in range(30)]
        assert made.each('ip.src') == ['10.66.0.255', '10.66.1.0'] * 15
        assert made.each('udp.dstport') == [str(1000 + i % 5) for i in range(30)]
        assert made.each('udp.srcport') == ['65534', '65535'] * 15
        made = Made(lab, '--dst', 'fd66::fffe-fd66::1:1', '--dst-mac', MACS[1], count=8)
        assert made.each('ipv6.dst') == ['fd66::fffe', 'fd66::ffff', 'fd66::1:0', 'fd66::1:1'] * 2


@case
def sizes():
    with Lab() as lab:
        for size in (60, 61, 1514):
            made = Made(lab, '--dst', ADDRESSES[1], '--size', size, count=3)
            assert made.all('frame.len', 'udp.length') == (str(size), str(size - 34))
        for size in (80, 1513):
            made = Made(lab, '--dst', ADDRESSES6[1], '-s', size, count=3)
            assert made.all('frame.len', 'udp.length') == (str(size), str(size - 54))


@case
def a_kernel_takes_them():
    """To a socket, which checks them as it does all others."""
    receive = ('import socket, sys; s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); '
               's.bind(("::", 4000)); s.settimeout(10); print("ready", flush=True); '
               'print(*(len(s.recv(9999)) for _ in range(int(sys.argv[1]))))')
    with Lab() as lab:
        for address, size in ((ADDRESSES[1], 142), (ADDRESSES6[1], 162)):
            program = lab.start(1, ['python3', '-c', receive, '200'])
            program.expect('ready')
            sender = lab.run(0, command('send', 'va', '--dst', address, '--dport', 4000, '--size',
                                        size, '-c', '200'))
            assert sender.status == 0
            assert program.wait() == 0
            assert program.out.split()[1:] == ['100'] * 200


# ---- to whom ----


def refused(lab, *words):
    """The one message with which it ends."""
    program = lab.run(0, command('send', 'va', *words, '-c', '1'))
    assert program.status == 1, program.err
    lines = [line for line in program.err.splitlines() if 'queue 0, ' not in line]
    assert len(lines) == 1 and not program.out, program.err
    return lines[0]


@case
def a_gateway():
    with Lab() as lab:
        ip('-n', lab.namespaces[0], 'route', 'add', '192.0.2.0/24', 'via', ADDRESSES[1])
        ip('-n', lab.namespaces[0], 'route', 'add', '2001:db8::/32', 'via', ADDRESSES6[1])
        ip('-n', lab.namespaces[0], 'route', 'add', '198.51.100.0/24', 'via', 'inet6',
           ADDRESSES6[1], 'dev', 'va')
        for dst in ('192.0.2.9', '198.51.100.1'):
            made = Made(lab, '--dst', dst, count=2)
            assert made.all('eth.dst', 'ip.src', 'ip.dst') == (MACS[1], ADDRESSES[0], dst)
        made = Made(lab, '--dst', '2001:db8::7', count=2)
        assert made.all('eth.dst', 'ipv6.src') == (MACS[1], ADDRESSES6[0])


@case
def neighbours_that_are_known_need_not_answer():
    with Lab() as lab:
        ip('-n', lab.namespaces[0], 'neigh', 'add', '10.66.0.77', 'lladdr', '02:00:00:00:00:77',
           'dev', 'va', 'nud', 'permanent')
        made = Made(lab, '--dst', '10.66.0.77', count=1)
        assert made.all('eth.dst') == ('02:00:00:00:00:77',)


@case
def many_at_once():
    with Lab() as lab:
        for dst, mac in (('224.0.0.251', '01:00:5e:00:00:fb'), ('255.255.255.255',
                                                                'ff:ff:ff:ff:ff:ff')):
            made = Made(lab, '--dst', dst, '--src', ADDRESSES[0], count=1)
            assert made.all('eth.dst', 'ip.dst') == (mac, dst)
        made = Made(lab, '--dst', 'ff02::1:2', '--src', ADDRESSES6[0], count=1)
        assert made.all('eth.dst') == ('33:33:00:01:00:02',)
    with Lab(addresses=False) as lab:       # where the kernel has no way
        made = Made(lab, '--dst', 'ff05::7', '--src', 'fd00::1', count=1)
        assert made.all('eth.dst', 'ipv6.src') == ('33:33:00:00:00:07', 'fd00::1')


@case
def nobody_there():
    with Lab() as lab:
        assert '10.66.0.99 does not answer ARP; give --dst-mac' in refused(lab, '--dst',
                                                                           '10.66.0.99')
        assert 'fd66::99 does not answer neighbour discovery; give --dst-mac' in \
            refused(lab, '--dst', 'fd66::99')
        assert 'there is no way to 2001:db8::1 by it; give --dst-mac and --src' in \
            refused(lab, '--dst', '2001:db8::1')
        assert f'{ADDRESSES[0]} is an address of this host' in refused(lab, '--dst', ADDRESSES[0])
    with Lab(addresses=False) as lab:
        assert 'it has no address to send to 10.66.0.2 from; give --src' in \
            refused(lab, '--dst', '10.66.0.2', '--dst-mac', MACS[1])


@case
def sizes_that_cannot_be():
    with Lab() as lab:
        to = ('--dst', ADDRESSES[1], '--size')
        assert 'have no room for what is in them; --size 60 or more' in refused(lab, *to, '59')
        assert '--size 64 or more' in refused(lab, *to, '60', '--vlan', '1')
        assert '--size 80 or more' in refused(lab, '--dst', ADDRESSES6[1], '--size', '79')
        assert 'do not fit its MTU of 1500; --size 1514, or ip link set dev va mtu 1501' in \
            refused(lab, *to, '1515')
    with Lab(mtu=9000) as lab:
        assert 'do not fit a frame of 4096; --multi-buffer' in refused(lab, *to, '9014')


main()
