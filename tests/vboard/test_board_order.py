"""24 cores of four chips send multicast, use SDRAM and DMA, and block each other's routers: the
trace does not depend on the quantum, nor on how board.run was cut into calls.
"""

import struct
from pathlib import Path

import pytest
from scp_host import AR, STAGING, BoardWire, Host, aplx

from spindle.vboard.board import SCP_PORT, Board, Datagram
from spindle.vboard.options import BoardOptions, chip_positions
from spindle.vboard.snapshots import ready_board

CHIPS = chip_positions((2, 2))
CORES = 0x7E
CYCLES = 400_000

BUSY = """
    ldr r5, =0x10000000
    ldr r8, =0x60300000
    add r8, r8, r1, lsl #12
    mov r6, r1, lsl #8
    ldr r11, =0x30000000
send:
    ldr r7, [r5, #0x0c]
    tst r7, #0x80000000
    ldrne r7, [r5, #0x14]
    addne r10, r10, r7
    ldr r7, [r5]
    tst r7, #0x80000000
    beq send
    mov r7, #0
    str r7, [r5]
    tst r6, #1
    strne r10, [r5, #4]
    str r6, [r5, #8]
    str r10, [r8]
    ldr r7, [r8]
    add r6, r6, #1
    str r6, [r4, #112]
    ldr r7, [r11, #0x14]
    tst r7, #4
    bne send
    str r8, [r11, #4]
    ldr r7, =0x00404000
    str r7, [r11, #8]
    ldr r7, =0x01880040
    str r7, [r11, #0xc]
    tst r6, #7
    bne send
    mov r7, #8
    str r7, [r11, #0x10]
    b send
"""
"""Receives if there is a packet, sends key (core << 8) + n, stores, loads, writes by DMA."""

ROUTES = (
    (0x100, 0xFF00, 0x201),
    (0x200, 0xFF00, 0x404),
    (0x300, 0xFF00, 0x1820),
    (0x400, 0xFF00, 0x002),
    (0x000, 0xFFFF0000, 0x2100),
)
"""(key, mask, route): links E, N, S, NE and several cores."""


def busy_board(options: BoardOptions, cache: Path) -> Board:
    """All chips loaded, the starts on the wire."""
    board = ready_board(options, cache=cache)
    host = Host(BoardWire(board))
    program = aplx(BUSY)
    for chip in CHIPS:
        for i, (key, mask, route) in enumerate(ROUTES):
            for table, word in ((0x4000, route), (0x8000, key), (0xC000, mask)):
                host.write(0xE100_0000 + table + 4 * (10 + i), struct.pack("<I", word), chip)
        host.write(STAGING, program, chip)
    for n, (x, y) in enumerate(reversed(CHIPS)):
        head = struct.pack("<2x8B", 0x87, 0xFF, 0, 0xFF, y, x, 0, 0)
        start = head + struct.pack("<HH3I", AR, 900 + n, 30 << 24 | CORES, 0, 0)
        board.inject(Datagram(board.now, "127.0.0.1", 40000, SCP_PORT, start))
    return board


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("boards")


@pytest.fixture(scope="module")
def expected(cache: Path) -> int:
    with busy_board(BoardOptions(allow_faults=True), cache) as board:
        before = [board.router_counts(chip) for chip in range(4)]
        board.run_all(board.now + CYCLES)
        after = [board.router_counts(chip) for chip in range(4)]
        assert all(b[0] - a[0] > 500 for a, b in zip(before, after, strict=True))
        assert all(b[1] - a[1] > 50 for a, b in zip(before, after, strict=True))
        return board.hash()


@pytest.mark.parametrize(
    ("quantum", "cut"), [(50, 0), (25, 0), (7, 0), (0, 37), (0, 100), (13, 61)]
)
def test_the_trace_is_the_same(expected: int, cache: Path, quantum: int, cut: int) -> None:
    with busy_board(BoardOptions(allow_faults=True, quantum=quantum), cache) as board:
        end = board.now + CYCLES
        while cut and board.now < end:
            board.run_all(min(end, board.now + cut))
        board.run_all(end)
        assert board.hash() == expected
