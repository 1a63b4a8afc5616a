# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""xsk send: captures that are replayed, and how they arrive; what can not be sent; how it ends."""

import os
import re
import signal
import tempfile
import time

from captures import MICRO, START, Dump, pcap, pcapng, read, write
from harness import ADDRESSES, ADDRESSES6, Lab, MACS, Skip, case, command, ip, main
from replaying import Quiet, contents, packet, series

# ---- what arrives ----


def record(path):
    """What two hosts say to each other, as tcpdump wrote it."""
    serve = ('import socket; s = socket.create_server(("::", 7), family=socket.AF_INET6, '
             'dualstack_ipv6=True); print("ready", flush=True); c = s.accept()[0]; '
             'data = c.makefile("rb").read(); c.sendall(data[::-1])')
    ask = ('import socket; c = socket.create_connection(("fd66::2", 7)); '
           'c.sendall(bytes(range(256)) * 100); c.shutdown(1); '
           'assert len(c.makefile("rb").read()) == 25600')
    with Lab() as lab:
        for side in range(2):       # else TCP leaves it to the interface to cut its data
            ip('-n', lab.namespaces[side], 'link', 'set', lab.ifaces[side], 'gso_max_segs', '1')
        dump = Dump(lab, 1, path, 'not (icmp6 and ip6[40] >= 130 and ip6[40] <= 136)', both=True)
        for family, size in (('-4', '0'), ('-4', '1472'), ('-6', '333'), ('-6', '1452')):
            address = (ADDRESSES if family == '-4' else ADDRESSES6)[1]
            program = lab.run(0, ['ping', family, '-c', '3', '-i', '0.02', '-s', size, address])
            assert program.status == 0, program.out
        server = lab.start(1, ['python3', '-c', serve])
        server.expect('ready')
        assert lab.run(0, ['python3', '-c', ask]).status == 0
        assert server.wait() == 0
        time.sleep(0.2)
        dump.stop()
    return read(path)


@case
def what_tcpdump_recorded_arrives_as_it_was():
    with tempfile.TemporaryDirectory() as folder:
        recorded = record(os.path.join(folder, 'recorded'))
        with open(os.path.join(folder, 'recorded'), 'rb') as file:
            data = file.read()
    assert len(recorded) > 60, len(recorded)
    with Quiet() as quiet:
        assert contents(quiet.replay(data)) == contents(recorded)
        assert f'va: {len(recorded)} packets, ' in quiet.program.out


@case
def all_sizes_and_kinds_of_files():
    packets = series(list(range(14, 1515, 13)) + [1514, 60, 14])
    files = {
        'nanoseconds': pcap(packets), 'microseconds': pcap(packets, magic=MICRO),
        'big-endian': pcap(packets, order='>'), 'pcapng': pcapng(packets),
    }
    with Quiet() as quiet:
        for name, data in files.items():
            arrived = quiet.replay(data, count=len(packets))
            assert contents(arrived) == contents(packets), name


@case
def ring_after_ring():
    # More than the rings hold, as fast as it goes: what has no room waits.
    packets = series([60 + i % 1000 for i in range(3000)])
    with Quiet() as quiet:
        for words in ((), ('--ring', '64'), ('--ring', '64', '--frames', '4096'),
                      ('--frames', '16'), ('--wait', 'spin'), ('--wait', 'busy-poll'),
                      ('--wait', 'adaptive')):
            arrived = quiet.replay(pcap(packets), '--rate', '300kpps', *words)
            assert contents(arrived) == contents(packets), words


@case
def stdin():
    packets = series([100] * 50)
    with Quiet() as quiet:
        path = write(quiet.path('replayed'), pcap(packets))
        dump = Dump(quiet.lab, 1, quiet.path('arrived'))
        with open(path, 'rb') as file:
            program = quiet.lab.run(0, command('send', 'va', '-r', '-'), stdin=file)
        assert program.status == 0, program.err
        assert contents(dump.packets(50)) == contents(packets)


@case
def again_and_again():
    packets = series([60, 61, 62])
    with Quiet() as quiet:
        arrived = quiet.replay(pcap(packets), '--loop', '4', count=12)
        assert contents(arrived) == contents(packets) * 4
        arrived = quiet.replay(pcap(packets), '-l', '0', '-c', '100', count=100)
        assert contents(arrived) == (contents(packets) * 34)[:100]
        arrived = quiet.replay(pcap(packets), '-c', '2', count=2)
        assert contents(arrived) == contents(packets)[:2]


@case
def a_pipe_is_read_once():
    with Quiet() as quiet:
        path = write(quiet.path('replayed'), pcap(series([60, 61, 62])))
        program = quiet.lab.run(0, ['sh', '-c', f'cat {path} | "$@"', 'sh',
                                    *command('send', 'va', '-r', '-', '--loop', '2')])
        assert program.status == 1
        assert 'cannot be read again' in program.err
        assert '3 packets were sent' in program.err


@case
def jumbo_packets():
    if tuple(int(part) for part in os.uname().release.split('.')[:2]) < (6, 6):
        raise Skip('packets of several frames need Linux 6.6')
    packets = series([9014, 60, 4096, 4097, 8192, 8193, 9000, 14] * 10)
    with Quiet(mtu=9000) as quiet:
        arrived = quiet.replay(pcap(packets), '--multi-buffer')
        assert contents(arrived) == contents(packets)
        small = [data for data in contents(packets) if len(data) <= 4096]
        arrived = quiet.replay(pcap(packets), count=len(small), status=1)
        assert contents(arrived) == small
        assert f'{len(packets) - len(small)} not sent: larger than a frame of 4096' in \
            quiet.program.err
        assert '--multi-buffer' in quiet.program.err


@case
def of_several_queues_each_has_its_turn():
    packets = series([60 + i for i in range(500)])
    with Quiet(queues=2) as quiet:
        arrived = quiet.replay(pcap(packets), '--queues', '0-1')
        assert sorted(contents(arrived)) == sorted(contents(packets))
        assert 'queues 0 to 1' in quiet.program.err


# ---- how it ends ----


@case
def signals_and_totals():
    words = ('--dst', '10.66.0.2', '--src', '10.66.0.1', '--dst-mac', MACS[1])
    with Quiet() as quiet:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            program = quiet.lab.start(0, command('send', 'va', *words, '--rate', '100', '--json'))
            program.expect('"type":"rate"')
            assert program.stop(number) == 0, program.err
            *rates, total = program.json()
            assert {rate['type'] for rate in rates} == {'rate'}
            assert 80 < rates[0]['packets'] < 120, rates[0]
            assert rates[0]['bytes'] == 60 * rates[0]['packets']
            assert total['type'] == 'total' and total['interface'] == 'va'
            assert total['packets'] == total['stats']['tx_packets'] >= rates[0]['packets']
            assert total['bytes'] == 60 * total['packets']
            assert total['frames_left'] == 0
        program = quiet.lab.start(0, command('send', 'va', *words, '--rate', '100'), terminal=True)
        program.expect(r'\r.*va: \d+ packets sent; [\d.]+pps, .*bit/s')
        assert program.stop() == 0
        assert re.search(r'\nva: \d+ packets, \d+ bytes in ', program.out), program.out


@case
def stdout_that_is_full_or_closed():
    words = ('--dst', '10.66.0.2', '--src', '10.66.0.1', '--dst-mac', MACS[1], '--json')
    with Quiet() as quiet:
        program = quiet.lab.run(0, ['sh', '-c', '"$@" >/dev/full', 'sh',
                                    *command('send', 'va', *words, '--rate', '1kpps')])
        assert program.status == 1
        assert 'cannot write to stdout' in program.err
        program = quiet.lab.run(0, ['sh', '-c', '"$@" | head -n 1', 'sh',
                                    *command('send', 'va', *words, '--rate', '1kpps')])
        assert '"type":"rate"' in program.out


@case
def a_link_that_goes_down_and_comes_back():
    packets = series([60 + i % 500 for i in range(600)], gap=2000000)
    with Quiet() as quiet:
        namespace = quiet.lab.namespaces[0]
        path = write(quiet.path('replayed'), pcap(packets))
        # More than the ring has room for, or than there are frames: they wait.
        for words in ((), ('--ring', '32'), ('--ring', '32', '--frames', '1024')):
            dump = Dump(quiet.lab, 1, quiet.path('arrived'))
            program = quiet.lab.start(0, command('send', 'va', '-r', path, '--json', *words))
            time.sleep(0.3)
            ip('-n', namespace, 'link', 'set', 'va', 'down')
            time.sleep(0.4)
            ip('-n', namespace, 'link', 'set', 'va', 'up')
            assert program.wait() == 0, program.err
            total = program.json()[-1]
            assert total['packets'] == 600 and total['stats']['kick_down'] > 0
            assert contents(dump.packets(600)) == contents(packets)
        ip('-n', namespace, 'link', 'set', 'va', 'down')
        program = quiet.lab.run(0, command('send', 'va', '-r', path, '-c', '5'))
        assert program.status == 1
        assert '5 frames are left that the kernel has not sent; it is down' in program.err


@case
def a_link_without_a_carrier():
    packets = series([60] * 10)
    with Quiet() as quiet:
        path = write(quiet.path('replayed'), pcap(packets))
        ip('-n', quiet.lab.namespaces[1], 'link', 'set', 'vb', 'down')
        program = quiet.lab.run(0, command('send', 'va', '-r', path))
        assert program.status == 1, program.err
        assert 'xsk: va: 10 not sent: it has no carrier; there is no cable, or its other end is ' \
            'down\n' in program.err, program.err
        assert program.out.startswith('va: 10 packets') and program.out.count('\n') == 1, \
            program.out
        program = quiet.lab.run(0, command('send', 'va', '-r', path, '--json'))
        assert program.status == 1
        assert program.json()[0]['stats']['kick_busy'] == 10
        ip('-n', quiet.lab.namespaces[1], 'link', 'set', 'vb', 'up')
        program = quiet.lab.run(0, command('send', 'va', '-r', path))
        assert program.status == 0, program.err


@case
def an_interface_that_goes():
    with Quiet() as quiet:
        namespace = quiet.lab.namespaces[0]
        ip('-n', namespace, 'link', 'add', 'wa', 'type', 'veth', 'peer', 'name', 'wb')
        for iface in ('wa', 'wb'):
            ip('-n', namespace, 'link', 'set', iface, 'up')
        program = quiet.lab.start(0, command('send', 'wa', '--dst', '10.66.0.2', '--src',
                                             '10.66.0.1', '--dst-mac', MACS[1], '--json'))
        program.expect('"type":"rate"')
        ip('-n', namespace, 'link', 'delete', 'wa')
        assert program.wait() == 1
        assert 'xsk: wa: interface: wa is gone' in program.err


# ---- what cannot be sent ----


@case
def packets_that_do_not_fit():
    tagged = packet(12) + b'\x81\x00\x00\x05' + packet(1502)
    packets = [(START, data) for data in (packet(1514), packet(1515), tagged, tagged + b'x',
                                          packet(13), packet(60), b'', packet(2000))]
    fitting = [packet(1514), tagged, packet(60)]
    with Quiet() as quiet:
        arrived = quiet.replay(pcap(packets), '--json', count=3, status=1)
        assert [len(data) for data in contents(arrived)][0] == 1514
        # The kernel takes the tag out, and tcpdump puts it in again.
        assert contents(arrived) == fitting
        err = quiet.program.err
        assert 'xsk: va: 3 not sent: larger than its MTU of 1500 allows (the first is packet 2, ' \
            'of 1515 bytes); ip link set dev va mtu 1501' in err, err
        assert 'xsk: va: 2 not sent: shorter than an Ethernet header (the first is packet 5, of ' \
            '13 bytes)' in err, err
        total = next(line for line in quiet.program.json() if line['type'] == 'total')
        assert (total['packets'], total['larger_than_mtu'], total['too_short']) == (3, 3, 2)
        assert total['interface_dropped'] == 0


@case
def packets_that_were_cut():
    packets = [(START, packet(60)), (START, packet(60, 1), 900)]
    with Quiet() as quiet:
        arrived = quiet.replay(pcap(packets), count=2)
        assert contents(arrived) == [packet(60), packet(60, 1)]
        assert '1 packets were cut when they were captured' in quiet.program.err
        # What is in hand at the end does not count.
        path = write(quiet.path('replayed'), pcap([(START, packet(60, 1), 900)] * 1000))
        for words in (('-d', '200ms', '--ring', '32'), ('-d', '200ms'), ('-c', '7')):
            program = quiet.lab.run(0, command('send', 'va', '-r', path, '--loop', '0', '--rate',
                                               'max', '--json', *words))
            total = program.json()[-1]
            assert total['cut_in_capture'] == total['packets'] > 0, total


@case
def broken_captures():
    good = pcap(series([60, 61, 62]))
    with Quiet() as quiet:
        quiet.refuse(b'', 1, 'truncated')
        quiet.refuse(good[:20], 1, 'truncated')
        quiet.refuse(b'\x00' * 24, 1, 'unknown file format')
        quiet.refuse(b'#!/bin/sh\necho this is a script, and no capture\n', 1,
                     'unknown file format')
        quiet.refuse(pcap(series([60]), link=105), 1, 'IEEE802_11', 'not of Ethernet')
        quiet.refuse(pcapng(series([60]), link=113), 1, 'LINUX_SLL', 'not of Ethernet')
        program = quiet.refuse(good[:-1], 1, 'packet 3: truncated', '2 packets were sent')
        assert 'va: 2 packets, ' in program.out
        quiet.refuse(good[:24 + 76 + 8], 1, 'packet 2: truncated', '1 packets were sent')
        quiet.refuse(good[:24 + 76 + 8] + b'\xff' * 400, 1, 'packet 2: ', '1 packets were sent')
        quiet.refuse(pcapng(series([60, 60]))[:-4], 1, 'packet 2: ', '1 packets were sent')
        program = quiet.lab.run(0, command('send', 'va', '-r', write(quiet.path('empty'),
                                                                     good[:24])))
        assert program.status == 0 and 'va: 0 packets' in program.out, program.err
        for path, why in (('/nowhere/file', 'No such file'), ('/', 'Is a directory')):
            program = quiet.lab.run(0, command('send', 'va', '-r', path))
            assert program.status == 1
            assert program.err.startswith(f'xsk: {path}: ') and why in program.err, program.err
            assert len(program.err.splitlines()) == 1


@case
def wrong_words():
    file = ('-r', '/nowhere/file')
    to = ('--dst', '10.0.0.1')
    wrong = {
        (): 'IFACE is missing',
        ('va',): 'nothing to be sent; give --read FILE, or --dst ADDRESS',
        ('va', 'vb', *to): "'vb' is one word too many",
        ('va', *to, '--loop', '2'): '--loop is of packets of a file',
        ('va', *to, '--loop', '1'): '--loop is of packets of a file',
        ('va', *to, '--speed', '2'): '--speed is of packets of a file',
        ('va', *file, '--size', '100'): '--size is of packets that are made',
        ('va', *file, *to): '--dst is of packets that are made',
        ('va', *file, '--rate', '1k', '--speed', '2'): 'give one of them',
        ('va', *to, '--src', 'fd00::1'): 'of different families',
        ('va', *to, '--rate', 'fast'): 'it must be a rate',
        ('va', *to, '--rate', '0'): 'it must be a rate',
        ('va', *file, '--speed', '0'): 'it must be a factor',
        ('va', *file, '--speed', '1e3'): 'it must be a factor',
        ('va', *file, '--speed', '-1'): 'it must be a factor',
        ('va', '--dst', '10.0.0'): 'it must be an address or a range',
        ('va', '--dst', '10.0.0.2-10.0.0.1'): 'it must be an address or a range',
        ('va', *to, '--dst-mac', '02:00'): 'it must be a MAC address',
        ('va', *to, '--dport', '65536'): 'it must be 1 to 65535',
        ('va', *to, '--sport', '0'): 'it must be 1 to 65535',
        ('va', *to, '--ttl', '256'): 'it must be 1 to 255',
        ('va', *to, '--vlan', '4095'): 'it must be 1 to 4094',
        ('va', *to, '-c', '0'): 'it must be 1 to',
        ('va', *to, '--keep', 'arp'): 'no option',
    }
    with Lab() as lab:
        for words, why in wrong.items():
            program = lab.run(0, command('send', *words))
            assert program.status == 2, (words, program.err)
            assert why in program.err, (words, program.err)
            assert len(program.err.splitlines()) == 1 and not program.out


@case
def nobody_to_send_by():
    with Quiet() as quiet:
        path = write(quiet.path('replayed'), pcap(series([60])))
        os.chmod(quiet.folder.name, 0o755)
        program = quiet.lab.run(0, command('send', 'nix0', '-r', path))
        assert program.status == 1
        assert program.err.startswith('xsk: nix0: ') and not program.out, program.err
        program = quiet.lab.run(0, ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups',
                                    *command('send', 'va', '-r', path)])
        if program.status == 126 or 'execute' in program.err:
            raise Skip('the command lies where nobody may execute it')
        assert program.status == 1, program.err
        assert 'CAP_NET_RAW' in program.err, program.err
        program = quiet.lab.run(0, command('send', 'va', '-r', path, '--mode', 'zero-copy'))
        assert program.status == 1
        assert 'zero-copy' in program.err
        program = quiet.lab.run(0, command('send', 'va', '-r', path, '--queues', '7'))
        assert program.status == 1
        assert program.err.startswith('xsk: va: ')


main()
