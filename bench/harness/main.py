# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The command line, and the order of things."""

import argparse
import json
import os
import signal
import subprocess
import sys

from . import machine, rounds
from .growth import Growth
from .machine import die, say
from .traffic import Echo, Forward, Receive, Send
from .world import Failed, World

SCENARIOS = {scenario.name: scenario for scenario in (Send(), Receive(), Forward(), Echo(), Growth())}
PARTS = ("open", "traffic", "verbs", "bursts", "filters")
LEFT = {"open": "opening and closing sockets, of libxsk and libxdp",
        "traffic": "traffic over a veth pair, of both",
        "verbs": "instructions of both's ring verbs",
        "bursts": "instructions of the port, of the bare rings, and of DPDK",
        "filters": "CPU time of filters' programs"}


def parse(argv):
    known = [*SCENARIOS, *PARTS]
    lines = [f"  {name:10} {scenario.title}" for name, scenario in SCENARIOS.items()]
    lines += [f"  {name:10} {text}" for name, text in LEFT.items()]
    parser = argparse.ArgumentParser(
        prog="bench/run", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures libxsk beside its peers, on this machine. Needs root: it installs\n"
                    "what is missing and works in network namespaces of its own.",
        epilog="The parts, all by default:\n" + "\n".join(lines))
    parser.add_argument("parts", metavar="PART", nargs="*")
    parser.add_argument("--rounds", type=int, default=5, metavar="N",
                        help="rounds of each contender (default 5)")
    parser.add_argument("--quick", action="store_true",
                        help="one short round, which only shows that it runs")
    parser.add_argument("--json", metavar="FILE", help="write the results to FILE too")
    parser.add_argument("--size", type=int, default=64, metavar="BYTES",
                        help="of a packet, of send, receive, forward and echo (default 64)")
    parser.add_argument("--only", metavar="NAME,...", help="only these contenders")
    parser.add_argument("--tune", action="store_true",
                        help="with each contender's other settings, too")
    parser.add_argument("--verbose", action="store_true", help="say each round's figures")
    options = parser.parse_args(argv)
    for part in options.parts:
        if part not in known:
            parser.error(f"there is no part '{part}'")
    if options.rounds < 1 or not 64 <= options.size <= 3000:
        parser.error("at least one round, and packets of 64 to 3000 bytes")
    options.parts = options.parts or known
    if options.quick:
        options.rounds, options.settle, options.seconds = 1, 0.1, 0.2
    else:
        options.settle, options.seconds = 0.3, 1.0
    options.cpus = (0, 1) if (os.cpu_count() or 1) > 1 else (-1, -1)
    return options


def chosen(scenario, options):
    contenders = scenario.contenders(options)
    if options.only:
        names = options.only.split(",")
        return [contender for contender in contenders if contender.name in names]
    return contenders


def run_scenarios(options):
    outcomes = []
    with World(os.path.join(machine.BUILD, "bench")) as world:
        for name, scenario in SCENARIOS.items():
            if name not in options.parts:
                continue
            contenders = chosen(scenario, options)
            if contenders:
                outcomes.append(rounds.measure_rounds(world, scenario, contenders, options))
                rounds.show(outcomes[-1], options)
    return outcomes


def on_signal(number, _frame):
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def main(argv):
    options = parse(argv)
    if os.geteuid():
        die("needs root, for network namespaces and BPF programs")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    if not machine.install(*machine.PACKAGES):
        die("what is needed is not there")
    if not machine.install("dpdk"):
        say("going on without DPDK")
    say(f"building in {machine.BUILD}")
    machine.build()
    about = machine.describe()
    print(f"libxsk {about['libxsk']} ({about['commit']}), libxdp {about['libxdp']}, DPDK "
          f"{about['dpdk']}; Linux {about['kernel']}, {about['cpus']} CPUs, {about['model']}")
    try:
        outcomes = run_scenarios(options)
    except Failed as reason:
        die(str(reason))
    old = [part for part in options.parts if part in PARTS]
    if old:
        length = ["--quick"] if options.quick else ["--rounds", str(options.rounds)]
        subprocess.run(["sh", os.path.join(machine.ROOT, "bench", "parts.sh"), *length, *old],
                       check=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": about, "command": " ".join(["bench/run", *argv]),
                       "quick": options.quick, "size": options.size,
                       "scenarios": {outcome.scenario.name: rounds.as_json(outcome)
                                     for outcome in outcomes}}, file, indent=1)
            file.write("\n")
    return 0
