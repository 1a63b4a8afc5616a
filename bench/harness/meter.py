# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""CPU time: of the whole machine, so that the NAPI's work is in it whoever does it, and of
each process."""

import os
import time

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
KINDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
KERNEL_THREAD = 0x00200000	# PF_KTHREAD
BUSY = ("user", "nice", "system", "irq", "softirq")


def machine_cpu():
    """CPU -> kind -> nanoseconds, since boot."""
    cpus = {}
    with open("/proc/stat", encoding="ascii") as stat:
        for line in stat:
            words = line.split()
            if words[0].startswith("cpu") and words[0] != "cpu":
                values = [int(word) * TICK_NS for word in words[1:1 + len(KINDS)]]
                cpus[int(words[0][3:])] = dict(zip(KINDS, values))
    return cpus


def machine_delta(before, after):
    return {cpu: {kind: after[cpu][kind] - before[cpu][kind] for kind in KINDS}
            for cpu in after if cpu in before}


def process_cpu(pid):
    """User and system nanoseconds of all its threads; softirqs on its back are in it."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            words = stat.read().rpartition(")")[2].split()
    except OSError:
        return None
    return {"user": int(words[11]) * TICK_NS, "system": int(words[12]) * TICK_NS}


def others_cpu(ours):
    """pid -> (parent, nanoseconds of its own, and of its children that have ended), of processes
    that are neither ours nor the kernel's."""
    used = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in ours:
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as stat:
                words = [int(word) for word in stat.read().rpartition(")")[2].split()[1:15]]
        except OSError:
            continue
        if not words[5] & KERNEL_THREAD:
            used[int(name)] = (words[0], (words[10] + words[11]) * TICK_NS,
                               (words[12] + words[13]) * TICK_NS)
    return used


def others_delta(first, last):
    """What those took between, who came and went meanwhile included. Whoever is gone handed all
    that he had taken to his parent, and that one to his own if he is gone too."""
    gone = {}
    for pid, (parent, own, children) in first.items():
        if pid in last:
            continue
        while parent in first and parent not in last:
            parent = first[parent][0]
        gone[parent] = gone.get(parent, 0) + own + children
    total = 0
    for pid, (_, own, children) in last.items():
        _, own_before, children_before = first.get(pid, (0, 0, 0))
        total += max(0, own - own_before)
        total += max(0, children - children_before - gone.get(pid, 0))
    return total


def busy_ns(machine):
    return sum(cpu[kind] for cpu in machine.values() for kind in BUSY)


class Snapshot:
    """What was counted and used until now. The clock is read on both sides of the counters,
    and again where something came between."""

    MAX_GAP_NS = 300_000
    TRIES = 20

    def __init__(self, source, processes):
        self.others = others_cpu({os.getpid()} | {process.pid for process in processes.values()})
        self.processes = {name: process_cpu(process.pid) for name, process in processes.items()}
        for _ in range(self.TRIES):
            before = time.monotonic_ns()
            self.counts = source.counts()
            self.machine = machine_cpu()
            after = time.monotonic_ns()
            if after - before < self.MAX_GAP_NS:
                break
        self.ns = (before + after) // 2


def window(source, processes, seconds):
    """Lets that time pass, and says what came and what it took. source.counts() counts."""
    first = Snapshot(source, processes)
    time.sleep(seconds)
    last = Snapshot(source, processes)
    span = last.ns - first.ns
    machine = machine_delta(first.machine, last.machine)
    counts = {key: last.counts[key] - first.counts[key] for key in first.counts}
    result = {
        "ns": span,
        "counts": counts,
        "pps": counts["packets"] * 1e9 / span,
        "machine": machine,
        "roles": {},
        "others": others_delta(first.others, last.others) / span,
        "steal": sum(cpu["steal"] for cpu in machine.values()) / span,
    }
    for name, used in last.processes.items():
        before = first.processes[name]
        if used and before:
            result["roles"][name] = {kind: used[kind] - before[kind] for kind in used}
    if counts["packets"]:
        result["cost"] = busy_ns(machine) / counts["packets"]
        result["softirq"] = sum(cpu["softirq"] for cpu in machine.values()) / counts["packets"]
    return result
