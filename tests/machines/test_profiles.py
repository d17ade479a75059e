"""Profile records of a board's cores, read as steps: shares of time, barriers, sums."""

from __future__ import annotations

from typing import Any

from hand_plans import chain

from spindle.codegen.emit import emit
from spindle.machines.profiles import spent
from spindle.spec import records

IMAGE = emit(chain(3, 9, 100, (2, 24)))
"""Three steps, each with a barrier."""


def profile(*steps: dict[str, Any]) -> bytes:
    """Records of steps whose fields are a number for all lanes, or a list by lane."""
    rows = []
    for step in steps:
        for lane in range(records.LANES):
            one = {k: v[lane] if isinstance(v, list) else v for k, v in step.items()}
            rows.append(records.PROFILE.pack(one))
    return b"".join(rows)


def test_a_stretch_of_one_step_is_its_slowest_lane() -> None:
    cycles = [1000 + 10 * lane for lane in range(16)]
    waits = [400 + 1150 - c for c in cycles]
    step = {"cycles": cycles, "barrier": waits, "runs": 1, "dma_bytes": 64, "nonfinite": 1}
    found = spent(IMAGE, profile(step, step, step), 16)
    assert [one.elapsed for one in found.steps] == [1150] * 3
    assert found.barriers == 3 and found.dma_bytes == 3 * 16 * 64
    assert found.steps[0].cycles == tuple(cycles) and found.steps[0].nonfinite == 16
    assert found.core_cycles == tuple(3 * c for c in cycles)


def test_steps_of_a_stretch_share_its_time() -> None:
    free, last = {"cycles": 300, "runs": 2}, {"cycles": 100, "barrier": 500, "runs": 2}
    found = spent(IMAGE, profile(free, last, free), 16)
    assert [one.elapsed for one in found.steps] == [300, 100, 300]
    assert found.barriers == 2 and found.macs == 0


def test_lanes_that_share_a_core() -> None:
    """Of 16 lanes on 5 cores the first core runs four."""
    found = spent(IMAGE, profile(*[{"cycles": 10, "barrier": 5, "runs": 1}] * 3), 5)
    assert found.core_cycles == (120, 90, 90, 90, 90)


def test_a_program_that_did_nothing() -> None:
    found = spent(IMAGE, bytes(512 * len(IMAGE.steps)), 16)
    assert [one.elapsed for one in found.steps] == [0] * 3 and found.barriers == 0
