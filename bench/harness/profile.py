# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Where the time of all CPUs goes while a contender is at work, by perf's clock: so it needs no
counters of the CPU."""

import os
import shutil
import subprocess

HERTZ = 4000
SECONDS = 1
LEAST_PERCENT = 0.5


def available():
    return shutil.which("perf") is not None


def take(directory, name):
    """What the functions took, in DIR/NAME.txt; behind the measurement, which knows nothing of it."""
    data = os.path.join(directory, name + ".data")
    record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(HERTZ), "-a", "-o", data,
              "--", "sleep", str(SECONDS)]
    report = ["perf", "report", "--stdio", "-q", "-i", data, "--sort", "comm,dso,symbol",
              "--percent-limit", str(LEAST_PERCENT)]
    try:
        for argv, output in ((record, None), (report, os.path.join(directory, name + ".txt"))):
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            if done.returncode:
                return (done.stderr.strip() or f"{argv[1]} failed").splitlines()[-1]
            if output:
                with open(output, "w", encoding="utf-8") as file:
                    file.write(done.stdout)
    finally:
        if os.path.exists(data):
            os.unlink(data)
    return None
