# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""A picture of each scenario, by gnuplot."""

import os
import subprocess

from .figures import quantile
from .machine import say

HEAD = """set terminal svg noenhanced size {width},{height} font 'sans,12' background '#ffffff'
set output '{path}'
set title '{title}'
set border 3
set tics nomirror
set grid ytics lc rgb '#dddddd'
set style fill solid 0.8 noborder
"""
LICENSE = "SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause"
COLOURS = ("#31688e", "#35b779", "#c2b31c", "#8c2f6b")


def quartiles(values, scale=1):
    return tuple(quantile(values, part) / scale for part in (0.5, 0.25, 0.75))


def quoted(text):
    return "'" + text.replace("'", "") + "'"


def draw(script, path):
    done = subprocess.run(["gnuplot"], input=script, text=True, capture_output=True, check=False)
    if done.returncode:
        say(f"{path}: gnuplot: {done.stderr.strip()}")
        return
    with open(path, encoding="utf-8") as file:
        first, _, rest = file.read().partition("\n")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([first, f"<!-- {LICENSE} -->",
                              *[line.rstrip() for line in rest.splitlines()], ""]))


def bars(path, title, unit, names, series, log=False):
    """series: label -> (median, low, high) of each name, or None."""
    script = HEAD.format(width=max(640, 150 + 75 * len(names) * max(1, len(series) / 2)),
                         height=480, path=path, title=title.replace("'", ""))
    script += f"set ylabel {quoted(unit)}\n"
    script += "set logscale y\n" if log else "set yrange [0:*]\n"
    script += "set xtics rotate by -30\nset xtics (" + ", ".join(
        f"{quoted(name)} {at}" for at, name in enumerate(names)) + ")\n"
    script += f"set xrange [-0.6:{len(names) - 0.4}]\n"
    if len(series) == 1:
        script += "unset key\n"
    width = 0.8 / len(series)
    plots, data = [], ""
    for number, (label, values) in enumerate(series.items()):
        shift = (number - (len(series) - 1) / 2) * width
        colour = COLOURS[number % len(COLOURS)]
        plots.append(f"'-' using 1:2:({width * 0.9}) with boxes lc rgb '{colour}' title "
                     f"{quoted(label)}, '-' using 1:3:(0):($4-$3) with vectors nohead lw 2 lc rgb "
                     "'#222222' notitle")
        lines = "".join(f"{at + shift} {value[0]} {value[1]} {value[2]}\n"
                        for at, value in enumerate(values) if value)
        data += (lines + "e\n") * 2
    draw(script + "plot " + ", ".join(plots) + "\n" + data, path)


def lines(path, title, unit, panels):
    """panels: (what grows, label -> [(x, (median, low, high))]), each a plot of its own."""
    script = HEAD.format(width=900, height=640, path=path, title="")
    script += f"set multiplot layout 2,2 title {quoted(title)}\nset logscale x 2\n"
    script += f"set ylabel {quoted(unit)}\nset logscale y\nset key top left\n"
    for what, curves in panels:
        script += f"set title {quoted(what)}\n"
        places = sorted({x for points in curves.values() for x, _ in points})
        script += "set xtics (" + ", ".join(f"'{x}' {x}" for x in places) + ")\n"
        script += f"set xrange [{places[0] * 0.8}:{places[-1] * 1.25}]\n"
        plots, data = [], ""
        for number, (label, points) in enumerate(curves.items()):
            plots.append(f"'-' using 1:2:3:4 with yerrorlines lw 2 pt 7 ps 0.5 lc rgb "
                         f"'{COLOURS[number]}' title {quoted(label)}")
            data += "".join(f"{x} {mid} {low} {high}\n" for x, (mid, low, high) in points) + "e\n"
        script += "plot " + ", ".join(plots) + "\n" + data
    draw(script, path)


# ---- of what ----

def of_rates(outcome, path, title):
    contenders = outcome.measured()
    bars(path, title, "Mpkt/s that arrive", [contender.title for contender in contenders],
         {"": [quartiles(list(outcome.values(contender.name, "pps").values()), 1e6)
               for contender in contenders]})


def of_costs(outcome, path, title):
    contenders = outcome.measured()
    bars(path, title, "ns of CPU time a packet, of all CPUs",
         [contender.title for contender in contenders],
         {"": [quartiles(list(outcome.values(contender.name, "cost").values()))
               for contender in contenders]})


def of_trips(outcome, path, title):
    contenders = outcome.measured()
    bars(path, title, "microseconds", [contender.title for contender in contenders],
         {label: [quartiles(list(outcome.values(contender.name, key).values()), 1000)
                  for contender in contenders]
          for key, label in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9"))}, log=True)


def of_growth(outcome, path, title):
    panels = {}
    for point in outcome.measured():
        curves = panels.setdefault(point.axis, {})
        curves.setdefault(point.role, []).append(
            (point.value, quartiles(list(outcome.values(point.name, "cost").values()))))
    lines(path, title, "ns of CPU time a packet", list(panels.items()))


def of_scenario(outcome, directory):
    scenario = outcome.scenario
    path = os.path.join(directory, scenario.name + ".svg")
    if not outcome.measured():
        return
    if scenario.name == "echo":
        of_trips(outcome, path, scenario.title)
    elif scenario.name == "growth":
        of_growth(outcome, path, scenario.title)
    else:
        of_rates(outcome, path, scenario.title)
        of_costs(outcome, os.path.join(directory, scenario.name + "-cost.svg"), scenario.title)


def of_summary(value):
    return (value["median"], *value["quartiles"]) if value else None


def of_open(results, directory):
    """The first time in a process, and CPU times, are only in the table."""
    shown = [result for result in results
             if result["name"].endswith((".umem_create", ".create", ".delete", ".all"))]
    bars(os.path.join(directory, "open.svg"), "open and close: UMEM, socket, both deleted, all",
         "milliseconds", [result["name"].partition(".")[2] for result in shown],
         {who: [of_summary(result[who]) for result in shown] for who in ("libxsk", "libxdp")},
         log=True)


def of_bursts(results, directory):
    names = ("rings", "port", "checked", "dpdk")
    bars(os.path.join(directory, "bursts.svg"), "instructions in user space, bursts of 64",
         "instructions a packet", names,
         {result["name"].partition(".")[2]: [(result[name],) * 3 if name in result else None
                                             for name in names] for result in results})
