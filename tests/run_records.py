"""Run records made by hand, for tests of reports."""

from __future__ import annotations

from typing import Any

from spindle.machines.machine import Run, StepRun


def step_run(origin: str, cycles: tuple[int, ...], *, elapsed: int = 0, runs: int = 1) -> StepRun:
    """Return the record of a step that did nothing but compute."""
    none = (0,) * len(cycles)
    longest = elapsed or max(cycles)
    return StepRun(0, origin, origin, "a.py:1", runs, longest, cycles, cycles, none, 0, 0)


def run_record(*steps: StepRun, **changes: Any) -> Run:
    """Return a launch of 1000 cycles on 2 of 17 cores; `changes` replace fields."""
    fields: dict[str, Any] = {
        "machine": "native",
        "program": "train_steps",
        "costs_hash": "c0ffee",
        "n_cores": 17,
        "cycles": 1000,
        "core_cycles": (900, 700),
        "barriers": 3,
        "steps": steps,
        "dma_bytes": 4096,
        "host_bytes": 32,
        "packets_sent": 48,
        "packets_lost": None,
        "nonfinite": 0,
        "macs": 500,
        "wall_s": 0.25,
        "options": {"matmul": "bfp28"},
    }
    return Run(**(fields | changes))
