# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""Interfaces that go by odd names, and by several: for all commands."""

import os

from harness import ADDRESSES, Lab, Program, case, command, main

# What a terminal would take for something else, and what is no text.
ODD = (b'e\x1b[2Jx', b'e\xff')
SHOWN = ('e?[2Jx', 'e?')
# As long as one may be, and one that older calls have room for.
ALTERNATIVES = ('alt0', 'a' * 127)
FAR = ['--dst', '10.7.0.2', '--dst-mac', '02:00:00:00:00:02']


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


main()
