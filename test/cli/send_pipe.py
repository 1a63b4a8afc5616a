# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""xsk send --read of a pipe, whose packets come when somebody writes them: none is held back,
and nothing that ends the command waits for more."""

import os
import signal
import subprocess
import time

from captures import Dump, pcap, read
from harness import PATIENCE, case, command, main
from replaying import Quiet, contents, series

# What has been written comes so soon after; the next is written when it is there.
SOON = 5


class Pipe:
    """A send that reads what this writes."""

    def __init__(self, quiet, *words):
        reader, self.fd = os.pipe()
        self.program = quiet.lab.start(0, command('send', 'va', '-r', '-', *words), stdin=reader)
        os.close(reader)

    def write(self, data):
        os.write(self.fd, data)

    def close(self):
        os.close(self.fd)


def pieces(packets):
    """The header of a capture, and each packet of it, as bytes."""
    data = pcap(packets)
    ends = [24]
    for _, packet in packets:
        ends.append(ends[-1] + 16 + len(packet))
    return [data[:24]] + [data[a:b] for a, b in zip(ends, ends[1:])]


def expect_count(path, count):
    end = time.monotonic() + SOON
    while len(read(path)) < count and time.monotonic() < end:
        time.sleep(0.01)
    assert len(read(path)) == count, (len(read(path)), count)


@case
def what_has_come_goes_before_more_comes():
    packets = series([60, 1514, 61, 62, 700])
    header, *parts = pieces(packets)
    with Quiet() as quiet:
        for words in (('--rate', 'max'), (), ('--rate', '10kpps'), ('--rate', 'max', '--json'),
                      ('--wait', 'spin')):
            path = quiet.path('arrived')
            dump = Dump(quiet.lab, 1, path)
            pipe = Pipe(quiet, *words)
            pipe.program.expect('queue 0')
            pipe.write(header[:11])
            time.sleep(0.05)
            pipe.write(header[11:])
            for i, part in enumerate(parts):
                pipe.write(part[:20])
                time.sleep(0.05)
                expect_count(path, i)
                pipe.write(part[20:])
                expect_count(path, i + 1)
            pipe.close()
            assert pipe.program.wait() == 0, pipe.program.err
            assert contents(dump.packets(5)) == contents(packets), words


@case
def the_first_packet_is_not_late():
    header, *parts = pieces(series([60, 60], gap=1000))
    with Quiet() as quiet:
        pipe = Pipe(quiet)
        pipe.write(header)
        time.sleep(1.5)
        pipe.write(b''.join(parts))
        pipe.close()
        assert pipe.program.wait() == 0, pipe.program.err
        assert 'pace' not in pipe.program.err, pipe.program.err


@case
def a_duration_ends_it():
    header, *parts = pieces(series([60, 61, 62]))
    with Quiet() as quiet:
        # Nothing at all, no packet, some; a part of one.
        for data, count in ((b'', 0), (header, 0), (header + parts[0] + parts[1], 2),
                            (header + parts[0] + parts[1][:20], 1)):
            pipe = Pipe(quiet, '-d', '300ms', '--rate', 'max')
            pipe.write(data)
            assert pipe.program.wait(SOON) == 0, pipe.program.err
            assert f'va: {count} packet' in pipe.program.out, pipe.program.out
            assert len(pipe.program.err.splitlines()) == 1, pipe.program.err
            pipe.close()
        fifo = quiet.path('fifo')
        os.mkfifo(fifo)
        program = quiet.lab.run(0, command('send', 'va', '-r', fifo, '-d', '300ms'), timeout=SOON)
        assert program.status == 0 and 'va: 0 packets' in program.out, program.err


@case
def signals_end_it():
    header, *parts = pieces(series([60, 61, 62]))
    with Quiet() as quiet:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            path = quiet.path('arrived')
            for data, count in ((header, 0), (header + parts[0] + parts[1] + parts[2][:30], 2)):
                dump = Dump(quiet.lab, 1, path)
                pipe = Pipe(quiet)
                pipe.write(data)
                pipe.program.expect('queue 0')
                expect_count(path, count)
                time.sleep(0.1)
                assert pipe.program.stop(number, SOON) == 0, pipe.program.err
                assert f'va: {count} packet' in pipe.program.out, pipe.program.out
                assert len(pipe.program.err.splitlines()) == 1, pipe.program.err
                pipe.close()
                dump.stop()


@case
def a_count_ends_it():
    header, *parts = pieces(series([60, 61, 62]))
    with Quiet() as quiet:
        dump = Dump(quiet.lab, 1, quiet.path('arrived'))
        pipe = Pipe(quiet, '-c', '2')
        pipe.write(header + b''.join(parts))
        assert pipe.program.wait(SOON) == 0, pipe.program.err
        pipe.close()
        assert [len(data) for data in contents(dump.packets(2))] == [60, 61]


@case
def what_is_no_capture():
    good = pcap(series([60, 61]))
    with Quiet() as quiet:
        for data, why in ((b'', 'truncated'), (good[:20], 'truncated'),
                          (b'no capture at all, of any kind', 'unknown file format'),
                          (pcap(series([60]), link=105), 'not of Ethernet'),
                          (good[:-1], 'packet 2: truncated')):
            pipe = Pipe(quiet)
            pipe.write(data)
            pipe.close()
            assert pipe.program.wait() == 1
            messages = [line for line in pipe.program.err.splitlines() if 'refused:' not in line]
            assert len(messages) == 1 and messages[0].startswith('xsk: -: '), messages
            assert why in messages[0], messages


@case
def as_many_as_come():
    # More than is read ahead, faster than they can be sent.
    packets = series([60 + i % 900 for i in range(4000)])
    with Quiet() as quiet:
        dump = Dump(quiet.lab, 1, quiet.path('arrived'))
        writer = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        program = quiet.lab.start(0, command('send', 'va', '-r', '-', '--rate', '20kpps'),
                                  stdin=writer.stdout)
        writer.stdout.close()
        writer.stdin.write(pcap(packets))
        writer.stdin.close()
        assert program.wait(PATIENCE) == 0, program.err
        assert writer.wait() == 0
        assert contents(dump.packets(4000)) == contents(packets)


main()
