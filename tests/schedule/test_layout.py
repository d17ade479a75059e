"""How an epoch is laid out: ways, lanes and order of its jobs, and the rules of residents."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from jax import numpy as jnp

from spindle.frontends.ingest import ingest
from spindle.ir.plan import Addr, Operand, Plan, Task, TaskStep
from spindle.ir.task_record import pack_task
from spindle.kernels_host.epoch import epoch_cycles
from spindle.options import Options
from spindle.passes.pipeline import run
from spindle.schedule import layout
from spindle.schedule.assemble import Draft, assemble
from spindle.schedule.jobs import Job
from spindle.schedule.plan import plan
from spindle.schedule.resident import ResidentArena
from spindle.schedule.room import Room
from spindle.spec.records import LANES


def copy_draft(n: int, tiles: tuple[int, ...]) -> Draft:
    operands = (
        Operand("from", Addr("arg0"), (0, 0, 4, 0), 2),
        Operand("to", Addr("result0"), (0, 0, 4, 0), 2, store=True),
    )
    sides = tuple((1, 1, side, 1) for side in tiles)
    return Draft("COPY", (1, 1, n, 1), operands, sides, shared=(0, 1))


def job(draft: Draft, lane: int | None = None) -> Job:
    return Job(
        lambda room: [TaskStep(assemble(draft, room))], (), (), draft.work, lane=lambda: lane
    )


def lanes_of(task: Task) -> set[int]:
    return {(task.lane_first + i) % LANES for i in range(min(task.n_tiles, LANES))}


def laid_out(*jobs: Job) -> list[Task]:
    steps = layout.steps([list(jobs)], ResidentArena())
    assert [step.barrier for step in steps if isinstance(step, TaskStep)][-1]
    return [step.task for step in steps if isinstance(step, TaskStep)]


def test_a_job_by_itself_takes_what_is_cheapest() -> None:
    """Of the tiles that a job may have alone, none would be quicker."""
    draft = copy_draft(4096, (64, 128, 256, 1024, 4096))
    (chosen,) = laid_out(job(draft))
    cycles = epoch_cycles([pack_task(chosen)], [chosen.lane_first])
    for lanes in (16, 4, 1):
        other = assemble(draft, Room(lanes, alone=True))
        found = epoch_cycles([pack_task(other)], [0])
        assert cycles and found and cycles[0] <= found[0]


def test_jobs_share_the_lanes() -> None:
    """Two copies of 8 tiles take no longer than on lanes of their own."""
    tasks = laid_out(*(job(copy_draft(4096, (512,))) for _ in range(2)))
    packed = [pack_task(task) for task in tasks]
    chosen = epoch_cycles(packed, [task.lane_first for task in tasks])
    apart, stacked = epoch_cycles(packed, [0, 8]), epoch_cycles(packed, [0, 0])
    assert chosen and apart and stacked
    assert chosen[0] <= min(apart[0], stacked[0])


def test_a_fixed_lane_is_kept() -> None:
    tasks = laid_out(job(copy_draft(1024, (512,)), lane=5), job(copy_draft(1024, (512,))))
    assert any(lanes_of(task) == {5, 6} for task in tasks)


def test_beside() -> None:
    """A job takes the lanes behind those of the one that it lies beside."""
    first, second = job(copy_draft(4096, (400,))), job(copy_draft(2048, (400,)))
    first.beside, second.beside = second, first
    tasks = laid_out(first, second, job(copy_draft(3000, (1000,))))
    eleven, six = (next(t for t in tasks if t.extent[2] == n) for n in (4096, 2048))
    assert (eleven.lane_first + 11) % LANES == six.lane_first or (
        (six.lane_first + 6) % LANES == eleven.lane_first
    )


def made_plan(fn, *shapes: tuple[int, ...]) -> Plan:
    arguments = [np.zeros(shape, np.float32) for shape in shapes]
    text = jax.jit(fn).trace(*arguments).lower(lowering_platforms=("spinnaker",)).as_text()
    return plan(run(ingest(text), Options()), Options())


def epochs_of(made: Plan) -> list[list[Task]]:
    out: list[list[Task]] = [[]]
    for step in made.steps:
        assert isinstance(step, TaskStep)
        out[-1].append(step.task)
        if step.barrier:
            out.append([])
    return out[:-1]


def test_scans_of_a_dot_share_an_epoch() -> None:
    """The scan of w waits for that of tanh(x), which takes the other lanes."""

    def fn(x, w):
        return jnp.tanh(x) @ w

    found = [
        [t for t in epoch if t.kernel == "SCAN"]
        for epoch in epochs_of(made_plan(fn, (64, 64), (64, 128)))
    ]
    (pair,) = [scans for scans in found if scans]
    assert len(pair) == 2 and lanes_of(pair[0]).isdisjoint(lanes_of(pair[1]))


def test_quantise_runs_where_the_scan_left_its_tile() -> None:
    """What stays in DTCM is used on the lanes that loaded it; other operands are loaded again."""
    made = made_plan(lambda x, w: x @ w, (64, 64), (64, 128))
    tasks = [task for epoch in epochs_of(made) for task in epoch]
    users = [t for t in tasks if any(op.resident for op in t.operands)]
    assert users and all(t.kernel == "QUANTISE" for t in users)
    for quantise in users:
        (resident,) = [op for op in quantise.operands if op.resident]
        (scan,) = [t for t in tasks if t.kernel == "SCAN" and t.operands[0].dtcm == resident.dtcm]
        assert (scan.lane_first, scan.n_tiles) == (quantise.lane_first, quantise.n_tiles)


@pytest.mark.parametrize("rows", (360, 1000))
def test_partial_rows_are_those_of_the_scan(rows: int) -> None:
    """BALANCE reads as many partial rows as the scan that was chosen writes."""
    made = made_plan(lambda x, w: x @ w, (rows, 64), (64, 128))
    tasks = [task for epoch in epochs_of(made) for task in epoch]
    (balance,) = [t for t in tasks if t.kernel == "BALANCE"]
    slots = sorted(-(-t.extent[1] // t.tile[1]) for t in tasks if t.kernel == "SCAN")
    assert sorted(balance.extent[1:3]) == slots


def test_plans_repeat() -> None:
    """Compiling twice gives the same Plan."""
    fn = lambda x, w: jnp.tanh(x @ w)  # noqa: E731
    assert made_plan(fn, (40, 30), (30, 20)) == made_plan(fn, (40, 30), (30, 20))
