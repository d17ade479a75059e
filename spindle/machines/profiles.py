"""What the cores of a board wrote about a launch, as the step records of a Run.

In: an Image, the profile records of its steps and lanes (spec/records.py), how many places ran
them. Out: StepRuns, barriers, busy cycles per core.

A board notes no times of barriers. Between two of them every lane's steps and its waiting add up
to the same time, so a stretch of steps took the mean of that over its lanes, less the shortest
wait, which is the barriers' own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spindle.image.image import Image, StepInfo
from spindle.machines.machine import StepRun
from spindle.spec import records

_NAMES = [field.name for field in records.PROFILE.fields]
_LANES = records.LANES

Table = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Spent:
    """steps in the Image's order; core_cycles by place."""

    steps: tuple[StepRun, ...]
    barriers: int
    core_cycles: tuple[int, ...]
    dma_bytes: int
    macs: int


def spent(image: Image, profile: bytes, n_places: int) -> Spent:
    """Read the profile records of a finished launch."""
    words = np.frombuffer(profile, "<u4").astype(np.int64)
    table = words.reshape(len(image.steps), _LANES, len(_NAMES))
    columns = {name: table[:, :, i] for i, name in enumerate(_NAMES)}
    ends = np.asarray(columns["barrier"].any(axis=1))
    elapsed = _elapsed(columns["cycles"], columns["barrier"], ends)
    steps = [_step(info, columns, i, elapsed[i]) for i, info in enumerate(image.steps)]
    runs = columns["runs"].max(axis=1)
    by_lane = columns["cycles"].sum(axis=0)
    return Spent(
        steps=tuple(steps),
        barriers=int(runs[ends].sum()),
        core_cycles=tuple(int(by_lane[p::n_places].sum()) for p in range(n_places)),
        dma_bytes=int(columns["dma_bytes"].sum()),
        macs=sum(info.macs * int(n) for info, n in zip(image.steps, runs, strict=True)),
    )


def _elapsed(cycles: Table, barrier: Table, ends: npt.NDArray[np.bool_]) -> list[int]:
    """Each step's share of the time of its stretch; a stretch goes up to a step with a barrier."""
    shares, first = [0] * len(cycles), 0
    for last in range(len(cycles)):
        if ends[last] or last == len(cycles) - 1:
            stretch = slice(first, last + 1)
            busy, waited = cycles[stretch].sum(axis=0), barrier[stretch].sum(axis=0)
            total = round(float((busy + waited).mean())) - int(waited.min())
            shares[stretch] = _share(total, cycles[stretch].sum(axis=1))
            first = last + 1
    return shares


def _share(total: int, weights: npt.NDArray[np.int64]) -> list[int]:
    """Whole shares of `total` in proportion; what rounding leaves goes to the largest."""
    if not weights.any():
        return [0] * len(weights)
    shares = [total * int(w) // int(weights.sum()) for w in weights]
    shares[int(weights.argmax())] += total - sum(shares)
    return shares


def _step(info: StepInfo, columns: dict[str, Table], i: int, elapsed: int) -> StepRun:
    def lanes(name: str) -> tuple[int, ...]:
        return tuple(int(n) for n in columns[name][i])

    return StepRun(
        id=info.id,
        label=info.label,
        origin=info.origin,
        loc=info.loc,
        runs=int(columns["runs"][i].max()),
        elapsed=elapsed,
        cycles=lanes("cycles"),
        compute=lanes("compute"),
        dma_wait=lanes("dma_wait"),
        dma_bytes=int(columns["dma_bytes"][i].sum()),
        nonfinite=int(columns["nonfinite"][i].sum()),
    )
