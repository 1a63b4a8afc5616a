# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Tables for people."""

import sys

from .figures import median, quantile


def number(values, scale, digits):
    """Median and quartiles."""
    if not values:
        return "-"
    middle, low, high = (quantile(values, part) / scale for part in (0.5, 0.25, 0.75))
    return f"{middle:.{digits}f} ({low:.{digits}f}..{high:.{digits}f})"


def span(values, digits=2):
    """The median of the rounds' own, the least and the greatest."""
    if not values:
        return "-"
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}..{max(values):.{digits}f})"


def table(head, rows):
    """The first column to the left, as wide as they are."""
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print(("  " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)))
              .rstrip())


class Copy:
    """Standard output, and a copy of it."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text
        return sys.__stdout__.write(text)

    def flush(self):
        sys.__stdout__.flush()


def write_markdown(path, about, command, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"""<!-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause -->

# Results

What one run printed. [README.md](README.md) says how to read it, [NOTES.md](NOTES.md) what else
was tried.

| | |
|---|---|
| machine | {about['cpus']} CPUs, {about['model']}, {about['arch']} |
| kernel | Linux {about['kernel']} |
| libxsk | {about['libxsk']}, commit {about['commit']} |
| peers | libxdp {about['libxdp']}, DPDK {about['dpdk']} |
| command | `{command}` |

```text
{text.strip()}
```
""")
