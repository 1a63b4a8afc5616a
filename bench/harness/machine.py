# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What is measured on, and building what measures."""

import os
import platform
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build-bench")
PACKAGES = ["gcc", "libc6-dev", "meson", "ninja-build", "pkgconf|pkg-config", "libbpf-dev",
            "libmnl-dev", "libxdp-dev", "iproute2"]


def say(text):
    print(f"bench/run: {text}", file=sys.stderr, flush=True)


def die(text):
    say(text)
    sys.exit(1)


def install(*packages):
    """Whether all of them are there now."""
    script = '. ./scripts/install-packages.sh; install_packages "$@"'
    done = subprocess.run(["sh", "-c", script, "sh", *packages], cwd=ROOT, stdout=sys.stderr,
                          check=False)
    return done.returncode == 0


def build():
    """All of it at the level at which distributions build."""
    argv = ["meson", "setup", BUILD, "-Dbench=true", "-Dbuildtype=release", "-Doptimization=2",
            "-Dtests=false", "-Dman=false", "-Dexamples=false", "-Dcli=false"]
    if os.path.exists(os.path.join(BUILD, "build.ninja")):
        argv.append("--reconfigure")
    environment = {"CC": "gcc", **os.environ}
    for command in (argv, ["ninja", "-C", BUILD]):
        done = subprocess.run(command, cwd=ROOT, env=environment, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            print("\n".join(done.stdout.splitlines()[-30:]), file=sys.stderr)
            die("the build failed")
    for library in ("libxsk", "libxdp"):
        for program in ("open", "traffic", "rings", "role_rings"):
            check_library(program, library)


def check_library(program, library):
    """Against libxdp means: with its header, and with its library."""
    name = program.replace("_", "-") + "-" + library
    if not os.path.exists(os.path.join(BUILD, "bench", name)):
        if library == "libxsk":
            die(f"{name} was not built")
        return
    deps = subprocess.run(["ninja", "-C", BUILD, "-t", "deps", f"bench/{name}.p/{program}.c.o"],
                          capture_output=True, text=True, check=True).stdout
    if ("../include/xdp/xsk.h" in deps) != (library == "libxsk"):
        die(f"{name} is compiled with the wrong <xdp/xsk.h>")
    linked = subprocess.run(["ldd", os.path.join(BUILD, "bench", name)], capture_output=True,
                            text=True, check=True).stdout
    if program != "rings" and f"{library}.so" not in linked:
        die(f"{name} is linked to the wrong library")


def output_of(*argv):
    if not shutil.which(argv[0]):
        return None
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if not done.returncode else None


def describe():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as cpuinfo:
        model = re.search(r"model name\s*:\s*(.*)", cpuinfo.read())
    commit = output_of("git", "rev-parse", "--short=12", "HEAD")
    if commit and output_of("git", "status", "--porcelain", "--untracked-files=no"):
        commit += ", changed since"
    return {
        "cpus": os.cpu_count(), "model": model.group(1).strip() if model else platform.machine(),
        "kernel": platform.release(), "arch": platform.machine(), "commit": commit,
        "libxdp": output_of("pkg-config", "--modversion", "libxdp"),
        "dpdk": output_of("dpkg-query", "-W", "-f", "${Version}", "dpdk-dev"),
        "libxsk": output_of("pkg-config", "--modversion",
                            os.path.join(BUILD, "meson-private", "libxsk.pc")),
    }
