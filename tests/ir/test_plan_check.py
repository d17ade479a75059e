"""The checker of Plans refuses what would leave its memory; the text form of a Plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hand_dots import quantised_dot
from hand_plans import (
    add_bias,
    chain,
    copy_window,
    count_down,
    dynamic_rows,
    plan,
    running_rows,
    types,
)

from spindle.errors import InternalError
from spindle.ir.plan import Addr, Loop, Plan, SetReg, Task, TaskStep, While
from spindle.ir.plan_check import ARENA_WORDS, HALF_WORDS, check, operand_span, tile_words
from spindle.ir.plan_text import to_text


def with_operand(made: Plan, index: int, **changes) -> Plan:
    """The Plan, whose only step is a task, with one operand changed."""
    (step,) = made.steps
    assert isinstance(step, TaskStep)
    operands = list(step.task.operands)
    operands[index] = replace(operands[index], **changes)
    return with_task(made, operands=tuple(operands))


def with_task(made: Plan, **changes) -> Plan:
    (step,) = made.steps
    assert isinstance(step, TaskStep)
    return replace(made, steps=(TaskStep(replace(step.task, **changes), barrier=True),))


ADD, COPY = add_bias(61, 70, (7, 33)), copy_window(40, 90, 123, 4, 11, (5, 16))
REFUSED = {
    "end": (with_operand(ADD, 0, addr=Addr("arg0", 4)), r"bytes 4\.\.17084 of arg0\+4 lie outside"),
    "start": (with_operand(ADD, 0, addr=Addr("arg0", -4)), r"bytes -4\.\.17076"),
    "short": (replace(ADD, args=types(((61, 69), "f32"), ((70,), "f32"))), "arg0"),
    "segment": (with_operand(ADD, 0, addr=Addr("arg7")), "segment 'arg7' does not exist"),
    "odd": (with_operand(ADD, 1, addr=Addr("arg1", 2)), "not word aligned"),
    "odd stride": (with_operand(ADD, 0, stride=(0, 278, 4, 0)), "stride is not word aligned"),
    "fast": (with_operand(ADD, 0, stride=(0, 280, 8, 0)), "fast dim has stride 8 B, a unit is 4 B"),
    "unset": (with_operand(ADD, 0, addr=Addr("arg0", 0, ((2, 4),))), "uses register 2"),
    "overlap": (with_operand(ADD, 1, dtcm=10), "x .words 0..231. and bias .words 10..43. overlap"),
    "second": (with_operand(ADD, 0, buffer=100), "x's second buffer .* overlap"),
    "halves": (with_operand(ADD, 0, dtcm=2 * HALF_WORDS - 10), "lie outside of both halves"),
    "words": (with_task(ADD, words=2 * HALF_WORDS + 2), r"words 0\.\.7938 lie outside"),
    "arena": (
        with_task(with_operand(ADD, 0, dtcm=13000), exclusive=True),
        r"words 464\.\.13463 lie outside of the arena \(0\.\.13056\)",
    ),
    "temps": (with_task(ADD, n_temps=32, work=6000), "lie outside of both halves"),
    "tile": (with_task(ADD, tile=(1, 0, 4, 1)), "has an empty side"),
    "shared": (with_operand(COPY, 1, dtcm=2), "do not share one buffer"),
}


@pytest.mark.parametrize("made, sentence", REFUSED.values(), ids=list(REFUSED))
def test_refused(made: Plan, sentence: str) -> None:
    with pytest.raises(InternalError, match=sentence) as raised:
        check(made)
    assert str(raised.value).startswith(("add", "copy"))


def test_loop_bounds() -> None:
    made = running_rows(5, 4, 70)
    check(made)
    (outer,) = made.steps
    assert isinstance(outer, Loop)
    with pytest.raises(InternalError, match=r"row, operand x: bytes 0..1680"):
        check(replace(made, steps=(replace(outer, count=6),)))
    with pytest.raises(InternalError, match="loop register 16"):
        check(replace(made, steps=(replace(outer, reg=16),)))
    check(replace(made, steps=(replace(outer, count=0),)))


def test_set_reg_bounds() -> None:
    made = dynamic_rows(4, 40, 12)
    check(made)
    read, copy = made.steps
    assert isinstance(read, SetReg)
    for wrong in (replace(read, hi=9), replace(read, lo=-1), replace(read, addr=Addr("arg1", 4))):
        with pytest.raises(InternalError, match="lie outside of arg"):
            check(replace(made, steps=(wrong, copy)))
    with pytest.raises(InternalError, match=r"bounds 9\.\.8 are empty"):
        check(replace(made, steps=(replace(read, lo=9), copy)))
    task = copy.task if isinstance(copy, TaskStep) else None
    assert task is not None
    stored = next(op.addr for op in task.operands if op.store)
    late = replace(read, addr=stored)
    check(replace(made, steps=(read, TaskStep(task, barrier=True), late)))
    with pytest.raises(InternalError, match="no barrier lies between it and a store to result0"):
        check(replace(made, steps=(read, TaskStep(task), late)))
    check(replace(made, steps=(read, late, TaskStep(replace(task, extent=(0, 0, 0, 0))), late)))
    with pytest.raises(InternalError, match="between it and a set_reg from result0"):
        check(replace(made, steps=(read, late, TaskStep(task, barrier=True))))


def test_control_follows_barriers() -> None:
    (loop,) = count_down(50).steps
    assert isinstance(loop, While)
    body = tuple(replace(step, barrier=False) for step in loop.body)  # type: ignore[type-var]
    cond = tuple(replace(step, barrier=False) for step in loop.cond)  # type: ignore[type-var]
    for wrong in (replace(loop, body=body), replace(loop, cond=cond)):
        with pytest.raises(InternalError, match=r"count: its .* does not end in a barrier"):
            check(replace(count_down(50), steps=(wrong,)))


def test_donated_sizes() -> None:
    made = running_rows(5, 4, 70)
    with pytest.raises(InternalError, match="result0 does not fit in donated arg0"):
        check(replace(made, results=types(((5, 71), "i32"))))


def test_work_words() -> None:
    check(ADD, lambda task: 64)
    with pytest.raises(InternalError, match=r"words .* lie outside of both halves"):
        check(ADD, lambda task: 7936)


def test_an_exclusive_task_has_the_whole_arena() -> None:
    for end in (ARENA_WORDS - 2, ARENA_WORDS):
        check(with_task(ADD, exclusive=True, words=end))
    with pytest.raises(InternalError, match="outside of the arena"):
        check(with_task(ADD, exclusive=True, words=ARENA_WORDS + 2))


def test_neighbours_keep_apart() -> None:
    """Two tasks of different sides overlap nowhere; two of one side, or past a barrier, may."""
    made = chain(2, 8, 64, (4, 64))
    first, second = made.steps
    assert isinstance(first, TaskStep) and isinstance(second, TaskStep)
    check(made)
    larger = replace(first, task=replace(first.task, words=HALF_WORDS + 2))
    with pytest.raises(InternalError, match=r"add1: it loads into .* while add0 uses 0\.\.3970"):
        check(replace(made, steps=(larger, second)))
    check(replace(made, steps=(replace(larger, barrier=True), second)))
    same_side = chain(2, 8, 64, (4, 64), alternate=False)
    check(replace(same_side, steps=(larger, same_side.steps[1])))


def test_padded_rows_and_granules() -> None:
    """A panel of 5 rows, 20 k: 3 pairs of 24 k; a tile of 2 rows and 8 k is a third of one.

    Its rows' records, 6 with the padding, have 4 words, for each of two K-blocks.
    """
    (*_, last) = quantised_dot(5, 4, 20, (2, 2, 8), 16).steps
    assert isinstance(last, TaskStep)
    task = last.task
    panel, _, exp = task.operands[0], task.operands[1], task.operands[2]
    assert operand_span(task, panel) == (0, 3 * 3 * 64)
    assert tile_words(task, panel) == 16
    assert operand_span(task, exp) == (0, 2 * 6 * 16)
    assert tile_words(task, exp) == 8


def test_lazy_operands_fit_in_panels() -> None:
    made = quantised_dot(5, 4, 20, (2, 2, 8), 16)
    (*_, last) = made.steps
    assert isinstance(last, TaskStep)
    operands = list(last.task.operands)
    operands[4] = replace(operands[4], align_words=64)
    task: Task = replace(last.task, operands=tuple(operands))
    with pytest.raises(InternalError, match=r"a chunk of a is 128 words, its panel 16|lie outside"):
        check(replace(made, steps=(*made.steps[:-1], TaskStep(task, barrier=True))))


def test_text() -> None:
    text = to_text(count_down(50))
    assert "while count" in text and "leave where [scratch+0] = 0" in text
    assert "result0 lives in arg0" in text and "ADD_I32 r1 r0 r16" in text
    assert "loop r3 < 5 outer" in to_text(running_rows(5, 4, 70))
    assert "r5 = clamp([arg1+0], 0, 8)" in to_text(dynamic_rows(4, 40, 12))
    assert to_text(plan("none", (), (), ())).startswith("plan none")
