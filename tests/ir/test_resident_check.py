"""Resident tiles: read only where an earlier task of the same lanes left them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spindle.errors import InternalError
from spindle.ir.plan import Addr, Loop, Operand, SetReg, Step, Task, TaskStep, While
from spindle.ir.plan_check import RESIDENT_START, tile_words
from spindle.ir.resident_check import check_residents

X = Operand("x", Addr("arg0"), (0, 256, 0, 4), 3, dtcm=RESIDENT_START)
LOAD = Task("SCAN", (1, 16, 1, 64), (1, 4, 1, 64), (X,), label="load")
READ = replace(LOAD, kernel="QUANTISE", operands=(replace(X, resident=True),), label="read")
OTHER = replace(LOAD, operands=(replace(X, addr=Addr("arg1")),))
BESIDE = replace(OTHER, operands=(replace(OTHER.operands[0], dtcm=RESIDENT_START + 256),))
SET = SetReg(0, Addr("arg0"), 0, 3)


def check(*steps: Step | Task) -> None:
    made = tuple(TaskStep(step) if isinstance(step, Task) else step for step in steps)
    check_residents(made, RESIDENT_START, tile_words)


def test_a_tile_stays_until_its_words_are_loaded_again() -> None:
    check(LOAD, BESIDE, SET, READ, READ)
    moved = replace(OTHER.operands[0], dtcm=RESIDENT_START + 255)
    with pytest.raises(InternalError, match="read: x is said to be in DTCM from word"):
        check(LOAD, replace(OTHER, operands=(moved,)), READ)


def test_a_task_that_takes_their_place_ends_them() -> None:
    for words in (RESIDENT_START - 2, RESIDENT_START):
        check(LOAD, Task("DOT_S28", (1,) * 4, (1,) * 4, (), exclusive=True, words=words), READ)
    whole = Task("DOT_S28", (1,) * 4, (1,) * 4, (), exclusive=True, words=RESIDENT_START + 2)
    with pytest.raises(InternalError, match="no earlier task left it there"):
        check(LOAD, whole, READ)


@pytest.mark.parametrize(
    "between",
    [Loop(1, 3, (TaskStep(LOAD),)), While((), Addr("arg0"), ())],
    ids=["loop", "while"],
)
def test_no_tile_stays_over_a_loop(between: Step) -> None:
    with pytest.raises(InternalError, match="no earlier task left it there"):
        check(LOAD, between, READ)


def test_a_loop_finds_none_from_outside() -> None:
    check(Loop(1, 3, (TaskStep(LOAD), TaskStep(READ))))
    for body in (Loop(1, 3, (TaskStep(READ),)), While((TaskStep(READ),), Addr("arg0"), ())):
        with pytest.raises(InternalError, match="no earlier task left it there"):
            check(LOAD, body)


@pytest.mark.parametrize("change", [{"lane_first": 1}, {"tile": (1, 6, 1, 64)}])
def test_lanes_and_tiles_are_the_same(change: dict[str, object]) -> None:
    with pytest.raises(InternalError, match="no earlier task left it there"):
        check(LOAD, replace(READ, **change))
