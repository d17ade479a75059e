"""spindle demo: trains the MLP of examples/mlp_digits.py and reports what it cost.

In: arguments. Out: a line per epoch and tables, or one JSON object on stdout; 0 done, 1 the
training failed, 2 bad usage. The example is an ordinary JAX program; here it gets a `jit` that
keeps the record of every launch. Where cycles are measured, the compiler's estimate stands beside.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from spindle.cli.examples import load_example
from spindle.cli.interrupts import Interrupts
from spindle.cli.parser import Parser, sentence
from spindle.errors import SpindleError, UserError
from spindle.machines.machine import Machine, Run
from spindle.options import Options
from spindle.report.json_object import to_json
from spindle.report.summary import Foreseen, Summary, foresee, summarise
from spindle.report.terminal import print_report

EXAMPLE = "mlp_digits"
MACHINE = "iss"
TRAINING = "train_steps"
"""Name of the example's training program."""


@dataclass
class Training:
    """What the training leaves behind; accuracy is that of the last epoch.

    programs: the jitted functions by name.
    """

    runs: list[Run] = field(default_factory=list)
    programs: dict[str, Any] = field(default_factory=dict)
    accuracy: float = 0.0
    n_test: int = 0
    weights_sha256: str = ""
    wall_s: float = 0.0


def main(argv: Sequence[str]) -> int:
    """Run the demo and return its exit status."""
    try:
        args = make_parser().parse_args(argv)
        example = load_example(EXAMPLE)
        options, machine = _check(args, example.N_TRAIN)
    except UserError as error:
        return sentence(error, 2)
    except SpindleError as error:
        return sentence(error, 1)
    try:
        return _run(args, example, options, machine)
    except SpindleError as error:
        return sentence(error, 1)
    except KeyboardInterrupt:
        return sentence(UserError("interrupted, nothing is kept", where="spindle demo"), 1)
    finally:
        machine.close()


def make_parser() -> Parser:
    """Return the parser of the demo's arguments."""
    parser = Parser(
        "spindle demo", "Train an MLP 64-128-64-10 with Adam on scikit-learn's handwritten digits."
    )
    where = f"where to run (default {MACHINE}; native is quicker)"
    parser.add_argument("--machine", default=MACHINE, help=where)
    parser.add_argument("--epochs", type=int, default=12, metavar="N", help="default 12")
    parser.add_argument("--batch", type=int, default=64, metavar="N", help="default 64")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    parser.add_argument("--cores", type=int, metavar="N", help="cores of a chip to use (all)")
    parser.add_argument("--max-tile", type=int, metavar="N", help="largest tile side (what fits)")
    parser.add_argument("--dead-cores", metavar="LIST", help="of iss, see spindle board --help")
    parser.add_argument("--lose", type=float, metavar="RATE", help="of iss: packets to lose")
    parser.add_argument("--slow", type=float, metavar="F", help="of iss: slower than real time")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    return parser


def _check(args: argparse.Namespace, n_train: int) -> tuple[Options, Machine]:
    """Return the options and the open machine. Raises UserError for a number out of range."""
    from spindle.machines.open import open_machine

    _need(args.epochs >= 1, f"--epochs {args.epochs} trains nothing", "use 1 or more")
    fits, images = 1 <= args.batch <= n_train, f"the training set has {n_train} images"
    _need(fits, f"--batch {args.batch} is out of range: {images}", f"use 1 to {n_train}")
    _need(0 <= args.seed < 2**32, f"--seed {args.seed} is no seed", "use 0 to 4294967295")
    options = Options(max_tile=args.max_tile)
    return options, open_machine(args.machine, cores=args.cores, **_switches(args))


def _switches(args: argparse.Namespace) -> dict[str, object]:
    """Return the virtual board's switches that were given."""
    given = {name: getattr(args, name) for name in ("dead_cores", "lose", "slow")}
    return {name: value for name, value in given.items() if value is not None}


def _need(holds: bool, what: str, fix: str) -> None:
    if not holds:
        raise UserError(what, where="spindle demo", fix=fix)


def _run(args: argparse.Namespace, example: Any, options: Options, machine: Machine) -> int:
    found = importlib.util.find_spec("sklearn") is not None
    _need(found, "scikit-learn, which has the images, is missing", "pip install 'spindle[demo]'")
    console = Console(quiet=args.json)
    console.print(f"Training on {machine.name}: compiling first ...", highlight=False)
    done = train(args, example, options, machine, console)
    training, total = _summaries(done.runs, example, args.batch)
    foreseen = _foreseen(done, example, machine)
    if args.json:
        print(json.dumps(_json_object(args, done, training, total, foreseen), indent=2))
    else:
        print_report(console, training, total, _results(args, done), foreseen)
    return 0


def train(
    args: argparse.Namespace, example: Any, options: Options, machine: Machine, console: Console
) -> Training:
    """Run the example's main; one line per epoch goes to the console."""
    import spindle

    done, start = Training(), time.perf_counter()

    def jit(fn: Callable[..., Any], **arguments: Any) -> Callable[..., Any]:
        program = spindle.jit(fn, options=options, machine=machine, **arguments)
        done.programs[fn.__name__] = program
        return _recorded(program, done.runs)

    def device_put(tree: Any) -> Any:
        return spindle.device_put(tree, machine=machine)

    def report(epoch: int, loss: float, accuracy: float) -> None:
        interrupts.check()
        done.accuracy = float(accuracy)
        simulated = summarise(done.runs).simulated_s
        console.print(
            f"epoch {epoch:3}/{args.epochs}   loss {loss:.4f}   test accuracy {accuracy:.2%}"
            f"   simulated {simulated:.3f} s",
            highlight=False,
        )

    with Interrupts() as interrupts:
        params = example.main(jit, device_put, args.epochs, args.batch, args.seed, report)
    done.wall_s = time.perf_counter() - start
    done.n_test = len(example.digits()[1][1])
    done.weights_sha256 = weights_sha256(params)
    return done


def _recorded(program: Callable[..., Any], runs: list[Run]) -> Callable[..., Any]:
    """Return the program, with the record of each of its launches kept in `runs`."""
    import spindle

    def call(*arguments: Any) -> Any:
        results = program(*arguments)
        run = spindle.last_run()
        assert run is not None
        runs.append(run)
        return results

    return call


def weights_sha256(params: Any) -> str:
    """Return the SHA-256 of the leaves in pytree order as little-endian float32."""
    import jax
    import numpy as np

    leaves = jax.tree.leaves(params)
    return hashlib.sha256(b"".join(np.asarray(x, "<f4").tobytes() for x in leaves)).hexdigest()


def _summaries(runs: Sequence[Run], example: Any, batch: int) -> tuple[Summary, Summary]:
    """Return the Summaries of the training launches, per step, and of all, which are no steps."""
    training = [run for run in runs if run.program == TRAINING]
    steps = len(training) * example.STEPS_PER_LAUNCH
    return summarise(training, steps=steps, samples=steps * batch), summarise(runs)


def _foreseen(done: Training, example: Any, machine: Machine) -> Foreseen | None:
    """Return the estimate of a training step; None on native, whose cycles are the estimate."""
    from spindle.schedule.estimate import estimate

    if machine.name == "native":
        return None
    (image,) = done.programs[TRAINING].images()
    n_cores = done.runs[0].n_cores
    return foresee(estimate(image, n_cores=n_cores), example.STEPS_PER_LAUNCH)


def _results(args: argparse.Namespace, done: Training) -> list[tuple[str, str]]:
    return [
        ("test accuracy", f"{done.accuracy:.2%} of {done.n_test} images"),
        ("epochs, batch, seed", f"{args.epochs}, {args.batch}, {args.seed}"),
        ("host time, compiling included", f"{done.wall_s:.1f} s"),
        ("weights SHA-256", done.weights_sha256[:16] + "..."),
    ]


def _json_object(
    args: argparse.Namespace,
    done: Training,
    training: Summary,
    total: Summary,
    foreseen: Foreseen | None,
) -> dict[str, object]:
    """Per-step figures are those of the training launches, sums those of all launches.

    estimated_cycles_per_step: null on native, whose cycles are the estimate.
    """
    per_step, sums = to_json(training), to_json(total)
    of_step = ("simulated_s_per_step", "cycles_per_step", "mac_per_cycle_per_core", "steps")
    of_all = ("machine", "costs_hash", "n_cores", "launches", "energy_j", "host_bytes")
    packets = ("packets_sent", "packets_lost", "packets_resent")
    return {
        **{key: sums[key] for key in (*of_all, *packets)},
        **{key: per_step[key] for key in of_step},
        **{key: getattr(args, key) for key in ("epochs", "batch", "seed", "max_tile")},
        "test_accuracy": done.accuracy,
        "wall_s": done.wall_s,
        "estimated_cycles_per_step": foreseen.cycles if foreseen else None,
        "weights_sha256": done.weights_sha256,
        "training": per_step,
        "total": sums,
    }
