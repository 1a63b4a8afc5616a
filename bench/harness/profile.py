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


def run_perf(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def take(directory, name):
    """What programs and functions took, in DIR/NAME.txt."""
    data = os.path.join(directory, name + ".data")
    report = ["perf", "report", "--stdio", "-q", "-i", data, "--sort"]
    try:
        run_perf("perf", "record", "-q", "-e", "cpu-clock", "-F", str(HERTZ), "-a", "-o", data,
                 "--", "sleep", str(SECONDS))
        text = run_perf(*report, "comm,dso", "--percent-limit", "0.1")
        text += run_perf(*report, "comm,dso,symbol", "--percent-limit", str(LEAST_PERCENT))
    except subprocess.CalledProcessError as error:
        return (error.stderr.strip() or f"{error.cmd[1]} failed").splitlines()[-1]
    finally:
        if os.path.exists(data):
            os.unlink(data)
    with open(os.path.join(directory, name + ".txt"), "w", encoding="utf-8") as file:
        file.write(text)
    return None
