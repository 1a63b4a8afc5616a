# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""list.py BUILD_DIR OUT_DIR SUITE...: the tests of these suites, as Meson has them.

Writes OUT_DIR/tests, lines of shell for tests.sh:
    run_test SUITE NAME SECONDS PROTOCOL COMMAND...
and OUT_DIR/files: the programs and scripts that they need, one a line. A suite of which
there is no test yet is passed over.
"""

import json
import os
import shlex
import subprocess
import sys


def introspect(build, what):
    text = subprocess.check_output(['meson', 'introspect', '--' + what, build])
    return json.loads(text)


def in_suite(test, suite):
    return any(name.split(':')[-1] == suite for name in test['suite'])


# An emulated processor is slower than the one for which the time was set.
SLOWER = 3


def line(test, suite):
    environment = ['%s=%s' % pair for pair in sorted(test['env'].items())]
    name = test['name'].replace(' ', '_')
    seconds = str(test['timeout'] * SLOWER)
    words = ['run_test', suite, name, seconds, test['protocol']]
    return shlex.join(words + ['env'] + environment + test['cmd'])


def needs(test, outputs):
    paths = list(test['cmd'])
    for target in test['depends']:
        paths += outputs.get(target, [])
    return {path for path in paths if os.path.isabs(path) and os.path.isfile(path)}


def main(build, out, *suites):
    outputs = {target['id']: target['filename'] for target in introspect(build, 'targets')}
    tests = introspect(build, 'tests')
    lines, files = [], set()
    for suite in suites:
        for test in tests:
            if in_suite(test, suite):
                lines.append(line(test, suite))
                files |= needs(test, outputs)
    for name, content in (('tests', lines), ('files', sorted(files))):
        with open(os.path.join(out, name), 'w', encoding='utf-8') as file:
            file.writelines(text + '\n' for text in content)


main(*sys.argv[1:])
