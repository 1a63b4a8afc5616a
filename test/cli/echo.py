# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""xsk echo: asked by the other host's kernel, by its programs, and by packets made by hand. The
kernel of the host that echoes does not answer pings itself; of some of the addresses it does not
even know."""

import ctypes
import random
import signal
import socket
import struct
import subprocess
import time

from harness import ADDRESSES, ADDRESSES6, MACS, Lab, case, command, ip, main

# On no interface.
MORE, MORE6 = '10.66.0.77', 'fd66::77'
TYPE = 0x88b5

SOL_PACKET, PACKET_AUXDATA, TP_STATUS_VLAN_VALID = 263, 8, 0x10

PYTHON_UDP = '''
import socket, sys
host, port, lengths = sys.argv[1], int(sys.argv[2]), sys.argv[3]
link = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)
link.settimeout(10)
link.connect((host, port))
for length in range(*map(int, lengths.split(':'))):
    sent = bytes((length + i) % 251 for i in range(length))
    link.send(sent)
    assert link.recv(65536) == sent, length
print('all came back')
'''

# Takes what comes and says how much that was; sends as much.
PYTHON_TCP = '''
import socket, sys
listener = socket.create_server(('10.66.0.2', 7007))
print('listening', flush=True)
link = listener.accept()[0]
size = 0
while size < 4000000:
    size += len(link.recv(65536))
link.sendall(bytes(4000000))
print('all went', flush=True)
'''
PYTHON_TCP_CLIENT = '''
import socket
link = socket.create_connection(('10.66.0.2', 7007), 10)
link.sendall(bytes(4000000))
size = 0
while size < 4000000:
    size += len(link.recv(65536))
print('all came')
'''


def silence(lab):
    """The kernel of host 1 answers no ping."""
    lab.write(lab.namespaces[1], 'net/ipv4/icmp_echo_ignore_all', '1')
    lab.write(lab.namespaces[1], 'net/ipv6/icmp/echo_ignore_all', '1')


def start(lab, *words, side=1, **how):
    echo = lab.start(side, command('echo', lab.ifaces[side], *words), **how)
    echo.expect('all else is left|sends back')
    return echo


def total(echo, number=signal.SIGINT):
    """Ends it; the last object."""
    assert echo.stop(number) == 0, echo.err
    last = echo.json()[-1]
    assert last['type'] == 'total', last
    stats = last['stats']
    assert stats['frames'] == sum(stats['in_' + place] for place in (
        'pool', 'fill', 'rx', 'tx', 'comp', 'caller')), stats
    assert last['packets'] == sum(last['answered'].values()) - last['tx_ring_full'], last
    return last


def ping(lab, *words, side=0):
    program = lab.run(side, ['ping', '-n', '-c', '3', '-i', '0.05', '-W', '2', *words])
    assert ' 3 received, 0% packet loss' in program.out, program.out + program.err
    # What came back is compared by ping itself.
    assert 'wrong data' not in program.out and 'DUP!' not in program.out, program.out
    return program


def flush_neighbours(lab):
    ip('-n', lab.namespaces[0], 'neighbour', 'flush', 'dev', 'va')


def udp(lab, host, port, lengths):
    program = lab.run(0, ['python3', '-c', PYTHON_UDP, host, str(port), lengths])
    assert 'all came back' in program.out, program.err


class Wire:
    """A packet socket on a host's interface, in this process."""

    def __init__(self, lab, side=0):
        with open(f'/run/netns/{lab.namespaces[side]}', encoding='ascii') as there, \
             open('/proc/self/ns/net', encoding='ascii') as here:
            setns(there.fileno())
            try:
                self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                            socket.htons(3))
                self.socket.bind((lab.ifaces[side], 3))
            finally:
                setns(here.fileno())
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.settimeout(5)

    def send(self, packet):
        self.socket.send(packet)

    def receive(self, wanted):
        """The next packet from the wire that wanted() likes."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            packet, extra, _, address = self.socket.recvmsg(65536, 256)
            packet = with_tag(packet, extra)
            if address[2] != socket.PACKET_OUTGOING and wanted(packet):
                return packet
        raise AssertionError('nothing came')

    def close(self):
        self.socket.close()


def with_tag(packet, extra):
    """struct tpacket_auxdata has the tag, if there was one."""
    for level, kind, data in extra:
        if level != SOL_PACKET or kind != PACKET_AUXDATA:
            continue
        status, tci, tpid = struct.unpack_from('=I12xHH', data)
        if status & TP_STATUS_VLAN_VALID:
            return packet[:12] + struct.pack('>HH', tpid, tci) + packet[12:]
    return packet


def setns(descriptor):
    # os.setns() is of Python 3.12.
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0x40000000):
        raise OSError(ctypes.get_errno(), 'setns')


def mac(text):
    return bytes.fromhex(text.replace(':', ''))


def ethernet(payload, to=MACS[1], source=MACS[0], kind=TYPE):
    return mac(to) + mac(source) + struct.pack('>H', kind) + payload


def ipv4(protocol, payload, source=ADDRESSES[0], to=ADDRESSES[1], field=0):
    head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), 1, field, 9, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(to))
    folded = sum(struct.unpack('>10H', head))
    folded = (folded & 0xffff) + (folded >> 16)
    folded = ~((folded & 0xffff) + (folded >> 16)) & 0xffff
    return ethernet(head[:10] + struct.pack('>H', folded) + head[12:] + payload, kind=0x0800)


def udp_packet(source_port, port, payload=b'words', **how):
    return ipv4(17, struct.pack('>HHHH', source_port, port, 8 + len(payload), 0) + payload, **how)


# ---- words ----


@case
def wrong_words():
    with Lab() as lab:
        for words, what in (
                (['va', 'icmp'], 'a FILTER is of --reflect'),
                (['--reflect', '-a', MORE, 'va'], '--reflect knows no addresses'),
                (['--reflect', '-p', '9', 'va'], '--reflect knows no addresses'),
                (['-a', '10.66.0', 'va'], '--address 10.66.0: it must be'),
                (['-a', '224.0.0.1', 'va'], '--address 224.0.0.1: it must be'),
                (['-a', '::', 'va'], '--address ::: it must be'),
                (['-p', '0', 'va'], '--port 0: it must be'),
                (['-p', '9-7', 'va'], '--port 9-7: it must be'),
                (['-p', '65536', 'va'], '--port 65536: it must be'),
                ([], 'IFACE is missing')):
            program = lab.run(0, command('echo', *words))
            assert program.status == 2, (words, program.err)
            assert what in program.err and program.err.count('\n') == 1, program.err
            assert not program.out
        many = [word for i in range(25) for word in ('-a', f'10.1.1.{i + 1}')]
        program = lab.run(0, command('echo', *many, 'va'))
        assert program.status == 2 and 'there can be 24' in program.err


@case
def what_cannot_be():
    with Lab(addresses=False) as lab:
        for words, status, what in (
                (['nix0'], 1, 'nix0: there is no interface'),
                (['va'], 1, 'va: it has no address to answer for'),
                (['--reflect', 'va', 'udp', 'prot', '7'], 2, 'syntax error')):
            program = lab.run(0, command('echo', *words))
            assert program.status == status, program.err
            assert what in program.err and program.err.count('\n') == 1, program.err
            assert not program.out
        program = lab.run(0, ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups',
                              *command('echo', 'va', '-a', MORE)])
        assert program.status == 1, program.err
        assert 'CAP_' in program.err or 'not permitted' in program.err, program.err
        assert program.err.count('\n') == 1, program.err
        with open('/dev/full', 'w', encoding='ascii') as full:
            status = subprocess.run(lab.inside(0, command('echo', 'va', '-a', MORE, '-d', '50ms')),
                                    stdout=full, stderr=subprocess.DEVNULL, check=False)
        assert status.returncode == 1


# ---- what is answered ----


@case
def pings_of_many_sizes():
    with Lab() as lab:
        silence(lab)
        echo = start(lab, '-a', MORE, '-a', MORE6, '--json')
        count = 0
        for host, sizes in ((ADDRESSES[1], (0, 1, 56, 57, 999, 1472)), (MORE, (0, 64, 1472)),
                            (ADDRESSES6[1], (0, 1, 56, 57, 999, 1452)), (MORE6, (0, 64, 1452))):
            for size in sizes:
                if size % 2 == 0:
                    flush_neighbours(lab)
                ping(lab, '-s', str(size), '-M', 'do', host)
                count += 3
        last = total(echo)
        assert last['answered']['icmp'] + last['answered']['icmpv6'] == count, last
        assert last['answered']['arp'] >= 2 and last['answered']['nd'] >= 2, last
        assert not any(last['ignored'].values()), last


@case
def neighbours_are_known_beforehand():
    with Lab() as lab:
        silence(lab)
        for host in (MORE, MORE6):
            ip('-n', lab.namespaces[0], 'neighbour', 'add', host, 'lladdr', MACS[1], 'dev', 'va',
               'nud', 'permanent')
        echo = start(lab, '-a', MORE, '-a', MORE6, '--json')
        ping(lab, MORE)
        ping(lab, MORE6)
        last = total(echo)
        assert last['answered']['icmp'] == last['answered']['icmpv6'] == 3, last


@case
def as_many_addresses_as_can_be():
    """The filter for all of them passes the kernel's verifier, with all that can be kept, too."""
    given = [f'10.66.{3 * i + 1}.{7 * i + 1}' for i in range(24)]
    given6 = [f'fd66::{0x1111 * (i % 15 + 1):x}:{i + 16:x}' for i in range(24)]
    keep = ','.join(['management', *(f'{kind}:{1000 + 7 * i}' for kind in ('tcp', 'udp')
                                     for i in range(15))])
    with Lab() as lab:
        silence(lab)
        for side in range(2):
            for address in (f'{ADDRESSES[side]}/16', f'fd66::1:{side + 1}/64'):
                ip('-n', lab.namespaces[side], 'address', 'add', address, 'dev',
                   lab.ifaces[side], *(['nodad'] if ':' in address else []))
        words = [word for address in given + given6 for word in ('-a', address)]
        kept = start(lab, *words, '--keep', keep, '-d', '10ms')
        assert kept.wait() == 0, kept.err
        echo = start(lab, *words, '--json')
        for address in (given[0], given[-1], given6[0], given6[-1]):
            ping(lab, address)
        assert 'more than 24 addresses of a family' in echo.err, echo.err
        last = total(echo)
        assert last['answered']['icmp'] == last['answered']['icmpv6'] == 6, last
        # Of an interface's the first ones; the others are the kernel's, as before.
        for address in given:
            ip('-n', lab.namespaces[1], 'address', 'add', f'{address}/16', 'dev', 'vb')
        for address in given6:
            ip('-n', lab.namespaces[1], 'address', 'add', f'{address}/64', 'dev', 'vb', 'nodad')
        lab.write(lab.namespaces[1], 'net/ipv4/icmp_echo_ignore_all', '0')
        lab.write(lab.namespaces[1], 'net/ipv6/icmp/echo_ignore_all', '0')
        echo = start(lab, '--json')
        assert 'more than 24 addresses of a family' in echo.err, echo.err
        for address in (*ADDRESSES[1:], *given, *ADDRESSES6[1:], *given6):
            program = lab.run(0, ['ping', '-n', '-c', '1', '-W', '2', address])
            assert program.status == 0, program.out
        answered = total(echo)['answered']
        assert 20 < answered['icmp'] <= 24 and 20 < answered['icmpv6'] <= 24, answered


@case
def an_address_that_is_taken():
    """Who wants the same address hears that it is taken."""
    with Lab() as lab:
        echo = start(lab, '-a', MORE6, '--json')
        lab.write(lab.namespaces[0], 'net/ipv6/conf/va/accept_dad', '1')
        lab.write(lab.namespaces[0], 'net/ipv6/conf/va/dad_transmits', '1')
        ip('-n', lab.namespaces[0], 'address', 'add', f'{MORE6}/64', 'dev', 'va')
        end = time.monotonic() + 10
        while time.monotonic() < end:
            shown = subprocess.run(['ip', '-n', lab.namespaces[0], 'address', 'show', 'dev', 'va'],
                                   capture_output=True, text=True, check=True).stdout
            if 'dadfailed' in shown:
                break
            time.sleep(0.05)
        assert 'dadfailed' in shown, shown
        assert total(echo)['answered']['nd'] >= 1


@case
def udp_of_many_lengths():
    """The kernel that asks leaves the checksum to the NIC, and drops what has a wrong one."""
    with Lab() as lab:
        echo = start(lab, '--json')
        udp(lab, ADDRESSES[1], 7, '0:1473:13')
        udp(lab, ADDRESSES6[1], 7, '0:1453:13')
        last = total(echo)
        assert last['answered']['udp'] == len(range(0, 1473, 13)) + len(range(0, 1453, 13))


@case
def udp_of_some_ports():
    with Lab() as lab:
        echo = start(lab, '-p', '1000-1010', '--json')
        udp(lab, ADDRESSES[1], 1000, '0:100:33')
        udp(lab, ADDRESSES6[1], 1010, '0:100:33')
        server = socket_server(lab, 999)
        udp(lab, ADDRESSES[1], 999, '1:100:33')
        server.kill()
        last = total(echo)
        assert last['answered']['udp'] == 8 and last['ignored']['other'] == 0, last


def socket_server(lab, port):
    """Echoes, by the kernel's stack."""
    server = lab.start(1, ['python3', '-c', f'''
import socket
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.bind(("10.66.0.2", {port}))
print("bound", flush=True)
while True:
    data, host = link.recvfrom(65536)
    link.sendto(data, host)
'''])
    server.expect('bound')
    return server


@case
def tcp_goes_on():
    with Lab() as lab:
        silence(lab)
        echo = start(lab, '--json')
        server = lab.start(1, ['python3', '-c', PYTHON_TCP])
        server.expect('listening')
        client = lab.start(0, ['python3', '-c', PYTHON_TCP_CLIENT])
        ping(lab, ADDRESSES[1])
        assert client.wait() == 0 and 'all came' in client.out, client.err
        assert server.wait() == 0 and 'all went' in server.out, server.err
        # And as the one that asks: its kernel resolves, sends and hears.
        lab.write(lab.namespaces[1], 'net/ipv4/icmp_echo_ignore_all', '0')
        ip('-n', lab.namespaces[1], 'neighbour', 'flush', 'dev', 'vb')
        ping(lab, ADDRESSES[0], side=1)
        ping(lab, ADDRESSES6[0], side=1)
        last = total(echo)
        assert last['answered']['icmp'] == 3 and not any(last['ignored'].values()), last


@case
def fragments_are_the_kernels():
    with Lab() as lab:
        echo = start(lab, '--json')
        ping(lab, '-s', '4000', ADDRESSES[1])
        ping(lab, '-s', '4000', ADDRESSES6[1])
        last = total(echo)
        assert last['answered']['icmp'] == last['answered']['icmpv6'] == 0, last
        assert not any(last['ignored'].values()), last


@case
def tags_stay():
    """The kernel takes the outer tag out of a packet that it hands over, and keeps it beside."""
    with Lab() as lab:
        echo = start(lab, '--json')
        wire = Wire(lab)
        for tags in (b'\x81\0\x20\x05', b'\x88\xa8\0\x05\x81\0\0\x06'):
            for packet in (ipv4(1, b'\x08\0\xf7\xfe\0\0\0\x01'), udp_packet(40000, 7)):
                wire.send(packet[:12] + tags + packet[12:])
                back = wire.receive(lambda packet: packet[12:12 + len(tags)] == tags)
                assert back[:12] == mac(MACS[0]) + mac(MACS[1])
                behind = 14 + len(tags)
                assert back[behind + 12:behind + 20] == packet[30:34] + packet[26:30]
                assert len(back) == len(packet) + len(tags)
        wire.close()
        last = total(echo)
        assert last['answered']['icmp'] == last['answered']['udp'] == 2, last


@case
def several_queues_and_modes():
    for words in (['--mode', 'generic'], ['--wait', 'spin'], ['--wait', 'busy-poll'],
                  ['--wait', 'adaptive'], ['--frame-size', '2048']):
        with Lab(queues=2) as lab:
            silence(lab)
            echo = start(lab, *words, '--json')
            ping(lab, ADDRESSES[1])
            ping(lab, '-s', '1400', ADDRESSES6[1])
            last = total(echo)
            assert last['answered']['icmp'] == last['answered']['icmpv6'] == 3, last


@case
def a_queue_that_only_receives():
    with Lab(queues=2) as lab:
        subprocess.run(lab.inside(1, ['ethtool', '-L', 'vb', 'rx', '2', 'tx', '1']), check=True,
                       capture_output=True)
        program = lab.run(1, command('echo', 'vb'))
        assert program.status == 1
        assert 'no queue 1 to send by' in program.err and '--queues' in program.err
        assert not program.out


@case
def packets_of_several_frames():
    with Lab(mtu=9000) as lab:
        silence(lab)
        echo = start(lab, '--multi-buffer', '--json')
        ping(lab, '-s', '8900', '-M', 'do', ADDRESSES[1])
        ping(lab, '-s', '8900', '-M', 'do', ADDRESSES6[1])
        udp(lab, ADDRESSES[1], 7, '1000:8900:1555')
        udp(lab, ADDRESSES6[1], 7, '1000:8900:1555')
        last = total(echo)
        assert last['answered']['icmp'] == last['answered']['icmpv6'] == 3, last
        assert last['answered']['udp'] == 12, last


# ---- what is not answered ----


@case
def answers_and_loops():
    with Lab() as lab:
        echo = start(lab, '-p', '7-9', '--json')
        wire = Wire(lab)
        for packet in (udp_packet(7, 7), udp_packet(8, 9), udp_packet(19, 7),
                       udp_packet(40000, 7, source='10.66.0.2'),
                       udp_packet(40000, 7, source='255.255.255.255'),
                       ethernet(udp_packet(40000, 7)[14:], source='03:00:00:00:00:01',
                                kind=0x0800)):
            wire.send(packet)
        udp(lab, ADDRESSES[1], 7, '1:2')
        wire.close()
        last = total(echo)
        assert last['ignored']['loop'] == 3 and last['ignored']['source'] == 3, last
        assert last['answered']['udp'] == 1, last


@case
def two_that_echo():
    """What one sends is nothing that the other answers."""
    with Lab() as lab:
        echoes = [start(lab, '--json', side=side) for side in (0, 1)]
        wire = Wire(lab)
        wire.send(udp_packet(7, 7))
        ping(lab, ADDRESSES[1])
        wire.close()
        lasts = [total(echo) for echo in echoes]
        assert lasts[0]['packets'] < 10 and lasts[1]['packets'] < 10, lasts
        assert lasts[1]['ignored']['loop'] == 1, lasts


@case
def bytes_at_random():
    with Lab() as lab:
        silence(lab)
        echo = start(lab, '--json')
        wire = Wire(lab)
        chance = random.Random(6)
        good = [udp_packet(40000, 7, bytes(100)), ipv4(1, b'\x08\0\xf7\xff' + bytes(60))]
        for i in range(3000):
            packet = bytearray(chance.choice(good))
            for _ in range(chance.randrange(1, 6)):
                packet[chance.randrange(12, len(packet))] = chance.randrange(256)
            wire.send(bytes(packet[:chance.randrange(14, len(packet) + 1)]))
        wire.close()
        ping(lab, ADDRESSES[1])
        last = total(echo)
        assert last['answered']['icmp'] >= 3, last


# ---- reflection ----


@case
def all_comes_back():
    with Lab(addresses=False) as lab:
        echo = start(lab, '--reflect', '--json')
        wire = Wire(lab)
        chance = random.Random(7)
        count = 0
        for size in (46, 60, 61, 500, 1499, 1500):
            for to in (MACS[1], '02:00:00:00:00:99', 'ff:ff:ff:ff:ff:ff', '33:33:00:00:00:01'):
                payload = chance.randbytes(size)
                wire.send(ethernet(payload, to=to))
                back = wire.receive(lambda packet: packet[12:14] == struct.pack('>H', TYPE))
                assert back[:6] == mac(MACS[0])
                assert back[6:12] == mac(MACS[1] if int(to[:2], 16) & 1 else to), back[:14]
                assert back[14:] == payload
                count += 1
        wire.close()
        last = total(echo)
        assert last['answered']['reflected'] == count, last


@case
def some_comes_back():
    with Lab() as lab:
        echo = lab.start(1, command('echo', '--reflect', '--json', 'vb', 'ether', 'proto', TYPE))
        echo.expect('sends back the packets that match')
        ping(lab, ADDRESSES[1])
        wire = Wire(lab)
        wire.send(ethernet(bytes(100)))
        wire.receive(lambda packet: packet[12:14] == struct.pack('>H', TYPE))
        wire.close()
        last = total(echo)
        assert last['answered']['reflected'] == 1, last
        for keep in ('udp:22', 'tcp:22', 'arp,icmp'):
            if echo.process.poll() is None:
                assert echo.stop() == 0
            echo = lab.start(1, command('echo', '--reflect', '--keep', keep, '--json', 'vb'))
            echo.expect('sends back all packets; the kernel no longer sees them\n')
        ping(lab, ADDRESSES[1])
        ping(lab, ADDRESSES6[1])
        total(echo)


# ---- its end ----


@case
def ends_by_time_and_by_signals():
    with Lab() as lab:
        program = lab.run(1, command('echo', 'vb', '--duration', '1200ms', '--json'))
        assert program.status == 0, program.err
        assert [one['type'] for one in program.json()] == ['rate', 'total'], program.out
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            echo = start(lab)
            ping(lab, ADDRESSES[1])
            assert echo.stop(number) == 0
            assert 'packets answered' in echo.out and '3 ICMP' in echo.out, echo.out


@case
def in_a_terminal():
    with Lab() as lab:
        echo = start(lab, terminal=True)
        echo.expect('0 packets in all')
        echo.type('\x03')
        assert echo.wait() == 0
        assert 'packets answered' in echo.out


@case
def the_interface_goes():
    with Lab() as lab:
        echo = start(lab)
        ip('-n', lab.namespaces[1], 'link', 'set', 'vb', 'down')
        ip('-n', lab.namespaces[1], 'link', 'set', 'vb', 'up')
        ping(lab, ADDRESSES[1])
        ip('-n', lab.namespaces[1], 'link', 'delete', 'vb')
        assert echo.wait() == 1
        assert echo.err.splitlines()[-1].startswith('xsk: vb: '), echo.err
        assert 'gone' in echo.err, echo.err
        ip('-n', lab.namespaces[0], 'link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb',
           'netns', lab.namespaces[1])


main()
