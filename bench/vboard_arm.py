"""Speed of the virtual board's cores against Unicorn's count slices: 16 cores in rotation.

In: nothing (`python -m bench.vboard_arm [--json]`). Out: for each of three programs millions of
instructions per second of both, by processor time, and their ratio: the bfp28 product of a tile as
the firmware runs it, its float32 Adam step, and the start of SC&MP up to its first sleep. Race
detection is on: a range of DTCM is under a transfer, SC&MP runs on whole boards of one chip. Needs
unicorn, and tests/firmware of the clone, where kernels are linked and called.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench import unicorn_cores
from spindle.vboard.arm_host import DTCM_BASE, Core, rotate
from spindle.vboard.assemble import assemble
from spindle.vboard.board import Board

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "firmware"))
import kernel_calls
from arm_program import CPSR_SYSTEM, DTCM_STACK, TimedProgram, firmware_objects

CORES = 16
SLICE_CYCLES, BOARD_SLICE_CYCLES = 400, 4_000
ROM_CYCLES = 50_000
"""The boot ROM has started the monitor by then."""
COUNTS = (200, 1000)
"""Unicorn's slices, in instructions: as a board needs them, and as favours Unicorn."""
BAR = 2.5
DRIVER = 0x7F00
"""Where the endless loop around a kernel lies in ITCM."""
WATCHED = DTCM_BASE + 0xC000
TILE, K = 16, 256


@dataclass(frozen=True)
class Loop:
    """A kernel called for ever: both memories of a core that starts at DRIVER."""

    itcm: bytes
    dtcm: bytes


@dataclass(frozen=True)
class Speed:
    """One program: M instructions/s of ours and of Unicorn by slice."""

    program: str
    ours: float
    theirs: dict[int, float]

    @property
    def ratio(self) -> float:
        """Against Unicorn's faster slices."""
        return self.ours / max(self.theirs.values())


def looped(program: TimedProgram, call: kernel_calls.Call) -> Loop:
    """Memories of a core that makes the call again and again."""
    loads = "".join(f"ldr r{i}, ={word}\n" for i, word in enumerate(call.arguments))
    target = program.symbols[call.name]
    jump = f"ldr sp, ={DTCM_STACK}\nldr r12, ={target}\nmov lr, pc\nbx r12\nb again\n.ltorg\n"
    program.core.write_memory(DRIVER, assemble("again:\n" + loads + jump))
    memory = program.core.read_memory
    return Loop(memory(0, unicorn_cores.ITCM_BYTES), memory(DTCM_BASE, unicorn_cores.DTCM_BYTES))


def gemm(program: TimedProgram) -> Loop:
    """The bfp28 product of a tile, one K-block: exact sums, rounded once."""
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-(2**27), 2**27, (TILE, K), np.int32) for _ in range(2))
    return looped(program, kernel_calls.dot(program, a, b, np.zeros(2 * TILE, np.int32)))


def adam(program: TimedProgram) -> Loop:
    """Adam's step of a strip of float32."""
    rng = np.random.default_rng(1)
    p, m, v, g = (0.1 * rng.standard_normal((4, kernel_calls.STRIP))).astype(np.float32)
    values = (0.9, 0.1, 0.999, 0.001, 0.01, 1e-8)
    constants = [np.full(kernel_calls.STRIP, value, np.float32) for value in values]
    return looped(program, kernel_calls.adam(program, (p, m, np.abs(v), g), constants))


def our_cores(loop: Loop) -> list[Core]:
    """CORES cores in front of the loop, part of their DTCM under a DMA transfer."""
    cores = [Core() for _ in range(CORES)]
    for core in cores:
        core.write_memory(0, loop.itcm)
        core.write_memory(DTCM_BASE, loop.dtcm)
        core.watch(WATCHED, 0x1000)
        core.cpsr, core.pc = CPSR_SYSTEM, DRIVER
        core.run(SLICE_CYCLES)
    return cores


def our_mips(loop: Loop, cycles: int) -> float:
    """M instructions/s of CORES cores in rotation, up to a cycle."""
    cores = our_cores(loop)
    before, start = sum(core.instructions for core in cores), time.process_time()
    rotate(cores, SLICE_CYCLES, cycles)
    elapsed = time.process_time() - start
    done = sum(core.instructions for core in cores) - before
    for core in cores:
        core.close()
    return done / elapsed / 1e6


def their_mips(loop: Loop, count: int, slices: int) -> float:
    """The same of Unicorn, in slices of `count` instructions."""
    cores = [unicorn_cores.tcm_core(loop.itcm, loop.dtcm, DRIVER) for _ in range(CORES)]
    unicorn_cores.rotate(cores, count, slices)
    return CORES * count * slices / unicorn_cores.rotate(cores, count, slices) / 1e6


def of_monitor(board: Board) -> int:
    """Instructions its monitor has run."""
    return board.instructions(0, board.places[0].monitor)


def our_boot_mips(cycles: int) -> float:
    """M instructions/s of CORES boards of one chip that start SC&MP, in rotation, for so many."""
    boards = [unicorn_cores.started_board() for _ in range(CORES)]
    for board in boards:
        board.run(ROM_CYCLES)
    before, start = sum(map(of_monitor, boards)), time.process_time()
    for until in range(ROM_CYCLES, ROM_CYCLES + cycles, BOARD_SLICE_CYCLES):
        for board in boards:
            board.run(until + BOARD_SLICE_CYCLES)
    elapsed = time.process_time() - start
    done = sum(map(of_monitor, boards)) - before
    for board in boards:
        board.close()
    return done / elapsed / 1e6


def measure(instructions: int, repeats: int) -> list[Speed]:
    """Speeds on all programs, the best of some repeats; instructions: per core and run, about."""
    with tempfile.TemporaryDirectory() as folder:
        program = TimedProgram(firmware_objects(Path(folder), plain=False))
    loops = {"bfp28 GEMM step": gemm(program), "float32 Adam step": adam(program)}
    speeds = [measure_loop(name, loop, instructions, repeats) for name, loop in loops.items()]
    return [*speeds, measure_boot(instructions, repeats)]


def measure_loop(name: str, loop: Loop, instructions: int, repeats: int) -> Speed:
    """Speeds on a kernel."""
    ours = max(our_mips(loop, 2 * instructions) for _ in range(repeats))
    theirs = {
        count: max(their_mips(loop, count, instructions // count) for _ in range(repeats))
        for count in COUNTS
    }
    return Speed(name, ours, theirs)


def measure_boot(instructions: int, repeats: int) -> Speed:
    """Speeds on SC&MP's start."""
    ours = max(our_boot_mips(2 * instructions) for _ in range(repeats))
    theirs = {
        count: unicorn_cores.monitor_mips(CORES, count, instructions // count) for count in COUNTS
    }
    return Speed("SC&MP boot", ours, theirs)


def line(speed: Speed) -> str:
    """One program as text."""
    slices = ", ".join(f"{mips:.0f} (count={count})" for count, mips in speed.theirs.items())
    return (
        f"{speed.program:18}{CORES} cores: {speed.ours:4.0f} M instructions/s, Unicorn {slices};"
        f" ratio {speed.ratio:.1f}"
    )


def main(argv: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m bench.vboard_arm", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--instructions", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="best of so many (3)")
    args = parser.parse_args(argv)
    speeds = measure(args.instructions, args.repeats)
    if args.json:
        print(json.dumps([{**asdict(speed), "ratio": speed.ratio} for speed in speeds], indent=2))
        return 0
    for speed in speeds:
        print(line(speed))
    print(f"least ratio {min(speed.ratio for speed in speeds):.1f}, the bar is {BAR}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
