# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""xsk probe: what it tells of an interface is what was made here; each line that is not good
ends with the command that mends it, and that does; and nothing is changed."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

from harness import Lab, Skip, XSK, asan, case, command, ip, main

FOREIGN = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'foreign.py')
NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all']


def assert_can_be_typed(out):
    """What it tells to do is in words that the command has, or another one that is named."""
    for words in re.findall(r'(xsk \w+)?[ (]((?:--)[a-z-]+)', out):
        assert words in (('xsk probe', '--test'), ('xsk recv', '--multi-buffer')), (words, out)
    assert not re.search(r'XSK_(?!DIAG)|XDP_(?!SOCKETS)|opts\.', out), out


def run(lab, *words, before=(), **how):
    program = lab.run(0, [*before, *command('probe', *words)], **how)
    assert_can_be_typed(program.out)
    return program


def probe(lab, *words, **how):
    program = run(lab, *words, **how)
    assert program.status == 0, (program.status, program.out, program.err)
    assert not program.err, program.err
    return program.out


def asked(lab, *words, **how):
    """The one object."""
    lines = probe(lab, '--json', *words, **how).splitlines()
    assert len(lines) == 1, lines
    found = json.loads(lines[0])
    assert found['type'] == 'probe' and set(found) == {'type', 'kernel', 'you', 'interfaces'}
    return found


def interface(lab, **how):
    found = asked(lab, 'va', **how)['interfaces']
    assert len(found) == 1 and found[0]['interface'] == 'va', found
    return found[0]


def preload(library):
    """The sanitizers' library wants to be first."""
    return {'LD_PRELOAD': f'{asan()} {library}'.strip()}


def line(out, what):
    """What is said in that line."""
    found = re.findall(rf'^  {what} +(\S.*)$', out, re.M)
    assert len(found) == 1, f'{what}: {found}\n{out}'
    return found[0]


def quoted(text):
    """As the command does it for a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def mend(lab, text):
    """Does what the end of the line says."""
    words = text.rsplit('; ', 1)[1]
    subprocess.run(lab.inside(0, shlex.split(words)), check=True)


def state(lab):
    """All that can be read of the interface, without what moves by itself."""
    read = subprocess.run(lab.inside(0, ['sh', '-c', 'ip -d link show va; ethtool -l va; '
                                         'ethtool -k va; sysctl -a 2>&1 | grep bpf_jit; true']),
                          capture_output=True, text=True, check=True).stdout
    assert 'va' in read and 'generic-receive-offload' in read, read
    return read


class Foreign:
    """A program of others on va of host 0."""

    def __init__(self, lab, how):
        self.lab = lab
        self.how = how

    def __enter__(self):
        self.process = subprocess.Popen(
            self.lab.inside(0, ['python3', FOREIGN, 'va', self.how]), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        said = self.process.stdout.readline().split()
        assert said and said[0] == 'id', said
        self.id = int(said[1])
        return self

    def __exit__(self, *why):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        for kind in ('xdp', 'xdpgeneric'):
            subprocess.run(['ip', '-n', self.lab.namespaces[0], 'link', 'set', 'dev', 'va', kind,
                            'off'], capture_output=True, check=False)


# ---- what is there ----

@case
def a_good_one():
    with Lab(queues=2) as lab:
        before = state(lab)
        out = probe(lab, 'va')
        assert out.startswith(f'Linux {os.uname().release}\n'), out
        assert line(out, 'AF_XDP') == 'can be used'
        assert '\nYou, uid 0\n' in out and '\nva\n' in out
        assert line(out, 'driver') == 'veth'
        assert line(out, 'link').startswith('up, carrier')
        assert line(out, 'queues') == '2 RX and TX, of 2 and 2 possible'
        assert line(out, 'MTU').startswith('1500; a frame of 4096 has room for ')
        assert line(out, 'zero-copy').startswith(('no: driver veth', 'not told'))
        assert line(out, 'program') == 'none'
        assert '\x1b' not in out and 'test' not in out
        assert state(lab) == before


@case
def json_agrees():
    with Lab(queues=2) as lab:
        before = state(lab)
        found = asked(lab, 'va')
        assert found['kernel']['release'] == os.uname().release
        assert found['kernel']['usable'] is True and 'error' not in found['kernel']
        assert found['you']['uid'] == 0 and found['you']['capabilities']['net_raw'] is True
        one = found['interfaces'][0]
        assert (one['driver'], one['mtu'], one['rx_queues'], one['tx_queues']) == \
            ('veth', 1500, 2, 2)
        assert one['up'] is one['carrier'] is one['ethernet'] is True
        assert one['programs'] == [] and one['sockets'] in ([], None)
        assert not {'link', 'queues', 'MTU', 'program'} & {p['what'] for p in one['problems']}
        assert 'test' not in one
        out = probe(lab, 'va')
        problems = [f"{problem['text']}; {problem['mend']}"
                    for part in (found['kernel'], found['you'], one)
                    for problem in part['problems']]
        assert all(f'{problem}\n' in out for problem in problems), problems
        # They are what is yellow or red.
        coloured = probe(lab, 'va', terminal=True)
        assert sorted(re.findall(r'\x1b\[3[13]m(.*?)\x1b\[0m', coloured)) == sorted(problems)
        most = one['copy_mtu_4096']
        assert one['copy_mtu_2048'] == most - 2048
        assert line(out, 'MTU').endswith(f' room for {most}, of 2048 for {most - 2048}')
        assert state(lab) == before


@case
def all_interfaces():
    with Lab() as lab:
        ip('-n', lab.namespaces[0], 'link', 'add', 'down0', 'type', 'veth', 'peer', 'name',
           'down1')
        out = probe(lab)
        assert re.search(r'^va  veth, queues 1, MTU 1500, ', out, re.M), out
        assert re.search(r'^down0  veth, .*\n  link +down; ip link set dev down0 up$', out,
                         re.M), out
        assert not re.search(r'^lo ', out, re.M), out
        found = asked(lab)['interfaces']
        assert {one['interface'] for one in found} == {'va', 'down0', 'down1'}, found
        # What stands behind va is of the next one: nothing is wrong with it.
        assert not re.search(r'^va .*\n  ', out, re.M), out


# ---- what is not good ----

@case
def down():
    with Lab() as lab:
        ip('-n', lab.namespaces[0], 'link', 'set', 'va', 'down')
        said = line(probe(lab, 'va'), 'link')
        assert said == 'down; ip link set dev va up'
        assert interface(lab)['up'] is False
        mend(lab, said)
        assert line(probe(lab, 'va'), 'link').startswith('up')
        ip('-n', lab.namespaces[1], 'link', 'set', 'vb', 'down')
        assert line(probe(lab, 'va'), 'link').endswith('; ethtool va')


@case
def mtu_too_large():
    with Lab(mtu=9000) as lab:
        said = line(probe(lab, 'va'), 'MTU')
        assert said.startswith('9000 is too large'), said
        most = interface(lab)['copy_mtu_4096']
        assert said.endswith(f'; ip link set dev va mtu {most}'), said
        tried = run(lab, '--test', 'va')
        assert line(tried.out, 'test native').endswith('a smaller MTU (ip link set mtu)'), tried.out
        mend(lab, said)
        assert line(probe(lab, 'va'), 'MTU').startswith(f'{most}; ')
        assert interface(lab)['mtu'] == most


@case
def fewer_queues():
    with Lab(queues=4) as lab:
        if subprocess.run(lab.inside(0, ['ethtool', '-L', 'va', 'rx', '4', 'tx', '2']),
                          capture_output=True, check=False).returncode:
            raise Skip('the queues of a veth cannot be switched off here')
        said = line(probe(lab, 'va'), 'queues')
        assert said == '4 RX and 2 TX, so some only receive; ethtool -L va rx 2 tx 2', said
        assert [(one['what'], one['mend']) for one in interface(lab)['problems']
                if one['what'] == 'queues'] == [('queues', 'ethtool -L va rx 2 tx 2')]
        mend(lab, said)
        assert line(probe(lab, 'va'), 'queues').startswith('2 RX and TX, of 4')


@case
def names_are_quoted():
    with Lab() as lab:
        ip('-n', lab.namespaces[0], 'link', 'add', "a;b$('", 'type', 'veth', 'peer', 'name', 'b')
        said = line(probe(lab, "a;b$('"), 'link')
        mend(lab, said)
        assert line(probe(lab, "a;b$('"), 'link').startswith('no carrier')


def others_program(how, mode):
    with Lab() as lab, Foreign(lab, how) as foreign:
        said = line(probe(lab, 'va'), 'program')
        way = 'link' if how == 'link' else 'netlink'
        assert said.startswith(f'others_prog (id {foreign.id}), {mode}, by {way}, no XSKMAP, '
                               'loaded by uid 0, '), said
        assert f'open in python3 (pid {foreign.process.pid}); ports cannot join it; ' in said
        one = interface(lab)
        assert one['programs'][0]['id'] == foreign.id
        assert one['programs'][0]['name'] == 'others_prog'
        assert one['programs'][0]['mode'] == mode
        assert one['programs'][0]['xskmap'] is None
        assert one['programs'][0]['by_link'] is (how == 'link')
        assert {'pid': foreign.process.pid, 'name': 'python3'} in one['programs'][0]['processes']
        assert ', program others_prog' in probe(lab), probe(lab)
        # The test does not remove it.
        tried = run(lab, '--test', 'va')
        assert tried.status == 1 and not re.search(r'opened', tried.out), tried.out
        assert 'others_prog' in line(tried.out, 'test native')
        assert re.search(r'; (detach it \(ip link set dev va xdp(generic)? off\)|stop the process .*), or '
                         'give it such a map$', line(tried.out, 'test native')), tried.out
        assert interface(lab)['programs'][0]['id'] == foreign.id
        mend(lab, said)
        if how == 'link':
            foreign.process.wait()
        assert line(probe(lab, 'va'), 'program') == 'none'


@case
def a_program_of_others():
    others_program('native', 'native')


@case
def a_generic_program_of_others():
    others_program('generic', 'generic')


@case
def a_program_of_others_by_link():
    others_program('link', 'native')


@case
def a_program_that_is_pinned():
    """No process has it any more: it stays by a file, which is told."""
    with Lab() as lab, tempfile.TemporaryDirectory(prefix="xsk pin's ") as folder:
        pin = os.path.join(folder, 'others')
        # The mount is of this shell alone, and goes with it.
        program = lab.run(0, ['sh', '-c', """
            mount -t bpf bpf "$1" || exit 77
            python3 "$2" va link "$1/others" </dev/null || exit
            "$3" probe va; "$3" probe --json va
            said=$("$3" probe va | sed -n 's/^  program  *//p')
            eval "${said##*; }"
            "$3" probe va
            """, 'sh', folder, FOREIGN, XSK])
        if program.status == 77:
            raise Skip('a bpffs cannot be mounted here')
        assert program.status == 0 and not program.err, program.err
        before, after = re.findall(r'^  program +(\S.*)$', program.out, re.M)
        assert re.search(r', by link, no XSKMAP, loaded by uid 0, \d+ s ago; its link is pinned at '
                         rf'{re.escape(pin)}; ports cannot join it; rm {re.escape(quoted(pin))}$',
                         before), before
        assert after == 'none'
        found = json.loads(re.search(r'^\{.*\}$', program.out, re.M)[0])['interfaces'][0]
        assert [(one['pin'], one['link_pinned'], one['processes'])
                for one in found['programs']] == [(pin, True, [])], found


@case
def a_port_of_xsk():
    with Lab() as lab:
        recv = lab.start(0, command('recv', 'va'))
        recv.expect('taken away')
        out = probe(lab, 'va')
        said = line(out, 'program')
        assert said.startswith('libxsk_'), said
        assert ', by link, XSKMAP xsks_map, loaded by uid 0, ' in said, said
        assert f'open in xsk (pid {recv.process.pid})' in said, said
        one = interface(lab)
        assert one['programs'][0]['processes'] == [{'pid': recv.process.pid, 'name': 'xsk'}]
        if one['sockets'] is not None:
            assert [socket['queue'] for socket in one['sockets']] == [0], one
            said = line(out, 'socket')
            assert said.startswith('queue 0: taken'), said
            if 'processes' in one['sockets'][0]:
                assert said.endswith(f'; kill {recv.process.pid}'), said
        # With a queue that is taken nothing opens, and the one that is there goes on.
        tried = run(lab, '--test', 'va')
        assert tried.status == 1 and 'opened' not in tried.out, tried.out
        assert re.fullmatch(r'xsk: va: no port can be opened in any mode\n', tried.err), tried.err
        assert recv.process.poll() is None
        assert recv.stop(signal.SIGTERM) == 0
        assert line(probe(lab, 'va'), 'program') == 'none'


# ---- who asks ----

@case
def nobody():
    if not shutil.which('setpriv'):
        raise Skip('setpriv is not installed')
    with Lab() as lab, Foreign(lab, 'native') as foreign:
        out = probe(lab, 'va', before=NOBODY)
        assert line(out, 'AF_XDP').startswith('built in, but no CAP_NET_RAW; run as root')
        assert 'multi-buffer' in line(out, 'not told')
        assert line(out, 'not told').endswith('; run as root')
        said = line(out, 'rights')
        assert 'no cap_net_raw to open sockets, no cap_net_admin' in said, said
        assert re.search(r'; run as root, or setcap cap_net_raw,.*\+ep /\S+xsk$', said), said
        assert line(out, 'program') == f'id {foreign.id}, native mode; its name and whose it ' \
            'is are not told; run as root'
        found = asked(lab, 'va', before=NOBODY)
        assert found['you']['uid'] == 65534
        assert found['you']['capabilities']['net_raw'] is False
        assert found['kernel']['usable'] is False and found['kernel']['multi_buffer'] is None
        assert found['kernel']['error']['code'] < 0
        one = found['interfaces'][0]['programs'][0]
        assert one['id'] == foreign.id and one['told'] is False and 'name' not in one
        tried = run(lab, '--test', 'va', before=NOBODY)
        assert tried.status == 1 and 'opened' not in tried.out, tried.out


@case
def locked_memory():
    with Lab() as lab:
        words = ['prlimit', '--memlock=65536:65536', 'setpriv', '--bounding-set=-ipc_lock',
                 '--inh-caps=-ipc_lock']
        out = probe(lab, 'va', before=words)
        said = line(out, 'memory')
        assert said.startswith('64 KiB can be locked, and the frames of a queue take 16384; '), \
            said
        you = asked(lab, 'va', before=words)['you']
        assert you['memlock'] == you['memlock_hard'] == 65536
        assert you['memlock_matters'] is True
        # The soft one alone is what a shell can raise.
        soft = ['prlimit', '--memlock=65536:unlimited', *words[2:]]
        if lab.run(0, [*soft, 'true']).status == 0:     # not of who may not raise it
            assert line(probe(lab, 'va', before=soft), 'memory').endswith('; ulimit -l unlimited')
            you = asked(lab, 'va', before=soft)['you']
            assert you['memlock'] == 65536 and you['memlock_hard'] is None, you
        # And the port that is tried says so, too.
        tried = run(lab, '--test', 'va', before=words)
        assert tried.status == 1 and 'MEMLOCK' in tried.out, tried.out


# ---- the test ----

@case
def each_mode_is_tried():
    with Lab(queues=2) as lab:
        before = state(lab)
        out = probe(lab, '--test', 'va')
        assert line(out, 'test zero-copy').startswith('bind: ') or \
            'veth' in line(out, 'test zero-copy'), out
        assert line(out, 'test native').startswith('opened: native'), out
        assert line(out, 'test generic').startswith('opened: generic'), out
        tests = asked(lab, '--test', 'va')['interfaces'][0]['test']
        assert [(one['mode'], one['opened']) for one in tests] == \
            [('zero-copy', False), ('native', True), ('generic', True)], tests
        assert tests[0]['error']['code'] < 0 and tests[1]['mode_text'].startswith('native')
        assert state(lab) == before


@case
def the_test_takes_no_packet():
    # Each port is open for 300 ms, in which 150 are sent.
    slow = os.environ.get('XSK_SLOW_CLOSE')
    if not slow:
        raise Skip('XSK_SLOW_CLOSE names no library')
    with Lab() as lab:
        ping = lab.start(0, ['ping', '-i', '0.002', '-q', '10.66.0.2'])
        program = lab.start(0, ['ping', '-c', '1', '10.66.0.2'])
        assert program.wait() == 0
        began = time.monotonic()
        probe(lab, '--test', 'va', env=preload(slow))
        assert time.monotonic() - began > 0.6
        assert ping.stop(signal.SIGINT) == 0
        sent, got = re.search(r'(\d+) packets transmitted, (\d+) received', ping.out).groups()
        # Those under way when it ended, and when the NAPI changed hands.
        assert int(sent) > 200 and int(sent) - int(got) <= 12, ping.out


# ---- what cannot be told, and how it looks ----

@case
def unknown_interface():
    with Lab() as lab:
        for words in (['nix0'], ['--test', 'nix0']):
            program = lab.run(0, command('probe', *words))
            assert program.status == 1 and not program.out
            assert re.fullmatch(r"xsk: nix0: .*no interface 'nix0'.*; ip link.*\n",
                                program.err), program.err
        program = lab.run(0, command('probe', '--json', 'nix0'))
        assert program.status == 1 and [one['type'] for one in program.json()] == ['error']


@case
def wrong_words():
    with Lab() as lab:
        for words, what in ((['--test'], 'wants an interface'), (['va', 'vb'], 'too many'),
                            (['--mode', 'x'], '--mode'), ([''], 'IFACE')):
            program = lab.run(0, command('probe', *words))
            assert program.status == 2 and not program.out, program.out
            assert what in program.err and program.err.count('\n') == 1, program.err


@case
def full_disk():
    with Lab() as lab:
        for words in (['va'], ['--json', 'va'], ['--test', 'va']):
            line_of = shlex.join(command('probe', *words))
            program = lab.run(0, ['sh', '-c', f'{line_of} >/dev/full'])
            assert program.status == 1, words
            assert program.err == 'xsk: cannot write to stdout: No space left on device\n', \
                program.err


@case
def colours():
    with Lab() as lab:
        ip('-n', lab.namespaces[0], 'link', 'set', 'va', 'down')
        out = probe(lab, 'va', terminal=True)
        assert '\x1b[31mdown; ip link set dev va up\x1b[0m' in out, out
        assert '\x1b[32mcan be used\x1b[0m' in out, out
        plain = probe(lab, 'va', terminal=True, env={'NO_COLOR': '1'})
        assert '\x1b' not in plain
        assert re.sub(r'\x1b\[\d*m', '', out) == plain


main()
