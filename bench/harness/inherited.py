# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""libxsk beside libxdp, by the interface that both have: open, traffic and verbs."""

import time

from .callgrind import instructions
from .machine import say
from .samples import Metric, Samples, show_comparison

PAUSE_MS = 120		# a freed queue is usable again after about 50 ms
LIBRARIES = ("libxsk", "libxdp")
KINDS = {"default": "open, RX and TX, default program",
         "joined": "open, RX and TX, program attached by another socket",
         "retry": "open, RX and TX, zero-copy refused, then copy", "tx": "open, TX only"}
VERBS = (("receive_refill", 64, 64, "receive and refill, batch 64", 1),
         ("receive_refill", 64, 96, "  of 96 that wait", 1),
         ("receive_refill", 1, 1, "receive and refill, batch 1", 1),
         ("receive_refill", 1, 64, "  of 64 that wait", 1),
         ("alloc_send", 64, 64, "alloc and send, batch 64", 1),
         ("alloc_send", 1, 1, "alloc and send, batch 1", 1),
         ("get_data", 64, 64, "xsk_umem__get_data", None))


def in_turn(number):
    """The one that went first goes second the next time."""
    return LIBRARIES if number % 2 else LIBRARIES[::-1]


def make_wire(world):
    world.wire("near", "wire", "far", "wire", 2)


def finish(process, seconds):
    """What it printed, once it has ended well."""
    ended = process.wait(seconds)
    text = process.stop()
    if ended != 0:
        process.fail("failed" if ended is not None else f"did not end within {seconds} s")
    return text


# ---- open ----

def open_metrics(kind):
    def metric(name, label, target=None):
        return Metric(f"open.{kind}.{name}", label, "ms", 1e6, 3, "less", target)
    return [metric("umem_create", "create the UMEM"), metric("create", "create the socket", 0.1),
            metric("create_cpu", "  of that CPU time"), metric("first", "  the first in a process"),
            metric("delete", "delete the two"), metric("all", "open and close, all of it", 0.1)]


def measure_open(world, samples, kind, library, round_, times):
    process = world.start("near", [world.program(f"open-{library}"), "wire", kind, str(times),
                                   str(PAUSE_MS)])
    lines = finish(process, 60).splitlines()
    for number, line in enumerate(lines):
        umem, create, cpu, delete, umem_delete = map(int, line.split())
        # The first of "joined" is not the first in its process.
        if not number and kind != "joined":
            samples.add(f"open.{kind}.first", library, round_, create)
            continue
        for name, value in (("umem_create", umem), ("create", create), ("create_cpu", cpu),
                            ("delete", delete + umem_delete),
                            ("all", umem + create + delete + umem_delete)):
            samples.add(f"open.{kind}.{name}", library, round_, value)
    time.sleep(0.3)


def run_open(world, options):
    samples, out = Samples(), []
    make_wire(world)
    for round_ in range(1, options.rounds + 1):
        say(f"open: round {round_} of {options.rounds}")
        for kind in KINDS:
            for library in in_turn(round_):
                measure_open(world, samples, kind, library, round_, 2 if options.quick else 16)
    world.cut_wires()
    for kind, title in KINDS.items():
        out += show_comparison(title, open_metrics(kind), samples)
    return out


# ---- traffic ----

TRAFFIC = {"send": [Metric("traffic.send.received", "received", "Mpkt/s", 1e6, 3, "more", 1),
                    Metric("traffic.send.sent", "sent", "Mpkt/s", 1e6, 3, "more"),
                    Metric("traffic.send.cpu", "CPU time of the sender", "ns/pkt", 1, 0, "less")],
           "receive": [Metric("traffic.receive.received", "received", "Mpkt/s", 1e6, 3, "more", 1),
                       Metric("traffic.receive.cpu", "CPU time of the receiver", "ns/pkt", 1, 0,
                              "less")]}


def send(world, sender, receiver, options):
    """Of both: packets, nanoseconds, and nanoseconds of CPU time. The receiver lets 200 ms pass
    after its first packet, and the sender must outlast it."""
    ms = 200 if options.quick else 700
    far = world.start("far", [world.program(f"traffic-{receiver}"), "receive", "wire",
                              str(options.cpus[1]), str(ms)])
    far.read_until(b"ready\n")
    near = world.start("near", [world.program(f"traffic-{sender}"), "send", "wire",
                                str(options.cpus[0]), str(ms + 500)])
    received = [int(word) for word in finish(far, 20).split()]
    sent = [int(word) for word in finish(near, 20).split()]
    time.sleep(0.3)
    return sent, received


def add_flow(samples, metric, library, round_, flow):
    samples.add(metric, library, round_, flow[0] / flow[1] * 1e9)


def run_traffic(world, options):
    """One end is exchanged; the other one is always libxdp's. In slices, because a shared machine
    is as fast as it was for less than seconds."""
    samples, out = Samples(), []
    make_wire(world)
    for round_ in range(1, options.rounds + 1):
        say(f"traffic: round {round_} of {options.rounds}")
        for slice_ in range(1 if options.quick else 4):
            for library in in_turn(slice_ + round_):
                sent, received = send(world, library, "libxdp", options)
                add_flow(samples, "traffic.send.received", library, round_, received)
                add_flow(samples, "traffic.send.sent", library, round_, sent)
                samples.add("traffic.send.cpu", library, round_, sent[2] / max(sent[0], 1))
            for library in in_turn(slice_ + round_):
                _, received = send(world, "libxdp", library, options)
                add_flow(samples, "traffic.receive.received", library, round_, received)
                samples.add("traffic.receive.cpu", library, round_,
                            received[2] / max(received[0], 1))
    world.cut_wires()
    for role, title in (("send", "sender"), ("receive", "receiver")):
        out += show_comparison(f"traffic, the {title} exchanged", TRAFFIC[role], samples)
    return out


# ---- verbs ----

def run_verbs(world, options):
    """The same number each time, so once is enough."""
    samples, metrics = Samples(), []
    packets = 6528 if options.quick else 65280
    say("instructions of the ring verbs")
    for verb, batch, arrive, label, target in VERBS[:1] if options.quick else VERBS:
        name = f"rings.{verb}.{batch}.{arrive}"
        metrics.append(Metric(name, label, "/pkt", 1, 3, "less", target))
        for library in LIBRARIES:
            argv = [world.program(f"rings-{library}"), verb, str(batch), str(arrive), str(packets)]
            samples.add(name, library, 1, instructions(world, [verb], argv) / packets)
    return show_comparison("ring verbs, instructions", metrics, samples)
