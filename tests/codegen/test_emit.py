"""emit: the program stream is what docs/spec/image.md says; limits are InternalErrors."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hand_plans import add_bias, count_down, dot_float32, running_rows

from spindle.codegen.emit import ENDLESS, emit
from spindle.errors import InternalError
from spindle.image.text import entries
from spindle.ir.plan import Addr, Instr, Loop, Plan, Task, TaskStep, While
from spindle.spec import generate, records, tables

KINDS = {number: name for name, number in records.FLAGS["STEP"].items()}


def kinds(program: bytes) -> list[str]:
    return [KINDS[step["kind"]] for _, step in entries(program)]


def controls(program: bytes, kind: str) -> list[dict]:
    return [
        records.CONTROL.unpack(program, offset + records.STEP.size) | {"reg": step["reg"]}
        for offset, step in entries(program)
        if KINDS[step["kind"]] == kind
    ]


def test_sizes_lead_from_entry_to_entry() -> None:
    program = emit(count_down(50)).program
    found = list(entries(program))
    for (_, step), (_, following) in pairwise(found):
        assert step["next_size"] == following["size"]
    assert found[-1][1]["next_size"] == 0
    assert sum(step["size"] for _, step in found) == len(program)


def test_task_record() -> None:
    image = emit(add_bias(61, 70, (7, 33)))
    task = records.TASK.unpack(image.program, records.STEP.size)
    assert task["kernel"] == tables.KERNEL["STRIP"]
    assert task["extent"] == (1, 61, 70, 1) and task["tile"] == (1, 7, 33, 1)
    assert task["inner"] == records.NO_DIM and task["n_operands"] == 3
    first = records.STEP.size + records.TASK.size
    slots = [
        records.OPERAND.unpack(image.program, first + i * records.OPERAND.size)["addr"]["slot"]
        for i in range(3)
    ]
    assert slots == [2, 3, 4]
    assert image.abi_hash == generate.abi_hash()


def test_loops() -> None:
    image = emit(running_rows(5, 4, 70))
    assert kinds(image.program) == ["LOOP", "LOOP", "TASK", "LOOP_END", "LOOP_END", "END"]
    offsets = [offset for offset, _ in entries(image.program)]
    outer, inner = controls(image.program, "LOOP")
    assert (outer["reg"], outer["count"], outer["target"]) == (3, 5, offsets[5])
    assert (inner["reg"], inner["count"], inner["target"]) == (7, 4, offsets[4])
    ends = controls(image.program, "LOOP_END")
    assert [end["target"] for end in ends] == [offsets[2], offsets[1]]
    assert [info.trips for info in image.steps] == [1, 5, 20]


def test_while() -> None:
    image = emit(count_down(50))
    names = ["LOOP", "TASK", "BRANCH", "TASK", "TASK", "LOOP_END", "END"]
    assert kinds(image.program) == names
    offsets = [offset for offset, _ in entries(image.program)]
    (head,), (branch,) = controls(image.program, "LOOP"), controls(image.program, "BRANCH")
    assert head["count"] == ENDLESS and head["target"] == branch["target"] == offsets[6]
    assert controls(image.program, "LOOP_END")[0]["target"] == offsets[1]
    assert head["reg"] == branch["reg"]


def test_nested_whiles_count_in_free_registers() -> None:
    plan = count_down(50)
    (loop,) = plan.steps
    assert isinstance(loop, While)
    nested = Loop(0, 2, (replace(loop, body=(*loop.body, loop)),))
    image = emit(replace(plan, steps=(nested,)))
    assert [head["reg"] for head in controls(image.program, "LOOP")] == [0, 1, 2]
    full: tuple = (loop,)
    for reg in range(records.LOOP_REGS):
        full = (Loop(reg, 2, full),)
    with pytest.raises(InternalError, match="count: no loop register is left of 16"):
        emit(replace(plan, steps=full))


def test_step_facts() -> None:
    (info,) = emit(dot_float32(37, 40, 77, (8, 8, 8))).steps
    assert (info.macs, info.origin, info.kernel) == (37 * 40 * 77, "gemm", "DOT_F32")
    assert (info.label, info.loc, info.trips) == ("dense", "model.py:7", 1)


def task_of(plan: Plan) -> Task:
    (step,) = plan.steps
    assert isinstance(step, TaskStep)
    return step.task


LONG = tuple(Instr("ADD_F32", (2, 0, 1)) for _ in range(200))
TERMS = tuple((reg, 4) for reg in range(5))
TASK = task_of(add_bias(61, 70, (7, 33)))
FIRST = TASK.operands[0]
LIMITS = {
    "record": (replace(TASK, program=LONG), "its record takes 1768 B, a record slot has 1536 B"),
    "operands": (replace(TASK, operands=(FIRST,) * 17), "operands 17, the limit is 16"),
    "temps": (replace(TASK, n_temps=33), "temporaries 33, the limit is 32"),
    "lane": (replace(TASK, lane_first=16), "lane_first 16, the limit is 15"),
    "dim 0": (replace(TASK, tile=(2, 1, 1, 1)), "tile along dim 0 2, the limit is 1"),
    "tile": (replace(TASK, tile=(1, 70000, 1, 1)), r"task.tile = \(1, 70000, 1, 1\) does not fit"),
    "work": (replace(TASK, work=-1), "task.work = -1 does not fit"),
    "kernel": (replace(TASK, kernel="FFT"), "kernel 'FFT' does not exist"),
    "prim": (replace(TASK, program=(Instr("FFT"),)), "primitive 'FFT' does not exist"),
    "register": (replace(TASK, program=(Instr("COPY", (999, 0)),)), "instr.reg = .* does not fit"),
    "stride": (
        replace(TASK, operands=(replace(FIRST, stride=(0, 1 << 31, 4, 0)),)),
        "operand.stride",
    ),
    "segment": (
        replace(TASK, operands=(replace(FIRST, addr=Addr("arg9")),)),
        "segment 'arg9' does not exist",
    ),
    "terms": (
        replace(TASK, operands=(replace(FIRST, addr=Addr("arg0", 0, TERMS)),)),
        "5 address terms, the limit is 4",
    ),
}


@pytest.mark.parametrize("task, sentence", LIMITS.values(), ids=list(LIMITS))
def test_limits(task: Task, sentence: str) -> None:
    plan = replace(add_bias(61, 70, (7, 33)), steps=(TaskStep(task, barrier=True),))
    with pytest.raises(InternalError, match=sentence) as raised:
        emit(plan)
    assert str(raised.value).startswith("add")
