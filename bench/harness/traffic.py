# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""send, receive and forward: packets a second that arrive, and CPU time for each."""

import time

from . import profile
from .contenders import Counter, Role, echoes, forwarders, receivers, senders
from .machine import say
from .meter import window
from .rounds import RATE_HEAD, TRIP_HEAD, rate_row, trip_row
from .world import Failed

FLOW_SECONDS = 5


class Flow:
    """One measurement: starts what it is told to, in order, and stops it backwards."""

    def __init__(self, world):
        self.world = world
        self.running = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        failures = []
        for running in reversed(self.running):
            try:
                running.stop()
            except Failed as reason:
                failures.append(reason)
        self.running.clear()
        self.world.kill_all()
        self.world.cut_wires()
        # What stopped the measurement says more than what came of that.
        if failures and kind is None:
            raise failures[0]

    def add(self, running):
        self.running.append(running)
        return running

    def stop(self, running):
        self.running.remove(running)
        return running.stop()

    def await_packets(self, source):
        end = time.monotonic() + FLOW_SECONDS
        while not source.counts()["packets"]:
            if time.monotonic() > end:
                raise Failed("no packet arrived")
            time.sleep(0.02)

    def measure(self, source, options):
        """options.profiled is the name of the profile that is wanted, if one is."""
        self.await_packets(source)
        time.sleep(options.settle)
        processes = {role: process for running in self.running
                     for role, process in running.processes.items()}
        result = window(source, processes, options.seconds)
        check_contents(source.counts())
        if not result["counts"]["packets"]:
            raise Failed("the packets stopped")
        if options.profiled:
            reason = profile.take(options.profile, options.profiled)
            if reason:
                say(f"{options.profiled}: no profile: {reason}")
        return result


def check_contents(counts):
    if counts.get("bad"):
        raise Failed(f"contents: {counts['bad']} of {counts['sampled']} are wrong")
    if "sampled" in counts and counts["packets"] > 1000 and not counts["sampled"]:
        raise Failed("contents: none was checked")


# The sender of "receive" and "forward": the fastest of "send", see bench/README.md.
def fixed_sender():
    return Role("sender", "sender", "role-rings-libxdp", budget=2048)


class Scenario:
    """Of packets a second. ours is compared with the fastest of the peers."""

    labels = {"pps": "packets a second", "cost": "CPU time per packet"}
    ours = "port"
    peers = ("libxdp", "testpmd", "packet", "packet-mmsg", "udp")

    def head(self):
        return RATE_HEAD

    def row(self, outcome, contender):
        return rate_row(outcome, contender)

    def pairs(self, outcome):
        """What is to be judged: key, ours, peer, target, good."""
        peer = outcome.hardest("pps", "more", self.peers)
        return [("pps", self.ours, peer, self.target, "more"),
                ("cost", self.ours, peer, 1.0, "less")] if peer else []

    def brief(self, result):
        return f"{result['pps'] / 1e6:.3f} Mpkt/s, {result['cost']:.0f} ns CPU/pkt"


class Send(Scenario):
    name = "send"
    title = "send: packets that arrive at a kernel XDP_DROP counter"
    target = 1.1

    def contenders(self, options):
        return senders(options.tune)

    def measure(self, world, contender, options):
        world.wire("near", "wire", "far", "wire")
        if contender.needs_address:
            world.address("near", "wire", "far")
        with Flow(world) as flow:
            counter = flow.add(Counter(world, "far", "wire", "drop", options.size,
                                       contender.contents))
            flow.add(contender.start(world, "send", "near", ["wire"], options.cpus[0],
                                     options.size))
            return flow.measure(counter, options)


class Receive(Scenario):
    name = "receive"
    title = "receive: packets received from one fixed sender"
    target = 1.3

    def contenders(self, options):
        return receivers(options.tune)

    def measure(self, world, contender, options):
        world.wire("near", "wire", "far", "wire")
        if contender.needs_address:
            world.address("far", "wire", "near")
        with Flow(world) as flow:
            receiver = flow.add(contender.start(world, "receive", "far", ["wire"],
                                                options.cpus[1], options.size))
            flow.add(fixed_sender().start(
                world, "send", "near", ["wire"], options.cpus[0], options.size,
                other=0 if contender.needs_address else 1))
            return flow.measure(receiver, options)


class Forward(Scenario):
    name = "forward"
    title = "forward: from one fixed sender, to a kernel XDP_DROP counter behind a second veth pair"
    target = 1.2
    peers = ("libxdp", "testpmd", "bridge", "bridge-rps")

    def contenders(self, options):
        return forwarders(options.tune)

    def measure(self, world, contender, options):
        world.wire("near", "wire", "mid", "left")
        world.wire("mid", "right", "far", "wire")
        with Flow(world) as flow:
            counter = flow.add(Counter(world, "far", "wire", "drop", options.size))
            flow.add(contender.start(world, "forward", "mid", ["left", "right"], options.cpus[1],
                                     options.size))
            flow.add(fixed_sender().start(world, "send", "near", ["wire"], options.cpus[0],
                                          options.size))
            return flow.measure(counter, options)


class Echo(Scenario):
    name = "echo"
    title = "echo: round trips of one packet in flight, both ends of the same kind"
    labels = {"p50": "median round trip", "p99": "p99 of the round trips",
              "p999": "p99.9 of the round trips", "cost": "CPU time per round trip"}
    ours = "port-spin"

    def contenders(self, options):
        return echoes(options.tune)

    def head(self):
        return TRIP_HEAD

    def row(self, outcome, contender):
        return trip_row(outcome, contender)

    def brief(self, result):
        return " ".join(f"{key} {result[key] / 1000:.1f} us" for key in ("p50", "p99", "p999"))

    def pairs(self, outcome):
        """Who sleeps is compared with who sleeps; and the best with the best."""
        names = [contender.name for contender in outcome.measured()]
        ours = [name for name in names if name.startswith("port-")]
        udp = [name for name in names if name.startswith("udp-")]
        peers = [name for name in names if name not in ours]
        fastest = outcome.best("p50", "less", ours)
        found = [("p50", "port-sleep", "udp-sleep", 0.7, "less"),
                 ("p50", fastest, outcome.best("p50", "less", udp), 0.7, "less"),
                 ("p99", outcome.best("p99", "less", ours), outcome.best("p99", "less", peers),
                  1.0, "less")]
        return [pair for pair in found if pair[1] and pair[2]]

    def measure(self, world, contender, options):
        world.wire("near", "wire", "far", "wire")
        if contender.needs_address:
            world.address("near", "wire", "far")
            world.address("far", "wire", "near")
        other = 0 if contender.needs_address else 1
        with Flow(world) as flow:
            flow.add(contender.echo.start(world, "echo", "far", ["wire"], options.cpus[1],
                                          options.size))
            ping = flow.add(contender.ping.start(world, "ping", "near", ["wire"], options.cpus[0],
                                                 options.size, other=other))
            result = flow.measure(ping, options)
            trips = flow.stop(ping)
        if "p50" not in trips:
            raise Failed("too few round trips")
        if result["counts"]["lost"] > result["counts"]["packets"] / 10:
            raise Failed(f"{result['counts']['lost']} round trips did not end")
        return {**result, **{key: trips[key] for key in ("p50", "p90", "p99", "p999", "max")},
                "lost": trips["lost"]}
