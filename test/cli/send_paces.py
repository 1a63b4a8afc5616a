# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""xsk send: when packets go: as they were recorded, or at a rate."""

import statistics

from captures import NANOSECONDS, START, pcap, write
from harness import ADDRESSES, MACS, case, command, main
from replaying import Quiet, packet



def gaps(packets):
    return [(when - packets[0][0]) / NANOSECONDS for when, _ in packets]


@case
def the_recorded_pace():
    times = [0, 1, 30, 31, 32, 100, 400, 401, 700]
    packets = [(START + ms * 1000000, packet(60, i)) for i, ms in enumerate(times)]
    with Quiet() as quiet:
        for factor, words in ((1, ()), (2, ('--speed', '2')), (0.5, ('--speed', '0.5'))):
            late = []
            for when, ms in zip(gaps(quiet.replay(pcap(packets), *words)), times):
                late.append(when - ms / 1000 / factor)
            # Never early; and late by what this machine does to a sleeper, mostly little.
            assert min(late) > -0.005, late
            assert statistics.median(late) < 0.02, late
            assert max(late) < 0.5, late


@case
def rounds_at_the_recorded_pace():
    packets = [(START + ms * 1000000, packet(60, i)) for i, ms in enumerate((0, 20, 80))]
    with Quiet() as quiet:
        arrived = gaps(quiet.replay(pcap(packets), '--loop', '3', count=9))
        expected = [0, 0.02, 0.08, 0.12, 0.14, 0.2, 0.24, 0.26, 0.32]
        late = [when - then for when, then in zip(arrived, expected)]
        assert min(late) > -0.005, late
        assert statistics.median(late) < 0.02, late
        # One time is no pace.
        write(quiet.path('one'), pcap(packets[:1]))
        program = quiet.lab.run(0, command('send', 'va', '-r', quiet.path('one'), '-l', '0'))
        assert program.status == 1
        assert 'give --rate' in program.err
        assert 'va: 1 packets' in program.out


# Looks at a counter of the interface, and again after so many seconds.
LOOK = '''
import sys, time

def look():
    with open('/proc/net/dev') as file:
        line = next(line for line in file if line.strip().startswith('vb:'))
    return time.monotonic(), *map(int, line.split(':')[1].split()[:2])

while look()[2] < 10:
    time.sleep(0.01)
time.sleep(0.5)
first = look()
time.sleep(5)
last = look()
print(*(b - a for a, b in zip(first, last)))
'''


def measure(lab, words):
    """(packets a second, bytes a second) that arrive, over five seconds."""
    meter = lab.start(1, ['python3', '-c', LOOK])
    program = lab.start(0, command('send', 'va', '--dst', ADDRESSES[1], '--src', ADDRESSES[0],
                                   '--dst-mac', MACS[1], *words))
    assert meter.wait(30) == 0, meter.err
    assert program.stop() == 0, program.err
    seconds, size, packets = (float(word) for word in meter.out.split())
    return packets / seconds, size / seconds


def assert_held(of_bytes, expected, *words):
    """Within 2 %. Others may have the processor for a while at one end of the window: then
    it is measured again, not more than twice."""
    found = []
    for _ in range(3):
        with Quiet() as quiet:
            found.append(measure(quiet.lab, words)[of_bytes])
        if abs(found[-1] / expected - 1) <= 0.02:
            return
    raise AssertionError(f'{expected} expected: {found}')


@case
def a_rate_of_1_kpps():
    assert_held(False, 1e3, '--rate', '1kpps')


@case
def a_rate_of_10_kpps():
    assert_held(False, 1e4, '--rate', '10kpps')


@case
def a_rate_of_100_kpps():
    assert_held(False, 1e5, '--rate', '100kpps')


@case
def a_rate_of_bits():
    assert_held(True, 50e6 / 8, '--rate', '50Mbit', '--size', '1000')


@case
def a_rate_of_10_kpps_spinning():
    assert_held(False, 1e4, '--rate', '10kpps', '--wait', 'spin')


@case
def a_rate_that_is_not_reached_is_told():
    with Quiet() as quiet:
        program = quiet.lab.run(0, command('send', 'va', '--dst', '10.66.0.2', '--src', '10.66.0.1',
                                           '--dst-mac', MACS[1], '--rate', '1Gpps', '-d', '1500ms'))
        assert program.status == 0, program.err
        assert 'va: the rate of 1.00Gpps was not reached' in program.err


main()
