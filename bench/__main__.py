"""python -m bench [--json] [--repeats N]: native's wall time beside JAX on CPU, in one run.

In: the training step of examples/mlp_digits.py. Out: medians of the wall time of one launch of 8
steps (data set and weights already there, results waited for), their ratio, and the estimated
cycles of a step with the hash of the costs. Wall times are of this host; cycles are not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import spindle
from spindle.cli.examples import load_example
from spindle.report.summary import summarise

BATCH = 64
AIM = 3.0
"""Native is to take at most so many times JAX's wall time."""


def main(argv: list[str]) -> int:
    """Measure, print, return 0."""
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--repeats", type=int, default=15, metavar="N", help="launches timed (15)")
    args = parser.parse_args(argv)
    if args.repeats < 1:
        parser.error(f"--repeats {args.repeats} times nothing; use 1 or more")
    figures = measure(args.repeats)
    print(json.dumps(figures, indent=2) if args.json else sentence(figures))
    return 0


def measure(repeats: int) -> dict[str, Any]:
    """Return the figures of both, launches taken in turns."""
    example = load_example("mlp_digits")
    native = prepare(example, spindle.jit, spindle.device_put)
    on_cpu = prepare(example, jax.jit, jax.device_put)
    walls = [(timed(native), timed(on_cpu)) for _ in range(repeats)]
    ours, theirs = (statistics.median(column) for column in zip(*walls, strict=True))
    run = spindle.last_run()
    assert run is not None
    summary = summarise([run], steps=example.STEPS_PER_LAUNCH)
    return {
        "program": f"{run.program}: {summary.steps} steps of MLP 64-128-64-10, batch {BATCH}",
        "native_wall_s_per_launch": ours,
        "native_wall_s_in_firmware": run.wall_s,
        "jax_cpu_wall_s_per_launch": theirs,
        "ratio": ours / theirs,
        "cycles_per_step": summary.cycles_per_step,
        "mac_per_cycle_per_core": summary.mac_per_cycle_per_core,
        "costs_hash": run.costs_hash,
        "machine": run.machine,
        "jax": jax.__version__,
    }


def prepare(example: Any, jit: Any, device_put: Any) -> Callable[[], Any]:
    """Return a function that runs one launch of training, compiled and warmed up."""
    step = jit(example.train_steps, donate_argnums=0, static_argnums=4)
    train, _ = device_put(example.digits())
    state = jit(example.init)(jax.random.key(0))
    starts = BATCH * np.arange(example.STEPS_PER_LAUNCH, dtype=np.int32)

    def launch() -> None:
        nonlocal state
        state, losses = step(state, *train, starts, BATCH)
        np.asarray(losses)

    launch()
    return launch


def timed(launch: Callable[[], Any]) -> float:
    """Return the wall time of one call, in seconds."""
    start = time.perf_counter()
    launch()
    return time.perf_counter() - start


def sentence(figures: dict[str, Any]) -> str:
    """Return the figures as text."""
    ours, theirs = (1e3 * figures[f"{key}_wall_s_per_launch"] for key in ("native", "jax_cpu"))
    return (
        f"{figures['program']}\n"
        f"wall time per launch, median: native {ours:.2f} ms"
        f" ({1e3 * figures['native_wall_s_in_firmware']:.2f} ms in the kernels),"
        f" JAX {figures['jax']} on CPU {theirs:.2f} ms, ratio {figures['ratio']:.1f}"
        f" (aim {AIM:g})\n"
        f"estimate: {figures['cycles_per_step']:,.0f} cycles per step,"
        f" {figures['mac_per_cycle_per_core']:.4f} MAC/cycle/core, costs {figures['costs_hash']}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
