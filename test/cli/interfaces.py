# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""Interfaces that go by odd names, by several, or that are not Ethernet: for all commands."""

import os
import subprocess
import sys

from harness import ADDRESSES, Lab, Program, case, command, main

# What a terminal would take for something else, and what is no text.
ODD = (b'e\x1b[2Jx', b'e\xff')
SHOWN = ('e?[2Jx', 'e?')
# As long as one may be, and one that older calls have room for.
ALTERNATIVES = ('alt0', 'a' * 127)
FAR = ['--dst', '10.7.0.2', '--dst-mac', '02:00:00:00:00:02']
# A TUN interface: holds it until its standard input ends, and tells what came by it.
TUN = r'''
import fcntl, os, select, struct, sys
fd = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH22x', b'tun0', 0x1001))
os.system('ip link set tun0 up; ip address add 10.8.0.1/24 dev tun0')
print('ready', flush=True)
while True:
    ready = select.select([fd, 0], [], [])[0]
    if 0 in ready:
        break
    print('got', os.read(fd, 2048).hex(), flush=True)
'''


class Host(Lab):
    """With a second pair, whose one end has this name, and an address."""

    def __init__(self, name=b'vc'):
        super().__init__()
        self.name = os.fsdecode(name)

    def __enter__(self):
        super().__enter__()
        self.ip('link', 'add', 'vc', 'address', '02:00:00:00:00:01', 'type', 'veth', 'peer',
                'name', 'vd')
        if self.name != 'vc':
            self.ip('link', 'set', 'vc', 'name', self.name)
        for iface in (self.name, 'vd'):
            self.ip('link', 'set', iface, 'up')
        self.ip('address', 'add', '10.7.0.1/24', 'dev', self.name)
        return self

    def ip(self, *words):
        program = self.run(0, ['ip', *words])
        assert program.status == 0, program.err


def good(lab, *words, status=0):
    program = lab.run(0, command(*words))
    assert program.status == status, (words, program.status, program.out, program.err)
    assert '\x1b' not in program.out + program.err, program.out + program.err
    return program


def all_of(lab, name, shown):
    """Each command, in text and in JSON: it knows the interface, and shows its name so."""
    reflect = ['--reflect', '--dst-mac', '02:00:00:00:00:02', '-c', '2', '--timeout', '20ms']
    for words, status in ((['recv', name, '-d', '100ms'], 0),
                          (['recv', name, '-d', '100ms', '--count'], 0),
                          (['send', name, '-c', '2', *FAR], 0),
                          (['echo', name, '-d', '100ms'], 0),
                          (['echo', '--reflect', name, '-d', '100ms'], 0),
                          (['forward', name, 'va', '-d', '100ms'], 0),
                          (['latency', name, *reflect], 1),
                          (['latency', name, '10.7.0.9', *reflect[1:]], 1),
                          (['stats', name, '--once'], 0),
                          (['probe', name], 0)):
        assert shown in good(lab, *words, status=status).out, words
        objects = good(lab, *words, '--json', status=status).json()
        last = [one for one in objects if one['type'] != 'error'][-1]
        if words[0] == 'probe':
            last = last['interfaces'][0]
        assert shown in (last.get('interface'), last.get('from'), last.get('to')), objects


@case
def odd_names():
    for name, shown in zip(ODD, SHOWN):
        with Host(name) as lab:
            all_of(lab, lab.name, shown)


@case
def rates_name_it():
    with Host() as lab:
        reflect = ['--reflect', '--dst-mac', '02:00:00:00:00:02', '--timeout', '20ms']
        for words, status in ((['recv', 'vc', '--count'], 0), (['send', 'vc', *FAR], 0),
                              (['echo', 'vc'], 0), (['latency', 'vc', *reflect], 1)):
            objects = good(lab, *words, '--json', '-d', '1200ms', status=status).json()
            rates = [one for one in objects if one['type'] == 'rate']
            assert rates and all(one['interface'] == 'vc' for one in rates), objects


@case
def odd_name_in_a_terminal():
    with Host(ODD[0]) as lab:
        program = Program(lab.inside(0, command('latency', lab.name, '--reflect', '--dst-mac',
                                                '02:00:00:00:00:02', '-c', '2', '--timeout',
                                                '20ms')), terminal=True)
        assert program.wait() == 1
        assert '\x1b[2J' not in program.out and SHOWN[0] in program.out, program.out


@case
def own_mac_of_an_odd_name():
    # What is sent has it, and what the interface drops is counted.
    for name in ODD:
        with Host(name) as lab:
            taken = lab.start(0, command('recv', 'vd', '-c', '1', '--json', 'udp'))
            taken.expect('taken away')
            good(lab, 'send', lab.name, '-c', '3', *FAR)
            assert taken.wait() == 0
            assert taken.json()[0]['eth_src'] == '02:00:00:00:00:01', taken.out
            lab.ip('link', 'set', 'vd', 'down')
            sent = lab.run(0, command('send', lab.name, '-c', '3', '--json', *FAR))
            total = [one for one in sent.json() if one['type'] == 'total'][0]
            assert total['interface_dropped'] == 3, sent.out


@case
def alternative_names():
    with Host() as lab:
        for name in ALTERNATIVES:
            lab.ip('link', 'property', 'add', 'dev', 'vc', 'altname', name)
            all_of(lab, name, 'vc')
            recv = lab.start(0, command('recv', name))
            recv.expect('taken away')
            assert 'xsk recv' in good(lab, 'stats', 'vc', '--once').out
            assert 'xsk recv' in good(lab, 'stats', name, '--once').out
            assert recv.stop() == 0
            for words in ((name, 'vc'), ('vc', name), (name, name)):
                program = good(lab, 'forward', *words, status=2)
                assert 'xsk: vc: it cannot be both' in program.err, program.err
        # What is none stays what it was called.
        for name in ('alt1', 'b' * 127, 'b' * 300):
            for words in (['recv', name], ['echo', name], ['forward', 'va', name],
                          ['latency', name, ADDRESSES[1]], ['stats', name], ['probe', name]):
                said = good(lab, *words, status=1).err.splitlines()[-1]
                assert said.startswith(f'xsk: {name}: ') and 'there is no interface' in said, said


@case
def not_ethernet():
    with Host() as lab:
        tun = lab.start(0, [sys.executable, '-c', TUN], stdin=subprocess.PIPE)
        tun.expect('ready')
        for words in (['recv', 'tun0', '-d', '1'], ['recv', 'tun0', '-w', '/dev/null', '-d', '1'],
                      ['send', 'tun0', '-c', '2', '--dst', '10.8.0.2', '--src-mac',
                       '02:00:00:00:00:01', '--dst-mac', '02:00:00:00:00:02'],
                      ['forward', 'tun0', 'va', '-d', '1'], ['forward', 'va', 'tun0', '-d', '1'],
                      ['echo', 'tun0', '-d', '1'], ['echo', '--reflect', 'tun0', '-d', '1'],
                      ['latency', 'tun0', '10.8.0.2', '-c', '1']):
            said = good(lab, *words, status=1).err.splitlines()[-1]
            assert said.startswith('xsk: tun0: ') and 'Ethernet' in said, said
        # Frames would have begun with a MAC where a version of IP is due.
        tun.process.stdin.close()
        assert tun.wait() == 0
        assert not any(line.startswith('got 02') for line in tun.out.splitlines()), tun.out


@case
def loopback():
    # It has no addresses of Ethernet, but headers as if.
    with Host() as lab:
        lo = ['lo', '-m', 'generic', '--large-mtu']
        recv = lab.start(0, command('recv', *lo, '-c', '1', '--json', 'icmp'))
        recv.expect('taken away')
        lab.run(0, ['ping', '-c', '1', '-W', '1', '127.0.0.1'])
        assert recv.wait() == 0
        assert recv.json()[0]['ip_src'] == '127.0.0.1', recv.out
        good(lab, 'send', 'lo', '-c', '1', '--dst', '10.7.9.9', '--src', '10.7.9.8',
             '--dst-mac', '02:00:00:00:00:02')


main()
