"""spindle bench gemm: one square matrix product, everything counted, on any machine.

`spindle bench nets` is bench_nets.py's.

In: arguments. Out: a few lines or one JSON object; 0 done, 1 the work failed, 2 bad usage.
float32 in SDRAM before and after: scanning, quantising and moving are part of the cycles.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from spindle.cli import bench_nets
from spindle.cli.parser import Parser, add_bench, sentence
from spindle.errors import SpindleError, UserError
from spindle.machines.machine import Run
from spindle.machines.open import open_machine
from spindle.options import Options, options
from spindle.report.summary import summarise

DATA = ("gaussian", "relu")
MOST = 1024
"""Largest side: three float32 matrices and the quantised ones fit in a chip's SDRAM with room."""


def main(argv: Sequence[str]) -> int:
    """Run the benchmark and return its exit status."""
    if list(argv[:1]) == ["nets"]:
        return bench_nets.main(argv[1:])
    try:
        args = make_parser().parse_args(argv)
        chosen = _check(args)
    except UserError as error:
        return sentence(error, 2)
    try:
        result = measure(args, chosen)
    except SpindleError as error:
        return sentence(error, 1)
    _print(result, args.json)
    return 0


def make_parser() -> Parser:
    """Return the parser of the benchmark's arguments."""
    parser = Parser("spindle bench", "Measure one matrix product, everything counted.")
    what = "gemm: C = A B, square; nets: see spindle bench nets --help"
    parser.add_argument("what", choices=("gemm", "nets"), help=what)
    parser.add_argument("--size", type=int, default=512, metavar="N", help="side (default 512)")
    parser.add_argument("--data", choices=DATA, default="gaussian", help="default gaussian")
    add_bench(parser)
    return parser


def _check(args: argparse.Namespace) -> Options:
    if not 1 <= args.size <= MOST:
        raise UserError(
            f"--size {args.size} is out of range", where="spindle bench", limit=f"1 to {MOST}"
        )
    return options(matmul=args.matmul)


def measure(args: argparse.Namespace, chosen: Options) -> dict[str, Any]:
    """Run the product once; returns what is printed. Raises SpindleError where it cannot run."""
    import jax

    import spindle

    a, b = _operands(args.size, args.data)
    lowered = jax.jit(lambda a, b: a @ b).trace(a, b).lower(lowering_platforms=("spinnaker",))
    machine = open_machine(args.machine, cores=args.cores)
    try:
        (product,) = spindle.compile(lowered.as_text(), chosen, machine)(a, b)
        error = float(np.abs(np.asarray(product) - a.astype(np.float64) @ b).max())
        run = spindle.last_run()
        assert run is not None
        return {"size": args.size, "data": args.data, "max_error": error, **_figures(run, chosen)}
    finally:
        machine.close()


def _operands(size: int, data: str) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size)).astype(np.float32) for _ in range(2))
    return (np.maximum(a, 0) if data == "relu" else a), b


def _figures(run: Run, chosen: Options) -> dict[str, Any]:
    summary = summarise([run])
    return {
        "machine": run.machine,
        "matmul": chosen.matmul,
        "mac_per_cycle_per_core": summary.mac_per_cycle_per_core,
        "cycles": run.cycles,
        "cores": summary.n_busy_cores,
        "costs_hash": run.costs_hash,
        "cycles_by_kind": {kind.kind: round(kind.cycles) for kind in summary.kinds},
        "sdram_bytes": run.dma_bytes,
        "nonfinite": run.nonfinite,
    }


def _print(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        json.dump(result, sys.stdout, indent=2)
        print()
        return
    for name, value in result.items():
        print(f"{name:24}{value}")
