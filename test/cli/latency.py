# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""xsk latency: against xsk echo, against programs that echo by the kernel's stack, too late or
twice, and against nobody. How long it took is never asserted; that the numbers fit one another
is."""

import math
import os
import signal
import subprocess
import tempfile
import time
import xml.etree.ElementTree

from harness import ADDRESSES, ADDRESSES6, MACS, Lab, case, command, ip, main

SHARES = (('p50_ns', 0.5), ('p90_ns', 0.9), ('p99_ns', 0.99), ('p99_9_ns', 0.999))

# Echoes by the kernel's stack: each packet as often, and as late, as it is told.
PYTHON_ECHO = '''
import socket, sys, time
host, port, times, delay = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
link = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)
link.bind((host, port))
print('bound', flush=True)
while True:
    data, peer = link.recvfrom(65536)
    time.sleep(delay)
    for _ in range(times):
        link.sendto(data, peer)
'''


def echo(lab, *words):
    program = lab.start(1, command('echo', 'vb', '--json', *words))
    program.expect('all else is left|sends back')
    return program


def kernel_echo(lab, host, port, times=1, delay=0.0):
    program = lab.start(1, ['python3', '-c', PYTHON_ECHO, host, str(port), str(times),
                            str(delay)])
    program.expect('bound')
    return program


def latency(lab, *words, **how):
    return lab.run(0, command('latency', '--json', 'va', *words), **how)


def total(program):
    """The last object, whose numbers fit one another."""
    assert program.status == 0, program.err
    last = program.json()[-1]
    assert last['type'] == 'total', last
    check(last)
    return last


def check(last):
    buckets = last['buckets']
    assert sum(bucket['count'] for bucket in buckets) == last['measured'], last
    assert last['sent'] == last['received'] + last['lost'] + last['in_flight'], last
    assert last['measured'] <= last['received'], last
    stats = last['stats']
    assert stats['frames'] == sum(stats['in_' + place] for place in (
        'pool', 'fill', 'rx', 'tx', 'comp', 'caller')), stats
    if not last['measured']:
        assert 'p50_ns' not in last, last
        return
    assert buckets[0]['first_ns'] <= last['min_ns'] <= buckets[0]['last_ns'], last
    assert buckets[-1]['first_ns'] <= last['max_ns'] <= buckets[-1]['last_ns'], last
    assert last['min_ns'] <= last['mean_ns'] <= last['max_ns'], last
    for before, after in zip(buckets, buckets[1:]):
        assert before['last_ns'] < after['first_ns'], last
    for key, share in SHARES:
        wanted, seen = math.ceil(share * last['measured'] - 1e-6), 0
        for bucket in buckets:
            seen += bucket['count']
            if seen >= wanted:
                break
        assert last[key] == min(bucket['last_ns'], last['max_ns']), (key, last)


def napis(lab):
    """What the NAPIs of host 0 are set to, by the netdev family of netlink (Linux 6.13), and
    the interface's own settings."""
    shown = subprocess.run(lab.inside(0, ['sh', '-c', '''
        cat /sys/class/net/va/napi_defer_hard_irqs /sys/class/net/va/gro_flush_timeout''']),
        capture_output=True, text=True, check=True).stdout.split()
    program = subprocess.run(lab.inside(0, ['python3', '-c', PYTHON_NAPIS]), capture_output=True,
                             text=True, check=True)
    return shown, program.stdout


PYTHON_NAPIS = '''
import socket, struct
def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)
def ask(kind, flags, command, version, attributes):
    body = struct.pack("=BBxx", command, version) + attributes
    link.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
    found = []
    while True:
        data = link.recv(65536)
        while data:
            size, kind_there = struct.unpack_from("=IH", data)
            if kind_there in (2, 3):
                return found
            found.append(parse(data[20:size]))
            data = data[(size + 3) & ~3:]
            if not flags & 0x300:
                return found
def parse(data):
    found = {}
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        found[kind & 0x3fff] = data[4:size]
        data = data[(size + 3) & ~3:]
    return found
link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
link.bind((0, 0))
family = ask(16, 1, 3, 1, attribute(2, b"netdev\\0"))
if family and 1 in family[0]:
    number = struct.unpack("=H", family[0][1])[0]
    index = struct.pack("=I", socket.if_nametoindex("va"))
    for napi in ask(number, 0x301, 11, 1, attribute(1, index)):
        # defer-hard-irqs, gro-flush-timeout
        print(sorted((key, value.hex()) for key, value in napi.items() if key in (5, 6)))
'''


# ---- words ----


@case
def wrong_words():
    with Lab() as lab:
        peer = ADDRESSES[1]
        for words, what in (
                (['va'], 'ADDRESS is missing'), (['va', '--reflect'], 'ADDRESS is missing'),
                (['va', peer, '-i', '1ms', '--rate', '5'], 'two paces'),
                (['va', peer, '--src', 'fd66::1'], 'of different families'),
                (['va', peer, '--src', peer, '--reflect'], '--src is of UDP'),
                (['va', 'there'], 'ADDRESS there: it must be'),
                (['va', '224.0.0.1'], 'ADDRESS 224.0.0.1: it must be'),
                (['va', peer, '--port', '0'], '--port 0: it must be'),
                (['va', peer, '-c', '0'], '--count 0: it must be'),
                (['va', peer, '--in-flight', '1025'], '--in-flight 1025: it must be'),
                (['va', peer, '--rate', '5furlongs'], '--rate 5furlongs: it must be'),
                (['va', peer, '--timeout', '0'], '--timeout 0: it must be'),
                (['va', peer, '--dst-mac', '02:00'], '--dst-mac 02:00: it must be'),
                (['va', peer, 'more'], 'one word too many'), ([], 'IFACE is missing')):
            program = lab.run(0, command('latency', *words))
            assert program.status == 2, (words, program.err)
            assert what in program.err and program.err.count('\n') == 1, program.err
            assert not program.out


@case
def what_cannot_be():
    with Lab() as lab:
        peer = ADDRESSES[1]
        for words, what in (
                (['nix0', peer], 'nix0: there is no interface'),
                (['va', '2001:db8::1'], 'va: there is no way to 2001:db8::1'),
                (['va', ADDRESSES[0]], 'is an address of this host'),
                (['va', '10.66.0.9'], 'va: 10.66.0.9 does not answer ARP'),
                (['va', 'fd66::9'], 'va: fd66::9 does not answer neighbour discovery'),
                (['va', peer, '-s', '65'], '--size 66 or more'),
                (['va', peer, '-s', '1515'], 'do not fit its MTU of 1500; --size 1514'),
                (['va', peer, '--svg', '/nix/x.svg'], '/nix/x.svg: it cannot be written')):
            program = lab.run(0, command('latency', *words, '-c', '1', '--timeout', '50ms'))
            assert program.status == 1, (words, program.err)
            last = program.err.splitlines()[-1]
            assert what in last, program.err
            assert not program.out
        program = lab.run(0, ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups',
                              *command('latency', 'va', peer, '-c', '1')])
        assert program.status == 1 and not program.out, program.err
        assert program.err.count('\n') == 1 and 'va: ' in program.err, program.err


# ---- against xsk echo ----


@case
def round_trips():
    with Lab(queues=2) as lab:
        there = echo(lab)
        for words in ([ADDRESSES[1]], [ADDRESSES6[1]], [ADDRESSES[1], '--wait', 'spin'],
                      [ADDRESSES6[1], '--wait', 'busy-poll'], [ADDRESSES[1], '--mode', 'generic'],
                      [ADDRESSES[1], '--in-flight', '32'], [ADDRESSES[1], '-i', '100us'],
                      [ADDRESSES6[1], '--rate', '20kpps', '--wait', 'spin'],
                      [ADDRESSES[1], '--rate', '10Mbit', '--wait', 'busy-poll'],
                      [ADDRESSES[1], '--wait', 'adaptive'],
                      [ADDRESSES6[1], '--rate', '20kpps', '--wait', 'adaptive']):
            last = total(latency(lab, *words, '-c', '300'))
            assert last['measured'] == 300 and last['warmup'] == 10, last
            assert last['sent'] == last['received'] == 310, last
            assert last['duplicates'] == last['late'] == last['lost'] == 0, last
        assert there.stop() == 0
        assert there.json()[-1]['answered']['udp'] == 11 * 310


@case
def sizes():
    with Lab() as lab:
        there = echo(lab)
        size = 0
        for words in ([ADDRESSES[1]], [ADDRESSES[1], '-s', '67'], [ADDRESSES[1], '-s', '1514'],
                      [ADDRESSES6[1]], [ADDRESSES6[1], '-s', '1001']):
            last = total(latency(lab, *words, '-c', '20', '--warmup', '0'))
            wanted = words[2] if len(words) > 1 else 66 if words[0] == ADDRESSES[1] else 86
            assert last['size'] == int(wanted), last
            assert last['measured'] == last['sent'] == 20 and last['warmup'] == 0, last
            assert last['stats']['tx_bytes'] == last['stats']['rx_bytes'] == 20 * last['size']
            size += last['stats']['tx_bytes']
        assert there.stop() == 0
        assert there.json()[-1]['bytes'] >= size


@case
def a_link_local_address():
    with Lab() as lab:
        ip('-n', lab.namespaces[1], 'address', 'add', 'fe80::66:2/64', 'dev', 'vb', 'nodad')
        echo(lab)
        assert total(latency(lab, 'fe80::66:2', '-c', '20'))['measured'] == 20


@case
def all_is_told():
    """Without addresses of its own, nor a neighbour to be found."""
    with Lab(addresses=False) as lab:
        echo(lab, '-a', '10.1.1.2')
        last = total(latency(lab, '10.1.1.2', '--src', '10.1.1.1', '--dst-mac', MACS[1], '-c',
                             '20'))
        assert last['measured'] == 20 and last['to'] == '10.1.1.2', last


@case
def reflected():
    with Lab() as lab:
        there = echo(lab, '--reflect', '--keep', 'arp')
        last = total(latency(lab, ADDRESSES[1], '--reflect', '-c', '50'))
        assert last['measured'] == 50 and last['size'] == 38 and last['to'] == MACS[1], last
        last = total(latency(lab, '--reflect', '--dst-mac', MACS[1], '-c', '50', '-s', '1514'))
        assert last['measured'] == 50 and last['size'] == 1514, last
        assert there.stop() == 0


@case
def settings_are_put_back():
    with Lab() as lab:
        # With it the NAPI is there before and after a program, too.
        subprocess.run(lab.inside(0, ['ethtool', '-K', 'va', 'gro', 'on']), check=True)
        echo(lab)
        before = napis(lab)
        for how, changes in (('sleep', False), ('busy-poll', True)):
            program = lab.start(0, command('latency', 'va', ADDRESSES[1], '--wait', how))
            program.expect('round trips')
            assert (napis(lab) != before) == changes, (how, napis(lab), before)
            assert program.stop() == 0
            assert napis(lab) == before, (napis(lab), before)


@case
def the_host_stays_reachable():
    with Lab() as lab:
        echo(lab)
        program = lab.start(0, command('latency', 'va', ADDRESSES[1], '--json'))
        program.expect('"rate"')
        ip('-n', lab.namespaces[1], 'neighbour', 'flush', 'dev', 'vb')
        for host in (ADDRESSES[0], ADDRESSES6[0]):
            ping = lab.run(1, ['ping', '-n', '-c', '3', '-i', '0.05', '-W', '2', host])
            assert ' 3 received' in ping.out, ping.out
        assert program.stop() == 0
        last = program.json()[-1]
        check(last)
        assert last['lost'] == 0, last


# ---- against others ----


@case
def any_echo_of_udp():
    with Lab() as lab:
        for host in (ADDRESSES[1], ADDRESSES6[1]):
            kernel_echo(lab, host, 7777)
            last = total(latency(lab, host, '--port', '7777', '-c', '50', '-s', '1001'))
            assert last['measured'] == 50 and last['duplicates'] == 0, last


@case
def packets_that_come_twice():
    with Lab() as lab:
        kernel_echo(lab, ADDRESSES[1], 7777, times=2)
        last = total(latency(lab, ADDRESSES[1], '--port', '7777', '-c', '50', '-i', '5ms'))
        assert last['measured'] == 50 and 40 <= last['duplicates'] <= 60, last


@case
def packets_that_come_late():
    with Lab() as lab:
        kernel_echo(lab, ADDRESSES[1], 7777, delay=0.3)
        program = latency(lab, ADDRESSES[1], '--port', '7777', '-c', '8', '--timeout', '100ms')
        last = program.json()[-2]
        check(last)
        assert program.status == 1 and last['lost'] == last['sent'] == 8, last
        assert 1 <= last['late'] <= 8 and last['measured'] == 0, last


@case
def nobody():
    with Lab() as lab:
        for host in (ADDRESSES[1], ADDRESSES6[1]):
            program = lab.run(0, command('latency', 'va', host, '-c', '2', '--timeout', '100ms'))
            assert program.status == 1
            assert '2 of 2 lost' in program.out, program.out
            assert f'{host} says that nobody is at its UDP port 7; start xsk echo' in program.err
        program = lab.run(0, command('latency', 'va', ADDRESSES[1], '-c', '2', '--timeout',
                                     '50ms', '--dst-mac', '02:00:00:00:00:99'))
        assert program.status == 1
        assert 'nothing came back from 10.66.0.2; start xsk echo there' in program.err
        program = latency(lab, '--reflect', '--dst-mac', MACS[1], '-c', '3', '--timeout', '50ms')
        assert program.status == 1
        objects = program.json()
        assert [one['type'] for one in objects] == ['total', 'error'], objects
        check(objects[0])
        assert objects[0]['lost'] == objects[0]['sent'] == 3 and objects[0]['warmup'] == 0


@case
def one_that_stops_midway():
    with Lab() as lab:
        there = echo(lab)
        program = lab.start(0, command('latency', 'va', ADDRESSES[1], '-c', '120', '-i', '20ms',
                                       '--timeout', '50ms', '--json'))
        program.expect('"rate"')
        assert there.stop() == 0
        answered = there.json()[-1]['answered']['udp']
        assert program.wait() == 0, program.err
        last = program.json()[-1]
        check(last)
        assert last['sent'] == 130 and last['in_flight'] == 0, last
        assert last['received'] == answered and last['lost'] == 130 - answered > 20, last


@case
def one_that_is_lost_at_first():
    """The others are measured all the same, as many as were asked for."""
    with Lab() as lab:
        server = lab.start(1, ['python3', '-c', f'''
import socket
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.bind(("{ADDRESSES[1]}", 7777))
print("bound", flush=True)
while True:
    data, peer = link.recvfrom(65536)
    if int.from_bytes(data[8:16], "big") != 3:
        link.sendto(data, peer)
'''])
        server.expect('bound')
        last = total(latency(lab, ADDRESSES[1], '--port', '7777', '-c', '30', '--in-flight', '4',
                             '--timeout', '200ms'))
        assert last['measured'] == 30 and last['warmup'] == 10 and last['lost'] == 1, last


@case
def forged_answers():
    """Neither of another run, nor with a number that was never sent."""
    with Lab() as lab:
        server = lab.start(1, ['python3', '-c', f'''
import socket
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.bind(("{ADDRESSES[1]}", 7777))
print("bound", flush=True)
while True:
    data, peer = link.recvfrom(65536)
    link.sendto(bytes(len(data)), peer)
    link.sendto(data[:8] + bytes([255] * 8) + data[16:], peer)
    link.sendto(data[:-1], peer)
    link.sendto(b"", peer)
    link.sendto(data, peer)
'''])
        server.expect('bound')
        last = total(latency(lab, ADDRESSES[1], '--port', '7777', '-c', '30'))
        assert last['measured'] == 30 and last['duplicates'] == last['late'] == 0, last


# ---- pictures ----


@case
def a_picture_in_the_terminal():
    with Lab() as lab:
        echo(lab)
        for locale, sign, other in (('C', '#', '█'), ('C.UTF-8', '█', '#')):
            for width in (60, 100):
                program = lab.run(0, command('latency', 'va', ADDRESSES[1], '-c', '200'),
                                  env={'LC_ALL': locale, 'COLUMNS': str(width)})
                assert program.status == 0, program.err
                assert sign in program.out and other not in program.out, program.out
                lines = program.out.splitlines()
                assert max(map(len, lines)) == width, program.out
                assert '200 round trips of 66 bytes' in lines[0]
                for word in ('min', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'max'):
                    assert any(line.split()[:1] == [word] for line in lines), program.out
                assert '\033' not in program.out
        program = lab.start(0, command('latency', 'va', ADDRESSES[1], '-c', '200'),
                            terminal=True, env={'NO_COLOR': ''})
        assert program.wait() == 0
        assert '\033[32m' in program.out, program.out


@case
def a_picture_in_a_file():
    with Lab() as lab, tempfile.TemporaryDirectory() as folder:
        echo(lab)
        path = os.path.join(folder, 'x.svg')
        program = lab.run(0, command('latency', 'va', ADDRESSES[1], '-c', '500', '--wait',
                                     'adaptive', '--svg', path))
        assert program.status == 0, program.err
        root = xml.etree.ElementTree.parse(path).getroot()
        name = '{http://www.w3.org/2000/svg}'
        assert root.tag == name + 'svg'
        texts = [text.text for text in root.iter(name + 'text')]
        assert 'Round trips to 10.66.0.2 by va' in texts, texts
        assert any(text.startswith('500 packets of 66 bytes, 0 of 510 lost') and
                   text.endswith('; adaptive') for text in texts), texts
        assert sum(text.startswith('p') and text[1].isdigit() for text in texts) == 4, texts
        width, height = float(root.get('width')), float(root.get('height'))
        bars = [bar for bar in root.iter(name + 'rect') if bar.get('x')]
        assert bars
        for bar in bars:
            x, y, wide, high = (float(bar.get(key)) for key in ('x', 'y', 'width', 'height'))
            assert 0 <= x and x + wide <= width and 0 <= y and y + high <= height
            assert wide > 0 and high > 0
        # It needs nothing from elsewhere.
        with open(path, encoding='ascii') as file:
            assert 'href' not in file.read().replace('http://www.w3.org/2000/svg', '')


@case
def a_file_that_cannot_be_written():
    with Lab() as lab, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'x.svg')
        program = lab.run(0, command('latency', 'va', ADDRESSES[1], '-c', '1', '--timeout',
                                     '50ms', '--svg', path))
        assert program.status == 1 and not os.path.exists(path)
        with open(path, 'w', encoding='ascii') as file:
            file.write('mine')
        program = lab.run(0, command('latency', 'va', ADDRESSES[1], '-c', '1', '--timeout',
                                     '50ms', '--svg', path))
        with open(path, encoding='ascii') as file:
            assert file.read() == 'mine'
        echo(lab)
        program = lab.run(0, command('latency', 'va', ADDRESSES[1], '-c', '5', '--svg',
                                     '/dev/full'))
        assert program.status == 1 and os.path.exists('/dev/full')
        assert program.err.splitlines()[-1] == \
            'xsk: /dev/full: it cannot be written: No space left on device'
        full = os.path.join(folder, 'full')
        os.mkdir(full)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4k', 'none', full], check=True)
        try:
            path = os.path.join(full, 'x.svg')
            program = lab.run(0, command('latency', 'va', ADDRESSES[1], '-c', '300', '--svg',
                                         path))
            assert program.status == 1 and not os.path.exists(path)
            assert 'No space left' in program.err and '300 round trips' in program.out
        finally:
            subprocess.run(['umount', full], check=True)


# ---- its end ----


@case
def ends_by_time_and_by_signals():
    with Lab() as lab:
        echo(lab)
        program = latency(lab, ADDRESSES[1], '-d', '1100ms', '-i', '1ms')
        assert [one['type'] for one in program.json()] == ['rate', 'total'], program.out
        total(program)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            program = lab.start(0, command('latency', 'va', ADDRESSES[1], '-i', '1ms'))
            program.expect('round trips, p50')
            assert program.stop(number) == 0
            assert '10.66.0.2 by va: ' in program.out and 'p99.9' in program.out
        with open('/dev/full', 'w', encoding='ascii') as full:
            status = subprocess.run(lab.inside(0, command('latency', 'va', ADDRESSES[1], '-c',
                                                          '5')),
                                    stdout=full, stderr=subprocess.DEVNULL, check=False)
        assert status.returncode == 1


@case
def the_interface_goes():
    with Lab() as lab:
        echo(lab)
        program = lab.start(0, command('latency', 'va', ADDRESSES[1], '-i', '1ms', '--timeout',
                                       '100ms', '--json'))
        program.expect('"rate"')
        ip('-n', lab.namespaces[0], 'link', 'set', 'va', 'down')
        program.expect('"lost":[1-9]')
        ip('-n', lab.namespaces[0], 'link', 'set', 'va', 'up')
        time.sleep(0.1)
        ip('-n', lab.namespaces[1], 'link', 'delete', 'vb')
        assert program.wait() == 1
        assert 'gone' in program.err.splitlines()[-1], program.err
        ip('-n', lab.namespaces[0], 'link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb',
           'netns', lab.namespaces[1])


main()
