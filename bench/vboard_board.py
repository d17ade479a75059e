"""Speed of the virtual board: its own boot, a warm start, busy cores, the monitor's host traffic,
SpiNNMan's connect to a cold board, opening a machine.

In: nothing (`python -m bench.vboard_board`). Out: one line each. Wall times are of this host;
Mbit/s are in the board's own time, one request at a time. The application is eight instructions
around a counter.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from spindle.machines.open import open_machine
from spindle.vboard.assemble import assemble
from spindle.vboard.board import CYCLES_PER_MS, SCP_PORT, Board, Datagram
from spindle.vboard.process import BoardProcess
from spindle.vboard.snapshots import ready_board

STAGING = 0x6780_0000
READ, WRITE, AR = 2, 3, 19
COLD_AIM_S, WARM_AIM_S = 20, 1
LOOP = "mov r2, #0\nagain: mov r3, #1000\nwait: subs r3, r3, #1\nbne wait\nadd r2, r2, #1\nb again"


def ask(
    board: Board, command: int, args: tuple[int, int, int], data: bytes, chip: tuple[int, int]
) -> None:
    """One SCP request to a chip's monitor; runs until the reply."""
    head = struct.pack("<2x8B", 0x87, 0xFF, 0, 0xFF, chip[1], chip[0], 0, 0)
    body = struct.pack("<HH3I", command, 1, *args)
    board.inject(Datagram(board.now, "127.0.0.1", 40000, SCP_PORT, head + body + data))
    while not board.take():
        board.run(board.now + CYCLES_PER_MS)


def instructions(board: Board) -> int:
    """Executed by all cores of all chips."""
    return sum(board.instructions(c, p) for c in range(board.options.n_chips) for p in range(18))


def boot_line() -> str:
    """Cold boot without the host's waits."""
    begin = time.perf_counter()
    with Board() as board:
        board.boot()
        wall, done = time.perf_counter() - begin, instructions(board)
        simulated = board.now / CYCLES_PER_MS
    return (
        f"boot of 4 chips: {wall:.2f} s wall, {simulated:.0f} ms simulated, "
        f"{done / wall / 1e6:.0f} M instructions/s"
    )


def warm_line(folder: Path) -> str:
    """A ready board from its snapshot."""
    ready_board(cache=folder).close()
    begin = time.perf_counter()
    ready_board(cache=folder).close()
    return f"warm board: {(time.perf_counter() - begin) * 1000:.0f} ms wall"


def busy_line(board: Board, n_chips: int) -> str:
    """16 cores of each of n_chips in a loop, for 10 ms."""
    code = assemble(LOOP)
    code += bytes(-len(code) % 32)
    aplx = struct.pack("<8I", 2, 0, 0x40, len(code), 4, 0, 0, 0) + bytes(32) + code
    for chip in [(0, 0), (1, 0), (0, 1), (1, 1)][:n_chips]:
        ask(board, WRITE, (STAGING, len(aplx), 2), aplx, chip)
        ask(board, AR, (30 << 24 | 0x1FFFE, 0, 0), b"", chip)
    board.run_all(board.now + CYCLES_PER_MS)
    begin, before = time.perf_counter(), instructions(board)
    board.run_all(board.now + 10 * CYCLES_PER_MS)
    wall, done = time.perf_counter() - begin, instructions(board) - before
    return (
        f"{16 * n_chips} busy cores: {done / wall / 1e6:.0f} M instructions/s, "
        f"{wall / 0.01:.0f} times slower than real time"
    )


def traffic_line(board: Board, chip: tuple[int, int]) -> str:
    """256 requests of 256 bytes each way."""
    rates = []
    for command, data in ((WRITE, bytes(256)), (READ, b"")):
        begin = board.now
        for i in range(256):
            ask(board, command, (0x6100_0000 + 256 * i, 256, 2), data, chip)
        rates.append(256 * 256 * 8 / ((board.now - begin) / CYCLES_PER_MS * 1000))
    return f"chip {chip}: write {rates[0]:.1f}, read {rates[1]:.1f} Mbit/s"


CONNECT = """
import sys, time
from spinn_utilities.config_holder import set_config
from spinnman.config_setup import unittest_setup
from spinnman.transceiver import create_transceiver_from_hostname
unittest_setup()
set_config("Machine", "version", "3")
begin = time.monotonic()
create_transceiver_from_hostname(sys.argv[1]).close()
print(time.monotonic() - begin)
"""


def connect_line(folder: str, switches: list[str]) -> str:
    """SpiNNMan's connect, with its boot where the board is cold."""
    with BoardProcess(switches) as board:
        done = subprocess.run(
            [sys.executable, "-c", CONNECT, board.address],
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
            env=os.environ | {"HOME": folder},
        )
    return f"SpiNNMan connects {' '.join(switches)}: {float(done.stdout.split()[-1]):.2f} s wall"


def open_line() -> str:
    """`open_machine("iss")` where board and firmware are built: board, session, cores ready."""
    open_machine("iss").close()
    begin = time.perf_counter()
    machine = open_machine("iss")
    wall = time.perf_counter() - begin
    machine.close()
    return f"warm open of a machine: {wall:.2f} s wall (aim {WARM_AIM_S:g} s)"


def main() -> int:
    """Print the lines."""
    with tempfile.TemporaryDirectory() as folder:
        print(boot_line())
        print(warm_line(Path(folder)))
        for n_chips in (1, 4):
            with ready_board(cache=Path(folder)) as board:
                print(busy_line(board, n_chips))
        with ready_board(cache=Path(folder)) as board:
            print(traffic_line(board, (0, 0)))
            print(traffic_line(board, (1, 1)))
        print(connect_line(folder, []))
        print(f"{connect_line(folder, ['--cold'])} (aim {COLD_AIM_S:g} s)")
    print(open_line())
    return 0


if __name__ == "__main__":
    sys.exit(main())
