# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""paced: what receiving takes where fewer packets come than could."""

from .contenders import Role
from .traffic import Flow, Scenario

RATES = (10_000, 100_000, 250_000)
QUICK_RATES = (100_000,)


class Point:
    """A receiver, and how many packets a second are sent to it."""

    def __init__(self, receiver, rate):
        self.receiver = receiver
        self.rate = rate
        self.name = f"{receiver.name}-{rate}"
        self.title = f"{rate // 1000} kpps: {receiver.title}"

    def missing(self, world):
        return self.receiver.missing(world)


class Paced(Scenario):
    """The sender sends one packet at a time and spins until the next is due: one CPU is its own."""

    name = "paced"
    title = "paced: packets received from one sender at a fixed rate, a packet at a time"
    ours = f"port-{QUICK_RATES[0]}"

    def contenders(self, options):
        receivers = [
            Role("port", "libxsk port, sleep", "role-port"),
            Role("port-adaptive", "libxsk port, adaptive", "role-port", wait="adaptive"),
            Role("port-spin", "libxsk port, spin", "role-port", wait="spin"),
            Role("libxdp", "libxdp rings, sleep", "role-rings-libxdp"),
            Role("udp", "UDP recvmmsg, sleep", "role-udp"),
        ]
        return [Point(receiver, rate) for rate in (QUICK_RATES if options.quick else RATES)
                for receiver in receivers]

    def pairs(self, _outcome):
        """No target: who sleeps, spins or adapts is a choice."""
        return []

    def measure(self, world, point, options):
        world.wire("near", "wire", "far", "wire")
        if point.receiver.needs_address:
            world.address("far", "wire", "near")
        sender = Role("sender", "sender", "role-port", rate=point.rate,
                      other=0 if point.receiver.needs_address else 1)
        with Flow(world) as flow:
            source = flow.add(point.receiver.start(world, "receive", "far", ["wire"],
                                                   options.cpus[1], options.size))
            flow.add(sender.start(world, "send", "near", ["wire"], options.cpus[0], options.size,
                                  1))
            return flow.measure(source, options)
