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
from spindle.spec import arena, records
from spindle.vboard.arm_host import Core
from spindle.vboard.chip_host import ChipOptions

BARRIER_CYCLES, SLOW_BARRIER_CYCLES = 500, 800
"""2.5 us; 4 us with packet latencies doubled: the design's bars."""
LAUNCH_CYCLES = 100_000
FIQ_CYCLES, FIQ_OFF_CYCLES = 30, 100
RXKEY = 0x10000014
CODE, SCRATCH = 0x7F00, 0x00401000
SYS, FIQ_BIT = 0x1F, 0x40


def slow_lane(lane: int, n_barriers: int) -> Image:
    """Steps of one tile each, all on one lane."""
    operands = (matrix("x", "arg0", 64), matrix("y", "result0", 64, store=True))
    program = [Instr("ADD_F32", (1, 0, 0))]
    task = strip("twice", 8, 64, (8, 64), operands, program, lane_first=lane)
    steps = tuple(TaskStep(task, barrier=True) for _ in range(n_barriers))
    shape = ((8, 64), F32)
    return emit(plan("slow_lane", steps, types(shape), types(shape)))


def barrier_cycles(lane: int, **chip_options: int) -> int:
    """What the last lane waits, at most, from its arrival to its return."""
    chip = FirmwareChip(17, ChipOptions(), **chip_options)
    loaded = LoadedImage(chip, slow_lane(lane, 8))
    assert loaded.launch(np.ones((8, 64), np.float32)).code == 0
    raw = chip.rig.peek(loaded.profile_at, loaded.profile_bytes)
    table = np.frombuffer(raw, np.uint32).reshape(-1, records.LANES, 8)
    chip.rig.close()
    print(table[:8, lane, 4])
    return int(table[:8, lane, 4].max())


@pytest.mark.parametrize("lane", [0, 3, 4, 15])
def test_barrier(lane: int) -> None:
    cycles = barrier_cycles(lane)
    print(lane, cycles)
    assert cycles <= BARRIER_CYCLES
    assert barrier_cycles(lane, packet_cycles=80) <= SLOW_BARRIER_CYCLES


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
