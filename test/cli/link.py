# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""An interface that goes down while a command runs, and comes back: each says so, once."""

from harness import ADDRESSES, MACS, Lab, case, command, ip, main

DOWN = 'xsk: va: it is down, or has no carrier; ip link set dev va up\n'
UP = 'xsk: va: it is up\n'


@case
def it_is_said_by_all():
    words = {
        'recv': ['va', '--count'],
        'send': ['va', '--dst', ADDRESSES[1], '--dst-mac', MACS[1]],
        'echo': ['va'],
        'latency': ['va', ADDRESSES[1], '--dst-mac', MACS[1], '-i', '10ms', '--timeout', '50ms'],
    }
    with Lab() as lab:
        for name, rest in words.items():
            program = lab.start(0, command(name, *rest))
            program.expect('queue 0')
            ip('-n', lab.namespaces[0], 'link', 'set', 'va', 'down')
            program.expect(DOWN)
            ip('-n', lab.namespaces[0], 'link', 'set', 'va', 'up')
            program.expect(UP)
            assert program.stop() == (1 if name == 'latency' else 0), (name, program.err)
            assert program.err.count(DOWN) == program.err.count(UP) == 1, program.err


main()
