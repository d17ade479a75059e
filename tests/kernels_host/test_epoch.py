"""The walk of an epoch counts what the estimate of an Image with that epoch counts."""

from __future__ import annotations

from dataclasses import replace

from hand_plans import chain

from spindle.codegen.emit import emit
from spindle.ir.plan import TaskStep
from spindle.ir.task_record import pack_task
from spindle.kernels_host.epoch import epoch_cycles
from spindle.schedule.estimate import estimate
from spindle.spec.chip import TILE_ARENA_BYTES
from spindle.spec.costs import FRACTION, table


def test_equal_to_the_estimate() -> None:
    """But for the binding table: the walk has one slot, a core reads a word for each,
    so its transfers begin later and meet others."""
    made = chain(4, 40, 64, (4, 64))
    tasks = [step.task for step in made.steps if isinstance(step, TaskStep)]
    walked = epoch_cycles([pack_task(t) for t in tasks], [t.lane_first for t in tasks])
    assert walked is not None
    words = (len(made.args) + len(made.results)) * table("nominal")["sdram_word_cycles"] / FRACTION
    assert abs(estimate(emit(made), n_cores=16).cycles - walked[0]) <= words


def test_first_lanes() -> None:
    """Two tasks of 8 tiles each take less time on 16 lanes than on 8."""
    (step, *_) = chain(1, 32, 64, (4, 64)).steps
    assert isinstance(step, TaskStep)
    packed = [pack_task(step.task)] * 2
    spread, stacked = epoch_cycles(packed, [0, 8]), epoch_cycles(packed, [0, 0])
    assert spread and stacked and spread[0] < stacked[0]
    assert packed == [pack_task(step.task)] * 2


def test_a_fault_has_no_cycles() -> None:
    (step, *_) = chain(1, 32, 64, (4, 64)).steps
    assert isinstance(step, TaskStep)
    packed = pack_task(replace(step.task, work=TILE_ARENA_BYTES))
    assert epoch_cycles([packed], [0]) is None
