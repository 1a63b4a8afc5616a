# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""xsk recv: what another program sends is shown, counted, and written to a file. (What is said
of each kind of packet: describe.py.)"""

import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

from harness import ADDRESSES, Lab, Skip, case, command, ip, main
from packets import ether, ipv4, read_pcap, send, udp


def datagram(number, size=64, port=9000):
    """A packet of that size, with a number and other bytes that are its own."""
    content = random.Random(number).randbytes(size - 42)
    return ether(0x0800, ipv4(17, udp(5000, port, content), ident=number))


def some(count):
    chosen = random.Random(count)
    return [datagram(number, chosen.randint(60, 1514)) for number in range(count)]


def begin(lab, *words, side=0, **how):
    """One that has the port open."""
    program = lab.start(side, command('recv', *words, lab.ifaces[side]), **how)
    program.expect('taken away')
    return program


def contents(path):
    with open(path, 'rb') as file:
        return file.read()


def assert_clear(program, *words):
    """One message, of one line, with these words in it. What was opened may be said before."""
    lines = [line for line in program.err.splitlines()
             if not re.search(r'^xsk: va: queue \d+, |taken away|^va: .*bit/s', line)]
    assert len(lines) == 1 and lines[0].startswith('xsk: '), program.err
    for word in words:
        assert word in lines[0], (word, lines[0])


class Folder(tempfile.TemporaryDirectory):
    """A folder, and paths in it."""

    def path(self, name):
        return os.path.join(self.name, name)

    def __enter__(self):
        super().__enter__()
        return self


# ---- captures ----

def assert_captured(found, packets, start, end):
    assert [data for _, _, data in found] == packets
    assert [size for _, size, _ in found] == [len(packet) for packet in packets]
    times = [stamp for stamp, _, _ in found]
    assert all(first < second for first, second in zip(times, times[1:]))
    assert start <= times[0] and times[-1] <= end + 10 ** 6, (start, times[0], times[-1], end)


@case
def a_capture_has_what_was_sent():
    packets = some(500)
    with Lab(addresses=False) as lab, Folder() as folder:
        path = folder.path('file.pcap')
        start = time.time_ns()
        program = begin(lab, '-c', len(packets), '-w', path)
        send(lab, 1, packets, pause_every=16)
        assert program.wait() == 0, program.err
        assert_captured(read_pcap(contents(path)), packets, start, time.time_ns())
        assert f'va: 500 packets, {sum(map(len, packets))} bytes in ' in program.out
        assert f'500 packets written to {path}\n' in program.out
        # As others read it, who write it anew.
        for words in (['tcpdump', '--nano', '-r', path, '-w', '-'],
                      ['tshark', '-r', path, '-F', 'nsecpcap', '-w', '-']):
            if not shutil.which(words[0]):
                raise Skip(f'{words[0]} is not installed')
            done = subprocess.run(words, capture_output=True, check=True)
            assert_captured(read_pcap(done.stdout), packets, start, time.time_ns())


@case
def a_capture_to_stdout():
    packets = some(20)
    with Lab(addresses=False) as lab, Folder() as folder:
        path = folder.path('file.pcap')
        program = lab.start(0, ['sh', '-c', f'"$@" >{path}', 'sh',
                                *command('recv', '-c', 20, '-w', '-', 'va')])
        program.expect('taken away')
        send(lab, 1, packets)
        assert program.wait() == 0, program.err
        assert [data for _, _, data in read_pcap(contents(path))] == packets
        # People are told on the other stream.
        assert 'va: 20 packets' in program.err and not program.out
        assert '20 packets written to stdout\n' in program.err
        program = lab.run(0, command('recv', '--json', '-w', '-', 'va'))
        assert program.status == 2
        assert_clear(program, 'write to a file')
        program = lab.run(0, command('recv', '-w', '-', 'va'), terminal=True)
        assert program.status == 2 and 'not for a terminal' in program.out


@case
def a_capture_is_read_while_it_is_written():
    with Lab(addresses=False) as lab, Folder() as folder:
        path = folder.path('file.pcap')
        program = begin(lab, '-w', path)
        assert read_pcap(contents(path)) == []
        send(lab, 1, [datagram(7)])
        end = time.monotonic() + 10
        while not read_pcap(contents(path)):
            assert time.monotonic() < end, 'it is not written'
            time.sleep(0.1)
        assert program.process.poll() is None
        assert [data for _, _, data in read_pcap(contents(path))] == [datagram(7)]
        assert program.stop() == 0
        assert '1 packets written to' in program.out


@case
def what_reads_a_capture_ends():
    with Lab(addresses=False) as lab:
        program = lab.start(0, ['sh', '-c', '"$@" | head -c 24 >/dev/null', 'sh',
                                *command('recv', '-w', '-', 'va')])
        program.expect('taken away')
        for _ in range(3):
            send(lab, 1, some(20))
            time.sleep(0.5)
            if program.process.poll() is not None:
                break
        assert program.wait() == 0
        assert 'cannot' not in program.err, program.err


@case
def first_bytes_only():
    with Lab(addresses=False) as lab, Folder() as folder:
        path = folder.path('file.pcap')
        program = begin(lab, '-c', 2, '-s', 40, '-p', '-w', path)
        send(lab, 1, [datagram(1, 600), datagram(2, 60)])
        assert program.wait() == 0, program.err
        assert [(size, data) for _, size, data in read_pcap(contents(path))] == \
            [(600, datagram(1, 600)[:40]), (60, datagram(2, 60)[:40])]
        assert 'length 600: 10.66.0.2 > 10.66.0.1: UDP, length 566 [truncated UDP]' in program.out


@case
def packets_of_several_frames():
    packets = [datagram(number, size) for number, size in
               enumerate((9014, 60, 4097, 8000, 3000, 9014, 1514))]
    with Lab(addresses=False, mtu=9000) as lab, Folder() as folder:
        path = folder.path('file.pcap')
        words = ['recv', '-c', len(packets), '-w', path, '-p']
        program = lab.run(0, command(*words, 'va'))
        assert program.status == 1
        assert_clear(program, 'va: ', '--multi-buffer')
        assert not os.path.exists(path)
        program = lab.start(0, command(*words, '--multi-buffer', 'va'))
        program.expect('taken away|multi-buffer')
        if 'taken away' not in program.err:
            raise Skip('this kernel has no multi-buffer')
        send(lab, 1, packets)
        assert program.wait() == 0, program.err
        assert [data for _, _, data in read_pcap(contents(path))] == packets
        assert program.out.count('UDP, length 8972') == 2, program.out


# ---- files that cannot be had ----

@case
def files_that_cannot_be_written():
    with Lab(addresses=False) as lab, Folder() as folder:
        for path, why in ((folder.path('none/file'), 'No such file or directory'),
                          (folder.name, 'Is a directory'),
                          ('/dev/full', 'No space left on device')):
            program = lab.run(0, command('recv', '-w', path, 'va'))
            assert program.status == 1
            assert_clear(program, path, why)
            assert not program.out
        lab.assert_nothing_left()


@case
def a_file_is_kept_where_there_are_no_packets():
    with Lab(addresses=False) as lab, Folder() as folder:
        old, new = folder.path('old'), folder.path('new')
        with open(old, 'w', encoding='ascii') as file:
            file.write('precious')
        for path in (old, new):
            program = lab.run(0, command('recv', '-w', path, 'nix0'))
            assert program.status == 1
            assert_clear(program, 'nix0')
        assert contents(old) == b'precious'
        assert not os.path.exists(new)
        assert lab.run(0, command('recv', '-d', '100ms', '-w', old, 'va')).status == 0
        assert read_pcap(contents(old)) == []


@case
def a_full_disk():
    """The file has whole packets, as many as are told."""
    script = 'mount -t tmpfs -o size=64k none "$1" || exit 9; shift; "$@"; echo "status $?"; ' \
             'cat "$0/file" >"$0.pcap"'
    packets = some(300)
    with Lab(addresses=False) as lab, Folder() as folder:
        disk = folder.path('disk')
        os.mkdir(disk)
        program = lab.start(0, ['sh', '-c', script, disk, disk,
                                *command('recv', '-w', f'{disk}/file', 'va')])
        program.expect('taken away')
        send(lab, 1, packets, pause_every=16)
        assert program.wait() == 0
        assert 'status 1' in program.out, program.out
        assert_clear(program, f'{disk}/file: cannot be written to: No space left on device')
        found = [data for _, _, data in read_pcap(contents(disk + '.pcap'))]
        assert 20 < len(found) < len(packets) and found == packets[:len(found)]
        assert f'it has the first {len(found)} packets' in program.err
        assert f'{len(found)} packets written to' in program.out


@case
def stdout_is_full():
    with Lab(addresses=False) as lab:
        program = lab.start(0, ['sh', '-c', '"$@" >/dev/full', 'sh', *command('recv', 'va')])
        program.expect('taken away')
        send(lab, 1, [datagram(1)])
        assert program.wait() == 1
        assert_clear(program, 'cannot write to stdout')


@case
def a_pipe_that_is_closed():
    with Lab(addresses=False) as lab:
        program = lab.start(0, ['sh', '-c', '"$@" | head -n 1', 'sh', *command('recv', 'va')])
        program.expect('taken away')
        for _ in range(20):
            send(lab, 1, [datagram(1)])
            time.sleep(0.2)
            if program.process.poll() is not None:
                break
        assert program.wait() == 0
        assert len(program.out.splitlines()) == 1 and 'UDP, length 22' in program.out
        assert 'cannot' not in program.err, program.err


# ---- what is shown ----

@case
def so_many_and_no_more():
    with Lab(addresses=False) as lab:
        program = begin(lab, '-c', 3)
        program.signal(signal.SIGSTOP)      # so that it finds many at once, and more in the ring
        send(lab, 1, [datagram(number) for number in range(100)], pause_every=16)
        program.signal(signal.SIGCONT)
        assert program.wait() == 0
        lines = program.out.splitlines()
        assert all('UDP, length 22' in line for line in lines[:3])
        assert lines[3].startswith('va: 3 packets, 192 bytes in ')
        assert lines[4] == '97 more were taken, and are lost'


@case
def lines_come_at_once_on_a_terminal():
    with Lab(addresses=False) as lab:
        program = begin(lab, terminal=True)
        for number in range(3):
            send(lab, 1, [datagram(number, 100 + number)])
            program.expect(f'UDP, length {58 + number}\r\n', timeout=5)
        assert program.stop() == 0
        assert 'va: 3 packets' in program.out


@case
def bytes_are_those_of_tcpdump():
    if not shutil.which('tcpdump'):
        raise Skip('tcpdump is not installed')
    packets = some(5)
    with Lab(addresses=False) as lab, Folder() as folder:
        path = folder.path('file.pcap')
        program = begin(lab, '-c', len(packets), '-x', '-p', '-w', path)
        send(lab, 1, packets)
        assert program.wait() == 0
        done = subprocess.run(['tcpdump', '-e', '-nn', '-XX', '-r', path], capture_output=True,
                              text=True, check=True)
        ours = [line for line in program.out.splitlines() if line.startswith('\t')]
        theirs = [line for line in done.stdout.splitlines() if line.startswith('\t')]
        assert ours and ours == theirs, (ours[:4], theirs[:4], ours[-1], theirs[-1])


@case
def objects():
    packets = some(4)
    with Lab(addresses=False) as lab:
        start = time.time_ns()
        program = begin(lab, '--json', '-x', '-c', len(packets))
        send(lab, 1, packets)
        assert program.wait() == 0
        found = program.json()
        assert [one['type'] for one in found] == ['packet'] * 4 + ['total']
        for one, packet in zip(found, packets):
            assert bytes.fromhex(one['bytes']) == packet
            assert one['length'] == one['captured'] == len(packet)
            assert (one['ip_src'], one['ip_dst']) == (ADDRESSES[1], ADDRESSES[0])
            assert (one['src_port'], one['dst_port'], one['queue']) == (5000, 9000, 0)
            assert start <= one['time_ns'] <= time.time_ns()
        total = found[-1]
        assert total['packets'] == total['stats']['rx_packets'] == 4
        assert total['bytes'] == total['stats']['rx_bytes'] == sum(map(len, packets))
        assert total['interface'] == 'va' and 'written' not in total


@case
def rates():
    with Lab(addresses=False) as lab:
        program = begin(lab, '--count')
        send(lab, 1, some(50), pause_every=16)
        program.expect(r'va: .*bit/s, 50 packets\n')
        assert program.stop(signal.SIGTERM) == 0
        assert all(line.startswith('va: ') for line in program.out.splitlines())
        program = begin(lab, '--count', '--json')
        send(lab, 1, some(50), pause_every=16)
        program.expect('"rate"')
        assert program.stop() == 0
        found = program.json()
        assert {one['type'] for one in found[:-1]} == {'rate'} and found[-1]['type'] == 'total'
        assert sum(one['packets'] for one in found[:-1]) <= found[-1]['packets'] == 50
        assert all(0.5 < one['seconds'] < 10 for one in found[:-1])


@case
def progress_of_a_capture():
    with Lab(addresses=False) as lab, Folder() as folder:
        program = begin(lab, '-w', folder.path('file'), terminal=True)
        send(lab, 1, [datagram(1)])
        program.expect(r'\r(\033\[K)?va: .*bit/s, 1 packets')
        assert program.stop(signal.SIGHUP) == 0
        assert '\nva: 1 packets' in program.out


# ---- which packets ----

@case
def a_filter_leaves_the_rest():
    with Lab() as lab:
        program = lab.start(0, command('recv', 'va', 'udp', 'port', '9001'))
        program.expect('packets that match are taken away')
        pings = lab.run(1, ['ping', '-c', '2', '-i', '0.2', ADDRESSES[0]])
        assert pings.status == 0, pings.out
        send(lab, 1, [datagram(1), datagram(2, 100, port=9001), datagram(3)])
        program.expect('UDP, length 58')
        assert program.stop() == 0
        lines = program.out.splitlines()
        assert 'UDP, length 58' in lines[0] and lines[1].startswith('va: 1 packets'), lines
        assert re.search(r'\n\d+ passed to the kernel', program.out), lines


@case
def a_named_pipe_whose_reader_goes():
    with Lab(addresses=False) as lab, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'fifo')
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        program = begin(lab, '-w', path)
        assert len(os.read(reader, 100)) == 24
        os.close(reader)
        send(lab, 1, [datagram(i) for i in range(5)])
        assert program.wait() == 1
        assert f'xsk: {path}: cannot be written to: Broken pipe' in program.err, program.err


@case
def what_is_no_filter():
    with Lab(addresses=False) as lab:
        for words, why in ((['udp prot 9001'], 'prot'), ([''], 'empty')):
            program = lab.run(0, command('recv', 'va', *words))
            assert program.status == 2, program.err
            assert_clear(program, why)
            assert not program.out


@case
def what_is_kept():
    with Lab() as lab:
        program = begin(lab, '--keep', 'arp,icmp')
        assert 'but for those that are kept' in program.err
        pings = lab.run(1, ['ping', '-c', '3', '-i', '0.2', ADDRESSES[0]])
        assert pings.status == 0 and ' 3 received' in pings.out, pings.out
        send(lab, 1, [datagram(1)])
        time.sleep(0.3)
        assert program.stop() == 0
        assert 'UDP, length 22' in program.out and 'ICMP echo' not in program.out
        assert re.search(r'\n\d+ kept for the kernel', program.out)
        # Without, it is told how; and nobody answers.
        program = begin(lab)
        assert '--keep management' in program.err
        pings = lab.run(1, ['ping', '-c', '1', '-W', '1', ADDRESSES[0]])
        assert pings.status == 1, pings.out
        assert program.stop() == 0


@case
def some_queues():
    with Lab(addresses=False, queues=2) as lab:
        program = begin(lab, '-q', 1, '-d', '300ms', '--json')
        assert 'va: queue 1, ' in program.err
        assert program.wait() == 0
        program = lab.run(0, command('recv', '-q', '2-5', 'va'))
        assert program.status == 1
        assert_clear(program, 'va: ')


# ---- what ends it ----

@case
def ends_by_time_and_by_signals():
    with Lab(addresses=False) as lab:
        program = lab.run(0, command('recv', '-d', '200ms', 'va'))
        assert program.status == 0
        assert program.out.startswith('va: 0 packets, 0 bytes in 0.2 s')
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            program = begin(lab)
            assert program.stop(number) == 0
            assert program.out.startswith('va: 0 packets')
            lab.assert_nothing_left()


@case
def the_interface_goes():
    with Lab(addresses=False) as lab:
        program = begin(lab)
        send(lab, 1, [datagram(1)])
        program.expect('UDP, length 22')
        ip('-n', lab.namespaces[0], 'link', 'delete', 'va')
        assert program.wait() == 1
        assert_clear(program, 'va: ', 'gone')
        assert 'va: 1 packets' in program.out
        # For what looks at them in the end.
        ip('-n', lab.namespaces[0], 'link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb',
           'netns', lab.namespaces[1])


@case
def the_link_goes_down_and_comes():
    with Lab(addresses=False) as lab:
        program = begin(lab)
        ip('-n', lab.namespaces[0], 'link', 'set', 'va', 'down')
        time.sleep(0.3)
        ip('-n', lab.namespaces[0], 'link', 'set', 'va', 'up')
        end = time.monotonic() + 10
        while 'UDP, length 22' not in program.out and time.monotonic() < end:
            send(lab, 1, [datagram(1)])
            program._read(0.2)
        assert program.stop() == 0
        assert 'UDP, length 22' in program.out


# ---- who may not, and wrong words ----

@case
def no_privileges():
    with Lab(addresses=False) as lab:
        program = lab.run(0, ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups',
                              '--inh-caps=-all', *command('recv', 'va')])
        assert program.status == 1
        assert_clear(program, 'va: ')
        assert not program.out


@case
def wrong_words():
    with Lab(addresses=False) as lab:
        for words, why in ((['-c', '0'], '--packets'), (['-c', 'x'], '--packets'),
                           (['-s', '13'], '--snaplen'), (['--keep', 'nix'], '--keep'),
                           (['-d', '1x'], '--duration'), (['--nix'], 'nix')):
            program = lab.run(0, command('recv', *words, 'va'))
            assert program.status == 2, words
            assert_clear(program, why)
        program = lab.run(0, command('recv'))
        assert program.status == 2
        assert_clear(program, 'IFACE is missing')


main()
