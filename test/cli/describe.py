# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

"""What xsk recv says of packets is what tcpdump and tshark say of the same: they read the
capture that it wrote of them."""

import os
import re
import shutil
import struct
import subprocess
import tempfile

from harness import Lab, Skip, case, command, main
from packets import (ALL, MAC_A, MAC_B, arp, bpdu, dhcp, dns, echo, ether, extension, fragment6,
                     icmp, icmp6, ip4, ip6, ipv4, ipv6, llc, lldp, mac, send, tcp, udp, vlan)

A6, B6 = 'fd66::1', 'fd66::2'
MSS_AND_ALL = b'\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\x01\0\0\0\x02\x01\x03\x03\x07'
SACK = b'\x01\x01\x05\x12' + struct.pack('!IIII', 10, 20, 30, 40)
LLDP_TO, STP_TO = '01:80:c2:00:00:0e', '01:80:c2:00:00:00'
LOST = ipv4(17, udp(1, 2), src='10.66.0.1', dst='10.66.0.2')


def four(protocol, payload, **how):
    return ether(0x0800, ipv4(protocol, payload, **how))


def six(protocol, payload, **how):
    return ether(0x86dd, ipv6(protocol, payload, **how))


def udp6(sport, dport, payload=b'', **how):
    return udp(sport, dport, payload, src=B6, dst=A6, **how)


# Of these the whole line is tcpdump's.
SAME = [
    four(17, udp(5000, 9000, bytes(10))),
    four(17, udp(5000, 9000)),
    four(17, udp(5000, 9000, bytes(1472))),
    four(17, udp(5000, 9000, bytes(10)), options=b'\x94\x04\0\0'),
    four(17, udp(5000, 9000, b'x')) + bytes(17),
    six(17, udp6(5000, 9000, bytes(100))),
    four(6, tcp(1234, 9999, 'S', seq=1000, window=64240, options=MSS_AND_ALL)),
    four(6, tcp(1234, 9999, 'S.', seq=4294967295, ack=1001, options=MSS_AND_ALL)),
    four(6, tcp(1234, 9999, '.', seq=5, ack=1001)),
    four(6, tcp(1234, 9999, 'P.', seq=5, ack=1001, payload=bytes(77))),
    four(6, tcp(1234, 9999, 'F.', seq=5, ack=1001)),
    four(6, tcp(1234, 9999, 'R', seq=5)),
    four(6, tcp(1234, 9999, '.UEW', seq=5, ack=9, urgent=3)),
    four(6, tcp(1234, 9999, '', seq=5, ack=9)),
    four(6, tcp(1234, 9999, '.', seq=5, ack=9, options=SACK)),
    six(6, tcp(1234, 9999, 'S', seq=1, options=MSS_AND_ALL, src=B6, dst=A6)),
    four(1, icmp(8, 0, echo(7, 8), bytes(56))),
    four(1, icmp(0, 0, echo(7, 8), bytes(56))),
    six(58, icmp6(128, 0, echo(7, 8), bytes(56))),
    six(58, icmp6(129, 0, echo(7, 8), bytes(56))),
    six(58, icmp6(135, 0, bytes(4), ip6(A6) + b'\x01\x01' + mac(MAC_B))),
    six(58, icmp6(136, 0, b'\x60\0\0\0', ip6(A6) + b'\x02\x01' + mac(MAC_B))),
    six(58, icmp6(133, 0, bytes(4), b'\x01\x01' + mac(MAC_B))),
    six(0, extension(58, icmp6(143, 0, b'\0\0\0\x01', b'\x04\0\0\0' + ip6('ff02::fb')),
                     content=b'\x05\x02\0\0\1\0')),
    ether(0x0806, arp(1, '10.66.0.2', '10.66.0.1'), dst=ALL),
    ether(0x0806, arp(1, '10.66.0.2', '10.66.0.1', target_mac=MAC_A)),
    ether(0x0806, arp(1, '10.66.0.2', '10.66.0.1') + bytes(18), dst=ALL),
    ether(0x0806, arp(2, '10.66.0.2', '10.66.0.1', target_mac=MAC_A)),
    ether(0x8100, vlan(5, 0x0800, ipv4(17, udp(5000, 9000, bytes(10))), priority=3)),
    ether(0x88a8, vlan(5, 0x8100, vlan(4094, 0x86dd, ipv6(17, udp6(5000, 9000, bytes(10)))))),
    ether(0x8100, vlan(5, 0x0806, arp(1, '10.66.0.2', '10.66.0.1'))),
    four(17, udp(5000, 53, dns(4660, b'www.example.org', 1))),
    four(17, udp(5000, 53, dns(4660, b'www.example.org', 28, flags=0))),
    ether(0x88cc, lldp(b'switch'), dst=LLDP_TO),
]

# Of these it is said in other words, or more.
OTHER = [
    (four(17, udp(53, 5000, dns(4660, b'www.example.org', 1, flags=0x8583))),
     '10.66.0.2.53 > 10.66.0.1.5000: 4660 NXDomain* 0/0/0 A? www.example.org. (33)'),
    (four(17, udp(68, 67, dhcp(1, 1)), src='0.0.0.0', dst='255.255.255.255'),
     'BOOTP/DHCP, Request from 02:00:00:00:66:02, length 244, Discover'),
    (four(17, udp(67, 68, dhcp(2, 2))), 'BOOTP/DHCP, Reply to 02:00:00:00:66:02, length 244, Offer'),
    (four(17, udp(5000, 53, dns(1, b'\x1b[31m"\\.\xff', 1))), ': 1+ A? ?[31m??.?. (27)'),
    (ether(38, llc(0x42, 0x42, 3, bpdu()) + bytes(8), dst=STP_TO),
     '802.3, length 60: STP 802.1d, Config, bridge-id 8000.02:00:00:00:66:02.8001'),
    (ether(0x88b5, bytes(46)), 'ethertype Unknown (0x88b5), length 60'),
    (six(60, extension(17, udp6(5000, 9000, bytes(3)))), 'fd66::1.9000: DSTOPT UDP, length 3'),
    (four(17, udp(5000, 9000, bytes(1472), length=3000)[:1480], more=True, ident=77),
     '10.66.0.1.9000: UDP, length 2992 (fragment: id 77, offset 0, more follow)'),
    (four(17, bytes(40), offset=2960, ident=77),
     '10.66.0.1: UDP, length 40 (fragment: id 77, offset 2960)'),
    (six(44, fragment6(17, udp6(5000, 9000, bytes(1440), length=3000)[:1448], more=True)),
     'fd66::1.9000: UDP, length 2992 (fragment: id 7, offset 0, more follow)'),
    (six(44, fragment6(17, bytes(52), offset=1448)),
     'fd66::1: UDP, length 52 (fragment: id 7, offset 1448)'),
    (four(50, bytes(24)), '10.66.0.1: ESP, length 24'),
    (four(253, bytes(24)), '10.66.0.1: protocol 253, length 24'),
    (four(1, icmp(3, 3, bytes(4), LOST)), 'ICMP unreachable: port, length 36'),
    (four(1, icmp(3, 4, b'\0\0\x05\x78', LOST)), 'ICMP unreachable: too big, mtu 1400, length 36'),
    (four(1, icmp(5, 1, ip4('10.66.0.3'), LOST)), 'ICMP redirect to 10.66.0.3, length 36'),
    (four(17, udp(5000, 9000, bytes(100)))[:60],
     'UDP, length 100 [82 bytes missing]'),
    (four(6, tcp(1234, 9999, 'S', options=MSS_AND_ALL))[:50],
     'TCP, length 40 [truncated TCP] [24 bytes missing]'),
    (four(17, b'')[:20], 'ethertype IPv4 (0x0800), length 20 [truncated IPv4]'),
]


def needs(program):
    if not shutil.which(program):
        raise Skip(f'{program} is not installed')


def receive(packets, *words):
    """What xsk recv prints when they arrive, one of each, and the capture it wrote."""
    with Lab(addresses=False) as lab, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'file.pcap')
        program = lab.start(0, command('recv', '-c', len(packets), '-w', path, '--print', *words,
                                       'va'))
        program.expect('taken away')
        send(lab, 1, packets, pause_every=8)
        assert program.wait() == 0, program.err
        with open(path, 'rb') as file:
            return program, file.read()


def read_back(argv, capture):
    done = subprocess.run(argv, input=capture, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().splitlines()


@case
def lines_are_those_of_tcpdump():
    needs('tcpdump')
    program, capture = receive(SAME)
    ours = program.out.splitlines()
    assert re.fullmatch(r'va: \d+ packets, .*', ours[len(SAME)]), ours[len(SAME)]
    theirs = read_back(['tcpdump', '-e', '-nn', '-S', '-t', '-r', '-'], capture)
    assert len(theirs) == len(SAME)
    for mine, other in zip(ours, theirs):
        time, line = mine.split(' ', 1)
        assert re.fullmatch(r'\d\d:\d\d:\d\d\.\d{6}', time), time
        assert line == other, f'\n{line}\n{other}'


@case
def times_are_those_of_tcpdump():
    needs('tcpdump')
    program, capture = receive(SAME[:5])
    theirs = read_back(['tcpdump', '-nn', '-r', '-'], capture)
    for mine, other in zip(program.out.splitlines(), theirs):
        assert mine.split()[0] == other.split()[0], (mine, other)


@case
def others_are_told_as_they_should():
    program, _ = receive([packet for packet, _ in OTHER])
    for line, (_, expected) in zip(program.out.splitlines(), OTHER):
        assert expected in line, f'{expected!r} is not in {line!r}'
        assert line.isprintable(), line


# Keys of --json, and what tshark calls them; a number in hexadecimal is read as such.
FIELDS = {
    'length': 'frame.len', 'eth_src': 'eth.src', 'eth_dst': 'eth.dst',
    'ip_ttl': 'ip.ttl', 'ip_protocol': 'ip.proto', 'src_port': None, 'dst_port': None,
    'tcp_window': 'tcp.window_size_value', 'tcp_seq': 'tcp.seq_raw',
    'icmp_type': None, 'arp_operation': 'arp.opcode', 'arp_sender_ip': 'arp.src.proto_ipv4',
    'arp_target_ip': 'arp.dst.proto_ipv4', 'dns_name': 'dns.qry.name', 'dns_id': 'dns.id',
}
EITHER = {
    'ip_src': ('ip.src', 'ipv6.src'), 'ip_dst': ('ip.dst', 'ipv6.dst'),
    'src_port': ('udp.srcport', 'tcp.srcport'), 'dst_port': ('udp.dstport', 'tcp.dstport'),
    'icmp_type': ('icmp.type', 'icmpv6.type'),
}


def same(value, text):
    if isinstance(value, int):
        return value == int(text.split(',')[0], 0)
    return value == text.split(',')[0]


@case
def objects_say_what_tshark_says():
    needs('tshark')
    program, capture = receive(SAME, '--json')
    names = [name for name in FIELDS.values() if name] + \
        [name for pair in EITHER.values() for name in pair]
    words = [word for name in names for word in ('-e', name)]
    lines = read_back(['tshark', '-r', '-', '-T', 'fields', *words], capture)
    objects = program.json()
    assert len(lines) == len(SAME) and objects[len(SAME)]['type'] == 'total'
    compared = 0
    for mine, line in zip(objects, lines):
        assert mine['type'] == 'packet'
        theirs = dict(zip(names, line.split('\t')))
        for key, wanted in [*FIELDS.items(), *EITHER.items()]:
            wanted = wanted if isinstance(wanted, tuple) else (wanted,)
            text = next((theirs[name] for name in wanted if theirs.get(name)), '')
            if wanted == (None,) or (key == 'ip_ttl' and mine.get('ip_version') == 6) or \
               (key == 'ip_protocol' and mine.get('ip_version') == 6):
                continue
            assert bool(text) == (key in mine), (key, text, mine)
            if text:
                assert same(mine[key], text), (key, text, mine)
                compared += 1
    assert compared > 8 * len(SAME) / 2, compared


main()
