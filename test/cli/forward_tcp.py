# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""TCP across xsk forward, with the offloads that the kernel gives the interfaces of the hosts:
it goes on as it began, or the command says why not."""

import shutil

from harness import Skip, case, command, ip, main
from path import Path, assert_law, totals

def assert_steady(rates, what):
    """It goes on as it began, in the same order."""
    assert rates, f'{what}: it stands still'
    assert min(rates) > rates[0] / 10, f'{what}: {rates}'


def need_iperf():
    if not shutil.which('iperf3'):
        raise Skip('iperf3 is not installed')


@case
def tcp():
    # With the offloads that the kernel gives the hosts' interfaces.
    need_iperf()
    with Path() as path:
        program = path.forward('--json')
        for six in (False, True):
            for words in ((), ('-R',)):
                assert_steady(path.iperf(*words, six=six), f'IPv{6 if six else 4} {words}')
        assert program.stop() == 0
        for one in totals(program):
            assert_law(one)
            assert one['checksums_completed'] > 1000 and not one['too_large'], one


@case
def tcp_by_several_queues():
    need_iperf()
    with Path(queues=(4, 2)) as path:
        program = path.forward('--json')
        assert_steady(path.iperf('-P', '4', seconds=3), '4 streams')
        assert program.stop() == 0
        for one in totals(program):
            assert_law(one)


@case
def large_packets():
    need_iperf()
    with Path(mtus=(9000, 9000)) as path:
        program = path.run('m', command('forward', 'fa', 'fb'))
        assert program.status == 1
        assert '--multi-buffer' in program.err, program.err
        program = path.start('m', command('forward', 'fa', 'fb', '--multi-buffer', '--json'))
        match = program.expect('fb: queue|6.6')
        if match[0] == '6.6':
            raise Skip('the kernel has no packets of several frames')
        assert path.ping(words=('-s', '8972', '-M', 'do'))
        for words in ((), ('-R',)):
            assert_steady(path.iperf(*words, seconds=3), f'of 9000 bytes {words}')
        assert program.stop() == 0
        for one in totals(program):
            assert_law(one)
            assert one['checksums_completed'] > 100, one


@case
def checksums_that_are_left():
    need_iperf()
    with Path() as path:
        program = path.forward('--checksums', 'leave', '--json')
        assert path.ping()
        assert path.iperf(seconds=1, patience=4) is None
        program.expect(r'xsk: fa: .*checksums were left to the NIC.*--checksums complete')
        assert program.stop() == 0
        assert program.err.count('were left') <= 2     # once for a direction
        one = totals(program)[0]
        assert one['checksums_left'] >= 3 and not one['checksums_completed'], one
    with Path() as path:
        program = path.forward('--checksums', 'complete', '--json')
        assert_steady(path.iperf(seconds=2), 'completed')
        assert program.stop() == 0
        assert 'were left' not in program.err


@case
def packets_that_are_joined():
    # In generic mode the sender's segmentation is not switched off, and the tool says so.
    need_iperf()
    with Path() as path:
        program = path.forward('--mode', 'generic', '--json')
        path.iperf(seconds=2, patience=4)
        program.expect(r'xsk: fa: packets larger than the MTU of fb .*ethtool -K IFACE tso off')
        assert program.stop() == 0
        one = totals(program)[0]
        assert one['too_large'], one
        assert_law(one)
        ip('-n', path.namespaces[0], 'link', 'set', 'va', 'gso_max_segs', '1')
        ip('-n', path.namespaces[1], 'link', 'set', 'vb', 'gso_max_segs', '1')
        program = path.forward('--mode', 'generic')
        assert_steady(path.iperf(seconds=2), 'not joined')
        assert program.stop() == 0


main()
