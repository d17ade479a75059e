"""Summary: what several launches cost together.

In: Run records (machines/machine.py) and, for training, how many steps and samples they did. Out:
one Summary, from which terminal.py and json_object.py print.

Cycles by kind are those of an average core: the lanes' cycles of the kind over the cores that had
lanes. With `waiting` (barriers, and cores with less to do) they add up to the elapsed cycles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from spindle.errors import UserError
from spindle.machines.machine import Run
from spindle.report.energy import Energy, energy
from spindle.spec.costs import CLOCK_HZ

KINDS = ("gemm", "quantise", "adam", "elementwise", "reduce", "copy", "control")
"""Origins of steps, in the order of the report; others follow, `waiting` comes last."""
WAITING = "waiting"


@dataclass(frozen=True)
class KindCycles:
    """One kind of step: cycles of an average core, and elapsed (kinds overlap) cycles."""

    kind: str
    cycles: float
    elapsed: int


@dataclass(frozen=True)
class BudgetLine:
    """Cycles per step of some kinds beside what the design allows; None: everything else."""

    name: str
    kinds: tuple[str, ...] | None
    budget_cycles: float


BUDGET: tuple[BudgetLine, ...] = (
    BudgetLine("GEMM with quantising", ("gemm", "quantise"), 0.95e6),
    BudgetLine("Adam", ("adam",), 0.7e6),
    BudgetLine("rest, with waiting", None, 0.35e6),
)
"""One step of the demo's MLP, batch 64, one chip: 2.0 M cycles in all."""


class CountedStep(Protocol):
    """A step of a launch that ran or was estimated; fields as in StepRun."""

    @property
    def origin(self) -> str: ...
    @property
    def elapsed(self) -> int: ...
    @property
    def cycles(self) -> tuple[int, ...]: ...


class Counted(Protocol):
    """A launch that ran or was estimated; fields as in Run."""

    @property
    def cycles(self) -> int: ...
    @property
    def core_cycles(self) -> tuple[int, ...]: ...
    @property
    def steps(self) -> Sequence[CountedStep]: ...


@dataclass(frozen=True)
class Foreseen:
    """What the compiler's estimate says of one training step: cycles by kind, and elapsed."""

    kinds: dict[str, float]
    cycles: float


@dataclass(frozen=True)
class Summary:
    """Sums over launches; cycles are elapsed ones unless they say otherwise.

    steps, samples: training steps and samples they worked on (0: not training).
    mac_per_cycle_per_core: over the cores that had lanes. packets_sent: deliveries. packets_lost,
    packets_resent: None where no packet can be lost.
    """

    machine: str
    costs_hash: str
    n_cores: int
    n_busy_cores: int
    options: dict[str, object]
    launches: int
    steps: int
    samples: int
    cycles: int
    kinds: tuple[KindCycles, ...]
    macs: int
    mac_per_cycle_per_core: float
    dma_bytes: int
    host_bytes: int
    packets_sent: int
    packets_lost: int | None
    packets_resent: int | None
    barriers: int
    nonfinite: int
    wall_s: float
    energy: Energy

    @property
    def simulated_s(self) -> float:
        """Seconds on the machine, launches only."""
        return self.cycles / CLOCK_HZ

    @property
    def cycles_per_step(self) -> float:
        """Elapsed cycles of a training step; of everything where nothing was trained."""
        return self.cycles / max(self.steps, 1)

    def budget_cycles(self, line: BudgetLine) -> float:
        """Return the cycles per step that belong to a line of BUDGET."""
        named = {kind for other in BUDGET for kind in other.kinds or ()}
        mine = sum(
            kind.cycles
            for kind in self.kinds
            if (kind.kind in line.kinds if line.kinds else kind.kind not in named)
        )
        return mine / max(self.steps, 1)


def summarise(runs: Sequence[Run], *, steps: int = 0, samples: int = 0) -> Summary:
    """Add up launches of one machine. Raises UserError where there are none."""
    if not runs:
        raise UserError("there is no launch to report on", fix="run a program first")
    first, cycles = runs[0], sum(run.cycles for run in runs)
    busy = sum(sum(run.core_cycles) for run in runs)
    n_busy = max(len(run.core_cycles) for run in runs)
    packets, macs = sum(run.packets_sent for run in runs), sum(run.macs for run in runs)
    return Summary(
        machine=first.machine,
        costs_hash=first.costs_hash,
        n_cores=first.n_cores,
        n_busy_cores=n_busy,
        options=dict(first.options),
        launches=len(runs),
        steps=steps,
        samples=samples,
        cycles=cycles,
        kinds=_kinds(runs, cycles),
        macs=macs,
        mac_per_cycle_per_core=macs / (cycles * n_busy) if cycles else 0.0,
        dma_bytes=sum(run.dma_bytes for run in runs),
        host_bytes=sum(run.host_bytes for run in runs),
        packets_sent=packets,
        packets_lost=_sum_where_known(run.packets_lost for run in runs),
        packets_resent=_sum_where_known(run.packets_resent for run in runs),
        barriers=sum(run.barriers for run in runs),
        nonfinite=sum(run.nonfinite for run in runs),
        wall_s=sum(run.wall_s for run in runs),
        energy=energy(cycles / CLOCK_HZ, busy / CLOCK_HZ, packets),
    )


def _sum_where_known(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def foresee(launch: Counted, steps: int) -> Foreseen:
    """Return what an estimated launch of so many training steps says of one of them."""
    kinds = _kinds([launch], launch.cycles)
    return Foreseen({kind.kind: kind.cycles / steps for kind in kinds}, launch.cycles / steps)


def _kinds(runs: Sequence[Counted], cycles: int) -> tuple[KindCycles, ...]:
    work: Counter[str] = Counter()
    elapsed: Counter[str] = Counter()
    shares = dict.fromkeys(KINDS, 0.0)
    for run in runs:
        for step in run.steps:
            elapsed[step.origin] += step.elapsed
            work[step.origin] += sum(step.cycles)
        for kind, total in work.items():
            shares[kind] = shares.get(kind, 0.0) + total / len(run.core_cycles)
        work.clear()
    kinds = [KindCycles(kind, share, elapsed[kind]) for kind, share in shares.items()]
    waiting = cycles - sum(shares.values())
    return (*kinds, KindCycles(WAITING, waiting, 0))
