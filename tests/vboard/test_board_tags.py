"""IP tags: the monitor asks for the host's hardware address, then forwards messages to it."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from scp_host import BoardWire, Host

from spindle.vboard.board import CYCLES_PER_MS, SCP_PORT, Board, Datagram
from spindle.vboard.snapshots import ready_board

IPTAG = 26
SET, GET = 1 << 16, 2 << 16
VALID, AWAITING_ARP = 0x8000, 0x2000
TO_ETHERNET = 0xFF
LOOPBACK = struct.unpack("<I", bytes((127, 0, 0, 1)))[0]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    with ready_board(cache=tmp_path) as made:
        yield made


@pytest.mark.parametrize("strip", [False, True])
def test_a_message_leaves_through_a_fixed_tag(board: Board, strip: bool) -> None:
    host = Host(BoardWire(board))
    tag, port = 3, 45678
    host.scp(IPTAG, (strip << 28 | SET | tag, port, LOOPBACK))
    board.run_all(board.now + CYCLES_PER_MS)
    entry = host.scp(IPTAG, (GET | tag, 1, 0))
    assert entry[:4] == bytes((127, 0, 0, 1))
    assert struct.unpack_from("<H", entry, 14)[0] & (VALID | AWAITING_ARP) == VALID

    header = struct.pack("<8B", 0x07, tag, TO_ETHERNET, 0x21, 0, 0, 0, 0)
    body = bytes(range(40))
    message = bytes(2) + header + body
    board.inject(Datagram(board.now, "127.0.0.1", 40001, SCP_PORT, message))
    (found,) = board.run_all(board.now + 2 * CYCLES_PER_MS)
    assert (found.ip, found.port, found.own_port) == ("127.0.0.1", port, SCP_PORT)
    assert found.data[0 if strip else 2 :] == (body if strip else header + body)
