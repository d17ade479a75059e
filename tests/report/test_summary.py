"""Sums over launches, cycles by kind, the budget."""

from __future__ import annotations

import pytest
from run_records import run_record, step_run

from spindle.errors import UserError
from spindle.report.summary import BUDGET, WAITING, summarise

GEMM = step_run("gemm", (400, 400))
ADAM = step_run("adam", (300, 100))
COPY = step_run("copy", (100, 0))


def test_kinds_and_waiting_add_up_to_the_elapsed_cycles() -> None:
    summary = summarise([run_record(GEMM, ADAM, COPY), run_record(GEMM)])
    kinds = {kind.kind: kind.cycles for kind in summary.kinds}
    assert kinds["gemm"] == 800 and kinds["adam"] == 200 and kinds["copy"] == 50
    assert kinds[WAITING] == 2000 - 1050
    assert sum(kinds.values()) == summary.cycles == 2000


def test_average_core_counts_doubled_lanes_once() -> None:
    one_core = run_record(step_run("gemm", (300, 300)), core_cycles=(600,), cycles=600)
    kinds = {kind.kind: kind.cycles for kind in summarise([one_core]).kinds}
    assert kinds["gemm"] == 600 and kinds[WAITING] == 0


def test_unknown_kind_is_listed_before_waiting() -> None:
    kinds = [kind.kind for kind in summarise([run_record(step_run("fft", (7, 7)))]).kinds]
    assert kinds[-2:] == ["fft", WAITING]


def test_budget_lines_cover_the_step() -> None:
    summary = summarise([run_record(GEMM, ADAM, COPY)], steps=2, samples=128)
    lines = [summary.budget_cycles(line) for line in BUDGET]
    assert lines == [200, 100, 200]
    assert sum(lines) == summary.cycles_per_step == 500
    assert sum(line.budget_cycles for line in BUDGET) == 2.0e6


def test_sums() -> None:
    summary = summarise([run_record(GEMM, host_bytes=8), run_record(GEMM, nonfinite=2)])
    assert summary.launches == 2 and summary.host_bytes == 40 and summary.nonfinite == 2
    assert summary.packets_sent == 96 and summary.packets_lost is None
    assert summary.mac_per_cycle_per_core == 1000 / (2000 * 2)
    assert summary.simulated_s == pytest.approx(10e-6) and summary.wall_s == 0.5


def test_packets_sent_again_are_counted_where_there_are_packets() -> None:
    assert summarise([run_record()]).packets_resent is None
    runs = [run_record(packets_resent=2), run_record(packets_resent=5)]
    assert summarise(runs).packets_resent == 7


def test_lost_packets_are_counted_where_there_are_packets() -> None:
    assert summarise([run_record(packets_lost=0), run_record(packets_lost=3)]).packets_lost == 3


def test_nothing_to_report_is_said() -> None:
    with pytest.raises(UserError, match="no launch to report on; run a program first"):
        summarise([])
