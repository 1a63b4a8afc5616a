# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""Signals that come before a command has the interface open: they end it at once, without a
word, and nothing is left."""

import os
import signal
import subprocess
import tempfile
import time

from harness import PATIENCE, Lab, Skip, case, command, main

NOBODY = '10.66.0.9'
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def wait_until(is_so):
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def status_line(program, name):
    """A number of the process, from its status; 0: it is not there."""
    with open(f'/proc/{program.process.pid}/status', encoding='ascii') as file:
        for line in file:
            if line.startswith(name + ':'):
                return int(line.split()[1])
    return 0


def asks_for(lab, address):
    done = subprocess.run(['ip', '-n', lab.namespaces[0], 'neighbour', 'show', address],
                          capture_output=True, text=True, check=True)
    return 'INCOMPLETE' in done.stdout


def interrupt_asking(lab, number, *words):
    subprocess.run(['ip', '-n', lab.namespaces[0], 'neighbour', 'flush', 'dev', 'va'], check=True,
                   capture_output=True)
    program = lab.start(0, command(*words))
    wait_until(lambda: asks_for(lab, NOBODY))
    return program, program.stop(number)


@case
def while_a_neighbour_is_waited_for():
    with Lab() as lab:
        for number in SIGNALS:
            program, status = interrupt_asking(lab, number, 'latency', 'va', NOBODY)
            assert status == -number, (status, program.err)
            assert not program.err and not program.out, program.err
            # This one has the interface open: it says how, and no more.
            program, status = interrupt_asking(lab, number, 'send', 'va', '--dst', NOBODY)
            assert status == 0, (status, program.err)
            assert program.err.startswith('xsk: va: queue 0'), program.err
            assert len(program.err.splitlines()) == 1 and not program.out, program.err


@case
def while_a_pipe_has_no_reader():
    with Lab() as lab, tempfile.TemporaryDirectory() as folder:
        fifo = os.path.join(folder, 'fifo')
        os.mkfifo(fifo)
        for number in SIGNALS:
            program = lab.start(0, command('recv', 'va', '-w', fifo))
            time.sleep(0.2)
            status = program.stop(number)
            assert status == -number, (status, program.err)
            assert not program.err and not program.out, program.err


@case
def while_the_kernel_takes_its_time():
    # Memory of 2 GiB is taken hold of page by page.
    with open('/proc/meminfo', encoding='ascii') as file:
        free = next(int(line.split()[1]) for line in file if line.startswith('MemAvailable'))
    if free < 6 << 20:
        raise Skip('it takes 2 GiB of memory')
    with Lab() as lab:
        program = lab.start(0, command('recv', 'va', '--frames', '512k'))
        wait_until(lambda: status_line(program, 'RssShmem') > 50000)
        status = program.stop(signal.SIGTERM)
        assert status == -signal.SIGTERM, (status, program.err)
        assert not program.err and not program.out, program.err


main()
