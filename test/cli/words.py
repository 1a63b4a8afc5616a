# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""What all commands have in common: help, wrong words, streams that cannot be written to,
colours, and the completion of words in the two shells."""

import os
import re
import shutil
import subprocess
import tempfile

from harness import XSK, Program, Skip, case, command, main, xsk

# Words that make a command line of each command right, so that what is added is what is wrong.
RIGHT = {
    'forward': ['lo', 'nix0'],
    'stats': ['lo'],
    'completion': ['bash'],
    'probe': [],
    'recv': ['lo'],
    'send': ['lo'],
    'echo': ['lo'],
    'latency': ['lo', '10.66.0.2'],
}

# Wrong ones, and what is named.
WRONG = (
    (['nix'], "no command 'nix'"),
    (['--nix'], "no command '--nix'"),
    (['forward'], 'A is missing'),
    (['forward', 'a'], 'B is missing'),
    (['forward', 'a', 'b', '--nix'], '--nix'),
    (['forward', 'a', 'b', '-Z'], '-Z'),
    (['forward', 'a', 'b', '--checksums'], '--checksums wants a value'),
    (['forward', 'a', 'b', '--checksums', 'sometimes'], 'auto, complete or leave'),
    (['forward', 'a', 'b', '--queues', '3-1'], '--queues 3-1'),
    (['forward', 'a', 'b', '--queues', 'x'], '--queues x'),
    (['forward', 'a', 'b', '--queues', '0-4294967295'], '--queues 0-4294967295'),
    (['forward', 'a', 'b', '--mode', 'native,fast'], '--mode native,fast'),
    (['forward', 'a', 'b', '--keep', 'ssh,tcp:0'], '--keep ssh,tcp:0'),
    (['forward', 'a', 'b', '--ring', '1000'], 'power of two'),
    (['forward', 'a', 'b', '--ring', '16'], '--ring 16'),
    (['forward', 'a', 'b', '--frames', '1'], '--frames 1'),
    (['forward', 'a', 'b', '--frame-size', '1k'], '--frame-size 1k'),
    (['forward', 'a', 'b', '--duration', '0'], '--duration 0'),
    (['forward', 'a', 'b', '--duration', 'long'], '--duration long'),
    (['forward', 'a', 'b', '--huge=yes'], '--huge takes no value'),
    (['forward', 'a', 'a'], 'a: it cannot be both'),
    (['stats'], 'IFACE is missing'),
    (['stats', 'lo', 'more'], "'more' is one word too many"),
    (['stats', 'lo', '--interval', '1ms'], '--interval 1ms'),
    (['stats', ''], 'IFACE'),
    (['completion'], 'SHELL is missing'),
    (['completion', 'fish'], 'bash or zsh'),
    (['completion', 'bash', 'zsh'], "'zsh' is one word too many"),
)


def names():
    """Of the commands, as the help tells them."""
    out = xsk('--help').out
    found = re.findall(r'^  ([a-z]+) +\S', out, re.M)
    assert {'forward', 'stats', 'completion'} <= set(found), out
    return found


def sh(line, **how):
    """A line of bash in which $XSK is the command."""
    return subprocess.run(['bash', '-c', line], capture_output=True, text=True, check=False,
                          env=dict(os.environ, XSK=XSK, LC_ALL='C'), timeout=60, **how)


def one_line(program, what):
    lines = program.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith('xsk: '), program.err
    assert what in lines[0], f'no {what!r} in {lines[0]}'
    assert not program.out, program.out


# ---- help ----

@case
def no_words():
    program = xsk()
    assert program.status == 2
    assert program.err.startswith('usage: xsk COMMAND'), program.err
    assert not program.out


@case
def help_of_all():
    for word in ('--help', '-h', 'help'):
        program = xsk(word)
        assert program.status == 0 and not program.err
        assert program.out.startswith('usage: xsk COMMAND')
        for name in names():
            assert f'\n  {name} ' in program.out


@case
def version():
    program = xsk('--version')
    assert program.status == 0 and not program.err
    assert re.fullmatch(r'xsk \d+\.\d+\.\d+\n', program.out), program.out


def options_of_completion(name):
    """The same tables by another way."""
    script = xsk('completion', 'bash').out
    function = re.search(rf'^_xsk_{name}\(\)\n{{\n(.*?)^}}', script, re.M | re.S)[1]
    return set(re.search(r"\t-\*\)\n\t\t_xsk_words '(.*)' ;;", function)[1].split())


@case
def help_of_each():
    for name in names():
        for word in ('--help', '-h'):
            program = xsk(name, word)
            assert program.status == 0 and not program.err, program.err
            assert program.out.startswith(f'usage: xsk {name} [OPTION...]'), program.out
            assert all(len(line) <= 80 for line in program.out.splitlines()), program.out
        told = set(re.findall(r'^  (?:-\w,|   ) (--[\w-]+)', program.out, re.M))
        assert told == options_of_completion(name), f'{name}: {told}'
        # It is read before all that is wrong behind it, and instead of what is right.
        program = xsk(name, *RIGHT[name], '--help', '--nix')
        assert program.status == 0 and program.out.startswith('usage: ')


# ---- wrong words ----

@case
def wrong_words():
    for words, what in WRONG:
        program = xsk(*words)
        assert program.status == 2, f'{words}: {program.status} {program.err}'
        one_line(program, what)


@case
def wrong_words_of_each():
    for name in names():
        program = xsk(name, *RIGHT[name], '--nix')
        assert program.status == 2
        one_line(program, '--nix')
        one_line(program, f'xsk {name} --help')


@case
def control_characters():
    for words in (['\x1b[2J\n'], ['stats', 'lo', '--\x1b[2J\n'], ['stats', 'lo', '\x1b[2J\n'],
                  ['stats', '\x1b[2J\n'], ['stats', b'\xff'.decode(errors='surrogateescape')]):
        program = xsk(*words)
        assert program.status in (1, 2)
        one_line(program, '')
        assert '\x1b' not in program.err


@case
def errors_as_json():
    # What is wrong is an object, too: of a name that JSON cannot hold.
    result = subprocess.run([XSK.encode(), b'stats', b'--json', b'n\xff'], capture_output=True,
                            check=False)
    assert result.returncode == 1, result
    assert result.stdout.startswith(b'{"type":"error","interface":"n?"'), result.stdout


# ---- streams ----

@case
def full_disk():
    for words in ('--help', '--version', 'forward --help', 'completion bash',
                  'completion zsh', 'stats lo --once', 'stats lo --once --json'):
        result = sh(f'"$XSK" {words} >/dev/full')
        assert result.returncode == 1, f'{words}: {result}'
        assert result.stderr == 'xsk: cannot write to stdout: No space left on device\n', result


@case
def closed_streams():
    for words in ('--help', 'completion bash', 'stats lo --once'):
        result = sh(f'"$XSK" {words} >&-')
        assert result.returncode == 1, f'{words}: {result}'
        assert result.stderr == 'xsk: cannot write to stdout: Bad file descriptor\n', result
        result = sh(f'"$XSK" {words} <&- 2>&-')
        assert result.returncode == 0 and result.stdout, f'{words}: {result}'
    assert sh('"$XSK" nix 2>&-').returncode == 2


@case
def reader_goes():
    # Who closes a pipe has seen enough; nobody is told.
    result = sh('"$XSK" stats lo --interval 100ms | head -n 1; echo ${PIPESTATUS[0]}')
    assert result.stdout.startswith('lo, 0.0 s\n') and result.stdout.endswith('\n1\n'), result
    assert not result.stderr, result.stderr


# ---- colours ----

@case
def colours():
    words = command('stats', 'lo', '--once')
    for argv, coloured in (
            (words, True),
            (['env', 'NO_COLOR=1', *words], False),
            (['env', 'NO_COLOR=', *words], True),
            (['env', 'TERM=dumb', *words], False),
            (['env', '-u', 'TERM', *words], False),
            (words + ['--json'], False)):
        program = Program(argv, terminal=True, env={'NO_COLOR': ''})
        assert program.wait() == 0
        assert ('\x1b[' in program.out) == coloured, f'{argv}: {program.out!r}'
    assert '\x1b' not in xsk('stats', 'lo', '--once').out


# ---- completion ----

BASH = r'''
. <("$XSK" completion bash)
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_xsk
printf '%s\n' "${COMPREPLY[@]}"
'''


def bash(*words, **how):
    result = subprocess.run(['bash', '-uc', BASH, 'bash', *words], capture_output=True, text=True,
                            check=False, env=dict(os.environ, XSK=XSK), **how)
    assert result.returncode == 0 and not result.stderr, result
    return [word for word in result.stdout.split('\n') if word]


@case
def bash_words():
    assert set(bash('xsk', '')) == {*names(), '--help', '--version'}
    assert bash('xsk', 'forw') == ['forward']
    assert bash('xsk', 'nix', '') == []
    assert set(bash('xsk', 'stats', '--')) == options_of_completion('stats')
    assert bash('xsk', 'forward', '--mu') == ['--multi-buffer']
    assert bash('xsk', 'completion', '') == ['bash', 'zsh']
    assert bash('xsk', 'completion', 'z') == ['zsh']


@case
def bash_values():
    modes = ['zero-copy', 'native', 'generic']
    assert bash('xsk', 'forward', '--mode', '') == modes
    assert bash('xsk', 'forward', '-m', 'na') == ['native']
    # Bash splits at "=".
    assert bash('xsk', 'forward', '--mode', '=') == modes
    assert bash('xsk', 'forward', '--mode', '=', 'g') == ['generic']
    assert bash('xsk', 'forward', '--mode', 'native,g') == ['native,generic']
    assert bash('xsk', 'forward', '--keep', 'arp,d') == ['arp,dhcp']
    assert bash('xsk', 'forward', '--wait', 'b') == ['busy-poll']
    # A number is typed.
    assert bash('xsk', 'forward', '--queues', '') == []


@case
def bash_interfaces_and_files():
    with tempfile.TemporaryDirectory() as folder:
        assert 'lo' in bash('xsk', 'forward', '')
        assert bash('xsk', 'stats', 'l') == ['lo']
        # A name that would be run, if it were looked at by the shell.
        script = ('ip link add name \'$(>ran)\' type veth; mount -t sysfs sysfs /sys;'
                  'exec bash -uc "$0" bash xsk stats ""')
        result = subprocess.run(['unshare', '-n', '-m', 'sh', '-c', script, BASH],
                                capture_output=True, text=True, cwd=folder, check=False,
                                env=dict(os.environ, XSK=XSK))
        assert result.stdout.split() == ['\\$\\(\\>ran\\)', 'lo', 'veth0'], result
        assert not os.listdir(folder)
        if 'recv' in names():
            with open(os.path.join(folder, 'a file.pcap'), 'w', encoding='ascii'):
                pass
            assert bash('xsk', 'recv', '-w', 'a', cwd=folder) == ['a file.pcap']


@case
def bash_by_tab():
    # As it is typed, with what bash itself does to it.
    program = Program(['bash', '--norc', '--noprofile', '-i'], terminal=True,
                      env={'PS1': '> ', 'XSK': XSK, 'INPUTRC': '/dev/null', 'HISTFILE': ''})
    program.expect('> ')
    program.type('xsk() { echo "got:$*"; }; . <("$XSK" completion bash); echo rea""dy\n')
    program.expect('ready')
    program.type('xsk forw\t--mode=nat\t,ge\t l\t\n')
    program.expect(r'got:forward --mode=native,generic lo')
    program.type('exit\n')
    program.wait()


@case
def zsh_by_tab():
    if not shutil.which('zsh'):
        raise Skip('zsh is not installed')
    assert sh('zsh -n <("$XSK" completion zsh)').returncode == 0
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, '_xsk'), 'w', encoding='ascii') as file:
            file.write(xsk('completion', 'zsh').out)
        program = Program(['zsh', '-f', '-i'], terminal=True, env={'PS1': '> ', 'HISTFILE': ''})
        program.expect('> ')
        # As it is installed: a function in a folder of fpath.
        program.type(f'fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D; '
                     'xsk() { echo "got:$*" }; echo rea""dy\n')
        program.expect('ready')
        for typed, got in (
                ('xsk forw\t--mode=nat\t', 'got:forward --mode=native'),
                ('xsk forward --mode=native,gen\t', 'got:forward --mode=native,generic'),
                ('xsk stats --onc\t', 'got:stats --once'),
                ('xsk forward --multi\t', 'got:forward --multi-buffer'),
                ('xsk completion z\t', 'got:completion zsh')):
            program.text['out'] = ''
            program.type(typed + '\n')
            program.expect(re.escape(got))
        # Sourced, as in .zshrc.
        program.text['out'] = ''
        program.type(f'unfunction _xsk; source {folder}/_xsk; echo sour""ced\n')
        program.expect('sourced')
        program.type('xsk sta\t\n')
        program.expect('got:stats')
        program.type('exit\n')
        program.wait()


main()
