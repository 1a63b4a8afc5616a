# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""What the tests of the command xsk stand on: two hosts, joined by a veth pair, each in a
network namespace of its own; programs run there as a person would, in a terminal where that
matters; the results in TAP.

    from harness import Lab, case, main, xsk

    @case
    def a_name():
        with Lab() as lab:
            ...assert...

    main()

The command is the one that XSK names in the environment.
"""

import atexit
import fcntl
import glob
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
import traceback
from signal import SIGINT     # Program has a method of the module's name

XSK = os.environ.get('XSK', 'xsk')
ADDRESSES = ('10.66.0.1', '10.66.0.2')
ADDRESSES6 = ('fd66::1', 'fd66::2')
MACS = ('02:00:00:00:66:01', '02:00:00:00:66:02')
PATIENCE = 20           # seconds for what comes at once on an idle machine

_cases = []
_labs = []
_started = []


class Skip(Exception):
    """A case cannot run here; says why."""


def case(function):
    """Registers a test: its name is the function's."""
    _cases.append(function)
    return function


def command(*words):
    """The command line of xsk with these words."""
    return [XSK, *[str(word) for word in words]]


def ip(*words):
    subprocess.run(['ip', *words], check=True, capture_output=True)


def _take_terminal():
    """So that ^C and hanging up are heard."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Program:
    """A program that runs. Its output is read while it does."""

    def __init__(self, argv, terminal=False, env=None, stdin=subprocess.DEVNULL,
                 stdout=subprocess.PIPE, stderr=subprocess.PIPE):
        self.terminal = terminal
        self.text = {'out': '', 'err': ''}
        self.files = {}
        environment = {**os.environ, 'LC_ALL': 'C', **(env or {})}
        if terminal:
            environment.setdefault('TERM', 'xterm')
            if environment['TERM'] == 'dumb':
                environment['TERM'] = 'xterm'
            master, slave = pty.openpty()
            self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave,
                                            env=environment, start_new_session=True,
                                            preexec_fn=_take_terminal)
            os.close(slave)
            self.files[master] = 'out'
            self.master = master
        else:
            self.process = subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=stderr,
                                            env=environment)
            for stream, name in (self.process.stdout, 'out'), (self.process.stderr, 'err'):
                if stream:
                    self.files[stream.fileno()] = name
        _started.append(self)

    @property
    def out(self):
        return self.text['out']

    @property
    def err(self):
        return self.text['err']

    def _read(self, timeout):
        """Some output, if there is any before the timeout. False: all has ended."""
        if not self.files:
            return False
        for fd in select.select(list(self.files), [], [], timeout)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:         # a terminal says EIO at its end
                data = b''
            if data:
                self.text[self.files[fd]] += data.decode('utf-8', 'replace')
            else:
                del self.files[fd]
        return True

    def expect(self, pattern, timeout=PATIENCE):
        """Waits until the output has it, on either stream; the match."""
        end = time.monotonic() + timeout
        while True:
            match = re.search(pattern, self.out) or re.search(pattern, self.err)
            if match:
                return match
            left = end - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f'no {pattern!r} in:\n{self.out}\n{self.err}')

    def read_until(self, is_enough, timeout=PATIENCE):
        """Reads on until the function says so; False: not in this time, or it has ended."""
        end = time.monotonic() + timeout
        while not is_enough():
            left = end - time.monotonic()
            if left <= 0 or not self._read(min(left, 0.1)):
                return is_enough()
        return True

    def type(self, text):
        os.write(self.master, text.encode())

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=PATIENCE):
        """Until it has ended; the exit status, less than 0: by a signal."""
        end = time.monotonic() + timeout
        while self.files:
            left = end - time.monotonic()
            if left <= 0:
                break
            self._read(left)
            if self.terminal and self.process.poll() is not None and \
               not select.select(list(self.files), [], [], 0.2)[0]:
                break
        try:
            status = self.process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f'it does not end:\n{self.out}\n{self.err}') from None
        self._close()
        return status

    def stop(self, number=SIGINT, timeout=PATIENCE):
        """Ends it as a person does; the exit status."""
        self.signal(number)
        return self.wait(timeout)

    def json(self):
        """The objects of its output, a line each."""
        return [json.loads(line) for line in self.out.splitlines()]

    def _close(self):
        if self.terminal and self.master is not None:
            os.close(self.master)
            self.master = None
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        self.files = {}
        if self in _started:
            _started.remove(self)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._close()


class Lab:
    """Two hosts: veth interface va of host 0, and vb of host 1, with addresses and without
    duplicate address detection, so that they can be used at once."""

    def __init__(self, queues=1, addresses=True, mtu=1500):
        self.namespaces = [f'xsk-cli-{os.getpid()}-{side}' for side in 'ab']
        self.ifaces = ('va', 'vb')
        self.queues = queues
        self.addresses = addresses
        self.mtu = mtu
        self.before = None

    def __enter__(self):
        _labs.append(self)
        self.close_namespaces()
        for namespace in self.namespaces:
            ip('netns', 'add', namespace)
            for setting in ('all', 'default'):
                self.write(namespace, f'net/ipv6/conf/{setting}/accept_dad', '0')
                self.write(namespace, f'net/ipv6/conf/{setting}/router_solicitations', '0')
        ip('link', 'add', 'va', 'netns', self.namespaces[0], 'numtxqueues', str(self.queues),
           'numrxqueues', str(self.queues), 'address', MACS[0], 'mtu', str(self.mtu), 'type',
           'veth', 'peer', 'name', 'vb', 'netns', self.namespaces[1], 'numtxqueues',
           str(self.queues), 'numrxqueues', str(self.queues), 'address', MACS[1],
           'mtu', str(self.mtu))
        for side in range(2):
            self.set_up(side)
        self.before = left_behind()
        return self

    def write(self, namespace, name, value):
        subprocess.run(['ip', 'netns', 'exec', namespace, 'sh', '-c',
                        f'echo {value} >/proc/sys/{name}'], check=True)

    def set_up(self, side):
        namespace, iface = self.namespaces[side], self.ifaces[side]
        if not self.addresses:      # a quiet one: no neighbour discovery
            self.write(namespace, f'net/ipv6/conf/{iface}/disable_ipv6', '1')
        ip('-n', namespace, 'link', 'set', 'lo', 'up')
        ip('-n', namespace, 'link', 'set', iface, 'up')
        if self.addresses:
            ip('-n', namespace, 'address', 'add', f'{ADDRESSES[side]}/24', 'dev', iface)
            ip('-n', namespace, 'address', 'add', f'{ADDRESSES6[side]}/64', 'dev', iface,
               'nodad')

    def inside(self, side, argv):
        return ['ip', 'netns', 'exec', self.namespaces[side], *argv]

    def start(self, side, argv, **how):
        """Starts a program on a host."""
        return Program(self.inside(side, argv), **how)

    def run(self, side, argv, timeout=PATIENCE, **how):
        """Runs one to its end."""
        program = self.start(side, argv, **how)
        program.status = program.wait(timeout)
        return program

    def assert_nothing_left(self):
        """No program is attached, and what xsk makes is as before."""
        for side in range(2):
            link = subprocess.run(['ip', '-n', self.namespaces[side], '-d', 'link', 'show',
                                   self.ifaces[side]], capture_output=True, text=True,
                                  check=True).stdout
            assert 'xdp' not in link, link
        assert left_behind() == self.before, left_behind()

    def close_namespaces(self):
        for namespace in self.namespaces:
            if os.path.exists(f'/run/netns/{namespace}'):
                # At once; with the namespace it would take a while.
                for iface in self.ifaces:
                    subprocess.run(['ip', '-n', namespace, 'link', 'delete', iface],
                                   capture_output=True, check=False)
                ip('netns', 'delete', namespace)

    def __exit__(self, kind, value, trace):
        for program in list(_started):
            program.kill()
        try:
            if kind is None:
                self.assert_nothing_left()
        finally:
            self.close_namespaces()
            _labs.remove(self)


def left_behind():
    """What outlives a process: records of NAPI settings."""
    return sorted(glob.glob('/run/libxsk/*'))


def xsk(*words, **how):
    """Runs xsk on this host to its end, where no interface is needed."""
    program = Program(command(*words), **how)
    program.status = program.wait()
    return program


def asan():
    """Where the command is built with it, its library."""
    linked = subprocess.run(['ldd', XSK], capture_output=True, text=True, check=True).stdout
    return ' '.join(line.split()[2] for line in linked.splitlines() if 'libasan' in line)


def _clean_up():
    for program in list(_started):
        program.kill()
    for lab in list(_labs):
        lab.close_namespaces()


def _on_signal(number, frame):
    sys.exit(128 + number)


def main():
    """Runs the cases, or those that are named on the command line; prints TAP."""
    atexit.register(_clean_up)
    # Also where a shell started this in the background, with SIGINT ignored: what ignores it
    # at its start, as its children would, goes on doing so.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _on_signal)
    chosen = [one for one in _cases if not sys.argv[1:] or one.__name__ in sys.argv[1:]]
    if os.geteuid():
        print('1..0 # SKIP not root: network namespaces need CAP_SYS_ADMIN')
        return
    print(f'1..{len(chosen)}')
    for number, one in enumerate(chosen, 1):
        try:
            one()
            print(f'ok {number} - {one.__name__}', flush=True)
        except Skip as why:
            print(f'ok {number} - {one.__name__} # SKIP {why}', flush=True)
        except Exception:
            print(f'not ok {number} - {one.__name__}')
            for line in traceback.format_exc().splitlines():
                print(f'# {line}', flush=True)
