# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""A playground that runs, as ./playground makes one, and what may be left of it."""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time

from harness import PATIENCE, Program

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _runs(pid):
    """A zombie is a matter of who is its parent now."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8') as file:
            return file.read().rpartition(') ')[2][0] != 'Z'
    except OSError:
        return False


class Playground:
    """Its program is started at entry, in a folder of its own; at exit it has ended, and
    nothing may be left."""

    def __init__(self, *words, terminal=False, env=None, script=None, **how):
        self.words = [script or os.path.join(ROOT, 'playground'), *words]
        self.terminal = terminal
        self.env = env or {}
        self.how = how
        self.seen = set()

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix='xsk-cli-')
        self.temporary = os.path.join(self.folder, 'tmp')
        self.cwd = os.path.join(self.folder, 'cwd')
        for path in (self.temporary, self.cwd):
            os.mkdir(path)
        os.chmod(self.folder, 0o755)
        environment = {'TMPDIR': self.temporary, 'SHELL': '/bin/sh', **self.env}
        atexit.register(self.end)
        self.program = Program(['env', '-C', self.cwd, *self.words], terminal=self.terminal,
                               env=environment, **self.how)
        self.pid = self.program.process.pid
        self.namespaces = [f'xsk-{host}-{self.pid}' for host in ('here', 'there')]
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.end()
            if kind is None:
                self.assert_nothing_left()
        finally:
            atexit.unregister(self.end)
            shutil.rmtree(self.folder)

    def pids(self):
        """Who runs on the hosts. They must be gone in the end."""
        found = []
        for namespace in self.namespaces:
            listed = subprocess.run(['ip', 'netns', 'pids', namespace], capture_output=True,
                                    text=True, check=False)
            found += [int(pid) for pid in listed.stdout.split()]
        self.seen.update(found)
        return found

    def expect(self, pattern, **how):
        return self.program.expect(pattern, **how)

    def type(self, text):
        self.program.type(text)

    def wait(self, timeout=PATIENCE):
        """Until it has ended; the exit status."""
        return self.program.wait(timeout)

    def end(self):
        """As a person would, so that it can clean up."""
        if self.program.process.poll() is None:
            self.program.signal(signal.SIGTERM)
            try:
                self.program.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                pass
        self.program.kill()

    def assert_nothing_left(self):
        for namespace in self.namespaces:
            assert not os.path.exists(f'/run/netns/{namespace}'), namespace
        assert os.listdir(self.temporary) == [], os.listdir(self.temporary)
        end = time.monotonic() + 1      # for who has just been killed
        while any(_runs(pid) for pid in self.seen):
            assert time.monotonic() < end, self.seen
            time.sleep(0.02)
