"""spindle bench nets: training steps of the examples, simulated, beside JAX on this host.

In: names of examples. Out: tables or one JSON object; 0 done, 1 the work failed, 2 bad usage. Each
launch takes the rows of its batches from the host, as a streamed epoch does, and returns losses.
Simulated figures are of one step; wall times are of this host, launches taken in turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from spindle.cli.examples import load_example
from spindle.cli.parser import Parser, add_bench, sentence
from spindle.errors import SpindleError, UserError
from spindle.machines.machine import Machine, Run
from spindle.machines.open import open_machine
from spindle.options import Options, options
from spindle.report.shares import PARTS, host_share, shares
from spindle.report.summary import summarise
from spindle.report.terminal import describe_machine

NETS = (
    "mlp_dropout", "cnn_mnist", "resnet8", "separable_cnn", "transformer", "lstm", "gru",
    "embedding",
)  # fmt: skip
Figures = dict[str, Any]


def main(argv: Sequence[str]) -> int:
    """Run the benchmark and return its exit status."""
    try:
        args = make_parser().parse_args(argv)
        chosen = _check(args)
        machine = open_machine(args.machine, cores=args.cores)
    except UserError as error:
        return sentence(error, 2)
    except SpindleError as error:
        return sentence(error, 1)
    try:
        found = {name: measure(name, args.repeats, chosen, machine) for name in args.names or NETS}
    except SpindleError as error:
        return sentence(error, 1)
    finally:
        machine.close()
    if args.json:
        print(json.dumps(found, indent=2))
    else:
        print_tables(Console(), found)
    return 0


def make_parser() -> Parser:
    """Return the parser of the benchmark's arguments."""
    parser = Parser("spindle bench nets", "Measure training steps of the examples' nets.")
    parser.add_argument("names", nargs="*", metavar="net", help=f"of {', '.join(NETS)} (all)")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="launches timed (3)")
    add_bench(parser)
    return parser


def _check(args: argparse.Namespace) -> Options:
    where = "spindle bench nets"
    unknown = [name for name in args.names if name not in NETS]
    if unknown:
        raise UserError(
            f"there is no net {unknown[0]!r}", where=where, fix=f"use {', '.join(NETS)}"
        )
    if args.repeats < 1:
        raise UserError(f"--repeats {args.repeats} times nothing", where=where, fix="use 1 or more")
    return options(matmul=args.matmul)


def measure(name: str, repeats: int, chosen: Options, machine: Machine) -> Figures:
    """Return the figures of one net. Raises SpindleError where it cannot run."""
    import jax

    import spindle

    def ours(fn: Callable[..., Any], **arguments: Any) -> Callable[..., Any]:
        return spindle.jit(fn, options=chosen, machine=machine, **arguments)

    epochs, inputs = load_example("epochs"), _inputs(name)
    native, on_cpu = _launcher(ours, *inputs), _launcher(jax.jit, *inputs)
    first_s = timed(native)
    timed(on_cpu)
    runs, walls = [], []
    for _ in range(repeats):
        walls.append((timed(native), timed(on_cpu)))
        run = spindle.last_run()
        assert run is not None
        runs.append(run)
    wall_s, jax_s = (statistics.median(column) for column in zip(*walls, strict=True))
    steps = epochs.STEPS_PER_LAUNCH
    times = {"wall_s": wall_s / steps, "jax_cpu_wall_s": jax_s / steps, "ratio": wall_s / jax_s}
    return {**_simulated(runs, steps), **times, "first_call_s": first_s, "jax": jax.__version__}


def _inputs(name: str) -> tuple[Any, Any, Any, Any, Any]:
    """Return train_steps and its arguments: a new state, one launch of rows, their starts, net."""
    import jax
    import numpy as np

    training, epochs, net = (load_example(one) for one in ("training", "epochs", name))
    (images, labels), _ = net.data()
    rows = images[: epochs.LAUNCH], labels[: epochs.LAUNCH]
    starts = np.arange(0, epochs.LAUNCH, training.BATCH, dtype=np.int32)
    state = jax.jit(training.start, static_argnums=0)(net.init, jax.random.key(0))
    return training.train_steps, jax.tree.map(np.asarray, state), rows, starts, net.forward


def _launcher(
    jit: Callable[..., Any], fn: Any, state: Any, rows: Any, starts: Any, forward: Any
) -> Callable[[], None]:
    """Return a function that takes the next steps and waits for their losses."""
    import numpy as np

    steps = jit(fn, donate_argnums=0, static_argnums=4)

    def launch() -> None:
        nonlocal state
        state, losses = steps(state, *rows, starts, forward)
        np.asarray(losses)

    return launch


def timed(launch: Callable[[], None]) -> float:
    """Return the wall time of one call, in seconds."""
    start = time.perf_counter()
    launch()
    return time.perf_counter() - start


def _simulated(runs: Sequence[Run], steps_per_launch: int) -> Figures:
    steps = steps_per_launch * len(runs)
    summary = summarise(runs, steps=steps)
    return {
        "machine": summary.machine,
        "costs_hash": summary.costs_hash,
        "options": summary.options,
        "cores": summary.n_busy_cores,
        "cycles_per_step": summary.cycles_per_step,
        "simulated_s_per_step": summary.simulated_s / steps,
        "mac_per_cycle_per_core": summary.mac_per_cycle_per_core,
        "shares": shares(runs) | {"host": host_share(runs)},
        "sdram_bytes_per_step": summary.dma_bytes / steps,
        "host_bytes_per_step": summary.host_bytes / steps,
        "joules_per_step": summary.energy.total_j / steps,
        "description": describe_machine(summary),
    }


def print_tables(console: Console, found: dict[str, Figures]) -> None:
    """Print {net: its figures}: which machine ran, and three tables."""
    console.print(next(iter(found.values()))["description"], highlight=False)
    for title, columns in _TABLES.items():
        table = Table(title=title, title_justify="left")
        for column in ("net", *columns):
            table.add_column(column, justify="left" if column == "net" else "right")
        for name, figures in found.items():
            table.add_row(name, *(show(figures) for show in columns.values()))
        console.print(table)


def _share(part: str) -> Callable[[Figures], str]:
    return lambda figures: f"{figures['shares'][part]:.1%}"


_TABLES: dict[str, dict[str, Callable[[Figures], str]]] = {
    "One training step, simulated": {
        "ms": lambda f: f"{f['simulated_s_per_step'] * 1e3:,.2f}",
        "MAC/cycle/core": lambda f: f"{f['mac_per_cycle_per_core']:.4f}",
        "SDRAM MB": lambda f: f"{f['sdram_bytes_per_step'] / 1e6:,.2f}",
        "host kB": lambda f: f"{f['host_bytes_per_step'] / 1e3:,.1f}",
        "mJ": lambda f: f"{f['joules_per_step'] * 1e3:,.2f}",
    },
    "Where an average core's cycles go; host: its transfers' time beside the step's": {
        part.replace("_", " "): _share(part) for part in (*PARTS, "host")
    },
    "Wall time on this host, a step": {
        "first call s": lambda f: f"{f['first_call_s']:.1f}",
        "ms": lambda f: f"{f['wall_s'] * 1e3:,.2f}",
        "JAX on CPU ms": lambda f: f"{f['jax_cpu_wall_s'] * 1e3:,.2f}",
        "ratio": lambda f: f"{f['ratio']:.1f}",
    },
}
