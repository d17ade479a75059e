"""The report as text."""

from __future__ import annotations

import io

from rich.console import Console
from run_records import run_record, step_run

from spindle.report.summary import Foreseen, foresee, summarise
from spindle.report.terminal import print_report


def text_of(*, samples: int = 512, foreseen: Foreseen | None = None) -> str:
    runs = [run_record(step_run("gemm", (400, 400)), step_run("adam", (100, 100)))]
    summary = summarise(runs, steps=8, samples=samples)
    out = io.StringIO()
    console = Console(file=out, width=120, color_system=None)
    print_report(console, summary, summary, [("test accuracy", "97.00%")], foreseen)
    return out.getvalue()


def test_says_which_machine_ran() -> None:
    text = text_of()
    assert "Machine native: 2 busy of 17 cores; options matmul=bfp28; costs c0ffee" in text


def test_kinds_budget_and_figures() -> None:
    text = text_of()
    for word in ("gemm", "waiting", "GEMM with quantising", "0.95", "test accuracy", "97.00%"):
        assert word in text
    assert "48 / - / -" in text, "packets of a machine that loses none"


def test_the_estimate_stands_beside_measured_cycles() -> None:
    launch = run_record(step_run("gemm", (800, 800)), cycles=900)
    lines = text_of(foreseen=foresee(launch, 8)).splitlines()
    (head,), (gemm,), (elapsed,) = (
        [line for line in lines if word in line] for word in ("measured", "│ gemm ", "elapsed")
    )
    assert head.index("measured") < head.index("estimate")
    assert gemm.split()[3:6:2] == ["50", "100"]
    assert elapsed.split()[3:6:2] == ["125", "112"]
    assert "estimate" not in text_of()


def test_prototype_beside_ours_only_where_samples_were_trained() -> None:
    assert "75 ms on 483 cores" in text_of()
    assert "483" not in text_of(samples=0)


def test_sources_and_what_is_not_counted() -> None:
    text = text_of()
    assert "Stromatias et al. 2014" in text and "Not counted: SDRAM" in text
