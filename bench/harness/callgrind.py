# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Instructions in user space, counted by callgrind: of the port, the bare rings and DPDK."""

import os
import re
import time

from .machine import say
from .report import table
from .world import Failed

BURST = 64
CONTENDERS = (("rings", "burst-rings", ""), ("port", "burst-port", ""),
              ("checked", "burst-port", "checked-"), ("dpdk", "burst-dpdk", ""))
METRICS = (("receive", "receive and free", ["receive_burst"]),
           ("send", "alloc and send", ["send_burst"]),
           ("send_kick", "  with the kick", ["send_burst", "kick"]))
TO_RINGS = 1.3


def instructions(world, functions, argv):
    """In those functions and what they call. What the dynamic linker does at a function's first
    call is not to be in it."""
    out = os.path.join(world.directory, "callgrind")
    toggles = [f"--toggle-collect={function}" for function in functions]
    process = world.start("near", ["env", "LD_BIND_NOW=1", "valgrind", "--tool=callgrind",
                                   f"--callgrind-out-file={out}", *toggles, *argv])
    ended = process.wait(300)
    process.stop()
    if ended != 0:
        process.fail(f"{argv[0]} under callgrind failed")
    with open(out, encoding="utf-8", errors="replace") as file:
        total = re.search(r"^totals: (\d+)", file.read(), re.M)
    if not total or not int(total.group(1)):
        raise Failed(f"callgrind counted nothing in {functions} of {argv[0]}")
    return int(total.group(1))


def count_bursts(world, who, program, prefix, packets):
    """DPDK's send_burst kicks."""
    counted = {}
    for metric, _, functions in METRICS:
        if who == "dpdk" and metric == "send":
            continue
        # One queue: whatever sends over it, that is where it arrives.
        world.wire("near", "burst", "far", "burst")
        argv = [world.program(program), prefix + metric.replace("_kick", ""), "burst",
                world.namespace("far"), str(packets // BURST)]
        try:
            counted[metric] = instructions(world, functions, argv) / packets
        finally:
            world.cut_wires()
        time.sleep(0.3)
    return counted


def ratio(counted, who, metric):
    theirs = counted.get(who, {}).get(metric)
    ours = counted.get("port", {}).get(metric)
    return ours / theirs if ours and theirs else None


def judge(counted, metric):
    rings, dpdk = ratio(counted, "rings", metric), ratio(counted, "dpdk", metric)
    said = []
    if rings:
        said.append(f"<= {TO_RINGS}: " + ("reached" if rings <= TO_RINGS else "missed"))
    if dpdk:
        said.append("< 1: " + ("reached" if dpdk < 1 else "missed"))
    return ", ".join(said)


def run_bursts(world, options):
    packets = 6528 if options.quick else 65280
    counted, rows, out = {}, [], []
    say("instructions of bursts")
    for who, program, prefix in CONTENDERS:
        if os.path.exists(world.program(program)):
            counted[who] = count_bursts(world, who, program, prefix, packets)
        else:
            say(f"bursts: {program} was not built, and is left out")
    for metric, label, _ in METRICS:
        values = [counted.get(who, {}).get(metric) for who, _, _ in CONTENDERS]
        ratios = [ratio(counted, who, metric) for who in ("rings", "dpdk")]
        rows.append([label, *[f"{value:.1f}" if value else "-" for value in values],
                     *[f"{value:.2f}" if value else "-" for value in ratios],
                     judge(counted, metric)])
        out.append({"name": f"burst.{metric}", "unit": "/pkt",
                    **{who: value for (who, _, _), value in zip(CONTENDERS, values) if value},
                    "port / rings": ratios[0], "port / dpdk": ratios[1],
                    "result": judge(counted, metric)})
    print(f"\ninstructions per packet, bursts of {BURST}\n")
    table(["", "bare rings", "port", "checked", "DPDK", "port/rings", "port/DPDK", "target"], rows)
    return out
