# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""The examples of the man pages, typed as they stand: each .Dl line of EXAMPLES in
man/xsk*.1, in a terminal, in a playground for each page, in the order of the page. It has to
end with status 0; where the text before it says that ^C ends it, by ^C; with & behind it it
runs until it is ended."""

import glob
import html.parser
import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree

from harness import XSK, case, main
from playing import ROOT, Playground

LIMIT = 60              # seconds for an example
PROMPT = re.compile(r'<(\d+):(\d*)>here# ')
ESCAPES = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')

# What no example may say, whatever its status: that of a pipeline is its last one's.
ERRORS = re.compile(r'command not found|No such|not permitted|Permission denied|see xsk .*--help'
                    r'|[Uu]sage:|syntax error|AddressSanitizer|runtime error')

# What one says that does what the page says, by what is in it; at its end, too, where it runs
# in the background. Not where others read it.
RESULTS = (
    (r'\bping .*-c', r'[1-9]\d* received'),
    (r'\bxsk (recv|send) (?!.*--json)', r'veth\d: [1-9]\d* packets, '),
    (r'\bxsk (recv|send|echo|latency|forward) .*--json', r'"type":"total"'),
    (r'\bxsk echo (?!.*--json)', r'veth\d: [1-9]\d* packets (answered|sent back)'),
    (r'\bxsk latency (?!.*--json)', r'[1-9]\d* round trips'),
    (r'\bxsk forward (?!.*--json)', r'\w to \w+: \d+ packets'),
    (r'\bxsk (probe|stats)\b', r'veth'),
)


class Examples(html.parser.HTMLParser):
    """What a reader sees: the lines of EXAMPLES, each with the text before it."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.inside = self.depth = 0    # of EXAMPLES; of a display, in elements
        self.text = self.before = ''

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == 'h1':
            self.inside = attrs.get('id') == 'EXAMPLES'
            self.text = ''
        elif self.depth:
            self.depth += tag == 'div'
        elif tag == 'div' and 'Bd-indent' in (attrs.get('class') or '') and self.inside:
            self.depth = 1
            self.before, self.text = self.text, ''

    def handle_endtag(self, tag):
        if tag != 'div' or not self.depth:
            return
        self.depth -= 1
        if not self.depth:
            self.found.append((' '.join(self.text.split()), self.before))
            self.text = ''

    def handle_data(self, data):
        self.text += data


def examples(page):
    """The lines of a page, each with the text before it."""
    parser = Examples()
    parser.feed(subprocess.run(['mandoc', '-T', 'html', '-O', 'fragment', page], check=True,
                               capture_output=True, text=True).stdout)
    assert parser.found, f'{page} has no example'
    return parser.found


class Session:
    """A person at the shell of a playground."""

    def __init__(self, played, limit):
        self.played = played
        self.limit = limit
        self.line = ''
        self.background = []            # process ids and lines

    def output(self):
        """What has come since the line was typed, without its echo."""
        text = ESCAPES.sub('', self.played.program.out).replace('\r\n', '\n')
        return text.replace(self.line + '\n', '', 1).replace('\r', '\n')

    def say(self, line):
        self.line = line
        self.played.program.text['out'] = ''
        self.played.type(line + '\n')

    def prompt(self, line):
        """Waits for it: the status, the last process in the background, and the output."""
        assert self.played.program.read_until(lambda: PROMPT.search(self.output()), self.limit), \
            f'not ended after {self.limit} s: {line}\n{self.output()}'
        status, last = PROMPT.search(self.output()).groups()
        return int(status), last, self.output()

    def settle(self, line):
        """Until xsk says that it has its interface; others get a moment."""
        self.played.program.read_until(lambda: re.search(r': queues? \d', self.output()),
                                       5 if 'xsk' in line else 0.5)

    def interrupt(self, line):
        """As who has seen enough."""
        self.settle(line)
        self.played.program.read_until(lambda: False, 2)
        assert not PROMPT.search(self.output()), f'it has ended:\n{self.output()}'
        self.played.type('\x03')

    def run(self, line, before):
        """One example."""
        self.say(line)
        if '^C' in before:
            self.interrupt(line)
        status, last, output = self.prompt(line)
        if line.endswith('&'):
            self.background.append((last, line))
            self.settle(line)
            output = self.output()
        check(line, status, output, self.played.cwd)

    def end_background(self):
        """Of what runs by itself, as long as it is to."""
        for pid, line in self.background:
            command = f'kill {pid} 2>/dev/null; echo ended$?; wait {pid}'
            self.say(command)
            status, _, output = self.prompt(command)
            ended = 'ended0' in output
            # xsk ends well by a signal; others die of it.
            dies = ended and 'xsk' not in line
            assert status == 0 or (dies and status == 143), f'{line}: status {status}\n{output}'
            if ended:
                check_output(line, output)

    def nothing_left(self):
        for host in ('', 'there '):
            self.say(f'{host}ip -d link show')
            assert 'xdp' not in self.prompt('ip link')[2], self.output()


def check_file(path):
    """It is what its name says."""
    assert os.path.getsize(path), path
    if path.endswith('.svg'):
        assert xml.etree.ElementTree.parse(path).getroot().tag.endswith('svg'), path
    else:
        read = subprocess.run(['tcpdump', '-n', '-r', path], capture_output=True, text=True,
                              check=True)
        assert read.stdout, path


def check_output(line, output):
    """What it says, of all that it says until its end."""
    said = f'{line}\n{output}'
    assert not ERRORS.search(output), said
    for pattern, result in RESULTS:
        if re.search(pattern, line) and not re.search('[|>]', line):
            assert re.search(result, output), said


def check(line, status, output, folder):
    """Whether it has done what it was for."""
    assert status == 0, f'{line}: status {status}\n{output}'
    if line.endswith('&'):
        assert not ERRORS.search(output), output
        return
    check_output(line, output)
    for name in re.findall(r'(?:-w|--write|--svg) ([^ |;&]+)', line):
        assert not name.startswith('/'), f'{line}: a file outside'
        if name != '-':
            check_file(os.path.join(folder, name))


def type_page(page, limit=LIMIT):
    """All examples of a page."""
    lines = examples(page)
    with Playground('env', 'PS1=<$?:$!>here# ', 'bash', '--norc', '--noprofile', '--noediting',
                    terminal=True) as played:
        session = Session(played, LIMIT)
        session.prompt('bash')
        session.limit = limit
        for line, before in lines:
            session.run(line, before)
        session.end_background()
        session.nothing_left()
        played.type('exit\n')
        assert played.wait() == 0


# ---- that it bites ----

PAGE = """.Dd $Mdocdate$
.Dt XSK-TEST 1
.Os
.Sh NAME
.Nm xsk-test
.Nd a page
.Sh DESCRIPTION
Until ^C:
.Dl false
Until ^C.
.Sh EXAMPLES
{}
.Sh SEE ALSO
.Dl false
"""

GOOD = """Pings:
.Dl there ping -c 1 10.66.0.1
.Bl -tag -width Ds
.It Waits, until ^C:
.Dl (trap \\(aqecho ended; exit 0\\(aq INT; while :; do sleep 0.1; done)
.El
.Dl there sleep 1000 &
.Dl true \\(aqa  b\\(aq | cat \\- && test $! && echo x \\(ha y >file
.Dl grep -F \\(aqx ^ y\\(aq file
"""

# Examples, and what is said of them.
WRONG = {
    '.Dl true\n.Dl false': '^false: status 1',
    '.Dl there false': '^there false: status 1',
    '.Dl xsk nix | cat': r"^xsk nix \| cat\n.*no command 'nix'",
    '.Dl no-such-command; true': r'^no-such-command; true\n.*not found',
    '.Dl sleep 1000': '^not ended after 3 s: sleep 1000',
    'Until ^C:\n.Dl true': '^it has ended',
    '.Dl there false &': '^there false &: status 1',
    '.Dl true -w nix.pcap': 'nix.pcap',
    '.Dl true -w /x.pcap': 'a file outside',
    '.Dl echo nonsense >x.svg; true --svg x.svg': 'syntax error',
    '.Dl ping -c 1 -W 1 10.66.0.3; true': '100% packet loss',
    '.Dl ip link add xdp0 type dummy': 'xdp0',
    'Text alone.': 'has no example',
}


def page_of(text):
    file = tempfile.NamedTemporaryFile('w', suffix='.1')    # goes with the reference
    file.write(PAGE.format(text))
    file.flush()
    return file


@case
def what_is_right_passes():
    with page_of(GOOD) as page:
        lines = examples(page.name)
        assert len(lines) == 5, lines
        assert '^C' in lines[1][1] and '^C' not in lines[2][1]
        type_page(page.name)


@case
def what_is_wrong_is_found():
    for text, what in WRONG.items():
        with page_of(text) as page:
            try:
                type_page(page.name, 3)
            except (AssertionError, OSError, xml.etree.ElementTree.ParseError) as why:
                assert re.search(what, str(why)), f'{text}: {why}'
                continue
        raise AssertionError(f'it passes: {text}')


# ---- the pages ----

PAGES = sorted(glob.glob(os.path.join(ROOT, 'man', 'xsk*.1')))


@case
def each_command_has_its_page():
    usage = subprocess.run([XSK, '--help'], check=True, capture_output=True, text=True).stdout
    names = re.findall(r'^  (\w+)', usage, re.M)
    assert 'recv' in names, usage
    pages = [re.sub(r'.*/xsk-?|\.1$', '', path) for path in PAGES]
    assert sorted(pages) == sorted(['', *names]), pages


def case_of(page):
    def typed():
        type_page(page)
    typed.__name__ = re.sub(r'\W', '_', os.path.basename(page)[:-2])
    case(typed)


for path in PAGES:
    case_of(path)

main()
