# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The command line, and the order of things."""

import argparse
import json
import os
import shutil
import signal
import sys
import time

from . import machine, picture, profile, report, rounds
from .callgrind import run_bursts
from .filters import run_filters
from .growth import Growth
from .inherited import run_open, run_traffic, run_verbs
from .machine import die, say
from .paced import Paced
from .traffic import Echo, Forward, Receive, Send
from .world import Failed, World

SCENARIOS = {scenario.name: scenario
             for scenario in (Send(), Receive(), Paced(), Forward(), Echo(), Growth())}
# The parts that have no contenders in turn: who runs them, what they are, what they need.
PARTS = {
    "open": (run_open, "opening and closing sockets, of libxsk and libxdp in turn", ()),
    "bursts": (run_bursts, "instructions of the port, of the bare rings, and of DPDK",
               ("valgrind",)),
    "verbs": (run_verbs, "instructions of the inherited ring verbs, of both libraries",
              ("valgrind",)),
    "traffic": (run_traffic, "the inherited interface over a veth pair, of both in turn", ()),
    "filters": (run_filters, "CPU time of filters' programs, and of the classic ones they are "
                             "made from", ("libpcap0.8",)),
}
PICTURES = {"open": picture.of_open, "bursts": picture.of_bursts}


def parse(argv):
    known = [*SCENARIOS, *PARTS]
    lines = [f"  {name:10} {scenario.title}" for name, scenario in SCENARIOS.items()]
    lines += [f"  {name:10} {part[1]}" for name, part in PARTS.items()]
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
    parser.add_argument("--report", metavar="FILE",
                        help="write what is printed to FILE too, as Markdown")
    parser.add_argument("--svg", metavar="DIR", help="draw a picture of each part in DIR")
    parser.add_argument("--profile", metavar="DIR",
                        help="write to DIR where the time of all CPUs goes (needs perf)")
    parser.add_argument("--size", type=int, default=64, metavar="BYTES",
                        help="of a packet, of send, receive, forward and echo (default 64)")
    parser.add_argument("--only", metavar="NAME,...",
                        help="only these contenders, by their names in the JSON")
    parser.add_argument("--tune", action="store_true",
                        help="the contenders with their other settings, too")
    parser.add_argument("--verbose", action="store_true", help="say each round's figures")
    options = parser.parse_args(argv)
    for part in options.parts:
        if part not in known:
            parser.error(f"there is no part '{part}'")
    if options.rounds < 1 or not 64 <= options.size <= 1500:
        parser.error("at least one round, and packets of 64 to 1500 bytes")
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
        return [contender for contender in contenders
                if contender.name in names or contender.name == scenario.ours]
    return contenders


def prepare(options):
    """What is missing of the peers only leaves them out."""
    wanted = set(machine.PACKAGES)
    for part in options.parts:
        wanted.update(PARTS[part][2] if part in PARTS else ())
    if not machine.install(*sorted(wanted)):
        die("what is needed is not there")
    if not machine.install("dpdk-dev"):
        say("going on without DPDK")
    if options.svg:
        os.makedirs(options.svg, exist_ok=True)
        machine.install("gnuplot-nox|gnuplot-qt|gnuplot-x11")
        if not shutil.which("gnuplot"):
            say("going on without pictures: there is no gnuplot")
            options.svg = None
    if options.profile:
        os.makedirs(options.profile, exist_ok=True)
        machine.install("linux-perf")
        if not profile.available():
            say("going on without profiles: there is no perf")
            options.profile = None
    say(f"building in {machine.BUILD}")
    machine.build()


class Run:
    def __init__(self, options):
        self.options = options
        self.outcomes = []
        self.results = {}
        self.failed = {}

    def scenario(self, world, scenario):
        contenders = chosen(scenario, self.options)
        outcome = rounds.measure_rounds(world, scenario, contenders, self.options)
        self.outcomes.append(outcome)
        rounds.show(outcome, self.options)
        if not outcome.results.get(scenario.ours):
            self.failed[scenario.name] = outcome.left_out.get(scenario.ours, "was not measured")
        if self.options.svg:
            picture.of_scenario(outcome, self.options.svg)

    def part(self, world, name):
        self.results[name] = PARTS[name][0](world, self.options)
        if self.options.svg and name in PICTURES:
            PICTURES[name](self.results[name], self.options.svg)

    def all(self, world):
        for name in [*SCENARIOS, *PARTS]:
            if name not in self.options.parts:
                continue
            start = time.monotonic()
            try:
                if name in SCENARIOS:
                    self.scenario(world, SCENARIOS[name])
                else:
                    self.part(world, name)
            except Failed as reason:
                say(f"{name}: {reason}")
                self.failed[name] = str(reason)
                world.kill_all()
                world.cut_wires()
            sys.stdout.flush()
            say(f"{name} took {time.monotonic() - start:.0f} s")

    def as_json(self, about, command):
        return {"machine": about, "command": command,
                "rounds": self.options.rounds, "quick": self.options.quick,
                "size": self.options.size, "pinned": self.options.cpus[0] >= 0,
                "scenarios": {outcome.scenario.name: rounds.as_json(outcome)
                              for outcome in self.outcomes},
                "parts": self.results, "failed": self.failed}


def on_signal(number, _frame):
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def main(argv):
    options = parse(argv)
    if os.geteuid():
        die("needs root, for network namespaces and BPF programs")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    prepare(options)
    about = machine.describe()
    command = " ".join(["bench/run", *argv])
    sys.stdout = copy = report.Copy()
    print(f"libxsk {about['libxsk']} ({about['commit']}), libxdp {about['libxdp']}, DPDK "
          f"{about['dpdk']}; Linux {about['kernel']}, {about['cpus']} CPUs, {about['model']}")
    if options.cpus[0] < 0:
        print("the roles are not pinned, for want of a second CPU")
    run = Run(options)
    start = time.monotonic()
    with World(os.path.join(machine.BUILD, "bench")) as world:
        run.all(world)
    say(f"all of it took {time.monotonic() - start:.0f} s")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(run.as_json(about, command), file, indent=1)
            file.write("\n")
    if options.report:
        report.write_markdown(options.report, about, command, copy.text)
    for name, reason in run.failed.items():
        say(f"{name} failed: {reason}")
    return 1 if run.failed else 0
