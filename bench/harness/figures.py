# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Quartiles and ratios."""


def quantile(values, part):
    """Of the values, with the neighbours' mean where it falls between."""
    values = sorted(values)
    at = (len(values) - 1) * part
    low = int(at)
    if low + 1 >= len(values):
        return values[-1]
    return values[low] + (at - low) * (values[low + 1] - values[low])


def median(values):
    return quantile(values, 0.5)


def summary(values):
    """As JSON has it, or None."""
    if not values:
        return None
    return {"median": median(values), "quartiles": [quantile(values, 0.25), quantile(values, 0.75)],
            "rounds": list(values)}


def ratios(ours, theirs):
    """Round by round, of dictionaries round -> value; of the rounds that both have."""
    return [ours[r] / theirs[r] for r in sorted(ours) if r in theirs and theirs[r]]


def verdict(values, target, better):
    """Within noise: a quarter of the rounds reach the target."""
    if not values:
        return None
    if better == "less":
        usual, best = median(values) <= target, quantile(values, 0.25) <= target
    else:
        usual, best = median(values) >= target, quantile(values, 0.75) >= target
    return "reached" if usual else "reached within noise" if best else "missed"
