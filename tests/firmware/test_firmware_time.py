"""Times of the firmware on the emulated chip: barrier, launch, multicast handler, FIQ held off."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from firmware_chip import SV, FirmwareChip, LoadedImage
from hand_plans import F32, Addr, Instr, TaskStep, matrix, plan, strip, types

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
