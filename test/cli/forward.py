# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""xsk forward: between two interfaces of one host, each with a host behind it."""

import signal

from harness import Lab, case, command, ip, main


@case
def the_same_twice():
    with Lab() as lab:
        program = lab.run(0, command('forward', 'va', 'va'))
        assert program.status == 2
        assert 'it cannot be both' in program.err


@case
def unknown_interface():
    with Lab() as lab:
        program = lab.run(0, command('forward', 'va', 'nix0'))
        assert program.status == 1
        assert 'nix0' in program.err
        assert not program.out


@case
def ends_by_itself_and_by_signals():
    with Lab() as lab:
        ip('-n', lab.namespaces[0], 'link', 'add', 'wa', 'type', 'veth', 'peer', 'name', 'wb')
        for iface in ('wa', 'wb'):
            ip('-n', lab.namespaces[0], 'link', 'set', iface, 'up')
        program = lab.run(0, command('forward', 'va', 'wa', '--duration', '300ms', '--json'))
        assert program.status == 0, program.err
        totals = program.json()
        assert [total['type'] for total in totals] == ['total', 'total'], totals
        assert [total['from'] for total in totals] == ['va', 'wa']
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            program = lab.start(0, command('forward', 'va', 'wa'))
            program.expect('wa: queue 0')
            assert program.stop(number) == 0
            assert 'va to wa: ' in program.out


main()
