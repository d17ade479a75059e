"""A Summary as a JSON object: plain numbers and strings, units in the names."""

from __future__ import annotations

from spindle.report.energy import LEFT_OUT, SOURCES
from spindle.report.prototype import FLOOR_CORES, FLOOR_S_PER_SAMPLE
from spindle.report.summary import BUDGET, Summary


def to_json(summary: Summary) -> dict[str, object]:
    """Return what json.dumps takes; those per step only where there were training steps."""
    return {
        "machine": summary.machine,
        "costs_hash": summary.costs_hash,
        "options": summary.options,
        "n_cores": summary.n_cores,
        "n_busy_cores": summary.n_busy_cores,
        "launches": summary.launches,
        "steps": summary.steps,
        "samples": summary.samples,
        "cycles": summary.cycles,
        "simulated_s": summary.simulated_s,
        **(_per_step(summary) if summary.steps else {}),
        "macs": summary.macs,
        "mac_per_cycle_per_core": summary.mac_per_cycle_per_core,
        "sdram_bytes": summary.dma_bytes,
        "host_bytes": summary.host_bytes,
        "packets_sent": summary.packets_sent,
        "packets_lost": summary.packets_lost,
        "packets_resent": summary.packets_resent,
        "barriers": summary.barriers,
        "nonfinite": summary.nonfinite,
        "wall_s_in_launches": summary.wall_s,
        "energy_j": summary.energy.total_j,
        "energy_sources": [*SOURCES, LEFT_OUT],
        "prototype_2020": {"s_per_sample": FLOOR_S_PER_SAMPLE, "cores": FLOOR_CORES},
    }


def _per_step(summary: Summary) -> dict[str, object]:
    steps = summary.steps
    return {
        "simulated_s_per_step": summary.simulated_s / steps,
        "cycles_per_step": summary.cycles_per_step,
        "cycles_per_step_by_kind": {k.kind: k.cycles / steps for k in summary.kinds},
        "elapsed_per_step_by_kind": {k.kind: k.elapsed / steps for k in summary.kinds},
        "budget_cycles_per_step": {
            line.name: {"cycles": summary.budget_cycles(line), "budget": line.budget_cycles}
            for line in BUDGET
        },
    }
