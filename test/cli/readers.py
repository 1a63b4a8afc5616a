# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""Who reads what xsk says: one who is slow, who never reads again, who goes. An interrupt ends
the command in each case, and with it what it has opened."""

import fcntl
import json
import os
import re
import select
import signal
import subprocess
import time

from harness import Lab, PATIENCE, Program, case, command, ip, main
from packets import ether, ipv4, read_pcap, send, udp

LOST = 'xsk: stdout: nobody reads it; the end of what was said is lost\n'
DATAGRAM = ether(0x0800, ipv4(17, udp(5000, 9000, bytes(22))))


class Pipe:
    """A small one that nobody reads yet; full from the start, or empty."""

    def __init__(self, full=True):
        self.reader, self.writer = os.pipe()
        size = fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, 4096)
        assert size == 4096
        self.filled = os.write(self.writer, b'.' * size) if full else 0
        self.is_closed = False

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.close()
        os.close(self.reader)

    def close(self):
        if not self.is_closed:
            os.close(self.writer)
        self.is_closed = True

    def read(self):
        """All until the writers have gone, without what it was filled with."""
        self.close()
        found = b''
        while select.select([self.reader], [], [], PATIENCE)[0]:
            data = os.read(self.reader, 65536)
            if not data:
                return found[self.filled:]
            found += data
        raise AssertionError('it is not closed')


def wait_until_blocked(program):
    """It has something to say, and sleeps for a reader."""
    path = f'/proc/{program.process.pid}/stat'
    end, last, since = time.monotonic() + PATIENCE, None, 0
    while time.monotonic() < end:
        with open(path, encoding='utf-8') as file:
            fields = file.read().rpartition(') ')[2].split()
        # What it has run, in hundredths of a second: nothing for a while.
        state, ran = fields[0], fields[11:13]
        if ran != last or state != 'S':
            last, since = ran, time.monotonic()
        elif time.monotonic() - since > 1:
            return
        time.sleep(0.05)
    raise AssertionError('it does not wait for its reader')


def listen(words, pipe, **how):
    program = Program(command(*words), stdout=pipe.writer, **how)
    wait_until_blocked(program)
    return program


STATS = ('stats', 'lo', '--interval', '100ms', '--json')


@case
def a_slow_one_gets_all():
    for number in (signal.SIGINT, signal.SIGTERM):
        with Pipe() as pipe:
            program = listen(STATS, pipe)
            program.signal(number)
            time.sleep(1)
            assert program.process.poll() is None
            lines = pipe.read().decode().splitlines()
            assert lines and {json.loads(line)['type'] for line in lines} == {'stats'}, lines
            assert program.wait() == 0
            assert not program.err, program.err


@case
def one_who_never_reads_holds_nobody():
    with Pipe() as pipe:
        program = listen(STATS, pipe)
        program.signal(signal.SIGTERM)
        assert program.wait() == 0
        assert program.err == LOST, program.err
    # Nor does he where he has stderr, too.
    with Pipe() as pipe:
        program = listen(STATS, pipe, stderr=pipe.writer)
        program.signal(signal.SIGINT)
        assert program.wait() == 0
        assert not pipe.read()


@case
def one_who_goes_meanwhile():
    with Pipe() as pipe:
        program = listen(STATS, pipe)
        program.signal(signal.SIGTERM)
        time.sleep(0.5)
        os.close(pipe.reader)
        pipe.reader = os.open('/dev/null', os.O_RDONLY)
        assert program.wait(3) == 1
        assert not program.err, program.err


def has_program(lab):
    return 'xdp' in subprocess.run(['ip', '-n', lab.namespaces[0], '-d', 'link', 'show', 'va'],
                                   capture_output=True, text=True, check=True).stdout


def receive(lab, pipe, *words):
    """With packets that it has to tell somebody who does not read."""
    program = lab.start(0, command('recv', *words, 'va'), stdout=pipe.writer)
    program.expect('taken away')
    send(lab, 1, [DATAGRAM] * 100)
    wait_until_blocked(program)
    assert has_program(lab)
    return program


@case
def the_interface_does_not_wait():
    for words in ([], ['-w', '-']):
        with Lab(addresses=False) as lab, Pipe(full=not words) as pipe:
            program = receive(lab, pipe, *words)
            program.signal(signal.SIGINT)
            end = time.monotonic() + 3
            while has_program(lab):
                assert time.monotonic() < end and program.process.poll() is None
                time.sleep(0.02)
            assert program.process.poll() is None
            said = pipe.read()
            assert program.wait() == 0, program.err
            if words:
                packets = read_pcap(said)
                assert {data for _, _, data in packets} == {DATAGRAM}
                assert f'\n{len(packets)} packets written to stdout\n' in program.err
            else:
                lines = said.decode().splitlines()
                count = sum('UDP, length 22' in line for line in lines)
                assert count and lines[count].startswith(f'va: {count} packets, '), lines


@case
def a_capture_that_nobody_takes():
    with Lab(addresses=False) as lab, Pipe(full=False) as pipe:
        program = receive(lab, pipe, '-w', '-')
        program.signal(signal.SIGTERM)
        assert program.wait() == 1
        assert re.search(r'^\d\d? packets written to stdout$', program.err, re.M), program.err
        assert program.err.endswith('xsk: stdout: nobody reads it; the end of the capture is '
                                    'lost\n'), program.err


def starts_to_say(lab, program, words):
    """Something comes that it has to tell."""
    if words[0] == 'recv':
        program.expect('taken away')
        while program.process.poll() is None:
            send(lab, 1, [DATAGRAM])
            time.sleep(0.1)


@case
def one_line_is_enough():
    """Who closes a pipe has seen enough: nobody is told, whatever the command."""
    with Lab() as lab:
        peer = lab.start(1, command('echo', 'vb'))
        peer.expect('answers')
        for words in (['recv', 'va', '-d', '15s'], ['recv', 'va', '-w', '-', '-d', '15s'],
                      ['recv', 'va', '--json', '--count', '-d', '15s'],
                      ['echo', 'va', '--json', '-d', '15s'], ['stats', 'va', '-d', '15s'],
                      ['send', 'va', '--dst', '10.66.0.2', '--json', '--rate', '10pps'],
                      ['latency', 'va', '10.66.0.2', '--json', '--duration', '15s']):
            program = lab.start(0, ['bash', '-c', '"$@" | head -c 1 >/dev/null; '
                                    'exit ${PIPESTATUS[0]}', 'sh', *command(*words)])
            started = time.monotonic()
            starts_to_say(lab, program, words)
            assert program.wait() == 1, words
            assert time.monotonic() - started < 10, words
            for line in program.err.splitlines():
                assert re.search(r'queue 0|taken away|answers|^xsk: va: to 10|^va: \d+ packets'
                                 r'|packets written', line), (words, program.err)
        assert peer.stop() == 0


main()
