# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""What the commands say when they cannot do what they are asked for: in words that can be typed,
not in those of the library's programs."""

import os
import re
import subprocess

from harness import XSK, Lab, case, command, main

FOREIGN = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'foreign.py')
# libpcap takes its time for the longest filters.
PATIENCE = 180
NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all']
CAPABILITIES = 'cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon'
# Each that opens a port, with what makes it do so.
OPENING = (
    ['recv', 'va'],
    ['send', 'va', '--dst', '10.66.0.2', '--dst-mac', '02:00:00:00:66:02'],
    ['echo', 'va'],
    ['echo', '--reflect', 'va'],
    ['forward', 'va', 'vc'],
    ['latency', 'va', '10.66.0.2', '--dst-mac', '02:00:00:00:66:02'],
)


def may(*names):
    """Somebody who has these capabilities, and no others."""
    caps = ','.join(f'+{name}' for name in names)
    return [*NOBODY[:-1], f'--inh-caps=-all,{caps}', f'--ambient-caps={caps}']


def assert_typed(text):
    assert not re.search(r'\bXSK_[A-Z]|\bXDP_[A-Z]|\bBPF_[A-Z]|\bopts\.|\bxsk_\w+\(', text), text


def fails(lab, *words, before=(), status=1):
    """What it says, with this status, the same in JSON."""
    text = lab.run(0, [*before, *command(*words)], timeout=PATIENCE)
    assert text.status == status, (words, text.status, text.out, text.err)
    assert_typed(text.out + text.err)
    json = lab.run(0, [*before, *command(*words, '--json')], timeout=PATIENCE)
    assert json.status == status, (words, json.status, json.out, json.err)
    assert_typed(json.out + json.err)
    assert any(one['type'] == 'error' for one in json.json()), json.out
    return text.err.splitlines()[-1]


class Host(Lab):
    """With a second pair, whose both ends are here."""

    def __enter__(self):
        super().__enter__()
        self.ip('link', 'add', 'vc', 'type', 'veth', 'peer', 'name', 'vd')
        for iface in ('vc', 'vd'):
            self.ip('link', 'set', iface, 'up')
        return self

    def ip(self, *words):
        program = self.run(0, ['ip', *words])
        assert program.status == 0, program.err


def may_run(said, capabilities=CAPABILITIES, first='run as root'):
    assert said.endswith(f'; {first}, or setcap {capabilities}+ep {os.path.realpath(XSK)}'), said


@case
def without_privileges():
    with Host() as lab:
        for words in OPENING:
            may_run(fails(lab, *words, before=NOBODY))


@case
def without_one_of_them():
    names = ('net_raw', 'net_admin', 'bpf', 'perfmon')
    with Host() as lab:
        for words in OPENING:
            for lacked in names:
                said = lab.run(0, [*may('ipc_lock', *sorted(set(names) - {lacked})),
                                   *command(*words, '-d', '300ms')])
                assert_typed(said.out + said.err)
                # Only who receives needs a program, and only a filter perfmon.
                if said.status:
                    may_run(said.err.splitlines()[-1])
                    assert f'no CAP_{lacked.upper()}' in said.err, said.err
                else:
                    assert words[0] == 'send' or lacked == 'perfmon', (words, lacked)


@case
def without_memory():
    with Host() as lab:
        said = fails(lab, 'recv', 'va', before=['prlimit', '--memlock=65536', *may(
            'net_raw', 'net_admin', 'bpf', 'perfmon')])
        may_run(said, CAPABILITIES + ',cap_ipc_lock', 'run as root, or raise it (ulimit -l)')


@case
def beside_another():
    other = 'end the other command (xsk stats IFACE shows it), or give both the same FILTER and ' \
            '--keep'
    with Host() as lab:
        recv = lab.start(0, command('recv', 'va'))
        recv.expect('taken away')
        for words in OPENING:
            if words[0] not in ('send', 'forward') and '--reflect' not in words:
                said = fails(lab, *words)
                assert other in said or words[0] == 'recv', said
        for words in (['recv', 'va'], ['echo', '--reflect', 'va'], ['forward', 'va', 'vc']):
            said = fails(lab, *words)
            assert said.endswith('; end that process, or take other queues (--queues)'), said
        assert other in fails(lab, 'recv', 'va', '--keep', 'arp')
        assert other in fails(lab, 'recv', 'va', 'arp')
        # As it says.
        assert recv.stop() == 0
        assert lab.run(0, command('echo', 'va', '-d', '100ms')).status == 0


@case
def beside_a_program_of_others():
    with Host() as lab:
        for how in ('link', 'native'):
            foreign = lab.start(0, ['python3', FOREIGN, 'va', how], stdin=subprocess.PIPE)
            foreign.expect('id [0-9]+')
            for words in OPENING:
                if words[0] != 'send':
                    assert 'others_prog' in fails(lab, *words)
            foreign.process.stdin.close()
            assert foreign.wait() == 0
            lab.ip('link', 'set', 'dev', 'va', 'xdp', 'off')


@case
def what_cannot_be():
    with Host(queues=2) as lab:
        for words in (['recv', 'nix0'], ['recv', 'va', '--queues', '7'],
                      ['recv', 'va', '--mode', 'zero-copy'],
                      ['recv', 'va', '--huge', '--frames', '16M'],
                      ['recv', 'va', '--frame-size', '64k'],
                      ['recv', 'va', '--frames', '16M', '--frame-size', '64k', '--huge'],
                      ['recv', 'va', ' or '.join(f'host 10.{i}.{k}.1' for i in range(40)
                                                 for k in range(60))],
                      ['recv', 'va', 'ip6 protochain 6 or ' * 40 + 'ip6 protochain 17'],
                      ['echo', 'va', '--queues', '1-2'], ['send', 'va', '--dst', '10.99.0.1'],
                      ['forward', 'va', 'nix0'], ['forward', 'vc', 'va', '--queues', '0-1'],
                      ['forward', 'va', 'vc', '--mode', 'zero-copy'],
                      ['latency', 'va', '10.99.0.1'], ['probe', 'nix0'],
                      ['stats', 'nix0']):
            fails(lab, *words)
        fails(lab, 'recv', 'va', 'no such thing', status=2)
        fails(lab, 'recv', 'va', before=['prlimit', '--nofile=5'])
        for mtu in (4000, 9000):
            lab.ip('link', 'set', 'dev', 'va', 'mtu', str(mtu))
            said = fails(lab, 'recv', 'va', '--frame-size', '2048')
            assert '--multi-buffer' in said and '--large-mtu' in said, said


@case
def tried_by_probe():
    with Host() as lab:
        for before in (NOBODY, may('net_raw'), may('net_raw', 'net_admin', 'bpf'),
                       ['prlimit', '--nofile=7']):
            tried = lab.run(0, [*before, *command('probe', '--test', 'va')])
            assert_typed(re.sub('CONFIG_XDP_SOCKETS_DIAG', '', tried.out) + tried.err)


main()
