"""Shares of an average core's cycles add up to 1."""

from __future__ import annotations

from dataclasses import replace

import pytest
from run_records import run_record, step_run

from spindle.report.shares import PARTS, host_share, shares

GEMM = replace(step_run("gemm", (400, 400)), compute=(300, 200), dma_wait=(60, 150))
ADAM = step_run("adam", (300, 100))
COPY = step_run("copy", (100, 0))


def test_parts() -> None:
    found = shares([run_record(GEMM, ADAM, COPY)])
    assert tuple(found) == PARTS
    parts = {"gemm": 500, "quantise": 0, "copy": 100, "elementwise": 400, "dma_wait": 210}
    parts |= {"control": 90, "barrier": 2000 - 1300}
    assert found == {part: pytest.approx(cycles / 2000) for part, cycles in parts.items()}
    assert sum(found.values()) == pytest.approx(1)


def test_launches_count_by_their_length() -> None:
    long = run_record(step_run("reduce", (3000, 3000)), cycles=3000)
    found = shares([run_record(GEMM), long])
    assert found["elementwise"] == pytest.approx(6000 / 8000)
    assert sum(found.values()) == pytest.approx(1)


def test_nothing_ran() -> None:
    assert set(shares([run_record(cycles=0)]).values()) == {0.0}
    assert host_share([run_record(cycles=0)]) == 0


def test_host_bytes_at_the_boards_rate() -> None:
    assert host_share([run_record(host_bytes=500), run_record(host_bytes=500)]) == 24
