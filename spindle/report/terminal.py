"""A report for people: rich tables of a Summary.

In: the Summary of training launches, that of all launches, lines the caller adds, the estimate of a
step where cycles were measured. Out: text on a rich Console.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from spindle.report.energy import LEFT_OUT, SOURCES
from spindle.report.prototype import FLOOR_CORES, FLOOR_NOTE, FLOOR_S_PER_SAMPLE
from spindle.report.summary import BUDGET, Foreseen, Summary

Row = tuple[str, str]


def print_report(
    console: Console,
    training: Summary,
    total: Summary,
    results: Sequence[Row] = (),
    foreseen: Foreseen | None = None,
) -> None:
    """Print which machine ran, cycles by kind against the budget, figures, and their sources."""
    console.print(f"\n{describe_machine(total)}", highlight=False)
    console.print(_kinds_table(training, foreseen))
    console.print(_budget_table(training))
    console.print(_figures_table([*results, *_figures(training, total)]))
    for line in (*SOURCES, LEFT_OUT):
        console.print(f"  {line}", highlight=False, style="dim")


def describe_machine(summary: Summary) -> str:
    """Say which machine ran, with which cores, options and costs."""
    options = ", ".join(f"{name}={value}" for name, value in summary.options.items())
    modelled = f"; costs {summary.costs_hash} (a timing model, not silicon)"
    return (
        f"Machine {summary.machine}: {summary.n_busy_cores} busy of {summary.n_cores} cores;"
        f" options {options or 'default'}{modelled if summary.costs_hash else ''}"
    )


def _kinds_table(summary: Summary, foreseen: Foreseen | None) -> Table:
    cycles = ("cycles",) if foreseen is None else ("measured", "estimate")
    table = _table("Cycles of a step, average core", "kind", *cycles, "share")
    per_step = max(summary.steps, 1)
    for kind in summary.kinds:
        share = kind.cycles / summary.cycles if summary.cycles else 0.0
        estimate = [f"{foreseen.kinds.get(kind.kind, 0):,.0f}"] if foreseen else []
        table.add_row(kind.kind, f"{kind.cycles / per_step:,.0f}", *estimate, f"{share:.1%}")
    table.add_section()
    estimate = [f"{foreseen.cycles:,.0f}"] if foreseen else []
    table.add_row("elapsed", f"{summary.cycles_per_step:,.0f}", *estimate, "")
    return table


def _budget_table(summary: Summary) -> Table:
    table = _table("Against the budget (batch 64, one chip)", "line", "M cycles", "budget", "of it")
    for line in BUDGET:
        _add_budget_row(table, line.name, summary.budget_cycles(line), line.budget_cycles)
    table.add_section()
    budget = sum(line.budget_cycles for line in BUDGET)
    _add_budget_row(table, "step", summary.cycles_per_step, budget)
    return table


def _add_budget_row(table: Table, name: str, cycles: float, budget: float) -> None:
    table.add_row(name, f"{cycles / 1e6:.3f}", f"{budget / 1e6:.2f}", f"{cycles / budget:.0%}")


def _figures_table(rows: Sequence[Row]) -> Table:
    table = Table(title="Figures", title_justify="left", show_header=False)
    for name, value in rows:
        table.add_row(name, value)
    return table


def _figures(training: Summary, total: Summary) -> list[Row]:
    per_step = max(training.steps, 1)
    return [
        ("simulated time per step", f"{training.simulated_s / per_step * 1e3:.2f} ms"),
        *_sample_rows(training),
        ("MAC/cycle/core, everything counted", f"{training.mac_per_cycle_per_core:.4f}"),
        ("SDRAM bytes per step", f"{training.dma_bytes / per_step:,.0f}"),
        ("simulated time, all launches", f"{total.simulated_s:.3f} s"),
        ("launches", f"{total.launches:,}"),
        ("host bytes moved", f"{total.host_bytes:,}"),
        ("packets delivered / lost / resent", _packets(total)),
        ("dots with NaN or Inf", f"{total.nonfinite:,}"),
        ("energy, modelled", _joules(total)),
        ("host time in launches", f"{total.wall_s:.2f} s"),
    ]


def _sample_rows(training: Summary) -> list[Row]:
    if not training.samples:
        return []
    ours = training.simulated_s / training.samples
    return [
        ("time per sample", f"{ours * 1e3:.3f} ms on {training.n_busy_cores} cores"),
        (
            "prototype of 2020, per sample",
            f"{FLOOR_S_PER_SAMPLE * 1e3:.0f} ms on {FLOOR_CORES} cores\n({FLOOR_NOTE})",
        ),
    ]


def _packets(summary: Summary) -> str:
    counts = (summary.packets_sent, summary.packets_lost, summary.packets_resent)
    return " / ".join("-" if count is None else f"{count:,}" for count in counts)


def _joules(summary: Summary) -> str:
    parts = summary.energy
    return (
        f"{parts.total_j:.4g} J (chip {parts.chips_j:.3g}, cores {parts.cores_j:.3g},"
        f" packets {parts.packets_j:.2g})"
    )


def _table(title: str, first: str, *numbers: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table
