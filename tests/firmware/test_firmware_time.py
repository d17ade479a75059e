"""Times of the firmware on the emulated chip: barrier, launch, multicast handler, FIQ held off."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from firmware_chip import SV, FirmwareChip, LoadedImage
from hand_plans import F32, Instr, TaskStep, matrix, plan, strip, types

from spindle.codegen.emit import emit
from spindle.firmware_build import build, elf
from spindle.image.image import Image
from spindle.spec import arena
from spindle.vboard.arm_host import Core
from spindle.vboard.chip_host import ChipOptions

BARRIER_CYCLES, SLOW_BARRIER_CYCLES = 500, 800
"""2.5 us; 4 us with packet latencies doubled: the design's bars."""
LAUNCH_CYCLES = 100_000
FIQ_CYCLES, FIQ_OFF_CYCLES = 30, 100
RXKEY = 0x10000014
CODE, SCRATCH = 0x7F00, 0x00401000
SYS, FIQ_BIT = 0x1F, 0x40


def slow_lane(lane: int, n_barriers: int, n_columns: int = 64) -> Image:
    """Steps of one tile each, all on one lane."""
    operands = (matrix("x", "arg0", n_columns), matrix("y", "result0", n_columns, store=True))
    program = [Instr("ADD_F32", (1, 0, 0))]
    task = strip("twice", 8, n_columns, (8, n_columns), operands, program, lane_first=lane)
    steps = tuple(TaskStep(task, barrier=True) for _ in range(n_barriers))
    shape = ((8, n_columns), F32)
    return emit(plan("slow_lane", steps, types(shape), types(shape)))


def functions(chip: FirmwareChip, *names: str) -> list[range]:
    """Addresses of functions, by their symbols' sizes."""
    found = {s.name: range(s.value & ~1, (s.value & ~1) + s.size) for s in chip.elf.symbols}
    return [found[name] for name in names]


def barrier_cycles(lane: int, n_columns: int, **costs: int) -> int:
    """Cycles from the last lane's call of barrier_arrive to its return to the launch's loop."""
    chip = FirmwareChip(17, ChipOptions(), **costs)
    arrive, loop = functions(chip, "barrier_arrive", "session_run_launch")
    loaded = LoadedImage(chip, slow_lane(lane, 8, n_columns), profile=False)
    chip.ring(loaded.queue(np.ones((8, n_columns), np.float32)))
    core = chip.physical[chip.place_cores[lane]]
    while chip.status["step"] < 5:
        chip.run(100)
    called = returned = 0
    while not returned:
        chip.run(1)
        pc = chip.rig.reg(15, core=core)
        if pc in arrive:
            called = returned = 0
            called = chip.cycle
            while chip.rig.reg(15, core=core) not in loop:
                chip.run(1)
            while chip.rig.reg(15, core=core) in loop:
                chip.run(1)
            while chip.rig.reg(15, core=core) not in loop:
                chip.run(1)
            returned = chip.cycle
    chip.rig.close()
    return returned - called


@pytest.mark.parametrize("lane", [0, 3, 4, 15])
def test_barrier(lane: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The lane comes between two questions of those who wait; `asked` is the worst moment."""
    cycles = barrier_cycles(lane, 12)
    slow = barrier_cycles(lane, 12, packet_cycles=80)
    asked = max(barrier_cycles(lane, n) for n in range(8, 80, 8))
    with capsys.disabled():
        print(f"\nbarrier, lane {lane} last: {cycles} cycles, {slow} with slow packets,", end="")
        print(f" up to {asked} where questions cross it", end="")
    assert cycles <= BARRIER_CYCLES
    assert slow <= SLOW_BARRIER_CYCLES
    assert asked <= SLOW_BARRIER_CYCLES


def test_launch(capsys: pytest.CaptureFixture[str]) -> None:
    """Doorbell to completion of a launch of one small tile: mostly overhead."""
    chip = FirmwareChip(17)
    loaded = LoadedImage(chip, slow_lane(3, 1))
    chip.poke(loaded.args[0], bytes(8 * 64 * 4))
    chip.ring(loaded.queue(np.ones((8, 64), np.float32)))
    start = chip.cycle
    while chip.word(SV + 0xEC) == 0:
        chip.run(50)
    cycles = chip.cycle - start
    chip.rig.close()
    with capsys.disabled():
        print(f"\nlaunch of one tile, doorbell to completion: {cycles} cycles", end="")
    assert cycles <= LAUNCH_CYCLES


class Inbox:
    """The bus of a core that gets one packet: reading its key takes the request away."""

    def read(self, core: Core, addr: int, size: int) -> tuple[int, int]:
        assert addr == RXKEY
        core.set_fiq(False, core.cycles)
        return 2, arena.slot_key(arena.SLOT_RELEASE) | 7 << 8

    def write(self, core: Core, addr: int, size: int, value: int) -> int:
        raise AssertionError(hex(addr))

    def fetch(self, core: Core, addr: int, size: int) -> tuple[int, int]:
        raise AssertionError(hex(addr))

    def watch(self, core: Core, addr: int, size: int, is_write: bool) -> None:
        raise AssertionError(hex(addr))

    def exception(self, core: Core, vector: int) -> None:
        pass


def firmware_core(code: str) -> Core:
    """A core with the firmware in ITCM, in SYS mode with interrupts on, in front of `code`."""
    from spindle.vboard.assemble import assemble

    made = build.build()
    core = Core(Inbox())
    core.write_memory(0, build.contents(made.elf.read_bytes(), elf.read(made.elf).section(".text")))
    core.write_memory(CODE, assemble(code))
    core.cpsr = 0xC0 | 0x11
    core.set_reg(8, 0x10000000)
    core.set_reg(9, 0x00400000)
    core.cpsr = SYS
    core.pc = CODE
    return core


def test_multicast_handler() -> None:
    """Entry to return, and what it leaves: the key in its slot, the count of its class, news."""
    core = firmware_core("mov r0, r0\n" * 32)
    core.step(4)
    before = core.cycles
    core.set_fiq(True, before)
    core.step(1)
    while core.cpsr & 0x1F != SYS:
        core.step(1)
    extra = core.cycles - before
    words = struct.unpack("<69I", core.read_memory(0x00400000, 276))
    assert words[arena.SLOT_RELEASE] == arena.slot_key(arena.SLOT_RELEASE) | 7 << 8
    assert words[64:68] == (0, 0, 0, 1) and words[68] != 0
    assert extra <= FIQ_CYCLES


def test_fiq_is_off_for_a_few_cycles_before_sleep() -> None:
    """port_sleep_unless with news: all its cycles with FIQ masked."""
    linked = elf.read(build.build().elf)
    target = linked.address("port_sleep_unless")
    core = firmware_core("mov lr, pc\nbx r4\n" + "mov r0, r0\n" * 8)
    core.write_memory(SCRATCH, struct.pack("<I", 1))
    core.set_reg(0, SCRATCH)
    core.set_reg(4, target)
    off = 0
    for _ in range(16):
        before, masked = core.cycles, bool(core.cpsr & FIQ_BIT)
        core.step(1)
        off += masked * (core.cycles - before)
    assert 0 < off <= FIQ_OFF_CYCLES
