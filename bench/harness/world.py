# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Network namespaces, wires between them, and processes: all of it gone at the end."""

import mmap
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import time

PATIENCE = 20


class Failed(Exception):
    """A contender that did not start, or did not do its work: said, and left out."""


def run(*argv, text=None):
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout


def fields(line):
    """Of a line of NAME=NUMBER."""
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}


class Process:
    """A program in a namespace, with pipes. It ends with stop()."""

    def __init__(self, world, namespace, argv, stdin=False):
        self.name = os.path.basename(argv[0])
        self.world = world
        self.buffer = b""
        self.usage = None
        self.log = tempfile.TemporaryFile(dir=world.directory)
        self.popen = subprocess.Popen(
            ["ip", "netns", "exec", world.namespace(namespace), *argv],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self.log, cwd=world.directory)
        self.pid = self.popen.pid
        world.processes.append(self)

    def said(self):
        self.log.seek(0)
        text = self.log.read().decode(errors="replace")
        return (text or self.buffer.decode(errors="replace")).strip()[-600:]

    def fail(self, what):
        raise Failed(f"{self.name}: {what}: {self.said() or 'it says nothing'}")

    def read_until(self, mark, seconds=PATIENCE):
        """What it prints up to the mark, which is not in it."""
        end = time.monotonic() + seconds
        while mark not in self.buffer:
            left = end - time.monotonic()
            if left <= 0:
                self.fail(f"no '{mark.decode().strip()}' within {seconds} s")
            if select.select([self.popen.stdout], [], [], left)[0]:
                data = os.read(self.popen.stdout.fileno(), 1 << 16)
                if not data:
                    self.fail("ended too early")
                self.buffer += data
        text, _, self.buffer = self.buffer.partition(mark)
        return text.decode(errors="replace")

    def ask(self, text, mark):
        try:
            self.popen.stdin.write(text.encode())
            self.popen.stdin.flush()
        except OSError:
            self.fail("does not listen")
        return self.read_until(mark)

    def wait(self, seconds):
        """None while it goes on; else its status, and self.usage is what it used."""
        end = time.monotonic() + seconds
        while self.usage is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.usage = {"user": usage.ru_utime, "system": usage.ru_stime}
                self.popen.returncode = os.waitstatus_to_exitcode(status)
                break
            if time.monotonic() >= end:
                return None
            time.sleep(0.002)
        return self.popen.returncode

    def stop(self, number=signal.SIGTERM):
        """Returns the rest of what it printed."""
        if self not in self.world.processes:
            return ""
        self.world.processes.remove(self)
        # Not by Popen, which would reap it: wait() is to see what it used.
        if self.usage is None:
            os.kill(self.pid, number)
        if self.popen.stdin:
            try:
                self.popen.stdin.close()
            except OSError:
                pass
        if self.wait(PATIENCE) is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait(PATIENCE)
        rest = self.buffer + self.popen.stdout.read()
        self.popen.stdout.close()
        return rest.decode(errors="replace")


class World:
    """near ----- mid ----- far; where two are enough, near ----- far."""

    NAMES = ("near", "mid", "far")
    MACS = {"near": "02:00:00:00:00:01", "far": "02:00:00:00:00:02"}
    IPS = {"near": "198.18.0.1", "far": "198.18.0.2"}
    COUNTS = struct.Struct("=QQQQQ")

    def __init__(self, programs):
        self.programs = programs
        self.directory = None
        self.processes = []
        self.namespaces = []
        self.wires = []
        self.files = 0

    def __enter__(self):
        # In memory: what the contenders count is written there.
        self.directory = tempfile.mkdtemp(
            prefix="xsk-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        for name in self.NAMES:
            run("ip", "netns", "add", self.namespace(name))
            self.namespaces.append(name)
            self.sh(name, "[ ! -d /proc/sys/net/ipv6 ] || "
                          "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6")
        return self

    def __exit__(self, *_):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self.kill_all()
        for name in self.namespaces:
            subprocess.run(["ip", "netns", "del", self.namespace(name)], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def program(self, name):
        return os.path.join(self.programs, name)

    def namespace(self, name):
        return f"xsk-bench-{os.getpid()}-{name}"

    def sh(self, name, script):
        return run("ip", "netns", "exec", self.namespace(name), "sh", "-c", script)

    def ip(self, name, *lines):
        run("ip", "-n", self.namespace(name), "-batch", "-", text="\n".join(lines) + "\n")

    def wire(self, left, left_name, right, right_name, queues=1, mtu=1500):
        """A veth pair. An interface's own address is that of its namespace."""
        shape = f"mtu {mtu} numtxqueues {queues} numrxqueues {queues}"
        near, far = (f"address {self.MACS[name]}" if name in self.MACS else ""
                     for name in (left, right))
        self.ip(left, f"link add {left_name} {near} {shape} type veth "
                      f"peer name {right_name} {far} {shape} netns {self.namespace(right)}",
                f"link set {left_name} up")
        self.ip(right, f"link set {right_name} up")
        self.wires.append((left, left_name))

    def address(self, name, ifname, other):
        """So that UDP sockets can send to the other one without asking for it."""
        self.ip(name, f"addr add {self.IPS[name]}/24 dev {ifname}",
                f"neigh replace {self.IPS[other]} lladdr {self.MACS[other]} "
                f"dev {ifname} nud permanent")

    def set_nic(self, name, ifname, settings):
        """Of /sys/class/net: settings go with the wire."""
        for key, value in settings.items():
            self.sh(name, f"echo {value} >/sys/class/net/{ifname}/{key}")

    def cut_wires(self):
        for name in self.NAMES:
            lines = [f"link del {ifname}" for where, ifname in self.wires if where == name]
            if lines:
                self.ip(name, *lines)
        self.wires.clear()

    def start(self, namespace, argv, stdin=False):
        return Process(self, namespace, argv, stdin)

    def kill_all(self):
        """Whoever is left, such as those whose start failed."""
        for process in list(self.processes):
            process.stop(signal.SIGKILL)

    def counts_file(self):
        self.files += 1
        path = os.path.join(self.directory, f"counts-{self.files}")
        with open(path, "wb") as file:
            file.write(bytes(self.COUNTS.size))
        with open(path, "r+b") as file:
            return path, mmap.mmap(file.fileno(), self.COUNTS.size)
