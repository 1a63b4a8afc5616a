# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""CPU time of filters' programs, beside the classic ones that they are made from."""

from .figures import summary
from .inherited import finish
from .machine import say
from .report import number, span, table
from .samples import Samples

CASES = (("empty", "only returns", ("run",)), ("all", "no filter", ("match",)),
         ("all-counts", "no filter, counters", ("match",)),
         ("udp53", "udp port 53", ("first", "last", "none")),
         ("udp53-counts", "udp port 53, counters", ("first", "last", "none")),
         ("ten", "ten terms", ("first", "last", "none")),
         ("ports", "500 UDP ports", ("first", "last", "none")),
         ("keep", "keep management", ("kept-first", "kept-last", "not-kept")),
         ("keep-udp53", "keep management, udp port 53", ("kept-first", "kept-last", "not-kept")))


def show(samples):
    rows, out = [], []
    for case, title, packets in CASES:
        for packet in packets:
            metric = f"filters.{case}.{packet}"
            ratio = [] if case == "empty" else samples.ratios(metric, "xdp", "classic")
            rows.append([title if packet == packets[0] else "", "" if case == "empty" else packet,
                         *[number(samples.all(metric, who), 1, 1) for who in ("xdp", "classic")],
                         span(ratio) if ratio else ""])
            out.append({"name": metric, "unit": "ns/pkt",
                        **{who: summary(samples.all(metric, who)) for who in ("xdp", "classic")
                           if samples.has(metric, who)}})
    print("\nfilters, ns per packet: median (quartiles), of what the first line takes already less "
          "that\n")
    table(["", "packet", "XDP program", "classic, of a socket", "XDP/classic"], rows)
    return out


def run_filters(world, options):
    """All programs one after the other, on one CPU."""
    samples = Samples()
    shape = ("1", "20000", "5") if options.quick else ("9", "200000", "51")
    for round_ in range(1, options.rounds + 1):
        say(f"filters: round {round_} of {options.rounds}")
        process = world.start("near", ["taskset", "-c", str(max(options.cpus[1], 0)),
                                       world.program("filters"), *shape])
        for line in finish(process, 600).splitlines():
            case, packet, who, value = line.split()
            samples.add(f"filters.{case}.{packet}", who, round_, float(value))
    return show(samples)
