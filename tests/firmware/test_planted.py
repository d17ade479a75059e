"""Faults planted in the firmware are seen: FIQ held off loses packets, missing waits are races."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from firmware_chip import ROUTER, FirmwareChip, LoadedImage, native_bytes
from hand_plans import F32, Instr, TaskStep, matrix, plan, strip, types
from planted_firmware import planted
from test_firmware_chip import FAULT, adam_image, check_healthy, random_args

from spindle.codegen.emit import emit
from spindle.firmware_build import build
from spindle.image.image import Image
from spindle.spec import arena
from spindle.vboard.chip_host import FaultCode

PING = 2
TEN_US, ALLOWED = 2000, 100
"""Cycles; the router drops after 240 of its clocks, 360 cycles."""
DUMP_KEY = ROUTER + 0x1C
LEADER = 1
"""Virtual core of place 0, to which the places 1 to 3 send their arrivals."""

DTCM, SDRAM = range(0x00400000, 0x00410000), range(0x60000000, 0x68000000)

MakeChip = Callable[..., FirmwareChip]


@pytest.fixture
def make_chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeChip:
    """A chip with planted firmware, before its first launch."""

    def make(name: str, *wraps: str, defines: Sequence[str] = ()) -> FirmwareChip:
        firmware = planted(tmp_path, name, wraps, defines)
        monkeypatch.setattr(build, "build", lambda: firmware)
        return FirmwareChip(17)

    return make


def handed_on() -> Image:
    """result1 = 2 * result0 = 4 * arg0, a tile of 4 KB a lane; the second time by other lanes."""

    def doubled(source: str, target: str, lane: int) -> TaskStep:
        operands = (matrix("x", source, 128), matrix("y", target, 128, store=True))
        program = [Instr("ADD_F32", (1, 0, 0))]
        task = strip(target, 128, 128, (8, 128), operands, program, lane_first=lane)
        return TaskStep(task, barrier=True)

    steps = (doubled("arg0", "result0", 0), doubled("result0", "result1", 5))
    shape = ((128, 128), F32)
    return emit(plan("handed_on", steps, types(shape), types(shape, shape)))


def launch_with_pings(chip: FirmwareChip, loaded: LoadedImage) -> int:
    """Launch; the leader gets one message after another meanwhile. The fault code."""
    chip.ring(loaded.queue(*random_args(loaded.image)))
    while (found := chip.completion()) is None:
        if chip.vcpu(LEADER)[56] == 0:
            chip.send(LEADER, PING)
        chip.run(2 * TEN_US // 3)
    return found[3]


def test_fiq_off_for_ten_microseconds_loses_packets(make_chip: MakeChip) -> None:
    """The router drops arrivals, its registers and the status record say so, bits are the same."""
    chip = make_chip("fiq_off", "mailbox_interrupt", defines=[f"-DFIQ_OFF_CYCLES={TEN_US}"])
    loaded = LoadedImage(chip, adam_image())
    assert launch_with_pings(chip, loaded) == FAULT["NONE"]
    assert loaded.result_bytes() == native_bytes(adam_image(), random_args(adam_image()))
    status = chip.status
    routed, dropped, lost_on_purpose = chip.rig.router_counts()
    assert routed > dropped > 0 and lost_on_purpose == 0
    assert 0 < status["packets_sent"] - status["packets_received"] <= dropped
    assert status["packets_resent"] > 0
    assert chip.rig.read(chip.cycle, DUMP_KEY, core=0) & arena.KEY_BASE == arena.KEY_BASE
    assert chip.rig.faults() == []
    chip.rig.close()


def test_fiq_off_for_as_long_as_kernels_may_loses_none(make_chip: MakeChip) -> None:
    chip = make_chip("fiq_off", "mailbox_interrupt", defines=[f"-DFIQ_OFF_CYCLES={ALLOWED}"])
    assert launch_with_pings(chip, LoadedImage(chip, adam_image())) == FAULT["NONE"]
    check_healthy(chip)
    chip.rig.close()


@pytest.mark.parametrize(
    ("name", "wrap", "memory"),
    [("early_read", "hal_dma_wait", DTCM), ("missing_drain", "rt_finish", SDRAM)],
)
def test_a_missing_wait_is_a_race(make_chip: MakeChip, name: str, wrap: str, memory: range) -> None:
    """Cores that touch what is on its way are stopped, with a typed fault."""
    chip = make_chip(name, wrap)
    loaded = LoadedImage(chip, handed_on())
    chip.ring(loaded.queue(*random_args(handed_on())))
    chip.run(500_000)
    faults = chip.rig.faults()
    assert faults and all(fault.code == FaultCode.RACE for fault in faults)
    assert all(fault.addr in memory for fault in faults)
    assert all(chip.rig.state(core=fault.core).failed for fault in faults)
    assert chip.status["last_done"] == 0
    chip.rig.close()


def test_without_a_fault_there_is_no_race() -> None:
    chip = FirmwareChip(17)
    loaded, args = LoadedImage(chip, handed_on()), random_args(handed_on())
    assert loaded.launch(*args).code == FAULT["NONE"]
    assert loaded.result_bytes() == [(2 * args[0]).tobytes(), (4 * args[0]).tobytes()]
    check_healthy(chip)
    chip.rig.close()
