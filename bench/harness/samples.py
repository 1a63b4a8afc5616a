# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Samples of the parts that compare programs by many values a round."""

from .figures import median, summary, verdict
from .report import number, span, table


class Samples:
    """metric -> who -> round -> values."""

    def __init__(self):
        self.values = {}

    def add(self, metric, who, round_, value):
        self.values.setdefault(metric, {}).setdefault(who, {}).setdefault(round_, []).append(value)

    def has(self, metric, who):
        return who in self.values.get(metric, {})

    def all(self, metric, who):
        rounds = self.values.get(metric, {}).get(who, {})
        return [value for values in rounds.values() for value in values]

    def ratios(self, metric, ours, theirs):
        """Round by round, of the rounds' medians, to the digits that are shown of them."""
        if not self.has(metric, ours) or not self.has(metric, theirs):
            return []
        us, them = self.values[metric][ours], self.values[metric][theirs]
        return [round(median(us[round_]) / median(them[round_]), 4) for round_ in sorted(us)
                if round_ in them and median(them[round_]) > 0]


class Metric:
    def __init__(self, name, label, unit, scale, digits, better, target=None):
        self.name = name
        self.label = label
        self.unit = unit
        self.scale = scale
        self.digits = digits
        self.better = better
        self.target = target


def show_comparison(title, metrics, samples):
    """libxsk beside libxdp: a line a metric. Returns what JSON has of it."""
    rows, out = [], []
    for metric in metrics:
        if not samples.has(metric.name, "libxsk"):
            continue
        ratio = samples.ratios(metric.name, "libxsk", "libxdp")
        result = verdict(ratio, metric.target, metric.better) if metric.target else None
        sign = "<=" if metric.better == "less" else ">="
        rows.append([metric.label, metric.unit,
                     *[number(samples.all(metric.name, who), metric.scale, metric.digits)
                       for who in ("libxsk", "libxdp")], span(ratio, 3), metric.better,
                     f"{sign} {metric.target}: {result}" if result else ""])
        out.append({"name": metric.name, "unit": metric.unit, "better": metric.better,
                    "libxsk": summary([value / metric.scale
                                       for value in samples.all(metric.name, "libxsk")]),
                    "libxdp": summary([value / metric.scale
                                       for value in samples.all(metric.name, "libxdp")]),
                    "ratio": summary(ratio), "target": metric.target, "result": result})
    if rows:
        print(f"\n{title}\n")
        table(["", "", "libxsk", "libxdp", "ratio", "good", "target"], rows)
    return out
