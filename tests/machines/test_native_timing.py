"""Time on native: the walk of a program, the clocks of its launch and the estimate are one."""

from __future__ import annotations

from dataclasses import replace

import hand_plans as hand
import numpy as np
import pytest
from hand_dots import Side, balance, quantised_dot
from hand_plans import add_bias, chain, count_down, dynamic_rows, running_rows

from spindle.codegen.emit import emit
from spindle.image.image import Image
from spindle.ir.plan import SCRATCH, Addr, Plan, TaskStep
from spindle.kernels_host.native import Launch
from spindle.machines.machine import Run
from spindle.machines.native import _STATUS, NativeMachine, NativeProgram
from spindle.schedule.estimate import estimate
from spindle.spec import chip, costs
from spindle.spec.tables import GROUP, GROUPS

CORES = (1, 7, 15, 16, 17)


def two_groups(lane: int) -> Plan:
    """A float32 dot on lane 0, then a task of the bfp28 group, both of one tile."""
    (first, *_), k = hand.dot_float32(8, 8, 8, (8, 8, 8)).steps, 32
    a, b = (Side(name, Addr(SCRATCH), 8, k, 4 * k, 4, 3) for name in "ab")
    places = [Addr(SCRATCH, 128 * i) for i in range(3)]
    task = replace(balance(a, b, *places, 8), lane_first=lane)
    args = hand.dot_float32(8, 8, 8, (8, 8, 8)).args
    steps = (first, TaskStep(task, barrier=True), first)
    return hand.plan("two_groups", steps, args, hand.types(((8, 8), "f32")), scratch=4096)


PLANS = [
    two_groups(0),
    add_bias(61, 70, (7, 33)),
    chain(5, 9, 100, (2, 24)),
    running_rows(5, 4, 70),
    running_rows(2, 0, 8),
    dynamic_rows(4, 40, 12),
    quantised_dot(37, 41, 300, (8, 8, 64), 128),
]
plans = pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)


def launch(machine: NativeMachine, image: Image, *words: int) -> tuple[NativeProgram, Run]:
    """Load and run it; argument 0 holds `words`, then zeros."""
    inputs = [machine.alloc(0, t.size_bytes) for t in image.args]
    for i, buffer in enumerate(inputs):
        data = np.zeros(buffer.size_bytes // 4, np.int32)
        data[: len(words)] = words if i == 0 else 0
        machine.write(buffer, data.tobytes())
    outputs = [
        inputs[image.donated[j]] if j in image.donated else machine.alloc(0, t.size_bytes)
        for j, t in enumerate(image.results)
    ]
    program = machine.load(image)
    assert isinstance(program, NativeProgram)
    return program, machine.run(program, inputs, outputs).wait(60)


def with_clocks(machine: NativeMachine, program: NativeProgram) -> Launch:
    """The program's launch again, timed as it runs."""
    machine._clear_profile(program)
    command = machine._write_command(program)
    return machine._board.launch(command, _STATUS, len(program.image.steps))


def barriers_cycles(run: Run, cost_set: str = "nominal") -> float:
    return run.barriers * costs.table(cost_set)["barrier_cycles"] / costs.FRACTION


@plans
@pytest.mark.parametrize("n_cores", CORES)
def test_kept_time_is_the_launchs_own(plan: Plan, n_cores: int) -> None:
    machine = NativeMachine(n_cores=n_cores, dma_mode=n_cores % 2)
    program, run = launch(machine, emit(plan))
    assert program.timed is not None
    timed = with_clocks(machine, program)
    for name in ("cycles", "core_cycles", "barriers", "dma_bytes"):
        assert getattr(timed, name) == getattr(run, name)
    assert timed.packets == run.packets_sent
    for spent, step in zip(timed.steps, run.steps, strict=True):
        for name in ("runs", "elapsed", "cycles", "compute", "dma_wait", "dma_bytes", "nonfinite"):
            assert getattr(spent, name) == getattr(step, name)


@plans
@pytest.mark.parametrize("cost_set", costs.SETS)
@pytest.mark.parametrize("n_cores", CORES)
def test_elapsed_adds_up(plan: Plan, n_cores: int, cost_set: str) -> None:
    counted = estimate(emit(plan), n_cores=n_cores, cost_set=cost_set)
    elapsed = sum(step.elapsed for step in counted.steps)
    assert elapsed + barriers_cycles(counted, cost_set) == counted.cycles
    assert all(step.elapsed > 0 for step in counted.steps if step.runs)


@pytest.mark.parametrize("n_cores", CORES)
@pytest.mark.parametrize("trips", [0, 3])
def test_a_while_is_timed_as_it_runs(n_cores: int, trips: int) -> None:
    machine = NativeMachine(n_cores=n_cores)
    program, run = launch(machine, emit(count_down(50)), trips)
    assert program.timed is None
    assert sum(step.elapsed for step in run.steps) + barriers_cycles(run) == run.cycles
    if trips:
        counted = estimate(emit(count_down(50)), n_cores=n_cores, while_trips=trips)
        assert run.cycles == counted.cycles
        assert [s.elapsed for s in run.steps] == [s.elapsed for s in counted.steps]


@plans
def test_runs_are_equal(plan: Plan) -> None:
    """Whatever ran before, and in whatever mode data move."""
    runs = []
    for dma_mode in (0, 1):
        machine = NativeMachine(n_cores=7, dma_mode=dma_mode)
        image = emit(plan)
        runs += [replace(launch(machine, image)[1], wall_s=0, host_bytes=0) for _ in range(2)]
    assert all(run == runs[0] for run in runs)


def test_profile_of_barriers() -> None:
    """A lane waits from its arrival on: its steps, its waits and the barriers are the launch."""
    machine = NativeMachine(n_cores=16)
    program, _ = launch(machine, emit(running_rows(5, 4, 70)))
    timed = with_clocks(machine, program)
    for lane in range(16):
        spent = sum(step.cycles[lane] + step.barrier[lane] for step in timed.steps)
        assert 0 <= timed.cycles - spent < 2000  # the stream's end is no step


def test_nonfinite_outputs_are_counted_without_clocks() -> None:
    machine = NativeMachine()
    image = emit(quantised_dot(20, 30, 200, (4, 8, 64), 128))
    _, clean = launch(machine, image)
    _, run = launch(machine, image, 0x7F800000)
    assert clean.nonfinite == 0 and run.nonfinite == 30
    assert sum(step.nonfinite for step in run.steps) == 30
    assert run.cycles == clean.cycles


def load_cycles(group: str) -> float:
    """Cycles of an overlay's load on a core alone, as docs/spec/timing.md says."""
    of = {name: value / costs.FRACTION for name, value in costs.table("nominal").items()}
    left, total = GROUPS[GROUP[group]].size_bytes, of["overlay_cycles"]
    while left:
        size = min(left, chip.OVERLAY_PIECE_BYTES)
        total += of["dma_setup_cycles"] + of["dma_fixed_cycles"] + size / of["dma_bytes_per_cycle"]
        total += of["overlay_piece_cycles"] + size // 4 * of["overlay_word_cycles"]
        left -= size
    return total


def test_a_lane_pays_for_another_group() -> None:
    """Two loads where one lane has all tasks; none where each group has a lane of its own."""
    together, apart = (estimate(emit(two_groups(lane)), n_cores=16).steps for lane in (0, 1))
    loads = load_cycles("S28") + load_cycles("F32")
    paid = together[1].cycles[0] + together[2].cycles[0]
    alone = apart[1].cycles[1] + apart[2].cycles[0]
    assert paid - alone == pytest.approx(loads, rel=0.05)


def test_cores_with_several_lanes_pay_for_each_change() -> None:
    """On one core both lanes' tasks follow one another, whichever lane has them."""
    counted = [estimate(emit(two_groups(lane)), n_cores=1).cycles for lane in (0, 1)]
    assert counted[0] == pytest.approx(counted[1], abs=500)
