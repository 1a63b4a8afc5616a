# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""xsk stats: what commands say of their ports, what the kernel says of sockets of others, and
processes that play a command which is none."""

import json
import os
import signal
import sys
import time

from harness import XSK, asan, case, command, ip, main
from path import INNER, Path, totals

LIBRARY = os.path.join(os.path.dirname(XSK), '..', 'lib', 'libxsk.so.1')


def look(path, iface='fa', side='m', words=()):
    """A snapshot."""
    program = path.run(side, command('stats', iface, '--once', '--json', *words))
    assert program.status == 0, program.err
    objects = program.json()
    assert len(objects) == 1 and objects[0]['type'] == 'stats', program.out
    return objects[0]


# ---- nothing to see ----

@case
def nothing_there():
    with Path() as path:
        program = path.run('m', command('stats', 'fa', '--once'))
        assert program.status == 0 and not program.err, program.err
        assert program.out.startswith('fa, 0.0 s\nNo port of xsk\n'), program.out
        snapshot = look(path)
        assert snapshot['interface'] == 'fa' and snapshot['ports'] == []
        assert not snapshot['sockets_told'] or snapshot['sockets'] == []


@case
def unknown_interface():
    with Path() as path:
        for name in ('nix0', 'a' * 40, 'fa '):
            program = path.run('m', command('stats', name))
            assert program.status == 1, program.out
            assert program.err.startswith(f'xsk: {name}: '), program.err
            assert len(program.err.splitlines()) == 1 and not program.out


@case
def deleted_meanwhile():
    with Path() as path:
        program = path.start('m', command('stats', 'fa', '--interval', '200ms'))
        program.expect('fa, 0.2 s')
        ip('-n', path.middle, 'link', 'delete', 'fa')
        assert program.wait() == 1
        assert 'xsk: fa: ' in program.err


# ---- ports of xsk ----

@case
def counters_are_right():
    with Path(queues=(2, 1)) as path:
        for side in range(2):       # else multicast reports come when they like
            path.write(path.namespaces[side], 'net/ipv6/conf/all/disable_ipv6', '1')
        forward = path.forward('--json')
        assert path.ping(count=5)
        snapshots = {iface: look(path, iface) for iface in INNER}
        pid = snapshots['fa']['ports'][0]['pid']
        assert forward.stop() == 0
        for end in totals(forward):
            port, = snapshots[end['from']]['ports']
            assert port['answers'] and port['command'] == 'forward'
            assert port['pid'] == pid and port['uid'] == 0
            assert 'rates' not in port
            # Nothing has come since.
            for name in ('rx_packets', 'rx_bytes', 'tx_packets', 'tx_bytes', 'frames'):
                assert port['stats'][name] == end['stats'][name], f'{name}: {port} {end}'
            # As forward itself has counted.
            assert port['stats']['rx_packets'] == end['packets'] >= 5
            assert port['stats']['rx_bytes'] == end['bytes']
            queues = port['queues']
            assert len(queues) == port['info']['queues'] == (2 if end['from'] == 'fa' else 1)
            assert sum(one['stats']['rx_packets'] for one in queues) == \
                port['stats']['rx_packets']
            assert port['info']['interface'] == end['from'] and port['info']['up']
            # They are known to be its own.
            for socket in snapshots[end['from']].get('sockets', []):
                assert socket['xsk'], socket


@case
def live():
    with Path() as path:
        forward = path.forward()
        stats = path.start('m', command('stats', 'fa', '--json', '-i', '500ms', '-d', '2200ms'))
        assert path.ping(count=11)
        assert stats.wait() == 0 and not stats.err
        looks = stats.json()
        assert 3 <= len(looks) <= 5, stats.out
        ports = [one['ports'][0] for one in looks]
        assert 'rates' not in ports[0]
        for before, port in zip(ports, ports[1:]):
            rates = port['rates']
            assert abs(rates['seconds'] - (port['seconds'] - before['seconds'])) < 1e-6
            change = port['stats']['rx_packets'] - before['stats']['rx_packets']
            assert abs(rates['rx_pps'] * rates['seconds'] - change) < 1e-3, rates
        assert sum(port['rates']['rx_pps'] for port in ports[1:]) > 0
        # For a person, on a pipe: blocks.
        stats = path.run('m', command('stats', 'fa', '-i', '300ms', '-d', '1s'))
        blocks = stats.out.split('\n\n')
        assert len(blocks) == 4, stats.out
        assert all('\nxsk forward (pid ' in block for block in blocks)
        assert 'pps, ' not in blocks[0] and 'pps, ' in blocks[1]
        assert '\x1b' not in stats.out
        assert forward.stop() == 0


@case
def ends_by_signals():
    with Path() as path:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            stats = path.start('m', command('stats', 'fa', '-i', '1h'))
            stats.expect('No port of xsk')
            start = time.monotonic()
            assert stats.stop(number) == 0
            assert time.monotonic() - start < 5


@case
def on_a_terminal():
    with Path() as path:
        forward = path.forward()
        stats = path.start('m', ['sh', '-c', 'stty rows 6; exec "$@"', 'sh',
                                 *command('stats', 'fa', '-i', '200ms')], terminal=True)
        # Cleared once; then each picture over the last one, as many rows as there are.
        stats.expect(r'^\x1b\[2J\x1b\[H(?s:.*)\x1b\[J\x1b\[H(?s:.*)\x1b\[J\x1b\[H')
        assert stats.out.count('\x1b[2J') == 1
        picture = stats.out.split('\x1b[H')[1]
        assert picture.startswith('\x1b[?7l') and picture.endswith('\x1b[?7h\x1b[J'), picture
        assert picture.count('\n') == 5 and '\n...\x1b[K\r\n' in picture, picture
        assert stats.stop() == 0
        assert forward.stop() == 0


@case
def who_may_know():
    nobody = ['setpriv', '--reuid', '65534', '--clear-groups', '--inh-caps=-all']
    with Path() as path:
        forward = path.forward()
        stats = path.run('m', [*nobody, *command('stats', 'fa', '--once')])
        assert stats.status == 0 and not stats.err, stats.err
        assert ': of another user: it tells only that one, and root\n' in stats.out, stats.out
        assert 'received' not in stats.out
        stats = path.run('m', [*nobody, *command('stats', 'fa', '--once', '--json')])
        port, = stats.json()[0]['ports']
        assert port == {'pid': port['pid'], 'uid': 0, 'answers': False}, port
        # In another network namespace there is none.
        assert look(path, 'va', side=0)['ports'] == []
        assert forward.stop() == 0


# ---- sockets of others ----

# Opens a port by the library, as any program does.
OTHER = r'''
import ctypes, sys, time
library = ctypes.CDLL(sys.argv[1])
port = ctypes.c_void_p()
assert not library.xsk_port_open(ctypes.byref(port), sys.argv[2].encode(), None, None)
print('open', flush=True)
time.sleep(1000)
'''


@case
def sockets_of_others():
    with Path() as path:
        # The sanitizers' library is not Python's.
        preload = {'LD_PRELOAD': asan()} if asan() else {}
        other = path.start('m', [sys.executable, '-c', OTHER, LIBRARY, 'fa'],
                           env=dict(preload, ASAN_OPTIONS='detect_leaks=0'))
        other.expect('open')
        snapshot = look(path)
        assert snapshot['ports'] == []
        text = path.run('m', command('stats', 'fa', '--once')).out
        assert 'No port of xsk' in text
        if not snapshot['sockets_told']:
            assert 'The kernel does not tell of sockets of others' in text, text
        else:
            socket, = snapshot['sockets']
            assert socket['queue'] == 0 and not socket['xsk']
            assert '\nqueue 0: ' in text, text
            if 'processes' in socket:       # where the kernel has xsk_diag
                assert other.process.pid in [one['pid'] for one in socket['processes']]
                assert socket['rx_size'] == socket['fill_size'] == 2048, socket
                assert socket['memory']['frame_size'] == 4096
                assert f'(pid {other.process.pid})' in text, text
        other.kill()


# ---- processes that only seem to be one ----

# Answers, or does not, under the names of a command: the interface's index, how, how many.
PLAYED = r'''
import os, socket, sys, threading, time
index, how, count, *uid = sys.argv[1:]
held = []
if uid:
    os.setgid(int(uid[0]))
    os.setuid(int(uid[0]))

def serve(one):
    while True:
        peer = one.accept()[0]
        held.append(peer)
        if how == 'closes':
            peer.close()
        elif how == 'garbage':
            peer.send(b'\xff{"command":')
            peer.close()
        elif how == 'other':
            peer.send(b'{"command":5,"info":{},"stats":{}}')
            peer.close()
        elif how == 'deep':
            peer.send(b'[' * 100000)
            peer.close()
        elif how == 'colours':
            peer.send(b'{"command":"\\u001b[2J\\n","pid":1,"seconds":1,"stats":{"frames":"x"},'
                      b'"info":{"queues":-1,"mode":[]}}')
            peer.close()
        elif how == 'slow':
            for _ in range(50):
                peer.send(b' ')
                time.sleep(0.1)
        elif how == 'endless':
            try:
                while True:
                    peer.send(b' ' * 65536)
            except OSError:
                pass

for number in range(int(count)):
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    one.bind(f'\0xsk-command/{index}/{os.getpid() << 32 | number:016x}')
    one.listen(8)
    held.append(one)
    if how != 'deaf':
        threading.Thread(target=serve, args=(one,), daemon=True).start()
print('ready', flush=True)
time.sleep(1000)
'''


def index_of(path, iface):
    out = path.run('m', ['ip', '-j', 'link', 'show', iface]).out
    return json.loads(out)[0]['ifindex']


@case
def played_commands():
    with Path() as path:
        forward = path.forward()
        index = index_of(path, 'fa')
        for how, count in (('mute', 30), ('deaf', 3), ('slow', 3), ('closes', 1), ('garbage', 2),
                           ('other', 2), ('deep', 1), ('endless', 2)):
            played = path.python('m', PLAYED, index, how, count)
            played.expect('ready')
            start = time.monotonic()
            snapshot = look(path)
            # Once for all of them.
            assert time.monotonic() - start < 5, how
            ports = snapshot['ports']
            assert len(ports) == count + 1, f'{how}: {ports}'
            # The true one is there, and who the others are is known.
            true, = [one for one in ports if one['answers']]
            assert true['command'] == 'forward' and true['stats']['frames']
            pids = {one['pid'] for one in ports if not one['answers']}
            assert pids == {played.process.pid}, f'{how}: {pids}'
            text = path.run('m', command('stats', 'fa', '--once'))
            assert text.status == 0 and not text.err
            assert text.out.count('it does not answer, or not as xsk does') == count, text.out
            played.kill()
        assert forward.stop() == 0


@case
def what_is_sent_does_nothing():
    with Path() as path:
        played = path.python('m', PLAYED, index_of(path, 'fa'), 'colours', 1)
        played.expect('ready')
        text = path.run('m', command('stats', 'fa', '--once'))
        assert text.status == 0 and '\x1b' not in text.out
        assert f'xsk ?[2J? (pid {played.process.pid})' in text.out, text.out
        played.kill()


@case
def users_hide_nothing():
    """With names that were there before, and with more than can be asked."""
    with Path() as path:
        index = index_of(path, 'fa')
        liars = [path.python('m', PLAYED, index, how, count, uid) for how, count, uid in
                 (('deaf', 700, 65534), ('closes', 3, 65533), ('colours', 2, 65532))]
        for liar in liars:
            liar.expect('ready')
        forward = path.forward()
        mine = path.python('m', PLAYED, index, 'deaf', 190)
        mine.expect('ready')
        snapshot = look(path)
        ports = snapshot['ports']
        true, = [one for one in ports if one.get('command') == 'forward']
        assert true['uid'] == 0 and true['pid'] == forward.process.pid
        uids = [one['uid'] for one in ports]
        assert uids == [0] * 191 + [65532] * 2 + [65533] * 3 + [65534] * 8, uids
        assert snapshot['ports_not_asked'] == 700 - 8, snapshot['ports_not_asked']
        text = path.run('m', command('stats', 'fa', '--once')).out
        for liar, uid in zip(liars, (65534, 65533, 65532)):
            assert f'(pid {liar.process.pid}, uid {uid})' in text, text
        assert f'xsk forward (pid {forward.process.pid}), ' in text, text
        assert '\n692 more say that they are ports of xsk, and were not asked\n' in text, text
        for one in (mine, *liars):
            one.kill()
        assert look(path)['ports_not_asked'] == 0
        assert ' more say' not in path.run('m', command('stats', 'fa', '--once')).out
        assert forward.stop() == 0


# Asks the command, and does not take the answer: the interface's index.
ASKS = r'''
import re, socket, sys, time
found = re.findall(f'@(xsk-command/{sys.argv[1]}/[0-9a-f]+)', open('/proc/net/unix').read())
held = []
for name in found:
    for _ in range(9):
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.connect('\0' + name)
        held.append(one)
print('asked', len(found), flush=True)
time.sleep(1000)
'''


@case
def who_asks_disturbs_nobody():
    with Path() as path:
        forward = path.forward('--json')
        asks = path.python('m', ASKS, index_of(path, 'fa'))
        asks.expect('asked 1')
        assert path.ping()
        start = time.monotonic()
        assert forward.stop() == 0
        assert time.monotonic() - start < 10
        totals(forward)
        asks.kill()


main()
