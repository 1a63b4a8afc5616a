# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""xsk forward: between two interfaces of one host, each with a host behind it."""

import signal
import time

from harness import ADDRESSES, ADDRESSES6, Lab, case, command, ip, main
from path import INNER, Path, assert_law, send_numbers, totals

# ---- what it cannot do ----


@case
def the_same_twice():
    with Lab() as lab:
        program = lab.run(0, command('forward', 'va', 'va'))
        assert program.status == 2
        assert 'it cannot be both' in program.err


@case
def unknown_interface():
    with Lab() as lab:
        for words in (('va', 'nix0'), ('nix0', 'va')):
            program = lab.run(0, command('forward', *words))
            assert program.status == 1
            assert 'xsk: nix0: ' in program.err, program.err
            assert not program.out


@case
def no_privilege():
    with Path() as path:
        program = path.run('m', ['setpriv', '--reuid', '65534', '--clear-groups',
                                 '--inh-caps=-all', *command('forward', 'fa', 'fb')])
        assert program.status == 1
        assert program.err.startswith('xsk: fa: ') and 'CAP_' in program.err, program.err
        assert len(program.err.splitlines()) == 1


@case
def wrong_filter():
    with Path() as path:
        program = path.run('m', command('forward', 'fa', 'fb', 'udp', 'prot', '53'))
        assert program.status == 2
        assert program.err.startswith('xsk: filter: ') and 'prot' in program.err, program.err
        assert len(program.err.splitlines()) == 1


@case
def a_queue_that_is_taken():
    with Path() as path:
        path.add_spare()
        first = path.forward()
        program = path.run('m', command('forward', 'wa', 'fb'))
        assert program.status == 1
        assert 'xsk: fb: ' in program.err and 'xsk forward' not in program.out, program.err
        assert path.ping()          # the first goes on
        assert first.stop() == 0


# ---- its end ----

@case
def ends_by_itself_and_by_signals():
    with Path() as path:
        program = path.run('m', command('forward', 'fa', 'fb', '--duration', '300ms', '--json'))
        assert program.status == 0, program.err
        ends = totals(program)
        assert [one['from'] for one in ends] == ['fa', 'fb']
        assert [one['to'] for one in ends] == ['fb', 'fa']
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            program = path.forward()
            assert program.stop(number) == 0
            assert 'fa to fb: ' in program.out and 'fb to fa: ' in program.out


@case
def nobody_reads():
    with Path() as path:
        program = path.run('m', ['bash', '-c', '"$@" | head -n 1; exit ${PIPESTATUS[0]}', 'sh',
                                 *command('forward', 'fa', 'fb', '--json')])
        assert program.status == 1
        assert 'cannot write' not in program.err, program.err
        program = path.run('m', ['sh', '-c', 'exec "$@" >/dev/full', 'sh',
                                 *command('forward', 'fa', 'fb', '-d', '300ms')])
        assert program.status == 1
        assert 'cannot write to stdout: No space left' in program.err, program.err


@case
def on_a_terminal():
    with Path() as path:
        program = path.start('m', command('forward', 'fa', 'fb'), terminal=True)
        program.expect(r'\rfa to fb: .*; back: .*\x1b\[K')
        assert program.stop() == 0
        # The totals begin a line of their own.
        assert '\r\nfa to fb: ' in program.out, program.out


# ---- packets ----

@case
def pings():
    with Path() as path:
        program = path.forward('--json')
        assert path.ping() and path.ping(ADDRESSES6[1])
        assert path.ping(words=('-s', '1472', '-M', 'do'))
        time.sleep(1.2)
        assert program.stop() == 0
        ends = totals(program)
        for one in ends:
            assert one['packets'] >= 9 and one['bytes'] > 3 * 1514
            assert one['packets'] == one['stats']['rx_packets']
            assert_law(one)
        rates = [one for one in program.json() if one['type'] == 'rate']
        for iface in INNER:
            assert sum(one['packets'] for one in rates if one['from'] == iface) == \
                [one for one in ends if one['from'] == iface][0]['packets']
            assert all(0.5 < one['seconds'] < 5 for one in rates)


@case
def any_numbers_of_queues():
    # The last two receive by more queues than they send by, or the other way around.
    for queues in ((1, 4), (4, 1), (2, 3), ((4, 1), (2, 2)), ((1, 4), (4, 2))):
        with Path(queues=queues) as path:
            # So few frames that each is used many times.
            program = path.forward('--json', '--ring', '128')
            count = 8000
            for frm in range(2):
                got = send_numbers(path, frm, count)
                assert got == count, f'{queues}: {got}'
            assert program.stop() == 0
            for total in totals(program):
                assert_law(total)
                assert total['packets'] >= count, f'{queues}: {total}'


@case
def chosen_queues():
    with Path(queues=(4, 4)) as path:
        program = path.run('m', command('forward', 'fa', 'fb', '-q', '1-2', '-d', '200ms'))
        assert program.status == 0
        assert 'fa: queues 1 to 2' in program.err and 'fb: queues 1 to 2' in program.err
        program = path.run('m', command('forward', 'fa', 'fb', '-q', '3-4'))
        assert program.status == 1
        assert 'xsk: fa: ' in program.err, program.err


# Sends frames as they are from one end: a tagged one, another type, and some in an order.
RAW = r'''
import socket, sys
one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
one.bind(('va', 0))
head = bytes.fromhex('020000006602') + bytes.fromhex('020000006601')
for tags in ('', '81000005', '88a8000781000005'):
    one.send(head + bytes.fromhex(tags + '88b5') + bytes(range(200)))
for number in range(300):
    one.send(head + b'\x88\xb6' + number.to_bytes(2, 'big') + bytes(60))
'''

# Receives them, with the tag where the kernel puts it.
RAW_RECEIVER = r'''
import socket, struct, sys
one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
one.setsockopt(263, 8, 1)                           # SOL_PACKET, PACKET_AUXDATA
one.bind(('vb', 0))
print('ready', flush=True)
one.settimeout(20)
frames, order = [], []
while len(frames) < 3 or len(order) < 300:
    data, extra, flags, address = one.recvmsg(4096, 256)
    tag = b''
    for level, kind, value in extra:
        status, _, _, _, _, tci, tpid = struct.unpack('IIIHHHH', value[:20])
        if status & 0x10:                           # TP_STATUS_VLAN_VALID
            tag = struct.pack('!HH', tpid if status & 0x40 else 0x8100, tci)
    data = data[:12] + tag + data[12:]
    if data[12:14] == b'\x88\xb6':
        order.append(int.from_bytes(data[14:16], 'big'))
    elif data.endswith(bytes(range(200))):
        frames.append(data[12:-200].hex())
print('frames', *frames, 'in order', order == list(range(300)), flush=True)
'''


@case
def as_they_are():
    with Path() as path:
        program = path.forward('--json')
        receiver = path.python(1, RAW_RECEIVER)
        receiver.expect('ready')
        assert path.python(0, RAW).wait() == 0
        receiver.expect('frames 88b5 8100000588b5 88a800078100000588b5 in order True')
        assert program.stop() == 0
        for one in totals(program):
            assert_law(one)


@case
def filtered():
    with Path() as path:
        ip('-n', path.middle, 'address', 'add', '10.66.0.9/24', 'dev', 'fa')
        program = path.forward('--json', 'udp', 'or', 'arp')
        assert not path.ping(count=1)
        assert send_numbers(path, 0, 100) == 100
        # What does not match is the kernel's: it knows its neighbour, and answers.
        ip('-n', path.namespaces[0], 'neigh', 'replace', '10.66.0.9', 'lladdr',
           '02:00:00:00:66:a1', 'dev', 'va')
        ip('-n', path.middle, 'neigh', 'replace', '10.66.0.1', 'lladdr', '02:00:00:00:66:01',
           'dev', 'fa')
        assert path.ping('10.66.0.9')
        assert program.stop() == 0
        ends = totals(program)
        assert ends[0]['stats']['filter_matched'] >= 100
        assert ends[0]['stats']['filter_passed'] >= 4


@case
def kept():
    with Path() as path:
        program = path.forward('--keep', 'icmp', '--json')
        assert not path.ping(count=1)
        assert send_numbers(path, 0, 100) == 100
        assert program.stop() == 0
        assert totals(program)[0]['stats']['filter_kept'] >= 1


# ---- interfaces that differ, and that change ----

@case
def other_mtu():
    with Path(mtus=(1500, 1400)) as path:
        program = path.forward('--json')
        program.expect(r'the MTUs differ \(1500 and 1400\)')
        assert path.ping(words=('-s', '1300'))
        assert not path.ping(words=('-s', '1450', '-M', 'dont'), count=2)
        assert program.stop() == 0
        ends = totals(program)
        assert ends[0]['too_large'] == 2
        for one in ends:
            assert_law(one)
        assert 'larger than the MTU of fb' in program.err


@case
def down_and_up():
    with Path() as path:
        program = path.forward('--json')
        assert path.ping()
        ip('-n', path.middle, 'link', 'set', 'fb', 'down')
        program.expect('xsk: fb: it is down, or has no carrier; ip link set dev fb up')
        path.ping(count=2)
        ip('-n', path.middle, 'link', 'set', 'fb', 'up')
        program.expect('xsk: fb: it is up')
        assert path.ping(words=('-w', '10'))
        assert program.stop() == 0
        for one in totals(program):
            assert_law(one)


@case
def deleted():
    for which in INNER:
        with Path() as path:
            program = path.forward('--json')
            assert path.ping()
            ip('-n', path.middle, 'link', 'delete', which)
            assert program.wait() == 1
            last = program.err.splitlines()[-1]
            assert last.startswith(f'xsk: {which}: '), program.err
            assert [one for one in program.json() if one['type'] == 'error'], program.out
            totals(program)


@case
def not_the_same_mode():
    with Path(queues=(2, 2)) as path:
        path.add_spare(queues=2)
        # It holds the program of fb in generic mode, where the second one has to join.
        first = path.forward('--mode', 'generic', '-q', '0', between=('fb', 'wa'))
        second = path.forward('-q', '1', '--json')
        assert 'fa: queue 1, native' in second.err, second.err
        assert 'fb: queue 1, generic' in second.err, second.err
        assert second.stop() == 0
        assert first.stop() == 0


main()
