"""Shares: what the cycles of an average core went into.

In: Run records. Out: fractions of the elapsed cycles that add up to 1; and, beside them, what the
host's transfers would add if nothing hid them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from spindle.machines.machine import Run
from spindle.spec.costs import CHIP_CONSTANTS

OWN = ("gemm", "quantise", "copy")
"""Origins of steps that are counted by themselves; the others compute element by element."""
PARTS = (*OWN, "elementwise", "dma_wait", "control", "barrier")
"""copy: computing that only moves data. control: reading steps and setting tiles up. barrier:
waiting for other lanes, or having none."""

_BYTE = next(one for one in CHIP_CONSTANTS if one.name == "eth_rx_cycles_per_byte").nominal


def shares(runs: Sequence[Run]) -> dict[str, float]:
    """Return {part: fraction} for PARTS; all 0 where nothing took time."""
    spent: Counter[str] = Counter()
    for run in runs:
        for step in run.steps:
            compute, wait = sum(step.compute), sum(step.dma_wait)
            spent[step.origin if step.origin in OWN else "elementwise"] += compute
            spent["dma_wait"] += wait
            spent["control"] += sum(step.cycles) - compute - wait
        worked = sum(sum(step.cycles) for step in run.steps)
        spent["barrier"] += run.cycles * len(run.core_cycles) - worked
    total = sum(spent.values())
    return {part: spent[part] / total if total else 0.0 for part in PARTS}


def host_share(runs: Sequence[Run]) -> float:
    """Return the time their host bytes take on Ethernet (modelled), by the runs' own time."""
    cycles = sum(run.cycles for run in runs)
    return sum(run.host_bytes for run in runs) * _BYTE / cycles if cycles else 0.0
