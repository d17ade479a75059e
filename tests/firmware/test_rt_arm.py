"""rt/ on an emulated chip: its assembly twins move, number and refuse as C does on native."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from firmware_chip import FirmwareChip, LoadedImage, native_bytes
from hand_dots import quantised_dot
from hand_plans import add_bias, copy_window, dot_float32, placed, plan, single_store, types

from spindle.codegen.emit import emit
from spindle.errors import FaultError
from spindle.image.image import Image
from spindle.ir.plan import Addr, Operand, Plan, Task, TaskStep
from spindle.machines.faults import fault_error
from spindle.machines.native import NativeMachine
from spindle.spec import records

FAULT = records.FLAGS["FAULT"]
STEP, TASK, OPERAND = (records.RECORDS[name].size for name in ("step", "task", "operand"))


@pytest.fixture(scope="module")
def chip() -> Iterator[FirmwareChip]:
    made = FirmwareChip(17)
    yield made
    assert made.rig.faults() == []
    made.rig.close()


def copy_box(tile: tuple[int, int, int], fast: int | None) -> Plan:
    """result0[5, 9, 11] = arg0[1:6, 2:11, 3:14] of an array [7, 12, 17], as dims 1, 2, 3."""
    start = 4 * ((1 * 12 + 2) * 17 + 3)
    operands = (
        Operand("x", Addr("arg0", start), (0, 4 * 12 * 17, 4 * 17, 4), fast),
        Operand("y", Addr("result0"), (0, 4 * 9 * 11, 4 * 11, 4), fast, store=True),
    )
    task = Task("COPY", (1, 5, 9, 11), (1, *tile), operands, label="box", origin="copy")
    step = TaskStep(placed(task, None), barrier=True)
    results = types(((5, 9, 11), "f32"))
    return plan("copy_box", (step,), types(((7, 12, 17), "f32")), results)


PLANS = {
    "one level": copy_window(40, 90, 123, 4, 11, (5, 16)),
    "whole rows": copy_window(40, 90, 90, 4, 0, (5, 90)),
    "two levels": copy_box((2, 4, 5), 3),
    "three levels": copy_box((3, 2, 3), None),
    "two dims in a row": copy_box((2, 9, 11), 3),
    "one buffer": single_store(61, 70, (3, 16)),
    "granules": quantised_dot(37, 41, 300, (20, 16, 128), k_block=128),
    "inner tiles": dot_float32(37, 40, 77, (6, 24, 30)),
}


@pytest.mark.parametrize("name", PLANS)
def test_bits_of_native(chip: FirmwareChip, name: str) -> None:
    image = emit(PLANS[name])
    rng = np.random.default_rng(1)
    args = [rng.normal(size=t.shape).astype(np.float32) for t in image.args]
    loaded = LoadedImage(chip, image)
    assert loaded.launch(*args).code == FAULT["NONE"]
    assert loaded.result_bytes() == native_bytes(image, args)


def test_box_is_the_box() -> None:
    x = np.arange(7 * 12 * 17, dtype=np.float32).reshape(7, 12, 17)
    for name in ("two levels", "three levels", "two dims in a row"):
        assert native_bytes(emit(PLANS[name]), [x]) == [x[1:6, 2:11, 3:14].tobytes()]


def field(record: str, name: str, part: int = 0) -> int:
    """Offset of a field in the first entry; of its first operand where it is one's."""
    start = {"step": 0, "task": STEP, "operand": STEP + TASK}[record]
    return start + records.RECORDS[record].offset(name) + part


BAD = {
    "kernel": ("BAD_KERNEL", field("task", "kernel"), "B", 200),
    "operands": ("BAD_STEP", field("task", "n_operands"), "B", 17),
    "terms": ("BAD_STEP", field("task", "n_terms"), "B", 1),
    "temps": ("BAD_STEP", field("task", "n_temps"), "B", 33),
    "instructions": ("BAD_STEP", field("task", "n_instrs"), "H", 2),
    "inner": ("BAD_STEP", field("task", "inner"), "B", 4),
    "lane_first": ("BAD_STEP", field("task", "lane_first"), "B", 16),
    "tile 0": ("BAD_STEP", field("task", "tile"), "H", 0),
    "tile 3": ("BAD_STEP", field("task", "tile", 6), "H", 0),
    "work": ("BAD_STEP", field("task", "work"), "H", 0x3301),
    "fast": ("BAD_STEP", field("operand", "fast"), "B", 4),
    "granule1": ("BAD_STEP", field("operand", "granule1"), "H", 0),
    "granule3": ("BAD_STEP", field("operand", "granule3"), "H", 0),
    "align 0": ("BAD_STEP", field("operand", "align_words"), "B", 0),
    "align 6": ("BAD_STEP", field("operand", "align_words"), "B", 6),
    "unit": ("BAD_STEP", field("operand", "unit_words"), "B", 0),
    "dtcm": ("BAD_STEP", field("operand", "dtcm"), "H", 0x3301),
    "terms of operand": ("BAD_STEP", field("operand", "addr", 6), "H", 1),
    "slot": ("BAD_ADDRESS", field("operand", "addr", 4), "H", 99),
    "offset": ("BAD_ADDRESS", field("operand", "addr"), "I", 0x40000000),
    "odd offset": ("BAD_ADDRESS", field("operand", "addr"), "I", 2),
    "beyond the arena": ("BAD_ADDRESS", field("operand", "dtcm"), "H", 0x32FF),
}


def spoilt(image: Image, offset: int, form: str, value: int) -> Image:
    program = bytearray(image.program)
    struct.pack_into("<" + form, program, offset, value)
    return replace(image, program=bytes(program))


@pytest.mark.parametrize("name", BAD)
def test_bad_records_are_refused(chip: FirmwareChip, name: str) -> None:
    """The same fault on both machines; the chip goes on afterwards."""
    code, *change = BAD[name]
    good = emit(add_bias(61, 70, (7, 33), double=False))
    image = spoilt(good, *change)
    args = [np.ones(t.shape, np.float32) for t in image.args]
    done = LoadedImage(chip, image).launch(*args)
    assert done.code == FAULT[code]
    with pytest.raises(FaultError, match=code) as found:
        launch_native(image, args)
    if code != "BAD_ADDRESS":  # its words are addresses
        assert str(found.value) == str(fault_error(image, done.status["fault"]))
    assert LoadedImage(chip, good).launch(*args).code == FAULT["NONE"]


def launch_native(image: Image, args: list[np.ndarray]) -> None:
    machine = NativeMachine()
    program = machine.load(image)
    inputs = [machine.alloc(0, arg.nbytes) for arg in args]
    outputs = [machine.alloc(0, t.size_bytes) for t in image.results]
    machine.run(program, inputs, outputs).wait(60)
