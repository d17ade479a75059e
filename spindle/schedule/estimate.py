"""Estimate: what an Image costs, counted before it runs.

The task loop of firmware/rt walks the program on the virtual board's clocks without moving or
computing tiles (docs/spec/timing.md); native's cycles for the same Image are the same number,
except for whiles (taken `while_trips` times).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spindle.errors import InternalError
from spindle.image.image import Image, StepInfo
from spindle.kernels_host.native import PROFILE_BYTES, Board, Launch, Spent, pack_command
from spindle.spec import chip, costs, records


@dataclass(frozen=True)
class StepEstimate:
    """One step; fields as in machines' StepRun."""

    id: int
    label: str
    origin: str
    loc: str
    runs: int
    elapsed: int
    cycles: tuple[int, ...]
    compute: tuple[int, ...]
    dma_wait: tuple[int, ...]
    dma_bytes: int


@dataclass(frozen=True)
class Estimate:
    """One launch; fields as in machines' Run."""

    program: str
    costs_hash: str
    n_cores: int
    cycles: int
    core_cycles: tuple[int, ...]
    barriers: int
    steps: tuple[StepEstimate, ...]
    dma_bytes: int
    packets_sent: int
    macs: int


def estimate(
    image: Image, *, n_cores: int = 17, cost_set: str = "nominal", while_trips: int = 1
) -> Estimate:
    """Count cycles, bytes and packets of one launch on 1..17 cores of a chip."""
    launch = _walk(image, n_cores, cost_set, while_trips)
    if launch.fault is not None:
        raise InternalError(f"{image.name}: the estimate stopped with fault {launch.fault}")
    pairs = list(zip(image.steps, launch.steps, strict=True))
    return Estimate(
        program=image.name,
        costs_hash=costs.costs_hash(cost_set),
        n_cores=n_cores,
        cycles=launch.cycles,
        core_cycles=launch.core_cycles,
        barriers=launch.barriers,
        steps=tuple(_step(info, spent) for info, spent in pairs),
        dma_bytes=launch.dma_bytes,
        packets_sent=launch.packets,
        macs=sum(info.macs * spent.runs for info, spent in pairs),
    )


def _step(info: StepInfo, spent: Spent) -> StepEstimate:
    return StepEstimate(
        id=info.id,
        label=info.label,
        origin=info.origin,
        loc=info.loc,
        runs=spent.runs,
        elapsed=spent.elapsed,
        cycles=spent.cycles,
        compute=spent.compute,
        dma_wait=spent.dma_wait,
        dma_bytes=spent.dma_bytes,
    )


def _walk(image: Image, n_cores: int, cost_set: str, while_trips: int) -> Launch:
    """SDRAM holds command, status, binding table, profile and program, one after another."""
    n_slots = 2 + len(image.args) + len(image.results)
    sizes = (
        records.COMMAND.size,
        records.STATUS.size,
        4 * n_slots,
        PROFILE_BYTES * len(image.steps),
        len(image.program),
    )
    places = [chip.SDRAM_BASE + sum(sizes[:i]) for i in range(len(sizes))]
    command, status, binding, profile, program = places
    board = Board(np.zeros(sum(sizes), np.uint8), n_cores, cost_set)
    board.write(program, image.program)
    values = {"program": program, "program_bytes": len(image.program), "binding": binding}
    values |= {"n_slots": n_slots, "profile": profile}
    board.write(command, pack_command(values))
    try:
        return board.launch(command, status, len(image.steps), while_trips=while_trips)
    finally:
        board.close()
