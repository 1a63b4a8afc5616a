# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""./playground: two hosts, which go with the shell that is on the one."""

import os
import shutil
import signal
import tempfile

from harness import PATIENCE, Program, XSK, case, main
from playing import ROOT, Playground

# Those who do not want to end.
STUBBORN = 'sh -c "trap \\"\\" HUP INT TERM; echo stub\'\'born; while :; do sleep 1; done"'


def run(*words, **how):
    """Runs a command in a playground to its end."""
    with Playground(*words, **how) as played:
        played.status = played.wait()
        return played


@case
def a_shell_on_the_one_host_and_commands_on_the_other():
    with Playground(terminal=True) as played:
        played.expect('here: veth0, 10.66.0.1, fd66::1')
        played.expect('veth1, 10.66.0.2, fd66::2')
        played.expect('here# ')
        played.type('ping -c 1 10.66.0.2\n')
        played.expect('1 received, 0% packet loss')
        played.type('there ping -c 2 fd66::1\n')
        played.expect('2 received, 0% packet loss')
        played.type('ip -br address show veth0; there ip -br address show veth1\n')
        played.expect(r'veth0.* 10\.66\.0\.1/24 fd66::1/64')
        played.expect(r'veth1.* 10\.66\.0\.2/24 fd66::2/64')
        played.type('echo $(hostname) and $(there hostname)\n')
        played.expect('here and there')
        assert len(played.pids()) == 1
        played.type('exit 3\n')
        assert played.wait() == 3
        assert 'all is undone' in played.program.out


@case
def a_command_with_its_words_and_its_status():
    played = run('sh', '-c', 'echo said; echo too >&2; exit 7')
    assert (played.status, played.program.out, played.program.err) == (7, 'said\n', 'too\n')
    words = ['a  b', '', '$HOME', "it's", '*', '-x']
    played = run('sh', '-c', 'there printf "<%s>\\n" "$@"', 'sh', *words)
    assert played.program.out == ''.join(f'<{word}>\n' for word in words)
    assert played.status == 0
    played = run('there', 'sh', '-c', 'exit 9')
    assert played.status == 9
    played = run('no-such-command')
    assert played.status == 127
    assert 'no-such-command' in played.program.err
    played = run('there')
    assert played.status == 2
    assert played.program.err == 'usage: there COMMAND [WORD...]\n'


@case
def input_is_passed_on():
    for words, text, out in (([], 'echo first\nthere hostname\n', 'first\nthere\n'),
                             (['there', 'cat'], 'as it is\n', 'as it is\n')):
        with tempfile.TemporaryFile() as file:
            file.write(text.encode())
            file.seek(0)
            played = run(*words, stdin=file)
        assert played.status == 0
        assert played.program.out == out, played.program.out


@case
def xsk_and_its_pages_are_found():
    played = run('sh', '-c', 'realpath $(command -v xsk); xsk --version; there xsk --version; '
                 'echo $MANPATH', env={'MANPATH': '/somewhere'})
    lines = played.program.out.splitlines()
    assert lines[0] == os.path.realpath(XSK)
    assert lines[1] == lines[2] and lines[1].startswith('xsk '), lines
    assert lines[3].endswith('/man:/somewhere')
    played = run('sh', '-c', 'ls ${MANPATH%%:*}/man1 ${MANPATH%%:*}/man7; '
                 'test -r ${MANPATH%%:*}/man7/xsk.7')
    assert played.status == 0
    assert 'xsk.7' in played.program.out


@case
def as_many_queues_as_are_asked_for():
    for words, count in ((['--queues', '3'], 3), ([], 1)):
        played = run(*words, 'sh', '-c', 'for on in "" there; do '
                     'echo $($on sh -c "ls -d /sys/class/net/veth?/queues/?x-*"); done')
        for number, line in enumerate(played.program.out.splitlines()):
            queues = [f'/sys/class/net/veth{number}/queues/{way}-{queue}'
                      for way in ('rx', 'tx') for queue in range(count)]
            assert line.split() == queues, line


@case
def several_at_a_time():
    with Playground(terminal=True) as one, Playground(terminal=True) as other:
        for played in (one, other):
            played.expect('here# ')
        one.type('there ip link set veth1 down; echo down$?\n')
        one.expect('down0')
        one.type('exit\n')
        assert one.wait() == 0
        other.type('ping -c 1 10.66.0.2\n')
        other.expect('1 received, 0% packet loss')


@case
def signals_undo_it():
    for number in (signal.SIGTERM, signal.SIGHUP):
        with Playground(terminal=True) as played:
            played.expect('here# ')
            played.type(f'there {STUBBORN} &\n')
            played.expect('stubborn')
            assert len(played.pids()) >= 2
            played.program.signal(number)
            assert played.wait() == 128 + number
    with Playground('sh', '-c', 'echo started; sleep 1000') as played:
        played.expect('started')
        played.pids()
        played.program.signal(signal.SIGTERM)
        assert played.wait() == 128 + signal.SIGTERM


@case
def the_shell_is_killed():
    with Playground(terminal=True) as played:
        played.expect('here# ')
        played.type('kill -9 $$\n')
        assert played.wait() == 128 + signal.SIGKILL
    with Playground('sh', '-c', f'{STUBBORN} & there {STUBBORN} & sleep 1000 & '
                    'kill -STOP $!; sleep 1000') as played:
        played.expect('(?s)stubborn.*stubborn')
        pids = played.pids()
        assert len(pids) >= 5
        os.kill(min(pids), signal.SIGKILL)
        assert played.wait() == 128 + signal.SIGKILL


@case
def it_is_killed_itself():
    with Playground(terminal=True) as living, Playground(terminal=True) as dead:
        for played in living, dead:
            played.expect('here# ')
        dead.type(f'there {STUBBORN} &\n')
        dead.expect('stubborn')
        assert len(dead.pids()) >= 2
        dead.program.process.kill()
        dead.program.process.wait()
        assert dead.pids()
        # The next one removes that, what it has in its folder, too, and nothing else's.
        for name in ('xsk-playground-x', f'xsk-playground-{dead.pid}0.x', f'{dead.pid}.x'):
            os.mkdir(os.path.join(dead.temporary, name))
        with Playground(terminal=True, env={'TMPDIR': dead.temporary}) as following:
            following.expect(f'removing what playground {dead.pid} left, which was killed')
            following.expect('here# ')
            assert not dead.pids()
            names = sorted(os.listdir(dead.temporary))
            assert [name for name in names if str(following.pid) not in name] == sorted(
                ['xsk-playground-x', f'xsk-playground-{dead.pid}0.x', f'{dead.pid}.x']), names
            following.type('there ping -c 1 10.66.0.1\n')
            following.expect('1 received, 0% packet loss')
            following.type('exit\n')
            assert following.wait() == 0
        for name in os.listdir(dead.temporary):
            os.rmdir(os.path.join(dead.temporary, name))
        living.type('ping -c 1 10.66.0.2\n')
        living.expect('1 received, 0% packet loss')


@case
def the_terminal_is_closed():
    with Playground(terminal=True) as played:
        played.expect('here# ')
        played.type('there sleep 1000 &\n')
        played.type('echo start$((1))ed\n')
        played.expect('start1ed')
        assert len(played.pids()) >= 2
        os.close(played.program.master)
        played.program.master = None
        played.program.files = {}
        assert played.program.process.wait(PATIENCE) == 128 + signal.SIGHUP


@case
def interrupts_are_of_the_command():
    with Playground('sh', '-c', 'trap "echo caught; exit 5" INT; echo ready; '
                    'while :; do sleep 0.1; done', terminal=True) as played:
        played.expect('ready')
        played.type('\x03')
        played.expect('caught')
        assert played.wait() == 5
    # What a shell starts can be interrupted, and the shell stays.
    with Playground(terminal=True) as played:
        played.expect('here# ')
        # It says so itself that it is there: one that comes too early would be the shell's.
        command = "sh -c 'echo now$((1)); exec sleep 1000'"
        for where in ('', 'there '):
            played.type(f'{where}{command}; true\n')
            played.expect('now1')
            played.type('\x03')
            played.type('echo status$?\n')
            played.expect('status130')
            played.program.text['out'] = ''
        played.type('exit 0\n')
        assert played.wait() == 0


@case
def progress_is_for_the_foreground():
    with Playground(terminal=True) as played:
        played.expect('here# ')
        played.type('there xsk echo veth1 &\n')
        played.expect('veth1: queue 0')
        played.type('sleep 2.5; echo sl$((1))pt\n')
        played.expect('sl1pt')
        assert 'answered' not in played.program.out
        played.type('fg\n')
        played.expect('0pps, 0bit/s answered')
        played.type('\x03')
        played.expect('veth1: 0 packets answered')
        played.type('exit\n')
        assert played.wait() == 0


@case
def wrong_words():
    for words in (['--queues'], ['--queues', '0'], ['--queues', '65'], ['--queues', 'x'],
                  ['--queues', '1000'], ['--nix'], ['-q']):
        played = run(*words)
        assert played.status == 2, words
        assert not played.program.out
        assert played.program.err.startswith('playground: ')
        assert played.program.err.endswith('; see ./playground --help\n')
        assert played.program.err.count('\n') == 1
    played = run('--help')
    assert played.status == 0
    assert played.program.out.startswith('usage: ./playground ')
    played = run('true', env={'XSK': '/nix/xsk'})
    assert played.status == 1
    assert played.program.err == 'playground: /nix/xsk cannot be run\n'


@case
def who_is_not_root():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        script = shutil.copy(os.path.join(ROOT, 'playground'), folder)
        program = Program(['setpriv', '--reuid', '65534', '--clear-groups', script])
        assert program.wait() == 1
        assert program.err.startswith('playground: needs root: type  su')
        assert program.err.count('\n') == 1


@case
def xsk_is_built_where_it_is_not():
    with tempfile.TemporaryDirectory() as folder:
        for name in ('cli', 'include', 'lib', 'man', 'scripts'):
            shutil.copytree(os.path.join(ROOT, name), os.path.join(folder, name))
        for name in ('meson.build', 'meson_options.txt', 'playground'):
            shutil.copy(os.path.join(ROOT, name), folder)
        script = os.path.join(folder, 'playground')
        for _ in range(2):
            with Playground('xsk', '--version', env={'XSK': ''}, script=script) as played:
                assert played.wait(200) == 0, played.program.err
                assert played.program.out.startswith('xsk ')
        assert os.path.exists(os.path.join(folder, 'build-playground/cli/xsk'))
        with open(os.path.join(folder, 'cli/xsk.c'), 'a', encoding='utf-8') as file:
            file.write('nonsense\n')
        with Playground('xsk', env={'XSK': ''}, script=script) as played:
            assert played.wait(200) == 1
            assert 'playground: the build failed' in played.program.err
            assert 'nonsense' in played.program.err


main()
