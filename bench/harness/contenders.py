# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Who takes part: how each is started, and how what it has counted is read."""

import os
import re
import shutil

from .world import Failed, fields

MS = 120_000
# As the kernel's documentation has them, for those that poll busily.
DEFERRED = {"napi_defer_hard_irqs": 2, "gro_flush_timeout": 200_000}
TESTPMD = "dpdk-testpmd"
# Settings of the interface before the start; and once veth has its NAPIs.
EARLY = ("napi_defer_hard_irqs", "gro_flush_timeout")
LATE = ("threaded",)


def set_nics(world, namespace, ifnames, settings, which):
    for ifname in ifnames:
        world.set_nic(namespace, ifname,
                      {key: value for key, value in settings.items() if key in which})


class Counter:
    """The kernel's own: an XDP program that drops, or sends on to another interface."""

    def __init__(self, world, namespace, ifname, to="drop", size=64, contents="ours"):
        self.process = world.start(
            namespace, [world.program("counter"), ifname, to, str(size), contents], stdin=True)
        self.processes = {}
        self.process.read_until(b"ready\n")

    def counts(self):
        return fields(self.process.ask("\n", b"\n"))

    def stop(self):
        self.process.stop()
        return {}


class RoleRunning:
    """A program of role.h at work."""

    NAMES = ("packets", "bytes", "sampled", "bad", "lost")

    def __init__(self, world, namespace, role, argv, options):
        path, self.memory = world.counts_file()
        self.layout = world.COUNTS
        self.process = world.start(namespace, [*argv, path, *options])
        self.processes = {role: self.process}
        self.process.read_until(b"ready\n")

    def counts(self):
        return dict(zip(self.NAMES, self.layout.unpack_from(self.memory)))

    def stop(self):
        ended = self.process.wait(0)
        rest = self.process.stop()
        if ended is not None or self.process.popen.returncode:
            self.process.fail("did not go on to the end")
        return fields(rest)


class Role:
    """A contender that is a program of role.h."""

    contents = "ours"

    def __init__(self, name, title, program, **settings):
        self.name = name
        self.title = title
        self.program = program
        self.wait = settings.pop("wait", "sleep")
        self.burst = settings.pop("burst", 64)
        self.nic = settings.pop("nic", {})
        self.needs_address = program == "role-udp"
        self.options = [f"{key}={value}" for key, value in settings.items()]

    def missing(self, world):
        return None if os.path.exists(world.program(self.program)) else "was not built"

    def start(self, world, role, namespace, ifnames, cpu, size, burst=None, **options):
        set_nics(world, namespace, ifnames, self.nic, EARLY)
        argv = [world.program(self.program), role, ",".join(ifnames), str(cpu), str(MS), str(size),
                str(burst or self.burst), self.wait]
        running = RoleRunning(world, namespace, role, argv,
                              self.options + [f"{key}={value}" for key, value in options.items()])
        set_nics(world, namespace, ifnames, self.nic, LATE)
        return running


class TestpmdRunning:
    END = b"#" * 76 + b"\n"

    def __init__(self, world, namespace, role, ports, argv):
        self.role = role
        self.ports = ports
        # Line by line, also to a pipe.
        self.process = world.start(namespace, ["stdbuf", "-oL", *argv], stdin=True)
        self.process.name = TESTPMD
        self.processes = {role: self.process}
        self.process.read_until(b"TX offloads=", 60)

    def counts(self):
        """Of a receiver what it took, of the others what they sent."""
        text = self.process.ask("show port stats all\n", self.END)
        for _ in range(self.ports - 1):
            text += self.process.read_until(self.END)
        kind = "RX-packets" if self.role == "receive" else "TX-packets"
        values = [int(value) for value in re.findall(kind + r":\s*(\d+)", text)]
        if not values:
            self.process.fail("shows no statistics")
        return {"packets": sum(values)}

    def stop(self):
        try:
            self.process.ask("quit\n", b"Bye...")
        except Failed:
            pass
        self.process.stop()
        return {}


class Testpmd:
    """DPDK's own program for this, with net_af_xdp. Its pool of buffers is in pages of the
    usual size; it forwards by the one core that it is given, and reads commands on another."""

    contents = "udp"
    needs_address = False
    MODES = {"send": "txonly", "receive": "rxonly", "forward": "io", "echo": "macswap"}

    def __init__(self, name, title, busy=True, burst=64, nic=None, vdev="", args=()):
        self.name = name
        self.title = title
        self.burst = burst
        self.nic = nic or {}
        self.vdev = vdev + ("" if busy else ",busy_budget=0")
        self.args = list(args)

    def missing(self, _world):
        return None if shutil.which(TESTPMD) else f"{TESTPMD} is not installed"

    def start(self, world, role, namespace, ifnames, cpu, size, burst=None, **_):
        set_nics(world, namespace, ifnames, self.nic, EARLY)
        away = 0 if cpu else min(1, (os.cpu_count() or 1) - 1)
        argv = [TESTPMD, "--lcores", f"0@{away},1@{max(cpu, 0)}", "--no-huge", "-m", "256",
                "--no-shconf", "--no-pci", "--no-telemetry", "--log-level", "warning"]
        for number, ifname in enumerate(ifnames):
            argv += ["--vdev", f"net_af_xdp{number},iface={ifname}{self.vdev}"]
        argv += ["--", "-i", "--auto-start", f"--forward-mode={self.MODES[role]}",
                 f"--txpkts={size}", f"--burst={burst or self.burst}",
                 "--total-num-mbufs=32768", *self.args]
        running = TestpmdRunning(world, namespace, role, len(ifnames), argv)
        set_nics(world, namespace, ifnames, self.nic, LATE)
        return running


class Kernel:
    """The kernel's own way, where a contender would be."""

    contents = "ours"
    needs_address = False

    def __init__(self, name, title):
        self.name = name
        self.title = title
        self.processes = {}

    def missing(self, _world):
        return None


class Drop(Kernel):
    """The limit of what can be received: nobody gets it."""

    def start(self, world, _role, namespace, ifnames, _cpu, size, **_):
        return Counter(world, namespace, ",".join(ifnames), "drop", size)


class Redirect(Kernel):
    """The limit of forwarding: from driver to driver."""

    def start(self, world, _role, namespace, ifnames, _cpu, size, **_):
        return Counter(world, namespace, ifnames[0], ifnames[1], size)


class Bridge(Kernel):
    """rps: the packets are moved to the forwarder's CPU, else all is done on the sender's."""

    def __init__(self, name, title, rps=False):
        super().__init__(name, title)
        self.rps = rps

    def start(self, world, _role, namespace, ifnames, cpu, _size, **_):
        self.world = world
        self.namespace = namespace
        world.ip(namespace, "link add bridge type bridge stp_state 0 mcast_snooping 0",
                 *[f"link set {ifname} master bridge" for ifname in ifnames],
                 "link set bridge up")
        world.sh(namespace, f"bridge fdb add {world.MACS['far']} dev {ifnames[1]} master static")
        if self.rps and cpu >= 0:
            world.set_nic(namespace, ifnames[0], {"queues/rx-0/rps_cpus": f"{1 << cpu:x}"})
        return self

    def stop(self):
        self.world.ip(self.namespace, "link del bridge")
        return {}


# What each scenario is measured with: the best settings of each, and with tune also those
# that were tried.
def senders(tune):
    best = [
        Role("port", "libxsk port", "role-port"),
        Role("rings", "libxsk rings", "role-rings-libxsk", budget=2048),
        Role("libxdp", "libxdp rings", "role-rings-libxdp", budget=2048),
        Testpmd("testpmd", "testpmd txonly", busy=False),
        Role("packet", "AF_PACKET TPACKET_V2", "role-packet"),
        Role("packet-mmsg", "AF_PACKET sendmmsg", "role-packet", burst=256, mmsg=1),
        Role("udp", "UDP sendmmsg", "role-udp"),
    ]
    tried = [
        Role("port-burst256", "libxsk port, bursts of 256", "role-port", burst=256),
        Role("port-burst32", "libxsk port, bursts of 32", "role-port", burst=32),
        Role("libxdp-budget32", "libxdp rings, 32 a kick", "role-rings-libxdp"),
        Role("libxdp-burst32", "libxdp rings, bursts of 32", "role-rings-libxdp", burst=32),
        Role("libxdp-burst256", "libxdp rings, bursts of 256", "role-rings-libxdp", burst=256,
             budget=2048),
        Role("libxdp-busy", "libxdp rings, busy", "role-rings-libxdp", wait="busy", budget=2048,
             nic=DEFERRED),
        Testpmd("testpmd-busy", "testpmd, busy", nic=DEFERRED),
        Testpmd("testpmd-burst32", "testpmd, bursts of 32", busy=False, burst=32),
        Testpmd("testpmd-burst256", "testpmd, bursts of 256", busy=False, burst=256),
        Role("packet-mmsg64", "AF_PACKET sendmmsg, bursts of 64", "role-packet", mmsg=1),
        Role("packet-burst256", "AF_PACKET, bursts of 256", "role-packet", burst=256),
        Role("udp-burst256", "UDP, bursts of 256", "role-udp", burst=256),
    ]
    return best + tried if tune else best


def receivers(tune):
    threaded = {"threaded": 1}
    best = [
        Role("port", "libxsk port", "role-port"),
        Role("rings", "libxsk rings", "role-rings-libxsk"),
        Role("libxdp", "libxdp rings", "role-rings-libxdp"),
        Testpmd("testpmd", "testpmd rxonly", busy=False),
        Role("packet", "AF_PACKET TPACKET_V3", "role-packet"),
        Role("udp", "UDP recvmmsg", "role-udp"),
        Drop("drop", "limit: XDP_DROP"),
    ]
    tried = [
        Role("port-fill512", "libxsk port, FILL of 512", "role-port", fill=512),
        Role("port-frame2048", "libxsk port, frames of 2048", "role-port", frame=2048),
        Role("port-adaptive", "libxsk port, adaptive", "role-port", wait="adaptive"),
        Role("port-spin", "libxsk port, spin", "role-port", wait="spin"),
        Role("port-busy", "libxsk port, busy", "role-port", wait="busy"),
        Role("port-threaded", "libxsk port, threaded", "role-port", nic=threaded),
        Role("port-spin-threaded", "libxsk port, spin, threaded", "role-port", wait="spin",
             nic=threaded),
        Role("port-burst256", "libxsk port, bursts of 256", "role-port", burst=256),
        Role("libxdp-ring512", "libxdp rings, of 512", "role-rings-libxdp", ring=512),
        Role("libxdp-spin", "libxdp rings, spin", "role-rings-libxdp", wait="spin"),
        Role("libxdp-busy", "libxdp rings, busy", "role-rings-libxdp", wait="busy", nic=DEFERRED),
        Role("libxdp-threaded", "libxdp rings, threaded", "role-rings-libxdp", nic=threaded),
        Role("libxdp-burst256", "libxdp rings, bursts of 256", "role-rings-libxdp", burst=256),
        Testpmd("testpmd-busy", "testpmd, busy", nic=DEFERRED),
        Testpmd("testpmd-threaded", "testpmd, threaded", busy=False, nic=threaded),
        Testpmd("testpmd-burst32", "testpmd, bursts of 32", busy=False, burst=32),
        Role("packet-spin", "AF_PACKET TPACKET_V3, spin", "role-packet", wait="spin"),
        Role("udp-spin", "UDP, spin", "role-udp", wait="spin"),
        Role("udp-busy", "UDP, busy", "role-udp", wait="busy", nic=DEFERRED),
    ]
    return best + tried if tune else best


def forwarders(tune):
    threaded = {"threaded": 1}
    best = [
        Role("port", "libxsk port, shared UMEM", "role-port"),
        Role("libxdp", "libxdp rings, copied", "role-rings-libxdp", budget=2048),
        Testpmd("testpmd", "testpmd io", busy=False),
        Bridge("bridge", "kernel bridge"),
        Bridge("bridge-rps", "kernel bridge, RPS", rps=True),
        Redirect("redirect", "limit: XDP redirect"),
    ]
    tried = [
        Role("port-adaptive", "libxsk port, adaptive", "role-port", wait="adaptive"),
        Role("port-spin", "libxsk port, spin", "role-port", wait="spin"),
        Role("port-busy", "libxsk port, busy", "role-port", wait="busy"),
        Role("port-threaded", "libxsk port, threaded", "role-port", nic=threaded),
        Role("rings", "libxsk rings, copied", "role-rings-libxsk", budget=2048),
        Role("libxdp-spin", "libxdp rings, copied, spin", "role-rings-libxdp", wait="spin",
             budget=2048),
        Role("libxdp-busy", "libxdp rings, copied, busy", "role-rings-libxdp", wait="busy",
             budget=2048, nic=DEFERRED),
        Role("libxdp-budget32", "libxdp rings, copied, 32 a kick", "role-rings-libxdp"),
        Testpmd("testpmd-busy", "testpmd io, busy", nic=DEFERRED),
        Testpmd("testpmd-burst32", "testpmd io, bursts of 32", busy=False, burst=32),
    ]
    return best + tried if tune else best


class Pair:
    """Both ends of a round trip: who measures, and who answers."""

    def __init__(self, name, title, ping, echo=None):
        self.name = name
        self.title = title
        self.ping = ping
        self.echo = echo or ping
        self.needs_address = ping.needs_address

    def missing(self, world):
        return self.ping.missing(world) or self.echo.missing(world)


def echoes(tune):
    """testpmd has nothing that measures: our port does, with the wait that is best there."""
    def both(name, title, program, **settings):
        return Pair(name, title, Role(name, title, program, burst=32, **settings))

    port_spin = Role("port", "port", "role-port", wait="spin")
    best = [
        both("port-sleep", "libxsk port, sleep", "role-port", wait="sleep"),
        both("port-adaptive", "libxsk port, adaptive", "role-port", wait="adaptive"),
        both("port-spin", "libxsk port, spin", "role-port", wait="spin"),
        both("port-busy", "libxsk port, busy poll", "role-port", wait="busy"),
        both("udp-sleep", "UDP sockets, sleep", "role-udp", wait="sleep"),
        both("udp-spin", "UDP sockets, spin", "role-udp", wait="spin"),
        both("packet-sleep", "AF_PACKET, sleep", "role-packet", wait="sleep"),
        both("packet-spin", "AF_PACKET, spin", "role-packet", wait="spin"),
        Pair("testpmd", "testpmd macswap", port_spin,
             Testpmd("testpmd", "testpmd", busy=False, burst=32)),
    ]
    tried = [
        both("libxdp-sleep", "libxdp rings, sleep", "role-rings-libxdp", wait="sleep"),
        both("libxdp-spin", "libxdp rings, spin", "role-rings-libxdp", wait="spin"),
        both("libxdp-busy", "libxdp rings, busy poll", "role-rings-libxdp", wait="busy",
             nic=DEFERRED),
        both("udp-busy", "UDP sockets, busy poll", "role-udp", wait="busy", nic=DEFERRED),
        Pair("testpmd-busy", "testpmd macswap, busy poll", port_spin,
             Testpmd("testpmd", "testpmd", burst=32, nic=DEFERRED)),
    ]
    return best + tried if tune else best
